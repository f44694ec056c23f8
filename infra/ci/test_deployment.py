"""Checks the promises to people who deploy: parameters are right as they are, outputs lead on, and nothing is lost with
the stack."""

import json
import re
import unittest

import operations
import sam_template
from operations import substituted
from sam_template import resources

# The most that CloudFormation takes, and the longest that it watches, in minutes.
TRIGGERS_MAX, MINUTES_MAX = 5, 180


def accepts(parameter, value):
    """Whether CloudFormation takes a value for a parameter."""
    if "AllowedValues" in parameter:
        return value in [str(each) for each in parameter["AllowedValues"]]
    if "AllowedPattern" in parameter:
        return re.search(parameter["AllowedPattern"], value) is not None
    return value.isdigit() and parameter["MinValue"] <= int(value) <= parameter["MaxValue"]


class Deployment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.parameters = cls.template["Parameters"]
        cls.outputs = cls.template["Outputs"]

    def test_every_parameter_has_a_default_that_it_accepts_and_says_what_it_is(self):
        for name, parameter in self.parameters.items():
            with self.subTest(name):
                self.assertTrue(parameter["Description"])
                self.assertTrue(accepts(parameter, str(parameter["Default"])))

    def test_every_parameter_refuses_nonsense_and_says_why(self):
        for name, parameter in self.parameters.items():
            with self.subTest(name):
                self.assertFalse(accepts(parameter, "nonsense !"))
                # A list of values explains itself.
                self.assertTrue("AllowedValues" in parameter or parameter.get("ConstraintDescription"))

    def test_parameters_accept_what_they_are_for(self):
        for name, value, taken in (
            ("XeroApiUrl", "https://api.xero.com/", False), ("XeroApiUrl", "http://127.0.0.1:9400", True),
            ("XeroApiUrl", "http://api.xero.com", False), ("XeroIdentityUrl", "http://identity.xero.com", False),
            ("XeroApiUrl", "http://127.0.0.1.example.com", False), ("XeroApiUrl", "https://api.xero.com", True),
            ("XeroApiUrl", "https://proxy.example.com/xero", True),
            ("PermissionsBoundaryArn", "arn:aws:iam::123456789012:policy/boundary", True),
            ("PermissionsBoundaryArn", "boundary", False),
            ("BackupVaultArn", "arn:aws:backup:us-west-2:123456789012:backup-vault:paymirror", True),
            ("UploadTime", "03:30", False), ("UploadTime", "23:59", True), ("UploadTimeZone", "Sydney", False),
            ("UploadTimeZone", "America/Argentina/Buenos_Aires", True), ("WebhookConcurrencyMax", "0", True),
            ("WebhookConcurrencyMax", "-1", False), ("SweepMinutes", "10", True), ("SweepMinutes", "60", False),
            ("AlarmTopicArn", "", True),
            ("AlarmTopicArn", "arn:aws:sns:ap-southeast-2:123456789012:alarms", True),
            ("AlarmTopicArn", "arn:aws:sqs:ap-southeast-2:123456789012:alarms", False),
            ("AlarmEmail", "", True), ("AlarmEmail", "operators@example.com", True), ("AlarmEmail", "operators", False),
        ):
            with self.subTest(f"{name} {value}"):
                self.assertEqual(accepts(self.parameters[name], value), taken)

    def test_the_sweep_comes_as_often_as_the_parameter_says_and_the_pages_know_it(self):
        # ST-16
        resources = self.template["Resources"]
        schedule = resources["SweepFunction"]["Properties"]["Events"]["HalfHourly"]["Properties"]
        self.assertEqual(schedule["ScheduleExpression"], {"Fn::Sub": "rate(${SweepMinutes} minutes)"})
        for name in ("ConsoleFunction", "OperateFunction", "AdministerFunction"):
            variables = resources[name]["Properties"]["Environment"]["Variables"]
            self.assertEqual(variables["SWEEP_MINUTES"], {"Ref": "SweepMinutes"}, name)

    def test_the_outputs_lead_on(self):
        self.assertEqual(self.outputs["WebhookUrl"]["Value"], {"Fn::GetAtt": ["WebhookFunctionUrl", "FunctionUrl"]})
        self.assertIn("DashboardUrl", self.outputs)
        for name, output in self.outputs.items():
            with self.subTest(name):
                self.assertTrue(output["Description"])

    def test_a_deployment_that_fails_is_undone_by_alarms_that_exist(self):
        text = substituted(self.template, self.outputs["RollbackConfiguration"]["Value"]["Fn::Sub"])
        configuration = json.loads(text)
        triggers = configuration["RollbackTriggers"]
        self.assertLessEqual(len(triggers), TRIGGERS_MAX)
        self.assertLessEqual(configuration["MonitoringTimeInMinutes"], MINUTES_MAX)
        slugs = {alarm["Slug"]: alarm for alarm in operations.alarms(self.template).values()}
        for trigger in triggers:
            self.assertEqual(trigger["Type"], "AWS::CloudWatch::Alarm")
            alarm = slugs[trigger["Arn"].rpartition(":")[2].removeprefix(f"{operations.STACK}-")]
            # A missing number would undo a deployment for nothing, and a slow alarm rings when it is over.
            self.assertEqual(alarm["TreatMissingData"], "notBreaching")
            self.assertLessEqual(alarm["Period"] * alarm["EvaluationPeriods"], 15 * 60)
            self.assertEqual({each["Namespace"] for each in alarm["Series"]}, {"AWS/Lambda"})

    def test_an_address_is_enough_for_alarms_and_the_digest_to_arrive(self):
        # CC-20
        there = {name: each for name, each in self.template["Resources"].items() if each["Type"].startswith("AWS::SNS::")}
        self.assertEqual({each["Condition"] for each in there.values()}, {"HasAlarmEmail"})
        self.assertEqual(there["AlarmSubscription"]["Properties"],
                         {"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}})
        statement, = there["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"]["Service"], ["cloudwatch.amazonaws.com", "events.amazonaws.com"])
        # CloudWatch may not use the key that AWS has for topics.
        self.assertNotIn("KmsMasterKeyId", there["AlarmTopic"]["Properties"])
        rule = self.template["Resources"]["DigestRule"]
        self.assertEqual(rule["Condition"], "HasOperators")
        targets = [each["Fn::If"] for each in rule["Properties"]["Targets"]]
        self.assertEqual([(condition, target["Arn"]) for condition, target, _ in targets],
                         [("HasAlarmTopic", {"Ref": "AlarmTopicArn"}), ("HasAlarmEmail", {"Ref": "AlarmTopic"})])

    def test_what_people_may_do_fits_into_a_policy(self):
        for name, policy in resources(self.template, "AWS::IAM::ManagedPolicy").items():
            document = json.dumps(policy["PolicyDocument"], separators=(",", ":"))
            # Each reference becomes an ARN of at most this length, with a long name of a stack.
            text = re.sub(r'\{"(?:Fn::\w+|Ref)":(?:"[^"]*"|\[[^\]]*\])\}', '"' + "x" * 90 + '"', document)
            with self.subTest(name):
                self.assertLess(len(text), 6144)

    def test_what_functions_may_do_fits_into_their_roles_and_all_of_it_into_a_stack(self):
        for name, role in resources(self.template, "AWS::IAM::Role").items():
            documents = (json.dumps(policy["PolicyDocument"], separators=(",", ":")) for policy in role.get("Policies", []))
            text = "".join(re.sub(r'\{"(?:Fn::\w+|Ref)":(?:"[^"]*"|\[[^\]]*\])\}', '"' + "x" * 90 + '"', each) for each in documents)
            with self.subTest(name):
                self.assertLess(len(text), 10_240)
        # The most that CloudFormation takes, and room for what SAM makes of a function: its permissions, triggers and schedules.
        self.assertLess(len(self.template["Resources"]) * 2, 500)
        self.assertLess(len(self.outputs), 200)
        self.assertLess(len(self.parameters), 200)
        self.assertLess(len(sam_template.PATH.read_bytes()), 500_000)

    # Rows that Xero, the next schedule or the next event gives again, or that are of no use a week later.
    NOT_COPIED = {"Messages", "Contacts", "Connections", "Brakes", "Budgets", "Grants", "Certificates", "Feeds", "Shadows", "Sweeps", "SyncRuns"}

    def test_every_table_is_copied_every_week_or_comes_again_by_itself(self):
        selection = self.template["Resources"]["BackupSelection"]["Properties"]["BackupSelection"]
        copied = {sam_template.one_name(each).removesuffix("Table.Arn") for each in selection["Resources"]}
        tables = {name.removesuffix("Table") for name in resources(self.template, "AWS::DynamoDB::Table")}
        self.assertEqual(copied | self.NOT_COPIED, tables)
        self.assertEqual(copied & self.NOT_COPIED, set())

    def test_no_table_goes_with_the_stack_or_by_mistake(self):
        # A first deployment that fails is undone only if it is off; `infra/account/deploy.py` switches it on.
        self.assertEqual(self.parameters["DeletionProtection"]["Default"], "false")
        tables = resources(self.template, "AWS::DynamoDB::Table")
        self.assertGreater(len(tables), 20)
        for name, table in tables.items():
            resource = self.template["Resources"][name]
            with self.subTest(name):
                self.assertEqual((resource["DeletionPolicy"], resource["UpdateReplacePolicy"]), ("RetainExceptOnCreate", "Retain"))
                self.assertEqual(table["DeletionProtectionEnabled"], {"Ref": "DeletionProtection"})


if __name__ == "__main__":
    unittest.main()
