"""What a month-end of very many tenants takes: a million on paper, thousands on the local stack.

`python -m benchmarks.scale simulate` measures what one tenant costs and works out the rest from
AWS's published limits and prices. `python -m benchmarks.scale run` bills a few thousand generated
tenants for real and counts them. docs/scale.md says what came out and what neither can know.
"""
