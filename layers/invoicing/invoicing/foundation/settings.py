"""Settings from the environment, read once. The template's Globals set every variable."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quote_engine.currency import currency_fault

BOOLEANS = {"true": True, "false": False}


class SettingsInvalid(Exception):
    """An environment variable is missing or unusable; the error names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A function's settings from the template; each field is its variable's name in lower case."""

    accounts_table: str
    invoices_table: str
    usage_table: str
    rollup_queue_url: str
    billing_time_zone: str
    currency: str
    issue_immediately: bool
    due_days: int
    allowed_origin: str
    cursor_key: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which periods begin and end, and in which documents are dated."""
        return ZoneInfo(self.billing_time_zone)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings; raises SettingsInvalid that names what cannot be used."""
        names = [field.name.upper() for field in fields(cls)]
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise SettingsInvalid(f"not set: {', '.join(missing)}")
        values = {name.lower(): environment[name] for name in names}
        issue = values.pop("issue_immediately")
        if issue not in BOOLEANS:
            raise SettingsInvalid(f"ISSUE_IMMEDIATELY: must be true or false, not {issue!r}")
        due_days = values.pop("due_days")
        if not (due_days.isascii() and due_days.isdigit()):
            raise SettingsInvalid(f"DUE_DAYS: must be a whole number of days, not {due_days!r}")
        _refuse_unknown_zone(values["billing_time_zone"])
        if fault := currency_fault(values["currency"]):
            raise SettingsInvalid(f"CURRENCY: {fault}")
        return cls(**values, issue_immediately=BOOLEANS[issue], due_days=int(due_days))


def _refuse_unknown_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsInvalid(f"BILLING_TIME_ZONE: no time zone is named {name!r}") from error


@cache
def settings() -> Settings:
    """Returns the settings of this process; only the first call reads the environment."""
    return Settings.from_environment(os.environ)
