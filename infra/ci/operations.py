"""The facts that operating rests on, read from where they are written: those of the code from `facts/`, the catalogue
and the runbook from their Markdown, names from the template."""

import json
import re
from functools import cache

import sam_template
from sam_template import ROOT, resources

CATALOGUE = ROOT / "infra/metrics.md"
RUNBOOK = ROOT / "infra/runbook.md"
# The name that the tests give to the stack.
STACK = "paymirror"
# Of the metrics that are kept: a test of `host::metrics` holds it against the code.
FACTS = json.loads((ROOT / "infra/ci/facts/metrics.json").read_text(encoding="utf-8"))
# Of the rest of the code: tests of `tests/documents` and of `host::batch` hold it against the code.
CODE = json.loads((ROOT / "infra/ci/facts/code.json").read_text(encoding="utf-8"))
NAMESPACE, DIMENSION = FACTS["namespace"], FACTS["dimension"]
UNITS = {"count": "Count", "ms": "Milliseconds", "percent": "Percent"}


@cache
def functions():
    """Every function that is deployed, with the folder of its code. Several may share one."""
    template = sam_template.load()
    return {
        physical(template, {"Ref": name}).removeprefix(f"{STACK}-"): properties["CodeUri"]
        for name, properties in resources(template, "AWS::Serverless::Function").items()
    }


@cache
def emitted(function):
    """Name and unit of every number that a function writes. A test of each function holds the catalogue against it."""
    ours, _ = catalogue()
    return {name: UNITS[row["unit"]] for (owner, name), row in ours.items() if owner == function}


@cache
def kept():
    """The metrics that CloudWatch keeps: for each name the parts that are always kept, those that are kept if there are
    any, and those of which the largest share counts, with the most that each may be."""
    return {each["metric"]: (tuple(each["always"]), tuple(each["if_any"]), each["shares"]) for each in FACTS["kept"]}


def parts(name):
    """The numbers of which a kept metric is made."""
    always, if_any, limits = kept()[name]
    return (*always, *if_any, *limits)


def tables(path):
    """Every table of a Markdown file: the heading above it, the names of its columns, its rows as dictionaries."""
    heading, columns = "", None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading, columns = line.lstrip("# "), None
        elif not line.startswith("|"):
            columns = None
        else:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if columns is None:
                columns = cells
            elif not set(line) <= set("|- :"):
                yield heading, dict(zip(columns, cells, strict=True))


def headings(path):
    """The headings of a Markdown file below its title."""
    return re.findall(r"^##+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def catalogue():
    """The rows of the catalogue: ours by function and number, those of AWS by namespace and metric. A heading may name
    several functions, with commas between."""
    ours, aws = {}, {}
    for heading, row in tables(CATALOGUE):
        if heading == "AWS":
            aws[words(row["namespace"])[0], words(row["metric"])[0]] = row
        elif "number" in row:
            ours |= {(function, words(row["number"])[0]): row for function in heading.split(", ")}
    return ours, aws


def metrics_kept():
    """The rows of the catalogue on what CloudWatch keeps, by metric."""
    return {words(row["metric"])[0]: row for heading, row in tables(CATALOGUE) if heading == "What CloudWatch keeps"}


def causes():
    """The rows of the runbook that say for each cause which alarm notices it, by cause."""
    return {words(row["cause"])[0]: row for heading, row in tables(RUNBOOK) if "cause" in row and "alarm" in row}


def words(cell):
    """The words in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def physical(template, value):
    """The name that a reference has in AWS, if the stack is called `STACK`."""
    if not isinstance(value, dict):
        return value
    (function, argument), = value.items()
    if function == "Fn::Sub":
        return substituted(template, argument)
    name = argument[0] if function == "Fn::GetAtt" else argument
    if name == "AWS::StackName":
        return STACK
    properties = template["Resources"][name]["Properties"]
    named = {key: properties[key] for key in ("FunctionName", "QueueName", "AlarmName", "LogGroupName", "TableName", "DashboardName")
             if key in properties}
    (_, text), = named.items()
    return physical(template, text)


PSEUDO = {"AWS::StackName": STACK, "AWS::Region": "ap-southeast-2", "AWS::AccountId": "123456789012",
          "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


def substituted(template, text):
    """A text of `Fn::Sub` with all its names filled in."""

    def fill(match):
        name = match.group(1)
        if name in PSEUDO:
            return PSEUDO[name]
        if name in template["Parameters"]:
            return str(template["Parameters"][name]["Default"])
        if name.endswith(".Arn"):
            resource = name.removesuffix(".Arn")
            kind = template["Resources"][resource]["Type"].split("::")[1].lower()
            return f"arn:aws:{kind}:ap-southeast-2:123456789012:{physical(template, {'Ref': resource})}"
        attribute = name.split(".")
        return physical(template, {"Fn::GetAtt": attribute} if len(attribute) > 1 else {"Ref": name})

    return re.sub(r"\$\{([^}!]+)\}", fill, text)


def _series(template, namespace, metric, dimensions, statistic, period):
    named = {each["Name"]: physical(template, each["Value"]) for each in dimensions}
    return {"Namespace": namespace, "MetricName": metric, "Dimensions": named, "Statistic": statistic, "Period": period}


def alarms(template):
    """Every alarm with the names that its metrics have in AWS, and how several become one: SUM or MAX."""
    found = {}
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        how, watched = "SUM", []
        for each in alarm.get("Metrics", []):
            if "Expression" in each:
                how, ids = re.fullmatch(r"(SUM|MAX)\(\[([\w, ]+)\]\)", each["Expression"]).groups()
                assert ids.split(", ") == [one["Id"] for one in alarm["Metrics"] if "MetricStat" in one], name
            else:
                stat = each["MetricStat"]
                metric = stat["Metric"]
                watched.append(_series(template, metric["Namespace"], metric["MetricName"], metric["Dimensions"],
                                       stat["Stat"], stat["Period"]))
        if not watched:
            watched = [_series(template, *(alarm[key] for key in
                                           ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")))]
        found[name] = {**alarm, "Slug": physical(template, alarm["AlarmName"]).removeprefix(f"{STACK}-"),
                       "How": how, "Series": watched, "Period": watched[0]["Period"]}
    return found


def voices(template):
    """The alarms that speak, each with those that make it speak."""
    found = {}
    for name, voice in resources(template, "AWS::CloudWatch::CompositeAlarm").items():
        rule = voice["AlarmRule"]["Fn::Sub"]
        names = re.findall(r'ALARM\("\$\{(\w+)\}"\)', rule)
        assert " OR ".join(f'ALARM("${{{each}}}")' for each in names) == rule.strip(), name
        found[name] = {**voice, "Slug": physical(template, voice["AlarmName"]).removeprefix(f"{STACK}-"),
                       "Alarms": names}
    return found


def runbook_of(alarm):
    """The heading that an alarm's description names, or nothing."""
    match = re.search(r"^.+[.!?] Runbook: (.+)$", alarm["AlarmDescription"])
    return match.group(1) if match else None
