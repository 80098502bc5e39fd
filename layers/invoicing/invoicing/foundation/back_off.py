"""How long a writer waits before it tries again: longer each time, and never as long as others."""

import random
from time import sleep

FIRST_SECONDS = 0.02


def back_off(attempt: int) -> None:
    """Waits after the try of this number, which begins with 0: 10 to 20 ms, then twice that."""
    sleep(random.uniform(0.5, 1) * FIRST_SECONDS * 2**attempt)
