"""Authorities replaced without an outage: three servers of one CA, under clients that connect anew all
the time with verify-full and a certificate, while both intermediates and then the root are replaced.

What is done to the site is what a DBA would type; nobody of the clients may notice.
"""
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

import pg
from test_rotate import Rotation

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/verifiers"))

import cases            # noqa: E402

SERVERS = 3


# ---- clients at work ----------------------------------------------------------------------------

class Load:
    """A pool on one server: pgbench, a connection for each transaction, with the files of one kit."""

    def __init__(self, cluster, kit, script):
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C",
               "PGHOST": "localhost", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(cluster.port),
               "PGUSER": "app", "PGDATABASE": "postgres", "PGSSLMODE": "verify-full",
               "PGSSLROOTCERT": str(kit / "root.crt"), "PGSSLCRL": str(kit / "root.crl"),
               "PGSSLCERT": str(kit / "postgresql.crt"), "PGSSLKEY": str(kit / "postgresql.key"),
               "PGGSSENCMODE": "disable"}
        self.process = subprocess.Popen(
            [pg.client_program("pgbench"), "-n", "-C", "-c", "2", "-T", "3600", "-f", script],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """How many transactions there were.  None failed, and it was at work until now."""
        assert self.process.poll() is None, self.process.communicate()
        self.process.send_signal(signal.SIGALRM)        # as when the time of -T is over
        out, err = self.process.communicate(timeout=pg.PATIENCE)
        assert self.process.returncode == 0, out + err
        assert "number of failed transactions: 0 " in out, out
        return int(re.search(r"transactions actually processed: (\d+)", out)[1])


class Site:
    """Three servers and one CA."""

    def __init__(self, make, folder, pgseal):
        self.folder, self.run = folder, pgseal
        self.servers = [Rotation(make.plain(), folder, pgseal) for _ in range(SERVERS)]
        self.ca = self.servers[0].ca
        self.loads, self.done, self.kits = {}, {}, []
        for server in self.servers:
            server.cluster.role("app")
            server.secure("--no-proof", policies=("encrypt", "app=cert"))

    def verb(self, *args, **kwargs):
        kwargs.setdefault("ok", True)
        return self.run("ca", *args, "--ca", self.ca, "--format", "json", **kwargs)

    def kit(self, folder):
        """Make the kit of app in this folder, or bring it up to date."""
        row, = self.run("client", "app", "--ca", self.ca, "--client-dir", folder, "--host",
                        "localhost", "--format", "json", ok=True).json["clients"]
        return row["outcome"]

    def begin(self):
        """A new kit, and clients that use it on every server."""
        folder = self.folder / f"kits-{len(self.kits) + 1}"
        assert self.kit(folder) == "made"
        self.kits.append(folder)
        script = self.folder / f"{folder.name}.sql"
        script.write_text(f"select ssl, nextval('\"{folder.name}\"') from pg_stat_ssl where pid = pg_backend_pid();\n")
        for server in self.servers:
            server.cluster.sql(f'create sequence "{folder.name}"; grant usage on sequence "{folder.name}" to app')
        self.loads[folder] = [Load(server.cluster, folder / "app", script) for server in self.servers]
        self.at_work(folder)

    def at_work(self, folder, more=2):
        """Until the clients with this kit have come to so many more transactions on every server."""
        for server, load in zip(self.servers, self.loads[folder]):
            until, goal = time.monotonic() + pg.PATIENCE, self.counted(server, folder) + more
            while self.counted(server, folder) < goal:
                assert load.process.poll() is None, load.process.communicate()
                assert time.monotonic() < until, "there are no transactions"
                time.sleep(0.02)

    @staticmethod
    def counted(server, folder):
        return int(server.cluster.sql(f'select last_value from "{folder.name}"'))

    def end(self, folder):
        self.done[folder.name] = [load.end() for load in self.loads.pop(folder)]

    def spread(self, *options):
        """Give every server what the CA has now, and the clients at work what they trust and check."""
        for server in self.servers:
            assert server.outcome(server.rotate(*options)) == ["rotated"]
        for folder in self.loads:
            self.refresh(folder)

    def refresh(self, folder):
        """What clients trust and check, into a kit whose pair stays as it is."""
        kit = folder / "app"
        self.verb("export", "--root", kit / "root.crt")
        self.verb("crl", "--side", "client", "--out", kit / "root.crl")

    def authorities(self):
        return {a["name"]: (a["state"], a["dependents"])
                for a in self.verb("dependents").json["authorities"]}

    def successors(self, *who):
        """Trusted and not used: everybody gets to know them."""
        names = [self.verb("rollover", one).json["name"] for one in who]
        self.spread("--crl-only")
        return names

    def move(self, old, new):
        """The successors sign; servers and clients move over to them, and the old ones go."""
        for name in new:
            self.verb("activate", name)
        self.spread()                                       # a new certificate for each server
        self.begin()
        left = {name: self.issued(name) for name in old}
        for name in old:
            refused = self.verb("retire", name, ok=None)
            assert refused.status == 4 and "depend" in refused.out
            assert self.authorities()[name] == ("old", len(left[name]))
        self.at_work(self.kits[-2], 10)
        self.end(self.kits[-2])
        for name in old:
            for serial in left[name]:
                self.verb("revoke", "--serial", serial, "--reason", "superseded")
            self.verb("retire", name)
        self.spread("--crl-only")

    def issued(self, authority):
        """Serial numbers of what hangs on it."""
        out = self.verb("list", "--authority", authority, "--state", "valid").json
        return [cert["serial"] for cert in out["certificates"]]

    def roots(self):
        """Names of the roots that each server trusts; it is the same everywhere."""
        found = set()
        for server in self.servers:
            path = re.search("ssl_ca_file = '(.*)'", server.ours)[1]
            subjects = [subprocess.run(["openssl", "x509", "-noout", "-subject"], input=block,
                                       capture_output=True, text=True, check=True).stdout
                        for block in cases.blocks(pathlib.Path(path))]
            found.add(tuple(sorted(name for name in subjects if "root CA" in name)))
        names, = found
        return names

    def all_refuse(self, folder):
        kit = folder / "app"
        return all("SSL error" in server.cluster.psql(server.client(
            "app", sslcert=kit / "postgresql.crt", sslkey=kit / "postgresql.key",
            sslrootcert=self.kits[-1] / "app/root.crt", sslcrl=self.kits[-1] / "app/root.crl")).stderr
            for server in self.servers)

    def stop(self):
        for load in itertools.chain(*self.loads.values()):
            load.process.kill()
            load.process.communicate()


@pytest.fixture
def site(make, folder, pgseal):
    site = Site(make, folder, pgseal)
    yield site
    site.stop()


# ---- the promises ---------------------------------------------------------------------------------

@pytest.mark.takes(15)
def test_no_client_of_three_servers_notices_that_all_authorities_are_replaced(site, record_property):
    """Both intermediates, then the root with new intermediates below it; the old ones are gone in the
    end.  Old files, with what is trusted and checked brought up to date, are good until they are
    revoked; new ones from the moment they are made."""
    site.begin()
    assert site.successors("client-ca", "server-ca") == ["client-ca-2", "server-ca-2"]
    site.move(["client-ca", "server-ca"], ["client-ca-2", "server-ca-2"])

    assert site.successors("root") == ["root-2"]
    site.spread()                                       # everybody trusts both
    assert len(site.roots()) == 2
    site.verb("activate", "root-2")
    assert site.successors("client-ca", "server-ca") == ["client-ca-3", "server-ca-3"]
    site.move(["client-ca-2", "server-ca-2"], ["client-ca-3", "server-ca-3"])
    site.verb("retire", "root")
    site.spread()
    assert len(site.roots()) == 1
    site.at_work(site.kits[-1], 10)
    site.end(site.kits[-1])

    assert {name: state for name, (state, _) in site.authorities().items() if state != "retired"} == {
        "root-2": "active", "client-ca-3": "active", "server-ca-3": "active"}
    assert site.all_refuse(site.kits[0]) and site.all_refuse(site.kits[1])
    counted = [count for counts in site.done.values() for count in counts]
    assert len(counted) == 3 * SERVERS and min(counted) > 10
    record_property("says", f"2 intermediates, then the root and 2 more replaced on {SERVERS} servers "
                    f"under pgbench -C: {sum(counted)} transactions ({counted}), 0 failed")


def test_without_the_new_lists_there_is_an_outage_and_the_clients_at_work_show_it(site):
    """The control: the step that is easily forgotten, forgotten."""
    site.begin()
    site.verb("rollover", "server-ca")
    site.verb("activate", "server-ca-2")
    for server in site.servers:
        server.rotate()
    for load in site.loads[site.kits[0]]:
        _, err = load.process.communicate(timeout=pg.PATIENCE)
        assert load.process.returncode != 0 and "certificate verify failed" in err


@pytest.mark.takes(14)
def test_kits_are_renewed_in_their_place_under_load(site, record_property):
    """What is due is renewed for the same key: nobody meets a certificate and a key that do not fit."""
    site.begin()
    kit, = site.kits
    key = (kit / "app/postgresql.key").read_bytes()
    for generation in range(2, 8):
        site.successors("client-ca")
        site.verb("activate", f"client-ca-{generation}")
        assert (site.kit(kit), site.kit(kit)) == ("renewed", "kept")
        site.at_work(kit)
        assert site.authorities()[f"client-ca-{generation}"] == ("active", 1)
    site.end(kit)
    assert (kit / "app/postgresql.key").read_bytes() == key
    counted = site.done[kit.name]
    record_property("says", f"a kit renewed in its place 6 times under pgbench -C: {sum(counted)} "
                            f"transactions, 0 failed")
