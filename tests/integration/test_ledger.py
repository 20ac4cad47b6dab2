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
SUITE = BUILD / "tests/unit/unit_store_ledger"
TOOL = BUILD / "tests/tools/ledger_work"
ROUNDS, WORKERS = 25, 2


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
            out, err = process.communicate(timeout=60)
            self.said += out[:out.rfind("\n") + 1]
            self.errors.append((process.returncode, err))

    def check(self):
        done = subprocess.run([TOOL, self.where, "check"], input=self.said, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_nothing_is_lost_when_its_users_are_killed(engine, database, folder, record_property):
    crowd = Crowd(database()[1] if engine == "postgresql" else str(folder / "ledger.db"))
    for seed in range(ROUNDS):
        crowd.start()
        time.sleep(random.Random(seed).uniform(0.02, 0.4))
        crowd.end(signal.SIGKILL)
        crowd.check()
    assert crowd.said.count("issued") > ROUNDS
    record_property("says", f"{engine}: {ROUNDS * WORKERS} kills, {crowd.check()}, "
                            f"{crowd.said.count(chr(10))} promises kept")


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
            time.sleep(0.02)                # one that comes after the crash would work for ever
        time.sleep(random.Random(seed).uniform(0.1, 0.4))
        server.stop(signal.SIGQUIT)         # as in a crash
        server.start()
        crowd.end()
        crowd.check()
    assert {status for status, _ in crowd.errors} == {3}
    assert all("could not use the ledger" in text for _, text in crowd.errors)
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
    pgseal("ca", "revoke", "--ca", ca, "--cert", next((folder / "app").glob("*.crt")), ok=True)
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
    assert number > 1_000_000_000           # none that may have been published since the backup
    assert pgseal("ca", "restore", "--ca", ca, "--from", backup).status != 0
    assert not list(folder.glob(".*"))


def test_two_hosts_issue_from_one_ledger_in_postgresql(database, folder, pgseal):
    _, dsn = database()
    first, second, backup = folder / "first", folder / "second", folder / "backup"
    assert pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", "/tmp/x").status == 2
    pgseal("ca", "init", "--ca", first, "--no-passphrase", "--store", dsn, ok=True)
    assert not (first / "ledger.db").exists()
    shutil.copytree(first, second)                      # the keys; the ledger is where it was
    issue(pgseal, first, folder / "one", ok=True)
    issue(pgseal, second, folder / "two", ok=True)
    pgseal("ca", "revoke", "--ca", second, "--cert", next((folder / "one").glob("*.crt")), ok=True)
    numbers = [int(pgseal("ca", "crl", "--ca", ca, "--force", "--format", "json",
                          ok=True).json["crls"][-1]["number"]) for ca in (first, second, first)]
    assert numbers == sorted(set(numbers))
    lists = pgseal("ca", "crl", "--ca", first, "--format", "json", ok=True).json["crls"]
    assert any(int(entry["revoked"]) >= 2 for entry in lists)       # that one, and the proof
    assert pgseal("ca", "verify", "--ca", first).status == 0
    pgseal("ca", "backup", "--ca", second, "--out", backup, ok=True)
    assert pgseal("ca", "restore", "--ca", folder / "third", "--from", backup).status != 0  # in use
    assert not (folder / "third").exists()
