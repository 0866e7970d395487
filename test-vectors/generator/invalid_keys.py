"""Vouchers that must be refused for how a public key is labelled or encoded.

Each mutation stands once in the header of a voucher without entries and once in entry 1, the last, which a
sound key signs. So the bad key never has to sign, and no signature is wrong.
"""

from . import cbor, certs, der, keys, owner
from .badkey import P256, P384, REDONE, RSA, BadKeys
from .suite import MAKER, OWNERS, multiply
from .voucher import Draft, Hop

suite = BadKeys(__file__)


def labels():
    spki, size = cbor.bstr(P256.spki()), cbor.integer
    suite.item("null", "null in place of the key.", cbor.NULL, "wrong-type")
    suite.item("bytes", "A bare SubjectPublicKeyInfo.", spki, "wrong-type")
    suite.item("2-items", "No encoding.", cbor.array([size(10), spki]), "wrong-size")
    suite.item("4-items", "A fourth item.", cbor.array([size(10), size(1), spki, cbor.NULL]), "wrong-size")
    suite.item(
        "type-text",
        "The key type as text.",
        cbor.array([cbor.tstr("SECP256R1"), size(1), spki]),
        "wrong-type",
    )
    suite.item(
        "encoding-text",
        "The encoding as text.",
        cbor.array([size(10), cbor.tstr("X509"), spki]),
        "wrong-type",
    )
    for code in (0, 2, 7, 9, 12, 13, 15, 90, 91, -7, -8, -35, -70002):
        suite.both(
            f"type-{code}", f"Key type {code}.", owner.x509("p256-owner-b", code), "unsupported-key-type"
        )
    for code in (10 + 2**8, 10 + 2**16, 10 + 2**32, 10 - 2**8, 10 - 2**16, 10 - 2**32):
        suite.entry(
            f"type-{code}",
            f"Key type {code}, which a truncation to fewer bits would make 10.",
            owner.x509("p256-owner-b", code),
            "unsupported-key-type",
        )
    suite.both(
        "type-2-64-minus-1",
        "The largest key type CBOR can write.",
        owner.x509("p256-owner-b", 2**64 - 1),
        "unsupported-key-type",
    )
    for code in (4, 255, -1, 1 + 2**8, 1 + 2**16, 1 + 2**32, 1 - 2**32):
        suite.entry(
            f"encoding-{code}",
            f"Encoding {code}.",
            owner.raw("p256-owner-b", owner.public_key(10, code, spki)),
            "unsupported-key-encoding",
        )
    suite.both(
        "ec-crypto",
        "Encoding Crypto is defined for RSA alone.",
        owner.raw(
            "p256-owner-b",
            owner.public_key(
                10, 0, cbor.array([cbor.bstr(P256.point()[1:33]), cbor.bstr(P256.point()[33:])])
            ),
        ),
        "unsupported-key-encoding",
    )
    cose_rsa = cbor.mapping(
        [
            (size(1), size(3)),
            (size(-1), cbor.bstr(owner.number_bytes(RSA.modulus))),
            (size(-2), cbor.bstr(b"\1\0\1")),
        ]
    )
    suite.both(
        "rsa-cosekey",
        "An RSA key as COSE_Key (RFC 8230).",
        owner.raw(RSA.name, owner.public_key(5, 3, cose_rsa)),
        "unsupported-key-encoding",
    )


def mismatches():
    for name, who, label in (
        ("rsa-labelled-p256", RSA.name, 10),
        ("rsa-labelled-p384", RSA.name, 11),
        ("p256-labelled-rsa2048restr", P256.name, 1),
        ("p256-labelled-rsapkcs", P256.name, 5),
        ("p384-labelled-rsapss", P384.name, 6),
        ("ed25519-labelled-p256", "ed25519-owner-b", 10),
        ("p256-labelled-ed25519", P256.name, owner.ED25519),
        ("rsa-labelled-ed25519", RSA.name, owner.ED25519),
    ):
        allow = {"allow": ["key-type-label", "experimental-keys"]}
        suite.both(
            name,
            "The label lies about the kind of key, not only about the curve; no allowance helps.",
            owner.x509(who, label),
            "key-type-mismatch",
            **allow,
        )
    suite.both(
        "x5chain-rsa-labelled-p256",
        "The same with the key in a certificate.",
        owner.x5chain(RSA.name, 10),
        "key-type-mismatch",
        allow=["key-type-label"],
    )
    suite.both(
        "p256-labelled-p384",
        "The label names the other curve, and the allowance is missing.",
        owner.x509(P256.name, 11),
        "key-type-mismatch",
    )
    suite.both(
        "p384-labelled-p256", "The same the other way round.", owner.x509(P384.name, 10), "key-type-mismatch"
    )
    suite.both(
        "cosekey-p256-labelled-p384",
        "The same with COSEKEY.",
        owner.cosekey(P256.name, 11),
        "key-type-mismatch",
    )
    suite.both(
        "x5chain-p256-labelled-p384",
        "The same with X5CHAIN.",
        owner.x5chain(P256.name, 11),
        "key-type-mismatch",
    )
    suite.both(
        "ed25519",
        "An experimental key without the allowance.",
        owner.x509("ed25519-owner-b"),
        "experimental-key",
    )
    suite.both(
        "ed25519-cosekey", "The same as COSEKEY.", owner.cosekey("ed25519-owner-b"), "experimental-key"
    )


def spki():
    def x509(name, description, body, kind="key-encoding", who=P256.name, label=None):
        suite.both(f"x509-{name}", description, owner.x509(who, label, spki=body), kind)

    good = P256.spki()
    x509("empty", "An empty SubjectPublicKeyInfo.", b"")
    x509("garbage", "91 bytes that are not DER.", keys.stream("garbage", 91))
    x509("trailing-byte", "A byte behind the SubjectPublicKeyInfo.", good + b"\0")
    x509("cut", "The last byte of the SubjectPublicKeyInfo is missing.", good[:-1])
    x509("long-length", "A DER length in two bytes where one is enough.", b"\x30\x81\x59" + good[2:])
    x509("indefinite-length", "BER with indefinite length.", b"\x30\x80" + good[2:] + b"\0\0")
    x509(
        "inner-trailing-byte",
        "A byte behind the bit string inside the sequence.",
        der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.bits(P256.point()), der.null()),
    )
    x509(
        "unused-bits",
        "The bit string says that three bits are unused.",
        der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.bits(P256.point(), 3)),
    )
    x509(
        "octet-string",
        "An octet string in place of the bit string.",
        der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.octets(P256.point())),
    )
    x509("bare-point", "The point alone.", P256.point())
    x509(
        "certificate",
        "A certificate; encoding X509 means SubjectPublicKeyInfo.",
        certs.owner_chain(P256, length=1)[0],
    )
    x509("no-curve", "The curve is missing.", der.seq(der.seq(der.EC_PUBLIC_KEY), der.bits(P256.point())))
    p = keys.PRIMES["p256"]
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    generator = b"\x04" + b"".join(number.to_bytes(32, "big") for number in multiply("p256", 1))
    explicit = der.seq(
        der.integer(1),
        der.seq(der.oid("1.2.840.10045.1.1"), der.integer(p)),
        der.seq(der.octets((p - 3).to_bytes(32, "big")), der.octets(b.to_bytes(32, "big"))),
        der.octets(generator),
        der.integer(keys.ORDERS["p256"]),
        der.integer(1),
    )
    x509(
        "explicit-parameters",
        "P-256 written out as explicit parameters: they could hide another generator (CVE-2020-0601).",
        der.seq(der.seq(der.EC_PUBLIC_KEY, explicit), der.bits(P256.point())),
    )
    x509(
        "secp256k1",
        "A key on another curve.",
        der.spki_ec(der.SECP256K1, P256.point()),
        "unsupported-key-type",
    )
    x509(
        "p521", "A P-521 key.", der.spki_ec(der.P521, b"\x04" + bytes(132)), "unsupported-key-type", label=11
    )
    x509(
        "rsa-without-null",
        "RSA parameters are missing in place of NULL.",
        der.seq(der.seq(der.RSA_ENCRYPTION), der.bits(der.seq(der.integer(RSA.modulus), der.integer(65537)))),
        who=RSA.name,
    )
    x509(
        "rsa-pss-oid",
        "id-RSASSA-PSS; FDO says rsaEncryption also for type 6.",
        der.seq(der.seq(der.RSASSA_PSS), der.bits(der.seq(der.integer(RSA.modulus), der.integer(65537)))),
        "unsupported-key-type",
        who=RSA.name,
        label=owner.RSAPSS,
    )
    negative = der.tlv(2, owner.number_bytes(RSA.modulus))
    x509(
        "rsa-negative-modulus",
        "The modulus without its leading zero byte is a negative number.",
        der.seq(der.seq(der.RSA_ENCRYPTION, der.null()), der.bits(der.seq(negative, der.integer(65537)))),
        who=RSA.name,
    )
    long = der.tlv(2, owner.number_bytes(RSA.modulus, 2))
    x509(
        "rsa-modulus-two-zeros",
        "The modulus with two leading zero bytes is not DER.",
        der.seq(der.seq(der.RSA_ENCRYPTION, der.null()), der.bits(der.seq(long, der.integer(65537)))),
        who=RSA.name,
    )
    suite.item(
        "x509-text",
        "The SubjectPublicKeyInfo as text.",
        owner.public_key(10, 1, cbor.tstr("key")),
        "wrong-type",
    )
    suite.item(
        "x509-map",
        "A COSE_Key under encoding X509.",
        owner.public_key(10, 1, cbor.mapping(owner.cose_labels(P256))),
        "wrong-type",
    )


def chains():
    chain = certs.owner_chain(P256)
    encoded = list(map(cbor.bstr, chain))

    def x5chain(name, description, body, kind):
        suite.both(f"x5chain-{name}", description, owner.x5chain(P256.name, body=body), kind)

    x5chain("empty", "An empty array of certificates.", cbor.EMPTY_ARRAY, "chain-empty")
    x5chain("null", "null.", cbor.NULL, "wrong-type")
    x5chain(
        "number", "A number among the certificates.", cbor.array([*encoded, cbor.integer(0)]), "wrong-type"
    )
    x5chain(
        "leaf-garbage",
        "The leaf is not a certificate.",
        cbor.array([cbor.bstr(keys.stream("garbage", 300)), encoded[1]]),
        "certificate",
    )
    x5chain("leaf-empty", "The leaf has no bytes.", cbor.array([cbor.bstr(b""), encoded[1]]), "certificate")
    x5chain(
        "leaf-trailing-byte",
        "A byte behind the leaf.",
        cbor.array([cbor.bstr(chain[0] + b"\0"), encoded[1]]),
        "certificate",
    )
    x5chain(
        "leaf-cut",
        "The last byte of the leaf is missing.",
        cbor.array([cbor.bstr(chain[0][:-1]), encoded[1]]),
        "certificate",
    )
    x5chain(
        "leaf-is-spki",
        "A SubjectPublicKeyInfo in place of the leaf.",
        cbor.array([cbor.bstr(P256.spki()), encoded[1]]),
        "certificate",
    )
    x5chain(
        "17-certificates",
        "One certificate more than the default limit.",
        cbor.array([encoded[0]] * 17),
        "limit-certificates",
    )
    x5chain(
        "wrapped-trailing",
        "A byte behind the array inside the byte string.",
        cbor.bstr(cbor.array(encoded) + b"\0"),
        "trailing-bytes",
    )
    x5chain(
        "wrapped-empty", "An empty array inside a byte string.", cbor.bstr(cbor.EMPTY_ARRAY), "chain-empty"
    )
    x5chain(
        "certificate-size",
        "A certificate of more than 64 KiB.",
        cbor.array([cbor.bstr(certs.owner_chain(P256, length=1, padding=65536)[0])]),
        "limit-certificate-size",
    )
    off = der.spki_ec(der.P256, b"\x04" + P256.point()[1:33] + (P256.y + 1).to_bytes(32, "big"))
    x5chain(
        "leaf-off-curve",
        "The leaf holds a point that is not on the curve.",
        cbor.array(map(cbor.bstr, certs.owner_chain(P256, length=1, spki=off))),
        "point-not-on-curve",
    )
    small = der.spki_rsa(keys.get("rsa1024-owner").modulus, 65537)
    body = cbor.array(map(cbor.bstr, certs.owner_chain(RSA, length=1, spki=small)))
    suite.both(
        "x5chain-rsa-1024",
        "The leaf holds an RSA key of 1024 bits.",
        owner.x5chain(RSA.name, body=body),
        "rsa-modulus",
    )
    body = cbor.array([encoded[1], encoded[0]])
    suite.invalid(
        "entry-1-signed-by-leaf-of-reversed-chain",
        "The chain of entry 0 stands root first, so its key is that of the root; entry 1 is signed with the leaf's key."
        + REDONE,
        Draft(MAKER, [Hop(owner.x5chain(P256.name, body=body)), Hop(OWNERS[0])]),
        "signature-invalid",
        1,
    )


for group in (labels, mismatches, spki, chains):
    group()
