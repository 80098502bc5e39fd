"""YAML files: a field may be given once, and a merged field may be overridden."""

import pytest

from cli.loading.yaml_lines import read_yaml
from cli.terminal.errors import BadInput
from tests.unit.cli.conftest import Write

MERGED = """\
plans:
  - &small {code: small, price: "5.00"}
  - <<: *small
    code: large
"""


def test_a_merged_field_may_be_overridden_and_keeps_its_place(write: Write) -> None:
    file = read_yaml(write("a.yaml", MERGED))
    assert file.fields["plans"][1] == {"code": "large", "price": "5.00"}
    assert file.place(("plans", 1, "code")) == "a.yaml:4"
    assert file.place(("plans", 1, "price")) == "a.yaml:2"


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "a: 1\nb: {c: 1}\n? a\n: 2\n"])
def test_a_field_that_is_given_twice_is_refused_with_its_line(write: Write, text: str) -> None:
    with pytest.raises(BadInput, match=r"a\.yaml:3: field 'a' is given twice"):
        read_yaml(write("a.yaml", text))
