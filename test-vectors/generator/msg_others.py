"""TO0.OwnerSign and to1d; the device credential; the plain proof of ownership."""

import hashlib
import hmac

from . import cbor, keys, messages as m
from .messages import Messages, hash_item
from .owner import x509
from .suite import MAKER, OWNERS, draft, flip, replace
from .voucher import FDO20_AAD, SHA256, SHA384, Built, Draft, Hop, digest

suite = Messages(__file__)
ZERO, ONE, TWO = (Built(draft(count)) for count in range(3))
P384 = Built(Draft(x509("p384-maker"), hops=[Hop(x509("p384-owner-a"))], hash=SHA384))
RSA = Built(Draft(x509("rsa2048-maker", 1), hops=[Hop(x509("rsa2048-owner-a", 1))]))
GUID = ONE.draft.guid
TO0D = m.to0d(ONE.bytes)
TO1D = m.to1d(ONE.owner, TO0D)
LISTED = [["", "owner.example.com", 443, 5], ["192.0.2.1", "", 8443, 3]]


# to1d under a voucher.
def to1d(name, description, message, kind=None, voucher=ONE, **expect):
    given = {"voucher": voucher.bytes, "message": message} | {k: expect.pop(k) for k in ("build",) if k in expect}
    if kind is None:
        suite.accepted("to1d", name, description, given, **({"addresses": LISTED} | expect))
    else:
        suite.rejected("to1d", name, description, given, kind)


to1d("p256", "two addresses", TO1D, build="p256-owner-a")
to1d("p384", "a P-384 owner", m.to1d(P384.owner, m.to0d(P384.bytes), SHA384), voucher=P384, build="p384-owner-a")
to1d("rsa", "an RSA owner", m.to1d(RSA.owner, m.to0d(RSA.bytes)), voucher=RSA)
to1d("ipv6", "an IPv6 address, and an IPv4 address in 16 bytes", m.to1d(ONE.owner, TO0D, addresses=[
    m.address(ip=bytes.fromhex("20010db8000000000000000000000001")),
    m.address(ip=bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7]), dns="both.example.com", transport=1)]),
    addresses=[["2001:db8::1", "", 443, 5], ["192.0.2.7", "both.example.com", 443, 1]])
to1d("unknown-transport", "transport 99", m.to1d(ONE.owner, TO0D, addresses=[m.address(dns="a", transport=99)]), addresses=[["", "a", 443, 99]])
TO1D_BAD = {
    "signed-by-manufacturer": ("signed by an earlier owner", {"sign": MAKER.key.sign}, "signature-invalid"),
    "signature-changed": ("one bit of the signature flipped", {"signature": lambda s: flip(s, 5)}, "signature-invalid"),
    "alg-mismatch": ("the label says EdDSA", {"alg": -8}, "algorithm-mismatch"),
    "other-aad": ("signed with external data", {"aad": FDO20_AAD}, "signature-invalid"),
    "untagged": ("without tag 18", {"whole": cbor.array}, "wrong-type"),
    "hash-is-hmac": ("the hash carries the code of an HMAC", {"to0d_hash": hash_item(5, bytes(32))}, "not-a-hash"),
    "three-items": ("a payload of three items", {"items_hook": lambda items: [*items, cbor.NULL]}, "wrong-size"),
    "address-3": ("an address of three items", {"addresses": [cbor.array([cbor.NULL, cbor.tstr("a"), cbor.integer(1)])]}, "wrong-size"),
    "address-ip-5": ("an IP address of five bytes", {"addresses": [m.address(ip=bytes(5))]}, "wrong-size"),
    "address-port": ("port 65536", {"addresses": [m.address(dns="a", port=65536)]}, "wrong-type"),
    "address-transport": ("transport 256", {"addresses": [m.address(dns="a", transport=256)]}, "wrong-type"),
    "address-dns": ("the name is a byte string", {"addresses": [cbor.array([cbor.NULL, cbor.bstr(b"a"), cbor.integer(1), cbor.integer(1)])]}, "wrong-type"),
}
for name, (description, options, kind) in TO1D_BAD.items():
    to1d(name, description, m.to1d(ONE.owner, TO0D, **options), kind)
to1d("trailing", "a byte behind the message", TO1D + b"\x00", "trailing-bytes")
to1d("older-voucher", "signed by the owner before", TO1D, "signature-invalid", voucher=TWO)
OTHERS = {
    "entry": TWO.entries[1],
    "proof": m.prove_ov_hdr(ONE),
    "setup": m.setup_device(ONE.owner, draft().rendezvous, GUID, MAKER.item),
    "eat": m.prove_to_rv(GUID),
    "ownership": m.proof(ONE.owner, m.challenge(ONE)),
}
for name, other in OTHERS.items():
    to1d(f"is-{name}", "another signed message offered as to1d", other, "wrong-message")


# TO0.OwnerSign.
def owner_sign(name, description, message, kind=None, entry=None, **expect):
    given = {"message": message, "nonce": m.NONCE_TO0} | {k: expect.pop(k) for k in ("build", "voucher") if k in expect}
    if kind is None:
        suite.accepted("owner-sign", name, description, given, **({"guid": GUID, "wait_seconds": 3600} | expect))
    else:
        suite.rejected("owner-sign", name, description, given, kind, entry)


def both(to0d_bytes, built=ONE, **options):
    return m.owner_sign(to0d_bytes, m.to1d(built.owner, to0d_bytes, **options))


owner_sign("p256", "a voucher of one entry", both(TO0D), to1d=TO1D, build="p256-owner-a", voucher=ONE.bytes)
owner_sign("no-entries", "a voucher of no entries: the manufacturer is the owner", both(m.to0d(ZERO.bytes), ZERO), to1d=m.to1d(MAKER, m.to0d(ZERO.bytes)))
P384_TO0D = m.to0d(P384.bytes)
owner_sign("p384", "P-384 and SHA-384", both(P384_TO0D, P384, code=SHA384), to1d=m.to1d(P384.owner, P384_TO0D, SHA384))
owner_sign("old-nonce", "an answer to an earlier TO0.HelloAck", both(m.to0d(ONE.bytes, bytes(16))), "wrong-nonce")
owner_sign("nonce-15", "a nonce of 15 bytes", both(m.to0d(ONE.bytes, bytes(15))), "wrong-size")
owner_sign("other-hash", "to1d belongs to another To0d", m.owner_sign(TO0D, m.to1d(ONE.owner, TO0D + b"!")), "to0d-hash-mismatch")
owner_sign("wait-changed", "the time to wait was changed after the signature", m.owner_sign(m.to0d(ONE.bytes, wait=9), TO1D), "to0d-hash-mismatch")
owner_sign("signed-by-manufacturer", "signed by an earlier owner", both(TO0D, sign=MAKER.key.sign), "signature-invalid")
owner_sign("alg-mismatch", "the label says EdDSA", both(TO0D, alg=-8), "algorithm-mismatch")
BROKEN = Built(Draft(MAKER, hops=[Hop(OWNERS[0], signature=lambda s: flip(s, 3))]))
owner_sign("voucher-signature", "the voucher has a bad signature", both(m.to0d(BROKEN.bytes)), "signature-invalid", 0)
owner_sign("voucher-hash", "the voucher has a bad hash", both(m.to0d(Built(Draft(MAKER, hops=[Hop(OWNERS[0], info=lambda _: hash_item(SHA256, bytes(32)))])).bytes)), "header-info-hash-mismatch", 0)
owner_sign("to0d-2", "To0d of two items", both(m.to0d(ONE.bytes, items=lambda items: items[:2])), "wrong-size")
owner_sign("to0d-trailing", "a byte behind To0d", both(TO0D + b"\x00"), "trailing-bytes")
owner_sign("wait-2-32", "2^32 seconds", both(m.to0d(ONE.bytes, wait=2**32)), "wrong-type")
owner_sign("three-items", "a message of three items", cbor.array([cbor.bstr(TO0D), TO1D, cbor.NULL]), "wrong-size")
owner_sign("trailing", "a byte behind the message", both(TO0D) + b"\x00", "trailing-bytes")
owner_sign("to0d-bare", "To0d without its byte string", cbor.array([TO0D, TO1D]), "wrong-type")
owner_sign("is-setup", "a TO2.SetupDevice in place of to1d", m.owner_sign(TO0D, OTHERS["setup"]), "wrong-message")


# The device credential.
SECRET, HASH = bytes(range(1, 33)), digest(SHA256, MAKER.item)
INFO, RV = "Gateway GW-100", draft().rendezvous
DEVICE = keys.get("p256-device-maker-0001")


def key_der(traditional):
    from cryptography.hazmat.primitives import serialization as s

    form = s.PrivateFormat.TraditionalOpenSSL if traditional else s.PrivateFormat.PKCS8
    return DEVICE.private.private_bytes(s.Encoding.DER, form, s.NoEncryption())


def numbers(content):
    return cbor.array(map(cbor.integer, content))


def facts(version=101, guid=GUID, info=cbor.tstr(INFO), rv=RV, hashed=hash_item(SHA256, HASH), active=cbor.TRUE):
    return [active, cbor.integer(version), info, cbor.bstr(guid), rv, hashed]


def plain(*labels):
    return cbor.mapping([(cbor.tstr("Plain"), cbor.mapping((cbor.tstr(k), v) for k, v in labels))])


PLAIN = plain(("hmac_secret", numbers(SECRET)), ("private_key", numbers(key_der(True))))
GO = [*facts(), cbor.bstr(SECRET), cbor.bstr(key_der(False))]


def credential(name, description, message, dialect=None, kind=None, **expect):
    if kind is None:
        suite.accepted("credential", name, description, {"message": message}, **({
            "dialect": dialect, "active": True, "guid": GUID, "device_info": INFO, "rendezvous": RV,
            "manufacturer_hash": HASH, "hmac": hmac.new(SECRET, b"header", "sha256").digest(),
            "key": None if dialect == "reference" else hashlib.sha256(DEVICE.spki()).hexdigest(),
            "rewrite": True} | expect))
    else:
        suite.rejected("credential", name, description, {"message": message}, kind)


f = facts()
credential("go-fdo", "as go-fdo writes it", cbor.array(GO), "go-fdo")
credential("fdo-rs", "as fdo-rs writes it", cbor.array([*f, PLAIN]), "fdo-rs")
credential("reference", "in the order of the FDO text", cbor.array([f[0], f[1], cbor.bstr(SECRET), *f[2:]]), "reference")
credential("inactive", "not active", cbor.array([b"\xf4", *GO[1:]]), "go-fdo", active=False)
credential("sha384", "DCPubKeyHash with SHA-384", cbor.array([*facts(hashed=hash_item(SHA384, digest(SHA384, MAKER.item))), *GO[6:]]), "go-fdo", manufacturer_hash=digest(SHA384, MAKER.item))
credential("fdo-rs-byte-strings", "fdo-rs with byte strings in place of arrays of numbers", cbor.array([*f, plain(("hmac_secret", cbor.bstr(SECRET)), ("private_key", cbor.bstr(key_der(True))))]), "fdo-rs", rewrite=False)
for name, description, message, kind in (
    ("active-number", "DCActive is a number", cbor.array([cbor.integer(1), *GO[1:]]), "wrong-type"),
    ("version-100", "version 100", cbor.array([*facts(version=100), *GO[6:]]), "unsupported-version"),
    ("version-minus-102", "version -102, whose argument in CBOR is 101", cbor.array([*facts(version=-102), *GO[6:]]), "wrong-type"),
    ("guid-15", "a GUID of 15 bytes", cbor.array([*facts(guid=bytes(15)), *GO[6:]]), "guid-length"),
    ("info-number", "the device info is a number", cbor.array([*facts(info=cbor.integer(1)), *GO[6:]]), "wrong-type"),
    ("info-not-utf8", "the device info is not UTF-8", cbor.array([*facts(info=cbor.tstr(b"\xff")), *GO[6:]]), "not-utf8"),
    ("rendezvous-map", "the rendezvous info is a map", cbor.array([*facts(rv=cbor.EMPTY_MAP), *GO[6:]]), "wrong-type"),
    ("hash-short", "DCPubKeyHash of 31 bytes", cbor.array([*facts(hashed=hash_item(SHA256, bytes(31))), *GO[6:]]), "hash-length"),
    ("hash-is-hmac", "DCPubKeyHash with the code of an HMAC", cbor.array([*facts(hashed=hash_item(5, bytes(32))), *GO[6:]]), "not-a-hash"),
    ("six-items", "no secret", cbor.array(f), "wrong-size"),
    ("seven-items", "the key of go-fdo is missing", cbor.array(GO[:7]), "wrong-size"),
    ("nine-items", "an item too many", cbor.array([*GO, cbor.NULL]), "wrong-size"),
    ("trailing", "a byte behind it", cbor.array(GO) + b"\x00", "trailing-bytes"),
    ("not-plain", "secrets in a TPM", cbor.array([*f, cbor.mapping([(cbor.tstr("Tpm"), cbor.EMPTY_MAP)])]), "wrong-type"),
    ("plain-unknown", "an unknown secret", cbor.array([*f, plain(("hmac_secret", numbers(SECRET)), ("other", numbers(b"")))]), "wrong-type"),
    ("plain-twice", "a secret twice", cbor.array([*f, plain(("hmac_secret", numbers(SECRET)), ("hmac_secret", numbers(SECRET)))]), "duplicate-label"),
    ("plain-without-secret", "no HMAC secret", cbor.array([*f, plain(("private_key", numbers(SECRET)))]), "wrong-size"),
    ("number-256", "a byte of 256", cbor.array([*f, plain(("hmac_secret", cbor.array([cbor.integer(256)])))]), "wrong-type"),
    ("cut", "the last byte is missing", cbor.array(GO)[:-1], "truncated"),
):
    credential(name, description, message, kind=kind)


# The plain proof of ownership.
NAME = "market.example.com"


def ownership(name, description, proof, kind=None, voucher=ONE, asked=None, **given):
    given = {"voucher": voucher.bytes, "verifier": NAME, "challenge": m.challenge(voucher) if asked is None else asked, "proof": proof} | given
    if kind is None:
        suite.accepted("ownership", name, description, given)
    else:
        suite.rejected("ownership", name, description, given, kind)


ASKED = m.challenge(ONE)
PROOF = m.proof(ONE.owner, ASKED)
ownership("p256", "a voucher of one entry", PROOF, build="p256-owner-a")
ownership("no-entries", "a voucher of no entries", m.proof(MAKER, m.challenge(ZERO)), voucher=ZERO, build=MAKER.key.name)
ownership("p384", "a P-384 owner", m.proof(P384.owner, m.challenge(P384)), voucher=P384, build="p384-owner-a")
ownership("rsa", "an RSA owner", m.proof(RSA.owner, m.challenge(RSA)), voucher=RSA)
ownership("other-nonce", "an answer to an earlier challenge", m.proof(ONE.owner, m.challenge(ONE, nonce=bytes(32))), "wrong-nonce")
ownership("other-verifier", "an answer to another verifier", m.proof(ONE.owner, m.challenge(ONE, verifier="other.example.com")), "wrong-verifier")
OTHER = Built(draft(1, guid=bytes(range(16))))
ownership("other-device", "an answer about another device of the same owner", m.proof(ONE.owner, m.challenge(OTHER)), "wrong-device")
ownership("other-state", "an answer about an earlier state, whose owner has the same key",
          m.proof(Built(draft(4)).owner, m.challenge(ONE)), "wrong-state", voucher=Built(draft(4)))
ownership("challenge-of-other-voucher", "the challenge is about another voucher", PROOF, "wrong-state", asked=m.challenge(TWO))
ownership("challenge-of-other-device", "the challenge is about another device", PROOF, "wrong-device", asked=m.challenge(OTHER))
FOUR = Built(draft(4))  # the owner's key is that of ONE
ownership("all-about-other-device", "challenge and answer are about another device of the same owner", m.proof(ONE.owner, m.challenge(OTHER)), "wrong-device", asked=m.challenge(OTHER))
ownership("all-about-other-state", "challenge and answer are about an earlier state of the same owner", PROOF, "wrong-state", voucher=FOUR, asked=ASKED)
ownership("signed-by-manufacturer", "signed by an earlier owner", m.proof(ONE.owner, ASKED, sign=MAKER.key.sign), "signature-invalid")
ownership("signature-changed", "one bit of the signature flipped", m.proof(ONE.owner, ASKED, signature=lambda s: flip(s, 1)), "signature-invalid")
ownership("alg-mismatch", "the label says EdDSA", m.proof(ONE.owner, ASKED, alg=-8), "algorithm-mismatch")
ownership("no-aad", "signed like a message of FDO, without external data", m.proof(ONE.owner, ASKED, aad=b""), "signature-invalid")
ownership("fdo20-aad", "signed with the external data of FDO 2.0", m.proof(ONE.owner, ASKED, aad=FDO20_AAD), "signature-invalid")
ownership("untagged", "without tag 18", m.proof(ONE.owner, ASKED, whole=cbor.array), "wrong-type")
ownership("trailing", "a byte behind the proof", PROOF + b"\x00", "trailing-bytes")
ownership("context", "another first item", m.proof(ONE.owner, m.challenge(ONE, context="ov-ownership-v2")), "wrong-message")
ownership("name-empty", "an empty name", m.proof(ONE.owner, m.challenge(ONE, verifier="")), "incomplete")
ownership("name-256", "a name of 256 bytes", m.proof(ONE.owner, m.challenge(ONE, verifier="a" * 256)), "incomplete")
ownership("name-control", "a line break in the name", m.proof(ONE.owner, m.challenge(ONE, verifier="a\nb")), "incomplete")
ownership("nonce-31", "a nonce of 31 bytes", m.proof(ONE.owner, m.challenge(ONE, nonce=bytes(31))), "wrong-size")
ownership("state-47", "a state of 47 bytes", m.proof(ONE.owner, m.challenge(ONE, items=replace(3, cbor.bstr(bytes(47))))), "wrong-size")
ownership("guid-15", "a GUID of 15 bytes", m.proof(ONE.owner, m.challenge(ONE, items=replace(2, cbor.bstr(bytes(15))))), "guid-length")
ownership("six-items", "a challenge of six items", m.proof(ONE.owner, m.challenge(ONE, items=lambda items: [*items, cbor.NULL])), "wrong-size")
ownership("long-head", "a length in a longer form than needed", m.proof(ONE.owner, m.challenge(ONE, items=replace(4, cbor.bstr(m.CHALLENGE_NONCE, 2)))), "bad-cbor")
for name, other in {k: v for k, v in OTHERS.items() if k != "ownership"}.items():
    ownership(f"is-{name}", "a message of FDO offered as proof of ownership", other, "wrong-message")
ownership("is-to1d", "a to1d offered as proof of ownership", TO1D, "wrong-message")
