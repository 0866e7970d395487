"""Makes the certificates and revocation lists next to this file: `python3 make.py`, with `cryptography`
installed. Keys are made anew at each run and thrown away.
"""
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = pathlib.Path(__file__).parent
DER = serialization.Encoding.DER
SHA256 = hashes.SHA256()


def day(text):
    return datetime.datetime.fromisoformat(text)


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def usage(*flags):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{flag: flag in flags for flag in names})


def make(file, subject, key, issuer, issuer_key, serial, flags, authority=False, end="2046-01-01", point=None):
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), serial, day("2024-01-01"), day(end))
    builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
    builder = builder.add_extension(usage(*flags), critical=True)
    if point:
        uri = x509.UniformResourceIdentifier(point)
        points = x509.CRLDistributionPoints([x509.DistributionPoint([uri], None, None, None)])
        builder = builder.add_extension(points, critical=False)
    (HERE / f"{file}.der").write_bytes(builder.sign(issuer_key, SHA256).public_bytes(DER))


def revoke(file, issuer, key, serials, *extensions, start="2026-01-01", digest=SHA256, critical=True):
    builder = x509.CertificateRevocationListBuilder(name(issuer), day(start), day("2027-01-01"))
    builder = builder.add_extension(x509.CRLNumber(7), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, day("2026-01-01"))
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    made = builder.sign(key, digest)
    (HERE / f"{file}.crl").write_bytes(made.public_bytes(DER))
    if file == "int":
        (HERE / "int.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def scope(*, cas=False, users=False, indirect=False, reasons=None, point="http://crl.example/maker"):
    uri = x509.UniformResourceIdentifier(point)
    return x509.IssuingDistributionPoint([uri], None, users, cas, reasons, indirect, False)


root, middle, leaf, stranger = (ec.generate_private_key(ec.SECP256R1()) for _ in range(4))
R, M, D = "Root of the maker", "Devices of the maker", "Device"
CA = ("key_cert_sign", "crl_sign")
make("root", R, root, R, root, 1, CA, True)
make("root-no-crl-sign", R, root, R, root, 2, CA[:1], True)
make("other-root", R, stranger, R, stranger, 3, CA, True)
make("int", M, middle, R, root, 10, CA, True)
make("int-no-crl-sign", M, middle, R, root, 11, CA[:1], True)
make("good", D, leaf, M, middle, 1001, ("digital_signature",))
make("bad", D, leaf, M, middle, 1002, ("digital_signature",))
make("good-expired", D, leaf, M, middle, 1003, ("digital_signature",), end="2025-01-01")
make("bad-point", D, leaf, M, middle, 1002, ("digital_signature",), point="http://crl.example/other")

revoke("int", M, middle, [999, 1002, 1 << 150])
revoke("int-empty", M, middle, [], start="2025-06-01")
revoke("int-stranger", M, stranger, [])
revoke("int-users", M, middle, [1002], scope(users=True))
revoke("int-authorities", M, middle, [1002], scope(cas=True))
revoke("root", R, root, [10])
revoke("root-empty", R, root, [])
revoke("other", "Another maker", stranger, [1001, 1002])
# What cannot be read.
revoke("delta", M, middle, [], x509.DeltaCRLIndicator(6))
revoke("indirect", M, middle, [], scope(indirect=True))
revoke("reasons", M, middle, [], scope(reasons=frozenset([x509.ReasonFlags.key_compromise])))
unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\5\0")
revoke("critical", M, middle, [], unknown)
revoke("not-critical", M, middle, [1002], unknown, critical=False)
