"""What operating rests on, read from where it is written: metrics from the Rust sources, the catalogue and the runbook
from their Markdown, names from the template."""

import json
import re
from functools import cache

import sam_template
from sam_template import ROOT, resources

CATALOGUE = ROOT / "infra/metrics.md"
RUNBOOK = ROOT / "infra/runbook.md"
# The name that the tests give to the stack.
STACK = "paymirror"
NAMESPACE = "Paymirror"
DIMENSION = "Function"
UNITS = {"count": "Count", "milliseconds": "Milliseconds"}


def rust(folder):
    """The text of every Rust source below a folder, without its tests."""
    for path in sorted((ROOT / folder).rglob("*.rs")):
        text = path.read_text(encoding="utf-8")
        yield path, text.split("#[cfg(test)]\nmod tests", 1)[0]


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
    """Name and unit of every metric that a function writes."""
    found = {}
    for _, text in rust(f"{functions()[function]}/src"):
        for way, name in re.findall(r'Metric::(\w+)\(\s*"(\w+)"', text):
            found[name] = UNITS[way]
    return found


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
    """The rows of the catalogue: ours by function and metric, those of AWS by namespace and metric. A heading may name
    several functions, with commas between."""
    ours, aws = {}, {}
    for heading, row in tables(CATALOGUE):
        metric, = words(row["metric"])
        if heading == "AWS":
            aws[words(row["namespace"])[0], metric] = row
        else:
            ours |= {(function, metric): row for function in heading.split(", ")}
    return ours, aws


def words(cell):
    """What stands in backticks in a cell."""
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


def alarms(template):
    """Every alarm with the names that its metric has in AWS."""
    found = {}
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        dimensions = {each["Name"]: physical(template, each["Value"]) for each in alarm["Dimensions"]}
        found[name] = {**alarm, "Slug": physical(template, alarm["AlarmName"]).removeprefix(f"{STACK}-"),
                       "Dimensions": dimensions}
    return found


def runbook_of(alarm):
    """The heading that an alarm's description names, or nothing."""
    match = re.search(r"^.+[.!?] Runbook: (.+)$", alarm["AlarmDescription"])
    return match.group(1) if match else None


def emf(function, at, values):
    """A line as `host::metrics` prints it: the same shape, units and names."""
    units = emitted(function)
    record = {
        "_aws": {
            "Timestamp": at * 1000,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]],
                "Metrics": [{"Name": name, "Unit": units[name]} for name in values],
            }],
        },
        DIMENSION: f"{STACK}-{function}",
        **values,
    }
    return json.dumps(record)


def _arguments(text, at):
    """The arguments of a macro call whose opening bracket is at `at`, split at the commas outside of brackets."""
    depth, quoted, parts, begin = 0, False, [], at + 1
    for place in range(at, len(text)):
        sign = text[place]
        if sign == '"' and text[place - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and sign == ","):
            parts.append(text[begin:place].strip())
            begin = place + 1
        if depth == 0:
            return [part for part in parts if part]
    return []


def log_lines():
    """Every line that our code can log: its level, the names of its fields, and a pattern for its message."""
    for folder in ("functions", "shared"):
        for path, text in rust(folder):
            if "src" not in path.parts:
                continue
            for match in re.finditer(r"tracing::(info|warn|error|debug)!(?=\()", text):
                fields, message = set(), ""
                for part in _arguments(text, match.end()):
                    named = re.match(r"([\w.]+)\s*=(?!=)", part)
                    if named:
                        fields.add(named.group(1))
                    elif part.startswith('"'):
                        words_ = re.sub(r"\\\n\s*", "", part.strip('"'))
                        message = ".+".join(re.escape(each) for each in re.split(r"\{[^}]*\}", words_))
                    else:
                        fields.add(part.lstrip("%?"))
                yield match.group(1).upper(), fields, message
