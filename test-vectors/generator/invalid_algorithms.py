"""Vouchers that must be refused because an algorithm or the length of a signature does not fit the key of the signer."""

from . import cbor, owner
from .suite import MAKER, OWNERS, Suite, last
from .voucher import Draft, Hop

suite = Suite(__file__)
SIGNED = " Signed as it stands."


def entry(name, description, kind, **hop):
    suite.invalid(f"entry-1-{name}", description, last(2, **hop), kind, 1)


def algorithms():
    """Labels that name another algorithm than that of the signer's key. The signature is right for the key."""
    for name, code in (
        ("minus-2-8", -7 - 2**8),
        ("minus-2-16", -7 - 2**16),
        ("minus-2-32", -7 - 2**32),
        ("plus-2-8", -7 + 2**8),
        ("plus-2-16", -7 + 2**16),
        ("plus-2-32", -7 + 2**32),
        ("minus-2-64", -(2**64)),
        ("0", 0),
        ("hs256", 5),
        ("es512", -36),
        ("es256k", -47),
        ("rs512", -259),
        ("rs1", -65535),
        ("ps512", -39),
        ("esp256", -9),
    ):
        entry(f"alg-{name}", f"alg {code}." + SIGNED, "unsupported-algorithm", alg=code)
    entry(
        "alg-text",
        "alg as text." + SIGNED,
        "wrong-type",
        protected=cbor.mapping([(cbor.integer(1), cbor.tstr("ES256"))]),
    )
    entry(
        "alg-null", "alg null." + SIGNED, "wrong-type", protected=cbor.mapping([(cbor.integer(1), cbor.NULL)])
    )
    entry(
        "alg-bytes",
        "alg as a byte string." + SIGNED,
        "wrong-type",
        protected=cbor.mapping([(cbor.integer(1), cbor.bstr(b"\x26"))]),
    )
    rsa, rsa3072, pss = (
        owner.x509("rsa2048-maker"),
        owner.x509("rsa3072-maker"),
        owner.x509("rsa2048-maker", owner.RSAPSS),
    )
    names = {-7: "es256", -35: "es384", -8: "eddsa", -257: "rs256", -258: "rs384", -37: "ps256", -38: "ps384"}
    makers = {
        "p256": (MAKER, OWNERS[0]),
        "p384": (owner.x509("p384-maker"), owner.x509("p384-owner-a")),
        "rsapkcs-2048": (rsa, owner.x509("rsa2048-owner-a")),
        "rsapkcs-3072": (rsa3072, owner.x509("rsa3072-owner-a")),
        "rsapss-2048": (pss, owner.x509("rsa2048-owner-a", owner.RSAPSS)),
        "rsapss-3072": (
            owner.x509("rsa3072-maker", owner.RSAPSS),
            owner.x509("rsa3072-owner-a", owner.RSAPSS),
        ),
        "rsa2048restr": (
            owner.x509("rsa2048-maker", owner.RSA2048RESTR),
            owner.x509("rsa2048-owner-a", owner.RSA2048RESTR),
        ),
    }
    for title, (maker, next_owner) in makers.items():
        for code, name in names.items():
            if code == maker.alg:
                continue
            signs = {}
            if code in ((-257, -258, -37, -38) if maker.key.is_rsa else (-7, -35)):
                # Even a signature that fits the label does not help.
                signs = {"sign": lambda key, message, code=code: key.sign(code, message)}
            suite.invalid(
                f"alg-{name}-by-{title}",
                f"The signer's key is {title}, the label says {name}."
                + (" The signature is made as the label says." if signs else " The signature fits the key."),
                Draft(maker, [Hop(next_owner, alg=code, **signs)]),
                "algorithm-mismatch",
                0,
            )
    ed25519 = owner.x509("ed25519-owner-a")
    suite.invalid(
        "alg-es256-by-ed25519",
        "The signer's key is Ed25519, the label says ES256.",
        Draft(ed25519, [Hop(ed25519, alg=-7)]),
        "algorithm-mismatch",
        0,
        allow=["experimental-keys"],
    )
    suite.invalid(
        "alg-of-next-owner",
        "The alg fits the key that the entry names, not the key that signs it.",
        Draft(MAKER, [Hop(owner.x509("p384-owner-a"), alg=-35)]),
        "algorithm-mismatch",
        0,
    )


def signatures():
    def signature(name, description, change, kind="signature-length"):
        entry(f"signature-{name}", description, kind, signature=change)

    signature("empty", "An empty signature.", lambda value: b"")
    signature("63-bytes", "The last byte is missing.", lambda value: value[:-1])
    signature("65-bytes", "A zero byte in front.", lambda value: b"\0" + value)
    signature("66-bytes", "r and s of 33 bytes each.", lambda value: b"\0" + value[:32] + b"\0" + value[32:])
    signature(
        "96-bytes", "As long as ES384 has it.", lambda value: bytes(16) + value[:32] + bytes(16) + value[32:]
    )
    signature("twice", "The signature twice.", lambda value: value * 2)
    entry(
        "signature-null",
        "null in place of the signature.",
        "wrong-type",
        signature_item=lambda value: cbor.NULL,
    )
    entry(
        "signature-text",
        "The signature inside a text string.",
        "wrong-type",
        signature_item=lambda value: cbor.tstr("signature"),
    )
    entry(
        "signature-array",
        "r and s in an array.",
        "wrong-type",
        signature_item=lambda value: cbor.array([cbor.bstr(value[:32]), cbor.bstr(value[32:])]),
    )
    from . import der

    to_der = lambda value: der.seq(
        der.integer(int.from_bytes(value[: len(value) // 2], "big")),
        der.integer(int.from_bytes(value[len(value) // 2 :], "big")),
    )
    signature("der", "The signature in DER (a pre-release of 2021).", to_der)
    rsa, p384 = owner.x509("rsa2048-owner-a"), owner.x509("p384-owner-a")
    for title, maker, size in (
        ("rsa2048", rsa, 256),
        ("rsa3072", owner.x509("rsa3072-owner-a"), 384),
        ("p384", p384, 96),
        ("rsapss-2048", owner.x509("rsa2048-owner-a", owner.RSAPSS), 256),
    ):
        for change, made in (("short", lambda value: value[:-1]), ("long", lambda value: b"\0" + value)):
            suite.invalid(
                f"signature-{title}-{change}",
                f"A signature of {size - 1 if change == 'short' else size + 1} bytes by a {title} key.",
                Draft(maker, [Hop(maker, signature=made)]),
                "signature-length",
                0,
            )


for group in (algorithms, signatures):
    group()
