"""pgseal capture: what it says of two connections, of what cannot be known, of captures whose truth is known, and live."""
import concurrent.futures
import contextlib
import csv
import io
import ipaddress
import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import pytest

import pg
import wire
from wire import PASSWORD, Capture, agree, by_client, in_order, live, nothing_secret, raw, reader_of, with_tls


# ---- the guide's two examples -----------------------------------------------------------------

def test_the_two_examples_of_the_guide_are_told_apart(make, folder, pgseal):
    """select * from clientes: in plaintext with its password, and the same over TLS."""
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    for sslmode in ("disable", "require"):
        pg.must(cluster.psql(cluster.dsn(user="claro", password=PASSWORD, sslmode=sslmode),
                             "select * from clientes"))
    report = capture.read("--show-exposed")
    plain, tls = report["connections"]
    assert (plain["verdict"], tls["verdict"]) == ("plaintext", "tls")
    assert plain["password_exposed"] and plain["password_sent"] == "cleartext"
    assert (plain["user"], plain["database"], plain["application_name"]) == ("claro", "postgres", "psql")
    assert (plain["queries"], plain["rows"]) == (1, 500) and plain["counts_complete"]
    assert plain["sample"] == "select * from clientes"
    assert not tls["password_exposed"] and tls["user"] is None and tls["queries"] is None
    assert tls["tls_version"] == "TLSv1.3" and tls["handshake_ms"] > 0 and tls["setup_ms"] > 0
    assert report["answer"] == "plaintext"
    assert (report["totals"]["readable"], report["totals"]["encrypted"]) == (1, 1)
    assert {f["id"] for f in report["findings"]} == {"wire-plaintext", "wire-password"}
    assert agree(cluster, report) == 2

    text = pgseal("capture", "--read", capture.file, "--fail-on", "none", ok=True)
    words = " ".join(text.out.split())
    for told in ("connections were readable on the wire", "1 of 2 connections was in plaintext",
                 "In 1 connection a password, or what serves as one, was readable: it has to be changed.",
                 "All of that stayed within this machine (loopback)",
                 "1 of 2 connections was encrypted: who sees its packets reads no password, no question and no answer"):
        assert told in words
    html = pgseal("capture", "--read", capture.file, "--format", "html", "--fail-on", "none", ok=True)
    assert re.findall(r'class="tone (\w+)">\S+ +(50\.0 %)', html.out) == [("good", "50.0 %"), ("bad", "50.0 %")]
    rows = list(csv.DictReader(io.StringIO(
        pgseal("capture", "--read", capture.file, "--format", "csv", "--fail-on", "none", ok=True).out)))
    assert sorted(r["verdict"] for r in rows if r["table"] == "connections") == ["plaintext", "tls"]
    nothing_secret(json.dumps(report), text.out, html.out)

    # beside it what came from a network, which is worse
    mix = folder / "mix.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, mix, "50"], capture_output=True, text=True))
    both = pgseal("capture", "--read", capture.file, "--read", mix)
    assert both.status == 1 and "Of these, 1 stayed within this machine (loopback)." in both.out


def test_the_same_in_spanish(make, folder, pgseal):
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    for sslmode in ("disable", "require"):
        pg.must(cluster.psql(cluster.dsn(user="claro", password=PASSWORD, sslmode=sslmode), "select * from clientes"))
    capture.stop()
    # the program in the folder where it was built has its catalogs beside it
    built = pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).resolve().parents[2] / "build/pgseal"))

    def spanish(*options):
        return pg.must(subprocess.run([built, "capture", "--read", capture.file, "--fail-on", "none", *options], text=True,
                                      capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "es"})).stdout

    words = " ".join(spanish().split())
    for told in ("¿Hay algo sin cifrar?: ✗ sí: hubo conexiones legibles en la red",
                 "1 de 2 conexiones estaba sin cifrar: lo que envió se podía leer y cambiar por el camino.",
                 "En 1 conexión era legible una contraseña, o lo que sirve de contraseña: hay que cambiarla.",
                 "1 de 2 conexiones estaba cifrada: quien ve sus paquetes no lee en ellos ninguna contraseña",
                 "✓ cifrada con TLS 1", "✗ sin cifrar 1", "baja[wire-password]: se enviaron a este servidor contraseñas sin cifrar",
                 "Servidor: 127.0.0.1"):
        assert told in words
    page = spanish("--format", "html")
    assert '<html lang="es">' in page and "Lo que pasó por la red" in page and "Sin cifrar, y de quién" in page
    assert re.findall(r'class="tone (\w+)">\S+ +(50\.0 %)', page) == [("good", "50.0 %"), ("bad", "50.0 %")]
    data = json.loads(spanish("--format", "json"))      # for programs it is never translated
    assert data["schema"] == "pgseal.capture/1" and data["answer"] == "plaintext"
    assert [c["verdict"] for c in in_order(data)["connections"]] == ["plaintext", "tls"]
    nothing_secret(words, page)


# ---- what cannot be known ---------------------------------------------------------------------

def test_what_began_before_the_capture_is_unknown(make, folder, pgseal):
    cluster = with_tls(make, folder)
    psycopg = pytest.importorskip("psycopg")
    links = [psycopg.connect(cluster.dsn(user="app", password=PASSWORD, sslmode=mode))
             for mode in ("disable", "require")]
    capture = Capture(folder, cluster.port, pgseal)
    for link in links:
        link.execute("select 1")
        link.close()
    report = capture.read()
    assert [(c["verdict"], c["reason"]) for c in report["connections"]] == [("unknown", "began-before")] * 2
    assert report["answer"] == "unknown"


def test_one_direction_and_cut_packets_are_never_called_encrypted(make, folder, pgseal):
    cluster = with_tls(make, folder)
    app = dict(user="app", password=PASSWORD)

    def talk():
        for mode in ("require", "disable"):
            pg.must(cluster.psql(cluster.dsn(**app, sslmode=mode)))

    capture = Capture(folder, cluster.port, pgseal, only="dst")
    talk()
    report = capture.read()
    assert [(c["verdict"], c["reason"]) for c in report["connections"]] == [
        ("unknown", "one-direction"), ("plaintext", None)]
    whole = Capture(folder, cluster.port, pgseal)
    talk()
    short = folder / "short.pcap"
    pg.must(subprocess.run(["tcpdump", "-r", whole.stop(), "-s", "90", "-w", short, "-Z", "root"]
                           if pg.AS_ROOT else ["tcpdump", "-r", whole.file, "-s", "90", "-w", short],
                           capture_output=True, text=True))
    if short.stat().st_size == whole.file.stat().st_size:
        cut(whole.file, short, 90)
    report = in_order(pgseal("capture", "--read", short, "--format", "json", "--fail-on", "none", ok=True).json)
    assert [(c["verdict"], c["reason"]) for c in report["connections"]][0] == ("unknown", "cut")
    assert report["connections"][1]["verdict"] in ("plaintext", "unknown")


def cut(whole, short, snaplen):
    """Each packet cut as tcpdump -s does when it captures."""
    data, at = whole.read_bytes(), 24
    out = [data[:24]]
    while at < len(data):
        sec, usec, captured, length = struct.unpack("<IIII", data[at:at + 16])
        keep = min(captured, snaplen)
        out += [struct.pack("<IIII", sec, usec, keep, length), data[at + 16:at + 16 + keep]]
        at += 16 + captured
    short.write_bytes(b"".join(out))


def test_plaintext_behind_a_finished_handshake_is_seen(make, folder, pgseal):
    """The client greets over TLS and goes on without: no session that was encrypted to its end."""
    cluster = with_tls(make, folder)
    capture, kept = Capture(folder, cluster.port, pgseal), folder / "kept.pcap"
    trust = ssl.create_default_context(cafile=folder / "server.crt")
    with socket.create_connection(("127.0.0.1", cluster.port)) as link:
        link.sendall(struct.pack(">II", 8, 80877103))
        assert link.recv(1) == b"S"
        with trust.wrap_socket(link, server_hostname="localhost") as tls:
            names = b"user\0app\0database\0postgres\0\0"
            tls.sendall(struct.pack(">II", 8 + len(names), 196608) + names)
            assert tls.recv(1) == b"R"
            query = b"select * from clientes\0"
            os.write(tls.fileno(), b"Q" + struct.pack(">I", 4 + len(query)) + query)
            with contextlib.suppress(OSError):
                while tls.recv(4096):
                    pass
    report = capture.read("--show-exposed", "--write", kept)
    [conn] = report["connections"]
    assert (conn["verdict"], conn["reason"], conn["queries"]) == ("plaintext", "behind-handshake", 1)
    assert conn["sample"] == "select * from clientes" and conn["tls_version"] == "TLSv1.3"
    assert report["answer"] == "plaintext" and report["totals"]["encrypted"] == 0
    assert [f["message"] for f in report["findings"]] == [
        "connections to this server went on in plaintext behind a finished handshake"]
    assert b"select * from clientes" in kept.read_bytes()


@pytest.mark.parametrize("suite, verdict", [("NULL-SHA256", "plaintext"), ("ADH-AES128-SHA256", "tls")])
def test_tls_that_protects_little_is_not_good(make, folder, pgseal, suite, verdict):
    """A server and a client that were told to: what encrypts nothing is plaintext, what anybody can answer is weak."""
    cluster = with_tls(make, folder, ssl_ciphers=f"{suite}:@SECLEVEL=0", ssl_max_protocol_version="TLSv1.2")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
    except ssl.SSLError as error:
        pytest.skip(f"this OpenSSL does not know {suite}: {error}")
    capture = Capture(folder, cluster.port, pgseal)
    with socket.create_connection(("127.0.0.1", cluster.port)) as link:
        link.sendall(struct.pack(">II", 8, 80877103))
        assert link.recv(1) == b"S"
        with context.wrap_socket(link) as tls:
            names = b"user\0app\0database\0postgres\0\0"
            tls.sendall(struct.pack(">II", 8 + len(names), 196608) + names)
            assert tls.recv(1) == b"R" and tls.cipher()[0] == suite
    report = capture.read()
    [conn] = report["connections"]
    assert (conn["verdict"], conn["cipher"]) == (verdict, suite)
    assert report["answer"] == ("plaintext" if verdict == "plaintext" else "encrypted")
    weak = [f for f in report["findings"] if f["id"] == "wire-weak-suite"]
    assert len(weak) == 1 and weak[0]["evidence"] == conn["suite"] and weak[0]["severity"] == "high"
    assert report["totals"]["encrypted"] == (verdict == "tls")


# ---- fragments --------------------------------------------------------------------------------

def packets_of(pcap):
    """(the header of the packet, its bytes) of a capture of whole packets."""
    data, at = pcap.read_bytes(), 24
    while at < len(data):
        length = struct.unpack("<I", data[at + 8:at + 12])[0]
        yield data[at:at + 8], data[at + 16:at + 16 + length]
        at += 16 + length


def cut_up(packet, number, places, overlap):
    """An Ethernet frame of IPv4 or IPv6 as fragments that end at `places`, and one that lies over two of them."""
    v6, head = packet[12:14] == b"\x86\xdd", packet[:54] if packet[12:14] == b"\x86\xdd" else packet[:34]
    body = packet[len(head):54 + struct.unpack(">H", packet[18:20])[0] if v6
                  else 14 + struct.unpack(">H", packet[16:18])[0]]
    ends = [*places, len(body)]
    parts = [(begin, body[begin:end], end != len(body)) for begin, end in zip([0, *places], ends)]
    if overlap:
        parts.insert(1, (parts[1][0] - 8, bytes(16), True))
    for at, part, more in parts:
        if v6:
            yield (head[:18] + struct.pack(">H", 8 + len(part)) + b"\x2c" + head[21:]
                   + struct.pack(">BBHI", head[20], 0, at | more, number) + part)
        else:
            yield (head[:16] + struct.pack(">HHH", 20 + len(part), number & 0xFFFF, at // 8 | more << 13)
                   + head[22:] + part)


def in_fragments(whole, out, overlap=False):
    """The same packets in fragments, out of order, some of them twice."""
    chance, written = random.Random(7), [whole.read_bytes()[:24]]
    for number, (when, packet) in enumerate(packets_of(whole)):
        body = len(packet) - (54 if packet[12:14] == b"\x86\xdd" else 34)
        places = sorted({chance.randrange(8, body, 8) for _ in range(chance.randrange(1, 9))})
        parts = [packet] if len(places) < 2 else list(cut_up(packet, number, places, overlap and body > 100))
        if not overlap:
            parts += chance.sample(parts, len(parts) // 4)
            chance.shuffle(parts)
        written += [when + struct.pack("<II", len(part), len(part)) + part for part in parts]
    out.write_bytes(b"".join(written))


def test_packets_in_fragments_are_put_together(make, folder, pgseal):
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    for sslmode, host in (("disable", "127.0.0.1"), ("require", "127.0.0.1"), ("require", "::1"), ("disable", "::1")):
        pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode=sslmode, host=host),
                             "select * from clientes"))
    whole = capture.read("--show-exposed")
    cut, kept = folder / "cut.pcap", folder / "kept.pcap"
    in_fragments(capture.file, cut)
    fragments = in_order(pgseal("capture", "--read", cut, "--format", "json", "--fail-on", "none", "--show-exposed",
                                "--write", kept, ok=True).json)
    assert fragments["connections"] == whole["connections"] and agree(cluster, fragments) == 4
    counts = fragments["capture"]
    assert counts["fragments"] > counts["fragments_joined"] > 40
    assert not any(counts["fragments_" + what] for what in ("incomplete", "overlapping", "broken", "dropped"))
    # what is written is whole again, and nobody else finds fault with it
    again = pgseal("capture", "--read", kept, "--format", "json", "--fail-on", "none", ok=True).json
    assert again["capture"]["fragments"] == 0
    assert [c["verdict"] for c in again["connections"]] == ["plaintext", "plaintext"]
    said = subprocess.run(["tcpdump", "-nvvr", kept, "-Z", "root"] if pg.AS_ROOT else ["tcpdump", "-nvvr", kept],
                          capture_output=True, text=True)
    assert said.returncode == 0 and "bad cksum" not in said.stdout


def test_fragments_that_overlap_are_never_called_encrypted(make, folder, pgseal):
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    for host in ("127.0.0.1", "::1"):
        pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require", host=host)))
    assert [c["verdict"] for c in capture.read()["connections"]] == ["tls", "tls"]
    cut = folder / "cut.pcap"
    in_fragments(capture.file, cut, overlap=True)
    report = pgseal("capture", "--read", cut, "--format", "json", "--fail-on", "none", ok=True).json
    assert [(c["verdict"], c["reason"]) for c in report["connections"]] == [
        ("unknown", "overlapping-fragments")] * 2
    assert report["answer"] == "unknown" and report["capture"]["fragments_overlapping"] > 4
    text = pgseal("capture", "--read", cut, "--fail-on", "none", ok=True).out
    assert "Packets whose fragments overlap" in text


def test_live_sees_fragments_of_its_ports(folder, program):
    """Only the first of the fragments has the ports in it."""
    port = pg.free_port()
    process = live(program, "--interface", "lo", "--port", port, "--format", "json", "--fail-on", "none")
    reader_of(process)
    pairs = b"user\0app\0database\0shop\0\0"
    start = struct.pack(">II", 8 + len(pairs), 196608) + pairs
    segment = struct.pack(">HHIIBBHHH", 40001, port, 1, 1, 0x50, 0x18, 512, 0, 0) + start
    address = socket.inet_aton("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        for at in range(0, len(segment), 16):
            part, more = segment[at:at + 16], at + 16 < len(segment)
            out.sendto(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(part), 77, at // 8 | more << 13, 64, 6, 0)
                       + address + address + part, ("127.0.0.1", 0))
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate(timeout=pg.PATIENCE)[0])
    assert [(c["verdict"], c["user"], c["client_port"]) for c in report["connections"]] == [("plaintext", "app", 40001)]
    assert report["capture"]["fragments_joined"] == 1


def test_live_looks_through_tunnels(folder, program, pgseal):
    """Where a cloud mirrors packets to: their own ports are inside those of the tunnel."""
    pcap = folder / "mix.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "50", "--seed", "9"], capture_output=True, text=True))
    process = live(program, "--interface", "lo", "--port", "5432", "--format", "json", "--fail-on", "none")
    reader_of(process)

    def told(connections):
        return sorted((c["client"], c["client_port"], c["user"] or "", c["verdict"]) for c in connections)

    heads = {4789: b"\x08\0\0\0\0\0\1\0", 6081: b"\0\0\x65\x58\0\0\1\0"}      # VXLAN, Geneve
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for n, (_, packet) in enumerate(packets_of(pcap)):
            port, head = list(heads.items())[n % 2]
            out.sendto(head + packet, ("127.0.0.1", port))
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate(timeout=pg.PATIENCE)[0])
    read = pgseal("capture", "--read", pcap, "--format", "json", "--fail-on", "none", ok=True).json
    assert report["capture"]["dropped_kernel"] == 0
    assert told(report["connections"]) == told(read["connections"])


# ---- 20,000 whose truth is known --------------------------------------------------------------

def test_twenty_thousand_mixed_connections_have_every_verdict_right(folder, pgseal):
    pcap, truth = folder / "mix.pcap", folder / "truth"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "20000", "--truth", truth],
                           capture_output=True, text=True))
    report = pgseal("capture", "--read", pcap, "--format", "json", "--fail-on", "none", ok=True).json
    got = {(str(ipaddress.ip_address(c["client"])), c["client_port"]): c for c in report["connections"]}
    wrong = []
    for line in truth.read_text().splitlines():
        address, port, verdict, kind = line.split()
        conn = got[str(ipaddress.ip_address(address)), int(port)]
        if conn["verdict"] != verdict:
            wrong.append((kind, conn))
    assert len(got) == 20000 and not wrong[:3]
    assert sum(row["connections"] for row in report["split"]) == 20000
    totals = report["totals"]
    verdicts = [c["verdict"] for c in report["connections"]]
    assert totals["readable"] == verdicts.count("plaintext") + verdicts.count("downgraded") > 4000
    assert totals["encrypted"] == verdicts.count("tls") + verdicts.count("gss") > 10000
    assert totals["undecided"] == verdicts.count("unknown") > 100
    for by in ("by_role", "by_database", "by_application", "by_network"):
        for what in ("connections", "encrypted", "readable", "undecided", "passwords_exposed"):
            assert sum(row[what] for row in totals[by]) == totals[what], (by, what)
    assert {row["name"] for row in totals["by_role"]} >= {"app", "old"} and len(totals["by_network"]) > 50
    times = {row["what"]: row for row in report["times"]}
    assert times["handshake"]["count"] >= verdicts.count("tls") and times["setup"]["count"] > 10000
    for row in times.values():
        assert 0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"] <= row["max_ms"]


def test_pcapng_and_several_files_and_a_file_that_ends_early(folder, pgseal):
    pcap, small = folder / "mix.pcap", folder / "small.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "50", "--seed", "7"], capture_output=True,
                           text=True))
    whole = pgseal("capture", "--read", pcap, "--format", "json", "--fail-on", "none", ok=True).json
    data, at = pcap.read_bytes(), 24
    blocks = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28),
              struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20)]
    while at < len(data):
        sec, usec, length, _ = struct.unpack("<IIII", data[at:at + 16])
        when, pad = sec * 1000000 + usec, -length % 4
        blocks.append(struct.pack("<IIIIIII", 6, 32 + length + pad, 0, when >> 32, when & 0xFFFFFFFF, length, length)
                      + data[at + 16:at + 16 + length] + bytes(pad) + struct.pack("<I", 32 + length + pad))
        at += 16 + length
    (folder / "mix.pcapng").write_bytes(b"".join(blocks))
    other = pgseal("capture", "--read", folder / "mix.pcapng", "--format", "json", "--fail-on", "none",
                   ok=True).json
    assert other["connections"] == whole["connections"]
    small.write_bytes(data[:len(data) // 2])
    cut_short = pgseal("capture", "--read", small, "--format", "json", "--fail-on", "none", ok=True).json
    assert cut_short["capture"]["file_cut_short"] is True
    assert "ends in the middle of a packet" in pgseal("capture", "--read", small, "--fail-on", "none", ok=True).out
    assert pgseal("capture", "--interface", "lo", small).status == 2
    several = pgseal("capture", "--read", small, pcap, "--format", "json", "--fail-on", "none", ok=True).json
    both = pgseal("capture", "--read", small, "--read", pcap, "--format", "json", "--fail-on", "none",
                  ok=True).json
    assert several["capture"] == both["capture"]
    assert both["capture"]["packets"] > whole["capture"]["packets"]


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


LINKS = {               # the number of the link type, and a packet of IP in it
    "ethernet": (1, lambda v6, ip: bytes(12) + (b"\x86\xdd" if v6 else b"\x08\0") + ip),
    "raw": (101, lambda v6, ip: ip),
    "cooked": (276, lambda v6, ip: (b"\x86\xdd" if v6 else b"\x08\0") + bytes(18) + ip),
    "pppoe": (1, lambda v6, ip: bytes(12) + b"\x88\x64\x11\0\0\1" + struct.pack(">H", 2 + len(ip))
              + (b"\0\x57" if v6 else b"\0\x21") + ip),
    "mpls": (1, lambda v6, ip: bytes(12) + b"\x88\x47\0\1\0\xff\0\2\1\xff" + ip),
    "ppp": (9, lambda v6, ip: b"\xff\3" + (b"\0\x57" if v6 else b"\0\x21") + ip),
}


def on_many_links(whole, out, strange=0):
    """The same packets, each on another interface of its own link type; half of them in a second section."""
    written, packets = [], list(packets_of(whole))
    for half in (packets[:len(packets) // 2], packets[len(packets) // 2:]):
        written.append(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        written += [block(1, struct.pack("<HHI", number, 0, 262144)) for number, _ in LINKS.values()]
        written.append(block(1, struct.pack("<HHI", 105, 0, 262144)))       # 802.11
        for n, (when, packet) in enumerate(half):
            (sec, usec), (_, make) = struct.unpack("<II", when), list(LINKS.values())[n % len(LINKS)]
            made, ticks = make(packet[12:14] == b"\x86\xdd", packet[14:]), sec * 1000000 + usec
            written.append(block(6, struct.pack("<IIIII", n % len(LINKS), ticks >> 32, ticks & 0xFFFFFFFF, len(made),
                                                len(made)) + made))
        written += [block(6, struct.pack("<IIIII", len(LINKS), 0, 0, 40, 40) + bytes(40))] * strange
    out.write_bytes(b"".join(written))


def test_interfaces_of_other_link_types_are_read_and_written(folder, pgseal):
    pcap, many, kept, again = (folder / name for name in ("mix.pcap", "many.pcapng", "kept.pcap", "again.pcap"))
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "100", "--seed", "9"], capture_output=True, text=True))
    on_many_links(pcap, many)

    def read(*options):
        return pgseal("capture", "--read", *options, "--format", "json", "--fail-on", "none", ok=True).json

    whole, other = read(pcap, "--write", kept), read(many, "--write", again)
    assert other["connections"] == whole["connections"] and other["answer"] == whole["answer"]
    assert read(again)["connections"] == read(kept)["connections"]
    said = subprocess.run(["tcpdump", "-nr", again, "-Z", "root"] if pg.AS_ROOT else ["tcpdump", "-nr", again],
                          capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout.count("Flags [") == said.stdout.count("\n") > 100
    assert read(pcap, many, "--write", again)["capture"]["packets"] == 2 * whole["capture"]["packets"]

    on_many_links(pcap, many, strange=3)
    other = read(many)
    assert other["connections"] == whole["connections"] and other["capture"]["unknown_packets"] == 6
    text = pgseal("capture", "--read", many, "--fail-on", "none", ok=True).out
    assert "6 packets are not here: their link type, IEEE802_11, cannot be read." in " ".join(text.split())


def test_a_link_type_that_cannot_be_read_is_named(folder, pgseal):
    (folder / "wifi.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 105))
    result = pgseal("capture", "--read", folder / "wifi.pcap")
    assert result.status == 4 and "has packets of link type IEEE802_11 (802.11), which cannot be read" in result.err


def test_what_is_no_capture_is_refused(folder, pgseal):
    (folder / "x").write_bytes(b"no capture at all, but long enough to be looked at")
    result = pgseal("capture", "--read", folder / "x")
    assert result.status == 3 and "is not a capture of packets" in result.err
    assert pgseal("capture", "--read", folder / "missing").status == 3
    assert pgseal("capture").status == 2
    assert pgseal("capture", "--read", folder / "x", "--interface", "lo").status == 2
    assert pgseal("capture", "--interface", "lo", "--port", "70000").status == 2
    assert pgseal("capture", "--interface", "lo", "--duration", "soon").status == 2


def test_of_packets_that_were_cut_short_plaintext_is_known_all_the_same(folder, pgseal):
    """tcpdump -s 96: the hellos of TLS are cut, and unknown; a startup in plaintext is one by its head."""
    pcap, cut = folder / "whole.pcap", folder / "cut.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "200"], capture_output=True, text=True))
    data, at = pcap.read_bytes(), 24
    parts = [data[:24]]
    while at < len(data):
        sec, usec, length, size = struct.unpack("<IIII", data[at:at + 16])
        parts.append(struct.pack("<IIII", sec, usec, min(length, 96), size) + data[at + 16:at + 16 + min(length, 96)])
        at += 16 + length
    cut.write_bytes(b"".join(parts))
    reports = [pgseal("capture", "--read", file, "--format", "json", "--fail-on", "none", ok=True).json for file in (pcap, cut)]
    whole, short = ({(conn["client"], conn["client_port"]): conn["verdict"] for conn in report["connections"]}
                    for report in reports)
    left = {(conn["client"], conn["client_port"]) for conn in reports[0]["connections"]
            if conn["reason"] == "behind-handshake"}
    readable = {"plaintext", "downgraded"}
    assert {who for who, verdict in short.items() if verdict in readable} == \
        {who for who, verdict in whole.items() if verdict in readable} - left != set()
    assert all(verdict in (whole[who], "unknown") for who, verdict in short.items())


def test_a_broken_file_takes_nothing_away_from_what_is_whole(folder, pgseal):
    whole, broken, empty = folder / "whole.pcap", folder / "broken.pcap", folder / "empty.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, whole, "40"], capture_output=True, text=True))
    head = whole.read_bytes()
    broken.write_bytes(head + b"\xff" * 64)
    empty.write_bytes(head[:24] + b"\xff" * 64)
    good = pgseal("capture", "--read", whole, "--format", "json").json
    bad = pgseal("capture", "--read", broken, "--format", "json")
    assert bad.status == 1 and bad.json["connections"] == good["connections"]
    assert "broken.pcap" in bad.json["capture"]["unread"] and good["capture"]["unread"] is None
    both = pgseal("capture", "--read", empty, "--read", whole, "--format", "json").json
    assert both["connections"] == good["connections"] and "empty.pcap" in both["capture"]["unread"]
    nothing = pgseal("capture", "--read", empty)
    assert nothing.status == 3 and "It stands at byte 24." in nothing.out and "1970" not in nothing.out


def test_suspicious_packets_are_kept(folder, pgseal):
    pcap, kept = folder / "mix.pcap", folder / "kept.pcap"
    pg.must(subprocess.run([sys.executable, wire.MAKE_PCAP, pcap, "300"], capture_output=True, text=True))
    whole = pgseal("capture", "--read", pcap, "--format", "json", "--fail-on", "none", "--write", kept,
                   ok=True).json
    assert kept.stat().st_mode & 0o777 == 0o600
    again = pgseal("capture", "--read", kept, "--format", "json", "--fail-on", "none", ok=True).json
    suspicious = {"plaintext", "downgraded", "refused", "gss-failed", "tls-failed", "tls-not-started", "injected"}
    # of what was encrypted until then, the beginning was not kept
    verdicts = {where: ["unknown" if conn["reason"] == "behind-handshake" else conn["verdict"] for conn in conns]
                for where, conns in by_client(whole).items()}
    want = {where: verdicts[where] for where, conns in by_client(whole).items()
            if suspicious.intersection(conn["verdict"] for conn in conns)}
    assert {where: [conn["verdict"] for conn in conns] for where, conns in by_client(again).items()} == want
    assert len(want) > 50 and ["unknown"] in want.values() and b"select * from clientes" in kept.read_bytes()


# ---- live -------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_ends_on_a_signal_with_its_report(make, folder, program, number):
    cluster = with_tls(make, folder)
    lines = folder / "lines"
    process = live(program, "--interface", "lo", "--port", cluster.port, "--format", "json", "--fail-on",
                   "none", "--lines", lines)
    _, status = reader_of(process)
    for mode in ("disable", "require"):
        pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode=mode)))

    def told():
        raw(cluster)            # time is that of packets: an old connection is reported when a new packet comes
        rows = [json.loads(line) for line in lines.read_text().split("\n")[:-1]] if lines.exists() else []
        return [row for row in rows if row["verdict"] == "plaintext"]
    first, = pg.wait_until(told, "the connection in plaintext is told", 0.2, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=pg.PATIENCE)
    assert process.returncode == 0, err
    report = in_order(json.loads(out))
    assert [c["verdict"] for c in report["connections"]][:2] == ["plaintext", "tls"]
    assert report["capture"]["dropped_kernel"] == 0
    assert first["schema"] == "pgseal.capture_connection/1"
    assert re.search(r"^Uid:\s+(\d+)\s+\1\s+\1", status, re.M) and not re.search(r"^Uid:\s+0", status, re.M)
    assert re.search(r"^CapEff:\s+0+$", status, re.M) and re.search(r"^CapPrm:\s+0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1", status, re.M)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_ends_with_its_report_also_in_its_first_instants(program, number):
    for _ in range(4):
        signalled = []
        for _ in range(5):
            process = live(program, "--interface", "lo", "--port", "1", "--format", "json")
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            while not children.read_text() and process.poll() is None:
                pass
            process.send_signal(number)
            signalled.append(process)
        for process in signalled:
            out, err = process.communicate(timeout=pg.PATIENCE)
            assert process.returncode == 0 and json.loads(out)["schema"] == "pgseal.capture/1", err


def test_live_stops_by_itself(make, folder, program):
    cluster = with_tls(make, folder)
    for seconds in (2, 20, 60):             # longer only where nobody could connect in time
        end = time.monotonic() + seconds    # at the earliest
        process = live(program, "--interface", "any", "--port", cluster.port, "--duration", f"{seconds}s", "--format",
                       "json")
        reader_of(process)
        pg.must(cluster.psql(cluster.dsn(user="claro", password=PASSWORD, sslmode="disable")))
        in_time = time.monotonic() < end
        out, err = process.communicate(timeout=pg.PATIENCE)
        if in_time:
            break
    assert [c["password_sent"] for c in json.loads(out)["connections"]] == ["cleartext"], err
    nothing_secret(out, err)


def test_live_shows_counters_on_a_terminal_and_stops_after_so_many_packets(make, folder, program):
    if not pg.AS_ROOT:
        pytest.skip("capturing live needs root here")
    cluster = with_tls(make, folder)
    leader, follower = pty.openpty()
    process = subprocess.Popen([program, "capture", "--interface", "lo", "--port", str(cluster.port), "--count", "60",
                                "--format", "json", "--fail-on", "none"], stdout=subprocess.PIPE, stderr=follower,
                               text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"})
    os.close(follower)
    reader_of(process)
    counters, shown = r"[1-9]\d* packets, \d+ connections open, \d+ encrypted, 0 plaintext, 0 dropped", ""
    while process.poll() is None:
        cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require"))
        while not re.search(counters, shown):
            assert select.select([leader], [], [], pg.PATIENCE)[0], shown
            shown += os.read(leader, 65536).decode()        # and an error when the program has ended
    report = json.loads(process.communicate(timeout=pg.PATIENCE)[0])
    os.close(leader)
    assert report["capture"]["packets"] == 60


def test_live_says_what_the_kernel_dropped(make, folder, program):
    """A reader that stands still while more is sent than there is room for."""
    cluster = with_tls(make, folder)
    process = live(program, "--interface", "lo", "--port", cluster.port, "--format", "json", "--fail-on", "none")
    reader, _ = reader_of(process)
    app = dict(user="app", password=PASSWORD, sslmode="require")
    pg.must(cluster.psql(cluster.dsn(**app)))
    os.kill(reader, signal.SIGSTOP)
    pg.must(cluster.psql(cluster.dsn(**app), "copy (select repeat('x', 1000) from generate_series(1, 60000)) to stdout"))
    os.kill(reader, signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    report = in_order(json.loads(process.communicate(timeout=pg.PATIENCE)[0]))
    assert report["capture"]["dropped_kernel"] > 0
    assert report["answer"] == "unknown" and report["connections"][0]["verdict"] == "tls"
    assert "wire-unknown" in {rule["id"] for rule in report["not_examined"]}


def test_live_keeps_up_with_pgbench_and_copy(make, folder, program, record_property):
    cluster = with_tls(make, folder)
    process = live(program, "--interface", "lo", "--port", cluster.port, "--format", "json", "--fail-on", "none")
    reader_of(process)
    app = dict(user="app", password=PASSWORD)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(subprocess.run, [
            pg.client_program("pgbench"), "-n", "-c", "4", "-T", "3", "-f", "-", "-M", "prepared",
            cluster.dsn(**app, sslmode="require")], input="select nombre from clientes where id = 7;\n",
            capture_output=True, text=True)]
        jobs += [pool.submit(cluster.psql, cluster.dsn(**app, sslmode="disable"),
                             "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout")]
        assert all(job.result().returncode == 0 for job in jobs)
    seconds = time.monotonic() - begun
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=pg.PATIENCE)
    report = json.loads(out)["capture"]
    record_property("says", f"live: {report['packets'] / seconds:.0f} packets/s, "
                            f"{report['tcp_bytes'] / seconds / 1e6:.0f} MB/s, "
                            f"{report['dropped_kernel']} dropped")
    # on a machine that is busy with something else the kernel may drop packets, and then it is said
    assert report["tcp_bytes"] > 100_000_000 or report["dropped_kernel"] > 0
