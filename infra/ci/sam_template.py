"""Reads template.yaml into plain dictionaries, with CloudFormation's short tags in their long form."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation writes it: `!Ref X` means `{"Ref": "X"}`, `!Sub x` means `{"Fn::Sub": "x"}`."""


def _tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def load(path=PATH):
    """The whole template."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def resources(template, kind):
    """Logical name and properties of every resource of one type, such as `AWS::SQS::Queue`."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def one_name(value):
    """A reference in the words of the template: `X`, `X.Arn`, or the text of a `!Sub`."""
    if isinstance(value, dict):
        (function, argument), = value.items()
        return ".".join(argument) if function == "Fn::GetAtt" else argument
    return value


def as_list(value):
    """IAM lets a single item stand for a list of one."""
    return value if isinstance(value, list) else [value]
