"""Checks that the dashboards can be drawn: their bodies are JSON once the names are filled in, no widget covers another,
every number is one that somebody writes, and every page of the operators' console is where its readers look."""

import json
import unittest
from urllib.parse import urlparse

import console_pages
import operations
import sam_template
from operations import STACK, physical, substituted

COLUMNS = 24
# CloudWatch takes no widget that is higher.
HEIGHT_MAX = 1000
# The dashboards of the operators' pages: whose it is, what its name ends in, and the function that makes its widgets.
OF_ROLES = {
    "ViewDashboard": ("viewer", "view", "ConsoleFunction"),
    "OperateDashboard": ("operator", "operate", "OperateFunction"),
    "AdministerDashboard": ("admin", "administer", "AdministerFunction"),
}
SHOWN = {
    "deliveries, and those that were turned away": {"DeliveriesAccepted", "RefusedNotSigned", "DeliveriesUnavailable"},
    "queues": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    "time from event to table": {"SlowestSync", "LateSyncs"},
    # What state payments on their way to Xero are in.
    "uploads": {"PaymentsUploaded", "PaymentsPartlyUploaded", "PaymentsCarried", "PaymentsRefused", "PaymentsUnknown",
                "PaymentsHeld"},
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

    def test_it_says_where_to_look_first_and_leads_to_the_operators_pages(self):
        first = min(self.widgets, key=lambda widget: widget["y"])
        self.assertEqual(first["type"], "text")
        self.assertIn("Look first", first["properties"]["markdown"])
        for _, suffix, _ in OF_ROLES.values():
            self.assertIn(f"#dashboards/dashboard/{STACK}-{suffix})", first["properties"]["markdown"])

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


class OperatorsPages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.dashboards = sam_template.resources(cls.template, "AWS::CloudWatch::Dashboard")
        cls.bodies = {name: json.loads(substituted(cls.template, cls.dashboards[name]["DashboardBody"]["Fn::Sub"]))
                      for name in OF_ROLES}

    def pages_on(self, name):
        return [widget for widget in self.bodies[name]["widgets"] if widget["type"] == "custom"]

    def test_there_is_one_for_each_role_and_one_for_the_numbers(self):
        self.assertEqual(set(self.dashboards), {*OF_ROLES, "OperationsDashboard"})
        self.assertEqual({role for role, *_ in OF_ROLES.values()}, set(console_pages.ROLES))
        for name, (_, suffix, _) in OF_ROLES.items():
            # The policies for people let them see what begins with the stack's name.
            self.assertEqual(physical(self.template, self.dashboards[name]["DashboardName"]), f"{STACK}-{suffix}")
            self.assertNotIn("Condition", self.template["Resources"][name])

    def test_each_has_the_pages_that_its_role_may_see_in_their_order(self):
        # ST-22, CC-11
        for name, (role, *_) in OF_ROLES.items():
            expected = [(page.code, page.title) for page in console_pages.pages() if page.is_seen_by(role)]
            found = [(widget["properties"]["params"]["page"], widget["properties"]["title"]) for widget in self.pages_on(name)]
            self.assertEqual(found, expected, name)

    def test_each_widget_is_made_by_the_function_of_that_role(self):
        # ST-22
        for name, (_, _, function) in OF_ROLES.items():
            arn = substituted(self.template, "${" + function + ".Arn}")
            for widget in self.pages_on(name):
                properties = widget["properties"]
                self.assertEqual(properties["endpoint"], arn, f"{name}: {properties['title']}")
                self.assertEqual(properties["updateOn"], {"refresh": True, "resize": True, "timeRange": True})

    def test_widgets_are_as_wide_as_the_dashboard_and_one_below_the_other(self):
        for name, body in self.bodies.items():
            for widget in body["widgets"]:
                # Without a place of its own each stands below the one before it, and covers nothing.
                self.assertFalse({"x", "y"} & widget.keys(), name)
                self.assertEqual(widget["width"], COLUMNS, name)
                self.assertTrue(1 <= widget["height"] <= HEIGHT_MAX, name)

    def test_each_leads_to_the_numbers_and_the_stack_leads_to_each(self):
        operations_dashboard = physical(self.template, self.dashboards["OperationsDashboard"]["DashboardName"])
        for name, body in self.bodies.items():
            self.assertIn(f"#dashboards/dashboard/{operations_dashboard})", body["widgets"][0]["properties"]["markdown"])
            link = urlparse(substituted(self.template, self.template["Outputs"][f"{name}Url"]["Value"]["Fn::Sub"]))
            self.assertTrue(link.fragment.endswith(f"/{physical(self.template, self.dashboards[name]['DashboardName'])}"))

    def test_the_registry_of_pages_is_read_as_it_is_written(self):
        pages = {page.code: page for page in console_pages.pages()}
        self.assertGreaterEqual(len(pages), 7)
        self.assertEqual(pages["sync_log"].title, "Sync log")
        self.assertFalse(pages["configure"].is_seen_by("operator"))
        self.assertTrue(pages["limits"].is_seen_by("viewer"))


if __name__ == "__main__":
    unittest.main()
