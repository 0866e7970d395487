"""Makes the certificates and revocation lists next to this file: `python3 make.py`, with `cryptography`
installed. An authority that changed its key: one name, two keys, lists of both. Keys are made anew at each run
and thrown away.
"""
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = pathlib.Path(__file__).parent
DER = serialization.Encoding.DER
SHA256 = hashes.SHA256()
A, B, STRANGER, MIDDLE, LEAF = (ec.generate_private_key(ec.SECP256R1()) for _ in range(5))
CA, DEVICE = "Root of the maker", "Device"


def day(text):
    return datetime.datetime.fromisoformat(text)


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def points(*names):
    return x509.CRLDistributionPoints([x509.DistributionPoint(list(names), None, None, None)])


def make(file, subject, key, issuer, issuer_key, serial, authority=False, *extensions, key_id=True):
    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), serial, day("2024-01-01"), day("2046-01-01")
    )
    builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
    flags = ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    usage = x509.KeyUsage(**{flag: flag in flags for flag in names})
    builder = builder.add_extension(usage, critical=True)
    if key_id:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    for extension in extensions:
        critical = not isinstance(extension, x509.CRLDistributionPoints)
        builder = builder.add_extension(extension, critical=critical)
    (HERE / f"{file}.der").write_bytes(builder.sign(issuer_key, SHA256).public_bytes(DER))


def revoke(file, key, serials=(), scope=None, key_id=False, issuer=CA):
    builder = x509.CertificateRevocationListBuilder(name(issuer), day("2026-01-01"), day("2027-01-01"))
    builder = builder.add_extension(x509.CRLNumber(7), critical=False)
    if key_id:
        stated = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(stated, critical=False)
    if scope:
        builder = builder.add_extension(scope, critical=True)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, day("2026-01-01"))
        builder = builder.add_revoked_certificate(entry.build())
    (HERE / f"{file}.crl").write_bytes(builder.sign(key, SHA256).public_bytes(DER))


def scope(*names, users=False, cas=False):
    return x509.IssuingDistributionPoint(list(names) or None, None, users, cas, None, False, False)


make("root-a", CA, A, CA, A, 1, True)
make("root-b", CA, B, CA, B, 2, True)
# The same serial number under both keys.
make("leaf-a", DEVICE, LEAF, CA, A, 77)
make("leaf-b", DEVICE, LEAF, CA, B, 77)
# The old key signed the new one: two authorities of one name in one path.
make("b-by-a", CA, B, CA, A, 78, True)
# Without identifiers of keys nothing but the signature says whose a list is.
make("root-a-plain", CA, A, CA, A, 1, True, key_id=False)

revoke("a", A)
revoke("b", B)
revoke("a-revokes-77", A, [77])
revoke("a-revokes-78", A, [78])
revoke("b-revokes-77", B, [77])
revoke("stranger", STRANGER)
revoke("stranger-with-id", STRANGER, key_id=True)
revoke("a-with-id", A, key_id=True)
# What a list speaks of, without the name of a distribution point.
revoke("a-users", A, [77], scope(users=True))
revoke("a-authorities", A, [77], scope(cas=True))

# Distribution points.
uri = x509.UniformResourceIdentifier
directory = x509.DirectoryName(name("Lists of the maker"))
make("leaf-uri", DEVICE, LEAF, CA, A, 77, False, points(uri("http://crl.example/1")))
make("leaf-directory", DEVICE, LEAF, CA, A, 77, False, points(uri("ldap://x"), directory))
some = x509.DistributionPoint(
    [uri("http://crl.example/1")], None, frozenset([x509.ReasonFlags.key_compromise]), None
)
make("leaf-reasons", DEVICE, LEAF, CA, A, 77, False, x509.CRLDistributionPoints([some]))
other = x509.DistributionPoint([uri("http://crl.example/1")], None, None, [directory])
make("leaf-other-issuer", DEVICE, LEAF, CA, A, 77, False, x509.CRLDistributionPoints([other]))
revoke("a-uri-1", A, [77], scope(uri("http://crl.example/1")))
revoke("a-uri-2", A, [77], scope(uri("http://crl.example/2")))
revoke("a-directory", A, [77], scope(directory))

# Constraints and policies of an authority, which this library does not process.
inside = x509.NameConstraints([x509.DirectoryName(name("Device"))], None)
outside = x509.NameConstraints(None, [x509.DirectoryName(name("Other"))])
make("int-directory", "Middle", MIDDLE, CA, A, 90, True, inside)
make("int-excluded", "Middle", MIDDLE, CA, A, 91, True, outside)
make("leaf-middle", DEVICE, LEAF, "Middle", MIDDLE, 92)
policy = x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.32473.7"), None)
make("int-policy", "Middle", MIDDLE, CA, A, 93, True, x509.CertificatePolicies([policy]))
make("int-policy-required", "Middle", MIDDLE, CA, A, 94, True, x509.PolicyConstraints(0, None))
