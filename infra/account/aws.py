"""The AWS command line, as these scripts use it: one call, its answer, or why it was refused."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

WAIT_SECONDS_MAX = 3600
PAUSE_SECONDS = 5


class Refused(Exception):
    """AWS did not do it. `code` is AWS's own."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Aws:
    """Calls in one region. An address in AWS_ENDPOINT_URL, such as that of a rehearsal, is the command line's own matter."""

    def __init__(self, region):
        self.region = region

    def call(self, service, operation, **arguments):
        """The answer to `aws SERVICE OPERATION`, with its arguments as the API names them."""
        command = ["aws", service, operation, "--region", self.region, "--output", "json", "--no-cli-pager"]
        if not _is_second_version():
            command.remove("--no-cli-pager")
        # The first version of the command line does not look for it itself for every service.
        if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
            command += ["--endpoint-url", endpoint]
        # In a file that its owner alone may read: others see the arguments of a command, which may be a key.
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            if arguments:
                json.dump(arguments, file)
                file.flush()
                command += ["--cli-input-json", f"file://{file.name}"]
            done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            found = re.search(r"An error occurred \((\w[\w.]*)\).*?: (.*)", done.stderr, re.DOTALL)
            raise Refused(*found.groups()) if found else Refused("CommandFailed", done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def found(self, service, operation, **arguments):
        """The answer, or nothing if what is asked for does not exist."""
        try:
            return self.call(service, operation, **arguments)
        except Refused as refused:
            if "NotFound" in refused.code or "does not exist" in str(refused) or "NonExistent" in refused.code:
                return None
            raise


_VERSION = []


def _is_second_version():
    if not _VERSION:
        done = subprocess.run(["aws", "--version"], check=False, capture_output=True, text=True)
        _VERSION.append(done.stdout + done.stderr)
    return "aws-cli/2" in _VERSION[0]


def wait_until(what, asked):
    """Asks until the answer is something, an hour at most."""
    pause = 0.2 if "AWS_ENDPOINT_URL" in os.environ else PAUSE_SECONDS
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (answer := asked()):
        if time.monotonic() > deadline:
            sys.exit(f"gave up after an hour of waiting until {what}")
        time.sleep(pause)
    return answer


def region_of(option):
    """The region that was named, or the one that the command line is set up for."""
    region = option or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        done = subprocess.run(["aws", "configure", "get", "region"], check=False, capture_output=True, text=True)
        region = done.stdout.strip()
    if not region:
        sys.exit("no region is set: give --region, such as --region ap-southeast-2")
    return region
