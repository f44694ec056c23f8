#!/usr/bin/env python3
"""Rehearses what an operator does to a stack, with the scripts of infra/account, in an AWS on this machine.

A first deployment that fails, and the one after it; a table that is restored; a stack of the version before with data, its
upgrade, its end, and one that goes on with what it left. Rows and messages are compared at every step. The functions do not run:
what stands for the program of each is its source.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import ministack
import sam_template
from deployed import without_the_unknown

ACCOUNT = sam_template.ROOT / "infra/account"
FOLDER = sam_template.ROOT / "target/rehearsal"
# The last version whose tables stayed behind when its first deployment failed.
BEFORE = "9e60cbdf630ea3cd4530fcaab8e4d6576ea804e2"
STACK, OLD_STACK = "rehearsal", "rehearsal-before"
MONEY = ("activity", "caps", "invoices", "payments", "uploads")
MESSAGES = ("changes", "intake", "intake-dlq", "uploads")
SECRETS = ("xero-api", "xero-webhook")
# That of a version that had one for each grant, and the key of tokens, which this version makes.
GRANT, KEY = "grants/8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046", "grants-key"


BEGAN = time.monotonic()


def say(sentence):
    print(f"rehearsal: {sentence} ({time.monotonic() - BEGAN:.0f} s)", flush=True)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"rehearsal: FAILED: {what}: found {found}, and {wanted} is right")


class Operator:
    """Types commands, as the README and the runbook have them."""

    def __init__(self, cloud):
        self.cloud, self.environment = cloud, {**os.environ, **cloud.environment(), "SAM_CLI_TELEMETRY": "0",
                                          # Seconds between two looks of SAM at a stack.
                                          "SAM_CLI_POLL_DELAY": "0.5"}

    def types(self, script, *arguments, succeeds=True):
        """Runs one of the scripts; what it printed."""
        command = [sys.executable, str(ACCOUNT / script), *arguments, "--region", ministack.REGION]
        done = subprocess.run(command, check=False, cwd=sam_template.ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if (done.returncode == 0) != succeeds:
            print(done.stdout[-6000:])
            sys.exit(f"rehearsal: FAILED: {script} {' '.join(arguments)} {'failed' if succeeds else 'did not fail'}")
        return done.stdout

    def deploys(self, stack, template, *more, succeeds=True):
        return self.types("deploy.py", "--stack", stack, "--template", str(template), *more, succeeds=succeeds)

    def deploys_the_version_before(self, stack, template):
        """As that version's README said."""
        done = subprocess.run(
            ["sam", "deploy", "--template-file", str(template), "--stack-name", stack, "--region", ministack.REGION, "--resolve-s3",
             "--no-confirm-changeset", "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", "Architecture=x86_64"],
            check=False, cwd=sam_template.ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(done.stdout[-6000:])
            sys.exit("rehearsal: FAILED: the version before could not be deployed")


class Data:
    """Rows, messages and keys of a stack, which nothing may change."""

    def __init__(self, cloud, stack):
        self.tables, self.queues, self.secrets = (cloud.client(name) for name in ("dynamodb", "sqs", "secretsmanager"))
        self.stack = stack

    def put(self, mark):
        """A row in each table of money, a message in queues, and the keys."""
        for noun in MONEY:
            self.tables.put_item(TableName=f"{self.stack}-{noun}", Item=self.row(noun, mark))
        for noun in MESSAGES:
            self.queues.send_message(QueueUrl=self.url(noun), MessageBody=f"{mark} of {noun}")
        for name in SECRETS:
            self.secrets.put_secret_value(SecretId=f"{self.stack}/{name}", SecretString=f'{{"mark":"{mark}"}}')

    def row(self, noun, mark):
        """A row with the table's own keys."""
        keys = self.tables.describe_table(TableName=f"{self.stack}-{noun}")["Table"]["KeySchema"]
        return {key["AttributeName"]: {"S": mark} for key in keys} | {"amount": {"S": "110.00"}}

    def url(self, noun):
        return self.queues.get_queue_url(QueueName=f"{self.stack}-{noun}")["QueueUrl"]

    def rows(self, noun):
        return sorted(str(row) for row in self.tables.scan(TableName=f"{self.stack}-{noun}")["Items"])

    def all(self):
        """Everything, so that it can be compared."""
        found = {noun: self.rows(noun) for noun in MONEY}
        for noun in MESSAGES:
            # A trigger may have received some, which no function has done.
            counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            answer = self.queues.get_queue_attributes(QueueUrl=self.url(noun), AttributeNames=list(counts))
            found[f"messages of {noun}"] = sum(int(answer["Attributes"][count]) for count in counts)
        for name in SECRETS:
            found[name] = self.secrets.get_secret_value(SecretId=f"{self.stack}/{name}")["SecretString"]
        return found

    def left(self):
        """The names of its tables."""
        return sorted(name for name in self.tables.list_tables()["TableNames"] if name.startswith(f"{self.stack}-"))


def status(cloud, stack):
    try:
        return cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except cloud.client("cloudformation").exceptions.ClientError:
        return "gone"


def new_indexes(before, now):
    """The indexes that each table gets by the upgrade: DynamoDB takes one in a deployment."""
    def names(path):
        tables = sam_template.resources(sam_template.load(path), "AWS::DynamoDB::Table")
        return {name: {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
                for name, table in tables.items()}

    old = names(before)
    return {name: sorted(there - old[name]) for name, there in names(now).items() if name in old and there - old[name]}


def quiet(cloud, stack):
    """No trigger takes the messages away: nothing here runs."""
    functions = cloud.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if f":{stack}-" in mapping["FunctionArn"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def templates(folder):
    """What can be deployed into the engine: this version, one that fails at its end, and the version before."""
    def written(name, text):
        path = sam_template.ROOT / f".rehearsal-{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    text = sam_template.PATH.read_text(encoding="utf-8")
    now = without_the_unknown(sam_template.load(), text)
    # A name that SQS refuses stops the creation after everything else was there, as a rule of a company might.
    broken = now.replace("\nOutputs:\n", """
  Refused:
    Type: AWS::SQS::Queue
    DependsOn: [SyncRunsTable, ActivityTable, XeroApiSecret, IntakeQueue, WebhookFunction]
    Properties: {QueueName: is-no-queue-of-this-kind.fifo}

Outputs:
""")
    shown = subprocess.run(["git", "show", f"{BEFORE}:template.yaml"], cwd=sam_template.ROOT, check=False, capture_output=True, text=True)
    if shown.returncode:
        sys.exit(f"rehearsal: the version before ({BEFORE}) is not in this clone: git fetch --unshallow")
    path = folder / "before.yaml"
    path.write_text(shown.stdout, encoding="utf-8")
    before = without_the_unknown(sam_template.load(path), shown.stdout)
    return written("now", now), written("broken", broken), written("before", before)


# ---------------------------------------------------------------- the acts


def a_first_deployment_that_fails(cloud, operator, now, broken):
    """The name of a queue is refused, at the end of the creation. Then the same again, without that."""
    (FOLDER / "first.log").write_text(operator.deploys(STACK, broken, succeeds=False))
    expect("the stack of the deployment that failed", status(cloud, STACK), "ROLLBACK_COMPLETE")
    expect("what is left of it", Data(cloud, STACK).left(), [])
    printed = operator.deploys(STACK, now)
    expect("the stack of the second deployment", status(cloud, STACK), "UPDATE_COMPLETE")
    for words in ("failed and was undone", "protected against deletion", "The webhook's address for Xero"):
        expect(f"that it says “{words}”", words in printed, True)
    table = cloud.client("dynamodb").describe_table(TableName=f"{STACK}-payments")["Table"]
    expect("the protection of the tables", str(table["DeletionProtectionEnabled"]).lower(), "true")
    stack = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    expect("the protection of the stack", stack["EnableTerminationProtection"], True)
    say("a first deployment failed, left nothing behind, and the second one succeeded")


def a_table_that_is_restored(cloud, operator):
    """The log of activity, which has a stream that a function hears; the runs, which expire."""
    quiet(cloud, STACK)
    data = Data(cloud, STACK)
    data.put("before the mishap")
    wanted = data.all()
    operator.types("restore.py", "stop", "--stack", STACK)
    operator.types("restore.py", "tables", "activity", "sync_runs", "--stack", STACK)
    expect("everything in it", data.all(), wanted)
    tables, functions = cloud.client("dynamodb"), cloud.client("lambda")
    found = tables.describe_table(TableName=f"{STACK}-activity")["Table"]
    expect("the stream", found["StreamSpecification"], {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    expect("the protection", found["DeletionProtectionEnabled"], True)
    ttl = tables.describe_time_to_live(TableName=f"{STACK}-sync_runs")["TimeToLiveDescription"]
    expect("that runs expire", ttl.get("AttributeName"), "expires_at")
    for noun in ("activity", "sync_runs"):
        backups = tables.describe_continuous_backups(TableName=f"{STACK}-{noun}")["ContinuousBackupsDescription"]
        expect(f"the recovery of {noun}", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "ENABLED")
    operator.types("restore.py", "start", "--stack", STACK)
    for listener in ("announce", "reconcile"):
        heard = functions.list_event_source_mappings(FunctionName=f"{STACK}-{listener}")["EventSourceMappings"]
        expect(f"what {listener} hears", [each["EventSourceArn"] for each in heard], [found["LatestStreamArn"]])
        expect(f"whether {listener} hears", heard[0]["State"] in ("Enabled", "Enabling"), True)
        limits = (heard[0]["MaximumRetryAttempts"], heard[0]["BisectBatchOnFunctionError"])
        expect(f"the limits of the trigger of {listener}", limits, (100, True))
    quiet(cloud, STACK)
    say("tables were restored: their rows, streams, expiry, recovery, protection and trigger are there")


def the_version_before_and_its_upgrade(cloud, operator, before, now):
    """Tables with rows, queues with messages, and keys, from one version to the next."""
    operator.deploys_the_version_before(OLD_STACK, before)
    quiet(cloud, OLD_STACK)
    data = Data(cloud, OLD_STACK)
    data.put("from the version before")
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name=f"{OLD_STACK}/{GRANT}", SecretString='{"generation":1}')
    wanted = data.all()
    expect("the indexes that tables get by the upgrade", new_indexes(before, now), {"CustomersTable": ["unsynced"], "InvoicesTable": ["unsettled"]})
    operator.deploys(OLD_STACK, now)
    indexes = cloud.client("dynamodb").describe_table(TableName=f"{OLD_STACK}-invoices")["Table"]["GlobalSecondaryIndexes"]
    expect("the indexes of the invoices", sorted(index["IndexName"] for index in indexes),
           ["by_waits_for", "by_xero_invoice_id", "unsettled"])
    quiet(cloud, OLD_STACK)
    expect("what is there after the upgrade", data.all(), wanted)
    stack = cloud.client("cloudformation").describe_stacks(StackName=OLD_STACK)["Stacks"][0]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    expect("the parameters that it had", (given["DeletionProtection"], given["WebhookConcurrencyMax"]), ("true", "20"))
    # Functions read it until the grant is renewed.
    expect("the secret of a grant", secrets.get_secret_value(SecretId=f"{OLD_STACK}/{GRANT}")["SecretString"], '{"generation":1}')
    key = json.loads(secrets.get_secret_value(SecretId=f"{OLD_STACK}/{KEY}")["SecretString"])
    expect("the length of the key of tokens", len(key["token_key"]), 64)
    operator.types("token_key.py", "renew", "--stack", OLD_STACK)
    renewed = json.loads(secrets.get_secret_value(SecretId=f"{OLD_STACK}/{KEY}")["SecretString"])
    expect("the older key after a renewal", renewed["older_token_keys"], [key["token_key"]])
    operator.types("token_key.py", "drop", "--stack", OLD_STACK)
    left = json.loads(secrets.get_secret_value(SecretId=f"{OLD_STACK}/{KEY}")["SecretString"])
    expect("the keys after the older one was dropped", left, {"token_key": renewed["token_key"]})
    say("the version before was upgraded; rows, messages, keys and parameters are the same")
    return data, wanted


def a_stack_that_is_deleted_and_goes_on(cloud, operator, data, wanted, now):
    """Everything outlives it, is in the way of a new one, and is taken in by it."""
    stacks = cloud.client("cloudformation")
    try:
        stacks.delete_stack(StackName=OLD_STACK)
        sys.exit("rehearsal: FAILED: a protected stack could be deleted")
    except stacks.exceptions.ClientError:
        stacks.update_termination_protection(StackName=OLD_STACK, EnableTerminationProtection=False)
    stacks.delete_stack(StackName=OLD_STACK)
    ministack.wait_for("the stack is gone", 120, lambda: status(cloud, OLD_STACK) in ("gone", "DELETE_COMPLETE"))
    expect("what outlives the stack", data.all(), wanted)
    printed = operator.deploys(OLD_STACK, now, succeeds=False)
    expect("that the way out is named", "adopt.py" in printed and "tables of an earlier stack" in printed, True)
    # The engine takes in tables and queues, and says of secrets that it cannot. On the day on which it can, this fails, and
    # --leave goes away.
    printed = operator.types("adopt.py", "--stack", OLD_STACK, succeeds=False)
    expect("what the engine says of secrets", "not supported by this emulator for AWS::SecretsManager::Secret" in printed, True)
    expect("what a try that failed has changed", data.all(), wanted)
    operator.types("adopt.py", "--stack", OLD_STACK, "--leave", "AWS::SecretsManager::Secret")
    for name in (*SECRETS, KEY):
        cloud.client("secretsmanager").delete_secret(SecretId=f"{OLD_STACK}/{name}", ForceDeleteWithoutRecovery=True)
        wanted.pop(name, None)
    operator.deploys(OLD_STACK, now)
    quiet(cloud, OLD_STACK)
    found = {what: each for what, each in data.all().items() if what in wanted}
    expect("what is there in the new stack", found, wanted)
    say("the stack was deleted; rows and messages outlived it, and a new one goes on with them")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    now, broken, before = templates(FOLDER)
    try:
        with ministack.started(FOLDER) as cloud:
            operator = Operator(cloud)
            a_first_deployment_that_fails(cloud, operator, now, broken)
            a_table_that_is_restored(cloud, operator)
            data, wanted = the_version_before_and_its_upgrade(cloud, operator, before, now)
            a_stack_that_is_deleted_and_goes_on(cloud, operator, data, wanted, now)
    finally:
        for path in (now, broken, before):
            Path(path).unlink(missing_ok=True)
    say("all of it came true")


if __name__ == "__main__":
    main()
