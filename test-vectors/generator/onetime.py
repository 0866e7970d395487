"""One-time owner keys: derivation, addresses and their text, vouchers sold to addresses.

Points are computed with plain integers and compared with the cryptography package; HKDF is that
package's; the text is Bech32m as BIP-350 describes it.
"""

import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import cbor, keys, owner, voucher
from .suite import MAKER

EXTRA_TYPE = -444_520_361
SALT = b"ownership-voucher one-time keys 1"
P, N = keys.PRIMES["p256"], keys.ORDERS["p256"]
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SECRETS = [bytes(range(start, start + 32)) for start in (0, 100, 200)]


def add(p, q):
    """The sum of two points; None is the identity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = 3 * (p[0] * p[0] - 1) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(number, point=G):
    total = None
    for bit in f"{number:b}":
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


def short(point):
    """33 bytes, SEC 1 section 2.3.3."""
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def hkdf(secret, *info, size=64):
    return HKDF(hashes.SHA512(), size, SALT, b"".join(info)).derive(secret)


def extra_bits(data, order=N):
    """FIPS 186-5 A.2.1."""
    return int.from_bytes(data, "big") % (order - 1) + 1


class OneTimeKey(keys.Key):
    """A key pair with a given secret, which stands in no file of keys."""

    def __init__(self, kind, secret):
        self.name, self.kind = "one-time", kind
        if kind == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
            self.raw = self.private.public_key().public_bytes_raw()
            return
        self.private = ec.derive_private_key(secret, keys.CURVES[kind][0])
        numbers = self.private.public_key().public_numbers()
        self.x, self.y, self.size = numbers.x, numbers.y, keys.CURVES[kind][1]
        assert kind != "p256" or (self.x, self.y) == times(secret)

    def owner(self):
        """Its PublicKey item, as a SubjectPublicKeyInfo."""
        type_ = owner.TYPES[self.kind]
        return owner.Owner(self, owner.public_key(type_, owner.X509, cbor.bstr(self.spki())), type_)


CURVE_NAMES = {"p256": b"P-256", "p384": b"P-384", "ed25519": b"Ed25519"}


def listed(secret, kind, order, index):
    """The key of that number in that order."""
    info = [b"owner\0", CURVE_NAMES[kind], b"\0", index.to_bytes(4, "big"), order.encode()]
    if kind == "ed25519":
        return OneTimeKey(kind, hkdf(secret, *info, size=32))
    return OneTimeKey(kind, extra_bits(hkdf(secret, *info), keys.ORDERS[kind]))


class Address:
    def __init__(self, secret, number=0):
        part = lambda purpose: extra_bits(hkdf(secret, purpose, b"\0P-256\0", number.to_bytes(4, "big")))
        self.a, self.b = part(b"scan"), part(b"spend")
        self.scan, self.spend = short(times(self.a)), short(times(self.b))

    @property
    def bytes(self):
        return self.scan + self.spend

    def text(self, **options):
        return bech32m("fdo", 0, self.bytes, **options)

    def scan_bytes(self):
        return self.a.to_bytes(32, "big") + self.spend

    def sell(self, guid, header, seed):
        """(E, one-time key) for a device."""
        device = guid + hashlib.sha256(header).digest()
        e = extra_bits(hkdf(seed, b"ephemeral\0P-256\0", self.bytes, device))
        ephemeral = short(times(e))
        shared = times(e * self.a % N)[0].to_bytes(32, "big")
        t = extra_bits(hkdf(shared, b"tweak\0P-256\0", ephemeral, self.bytes, device))
        assert times((self.b + t) % N) == add(times(self.b), times(t))
        return ephemeral, OneTimeKey("p256", (self.b + t) % N)


DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]


def remainder(symbols):
    check = 1
    for symbol in symbols:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ symbol
        for bit, term in enumerate(GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check


def bech32m(prefix, version, data, constant=0x2BC830A3, padding=0, more=()):
    """`padding` goes into the bits after the last byte, `more` are symbols after it."""
    number, size = int.from_bytes(data, "big"), 8 * len(data)
    spare = -size % 5
    number = number << spare | padding
    symbols = [version, *(number >> 5 * place & 31 for place in reversed(range((size + spare) // 5))), *more]
    head = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = remainder(head + symbols + [0] * 6) ^ constant
    symbols += [check >> 5 * place & 31 for place in reversed(range(6))]
    return prefix + "1" + "".join(DIGITS[symbol] for symbol in symbols)


def extra(ephemeral, label=EXTRA_TYPE):
    return cbor.bstr(cbor.mapping([(cbor.integer(label), cbor.bstr(ephemeral))]))


class Suite:
    def __init__(self):
        self.made = {}

    def add(self, check, name, description, given, **expect):
        name = f"{check}-{name}"
        assert f"{name}.json" not in self.made, name
        plain = lambda value: value.hex() if isinstance(value, bytes) else value
        plains = lambda values: {
            key: [plain(one) for one in value] if isinstance(value, list) else plain(value)
            for key, value in values.items()
        }
        case = {
            "name": name,
            "description": description,
            "source": f"generator/{pathlib.Path(__file__).name}",
            "check": check,
            "given": plains(given),
            "expect": plains(expect),
        }
        self.made[f"{name}.json"] = (json.dumps(case, indent=1, ensure_ascii=False) + "\n").encode()

    def files(self):
        return self.made


suite = Suite()

for kind in CURVE_NAMES:
    for number, (order, index) in enumerate(
        [("PO-2026-117", 0), ("PO-2026-117", 1), ("PO-2026-117", 2**32 - 1), ("", 7), ("ü" * 32, 256)]
    ):
        made = listed(SECRETS[number % 3], kind, order, index)
        given = {"secret": SECRETS[number % 3], "type": kind, "order": order, "index": index}
        suite.add("derive", f"{kind}-{number}", "a key of an order", given, spki=made.spki())

ADDRESSES = [Address(secret) for secret in SECRETS]
for number, secret in enumerate(SECRETS):
    for place in (0, 1, 2**32 - 1):
        made = Address(secret, place)
        suite.add(
            "address",
            f"{number}-{place}",
            "an address of a master secret",
            {"secret": secret, "number": place},
            text=made.text(),
            bytes=made.bytes,
            scan_key=made.scan_bytes(),
            spend_key=made.b.to_bytes(32, "big"),
        )

FIRST = ADDRESSES[0]


def text(name, description, value, kind=None):
    expect = {"bytes": FIRST.bytes} if kind is None else {"kind": kind}
    suite.add("text", name, description, {"text": value}, **expect)


def swapped(value):
    place = next(i for i in range(20, 60) if value[i] != value[i + 1])
    return value[:place] + value[place + 1] + value[place] + value[place + 2 :]


NEGATIVE = bytes([FIRST.scan[0] ^ 1]) + FIRST.scan[1:]
OFF_CURVE = next(
    b"\x02" + x.to_bytes(32, "big")
    for x in range(1, 100)
    if pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) == P - 1
)
text("lower", "lower case", FIRST.text())
text("upper", "upper case", FIRST.text().upper())
for name, description, value, kind in [
    ("mixed", "two cases", FIRST.text()[:50] + FIRST.text()[50:].upper(), "bad-argument"),
    ("bech32", "the checksum of Bech32", FIRST.text(constant=1), "bad-argument"),
    ("prefix", "another prefix", bech32m("fdp", 0, FIRST.bytes), "bad-argument"),
    ("longer-prefix", "a longer prefix", bech32m("fdo1", 0, FIRST.bytes), "bad-argument"),
    ("version-1", "a later version", bech32m("fdo", 1, FIRST.bytes), "bad-argument"),
    ("padding", "bits behind the last byte", FIRST.text(padding=1), "bad-argument"),
    ("symbol-more", "a symbol too many", FIRST.text(more=(0,)), "bad-argument"),
    ("swapped", "two characters exchanged", swapped(FIRST.text()), "bad-argument"),
    ("short", "cut off", FIRST.text()[:-1], "bad-argument"),
    ("prefix-alone", "a prefix and nothing", "fdo1", "bad-argument"),
    ("empty", "nothing", "", "bad-argument"),
    ("blank", "a blank behind", FIRST.text() + " ", "bad-argument"),
    ("long", "1024 characters", bech32m("fdo", 0, bytes(633)), "bad-argument"),
    ("65-bytes", "a byte too few", bech32m("fdo", 0, FIRST.bytes[:-1]), "point-encoding"),
    ("67-bytes", "a byte too many", bech32m("fdo", 0, FIRST.bytes + b"\0"), "point-encoding"),
    ("no-bytes", "no points", bech32m("fdo", 0, b""), "point-encoding"),
    ("off-curve", "a spend key off the curve", bech32m("fdo", 0, FIRST.scan + OFF_CURVE), "point-encoding"),
    ("past-field", "a coordinate past the field", bech32m("fdo", 0, FIRST.scan + b"\x02" + (P + 5).to_bytes(32, "big")), "point-encoding"),
    ("no-sign", "a point without the sign of its y", bech32m("fdo", 0, FIRST.scan + b"\x05" + FIRST.spend[1:]), "point-encoding"),
    ("identity", "the identity", bech32m("fdo", 0, FIRST.scan + bytes(33)), "point-encoding"),
    ("one-key", "one key twice", bech32m("fdo", 0, FIRST.scan * 2), "point-encoding"),
    ("one-key-negative", "a key and its negative", bech32m("fdo", 0, FIRST.scan + NEGATIVE), "point-encoding"),
]:
    text(name, description, value, kind)

CHAIN = {"chain_item": cbor.NULL, "chain_hash": lambda _: cbor.NULL}
SEEDS = [hashlib.sha256(b"seed %d" % number).digest() for number in range(3)]


def header_of(draft):
    return voucher.Built(draft).header


def hops(buyers, seeds, **changes):
    """Vouchers of none, one, two, ... entries, each sold to the next of these addresses."""
    draft = voucher.Draft(MAKER, **(CHAIN | changes))
    made, ephemerals, found = [voucher.Built(draft).bytes], [], []
    for buyer, seed in zip(buyers, seeds):
        ephemeral, key = buyer.sell(draft.guid, header_of(draft), seed)
        draft.hops.append(voucher.Hop(key.owner(), extra=extra(ephemeral)))
        made.append(voucher.Built(draft).bytes)
        ephemerals.append(ephemeral)
        found.append(key.spki())
    return made, ephemerals, found


VOUCHERS = []
for name, buyers, changes in [
    ("three-hops", [0, 1, 2], {}),
    ("to-myself", [0, 0, 0], {}),
    ("other-device", [0, 1], {"guid": bytes(range(16)), "device_info": "Sensor S-1"}),
    ("sha384", [2], {"hash": voucher.SHA384}),
]:
    made, ephemerals, found = hops([ADDRESSES[n] for n in buyers], SEEDS, **changes)
    VOUCHERS += made
    suite.add(
        "sell",
        name,
        "a voucher sold from address to address; the first owner is the maker",
        {
            "maker": MAKER.key.name,
            "secrets": [SECRETS[n] for n in buyers],
            "addresses": [ADDRESSES[n].text() for n in buyers],
            "seeds": SEEDS[: len(buyers)],
        },
        vouchers=made,
        ephemerals=ephemerals,
        owners=found,
    )

DRAFT = voucher.Draft(MAKER, **CHAIN)
E, SOLD = FIRST.sell(DRAFT.guid, header_of(DRAFT), SEEDS[0])
OTHER = voucher.Draft(MAKER, guid=bytes(range(16)), **CHAIN)
SAME_GUID = voucher.Draft(MAKER, device_info="Gateway GW-200", **CHAIN)
TWIN = OneTimeKey("p256", N - SOLD.private.private_numbers().private_value)


def foreign(name, description, key, extra_item, draft=DRAFT):
    """A voucher in which the scan key finds nothing."""
    hop = voucher.Hop(key.owner() if isinstance(key, keys.Key) else key, extra=extra_item)
    made = voucher.Built(voucher.Draft(**{**draft.__dict__, "hops": [hop]})).bytes
    VOUCHERS.append(made)
    suite.add("foreign", name, description, {"secret": SECRETS[0], "voucher": made})


foreign("no-extra", "the right key without the ephemeral key", SOLD, cbor.NULL)
foreign("other-label", "the ephemeral key under another type", SOLD, extra(E, EXTRA_TYPE - 1))
foreign("other-guid", "key and ephemeral key of another device", SOLD, extra(E), OTHER)
foreign("other-header", "key and ephemeral key of another header with the same GUID", SOLD, extra(E), SAME_GUID)
foreign("other-key", "another owner beside our ephemeral key", owner.x509("p256-owner-a"), extra(E))
foreign("negative-owner", "the negative of the one-time key", TWIN, extra(E))
foreign("p384", "an owner of P-384", owner.x509("p384-owner-a"), extra(E))
foreign("negative", "the negative of the ephemeral key", SOLD, extra(bytes([E[0] ^ 1]) + E[1:]))
foreign("short", "an ephemeral key of 32 bytes", SOLD, extra(E[:-1]))
foreign("long", "an ephemeral key of 34 bytes", SOLD, extra(E + b"\0"))
foreign("uncompressed", "the ephemeral key in 65 bytes", SOLD, extra(b"\x04" + b"".join(n.to_bytes(32, "big") for n in times(extra_bits(hkdf(SEEDS[0], b"ephemeral\0P-256\0", FIRST.bytes, DRAFT.guid + hashlib.sha256(header_of(DRAFT)).digest()))))))
foreign("no-sign", "the ephemeral key without the sign of its y", SOLD, extra(b"\x05" + E[1:]))
foreign("identity", "the identity", SOLD, extra(b"\0"))
foreign("off-curve", "an ephemeral key off the curve", SOLD, extra(OFF_CURVE))
foreign("other-address", "sold to somebody else", ADDRESSES[1].sell(DRAFT.guid, header_of(DRAFT), SEEDS[0])[1], extra(ADDRESSES[1].sell(DRAFT.guid, header_of(DRAFT), SEEDS[0])[0]))
