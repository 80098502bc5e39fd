"""YAML numbers are what a person reads: plain digits are numbers, and no field takes another."""

import re
from itertools import product
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from cli.loading.catalogue_file import CatalogueRefused
from cli.loading.inputs import read_load
from cli.loading.plain_yaml import NotPlain
from cli.loading.yaml_lines import read_yaml
from cli.terminal.errors import BadInput
from tests.unit.cli.conftest import Write

# How an unquoted number may not be written, and what YAML 1.1 makes of it (None: text).
NOT_PLAIN: dict[str, object] = {
    "0100": 64,
    "010": 8,
    "007": 7,
    "00": 0,
    "0417": 271,
    "0800": None,
    "1_000": 1000,
    "5_": 5,
    "744:00": 44640,
    "1:30": 90,
    "09:30": None,
    "1:30.5": 90.5,
    "0x10": 16,
    "0b11": 3,
    "0o17": None,
    "+5": 5,
    "-0": 0,
    "-007": -7,
    "12.50": 12.5,
    "-12.5": -12.5,
    "12.": 12.0,
    ".5": 0.5,
    "1e3": None,
    "1.5e3": None,
    "1.5e+3": 1500.0,
    ".inf": float("inf"),
    "-.INF": float("-inf"),
    ".nan": ...,
    "9" * 61: int("9" * 61),
}
VALUES: dict[str, object] = {
    "0": 0,
    "100": 100,
    "-5": -5,
    '"0100"': "0100",
    "'12.50'": "12.50",
    "!!str 0417": "0417",
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
    "NO": "NO",
    "no": "no",
    "yes": "yes",
    "off": "off",
    "On": "On",
    "True": "True",
    "Null": "Null",
    "=": "=",
    "2026-04-16": "2026-04-16",
    "2026-04-16 10:00:00": "2026-04-16 10:00:00",
    "2026-02-30": "2026-02-30",
    "51 824 753 556": "51 824 753 556",
    "12 Foundry Lane": "12 Foundry Lane",
    "1,000": "1,000",
    "1.2.3": "1.2.3",
    "4x4": "4x4",
    "50gb": "50gb",
    "-": [None],
    ".": ".",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_value_is_what_a_person_reads(write: Write, text: str, value: object) -> None:
    read = read_yaml(write("a.yaml", f"a: {text}\n" if text != "-" else "a:\n  -\n")).fields["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(("text", "misread"), NOT_PLAIN.items())
def test_a_number_that_is_not_plain_is_no_value(write: Write, text: str, misread: object) -> None:
    old = yaml.safe_load(text)
    assert misread is ... or old == (text if misread is None else misread)
    assert read_yaml(write("a.yaml", f"a: {text}\n")).fields["a"] == NotPlain(text)


def test_whatever_yaml_takes_for_a_number_is_plain_or_refused(write: Write) -> None:
    """All texts of up to four of these characters, read as YAML 1.1 reads them, and as we do."""
    texts = ["".join(word) for n in range(1, 5) for word in product("018+-._:xbe", repeat=n)]
    lines = [f"k{n}: {text}" for n, text in enumerate(texts) if ": " not in f"{text} "]
    lines = [line for line in lines if not re.match(r"k\d+: -+$", line)]
    numbers, yaml_1_1 = 0, cast(Any, yaml.SafeLoader(""))
    ours = read_yaml(write("a.yaml", "\n".join(lines))).fields
    for line in lines:
        key, text = line.split(": ", 1)
        resolved = yaml_1_1.resolve(yaml.ScalarNode, text, (True, False))
        if resolved.endswith((":int", ":float")):
            numbers += 1
            plain = re.fullmatch("0|-?[1-9][0-9]*", text)
            assert ours[key] == (int(text) if plain else NotPlain(text)), text
        else:
            assert ours[key] in (text, NotPlain(text))
    assert numbers > 500


CATALOGUE = """\
version: 1
plans:
  - code: studio
    name: Studio
    price: 50
    proration: daily
    rates:
      - resource_kind: hours
        unit: hour
        model: graduated
        included: 10
        minimum: 1
        maximum: 99
        pool: tenant
        convert:
          divide_by: 60
          rounding: ceiling
        flat_fee_at_zero: true
        tiers:
          - up_to: 10
            unit_price: 1
            flat_fee: 2
          - up_to: null
            unit_price: 1
      - resource_kind: emails
        unit: email
        model: package
        package_size: 1000
        package_price: 1
addons:
  - code: storage
    name: Storage
    price: 7
"""
TENANTS = """\
catalogue_version: 1
tenants:
  - tenant_id: acme
    name: Acme
    account_number: "0100"
    tax: gst_free
    tax_reason: Export
    abn: 51 824 753 556
    billing_email: accounts@acme.example
    login: true
    address:
      lines:
        - 1 Karl Johans gate
      locality: Oslo
      state: Oslo
      postcode: "0154"
      country: NO
    subscriptions:
      - deployment_id: web
        plan: studio
        starts_on: 2026-01-01
        ends_on: 2026-12-31
        catalogue_version: 1
        minimum_commitment: 100
        addons:
          storage: 2
        discounts:
          - percent: 10
          - amount: 5
"""
FIELD = re.compile(r"^( *(?:- )?(?:\w+: )?)(\S.*)$")
FIELDS = [
    (text, number)
    for text in (CATALOGUE, TENANTS)
    for number, line in enumerate(text.splitlines())
    if not line.endswith(":")
]


def refusals(file: Path) -> list[tuple[str, str]]:
    """The place and the reason of all that a load of the file refuses."""
    try:
        refused = read_load([file]).customers.refused
    except CatalogueRefused as error:
        return [(fault.place, fault.reason) for fault in error.faults]
    return [(row.place, row.reason) for row in refused]


@pytest.mark.parametrize("text", [CATALOGUE, TENANTS])
def test_plain_numbers_need_no_quotes(write: Write, text: str) -> None:
    assert refusals(write("a.yaml", text)) == []


def test_norway_is_no_negation(write: Write) -> None:
    load = read_load([write("a.yaml", TENANTS)])
    address = load.customers.tenants[0].item.address
    assert address is not None
    assert (address.country, address.postcode) == ("NO", "0154")


ADVICE = {
    number: f'{number} is no plain number such as 100: text must be in quotes, "{number}"'
    for number in ("0100", "1_0", "1:30", "0x10", "1e2", "01.5", ".inf")
} | {"2.50": '2.50 is no whole number: decimals must be in quotes, "2.50"'}


@pytest.mark.parametrize("number", ADVICE)
@pytest.mark.parametrize(("text", "n"), FIELDS)
def test_every_field_refuses_a_number_that_is_not_plain_at_its_line(
    write: Write, text: str, n: int, number: str
) -> None:
    lines = text.splitlines()
    lines[n] = re.sub(FIELD, rf"\g<1>{number}", lines[n])
    told = dict(refusals(write("a.yaml", "\n".join(lines))))
    assert ADVICE[number] in told[f"a.yaml:{n + 1}"]


def test_all_of_them_are_told_at_once_with_their_fields(write: Write) -> None:
    text = CATALOGUE.replace("50\n", "0100\n").replace("included: 10", "included: 2.50")
    assert refusals(write("a.yaml", text)) == [
        ("a.yaml:5", f"plans[0].price: {ADVICE['0100']}"),
        ("a.yaml:11", f"plans[0].rates[0].included: {ADVICE['2.50']}"),
    ]


@pytest.mark.parametrize(
    ("good", "bad", "place", "reason"),
    [
        ("price: 50", "price: -5", "a.yaml:5", "plans[0].price: must not be negative"),
        ("version: 1\np", "version: -1\np", "a.yaml:1", "version: must be a whole number from 1"),
        ('"0100"', "417", "a.yaml:5", "account_number: must be a string, in quotes"),
        (
            '"0154"',
            "7000",
            "a.yaml:16",
            "address.postcode: must be a string, in quotes",
        ),
        (
            "_commitment: 100",
            "_commitment: -1",
            "a.yaml:24",
            "minimum_commitment: must be a plain",
        ),
        ("storage: 2", "storage: -2", "a.yaml:26", "addons.storage: Input should be greater"),
        ("login: true", "login: 2", "a.yaml:10", "login: Input should be a valid boolean"),
        ("2026-12-31", "2026-02-30", "a.yaml:22", "ends_on: Input should be a valid date"),
        ("2026-12-31", "NULL", "a.yaml:22", "ends_on: must be a day such as 2026-04-01"),
        ("zero: true", "zero: yes", "a.yaml:18", "plans[0].rates[0].flat_fee_at_zero: must be tr"),
        (
            "catalogue_version: 1\nt",
            "catalogue_version: '1'\nt",
            "a.yaml:1",
            "catalogue_version: ",
        ),
        (
            "catalogue_version: 1\nt",
            "catalogue_version: true\nt",
            "a.yaml:1",
            "catalogue_version:",
        ),
        (
            "catalogue_version: 1\nt",
            "catalogue_version: 0\nt",
            "a.yaml:1",
            "catalogue_version: mu",
        ),
    ],
)
def test_what_is_no_value_of_a_field_is_refused_by_the_field(
    write: Write, good: str, bad: str, place: str, reason: str
) -> None:
    [text] = [text for text in (CATALOGUE, TENANTS) if good in text]
    [told] = refusals(write("a.yaml", text.replace(good, bad, 1)))
    assert told[0] == place
    assert told[1].startswith(reason)


def test_a_name_may_look_like_a_number(write: Write) -> None:
    """It cannot be misread, and so a thousand written as 1,000 leaves a field called 000."""
    merged = "a: &a {2024: 1}\nb: {<<: *a, 0100: 2, NO: 3, 1,000: ~}\n"
    fields: dict[str, Any] = dict(read_yaml(write("a.yaml", merged)).fields)
    assert fields["b"] == {"2024": 1, "0100": 2, "NO": 3, "1": None, "000": None}
    again = write("b.yaml", "a: {1: 1}\nb: {1: 1, '1': 2}\n")
    with pytest.raises(BadInput, match=r"b\.yaml:2: field '1' is given twice"):
        read_yaml(again)


@pytest.mark.parametrize(
    "value",
    ['!!int "0100"', "!!float 1", "!!bool no", "!!null 5", "!!timestamp 2026-01-01", "!!set {1}"],
)
def test_a_tag_does_not_bring_the_old_reading_back(write: Write, value: str) -> None:
    with pytest.raises(BadInput, match=r"a\.yaml:1: not YAML: could not determine a constructor"):
        read_yaml(write("a.yaml", f"a: {value}\n"))


@pytest.mark.parametrize(
    ("addons", "version", "reason"),
    [
        ("storage:2", "1", None),
        ("storage:02", "1", "addons: "),
        ("storage:1_0", "1", "addons: "),
        ("storage:٢", "1", "addons: "),
        (f"storage:{'9' * 5000}", "1", "addons: "),
        ("storage:2", "01", "catalogue_version: "),
        ("storage:2", "0x1", "catalogue_version: "),
        ("storage:2", "1.0", "catalogue_version: "),
    ],
)
def test_csv_has_the_same_whole_numbers(
    write: Write, addons: str, version: str, reason: str | None
) -> None:
    names = "tenant_id,deployment_id,plan,starts_on,addons,catalogue_version\n"
    told = refusals(write("s.csv", f"{names}acme,web,studio,2026-01-01,{addons},{version}\n"))
    assert [(place, text[: len(reason or "")]) for place, text in told] == (
        [("s.csv:2", reason)] if reason else []
    )
