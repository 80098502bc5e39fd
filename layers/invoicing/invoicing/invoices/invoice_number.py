"""The number on an invoice, which its customer and the ledger know it by.

A month's first document has no letter, which counts as A. A later one has the letter after the
highest that an issued document of the month bears. A draft that was never issued uses up none.
"""

from string import ascii_uppercase

from quote_engine import Period


def invoice_number(account_number: str, period: Period, letters_used: int) -> str:
    """`YYMM-<account number>`, then the letter after those used, if any; at most 13 characters.

    Deterministic, so that no counter is shared. Nothing follows Z: see `has_last_letter`.
    """
    letter = ascii_uppercase[letters_used] if letters_used else ""
    return f"{period.start:%y%m}-{account_number}{letter}"


def letters_up_to(number: str) -> int:
    """How many letters are used up when this number is issued: 1 without a letter, 2 for B."""
    return max(1, ascii_uppercase.find(number[-1]) + 1)


def has_last_letter(number: str) -> bool:
    """Whether the number ends in Z, after which its month has no more."""
    return letters_up_to(number) == len(ascii_uppercase)
