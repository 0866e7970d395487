"""Hashes, keys and rendezvous info of SDO vouchers."""

import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

HASHES = {8: ("sha256", 32), 14: ("sha384", 48), 10: ("sha512", 64)}
# Curve, bytes of a coordinate, and where the point starts in a SubjectPublicKeyInfo.
CURVES = {13: (ec.SECP256R1, 32, 27), 14: (ec.SECP384R1, 48, 24)}
VARIABLES = {
    "cch": "hash",
    "delaysec": 32,
    "dn": "text",
    "ip": "address",
    "me": "text",
    "only": "text",
    "po": 16,
    "pow": 16,
    "pr": "text",
    "pw": "text",
    "sch": "hash",
    "ss": "text",
    "ui": 32,
    "wsp": "text",
}
PROTOCOLS = ("rest", "tcp", "tls", "CoAP/tcp", "http", "https")


class Hash:
    """[length, type, base64]"""

    def __init__(self, text, offset=0):
        start = text.ahead()
        text.sign(b"[")
        stated = text.number(8)
        text.sign(b",")
        kind = text.number(8)
        text.sign(b",")
        if kind - offset not in HASHES:
            other = kind in HASHES if offset else kind - 100 in HASHES
            swapped = "not-an-hmac" if offset else "not-a-hash"
            text.reject(swapped if other else "unsupported-hash-type")
        self.kind = kind - offset
        self.name, size = HASHES[self.kind]
        self.value = text.sized(stated)
        if len(self.value) != size:
            text.reject("hash-length")
        text.sign(b"]")
        self.span = start, text.at


class Key:
    """[type, encoding, body]"""

    def __init__(self, text):
        start = text.ahead()
        text.sign(b"[")
        self.type = text.number(8)
        if self.type not in (1, 4, 13, 14):
            text.reject("unsupported-key-type")
        text.sign(b",")
        self.encoding = text.number(8)
        if self.encoding not in (1, 3) or self.encoding == 3 and self.type > 4:
            text.reject("unsupported-key-encoding")
        text.sign(b",")
        text.sign(b"[")
        self.public = self._spki(text) if self.encoding == 1 else self._numbers(text)
        text.sign(b"]")
        text.sign(b"]")
        self.span = start, text.at

    def _spki(self, text):
        der = text.bytes()
        # An uncompressed point has one encoding for each curve.
        for kind, (curve, size, head) in CURVES.items():
            if len(der) == head + 2 * size and der[head - 1 : head] == b"\x04":
                try:
                    public = ec.EllipticCurvePublicKey.from_encoded_point(curve(), der[head - 1 :])
                except ValueError:
                    text.reject("point-not-on-curve")
                if spki_of(public) == der:
                    if self.type != kind:
                        text.reject("key-type-mismatch")
                    return public
        try:
            public = serialization.load_der_public_key(der)
        except UnsupportedAlgorithm:
            text.reject("unsupported-key-type")
        except (ValueError, TypeError):
            text.reject("key-encoding")
        if isinstance(public, ec.EllipticCurvePublicKey):
            if not isinstance(public.curve, (ec.SECP256R1, ec.SECP384R1)):
                text.reject("unsupported-key-type")
            point = spki_of(public)[-public.key_size // 4 - 1 :]
            text.reject("key-encoding" if point in der else "point-encoding")
        if not isinstance(public, rsa.RSAPublicKey):
            text.reject("unsupported-key-type")
        if spki_of(public) != der:
            text.reject("key-encoding")
        return self._rsa(text, public.public_numbers())

    def _numbers(self, text):
        modulus = text.bytes()
        text.sign(b",")
        exponent = text.bytes()
        for number in (modulus, exponent):
            value = int.from_bytes(number, "big")
            if value == 0 or number != value.to_bytes(value.bit_length() // 8 + 1, "big"):
                text.reject("key-encoding")
        numbers = (int.from_bytes(number, "big") for number in (exponent, modulus))
        return self._rsa(text, rsa.RSAPublicNumbers(*numbers))

    def _rsa(self, text, numbers):
        if numbers.n.bit_length() not in (2048, 3072) or numbers.n % 2 == 0:
            text.reject("rsa-modulus")
        if numbers.e % 2 == 0 or not 65537 <= numbers.e <= 1 << 32:
            text.reject("rsa-exponent")
        if self.type > 4:
            text.reject("key-type-mismatch")
        if self.type == 1 and numbers.n.bit_length() != 2048:
            text.reject("rsa-modulus")
        if self.type == 1 and numbers.e != 65537:
            text.reject("rsa-exponent")
        return numbers.public_key()

    def spki(self):
        return spki_of(self.public)

    def verifies(self, signature, message):
        try:
            if self.type in CURVES:
                r, s = utils.decode_dss_signature(signature)
                if utils.encode_dss_signature(r, s) != signature:
                    return False
                hashed = hashes.SHA256() if self.type == 13 else hashes.SHA384()
                self.public.verify(signature, message, ec.ECDSA(hashed))
            else:
                hashed = hashes.SHA384() if self.public.key_size == 3072 else hashes.SHA256()
                self.public.verify(signature, message, padding.PKCS1v15(), hashed)
        except (InvalidSignature, ValueError):
            return False
        return True

    def size(self):
        return self.public.key_size // 8


def spki_of(public):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.DER, form)


def rendezvous(text):
    """[count, [variables, {"name": value, …}], …]"""
    start = text.ahead()
    text.sign(b"[")
    stated, found = text.number(32), 0
    while text.more(False):
        found += 1
        _instruction(text)
    if found != stated:
        text.reject("length-word")
    if not found:
        text.note("rv-empty")
    return start, text.at


def _instruction(text):
    text.sign(b"[")
    stated, seen = text.number(32), {}
    text.sign(b",")
    text.sign(b"{")
    while (name := text.next_name(not seen)) is not None:
        if name in seen:
            text.reject("member")
        if len(seen) == 64:
            text.reject("limit-labels")
        seen[name] = _variable(text, VARIABLES.get(name))
        text.settings.append((name, seen[name]))
    text.sign(b"]")
    if len(seen) != stated:
        text.reject("length-word")
    if list(seen) != sorted(seen):
        text.note("sdo-rv-order")
    if not seen:
        text.note("rv-empty")
        return
    for name, value in seen.items():
        medium = re.fullmatch(r"(eth|wifi)[0-9*]", str(value))
        if name not in VARIABLES:
            text.note("rv-unknown")
        elif name == "only" and value not in ("dev", "owner") or name == "ui" and value > 1:
            text.note("rv-value")
        elif name == "pr" and value not in PROTOCOLS or name == "me" and not medium:
            text.note("rv-number")
        elif name == "dn" and not value:
            text.note("rv-host")
    if not seen.keys() & {"dn", "ip", "ui", "delaysec"}:
        text.note("rv-no-address")


def _variable(text, kind):
    if kind == "hash":
        return Hash(text).value
    if kind == "text":
        return text.string()[1]
    if kind == "address":
        text.sign(b"[")
        address = text.bytes()
        text.sign(b"]")
        if len(address) not in (4, 16):
            text.reject("wrong-size")
        return address
    if kind is None:
        return text.skip()
    return text.number(kind)
