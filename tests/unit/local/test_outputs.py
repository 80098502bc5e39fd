"""`.local/outputs.json` describes a stack: programs read it, so its shape stays as it is."""

from pathlib import Path

from local.outputs import FUNCTIONS, outputs_of, write_outputs
from local.template import ROOT, template

API_URL = "https://a1b2c3.execute-api.ap-southeast-2.amazonaws.com/live/api/v1"

DESCRIPTION = """\
{
  "endpoint_url": "http://127.0.0.1:4000",
  "region": "ap-southeast-2",
  "api_url": "http://127.0.0.1:4000/_aws/execute-api/a1b2c3/live/api/v1",
  "user_pool_id": "the-UserPoolId",
  "client_id": "the-UserPoolClientId",
  "month_end_rule": "the-MonthEndRuleName",
  "functions": {
    "start_month_end": "monthend-start-month-end",
    "sweep_month_end": "monthend-sweep-month-end",
    "sweep_late_usage": "monthend-sweep-late-usage",
    "request_month_end": "monthend-request-month-end",
    "get_month_end": "monthend-get-month-end",
    "preview_month_end": "monthend-preview-month-end",
    "issue_month_end": "monthend-issue-month-end",
    "rollup_tenant": "monthend-rollup-tenant",
    "list_invoices": "monthend-list-invoices",
    "get_invoice": "monthend-get-invoice",
    "change_invoice": "monthend-change-invoice",
    "get_invoice_history": "monthend-get-invoice-history",
    "create_quote": "monthend-create-quote",
    "get_quote": "monthend-get-quote",
    "get_estimate": "monthend-get-estimate",
    "put_catalogue": "monthend-put-catalogue",
    "get_catalogue": "monthend-get-catalogue",
    "put_tenant": "monthend-put-tenant",
    "get_tenant": "monthend-get-tenant",
    "put_subscription": "monthend-put-subscription",
    "get_subscription": "monthend-get-subscription",
    "record_usage": "monthend-record-usage",
    "ingest_usage": "monthend-ingest-usage",
    "get_usage": "monthend-get-usage",
    "correct_usage": "monthend-correct-usage"
  },
  "tables": {
    "invoices": "the-InvoicesTableName",
    "usage": "the-UsageTableName",
    "accounts": "the-AccountsTableName"
  },
  "queues": {
    "rollup": "the-RollupQueueUrl",
    "rollup_dlq": "the-RollupDeadLetterQueueUrl",
    "schedule_dlq": "the-ScheduleDeadLetterQueueUrl",
    "usage": "the-UsageQueueUrl",
    "usage_dlq": "the-UsageDeadLetterQueueUrl"
  },
  "users": {}
}
"""


def test_the_description_of_a_stack_is_as_programs_know_it(tmp_path: Path) -> None:
    values = {name: f"the-{name}" for name in template()["Outputs"]} | {"ApiUrl": API_URL}
    file = tmp_path / "outputs.json"
    write_outputs(outputs_of("http://127.0.0.1:4000", "monthend", values), file)
    assert file.read_text(encoding="utf-8") == DESCRIPTION


def test_every_function_is_described_once() -> None:
    folders = sorted(path.name for path in (ROOT / "functions").iterdir())
    assert sorted(FUNCTIONS) == folders
