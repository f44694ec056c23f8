"""What these scripts have to know of template.yaml, read as text: a new machine has Python, and no YAML for it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "template.yaml"

# Types that outlive the stack, the property with the name, and how CloudFormation knows one when it takes it in.
KEPT = {
    "AWS::DynamoDB::Table": ("TableName", "TableName"),
    "AWS::SQS::Queue": ("QueueName", "QueueUrl"),
    "AWS::SecretsManager::Secret": ("Name", "Id"),
}


def blocks(text):
    """The text of each resource, by its logical name."""
    resources = text.partition("\nResources:\n")[2].partition("\nOutputs:\n")[0]
    found = re.split(r"^  (?=[A-Z]\w+:\n)", resources, flags=re.MULTILINE)
    return {block.partition(":")[0]: re.sub(r"\n(  # .*\n|\n)+$", "\n", block) for block in found if re.match(r"[A-Z]\w+:\n", block)}


def kind(block):
    """The type of a resource."""
    return re.search(r"^    Type: (\S+)", block, re.MULTILINE).group(1)


def names(text, stack):
    """Logical name, type and full name of everything that outlives the stack."""
    for logical, block in blocks(text).items():
        if (of := kind(block)) in KEPT:
            pattern = rf'^      {KEPT[of][0]}: !Sub "\$\{{AWS::StackName\}}(.+)"$'
            yield logical, of, stack + re.search(pattern, block, re.MULTILINE).group(1)


def for_taking_in(text, logical_names):
    """A template of these resources alone: CloudFormation takes them in as they are, and makes nothing beside them."""
    there = blocks(text)
    kept = []
    for logical in logical_names:
        block = there[logical]
        for target in re.findall(r"deadLetterTargetArn: !GetAtt (\w+)\.Arn", block):
            if target not in logical_names:
                block = re.sub(r"^      RedrivePolicy: .*\n", "", block, flags=re.MULTILINE)
        kept.append(f"  {block}")
    return (
        'AWSTemplateFormatVersion: "2010-09-09"\nParameters:\n  DeletionProtection: {Type: String, Default: "false"}\n'
        "Resources:\n" + "\n".join(kept)
    )
