"""pgseal prove on real servers: a good one passes, a bad one fails where it is bad.

The servers are secured by hand here: these tests are about the proof.
"""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

import pg

MAKE_CA = pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).resolve().parents[2]
                                      / "build/pgseal")).parent / "tests/tools/make_ca"
HBA = ("local all all peer\n"
       "hostssl all app 127.0.0.1/32 cert\n"
       "hostssl all all 127.0.0.1/32 scram-sha-256\n")
SSLMODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
FAKE = "pgseal-fake-password"


class Site:
    """A server with TLS, client certificates and a CRL, and the CA behind it; all the owner's."""

    def __init__(self, cluster):
        self.cluster, self.ca = cluster, cluster.dir / "ca"
        pg.must(pg.as_owner([MAKE_CA, "new", cluster.dir, "localhost", "127.0.0.1"]))
        cluster.role("app")
        cluster.set(ssl="on", ssl_cert_file=cluster.dir / "server.crt",
                    ssl_key_file=cluster.dir / "server.key",
                    ssl_ca_file=cluster.dir / "clients.crt",
                    ssl_crl_file=cluster.dir / "clients.crl")
        cluster.write_hba(HBA)
        cluster.reload()

    def prove(self, run, *args, **kwargs):
        return run("prove", "-D", self.cluster.data, "--ca", self.ca, "--client", "app", "--format",
                   "json", *args, **kwargs)


@pytest.fixture(scope="module")
def shared(make_shared):
    """A site that nobody changes."""
    return Site(make_shared.plain(15 if 15 in pg.SERVERS else min(pg.SERVERS)))


@pytest.fixture
def site(cluster):
    return Site(cluster)


def row(document, table, way):
    return next(r for r in document[table] if r["way"] == way)


def failed(document):
    return {(table, r["way"]) for table in ("sslmodes", "certificates", "names", "protocols",
                                            "attacks", "attacks_root_crt")
            for r in document[table] if r["verdict"] == "fail"}


# ---- a server that is right ---------------------------------------------------------------------

def test_a_secured_server_of_every_major_passes(make, every_major, pgseal):
    result = Site(make.plain(every_major)).prove(pgseal, ok=True)
    document = result.json
    assert document["schema"] == "pgseal.prove/1"
    assert (document["verdict"], document["failed"], document["not_examined"]) == ("pass", 0, 0)
    assert document["passed"] > 50
    assert [r["way"] for r in document["attacks"]] == SSLMODES

    good = row(document, "certificates", "good")
    assert good["seen"] == "in_tls" and "CN=app" in good["evidence"]
    assert "certificate revoked" in row(document, "certificates", "revoked")["evidence"]
    assert "certificate expired" in row(document, "certificates", "expired")["evidence"]
    assert "alert" in row(document, "certificates", "foreign_ca")["evidence"]
    plain = row(document, "protocols", "plaintext")
    assert plain["seen"] == "refused" and "no pg_hba.conf entry" in plain["evidence"]
    assert "28000" in plain["evidence"]
    assert row(document, "names", "wrong")["evidence"].endswith(
        'does not match host name "wrong.invalid"')
    direct = "accepted" if every_major >= 17 else "refused"
    assert row(document, "protocols", "direct")["seen"] == direct


def test_the_attacks_end_as_the_manual_says(shared, pgseal):
    document = shared.prove(pgseal, ok=True).json
    w, f = "withstood", "fell"
    want = {"disable": (f, f, f), "allow": (f, f, f), "prefer": (f, f, f), "require": (w, f, f),
            "verify-ca": (w, w, f), "verify-full": (w, w, w)}
    seen = {r["way"]: (r["strip"], r["self_signed"], r["wrong_name"])
            for r in document["attacks"]}
    assert seen == want
    root = {r["way"]: (r["strip"], r["self_signed"], r["wrong_name"])
            for r in document["attacks_root_crt"]}
    assert root == {"prefer": (f, f, f), "require": (w, w, f)}
    assert 'role "app"' in row(document, "attacks", "prefer")["strip_evidence"]
    assert "SSL was required" in row(document, "attacks", "require")["strip_evidence"]


def test_root_and_the_owner_see_the_same(shared, pgseal_both):
    assert shared.prove(pgseal_both, ok=True).json["failed"] == 0


def test_the_environment_changes_nothing(shared, pgseal, folder):
    home = folder / ".postgresql"
    home.mkdir()
    for name in ("root.crt", "postgresql.crt", "postgresql.key", "root.crl"):
        (home / name).write_text("not PEM")
    env = dict(HOME=str(folder), PGSSLMODE="disable", PGHOST="192.0.2.1", PGPORT="1",
               PGPASSWORD="x", PGUSER="nobody", PGSERVICE="missing", PGSSLCERT="/etc/passwd",
               PGOPTIONS="-c nonsense=1", PGTZ="nowhere", LC_ALL="C.UTF-8", LANGUAGE="es")
    plain, odd = shared.prove(pgseal, ok=True).json, shared.prove(pgseal, env=env, ok=True).json

    def essence(document):
        return [(r["way"], r["expected"], r["seen"], r["verdict"])
                for table in ("sslmodes", "certificates", "names", "protocols")
                for r in document[table]]
    assert essence(plain) == essence(odd)


def test_the_refusal_of_a_role_that_does_not_exist_is_no_pass(site, pgseal):
    site.cluster.sql("drop role app")
    document = site.prove(pgseal, ok=True).json
    good = row(document, "certificates", "good")
    assert (good["expected"], good["seen"], good["verdict"]) == (
        "not_known", "refused", "not_examined")
    assert document["not_examined"] > 0
    assert "does not exist" in good["evidence"]


# ---- servers that are wrong ---------------------------------------------------------------------

SCRAM = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
CERT = "hostssl all app 127.0.0.1/32 cert\n"
BROKEN = {
    "host line left": (
        "local all all peer\n" + CERT + "host all all 127.0.0.1/32 scram-sha-256\n", {},
        ("protocols", "plaintext"), "password_asked_plaintext", "Plaintext is admitted by"),
    "plaintext trusted": (
        "local all all peer\n" + CERT + "host all all 127.0.0.1/32 trust\n", {},
        ("sslmodes", "disable"), "in_plaintext", "Plaintext is admitted by"),
    "scram above cert": (
        "local all all peer\n" + SCRAM + CERT, {},
        ("certificates", "none"), "password_asked", "is never reached"),
    "no revocation list": (
        HBA, {"ssl_crl_file": ""}, ("certificates", "revoked"), "refused", "No revocation list"),
    "no revocation list and no name to compare": (
        "local all all peer\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n",
        {"ssl_crl_file": ""}, ("certificates", "revoked"), "password_asked", "must refuse"),
    "no client CA": (
        HBA, {"ssl_crl_file": "", "ssl_ca_file": ""}, ("certificates", "good"), "refused",
        "ssl_ca_file is empty"),
    "no TLS": (
        HBA, {"ssl": "off"}, ("certificates", "good"), "refused", "ssl is off"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails_and_is_named(site, pgseal, name):
    hba, settings, (table, way), seen, why = BROKEN[name]
    site.cluster.set(**settings)
    site.cluster.write_hba(hba)
    site.cluster.reload()
    result = site.prove(pgseal)
    assert result.status == 1, result
    found = row(result.json, table, way)
    assert (found["seen"], found["verdict"]) == (seen, "fail")
    assert why in found["why"]


def test_files_that_are_not_in_force_are_found_out(site, pgseal):
    """The files say one thing, the running server does another: it was not reloaded."""
    site.cluster.write_hba("local all all peer\nhost all all 127.0.0.1/32 trust\n")
    site.cluster.reload()
    site.cluster.write_hba(HBA)
    result = site.prove(pgseal)
    assert result.status == 1
    assert ("certificates", "none") in failed(result.json)


def test_an_old_protocol_is_found(make, pgseal):
    """Only a server with OpenSSL 1.1.1 still speaks TLS 1.0 when it is told to."""
    old = [major for major in pg.SERVERS if "node_modules" in str(pg.SERVERS[major])]
    if not old:
        pytest.skip("no server with OpenSSL 1.1.1 is on this machine")
    site = Site(make.plain(old[0], ssl_min_protocol_version="TLSv1"))
    result = site.prove(pgseal)
    assert result.status == 1
    assert failed(result.json) == {("protocols", "tls_1_0"), ("protocols", "tls_1_1")}


def test_plaintext_can_be_left_for_a_while(site, pgseal):
    site.cluster.write_hba(HBA + "host all all 127.0.0.1/32 scram-sha-256\n")
    site.cluster.reload()
    assert site.prove(pgseal).status == 1
    document = site.prove(pgseal, "--allow-plaintext", ok=True).json
    assert row(document, "sslmodes", "disable")["seen"] == "password_asked_plaintext"


# ---- what cannot be examined ------------------------------------------------------------------

def test_without_a_ca_the_certificates_are_not_examined(shared, pgseal):
    document = pgseal("prove", "-D", shared.cluster.data, "--client", "app", "--format", "json",
                      ok=True).json
    assert document["not_examined"] > 10
    assert {r["verdict"] for r in document["certificates"]} == {"not_examined"}
    assert all("--ca" in r["why"] for r in document["certificates"])
    assert row(document, "sslmodes", "require")["verdict"] == "pass"


# ---- what the packets say meanwhile -------------------------------------------------------------

def tables(document):
    return [r for table in ("sslmodes", "certificates", "names", "protocols") for r in document[table]]


def watched(site, run, *args, **kwargs):
    """The document of --wire; without CAP_NET_RAW there is nothing to see."""
    document = site.prove(run, "--wire", *args, **kwargs).json
    if document["wire"]["verdict"] == "not_examined" and "connections" not in document["wire"]:
        pytest.skip("capturing needs CAP_NET_RAW, which is not to be had here")
    return document


def test_the_wire_agrees_with_every_way(shared, pgseal):
    document = watched(shared, pgseal, ok=True)
    wire = document["wire"]
    assert (document["verdict"], wire["verdict"], wire["interface"]) == ("pass", "no_plaintext", "lo")
    assert (wire["plaintext"], wire["unseen"]) == (0, 0)
    assert wire["connections"] >= len([r for r in tables(document) if r["wire"]]) > 20
    for one in tables(document):
        if one["seen"] in ("in_tls", "password_asked"):
            assert "tls" in one["wire"].split(", "), one
    assert row(document, "sslmodes", "disable")["wire"] == "plaintext"       # a start-up, and it was refused
    assert wire["plaintext_refused"] >= 2
    assert row(document, "sslmodes", "allow")["wire"] == "plaintext, tls"
    assert row(document, "protocols", "stuffed")["wire"] == "injected"


def test_the_wire_shows_who_went_on_in_plaintext(site, pgseal):
    site.cluster.write_hba("local all all peer\nhost all all 127.0.0.1/32 trust\n")
    site.cluster.reload()
    document = watched(site, pgseal)
    assert document["verdict"] == "fail" and document["wire"]["verdict"] == "plaintext"
    assert document["wire"]["plaintext"] >= 2
    text = pgseal("prove", "-D", site.cluster.data, "--ca", site.ca, "--client", "app", "--wire").out
    assert ("the server went on with these in plaintext: sslmode=disable, sslmode=allow, no TLS at all."
            in " ".join(text.split()))


def test_the_connections_of_others_are_not_counted(site, pgseal):
    site.cluster.write_hba(HBA.replace("hostssl all app", "hostnossl all other 127.0.0.1/32 trust\nhostssl all app"))
    site.cluster.role("other")
    site.cluster.reload()
    over = threading.Event()

    def busy():
        while not over.is_set():
            pg.must(site.cluster.psql(site.cluster.dsn(user="other", sslmode="disable"), "select 1"))
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        document = watched(site, pgseal)
    finally:
        over.set()
        thread.join()
    assert (document["wire"]["verdict"], document["wire"]["plaintext"]) == ("no_plaintext", 0)


def test_without_permission_the_wire_is_not_examined(shared):
    if not pg.AS_ROOT:
        pytest.skip("needs root, to give the right to capture away")
    done = pg.as_owner([MAKE_CA.parents[2] / "pgseal", "prove", "-D", shared.cluster.data, "--ca", shared.ca,
                        "--client", "app", "--wire"])
    assert done.returncode == 3, done.stderr
    assert ('On the wire: not examined (could not capture on "lo": no permission).'
            in " ".join(done.stdout.split()))


def test_a_stopped_server_cannot_be_proven(site, pgseal):
    site.cluster.stop()
    result = site.prove(pgseal)
    assert result.status == 3 and result.json["error"]["code"] == "net"


@pytest.mark.parametrize("args", [[], ["-D", "/tmp"], ["--client", "app"], ["--timeout", "0"],
                                  ["--target", "host=x", "extra"], ["--target", "nonsense"]])
def test_wrong_use_is_refused(pgseal, args):
    assert pgseal("prove", *args).status == 2


# ---- nothing is left, nothing is shown ---------------------------------------------------------

def test_keys_are_private_at_every_moment_and_gone_at_the_end(shared, pgseal, program, folder):
    """Each call that makes something there, or changes who may read it: who comes by now and then misses most."""
    work, log = folder / "work", folder / "log"
    work.mkdir()
    shared.prove(pgseal, env={"TMPDIR": str(work), "LD_PRELOAD": str(program.parent / "libkillat.so"),
                              "KILLAT_UNDER": str(work), "KILLAT_LOG": str(log)}, ok=True)
    steps = [line.split("\t") for line in log.read_text().splitlines()]
    names = {pathlib.Path(new).name for _, call, _, new in steps if call == "rename"}
    assert names >= {"good.key", "revoked.key", "expired.key"}
    modes = [(call, pathlib.Path(path), int(mode, 8)) for _, call, path, mode in steps if re.fullmatch("0[0-7]+", mode)]
    private = [one for one in modes if ".key" in one[1].name or one[1].parent == work]
    assert len(private) > len(names) // 2 and [one for one in private if one[1].parent == work]
    assert not [one for one in private if one[2] & 0o077]
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("after_ms", [20, 80, 160])
def test_a_signal_leaves_nothing_behind(shared, program, folder, number, after_ms):
    process = subprocess.Popen([program, "prove", "-D", shared.cluster.data, "--ca", shared.ca,
                                "--client", "app"], env={**os.environ, "TMPDIR": str(folder)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_ms / 1000)
    process.send_signal(number)
    status = process.wait(60)
    assert status in (-number, 0), "ended by the signal, or done before it came"
    assert list(folder.iterdir()) == []


def test_a_true_password_file_is_never_used(shared, pgseal, folder):
    passfile = folder / ".pgpass"
    passfile.write_text("*:*:*:*:true-secret\n")
    passfile.chmod(0o600)
    result = shared.prove(pgseal, "--client", "other", env={"HOME": str(folder)})
    assert "password_asked" in {r["seen"] for r in result.json["sslmodes"]}
    assert "true-secret" not in result.out + result.err


# ---- a connection string ----------------------------------------------------------------------

def target(run, dsn, *args, **kwargs):
    return run("prove", "--target", dsn, "--format", "json", *args, **kwargs)


def stands(document):
    return [r["seen"] for r in document["attacks"]]


W, F = "withstood", "fell"


@pytest.mark.parametrize("sslmode, want", [
    ("disable", [F, F, F]), ("allow", [F, F, F]), ("prefer", [F, F, F]), ("require", [W, F, F])])
def test_a_weak_string_falls_and_is_mended(pgseal, folder, sslmode, want):
    result = target(pgseal, f"host=db.example.net user=shop dbname=shop password=true-secret "
                            f"sslmode={sslmode}", env={"HOME": str(folder)})
    assert result.status == 1
    document = result.json
    assert stands(document) == want
    assert document["sslmode"] == sslmode
    assert "sslmode=verify-full" in document["write_instead"]
    assert "true-secret" not in result.out + result.err


def test_verify_full_withstands(pgseal, shared, folder):
    root = shared.ca / "root.crt"
    result = target(pgseal, f"postgresql://shop@db.example.net/shop?sslmode=verify-full"
                            f"&sslrootcert={root}", "--ca", shared.ca, ok=True,
                    env={"HOME": str(folder)})
    assert stands(result.json) == [W, W, W]
    assert 'does not match host name "db.example.net"' in result.json["attacks"][2]["evidence"]
    assert "write_instead" not in result.json


def test_verify_ca_falls_to_the_wrong_name(pgseal, shared, folder):
    root = shared.ca / "root.crt"
    for ca in (["--ca", shared.ca], []):
        result = target(pgseal, f"host=db.example.net user=shop sslmode=verify-ca "
                                f"sslrootcert={root}", *ca, env={"HOME": str(folder)})
        assert result.status == 1
        assert stands(result.json) == [W, W, F]


@pytest.mark.parametrize("wrong, words", [
    ("sslmode=requir", 'invalid sslmode value: "requir"'),
    ("sslmode=verify-full sslrootcert=/nowhere/root.crt", "does not exist"),
    ("sslmode=require sslrootcert={folder}/empty.crt", "could not read root certificate file")])
def test_a_string_that_cannot_connect_withstands_nothing(pgseal, folder, wrong, words):
    (folder / "empty.crt").write_text("")
    result = target(pgseal, "host=db.example.net user=shop " + wrong.format(folder=folder),
                    env={"HOME": str(folder)})
    assert result.status != 0 and result.json["verdict"] != "pass"
    rows = result.json["attacks"][1:2]      # a stripped connection ends before any file is read
    assert [(r["seen"], r["verdict"]) for r in rows] == [("not_examined", "not_examined")]
    assert words in rows[0]["evidence"]


def test_the_environment_and_the_service_complete_the_string(pgseal, folder):
    service = folder / "service.conf"
    service.write_text("[shop]\nhost=db.example.net\nuser=shop\nsslmode=require\n"
                       "password=true-secret\n")
    env = {"HOME": str(folder), "PGSERVICEFILE": str(service)}
    document = target(pgseal, "service=shop", env=env).json
    assert (document["sslmode"], document["role"], document["host"]) == (
        "require", "shop", "db.example.net")
    document = target(pgseal, "service=shop sslmode=disable", env=env).json
    assert document["sslmode"] == "disable"
    document = target(pgseal, "host=db.example.net", env={**env, "PGSSLMODE": "allow"}).json
    assert document["sslmode"] == "allow" and "PGSSLMODE" in document["sslmode_from"]
    document = target(pgseal, "host=db.example.net", env=env).json
    assert document["sslmode"] == "prefer"


def test_the_first_of_many_hosts_is_examined(pgseal, folder):
    document = target(pgseal, "host=a.example.net,b.example.net port=1,2 user=x sslmode=require",
                      env={"HOME": str(folder)}).json
    assert document["host"] == "a.example.net"
    assert stands(document) == [W, F, F]


def test_a_unix_socket_has_no_middle(pgseal, folder):
    result = target(pgseal, "host=/var/run/postgresql user=x", env={"HOME": str(folder)})
    assert result.status == 3 and result.json["error"]["code"] == "net"


def test_an_encrypted_key_is_never_asked_for(pgseal, folder):
    key = folder / "client.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", key, "-out",
                    folder / "client.crt", "-subj", "/CN=x", "-passout", "pass:abcd"], check=True,
                   capture_output=True)
    key.chmod(0o600)
    result = target(pgseal, f"host=db.example.net user=x sslmode=require sslkey={key} "
                            f"sslcert={folder}/client.crt", env={"HOME": str(folder)})
    assert result.json["attacks"][1]["evidence"]
