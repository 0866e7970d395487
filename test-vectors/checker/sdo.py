"""Vouchers of SDO 1.x: the second opinion on the crate `ownership-voucher-sdo`.

One pass reads the text by its grammar and keeps where each value is; then hashes and signatures are
computed over those pieces. `check(text, options)` gives the verdict in the form of a vector.
"""

import hashlib
import hmac as hmac_of
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from .sdo_items import Hash, Key, rendezvous
from .sdo_text import Reject, Text


class Header:
    def __init__(self, text):
        start = text.ahead()
        text.sign(b"{")
        text.member("pv", True)
        self.version = text.number(16)
        text.member("pe")
        self.encoding = text.number(32)
        text.member("r")
        self.rendezvous = rendezvous(text)
        text.member("g")
        at = text.ahead()
        self.guid = text.base64()
        self.guid_span = at, text.at
        if len(self.guid) != 16:
            text.reject("guid-length")
        text.member("d")
        self.info_span, self.info = text.string()
        text.member("pk")
        self.key = Key(text)
        self.chain_hash = None
        if (name := text.next_name(False)) is not None:
            if name != "hdc":
                text.reject("member")
            self.chain_hash = Hash(text)
            text.close()
        self.span = start, text.at


class Entry:
    def __init__(self, text):
        text.sign(b"{")
        text.member("bo", True)
        start = text.ahead()
        text.sign(b"{")
        text.member("hp", True)
        self.previous = Hash(text)
        text.member("hc")
        self.info = Hash(text)
        text.member("pk")
        self.key = Key(text)
        text.close()
        self.body = start, text.at
        text.member("pk")
        self.outer = text.skip()
        text.member("sg")
        text.sign(b"[")
        self.signature = text.bytes()
        text.sign(b"]")
        text.close()


def chain(text):
    """[1, count, [[length, certificate], …]]"""
    start = text.ahead()
    text.sign(b"[")
    if text.number(8) != 1:
        text.reject("unsupported-attestation")
    text.sign(b",")
    stated = text.number(8)
    text.sign(b",")
    text.sign(b"[")
    certificates = []
    while text.more(not certificates):
        if len(certificates) == 16:
            text.reject("limit-certificates")
        text.sign(b"[")
        certificates.append(text.bytes())
        text.sign(b"]")
    text.sign(b"]")
    if len(certificates) != stated:
        text.reject("length-word")
    if not certificates:
        text.reject("chain-empty")
    return (start, text.at), certificates


class Voucher:
    def __init__(self, text):
        self.data = text.data
        text.sign(b"{")
        text.member("sz", True)
        stated = text.number(8)
        text.member("oh")
        self.header = Header(text)
        text.member("hmac")
        self.hmac = Hash(text, 100)
        name = text.next_name(False)
        self.chain_span, self.chain = None, []
        if name == "dc":
            self.chain_span, self.chain = chain(text)
            name = text.next_name(False)
        if name != "en":
            text.reject("member")
        text.sign(b"[")
        self.entries = []
        while text.more(not self.entries):
            if len(self.entries) == 255:
                text.reject("limit-entries")
            text.entry = len(self.entries)
            self.entries.append(Entry(text))
            text.entry = None
        text.close()
        if len(self.entries) != stated:
            text.reject("length-word")

    def of(self, *spans):
        return b"".join(self.data[start:end] for start, end in spans)

    def owner(self):
        return self.entries[-1].key if self.entries else self.header.key

    def remarks(self, text):
        header = self.header
        text.findings += [
            (kind, None)
            for kind, holds in {
                "sdo-version": header.version not in range(110, 114),
                "sdo-guid-zero": not any(header.guid),
                "device-info-empty": not header.info,
                "sdo-key-encoding": header.encoding != header.key.encoding,
                "sdo-many-entries": len(self.entries) > 10,
                "no-entries": not self.entries,
            }.items()
            if holds
        ]
        for number, entry in enumerate(self.entries):
            if (entry.key.type, entry.key.encoding) != (header.key.type, header.key.encoding):
                text.findings.append(("key-mix", number))
        strong = header.key.type == 14
        device = strong or bool(self.chain) and key_size(self.chain[0]) == 384
        table, code = (14 if device else 8), (14 if strong else 8)
        items = [(header.chain_hash, None)] if header.chain_hash else []
        items += [(item, n) for n, entry in enumerate(self.entries) for item in (entry.previous, entry.info)]
        text.findings += [("hash-table", n) for item, n in items if not item.kind == table == code]
        if self.hmac.kind != table:
            text.findings.append(("hash-table", None))

    def links(self):
        """Hashes and signatures; the first that fails."""
        header = self.header
        if (header.chain_hash is None) != (self.chain_span is None):
            raise Reject("null-chain")
        if header.chain_hash and digest(header.chain_hash, self.of(self.chain_span)):
            raise Reject("chain-hash-mismatch")
        signer, before = header.key, self.of(header.span, self.hmac.span)
        for number, entry in enumerate(self.entries):
            if digest(entry.previous, before):
                raise Reject("previous-hash-mismatch", number)
            if digest(entry.info, self.of(header.guid_span, header.info_span)):
                raise Reject("header-info-hash-mismatch", number)
            before = self.of(entry.body)
            if not entry.signature or signer.type < 13 and len(entry.signature) != signer.size():
                raise Reject("signature-length", number)
            if not signer.verifies(entry.signature, before):
                raise Reject("signature-invalid", number)
            if self.of(entry.outer) != b"[0,0,[0]]":
                raise Reject("outer-key", number)
            signer = entry.key


def digest(item, data):
    """Whether the hash is not that of the data."""
    return hashlib.new(item.name, data).digest() != item.value


def key_size(der):
    try:
        return x509.load_der_x509_certificate(der).public_key().key_size
    except (ValueError, AttributeError, UnsupportedAlgorithm):
        return 0


def device(certificates, text):
    """The certificates of the device: each signed by the next."""
    read = []
    for der in certificates:
        try:
            read.append(x509.load_der_x509_certificate(der))
        except ValueError:
            raise Reject("certificate") from None
    try:
        key = read[0].public_key() if read else None
    except (ValueError, UnsupportedAlgorithm):
        raise Reject("certificate") from None
    if read and not (isinstance(key, ec.EllipticCurvePublicKey) and key.key_size in (256, 384)):
        raise Reject("device-chain")
    links = [_issued(one, by) for one, by in zip(read, read[1:])]
    if links and not links[0] and _authority(read[0]) and read[1].issuer == read[0].subject:
        raise Reject("chain-reversed")
    if not all(links):
        raise Reject("device-chain")
    for number, one in enumerate(read):
        if number == 0 and _authority(one):
            text.note("ca-as-leaf")
        if number and not _authority(one):
            text.note("no-basic-constraints")
    if read and not _usage(read[0]):
        raise Reject("device-chain")
    if read and read[-1].issuer != read[-1].subject:
        text.note("sdo-chain-open")


def _issued(one, by):
    try:
        one.verify_directly_issued_by(by)
    except (ValueError, InvalidSignature, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _extension(one, kind):
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _authority(one):
    constraints = _extension(one, x509.BasicConstraints)
    return bool(constraints and constraints.ca)


def _usage(one):
    usage = _extension(one, x509.KeyUsage)
    return usage is None or usage.digital_signature


def claims(voucher, options):
    """What the options ask for: the facts that are proved."""
    proved = {"entries": bool(voucher.entries), "chain-hash": bool(voucher.chain)}
    mac, header = voucher.hmac, voucher.header
    if secret := options.get("hmac_secret"):
        if mac.name == "sha512":
            raise Reject("unsupported-hash-type")
        if hmac_of.digest(bytes.fromhex(secret), voucher.of(header.span), mac.name) != mac.value:
            raise Reject("hmac-mismatch")
        proved["hmac"] = True
    anchored = bool(voucher.entries) or proved.get("hmac", False)
    if "manufacturer" in options or "manufacturer_hash" in options:
        known = [bytes.fromhex(options.get("manufacturer", ""))] if "manufacturer" in options else []
        spki, item = header.key.spki(), voucher.of(header.key.span)
        hashed = [hashlib.sha256(it).hexdigest() for it in (spki, item)]
        if spki not in known and options.get("manufacturer_hash") not in hashed:
            raise Reject("wrong-manufacturer")
        proved["manufacturer"] = anchored
    if "owner" in options:
        if voucher.owner().spki().hex() != options["owner"]:
            raise Reject("wrong-owner", len(voucher.entries) - 1 if voucher.entries else None)
        proved["owner"] = True
    if "device_ca" in options:
        _path(voucher, [bytes.fromhex(root) for root in options["device_ca"]])
        proved["device-path"] = True
    if "credential" in options:
        _credential(voucher, options["credential"])
        proved["hmac"] = True
    _lists(voucher, options, proved)
    order = ("entries", "chain-hash", "device-path", "hmac", "manufacturer", "owner")
    return [name for name in order if proved.get(name)]


def _path(voucher, roots):
    """One step is enough for the vectors: a root signed the last certificate, or is it."""
    if not voucher.chain:
        raise Reject("device-path")
    read = [x509.load_der_x509_certificate(der) for der in voucher.chain]
    trusted = [x509.load_der_x509_certificate(der) for der in roots]
    if not any(_issued(one, root) for one in read for root in trusted):
        raise Reject("device-path")


def _credential(voucher, credential):
    text = Text(credential.encode())
    text.sign(b"{")
    text.member("ST", True)
    text.number(32)
    text.member("Secret")
    secret = text.base64()
    text.member("M")
    text.sign(b"{")
    text.member("d", True)
    info = text.data[slice(*text.string()[0])]
    text.close()
    text.member("O")
    text.sign(b"{")
    text.member("pv", True)
    version = text.number(16)
    text.member("pe")
    encoding = text.number(32)
    found = {}
    for _ in range(2):
        name = text.next_name(False)
        found[name] = text.base64() if name == "g" else text.data[slice(*rendezvous(text))]
    text.member("pkh")
    key_hash = Hash(text)
    header, mac = voucher.header, voucher.hmac
    if hmac_of.digest(secret, voucher.of(header.span), mac.name) != mac.value:
        raise Reject("hmac-mismatch")
    if digest(key_hash, voucher.of(header.key.span)):
        raise Reject("wrong-manufacturer")
    own = (found["g"], info, compact(found["r"]), version, encoding)
    rendezvous_info = compact(voucher.of(header.rendezvous))
    its = (header.guid, voucher.of(header.info_span), rendezvous_info, header.version)
    if own != (*its, header.encoding):
        raise Reject("wrong-device")


def _lists(voucher, options, proved):
    keys = [voucher.header.key] + [entry.key for entry in voucher.entries]
    names = [hashlib.sha256(key.spki()).hexdigest() for key in keys]
    if "allow_list" in options:
        allowed = options["allow_list"].lower().split()
        if names[0] in allowed and voucher.entries:
            proved["manufacturer"] = True
        if not set(names) & set(allowed):
            raise Reject("key-not-allowed")
    if "deny_list" in options:
        denied = options["deny_list"].lower().replace("-", "").split()
        if voucher.header.guid.hex() in denied:
            raise Reject("key-not-allowed")
        for number, name in enumerate(names):
            if name in denied:
                raise Reject("key-not-allowed", number - 1 if number else None)


def read(data):
    """The text and the voucher in it, without looking at hashes."""
    text = Text(data)
    if len(data) > 1 << 20:
        text.reject("limit-input")
    wrapper = text.peek() == b"["
    start = text.ahead()
    if wrapper:
        text.sign(b"[")
        stated = text.string()[1]
        text.sign(b",")
        if text.number(8) != 3:
            text.reject("wrong-type")
        text.sign(b",")
        version = text.number(16)
        text.sign(b",")
    voucher = Voucher(text)
    if wrapper:
        text.sign(b"]")
        if version != voucher.header.version:
            text.note("sdo-wrapper-version")
        length = text.at - start
        if not re.fullmatch(r"[0-9a-fA-F]{8}" if length > 0xFFFF else r"[0-9a-fA-F]{4}", stated):
            text.reject("json-text")
        if int(stated, 16) != length:
            text.reject("length-word")
    rest = data[text.at :]
    if rest.strip(b" \t\r\n"):
        text.reject("trailing-bytes")
    text.blank |= rest not in (b"", b"\n", b"\r\n")
    if text.blank:
        text.note("sdo-white-space")
    voucher.remarks(text)
    return text, voucher


def compact(data):
    """Without white space outside of strings."""
    return re.sub(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', lambda m: m[1] or b"", data)


# Findings that are no deviations.
REMARKS = ("no-entries",)


def check(data, options):
    """The verdict, in the form of `expect` in a vector."""

    def judge(text, voucher):
        voucher.links()
        device(voucher.chain, text)
        return claims(voucher, options)

    def hashed(error):
        return error.kind.endswith("-mismatch") or error.kind in ("signature-invalid", "outer-key")

    try:
        text, voucher = read(data)
        try:
            proved = judge(text, voucher)
        except Reject as error:
            if not (options.get("reformatted") and text.blank and hashed(error)):
                raise
            try:
                text, voucher = read(compact(data))
                text.findings += [("sdo-white-space", None), ("sdo-reformatted", None)]
                proved = judge(text, voucher)
            except Reject as second:
                raise error if hashed(second) else second from None
        if options.get("strict"):
            for kind, entry in text.findings:
                if kind not in REMARKS:
                    raise Reject("deviation", entry)
    except Reject as error:
        return {"verdict": "rejected", "kind": error.kind, "entry": error.entry}
    return {
        "verdict": "verified",
        "guid": voucher.header.guid.hex(),
        "entries": len(voucher.entries),
        "owner": hashlib.sha256(voucher.owner().spki()).hexdigest(),
        "proved": proved,
        "findings": sorted(([kind, entry] for kind, entry in text.findings), key=str),
    }


def unnoticed(data):
    """How many bytes can have their lowest bit flipped so that the voucher still verifies."""
    count = 0
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        count += check(flipped, {})["verdict"] == "verified"
    return count
