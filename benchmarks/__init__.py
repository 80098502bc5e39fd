"""What is measured, side by side: `python -m benchmarks` prints a table and judges the targets.

Machines are noisy, so no figure is judged alone: each is a ratio to a peer that was measured in
the same run, turn by turn, or it is a count.
"""
