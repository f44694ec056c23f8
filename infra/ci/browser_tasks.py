"""Everyday tasks of operators, done as a person does them: from Home, by clicks and fields alone.

Each has to end in the words that answer it. How many clicks, fields and seconds it took is printed.
"""

import time

import browser_data as data
from selenium.common.exceptions import WebDriverException

NAME = "Ada of the browser test"
CLICKS_MAX = 5


def _search(console, words):
    console.type("pm_search", words)
    console.press("Find")


def sync_now(console):
    console.press("System")
    console.order("Sync now", NAME, "a payment is missing")
    return "✔"


def why_missing(console):
    _search(console, f"INV {data.SETTLED}")
    return f"Payments of invoice {data.SETTLED}"


def hold(console):
    _search(console, data.WAITING)
    console.order("Hold", NAME, "the customer disputes it")
    return "is on hold"


def who_held(console):
    console.press("Activity")
    console.type("pm_word", data.WAITING)
    console.press("Show")
    return "the customer disputes it"


def release(console):
    console.press("Uploads")
    console.order("Release", NAME, "the customer has confirmed it", data.WAITING)
    return "waits for its turn"


def who_released(console):
    console.press("Activity")
    console.type("pm_word", data.WAITING)
    console.press("Show")
    return "the customer has confirmed it"


def plan_of_tonight(console):
    console.press("Uploads")
    console.press("Preview")
    return "slots are free"


def limit_of_30_days(console):
    return "30-day limit"


def overdue(console):
    console.press("Invoices & customers")
    console.press("Balances")
    return "By age"


def discrepancies(console):
    console.press("Needs you")
    console.press("Discrepancies")
    return "FAILED_PAYMENT"


def take(console):
    console.press("Needs you")
    console.press("Discrepancies")
    console.tick("pm_tick_0")
    console.order("Take the ticked ones", NAME, "I look at it")
    return NAME


def export(console):
    console.press("Needs you")
    console.press("Discrepancies")
    console.unfold("as CSV")
    return "kind,"


def last_night(console):
    console.press("Sync log")
    return "finished"


def since_yesterday(console):
    console.press("Activity")
    return "uploaded"


def customer(console):
    console.press("Invoices & customers")
    console.press("Customers")
    return "named by the business"


def failed_messages(console):
    console.press("System")
    console.press("Failed messages")
    console.press("Check queues")
    return "1 in it"


def rejected_messages(console):
    console.press("System")
    console.press("Rejected messages")
    console.press("Preview the replay", "all")
    return "would be replayed"


def by_amount(console):
    _search(console, "61.25")
    return data.WAITING


def by_address(console):
    _search(console, data.RECEIPTED)
    return data.RECEIPTED


def one_order(console):
    console.press("Invoices & customers")
    console.press("Orders")
    console.type("pm_order_id", data.DIFFERS)
    console.press("Show")
    return "side by side"


def waiting_customers(console):
    console.press("Needs you")
    console.press("Actions")
    return data.ACTION


def closes(console):
    console.press("Invoices & customers")
    console.press("Closes")
    return "The day that is open is closed at its end"


def connection(console):
    console.press("Connections")
    return "Authorised"


def start_date(console):
    console.press("System")
    console.press("Configure")
    console.type("pm_set_upload_start", "2026-11-02")
    console.order("Save", NAME, "as agreed with the accountant", "From here to Xero")
    return "Start date: 2026-11-02"


def nonsense(console):
    console.press("System")
    console.press("Configure")
    console.type("pm_set_forward_days", "a fortnight")
    console.order("Save", NAME, "as agreed", "From Xero to here")
    return "is no whole number"


def account(console):
    console.press("System")
    console.press("Configure")
    console.press("Fetch the lists from Xero")
    return "Account for received payments"


OPERATORS = (
    sync_now, why_missing, hold, who_held, release, who_released, plan_of_tonight, limit_of_30_days, overdue, discrepancies, take, export,
    last_night, since_yesterday, customer, failed_messages, rejected_messages, by_amount, by_address, one_order, waiting_customers, closes,
    connection,
)
ADMINISTRATORS = (start_date, nonsense, account)


def done(console, _stack):
    """Every task, each in a window as wide as a widget usually is."""
    wrong = []
    for task, role in [(task, "operator") for task in OPERATORS] + [(task, "admin") for task in ADMINISTRATORS]:
        console.open("home", role, "light", 900)
        console.clicks = console.fields = 0
        began = time.monotonic()
        try:
            expected = task(console)
        except (WebDriverException, IndexError, StopIteration) as error:
            wrong.append(f"the task {task.__name__} ends nowhere: {type(error).__name__}: {str(error).splitlines()[:1]}")
            continue
        took = time.monotonic() - began
        if expected not in console.text():
            wrong.append(f"the task {task.__name__} does not end in {expected!r}: {console.text()[:400]!r}")
        if console.clicks > CLICKS_MAX:
            wrong.append(f"the task {task.__name__} takes {console.clicks} clicks")
        print(f"browser: {task.__name__:<18} {console.clicks} clicks, {console.fields} fields, {took:.1f} s")
    return wrong
