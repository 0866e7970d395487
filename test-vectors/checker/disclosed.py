"""What a certificate tells about who holds its key."""

from cryptography import x509


def certificate(der):
    """Subject, issuer, serial number and date, as strings."""
    read = x509.load_der_x509_certificate(der)
    serial = f"{read.serial_number:x}"
    return (
        read.subject.rfc4514_string(),
        read.issuer.rfc4514_string(),
        serial if len(serial) % 2 == 0 else "0" + serial,
        read.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
