"""Checks that every saved query of Logs Insights names only fields and messages that our functions log, and that the page
of queries lists it. That CloudWatch understands a query shows when it is deployed."""

import re
import unittest

import operations
import query_fields
import sam_template
from operations import STACK, physical
from sam_template import ROOT, resources

PAGE = ROOT / "infra/queries.md"
# Fields that CloudWatch adds to each line, those that the subscriber adds, and those of Lambda's own lines in the format
# JSON: see "Lambda system logs" in its guide.
OF_OTHERS = {"@timestamp", "@log", "level", "message", "type", "record.metrics.initDurationMs"}


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        template = sam_template.load()
        cls.queries = {
            physical(template, properties["Name"]).removeprefix(f"{STACK}/"): properties["QueryString"]
            for properties in resources(template, "AWS::Logs::QueryDefinition").values()
        }
        cls.calls = list(operations.log_lines())

    def test_every_field_of_a_query_is_logged(self):
        known = OF_OTHERS.union(*(fields for _, fields, _ in self.calls))
        for title, query in self.queries.items():
            with self.subTest(title):
                fields = query_fields.names_in(query)
                self.assertTrue(fields)
                self.assertEqual(fields - known, set())

    def test_every_message_that_a_query_names_is_logged(self):
        for title, query in self.queries.items():
            for message in re.findall(r'message = "([^"]+)"', query):
                with self.subTest(f"{title}: {message}"):
                    self.assertTrue(any(re.fullmatch(pattern, message) for _, _, pattern in self.calls))

    def test_names_with_dots_are_in_backticks(self):
        for title, query in self.queries.items():
            with self.subTest(title):
                self.assertEqual(query_fields.bare_names_with_dots(query) - OF_OTHERS, set())

    def test_the_page_lists_each_query_with_its_question(self):
        listed = [operations.words(row["saved query"])[0] for _, row in operations.tables(PAGE) if "saved query" in row]
        self.assertEqual(sorted(listed), sorted(self.queries))
        runbook = operations.RUNBOOK.read_text(encoding="utf-8").replace("\n", " ")
        for title in re.findall(r"saved query\s+`([^`]+)`", runbook):
            self.assertIn(title, listed)


if __name__ == "__main__":
    unittest.main()
