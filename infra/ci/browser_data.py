"""The data behind the operators' pages in the browser test: the story, and one of everything else that they show."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone

# An invoice of the story with a payment that was deleted in Xero, and one whose own payment was found in Xero.
SETTLED, OWED = "10003", "10001"
FAILED, WAITING, BLOCKED, FLOATING = "B-failed", "B-tonight", "B-blocked", "B-floating"
# An order whose tax is another one on its receipt, one with long names, and one of many.
DIFFERS, LONG, MANY = "B-order-differs", "B-order-" + "of-a-name-that-does-not-end-" * 3 + "here", "B-order-23"
RECEIPTED = "B-receipted"
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
    "home": ("need you", "Next upload", "30-day limit"),
    "needs_you": ("Failed payments:", "Open"),
    "integrations": ("Active", "invalid_message"),
    "limits": ("still fit", "Data from Xero this month"),
    "tonight": (WAITING, BLOCKED),
    "activity": (FAILED, "FAILED_PAYMENT"),
    "sync_log": ("finished", "calls"),
    "actions": (ACTION,),
    "discrepancies": ("FAILED_PAYMENT", "Accept"),
    # Some of the orders are judged by the time that the page is opened.
    "orders": (DIFFERS, LONG, MANY, "Sums of the orders below", "The same as CSV"),
    "parked": ("invalid_message", "/type"),
}
LOOKS = (
    Look("why", "number", (("pm_search", f"CM-{SETTLED}"),), "Find", (f"Payments of invoice {SETTLED}", "AUD")),
    Look("why", "held", (("pm_search", BLOCKED),), "Find", (f"Payment {BLOCKED}", "On hold", ACTION)),
    Look("why", "amount", (("pm_search", "61.25"),), "Find", (WAITING,)),
    Look("invoice", "settled", (("pm_invoice", SETTLED),), "Show", (f"CM-{SETTLED}", "The payments lead to", "History")),
    Look("invoice", "owed", (("pm_invoice", OWED),), "Show", (f"CM-{OWED}", "What does not agree", "FAILED_PAYMENT")),
    Look("discrepancies", "one", (), "Details", ("Evidence", "History: decisions", "To be resolved by")),
    Look("discrepancies", "none", (("pm_search", "B-of-no-name"),), "Show", ("None of the open discrepancies is among these.",)),
    Look("balances", "none", (("pm_word", "B-of-no-name"),), "Show", ("No invoice is like this.",)),
    Look("closes", "none", (("pm_day", "2020-01-01"),), "Show", ("2020-01-01 is not closed.",)),
    Look("orders", "one", (("pm_order_id", DIFFERS),), "Show", ("side by side", "COMPONENT_DIFFERS", "differs", "R-2026-0311")),
    Look("orders", "long", (("pm_order_id", LONG),), "Show", (f"Order {LONG}", "It names none.")),
    Look("orders", "none", (("pm_order_id", "B-order-that-is-none"),), "Show", ("No order B-order-that-is-none was reported.",)),
    Look("tonight", "judged", (), "Preview", (WAITING, BLOCKED, "1 payments go (61.25 AUD), 0 wait"), "operator"),
    Look("dead_letters", "looked", (), "Check queues", ("1 in it", "unreadable"), "operator"),
    Look("configure", "settings", (), "", ("Account for received payments", "Fetch the lists from Xero"), "admin"),
    Look("configure", "lists", (), "Fetch the lists from Xero", ("Account for received payments",), "admin"),
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
        _payment(RECEIPTED, "115.00", "card", customer="C-" + "Wollstonecraft-" * 4,
                 document={"number": "R-2026-0311", "total": "115.00", "tax": "9.00", "shipping": "5.00"}),
        _order(DIFFERS, payments=[RECEIPTED]),
        _order(LONG, customer="C-" + "Wollstonecraft-" * 6),
        *(_order(f"B-order-{number:02}") for number in range(24)),
        # A message that cannot be read is parked.
        {"type": "nonsense"},
    ):
        stack.send("intake", json.dumps({**head, **message}))
    stack.send("changes-dlq", json.dumps({**head, "note": DEAD}))
    stack.wait_for_row("parked")
    stack.wait_for_row("discrepancies", kind="FAILED_PAYMENT")
    stack.wait_for_row("orders", order=MANY)
    stack.wait_for_row("discrepancies", kind="UNLINKED", payment_id=FLOATING)
    stack.wait_for_row("discrepancies", kind="COMPONENT_DIFFERS", order=DIFFERS)
    for payment in (WAITING, BLOCKED):
        stack.wait_for_row("uploads", payment_id=payment)


def _order(name, **more):
    return {
        "type": "order", "id": name, "revision": 1, "customer": "C-1", "placed_at": "2026-11-23T01:00:00Z",
        "components": {"currency": "AUD", "goods": "100.00", "tax": "10.00", "shipping": "5.00", "total": "115.00"}, **more,
    }


def _payment(name, amount, method, status="confirmed", allocations=(), **more):
    now = datetime.now(timezone.utc)
    return {
        "type": "payment", "id": name, "revision": 1, "amount": {"amount": amount, "currency": "AUD"},
        "date": f"{now:%Y-%m-%d}", "method": method, "transaction_id": f"T-{name}", "status": status,
        "entered_at": now.isoformat(timespec="seconds"), "allocations": list(allocations), **more,
    }
