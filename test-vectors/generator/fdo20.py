"""Messages of FDO 2.0: to1d, TO2.ProveOVHdr20 with its entries, and TO2.SetupDevice20, by owners and delegates."""

import hashlib

from . import cbor, certs, keys, messages as m
from .delegates import NAMES, NOW, OLD, ONE, RSA, ZERO, chain, voucher20
from .messages import Messages
from .owner import x509
from .suite import MAKER, OWNERS, draft, flip, replace
from .voucher import FDO20_AAD, SHA384, Built, Draft, Hop

suite = Messages(__file__)


def tag(text):
    """External data: an array of one text."""
    return cbor.array([cbor.tstr(text)])


OWNER_SIGN, PROVE_OV_HDR, SETUP_DEVICE = (
    tag(f"FDO-{name}-v1") for name in ("TO0-OwnerSign", "TO2-ProveOVHdr", "TO2-SetupDevice")
)
OLD_ONE = Built(draft(1))  # FDO 1.1
TWO = voucher20(2)
P384 = voucher20(1, x509("p384-maker"), [x509("p384-owner-a")], hash=SHA384)
GUID, SECRET = draft().guid, draft().secret
DELEGATE = m.DeviceKey("p256-delegate")  # its key, and the algorithm that the key signs with
LISTED = [["", "owner.example.com", 443, 5], ["192.0.2.1", "", 8443, 3]]


def null_or(certificates):
    """CertChainOrNull."""
    return cbor.NULL if certificates is None else cbor.array(map(cbor.bstr, certificates))


def key_hash(name):
    return hashlib.sha256(keys.get(name).spki()).hexdigest()


# TO2.ProveOVHdr20 and its entries.
def prove(built, certificates=None, signer=None, owner_item=None, count=None, nonce=m.NONCE_OV, mac=None, hook=m.keep,
          aad=PROVE_OV_HDR, unprotected=cbor.EMPTY_MAP, **options):
    items = [
        cbor.bstr(built.header),
        cbor.integer(len(built.entries)) if count is None else count,
        built.mac if mac is None else mac,
        cbor.bstr(nonce),
        cbor.bstr(m.KEY_EXCHANGE_B),
        cbor.integer(65535),
        built.owner.item if owner_item is None else owner_item,
        null_or(certificates),
    ]
    return m.sign1(signer or built.owner, cbor.array(hook(items)), aad=aad, unprotected=unprotected, **options)


def wrapped(entry, number):
    """TO2.OVNextEntry20."""
    return cbor.array([cbor.integer(number), cbor.bstr(entry)])


def run(built, first=None, **options):
    entries = [wrapped(entry, number) for number, entry in enumerate(built.entries)]
    return [prove(built, **options) if first is None else first, *entries]


def known(messages, delegates=None, allow=("fdo-2.0",)):
    """What the device knows, and what it gets."""
    given = {"guid": GUID, "secret": SECRET, "nonce": m.NONCE_OV, "device_nonce": m.NONCE_DV, "messages": messages,
             "allow": list(allow)}
    return given | ({"delegates": delegates} if delegates else {})


# to1d: the same message goes to the owner, to the rendezvous server and to the device.
def to1d_of(built, certificates=None, signer=None, third=None, aad=OWNER_SIGN, **options):
    """to1d of FDO 2.0. `third` is the content of the third item, or an empty list for none."""
    content = null_or(certificates) if third is None else third
    more = [] if third == [] else [cbor.bstr(content)]
    to0d = m.to0d(built.bytes)
    options = {"items_hook": lambda items: [*items, *more]} | options
    return m.to1d(signer or built.owner, to0d, built.draft.hash, aad=aad, **options)


def to1d(name, description, message, kind=None, built=ONE, delegates=None, signed_by=None, build=None, may=None):
    """`delegates` is a time, or True for none; without it no delegate is accepted."""
    given = known(run(built), delegates) | {"voucher": built.bytes, "message": message}
    given |= {"build": build, "chain": may} if build else {}
    if kind is None:
        suite.accepted("to1d20", name, description, given, addresses=LISTED, delegate=signed_by and key_hash(signed_by))
    else:
        suite.rejected("to1d20", name, description, given, kind)


BY = chain(may=["redirect"])
TO1D = to1d_of(ONE)
to1d("owner", "signed by the owner; the third item says so", TO1D, build="p256-owner-a")
to1d("owner-p384", "signed by a P-384 owner", to1d_of(P384), built=P384, build="p384-owner-a")
to1d("owner-rsa", "signed by an RSA owner", to1d_of(RSA), built=RSA)
to1d("owner-no-entries", "signed by the manufacturer", to1d_of(ZERO), built=ZERO, build=MAKER.key.name)
to1d("owner-two-items", "two items, from a session of FDO 1.1", to1d_of(ONE, third=[]))
to1d("owner-where-delegates-may", "signed by the owner, and a delegate would be accepted", TO1D, delegates=True)
to1d("delegate", "signed by a delegate", to1d_of(ONE, BY, DELEGATE), delegates=True, signed_by="p256-delegate",
     build="p256-delegate", may=BY)
to1d("delegate-at", "the same at a time", to1d_of(ONE, BY, DELEGATE), delegates=NOW, signed_by="p256-delegate")
LONG = chain(3, may=NAMES)
to1d("delegate-of-ca", "signed by a delegate below two CAs", to1d_of(ONE, LONG, DELEGATE), delegates=NOW,
     signed_by="p256-delegate", build="p256-delegate", may=LONG)
for name, alg in (("pkcs1", keys.RS256), ("pss", keys.PS256)):
    by = chain(owner=RSA.owner.key, key="rsa2048-owner-b")
    to1d(f"delegate-{name}", f"signed by an RSA delegate with algorithm {alg}",
         to1d_of(RSA, by, m.DeviceKey("rsa2048-owner-b", alg)), built=RSA, delegates=True, signed_by="rsa2048-owner-b")

to1d("nil", "FDO 2.0 without external data", to1d_of(ONE, aad=b""), "signature-invalid")
to1d("nil-two-items", "FDO 2.0, signed as in FDO 1.1 throughout", m.to1d(ONE.owner, m.to0d(ONE.bytes)), "signature-invalid")
to1d("entry-data", "with the external data of an entry", to1d_of(ONE, aad=FDO20_AAD), "signature-invalid")
to1d("other-data", "with the external data of TO2.ProveOVHdr20", to1d_of(ONE, aad=PROVE_OV_HDR), "signature-invalid")
to1d("fdo-1-1-data", "FDO 1.1 with external data", to1d_of(OLD_ONE, third=[]), "signature-invalid", built=OLD_ONE)
to1d("fdo-1-1-three-items", "FDO 1.1 with a third item", to1d_of(OLD_ONE, aad=b""), "wrong-size", built=OLD_ONE)
to1d("fdo-1-1-delegate", "FDO 1.1, signed by a delegate", to1d_of(OLD_ONE, BY, DELEGATE, aad=b""), "wrong-size",
     built=OLD_ONE, delegates=True)
to1d("fdo-1-1-plain", "FDO 1.1 as it should be", m.to1d(OLD_ONE.owner, m.to0d(OLD_ONE.bytes)), built=OLD_ONE)
to1d("earlier-owner", "signed by the manufacturer", to1d_of(ONE, signer=MAKER), "signature-invalid")
to1d("third-is-null", "the third item is null itself", to1d_of(ONE, items_hook=lambda items: [*items, cbor.NULL]), "wrong-type")
to1d("third-is-array", "the certificates are not in a byte string",
     to1d_of(ONE, signer=DELEGATE, items_hook=lambda items: [*items, null_or(BY)]), "wrong-type", delegates=True)
to1d("third-trailing", "a byte behind null in the third item", to1d_of(ONE, third=cbor.NULL + b"\x00"), "trailing-bytes")
to1d("third-empty", "the third item is empty", to1d_of(ONE, third=b""), "truncated")
to1d("five-items", "five items", to1d_of(ONE, items_hook=lambda items: [*items, cbor.bstr(cbor.NULL), cbor.NULL, cbor.NULL]), "wrong-size")
to1d("chain-empty", "a chain of no certificates", to1d_of(ONE, [], DELEGATE), "chain-empty", delegates=True)
to1d("delegate-refused", "signed by a delegate, and none is accepted", to1d_of(ONE, BY, DELEGATE), "delegate-refused")
to1d("delegate-unnamed", "signed by a delegate whose certificates are not there", to1d_of(ONE, None, DELEGATE),
     "signature-invalid", delegates=True)
to1d("delegate-but-owner-signed", "the certificates of a delegate, and the owner signed", to1d_of(ONE, BY),
     "signature-invalid", delegates=True)
to1d("delegate-but-other-signed", "the certificates of a delegate, and somebody else signed",
     to1d_of(ONE, BY, m.DeviceKey("p256-stranger")), "signature-invalid", delegates=True)
to1d("delegate-alg", "a P-256 delegate, and the label says EdDSA", to1d_of(ONE, BY, DELEGATE, alg=-8),
     "algorithm-mismatch", delegates=True)
to1d("delegate-nil", "signed by a delegate without external data", to1d_of(ONE, BY, DELEGATE, aad=b""),
     "signature-invalid", delegates=True)
to1d("delegate-of-another", "a delegate of somebody else", to1d_of(ONE, chain(owner=MAKER.key), DELEGATE),
     "delegate-chain", delegates=True)
to1d("delegate-expired", "the delegate's certificate has expired", to1d_of(ONE, chain(changes={0: OLD}), DELEGATE),
     "certificate-time", delegates=NOW)
to1d("delegate-expired-without-time", "the same, and nobody knows the time",
     to1d_of(ONE, chain(changes={0: OLD}), DELEGATE), delegates=True, signed_by="p256-delegate")
OTHERS = chain(may=NAMES[1:])
to1d("delegate-permission", "a delegate with every other permission", to1d_of(ONE, OTHERS, DELEGATE),
     "delegate-permission", delegates=True)


# Runs of TO2.
def accepted(name, description, built, messages=None, signed_by=None, build=None, may=None, **changes):
    given = known(run(built) if messages is None else messages, **changes)
    given |= {"build": build, "chain": may, "voucher": built.bytes} if build else {}
    suite.accepted("device20", name, description, given, owner=m.owner_hash(built.owner), entries=len(built.entries),
                   key_exchange=m.KEY_EXCHANGE_B, delegate=signed_by and key_hash(signed_by))


def refused(name, description, messages, kind, entry=None, **changes):
    suite.rejected("device20", name, description, known(messages, **changes), kind, entry)


ONBOARD = chain(may=NAMES[1:4])
for built in (ZERO, ONE, TWO):
    accepted(f"{len(built.entries)}-entries", f"a voucher of {len(built.entries)} entries", built, build=built.owner.key.name)
accepted("p384", "P-384 and SHA-384", P384, build="p384-owner-a")
accepted("rsa", "an RSA owner", RSA)
accepted("fdo-1-1-voucher", "a voucher of FDO 1.1 in a session of FDO 2.0: its entries have no external data", OLD_ONE, allow=[])
accepted("delegate", "signed by a delegate", ONE, run(ONE, certificates=ONBOARD, signer=DELEGATE), "p256-delegate",
         build="p256-delegate", may=ONBOARD, delegates=True)
accepted("delegate-at", "the same at a time", ONE, run(ONE, certificates=ONBOARD, signer=DELEGATE), "p256-delegate", delegates=NOW)
for number in (1, 2, 3):
    by = chain(2, may=[NAMES[number]])
    accepted(f"delegate-{NAMES[number]}", "signed by a delegate with this permission alone", ONE,
             run(ONE, certificates=by, signer=DELEGATE), "p256-delegate", delegates=True)
accepted("delegate-two-entries", "signed by a delegate of the second owner", TWO,
         run(TWO, certificates=chain(owner=TWO.owner.key, may=NAMES), signer=DELEGATE), "p256-delegate", delegates=True)

refused("without-allowance", "a header of version 200 without the allowance", run(ONE), "unsupported-version", allow=[])
refused("nil", "TO2.ProveOVHdr20 without external data", run(ONE, aad=b""), "signature-invalid")
refused("other-data", "with the external data of to1d", run(ONE, aad=OWNER_SIGN), "signature-invalid")
refused("nonce", "an answer to another TO2.ProveDevice20", run(ONE, nonce=bytes(16)), "wrong-nonce")
refused("hmac", "the HMAC of a device with another secret", run(voucher20(1, secret=bytes(32))), "hmac-mismatch")
refused("guid", "the voucher of another device", run(voucher20(1, guid=bytes(range(16)))), "wrong-device")
refused("seven-items", "a payload of seven items", run(ONE, hook=lambda items: items[:7]), "wrong-size")
refused("nine-items", "a payload of nine items", run(ONE, hook=lambda items: [*items, cbor.NULL]), "wrong-size")
refused("chain-wrapped", "the certificates in a byte string, as in to1d",
        run(ONE, signer=DELEGATE, hook=replace(7, cbor.bstr(null_or(ONBOARD)))), "wrong-type", delegates=True)
refused("is-fdo-1-1", "a TO2.ProveOVHdr of FDO 1.1 in its place", [m.prove_ov_hdr(ONE), *run(ONE)[1:]], "wrong-type")
refused("is-to1d", "a to1d in its place", [TO1D, *run(ONE)[1:]], "wrong-size")
refused("signature", "one bit of the signature flipped", run(ONE, signature=lambda s: flip(s, 77)), "signature-invalid")
refused("owner-is-manufacturer", "signed by, and naming, the manufacturer", run(ONE, owner_item=MAKER.item, signer=MAKER), "wrong-owner", 0)
refused("delegate-refused", "signed by a delegate, and none is accepted", run(ONE, certificates=ONBOARD, signer=DELEGATE), "delegate-refused")
refused("delegate-but-owner-signed", "the certificates of a delegate, and the owner signed", run(ONE, certificates=ONBOARD),
        "signature-invalid", delegates=True)
refused("delegate-nil", "signed by a delegate without external data", run(ONE, certificates=ONBOARD, signer=DELEGATE, aad=b""),
        "signature-invalid", delegates=True)
refused("delegate-permission", "a delegate that may do everything but onboard",
        run(ONE, certificates=chain(may=[NAMES[0], *NAMES[4:]]), signer=DELEGATE), "delegate-permission", delegates=True)
refused("delegate-of-another", "a delegate of somebody else under the owner's key",
        run(ONE, certificates=chain(owner=MAKER.key, may=NAMES), signer=DELEGATE), "delegate-chain", delegates=True)
refused("delegate-of-manufacturer", "a delegate of the manufacturer, who is not the owner any more",
        run(ONE, certificates=chain(owner=MAKER.key, may=NAMES), signer=DELEGATE, owner_item=MAKER.item),
        "wrong-owner", 0, delegates=True)
refused("delegate-expired", "the delegate's certificate has expired",
        run(ONE, certificates=chain(may=NAMES, changes={0: OLD}), signer=DELEGATE), "certificate-time", delegates=NOW)

NIL = Built(Draft(MAKER, hops=[Hop(OWNERS[0])], version=cbor.integer(200), header_version=cbor.integer(200)))
refused("entry-nil", "FDO 2.0, and entry 0 without external data", run(NIL), "signature-invalid", 0,
        allow=["fdo-2.0", "fdo-2.0-draft-aad"])
AAD = Built(draft(hops=[Hop(OWNERS[0], aad=FDO20_AAD)]))
refused("entry-draft", "FDO 1.1, and entry 0 with external data", run(AAD), "signature-invalid", 0)
accepted("entry-draft-allowed", "the same with its allowance", AAD, allow=["fdo-2.0-draft-aad"])
refused("entry-bare", "an entry that is not in a byte string", [run(ONE)[0], m.next_entry(ONE.entries[0], 0)], "wrong-type", 0)
refused("entry-trailing", "a byte behind the entry in its byte string", [run(ONE)[0], wrapped(ONE.entries[0] + b"\x00", 0)], "trailing-bytes", 0)
refused("entry-behind", "a byte behind the message", [run(ONE)[0], run(ONE)[1] + b"\x00"], "trailing-bytes", 0)
refused("entry-three-items", "a message of three items",
        [run(ONE)[0], cbor.array([cbor.integer(0), cbor.bstr(ONE.entries[0]), cbor.NULL])], "wrong-size", 0)
refused("entry-missing", "an entry is missing", run(TWO)[:2], "wrong-entry", 1)


# TO2.SetupDevice20.
NEW_GUID = bytes(range(0x80, 0x90))
NEW = x509("p256-owner-c")
RV2 = cbor.array([cbor.array([
    cbor.array([cbor.integer(5), cbor.bstr(cbor.tstr("rv2.example.com"))]),
    cbor.array([cbor.integer(3), cbor.bstr(cbor.integer(8443))]),
    cbor.array([cbor.integer(12), cbor.bstr(cbor.integer(2))]),
])])
CREDENTIALS = [RV2, cbor.bstr(NEW_GUID), cbor.bstr(m.NONCE_SETUP), NEW.item]


def setup_of(code, signer, credentials=None, limit=cbor.NULL, hook=m.keep, aad=SETUP_DEVICE, **options):
    new = cbor.NULL if credentials is None else cbor.array(credentials)
    return m.sign1(signer, cbor.array(hook([cbor.integer(code), new, limit])), aad=aad, **options)


def setup(name, description, message, kind=None, by=None, build=None, built=ONE, **expect):
    """`by` has the certificates of the delegate that onboards."""
    messages = run(built) if by is None else run(built, certificates=by, signer=DELEGATE)
    given = known(messages, delegates=True) | {"voucher": built.bytes, "message": message, "setup_nonce": m.NONCE_SETUP}
    given |= {"build": build, "chain": by} if build else {}
    if kind is None:
        suite.accepted("setup20", name, description, given, **expect)
    else:
        suite.rejected("setup20", name, description, given, kind)


def resold(built):
    """What device and new owner make of it."""
    header = cbor.array([
        built.draft.header_version, cbor.bstr(NEW_GUID), RV2, cbor.tstr(built.draft.device_info), NEW.item,
        m.hash_item(built.draft.hash, m.digest(built.draft.hash, b"".join(certs.device_chain()))),
    ])
    import hmac

    mac = hmac.digest(SECRET, header, "sha256")
    voucher = cbor.array([
        built.draft.version, cbor.bstr(header), m.hash_item(5, mac),
        cbor.array(map(cbor.bstr, certs.device_chain())), cbor.array([]),
    ])
    return {"header": header, "hmac": mac, "new_voucher": voucher}


MAY_ALL = chain(may=NAMES)
setup("resale", "new credentials, signed by the new owner", setup_of(1, NEW, CREDENTIALS), build="p256-owner-c",
      disposition="resale", limit=None, **resold(ONE))
setup("resale-fdo-1-1", "the new voucher has the version of the old one", setup_of(1, NEW, CREDENTIALS),
      build="p256-owner-c", built=OLD_ONE, disposition="resale", limit=None, **resold(OLD_ONE))
setup("resale-of-delegate", "the same in the session of a delegate", setup_of(1, NEW, CREDENTIALS), by=MAY_ALL,
      disposition="resale", limit=None)
for code, name in ((2, "reuse"), (3, "disable")):
    setup(name, "signed by the owner", setup_of(code, ONE.owner, limit=cbor.integer(1300)), build="p256-owner-a",
          disposition=name, limit=1300)
    setup(f"{name}-by-delegate", "signed by the delegate that onboards", setup_of(code, DELEGATE), by=MAY_ALL,
          build="p256-delegate", disposition=name, limit=None)
    setup(f"{name}-by-owner", "a delegate onboards, and the owner signed", setup_of(code, ONE.owner), "signature-invalid", by=MAY_ALL)
    setup(f"{name}-by-stranger", "somebody else signed", setup_of(code, m.DeviceKey("p256-stranger")), "signature-invalid")
    setup(f"{name}-with-credentials", "with new credentials", setup_of(code, ONE.owner, CREDENTIALS), "wrong-type")
    setup(f"{name}-nil", "without external data", setup_of(code, ONE.owner, aad=b""), "signature-invalid")
for code, name in ((1, "resale"), (2, "reuse"), (3, "disable")):
    others = chain(may=[NAMES[other] for other in (1, 2, 3) if other != code])
    message = setup_of(1, NEW, CREDENTIALS) if code == 1 else setup_of(code, DELEGATE)
    setup(f"{name}-permission", "a delegate onboards that may do the other two", message, "delegate-permission", by=others)
setup("resale-by-owner", "new credentials, signed by the current owner", setup_of(1, ONE.owner, CREDENTIALS), "signature-invalid")
setup("resale-nil", "without external data", setup_of(1, NEW, CREDENTIALS, aad=b""), "signature-invalid")
setup("resale-without-credentials", "without new credentials", setup_of(1, NEW), "wrong-type")
setup("resale-nonce", "an answer to another nonce", setup_of(1, NEW, [*CREDENTIALS[:2], cbor.bstr(bytes(16)), CREDENTIALS[3]]), "wrong-nonce")
setup("resale-guid-zero", "the new GUID is zero", setup_of(1, NEW, [RV2, cbor.bstr(bytes(16)), *CREDENTIALS[2:]]), "guid-zero")
setup("code-0", "disposition 0", setup_of(0, ONE.owner), "wrong-type")
setup("code-4", "disposition 4", setup_of(4, ONE.owner), "wrong-type")
setup("four-items", "four items", setup_of(2, ONE.owner, hook=lambda items: [*items, cbor.NULL]), "wrong-size")
setup("limit-65536", "a size past 16 bits", setup_of(2, ONE.owner, limit=cbor.integer(65536)), "wrong-type")
setup("is-fdo-1-1", "a TO2.SetupDevice of FDO 1.1 in its place", m.setup_device(ONE.owner, RV2, NEW_GUID, NEW.item), "wrong-message")
