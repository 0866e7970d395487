"""Vouchers that must verify together with what a policy compares them with: secret, owner, manufacturer, device path."""

import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import cbor, certs, keys, owner
from .suite import MAKER, Suite, draft, spki_of
from .valid import P384_DEVICE, SECRET_384
from .voucher import (
    SHA384,
    Draft,
    Hop,
)

suite = Suite(__file__)


def facts():
    suite.valid(
        "fact-hmac-sha256",
        "The device's secret confirms the header.",
        draft(1),
        hmac_secret=bytes(range(32)).hex(),
    )
    suite.valid(
        "fact-hmac-sha384",
        "The same with HMAC-SHA384 and a secret of 48 bytes.",
        draft(1, hash=SHA384, chain=P384_DEVICE, secret=SECRET_384),
        hmac_secret=SECRET_384.hex(),
    )
    for size in (16, 32, 64, 128, 200):
        secret = keys.stream("secret", size)
        suite.valid(
            f"fact-hmac-secret-{size}-bytes",
            "Any length from 16 bytes serves as HMAC key; past the block size it is hashed first (RFC 2104).",
            draft(0, secret=secret),
            hmac_secret=secret.hex(),
        )
    suite.valid(
        "fact-owner", "The last entry names the expected owner.", draft(2), owner=spki_of("p256-owner-b")
    )
    suite.valid(
        "fact-owner-0-entries",
        "Without entries the manufacturer is the owner.",
        draft(0),
        owner=spki_of("p256-maker"),
    )
    suite.valid(
        "fact-owner-as-x5chain",
        "Owners are compared as keys: X5CHAIN in the voucher, SubjectPublicKeyInfo outside.",
        Draft(MAKER, [Hop(owner.x5chain("p256-owner-a"))]),
        [("key-mix", 0)],
        owner=spki_of("p256-owner-a"),
    )
    suite.valid(
        "fact-owner-as-cosekey",
        "The same with COSEKEY.",
        Draft(MAKER, [Hop(owner.cosekey("p256-short-x"))]),
        [("key-mix", 0)],
        owner=spki_of("p256-short-x"),
    )
    suite.valid(
        "fact-owner-as-crypto",
        "The same with an RSA key as modulus and exponent.",
        Draft(owner.x509("rsa2048-maker"), [Hop(owner.crypto("rsa2048-owner-a"))]),
        [("key-mix", 0)],
        owner=spki_of("rsa2048-owner-a"),
    )
    suite.valid(
        "fact-manufacturer",
        "The header names the expected manufacturer.",
        draft(2),
        manufacturer=spki_of("p256-maker"),
    )
    for name in ("sha256", "sha384"):
        suite.valid(
            f"fact-manufacturer-hash-{name}",
            f"{name} over the CBOR PublicKey of the header, as a device credential holds it.",
            draft(1),
            manufacturer_hash=hashlib.new(name, MAKER.item).hexdigest(),
        )
        suite.valid(
            f"fact-manufacturer-hash-{name}-of-spki",
            f"{name} over the SubjectPublicKeyInfo, as the devices of pri-fidoiot hold it.",
            draft(1),
            manufacturer_hash=hashlib.new(name, MAKER.key.spki()).hexdigest(),
        )
    for entries in (0, 3):
        suite.valid(
            f"fact-everything-{entries}-entries",
            "Secret, owner, manufacturer, its hash and the device CA at once.",
            draft(entries),
            hmac_secret=bytes(range(32)).hex(),
            owner=spki_of("p256-owner-c" if entries else "p256-maker"),
            manufacturer=spki_of("p256-maker"),
            manufacturer_hash=hashlib.sha256(MAKER.item).hexdigest(),
            device_ca=[certs.device_ca().hex()],
            at="2026-06-01T00:00:00Z",
        )


def device_chains():
    ca, when = [certs.device_ca().hex()], "2026-06-01T00:00:00Z"
    suite.valid("device-path", "The chain leads to a given device CA.", draft(1), device_ca=ca, at=when)
    suite.valid("device-path-without-time", "The same without a point of time.", draft(1), device_ca=ca)
    suite.valid(
        "device-path-several-cas",
        "The right device CA is the second of three.",
        draft(1),
        device_ca=[certs.device_ca("p256", "Other").hex(), *ca, certs.device_ca("p384", "Third").hex()],
        at=when,
    )
    suite.valid(
        "device-path-leaf-only",
        "The chain holds the leaf alone; the given CA signed it.",
        draft(1, chain=certs.device_chain()[:1]),
        device_ca=ca,
        at=when,
    )
    suite.valid(
        "device-certificate-expired",
        "The device certificate expired before the given time. Vouchers outlive certificates: a remark, no error.",
        draft(1, chain=certs.device_chain(not_before="20200101000000", not_after="20201231235959")),
        device_ca=ca,
        at=when,
    )
    suite.valid(
        "device-certificate-not-yet-valid",
        "The device certificate becomes valid after the given time: a remark, no error.",
        draft(1, chain=certs.device_chain(not_before="20400101000000")),
        device_ca=ca,
        at=when,
    )
    year = certs.device_chain(not_before="20250101000000", not_after="20251231235959")
    for name, moment in (("first", "2025-01-01T00:00:00Z"), ("last", "2025-12-31T23:59:59Z")):
        suite.valid(
            f"device-certificate-{name}-second",
            "The first and the last second belong to the validity (RFC 5280 section 4.1.2.5); expiry is an error.",
            draft(1, chain=year),
            device_ca=ca,
            at=moment,
            refuse_expired=True,
        )
    second = certs.device_chain(not_before="20250101000000", not_after="20250101000000")
    suite.valid(
        "device-certificate-one-second",
        "A device certificate that was valid for one second, and no time is given.",
        draft(1, chain=second),
        device_ca=ca,
    )
    suite.valid(
        "device-certificate-refuse-expired-without-time",
        "Expired certificates shall be refused, and no time is given: nothing is expired.",
        draft(1, chain=year),
        device_ca=ca,
        refuse_expired=True,
    )
    for kind, ca_kind in (("p384", "p384"), ("rsa2048", "p256"), ("p256", "rsa2048")):
        chain = certs.device_chain(kind, ca_kind=ca_kind)
        suite.valid(
            f"device-{kind}-signed-by-{ca_kind}",
            "Another kind of device key or CA key.",
            draft(1, chain=chain, hash=SHA384 if kind == "p384" else -16),
            device_ca=[chain[-1].hex()],
            at=when,
        )
    chain = long_chain(7)
    suite.valid(
        "device-chain-7-certificates",
        "Five intermediates, as Intel OnDie has them.",
        draft(1, chain=chain),
        device_ca=[chain[-1].hex()],
        at=when,
    )
    suite.valid(
        "device-chain-3-certificates",
        "One intermediate.",
        draft(1, chain=long_chain(3)),
        device_ca=[long_chain(3)[-1].hex()],
        at=when,
    )
    suite.valid(
        "device-chain-16-certificates",
        "As many certificates as the default limit allows.",
        draft(1, chain=long_chain(16)),
    )
    suite.valid(
        "device-chain-not-certificates",
        "The chain is only hashed unless a path is asked for: what cannot be read as a certificate is a remark.",
        draft(1, chain=[b"not a certificate", b"nor this"]),
        [("certificate-malformed", None)] * 2,
    )
    suite.valid(
        "device-chain-second-no-certificate",
        "The second item of the chain is no certificate.",
        draft(1, chain=[certs.device_chain()[0], b"not a certificate"]),
        [("certificate-malformed", None)],
    )
    p521 = ec.derive_private_key(7, ec.SECP521R1()).public_key()
    p521 = p521.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ca_key, leaf_key = keys.get("p256-device-ca-maker"), keys.get("p256-device-maker-0001")
    for name, spki in {"p521": p521, "ed25519": keys.get("ed25519-owner-a").spki()}.items():
        suite.valid(
            f"device-key-{name}",
            "The device certificate holds a key that FDO 1.1 does not have.",
            draft(
                1,
                chain=[
                    certs.certificate("Device 0001", leaf_key, "Maker device CA", ca_key, spki=spki),
                    certs.device_ca(),
                ],
            ),
            [("device-key", None)],
        )
    suite.valid(
        "device-chain-broken",
        "The second certificate did not sign the first: a remark as long as no path is asked for.",
        draft(1, chain=[certs.device_chain()[0], certs.device_ca("p256", "Other")]),
    )
    odd = "A remark as long as no path is asked for; the strict profile refuses it."
    for name, chain in {
        "authority": [certs.device_ca()],
        "root-first": certs.device_chain()[::-1],
        "version-1": [
            certs.certificate("Device 0001", leaf_key, "Maker device CA", ca_key, version=1),
            certs.device_ca(),
        ],
    }.items():
        suite.valid(f"device-chain-{name}", odd, draft(1, chain=chain))
    suite.valid(
        "device-chain-null",
        "An EPID device: chain and chain hash are both null.",
        draft(2, chain_item=cbor.NULL, chain_hash=lambda _: cbor.NULL),
    )


def long_chain(length, **middle):
    """A device chain with length - 2 intermediates; `middle` are options of the first of them."""
    names = [f"p256-device-long-{number}" for number in range(length)]
    chain = []
    for number, name in enumerate(names):
        issuer = min(number + 1, length - 1)
        chain.append(
            certs.certificate(
                f"Level {number}",
                keys.get(name),
                f"Level {issuer}",
                keys.get(names[issuer]),
                ca=number > 0,
                **(middle if number == 1 else {}),
            )
        )
    return chain


for group in (facts, device_chains):
    group()
