#!/usr/bin/env python3
"""Makes the files of this folder: keys in the forms in which people hold them.

Needs the package cryptography, openssl and ssh-keygen. The keys are test keys of test-vectors, so that
they own its vouchers; the passphrase is "correct horse". answers.txt says what `ov` answers to each file.

Usage: python3 make.py
"""

import base64
import datetime
import json
import os
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat,
    load_pem_private_key, load_pem_public_key, pkcs7, pkcs12)
from cryptography.x509.oid import NameOID

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[3] / "test-vectors"
KEYS = {name: pem.encode() for name, pem in json.loads((VECTORS / "keys.json").read_text()).items()}
OWNER = (VECTORS / "shipment-keys" / "owner-private.pem").read_bytes()
NEXT = (VECTORS / "shipment-keys" / "next-owner-public.pem").read_bytes()
PASSPHRASE = "correct horse"


def put(name, content):
    path = HERE / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tool(*arguments, stdin=None):
    return subprocess.run(arguments, input=stdin, check=True, capture_output=True).stdout


def openssl(*arguments, stdin=None):
    return tool("openssl", *arguments, stdin=stdin)


def pem(label, der):
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = [body[at:at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def der_of(text):
    return base64.b64decode("".join(line for line in text.decode().splitlines() if "-" not in line))


def b64u(number, length=None):
    length = length or (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()


def jwk(key):
    """The JWK of a private or public key (RFC 7518 §6, RFC 8037 §2)."""
    private = hasattr(key, "private_numbers") or hasattr(key, "private_bytes")
    public = key.public_key() if private else key
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        value = {"kty": "OKP", "crv": "Ed25519", "x": b64u(int.from_bytes(raw, "big"), 32)}
        if private:
            raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            value["d"] = b64u(int.from_bytes(raw, "big"), 32)
        return value
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        value = {"kty": "RSA", "n": b64u(numbers.n), "e": b64u(numbers.e)}
        if private:
            n = key.private_numbers()
            value |= {"d": b64u(n.d), "p": b64u(n.p), "q": b64u(n.q), "dp": b64u(n.dmp1),
                      "dq": b64u(n.dmq1), "qi": b64u(n.iqmp)}
        return value
    numbers, length = public.public_numbers(), (public.key_size + 7) // 8
    value = {"kty": "EC", "crv": {256: "P-256", 384: "P-384", 521: "P-521"}[public.key_size],
             "x": b64u(numbers.x, length), "y": b64u(numbers.y, length)}
    if private:
        value["d"] = b64u(key.private_numbers().private_value, length)
    return value


def certificate(key, name="owner"):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(begin)
    builder = builder.not_valid_after(begin + datetime.timedelta(days=3650))
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    return builder.sign(key, hashes.SHA256())


def private_forms(key):
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sec1 = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    text = pkcs8.decode()
    put("pkcs8.pem", pkcs8)
    put("pkcs8.der", der)
    put("sec1.pem", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + sec1.decode())
    put("sec1.der", der_of(sec1))
    put("mislabelled.pem", pem("EC PRIVATE KEY", der))
    put("crlf-bom.pem", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    put("utf16.pem", ("\ufeff" + text.replace("\n", "\r\n")).encode("utf-16-le"))
    put("utf16-big-endian.pem", ("\ufeff" + text).encode("utf-16-be"))
    put("private.jwk", json.dumps(jwk(key)))
    put("with-certificate.pem", pkcs8 + certificate(key).public_bytes(Encoding.PEM))
    other = load_pem_private_key(KEYS["p256-alder-maker"], None)
    first = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    put("two.pem", first + pkcs8)
    put("set.jwk", json.dumps({"keys": [jwk(other), jwk(key)]}))
    mixed = jwk(key) | {"d": jwk(other)["d"]}
    put("mixed.jwk", json.dumps(mixed))


def encrypted(pkcs8):
    def convert(name, *options):
        return put(name, openssl("pkcs8", "-topk8", "-passout", f"pass:{PASSPHRASE}", *options, stdin=pkcs8))
    path = convert("encrypted.pem", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256")
    put("encrypted.der", der_of(path.read_bytes()))
    convert("encrypted-sha512.pem", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512")
    scrypt = convert("encrypted-scrypt.pem", "-scrypt")
    convert("encrypted-sha1.pem", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1")
    convert("encrypted-3des.pem", "-v2", "des3", "-v2prf", "hmacWithSHA256")
    convert("encrypted-pbes1.pem", "-v1", "PBE-SHA1-3DES")
    # The same with a count of iterations, and with a cost, that nobody wants to pay.
    slow = convert("encrypted-slow.pem", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", "8388607")
    body = der_of(slow.read_bytes())
    assert body.count(b"\x02\x03\x7f\xff\xff") == 1
    body = body.replace(b"\x02\x03\x7f\xff\xff", b"\x02\x04\x7f\xff\xff\xff")
    put("encrypted-slow.pem", pem("ENCRYPTED PRIVATE KEY", longer(body)))
    body = der_of(scrypt.read_bytes())
    assert body.count(b"\x02\x02\x40\x00\x02\x01\x08") == 1
    put("encrypted-wide.pem", pem("ENCRYPTED PRIVATE KEY", body.replace(
        b"\x02\x02\x40\x00\x02\x01\x08", b"\x02\x02\x40\x00\x02\x01\x7f")))
    assert body.count(b"\x02\x01\x08\x02\x01\x01") == 1
    put("encrypted-parallel.pem", pem("ENCRYPTED PRIVATE KEY", body.replace(
        b"\x02\x01\x08\x02\x01\x01", b"\x02\x01\x08\x02\x01\x7f")))
    put("encrypted-old.pem", openssl("ec", "-aes256", "-passout", f"pass:{PASSPHRASE}", stdin=pkcs8))


def longer(der):
    """The DER with all lengths around the iteration count made one byte longer."""
    out = bytearray(der)
    at = der.index(b"\x02\x04\x7f\xff\xff\xff")
    start = 0
    while start < at:
        if out[start] == 0x30:
            size = out[start + 1]
            head = 2 if size < 0x80 else 2 + (size & 0x7f)
            length = size if size < 0x80 else int.from_bytes(out[start + 2:start + head], "big")
            end = start + head + length
            if end > at - 1:
                if size < 0x80:
                    out[start + 1] += 1
                else:
                    out[start + head - 1] += 1
                start += head
                continue
            start = end
        else:
            start += 2 + out[start + 1]
    return bytes(out)


def other_kinds():
    rsa_key = load_pem_private_key(KEYS["rsa2048-owner-a"], None)
    traditional = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    put("rsa-pkcs1.pem", traditional)
    put("rsa-pkcs1.der", der_of(traditional))
    put("rsa.jwk", json.dumps(jwk(rsa_key)))
    numbers = jwk(rsa_key)
    for name in ["p", "q", "dp", "dq", "qi"]:
        del numbers[name]
    put("rsa-without-primes.jwk", json.dumps(numbers))
    public = rsa_key.public_key()
    put("rsa-pkcs1.pub.pem", public.public_bytes(Encoding.PEM, PublicFormat.PKCS1))
    put("rsa.pub.jwk", json.dumps(jwk(public)))
    ed25519_key = load_pem_private_key(KEYS["ed25519-owner-a"], None)
    put("ed25519.jwk", json.dumps(jwk(ed25519_key)))
    p384 = next(load_pem_private_key(pem, None) for name, pem in KEYS.items() if name.startswith("p384"))
    put("p384.jwk", json.dumps(jwk(p384)))


def refused(key):
    nothing = NoEncryption()
    for name, other in [
        ("p521", ec.generate_private_key(ec.SECP521R1())),
        ("secp256k1", ec.generate_private_key(ec.SECP256K1())),
        ("ed448", ed448.Ed448PrivateKey.generate()),
        ("rsa4096", load_pem_private_key(KEYS["rsa4096-owner"], None)),
    ]:
        put(f"{name}.pem", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, nothing))
        put(f"{name}.pub.pem", other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    p521 = load_pem_private_key((HERE / "p521.pem").read_bytes(), None)
    put("p521-sec1.pem", p521.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, nothing))
    put("p521.jwk", json.dumps(jwk(p521)))
    put("p521.certificate.pem", certificate(p521).public_bytes(Encoding.PEM))
    own = certificate(key)
    put("owner.p12", pkcs12.serialize_key_and_certificates(
        b"owner", key, own, None, BestAvailableEncryption(PASSPHRASE.encode())))
    put("openssh", key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, nothing))
    put("openssh.pub", key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" owner@example\n")
    put("rfc4716.pub", tool("ssh-keygen", "-e", "-f", str(HERE / "openssh.pub")))
    put("putty.ppk", "PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\r\nEncryption: none\r\nComment: owner\r\n")
    put("certificates.p7", pkcs7.serialize_certificates([own], Encoding.PEM))
    put("certificates.p7.der", pkcs7.serialize_certificates([own], Encoding.DER))
    request = x509.CertificateSigningRequestBuilder().subject_name(own.subject).sign(key, hashes.SHA256())
    put("request.pem", request.public_bytes(Encoding.PEM))
    put("oct.jwk", json.dumps({"kty": "oct", "k": "c2VjcmV0"}))
    put("encrypted.jwk", json.dumps({"protected": "e30", "iv": "AA", "ciphertext": "AA", "tag": "AA"}))
    numbers = key.public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    d = key.private_numbers().private_value.to_bytes(32, "big")
    cose = b"\xa5\x01\x02\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y + b"\x23\x58\x20" + d
    put("cose-key.cbor", cose)
    put("store.jks", b"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01")
    put("page.html", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")
    put("voucher.cbor", (VECTORS / "shipment" / "alder-gw100-0001.cbor").read_bytes())
    put("empty.pem", b"")
    put("text.txt", "the key is in the safe\n")


def openssh_ed25519():
    """Keys that ssh-keygen and openssl do not convert; their base64 is told from that of other types."""
    key = load_pem_private_key(KEYS["ed25519-owner-a"], None)
    put("openssh-ed25519", key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    put("openssh-ed25519.pub", key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" owner\n")
    put("rfc4716-ed25519.pub", tool("ssh-keygen", "-e", "-f", str(HERE / "openssh-ed25519.pub")))
    put("putty-ed25519.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: owner\r\n")


RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
PSS = bytes.fromhex("300b06092a864886f70d01010a")
# SHA-256, MGF1 with SHA-256, a salt of 32 bytes (RFC 4055 §3.1).
PSS_SHA256 = bytes.fromhex(
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d"
    "06096086480165030402010500a203020120")


def under(algorithm, der):
    """The key in this SEQUENCE under another algorithm than rsaEncryption."""
    assert der[:2] == b"\x30\x82" and der.count(RSA_ENCRYPTION) == 1
    body = der[4:].replace(RSA_ENCRYPTION, algorithm)
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def pss():
    """RSA keys for PSS alone, as openssl genpkey -algorithm RSA-PSS makes them. openssl checks them."""
    key = load_pem_private_key(KEYS["rsa2048-owner-a"], None)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for name, algorithm in [("pss", PSS), ("pss-restricted", PSS_SHA256)]:
        path = put(f"{name}.pem", pem("PRIVATE KEY", under(algorithm, private)))
        openssl("pkey", "-in", str(path), "-check", "-noout")
        path = put(f"{name}.pub.pem", pem("PUBLIC KEY", under(algorithm, public)))
        assert b":rsassaPss" in openssl("asn1parse", "-in", str(path))
    put("pss.certificate.pem", openssl("req", "-x509", "-key", str(HERE / "pss.pem"), "-subj", "/CN=owner",
                                       "-days", "3650", "-set_serial", "7"))


def public_forms():
    key = load_pem_public_key(NEXT)
    put("public.pem", NEXT)
    put("public.der", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    put("public-utf16.pem", ("\ufeff" + NEXT.decode()).encode("utf-16-le"))
    put("public.jwk", json.dumps(jwk(key)))
    put("certificate.pem", certificate(load_pem_private_key(KEYS["p256-birch-maker"], None)).public_bytes(Encoding.PEM))


def main():
    os.chdir(HERE)
    key = load_pem_private_key(OWNER, None)
    private_forms(key)
    encrypted(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    other_kinds()
    refused(key)
    openssh_ed25519()
    pss()
    public_forms()


if __name__ == "__main__":
    main()
