#!/usr/bin/env python3
"""Adds up what the stack costs in a month while little happens, from the template and `prices.json`, line by line.

Twice: at list price, and with the free tier that every account keeps for good. The limits are promises of the README; a
change of the template that breaks one fails here. Amounts are decimals, quantities are those of one small organisation.
"""

import argparse
import json
import math
import re
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import operations
import sam_template
from sam_template import resources

PRICES = sam_template.ROOT / "infra/ci/prices.json"
LIST_MAX, FREE_TIER_MAX = Decimal(20), Decimal(5)
CENT = Decimal("0.01")
MINUTES, DAYS = 43_800, Decimal("30.4")
# A trigger of SQS asks this often: five at a time, each waiting for 20 seconds.
POLLS_A_MINUTE = 15
# Sent, received, deleted.
REQUESTS_A_MESSAGE = 3
# The most metrics of a dashboard that is free.
FREE_DASHBOARD_METRICS = 50


@dataclass(frozen=True)
class Line:
    """The price of one thing for a month: how much there is of it, at list price, and with the free tier."""

    what: str
    how_much: str
    list_price: Decimal
    free_tier: Decimal


class Prices:
    """The price file."""

    def __init__(self, path=PRICES):
        known = json.loads(path.read_text(encoding="utf-8"))
        self.prices, self.as_of, self.region = known["prices"], known["as_of"], known["region"]
        self.what = known["load"]["what"]
        self.load = {name: Decimal(value) for name, value in known["load"].items() if name != "what"}

    def line(self, what, quantities, how_much):
        """One line out of the quantities of several prices."""
        full = free = Decimal(0)
        for name, quantity in quantities.items():
            price = self.prices[name]
            each = Decimal(price["usd"]) / price["per"]
            full += each * quantity
            free += each * max(Decimal(0), quantity - price["free"])
        return Line(what, how_much, *(amount.quantize(CENT, ROUND_HALF_UP) for amount in (full, free)))


def times_a_month(expression, template):
    """How often a schedule comes."""
    match = re.search(r"rate\((\S+) (minute|hour)s?\)", str(sam_template.one_name(expression)))
    if not match:
        # All others come once a day.
        return DAYS
    number = match.group(1)
    if number.startswith("${"):
        number = template["Parameters"][number[2:-1]]["Default"]
    return Decimal(MINUTES) / (int(number) * {"minute": 1, "hour": 60}[match.group(2)])


def scheduled(template):
    """How often the schedules of each function come in a month, by function."""
    found = {}
    for name, function in resources(template, "AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            if event["Type"] in ("Schedule", "ScheduleV2"):
                times = times_a_month(event["Properties"]["ScheduleExpression"], template)
                found[name] = found.get(name, Decimal(0)) + times
    return found


def alarm_metrics(template):
    """How many metrics the alarms watch: each is paid for, however many make one number."""
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    return sum(sum("MetricStat" in each for each in alarm.get("Metrics", [{"MetricStat": 1}])) for alarm in alarms)


def dashboards(template):
    """How many dashboards there are, of those that may be free and of those that show too many metrics for that."""
    small = large = 0
    for dashboard in resources(template, "AWS::CloudWatch::Dashboard").values():
        text = dashboard["DashboardBody"]["Fn::Sub"]
        shown = set(re.findall(r'\["(?:Paymirror|AWS/\w+)", "\w+", "\w+", "[^"]+"', text))
        small, large = (small + 1, large) if len(shown) <= FREE_DASHBOARD_METRICS else (small, large + 1)
    return small, large


def watching(template, prices, kept):
    """The lines for watching."""
    metrics, voices = alarm_metrics(template), len(resources(template, "AWS::CloudWatch::CompositeAlarm"))
    small, large = dashboards(template)
    yield prices.line("alarms", {"alarm metric": metrics}, f"{metrics} metrics that alarms watch")
    if voices:
        yield prices.line("voices", {"composite alarm": voices}, f"{voices} composite alarms")
    yield prices.line("metrics", {"custom metric": kept}, f"{kept} metrics of our own")
    found = prices.line("dashboards", {"dashboard": small}, f"{small + large} dashboards")
    more = Decimal(prices.prices["dashboard"]["usd"]) * large
    yield Line(found.what, found.how_much, found.list_price + more, found.free_tier + more)


def is_on(trigger, many):
    """Whether a trigger asks: one that is switched on by a condition is for many organisations (`XeroConnection`)."""
    return many or trigger["Properties"].get("Enabled", True) is True


# A row of an invoice is less than this of a read unit of 4 KB.
READ_UNITS_A_ROW, ROTATION_DAYS = Decimal("0.25"), 30
UNSETTLED = "unsettled"


def full_sweeps(template, load):
    """Units that full sweeps write and read in a month. With the index, each invoice enters and leaves it once, and a night
    reads its rows by their keys, once for each side, and a thirtieth of the rest; without it, everything."""
    indexes = template["Resources"]["InvoicesTable"]["Properties"].get("GlobalSecondaryIndexes", [])
    if not any(index["IndexName"] == UNSETTLED for index in indexes):
        return 0, load["stored invoices"] * READ_UNITS_A_ROW * DAYS
    night = load["unsettled invoices"] * 2 + load["stored invoices"] * READ_UNITS_A_ROW / ROTATION_DAYS
    return load["new invoices"] * 2, night * DAYS


def standing(template, prices, kept, many):
    """Every line of the sum; with all that is there for many organisations, or without."""
    load, functions = prices.load, resources(template, "AWS::Serverless::Function")
    triggers = [event for function in functions.values() for event in function.get("Events", {}).values()]
    polled = sum(event["Type"] == "SQS" and is_on(event, many) for event in triggers)
    by_schedule = scheduled(template)
    schedules, events = sum(by_schedule.values()), load["events"]
    yield from watching(template, prices, kept)

    polls = Decimal(polled * POLLS_A_MINUTE * MINUTES)
    yield prices.line("queues", {"queue request": polls + events * REQUESTS_A_MESSAGE},
                      f"{polled} triggers that ask {POLLS_A_MINUTE} times a minute, {events:,} messages")
    secrets = len(resources(template, "AWS::SecretsManager::Secret"))
    yield prices.line("secrets", {"secret": secrets, "secret read": load["secret reads"]},
                      f"{secrets} secrets, {load['secret reads']:,} reads")

    tables = resources(template, "AWS::DynamoDB::Table").values()
    indexed, swept = full_sweeps(template, load)
    writes = events * load["write units an event"] + schedules * load["write units a schedule"] + indexed
    reads = events * load["read units an event"] + schedules * load["read units a schedule"] + swept
    yield prices.line("tables", {"write unit": writes, "read unit": reads, "table GB": load["table GB"],
                                 "recoverable GB": load["table GB"]},
                      f"{len(tables)} tables, {load['table GB']} GB with recovery, {writes:,.0f} units written, {reads:,.0f} read")
    # A key that AWS keeps in the account is asked for about each row in nine; DynamoDB's own key costs nothing.
    kept_keys = any(table.get("SSESpecification", {}).get("SSEEnabled") for table in tables)
    keys = load["secret reads"] + ((writes + reads) / 9 if kept_keys else 0)
    yield prices.line("keys", {"key request": keys}, f"{keys:,.0f} requests")

    # Of each event, webhook, mirror, announce and reconcile hear.
    hearing = ("Webhook", "Mirror", "Announce", "Reconcile")
    calls = {name: times for name, times in by_schedule.items()}
    gigabytes = {name: Decimal(function["MemorySize"]) / 1024 for name, function in functions.items()}
    seconds = sum(gigabytes[name] * times * load["seconds a schedule"] for name, times in calls.items())
    seconds += sum(gigabytes[f"{name}Function"] * events * load["seconds an event"] for name in hearing)
    invocations = schedules + events * len(hearing)
    architecture = template["Parameters"]["Architecture"]["Default"]
    yield prices.line("functions", {f"GB-second {architecture}": seconds, "invocation": invocations},
                      f"{invocations:,.0f} invocations, {seconds:,.0f} GB-seconds on {architecture}")

    logged = invocations * load["log KB an invocation"] / 1024 / 1024
    days = template["Parameters"]["LogRetentionDays"]["Default"]
    asked = len(re.findall(r'"type": "log"', json.dumps(template).replace('\\"', '"')))
    scanned = logged / DAYS * asked * load["times the dashboard is opened"]
    yield prices.line("logs", {"log GB": logged, "kept log GB": logged * days / DAYS, "log GB asked": scanned},
                      f"{logged:.2f} GB, kept for {days} days, {scanned:.2f} GB asked by the dashboard")
    yield prices.line("events", {"event": load["events to the business"], "schedule": schedules},
                      f"{load['events to the business']:,} events to the business, {schedules:,.0f} schedules")
    # CloudTrail puts what it records in five minutes into one object. The calls of the schedules are left out.
    yield prices.line("who ordered", {"recorded call": load["calls by people"], "stored object": load["periods with such calls"]},
                      f"{load['calls by people']:,} calls by people, which CloudTrail records")
    # Weekly, monthly and quarterly reports with their files, and a seal for each day; a report is read again when it is counted again.
    files = load["report files"] * load["reports"] + DAYS
    yield prices.line("reports", {"stored object": files, "stored GB": load["report GB"]},
                      f"{load['reports']} reports with {load['report files']} files each, {load['report GB']} GB after a year")
    stored = load["program GB"] * len(functions)
    yield prices.line("mails and programs", {"mail": load["mails"], "stored GB": stored},
                      f"{load['mails']} mails, {math.ceil(stored * 1024)} MB of programs")


# A forged request costs a request and the memory of a few milliseconds (256 MB).
FORGED_SECONDS = Decimal("0.003")
# Of them all, a copy writes so many lines a minute (`webhook::refusals`), each in the log and as a record of numbers.
FORGED_LINES, FORGED_LINE_KB = 11, Decimal("0.8")
# The most requests that AWS lets one copy behind a function URL take in a second.
URL_REQUESTS_A_COPY = 10


def flood(prices, copies, architecture):
    """What forged requests cost: for a million, and for a day in which so many copies are kept busy."""
    million = Decimal(1_000_000)
    each = prices.prices
    seconds = million * FORGED_SECONDS / 4
    price = million * Decimal(each["invocation"]["usd"]) / each["invocation"]["per"]
    price += seconds * Decimal(each[f"GB-second {architecture}"]["usd"])
    requests = Decimal(copies * URL_REQUESTS_A_COPY * 24 * 60 * 60)
    logged = copies * FORGED_LINES * 24 * 60 * FORGED_LINE_KB / 1024 / 1024 * Decimal(each["log GB"]["usd"])
    return price.quantize(CENT, ROUND_HALF_UP), (price * requests / million + logged).quantize(CENT, ROUND_HALF_UP)


def lines(template, prices=None, kept=None, many=True):
    """Every line, and the sums of both columns."""
    found = list(standing(template, prices or Prices(), len(operations.kept()) if kept is None else kept, many))
    return found, sum(line.list_price for line in found), sum(line.free_tier for line in found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--template", type=Path, default=sam_template.PATH, help="another template, such as a built one")
    arguments.add_argument("--metrics", type=int, help="so many metrics of our own, instead of what `host::metrics` keeps")
    options = arguments.parse_args()
    prices = Prices()
    found, full, free = lines(sam_template.load(options.template), prices, options.metrics)
    print(f"cost: US$ a month, {prices.region}, prices of {prices.as_of}; {prices.what}")
    print(f"cost: {'':20}{'list price':>12}{'free tier':>12}")
    for line in found:
        print(f"cost: {line.what:20}{line.list_price:>12}{line.free_tier:>12}  {line.how_much}")
    print(f"cost: {'standing':20}{full:>12}{free:>12}  with what is there for many organisations (XeroConnection=grants)")
    _, one, one_free = lines(sam_template.load(options.template), prices, options.metrics, many=False)
    print(f"cost: {'standing':20}{one:>12}{one_free:>12}  with a custom connection, which is for one organisation")
    architecture = sam_template.load(options.template)["Parameters"]["Architecture"]["Default"]
    for copies in (10, 20, 1000):
        million, day = flood(prices, copies, architecture)
        print(f"cost: a flood that keeps {copies} copies of the webhook busy: {day} a day, {million} a million requests")
    if full > LIST_MAX or free > FREE_TIER_MAX:
        print(f"cost: FAILED: at most {LIST_MAX} at list price and {FREE_TIER_MAX} with the free tier are promised")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
