"""CloudWatch's rules for metric filters on JSON lines, as far as the stack's patterns need them.

A pattern is `{ ... }` around comparisons of a property (`$.name.name`) with a number or a quoted string, joined by `&&`
(which binds closer) and `||`, with parentheses. A line that is no JSON object matches nothing, nor does a comparison
with a property that is missing or of another type. A text may hold `*` for any characters. Whatever else CloudWatch
knows is refused here, so that a pattern is never judged by half.
"""

import json
import operator
import re

TOKEN = re.compile(r"""\s*(?:(?P<property>\$(?:\.\w+)+)|(?P<text>"[^"]*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
                       |(?P<sign>&&|\|\||!=|<=|>=|[=<>(){}]))""", re.VERBOSE)
COMPARE = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def json_object(line):
    """The object that a line is, or None."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def select(selector, event):
    """The value of a property, or None."""
    for name in selector.split(".")[1:]:
        event = event.get(name) if isinstance(event, dict) else None
    return event


def number(value):
    """A number that a metric or a comparison can take, or None."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def tokens(pattern):
    found, at = [], 0
    pattern = pattern.strip()
    while at < len(pattern):
        match = TOKEN.match(pattern, at)
        if not match:
            raise ValueError(f"{pattern!r}: what follows character {at} is not among the rules that are known here")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class Pattern:
    """A pattern that has been read."""

    def __init__(self, pattern):
        self.tokens = tokens(pattern)
        self.take("{")
        self.condition = self.either()
        self.take("}")
        if self.tokens:
            raise ValueError(f"{pattern!r}: goes on after the last brace")

    def take(self, *signs):
        kind, text = self.tokens.pop(0) if self.tokens else ("end", "the end")
        if kind not in signs and text not in signs:
            raise ValueError(f"expected {' or '.join(signs)}, found {text}")
        return text

    def next_is(self, sign):
        return bool(self.tokens) and self.tokens[0] == ("sign", sign)

    def either(self):
        parts = [self.both()]
        while self.next_is("||"):
            self.take("||")
            parts.append(self.both())
        return lambda event: any(part(event) for part in parts)

    def both(self):
        parts = [self.single()]
        while self.next_is("&&"):
            self.take("&&")
            parts.append(self.single())
        return lambda event: all(part(event) for part in parts)

    def single(self):
        if self.next_is("("):
            self.take("(")
            inner = self.either()
            self.take(")")
            return inner
        selector, sign = self.take("property"), self.take(*COMPARE)
        if self.tokens and self.tokens[0][0] == "text":
            if sign not in ("=", "!="):
                raise ValueError(f"a text is compared by = and !=, not by {sign}")
            parts = self.take("text")[1:-1].split("*")
            wanted = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)

            def same(event):
                value = select(selector, event)
                return isinstance(value, str) and (wanted.fullmatch(value) is not None) == (sign == "=")

            return same
        bound = float(self.take("number"))

        def holds(event):
            value = number(select(selector, event))
            return value is not None and COMPARE[sign](value, bound)

        return holds

    def matches(self, line):
        event = json_object(line)
        return event is not None and self.condition(event)


def observation(definition, line):
    """The (metric, dimensions, value) that a filter, as the API describes it, publishes for a line, or None."""
    if not Pattern(definition["filterPattern"]).matches(line):
        return None
    event, [metric] = json_object(line), definition["metricTransformations"]
    value = number(select(metric["metricValue"], event))
    if value is None:
        return None
    dimensions = {key: select(selector, event) for key, selector in metric.get("dimensions", {}).items()}
    # A metric whose dimension is missing from the line is not published.
    return None if None in dimensions.values() else (metric["metricName"], dimensions, value)


def self_test():
    """The evaluator on lines whose answers are known."""
    line = '{"event": "epoch", "epoch": 1, "loss": 0.5, "ok": true, "at": {"place": "us-east-2"}, "none": null}'
    cases = {
        '{ $.event = "epoch" }': True,
        '{ $.event = "epo" }': False,
        '{ $.event = "ep*h" }': True,
        '{ $.event != "start" }': True,
        "{ $.epoch > 0 }": True,
        "{ $.epoch > 1 }": False,
        "{ $.loss <= 5e-1 }": True,
        '{ $.at.place = "us-*" }': True,
        "{ $.missing != 3 }": False,
        "{ $.none = 0 }": False,
        "{ $.ok = 1 }": False,
        '{ $.epoch = "1" }': False,
        "{ ($.epoch = 2) && ($.epoch = 1) || ($.loss < 1) }": True,
        "{ ($.epoch = 2) && (($.epoch = 1) || ($.loss < 1)) }": False,
    }
    for pattern, expected in cases.items():
        assert Pattern(pattern).matches(line) == expected, pattern
        assert not Pattern(pattern).matches(line[:-1]) and not Pattern(pattern).matches(f"[{line}]"), pattern
    for pattern in ("$.epoch = 1", "{ $.epoch }", "{ $.epoch = 1 ", "{ $.epoch IS NULL }", '{ $.event < "a" }', "{ }"):
        try:
            Pattern(pattern)
        except ValueError:
            continue
        raise AssertionError(f"{pattern} is read")


self_test()
