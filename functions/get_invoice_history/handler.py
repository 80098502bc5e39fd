"""GET /invoices/{id}/history: who made, issued, paid and voided it, and who tried."""

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import Event, Response, api, not_there, ok, query_parameters
from invoicing.api.paths import invoice_in_path
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice_history import history_json
from invoicing.invoices.lifecycle_table import LifecycleTable

logger = Logger(service="get_invoice_history")


@api(logger, may=lambda caller: caller.is_admin)
def handler(event: Event, _caller: Caller) -> Response:
    """Answers `{"id", "entries": [...]}`, the oldest first."""
    query_parameters(event, frozenset())
    tenant_id, period = invoice_in_path(event)
    table = LifecycleTable(settings().invoices_table)
    revisions = table.revisions(tenant_id, period)
    if not revisions:
        raise not_there("invoice")
    invoice_id = f"{tenant_id}.{period.label}"
    return ok(history_json(invoice_id, revisions, table.history(tenant_id, period)))
