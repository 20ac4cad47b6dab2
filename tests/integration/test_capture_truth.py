"""The verdicts of pgseal capture, and what servers and clients say themselves of each connection.

The truth is the server's own: its log (log_connections), pg_stat_ssl and pg_stat_gssapi.
"""
import concurrent.futures
import datetime
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import time

import pytest

import drivers
import kerberos
import pg
from wire import PASSWORD, Capture, agree, by_client, libpq_of, nothing_secret, openssl, raw, with_tls

SSL = struct.pack(">II", 8, 80877103)


# ---- many clients at once ---------------------------------------------------------------------

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
    assert agree(cluster, report) > 30
    conns = by_client(report)
    for what, verdict in {"http": "not-postgres", "empty": "no-data", "not-started": "tls-not-started",
                          "cancel": "cancel", "stuffed": "injected"}.items():
        assert verdict in [c["verdict"] for c in conns["127.0.0.1", ports[what]]], what
    plain = [c for c in report["connections"] if c["verdict"] == "plaintext"]
    assert any(c["password_sent"] == "md5" and c["password_exposed"] for c in plain)
    assert any(c["copy_out_bytes"] > 5000 and c["queries"] == 1 for c in plain)
    assert any(c["copy_in_bytes"] >= 5000 for c in plain)
    assert any(c["replication"] == "physical" and c["copy_out_bytes"] > 1000000 and c["counts_complete"] for c in plain)
    assert sum(c["queries"] == 5 or c["queries"] == 6 for c in plain if c["application_name"] == "pgbench") >= 9
    assert {c["sqlstate"] for c in plain} >= {"28P01", "28000"}
    refused = [c for c in report["connections"] if c["verdict"] == "tls-failed"]
    assert [(c["alert"], c["alert_from"]) for c in refused] == [("unknown_ca", "client")]
    old = [c for c in report["connections"] if c["tls_version"] == "TLSv1.2"]
    assert [(c["server_cert"], c["group"] is not None) for c in old] == [("CN=localhost", True)]
    nothing_secret(json.dumps(report))


# ---- drivers, and what pg_stat_ssl says -------------------------------------------------------

ASK = """select json_build_array(host(inet_client_addr()), inet_client_port(), ssl, version, cipher)::text
from pg_stat_ssl where pid = pg_backend_pid()"""


def agree_with_sessions(report, said):
    """What sessions read of themselves in pg_stat_ssl."""
    conns = by_client(report)
    for address, port, encrypted, version, cipher in map(json.loads, said):
        conn = conns[address, port].pop(0)
        assert (conn["verdict"] == "tls") == encrypted and conn["verdict"] != "unknown", conn
        assert (conn["tls_version"], conn["cipher"]) == (version, cipher), conn


@pytest.mark.parametrize("driver", drivers.ALL)
def test_drivers(make, folder, pgseal, driver):
    cluster = with_tls(make, folder)
    capture = Capture(folder, cluster.port, pgseal)
    said = [drivers.ALL[driver](cluster, "app", PASSWORD, sslmode, ASK) for sslmode in ("disable", "require")]
    report = capture.read()
    agree_with_sessions(report, said)
    assert agree(cluster, report) == 2
    plain, tls = report["connections"]
    assert (plain["verdict"], tls["verdict"]) == ("plaintext", "tls")
    assert (plain["user"], plain["auth"], plain["queries"] > 0, plain["rows"] > 0) == (
        "app", "SCRAM-SHA-256", True, True)
    assert not plain["password_exposed"] and tls["queries"] is None
    nothing_secret(json.dumps(report))


def test_pg_stat_ssl_agrees_on_every_version_suite_and_address(make, folder, pgseal):
    cluster = with_tls(make, folder)
    suites = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "AES256-GCM-SHA384",
              "ECDHE-RSA-CHACHA20-POLY1305")
    capture, said = Capture(folder, cluster.port, pgseal), []
    for host in ("127.0.0.1", "::1"):
        for params in ({"sslmode": "disable"}, {"sslmode": "prefer"}, {"sslmode": "allow"}, {"sslmode": "require"}):
            said.append(cluster.psql(cluster.dsn(user="app", password=PASSWORD, host=host, **params), ASK).stdout)
    said.append(cluster.psql(cluster.dsn(user="app", password=PASSWORD, host="localhost", hostaddr="127.0.0.1",
                                         sslmode="require"), ASK).stdout)
    for suite in suites:
        cluster.set(ssl_ciphers=suite, ssl_max_protocol_version="TLSv1.2")
        cluster.reload()
        said.append(cluster.psql(cluster.dsn(user="app", password=PASSWORD, sslmode="require"), ASK).stdout)
    report = capture.read()
    agree_with_sessions(report, said)
    assert agree(cluster, report) == len(said) == 13
    assert [c["sni"] for c in report["connections"]].count("localhost") == 1
    assert [c["cipher"] for c in report["connections"]][-4:] == list(suites)
    assert [c["group"] is None for c in report["connections"]][-4:] == [False, False, True, False]


# ---- cancel, replication ----------------------------------------------------------------------

CANCEL = """
import ctypes, sys
pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQcancelCreate", "PQcancelErrorMessage", "PQerrorMessage"):
    getattr(pq, name).restype = ctypes.c_void_p
pq.PQconnectdb.argtypes = [ctypes.c_char_p]
for name in ("PQcancelCreate", "PQcancelBlocking", "PQcancelFinish", "PQfinish", "PQstatus"):
    getattr(pq, name).argtypes = [ctypes.c_void_p]
link = pq.PQconnectdb(sys.argv[1].encode())
assert pq.PQstatus(link) == 0
cancel = pq.PQcancelCreate(link)
assert pq.PQcancelBlocking(cancel) == 1
pq.PQcancelFinish(cancel)
pq.PQfinish(link)
"""


def test_requests_to_cancel(make, folder, pgseal):
    """Until libpq 17 a request to cancel goes in plaintext also beside a session that is encrypted."""
    cluster = with_tls(make, folder)
    psycopg = pytest.importorskip("psycopg")
    capture = Capture(folder, cluster.port, pgseal)
    for sslmode in ("disable", "require"):
        with psycopg.connect(cluster.dsn(user="app", password=PASSWORD, sslmode=sslmode)) as link:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                asleep = pool.submit(link.execute, "select pg_sleep(60)")
                while not asleep.done():
                    link.cancel()
                    time.sleep(0.05)
            with pytest.raises(psycopg.errors.QueryCanceled):
                asleep.result()
            link.rollback()
    report = capture.read()
    assert agree(cluster, report) == 2
    verdicts = [c["verdict"] for c in report["connections"]]
    assert sorted(set(verdicts)) == ["cancel", "plaintext", "tls"] and verdicts.count("cancel") >= 2
    assert report["totals"]["readable"] == 1


def test_a_request_to_cancel_that_is_encrypted(make, folder, pgseal):
    env = libpq_of(18) or libpq_of(17) or pytest.skip("no libpq of 17 or later is here")
    cluster = with_tls(make, folder)
    argv = ["/usr/bin/python3", "-c", CANCEL, cluster.dsn(user="app", password=PASSWORD, sslmode="require")]
    capture = Capture(folder, cluster.port, pgseal)
    pg.must(subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True))
    report = capture.read()
    assert agree(cluster, report) == 1
    assert [c["verdict"] for c in report["connections"]] == ["tls", "tls"]

    # a server that asks for certificates might have refused there: that cannot be told
    cluster.write(cluster.data / "ca.crt", (folder / "server.crt").read_bytes())
    cluster.set(ssl_ca_file="ca.crt")
    cluster.reload()
    again = Capture(folder, cluster.port, pgseal)
    pg.must(subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True))
    assert {(c["verdict"], c["reason"]) for c in again.read()["connections"]} == {
        ("tls", None), ("unknown", "hidden-alert")}


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_logical_replication(make, folder, pgseal, sslmode):
    program = shutil.which("pg_recvlogical") or pytest.skip("pg_recvlogical is not on this machine")
    cluster = with_tls(make, folder, wal_level="logical")
    cluster.write_hba("host all standby 127.0.0.1/32 trust\n" + cluster.hba.read_text())
    cluster.reload()
    cluster.sql("select pg_create_logical_replication_slot('s', 'test_decoding')")
    cluster.sql("insert into clientes select i, repeat('n', 100) from generate_series(1, 2000) i")
    until = cluster.sql("select pg_current_wal_flush_lsn()").strip()
    capture = Capture(folder, cluster.port, pgseal)
    pg.must(subprocess.run([program, "-S", "s", "--start", "--no-loop", "--endpos", until, "-f", folder / "changes",
                            "-d", cluster.dsn(user="standby", sslmode=sslmode)],
                           capture_output=True, text=True, timeout=pg.PATIENCE))
    changes = (folder / "changes").stat().st_size
    report = capture.read()
    assert agree(cluster, report) == len(report["connections"]) > 0 and changes > 200000
    assert {c["verdict"] for c in report["connections"]} == {"plaintext" if sslmode == "disable" else "tls"}
    if sslmode == "disable":
        assert {c["replication"] for c in report["connections"]} == {"logical"}
        assert sum(c["copy_out_bytes"] for c in report["connections"]) > changes


# ---- GSSAPI -----------------------------------------------------------------------------------

@pytest.fixture
def realm(folder):
    pg.give(folder)
    kerberos_realm = kerberos.Realm(folder)
    yield kerberos_realm
    kerberos_realm.stop()


GSS_HBA = "hostgssenc all app 127.0.0.1/32 gss include_realm=0\nhostnogssenc all app 127.0.0.1/32 scram-sha-256\n"
GSS_ASK = "select gss_authenticated and encrypted from pg_stat_gssapi where pid = pg_backend_pid()"


def test_gssapi_as_a_client_with_a_ticket_does_it(make, folder, pgseal, realm):
    """Its encryption; a key that the server has not; a server that knows none; and before TLS, as libpq prefers it."""
    cluster = with_tls(make, folder, krb_server_keyfile=f"FILE:{realm.keytab('postgres/localhost', 'server')}")
    cluster.write_hba(GSS_HBA + cluster.hba.read_text())
    cluster.reload()
    realm.ticket("app")
    to = dict(host="localhost", hostaddr="127.0.0.1", user="app", password=PASSWORD)
    capture = Capture(folder, cluster.port, pgseal)
    said = [cluster.psql(cluster.dsn(**to, gssencmode=gss, sslmode=tls), GSS_ASK, **realm.env).stdout.strip()
            for gss, tls in (("require", "disable"), ("prefer", "require"), ("disable", "require"))]
    report = capture.read()
    assert said == ["t", "t", "f"]
    assert agree(cluster, report) == 3
    assert [(c["start"], c["gss_answer"], c["verdict"]) for c in report["connections"]] == [
        ("gssenc-request", "G", "gss"), ("gssenc-request", "G", "gss"), ("ssl-request", None, "tls")]
    assert report["answer"] == "encrypted"


def test_gssapi_that_fails(make, folder, pgseal, realm):
    realm.keytab("postgres/localhost", "server")
    realm.ticket("app")
    wrong = realm.keytab("postgres/elsewhere", "wrong")
    cluster = with_tls(make, folder, krb_server_keyfile=f"FILE:{wrong}")
    capture = Capture(folder, cluster.port, pgseal)
    done = cluster.psql(cluster.dsn(host="localhost", hostaddr="127.0.0.1", user="app", gssencmode="require"),
                        **realm.env)
    assert done.returncode != 0
    report = capture.read()
    assert agree(cluster, report) == 0
    assert [(c["gss_answer"], c["verdict"]) for c in report["connections"]] == [("G", "gss-failed")]


def test_gssapi_that_is_refused(make, folder, pgseal, realm):
    """A server that was built without it says N, and the client goes on with TLS, or gives up."""
    major = next((major for major in (17, 16, 18) if major in pg.SERVERS), None)
    if not major:
        pytest.skip("no server without GSSAPI is here")
    realm.keytab("postgres/localhost", "server")
    realm.ticket("app")
    cluster = with_tls(make, folder, major)
    to = dict(host="localhost", hostaddr="127.0.0.1", user="app", password=PASSWORD)
    capture = Capture(folder, cluster.port, pgseal)
    pg.must(cluster.psql(cluster.dsn(**to, gssencmode="prefer", sslmode="require"), **realm.env))
    pg.must(cluster.psql(cluster.dsn(**to, gssencmode="prefer", sslmode="disable"), **realm.env))
    assert cluster.psql(cluster.dsn(**to, gssencmode="require"), **realm.env).returncode != 0
    report = capture.read()
    assert agree(cluster, report) == 2
    assert [(c["gss_answer"], c["ssl_answer"], c["verdict"]) for c in report["connections"]] == [
        ("N", "S", "tls"), ("N", None, "plaintext"), ("N", None, "refused")]


# ---- what is refused, and what fails ----------------------------------------------------------

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
    seen = {c["subject"]: c for c in report["certificates"]}
    assert set(seen) == ({"CN=localhost", "CN=app"} if version == "TLSv1.2" else set())
    for subject, cert in seen.items():
        valid = [datetime.datetime.fromisoformat(cert[end]).timestamp() for end in ("not_before", "not_after")]
        assert valid[0] <= time.time() < valid[1] < time.time() + 366 * 86400
        assert cert["key"] == {"CN=localhost": "RSA 2048", "CN=app": "EC P-256"}[subject]
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


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_wal_that_is_streamed(make, folder, pgseal, sslmode):
    program = shutil.which("pg_receivewal") or pytest.skip("pg_receivewal is not on this machine")
    cluster = with_tls(make, folder)
    cluster.sql("select pg_switch_wal()")
    cluster.sql("create table much as select repeat('x', 500) from generate_series(1, 1000)")
    until = cluster.sql("select pg_current_wal_flush_lsn()").strip()
    cluster.sql("insert into much values ('it ends behind its end')")
    capture = Capture(folder, cluster.port, pgseal)
    (folder / "wal").mkdir()
    pg.must(subprocess.run([program, "-D", folder / "wal", "--no-loop", "--no-sync", "--endpos", until, "-d",
                            cluster.dsn(user="standby", sslmode=sslmode, dbname=None)],
                           capture_output=True, text=True, timeout=pg.PATIENCE))
    report = capture.read()
    assert agree(cluster, report) == len(report["connections"]) > 0
    verdict = {"disable": "plaintext", "require": "tls"}[sslmode]
    assert {c["verdict"] for c in report["connections"]} == {verdict}
    if sslmode == "disable":
        assert {c["replication"] for c in report["connections"]} == {"physical"}
        wanted = int(until.split("/")[1], 16) % (1 << 20)       # from the beginning of its segment
        assert sum(c["copy_out_bytes"] for c in report["connections"]) >= wanted > 500_000


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
        served.result(pg.PATIENCE)
    assert (first, second) == (False, True)
    conns = capture.read()["connections"]
    assert [(c["verdict"], c["tls_version"], c["resumed"]) for c in conns] == [
        ("tls", version, False), ("tls", version, True)]
