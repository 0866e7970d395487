"""TO1.ProveToRV and TO2.ProveDevice, by the device; TO2.SetupDevice, by the owner."""

import hashlib
import hmac as hmac_module

from . import cbor, certs, keys, messages as m, msg_device
from .messages import DeviceKey, EAT_FDO, EAT_NONCE, EAT_UEID, Messages, pairs, run
from .owner import cosekey, ec_point, x5chain, x509
from .suite import MAKER, OWNERS, draft, flip, replace
from .voucher import FDO20_AAD, SHA256, SHA384, Built, Draft, Hop, directive, hash_item, hashed, instruction

suite = Messages(__file__)
ONE = Built(draft(1))
GUID = ONE.draft.guid
EPID = Built(draft(1, chain_item=cbor.NULL, chain_hash=lambda _: cbor.NULL))
P384 = Built(draft(1, chain=certs.device_chain("p384")))
RSA = Built(draft(1, chain=certs.device_chain("rsa2048")))
RSA_KEY = "rsa2048-device-maker-0001"


def eat(check, name, description, message, kind, voucher=ONE, nonce=None, **expect):
    nonce = nonce or (m.NONCE_TO1 if check == "prove-to-rv" else m.NONCE_DV)
    given = {"voucher": voucher.bytes, "nonce": nonce, "message": message}
    given |= {key: expect.pop(key) for key in ("build",) if key in expect}
    if kind is None:
        if check == "prove-device":
            expect = {"key_exchange": m.KEY_EXCHANGE_B, "setup_nonce": m.NONCE_SETUP} | expect
        suite.accepted(check, name, description, given, **expect)
    else:
        suite.rejected(check, name, description, given, kind)


for check, build in (("prove-to-rv", m.prove_to_rv), ("prove-device", m.prove_device)):
    fdo = None if check == "prove-to-rv" else cbor.array([cbor.bstr(m.KEY_EXCHANGE_B)])
    nonce = m.NONCE_TO1 if check == "prove-to-rv" else m.NONCE_DV

    def case(name, description, message, kind=None, **options):
        eat(check, name, description, message, kind, **options)

    def claims(*labels):
        return build(GUID, token_options={"claims": lambda _: labels})

    NONCE, UEID = (EAT_NONCE, cbor.bstr(nonce)), (EAT_UEID, cbor.bstr(m.ueid(GUID)))
    FDO = [] if fdo is None else [(EAT_FDO, fdo)]
    case("p256", "a P-256 device", build(GUID), build="p256-device-maker-0001")
    case("p384", "a P-384 device", build(GUID, device=DeviceKey("p384-device-maker-0001")), voucher=P384, build="p384-device-maker-0001")
    case("rsa", "an RSA device, PKCS#1 v1.5", build(GUID, device=DeviceKey(RSA_KEY)), voucher=RSA)
    case("rsa-pss", "an RSA device, PSS", build(GUID, device=DeviceKey(RSA_KEY, keys.PS256)), voucher=RSA)
    case("more-claims", "a claim that nobody knows", claims(NONCE, UEID, *FDO, (1, cbor.tstr("issuer"))))
    case("ueid-11", "the UEID under label 11, as in fdo-rs", build(GUID, token_options={"ueid_label": 11}))
    case("other-order", "claims in another order", claims(*FDO, UEID, NONCE))
    case("old-nonce", "an answer to an earlier question", build(GUID, bytes(16)), "wrong-nonce")
    case("nonce-15", "a nonce of 15 bytes", build(GUID, bytes(15)), "wrong-size")
    case("no-nonce", "no nonce", claims(UEID, *FDO), "wrong-size")
    case("no-ueid", "no UEID", claims(NONCE, *FDO), "wrong-size")
    case("nonce-twice", "the nonce twice", claims(NONCE, NONCE, UEID, *FDO), "duplicate-label")
    case("ueid-twice", "the UEID under both of its labels", claims(NONCE, UEID, (11, UEID[1]), *FDO), "duplicate-label")
    case("other-device", "the GUID of another device", build(bytes(range(16))), "wrong-device")
    case("ueid-type", "the UEID has another type byte", claims(NONCE, (EAT_UEID, cbor.bstr(b"\x02" + GUID)), *FDO), "wrong-device")
    case("ueid-16", "the UEID lacks its type byte", claims(NONCE, (EAT_UEID, cbor.bstr(GUID)), *FDO), "wrong-device")
    case("ueid-text", "the UEID is a text", claims(NONCE, (EAT_UEID, cbor.tstr("guid")), *FDO), "wrong-type")
    case("signed-by-owner", "signed by the owner", build(GUID, sign=keys.get("p256-owner-a").sign), "signature-invalid")
    case("signed-by-ca", "signed by the device's CA", build(GUID, sign=keys.get("p256-device-ca-maker").sign), "signature-invalid")
    case("signature-changed", "one bit of the signature flipped", build(GUID, signature=lambda s: flip(s, 13)), "signature-invalid")
    case("signature-short", "a signature of 63 bytes", build(GUID, signature=lambda s: s[:-1]), "signature-length")
    case("alg-mismatch", "the label says EdDSA", build(GUID, alg=-8), "algorithm-mismatch")
    case("other-aad", "signed with external data", build(GUID, aad=FDO20_AAD), "signature-invalid")
    case("untagged", "without tag 18", build(GUID, whole=cbor.array), "wrong-type")
    case("trailing", "a byte behind the message", build(GUID) + b"\x00", "trailing-bytes")
    case("epid", "a device without certificate", build(GUID), "unsupported-attestation", voucher=EPID)
    case("is-entry", "an entry of the voucher", ONE.entries[0], "wrong-message")
    case("is-proof", "the owner's TO2.ProveOVHdr", m.prove_ov_hdr(ONE), "wrong-message")
    case("is-setup", "a TO2.SetupDevice", m.setup_device(ONE.owner, ONE.draft.rendezvous, GUID, MAKER.item), "wrong-message")
    case("is-to1d", "a to1d", m.to1d(ONE.owner, b""), "wrong-message")
    case("is-ownership", "a proof of ownership", m.proof(ONE.owner, m.challenge(ONE)), "wrong-message")

eat("prove-to-rv", "empty-fdo", "EAT-FDO is there and empty", m.prove_to_rv(GUID, fdo=cbor.EMPTY_ARRAY), None)
eat("prove-to-rv", "is-prove-device", "TO2.ProveDevice with the right nonce", m.prove_device(GUID, m.NONCE_TO1), "wrong-message")
eat("prove-device", "is-prove-to-rv", "TO1.ProveToRV with the right nonce", m.prove_to_rv(GUID, m.NONCE_DV), "wrong-message")
eat("prove-device", "no-setup-nonce", "no EUPHNonce", m.prove_device(GUID, unprotected=cbor.EMPTY_MAP), "wrong-size")
eat("prove-device", "setup-nonce-15", "EUPHNonce has 15 bytes", m.prove_device(GUID, unprotected=pairs((-259, cbor.bstr(bytes(15))))), "wrong-size")
eat("prove-device", "fdo-2", "EAT-FDO of two items", m.prove_device(GUID, fdo=cbor.array([cbor.bstr(b"x")] * 2)), "wrong-size")
eat("prove-device", "fdo-2-indefinite", "EAT-FDO of two items, without a count", m.prove_device(GUID, fdo=cbor.array_indefinite([cbor.bstr(b"x")] * 2)), "wrong-size")
eat("prove-device", "fdo-0", "EAT-FDO is empty", m.prove_device(GUID, fdo=cbor.EMPTY_ARRAY), "wrong-size")
eat("prove-device", "fdo-text", "xBKeyExchange is a text", m.prove_device(GUID, fdo=cbor.array([cbor.tstr("x")])), "wrong-type")

# TO2.SetupDevice.
NEW_GUID = bytes(range(0xA0, 0xB0))
NEW_RV = cbor.array([directive(instruction(5, cbor.tstr("rv2.example.com")), instruction(3, cbor.integer(8443)), instruction(12, cbor.integer(2)))])
NEW_OWNER = x509("p256-owner-new")


def setup(name, description, message, kind=None, built=ONE, nonce=m.NONCE_SETUP, **more):
    """The device knows its credential, has verified the owner, and gets the message."""
    given = {
        "guid": built.draft.guid,
        "secret": built.draft.secret,
        "hello": m.HELLO,
        "hello_nonce": m.NONCE_OV,
        "messages": run(built),
        "device_info": built.draft.device_info,
        "rendezvous": built.draft.rendezvous,
        "voucher": built.bytes,
        "nonce": nonce,
        "message": message,
    }
    given |= {key: more.pop(key) for key in ("reuse", "build") if key in more}
    if kind is None:
        suite.accepted("setup-device", name, description, given, **more)
    else:
        suite.rejected("setup-device", name, description, given, kind)


def replaced(built, owner2):
    """Header, HMAC and DCPubKeyHash that come of it, and the new voucher."""
    over = b"".join(certs.device_chain())
    code = built.draft.hash
    header = cbor.array(
        [
            cbor.integer(101),
            cbor.bstr(NEW_GUID),
            NEW_RV,
            cbor.tstr(built.draft.device_info),
            owner2.item,
            hashed(code)(over),
        ]
    )
    name = {SHA256: "sha256", SHA384: "sha384"}[code]
    mac = hmac_module.new(built.draft.secret, header, name).digest()
    item = hash_item(m.hmac_code(code), mac)
    chain = cbor.array(map(cbor.bstr, certs.device_chain()))
    voucher = cbor.array([cbor.integer(101), cbor.bstr(header), item, chain, cbor.EMPTY_ARRAY])
    return {
        "new_guid": NEW_GUID,
        "new_owner": m.owner_hash(owner2),
        "header": header,
        "hmac": mac,
        "manufacturer_hash": hashlib.new(name, owner2.item).digest(),
        "new_voucher": voucher,
    }


def message(built=ONE, owner2=NEW_OWNER, **options):
    return m.setup_device(options.pop("owner", built.owner), options.pop("rendezvous", NEW_RV), options.pop("guid", NEW_GUID), owner2.item, **options)


setup("p256", "new credentials", message(), **replaced(ONE, NEW_OWNER), build="p256-owner-a")
BIG = Built(draft(1, hash=SHA384))
setup("sha384", "new credentials, with SHA-384", message(BIG), built=BIG, **replaced(BIG, NEW_OWNER), build="p256-owner-a")
CHAIN = x5chain("p256-owner-new")
setup("x5chain", "the new owner as a chain of certificates", message(owner2=CHAIN), **replaced(ONE, CHAIN))
SAME = {"rendezvous": ONE.draft.rendezvous, "guid": GUID, "owner2": ONE.owner}
setup("reuse", "the credentials that the device has", message(**SAME), reuse=True, outcome="reuse", build="p256-owner-a")
setup("reuse-as-cosekey", "the same with the key in another encoding", message(**(SAME | {"owner2": cosekey("p256-owner-a")})), reuse=True, outcome="reuse")
setup("reuse-refused", "the credentials that the device has, which does not allow that", message(**SAME), "credential-reuse")
setup("old-nonce", "an answer to an earlier TO2.ProveDevice", message(nonce=bytes(16)), "wrong-nonce")
setup("nonce-15", "a nonce of 15 bytes", message(nonce=bytes(15)), "wrong-size")
setup("guid-15", "a GUID of 15 bytes", message(guid=bytes(15)), "guid-length")
setup("guid-zero", "a GUID of zeros", message(guid=bytes(16)), "guid-zero")
setup("rendezvous-text", "rendezvous info is a text", message(items_hook=replace(0, cbor.tstr("rv"))), "wrong-type")
setup("three-items", "a payload of three items", message(items_hook=lambda items: items[:3]), "wrong-size")
setup("five-items", "a payload of five items", message(items_hook=lambda items: [*items, cbor.NULL]), "wrong-size")
setup("signed-by-manufacturer", "signed by an earlier owner", message(sign=MAKER.key.sign), "signature-invalid")
setup("signed-by-new-owner", "signed by the new owner", message(sign=NEW_OWNER.key.sign), "signature-invalid")
setup("signature-changed", "one bit of the signature flipped", message(signature=lambda s: flip(s, 200)), "signature-invalid")
setup("alg-mismatch", "the label says EdDSA", message(alg=-8), "algorithm-mismatch")
setup("other-aad", "signed with external data", message(aad=FDO20_AAD), "signature-invalid")
setup("untagged", "without tag 18", message(whole=cbor.array), "wrong-type")
setup("trailing", "a byte behind the message", message() + b"\x00", "trailing-bytes")
setup("owner-off-curve", "the new owner's point is not on its curve", message(owner2=ec_point("p256-owner-new", flip(NEW_OWNER.key.point(), 8 * 64))), "point-not-on-curve")
setup("owner-label", "a P-384 key labelled SECP256R1", message(owner2=x509("p384-owner-a", 10)), "key-type-mismatch")
setup("owner-experimental", "an Ed25519 key", message(owner2=x509("ed25519-owner-a")), "experimental-key")
NEXT = Built(draft(2))
for name, other in {
    "entry": NEXT.entries[1],
    "proof": m.prove_ov_hdr(ONE),
    "to1d": m.to1d(ONE.owner, b""),
    "eat": m.prove_device(GUID),
    "ownership": m.proof(ONE.owner, m.challenge(ONE)),
}.items():
    setup(f"is-{name}", "another signed message offered as TO2.SetupDevice", other, "wrong-message")


def files():
    """TO2.SetupDevice after the two runs of `msg_device.files`, and the headers that come of them."""
    made = {}
    for name, built, owner2 in (
        ("p256", msg_device.TWO, NEW_OWNER),
        ("p384", msg_device.P384, x509("p384-owner-a")),
    ):
        made[f"{name}-65.cbor"] = message(built, owner2)
        made[f"{name}-65-header.cbor"] = replaced(built, owner2)["header"]
    return made
