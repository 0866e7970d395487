"""The device's side of TO2: ProveOVHdr and the entries, message by message."""

from . import cbor, keys, messages as m
from .owner import Owner, cosekey, ec_point, x5chain, x509
from .messages import Messages, hash_item, run
from .suite import MAKER, OWNERS, at, draft, flip, last, replace
from .voucher import FDO20_AAD, SHA256, SHA384, Built, Draft, Hop, digest

suite = Messages(__file__)
GUID = draft().guid
SECRET = draft().secret


def given(messages, **changes):
    """What the device knows, and what it gets."""
    return {
        "guid": GUID,
        "secret": SECRET,
        "hello": m.HELLO,
        "nonce": m.NONCE_OV,
        "messages": messages,
    } | changes


def good(name, description, built, messages=None, **changes):
    suite.accepted(
        "device",
        name,
        description,
        given(run(built) if messages is None else messages, **changes),
        owner=m.owner_hash(built.owner),
        entries=len(built.entries),
        device_nonce=m.NONCE_DV,
        key_exchange=m.KEY_EXCHANGE_A,
    )


def bad(name, description, messages, kind, entry=None, **changes):
    suite.rejected("device", name, description, given(messages, **changes), kind, entry)


def by_hand(first, built):
    return [first, *run(built)[1:]]


for count in (0, 1, 2, 3, 10):
    built = Built(draft(count))
    good(f"p256-{count}-entries", f"a P-256 voucher of {count} entries, cut into messages", built, build=built.owner.key.name, voucher=built.bytes)
P384 = Built(Draft(x509("p384-maker"), hops=[Hop(x509("p384-owner-a")), Hop(x509("p384-owner-b"))], hash=SHA384))
good("p384-2-entries", "P-384 and SHA-384 throughout", P384, build="p384-owner-b", voucher=P384.bytes)
good("sha384-with-p256", "P-256 keys with SHA-384 in header and entries", Built(draft(2, hash=SHA384)))
good("mixed-hashes", "the entries hash with SHA-384, the header with SHA-256", Built(at(2, 1, hash=SHA384)))
RSA = Built(Draft(x509("rsa2048-maker", 1), hops=[Hop(x509("rsa2048-owner-a", 1))]))
good("rsa2048restr", "RSA2048RESTR owners", RSA)
PSS = Built(Draft(x509("rsa2048-maker", 6), hops=[Hop(x509("rsa2048-owner-a", 6))]))
good("rsapss", "RSA owners with PSS", PSS)
good("cosekey", "COSE_Key owners", Built(Draft(cosekey("p256-maker"), hops=[Hop(cosekey("p256-owner-a"))])))
good("x5chain", "X5CHAIN owners", Built(Draft(x5chain("p256-maker"), hops=[Hop(x5chain("p256-owner-a"))])))
ONE, TWO, THREE = Built(draft(1)), Built(draft(2)), Built(draft(3))
good(
    "owner-key-in-another-encoding",
    "TO2.ProveOVHdr names the owner's key as COSE_Key, the last entry as SubjectPublicKeyInfo",
    ONE,
    by_hand(m.prove_ov_hdr(ONE, owner_item=cosekey("p256-owner-a").item), ONE),
)
good("hello-sha384", "HelloDeviceHash with another hash function than the HMAC's", ONE,
     by_hand(m.prove_ov_hdr(ONE, hello_hash=hash_item(SHA384, digest(SHA384, m.HELLO))), ONE))
good("long-count", "NumOVEntries in two bytes", ONE, by_hand(m.prove_ov_hdr(ONE, count=cbor.integer(1, 1)), ONE))
good("more-labels", "an unprotected label that nobody knows", ONE,
     by_hand(m.prove_ov_hdr(ONE, labels=[(5, cbor.bstr(b"iv")), (256, cbor.bstr(m.NONCE_DV)), (257, ONE.owner.item)]), ONE))
for name, over in (("cbor", MAKER.item), ("spki", MAKER.key.spki())):
    good(f"manufacturer-hash-{name}", "DCPubKeyHash is that of the header's key", ONE,
         manufacturer_hash=digest(SHA256, over))
UNTAGGED = Built(last(1, entry=cbor.array))
good("allow-untagged", "an entry without tag 18, with its allowance", UNTAGGED, allow=["legacy-untagged"])
LIE = Built(Draft(MAKER, hops=[Hop(x509("p384-owner-a", 10))]))
good("allow-label", "a P-384 key labelled SECP256R1, with its allowance", LIE,
     by_hand(m.prove_ov_hdr(LIE, owner_item=x509("p384-owner-a").item), LIE), allow=["key-type-label"])
AAD = Built(last(1, aad=FDO20_AAD))
good("allow-fdo20-draft-aad", "an entry with the external data of FDO 2.0, with its allowance", AAD, allow=["fdo-2.0-draft-aad"])
FDO20 = {"version": cbor.integer(200), "header_version": cbor.integer(200)}
VERSION = Built(Draft(MAKER, hops=[Hop(OWNERS[0], aad=FDO20_AAD)], **FDO20))
good("allow-fdo20", "a header of version 200, with its allowance", VERSION, allow=["fdo-2.0"])
ED = Built(Draft(x509("ed25519-maker"), hops=[Hop(x509("ed25519-owner-a"))]))
good("allow-ed25519", "Ed25519 owners, with their allowance", ED, allow=["experimental-keys"])

# ProveOVHdr: structure.
FIRST = m.prove_ov_hdr(ONE)


def first(name, description, message, kind, **changes):
    bad(f"proof-{name}", description, by_hand(message, ONE), kind, **changes)


first("cut", "the last byte is missing", FIRST[:-1], "truncated")
first("trailing", "a byte behind the message", FIRST + b"\x00", "trailing-bytes")
first("untagged", "without tag 18", m.prove_ov_hdr(ONE, whole=cbor.array), "wrong-type")
first("tag-17", "tag 17", m.prove_ov_hdr(ONE, whole=lambda items: cbor.tag(17, cbor.array(items))), "wrong-type")
first("three-items", "a COSE_Sign1 of three items", m.prove_ov_hdr(ONE, items=lambda items: items[:3]), "wrong-size")
for number, name in enumerate(["header", "count", "hmac", "nonce", "sig-info", "key-exchange", "hello-hash", "max-size"]):
    first(f"{name}-is-text", f"item {number} of the payload is a text", m.prove_ov_hdr(ONE, payload_items=replace(number, cbor.tstr("text"))), "wrong-type")
first("payload-7", "the payload has seven items", m.prove_ov_hdr(ONE, payload_items=lambda items: items[:7]), "wrong-size")
first("payload-9", "the payload has nine items", m.prove_ov_hdr(ONE, payload_items=lambda items: [*items, cbor.NULL]), "wrong-size")
first("payload-trailing", "a byte behind the payload, inside its byte string", m.prove_ov_hdr(ONE, payload=lambda p: p + b"\x00"), "trailing-bytes")
first("count-256", "256 entries", m.prove_ov_hdr(ONE, count=cbor.integer(256)), "wrong-type")
first("count-negative", "-1 entries", m.prove_ov_hdr(ONE, count=cbor.integer(-1)), "wrong-type")
first("max-size-65536", "a message size past 16 bits", m.prove_ov_hdr(ONE, payload_items=replace(7, cbor.integer(65536))), "wrong-type")
first("nonce-15", "NonceTO2ProveOV has 15 bytes", m.prove_ov_hdr(ONE, payload_items=replace(3, cbor.bstr(bytes(15)))), "wrong-size")
first("sig-info-1", "eBSigInfo of one item", m.prove_ov_hdr(ONE, payload_items=replace(4, cbor.array([cbor.integer(-7)]))), "wrong-size")
first("hmac-is-hash", "the HMAC carries the code of a plain hash", m.prove_ov_hdr(ONE, mac=hash_item(SHA256, bytes(32))), "not-an-hmac")
first("hello-hash-is-hmac", "HelloDeviceHash carries the code of an HMAC", m.prove_ov_hdr(ONE, hello_hash=hash_item(5, bytes(32))), "not-a-hash")
first("no-nonce", "no CUPHNonce", m.prove_ov_hdr(ONE, labels=[(257, ONE.owner.item)]), "wrong-size")
first("short-device-nonce", "CUPHNonce has 15 bytes", m.prove_ov_hdr(ONE, labels=[(256, cbor.bstr(bytes(15))), (257, ONE.owner.item)]), "wrong-size")
first("no-owner-key", "no CUPHOwnerPubKey", m.prove_ov_hdr(ONE, labels=[(256, cbor.bstr(m.NONCE_DV))]), "wrong-size")
first("label-twice", "CUPHNonce twice", m.prove_ov_hdr(ONE, labels=[(256, cbor.bstr(m.NONCE_DV)), (256, cbor.bstr(m.NONCE_DV)), (257, ONE.owner.item)]), "duplicate-label")
first("no-alg", "the protected header is empty", m.prove_ov_hdr(ONE, protected=b""), "algorithm-missing")
first("alg-unknown", "algorithm -47", m.prove_ov_hdr(ONE, alg=-47), "unsupported-algorithm")
first("owner-off-curve", "the owner's point is not on its curve",
      m.prove_ov_hdr(ONE, owner_item=ec_point("p256-owner-a", flip(keys.get("p256-owner-a").point(), 8 * 64)).item), "point-not-on-curve")
first("owner-experimental", "an Ed25519 owner without the allowance", m.prove_ov_hdr(ONE, x509("ed25519-owner-a")), "experimental-key")
first("version-200", "a header of version 200 without the allowance", m.prove_ov_hdr(VERSION), "unsupported-version")
first("guid-short", "a GUID of 15 bytes in the header", m.prove_ov_hdr(Built(draft(1, guid=bytes(range(15))))), "guid-length")

# ProveOVHdr: what it says.
first("alg-mismatch", "the label says EdDSA, the key is P-256", m.prove_ov_hdr(ONE, alg=-8), "algorithm-mismatch")
first("signature-changed", "one bit of the signature flipped", m.prove_ov_hdr(ONE, signature=lambda s: flip(s, 77)), "signature-invalid")
first("signature-short", "a signature of 63 bytes", m.prove_ov_hdr(ONE, signature=lambda s: s[:-1]), "signature-length")
first("signature-by-another", "the owner's key named, somebody else signed",
      m.prove_ov_hdr(ONE, sign=keys.get("p256-owner-c").sign), "signature-invalid")
first("other-aad", "signed with external data", m.prove_ov_hdr(ONE, aad=FDO20_AAD), "signature-invalid")
first("old-nonce", "an answer to an earlier hello", m.prove_ov_hdr(ONE, nonce=bytes(16)), "wrong-nonce")
first("other-hello", "an answer to another hello", m.prove_ov_hdr(ONE, hello=m.HELLO + b"!"), "hello-hash-mismatch")
first("other-device", "the voucher of another device", m.prove_ov_hdr(Built(draft(1, guid=bytes(range(16))))), "wrong-device")
first("other-secret", "the HMAC of a device with another secret", m.prove_ov_hdr(Built(draft(1, secret=bytes(32)))), "hmac-mismatch")
first("header-changed", "another device info under the old HMAC",
      m.prove_ov_hdr(Built(draft(1, device_info="Gateway GW-200")), mac=ONE.mac), "hmac-mismatch")
first("other-manufacturer", "DCPubKeyHash is that of another key", FIRST, "wrong-manufacturer", manufacturer_hash=digest(SHA256, OWNERS[0].item))

# Other messages in its place: signed by the owner, refused for what they are.
for name, message in {
    "entry": ONE.entries[0],
    "setup": m.setup_device(ONE.owner, draft().rendezvous, bytes(range(16)), OWNERS[1].item),
    "to1d": m.to1d(ONE.owner, b"to0d"),
    "ownership": m.proof(ONE.owner, m.challenge(ONE)),
    "eat": m.prove_to_rv(GUID),
}.items():
    first(f"is-{name}", "another signed message offered as TO2.ProveOVHdr", message, "wrong-message")


# Entries.
def entries(name, description, order, kind, entry, built=THREE):
    """`order` has the messages for the entries."""
    bad(f"entry-{name}", description, [m.prove_ov_hdr(built), *order], kind, entry)


E0, E1, E2 = run(THREE)[1:]
entries("missing-last", "the last entry is missing", [E0, E1], "wrong-entry", 2)
entries("missing-first", "the first entry is missing", [E1, E2], "wrong-entry", 0)
entries("swapped", "two entries swapped", [E1, E0, E2], "wrong-entry", 0)
entries("repeated", "an entry twice", [E0, E0, E1, E2], "wrong-entry", 1)
entries("one-more", "an entry more than TO2.ProveOVHdr says", [E0, E1, E2, E2], "wrong-entry", 3)
entries("one-more-numbered", "the same with the number that would follow", [E0, E1, E2, m.next_entry(THREE.entries[2], 3)], "wrong-entry", 3)
entries("number-lies", "entry 2 under the number 1", [E0, m.next_entry(THREE.entries[2], 1)], "previous-hash-mismatch", 1)
entries("number-is-text", "the number is a text", [cbor.array([cbor.tstr("0"), THREE.entries[0]])], "wrong-type", 0)
entries("three-items", "a message of three items", [cbor.array([cbor.integer(0), THREE.entries[0], cbor.NULL])], "wrong-size", 0)
entries("trailing", "a byte behind the message", [E0, E1 + b"\x00"], "trailing-bytes", 1)
entries("cut", "the last byte is missing", [E0, E1[:-1]], "truncated", 1)
entries("is-setup", "a TO2.SetupDevice of the owner in place of an entry: one directive where a hash has two items",
        [m.next_entry(m.setup_device(MAKER, draft().rendezvous, bytes(range(16)), OWNERS[1].item), 0)], "wrong-size", 0)
OTHER = Built(draft(3, guid=bytes(range(16))))
entries("of-another-device", "an entry of another device's voucher", [E0, m.next_entry(OTHER.entries[1], 1)], "previous-hash-mismatch", 1)
for name, description, changes, kind in (
    ("previous-hash", "another previous hash, signed", {"previous": lambda _: hash_item(SHA256, bytes(32))}, "previous-hash-mismatch"),
    ("info-hash", "another hash of GUID and device info, signed", {"info": lambda _: hash_item(SHA256, bytes(32))}, "header-info-hash-mismatch"),
    ("signer", "signed by somebody else", {"signer": OWNERS[2]}, "signature-invalid"),
    ("signature", "one bit of the signature flipped", {"signature": lambda s: flip(s, 99)}, "signature-invalid"),
    ("alg", "the label says EdDSA", {"alg": -8}, "algorithm-mismatch"),
    ("untagged", "without tag 18", {"entry": cbor.array}, "entry-untagged"),
    ("fdo20-aad", "with the external data of FDO 2.0", {"aad": FDO20_AAD}, "signature-invalid"),
    ("payload-3", "a payload of three items", {"payload_items": lambda items: items[:3]}, "wrong-size"),
    ("extra-text", "OVEExtra is a text", {"extra": cbor.tstr("extra")}, "extra"),
):
    built = Built(at(3, 1, **changes))
    entries(name, f"entry 1: {description}", run(built)[1:], kind, 1, built)
built = Built(Draft(MAKER, hops=[Hop(OWNERS[0])], **FDO20))
bad("entry-fdo20-nil", "FDO 2.0, and entry 0 without external data", run(built), "signature-invalid", 0,
    allow=["fdo-2.0", "fdo-2.0-draft-aad"])
built = Built(at(2, 0, owner=x509("p384-owner-a", 10)))
bad("entry-label", "entry 0 names a P-384 key labelled SECP256R1, without the allowance", run(built), "key-type-mismatch", 0)
built = Built(last(1, owner=ec_point("p256-owner-a", flip(keys.get("p256-owner-a").point(), 8 * 64))))
bad("entry-off-curve", "the point in entry 0 is not on its curve", by_hand(m.prove_ov_hdr(built, OWNERS[0]), built), "point-not-on-curve", 0)
built = Built(last(1, owner=x509("ed25519-owner-a")))
bad("entry-experimental", "entry 0 names an Ed25519 key, without the allowance", by_hand(m.prove_ov_hdr(built, OWNERS[0]), built), "experimental-key", 0)

# The counter lies, and the last check.
bad("count-too-high", "TO2.ProveOVHdr says four entries, there are three", [m.prove_ov_hdr(THREE, count=cbor.integer(4)), E0, E1, E2], "wrong-entry", 3)
bad("count-too-low", "TO2.ProveOVHdr says two entries, and the owner after three signed it", [m.prove_ov_hdr(THREE, count=cbor.integer(2)), E0, E1], "wrong-owner", 1)
bad("count-zero", "TO2.ProveOVHdr says no entries", [m.prove_ov_hdr(THREE, count=cbor.integer(0))], "wrong-owner")
for name, who, entry in (("manufacturer", MAKER, 2), ("earlier-owner", OWNERS[0], 2), ("stranger", x509("p256-stranger"), 2)):
    bad(f"owner-is-{name}", "signed by, and naming, somebody who is not the owner any more", by_hand(m.prove_ov_hdr(THREE, who), THREE), "wrong-owner", entry)


def files():
    """Two runs as plain files, for devices that read no JSON."""
    made = {"hello.cbor": m.HELLO}
    for name, built in (("p256", TWO), ("p384", P384)):
        to0d = m.to0d(built.bytes)
        code = SHA384 if built.draft.hash == SHA384 else SHA256
        made[f"{name}-to1d.cbor"] = m.to1d(built.owner, to0d, code)
        for number, message in enumerate(run(built)):
            made[f"{name}-61.cbor" if number == 0 else f"{name}-63-{number - 1}.cbor"] = message
    return made
