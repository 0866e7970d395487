"""Reads CBOR (RFC 8949) item by item, keeps byte offsets, and notes what is not canonical."""


class Reject(Exception):
    """The voucher is refused."""

    def __init__(self, kind, entry=None):
        super().__init__(kind, entry)
        self.kind, self.entry = kind, entry


class Context:
    """The entry being read, and the findings so far as (offset, kind, entry)."""

    def __init__(self):
        self.entry = None
        self.findings = []

    def note(self, kind, offset):
        self.findings.append((offset, kind, self.entry))

    def reject(self, kind):
        raise Reject(kind, self.entry)


class Array:
    """An array or map that has been opened."""

    def __init__(self, reader, count, start):
        self.reader, self.count, self.start, self.read = reader, count, start, 0

    def more(self):
        """Whether another item follows; moves past the break of an indefinite array."""
        if self.count is not None:
            return self.read < self.count
        if self.reader.peek() == 0xFF:
            self.reader.at += 1
            self.count = self.read
            return False
        return True

    def next(self):
        """Before each item of a fixed array."""
        if not self.more():
            self.reader.context.reject("wrong-size")
        self.read += 1

    def done(self):
        if self.more():
            self.reader.context.reject("wrong-size")


class Reader:
    """Reads the bytes `start..end` of `data`."""

    MAX_DEPTH = 16

    def __init__(self, data, start, end, context):
        self.data, self.at, self.end, self.context = data, start, end, context

    def peek(self):
        if self.at >= self.end:
            self.context.reject("truncated")
        return self.data[self.at]

    def take(self, size):
        if size > self.end - self.at:
            self.context.reject("truncated")
        self.at += size
        return self.data[self.at - size : self.at]

    def head(self):
        """(major, argument or None for indefinite, start)."""
        start, first = self.at, self.peek()
        self.at += 1
        major, low = first >> 5, first & 31
        if low < 24:
            return major, low, start
        if low < 28:
            width = 1 << low - 24
            number = int.from_bytes(self.take(width), "big")
            if major == 7:
                if width == 1 and number < 32:
                    self.context.reject("bad-cbor")
            elif number < (24 if width == 1 else 1 << 4 * width):
                self.context.note("non-shortest", start)
            return major, number, start
        if low == 31 and major in (2, 3, 4, 5):
            self.context.note("indefinite-length", start)
            return major, None, start
        return self.context.reject("bad-cbor")

    def expect(self, wanted):
        major, number, start = self.head()
        if major != wanted:
            self.context.reject("wrong-type")
        return number, start

    def uint(self):
        return self.expect(0)[0]

    def integer(self):
        major, number, _ = self.head()
        if major > 1:
            self.context.reject("wrong-type")
        return number if major == 0 else -1 - number

    def string(self, major):
        """(content start, content end) of a string; of several chunks none is accepted."""
        size, _ = self.expect(major)
        return self._content(major, size)

    def _content(self, major, size):
        spans = list(self._chunks(major, size))
        if len(spans) != 1:
            self.context.reject("chunked-string")
        return spans[0]

    def _chunks(self, major, size):
        """The contents of a string, one after the other."""
        if size is not None:
            self.take(size)
            yield self.at - size, self.at
            return
        while self.peek() != 0xFF:
            inner, number, _ = self.head()
            if inner != major or number is None:
                self.context.reject("bad-cbor")
            self.take(number)
            yield self.at - number, self.at
        self.at += 1

    def bstr(self):
        start, end = self.string(2)
        return self.data[start:end]

    def text(self):
        start, end = self.string(3)
        content = self.data[start:end]
        try:
            content.decode()
        except UnicodeDecodeError:
            self.context.reject("not-utf8")
        return content

    def array(self, size=None):
        count, start = self.expect(4)
        if size is not None and count is not None and count != size:
            self.context.reject("wrong-size")
        return Array(self, count, start)

    def mapping(self):
        count, start = self.expect(5)
        return Array(self, count, start)

    def is_null(self):
        if self.peek() == 0xF6:
            self.at += 1
            return True
        return False

    def inside(self):
        """A reader over the content of the byte string that follows."""
        start, end = self.string(2)
        return Reader(self.data, start, end, self.context)

    def finish(self):
        if self.at != self.end:
            self.context.reject("trailing-bytes")

    def skip(self, depth=0):
        """Moves past one item and returns its bytes."""
        begin = self.at
        major, number, _ = self.head()
        if major in (2, 3):
            for start, end in self._chunks(major, number):
                if major == 3:
                    try:
                        self.data[start:end].decode()
                    except UnicodeDecodeError:
                        self.context.reject("not-utf8")
        elif major in (4, 5, 6):
            if depth >= self.MAX_DEPTH:
                self.context.reject("limit-depth")
            items = Array(self, 1 if major == 6 else number, begin)
            while items.more():
                items.read += 1
                self.skip(depth + 1)
                if major == 5:
                    if number is None and self.peek() == 0xFF:
                        self.context.reject("bad-cbor")
                    self.skip(depth + 1)
        return self.data[begin : self.at]

    def label(self):
        """An integer or text label of a COSE header, as a comparable value."""
        major = self.peek() >> 5
        if major == 3:
            return self.text()
        return self.integer()
