"""A CBOR encoder (RFC 8949) that can also write what nobody should: long heads, indefinite lengths, wrong counts.

Every function returns bytes; items nest by passing bytes. `width` is the number of bytes that follow
the first byte of the head (0, 1, 2, 4 or 8); without it the head is as short as it can be.
"""


def head(major, number, width=None):
    """The head of an item: major type and argument."""
    if width is None:
        width = 0 if number < 24 else next(w for w in (1, 2, 4, 8) if number < 1 << 8 * w)
    if width == 0:
        return bytes([major << 5 | number])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + number.to_bytes(width, "big")


def integer(number, width=None):
    return head(0, number, width) if number >= 0 else head(1, -1 - number, width)


def bstr(content, width=None):
    return head(2, len(content), width) + content


def tstr(text, width=None):
    content = text.encode() if isinstance(text, str) else text
    return head(3, len(content), width) + content


def array(items, width=None, count=None):
    """`count` may lie about the number of items."""
    items = list(items)
    return head(4, len(items) if count is None else count, width) + b"".join(items)


def mapping(pairs, width=None, count=None):
    """`pairs` are (label, value), both encoded, written in the order given."""
    pairs = list(pairs)
    return head(5, len(pairs) if count is None else count, width) + b"".join(k + v for k, v in pairs)


def tag(number, item, width=None):
    return head(6, number, width) + item


def array_indefinite(items):
    return b"\x9f" + b"".join(items) + BREAK


def mapping_indefinite(pairs):
    return b"\xbf" + b"".join(k + v for k, v in pairs) + BREAK


def bstr_chunks(chunks):
    return b"\x5f" + b"".join(bstr(chunk) for chunk in chunks) + BREAK


def tstr_chunks(chunks):
    return b"\x7f" + b"".join(tstr(chunk) for chunk in chunks) + BREAK


def nested(depth, inner=b"\x00"):
    """`inner` inside `depth` arrays of one item."""
    return b"\x81" * depth + inner


BREAK = b"\xff"
NULL = b"\xf6"
TRUE = b"\xf5"
EMPTY_MAP = b"\xa0"
EMPTY_ARRAY = b"\x80"
