"""Vouchers of SDO 1.x, put together from texts: what is hashed and signed is the text itself.

A `Draft` says what is in a voucher, `Built` is its text. Each oddity is one field, and whatever comes after
it is hashed and signed over it, unless the field is one of `after`, which changes the finished text.
"""

import base64
import dataclasses
import hashlib
import hmac
import re

from . import certs, der, keys

HASHES = {"sha256": 8, "sha384": 14, "sha512": 10}
NULL_KEY = "[0,0,[0]]"
SECRET = keys.stream("sdo secret", 32)
GUID = keys.stream("sdo guid", 16)
RENDEZVOUS = '[1,[4,{"dn":"rv.example.net","po":8040,"pow":8040,"pr":"http"}]]'
MAKER = "p256-sdo-maker"
OWNERS = ["p256-sdo-owner-a", "p256-sdo-owner-b", "p256-sdo-owner-c"]


def b64(data):
    return f'"{base64.b64encode(data).decode()}"'


def escaped(text):
    """A string in the one form that the format has."""
    plain = re.compile(r'[^"\\\[\]{}&\x00-\x1f\x7f-\U0010ffff]')
    units = lambda c: c.encode("utf-16-be").hex()
    escape = lambda c: "".join(f"\\u{units(c)[at : at + 4]}" for at in range(0, len(units(c)), 4))
    return '"' + "".join(c if plain.fullmatch(c) else escape(c) for c in text) + '"'


def sized(data, stated=None):
    """length, base64"""
    return f"{len(data) if stated is None else stated},{b64(data)}"


def hash_item(name, value, code=None, stated=None):
    stated = len(value) if stated is None else stated
    return f"[{stated},{HASHES[name] if code is None else code},{b64(value)}]"


def hashed(name, *texts):
    """The hash item over texts one after the other."""
    return hash_item(name, digest(name, *texts))


def digest(name, *texts):
    return hashlib.new(name, "".join(texts).encode("utf-8", "surrogatepass")).digest()


def positive(number):
    """The least bytes of a positive number in two's complement."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


TYPES = {"p256": 13, "p384": 14, "rsa2048": 1, "rsa3072": 4, "rsa1024": 1, "rsa2048e3": 1}


def x509_key(name, code=None, der=None, stated=None):
    """A key as SubjectPublicKeyInfo."""
    key = keys.get(name)
    body = sized(der if der is not None else key.spki(), stated)
    return f"[{TYPES[key.kind] if code is None else code},1,[{body}]]"


def modulus_key(name, code=None, modulus=None, exponent=None):
    """An RSA key as modulus and exponent."""
    key = keys.get(name)
    modulus = positive(key.modulus) if modulus is None else modulus
    exponent = positive(key.exponent) if exponent is None else exponent
    code = TYPES[key.kind] if code is None else code
    return f"[{code},3,[{sized(modulus)},{sized(exponent)}]]"


def key_text(name):
    return modulus_key(name) if keys.get(name).is_rsa else x509_key(name)


def signature(name, message, hash_name=None):
    """DER for ECDSA, PKCS #1 v1.5 for RSA."""
    key = keys.get(name)
    if key.is_rsa:
        hash_name = hash_name or ("sha384" if key.size == 384 else "sha256")
        return key.rsa_raw(keys.pkcs1(message, hash_name, key.size))
    r, s = key.ecdsa(message, hash_name or {"p256": "sha256", "p384": "sha384"}[key.kind])
    return der.seq(der.integer(r), der.integer(s))


@dataclasses.dataclass
class Hop:
    """An entry. Functions get what would be there and return what is."""

    owner: str
    pk: str = None
    signer: str = None
    hp: object = None
    hc: object = None
    hash: str = None
    info_hash: str = None
    body: object = None
    message: object = None
    sign: object = None
    sg: object = None
    outer: str = NULL_KEY
    entry: object = None


def plain(text):
    return text


@dataclasses.dataclass
class Draft:
    maker: str = MAKER
    hops: list = dataclasses.field(default_factory=list)
    pv: object = 113
    pe: object = None
    r: str = RENDEZVOUS
    g: str = None
    d: str = '"SDO Example Device"'
    pk: str = None
    chain: list = None
    dc: str = None
    hdc: object = None
    hash: str = "sha256"
    mac_hash: str = "sha256"
    hmac: object = None
    secret: bytes = SECRET
    sz: object = None
    header: object = plain
    members: object = plain
    after: object = plain


def device_chain(kind="p256", **leaf):
    return certs.device_chain(kind, "Sdo", **leaf)


def dc_text(chain, count=None, code=1, item=None):
    item = item or (lambda number, der: f"[{sized(der)}]")
    items = ",".join(item(number, der) for number, der in enumerate(chain))
    return f"[{code},{len(chain) if count is None else count},[{items}]]"


def mac(text, name="sha256", code=None, secret=SECRET):
    """The HMAC item over a text."""
    value = hmac.digest(secret, text.encode("utf-8", "surrogatepass"), name)
    return hash_item(name, value, HASHES[name] + 100 if code is None else code)


class Built:
    """The text of a voucher."""

    def __init__(self, draft):
        self.draft = draft
        chain = device_chain() if draft.chain is None else draft.chain
        dc = draft.dc if draft.dc is not None else dc_text(chain) if chain else None
        guid = draft.g or b64(GUID)
        maker = draft.pk or key_text(draft.maker)
        pe = draft.pe or (3 if keys.get(draft.maker).is_rsa else 1)
        self.header_members = [
            ("pv", f"{draft.pv}"),
            ("pe", f"{pe}"),
            ("r", draft.r),
            ("g", guid),
            ("d", draft.d),
            ("pk", maker),
        ]
        if draft.hdc != "" and (dc or draft.hdc):
            hdc = hashed(draft.hash, dc or "")
            self.header_members.append(("hdc", draft.hdc(chain, dc) if draft.hdc else hdc))
        self.oh = draft.header(self._object(self.header_members))
        self.mac = mac(self.oh, draft.mac_hash, secret=draft.secret)
        self.hmac = draft.hmac(self) if draft.hmac else self.mac
        self.entries = []
        signer, before = draft.maker, (self.oh, self.hmac)
        for hop in draft.hops:
            entry, body = self._entry(draft, hop, signer, before, guid)
            self.entries.append(entry)
            signer, before = hop.owner, (body,)
        members = [
            ("sz", f"{len(draft.hops) if draft.sz is None else draft.sz}"),
            ("oh", self.oh),
            ("hmac", self.hmac),
            *([("dc", dc)] if dc else []),
            ("en", f"[{','.join(self.entries)}]"),
        ]
        self.members = draft.members(members)
        self.text = draft.after(self._object(self.members))

    def _object(self, members):
        return "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"

    def _entry(self, draft, hop, signer, before, guid):
        hash_name = hop.hash or draft.hash
        hp = hashed(hash_name, *before)
        hc = hashed(hop.info_hash or hash_name, guid, draft.d)
        hp = hop.hp(self, before) if hop.hp else hp
        hc = hop.hc(self, guid, draft.d) if hop.hc else hc
        pk = hop.pk or key_text(hop.owner)
        body = self._object([("hp", hp), ("hc", hc), ("pk", pk)])
        body = hop.body(body) if hop.body else body
        message = (hop.message(body) if hop.message else body).encode("utf-8", "surrogatepass")
        sign = hop.sign or signature
        made = sign(hop.signer or signer, message)
        sg = hop.sg(made) if hop.sg else f"[{sized(made)}]"
        entry = self._object([("bo", body), ("pk", hop.outer), ("sg", sg)])
        return (hop.entry(entry) if hop.entry else entry), body


def hops(count=2, **at):
    """Entries to one owner after the other; `at` are fields of Hop for one number: n0, n1, …"""
    made = []
    for number in range(count):
        changes = dict(at.get(f"n{number}", {}))
        owner = changes.pop("owner", OWNERS[number % len(OWNERS)])
        made.append(Hop(owner, **changes))
    return made


def wrapped(text, kind=3, version=113, change=0):
    """The wrapper of the specification; its length includes itself."""
    rest = f'",{kind},{version},{text}]'
    length = len('["') + len(rest) + 4
    digits = f"{length + change:04x}" if length <= 0xFFFF else f"{length + change + 4:08x}"
    return f'["{digits}{rest}'
