"""`python -m local COMMAND`: exits 0, 1 with one clear sentence, or 128 + signal."""

import sys

from local.environment import LocalError
from local.interrupts import Interrupted, interruptible


def main() -> int:
    """Runs the command that the command line names; returns the exit code."""
    try:
        with interruptible():
            # Imported late: Ctrl-C during this half second of imports must not print a traceback.
            from local.commands import arguments_of  # noqa: PLC0415

            arguments = arguments_of()
            arguments.run(arguments)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("\nStopped, as asked.", file=sys.stderr)
        return interrupted.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
