"""SDO: keys, rendezvous info and device chains that are wrong, or odd."""

from . import certs, der, keys
from .sdo_suite import Suite
from .sdo_voucher import (
    MAKER,
    OWNERS,
    RENDEZVOUS,
    Built,
    Draft,
    b64,
    dc_text,
    device_chain,
    hash_item,
    hashed,
    hops,
    key_text,
    modulus_key,
    positive,
    sized,
    x509_key,
)

suite = Suite(__file__)


def last_key(text):
    """A voucher whose second entry names this key."""
    return Draft(hops=hops(2, n1={"pk": text}))


# Keys on curves.
NEXT = OWNERS[1]
KEY = keys.get(NEXT)
COMPRESSED = der.spki_ec(der.P256, bytes([2 + KEY.y % 2]) + KEY.x.to_bytes(32, "big"))
OFF_CURVE = KEY.spki()[:-1] + bytes([KEY.spki()[-1] ^ 1])
# ECParameters of P-256 in full, in place of its name (SEC 1 C.2).
PRIME, ORDER = keys.PRIMES["p256"], keys.ORDERS["p256"]
FIELD = der.seq(der.oid("1.2.840.10045.1.1"), der.integer(PRIME))
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
CURVE = der.seq(*(der.octets(number.to_bytes(32, "big")) for number in (PRIME - 3, B)))
G = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
PARAMETERS = der.seq(der.integer(1), FIELD, CURVE, der.octets(G), der.integer(ORDER), der.integer(1))
EXPLICIT = der.seq(der.seq(der.oid("1.2.840.10045.2.1"), PARAMETERS), der.bits(KEY.point()))
for name, why, text, kind in [
    ("explicit-curve", "the parameters of the curve in place of its name", x509_key(NEXT, der=EXPLICIT), "key-encoding"),
    ("p256-as-p384", "P-256 as type 14", x509_key(NEXT, 14), "key-type-mismatch"),
    ("p256-as-rsa", "P-256 as type 1", x509_key(NEXT, 1), "key-type-mismatch"),
    ("p256-as-numbers", "P-256 as modulus and exponent", x509_key(NEXT).replace("[13,1", "[13,3"), "unsupported-key-encoding"),
    ("length-word", "another length word", x509_key(NEXT, stated=92), "length-word"),
    ("compressed", "a compressed point", x509_key(NEXT, der=COMPRESSED), "point-encoding"),
    ("off-curve", "a point off its curve", x509_key(NEXT, der=OFF_CURVE), "point-not-on-curve"),
    ("trailing", "a byte after the DER", x509_key(NEXT, der=KEY.spki() + b"\0"), "key-encoding"),
    ("null", "a null key", "[0,0,[0]]", "unsupported-key-type"),
    ("epid", "an EPID group", f"[92,4,[{sized(bytes(16))}]]", "unsupported-key-type"),
    ("ondie", "OnDie", "[93,5,[0]]", "unsupported-key-type"),
    ("unknown", "type 15", x509_key(NEXT, 15), "unsupported-key-type"),
    ("encoding-unknown", "encoding 2", x509_key(NEXT).replace("[13,1", "[13,2"), "unsupported-key-encoding"),
    ("encoding-none", "encoding 0", x509_key(NEXT).replace("[13,1", "[13,0"), "unsupported-key-encoding"),
]:
    suite.invalid(f"key-{name}", why, last_key(text), kind, 1)
suite.invalid("maker-key-null", "a null key of the manufacturer", Draft(pk="[0,0,[0]]", hops=hops(1)), "unsupported-key-type")

# RSA keys.
RSA = "rsa2048-sdo-owner-a"
MODULUS = positive(keys.get(RSA).modulus)
E3 = "rsa2048e3-owner"


def rsa(text):
    return Draft("rsa2048-sdo-maker", hops(1, n0={"owner": RSA, "pk": text}))


for name, why, text, kind in [
    ("no-zero", "a modulus without its zero byte: a negative number", modulus_key(RSA, modulus=MODULUS[1:]), "key-encoding"),
    ("two-zeros", "two zero bytes", modulus_key(RSA, modulus=b"\0" + MODULUS), "key-encoding"),
    ("exponent-zero", "an exponent of four bytes", modulus_key(RSA, exponent=b"\0\1\0\1"), "key-encoding"),
    ("exponent-3", "exponent 3", modulus_key(E3), "rsa-exponent"),
    ("1024", "a modulus of 1024 bits", modulus_key("rsa1024-sdo"), "rsa-modulus"),
    ("3072-as-2048", "3072 bits as type 1", modulus_key("rsa3072-sdo-owner", 1), "rsa-modulus"),
    ("even", "an even modulus", modulus_key(RSA, modulus=MODULUS[:-1] + bytes([MODULUS[-1] ^ 1])), "rsa-modulus"),
    ("empty", "no modulus", modulus_key(RSA, modulus=b""), "key-encoding"),
]:
    suite.invalid(f"key-rsa-{name}", why, rsa(text), kind, 0)
MIX = [("key-mix", 0)]
LARGE = "rsa3072-sdo-owner"
suite.valid("key-rsa-ur", "3072 bits as type 4", Draft("rsa2048-sdo-maker", hops(1, n0={"owner": LARGE})), MIX)
suite.valid(
    "key-rsa-ur-signs",
    "a key of 3072 bits signs with SHA-384",
    Draft("rsa2048-sdo-maker", hops(2, n0={"owner": LARGE}, n1={"owner": RSA})),
    MIX,
)
suite.valid("key-rsa-x509", "RSA as SubjectPublicKeyInfo, beside numbers", rsa(x509_key(RSA)), MIX)
TO_P384 = Draft(hops=hops(2, n0={"owner": "p384-sdo-owner-a"}))
suite.valid("key-mix-p384", "P-256, then P-384, then P-256", TO_P384, MIX)
suite.valid("key-mix-rsa", "P-256, then RSA", Draft(hops=hops(1, n0={"owner": RSA})), MIX)
suite.valid("key-encoding-lie", "pe says another encoding", Draft(pe=3, hops=hops(1)), [("sdo-key-encoding", None)])
suite.valid("version-101", "a version that SDO never had", Draft(pv=101, hops=hops(1)), [("sdo-version", None)])

# Rendezvous info.
for name, why, text, kind in [
    ("count", "another number of instructions", RENDEZVOUS.replace("[1,", "[2,", 1), "length-word"),
    ("variables", "another number of variables", RENDEZVOUS.replace("[4,", "[3,", 1), "length-word"),
    ("no-variables", "no number of variables", '[1,{"dn":"rv.example.net"}]', "wrong-type"),
    ("address", "an address of five bytes", '[1,[1,{"ip":[5,"wAACBwA="]}]]', "wrong-size"),
    ("port", "port 65536", RENDEZVOUS.replace("8040", "65536", 1), "json-text"),
    ("name-escaped", "an escape in the name of a variable", '[1,[1,{"\\u0064n":"rv.example.net"}]]', "member"),
    ("name-needs-escape", "an escape as the format has it", '[1,[1,{"x\\u0022y":"rv.example.net"}]]', "member"),
    ("name-raw", "a bracket that strings have as an escape", '[1,[1,{"x[y":"rv.example.net"}]]', "member"),
    ("twice", "a variable twice", '[1,[2,{"dn":"a.example","dn":"b.example"}]]', "member"),
    ("twice-apart", "a variable twice, another between", '[1,[3,{"pr":"tls","dn":"a.example","pr":"tls"}]]', "member"),
    ("hash", "a hash of 31 bytes", '[1,[1,{"cch":' + hash_item("sha256", bytes(31)) + "}]]", "hash-length"),
    ("delay", "a delay of 2^32 seconds", '[1,[1,{"delaysec":4294967296}]]', "json-text"),
]:
    suite.invalid(f"rendezvous-{name}", why, Draft(r=text, hops=hops(1)), kind)
for name, why, text, found in [
    ("order", "variables in another order", '[1,[2,{"pr":"http","dn":"rv.example.net"}]]', "sdo-rv-order"),
    ("empty", "no instruction", "[0]", "rv-empty"),
    ("instruction-empty", "an instruction without variables", "[1,[0,{}]]", "rv-empty"),
    ("unknown", "an unknown variable", '[1,[2,{"dn":"rv.example.net","zz":[{"a":1},"b"]}]]', "rv-unknown"),
    ("only", "for neither devices nor owners", '[1,[2,{"dn":"rv.example.net","only":"all"}]]', "rv-value"),
    ("protocol", "an unknown protocol", '[1,[2,{"dn":"rv.example.net","pr":"ftp"}]]', "rv-number"),
    ("medium", "an unknown medium", '[1,[2,{"dn":"rv.example.net","me":"eth10"}]]', "rv-number"),
    ("no-host", "no host", '[1,[1,{"po":443}]]', "rv-no-address"),
    ("host-empty", "an empty host", '[1,[1,{"dn":""}]]', "rv-host"),
]:
    suite.valid(f"rendezvous-{name}", why, Draft(r=text, hops=hops(1)), [(found, None)])
DEEP = '[1,[1,{"zz":' + "[" * 9 + "]" * 9 + "}]]"
suite.invalid("rendezvous-deep", "nine levels in an unknown variable", Draft(r=DEEP, hops=hops(1)), "limit-depth")
MANY = "{" + ",".join(f'"x{number:03}":0' for number in range(65)) + "}"
suite.invalid("rendezvous-many", "65 variables", Draft(r=f"[1,[65,{MANY}]]", hops=hops(1)), "limit-labels")

# The device chain.
LEAF, ROOT = device_chain()
BOTH = certs.device_ca("p256", "Sdo", key_usage=certs.CERT_SIGN | certs.DIGITAL_SIGNATURE)
OTHER_CA = certs.device_ca("p256", "Other")
DEVICE_KEY = keys.get("p256-device-sdo-0001")


def chained(*ders, **more):
    return Draft(chain=list(ders), hops=hops(1), **more)


def dc(text, **more):
    return Draft(dc=text, hops=hops(1), **more)


BARE = Built(Draft(hops=hops(2))).text
START = BARE.index(',"dc":')
WITHOUT = BARE[:START] + BARE[BARE.index(',"en":') :]
suite.invalid("chain-gone", "the chain cut out", WITHOUT, "null-chain")
HASH = BARE[BARE.index(',"hdc":') : BARE.index('},"hmac"')]
suite.invalid("chain-and-hash-gone", "chain and hash cut out", WITHOUT.replace(HASH, ""), "previous-hash-mismatch", 0)
suite.invalid("chain-hash-gone", "no hash of the chain, signed", dc(dc_text([LEAF, ROOT]), hdc=""), "null-chain")
SWAPPED = dc_text([ROOT, LEAF])
suite.invalid("chain-swapped", "certificates exchanged by hand", BARE.replace(dc_text([LEAF, ROOT]), SWAPPED), "chain-hash-mismatch")
suite.invalid("chain-reversed", "the root first, signed", chained(ROOT, LEAF), "chain-reversed")
suite.invalid("chain-count", "another number of certificates", dc(dc_text([LEAF, ROOT], 3)), "length-word")
suite.invalid("chain-type", "chain type 2", dc(dc_text([LEAF, ROOT], code=2)), "unsupported-attestation")
suite.invalid("chain-empty", "no certificates", dc("[1,0,[]]"), "chain-empty")
suite.valid("chain-leaf", "the device's certificate alone", chained(LEAF), [("sdo-chain-open", None)])
suite.valid("chain-ca-as-leaf", "the root as the device, twice", chained(BOTH, BOTH), [("ca-as-leaf", None)])
suite.invalid("chain-trailing", "a byte after a certificate, signed", chained(LEAF + b"\0", ROOT), "certificate")
suite.invalid("chain-root-trailing", "a byte after the root, signed", chained(LEAF, ROOT + b"\0"), "certificate")
LENGTH = lambda number, der: f"[{sized(der, len(der) + 1 - number)}]"
suite.invalid("chain-length-word", "another length word", dc(dc_text([LEAF, ROOT], item=LENGTH)), "length-word")
suite.invalid("chain-other-issuer", "another authority", chained(LEAF, OTHER_CA), "device-chain")
ROOT_KEY = keys.get("p256-device-ca-sdo")
RSA_LEAF = certs.certificate("Device", keys.get(RSA), "Sdo device CA", ROOT_KEY)
suite.invalid("chain-rsa-leaf", "an RSA device", chained(RSA_LEAF, ROOT), "device-chain")
SIGNS = certs.certificate("Device", DEVICE_KEY, "Sdo device CA", ROOT_KEY, key_usage=certs.KEY_ENCIPHERMENT)
suite.invalid("chain-key-usage", "a device key that may not sign", chained(SIGNS, ROOT), "device-chain")
NO_NAME = b"\x30\0"
NO_SUBJECT = certs.certificate("", DEVICE_KEY, "Sdo device CA", ROOT_KEY, subject_name=NO_NAME)
suite.valid("chain-no-subject", "a device whose certificate names nobody", chained(NO_SUBJECT, ROOT))
NO_ISSUER = certs.certificate("Device", DEVICE_KEY, "", ROOT_KEY, issuer_name=NO_NAME)
NO_NAMES = certs.certificate("", ROOT_KEY, "", ROOT_KEY, ca=True, subject_name=NO_NAME, issuer_name=NO_NAME)
suite.valid("chain-no-issuer", "an issuer without a name", chained(NO_ISSUER, NO_NAMES))
suite.invalid("chain-two-faults", "both, and the first counts", chained(SIGNS, ROOT + b"\0"), "certificate")
suite.invalid("chain-17", "more certificates than the limit", chained(*[ROOT] * 17), "limit-certificates")
NO_CA = certs.certificate("Sdo device CA", ROOT_KEY, "Sdo device CA", ROOT_KEY)
suite.valid("chain-no-authority", "a root that is not marked as one", chained(LEAF, NO_CA), [("no-basic-constraints", None)])
suite.invalid("chain-null-leaf", "DER that is no certificate", chained(b"\x30\0", ROOT), "certificate", discloses=True)
LARGE_LEAF = certs.certificate("Device", DEVICE_KEY, "Sdo device CA", ROOT_KEY, padding=65_000)
suite.valid("chain-large", "a certificate of almost 65535 bytes", chained(LARGE_LEAF, ROOT))
