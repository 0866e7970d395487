"""SDO: hashes, signatures and entries that do not fit, and the header edited after signing."""

import base64
import hashlib

from . import der, keys
from .sdo_suite import Suite
from .sdo_voucher import (
    GUID,
    HASHES,
    MAKER,
    OWNERS,
    Built,
    Draft,
    b64,
    device_chain,
    digest,
    hash_item,
    hashed,
    hops,
    key_text,
    mac,
    signature,
    sized,
    x509_key,
)

suite = Suite(__file__)


def two(**at):
    return Draft(hops=hops(2, **at))


def hp(make, number=0):
    """Another hp in one entry; `make` gets the voucher so far, and what is before the entry."""
    return two(**{f"n{number}": {"hp": make}})


def hc(make):
    """Another hc in every entry; `make` gets the texts of g and d."""
    other = {"hc": lambda _, guid, info: make(guid, info)}
    return two(n0=other, n1=other)


# Hash items.
FIRST = lambda before: digest("sha256", *before)
suite.invalid("hash-length-word", "hp says 33 bytes", hp(lambda _, it: hash_item("sha256", FIRST(it), stated=33)), "length-word", 0)
suite.invalid("hash-type-384", "32 bytes as SHA-384", hp(lambda _, it: hash_item("sha256", FIRST(it), 14)), "hash-length", 0)
suite.invalid("hash-type-hmac", "hp with the type of an HMAC", hp(lambda _, it: hash_item("sha256", FIRST(it), 108)), "not-a-hash", 0)
suite.invalid("hash-type-none", "hp with type 0, from the second entry", hp(lambda *_: '[0,0,""]', 1), "unsupported-hash-type", 1)
suite.invalid("hash-type-unknown", "hp with type 9", hp(lambda _, it: hash_item("sha256", FIRST(it), 9)), "unsupported-hash-type", 0)
suite.invalid("hash-short", "hp cut to 16 bytes", hp(lambda _, it: hash_item("sha256", FIRST(it)[:16])), "hash-length", 0)
for name, why, item, kind in [
    ("length-word", "the HMAC says 33 bytes", lambda it: it.mac.replace("[32", "[33"), "length-word"),
    ("type-hash", "the HMAC with the type of a hash", lambda it: it.mac.replace("108", "8", 1), "not-an-hmac"),
    ("empty", "no HMAC: a device that cannot be sold on", lambda _: '[0,0,""]', "unsupported-hash-type"),
    ("reuse", "the answer of a device that keeps its credentials", lambda _: '[1,0,"PQ=="]', "unsupported-hash-type"),
]:
    suite.invalid(f"hmac-{name}", why, Draft(hmac=item, hops=hops(2)), kind)

STRONG = {"hash": "sha384"}
BOTH = [("hash-table", 0), ("hash-table", 0)]
suite.valid("hash-sha384", "SHA-384 under P-256", two(n0=STRONG), BOTH)
suite.valid("hash-two", "hp with SHA-256, hc with SHA-384", two(n0={"info_hash": "sha384"}), BOTH[:1])
suite.valid(
    "hash-sha512",
    "SHA-512 throughout",
    Draft(hash="sha512", mac_hash="sha512", hops=hops(1)),
    [("hash-table", None), ("hash-table", None), *BOTH],
)
suite.invalid("hmac-sha512-secret", "an HMAC that is not computed here", Draft(
    hash="sha512", mac_hash="sha512", hops=hops(1)
), "unsupported-hash-type", hmac_secret=bytes(32).hex())
suite.valid(
    "hash-rsa-sha384",
    "an RSA manufacturer with SHA-384",
    Draft("rsa2048-sdo-maker", hops(1, n0={"owner": "rsa2048-sdo-owner-a"} | STRONG)),
    BOTH,
)

# What the hashes cover.
INFO = "header-info-hash-mismatch"
suite.invalid("info-hash-other", "hc of another device info", hc(lambda g, d: hashed("sha256", g, '"Other"')), INFO, 0)
suite.invalid("info-hash-quotes", "hc without the quotation marks", hc(lambda g, d: hashed("sha256", g[1:-1], d[1:-1])), INFO, 0)
FDO = lambda g, d: hash_item("sha256", hashlib.sha256(GUID + d[1:-1].encode()).digest())
suite.invalid("info-hash-fdo", "hc over decoded bytes, as in FDO", hc(FDO), INFO, 0)
LAST = two(n1={"hc": lambda _, g, d: hashed("sha256", d, g)})
suite.invalid("info-hash-last", "hc wrong in the last entry alone", LAST, INFO, 1)
PREVIOUS = "previous-hash-mismatch"
for name, why, make, number in [
    ("without-hmac", "hp of the first entry without the HMAC", lambda built, _: hashed("sha256", built.oh), 0),
    ("comma", "hp over the comma between both", lambda built, it: hashed("sha256", built.oh, ",", built.hmac), 0),
    ("twice", "the hash of the hash", lambda _, it: hash_item("sha256", hashlib.sha256(FIRST(it)).digest()), 0),
    ("entry", "hp over the whole entry before", lambda built, _: hashed("sha256", built.entries[0]), 1),
]:
    suite.invalid(f"previous-hash-{name}", why, hp(make, number), PREVIOUS, number)
CHAIN = "chain-hash-mismatch"
DERS = lambda chain, dc: hash_item("sha256", hashlib.sha256(b"".join(chain)).digest())
suite.invalid("chain-hash-fdo", "hdc over the certificates, as in FDO", Draft(hdc=DERS, hops=hops(2)), CHAIN)
INNER = lambda chain, dc: hashed("sha256", dc[len("[1,2,") : -1])
suite.invalid("chain-hash-inner", "hdc over the list inside of dc", Draft(hdc=INNER, hops=hops(2)), CHAIN)

# Edited after signing.
GOOD = Built(Draft(hops=hops(2))).text
suite.invalid("edited-version", "the version changed by hand", GOOD.replace('"pv":113', '"pv":112'), PREVIOUS, 0)
suite.invalid("edited-host", "the host name changed by hand", GOOD.replace("rv.example.net", "xx.example.net"), PREVIOUS, 0)
OTHER_HMAC = mac("another")
suite.invalid("edited-hmac", "another HMAC put in", GOOD.replace(Built(two()).hmac, OTHER_HMAC), PREVIOUS, 0)
REPLAYED = Built(Draft(hops=hops(2), r='[1,[1,{"dn":"other.example"}]]'))
FROM_OTHER = GOOD.replace(Built(two()).entries[0], REPLAYED.entries[0])
suite.invalid("entry-replayed", "an entry of a voucher with equal g and d", FROM_OTHER, PREVIOUS, 0)

# Signatures.
BAD = "signature-invalid"


def sg(make, number=0, name=MAKER, **more):
    """Another signature item in one entry; `make` gets the signature as it should be."""
    return two(**{f"n{number}": {"sg": make} | more})


def malleable(made):
    """The other signature that ECDSA accepts: s → n - s."""
    r, s = der_numbers(made)
    return f"[{sized(der.seq(der.integer(r), der.integer(keys.ORDERS['p256'] - s)))}]"


def der_numbers(made):
    length = made[3]
    return int.from_bytes(made[4 : 4 + length], "big"), int.from_bytes(made[6 + length :], "big")


def fixed(made):
    return b"".join(number.to_bytes(32, "big") for number in der_numbers(made))


suite.valid("signature-malleable-last", "s → n - s in the last entry: nothing covers signatures", sg(malleable, 1))
suite.valid("signature-malleable", "the same in the first", sg(malleable))
suite.invalid("signature-fixed", "r and s side by side", sg(lambda it: f"[{sized(fixed(it))}]"), BAD, 0)
suite.invalid("signature-trailing", "a byte after the DER", sg(lambda it: f"[{sized(it + bytes(1))}]"), BAD, 0)
LONG_FORM = lambda it: f"[{sized(bytes([0x30, 0x81]) + it[1:])}]"
suite.invalid("signature-long-form", "a length in two bytes", sg(LONG_FORM), BAD, 0)
ZERO_R = lambda it: f"[{sized(der.seq(der.integer(0), der.integer(der_numbers(it)[1])))}]"
suite.invalid("signature-zero", "r is 0", sg(ZERO_R), BAD, 0)
suite.invalid("signature-length-word", "another length word", sg(lambda it: f"[{sized(it, len(it) + 1)}]"), "length-word", 0)
suite.invalid("signature-empty", "no signature", sg(lambda _: '[0,""]'), "signature-length", 0)
suite.invalid("signature-other-key", "signed by another owner", two(n1={"signer": OWNERS[2]}), BAD, 1)
SELF = [{"signer": owner} for owner in OWNERS]
suite.invalid("signature-self", "each entry signed by the key it names", two(n0=SELF[0], n1=SELF[1]), BAD, 0)
STRONG_SIGN = {"sign": lambda name, message: signature(name, message, "sha384")}
suite.invalid("signature-sha384", "ECDSA with SHA-384 under P-256", two(n0=STRONG_SIGN), BAD, 0)
MEMBER = {"message": lambda body: f'{{"bo":{body}}}'}
suite.invalid("signature-member", "a signature over member and braces", two(n0=MEMBER), BAD, 0)


def rsa(**first):
    return Draft("rsa2048-sdo-maker", hops(1, n0={"owner": "rsa2048-sdo-owner-a"} | first))


def pss(name, message):
    key = keys.get(name)
    return key.rsa_raw(keys.pss(message, "sha256", key.modulus.bit_length()))


suite.invalid("signature-rsa-sha384", "RSA with SHA-384", rsa(**STRONG_SIGN), BAD, 0)
suite.invalid("signature-rsa-pss", "RSA-PSS", rsa(sign=pss), BAD, 0)
ZERO = lambda it: f"[{sized(bytes(1) + it)}]"
suite.invalid("signature-rsa-zero", "a zero byte before an RSA signature", rsa(sg=ZERO), "signature-length", 0)

# Entries.
suite.invalid("outer-key", "the key of the signer beside bo", two(n0={"outer": key_text(MAKER)}), "outer-key", 0)
EVIL = "p256-sdo-stranger"
suite.invalid(
    "outer-key-used",
    "a stranger's key beside bo, and his signature",
    two(n1={"outer": x509_key(EVIL), "signer": EVIL}),
    BAD,
    1,
)
suite.invalid("outer-key-deep", "nine levels beside bo", two(n0={"outer": "[" * 9 + "]" * 9}), "limit-depth", 0)
THREE = Built(Draft(hops=hops(3)))


def entries(*texts):
    """The voucher of three entries with these in their place."""
    old = ",".join(THREE.entries)
    return THREE.text.replace(old, ",".join(texts)).replace('"sz":3', f'"sz":{len(texts)}')


ONE, TWO, LAST_ONE = THREE.entries
suite.invalid("entries-exchanged", "two entries exchanged", entries(TWO, ONE, LAST_ONE), PREVIOUS, 0)
suite.invalid("entries-middle-dropped", "the middle one left out", entries(ONE, LAST_ONE), PREVIOUS, 1)
suite.invalid("entries-doubled", "the last one twice", entries(ONE, TWO, LAST_ONE, LAST_ONE), PREVIOUS, 3)
STRANGE = Built(Draft(g=b64(bytes(range(16))), hops=hops(1)))
suite.invalid("entries-other-device", "an entry of another device", entries(STRANGE.entries[0], TWO, LAST_ONE), PREVIOUS, 0)
