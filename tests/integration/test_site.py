"""A site run on the CA, from its first day to the replacement of an intermediate: the root offline,
10,000 clients, a server rotated and an authority replaced under load, a client revoked and refused.
Once with the ledger in the CA's folder, once in PostgreSQL with two hosts at work.
"""
import shutil
import subprocess
import time

import pytest

from test_rotate import Rotation, pgbench

CLIENTS = 10000


class Site(Rotation):
    """One server, a CA whose root is elsewhere, and a second host with the same CA."""

    def __init__(self, cluster, folder, pgseal, program, store):
        super().__init__(cluster, folder, pgseal)
        self.program, self.root = program, folder / "offline"
        self.verb("init", "--root-only", "--no-passphrase", ca=self.root)
        self.verb("init", "--offline-root", "--no-passphrase", *(["--store", store] if store else []))
        self.signed_by_the_root("server-ca", "client-ca")
        self.verb("crl", "--out", folder / "root.crl", ca=self.root)
        self.verb("import", folder / "root.crl")
        self.hosts = [self.ca, self.ca]
        if store:                               # the second host has a folder of its own
            self.hosts[1] = folder / "second"
            shutil.copytree(self.ca, self.hosts[1])

    def verb(self, *args, ca=None, ok=True):
        return self.run("ca", *args, "--ca", ca or self.ca, "--format", "json", ok=ok)

    def signed_by_the_root(self, *names):
        """What is carried to the root and back."""
        for name in names:
            request, answer = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
            self.verb("csr", "--authority", name, "--out", request)
            self.verb("sign", request, "--kind", "-".join(name.split("-")[:2]), "--out", answer,
                      ca=self.root)
            self.verb("import", answer)

    def issue_batches(self):
        """Both hosts at once, half of the clients each; the seconds that it took."""
        began, halves = time.monotonic(), []
        for number, ca in enumerate(self.hosts):
            batch = self.folder / f"batch-{number}"
            batch.write_text("".join(f"client-{number}-{n}\n" for n in range(CLIENTS // 2)))
            halves.append(subprocess.Popen([self.program, "ca", "issue", "client", "--batch", batch,
                                            "--no-files", "--ca", ca], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.PIPE, text=True))
        for half in halves:
            _, err = half.communicate(timeout=300)
            assert half.returncode == 0, err
        return time.monotonic() - began

    def bring_new_keys(self):
        """What rollovers on the first host made; a ledger has no private keys."""
        for key in self.hosts[0].glob("*.key"):
            if not (self.hosts[1] / key.name).exists():
                shutil.copy2(key, self.hosts[1])

    def kit(self):
        row, = self.run("client", "app", "--ca", self.ca, "--client-dir", self.clients, "--host",
                        "localhost", "--port", self.cluster.port, "--format", "json",
                        ok=True).json["clients"]
        return row["outcome"]


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request, make, cluster, folder, pgseal, program):
    store = None
    if request.param == "postgresql":
        ledger = make.plain()
        ledger.role("ledger", password="secret")
        ledger.sql("create database ledger owner ledger")
        passfile = folder / "pass"
        passfile.write_text("*:*:*:ledger:secret\n")
        passfile.chmod(0o600)
        store = ledger.dsn(user="ledger", dbname="ledger", passfile=passfile)
    cluster.role("app")
    return Site(cluster, folder, pgseal, program, store)


def test_a_site_lives_on_its_ca(site, record_property):
    seconds = site.issue_batches()
    serials = {c["serial"] for c in site.verb("list", "--kind", "client").json["certificates"]}
    assert len(serials) == CLIENTS

    site.secure("--no-proof", policies=("encrypt", "app=cert"), clients=("app",))
    with pgbench(site, "-C") as finished:
        before = site.served()
        site.rotate()
        assert site.served() != before
        refused = site.verb("issue", "client", "late", "--out", site.folder / "late", ca=site.root,
                            ok=None)
        assert refused.status != 0              # a root alone signs no clients
        assert site.verb("rollover", "client-ca").json["name"] == "client-ca-2"
        site.signed_by_the_root("client-ca-2")
        site.rotate("--crl-only")
        site.verb("activate", "client-ca-2")
        assert site.kit() == "renewed"
        done = finished()

    site.verb("revoke", "--role", "client-1-77", "--reason", "keyCompromise", ca=site.hosts[1])
    site.bring_new_keys()
    site.run("ca", "revoke", "--cert", site.clients / "app/postgresql.crt", "--ca", site.hosts[1],
             "-D", site.cluster.data, "--reason", "superseded", ok=True)
    refused = site.cluster.psql(site.client("app"))
    assert "revoked" in refused.stderr, refused
    assert site.kit() == "made"
    inside = site.cluster.psql(site.client("app"), "select current_user")
    assert inside.stdout == "app\n", inside.stderr

    assert site.verb("retire", "client-ca", ok=None).status == 4        # 9,999 hang on it, and app's
    assert len(site.verb("list", "--authority", "client-ca", "--kind", "client", "--state",
                         "valid").json["certificates"]) == CLIENTS
    for ca in {*site.hosts}:
        assert site.verb("verify", ca=ca).json["sound"]
    record_property("says", f"a site: {CLIENTS} clients from two batches at once in {seconds:.1f} s; "
                    f"{done} transactions while a server was rotated and an intermediate replaced, 0 failed")
