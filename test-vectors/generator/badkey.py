"""A bad public key in a voucher that is sound otherwise."""

from . import keys, owner
from .suite import Suite, last
from .voucher import Draft

REDONE = " Hashes and signatures were redone."
P256, P384, RSA, RSA3072 = (
    keys.get(name) for name in ("p256-owner-b", "p384-owner-b", "rsa2048-owner-b", "rsa3072-owner-b")
)


class BadKeys(Suite):
    """Cases about one key."""

    def both(self, name, description, who, kind, **options):
        """The bad key in the header and in entry 1."""
        self.invalid(f"header-key-{name}", description + REDONE, Draft(who), kind, **options)
        self.entry(name, description, who, kind, **options)

    def entry(self, name, description, who, kind, **options):
        self.invalid(f"entry-1-key-{name}", description + REDONE, last(2, owner=who), kind, 1, **options)

    def item(self, name, description, encoded, kind):
        """The same with an item that is no PublicKey."""
        self.both(name, description, owner.raw("p256-owner-b", encoded), kind)
