"""A shipment as a buyer gets it: vouchers from several sellers, each in its own habits, all for one new owner."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization

from . import cbor, certs, keys, owner
from .voucher import SHA384, Built, Draft, Hop, directive, instruction

BUYER = "p256-buyer"
# The manufacturer's key of each seller.
MAKERS = {
    "alder": "p256-alder-maker",
    "birch": "p256-birch-maker",
    "cedar": "p384-cedar-maker",
    "dogwood": "rsa2048-dogwood-maker",
    "elm": "p256-elm-maker",
    "fir": "p256-fir-maker",
    "grove": "rsa3072-grove-maker",
    "holly": "p256-holly-maker",
    "iris": "p256-iris-maker",
    "juniper": "rsa2048-juniper-maker",
}
WHEN = "2026-06-01T00:00:00Z"


def pem(voucher, width=64, newline="\n"):
    text = base64.b64encode(voucher).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width or len(text))] if width else [text]
    return newline.join(
        ["-----BEGIN OWNERSHIP VOUCHER-----", *lines, "-----END OWNERSHIP VOUCHER-----", ""]
    ).encode()


def rendezvous(seller):
    return cbor.array(
        [
            directive(
                instruction(5, cbor.tstr(f"rv.{seller.lower()}.example")),
                instruction(3, cbor.integer(443)),
                instruction(12, cbor.integer(2)),
                instruction(4, cbor.integer(443)),
            )
        ]
    )


def voucher(seller, serial, model, people, *, device="p256", **changes):
    """A voucher of that seller; `people` are manufacturer, resellers and buyer."""
    maker, *rest = people
    hops = [one if isinstance(one, Hop) else Hop(one) for one in rest]
    guid = hashlib.sha256(f"{seller} {serial}".encode()).digest()[:16]
    chain = certs.device_chain(device, seller, f"{serial:04}")
    made = {
        "rendezvous": rendezvous(seller),
        "guid": guid,
        "device_info": model,
        "chain": chain,
        "secret": keys.stream(f"secret {seller} {serial}", 32),
    }
    return Built(Draft(maker, hops, **(made | changes))).bytes


def people(make, kind, seller, resellers=0, label=None):
    """Manufacturer, resellers and the buyer, all written by `make`. The buyer's key is always the same P-256 key."""
    names = [f"{kind}-{seller.lower()}-maker"] + [f"{kind}-reseller-{number}" for number in range(resellers)]
    return [make(name, label) for name in names] + [make(BUYER)]


def files():
    """{name: content} of the shipment."""
    made = {}
    plain = people(owner.x509, "p256", "Alder")
    for serial in range(1, 7):
        made[f"alder-gw100-{serial:04}.cbor"] = voucher("Alder", serial, "Alder GW-100", plain)
    for serial in range(1, 4):
        made[f"birch-cam7-{serial:04}.pem"] = pem(
            voucher("Birch", serial, "Birch Camera 7", people(owner.x5chain, "p256", "Birch", 1))
        )
    for serial in range(1, 4):
        made[f"cedar-plc-{serial:04}.cbor"] = voucher(
            "Cedar", serial, "Cedar PLC", people(owner.x509, "p384", "Cedar", 1), device="p384", hash=SHA384
        )
    for serial in range(1, 3):
        made[f"dogwood-meter-{serial:04}.pem"] = pem(
            voucher(
                "Dogwood",
                serial,
                "Dogwood Meter",
                people(owner.x509, "rsa2048", "Dogwood", 1, owner.RSA2048RESTR),
            ),
            newline="\r\n",
        )
    empty = cbor.bstr(cbor.EMPTY_MAP)
    for serial in range(1, 4):
        maker, *rest = people(owner.cosekey, "p256", "Elm", 1)
        made[f"elm-sensor-{serial:04}.cbor"] = voucher(
            "Elm", serial, "Elm Sensor", [maker, *[Hop(one, extra=empty) for one in rest]]
        )
    lots = [
        pem(voucher("Fir", serial, "Fir Switch 24", people(owner.x509, "p256", "Fir", 2)))
        for serial in range(1, 6)
    ]
    note = "Delivery note 4711, item {}: Fir Switch 24\n"
    made["fir-switch-lot-4711.pem"] = b"\n".join(
        note.format(number).encode() + lot for number, lot in enumerate(lots, 1)
    )
    made["grove-server-0001.cbor"] = voucher(
        "Grove", 1, "Grove Server", people(owner.x509, "rsa3072", "Grove", 0, owner.RSAPSS)
    )
    wrapped = lambda name: owner.x5chain(
        name, body=cbor.bstr(cbor.array(map(cbor.bstr, certs.owner_chain(keys.get(name)))))
    )
    note = cbor.mapping([(cbor.integer(70001), cbor.bstr(b"lot 12"))])
    for serial in range(1, 3):
        holly = [wrapped("p256-holly-maker"), Hop(wrapped(BUYER), extra=note)]
        made[f"holly-lock-{serial:04}.pem"] = pem(
            voucher("Holly", serial, "Holly Lock", holly, hash=SHA384, rendezvous=cbor.EMPTY_ARRAY),
            newline="\r\n",
        )
    made["iris-panel-0001.pem"] = pem(
        voucher("Iris", 1, "Iris Panel", people(owner.x509, "p256", "Iris", 9)), width=0
    )
    made["juniper-pump-0001.pem"] = pem(
        voucher("Juniper", 1, "Juniper Pump", people(owner.crypto_or_x509, "rsa2048", "Juniper", 1)), width=76
    )
    return made


def key_files():
    """What the buyer has: own keys, the manufacturers' keys and device CAs, and somebody to sell to."""
    public = lambda name: (
        keys.get(name)
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return {
        "owner-public.pem": public(BUYER),
        "owner-private.pem": keys.get(BUYER).pem().encode(),
        "next-owner-public.pem": public("p256-next-owner"),
        "manufacturers.pem": b"".join(public(maker) for maker in MAKERS.values()),
        "device-ca.pem": b"".join(certificate_pem(der) for der in device_cas()),
    }


def device_cas():
    sellers = [
        ("p256", "Alder"),
        ("p256", "Birch"),
        ("p384", "Cedar"),
        ("p256", "Dogwood"),
        ("p256", "Elm"),
        ("p256", "Fir"),
        ("p256", "Grove"),
        ("p256", "Holly"),
        ("p256", "Iris"),
        ("p256", "Juniper"),
    ]
    return [certs.device_ca(kind, seller) for kind, seller in sellers]


def certificate_pem(der):
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()
