#!/usr/bin/env python3
"""Deploys Paymirror into an AWS account, the first time and every time.

Looks at the account and the tools first, and says what to do about what it finds; builds; deploys with every answer given;
switches on what protects the data; says what comes next. A stack that is there keeps its parameters, but for those that --set
names. With --check it only looks. It may be run again after any failure.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import checks
import facts
import template
from aws import Aws, Refused, region_of, wait_until

TOOLS = template.ROOT / ".venv/aws-tools/bin"
CONFIG = template.ROOT / "infra/samconfig.toml"
BUILT = template.ROOT / ".aws-sam/build/template.yaml"
NEXT = """
The webhook's address for Xero:   {WebhookUrl}
The page to look at:              {DashboardUrl}
Next: put Xero's keys into the two secrets, and sign the organisation up (README.md, Deploy)."""


def say(sentence):
    print(f"deploy: {sentence}", flush=True)


def run(*command):
    say(" ".join(command))
    if subprocess.run(command, check=False, cwd=template.ROOT).returncode:
        sys.exit(f"deploy: `{command[0]} {command[1]}` did not succeed; mend what it says, and run this again")


def looked(stack, region, architecture, aws, text):
    """The facts, after each finding was printed; ends if one of them stands in the way."""
    found = facts.ask(stack, region, architecture, aws, text)
    say(f"account {found.account}, region {region}, stack {stack} ({found.status or 'not there yet'})")
    findings = checks.findings(found)
    for finding in findings:
        say(f"{'STOP' if finding.stops else 'note'}: {finding.what}\n        {finding.do}")
    if any(finding.stops for finding in findings):
        sys.exit("deploy: nothing was changed")
    say("nothing stands in the way")
    return found


def clear_away(aws, stack):
    """Deletes a stack whose creation was undone: it has nothing in it, and CloudFormation does not go on with one."""
    aws.call("cloudformation", "delete-stack", StackName=stack)
    wait_until("the stack is gone", lambda: not status(aws, stack))


def status(aws, stack):
    found = aws.found("cloudformation", "describe-stacks", StackName=stack)
    state = found["Stacks"][0]["StackStatus"] if found and found["Stacks"] else ""
    return "" if state == "DELETE_COMPLETE" else state


def outputs_of(aws, stack):
    found = aws.call("cloudformation", "describe-stacks", StackName=stack)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}, found


def protect(aws, stack):
    """Switches on what keeps the stack and its tables from being deleted by mistake, and what undoes a bad deployment."""
    aws.call("cloudformation", "update-termination-protection", StackName=stack, EnableTerminationProtection=True)
    outputs, found = outputs_of(aws, stack)
    values = {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}
    if values["DeletionProtection"] == "true":
        return
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in values if name != "DeletionProtection"]
    aws.call(
        "cloudformation", "update-stack", StackName=stack, UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[*kept, {"ParameterKey": "DeletionProtection", "ParameterValue": "true"}],
        # CloudFormation takes it only with a change, and remembers it for every later one.
        RollbackConfiguration=json.loads(outputs["RollbackConfiguration"]),
    )

    def over():
        now = status(aws, stack)
        return None if now.endswith("_IN_PROGRESS") else now

    state = wait_until("the tables are protected", over)
    if state != "UPDATE_COMPLETE":
        sys.exit(f"deploy: the tables could not be protected ({state}); run this again")
    say("the tables and the stack are protected against deletion, and a deployment that fails is undone")


def pairs(texts):
    for text in texts:
        if "=" not in text:
            sys.exit(f"deploy: {text} is not Name=value")
    return dict(text.split("=", 1) for text in texts)


def options():
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    found.add_argument("--stack", default="paymirror", help="name of the stack, and the beginning of every name in it")
    found.add_argument("--region", help="such as ap-southeast-2; that of the AWS command line, if left out")
    found.add_argument("--architecture", choices=["x86_64", "arm64"], default="x86_64", help="processor of the functions")
    found.add_argument("--set", nargs="+", default=[], metavar="Name=value", help="parameters of template.yaml")
    found.add_argument("--check", action="store_true", help="only look")
    found.add_argument("--template", type=Path, help="a template that is built already")
    return found.parse_args()


def main():
    given = options()
    # SAM and cargo-lambda find each other, and zig, through the first python3 on the path.
    os.environ["PATH"] = f"{TOOLS}{os.pathsep}{os.environ['PATH']}" if TOOLS.exists() else os.environ["PATH"]
    region = region_of(given.region)
    aws, text = Aws(region), template.PATH.read_text(encoding="utf-8")
    chosen = pairs(given.set)
    found = looked(given.stack, region, given.architecture, aws, text)
    if given.check:
        return
    if found.status == "ROLLBACK_COMPLETE":
        clear_away(aws, given.stack)
    if not given.template:
        run("sam", "build", "--config-file", str(CONFIG), "--parameter-overrides", f"Architecture={given.architecture}")
    overrides = [f"{name}={value}" for name, value in checks.parameters(found, chosen).items()]
    run("sam", "deploy", "--config-file", str(CONFIG), "--template-file", str(given.template or BUILT), "--stack-name", given.stack,
        "--region", region, "--s3-prefix", given.stack, "--no-confirm-changeset", "--parameter-overrides", *overrides)
    if chosen.get("DeletionProtection") != "false":
        protect(aws, given.stack)
    outputs, _ = outputs_of(aws, given.stack)
    print(NEXT.format(**outputs))


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"deploy: AWS refused: {refused}")
