"""What makes a class of values: a dataclass that nothing changes once it is made."""

from dataclasses import dataclass, field
from typing import dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value[T](cls: type[T]) -> type[T]:
    """Makes a dataclass with slots that can be hashed, and that type checkers take for frozen.

    mypy refuses an assignment to a field. At run time nothing does: `frozen=True` would set every
    field through a call, a third of the cost of making a model (see docs/decisions.md).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
