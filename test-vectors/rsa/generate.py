#!/usr/bin/env python3
"""Writes cases.json: RSA signatures, right and forged, made with the private keys.

Needs the `cryptography` package for the primes only; every encoding is spelled out here, so that
forgeries may depart from RFC 8017 in exactly one place. Each run makes new keys.
"""
import hashlib
import json
import secrets

from cryptography.hazmat.primitives.asymmetric import rsa

INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
}
NO_NULL = {
    "sha256": bytes.fromhex("302f300b0609608648016503040201" "0420"),
    "sha384": bytes.fromhex("303f300b0609608648016503040202" "0430"),
}


def new_key(bits, e):
    while True:
        numbers = rsa.generate_private_key(public_exponent=65537, key_size=bits).private_numbers()
        phi = (numbers.p - 1) * (numbers.q - 1)
        try:
            d = pow(e, -1, phi)
        except ValueError:
            continue
        return {"bits": bits, "e": e, "n": numbers.p * numbers.q, "d": d}


def pkcs1(k, tail, fill=0xFF, head=b"\x00\x01", zero=b"\x00"):
    return head + bytes([fill]) * (k - len(head) - len(zero) - len(tail)) + zero + tail


def mgf1(h, seed, length):
    out = b""
    counter = 0
    while len(out) < length:
        out += hashlib.new(h, seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:length]


def pss(k, h, digest, salt, trailer=0xBC, separator=0x01, pad=0x00, top=0, prefix=bytes(8), mgf=None):
    size = len(digest)
    hashed = hashlib.new(h, prefix + digest + salt).digest()
    db = bytes([pad]) * (k - size - len(salt) - 2) + bytes([separator]) + salt
    mask = mgf1(mgf or h, hashed, len(db))
    masked = bytearray(a ^ b for a, b in zip(db, mask))
    masked[0] = masked[0] & 0x7F | top
    return bytes(masked) + hashed + bytes([trailer])


def main():
    keys = []
    for bits in (2048, 3072):
        keys += [new_key(bits, 65537) for _ in range(3)]
        keys += [new_key(bits, e) for e in (65539, 0xFFFFFFFB, 0x80000001 | 0x10000)]
    cases = []

    def add(index, padding, digest, number, valid, comment):
        key = keys[index]
        k = key["bits"] // 8
        cases.append(
            {
                "key": index,
                "padding": padding,
                "digest": digest.hex(),
                "signature": number if isinstance(number, str) else number.to_bytes(k, "big").hex(),
                "valid": valid,
                "comment": comment,
            }
        )

    for index, key in enumerate(keys):
        n, d, bits = key["n"], key["d"], key["bits"]
        k = bits // 8
        h = "sha256" if bits == 2048 else "sha384"
        other = "sha384" if bits == 2048 else "sha256"
        digest = hashlib.new(h, secrets.token_bytes(40)).digest()
        size = len(digest)
        salt = secrets.token_bytes(size)

        def sign(em):
            number = int.from_bytes(em, "big")
            return pow(number % n, d, n)

        right = sign(pkcs1(k, INFO[h] + digest))
        add(index, "pkcs1", digest, right, True, "right")
        add(index, "pkcs1", digest, (n - right) % n, False, "n - s")
        right_pss = sign(pss(k, h, digest, salt))
        add(index, "pss", digest, right_pss, True, "right")
        add(index, "pkcs1", digest, right_pss, False, "PSS taken for PKCS#1")
        add(index, "pss", digest, right, False, "PKCS#1 taken for PSS")
        add(index, "pss", digest, sign(pss(k, h, digest, bytes(size))), True, "salt of zeros")
        if index % 6 not in (0, 3):
            continue

        wide = hashlib.new(other, b"other").digest()
        add(index, "pkcs1", wide, sign(pkcs1(k, INFO[other] + wide)), True, "other hash")
        add(index, "pss", wide, sign(pss(k, other, wide, bytes(len(wide)))), True, "other hash")
        for number, name in ((0, "0"), (1, "1"), (n - 1, "n - 1"), (n, "n"), (n + 1, "n + 1")):
            add(index, "pkcs1", digest, number, False, "s = " + name)
            add(index, "pss", digest, number, False, "s = " + name)
        for number, padding in ((right, "pkcs1"), (right_pss, "pss")):
            if (number + n) >> bits == 0:
                add(index, padding, digest, number + n, False, "s + n")
            full = number.to_bytes(k, "big").hex()
            add(index, padding, digest, full[2:], False, "first byte missing")
            add(index, padding, digest, full[:-2], False, "last byte missing")
            add(index, padding, digest, "00" + full, False, "zero in front")
            add(index, padding, digest, full + "00", False, "zero behind")
            add(index, padding, digest, "", False, "empty")
        tail = INFO[h] + digest
        forged = {
            "missing NULL": pkcs1(k, NO_NULL[h] + digest),
            "no DigestInfo": pkcs1(k, digest),
            "DigestInfo of the other hash": pkcs1(k, INFO[other] + digest),
            "fill 00": pkcs1(k, tail, fill=0x00),
            "fill FE": pkcs1(k, tail, fill=0xFE),
            "block type 2": pkcs1(k, tail, head=b"\x00\x02"),
            "block type 0": pkcs1(k, tail, head=b"\x00\x00"),
            "no zero before DigestInfo": pkcs1(k, tail, zero=b""),
            "separator 1": pkcs1(k, tail, zero=b"\x01"),
            "garbage behind, eight bytes of fill": b"\x00\x01" + b"\xff" * 8 + b"\x00" + tail
            + secrets.token_bytes(k - 11 - len(tail)),
            "zeros behind the digest": b"\x00\x01" + b"\xff" * 8 + b"\x00" + tail + bytes(k - 11 - len(tail)),
            "shifted by one byte": pkcs1(k, tail + b"\x00"),
            "garbage in NULL": pkcs1(k, tail.replace(b"\x05\x00", b"\x05\x01\x00")),
            "long form length": pkcs1(k, b"\x30\x81" + tail[1:]),
            "digest too short": pkcs1(k, INFO[h] + digest[:-1]),
            "digest inverted": pkcs1(k, INFO[h] + bytes(255 - b for b in digest)),
            "one bit of fill": bytes([0, 1, 0x7F]) + pkcs1(k, tail)[3:],
        }
        for comment, em in forged.items():
            assert len(em) == k, comment
            add(index, "pkcs1", digest, sign(em), False, comment)
        forged = {
            "salt empty": pss(k, h, digest, b""),
            "salt one shorter": pss(k, h, digest, salt[1:]),
            "salt one longer": pss(k, h, digest, salt + b"\x00"),
            "salt as long as fits": pss(k, h, digest, secrets.token_bytes(k - size - 2)),
            "salt of 20 bytes": pss(k, h, digest, salt[:20]),
            "salt of the other length": pss(k, h, digest, secrets.token_bytes(len(wide))),
            "trailer CC": pss(k, h, digest, salt, trailer=0xCC),
            "trailer 00": pss(k, h, digest, salt, trailer=0x00),
            "separator 00": pss(k, h, digest, salt, separator=0x00),
            "separator 02": pss(k, h, digest, salt, separator=0x02),
            "padding 01": pss(k, h, digest, salt, pad=0x01),
            "prefix not zero": pss(k, h, digest, salt, prefix=b"\x00" * 7 + b"\x01"),
            "MGF1 with the other hash": pss(k, h, digest, salt, mgf=other),
            "MGF1 with SHA-1": pss(k, h, digest, salt, mgf="sha1"),
            "hash of the other kind": pss(k, other, digest, salt)[:k],
        }
        # One byte of the padding between the first block of the mask and the separator.
        em = bytearray(pss(k, h, digest, salt))
        em[size + 3] ^= 0x10
        forged["padding changed behind the first mask block"] = bytes(em)
        # The top bit can only be set below n when n allows it; take a salt until it does.
        while True:
            em = pss(k, h, digest, secrets.token_bytes(size), top=0x80)
            if int.from_bytes(em, "big") < n:
                break
        forged["top bit set"] = em
        for comment, em in forged.items():
            if len(em) != k or int.from_bytes(em, "big") >= n:
                continue
            add(index, "pss", digest, sign(em), False, comment)

    for key in keys:
        key["n"] = key["n"].to_bytes(key["bits"] // 8, "big").hex()
        del key["d"]
    with open("cases.json", "w") as out:
        json.dump({"keys": keys, "cases": cases}, out, indent=0)
        out.write("\n")
    print(len(keys), "keys", len(cases), "cases", sum(c["valid"] for c in cases), "valid")


main()
