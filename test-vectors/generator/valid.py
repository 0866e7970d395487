"""Vouchers that must verify: key types, encodings, numbers of entries, hashes, signatures, texts."""

import hashlib

from . import cbor, certs, keys, owner
from .suite import MAKER, OWNERS, Suite, draft, last
from .voucher import (
    HMAC_SHA384,
    SHA256,
    SHA384,
    Built,
    Draft,
    Hop,
    hashed,
    mac_item,
)

suite = Suite(__file__)
P384_DEVICE = certs.device_chain("p384")
SECRET_384 = bytes(range(48))


def key_types():
    kinds = [
        ("p256", "p256", None),
        ("p384", "p384", None),
        ("rsa2048restr", "rsa2048", owner.RSA2048RESTR),
        ("rsapkcs-2048", "rsa2048", owner.RSAPKCS),
        ("rsapkcs-3072", "rsa3072", owner.RSAPKCS),
        ("rsapss-2048", "rsa2048", owner.RSAPSS),
        ("rsapss-3072", "rsa3072", owner.RSAPSS),
    ]
    for title, kind, label in kinds:
        third = ("cosekey", owner.cosekey) if kind.startswith("p") else ("crypto", owner.crypto)
        for encoding, make in [("x509", owner.x509), ("x5chain", owner.x5chain), third]:
            maker, *owners = [make(f"{kind}-{who}", label) for who in ("maker", "owner-a", "owner-b")]
            made = Draft(maker, [Hop(one) for one in owners])
            if kind == "p384":
                made.hash, made.chain, made.secret = SHA384, P384_DEVICE, SECRET_384
            suite.valid(
                f"{title}-{encoding}-2-entries",
                f"Manufacturer and two owners with {title} keys in encoding {encoding}; hashes by the table of section 3.3.2.",
                made,
            )
    for encoding, make in [("x509", owner.x509), ("cosekey", owner.cosekey)]:
        owners = [make(f"ed25519-owner-{who}") for who in "abc"]
        suite.valid(
            f"ed25519-{encoding}-2-entries",
            "Experimental key type -70001 (Ed25519, alg EdDSA) at every place, with the allowance that it needs.",
            Draft(owners[0], [Hop(one) for one in owners[1:]]),
            [("experimental-key", entry) for entry in (None, 0, 1)],
            allow=["experimental-keys"],
        )


def counts():
    for count in (0, 1, 3, 10, 100, 255):  # two are among the key types
        suite.valid(
            f"p256-x509-{count}-entries", f"A plain P-256 voucher with {count} entries.", draft(count)
        )
    rsa = [owner.x509(f"rsa2048-owner-{letter}", owner.RSA2048RESTR) for letter in "abc"]
    suite.valid(
        "rsa2048restr-x509-10-entries",
        "Ten RSA entries.",
        Draft(rsa[0], [Hop(rsa[i % 3]) for i in range(1, 11)]),
    )
    p384 = [owner.x509(f"p384-owner-{letter}") for letter in "abc"]
    suite.valid(
        "p384-x509-20-entries",
        "Twenty P-384 entries.",
        Draft(
            p384[0],
            [Hop(p384[i % 3]) for i in range(1, 21)],
            hash=SHA384,
            chain=P384_DEVICE,
            secret=SECRET_384,
        ),
    )


def mixes():
    p384, rsa = owner.x509("p384-owner-a"), owner.x509("rsa2048-owner-a")
    suite.valid(
        "mixed-types-p256-p384-rsa-p256",
        "Key types change at every hop; each entry is signed as its own signer's key asks.",
        Draft(MAKER, [Hop(p384), Hop(rsa), Hop(OWNERS[0])]),
        [("key-mix", 0), ("key-mix", 1)],
    )
    suite.valid(
        "mixed-encodings",
        "The same key type as X509, COSEKEY and X5CHAIN.",
        Draft(
            MAKER, [Hop(owner.cosekey("p256-owner-a")), Hop(owner.x5chain("p256-owner-b")), Hop(OWNERS[2])]
        ),
        [("key-mix", 0), ("key-mix", 1)],
    )
    suite.valid(
        "mixed-rsa-sizes",
        "RSAPKCS with 2048 and 3072 bits: one key type, two sizes, RS256 then RS384.",
        Draft(
            owner.x509("rsa2048-maker"),
            [Hop(owner.x509("rsa3072-owner-a")), Hop(owner.x509("rsa2048-owner-a"))],
        ),
    )
    suite.valid(
        "mixed-pkcs-to-pss",
        "An RSAPKCS manufacturer sells to an RSAPSS owner.",
        Draft(
            owner.x509("rsa2048-maker"),
            [
                Hop(owner.x509("rsa2048-owner-a", owner.RSAPSS)),
                Hop(owner.x509("rsa2048-owner-b", owner.RSAPSS)),
            ],
        ),
        [("key-mix", 0), ("key-mix", 1)],
    )
    suite.valid(
        "mixed-ed25519-owner",
        "A P-256 manufacturer sells to an owner with an experimental key.",
        Draft(MAKER, [Hop(owner.x509("ed25519-owner-a")), Hop(OWNERS[0])]),
        [("key-mix", 0), ("experimental-key", 0)],
        allow=["experimental-keys"],
    )
    suite.valid(
        "same-key-every-hop",
        "The manufacturer extends to itself twice: pointless and not forbidden.",
        Draft(MAKER, [Hop(MAKER)] * 2),
    )
    suite.valid(
        "owner-loop",
        "The voucher comes back to an earlier owner.",
        Draft(MAKER, [Hop(OWNERS[0]), Hop(MAKER), Hop(OWNERS[0])]),
    )


def hash_choices():
    suite.valid(
        "hash-sha384-with-p256",
        "SHA-384 everywhere though every key is P-256 (fdo-rs).",
        draft(2, hash=SHA384),
        hash_table=True,
    )
    suite.valid(
        "hash-sha256-with-p384-owners",
        "SHA-256 everywhere though device and owner keys are P-384 (go-fdo takes the weaker one).",
        Draft(owner.x509("p384-maker"), [Hop(owner.x509("p384-owner-a"))]),
        hash_table=True,
    )
    suite.valid(
        "hash-sha384-p384-device-p256-owner",
        "A P-384 device and P-256 owners: the table says SHA-384.",
        draft(2, hash=SHA384, chain=P384_DEVICE),
    )
    suite.valid(
        "hash-mixed-header-sha384-entries-sha256",
        "SHA-384 in the header, SHA-256 in the entries.",
        Draft(MAKER, [Hop(OWNERS[0], hash=-16), Hop(OWNERS[1], hash=-16)], hash=SHA384),
        hash_table=True,
    )
    suite.valid(
        "hash-mixed-between-entries",
        "Entry 1 hashes with SHA-384, its neighbours with SHA-256.",
        Draft(MAKER, [Hop(OWNERS[0]), Hop(OWNERS[1], hash=SHA384), Hop(OWNERS[2])]),
        hash_table=True,
    )
    suite.valid(
        "hash-mixed-inside-entry",
        "One entry with SHA-384 for the previous entry and SHA-256 for the header info.",
        last(2, previous=hashed(SHA384)),
        hash_table=True,
    )
    suite.valid(
        "hash-mac-sha384-alone",
        "HMAC-SHA384 over the header, SHA-256 for every hash.",
        draft(1, mac=mac_item(SECRET_384, HMAC_SHA384)),
        hash_table=True,
        hmac_secret=SECRET_384.hex(),
    )
    suite.valid(
        "hash-rsa3072-sha384-signature",
        "RSA-3072 owners sign with RS384 while the table wants SHA-256 for the hashes.",
        Draft(owner.x509("rsa3072-maker"), [Hop(owner.x509("rsa3072-owner-a"))]),
    )
    authority = keys.get("p256-device-ca-maker")
    device = certs.certificate(
        "Device 3072", keys.get("rsa3072-grove-maker"), "Maker device CA", authority
    )
    for name, code in (("sha256", SHA256), ("sha384", SHA384)):
        suite.valid(
            f"hash-rsa3072-device-{name}",
            "Device and owners have RSA-3072 keys, for which the table has no row: either hash will do.",
            Draft(
                owner.x509("rsa3072-maker"),
                [Hop(owner.x509("rsa3072-owner-a"))],
                hash=code,
                chain=[device, certs.device_ca()],
            ),
        )


def signatures():
    order = keys.ORDERS["p256"]

    def with_s(keep_low):
        def change(signature):
            s = int.from_bytes(signature[32:], "big")
            s = min(s, order - s) if keep_low else max(s, order - s)
            return signature[:32] + s.to_bytes(32, "big")

        return change

    suite.valid(
        "signature-high-s",
        "s is above n / 2: ECDSA of FIPS 186-5 has no rule against it.",
        last(2, signature=with_s(False)),
    )
    suite.valid("signature-low-s", "s is below n / 2.", last(2, signature=with_s(True)))
    for name in ("p256-short-x", "p256-short-y"):
        suite.valid(
            f"x509-{name}",
            "A coordinate of the owner key begins with a zero byte.",
            Draft(MAKER, [Hop(owner.x509(name)), Hop(OWNERS[0])]),
        )
    for part, size in (("r", 0), ("s", 32)):
        counter = 0
        while True:
            made = last(1)
            made.guid = hashlib.sha256(f"short {part} {counter}".encode()).digest()[:16]
            entry = Built(made).entries[0]
            if entry[-64:][size] == 0:
                break
            counter += 1
        suite.valid(f"signature-short-{part}", f"{part} begins with a zero byte and keeps it.", made)


def texts():
    for name, text in (
        ("utf8", "Meßgerät 温度計 №7 🌡"),
        ("blanks", "  Gateway  "),
        ("one-byte", "x"),
        ("control-characters", "a\x00b\nc"),
        ("256-bytes", "d" * 256),
    ):
        suite.valid(
            f"device-info-{name}",
            "The exact bytes of the device info are hashed.",
            draft(2, device_info=text),
        )
    suite.valid(
        "device-info-65536-bytes", "As long as the default limit allows.", draft(1, device_info="x" * 65536)
    )
    suite.valid(
        "guid-last-byte-only", "A GUID with a single bit set is not zero.", draft(1, guid=bytes(15) + b"\x01")
    )


def extras():
    private = [(cbor.integer(-70000), cbor.bstr(b"private"))]
    many = [(cbor.integer(-70000 - number), cbor.bstr(bytes([number]))) for number in range(64)]
    cases = {
        "negative-label": private,
        "positive-label": [(cbor.integer(1), cbor.bstr(b"reserved by FDO"))],
        "both-signs": [(cbor.integer(7), cbor.bstr(b"")), *private],
        "largest-labels": [
            (cbor.integer(2**64 - 1), cbor.bstr(b"a")),
            (cbor.integer(-(2**64)), cbor.bstr(b"b")),
        ],
        "64-labels": many,
        "4000-bytes": [(cbor.integer(-70000), cbor.bstr(bytes(4000)))],
    }
    reserved = ("positive-label", "both-signs", "largest-labels")
    for name, pairs in cases.items():
        suite.valid(
            f"extra-{name}",
            "OVEExtra as the specification wants it: a byte string that holds a map of integers to byte strings.",
            last(2, extra=cbor.bstr(cbor.mapping(pairs))),
            [("extra-reserved", 1)] if name in reserved else [],
        )


for group in (key_types, counts, mixes, hash_choices, signatures, texts, extras):
    group()
