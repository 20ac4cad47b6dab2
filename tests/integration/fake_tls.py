"""A server's first flight of TLS, made by hand: for faults that no library shows any more.

It answers SSLRequest with S and one hello with what it was told to be; nothing is computed, so that a client
who goes on finds out.  Sources: RFC 5246 7.4, RFC 8446 4.1.3, RFC 6101.
"""
import ssl
import struct

SSL_REQUEST, GSSENC_REQUEST = b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"
SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
RENEGOTIATION, EMS, ETM, TICKET = 0xff01, 23, 22, 35
SENTINEL = b"DOWNGRD\x01"


def block(data, size):
    return len(data).to_bytes(size, "big") + data


def message(kind, body):
    return bytes([kind]) + block(body, 3)


def record(kind, body, version=TLS12):
    return struct.pack(">BHH", kind, version, len(body)) + body


class Hello:
    """What a ClientHello offers."""

    def __init__(self, body):
        self.version, at = struct.unpack(">H", body[:2])[0], 34
        at += 1 + body[at]
        size = struct.unpack(">H", body[at:at + 2])[0]
        self.suites = struct.unpack(f">{size // 2}H", body[at + 2:at + 2 + size])
        at += 2 + size
        self.compressions = body[at + 1:at + 1 + body[at]]
        at += 1 + body[at] + 2
        self.extensions = {}
        while at + 4 <= len(body):
            kind, size = struct.unpack(">HH", body[at:at + 4])
            self.extensions[kind] = body[at + 4:at + 4 + size]
            at += 4 + size
        self.tls13 = 43 in self.extensions and struct.pack(">H", TLS13) in self.extensions[43]


def read_exact(link, size):
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


class Fake:
    def __init__(self, certificate, suites=(0x002f,), lowest=TLS12, highest=TLS12, compression=False,
                 extensions=(RENEGOTIATION, EMS), session_id=False, sentinel=True, asks=False, dh_bits=2048):
        self.der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        self.suites, self.lowest, self.highest = suites, lowest, highest
        self.compression, self.extensions, self.session_id = compression, extensions, session_id
        self.sentinel, self.asks, self.dh_bits = sentinel, asks, dh_bits

    def __call__(self, link):
        """One connection: what peer() of test_scan.py wants."""
        first = link.recv(4096)
        if first[4:8] == GSSENC_REQUEST:
            link.sendall(b"N")
        if first[4:8] != SSL_REQUEST:
            return
        link.sendall(b"S")
        head = read_exact(link, 5)
        hello = Hello(read_exact(link, struct.unpack(">H", head[3:])[0])[4:])
        link.sendall(self.flight(hello))
        link.recv(4096)

    def flight(self, hello):
        version = TLS13 if hello.tls13 and self.highest == TLS13 else min(hello.version, self.highest, TLS12)
        pick = [one for one in self.suites if one in hello.suites and (one >> 8 == 0x13) == (version == TLS13)]
        if not pick or version < self.lowest:
            return record(21, b"\x02\x28")                              # handshake_failure
        if version == TLS13:
            return record(22, self.server_hello13(pick[0], hello))
        body = self.server_hello(version, pick[0], hello) + message(11, block(block(self.der, 3), 3))
        if self.dh_bits and pick[0] in (0x0033, 0x0039, 0x0016, 0x009e):        # DHE
            prime = b"\xff" * (self.dh_bits // 8)
            scheme = b"\x04\x01" if version >= TLS12 else b""
            body += message(12, block(prime, 2) + block(b"\x02", 2) + block(prime, 2) + scheme
                            + block(b"\0" * 64, 2))
        if self.asks:
            schemes = block(b"\x04\x01", 2) if version >= TLS12 else b""
            body += message(13, block(b"\x01", 1) + schemes + block(b"", 2))
        return record(22, body + message(14, b""), version)

    def server_hello(self, version, suite, hello):
        random = bytes(24) + (SENTINEL if self.sentinel and self.highest == TLS13 else bytes(8))
        values = {RENEGOTIATION: b"\0"}
        extensions = b"".join(struct.pack(">H", one) + block(values.get(one, b""), 2) for one in self.extensions
                              if version > SSL3)
        return message(2, struct.pack(">H", version) + random + block(b"\x07" * 32 if self.session_id else b"", 1)
                       + struct.pack(">HB", suite, 1 if self.compression and 1 in hello.compressions else 0)
                       + (block(extensions, 2) if extensions else b""))

    @staticmethod
    def server_hello13(suite, hello):
        extensions = struct.pack(">HHH", 43, 2, TLS13)
        if 51 in hello.extensions and b"\x00\x1d\x00\x20" in hello.extensions[51]:
            extensions += struct.pack(">HHHH", 51, 36, 29, 32) + b"\x09" + bytes(31)
        return message(2, struct.pack(">H", TLS12) + b"\x05" * 32 + block(b"", 1) + struct.pack(">HB", suite, 0)
                       + block(extensions, 2))
