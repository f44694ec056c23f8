"""Runs every saved query of Logs Insights over lines as our functions log them, and expects certain rows.

The lines are in `fixtures/log-lines.jsonl`. They are held against the sources: a line that no `tracing` call can write,
or a query on a field that nothing logs, fails.
"""

import json
import re
import unittest

import insights
import insights_tokens
import operations
import sam_template
from operations import STACK, physical
from sam_template import ROOT, resources

FIXTURE = ROOT / "infra/ci/fixtures/log-lines.jsonl"
PAGE = ROOT / "infra/queries.md"
ORGANISATION = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046"
INVOICE = "5d2c8f10-3b7a-4e96-8c41-f0a9b6d7e283"
# Fields that CloudWatch adds to each line.
OF_CLOUDWATCH = {"@timestamp", "@log"}
# Fields that the subscriber adds, and lines of Lambda's own, in the format JSON: see "Lambda system logs" in its guide.
OF_THE_SUBSCRIBER = {"level", "message"}
OF_LAMBDA = {"type", "record.metrics.initDurationMs"}

# For each query the columns to look at, and what they must hold, row by row.
EXPECTED = {
    "failures by class": ("level class times", [
        ("WARN", "Timeout", 2), ("ERROR", None, 1), ("ERROR", None, 1), ("WARN", "Validation", 1), ("WARN", None, 1),
        ("WARN", None, 1), ("WARN", None, 1), ("WARN", None, 1), ("WARN", None, 1), ("ERROR", None, 1),
    ]),
    "one invoice's story": ("message reason class", [
        ("reading an invoice failed; nothing is changed", None, "Timeout"),
        ("invoice left alone", "not_cm_prefix", None),
    ]),
    "one organisation's story": ("@timestamp message", [
        (f"2026-11-25T{at}Z", message) for at, message in (
            ("09:10:00.000", "delivery accepted"), ("09:20:00.000", "delivery accepted"),
            ("09:30:00.000", "organisation swept"), ("10:00:00.000", "organisation swept"),
            ("10:05:00.000", "delivery accepted"), ("10:05:04.000", "reading an invoice failed; nothing is changed"),
            ("10:05:05.000", "reading an invoice failed; nothing is changed"),
            ("10:08:00.000", "delivery not accepted; Xero will send it again"), ("10:30:00.000", "organisation swept"),
            ("10:30:10.000", "connection checked"), ("10:40:00.000", "delivery accepted"),
            ("10:40:59.000", "not read: the same would happen again"), ("10:41:30.000", "invoice left alone"),
            ("10:43:00.500", "message parked"),
            ("10:48:00.000", "the end of a call was not counted; it counts as open a while"),
            ("11:00:04.000", "the night's run failed; what it has not done is done by the next one"),
        )
    ]),
    "slow syncs": ("slowest_ms late invoices.handed_back", [(412_000, 1, 1), (75_000, 0, None), (61_000, 0, 0)]),
    "refused deliveries": ("answer.status times first_seen", [
        (401, 2, "2026-11-25T10:06:00.000Z"), (503, 1, "2026-11-25T10:08:00.000Z"),
    ]),
    "gaps in sequence numbers": ("hour deliveries from_number to_number events missing", [
        ("2026-11-25T09:00:00Z", 2, 1, 4, 4, 0), ("2026-11-25T10:00:00Z", 2, 5, 9, 3, 2),
    ]),
    "parked and why": ("reason problems class invoices.parked", [
        ("invalid_message", 2, None, None), (None, None, None, 1), (None, None, "Validation", None),
    ]),
    "a night's story": ("night payments.uploaded payments.carried error", [
        ("2026-11-25", None, None, "reading from Xero failed: Xero does not answer"),
        (None, 0, 0, None), (None, 200, 30, None),
    ]),
    "calls to Xero by hour": ("hour message calls", [
        ("2026-11-25T11:00:00Z", "upload done", 11), ("2026-11-25T10:00:00Z", "batch done", 5),
        ("2026-11-25T10:00:00Z", "sweep done", 3), ("2026-11-25T09:00:00Z", "sweep done", 2),
        ("2026-11-25T09:00:00Z", "batch done", 1), ("2026-11-25T10:00:00Z", "upload done", 0),
    ]),
    "credential renewals": ("message generation why credentials.new", [
        ("using the secret as it was read earlier", None, None, None), ("credentials read again", None, None, True),
        ("a grant is lost: a user has to authorise again", None, "invalid_grant", None),
        ("grant renewed", 12, None, None),
    ]),
    "what the sweeps did": ("run.state runs calls bytes", [("finished", 2, 4, 8000), ("failed", 1, 1, 0)]),
    "mass changes and invoices left alone": ("message reason times", [
        ("invoice left alone", "not_cm_prefix", 1), ("invoice left alone", "not_cm_prefix", 1),
        ("a mass change is stopped until a person approves", None, 1),
    ]),
    "cold starts": ("starts average_ms p95_ms slowest_ms", [(1, 96.25, 96.25, 96.25), (2, 39.75, 41.5, 41.5)]),
}


def lines():
    """Every line of the fixture, as CloudWatch has it."""
    for text in FIXTURE.read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        yield {"@timestamp": entry["@timestamp"], "@log": entry["@log"], **entry["line"]}


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        template = sam_template.load()
        cls.queries = {}
        for properties in resources(template, "AWS::Logs::QueryDefinition").values():
            title = physical(template, properties["Name"]).removeprefix(f"{STACK}/")
            groups = [physical(template, group) for group in properties["LogGroupNames"]]
            cls.queries[title] = (groups, properties["QueryString"])
        cls.calls = list(operations.log_lines())
        cls.logged = set().union(*(fields for _, fields, _ in cls.calls))

    def test_every_query_finds_what_it_should(self):
        self.assertEqual(sorted(self.queries), sorted(EXPECTED))
        for title, (groups, query) in self.queries.items():
            with self.subTest(title):
                searched = [line for line in lines() if line["@log"].split(":", 1)[1] in groups]
                query = query.replace('"ORG"', f'"{ORGANISATION}"').replace('"ID"', f'"{INVOICE}"')
                columns, expected = EXPECTED[title]
                found = insights.run(query, searched)
                self.assertEqual([tuple(row.get(column) for column in columns.split()) for row in found], expected)

    def test_every_field_of_a_query_is_logged(self):
        known = self.logged | OF_CLOUDWATCH | OF_THE_SUBSCRIBER | OF_LAMBDA
        for title, (_, query) in self.queries.items():
            with self.subTest(title):
                self.assertEqual(insights_tokens.names_in(query) - known, set())

    def test_every_line_of_the_fixture_can_be_logged(self):
        for line in lines():
            fields = line.keys() - OF_CLOUDWATCH
            if line.get("type") == "platform.report":
                continue
            with self.subTest(line["message"]):
                self.assertTrue(any(
                    line["level"] == level and fields - OF_THE_SUBSCRIBER <= known
                    and re.fullmatch(message, line["message"])
                    for level, known, message in self.calls
                ))

    def test_every_message_that_a_query_names_is_logged(self):
        texts = {line["message"] for line in lines() if "message" in line}
        for title, (_, query) in self.queries.items():
            for message in re.findall(r'message = "([^"]+)"', query):
                with self.subTest(f"{title}: {message}"):
                    self.assertIn(message, texts)

    def test_names_with_dots_are_in_backticks(self):
        with self.assertRaisesRegex(insights_tokens.QueryError, "backticks"):
            insights.run("filter xero.calls > 0", list(lines()))

    def test_what_insights_would_not_understand_is_refused(self):
        for query in ("filter level =", "sort", "fields", "stats median(runs)", "filter level = 'x' level", "dedup level"):
            with self.subTest(query), self.assertRaises(insights_tokens.QueryError):
                insights.run(query, list(lines()))

    def test_the_page_lists_each_query_with_its_question(self):
        listed = [operations.words(row["saved query"])[0] for _, row in operations.tables(PAGE) if "saved query" in row]
        self.assertEqual(sorted(listed), sorted(self.queries))
        runbook = operations.RUNBOOK.read_text(encoding="utf-8").replace("\n", " ")
        for title in re.findall(r"saved query\s+`([^`]+)`", runbook):
            self.assertIn(title, listed)


if __name__ == "__main__":
    unittest.main()
