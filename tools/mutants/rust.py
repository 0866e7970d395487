"""Reads Rust source far enough to tell functions, conditions, comparisons and statements apart.

It is no parser of all of Rust: it knows source as rustfmt leaves it, with spaces around binary operators.
"""

import re

TOKEN = re.compile(
    r"""
      (?P<blank>\s+ | //[^\n]* | /\*.*?\*/)
    | (?P<text>b?r(?P<fence>\#*)".*?"(?P=fence) | b?"(?:\\.|[^"\\])*" | b?'(?:\\[^']*|[^'\\])')
    | (?P<lifetime>'\w+)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>\d\w*)
    | (?P<sign><<=|>>=|\.\.\.|\.\.=|==|!=|<=|>=|&&|\|\||=>|->|::|\.\.|<<|>>|[-+*/%^&|]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPEN, CLOSE = "([{", ")]}"
LOGIC = ("||", "&&")
COMPARE = ("==", "!=", "<", "<=", ">", ">=")
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<=", ">>=")
KEYWORDS = ("if", "while", "match", "return", "else", "let", "in", "break", "for", "loop", "move", "unsafe")
# What may stand before the `|` that starts a closure.
BEFORE_CLOSURE = ("(", ",", "=", "=>", "{", "}", ";", "move", "return")


class Function:
    """A function with a body: its name, what it returns, and the tokens of its body."""

    def __init__(self, name, result, const, body):
        self.name, self.result, self.const, self.body = name, result, const, body


class Source:
    """The tokens of one file. Positions are numbers of tokens unless said otherwise."""

    def __init__(self, text):
        self.text = text
        found = [match for match in TOKEN.finditer(text) if match["blank"] is None]
        self.tokens = [match.group() for match in found]
        self.words = [match["word"] is not None for match in found]
        self.starts = [match.start() for match in found]
        self.ends = [match.end() for match in found]
        self.partner = self._partners()
        self.attributes = self._attributes()
        self.functions = list(self._functions())
        self.walls = self._closures() | self.attributes
        self.absent = set(self._absent())

    def __len__(self):
        return len(self.tokens)

    def piece(self, first, end):
        """The text of the tokens `first..end`, comments between them included."""
        return self.text[self.starts[first] : self.ends[end - 1]] if first < end else ""

    def _partners(self):
        partner, open_ones = {}, []
        for number, token in enumerate(self.tokens):
            if token in OPEN:
                open_ones.append(number)
            elif token in CLOSE:
                start = open_ones.pop()
                partner[start], partner[number] = number, start
        assert not open_ones
        return partner

    def _attributes(self):
        """The last tokens of attributes."""
        ends = set()
        for number, token in enumerate(self.tokens[:-2]):
            if token == "#":
                start = number + 2 if self.tokens[number + 1] == "!" else number + 1
                if self.tokens[start] == "[":
                    ends.add(self.partner[start])
        return ends

    def _absent(self):
        """The tokens of what is only compiled without some feature."""
        for end in self.attributes:
            if self.tokens[self.partner[end] + 1 : self.partner[end] + 4] == ["cfg", "(", "not"]:
                at, stops = end + 1, [";", "{", "}", ","]
                while self.tokens[at] not in stops:
                    # What a function gives may have a comma in it.
                    stops = stops[:3] if self.tokens[at] == "fn" else stops
                    at = self.partner[at] + 1 if self.tokens[at] in OPEN else at + 1
                yield from range(end, self.partner[at] if self.tokens[at] == "{" else at)

    def _functions(self):
        tokens = self.tokens
        for number, token in enumerate(tokens):
            if token != "fn" or not self.words[number + 1]:
                continue
            at = number + 2
            if tokens[at] == "<":
                depth = 0
                while True:
                    depth += {"<": 1, ">": -1, ">>": -2}.get(tokens[at], 0)
                    at += 1
                    if depth == 0:
                        break
            at = self.partner[at] + 1
            result = at
            while tokens[at] not in ("{", ";", "where"):
                at = self.partner[at] + 1 if tokens[at] in OPEN else at + 1
            returned = " ".join(self.piece(result, at).removeprefix("->").split())
            while tokens[at] not in ("{", ";"):
                at = self.partner[at] + 1 if tokens[at] in OPEN else at + 1
            if tokens[at] == "{":
                const = number - 1 if tokens[number - 1] == "const" else None
                yield Function(tokens[number + 1], returned, const, (at + 1, self.partner[at]))

    def _closures(self):
        """The last tokens of the heads of closures."""
        ends, number = set(), 1
        while number < len(self):
            token = self.tokens[number]
            if token in ("|", "||") and self.tokens[number - 1] in BEFORE_CLOSURE:
                if token == "|":
                    number += 1
                    while self.tokens[number] != "|":
                        number = self.partner[number] + 1 if self.tokens[number] in OPEN else number + 1
                ends.add(number)
            number += 1
        return ends

    def spaced(self, number):
        """Whether there is white space on both sides of a token."""
        before, after = self.starts[number] - 1, self.ends[number]
        return self.text[before].isspace() and self.text[after : after + 1].isspace()
