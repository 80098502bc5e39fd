"""A month-end under every fault, on a seed: `python -m tests.simulation --seeds 1000`.

The functions that ship run over an AWS of plain dictionaries, one AWS call at a time, in an order
that the seed chooses. docs/reliability.md says what is broken on purpose and what must hold.
"""
