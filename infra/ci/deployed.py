#!/usr/bin/env python3
"""Deploys template.yaml with the compiled functions into an AWS on this machine and plays payments through it.

The one test that the deployed product is what we think it is: the real template, the binaries of `sam build`, and
the template's own IAM policies, enforced. Its parts in order: deploy, permissions, and a story: a payment
from Xero and its removal, then a night that puts the business's own payments into Xero.
Never take timings from it: the engine waits up to 100 ms in every call.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import ministack
import permissions
import sam_template
import story
from template_rules import ALLOWED, TAKEN_BY, functions

STACK = "paymirror-ci"
# A batch has no permission of its own in AWS: that of the single operation allows it. The engine asks for one all the same.
BATCH_OF = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}
# Resources that the engine cannot make. Nothing that is played through it depends on these.
UNKNOWN_TO_THE_ENGINE = {"AWS::Logs::QueryDefinition", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudTrail::Trail"}
# Of each function, when something fails.
LOG_LINES_MAX = 40
CONFIG = sam_template.ROOT / "infra/samconfig.toml"


def say(sentence):
    print(f"deployed: {sentence}", flush=True)


def fail(sentence):
    sys.exit(f"deployed: FAILED: {sentence}")


# ---------------------------------------------------------------- deploy


def far_away(now):
    """A time that does not come while this runs: the story itself says when the night has come."""
    return "22:00" if now.hour < 12 else "04:00"


def without_the_unknown(template, text):
    """The text of a template without the resources that the engine cannot make."""
    for name, resource in template["Resources"].items():
        # Nor does it make an alarm of several metrics.
        several = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
        if resource["Type"] in UNKNOWN_TO_THE_ENGINE or several:
            text, times = re.subn(rf"^  {name}:\n(?:(?:    .*)?\n)+", "", text, flags=re.MULTILINE)
            if times != 1:
                fail(f"{name} is not once in the template that was built")
    return text


def deploy(cloud, build, parameters):
    """Types what an operator types, `sam deploy`, with the engine in the place of AWS; gives the stack's outputs."""
    built = (build / "template.yaml").read_text(encoding="utf-8")
    # In the folder of the other one, because the paths in it begin there.
    (build / "engine.yaml").write_text(without_the_unknown(sam_template.load(), built), encoding="utf-8")
    overrides = [f"{name}={value}" for name, value in {"Architecture": "x86_64", **parameters}.items()]
    answer = subprocess.run(
        ["sam", "deploy", "--config-file", str(CONFIG), "--config-env", "ci",
         "--template-file", str(build / "engine.yaml"), "--stack-name", STACK,
         "--parameter-overrides", *overrides],
        env={**os.environ, **cloud.environment(), "SAM_CLI_TELEMETRY": "0"}, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if answer.returncode:
        print(answer.stdout, answer.stderr)
        fail("`sam deploy` did not succeed")
    stack, = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def physical_names(cloud):
    """The name of each resource of the template in the stack."""
    answer = cloud.client("cloudformation").describe_stack_resources(StackName=STACK)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in answer["StackResources"]}


def role_arns(cloud, physical):
    """The roles of functions and schedules, so that root can take them on in the engine."""
    iam = cloud.client("iam")
    for owner, service in TAKEN_BY.items():
        # EventBridge says for which account it takes the role on (`template_rules` sees to it); root cannot.
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        iam.update_assume_role_policy(
            RoleName=physical[f"{owner}Role"],
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
    # The role of `connect` is there only with users' grants.
    roles = {owner: physical[f"{owner}Role"] for owner in ALLOWED if f"{owner}Role" in physical}
    return {owner: iam.get_role(RoleName=role)["Role"]["Arn"] for owner, role in roles.items()}


def allow_batches(cloud, physical):
    """Makes up for `BATCH_OF` in the engine, exactly where the template allows the single operation."""
    iam, queues = cloud.client("iam"), cloud.client("sqs")
    for owner, pairs in ALLOWED.items():
        if f"{owner}Role" not in physical:
            continue
        statements = []
        for action, resource in pairs:
            if action in BATCH_OF:
                url = physical[resource.removesuffix(".Arn")]
                arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
                statements.append({"Effect": "Allow", "Action": BATCH_OF[action], "Resource": arn})
        if statements:
            iam.put_role_policy(
                RoleName=physical[f"{owner}Role"], PolicyName="batches",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            )


def print_logs(cloud, template, physical):
    """The logs of the functions."""
    logs = cloud.client("logs")
    for function in functions(template):
        group = physical[f"{function}LogGroup"]
        for event in logs.filter_log_events(logGroupName=group)["events"][-LOG_LINES_MAX:]:
            print(f"{function}: {event['message'].rstrip()}")


# ---------------------------------------------------------------- main


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--build", type=Path, default=sam_template.ROOT / ".aws-sam/build",
                           help="what `sam build` left")
    arguments.add_argument("--folder", type=Path, default=sam_template.ROOT / "target/deployed",
                           help="where the servers run and log")
    options = arguments.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    template = sam_template.load()

    with story.simulated_xero(folder) as xero, ministack.started(folder) as cloud:
        say(f"an AWS with IAM switched on listens on {cloud.endpoint}")
        began = time.monotonic()
        outputs = deploy(cloud, options.build.resolve(), {
            "XeroApiUrl": xero.url, "XeroIdentityUrl": xero.url, "UploadTime": far_away(datetime.now(UTC)),
        })
        physical = physical_names(cloud)
        say(f"template.yaml is deployed: {len(physical)} resources in {time.monotonic() - began:.1f} s")

        began = time.monotonic()
        tried, found = permissions.differences(cloud, template, physical, role_arns(cloud, physical))
        for sentence in found:
            say(sentence)
        if found:
            fail("the roles allow something else than their lists")
        say(f"{tried} requests with the roles were allowed or refused as listed, "
            f"in {time.monotonic() - began:.1f} s")

        allow_batches(cloud, physical)
        try:
            story.Story(cloud, xero, outputs, say).play()
        except story.Failed as failure:
            print_logs(cloud, template, physical)
            fail(str(failure))


if __name__ == "__main__":
    main()
