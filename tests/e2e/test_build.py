"""The output of `sam build` is complete, small, compiled and self-contained."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.template import ROOT
from tests.conftest import ENVIRONMENT
from tests.e2e.conftest import Deployed

BUILD = ROOT / ".aws-sam" / "build"
LAYERS = [BUILD / layer / "python" for layer in ("InvoicingLayer", "QuoteEngineLayer")]
FUNCTIONS = {
    "StartMonthEnd": "start_month_end",
    "RollupTenant": "rollup_tenant",
    "ListInvoices": "list_invoices",
    "GetInvoice": "get_invoice",
    "PutTenant": "put_tenant",
}
MEGABYTE = 1024 * 1024
# All that the functions import, directly or not. A new name here is shipped to production.
SHIPPED = {
    "annotated_types",
    "aws_lambda_powertools",
    "botocore",
    "dateutil",
    "invoicing",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "pynamodb",
    "quote_engine",
    "six",
    "stdnum",
    "typing_extensions",
    "typing_inspection",
    "tzdata",
    "urllib3",
}


@pytest.fixture(scope="module", autouse=True)
def built(deployed: Deployed) -> None:
    """Deploys the stack, which builds what these tests look at."""


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_layers_hold_what_production_imports_and_nothing_else() -> None:
    entries = {path.name for layer in LAYERS for path in layer.iterdir()}
    packages = {
        name.removesuffix(".py")
        for name in entries
        if not name.endswith(".dist-info") and name != "__pycache__"
    }
    assert packages == SHIPPED


def test_every_shipped_module_is_compiled() -> None:
    for layer in LAYERS:
        for source in layer.rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert compiled.exists(), compiled
            # Flags 0b01: by hash and unchecked, so that no time stamp in a zip makes it stale.
            assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", compiled


def test_the_layer_fits_both_architectures() -> None:
    binaries = {path.name for layer in LAYERS for path in layer.rglob("*.so")}
    assert binaries == {
        "_pydantic_core.cpython-313-aarch64-linux-gnu.so",
        "_pydantic_core.cpython-313-x86_64-linux-gnu.so",
    }


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_with_its_layers_stays_under_30_mb(function: str) -> None:
    assert [path.name for path in _files(BUILD / function)] == ["handler.py"]
    size = sum(path.stat().st_size for layer in LAYERS for path in _files(layer))
    assert size < 30 * MEGABYTE


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_imports_with_nothing_but_its_layers(function: str) -> None:
    """Isolated and without site-packages, so that nothing in the virtual environment can help.

    Without -B the compiled handler would stay in the build, to be found there the next time.
    """
    paths = [str(BUILD / function), *map(str, LAYERS)]
    program = f"import sys; sys.path[:0] = {paths}; import handler; handler.handler"
    subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program],
        env=ENVIRONMENT | {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "ap-southeast-2"},
        check=True,
        timeout=60,
    )


def test_the_layers_know_the_zones_and_the_services(tmp_path: Path) -> None:
    program = f"""
import sys; sys.path[:0] = {[str(layer) for layer in LAYERS]}
import zoneinfo; zoneinfo.reset_tzpath([])
assert zoneinfo.ZoneInfo("Australia/Sydney")
import botocore.session
for service in ("dynamodb", "sqs", "lambda"):
    botocore.session.get_session().create_client(service, "ap-southeast-2")
"""
    subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], cwd=tmp_path, check=True, timeout=60
    )
