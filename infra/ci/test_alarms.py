"""Follows every cause of an alarm from its number to its voice: the function writes the number, CloudWatch keeps it in a
metric, an alarm watches that metric, and one of the two voices hears that alarm, as the runbook says.

That a function writes the number for its cause is tested in Rust, in each function; how CloudWatch evaluates an alarm is
left to CloudWatch, and `RULES` states the evaluation that each alarm has.
"""

import re
import unittest

import operations
import sam_template

MINUTE, HOUR = 60, 3600
HOUR_MS = HOUR * 1000
ALARMS_MAX = 25

# Each alarm: what it is above (or below), in how many of how many periods of how many seconds.
RULES = {
    "dead-letters": (0, 1, 1, MINUTE),
    # Three of them within ten minutes are one trouble that was over when it was tried again.
    "function-errors": (0, 2, 3, 5 * MINUTE),
    # CM-42: Xero repeats less and less often, so that not every quarter of an hour has a failure.
    "webhook-failing": (0, 3, 4, 15 * MINUTE),
    "webhook-fails": (0, 1, 2, HOUR),
    "webhook-not-signed": (10, 1, 1, HOUR),
    # Two looks, each once an hour and not exactly, fall into each period of these.
    "needs-a-person": (0, 1, 1, 90 * MINUTE),
    "needs-a-look": (0, 1, 1, 90 * MINUTE),
    "night-not-run": (0, 1, 1, 90 * MINUTE),
    "behind": (100, 1, 1, 90 * MINUTE),
    "queue-age": (15 * MINUTE, 1, 1, MINUTE),
    "uploads-age": (2 * HOUR, 1, 1, MINUTE),
    # What comes and goes sends one mail, not one for each change within an hour.
    "late": (0, 1, 1, HOUR),
    "throttles": (0, 1, 1, HOUR),
    # One that failed is made up for by the next one.
    "runs-failed": (0, 3, 8, 30 * MINUTE),
    "events-late": (15 * MINUTE * 1000, 1, 1, MINUTE),
    # CC-20: a digest comes every morning.
    "digest-missing": (1, 26, 26, HOUR),
}

# The causes whose number the runbook describes in words: the metric, and the queue or function that it belongs to.
AGES, LETTERS = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
IN_WORDS = {
    **{f"{queue}-{what}": (AGES, queue) for queue in ("changes", "intake", "uploads") for what in ("age", "expiring")},
    **{f"{queue}-dead-letters{what}": (LETTERS, f"{queue}-dlq")
       for queue in ("changes", "intake", "uploads", "schedules", "events") for what in ("", "-expiring")},
    **{f"{function}-throttles": (AGES, queue)
       for function, queue in (("mirror", "changes"), ("intake", "intake"), ("upload", "uploads"))},
    "sweep-silence": ("ConnectionsNotActive", "sweep"),
    "sweep-throttles": ("ConnectionsNotActive", "sweep"),
    "upload-silence": ("NightsOverdue", "upload"),
    "report-errors": (LETTERS, "schedules-dlq"),
}

# The meaning of a missing number, and the reason for it.
MISSING = {
    "breaching": "what should have written it is silent, and that is what the alarm is about",
    "ignore": "a trouble that is found out once an hour is not over because it was not measured",
    "notBreaching": "nothing was done, so that nothing went wrong",
}


class Alarms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = sam_template.load()
        cls.alarms = operations.alarms(cls.template)
        cls.voices = operations.voices(cls.template)

    def voice_of(self, alarm):
        """The voice in which an alarm is heard."""
        voice, = [name for name, voice in self.voices.items() if alarm in voice["Alarms"]]
        return voice

    def test_there_are_few_alarms_and_each_is_heard_in_one_voice(self):
        self.assertLessEqual(len(self.alarms) + len(self.voices), ALARMS_MAX)
        heard = [alarm for voice in self.voices.values() for alarm in voice["Alarms"]]
        self.assertEqual(sorted(heard), sorted(self.alarms))

    def test_every_cause_is_heard_in_its_voice(self):
        """CM-42, EX-31, EX-32, CC-16, CC-20, SP-09 and every other cause that has an alarm."""
        slugs = {alarm["Slug"]: name for name, alarm in self.alarms.items()}
        kept_as = {part: name for name in operations.kept() for part in operations.parts(name)}
        for cause, row in operations.causes().items():
            with self.subTest(cause):
                alarm, = operations.words(row["alarm"])
                self.assertEqual([self.voices[self.voice_of(slugs[alarm])]["Slug"]], operations.words(row["voice"]))
                number, of = self.number(cause, row["field or metric"])
                series = self.alarms[slugs[alarm]]["Series"]
                self.assertIn(kept_as.get(number, number), {each["MetricName"] for each in series})
                if number in kept_as:
                    self.assertTrue(any(number in operations.emitted(each) for each in ([of] if of else operations.functions())))
                else:
                    watched = {value for each in series for value in each["Dimensions"].values()}
                    self.assertIn(f"{operations.STACK}-{of or 'webhook'}", watched)

    def number(self, cause, text):
        """The number of a cause, and the function or queue that it belongs to, if the runbook names one."""
        if cause in IN_WORDS:
            return IN_WORDS[cause]
        (number, of), = re.findall(r"^`(\w+)`(?: of (\w+))?", text)
        return number, of

    def test_no_cause_is_missing(self):
        """Each number behind an alarm of ours, each queue and each function stands in the runbook."""
        causes = operations.causes()
        listed = {self.number(cause, row["field or metric"]) for cause, row in causes.items()}
        self.assertEqual({alarm["Slug"] for alarm in self.alarms.values()},
                         {operations.words(row["alarm"])[0] for row in causes.values()})
        numbers = {number for number, _ in listed}
        self.assertLessEqual({part for name in operations.kept() for part in operations.parts(name)}, numbers)
        for alarm in self.alarms.values():
            for each in alarm["Series"]:
                if each["Namespace"] != operations.NAMESPACE:
                    of, = (value.removeprefix(f"{operations.STACK}-") for value in each["Dimensions"].values())
                    with self.subTest(f"{each['MetricName']} of {of}"):
                        self.assertIn((each["MetricName"], "" if each["MetricName"] == "Url5xxCount" else of), listed)

    def test_every_alarm_is_evaluated_as_its_rule_says(self):
        found = {alarm["Slug"]: (alarm["Threshold"], alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
                                 alarm["EvaluationPeriods"], alarm["Period"]) for alarm in self.alarms.values()}
        self.assertEqual(found, RULES)
        for alarm in self.alarms.values():
            with self.subTest(alarm["Slug"]):
                below = alarm["Slug"] == "digest-missing"
                self.assertEqual(alarm["ComparisonOperator"], "LessThanThreshold" if below else "GreaterThanThreshold")
                # Failures within a period add up; of an age, a state or the finding of a look the worst one counts.
                adds_up = alarm["Period"] in (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
                self.assertEqual({each["Statistic"] for each in alarm["Series"]}, {"Sum" if adds_up else "Maximum"})

    def test_every_dead_letter_queue_and_every_function_counts(self):
        """One series of several is enough, and none is left out. Of a function an alarm counts the errors, or the runbook
        has another number that its errors lead to."""
        def there(kind):
            return {operations.physical(self.template, {"Ref": each}) for each in sam_template.resources(self.template, kind)}

        watched = {value for each in self.alarms["DeadLettersAlarm"]["Series"] for value in each["Dimensions"].values()}
        self.assertEqual(watched, {each for each in there("AWS::SQS::Queue") if each.endswith("-dlq")})
        for function in there("AWS::Serverless::Function"):
            cause = f"{function.removeprefix(f'{operations.STACK}-')}-errors"
            self.assertIn(cause, operations.causes())

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
        feared = {name for name, alarm in self.alarms.items() if alarm["TreatMissingData"] == "breaching"}
        self.assertEqual(feared, {"NeedsALookAlarm", "NightNotRunAlarm", "DigestMissingAlarm"})

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
        """CM-42: Xero switches a webhook off after 24 hours. The first step, after an hour, is to be looked at today, the last
        one, after 20 (`WEBHOOK_ENDS_AFTER` in sweep), is to be acted on now; in between the message and the digest have the
        hour at which it ends."""
        self.assertEqual(operations.kept()["Behind"][2]["WebhookSilence"], HOUR_MS)
        self.assertIn("WebhooksEnding", operations.kept()["NeedsAPerson"][0])
        self.assertEqual([self.voice_of(name) for name in ("BehindAlarm", "NeedsAPersonAlarm")], ["LookTodayAlarm", "ActNowAlarm"])
        # A webhook that fails all the time is no matter for tomorrow.
        self.assertEqual(self.voice_of("WebhookFailingAlarm"), "ActNowAlarm")


if __name__ == "__main__":
    unittest.main()
