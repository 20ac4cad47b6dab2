"""The forms that a CA can be made in: a root alone, intermediates that wait for one, keys behind a
command, partitioned revocation lists, name constraints, a ledger in PostgreSQL."""
import subprocess

import pytest

import pg


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def init(pgseal, folder, *args, passphrase=("--no-passphrase",)):
    return pgseal("ca", "init", "--ca", folder / "ca", *passphrase, *args)


def test_a_root_alone_has_nothing_else(folder, pgseal):
    assert init(pgseal, folder, "--root-only", "--days-root", 5000).status == 0
    assert {path.name for path in (folder / "ca").iterdir()} >= {"root.crt", "root.key", "root.crl"}
    assert not list((folder / "ca").glob("*-ca.*"))


def test_intermediates_for_an_offline_root_come_as_good_requests(folder, pgseal):
    done = init(pgseal, folder, "--offline-root")
    assert done.status == 0, done.err
    assert not (folder / "ca/root.key").exists()
    for name, use in (("server-ca", "Server Auth"), ("client-ca", "Client Auth")):
        path = folder / f"ca/{name}.csr"
        assert str(path) in done.out
        shown = openssl("req", "-in", path, "-verify", "-noout", "-text")
        assert "verify OK" in shown.stdout + shown.stderr
        for part in ("CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", use):
            assert part in shown.stdout
    issue = pgseal("ca", "issue", "client", "app", "--ca", folder / "ca", "--out", folder / "app")
    assert issue.status == 3
    assert "client-ca.csr" in issue.err


def test_a_command_gives_the_passphrase_each_time(folder, pgseal):
    secret = folder / "secret"
    secret.write_text("correct horse\n")
    done = init(pgseal, folder, "--key-passphrase-command", f"cat '{secret}'", passphrase=())
    assert done.status == 0, done.err
    for name in ("root", "server-ca", "client-ca"):
        assert "ENCRYPTED" in (folder / f"ca/{name}.key").read_text()
    issue = ["ca", "issue", "client", "app", "--ca", folder / "ca", "--out"]
    assert pgseal(*issue, folder / "app").status == 0
    secret.write_text("battery\n")
    done = pgseal(*issue, folder / "wrong")
    assert done.status == 3
    assert "wrong passphrase" in done.err
    assert "battery" not in done.err
    assert not (folder / "wrong/postgresql.crt").exists()


def test_partitions_and_constraints_are_in_what_is_issued(folder, pgseal):
    done = init(pgseal, folder, "--crl-shards", 4, "--permit-dns", "example.net", "--days-server", 90)
    assert done.status == 0, done.err
    assert (folder / "ca/client-ca.crl").read_text().count("BEGIN X509 CRL") == 4
    server = ["ca", "issue", "server", "--ca", folder / "ca", "--out"]
    assert pgseal(*server, folder / "db1", "--host", "db1.example.net").status == 0
    shown = openssl("x509", "-noout", "-text", "-in", folder / "db1/server.crt").stdout
    assert "URI:http://crl.invalid/" in shown
    assert openssl("x509", "-noout", "-checkend", 91 * 86400,
                   "-in", folder / "db1/server.crt").returncode == 1
    done = pgseal(*server, folder / "db2", "--host", "db1.example.org")
    assert done.status == 4
    assert "permitted subtree violation" in done.err


@pytest.mark.parametrize("args", [
    ("--root-only", "--offline-root"), ("--key-passphrase-command", "true"), ("--crl-shards", -1),
    ("--crl-shards", 1025), ("--days-root", -1), ("--permit-ip", "10.0.0.0"),
], ids=["two shapes", "two passphrases", "negative", "too many", "days", "constraint"])
def test_what_makes_no_sense_is_refused(folder, pgseal, args):
    assert init(pgseal, folder, *args).status == 2
    assert not (folder / "ca").exists()


def test_a_ledger_in_postgresql_serves_two_folders(make, folder, pgseal):
    """Two hosts: the same CA in two folders, one ledger; each sees what the other has revoked."""
    cluster = make.plain(15 if 15 in pg.SERVERS else min(pg.SERVERS),
                         hba="local all all peer\nhost all all 127.0.0.1/32 trust\n")
    store = (f"host=127.0.0.1 port={cluster.port} user={cluster.user} dbname=postgres "
             "sslmode=disable")
    done = init(pgseal, folder, "--store", store)
    assert done.status == 0, done.err
    assert not (folder / "ca/ledger.db").exists()
    subprocess.run(["cp", "-a", folder / "ca", folder / "other"], check=True)
    done = pgseal("ca", "issue", "client", "app", "--ca", folder / "ca", "--out", folder / "app")
    assert done.status == 0, done.err
    done = pgseal("ca", "revoke", "--cert", folder / "app/postgresql.crt", "--ca", folder / "other")
    assert done.status == 0, done.err
    assert pgseal("ca", "crl", "--ca", folder / "ca", "--out", folder / "crl").status == 0
    serial = openssl("x509", "-noout", "-serial", "-in", folder / "app/postgresql.crt").stdout
    shown = openssl("crl", "-noout", "-text", "-in", folder / "ca/client-ca.crl").stdout
    assert serial.strip().split("=")[1] in shown


def test_a_ca_whose_client_ca_has_retired_refuses_and_says_why(folder, pgseal):
    assert init(pgseal, folder).status == 0
    client = ["client", "app", "--ca", folder / "ca", "--client-dir", folder / "kits",
              "--host", "db1"]
    done = pgseal(*client)
    assert done.status == 0, done.err
    pgseal("ca", "revoke", "--ca", folder / "ca", "--authority", "client-ca", ok=True)
    done = pgseal(*client)
    assert done.status in (3, 4), done
    assert "client-ca" in done.err or "in force" in done.err


def test_what_an_offline_root_still_owes_is_said_at_every_step(folder, pgseal):
    """Two machines, no manual: each answer names the next command, and files come in any order."""
    root, ca = folder / "offline", folder / "ca"
    pgseal("ca", "init", "--root-only", "--no-passphrase", "--ca", root, ok=True)
    assert "pgseal ca sign REQUEST" in init(pgseal, folder, "--offline-root").out
    for kind in ("server-ca", "client-ca"):
        pgseal("ca", "sign", ca / f"{kind}.csr", "--kind", kind, "--ca", root, "--out",
               folder / f"{kind}.pem", ok=True)
    pgseal("ca", "crl", "--ca", root, "--out", folder / "root.crl", ok=True)
    said = pgseal("ca", "import", folder / "server-ca.pem", "--ca", ca, ok=True).out
    assert '"client-ca" still waits' in said and 'list of "root" is still wanted' in said
    issue = ["ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app"]
    pgseal("ca", "import", folder / "client-ca.pem", "--ca", ca, ok=True)
    refused = pgseal(*issue)
    assert refused.status == 3 and f"pgseal ca import root.crl --ca {ca}" in refused.err
    assert "still" not in pgseal("ca", "import", folder / "root.crl", "--ca", ca, ok=True).out
    pgseal(*issue, ok=True)

    assert f"{ca}/client-ca-2.csr" in pgseal("ca", "rollover", "client-ca", "--ca", ca, ok=True).out
    early = pgseal("ca", "activate", "client-ca-2", "--ca", ca)
    assert early.status == 2 and "Bring its certificate" in early.err
    pgseal("ca", "sign", ca / "client-ca-2.csr", "--kind", "client-ca", "--ca", root, "--out",
           folder / "next.pem", ok=True)
    said = pgseal("ca", "import", folder / "root.crl", folder / "next.pem", "--ca", ca, ok=True).out
    assert " ".join("run: pgseal ca activate client-ca-2".split()) in " ".join(said.split())


@pytest.mark.parametrize("store, warned", [
    ("postgresql://u:secret@127.0.0.1:1/x", True), ("postgresql://127.0.0.1:1/x?password=secret", True),
    ("host=127.0.0.1 port=1 password=secret", True), ("postgresql://u@127.0.0.1:1/x", False),
    ("host=127.0.0.1 port=1 passfile=/x", False)])
def test_a_password_in_the_address_of_the_ledger_is_warned_of(folder, pgseal, store, warned):
    done = init(pgseal, folder, "--store", store)
    assert done.status == 3 and ("list of processes" in done.err) == warned
    assert "secret" not in done.err
