"""A catalogue that cannot price is refused as a whole, with every place named."""

from decimal import Decimal

import pytest

from cli.loading.catalogue_file import CatalogueRefused, read_catalogue
from cli.loading.yaml_lines import read_yaml
from cli.terminal.errors import BadInput
from tests.unit.cli.conftest import Write

GOOD = """\
version: 3
plans:
  - code: studio
    name: Studio
    price: "50.00"
    proration: daily
    rates:
      - resource_kind: hours
        unit: hour
        model: graduated
        tiers:
          - {up_to: "10", unit_price: "1"}
          - {up_to: null, unit_price: "0.5"}
addons:
  - {code: storage, price: "7.50"}
"""


def refusals(write: Write, *texts: str) -> list[tuple[str, str]]:
    files = [write(f"{n}.yaml", text) for n, text in enumerate(texts, start=1)]
    with pytest.raises(CatalogueRefused) as refused:
        read_catalogue([read_yaml(file) for file in files])
    return [(fault.place, fault.reason) for fault in refused.value.faults]


def test_plans_and_addons_are_read_with_their_version_and_place(write: Write) -> None:
    catalogue = read_catalogue([read_yaml(write("sold.yaml", GOOD))])
    [plan], [addon] = catalogue.plans, catalogue.addons
    assert (plan.place, plan.version, plan.item.code) == ("sold.yaml:3", 3, "studio")
    assert plan.item.price == Decimal("50.00")
    assert (addon.place, addon.item.code, addon.item.price) == (
        "sold.yaml:15",
        "storage",
        Decimal("7.50"),
    )


@pytest.mark.parametrize(
    ("good", "bad", "place", "reason"),
    [
        ('price: "50.00"', "price: 50.5", "1.yaml:5", "plans[0].price: 50.5 is no whole"),
        ('price: "50.00"', 'price: "-1"', "1.yaml:5", "plans[0].price: must not be negative"),
        ("daily\n", "daily\n    colour: red\n", "1.yaml:7", "plans[0].colour: unknown field"),
        ('up_to: null, unit_price: "0.5"', 'up_to: "20", unit_price: "0.5"', "1.yaml:11", "tiers"),
        ('up_to: null, unit_price: "0.5"', 'up_to: "5", unit_price: "0.5"', "1.yaml:11", "tiers"),
        ('unit_price: "0.5"', "unit_price: 0.5", "1.yaml:13", "tiers[1].unit_price: "),
        ('price: "7.50"', 'price: "7.50", quantity: 2', "1.yaml:15", "addons[0].quantity: "),
        ("code: storage", "code: a b", "1.yaml:15", "addons[0].code: must match"),
        ("code: studio", "code: a/b", "1.yaml:3", "plans[0].code: must match"),
        ("version: 3", "version: '3'", "1.yaml:1", "version: must be a whole number"),
        ("version: 3", "version: 3\ncolour: red", "1.yaml:2", "colour: unknown field"),
        ("addons:\n  -", "addons: {a: b}\n#", "1.yaml:14", "addons: must be a list"),
    ],
)
def test_what_cannot_price_is_named_with_its_line(
    write: Write, good: str, bad: str, place: str, reason: str
) -> None:
    assert good in GOOD
    [(named_place, fault)] = refusals(write, GOOD.replace(good, bad))
    assert named_place == place
    head, _, tail = reason.partition(".*")
    assert head in fault
    assert tail in fault


def test_all_faults_of_all_files_are_told_at_once(write: Write) -> None:
    bad = GOOD.replace('"50.00"', "50.5").replace('"7.50"', '"-7.50"')
    assert [place for place, _ in refusals(write, bad, bad)] == [
        "1.yaml:5",
        "1.yaml:15",
        "2.yaml:5",
        "2.yaml:15",
    ]


def test_the_same_version_of_a_plan_stands_once(write: Write) -> None:
    faults = refusals(write, GOOD, GOOD)
    assert ("2.yaml:3", "plan studio version 3 stands twice, first at 1.yaml:3") in faults
    assert ("2.yaml:15", "add-on storage version 3 stands twice, first at 1.yaml:15") in faults


def test_two_versions_stand_side_by_side(write: Write) -> None:
    files = [write("a.yaml", GOOD), write("b.yaml", GOOD.replace("version: 3", "version: 4"))]
    catalogue = read_catalogue([read_yaml(file) for file in files])
    assert [plan.version for plan in catalogue.plans] == [3, 4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\nversion: 2\n", "bad.yaml:2: field 'version' is given twice"),
        ("plans: [\n", "bad.yaml:2: not YAML: "),
        ("- a\n", "bad.yaml: must hold fields"),
        ("", "bad.yaml: must hold fields"),
        ("version: 1\n---\nversion: 2\n", "bad.yaml:2: not YAML: but found another document"),
        ("a: !!python/object:os.system {}\n", "bad.yaml:1: not YAML: could not determine"),
        ('a: "\\UFFFFFFFF"\n', "bad.yaml: not YAML: chr()"),
        ("a: " + "[" * 5000, "bad.yaml: nested too deeply"),
    ],
)
def test_what_is_no_document_is_bad_input(write: Write, text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_yaml(write("bad.yaml", text))
    assert says in str(refused.value)


def test_an_alias_that_holds_itself_is_refused_like_any_other_fault(write: Write) -> None:
    [(place, reason)] = refusals(write, "version: 1\nplans: &all\n  - *all\n")
    assert place.startswith("1.yaml:")
    assert "must be an object" in reason
