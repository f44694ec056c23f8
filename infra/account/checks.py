"""What is looked at before a deployment, and what to do about each. Pure: `facts.py` asks, this judges."""

from dataclasses import dataclass, field

# Lambda keeps a hundred executions of the quota for functions without a reservation.
QUOTA_FOR_RESERVING, WEBHOOK_COPIES = 120, 20
# The tool, and the version from which it does what is needed.
TOOLS = {"aws": (1, 32), "sam": (1, 170), "cargo-lambda": (1, 9, 2), "zig": (0, 13)}
INSTALL = "python3 -m venv .venv/aws-tools && .venv/aws-tools/bin/pip install -r infra/ci/requirements/aws-tools.txt"


@dataclass(frozen=True)
class Finding:
    """One sentence on what was found, one on what to do, and whether nothing can be deployed before that."""

    what: str
    do: str
    stops: bool = True


@dataclass
class Facts:
    """Everything that is looked at."""

    stack: str
    region: str
    account: str = ""
    quota: int = 0
    status: str = ""
    tools: dict = field(default_factory=dict)
    rust: tuple = ()
    rust_wanted: tuple = ()
    targets: tuple = ()
    architecture: str = "x86_64"
    # Full names of what is there of an earlier stack: by type.
    left: dict = field(default_factory=dict)
    dying_secrets: tuple = ()
    protected: bool = True


def version(numbers):
    return ".".join(str(number) for number in numbers)


def tools(facts):
    for tool, least in TOOLS.items():
        found = facts.tools.get(tool)
        if found is None:
            yield Finding(f"{tool} is not installed.", f"{INSTALL}"
                          if tool != "aws" else "Install the AWS command line, https://aws.amazon.com/cli/.")
        elif found < least:
            yield Finding(f"{tool} is {version(found)}, and {version(least)} is needed.", INSTALL)
    if facts.rust < facts.rust_wanted:
        wanted = version(facts.rust_wanted)
        have = f"Rust is {version(facts.rust)}" if facts.rust else "Rust is not installed"
        yield Finding(f"{have}, and {wanted} is needed.", f"rustup toolchain install {wanted} && rustup default {wanted}")
    target = {"arm64": "aarch64", "x86_64": "x86_64"}[facts.architecture] + "-unknown-linux-gnu"
    if target not in facts.targets:
        yield Finding(f"Rust cannot build for {facts.architecture} here.", f"rustup target add {target}")


def quota(facts):
    if facts.quota < QUOTA_FOR_RESERVING:
        yield Finding(
            f"The account may run {facts.quota} functions at once, of which nothing can be reserved for the webhook.",
            f"Go on; ask for 1,000: aws service-quotas request-service-quota-increase --region {facts.region} "
            "--service-code lambda --quota-code L-B99A9384 --desired-value 1000. When it is granted, deploy again.", stops=False)


def stack(facts):
    see = f"aws cloudformation describe-stack-events --region {facts.region} --stack-name {facts.stack}"
    status = facts.status
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        yield Finding(f"The stack {facts.stack} is being changed ({status}).", "Wait until that is over.")
    elif status == "ROLLBACK_COMPLETE":
        yield Finding(f"The first deployment of {facts.stack} failed and was undone.", f"It is deleted now; {see} says why it failed.",
                      stops=False)
    elif status in ("CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"):
        yield Finding(f"The stack {facts.stack} is neither there nor gone ({status}).",
                      f"{see} names what could not be deleted. Then: aws cloudformation delete-stack --region {facts.region} "
                      f"--stack-name {facts.stack}")
    elif status == "UPDATE_ROLLBACK_FAILED":
        yield Finding(f"A deployment of {facts.stack} failed, and could not be undone.",
                      f"{see} says why. Then: aws cloudformation continue-update-rollback --region {facts.region} "
                      f"--stack-name {facts.stack}")


def leftovers(facts):
    if facts.status in ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"):
        for kind, names in facts.left.items():
            many = f"{len(names)} {kind}" if len(names) > 1 else f"1 {kind.removesuffix('s')}"
            yield Finding(f"{many} of an earlier stack {facts.stack} are there: {', '.join(sorted(names))}.",
                          f"To go on with what is in them: python3 infra/account/adopt.py --stack {facts.stack} --region "
                          f"{facts.region}, then deploy. To begin with nothing: delete them, or choose another --stack.")
        for name in facts.dying_secrets:
            yield Finding(f"The secret {name} is being deleted, and its name is taken until then.",
                          f"aws secretsmanager restore-secret --region {facts.region} --secret-id {name}")
    elif not facts.protected:
        yield Finding("The tables are not protected against deletion.", "The end of this deployment switches that on.", stops=False)


def findings(facts):
    """All of them."""
    return [finding for check in (tools, quota, stack, leftovers) for finding in check(facts)]


def parameters(facts, given):
    """What `sam deploy` is given. A stack that is there keeps what it has; what a person names comes first."""
    chosen = {"Architecture": facts.architecture}
    is_new = facts.status in ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
    if is_new:
        copies = WEBHOOK_COPIES if facts.quota >= QUOTA_FOR_RESERVING else 0
        chosen |= {"WebhookConcurrencyMax": str(copies), "DeletionProtection": "false"}
    return chosen | given
