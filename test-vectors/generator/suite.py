"""Collects cases, and the plain vouchers that most of them start from."""

import hashlib
import pathlib

from cryptography.hazmat.primitives.asymmetric import ec

from . import keys
from .owner import x509
from .voucher import Built, Draft, Hop

MAKER = x509("p256-maker")
OWNERS = [x509(f"p256-owner-{letter}") for letter in "abc"]


def draft(count=1, **changes):
    """A plain P-256 voucher with `count` entries; `changes` are fields of Draft."""
    hops = [Hop(OWNERS[number % len(OWNERS)]) for number in range(count)]
    return Draft(MAKER, **({"hops": hops} | changes))


def last(count, **changes):
    """A plain voucher whose last of `count` entries has these fields of Hop."""
    owners = [OWNERS[number % len(OWNERS)] for number in range(count)]
    hops = [Hop(owner) for owner in owners[:-1]] + [Hop(changes.pop("owner", owners[-1]), **changes)]
    return Draft(MAKER, hops=hops)


def at(count, number, **changes):
    """A plain voucher with `count` entries in which entry `number` has these fields of Hop."""
    result = draft(count)
    result.hops[number] = Hop(changes.pop("owner", result.hops[number].owner), **changes)
    return result


def replace(number, item):
    """A hook that puts `item` in place of item `number` of a list."""
    return lambda items: [*items[:number], item, *items[number + 1 :]]


def flip(value, bit=0):
    """`value` with one bit flipped, counted from the lowest of the first byte."""
    return bytes([*value[: bit // 8], value[bit // 8] ^ 1 << bit % 8, *value[bit // 8 + 1 :]])


def owner_hash(owner):
    return hashlib.sha256(owner.key.spki()).hexdigest()


class Suite:
    """The cases of one module."""

    def __init__(self, source):
        self.source = f"generator/{pathlib.Path(source).name}"
        self.cases = []

    def valid(self, name, description, made, findings=(), hash_table=False, wrap=bytes, **options):
        """`findings` are (kind, entry) in byte order; `hash_table` None leaves that open; `wrap` puts
        something around the voucher."""
        built = Built(made)
        expect = {
            "verdict": "verified",
            "guid": made.guid.hex(),
            "entries": len(built.entries),
            "owner": owner_hash(built.owner),
            "findings": [{"kind": kind, "entry": entry} for kind, entry in findings],
        }
        if hash_table is not None:
            expect["hash_table"] = hash_table
        self._add(name, description, wrap(built.bytes), options, expect)

    def invalid(self, name, description, made, kind, entry=None, **options):
        data = made if isinstance(made, bytes) else Built(made).bytes
        self._add(name, description, data, options, {"verdict": "rejected", "kind": kind, "entry": entry})

    def _add(self, name, description, data, options, expect):
        self.cases.append(
            {
                "name": name,
                "description": description,
                "source": self.source,
                "voucher": data.hex(),
                "options": options,
                "expect": expect,
            }
        )


def spki_of(name):
    return keys.get(name).spki().hex()


def multiply(name, factor):
    """The affine point factor * G of the curve of that kind, through the cryptography package."""
    numbers = ec.derive_private_key(factor, keys.CURVES[name][0]).public_key().public_numbers()
    return numbers.x, numbers.y
