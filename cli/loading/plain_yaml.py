"""YAML in which everything is what a person reads: the reader of all files.

YAML 1.1, which its Python library follows, makes 64 of `0100`, 44,640 of `744:00`, 16 of `0x10`
and false of `NO`. Here an unquoted number is plain digits, every field refuses any other, and
words and days are text.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

# Of 60 digits at most: no field takes as many.
WHOLE = re.compile("0|-?[1-9][0-9]{0,59}")
# All that YAML 1.1 or 1.2, or a person, takes for a number.
NUMBER = re.compile(
    r"""[-+]?(
        [0-9][0-9_]* (:[0-9_]+)* (\.[0-9_]*)? (e[-+]?[0-9]+)?   # 0100, 1_000, 744:00, 12.50, 1e3
        | \.[0-9][0-9_]* (e[-+]?[0-9]+)?                        # .5
        | 0x[0-9a-f_]+ | 0o[0-7_]+ | 0b[01_]+
        | \.inf | \.nan
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
WORD = re.compile(rf"({'|'.join(WORDS)})\Z")
TAG = "tag:yaml.org,2002:"
PLAIN, TEXT, MERGE = "!plain", f"{TAG}str", f"{TAG}merge"
KEPT = (f"{TAG}map", f"{TAG}seq", TEXT, None)
MOST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class NotPlain:
    """An unquoted number that is not plain, as it is written. No field takes it."""

    text: str

    @property
    def fault(self) -> str:
        """What is wrong with it, and what to write instead."""
        text = self.text[:MOST_SHOWN]
        if DECIMAL.fullmatch(text):
            return f'{text} is no whole number: decimals must be in quotes, "{text}"'
        return f'{text} is no plain number such as 100: text must be in quotes, "{text}"'


def whole_number(text: str) -> int | None:
    """Returns the number if it is written plainly: `0`, or digits that begin with 1 to 9.

    A minus may stand before it: a field says itself that it takes none below zero.
    """
    return int(text) if WHOLE.fullmatch(text) else None


class PlainLoader(yaml.SafeLoader):
    """Reads lists, mappings, text, plain numbers and `WORDS`; any other tag is refused."""

    def construct_plain(self, node: Any) -> int | NotPlain | None:
        """Returns the value of an unquoted word or number."""
        text = str(self.construct_scalar(node))
        if text in WORDS:
            return WORDS[text]
        number = whole_number(text)
        return NotPlain(text) if number is None else number

    def flatten_mapping(self, node: Any) -> None:
        """Merges what `<<` names. What looks like a number before a colon is a name, too."""
        super().flatten_mapping(node)
        for key, _ in node.value:
            if key.tag == PLAIN:
                key.tag = TEXT


PlainLoader.yaml_constructors = {tag: yaml.SafeLoader.yaml_constructors[tag] for tag in KEPT}
PlainLoader.yaml_implicit_resolvers = {}
PlainLoader.add_implicit_resolver(PLAIN, WORD, [*"tfn~", ""])
PlainLoader.add_implicit_resolver(PLAIN, NUMBER, [*"-+.0123456789"])
PlainLoader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])
PlainLoader.add_constructor(PLAIN, PlainLoader.construct_plain)
