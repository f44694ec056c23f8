"""Compares the catalogue of numbers and metrics with what CloudWatch keeps and with the alarms. A test of each function
holds the catalogue against the numbers that it writes."""

import unittest

import operations
import sam_template
from operations import words

# As many as every account has for nothing.
KEPT_MAX = 10
MISSING = {"nothing was done", "not measured"}


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions = operations.functions()
        cls.alarms = operations.alarms(sam_template.load())
        cls.ours, cls.aws = operations.catalogue()

    def test_every_function_of_the_catalogue_is_deployed_and_every_other_is_listed(self):
        self.assertEqual({owner for owner, _ in self.ours}, self.functions.keys())

    def test_every_row_says_what_it_is_what_is_normal_and_what_is_missing(self):
        for (function, name), row in self.ours.items():
            with self.subTest(f"{function} {name}"):
                self.assertTrue(row["what it is"] and row["normal"])
                self.assertIn(row["if it is missing"], MISSING)

    def test_cloudwatch_keeps_no_more_than_are_free(self):
        self.assertLessEqual(len(operations.kept()), KEPT_MAX)

    def test_what_is_kept_is_made_of_numbers_that_are_written_and_listed_so(self):
        written = {number: unit for function in self.functions for number, unit in operations.emitted(function).items()}
        rows = operations.metrics_kept()
        self.assertEqual(list(rows), list(operations.kept()))
        for name, (always, if_any, limits) in operations.kept().items():
            with self.subTest(name):
                row = rows[name]
                self.assertEqual(words(row["always kept"]), [*always, *limits])
                self.assertEqual(words(row["kept if there are any"]), list(if_any))
                self.assertLessEqual(set(operations.parts(name)), written.keys())
                units = {"Percent"} if limits else {written[part] for part in operations.parts(name)}
                self.assertEqual(units, {operations.UNITS[row["unit"]]})

    def test_every_number_says_what_it_is_kept_as(self):
        kept_as = {part: name for name in operations.kept() for part in operations.parts(name)}
        for (function, number), row in self.ours.items():
            with self.subTest(f"{function} {number}"):
                self.assertEqual(words(row["kept as"]), [kept_as[number]] if number in kept_as else [])

    def test_what_a_look_finds_is_always_kept(self):
        """Else it is not seen that nothing looks. Of an hourly look one number is enough."""
        for name in ("NeedsALook", "NightsOverdue"):
            for number in operations.kept()[name][0]:
                rows = [row for (_, each), row in self.ours.items() if each == number]
                self.assertEqual({row["if it is missing"] for row in rows}, {"not measured"}, number)

    def test_each_metric_names_the_alarms_that_watch_it_and_no_other(self):
        watching = {}
        for alarm in self.alarms.values():
            for each in alarm["Series"]:
                watching.setdefault((each["Namespace"], each["MetricName"]), set()).add(alarm["Slug"])
        listed = {(operations.NAMESPACE, name): row for name, row in operations.metrics_kept().items()} | self.aws
        self.assertLessEqual(watching.keys(), listed.keys())
        for key, row in listed.items():
            with self.subTest(key[1]):
                self.assertEqual(set(words(row["alarms"])), watching.get(key, set()))


if __name__ == "__main__":
    unittest.main()
