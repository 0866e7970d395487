#!/usr/bin/env python3
"""Compares the crate with the independent checker of test-vectors on mutants of the valid vectors.

    .ci/differential    builds the other side and calls this
    python3 tools/differential/differential.py [--count 6000] [--seed 1] [--binary PATH] [--keep DIRECTORY]

It takes vouchers apart, changes one or two parts (entries, keys, hashes, headers, lengths, encodings,
bytes), puts them together again, in half of the cases with hashes and signatures made anew, and lets
both judge. Verdict, kind of the error, entry and departures must agree. Needs Python 3.11 and the
packages of test-vectors/requirements.txt. Ends with 1 where anything disagrees; README.md has what may.
"""

import argparse
import collections
import copy
import json
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test-vectors"))

from checker import keys as checked  # noqa: E402
from checker.cbor import Context, Reader, Reject  # noqa: E402
from checker.verdict import ALLOWANCES, check  # noqa: E402
from generator import cbor, keys  # noqa: E402

ALLOWED = sorted({allowance for allowance, _ in ALLOWANCES.values()})
POLICIES = [[], ["strict"], ALLOWED, ["legacy-untagged", "key-type-label"]]
# Two names for a refusal: one side looks at the first byte and the other reads on, or both see two
# departures at one place and name either.
ALIKE = [
    {"bad-cbor", "extra"}, {"bad-cbor", "chunked-string"}, {"truncated", "chunked-string"}, {"key-encoding", "unsupported-key-type"},
    {"deviation", "unsupported-version"},
]  # fmt: skip
FDO20_AAD = b"\x81\x6eFDO-OVEntry-v1"
HASHES = {-16: "sha256", -43: "sha384", 5: "sha256", 6: "sha384"}


def head(data, at=0):
    """(major, number or None, size of the head)."""
    major, low = data[at] >> 5, data[at] & 31
    if low < 24:
        return major, low, 1
    if low == 31:
        return major, None, 1
    width = 1 << low - 24
    return major, int.from_bytes(data[at + 1 : at + 1 + width], "big"), 1 + width


def end_of(data, at=0):
    """Where the well-formed item at `at` ends."""
    major, number, size = head(data, at)
    at += size
    if major in (2, 3) and number is not None:
        return at + number
    if major < 4 and number is not None or major == 7:
        return at
    count = {4: 1, 5: 2, 6: 1}.get(major, 1)
    left = None if number is None else count * (1 if major == 6 else number)
    while left is None and data[at] != 0xFF or left:
        at = end_of(data, at)
        left = None if left is None else left - 1
    return at + (number is None)


def items(data):
    """The items of an array, as bytes."""
    _, number, at = head(data)
    found = []
    while data[at] != 0xFF if number is None else len(found) < number:
        after = end_of(data, at)
        found.append(data[at:after])
        at = after
    return found


def content(data):
    """The content of a byte string of one piece."""
    _, number, size = head(data)
    if number is None:
        return content(data[1:])
    return data[size : size + number]


class Entry:
    def __init__(self, data):
        self.tag = b""
        if data[0] >> 5 == 6:
            size = head(data)[2]
            self.tag, data = data[:size], data[size:]
        self.protected_item, self.unprotected, payload, signature = items(data)
        self.protected = content(self.protected_item)
        self.payload, self.signature = items(content(payload)), content(signature)
        self.tail = b""
        self.alg = None


class Parts:
    """A voucher in parts."""

    def __init__(self, data):
        self.version, header, self.mac, self.chain, entries = items(data)
        self.header = items(content(header))
        self.entries = [Entry(entry) for entry in items(entries)]
        self.header_tail = self.tail = b""
        self.whole = self.list = self.wrap = None  # encoders of what is around the parts

    def bytes(self, sealed):
        """The voucher again; `sealed` makes hashes and signatures anew as far as keys are known."""
        if sealed:
            self._seal_chain()
        header = cbor.array(self.header) + self.header_tail
        before, signer = header + self.mac, self.header[4]
        info = None
        if sealed:
            try:
                info = content(self.header[1]) + content(self.header[3])
            except IndexError:
                sealed = False
        entries = []
        for entry in self.entries:
            if sealed:
                for number, message in ((0, before), (1, info)):
                    entry.payload[number] = _hash_again(entry.payload[number], message)
            payload = cbor.array(entry.payload) + entry.tail
            if sealed:
                self._sign(entry, payload, signer)
            protected = cbor.bstr(entry.protected)
            body = [protected, entry.unprotected, cbor.bstr(payload), cbor.bstr(entry.signature)]
            before = entry.tag + cbor.array(body)
            entries.append(before)
            signer = entry.payload[3] if len(entry.payload) > 3 else b""
        wrapped = (self.wrap or cbor.bstr)(header)
        listed = (self.list or cbor.array)(entries)
        return (self.whole or cbor.array)([self.version, wrapped, self.mac, self.chain, listed]) + self.tail

    def _seal_chain(self):
        try:
            chain = items(self.chain) if self.chain[0] >> 5 == 4 else [self.chain]
            self.header[5] = _hash_again(self.header[5], b"".join(map(content, chain)))
        except IndexError:
            pass

    @staticmethod
    def _sign(entry, payload, signer):
        try:
            key = PRIVATE.get(checked.PublicKey(Reader(signer, 0, len(signer), Context())).spki())
        except (Reject, ValueError):
            return
        if key is None:
            return
        natural = {"p256": -7, "p384": -35, "ed25519": -8}.get(key.kind)
        alg = natural or (-257 if key.size == 256 else -258) + (220 if signer[1:2] == b"\x06" else 0)
        if entry.alg is None:
            entry.protected = cbor.mapping([(b"\x01", cbor.integer(alg))])
        aad = FDO20_AAD if RANDOM.random() < 0.02 else b""
        message = cbor.array(
            [cbor.tstr("Signature1"), cbor.bstr(entry.protected), cbor.bstr(aad), cbor.bstr(payload)]
        )
        entry.signature = key.sign(alg, message)


def _hash_again(item, message):
    """The hash item with the digest of `message` in it, where it is one in the plain form."""
    try:
        code, value = items(item)
        value = content(value)
        number = Reader(code, 0, len(code), Context()).integer()
    except (ValueError, IndexError, Reject):
        return item
    if number not in (-16, -43) or item[0] != 0x82 or len(value) not in (32, 48):
        return item
    return cbor.array([code, cbor.bstr(checked.hashlib.new(HASHES[number], message).digest())])


# --- changes -------------------------------------------------------------------------------------

RANDOM = random.Random()
PRIVATE, POOL = {}, collections.defaultdict(list)
LABELS = [b"\x01", b"\x02", b"\x03", b"\x20", b"\x18\x01", b"\x19\x01\x02", b"\x61a", b"\x7f\x61a\xff", b"\x60"]
VALUES = [b"\x00", b"\x26", b"\x38\x22", b"\x81\x01", b"\x81\x02", b"\x80", b"\x61a", b"\xa0", b"\xf6", b"\x41\x00"]
VALUES += [b"\x5f\x41\x00\x41\x00\xff", b"\x5f\xff", b"\xf9\x3c\x00", b"\xf8\x20", b"\xf8\x1f", b"\x9f\xff", b"\xd2\x00"]
VALUES += [b"\x81" * 20 + b"\x00", b"\x62\xff\xfe", b"\xbf\x00\xff", b"\x1c", b"\x9b" + b"\xff" * 8]


def pick(*choices):
    return RANDOM.choice(choices)


def some_map():
    pairs = [(RANDOM.choice(LABELS), RANDOM.choice(VALUES)) for _ in range(RANDOM.randrange(4))]
    return pick(cbor.mapping, cbor.mapping, cbor.mapping_indefinite)(pairs)


def one_entry(parts):
    return RANDOM.choice(parts.entries) if parts.entries else None


def move_entries(parts):
    entries = parts.entries
    if not entries:
        return
    i, j = RANDOM.randrange(len(entries)), RANDOM.randrange(len(entries))
    match RANDOM.randrange(6):
        case 0:
            entries[i], entries[j] = entries[j], entries[i]
        case 1:
            entries.insert(j, RANDOM.choice(POOL["whole"])().entries[0])
        case 2:
            del entries[i]
        case 3:
            entries.reverse()
        case 4:
            del entries[i:]
        case 5:
            entries.insert(j, copy.deepcopy(entries[i]))


def change_key(parts):
    key = RANDOM.choice(POOL["key"])
    if RANDOM.random() < 0.3:
        label, encoding, body = items(key)
        match RANDOM.randrange(4):
            case 0:
                label = cbor.integer(pick(1, 5, 6, 10, 11, -7, 266, 65546, -70001, 2**32 + 10))
            case 1:
                encoding = cbor.integer(pick(0, 1, 2, 3, 4, 256))
            case 2:
                body = reencoded(body)
            case 3:
                body = damaged(body)
        key = cbor.array([label, encoding, body])
    entry = one_entry(parts)
    if entry and len(entry.payload) > 3 and RANDOM.random() < 0.7:
        entry.payload[3] = key
    else:
        parts.header[4] = key


def change_hash(parts):
    def other(item):
        code, value = items(item)
        value = content(value)
        match RANDOM.randrange(5):
            case 0:
                number = pick(-16, -43, 5, 6, 14, 8, -272, 261)
                size = pick(len(value), 32 if number in (-16, 5) else 48)
                return cbor.array([cbor.integer(number), cbor.bstr((value * 2)[:size])])
            case 1:
                return cbor.array([code, cbor.bstr(pick(value[:-1], value + b"\0", b"", value[:16]))])
            case 2:
                return cbor.array([code])
            case 3:
                return cbor.array([code, cbor.bstr(value), b"\xf6"])
            case _:
                return cbor.array([b"\x38\x2a", cbor.bstr((value * 2)[:48])])

    entry = one_entry(parts)
    try:
        match RANDOM.randrange(4):
            case 0:
                parts.mac = other(parts.mac)
            case 1:
                parts.header[5] = other(parts.header[5])
            case _ if entry:
                number = RANDOM.randrange(2)
                entry.payload[number] = other(entry.payload[number])
    except (ValueError, IndexError):
        pass


def change_protected(parts):
    if entry := one_entry(parts):
        entry.alg = "given"
        alg = cbor.integer(pick(-7, -35, -8, -257, -258, -37, -38, -47, 249, -263))
        entry.protected = pick(
            cbor.mapping([(b"\x01", alg)]),
            cbor.mapping([(b"\x18\x01", alg)]),
            cbor.mapping([(b"\x01", alg), (RANDOM.choice(LABELS), RANDOM.choice(VALUES))]),
            cbor.mapping([(RANDOM.choice(LABELS), RANDOM.choice(VALUES)), (b"\x01", alg)]),
            cbor.mapping_indefinite([(b"\x01", alg)]),
            cbor.mapping([(b"\x01", alg)]) + pick(b"", b"\x00"),
            b"",
            b"\xa0",
            some_map(),
            b"\xa1\x01" + RANDOM.choice(VALUES),
        )


def change_unprotected(parts):
    if entry := one_entry(parts):
        entry.unprotected = pick(some_map(), b"\xf6", b"\x40", b"\xa1\x04\x41\x00", b"\xa1\x01\x26")


def change_extra(parts):
    if entry := one_entry(parts):
        inner = cbor.mapping([(cbor.integer(-70000), b"\x41\x00")])
        extra = pick(
            b"\xf6", b"\xf7", b"\x40", b"\x41\xa0", cbor.bstr(inner), inner, cbor.bstr(inner + b"\0"), b"\xa0",
            cbor.bstr(some_map()), some_map(), cbor.bstr(b"\xf6"), b"\x80", cbor.bstr(inner[:-1]),
        )  # fmt: skip
        entry.payload[2:3] = [extra]


def change_signature(parts):
    if entry := one_entry(parts):
        signature = entry.signature
        entry.signature = pick(
            signature[:-1], signature + b"\0", bytes(len(signature)), b"", signature[::-1], b"\xff" * len(signature)
        )  # fmt: skip


def change_header(parts):
    match RANDOM.randrange(7):
        case 0:
            guid = RANDOM.randbytes(16)
            parts.header[1] = cbor.bstr(pick(guid, bytes(16), guid[:15], guid + b"\0", b""))
        case 1:
            text = pick(b"", b"x", b"\xff\xfe", "Gerät".encode(), b"a" * 70000, b"\0")
            parts.header[3] = pick(cbor.tstr, cbor.bstr)(text)
        case 2:
            parts.header[2] = RANDOM.choice(POOL["rv"])
        case 3:
            value = pick(b"\x41\x00", b"\x00", b"\x61a", b"\x42\x18\x01", b"\x43\x61a\x00", b"\x45\x44\1\2\3\4")
            pair = cbor.array([cbor.integer(pick(*range(17), 255, 256, -1))] + pick([], [value], [value, value]))
            parts.header[2] = pick(
                cbor.array([cbor.array([pair])]), cbor.array([pair]), pair, b"\x80", b"\x81\x80",
                cbor.array([cbor.array_indefinite([pair])]), cbor.array([b"\xf6"]), b"\xa0", b"\xf6",
                cbor.array([cbor.array([pair] * 1025)]), cbor.nested(17), cbor.nested(16), cbor.nested(15),
            )  # fmt: skip
        case 4:
            parts.version = cbor.integer(pick(100, 101, 102, 200, 357, 65637), pick(None, None, 4, 8))
            if RANDOM.random() < 0.7:
                parts.header[0] = parts.version
        case 5:
            parts.header = pick(parts.header[:5], parts.header + [b"\xf6"])
        case 6:
            parts.header_tail = b"\0"


def change_chain(parts):
    try:
        chain = items(parts.chain)
    except (IndexError, TypeError):
        return
    parts.chain = pick(
        cbor.array(chain[::-1]), cbor.array(chain[:1]), chain[0] if chain else b"\xf6", b"\xf6", b"\x80",
        cbor.array(chain * 9), cbor.bstr(cbor.array(chain)), cbor.array_indefinite(chain), b"\xf7",
        cbor.array([cbor.bstr(b"".join(map(content, chain)))]),
    )  # fmt: skip
    if RANDOM.random() < 0.2 and len(parts.header) > 5:
        parts.header[5] = b"\xf6"


def change_frame(parts):
    match RANDOM.randrange(5):
        case 0:
            parts.whole = pick(cbor.array_indefinite, lambda all: cbor.array(all, pick(1, 2, 8)))
        case 1:
            parts.list = pick(cbor.array_indefinite, lambda all: cbor.array(all, pick(1, 4)))
        case 2:
            parts.wrap = pick(
                lambda data: cbor.bstr(data, 4),
                lambda data: cbor.bstr_chunks([data]),
                lambda data: cbor.bstr_chunks([data[:9], data[9:]]),
                lambda data: data,
            )
        case 3:
            parts.tail = pick(b"\0", b"\xff", b"\xf6")
        case 4:
            if entry := one_entry(parts):
                entry.tag = pick(b"", b"\xd8\x12", b"\xd1", b"\xd2\xd2", b"\xd9\x01\x12", b"\xdb" + bytes(7) + b"\x12")


def nodes(data, at=0):
    """The places of all items inside the item at `at`."""
    major, number, size = head(data, at)
    found, inner, end = [at], at + size, end_of(data, at)
    if major in (4, 5, 6):
        while inner < end and data[inner] != 0xFF:
            found += nodes(data, inner)
            inner = end_of(data, inner)
    return found


def reencoded(data):
    """The same item with one head in another form."""
    try:
        at = RANDOM.choice(nodes(data))
        end = end_of(data, at)
        major, number, size = head(data, at)
    except IndexError:
        return data
    if number is None or major == 7:
        return data
    inner = data[at + size : end]
    if major in (2, 3) and RANDOM.random() < 0.4:
        cut = RANDOM.randrange(len(inner) + 1)
        chunks = pick([inner], [inner], [inner[:cut], inner[cut:]], [])
        item = cbor.bstr_chunks(chunks) if major == 2 else cbor.tstr_chunks(chunks)
    elif major in (4, 5) and RANDOM.random() < 0.4:
        item = bytes([major << 5 | 31]) + inner + b"\xff"
    else:
        widths = [width for width in (1, 2, 4, 8) if number < 1 << 8 * width]
        item = cbor.head(major, number, RANDOM.choice(widths)) + inner
    return data[:at] + item + data[end:]


def damaged(data):
    """The bytes with one of them changed, added or missing."""
    if not data:
        return data
    at = RANDOM.randrange(len(data))
    byte = bytes([pick(data[at] ^ 1 << RANDOM.randrange(8), 0, 0xFF, RANDOM.randrange(256))])
    return data[:at] + pick(byte + data[at + 1 :], byte + data[at:], data[at + 1 :])


def change_item(parts):
    """One item in another encoding, or damaged."""
    change = pick(reencoded, reencoded, damaged)
    entry = one_entry(parts)
    match RANDOM.randrange(6):
        case 0:
            number = RANDOM.randrange(len(parts.header))
            parts.header[number] = change(parts.header[number])
        case 1:
            parts.mac = change(parts.mac)
        case 2:
            parts.chain = change(parts.chain)
        case _ if entry:
            number = RANDOM.randrange(len(entry.payload) + 2)
            if number < len(entry.payload):
                entry.payload[number] = change(entry.payload[number])
            elif number == len(entry.payload):
                entry.alg, entry.protected = "given", change(entry.protected)
            else:
                entry.unprotected = change(entry.unprotected)


def change_payload(parts):
    if entry := one_entry(parts):
        match RANDOM.randrange(4):
            case 0:
                entry.payload = entry.payload[:3]
            case 1:
                entry.payload = entry.payload + [b"\xf6"]
            case 2:
                entry.tail = b"\0"
            case 3:
                entry.payload[0], entry.payload[1] = entry.payload[1], entry.payload[0]


CHANGES = [
    move_entries, change_key, change_key, change_hash, change_protected, change_unprotected, change_extra,
    change_signature, change_header, change_header, change_chain, change_frame, change_item, change_item,
    change_payload,
]  # fmt: skip


def mutant():
    """(name of the changes, bytes)."""
    while True:
        parts = RANDOM.choice(POOL["whole"])()
        changes = RANDOM.sample(CHANGES, pick(1, 1, 1, 2))
        sealed = RANDOM.random() < 0.6
        try:
            for change in changes:
                change(parts)
            data = parts.bytes(sealed)
        except (IndexError, ValueError, TypeError, AttributeError):
            continue  # two changes that do not go together
        name = "+".join(change.__name__ for change in changes) + (" sealed" if sealed else "")
        if RANDOM.random() < 0.1:
            data, name = damaged(data), name + " damaged"
        return name, data


# --- comparison ----------------------------------------------------------------------------------


def load():
    for name in json.loads(keys.STORE.read_text()):
        key = keys.get(name)
        if not key.is_rsa or key.size in (256, 384):
            PRIVATE[key.spki()] = key
    for path in sorted((ROOT / "test-vectors" / "valid").glob("*.json")):
        data = bytes.fromhex(json.loads(path.read_text())["voucher"])
        if len(data) > 12000:
            continue
        if data[0] >> 5 != 4:
            continue  # in a byte string or behind a tag, which is no part of it
        parts = Parts(data)
        if parts.entries:
            POOL["whole"].append(lambda data=data: Parts(data))
        POOL["key"] += [parts.header[4]] + [entry.payload[3] for entry in parts.entries]
        POOL["rv"].append(parts.header[2])
    POOL["key"] = sorted(set(POOL["key"]))
    POOL["rv"] = sorted(set(POOL["rv"]))


def alike(found, wanted):
    one, other = found.split(), wanted.split()
    return one[0] == other[0] == "rejected" and one[2] == other[2] and {one[1], other[1]} in ALIKE


def settled(line):
    """The order of findings at one place is nobody's business."""
    first, *rest = line.split()
    return " ".join([first] + sorted(rest)) if first == "verified" else line


def line(found):
    """A verdict of the checker as the example program prints it."""
    place = lambda entry: "-" if entry is None else entry  # noqa: E731
    if found["verdict"] == "rejected":
        return f"rejected {found['kind']} {place(found['entry'])}"
    return " ".join(["verified"] + sorted(f"{one['kind']}@{place(one['entry'])}" for one in found["findings"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/debug/verdicts")
    parser.add_argument("--keep", type=pathlib.Path, help="write vouchers on which the two disagree here")
    arguments = parser.parse_args()
    RANDOM.seed(arguments.seed)
    load()
    cases = [[] for _ in POLICIES]
    for number in range(arguments.count):
        cases[number % len(POLICIES)].append(mutant())
    bad, verified, kinds = collections.defaultdict(list), 0, set()
    for policy, mutants in zip(POLICIES, cases):
        stream = b"".join(len(data).to_bytes(4, "big") + data for _, data in mutants)
        run = subprocess.run([arguments.binary, *policy], input=stream, capture_output=True, check=True)
        lines = [settled(line) for line in run.stdout.decode().splitlines()]
        assert len(lines) == len(mutants), run.stderr
        options = {"allow": [name for name in policy if name != "strict"], "strict": "strict" in policy}
        for (name, data), found in zip(mutants, lines):
            try:
                wanted = line(check(data, options))
            except Exception as error:  # the checker itself failed
                wanted = f"checker failed: {error!r}"
            verified += wanted.startswith("verified")
            kinds.add(wanted.split()[1] if wanted.startswith("rejected") else "verified")
            if found != wanted and not alike(found, wanted):
                bad[found[:60], wanted[:60]].append((policy, name, data))
    for (found, wanted), list_ in sorted(bad.items(), key=lambda item: -len(item[1])):
        policy, name, data = list_[0]
        print(f"{len(list_):4} crate: {found} | checker: {wanted} | {name} {policy}")
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            label = f"{found} - {wanted}".replace(" ", "_").replace("@", "_").replace("/", "_")
            (arguments.keep / f"{label}.cbor").write_bytes(data)
    different = sum(map(len, bad.values()))
    print(f"{arguments.count} mutants, {verified} verified, {len(kinds)} kinds of verdict, {different} disagree")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
