"""Checks that the dashboards can be drawn and cost nothing: their bodies are JSON once the names are filled in, every
number is one that is written, and every page of the operators' console is where
its readers look."""

import json
import re
import unittest
from urllib.parse import urlparse

import console_pages
import operations
import query_fields
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
# The page that each widget opens, and the widget's title.
OPENED = {"home": "Home", "needs_you": "Workbench"}
# The number that is free in every account.
DASHBOARDS_MAX, METRICS_MAX = 3, 50
SHOWN = {
    "deliveries, and those that were turned away": {"DeliveriesAccepted", "RefusedNotSigned", "DeliveriesUnavailable"},
    "queues": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    "time from event to table": {"SlowestSync", "LateSyncs"},
    # The states of payments on their way to Xero.
    "uploads": {"PaymentsUploaded", "PaymentsPartlyUploaded", "PaymentsCarried", "PaymentsRefused", "PaymentsUnknown",
                "PaymentsHeld"},
    "calls, and what only the sweep found": {"XeroCalls", "RepairedBySweep"},
    "what stands behind the alarms of several causes": {part for name in ("NeedsAPerson", "NeedsALook", "RunsFailed")
                                                        for part in operations.parts(name)},
    "functions": {"Errors", "Duration", "Throttles"},
    "what costs money": {"Invocations", "NumberOfMessagesSent"},
}


def body(template, name):
    """A dashboard as CloudWatch gets it."""
    return json.loads(substituted(template, sam_template.resources(template, "AWS::CloudWatch::Dashboard")[name]
                                  ["DashboardBody"]["Fn::Sub"]))


class Graphs(unittest.TestCase):
    """The alarms and graphs, which are on the dashboard of those who look."""

    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.widgets = body(cls.template, "ViewDashboard")["widgets"]
        cls.metrics = [
            (widget["properties"], metric)
            for widget in cls.widgets if widget["type"] == "metric" for metric in widget["properties"]["metrics"]
        ]
        cls.asked = [widget["properties"] for widget in cls.widgets if widget["type"] == "log"]

    def test_the_dashboards_are_free(self):
        dashboards = sam_template.resources(self.template, "AWS::CloudWatch::Dashboard")
        self.assertLessEqual(len(dashboards), DASHBOARDS_MAX)
        for name in dashboards:
            widgets = body(self.template, name)["widgets"]
            shown = {str(metric[:4]) for widget in widgets if widget["type"] == "metric"
                     for metric in widget["properties"]["metrics"]}
            self.assertLessEqual(len(shown), METRICS_MAX, name)

    def test_it_says_where_to_look_first(self):
        self.assertEqual([widget["type"] for widget in self.widgets[:3]], ["text", "alarm", "metric"])
        self.assertIn("Look first", self.widgets[0]["properties"]["markdown"])
        self.assertEqual(self.widgets[2]["properties"]["metrics"][0][1], "NeedsAPerson")

    def test_every_number_is_one_that_is_written(self):
        _, aws = operations.catalogue()
        names = {
            "FunctionName": {f"{STACK}-{function}" for function in operations.functions()},
            "QueueName": {physical(self.template, {"Ref": queue})
                          for queue in sam_template.resources(self.template, "AWS::SQS::Queue")},
        }
        for properties, (namespace, name, dimension, value, *_) in self.metrics:
            with self.subTest(f"{properties['title']}: {name}"):
                if namespace == operations.NAMESPACE:
                    self.assertEqual((dimension, value), (operations.DIMENSION, STACK))
                    self.assertIn(name, operations.kept())
                else:
                    self.assertIn((namespace, name), aws)
                    self.assertIn(value, names[dimension])

    def test_every_question_to_the_logs_asks_for_numbers_that_are_written(self):
        for properties in self.asked:
            sources, query = properties["query"].split("\n| ", 1)
            functions = set(re.findall(rf"'/aws/lambda/{STACK}-(\w+)'", sources))
            self.assertEqual(" | ".join(re.findall(r"SOURCE '[^']+'", sources)), sources)
            with self.subTest(properties["title"]):
                self.assertLessEqual(functions, operations.functions().keys())
                numbers = {number for function in functions for number in operations.emitted(function)}
                named = query_fields.names_in(query)
                self.assertLessEqual(named, numbers | operations.kept().keys() | {"Function", "@timestamp"})

    def test_what_has_to_be_seen_is_shown(self):
        shown = {metric[1] for _, metric in self.metrics}
        for properties in self.asked:
            shown |= query_fields.names_in(properties["query"].partition("\n")[2])
        for what, metrics in SHOWN.items():
            self.assertLessEqual(metrics, shown, what)
        timing, = [each for each in self.asked if "max(SlowestSync)" in each["query"]]
        self.assertIn("pct(SlowestSync, 95)", timing["query"])
        # SP-09. It is the slowest item of each batch, and says so.
        self.assertIn("slowest item of each batch", timing["title"])
        self.assertIn("five minutes (SP-09)", timing["title"])

    def test_every_queue_and_every_function_is_shown(self):
        shown = {metric[3] for _, metric in self.metrics}
        for kind in ("AWS::SQS::Queue", "AWS::Serverless::Function"):
            for name in sam_template.resources(self.template, kind):
                self.assertIn(physical(self.template, {"Ref": name}), shown)

    def test_every_alarm_has_its_light_and_those_that_speak_come_first(self):
        lights, = [widget["properties"]["alarms"] for widget in self.widgets if widget["type"] == "alarm"]
        names = [light.rpartition(":")[2].removeprefix(f"{STACK}-") for light in lights]
        alarms, voices = operations.alarms(self.template), operations.voices(self.template)
        self.assertEqual(names[:2], [voice["Slug"] for voice in voices.values()])
        self.assertEqual(sorted(names[2:]), sorted(alarm["Slug"] for alarm in alarms.values()))
        # The most that CloudWatch shows in one widget.
        self.assertLessEqual(len(lights), 100)

    def test_the_stack_gives_its_link(self):
        # Under the name that it had when the graphs were a dashboard of their own, too.
        links = {self.template["Outputs"][name]["Value"]["Fn::Sub"] for name in ("DashboardUrl", "ViewDashboardUrl")}
        link = urlparse(substituted(self.template, links.pop()))
        self.assertEqual((len(links), link.fragment.endswith(f"/{STACK}-view")), (0, True), link)


class OperatorsPages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.dashboards = sam_template.resources(cls.template, "AWS::CloudWatch::Dashboard")
        cls.bodies = {name: body(cls.template, name) for name in OF_ROLES}

    def pages_on(self, name):
        return [widget for widget in self.bodies[name]["widgets"] if widget["type"] == "custom"]

    def test_there_is_one_for_each_role(self):
        self.assertEqual(set(self.dashboards), set(OF_ROLES))
        self.assertEqual({role for role, *_ in OF_ROLES.values()}, set(console_pages.ROLES))
        for name, (_, suffix, _) in OF_ROLES.items():
            self.assertEqual(physical(self.template, self.dashboards[name]["DashboardName"]), f"{STACK}-{suffix}")
            self.assertNotIn("Condition", self.template["Resources"][name])

    def test_each_opens_the_first_page_and_a_workbench_that_its_role_may_see(self):
        # ST-22. The other pages are reached from these by the navigation.
        pages = {page.code: page for page in console_pages.pages()}
        for name, (role, *_) in OF_ROLES.items():
            found = [(widget["properties"]["params"]["page"], widget["properties"]["title"]) for widget in self.pages_on(name)]
            self.assertEqual(found, list(OPENED.items()), name)
            for code, _ in found:
                self.assertTrue(pages[code].is_seen_by(role), f"{name}: {code}")

    def test_each_widget_is_made_by_the_function_of_that_role(self):
        # ST-22
        for name, (_, _, function) in OF_ROLES.items():
            arn = substituted(self.template, "${" + function + ".Arn}")
            for widget in self.pages_on(name):
                properties = widget["properties"]
                self.assertEqual(properties["endpoint"], arn, f"{name}: {properties['title']}")
                # A page that is made again forgets where its reader was and what was typed: not by itself, where people type.
                self.assertEqual(properties["updateOn"],
                                 {"refresh": name == "ViewDashboard", "resize": False, "timeRange": False})

    def test_widgets_are_as_wide_as_the_dashboard_and_one_below_the_other(self):
        for name, body in self.bodies.items():
            for widget in body["widgets"]:
                # Without a place of its own each stands below the one before it, and covers nothing.
                self.assertFalse({"x", "y"} & widget.keys(), name)
                self.assertEqual(widget["width"], COLUMNS, name)
                self.assertTrue(1 <= widget["height"] <= HEIGHT_MAX, name)

    def test_each_leads_to_the_others_and_the_stack_leads_to_each(self):
        for name, body_ in self.bodies.items():
            text = body_["widgets"][0]["properties"]["markdown"]
            others = {suffix for _, suffix, _ in OF_ROLES.values()} if name == "ViewDashboard" else {"view"}
            for suffix in others - {OF_ROLES[name][1]}:
                self.assertIn(f"#dashboards/dashboard/{STACK}-{suffix})", text)
            link = urlparse(substituted(self.template, self.template["Outputs"][f"{name}Url"]["Value"]["Fn::Sub"]))
            self.assertTrue(link.fragment.endswith(f"/{physical(self.template, self.dashboards[name]['DashboardName'])}"))


if __name__ == "__main__":
    unittest.main()
