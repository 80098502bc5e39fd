"""A rate model stands in every place that has to know of it: CONTRIBUTING lists them."""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import quote_engine
from local.sample_month import FOLDER
from quote_engine import rates
from quote_engine.rates.metered import MeteredRate
from quote_engine.rates.rate_models import RATE_MODELS, READERS
from tests.openapi import openapi
from tests.unit.quote_engine.support import ROOT
from tests.unit.quote_engine.test_json import EVERY_MODEL
from tests.unit.quote_engine.test_properties import MODELS

NAMES = {model.model for model in RATE_MODELS}
PAGE = (ROOT / "docs" / "money-rules.md").read_text("utf-8")


def defined_models() -> set[type[MeteredRate]]:
    """Every class in rates/ that has a model's name of its own."""
    modules = [
        importlib.import_module(f"quote_engine.rates.{module.name}")
        for module in pkgutil.iter_modules(rates.__path__)
    ]
    return {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, MeteredRate) and "model" in vars(value)
    }


def test_every_model_that_is_defined_is_in_the_union_of_rates() -> None:
    assert set(RATE_MODELS) == defined_models()
    assert len(NAMES) == len(RATE_MODELS)


def test_every_model_is_read_from_json_by_its_name() -> None:
    assert READERS.keys() == NAMES


def test_every_model_is_exported_by_the_engine() -> None:
    assert {model.__name__ for model in RATE_MODELS} <= set(quote_engine.__all__)


def test_every_model_is_read_back_by_a_test_and_held_against_the_second_engine() -> None:
    assert {type(rate) for rate in EVERY_MODEL.rates} == set(RATE_MODELS)
    assert set(MODELS) == set(RATE_MODELS)


def test_every_model_is_a_choice_of_the_http_api() -> None:
    schemas = openapi()["components"]["schemas"]
    names = [choice["$ref"].rpartition("/")[2] for choice in schemas["Rate"]["oneOf"]]
    assert {schemas[name]["properties"]["model"]["const"] for name in names} == NAMES


def test_every_model_is_used_by_the_sample_catalogue() -> None:
    catalogue: Any = yaml.safe_load((FOLDER / "catalogue.yaml").read_text("utf-8"))
    used = {rate["model"] for plan in catalogue["plans"] for rate in plan["rates"]}
    assert used == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_model_has_a_table_of_worked_figures(name: str) -> None:
    assert f"<!-- table: {name} -->" in PAGE


def test_every_table_of_the_money_rules_is_read_by_a_test() -> None:
    on_page = set(re.findall(r"<!-- table: ([a-z_]+) -->", PAGE))
    tests = Path(__file__).parent.glob("test_*.py")
    read = {
        name for test in tests for name in re.findall(r'table\("([a-z_]+)"\)', test.read_text())
    }
    assert on_page == read
