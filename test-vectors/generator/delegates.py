"""Delegates of an owner (FDO 2.0): chains of certificates below its key, one fault each."""

import hashlib

from . import cbor, certs, der, keys
from .messages import Messages
from .owner import x509
from .suite import MAKER, OWNERS, draft, flip
from .voucher import FDO20_AAD, SHA384, Built, Draft, Hop

suite = Messages(__file__)

NAMES = (
    "redirect", "onboard-new-cred", "onboard-reuse-cred", "onboard-fdo-disable", "voucher-claim", "voucher-upload",
    "provision",
)
ARC = "1.3.6.1.4.1.45724.3.1"
OIDS = {name: f"{ARC}.{number}" for number, name in enumerate(NAMES, 1)}
SERVER_AUTH, ANY_PURPOSE = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"
DIGITAL_SIGNATURE, CERT_SIGN = certs.DIGITAL_SIGNATURE, certs.CERT_SIGN

FDO20 = {"version": cbor.integer(200), "header_version": cbor.integer(200)}


def voucher20(count=1, maker=MAKER, owners=OWNERS, **changes):
    """A voucher of FDO 2.0 with `count` entries."""
    hops = [Hop(owners[number % len(owners)], aad=FDO20_AAD) for number in range(count)]
    return Built(Draft(maker, hops=hops, **FDO20, **changes))


ONE = voucher20(1)
OWNER = ONE.owner.key


def purposes(*names, critical=False):
    """ExtendedKeyUsage, of names of permissions or of OIDs."""
    value = der.seq(*(der.oid(OIDS.get(name, name)) for name in names))
    return certs.extension("2.5.29.37", value, critical)


def constraints(ca=False, path_length=None):
    """basicConstraints."""
    if ca:
        return certs.authority(path_length)
    return certs.extension("2.5.29.19", der.seq(), critical=True)


def issue(key, issuer_key, *, subject="Delegate", issuer="Owner", ca=False, may=("redirect",), usage=None,
          path_length=None, extra=(), without=(), **options):
    """One certificate. `without` names extensions to leave out, `extra` has encoded ones to add."""
    usage = usage or (DIGITAL_SIGNATURE | CERT_SIGN if ca else DIGITAL_SIGNATURE)
    made = {
        "constraints": constraints(ca, path_length),
        "usage": certs.usage(usage),
        "purposes": purposes(*may) if may else None,
    }
    extensions = [value for name, value in made.items() if value and name not in without]
    return certs.certificate(
        subject, key, issuer, issuer_key, extensions=[*extensions, *extra], **options
    )


def chain(count=1, owner=None, key="p256-delegate", may=("redirect",), changes=None, authorities="p256"):
    """`count` certificates, that of the delegate first. `changes` has the options of single ones, by number."""
    owner = owner or OWNER
    subjects = ["Delegate", *(f"Delegate CA {number}" for number in range(1, count))]
    all_keys = [keys.get(key), *(keys.get(f"{authorities}-delegate-ca-{number}") for number in range(1, count))]
    issuers = [*subjects[1:], "Owner"]
    signers = [*all_keys[1:], owner]
    made = []
    for number in range(count):
        options = {"may": may, "ca": number > 0, "subject": subjects[number], "issuer": issuers[number]}
        options |= (changes or {}).get(number, {})
        subject_key = options.pop("key", all_keys[number])
        signer = options.pop("signer", signers[number])
        made.append(issue(subject_key, signer, **options))
    return made


def good(name, description, certificates, may=("redirect",), built=ONE, key="p256-delegate", at=None):
    given = {"voucher": built.bytes, "chain": certificates} | ({"at": at} if at else {})
    suite.accepted("delegate", name, description, given, key=hashlib.sha256(keys.get(key).spki()).hexdigest(),
                   permissions=list(may), checked=bool(at))


def bad(name, description, certificates, kind="delegate-chain", built=ONE, at=None):
    given = {"voucher": built.bytes, "chain": certificates} | ({"at": at} if at else {})
    suite.rejected("delegate", name, description, given, kind)


NOW = "2026-11-30T00:00:00Z"
UNKNOWN = "1.3.6.1.4.1.32473.2"

good("one", "one certificate, signed by the owner; no time", chain())
good("one-at", "the same at a time", chain(), at=NOW)
good("two", "a delegate below a CA of the owner", chain(2))
good("eight", "eight certificates", chain(8), at=NOW)
for number, permission in enumerate(NAMES, 1):
    good(f"permission-{number}", f"the permission {permission}", chain(may=[permission]), [permission])
good("all", "all permissions", chain(2, may=NAMES), NAMES)
good("narrower", "the delegate has one of three permissions of its CA",
     chain(2, may=NAMES[:3], changes={0: {"may": NAMES[1:2]}}), NAMES[1:2])
good("wider-leaf", "the CA has one of three permissions of the delegate",
     chain(2, may=NAMES[:3], changes={1: {"may": NAMES[1:2]}}), NAMES[1:2])
good("other-purposes", "a purpose of TLS beside the permission", chain(may=[SERVER_AUTH, "redirect"]))
good("critical-purposes", "the extended key usage is critical",
     chain(changes={0: {"may": None, "extra": [purposes("redirect", critical=True)]}}))
good("path-length", "a CA for no other CA, and one for one other CA",
     chain(3, changes={1: {"path_length": 0}, 2: {"path_length": 1}}))
good("unknown-extension", "an unknown extension that is not critical",
     chain(changes={0: {"extra": [certs.extension(UNKNOWN, b"\x05\x00")]}}))
good("any-issuer-of-last", "what the last certificate calls its issuer is not compared with anything",
     chain(2, changes={1: {"issuer": "Somebody"}}))
ZERO = voucher20(0)
good("no-entries", "the manufacturer is the owner", chain(owner=MAKER.key), built=ZERO)
good("fdo-1-1", "the owner of a voucher of FDO 1.1", chain(), built=Built(draft(1)))
P384 = voucher20(1, x509("p384-maker"), [x509("p384-owner-a")], hash=SHA384)
good("p384-owner", "a P-256 delegate of a P-384 owner", chain(owner=P384.owner.key), built=P384)
good("p384-delegate", "a P-384 delegate of a P-256 owner", chain(2, key="p384-delegate"), key="p384-delegate")
RSA = voucher20(1, x509("rsa2048-maker", 1), [x509("rsa2048-owner-a", 1)])
good("rsa-owner", "a P-256 delegate of an RSA owner", chain(owner=RSA.owner.key), built=RSA)
good("rsa", "RSA delegate and CA of an RSA owner",
     chain(2, owner=RSA.owner.key, key="rsa2048-owner-b", authorities="rsa2048"), built=RSA, key="rsa2048-owner-b")

# The whole chain.
bad("none", "no certificate", [], "chain-empty")
bad("nine", "nine certificates", chain(9), "limit-certificates")
bad("reversed", "the certificate that the owner signed is first", chain(2)[::-1])
bad("other-owner", "signed by somebody else", chain(owner=keys.get("p256-stranger")))
bad("earlier-owner", "signed by the manufacturer, who was the owner before", chain(owner=MAKER.key))
bad("two-of-other-owner", "the CA is signed by somebody else", chain(2, owner=keys.get("p256-stranger")))
bad("missing-middle", "the CA between delegate and owner's CA is missing", [chain(3)[0], chain(3)[2]])
bad("without-ca", "the delegate's certificate alone, which a CA signed", chain(2)[:1])
bad("link-signature", "the delegate's certificate names the CA, and another key signed it",
    chain(2, changes={0: {"signer": keys.get("p256-stranger")}}))
bad("link-by-owner", "the delegate's certificate names the CA, and the owner signed it", chain(2, changes={0: {"signer": OWNER}}))
bad("link-name", "the delegate's certificate names another issuer than the CA that signed it",
    chain(2, changes={0: {"issuer": "Delegate CA 2"}}))
PRINTABLE = der.seq(
    der.sets(der.seq(der.oid("2.5.4.10"), der.tlv(19, b"Example"))),
    der.sets(der.seq(der.oid("2.5.4.3"), der.tlv(19, b"Delegate CA 1"))),
)
bad("link-name-spelled-otherwise", "the issuer's name in another string type: bytes are compared",
    chain(2, changes={0: {"issuer_name": PRINTABLE}}))
bad("flipped", "one bit of the owner's signature is changed", [flip(chain()[0], 8 * (len(chain()[0]) - 1))])
bad("flipped-in-middle", "one bit of the CA's signature is changed",
    [flip(chain(2)[0], 8 * (len(chain(2)[0]) - 1)), chain(2)[1]])
SELF = issue(OWNER, OWNER, subject="Owner", ca=True)
bad("owner-in-chain", "the owner's own certificate is in the chain", [*chain(1), SELF])
bad("owner-is-delegate", "the delegate's key is the owner's", chain(changes={0: {"key": OWNER}}))

# Permissions.
for number, who in enumerate(("delegate", "ca")):
    bad(f"{who}-purposes-missing", f"the {who} has no extended key usage", chain(2, changes={number: {"may": None}}),
        "delegate-permission")
    bad(f"{who}-purposes-other", f"the {who} has a purpose of TLS alone",
        chain(2, changes={number: {"may": [SERVER_AUTH]}}), "delegate-permission")
bad("middle-purposes-missing", "the CA in the middle has no extended key usage",
    chain(3, changes={1: {"may": None}}), "delegate-permission")
bad("purposes-any", "any purpose is no permission", chain(may=[ANY_PURPOSE]), "delegate-permission")
bad("purposes-flat", "an OID of an earlier draft, one level up", chain(may=["1.3.6.1.4.1.45724.3.2"]),
    "delegate-permission")
bad("purposes-arc", "the arc of the permissions itself", chain(may=[ARC]), "delegate-permission")
bad("purposes-8", "an OID behind the last permission", chain(may=[f"{ARC}.8"]), "delegate-permission")
bad("purposes-deeper", "an OID below a permission", chain(may=[f"{ARC}.1.1"]), "delegate-permission")
bad("purposes-disjoint", "delegate and CA have no permission in common",
    chain(2, changes={0: {"may": NAMES[:1]}, 1: {"may": NAMES[4:5]}}), "delegate-permission")
bad("purposes-twice", "two extended key usages", chain(changes={0: {"extra": [purposes("provision")]}}))
bad("purposes-malformed", "an extended key usage that is no list",
    chain(changes={0: {"may": None, "extra": [certs.extension("2.5.29.37", b"\x04\x00")]}}))

# Each certificate.
for number, who in enumerate(("delegate", "ca")):
    def one(**options):
        return chain(2, changes={number: options})

    bad(f"{who}-usage-missing", f"the {who} has no key usage", one(without=["usage"]))
    bad(f"{who}-constraints-missing", f"the {who} has no basic constraints", one(without=["constraints"]))
    bad(f"{who}-no-digital-signature", f"the key usage of the {who} lacks digital signatures", one(usage=CERT_SIGN))
    bad(f"{who}-critical", f"the {who} has a critical extension that is unknown",
        one(extra=[certs.extension(UNKNOWN, b"\x05\x00", critical=True)]))
    for critical in (True, False):
        names = der.seq(der.tlv(0xA0, der.seq(der.tlv(0x82, b"example.com"))))
        bad(f"{who}-name-constraints-{'critical' if critical else 'plain'}", f"the {who} has name constraints",
            one(extra=[certs.extension("2.5.29.30", names, critical=critical)]))
    bad(f"{who}-version-1", f"the certificate of the {who} has version 1", one(version=1))
    bad(f"{who}-version-2", f"the certificate of the {who} has extensions and version 2", one(version=2))
    bad(f"{who}-sha1", f"the certificate of the {who} is signed with SHA-1", one(hash_name="sha1"))
    bad(f"{who}-inner-algorithm", f"the certificate of the {who} names another algorithm inside",
        one(inner=certs.SIGNATURES["ec", "sha384"]))
    broken = chain(2)
    broken[number] = broken[number][:-1]
    bad(f"{who}-cut", f"the certificate of the {who} is cut", broken)
    broken = chain(2)
    broken[number] = broken[number] + b"\x00"
    bad(f"{who}-trailing", f"a byte behind the certificate of the {who}", broken)
bad("ca-no-cert-sign", "the key usage of the CA lacks signatures of certificates",
    chain(2, changes={1: {"usage": DIGITAL_SIGNATURE}}))
bad("ca-not-an-authority", "the CA is not marked as one", chain(2, changes={1: {"ca": False, "usage": DIGITAL_SIGNATURE | CERT_SIGN}}))
bad("delegate-is-ca", "the only certificate is that of a CA", chain(changes={0: {"ca": True}}))
bad("delegate-is-ca-below-ca", "the first of two certificates is that of a CA", chain(2, changes={0: {"ca": True}}))
bad("path-length-0", "a CA for no other CA above another CA", chain(3, changes={2: {"path_length": 0}}))
bad("path-length-1", "a CA for one other CA above two", chain(4, changes={3: {"path_length": 1}}))
bad("path-length-middle", "the same in the middle of a chain", chain(5, changes={3: {"path_length": 1}}))
bad("secp256k1", "a key on a curve that FDO does not have",
    chain(changes={0: {"spki": der.spki_ec(der.SECP256K1, OWNER.point())}}), "unsupported-key-type")
bad("point", "the point of the delegate's key is not on its curve",
    chain(changes={0: {"spki": der.spki_ec(der.P256, flip(OWNER.point(), 8 * 64))}}), "point-not-on-curve")
bad("ed25519", "an Ed25519 delegate", chain(key="ed25519-owner-a"), "experimental-key")
bad("ed25519-ca", "an Ed25519 key in the certificate of the CA",
    chain(2, changes={1: {"key": keys.get("ed25519-owner-b")}}), "experimental-key")

# Dates.
OLD = {"not_before": "20200101000000", "not_after": "20201231235959"}
LATE = {"not_before": "20270101000000"}
for number, who in enumerate(("delegate", "ca")):
    bad(f"{who}-expired", f"the certificate of the {who} has expired", chain(2, changes={number: OLD}),
        "certificate-time", at=NOW)
    bad(f"{who}-not-yet", f"the certificate of the {who} is not valid yet", chain(2, changes={number: LATE}),
        "certificate-time", at=NOW)
good("expired-without-time", "an expired certificate, and nobody knows the time", chain(changes={0: OLD}))
good("first-second", "at the first second", chain(changes={0: LATE}), at="2027-01-01T00:00:00Z")
good("last-second", "at the last second", chain(changes={0: OLD}), at="2020-12-31T23:59:59Z")
bad("after-last-second", "one second later", chain(changes={0: OLD}), "certificate-time", at="2021-01-01T00:00:00Z")
bad("never", "two certificates that were never valid at the same time; no time is given", chain(2, changes={0: OLD}))
