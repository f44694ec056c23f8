"""Payments from Xero's books to the tables and back: the Xero simulator, signed deliveries, the compiled functions."""

import base64
import hashlib
import hmac
import http.client
import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import sam_template
from listening import Listener
from ministack import LOOPBACK, free_port, running
from night import Night

# They protect nothing: the engine and the simulator live for a minute, on this machine.
SIGNING_KEY = "signing-key-of-a-stack-that-lives-for-a-minute"
ANOTHER_KEY = "another-key"
CLIENT = {"client_id": "SIMULATEDCLIENT", "client_secret": "simulated-secret"}

ARRIVE_SECONDS_MAX = 60
# How long something that must not happen is given to happen.
QUIET_SECONDS = 3


# ---------------------------------------------------------------- the Xero simulator


def simulator_command(port, data):
    """How the Xero simulator is started as a process of its own. `cargo test` has compiled it already."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--workspace", "--bin", "local"],
                   cwd=sam_template.ROOT, check=True)
    return [str(sam_template.ROOT / "target/debug/local"), "simulator", "--port-simulator", str(port), "--data", data]


class Xero:
    """The controls of the simulator: what a person would do in Xero."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"

    def do(self, path, body=None, method="POST"):
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            connection.request(method, f"/_control{path}", json.dumps(body or {}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the simulator refused {path}: {answer.status} {text}")
        return json.loads(text)


@contextmanager
def simulated_xero(folder):
    port = free_port()
    with (
        tempfile.TemporaryDirectory(dir=folder) as data,
        running("simulator", simulator_command(port, data), port, folder),
    ):
        yield Xero(port)


# ---------------------------------------------------------------- a delivery


def delivery(organisation, invoice, updated):
    """The body that Xero would send: an invoice of this organisation was updated at this instant."""
    event = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{invoice}",
        "resourceId": invoice,
        "tenantId": organisation,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": updated.rstrip("Z")[:len("2026-01-31T23:59:59.999")],
    }
    envelope = {"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "ABCDEFGHIJKLMNOPQRST"}
    return json.dumps(envelope).encode()


def signature(body, key=SIGNING_KEY):
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


class Failed(Exception):
    """Says what did not come true."""


class Story:
    """The steps, in their order. Each says what came true."""

    def __init__(self, cloud, xero, outputs, say):
        self.cloud, self.xero, self.outputs, self.say = cloud, xero, outputs, say
        self.tables, self.queues = cloud.client("dynamodb"), cloud.client("sqs")

    def play(self):
        self.set_up()
        self.take_in_what_the_business_reports()
        self.refuse_forgeries()
        self.mirror_a_payment()
        self.mirror_its_removal()
        self.follow_an_order()
        Night(self).play()
        self.keep_what_cannot_be_read()
        self.leave_nothing_behind()

    def set_up(self):
        secrets = self.cloud.client("secretsmanager")
        for output, value in (
            ("XeroWebhookSecretArn", {"webhook_keys": [SIGNING_KEY]}), ("XeroApiSecretArn", CLIENT),
        ):
            secrets.put_secret_value(SecretId=self.outputs[output], SecretString=json.dumps(value))
        self.organisation = self.xero.do("/organisations", {"name": "Deployed Pty Ltd"})["id"]
        self.tables.put_item(TableName=self.outputs["OrganisationsTableName"], Item={
            "organisation": {"S": self.organisation},
            "mirror_enabled": {"BOOL": True},
            "time_zone": {"S": "Australia/Sydney"},
        })
        self.listener = Listener(self.cloud, self.outputs["EventBusArn"], self.organisation)
        today = date.today().isoformat()
        self.invoice = self.xero.do("/invoices", {
            "organisation": self.organisation, "number": "CM-10234", "contact_name": "Barney Rubble",
            "total": "115.00", "currency": "AUD", "date": today, "due_date": today, "kind": "ACCREC",
        })["id"]
        self.payment = self.xero.do(f"/invoices/{self.invoice}/payments", {
            "date": today, "amount": "46.00", "reference": "BPAY 000173",
        })["id"]
        self.say("the secrets are filled, and a payment of 46.00 is recorded in Xero on invoice CM-10234")

    def take_in_what_the_business_reports(self):
        today = date.today().isoformat()
        common = {"version": 1, "organisation": self.organisation, "revision": 1}
        self.report({
            **common, "type": "invoice", "number": "10234", "total": {"amount": "115.00", "currency": "AUD"},
            "contact": {"company": "Barney Rubble"}, "issued_on": today, "due_on": today,
        })
        self.wait(lambda: self.rows("InvoicesTableName"), "intake has taken in the invoice")
        self.report({
            **common, "type": "payment", "id": "P-1", "amount": {"amount": "20.00", "currency": "AUD"},
            "date": today, "method": "card", "transaction_id": "T-1", "status": "confirmed",
            "entered_at": f"{today}T00:00:00Z", "allocations": [{"invoice": "10234", "amount": "20.00"}],
        })
        self.wait(self.payments, "intake has taken in the payment")
        self.expect(self.payments(), [("local", 20, "AUD")],
                    "an invoice and a payment of the business's own system are in their tables")

    def refuse_forgeries(self):
        body = self.delivery(self.invoice)
        changed = body.replace(b"UPDATE", b"UPDATF")
        self.expect(self.post(changed, signature(body)), 401, "a body with one character changed is answered 401")
        self.expect(self.post(body, signature(body, ANOTHER_KEY)), 401,
                    "a body signed with another key is answered 401")
        time.sleep(QUIET_SECONDS)
        self.expect(len(self.payments()), 1, "forged deliveries left nothing in the table of payments")

    def mirror_a_payment(self):
        body = self.delivery(self.invoice)
        self.expect(self.post_signed(body), 200, "the signed delivery is answered 200")
        self.wait(lambda: len(self.payments()) > 1, "the payment is in the table")
        self.expect(self.payments(), [("local", 20, "AUD"), ("xero", 46, "AUD")],
                    "the payment recorded in Xero is in the table of payments, once, with its amount")
        causes = {row["cause"]["S"] for row in self.rows("ActivityTableName")}
        self.expect(causes, {"intake", "webhook"}, "the table of activity says what set each change off")
        self.hear("payment.mirrored", "46.00", "the business's own system hears of it on the event bus")

    def mirror_its_removal(self):
        self.xero.do(f"/payments/{self.payment}", method="DELETE")
        body = self.delivery(self.invoice)
        self.expect(self.post_signed(body), 200, "the delivery about its deletion in Xero is answered 200")
        self.wait(lambda: len(self.payments()) == 1, "the payment is gone from its table")
        self.expect(self.payments(), [("local", 20, "AUD")], "the business's own payment has stayed")
        removed = [Decimal(row["amount"]["N"]) for row in self.rows("TombstonesTableName")]
        self.expect(removed, [46], "the payment deleted in Xero has moved to the tombstones")
        self.hear("payment.removed", "46.00", "and hears of its removal")

    def follow_an_order(self):
        """SP-05, SP-07: the order comes after its money, and the stream of the log leads to it."""
        self.report({
            "version": 1, "organisation": self.organisation, "revision": 1, "type": "order", "id": "O-1",
            "placed_at": f"{date.today().isoformat()}T00:00:00Z",
            "components": {"currency": "AUD", "goods": "20.00", "total": "20.00"}, "invoices": ["10234"],
        })
        self.wait(lambda: any("status" in row for row in self.rows("OrdersTableName")), "the order is judged")
        row, = self.rows("OrdersTableName")
        self.expect((row["progress"]["S"], row["status"]["S"]), ("payment_received", "fully_paid"),
                    "an order that names the invoice is fully paid, derived from the payment that was there already")
        self.wait(lambda: self.listener.heard("order.completed"), "order.completed is on the event bus")
        self.say("the order system hears of it on the event bus")

    def keep_what_cannot_be_read(self):
        self.queues.send_message(QueueUrl=self.outputs["IntakeQueueUrl"], MessageBody="not JSON")
        body = b"signed, and not JSON"
        self.expect(self.post_signed(body), 200, "a signed body that cannot be read is answered 200")
        self.wait(lambda: len(self.rows("ParkedTableName")) == 2, "both unreadable texts are parked")
        self.say("what could not be read, from Xero and from the business, is parked for a person")

    def leave_nothing_behind(self):
        queues = [output for output in self.outputs if output.endswith("QueueUrl")]
        self.wait(lambda: not any(self.waiting(output) for output in queues), f"these are empty: {', '.join(queues)}")
        self.say("no message is left in any queue")

    # ------------------------------------------------------------ means

    def hear(self, kind, amount, what):
        """One event of this name and amount; an event may come twice, and has the same id then."""
        self.wait(lambda: self.listener.heard(kind), f"{kind} is on the event bus")
        found = {(event["id"], event["invoice"]["number"], event["payment"]["amount"])
                 for event in self.listener.heard(kind)}
        self.expect([(number, amount) for _, number, amount in found], [("10234", amount)], what)

    def delivery(self, invoice):
        updated = self.xero.do(f"/invoices/{invoice}", method="GET")["updated"]
        return delivery(self.organisation, invoice, updated)

    def post(self, body, signed):
        status, _ = self.cloud.post(
            self.outputs["WebhookUrl"], body, {"Content-Type": "application/json", "x-xero-signature": signed}
        )
        return status

    def post_signed(self, body):
        return self.post(body, signature(body))

    def report(self, message):
        self.queues.send_message(QueueUrl=self.outputs["IntakeQueueUrl"], MessageBody=json.dumps(message))

    def waiting(self, output):
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        found = self.queues.get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def rows(self, output):
        return self.tables.scan(TableName=self.outputs[output], ConsistentRead=True)["Items"]

    def payments(self):
        """Origin, amount and currency of each."""
        return sorted(
            (row["origin"]["S"], Decimal(row["amount"]["N"]), row["currency"]["S"])
            for row in self.rows("PaymentsTableName")
        )

    def expect(self, found, expected, what):
        if found != expected:
            raise Failed(f"it is not true that {what}: {found!r} instead of {expected!r}")
        self.say(what)

    def wait(self, found, what):
        deadline = time.monotonic() + ARRIVE_SECONDS_MAX
        while not found():
            if time.monotonic() > deadline:
                raise Failed(f"gave up after {ARRIVE_SECONDS_MAX} s waiting until {what}")
            time.sleep(0.2)
