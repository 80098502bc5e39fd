"""The trace of a seed, and the error for a broken invariant."""

from dataclasses import dataclass, field

LAST_STEPS = 40


class InvariantViolated(Exception):
    """An invariant in docs/reliability.md does not hold; `invariant` is its name, such as I4."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(slots=True)
class Trace:
    """The steps of a seed, one line each; `aloud` prints them as they happen."""

    lines: list[str] = field(default_factory=list)
    aloud: bool = False

    def say(self, step: int, text: str) -> None:
        """Adds a line."""
        line = f"{step:5} {text}"
        self.lines.append(line)
        if self.aloud:
            print(line)

    def tail(self) -> str:
        """Returns the last LAST_STEPS lines as one text."""
        left_out = max(0, len(self.lines) - LAST_STEPS)
        shown = [f"      ({left_out} steps before)"] if left_out else []
        return "\n".join([*shown, *self.lines[left_out:]])


def replay_command(seed: int) -> str:
    """Returns the command that runs one seed again and prints its steps."""
    return f"python -m tests.simulation --seed {seed} --verbose"
