"""What a simulation says: the trace of a seed, and the invariant that was broken."""

from dataclasses import dataclass, field

LAST_STEPS = 40


class InvariantViolated(Exception):
    """An invariant of design.md does not hold; `invariant` is its name, such as I4."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(slots=True)
class Trace:
    """What happened, step by step."""

    lines: list[str] = field(default_factory=list)
    aloud: bool = False

    def say(self, step: int, text: str) -> None:
        """Adds a line."""
        line = f"{step:5} {text}"
        self.lines.append(line)
        if self.aloud:
            print(line)

    def tail(self) -> str:
        """The last steps."""
        left_out = max(0, len(self.lines) - LAST_STEPS)
        shown = [f"      ({left_out} steps before)"] if left_out else []
        return "\n".join([*shown, *self.lines[left_out:]])


def replay_command(seed: int) -> str:
    """The command that runs one seed again, step by step."""
    return f"python -m tests.simulation --seed {seed} --verbose"
