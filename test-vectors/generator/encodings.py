"""Vouchers that must verify although their CBOR is not in its shortest or definite form (RFC 8949 section 4.2.1)."""

from . import cbor, certs, keys, owner
from .suite import MAKER, OWNERS, Suite, at, draft, last, replace
from .voucher import Draft, Hop, directive, hash_item, hashed, instruction

suite = Suite(__file__)
NON_SHORTEST, INDEFINITE = "non-shortest", "indefinite-length"


def long_heads():
    def once(name, description, made, entry=None):
        suite.valid(f"non-shortest-{name}", description, made, [(NON_SHORTEST, entry)])

    wide = lambda change: draft(2, **change)
    once(
        "outer-array",
        "The head of the voucher in two bytes.",
        wide({"whole": lambda items: cbor.array(items, 1)}),
    )
    once("outer-version", "The outer version in three bytes.", wide({"version": cbor.integer(101, 2)}))
    once(
        "header-length",
        "The length of the header's byte string in five bytes.",
        wide({"header_item": lambda content: cbor.bstr(content, 4)}),
    )
    once(
        "header-array",
        "The head of the header array in two bytes; hashes and signatures cover it as stored.",
        wide({"header_content": lambda content: b"\x98\x06" + content[1:]}),
    )
    once(
        "header-version",
        "The version inside the header in three bytes.",
        wide({"header_version": cbor.integer(101, 2)}),
    )
    once(
        "guid",
        "The length of the GUID in three bytes.",
        wide({"header_items": lambda items: replace(1, cbor.bstr(items[1][1:], 2))(items)}),
    )
    once(
        "device-info",
        "The length of the device info in two bytes.",
        wide({"device_info_item": cbor.tstr("Gateway GW-100", 1)}),
    )
    once(
        "rv-array",
        "The head of the rendezvous info in two bytes.",
        wide({"rendezvous": cbor.array([directive(instruction(5, cbor.tstr("rv.example.com")))], 1)}),
    )
    once(
        "mac-array",
        "The head of the HMac in two bytes; entry 0 hashes it as stored.",
        wide({"mac": lambda _: hash_item(5, bytes(32), 1)}),
    )
    once(
        "mac-code",
        "The HMac code in two bytes.",
        wide({"mac": lambda _: cbor.array([cbor.integer(5, 1), cbor.bstr(bytes(32))])}),
    )
    once(
        "chain-array",
        "The head of the device chain in two bytes.",
        wide({"chain_item": cbor.array(map(cbor.bstr, certs.device_chain()), 1)}),
    )
    once(
        "entries-array",
        "The head of the entries in two bytes.",
        wide({"entries_item": lambda entries: cbor.array(entries, 1)}),
    )
    once(
        "tag",
        "Tag 18 in two bytes; the next entry hashes it as stored.",
        at(2, 0, entry=lambda items: cbor.tag(18, cbor.array(items), 1)),
        0,
    )
    once(
        "cose-array",
        "The head of the COSE_Sign1 in two bytes.",
        at(2, 0, entry=lambda items: cbor.tag(18, cbor.array(items, 1))),
        0,
    )
    once(
        "protected-length",
        "The length of the protected header in two bytes; Sig_structure (RFC 9052 section 4.4) has the short one.",
        at(2, 0, protected_item=lambda content: cbor.bstr(content, 1)),
        0,
    )
    once(
        "protected-map",
        "The head of the protected map in two bytes, signed as stored.",
        at(2, 0, protected=bytes.fromhex("b8010126")),
        0,
    )
    once(
        "alg-label",
        "The label 1 in two bytes, signed as stored.",
        at(2, 0, protected=bytes.fromhex("a1180126")),
        0,
    )
    once(
        "alg-value", "ES256 in two bytes, signed as stored.", at(2, 0, protected=bytes.fromhex("a1013806")), 0
    )
    once(
        "payload-length",
        "The length of the payload in five bytes; Sig_structure has the short one.",
        at(2, 0, payload_item=lambda content: cbor.bstr(content, 4)),
        0,
    )
    once(
        "payload-array",
        "The head of the payload array in two bytes, signed as stored.",
        at(2, 0, payload_content=lambda content: b"\x98\x04" + content[1:]),
        0,
    )
    once(
        "previous-hash-code",
        "The hash code in two bytes, signed as stored.",
        at(2, 0, previous=lambda message: hash_wide(message)),
        0,
    )
    once(
        "signature-length",
        "The length of the signature in three bytes.",
        at(2, 0, signature_item=lambda signature: cbor.bstr(signature, 2)),
        0,
    )
    once(
        "key-array",
        "The head of the public key in two bytes.",
        last(1, owner=owner.x509("p256-owner-a", width=1)),
        0,
    )
    once("key-type", "The key type in two bytes.", last(1, owner=owner.x509("p256-owner-a", type_width=1)), 0)
    once(
        "key-encoding",
        "The key encoding in nine bytes.",
        last(1, owner=owner.x509("p256-owner-a", encoding_width=8)),
        0,
    )
    suite.valid(
        "non-shortest-unprotected-value",
        "A long head inside the unprotected header.",
        last(1, unprotected=cbor.mapping([(cbor.integer(4), cbor.bstr(b"kid", 1))])),
        [("unprotected-header", 0), (NON_SHORTEST, 0)],
    )
    suite.valid(
        "non-shortest-extra-label",
        "A long head inside the map of OVEExtra, signed as stored.",
        last(1, extra=cbor.bstr(cbor.mapping([(cbor.integer(-70000, 8), cbor.bstr(b"value"))]))),
        [(NON_SHORTEST, 0)],
    )
    suite.valid(
        "non-shortest-at-five-places",
        "Long heads outside and inside of what is hashed and signed.",
        Draft(
            MAKER,
            [
                Hop(OWNERS[0], payload_item=lambda content: cbor.bstr(content, 8)),
                Hop(OWNERS[1], protected=bytes.fromhex("a1013806")),
            ],
            whole=lambda items: cbor.array(items, 8),
            header_version=cbor.integer(101, 8),
            entries_item=lambda entries: cbor.array(entries, 4),
        ),
        [(NON_SHORTEST, None)] * 3 + [(NON_SHORTEST, 0), (NON_SHORTEST, 1)],
    )


def hash_wide(message):
    return b"\x82\x38\x0f" + hashed(-16)(message)[2:]


def indefinite():
    def once(name, description, made, entry=None):
        suite.valid(f"indefinite-{name}", description, made, [(INDEFINITE, entry)])

    kid = [(cbor.integer(4), cbor.bstr(b"kid"))]
    once(
        "outer-array", "The voucher as an array of indefinite length.", draft(2, whole=cbor.array_indefinite)
    )
    once(
        "header-array",
        "The header array; hashes and signatures cover it as stored.",
        draft(2, header_content=lambda content: b"\x9f" + content[1:] + b"\xff"),
    )
    once(
        "header-one-chunk",
        "The header in a byte string of exactly one chunk.",
        draft(2, header_item=lambda content: cbor.bstr_chunks([content])),
    )
    once(
        "device-info-one-chunk",
        "The device info in a text string of exactly one chunk.",
        draft(2, device_info_item=cbor.tstr_chunks(["Gateway GW-100"])),
    )
    once(
        "guid-one-chunk",
        "The GUID in a byte string of exactly one chunk.",
        draft(2, header_items=lambda items: replace(1, b"\x5f" + items[1] + b"\xff")(items)),
    )
    once(
        "rv-array",
        "The rendezvous info.",
        draft(2, rendezvous=cbor.array_indefinite([directive(instruction(5, cbor.tstr("rv.example.com")))])),
    )
    once(
        "mac-array",
        "The HMac; entry 0 hashes it as stored.",
        draft(2, mac=lambda _: cbor.array_indefinite([cbor.integer(5), cbor.bstr(bytes(32))])),
    )
    once(
        "chain-array",
        "The device chain.",
        draft(2, chain_item=cbor.array_indefinite(map(cbor.bstr, certs.device_chain()))),
    )
    once("entries-array", "The entries.", draft(2, entries_item=cbor.array_indefinite))
    once(
        "entries-array-empty",
        "No entries in an array of indefinite length.",
        draft(0, entries_item=cbor.array_indefinite),
    )
    once(
        "cose-array",
        "The COSE_Sign1 array.",
        at(2, 0, entry=lambda items: cbor.tag(18, cbor.array_indefinite(items))),
        0,
    )
    once(
        "protected-map",
        "The protected map, signed as stored.",
        at(2, 0, protected=bytes.fromhex("bf0126ff")),
        0,
    )
    once(
        "unprotected-empty-map",
        "An empty unprotected map of indefinite length.",
        at(2, 0, unprotected=cbor.mapping_indefinite([])),
        0,
    )
    suite.valid(
        "indefinite-unprotected-map",
        "An unprotected map with content.",
        at(2, 0, unprotected=cbor.mapping_indefinite(kid)),
        [(INDEFINITE, 0), ("unprotected-header", 0)],
    )
    once(
        "payload-array",
        "The payload array, signed as stored.",
        at(2, 0, payload_content=lambda content: b"\x9f" + content[1:] + b"\xff"),
        0,
    )
    once(
        "payload-one-chunk",
        "The payload in a byte string of exactly one chunk; Sig_structure has the plain one.",
        at(2, 0, payload_item=lambda content: cbor.bstr_chunks([content])),
        0,
    )
    once(
        "signature-one-chunk",
        "The signature in a byte string of exactly one chunk.",
        at(2, 0, signature_item=lambda signature: cbor.bstr_chunks([signature])),
        0,
    )
    once(
        "hash-array",
        "The previous-entry hash, signed as stored.",
        at(2, 0, previous=lambda message: b"\x9f" + hashed(-16)(message)[1:] + b"\xff"),
        0,
    )
    once(
        "key-array",
        "The public key of the next owner.",
        last(1, owner=owner.raw("p256-owner-a", b"\x9f" + OWNERS[0].item[1:] + b"\xff")),
        0,
    )
    once(
        "extra-map",
        "The map inside OVEExtra.",
        last(1, extra=cbor.bstr(cbor.mapping_indefinite([(cbor.integer(-70000), cbor.bstr(b"value"))]))),
        0,
    )
    who = owner.cosekey(
        "p256-owner-a", body=cbor.mapping_indefinite(owner.cose_labels(keys.get("p256-owner-a")))
    )
    suite.valid(
        "indefinite-cosekey",
        "The COSE_Key maps of header and entry.",
        Draft(who, [Hop(who)]),
        [(INDEFINITE, None), (INDEFINITE, 0)],
    )


for group in (long_heads, indefinite):
    group()
