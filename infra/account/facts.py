"""Asks the machine and the account what `checks.py` judges."""

import re
import subprocess

import template
from checks import Facts


def _output(*command):
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout + done.stderr if done.returncode == 0 else ""


def _numbers(text, pattern=r"(\d+(?:\.\d+)+)"):
    found = re.search(pattern, text)
    return tuple(int(number) for number in found.group(1).split(".")) if found else None


def of_machine(facts):
    """Tools and their versions."""
    facts.tools = {
        "aws": _numbers(_output("aws", "--version")),
        "sam": _numbers(_output("sam", "--version")),
        "cargo-lambda": _numbers(_output("cargo-lambda", "lambda", "--version")),
        "zig": _numbers(_output("zig", "version") or _output("python3", "-m", "ziglang", "version")),
    }
    facts.rust = _numbers(_output("rustc", "--version")) or ()
    manifest = (template.ROOT / "Cargo.toml").read_text(encoding="utf-8")
    facts.rust_wanted = _numbers(manifest, r'rust-version = "([\d.]+)"')
    host = re.search(r"host: (\S+)", _output("rustc", "-vV"))
    installed = _output("rustup", "target", "list", "--installed").split()
    facts.targets = tuple(installed) + ((host.group(1),) if host else ())


def of_account(facts, aws, text):
    """Account, quota, stack, and what an earlier stack has left."""
    facts.account = aws.call("sts", "get-caller-identity")["Account"]
    facts.quota = aws.call("lambda", "get-account-settings")["AccountLimit"]["ConcurrentExecutions"]
    found = aws.found("cloudformation", "describe-stacks", StackName=facts.stack)
    if found and found["Stacks"]:
        stack = found["Stacks"][0]
        facts.status = stack["StackStatus"]
        given = {each["ParameterKey"]: each.get("ParameterValue") for each in stack.get("Parameters", [])}
        facts.protected = given.get("DeletionProtection") == "true"
    left = list(there(facts.stack, aws, text))
    facts.dying_secrets = tuple(name for *_, name, identifier in left if identifier is None)
    for _, kind, name, identifier in left:
        if identifier:
            facts.left.setdefault(WORDS[kind], []).append(name)


WORDS = {"AWS::DynamoDB::Table": "tables", "AWS::SQS::Queue": "queues", "AWS::SecretsManager::Secret": "secrets"}


def there(stack, aws, text):
    """What of the template is there by the names of this stack: logical name, type, full name, and by what CloudFormation
    knows it. A secret that is being deleted has nothing of the last."""
    secrets = aws.call("secretsmanager", "list-secrets", IncludePlannedDeletion=True,
                       Filters=[{"Key": "name", "Values": [f"{stack}/"]}])["SecretList"]
    found = {
        "AWS::DynamoDB::Table": {name: name for name in aws.call("dynamodb", "list-tables")["TableNames"]},
        "AWS::SQS::Queue": {url.rpartition("/")[2]: url
                            for url in aws.call("sqs", "list-queues", QueueNamePrefix=f"{stack}-").get("QueueUrls", [])},
        "AWS::SecretsManager::Secret": {each["Name"]: None if each.get("DeletedDate") else each["ARN"] for each in secrets},
    }
    for logical, kind, name in template.names(text, stack):
        if name in found[kind]:
            yield logical, kind, name, found[kind][name]


def ask(stack, region, architecture, aws, text):
    """All facts."""
    facts = Facts(stack, region, architecture=architecture)
    of_machine(facts)
    of_account(facts, aws, text)
    return facts
