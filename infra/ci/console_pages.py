"""The pages of the operators' console, read from their registry in functions/console/src/pages/mod.rs."""

import re
from dataclasses import dataclass

from sam_template import ROOT

REGISTRY = ROOT / "functions/console/src/pages/mod.rs"
# From the least to the most: each may see what the one before it may.
ROLES = ("viewer", "operator", "admin")
_WORDS = {"Viewer": "viewer", "Operator": "operator", "Admin": "admin"}


@dataclass(frozen=True)
class Page:
    """A page: its name in a widget's parameters, what stands above it, and the least role that may see it."""

    code: str
    title: str
    least_role: str

    def is_seen_by(self, role):
        return ROLES.index(role) >= ROLES.index(self.least_role)


def pages(text=None):
    """Every page, in the order in which the console offers them."""
    text = REGISTRY.read_text(encoding="utf-8") if text is None else text
    names = re.findall(r"Self::(\w+)", _between(text, "pub const ALL", "];"))
    codes, titles = _arms(text, "code", r'"([^"]+)"'), _arms(text, "title", r'"([^"]+)"')
    roles = _arms(text, "least_role", r"Role::(\w+)")
    return [Page(codes[name], titles[name], _WORDS[roles.get(name) or roles["_"]]) for name in names]


def _arms(text, function, value):
    """What each arm of a function's `match` gives."""
    body = _between(text, f"pub const fn {function}(self)", "\n    }\n")
    found = {}
    for patterns, given in re.findall(rf"((?:Self::\w+|_|\s|\|)+?)\s*=>\s*(?:\{{\s*)?{value}", body):
        for name in patterns.split("|"):
            found[name.strip().removeprefix("Self::")] = given
    return found


def _between(text, begin, end):
    return text.split(begin, 1)[1].split(end, 1)[0]
