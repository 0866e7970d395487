"""Reads strict DER (X.690): shortest lengths, nothing left over."""


class BadDer(Exception):
    pass


class Der:
    def __init__(self, data):
        self.data, self.at = data, 0

    def element(self):
        """(tag, content, whole element)."""
        start, data = self.at, self.data
        if len(data) - start < 2:
            raise BadDer
        tag, size, at = data[start], data[start + 1], start + 2
        if size >= 0x80:
            width = size & 0x7F
            if width == 0 or width > 4 or len(data) - at < width or data[at] == 0:
                raise BadDer
            size = int.from_bytes(data[at : at + width], "big")
            at += width
            if size < 128:
                raise BadDer
        if size > len(data) - at:
            raise BadDer
        self.at = at + size
        return tag, data[at : self.at], data[start : self.at]

    def expect(self, wanted):
        tag, content, _ = self.element()
        if tag != wanted:
            raise BadDer
        return content

    def inside(self, wanted):
        return Der(self.expect(wanted))

    def peek(self):
        return self.data[self.at] if self.at < len(self.data) else None

    def finish(self):
        if self.at != len(self.data):
            raise BadDer

    def integer(self):
        content = self.expect(2)
        if (
            not content
            or len(content) > 1
            and (content[0] == 0 and content[1] < 128 or content[0] == 255 and content[1] > 127)
        ):
            raise BadDer
        return int.from_bytes(content, "big", signed=True)

    def bits(self):
        content = self.expect(3)
        if not content or content[0] != 0:
            raise BadDer
        return content[1:]


OIDS = {
    "2a8648ce3d0201": "ec",
    "2a864886f70d010101": "rsa",
    "2b6570": "ed25519",
    "2a8648ce3d030107": "p256",
    "2b81040022": "p384",
    "2a8648ce3d040302": ("ec", "sha256"),
    "2a8648ce3d040303": ("ec", "sha384"),
    "2a864886f70d01010b": ("rsa", "sha256"),
    "2a864886f70d01010c": ("rsa", "sha384"),
}


def public_key(spki):
    """(kind, numbers) of a SubjectPublicKeyInfo: ("p256", point), ("rsa", (n, e)), ("ed25519", point), ("unknown", None)."""
    outer = Der(spki)
    body = outer.inside(0x30)
    outer.finish()
    algorithm = body.inside(0x30)
    name = OIDS.get(algorithm.expect(6).hex())
    content = body.bits()
    body.finish()
    if name == "ec":
        curve = OIDS.get(algorithm.expect(6).hex())  # explicit parameters are a SEQUENCE
        algorithm.finish()
        return (curve, content) if curve else ("unknown", None)
    if name == "rsa":
        if algorithm.expect(5):
            raise BadDer
        algorithm.finish()
        outer = Der(content)
        numbers = outer.inside(0x30)
        outer.finish()
        modulus, exponent = numbers.integer(), numbers.integer()
        numbers.finish()
        if modulus < 0 or exponent < 0:
            raise BadDer
        return "rsa", (modulus, exponent)
    if name == "ed25519":
        algorithm.finish()
        if len(content) != 32:
            raise BadDer
        return "ed25519", content
    return "unknown", None


def spki_of(data):
    """The SubjectPublicKeyInfo of a certificate. Dates, names and extensions are nobody's business until a path is
    asked for: the signature of the owner before covers every byte, and the key is what it signs over to."""
    outer = Der(data)
    certificate = outer.inside(0x30)
    outer.finish()
    body = certificate.inside(0x30)
    if body.peek() is not None and body.peek() & 0xC0 == 0x80:
        body.element()  # version
    for tag in (0x02, 0x30, 0x30, 0x30, 0x30):  # serial number, signature, issuer, validity, subject
        body.expect(tag)
    _, _, spki = body.element()
    while body.peek() is not None:
        body.element()
    certificate.element()
    certificate.expect(0x03)
    certificate.finish()
    return spki


class Certificate:
    """The parts of an X.509 certificate that the rules need."""

    def __init__(self, data):
        outer = Der(data)
        certificate = outer.inside(0x30)
        outer.finish()
        _, body, self.signed = certificate.element()
        body = Der(body)
        self.version = 1
        if body.peek() == 0xA0:
            self.version = body.inside(0xA0).integer() + 1
        body.integer()
        body.expect(0x30)
        self.issuer = body.expect(0x30)
        validity = body.inside(0x30)
        self.not_before, self.not_after = _time(validity), _time(validity)
        self.subject = body.expect(0x30)
        _, _, self.spki = body.element()
        public_key(self.spki)
        self.is_ca, self.usage = False, None
        while body.peek() in (0x81, 0x82):
            body.element()
        if body.peek() == 0xA3:
            extensions = body.inside(0xA3).inside(0x30)
            while extensions.peek() is not None:
                self._extension(extensions.inside(0x30))
        body.finish()
        self.algorithm = OIDS.get(certificate.inside(0x30).expect(6).hex())
        self.signature = certificate.bits()
        certificate.finish()

    def _extension(self, parts):
        name = parts.expect(6).hex()
        if parts.peek() == 1:
            parts.expect(1)
        value = Der(parts.expect(4))
        if name == "551d13":
            inside = value.inside(0x30)
            self.is_ca = inside.peek() == 1 and inside.expect(1) == b"\xff"
        elif name == "551d0f":
            self.usage = value.expect(3)[1]


def _time(validity):
    tag, content, _ = validity.element()
    text = content.decode("latin-1")
    if tag == 23:
        return ("20" if text < "50" else "19") + text
    if tag == 24:
        return text
    raise BadDer
