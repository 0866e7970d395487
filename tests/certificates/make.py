"""Makes the certificates next to this file: `python3 make.py`, with `cryptography` installed.

The DER is put together by hand, so that what no authority would sign can be signed too. Keys are
made anew at each run and thrown away.
"""
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

HERE = pathlib.Path(__file__).parent
SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
POINT = serialization.Encoding.X962
HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
ECDSA = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
PKCS1 = {"sha1": "1.2.840.113549.1.1.5", "sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
DIGEST = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
SIGN, AGREE, CERT_SIGN = 0x80, 0x08, 0x04


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + size.to_bytes(width, "big") + body


def seq(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([first * 40 + second])
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        out += bytes(reversed(groups))
    return tlv(6, out)


NULL, TRUE = tlv(5), tlv(1, b"\xff")


def name(text):
    return seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, text.encode())))) if text else seq()


def time(text):
    """YYYYMMDD: UTCTime up to 2049, GeneralizedTime after."""
    return tlv(23, f"{text[2:]}000000Z".encode()) if text < "2050" else tlv(24, f"{text}000000Z".encode())


def extension(number, value, critical=True):
    return seq(oid(number), TRUE if critical else b"", tlv(4, value))


def usage(flags):
    unused = (flags & -flags).bit_length() - 1
    return extension("2.5.29.15", tlv(3, bytes([unused, flags])))


def authority(path_length=None):
    return extension("2.5.29.19", seq(TRUE, b"" if path_length is None else integer(path_length)))


def algorithm(key, digest, pss, absent=False):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return seq(oid("1.3.101.112"))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return seq(oid(ECDSA[digest]))
    if not pss:
        return seq(oid(PKCS1[digest]), b"" if absent else NULL)
    if digest == "sha1":
        return seq(oid("1.2.840.113549.1.1.10"), seq())  # SHA-1 is the default of every part
    inner = seq(oid(DIGEST[digest]), NULL)
    mask = seq(oid("1.2.840.113549.1.1.8"), inner)
    salt = integer(HASHES[digest].digest_size)
    return seq(oid("1.2.840.113549.1.1.10"), seq(tlv(0xA0, inner), tlv(0xA1, mask), tlv(0xA2, salt)))


def signature(key, digest, pss, message):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    chosen = HASHES[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(chosen))
    if pss:
        return key.sign(message, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
    return key.sign(message, padding.PKCS1v15(), chosen)


def make(file, subject, key, issuer, issuer_key, *, digest="sha256", pss=False, start="20190101", end="20490101",
         extensions=(), version=3, serial=0x4D2, spki=None, repeat=1, absent=False, inner=None):
    signed_with = algorithm(issuer_key, digest, pss, absent)
    body = [
        integer(serial),
        inner or signed_with,
        name(issuer),
        seq(time(start), time(end)),
        name(subject),
        spki or key.public_key().public_bytes(*SPKI),
    ]
    if version > 1:
        body.insert(0, tlv(0xA0, integer(version - 1)))
    if version == 3 and extensions:
        body.append(tlv(0xA3, seq(*extensions * repeat)))
    tbs = seq(*body)
    done = seq(tbs, signed_with, tlv(3, b"\0", signature(issuer_key, digest, pss, tbs)))
    (HERE / f"{file}.der").write_bytes(done)


def p256():
    return ec.generate_private_key(ec.SECP256R1())


CA, CA_KEY = (authority(), usage(CERT_SIGN)), (usage(CERT_SIGN),)
LEAF = (usage(SIGN),)

root, middle, leaf = p256(), p256(), p256()
R, M, L = "P-256 root", "P-256 intermediate", "P-256 device"
make("p256-root", R, root, R, root, extensions=CA)
make("p256-int", M, middle, R, root, extensions=CA)
make("p256-leaf", L, leaf, M, middle, extensions=LEAF)
# Leaves right under the root, each with one oddity.
make("leaf", L, leaf, R, root, extensions=LEAF)
make("leaf-sha384", L, leaf, R, root, digest="sha384", extensions=LEAF)
make("leaf-sha512", L, leaf, R, root, digest="sha512", extensions=LEAF)
make("leaf-sha1", L, leaf, R, root, digest="sha1", extensions=LEAF)
make("leaf-two-algorithms", L, leaf, R, root, extensions=LEAF, inner=seq(oid(ECDSA["sha512"])))
make("leaf-no-usage", L, leaf, R, root)
make("leaf-agreement-only", L, leaf, R, root, extensions=(usage(AGREE),))
make("leaf-eku", L, leaf, R, root, extensions=(*LEAF, extension("2.5.29.37", seq(oid("2.23.133.8.3")))))
make("leaf-critical", L, leaf, R, root, extensions=(*LEAF, extension("1.3.6.1.4.1.32473.1", NULL)))
make("leaf-twice", L, leaf, R, root, extensions=LEAF, repeat=2)
make("leaf-authority", L, leaf, R, root, extensions=(authority(), usage(SIGN | CERT_SIGN)))
make("leaf-expired", L, leaf, R, root, end="20210101", extensions=LEAF)
make("leaf-future", L, leaf, R, root, start="20400101", end="20550101", extensions=LEAF)
make("leaf-before-root", L, leaf, R, root, start="20100101", end="20120101", extensions=LEAF)
make("leaf-backwards", L, leaf, R, root, start="20300101", end="20250101", extensions=LEAF)
make("leaf-v1", L, leaf, R, root, version=1)
make("leaf-no-subject", "", leaf, R, root, extensions=LEAF)
make("leaf-control", "a\x1b[31m,b\u202ec", leaf, R, root, extensions=LEAF)
make("leaf-serial-0", L, leaf, R, root, serial=0, extensions=LEAF)
make("leaf-serial-negative", L, leaf, R, root, serial=-77, extensions=LEAF)
make("leaf-serial-long", L, leaf, R, root, serial=1 << 255, extensions=LEAF)
make("self-signed", L, leaf, L, leaf, extensions=LEAF)
# Signed by the first leaf: only a broken check makes that key an authority.
make("leaf-of-leaf", "Grandchild", p256(), L, leaf, extensions=LEAF)
# Roots with an oddity, and a leaf under each.
make("root-same-name", R, p256(), R, root, extensions=CA)
other = p256()
make("root-other", "Other root", other, "Other root", other, extensions=CA)
make("root-no-constraints", R, root, R, root, extensions=CA_KEY)
make("root-v1", R, root, R, root, version=1)
make("root-no-cert-sign", R, root, R, root, extensions=(authority(), usage(SIGN)))
make("root-path-0", R, root, R, root, extensions=(authority(0), usage(CERT_SIGN)))
make("root-expired", R, root, R, root, end="20220101", extensions=CA)
# Intermediates with an oddity; all have the name and key of p256-int.
make("int-no-constraints", M, middle, R, root, extensions=CA_KEY)
make("int-v1", M, middle, R, root, version=1)
make("int-no-cert-sign", M, middle, R, root, extensions=(authority(), usage(SIGN)))
make("int-sha1", M, middle, R, root, digest="sha1", extensions=CA)
make("int-foreign", M, middle, "Other root", other, extensions=CA)
make("int-path-0", M, middle, R, root, extensions=(authority(0), usage(CERT_SIGN)))
lower = p256()
make("int-lower", "Lower", lower, M, middle, extensions=CA)
make("leaf-lower", L, leaf, "Lower", lower, extensions=LEAF)
dns = lambda text: tlv(0x82, text.encode())
make("int-names", M, middle, R, root, extensions=(*CA, extension("2.5.29.30", seq(tlv(0xA0, seq(dns("good.example")))))))
make("leaf-names", L, leaf, M, middle, extensions=(*LEAF, extension("2.5.29.17", seq(dns("bad.example")), critical=False)))
# One certificate more than a path may have, its root included.
line = [p256() for _ in range(9)]
for number, key in enumerate(line):
    above = min(number + 1, 8)
    make(f"long-{number}", f"Level {number}", key, f"Level {above}", line[above], extensions=CA if number else LEAF)
# The other algorithms.
key = ec.generate_private_key(ec.SECP384R1())
make("p384-root", "P-384 root", key, "P-384 root", key, digest="sha384", extensions=CA)
for digest in ("sha256", "sha384", "sha512"):
    make(f"p384-leaf-{digest}", "P-384 device", leaf, "P-384 root", key, digest=digest, extensions=LEAF)
compressed = seq(seq(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34")),
                 tlv(3, b"\0", key.public_key().public_bytes(POINT, serialization.PublicFormat.CompressedPoint)))
make("p384-root-compressed", "P-384 root", key, "P-384 root", key, digest="sha384", extensions=CA, spki=compressed)
key = ed25519.Ed25519PrivateKey.generate()
make("ed25519-root", "Ed25519 root", key, "Ed25519 root", key, extensions=CA)
make("ed25519-leaf", "Ed25519 device", ed25519.Ed25519PrivateKey.generate(), "Ed25519 root", key, extensions=LEAF)
key = ec.generate_private_key(ec.SECP521R1())
make("p521-root", "P-521 root", key, "P-521 root", key, digest="sha512", extensions=CA)
make("p521-leaf", "P-521 device", leaf, "P-521 root", key, digest="sha512", extensions=LEAF)
for bits in (1024, 2048, 3072, 4096):
    key = rsa.generate_private_key(65537, bits)
    make(f"rsa{bits}-root", f"RSA-{bits} root", key, f"RSA-{bits} root", key, extensions=CA)
    make(f"rsa{bits}-leaf", "RSA device", leaf, f"RSA-{bits} root", key, extensions=LEAF)
    if bits == 2048:
        make("rsa2048-leaf-absent", "RSA device", key, "RSA-2048 root", key, extensions=LEAF, absent=True)
        for digest in ("sha1", "sha384", "sha512"):
            make(f"rsa2048-leaf-{digest}", "RSA device", key, "RSA-2048 root", key, digest=digest, extensions=LEAF)
        for digest in ("sha1", "sha256", "sha384", "sha512"):
            make(f"rsa2048-leaf-pss-{digest}", "RSA device", key, "RSA-2048 root", key, digest=digest, pss=True, extensions=LEAF)
key = rsa.generate_private_key(3, 2048)
make("rsa-exponent-3-root", "RSA-3 root", key, "RSA-3 root", key, extensions=CA)
make("rsa-exponent-3-leaf", "RSA device", leaf, "RSA-3 root", key, extensions=LEAF)
