"""The template has what reliability and security require."""

import json
import re
from typing import Any

import pytest

from cli.stack.function_name import function_name
from invoicing.invoices.invoice_item import INDEXED_ATTRIBUTES
from local.template import ROOT, resources, template
from quote_engine.currency import CURRENCIES

FUNCTIONS = resources("AWS::Serverless::Function")
TABLES = resources("AWS::DynamoDB::Table")
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}

# The reads that show whether a tenant is due and invoiced.
MONTH_BOOKS = {
    ("dynamodb:Query", "AccountsTable/index/tenants"),
    ("dynamodb:Query", "InvoicesTable/index/period"),
    *(
        (f"dynamodb:{action}", table)
        for action in ("Query", "BatchGetItem")
        for table in ("AccountsTable", "UsageTable", "InvoicesTable")
    ),
}
# Where a function may not reach all of a table: the partitions that it may reach, by action
# (dynamodb:LeadingKeys). The local AWS does not enforce these conditions.
KEYS_ALONE = {
    ("StartMonthEnd", "dynamodb:PutItem", "AccountsTable"): ["month-end#*"],
    ("SweepMonthEnd", "dynamodb:PutItem", "AccountsTable"): ["month-end#*"],
    ("SweepLateUsage", "dynamodb:PutItem", "AccountsTable"): ["month-end#*"],
    ("RollupTenant", "dynamodb:PutItem", "AccountsTable"): ["failure#*"],
    ("CreateQuote", "dynamodb:PutItem", "AccountsTable"): ["quote#*"],
    ("GetQuote", "dynamodb:GetItem", "AccountsTable"): ["quote#*"],
    ("PutCatalogue", "dynamodb:Query", "AccountsTable"): ["plan#*", "addon#*"],
    ("PutCatalogue", "dynamodb:PutItem", "AccountsTable"): ["plan#*", "addon#*"],
    ("ChangeInvoice", "dynamodb:PutItem", "InvoicesTable"): ["*#history"],
    ("IssueMonthEnd", "dynamodb:PutItem", "InvoicesTable"): ["*#history"],
}
# Where a function may reach any key, but these attributes alone.
ATTRIBUTES_ALONE = {
    ("CorrectUsage", "dynamodb:UpdateItem", "InvoicesTable"): {
        "ForAllValues:StringEquals": {
            "dynamodb:Attributes": ["tenant_id", "period_start", "corrected_at"]
        },
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    },
}
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")

# Exactly what each function may do, and on which resource. A new action must be added here too.
ALLOWED: dict[str, set[tuple[str, str]]] = {
    "StartMonthEnd": {
        ("dynamodb:Query", "AccountsTable/index/tenants"),
        ("dynamodb:PutItem", "AccountsTable"),
        ("sqs:SendMessage", "RollupQueue"),
        ("sqs:SendMessage", "ScheduleDeadLetterQueue"),
        ("lambda:InvokeFunction", "function:start-month-end"),
    },
    "SweepMonthEnd": MONTH_BOOKS
    | {
        ("dynamodb:PutItem", "AccountsTable"),
        ("sqs:SendMessage", "RollupQueue"),
        ("sqs:SendMessage", "ScheduleDeadLetterQueue"),
    },
    "SweepLateUsage": {
        ("dynamodb:Query", "AccountsTable/index/tenants"),
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:Query", "UsageTable"),
        ("dynamodb:BatchGetItem", "UsageTable"),
        ("dynamodb:Query", "InvoicesTable"),
        ("dynamodb:PutItem", "AccountsTable"),
        ("sqs:SendMessage", "ScheduleDeadLetterQueue"),
    },
    "RequestMonthEnd": {
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("lambda:InvokeFunction", "StartMonthEnd"),
    },
    "GetMonthEnd": MONTH_BOOKS | {("dynamodb:GetItem", "AccountsTable")},
    "PreviewMonthEnd": {
        ("dynamodb:Query", "AccountsTable/index/tenants"),
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:Query", "UsageTable"),
        ("dynamodb:BatchGetItem", "UsageTable"),
        ("dynamodb:GetItem", "InvoicesTable"),
        ("dynamodb:Query", "InvoicesTable"),
    },
    "IssueMonthEnd": {
        ("dynamodb:Query", "InvoicesTable/index/period"),
        ("dynamodb:GetItem", "InvoicesTable"),
        ("dynamodb:UpdateItem", "InvoicesTable"),
        ("dynamodb:PutItem", "InvoicesTable"),
    },
    "RollupTenant": {
        ("sqs:ReceiveMessage", "RollupQueue"),
        ("sqs:DeleteMessage", "RollupQueue"),
        ("sqs:GetQueueAttributes", "RollupQueue"),
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:PutItem", "AccountsTable"),
        ("dynamodb:BatchGetItem", "UsageTable"),
        ("dynamodb:Query", "UsageTable"),
        ("dynamodb:GetItem", "InvoicesTable"),
        ("dynamodb:Query", "InvoicesTable"),
        ("dynamodb:PutItem", "InvoicesTable"),
        ("dynamodb:DeleteItem", "InvoicesTable"),
    },
    "ChangeInvoice": {
        ("dynamodb:GetItem", "InvoicesTable"),
        ("dynamodb:UpdateItem", "InvoicesTable"),
        ("dynamodb:PutItem", "InvoicesTable"),
    },
    "GetInvoiceHistory": {("dynamodb:Query", "InvoicesTable")},
    "CreateQuote": {
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:PutItem", "AccountsTable"),
    },
    "GetQuote": {("dynamodb:GetItem", "AccountsTable")},
    "GetEstimate": {
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:Query", "UsageTable"),
        ("dynamodb:BatchGetItem", "UsageTable"),
        ("dynamodb:Query", "InvoicesTable"),
    },
    "PutCatalogue": {
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:PutItem", "AccountsTable"),
    },
    "GetCatalogue": {
        ("dynamodb:GetItem", "AccountsTable"),
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:Query", "AccountsTable/index/tenants"),
    },
    "PutTenant": {
        ("dynamodb:GetItem", "AccountsTable"),
        ("dynamodb:PutItem", "AccountsTable"),
    },
    "GetTenant": {
        ("dynamodb:GetItem", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:Query", "AccountsTable/index/tenants"),
    },
    "PutSubscription": {
        ("dynamodb:GetItem", "AccountsTable"),
        ("dynamodb:Query", "AccountsTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:PutItem", "AccountsTable"),
        ("dynamodb:DeleteItem", "AccountsTable"),
    },
    "GetSubscription": {
        ("dynamodb:GetItem", "AccountsTable"),
        ("dynamodb:Query", "AccountsTable"),
    },
    "RecordUsage": {
        ("dynamodb:PutItem", "UsageTable"),
        ("dynamodb:UpdateItem", "UsageTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
    },
    "IngestUsage": {
        ("sqs:ReceiveMessage", "UsageQueue"),
        ("sqs:DeleteMessage", "UsageQueue"),
        ("sqs:GetQueueAttributes", "UsageQueue"),
        ("dynamodb:PutItem", "UsageTable"),
        ("dynamodb:UpdateItem", "UsageTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
    },
    "GetUsage": {
        ("dynamodb:Query", "UsageTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
    },
    "CorrectUsage": {
        ("dynamodb:BatchGetItem", "UsageTable"),
        ("dynamodb:PutItem", "UsageTable"),
        ("dynamodb:UpdateItem", "UsageTable"),
        ("dynamodb:BatchGetItem", "AccountsTable"),
        ("dynamodb:UpdateItem", "InvoicesTable"),
    },
    "ListInvoices": {
        ("dynamodb:Query", "InvoicesTable"),
        ("dynamodb:Query", "InvoicesTable/index/period"),
        ("dynamodb:Scan", "InvoicesTable/index/period"),
    },
    "GetInvoice": {
        ("dynamodb:GetItem", "InvoicesTable"),
        ("dynamodb:Query", "InvoicesTable"),
    },
}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource_name(resource: Any) -> str:
    [(tag, value)] = resource.items()
    if tag == "GetAtt":
        return str(value).removesuffix(".Arn")
    name = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", value)
    return re.sub(r"^arn:.*:function:\$\{AWS::StackName\}-", "function:", name)


def _conditions(function: str) -> list[tuple[str, str, Any]]:
    """Returns each action and resource that the function's role allows, with its condition."""
    role = template()["Resources"][f"{function}Role"]["Properties"]
    assert "ManagedPolicyArns" not in role
    statements = [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [
        (action, _resource_name(resource), statement.get("Condition"))
        for statement in statements
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    ]


def _grants(function: str) -> set[tuple[str, str]]:
    return {(action, resource) for action, resource, _ in _conditions(function)}


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_may_do_exactly_what_it_does(function: str) -> None:
    logs = {(action, f"{function}Logs") for action in LOGS}
    assert _grants(function) == ALLOWED[function] | logs


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_reaches_its_own_items_alone_where_it_needs_no_others(function: str) -> None:
    for action, resource, condition in _conditions(function):
        keys = KEYS_ALONE.get((function, action, resource))
        only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}} if keys else None
        known = ATTRIBUTES_ALONE.get((function, action, resource), only)
        assert condition == known, (action, resource)


def test_a_preview_and_a_report_may_not_write_anything() -> None:
    for function in ("PreviewMonthEnd", "GetMonthEnd"):
        assert not {
            (action, resource)
            for action, resource in _grants(function)
            if action.removeprefix("dynamodb:") in WRITES or action.startswith("sqs:")
        }


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_has_its_own_role_and_a_log_group_that_forgets(function: str) -> None:
    properties = FUNCTIONS[function]["Properties"]
    assert properties["Role"] == {"GetAtt": f"{function}Role.Arn"}
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": f"{function}Logs"}}
    logs = template()["Resources"][f"{function}Logs"]
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_is_called_as_whoever_looks_for_it_takes_it_to_be(function: str) -> None:
    properties = FUNCTIONS[function]["Properties"]
    name = function_name("${AWS::StackName}", properties["CodeUri"].removeprefix("functions/"))
    assert properties["FunctionName"] == {"Sub": name}
    logs = template()["Resources"][f"{function}Logs"]["Properties"]
    assert logs["LogGroupName"] == {"Sub": f"/aws/lambda/{name}"}


def test_every_folder_is_deployed_and_every_deployed_folder_exists() -> None:
    deployed = {function["Properties"]["CodeUri"] for function in FUNCTIONS.values()}
    folders = {f"functions/{path.name}" for path in (ROOT / "functions").iterdir()}
    assert deployed == folders
    for folder in folders:
        files = [path.name for path in (ROOT / folder).glob("*") if path.name != "__pycache__"]
        assert files == ["handler.py"]


def test_every_handler_exists() -> None:
    assert template()["Globals"]["Function"]["Handler"] == "handler.handler"
    for path in (ROOT / "functions").glob("*/handler.py"):
        assert "\ndef handler(" in path.read_text(), path


@pytest.mark.parametrize("table", sorted(TABLES))
def test_tables_survive_mistakes(table: str) -> None:
    resource = TABLES[table]
    # Kept, unless the very first deployment fails: left behind, they would block its retry.
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"
    properties = resource["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_nothing_expires_but_dedupe_items() -> None:
    expiring = {
        name: table["Properties"]["TimeToLiveSpecification"]
        for name, table in TABLES.items()
        if "TimeToLiveSpecification" in table["Properties"]
    }
    assert expiring == {"UsageTable": {"AttributeName": "expires_at", "Enabled": True}}


def test_the_period_index_copies_the_header_and_what_a_review_needs() -> None:
    [index] = TABLES["InvoicesTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert index["Projection"]["NonKeyAttributes"] == list(INDEXED_ATTRIBUTES)


@pytest.mark.parametrize(
    ("queue", "function", "event"),
    [("RollupQueue", "RollupTenant", "Tenants"), ("UsageQueue", "IngestUsage", "Usage")],
)
def test_a_slow_batch_is_not_delivered_twice(queue: str, function: str, event: str) -> None:
    properties = template()["Resources"][queue]["Properties"]
    worker = FUNCTIONS[function]["Properties"]
    assert properties["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert properties["RedrivePolicy"]["maxReceiveCount"] == 5
    source = worker["Events"][event]["Properties"]
    assert source["BatchSize"] <= 10
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"]


@pytest.mark.parametrize("queue", sorted(resources("AWS::SQS::Queue")))
def test_queues_keep_messages_for_fourteen_days_encrypted(queue: str) -> None:
    properties = resources("AWS::SQS::Queue")[queue]["Properties"]
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert properties["SqsManagedSseEnabled"] is True


def test_the_rule_fires_on_the_first_at_three_utc_with_retries_and_a_dead_letter_queue() -> None:
    rule = template()["Resources"]["MonthEndRule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Ref": "Schedule"}
    assert template()["Parameters"]["Schedule"]["Default"] == "cron(0 3 1 * ? *)"
    [target] = rule["Targets"]
    assert target["Arn"] == {"GetAtt": "StartMonthEnd.Arn"}
    assert target["DeadLetterConfig"] == {"Arn": {"GetAtt": "ScheduleDeadLetterQueue.Arn"}}
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 24 * 3600


def test_sweeps_come_hourly_on_days_1_to_5_and_never_before_the_schedule() -> None:
    first, rest = (template()["Resources"][name] for name in ("SweepFirstDayRule", "SweepRule"))
    assert first["Properties"]["ScheduleExpression"] == {"Ref": "SweepSchedule"}
    parameters = template()["Parameters"]
    assert parameters["Schedule"]["Default"] == "cron(0 3 1 * ? *)"
    assert parameters["SweepSchedule"]["Default"] == "cron(0 4-23 1 * ? *)"
    assert rest["Properties"]["ScheduleExpression"] == "cron(0 * 2-5 * ? *)"
    for rule in (first, rest):
        [target] = rule["Properties"]["Targets"]
        assert target["Arn"] == {"GetAtt": "SweepMonthEnd.Arn"}
        assert target["DeadLetterConfig"] == {"Arn": {"GetAtt": "ScheduleDeadLetterQueue.Arn"}}
    moved = template()["Rules"]["SweepsFollowTheSchedule"]
    defaults = [parameters[name]["Default"] for name in ("Schedule", "SweepSchedule")]
    conditions = [moved["RuleCondition"], moved["Assertions"][0]["Assert"]]
    assert conditions == [
        {"Not": [{"Equals": [{"Ref": name}, default]}]}
        for name, default in zip(("Schedule", "SweepSchedule"), defaults, strict=True)
    ]


def test_late_usage_is_looked_for_daily_with_retries_and_a_dead_letter_queue() -> None:
    rule = template()["Resources"]["SweepLateUsageRule"]["Properties"]
    assert rule["ScheduleExpression"] == "cron(0 2 * * ? *)"
    [target] = rule["Targets"]
    assert target["Arn"] == {"GetAtt": "SweepLateUsage.Arn"}
    assert target["DeadLetterConfig"] == {"Arn": {"GetAtt": "ScheduleDeadLetterQueue.Arn"}}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10


def test_every_rule_may_call_its_function_and_leave_a_dead_letter() -> None:
    rules = resources("AWS::Events::Rule")
    called = {
        permission["Properties"]["SourceArn"]["GetAtt"]: permission["Properties"]["FunctionName"]
        for permission in resources("AWS::Lambda::Permission").values()
    }
    for name, rule in rules.items():
        [target] = rule["Properties"]["Targets"]
        assert {"GetAtt": f"{called[f'{name}.Arn']['Ref']}.Arn"} == target["Arn"]
    policy = template()["Resources"]["ScheduleDeadLetterQueuePolicy"]["Properties"]
    [statement] = policy["PolicyDocument"]["Statement"]
    senders = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert senders == [{"GetAtt": f"{name}.Arn"} for name in rules]


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("MonthEndLateAlarm", "tenants_missing_late"),
        ("MonthEndNotStartedAlarm", "run_not_started"),
    ],
)
def test_what_the_sweep_misses_rings_and_silence_does_not_stop_it(alarm: str, metric: str) -> None:
    properties = template()["Resources"][alarm]["Properties"]
    assert (properties["Namespace"], properties["MetricName"]) == ("Monthend", metric)
    assert properties["Dimensions"] == [
        {"Name": "function_name", "Value": {"Ref": "SweepMonthEnd"}},
        {"Name": "service", "Value": "sweep_month_end"},
    ]
    assert (properties["Threshold"], properties["TreatMissingData"]) == (0, "ignore")
    assert properties["AlarmActions"] == [{"Ref": "AlarmTopic"}]


@pytest.mark.parametrize(
    "queue", sorted(name for name in resources("AWS::SQS::Queue") if "DeadLetter" in name)
)
def test_a_dead_letter_queue_with_anything_in_it_raises_an_alarm(queue: str) -> None:
    alarms = [
        alarm["Properties"]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if {"Name": "QueueName", "Value": {"GetAtt": f"{queue}.QueueName"}}
        in alarm["Properties"].get("Dimensions", ())
    ]
    depth = [a for a in alarms if a["MetricName"] == "ApproximateNumberOfMessagesVisible"]
    assert [(a["Threshold"], a["ComparisonOperator"]) for a in depth] == [
        (0, "GreaterThanThreshold")
    ]
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)


@pytest.mark.parametrize("name", sorted(resources("AWS::CloudWatch::Alarm")))
def test_every_alarm_reaches_somebody_and_says_what_to_do(name: str) -> None:
    alarm = resources("AWS::CloudWatch::Alarm")[name]["Properties"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert f"`{name}`" in (ROOT / "docs" / "operations.md").read_text()


def test_the_dashboard_names_what_the_template_makes() -> None:
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body = dashboard["Properties"]["DashboardBody"]["Sub"]
    names = {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", body)}
    known = template()["Resources"].keys() | {"AWS::Region", "AWS::StackName"}
    assert names <= known
    assert len(json.loads(body)["widgets"]) == 9


@pytest.mark.parametrize("queue", ["RollupQueue", "UsageQueue"])
def test_a_queue_that_nobody_reads_rings_within_hours(queue: str) -> None:
    alarm = template()["Resources"][f"{queue}AgeAlarm"]["Properties"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"GetAtt": f"{queue}.QueueName"}}
    ]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 3600)
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["Properties"]["DashboardBody"]["Sub"])
    age = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", f"${{{queue}.QueueName}}"]
    assert any(age in widget["properties"]["metrics"] for widget in body["widgets"])


def test_the_age_alarm_rings_long_before_messages_are_gone() -> None:
    alarm = template()["Resources"]["RollupDeadLetterAgeAlarm"]["Properties"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Threshold"] <= 7 * 24 * 3600


def test_layers_are_built_for_the_functions_architecture() -> None:
    architecture = {"Ref": "Architecture"}
    assert template()["Globals"]["Function"]["Architectures"] == [architecture]
    for layer in resources("AWS::Serverless::LayerVersion").values():
        assert layer["Metadata"]["BuildArchitecture"] == architecture
        assert layer["Properties"]["CompatibleArchitectures"] == [architecture]
    assert template()["Parameters"]["Architecture"]["Default"] == "arm64"


def test_a_stack_takes_the_currencies_that_the_engine_bills_and_no_other() -> None:
    currency = template()["Parameters"]["Currency"]
    assert currency["AllowedValues"] == sorted(CURRENCIES)
    assert "two decimals" in currency["ConstraintDescription"]


def test_users_are_created_by_admins_only_and_may_not_edit_what_gives_rights() -> None:
    pool = template()["Resources"]["UserPool"]["Properties"]
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    client = template()["Resources"]["UserPoolClient"]["Properties"]
    assert client["WriteAttributes"] == ["locale"]


def test_every_route_needs_a_token_but_the_preflight() -> None:
    auth = template()["Resources"]["Api"]["Properties"]["Auth"]
    assert auth["DefaultAuthorizer"] == "Cognito"
    open_routes = [
        event["Properties"]["Method"]
        for function in FUNCTIONS.values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Properties"].get("Auth")
    ]
    assert set(open_routes) == {"OPTIONS"}


def test_sam_adds_no_second_stage() -> None:
    assert template()["Globals"]["Api"] == {"OpenApiVersion": "3.0.1"}


def test_the_gateways_own_answers_are_problem_documents() -> None:
    responses = template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    assert {"UNAUTHORIZED", "THROTTLED", "DEFAULT_4XX", "DEFAULT_5XX"} <= responses.keys()
    for response in responses.values():
        headers = response["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == "'application/problem+json'"
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        assert {"type", "title", "detail"} <= problem.keys()
