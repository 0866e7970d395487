"""The text of SDO vouchers: a cursor that reads what the grammar has at a place, or rejects."""

import base64
import re

STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
NUMBER = re.compile(rb"0|[1-9][0-9]*")
BASE64 = re.compile(rb'"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"')
ONE_FORM = re.compile(r'"(?:[^"\\\[\]{}&\x00-\x1f\x7f-\U0010ffff]|\\u[0-9a-f]{4})*"')
# What is written as an escape, and the tilde, which may be.
ESCAPED = {ord(character) for character in '"\\[]{}&~'}


class Reject(Exception):
    def __init__(self, kind, entry=None):
        super().__init__(kind)
        self.kind, self.entry = kind, entry


class Text:
    """A cursor. Every method either reads what the grammar has here or rejects."""

    def __init__(self, data):
        self.data, self.at, self.entry = data, 0, None
        self.blank, self.findings = False, []
        # Rendezvous variables: name and value.
        self.settings = []

    def note(self, kind):
        self.findings.append((kind, self.entry))

    def reject(self, kind):
        raise Reject(kind, self.entry)

    def ahead(self):
        at = self.at
        while self.data[at : at + 1] in (b" ", b"\t", b"\r", b"\n"):
            at += 1
        return at

    def peek(self):
        return self.data[self.ahead() : self.ahead() + 1]

    def _begin(self):
        self.blank |= self.ahead() != self.at
        self.at = self.ahead()
        first = self.data[self.at : self.at + 1]
        if first and first not in b'{}[],:"0123456789':
            self.reject("json-text")
        return first

    def sign(self, wanted):
        """One of the six structural characters."""
        found = self._begin()
        if found == b'"' and wanted != b'"':
            self._scan()
        elif found and found in b"0123456789":
            self._digits()
        if found != wanted:
            self.reject("wrong-type" if found else "truncated")
        self.at += 1

    def _digits(self):
        matched = NUMBER.match(self.data, self.at)
        after = self.data[matched.end() : matched.end() + 1]
        if after and after in b"0123456789.eE" or int(matched[0]) >= 1 << 64:
            self.reject("json-text")
        return matched

    def number(self, bits):
        found = self._begin()
        if not found or found not in b"0123456789":
            if found == b'"':
                self._scan()
            self.reject("wrong-type" if found else "truncated")
        matched = self._digits()
        if int(matched[0]) >= 1 << bits:
            self.reject("json-text")
        self.at = matched.end()
        return int(matched[0])

    def _scan(self):
        """The end of the string here."""
        matched = STRING.match(self.data, self.at)
        if not matched:
            self._why_no_string()
        try:
            text = matched[0].decode()
        except UnicodeDecodeError:
            self.reject("json-text")
        units = re.sub(r'\\u([0-9a-fA-F]{4})|\\(.)', lambda m: chr(int(m[1], 16)) if m[1] else "x", text)
        try:
            units.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.reject("json-text")
        return matched

    def _why_no_string(self):
        """Cut off, or something that no string has."""
        at = self.at + 1
        while at < len(self.data):
            byte = self.data[at]
            if byte < 0x20:
                self.reject("json-text")
            if byte == 0x5C:
                rest = self.data[at + 1 : at + 6]
                if rest[:1] == b"u":
                    if len(rest) < 5:
                        self.reject("truncated")
                    if not re.fullmatch(rb"u[0-9a-fA-F]{4}", rest):
                        self.reject("json-text")
                    at += 4
                elif rest and rest[:1] not in b'"\\/bfnrt':
                    self.reject("json-text")
                at += 1
            at += 1
        self.reject("truncated")

    def raw(self):
        """The string that is here, with its marks."""
        found = self._begin()
        if found != b'"':
            if found and found in b"0123456789":
                self._digits()
            self.reject("wrong-type" if found else "truncated")
        matched = self._scan()
        self.at = matched.end()
        return matched[0]

    def string(self):
        """The range of a string of text, and what it says."""
        start = self.ahead()
        raw = self.raw()
        if len(raw) > 65536:
            self.reject("limit-input")
        if not in_one_form(raw.decode()):
            self.note("sdo-string")
        return (start, self.at), meaning(raw.decode())

    def base64(self):
        raw = self.raw()
        if b"\\" in raw:
            self.reject("json-text")
        if len(raw) - 2 > 87384:
            self.reject("limit-input")
        if not BASE64.fullmatch(raw):
            self.reject("json-text")
        decoded = base64.b64decode(raw[1:-1])
        if base64.b64encode(decoded) != raw[1:-1]:
            self.reject("json-text")
        return decoded

    def sized(self, stated):
        decoded = self.base64()
        if len(decoded) != stated:
            self.reject("length-word")
        return decoded

    def bytes(self):
        """length, base64"""
        stated = self.number(16)
        self.sign(b",")
        return self.sized(stated)

    def next_name(self, first):
        """The name of the next member, or None at the end."""
        if self.peek() == b"}":
            self.sign(b"}")
            return None
        if not first:
            self.sign(b",")
        raw = self.raw()
        if b"\\" in raw or not in_one_form(raw.decode()):
            self.reject("member")
        self.sign(b":")
        return raw[1:-1].decode()

    def member(self, name, first=False):
        if self.next_name(first) != name:
            self.reject("member")

    def close(self):
        if self.next_name(False) is not None:
            self.reject("member")

    def more(self, first):
        if self.peek() == b"]":
            self.sign(b"]")
            return False
        if not first:
            self.sign(b",")
        return True

    def skip(self, depth=0):
        """Any value, at most eight levels deep."""
        start = self.ahead()
        first = self.peek()
        if first in (b"[", b"{") and first:
            if depth == 8:
                self.reject("limit-depth")
            self.sign(first)
            empty = True
            while self.more(empty) if first == b"[" else self.next_name(empty) is not None:
                self.skip(depth + 1)
                empty = False
        elif first == b'"':
            self.raw()
        elif first and first in b"0123456789":
            self.number(64)
        else:
            self._begin()
            self.reject("wrong-type" if first else "truncated")
        return start, self.at


def in_one_form(text):
    """Whether a string is written in the one form that the format has."""
    if not ONE_FORM.fullmatch(text):
        return False
    units = [int(digits, 16) for digits in re.findall(r"\\u([0-9a-f]{4})", text)]
    return all(unit in ESCAPED or not 0x20 <= unit <= 0x7E for unit in units)


def meaning(text):
    """What a string says."""
    short = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
    units = re.sub(
        r"\\u([0-9a-fA-F]{4})|\\(.)",
        lambda m: chr(int(m[1], 16)) if m[1] else short.get(m[2], m[2]),
        text[1:-1],
    )
    return units.encode("utf-16", "surrogatepass").decode("utf-16")
