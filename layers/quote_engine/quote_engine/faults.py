"""The error for bad input: it lists every fault at once."""


class InvalidRequest(ValueError):
    """Input that cannot be priced. `faults`: one line each, `field: what it must be`."""

    faults: tuple[str, ...]

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def refuse(faults: list[str]) -> None:
    """Raises InvalidRequest if there is any fault."""
    if faults:
        raise InvalidRequest(tuple(faults))
