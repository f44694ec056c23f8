"""Starts the whole system on this machine, as `cargo run` does, with its story; reads its tables."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
# The story takes half a minute; a busy machine needs longer.
STORY_SECONDS_MAX = 300
END_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 30
ROWS_SECONDS_MAX = 60
ACCOUNT = "000000000000"
UP = "Everything stays up"
# The listening parts, as the program's options name them.
PARTS = ("webhook", "invoke", "dynamodb", "sqs", "simulator")


class StackError(Exception):
    """The system did not come up, or does not answer."""


def binary():
    """The program, as the tests have built it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug/local"


def free_ports(count):
    """Ports at which nothing listens."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Stack:
    """The addresses of a system that is up."""

    def __init__(self, ports):
        self.origin = f"http://{LOOPBACK}:{ports['webhook']}"
        self.console = f"{self.origin}/console"
        self._dynamodb = f"http://{LOOPBACK}:{ports['dynamodb']}/"
        self._sqs = f"http://{LOOPBACK}:{ports['sqs']}/"
        self._lambda = f"http://{LOOPBACK}:{ports['invoke']}/2015-03-31/functions"

    def rows(self, table):
        """Every row of a table, its attributes as plain text; attributes of other types are left out."""
        rows, after = [], {}
        while True:
            answer = self._ask("Scan", {"TableName": table, **after})
            rows += [{name: value["S"] for name, value in item.items() if "S" in value} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return rows
            after = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def set_texts(self, table, key, texts):
        """Sets attributes of one row to these texts."""
        names = {f"#{place}": name for place, name in enumerate(texts)}
        self._ask("UpdateItem", {
            "TableName": table,
            "Key": {name: {"S": value} for name, value in key.items()},
            "UpdateExpression": "SET " + ", ".join(f"#{place} = :{place}" for place in range(len(texts))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {f":{place}": {"S": value} for place, value in enumerate(texts.values())},
        })

    def send(self, queue, body):
        """Puts a message into a queue."""
        _post(self._sqs, "sqs", "AmazonSQS.SendMessage",
              {"QueueUrl": f"{self._sqs}{ACCOUNT}/{queue}", "MessageBody": body})

    def invoke(self, function, event):
        """The answer of a function."""
        return _sent(urllib.request.Request(f"{self._lambda}/{function}/invocations", json.dumps(event).encode()), function)

    def wait_for_row(self, table, **having):
        """The first row of a table with these attributes, as soon as there is one."""
        deadline = time.monotonic() + ROWS_SECONDS_MAX
        while not (found := [row for row in self.rows(table) if having.items() <= row.items()]):
            if time.monotonic() > deadline:
                raise StackError(f"no row with {having} is in the table {table} after {ROWS_SECONDS_MAX} s")
            time.sleep(0.2)
        return found[0]

    def _ask(self, operation, request):
        return _post(self._dynamodb, "dynamodb", f"DynamoDB_20120810.{operation}", request)


def _post(url, service, target, request):
    # The engines take any credentials, but want to be given some.
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, "
                         "SignedHeaders=host, Signature=none",
    }
    return _sent(urllib.request.Request(url, json.dumps(request).encode(), headers), target)


def _sent(request, what):
    # A proxy that the environment names is not for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_SECONDS_MAX) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise StackError(f"{what}: {error.read().decode(errors='replace')[:400]}") from error


@contextmanager
def told(folder):
    """The system after its story was played, until the block ends. Its data and output are kept in `folder`."""
    ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
    command = [str(binary()), "--data", str(folder / "data")]
    for part, port in ports.items():
        command += [f"--port-{part}", str(port)]
    log = folder / "local.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_up(process, log)
            yield Stack(ports)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_up(process, log):
    deadline = time.monotonic() + STORY_SECONDS_MAX
    while UP not in (text := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            print(text[-4000:], file=sys.stderr)
            raise StackError(f"the system on this machine did not come up (exit code {process.poll()})")
        time.sleep(0.2)
