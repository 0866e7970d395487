"""Vouchers that must be refused for the shape of the outer array, the header, the HMAC or the device chain.

Hashes and signatures are made again after the mutation, so that nothing but the named rule is broken.
"""

from . import cbor, certs
from .suite import MAKER, OWNERS, Suite, draft, last, replace
from .voucher import Built, Draft, Hop, hash_item, hashed

suite = Suite(__file__)
REDONE = " Hashes and signatures were redone."
PLAIN = Built(draft(2)).bytes
ENTRY = Built(draft(1)).entries[0]


def outer():
    def item(name, description, number, value, kind, count=1):
        suite.invalid(f"outer-{name}", description, draft(count, items=replace(number, value)), kind)

    suite.invalid(
        "outer-map",
        "A map in place of the voucher's array.",
        draft(1, whole=lambda items: cbor.mapping([(items[0], items[1])])),
        "wrong-type",
    )
    suite.invalid("outer-tagged", "The voucher behind tag 55800.", cbor.tag(55800, PLAIN), "wrong-type")
    suite.invalid("outer-tag-24-bare", "The voucher behind tag 24, and no byte string.", cbor.tag(24, PLAIN), "wrong-type")
    four = cbor.bstr(cbor.bstr(cbor.bstr(cbor.bstr(PLAIN))))
    suite.invalid("outer-in-4-byte-strings", "The voucher in byte strings in each other.", four, "wrong-type")
    suite.invalid("outer-byte-string-cut", "A byte string without its last byte.", cbor.bstr(PLAIN)[:-1], "truncated")
    suite.invalid("outer-byte-string-trailing", "A byte after the byte string.", cbor.bstr(PLAIN) + b"\0", "trailing-bytes")
    suite.invalid("outer-text-string", "The voucher in a text string.", cbor.tstr(PLAIN), "wrong-type")
    chunks = cbor.bstr_chunks([PLAIN[:100], PLAIN[100:]])
    suite.invalid("outer-byte-string-chunks", "The voucher in a byte string of two chunks.", chunks, "wrong-type")
    suite.invalid("outer-null", "null.", cbor.NULL, "wrong-type")
    suite.invalid("outer-empty-array", "An empty array.", cbor.EMPTY_ARRAY, "wrong-size")
    suite.invalid(
        "outer-4-items",
        "Version, header, HMAC and chain, no entries.",
        draft(1, items=lambda items: items[:4]),
        "wrong-size",
    )
    suite.invalid(
        "outer-6-items", "A sixth item.", draft(1, items=lambda items: [*items, cbor.NULL]), "wrong-size"
    )
    suite.invalid(
        "outer-indefinite-4-items",
        "Four items and a break.",
        draft(1, items=lambda items: items[:4], whole=cbor.array_indefinite),
        "wrong-size",
    )
    suite.invalid(
        "outer-indefinite-6-items",
        "Six items and a break.",
        draft(1, items=lambda items: [*items, cbor.NULL], whole=cbor.array_indefinite),
        "wrong-size",
    )
    item("version-text", "The outer version as text.", 0, cbor.tstr("101"), "wrong-type")
    item("version-float", "The outer version as a float.", 0, b"\xfa\x42\xca\x00\x00", "wrong-type")
    item("header-null", "null in place of the header.", 1, cbor.NULL, "wrong-type")
    item("mac-null", "null in place of the HMac.", 2, cbor.NULL, "wrong-type")
    item("chain-text", "Text in place of the device chain.", 3, cbor.tstr("chain"), "wrong-type")
    item("chain-false", "false in place of the device chain.", 3, b"\xf4", "wrong-type")
    item("chain-undefined", "undefined (f7) is not null.", 3, b"\xf7", "wrong-type")
    item("entries-null", "null in place of the entries.", 4, cbor.NULL, "wrong-type")
    item("entries-map", "A map in place of the entries.", 4, cbor.EMPTY_MAP, "wrong-type")
    item(
        "entries-byte-string",
        "The entries inside a byte string.",
        4,
        cbor.bstr(cbor.array([ENTRY])),
        "wrong-type",
    )
    suite.invalid(
        "header-inline",
        "The header as a bare array in a voucher of version 101.",
        draft(1, header_item=lambda content: content),
        "wrong-type",
    )
    suite.invalid(
        "header-text",
        "The header inside a text string.",
        draft(1, header_item=lambda content: cbor.head(3, len(content)) + content),
        "wrong-type",
    )
    suite.invalid(
        "header-twice-wrapped",
        "The header inside two byte strings.",
        draft(1, header_item=lambda content: cbor.bstr(cbor.bstr(content))),
        "wrong-type",
    )
    suite.invalid(
        "header-empty", "An empty byte string.", draft(0, header_item=lambda _: cbor.bstr(b"")), "truncated"
    )


def versions():
    def both(outside, inside):
        return draft(1, version=cbor.integer(outside), header_version=cbor.integer(inside))

    for version in (0, 1, 99, 100, 102, 110, 201, 65637, 101 + 2**32):
        suite.invalid(
            f"version-{version}",
            f"Both versions are {version}.{REDONE}",
            both(version, version),
            "unsupported-version",
        )
        suite.invalid(
            f"version-header-{version}",
            f"The outer version is 101, that of the header {version}.{REDONE}",
            both(101, version),
            "version-mismatch",
        )
        suite.invalid(
            f"version-outer-{version}",
            f"The outer version is {version}, that of the header 101. Nothing signs the outer one.",
            both(version, 101),
            "unsupported-version",
        )
    # In CBOR the second one has the argument 101.
    for version in (-4, -102):
        for place, outside, inside in (("header", 101, version), ("outer", version, 101)):
            suite.invalid(
                f"version-{place}-minus-{-version}",
                f"The version is {version} in one place, 101 in the other: it is an unsigned integer.{REDONE}",
                both(outside, inside),
                "wrong-type",
            )
    suite.invalid(
        "version-outer-200",
        "The outer version is 200, that of the header 101.",
        both(200, 101),
        "version-mismatch",
        allow=["fdo-2.0"],
    )
    suite.invalid(
        "version-header-200",
        "The outer version is 101, that of the header 200.",
        both(101, 200),
        "version-mismatch",
        allow=["fdo-2.0"],
    )
    inline = Draft(
        MAKER,
        [Hop(OWNERS[0], payload_items=lambda items: [items[0], items[1], items[3]])],
        header_version=cbor.integer(100),
        header_item=lambda content: content,
        items=lambda items: items[1:],
    )
    suite.invalid(
        "version-1.0-layout",
        "The layout of FDO 1.0: four items outside, the header inline, no OVEExtra.",
        inline,
        "unsupported-version",
    )
    suite.invalid(
        "version-1.0-without-header",
        "Four items as in FDO 1.0, the first of them no array: the number behind it says nothing.",
        b"\x84\xa0" + cbor.integer(100) + b"\x80\x80",
        "wrong-size",
    )


def header():
    def item(name, description, number, value, kind):
        suite.invalid(
            f"header-{name}", description + REDONE, draft(1, header_items=replace(number, value)), kind
        )

    suite.invalid(
        "header-5-items",
        "The chain hash is missing." + REDONE,
        draft(1, header_items=lambda items: items[:5]),
        "wrong-size",
    )
    suite.invalid(
        "header-7-items",
        "A seventh item." + REDONE,
        draft(1, header_items=lambda items: [*items, cbor.NULL]),
        "wrong-size",
    )
    suite.invalid(
        "header-indefinite-7-items",
        "Seven items in an array of indefinite length." + REDONE,
        draft(
            1,
            header_items=lambda items: [*items, cbor.NULL],
            header_content=lambda content: b"\x9f" + content[1:] + b"\xff",
        ),
        "wrong-size",
    )
    suite.invalid(
        "header-map",
        "A map in place of the header array." + REDONE,
        draft(1, header_content=lambda content: b"\xa3" + content[1:]),
        "wrong-type",
    )
    suite.invalid(
        "header-hidden-bytes",
        "A byte behind the header inside its byte string." + REDONE,
        draft(2, header_content=lambda content: content + b"\xf6"),
        "trailing-bytes",
    )
    suite.invalid(
        "header-hidden-header",
        "A second header behind the first inside the byte string." + REDONE,
        draft(2, header_content=lambda content: content * 2),
        "trailing-bytes",
    )
    item("version-text", "The version as text.", 0, cbor.tstr("101"), "wrong-type")
    item("guid-15-bytes", "A GUID of 15 bytes.", 1, cbor.bstr(bytes(range(15))), "guid-length")
    item("guid-17-bytes", "A GUID of 17 bytes.", 1, cbor.bstr(bytes(range(17))), "guid-length")
    item("guid-empty", "A GUID of no bytes.", 1, cbor.bstr(b""), "guid-length")
    item("guid-text", "A GUID as text of 16 characters.", 1, cbor.tstr("0123456789abcdef"), "wrong-type")
    item("guid-array", "A GUID as an array of numbers.", 1, cbor.array([cbor.integer(1)] * 16), "wrong-type")
    suite.invalid(
        "header-guid-zero", "A GUID of 16 zero bytes." + REDONE, draft(1, guid=bytes(16)), "guid-zero"
    )
    # One byte moves from the device info to the GUID: the header info hash stays the same.
    moved = draft(
        1,
        header_items=lambda items: replace(1, cbor.bstr(draft().guid + b"G"))(
            replace(3, cbor.tstr("ateway GW-100"))(items)
        ),
    )
    suite.invalid(
        "header-guid-takes-a-byte-of-device-info",
        "GUID || DeviceInfo is unchanged, the border between them has moved." + REDONE,
        moved,
        "guid-length",
    )
    item("rv-null", "null in place of the rendezvous info.", 2, cbor.NULL, "wrong-type")
    item("device-info-bytes", "The device info as a byte string.", 3, cbor.bstr(b"Gateway"), "wrong-type")
    item("device-info-null", "null in place of the device info.", 3, cbor.NULL, "wrong-type")
    for name, content in (
        ("lone-continuation", b"a\x80b"),
        ("overlong", b"\xc0\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("past-10ffff", b"\xf4\x90\x80\x80"),
        ("cut", b"abc\xe2\x82"),
        ("latin-1", b"Me\xdfger\xe4t"),
    ):
        suite.invalid(
            f"device-info-not-utf8-{name}",
            "The device info is not UTF-8." + REDONE,
            draft(1, device_info=content),
            "not-utf8",
        )
    item("chain-hash-bytes", "The chain hash as a bare byte string.", 5, cbor.bstr(bytes(32)), "wrong-type")


def hash_items():
    """The same mutations at each of the four places where a Hash stands, and at the HMac."""

    def places(name, description, item, kind):
        suite.invalid(
            f"chain-hash-{name}",
            description + REDONE,
            draft(1, chain_hash=lambda message: item(message)),
            kind,
        )
        suite.invalid(f"entry-1-previous-hash-{name}", description + REDONE, last(2, previous=item), kind, 1)
        suite.invalid(f"entry-1-header-info-hash-{name}", description + REDONE, last(2, info=item), kind, 1)

    value = lambda message: hashed(-16)(message)[4:]
    places(
        "empty",
        "The digest is empty, with the code of SHA-256.",
        lambda message: hash_item(-16, b""),
        "hash-length",
    )
    places(
        "31-bytes",
        "The digest has lost its last byte.",
        lambda message: hash_item(-16, value(message)[:31]),
        "hash-length",
    )
    places(
        "33-bytes",
        "The digest has one byte too many.",
        lambda message: hash_item(-16, value(message) + b"\0"),
        "hash-length",
    )
    places(
        "sha384-code-32-bytes",
        "The code of SHA-384 with a SHA-256 digest.",
        lambda message: hash_item(-43, value(message)),
        "hash-length",
    )
    places(
        "hmac-code",
        "The code of HMAC-SHA256 in a Hash.",
        lambda message: hash_item(5, value(message)),
        "not-a-hash",
    )
    places(
        "sha512",
        "SHA-512 (-44), which FDO does not have.",
        lambda message: hash_item(-44, bytes(64)),
        "unsupported-hash-type",
    )
    places(
        "3-items",
        "Three items in a Hash.",
        lambda message: cbor.array([cbor.integer(-16), cbor.bstr(value(message)), cbor.NULL]),
        "wrong-size",
    )
    places(
        "null-digest",
        "null in place of the digest.",
        lambda message: cbor.array([cbor.integer(-16), cbor.NULL]),
        "wrong-type",
    )
    for name, code in (
        ("8", 8),
        ("14", 14),
        ("0", 0),
        ("plus-2-8", -16 + 256),
        ("minus-2-8", -16 - 256),
        ("plus-2-16", -16 + 2**16),
        ("minus-2-16", -16 - 2**16),
        ("minus-2-32", -16 - 2**32),
        ("plus-2-32", -16 + 2**32),
        ("plus-2-64", -16 + 2**64),
    ):
        suite.invalid(
            f"entry-0-previous-hash-code-{name}",
            f"Hash code {code}: only a truncation to fewer bits or an old table would make it SHA-256."
            + REDONE,
            last(1, previous=lambda message: hash_item(code, value(message))),
            "unsupported-hash-type",
            0,
        )
    suite.invalid(
        "entry-0-previous-hash-null",
        "null in place of the previous hash." + REDONE,
        last(1, previous=lambda _: cbor.NULL),
        "wrong-type",
        0,
    )
    suite.invalid(
        "entry-0-header-info-hash-null",
        "null in place of the header info hash." + REDONE,
        last(1, info=lambda _: cbor.NULL),
        "wrong-type",
        0,
    )
    suite.invalid(
        "entry-0-previous-hash-text",
        "The digest as text in hex." + REDONE,
        last(1, previous=lambda message: cbor.array([cbor.integer(-16), cbor.tstr(value(message).hex())])),
        "wrong-type",
        0,
    )

    def mac(name, description, item, kind):
        suite.invalid(
            f"mac-{name}",
            description + " Entry 0 covers it as it stands.",
            draft(1, mac=lambda _: item),
            kind,
        )

    mac(
        "plain-sha256",
        "A plain hash in place of the HMAC: anybody can make one.",
        hash_item(-16, bytes(32)),
        "not-an-hmac",
    )
    mac("plain-sha384", "The same with SHA-384.", hash_item(-43, bytes(48)), "not-an-hmac")
    mac("empty", "HMAC-SHA256 without a value.", hash_item(5, b""), "hash-length")
    mac("16-bytes", "HMAC-SHA256 cut to 16 bytes.", hash_item(5, bytes(16)), "hash-length")
    mac("sha384-32-bytes", "HMAC-SHA384 with 32 bytes.", hash_item(6, bytes(32)), "hash-length")
    mac("sha256-48-bytes", "HMAC-SHA256 with 48 bytes.", hash_item(5, bytes(48)), "hash-length")
    mac(
        "3-items",
        "Three items.",
        cbor.array([cbor.integer(5), cbor.bstr(bytes(32)), cbor.NULL]),
        "wrong-size",
    )
    mac("1-item", "The code alone.", cbor.array([cbor.integer(5)]), "wrong-size")
    mac("bytes", "A bare byte string.", cbor.bstr(bytes(32)), "wrong-type")
    for code in (7, 8, 108, 110, 114, 5 + 2**8, 5 + 2**16, 5 + 2**32):
        mac(f"code-{code}", f"Code {code}.", hash_item(code, bytes(32)), "unsupported-hash-type")


def chains():
    suite.invalid(
        "chain-null-hash-present",
        "The device chain is null, the header has a chain hash.",
        draft(1, chain_item=cbor.NULL),
        "null-chain",
    )
    suite.invalid(
        "chain-present-hash-null",
        "The chain hash is null, the voucher has a device chain." + REDONE,
        draft(1, chain_hash=lambda _: cbor.NULL),
        "null-chain",
    )
    suite.invalid(
        "chain-empty",
        "An empty device chain with the hash of nothing." + REDONE,
        draft(1, chain=[]),
        "chain-empty",
    )
    suite.invalid(
        "chain-number",
        "A number among the certificates.",
        draft(1, chain_item=cbor.array([*map(cbor.bstr, certs.device_chain()), cbor.integer(1)])),
        "wrong-type",
    )
    suite.invalid(
        "chain-null-certificate",
        "null among the certificates.",
        draft(1, chain_item=cbor.array([*map(cbor.bstr, certs.device_chain()), cbor.NULL])),
        "wrong-type",
    )
    suite.invalid(
        "chain-nested",
        "An array of arrays of certificates.",
        draft(1, chain_item=cbor.array([cbor.array(map(cbor.bstr, certs.device_chain()))])),
        "wrong-type",
    )


for group in (outer, versions, header, hash_items, chains):
    group()
