"""Public keys of owners: reading, checking, verifying."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from . import der
from .cbor import Reader

P = {
    "p256": 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    "p384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF,
}
B = {
    "p256": 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    "p384": 0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
}
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}
SIZES = {"p256": 32, "p384": 48}
RSA_TYPES, EC_TYPES, ED25519 = (1, 5, 6), {10: "p256", 11: "p384"}, -70001
ALGORITHMS = {-7: "p256", -35: "p384", -8: "ed25519", -257: "rsa", -258: "rsa", -37: "rsa", -38: "rsa"}


class PublicKey:
    """[pkType, pkEnc, pkBody]. The constructor checks structure, `check` the numbers."""

    def __init__(self, reader):
        context = self.context = reader.context
        self.entry, self.offset = context.entry, reader.at
        outer = reader.array(3)
        outer.next()
        self.type_at = reader.at
        self.type = reader.integer()
        if self.type not in (*RSA_TYPES, *EC_TYPES, ED25519):
            context.reject("unsupported-key-type")
        outer.next()
        self.encoding = reader.integer()
        if self.encoding not in (0, 1, 2, 3) or not self._encoding_fits():
            context.reject("unsupported-key-encoding")
        outer.next()
        self.chain = []
        [self._crypto, self._x509, self._x5chain, self._cose][self.encoding](reader)
        outer.done()
        self._fits()
        if self.kind == "rsa":
            self._check_rsa()
        self.item = reader.data[self.offset : reader.at]

    def _encoding_fits(self):
        if self.type in RSA_TYPES:
            return self.encoding != 3
        return self.encoding != 0

    def _spki(self, spki):
        try:
            self.kind, self.value = der.public_key(spki)
        except der.BadDer:
            self.context.reject("key-encoding")
        if self.kind == "unknown":
            self.context.reject("unsupported-key-type")
        if self.kind in SIZES:
            size, point = SIZES[self.kind], self.value
            if len(point) != 2 * size + 1 or point[0] != 4:
                self.context.reject("point-encoding")
            self.value = int.from_bytes(point[1 : size + 1], "big"), int.from_bytes(point[size + 1 :], "big")

    def _x509(self, reader):
        self._spki(reader.bstr())

    def _x5chain(self, reader):
        offset = reader.at
        if reader.peek() >> 5 == 2:
            start, end = reader.string(2)
            # A certificate begins with 30, an array of certificates with 8x or 9x.
            if end > start and reader.data[start] >> 5 == 4:
                self.context.note("x5chain-wrapped", offset)
                inner = Reader(reader.data, start, end, self.context)
                self.chain = certificates(inner)
                inner.finish()
            else:
                self.context.note("x5chain-bare", offset)
                self.chain = [reader.data[start:end]]
        else:
            self.chain = certificates(reader)
        try:
            spki = der.spki_of(self.chain[0])
        except der.BadDer:
            self.context.reject("certificate")
        self._spki(spki)

    def _crypto(self, reader):
        outer = reader.array(2)
        numbers = []
        for _ in range(2):
            outer.next()
            offset = reader.at
            content = reader.bstr()
            if content[:1] == b"\0":
                self.context.note("leading-zero", offset)
            numbers.append(int.from_bytes(content, "big"))
        outer.done()
        self.kind, self.value = "rsa", tuple(numbers)

    def _cose(self, reader):
        if reader.peek() >> 5 == 2:
            self.context.note("cose-key-wrapped", reader.at)
            inner = reader.inside()
            self._cose_map(inner)
            inner.finish()
        else:
            self._cose_map(reader)

    def _cose_map(self, reader):
        context, offset = self.context, reader.at
        items, seen, numbers, coordinates = reader.mapping(), set(), {}, {}
        misuse = {}
        while items.more():
            items.read += 1
            label_at = reader.at
            label = reader.label()
            if label in seen:
                context.reject("duplicate-label")
            if len(seen) == 64:
                context.reject("limit-labels")
            seen.add(label)
            if label in (1, -1):
                numbers[label] = reader.integer()
            elif label == -3 and reader.peek() in (0xF4, 0xF5):
                context.reject("point-encoding")
            elif label in (-2, -3):
                coordinates[label] = reader.at, reader.bstr()
            elif label == 3:
                misuse[3] = label_at, reader.integer() if reader.peek() >> 5 < 2 else reader.skip()
            elif label == 4:
                misuse[4] = label_at, _operations(reader)
            else:
                if label == -4:
                    context.note("cose-key-private", label_at)
                reader.skip()
        if 1 not in numbers:
            context.note("cose-key-without-kty", offset)
        kty = numbers.get(1, 1 if self.type == ED25519 else 2)
        self.kind = {(2, 1): "p256", (2, 2): "p384", (1, 6): "ed25519"}.get((kty, numbers.get(-1)))
        if numbers.get(-1, 1) not in (1, 2, 6):
            context.reject("unsupported-key-type")
        if self.kind is None or -2 not in coordinates or (kty == 2 and -3 not in coordinates):
            context.reject("key-encoding")
        fitting = {"p256": (-7, -9), "p384": (-35, -51), "ed25519": (-8, -19)}[self.kind]
        if misuse.get(3, (0, fitting[0]))[1] not in fitting:
            context.note("cose-key-use", misuse[3][0])
        elif 2 not in misuse.get(4, (0, [2]))[1]:
            context.note("cose-key-use", misuse[4][0])
        if self.kind == "ed25519":
            self.value = coordinates[-2][1]
            if len(self.value) != 32:
                context.reject("point-encoding")
            return
        values = []
        for label in (-2, -3):
            at, content = coordinates[label]
            size = SIZES[self.kind]
            if len(content) != size:
                context.note("coordinate-length", at)
            if len(content.lstrip(b"\0")) > size or not content:
                context.reject("point-encoding")
            values.append(int.from_bytes(content, "big"))
        self.value = tuple(values)

    def _fits(self):
        context = self.context
        if self.type == ED25519:
            fits = self.kind == "ed25519"
            context.note("experimental-key", self.type_at)
        elif self.type in RSA_TYPES:
            fits = self.kind == "rsa"
        else:
            fits = self.kind in SIZES
            if fits and EC_TYPES[self.type] != self.kind:
                context.note("key-type-label", self.type_at)
        if not fits:
            context.reject("key-type-mismatch")

    def check(self):
        """Stage 5: are the numbers those of a key?"""
        context = self.context
        context.entry = self.entry
        if self.kind in SIZES:
            p, (x, y) = P[self.kind], self.value
            if x >= p or y >= p or (y * y - x * x * x + 3 * x - B[self.kind]) % p:
                context.reject("point-not-on-curve")
        elif self.kind == "ed25519" and not _on_edwards(self.value):
            context.reject("point-not-on-curve")

    def _check_rsa(self):
        """The ranges of RSA numbers need no arithmetic, so they belong to the structure."""
        n, e = self.value
        if n.bit_length() not in ((2048,) if self.type == 1 else (2048, 3072)) or n % 2 == 0:
            self.context.reject("rsa-modulus")
        if (e != 65537) if self.type == 1 else (e % 2 == 0 or not 65537 <= e <= 1 << 32):
            self.context.reject("rsa-exponent")

    def algorithm_fits(self, alg):
        if ALGORITHMS[alg] != self.kind:
            return False
        if self.kind == "rsa":
            small = self.value[0].bit_length() < 3072
            return alg == ((-37 if small else -38) if self.type == 6 else (-257 if small else -258))
        return True

    def signature_size(self):
        if self.kind == "rsa":
            return (self.value[0].bit_length() + 7) // 8
        return 64 if self.kind == "ed25519" else 2 * SIZES[self.kind]

    def public(self):
        if self.kind == "rsa":
            return rsa.RSAPublicNumbers(self.value[1], self.value[0]).public_key()
        if self.kind == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(self.value)
        return ec.EllipticCurvePublicNumbers(*self.value, CURVES[self.kind]).public_key()

    def spki(self):
        """The key in its one normal form."""
        return self.public().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def verifies(self, alg, signature, message):
        hashed = hashes.SHA384() if alg in (-35, -38, -258) else hashes.SHA256()
        try:
            if self.kind == "rsa" and alg in (-257, -258):
                self.public().verify(signature, message, padding.PKCS1v15(), hashed)
            elif self.kind == "rsa":
                pss = padding.PSS(padding.MGF1(hashed), padding.PSS.DIGEST_LENGTH)
                self.public().verify(signature, message, pss, hashed)
            elif self.kind == "ed25519":
                self.public().verify(signature, message)
            else:
                half = len(signature) // 2
                r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
                self.public().verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashed))
        except (InvalidSignature, ValueError):
            return False
        return True


def _operations(reader):
    """The numbers in `key_ops`; other things are no operation that is known."""
    found = []
    if reader.peek() >> 5 != 4:
        reader.skip()
        return found
    items = reader.array()
    while items.more():
        items.read += 1
        if reader.peek() >> 5 < 2:
            found.append(reader.integer())
        else:
            reader.skip()
    return found


def is_device_key(spki):
    """Whether FDO 1.1 has such a key for devices."""
    try:
        kind, value = der.public_key(spki)
    except der.BadDer:
        return False
    if kind in SIZES:
        size = SIZES[kind]
        if len(value) != 2 * size + 1 or value[0] != 4:
            return False
        x, y = int.from_bytes(value[1 : size + 1], "big"), int.from_bytes(value[size + 1 :], "big")
        p = P[kind]
        return x < p and y < p and (y * y - x * x * x + 3 * x - B[kind]) % p == 0
    if kind == "rsa":
        n, e = value
        return n.bit_length() in (2048, 3072) and n % 2 == 1 and e % 2 == 1 and 65537 <= e <= 1 << 32
    return False


def note_certificate(context, certificate, offset):
    """Says so where these bytes, whose content begins there, are no certificate."""
    try:
        der.spki_of(certificate)
    except der.BadDer:
        context.note("certificate-malformed", offset)


def certificates(reader, limit=16, size=64 << 10):
    """The certificates of an array."""
    items, found = reader.array(), []
    while items.more():
        if len(found) == limit:
            reader.context.reject("limit-certificates")
        items.read += 1
        found.append(reader.bstr())
        if len(found[-1]) > size:
            reader.context.reject("limit-certificate-size")
        note_certificate(reader.context, found[-1], reader.at - len(found[-1]))
    if not found:
        reader.context.reject("chain-empty")
    return found


def _on_edwards(encoded):
    """Whether 32 bytes decode to a point of edwards25519 (RFC 8032 section 5.1.3)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    if y >= p:
        return False
    square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    if square == 0:
        return encoded[31] >> 7 == 0
    return pow(square, (p - 1) // 2, p) == 1


def sha256(data):
    return hashlib.sha256(data).hexdigest()
