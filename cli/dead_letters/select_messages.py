"""Which dead letters a person means: all, those of some tenants, or some by an id's prefix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cli.dead_letters.dead_letter_queue import DeadLetter
from cli.stack.queues import QueueName
from cli.terminal.errors import BadInput

# With fewer characters, a slip of the finger could name another message.
SHORTEST_ID = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """Tenants whose dead letters to move, or ids of those to delete; neither means all."""

    tenant_ids: frozenset[str]
    message_ids: frozenset[str]

    @classmethod
    def of(
        cls,
        tenants: list[str] | None,
        ids: list[str] | None,
        queue: QueueName,
        dry_run: bool = False,
    ) -> Self:
        """Reads the options; raises BadInput for a short id, or if they contradict each other."""
        if queue is QueueName.SCHEDULE and not ids and not dry_run:
            raise BadInput("--queue schedule: start a run instead, then --discard the letters")
        if tenants and ids:
            raise BadInput("--tenant and --discard: a letter is either moved or deleted")
        if tenants and queue is not QueueName.ROLLUP:
            raise BadInput("--tenant: only the rollup's letters are each of one tenant")
        for prefix in ids or ():
            if len(prefix) < SHORTEST_ID:
                raise BadInput(f"--discard: at least {SHORTEST_ID} characters, not {prefix}")
        return cls(frozenset(tenants or ()), frozenset(ids or ()))

    @property
    def whole(self) -> bool:
        """Whether the whole queue is meant."""
        return not self.tenant_ids and not self.message_ids

    def wishes(self, dead_letter: DeadLetter) -> bool:
        """Whether this dead letter is meant."""
        if self.message_ids:
            return any(dead_letter.message_id.startswith(prefix) for prefix in self.message_ids)
        return not self.tenant_ids or dead_letter.tenant_id in self.tenant_ids

    def refuse_unclear(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Raises BadInput for an id's prefix that several dead letters share."""
        for prefix in self.message_ids:
            matches = sum(
                dead_letter.message_id.startswith(prefix) for dead_letter in dead_letters
            )
            if matches > 1:
                raise BadInput(f"--discard {prefix}: {matches} letters begin with that")

    def missing(self, dead_letters: Sequence[DeadLetter]) -> list[str]:
        """Lists what no dead letter matches: `of pilot` for a tenant, `feb1a71e` for an id."""
        present = {dead_letter.tenant_id for dead_letter in dead_letters}
        tenants = [f"of {tenant_id}" for tenant_id in self.tenant_ids - present]
        ids = [
            prefix
            for prefix in self.message_ids
            if not any(dead_letter.message_id.startswith(prefix) for dead_letter in dead_letters)
        ]
        return sorted([*tenants, *ids])
