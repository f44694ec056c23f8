"""The words of a query of Logs Insights: see `insights`."""

import re

TOKEN = re.compile(
    r"\s*(?:(?P<quoted>`[^`]+`)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<regex>/(?:[^/\\]|\\.)+/)|(?P<number>\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<name>[@A-Za-z_][\w.@]*)|(?P<span>\d+[smhd])|(?P<sign>!=|<=|>=|[=<>()\[\],+*-]))"
)
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class QueryError(Exception):
    """The query says something that is not known here."""


class Tokens:
    """The rest of a command."""

    def __init__(self, text):
        self.all, at = [], 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                raise QueryError(f"cannot read {text[at:]!r}")
            self.all.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()

    def peek(self):
        return self.all[0] if self.all else (None, None)

    def take(self):
        if not self.all:
            raise QueryError("it ends too early")
        return self.all.pop(0)

    def skip(self, *words):
        """Whether the next one is one of these words, which is then gone."""
        if self.peek()[1] is not None and self.peek()[1].lower() in words:
            return self.take()[1].lower()
        return None

    def want(self, word):
        if not self.skip(word):
            raise QueryError(f"wants {word!r} instead of {self.peek()[1]!r}")


def names_in(query):
    """Every field that a query reads, without those that it makes itself."""
    made = set(re.findall(r"\bas (\w+)", query))
    known = {"fields", "display", "filter", "stats", "sort", "limit", "by", "as", "and", "or", "not", "in", "like", "asc",
             "desc", "count", "sum", "max", "min", "avg", "pct", "bin", "ispresent"}
    found = set()
    for line in query.splitlines():
        if line.strip().startswith("#"):
            continue
        for kind, word in Tokens(line.replace("|", " ")).all:
            if kind == "quoted" or kind == "name" and word not in known:
                found.add(word.strip("`"))
    return found - made
