"""Drives every cause of an alarm into one of the two voices and out of it again.

Each has a pair of series in `CAUSES`: numbers that are still well, and the least that is wrong. Ours go through a line
in the embedded metric format, as the functions print it; so a metric with another name, unit or dimension never reaches
the alarm, and the test fails. The runbook says which alarm notices which cause, and has to be right. The thresholds of
the alarms themselves are in `EDGES`.
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
ALARMS_MAX = 25


@dataclass(frozen=True)
class Series:
    """Source and pace of numbers, those that are well and those that are wrong; `None` is nothing at all."""

    source: str
    metric: str
    good: tuple
    bad: tuple
    every: int = MINUTE
    # Numbers of the hourly look of the sweep, with a 0 when it is over: such a trouble does not end by itself.
    ends: str = ""

    def record(self, cloud, at, value):
        """One of them as AWS, or as our function, writes it."""
        kind, _, name = self.source.partition(" ")
        if value is None:
            return
        if kind == "function":
            cloud.read(operations.emf(name, at, {self.metric: value}))
            if self.ends and not value:
                cloud.read(operations.emf("sweep", at, {self.ends: 0}))
        elif kind == "lambda":
            cloud.put("AWS/Lambda", self.metric, {"FunctionName": f"{operations.STACK}-{name}"}, at, value)
        elif kind == "queue":
            cloud.put("AWS/SQS", self.metric, {"QueueName": f"{operations.STACK}-{name}"}, at, value)


def ours(function, metric, good, bad, every=MINUTE):
    """A number of our own, with its hourly or its per-invocation pace."""
    return Series(f"function {function}", metric, good, bad, every)


def hourly(function, metric, good, bad):
    """A number of an hourly look, which writes it also if it finds nothing."""
    return ours(function, metric, (good,), (bad,), HOUR)


def event(function, metric, ends=""):
    """A number of which one is too many; it is written with each invocation, and at night there are none."""
    return Series(f"function {function}", metric, (0, None), (None, 1), 2 * MINUTE, ends)


def on_lambda(function, metric, good=(0, None), bad=(1, None), every=MINUTE):
    """A metric of Lambda's, which is only there when the function was invoked."""
    return Series(f"lambda {function}", metric, good, bad, every)


def letters(queue):
    """Dead letters: SQS says nothing of a queue that was not used for hours."""
    return Series(f"queue {queue}-dlq", "ApproximateNumberOfMessagesVisible", (0, None), (1,))


def age(queue, seconds, good=None):
    """How long the oldest message has waited."""
    return Series(f"queue {queue}", "ApproximateAgeOfOldestMessage", (good or seconds, None), (seconds + 1,))


# Every cause that has ever had an alarm of its own, by that name, and some that had none.
CAUSES = {
    "changes-dead-letters": letters("changes"),
    "intake-dead-letters": letters("intake"),
    "uploads-dead-letters": letters("uploads"),
    "schedules-dead-letters": letters("schedules"),
    "events-dead-letters": letters("events"),
    "changes-age": age("changes", 15 * MINUTE),
    "intake-age": age("intake", 15 * MINUTE),
    "uploads-age": age("uploads", 2 * HOUR),
    # Messages that are nearly lost: of each queue, and of each dead-letter queue, where the number of letters rings.
    "changes-expiring": age("changes", 10 * DAY, good=MINUTE),
    "intake-expiring": age("intake", 10 * DAY, good=MINUTE),
    "uploads-expiring": age("uploads", 10 * DAY, good=MINUTE),
    "changes-dead-letters-expiring": letters("changes"),
    "intake-dead-letters-expiring": letters("intake"),
    "uploads-dead-letters-expiring": letters("uploads"),
    "schedules-dead-letters-expiring": letters("schedules"),
    "events-dead-letters-expiring": letters("events"),
    "events-late": on_lambda("announce", "IteratorAge", (15 * MINUTE * 1000, None), (15 * MINUTE * 1000 + 1,)),
    "rows-passed-over": event("announce", "RowsPassedOver", ends="ConnectionsNotActive"),
    # CC-20. One a day; in the other hours others are announced, or nothing is.
    "digest-missing": ours("announce", "DigestsTold", (1, *[0, None] * 11, 0), (0, None), HOUR),
    "console-refusals": event("console", "ConsoleRefusals", ends="ConnectionsNotActive"),
    # Now and then one fails, and the person who pressed the button sees it.
    "console-failures": ours("operate", "ConsoleFailures", (1, 0, 0, 0), (1, 0), 30 * MINUTE),
    "webhook-failures": on_lambda("webhook", "Url5xxCount"),
    # CM-42: Xero repeats less and less often, so that not every hour has a failure.
    "webhook-failing-1h": on_lambda("webhook", "Url5xxCount", bad=(1, 1, None, 1), every=15 * MINUTE),
    "webhook-failing-6h": on_lambda("webhook", "Url5xxCount", bad=(1, 1, None, 1, 1, None), every=HOUR),
    "webhook-failing-20h": on_lambda("webhook", "Url5xxCount", bad=(1, None), every=HOUR),
    "webhook-throttles": on_lambda("webhook", "Throttles"),
    "webhook-silence-1h": hourly("sweep", "WebhookSilence", HOUR_MS, HOUR_MS + 1),
    "webhook-silence-6h": hourly("sweep", "WebhookSilence", HOUR_MS, 6 * HOUR_MS + 1),
    "webhook-silence-20h": hourly("sweep", "WebhookSilence", HOUR_MS, 20 * HOUR_MS + 1),
    "webhook-not-signed": ours("webhook", "RefusedNotSigned", (1, 1, None), (1, 1), 5 * MINUTE),
    "webhook-unreadable": event("webhook", "BodiesUnreadable", ends="ConnectionsNotActive"),
    "webhook-malformed": event("webhook", "EventsMalformed", ends="ConnectionsNotActive"),
    "uploads-off": hourly("sweep", "UploadsOff", 0, 1),
    "mass-change": hourly("sweep", "MassChangesWaiting", 0, 1),
    "mass-change-stopped": event("mirror", "InvoicesBraked", ends="MassChangesWaiting"),
    "connection-refused": hourly("sweep", "ConnectionsRefused", 0, 1),
    "connections-not-active": hourly("sweep", "ConnectionsNotActive", 0, 1),
    "grant-ending": hourly("sweep", "GrantsEnding", 0, 1),
    "mirror-parked": event("mirror", "Parked", ends="ConnectionsNotActive"),
    "intake-parked": event("intake", "Parked", ends="ConnectionsNotActive"),
    # SP-09
    "mirror-late": event("mirror", "LateSyncs"),
    "intake-late": event("intake", "LateSyncs"),
    "night-not-run": hourly("upload", "NightsOverdue", 0, 1),
    "upload-unknown": event("upload", "PaymentsUnknownTooLong", ends="MassChangesWaiting"),
    "upload-runs-failed": event("upload", "UploadRunsFailed"),
    # Nothing wakes the function, and so nothing writes its hourly number.
    "upload-silence": hourly("upload", "NightsOverdue", 0, None),
    "sweep-silence": hourly("sweep", "ConnectionsNotActive", 0, None),
    "certificate-missing": hourly("sweep", "OldestCertificate", 26 * HOUR_MS, 26 * HOUR_MS + 1),
    "not-certified": event("sweep", "NotCertified", ends="OrganisationsNotCertified"),
    "sweep-lag": ours("sweep", "SweepLag", (2 * HOUR_MS,), (2 * HOUR_MS + 1,), 30 * MINUTE),
    # One that failed is made up for by the next one.
    "sweep-runs-failed": ours("sweep", "SweepRunsFailed", (1, 0, 0, 0), (1, 0), 30 * MINUTE),
    "mirror-errors": on_lambda("mirror", "Errors"),
    "intake-errors": on_lambda("intake", "Errors"),
    "upload-errors": on_lambda("upload", "Errors"),
    "sweep-errors": on_lambda("sweep", "Errors"),
    "mirror-throttles": on_lambda("mirror", "Throttles"),
    "intake-throttles": on_lambda("intake", "Throttles"),
    "upload-throttles": on_lambda("upload", "Throttles"),
    "sweep-throttles": on_lambda("sweep", "Throttles"),
    "organisations-not-certified": hourly("sweep", "OrganisationsNotCertified", 0, 1),
    "organisations-with-parked": hourly("sweep", "OrganisationsWithParked", 0, 1),
    "webhook-errors": on_lambda("webhook", "Errors"),
    "announce-errors": on_lambda("announce", "Errors"),
    "console-errors": on_lambda("console", "Errors"),
    "operate-errors": on_lambda("operate", "Errors"),
    "administer-errors": on_lambda("administer", "Errors"),
}

# For each alarm a cause at its edge: numbers that are still well for it alone, and the least that is wrong.
EDGES = {
    "DeadLettersAlarm": CAUSES["changes-dead-letters"],
    # Three of them within ten minutes are one trouble that was over when it was tried again.
    "FunctionErrorsAlarm": on_lambda("mirror", "Errors", (1, 0, 0), (1, 1, 0), 5 * MINUTE),
    "WebhookFailingAlarm": on_lambda("webhook", "Url5xxCount", (2, 0, 0, 1), (1, 1, None, 1), 15 * MINUTE),
    "WebhookEndsAlarm": hourly("sweep", "WebhookSilence", 20 * HOUR_MS, 20 * HOUR_MS + 1),
    "NeedsAPersonAlarm": CAUSES["uploads-off"],
    "NeedsALookAlarm": CAUSES["connections-not-active"],
    "QueueAgeAlarm": CAUSES["changes-age"],
    "UploadsAgeAlarm": CAUSES["uploads-age"],
    "LateAlarm": CAUSES["mirror-late"],
    "ThrottlesAlarm": CAUSES["webhook-throttles"],
    "WebhookFailsAlarm": CAUSES["webhook-failing-20h"],
    "WebhookSilentAlarm": CAUSES["webhook-silence-1h"],
    "WebhookNotSignedAlarm": CAUSES["webhook-not-signed"],
    "BehindAlarm": CAUSES["sweep-lag"],
    "NightNotRunAlarm": CAUSES["night-not-run"],
    "RunsFailedAlarm": CAUSES["sweep-runs-failed"],
    "EventsLateAlarm": CAUSES["events-late"],
    "DigestMissingAlarm": CAUSES["digest-missing"],
}

# The meaning of a missing number, and the reason for it.
MISSING = {
    "breaching": "what should have written it is silent, and that is what the alarm is about",
    "ignore": "a trouble that is found out once an hour is not over because it was not measured",
    "notBreaching": "nothing was done, so that nothing went wrong",
}


def play(alarms, series, phases):
    """The states of some alarms during some phases, each long enough for all of them to make up their minds: of each
    alarm those of the first phase, and the one at the end of each."""
    cloud, at, marks = Cloud(), START, []
    # As many periods as are judged, and those that CloudWatch fetches in addition.
    length = max((alarm["EvaluationPeriods"] + 5) * alarm["Period"] for alarm in alarms.values())
    for values in phases:
        times = range(at, at + length, series.every)
        for number, when in enumerate(times):
            # A schedule is exact to the minute, so that an hour may have none.
            late = MINUTE * (number % 2) if series.every >= HOUR else 0
            series.record(cloud, when + late, values[number % len(values)])
        at = times[-1] + series.every
        marks.append(at)
    found = {}
    for name, alarm in alarms.items():
        step = MINUTE if alarm["EvaluationPeriods"] <= 2 else min(alarm["Period"], 7 * MINUTE)
        warm = START + (alarm["EvaluationPeriods"] + 3) * alarm["Period"]
        history = alarm_model.states(alarm, cloud.of(alarm), warm, marks[-1], step)
        ends = [[state for when, state in history if when <= mark][-1] for mark in marks]
        found[name] = ([state for when, state in history if when <= marks[0]], ends)
    return found


class Alarms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.alarms = operations.alarms(cls.template)
        cls.voices = operations.voices(cls.template)

    def touched(self, series):
        """The alarms whose metrics a series writes."""
        cloud = Cloud()
        for value in (*series.good, *series.bad):
            series.record(cloud, START, value)
        return {name: alarm for name, alarm in self.alarms.items() if any(cloud.of(alarm))}

    def voice_of(self, alarm):
        """The voice in which an alarm is heard."""
        voice, = [name for name, voice in self.voices.items() if alarm in voice["Alarms"]]
        return voice

    def test_the_lines_are_like_those_that_a_function_prints(self):
        # A test of `host::metrics` expects the same line.
        printed = json.loads((ROOT / "infra/ci/fixtures/emf-line.json").read_text(encoding="utf-8"))
        at, values = printed["_aws"]["Timestamp"] // 1000, {"InvoicesBraked": 2, "LateSyncs": 1, "SlowestSync": 312_000}
        self.assertEqual(json.loads(operations.emf("mirror", at, values)), printed)

    def test_there_are_few_alarms_and_each_is_heard_in_one_voice(self):
        self.assertLessEqual(len(self.alarms) + len(self.voices), ALARMS_MAX)
        heard = [alarm for voice in self.voices.values() for alarm in voice["Alarms"]]
        self.assertEqual(sorted(heard), sorted(self.alarms))

    def test_every_cause_is_heard_in_its_voice_and_ends(self):
        """CM-42, EX-31, EX-32, CC-16, CC-20, SP-09 and what else has an alarm: nothing goes unnoticed."""
        listed = operations.causes()
        self.assertEqual(sorted(listed), sorted(CAUSES))
        slugs = {alarm["Slug"]: name for name, alarm in self.alarms.items()}
        for cause, series in CAUSES.items():
            row = listed[cause]
            with self.subTest(cause):
                alarm = slugs[operations.words(row["alarm"])[0]]
                voice = self.voice_of(alarm)
                self.assertEqual(self.voices[voice]["Slug"], operations.words(row["voice"])[0])
                found = play(self.touched(series), series, (series.good, series.bad, series.good))
                for name, (first, ends) in found.items():
                    self.assertEqual([state for state in first if state != {OK}], [], f"{name} rings though all is well")
                    self.assertEqual((ends[0], ends[2]), ({OK}, {OK}), f"{name}: well, and well again")
                self.assertEqual(found[alarm][1][1], {ALARM})
                ringing = {self.voice_of(name) for name, (_, ends) in found.items() if ends[1] != {OK}}
                self.assertIn(voice, ringing)

    def test_every_alarm_rings_at_its_edge_and_only_then(self):
        self.assertEqual(sorted(self.alarms), sorted(EDGES))
        for name, series in EDGES.items():
            with self.subTest(name):
                first, ends = play({name: self.alarms[name]}, series, (series.good, series.bad, series.good))[name]
                self.assertEqual([state for state in first if state != {OK}], [], "it rings though all is well")
                self.assertEqual(ends, [{OK}, {ALARM}, {OK}], "well, wrong, and well again")

    def test_every_queue_and_every_function_of_an_alarm_counts(self):
        """One series of several is enough, and none is left out."""
        for name in ("DeadLettersAlarm", "FunctionErrorsAlarm"):
            kind = "AWS::SQS::Queue" if name == "DeadLettersAlarm" else "AWS::Serverless::Function"
            there = {operations.physical(self.template, {"Ref": each}) for each in sam_template.resources(self.template, kind)}
            if kind == "AWS::SQS::Queue":
                there = {each for each in there if each.endswith("-dlq")}
            watched = {value for each in self.alarms[name]["Series"] for value in each["Dimensions"].values()}
            self.assertEqual(watched, there, name)

    def test_a_metric_that_nothing_writes_never_reaches_its_alarm(self):
        series = CAUSES["uploads-off"]
        for wrong in ({"MetricName": "NeedsPerson"}, {"Dimensions": {"Stack": "another"}}):
            alarm = self.alarms["NeedsAPersonAlarm"]
            alarm = {**alarm, "Series": [{**alarm["Series"][0], **wrong}]}
            _, ends = play({"it": alarm}, series, ((0,), (1,)))["it"]
            self.assertNotEqual(ends[-1], {ALARM})

    def test_two_deployments_in_one_account_stay_apart(self):
        for name, alarm in self.alarms.items():
            for each in alarm["Series"]:
                with self.subTest(name):
                    value, = each["Dimensions"].values()
                    self.assertEqual(value.partition("-")[0], operations.STACK)

    def test_what_is_missing_counts_as_it_should(self):
        ours, _ = operations.catalogue()
        found = {number for (_, number), row in ours.items() if row["if it is missing"] == "not measured"}
        looks = {name for name in operations.kept() if found & set(operations.parts(name))}
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                treat = alarm["TreatMissingData"]
                self.assertIn(treat, MISSING)
                if alarm["ComparisonOperator"].startswith("Less"):
                    self.assertEqual(treat, "breaching", MISSING["breaching"])
                elif alarm["Series"][0]["MetricName"] in looks:
                    self.assertIn(treat, ("breaching", "ignore"), MISSING["ignore"])
                else:
                    self.assertEqual(treat, "notBreaching", MISSING["notBreaching"])

    def test_silence_rings_where_silence_is_what_is_feared(self):
        for name, alarm in self.alarms.items():
            _, ends = play({name: alarm}, EDGES[name], (EDGES[name].good, (None,)))[name]
            with self.subTest(name):
                expected = {ALARM} if alarm["TreatMissingData"] == "breaching" else {OK}
                self.assertEqual(ends[-1], expected)
        feared = {name for name, alarm in self.alarms.items() if alarm["TreatMissingData"] == "breaching"}
        self.assertEqual(feared, {"NeedsALookAlarm", "NightNotRunAlarm", "DigestMissingAlarm"})

    def test_a_trouble_that_lasts_stays_in_alarm_while_nothing_looks(self):
        for name, alarm in self.alarms.items():
            if alarm["TreatMissingData"] == "ignore":
                with self.subTest(name):
                    series = EDGES[name]
                    _, ends = play({name: alarm}, series, (series.good, series.bad, (None,), series.good))[name]
                    self.assertEqual(ends, [{OK}, {ALARM}, {ALARM}, {OK}])

    def test_a_look_that_finds_nothing_does_not_end_what_another_one_finds(self):
        """Both look once an hour, at minutes of their own, and not exactly: else the voice would end and begin again."""
        cloud, hours = Cloud(), 12
        for hour in range(hours):
            at = START + hour * HOUR
            cloud.read(operations.emf("sweep", at, {"MassChangesWaiting": 0, "SweepRunsFailed": 0}))
            late = 20 * MINUTE * (hour % 2)
            cloud.read(operations.emf("upload", at + late + MINUTE, {"PaymentsUnknownTooLong": 1, "UploadRunsFailed": 1}))
        for name, rings_after in (("NeedsAPersonAlarm", 2), ("RunsFailedAlarm", 5)):
            alarm = self.alarms[name]
            history = alarm_model.states(alarm, cloud.of(alarm), START, START + (hours - 1) * HOUR, MINUTE)
            late_ones = {frozenset(state) for at, state in history if at >= START + rings_after * HOUR}
            self.assertEqual(late_ones, {frozenset({ALARM})}, name)

    def test_what_comes_and_goes_rings_once(self):
        """A voice sends a mail whenever it begins: not one for each of some late changes within an hour."""
        for name, series in (("LateAlarm", event("mirror", "LateSyncs")), ("ThrottlesAlarm", on_lambda("mirror", "Throttles"))):
            cloud = Cloud()
            for number in range(6):
                series.record(cloud, START + number * 20 * MINUTE, 1)
            history = alarm_model.states(self.alarms[name], cloud.of(self.alarms[name]), START, START + 6 * HOUR, MINUTE)
            begins = sum(before != after == {ALARM} for (_, before), (_, after) in zip(history, history[1:]))
            self.assertEqual((begins, history[-1][1]), (1, {OK}), name)

    def test_only_the_two_voices_speak_and_a_first_deployment_sends_two_mails(self):
        topics = [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]},
                  {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]}]
        for name, alarm in self.alarms.items():
            with self.subTest(name):
                self.assertEqual({"AlarmActions", "OKActions", "InsufficientDataActions"} & alarm.keys(), set())
        self.assertEqual(sorted(self.voices), ["ActNowAlarm", "LookTodayAlarm"])
        mails = 0
        for name, voice in self.voices.items():
            self.assertEqual(voice["AlarmActions"], topics)
            self.assertNotIn("InsufficientDataActions", voice)
            # It is made with insufficient data. Then it rings if one of its alarms takes no data for bad, and ends when
            # there are data; else it goes to OK.
            rings = any(self.alarms[each]["TreatMissingData"] == "breaching" for each in voice["Alarms"])
            mails += rings + (voice.get("OKActions") == topics)
        self.assertLessEqual(mails, 2)
        # It is said when it is over, where a person has to act.
        self.assertEqual(self.voices["ActNowAlarm"]["OKActions"], topics)

    def test_every_alarm_says_what_is_wrong_and_where_the_runbook_helps(self):
        headings = operations.headings(operations.RUNBOOK)
        for name, alarm in (self.alarms | self.voices).items():
            with self.subTest(name):
                self.assertIn(operations.runbook_of(alarm), headings)
                self.assertLess(len(alarm["AlarmDescription"]), 1024)

    def test_a_watcher_is_not_the_watched(self):
        """A dead function cannot write its number. Its trouble is noticed by the missing number, or by one that another
        function, SQS or Lambda writes."""
        for name, function in (("NeedsALookAlarm", "sweep"), ("NightNotRunAlarm", "upload"), ("DigestMissingAlarm", "announce")):
            always, if_any, _ = operations.kept()[self.alarms[name]["Series"][0]["MetricName"]]
            writers = {each for each in operations.functions() if set(always or if_any) & operations.emitted(each).keys()}
            self.assertEqual(writers, {function}, name)
            self.assertEqual(self.alarms[name]["TreatMissingData"], "breaching")

    def test_the_countdown_of_a_webhook_has_steps_below_a_day(self):
        """CM-42: Xero switches a webhook off after 24 hours. The first step is to be looked at today, the last one is to be
        acted on now; in between the message and the digest have the hour at which it ends."""
        steps = [(self.voice_of(name), self.alarms[name]["Threshold"]) for name in ("WebhookSilentAlarm", "WebhookEndsAlarm")]
        self.assertEqual(steps, [("LookTodayAlarm", HOUR_MS), ("ActNowAlarm", 20 * HOUR_MS)])
        # A webhook that fails all the time is no matter for tomorrow.
        self.assertEqual(self.voice_of("WebhookFailingAlarm"), "ActNowAlarm")


if __name__ == "__main__":
    unittest.main()
