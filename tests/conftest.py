"""No test can reach a real AWS, and each sets its own environment."""

import os
from collections.abc import Iterator

import pytest

# Before anything reads them: no test may ever use a developer's own profile.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "ap-southeast-2",
    "AWS_REGION": "ap-southeast-2",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Monthend",
}

ENVIRONMENT = {
    "ACCOUNTS_TABLE": "accounts",
    "INVOICES_TABLE": "invoices",
    "USAGE_TABLE": "usage",
    "ROLLUP_QUEUE_URL": "set by the test",
    "BILLING_TIME_ZONE": "UTC",
    "CURRENCY": "AUD",
    "ISSUE_IMMEDIATELY": "false",
    "DUE_DAYS": "14",
    "ALLOWED_ORIGIN": "*",
    "CURSOR_KEY": "a key of the tests",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Sets the functions' environment; change it before the first call of `settings()`."""
    from invoicing.foundation.settings import settings  # noqa: PLC0415 - after the environment is scrubbed

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()
