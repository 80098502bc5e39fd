"""A tenant's fields: what can be stored, and by which name anything else is refused."""

from typing import Any

import pytest

from invoicing.accounts.account import (
    Address,
    InvalidAccount,
    Tenant,
    read_tenant,
    stored_tenant_json,
)
from invoicing.accounts.form_fields import InvalidForm, read_form
from invoicing.accounts.tenant_form import TenantForm, countries
from tests.account_bodies import WATTLE


def tenant(**changes: Any) -> Tenant:
    """Reads the tenant of the usual body with these changes; `...` removes a field."""
    body = {name: value for name, value in (WATTLE | changes).items() if value is not ...}
    return read_form(TenantForm, body, {"tenant_id": "wattle"}).tenant("wattle")


def refused(**changes: Any) -> list[str]:
    """Returns the fields that are refused."""
    try:
        tenant(**changes)
    except InvalidForm as invalid:
        return list(invalid.reasons)
    except InvalidAccount as invalid:
        return [str(invalid).partition(": ")[0]]
    return []


BAD: dict[str, list[Any]] = {
    "name": [None, "", " ", "a\nb", "\x00", "\ud800", "x" * 201, 5, ...],
    "account_number": [None, "", "12345678", "12a", 2001, "\u0662", "1\n", ...],
    "tax": [None, "", "GST", "exempt", ...],
    "tax_reason": [None, "x" * 201, "a\x07", 1],
    "abn": [
        "51 824 753 557",
        "5182475355",
        "518247535560",
        "51-824-753-556x",
        "",
        "x" * 41,
        51824753556,
        "\ud800",
        "\u20751824753556",
    ],
    "billing_email": [
        "",
        "accounts",
        "accounts@",
        "@wattle.example",
        "accounts@wattle",
        "a b@wattle.example",
        "a@b@wattle.example",
        "a@wattle.example, b@wattle.example",
        "a@wattle.example\nBcc: b@wattle.example",
        "A <a@wattle.example>",
        "a@-wattle.example",
        "a@wattle..example",
        "é@wattle.example",
        "x" * 65 + "@wattle.example",
        "a@" + "x" * 64 + ".example",
        "a@" + "x.y" * 90 + ".example",
        5,
    ],
    "address": [[], "12 Foundry Lane", {}],
    "tenant_id": ["other", None, 5],
    "colour": ["red"],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
def test_a_faulty_field_is_named(field: str, value: Any) -> None:
    assert {name.partition(".")[0] for name in refused(**{field: value})} == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines", []),
        ("lines", ["a"] * 5),
        ("lines.0", ["", "b"]),
        ("lines.1", ["a", "x" * 201]),
        ("locality", ""),
        ("locality", ...),
        ("country", "Australia"),
        ("country", "au"),
        ("country", "UK"),
        ("country", "XX"),
        ("country", ...),
        ("postcode", 6160),
        ("state", "a\tb"),
        ("planet", "Earth"),
    ],
)
def test_a_faulty_part_of_an_address_is_named(field: str, value: Any) -> None:
    name = field.partition(".")[0]
    address = {key: part for key, part in WATTLE["address"].items() if key != name}
    address |= {} if value is ... else {name: value}
    assert refused(address=address) == [f"address.{field}"]


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_what_is_no_object_is_no_form(body: Any) -> None:
    with pytest.raises(InvalidForm, match="body: must be an object"):
        read_form(TenantForm, body, {})


@pytest.mark.parametrize(
    "email",
    [
        "accounts@wattle.example",
        "first.last+invoices@mail.wattle.example",
        "o'brien_&_co@wattle.com.au",
        "a@xn--bcher-kva.example",
        "x" * 64 + "@wattle.example",
    ],
)
def test_usual_addresses_are_taken(email: str) -> None:
    assert tenant(billing_email=email).billing_email == email


LABEL = "x" * 63
# 64 characters, an @, and 189.
LONGEST_EMAIL = f"{'x' * 64}@{LABEL}.{LABEL}.{'x' * 61}"


@pytest.mark.parametrize(
    ("field", "most", "beyond"),
    [
        ("name", "x" * 200, "x" * 201),
        ("account_number", "1" * 7, "1" * 8),
        ("tax_reason", "x" * 200, "x" * 201),
        ("abn", "51 824 753 556" + " " * 26, "51 824 753 556" + " " * 27),
        ("billing_email", "x" * 64 + "@a.example", "x" * 65 + "@a.example"),
        ("billing_email", LONGEST_EMAIL, f"{LONGEST_EMAIL}x"),
        ("billing_email", f"a@{LABEL}.example", f"a@{LABEL}x.example"),
        ("billing_email", f"a@b.{LABEL}", f"a@b.{LABEL}x"),
        ("billing_email", "a@b.co", "a@b.c"),
    ],
)
def test_a_field_takes_what_its_bound_says_and_no_more(field: str, most: str, beyond: str) -> None:
    assert refused(**{field: most}) == []
    assert refused(**{field: beyond}) == [field]


def test_an_address_has_up_to_four_lines_of_200_characters() -> None:
    lines = ["x" * 200] * 4
    assert refused(address=WATTLE["address"] | {"lines": lines}) == []


def test_a_tenants_id_has_up_to_40_characters() -> None:
    def with_id(tenant_id: str) -> Tenant:
        return Tenant(tenant_id, "Wattle", "2001", "gst")

    assert with_id("x" * 40).tenant_id == "x" * 40
    with pytest.raises(InvalidAccount, match=r"^tenant_id: "):
        with_id("x" * 41)


# The first is the tax office's own; python-stdnum also takes full-width digits.
@pytest.mark.parametrize(
    ("abn", "stored"),
    [
        ("51 824 753 556", "51824753556"),
        ("83914571673", "83914571673"),
        ("\uff18\uff13 914 571 673", "83914571673"),
    ],
)
def test_an_abn_is_stored_as_its_eleven_digits(abn: str, stored: str) -> None:
    assert tenant(abn=abn).abn == stored


def test_countries_are_those_of_iso_3166() -> None:
    assert {"AU", "NZ", "GB", "JP", "CI", "SX"} <= countries()
    assert countries().isdisjoint({"UK", "XX", "EU", "au"})
    assert len(countries()) == 249


def test_gst_free_needs_a_reason_and_no_abn_is_needed() -> None:
    assert refused(tax="gst_free", tax_reason="") == ["tax_reason"]
    abroad = tenant(tax="gst_free", tax_reason="Export", abn=..., address=..., billing_email=None)
    assert abroad == Tenant("wattle", "Wattle Tools Pty Ltd", "2001", "gst_free", "Export")


def test_what_is_stored_is_read_again_and_holds_nothing_empty() -> None:
    whole = tenant()
    assert whole.address == Address(("12 Foundry Lane",), "Fremantle", "AU", "WA", "6160")
    assert read_tenant("wattle", stored_tenant_json(whole)) == whole
    bare = Tenant("old", "Old", "9", "gst")
    assert stored_tenant_json(bare) == {
        "name": "Old",
        "account_number": "9",
        "tax": "gst",
        "tax_reason": "",
    }
    assert read_tenant("old", stored_tenant_json(bare)) == bare
