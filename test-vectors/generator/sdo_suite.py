"""Collects cases about vouchers of SDO."""

import hashlib
import json
import pathlib

from checker.sdo import unnoticed
from checker.sdo_privacy import disclosures

from . import keys
from .sdo_voucher import GUID, Built


class Suite:
    """The cases of one module."""

    def __init__(self, source):
        self.source = f"generator/{pathlib.Path(source).name}"
        self.cases = []

    def _case(self, name, description, text, options, expect):
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        try:
            stored = {"text": data.decode()}
        except UnicodeDecodeError:
            stored = {"hex": data.hex()}
        if len(data) > 200_000:
            # A long text of one repeated part.
            stored = {"repeated": text_of_runs(data)}
        case = {"name": name, "description": description, "source": self.source}
        self.cases.append({**case, **stored, "options": options, "expect": expect})

    def valid(self, name, description, draft, findings=(), proved=None, flips=False, **options):
        """`findings` are (kind, entry); `proved` is what is more than entries and chain-hash. With `flips`
        the second verifier counts the bytes whose lowest bit may be flipped."""
        built = Built(draft)
        owner = draft.hops[-1].owner if draft.hops else draft.maker
        entries = len(draft.hops)
        facts = {"entries": bool(entries), "chain-hash": draft.chain != [] or bool(draft.dc)}
        order = ("entries", "chain-hash", "device-path", "hmac", "manufacturer", "owner")
        facts |= dict.fromkeys(proved or (), True)
        found = [[kind, entry] for kind, entry in findings]
        found += [["no-entries", None]] if not entries else []
        expect = {
            "verdict": "verified",
            "guid": options.pop("guid", GUID).hex(),
            "entries": entries,
            "owner": hashlib.sha256(keys.get(owner).spki()).hexdigest(),
            "proved": [name for name in order if facts.get(name)],
            "findings": sorted(found, key=str),
        }
        if flips:
            expect["flips"] = unnoticed(built.text.encode())
        if entries < 4 and len(built.text) < 20_000:
            expect["disclosures"] = disclosures(built.text.encode())
        self._case(name, description, built.text, options, expect)

    def invalid(self, name, description, draft, kind, entry=None, discloses=False, **options):
        text = draft if isinstance(draft, (str, bytes)) else Built(draft).text
        expect = {"verdict": "rejected", "kind": kind, "entry": entry}
        if discloses:
            expect["disclosures"] = disclosures(text.encode())
        self._case(name, description, text, options, expect)

    def files(self):
        named = [(f"{case['name']}.json", case) for case in self.cases]
        assert len(dict(named)) == len(named), self.source
        return {name: (json.dumps(case, indent=1) + "\n").encode() for name, case in named}


def text_of_runs(data):
    """[[text, times], …] of a text in which one character is repeated very often."""
    middle = max(range(256), key=lambda byte: data.count(byte))
    start = data.index(bytes([middle]) * 64)
    end = start
    while end < len(data) and data[end] == middle:
        end += 1
    runs = [(data[:start], 1), (bytes([middle]), end - start), (data[end:], 1)]
    return [[part.decode(), times] for part, times in runs]
