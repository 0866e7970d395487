"""Test keys: derived from their names, kept in keys.json, and used to sign.

Nothing here is secret and nothing is random: the same name gives the same key, and the same message
the same signature (RFC 6979 for ECDSA; the salt of RSA-PSS is a hash of the message).
"""

import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import der

STORE = pathlib.Path(__file__).resolve().parent.parent / "keys.json"
CURVES = {"p256": (ec.SECP256R1(), 32, der.P256), "p384": (ec.SECP384R1(), 48, der.P384)}
ORDERS = {
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "p384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}
PRIMES = {
    "p256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "p384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
}
HASHES = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha1": hashes.SHA1(),
}
_cache = {}


def stream(name, size, counter=0):
    """`size` bytes that depend on the name alone."""
    return hashlib.shake_256(f"ownership-voucher test key {name} {counter}".encode()).digest(size)


def get(name):
    """The key of that name. The first part of the name is its kind: p256, p384, ed25519, rsa2048, rsa3072, rsa2048e3…"""
    if name not in _cache:
        _cache[name] = Key(name)
    return _cache[name]


def stored():
    """The text of keys.json: every key that was used."""
    return json.dumps({name: key.pem() for name, key in sorted(_cache.items())}, indent=1) + "\n"


def _stored(name):
    if "store" not in _stored.__dict__:
        _stored.store = json.loads(STORE.read_text()) if STORE.exists() else {}
    return _stored.store.get(name)


class Key:
    """A key pair."""

    def __init__(self, name):
        self.name = name
        self.kind = name.split("-")[0]
        pem = _stored(name)
        if pem:
            self.private = serialization.load_pem_private_key(
                pem.encode(), None, unsafe_skip_rsa_key_validation=True
            )
        elif self.kind in CURVES:
            self.private = _derive_ec(self.kind, name)
        elif self.kind == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(stream(name, 32))
        else:
            self.private = _derive_rsa(self.kind, name)
        if self.is_rsa:
            numbers = self.private.private_numbers()
            self.modulus, self.exponent = numbers.public_numbers.n, numbers.public_numbers.e
            self.p, self.q, self.d = numbers.p, numbers.q, numbers.d
            self.size = (self.modulus.bit_length() + 7) // 8
        elif self.is_ec:
            numbers = self.private.public_key().public_numbers()
            self.x, self.y, self.size = numbers.x, numbers.y, CURVES[self.kind][1]
        else:
            self.raw = self.private.public_key().public_bytes_raw()

    @property
    def is_rsa(self):
        return self.kind.startswith("rsa")

    @property
    def is_ec(self):
        return self.kind in CURVES

    def pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def point(self):
        """The uncompressed point."""
        return b"\x04" + self.x.to_bytes(self.size, "big") + self.y.to_bytes(self.size, "big")

    def spki(self):
        """SubjectPublicKeyInfo in DER, as RFC 5480, RFC 3279 and RFC 8410 have it."""
        if self.is_rsa:
            return der.spki_rsa(self.modulus, self.exponent)
        if self.is_ec:
            return der.spki_ec(CURVES[self.kind][2], self.point())
        return der.spki_ed25519(self.raw)

    def ecdsa(self, message, hash_name):
        """(r, s) of the deterministic signature of RFC 6979."""
        algorithm = ec.ECDSA(HASHES[hash_name], deterministic_signing=True)
        return decode_dss_signature(self.private.sign(message, algorithm))

    def fixed(self, r, s):
        """r and s as COSE wants them: side by side, each as long as the field."""
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")

    def rsa_raw(self, block):
        """block^d mod n, by the Chinese remainder theorem."""
        number = int.from_bytes(block, "big")
        a = pow(number, self.d % (self.p - 1), self.p)
        b = pow(number, self.d % (self.q - 1), self.q)
        h = (a - b) * pow(self.q, -1, self.p) % self.p
        return (b + h * self.q).to_bytes(self.size, "big")

    def sign(self, alg, message):
        """A COSE signature with the algorithm of that number."""
        if alg in ECDSA:
            return self.fixed(*self.ecdsa(message, ECDSA[alg]))
        if alg in PKCS1:
            return self.rsa_raw(pkcs1(message, PKCS1[alg], self.size))
        if alg in PSS:
            return self.rsa_raw(pss(message, PSS[alg], self.modulus.bit_length()))
        return self.private.sign(message)


ES256, ES384, EDDSA, RS256, RS384, PS256, PS384 = -7, -35, -8, -257, -258, -37, -38
ECDSA = {ES256: "sha256", ES384: "sha384"}
PKCS1 = {RS256: "sha256", RS384: "sha384"}
PSS = {PS256: "sha256", PS384: "sha384"}


def pkcs1(message, hash_name, size, info=None):
    """EMSA-PKCS1-v1_5 (RFC 8017 section 9.2). `info` replaces the DigestInfo."""
    if info is None:
        info = digest_info(message, hash_name)
    return b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info


def digest_info(message, hash_name, parameters=der.null(), label=None):
    digest = hashlib.new(hash_name, message).digest()
    return der.seq(der.seq(der.HASHES[label or hash_name], parameters), der.octets(digest))


def pss(message, hash_name, modulus_bits, salt_size=None, mask_hash=None, trailer=b"\xbc"):
    """EMSA-PSS (RFC 8017 section 9.1.1) with a salt that is a hash of the message."""
    bits = modulus_bits - 1
    size = (bits + 7) // 8
    digest = hashlib.new(hash_name, message).digest()
    salt_size = len(digest) if salt_size is None else salt_size
    salt = stream("salt " + digest.hex(), salt_size)
    h = hashlib.new(hash_name, bytes(8) + digest + salt).digest()
    block = bytes(size - salt_size - len(h) - 2) + b"\x01" + salt
    mask = b"".join(
        hashlib.new(mask_hash or hash_name, h + counter.to_bytes(4, "big")).digest()
        for counter in range(size // len(h) + 2)
    )[: len(block)]
    masked = bytearray(a ^ b for a, b in zip(block, mask))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + h + trailer


def _derive_ec(kind, name):
    """Names with `short-x` or `short-y` give a key whose coordinate begins with a zero byte."""
    curve, size, _ = CURVES[kind]
    for counter in range(100_000):
        scalar = int.from_bytes(stream(name, size + 16, counter), "big") % (ORDERS[kind] - 1) + 1
        private = ec.derive_private_key(scalar, curve)
        numbers = private.public_key().public_numbers()
        if (
            "short-x" in name
            and numbers.x >> 8 * (size - 1)
            or "short-y" in name
            and numbers.y >> 8 * (size - 1)
        ):
            continue
        return private
    raise AssertionError(name)


def _derive_rsa(kind, name):
    bits, _, exponent = kind.removeprefix("rsa").partition("e")
    bits, exponent = int(bits), int(exponent or 65537)
    counter = 0
    primes = []
    while len(primes) < 2:
        size = (bits + 1) // 2 if not primes else bits - (bits + 1) // 2
        counter += 1
        number = int.from_bytes(stream(name, size // 8 + 2, counter), "big") >> (16 - size % 8)
        number = number % (1 << size) | 3 << (size - 2) | 1
        if (number - 1) % exponent and _is_prime(number) and number not in primes:
            primes.append(number)
    p, q = primes
    n = p * q
    assert n.bit_length() == bits, name
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(exponent, n)
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


SMALL = [number for number in range(3, 4000, 2) if all(number % d for d in range(3, int(number**0.5) + 1, 2))]


def _is_prime(number):
    """Miller-Rabin with the first 24 odd primes as bases."""
    if any(number % small == 0 for small in SMALL):
        return False
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in SMALL[:24]:
        x = pow(base, odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True
