"""Tenants and subscriptions from CSV as spreadsheets write it; what is none is told why."""

from pathlib import Path

import pytest

from cli.loading.inputs import read_load
from cli.terminal.errors import BadInput
from tests.unit.cli.conftest import Write

TENANTS = "tenant_id,name,account_number,tax\nacme,Acme,0100,gst\n"
USAGE = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"


def read(file: Path) -> list[str]:
    customers = read_load([file]).customers
    return [entry.place for entry in customers.tenants] + [
        f"{row.place} {row.reason}" for row in customers.refused
    ]


def test_what_spreadsheets_leave_behind_is_read(write: Write) -> None:
    text = (
        "\ufeff\r\n" + TENANTS.replace("\n", ",,\r\n") + ",,,,,\r\n" + "kauri,Kauri,0101,gst\r\n"
    )
    assert read(write("t.csv", text)) == ["t.csv:3", "t.csv:5"]


def test_a_row_with_more_fields_is_refused_by_its_line(write: Write) -> None:
    text = f"{TENANTS}\nkauri,Kauri,0101,gst,more\nrimu,Rimu,0102\n"
    assert read(write("t.csv", text)) == [
        "t.csv:2",
        "t.csv:4 row: 5 fields instead of 4",
        "t.csv:5 row: 3 fields instead of 4",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TENANTS.replace(",", ";"), "t.csv:1: the columns are separated by semicolons, not by"),
        (TENANTS.replace(",", "\t"), "t.csv:1: the columns are separated by tabs, not by commas"),
        (TENANTS.encode("utf-16"), "t.csv: UTF-16 text; save it as UTF-8"),
        (TENANTS.encode("utf-16-le"), "t.csv: UTF-16 text; save it as UTF-8"),
        (TENANTS.encode() + b"caf\xe9,Caf\xe9,0101,gst\n", "t.csv:3: not UTF-8 text"),
        (TENANTS + 'rimu,"Rimu,0102,gst\nrata,Rata,0103,gst\n', "t.csv:3: not CSV: unexpected"),
        (
            TENANTS.replace("name", "company").replace("tax", "vat"),
            "t.csv:1: the columns must be tenant_id,name,account_number,tax,[tax_reason],[abn],"
            "[billing_email] (unknown: company, vat; missing: name, tax)",
        ),
        (TENANTS.replace("name", "tax"), "t.csv:1: a column is named twice: tax"),
        ("a,b\n", "t.csv:1: the columns must be tenant_id,name,account_number,tax,"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str | bytes, says: str) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadInput) as refused:
        read(file)
    assert says in str(refused.value)


def test_yaml_in_other_encodings_says_so_too(tmp_path: Path) -> None:
    for data, says in (
        ("tenants: []\n".encode("utf-16"), "t.yaml: UTF-16 text; save it as UTF-8"),
        (b"tenants:\n  - tenant_id: caf\xe9\n", "t.yaml:2: not UTF-8 text"),
    ):
        file = tmp_path / "t.yaml"
        file.write_bytes(data)
        with pytest.raises(BadInput) as refused:
            read(file)
        assert str(refused.value).endswith(says)


def test_the_usage_of_a_folder_is_told_by_its_first_line_alone(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TENANTS)
    # Were it read on, it would be refused.
    (tmp_path / "usage.csv").write_bytes(USAGE.encode() + b"\n" * 10**5 + b"caf\xe9\n")
    assert len(read_load([tmp_path]).customers.tenants) == 1
