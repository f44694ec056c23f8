"""Checks that the runbook can be followed: it has the commands that operators need, its links lead somewhere, and it names
nothing that the stack does not have."""

import json
import re
import unittest

import operations
import sam_template
from operations import RUNBOOK, STACK, headings, physical
from sam_template import ROOT, resources
from template_rules import PEOPLE

# The parts of every paragraph about a trouble, in this order.
PARTS = ("*You notice*", "*For the money*", "*Do*", "*It is over*")
# Paragraphs of another kind.
FREE = {"Costs": ("*You notice*", "*Do*")}
# Those who may do these restore, deploy and pay.
ADMINISTRATORS = {"Disaster recovery", "Roll back a deployment", "Costs"}
# What the commands of all other paragraphs need. Records of CloudTrail (`aws s3`) are for administrators as well.
ACTIONS = {
    ("cloudformation", "describe-stacks"): {"cloudformation:DescribeStacks"},
    ("dynamodb", "execute-statement"): {"dynamodb:PartiQLSelect"},
    ("dynamodb", "update"): {"dynamodb:PartiQLUpdate"},
    ("lambda", "invoke"): {"lambda:InvokeFunction"},
    ("scheduler", "get-schedule"): {"scheduler:GetSchedule"},
    ("secretsmanager", "put-secret-value"): {"secretsmanager:PutSecretValue"},
    ("sqs", "get-queue-attributes"): {"sqs:GetQueueAttributes"},
    ("sqs", "get-queue-url"): {"sqs:GetQueueUrl"},
    ("sqs", "start-message-move-task"): {"sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"},
}
WANTED = (
    "Which cause it is", "Dead letters", "Rotate the webhook key", "Rotate Xero credentials", "Re-enable the webhook", "Re-enable uploads",
    "A mass change was stopped", "Restore a deleted payment", "Replay parked work", "Replay a day", "Change the prefix",
    "A grant is about to expire or dead", "Tokens may have leaked", "The night did not run", "The digest does not come", "Unknown uploads", "The certificate is not complete",
    "Disaster recovery", "Roll back a deployment", "Costs",
)


class Runbook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = RUNBOOK.read_text(encoding="utf-8")
        cls.template = sam_template.load()
        cls.paragraphs = dict(
            part.split("\n", 1) for part in re.split(r"^## ", cls.text, flags=re.MULTILINE)[1:]
        )
        cls.blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", cls.text, re.DOTALL | re.MULTILINE)

    def test_everything_that_may_happen_has_its_paragraph(self):
        for heading in WANTED:
            self.assertIn(heading, self.paragraphs)

    def test_every_paragraph_says_how_it_is_noticed_what_it_means_what_to_do_and_when_it_is_over(self):
        for heading, text in self.paragraphs.items():
            with self.subTest(heading):
                places = [text.find(part) for part in FREE.get(heading, PARTS)]
                self.assertNotIn(-1, places)

    def test_every_needed_command_has_its_payload(self):
        """That a function understands its payloads, a test of the function tries."""
        seen = set()
        for block in self.blocks:
            joined = block.replace("\\\n", " ")
            for function, payload in re.findall(r"--function-name paymirror-(\w+) .*?--payload '([^']*)'", joined):
                seen.add((function, next(iter(json.loads(payload)))))
            self.assertEqual(joined.count("--payload"), len(re.findall(r"--payload '[^']*'", joined)))
        for wish in (("sweep", "check"), ("sweep", "scheduled_time"), ("upload", "catch_up"), ("operations", "command")):
            self.assertIn(wish, seen)

    def test_every_needed_command_has_its_line(self):
        """That the command line takes these, a test of the command line tries."""
        seen = {name for block in self.blocks for name in re.findall(r"cargo run -- command ([a-z-]+)", block)}
        for name in ("sync-now", "restore", "replay", "preview-replay", "approve-mass-change", "redrive", "look-at-dead-letters",
                     "discard", "authorise", "connect", "preview-plan", "enable-uploads", "solve", "do-not-send", "announce-again"):
            self.assertIn(name, seen)

    def test_other_json_in_commands_can_be_read(self):
        for block in self.blocks:
            for text in re.findall(r"'(\{.*?\})'", block):
                json.loads(text)

    def test_every_alarm_that_is_named_exists(self):
        slugs = self.slugs()
        for heading, text in self.paragraphs.items():
            noticed = text.partition("*For the money*")[0]
            for name in re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", noticed):
                with self.subTest(f"{heading}: {name}"):
                    self.assertIn(name, slugs | {"events-dlq"})

    def slugs(self):
        both = operations.alarms(self.template) | operations.voices(self.template)
        return {alarm["Slug"] for alarm in both.values()}

    def test_every_alarm_is_named_in_its_paragraph(self):
        for name, alarm in (operations.alarms(self.template) | operations.voices(self.template)).items():
            noticed = self.paragraphs[operations.runbook_of(alarm)].partition("*For the money*")[0]
            with self.subTest(name):
                self.assertIn(f"`{alarm['Slug']}`", noticed)

    def test_every_cause_leads_to_a_paragraph_that_knows_its_alarm_and_names_what_is_written(self):
        """Of which numbers a cause is made, `test_alarms.py` tries."""
        aws = {metric for _, metric in operations.catalogue()[1]}
        ours = {number for _, number in operations.catalogue()[0]}
        for cause, row in operations.causes().items():
            with self.subTest(cause):
                heading, = re.findall(r"\[(.+?)\]", row["what to do"])
                alarm, = operations.words(row["alarm"])
                self.assertIn(f"`{alarm}`", self.paragraphs[heading].partition("*For the money*")[0])
                for name in re.findall(r"`([A-Z]\w+)`", row["field or metric"]):
                    self.assertIn(name, aws | ours)

    def test_every_metric_that_is_named_is_written(self):
        written = {name for function in operations.functions() for name in operations.emitted(function)}
        written |= {metric for _, metric in operations.catalogue()[1]} | self.template["Outputs"].keys() | self.template["Parameters"].keys()
        for name in re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", self.text):
            with self.subTest(name):
                self.assertIn(name, written)

    def test_what_commands_name_is_in_the_stack(self):
        names = {"paymirror/xero-webhook", "paymirror/xero-api", "paymirror/grants-key"}
        for kind in ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Serverless::Function"):
            names |= {physical(self.template, {"Ref": name}) for name in resources(self.template, kind)}
        for function in resources(self.template, "AWS::Serverless::Function").values():
            for event in function.get("Events", {}).values():
                if "Name" in event["Properties"]:
                    names.add(physical(self.template, event["Properties"]["Name"]))
        secrets = {physical(self.template, each["Name"])
                   for each in resources(self.template, "AWS::SecretsManager::Secret").values()}
        self.assertLessEqual(secrets, names)
        for name in re.findall(rf"\b{STACK}[-/][\w/-]+", "\n".join(self.blocks)):
            with self.subTest(name):
                self.assertIn(name.removesuffix("-restored"), names | {f"{STACK}-"})

    def test_responders_may_what_commands_do(self):
        """What is typed in paragraphs other than those of administrators of the account, and what the policy allows."""
        typed = set()
        for heading, text in self.paragraphs.items():
            if heading in ADMINISTRATORS:
                continue
            for block in re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
                for service, operation in re.findall(r"\baws ([a-z]+) ([a-z-]+)", block):
                    if service != "s3":
                        typed.add((service, operation))
                if "UPDATE" in block:
                    typed.add(("dynamodb", "update"))
        self.assertEqual(typed, set(ACTIONS))
        allowed = {action for action, _ in PEOPLE["Responder"]}
        for actions in ACTIONS.values():
            self.assertLessEqual(actions, allowed)
        tables = {table.lower() for table in re.findall(r'FROM "paymirror-(\w+)"', self.text)}
        may = {resource.removesuffix("Table.Arn").lower() for action, resource in PEOPLE["Responder"]
               if action == "dynamodb:PartiQLSelect"} | {"uploads"}
        self.assertLessEqual({table.replace("_", "") for table in tables}, may)

    def test_every_link_leads_somewhere(self):
        for path in ("runbook.md", "metrics.md", "queries.md"):
            text = (ROOT / "infra" / path).read_text(encoding="utf-8")
            for target in re.findall(r"\]\(([^)\s]+)\)", text.replace("\n", " ")):
                file, _, anchor = target.partition("#")
                linked = ROOT / "infra" / (file or path)
                with self.subTest(f"{path}: {target}"):
                    self.assertTrue(linked.exists())
                    if anchor:
                        anchors = [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings(linked)]
                        self.assertIn(anchor, anchors)


if __name__ == "__main__":
    unittest.main()
