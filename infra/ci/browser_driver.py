"""A browser without a window, and the operators' pages in it."""

import base64
import json
import os
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

# Browsers, each with the driver that goes with it: the one on the machines of GitHub's workflows, and Debian's. Where both
# browsers are, as there, the driver is Chrome's.
PLACES = {
    "/usr/bin/google-chrome": "/usr/bin/chromedriver",
    "/usr/bin/chromium": "/usr/bin/chromedriver",
}
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)
NETWORK = ("http", "https", "ws", "wss", "ftp")
SECONDS_MAX = 60
HEIGHT = 900
# A date has four places at which Tab stops: day, month, year, and the calendar.
TABS_PER_STOP_MAX = 6
MEASURES = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")


def found():
    """The first browser that is here with its driver, or nothing."""
    return next((pair for pair in PLACES.items() if all(map(os.path.exists, pair))), None)


@contextmanager
def started(browser, folder):
    """A browser that knows nothing and remembers nothing, until the block ends."""
    program, driver_program = browser
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # With the driver's path said, selenium looks for none elsewhere.
    driver = webdriver.Chrome(options=options, service=Service(driver_program))
    try:
        driver.set_script_timeout(SECONDS_MAX)
        yield driver
    finally:
        driver.quit()


class Console:
    """The operators' pages in a browser."""

    def __init__(self, driver, stack):
        self._driver = driver
        self._stack = stack
        self._host = urlsplit(stack.console).netloc
        self.clicks = self.fields = 0

    def run(self, script, *arguments):
        """The answer of a script in the page."""
        return self._driver.execute_script(script, *arguments)

    def pages(self):
        """The names of all pages, as the index offers them."""
        self._driver.get(self._stack.console)
        return self.run("return [...document.querySelectorAll('#pages option')].map(o => o.value).filter(Boolean)")

    def open(self, page, role, theme, width):
        """Opens one page in a window of this width, waits until it is there, and answers with its title."""
        metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        asked = urlencode({"role": role, "theme": theme, "pages": page})
        self._driver.get(f"{self._stack.console}?{asked}")
        self._wait("the page is there", "return document.querySelectorAll('.widget .content .paymirror').length === 1")
        self.run(MEASURES)
        return self.run("return document.querySelector('.widget .title').textContent")

    def text(self):
        """The text in the widget."""
        return self.run("return document.querySelector('.widget .content').innerText")

    def is_dark(self):
        return self.run("return Boolean(document.querySelector('.paymirror.pm-dark'))")

    def measure(self, name):
        """The faults that one of the measures of `browser.js` finds."""
        return self.run(f"return measured.{name}()")

    def picture(self, path):
        """Leaves a picture of the whole page, however long."""
        size = self.run("const page = document.scrollingElement; return [innerWidth, page.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        asked = {"captureBeyondViewport": True, "format": "png", "clip": clip}
        answer = self._driver.execute_cdp_cmd("Page.captureScreenshot", asked)
        path.write_bytes(base64.b64decode(answer["data"]))

    def wrong_by_keyboard(self):
        """Goes through the page with the Tab key: everything is reached, in its order, and can be seen to be."""
        begun = self.run("return measured.beginTabs()")
        wrong, reached = list(begun["wrong"]), []
        for _ in range(begun["count"] * TABS_PER_STOP_MAX):
            if len(reached) == begun["count"]:
                break
            ActionChains(self._driver, duration=0).send_keys(Keys.TAB).perform()
            at = self.run("return measured.at()")
            if at["index"] < 0:
                break
            if at["index"] in reached:
                continue
            reached.append(at["index"])
            if not at["isSeen"]:
                wrong.append(f"focus cannot be seen on {at['what']}")
        if reached != list(range(begun["count"])):
            wrong.append(f"Tab goes {reached} and not through all {begun['count']} in their order")
        return wrong

    def complaints(self):
        """Complaints of the browser since the last time, and the hosts other than ours that it has asked."""
        wrong = [f"the browser says {entry['message']!r}" for entry in self._driver.get_log("browser")]
        for entry in self._driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = urlsplit(message["params"]["request"]["url"])
                # The browser's own first page is of the scheme `chrome`, and goes nowhere.
                if url.scheme in NETWORK and url.netloc != self._host:
                    wrong.append(f"asks {url.netloc}")
        return wrong

    def type(self, field, words):
        """Types into a field of this name."""
        element = self._driver.find_element("css selector", f".content [name={field}]")
        self._fill(element, words)

    def choose(self, field, words):
        """Chooses what a list offers under these words."""
        Select(self._driver.find_element("css selector", f".content [name={field}]")).select_by_visible_text(words)
        self.fields += 1

    def _fill(self, element, words):
        element.clear()
        element.send_keys(words)
        self.fields += 1

    def value(self, field):
        return self.run(f"return document.querySelector('.content [name={field}]').value")

    def has_button(self, label):
        summaries = self._driver.find_elements("css selector", ".content details.pm-ask > summary")
        return bool(self._buttons(label) or self._labelled(summaries, f"{label}…", ""))

    def press(self, label, about=""):
        """Presses a button, says yes to what it asks, and waits until the function has answered."""
        self._click(self._buttons(label, about)[0])

    def order(self, label, name, why, about=""):
        """Opens the panel of an order, says who gives it and why, and presses the button there."""
        summary = self._labelled(self._driver.find_elements("css selector", ".content details.pm-ask > summary"), f"{label}…", about)[0]
        summary.click()
        self.clicks += 1
        panel = summary.find_element("xpath", "..")
        for field, words in (("by", name), ("why", why)):
            element = panel.find_element("css selector", f"[name^=pm_{field}_]")
            if element.get_attribute("value") != words:
                self._fill(element, words)
        self._click(panel.find_element("css selector", "button"))

    def tick(self, field):
        """Ticks the box of this name."""
        self._driver.find_element("css selector", f".content input[type=checkbox][name={field}]").click()
        self.clicks += 1

    def unfold(self, words):
        """Opens a part of the page that is folded."""
        summaries = self._driver.find_elements("css selector", ".content summary")
        next(each for each in summaries if words in each.text).click()
        self.clicks += 1

    def _click(self, button):
        self.run("window.before = document.querySelector('.content .paymirror')")
        button.click()
        self.clicks += 1
        for alert in self._alerts():
            alert.accept()
        self._wait("the function has answered", "return !window.before.isConnected && !document.querySelector('.widget.busy')")

    def notice(self):
        """The outcome of an order on the page; nothing, if it shows none."""
        return self.run("return document.querySelector('.pm-notice[role=status]')?.innerText || ''")

    def forge_endpoint(self, role):
        """Lets every button of the page call the function of another role."""
        self.run(
            "const arn = [...document.querySelectorAll('#role option')].find(o => o.text === arguments[0]).value;"
            "document.querySelectorAll('cwdb-action').forEach(a => a.setAttribute('endpoint', arn));", role)

    def _buttons(self, label, about=""):
        return self._labelled(self._driver.find_elements("css selector", ".content button"), label, about)

    @staticmethod
    def _labelled(elements, label, about):
        return [each for each in elements if each.text == label and about in (each.get_attribute("aria-label") or about)]

    def _alerts(self):
        try:
            return [self._driver.switch_to.alert]
        except NoAlertPresentException:
            return []

    def _wait(self, what, script, *arguments):
        wait = WebDriverWait(self._driver, SECONDS_MAX, poll_frequency=0.05)
        wait.until(lambda driver: driver.execute_script(script, *arguments), f"not within {SECONDS_MAX} s: {what}")
