"""Fills a deployed stack with the sample month, using the commands that anybody would use.

Runs in its own process (`python -m local.seed STACK`): the commands find AWS through the
environment, and two stacks may be filled side by side.
"""

import sys

from cli.app import main as monthend
from local.sample_month import FOLDER, RECEIVED_AT


def main(stack: str) -> int:
    """Returns 0, or the exit code of the first command that did not do all of its work."""
    load = ["load", str(FOLDER)]
    usage = ["usage", "import", "--received-at", RECEIVED_AT, str(FOLDER / "usage.csv")]
    return monthend(["--stack", stack, *load]) or monthend(["--stack", stack, *usage])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
