"""The data behind the operators' pages in the browser test: the story, and one of everything else that they show."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone

# An invoice of the story with a payment that was deleted in Xero, and one whose own payment was found in Xero.
SETTLED, OWED = "10003", "10001"
FAILED, WAITING, BLOCKED, FLOATING = "B-failed", "B-tonight", "B-blocked", "B-floating"
ACTION = "two contacts in Xero have this name"
DEAD = "of no use to anybody"


@dataclass(frozen=True)
class Look:
    """One way to look at a page: the text to type, the button to press then, and the words to expect afterwards."""
    page: str
    name: str = ""
    typed: tuple[tuple[str, str], ...] = ()
    pressed: str = ""
    expected: tuple[str, ...] = ()
    # The least of the roles that may see it.
    least: str = "viewer"


# From the least to the most.
ROLES = ("viewer", "operator", "admin")
# Words that have to be on pages that are only opened.
OPENED = {
    "integrations": ("Active", "invalid_message"),
    "limits": ("30 of 200", "Fetched this month"),
    "tonight": (WAITING, BLOCKED),
    "activity": (FAILED, "FAILED_PAYMENT"),
    "sync_log": ("finished", "calls"),
    "actions": (ACTION,),
    "discrepancies": ("FAILED_PAYMENT", "Accept"),
    "messages": ("UNLINKED", FLOATING),
    "parked": ("invalid_message", "/type"),
}
LOOKS = (
    Look("why", "number", (("pm_search", f"CM-{SETTLED}"),), "Find", (f"Payments of invoice {SETTLED}", "AUD")),
    Look("why", "held", (("pm_search", BLOCKED),), "Find", (f"Payment {BLOCKED}", "EX-28", ACTION)),
    Look("why", "amount", (("pm_search", "61.25"),), "Find", (WAITING,)),
    Look("invoice", "settled", (("pm_invoice", SETTLED),), "Show", (f"CM-{SETTLED}", "The payments lead to", "History")),
    Look("invoice", "owed", (("pm_invoice", OWED),), "Show", (f"CM-{OWED}", "What does not agree", "FAILED_PAYMENT")),
    Look("tonight", "judged", (), "Judge it now", (WAITING, BLOCKED, "1 would go, 0 would wait"), "operator"),
    Look("dead_letters", "looked", (), "Look", ("1 in it", "unreadable"), "operator"),
    Look("configure", "settings", (), "", ("upload_due_at", "Australia/Sydney"), "admin"),
)


def opened(page):
    """A page as it is when it is opened."""
    return Look(page, expected=OPENED.get(page, ()))


def prepare(stack):
    """Fills the tables with the rows that the story leaves out, by the ways by which they come in reality."""
    organisation = stack.rows("organisations")[0]["organisation"]
    head = {"version": 1, "organisation": organisation}
    waiting, blocked = (row["customer"] for row in stack.rows("customers")[:2])
    stack.invoke("upload", {"organisation": organisation, "customer": blocked, "block": True, "by": "Ada", "why": ACTION})
    for message in (
        _payment(FAILED, "20.00", "card", status="failed", allocations=[{"invoice": OWED, "amount": "20.00"}]),
        _payment(WAITING, "61.25", "bpay", customer=waiting),
        _payment(BLOCKED, "35.00", "bpay", customer=blocked),
        _payment(FLOATING, "12.00", "bank_transfer"),
        # A message that cannot be read is parked.
        {"type": "nonsense"},
    ):
        stack.send("intake", json.dumps({**head, **message}))
    stack.send("changes-dlq", json.dumps({**head, "note": DEAD}))
    stack.wait_for_row("parked")
    stack.wait_for_row("discrepancies", kind="FAILED_PAYMENT")
    stack.wait_for_row("messages", payment_id=FLOATING)
    for payment in (WAITING, BLOCKED):
        stack.wait_for_row("uploads", payment_id=payment)


def _payment(name, amount, method, status="confirmed", allocations=(), **more):
    now = datetime.now(timezone.utc)
    return {
        "type": "payment", "id": name, "revision": 1, "amount": {"amount": amount, "currency": "AUD"},
        "date": f"{now:%Y-%m-%d}", "method": method, "transaction_id": f"T-{name}", "status": status,
        "entered_at": now.isoformat(timespec="seconds"), "allocations": list(allocations), **more,
    }
