#!/usr/bin/python3
"""Write a capture of many mixed connections whose verdicts are known.

    make_pcap.py OUT.pcap CONNECTIONS [--seed N] [--bulk BYTES] [--truth FILE]

The TLS is what OpenSSL really said (tests/data/tls).  Packets are split, reordered, sent twice and
interleaved, as networks do; some connections begin before the capture, or lose packets.  FILE gets one
line for each connection: client address, client port, verdict.
"""
import argparse
import heapq
import pathlib
import random
import struct

DATA = pathlib.Path(__file__).resolve().parent.parent / "data/tls"
SSL, GSS = struct.pack(">II", 8, 80877103), struct.pack(">II", 8, 80877104)
CANCEL = struct.pack(">IIII", 16, 80877102, 1, 2)


def message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def startup(user, database, app="psql"):
    pairs = f"user\0{user}\0database\0{database}\0application_name\0{app}\0\0".encode()
    return struct.pack(">II", 8 + len(pairs), 196608) + pairs


OK = message(b"R", struct.pack(">I", 0)) + message(b"Z", b"I")
ASK = message(b"R", struct.pack(">I", 3))
FATAL = message(b"E", b"SFATAL\0VFATAL\0C28000\0Mno entry\0\0")
QUERY = message(b"Q", b"select * from clientes where nombre = 'Ana'\0")
ROW = message(b"D", struct.pack(">HI", 1, 3) + b"Ana")


def records(data):
    at = 0
    while at < len(data):
        end = at + 5 + struct.unpack(">H", data[at + 3:at + 5])[0]
        yield data[at:end]
        at = end


def tls(name):
    """The recorded handshake as turns of client and server."""
    client = list(records((DATA / f"{name}.client").read_bytes()))
    server = list(records((DATA / f"{name}.server").read_bytes()))
    if name == "tls13":
        return [("c", client[0]), ("s", b"".join(server[:5])), ("c", b"".join(client[1:])),
                ("s", b"".join(server[5:]))]
    if name == "tls12":
        return [("c", client[0]), ("s", b"".join(server[:4])), ("c", b"".join(client[1:4])),
                ("s", b"".join(server[4:7])), ("c", b"".join(client[4:])), ("s", b"".join(server[7:]))]
    return [("c", client[0]), ("s", b"".join(server)), ("c", b"".join(client[1:]))]


PLAIN = [("s", ASK), ("c", message(b"p", b"Passw0rd\0")), ("s", OK), ("c", QUERY), ("s", ROW * 3 + OK[9:])]
KINDS = {       # name -> (weight, verdict, turns)
    "tls13": (30, "tls", lambda: [("c", SSL), ("s", b"S")] + tls("tls13")),
    "tls12": (15, "tls", lambda: [("c", SSL), ("s", b"S")] + tls("tls12")),
    "gss-then-tls": (4, "tls", lambda: [("c", GSS), ("s", b"N"), ("c", SSL), ("s", b"S")] + tls("tls13")),
    "direct": (6, "tls", lambda: tls("tls13")),
    "plain": (20, "plaintext", lambda: [("c", startup("app", "shop"))] + PLAIN),
    "plain-refused": (3, "plaintext", lambda: [("c", startup("app", "shop")), ("s", FATAL)]),
    "downgraded": (5, "downgraded",
                   lambda: [("c", SSL), ("s", b"N"), ("c", startup("old", "shop"))] + PLAIN),
    "refused": (2, "refused", lambda: [("c", SSL), ("s", b"N")]),
    "cancel": (3, "cancel", lambda: [("c", CANCEL)]),
    "untrusted": (2, "tls-failed", lambda: [("c", SSL), ("s", b"S")] + tls("tls13-untrusted")),
    "version": (1, "tls-failed", lambda: [("c", SSL), ("s", b"S")] + tls("version-refused")),
    "not-started": (1, "tls-not-started", lambda: [("c", SSL), ("s", b"S")]),
    "gss": (1, "gss", lambda: [("c", GSS), ("s", b"G")] + [("c", b"\0\0\0\x04abcd"),
                                                           ("s", b"\0\0\0\x04abcd")] * 3),
    "tls-left": (1, "plaintext", lambda: [("c", SSL), ("s", b"S")] + tls("tls13") + PLAIN[3:]),
    "gss-left": (1, "plaintext", lambda: KINDS["gss"][2]() + PLAIN[3:]),
    "gss-failed": (1, "gss-failed", lambda: [("c", GSS), ("s", b"G"), ("c", b"\0\0\0\x04abcd")]),
    "stuffed": (1, "injected", lambda: [("c", SSL + startup("eve", "shop")), ("s", b"S")] + tls("tls13")),
    "stuffed-back": (1, "injected", lambda: [("c", SSL), ("s", b"S" + OK)] + tls("tls13")),
    "empty": (1, "no-data", lambda: []),
    "http": (1, "not-postgres", lambda: [("c", b"GET / HTTP/1.0\r\n\r\n"), ("s", b"HTTP/1.0 200 OK\r\n")]),
    "old": (2, "unknown", lambda: [("c", QUERY), ("s", ROW * 5 + OK[9:]), ("c", QUERY)]),
    "lost": (1, "unknown", lambda: [("c", SSL), ("s", b"S")] + tls("tls13")),
}


class Connection:
    """Packets of one connection: (time, bytes)."""

    def __init__(self, rng, number, kind, bulk):
        self.rng, self.kind = rng, kind
        self.v6 = rng.random() < 0.2
        self.client = (10, 0, number >> 8 & 255, number & 255)
        self.port = 20000 + (number >> 16) * 1000 + rng.randrange(1000)
        self.time = rng.random() * 60
        self.seq = {"c": rng.randrange(1 << 32), "s": rng.randrange(1 << 32)}
        self.packets = []
        self.begun = kind != "old"
        if self.begun:
            self.put("c", 2, b"")
            self.put("s", 18, b"")
            self.put("c", 16, b"")
        for n, (side, data) in enumerate(KINDS[kind][2]() + self.bulk(bulk)):
            if kind == "lost" and n == 3:       # the server's hello never reaches the capture
                self.seq[side] = self.seq[side] + len(data) & 0xFFFFFFFF
                continue
            self.say(side, data)
        self.put("c", 17, b"")
        self.put("s", 17, b"")
        self.put("c", 16, b"")

    def bulk(self, size):
        if not size or self.kind not in ("tls13", "plain"):
            return []
        one = (b"\x17\x03\x03\x40\x00" + bytes(16384) if self.kind == "tls13" else ROW * 1200)
        return [("s", one)] * (size // len(one))

    def say(self, side, data):
        pieces = []
        while data:
            n = self.rng.choice((1448, 1448, 1448, 700, 90)) if self.kind != "stuffed" else 1448
            pieces.append(data[:n])
            data = data[n:]
        made = [self.segment(side, 24, piece) for piece in pieces]
        if len(made) > 1 and self.rng.random() < 0.1:
            at = self.rng.randrange(len(made) - 1)
            made[at], made[at + 1] = made[at + 1], made[at]
        for packet in made:
            self.emit(packet)
            if self.rng.random() < 0.02:
                self.emit(packet)               # sent again

    def put(self, side, flags, data):
        self.emit(self.segment(side, flags, data))

    def segment(self, side, flags, data):
        other = "s" if side == "c" else "c"
        ports = (self.port, 5432) if side == "c" else (5432, self.port)
        ack = 0 if flags == 2 else self.seq[other]
        tcp = struct.pack(">HHIIBBHHH", *ports, self.seq[side], ack, 0x50, flags, 65535, 0, 0) + data
        self.seq[side] = self.seq[side] + len(data) + (flags & 3 != 0) & 0xFFFFFFFF
        client = self.address()
        server = bytes([0x20, 1, 0xd, 0xb8] + [0] * 11 + [1]) if self.v6 else bytes([10, 255, 0, 1])
        ends = client + server if side == "c" else server + client
        if self.v6:
            ip = struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + ends
            return b"\2\2\2\2\2\2\1\1\1\1\1\1\x86\xdd" + ip + tcp
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + ends
        return b"\2\2\2\2\2\2\1\1\1\1\1\1\x08\x00" + ip + tcp

    def address(self):
        return bytes([0x20, 1, 0xd, 0xb8] + [0] * 8 + list(self.client)) if self.v6 else bytes(self.client)

    def emit(self, packet):
        self.packets.append((self.time, packet))
        self.time += 0.0002 + self.rng.random() * 0.002

    def name(self):
        if not self.v6:
            return ".".join(map(str, self.client))
        high, low = self.client[0] << 8 | self.client[1], self.client[2] << 8 | self.client[3]
        return f"2001:db8::{high:x}:{low:x}" if low else f"2001:db8::{high:x}:0"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("connections", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--truth")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    names, weights = list(KINDS), [KINDS[k][0] for k in KINDS]
    made = [Connection(rng, n, rng.choices(names, weights)[0], args.bulk)
            for n in range(args.connections)]
    with open(args.out, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for when, packet in heapq.merge(*(c.packets for c in made), key=lambda p: p[0]):
            seconds = 1795217541 + when
            out.write(struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6), len(packet), len(packet)))
            out.write(packet)
    if args.truth:
        with open(args.truth, "w") as truth:
            for c in made:
                truth.write(f"{c.name()} {c.port} {KINDS[c.kind][1]} {c.kind}\n")


if __name__ == "__main__":
    main()
