"""Vouchers that must be refused for their CBOR or for their size.

Hashes and signatures are made again after the mutation, so that nothing but the named rule is broken.
"""

from . import cbor, certs
from .suite import Suite, draft, last, replace
from .voucher import Built, directive, instruction

suite = Suite(__file__)
REDONE = " Hashes and signatures were redone."
PLAIN = Built(draft(2)).bytes


def truncation():
    suite.invalid("empty-input", "No bytes at all.", b"", "truncated")
    for cut in (1, 2, 4, 100, len(PLAIN) - 400, len(PLAIN) - 70):
        entry = {len(PLAIN) - 400: 0, len(PLAIN) - 70: 1}.get(cut)
        suite.invalid(
            f"truncated-to-{cut}-bytes",
            f"The first {cut} bytes of a voucher with two entries.",
            PLAIN[:cut],
            "truncated",
            entry,
        )
    suite.invalid("truncated-last-byte", "The last byte is missing.", PLAIN[:-1], "truncated", 1)
    suite.invalid("trailing-zero", "One byte follows the voucher.", PLAIN + b"\0", "trailing-bytes")
    suite.invalid("trailing-break", "A break follows the voucher.", PLAIN + b"\xff", "trailing-bytes")
    suite.invalid(
        "trailing-voucher",
        "A second voucher follows; only the reader of many accepts that.",
        PLAIN * 2,
        "trailing-bytes",
    )


def lying_lengths():
    suite.invalid(
        "length-outer-array-6",
        "The head says six items, five follow.",
        draft(1, whole=lambda items: cbor.array(items, count=6)),
        "wrong-size",
    )
    suite.invalid(
        "length-outer-array-4",
        "The head says four items, five follow.",
        draft(1, whole=lambda items: cbor.array(items, count=4)),
        "wrong-size",
    )
    suite.invalid(
        "length-outer-array-2-64",
        "The head says 2^64 - 1 items.",
        draft(1, whole=lambda items: cbor.array(items, count=2**64 - 1)),
        "wrong-size",
    )
    for name, size in (("2-16", 65535), ("2-32", 2**32 - 1), ("2-63", 2**63), ("2-64", 2**64 - 1)):
        lie = cbor.head(2, size)
        suite.invalid(
            f"length-header-{name}",
            f"The header's byte string claims {size} bytes.",
            draft(1, header_item=lambda content: lie + content),
            "truncated",
        )
        suite.invalid(
            f"length-signature-{name}",
            f"The signature claims {size} bytes.",
            last(1, signature_item=lambda content: lie + content),
            "truncated",
            0,
        )
    suite.invalid(
        "length-header-one-more",
        "The header's byte string claims one byte more than the header has, so it swallows the head of the HMAC.",
        draft(1, header_item=lambda content: cbor.head(2, len(content) + 1) + content),
        "trailing-bytes",
    )
    suite.invalid(
        "length-header-one-less",
        "The header's byte string claims one byte less than the header has.",
        draft(1, header_item=lambda content: cbor.head(2, len(content) - 1) + content),
        "truncated",
    )
    suite.invalid(
        "length-entries-one-more",
        "Two entries are announced and one follows.",
        draft(1, entries_item=lambda entries: cbor.array(entries, count=2)),
        "truncated",
        1,
    )
    suite.invalid(
        "length-entries-one-less",
        "One entry is announced and two follow.",
        draft(2, entries_item=lambda entries: cbor.array(entries, count=1)),
        "trailing-bytes",
    )
    suite.invalid(
        "length-entries-0",
        "No entry is announced and one follows: the owner would be the manufacturer.",
        draft(1, entries_item=lambda entries: cbor.array(entries, count=0)),
        "trailing-bytes",
    )
    suite.invalid(
        "length-entries-2-32",
        "2^32 entries are announced.",
        draft(1, entries_item=lambda entries: cbor.array(entries, count=2**32)),
        "limit-entries",
    )
    suite.invalid(
        "length-entries-2-64",
        "2^64 - 1 entries are announced.",
        draft(1, entries_item=lambda entries: cbor.array(entries, count=2**64 - 1)),
        "limit-entries",
    )
    suite.invalid(
        "length-chain-2-32",
        "2^32 certificates are announced, 17 are there.",
        draft(1, chain_item=cbor.array([cbor.bstr(b"certificate")] * 17, count=2**32)),
        "limit-certificates",
    )


def bad_cbor():
    for byte in (0x1C, 0x1D, 0x1E, 0x3C, 0x5C, 0x7D, 0x9E, 0xBC, 0xDC, 0xFC, 0xFD, 0xFE):
        suite.invalid(
            f"bad-head-{byte:02x}",
            f"The reserved head {byte:02x} in place of the GUID.",
            draft(1, header_items=replace(1, bytes([byte]) + bytes(16))),
            "bad-cbor",
        )
    for byte in (0x1F, 0x3F, 0xDF):
        suite.invalid(
            f"bad-indefinite-{byte:02x}",
            f"{byte:02x}: a number or tag cannot be indefinite.",
            draft(1, header_items=replace(1, bytes([byte]) + bytes(16))),
            "bad-cbor",
        )
    suite.invalid(
        "bad-break",
        "A break where the GUID should be.",
        draft(1, header_items=replace(1, b"\xff")),
        "bad-cbor",
    )

    def unprotected(name, description, item):
        suite.invalid(f"bad-{name}", description, last(1, unprotected=item), "bad-cbor", 0)

    unprotected("map-odd", "An indefinite map that ends behind a label.", b"\xbf\x04\xff")
    unprotected("map-odd-nested", "The same one level deeper.", b"\xa1\x04\xbf\x01\xff")
    unprotected("break-in-array", "A break inside an array of definite length.", b"\xa1\x04\x82\x01\xff")
    unprotected("simple-value-24", "A simple value below 32 in two bytes.", b"\xa1\x04\xf8\x18")
    unprotected("simple-value-31", "The last simple value that two bytes must not hold.", b"\xa1\x04\xf8\x1f")
    unprotected("simple-value-null", "null in two bytes: f816.", b"\xa1\x04\xf8\x16")
    unprotected("tag-of-break", "A tag before a break.", b"\xa1\x04\xc1\xff")
    unprotected("chunk-of-text", "A text chunk inside a byte string.", b"\xa1\x04\x5f\x61\x61\xff")
    unprotected(
        "chunk-nested", "An indefinite string as chunk of another.", b"\xa1\x04\x5f\x5f\x41\x61\xff\xff"
    )
    unprotected("chunk-of-bytes", "A byte chunk inside a text string.", b"\xa1\x04\x7f\x41\x61\xff")
    suite.invalid(
        "chunks-split-a-character",
        "A text of two chunks that each hold half of a character (RFC 8949 section 3.2.3).",
        last(1, unprotected=b"\xa1\x04\x7f\x61\xc3\x61\xbc\xff"),
        "not-utf8",
        0,
    )
    suite.invalid(
        "bad-guid-chunk-nested",
        "A GUID whose chunk is a string in chunks again.",
        draft(1, header_items=replace(1, b"\x5f" + cbor.bstr_chunks([draft().guid]) + cbor.BREAK)),
        "bad-cbor",
    )
    text = b"\x7f\x41\x61\xff"
    suite.invalid(
        "bad-device-info-chunk",
        "A byte string as chunk of the device info.",
        draft(1, device_info_item=text),
        "bad-cbor",
    )


def chunked():
    halves = lambda content: cbor.bstr_chunks([content[:7], content[7:]])
    suite.invalid(
        "chunked-header", "The header in two chunks.", draft(1, header_item=halves), "chunked-string"
    )
    suite.invalid(
        "chunked-header-empty-chunk",
        "The header in one chunk behind an empty one.",
        draft(1, header_item=lambda content: cbor.bstr_chunks([b"", content])),
        "chunked-string",
    )
    suite.invalid(
        "chunked-guid",
        "The GUID in two chunks." + REDONE,
        draft(1, header_items=replace(1, halves(draft().guid))),
        "chunked-string",
    )
    suite.invalid(
        "chunked-device-info",
        "The device info in two chunks." + REDONE,
        draft(1, device_info_item=cbor.tstr_chunks(["Gateway ", "GW-100"])),
        "chunked-string",
    )
    suite.invalid(
        "chunked-guid-no-chunk",
        "A GUID of no chunk at all.",
        draft(1, header_items=replace(1, cbor.bstr_chunks([]))),
        "chunked-string",
    )
    suite.invalid(
        "chunked-device-info-no-chunk",
        "A device info of no chunk at all.",
        draft(1, device_info_item=cbor.tstr_chunks([])),
        "chunked-string",
    )
    suite.invalid(
        "chunked-protected",
        "The protected header in two chunks.",
        last(1, protected_item=lambda content: cbor.bstr_chunks([content[:1], content[1:]])),
        "chunked-string",
        0,
    )
    suite.invalid(
        "chunked-payload", "The payload in two chunks.", last(1, payload_item=halves), "chunked-string", 0
    )
    suite.invalid(
        "chunked-signature",
        "The signature in two chunks.",
        last(1, signature_item=halves),
        "chunked-string",
        0,
    )
    suite.invalid(
        "chunked-certificate",
        "A device certificate in two chunks.",
        draft(1, chain_item=cbor.array(map(halves, certs.device_chain()))),
        "chunked-string",
    )


def limits():
    suite.invalid(
        "limit-256-entries",
        "One entry more than TO2 can count; each of them is genuine.",
        draft(256),
        "limit-entries",
    )
    suite.invalid(
        "limit-256-entries-indefinite",
        "The same in an array of indefinite length.",
        draft(256, entries_item=cbor.array_indefinite),
        "limit-entries",
    )
    suite.invalid(
        "limit-17-device-certificates",
        "One certificate more than the default limit.",
        draft(1, chain=[certs.device_ca()] * 17),
        "limit-certificates",
    )
    suite.invalid(
        "limit-17-device-certificates-indefinite",
        "The same in an array of indefinite length.",
        draft(
            1,
            chain=[certs.device_ca()] * 17,
            chain_item=cbor.array_indefinite([cbor.bstr(certs.device_ca())] * 17),
        ),
        "limit-certificates",
    )
    suite.invalid(
        "limit-device-certificate-size",
        "A device certificate of more than 64 KiB.",
        draft(1, chain=[bytes(65537)]),
        "limit-certificate-size",
    )
    suite.invalid(
        "limit-device-info",
        "A device info of 65537 bytes." + REDONE,
        draft(1, device_info="x" * 65537),
        "limit-device-info",
    )
    suite.invalid(
        "limit-1025-instructions",
        "One rendezvous instruction more than the default limit." + REDONE,
        draft(1, rendezvous=cbor.array([directive(*[instruction(14)] * 1025)])),
        "limit-rv-instructions",
    )
    suite.invalid(
        "limit-1025-instructions-spread",
        "1025 directives of one instruction." + REDONE,
        draft(1, rendezvous=cbor.array([directive(instruction(14))] * 1025)),
        "limit-rv-instructions",
    )
    for depth in (40, 10000):
        suite.invalid(
            f"limit-depth-{depth}-unprotected",
            f"{depth} arrays inside each other in the unprotected header.",
            last(1, unprotected=cbor.mapping([(cbor.integer(4), cbor.nested(depth))])),
            "limit-depth",
            0,
        )
        suite.invalid(
            f"limit-depth-{depth}-rendezvous",
            f"{depth} arrays inside each other in the rendezvous info." + REDONE,
            draft(1, rendezvous=cbor.nested(depth)),
            "limit-depth",
        )
    suite.invalid(
        "limit-depth-tags",
        "40 tags before each other in the unprotected header.",
        last(1, unprotected=cbor.mapping([(cbor.integer(4), b"\xc1" * 40 + b"\0")])),
        "limit-depth",
        0,
    )
    suite.invalid(
        "limit-depth-maps",
        "40 maps inside each other in the unprotected header.",
        last(1, unprotected=cbor.mapping([(cbor.integer(4), b"\xa1\x01" * 40 + b"\0")])),
        "limit-depth",
        0,
    )


for group in (truncation, lying_lengths, bad_cbor, chunked, limits):
    group()
