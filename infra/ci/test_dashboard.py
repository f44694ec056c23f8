"""Checks that the dashboard can be drawn: its body is JSON once the names are filled in, no widget covers another, and every
number on it is one that somebody writes."""

import json
import unittest
from urllib.parse import urlparse

import operations
import sam_template
from operations import STACK, physical, substituted

COLUMNS = 24
# For the pages of the operators' console.
CONSOLE_ROWS = range(3, 15)
SHOWN = {
    "deliveries, and those that were turned away": {"DeliveriesAccepted", "RefusedNotSigned", "DeliveriesUnavailable"},
    "queues": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    "time from event to table": {"SlowestSync", "LateSyncs"},
    "uploads": {"PaymentsUploaded", "PaymentsCarried", "PaymentsRefused", "PaymentsUnknown"},
    "calls, and what only the sweep found": {"XeroCalls", "RepairedBySweep"},
    "functions": {"Errors", "Duration", "Throttles"},
    "what costs money": {"Invocations", "NumberOfMessagesSent"},
}


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.properties = cls.template["Resources"]["OperationsDashboard"]["Properties"]
        cls.body = json.loads(substituted(cls.template, cls.properties["DashboardBody"]["Fn::Sub"]))
        cls.widgets = cls.body["widgets"]
        cls.metrics = [
            (widget["properties"], metric)
            for widget in cls.widgets if widget["type"] == "metric" for metric in widget["properties"]["metrics"]
        ]

    def test_widgets_stay_on_the_grid_and_cover_nothing(self):
        taken = {}
        for widget in self.widgets:
            title = widget["properties"].get("title", widget["type"])
            self.assertGreaterEqual(widget["x"], 0)
            self.assertLessEqual(widget["x"] + widget["width"], COLUMNS, title)
            for x in range(widget["x"], widget["x"] + widget["width"]):
                for y in range(widget["y"], widget["y"] + widget["height"]):
                    self.assertNotIn((x, y), taken, f"{title} covers {taken.get((x, y))}")
                    taken[x, y] = title

    def test_the_first_rows_belong_to_the_console(self):
        for widget in self.widgets:
            if widget["type"] != "custom":
                rows = range(widget["y"], widget["y"] + widget["height"])
                self.assertFalse(set(rows) & set(CONSOLE_ROWS), widget["properties"].get("title"))
        first = min(self.widgets, key=lambda widget: widget["y"])
        self.assertEqual(first["type"], "text")
        self.assertIn("Look first", first["properties"]["markdown"])

    def test_every_number_is_one_that_is_written(self):
        ours, aws = operations.catalogue()
        names = {
            "FunctionName": {f"{STACK}-{function}" for function in operations.functions()},
            "QueueName": {physical(self.template, {"Ref": queue})
                          for queue in sam_template.resources(self.template, "AWS::SQS::Queue")},
        }
        for properties, (namespace, name, dimension, value, *_) in self.metrics:
            with self.subTest(f"{properties['title']}: {name}"):
                if namespace == operations.NAMESPACE:
                    self.assertEqual(dimension, operations.DIMENSION)
                    self.assertIn((value.removeprefix(f"{STACK}-"), name), ours)
                else:
                    self.assertIn((namespace, name), aws)
                    self.assertIn(value, names[dimension])

    def test_what_has_to_be_seen_is_shown(self):
        shown = {metric[1] for _, metric in self.metrics}
        for what, metrics in SHOWN.items():
            self.assertLessEqual(metrics, shown, what)
        slowest = [metric[4].get("stat") for _, metric in self.metrics if metric[1] == "SlowestSync"]
        self.assertLessEqual({"p50", "p95", "Maximum"}, set(slowest))
        (timing,) = {properties["title"]: properties for properties, metric in self.metrics
                     if metric[1] == "SlowestSync"}.values()
        self.assertEqual([line["value"] for line in timing["annotations"]["horizontal"]], [5 * 60 * 1000])
        # It is the slowest item of each batch, and says so.
        self.assertIn("slowest item of each batch", timing["title"])

    def test_every_queue_and_every_function_is_shown(self):
        shown = {metric[3] for _, metric in self.metrics}
        for kind in ("AWS::SQS::Queue", "AWS::Serverless::Function"):
            for name in sam_template.resources(self.template, kind):
                self.assertIn(physical(self.template, {"Ref": name}), shown)

    def test_every_alarm_has_its_light(self):
        lights, = [widget["properties"]["alarms"] for widget in self.widgets if widget["type"] == "alarm"]
        alarms = sam_template.resources(self.template, "AWS::CloudWatch::Alarm")
        expected = [substituted(self.template, "${" + name + ".Arn}") for name in alarms]
        self.assertEqual(sorted(lights), sorted(expected))
        # The most that CloudWatch shows in one widget.
        self.assertLessEqual(len(lights), 100)

    def test_the_stack_gives_its_link(self):
        link = urlparse(substituted(self.template, self.template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]))
        self.assertTrue(link.fragment.endswith(f"/{physical(self.template, self.properties['DashboardName'])}"), link)


if __name__ == "__main__":
    unittest.main()
