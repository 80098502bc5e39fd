"""The targets that a run is judged by, each with the sentence that promises it."""

from benchmarks.harness.results import Target

PRICE = Target(
    limit=20,
    stretch=15,
    source="price() of a ready request costs at most 20 x a bare integer loop; stretch 15 x.",
)
MODELS = Target(
    limit=40,
    stretch=None,
    source="A quote, models in and out, costs at most 40 x a bare integer loop.",
)
JSON = Target(
    limit=200,
    stretch=None,
    source="A quote, JSON to JSON, costs at most 200 x a bare integer loop.",
)
POOLED = Target(
    limit=2,
    stretch=None,
    source="A request with pooled rates is made in at most twice the time of one without.",
)
CALLS = Target(limit=4, stretch=3, source="At most 4 DynamoDB calls an invoice; stretch 3.")
WRITE_UNITS = Target(
    limit=3,
    stretch=None,
    source="At most 3 write units for a 5-line invoice with one index.",
)
USAGE_WRITE_UNITS = Target(
    limit=2.1,
    stretch=None,
    source="A thousand events of one deployment and day: at most 2.1 write units an event.",
)
COLD_START = Target(
    limit=1.8,
    stretch=1.4,
    source='Rollup: import + client cost at most 1.8 x botocore\'s client("dynamodb"); '
    "stretch 1.4 x.",
)
PACKAGE_MB = Target(
    limit=30,
    stretch=20,
    source="A function with its layers unpacks to at most 30 MB; stretch 20.",
)

REFERENCE = """\
For orientation only, measured once on another machine, so not comparable with the figures above.
CPU ms for one persisted invoice of this workload: silver 52; CloudKitty 25, fed pre-summed
points, 9.5; a hand-written botocore handler 9.0 from 186 usage rows, 5.1 from month totals; the
same through pynamodb 13.4."""
