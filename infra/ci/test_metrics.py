"""Compares the catalogue of metrics with the Rust sources that write them and with the alarms that watch them."""

import unittest

import operations
import sam_template
from operations import words

UNITS = {"count": "Count", "ms": "Milliseconds"}
MISSING = {"nothing was done", "not measured"}


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions = operations.functions()
        cls.alarms = operations.alarms(sam_template.load())
        cls.ours, cls.aws = operations.catalogue()

    def test_what_is_written_is_listed_and_what_is_listed_is_written(self):
        for function in self.functions:
            with self.subTest(function):
                listed = {name for owner, name in self.ours if owner == function}
                self.assertEqual(sorted(operations.emitted(function)), sorted(listed))
        self.assertEqual({owner for owner, _ in self.ours} - self.functions.keys(), set())

    def test_the_units_are_those_of_the_sources(self):
        for (function, name), row in self.ours.items():
            with self.subTest(f"{function} {name}"):
                self.assertEqual(UNITS[row["unit"]], operations.emitted(function)[name])

    def test_namespace_and_dimension_are_those_of_the_host(self):
        (_, text), = [each for each in operations.rust("shared/host/src") if each[0].name == "metrics.rs"]
        self.assertIn(f'NAMESPACE: &str = "{operations.NAMESPACE}"', text)
        self.assertIn(f'DIMENSION: &str = "{operations.DIMENSION}"', text)

    def test_every_row_says_what_it_is_what_is_normal_and_what_is_missing(self):
        for (function, name), row in self.ours.items():
            with self.subTest(f"{function} {name}"):
                self.assertTrue(row["what it is"] and row["normal"])
                self.assertIn(row["if it is missing"], MISSING)

    def test_the_alarms_of_a_metric_and_their_paragraphs_are_named(self):
        for (function, name), row in self.ours.items():
            watching = [
                alarm for alarm in self.alarms.values()
                if (alarm["MetricName"], alarm["Dimensions"].get(operations.DIMENSION))
                == (name, f"{operations.STACK}-{function}")
            ]
            with self.subTest(f"{function} {name}"):
                self.assertLessEqual({alarm["Slug"] for alarm in watching}, set(words(row["alarms"])))
                for alarm in watching:
                    self.assertIn(f"[{operations.runbook_of(alarm)}]", row["runbook"])

    def test_no_row_names_an_alarm_that_watches_something_else(self):
        by_slug = {alarm["Slug"]: alarm["MetricName"] for alarm in self.alarms.values()}
        for (_, name), row in (self.ours | self.aws).items():
            for slug in words(row["alarms"]):
                with self.subTest(f"{name}: {slug}"):
                    self.assertEqual(by_slug.get(slug), name)

    def test_every_alarm_watches_a_listed_metric(self):
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                if alarm["Namespace"] == operations.NAMESPACE:
                    function = alarm["Dimensions"][operations.DIMENSION].removeprefix(f"{operations.STACK}-")
                    self.assertIn((function, alarm["MetricName"]), self.ours)
                else:
                    row = self.aws[alarm["Namespace"], alarm["MetricName"]]
                    self.assertIn(alarm["Slug"], words(row["alarms"]))


if __name__ == "__main__":
    unittest.main()
