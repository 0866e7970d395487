"""Vouchers of faultless shape and with right hashes in which a signature does not verify."""

import hashlib

from . import cbor, der, keys, owner
from .suite import MAKER, OWNERS, Suite, at, flip, last
from .voucher import (
    FDO20_AAD,
    Built,
    Draft,
    Hop,
)

suite = Suite(__file__)
ORDER = keys.ORDERS["p256"]


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
    bad(
        "little-endian",
        "r and s with their bytes in reverse order.",
        signature=lambda value: value[:32][::-1] + value[32:][::-1],
    )
    for bit in (0, 255, 256, 511):
        bad(
            f"flipped-bit-{bit}",
            f"Bit {bit} of the signature is flipped.",
            signature=lambda value: flip(value, bit),
        )
    for number in (0, 1):
        bad(
            f"other-key-entry-{number}",
            "Signed by a key that has nothing to do with the voucher.",
            number,
            signer=owner.x509("p256-stranger"),
        )
    bad("by-next-owner", "Signed by the owner that the entry names.", signer=OWNERS[1])
    bad(
        "by-manufacturer", "Entry 1 signed by the manufacturer, who sold the device in entry 0.", signer=MAKER
    )
    suite.invalid(
        "signature-copied-from-entry-0",
        "Entry 1 carries the signature of entry 0; the same key signs both.",
        Draft(
            MAKER,
            [
                Hop(MAKER),
                Hop(MAKER, sign=lambda key, message: Built(Draft(MAKER, [Hop(MAKER)])).entries[0][-64:]),
            ],
        ),
        "signature-invalid",
        1,
    )
    over = lambda change: {"sign": lambda key, message: key.sign(keys.ES256, change(message))}
    bad(
        "over-payload",
        "Signed over the payload alone.",
        **over(lambda message: message[message.index(b"\x40\x58") + 3 :]),
    )
    bad(
        "over-digest",
        "Signed over the digest of Sig_structure: hashed twice.",
        **over(lambda message: hashlib.sha256(message).digest()),
    )
    bad(
        "context-signature",
        'The context is "Signature" (COSE_Sign) in place of "Signature1".',
        **over(lambda message: message.replace(b"\x6aSignature1", b"\x69Signature")),
    )
    bad(
        "context-mac0",
        'The context is "MAC0".',
        **over(lambda message: message.replace(b"\x6aSignature1", b"\x64MAC0")),
    )
    bad(
        "five-items",
        "Sig_structure has five items with an empty sign_protected.",
        **over(lambda message: b"\x85" + message[1:]),
    )
    bad(
        "protected-as-map",
        "Sig_structure holds the protected header as a map.",
        **over(lambda message: message.replace(b"\x43\xa1\x01\x26", b"\xa1\x01\x26")),
    )
    bad(
        "protected-empty",
        "Sig_structure holds an empty protected header.",
        **over(lambda message: message.replace(b"\x43\xa1\x01\x26", b"\x40")),
    )
    bad(
        "other-payload",
        "Signed over another OVEExtra.",
        **over(lambda message: message.replace(b"\xf6\x83", b"\xa0\x83")),
    )
    bad("fdo20-aad", "external_aad of FDO 2.0 in FDO 1.1, and the allowance is missing.", aad=FDO20_AAD)
    bad("bare-text-aad", "The bare text FDO-OVEntry-v1 as external_aad.", aad=FDO20_AAD[2:])
    suite.invalid(
        "signature-other-fdo20-aad",
        "external_aad of another message of FDO 2.0, and the allowance is given.",
        last(2, aad=b"\x81\x72FDO-TO2-ProveOVHdr-v1"[:1] + cbor.tstr("FDO-TO2-ProveOVHdr-v1")),
        "signature-invalid",
        1,
        allow=["fdo-2.0-draft-aad"],
    )
    version = {"version": cbor.integer(200), "header_version": cbor.integer(200)}
    for name, data, entry in (
        ("nil-nil", (b"", b""), 0),
        ("nil-aad", (b"", FDO20_AAD), 0),
        ("aad-nil", (FDO20_AAD, b""), 1),
    ):
        suite.invalid(
            f"signature-fdo20-{name}",
            "FDO 2.0 and an entry without external data: a downgrade, which no allowance accepts.",
            Draft(MAKER, [Hop(one, aad=aad) for one, aad in zip(OWNERS, data)], **version),
            "signature-invalid",
            entry,
            allow=["fdo-2.0", "fdo-2.0-draft-aad"],
        )
    bad(
        "sha384-digest",
        "ES256 over a SHA-384 digest.",
        sign=lambda key, message: key.fixed(*key.ecdsa(message, "sha384")),
    )
    p384 = owner.x509("p384-owner-a")
    suite.invalid(
        "signature-p384-sha256-digest",
        "ES384 over a SHA-256 digest.",
        Draft(p384, [Hop(p384, sign=lambda key, message: key.fixed(*key.ecdsa(message, "sha256")))]),
        "signature-invalid",
        0,
    )
    suite.invalid(
        "signature-p384-zero",
        "r = s = 0 on P-384.",
        Draft(p384, [Hop(p384, signature=lambda value: bytes(96))]),
        "signature-invalid",
        0,
    )
    suite.invalid(
        "signature-p384-s-is-n",
        "s = n on P-384.",
        Draft(
            p384, [Hop(p384, signature=lambda value: value[:48] + keys.ORDERS["p384"].to_bytes(48, "big"))]
        ),
        "signature-invalid",
        0,
    )
    suite.invalid(
        "signature-p384-flipped-bit",
        "One bit is flipped on P-384.",
        Draft(p384, [Hop(p384, signature=flip)]),
        "signature-invalid",
        0,
    )
    ed25519 = owner.x509("ed25519-owner-a")
    order = 2**252 + 27742317777372353535851937790883648493
    for name, change in (
        ("flipped-bit", flip),
        (
            "s-plus-order",
            lambda value: value[:32] + (int.from_bytes(value[32:], "little") + order).to_bytes(32, "little"),
        ),
        ("zero", lambda value: bytes(64)),
    ):
        suite.invalid(
            f"signature-ed25519-{name}",
            "A wrong or not canonical EdDSA signature (RFC 8032 section 5.1.7).",
            Draft(ed25519, [Hop(ed25519, signature=change)]),
            "signature-invalid",
            0,
            allow=["experimental-keys"],
        )
    suite.invalid(
        "signature-of-last-of-255",
        "The last of 255 signatures has a flipped bit.",
        Draft(MAKER, [Hop(MAKER) for _ in range(254)] + [Hop(MAKER, signature=flip)]),
        "signature-invalid",
        254,
    )
    many = [Hop(MAKER) for _ in range(64)]
    many[37] = Hop(MAKER, signature=flip)
    suite.invalid(
        "signature-37-of-64",
        "One signature among 64 has a flipped bit; every later entry was hashed and signed over it.",
        Draft(MAKER, many),
        "signature-invalid",
        37,
    )
    two = [Hop(MAKER) for _ in range(8)]
    two[2] = two[5] = Hop(MAKER, signature=flip)
    suite.invalid(
        "signature-two-of-8",
        "Two signatures are wrong; the first is reported.",
        Draft(MAKER, two),
        "signature-invalid",
        2,
    )

    # The key of s alone: r and s of two signatures that cancel out if a batch has no random weights.
    def shifted(delta):
        return lambda value: join(part(value)[0], (part(value)[1] + delta) % ORDER)

    pair = [Hop(MAKER, signature=shifted(1)), Hop(MAKER, signature=shifted(-1))]
    suite.invalid(
        "signature-errors-that-cancel",
        "s + 1 in entry 0 and s - 1 in entry 1: a batch check without random weights might not notice.",
        Draft(MAKER, pair),
        "signature-invalid",
        0,
    )


def rsa_padding():
    def pkcs1(name, description, block, kind="rsa2048"):
        who = owner.x509(f"{kind}-owner-a")
        sign = lambda key, message: key.rsa_raw(block(message, key))
        suite.invalid(
            f"pkcs1-{name}",
            description + " RFC 8017 section 8.2.2 allows exactly one encoding.",
            Draft(who, [Hop(who, sign=sign)]),
            "signature-invalid",
            0,
        )

    info = keys.digest_info
    pkcs1(
        "without-null",
        "AlgorithmIdentifier without its NULL.",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", b"")),
    )
    pkcs1(
        "garbage-behind-digest",
        "Bytes behind DigestInfo, the padding shorter by as many (CVE-2006-4339).",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256") + bytes(16)),
    )
    pkcs1(
        "garbage-in-parameters",
        "Garbage inside the parameters of the AlgorithmIdentifier.",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", der.octets(b"garbage"))),
    )
    pkcs1(
        "sha384-id",
        "DigestInfo names SHA-384 and holds a SHA-256 digest.",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, info(m, "sha256", label="sha384")),
    )
    pkcs1("sha384", "A SHA-384 signature under RS256.", lambda m, k: keys.pkcs1(m, "sha384", k.size))
    pkcs1("sha1", "A SHA-1 signature under RS256.", lambda m, k: keys.pkcs1(m, "sha1", k.size))
    pkcs1(
        "bare-digest",
        "The digest without DigestInfo.",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, hashlib.sha256(m).digest()),
    )
    pkcs1(
        "block-type-0",
        "Block type 0: zeros as padding.",
        lambda m, k: bytes(k.size - len(info(m, "sha256"))) + info(m, "sha256"),
    )
    pkcs1(
        "block-type-2",
        "Block type 2, which is for encryption.",
        lambda m, k: b"\0\2" + keys.pkcs1(m, "sha256", k.size)[2:],
    )
    pkcs1(
        "padding-short",
        "Eight bytes of padding and the rest zeros behind.",
        lambda m, k: (b"\0\1" + b"\xff" * 8 + b"\0" + info(m, "sha256")).ljust(k.size, b"\0"),
    )
    pkcs1(
        "padding-not-ff",
        "One padding byte is fe.",
        lambda m, k: flip(keys.pkcs1(m, "sha256", k.size), 8 * 100),
    )
    pkcs1(
        "no-separator",
        "No zero byte before DigestInfo.",
        lambda m, k: b"\0\1" + b"\xff" * (k.size - 2 - len(info(m, "sha256"))) + info(m, "sha256"),
    )
    pkcs1(
        "long-lengths",
        "DigestInfo with lengths in two bytes (BER).",
        lambda m, k: keys.pkcs1(m, "sha256", k.size, b"\x30\x81\x31" + info(m, "sha256")[2:]),
    )
    pkcs1(
        "flipped-digest-bit",
        "One bit of the digest is flipped.",
        lambda m, k: flip(keys.pkcs1(m, "sha256", k.size), 8 * (k.size - 1)),
    )
    pkcs1("pss", "A PSS signature under RS256.", lambda m, k: keys.pss(m, "sha256", k.modulus.bit_length()))
    pkcs1(
        "3072-sha256",
        "RSA-3072 with SHA-256 under RS384.",
        lambda m, k: keys.pkcs1(m, "sha256", k.size),
        "rsa3072",
    )
    pkcs1(
        "3072-without-null",
        "RSA-3072, AlgorithmIdentifier without its NULL.",
        lambda m, k: keys.pkcs1(m, "sha384", k.size, info(m, "sha384", b"")),
        "rsa3072",
    )

    def pss(name, description, block, kind="rsa2048"):
        who = owner.x509(f"{kind}-owner-a", owner.RSAPSS)
        sign = lambda key, message: key.rsa_raw(block(message, key))
        suite.invalid(f"pss-{name}", description, Draft(who, [Hop(who, sign=sign)]), "signature-invalid", 0)

    make = lambda m, k, *args, **options: keys.pss(m, *args, k.modulus.bit_length(), **options)
    for size in (0, 20, 31, 33, 48, 222):
        pss(
            f"salt-{size}",
            f"A salt of {size} bytes; RFC 8230 asks for the length of the hash.",
            lambda m, k: make(m, k, "sha256", salt_size=size),
        )
    pss(
        "3072-salt-32",
        "A salt of 32 bytes with SHA-384.",
        lambda m, k: make(m, k, "sha384", salt_size=32),
        "rsa3072",
    )
    pss("sha384", "SHA-384 under PS256.", lambda m, k: make(m, k, "sha384"))
    pss("mgf-sha1", "MGF1 with SHA-1.", lambda m, k: make(m, k, "sha256", mask_hash="sha1"))
    pss("mgf-sha384", "MGF1 with SHA-384.", lambda m, k: make(m, k, "sha256", mask_hash="sha384"))
    pss("trailer-cc", "The trailer is cc in place of bc.", lambda m, k: make(m, k, "sha256", trailer=b"\xcc"))
    pss("pkcs1", "A PKCS#1 v1.5 signature under PS256.", lambda m, k: keys.pkcs1(m, "sha256", k.size))
    top = lambda m, k: bytes([make(m, k, "sha256")[0] | 0x80]) + make(m, k, "sha256")[1:]
    pss(
        "top-bit",
        "The highest bit of the encoded message is set.",
        lambda m, k: (
            top(m, k)
            if int.from_bytes(top(m, k), "big") < k.modulus
            else flip(make(m, k, "sha256"), 8 * k.size - 1)
        ),
    )
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
            suite.invalid(
                f"{title}-signature-{name}",
                "A wrong number in place of the signature.",
                Draft(who, [Hop(who, signature=change)]),
                "signature-invalid",
                0,
            )
    # s + n is another name for s wherever it still fits 256 bytes.
    counter = 0
    while True:
        made = Draft(rsa, [Hop(rsa)], guid=hashlib.sha256(f"s + n {counter}".encode()).digest()[:16])
        value = int.from_bytes(Built(made).entries[0][-256:], "big") + rsa.key.modulus
        if value < 1 << 2048:
            break
        counter += 1
    made.hops = [
        Hop(
            rsa,
            signature=lambda signature: (int.from_bytes(signature, "big") + rsa.key.modulus).to_bytes(
                256, "big"
            ),
        )
    ]
    suite.invalid(
        "pkcs1-signature-plus-modulus",
        "The signature plus the modulus: congruent and not reduced (RFC 8017 section 5.2.2).",
        made,
        "signature-invalid",
        0,
    )


for group in (signatures, rsa_padding):
    group()
