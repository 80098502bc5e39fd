"""The OpenAPI document describes what is deployed: no route more, none less."""

from openapi_spec_validator import validate

from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.review import ReviewRule
from invoicing.month_end.rollup import RollupOutcome
from invoicing.usage.correction import CorrectionOutcome
from invoicing.usage.usage_event import UsageOutcome
from local.template import resources
from tests.openapi import openapi

PREFIX = "/api/v1"


def test_the_document_is_valid() -> None:
    validate(openapi())


def test_its_routes_are_the_templates() -> None:
    deployed = {
        (event["Properties"]["Path"], event["Properties"]["Method"].lower())
        for function in resources("AWS::Serverless::Function").values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }
    documented = {
        (PREFIX + path, method)
        for path, item in openapi()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert documented == deployed


def test_its_states_are_the_invoices() -> None:
    assert openapi()["components"]["schemas"]["Status"]["enum"] == list(InvoiceStatus)


def test_its_usage_outcomes_are_the_meterings() -> None:
    schema = openapi()["components"]["schemas"]["UsageOutcome"]
    assert schema["enum"] == list(UsageOutcome)


def test_its_correction_outcomes_are_the_corrections() -> None:
    schema = openapi()["components"]["schemas"]["CorrectionOutcome"]
    assert schema["enum"] == list(CorrectionOutcome)


def test_its_rules_are_the_reviews() -> None:
    assert openapi()["components"]["schemas"]["Rule"]["enum"] == list(ReviewRule)


def test_its_previews_have_the_rollups_outcomes() -> None:
    outcomes = openapi()["components"]["schemas"]["Preview"]["properties"]["outcome"]["enum"]
    assert outcomes == [*RollupOutcome, "failed"]
