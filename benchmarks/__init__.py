"""What is measured, side by side: `python -m benchmarks` prints a table and judges the targets.

Machines are noisy, so no figure is judged alone: each is a ratio to a peer that was measured in
the same run, turn by turn, or it is a count.
"""

import sys
from pathlib import Path

# Run from a checkout, where nothing is installed: the layers are found as Lambda would find them.
for _layer in ("quote_engine", "invoicing"):
    _folder = str(Path(__file__).resolve().parent.parent / "layers" / _layer)
    if _folder not in sys.path:
        sys.path.insert(0, _folder)
