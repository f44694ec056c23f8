#!/usr/bin/env python3
"""Runs checkov over template.yaml, and lets nothing pass that has no reason here.

A finding without a reason fails, and so does a reason without a finding: a finding that is mended or gone needs no
excuse any longer. checkov reads files only; it is kept from calling home, see `OFFLINE`.
"""

import json
import os
import subprocess
import sys
from fnmatch import fnmatchcase

import sam_template

CHECKOV = sam_template.ROOT / ".venv/checkov/bin/checkov"
# Without a key and with `--skip-download` it has no server to ask. Should a later version ask all the same, it finds a
# port at which nothing listens.
OFFLINE = {
    "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "BC_API_KEY": "",
    "LOG_LEVEL": "ERROR",
}

OWN_KEYS = (
    "encrypted at rest with a key of AWS. A key of one's own costs a dollar a month each and a request with every use, and "
    "adds a second list of who may read beside IAM's, which is exact for each role and tested"
)

# Check, resources, and why it is right as it is.
REASONS = (
    ("CKV_AWS_116", "AWS::Serverless::Function.*",
     "what SQS brings goes back to its queue and then to that queue's dead letters; what a schedule asks has OnFailure and "
     "a dead-letter queue; the webhook is called synchronously, and Xero repeats"),
    ("CKV_AWS_117", "AWS::Serverless::Function.*",
     "nothing of ours is in a VPC: a function there would need a NAT gateway, at 30 dollars a month, to reach Xero, and would "
     "be no safer, since IAM guards every service that it calls"),
    ("CKV_AWS_173", "AWS::Serverless::Function.*",
     "no variable holds a secret, only names and addresses; Lambda encrypts them with a key of AWS"),
    ("CKV_AWS_115", "AWS::Serverless::Function.*",
     "the webhook, which is open to the internet, has a limit; mirror and upload have one in their trigger, where it does not "
     "turn messages away; a reserved one would take from the account's quota"),
    ("CKV_AWS_27", "AWS::SQS::Queue.*", f"SqsManagedSseEnabled is on, which this check does not know: {OWN_KEYS}"),
    ("CKV_AWS_149", "AWS::SecretsManager::Secret.*", OWN_KEYS),
    ("CKV_AWS_119", "AWS::DynamoDB::Table.*", OWN_KEYS),
    ("CKV_AWS_26", "AWS::SNS::Topic.AlarmTopic",
     "CloudWatch may not use the key that AWS has for topics; no text has a name or an amount, and each becomes a mail"),
    ("CKV_AWS_18", "AWS::S3::Bucket.AuditBucket",
     "CloudTrail alone writes there, and what an administrator reads or deletes is not what the records are about"),
    ("CKV_AWS_18", "AWS::S3::Bucket.ReportsBucket",
     "a person reaches a file only by a link of 15 minutes that the console signs; a list of requests would be a second bucket "
     "to guard, and shows whether one was changed no better than the report's checksum, which is counted again each night"),
    ("CKV_AWS_21", "AWS::S3::Bucket.AuditBucket",
     "CloudTrail writes each object once, and signs each hour's list of them (EnableLogFileValidation): a changed one is noticed"),
    ("CKV_AWS_67", "AWS::CloudTrail::Trail.AuditTrailOfOrders", "it records the calls of functions that are in one region"),
    ("CKV_AWS_35", "AWS::CloudTrail::Trail.AuditTrailOfOrders", OWN_KEYS),
    ("CKV_AWS_166", "AWS::Backup::BackupVault.BackupVault", OWN_KEYS),
    ("CKV_AWS_158", "AWS::Logs::LogGroup.*", f"no line holds a name, an amount or a secret; {OWN_KEYS}"),
)


def sentences(findings, reasons=REASONS):
    """Findings without a reason, and reasons without a finding."""
    used = set()
    for check, resource, name in findings:
        fitting = [reason for reason in reasons if reason[0] == check and fnmatchcase(resource, reason[1])]
        used.update(fitting)
        if not fitting:
            yield f"{resource}: {name} ({check})"
    for check, resource, _ in reasons:
        if not any(reason[:2] == (check, resource) for reason in used):
            yield f"{check} on {resource} is excused, and not found any more"


def report():
    """The findings of checkov in the template."""
    answer = subprocess.run(
        [str(CHECKOV), "--file", str(sam_template.PATH), "--framework", "cloudformation", "--skip-download", "--compact",
         "--quiet", "--soft-fail", "--output", "json"],
        env={**os.environ, **OFFLINE}, check=False, capture_output=True, text=True,
    )
    try:
        return json.loads(answer.stdout)
    except json.JSONDecodeError:
        print(answer.stdout, answer.stderr)
        sys.exit("security: checkov did not report")


def main():
    found = report()
    failed = found["results"]["failed_checks"]
    wrong = list(sentences([(each["check_id"], each["resource"], each["check_name"]) for each in failed]))
    looked_at, there = found["summary"]["resource_count"], len(sam_template.load()["Resources"])
    if found["summary"]["parsing_errors"] or looked_at != there:
        wrong.append(f"checkov has read {looked_at} of {there} resources")
    for sentence in wrong:
        print(f"security: {sentence}")
    if wrong:
        return 1
    print(f"security: {found['summary']['passed']} checks of {looked_at} resources pass; {len(failed)} findings have one of "
          f"{len(REASONS)} reasons")
    return 0


if __name__ == "__main__":
    sys.exit(main())
