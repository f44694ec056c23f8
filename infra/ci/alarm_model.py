"""CloudWatch as far as our alarms need it: metrics out of lines in the embedded metric format, and an alarm's state.

The rules are those of "Using Amazon CloudWatch alarms" and "Configuring how CloudWatch alarms treat missing data" in
the user guide: `EvaluationPeriods` periods are judged, `DatapointsToAlarm` of them have to be over the threshold, and
what is missing counts as `TreatMissingData` says. CloudWatch fetches some periods more than it judges, and takes what
it finds there before it fills anything in; how many is not documented. So a state only counts here if it is the same
with none of these and with two.
"""

import json

OK, ALARM, UNSURE = "OK", "ALARM", "INSUFFICIENT_DATA"

COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}

STATISTICS = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
}


class Cloud:
    """Metrics as CloudWatch keeps them: by namespace, name and dimensions."""

    def __init__(self):
        self.points = {}

    def put(self, namespace, name, dimensions, at, value):
        """One number at one second."""
        key = (namespace, name, tuple(sorted(dimensions.items())))
        self.points.setdefault(key, []).append((at, value))

    def read(self, line):
        """Adds the metrics that CloudWatch makes of one line in a function's log."""
        record = json.loads(line)
        # A line without it is a line of the log and nothing else.
        about = record.get("_aws", {"CloudWatchMetrics": []})
        for directive in about["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: record[name] for name in names}
                for metric in directive["Metrics"]:
                    self.put(directive["Namespace"], metric["Name"], dimensions, about["Timestamp"] // 1000,
                             record[metric["Name"]])

    def of(self, alarm):
        """The numbers that an alarm watches: those of each of its series."""
        return [
            self.points.get((each["Namespace"], each["MetricName"], tuple(sorted(each["Dimensions"].items()))), [])
            for each in alarm["Series"]
        ]


def _datapoints(alarm, points, at, count):
    """The number of each of the last periods before `at`, the oldest first; `None` where there is nothing. Of several
    series it is the sum or the maximum of those that have one."""
    period, together = alarm["Period"], {"SUM": sum, "MAX": max}[alarm["How"]]
    for back in range(count, 0, -1):
        begins, ends = at - back * period, at - (back - 1) * period
        found = []
        for each, series in zip(alarm["Series"], points, strict=True):
            values = [value for when, value in series if begins <= when < ends]
            if values:
                found.append(STATISTICS[each["Statistic"]](values))
        yield together(found) if found else None


def _judge(alarm, points, at, before, more):
    periods = alarm["EvaluationPeriods"]
    wanted = alarm.get("DatapointsToAlarm", periods)
    over = COMPARISONS[alarm["ComparisonOperator"]]
    found = list(_datapoints(alarm, points, at, periods + more))
    there = [value for value in found if value is not None]
    if len(there) >= periods:
        judged = [over(value, alarm["Threshold"]) for value in there[-periods:]]
        return ALARM if sum(judged) >= wanted else OK
    treat = alarm.get("TreatMissingData", "missing")
    bad = sum(over(value, alarm["Threshold"]) for value in there)
    if treat in ("ignore", "missing"):
        if bad >= wanted:
            return ALARM
        if not there:
            return before if treat == "ignore" else UNSURE
        return before if treat == "ignore" else OK
    if treat == "breaching":
        bad += periods - len(there)
    return ALARM if bad >= wanted else OK


def states(alarm, points, begin, end, step):
    """The state at each moment from `begin` to `end`: one of the two readings, or both if they differ."""
    history, plain, generous = [], OK, OK
    for at in range(begin, end + 1, step):
        plain = _judge(alarm, points, at, plain, 0)
        generous = _judge(alarm, points, at, generous, 2)
        history.append((at, {plain, generous}))
    return history
