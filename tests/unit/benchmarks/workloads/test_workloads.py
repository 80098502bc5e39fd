"""The workloads come to the figures that were worked out by hand, or nothing is measured."""

import pytest

from benchmarks.harness.results import InvalidBenchmark
from benchmarks.workloads import every_rule
from benchmarks.workloads.estimate_subject import DEPLOYMENTS, deployments
from quote_engine import price


def test_every_rule_has_something_to_do() -> None:
    kinds = {line.kind for line in price(every_rule.every_rule()).lines}
    assert kinds == {
        "plan_base",
        "addon",
        "overage",
        "discount",
        "minimum",
        "adjustment",
        "tax",
    }


def test_other_figures_are_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every_rule, "TOTAL_CENTS", 17_051)
    with pytest.raises(InvalidBenchmark, match="17050 cents instead of 16, 17051"):
        every_rule.every_rule()


def test_the_estimated_tenant_has_as_many_deployments_as_stated() -> None:
    assert len({deployment.name for deployment in deployments()}) == DEPLOYMENTS
