"""Makes the certificates and revocation lists next to this file: `python3 make.py`, with `cryptography`
installed. Lists whose issuer is spelled otherwise than its certificate, or is another one; and roots that no
extension marks. Keys are made anew at each run and thrown away.
"""
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type as Kind

HERE = pathlib.Path(__file__).parent
DER = serialization.Encoding.DER
ROOT, STRANGER, LEAF = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
CA, DEVICE = "Root of the maker", "Device"


def day(text):
    return datetime.datetime.fromisoformat(text)


def name(text, kind=Kind.UTF8String):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text, _type=kind)])


def make(file, subject, key, issuer, issuer_key, serial, *extensions):
    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), serial, day("2024-01-01"), day("2046-01-01")
    )
    for extension in extensions:
        critical = not isinstance(extension, x509.SubjectKeyIdentifier)
        builder = builder.add_extension(extension, critical=critical)
    (HERE / f"{file}.der").write_bytes(builder.sign(issuer_key, hashes.SHA256()).public_bytes(DER))


def revoke(file, key, issuer, serials=(77,), key_id=False):
    builder = x509.CertificateRevocationListBuilder(issuer, day("2026-01-01"), day("2027-01-01"))
    if key_id:
        stated = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(stated, critical=False)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, day("2026-01-01"))
        builder = builder.add_revoked_certificate(entry.build())
    (HERE / f"{file}.crl").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(DER))


AUTHORITY, NONE = x509.BasicConstraints(True, None), x509.BasicConstraints(False, None)
ID = x509.SubjectKeyIdentifier.from_public_key(ROOT.public_key())
make("root", CA, ROOT, CA, ROOT, 1, AUTHORITY, ID)
make("leaf", DEVICE, LEAF, CA, ROOT, 77)
# All of them revoke the leaf.
revoke("printable", ROOT, name(CA, Kind.PrintableString))
revoke("spaced", ROOT, name("  ROOT  of the   Maker "))
revoke("other-name", ROOT, name("Root of another maker"))
revoke("with-id", ROOT, name(CA), key_id=True)
# These revoke nothing.
revoke("empty", ROOT, name(CA), ())
revoke("stranger", STRANGER, name("Stranger"), ())
make("stranger", "Stranger", STRANGER, "Stranger", STRANGER, 2, AUTHORITY)
# Of version 3 and its own issuer, without extensions and with basicConstraints alone.
make("bare", CA, ROOT, CA, ROOT, 3)
make("no-authority", DEVICE, LEAF, DEVICE, LEAF, 4, NONE)
# Below another authority, for signatures of data and of certificates.
names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
both = x509.KeyUsage(**{flag: flag in ("digital_signature", "key_cert_sign") for flag in names})
make("signs-both", DEVICE, LEAF, CA, ROOT, 6, both)
# What is critical in a root.
policy = x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.32473.7"), None)
make("renamed", "Root of another maker", ROOT, CA, ROOT, 7, AUTHORITY)
make("policies", CA, ROOT, CA, ROOT, 5, AUTHORITY, x509.CertificatePolicies([policy]))
