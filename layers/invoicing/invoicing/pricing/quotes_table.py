"""Quotes as they were given, in the accounts table under `quote#<id>` / `quote`."""

import json

from invoicing.accounts.account_item import AccountItem
from invoicing.foundation.dynamodb import bound
from invoicing.pricing.quotes import StoredQuote

QUOTE = "quote"


class QuoteNotFound(Exception):
    """There is no such quote."""


class QuotesTable:
    """Quotes, each written once and read by its id."""

    def __init__(self, table_name: str) -> None:
        self._items = bound(AccountItem, table_name)

    def put(self, quote: StoredQuote) -> None:
        """Stores a quote under its own fresh id."""
        stored = {
            "tenant_id": quote.tenant_id,
            "subject": quote.subject,
            "quote": quote.as_json,
        }
        self._items(f"{QUOTE}#{quote.quote_id}", QUOTE, document=json.dumps(stored)).save()

    def get(self, quote_id: str) -> StoredQuote:
        """Returns the quote as it was given; a consistent read. Raises QuoteNotFound."""
        try:
            item = self._items.get(f"{QUOTE}#{quote_id}", QUOTE, consistent_read=True)
        except self._items.DoesNotExist as error:
            raise QuoteNotFound(quote_id) from error
        stored = json.loads(item.document)
        return StoredQuote(quote_id, stored["tenant_id"], stored["subject"], stored["quote"])
