"""pgseal scan tells who answers: PostgreSQL and its version, a pooler, a provider's proxy, or somebody else."""
import contextlib
import datetime
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

import pg
from test_scan import OPEN_HBA, TLS_HBA, at, certificate, ids, peer, scan, tls_server, unseen

SSL_REQUEST, GSSENC_REQUEST = b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"


def wait_for(port, process):
    until = time.monotonic() + pg.PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on {port}: {process.args}, {process.returncode}")


@contextlib.contextmanager
def program(name, argv, folder, port):
    """Run it as the owner of the servers, who may read all in `folder`."""
    who = {}
    if pg.AS_ROOT:
        who = {"user": pg.OWNER.pw_uid, "group": pg.OWNER.pw_gid, "extra_groups": []}
        for path in [folder, *folder.rglob("*")]:
            pg.give(path)
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        pytest.skip(f"{name} is not installed")
    with (folder / f"{name}.out").open("w") as out:
        process = subprocess.Popen([found, *map(str, argv)], stdout=out, stderr=out, cwd=folder, **who)
    try:
        wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(pg.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def pgbouncer(folder, **settings):
    crt, key = certificate(folder)
    port, ini, users = pg.free_port(), folder / "pgbouncer.ini", folder / "users"
    users.write_text('"app" "secret"\n')
    base = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_file": users,
            "client_tls_cert_file": crt, "client_tls_key_file": key, "logfile": folder / "pgbouncer.log"}
    lines = "\n".join(f"{name} = {value}" for name, value in {**base, **settings}.items())
    ini.write_text(f"[databases]\n* = host=127.0.0.1 port=1\n[pgbouncer]\n{lines}\n")
    return program("pgbouncer", [ini], folder, port)


def pgpool(folder, backend, **settings):
    crt, key = certificate(folder)
    port, conf, hba = pg.free_port(), folder / "pgpool.conf", folder / "pool_hba.conf"
    base = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder,
            "pcp_socket_dir": folder, "pcp_listen_addresses": "", "pcp_port": pg.free_port(),
            "backend_clustering_mode": "raw", "backend_hostname0": "127.0.0.1", "backend_port0": backend.port,
            "num_init_children": 4, "pid_file_name": folder / "pgpool.pid", "logdir": folder,
            "ssl_cert": crt, "ssl_key": key, "sr_check_period": 0, "health_check_period": 0}
    conf.write_text("".join(f"{name} = '{value}'\n" for name, value in {**base, **settings}.items()))
    hba.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    for name in ("pcp.conf", "pool_passwd"):
        (folder / name).write_text("")
    return program("pgpool", ["-n", "-f", conf, "-a", hba, "-F", folder / "pcp.conf"], folder, port)


# ---- PostgreSQL -------------------------------------------------------------------------------------

def holds(target, major):
    """The range that was shown: right, and narrower than everything."""
    version = target["major_version"]
    assert version.get("at_least", 0) <= major <= version.get("at_most", 99), version
    return version["at_least"], version.get("at_most")


@pytest.mark.parametrize("hba", [OPEN_HBA, TLS_HBA], ids=["open", "hostssl"])
def test_the_major_version_is_bounded_and_never_wrong(pgseal, make, folder, every_major, hba):
    cluster = tls_server(make, folder, every_major, hba=hba)
    _, (target,) = scan(pgseal, at(cluster))
    assert target["kind"] == "postgresql"
    low, high = holds(target, every_major)
    assert high is None or high - low <= 2
    assert every_major < 17 or low >= 17, "those are known by what they say to protocol 3.2"
    assert (low, high) == (every_major, every_major if every_major < 18 else None), "known by its proof"
    assert "negotiation-endless" not in ids(target)
    today = str(datetime.datetime.now(datetime.timezone.utc).date())
    old = [one["evidence"] for one in target["findings"] if one["message"] == "this version gets no more fixes"]
    if every_major == 13:
        assert old == ["at most PostgreSQL 13, until 2025-11-13"] * (today > "2025-11-13")
    assert every_major < 18 or today > "2030-11-14" or not old

    cluster.set(ssl="off")
    cluster.reload()
    _, (target,) = scan(pgseal, at(cluster))
    assert target["kind"] == "postgresql" and target["tls"] == {"offered": False}
    holds(target, every_major)
    # 12 and 13 were given up before the fix; what is built with GSSAPI says G, and does not loop
    assert ("negotiation-endless" in ids(target)) == (every_major in (12, 13))
    assert target["connections"] <= 6


# ---- poolers ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("auth", ["scram-sha-256", "md5", "trust"])
@pytest.mark.parametrize("mode", ["disable", "allow", "require"])
def test_pgbouncer_is_no_postgresql(pgseal, folder, mode, auth):
    with pgbouncer(folder, client_tls_sslmode=mode, auth_type=auth) as bouncer:
        _, (target,) = scan(pgseal, bouncer)
    assert target["kind"] == "pgbouncer" and "major_version" not in target
    assert target["tls"]["offered"] == (mode != "disable")
    assert target["plaintext"] == ("no" if mode == "require" else "yes")
    assert "negotiation-endless" not in ids(target)
    findings = {one["id"]: one for one in target["findings"]}
    assert ("plaintext-accepted" in findings) == (mode != "require")
    if mode == "allow":
        assert findings["plaintext-accepted"]["fix"] == "client_tls_sslmode = require"
    assert ("auth-md5" in findings) == (auth == "md5")
    # it does not make out who comes for a replication, and takes no such connection
    assert "replication-plaintext" not in findings
    assert target["connections"] <= 19


@pytest.mark.parametrize("hba", ["off", "on"])
@pytest.mark.parametrize("tls", ["off", "on"])
def test_pgpool_is_no_postgresql(pgseal, make, folder, tls, hba):
    backend = make.plain(hba=OPEN_HBA)
    with pgpool(folder, backend, ssl=tls, enable_pool_hba=hba) as pool:
        _, (target,) = scan(pgseal, pool)
    assert target["kind"] == "pgpool" and "major_version" not in target
    assert target["tls"]["offered"] == (tls == "on")
    # its pool_hba.conf takes nobody without TLS; where it offers none, nobody comes in to prove it
    assert target["plaintext"] == {"off": "yes", "on": "no" if tls == "on" else "unknown"}[hba]
    assert "negotiation-endless" not in ids(target)


def error(code, message, severity="FATAL"):
    fields = f"S{severity}\0C{code}\0M{message}\0\0".encode()
    return b"E" + struct.pack(">I", len(fields) + 4) + fields


def proxy(plain, inside=None, files=None):
    """Answers SSLRequest with S, a startup in plaintext with `plain`, one inside of TLS with `inside`."""
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)

    def talk(link):
        request = link.recv(4096)
        if request[4:8] == SSL_REQUEST:
            link.sendall(b"S")
            if context:
                with context.wrap_socket(link, server_side=True) as inner:
                    inner.recv(4096)
                    inner.sendall(inside or plain)
        elif request[4:8] == GSSENC_REQUEST:
            link.sendall(b"N")
        else:
            link.sendall(plain)
    return talk


@pytest.mark.parametrize("kind,answer,plaintext", [
    ("odyssey", error("08P01", "odyssey: c1e2d3: SSL is required", "ERROR"), "no"),
    ("odyssey", error("3D000", "odyssey: c1e2d3: route for 'postgres.pgseal_1' is not found", "ERROR"), "yes"),
    ("rds_proxy", error("28000", "This RDS Proxy requires TLS connections"), "no"),
    ("azure_gateway", error("28000", "SSL connection is required. Please specify SSL options and retry."), "no"),
    ("neon_proxy", error("XX000", "connection is insecure (try using `sslmode=require`)", "ERROR"), "no"),
    ("supavisor", error("XX000", "(ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname "
                        "required)"), "unknown"),
    ("supavisor", error("XX000", "Tenant or user not found"), "unknown"),
    ("other", error("08006", "who are you"), "unknown"),
])
def test_proxies_are_known_by_what_they_are_known_to_say(pgseal, kind, answer, plaintext):
    with peer(proxy(answer)) as target:
        _, (seen,) = scan(pgseal, target)
    assert (seen["kind"], seen["plaintext"]) == (kind, plaintext)


def test_who_demands_tls_and_then_asks_for_nothing_has_no_grade_for_it(pgseal, folder):
    demands, full = error("08P01", "SSL required"), error("08P01", "no more connections allowed (max_client_conn)")
    with peer(proxy(demands, full, certificate(folder))) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["plaintext"] == "no" and "trust-auth" in unseen(seen) and seen["grade"] == "not_graded"


@pytest.mark.parametrize("name,kind,host", [
    ("db.proxy-c1abc.eu-west-1.rds.amazonaws.com", "rds_proxy", "Amazon RDS"),
    ("db.c1abc.eu-west-1.rds.amazonaws.com", "unknown", "Amazon RDS"),
    ("db1.postgres.database.azure.com", "unknown", "Azure"),
    ("ep-x.eu-central-1.aws.neon.tech", "neon_proxy", "Neon"),
    ("aws-0-eu-west-1.pooler.supabase.com", "supavisor", "Supabase"),
    ("rds.amazonaws.com.example.net", "unknown", None),
])
def test_providers_are_known_by_the_names_in_their_certificates(pgseal, folder, name, kind, host):
    asks = b"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0"
    with peer(proxy(asks, files=certificate(folder, san=f"DNS:{name}"))) as target:
        _, (seen,) = scan(pgseal, target)
    assert (seen["kind"], seen.get("hosted_by")) == (kind, host)


@pytest.mark.parametrize("answer,reach", [(b"S", "postgres"), (b"N", "not_postgres"), (b"SSSS", "not_postgres")])
def test_who_never_says_a_word_of_postgresql_is_not_taken_for_it(pgseal, answer, reach):
    with peer(lambda link: (link.recv(4096), link.sendall(answer))) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["reach"] == reach
    assert seen.get("kind", "other") == "other" and "major_version" not in seen
    assert seen["plaintext"] == "unknown" and "plaintext-accepted" not in ids(seen)


# ---- endless requests for encryption ------------------------------------------------------------------

def declines(times, places):
    """Declines so many requests on a connection, then refuses as PostgreSQL does."""
    def talk(link):
        for _ in range(times):
            request = link.recv(4096)
            if request[4:8] not in (SSL_REQUEST, GSSENC_REQUEST):
                break
            link.sendall(b"N")
        else:
            link.recv(4096)
        fields = b"SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 1234.5679: server supports 3.0 to 3.0\0"
        fields += places + b"\0"
        link.sendall(b"E" + struct.pack(">I", len(fields) + 4) + fields)
    return talk


@pytest.mark.parametrize("times,places,found", [
    (99, b"Fpostmaster.c\0L2110\0RProcessStartupPacket\0", True),
    (3, b"Fpostmaster.c\0L2110\0RProcessStartupPacket\0", True),
    (2, b"Fpostmaster.c\0L2171\0RProcessStartupPacket\0", False),
    (99, b"", False),
])
def test_endless_requests_are_found_by_three_of_them(pgseal, times, places, found):
    with peer(declines(times, places)) as target:
        _, (seen,) = scan(pgseal, target)
    assert ("negotiation-endless" in ids(seen)) == found


# ---- the certificate, and nothing else ------------------------------------------------------------------

def test_a_certificate_costs_one_connection_and_no_line_in_the_log(pgseal, make, folder):
    cluster = tls_server(make, folder, hba=TLS_HBA, log_connections="off")
    before = cluster.log()
    run, (target,) = scan(pgseal, at(cluster), args=["--certificate-only", "--trust", folder / "server.crt"])
    assert target["connections"] == 1 and target["certificate"]["names"] == ["localhost", "127.0.0.1"]
    assert target["grade"] == "not_graded", "nothing else was looked at"
    assert target["plaintext"] == "unknown" and target["kind"] == "unknown"
    assert not {"cert-untrusted", "name-mismatch"} & ids(target)
    assert cluster.log() == before, "a handshake that is whole, and closed in form, leaves no line"
    assert run.status == 0
