"""Vouchers of faultless shape that must not be trusted: hashes, order of entries, signatures."""
import hashlib

from . import cbor, certs, der, keys, owner
from .suite import MAKER, OWNERS, Suite, at, draft, last, replace
from .voucher import DRAFT_AAD, SHA384, Built, Draft, Hop, digest, hash_item, hashed, signature_input

suite = Suite(__file__)
REDONE = " Everything after it was hashed and signed again."
ORDER = keys.ORDERS["p256"]
# The same key at every hop, so that every signature holds wherever its entry stands.
SAME = [Hop(MAKER) for _ in range(4)]


def flip(value, bit=0):
    return bytes([*value[: bit // 8], value[bit // 8] ^ 1 << bit % 8, *value[bit // 8 + 1 :]])


def chain_hashes():
    device = certs.device_chain()

    def chain(name, description, **changes):
        suite.invalid(f"chain-hash-{name}", description, draft(2, **changes), "chain-hash-mismatch")

    item = cbor.array(map(cbor.bstr, device))
    chain("flipped-bit", "One bit of the chain hash is flipped." + REDONE, chain_hash=lambda message: hash_item(-16, flip(digest(-16, message))))
    chain("zero", "The chain hash is all zero." + REDONE, chain_hash=lambda _: hash_item(-16, bytes(32)))
    chain("of-nothing", "The chain hash is that of no bytes." + REDONE, chain_hash=lambda _: hashed(-16)(b""))
    chain("over-cbor-item", "The chain hash covers the CBOR item (fdo-rs before 2024), and the allowance is missing." + REDONE, chain_hash_over=item)
    chain("over-leaf-only", "The chain hash covers the device certificate alone." + REDONE, chain_hash_over=device[0])
    chain("over-root-only", "The chain hash covers the root alone." + REDONE, chain_hash_over=device[1])
    chain("over-reversed-chain", "The chain hash covers the certificates from the root to the leaf." + REDONE, chain_hash_over=device[1] + device[0])
    chain("over-encoded-certificates", "The chain hash covers each certificate with its CBOR head." + REDONE, chain_hash_over=b"".join(map(cbor.bstr, device)))
    chain("truncated-sha384", "The code of SHA-256 with the first 32 bytes of SHA-384." + REDONE, chain_hash=lambda message: hash_item(-16, digest(SHA384, message)[:32]))
    chain("chain-reversed", "The certificates stand in reverse order.", chain_item=cbor.array(map(cbor.bstr, device[::-1])))
    chain("certificate-dropped", "The root has been dropped.", chain_item=cbor.array([cbor.bstr(device[0])]))
    chain("certificate-added", "A certificate has been added.", chain_item=cbor.array(map(cbor.bstr, [*device, certs.device_ca("p256", "Other")])))
    chain("leaf-dropped", "The device certificate has been dropped.", chain_item=cbor.array([cbor.bstr(device[1])]))
    chain("other-device", "The chain of another device of the same maker.", chain_item=cbor.array(map(cbor.bstr, certs.device_chain(serial="0002"))))
    chain("flipped-certificate-bit", "One bit of the device certificate is flipped.", chain_item=cbor.array([cbor.bstr(flip(device[0], 8 * 200)), cbor.bstr(device[1])]))
    chain("bare-leaf", "The device certificate as a bare byte string, the root gone.", chain_item=cbor.bstr(device[0]))
    suite.invalid("chain-hash-0-entries", "A voucher without entries: the chain hash is all that binds the chain.", draft(0, chain_item=cbor.array(map(cbor.bstr, certs.device_chain(serial="0002")))), "chain-hash-mismatch")


def previous_hashes():
    def previous(name, description, made, *, number=1, count=2):
        suite.invalid(f"entry-{number}-previous-hash-{name}", description, at(count, number, previous=made), "previous-hash-mismatch", number)

    for number in (0, 1, 2):
        previous("flipped-bit", "One bit of the hash is flipped." + REDONE, lambda message: hash_item(-16, flip(digest(-16, message))), number=number, count=3)
        previous("last-bit", "The last bit of the hash is flipped." + REDONE, lambda message: hash_item(-16, flip(digest(-16, message), 255)), number=number, count=3)
        previous("zero", "The hash is all zero." + REDONE, lambda _: hash_item(-16, bytes(32)), number=number, count=3)
    previous("truncated-sha384", "The code of SHA-256 with the first 32 bytes of SHA-384." + REDONE, lambda message: hash_item(-16, digest(SHA384, message)[:32]))
    previous("of-nothing", "The hash of no bytes." + REDONE, lambda _: hashed(-16)(b""))
    built = Built(draft(1))
    header, mac, entry = built.header, built.mac, built.entries[0]
    first = {"number": 0, "count": 1}
    previous("header-only", "The hash covers the header alone, not the HMAC." + REDONE, lambda _: hashed(-16)(header), **first)
    previous("mac-only", "The hash covers the HMAC alone." + REDONE, lambda _: hashed(-16)(mac), **first)
    previous("header-with-head", "The hash covers the header's byte string with its head." + REDONE, lambda _: hashed(-16)(cbor.bstr(header) + mac), **first)
    previous("mac-value", "The hash covers the header and the bare value of the HMAC." + REDONE, lambda _: hashed(-16)(header + mac[4:]), **first)
    previous("mac-first", "The hash covers the HMAC before the header." + REDONE, lambda _: hashed(-16)(mac + header), **first)
    previous("without-tag", "The hash covers the previous entry without its tag." + REDONE, lambda _: hashed(-16)(entry[1:]))
    previous("payload-only", "The hash covers the previous payload alone." + REDONE, lambda _: hashed(-16)(entry[9:-66]))
    previous("of-header-again", "Entry 1 carries the hash that entry 0 has." + REDONE, lambda _: hashed(-16)(header + mac))
    suite.invalid("mac-changed-after-entry-0", "The HMAC was replaced after entry 0 had been signed.", draft(1, items=replace(2, hash_item(5, bytes(32)))), "previous-hash-mismatch", 0)
    other_header = Built(draft(1, rendezvous=cbor.EMPTY_ARRAY)).header
    suite.invalid("header-changed-after-entry-0", "The rendezvous info was replaced after entry 0 had been signed.", draft(1, items=replace(1, cbor.bstr(other_header))), "previous-hash-mismatch", 0)
    longer = Built(draft(1, header_version=cbor.integer(101, 2))).header
    suite.invalid("header-encoded-again", "The header says the same in longer CBOR: what was signed is the bytes.", draft(1, items=replace(1, cbor.bstr(longer))), "previous-hash-mismatch", 0)
    suite.invalid("entry-0-unprotected-changed", "The unprotected header of entry 0 got content after entry 1 had been signed.", draft(2, entries=lambda entries: [entries[0].replace(b"\x43\xa1\x01\x26\xa0", b"\x43\xa1\x01\x26\xa1\x04\x41\x01"), entries[1]]), "previous-hash-mismatch", 1)
    suite.invalid("entry-0-tag-removed-later", "Entry 0 lost its tag after entry 1 had been signed; the allowance is given.", draft(2, entries=lambda entries: [entries[0][1:], entries[1]]), "previous-hash-mismatch", 1, allow=["legacy-untagged"])
    suite.invalid("entry-0-signature-negated", "s of entry 0 became n - s after entry 1 had been signed.", draft(2, entries=lambda entries: [negate(entries[0]), entries[1]]), "previous-hash-mismatch", 1)


def negate(entry):
    s = int.from_bytes(entry[-32:], "big")
    return entry[:-32] + (ORDER - s).to_bytes(32, "big")


def info_hashes():
    guid, text = draft().guid, draft().device_info.encode()

    def info(name, description, made, number=1):
        suite.invalid(f"entry-{number}-header-info-hash-{name}", description + REDONE, at(2, number, info=made), "header-info-hash-mismatch", number)

    for number in (0, 1):
        info("flipped-bit", "One bit of the hash is flipped.", lambda message: hash_item(-16, flip(digest(-16, message))), number)
        info("zero", "The hash is all zero.", lambda _: hash_item(-16, bytes(32)), number)
    info("cbor-items", "The hash covers the CBOR items of GUID and device info.", lambda _: hashed(-16)(cbor.bstr(guid) + cbor.tstr(text)))
    info("guid-only", "The hash covers the GUID alone.", lambda _: hashed(-16)(guid))
    info("device-info-only", "The hash covers the device info alone.", lambda _: hashed(-16)(text))
    info("device-info-first", "The hash covers the device info before the GUID.", lambda _: hashed(-16)(text + guid))
    info("other-guid", "The hash of another device.", lambda _: hashed(-16)(flip(guid) + text))
    info("trimmed", "The hash covers the device info with a blank behind it.", lambda _: hashed(-16)(guid + text + b" "))
    info("truncated-sha384", "The code of SHA-256 with the first 32 bytes of SHA-384.", lambda message: hash_item(-16, digest(SHA384, message)[:32]))
    info("is-previous-hash", "The hash of the header in place of the hash of GUID and device info.", lambda _: hashed(-16)(Built(draft(0)).header))
    decomposed = draft(1, device_info="Gera\u0308t", device_info_item=cbor.tstr("Ger\u00e4t"))
    suite.invalid("device-info-normalised", "The hash covers another Unicode form of the same text." + REDONE, decomposed, "header-info-hash-mismatch", 0)


def orders():
    """Entries moved around. With one key at every hop only the hash of the previous entry can tell."""
    same = lambda entries: Draft(MAKER, hops=SAME, entries=entries)

    def moved(name, description, change, number):
        suite.invalid(f"entries-{name}", description + " The same key at every hop, so every signature holds.", same(change), "previous-hash-mismatch", number)

    moved("swapped-0-1", "Entries 0 and 1 have changed places.", lambda e: [e[1], e[0], e[2], e[3]], 0)
    moved("swapped-2-3", "Entries 2 and 3 have changed places.", lambda e: [e[0], e[1], e[3], e[2]], 2)
    moved("reversed", "The entries stand in reverse order.", lambda e: e[::-1], 0)
    moved("first-dropped", "Entry 0 has been dropped.", lambda e: e[1:], 0)
    moved("middle-dropped", "Entry 1 has been dropped.", lambda e: [e[0], *e[2:]], 1)
    moved("doubled-first", "Entry 0 stands twice.", lambda e: [e[0], *e], 1)
    moved("doubled-last", "The last entry stands twice.", lambda e: [*e, e[3]], 4)
    moved("all-the-same", "Entry 1 three times behind entry 0.", lambda e: [e[0], e[1], e[1], e[1]], 2)
    different = lambda change: draft(4, entries=change)
    suite.invalid("entries-swapped-different-keys", "Entries 1 and 2 have changed places.", different(lambda e: [e[0], e[2], e[1], e[3]]), "previous-hash-mismatch", 1)
    suite.invalid("entries-dropped-different-keys", "Entry 1 has been dropped.", different(lambda e: [e[0], *e[2:]]), "previous-hash-mismatch", 1)
    ten = Draft(MAKER, hops=[Hop(MAKER) for _ in range(255)])
    ten.entries = lambda e: [*e[:200], e[201], e[200], *e[202:]]
    suite.invalid("entries-swapped-200-201-of-255", "Two entries deep inside a full voucher have changed places.", ten, "previous-hash-mismatch", 200)


def splices():
    """Two devices with the same GUID, device info, chain and owners; only the HMAC secret differs."""
    other = Built(draft(3, secret=bytes(32)))
    suite.invalid("splice-all-entries", "The entries of a twin with another HMAC.", draft(3, entries=lambda _: other.entries), "previous-hash-mismatch", 0)
    suite.invalid("splice-entry-1", "Entry 1 of the twin behind our own entry 0.", draft(3, entries=lambda e: [e[0], other.entries[1], e[2]]), "previous-hash-mismatch", 1)
    suite.invalid("splice-last-entry", "The last entry of the twin.", draft(3, entries=lambda e: [*e[:2], other.entries[2]]), "previous-hash-mismatch", 2)
    suite.invalid("splice-header", "Header and HMAC of the twin.", draft(3, items=lambda items: [items[0], cbor.bstr(other.header), other.mac, *items[3:]]), "previous-hash-mismatch", 0)
    other_guid = Built(draft(2, guid=flip(draft().guid)))
    suite.invalid("splice-other-device", "An entry of another device of the same owners.", draft(2, entries=lambda e: [e[0], other_guid.entries[1]]), "previous-hash-mismatch", 1)
    made = draft(2, guid=flip(draft().guid))
    made.hops[1] = Hop(OWNERS[1], info=lambda _: hashed(-16)(draft().guid + draft().device_info.encode()))
    suite.invalid("splice-info-hash-of-other-device", "An entry made for another device, its previous hash redone.", made, "header-info-hash-mismatch", 1)
    fork = Built(last(2, owner=OWNERS[2]))
    suite.invalid("splice-fork", "Two continuations of entry 0 behind each other.", draft(2, entries=lambda e: [*e, fork.entries[1]]), "previous-hash-mismatch", 2)
    moved = draft(1, guid=b"\x00" + draft().guid[:15], device_info=draft().guid[15:16].hex())
    moved.hops[0].info = lambda _: hashed(-16)(draft().guid + draft().device_info.encode())
    suite.invalid("splice-guid-shifted", "The GUID shifted by one byte with the hash of the unshifted one.", moved, "header-info-hash-mismatch", 0)


def signatures():
    def bad(name, description, number=1, **hop):
        suite.invalid(f"signature-{name}", description, at(2, number, **hop), "signature-invalid", number)

    join = lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big")
    part = lambda value: (int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    bad("zero", "r = s = 0.", signature=lambda value: bytes(64))
    bad("all-ff", "All bits are set.", signature=lambda value: b"\xff" * 64)
    bad("r-zero", "r = 0.", signature=lambda value: bytes(32) + value[32:])
    bad("s-zero", "s = 0.", signature=lambda value: value[:32] + bytes(32))
    bad("r-is-n", "r = n.", signature=lambda value: join(ORDER, part(value)[1]))
    bad("s-is-n", "s = n.", signature=lambda value: join(part(value)[0], ORDER))
    bad("one-one", "r = s = 1.", signature=lambda value: join(1, 1))
    bad("r-negated", "r became n - r.", signature=lambda value: join(ORDER - part(value)[0], part(value)[1]))
    bad("swapped", "s before r.", signature=lambda value: value[32:] + value[:32])
    bad("little-endian", "r and s with their bytes in reverse order.", signature=lambda value: value[:32][::-1] + value[32:][::-1])
    for bit in (0, 255, 256, 511):
        bad(f"flipped-bit-{bit}", f"Bit {bit} of the signature is flipped.", signature=lambda value: flip(value, bit))
    for number in (0, 1):
        bad(f"other-key-entry-{number}", "Signed by a key that has nothing to do with the voucher.", number, signer=owner.x509("p256-stranger"))
    bad("by-next-owner", "Signed by the owner that the entry names.", signer=OWNERS[1])
    bad("by-manufacturer", "Entry 1 signed by the manufacturer, who sold the device in entry 0.", signer=MAKER)
    suite.invalid("signature-copied-from-entry-0", "Entry 1 carries the signature of entry 0; the same key signs both.", Draft(MAKER, [Hop(MAKER), Hop(MAKER, sign=lambda key, message: Built(Draft(MAKER, [Hop(MAKER)])).entries[0][-64:])]), "signature-invalid", 1)
    over = lambda change: {"sign": lambda key, message: key.sign(keys.ES256, change(message))}
    bad("over-payload", "Signed over the payload alone.", **over(lambda message: message[message.index(b"\x40\x58") + 3 :]))
    bad("over-digest", "Signed over the digest of Sig_structure: hashed twice.", **over(lambda message: hashlib.sha256(message).digest()))
    bad("context-signature", 'The context is "Signature" (COSE_Sign) in place of "Signature1".', **over(lambda message: message.replace(b"\x6aSignature1", b"\x69Signature")))
    bad("context-mac0", 'The context is "MAC0".', **over(lambda message: message.replace(b"\x6aSignature1", b"\x64MAC0")))
    bad("five-items", "Sig_structure has five items with an empty sign_protected.", **over(lambda message: b"\x85" + message[1:]))
    bad("protected-as-map", "Sig_structure holds the protected header as a map.", **over(lambda message: message.replace(b"\x43\xa1\x01\x26", b"\xa1\x01\x26")))
    bad("protected-empty", "Sig_structure holds an empty protected header.", **over(lambda message: message.replace(b"\x43\xa1\x01\x26", b"\x40")))
    bad("other-payload", "Signed over another OVEExtra.", **over(lambda message: message.replace(b"\xf6\x83", b"\xa0\x83")))
    bad("draft-aad", "external_aad of the FDO 2.0 draft, and the allowance is missing.", aad=DRAFT_AAD)
    bad("bare-text-aad", "The bare text FDO-OVEntry-v1 as external_aad.", aad=DRAFT_AAD[2:])
    suite.invalid("signature-other-draft-aad", "external_aad of another message of the FDO 2.0 draft, and the allowance is given.", last(2, aad=b"\x81\x72FDO-TO2-ProveOVHdr-v1"[:1] + cbor.tstr("FDO-TO2-ProveOVHdr-v1")), "signature-invalid", 1, allow=["fdo-2.0-draft"])
    bad("sha384-digest", "ES256 over a SHA-384 digest.", sign=lambda key, message: key.fixed(*key.ecdsa(message, "sha384")))
    p384 = owner.x509("p384-owner-a")
    suite.invalid("signature-p384-sha256-digest", "ES384 over a SHA-256 digest.", Draft(p384, [Hop(p384, sign=lambda key, message: key.fixed(*key.ecdsa(message, "sha256")))]), "signature-invalid", 0)
    suite.invalid("signature-p384-zero", "r = s = 0 on P-384.", Draft(p384, [Hop(p384, signature=lambda value: bytes(96))]), "signature-invalid", 0)
    suite.invalid("signature-p384-s-is-n", "s = n on P-384.", Draft(p384, [Hop(p384, signature=lambda value: value[:48] + keys.ORDERS["p384"].to_bytes(48, "big"))]), "signature-invalid", 0)
    suite.invalid("signature-p384-flipped-bit", "One bit is flipped on P-384.", Draft(p384, [Hop(p384, signature=flip)]), "signature-invalid", 0)
    ed25519 = owner.x509("ed25519-owner-a")
    order = 2**252 + 27742317777372353535851937790883648493
    for name, change in (("flipped-bit", flip), ("s-plus-order", lambda value: value[:32] + (int.from_bytes(value[32:], "little") + order).to_bytes(32, "little")), ("zero", lambda value: bytes(64))):
        suite.invalid(f"signature-ed25519-{name}", "A wrong or not canonical EdDSA signature (RFC 8032 section 5.1.7).", Draft(ed25519, [Hop(ed25519, signature=change)]), "signature-invalid", 0, allow=["experimental-keys"])
    swapped = lambda entries: [entries[0][:-64] + entries[1][-64:], entries[1]]
    suite.invalid("signature-of-last-of-255", "The last of 255 signatures has a flipped bit.", Draft(MAKER, [Hop(MAKER) for _ in range(254)] + [Hop(MAKER, signature=flip)]), "signature-invalid", 254)
    many = [Hop(MAKER) for _ in range(64)]
    many[37] = Hop(MAKER, signature=flip)
    suite.invalid("signature-37-of-64", "One signature among 64 has a flipped bit; every later entry was hashed and signed over it.", Draft(MAKER, many), "signature-invalid", 37)
    two = [Hop(MAKER) for _ in range(8)]
    two[2] = two[5] = Hop(MAKER, signature=flip)
    suite.invalid("signature-two-of-8", "Two signatures are wrong; the first is reported.", Draft(MAKER, two), "signature-invalid", 2)
    # The key of s alone: r and s of two signatures that cancel out if a batch has no random weights.
    def shifted(delta):
        return lambda value: join(part(value)[0], (part(value)[1] + delta) % ORDER)

    pair = [Hop(MAKER, signature=shifted(1)), Hop(MAKER, signature=shifted(-1))]
    suite.invalid("signature-errors-that-cancel", "s + 1 in entry 0 and s - 1 in entry 1: a batch check without random weights might not notice.", Draft(MAKER, pair), "signature-invalid", 0)


def rsa_padding():
    def pkcs1(name, description, block, kind="rsa2048"):
        who = owner.x509(f"{kind}-owner-a")
        sign = lambda key, message: key.rsa_raw(block(message, key))
        suite.invalid(f"pkcs1-{name}", description + " RFC 8017 section 8.2.2 allows exactly one encoding.", Draft(who, [Hop(who, sign=sign)]), "signature-invalid", 0)

    info = keys.digest_info
    pkcs1("without-null", "AlgorithmIdentifier without its NULL.", lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", b"")))
    pkcs1("garbage-behind-digest", "Bytes behind DigestInfo, the padding shorter by as many (CVE-2006-4339).", lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256") + bytes(16)))
    pkcs1("garbage-in-parameters", "Garbage inside the parameters of the AlgorithmIdentifier.", lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", der.octets(b"garbage"))))
    pkcs1("sha384-id", "DigestInfo names SHA-384 and holds a SHA-256 digest.", lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", label="sha384")))
    pkcs1("sha384", "A SHA-384 signature under RS256.", lambda m, k: keys.pkcs1(m, "sha384", k.size))
    pkcs1("sha1", "A SHA-1 signature under RS256.", lambda m, k: keys.pkcs1(m, "sha1", k.size))
    pkcs1("bare-digest", "The digest without DigestInfo.", lambda m, k: keys.pkcs1(m, "sha256", k.size, hashlib.sha256(m).digest()))
    pkcs1("block-type-0", "Block type 0: zeros as padding.", lambda m, k: bytes(k.size - len(info(m, "sha256"))) + info(m, "sha256"))
    pkcs1("block-type-2", "Block type 2, which is for encryption.", lambda m, k: b"\0\2" + keys.pkcs1(m, "sha256", k.size)[2:])
    pkcs1("padding-short", "Eight bytes of padding and the rest zeros behind.", lambda m, k: (b"\0\1" + b"\xff" * 8 + b"\0" + info(m, "sha256")).ljust(k.size, b"\0"))
    pkcs1("padding-not-ff", "One padding byte is fe.", lambda m, k: flip(keys.pkcs1(m, "sha256", k.size), 8 * 100))
    pkcs1("no-separator", "No zero byte before DigestInfo.", lambda m, k: b"\0\1" + b"\xff" * (k.size - 2 - len(info(m, "sha256"))) + info(m, "sha256"))
    pkcs1("long-lengths", "DigestInfo with lengths in two bytes (BER).", lambda m, k: keys.pkcs1(m, "sha256", k.size, b"\x30\x81\x31" + info(m, "sha256")[2:]))
    pkcs1("flipped-digest-bit", "One bit of the digest is flipped.", lambda m, k: flip(keys.pkcs1(m, "sha256", k.size), 8 * (k.size - 1)))
    pkcs1("pss", "A PSS signature under RS256.", lambda m, k: keys.pss(m, "sha256", k.modulus.bit_length()))
    pkcs1("3072-sha256", "RSA-3072 with SHA-256 under RS384.", lambda m, k: keys.pkcs1(m, "sha256", k.size), "rsa3072")
    pkcs1("3072-without-null", "RSA-3072, AlgorithmIdentifier without its NULL.", lambda m, k: keys.pkcs1(m, "sha384", k.size, info(m, "sha384", b"")), "rsa3072")

    def pss(name, description, block, kind="rsa2048"):
        who = owner.x509(f"{kind}-owner-a", owner.RSAPSS)
        sign = lambda key, message: key.rsa_raw(block(message, key))
        suite.invalid(f"pss-{name}", description, Draft(who, [Hop(who, sign=sign)]), "signature-invalid", 0)

    make = lambda m, k, *args, **options: keys.pss(m, *args, k.modulus.bit_length(), **options)
    for size in (0, 20, 31, 33, 48, 222):
        pss(f"salt-{size}", f"A salt of {size} bytes; RFC 8230 asks for the length of the hash.", lambda m, k: make(m, k, "sha256", salt_size=size))
    pss("3072-salt-32", "A salt of 32 bytes with SHA-384.", lambda m, k: make(m, k, "sha384", salt_size=32), "rsa3072")
    pss("sha384", "SHA-384 under PS256.", lambda m, k: make(m, k, "sha384"))
    pss("mgf-sha1", "MGF1 with SHA-1.", lambda m, k: make(m, k, "sha256", mask_hash="sha1"))
    pss("mgf-sha384", "MGF1 with SHA-384.", lambda m, k: make(m, k, "sha256", mask_hash="sha384"))
    pss("trailer-cc", "The trailer is cc in place of bc.", lambda m, k: make(m, k, "sha256", trailer=b"\xcc"))
    pss("pkcs1", "A PKCS#1 v1.5 signature under PS256.", lambda m, k: keys.pkcs1(m, "sha256", k.size))
    top = lambda m, k: bytes([make(m, k, "sha256")[0] | 0x80]) + make(m, k, "sha256")[1:]
    pss("top-bit", "The highest bit of the encoded message is set.", lambda m, k: top(m, k) if int.from_bytes(top(m, k), "big") < k.modulus else flip(make(m, k, "sha256"), 8 * k.size - 1))
    rsa = owner.x509("rsa2048-owner-a")
    for title, who in (("pkcs1", rsa), ("pss", owner.x509("rsa2048-owner-a", owner.RSAPSS))):
        modulus = who.key.modulus
        for name, change in (
            ("zero", lambda value: bytes(256)),
            ("one", lambda value: bytes(255) + b"\1"),
            ("is-modulus", lambda value: modulus.to_bytes(256, "big")),
            ("modulus-minus-1", lambda value: (modulus - 1).to_bytes(256, "big")),
            ("flipped-bit", flip),
            ("negated", lambda value: (modulus - int.from_bytes(value, "big")).to_bytes(256, "big")),
        ):
            suite.invalid(f"{title}-signature-{name}", "A wrong number in place of the signature.", Draft(who, [Hop(who, signature=change)]), "signature-invalid", 0)
    # s + n is another name for s wherever it still fits 256 bytes.
    counter = 0
    while True:
        made = Draft(rsa, [Hop(rsa)], guid=hashlib.sha256(f"s + n {counter}".encode()).digest()[:16])
        value = int.from_bytes(Built(made).entries[0][-256:], "big") + rsa.key.modulus
        if value < 1 << 2048:
            break
        counter += 1
    made.hops = [Hop(rsa, signature=lambda signature: (int.from_bytes(signature, "big") + rsa.key.modulus).to_bytes(256, "big"))]
    suite.invalid("pkcs1-signature-plus-modulus", "The signature plus the modulus: congruent and not reduced (RFC 8017 section 5.2.2).", made, "signature-invalid", 0)


for group in (chain_hashes, previous_hashes, info_hashes, orders, splices, signatures, rsa_padding):
    group()
