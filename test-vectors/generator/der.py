"""A small DER encoder (X.690): what keys and certificates need."""


def tlv(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def seq(*items):
    return tlv(0x30, b"".join(items))


def sets(*items):
    return tlv(0x31, b"".join(items))


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def boolean(value):
    return tlv(1, b"\xff" if value else b"\x00")


def bits(content, unused=0):
    return tlv(3, bytes([unused]) + content)


def octets(content):
    return tlv(4, content)


def null():
    return tlv(5, b"")


def utf8(text):
    return tlv(12, text.encode())


def explicit(number, content):
    return tlv(0xA0 | number, content)


def time(text):
    """`text` is YYYYMMDDHHMMSS; UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5)."""
    if text < "2050":
        return tlv(23, text[2:].encode() + b"Z")
    return tlv(24, text.encode() + b"Z")


def oid(dotted):
    first, second, *rest = [int(part) for part in dotted.split(".")]
    content = bytes([40 * first + second])
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.insert(0, part & 0x7F | 0x80)
        content += bytes(groups)
    return tlv(6, content)


EC_PUBLIC_KEY = oid("1.2.840.10045.2.1")
P256 = oid("1.2.840.10045.3.1.7")
P384 = oid("1.3.132.0.34")
P521 = oid("1.3.132.0.35")
SECP256K1 = oid("1.3.132.0.10")
RSA_ENCRYPTION = oid("1.2.840.113549.1.1.1")
RSASSA_PSS = oid("1.2.840.113549.1.1.10")
ED25519 = oid("1.3.101.112")
SHA1 = oid("1.3.14.3.2.26")
SHA256 = oid("2.16.840.1.101.3.4.2.1")
SHA384 = oid("2.16.840.1.101.3.4.2.2")
SHA512 = oid("2.16.840.1.101.3.4.2.3")
HASHES = {"sha1": SHA1, "sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


def spki_ec(curve, point):
    return seq(seq(EC_PUBLIC_KEY, curve), bits(point))


def spki_rsa(modulus, exponent):
    return seq(seq(RSA_ENCRYPTION, null()), bits(seq(integer(modulus), integer(exponent))))


def spki_ed25519(point):
    return seq(seq(ED25519), bits(point))
