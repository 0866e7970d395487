"""The structure of a voucher, in the order of its bytes (FDO 1.1 section 3.4)."""

import hashlib
import ipaddress
import re

from . import der
from .cbor import Context, Reader, Reject
from .keys import ALGORITHMS, PublicKey, certificates, is_device_key, note_certificate

HASHES = {-16: "sha256", -43: "sha384", 5: "sha256", 6: "sha384"}
SIZES = {"sha256": 32, "sha384": 48}
RV_FLAGS, RV_LAST = (0, 1, 14), 15


class Hash:
    """A Hash or HMac item."""

    def __init__(self, reader, is_mac=False):
        context = reader.context
        start = reader.at
        self.place = start, context.entry
        items = reader.array(2)
        items.next()
        code = reader.integer()
        if code not in HASHES:
            context.reject("unsupported-hash-type")
        if (code > 0) != is_mac:
            context.reject("not-an-hmac" if is_mac else "not-a-hash")
        self.name = HASHES[code]
        items.next()
        self.value = reader.bstr()
        if len(self.value) != SIZES[self.name]:
            context.reject("hash-length")
        items.done()
        self.item = reader.data[start : reader.at]

    def matches(self, message):
        return hashlib.new(self.name, message).digest() == self.value


def _add(context, labels, label, limit=64):
    if len(labels) == limit:
        context.reject("limit-labels")
    labels.add(label)


class Entry:
    """One COSE_Sign1."""

    def __init__(self, reader, number, signer):
        context = reader.context
        context.entry = self.number = number
        self.signer, start = signer, reader.at
        if reader.peek() >> 5 == 6:
            if reader.head()[1] != 18:
                context.reject("wrong-type")
        else:
            context.note("untagged-entry", start)
        items = reader.array(4)
        items.next()
        span = reader.string(2)
        self.protected = reader.data[span[0] : span[1]]
        labels, self.alg = self._protected(Reader(reader.data, *span, context))
        items.next()
        self._unprotected(reader, labels)
        if not signer.algorithm_fits(self.alg):
            context.reject("algorithm-mismatch")
        items.next()
        inner = reader.inside()
        self.payload = reader.data[inner.at : inner.end]
        self._payload(inner)
        inner.finish()
        items.next()
        self.signature_at = reader.at
        self.signature = reader.bstr()
        if len(self.signature) != signer.signature_size():
            context.reject("signature-length")
        items.done()
        self.item = reader.data[start : reader.at]

    def _protected(self, reader):
        context, labels, alg = reader.context, set(), None
        if reader.at == reader.end:
            return labels, None
        items = reader.mapping()
        while items.more():
            items.read += 1
            offset, label = reader.at, reader.label()
            if label in labels:
                context.reject("duplicate-label")
            _add(context, labels, label)
            if label == 1:
                alg = reader.integer()
                if alg not in ALGORITHMS:
                    context.reject("unsupported-algorithm")
                continue
            context.note("protected-extra", offset)
            if label == 2:
                self._critical(reader)
            else:
                reader.skip()
        reader.finish()
        return labels, alg

    @staticmethod
    def _critical(reader):
        """crit may name alg, which is understood, and nothing else (RFC 9052 section 3.1)."""
        items = reader.array()
        if not items.more():
            reader.context.reject("wrong-size")
        while items.more():
            items.read += 1
            if reader.label() != 1:
                reader.context.reject("unsupported-critical-header")

    def _unprotected(self, reader, protected):
        context, offset, labels = reader.context, reader.at, set()
        items = reader.mapping()
        while items.more():
            items.read += 1
            label = reader.label()
            if label in labels:
                context.reject("duplicate-label")
            if label in protected:
                context.reject("label-in-both-headers")
            if label == 2:
                context.reject("unsupported-critical-header")
            _add(context, labels, label)
            reader.skip()
        if self.alg is None:
            context.reject("algorithm-unprotected" if 1 in labels else "algorithm-missing")
        if labels:
            context.note("unprotected-header", offset)

    def _payload(self, reader):
        items = reader.array(4)
        items.next()
        self.previous = Hash(reader)
        items.next()
        self.info = Hash(reader)
        items.next()
        self._extra(reader)
        items.next()
        self.key = PublicKey(reader)
        items.done()

    def _extra(self, reader):
        context, offset = reader.context, reader.at
        if reader.is_null():
            return
        major = reader.peek() >> 5
        if major == 5:
            context.note("extra-inline-map", offset)
            self._extra_map(reader)
        elif major == 2:
            inner = reader.inside()
            if inner.at == inner.end or inner.peek() >> 5 != 5:
                context.reject("extra")
            if self._extra_map(inner) == 0:
                context.note("extra-empty-map", offset)
            inner.finish()
        else:
            context.reject("extra")

    def _extra_map(self, reader):
        context, labels = reader.context, set()
        items, before = reader.mapping(), None
        while items.more():
            items.read += 1
            if reader.peek() >> 5 > 1:
                context.reject("extra")
            offset = reader.at
            label = reader.integer()
            if label in labels:
                context.reject("duplicate-label")
            _add(context, labels, label)
            if label >= -65536:
                context.note("extra-reserved", offset)
            if before and before > (label < 0, abs(label)):
                context.note("extra-order", offset)
            before = label < 0, abs(label)
            if reader.peek() >> 5 != 2:
                context.reject("extra")
            reader.bstr()
        return len(labels)

    def verifies(self, aad):
        message = b"\x84\x6aSignature1" + _bstr(self.protected) + _bstr(aad) + _bstr(self.payload)
        return self.signer.verifies(self.alg, self.signature, message)


def unwrapped(data, context):
    """The voucher in byte strings (tag 24 or none) and behind tag 55799, three deep."""
    inside = data
    for _ in range(3):
        if inside.startswith(b"\xd9\xd9\xf7"):
            inside = inside[3:]
            continue
        string = inside[2:] if inside.startswith(b"\xd8\x18") else inside
        if not string or not 0x40 <= string[0] <= 0x5B:
            break
        size = {0x58: 2, 0x59: 3, 0x5A: 5, 0x5B: 9}.get(string[0], 1)
        first = string[size : size + 1]
        if not first or not (0x80 <= first[0] <= 0x9F or first[0] in (0xD8, 0xD9) or 0x58 <= first[0] <= 0x5B):
            break
        reader = Reader(string, 0, len(string), Context())
        try:
            inside = reader.bstr()
            reader.finish()
        except Reject as error:
            context.reject(error.kind)
    if inside[:1] and inside[0] >> 5 == 4:
        if len(inside) < len(data):
            context.note("wrapped", 0)
        return inside
    return data


class Voucher:
    """The structure of a voucher."""

    def __init__(self, data, context):
        data = unwrapped(data, context)
        self.data, self.context = data, context
        reader = Reader(data, 0, len(data), context)
        if len(data) > 1 << 20:
            context.reject("limit-input")
        outer = reader.array()
        if outer.count == 4 and reader.peek() >> 5 == 4:
            context.reject("unsupported-version")  # FDO 1.0 has the header inline and no version outside
        if outer.count not in (5, None):
            context.reject("wrong-size")
        outer.next()
        offset = reader.at
        self.version = reader.uint()
        if self.version not in (101, 200):
            context.reject("unsupported-version")
        if self.version == 200:
            context.note("fdo20-version", offset)
        outer.next()
        inner = reader.inside()
        self.header = data[inner.at : inner.end]
        self._header(inner)
        inner.finish()
        outer.next()
        self.mac = Hash(reader, is_mac=True)
        outer.next()
        self._chain(reader)
        outer.next()
        self._entries(reader)
        context.entry = None
        outer.done()
        reader.finish()

    def _header(self, reader):
        context = self.context
        items = reader.array(6)
        items.next()
        if reader.uint() != self.version:
            context.reject("version-mismatch")
        items.next()
        self.guid = reader.bstr()
        if len(self.guid) != 16:
            context.reject("guid-length")
        if self.guid == bytes(16):
            context.reject("guid-zero")
        items.next()
        rendezvous(reader)
        items.next()
        offset = reader.at
        self.device_info = reader.text()
        if len(self.device_info) > 64 << 10:
            context.reject("limit-device-info")
        if not self.device_info:
            context.note("device-info-empty", offset)
        items.next()
        self.maker = PublicKey(reader)
        items.next()
        self.chain_hash = None if reader.is_null() else Hash(reader)
        items.done()

    def _chain(self, reader):
        context, offset = self.context, reader.at
        self.chain = []
        if reader.is_null():
            if self.chain_hash:
                context.reject("null-chain")
        else:
            if not self.chain_hash:
                context.reject("null-chain")
            if reader.peek() >> 5 == 2:
                context.note("device-chain-bare", offset)
                self.chain = [reader.bstr()]
                if len(self.chain[0]) > 64 << 10:
                    context.reject("limit-certificate-size")
                note_certificate(context, self.chain[0], reader.at - len(self.chain[0]))
            else:
                self.chain = certificates(reader)
        self.chain_item, self.chain_at = self.data[offset : reader.at], offset
        if self.chain:
            try:
                spki = der.spki_of(self.chain[0])
            except der.BadDer:
                return
            if not is_device_key(spki):
                context.note("device-key", offset + self.chain_item.index(self.chain[0]))

    def _entries(self, reader, limit=255):
        items, signer = reader.array(), self.maker
        if items.count is not None and items.count > limit:
            self.context.reject("limit-entries")
        self.entries = []
        while items.more():
            if len(self.entries) == limit:
                self.context.reject("limit-entries")
            items.read += 1
            entry = Entry(reader, len(self.entries), signer)
            key = entry.key
            if (key.type, key.encoding) != (self.maker.type, self.maker.encoding):
                self.context.note("key-mix", key.offset)
            self.entries.append(entry)
            signer = key
            # What follows belongs to no entry until the next one begins.
            self.context.entry = None
        self.owner = signer

    def hash_table_departures(self):
        """(offset, kind, entry) of each hash that the table of FDO 1.1 section 3.3.2 does not choose."""
        owner, device = _strength(self.maker.kind, self.maker.value), None
        if self.chain:
            try:
                device = _strength(*der.public_key(der.Certificate(self.chain[0]).spki))
            except der.BadDer:
                pass
        if (device, owner) == ("rsa3072", "rsa3072"):
            return []  # the table has no such row
        wanted = "sha384" if "p384" in (device, owner) else "sha256"
        items = [self.mac] + ([self.chain_hash] if self.chain_hash else [])
        items += [item for entry in self.entries for item in (entry.previous, entry.info)]
        return [(item.place[0], "hash-table", item.place[1]) for item in items if item.name != wanted]


def _strength(kind, value):
    """The kind of a key, with its size if it is RSA."""
    return f"rsa{value[0].bit_length()}" if kind == "rsa" else kind


def rendezvous(reader, limit=1024):
    """RendezvousInfo: only its array is required; what is odd inside becomes a finding."""
    context, start, total = reader.context, reader.at, 0
    if reader.peek() >> 5 != 4:
        context.reject("wrong-type")
    reader.skip()
    # The second reading is for the sense alone: what its heads look like was noted in the first.
    inner = Reader(reader.data, start, reader.at, Context())
    try:
        directives = inner.array()
        while directives.more():
            directives.read += 1
            begin, codes = inner.at, []
            instructions = inner.array()
            while instructions.more():
                instructions.read += 1
                at = inner.at
                code, kind = _instruction(inner)
                # What cannot be read is no instruction.
                total += 1
                if total > limit:
                    context.reject("limit-rv-instructions")
                if kind:
                    context.note(kind, at)
                if code in codes and 0 <= code <= RV_LAST:
                    context.note("rv-duplicate", at)
                codes.append(code)
            for kind in _directive(set(codes)):
                context.note(kind, begin)
    except Reject as error:
        if error.kind == "limit-rv-instructions":
            raise
        context.note("rv-shape", start)
    else:
        if directives.read == 0:
            context.note("rv-empty", start)


def _directive(codes):
    """The findings about a directive with these variables."""
    if not codes:
        yield "rv-empty"
        return
    if {0, 1} <= codes:
        yield "rv-for-nobody"
    known = {code for code in codes if 0 <= code <= RV_LAST}
    pause = 13 in known and known <= {0, 1, 13}
    if not codes & {2, 5, 8, 15} and not pause:
        yield "rv-no-address"


def _instruction(reader):
    """The code of one instruction and the finding about it; raises Reject where it has another shape."""
    parts = reader.array()
    parts.next()
    variable = reader.integer()
    value, has_value = None, parts.more()
    if has_value:
        parts.read += 1
        wrapped = reader.peek() >> 5 == 2
        value = reader.bstr() if wrapped else reader.skip() and None
    parts.done()
    if not 0 <= variable <= RV_LAST:
        return variable, "rv-unknown"
    if variable in RV_FLAGS:
        return variable, "rv-flag-value" if has_value else None
    if not has_value:
        return variable, "rv-value-missing"
    if value is None or not _rv_fits(variable, value):
        return variable, "rv-value"
    return variable, _nonsense(variable, value)


def _nonsense(variable, value):
    """What is odd about a value of the right type; `value` is CBOR."""
    content = Reader(value, 0, len(value), Context())
    if variable == 2 and not _is_server(ipaddress.ip_address(content.bstr())):
        return "rv-address"
    if variable in (3, 4) and content.uint() == 0:
        return "rv-port"
    if variable == 5 and not _is_host(content.text().decode()):
        return "rv-host"
    if variable in (11, 12) and content.uint() > {11: 21, 12: 6}[variable]:
        return "rv-number"
    return None


def _is_server(address):
    address = getattr(address, "ipv4_mapped", None) or address
    broadcast = address == ipaddress.ip_address("255.255.255.255")
    return not (address.is_unspecified or address.is_multicast or broadcast)


def _is_host(text):
    """A DNS name in letters, digits, inner hyphens and underscores, or an IP address."""
    if ":" in text or re.search(r"(^|\.)[0-9]+\.?\Z", text):
        try:
            return "%" not in text and _is_server(ipaddress.ip_address(text))
        except ValueError:
            return False
    name = text.removesuffix(".")
    label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    return len(name) <= 253 and re.fullmatch(rf"{label}(\.{label})*", name) is not None


def _rv_fits(variable, value):
    reader = Reader(value, 0, len(value), Context())
    try:
        if variable == 2:
            fits = len(reader.bstr()) in (4, 16)
        elif variable in (3, 4):
            fits = reader.uint() < 1 << 16
        elif variable in (5, 9, 10):
            reader.text()
            fits = True
        elif variable in (6, 7):
            Hash(reader)
            fits = True
        elif variable == 8:
            fits = reader.take(1) in (b"\xf4", b"\xf5")
        elif variable in (11, 12):
            fits = reader.uint() < 1 << 8
        elif variable == 13:
            fits = reader.uint() < 1 << 32
        else:
            # [mechanism, * any]: at least one item.
            fits = reader.array().more()
            reader.at = 0
            reader.skip()
        reader.finish()
    except Reject:
        return False
    return fits


def _bstr(content):
    size = len(content)
    if size < 24:
        return bytes([0x40 | size]) + content
    width = 1 if size < 256 else 2 if size < 65536 else 4
    return bytes([0x58 | width.bit_length() - 1]) + size.to_bytes(width, "big") + content
