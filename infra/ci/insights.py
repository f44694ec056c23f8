"""CloudWatch Logs Insights, as far as our saved queries use it: run over lines of logs without any account.

A query is a row of commands with `|` between them: `fields`, `filter`, `stats`, `sort`, `limit`, `display`. A word not
known here is an error, so that no query is saved that this cannot run. As in Insights, a name with a dot that is no
path into an object needs backticks.
"""

import math
import re
from datetime import UTC, datetime

from insights_tokens import SPANS, QueryError, Tokens

def flat(line):
    """A line by the names that Insights gives to its values: paths into objects, and names as they are."""
    found = {}
    for key, value in line.items():
        if isinstance(value, dict):
            found |= {f"{key}.{path}": (inner, quoted) for path, (inner, quoted) in flat(value).items()}
        else:
            found[key] = (value, "." in key)
    return found


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _name(kind, word):
    """How to look a name up in a row."""
    quoted = kind == "quoted"
    name = word.strip("`")

    def look(row):
        value, needs_quotes = row.get(name, (None, False))
        if needs_quotes and not quoted:
            raise QueryError(f"{name} needs backticks")
        return value

    look.name = name
    return look


def _value(tokens):
    kind, word = tokens.take()
    if kind in ("name", "quoted"):
        if tokens.peek()[1] == "(":
            return _call(word, tokens)
        return _name(kind, word)
    if kind == "number":
        return lambda row: float(word)
    if kind == "text":
        return lambda row: word[1:-1]
    raise QueryError(f"no value: {word!r}")


def _call(word, tokens):
    tokens.want("(")
    if word == "bin":
        kind, span = tokens.take()
        if kind != "span":
            raise QueryError("bin wants a span such as 1h")
        seconds = int(span[:-1]) * SPANS[span[-1]]
        tokens.want(")")

        def begins(row):
            at = datetime.fromisoformat(row["@timestamp"][0]).timestamp()
            return datetime.fromtimestamp(at // seconds * seconds, UTC).isoformat().replace("+00:00", "Z")

        begins.name = f"bin({span})"
        return begins
    if word == "ispresent":
        inner = _value(tokens)
        tokens.want(")")
        return lambda row: inner(row) is not None
    raise QueryError(f"no function {word}")


def _sum(tokens):
    value = _value(tokens)
    while (sign := tokens.skip("+", "-", "*")):
        value = _arithmetic(value, sign, _value(tokens))
    return value


def _arithmetic(left, sign, right):
    def result(row):
        one, other = _number(left(row)), _number(right(row))
        if one is None or other is None:
            return None
        return {"+": one + other, "-": one - other, "*": one * other}[sign]

    return result


def _comparison(tokens):
    if tokens.skip("("):
        condition = _condition(tokens)
        tokens.want(")")
        return condition
    if tokens.skip("not"):
        inner = _comparison(tokens)
        return lambda row: not inner(row)
    left = _sum(tokens)
    sign = tokens.skip("=", "!=", "<", "<=", ">", ">=", "like", "in")
    if sign is None:
        return left
    if sign == "like":
        kind, word = tokens.take()
        if kind not in ("regex", "text"):
            raise QueryError("like wants a /pattern/ or a text")
        pattern = re.compile(word[1:-1] if kind == "regex" else re.escape(word[1:-1]))
        return lambda row: left(row) is not None and bool(pattern.search(str(left(row))))
    if sign == "in":
        tokens.want("[")
        choices = [_value(tokens)({})]
        while tokens.skip(","):
            choices.append(_value(tokens)({}))
        tokens.want("]")
        return lambda row: left(row) in choices
    return _compare(left, sign, _sum(tokens))


def _compare(left, sign, right):
    signs = {"=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
             "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}

    def holds(row):
        one, other = left(row), right(row)
        if one is None or other is None:
            return False
        numbers = _number(one), _number(other)
        return signs[sign](*(numbers if None not in numbers else (str(one), str(other))))

    return holds


def _condition(tokens):
    def all_of():
        parts = [_comparison(tokens)]
        while tokens.skip("and"):
            parts.append(_comparison(tokens))
        return lambda row: all(part(row) for part in parts)

    choices = [all_of()]
    while tokens.skip("or"):
        choices.append(all_of())
    return lambda row: any(choice(row) for choice in choices)


def _found(rows, value):
    """The values that rows have, as numbers if all of them are; moments are not."""
    found = [each for row in rows if (each := value(row)) is not None]
    numbers = [_number(each) for each in found]
    return found if None in numbers else numbers


def _apply(way, value):
    def result(rows):
        found = _found(rows, value)
        return way(found) if found else None

    return result


def _percentile(share):
    return lambda found: sorted(found)[max(0, math.ceil(share / 100 * len(found)) - 1)]


WAYS = {"sum": sum, "max": max, "min": min, "avg": lambda found: sum(found) / len(found)}


def _aggregate(tokens):
    """One of `count(*)`, `sum(x)`, `max(x)`, `min(x)`, `avg(x)`, `pct(x, 95)`, with its name."""
    _, word = tokens.take()
    tokens.want("(")
    if word == "count":
        tokens.want("*")
        result, text = len, "count(*)"
    else:
        value = _value(tokens)
        text = f"{word}({getattr(value, 'name', '')})"
        if word == "pct":
            tokens.want(",")
            way = _percentile(float(tokens.take()[1]))
        elif word in WAYS:
            way = WAYS[word]
        else:
            raise QueryError(f"no aggregate {word}")
        result = _apply(way, value)
    tokens.want(")")
    return (tokens.take()[1] if tokens.skip("as") else text), result


def _named(tokens):
    """An expression with its name."""
    value = _sum(tokens)
    name = getattr(value, "name", None)
    if tokens.skip("as"):
        name = tokens.take()[1]
    if name is None:
        raise QueryError("an expression without a name")
    return name, value


def _list(tokens, one):
    found = [one(tokens)]
    while tokens.skip(","):
        found.append(one(tokens))
    return found


def _stats(tokens, rows):
    aggregates = _list(tokens, _aggregate)
    keys = _list(tokens, _named) if tokens.skip("by") else []
    groups = {}
    for row in rows:
        groups.setdefault(tuple(value(row) for _, value in keys), []).append(row)
    return [
        {name: (value, False) for (name, _), value in zip(keys, group, strict=True)}
        | {name: (result(members), False) for name, result in aggregates}
        for group, members in groups.items()
    ]


def _sorted(tokens, rows):
    value = _value(tokens)
    backwards = tokens.skip("desc", "asc") == "desc"

    def order(row):
        found = value(row)
        return (found is not None, _number(found) is not None, _number(found) or 0, str(found))

    return sorted(rows, key=order, reverse=backwards)


def run(query, lines):
    """The rows that a query gives: dictionaries from the name of a column to its value, without missing values."""
    rows, columns = [flat(line) for line in lines], None
    text = "\n".join(line for line in query.splitlines() if not line.strip().startswith("#"))
    # Each command stands on a line of its own.
    for command in re.split(r"^\s*\|", text, flags=re.MULTILINE):
        tokens = Tokens(command)
        _, word = tokens.take()
        if word in ("fields", "display"):
            named = _list(tokens, _named)
            rows = [row | {name: (value(row), row.get(name, (None, False))[1]) for name, value in named}
                    for row in rows]
            names = [name for name, _ in named]
            columns = names if word == "display" else (columns or []) + names
        elif word == "filter":
            holds = _condition(tokens)
            rows = [row for row in rows if holds(row)]
        elif word == "stats":
            rows, columns = _stats(tokens, rows), None
        elif word == "sort":
            rows = _sorted(tokens, rows)
        elif word == "limit":
            rows = rows[: int(tokens.take()[1])]
        else:
            raise QueryError(f"no command {word}")
        if tokens.all:
            raise QueryError(f"too much: {tokens.all}")
    return [
        {name: value for name, (value, _) in row.items()
         if value is not None and (columns is None or name in columns)}
        for row in rows
    ]
