"""The number on an invoice, which its customer and the ledger know it by."""

from string import ascii_uppercase

from quote_engine import Period


class TooManyRevisions(Exception):
    """Revision letters end at Z; numbers are never reused, so there is no 27th revision."""


def invoice_number(account_number: str, period: Period, revision: int) -> str:
    """`YYMM-<account number>`, then B, C, ... from the second revision on; at most 13 characters.

    Deterministic, so that no counter is shared and no number is used twice.
    Raises TooManyRevisions after Z.
    """
    if revision > len(ascii_uppercase):
        raise TooManyRevisions(f"account {account_number}, {period.label}: revision {revision}")
    letter = ascii_uppercase[revision - 1] if revision > 1 else ""
    return f"{period.start:%y%m}-{account_number}{letter}"
