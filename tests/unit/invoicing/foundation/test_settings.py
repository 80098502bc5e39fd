"""The environment: read whole, or refused by the variable's name; in step with the template."""

from dataclasses import fields

import pytest

from invoicing.foundation.settings import Settings, SettingsInvalid
from local.template import template
from tests.conftest import ENVIRONMENT

NOT_SETTINGS = {"AWS_ENDPOINT_URL"}


def test_the_fields_are_the_templates_variables() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    names = {field.name.upper() for field in fields(Settings)}
    assert names == set(variables) - NOT_SETTINGS


def test_the_environment_becomes_settings() -> None:
    read = Settings.from_environment(ENVIRONMENT | {"BILLING_TIME_ZONE": "Australia/Sydney"})
    assert read.zone.key == "Australia/Sydney"
    assert (read.currency, read.issue_immediately, read.due_days) == ("AUD", False, 14)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"USAGE_TABLE": "", "CURRENCY": ""}, "not set: USAGE_TABLE, CURRENCY"),
        ({"ISSUE_IMMEDIATELY": "yes"}, "ISSUE_IMMEDIATELY: must be true or false, not 'yes'"),
        ({"DUE_DAYS": "two"}, "DUE_DAYS: must be a whole number of days, not 'two'"),
        ({"CURRENCY": "JPY"}, "CURRENCY: JPY cannot be billed: must be an ISO 4217 currency"),
        ({"CURRENCY": "aud"}, "CURRENCY: must be 3 upper-case letters"),
        ({"BILLING_TIME_ZONE": "Mars/Base"}, "BILLING_TIME_ZONE: no time zone is named"),
    ],
)
def test_a_faulty_variable_is_named(change: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsInvalid, match=text):
        Settings.from_environment(ENVIRONMENT | change)
