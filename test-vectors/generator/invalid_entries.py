"""Vouchers that must be refused for the shape of an entry: COSE_Sign1, its headers, its payload.

The entry in question is the last, number 1, unless its own hash shall be carried on. Where the mutation
lies inside what is signed, it is signed as it stands by the right key.
"""

from . import cbor, keys
from .suite import OWNERS, Suite, at, draft, last
from .voucher import Built, hash_item

suite = Suite(__file__)
SIGNED = " Signed as it stands."
ALG = (cbor.integer(1), cbor.integer(-7))
KID = (cbor.integer(4), cbor.bstr(b"kid"))


def entry(name, description, kind, **hop):
    suite.invalid(f"entry-1-{name}", description, last(2, **hop), kind, 1)


def shape():
    as_is = lambda item: lambda items: item
    entry("null", "null in place of the entry.", "wrong-type", entry=as_is(cbor.NULL))
    entry(
        "map",
        "A map in place of the COSE_Sign1.",
        "wrong-type",
        entry=lambda items: cbor.tag(18, cbor.mapping([(items[0], items[1])])),
    )
    entry(
        "byte-string",
        "The COSE_Sign1 inside a byte string.",
        "wrong-type",
        entry=lambda items: cbor.tag(18, cbor.bstr(cbor.array(items))),
    )
    entry(
        "wrapped-whole",
        "The tagged COSE_Sign1 inside a byte string.",
        "wrong-type",
        entry=lambda items: cbor.bstr(cbor.tag(18, cbor.array(items))),
    )
    for number, title in (
        (17, "COSE_Mac0"),
        (98, "COSE_Sign"),
        (16, "COSE_Encrypt0"),
        (18 + 2**8, "none, 18 after truncation to 8 bits"),
        (18 + 2**32, "none, 18 after truncation to 32 bits"),
    ):
        entry(
            f"tag-{number}",
            f"Tag {number} ({title}).",
            "wrong-type",
            entry=lambda items: cbor.tag(number, cbor.array(items)),
        )
    entry(
        "tag-18-twice",
        "Tag 18 twice.",
        "wrong-type",
        entry=lambda items: cbor.tag(18, cbor.tag(18, cbor.array(items))),
    )
    entry(
        "tag-cwt",
        "Tag 61 (CWT) before tag 18.",
        "wrong-type",
        entry=lambda items: cbor.tag(61, cbor.tag(18, cbor.array(items))),
    )
    entry("3-items", "No signature.", "wrong-size", items=lambda items: items[:3])
    entry("5-items", "A fifth item.", "wrong-size", items=lambda items: [*items, cbor.NULL])
    entry(
        "indefinite-5-items",
        "Five items in an array of indefinite length.",
        "wrong-size",
        items=lambda items: [*items, cbor.NULL],
        entry=lambda items: cbor.tag(18, cbor.array_indefinite(items)),
    )
    entry(
        "indefinite-3-items",
        "Three items in an array of indefinite length.",
        "wrong-size",
        items=lambda items: items[:3],
        entry=lambda items: cbor.tag(18, cbor.array_indefinite(items)),
    )
    suite.invalid(
        "entry-0-untagged",
        "Entry 0 lacks tag 18; entry 1 hashes it so. The allowance is missing.",
        at(2, 0, entry=cbor.array),
        "entry-untagged",
        0,
    )
    entry(
        "untagged",
        "The last entry lacks tag 18, which nothing signs. The allowance is missing.",
        "entry-untagged",
        entry=cbor.array,
    )


def protected():
    plain = cbor.mapping([ALG])
    entry(
        "protected-map",
        "The protected header as a bare map (a pre-release of 2021).",
        "wrong-type",
        protected_item=lambda content: content,
    )
    entry(
        "protected-null",
        "null in place of the protected header.",
        "wrong-type",
        protected_item=lambda content: cbor.NULL,
    )
    entry(
        "protected-text",
        "The protected header inside a text string.",
        "wrong-type",
        protected_item=lambda content: cbor.tstr("&"),
    )
    entry(
        "protected-array",
        "An array in the protected header." + SIGNED,
        "wrong-type",
        protected=cbor.array([cbor.integer(1), cbor.integer(-7)]),
    )
    entry(
        "protected-hidden-bytes",
        "A byte behind the map inside the protected header." + SIGNED,
        "trailing-bytes",
        protected=plain + b"\xf6",
    )
    entry(
        "protected-second-map",
        "A second map behind the first inside the protected header." + SIGNED,
        "trailing-bytes",
        protected=plain + cbor.mapping([(cbor.integer(1), cbor.integer(-35))]),
    )
    entry("protected-cut", "The map ends inside its only pair." + SIGNED, "truncated", protected=plain[:2])
    entry("protected-number", "A number of one byte in place of the map." + SIGNED, "wrong-type", protected=b"\x00")
    entry("protected-empty", "An empty protected header." + SIGNED, "algorithm-missing", protected=b"")
    entry(
        "protected-empty-map",
        "An empty map in the protected header." + SIGNED,
        "algorithm-missing",
        protected=cbor.EMPTY_MAP,
    )
    entry(
        "protected-kid-only",
        "A key identifier and no alg." + SIGNED,
        "algorithm-missing",
        protected=cbor.mapping([KID]),
    )
    entry(
        "protected-duplicate-alg",
        "alg twice with the same value." + SIGNED,
        "duplicate-label",
        protected=cbor.mapping([ALG, ALG]),
    )
    entry(
        "protected-duplicate-alg-other",
        "alg twice: ES256 and ES384." + SIGNED,
        "duplicate-label",
        protected=cbor.mapping([ALG, (cbor.integer(1), cbor.integer(-35))]),
    )
    entry(
        "protected-duplicate-alg-long",
        "alg twice, the second label with a longer head." + SIGNED,
        "duplicate-label",
        protected=cbor.mapping([ALG, (cbor.integer(1, 1), cbor.integer(-35))]),
    )
    entry(
        "protected-duplicate-kid",
        "A key identifier twice." + SIGNED,
        "duplicate-label",
        protected=cbor.mapping([ALG, KID, KID]),
    )
    entry(
        "protected-duplicate-text",
        "A text label twice." + SIGNED,
        "duplicate-label",
        protected=cbor.mapping([ALG, (cbor.tstr("a"), cbor.NULL), (cbor.tstr("a"), cbor.TRUE)]),
    )
    entry(
        "protected-label-bytes",
        "A byte string as label." + SIGNED,
        "wrong-type",
        protected=cbor.mapping([ALG, (cbor.bstr(b"a"), cbor.NULL)]),
    )
    entry(
        "protected-label-not-utf8",
        "A text label that is not UTF-8." + SIGNED,
        "not-utf8",
        protected=cbor.mapping([ALG, (cbor.tstr(b"\xff"), cbor.NULL)]),
    )
    many = [(cbor.integer(100 + number), cbor.NULL) for number in range(64)]
    entry("protected-65-labels", "65 labels." + SIGNED, "limit-labels", protected=cbor.mapping([ALG, *many]))
    for name, critical in (
        ("kid", cbor.integer(4)),
        ("private", cbor.integer(-70000)),
        ("text", cbor.tstr("note")),
        ("257", cbor.integer(257)),
    ):
        pairs = [ALG, (cbor.integer(2), cbor.array([critical])), (critical, cbor.bstr(b"value"))]
        entry(
            f"protected-crit-{name}",
            "crit names a label that has no meaning here (RFC 9052 section 3.1)." + SIGNED,
            "unsupported-critical-header",
            protected=cbor.mapping(pairs),
        )
    entry(
        "protected-crit-empty",
        "crit must name at least one label." + SIGNED,
        "wrong-size",
        protected=cbor.mapping([ALG, (cbor.integer(2), cbor.EMPTY_ARRAY)]),
    )


def unprotected():
    entry("unprotected-null", "null in place of the unprotected header.", "wrong-type", unprotected=cbor.NULL)
    entry(
        "unprotected-array",
        "An array in place of the unprotected header.",
        "wrong-type",
        unprotected=cbor.EMPTY_ARRAY,
    )
    entry(
        "unprotected-byte-string",
        "The unprotected header inside a byte string.",
        "wrong-type",
        unprotected=cbor.bstr(cbor.EMPTY_MAP),
    )
    entry(
        "unprotected-duplicate-kid",
        "A key identifier twice.",
        "duplicate-label",
        unprotected=cbor.mapping([KID, KID]),
    )
    entry(
        "unprotected-duplicate-kid-long",
        "A key identifier twice, the second label with a longer head.",
        "duplicate-label",
        unprotected=cbor.mapping([KID, (cbor.integer(4, 8), KID[1])]),
    )
    entry(
        "unprotected-alg-too",
        "alg in both headers with the same value.",
        "label-in-both-headers",
        unprotected=cbor.mapping([ALG]),
    )
    entry(
        "unprotected-other-alg-too",
        "alg in both headers: ES256 signed, ES384 not.",
        "label-in-both-headers",
        unprotected=cbor.mapping([(cbor.integer(1), cbor.integer(-35))]),
    )
    entry(
        "unprotected-alg-long-head",
        "alg in both headers, the unprotected label with a longer head.",
        "label-in-both-headers",
        unprotected=cbor.mapping([(cbor.integer(1, 2), cbor.integer(-7))]),
    )
    entry(
        "kid-in-both-headers",
        "A key identifier in both headers." + SIGNED,
        "label-in-both-headers",
        protected=cbor.mapping([ALG, KID]),
        unprotected=cbor.mapping([KID]),
    )
    entry(
        "unprotected-alg-only",
        "alg stands in the unprotected header alone." + SIGNED,
        "algorithm-unprotected",
        protected=cbor.EMPTY_MAP,
        unprotected=cbor.mapping([ALG]),
    )
    entry(
        "unprotected-alg-only-empty-protected",
        "The same with an empty protected header." + SIGNED,
        "algorithm-unprotected",
        protected=b"",
        unprotected=cbor.mapping([ALG]),
    )
    entry(
        "unprotected-crit",
        "crit belongs into the protected header.",
        "unsupported-critical-header",
        unprotected=cbor.mapping([(cbor.integer(2), cbor.array([cbor.integer(4)])), KID]),
    )
    entry(
        "unprotected-65-labels",
        "65 labels.",
        "limit-labels",
        unprotected=cbor.mapping([(cbor.integer(100 + number), cbor.NULL) for number in range(65)]),
    )
    entry(
        "unprotected-label-not-utf8",
        "A text label that is not UTF-8.",
        "not-utf8",
        unprotected=cbor.mapping([(cbor.tstr(b"\xc3"), cbor.NULL)]),
    )
    entry(
        "unprotected-value-not-utf8",
        "A text value that is not UTF-8.",
        "not-utf8",
        unprotected=cbor.mapping([(cbor.integer(4), cbor.tstr(b"\xc3"))]),
    )


def payload():
    entry("payload-null", "A detached payload.", "wrong-type", payload_item=lambda content: cbor.NULL)
    entry(
        "payload-inline",
        "The payload array without its byte string.",
        "wrong-type",
        payload_item=lambda content: content,
    )
    entry(
        "payload-text",
        "The payload inside a text string.",
        "wrong-type",
        payload_item=lambda content: cbor.head(3, len(content)) + content,
    )
    entry(
        "payload-twice-wrapped",
        "The payload inside two byte strings." + SIGNED,
        "wrong-type",
        payload_content=cbor.bstr,
    )
    entry("payload-empty", "An empty payload." + SIGNED, "truncated", payload=b"")
    entry(
        "payload-map",
        "A map in place of the payload array." + SIGNED,
        "wrong-type",
        payload_content=lambda content: b"\xa2" + content[1:],
    )
    entry(
        "payload-hidden-bytes",
        "A byte behind the payload array inside its byte string." + SIGNED,
        "trailing-bytes",
        payload_content=lambda content: content + b"\0",
    )
    entry(
        "payload-hidden-payload",
        "A second payload behind the first inside the byte string." + SIGNED,
        "trailing-bytes",
        payload_content=lambda content: content * 2,
    )
    entry(
        "payload-cut",
        "The payload ends inside the key." + SIGNED,
        "truncated",
        payload_content=lambda content: content[:-1],
    )
    entry(
        "payload-3-items",
        "No OVEExtra, as in FDO 1.0." + SIGNED,
        "wrong-size",
        payload_items=lambda items: [items[0], items[1], items[3]],
    )
    entry(
        "payload-5-items",
        "A fifth item." + SIGNED,
        "wrong-size",
        payload_items=lambda items: [*items, cbor.NULL],
    )
    entry(
        "payload-indefinite-5-items",
        "Five items in an array of indefinite length." + SIGNED,
        "wrong-size",
        payload_items=lambda items: [*items, cbor.NULL],
        payload_content=lambda content: b"\x9f" + content[1:] + b"\xff",
    )
    entry(
        "payload-swapped-hash-and-key",
        "Key and first hash have changed places." + SIGNED,
        "wrong-size",
        payload_items=lambda items: [items[3], items[1], items[2], items[0]],
    )
    suite.invalid(
        "entry-0-payload-hidden-bytes",
        "A byte behind the payload of entry 0; entry 1 hashes it so." + SIGNED,
        at(2, 0, payload_content=lambda content: content + b"\0"),
        "trailing-bytes",
        0,
    )


def other_messages():
    """What an owner signs besides entries (RFC 9052 has no separation of domains without external_aad)."""
    guid, nonce, key = draft().guid, keys.stream("nonce", 16), OWNERS[0].item
    header = cbor.bstr(Built(draft(0)).header)
    mac = hash_item(5, bytes(32))
    address = cbor.array(
        [cbor.array([cbor.NULL, cbor.tstr("owner.example.com"), cbor.integer(8443), cbor.integer(5)])]
    )
    messages = {
        "to1d": (cbor.array([address, hash_item(-16, bytes(32))]), "wrong-size"),
        "prove-header": (
            cbor.array(
                [
                    header,
                    cbor.integer(1),
                    mac,
                    cbor.bstr(nonce),
                    cbor.array([cbor.integer(-7), cbor.bstr(b"")]),
                    cbor.bstr(b"key exchange"),
                    hash_item(-16, bytes(32)),
                    cbor.integer(1300),
                ]
            ),
            "wrong-size",
        ),
        "setup-device": (
            cbor.array([cbor.EMPTY_ARRAY, cbor.bstr(guid), cbor.bstr(nonce), key]),
            "wrong-size",
        ),
        "key-auth": (
            cbor.array([cbor.tstr("FDOKeyAuth.Prove"), cbor.bstr(nonce), cbor.bstr(nonce), cbor.bstr(guid)]),
            "wrong-type",
        ),
        "eat": (
            cbor.mapping(
                [(cbor.integer(10), cbor.bstr(nonce)), (cbor.integer(256), cbor.bstr(b"\1" + guid))]
            ),
            "wrong-type",
        ),
    }
    for name, (content, kind) in messages.items():
        entry(
            f"is-{name}",
            f"Another message of the owner ({name}) offered as an entry." + SIGNED,
            kind,
            payload=content,
        )


def extras():
    def extra(name, description, item, kind="extra"):
        entry(f"extra-{name}", description + SIGNED, kind, extra=item)

    pair = (cbor.integer(-70000), cbor.bstr(b"value"))
    wrap = lambda *pairs: cbor.bstr(cbor.mapping(pairs))
    extra("number", "A number.", cbor.integer(0))
    extra("text", "Text.", cbor.tstr("extra"))
    extra("array", "An array.", cbor.array([cbor.bstr(b"value")]))
    extra("undefined", "undefined (f7) is not null.", b"\xf7")
    extra("false", "false.", b"\xf4")
    extra("empty-byte-string", "An empty byte string.", cbor.bstr(b""))
    extra("wrapped-null", "null inside a byte string.", cbor.bstr(cbor.NULL))
    extra("wrapped-array", "An array inside a byte string.", cbor.bstr(cbor.array([cbor.bstr(b"value")])))
    extra("wrapped-text", "Text inside a byte string.", cbor.bstr(cbor.tstr("extra")))
    extra("text-label", "A text label.", wrap((cbor.tstr("a"), cbor.bstr(b"value"))))
    extra("bytes-label", "A byte string as label.", wrap((cbor.bstr(b"a"), cbor.bstr(b"value"))))
    extra("number-value", "A number as value.", wrap((cbor.integer(-70000), cbor.integer(1))))
    extra("null-value", "null as value.", wrap((cbor.integer(-70000), cbor.NULL)))
    extra(
        "inline-text-label",
        "A text label in a bare map.",
        cbor.mapping([(cbor.tstr("a"), cbor.bstr(b"value"))]),
    )
    extra(
        "inline-number-value",
        "A number as value in a bare map.",
        cbor.mapping([(cbor.integer(1), cbor.integer(1))]),
    )
    extra("duplicate-label", "A label twice.", wrap(pair, pair), "duplicate-label")
    extra(
        "duplicate-label-long",
        "A label twice, the second with a longer head.",
        wrap(pair, (cbor.integer(-70000, 8), cbor.bstr(b"other"))),
        "duplicate-label",
    )
    extra(
        "inline-duplicate-label",
        "A label twice in a bare map.",
        cbor.mapping([pair, pair]),
        "duplicate-label",
    )
    extra(
        "hidden-bytes",
        "A byte behind the map inside the byte string.",
        cbor.bstr(cbor.mapping([pair]) + b"\0"),
        "trailing-bytes",
    )
    extra(
        "65-labels",
        "65 labels.",
        wrap(*[(cbor.integer(-70000 - number), cbor.bstr(b"")) for number in range(65)]),
        "limit-labels",
    )


for group in (shape, protected, unprotected, payload, other_messages, extras):
    group()
