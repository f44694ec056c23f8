"""Checks that `facts/code.json` has the fields and messages that the saved queries of Logs Insights name, and that the page
of queries lists each. A test of `tests/documents` looks for these fields and messages in the code. That CloudWatch
understands a query shows when it is deployed."""

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

    def test_every_query_names_a_field(self):
        for title, query in self.queries.items():
            with self.subTest(title):
                self.assertTrue(query_fields.names_in(query))

    def test_the_facts_have_the_fields_of_the_queries(self):
        named = set().union(*(query_fields.names_in(query) for query in self.queries.values()))
        self.assertEqual(operations.CODE["queries"]["fields"], sorted(named - OF_OTHERS))

    def test_the_facts_have_the_messages_of_the_queries(self):
        named = {message for query in self.queries.values() for message in re.findall(r'message = "([^"]+)"', query)}
        self.assertEqual(operations.CODE["queries"]["messages"], sorted(named))

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
