"""The pages of the operators' console, and who may see them.

`facts/pages.json` lists them; a test of `console` holds it against the registry of pages.
"""

import json
from dataclasses import dataclass

from sam_template import ROOT

FACTS = ROOT / "infra/ci/facts/pages.json"
# From the least to the most: each may see what the one before it may.
ROLES = ("viewer", "operator", "admin")


@dataclass(frozen=True)
class Page:
    """A page: its name in a widget's parameters, what stands above it, and the least role that may see it."""

    code: str
    title: str
    least_role: str

    def is_seen_by(self, role):
        return ROLES.index(role) >= ROLES.index(self.least_role)


def pages():
    """Every page, in the order in which the console offers them."""
    return [Page(**page) for page in json.loads(FACTS.read_text(encoding="utf-8"))]
