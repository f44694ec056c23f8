"""One night, from the business's own payments to Xero's books, and that nothing goes there twice.

Everything is what it will be: the payments come through the intake queue, those that name their invoice go up through
the uploads queue, and the night is woken as EventBridge wakes it. Only that the hour has come is said here: the engine
knows nothing of time zones, and does not fill in for which time a schedule was meant.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from template_rules import SCHEDULED_TIME

STAMP = "PM-"
START = "2026-01-01"
PREPAYMENTS = {"code": "880", "name": "Paid in advance", "type": "CURRLIAB"}


class Night:
    """The steps, in their order, in the midst of a story."""

    def __init__(self, story):
        self.story, self.xero, self.organisation = story, story.xero, story.organisation
        self.schedules = story.cloud.client("scheduler")
        self.today = date.today().isoformat()

    def play(self):
        self.switch_uploading_on()
        self.take_in_what_was_paid()
        self.post_at_once()
        self.run()
        self.run_again()
        self.hear_of_it_from_xero()
        self.keep_what_failed()

    def switch_uploading_on(self):
        books, = [o for o in self.xero.do("/organisations", method="GET") if o["id"] == self.organisation]
        bank, = [account for account in books["accounts"] if account["type"] == "BANK"]
        self.xero.do(f"/organisations/{self.organisation}/accounts", PREPAYMENTS)
        self.contact = self.xero.do(f"/organisations/{self.organisation}/contacts", {"name": "Wilma Flintstone"})["id"]
        self.invoice = self.xero.do(f"/contacts/{self.contact}/invoices", {
            "number": "CM-20001", "total": "60.00", "currency": "AUD", "date": self.today, "due_date": self.today,
            "kind": "ACCREC",
        })["id"]
        self.story.tables.update_item(
            TableName=self.story.outputs["OrganisationsTableName"], Key={"organisation": {"S": self.organisation}},
            UpdateExpression="SET upload_enabled = :true, upload_start = :start, upload_account_id = :bank, "
                             "prepayment_account_code = :code",
            ExpressionAttributeValues={
                ":true": {"BOOL": True}, ":start": {"S": START}, ":bank": {"S": bank["id"]},
                ":code": {"S": PREPAYMENTS["code"]},
            },
        )
        self.story.say("uploading is switched on, and invoice CM-20001 of 60.00 is open in Xero")

    def take_in_what_was_paid(self):
        common = {"version": 1, "organisation": self.organisation, "revision": 1}
        self.story.report({**common, "type": "customer", "customer": "C-1", "name": "Wilma Flintstone",
                           "xero_contact_id": self.contact})
        self.story.wait(lambda: self.story.rows("CustomersTableName"), "intake has taken in the customer")
        for number, amount in ((2, "60.00"), (3, "25.00")):
            self.story.report({**common, **self.payment(number, amount), "method": "bpay", "customer": "C-1",
                               "allocations": []})
        self.story.wait(lambda: {"P-2", "P-3"} <= self.uploads().keys(), "two BPAY payments are in the ledger")
        waiting = {self.uploads()[payment] for payment in ("P-2", "P-3")}
        self.story.expect(waiting, {"waiting"}, "BPAY payments wait for their night")

    def post_at_once(self):
        common = {"version": 1, "organisation": self.organisation, "revision": 1}
        self.story.report({**common, **self.payment(4, "15.00"), "method": "card",
                           "allocations": [{"invoice": "10234", "amount": "15.00"}]})
        at_once = {"P-1", "P-4"}
        self.story.wait(lambda: at_once <= self.uploaded(), "what names its invoice is in Xero without a night")
        self.story.expect(self.uploaded(), at_once, "payments that name their invoice were posted at once")

    def run(self):
        """As EventBridge would: the schedule's own role, target and input, with the time that it fills in."""
        name, = [s["Name"] for s in self.schedules.list_schedules()["Schedules"] if s["Name"].endswith("nightly")]
        self.target = self.schedules.get_schedule(Name=name)["Target"]
        self.input = self.target["Input"].replace(SCHEDULED_TIME, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.waker = self.story.cloud.client("lambda", self.story.cloud.role_credentials(self.target["RoleArn"]))
        self.story.expect(self.wake(), {"handed_out": 1}, "the schedule hands the night out to its organisation")
        self.story.wait(lambda: {"P-1", "P-2", "P-3", "P-4"} <= self.uploaded(), "the night is finished")
        self.story.expect(self.uploaded(), {"P-1", "P-2", "P-3", "P-4"}, "the ledger says of each that it is uploaded")
        self.stamped = self.references()
        self.story.expect(
            sorted((STAMP in reference, len(ids)) for reference, ids in self.stamped.items()), [(True, 1)] * 4,
            "each of the four is in Xero once, and bears our stamp",
        )
        advance, = self.xero.do(f"/organisations/{self.organisation}/bank-transactions", method="GET")
        self.story.expect((Decimal(advance["total"]), advance["contact"]), (25, self.contact),
                          "what no invoice asked for is a prepayment of its customer")

    def run_again(self):
        before = self.created()
        self.story.wait(lambda: not self.story.waiting("UploadsQueueUrl"), "the task of the night is done")
        self.story.expect(self.wake(), {"handed_out": 1}, "the same night is handed out again")
        self.story.wait(lambda: not self.story.waiting("UploadsQueueUrl"), "its task is done as well")
        self.story.expect(self.created(), before, "and puts nothing more into Xero")
        self.story.expect(self.references(), self.stamped, "so that each is still there once")

    def hear_of_it_from_xero(self):
        """Our own payments come back as Xero's news; they must not become payments of their own."""
        for invoice in (self.story.invoice, self.invoice):
            body = self.story.delivery(invoice)
            if (status := self.story.post_signed(body)) != 200:
                self.story.expect(status, 200, "Xero's news of our own payments is answered 200")
        self.story.wait(lambda: not self.story.waiting("ChangesQueueUrl"), "mirror has looked at both invoices")
        self.story.expect(
            self.story.payments(), [("local", 15, "AUD"), ("local", 20, "AUD"), ("local", 60, "AUD")],
            "mirror knows our own payments again, and copies none of them",
        )
        self.story.expect(self.story.rows("HeldPaymentsTableName"), [], "and holds none of them back")

    def keep_what_failed(self):
        output = "SchedulesDeadLetterQueueUrl"
        self.waker.invoke(FunctionName=self.target["Arn"], InvocationType="Event",
                          Payload=json.dumps({"scheduled_time": "no time at all"}))
        self.story.wait(lambda: self.story.waiting(output) == 1, "what failed three times is kept")
        self.story.queues.purge_queue(QueueUrl=self.story.outputs[output])
        self.story.say("a night that failed three times is kept in its dead-letter queue")

    # ------------------------------------------------------------ means

    def payment(self, number, amount):
        return {
            "type": "payment", "id": f"P-{number}", "amount": {"amount": amount, "currency": "AUD"}, "date": self.today,
            "transaction_id": f"T-{number}", "status": "confirmed", "entered_at": f"{self.today}T00:00:00Z",
        }

    def wake(self):
        """The outcome of the night of each organisation, or the answer that came instead."""
        answer = self.waker.invoke(FunctionName=self.target["Arn"], Payload=self.input)
        said = json.loads(answer["Payload"].read())
        return [night["outcome"] for night in said.get("nights", [])] or said

    def uploads(self):
        """State of each payment in the ledger."""
        rows = self.story.rows("UploadsTableName")
        return {row["payment_id"]["S"]: row["state"]["S"] for row in rows}

    def uploaded(self):
        return {payment for payment, state in self.uploads().items() if state == "uploaded"}

    def references(self):
        return self.xero.do(f"/organisations/{self.organisation}/live-references", method="GET")

    def created(self):
        """The records that calls have put into Xero's books so far, in that order."""
        return self.xero.do("/meters", method="GET")[self.organisation]["created"]
