"""SDO: texts that are not, or not quite, what the format writes."""

import re

from .sdo_suite import Suite
from .sdo_voucher import MAKER, Built, Draft, escaped, hash_item, hops, key_text, mac, plain, wrapped

suite = Suite(__file__)
GOOD = Built(Draft(hops=hops(2))).text
WHITE = ("sdo-white-space", None)
STRING = ("sdo-string", None)


def edited(old, new, count=1):
    """The good voucher with one text in place of another, and nothing hashed again."""
    assert old in GOOD, old
    return GOOD.replace(old, new, count)


def changed(change):
    return Draft(hops=hops(2), after=change)


def info(text):
    return Draft(d=text, hops=hops(2))


def _exchange(text, first, second, end):
    """The members from `first` up to `end`, and the same with both exchanged."""
    one, two, three = text.index(first), text.index(second), text.index(end)
    return text[one:three], text[two:three] + text[one:two]


# White space.
suite.valid("blank-before", "white space before the voucher", changed(lambda text: " " + text), [WHITE])
suite.valid("blank-after", "more than a line end after it", changed(lambda text: text + "\n\n"), [WHITE])
suite.valid(
    "blank-between",
    "white space outside of everything that is hashed",
    changed(lambda text: text.replace(',"en":', ' , "en" :\t').replace('},"pk":[0', '} ,"pk":[0')),
    [WHITE],
)
suite.invalid("blank-in-header", "white space in the header, signed without", edited('"oh":{', '"oh":{ '), "previous-hash-mismatch", 0)
suite.valid(
    "blank-in-header-signed",
    "white space in the header, signed with it",
    Draft(hops=hops(2), header=lambda oh: oh.replace("{", "{ ", 1)),
    [WHITE],
)
suite.invalid("blank-in-base64", "a blank in base64", edited("==", " =="), "json-text")
suite.invalid("outer-key-blank", "white space in the null key", edited("[0,0,[0]]", "[0, 0,[0]]"), "outer-key", 0)

# What is around it.
suite.invalid("text-empty", "nothing", "", "truncated")
suite.invalid("text-cut", "cut off", GOOD[:-100], "truncated", 1)
suite.invalid("text-cut-string", "cut off in a string", GOOD[:60], "truncated")
suite.invalid("text-mark", "a byte order mark", "\ufeff" + GOOD, "json-text")
suite.invalid("text-wide", "UTF-16", ("\ufeff" + GOOD).encode("utf-16-le"), "json-text")
suite.invalid("text-behind", "a byte after the end", GOOD + "x", "trailing-bytes")
suite.invalid("text-nul-behind", "NUL bytes after the end", GOOD + "\0\0", "trailing-bytes")
suite.invalid("text-twice", "two vouchers", GOOD + GOOD, "trailing-bytes")
suite.invalid("text-deep", "nested 5000 deep", '{"sz":' + "[" * 5000 + "]" * 5000, "wrong-type")
suite.invalid("text-comment", "a comment", "/* voucher */" + GOOD, "json-text")
suite.invalid("text-comma", "a comma after the last entry", edited("}]}", "},]}"), "wrong-type", 2)
suite.invalid("text-null", "null for the device chain", Draft(dc="null", hdc="", hops=hops(1)), "json-text")
suite.invalid("text-large", "more than a MiB", info('"' + "x" * (1 << 20) + '"'), "limit-input")

# Members.
suite.invalid("member-order", "oh and hmac exchanged", Draft(
    hops=hops(1), members=lambda it: [it[0], it[2], it[1], *it[3:]]
), "member")
suite.invalid("member-order-signed", "g and d exchanged in the header, signed", Draft(
    hops=hops(1),
    header=lambda oh: oh.replace(*_exchange(oh, '"g":', '"d":', '"pk":')),
), "member")


def _suite_members():
    for name, why, draft in [
        ("twice", "sz twice", lambda text: text.replace('{"sz":2', '{"sz":2,"sz":2')),
        ("unknown", "a member that the format does not have", lambda text: text.replace(',"hmac"', ',"x":1,"hmac"')),
        ("upper-case", "a name in upper case", lambda text: text.replace('"en":', '"EN":')),
        ("escaped", "an escape in a name", lambda text: text.replace('"sz"', '"\\u0073z"')),
        ("missing-hmac", "no HMAC", lambda text: text[: text.index(',"hmac"')] + text[text.index(',"dc"') :]),
        ("missing-entries", "no list of entries", lambda text: text[: text.index(',"en"')] + "}"),
    ]:
        suite.invalid(f"member-{name}", why, changed(draft), "member")
    header_twice = lambda text: text.replace('{"sz":2,"oh":', '{"sz":2,"oh":{"pv":113},"oh":')
    suite.invalid("member-header-twice", "two headers", changed(header_twice), "member")
    suite.invalid("member-in-entry", "an unknown member beside bo", Draft(
        hops=hops(2, n0={"entry": lambda text: text.replace(',"sg"', ',"x":1,"sg"')})
    ), "member", 0)
    suite.invalid("member-in-body", "an unknown member in bo, signed", Draft(
        hops=hops(2, n1={"body": lambda text: text[:-1] + ',"x":1}'})
    ), "member", 1)
    suite.invalid("member-outer-key-missing", "no key beside bo", Draft(
        hops=hops(2, n0={"entry": lambda text: text.replace(',"pk":[0,0,[0]]', "")})
    ), "member", 0)


_suite_members()

# Numbers.
for name, why, text in [
    ("zeros", "a leading zero", "02"),
    ("fraction", "a fraction", "2.0"),
    ("exponent", "an exponent", "2e0"),
    ("negative", "a negative number", "-2"),
    ("wrap-8", "2 and 256", "258"),
    ("wrap-32", "2 and 2^32", str(2 + (1 << 32))),
    ("wrap-64", "2 and 2^64", str(2 + (1 << 64))),
]:
    suite.invalid(f"number-{name}", f"sz with {why}", Draft(sz=text, hops=hops(2)), "json-text")
suite.invalid("number-string", "sz as a string", Draft(sz='"2"', hops=hops(2)), "wrong-type")
suite.invalid("number-true", "true for a number", Draft(sz="true", hops=hops(1)), "json-text")
suite.invalid("version-wrap", "113 and 65536, signed", Draft(pv=113 + 65536, hops=hops(1)), "json-text")
suite.invalid("entries-few", "sz says fewer", Draft(sz=1, hops=hops(2)), "length-word")
suite.invalid("entries-many", "sz says more", Draft(sz=3, hops=hops(2)), "length-word")
suite.invalid("entries-none", "sz says one, and there is none", Draft(sz=1), "length-word")
suite.invalid("entries-256", "more entries than one byte can count", Draft(sz=0, hops=hops(256)), "limit-entries")

# Base64.
PADDED = Draft(hops=hops(1), chain=[])
suite.invalid("base64-padding", "padding left out", edited("==", "", 1), "json-text")
suite.invalid("base64-url", "the alphabet of URLs", GOOD.replace("+", "-").replace("/", "_"), "json-text")
suite.invalid("base64-escape", "a slash as an escape", GOOD.replace("/", "\\/", 1), "json-text")
suite.invalid("guid-spare-bits", "bits after the last byte", Draft(g='"AAAAAAAAAAAAAAAAAAAAAB=="', hops=hops(1)), "json-text")
suite.invalid("guid-short", "15 bytes", Draft(g='"AAAAAAAAAAAAAAAAAAAA"', hops=hops(1)), "guid-length")
suite.invalid("guid-uuid", "as a UUID", Draft(g='"3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596"', hops=hops(1)), "json-text")
suite.valid(
    "guid-zero",
    "16 zeros",
    Draft(g='"AAAAAAAAAAAAAAAAAAAAAA=="', hops=hops(1)),
    [("sdo-guid-zero", None)],
    guid=bytes(16),
)

# Strings, signed as they are.
for name, why, text in [
    ("upper-case", "an escape in upper case", '"a\\u005B"'),
    ("raw-bracket", "a bracket as it is", '"a["'),
    ("raw-utf8", "UTF-8 as it is", '"é"'),
    ("raw-separator", "a line separator as it is", '"\u2028"'),
    ("short", "a short escape", '"a\\""'),
    ("needless", "an escape that is not needed", '"\\u0041"'),
]:
    suite.valid(f"string-{name}", why, info(text), [STRING])
for name, why, text in [
    ("tab", "a tab as it is", '"a\tb"'),
    ("line-end", "a line end as it is", '"a\nb"'),
    ("surrogate", "half of a surrogate pair", '"a\\ud800"'),
    ("surrogate-low", "the other half", '"a\\udc00"'),
    ("surrogate-raw", "half of a pair in UTF-8", '"a\ud800"'),
    ("unknown", "an escape that JSON does not have", '"a\\x41"'),
]:
    suite.invalid(f"string-{name}", why, info(text), "json-text")
QUOTES = Built(info('"a_b"')).text.encode().replace(b'"a_b"', b'\x93a_b\x94')
suite.invalid("string-quotes", "quotation marks of Windows-1252", QUOTES, "json-text")
suite.invalid("string-not-utf8", "bytes that are not UTF-8", Built(info('"a_b"')).text.encode().replace(b"_", b"\xff"), "json-text")
suite.valid("info-empty", "no device info", info('""'), [("device-info-empty", None)])
suite.invalid("string-long", "a string of more than 64 KiB", info('"' + "x" * 70_000 + '"'), "limit-input")

# The wrapper.
LONG_WRAP = lambda text: wrapped(text, change=1)
suite.invalid("wrapper-length", "another length", changed(LONG_WRAP), "length-word")
suite.invalid("wrapper-type", "another type", changed(lambda text: wrapped(text, kind=4)), "wrong-type")
suite.invalid("wrapper-digits", "six digits of length", changed(lambda text: wrapped(text).replace('["', '["00')), "json-text")
suite.invalid("text-no-comma", "a string in place of a comma", edited(',"d":', '"x""d":'), "wrong-type")
suite.invalid("wrapper-sign", "a sign for a digit", changed(lambda text: wrapped(text).replace('["0', '["+')), "json-text")
suite.invalid("wrapper-empty", "no digits", changed(lambda text: re.sub(r'^."[^"]*', '["', wrapped(text))), "json-text")
SPACED = changed(lambda text: wrapped(text).replace('["0', '[ "+'))
suite.invalid("wrapper-spaced", "white space in a damaged wrapper", SPACED, "json-text")
suite.valid(
    "wrapper-version",
    "another version than the header's",
    changed(lambda text: wrapped(text, version=112)),
    [("sdo-wrapper-version", None)],
)
