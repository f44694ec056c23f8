#!/usr/bin/env python3
"""Checks the direction of dependencies: functions -> access -> bus, host, invoker, xero, queue, table -> payments; functions know the
contract `commands` as well, which knows payments alone.

Needs only Python and cargo. The rules are those of the README; a crate that breaks one is named here with
the crates that it may not know.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What pages, the command line and functions agree on.
CONTRACTS = {"commands"}
# Calculations over facts that the domain defines, pure like the domain.
CALCULATIONS = {"figures"}
ADAPTERS = {"archive", "bus", "host", "invoker", "queue", "table", "xero"}
# Crates that assemble adapters in the same way for several functions.
ASSEMBLIES = {"access", "discrepancies"}
# A sync at once, a close, the plan of a night, and the log against its seals, are executed with the code that the schedules run.
LIBRARIES = {"operations": {"reconcile", "report", "sweep", "upload"}}
# Crates that the domain may not reach, not even through another crate: no cloud, no network, no runtime.
OUTSIDE_WORLD = re.compile(r"^(aws[-_]|lambda|tokio|hyper|reqwest|axum|rustls)")
# Each SDK is the business of one shared crate. Functions and the local stack may construct a client, no more.
ONE_OWNER = {
    "aws-sdk-dynamodb": "table",
    "aws-sdk-eventbridge": "bus",
    # One function is called by others: the one that executes commands.
    "aws-sdk-lambda": "invoker",
    "aws-sdk-s3": "archive",
    "aws-sdk-secretsmanager": "host",
    "aws-sdk-sqs": "queue",
    "lambda_runtime": "host",
    "reqwest": "xero",
}
# Engines and servers of tests and of the local stack; nothing of these is ever deployed.
NEVER_DEPLOYED = re.compile(r"^(dynoxide|rustack|s3s|axum$|harness$|local$|scenarios$|worlds$|xero-simulator$)")
# What tests share: no other crate depends on these but for its tests.
FOR_TESTS_ONLY = {"harness", "scenarios", "worlds"}


def workspace():
    """Folder and direct dependencies of every crate of ours, without those of its tests."""
    answer = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    return {
        package["name"]: (
            Path(package["manifest_path"]).relative_to(ROOT).parts[0],
            {d["name"] for d in package["dependencies"] if d["kind"] != "dev"},
        )
        for package in json.loads(answer.stdout)["packages"]
    }


def reaches(crate):
    """Names of everything in one crate's normal dependency tree."""
    answer = subprocess.run(
        ["cargo", "tree", "--locked", "-p", crate, "-e", "normal", "--prefix", "none", "--format", "{p}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    return {line.split()[0] for line in answer.stdout.splitlines() if line.strip()}


def features(function):
    """The features of each crate of others in one function, when that function is built alone, as a deployment does."""
    answer = subprocess.run(
        ["cargo", "tree", "--locked", "-p", function, "-e", "normal,build", "--prefix", "none", "--format", "{p}|{f}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    lines = (line.removesuffix(" (*)").split("|") for line in answer.stdout.splitlines() if "|" in line)
    return {tuple(crate.split()[:2]): chosen for crate, chosen in lines if str(ROOT) not in crate}


def compiled_twice(functions, features_of):
    """Crates that a deployment would compile once for each set of features, with the functions that differ."""
    sets = {}
    for function in functions:
        for crate, chosen in features_of(function).items():
            sets.setdefault(crate, {}).setdefault(chosen, function)
    for (name, version), found in sorted(sets.items()):
        if len(found) > 1:
            yield f"{name} {version} has other features in {' than in '.join(found.values())}: ask for them in shared/host"


def known_to(crate):
    """The crates of ours that a shared one may know."""
    if crate in ASSEMBLIES:
        return ADAPTERS | {"payments"}
    return {"payments"} if crate in ADAPTERS | CALCULATIONS | CONTRACTS else set()


def broken(crates, tree_of):
    """Every broken rule as a sentence."""
    for name in sorted(reached for reached in tree_of("payments") if OUTSIDE_WORLD.match(reached)):
        yield f"payments must stay pure, but its tree reaches {name}"
    for crate, (folder, direct) in sorted(crates.items()):
        for other in sorted(direct & FOR_TESTS_ONLY if crate not in FOR_TESTS_ONLY else set()):
            yield f"{crate} may depend on {other} for its tests only"
        if folder == "shared":
            for other in sorted((direct & crates.keys()) - known_to(crate)):
                yield (
                    f"{crate} may not depend on {other}: assemblies know adapters, adapters know only payments, "
                    "payments knows nobody"
                )
            for package, owner in ONE_OWNER.items():
                if package in direct and crate != owner:
                    yield f"{package} is the business of {owner}, but {crate} depends on it"
        if folder == "functions":
            for other in sorted((direct & crates.keys()) - LIBRARIES.get(crate, set())):
                if crates[other][0] != "shared":
                    yield f"function {crate} may not depend on {other}: functions know shared crates only"
            if "aws-sdk-lambda" in direct:
                yield f"function {crate} may not call other functions: queues lead from one to the next"
            for name in sorted(reached for reached in tree_of(crate) if NEVER_DEPLOYED.match(reached)):
                yield f"function {crate} would carry {name}, which is for tests and the local stack"


def main():
    crates = workspace()
    # With its version: another package has the name of a function.
    functions = sorted(f"{crate}@0.1.0" for crate, (folder, _) in crates.items() if folder == "functions")
    for sentence in (found := [*broken(crates, reaches), *compiled_twice(functions, features)]):
        print(f"layering: {sentence}")
    if found:
        return 1
    print(f"layering: {len(crates)} crates keep the direction functions -> {', '.join(sorted(ASSEMBLIES))} -> "
          f"{', '.join(sorted(ADAPTERS))} -> payments")
    return 0


if __name__ == "__main__":
    sys.exit(main())
