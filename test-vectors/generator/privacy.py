"""What vouchers tell and what links them: expected from what is put into them here, item by item.

`Teller` builds a voucher and writes down at the same time what each part of it tells, in the order of the
bytes. Names, dates and serial numbers of certificates are read by the `cryptography` package.
"""

import hashlib
import ipaddress
import json

from checker.disclosed import certificate

from . import cbor, certs, keys, owner
from .suite import MAKER, OWNERS
from .voucher import Built, Draft, Hop, directive, hash_item, instruction

ONE_TIME_TYPE = -444520361
# What each rendezvous variable is called in a report: kind, and whether the name stands before the value.
VARIABLES = {
    0: ("rendezvous-setting", "RVDevOnly"),
    1: ("rendezvous-setting", "RVOwnerOnly"),
    2: ("rendezvous-address", None),
    3: ("rendezvous-port", "RVDevPort"),
    4: ("rendezvous-port", "RVOwnerPort"),
    5: ("rendezvous-name", None),
    6: ("server-certificate", None),
    7: ("client-certificate", None),
    8: ("user-input", None),
    9: ("wifi-name", None),
    10: ("wifi-password", None),
    11: ("rendezvous-setting", "RVMedium"),
    12: ("rendezvous-setting", "RVProtocol"),
    13: ("rendezvous-setting", "RVDelaysec"),
    14: ("rendezvous-setting", "RVBypass"),
    15: ("rendezvous-other", "RVExtRV"),
}


def fingerprint(one):
    return hashlib.sha256(one.key.spki()).hexdigest()


def tell(kind, value="", entry=None):
    return {"kind": kind, "entry": entry, "value": value}


def encoded(variable, value):
    """A rendezvous value and how it is shown."""
    if variable == 2:
        return cbor.bstr(value), str(ipaddress.ip_address(value))
    if value is True or value is False:
        return (b"\xf5" if value else b"\xf4"), str(value).lower()
    if isinstance(value, int):
        return cbor.integer(value), str(value)
    if isinstance(value, str):
        return cbor.tstr(value), value
    return value, value.hex()


class Teller:
    """One voucher and what it tells."""

    def __init__(self, rendezvous, info, *, serial_like=False, made_guid=False, maker=MAKER, **changes):
        self.told = []
        self.password = None
        guid = changes.get("guid", Draft.guid)
        self.told.append(tell("guid", guid.hex()))
        if made_guid:
            self.told.append(tell("guid-not-random", guid.hex()))
        directives = []
        for group in rendezvous:
            instructions = []
            for variable, *value in group:
                kind, name = VARIABLES.get(variable, ("rendezvous-other", str(variable)))
                item, shown = encoded(variable, value[0]) if value else (None, "")
                if kind == "wifi-password":
                    self.password, shown = shown, ""
                if kind == "rendezvous-other":
                    shown = f"{len(item)} bytes withheld"
                instructions.append(instruction(variable, item))
                self.told.append(tell(kind, f"{name} {shown}".strip() if name else shown))
            directives.append(directive(*instructions))
        self.told.append(tell("device-info-serial" if serial_like else "device-info", info))
        self.told.append(tell("manufacturer-key", fingerprint(maker)))
        self._chain(maker, None)
        changes["rendezvous"] = cbor.array(directives)
        self.draft = Draft(maker, [], device_info=info, **changes)
        chain = certs.device_chain() if self.draft.chain is None else self.draft.chain
        for number, der in enumerate(chain if self.draft.chain_item is None else []):
            subject, issuer, serial, date = certificate(der)
            if number == 0:
                self.told.append(tell("device-certificate", hashlib.sha256(der).hexdigest()))
                if subject:
                    self.told.append(tell("device-certificate-name", subject))
                self.told.append(tell("device-certificate-serial", serial))
                self.told.append(tell("device-certificate-date", date))
            if issuer and issuer != subject:
                self.told.append(tell("device-issuer", issuer))
        self.entries = []
        self.seen = {fingerprint(maker)}

    def _chain(self, who, entry):
        """What the certificates of a key tell; `who.chain` is set by `chained`."""
        chain, told = getattr(who, "chain", []), []
        for number, der in enumerate(chain):
            subject, issuer, serial, _ = certificate(der)
            if entry is not None and number == 0:
                told.append(tell("owner-certificate", serial, entry))
            if subject:
                told.append(tell("manufacturer-name" if entry is None else "owner-name", subject, entry))
            if entry is not None and number == len(chain) - 1 and issuer and issuer != subject:
                told.append(tell("owner-issuer", issuer, entry))
        (self.told if entry is None else self.entries[-1]).extend(told)

    def hop(self, who, extra=(), **changes):
        """One more entry; `extra` are pairs of type and bytes, `header` fields that FDO does not ask for."""
        number = len(self.entries)
        told = []
        if changes.pop("unprotected_label", False):
            changes["unprotected"] = cbor.mapping([(cbor.integer(-70000), cbor.tstr("Lot 7"))])
            told.append(tell("header-data", "unprotected", number))
        for label, value in extra:
            one_time = label == ONE_TIME_TYPE and len(value) == 33
            kind = "extra-one-time" if one_time else "extra-data"
            told.append(tell(kind, f"type {label}, {len(value)} bytes", number))
        if extra:
            pairs = [(cbor.integer(label), cbor.bstr(value)) for label, value in extra]
            changes["extra"] = cbor.bstr(cbor.mapping(pairs))
        told.append(tell("current-owner", fingerprint(who), number))
        if fingerprint(who) in self.seen:
            told.append(tell("repeated-owner", fingerprint(who), number))
        self.seen.add(fingerprint(who))
        if self.entries:
            before = next(one for one in self.entries[-1] if one["kind"] == "current-owner")
            before["kind"] = "earlier-owner"
        self.entries.append(told)
        self._chain(who, number)
        self.draft.hops.append(Hop(who, **changes))
        return self

    def bytes(self):
        return Built(self.draft).bytes

    def disclosures(self):
        count = tell("entry-count", str(len(self.entries)))
        return [*self.told, count, *(one for entry in self.entries for one in entry)]


def chained(name, holder=None, length=2):
    """An owner with certificates, which are kept for `_chain`."""
    key = keys.get(name)
    chain = certs.owner_chain(key, *([holder] if holder else []), length=length)
    one = owner.x5chain(name, chain=chain)
    one.chain = chain
    return one


PLAIN = [[(5, "rv.example.com"), (3, 8443), (12, 2), (4, 8443)]]


def epid():
    """Neither chain nor chain hash."""
    return {"chain_item": cbor.NULL, "chain_hash": lambda _: cbor.NULL}


def tellers():
    """(name, description, teller)."""
    point = b"\x02" + keys.stream("ephemeral", 32)
    yield "plain", "A voucher of two hops in which nothing is worse than it has to be.", (
        Teller(PLAIN, "Gateway GW-100").hop(OWNERS[0]).hop(OWNERS[1])
    )
    yield "no-entries", "The manufacturer owns it.", Teller(PLAIN, "Gateway GW-100")
    yield "wifi", "Wi-Fi name and password in the rendezvous info.", (
        Teller([[(9, "Alder Works"), (10, "correct horse"), (11, 20), *PLAIN[0]]], "Gateway GW-100").hop(OWNERS[0])
    )
    server = hash_item(-16, keys.stream("server", 32))
    client = hash_item(-16, keys.stream("client", 32))
    yield "rendezvous-everything", "Every rendezvous variable, an unknown one, and both kinds of addresses.", (
        Teller(
            [
                [(0,), (2, bytes([192, 0, 2, 7])), (3, 80), (6, server), (7, client), (8, True), (13, 60)],
                [(1,), (2, ipaddress.ip_address("2001:db8::7").packed), (4, 81), (14,)],
                [(15, cbor.array([cbor.tstr("vendor"), cbor.integer(1)])), (77, cbor.tstr("secret sauce"))],
            ],
            "Gateway GW-100",
        ).hop(OWNERS[0])
    )
    yield "serial-in-device-info", "The device info holds a serial number.", (
        Teller(PLAIN, "Gateway GW-100 S/N 0004711", serial_like=True).hop(OWNERS[0])
    )
    yield "guid-of-text", "The GUID is the serial number in ASCII.", (
        Teller(PLAIN, "Gateway GW-100", made_guid=True, guid=b"GW100-0000004711").hop(OWNERS[0])
    )
    yield "epid", "An EPID device: no certificate, nothing about it.", (
        Teller(PLAIN, "Gateway GW-100", **epid()).hop(OWNERS[0])
    )
    yield "owner-certificates", "An owner with certificates, two of them; the root is sent along.", (
        Teller(PLAIN, "Gateway GW-100").hop(chained("p256-owner-a", "Birch Ltd")).hop(OWNERS[1])
    )
    yield "owner-certificate-alone", "One certificate, and its issuer is a name only.", (
        Teller(PLAIN, "Gateway GW-100").hop(chained("p256-owner-a", "Birch Ltd", length=1))
    )
    yield "manufacturer-certificates", "The manufacturer's key comes with certificates.", (
        Teller(PLAIN, "Gateway GW-100", maker=chained("p256-maker", "Alder Works")).hop(OWNERS[0])
    )
    yield "device-without-root", "A device certificate alone: its issuer is told by it.", (
        Teller(PLAIN, "Gateway GW-100", chain=certs.device_chain()[:1]).hop(OWNERS[0])
    )
    yield "extra-data", "Additional data of two types.", (
        Teller(PLAIN, "Gateway GW-100").hop(OWNERS[0], [(-70005, b"order 4711"), (-70006, bytes(40))])
    )
    yield "extra-one-time", "The ephemeral key of a one-time address, and the same type with another length.", (
        Teller(PLAIN, "Gateway GW-100")
        .hop(OWNERS[0], [(ONE_TIME_TYPE, point)])
        .hop(OWNERS[1], [(ONE_TIME_TYPE, point + b"\x00")])
    )
    yield "owner-repeated", "The device comes back to its first owner, and then to the manufacturer.", (
        Teller(PLAIN, "Gateway GW-100").hop(OWNERS[0]).hop(OWNERS[1]).hop(OWNERS[0]).hop(MAKER)
    )
    yield "owner-repeated-other-encoding", "The same key as SubjectPublicKeyInfo and as COSE_Key.", (
        Teller(PLAIN, "Gateway GW-100").hop(OWNERS[0]).hop(owner.cosekey("p256-owner-a"))
    )
    yield "header-data", "A text in an unprotected header, which nobody signed.", (
        Teller(PLAIN, "Gateway GW-100").hop(OWNERS[0], unprotected_label=True)
    )


def disclosure_files():
    made = {}
    for name, description, teller in tellers():
        case = {
            "name": name,
            "description": description,
            "source": "generator/privacy.py",
            "voucher": teller.bytes().hex(),
            "expect": {"disclosures": teller.disclosures()},
        }
        if teller.password is not None:
            case["expect"]["password"] = teller.password
        made[f"disclosure-{name}.json"] = case
    return made


def one(guid, hops, *, info="Gateway GW-100", rendezvous=PLAIN, **changes):
    """A voucher for a collection."""
    teller = Teller(rendezvous, info, guid=guid, **changes)
    for who, *extra in hops:
        teller.hop(who, *extra)
    return teller.bytes()


def random_guid(name):
    return hashlib.sha256(f"guid {name}".encode()).digest()[:16]


def serial_chain(number):
    """A device certificate with this serial number, alone."""
    ca = keys.get("p256-device-ca-maker")
    key = keys.get("p256-device-maker-0001")
    return [certs.certificate("Device", key, "Maker device CA", ca, serial=number)]


def collections():
    """(name, description, vouchers, groups as (kind, members), clusters by current owner, crowds)."""
    a, b, c = OWNERS
    fresh = [owner.x509(f"p256-once-{number}") for number in range(4)]
    base = {**epid()}

    def guids(count):
        return [random_guid(number) for number in range(count)]

    everyone = [0, 1, 2, 3]
    common = [
        ("manufacturer", everyone),
        ("device-info", everyone),
        ("rendezvous", everyone),
    ]
    yield (
        "two-owners",
        "Two owners with two vouchers each, bought from one reseller.",
        [one(guid, [(c,), (who,)], **base) for guid, who in zip(guids(4), [a, b, a, b])],
        [("current-owner", [0, 2]), ("current-owner", [1, 3]), ("owner-key", everyone), ("owner-key", [0, 2]), ("owner-key", [1, 3]), *common],
        [0, 1, 0, 1],
        [1, 1, 1, 1],
    )
    yield (
        "one-time-owners",
        "The same with a fresh key each: what is left is common to all.",
        [one(guid, [(c,), (who,)], **base) for guid, who in zip(guids(4), fresh)],
        [("owner-key", everyone), *common],
        everyone,
        [4, 4, 4, 4],
    )
    yield (
        "other-encoding",
        "One owner as SubjectPublicKeyInfo, COSE_Key and certificate.",
        [
            one(guid, [(who,)], **base)
            for guid, who in zip(guids(3), [a, owner.cosekey("p256-owner-a"), chained("p256-owner-a", "Birch")])
        ],
        [
            ("current-owner", [0, 1, 2]),
            ("owner-key", [0, 1, 2]),
            ("manufacturer", [0, 1, 2]),
            ("device-info", [0, 1, 2]),
            ("rendezvous", [0, 1, 2]),
        ],
        [0, 0, 0],
        [1, 1, 1],
    )
    yield (
        "owner-elsewhere",
        "A key that owns one voucher and owned another before: that owner does not hide.",
        [
            one(random_guid(0), [(a,)], **base),
            one(random_guid(1), [(a,), (fresh[0],)], **base),
            one(random_guid(2), [(fresh[1],)], **base),
        ],
        [
            ("owner-key", [0, 1]),
            ("manufacturer", [0, 1, 2]),
            ("device-info", [0, 1, 2]),
            ("rendezvous", [0, 1, 2]),
        ],
        [0, 1, 2],
        [1, 1, 1],
    )
    yield (
        "owner-is-manufacturer",
        "A key that owns one voucher and made the device of another: that owner does not hide.",
        [
            one(random_guid(0), [(a,)], **base),
            one(random_guid(1), [(fresh[0],)], maker=a, **base),
        ],
        [("device-info", [0, 1]), ("rendezvous", [0, 1])],
        [0, 1],
        [1, 1],
    )
    names = [[[(5, name), (3, 443), (12, 2)]] for name in ("rv.alder.example", "RV.Alder.Example", "rv.birch.example")]
    yield (
        "rendezvous-names",
        "Names are equal in any case; other servers split the crowd.",
        [one(guid, [(who,)], rendezvous=name, **base) for guid, who, name in zip(guids(3), fresh, names)],
        [("manufacturer", [0, 1, 2]), ("device-info", [0, 1, 2]), ("rendezvous", [0, 1])],
        [0, 1, 2],
        [2, 2, 1],
    )
    yield (
        "extra-data",
        "One order number in two vouchers; another in a third.",
        [
            one(guid, [(who, [(-70005, order)])], **base)
            for guid, who, order in zip(guids(3), fresh, (b"order 1", b"order 1", b"order 2"))
        ],
        [
            ("extra-data", [0, 1]),
            ("manufacturer", [0, 1, 2]),
            ("device-info", [0, 1, 2]),
            ("rendezvous", [0, 1, 2]),
        ],
        [0, 1, 2],
        [2, 2, 1],
    )
    serials = [0x7100, 0x7110, 0x7121, 0x7120]
    yield (
        "device-serials",
        "Serial numbers at most 16 apart are neighbours: one run through all four.",
        [one(guid, [(who,)], chain=serial_chain(serial)) for guid, who, serial in zip(guids(4), fresh, serials)],
        [
            ("manufacturer", everyone),
            ("device-issuer", everyone),
            ("device-serials", everyone),
            ("device-info", everyone),
            ("rendezvous", everyone),
        ],
        everyone,
        [4, 4, 4, 4],
    )
    serials = [0x7100, 0x7111, 0x7122, 0x7133]
    yield (
        "device-serials-apart",
        "Serial numbers 17 apart are not.",
        [one(guid, [(who,)], chain=serial_chain(serial)) for guid, who, serial in zip(guids(4), fresh, serials)],
        [("manufacturer", everyone), ("device-issuer", everyone), ("device-info", everyone), ("rendezvous", everyone)],
        everyone,
        [4, 4, 4, 4],
    )
    start = int.from_bytes(random_guid("start"), "big")
    counted = [(start + step).to_bytes(16, "big") for step in (0, 16)]
    prefixed = [random_guid("prefix")[:8] + keys.stream(f"end {n}", 8) for n in range(2)]
    yield (
        "guid-neighbours",
        "Two GUIDs that count, two with one beginning.",
        [one(guid, [(who,)], **base) for guid, who in zip([*counted, *prefixed], fresh)],
        [*common, ("guid-neighbours", [0, 1]), ("guid-neighbours", [2, 3])],
        everyone,
        [4, 4, 4, 4],
    )
    yield (
        "one-device-twice",
        "A voucher and its continuation: one GUID, one device certificate.",
        [
            one(random_guid(0), [(fresh[0],)]),
            one(random_guid(0), [(fresh[0],), (fresh[1],)]),
        ],
        [
            ("owner-key", [0, 1]),
            ("manufacturer", [0, 1]),
            ("device-issuer", [0, 1]),
            ("device-certificate", [0, 1]),
            ("device-info", [0, 1]),
            ("rendezvous", [0, 1]),
            ("guid", [0, 1]),
        ],
        [0, 1],
        [1, 1],
    )


def link_files():
    made = {}
    for name, description, vouchers, groups, owners, crowds in collections():
        made[f"link-{name}.json"] = {
            "name": name,
            "description": description,
            "source": "generator/privacy.py",
            "vouchers": [voucher.hex() for voucher in vouchers],
            "expect": {
                "groups": [{"kind": kind, "vouchers": members} for kind, members in groups],
                "owners": owners,
                "anonymity_sets": crowds,
            },
        }
    return made


def files():
    """{name: content} of the vectors about privacy."""
    made = disclosure_files() | link_files()
    return {name: (json.dumps(case, indent=1) + "\n").encode() for name, case in made.items()}
