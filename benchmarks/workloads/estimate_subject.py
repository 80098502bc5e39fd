"""The estimate that is measured, built and called as its function does, for 50 deployments."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.workloads.workload import ORDINARY, PERIOD, SampleDeployment
from invoicing.foundation.settings import Settings
from invoicing.pricing.estimates import Estimates
from invoicing.pricing.tenant_month import Pricing

TENANT = "estimated"
DEPLOYMENTS = 50
AS_OF = datetime(2026, 4, 20, 2, tzinfo=UTC)
# 25 times 50.00 + 7.50 + 6.72 and 50.00; GST 285.55.
TO_DATE_CENTS = 314_105
# On the 20th of 30 days everything grows by half: 25 times 50.00 + 7.50 + 17.52 + 4.37 + 1.08
# and 50.00; GST 326.18.
PROJECTED_CENTS = 358_793


def deployments() -> list[SampleDeployment]:
    """Returns the workload's two ordinary deployments again and again, under different names."""
    kinds = len(ORDINARY)
    return [
        replace(ORDINARY[n % kinds], name=f"{ORDINARY[n % kinds].name}-{n // kinds:02}")
        for n in range(DEPLOYMENTS)
    ]


def estimate(settings: Settings) -> dict[str, Any]:
    """Returns the answer to one request; nothing is cached between two."""
    return Estimates(Pricing.over(settings), settings.zone).estimate(TENANT, PERIOD, AS_OF)
