"""Captures that were made to exceed every bound of pgseal capture: it is counted, shown, and memory stays small.

A million connections at a time are for tests/unit/capture/flow.c.
"""
import os
import struct
import subprocess
import sys

import pytest

import pg
import wire

sys.path.insert(0, str(wire.MAKE_PCAP.parent))
import make_pcap  # noqa: E402

SSL = struct.pack(">II", 8, 80877103)
SYN, ACK, PUSH = 2, 16, 24


class Pcap:
    """Raw IPv4 packets of clients to 10.0.0.1:5432, and of one to other servers too, one after the other."""

    def __init__(self):
        self.out, self.count = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)], 0

    def put(self, packet, captured=None, wire=None):
        self.count += 1
        captured = packet if captured is None else packet[:captured]
        self.out.append(struct.pack("<IIII", 1700000000 + self.count // 1000000, self.count % 1000000, len(captured),
                                    wire or len(packet)) + captured)

    def ip(self, client, data, number=1, fragment=0, protocol=6, head=0x45, server=False, host=1):
        ends = struct.pack(">II", 10 << 24 | host, 11 << 24 | client)
        return struct.pack(">BBHHHBBH", head, 0, 20 + len(data), number, fragment, 64, protocol, 0) + (
            ends if server else ends[4:] + ends[:4]) + data

    def tcp(self, client, flags, data=b"", seq=0, ack=0, server=False, host=1):
        ports = (5432, 40000) if server else (40000, 5432)
        return self.ip(client, struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack, 0x50, flags, 65535, 0, 0) + data,
                       server=server, host=host)

    def open(self, client):
        """The three packets of a beginning: both sides' first byte is number 1."""
        self.put(self.tcp(client, SYN))
        self.put(self.tcp(client, SYN | ACK, ack=1, server=True))
        self.put(self.tcp(client, ACK, seq=1, ack=1))

    def write(self, path):
        path.write_bytes(b"".join(self.out))


def certificates(pcap, first, count):
    """TLS 1.2 up to the server's certificate, another one in each connection."""
    hello = bytes([3, 3]) + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0" + b"\0\0"
    hello = b"\x01" + struct.pack(">I", len(hello))[1:] + hello
    answer = bytes([3, 3]) + bytes(32) + b"\0" + b"\xc0\x2f\0"
    answer = b"\x02" + struct.pack(">I", len(answer))[1:] + answer
    for client in range(first, first + count):
        cert = b"\x30\x06\x02\x04" + struct.pack(">I", client)
        chain = struct.pack(">I", len(cert))[1:] + cert
        body = struct.pack(">I", len(chain))[1:] + chain
        message = answer + b"\x0b" + struct.pack(">I", len(body))[1:] + body
        record = b"\x16\x03\x03" + struct.pack(">H", len(message)) + message
        pcap.open(client)
        pcap.put(pcap.tcp(client, PUSH, SSL, 1, 1))
        pcap.put(pcap.tcp(client, PUSH, b"S", 1, 9, server=True))
        pcap.put(pcap.tcp(client, PUSH, b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello, 9, 2))
        pcap.put(pcap.tcp(client, PUSH, record, 2, 9 + 5 + len(hello), server=True))
        for end in (False, True):
            pcap.put(pcap.tcp(client, 4, seq=2000, ack=1, server=end))


def over_every_bound(path):
    pcap = Pcap()
    certificates(pcap, 10000, 4200)
    for host in range(1, 2200):                     # servers
        pcap.put(pcap.tcp(7, SYN, host=host))
    pcap.open(1)                                    # segments behind a hole
    for n in range(400):
        pcap.put(pcap.tcp(1, PUSH, b"x" * 10, 100 + 10 * n, 1))
    for client in range(1000, 1600):                # beginnings that are not decided
        pcap.open(client)
        pcap.put(pcap.tcp(client, PUSH, SSL + bytes(30000), 1, 1))
    for n in range(3000):                           # packets to be kept until the verdict
        pcap.put(pcap.tcp(2, SYN))
    for n in range(300):                            # datagrams in fragments
        pcap.put(pcap.ip(3, bytes(64), number=n, fragment=0x2000))
    pcap.put(pcap.ip(4, bytes(63), fragment=0x2001))
    for fragment in (0x2000, 0x2001):               # the second lies over the first
        pcap.put(pcap.ip(5, pcap.tcp(5, PUSH, SSL)[20:44], number=400, fragment=fragment))
    pcap.open(6)
    pcap.put(pcap.tcp(6, PUSH, SSL, 1, 1), captured=44)
    pcap.put(pcap.tcp(6, PUSH), captured=25)
    pcap.put(pcap.ip(6, bytes(40), head=0x41))
    pcap.put(pcap.ip(6, bytes(40), protocol=17))
    pcap.write(path)


SHOWN = {               # at least, and the words for it
    "early_dropped": (1, "Early segments dropped over the bound"),
    "beginnings_dropped": (50, "Beginnings dropped over the bound"),
    "kept_dropped": (2000, "Packets not written over the bound"),
    "fragments": (303, "Fragments"),
    "fragments_dropped": (44, "Packets in fragments dropped over the bound"),
    "fragments_incomplete": (200, "Packets of which a fragment is missing"),
    "fragments_broken": (1, "Broken fragments"),
    "fragments_overlapping": (1, "Packets whose fragments overlap"),
    "certificates_dropped": (104, "Certificates not kept over the bound"),
    "unjudged": (100, "Connections not judged over the bound"),
    "cut_packets": (1, "Packets cut when captured"),
    "short_packets": (1, "Packets without whole headers"),
    "broken_packets": (1, "Broken packets"),
    "other_packets": (1, "Packets that are not TCP"),
}


@pytest.fixture(scope="module")
def hostile(root):
    path = root / f"hostile-{os.getpid()}.pcap"
    over_every_bound(path)
    yield path
    path.unlink()


def test_what_exceeds_a_bound_is_counted_and_shown(hostile, folder, pgseal):
    report = pgseal("capture", "--read", hostile, "--format", "json", "--fail-on", "none", "--write", folder / "kept",
                    ok=True).json
    counts = report["capture"]
    assert {key: counts[key] for key, (least, _) in SHOWN.items() if counts[key] < least} == {}
    assert counts["certificates_dropped"] == 4200 - 4096
    assert not [c for c in report["connections"] if c["verdict"] in ("tls", "gss")]
    over = [c for c in report["connections"] if c["reason"] == "over-bound"]
    assert len(over) == counts["beginnings_dropped"] and {c["verdict"] for c in over} == {"unknown"}
    assert report["answer"] == "unknown"
    assert "wire-unknown" in {rule["id"] for rule in report["not_examined"]}
    for form in ("text", "html"):
        page = pgseal("capture", "--read", hostile, "--format", form, "--fail-on", "none", "--write", folder / "kept",
                      ok=True).out
        assert [label for _, label in SHOWN.values() if label not in page] == []


def test_memory_stays_within_its_bound(hostile, measured):
    """64 MB, and 1 KB for each connection that is open; of both processes the larger one."""
    _, status, _, peak = measured("capture", "--read", hostile, "--format", "csv", "--fail-on", "none")
    assert status == 0
    if peak is None:
        pytest.skip("a sanitizer has memory of its own")
    assert peak <= 64 * 1024 + 7000


def over_tls(pcap, client=1, behind=()):
    """A session over TLS 1.3 and what follows it, as (side, bytes, bytes before the next one that it begins at)."""
    seq = {"c": 1, "s": 1}
    pcap.open(client)
    for side, said, back in [(*turn, 0) for turn in [("c", SSL), ("s", b"S")] + make_pcap.tls("tls13")] + list(behind):
        at, ack = seq[side] - back, seq["s" if side == "c" else "c"]
        pcap.put(pcap.tcp(client, PUSH, said, at, ack, server=side == "s"))
        seq[side] = max(seq[side], at + len(said))


RECORD = b"\x17\x03\x03\x00\x64" + bytes(range(100))


@pytest.mark.parametrize("behind, verdict, reason", [
    ([("c", RECORD, 0), ("c", RECORD, 105)], "tls", None),
    ([("c", RECORD, 0), ("c", make_pcap.QUERY, 105)], "unknown", "copies-differ"),
    ([("s", RECORD, 0), ("s", make_pcap.ROW * 3, 60)], "unknown", "copies-differ"),
    ([("c", RECORD, -105), ("c", make_pcap.QUERY, 210)], "plaintext", "behind-handshake"),
    ([("c", RECORD, -105), ("c", RECORD[:-1] + b"x", 105), ("c", RECORD, 210)], "unknown", "copies-differ"),
])
def test_what_is_sent_again_with_other_content_is_not_called_encrypted(folder, pgseal, behind, verdict, reason):
    pcap = Pcap()
    over_tls(pcap, behind=behind)
    pcap.write(folder / "copies.pcap")
    report = pgseal("capture", "--read", folder / "copies.pcap", "--format", "json", "--fail-on", "none", ok=True).json
    [conn] = report["connections"]
    assert (conn["verdict"], conn["reason"]) == (verdict, reason)
    assert (report["answer"] == "encrypted") == (verdict == "tls")


# ---- packets that somebody makes so that plaintext is not seen ---------------------------------

STARTUP = make_pcap.startup("app", "shop")


def said(pcap, *turns, client=1, c=1, s=1):
    """Both sides in turn, from these numbers on."""
    for side, data in turns:
        pcap.put(pcap.tcp(client, PUSH, data, c if side == "c" else s, s if side == "c" else c, server=side == "s"))
        c, s = (c + len(data), s) if side == "c" else (c, s + len(data))


def a_request_to_cancel_that_goes_on(pcap):
    pcap.open(1)
    said(pcap, ("c", make_pcap.CANCEL), ("c", STARTUP), *make_pcap.PLAIN)


def a_handshake_that_fails_and_goes_on(pcap):
    pcap.open(1)
    said(pcap, ("c", SSL), ("s", b"S"), *make_pcap.tls("version-refused"), ("c", STARTUP), *make_pcap.PLAIN)


def an_error_that_is_ignored(pcap):
    pcap.open(1)
    said(pcap, ("c", SSL), ("s", make_pcap.FATAL), ("c", STARTUP), *make_pcap.PLAIN)


def a_forged_greeting_of_the_server(pcap):
    pcap.open(1)
    pcap.put(pcap.tcp(1, PUSH, b"SSH-2.0-x\r\n", 1, 1, server=True))
    said(pcap, ("c", STARTUP), *make_pcap.PLAIN)


def a_forged_syn_of_the_server(pcap):
    pcap.put(pcap.tcp(1, SYN))
    pcap.put(pcap.tcp(1, SYN, seq=77, server=True))
    pcap.put(pcap.tcp(1, SYN | ACK, ack=1, server=True))
    said(pcap, ("c", STARTUP), *make_pcap.PLAIN)


def a_forged_syn_in_the_middle(pcap, number=1 << 31):
    over_tls(pcap)
    pcap.put(pcap.tcp(1, SYN, seq=number))
    said(pcap, ("c", make_pcap.QUERY), ("s", make_pcap.ROW), c=20000, s=30000)


def a_forged_syn_just_behind(pcap):
    a_forged_syn_in_the_middle(pcap, 100000)


def records_around_messages(pcap):
    over_tls(pcap, behind=[("c", b"\x17\3\3" + struct.pack(">H", len(m)) + m, 0) for m in [make_pcap.QUERY] * 2])


def records_cut_behind_their_heads(pcap):
    over_tls(pcap, behind=[("c", part, 0) for part in (b"\x17\3\3" + struct.pack(">H", len(make_pcap.QUERY)),
                                                       make_pcap.QUERY)])


def records_around_a_long_message(pcap):
    query = make_pcap.message(b"Q", b"select 1 " * 1000)
    over_tls(pcap, behind=[("c", b"\x17\3\3\x23\x00" + query[:900], 0)])


def packets_of_gss_around_messages(pcap):
    pcap.open(1)
    said(pcap, *make_pcap.KINDS["gss"][2](), ("c", struct.pack(">I", len(make_pcap.QUERY)) + make_pcap.QUERY))


def a_long_copy_of_what_is_encrypted(pcap):
    query = make_pcap.message(b"Q", b"select 1 " * 200)
    over_tls(pcap, behind=[("c", b"\x17\3\3\x02\x58" + bytes(range(200)) * 3, 0), ("c", query[:600], 605)])


def a_hole_and_a_part_of_a_message(pcap):
    query = make_pcap.message(b"Q", b"select 1 " * 200)
    over_tls(pcap, behind=[("c", query[:600], -3000), ("s", make_pcap.OK, 0)])


HIDING = [records_cut_behind_their_heads, a_request_to_cancel_that_goes_on, a_handshake_that_fails_and_goes_on, an_error_that_is_ignored,
          a_forged_greeting_of_the_server, a_forged_syn_of_the_server, a_forged_syn_in_the_middle,
          a_forged_syn_just_behind, records_around_messages, records_around_a_long_message,
          packets_of_gss_around_messages, a_long_copy_of_what_is_encrypted, a_hole_and_a_part_of_a_message]


@pytest.mark.parametrize("hide", HIDING, ids=lambda hide: hide.__name__)
def test_plaintext_is_not_hidden_by(folder, pgseal, hide):
    """Beside a session that is encrypted to its end."""
    pcap = Pcap()
    over_tls(pcap, client=9)
    hide(pcap)
    pcap.write(folder / "hidden.pcap")
    report = pgseal("capture", "--read", folder / "hidden.pcap", "--format", "json", "--fail-on", "none", ok=True).json
    assert report["answer"] in ("plaintext", "unknown"), report["split"]
    assert [c["verdict"] for c in report["connections"] if c["client"].endswith(".9")] == ["tls"]


@pytest.mark.parametrize("captured, answer", [(None, "encrypted"), (30, "unknown")])
def test_a_connection_that_nobody_can_make_out_is_not_passed_over(folder, pgseal, captured, answer):
    """Beside one over TLS a packet of another one, whole or without the end of its headers."""
    pcap = Pcap()
    over_tls(pcap)
    pcap.put(pcap.tcp(2, SYN, host=2), captured=captured)
    pcap.write(folder / "hidden.pcap")
    report = pgseal("capture", "--read", folder / "hidden.pcap", "--format", "json", ok=True).json
    assert (report["answer"], report["totals"]["encrypted"]) == (answer, 1)
    assert report["capture"]["short_packets"] == (1 if captured else 0)
