#!/usr/bin/env python3
"""Walks the way to Xero and back in a real browser, as a new user would, with the function `connect` of this machine in front
of the simulated Xero: yes, no, half of the way, twice, too old, one organisation ended and connected again.

A picture of each page, and the simulator's calls, are left in target/ci/screenshots/connect. No code, state, link or cookie
may be in the log of the system.
"""

import json
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import browser_driver
import local_stack
from selenium.webdriver.common.by import By

PICTURES = local_stack.ROOT / "target/ci/screenshots/connect"
NAMES = ("Harbour Pty", "Lighthouse & Sons", "<b>Quay</b>")
ADDRESS = "http://localhost:9500"


class Walk:
    """A browser on its way, with what it must not find in a log."""

    def __init__(self, driver, program, simulator):
        self.driver, self._program, self._simulator = driver, program, simulator
        self.secrets, self.wrong, self._pictures = set(), [], 0

    def link(self):
        """A new link, as the program prints it after Enter."""
        self._program.stdin.write("\n")
        self._program.stdin.flush()
        return self.printed()

    def printed(self):
        """The next link that the program prints."""
        for line in self._program.stdout:
            if "/launch?link=" in line:
                self.secrets.add(line.strip().partition("link=")[2])
                return line.strip()
        raise local_stack.StackError("the program has ended")

    def open(self, address):
        self.driver.get(address)
        self.seen()

    def seen(self):
        """Notes what of this page's address is a secret, and the cookies."""
        for values in parse_qs(urlsplit(self.driver.current_url).query).values():
            self.secrets.update(value for value in values if len(value) >= 32 and " " not in value)
        self.secrets.update(cookie["value"] for cookie in self.driver.get_cookies())

    def press(self, label):
        buttons = [button for button in self.driver.find_elements(By.TAG_NAME, "button") if button.text == label]
        buttons[0].click()
        self.seen()

    def pick(self, *names):
        for label in self.driver.find_elements(By.TAG_NAME, "label"):
            if label.text.strip() in names:
                label.find_element(By.TAG_NAME, "input").click()

    def expect(self, name, *words, path=None):
        """A picture of the page, which has to say these words at this address."""
        self._pictures += 1
        self.driver.save_screenshot(str(PICTURES / f"{self._pictures:02}-{name}.png"))
        text, url = self.driver.find_element(By.TAG_NAME, "body").text, self.driver.current_url
        self.wrong += [f"{name}: does not say {word!r}: {text[:200]!r}" for word in words if word not in text]
        if path and url != f"{ADDRESS}{path}":
            self.wrong.append(f"{name}: is at {urlsplit(url).path}, with a query: {bool(urlsplit(url).query)}")

    def calls(self):
        with urllib.request.urlopen(f"{self._simulator}/_control/identity-calls") as answer:
            return json.load(answer)


def add_organisation(simulator, name):
    body = json.dumps({"name": name}).encode()
    request = urllib.request.Request(f"{simulator}/_control/organisations", body, {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


def to_xero(walk, link):
    walk.open(link)
    walk.press("Connect to Xero")


def walked(walk):
    """All ways, one after the other."""
    first = walk.printed()
    walk.open(first)
    walk.expect("invitation", "Connect Paymirror to Xero", "read invoices, bills and credit notes")
    walk.press("Connect to Xero")
    walk.expect("xero-no", "Simulated Xero", *NAMES)
    walk.press("Cancel")
    walk.expect("said-no", "you said no in Xero", "Nothing has changed", path="/outcome/said-no")
    walk.open(first)
    walk.expect("link-used", "This link was used already")

    to_xero(walk, walk.link())
    half = walk.driver.current_url
    walk.expect("half-of-the-way", "Simulated Xero")

    to_xero(walk, walk.link())
    walk.pick(*NAMES)
    walk.expect("xero-three", *NAMES)
    walk.press("Allow access")
    walk.expect("choose", *NAMES, path="/choose")
    walk.pick(*NAMES[:2])
    walk.press("Use what is picked")
    walk.expect("done", "It is signed up", "connected in Xero, and not used", path="/done")
    walk.press("Disconnect from Xero")
    walk.expect("one-ended", *NAMES[:2], path="/done")
    if NAMES[2] in walk.driver.find_element(By.TAG_NAME, "body").text:
        walk.wrong.append("one-ended: the organisation that was ended is still there")

    to_xero(walk, walk.link())
    walk.pick(NAMES[0], NAMES[2])
    walk.press("Allow access")
    walk.expect("choose-again", "is in use already", NAMES[2], path="/choose")
    walk.pick(NAMES[2])
    walk.press("Use what is picked")
    walk.expect("connected-again", "nothing has changed", "It is signed up", path="/done")

    # The page that was left half-way: its cookie is another one by now.
    walk.open(half)
    walk.pick(NAMES[0])
    walk.press("Allow access")
    walk.expect("left-half-way", "this browser was not on its way to Xero", path="/outcome/not-from-here")
    walk.open(f"{ADDRESS}/launch?link={'0' * 64}")
    walk.expect("stranger", "This link is not known")


@contextmanager
def connecting(folder, ports):
    """The system without its story, and the function `connect` in front of it."""
    options = [f"--data={folder / 'data'}", *(f"--port-{part}={port}" for part, port in ports.items())]
    log = folder / "local.log"
    with log.open("wb") as output:
        program = [str(local_stack.binary())]
        stack = subprocess.Popen([*program, "--no-story", *options], cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT)
        try:
            local_stack.wait_until_up(stack, log)
            connect = subprocess.Popen([*program, "connect", *options], cwd=folder, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=output, text=True)
            try:
                yield connect
            finally:
                connect.kill()
                connect.wait()
        finally:
            stack.send_signal(signal.SIGINT)
            stack.wait(local_stack.END_SECONDS_MAX)


def main():
    if not (browser := browser_driver.found()):
        print("browser: connect NOT CHECKED: no browser is here with its driver")
        return 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="connect-", ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        ports = dict(zip(local_stack.PARTS, local_stack.free_ports(len(local_stack.PARTS)), strict=True))
        simulator = f"http://{local_stack.LOOPBACK}:{ports['simulator']}"
        with connecting(folder, ports) as program, browser_driver.started(browser, folder) as driver:
            for name in NAMES:
                add_organisation(simulator, name)
            walk = Walk(driver, program, simulator)
            walked(walk)
            (PICTURES / "calls.txt").write_text("\n".join(walk.calls()) + "\n", encoding="utf-8")
        lines = "".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*.log"))
    walk.wrong += [f"a secret of {len(secret)} letters is in the log" for secret in walk.secrets if secret in lines]
    for sentence in walk.wrong:
        print(f"browser: connect: {sentence}")
    print(f"browser: connect: {len(walk.secrets)} secrets looked for; pictures are in "
          f"{PICTURES.relative_to(local_stack.ROOT)}; {len(walk.wrong)} things are wrong")
    return 1 if walk.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
