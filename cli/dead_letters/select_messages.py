"""Which dead letters a person means: all, some tenants', or some by the beginning of their id."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cli.dead_letters.dead_letter_queue import DeadLetter
from cli.stack.queues import QueueName
from cli.terminal.errors import BadInput

# Shorter, and a slip of the finger means another letter.
SHORTEST_ID = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """Tenants whose letters are moved, or ids of letters that are deleted; neither means all."""

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
        """What the options say; raises BadInput where they contradict each other."""
        if queue is QueueName.SCHEDULE and not ids and not dry_run:
            raise BadInput("--queue schedule: start a run instead, then --discard the letters")
        if tenants and ids:
            raise BadInput("--tenant and --discard: a letter is either moved or deleted")
        if tenants and queue is not QueueName.ROLLUP:
            raise BadInput("--tenant: only the rollup's letters are each of one tenant")
        for given in ids or ():
            if len(given) < SHORTEST_ID:
                raise BadInput(f"--discard: at least {SHORTEST_ID} characters, not {given}")
        return cls(frozenset(tenants or ()), frozenset(ids or ()))

    @property
    def whole(self) -> bool:
        """Whether the whole queue is meant."""
        return not self.tenant_ids and not self.message_ids

    def wishes(self, letter: DeadLetter) -> bool:
        """Whether this letter is meant."""
        if self.message_ids:
            return any(letter.message_id.startswith(given) for given in self.message_ids)
        return not self.tenant_ids or letter.tenant_id in self.tenant_ids

    def refuse_unclear(self, letters: Sequence[DeadLetter]) -> None:
        """Raises BadInput for a beginning that several letters have."""
        for given in self.message_ids:
            found = sum(letter.message_id.startswith(given) for letter in letters)
            if found > 1:
                raise BadInput(f"--discard {given}: {found} letters begin with that")

    def missing(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Of what there is no letter: `of pilot` for a tenant, `feb1a71e` for an id."""
        there = {letter.tenant_id for letter in letters}
        tenants = [f"of {tenant_id}" for tenant_id in self.tenant_ids - there]
        ids = [
            given
            for given in self.message_ids
            if not any(letter.message_id.startswith(given) for letter in letters)
        ]
        return sorted([*tenants, *ids])
