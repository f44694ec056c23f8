"""The fields that a query of CloudWatch Logs Insights names."""

import re

COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
# Texts and patterns, which hold no field; then a field in backticks, or a bare word that is no number or span.
TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|(?<=like )/(?:[^/\\]|\\.)+/|(?P<quoted>`[^`]+`)|(?P<bare>(?<![\w.])[@A-Za-z_][\w.@]*)")
WORDS = set("fields display filter stats sort limit by as and or not in like asc desc count sum max min avg pct bin "
            "ispresent".split())


def _names(query, kind):
    """The names of one kind, without those that the query makes itself."""
    query = COMMENT.sub("", query)
    made = set(re.findall(r"\bas (\w+)", query))
    return {match[kind].strip("`") for match in TOKEN.finditer(query) if match[kind]} - WORDS - made


def names_in(query):
    """Every field that a query reads."""
    return _names(query, "quoted") | _names(query, "bare")


def bare_names_with_dots(query):
    """The names with a dot that are not in backticks, which Insights reads as paths into an object."""
    return {name for name in _names(query, "bare") if "." in name}
