"""pgseal rotate on real servers: certificates and CRLs replaced under load, or nothing changed."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import pg
from test_secure import Site


# ---- helpers ----------------------------------------------------------------------------------

class Rotation(Site):
    """A secured server, and what is seen of its certificate from outside."""

    def rotate(self, *args, ok=True, **kwargs):
        return self.run("rotate", "-D", self.cluster.data, "--ca", self.ca, "--format", "json", *args,
                        ok=ok, **kwargs)

    def outcome(self, result):
        return [server["result"] for server in result.json["servers"]]

    def served(self):
        """PEM of the certificate on the wire, asked by a tool that is not ours."""
        done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect",
                               f"127.0.0.1:{self.cluster.port}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.stdout,
                         re.S)[0]

    def loaded(self):
        return self.cluster.sql("select pg_conf_load_time()")

    def names(self):
        done = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"],
                              input=self.served(), capture_output=True, text=True, check=True)
        return done.stdout

    @property
    def ours(self):
        return (self.cluster.conf_dir / "pgseal.conf").read_text()


@pytest.fixture
def site(cluster, folder, pgseal):
    cluster.role("app", password="secret")
    site = Rotation(cluster, folder, pgseal)
    site.secure("--no-proof", policies=("encrypt", "app=cert"), clients=("app",))
    return site


@contextlib.contextmanager
def pgbench(site, *options):
    """Transactions over verified TLS while the block runs; gives a function that waits for the end."""
    cluster = site.cluster
    kit = pathlib.Path(f"{site.clients}/app")
    script = site.folder / "bench.sql"
    script.write_text("select ssl from pg_stat_ssl where pid = pg_backend_pid();\n")
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C", "PGHOST": "localhost",
           "PGHOSTADDR": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": "app",
           "PGDATABASE": "postgres", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": kit / "root.crt",
           "PGSSLCERT": kit / "postgresql.crt", "PGSSLKEY": kit / "postgresql.key",
           "PGSSLCRL": kit / "root.crl", "PGGSSENCMODE": "disable"}
    load = subprocess.Popen(["pgbench", "-n", "-f", script, "-c", "4", "-T", "3600", *options],
                            env={k: str(v) for k, v in env.items()}, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + pg.PATIENCE
        while cluster.sql("select count(*) > 0 from pg_stat_activity where usename = 'app'") != "t":
            assert load.poll() is None and time.monotonic() < until, "pgbench does not begin"
            time.sleep(0.02)
        yield lambda: finish(load)
    finally:
        load.kill()
        load.wait()


def finish(load):
    """Wait for its end: how many transactions there were.  None failed, and it was at work until now."""
    assert load.poll() is None, load.communicate()
    load.send_signal(signal.SIGALRM)            # as when the time of -T is over
    out, err = load.communicate(timeout=pg.PATIENCE)
    assert load.returncode == 0, out + err
    assert "number of failed transactions: 0 " in out, out
    return int(re.search(r"transactions actually processed: (\d+)", out)[1])


# ---- the main job -----------------------------------------------------------------------------

def test_a_new_certificate_is_served_and_the_old_names_are_kept(site):
    before, names = site.served(), site.names()
    result = site.rotate()
    assert result.json["schema"] == "pgseal.rotate/1"
    assert site.outcome(result) == ["rotated"]
    assert site.served() != before
    assert site.names() == names
    inside = site.cluster.psql(site.client("app"))
    assert inside.returncode == 0, inside.stderr


def test_every_major(every_major, make, folder, pgseal):
    cluster = make.plain(every_major)
    site = Rotation(cluster, folder, pgseal)
    site.secure("--no-proof")
    before = site.served()
    site.rotate()
    assert site.served() != before


def test_as_root_and_as_owner(cluster, folder, pgseal_both):
    site = Rotation(cluster, folder, pgseal_both)
    site.secure("--no-proof")
    before = site.served()
    site.rotate()
    assert site.served() != before
    for path in pathlib.Path(f"{cluster.data}.pgseal").rglob("*"):
        assert path.stat().st_uid == pg.OWNER.pw_uid, path


def test_what_was_written_into_our_file_by_hand_stays(site):
    path = site.cluster.conf_dir / "pgseal.conf"
    path.write_text(path.read_text() + "# by hand\nauthentication_timeout = 30s\n")
    site.cluster.reload()
    site.rotate()
    changed = [line for line in site.ours.splitlines() if "_file = " in line]
    assert len(changed) == 4
    assert site.ours.endswith("# by hand\nauthentication_timeout = 30s\n")
    assert site.cluster.sql("show authentication_timeout") == "30s"


def test_other_names_when_asked(site):
    site.rotate("--host", "db9.example.net", "--host", "localhost")
    assert "db9.example.net" in site.names() and "127.0.0.1" not in site.names()


@pytest.mark.parametrize("options", [(), ("-C",)], ids=["sessions", "new-connections"])
def test_no_transaction_fails_while_certificates_are_rotated(site, options, record_property):
    """Sessions that last and connections that come all the time, all of them verify-full with a client
    certificate."""
    served, times = {site.served()}, []
    with pgbench(site, *options) as finished:
        for _ in range(5):
            begin = time.monotonic()
            result = site.rotate()
            times.append(time.monotonic() - begin)
            assert site.outcome(result) == ["rotated"]
            served.add(site.served())
        done = finished()
        errors = [line for line in site.cluster.log().splitlines()
                  if re.search("SSL error|could not accept SSL|FATAL", line)
                  and "pgseal_probe" not in line]
    assert len(served) == 6
    assert not errors, errors
    record_property("says", f"5 rotations in {', '.join(f'{t * 1000:.0f}' for t in times)} ms under "
                    f"pgbench {' '.join(options)}: {done} transactions, 0 failed")


# ---- refused before anything is changed --------------------------------------------------------

def given(folder, name, hosts, days=30, ca=None):
    """A pair made with openssl(1): self-signed root, or signed by it."""
    key, cert = folder / f"{name}.key", folder / f"{name}.crt"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", cert, "-subj", f"/CN={name}", "-days", str(days)]
    if ca:
        argv += ["-CA", ca[0], "-CAkey", ca[1], "-addext", "subjectAltName=" + ",".join(hosts),
                 "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(argv, check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def openssl_can_sign():
    return "-CA " in subprocess.run(["openssl", "req", "-help"], capture_output=True, text=True).stderr


@pytest.fixture
def outside(folder):
    """A CA that is not pgseal's."""
    if not openssl_can_sign():
        pytest.skip("this openssl req has no -CA")
    return given(folder, "outside root", [])


def put(site, cert, key, trust, ok=None):
    return site.run("rotate", "-D", site.cluster.data, "--cert", cert, "--key", key, "--trust", trust,
                    "--format", "json", ok=ok)


def test_a_given_pair_is_put_in_place(site, outside):
    pair = given(site.folder, "db", ["DNS:localhost", "IP:127.0.0.1"], ca=outside)
    put(site, *pair, outside[0], ok=True)
    assert site.served() == pair[0].read_text().strip()
    assert "revoked-" in site.ours and "client-ca-" in site.ours
    inside = site.cluster.psql(site.client("app", sslrootcert=outside[0], sslcrl="/none"))
    assert inside.returncode == 0, inside.stderr


def test_a_given_pair_that_does_not_do_is_refused(site, outside):
    before, served = site.cluster.files(), site.served()
    good = given(site.folder, "db", ["DNS:localhost", "IP:127.0.0.1"], ca=outside)
    other = given(site.folder, "other", ["DNS:elsewhere"], ca=outside)
    stranger = given(site.folder, "stranger", [])
    for cert, key, trust, says in [
            (good[0], other[1], outside[0], "does not fit"),
            (*other, outside[0], 'does not speak for host "localhost"'),
            (*good, stranger[0], "would not accept")]:
        refused = put(site, cert, key, trust)
        message = refused.json["error"]["message"]
        assert refused.status in (3, 4) and says in message, refused
    assert site.cluster.files() == before and site.served() == served


def test_a_server_that_was_not_secured_is_refused(cluster, folder, pgseal):
    site = Rotation(cluster, folder, pgseal)
    refused = site.rotate(ok=None)
    assert refused.status == 4 and "pgseal secure" in refused.out


def test_the_ca_of_another_site_is_refused(site, make, folder):
    other = Rotation(make.plain(), folder, site.run)
    other.ca = folder / "other-ca"
    other.secure("--no-proof")
    before = site.cluster.files()
    refused = site.run("rotate", "-D", site.cluster.data, "--ca", other.ca)
    assert refused.status == 4 and "was not secured with this CA" in refused.err
    assert site.cluster.files() == before


# ---- on any doubt the old one returns ----------------------------------------------------------

def test_the_old_certificate_returns_when_the_server_does_not_take_the_new_one(site):
    """A setting that the next reload will choke on: the server keeps what it has, and says so only
    in its log."""
    good, served = site.ours, site.served()
    keys = pathlib.Path(f"{site.cluster.data}.pgseal/tls")
    path = site.cluster.conf_dir / "pgseal.conf"
    path.write_text(re.sub("ssl_ciphers = .*", "ssl_ciphers = 'nonsense'", good))
    before = site.cluster.files()
    failed = site.rotate(ok=None)
    assert failed.status == 5, failed
    assert site.cluster.files() == before and site.served() == served
    assert len(list(keys.glob("server-*.key"))) == 1
    path.write_text(good)
    site.rotate()
    assert site.served() != served


def test_rollback_gives_the_old_certificate_back(site):
    before, served = site.cluster.files(), site.served()
    site.rotate()
    site.rotate()
    site.rollback()
    site.rollback()
    assert site.cluster.files() == before and site.served() == served


def test_rollback_warns_that_older_revocation_lists_are_in_force(site):
    site.run("ca", "revoke", "--role", "app", "--ca", site.ca, "-D", site.cluster.data, ok=True)
    assert site.cluster.psql(site.client("app")).returncode != 0
    said = site.run("rollback", "-D", site.cluster.data, ok=True).out
    assert "gets in again" in said and site.cluster.psql(site.client("app")).returncode == 0
    site.rotate("--crl-only")
    assert "revoked" in site.cluster.psql(site.client("app")).stderr
    site.rotate()
    site.rollback()
    assert "revoked" in site.cluster.psql(site.client("app")).stderr


def test_dry_run_touches_nothing(site):
    before = site.cluster.files()
    result = site.rotate("--dry-run")
    assert site.outcome(result) == ["planned"]
    assert site.cluster.files() == before
    assert len(list(pathlib.Path(f"{site.cluster.data}.pgseal").glob("txn-*"))) == 1


# ---- revocation --------------------------------------------------------------------------------

def revoke(site, *args, ok=True):
    return site.run("ca", "revoke", "--ca", site.ca, "--cert", site.clients / "app/postgresql.crt",
                    "-D", site.cluster.data, "--format", "json", *args, ok=ok)


@contextlib.contextmanager
def open_session(site):
    """A session that lasts, opened with the certificate of app."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    with subprocess.Popen(["psql", "-XAtq", site.client("app")], stdin=subprocess.PIPE, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as psql:
        psql.stdin.write("select 'in';\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "in\n"
        yield psql


def verdicts(result):
    return {row["check"]: row["verdict"] for row in result.json["server"]["revocation"]}


def test_a_revoked_client_is_refused_and_it_is_proven(site):
    result = revoke(site, "--client-dir", site.clients)
    assert verdicts(result) == dict.fromkeys(("listed", "loaded", "proof", "own"), "pass")
    refused = site.cluster.psql(site.client("app"))
    assert "certificate revoked" in refused.stderr, refused
    again = revoke(site)
    assert verdicts(again)["own"] == "not_examined" and verdicts(again)["listed"] == "pass"


def test_sessions_that_stay_open_are_listed_and_ended_when_asked(site):
    with open_session(site) as psql:
        result = revoke(site).json["server"]
        assert [s["role"] for s in result["sessions"]] == ["app"]
        assert (result["open_sessions"], result["ended_sessions"]) == (1, 0)
        psql.stdin.write("select 'still in';\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "still in\n"
        result = revoke(site, "--terminate").json["server"]
        assert (result["open_sessions"], result["ended_sessions"]) == (0, 1)
        psql.stdin.write("select 'no more';\n")
        psql.stdin.close()
        assert psql.wait(pg.PATIENCE) != 0 and "terminating connection" in psql.stderr.read()
    assert revoke(site).json["server"]["sessions"] == []


def test_a_revocation_without_a_server_arrives_with_the_next_rotation(site):
    site.run("ca", "revoke", "--ca", site.ca, "--cert", site.clients / "app/postgresql.crt", ok=True)
    inside = site.cluster.psql(site.client("app"))
    assert inside.returncode == 0, inside.stderr
    served = site.served()
    assert site.outcome(site.rotate("--all-due")) == ["rotated"]
    assert site.served() == served                      # the certificate was not due
    refused = site.cluster.psql(site.client("app"))
    assert "certificate revoked" in refused.stderr, refused
    assert site.outcome(site.rotate("--all-due")) == ["unchanged"]


# ---- what is due --------------------------------------------------------------------------------

def test_nothing_due_changes_nothing_and_says_so(site, make):
    second = Rotation(make.plain(), site.folder, site.run)
    second.secure("--no-proof")
    before, loaded = (site.cluster.files(), second.cluster.files()), site.loaded()
    result = site.rotate("-D", second.cluster.data, "--all-due")
    assert site.outcome(result) == ["unchanged", "unchanged"]
    assert (site.cluster.files(), second.cluster.files()) == before
    assert site.loaded() == loaded


def test_a_revoked_certificate_of_a_server_is_due(site):
    """Clients that check refuse it: until it is replaced nobody of them gets in."""
    served = site.served()
    said = site.run("ca", "revoke", "--host", "localhost", "--ca", site.ca, "-D", site.cluster.data,
                    ok=True).out
    assert "goes on with a certificate that is revoked" in said and site.served() == served
    site.rotate("--crl-only")
    assert site.served() == served
    assert site.outcome(site.rotate("--all-due")) == ["rotated"]
    assert site.served() != served
    assert site.outcome(site.rotate("--all-due")) == ["unchanged"]


def test_what_nobody_could_look_at_is_not_said_to_be_seen(site):
    served = site.served()
    site.cluster.stop()
    assert site.outcome(site.rotate()) == ["written"]
    site.cluster.start()
    assert site.served() != served


def test_an_authority_is_revoked_with_a_word_on_who_falls_and_what_is_left_to_do(site):
    args = ("ca", "revoke", "--authority", "client-ca", "--ca", site.ca)
    refused = site.run(*args, "-D", site.cluster.data)
    assert refused.status == 2 and "rotate --all-due" in refused.err
    done = site.run(*args, ok=True).out
    assert re.search("fall with it: +1\n", done) and "No server knows of it yet" in done
    site.rotate("--all-due")
    assert site.cluster.psql(site.client("app")).returncode != 0


def test_one_server_that_fails_does_not_keep_the_others_from_it(site, make):
    second = Rotation(make.plain(), site.folder, site.run)
    second.secure("--no-proof")
    site.run("ca", "revoke", "--ca", site.ca, "--cert", site.clients / "app/postgresql.crt", ok=True)
    result = site.run("rotate", "-D", "/nowhere", "-D", second.cluster.data, "--ca", site.ca, "--crl-only",
                      "--format", "json")
    assert result.status != 0
    assert site.outcome(result) == ["failed", "rotated"]


@pytest.mark.parametrize("days, certificate, lists", [(80, False, False), (100, False, True),
                                                      (240, False, True), (250, True, True)])
def test_what_is_due_on_a_day_is_replaced(site, shifted, days, certificate, lists):
    """A certificate of 365 days when less than a third is left, a CRL of 180 days from its half on."""
    before, served = site.ours, site.served()
    result = site.rotate("--all-due", env=shifted(days))
    assert (site.served() != served) == certificate
    assert (revoked_file(site.ours) != revoked_file(before)) == lists
    assert site.outcome(result) == ["rotated" if certificate or lists else "unchanged"]
    before = site.cluster.files()
    assert site.outcome(site.rotate("--all-due", env=shifted(days))) == ["unchanged"]
    assert site.cluster.files() == before


def revoked_file(text):
    return re.search("ssl_crl_file = '(.*)'", text)[1]


# ---- the timer -----------------------------------------------------------------------------------

UNITS = pathlib.Path(__file__).resolve().parents[2] / "packaging/systemd"


def test_the_units_are_what_systemd_understands(folder, program):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    for source in UNITS.iterdir():
        text = source.read_text().replace("@bindir@", str(program.parent))
        text = re.sub("^Documentation=.*\n", "", text, flags=re.M)
        (folder / source.name.removesuffix(".in")).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", folder / "pgseal-rotate.service",
                           folder / "pgseal-rotate.timer"], capture_output=True, text=True)
    # what it says of the machine's other units is not our matter
    assert done.returncode == 0 and "pgseal" not in done.stderr, done.stderr


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root can give capabilities up")
def test_the_capabilities_of_the_unit_suffice(site, program, shifted):
    kept = re.search("^CapabilityBoundingSet=(.*)$", (UNITS / "pgseal-rotate.service.in").read_text(),
                     re.M)[1]
    kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in kept.split())
    served = site.served()
    done = subprocess.run(["setpriv", "--bounding-set", f"-all,{kept}", "--inh-caps", "-all",
                           "--no-new-privs", program, "rotate", "--all-due", "-D", site.cluster.data,
                           "--ca", site.ca, "--format", "json"], capture_output=True, text=True,
                          env={**os.environ, **shifted(250)}, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done
    assert site.served() != served
    assert '"not_examined"' not in done.stdout
