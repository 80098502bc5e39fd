"""A rate model stands in every place that has to know of it: CONTRIBUTING lists them by step."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import quote_engine
from cli.loading.yaml_lines import read_yaml
from local.sample_month import FOLDER
from quote_engine import InvalidRequest, Rate, parse_plan, plan_json, rates
from quote_engine.rates.metered import MeteredRate
from quote_engine.rates.rate_models import RATE_MODELS, READERS, rate_json
from tests.openapi import openapi
from tests.unit.quote_engine.strategies import MODELS
from tests.unit.quote_engine.support import ROOT
from tests.unit.quote_engine.test_json import EVERY_MODEL, EVERY_MODEL_BOUNDED

NAMES = {model.model for model in RATE_MODELS}
SAMPLES = (*EVERY_MODEL.rates, *EVERY_MODEL_BOUNDED.rates)
PAGE = (ROOT / "docs" / "money-rules.md").read_text("utf-8")


def step(number: int) -> str:
    """Where a newcomer reads on."""
    return f"CONTRIBUTING.md, 'A new rate model', step {number}"


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


def _id(rate: Rate) -> str:
    return rate.model


@pytest.mark.parametrize("model", RATE_MODELS, ids=lambda model: model.__name__)
def test_every_model_is_made_of_slots_and_named_once(model: type[Rate]) -> None:
    assert "__slots__" in vars(model), step(1)
    alike = [other.__name__ for other in RATE_MODELS if other.model == model.model]
    assert alike == [model.__name__], step(1)


@pytest.mark.parametrize("rate", EVERY_MODEL.rates, ids=_id)
def test_every_model_refuses_a_faulty_field_by_its_name(rate: Rate) -> None:
    given = [field.name for field in fields(rate) if field.init]
    unchecked = [name for name in given if not _refused(rate, name)]
    assert not unchecked, f"{step(1)}: the constructor checks every field"


def _refused(rate: Rate, name: str) -> bool:
    values: Any = {name: object()}
    try:
        replace(rate, **values)
    except InvalidRequest as error:
        return any(fault.startswith(f"{name}: ") for fault in error.faults)
    return False


def test_every_model_that_is_defined_is_in_the_union_of_rates() -> None:
    assert set(RATE_MODELS) == defined_models(), step(2)


def test_every_model_is_read_from_json_by_its_name() -> None:
    assert READERS.keys() == NAMES, step(2)


def test_every_model_is_exported_by_the_engine() -> None:
    assert {model.__name__ for model in RATE_MODELS} <= set(quote_engine.__all__), step(3)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_model_has_a_table_of_worked_figures(name: str) -> None:
    # Not the page itself: pytest would print it.
    has_table = f"<!-- table: {name} -->" in PAGE
    assert has_table, step(4)


def test_every_table_of_the_money_rules_is_read_by_a_test() -> None:
    on_page = set(re.findall(r"<!-- table: ([a-z_]+) -->", PAGE))
    texts = [test.read_text() for test in Path(__file__).parent.glob("test_*.py")]
    read = {name for text in texts for name in re.findall(r'table\("([a-z_]+)"\)', text)}
    assert on_page == read, step(5)


def test_every_model_is_read_back_from_its_json() -> None:
    assert {type(rate) for rate in EVERY_MODEL.rates} == set(RATE_MODELS), step(6)
    assert {type(rate) for rate in EVERY_MODEL_BOUNDED.rates} == set(RATE_MODELS), step(6)


def test_every_model_is_held_against_the_second_engine() -> None:
    assert set(MODELS) == set(RATE_MODELS), step(7)


def test_every_model_is_a_choice_of_the_http_api() -> None:
    schemas = openapi()["components"]["schemas"]
    names = [choice["$ref"].rpartition("/")[2] for choice in schemas["Rate"]["oneOf"]]
    assert {schemas[name]["properties"]["model"]["const"] for name in names} == NAMES, step(9)


@pytest.mark.parametrize("rate", SAMPLES, ids=_id)
def test_every_models_json_is_what_the_http_api_takes(rate: Rate) -> None:
    assert not _schema_faults(rate_json(rate)), step(9)


@pytest.mark.parametrize("rate", SAMPLES, ids=_id)
def test_the_http_api_and_the_engine_agree_on_what_may_be_left_out(rate: Rate) -> None:
    whole = rate_json(rate)
    for left_out in whole:
        part = {name: value for name, value in whole.items() if name != left_out}
        assert bool(_schema_faults(part)) is bool(_engine_faults(part)), f"{step(9)}: {left_out}"


def _schema_faults(rate: Mapping[str, object]) -> list[str]:
    schema = {"$ref": "#/components/schemas/Rate", "components": openapi()["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(rate)]


def _engine_faults(rate: Mapping[str, object]) -> tuple[str, ...]:
    try:
        parse_plan(plan_json(EVERY_MODEL) | {"rates": [rate]})
    except InvalidRequest as error:
        return error.faults
    return ()


def test_every_model_is_used_by_the_sample_catalogue() -> None:
    catalogue = read_yaml(FOLDER / "catalogue.yaml").fields
    used = {rate["model"] for plan in catalogue["plans"] for rate in plan["rates"]}
    assert used == NAMES, step(10)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_model_is_a_word_of_the_glossary(name: str) -> None:
    has_word = f"`{name}`" in (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert has_word, step(10)
