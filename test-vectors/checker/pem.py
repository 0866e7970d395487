"""Finds the vouchers in a file: raw CBOR (one or a sequence), PEM blocks in any spelling, bare base64."""

import base64
import re

from .cbor import Context, Reader, Reject

BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END ([A-Z0-9 ]+)-----", re.S)
LABEL = b"OWNERSHIP VOUCHER"


def vouchers(data):
    """A list of vouchers; raises Reject."""
    found = []
    if b"-----BEGIN " in data:
        rest = data
        while (start := rest.find(b"-----BEGIN ")) >= 0:
            match = BLOCK.match(rest, start)
            if not match or match[1] != match[3] or b"-----BEGIN" in match[2]:
                if rest[start + 11 :].startswith(LABEL):
                    raise Reject("pem")
                rest = rest[start + 11 :]
                continue
            if match[1] == LABEL:
                found.append(_decode(match[2]))
            rest = rest[match.end() :]
    elif data[:1] and data[0] >> 5 == 4:
        reader = Reader(data, 0, len(data), Context())
        while reader.at < reader.end:
            found.append(reader.skip())
    elif data.strip():
        try:
            found.append(_decode(data))
        except Reject:
            raise Reject("no-voucher") from None
    if not found:
        raise Reject("no-voucher")
    return found


def _decode(text):
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        raise Reject("pem") from None
