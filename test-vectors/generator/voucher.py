"""A voucher builder in which every layer can be replaced.

Layers are built from the inside out, and each hook gets the finished bytes of its layer. Hashes and
signatures are made after the hooks of the layers they cover, so a mutation inside signed bytes is
signed by the right key: only the rule under test can refuse it. A hook on `signature`, `items` or
`entry` works on what nobody signs.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Callable, Optional

from . import cbor, certs
from .owner import Owner

SHA256, SHA384, HMAC_SHA256, HMAC_SHA384 = -16, -43, 5, 6
NAMES = {SHA256: "sha256", SHA384: "sha384", HMAC_SHA256: "sha256", HMAC_SHA384: "sha384"}
FDO20_AAD = bytes.fromhex("816e46444f2d4f56456e7472792d7631")


def keep(value):
    return value


def digest(code, message):
    return hashlib.new(NAMES[code], message).digest()


def hash_item(code, value, width=None):
    """Hash = [code, value]."""
    return cbor.array([cbor.integer(code), cbor.bstr(value)], width)


def hashed(code):
    """A function from the bytes to hash to the Hash item."""
    return lambda message: hash_item(code, digest(code, message))


def instruction(variable, value=None):
    """RendezvousInstr; `value` is encoded and gets wrapped in a byte string."""
    return cbor.array([cbor.integer(variable)] + ([] if value is None else [cbor.bstr(value)]))


def directive(*instructions):
    return cbor.array(instructions)


RENDEZVOUS = cbor.array(
    [
        directive(
            instruction(5, cbor.tstr("rv.example.com")),
            instruction(3, cbor.integer(8443)),
            instruction(12, cbor.integer(2)),
            instruction(4, cbor.integer(8443)),
        )
    ]
)


@dataclass
class Hop:
    """One entry: the next owner and how the entry says so."""

    owner: Owner
    signer: Optional[Owner] = None  # the previous owner, unless somebody else signs
    hash: Optional[int] = None  # hash code; that of the voucher by default
    previous: Optional[Callable] = None  # bytes to hash -> Hash item
    info: Optional[Callable] = None  # bytes to hash -> Hash item
    extra: bytes = cbor.NULL
    payload_items: Callable = keep  # list of four items -> list
    payload: Optional[bytes] = None  # in place of the whole content of the payload
    payload_content: Callable = keep  # content of the payload's byte string, before signing
    payload_item: Callable = cbor.bstr  # content -> item
    alg: Optional[int] = None
    protected: Optional[bytes] = None  # content of the protected header
    protected_item: Callable = cbor.bstr
    unprotected: bytes = cbor.EMPTY_MAP
    aad: bytes = b""
    sign: Optional[Callable] = None  # (key, message) -> signature
    signature: Callable = keep
    signature_item: Callable = cbor.bstr
    items: Callable = keep  # list of the four items of the COSE_Sign1
    entry: Callable = lambda items: cbor.tag(18, cbor.array(items))


@dataclass
class Draft:
    """Everything about a voucher before it becomes bytes."""

    maker: Owner
    hops: list = field(default_factory=list)
    hash: int = SHA256
    guid: bytes = bytes.fromhex("3f1c6a0e5b7d4c2f9a8e01d2c3b4a596")
    version: bytes = cbor.integer(101)
    header_version: bytes = cbor.integer(101)
    rendezvous: bytes = RENDEZVOUS
    device_info: str = "Gateway GW-100"
    device_info_item: Optional[bytes] = None
    chain: Optional[list] = None  # DER certificates
    chain_item: Optional[bytes] = None
    chain_hash_over: Optional[bytes] = None  # bytes under the chain hash
    chain_hash: Optional[Callable] = None
    secret: bytes = bytes(range(32))
    mac: Optional[Callable] = None  # header -> HMac item
    header_items: Callable = keep
    header_content: Callable = keep
    header_item: Callable = cbor.bstr
    entries: Callable = keep  # list of encoded entries -> list
    entries_item: Callable = cbor.array
    items: Callable = keep  # list of the five items of the voucher
    whole: Callable = cbor.array


class Built:
    """The bytes of a voucher, and those of its parts."""

    def __init__(self, draft):
        self.draft = draft
        text = draft.device_info.encode() if isinstance(draft.device_info, str) else draft.device_info
        self.info = draft.guid + text
        chain = certs.device_chain() if draft.chain is None else draft.chain
        chain_item = cbor.array(map(cbor.bstr, chain)) if draft.chain_item is None else draft.chain_item
        over = b"".join(chain) if draft.chain_hash_over is None else draft.chain_hash_over
        self.header = draft.header_content(
            cbor.array(
                draft.header_items(
                    [
                        draft.header_version,
                        cbor.bstr(draft.guid),
                        draft.rendezvous,
                        cbor.tstr(text) if draft.device_info_item is None else draft.device_info_item,
                        draft.maker.item,
                        (draft.chain_hash or hashed(draft.hash))(over),
                    ]
                )
            )
        )
        self.mac = (draft.mac or self._mac)(self.header)
        self.entries = []
        signer, previous = draft.maker, self.header + self.mac
        for hop in draft.hops:
            entry = self._entry(hop, signer, previous)
            self.entries.append(entry)
            signer, previous = hop.owner, entry
        self.owner = signer
        self.entries = draft.entries(self.entries)
        self.bytes = draft.whole(
            draft.items(
                [
                    draft.version,
                    draft.header_item(self.header),
                    self.mac,
                    chain_item,
                    draft.entries_item(self.entries),
                ]
            )
        )

    def _mac(self, header):
        code = HMAC_SHA384 if self.draft.hash == SHA384 else HMAC_SHA256
        return mac_item(self.draft.secret, code)(header)

    def _entry(self, hop, signer, previous):
        code = self.draft.hash if hop.hash is None else hop.hash
        signer = hop.signer or signer
        if hop.payload is None:
            items = [
                (hop.previous or hashed(code))(previous),
                (hop.info or hashed(code))(self.info),
                hop.extra,
                hop.owner.item,
            ]
            content = hop.payload_content(cbor.array(hop.payload_items(items)))
        else:
            content = hop.payload
        alg = signer.alg if hop.alg is None else hop.alg
        protected = hop.protected
        if protected is None:
            protected = cbor.mapping([(cbor.integer(1), cbor.integer(alg))])
        message = signature_input(protected, content, hop.aad)
        signature = (hop.sign or (lambda key, message: key.sign(signer.alg, message)))(signer.key, message)
        return hop.entry(
            hop.items(
                [
                    hop.protected_item(protected),
                    hop.unprotected,
                    hop.payload_item(content),
                    hop.signature_item(hop.signature(signature)),
                ]
            )
        )


def signature_input(protected, payload, aad=b""):
    """Sig_structure of RFC 9052 section 4.4."""
    return cbor.array([cbor.tstr("Signature1"), cbor.bstr(protected), cbor.bstr(aad), cbor.bstr(payload)])


def mac_item(secret, code):
    return lambda header: hash_item(code, hmac.digest(secret, header, NAMES[code]))
