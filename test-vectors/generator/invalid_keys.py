"""Vouchers that must be refused for a public key, each mutation as the manufacturer's key and as that of an owner.

The header key stands in a voucher without entries, the owner key in entry 1, which is the last and
signed by a sound key. So the bad key never has to sign, and no signature is wrong.
"""
from . import cbor, certs, der, keys, owner
from .suite import MAKER, OWNERS, Suite, last, multiply
from .voucher import Draft, Hop

suite = Suite(__file__)
REDONE = " Hashes and signatures were redone."
P256, P384, RSA, RSA3072 = (keys.get(name) for name in ("p256-owner-b", "p384-owner-b", "rsa2048-owner-b", "rsa3072-owner-b"))


def both(name, description, who, kind, **options):
    """The bad key in the header and in entry 1."""
    suite.invalid(f"header-key-{name}", description + REDONE, Draft(who), kind, **options)
    entry(name, description, who, kind, **options)


def entry(name, description, who, kind, **options):
    suite.invalid(f"entry-1-key-{name}", description + REDONE, last(2, owner=who), kind, 1, **options)


def item(name, description, encoded, kind):
    both(name, description, owner.raw("p256-owner-b", encoded), kind)


def labels():
    spki, size = cbor.bstr(P256.spki()), cbor.integer
    item("null", "null in place of the key.", cbor.NULL, "wrong-type")
    item("bytes", "A bare SubjectPublicKeyInfo.", spki, "wrong-type")
    item("2-items", "No encoding.", cbor.array([size(10), spki]), "wrong-size")
    item("4-items", "A fourth item.", cbor.array([size(10), size(1), spki, cbor.NULL]), "wrong-size")
    item("type-text", "The key type as text.", cbor.array([cbor.tstr("SECP256R1"), size(1), spki]), "wrong-type")
    item("encoding-text", "The encoding as text.", cbor.array([size(10), cbor.tstr("X509"), spki]), "wrong-type")
    for code in (0, 2, 7, 9, 12, 13, 15, 90, 91, -7, -8, -35, -70002):
        both(f"type-{code}", f"Key type {code}.", owner.x509("p256-owner-b", code), "unsupported-key-type")
    for code in (10 + 2**8, 10 + 2**16, 10 + 2**32, 10 - 2**8, 10 - 2**16, 10 - 2**32):
        entry(f"type-{code}", f"Key type {code}, which a truncation to fewer bits would make 10.", owner.x509("p256-owner-b", code), "unsupported-key-type")
    both("type-2-64-minus-1", "The largest key type CBOR can write.", owner.x509("p256-owner-b", 2**64 - 1), "unsupported-key-type")
    for code in (4, 255, -1, 1 + 2**8, 1 + 2**16, 1 + 2**32, 1 - 2**32):
        entry(f"encoding-{code}", f"Encoding {code}.", owner.raw("p256-owner-b", owner.public_key(10, code, spki)), "unsupported-key-encoding")
    both("ec-crypto", "Encoding Crypto is defined for RSA alone.", owner.raw("p256-owner-b", owner.public_key(10, 0, cbor.array([cbor.bstr(P256.point()[1:33]), cbor.bstr(P256.point()[33:])]))), "unsupported-key-encoding")
    cose_rsa = cbor.mapping([(size(1), size(3)), (size(-1), cbor.bstr(owner.number_bytes(RSA.modulus))), (size(-2), cbor.bstr(b"\1\0\1"))])
    both("rsa-cosekey", "An RSA key as COSE_Key (RFC 8230).", owner.raw(RSA.name, owner.public_key(5, 3, cose_rsa)), "unsupported-key-encoding")


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
        both(name, "The label lies about the kind of key, not only about the curve; no allowance helps.", owner.x509(who, label), "key-type-mismatch", **allow)
    both("x5chain-rsa-labelled-p256", "The same with the key in a certificate.", owner.x5chain(RSA.name, 10), "key-type-mismatch", allow=["key-type-label"])
    both("p256-labelled-p384", "The label names the other curve, and the allowance is missing.", owner.x509(P256.name, 11), "key-type-mismatch")
    both("p384-labelled-p256", "The same the other way round.", owner.x509(P384.name, 10), "key-type-mismatch")
    both("cosekey-p256-labelled-p384", "The same with COSEKEY.", owner.cosekey(P256.name, 11), "key-type-mismatch")
    both("x5chain-p256-labelled-p384", "The same with X5CHAIN.", owner.x5chain(P256.name, 11), "key-type-mismatch")
    both("ed25519", "An experimental key without the allowance.", owner.x509("ed25519-owner-b"), "experimental-key")
    both("ed25519-cosekey", "The same as COSEKEY.", owner.cosekey("ed25519-owner-b"), "experimental-key")


def spki():
    def x509(name, description, body, kind="key-encoding", who=P256.name, label=None):
        both(f"x509-{name}", description, owner.x509(who, label, spki=body), kind)

    good = P256.spki()
    x509("empty", "An empty SubjectPublicKeyInfo.", b"")
    x509("garbage", "91 bytes that are not DER.", keys.stream("garbage", 91))
    x509("trailing-byte", "A byte behind the SubjectPublicKeyInfo.", good + b"\0")
    x509("cut", "The last byte of the SubjectPublicKeyInfo is missing.", good[:-1])
    x509("long-length", "A DER length in two bytes where one is enough.", b"\x30\x81\x59" + good[2:])
    x509("indefinite-length", "BER with indefinite length.", b"\x30\x80" + good[2:] + b"\0\0")
    x509("inner-trailing-byte", "A byte behind the bit string inside the sequence.", der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.bits(P256.point()), der.null()))
    x509("unused-bits", "The bit string says that three bits are unused.", der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.bits(P256.point(), 3)))
    x509("octet-string", "An octet string in place of the bit string.", der.seq(der.seq(der.EC_PUBLIC_KEY, der.P256), der.octets(P256.point())))
    x509("bare-point", "The point alone.", P256.point())
    x509("certificate", "A certificate; encoding X509 means SubjectPublicKeyInfo.", certs.owner_chain(P256, length=1)[0])
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
    x509("explicit-parameters", "P-256 written out as explicit parameters: they could hide another generator (CVE-2020-0601).", der.seq(der.seq(der.EC_PUBLIC_KEY, explicit), der.bits(P256.point())))
    x509("secp256k1", "A key on another curve.", der.spki_ec(der.SECP256K1, P256.point()), "unsupported-key-type")
    x509("p521", "A P-521 key.", der.spki_ec(der.P521, b"\x04" + bytes(132)), "unsupported-key-type", label=11)
    x509("rsa-without-null", "RSA parameters are missing in place of NULL.", der.seq(der.seq(der.RSA_ENCRYPTION), der.bits(der.seq(der.integer(RSA.modulus), der.integer(65537)))), who=RSA.name)
    x509("rsa-pss-oid", "id-RSASSA-PSS; FDO says rsaEncryption also for type 6.", der.seq(der.seq(der.RSASSA_PSS), der.bits(der.seq(der.integer(RSA.modulus), der.integer(65537)))), "unsupported-key-type", who=RSA.name, label=owner.RSAPSS)
    negative = der.tlv(2, owner.number_bytes(RSA.modulus))
    x509("rsa-negative-modulus", "The modulus without its leading zero byte is a negative number.", der.seq(der.seq(der.RSA_ENCRYPTION, der.null()), der.bits(der.seq(negative, der.integer(65537)))), who=RSA.name)
    long = der.tlv(2, owner.number_bytes(RSA.modulus, 2))
    x509("rsa-modulus-two-zeros", "The modulus with two leading zero bytes is not DER.", der.seq(der.seq(der.RSA_ENCRYPTION, der.null()), der.bits(der.seq(long, der.integer(65537)))), who=RSA.name)
    item("x509-text", "The SubjectPublicKeyInfo as text.", owner.public_key(10, 1, cbor.tstr("key")), "wrong-type")
    item("x509-map", "A COSE_Key under encoding X509.", owner.public_key(10, 1, cbor.mapping(owner.cose_labels(P256))), "wrong-type")


def points():
    point = P256.point()
    x, y = point[1:33], point[33:]
    p, p384 = keys.PRIMES["p256"], keys.PRIMES["p384"]

    def ec(name, description, changed, kind, who=P256.name):
        both(f"point-{name}", description, owner.ec_point(who, changed), kind)

    parity = P256.y & 1
    ec("compressed", "A compressed point.", bytes([2 + parity]) + x, "point-encoding")
    ec("hybrid", "A hybrid point: uncompressed, with the parity of y in the first byte.", bytes([6 + parity]) + x + y, "point-encoding")
    ec("hybrid-wrong-parity", "A hybrid point whose parity lies.", bytes([7 - parity]) + x + y, "point-encoding")
    ec("identity", "The point at infinity.", b"\0", "point-encoding")
    ec("empty", "No point.", b"", "point-encoding")
    ec("raw", "x and y without the byte 04.", x + y, "point-encoding")
    ec("short", "One byte missing at the end.", point[:-1], "point-encoding")
    ec("long", "One byte too many at the end.", point + b"\0", "point-encoding")
    ec("compressed-p384", "A compressed point on P-384.", bytes([2 + (P384.y & 1)]) + P384.point()[1:49], "point-encoding", P384.name)
    ec("zero-zero", "x = y = 0.", b"\x04" + bytes(64), "point-not-on-curve")
    ec("y-plus-1", "y is one too large.", b"\x04" + x + (P256.y + 1).to_bytes(32, "big"), "point-not-on-curve")
    ec("x-flipped-bit", "One bit of x is flipped.", b"\x04" + (P256.x ^ 1).to_bytes(32, "big") + y, "point-not-on-curve")
    ec("swapped", "y and x.", b"\x04" + y + x, "point-not-on-curve")
    ec("all-ff", "All bits are set: both coordinates lie past the field.", b"\x04" + b"\xff" * 64, "point-not-on-curve")
    ec("p384-y-plus-1", "y is one too large, on P-384.", b"\x04" + P384.point()[1:49] + (P384.y + 1).to_bytes(48, "big"), "point-not-on-curve", P384.name)
    ec("p384-zero-zero", "x = y = 0 on P-384.", b"\x04" + bytes(96), "point-not-on-curve", P384.name)
    # Points with small x, so that x + p still fits the field's bytes.
    for kind, prime, size, name in (("p256", p, 32, P256.name), ("p384", p384, 48, P384.name)):
        small_x, small_y = small_point(kind)
        for changed, (a, b) in (("x-plus-p", (small_x + prime, small_y)), ("x-is-p", (prime, small_y)), ("y-is-p", (small_x, prime))):
            text = "A coordinate not reduced modulo p" + (": the equation holds." if changed == "x-plus-p" else ".")
            ec(f"{kind}-{changed}", text, b"\x04" + a.to_bytes(size, "big") + b.to_bytes(size, "big"), "point-not-on-curve", name)
    for name, raw in (("not-on-curve", (2).to_bytes(32, "little")), ("y-is-p", (2**255 - 19).to_bytes(32, "little"))):
        both(f"ed25519-{name}", "32 bytes that RFC 8032 section 5.1.3 does not decode.", owner.x509("ed25519-owner-b", spki=der.spki_ed25519(raw)), "point-not-on-curve", allow=["experimental-keys"])


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
        both(f"cosekey-{name}", description, owner.cosekey(P256.name, label, pairs=changed), kind)

    for missing in ("crv", "x", "y"):
        cose(f"without-{missing}", f"No {missing}.", "key-encoding", **{missing: None})
    cose("kty-okp", "kty 1 (OKP) with crv P-256.", "key-encoding", kty=(number(1), number(1)))
    cose("kty-symmetric", "kty 4 (symmetric).", "key-encoding", kty=(number(1), number(4)))
    cose("crv-p521", "crv 3 (P-521).", "unsupported-key-type", crv=(number(-1), number(3)))
    cose("crv-secp256k1", "crv 8 (secp256k1).", "unsupported-key-type", crv=(number(-1), number(8)))
    cose("crv-257", "crv 257, which a truncation to 8 bits would make P-256.", "unsupported-key-type", crv=(number(-1), number(257)))
    cose("crv-text", "crv as text.", "wrong-type", crv=(number(-1), cbor.tstr("P-256")))
    cose("y-is-sign-bit", "y as a truth value: a compressed point (RFC 9053 section 7.1.1).", "point-encoding", y=(number(-3), cbor.TRUE))
    cose("x-text", "x as text.", "wrong-type", x=(number(-2), cbor.tstr("x")))
    cose("x-33-bytes", "x of 33 bytes that are not zero.", "point-encoding", x=(number(-2), cbor.bstr(b"\1" + P256.point()[1:33])))
    cose("x-plus-1", "x is one too large.", "point-not-on-curve", x=(number(-2), cbor.bstr((P256.x + 1).to_bytes(32, "big"))))
    cose("x-cut", "x has lost its last byte, which was not a leading zero.", "point-not-on-curve", x=(number(-2), cbor.bstr(P256.point()[1:32])))
    cose("duplicate-x", "x twice.", "duplicate-label", again=pairs["x"])
    cose("duplicate-kty", "kty twice.", "duplicate-label", again=pairs["kty"])
    cose("duplicate-crv-long", "crv twice, the second with a longer head of its label.", "duplicate-label", again=(number(-1, 1), number(2)))
    cose("label-bytes", "A byte string as label.", "wrong-type", again=(cbor.bstr(b"kid"), number(1)))
    cose("65-labels", "More labels than any COSE_Key has.", "limit-labels", **{f"label {n}": (number(100 + n), cbor.NULL) for n in range(61)})
    item("cosekey-array", "An array in place of the COSE_Key.", owner.public_key(10, 3, cbor.array([number(2), number(1)])), "wrong-type")
    item("cosekey-wrapped-trailing", "A byte behind the map inside the byte string.", owner.public_key(10, 3, cbor.bstr(cbor.mapping(pairs.values()) + b"\0")), "trailing-bytes")
    p384 = owner.cosekey(P384.name, pairs=[(number(1), number(2)), (number(-1), number(1)), *owner.cose_labels(P384)[2:]])
    both("cosekey-p384-coordinates-crv-p256", "P-384 coordinates under crv P-256.", p384, "point-encoding")


def chains():
    chain = certs.owner_chain(P256)
    encoded = list(map(cbor.bstr, chain))

    def x5chain(name, description, body, kind):
        both(f"x5chain-{name}", description, owner.x5chain(P256.name, body=body), kind)

    x5chain("empty", "An empty array of certificates.", cbor.EMPTY_ARRAY, "chain-empty")
    x5chain("null", "null.", cbor.NULL, "wrong-type")
    x5chain("number", "A number among the certificates.", cbor.array([*encoded, cbor.integer(0)]), "wrong-type")
    x5chain("leaf-garbage", "The leaf is not a certificate.", cbor.array([cbor.bstr(keys.stream("garbage", 300)), encoded[1]]), "certificate")
    x5chain("leaf-empty", "The leaf has no bytes.", cbor.array([cbor.bstr(b""), encoded[1]]), "certificate")
    x5chain("leaf-trailing-byte", "A byte behind the leaf.", cbor.array([cbor.bstr(chain[0] + b"\0"), encoded[1]]), "certificate")
    x5chain("leaf-cut", "The last byte of the leaf is missing.", cbor.array([cbor.bstr(chain[0][:-1]), encoded[1]]), "certificate")
    x5chain("leaf-is-spki", "A SubjectPublicKeyInfo in place of the leaf.", cbor.array([cbor.bstr(P256.spki()), encoded[1]]), "certificate")
    x5chain("17-certificates", "One certificate more than the default limit.", cbor.array([encoded[0]] * 17), "limit-certificates")
    x5chain("wrapped-trailing", "A byte behind the array inside the byte string.", cbor.bstr(cbor.array(encoded) + b"\0"), "trailing-bytes")
    x5chain("wrapped-empty", "An empty array inside a byte string.", cbor.bstr(cbor.EMPTY_ARRAY), "chain-empty")
    x5chain("certificate-size", "A certificate of more than 64 KiB.", cbor.array([cbor.bstr(certs.owner_chain(P256, length=1, padding=65536)[0])]), "limit-certificate-size")
    off = der.spki_ec(der.P256, b"\x04" + P256.point()[1:33] + (P256.y + 1).to_bytes(32, "big"))
    x5chain("leaf-off-curve", "The leaf holds a point that is not on the curve.", cbor.array(map(cbor.bstr, certs.owner_chain(P256, length=1, spki=off))), "point-not-on-curve")
    small = der.spki_rsa(keys.get("rsa1024-owner").modulus, 65537)
    body = cbor.array(map(cbor.bstr, certs.owner_chain(RSA, length=1, spki=small)))
    both("x5chain-rsa-1024", "The leaf holds an RSA key of 1024 bits.", owner.x5chain(RSA.name, body=body), "rsa-modulus")
    body = cbor.array([encoded[1], encoded[0]])
    suite.invalid(
        "entry-1-signed-by-leaf-of-reversed-chain",
        "The chain of entry 0 stands root first, so its key is that of the root; entry 1 is signed with the leaf's key." + REDONE,
        Draft(MAKER, [Hop(owner.x5chain(P256.name, body=body)), Hop(OWNERS[0])]),
        "signature-invalid",
        1,
    )


def rsa():
    n, n3072 = RSA.modulus, RSA3072.modulus
    sizes = {bits: keys.get(f"rsa{bits}-owner").modulus for bits in (1024, 2047, 2049, 4096)}

    def numbers(name, description, modulus, exponent, kind, label=owner.RSAPKCS):
        both(f"rsa-{name}", description, owner.x509(RSA.name, label, spki=der.spki_rsa(modulus, exponent)), kind)
        changed = owner.crypto(RSA.name, label, modulus=owner.number_bytes(modulus), exponent=owner.number_bytes(exponent))
        entry(f"rsa-crypto-{name}", description + " Encoding Crypto.", changed, kind)

    for bits, modulus in sizes.items():
        numbers(f"{bits}-bits", f"A modulus of {bits} bits.", modulus, 65537, "rsa-modulus")
    numbers("even-modulus", "An even modulus of 2048 bits.", n - 1, 65537, "rsa-modulus")
    numbers("modulus-zero", "The modulus is 0.", 0, 65537, "rsa-modulus")
    for exponent in (0, 1, 2, 3, 17, 257, 65535, 65536, 65538, 2**32 + 1, 2**64 + 1):
        numbers(f"exponent-{exponent}", f"The exponent is {exponent}.", n, exponent, "rsa-exponent")
    numbers("exponent-as-large-as-modulus", "The exponent is the modulus minus 2.", n, n - 2, "rsa-exponent")
    numbers("restr-exponent-65539", "RSA2048RESTR allows 65537 alone.", keys.get("rsa2048e65539-owner").modulus, 65539, "rsa-exponent", owner.RSA2048RESTR)
    numbers("restr-3072-bits", "RSA2048RESTR with 3072 bits.", n3072, 65537, "rsa-modulus", owner.RSA2048RESTR)
    number = owner.number_bytes
    body = [cbor.bstr(number(n)), cbor.bstr(number(65537))]
    for name, description, encoded, kind in (
        ("3-items", "Three items.", cbor.array([*body, cbor.NULL]), "wrong-size"),
        ("1-item", "The modulus alone.", cbor.array(body[:1]), "wrong-size"),
        ("exponent-number", "The exponent as a CBOR number.", cbor.array([body[0], cbor.integer(65537)]), "wrong-type"),
        ("swapped", "Exponent and modulus.", cbor.array(body[::-1]), "rsa-modulus"),
        ("spki", "A SubjectPublicKeyInfo under encoding Crypto.", cbor.bstr(RSA.spki()), "wrong-type"),
    ):
        both(f"rsa-crypto-{name}", description, owner.raw(RSA.name, owner.public_key(5, 0, encoded)), kind)


for group in (labels, mismatches, spki, points, cose_keys, chains, rsa):
    group()
