"""Nothing that is started here can reach a real AWS account."""

import os
from pathlib import Path

import pytest

from local import environment

REAL = {
    "AWS_PROFILE": "company",
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
}


@pytest.fixture(autouse=True)
def a_real_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)


def _never_real(variables: dict[str, str]) -> None:
    assert not [name for name, value in REAL.items() if variables.get(name) == value]
    assert variables["AWS_CONFIG_FILE"] == os.devnull
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"


def test_tools_get_the_emulator_and_its_root_caller_alone() -> None:
    variables = environment.for_tools("http://127.0.0.1:4000")
    _never_real(variables)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4000"
    assert variables["AWS_ACCESS_KEY_ID"] == "test"


def test_a_build_has_no_credentials_at_all() -> None:
    variables = environment.for_build()
    _never_real(variables)
    assert "AWS_ACCESS_KEY_ID" not in variables


def test_functions_see_nothing_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLUP_QUEUE_URL", "forgotten by the template, but set here")
    monkeypatch.setenv("PYTHONPATH", "layers/invoicing")
    variables = environment.for_emulator(Path("tmp"))
    _never_real(variables)
    assert not {"ROLLUP_QUEUE_URL", "PYTHONPATH"} & set(variables)


def test_a_missing_tool_says_what_to_do() -> None:
    with pytest.raises(environment.LocalError, match="make setup"):
        environment.tool(".venv", "no-such-tool")


@pytest.mark.parametrize(
    ("machine", "architecture"), [("x86_64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")]
)
def test_architecture_in_lambdas_words(
    monkeypatch: pytest.MonkeyPatch, machine: str, architecture: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert environment.architecture() == architecture
