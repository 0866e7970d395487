"""Files rather than vouchers: PEM in every spelling that is in circulation, sequences, and files that hold none."""

import base64
import hashlib
import json

from . import keys, owner
from .shipment import BUYER, pem, people, voucher

VOUCHERS = [
    voucher("Alder", serial, "Alder GW-100", people(owner.x509, "p256", "Alder"))
    for serial in range(101, 104)
]
ONE = VOUCHERS[0]
BEGIN, END = b"-----BEGIN OWNERSHIP VOUCHER-----", b"-----END OWNERSHIP VOUCHER-----"


def good():
    """(name, description, content, vouchers inside)."""
    key = keys.get(BUYER).pem().encode()
    three = [pem(one) for one in VOUCHERS]
    text = base64.b64encode(ONE)
    yield "raw.cbor", "One voucher as CBOR.", ONE, [ONE]
    yield (
        "sequence.cbor",
        "Three vouchers behind each other (a CBOR sequence, RFC 8742).",
        b"".join(VOUCHERS),
        VOUCHERS,
    )
    yield "lf-64.pem", "PEM with LF and 64 columns.", pem(ONE), [ONE]
    yield (
        "crlf-64.pem",
        "PEM with CRLF and 64 columns (pri-fidoiot, fdo-rs).",
        pem(ONE, newline="\r\n"),
        [ONE],
    )
    for width in (1, 4, 48, 75, 76, 1000):
        yield f"width-{width}.pem", f"PEM with {width} columns.", pem(ONE, width), [ONE]
    yield "one-line.pem", "PEM with the whole body in one line (onboarding-service).", pem(ONE, 0), [ONE]
    yield "no-final-newline.pem", "PEM without a line end behind the last line.", pem(ONE).rstrip(), [ONE]
    yield (
        "text-before.pem",
        "Text before the block.",
        b"Device: Alder GW-100\nSerial: 101\n\n" + pem(ONE),
        [ONE],
    )
    yield "text-after.pem", "Text behind the block.", pem(ONE) + b"\nThank you for your order.\n", [ONE]
    yield (
        "text-with-dashes.pem",
        "Text with dashes before the block.",
        b"----- delivery note -----\n-----\n" + pem(ONE),
        [ONE],
    )
    yield (
        "blank-lines.pem",
        "Blank lines before, between and behind the lines of the block.",
        b"\n\n" + pem(ONE).replace(b"\n", b"\n\n") + b"\n\n",
        [ONE],
    )
    yield (
        "trailing-blanks.pem",
        "Blanks at the end of each body line.",
        pem(ONE).replace(b"\n", b"  \n", 12),
        [ONE],
    )
    yield "key-before.pem", "A private key block before the voucher.", key + pem(ONE), [ONE]
    yield "key-after.pem", "A private key block behind the voucher (pri-fidoiot).", pem(ONE) + key, [ONE]
    yield "three-blocks.pem", "Three vouchers.", b"".join(three), VOUCHERS
    yield (
        "three-blocks-crlf-text.pem",
        "Three vouchers with text between, CRLF.",
        b"next\r\n".join(pem(one, newline="\r\n") for one in VOUCHERS),
        VOUCHERS,
    )
    yield "keys-between.pem", "Three vouchers with key blocks between.", key.join(three), VOUCHERS
    yield "twice-the-same.pem", "The same voucher twice: two vouchers.", pem(ONE) * 2, [ONE, ONE]
    yield (
        "mixed-widths.pem",
        "Three vouchers with 64 columns, one line, and 76 columns with CRLF.",
        pem(VOUCHERS[0]) + pem(VOUCHERS[1], 0) + pem(VOUCHERS[2], 76, "\r\n"),
        VOUCHERS,
    )
    yield "base64.txt", "Base64 without PEM, in one line.", text, [ONE]
    yield (
        "base64-lines.txt",
        "Base64 without PEM, in lines of 76 columns.",
        b"\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + b"\n",
        [ONE],
    )


def bad():
    """(name, description, content, error)."""
    block = pem(ONE)
    yield "empty.pem", "No bytes at all.", b"", "no-voucher"
    yield "only-text.txt", "Text without a block.", b"There is no voucher in this file.\n", "no-voucher"
    yield "only-a-key.pem", "A private key block alone.", keys.get(BUYER).pem().encode(), "no-voucher"
    yield (
        "public-key.pem",
        "A block with another label.",
        block.replace(b"OWNERSHIP VOUCHER", b"PUBLIC KEY"),
        "no-voucher",
    )
    lines = block.split(b"\n")
    cut = b"\n".join([*lines[:6], lines[6][:61], lines[-2], b""])
    yield "base64-cut.pem", "The body ends inside a group of four characters.", cut, "pem"
    yield (
        "base64-bad-character.pem",
        "A character that is not base64.",
        block.replace(lines[3], b"!" + lines[3][1:]),
        "pem",
    )
    yield (
        "base64-url-alphabet.pem",
        "The alphabet of base64url.",
        block.replace(lines[3], b"-_" + lines[3][2:]),
        "pem",
    )
    yield "no-end.pem", "The END line is missing.", b"\n".join(lines[:-2]) + b"\n", "pem"
    yield (
        "wrong-end.pem",
        "The END line has another label.",
        block.replace(END, b"-----END CERTIFICATE-----"),
        "pem",
    )
    yield (
        "second-begin.pem",
        "A second BEGIN line before the END line.",
        b"\n".join([*lines[:5], BEGIN, *lines[5:]]),
        "pem",
    )
    yield (
        "second-block-bad.pem",
        "A sound block, and one with a character that is not base64.",
        block + block.replace(lines[3], b"!" + lines[3][1:]),
        "pem",
    )


def build():
    """({name: content}, manifest): for each file the number of vouchers and the SHA-256 of each, or the error."""
    content, manifest = {}, []
    for name, description, data, vouchers in good():
        content[name] = data
        digests = [hashlib.sha256(one).hexdigest() for one in vouchers]
        manifest.append(
            {"file": name, "description": description, "vouchers": len(vouchers), "sha256": digests}
        )
    for name, description, data, error in bad():
        content[name] = data
        vouchers = 1 if name.startswith("second-block") else 0
        manifest.append({"file": name, "description": description, "vouchers": vouchers, "error": error})
    return content, manifest


def manifest_text(manifest):
    return json.dumps(manifest, indent=1) + "\n"
