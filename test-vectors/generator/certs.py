"""X.509 certificates (RFC 5280), made by hand so that each oddity is one argument."""

import hashlib

from . import der, keys

SIGNATURES = {
    ("ec", "sha256"): der.seq(der.oid("1.2.840.10045.4.3.2")),
    ("ec", "sha384"): der.seq(der.oid("1.2.840.10045.4.3.3")),
    ("ec", "sha1"): der.seq(der.oid("1.2.840.10045.4.1")),
    ("rsa", "sha256"): der.seq(der.oid("1.2.840.113549.1.1.11"), der.null()),
    ("rsa", "sha384"): der.seq(der.oid("1.2.840.113549.1.1.12"), der.null()),
    ("rsa", "sha1"): der.seq(der.oid("1.2.840.113549.1.1.5"), der.null()),
}
NOT_BEFORE, NOT_AFTER = "20240101000000", "20491231235959"
DIGITAL_SIGNATURE, CERT_SIGN, KEY_ENCIPHERMENT = 0x80, 0x04, 0x20


def name(common, organisation="Example"):
    return der.seq(
        der.sets(der.seq(der.oid("2.5.4.10"), der.utf8(organisation))),
        der.sets(der.seq(der.oid("2.5.4.3"), der.utf8(common))),
    )


def extension(dotted, value, critical=False):
    parts = [der.oid(dotted)] + ([der.boolean(True)] if critical else []) + [der.octets(value)]
    return der.seq(*parts)


def usage(flags):
    """KeyUsage; `flags` is the first octet of the bit string."""
    unused = (flags & -flags).bit_length() - 1
    return extension("2.5.29.15", der.bits(bytes([flags]), unused), critical=True)


def authority(path_length=None):
    parts = [der.boolean(True)] + ([] if path_length is None else [der.integer(path_length)])
    return extension("2.5.29.19", der.seq(*parts), critical=True)


def certificate(
    subject,
    key,
    issuer,
    issuer_key,
    *,
    ca=False,
    key_usage=None,
    basic_constraints=True,
    not_before=NOT_BEFORE,
    not_after=NOT_AFTER,
    hash_name=None,
    version=3,
    spki=None,
    padding=0,
    serial=None,
    extensions=None,
    inner=None,
    subject_name=None,
    issuer_name=None,
):
    """The DER of a certificate for `key`, signed by `issuer_key`. `padding` adds that many bytes in an unknown extension.

    `extensions` replaces all of them, `inner` the algorithm inside of what is signed, the names those made of text.
    """
    family = "rsa" if issuer_key.is_rsa else "ec"
    hash_name = hash_name or ("sha384" if issuer_key.kind == "p384" else "sha256")
    algorithm = SIGNATURES[family, hash_name]
    if extensions is None:
        extensions = []
        if ca and basic_constraints:
            extensions.append(authority())
        extensions.append(usage(key_usage or (CERT_SIGN if ca else DIGITAL_SIGNATURE)))
        if padding:
            extensions.append(extension("1.3.6.1.4.1.32473.1", bytes(padding)))
    made_up = hashlib.sha256(f"{subject}/{issuer}/{key.name}/{not_after}".encode()).digest()[:8]
    serial = int.from_bytes(made_up, "big") | 1 << 62 if serial is None else serial
    body = [
        der.integer(serial),
        inner or algorithm,
        issuer_name or name(issuer),
        der.seq(der.time(not_before), der.time(not_after)),
        subject_name or name(subject),
        spki or key.spki(),
    ]
    if version > 1:
        body = [der.explicit(0, der.integer(version - 1)), *body, der.explicit(3, der.seq(*extensions))]
    signed = der.seq(*body)
    if issuer_key.is_rsa:
        signature = issuer_key.rsa_raw(keys.pkcs1(signed, hash_name, issuer_key.size))
    else:
        r, s = issuer_key.ecdsa(signed, hash_name)
        signature = der.seq(der.integer(r), der.integer(s))
    return der.seq(signed, algorithm, der.bits(signature))


def device_ca(kind="p256", maker="Maker", **options):
    """The root of a maker's devices."""
    key = keys.get(f"{kind}-device-ca-{maker.lower()}")
    return certificate(f"{maker} device CA", key, f"{maker} device CA", key, ca=True, **options)


def device_chain(kind="p256", maker="Maker", serial="0001", ca_kind=None, **leaf):
    """[device certificate, root]: what most makers put into a voucher."""
    ca_kind = ca_kind or ("p384" if kind == "p384" else "p256")
    ca_key = keys.get(f"{ca_kind}-device-ca-{maker.lower()}")
    key = keys.get(f"{kind}-device-{maker.lower()}-{serial}")
    device = certificate(f"Device {serial}", key, f"{maker} device CA", ca_key, **leaf)
    return [device, device_ca(ca_kind, maker)]


def owner_chain(key, owner="Owner", length=2, **leaf):
    """[certificate of `key`, intermediates, root], `length` in all, for an X5CHAIN key."""
    if length == 1:
        return [
            certificate(owner, key, f"{owner} CA 1", keys.get(f"p256-owner-ca-{owner.lower()}-1"), **leaf)
        ]
    chain = []
    subject, subject_key, options = owner, key, leaf
    for number in range(1, length):
        issuer_key = keys.get(f"p256-owner-ca-{owner.lower()}-{number}")
        chain.append(certificate(subject, subject_key, f"{owner} CA {number}", issuer_key, **options))
        subject, subject_key, options = f"{owner} CA {number}", issuer_key, {"ca": True}
    chain.append(certificate(subject, subject_key, subject, subject_key, ca=True))
    return chain
