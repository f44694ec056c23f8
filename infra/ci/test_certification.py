"""Points of Xero's certification that are seen in files: names, the portal's fields, and what SECURITY.md promises."""

import re
import unittest

import sam_template
from sam_template import ROOT

# Artwork of Xero would have such a name.
ARTWORK = (".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp")
# The fields of the portal, and where the stack has them.
PORTAL = "## In Xero's developer portal"


def templates():
    return [path for folder in ("connect", "console") for path in (ROOT / "functions" / folder / "templates").glob("*.html")]


def names(template):
    """Every name that something deployed has of its own, with the secrets left out, whose keys are Xero's."""
    for logical, resource in template["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if key in ("DashboardName", "FunctionName", "ManagedPolicyName", "QueueName", "RoleName", "TableName", "TopicName"):
                yield logical, str(sam_template.one_name(value))


class Names(unittest.TestCase):
    """XC-24"""

    def test_nothing_of_ours_is_called_xero(self):
        # XC-24
        template = sam_template.load()
        for logical, name in names(template):
            with self.subTest(logical):
                self.assertNotIn("xero", name.lower())
        self.assertFalse(template["Description"].lower().startswith("xero"))
        self.assertNotIn("xero", (ROOT / "infra/samconfig.toml").read_text(encoding="utf-8").lower())
        self.assertRegex((ROOT / "README.md").read_text(encoding="utf-8"), "^# Paymirror\n")

    def test_no_page_has_a_title_that_begins_with_the_name_of_xero(self):
        # XC-24
        for path in templates():
            text = path.read_text(encoding="utf-8")
            for title in re.findall(r"<(?:title|h1|h2)[^>]*>([^<]*)<", text):
                with self.subTest(path.name):
                    self.assertFalse(title.strip().lower().startswith("xero"), title)

    def test_buttons_about_the_connection_have_the_words_that_xero_asks_for(self):
        # XC-24
        found = set()
        for path in templates():
            text = path.read_text(encoding="utf-8")
            found |= {words.strip() for words in re.findall(r"<button[^>]*>([^<]*)</button>", text) if "Xero" in words and "onnect" in words}
        commands = (ROOT / "shared/commands/src/command.rs").read_text(encoding="utf-8")
        found |= {words for words in re.findall(r'label: Some\("([^"]*)"\)', commands) if "Xero" in words and "onnect" in words}
        self.assertEqual(found, {"Connect to Xero", "Disconnect from Xero"})

    def test_no_artwork_of_xero_is_used(self):
        # XC-24
        tracked = [path for folder in ("functions", "shared", "infra") for path in (ROOT / folder).rglob("*") if path.suffix in ARTWORK]
        self.assertEqual([path for path in tracked if "xero" in path.name.lower()], [])


class Portal(unittest.TestCase):
    """XC-25"""

    def test_each_field_of_the_portal_is_an_output_or_a_parameter(self):
        # XC-25
        readme = (ROOT / "functions/connect/README.md").read_text(encoding="utf-8")
        table = readme.partition(PORTAL)[2]
        rows = dict(re.findall(r"^\| ([^|]+?) \| `(\w+)` \|$", table, flags=re.MULTILINE))
        self.assertEqual(set(rows), {"redirect URI", "launcher URL", "webhook delivery URL", "privacy policy", "terms of use",
                                     "support e-mail"})
        template = sam_template.load()
        for field, name in rows.items():
            with self.subTest(field):
                self.assertIn(name, template["Outputs"].keys() | template["Parameters"].keys())

    def test_the_dashboards_say_who_helps_and_what_becomes_of_data(self):
        # XC-25
        template = sam_template.load()
        for name, dashboard in sam_template.resources(template, "AWS::CloudWatch::Dashboard").items():
            text = dashboard["DashboardBody"]["Fn::Sub"]
            for parameter in ("PrivacyUrl", "TermsUrl", "SupportMail"):
                with self.subTest(name, parameter=parameter):
                    self.assertIn(f"${{{parameter}}}", text)


class Promises(unittest.TestCase):
    """XC-16"""

    def test_days_to_patch_contact_and_the_front_door_are_written_down_and_advisories_block(self):
        # XC-16
        security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
        days = dict(re.findall(r"^\| (critical|high|medium|low) \| (\d+) days \|$", security, flags=re.MULTILINE))
        self.assertEqual(list(days), ["critical", "high", "medium", "low"])
        self.assertLessEqual(int(days["critical"]), int(days["high"]))
        self.assertIn("api@support.xero.com", security)
        self.assertIn("private security reporting", security)
        self.assertIn("cargo deny", (ROOT / ".ci/run").read_text(encoding="utf-8"))
        deny = (ROOT / "deny.toml").read_text(encoding="utf-8")
        self.assertIn("[advisories]", deny)
        self.assertNotRegex(deny, r"(?m)^ignore = \[\s*[^\]\s]")
        decisions = [path for path in (ROOT / "infra/decisions").glob("*.md") if "firewall" in path.name]
        self.assertEqual(len(decisions), 1)


if __name__ == "__main__":
    unittest.main()
