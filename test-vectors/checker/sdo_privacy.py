"""What a voucher of SDO discloses, in the order of its bytes: the second opinion on `ov privacy`."""

import hashlib
import ipaddress

from .disclosed import certificate
from .sdo import read

# What each rendezvous variable is called in a report. In those of the second group its name stands before
# the value.
KINDS = {
    "dn": "rendezvous-name",
    "ip": "rendezvous-address",
    "cch": "client-certificate",
    "sch": "server-certificate",
    "ss": "wifi-name",
    "pw": "wifi-password",
    "ui": "user-input",
}
NAMED = {"po": "rendezvous-port", "pow": "rendezvous-port"}
NAMED |= dict.fromkeys(("delaysec", "me", "only", "pr", "wsp"), "rendezvous-setting")


def disclosures(data):
    """[kind, entry, value] of each, without secrets."""
    text, voucher = read(data)
    header = voucher.header
    told = [_setting(name, value) for name, value in text.settings]
    guid = header.guid.hex()
    told.append(("guid", None, guid))
    # Vectors have no GUID with a time in it, the third sign of one that was not drawn at random.
    if all(32 <= byte <= 126 for byte in header.guid) or len(set(header.guid)) <= 8:
        told.append(("guid-not-random", None, guid))
    if header.info:
        told.append(("device-info", None, "".join(map(_printable, header.info))))
    told.append(("manufacturer-key", None, _name(header.key)))
    for number, der in enumerate(voucher.chain):
        told += _certificate(number, der)
    told.append(("entry-count", None, str(len(voucher.entries))))
    seen = {_name(header.key)}
    for number, entry in enumerate(voucher.entries):
        last = number == len(voucher.entries) - 1
        name = _name(entry.key)
        told.append(("current-owner" if last else "earlier-owner", number, name))
        if name in seen:
            told.append(("repeated-owner", number, name))
        seen.add(name)
    return [list(one) for one in told]


def _printable(character):
    return character if character.isprintable() else f"\\u{ord(character):04x}"


def _name(key):
    return hashlib.sha256(key.spki()).hexdigest()


def _setting(name, value):
    if name == "pw":
        value = ""
    elif name == "ip":
        value = str(ipaddress.ip_address(value))
    elif name not in KINDS and name not in NAMED:
        return "rendezvous-other", None, f"{name} {value[1] - value[0]} bytes withheld"
    elif isinstance(value, bytes):
        value = value.hex()
    kind = KINDS.get(name)
    return (kind, None, str(value)) if kind else (NAMED[name], None, f"{name} {value}")


def _certificate(number, der):
    try:
        subject, issuer, serial, date = certificate(der)
    except ValueError:
        return [("unread-certificate", None, str(number))]
    told = []
    if number == 0:
        told.append(("device-certificate", hashlib.sha256(der).hexdigest()))
        told += [("device-certificate-name", subject)] if subject else []
        told += [("device-certificate-serial", serial), ("device-certificate-date", date)]
    if issuer and issuer != subject:
        told.append(("device-issuer", issuer))
    return [(kind, None, value) for kind, value in told]
