"""PublicKey items: one owner, its key, and how a voucher writes it."""

from dataclasses import dataclass

from . import cbor, certs, der, keys

RSA2048RESTR, RSAPKCS, RSAPSS, SECP256R1, SECP384R1, ED25519 = 1, 5, 6, 10, 11, -70001
CRYPTO, X509, X5CHAIN, COSEKEY = 0, 1, 2, 3
TYPES = {"p256": SECP256R1, "p384": SECP384R1, "ed25519": ED25519, "rsa2048": RSAPKCS, "rsa3072": RSAPKCS}
CURVE_NUMBERS = {"p256": 1, "p384": 2, "ed25519": 6}


@dataclass
class Owner:
    """Someone who can own a voucher: the key and its PublicKey item."""

    key: keys.Key
    item: bytes
    type: int

    @property
    def alg(self):
        """The algorithm with which this key signs entries."""
        if self.key.kind == "p256":
            return keys.ES256
        if self.key.kind == "p384":
            return keys.ES384
        if self.key.kind == "ed25519":
            return keys.EDDSA
        small = self.key.modulus.bit_length() < 3072
        if self.type == RSAPSS:
            return keys.PS256 if small else keys.PS384
        return keys.RS256 if small else keys.RS384


def public_key(type_, encoding, body, type_width=None, encoding_width=None, width=None):
    """PublicKey = [pkType, pkEnc, pkBody]; `body` is encoded."""
    return cbor.array([cbor.integer(type_, type_width), cbor.integer(encoding, encoding_width), body], width)


def key_type(key, type_=None):
    return TYPES.get(key.kind, RSAPKCS) if type_ is None else type_


def x509(name, type_=None, spki=None, **widths):
    key = keys.get(name)
    type_ = key_type(key, type_)
    body = cbor.bstr(key.spki() if spki is None else spki)
    return Owner(key, public_key(type_, X509, body, **widths), type_)


def x5chain(name, type_=None, chain=None, body=None, length=2):
    """The default body is an array of certificates, leaf first."""
    key = keys.get(name)
    type_ = key_type(key, type_)
    if body is None:
        body = cbor.array(
            map(cbor.bstr, chain if chain is not None else certs.owner_chain(key, length=length))
        )
    return Owner(key, public_key(type_, X5CHAIN, body), type_)


def cose_labels(key, kty=True, x=None, y=None):
    """The (label, value) pairs of a COSE_Key (RFC 9053 section 7), in the order 1, -1, -2, -3."""
    if key.kind == "ed25519":
        numbers = [(1, cbor.integer(1)), (-1, cbor.integer(6)), (-2, cbor.bstr(key.raw if x is None else x))]
    else:
        x = key.x.to_bytes(key.size, "big") if x is None else x
        y = key.y.to_bytes(key.size, "big") if y is None else y
        curve = cbor.integer(CURVE_NUMBERS[key.kind])
        numbers = [(1, cbor.integer(2)), (-1, curve), (-2, cbor.bstr(x)), (-3, cbor.bstr(y))]
    return [(cbor.integer(label), value) for label, value in numbers if kty or label != 1]


def cosekey(name, type_=None, pairs=None, body=None, **parts):
    key = keys.get(name)
    type_ = key_type(key, type_)
    if body is None:
        body = cbor.mapping(pairs or cose_labels(key, **parts))
    return Owner(key, public_key(type_, COSEKEY, body), type_)


def number_bytes(number, leading=0):
    return bytes(leading) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def crypto(name, type_=None, modulus=None, exponent=None):
    """RSA as [modulus, exponent]."""
    key = keys.get(name)
    type_ = key_type(key, type_)
    modulus = number_bytes(key.modulus) if modulus is None else modulus
    exponent = number_bytes(key.exponent) if exponent is None else exponent
    return Owner(key, public_key(type_, CRYPTO, cbor.array([cbor.bstr(modulus), cbor.bstr(exponent)])), type_)


def raw(name, item, type_=None):
    """An owner with an item made elsewhere; `name` is the key that would sign for it."""
    key = keys.get(name)
    return Owner(key, item, key_type(key, type_))


def ec_point(name, point, type_=None):
    """X509 with another point in the bit string."""
    key = keys.get(name)
    return x509(name, type_, spki=der.spki_ec(keys.CURVES[key.kind][2], point))


def crypto_or_x509(name, type_=None):
    """Encoding Crypto for RSA keys (pri-fidoiot), X509 for others, which Crypto cannot hold."""
    return (crypto if keys.get(name).is_rsa else x509)(name, type_)
