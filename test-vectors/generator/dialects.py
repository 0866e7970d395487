"""Vouchers that must verify although they depart from the profile, each with its findings."""

import ipaddress

from . import cbor, certs, keys, owner
from .suite import MAKER, OWNERS, Suite, at, draft, last
from .voucher import FDO20_AAD, Draft, Hop, directive, hash_item, instruction

suite = Suite(__file__)


def extras():
    pair = (cbor.integer(-70000), cbor.bstr(b"value"))
    with_extra(
        "extra-empty-map", "41a0 in place of null (go-fdo).", cbor.bstr(cbor.EMPTY_MAP), ["extra-empty-map"]
    )
    with_extra(
        "extra-inline-map",
        "A bare map in place of a byte string that holds one (fdo-rs).",
        cbor.mapping([pair]),
        ["extra-inline-map"],
    )
    pairs = [(cbor.integer(-70000 - number), cbor.bstr(b"value")) for number in range(3)]
    for name, order in {"reversed": [2, 1, 0], "last-first": [2, 0, 1]}.items():
        with_extra(
            f"extra-order-{name}",
            "The types are not in the order of their encodings.",
            cbor.bstr(cbor.mapping([pairs[number] for number in order])),
            ["extra-order"] * (2 if name == "reversed" else 1),
        )
    for number, findings in ((-65537, []), (-65536, ["extra-reserved"]), (0, ["extra-reserved"])):
        with_extra(
            f"extra-type-{number}",
            "FDO keeps the types from -65536 up for itself.",
            cbor.bstr(cbor.mapping([(cbor.integer(number), cbor.bstr(b"value"))])),
            findings,
        )
    with_extra("extra-inline-empty-map", "A bare empty map.", cbor.EMPTY_MAP, ["extra-inline-map"])
    suite.valid(
        "extra-empty-map-every-entry",
        "go-fdo writes 41a0 into each entry.",
        Draft(MAKER, [Hop(one, extra=cbor.bstr(cbor.EMPTY_MAP)) for one in OWNERS]),
        [("extra-empty-map", number) for number in range(3)],
    )


def keys_spelled_otherwise():
    chain = certs.owner_chain(keys.get("p256-owner-a"))
    wrapped = cbor.bstr(cbor.array(map(cbor.bstr, chain)))
    cases = [
        (
            "x5chain-wrapped",
            "The array of certificates inside a byte string (fdo-rs).",
            owner.x5chain("p256-owner-a", body=wrapped),
            ["x5chain-wrapped"],
        ),
        (
            "x5chain-bare",
            "One bare certificate (RFC 9360).",
            owner.x5chain("p256-owner-a", body=cbor.bstr(chain[0])),
            ["x5chain-bare"],
        ),
        (
            "x5chain-one-element",
            "An array of one certificate (go-fdo-server).",
            owner.x5chain("p256-owner-a", length=1),
            [],
        ),
        (
            "x5chain-16-certificates",
            "As many certificates as the default limit allows.",
            owner.x5chain("p256-owner-a", length=16),
            [],
        ),
        ("x5chain-rsa", "RSA owners in certificates.", owner.x5chain("rsa2048-owner-a"), []),
        (
            "x5chain-wrong-issuer",
            "The second certificate did not sign the first: a remark.",
            owner.x5chain("p256-owner-a", chain=[chain[0], certs.device_ca()]),
            [],
        ),
        (
            "x5chain-version-1",
            "The owner's certificate is of version 1, which does not say so: a remark.",
            owner.x5chain("p256-owner-a", chain=certs.owner_chain(keys.get("p256-owner-a"), version=1)),
            [],
        ),
        (
            "x5chain-authority",
            "The owner's certificate is marked as that of a CA: a remark.",
            owner.x5chain("p256-owner-a", chain=certs.owner_chain(keys.get("p256-owner-a"), ca=True)),
            [],
        ),
        (
            "cosekey-without-kty",
            "Three labels (pri-fidoiot, client-sdk-fidoiot).",
            owner.cosekey("p256-owner-a", kty=False),
            ["cose-key-without-kty"],
        ),
        (
            "cosekey-wrapped",
            "The map inside a byte string (Astarte).",
            owner.cosekey(
                "p256-owner-a", body=cbor.bstr(cbor.mapping(owner.cose_labels(keys.get("p256-owner-a"))))
            ),
            ["cose-key-wrapped"],
        ),
        (
            "cosekey-other-label-order",
            "The labels in another order.",
            owner.cosekey("p256-owner-a", pairs=owner.cose_labels(keys.get("p256-owner-a"))[::-1]),
            [],
        ),
        (
            "cosekey-with-kid",
            "A COSE_Key with a key identifier.",
            owner.cosekey(
                "p256-owner-a",
                pairs=[*owner.cose_labels(keys.get("p256-owner-a")), (cbor.integer(2), cbor.bstr(b"kid"))],
            ),
            [],
        ),
    ]
    verify, sign = cbor.integer(2), cbor.integer(1)
    for name, label, value, finding in (
        ("private", -4, cbor.bstr(bytes(32)), "cose-key-private"),
        ("alg-es256", 3, cbor.integer(-7), None),
        ("alg-esp256", 3, cbor.integer(-9), None),
        ("alg-es384", 3, cbor.integer(-35), "cose-key-use"),
        ("alg-text", 3, cbor.tstr("ES256"), "cose-key-use"),
        ("ops-verify", 4, cbor.array([verify]), None),
        ("ops-sign-verify", 4, cbor.array([sign, verify]), None),
        ("ops-sign", 4, cbor.array([sign]), "cose-key-use"),
        ("ops-empty", 4, cbor.array([]), "cose-key-use"),
        ("ops-text", 4, cbor.array([cbor.tstr("verify")]), "cose-key-use"),
        ("ops-number", 4, verify, "cose-key-use"),
    ):
        pairs = [*owner.cose_labels(keys.get("p256-owner-a")), (cbor.integer(label), value)]
        cases.append(
            (
                f"cosekey-{name}",
                "What a COSE_Key says beside the key: its private part, its algorithm, its use.",
                owner.cosekey("p256-owner-a", pairs=pairs),
                [finding] if finding else [],
            )
        )
    cases.append(
        (
            "x5chain-second-no-certificate",
            "Something else in the place of the second certificate.",
            owner.x5chain("p256-owner-a", chain=[chain[0], b"not a certificate"]),
            ["certificate-malformed"],
        )
    )
    for coordinate in "xy":
        key = keys.get(f"p256-short-{coordinate}")
        short = owner.number_bytes(getattr(key, coordinate))
        cases.append(
            (
                f"cosekey-short-{coordinate}",
                f"{coordinate} lost its leading zero byte (go-fdo).",
                owner.cosekey(key.name, **{coordinate: short}),
                ["coordinate-length"],
            )
        )
    key = keys.get("p384-short-x")
    cases.append(
        (
            "cosekey-p384-short-x",
            "The same on P-384.",
            owner.cosekey(key.name, x=owner.number_bytes(key.x)),
            ["coordinate-length"],
        )
    )
    key = keys.get("p256-owner-a")
    cases.append(
        (
            "cosekey-33-bytes",
            "Both coordinates with a leading zero byte too many (Java).",
            owner.cosekey(key.name, x=owner.number_bytes(key.x, 1), y=owner.number_bytes(key.y, 1)),
            ["coordinate-length"] * 2,
        )
    )
    key = keys.get("rsa2048-owner-a")
    cases += [
        (
            "crypto-modulus-leading-zero",
            "257 bytes of modulus (Java).",
            owner.crypto(key.name, modulus=owner.number_bytes(key.modulus, 1)),
            ["leading-zero"],
        ),
        (
            "crypto-exponent-leading-zero",
            "An exponent of four bytes.",
            owner.crypto(key.name, exponent=owner.number_bytes(key.exponent, 1)),
            ["leading-zero"],
        ),
        (
            "crypto-both-leading-zeros",
            "Both at once.",
            owner.crypto(
                key.name,
                modulus=owner.number_bytes(key.modulus, 1),
                exponent=owner.number_bytes(key.exponent, 1),
            ),
            ["leading-zero"] * 2,
        ),
    ]
    for name, description, who, findings in cases:
        # The same owner everywhere, so that the header key and the entry keys are spelled alike.
        suite.valid(
            f"key-{name}",
            f"{description} Header key and entry key alike.",
            Draft(who, [Hop(who)]),
            [(kind, None) for kind in findings] + [(kind, 0) for kind in findings],
            hash_table="p384" in name,
        )
    suite.valid(
        "device-chain-bare",
        "The device certificate as one bare byte string.",
        draft(1, chain=certs.device_chain()[:1], chain_item=cbor.bstr(certs.device_chain()[0])),
        [("device-chain-bare", None)],
    )
    suite.valid(
        "device-chain-one-element",
        "A device chain of one certificate in an array.",
        draft(1, chain=certs.device_chain()[:1]),
    )


def rsa_exponents():
    for exponent in (65539, 4294967291):
        who = owner.x509(f"rsa2048e{exponent}-owner")
        suite.valid(
            f"key-rsa-exponent-{exponent}",
            "RSAPKCS allows odd exponents from 65537 to 2^32.",
            Draft(owner.x509("rsa2048-maker"), [Hop(who), Hop(owner.x509("rsa2048-owner-a"))]),
        )


def rendezvous():
    dns = instruction(5, cbor.tstr("rv.example.com"))
    cases = [
        ("empty", "No directive at all (fdo-rs).", [], ["rv-empty"]),
        ("empty-directive", "One directive without instructions.", [directive()], ["rv-empty"]),
        (
            "flags-one-element",
            "RVDevOnly, RVOwnerOnly and RVBypass as arrays of one item.",
            [directive(instruction(0), dns), directive(instruction(1), dns), directive(instruction(14), dns)],
            [],
        ),
        (
            "flag-with-value",
            "RVDevOnly and RVBypass with a value behind them.",
            [directive(instruction(0, cbor.TRUE), dns, instruction(14, cbor.NULL))],
            ["rv-flag-value"] * 2,
        ),
        (
            "value-missing",
            "RVDevPort without its value.",
            [directive(dns, instruction(3))],
            ["rv-value-missing"],
        ),
        (
            "unknown-variable",
            "Variables 16 and 200 are not known.",
            [directive(dns, instruction(16, cbor.integer(1)), instruction(200, cbor.integer(1)))],
            ["rv-unknown"] * 2,
        ),
        (
            "raw-values",
            "The byte strings hold text instead of CBOR (a manufacturing station).",
            [
                directive(
                    *[
                        cbor.array([cbor.integer(variable), cbor.bstr(text)])
                        for variable, text in ((5, b"rv.example.com"), (3, b"8080"), (2, b"\x7f\x00\x00\x01"))
                    ]
                )
            ],
            ["rv-value"] * 3,
        ),
        (
            "bare-values",
            "Values that are not wrapped in byte strings (as in FDO 1.0).",
            [
                directive(
                    cbor.array([cbor.integer(5), cbor.tstr("rv.example.com")]),
                    cbor.array([cbor.integer(3), cbor.integer(8443)]),
                )
            ],
            ["rv-value"] * 2,
        ),
        (
            "port-too-large",
            "A port of 65536.",
            [directive(dns, instruction(3, cbor.integer(65536)))],
            ["rv-value"],
        ),
        ("port-text", "A port as text.", [directive(dns, instruction(4, cbor.tstr("8443")))], ["rv-value"]),
        (
            "ipv4",
            "An IPv4 address.",
            [directive(instruction(2, cbor.bstr(bytes([192, 0, 2, 1]))), instruction(3, cbor.integer(80)))],
            [],
        ),
        (
            "ipv4-mapped",
            "A v4-mapped address of 16 bytes (go-fdo).",
            [directive(instruction(2, cbor.bstr(bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 1]))))],
            [],
        ),
        (
            "ip-5-bytes",
            "An address of five bytes.",
            [directive(instruction(2, cbor.bstr(bytes(5))))],
            ["rv-value"],
        ),
        (
            "every-variable",
            "Every variable of FDO 1.1 once, but RVOwnerOnly, which excludes RVDevOnly.",
            [
                directive(
                    instruction(0),
                    instruction(2, cbor.bstr(bytes([192, 0, 2, 1]))),
                    instruction(3, cbor.integer(80)),
                    instruction(4, cbor.integer(65535)),
                    dns,
                    instruction(6, hash_item(-16, bytes(32))),
                    instruction(7, hash_item(-43, bytes(48))),
                    instruction(8, cbor.TRUE),
                    instruction(9, cbor.tstr("shop floor")),
                    instruction(10, cbor.tstr("not a secret")),
                    instruction(11, cbor.integer(20)),
                    instruction(12, cbor.integer(6)),
                    instruction(13, cbor.integer(2**32 - 1)),
                    instruction(14),
                    instruction(15, cbor.array([cbor.tstr("com.example.rv")])),
                )
            ],
            [],
        ),
        (
            "ext-rv-empty",
            "RVExtRV without a mechanism in it.",
            [
                directive(dns, instruction(15, cbor.EMPTY_ARRAY)),
                directive(dns, instruction(15, cbor.array_indefinite([]))),
            ],
            ["rv-value"] * 2,
        ),
        ("flat", "Instructions without a directive around them.", [dns], ["rv-shape"]),
        (
            "text-for-directive",
            "A text string where a directive is expected.",
            [cbor.tstr("rv.example.com")],
            ["rv-shape"],
        ),
        (
            "1024-instructions",
            "As many instructions as the default limit allows, four in each directive.",
            [directive(dns, *(instruction(code, cbor.integer(6)) for code in (3, 4, 12)))] * 256,
            [],
        ),
        (
            "1024-instructions-in-1024-directives",
            "As many, one in each directive.",
            [directive(dns)] * 1024,
            [],
        ),
        (
            "1024-instructions-and-an-odd-item",
            "As many, and behind them a number in place of an instruction, which does not count as one.",
            [directive(dns)] * 1024 + [directive(cbor.integer(1))],
            ["rv-shape"],
        ),
        *nonsense(dns),
    ]
    for name, description, directives, findings in cases:
        suite.valid(
            f"rv-{name}",
            description,
            draft(1, rendezvous=cbor.array(directives)),
            [(kind, None) for kind in findings],
        )
    suite.valid(
        "device-info-empty", "An empty device info.", draft(1, device_info=""), [("device-info-empty", None)]
    )


def nonsense(dns):
    """Directives that can be read and make no sense: findings by default, refused when strict."""

    def host(name, text, findings=("rv-host",)):
        return f"host-{name}", f"{text!a} as RVDns.", [directive(instruction(5, cbor.tstr(text)))], list(findings)

    def number(name, variable, value, *findings):
        value = cbor.integer(value)
        return name, f"Variable {variable}: {name}.", [directive(dns, instruction(variable, value))], list(findings)

    def address(name, text, *findings):
        packed = cbor.bstr(ipaddress.ip_address(text).packed)
        return name, f"{text} as RVIPAddress.", [directive(instruction(2, packed))], list(findings)

    port, protocol, pause = (instruction(code, cbor.integer(n)) for code, n in ((3, 8443), (12, 2), (13, 60)))
    return [
        ("no-address", "Neither RVDns nor RVIPAddress.", [directive(port, protocol)], ["rv-no-address"]),
        ("bypass-no-address", "RVBypass to nowhere.", [directive(instruction(14))], ["rv-no-address"]),
        (
            "no-address-in-the-second",
            "One directive has an address, the other one has none.",
            [directive(dns, port), directive(port, pause)],
            ["rv-no-address"],
        ),
        ("pause", "A pause needs no address.", [directive(instruction(0), pause)], []),
        ("user-input", "Somebody is asked for the address.", [directive(instruction(8, cbor.TRUE), port)], []),
        (
            "ext-rv-alone",
            "Another mechanism finds the address.",
            [directive(instruction(15, cbor.array([cbor.tstr("com.example.rv")])))],
            [],
        ),
        ("second-directive-empty", "A directive without instructions.", [directive(dns), directive()], ["rv-empty"]),
        number("device-port-0", 3, 0, "rv-port"),
        number("owner-port-0", 4, 0, "rv-port"),
        number("delay-0", 13, 0),
        number("protocol-6", 12, 6),
        number("protocol-7", 12, 7, "rv-number"),
        number("medium-21", 11, 21),
        number("medium-22", 11, 22, "rv-number"),
        (
            "two-ports",
            "RVDevPort twice, with two ports.",
            [directive(dns, port, instruction(3, cbor.integer(80)))],
            ["rv-duplicate"],
        ),
        ("two-hosts", "RVDns three times.", [directive(dns, dns, dns)], ["rv-duplicate"] * 2),
        ("two-flags", "RVBypass twice.", [directive(dns, *[instruction(14)] * 2)], ["rv-duplicate"]),
        ("one-port-each", "A port in each of two directives.", [directive(dns, port)] * 2, []),
        (
            "for-nobody",
            "RVDevOnly and RVOwnerOnly in one directive.",
            [directive(instruction(0), instruction(1), dns)],
            ["rv-for-nobody"],
        ),
        host("url", "https://rv.example.com"),
        host("port", "rv.example.com:8443"),
        host("path", "rv.example.com/fdo"),
        host("user", "user@rv.example.com"),
        host("blank", "rv example.com"),
        host("blank-behind", "rv.example.com "),
        host("line-end", "rv.example.com\n"),
        host("escape", "rv\x1b[2J.example.com"),
        host("c1", "rv\x9b31m.example.com"),
        host("bidi", "rv\u202e.example.com"),
        host("beyond-ascii", "b\xfccher.example.com"),
        host("empty", ""),
        host("empty-label", "rv..example.com"),
        host("hyphen", "-rv.example.com"),
        host("label-64", "a" * 64 + ".example.com"),
        host("label-63", "a" * 63 + ".example.com", ()),
        host("254", ".".join(["a"] * 126 + ["bc"])),
        host("253", ".".join(["a"] * 127), ()),
        host("final-dot", "rv.example.com.", ()),
        host("underscore", "_rv.example.com", ()),
        host("ipv4", "10.0.0.5", ()),
        host("ipv6", "2001:db8::7", ()),
        host("ipv4-256", "10.0.0.256"),
        host("ipv4-short", "10.0.5"),
        host("ipv4-unspecified", "0.0.0.0"),
        host("ipv6-brackets", "[2001:db8::7]"),
        address("loopback", "127.0.0.1"),
        address("ipv6", "2001:db8::7"),
        address("ipv4-unspecified", "0.0.0.0", "rv-address"),
        address("ipv4-broadcast", "255.255.255.255", "rv-address"),
        address("ipv4-multicast", "224.0.0.1", "rv-address"),
        address("ipv6-unspecified", "::", "rv-address"),
        address("ipv6-multicast", "ff02::1", "rv-address"),
    ]


def headers():
    kid, text = (cbor.integer(4), cbor.bstr(b"key 1")), (cbor.tstr("note"), cbor.tstr("anything"))
    alg = (cbor.integer(1), cbor.integer(-7))
    suite.valid(
        "unprotected-kid",
        "A key identifier in the unprotected header.",
        last(2, unprotected=cbor.mapping([kid])),
        [("unprotected-header", 1)],
    )
    suite.valid(
        "unprotected-text-label",
        "A text label in the unprotected header.",
        last(2, unprotected=cbor.mapping([text])),
        [("unprotected-header", 1)],
    )
    suite.valid(
        "unprotected-two-text-labels",
        "Two text labels of the same length.",
        last(2, unprotected=cbor.mapping([(cbor.tstr("one"), cbor.NULL), (cbor.tstr("two"), cbor.NULL)])),
        [("unprotected-header", 1)],
    )
    suite.valid(
        "unprotected-every-kind-of-value",
        "Values of every CBOR type in the unprotected header.",
        last(
            1,
            unprotected=cbor.mapping(
                [
                    (cbor.integer(number), value)
                    for number, value in enumerate(
                        [
                            cbor.integer(-5),
                            cbor.tstr("t"),
                            cbor.bstr(b"b"),
                            cbor.array([cbor.NULL]),
                            cbor.EMPTY_MAP,
                            cbor.tag(1, cbor.integer(0)),
                            cbor.TRUE,
                            b"\xf7",
                            b"\xf9\x7e\x00",
                            b"\xfa\x00\x00\x00\x00",
                            b"\xfb" + bytes(8),
                            b"\xf8\xff",
                        ],
                        start=100,
                    )
                ]
            ),
        ),
        [("unprotected-header", 0)],
    )
    suite.valid(
        "unprotected-chunked-strings",
        "Strings of no, one and two chunks in the unprotected header, which nobody decodes.",
        last(
            1,
            unprotected=cbor.mapping(
                [
                    (cbor.integer(number), value)
                    for number, value in enumerate(
                        [
                            cbor.bstr_chunks([]),
                            cbor.bstr_chunks([b"one"]),
                            cbor.bstr_chunks([b"one", b"and two"]),
                            cbor.tstr_chunks([]),
                            cbor.tstr_chunks(["one", "and two"]),
                        ],
                        start=100,
                    )
                ]
            ),
        ),
        [("unprotected-header", 0)] + [("indefinite-length", 0)] * 5,
    )
    suite.valid(
        "unprotected-simple-value-32",
        "The first simple value that two bytes may hold: f820.",
        last(1, unprotected=cbor.mapping([(cbor.integer(4), b"\xf8\x20")])),
        [("unprotected-header", 0)],
    )
    suite.valid(
        "protected-kid",
        "A key identifier beside alg.",
        last(2, protected=cbor.mapping([alg, kid])),
        [("protected-extra", 1)],
    )
    suite.valid(
        "protected-text-label",
        "A text label beside alg.",
        last(2, protected=cbor.mapping([alg, text])),
        [("protected-extra", 1)],
    )
    suite.valid(
        "protected-crit-alg",
        "crit names alg, which every implementation understands.",
        last(2, protected=cbor.mapping([alg, (cbor.integer(2), cbor.array([cbor.integer(1)]))])),
        [("protected-extra", 1)],
    )
    suite.valid(
        "protected-alg-last",
        "alg is not the first label.",
        last(2, protected=cbor.mapping([kid, alg])),
        [("protected-extra", 1)],
    )
    suite.valid(
        "unprotected-before-last-entry",
        "The unprotected header of entry 0 is under the hash of entry 1, so it is authentic there.",
        at(3, 0, unprotected=cbor.mapping([kid])),
        [("unprotected-header", 0)],
    )


def allowances():
    untagged = lambda items: cbor.array(items)
    suite.valid(
        "allow-untagged",
        "Both entries without tag 18, as in a pre-release of 2021.",
        Draft(MAKER, [Hop(one, entry=untagged) for one in OWNERS[:2]]),
        [("untagged-entry", 0), ("untagged-entry", 1)],
        allow=["legacy-untagged"],
    )
    suite.valid(
        "allow-untagged-first-only",
        "Entry 0 without the tag; entry 1 hashes it so.",
        at(2, 0, entry=untagged),
        [("untagged-entry", 0)],
        allow=["legacy-untagged"],
    )
    chain = cbor.array(map(cbor.bstr, certs.device_chain()))
    suite.valid(
        "allow-legacy-chain-hash",
        "The chain hash covers the CBOR item (fdo-rs before 2024).",
        draft(2, chain_hash_over=chain),
        [("legacy-chain-hash", None)],
        allow=["legacy-chain-hash"],
    )
    suite.valid(
        "allow-legacy-chain-hash-unused",
        "The allowance is given and the voucher needs none.",
        draft(2),
        allow=[
            "legacy-chain-hash",
            "legacy-untagged",
            "key-type-label",
            "fdo-2.0",
            "fdo-2.0-draft-aad",
            "experimental-keys",
        ],
    )
    liar = owner.x509("p256-owner-a", owner.SECP384R1)
    suite.valid(
        "allow-label-p384-on-p256",
        "A P-256 key labelled SECP384R1 (go-fdo copies the manufacturer's label); the alg fits the key.",
        Draft(MAKER, [Hop(liar), Hop(OWNERS[1])]),
        [("key-mix", 0), ("key-type-label", 0)],
        allow=["key-type-label"],
    )
    liar = owner.x509("p384-owner-a", owner.SECP256R1)
    suite.valid(
        "allow-label-p256-on-p384",
        "A P-384 key labelled SECP256R1.",
        Draft(MAKER, [Hop(liar), Hop(OWNERS[1])]),
        [("key-type-label", 0)],
        hash_table=None,
        allow=["key-type-label"],
    )
    suite.valid(
        "allow-label-header",
        "The manufacturer's own label lies.",
        Draft(owner.x509("p384-maker", owner.SECP256R1), [Hop(OWNERS[1])]),
        [("key-type-label", None)],
        hash_table=None,
        allow=["key-type-label"],
    )
    version = {"version": cbor.integer(200), "header_version": cbor.integer(200)}

    def two(*data, **changes):
        return Draft(MAKER, [Hop(one, aad=aad) for one, aad in zip(OWNERS, data)], **changes)

    for name, data, findings in (
        ("aad-aad", (FDO20_AAD, FDO20_AAD), [("draft-aad", 0), ("draft-aad", 1)]),
        ("nil-aad", (b"", FDO20_AAD), [("draft-aad", 1)]),
        ("aad-nil", (FDO20_AAD, b""), [("draft-aad", 0)]),
    ):
        suite.valid(
            f"allow-fdo20-draft-aad-{name}",
            "FDO 1.1, and entries with the external data of FDO 2.0.",
            two(*data),
            findings,
            allow=["fdo-2.0-draft-aad"],
        )
    suite.valid(
        "allow-fdo20-2-entries",
        "FDO 2.0: every entry is signed with external data.",
        two(FDO20_AAD, FDO20_AAD, **version),
        [("fdo20-version", None)],
        allow=["fdo-2.0"],
    )
    suite.valid(
        "allow-fdo20-0-entries",
        "FDO 2.0 without entries.",
        draft(0, **version),
        [("fdo20-version", None)],
        allow=["fdo-2.0"],
    )
    rsa_maker, rsa_owner = owner.x509("rsa2048-maker"), owner.x509("rsa2048-owner-a")
    suite.valid(
        "allow-fdo20-draft-aad-rsa",
        "RSA signatures with external_aad.",
        Draft(rsa_maker, [Hop(rsa_owner, aad=FDO20_AAD)]),
        [("draft-aad", 0)],
        allow=["fdo-2.0-draft-aad"],
    )


def wrapped():
    """Nothing of what is around a voucher is hashed or signed."""
    described = lambda voucher: cbor.tag(55799, voucher)
    tag_24 = lambda voucher: cbor.tag(24, cbor.bstr(voucher))
    for name, description, wrap in (
        ("self-described", "Behind tag 55799 (self-described CBOR).", described),
        ("tag-24", "In a byte string with tag 24.", tag_24),
        ("byte-string", "In a byte string.", cbor.bstr),
        ("long-head", "In a byte string whose length has eight bytes.", lambda it: cbor.bstr(it, 8)),
        ("thrice", "In a byte string with tag 24, behind tag 55799, in a byte string.", lambda it: cbor.bstr(described(tag_24(it)))),
    ):
        suite.valid(f"wrapped-{name}", description, draft(2), [("wrapped", None)], wrap=wrap)


def with_extra(name, description, extra, findings):
    suite.valid(name, description, last(2, extra=extra), [(kind, 1) for kind in findings])


for group in (extras, keys_spelled_otherwise, rsa_exponents, rendezvous, headers, allowances, wrapped):
    group()
