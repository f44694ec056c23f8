#!/usr/bin/env python3
"""Checks what must hold between the parts of template.yaml, which no linter knows.

Each rule yields sentences about what is wrong. `ALLOWED` is the second half of a double entry: a policy in the
template and its line here have to be changed together, so that no role is widened in passing.
"""

import json
import re
import sys
import tomllib

import operations
import sam_template
from sam_template import as_list, one_name, resources

POLL = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
# What the functions of queues do: a message that failed comes again early, by its visibility.
TAKE = (*POLL, "sqs:ChangeMessageVisibility")
STREAM = ("DescribeStream", "GetRecords", "GetShardIterator")


def _on(resource, *actions):
    return {(action, resource) for action in actions}


def _own_log(function):
    return _on(f"{function}LogGroup.Arn", "logs:CreateLogStream", "logs:PutLogEvents")


def _tables(nouns, *operations):
    actions = [f"dynamodb:{operation}" for operation in operations]
    return {pair for noun in nouns.split() for pair in _on(f"{noun}Table.Arn", *actions)}


# In an earlier version each grant had a secret of its own. They are no resources of the stack; what is in them moves into the table.
GRANT_SECRETS = (
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/grants/*"
)


def _grants():
    return (
        _on("GrantsKeySecret.Id", "secretsmanager:GetSecretValue")
        | _on(GRANT_SECRETS, "secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret")
        | _tables("Grants", "GetItem", "PutItem")
    )


def _dead_letters(*queues):
    return {pair for queue in queues for pair in _on(f"{queue}DeadLetterQueue.Arn", *TAKE)}

# The tables that every page of the operators may be made of, and the log of orders.
CONSOLE = (
    _tables("Organisations", "GetItem", "Scan")
    | _tables("Brakes Budgets Caps Closes Connections Customers Invoices Nights Orders Receipts Reports Sweeps Uploads", "GetItem")
    | _tables("Contacts Customers Invoices Payments Uploads", "BatchGetItem")
    | _tables("Customers", "Query")
    | _on("${ContactsTable.Arn}/index/contact_credits", "dynamodb:Query")
    | _on("${ContactsTable.Arn}/index/unknown_contacts", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/by_waits_for", "dynamodb:Query")
    | _tables("Activity Closes Discrepancies Feeds HeldPayments Messages Nights Notices OrderLinks Orders Parked Payments Shadows", "Query")
    | _tables("Receipts Reports SyncRuns", "Query")
    # A link to a file works with the right of the function that has signed it.
    | _on("${ReportsBucket.Arn}/*/reports/*", "s3:GetObject")
    | _tables("Tombstones", "Query")
    | _on("${ActivityTable.Arn}/index/by_invoice", "dynamodb:Query")
    | _on("${CustomersTable.Arn}/index/open_actions", "dynamodb:Query")
    | _on("${DiscrepanciesTable.Arn}/index/open", "dynamodb:Query")
    | _on("${HeldPaymentsTable.Arn}/index/by_xero_payment_id", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/unsettled", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/by_xero_invoice_id", "dynamodb:Query")
    | _on("${PaymentsTable.Arn}/index/by_xero_payment_id", "dynamodb:Query")
    | _on("${TombstonesTable.Arn}/index/by_xero_payment_id", "dynamodb:Query")
    | _on("${SyncRunsTable.Arn}/index/failures", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:Query")
    | _tables("Activity", "PutItem")
)
# The function that executes the commands of operators: pages pass them on, and those of an earlier form are forwarded.
COMMANDS = _on("OperationsFunction.Arn", "lambda:InvokeFunction")

# What compares customers with Xero's contacts.
CUSTOMER_SYNC = (
    _tables("Contacts", "BatchGetItem", "BatchWriteItem", "Query")
    | _tables("Customers", "Query")
    | _on("${CustomersTable.Arn}/index/unsynced", "dynamodb:Query")
)

# Everything that each function may do: pairs of action and resource, and nothing else.
ALLOWED = {
    "Webhook": _own_log("Webhook")
    | _on("ChangesQueue.Arn", "sqs:SendMessage")
    # A contact that changed is work on the customers.
    | _on("SchedulesQueue.Arn", "sqs:SendMessage")
    | _on("XeroWebhookSecret.Id", "secretsmanager:GetSecretValue"),
    "Mirror": _own_log("Mirror")
    # What is decided in shadow, and not done.
    | _tables("Shadows", "GetItem", "PutItem")
    | _on("ChangesQueue.Arn", *TAKE, "sqs:SendMessage")
    | _on("XeroApiSecret.Id", "secretsmanager:GetSecretValue")
    | _tables("Organisations", "GetItem")
    | _tables("Invoices", "GetItem", "PutItem")
    | _tables("Customers", "GetItem")
    | _on("${InvoicesTable.Arn}/index/by_xero_invoice_id", "dynamodb:Query")
    | _tables("Payments HeldPayments", "Query", "PutItem", "DeleteItem")
    | _on("${PaymentsTable.Arn}/index/by_xero_payment_id", "dynamodb:Query")
    | _tables("Discrepancies", "Query", "PutItem")
    | _tables("Uploads", "BatchGetItem", "PutItem")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:Query")
    | _tables("Tombstones Activity Parked SyncRuns", "PutItem")
    | _tables("Messages", "PutItem", "DeleteItem")
    | _tables("Budgets Brakes", "GetItem", "PutItem")
    | _tables("Connections", "GetItem", "UpdateItem")
    | _tables("Sweeps", "GetItem", "PutItem", "DeleteItem", "Query")
    | _grants(),
    "Intake": _own_log("Intake")
    # What feeds report of their imports.
    | _tables("Feeds", "GetItem", "PutItem")
    | _on("IntakeQueue.Arn", *TAKE)
    | _on("ChangesQueue.Arn", "sqs:SendMessage")
    | _on("UploadsQueue.Arn", "sqs:SendMessage")
    | _tables("Notices", "GetItem", "PutItem")
    | _tables("Organisations", "GetItem")
    | _tables("Invoices Receipts Customers Uploads Orders", "GetItem", "PutItem")
    | _on("${InvoicesTable.Arn}/index/by_xero_invoice_id", "dynamodb:Query")
    | _tables("Payments", "Query", "PutItem", "DeleteItem")
    | _tables("HeldPayments", "Query")
    | _on("${InvoicesTable.Arn}/index/by_waits_for", "dynamodb:Query")
    | _tables("Discrepancies Tombstones", "Query", "PutItem")
    | _tables("Messages", "PutItem", "DeleteItem")
    | _tables("OrderLinks", "BatchWriteItem")
    | _tables("Activity Parked SyncRuns", "PutItem"),
    "Upload": _own_log("Upload")
    # What is decided in shadow, and not done.
    | _tables("Shadows", "PutItem", "Query")
    | _on("UploadsQueue.Arn", *TAKE, "sqs:SendMessage")
    | _on("ChangesQueue.Arn", "sqs:SendMessage")
    | _on("SchedulesDeadLetterQueue.Arn", "sqs:SendMessage")
    | _on("XeroApiSecret.Id", "secretsmanager:GetSecretValue")
    | _tables("Organisations", "GetItem", "Scan")
    | _on("${InvoicesTable.Arn}/index/by_waits_for", "dynamodb:Query")
    | _tables("Uploads Customers Invoices", "GetItem", "BatchGetItem", "PutItem")
    | _on("${CustomersTable.Arn}/index/open_actions", "dynamodb:Query")
    | _on("${DiscrepanciesTable.Arn}/index/open", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_night", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_transaction", "dynamodb:Query")
    | _tables("Receipts", "GetItem")
    | _tables("Caps Budgets", "GetItem", "PutItem")
    | _tables("Nights", "GetItem", "Query", "PutItem")
    | _tables("Connections", "GetItem", "UpdateItem")
    | _tables("Payments", "Query", "BatchGetItem", "PutItem", "DeleteItem")
    | _tables("HeldPayments", "Query", "DeleteItem")
    | _tables("Discrepancies", "Query", "PutItem")
    | _tables("Tombstones Activity Parked SyncRuns", "PutItem")
    | _tables("Messages", "PutItem", "DeleteItem")
    | COMMANDS
    | _grants(),
    "Sweep": _own_log("Sweep")
    # What feeds report of their imports.
    | _tables("Feeds", "Query")
    | _on("SchedulesQueue.Arn", *POLL, "sqs:SendMessage")
    | _on("ChangesQueue.Arn", "sqs:SendMessage")
    | _on("SchedulesDeadLetterQueue.Arn", "sqs:SendMessage")
    | _on("XeroApiSecret.Id", "secretsmanager:GetSecretValue")
    | CUSTOMER_SYNC
    | _tables("Customers", "PutItem")
    | _tables("Receipts", "Query")
    # The name that Xero has for an organisation, and that its disconnection is confirmed.
    | _tables("Organisations", "GetItem", "Scan", "UpdateItem")
    | _tables("Invoices", "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")
    | _tables("Activity Discrepancies", "Query", "PutItem")
    | _tables("Activity", "GetItem", "BatchGetItem")
    # Drafts of notices to customers.
    | _tables("Notices", "PutItem")
    | _tables("Payments HeldPayments", "Query")
    | _tables("Parked", "Query")
    | _tables("Connections", "GetItem", "UpdateItem")
    | _tables("Caps Brakes", "GetItem")
    | _on("${InvoicesTable.Arn}/index/by_waits_for", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/by_xero_invoice_id", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/unsettled", "dynamodb:Query")
    | _tables("SyncRuns Budgets", "GetItem", "PutItem")
    | _tables("Sweeps", "GetItem", "PutItem", "DeleteItem", "Query")
    | _tables("Certificates", "Query", "PutItem")
    | _tables("Closes Nights", "Query")
    | _on("${DiscrepanciesTable.Arn}/index/open", "dynamodb:Query")
    | _on("${CustomersTable.Arn}/index/open_actions", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:Query")
    | _tables("Messages", "PutItem", "DeleteItem")
    | COMMANDS
    | _grants()
    | _tables("Grants", "DeleteItem"),
    "Connect": _own_log("Connect")
    | _on("SchedulesQueue.Arn", "sqs:SendMessage")
    | _on("XeroApiSecret.Id", "secretsmanager:GetSecretValue")
    | _on("XeroWebhookSecret.Id", "secretsmanager:DescribeSecret")
    | _tables("Organisations", "GetItem", "PutItem", "UpdateItem")
    | _tables("Activity", "PutItem")
    | _tables("Messages", "PutItem", "DeleteItem")
    | _tables("Budgets", "GetItem", "PutItem")
    | _grants()
    | _tables("Grants", "DeleteItem", "UpdateItem"),
    "Announce": _own_log("Announce")
    # Of every stream that the table has: one that was restored has another.
    | _on("${ActivityTable.Arn}/stream/*", *(f"dynamodb:{name}" for name in (*STREAM, "ListStreams")))
    | COMMANDS
    | _on("EventBus.Arn", "events:PutEvents")
    | _on("EventsDeadLetterQueue.Arn", "sqs:SendMessage"),
    "Operations": _own_log("Operations")
    | _on("ChangesQueue.Arn", "sqs:SendMessage")
    | _on("IntakeQueue.Arn", "sqs:SendMessage")
    | _on("UploadsQueue.Arn", "sqs:SendMessage")
    | _dead_letters("Changes", "Intake", "Uploads", "Schedules", "Events")
    | _on("EventBus.Arn", "events:PutEvents")
    | _on("XeroApiSecret.Id", "secretsmanager:GetSecretValue")
    # Shows whether there are signing keys, and not the keys.
    | _on("XeroWebhookSecret.Id", "secretsmanager:DescribeSecret")
    | _tables("Organisations", "GetItem", "Scan", "PutItem", "UpdateItem")
    | _tables("Receipts", "GetItem", "Query")
    | _tables("Invoices", "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")
    | _tables("Payments", "Query", "BatchGetItem", "PutItem", "DeleteItem")
    | _tables("HeldPayments", "Query", "DeleteItem")
    | _tables("Tombstones Activity Certificates", "Query", "PutItem")
    # A day is closed again as the schedule does it.
    | _tables("Activity", "BatchGetItem")
    | _tables("Closes", "GetItem", "Query", "PutItem", "BatchWriteItem")
    | _tables("Discrepancies", "Query", "PutItem")
    # Drafts of notices to customers.
    | _tables("Notices", "PutItem")
    | _tables("Parked", "Query", "PutItem", "DeleteItem")
    | _tables("Uploads Customers", "GetItem", "BatchGetItem", "PutItem")
    | _tables("Contacts", "BatchGetItem")
    | _on("${DiscrepanciesTable.Arn}/index/open", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/by_waits_for", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/by_xero_invoice_id", "dynamodb:Query")
    | _on("${InvoicesTable.Arn}/index/unsettled", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:Query")
    | _on("${UploadsTable.Arn}/index/by_transaction", "dynamodb:Query")
    | _tables("Brakes Budgets Caps SyncRuns", "GetItem", "PutItem")
    | _tables("Connections", "GetItem", "UpdateItem")
    | _tables("Sweeps", "GetItem", "PutItem", "DeleteItem", "Query")
    | _tables("Messages", "PutItem", "DeleteItem")
    | _tables("Seals", "GetItem", "Query")
    # A person's report is made without the person waiting for it.
    | _on("ReportFunction.Arn", "lambda:InvokeFunction")
    | _tables("Feeds Shadows", "Query")
    | _grants()
    | _tables("Grants", "DeleteItem", "Scan", "UpdateItem"),
    "Reconcile": _own_log("Reconcile")
    | _on("${ActivityTable.Arn}/stream/*", *(f"dynamodb:{name}" for name in (*STREAM, "ListStreams")))
    | _tables("Orders", "GetItem", "Query", "PutItem")
    | _tables("Organisations Customers Invoices Receipts", "GetItem")
    | _tables("OrderLinks Payments HeldPayments", "Query")
    | _tables("Discrepancies", "Query", "PutItem")
    # A close lists the organisations, reads the log of the day, and writes what it finds on invoices as the mirror does.
    | _tables("Organisations", "Scan")
    | _tables("Invoices", "PutItem")
    | _tables("Activity", "Query", "BatchGetItem", "PutItem")
    | _tables("Closes", "GetItem", "Query", "PutItem", "BatchWriteItem")
    | _on("EventsDeadLetterQueue.Arn", "sqs:SendMessage")
    | _on("SchedulesDeadLetterQueue.Arn", "sqs:SendMessage"),
    "Report": _own_log("Report")
    | _tables("Organisations", "Scan")
    # It reads the log and writes of its seals; it alters and deletes nothing of either.
    | _tables("Activity", "Query", "PutItem")
    | _tables("Seals", "GetItem", "Query", "PutItem")
    | _tables("Organisations", "GetItem")
    | _tables("Reports", "GetItem", "Query", "PutItem")
    | _tables("Messages", "PutItem", "DeleteItem")
    # It deletes no file, and no version of one.
    | _on("${ReportsBucket.Arn}/*", "s3:GetObject", "s3:PutObject")
    | _on("ReportsBucket.Arn", "s3:ListBucket")
    | _on("SchedulesDeadLetterQueue.Arn", "sqs:SendMessage"),
    "Console": _own_log("Console") | CONSOLE,
    "Operate": _own_log("Operate") | CONSOLE | COMMANDS,
    "Administer": _own_log("Administer") | CONSOLE | COMMANDS | _tables("Organisations", "UpdateItem"),
    # Not a function: the schedules, which wake four.
    "Scheduler": _on("UploadFunction.Arn", "lambda:InvokeFunction")
    | _on("SweepFunction.Arn", "lambda:InvokeFunction")
    | _on("ReconcileFunction.Arn", "lambda:InvokeFunction")
    | _on("ReportFunction.Arn", "lambda:InvokeFunction")
    | _on("SchedulesDeadLetterQueue.Arn", "sqs:SendMessage"),
}

DASHBOARD = "arn:${AWS::Partition}:cloudwatch::${AWS::AccountId}:dashboard/${%sDashboard}"
SCHEDULES = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/default/${AWS::StackName}-*"
# By their own names: a stack `paymirror-dev` in the same account has names that begin like ours.
SEE = (
    {pair for name in ("View", "Operate", "Administer") for pair in _on(DASHBOARD % name, "cloudwatch:GetDashboard")}
    # The lights of alarms, the graphs of metrics, and those of the logs.
    | _on("*", "cloudwatch:ListDashboards", "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory")
    | _on("*", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics")
    | _on("*", "logs:GetQueryResults", "logs:StopQuery")
    | {pair for name in ALLOWED if name != "Scheduler" for pair in _on(f"{name}LogGroup.Arn", "logs:StartQuery")}
)


def _call(*names):
    return {pair for name in names for pair in _on(f"{name}Function.Arn", "lambda:InvokeFunction")}


ASKED_TABLES = (
    "Organisations Invoices Payments HeldPayments Tombstones Discrepancies Activity Parked Messages Uploads Caps Brakes Budgets "
    "Grants Certificates Nights SyncRuns"
)
# What `Runbook.test_responders_may_what_commands_do` finds in the runbook, and no more.
RESPOND = (
    _call("Console", "Operate", "Operations", "Announce", "Sweep", "Upload")
    | _tables(ASKED_TABLES, "PartiQLSelect")
    | _tables("Organisations", "PartiQLUpdate")
    | _on("${SyncRunsTable.Arn}/index/failures", "dynamodb:PartiQLSelect")
    | _on("${UploadsTable.Arn}/index/by_line", "dynamodb:PartiQLSelect")
    | {
        pair
        for queue in ("Changes", "Intake", "Uploads")
        for pair in _on(f"{queue}DeadLetterQueue.Arn", *POLL, "sqs:GetQueueUrl", "sqs:StartMessageMoveTask")
        | _on(f"{queue}Queue.Arn", "sqs:SendMessage")
    }
    | _on("XeroApiSecret.Id", "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue")
    | _on("XeroWebhookSecret.Id", "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue")
    | _on(SCHEDULES, "scheduler:GetSchedule")
    | _on("AWS::StackId", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents")
)

# Everything that people of each role may do.
PEOPLE = {
    "Viewer": SEE | _call("Console"),
    "Operator": SEE | _call("Console", "Operate"),
    "Administrator": SEE | _call("Console", "Operate", "Administer"),
    "Responder": SEE | RESPOND,
}

# Who takes each role on; Lambda, if nothing is said.
TAKEN_BY = {"Scheduler": "scheduler.amazonaws.com"}

# The role of AWS Backup, which is no function's and follows a list of AWS.
BACKUP = "BackupRole"

# EventBridge serves every account: without this, it could be made to take on our role for a stranger's schedule.
OUR_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}

# The operators' pages: they look, and `the_console_only_looks` says at what they may do more.
LOOKERS = {"Console", "Operate", "Administer"}

# Resources that these alone may touch. They are listed apart from `ALLOWED`, so that no change of that list breaks a
# promise.
ONLY = {
    # Operations only sees whether it has a value.
    "XeroWebhookSecret.Id": {"Webhook", "Connect", "Operations"},
    "XeroApiSecret.Id": {"Connect", "Mirror", "Upload", "Sweep", "Operations"},
    # The mirror sets aside payments found in Xero (A8.3); the sweep only counts those that fail or are on hold.
    "UploadsTable.Arn": {"Intake", "Mirror", "Upload", "Sweep", "Operations"} | LOOKERS,
    # The sweep only reads whether uploading is off.
    "CapsTable.Arn": {"Upload", "Sweep", "Operations"} | LOOKERS,
    "BudgetsTable.Arn": {"Connect", "Mirror", "Upload", "Sweep", "Operations"} | LOOKERS,
    "GrantsTable.Arn": {"Connect", "Mirror", "Upload", "Sweep", "Operations"},
    "GrantsKeySecret.Id": {"Connect", "Mirror", "Upload", "Sweep", "Operations"},
    GRANT_SECRETS: {"Connect", "Mirror", "Upload", "Sweep", "Operations"},
    "CertificatesTable.Arn": {"Sweep", "Operations"},
    "ContactsTable.Arn": {"Sweep", "Operations"} | LOOKERS,
    # A day is closed by a schedule, and again by a person's order; the sweep sees which was the last.
    "ClosesTable.Arn": {"Operations", "Reconcile", "Sweep"} | LOOKERS,
    # One function seals; commands only compare.
    "SealsTable.Arn": {"Report", "Operations"},
    # What feeds have reported of their imports.
    "FeedsTable.Arn": {"Intake", "Sweep", "Operations"} | LOOKERS,
    # One function makes reports; pages list them, and give links to their files.
    "ReportsTable.Arn": {"Report"} | LOOKERS,
    "${ReportsBucket.Arn}/*": {"Report"},
    "${ReportsBucket.Arn}/*/reports/*": LOOKERS,
    # What was decided in shadow, and not done.
    "ShadowsTable.Arn": {"Mirror", "Upload", "Operations"} | LOOKERS,
    "BrakesTable.Arn": {"Mirror", "Sweep", "Operations"} | LOOKERS,
    # Each of them notes whether its last run failed.
    "ConnectionsTable.Arn": {"Mirror", "Upload", "Sweep", "Operations"} | LOOKERS,
    "NightsTable.Arn": {"Upload", "Sweep"} | LOOKERS,
    # Drafted by two functions, reported of through the third.
    "NoticesTable.Arn": {"Intake", "Operations", "Sweep"} | LOOKERS,
    "${ActivityTable.Arn}/stream/*": {"Announce", "Reconcile"},
    "EventBus.Arn": {"Announce", "Operations"},
    # How an order stands is derived by one function, and typed by none.
    "OrdersTable.Arn": {"Intake", "Reconcile"} | LOOKERS,
    "OrderLinksTable.Arn": {"Intake", "Reconcile"} | LOOKERS,
    "SweepsTable.Arn": {"Mirror", "Sweep", "Operations"} | LOOKERS,
    "ChangesDeadLetterQueue.Arn": {"Operations"},
    "IntakeDeadLetterQueue.Arn": {"Operations"},
    "UploadsDeadLetterQueue.Arn": {"Operations"},
    "OperationsFunction.Arn": {"Announce", "Sweep", "Upload", "Operate", "Administer"},
    "UploadFunction.Arn": {"Scheduler"},
    "SweepFunction.Arn": {"Scheduler"},
}

# Rows of `grants` that a role may delete or alter by itself: never one of a grant, nor, in altering, of its tokens.
GRANT_ROWS = {"dynamodb:DeleteItem": ["tokens/*"], "dynamodb:UpdateItem": ["link/*", "state/*"]}

KEY_RECIPE = {"SecretStringTemplate": "{}", "GenerateStringKey": "token_key", "PasswordLength": 64, "ExcludePunctuation": True}

RETENTION_SECONDS = 14 * 24 * 60 * 60
# Within two hours: the pauses between them grow from 15 seconds to a quarter of an hour (`host::batch::pause`).
RECEIVES_MAX = operations.CODE["receives_max"]


def functions(template):
    """Short name (`Webhook`) and properties of every function."""
    return {
        name.removesuffix("Function"): properties
        for name, properties in resources(template, "AWS::Serverless::Function").items()
    }


def triggers(template):
    """Function, its properties, its queue's name and the trigger's properties, for every SQS trigger."""
    for function, properties in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                trigger = event["Properties"]
                yield function, properties, one_name(trigger["Queue"]).removesuffix(".Arn"), trigger


def visibility_outlasts_the_function(template):
    """A message must not become visible again while its function may still work on it (and on one retry)."""
    queues = resources(template, "AWS::SQS::Queue")
    for function, properties, queue, trigger in triggers(template):
        least = 6 * properties["Timeout"] + trigger.get("MaximumBatchingWindowInSeconds", 0)
        found = queues[queue]["VisibilityTimeout"]
        if found < least:
            yield f"{queue} hides a message for {found} s; {function} needs at least {least} s"


def triggers_answer_item_by_item(template):
    """Without this setting one poisonous message takes its whole batch to the dead-letter queue."""
    for function, _, _, trigger in triggers(template):
        if trigger.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"the trigger of {function} does not report failures item by item"
        if trigger["BatchSize"] > 10 and not trigger.get("MaximumBatchingWindowInSeconds"):
            yield f"the trigger of {function} takes more than 10 messages at once and so needs a batching window"


def calls(template):
    """The functions that each function can cause to be called, by name or by a message to their trigger queues."""
    triggered = {}
    for function, _, queue, _ in triggers(template):
        triggered.setdefault(f"{queue}.Arn", set()).add(function)
    roles = resources(template, "AWS::IAM::Role")
    called = {}
    for function in functions(template):
        called[function] = set()
        for action, resource in granted(roles.get(f"{function}Role", {})):
            if action == "sqs:SendMessage":
                called[function] |= triggered.get(resource, set())
            # A message of a queue is never forwarded as a command: this comes back to no function by itself.
            elif action == "lambda:InvokeFunction" and (action, resource) not in COMMANDS:
                called[function].add(resource.removesuffix(".Arn").removesuffix("Function"))
    return called


def loops_are_allowed_where_they_are_meant(template):
    """Lambda stops a function after sixteen calls to itself. One that waits by sending to its own trigger, also by
    way of another one, has to say that it means to; one that cannot come back to itself keeps that protection."""
    called = calls(template)
    for function, properties in functions(template).items():
        reached, more = set(), called[function]
        while more:
            reached |= more
            more = set().union(*(called.get(name, set()) for name in more)) - reached
        allowed = properties.get("RecursiveLoop") == "Allow"
        if function in reached and not allowed:
            yield f"{function} can send to its own trigger, and Lambda ends that after 16 times"
        if function not in reached and "RecursiveLoop" in properties:
            yield f"{function} cannot come back to itself, and needs no RecursiveLoop"


def watched_metrics(template):
    """Each alarm with each metric that it watches: one, or those of which its number is made."""
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        if "Metrics" not in alarm:
            yield name, alarm
        for each in alarm.get("Metrics", []):
            if "MetricStat" in each:
                yield name, each["MetricStat"]["Metric"]


def nothing_is_lost_in_a_queue(template):
    """Each queue keeps its messages for two weeks and hands poison to its own dead-letter queue, which is watched."""
    queues = resources(template, "AWS::SQS::Queue")
    watched = {
        one_name(metric["Dimensions"][0]["Value"]).removesuffix(".QueueName")
        for _, metric in watched_metrics(template)
        if metric["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    for name, queue in queues.items():
        if queue.get("MessageRetentionPeriod") != RETENTION_SECONDS:
            yield f"{name} does not keep its messages for {RETENTION_SECONDS} s"
        if name.endswith("DeadLetterQueue"):
            if name not in watched:
                yield f"no alarm watches {name}"
            continue
        redrive = queue.get("RedrivePolicy", {})
        expected = name.removesuffix("Queue") + "DeadLetterQueue"
        if one_name(redrive.get("deadLetterTargetArn")) != f"{expected}.Arn" or expected not in queues:
            yield f"{name} does not hand its poison to {expected}"
        if redrive.get("maxReceiveCount") != RECEIVES_MAX:
            yield f"{name} does not try {RECEIVES_MAX} times"


STREAM_RETRIES_MAX = 1000


def streams_neither_lose_nor_block(template):
    """Rows of a stream come in order and from the beginning; a row that fails is narrowed down, kept, and passed."""
    tables = resources(template, "AWS::DynamoDB::Table")
    watched = {
        one_name(metric["Dimensions"][0]["Value"]).removesuffix("Function")
        for _, metric in watched_metrics(template)
        if metric["MetricName"] == "IteratorAge"
    }
    for function, properties in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] != "DynamoDB":
                continue
            trigger = event["Properties"]
            table = one_name(trigger["Stream"]).removesuffix(".StreamArn")
            failed = one_name(trigger.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"))
            wanted = {
                "begin at the beginning": trigger.get("StartingPosition") == "TRIM_HORIZON",
                "keep the order": trigger.get("ParallelizationFactor", 1) == 1,
                "report from where it has to go on": trigger.get("FunctionResponseTypes")
                == ["ReportBatchItemFailures"],
                "narrow a failure down": trigger.get("BisectBatchOnFunctionError") is True,
                "give up at last": 0 <= trigger.get("MaximumRetryAttempts", -1) <= STREAM_RETRIES_MAX,
                "keep what it gave up": str(failed).endswith("DeadLetterQueue.Arn"),
                "show rows as they are written": tables[table].get("StreamSpecification")
                == {"StreamViewType": "NEW_IMAGE"},
                "have an alarm on its age": function in watched,
            }
            for wish in (wish for wish, holds in wanted.items() if not holds):
                yield f"the stream of {table} to {function} does not {wish}"


def granted(role):
    """Pairs of action and resource that a role's own policies allow."""
    return {
        (action, one_name(resource))
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Effect") == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def each_role_allows_exactly_its_list(template):
    """One role for each function and for the schedules, for nothing else, with exactly the pairs of `ALLOWED`."""
    roles = resources(template, "AWS::IAM::Role")
    owners = functions(template).keys() | TAKEN_BY.keys()
    for function, properties in functions(template).items():
        if one_name(properties.get("Role")) != f"{function}Role.Arn":
            yield f"{function} has no role of its own"
    for owner in sorted(owners):
        if f"{owner}Role" not in roles:
            yield f"there is no {owner}Role"
            continue
        role = roles[f"{owner}Role"]
        found, expected = granted(role), ALLOWED.get(owner, set())
        for action, resource in sorted(found - expected):
            yield f"{owner} may {action} on {resource}, which is not on its list"
        for action, resource in sorted(expected - found):
            yield f"{owner} may not {action} on {resource}, though it is on its list"
        if role.get("ManagedPolicyArns"):
            yield f"{owner} has managed policies, which allow more than its list"
        if any("*" in action or resource == "*" for action, resource in found):
            yield f"{owner} has a wildcard in its policy"
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if {"NotAction", "NotResource"} & statement.keys():
                    yield f"{owner} has a policy that says what is not meant"
        trust = role["AssumeRolePolicyDocument"]["Statement"]
        service = TAKEN_BY.get(owner, "lambda.amazonaws.com")
        if [statement["Principal"] for statement in trust] != [{"Service": service}]:
            yield f"the role of {owner} can be assumed by somebody other than {service}"
        if owner in TAKEN_BY and [statement.get("Condition") for statement in trust] != [OUR_ACCOUNT]:
            yield f"the role of {owner} can be assumed for another account"
    for name in sorted(roles.keys() - {f"{owner}Role" for owner in owners} - {BACKUP}):
        yield f"{name} belongs to no function"


def grants_are_altered_by_their_own_keys(template):
    """A right to delete or to alter rows of `grants` is one on some of its keys."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                resources_of = [one_name(resource) for resource in as_list(statement["Resource"])]
                for action in as_list(statement["Action"]):
                    wanted = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": GRANT_ROWS.get(action)}}
                    if "GrantsTable.Arn" in resources_of and action in GRANT_ROWS and statement.get("Condition") != wanted:
                        yield f"{name} may {action} on every row of GrantsTable"


def promises_are_kept(template):
    """No other role touches the resources of a few, by their own names or through an index."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        owner = name.removesuffix("Role")
        for action, resource in sorted(granted(role)):
            whole = re.sub(r"^\$\{(.+?)\}.*$", r"\1", resource)
            only = ONLY.get(resource, ONLY.get(whole, {owner}))
            if owner not in only:
                yield f"{owner} may {action} on {resource}, which is promised to {' and '.join(sorted(only))}"


def people_may_exactly_what_is_listed(template):
    """Three policies to be given to people, which lead to the console's functions and to nothing behind them."""
    policies = resources(template, "AWS::IAM::ManagedPolicy")
    for name in sorted(policies.keys() ^ {f"{role}Policy" for role in PEOPLE}):
        yield f"{name} is there and not listed, or listed and not there"
    for role, expected in PEOPLE.items():
        found = granted({"Policies": [policies.get(f"{role}Policy", {"PolicyDocument": {"Statement": []}})]})
        for action, resource in sorted(found ^ expected):
            verb = "may" if (action, resource) in found else "may not"
            yield f"the {role} {verb} {action} on {resource}, against the list"


def people_have_a_second_factor(template):
    """XC-26: the policies of the pages refuse what comes without a second factor and not from IAM Identity Center."""
    if template["Parameters"].get("RequireMfa", {}).get("Default") != "true":
        yield "RequireMfa is not on by itself"
    policies = resources(template, "AWS::IAM::ManagedPolicy")
    for resource in ("ViewerPolicy", "OperatorPolicy", "AdministratorPolicy"):
        properties = policies[resource]
        wanted = [
            chosen[1]
            for statement in properties["PolicyDocument"]["Statement"]
            if (chosen := statement.get("Fn::If")) and chosen[0] == "RequiresMfa"
        ]
        denies = [
            one for one in wanted
            if one["Effect"] == "Deny" and one["Resource"] == "*" and one.keys() >= {"NotAction", "Condition"}
            and one["Condition"].keys() == {"BoolIfExists", "ArnNotLike"}
            and one["Condition"]["BoolIfExists"] == {"aws:MultiFactorAuthPresent": "false"}
            and all(action.startswith("iam:") and "MFA" in action or action == "sts:GetSessionToken" for action in one["NotAction"])
        ]
        if len(denies) != 1:
            yield f"{resource} lets people in without a second factor"


# What would take a row away from the log of who has done what, or put another one in its place.
TAKES_ROWS = {f"dynamodb:{name}" for name in ("BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLUpdate", "UpdateItem")}


def rows_of_the_log_stay(template):
    """XC-27: no role overwrites or deletes a row of the activity log, which stays for a year at least, as functions' logs do."""
    policy = resources(template, "AWS::DynamoDB::Table")["ActivityTable"].get("ResourcePolicy", {})
    denies = [
        statement for statement in policy.get("PolicyDocument", {}).get("Statement", [])
        if statement["Effect"] == "Deny" and statement["Principal"] == "*" and "Condition" not in statement
    ]
    denied = {action for statement in denies for action in as_list(statement["Action"])}
    if missing := TAKES_ROWS - denied:
        yield f"ActivityTable lets a role do {', '.join(sorted(missing))}"
    if "TimeToLiveSpecification" in resources(template, "AWS::DynamoDB::Table")["ActivityTable"]:
        yield "ActivityTable: rows end by themselves"
    if template["Parameters"]["LogRetentionDays"]["Default"] < 365:
        yield "LogRetentionDays is less than a year"


# Actions of the operators' pages other than looking: they write orders down, and some of them do a little more.
MORE_THAN_LOOKING = {
    "Console": _tables("Activity", "PutItem"),
    "Operate": _tables("Activity", "PutItem") | COMMANDS,
    "Administer": _tables("Activity", "PutItem") | COMMANDS | _tables("Organisations", "UpdateItem"),
}
LOOKING = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "s3:GetObject"}


def people_find_their_policies_by_name(template):
    """IAM Identity Center takes a policy by its name. IAM knows no regions, so the name has the region."""
    for resource, properties in resources(template, "AWS::IAM::ManagedPolicy").items():
        wanted = "${AWS::StackName}-" + resource.removesuffix("Policy").lower() + "-${AWS::Region}"
        if one_name(properties.get("ManagedPolicyName")) != wanted:
            yield f"{resource} is not named {wanted}"
    for resource, properties in resources(template, "AWS::IAM::Role").items():
        if "RoleName" in properties:
            yield f"{resource} has a RoleName, by which nothing finds it"


BOUNDARY = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}


def every_role_takes_a_boundary(template):
    """A company that requires a permissions boundary refuses a single role without it."""
    for resource, properties in resources(template, "AWS::IAM::Role").items():
        if properties.get("PermissionsBoundary") != BOUNDARY:
            yield f"{resource} does not take PermissionsBoundaryArn"


# What of the template outlives its stack, and is not left behind by a first deployment that failed.
KEPT = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret", "AWS::S3::Bucket", "AWS::Backup::BackupVault")


def what_cannot_be_had_again_outlives_the_stack(template):
    """Rows, messages, keys and records stay when a stack goes; a creation that is undone leaves nothing in the way."""
    for kind in KEPT:
        for name in resources(template, kind):
            resource = template["Resources"][name]
            if (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("RetainExceptOnCreate", "Retain"):
                yield f"{name} does not outlive its stack, or is left behind by a creation that failed"


def the_key_of_tokens_stays(template):
    """Another recipe makes another key, in place of the one with which the tokens are encrypted."""
    recipe = resources(template, "AWS::SecretsManager::Secret")["GrantsKeySecret"].get("GenerateSecretString")
    if recipe != KEY_RECIPE:
        yield "GrantsKeySecret has another recipe: CloudFormation would replace the key, and every user has to authorise again"


def the_console_only_looks(template):
    """Pages change nothing: orders are carried out by the functions that check them."""
    roles = resources(template, "AWS::IAM::Role")
    for owner, more in MORE_THAN_LOOKING.items():
        pairs = granted(roles.get(f"{owner}Role", {})) - _own_log(owner) - more
        for action, resource in sorted(pair for pair in pairs if pair[0] not in LOOKING):
            yield f"{owner} may {action} on {resource}, which is more than looking"


def roles_fit_what_the_table_crate_calls(template):
    """A call without a permission fails only when it is deployed; a permission without a call is never noticed."""
    called = {f"dynamodb:{name}" for name in operations.CODE["dynamodb_calls"]}
    allowed = {
        action
        for role in resources(template, "AWS::IAM::Role").values()
        for action, _ in granted(role)
        if action.startswith("dynamodb:")
    }
    for action in sorted(called - allowed):
        yield f"shared/table makes calls that need {action}, which no role allows"
    # Lambda itself reads the streams.
    for action in sorted(allowed - called - {f"dynamodb:{name}" for name in (*STREAM, "ListStreams")}):
        yield f"a role allows {action}, which shared/table never needs"


def tables_survive_mistakes(template):
    """Every table can be restored to any second, is encrypted, and outlives its stack."""
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        wanted = {
            "billed on demand": table.get("BillingMode") == "PAY_PER_REQUEST",
            "restorable to any second": table.get("PointInTimeRecoverySpecification")
            == {"PointInTimeRecoveryEnabled": True},
            # With a key that DynamoDB owns, which is free: one that AWS keeps in the account costs for each use and guards
            # nothing more.
            "encrypted with DynamoDB's own key": table.get("SSESpecification") == {"SSEEnabled": False},
            "protected against deletion": table.get("DeletionProtectionEnabled") == {"Ref": "DeletionProtection"},
        }
        for wish in (wish for wish, holds in wanted.items() if not holds):
            yield f"{name} is not {wish}"
        if not str(one_name(table.get("TableName"))).startswith("${AWS::StackName}-"):
            yield f"{name} is not named after its stack"


def logs_are_kept_for_a_set_time(template):
    """Each function writes JSON into a log group of its own, which forgets at last."""
    groups = resources(template, "AWS::Logs::LogGroup")
    for function, properties in functions(template).items():
        logging = properties.get("LoggingConfig", {})
        if logging.get("LogFormat") != "JSON" or one_name(logging.get("LogGroup")) != f"{function}LogGroup":
            yield f"{function} does not write JSON into {function}LogGroup"
        elif "RetentionInDays" not in groups.get(f"{function}LogGroup", {}):
            yield f"{function}LogGroup keeps its lines for ever"


def environment_is_read_by_the_code(template):
    """A variable set here and read nowhere is a misspelling. `facts/code.json` lists those of each crate, and a test of
    `tests/documents` looks for each of them in the code."""
    given = {}
    for properties in functions(template).values():
        own = properties.get("Environment", {}).get("Variables", {})
        variables = given.setdefault(properties["CodeUri"], set())
        variables.update(template["Globals"]["Function"]["Environment"]["Variables"], own)
    listed = operations.CODE["environment"]
    for crate in sorted(given.keys() | listed.keys()):
        for variable in sorted(given.get(crate, set()) ^ set(listed.get(crate, []))):
            yield f"{crate}: {variable} is set in the template or listed in infra/ci/facts/code.json, and not both"


SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
EARLIEST_HOUR = 4


def schedules(template):
    """Function, the schedule's name and its properties, for every schedule."""
    for function, properties in functions(template).items():
        for name, event in properties.get("Events", {}).items():
            if event["Type"] in ("Schedule", "ScheduleV2"):
                yield function, name, event["Properties"]


def schedules_lose_no_night(template):
    """A schedule comes at the minute it names, in a zone if it names an hour; failed events are kept and watched."""
    dead_letters = "SchedulesDeadLetterQueue.Arn"
    for function, name, schedule in schedules(template):
        if one_name(schedule.get("RoleArn")) != "SchedulerRole.Arn":
            yield f"the schedule {name} has another role than SchedulerRole"
        if one_name(schedule.get("DeadLetterConfig", {}).get("Arn")) != dead_letters:
            yield f"the schedule {name} does not keep what it could not deliver"
        if not {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"} <= schedule.get("RetryPolicy", {}).keys():
            yield f"the schedule {name} does not say how long it is tried"
        if schedule.get("FlexibleTimeWindow") != {"Mode": "OFF"}:
            yield f"the schedule {name} may come at another minute than it says"
        daily = "cron" in str(schedule["ScheduleExpression"])
        if daily and "ScheduleExpressionTimezone" not in schedule:
            yield f"the schedule {name} names an hour and no time zone"
        given = schedule.get("Input", "{}")
        given = json.loads(given.get("Fn::Sub") if isinstance(given, dict) else given)
        if daily and SCHEDULED_TIME not in given.values():
            yield f"the schedule {name} does not carry its own time, by which the function knows the night"
        config = functions(template)[function].get("EventInvokeConfig", {})
        failed = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if one_name(failed) != dead_letters or "MaximumRetryAttempts" not in config:
            yield f"what {name} asks of {function} is lost when it fails"


def the_night_has_an_hour_that_exists(template):
    """Clocks that are put forward skip an hour before 04:00: a schedule then would miss a night, or come twice."""
    for parameter in ("UploadTime", "FullSweepTime", "CertificateTime", "DigestTime"):
        pattern = re.compile(template["Parameters"][parameter]["AllowedPattern"])
        times = ((hour, minute) for hour in range(25) for minute in range(61))
        for hour, minute in times:
            time = f"{hour:02}:{minute:02}"
            exists = EARLIEST_HOUR <= hour < 24 and minute < 60
            if bool(pattern.search(time)) != exists:
                yield f"{parameter} {'refuses' if exists else 'accepts'} {time}"
                break


def alarms_watch_what_is_measured(template):
    """An alarm on a metric that nothing writes never rings."""
    for name, metric in watched_metrics(template):
        if metric["Namespace"].startswith("AWS/"):
            continue
        dimension, = metric["Dimensions"]
        if metric["Namespace"] != operations.NAMESPACE:
            yield f"{name} looks into the namespace {metric['Namespace']}, which is not ours"
        if dimension != {"Name": operations.DIMENSION, "Value": {"Ref": "AWS::StackName"}}:
            yield f"{name} looks for the dimension {dimension['Name']} of {dimension['Value']}, which is not ours"
        if metric["MetricName"] not in operations.kept():
            yield f"{name} watches {metric['MetricName']}, which CloudWatch does not keep"
    variables = template["Globals"]["Function"].get("Environment", {}).get("Variables", {})
    if variables.get("STACK_NAME") != {"Ref": "AWS::StackName"}:
        yield "the functions do not know the name of their stack, by which alarms find their numbers"


def dead_letters_are_all_within_reach(template):
    """A person looks at every dead-letter queue, and has it emptied, by one function, which knows all of them."""
    role = resources(template, "AWS::IAM::Role")["OperationsRole"]
    variables = functions(template)["Operations"]["Environment"]["Variables"]
    known = {str(one_name(value)) for value in variables.values()}
    for name in resources(template, "AWS::SQS::Queue"):
        if not name.endswith("DeadLetterQueue"):
            continue
        if name not in known or ("sqs:ReceiveMessage", f"{name}.Arn") not in granted(role):
            yield f"no function can look into {name}"
        source = name.replace("DeadLetterQueue", "Queue")
        # The work of a schedule is done by the next one.
        is_queue = source in resources(template, "AWS::SQS::Queue") and source != "SchedulesQueue"
        if is_queue and (source not in known or ("sqs:SendMessage", f"{source}.Arn") not in granted(role)):
            yield f"what is in {name} cannot be sent to {source} again"


def panics_stay_inside_one_invocation(_, manifest=None):
    """cargo-lambda builds with `panic = "abort"` unless the profile says otherwise in so many words; then a panic
    takes the whole process down, instead of being reported as the failure of one invocation."""
    manifest = manifest or tomllib.loads((sam_template.ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    if manifest.get("profile", {}).get("release", {}).get("panic") != "unwind":
        yield 'Cargo.toml does not set panic = "unwind" in [profile.release], so cargo-lambda builds with abort'


RULES = (
    visibility_outlasts_the_function,
    triggers_answer_item_by_item,
    loops_are_allowed_where_they_are_meant,
    nothing_is_lost_in_a_queue,
    streams_neither_lose_nor_block,
    each_role_allows_exactly_its_list,
    grants_are_altered_by_their_own_keys,
    the_key_of_tokens_stays,
    promises_are_kept,
    people_may_exactly_what_is_listed,
    the_console_only_looks,
    people_find_their_policies_by_name,
    people_have_a_second_factor,
    rows_of_the_log_stay,
    every_role_takes_a_boundary,
    what_cannot_be_had_again_outlives_the_stack,
    roles_fit_what_the_table_crate_calls,
    tables_survive_mistakes,
    logs_are_kept_for_a_set_time,
    environment_is_read_by_the_code,
    schedules_lose_no_night,
    the_night_has_an_hour_that_exists,
    alarms_watch_what_is_measured,
    dead_letters_are_all_within_reach,
    panics_stay_inside_one_invocation,
)


def main():
    template = sam_template.load()
    found = [sentence for rule in RULES for sentence in rule(template)]
    for sentence in found:
        print(f"template: {sentence}")
    if found:
        return 1
    pairs = sum(len(pairs) for pairs in ALLOWED.values())
    print(f"template: {len(RULES)} rules hold; {len(ALLOWED)} roles allow exactly their {pairs} listed pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
