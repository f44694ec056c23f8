"""Starts an AWS that lives on this machine (ministack), with its IAM switched on, on the loopback address only."""

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

REGION = "us-east-1"
LOOPBACK = "127.0.0.1"
START_SECONDS_MAX = 60
# The engine's name for the account's root user, who may do everything.
ROOT = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, found):
    """Asks `found` until it gives something, or fails with the sentence `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            sys.exit(f"deployed: gave up after {seconds} s waiting until {what}")
        time.sleep(0.2)
    return answer


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def running(name, command, port, folder, environment=None):
    """A server in the background until the block ends. Its output goes to a file in `folder`."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )
        try:
            def up():
                if process.poll() is not None:
                    print(log.read_text(errors="replace")[-4000:])
                    sys.exit(f"deployed: {name} ended with {process.returncode} instead of listening")
                return listens(port)

            wait_for(f"{name} listens on port {port}", START_SECONDS_MAX, up)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Cloud:
    """The running engine: clients for the root user and for assumed roles, and its function URLs."""

    def __init__(self, port):
        self.port = port
        self.endpoint = f"http://{LOOPBACK}:{port}"

    def client(self, service, credentials=ROOT, **settings):
        config = Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60, **settings)
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.endpoint, config=config, **credentials
        )

    def environment(self):
        """The environment in which an AWS program in another process talks to the engine, as root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": ROOT["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
        }

    def role_credentials(self, arn):
        """The credentials that Lambda gives a function of this role. (The engine lets root assume service roles.)"""
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def post(self, function_url, body, headers):
        """POSTs to a function URL; its host name exists only in the engine, so it goes into the header."""
        label = urlsplit(function_url).hostname.split(".")[0]
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            host = f"{label}.lambda-url.{REGION}.localhost:{self.port}"
            connection.request("POST", "/", body=body, headers={"Host": host, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def started(folder: Path):
    port = free_port()
    cloud = Cloud(port)
    environment = {
        "AUTH": "true",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        # The functions inherit it; without it they would not find the engine.
        **cloud.environment(),
    }
    program = str(Path(sys.executable).with_name("ministack"))
    with running("ministack", [program], port, folder, environment):
        yield cloud
