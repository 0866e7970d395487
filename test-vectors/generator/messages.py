"""Builders for the messages of TO0, TO1 and TO2, the device credential and the proof of ownership.

Every layer can be replaced, as in voucher.py, and signatures are made after the hooks of what they
cover: a message that breaks a rule is signed by the right key all the same.
"""

import hashlib
import json
import pathlib

from . import cbor, certs, keys
from .voucher import HMAC_SHA256, HMAC_SHA384, NAMES, SHA256, SHA384, digest, hash_item, keep, signature_input

HELLO = bytes.fromhex("86195000") + b"TO2.HelloDevice: nothing looks into it"
NONCE_OV = bytes(range(0x10, 0x20))
NONCE_DV = bytes(range(0x20, 0x30))
NONCE_SETUP = bytes(range(0x30, 0x40))
NONCE_TO0 = bytes(range(0x40, 0x50))
NONCE_TO1 = bytes(range(0x50, 0x60))
KEY_EXCHANGE_A, KEY_EXCHANGE_B = b"xAKeyExchange", b"xBKeyExchange"
CHALLENGE_NONCE = bytes(range(0x60, 0x80))
CHALLENGE_CONTEXT = "ov-ownership-v1"
CHALLENGE_AAD = cbor.array([cbor.tstr(CHALLENGE_CONTEXT)])
CUPH_NONCE, CUPH_OWNER_KEY, EUPH_NONCE = 256, 257, -259
EAT_NONCE, EAT_UEID, EAT_FDO = 10, 256, -257


def pairs(*labels):
    """A map of integer labels to encoded values, in the order given."""
    return cbor.mapping((cbor.integer(label), value) for label, value in labels)


def sign1(
    signer,
    payload,
    *,
    alg=None,
    protected=None,
    unprotected=cbor.EMPTY_MAP,
    aad=b"",
    sign=None,
    signature=keep,
    items=keep,
    whole=lambda items: cbor.tag(18, cbor.array(items)),
):
    """A COSE_Sign1. `signer` has `key` and `alg`; `sign` signs in its place."""
    if protected is None:
        protected = pairs((1, cbor.integer(signer.alg if alg is None else alg)))
    made = (sign or signer.key.sign)(signer.alg, signature_input(protected, payload, aad))
    return whole(
        items([cbor.bstr(protected), unprotected, cbor.bstr(payload), cbor.bstr(signature(made))])
    )


class DeviceKey:
    """The key of a device certificate, with the algorithm that it signs with."""

    def __init__(self, name="p256-device-maker-0001", alg=None):
        self.key = keys.get(name)
        self.alg = alg or (keys.RS256 if self.key.is_rsa else {32: keys.ES256, 48: keys.ES384}[self.key.size])


def prove_ov_hdr(
    built,
    owner=None,
    *,
    count=None,
    hello=HELLO,
    hello_hash=None,
    nonce=NONCE_OV,
    mac=None,
    payload_items=keep,
    payload=keep,
    owner_item=None,
    labels=None,
    **options,
):
    """TO2.ProveOVHdr of the owner of that voucher."""
    owner = owner or built.owner
    code = SHA384 if built.draft.hash == SHA384 else SHA256
    items = [
        cbor.bstr(built.header),
        cbor.integer(len(built.entries)) if count is None else count,
        built.mac if mac is None else mac,
        cbor.bstr(nonce),
        cbor.array([cbor.integer(-7), cbor.bstr(b"")]),
        cbor.bstr(KEY_EXCHANGE_A),
        hash_item(code, digest(code, hello)) if hello_hash is None else hello_hash,
        cbor.integer(65535),
    ]
    if labels is None:
        labels = [
            (CUPH_NONCE, cbor.bstr(NONCE_DV)),
            (CUPH_OWNER_KEY, owner.item if owner_item is None else owner_item),
        ]
    return sign1(
        owner, payload(cbor.array(payload_items(items))), unprotected=pairs(*labels), **options
    )


def next_entry(entry, number):
    """TO2.OVNextEntry."""
    return cbor.array([cbor.integer(number), entry])


def run(built, **options):
    """The messages of a whole voucher: TO2.ProveOVHdr, then each entry."""
    entries = [next_entry(entry, number) for number, entry in enumerate(built.entries)]
    return [prove_ov_hdr(built, **options), *entries]


def ueid(guid):
    return b"\x01" + guid


def token(guid, nonce, fdo=None, ueid_label=EAT_UEID, claims=keep):
    """The payload of an entity attestation token."""
    labels = [(EAT_NONCE, cbor.bstr(nonce)), (ueid_label, cbor.bstr(ueid(guid)))]
    if fdo is not None:
        labels.append((EAT_FDO, fdo))
    return pairs(*claims(labels))


def prove_to_rv(guid, nonce=NONCE_TO1, device=None, fdo=None, token_options=None, **options):
    return sign1(device or DeviceKey(), token(guid, nonce, fdo, **(token_options or {})), **options)


def prove_device(
    guid,
    nonce=NONCE_DV,
    device=None,
    fdo=cbor.array([cbor.bstr(KEY_EXCHANGE_B)]),
    token_options=None,
    unprotected=pairs((EUPH_NONCE, cbor.bstr(NONCE_SETUP))),
    **options,
):
    payload = token(guid, nonce, fdo, **(token_options or {}))
    return sign1(device or DeviceKey(), payload, unprotected=unprotected, **options)


def setup_device(owner, rendezvous, guid, owner2_item, nonce=NONCE_SETUP, items_hook=keep, **options):
    items = [rendezvous, cbor.bstr(guid), cbor.bstr(nonce), owner2_item]
    return sign1(owner, cbor.array(items_hook(items)), **options)


def address(ip=None, dns=None, port=443, transport=5):
    """RVTO2Addr."""
    return cbor.array(
        [
            cbor.NULL if ip is None else cbor.bstr(ip),
            cbor.NULL if dns is None else cbor.tstr(dns),
            cbor.integer(port),
            cbor.integer(transport),
        ]
    )


ADDRESSES = [address(dns="owner.example.com"), address(ip=bytes([192, 0, 2, 1]), port=8443, transport=3)]


def to0d(voucher, nonce=NONCE_TO0, wait=3600, items=keep):
    return cbor.array(items([voucher, cbor.integer(wait), cbor.bstr(nonce)]))


def to1d(owner, to0d_bytes, code=SHA256, addresses=None, to0d_hash=None, items_hook=keep, **options):
    items = [
        cbor.array(ADDRESSES if addresses is None else addresses),
        hash_item(code, digest(code, to0d_bytes)) if to0d_hash is None else to0d_hash,
    ]
    return sign1(owner, cbor.array(items_hook(items)), **options)


def owner_sign(to0d_bytes, to1d_bytes):
    return cbor.array([cbor.bstr(to0d_bytes), to1d_bytes])


def state(built):
    """The identity of a state of ownership: SHA-384 of the last payload, or of header and HMAC."""
    if not built.entries:
        return hashlib.sha384(built.header + built.mac).digest()
    return hashlib.sha384(payload_of(built.entries[-1])).digest()


def payload_of(entry):
    """The content of the payload of an entry in its plain form."""
    import cbor2

    return cbor2.loads(entry).value[2]


def challenge(built, verifier="market.example.com", nonce=CHALLENGE_NONCE, context=CHALLENGE_CONTEXT, items=keep):
    return cbor.array(
        items(
            [
                cbor.tstr(context),
                cbor.tstr(verifier),
                cbor.bstr(built.draft.guid),
                cbor.bstr(state(built)),
                cbor.bstr(nonce),
            ]
        )
    )


def proof(owner, challenge_bytes, aad=CHALLENGE_AAD, **options):
    return sign1(owner, challenge_bytes, aad=aad, **options)


def hmac_code(code):
    return HMAC_SHA384 if code == SHA384 else HMAC_SHA256


class Messages:
    """The cases of one module; they all go to messages/."""

    def __init__(self, source):
        self.source = f"generator/{pathlib.Path(source).name}"
        self.cases = []

    def accepted(self, check, name, description, given, **expect):
        self._add(check, name, description, given, {"verdict": "accepted"} | expect)

    def rejected(self, check, name, description, given, kind, entry=None):
        self._add(check, name, description, given, {"verdict": "rejected", "kind": kind, "entry": entry})

    def _add(self, check, name, description, given, expect):
        assert f"{check}-{name}" not in {case["name"] for case in self.cases}, name
        hexed = {key: _hex(value) for key, value in given.items()}
        self.cases.append(
            {
                "name": f"{check}-{name}",
                "description": description,
                "source": self.source,
                "check": check,
                "given": hexed,
                "expect": {key: _hex(value) for key, value in expect.items()},
            }
        )

    def files(self):
        return {f"{case['name']}.json": (json.dumps(case, indent=1) + "\n").encode() for case in self.cases}


def _hex(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [_hex(one) for one in value]
    return value


def owner_hash(owner):
    return hashlib.sha256(owner.key.spki()).hexdigest()


__all__ = [name for name in dir() if not name.startswith("__")]
