"""Vouchers that must be refused for the numbers of a public key: points, coordinates, moduli, exponents.

Each mutation stands once in the header of a voucher without entries and once in entry 1, the last, which a
sound key signs. So the bad key never has to sign, and no signature is wrong.
"""

from . import cbor, der, keys, owner
from .badkey import P256, P384, RSA, RSA3072, BadKeys
from .suite import multiply

suite = BadKeys(__file__)


def points():
    point = P256.point()
    x, y = point[1:33], point[33:]
    p, p384 = keys.PRIMES["p256"], keys.PRIMES["p384"]

    def ec(name, description, changed, kind, who=P256.name):
        suite.both(f"point-{name}", description, owner.ec_point(who, changed), kind)

    parity = P256.y & 1
    ec("compressed", "A compressed point.", bytes([2 + parity]) + x, "point-encoding")
    ec(
        "hybrid",
        "A hybrid point: uncompressed, with the parity of y in the first byte.",
        bytes([6 + parity]) + x + y,
        "point-encoding",
    )
    ec(
        "hybrid-wrong-parity",
        "A hybrid point whose parity lies.",
        bytes([7 - parity]) + x + y,
        "point-encoding",
    )
    ec("identity", "The point at infinity.", b"\0", "point-encoding")
    ec("empty", "No point.", b"", "point-encoding")
    ec("raw", "x and y without the byte 04.", x + y, "point-encoding")
    ec("short", "One byte missing at the end.", point[:-1], "point-encoding")
    ec("long", "One byte too many at the end.", point + b"\0", "point-encoding")
    ec(
        "compressed-p384",
        "A compressed point on P-384.",
        bytes([2 + (P384.y & 1)]) + P384.point()[1:49],
        "point-encoding",
        P384.name,
    )
    ec("zero-zero", "x = y = 0.", b"\x04" + bytes(64), "point-not-on-curve")
    ec(
        "y-plus-1",
        "y is one too large.",
        b"\x04" + x + (P256.y + 1).to_bytes(32, "big"),
        "point-not-on-curve",
    )
    ec(
        "x-flipped-bit",
        "One bit of x is flipped.",
        b"\x04" + (P256.x ^ 1).to_bytes(32, "big") + y,
        "point-not-on-curve",
    )
    ec("swapped", "y and x.", b"\x04" + y + x, "point-not-on-curve")
    ec(
        "all-ff",
        "All bits are set: both coordinates lie past the field.",
        b"\x04" + b"\xff" * 64,
        "point-not-on-curve",
    )
    ec(
        "p384-y-plus-1",
        "y is one too large, on P-384.",
        b"\x04" + P384.point()[1:49] + (P384.y + 1).to_bytes(48, "big"),
        "point-not-on-curve",
        P384.name,
    )
    ec("p384-zero-zero", "x = y = 0 on P-384.", b"\x04" + bytes(96), "point-not-on-curve", P384.name)
    # Points with small x, so that x + p still fits the field's bytes.
    for kind, prime, size, name in (("p256", p, 32, P256.name), ("p384", p384, 48, P384.name)):
        small_x, small_y = small_point(kind)
        for changed, (a, b) in (
            ("x-plus-p", (small_x + prime, small_y)),
            ("x-is-p", (prime, small_y)),
            ("y-is-p", (small_x, prime)),
        ):
            text = "A coordinate not reduced modulo p" + (
                ": the equation holds." if changed == "x-plus-p" else "."
            )
            ec(
                f"{kind}-{changed}",
                text,
                b"\x04" + a.to_bytes(size, "big") + b.to_bytes(size, "big"),
                "point-not-on-curve",
                name,
            )
    for name, raw in (
        ("not-on-curve", (2).to_bytes(32, "little")),
        ("y-is-p", (2**255 - 19).to_bytes(32, "little")),
    ):
        suite.both(
            f"ed25519-{name}",
            "32 bytes that RFC 8032 section 5.1.3 does not decode.",
            owner.x509("ed25519-owner-b", spki=der.spki_ed25519(raw)),
            "point-not-on-curve",
            allow=["experimental-keys"],
        )


def small_point(kind):
    """The point with the smallest x above 0."""
    p = keys.PRIMES[kind]
    generator_x, generator_y = multiply(kind, 1)
    b = (generator_y**2 - generator_x**3 + 3 * generator_x) % p
    x = 1
    while True:
        square = (x**3 - 3 * x + b) % p
        y = pow(square, (p + 1) // 4, p)
        if y * y % p == square:
            return x, y
        x += 1


def cose_keys():
    pairs = dict(zip(("kty", "crv", "x", "y"), owner.cose_labels(P256)))
    number = cbor.integer

    def cose(name, description, kind, label=None, **changes):
        changed = [pair for pair in (pairs | changes).values() if pair]
        suite.both(f"cosekey-{name}", description, owner.cosekey(P256.name, label, pairs=changed), kind)

    for missing in ("crv", "x", "y"):
        cose(f"without-{missing}", f"No {missing}.", "key-encoding", **{missing: None})
    cose("kty-okp", "kty 1 (OKP) with crv P-256.", "key-encoding", kty=(number(1), number(1)))
    cose("kty-symmetric", "kty 4 (symmetric).", "key-encoding", kty=(number(1), number(4)))
    cose("crv-p521", "crv 3 (P-521).", "unsupported-key-type", crv=(number(-1), number(3)))
    cose("crv-secp256k1", "crv 8 (secp256k1).", "unsupported-key-type", crv=(number(-1), number(8)))
    cose(
        "crv-257",
        "crv 257, which a truncation to 8 bits would make P-256.",
        "unsupported-key-type",
        crv=(number(-1), number(257)),
    )
    cose("crv-text", "crv as text.", "wrong-type", crv=(number(-1), cbor.tstr("P-256")))
    cose(
        "y-is-sign-bit",
        "y as a truth value: a compressed point (RFC 9053 section 7.1.1).",
        "point-encoding",
        y=(number(-3), cbor.TRUE),
    )
    cose("x-text", "x as text.", "wrong-type", x=(number(-2), cbor.tstr("x")))
    cose(
        "x-33-bytes",
        "x of 33 bytes that are not zero.",
        "point-encoding",
        x=(number(-2), cbor.bstr(b"\1" + P256.point()[1:33])),
    )
    cose(
        "x-plus-1",
        "x is one too large.",
        "point-not-on-curve",
        x=(number(-2), cbor.bstr((P256.x + 1).to_bytes(32, "big"))),
    )
    cose(
        "x-cut",
        "x has lost its last byte, which was not a leading zero.",
        "point-not-on-curve",
        x=(number(-2), cbor.bstr(P256.point()[1:32])),
    )
    cose("duplicate-x", "x twice.", "duplicate-label", again=pairs["x"])
    cose("duplicate-kty", "kty twice.", "duplicate-label", again=pairs["kty"])
    cose(
        "duplicate-crv-long",
        "crv twice, the second with a longer head of its label.",
        "duplicate-label",
        again=(number(-1, 1), number(2)),
    )
    cose("label-bytes", "A byte string as label.", "wrong-type", again=(cbor.bstr(b"kid"), number(1)))
    cose(
        "65-labels",
        "More labels than any COSE_Key has.",
        "limit-labels",
        **{f"label {n}": (number(100 + n), cbor.NULL) for n in range(61)},
    )
    suite.item(
        "cosekey-array",
        "An array in place of the COSE_Key.",
        owner.public_key(10, 3, cbor.array([number(2), number(1)])),
        "wrong-type",
    )
    suite.item(
        "cosekey-wrapped-trailing",
        "A byte behind the map inside the byte string.",
        owner.public_key(10, 3, cbor.bstr(cbor.mapping(pairs.values()) + b"\0")),
        "trailing-bytes",
    )
    p384 = owner.cosekey(
        P384.name, pairs=[(number(1), number(2)), (number(-1), number(1)), *owner.cose_labels(P384)[2:]]
    )
    suite.both(
        "cosekey-p384-coordinates-crv-p256", "P-384 coordinates under crv P-256.", p384, "point-encoding"
    )


def rsa():
    n, n3072 = RSA.modulus, RSA3072.modulus
    sizes = {bits: keys.get(f"rsa{bits}-owner").modulus for bits in (1024, 2047, 2049, 4096)}

    def numbers(name, description, modulus, exponent, kind, label=owner.RSAPKCS):
        suite.both(
            f"rsa-{name}",
            description,
            owner.x509(RSA.name, label, spki=der.spki_rsa(modulus, exponent)),
            kind,
        )
        changed = owner.crypto(
            RSA.name, label, modulus=owner.number_bytes(modulus), exponent=owner.number_bytes(exponent)
        )
        suite.entry(f"rsa-crypto-{name}", description + " Encoding Crypto.", changed, kind)

    for bits, modulus in sizes.items():
        numbers(f"{bits}-bits", f"A modulus of {bits} bits.", modulus, 65537, "rsa-modulus")
    numbers("even-modulus", "An even modulus of 2048 bits.", n - 1, 65537, "rsa-modulus")
    numbers("modulus-zero", "The modulus is 0.", 0, 65537, "rsa-modulus")
    for exponent in (0, 1, 2, 3, 17, 257, 65535, 65536, 65538, 2**32 + 1, 2**64 + 1, 2**64 + 65537):
        numbers(f"exponent-{exponent}", f"The exponent is {exponent}.", n, exponent, "rsa-exponent")
    numbers("exponent-as-large-as-modulus", "The exponent is the modulus minus 2.", n, n - 2, "rsa-exponent")
    numbers(
        "restr-exponent-65539",
        "RSA2048RESTR allows 65537 alone.",
        keys.get("rsa2048e65539-owner").modulus,
        65539,
        "rsa-exponent",
        owner.RSA2048RESTR,
    )
    numbers(
        "restr-3072-bits", "RSA2048RESTR with 3072 bits.", n3072, 65537, "rsa-modulus", owner.RSA2048RESTR
    )
    number = owner.number_bytes
    body = [cbor.bstr(number(n)), cbor.bstr(number(65537))]
    for name, description, encoded, kind in (
        ("3-items", "Three items.", cbor.array([*body, cbor.NULL]), "wrong-size"),
        ("1-item", "The modulus alone.", cbor.array(body[:1]), "wrong-size"),
        (
            "exponent-number",
            "The exponent as a CBOR number.",
            cbor.array([body[0], cbor.integer(65537)]),
            "wrong-type",
        ),
        ("swapped", "Exponent and modulus.", cbor.array(body[::-1]), "rsa-modulus"),
        ("spki", "A SubjectPublicKeyInfo under encoding Crypto.", cbor.bstr(RSA.spki()), "wrong-type"),
    ):
        suite.both(
            f"rsa-crypto-{name}", description, owner.raw(RSA.name, owner.public_key(5, 0, encoded)), kind
        )


for group in (points, cose_keys, rsa):
    group()
