"""Sound vouchers that a policy refuses, and the order in which failures are reported."""

import hashlib

from . import cbor, certs, der, keys, owner
from .facts import long_chain
from .suite import MAKER, OWNERS, Suite, at, draft, flip, spki_of
from .voucher import (
    FDO20_AAD,
    Draft,
    Hop,
    digest,
    hash_item,
    mac_item,
)

suite = Suite(__file__)
SECRET = bytes(range(32))


def allowances():
    version = {"version": cbor.integer(200), "header_version": cbor.integer(200)}
    suite.invalid(
        "fdo20-without-allowance",
        "A voucher of FDO 2.0; the allowance is missing.",
        Draft(MAKER, [Hop(OWNERS[0], aad=FDO20_AAD)], **version),
        "unsupported-version",
        allow=["legacy-chain-hash", "legacy-untagged", "key-type-label", "experimental-keys", "fdo-2.0-draft-aad"],
    )
    suite.invalid(
        "fdo20-draft-aad-with-other-allowances",
        "Every allowance but the right one is given.",
        Draft(MAKER, [Hop(OWNERS[0], aad=FDO20_AAD)]),
        "signature-invalid",
        0,
        allow=["legacy-chain-hash", "legacy-untagged", "key-type-label", "experimental-keys", "fdo-2.0"],
    )
    untagged = at(2, 1, entry=cbor.array)
    suite.invalid(
        "untagged-with-other-allowances",
        "Every allowance but the right one is given.",
        untagged,
        "entry-untagged",
        1,
        allow=["legacy-chain-hash", "key-type-label", "fdo-2.0", "fdo-2.0-draft-aad", "experimental-keys"],
    )
    chain = cbor.array(map(cbor.bstr, certs.device_chain()))
    suite.invalid(
        "legacy-chain-hash-with-other-allowances",
        "Every allowance but the right one is given.",
        draft(1, chain_hash_over=chain),
        "chain-hash-mismatch",
        allow=["legacy-untagged", "key-type-label", "fdo-2.0", "fdo-2.0-draft-aad", "experimental-keys"],
    )
    suite.invalid(
        "legacy-chain-hash-other-chain",
        "The chain hash covers the CBOR item of another chain; the allowance is given.",
        draft(1, chain_hash_over=cbor.array(map(cbor.bstr, certs.device_chain(serial="0002")))),
        "chain-hash-mismatch",
        allow=["legacy-chain-hash"],
    )


def wrong_facts():
    def fact(name, description, made, kind, **options):
        # A wrong owner is the fault of the entry that names it.
        entry = len(made.entries(made.hops)) - 1 if kind == "wrong-owner" else None
        suite.invalid(f"fact-{name}", description, made, kind, entry, **options)

    fact_without = "Nobody has bought the device yet, and a buyer is expected as owner."
    suite.invalid(
        "fact-owner-0-entries", fact_without, draft(0), "wrong-owner", None, owner=spki_of("p256-owner-a")
    )

    fact(
        "hmac-other-secret",
        "The secret of another device.",
        draft(1),
        "hmac-mismatch",
        hmac_secret=bytes(32).hex(),
    )
    fact(
        "hmac-flipped-secret-bit",
        "One bit of the secret is flipped.",
        draft(1),
        "hmac-mismatch",
        hmac_secret=flip(SECRET).hex(),
    )
    fact("hmac-empty-secret", "An empty secret is none.", draft(1), "hmac-secret-short", hmac_secret="")
    for size in (1, 2, 15):
        secret = keys.stream("secret", size)
        fact(
            f"hmac-secret-{size}-bytes",
            "The right secret, which is too short to be one: it can be found by trying.",
            draft(0, secret=secret),
            "hmac-secret-short",
            hmac_secret=secret.hex(),
        )
    fact(
        "hmac-flipped-bit",
        "One bit of the HMAC is flipped; entry 0 covers it so.",
        draft(1, mac=lambda header: flip_mac(header)),
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )
    fact(
        "hmac-zero",
        "The HMAC is all zero.",
        draft(1, mac=lambda _: hash_item(5, bytes(32))),
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )
    fact(
        "hmac-plain-digest",
        "The HMAC holds the plain SHA-256 of the header under the code of HMAC-SHA256.",
        draft(1, mac=lambda header: hash_item(5, digest(-16, header))),
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )
    fact(
        "hmac-with-head",
        "The HMAC covers the header's byte string with its head.",
        draft(1, mac=lambda header: mac_item(SECRET, 5)(cbor.bstr(header))),
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )
    fact(
        "hmac-truncated-sha384",
        "The code of HMAC-SHA256 with the first 32 bytes of HMAC-SHA384.",
        draft(1, mac=lambda header: hash_item(5, mac_item(SECRET, 6)(header)[4:36])),
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )
    changed = draft(
        0, items=lambda items: [items[0], items[1].replace(b"rv.example.com", b"rv.example.org"), *items[2:]]
    )
    fact(
        "hmac-header-changed",
        "The rendezvous address was changed; without entries the HMAC alone tells.",
        changed,
        "hmac-mismatch",
        hmac_secret=SECRET.hex(),
    )

    fact(
        "owner-stranger",
        "Somebody else is expected as owner.",
        draft(2),
        "wrong-owner",
        owner=spki_of("p256-stranger"),
    )
    fact(
        "owner-previous",
        "The owner before the current one is expected: it has sold the device.",
        draft(2),
        "wrong-owner",
        owner=spki_of("p256-owner-a"),
    )
    fact(
        "owner-manufacturer",
        "The manufacturer is expected as owner.",
        draft(1),
        "wrong-owner",
        owner=spki_of("p256-maker"),
    )
    fact(
        "owner-truncated-voucher",
        "The last entry was cut off, so an earlier owner is the current one: a genuine older state.",
        draft(2, entries=lambda entries: entries[:1]),
        "wrong-owner",
        owner=spki_of("p256-owner-b"),
    )
    key = keys.get("p256-owner-b")
    negated = der.spki_ec(der.P256, key.point()[:33] + (keys.PRIMES["p256"] - key.y).to_bytes(32, "big"))
    fact("owner-negated-point", "The same x, the other y.", draft(2), "wrong-owner", owner=negated.hex())
    fact(
        "owner-other-type",
        "An RSA key is expected.",
        draft(2),
        "wrong-owner",
        owner=spki_of("rsa2048-owner-a"),
    )
    rsa = Draft(owner.x509("rsa2048-maker"), [Hop(owner.x509("rsa2048-owner-a"))])
    fact(
        "owner-other-exponent",
        "The same modulus, another exponent.",
        rsa,
        "wrong-owner",
        owner=der.spki_rsa(keys.get("rsa2048-owner-a").modulus, 65539).hex(),
    )
    fact(
        "manufacturer-stranger",
        "Another manufacturer is expected.",
        draft(2),
        "wrong-manufacturer",
        manufacturer=spki_of("p256-stranger"),
    )
    fact(
        "manufacturer-is-owner",
        "The current owner is expected as manufacturer.",
        draft(2),
        "wrong-manufacturer",
        manufacturer=spki_of("p256-owner-b"),
    )
    for name, wanted in (
        ("flipped-bit", flip(hashlib.sha256(MAKER.item).digest())),
        ("of-other-key", hashlib.sha256(OWNERS[0].item).digest()),
        ("sha384-of-other-key", hashlib.sha384(OWNERS[0].item).digest()),
        ("truncated-sha384", hashlib.sha384(MAKER.item).digest()[:32]),
    ):
        fact(
            f"manufacturer-hash-{name}",
            "The hash in the device credential is another one.",
            draft(1),
            "wrong-manufacturer",
            manufacturer_hash=wanted.hex(),
        )


def flip_mac(header):
    item = mac_item(SECRET, 5)(header)
    return item[:4] + flip(item[4:])


def device_paths():
    ca, other = certs.device_ca(), certs.device_ca("p256", "Other")
    when = "2026-06-01T00:00:00Z"

    def path(name, description, chain, *roots, kind="device-path", **changes):
        made = draft(1, chain=chain, **changes)
        suite.invalid(
            f"device-path-{name}",
            description,
            made,
            kind,
            device_ca=[root.hex() for root in roots or (ca,)],
            at=when,
        )

    device = certs.device_chain()
    path("other-ca", "The given CA did not sign this device.", device, other)
    root_key, fake_key = keys.get("p256-device-ca-maker"), keys.get("p256-device-ca-fake")
    fake = certs.certificate("Maker device CA", fake_key, "Maker device CA", fake_key, ca=True)
    path("same-name-other-key", "The given CA has the right name and another key.", device, fake)
    leaf_key = keys.get("p256-device-maker-0001")
    forged = certs.certificate("Device 0001", leaf_key, "Maker device CA", fake_key)
    path("forged-leaf", "The device certificate names the CA and was signed by another key.", [forged, ca])
    path(
        "forged-with-fake-ca",
        "Device certificate and CA of the same name, both made by an attacker.",
        [forged, fake],
    )
    path(
        "flipped-signature",
        "One bit of the device certificate's signature is flipped.",
        [flip(device[0], 8 * len(device[0]) - 8), ca],
    )
    path("leaf-garbage", "The device certificate cannot be read.", [b"not a certificate", ca])
    path(
        "broken-in-the-middle",
        "The second certificate did not sign the first.",
        [device[0], other, ca],
        other,
    )
    suite.invalid(
        "device-path-null-chain",
        "A device without certificates, and a path is asked for.",
        draft(1, chain_item=cbor.NULL, chain_hash=lambda _: cbor.NULL),
        "device-path",
        device_ca=[ca.hex()],
        at=when,
    )
    path(
        "chain-root-first",
        "The chain stands root first, and the chain hash covers it so.",
        device[::-1],
        kind="chain-reversed",
    )
    path("ca-as-device", "The public certificate of the given CA stands as that of the device.", [ca], kind="ca-as-leaf")
    path(
        "ca-as-device-with-device",
        "The given CA twice, then the device.",
        [ca, ca, device[0]],
        kind="ca-as-leaf",
    )
    middle_key = keys.get("p256-device-middle")

    def through(**options):
        middle = certs.certificate(
            "Middle", middle_key, "Maker device CA", root_key, **{"ca": True, **options}
        )
        return [certs.certificate("Device 0001", leaf_key, "Middle", middle_key), middle, ca]

    path(
        "no-basic-constraints", "The intermediate has no basicConstraints.", through(basic_constraints=False)
    )
    path("not-a-ca", "An end entity certificate as intermediate.", through(ca=False))
    path("intermediate-v1", "The intermediate is a version 1 certificate.", through(version=1))
    path("intermediate-sha1", "The intermediate is signed with SHA-1.", through(hash_name="sha1"))
    sha1 = certs.certificate("Device 0001", leaf_key, "Maker device CA", root_key, hash_name="sha1")
    path("leaf-sha1", "The device certificate is signed with SHA-1.", [sha1, ca])
    rsa_key = keys.get("rsa2048-device-ca-maker")
    sha1 = certs.certificate("Device 0001", leaf_key, "Maker device CA", rsa_key, hash_name="sha1")
    rsa_ca = certs.device_ca("rsa2048")
    path("leaf-sha1-rsa", "The device certificate is signed with SHA-1 and RSA.", [sha1, rsa_ca], rsa_ca)


def certificate_times():
    def refused(name, description, chain, when):
        suite.invalid(
            f"certificate-time-{name}",
            description,
            draft(1, chain=chain),
            "certificate-time",
            device_ca=[chain[-1].hex()],
            at=when,
            refuse_expired=True,
        )

    device = certs.device_chain(not_before="20250101000000", not_after="20251231235959")
    refused(
        "expired",
        "The device certificate had expired, and the policy makes that an error.",
        device,
        "2026-06-01T00:00:00Z",
    )
    refused(
        "expired-by-a-second",
        "The device certificate had expired one second before.",
        device,
        "2026-01-01T00:00:00Z",
    )
    refused("not-yet-valid", "The device certificate was not valid yet.", device, "2024-12-31T23:59:59Z")
    refused(
        "intermediate-expired",
        "The intermediate had expired.",
        long_chain(3, not_after="20251231235959"),
        "2026-06-01T00:00:00Z",
    )


def orders():
    """Two things wrong in one voucher: the verifier goes structure, policy, chain hash, links, keys, signatures, facts."""

    def first(name, description, made, kind, entry=None, **options):
        suite.invalid(f"first-{name}", description, made, kind, entry, **options)

    wrong_chain = {"chain_hash": lambda _: hash_item(-16, bytes(32))}
    wrong_hash = lambda _: hash_item(-16, bytes(32))
    off_curve = owner.ec_point("p256-owner-b", b"\x04" + bytes(64))
    hops = lambda *changes: [
        Hop(change.pop("owner", OWNERS[number]), **change) for number, change in enumerate(changes)
    ]
    first(
        "structure-before-policy",
        "Entry 0 is untagged, entry 1 has three payload items.",
        draft(hops=hops({"entry": cbor.array}, {"payload_items": lambda items: items[:3]})),
        "wrong-size",
        1,
    )
    first(
        "policy-before-chain-hash",
        "A label that lies in entry 1 and a wrong chain hash.",
        draft(hops=hops({}, {"owner": owner.x509("p256-owner-b", 11)}), **wrong_chain),
        "key-type-mismatch",
        1,
    )
    first(
        "deviation-before-chain-hash",
        "An inline extra in entry 0 and a wrong chain hash under the strict profile.",
        draft(hops=hops({"extra": cbor.EMPTY_MAP}), **wrong_chain),
        "deviation",
        0,
        strict=True,
    )
    first(
        "chain-hash-before-links",
        "A wrong chain hash and a wrong previous hash.",
        draft(hops=hops({"previous": wrong_hash}), **wrong_chain),
        "chain-hash-mismatch",
    )
    first(
        "previous-before-info",
        "Both hashes of entry 0 are wrong.",
        draft(hops=hops({"previous": wrong_hash, "info": wrong_hash})),
        "previous-hash-mismatch",
        0,
    )
    first(
        "info-of-0-before-previous-of-1",
        "The header info hash of entry 0 and the previous hash of entry 1 are wrong.",
        draft(hops=hops({"info": wrong_hash}, {"previous": wrong_hash})),
        "header-info-hash-mismatch",
        0,
    )
    first(
        "links-before-signatures",
        "The signature of entry 0 and the previous hash of entry 2 are wrong.",
        draft(hops=hops({"signature": flip}, {}, {"previous": wrong_hash})),
        "previous-hash-mismatch",
        2,
    )
    first(
        "keys-before-signatures",
        "The signature of entry 0 is wrong and entry 1 names a point off the curve.",
        draft(hops=hops({"signature": flip}, {"owner": off_curve})),
        "point-not-on-curve",
        1,
    )
    first(
        "links-before-keys",
        "Entry 0 has a wrong previous hash, the header a point off the curve.",
        Draft(owner.ec_point("p256-maker", b"\x04" + bytes(64)), hops({"previous": wrong_hash})),
        "previous-hash-mismatch",
        0,
    )
    first(
        "signatures-before-facts",
        "A wrong signature and an unexpected owner.",
        draft(hops=hops({"signature": flip})),
        "signature-invalid",
        0,
        owner=spki_of("p256-stranger"),
    )
    first(
        "hmac-before-owner",
        "A wrong secret and an unexpected owner.",
        draft(1),
        "hmac-mismatch",
        hmac_secret=bytes(32).hex(),
        owner=spki_of("p256-stranger"),
    )
    first(
        "manufacturer-before-owner",
        "An unexpected manufacturer and an unexpected owner.",
        draft(1),
        "wrong-manufacturer",
        manufacturer=spki_of("p256-stranger"),
        owner=spki_of("p256-stranger"),
    )
    first(
        "owner-before-device-path",
        "An unexpected owner and a device CA that does not fit.",
        draft(1),
        "wrong-owner",
        0,
        owner=spki_of("p256-stranger"),
        device_ca=[certs.device_ca("p256", "Other").hex()],
    )


for group in (allowances, wrong_facts, device_paths, certificate_times, orders):
    group()
