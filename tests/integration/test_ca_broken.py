"""A CA whose ledger, folder, disk, clock or key is broken says so, gives nothing out, records nothing,
and works again when it is mended."""
import contextlib
import shutil
import sqlite3
import subprocess

import pytest

import pg

DAYS_INTERMEDIATE = 1825


@pytest.fixture
def small(folder):
    """A file system of 16 MiB."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk],
                      capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def make_ca(folder, pgseal):
    def new(path=None, *options):
        path = path or folder / "ca"
        pgseal("ca", "init", "--ca", path, *(options or ["--no-passphrase"]), ok=True)
        return path
    return new


def acts(pgseal, ca):
    return len(pgseal("ca", "log", "--ca", ca, "--format", "json", ok=True).json["acts"])


def issue(pgseal, ca, out, *options, **kwargs):
    return pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", out, *options, **kwargs)


class Broken:
    """Nothing comes out of it, and its ledger has nothing new."""

    def __init__(self, pgseal, ca, folder):
        self.pgseal, self.ca, self.out = pgseal, ca, folder / "out"
        self.before = acts(pgseal, ca)

    def refuses(self, status, *texts, options=(), **kwargs):
        done = issue(self.pgseal, self.ca, self.out, *options, **kwargs)
        assert done.status == status, done
        assert any(text in done.err for text in texts), done
        assert not self.out.exists()

    def works_again(self, unchanged=True):
        assert not unchanged or acts(self.pgseal, self.ca) == self.before
        issue(self.pgseal, self.ca, self.out, ok=True)
        assert self.pgseal("ca", "verify", "--ca", self.ca).status == 0


def test_a_full_disk(small, folder, make_ca, pgseal):
    broken = Broken(pgseal, make_ca(small / "ca"), folder)
    filler = small / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    broken.refuses(3, "No space")
    filler.unlink()
    broken.works_again()


def test_a_folder_that_is_read_only(small, folder, make_ca, pgseal):
    broken = Broken(pgseal, make_ca(small / "ca"), folder)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    broken.refuses(3, "read-only")
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    broken.works_again()


def test_a_clock_before_the_ca_began(folder, make_ca, pgseal, shifted):
    broken = Broken(pgseal, make_ca(), folder)
    broken.refuses(4, "the clock is wrong", env=shifted(-30))
    done = pgseal("ca", "crl", "--ca", broken.ca, "--force", env=shifted(-30))
    assert done.status == 4 and "the clock is wrong" in done.err
    broken.works_again()


def test_an_issuer_that_expires(folder, make_ca, pgseal, shifted):
    """Long before the end nothing; then a warning; in the last days only what is shorter; then no more."""
    broken = Broken(pgseal, make_ca(), folder)
    issue(pgseal, broken.ca, folder / "long", ok=True)
    early = issue(pgseal, broken.ca, folder / "early", "--format", "json",
                  env=shifted(DAYS_INTERMEDIATE - 100), ok=True)
    assert early.json["ends_with_issuer"] is True
    text = issue(pgseal, broken.ca, folder / "text", env=shifted(DAYS_INTERMEDIATE - 100), ok=True)
    assert "pgseal ca rollover" in text.out
    broken.refuses(4, "about to expire", env=shifted(DAYS_INTERMEDIATE - 3))
    short = issue(pgseal, broken.ca, folder / "short", "--days", "1", "--format", "json",
                  env=shifted(DAYS_INTERMEDIATE - 3), ok=True)
    assert short.json["ends_with_issuer"] is False
    (folder / "roles").write_text("one\ntwo\n")
    many = ("ca", "issue", "client", "--batch", folder / "roles", "--ca", broken.ca, "--out", folder / "many")
    late = {"env": shifted(DAYS_INTERMEDIATE - 3)}
    assert pgseal(*many, **late).status == 4        # by the days that are asked for, as the single one
    assert pgseal(*many, "--days", "1", "--format", "json", **late, ok=True).json["issued"] == 2
    broken.refuses(4, "has expired", env=shifted(DAYS_INTERMEDIATE + 1))
    broken.works_again(unchanged=False)     # and the lists made in the future are replaced


def test_a_ledger_from_a_newer_version(folder, make_ca, pgseal):
    broken = Broken(pgseal, make_ca(), folder)
    with contextlib.closing(sqlite3.connect(broken.ca / "ledger.db")) as ledger:
        version = ledger.execute("PRAGMA user_version").fetchone()[0]
        ledger.execute("PRAGMA user_version = 99")
    broken.refuses(4, "newer pgseal")
    with contextlib.closing(sqlite3.connect(broken.ca / "ledger.db")) as ledger:
        ledger.execute(f"PRAGMA user_version = {version}")
    broken.works_again()


def test_a_copied_ledger(folder, make_ca, pgseal):
    """Two CAs with one serial space: neither would know what the other revoked."""
    ca = make_ca()
    shutil.copytree(ca, folder / "copy")
    broken = Broken(pgseal, folder / "copy", folder)
    broken.refuses(4, "is a copy")
    for verb in (["revoke", "--serial", "01"], ["crl", "--force"], ["rollover", "client-ca"]):
        done = pgseal("ca", verb[0], *verb[1:], "--ca", broken.ca)
        assert done.status in (3, 4), done
    assert acts(pgseal, broken.ca) == broken.before
    pgseal("ca", "restore", "--ca", broken.ca, "--adopt", ok=True)
    broken.works_again(unchanged=False)


def test_a_wrong_passphrase(folder, make_ca, pgseal):
    right, wrong = folder / "right", folder / "wrong"
    right.write_text("correct horse\n")
    wrong.write_text("battery\n")
    for path in (right, wrong):
        path.chmod(0o600)
    ca = make_ca(folder / "ca", "--no-passphrase")
    broken = Broken(pgseal, ca, folder)
    plain = (ca / "client-ca.key").read_bytes()
    subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", ca / "client-ca.key",
                    "-out", ca / "client-ca.key.new", "-passout", f"file:{right}"], check=True)
    (ca / "client-ca.key.new").chmod(0o600)
    (ca / "client-ca.key.new").rename(ca / "client-ca.key")
    conf = (ca / "ca.conf").read_text()
    for word, status in ((wrong, 3), (right, 0)):
        (ca / "ca.conf").write_text(conf + f"passphrase_command = cat {word}\n")
        if status:
            broken.refuses(status, "passphrase")
    broken.works_again()
    assert plain not in (ca / "client-ca.key").read_bytes()


def test_a_connection_string_that_cannot_be_read_is_not_repeated(folder, pgseal):
    """libpq would say the whole of it, with the password."""
    done = pgseal("ca", "init", "--ca", folder / "ca", "--no-passphrase", "--store",
                  "postgresql://ca:s3cret@[db1/pki")
    assert done.status in (2, 3) and "connection string" in done.err
    assert "s3cret" not in done.out + done.err


def test_what_a_restore_lost_can_still_be_revoked(folder, make_ca, pgseal):
    ca = make_ca()
    pgseal("ca", "backup", "--ca", ca, "--out", folder / "backup", ok=True)
    issue(pgseal, ca, folder / "lost", ok=True)
    shutil.rmtree(ca)
    pgseal("ca", "restore", "--ca", ca, "--from", folder / "backup", ok=True)
    assert pgseal("ca", "revoke", "--ca", ca, "--role", "app").status == 3
    done = pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "lost/postgresql.crt", ok=True)
    assert "not in its ledger" in done.err
    text = subprocess.run(["openssl", "crl", "-in", ca / "client-ca.crl", "-noout", "-text"],
                          capture_output=True, text=True, check=True).stdout
    serial = pgseal("ca", "show", "--ca", ca, "--role", "app", "--format", "json", ok=True).json["serial"]
    assert serial.upper() in text
    pgseal("ca", "init", "--ca", folder / "other", "--no-passphrase", ok=True)
    issue(pgseal, folder / "other", folder / "foreign", ok=True)
    foreign = pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "foreign/postgresql.crt")
    assert foreign.status == 3 and "not issued by this CA" in foreign.err


def test_an_old_list_that_was_put_back_is_not_handed_out(folder, make_ca, pgseal):
    ca = make_ca()
    issue(pgseal, ca, folder / "app", ok=True)
    old = (ca / "client-ca.crl").read_bytes()
    pgseal("ca", "revoke", "--ca", ca, "--role", "app", ok=True)
    new = (ca / "client-ca.crl").read_bytes()
    (ca / "client-ca.crl").write_bytes(old)
    done = pgseal("ca", "export", "--ca", ca, "--crl-file", folder / "root.crl")
    handed = (folder / "root.crl").read_bytes() if (folder / "root.crl").exists() else b""
    assert old.strip() not in handed, done
    pgseal("ca", "crl", "--ca", ca, "--out", folder / "root.crl", ok=True)
    assert old.strip() not in (folder / "root.crl").read_bytes() and old != new


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root can work on the CA of another user")
def test_a_ca_that_root_worked_on_still_belongs_to_its_owner(folder, pgseal, pgseal_as_owner):
    pg.give(folder)
    ca = folder / "ca"
    pgseal_as_owner("ca", "init", "--ca", ca, "--no-passphrase", ok=True)
    for verb in (["rollover", "client-ca", "--at-once"], ["crl", "--force"], ["rollover", "root"]):
        pgseal("ca", *verb, "--ca", ca, ok=True)
    owners = {path.name: path.stat().st_uid for path in ca.iterdir()}
    assert set(owners.values()) == {ca.stat().st_uid} != {0}, owners
    issue(pgseal_as_owner, ca, folder / "app", ok=True)
    pgseal_as_owner("ca", "crl", "--ca", ca, "--force", ok=True)

    (ca / "client-ca-2.crl").unlink()
    (folder / "target").write_text("root's")
    (ca / "client-ca-2.crl").symlink_to(folder / "target")
    refused = pgseal("ca", "crl", "--ca", ca, "--force")
    assert refused.status == 4 and "symbolic link" in refused.err
    assert (folder / "target").read_text() == "root's"
