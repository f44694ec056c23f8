#!/usr/bin/env python3
"""Makes a stack of the tables, queues and secrets that an earlier one has left, as they are, so that a deployment goes on with them.

For a stack that was deleted, or whose first deployment failed in a version that left its tables behind. Nothing in them is
touched: CloudFormation takes them in by their names. Then run deploy.py.
"""

import argparse
import sys

import facts
import template
from aws import Aws, Refused, region_of, wait_until

CHANGE_SET = "adopt"


def say(sentence):
    print(f"adopt: {sentence}", flush=True)


def to_import(aws, stack, text):
    """What CloudFormation has to know of each resource that is there."""
    for logical, kind, _, identifier in facts.there(stack, aws, text):
        if identifier:
            yield {"ResourceType": kind, "LogicalResourceId": logical, "ResourceIdentifier": {template.KEPT[kind][1]: identifier}}


def given_up(aws, stack, why):
    """Takes the change set away, so that the next try can make one, and ends."""
    aws.found("cloudformation", "delete-change-set", StackName=stack, ChangeSetName=CHANGE_SET)
    sys.exit(f"adopt: CloudFormation does not take them in: {why}")


def adopt(aws, stack, text, leave=()):
    """Takes in everything that is there, but for the types to `leave`."""
    wanted = [each for each in to_import(aws, stack, text) if each["ResourceType"] not in leave]
    if not wanted:
        sys.exit(f"adopt: there is nothing of a stack {stack}")
    body = template.for_taking_in(text, [each["LogicalResourceId"] for each in wanted])
    aws.call("cloudformation", "create-change-set", StackName=stack, ChangeSetName=CHANGE_SET, ChangeSetType="IMPORT",
             ResourcesToImport=wanted, TemplateBody=body)

    def made():
        found = aws.call("cloudformation", "describe-change-set", StackName=stack, ChangeSetName=CHANGE_SET)
        if found["Status"] == "FAILED" or found.get("ExecutionStatus") == "UNAVAILABLE" and found["Status"] == "CREATE_COMPLETE":
            given_up(aws, stack, found.get("StatusReason"))
        return found["Status"] == "CREATE_COMPLETE"

    wait_until("CloudFormation has looked at them", made)
    aws.call("cloudformation", "execute-change-set", StackName=stack, ChangeSetName=CHANGE_SET)

    def over():
        state = aws.call("cloudformation", "describe-stacks", StackName=stack)["Stacks"][0]["StackStatus"]
        return state if not state.endswith("_IN_PROGRESS") else None

    state = wait_until("they are taken in", over)
    if state != "IMPORT_COMPLETE":
        sys.exit(f"adopt: they were not taken in ({state})")
    for each in wanted:
        say(f"{each['LogicalResourceId']} belongs to the stack {stack} again")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--stack", default="paymirror", help="name of the stack")
    arguments.add_argument("--region", help="that of the AWS command line, if left out")
    arguments.add_argument("--leave", nargs="*", default=[], choices=sorted(template.KEPT), help="types not to take in")
    given = arguments.parse_args()
    adopt(Aws(region_of(given.region)), given.stack, template.PATH.read_text(encoding="utf-8"), given.leave)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"adopt: AWS refused: {refused}")
