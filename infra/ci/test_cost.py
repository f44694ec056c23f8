"""Checks that the sum of the costs counts everything in the stack, and that the pages say the same."""

import copy
import re
import unittest
from decimal import Decimal

import cost
import operations
import sam_template
from sam_template import ROOT


class Cost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.lines, cls.full, cls.free = cost.lines(cls.template)

    def changed(self, change):
        """The sums after a change of the template."""
        template = copy.deepcopy(self.template)
        change(template["Resources"])
        return cost.lines(template)[1:]

    def test_it_costs_no_more_than_is_promised(self):
        self.assertLessEqual(self.full, cost.LIST_MAX)
        self.assertLessEqual(self.free, cost.FREE_TIER_MAX)

    def test_what_is_added_is_counted(self):
        def one_more(name):
            return lambda there: there.update({"Another": copy.deepcopy(there[name])})

        for name, list_price, free_tier in (
            ("DeadLettersAlarm", "0.50", "0.50"), ("ActNowAlarm", "0.50", "0.50"), ("XeroApiSecret", "0.40", "0.40"),
            # The fourth one.
            ("OperateDashboard", "3.00", "3.00"),
        ):
            with self.subTest(name):
                full, free = self.changed(one_more(name))
                self.assertEqual((full - self.full, free - self.free), (Decimal(list_price), Decimal(free_tier)))

    def test_the_index_of_what_is_unsettled_is_counted_and_saves_reads_of_a_large_past(self):
        load = cost.Prices().load | {"stored invoices": Decimal(300_000)}
        without = copy.deepcopy(self.template)
        del without["Resources"]["InvoicesTable"]["Properties"]["GlobalSecondaryIndexes"]
        (written, read), (_, read_before) = cost.full_sweeps(self.template, load), cost.full_sweeps(without, load)
        self.assertEqual(written, 2_000)
        self.assertLess(read * 15, read_before)

    def test_a_dashboard_of_many_metrics_is_not_free(self):
        def crowd(there):
            metrics = ", ".join(f'["AWS/Lambda", "Errors", "FunctionName", "f{number}"]' for number in range(51))
            there["OperateDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"] = metrics

        self.assertEqual(self.changed(crowd)[1] - self.free, Decimal("3.00"))

    def test_keys_of_the_account_are_counted(self):
        def own(there):
            for table in there.values():
                if table["Type"] == "AWS::DynamoDB::Table":
                    table["Properties"]["SSESpecification"] = {"SSEEnabled": True}

        self.assertGreater(self.changed(own)[0], self.full)

    def test_schedules_come_as_often_as_they_say(self):
        # Half-hourly, hourly, and three times a day; the nights at their hour, and a catch-up every 45 minutes.
        days = cost.DAYS
        self.assertEqual(cost.scheduled(self.template), {"SweepFunction": 2 * 1460 + 730 + 3 * days, "UploadFunction": Decimal(730 * 60) / 45 + days, "ReconcileFunction": 1460, "ReportFunction": Decimal(730) / 6})

    def test_the_runbook_says_what_a_flood_costs(self):
        text = " ".join(operations.RUNBOOK.read_text(encoding="utf-8").split())
        for copies in (10, 20, 1000):
            million, day = cost.flood(cost.Prices(), copies, "x86_64")
            requests = f"{copies * 10:,} a second"
            self.assertIn(f"| {copies:,} copies | {requests} | {day} |", text)
            self.assertIn(f"US$ {million} for a million forged requests", text)

    def test_the_runbook_has_the_same_lines(self):
        rows = {row["what"].strip("*"): row for heading, row in operations.tables(operations.RUNBOOK) if "list price" in row}
        expected = {line.what: (line.how_much, line.list_price, line.free_tier) for line in self.lines}
        expected["standing"] = ("", self.full, self.free)
        found = {what: (row["how much"], *(Decimal(row[column].strip("*")) for column in ("list price", "free tier")))
                 for what, row in rows.items()}
        self.assertEqual(found, expected)

    def test_the_readme_says_what_it_costs(self):
        text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
        figures = re.search(r"about US\$ (\d+) a month at list price and US\$ (\d+) with", text).groups()
        self.assertEqual([int(figure) for figure in figures], [round(self.full), round(self.free)])


if __name__ == "__main__":
    unittest.main()
