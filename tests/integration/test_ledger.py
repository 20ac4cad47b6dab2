"""The ledger in PostgreSQL: the same suite as in a file, and the same promises when its users are
killed, its connections cut, or its server stopped at random moments."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

import pg

BUILD = pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).parents[2] / "build/pgseal")).parent
PROGRAM = BUILD / "pgseal"
SUITE = BUILD / "tests/unit/unit_store_ledger"
TOOL = BUILD / "tests/tools/ledger_work"
ROUNDS, WORKERS = 25, 2


@pytest.mark.takes(8)
def test_the_suite_of_the_ledger_holds_in_postgresql(every_major, database):
    if not SUITE.exists():
        subprocess.run(["ninja", "-C", BUILD, SUITE.relative_to(BUILD)], check=True,
                       capture_output=True)
    _, dsn = database(every_major)
    done = subprocess.run([SUITE], env={**os.environ, "PGSEAL_TEST_LEDGER": dsn},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a_group_is_all_or_nothing" in done.stdout + done.stderr


class Crowd:
    """Processes at work with one ledger, and everything that they were told was done."""

    def __init__(self, where):
        self.where, self.said, self.errors, self.at_work = where, "", [], []

    def start(self):
        self.at_work = [subprocess.Popen([TOOL, self.where, "work"], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                        for _ in range(WORKERS)]

    def end(self, how=None):
        for process in self.at_work:
            if how:
                process.send_signal(how)
            out, err = process.communicate(timeout=pg.PATIENCE)
            self.said += out[:out.rfind("\n") + 1]
            self.errors.append((process.returncode, err))

    def check(self):
        done = subprocess.run([TOOL, self.where, "check"], input=self.said, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.mark.takes(15)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_nothing_is_lost_when_its_users_are_killed(engine, database, folder, record_property):
    crowd = Crowd(database()[1] if engine == "postgresql" else str(folder / "ledger.db"))
    rounds = 0
    while rounds < ROUNDS or (rounds < 10 * ROUNDS and crowd.said.count("issued") <= ROUNDS):
        crowd.start()
        # where so little is done in that time, more of it
        time.sleep(random.Random(rounds).uniform(0.02, 0.4) * (1 + rounds // ROUNDS))
        crowd.end(signal.SIGKILL)
        crowd.check()
        rounds += 1
    assert crowd.said.count("issued") > ROUNDS
    record_property("says", f"{engine}: {rounds * WORKERS} kills, {crowd.check()}, "
                            f"{crowd.said.count(chr(10))} promises kept")


@pytest.mark.takes(20)
def test_nothing_is_lost_when_connections_are_cut(database, record_property):
    server, dsn = database()
    crowd = Crowd(dsn)
    for seed in range(ROUNDS):
        crowd.start()
        time.sleep(random.Random(seed).uniform(0.1, 0.4))
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ledger'")
        time.sleep(0.05)
        crowd.end(signal.SIGKILL)
        crowd.check()
    record_property("says", f"connections cut: {crowd.check()}, "
                            f"{crowd.said.count(chr(10))} promises kept")


def test_a_server_that_stops_is_an_error_and_loses_nothing(database):
    server, dsn = database()
    crowd = Crowd(dsn)
    for seed in range(5):
        crowd.start()
        while int(server.sql("select count(*) from pg_stat_activity "
                             "where usename = 'ledger'")) < WORKERS:
            assert all(process.poll() is None for process in crowd.at_work)
            time.sleep(0.02)
        time.sleep(random.Random(seed).uniform(0.1, 0.4))
        server.stop(signal.SIGQUIT)         # as in a crash
        server.start()
        crowd.end(signal.SIGTERM)           # whose COMMIT was done and not answered finds out, and goes on
        crowd.check()
    errors = [text for status, text in crowd.errors if status != 0]
    assert errors and {status for status, _ in crowd.errors} <= {0, 3}
    assert all("could not use the ledger" in text for text in errors)
    assert not any("secret" in text for _, text in crowd.errors)


# ---- pgseal ca verify, log, backup, restore -----------------------------------------------------

@pytest.fixture
def ca(folder, pgseal):
    path = folder / "ca"
    pgseal("ca", "init", "--ca", path, "--no-passphrase", ok=True)
    pgseal("ca", "issue", "client", "app", "--ca", path, "--out", folder / "app", ok=True)
    return path


def issue(pgseal, ca, out, **kwargs):
    return pgseal("ca", "issue", "client", "web", "--ca", ca, "--out", out, **kwargs)


def test_verify_names_the_act_that_was_tampered_with(ca, folder, pgseal):
    sound = pgseal("ca", "verify", "--ca", ca, "--format", "json", ok=True).json
    pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "app/postgresql.crt", ok=True)
    assert pgseal("ca", "verify", "--ca", ca, "--head", sound["head"]).status == 0
    assert pgseal("ca", "verify", "--ca", ca, "--head", "00" * 32).status == 1

    acts = pgseal("ca", "log", "--ca", ca, "--format", "json", ok=True).json["acts"]
    assert acts[0]["act"] == "create" and [act["id"] for act in acts] == list(range(1, len(acts) + 1))
    revoke = [act["id"] for act in acts if act["act"] == "revoke"][-1]
    with contextlib.closing(sqlite3.connect(ca / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM revocation WHERE id / 1048576 = ?", (revoke,))
    verdict = pgseal("ca", "verify", "--ca", ca, "--format", "json")
    assert verdict.status == 1
    assert not verdict.json["sound"] and verdict.json["bad_act"] == revoke


def test_a_copied_ca_issues_only_when_it_is_adopted(ca, folder, pgseal):
    copy = folder / "copy"
    shutil.copytree(ca, copy)
    refused = issue(pgseal, copy, folder / "web")
    assert refused.status == 4 and "is a copy" in refused.err and "--adopt" in refused.err
    assert not list(folder.glob("web/*.crt"))
    assert pgseal("ca", "verify", "--ca", copy).status == 0         # looking is allowed
    issue(pgseal, ca, folder / "original", ok=True)
    pgseal("ca", "restore", "--ca", copy, "--adopt", ok=True)
    issue(pgseal, copy, folder / "adopted", ok=True)
    ca.rename(folder / "moved")                                     # the same files, another name
    issue(pgseal, folder / "moved", folder / "moved-web", ok=True)


def test_a_backup_brings_the_ca_back(ca, folder, pgseal):
    backup = folder / "backup"
    head = pgseal("ca", "verify", "--ca", ca, "--format", "json", ok=True).json["head"]
    pgseal("ca", "backup", "--ca", ca, "--out", backup, ok=True)
    assert pgseal("ca", "backup", "--ca", ca, "--out", backup).status != 0
    assert backup.stat().st_mode & 0o7777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in backup.glob("*.key"))
    assert (backup / "ledger.db").stat().st_mode & 0o7777 == 0o600

    shutil.rmtree(ca)
    assert pgseal("ca", "restore", "--ca", ca).status == 2
    pgseal("ca", "restore", "--ca", ca, "--from", backup, ok=True)
    issue(pgseal, ca, folder / "web", ok=True)
    assert pgseal("ca", "verify", "--ca", ca, "--head", head).status == 0
    number = int(pgseal("ca", "crl", "--ca", ca, "--force", "--format", "json",
                        ok=True).json["crls"][0]["number"])
    assert number > 1_000_000_000_000       # none that may have been published since the backup
    assert pgseal("ca", "restore", "--ca", ca, "--from", backup).status != 0
    assert not list(folder.glob(".*"))


def crls_of(pgseal, ca, *options):
    return {entry["issuer"]: entry for entry in pgseal(
        "ca", "crl", "--ca", ca, "--format", "json", *options, ok=True).json["crls"]}


def test_a_restored_ca_hands_out_no_list_of_before(ca, folder, pgseal):
    """A backup, a revocation, the CA lost and restored: the numbers go on, the old lists are gone."""
    backup = folder / "backup"
    pgseal("ca", "backup", "--ca", ca, "--out", backup, ok=True)
    pgseal("ca", "revoke", "--ca", ca, "--role", "app", ok=True)
    for _ in range(3):
        lost = crls_of(pgseal, ca, "--force")
    for times in range(2):                  # the second time within the same second, perhaps
        shutil.rmtree(ca)
        done = pgseal("ca", "restore", "--ca", ca, "--from", backup, "--format", "json", ok=True)
        assert done.json["crls_renewed"] is True
        assert pgseal("ca", "verify", "--ca", ca).status == 0
        now = crls_of(pgseal, ca)
        assert all(now[issuer]["number"] > lost[issuer]["number"] for issuer in lost), (lost, now)
        lost = crls_of(pgseal, ca, "--force")

    # the same with a backup whose numbers have jumped already
    shutil.rmtree(backup)
    pgseal("ca", "backup", "--ca", ca, "--out", backup, ok=True)
    for times in range(2):
        shutil.rmtree(ca)
        pgseal("ca", "restore", "--ca", ca, "--from", backup, ok=True)
        now = crls_of(pgseal, ca, "--force")
        assert all(now[issuer]["number"] > lost[issuer]["number"] for issuer in lost), (lost, now)
        lost = now

    # with the root's key away nothing old is handed out either
    shutil.rmtree(ca)
    (backup / "root.key").rename(folder / "root.key")
    done = pgseal("ca", "restore", "--ca", ca, "--from", backup, "--format", "json", ok=True)
    assert done.json["crls_renewed"] is False
    refused = pgseal("ca", "crl", "--ca", ca)
    assert refused.status == 3 and "root.crl" in refused.err and "offline" in refused.err
    (folder / "root.key").rename(ca / "root.key")
    assert all(crl["number"] > lost[issuer]["number"] for issuer, crl in crls_of(pgseal, ca).items())


def test_verify_holds_the_lists_against_the_ledger(ca, folder, pgseal):
    def verdicts(status):
        done = pgseal("ca", "verify", "--ca", ca, "--format", "json")
        assert done.status == status, done
        return {row["authority"]: row["verdict"] for row in done.json["crls"]}

    good = {"root": "good", "server-ca": "good", "client-ca": "good"}
    assert verdicts(0) == good
    first = (ca / "client-ca.crl").read_bytes()
    pgseal("ca", "revoke", "--ca", ca, "--role", "app", ok=True)
    assert verdicts(0) == good
    (ca / "client-ca.crl").write_bytes(first)
    assert verdicts(1) == {**good, "client-ca": "older"}
    (ca / "client-ca.crl").write_bytes((ca / "server-ca.crl").read_bytes())
    assert verdicts(1) == {**good, "client-ca": "foreign"}
    (ca / "client-ca.crl").unlink()
    assert verdicts(1) == {**good, "client-ca": "missing"}
    (folder / "index").write_text("")
    subprocess.run(["openssl", "ca", "-gencrl", "-keyfile", ca / "client-ca.key", "-cert",
                    ca / "client-ca.crt", "-md", "sha256", "-crldays", "30", "-out",
                    ca / "client-ca.crl", "-config", "/dev/stdin"], check=True, text=True,
                   capture_output=True, input=f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\n")
    assert verdicts(1) == {**good, "client-ca": "unrecorded"}
    pgseal("ca", "crl", "--ca", ca, ok=True)        # and none of these is handed out
    assert verdicts(0) == good


def test_a_ledger_that_is_not_this_cas_is_refused(ca, folder, pgseal):
    """A new ledger in the place of the lost one would know of nothing that was issued."""
    (ca / "ledger.db").rename(folder / "away.db")
    for suffix in ("-wal", "-shm"):
        (ca / f"ledger.db{suffix}").unlink(missing_ok=True)
    lost = issue(pgseal, ca, folder / "web")
    assert lost.status == 3 and "is not there" in lost.err
    assert not (ca / "ledger.db").exists()
    pgseal("ca", "init", "--ca", folder / "other", "--no-passphrase", ok=True)
    (folder / "other/ledger.db").rename(ca / "ledger.db")
    other = issue(pgseal, ca, folder / "web")
    assert other.status in (3, 4) and "does not belong" in other.err, other
    assert not (folder / "web").exists()
    (folder / "away.db").rename(ca / "ledger.db")
    issue(pgseal, ca, folder / "web", ok=True)


def test_a_ca_of_before_goes_on(ca, folder, pgseal):
    """Authorities in ca.conf, as the first pgseal kept them; two folders of one CA on one ledger."""
    sections = ("[root]\nstate = active\nkey = file\n"
                + "".join(f"\n[{name}]\nstate = active\nparent = root\nkey = file\n"
                          for name in ("server-ca", "client-ca")))
    conf = (ca / "ca.conf").read_text()
    assert "[" not in conf
    (ca / "ca.conf").write_text(conf + sections)
    with contextlib.closing(sqlite3.connect(ca / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM authority")
    issue(pgseal, ca, folder / "web", ok=True)
    assert (ca / "ca.conf").read_text() == conf
    (ca / "ca.conf").write_text(conf + sections.replace("active", "retired"))   # long out of date
    issue(pgseal, ca, folder / "web2", ok=True)
    assert (ca / "ca.conf").read_text() == conf


def test_two_hosts_see_the_authorities_of_one_ledger(database, folder, pgseal):
    """One host rolls over; the other one sees it at once, and needs nothing but the keys."""
    server, dsn = database()
    first, second = folder / "first", folder / "second"
    pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", dsn, ok=True)
    second.mkdir(mode=0o700)
    for name in ("ca.conf", "server-ca.key", "client-ca.key"):
        shutil.copy2(first / name, second)          # no certificate, no list, not the root's key

    def states(ca):
        return {row["name"]: (row["state"], row["key_here"]) for row in pgseal(
            "ca", "dependents", "--ca", ca, "--format", "json", ok=True).json["authorities"]}

    def issuer(ca, out):
        issue(pgseal, ca, folder / out, ok=True)
        return pgseal("ca", "show", "--ca", ca, "--cert", folder / out / "postgresql.crt", "--format",
                      "json", ok=True).json["issuer"]

    old = issuer(second, "one")
    assert states(second) == {"root": ("active", False), "server-ca": ("active", True),
                              "client-ca": ("active", True)}
    pgseal("ca", "rollover", "client-ca", "--ca", first, ok=True)
    assert states(second)["client-ca-2"] == ("next", False)
    assert issuer(second, "two") == old
    assert (second / "client-ca-2.crt").read_bytes() == (first / "client-ca-2.crt").read_bytes()
    bundle = crls_of(pgseal, second)
    assert len(bundle) == 3                         # the new one's list too, without its key

    pgseal("ca", "activate", "client-ca-2", "--ca", first, ok=True)
    lacking = issue(pgseal, second, folder / "three")
    assert lacking.status == 3 and "client-ca-2" in lacking.err and "not in" in lacking.err
    assert "client-ca-2.key" in lacking.err and os.uname().nodename in lacking.err
    assert not (folder / "three").exists()
    shutil.copy2(first / "client-ca-2.key", second)
    new = issuer(second, "four")
    assert new != old

    # a revocation on either host is on the lists of both; the root's list needs no key here
    pgseal("ca", "revoke", "--ca", second, "--cert", folder / "four/postgresql.crt", ok=True)
    assert crls_of(pgseal, first)[new]["revoked"] == crls_of(pgseal, second)[new]["revoked"] == 2
    pgseal("ca", "revoke", "--ca", second, "--cert", folder / "one/postgresql.crt", ok=True)
    pgseal("ca", "revoke", "--ca", second, "--cert", folder / "two/postgresql.crt", ok=True)
    pgseal("ca", "retire", "client-ca", "--ca", second, ok=True)
    assert states(first)["client-ca"][0] == states(second)["client-ca"][0] == "retired"
    pgseal("ca", "revoke", "--ca", first, "--authority", "client-ca-2", ok=True)
    assert states(second)["client-ca-2"][0] == "retired"
    refused = issue(pgseal, second, folder / "five")
    assert refused.status == 3 and "client-ca" in refused.err
    root = [entry for issuer, entry in crls_of(pgseal, second).items() if "root" in issuer]
    assert root[0]["revoked"] == 1
    for ca in (first, second):
        assert pgseal("ca", "verify", "--ca", ca).status == 0

    # both hosts make a successor at the same moment: one after the other, and no name twice
    racers = [subprocess.Popen([PROGRAM, "ca", "rollover", kind, "--ca", first], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
              for kind in ("client-ca", "server-ca", "client-ca")]
    ends = [racer.communicate(timeout=pg.PATIENCE)[1] for racer in racers]
    assert [racer.returncode for racer in racers].count(0) == 2, ends
    assert set(states(second)) == {"root", "server-ca", "client-ca", "client-ca-2", "client-ca-3",
                                   "server-ca-2"}
    other = pgseal("ca", "init", "--ca", folder / "third", "--no-passphrase", "--store", dsn)
    assert other.status == 3 and "another CA" in other.err and not (folder / "third").exists()


def test_two_hosts_are_killed_and_no_list_goes_back(database, folder, pgseal, record_property):
    """At random moments, both at work with the same authorities: numbers grow, no list is unknown."""
    _, dsn = database()
    hosts = folder / "first", folder / "second"
    pgseal("ca", "init", "--ca", hosts[0], "--no-passphrase", "--store", dsn, ok=True)
    shutil.copytree(*hosts)
    newest, kills, seed = {}, 0, random.Random(1)
    for round_ in range(60):
        if kills >= 12:
            break
        at_work = []
        for host in hosts:
            out = folder / f"{host.name}-{round_}"
            script = (f"{PROGRAM} ca issue client app --ca {host} --out {out} && "
                      f"{PROGRAM} ca revoke --ca {host} --cert {out}/postgresql.crt --reason "
                      f"certificateHold && {PROGRAM} ca release --ca {host} --cert {out}/postgresql.crt "
                      f"&& {PROGRAM} ca crl --ca {host} --force")
            at_work.append(subprocess.Popen(["sh", "-c", script], start_new_session=True,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(seed.uniform(0.02, 0.6))
        for process in at_work:
            kills += process.poll() is None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for host in hosts:
            for issuer, crl in crls_of(pgseal, host, "--force").items():
                assert crl["number"] > newest.get(issuer, 0), (round_, host, crl, newest)
                newest[issuer] = crl["number"]
    for host in hosts:
        assert pgseal("ca", "verify", "--ca", host).status == 0
    record_property("says", f"two hosts killed {kills} times while they issued, held, released and "
                            f"published: CRL numbers up to {max(newest.values())}, none twice")
    assert kills >= 12


def test_hosts_must_agree_on_the_partitions(database, folder, pgseal):
    _, dsn = database()
    first, second = folder / "first", folder / "second"
    pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", dsn, "--crl-shards", "4", ok=True)
    shutil.copytree(first, second)
    conf = second / "ca.conf"
    conf.write_text(conf.read_text().replace("crl_shards = 4", "crl_shards = 8"))
    refused = issue(pgseal, second, folder / "web")
    assert refused.status == 4 and "crl_shards" in refused.err


def test_two_hosts_issue_from_one_ledger_in_postgresql(database, folder, pgseal):
    _, dsn = database()
    first, second, backup = folder / "first", folder / "second", folder / "backup"
    assert pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", "/tmp/x").status == 2
    pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", dsn, ok=True)
    assert not (first / "ledger.db").exists()
    shutil.copytree(first, second)                      # the keys; the ledger is where it was
    issue(pgseal, first, folder / "one", ok=True)
    issue(pgseal, second, folder / "two", ok=True)
    pgseal("ca", "revoke", "--ca", second, "--cert", folder / "one/postgresql.crt", ok=True)
    numbers = [int(pgseal("ca", "crl", "--ca", ca, "--force", "--format", "json",
                          ok=True).json["crls"][-1]["number"]) for ca in (first, second, first)]
    assert numbers == sorted(set(numbers))
    lists = pgseal("ca", "crl", "--ca", first, "--format", "json", ok=True).json["crls"]
    assert any(int(entry["revoked"]) >= 2 for entry in lists)       # that one, and the proof
    assert pgseal("ca", "verify", "--ca", first).status == 0
    pgseal("ca", "backup", "--ca", second, "--out", backup, ok=True)
    assert pgseal("ca", "restore", "--ca", folder / "third", "--from", backup).status != 0  # in use
    assert not (folder / "third").exists()
