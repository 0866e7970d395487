"""Vouchers of SDO 1.x that verify: every kind of key, of device and of text."""

from .sdo_suite import Suite
from .sdo_voucher import OWNERS, Draft, device_chain, escaped, hash_item, hops, wrapped

suite = Suite(__file__)



def three(**changes):
    return Draft(**({"hops": hops(3)} | changes))


# Key types and numbers of entries.
suite.valid("p256-3", "three entries, P-256", three())
suite.valid("p256-0", "no entries: only the device can tell whether the header is genuine", Draft(), flips=True)
suite.valid("p256-1", "one entry", Draft(hops=hops(1)), flips=True)
suite.valid("p256-10", "ten entries, the most that is recommended", Draft(hops=hops(10)))
MANY = [("sdo-many-entries", None)]
suite.valid("entries-11", "eleven entries", Draft(hops=hops(11)), MANY)
suite.valid("entries-255", "as many entries as one byte can count", Draft(hops=hops(255)), MANY)
P384 = {"maker": "p384-sdo-maker", "hash": "sha384", "mac_hash": "sha384", "chain": device_chain("p384")}
P384_HOPS = [{"owner": f"p384-sdo-owner-{letter}"} for letter in "ab"]
suite.valid("p384-2", "P-384 throughout, SHA-384", Draft(hops=hops(2, n0=P384_HOPS[0], n1=P384_HOPS[1]), **P384))
RSA_HOPS = {"n0": {"owner": "rsa2048-sdo-owner-a"}, "n1": {"owner": "rsa2048-sdo-owner-b"}}
suite.valid("rsa-2", "RSA-2048 as modulus and exponent", Draft("rsa2048-sdo-maker", hops(2, **RSA_HOPS)), flips=True)
suite.valid(
    "version-112",
    "protocol version 112",
    Draft(pv=112, hops=hops(1)),
)
suite.valid("key-again", "the same owner twice", Draft(hops=hops(2, n1={"owner": OWNERS[0]})))

# Devices without certificates.
suite.valid("epid-1", "an EPID device: neither chain nor hash of it", Draft(chain=[], hops=hops(1)), flips=True)
suite.valid("epid-0", "an EPID device, no entries", Draft(chain=[]), flips=True)

# Mixed strengths are genuine: implementations look at one key or at the other.
suite.valid(
    "device-p384",
    "hashes by the manufacturer's key, HMAC by the device's",
    Draft(hops=hops(1), chain=device_chain("p384"), mac_hash="sha384"),
    [("hash-table", None), ("hash-table", 0), ("hash-table", 0)],
)
suite.valid(
    "device-p384-table",
    "the same, hashes by the table of the specification, which implementations do not follow",
    Draft(hops=hops(1, n0={"hash": "sha384", "info_hash": "sha384"}), chain=device_chain("p384"), hash="sha384", mac_hash="sha384"),
    [("hash-table", None), ("hash-table", 0), ("hash-table", 0)],
)
suite.valid(
    "device-p256",
    "a P-384 manufacturer, and a device with HMAC-SHA256",
    Draft(**P384 | {"hops": hops(1, n0=P384_HOPS[0]), "mac_hash": "sha256", "chain": device_chain()}),
    [("hash-table", None)],
)

# Text.
ALL_ESCAPED = 'quote " slash / back \\ [] {} & ~ é 😀 \x00 end'
suite.valid(
    "info-escapes",
    "device info with every character that is escaped, and a surrogate pair",
    Draft(d=escaped(ALL_ESCAPED), hops=hops(1)),
)
suite.valid("info-tilde", "a tilde as an escape, as the C client writes it", Draft(d='"a\\u007eb"', hops=hops(1)))
suite.valid("line-end", "one line end after the voucher", three(after=lambda text: text + "\n"))
suite.valid("line-end-crlf", "CR LF after the voucher", three(after=lambda text: text + "\r\n"))


suite.valid("wrapper", "the wrapper of the specification", three(after=wrapped))
suite.valid("wrapper-long", "eight digits of length", Draft(hops=hops(180), after=wrapped), MANY)


def filled(length, digits):
    """A wrapper of that many bytes, filled up with white space that nobody signed."""

    def after(text):
        room = length - len(f'["{"0" * digits}",3,113,{text}]')
        return f'["{length:0{digits}x}",3,113,{" " * room}{text}]'

    return Draft(hops=hops(160), after=after)


FILLED = [*MANY, ("sdo-white-space", None)]
suite.valid("wrapper-65535", "the longest with four digits", filled(65535, 4), FILLED)
suite.valid("wrapper-65536", "the shortest with eight", filled(65536, 8), FILLED)

# Rendezvous info.
EVERY = (
    '[3,[14,{"cch":' + hash_item("sha256", bytes(32)) + ',"delaysec":4294967295,"dn":"rv.example.net",'
    '"ip":[16,"IAENuAAAAAAAAAAAAAAABw=="],"me":"wifi*","only":"dev","po":65535,"pow":1,"pr":"https",'
    '"pw":"open sesame","sch":' + hash_item("sha256", bytes(32)) + ',"ss":"shop floor","ui":1,"wsp":"wpa2"}],'
    '[1,{"delaysec":5}],[2,{"dn":"owner.example.net","only":"owner"}]]'
)
suite.valid("rendezvous-every", "every variable that there is", Draft(r=EVERY, hops=hops(1)))
suite.valid("rendezvous-ipv4", "an address of four bytes", Draft(r='[1,[1,{"ip":[4,"wAACBw=="]}]]', hops=hops(1)))
