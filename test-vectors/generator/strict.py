"""The strict profile: vectors of other modules once more, with the verdict that they have under it."""

from . import dialects, encodings, facts, valid
from .suite import Suite

suite = Suite(__file__)
CASES = {case["name"]: case for module in (valid, facts, dialects, encodings) for case in module.suite.cases}
STRICT = [
    "wrapped-self-described", "wrapped-tag-24", "wrapped-byte-string",
    "non-shortest-outer-array", "non-shortest-header-array", "non-shortest-payload-length", "non-shortest-alg-value",
    "non-shortest-entries-array", "non-shortest-signature-length",
    "indefinite-outer-array", "indefinite-entries-array", "indefinite-payload-array", "indefinite-header-one-chunk",
    "indefinite-unprotected-empty-map", "allow-untagged", "unprotected-kid", "protected-kid", "protected-crit-alg",
    "extra-empty-map", "extra-inline-map", "key-x5chain-wrapped", "key-x5chain-bare", "key-cosekey-wrapped",
    "key-cosekey-without-kty", "key-cosekey-short-x", "key-cosekey-33-bytes", "key-crypto-modulus-leading-zero",
    "allow-label-p384-on-p256", "mixed-types-p256-p384-rsa-p256", "mixed-encodings", "mixed-pkcs-to-pss",
    "ed25519-x509-2-entries", "device-chain-bare", "allow-legacy-chain-hash", "hash-sha384-with-p256",
    "hash-mixed-between-entries", "hash-mac-sha384-alone", "rv-empty", "rv-flag-with-value", "rv-value-missing",
    "rv-raw-values", "rv-unknown-variable", "rv-flat", "rv-no-address", "rv-device-port-0", "rv-two-ports",
    "rv-for-nobody", "rv-host-url", "rv-host-ipv4-256", "rv-ipv4-unspecified", "rv-protocol-7", "device-info-empty", "allow-fdo20-0-entries",
    "allow-fdo20-2-entries", "allow-fdo20-draft-aad-aad-aad", "allow-fdo20-draft-aad-nil-aad",
    "device-chain-not-certificates", "device-chain-second-no-certificate", "device-key-p521", "device-key-ed25519",
    "key-cosekey-private", "key-cosekey-alg-es384", "key-cosekey-ops-sign", "key-x5chain-second-no-certificate",
    "extra-order-reversed", "extra-type--65536", "extra-positive-label",
    "device-chain-broken", "device-chain-authority", "device-chain-root-first", "device-chain-version-1",
    "key-x5chain-wrong-issuer", "key-x5chain-version-1", "key-x5chain-authority",
]  # fmt: skip
# Those that have no finding in the bytes, and the entry that is refused.
WITHOUT_FINDING = {
    "hash-sha384-with-p256": None,
    "hash-mixed-between-entries": 1,
    "hash-mac-sha384-alone": None,
    "device-chain-broken": None,
    "device-chain-authority": None,
    "device-chain-root-first": None,
    "device-chain-version-1": None,
    "key-x5chain-wrong-issuer": None,
    "key-x5chain-version-1": None,
    "key-x5chain-authority": None,
}
SOUND = [
    "p256-x509-0-entries", "p256-x509-3-entries", "p256-x5chain-2-entries", "p256-cosekey-2-entries",
    "p384-x509-2-entries", "p384-cosekey-2-entries", "rsa2048restr-x509-2-entries", "rsapkcs-3072-crypto-2-entries",
    "rsapss-2048-x509-2-entries", "same-key-every-hop", "signature-high-s", "device-chain-null", "device-certificate-expired",
    "device-chain-3-certificates", "device-chain-16-certificates", "key-x5chain-one-element",
    "extra-negative-label", "extra-type--65537", "key-cosekey-alg-es256", "key-cosekey-ops-verify", "fact-everything-3-entries", "device-info-utf8", "mixed-rsa-sizes",
    "rv-every-variable", "rv-pause", "rv-user-input", "rv-host-ipv4", "rv-host-ipv6", "rv-loopback",
]  # fmt: skip


def refused():
    """Each departure once under the strict profile; an allowance does not help."""
    for name in STRICT:
        case = CASES[name]
        found = case["expect"]["findings"]
        entry = found[0]["entry"] if found else WITHOUT_FINDING[name]
        suite.invalid(
            f"strict-{name}",
            f"The vector {name} under the strict profile. {case['description']}",
            bytes.fromhex(case["voucher"]),
            "deviation",
            entry,
            strict=True,
            **{key: value for key, value in case["options"].items() if key == "allow"},
        )


def accepted():
    """What the strict profile accepts."""
    for name in SOUND:
        case = CASES[name]
        suite.cases.append(
            case
            | {
                "name": f"strict-{name}",
                "description": f"Also under the strict profile. {case['description']}",
                "source": suite.source,
                "options": case["options"] | {"strict": True},
            }
        )


for group in (refused, accepted):
    group()
