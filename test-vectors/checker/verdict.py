"""The verdict on one voucher: structure, policy, chain hash, hash links, keys, signatures, facts; the first failure ends it."""

import hashlib
import hmac
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from . import der
from .cbor import Context, Reject
from .keys import sha256
from .voucher import Voucher

ALLOWANCES = {  # finding -> (allowance, error without it)
    "untagged-entry": ("legacy-untagged", "entry-untagged"),
    "key-type-label": ("key-type-label", "key-type-mismatch"),
    "experimental-key": ("experimental-keys", "experimental-key"),
    "legacy-chain-hash": ("legacy-chain-hash", "chain-hash-mismatch"),
    "fdo20-version": ("fdo-2.0", "unsupported-version"),
    "draft-aad": ("fdo-2.0-draft-aad", "signature-invalid"),
}
FDO20_AAD = b"\x81\x6eFDO-OVEntry-v1"


def check(data, options):
    """The verdict in the form of a vector's `expect`."""
    try:
        return _check(data, options)
    except Reject as error:
        return {"verdict": "rejected", "kind": error.kind, "entry": error.entry}


def _check(data, options):
    context, allowed, strict = Context(), options.get("allow", ()), options.get("strict", False)
    voucher = Voucher(data, context)
    hash_table = voucher.hash_table_departures()
    for _, kind, entry in sorted(context.findings + hash_table, key=lambda found: found[:2]):
        _policy(kind, entry, allowed, strict)
    _chain_hash(voucher, allowed, strict)
    before = voucher.header + voucher.mac.item
    for entry in voucher.entries:
        if not entry.previous.matches(before):
            raise Reject("previous-hash-mismatch", entry.number)
        if not entry.info.matches(voucher.guid + voucher.device_info):
            raise Reject("header-info-hash-mismatch", entry.number)
        before = entry.item
    for key in [voucher.maker, *(entry.key for entry in voucher.entries)]:
        key.check()
    for entry in voucher.entries:
        context.entry = entry.number
        if entry.verifies(FDO20_AAD if voucher.version >= 200 else b""):
            continue
        if voucher.version >= 200 or not entry.verifies(FDO20_AAD):
            context.reject("signature-invalid")
        _policy("draft-aad", entry.number, allowed, strict)
        context.note("draft-aad", entry.signature_at)
    _facts(voucher, options)
    if strict:
        _chains(voucher)
    return {
        "verdict": "verified",
        "guid": voucher.guid.hex(),
        "entries": len(voucher.entries),
        "owner": sha256(voucher.owner.spki()),
        "findings": [
            {"kind": kind, "entry": entry} for _, kind, entry in sorted(context.findings, key=lambda f: f[:2])
        ],
        "hash_table": bool(hash_table),
    }


def _policy(kind, entry, allowed, strict):
    allowance, error = ALLOWANCES.get(kind, (None, None))
    if allowance and allowance not in allowed:
        raise Reject(error, entry)
    if strict:
        raise Reject("deviation", entry)


def _chain_hash(voucher, allowed, strict):
    if not voucher.chain_hash or voucher.chain_hash.matches(b"".join(voucher.chain)):
        return
    if not voucher.chain_hash.matches(voucher.chain_item):
        raise Reject("chain-hash-mismatch")
    _policy("legacy-chain-hash", None, allowed, strict)
    voucher.context.entry = None
    voucher.context.note("legacy-chain-hash", voucher.chain_at)


def _facts(voucher, options):
    if "hmac_secret" in options:
        secret = bytes.fromhex(options["hmac_secret"])
        if len(secret) < 16:
            raise Reject("hmac-secret-short")
        if not hmac.compare_digest(hmac.digest(secret, voucher.header, voucher.mac.name), voucher.mac.value):
            raise Reject("hmac-mismatch")
    if "manufacturer" in options or "manufacturer_hash" in options:
        spki = voucher.maker.spki()
        wanted = bytes.fromhex(options.get("manufacturer_hash", ""))
        name = "sha384" if len(wanted) == 48 else "sha256"
        # Of the CBOR key, or as pri-fidoiot's devices have it, of the SubjectPublicKeyInfo.
        hashes_of_key = [hashlib.new(name, data).digest() for data in (voucher.maker.item, spki)]
        if spki.hex() != options.get("manufacturer") and wanted not in hashes_of_key:
            raise Reject("wrong-manufacturer")
    if "owner" in options and voucher.owner.spki().hex() != options["owner"]:
        raise Reject("wrong-owner", len(voucher.entries) - 1 if voucher.entries else None)
    if "device_ca" in options:
        roots = [der.Certificate(bytes.fromhex(root)) for root in options["device_ca"]]
        try:
            chain = [der.Certificate(certificate) for certificate in voucher.chain]
        except der.BadDer:
            raise Reject("device-path") from None
        # The certificate of the device comes first, and a CA is no device, whatever is trusted.
        if len(chain) > 1 and chain[1].issuer == chain[0].subject and voucher.chain[0] != voucher.chain[1]:
            raise Reject("chain-reversed")
        if chain and chain[0].is_ca:
            raise Reject("ca-as-leaf")
        path = _path(chain, roots) if chain else None
        if not path:
            raise Reject("device-path")
        at = re.sub("[^0-9Z]", "", options.get("at", ""))
        if (
            at
            and options.get("refuse_expired")
            and any(not one.not_before <= at <= one.not_after for one in path)
        ):
            raise Reject("certificate-time")


def _chains(voucher):
    """Under the strict profile each chain is one, whatever is trusted: version 3, leaf first, each signed by the next."""
    keys = [(None, voucher.maker.chain), *((entry.number, entry.key.chain) for entry in voucher.entries)]
    for entry, chain in [(None, voucher.chain), *keys]:
        try:
            chain = [der.Certificate(certificate) for certificate in chain]
        except der.BadDer:
            raise Reject("deviation", entry) from None
        for number, current in enumerate(chain):
            sound = current.version == 3 and current.algorithm is not None and current.is_ca == (number > 0)
            if not sound or number + 1 < len(chain) and not _signed_by(current, chain[number + 1]):
                raise Reject("deviation", entry)


def _path(chain, roots):
    """The certificates from the device up to the one that a root signed, each signed by the next; or None."""
    if chain[0].version != 3 or chain[0].usage is not None and not chain[0].usage & 0x80:
        return None
    for number, current in enumerate(chain):
        if any(_signed_by(current, root) for root in roots):
            return chain[: number + 1]
        if number + 1 == len(chain):
            return None
        following = chain[number + 1]
        if following.version != 3 or not following.is_ca or not _signed_by(current, following):
            return None
        if following.usage is not None and not following.usage & 0x04:
            return None
    return None


def _signed_by(certificate, issuer):
    if certificate.issuer != issuer.subject or certificate.algorithm is None:
        return False
    family, name = certificate.algorithm
    hashed = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[name]
    try:
        key = load_der_public_key(issuer.spki)
        if family == "rsa":
            key.verify(certificate.signature, certificate.signed, padding.PKCS1v15(), hashed)
        else:
            key.verify(certificate.signature, certificate.signed, ec.ECDSA(hashed))
    except Exception:  # any failure, also a key of the other family, or none
        return False
    return True
