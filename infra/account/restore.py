#!/usr/bin/env python3
"""Brings tables back as they were at a second of the last 35 days, into a system that works again afterwards.

In this order: `stop` (everything but the webhook, which only fills its queue), `tables`, what the runbook says about the
ledger of uploads, `start`. Each may be run again after a failure, and goes on where it was. The table that is spoilt is kept as a
backup of AWS until you delete that.
"""

import argparse
import re
import sys

import template
from aws import Aws, Refused, region_of, wait_until

BACKUP = "before-recovery"
# Tables that are written together are restored to the same second. The name of a group stands for all of them.
GROUPS = {
    "money": ("invoices", "payments", "held_payments", "tombstones", "discrepancies", "uploads", "receipts", "customers", "orders",
              "order_links"),
    "log": ("activity", "seals", "closes", "reports"),
}
# Each of these is restored by itself.
ALONE = ("organisations", "caps", "nights", "notices", "parked", "messages", "contacts", "connections", "brakes", "budgets", "grants",
         "certificates", "feeds", "shadows", "sweeps", "sync_runs")
# Of a trigger on a stream: what a new one has to have as well.
TRIGGER = ("BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "BisectBatchOnFunctionError",
           "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "DestinationConfig", "FunctionResponseTypes")


def say(sentence):
    print(f"restore: {sentence}", flush=True)


# ---------------------------------------------------------------- the functions stop, and start again


def resources(aws, stack, kind):
    """The physical names of the stack's resources of a type."""
    found, more = [], {}
    while True:
        answer = aws.call("cloudformation", "list-stack-resources", StackName=stack, **more)
        found += [each["PhysicalResourceId"] for each in answer["StackResourceSummaries"] if each["ResourceType"] == kind]
        if "NextToken" not in answer:
            return found
        more = {"NextToken": answer["NextToken"]}


def woken_by_schedules(aws, stack):
    """The functions that schedules call."""
    ours = {name.rpartition("|")[2] for name in resources(aws, stack, "AWS::Scheduler::Schedule")}
    there = aws.call("scheduler", "list-schedules", NamePrefix=f"{stack}-")["Schedules"]
    return sorted({each["Target"]["Arn"].rpartition(":function:")[2] for each in there if each["Name"] in ours})


def triggers(aws, stack):
    """Every trigger of the stack's functions, also one that was made by `tables`."""
    ours = set(resources(aws, stack, "AWS::Lambda::Function"))
    there = aws.call("lambda", "list-event-source-mappings")["EventSourceMappings"]
    return [each for each in there if each["FunctionArn"].rpartition(":")[2] in ours]


def switch(aws, stack, enabled):
    for trigger in triggers(aws, stack):
        aws.call("lambda", "update-event-source-mapping", UUID=trigger["UUID"], Enabled=enabled)
        say(f"{trigger['FunctionArn'].rpartition(':')[2]} {'hears' if enabled else 'does not hear'} {trigger['EventSourceArn']}")
    for function in woken_by_schedules(aws, stack):
        if enabled:
            aws.call("lambda", "delete-function-concurrency", FunctionName=function)
        else:
            aws.call("lambda", "put-function-concurrency", FunctionName=function, ReservedConcurrentExecutions=0)
        say(f"{function} {'runs' if enabled else 'does not run'}")


# ---------------------------------------------------------------- a table


def state(aws, table):
    found = aws.found("dynamodb", "describe-table", TableName=table)
    return found["Table"] if found else None


def ready(aws, table):
    """The table as soon as it can be used."""
    def active():
        found = state(aws, table)
        return found if found and found["TableStatus"] == "ACTIVE" else None

    return wait_until(f"{table} is there", active)


def backed_up(aws, table, name):
    """A backup of a table; its ARN."""
    there = aws.call("dynamodb", "list-backups", TableName=table).get("BackupSummaries", [])
    arns = [each["BackupArn"] for each in there if each["BackupName"] == name]
    arn = arns[0] if arns else aws.call("dynamodb", "create-backup", TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]

    def done():
        found = aws.call("dynamodb", "describe-backup", BackupArn=arn)["BackupDescription"]["BackupDetails"]
        return found["BackupStatus"] == "AVAILABLE"

    wait_until(f"{table} is backed up", done)
    return arn


def given_back(aws, table, block):
    """Gives a restored table what it lacks, by its text in the template. Nothing is lost by doing it twice."""
    found = ready(aws, table)
    view = re.search(r"StreamViewType: (\w+)", block)
    if view and not found.get("StreamSpecification", {}).get("StreamEnabled"):
        aws.call("dynamodb", "update-table", TableName=table,
                 StreamSpecification={"StreamEnabled": True, "StreamViewType": view.group(1)})
        ready(aws, table)
    ttl = re.search(r"TimeToLiveSpecification: {AttributeName: (\w+)", block)
    if ttl and not aws.call("dynamodb", "describe-time-to-live", TableName=table)["TimeToLiveDescription"].get("AttributeName"):
        aws.call("dynamodb", "update-time-to-live", TableName=table,
                 TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl.group(1)})
    wait_until(f"{table} can be restored to any second", lambda: recoverable(aws, table))
    aws.call("dynamodb", "update-table", TableName=table, DeletionProtectionEnabled=True)
    return ready(aws, table)


def recoverable(aws, table):
    """Switches recovery to any second on. DynamoDB refuses that for a while after it has made a table."""
    try:
        aws.call("dynamodb", "update-continuous-backups", TableName=table,
                 PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    except Refused as refused:
        if refused.code != "ContinuousBackupsUnavailableException":
            raise
        return False
    return True


def moved_triggers(aws, stack, table, found):
    """Has the functions that listened to the old stream listen to the new one, from its beginning."""
    stream = found.get("LatestStreamArn")
    for trigger in triggers(aws, stack) if stream else []:
        source = trigger["EventSourceArn"]
        if f":table/{table}/stream/" not in source or source == stream:
            continue
        same = {name: trigger[name] for name in TRIGGER if trigger.get(name) not in (None, [], {})}
        aws.call("lambda", "create-event-source-mapping", FunctionName=trigger["FunctionArn"], EventSourceArn=stream,
                 StartingPosition="TRIM_HORIZON", Enabled=False, **same)
        aws.call("lambda", "delete-event-source-mapping", UUID=trigger["UUID"])
        say(f"{trigger['FunctionArn'].rpartition(':')[2]} hears the new {table}, once it is started")


def last_backup(aws, table):
    """The backup that DynamoDB makes of a table that is deleted."""
    there = aws.call("dynamodb", "list-backups", TableName=table, BackupType="SYSTEM").get("BackupSummaries", [])
    if not there:
        sys.exit(f"restore: there is neither a table {table} nor a backup of it")
    return max(there, key=lambda each: str(each["BackupCreationDateTime"]))["BackupArn"]


def source_of(aws, table, copy, moment):
    """A backup of the table as it was at a moment; its ARN."""
    if state(aws, copy) is None:
        if state(aws, table) is None:
            return last_backup(aws, table)
        when = {"RestoreDateTime": moment} if moment else {"UseLatestRestorableTime": True}
        aws.call("dynamodb", "restore-table-to-point-in-time", SourceTableName=table, TargetTableName=copy, **when)
    ready(aws, copy)
    return backed_up(aws, copy, "recovery")


TOKENS = "tokens/"


def latest_tokens(aws, table):
    """The encrypted tokens in `grants`. Xero takes the last ones that it gave, and those of an earlier moment no more."""
    found, more = [], {}
    while True:
        answer = aws.call("dynamodb", "scan", TableName=table, ConsistentRead=True, FilterExpression="begins_with(#grant, :tokens)",
                          ExpressionAttributeNames={"#grant": "grant"}, ExpressionAttributeValues={":tokens": {"S": TOKENS}}, **more)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def chosen(nouns):
    """The tables of these names and groups, each once; and a sentence for each group of which some were left out."""
    tables = list(dict.fromkeys(table for noun in nouns for table in GROUPS.get(noun, (noun,))))
    if unknown := [table for table in tables if table not in ALONE and not any(table in group for group in GROUPS.values())]:
        sys.exit(f"restore: there is no table {' or '.join(unknown)}; groups are {' and '.join(GROUPS)}")
    partly = {name: [each for each in group if each not in tables] for name, group in GROUPS.items() if set(group) & set(tables)}
    return tables, [f"{' '.join(left)}: written together with these, and NOT restored (group {name})" for name, left in partly.items() if left]


def restored(aws, stack, noun, moment):
    """One table, as it was at a moment."""
    table, copy = f"{stack}-{noun}", f"{stack}-{noun}-restored"
    text = template.PATH.read_text(encoding="utf-8")
    logical = {name: each for each, _, name in template.names(text, stack)}.get(table)
    if logical is None:
        sys.exit(f"restore: there is no table {noun} in template.yaml")
    arn = source_of(aws, table, copy, moment)
    tokens = latest_tokens(aws, table) if noun == "grants" and state(aws, table) else []
    if state(aws, table):
        backed_up(aws, table, BACKUP)
        aws.call("dynamodb", "update-table", TableName=table, DeletionProtectionEnabled=False)
        ready(aws, table)
        aws.call("dynamodb", "delete-table", TableName=table)
        wait_until(f"{table} is gone", lambda: state(aws, table) is None)
    aws.call("dynamodb", "restore-table-from-backup", TargetTableName=table, BackupArn=arn)
    found = given_back(aws, table, template.blocks(text)[logical])
    for row in tokens:
        aws.call("dynamodb", "put-item", TableName=table, Item=row)
    moved_triggers(aws, stack, table, found)
    if state(aws, copy):
        aws.call("dynamodb", "delete-table", TableName=copy)
    say(f"{table} is as it was{f' at {moment}' if moment else ' a moment ago'}; its state before that is the backup {BACKUP}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("do", choices=["stop", "tables", "start"])
    arguments.add_argument("nouns", nargs="*", metavar="table", help="tables without the stack's name, such as grants; or a group: " + ", ".join(GROUPS))
    arguments.add_argument("--stack", default="paymirror", help="name of the stack")
    arguments.add_argument("--region", help="that of the AWS command line, if left out")
    arguments.add_argument("--to", help="the moment, such as 2026-11-25T01:00:00Z; the latest possible, if left out")
    given = arguments.parse_args()
    aws = Aws(region_of(given.region))
    if given.do == "tables":
        if not given.nouns:
            sys.exit("restore: name the tables, such as: tables --to 2026-11-25T01:00:00Z money")
        tables, warnings = chosen(given.nouns)
        for warning in warnings:
            say(warning)
        for noun in tables:
            restored(aws, given.stack, noun, given.to)
    else:
        switch(aws, given.stack, enabled=given.do == "start")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"restore: AWS refused: {refused}")
