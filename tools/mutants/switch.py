"""Makes mutants of Rust source that are switched on one at a time, by number, in one and the same build.

Each place becomes an `if` that asks for numbers: `a == b` becomes
`(if crate::mutant(7) { false } else if crate::mutant(8) { a != b } else { a == b })`.
"""

import re
from dataclasses import dataclass, field

from rust import ASSIGN, CLOSE, COMPARE, KEYWORDS, LOGIC, OPEN, Source

OTHER = {
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">"),
    "<=": ("<", ">"),
    ">": (">=", "<"),
    ">=": (">", "<"),
    "&&": ("||",),
    "||": ("&&",),
}
# How a number that is compared with can move so that it is not the change of operator over again.
STEPS = {"==": (1, -1), "!=": (1, -1), "<": (-1,), "<=": (1,), ">": (1,), ">=": (-1,)}
# What a function can give without doing its work.
RESULTS = {
    r"Result<\(\)(, .*)?>": ("Ok(())",),
    r"Result<bool(, .*)?>": ("Ok(true)", "Ok(false)"),
    r"Result<Option<.*>(, .*)?>": ("Ok(None)",),
    r"Option<.*>": ("None",),
    r"bool": ("true", "false"),
}
# Statements that are there for people, or for the optimiser.
WITHOUT_EFFECT = re.compile(r"debug_assert|[\w.]+\.reserve")

SWITCH = """
/// Whether the mutant of this number is switched on.
pub(crate) fn mutant(number: u32) -> bool {
    extern crate std;
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let read = || std::env::var("OV_MUTANT").ok().and_then(|on| on.parse().ok());
    *ON.get_or_init(|| read().unwrap_or(0)) == number
}
"""


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, and what becomes of the text there."""

    file: str
    function: str
    before: str
    after: str
    line: int
    copy: int = 1

    @property
    def name(self):
        """What stays the same when lines move."""
        again = f" (#{self.copy})" if self.copy > 1 else ""
        return f"{self.file}: {self.function}: `{self.before}` -> {self.after}{again}"


@dataclass
class Place:
    """The tokens `first..end` and what may stand there instead."""

    first: int
    end: int
    kind: str
    function: str
    others: list = field(default_factory=list)

    def add(self, what, text):
        if all(text != known for _, known in self.others):
            self.others.append((what, text))


class Finder:
    """Finds the places of one file in which something can be changed."""

    def __init__(self, source, frozen, unit_calls):
        self.source, self.frozen, self.unit_calls = source, frozen, unit_calls
        self.places = {}
        self.function = ""
        # `&&` between the parts of `if let … && …`, which is no operator.
        self.chained = set()

    def run(self):
        for function in self.source.functions:
            # Text for people, what has to stay `const`, and what is not compiled.
            still = function.const and function.name in self.frozen
            if not (function.name == "fmt" or still or function.body[0] - 1 in self.source.absent):
                self.function = function.name
                self._body(function)
        order = lambda place: (place.first, place.kind != "entry", -place.end)
        return sorted(self.places.values(), key=order)

    def _place(self, first, end, kind):
        key = (first, end, kind == "entry")
        return self.places.setdefault(key, Place(first, end, kind, self.function))

    def _body(self, function):
        source, (first, end) = self.source, function.body
        present = [at for at in range(first, end) if at not in source.absent]
        for at in present:
            if source.tokens[at] in ("if", "while"):
                self._condition(at)
        asserted = [range(at, source.partner[at + 2]) for at in present if source.tokens[at] == "debug_assert"]
        for at in present:
            if at not in self.chained and source.tokens[at] in LOGIC + COMPARE and source.spaced(at):
                if not any(at in one for one in asserted):
                    self._value(at)
        for at in present:
            if source.tokens[at - 1] in ("{", "}", ";") or at - 1 in source.attributes:
                self._statement(at, end)
            elif source.tokens[at - 1] == "=>":
                self._arm(at)
        # Where the result is one expression, its mutants are those of the function.
        if first == end or (first, end, False) in self.places:
            return
        for pattern, results in RESULTS.items():
            if re.fullmatch(pattern, function.result):
                place = self._place(first, first, "entry")
                for result in results:
                    if result != source.piece(first, end):
                        place.add(result, f"return {result};")
                break

    def _top(self, first, end):
        """The tokens of `first..end` that stand in no brackets of their own."""
        at = first
        while at < end:
            yield at
            at = self.source.partner[at] + 1 if self.source.tokens[at] in OPEN else at + 1

    def _condition(self, at):
        source, end = self.source, at + 1
        while source.tokens[end] not in ("{", "=>", *CLOSE):
            end = source.partner[end] + 1 if source.tokens[end] in OPEN else end + 1
        parts = [at + 1]
        if any(source.tokens[one] == "let" for one in self._top(at + 1, end)):
            links = [one for one in self._top(at + 1, end) if source.tokens[one] == "&&"]
            self.chained |= set(links)
            parts += [one + 1 for one in links]
            for first, last in zip(parts, [*links, end], strict=True):
                if source.tokens[first] != "let":
                    self._truth(first, last, ("true", "false"))
        else:
            self._truth(at + 1, end, ("false",) if source.tokens[at] == "while" else ("true", "false"))

    def _value(self, at):
        """The expression around an operator."""
        source, tokens = self.source, self.source.tokens
        first, end = at, at + 1
        while True:
            token = tokens[first - 1]
            if token in (")", "]") and first - 1 not in source.walls:
                first = source.partner[first - 1]
            elif token in (*OPEN, *CLOSE, ",", ";", ":", "=>", *ASSIGN, *KEYWORDS) or first - 1 in source.walls:
                break
            elif first - 1 in self.chained:
                break
            else:
                first -= 1
        while not (tokens[end] in (*CLOSE, "{", ",", ";", "=>", *ASSIGN, *KEYWORDS) or end in self.chained):
            end = source.partner[end] + 1 if tokens[end] in OPEN else end + 1
        # An operator at an end: the expression goes on in a way that is not understood.
        if first < at < end - 1:
            self._truth(first, end, ("true", "false"))

    def _truth(self, first, end, constants):
        """An expression that is true or false, and its parts."""
        source = self.source
        while source.tokens[first] == "(" and source.partner[first] == end - 1:
            first, end = first + 1, end - 1
        place = self._place(first, end, "value")
        for constant in constants:
            place.add(constant, constant)
        operators = []
        for wanted in (("||",), ("&&",), COMPARE):
            top = list(self._top(first, end))
            operators = [at for at in top if source.tokens[at] in wanted and source.spaced(at)]
            if operators:
                break
        for at in operators:
            for other in OTHER[source.tokens[at]]:
                place.add(f"{source.tokens[at]} to {other}", self._with(place, at, other))
        if operators and source.tokens[operators[0]] in LOGIC:
            part = "true" if source.tokens[operators[0]] == "&&" else "false"
            for start, stop in zip([first, *(at + 1 for at in operators)], [*operators, end], strict=True):
                self._truth(start, stop, (part,))
        for at in operators:
            if source.tokens[at] in COMPARE:
                self._steps(place, at)

    def _steps(self, place, at):
        source = self.source
        for number, beyond in ((at + 1, at + 2), (at - 1, at - 2)):
            token = source.tokens[number]
            if beyond == place.end or beyond == place.first - 1:
                if re.fullmatch(r"0x[0-9a-f]+|\d+", token):
                    for step in STEPS[source.tokens[at]]:
                        if (moved := int(token, 0) + step) >= 0:
                            place.add(f"{token} to {moved}", self._with(place, number, str(moved)))

    def _with(self, place, at, token):
        """The text of a place with one token changed."""
        before, after = self.source.piece(place.first, at), self.source.piece(at + 1, place.end)
        return f"{before} {token} {after}"

    def _statement(self, at, end):
        """A call that stands by itself."""
        source, tokens = self.source, self.source.tokens
        if not source.words[at] or tokens[at] in KEYWORDS:
            return
        stop = at
        while stop < end and tokens[stop] not in (";", ",", "{", "}", ":", "=>", *ASSIGN):
            stop = source.partner[stop] + 1 if tokens[stop] in OPEN else stop + 1
        if stop < end and tokens[stop] == ";" and tokens[stop - 1] in (")", "?"):
            if not WITHOUT_EFFECT.match(source.piece(at, stop)):
                self._place(at, stop + 1, "statement").add("left out", "")

    def _arm(self, at):
        """An arm of a `match` that does nothing but call what gives nothing."""
        source, tokens = self.source, self.source.tokens
        stop = at
        while tokens[stop] not in (",", "}", "{", *ASSIGN):
            stop = source.partner[stop] + 1 if tokens[stop] in OPEN else stop + 1
        fails = tokens[stop - 1] == "?"
        last = stop - 2 if fails else stop - 1
        if tokens[stop] == "," and tokens[last] == ")":
            if tokens[source.partner[last] - 1] in self.unit_calls[fails]:
                self._place(at, stop, "arm").add("left out", "")


def render(source, places, number):
    """The text with all mutants of `places` in it; `number` gives the number of a place's next mutant."""

    def write(at, end, rest):
        """Characters `at..end`, in which the places `rest` lie."""
        written = []
        while rest:
            place = rest.pop(0)
            start = source.starts[place.first]
            stop = source.ends[place.end - 1] if place.end > place.first else start
            inside = [other for other in rest if place.first <= other.first and other.end <= place.end]
            if place.kind == "entry":
                inside = []
            del rest[: len(inside)]
            written.append(source.text[at:start])
            at = stop
            ways = [(f"crate::mutant({number(place, what)})", text) for what, text in place.others]
            if place.kind == "entry":
                written += [f"if {on} {{ {text} }}\n" for on, text in ways]
                continue
            inner = write(start, stop, inside)
            if place.kind == "value":
                arms = "".join(f"if {on} {{ {text} }} else " for on, text in ways)
                written.append(f"({arms}{{ {inner} }})")
            else:
                semicolon = ";" if place.kind == "arm" else ""
                written.append(f"{{ if !{ways[0][0]} {{ {inner}{semicolon} }} }}")
        written.append(source.text[at:end])
        return "".join(written)

    return write(0, len(source.text), list(places))


def frozen_names(texts):
    """The names of functions that something calls which is made at compile time."""
    calls = lambda text: set(re.findall(r"\b([a-z_]\w*)\(", text))
    frozen, bodies = set(), {}
    for text in texts:
        source = Source(text)
        for at, token in enumerate(source.tokens[:-2]):
            generic = source.tokens[at - 1] in ("<", ",")
            if token in ("const", "static") and source.tokens[at + 2] == ":" and not generic:
                stop = at
                while source.tokens[stop] != ";":
                    stop = source.partner[stop] + 1 if source.tokens[stop] in OPEN else stop + 1
                frozen |= calls(source.piece(at, stop))
        for function in source.functions:
            if function.const:
                bodies.setdefault(function.name, set()).update(calls(source.piece(*function.body)))
    grown = set()
    while grown != frozen:
        grown = set(frozen)
        frozen |= {call for name in grown for call in bodies.get(name, ())}
    return frozen


def unit_calls(texts):
    """The names of functions that give nothing, and of those that give only whether they failed."""
    nothing, outcome, rest = set(), set(), set()
    for text in texts:
        for function in Source(text).functions:
            if function.result in ("", "()"):
                nothing.add(function.name)
            elif re.fullmatch(r"Result<\(\)(, .*)?>", function.result):
                outcome.add(function.name)
            else:
                rest.add((function.name, "Result<" in function.result))
    names = {name for name, _ in rest}
    return nothing - outcome - names, outcome - {name for name, fails in rest if fails}


def thaw(source, frozen):
    """The text without `const` before functions that can do without, so that they can ask for a number."""
    text = source.text
    for function in reversed(source.functions):
        if function.const and function.name not in frozen:
            at = source.starts[function.const]
            text = text[:at] + " " * len("const") + text[at + len("const") :]
    return text


def split_tests(text):
    """The source, and the unit tests at its end."""
    at = text.find("#[cfg(test)]\nmod tests {")
    return (text, "") if at < 0 else (text[:at], text[at:])
