"""Vouchers of SDO under policies: secrets, credentials, owners, manufacturers, roots, lists, allowances."""

import hashlib

from . import certs, keys
from .sdo_suite import Suite
from .sdo_voucher import (
    GUID,
    MAKER,
    OWNERS,
    RENDEZVOUS,
    SECRET,
    Draft,
    b64,
    hashed,
    hops,
    key_text,
    mac,
)

suite = Suite(__file__)


def spki(name):
    return keys.get(name).spki().hex()


def digest(name):
    """A key as the rendezvous service named it."""
    return hashlib.sha256(keys.get(name).spki()).hexdigest().upper()


def two(**changes):
    return Draft(**({"hops": hops(2)} | changes))


# The secret of the device.
SECRETS = {"hmac_secret": SECRET.hex()}
suite.valid("hmac", "the HMAC under the secret", two(), proved=["hmac"], **SECRETS)
suite.valid("hmac-0", "an HMAC anchors a header that nobody signed", Draft(), proved=["hmac"], **SECRETS)
LONG = bytes(range(64))
suite.valid(
    "hmac-long-secret", "a secret of 64 bytes", two(secret=LONG), proved=["hmac"], hmac_secret=LONG.hex()
)
BRACES = two(hmac=lambda built: mac(f'{{"oh":{built.oh}}}'))
suite.invalid("hmac-braces", "an HMAC over member and braces", BRACES, "hmac-mismatch", **SECRETS)
suite.valid("hmac-braces-unseen", "the same, without the secret", BRACES)
OTHER = Draft(hmac=lambda built: mac("?"))
suite.invalid("hmac-other-0", "another HMAC, no entries", OTHER, "hmac-mismatch", **SECRETS)
suite.valid("hmac-other-0-unseen", "the same, without the secret", OTHER)
suite.invalid("hmac-wrong-secret", "the secret of another device", two(), "hmac-mismatch", hmac_secret="07" * 32)


def credential(state=3, secret=SECRET, d='"SDO Example Device"', pv=113, pe=1, g=GUID, r=RENDEZVOUS, **more):
    """The file of the Java client; `g` and `r` come in either order."""
    pkh = more.get("pkh", hashed("sha256", key_text(MAKER)))
    places = [f'"g":{b64(g)}', f'"r":{r}']
    places = ",".join(reversed(places) if more.get("r_first") else places)
    other = f'{{"pv":{pv},"pe":{pe},{places},"pkh":{pkh}}}'
    return f'{{"ST":{state},"Secret":{b64(secret)},"M":{{"d":{d}}},"O":{other}}}'


suite.valid("credential", "the credential of the device", two(), proved=["hmac"], credential=credential())
suite.valid(
    "credential-order", "r before g", two(), proved=["hmac"], credential=credential(r_first=True)
)
LAID_OUT = RENDEZVOUS.replace(",", ",\n  ")
assert LAID_OUT != RENDEZVOUS
suite.valid(
    "credential-white-space", "laid out anew", two(), proved=["hmac"], credential=credential(r=LAID_OUT)
)
for name, why, kind, changes in [
    ("secret", "another secret", "hmac-mismatch", {"secret": bytes(32)}),
    ("key", "the hash of another key", "wrong-manufacturer", {"pkh": hashed("sha256", key_text(OWNERS[0]))}),
    ("guid", "another GUID", "wrong-device", {"g": bytes(15) + b"\1"}),
    ("info", "another device info", "wrong-device", {"d": '"Other"'}),
    ("rendezvous", "another rendezvous info", "wrong-device", {"r": '[1,[1,{"dn":"other.example"}]]'}),
    ("version", "another protocol version", "wrong-device", {"pv": 112}),
    ("encoding", "another key encoding", "wrong-device", {"pe": 3}),
]:
    suite.invalid(f"credential-other-{name}", f"a credential with {why}", two(), kind, credential=credential(**changes))

# Manufacturer and owner.
suite.valid("maker", "the manufacturer's key", two(), proved=["manufacturer"], manufacturer=spki(MAKER))
suite.invalid("maker-other", "another manufacturer", two(), "wrong-manufacturer", manufacturer=spki(OWNERS[0]))
suite.valid("maker-0", "without entries the key of the manufacturer proves nothing", Draft(), manufacturer=spki(MAKER))
KEY_HASH = hashlib.sha256(key_text(MAKER).encode()).hexdigest()
suite.valid("maker-hash", "pkh: the hash of the text of the key", two(), proved=["manufacturer"], manufacturer_hash=KEY_HASH)
suite.valid(
    "maker-hash-spki",
    "the hash of its SubjectPublicKeyInfo",
    two(),
    proved=["manufacturer"],
    manufacturer_hash=digest(MAKER).lower(),
)
suite.invalid("maker-hash-other", "another hash", two(), "wrong-manufacturer", manufacturer_hash="00" * 32)
suite.valid("owner", "the owner", two(), proved=["owner"], owner=spki(OWNERS[1]))
suite.invalid("owner-earlier", "an earlier owner", two(), "wrong-owner", 1, owner=spki(OWNERS[0]))
suite.invalid("owner-0", "without entries the manufacturer is the owner", Draft(), "wrong-owner", owner=spki(OWNERS[0]))

# Roots for the device.
ROOT = certs.device_ca("p256", "Sdo").hex()
suite.valid("device-root", "the device's root", two(), proved=["device-path"], device_ca=[ROOT])
OTHER_ROOT = certs.device_ca("p256", "Other").hex()
suite.invalid("device-root-other", "another root", two(), "device-path", device_ca=[OTHER_ROOT])
suite.invalid("device-root-epid", "an EPID device has no path", two(chain=[]), "device-path", device_ca=[ROOT])

# Lists of the rendezvous service.
STRANGER = digest("p256-sdo-stranger")
suite.valid(
    "allow-maker",
    "the manufacturer is allowed",
    two(),
    proved=["manufacturer"],
    allow_list=f"{digest(MAKER)}\n{STRANGER}\n",
)
suite.valid(
    "allow-maker-1",
    "the manufacturer is allowed, and signed one entry",
    Draft(hops=hops(1)),
    proved=["manufacturer"],
    allow_list=digest(MAKER),
)
suite.valid("allow-maker-0", "the manufacturer is allowed, and signed nothing", Draft(), allow_list=digest(MAKER))
suite.valid("allow-owner", "one owner is allowed, which names no manufacturer", two(), allow_list=digest(OWNERS[0]))
suite.invalid("allow-none", "no key is allowed", two(), "key-not-allowed", allow_list=STRANGER)
suite.valid("deny-none", "other keys are denied", two(), deny_list=f"{STRANGER}\n{'00' * 16}\n")
suite.invalid("deny-maker", "the manufacturer is denied", two(), "key-not-allowed", deny_list=digest(MAKER))
suite.invalid("deny-owner", "the second owner is denied", two(), "key-not-allowed", 1, deny_list=digest(OWNERS[1]))
suite.invalid("deny-guid", "the device is denied", two(), "key-not-allowed", deny_list=GUID.hex())

# The strict profile refuses what is a finding otherwise, and the allowance reads what was reformatted.
suite.valid("strict", "nothing to find", two(), strict=True)
suite.invalid("strict-version", "an unknown version", two(pv=101), "deviation", strict=True)
MIXED = two(hops=hops(2, n1={"owner": "p384-sdo-owner-a"}))
suite.invalid("strict-key-mix", "a key of another type", MIXED, "deviation", 1, strict=True)
suite.valid("strict-0", "no entries is no deviation", Draft(), strict=True)


def pretty(text):
    """As a person lays JSON out, without touching strings."""
    parts = text.split('"')
    for at in range(0, len(parts), 2):
        parts[at] = parts[at].replace(",", ",\n  ").replace(":", ": ").replace("{", "{ ")
    return '"'.join(parts)


PRETTY = two(after=pretty)
WHITE = ("sdo-white-space", None)
suite.invalid("reformatted", "laid out for people", PRETTY, "chain-hash-mismatch")
suite.valid(
    "reformatted-allowed",
    "the same, with the allowance",
    PRETTY,
    [WHITE, ("sdo-reformatted", None)],
    reformatted=True,
)
suite.invalid(
    "reformatted-strict", "the strict profile overrules the allowance", PRETTY, "deviation", reformatted=True, strict=True
)
suite.valid(
    "reformatted-unneeded",
    "white space outside of what is hashed needs no allowance, and gets no remark of one",
    two(after=lambda text: text.replace(',"en":', ' , "en" :')),
    [WHITE],
    reformatted=True,
)
# Nothing but the HMAC covers the header here.
ALONE = {"chain": [], "mac_hash": "sha256"}
ACCEPTED = [WHITE, ("sdo-reformatted", None)]
LAID_OUT = {"hmac_secret": SECRET.hex(), "reformatted": True}
suite.valid(
    "reformatted-hmac",
    "laid out, and the HMAC fits without the white space",
    Draft(**ALONE, after=pretty),
    ACCEPTED,
    proved=["hmac"],
    **LAID_OUT,
)
suite.invalid(
    "reformatted-hmac-other",
    "laid out, and the HMAC fits neither text",
    Draft(**ALONE, after=lambda text: pretty(text.replace("rv.example", "rw.example"))),
    "hmac-mismatch",
    **LAID_OUT,
)
suite.valid(
    "reformatted-not-hmac",
    "white space that the HMAC covers, without certificates",
    Draft(**ALONE, header=lambda oh: oh.replace("{", "{ ", 1)),
    [WHITE],
    proved=["hmac"],
    **LAID_OUT,
)
suite.valid(
    "reformatted-not-chain",
    "white space that the HMAC covers, with certificates whose hash holds in either way",
    Draft(header=lambda oh: oh.replace("{", "{ ", 1)),
    [WHITE],
    proved=["hmac"],
    **LAID_OUT,
)
suite.invalid(
    "reformatted-owner",
    "laid out, and sold to somebody else",
    PRETTY,
    "wrong-owner",
    1,
    reformatted=True,
    owner=keys.get("p256-sdo-stranger").spki().hex(),
)
suite.invalid(
    "reformatted-edited",
    "laid out, and edited",
    two(after=lambda text: pretty(text.replace("rv.example", "rw.example"))),
    "chain-hash-mismatch",
    reformatted=True,
)
