"""Drives every alarm of the template into alarm and out of it again.

Each has a pair of series in `WATCHED`: numbers that are still well, and the least that is wrong. Ours go through a line
in the embedded metric format, as the functions print it; so a metric with another name, unit or dimension never reaches
the alarm, and the test fails. An alarm without a pair fails it as well.
"""

import json
import unittest
from dataclasses import dataclass

import alarm_model
import operations
import sam_template
from alarm_model import ALARM, OK, Cloud
from sam_template import ROOT

MINUTE, HOUR, DAY = 60, 3600, 86400
HOUR_MS = HOUR * 1000
# A whole minute, far from the beginning of an hour.
START = 1_795_000_020


@dataclass(frozen=True)
class Series:
    """Where numbers come from, how often, what is well and what is wrong; `None` is nothing at all."""

    source: str
    metric: str
    good: tuple
    bad: tuple
    every: int = MINUTE

    def record(self, cloud, at, value):
        """One of them as AWS, or as our function, writes it."""
        kind, _, name = self.source.partition(" ")
        if value is None:
            return
        if kind == "function":
            cloud.read(operations.emf(name, at, {self.metric: value}))
        elif kind == "lambda":
            cloud.put("AWS/Lambda", self.metric, {"FunctionName": f"{operations.STACK}-{name}"}, at, value)
        elif kind == "queue":
            cloud.put("AWS/SQS", self.metric, {"QueueName": f"{operations.STACK}-{name}"}, at, value)


def ours(function, metric, good, bad, every=MINUTE):
    """A metric of our own, with its hourly or its per-invocation pace."""
    return Series(f"function {function}", metric, good, bad, every)


def hourly(function, metric, good, bad):
    """A metric of an hourly look, which writes it whatever it finds."""
    return ours(function, metric, (good,), (bad,), HOUR)


def event(function, metric):
    """A metric of which one is too many; it is written with each invocation, and at night there are none."""
    return ours(function, metric, (0, None), (None, 1), 2 * MINUTE)


def on_lambda(function, metric, good=(0, None), bad=(1, None), every=MINUTE):
    """A metric of Lambda's, which is only there when the function was invoked."""
    return Series(f"lambda {function}", metric, good, bad, every)


def letters(queue):
    """Dead letters: SQS says nothing of a queue that nobody has used for hours."""
    return Series(f"queue {queue}-dlq", "ApproximateNumberOfMessagesVisible", (0, None), (1,))


def age(queue, seconds):
    """How long the oldest message has waited."""
    return Series(f"queue {queue}", "ApproximateAgeOfOldestMessage", (seconds, None), (seconds + 1,))


WATCHED = {
    "ChangesDeadLettersAlarm": letters("changes"),
    "IntakeDeadLettersAlarm": letters("intake"),
    "UploadsDeadLettersAlarm": letters("uploads"),
    "SchedulesDeadLettersAlarm": letters("schedules"),
    "EventsDeadLettersAlarm": letters("events"),
    "ChangesAgeAlarm": age("changes", 15 * MINUTE),
    "IntakeAgeAlarm": age("intake", 15 * MINUTE),
    "UploadsAgeAlarm": age("uploads", 2 * HOUR),
    "ChangesExpiringAlarm": age("changes", 10 * DAY),
    "IntakeExpiringAlarm": age("intake", 10 * DAY),
    "UploadsExpiringAlarm": age("uploads", 10 * DAY),
    "ChangesDeadLettersExpiringAlarm": age("changes-dlq", 3 * DAY),
    "IntakeDeadLettersExpiringAlarm": age("intake-dlq", 3 * DAY),
    "UploadsDeadLettersExpiringAlarm": age("uploads-dlq", 3 * DAY),
    "SchedulesDeadLettersExpiringAlarm": age("schedules-dlq", 3 * DAY),
    "EventsDeadLettersExpiringAlarm": age("events-dlq", 3 * DAY),
    "EventsLateAlarm": on_lambda("announce", "IteratorAge", (15 * MINUTE * 1000, None), (15 * MINUTE * 1000 + 1,)),
    "RowsPassedOverAlarm": event("announce", "RowsPassedOver"),
    # One a day; in the other hours others are announced, or nothing is.
    "DigestMissingAlarm": ours("announce", "DigestsTold", (1, *[0, None] * 11, 0), (0, None), HOUR),
    "ConsoleRefusalsAlarm": event("console", "ConsoleRefusals"),
    # Now and then one fails, and whoever pressed the button sees it.
    "ConsoleFailuresAlarm": ours("operate", "ConsoleFailures", (4,), (5,), 5 * MINUTE),
    "WebhookFailuresAlarm": on_lambda("webhook", "Url5xxCount"),
    "WebhookThrottlesAlarm": on_lambda("webhook", "Throttles"),
    # CM-42: Xero repeats less and less often, so that not every period has a failure.
    "WebhookFailing1hAlarm": on_lambda("webhook", "Url5xxCount", (2, 0, 0, 1), (1, 1, None, 1), 15 * MINUTE),
    "WebhookFailing6hAlarm": on_lambda(
        "webhook", "Url5xxCount", (3, 0, 0, 1, 0, 0), (1, 1, None, 1, 1, None), HOUR),
    "WebhookFailing20hAlarm": on_lambda("webhook", "Url5xxCount", (1, 0, 0), (1, None), HOUR),
    "WebhookSilence1hAlarm": hourly("sweep", "WebhookSilence", HOUR_MS, HOUR_MS + 1),
    "WebhookSilence6hAlarm": hourly("sweep", "WebhookSilence", 6 * HOUR_MS, 6 * HOUR_MS + 1),
    "WebhookSilence20hAlarm": hourly("sweep", "WebhookSilence", 20 * HOUR_MS, 20 * HOUR_MS + 1),
    "WebhookNotSignedAlarm": ours("webhook", "RefusedNotSigned", (1, 1, None), (1, 1), 5 * MINUTE),
    "WebhookUnreadableAlarm": event("webhook", "BodiesUnreadable"),
    "WebhookMalformedAlarm": event("webhook", "EventsMalformed"),
    "UploadsOffAlarm": hourly("sweep", "UploadsOff", 0, 1),
    "MassChangeAlarm": hourly("sweep", "MassChangesWaiting", 0, 1),
    "MassChangeStoppedAlarm": event("mirror", "InvoicesBraked"),
    "ConnectionRefusedAlarm": hourly("sweep", "ConnectionsRefused", 0, 1),
    "ConnectionsNotActiveAlarm": hourly("sweep", "ConnectionsNotActive", 0, 1),
    "GrantEndingAlarm": hourly("sweep", "GrantsEnding", 0, 1),
    "MirrorParkedAlarm": event("mirror", "Parked"),
    "IntakeParkedAlarm": event("intake", "Parked"),
    "MirrorLateAlarm": event("mirror", "LateSyncs"),
    "IntakeLateAlarm": event("intake", "LateSyncs"),
    "NightNotRunAlarm": hourly("upload", "NightsOverdue", 0, 1),
    "UploadUnknownAlarm": hourly("upload", "PaymentsUnknownTooLong", 0, 1),
    "UploadRunsFailedAlarm": event("upload", "UploadRunsFailed"),
    "UploadErrorsAlarm": on_lambda("upload", "Errors"),
    "UploadSilenceAlarm": on_lambda("upload", "Invocations", (1,), (None,), HOUR),
    "CertificateMissingAlarm": hourly("sweep", "OldestCertificate", 26 * HOUR_MS, 26 * HOUR_MS + 1),
    "NotCertifiedAlarm": event("sweep", "NotCertified"),
    "SweepLagAlarm": ours("sweep", "SweepLag", (2 * HOUR_MS,), (2 * HOUR_MS + 1,), 30 * MINUTE),
    # One that failed is made up for by the next one.
    "SweepRunsFailedAlarm": ours("sweep", "SweepRunsFailed", (1, 0, 0, 0), (1, 0), 30 * MINUTE),
    "SweepSilenceAlarm": on_lambda("sweep", "Invocations", (1,), (None,), HOUR),
    "MirrorErrorsAlarm": on_lambda("mirror", "Errors"),
    "IntakeErrorsAlarm": on_lambda("intake", "Errors"),
    "SweepErrorsAlarm": on_lambda("sweep", "Errors"),
    "MirrorThrottlesAlarm": on_lambda("mirror", "Throttles"),
    "IntakeThrottlesAlarm": on_lambda("intake", "Throttles"),
    "UploadThrottlesAlarm": on_lambda("upload", "Throttles"),
    "SweepThrottlesAlarm": on_lambda("sweep", "Throttles"),
}

# What is to be thought of a number that is missing, and the reason for it.
MISSING = {
    "breaching": "whoever should have written it is silent, and that is what the alarm is about",
    "ignore": "a trouble that is found out once an hour is not over because it was not measured",
    "notBreaching": "nothing was done, so that nothing went wrong",
}


def play(alarm, series, phases):
    """The state of an alarm at each step of some phases, each of them long enough for it to make up its mind."""
    cloud, at, marks = Cloud(), START, []
    # As many periods as it judges, and what CloudWatch fetches besides.
    length = (alarm["EvaluationPeriods"] + 5) * alarm["Period"]
    for values in phases:
        times = range(at, at + length, series.every)
        for number, when in enumerate(times):
            # A schedule is exact to the minute, so that an hour may have none.
            late = MINUTE * (number % 2) if series.every >= HOUR else 0
            series.record(cloud, when + late, values[number % len(values)])
        at = times[-1] + series.every
        marks.append(at)
    step = MINUTE if alarm["EvaluationPeriods"] <= 2 else min(alarm["Period"], 7 * MINUTE)
    warm = START + (alarm["EvaluationPeriods"] + 3) * alarm["Period"]
    history = alarm_model.states(alarm, cloud.of(alarm), warm, marks[-1], step)
    ends = []
    for mark in marks:
        ends.append([state for when, state in history if when <= mark][-1])
    first = [state for when, state in history if when <= marks[0]]
    return first, ends


class Alarms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alarms = operations.alarms(sam_template.load())

    def test_the_lines_are_like_those_that_a_function_prints(self):
        # A test of `host::metrics` expects the same line.
        printed = json.loads((ROOT / "infra/ci/fixtures/emf-line.json").read_text(encoding="utf-8"))
        at, values = printed["_aws"]["Timestamp"] // 1000, {"LateSyncs": 1, "SlowestSync": 312_000}
        self.assertEqual(json.loads(operations.emf("mirror", at, values)), printed)

    def test_every_alarm_has_its_pair_of_series(self):
        self.assertEqual(sorted(self.alarms), sorted(WATCHED))

    def test_every_alarm_rings_when_it_must_and_only_then(self):
        for name, series in WATCHED.items():
            with self.subTest(name):
                first, ends = play(self.alarms[name], series, (series.good, series.bad, series.good))
                self.assertEqual([state for state in first if state != {OK}], [], "it rings though all is well")
                self.assertEqual(ends, [{OK}, {ALARM}, {OK}], "well, wrong, and well again")

    def test_a_metric_that_nobody_writes_never_reaches_its_alarm(self):
        alarm = {**self.alarms["UploadsOffAlarm"], "MetricName": "UploadOff"}
        _, ends = play(alarm, WATCHED["UploadsOffAlarm"], ((0,), (1,)))
        self.assertNotEqual(ends[-1], {ALARM})
        alarm = {**self.alarms["UploadsOffAlarm"], "Dimensions": {"Function": "paymirror-upload"}}
        _, ends = play(alarm, WATCHED["UploadsOffAlarm"], ((0,), (1,)))
        self.assertNotEqual(ends[-1], {ALARM})

    def test_what_is_missing_counts_as_it_should(self):
        ours, _ = operations.catalogue()
        missing = {key for key, row in ours.items() if row["if it is missing"] == "not measured"}
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                treat = alarm["TreatMissingData"]
                self.assertIn(treat, MISSING)
                function = WATCHED[name].source.partition(" ")[2]
                looks = (function, alarm["MetricName"]) in missing
                if alarm["ComparisonOperator"].startswith("Less"):
                    self.assertEqual(treat, "breaching", MISSING["breaching"])
                elif looks:
                    self.assertIn(treat, ("breaching", "ignore"), MISSING["ignore"])
                else:
                    self.assertEqual(treat, "notBreaching", MISSING["notBreaching"])

    def test_silence_rings_where_silence_is_what_is_feared(self):
        for name, alarm in self.alarms.items():
            _, ends = play(alarm, WATCHED[name], (WATCHED[name].good, (None,)))
            with self.subTest(name):
                expected = {ALARM} if alarm["TreatMissingData"] == "breaching" else {OK}
                self.assertEqual(ends[-1], expected)
        feared = {name for name, alarm in self.alarms.items() if alarm["TreatMissingData"] == "breaching"}
        for name in ("WebhookSilence1hAlarm", "WebhookSilence20hAlarm", "NightNotRunAlarm", "CertificateMissingAlarm",
                     "UploadSilenceAlarm", "SweepSilenceAlarm", "DigestMissingAlarm"):
            self.assertIn(name, feared)

    def test_a_trouble_that_lasts_stays_in_alarm_while_nobody_looks(self):
        for name, alarm in self.alarms.items():
            if alarm["TreatMissingData"] == "ignore":
                with self.subTest(name):
                    series = WATCHED[name]
                    _, ends = play(alarm, series, (series.good, series.bad, (None,), series.good))
                    self.assertEqual(ends, [{OK}, {ALARM}, {ALARM}, {OK}])

    def test_every_alarm_tells_the_topic_when_it_rings_and_when_it_ends(self):
        topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                self.assertEqual((alarm.get("AlarmActions"), alarm.get("OKActions")), (topic, topic))

    def test_every_alarm_says_what_is_wrong_and_where_the_runbook_helps(self):
        headings = operations.headings(operations.RUNBOOK)
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                self.assertIn(operations.runbook_of(alarm), headings)
                self.assertLess(len(alarm["AlarmDescription"]), 1024)

    def test_a_watcher_is_not_the_watched(self):
        """What a function that has died cannot say is said by Lambda, SQS, or another function."""
        silent = {"upload": "UploadSilenceAlarm", "sweep": "SweepSilenceAlarm"}
        for function, name in silent.items():
            self.assertEqual(self.alarms[name]["Namespace"], "AWS/Lambda", function)
        # CC-20: sweep makes the digest.
        self.assertEqual(self.alarms["DigestMissingAlarm"]["Dimensions"], {"Function": "paymirror-announce"})
        for hours in (1, 6, 20):
            alarm = self.alarms[f"WebhookSilence{hours}hAlarm"]
            self.assertEqual(alarm["Dimensions"], {"Function": "paymirror-sweep"})

    def test_the_countdown_of_failing_receipts_has_three_steps_below_a_day(self):
        """CM-42: Xero switches a webhook off after 24 hours."""
        for kind in ("Silence", "Failing"):
            steps = [self.alarms[f"Webhook{kind}{hours}hAlarm"] for hours in (1, 6, 20)]
            if kind == "Silence":
                self.assertEqual([step["Threshold"] for step in steps], [h * HOUR_MS for h in (1, 6, 20)])
            else:
                spans = [step["Period"] * step["EvaluationPeriods"] for step in steps]
                self.assertEqual(spans, [h * HOUR for h in (1, 6, 20)])


if __name__ == "__main__":
    unittest.main()
