"""pgseal scan: the truth is known, because each server was made so, and the verdict meets it."""
import base64
import contextlib
import csv
import hashlib
import io
import itertools
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import pg

OPEN_HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
TLS_HBA = ("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
           "hostssl replication all 127.0.0.1/32 scram-sha-256\n")


def certificate(folder, name="server", cn="127.0.0.1", san="IP:127.0.0.1,DNS:localhost", days=300,
                key=("rsa:2048",)):
    crt, keyfile = folder / f"{name}.crt", folder / f"{name}.key"
    args = ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-subj", f"/CN={cn}", "-keyout", keyfile,
            "-out", crt, "-days", str(days)]
    if san:
        args += ["-addext", f"subjectAltName={san}"]
    subprocess.run(args, check=True, capture_output=True)
    return crt, keyfile


def tls_server(make, folder, major=15, hba=OPEN_HBA, files=None, more=None, **settings):
    crt, key = files or certificate(folder)
    cluster = make.plain(major, start=False, hba=hba, **{"ssl": "on", **settings})
    for name, text in (more or {}).items():
        cluster.write(cluster.data / name, text)
    cluster.write(cluster.data / "server.crt", crt.read_bytes())
    cluster.write(cluster.data / "server.key", key.read_bytes(), 0o600)
    return cluster.start()


def scan(pgseal, *targets, args=(), ok=None):
    run = pgseal("scan", "--format", "json", *args, *targets, ok=ok)
    return run, run.json["targets"]


def finished(lines):
    """The ports of the targets that --lines has had so far, while the scan goes on or after it."""
    whole = lines.read_text().rpartition("\n")[0] if lines.exists() else ""
    return [json.loads(line)["port"] for line in whole.splitlines()]


def ids(target):
    return {finding["id"] for finding in target["findings"]}


def unseen(target):
    return {one["id"] for one in target["not_examined"]}


def until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def at(cluster):
    return f"127.0.0.1:{cluster.port}"


# ---- one server -------------------------------------------------------------------------------

def test_a_default_server_is_seen_as_it_is(pgseal, make, folder, every_major):
    cluster = tls_server(make, folder, every_major)
    run, (target,) = scan(pgseal, at(cluster), args=["--trust", folder / "server.crt"])
    versions = ["TLSv1.3", "TLSv1.2"] + (["TLSv1.1", "TLSv1"] if every_major < 13 else [])
    assert target["tls"]["versions"] == versions
    assert target["plaintext"] == "yes" and "plaintext-accepted" in ids(target)
    assert target["logins"]["tls"] == "SCRAM-SHA-256" and target["logins"]["channel_binding"]
    assert target["tls"]["direct"] == ("yes" if every_major >= 17 else "no")
    assert target["tls"]["server_preference"] == "yes"
    assert target["certificate"]["names"] == ["localhost", "127.0.0.1"]
    assert "cipher-no-fs" in ids(target) and "cipher-cbc" in ids(target)
    assert ("tls-legacy-version" in ids(target)) == (every_major < 13)
    assert not {"stuffing-vulnerable", "direct-tls-no-alpn", "negotiation-endless", "cipher-weak",
                "cipher-null-anon", "name-mismatch", "trust-auth", "tls-off"} & ids(target)
    assert target["connections"] <= 25
    assert run.status == 1


EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
AEAD = {"ssl_min_protocol_version": "TLSv1.2", "ssl_ciphers": "ECDHE+AESGCM:ECDHE+CHACHA20"}
HARDENED = {
    "1.3 alone": ({"ssl_min_protocol_version": "TLSv1.3"}, {}),
    "1.2 with AEAD": (AEAD, {}),
    "an EC key": (AEAD, {"key": EC_KEY}),
    "client certificates": ({**AEAD, "ssl_ca_file": "server.crt"},
                            {"hba": "local all all trust\nhostssl all all 127.0.0.1/32 cert\n"}),
}


ITS_END = re.compile("received smart shutdown|logical replication launcher|shutting down|checkpoint|is shut down")


@pytest.mark.parametrize("name,major", [(name, major) for name in HARDENED for major in sorted({12, 15, *pg.MAJORS})
                                        if name != "an EC key" or major in (15, 18)])
def test_a_hardened_server_takes_few_connections_and_log_lines(pgseal, make, folder, major, name):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    settings, made = HARDENED[name]
    cluster = tls_server(make, folder, major, hba=made.get("hba", TLS_HBA),
                         files=certificate(folder, key=made.get("key", ("rsa:2048",))), **settings)
    before = len(cluster.log().splitlines())
    run, (target,) = scan(pgseal, at(cluster), args=["--trust", folder / "server.crt"])
    cluster.stop(signal.SIGTERM)                # waits for everybody: then the log is complete
    lines = [line for line in cluster.log().splitlines()[before:] if not ITS_END.search(line)]
    both = "ssl_ciphers" in settings
    assert set(target["tls"]["versions"]) == ({"TLSv1.2", "TLSv1.3"} if both else {"TLSv1.3"})
    assert target["plaintext"] == "no" and target["grade"] != "not_graded"
    assert target["tls"]["ends_at_postgresql"] == ("assumed" if "ssl_ca_file" in settings else "yes")
    if both:
        assert target["tls"]["server_preference"] == ("yes" if major <= 17 else "unknown")
    bad = {"plaintext-accepted", "replication-plaintext", "tls-legacy-version", "cipher-weak", "cipher-no-fs",
           "cipher-cbc", "cipher-null-anon", "group-weak", "compression-or-renegotiation", "stuffing-vulnerable",
           "direct-tls-no-alpn"}
    assert not bad & ids(target) and not bad & unseen(target)
    assert target["connections"] <= 12, target["connections"]
    assert len(lines) <= 8, lines               # details of errors counted


def test_suites_and_their_order_are_those_that_openssl_finds(pgseal, make, folder):
    cluster = tls_server(make, folder, ssl_ciphers="ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA:"
                         "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-SHA256")
    _, (target,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    found = target["tls"]["suites"]["TLSv1.2"]

    left, order = None, []
    while True:
        ciphers = "ALL:@SECLEVEL=0" + "".join(f":!{one}" for one in order)
        done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", at(cluster), "-tls1_2",
                               "-cipher", ciphers], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        left = re.search(r"Cipher is (\S+)", done.stdout)
        if not left or left[1] == "(NONE)":
            break
        order.append(left[1])
    assert sorted(order) == ["AES256-SHA", "DHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                             "ECDHE-RSA-AES256-GCM-SHA384"]
    assert found == order
    assert target["tls"]["suites_complete"]
    assert sorted(target["tls"]["suites"]["TLSv1.3"]) == [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    assert target["tls"]["groups"] == ["secp256r1"] and target["tls"]["groups_complete"]
    assert target["connections"] <= 75


def test_a_server_without_tls_is_an_f(pgseal, make, every_major):
    cluster = make.plain(every_major, hba=OPEN_HBA)
    _, (target,) = scan(pgseal, at(cluster))
    assert target["grade"] == "F" and "tls-off" in ids(target)
    assert target["tls"] == {"offered": False} and target["plaintext"] == "yes"


@pytest.mark.parametrize("method,finding", [("trust", "trust-auth"), ("password", "password-plaintext"),
                                            ("md5", None)])
def test_how_passwords_are_asked_for(pgseal, make, folder, method, finding):
    cluster = tls_server(make, folder, hba=f"local all all trust\nhost all all 127.0.0.1/32 {method}\n")
    cluster.role("app", "secret")
    _, (target,) = scan(pgseal, at(cluster), args=["--role", "app"])
    if finding:
        assert finding in ids(target)
    else:
        assert not {"trust-auth", "password-plaintext"} & ids(target)


def test_a_method_that_fails_unasked_is_a_way_in_and_no_refusal(pgseal, make, folder):
    """ident asks the client's machine, and says 28000 like a line that rejects: who is believed there comes in."""
    cluster = tls_server(make, folder, hba="local all all trust\nhostnossl all all 127.0.0.1/32 ident\n"
                         "hostssl all all 127.0.0.1/32 scram-sha-256\n")
    _, (target,) = scan(pgseal, at(cluster))
    assert target["plaintext"] == "yes" and target["logins"]["plaintext"] == "failed"
    found, = (one for one in target["findings"] if one["id"] == "plaintext-accepted")
    assert "dent authentication failed" in found["evidence"]


@pytest.mark.parametrize("method,finding", [("trust", "trust-auth"), ("password", "password-plaintext")])
def test_replication_is_judged_as_other_logins_are(pgseal, make, folder, method, finding):
    cluster = tls_server(make, folder, hba="local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
                         f"host replication all 127.0.0.1/32 {method}\n")
    _, (target,) = scan(pgseal, at(cluster))
    assert target["plaintext"] == "yes" and target["grade"] == "F"
    fixes = {one["id"]: one["fix"] for one in target["findings"]}
    assert fixes["replication-plaintext"] == "hostssl replication <role> <address/bits> <method>"
    assert fixes[finding].startswith("hostssl replication <role> <address/bits> ")


def test_no_group_is_proposed_that_openssl_may_not_know(pgseal, make, folder, every_major):
    """PostgreSQL 18 with an OpenSSL before 3.5 does not start with X25519MLKEM768."""
    cluster = tls_server(make, folder, every_major, hba=TLS_HBA)
    _, (target,) = scan(pgseal, at(cluster))
    fix, = (one["fix"] for one in target["findings"] if one["id"] == "no-pq-group")
    assert fix is None


@pytest.mark.parametrize("hba,found", [(OPEN_HBA + "host replication all 127.0.0.1/32 scram-sha-256\n", True),
                                       (TLS_HBA, False)], ids=["open", "hostssl"])
def test_a_server_whose_walsenders_are_taken_is_asked_again(pgseal, make, folder, hba, found):
    """All are taken when the first question comes, and free behind it: what pg_hba.conf says is found all the same."""
    cluster = tls_server(make, folder, hba="local replication all trust\n" + hba, max_wal_senders="1")
    holder = subprocess.Popen([pg.client_program("psql"), "-Xq", f"host={cluster.sockets} port={cluster.port} "
                               f"user={cluster.user} replication=true"], stdin=subprocess.PIPE)

    def senders(count):
        until(lambda: cluster.sql("select count(*) from pg_stat_activity where backend_type = 'walsender'") == count)

    def free(link):
        """Passes on; behind the first answer that no place is left, one is."""
        with socket.create_connection(("127.0.0.1", cluster.port)) as inner:
            asks = link.recv(65536)
            inner.sendall(asks)
            if b"replication" in asks:
                answer = inner.recv(65536)
                if b"53300" in answer:
                    holder.communicate()
                    senders("0")
                link.sendall(answer)
            threading.Thread(target=pump, args=(inner, link), daemon=True).start()
            pump(link, inner)

    senders("1")
    try:
        with peer(free) as target:
            _, (seen,) = scan(pgseal, target)
    finally:
        holder.kill()
    assert holder.returncode == 0, "it was full when it was asked"
    assert "replication-plaintext" not in unseen(seen)
    assert ("replication-plaintext" in ids(seen)) == found


def test_who_takes_no_replication_takes_none_in_plaintext(pgseal, make, folder, every_major):
    cluster = tls_server(make, folder, every_major, max_wal_senders="0",
                         hba=OPEN_HBA + "host replication all 127.0.0.1/32 scram-sha-256\n")
    _, (seen,) = scan(pgseal, at(cluster))
    assert "replication-plaintext" not in ids(seen) | unseen(seen)


def test_a_role_that_is_refused_either_way_says_nothing_of_others(pgseal, make, folder):
    cluster = tls_server(make, folder, hba="local all all trust\nhost all app 127.0.0.1/32 scram-sha-256\n")
    _, (target,) = scan(pgseal, at(cluster))
    assert target["plaintext"] == "unknown" and "plaintext-accepted" in unseen(target)
    _, (target,) = scan(pgseal, at(cluster), args=["--role", "app"])
    assert target["plaintext"] == "yes"


def test_client_certificates_that_are_asked_for_are_told_from_those_demanded(pgseal, make, folder):
    cluster = tls_server(make, folder, hba=TLS_HBA)
    _, (target,) = scan(pgseal, at(cluster))
    assert target["tls"]["client_certificate_asked"] == "no"
    cluster.write(cluster.data / "root.crt", (folder / "server.crt").read_bytes())
    cluster.set(ssl_ca_file="root.crt")
    cluster.reload()
    _, (target,) = scan(pgseal, at(cluster))
    assert target["tls"]["client_certificate_asked"] == "yes"
    assert target["tls"]["client_certificate_demanded"] == "no"
    assert target["tls"]["client_authorities"] == ["CN=127.0.0.1"]


def test_to_miss_a_certificate_is_no_refusal(pgseal, make, folder):
    cluster = tls_server(make, folder, hba="local all all trust\nhostssl all all 127.0.0.1/32 cert\n",
                         ssl_ca_file="server.crt")
    _, (target,) = scan(pgseal, at(cluster))
    assert target["plaintext"] == "no" and target["logins"]["tls"] == "certificate"
    assert target["grade"] != "not_graded" and "plaintext-accepted" not in unseen(target)


@pytest.mark.parametrize("cn,san,days,missing,present", [
    ("127.0.0.1", "IP:127.0.0.1", 300, {"name-mismatch", "cert-no-san", "cert-expiring"}, set()),
    ("db9", "DNS:db9", 300, {"cert-no-san"}, {"name-mismatch"}),
    ("db9", None, 300, set(), {"name-mismatch", "cert-no-san"}),
])
def test_the_certificate_is_judged_against_the_target(pgseal, make, folder, cn, san, days, missing, present):
    cluster = tls_server(make, folder, files=certificate(folder, "one", cn, san, days))
    _, (target,) = scan(pgseal, at(cluster), args=["--trust", folder / "one.crt"])
    assert present <= ids(target) and not missing & ids(target)
    assert "cert-untrusted" not in ids(target)


def test_a_foreign_root_is_not_trusted(pgseal, make, folder):
    cluster = tls_server(make, folder)
    certificate(folder, "other", "other root")
    _, (target,) = scan(pgseal, at(cluster), args=["--trust", folder / "other.crt"])
    assert "cert-untrusted" in ids(target)


# ---- peers that PostgreSQL cannot play -----------------------------------------------------------

@contextlib.contextmanager
def peer(talk):
    """A listener on loopback; `talk` has each connection in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=run, args=(link,), daemon=True).start()

    def run(link):
        with link, contextlib.suppress(OSError):
            talk(link)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)     # who waits in accept() would hold the port
        listener.close()


def openssl_peer(folder, options):
    """What `openssl s_server` offers, behind the answer S: each connection gets a server of its own."""
    numbers = itertools.count(1)

    def talk(link):
        if link.recv(8)[4:] != b"\x04\xd2\x16\x2f":
            return
        name = f"s-{next(numbers)}"             # a whole path would be too long for it
        server = subprocess.Popen(["openssl", "s_server", "-unix", name, "-naccept", "1", "-quiet",
                                   "-cert", "server.crt", "-key", "server.key", *options], cwd=folder,
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with socket.socket(socket.AF_UNIX) as inner:
                while inner.connect_ex(str(folder / name)) != 0:
                    assert server.poll() is None, f"openssl s_server ended with {server.returncode}"
                    time.sleep(0.01)
                link.sendall(b"S")              # not before it is there: slow is not silent
                threading.Thread(target=pump, args=(inner, link), daemon=True).start()
                pump(link, inner)
        finally:
            server.kill()
            server.wait()
    return talk


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("options,present", [
    (["-cipher", "NULL-SHA256:@SECLEVEL=0", "-tls1_2"], {"cipher-null-anon", "no-tls13"}),
    (["-cipher", "ADH-AES128-SHA256:@SECLEVEL=0", "-tls1_2"], {"cipher-null-anon"}),
    (["-cipher", "ALL:@SECLEVEL=0", "-tls1"], {"tls-legacy-version", "no-tls13"}),
    (["-cipher", "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-tls1_2", "-named_curve", "secp224r1"], {"group-weak"}),
], ids=["null", "anonymous", "tls1.0", "p224"])
def test_what_postgresql_would_never_offer_is_seen_all_the_same(pgseal, folder, options, present):
    certificate(folder)
    with peer(openssl_peer(folder, options)) as target:
        _, (seen,) = scan(pgseal, target)
    assert present <= ids(seen), ids(seen)


def test_a_server_that_only_warns_about_the_name_is_not_taken_to_refuse(pgseal, folder):
    certificate(folder)
    warns = ["-servername", "another.example", "-cert2", "server.crt", "-key2", "server.key", "-cipher",
             "ALL:@SECLEVEL=0"]
    with peer(openssl_peer(folder, warns)) as target:
        _, (seen,) = scan(pgseal, target.replace("127.0.0.1", "localhost"))
    assert {"TLSv1.1", "TLSv1"} <= set(seen["tls"]["versions"])
    assert {"tls-legacy-version", "cipher-null-anon", "cipher-no-fs"} <= ids(seen)


def slowly(link):
    link.sendall(b"S")
    while True:
        link.sendall(b"\x16")
        time.sleep(0.2)


HOSTILE = {
    "silence": lambda link: time.sleep(30),
    "closes at once": lambda link: None,
    "a flood of S": lambda link: [link.sendall(b"S" * 65536) for _ in range(256)],
    "not PostgreSQL": lambda link: link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "one byte at a time": slowly,
    "a record without end": lambda link: (link.recv(8), link.sendall(b"S\x16\x03\x03\x40\x00" + b"\x02" * 60000),
                                          time.sleep(30)),
    "an error of 1 GB": lambda link: (link.recv(8), link.sendall(b"E\x40\x00\x00\x00" + b"x" * 100000), time.sleep(30)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_peer_costs_bounded_time_and_gives_an_answer(pgseal, name):
    with peer(HOSTILE[name]) as target:
        run, (seen,) = scan(pgseal, target, args=["--timeout", "300"])
    assert run.status in (1, 3)
    assert seen["grade"] in ("not_graded", "F")
    assert seen["plaintext"] in ("unknown", "no")
    assert seen["took_ms"] < 20000


def test_silent_targets_do_not_delay_the_others(pgseal, make, folder):
    cluster = tls_server(make, folder)
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)       # full: answers no connection any more
    fill = [socket.socket() for _ in range(4)]
    for one in fill:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(listener.getsockname())
    hole = f"127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    _, targets = scan(pgseal, hole, at(cluster), args=["--timeout", "3000", "--concurrency", "1"])
    assert targets[0]["reach"] == "silent" and targets[1]["reach"] == "postgres"
    assert time.monotonic() - began < 60
    for one in fill:
        one.close()
    listener.close()


# ---- many ---------------------------------------------------------------------------------------

def test_a_fleet_in_one_run(pgseal, make, folder):
    good = tls_server(make, folder, hba=TLS_HBA, ssl_min_protocol_version="TLSv1.3")
    plain = make.plain(hba=OPEN_HBA)
    other = tls_server(make, folder, files=certificate(folder, "wrong", "db9", "DNS:db9"))
    fleet = folder / "fleet"
    fleet.write_text(f"# all\n{at(good)}\n{at(plain)}\n{at(other)} # the old one\n127.0.0.1:1\n{at(good)}\n")
    run, targets = scan(pgseal, args=["--input", fleet, "--trust", folder / "server.crt"])
    assert [t["reach"] for t in targets] == ["postgres", "postgres", "postgres", "no_connection"]
    assert [t["plaintext"] for t in targets] == ["no", "yes", "yes", "unknown"]
    assert targets[1]["grade"] == "F" and targets[3]["grade"] == "not_graded"
    assert "no-answer" in ids(targets[3]) and "name-mismatch" in ids(targets[2])
    assert run.status == 1

    rows = list(csv.DictReader(io.StringIO(
        pgseal("scan", "--format", "csv", "--input", fleet).out)))
    assert [row["port"] for row in rows] == [str(c.port) for c in (good, plain, other)] + ["1"]
    assert [row["plaintext"] for row in rows] == ["no", "yes", "yes", "unknown"]
    assert "tls-off: pgseal secure --ca CADIR" in rows[1]["cures"]
    assert "pg_hba.conf: - host    <database> <role> <address/bits> <method> + hostssl <database>" in rows[2]["cures"]
    page = pgseal("scan", "--format", "html", "--input", fleet).out
    assert page.count("plaintext-accepted") >= 2
    script, = re.findall(r"<script>(.*?)</script>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\">" in page, f"html_script_sha256 should be {digest}"
    alone = pgseal("scan", "--format", "html", at(plain)).out
    assert "<script" not in alone and "<h2>Findings</h2>" in alone          # nothing is folded away


def test_a_key_behind_two_servers_is_found(pgseal, make, folder):
    files = certificate(folder)
    one, two = tls_server(make, folder, files=files), tls_server(make, folder, files=files)
    alone = tls_server(make, folder, files=certificate(folder, "alone"))
    _, targets = scan(pgseal, at(one), f"localhost:{one.port}", at(two), at(alone))
    shared = [f["evidence"] for f in targets[0]["findings"] if f["id"] == "key-shared"]
    assert shared == [at(two)]
    assert "key-shared" not in ids(targets[3])


BOTH_FAMILIES = ("local all all trust\nhostssl all all 127.0.0.1/32 {0}\nhostssl all all ::1/128 {0}\n")


@pytest.mark.parametrize("method,servers", [("scram-sha-256", 1), ("scram-sha-256", 2), ("cert", 1)])
def test_a_server_with_an_address_of_each_family_shares_no_key_with_itself(pgseal, make, folder, method, servers):
    """Two with a copy of one certificate do; and where nobody tells which cluster it is, that is said."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback: {error}")
    files, hba = certificate(folder), BOTH_FAMILIES.format(method)
    listens = ["127.0.0.1,::1"] if servers == 1 else ["127.0.0.1", "::1"]
    majors = sorted(pg.SERVERS)                 # of one major all clusters of the tests are copies of one
    if len(majors) < servers:
        pytest.skip("needs two majors")
    first = None
    for addresses, major in zip(listens, majors):
        cluster = make.plain(major, start=False, hba=hba, ssl="on", listen_addresses=addresses,
                             ssl_ca_file="server.crt" if method == "cert" else "")
        cluster.write(cluster.data / "server.crt", files[0].read_bytes())
        cluster.write(cluster.data / "server.key", files[1].read_bytes(), 0o600)
        first = first or cluster
        cluster.set(port=first.port)
        cluster.start()
    four, six = at(first), f"[::1]:{first.port}"
    _, targets = scan(pgseal, four, six)
    assert [one["reach"] for one in targets] == ["postgres", "postgres"]
    found = [[one["evidence"] for one in target["findings"] if one["id"] == "key-shared"] for target in targets]
    told = [one["reason"] for target in targets for one in target["not_examined"] if one["id"] == "key-shared"]
    assert all(found) == any(found) == (servers == 2)
    assert len(told) == (2 if method == "cert" else 0), told


def test_a_small_server_goes_on_serving_while_it_is_scanned(pgseal, make, folder):
    cluster = tls_server(make, folder, max_connections="10", superuser_reserved_connections="1",
                         max_wal_senders="0")
    cluster.role("app", "secret")
    dsn = cluster.dsn(user="app", password="secret")
    failed, stop = [], threading.Event()

    def work():
        while not stop.is_set():
            done = cluster.psql(dsn)
            if done.returncode != 0:
                failed.append(done.stderr)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            scan(pgseal, at(cluster), args=["--all-ciphers"])
    finally:
        stop.set()
        thread.join()
    assert not failed, failed[0]


def test_a_second_run_says_what_got_worse(pgseal, make, folder):
    worse = tls_server(make, folder, hba=TLS_HBA, ssl_min_protocol_version="TLSv1.3")
    same = tls_server(make, folder)
    lines, again = folder / "lines", folder / "again"
    pgseal("scan", at(worse), at(same), "127.0.0.1:1", "--lines", lines)
    assert len(lines.read_text().splitlines()) == 3 and lines.stat().st_mode & 0o777 == 0o600
    quiet = pgseal("scan", "--format", "json", at(worse), at(same), "--compare", lines)
    assert quiet.json["changes"] == []

    worse.write_hba(OPEN_HBA)
    worse.reload()
    run = pgseal("scan", "--format", "json", at(worse), at(same), "127.0.0.1:2", "--compare", lines, "--lines", again)
    changes = {(one["port"], one["what"], one["before"], one["now"]) for one in run.json["changes"]}
    assert (worse.port, "plaintext", "no", "yes") in changes
    assert (worse.port, "new_finding", None, "plaintext-accepted") in changes
    assert (2, "new_server", None, "no_connection") in changes
    assert not [one for one in changes if one[0] == same.port]
    assert pgseal("scan", at(same), "--compare", folder / "server.crt").status == 3


def test_a_scan_goes_on_where_it_was_cut(pgseal, make, folder):
    one, two = tls_server(make, folder), tls_server(make, folder)
    lines = folder / "lines"
    pgseal("scan", at(one), "--lines", lines)
    whole = lines.read_text()
    lines.write_text(whole + whole[:100])           # killed in the middle of a line
    run = pgseal("scan", "--format", "json", at(one), at(two), "--lines", lines, "--resume")
    assert [t["port"] for t in run.json["targets"]] == [two.port]
    assert {json.loads(line)["port"] for line in lines.read_text().splitlines()} == {one.port, two.port}
    again = pgseal("scan", "--format", "json", at(one), at(two), "--lines", lines, "--resume")
    assert again.json["targets"] == []


def test_nothing_is_sent_in_a_dry_run(pgseal):
    asked = []
    with peer(lambda link: asked.append(1)) as target:
        done = pgseal("scan", "--dry-run", target)
    assert done.status == 0 and not asked and target.split(":")[1] in done.out


def test_no_login_is_tried(pgseal, make, folder):
    cluster = tls_server(make, folder, hba=OPEN_HBA, log_connections="on")
    cluster.role("app", "secret")
    scan(pgseal, at(cluster), args=["--role", "app"])
    log = cluster.log()
    assert "password authentication failed" not in log and "connection authorized: user=app" not in log


def test_evidence_says_who_was_asked_as_whom(pgseal, make, folder):
    cluster = tls_server(make, folder)
    for args, role in ((["--role", "app", "--dbname", "shop"], 'for role "app" and database "shop"'),
                       ([], 'for a role that nobody has and database "postgres"')):
        _, (target,) = scan(pgseal, at(cluster), args=args)
        evidence, = (one["evidence"] for one in target["findings"] if one["id"] == "plaintext-accepted")
        assert evidence == f"asked from here at 127.0.0.1 {role}: SCRAM-SHA-256"


def test_input_without_a_target_is_wrong_use_and_files_without_roots_are_not_refused(pgseal, folder):
    empty = folder / "empty"
    empty.write_text("# nobody\n")
    done = pgseal("scan", "--input", empty)
    assert done.status == 2 and f'no target in "{empty}"' in done.err
    for option in ("--trust", "--crl"):
        done = pgseal("scan", option, empty, "127.0.0.1:1")
        assert done.status == 3 and str(empty) in done.err


def test_a_full_disk_is_said_once_and_by_name(pgseal):
    for args in (["--format", "json", "--output", "/dev/full"], ["--lines", "/dev/full"]):
        done = pgseal("scan", "127.0.0.1:1", *args)
        assert done.status == 3 and done.err.count("No space left on device") == 1 and "/dev/full" in done.err


def test_help_names_the_formats_of_the_verb(pgseal):
    told = {verb: " ".join(pgseal(verb, "--help").out.split()) for verb in ("scan", "check")}
    told["ca show"] = " ".join(pgseal("ca", "show", "--help").out.split())
    assert "text, json, html, csv, prometheus; default text" in told["scan"]
    assert "sarif" in told["check"] and "csv, sarif" in told["check"]
    assert "text, json, html; default text" in told["ca show"]


@pytest.mark.parametrize("args,where", [
    (["10.0.0.0/33"], "10.0.0.0/33"), (["a b"], "a b"), ([], "no target"), (["x", "--rate", "-1"], "--rate"),
    (["x", "--concurrency", "0"], "--concurrency"), (["x", "--port", "0"], "0"),
])
def test_wrong_use_is_said_clearly(pgseal, args, where):
    done = pgseal("scan", *args)
    assert done.status == 2 and where in done.err


def test_an_interrupted_scan_shows_what_it_has(program, make, folder):
    cluster, lines = tls_server(make, folder), folder / "lines"
    with peer(HOSTILE["silence"]) as silent:
        child = subprocess.Popen([program, "scan", "--format", "json", "--rate", "40", "--concurrency", "1",
                                  "--lines", lines, at(cluster), silent,
                                  *[f"127.0.0.1:{port}" for port in range(1, 200)]],
                                 stdout=subprocess.PIPE, text=True)
        while cluster.port not in finished(lines):
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    targets = json.loads(out)["targets"]
    assert targets[0]["reach"] == "postgres" and len(targets) < 201
