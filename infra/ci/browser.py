#!/usr/bin/env python3
"""Opens the operators' pages in a real browser, on the whole system of this machine after its story was played.

Every page in both themes and at three widths: whether it can be read, reached by keyboard, and fits. Then Sync Now is pressed as
a person presses it, and its outcome is read from the tables. Pictures of all of it are left in target/ci/screenshots.
"""

import sys
import tempfile
from pathlib import Path

import browser_data
import browser_driver
import browser_tasks
import local_stack
from browser_data import ROLES, Look
from browser_driver import Console
from local_stack import StackError
from selenium.common.exceptions import WebDriverException

PICTURES = local_stack.ROOT / "target/ci/screenshots"
WIDTHS = (1200, 800, 400)
THEMES = ("light", "dark")
# Each page is opened in the role that has most on it. The buttons of others are fewer, and their words are other ones.
*OTHERS, MOST = ROLES
NARROW = min(WIDTHS)

NAME = "Ada of the browser test"
# A text that would run if the page took it for code.
HOSTILE = "<script>window.hurt = true</script><img src=x onerror='window.hurt = true'> & \"why\""

# The names that an organisation's row has for people, and how long each may be.
NAMES = ("name", "administrator_contact", "bank_feed_name", "payment_gateway_name")
NAME_CHARS_MAX = 200
# Ways to spoil a page, and a word of the sentence that has to come of each.
SPOILED = (
    ("sticks out", "document.querySelector('.pm-tile').style.width = '900px'"),
    ("scrolls sideways", "document.querySelector('.pm-tile').style.width = '900px'"),
    ("the page is", "document.body.style.width = '900px'"),
    ("contrast", "document.querySelector('.paymirror').style.setProperty('--muted', '#999999')"),
    ("contrast", "document.querySelector('.pm-tile').style.opacity = '0.5'"),
    ("no label", "const field = document.querySelector('[name=pm_by_1]'); field.closest('details').open = true;"
                 "field.closest('label').replaceWith(field)"),
    ("no label", "document.querySelector('.pm-button').textContent = ''"),
    ("too small", "document.querySelector('.pm-tile').style.fontSize = '9px'"),
    ("focus cannot be seen", "document.querySelector('.pm-button').style.outline = 'none'"),
    ("forced order", "document.querySelector('.pm-button').tabIndex = 3"),
    ("Tab goes", "document.querySelector('.pm-button').tabIndex = -1"),
)


def measured(console):
    """The faults of the open page, as far as they can be measured."""
    for measure in ("tooWide", "unreadable", "nameless", "tiny"):
        yield from console.measure(measure)
    yield from console.wrong_by_keyboard()


def wrong_on(console, look, role, theme, width):
    """The faults of a page, in sentences."""
    title = console.open(look.page, role, theme, width)
    for field, words in look.typed:
        console.type(field, words)
    if look.pressed:
        console.press(look.pressed)
    console.picture(PICTURES / f"{'-'.join(filter(None, (look.page, look.name)))}-{role}-{theme}-{width}.png")
    text = console.text()
    if title not in text or "did not answer" in text:
        yield f"does not show itself: {text[:200]!r}"
    yield from (f"does not say {words!r}" for words in look.expected if words not in text)
    if theme == "dark" and not console.is_dark():
        yield "is not dark"
    yield from measured(console)
    yield from console.complaints()


def look_at_all(console, _stack):
    """Every page in every width, and in the dark where it is narrowest."""
    wrong, looked = [], 0
    codes = console.pages()
    if not codes:
        return ["the index offers no page"]
    combinations = [(MOST, theme, width) for theme in THEMES for width in (WIDTHS if theme == THEMES[0] else (NARROW,))]
    combinations += [(role, "light", NARROW) for role in OTHERS]
    for look in (*map(browser_data.opened, codes), *browser_data.LOOKS):
        for role, theme, width in combinations:
            if ROLES.index(role) < ROLES.index(look.least):
                continue
            looked += 1
            wrong += [f"{look.page} {look.name} as {role}, {theme}, {width} px: {sentence}"
                      for sentence in wrong_on(console, look, role, theme, width)]
    print(f"browser: {looked} views of {len(codes)} pages looked at")
    return wrong


def prove(console, _stack):
    """Spoils a page in one way after the other, and expects to hear of it: a blind measure proves nothing."""
    wrong = []
    for expected, spoil in SPOILED:
        console.open("integrations", "operator", "light", NARROW)
        console.run(spoil)
        if not any(expected in sentence for sentence in measured(console)):
            wrong.append(f"nobody has noticed: {expected}")
    console.complaints()
    return wrong


def strained(console, stack):
    """Names as long as they may be, without a place to break, still fit."""
    row, = stack.rows("organisations")
    stack.set_texts("organisations", {"organisation": row["organisation"]}, dict.fromkeys(NAMES, "W" * NAME_CHARS_MAX))
    views = [(Look(page, "strained"), role, width) for page in ("integrations", "configure") for role in ("viewer", MOST)
             for width in WIDTHS]
    wrong = [f"{look.page} with long names as {role}, {width} px: {sentence}" for look, role, width in views
             for sentence in wrong_on(console, look, role, "light", width)]
    stack.set_texts("organisations", {"organisation": row["organisation"]}, dict.fromkeys(NAMES, "Harbour"))
    return wrong


def new_rows(stack, table, before):
    """The rows of a table that were not there before."""
    return [row for row in stack.rows(table) if row not in before]


def order_of(row):
    """The order, as the console reads it from a row of `activity`."""
    return row.get("order") or row.get("action")


def expect(is_so, sentence):
    """A list of what is wrong: the sentence, if it is not so."""
    return [] if is_so else [sentence]


def sync_now(console, stack):
    """CC-12, ST-14: an operator presses the button, and it is done, and written down with the name and the reason."""
    runs, activity = stack.rows("sync_runs"), stack.rows("activity")
    console.open("integrations", "operator", "light", 1200)
    console.order("Sync now", NAME, HOSTILE)
    notice = console.notice()
    console.picture(PICTURES / "sync-now-done.png")
    mine = [row for row in new_rows(stack, "sync_runs", runs) if row.get("trigger") == "manual"]
    ordered = [row for row in new_rows(stack, "activity", activity) if order_of(row) == "sync_now"]
    return [
        *expect(notice.startswith("✔"), f"Sync Now: the page says {notice!r}"),
        *expect([(row.get("by"), row.get("why")) for row in mine] == [(NAME, HOSTILE)], f"Sync Now: the runs are {mine}"),
        *expect([row.get("by") for row in ordered] == [NAME], f"Sync Now: the activity has {ordered}"),
        *expect((console.value("pm_by_1"), console.value("pm_why_1")) == (NAME, HOSTILE), "Sync Now: the fields afterwards"),
    ]


def shown_as_text(console, _stack):
    """A text stands on the page as a person typed it, and nothing of it has run."""
    console.open("activity", "viewer", "light", 1200)
    console.picture(PICTURES / "activity-hostile.png")
    return [
        *expect(HOSTILE in console.text(), "what was typed does not stand on the activity page as it was typed"),
        *expect(not console.run("return window.hurt || document.querySelectorAll('.content img, .content script').length"),
                "what was typed became part of the page"),
    ]


def refused(console, stack):
    """ST-22: a viewer has no such button. A forged one is refused with the roles that may, and written down."""
    console.open("integrations", "viewer", "light", 1200)
    offered = console.has_button("Sync now")
    runs, activity = stack.rows("sync_runs"), stack.rows("activity")
    console.open("integrations", "operator", "light", 1200)
    console.forge_endpoint("viewer")
    console.order("Sync now", NAME, "I would like to")
    console.picture(PICTURES / "sync-now-refused.png")
    said = console.text()
    rows = [row for row in new_rows(stack, "activity", activity) if "role" in row]
    found = [(order_of(row), row.get("result"), row.get("rule"), row.get("by"), row.get("role")) for row in rows]
    ran = [row for row in new_rows(stack, "sync_runs", runs) if row.get("trigger") == "manual"]
    return [
        *expect("takes the role operator" in said, f"a viewer's Sync Now: the page says {said[:200]!r}"),
        *expect(not offered, "a viewer is offered Sync Now"),
        *expect(found == [("sync_now", "refused", "ST-22", NAME, "viewer")], f"a viewer's Sync Now: the activity has {found}"),
        *expect(not ran, f"a viewer's Sync Now has run: {ran}"),
    ]


def solved(console, stack):
    """EX-28: a customer's problem is solved, and the payment that waited for it may go."""
    console.open("actions", "operator", "light", 1200)
    console.order("Mark as solved", NAME, "they were merged")
    notice = console.notice()
    console.picture(PICTURES / "solved.png")
    still = [row["customer"] for row in stack.rows("customers") if "blocked" in row]
    said = [row for row in stack.rows("activity") if row.get("action") == "customer_unblocked"]
    return [
        *expect(notice.startswith("✔"), f"Solved: the page says {notice!r}"),
        *expect(not still, f"Solved: still blocked are {still}"),
        *expect([NAME in row.get("by", "") + row.get("why", "") for row in said] == [True], f"Solved: the activity has {said}"),
    ]


def tried(part, console, stack):
    """Faults that a part finds, and complaints of the browser meanwhile. A part that breaks off is one more fault."""
    try:
        return [*part(console, stack), *console.complaints()]
    except (WebDriverException, StackError, IndexError) as error:
        return [f"{part.__name__} breaks off: {type(error).__name__}: {str(error).splitlines()[:1]}"]


def main():
    if not (browser := browser_driver.found()):
        print(f"browser: NOT CHECKED: neither {' nor '.join(browser_driver.PLACES)} is here, with its driver")
        return 0
    if not local_stack.binary().exists():
        print(f"browser: {local_stack.binary()} is missing; build it with: cargo build --package local")
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        with local_stack.told(folder) as stack, browser_driver.started(browser, folder) as driver:
            console = Console(driver, stack)
            browser_data.prepare(stack)
            wrong = [sentence for part in (look_at_all, prove, strained, sync_now, shown_as_text, refused, browser_tasks.done, solved)
                     for sentence in tried(part, console, stack)]
    for sentence in wrong:
        print(f"browser: {sentence}")
    print(f"browser: pictures are in {PICTURES.relative_to(local_stack.ROOT)}; {len(wrong)} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
