"""Checks what the scripts of infra/account find in an account, and that each finding says what to do."""

import json
import re
import sys
import unittest
from unittest import mock

import sam_template
from sam_template import ROOT, resources

sys.path.insert(0, str(ROOT / "infra/account"))

import adopt  # noqa: E402
import checks  # noqa: E402
import deploy  # noqa: E402
import facts  # noqa: E402
import restore  # noqa: E402
import template  # noqa: E402
import token_key  # noqa: E402

TEXT = template.PATH.read_text(encoding="utf-8")


def well(**changes):
    """An account and a machine in which nothing is wrong, but for the changes."""
    found = checks.Facts(
        "paymirror", "ap-southeast-2", "123456789012", quota=1000, status="", rust=(1, 95, 0), rust_wanted=(1, 95),
        tools={"aws": (2, 31), "sam": (1, 170, 0), "cargo-lambda": (1, 9, 2), "zig": (0, 17, 1)},
        targets=("x86_64-unknown-linux-gnu",))
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def found(**changes):
    return checks.findings(well(**changes))


class Checks(unittest.TestCase):
    def test_a_machine_and_an_account_in_which_all_is_well_have_no_finding(self):
        self.assertEqual(found(), [])
        self.assertEqual(found(status="UPDATE_COMPLETE", left={"tables": ["paymirror-payments"]}), [])

    def only(self, stops, *words, **changes):
        finding, = found(**changes)
        self.assertEqual(finding.stops, stops)
        for word in words:
            self.assertIn(word, f"{finding.what} {finding.do}")

    def test_a_tool_that_is_missing_or_old_stops(self):
        tools = well().tools
        self.only(True, "sam is not installed", "aws-tools.txt", tools=tools | {"sam": None})
        self.only(True, "cargo-lambda is 1.8", "1.9.2 is needed", tools=tools | {"cargo-lambda": (1, 8)})
        self.only(True, "rustup toolchain install 1.95", rust=(1, 80, 0))
        self.only(True, "rustup target add aarch64-unknown-linux-gnu", architecture="arm64")

    def test_a_small_quota_stops_nothing_and_nothing_is_reserved(self):
        self.only(False, "10 functions", "request-service-quota-increase", quota=10)
        self.assertEqual(checks.parameters(well(quota=10), {})["WebhookConcurrencyMax"], "0")
        self.assertEqual(checks.parameters(well(quota=119), {})["WebhookConcurrencyMax"], "0")
        self.assertEqual(checks.parameters(well(quota=120), {})["WebhookConcurrencyMax"], "20")

    def test_a_person_and_a_stack_that_is_there_are_asked_first(self):
        self.assertEqual(checks.parameters(well(), {"WebhookConcurrencyMax": "5"})["WebhookConcurrencyMax"], "5")
        self.assertEqual(checks.parameters(well(status="UPDATE_COMPLETE"), {}), {"Architecture": "x86_64"})

    def test_a_stack_that_failed_says_how_to_go_on(self):
        self.only(False, "It is deleted now", status="ROLLBACK_COMPLETE")
        for status in ("CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"):
            self.only(True, status, "delete-stack", status=status)
        self.only(True, "continue-update-rollback", status="UPDATE_ROLLBACK_FAILED")
        self.only(True, "Wait", status="UPDATE_IN_PROGRESS")

    def test_what_an_earlier_stack_left_stops_and_can_be_adopted(self):
        self.only(True, "paymirror-payments", "adopt.py", left={"tables": ["paymirror-payments"]})
        self.only(True, "restore-secret", dying_secrets=("paymirror/xero-api",))

    def test_tables_that_are_not_protected_are_protected_at_the_end(self):
        self.only(False, "not protected", status="CREATE_COMPLETE", protected=False)


class FakeAws:
    """Answers as AWS would, and keeps what it was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def call(self, service, operation, **arguments):
        self.asked.append((service, operation, arguments))
        answer = self.answers[operation.replace("-", "_")]
        return answer(**arguments) if callable(answer) else answer

    found = call


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()

    def test_the_template_is_read_as_it_is_meant(self):
        kept = {name for kind in template.KEPT for name in resources(self.template, kind)}
        self.assertEqual({logical for logical, *_ in template.names(TEXT, "paymirror")}, kept)
        self.assertEqual(set(template.blocks(TEXT)), set(self.template["Resources"]))
        names = [name for *_, name in template.names(TEXT, "s")]
        self.assertIn("s-held_payments", names)
        self.assertIn("s/xero-api", names)

    def test_what_is_taken_in_is_a_template_of_its_own_and_stays_when_that_goes(self):
        text = template.for_taking_in(TEXT, ["IntakeQueue", "ActivityTable", "XeroApiSecret"])
        found = sam_template.yaml.load(text, sam_template._Loader)
        self.assertEqual(set(found["Resources"]), {"IntakeQueue", "ActivityTable", "XeroApiSecret"})
        for resource in found["Resources"].values():
            self.assertEqual(resource["DeletionPolicy"], "RetainExceptOnCreate")
        # Its dead letters are not there.
        self.assertNotIn("RedrivePolicy", found["Resources"]["IntakeQueue"]["Properties"])
        self.assertEqual(found["Resources"]["ActivityTable"], self.template["Resources"]["ActivityTable"])
        everything = template.for_taking_in(TEXT, [logical for logical, *_ in template.names(TEXT, "s")])
        # The most that CloudFormation takes without a bucket.
        self.assertLess(len(everything.encode()), 51_200)

    def test_a_secret_that_is_being_deleted_is_not_taken_for_one_that_is_there(self):
        aws = FakeAws(
            get_caller_identity={"Account": "1"}, get_account_settings={"AccountLimit": {"ConcurrentExecutions": 10}},
            describe_stacks=None, list_tables={"TableNames": ["paymirror-payments", "paymirror-dev-payments"]}, list_queues={},
            list_secrets={"SecretList": [{"Name": "paymirror/xero-api", "ARN": "a", "DeletedDate": 1}]})
        account = well()
        facts.of_account(account, aws, TEXT)
        self.assertEqual(account.left, {"tables": ["paymirror-payments"]})
        self.assertEqual((account.dying_secrets, account.quota), (("paymirror/xero-api",), 10))

    def test_secrets_are_adopted_by_their_arn_and_queues_by_their_address(self):
        aws = FakeAws(list_tables={"TableNames": ["paymirror-caps"]},
                      list_queues={"QueueUrls": ["https://sqs.example/1/paymirror-intake"]},
                      list_secrets={"SecretList": [{"Name": "paymirror/xero-api", "ARN": "arn:secret"}]})
        wanted = {each["LogicalResourceId"]: each["ResourceIdentifier"] for each in adopt.to_import(aws, "paymirror", TEXT)}
        self.assertEqual(wanted, {
            "CapsTable": {"TableName": "paymirror-caps"}, "XeroApiSecret": {"Id": "arn:secret"},
            "IntakeQueue": {"QueueUrl": "https://sqs.example/1/paymirror-intake"}})

    def test_a_deployment_is_watched_by_alarms_from_the_second_change_on(self):
        configuration = {"RollbackTriggers": [], "MonitoringTimeInMinutes": 15}
        stack = {"Outputs": [{"OutputKey": "RollbackConfiguration", "OutputValue": json.dumps(configuration)}],
                 "Parameters": [{"ParameterKey": "DeletionProtection", "ParameterValue": "false"},
                                {"ParameterKey": "AlarmEmail", "ParameterValue": "operators@example.com"}],
                 "StackStatus": "UPDATE_COMPLETE"}
        aws = FakeAws(update_termination_protection={}, describe_stacks={"Stacks": [stack]}, update_stack={})
        with mock.patch("builtins.print"):
            deploy.protect(aws, "paymirror")
        asked = next(arguments for _, operation, arguments in aws.asked if operation == "update-stack")
        self.assertEqual(asked["RollbackConfiguration"], configuration)
        self.assertEqual(asked["Parameters"], [{"ParameterKey": "AlarmEmail", "UsePreviousValue": True},
                                               {"ParameterKey": "DeletionProtection", "ParameterValue": "true"}])

    def test_a_table_gets_back_what_the_template_gives_it(self):
        for logical, block in template.blocks(TEXT).items():
            if template.kind(block) == "AWS::DynamoDB::Table":
                properties = self.template["Resources"][logical]["Properties"]
                with self.subTest(logical):
                    self.assertEqual("StreamViewType" in block, "StreamSpecification" in properties)
                    self.assertEqual(re.search(r"TimeToLiveSpecification: {AttributeName: (\w+)", block) is not None,
                                     "TimeToLiveSpecification" in properties)


class Store:
    """Secrets Manager and DynamoDB of one stack, as far as the key of tokens is concerned."""

    def __init__(self, secret, rows):
        self.secret, self.rows = secret, rows

    def call(self, service, operation, **arguments):
        if operation == "get-secret-value":
            return {"SecretString": json.dumps(self.secret)}
        if operation == "put-secret-value":
            self.secret = json.loads(arguments["SecretString"])
            return {}
        # In two pages.
        rows = [{"encrypted_with": {"S": name}} for name in self.rows]
        return {"Items": rows[1:]} if "ExclusiveStartKey" in arguments else {"Items": rows[:1], "LastEvaluatedKey": {}}


class TokenKey(unittest.TestCase):
    def test_keys_have_the_names_that_functions_write(self):
        # The same in shared/access/src/token_cipher.rs.
        self.assertEqual(token_key.name_of("a" * 64), "152310f958c2c768")

    def test_a_new_key_stands_first_and_an_old_one_goes_when_no_row_has_it(self):
        old, older = "o" * 64, "p" * 64
        store = Store({"token_key": old, "older_token_keys": [older]}, [token_key.name_of(old)] * 2)
        with mock.patch("builtins.print") as printed:
            token_key.renew(store, "paymirror")
            new = store.secret["token_key"]
            self.assertEqual((len(new), store.secret["older_token_keys"]), (64, [old, older]))
            token_key.drop(store, "paymirror")
            self.assertEqual(store.secret, {"token_key": new, "older_token_keys": [old]})
            store.rows = [token_key.name_of(new), token_key.name_of(older)]
            token_key.show(store, "paymirror")
            token_key.drop(store, "paymirror")
        self.assertEqual(store.secret, {"token_key": new})
        said = " ".join(str(call.args[0]) for call in printed.call_args_list)
        self.assertIn(f"{token_key.name_of(older)} is NOT IN THE SECRET: 1 grants", said)
        for key in (new, old, older):
            self.assertNotIn(key, said)

    def test_every_table_has_its_place_among_those_that_are_restored(self):
        names = {name.removeprefix("s-") for _, kind, name in template.names(TEXT, "s") if kind == "AWS::DynamoDB::Table"}
        listed = [*restore.ALONE, *(table for group in restore.GROUPS.values() for table in group)]
        self.assertEqual(sorted(listed), sorted(names))

    def test_a_group_is_restored_whole_and_one_that_is_not_is_named(self):
        self.assertEqual(restore.chosen(["log", "activity", "grants"]), (["activity", "seals", "closes", "reports", "grants"], []))
        tables, (warning,) = restore.chosen(["payments"])
        self.assertEqual(tables, ["payments"])
        self.assertIn("invoices held_payments", warning)
        with self.assertRaises(SystemExit):
            restore.chosen(["pyaments"])

    def test_a_restored_table_of_grants_keeps_the_last_tokens(self):
        pages = iter([{"Items": [{"grant": {"S": "tokens/1"}}], "LastEvaluatedKey": {}}, {"Items": [{"grant": {"S": "tokens/2"}}]}])
        aws = FakeAws(scan=lambda **_: next(pages))
        self.assertEqual([row["grant"]["S"] for row in restore.latest_tokens(aws, "paymirror-grants")], ["tokens/1", "tokens/2"])


class Readme(unittest.TestCase):
    """Commands of the README and of infra/first-deployment.md, as they are printed."""

    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.blocks = {}
        for path in ("README.md", "infra/first-deployment.md"):
            text = (ROOT / path).read_text(encoding="utf-8")
            cls.blocks[path] = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)

    def commands(self):
        for path, blocks in self.blocks.items():
            for block in blocks:
                for line in block.replace("\\\n", " ").splitlines():
                    if line.strip() and not line.strip().startswith("#"):
                        yield path, " ".join(line.split())

    def test_there_are_commands(self):
        self.assertGreater(len(list(self.commands())), 8)

    def test_scripts_are_there_and_know_their_options(self):
        for path, command in self.commands():
            script = re.search(r"python3 (infra/\S+\.py)(.*)", command)
            if script:
                source = (ROOT / script.group(1)).read_text(encoding="utf-8")
                for option in re.findall(r"(--[a-z-]+)", script.group(2)):
                    with self.subTest(f"{path}: {command}"):
                        self.assertIn(f'"{option}"', source)

    def test_parameters_outputs_and_names_exist(self):
        functions = {each["FunctionName"]["Fn::Sub"] for each in resources(self.template, "AWS::Serverless::Function").values()}
        for path, command in self.commands():
            with self.subTest(f"{path}: {command}"):
                if "deploy.py" in command:
                    for name in re.findall(r"([A-Z][a-z]\w+)=", command):
                        self.assertIn(name, self.template["Parameters"])
                for name in re.findall(r"OutputKey=='(\w+)'", command):
                    self.assertIn(name, self.template["Outputs"])
                for name in re.findall(r"--function-name paymirror-(\w+)", command):
                    self.assertIn("${AWS::StackName}-" + name, functions)
                for name in re.findall(r"--secret-id (\S+)", command):
                    self.assertIn(name, ("paymirror/xero-webhook", "paymirror/xero-api"))

    def test_a_function_is_called_so_that_the_command_line_neither_refuses_nor_repeats_it(self):
        for path, command in self.commands():
            if "aws lambda invoke" in command:
                with self.subTest(f"{path}: {command}"):
                    self.assertRegex(command, r"/dev/stdout")
                    for word in ("--cli-binary-format raw-in-base64-out", "--cli-read-timeout"):
                        self.assertIn(word, command)
                    json.loads(re.search(r"--payload '(.*?)'", command).group(1))


if __name__ == "__main__":
    unittest.main()
