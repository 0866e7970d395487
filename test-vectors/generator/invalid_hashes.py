"""Vouchers of faultless shape that must not be trusted: hashes, order of entries, splices."""

from . import cbor, certs, keys
from .suite import MAKER, OWNERS, Suite, at, draft, flip, last, replace
from .voucher import SHA384, Built, Draft, Hop, digest, hash_item, hashed

suite = Suite(__file__)
REDONE = " Everything after it was hashed and signed again."
ORDER = keys.ORDERS["p256"]
SAME = [Hop(MAKER) for _ in range(4)]


def chain_hashes():
    device = certs.device_chain()

    def chain(name, description, **changes):
        suite.invalid(f"chain-hash-{name}", description, draft(2, **changes), "chain-hash-mismatch")

    item = cbor.array(map(cbor.bstr, device))
    chain(
        "flipped-bit",
        "One bit of the chain hash is flipped." + REDONE,
        chain_hash=lambda message: hash_item(-16, flip(digest(-16, message))),
    )
    chain("zero", "The chain hash is all zero." + REDONE, chain_hash=lambda _: hash_item(-16, bytes(32)))
    chain("of-nothing", "The chain hash is that of no bytes." + REDONE, chain_hash=lambda _: hashed(-16)(b""))
    chain(
        "over-cbor-item",
        "The chain hash covers the CBOR item (fdo-rs before 2024), and the allowance is missing." + REDONE,
        chain_hash_over=item,
    )
    chain(
        "over-leaf-only",
        "The chain hash covers the device certificate alone." + REDONE,
        chain_hash_over=device[0],
    )
    chain("over-root-only", "The chain hash covers the root alone." + REDONE, chain_hash_over=device[1])
    chain(
        "over-reversed-chain",
        "The chain hash covers the certificates from the root to the leaf." + REDONE,
        chain_hash_over=device[1] + device[0],
    )
    chain(
        "over-encoded-certificates",
        "The chain hash covers each certificate with its CBOR head." + REDONE,
        chain_hash_over=b"".join(map(cbor.bstr, device)),
    )
    chain(
        "truncated-sha384",
        "The code of SHA-256 with the first 32 bytes of SHA-384." + REDONE,
        chain_hash=lambda message: hash_item(-16, digest(SHA384, message)[:32]),
    )
    chain(
        "chain-reversed",
        "The certificates stand in reverse order.",
        chain_item=cbor.array(map(cbor.bstr, device[::-1])),
    )
    chain("certificate-dropped", "The root has been dropped.", chain_item=cbor.array([cbor.bstr(device[0])]))
    chain(
        "certificate-added",
        "A certificate has been added.",
        chain_item=cbor.array(map(cbor.bstr, [*device, certs.device_ca("p256", "Other")])),
    )
    chain(
        "leaf-dropped",
        "The device certificate has been dropped.",
        chain_item=cbor.array([cbor.bstr(device[1])]),
    )
    chain(
        "other-device",
        "The chain of another device of the same maker.",
        chain_item=cbor.array(map(cbor.bstr, certs.device_chain(serial="0002"))),
    )
    chain(
        "flipped-certificate-bit",
        "One bit of the device certificate is flipped.",
        chain_item=cbor.array([cbor.bstr(flip(device[0], 8 * 200)), cbor.bstr(device[1])]),
    )
    chain(
        "bare-leaf",
        "The device certificate as a bare byte string, the root gone.",
        chain_item=cbor.bstr(device[0]),
    )
    suite.invalid(
        "chain-hash-0-entries",
        "A voucher without entries: the chain hash is all that binds the chain.",
        draft(0, chain_item=cbor.array(map(cbor.bstr, certs.device_chain(serial="0002")))),
        "chain-hash-mismatch",
    )


def previous_hashes():
    def previous(name, description, made, *, number=1, count=2):
        suite.invalid(
            f"entry-{number}-previous-hash-{name}",
            description,
            at(count, number, previous=made),
            "previous-hash-mismatch",
            number,
        )

    for number in (0, 1, 2):
        previous(
            "flipped-bit",
            "One bit of the hash is flipped." + REDONE,
            lambda message: hash_item(-16, flip(digest(-16, message))),
            number=number,
            count=3,
        )
        previous(
            "last-bit",
            "The last bit of the hash is flipped." + REDONE,
            lambda message: hash_item(-16, flip(digest(-16, message), 255)),
            number=number,
            count=3,
        )
        previous(
            "zero",
            "The hash is all zero." + REDONE,
            lambda _: hash_item(-16, bytes(32)),
            number=number,
            count=3,
        )
    previous(
        "truncated-sha384",
        "The code of SHA-256 with the first 32 bytes of SHA-384." + REDONE,
        lambda message: hash_item(-16, digest(SHA384, message)[:32]),
    )
    previous("of-nothing", "The hash of no bytes." + REDONE, lambda _: hashed(-16)(b""))
    built = Built(draft(1))
    header, mac, entry = built.header, built.mac, built.entries[0]
    first = {"number": 0, "count": 1}
    previous(
        "header-only",
        "The hash covers the header alone, not the HMAC." + REDONE,
        lambda _: hashed(-16)(header),
        **first,
    )
    previous("mac-only", "The hash covers the HMAC alone." + REDONE, lambda _: hashed(-16)(mac), **first)
    previous(
        "header-with-head",
        "The hash covers the header's byte string with its head." + REDONE,
        lambda _: hashed(-16)(cbor.bstr(header) + mac),
        **first,
    )
    previous(
        "mac-value",
        "The hash covers the header and the bare value of the HMAC." + REDONE,
        lambda _: hashed(-16)(header + mac[4:]),
        **first,
    )
    previous(
        "mac-first",
        "The hash covers the HMAC before the header." + REDONE,
        lambda _: hashed(-16)(mac + header),
        **first,
    )
    previous(
        "without-tag",
        "The hash covers the previous entry without its tag." + REDONE,
        lambda _: hashed(-16)(entry[1:]),
    )
    previous(
        "payload-only",
        "The hash covers the previous payload alone." + REDONE,
        lambda _: hashed(-16)(entry[9:-66]),
    )
    previous(
        "of-header-again",
        "Entry 1 carries the hash that entry 0 has." + REDONE,
        lambda _: hashed(-16)(header + mac),
    )
    suite.invalid(
        "mac-changed-after-entry-0",
        "The HMAC was replaced after entry 0 had been signed.",
        draft(1, items=replace(2, hash_item(5, bytes(32)))),
        "previous-hash-mismatch",
        0,
    )
    other_header = Built(draft(1, rendezvous=cbor.EMPTY_ARRAY)).header
    suite.invalid(
        "header-changed-after-entry-0",
        "The rendezvous info was replaced after entry 0 had been signed.",
        draft(1, items=replace(1, cbor.bstr(other_header))),
        "previous-hash-mismatch",
        0,
    )
    longer = Built(draft(1, header_version=cbor.integer(101, 2))).header
    suite.invalid(
        "header-encoded-again",
        "The header says the same in longer CBOR: what was signed is the bytes.",
        draft(1, items=replace(1, cbor.bstr(longer))),
        "previous-hash-mismatch",
        0,
    )
    suite.invalid(
        "entry-0-unprotected-changed",
        "The unprotected header of entry 0 got content after entry 1 had been signed.",
        draft(
            2,
            entries=lambda entries: [
                entries[0].replace(b"\x43\xa1\x01\x26\xa0", b"\x43\xa1\x01\x26\xa1\x04\x41\x01"),
                entries[1],
            ],
        ),
        "previous-hash-mismatch",
        1,
    )
    suite.invalid(
        "entry-0-tag-removed-later",
        "Entry 0 lost its tag after entry 1 had been signed; the allowance is given.",
        draft(2, entries=lambda entries: [entries[0][1:], entries[1]]),
        "previous-hash-mismatch",
        1,
        allow=["legacy-untagged"],
    )
    suite.invalid(
        "entry-0-signature-negated",
        "s of entry 0 became n - s after entry 1 had been signed.",
        draft(2, entries=lambda entries: [negate(entries[0]), entries[1]]),
        "previous-hash-mismatch",
        1,
    )


def negate(entry):
    s = int.from_bytes(entry[-32:], "big")
    return entry[:-32] + (ORDER - s).to_bytes(32, "big")


def info_hashes():
    guid, text = draft().guid, draft().device_info.encode()

    def info(name, description, made, number=1):
        suite.invalid(
            f"entry-{number}-header-info-hash-{name}",
            description + REDONE,
            at(2, number, info=made),
            "header-info-hash-mismatch",
            number,
        )

    for number in (0, 1):
        info(
            "flipped-bit",
            "One bit of the hash is flipped.",
            lambda message: hash_item(-16, flip(digest(-16, message))),
            number,
        )
        info("zero", "The hash is all zero.", lambda _: hash_item(-16, bytes(32)), number)
    info(
        "cbor-items",
        "The hash covers the CBOR items of GUID and device info.",
        lambda _: hashed(-16)(cbor.bstr(guid) + cbor.tstr(text)),
    )
    info("guid-only", "The hash covers the GUID alone.", lambda _: hashed(-16)(guid))
    info("device-info-only", "The hash covers the device info alone.", lambda _: hashed(-16)(text))
    info(
        "device-info-first",
        "The hash covers the device info before the GUID.",
        lambda _: hashed(-16)(text + guid),
    )
    info("other-guid", "The hash of another device.", lambda _: hashed(-16)(flip(guid) + text))
    info(
        "trimmed",
        "The hash covers the device info with a blank behind it.",
        lambda _: hashed(-16)(guid + text + b" "),
    )
    info(
        "truncated-sha384",
        "The code of SHA-256 with the first 32 bytes of SHA-384.",
        lambda message: hash_item(-16, digest(SHA384, message)[:32]),
    )
    info(
        "is-previous-hash",
        "The hash of the header in place of the hash of GUID and device info.",
        lambda _: hashed(-16)(Built(draft(0)).header),
    )
    decomposed = draft(1, device_info="Gera\u0308t", device_info_item=cbor.tstr("Ger\u00e4t"))
    suite.invalid(
        "device-info-normalised",
        "The hash covers another Unicode form of the same text." + REDONE,
        decomposed,
        "header-info-hash-mismatch",
        0,
    )


def orders():
    """Entries moved around. With one key at every hop only the hash of the previous entry can tell."""
    same = lambda entries: Draft(MAKER, hops=SAME, entries=entries)

    def moved(name, description, change, number):
        suite.invalid(
            f"entries-{name}",
            description + " The same key at every hop, so every signature holds.",
            same(change),
            "previous-hash-mismatch",
            number,
        )

    moved("swapped-0-1", "Entries 0 and 1 have changed places.", lambda e: [e[1], e[0], e[2], e[3]], 0)
    moved("swapped-2-3", "Entries 2 and 3 have changed places.", lambda e: [e[0], e[1], e[3], e[2]], 2)
    moved("reversed", "The entries stand in reverse order.", lambda e: e[::-1], 0)
    moved("first-dropped", "Entry 0 has been dropped.", lambda e: e[1:], 0)
    moved("middle-dropped", "Entry 1 has been dropped.", lambda e: [e[0], *e[2:]], 1)
    moved("doubled-first", "Entry 0 stands twice.", lambda e: [e[0], *e], 1)
    moved("doubled-last", "The last entry stands twice.", lambda e: [*e, e[3]], 4)
    moved("all-the-same", "Entry 1 three times behind entry 0.", lambda e: [e[0], e[1], e[1], e[1]], 2)
    different = lambda change: draft(4, entries=change)
    suite.invalid(
        "entries-swapped-different-keys",
        "Entries 1 and 2 have changed places.",
        different(lambda e: [e[0], e[2], e[1], e[3]]),
        "previous-hash-mismatch",
        1,
    )
    suite.invalid(
        "entries-dropped-different-keys",
        "Entry 1 has been dropped.",
        different(lambda e: [e[0], *e[2:]]),
        "previous-hash-mismatch",
        1,
    )
    long = Draft(MAKER, hops=[Hop(MAKER) for _ in range(64)])
    long.entries = lambda e: [*e[:60], e[61], e[60], *e[62:]]
    suite.invalid(
        "entries-swapped-60-61-of-64",
        "Two entries deep inside a long voucher have changed places.",
        long,
        "previous-hash-mismatch",
        60,
    )


def splices():
    """Two devices with the same GUID, device info, chain and owners; only the HMAC secret differs."""
    other = Built(draft(3, secret=bytes(32)))
    suite.invalid(
        "splice-all-entries",
        "The entries of a twin with another HMAC.",
        draft(3, entries=lambda _: other.entries),
        "previous-hash-mismatch",
        0,
    )
    suite.invalid(
        "splice-entry-1",
        "Entry 1 of the twin behind our own entry 0.",
        draft(3, entries=lambda e: [e[0], other.entries[1], e[2]]),
        "previous-hash-mismatch",
        1,
    )
    suite.invalid(
        "splice-last-entry",
        "The last entry of the twin.",
        draft(3, entries=lambda e: [*e[:2], other.entries[2]]),
        "previous-hash-mismatch",
        2,
    )
    suite.invalid(
        "splice-header",
        "Header and HMAC of the twin.",
        draft(3, items=lambda items: [items[0], cbor.bstr(other.header), other.mac, *items[3:]]),
        "previous-hash-mismatch",
        0,
    )
    other_guid = Built(draft(2, guid=flip(draft().guid)))
    suite.invalid(
        "splice-other-device",
        "An entry of another device of the same owners.",
        draft(2, entries=lambda e: [e[0], other_guid.entries[1]]),
        "previous-hash-mismatch",
        1,
    )
    made = draft(2, guid=flip(draft().guid))
    made.hops[1] = Hop(OWNERS[1], info=lambda _: hashed(-16)(draft().guid + draft().device_info.encode()))
    suite.invalid(
        "splice-info-hash-of-other-device",
        "An entry made for another device, its previous hash redone.",
        made,
        "header-info-hash-mismatch",
        1,
    )
    fork = Built(last(2, owner=OWNERS[2]))
    suite.invalid(
        "splice-fork",
        "Two continuations of entry 0 behind each other.",
        draft(2, entries=lambda e: [*e, fork.entries[1]]),
        "previous-hash-mismatch",
        2,
    )
    moved = draft(1, guid=b"\x00" + draft().guid[:15], device_info=draft().guid[15:16].hex())
    moved.hops[0].info = lambda _: hashed(-16)(draft().guid + draft().device_info.encode())
    suite.invalid(
        "splice-guid-shifted",
        "The GUID shifted by one byte with the hash of the unshifted one.",
        moved,
        "header-info-hash-mismatch",
        0,
    )


for group in (chain_hashes, previous_hashes, info_hashes, orders, splices):
    group()
