"""Marks months whose usage was corrected, so that the next month-end reads them again."""

from typing import Any

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.settings import Settings
from invoicing.invoices.keys import corrected_key
from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.corrections import Corrections
from invoicing.usage.corrections_table import CorrectionsTable


class CorrectedMonths:
    """Marks months in the invoices table; `BillingHistoryTable` reads the marks."""

    def __init__(self, table_name: str) -> None:
        self._name = table_name

    def mark(self, day: CorrectedDay) -> dict[str, Any]:
        """Returns the action that marks a day's month, for the transaction that corrects the day.

        An update of one attribute: a role that may do no more can harm no invoice.
        """
        key = {"tenant_id": day.of.tenant_id, "period_start": corrected_key(day.of.month)}
        return {
            "Update": {
                "TableName": self._name,
                "Key": {name: {"S": text} for name, text in key.items()},
                "UpdateExpression": "SET corrected_at = :at",
                "ExpressionAttributeValues": {":at": {"S": day.at}},
            }
        }


def corrections_over(settings: Settings) -> Corrections:
    """Returns corrections over the deployed tables."""
    return Corrections(
        accounts=AccountsTable(settings.accounts_table),
        table=CorrectionsTable(settings.usage_table),
        mark=CorrectedMonths(settings.invoices_table).mark,
        zone=settings.zone,
    )
