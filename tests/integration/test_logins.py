"""Real logins by every driver at hand: verify-full, the role's certificate, no password.

The connection string is what the kit prints and never changes; the files behind it do, and the server's.
Each driver must get in with good ones and must be refused, or refuse, with each of the others.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import pg
from test_client import DRIVERS, run

GET = "select current_user"


# ---- drivers that the other tests do not have --------------------------------------------------

def by_psql(strings, folder):
    return run([pg.client_program("psql"), "-XAtwc", GET, strings["libpq"]])


def by_psycopg(strings, folder):
    pytest.importorskip("psycopg")
    return run(["/usr/bin/python3", "-c",
                strings["psycopg"] + f"\nprint(conn.execute({GET!r}).fetchone()[0])\n"])


def by_psycopg2(strings, folder):
    pytest.importorskip("psycopg2")
    return run(["/usr/bin/python3", "-c", strings["psycopg"].replace("psycopg", "psycopg2")
                + f"\ncur = conn.cursor()\ncur.execute({GET!r})\nprint(cur.fetchone()[0])\n"])


LIB_PQ = """\
package main

import (
\t"database/sql"
\t"fmt"
\t"os"

\t_ "github.com/lib/pq"
)

func main() {
\tvar user string
\tdb, err := sql.Open("postgres", os.Args[1])
\tif err == nil {
\t\terr = db.QueryRow("select current_user").Scan(&user)
\t}
\tif err != nil {
\t\tfmt.Fprintln(os.Stderr, err)
\t\tos.Exit(2)
\t}
\tfmt.Println(user)
}
"""


def by_lib_pq(strings, folder):
    """The string for pgx is for both (the kit says so)."""
    if not shutil.which("go") or not os.path.isdir("/usr/share/gocode/src/github.com/lib/pq"):
        pytest.skip("golang-go or golang-github-lib-pq-dev is not installed")
    if not (folder / "libpq").exists():
        (folder / "libpq.go").write_text(LIB_PQ)
        env = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "-p=2",
               "GOCACHE": "/tmp/pgseal-gocache"}
        pg.must(subprocess.run(["go", "build", "-o", folder / "libpq", folder / "libpq.go"], text=True,
                               capture_output=True, env={**os.environ, **env}, timeout=300))
    return run([folder / "libpq", re.search('"(postgresql://.*)"', strings["pgx"])[1]])


def by_jdbc_p12(strings, folder):
    """pgjdbc with one PKCS#12 file in the place of certificate and key."""
    url = re.sub("&sslcert=[^&]*&sslkey=(.*)/postgresql.pk8", r"&sslkey=\1/app.p12&sslpassword=s3cret",
                 strings["jdbc"])
    return DRIVERS["jdbc"]({"jdbc": url}, folder)


LOGINS = {"psql": by_psql, "psycopg": by_psycopg, "psycopg2": by_psycopg2, "lib-pq": by_lib_pq,
          **DRIVERS, "jdbc-p12": by_jdbc_p12}
SECONDS = {"jdbc": 15, "jdbc-p12": 15}      # Java waits for itself


def openssl(*args):
    pg.must(subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True))


# ---- the site ----------------------------------------------------------------------------------

class Site:
    """A CA, its impostor, a server, and the files of app, good and bad."""

    def __init__(self, make, folder, program, pgseal, shifted):
        self.folder, self.program, self.pgseal, self.shifted = folder, program, pgseal, shifted
        self.cluster, self.kit = make.plain(), folder / "kits/app"
        past = {"env": shifted(-50)}
        for name in ("ca", "foreign"):
            self.ca("init", name, "--no-passphrase", env=shifted(-80))
        self.ca("issue server", "ca", "--host", "localhost", "--out", folder / "old", "--days", 10, **past)
        self.ca("issue client", "ca", "app", "--out", folder / "expired", "--days", 10, **past)
        self.cluster.role("app")
        self.cluster.set(ssl="on", **{f"ssl_{what}_file": self.cluster.dir / name for what, name in {
            "cert": "server.crt", "key": "server.key", "ca": "root.crt", "crl": "root.crl"}.items()})
        self.cluster.write_hba("local all all peer\nhostssl all all 127.0.0.1/32 cert\n")
        self.server("server", "localhost")
        self.strings = pgseal("client", "app", "--ca", folder / "ca", "--client-dir",
                              folder / "kits", "--host", "localhost", "--port", self.cluster.port,
                              "--database", "postgres", "--format", "json",
                              ok=True).json["kits"]["app"]["strings"]
        shutil.copytree(self.kit, folder / "good")

    def ca(self, *args, env=None):
        verb, name, *rest = args
        return self.pgseal("ca", *verb.split(), *rest, "--ca", self.folder / name, ok=True, env=env)

    # -- the server's side

    def server(self, name, host, ca="ca"):
        """The server's certificate; `name` is the folder it is made in."""
        if not (self.folder / name).exists():
            self.ca("issue server", ca, "--host", host, "--out", self.folder / name)
        for file in ("server.crt", "server.key"):
            self.cluster.write(self.cluster.dir / file, (self.folder / name / file).read_bytes())
        self.trust()

    def trust(self):
        for option, file in (("--ca-file", "root.crt"), ("--crl-file", "root.crl")):
            self.ca("export", "ca", option, self.folder / file)
            self.cluster.write(self.cluster.dir / file, (self.folder / file).read_bytes())
        self.cluster.reload()

    # -- the client's side

    def put_pair(self, source, key="postgresql.key", crt="postgresql.crt"):
        """Another pair in the kit, in every form."""
        shutil.copyfile(source / crt, self.kit / "postgresql.crt")
        shutil.copyfile(source / key, self.kit / "postgresql.key")
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", source / key, "-outform", "DER", "-out",
                self.kit / "postgresql.pk8")
        openssl("pkcs12", "-export", "-name", "user", "-in", source / crt, "-inkey", source / key,
                "-passout", "pass:s3cret", "-out", self.kit / "app.p12")
        for path in self.kit.iterdir():
            pg.give(path)

    def export_p12(self):
        """As the program makes it."""
        (self.kit / "app.p12").unlink(missing_ok=True)
        read, write = os.pipe()
        os.write(write, b"s3cret\n")
        os.close(write)
        subprocess.run([self.program, "ca", "export", "--ca", self.folder / "ca", "--cert",
                        self.kit / "postgresql.crt", "--key", self.kit / "postgresql.key", "--p12",
                        self.kit / "app.p12", "--out-passphrase-fd", str(read)], pass_fds=[read],
                       check=True, capture_output=True)
        os.close(read)
        pg.give(self.kit / "app.p12")

    # -- back to what is good

    def reset(self):
        self.put_pair(self.folder / "good")
        shutil.copy2(self.folder / "good/root.crt", self.kit)
        pg.give(self.kit / "root.crt")


def prepare(site):
    """The pairs of the cases; each in a folder of its name."""
    pairs = {"revoked": ["app"], "of another role": ["other"],
             **{kind: ["app", "--key-type", kind] for kind in ("ec:p384", "rsa:2048", "ed25519")}}
    for name, args in pairs.items():
        site.ca("issue client", "ca", *args, "--out", site.folder / name)
    site.ca("issue client", "ca", "app", "--out", site.folder / "not yet valid", env=site.shifted(20))
    site.ca("issue client", "foreign", "app", "--out", site.folder / "of a foreign CA")
    site.ca("revoke", "ca", "--cert", site.folder / "revoked/postgresql.crt")
    shutil.copytree(site.folder / "good", site.folder / "renewed")
    site.ca("renew", "ca", "--cert", site.folder / "good/postgresql.crt", "--out",
            site.folder / "renewed/postgresql.crt")
    site.ca("rollover", "ca", "client-ca")
    site.ca("activate", "ca", "client-ca-2")
    site.ca("issue client", "ca", "app", "--out", site.folder / "of the next authority")
    site.trust()
    selfmade = site.folder / "self-made"
    selfmade.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app", "-keyout",
            selfmade / "postgresql.key", "-out", selfmade / "postgresql.crt")


def cases_of(site):
    def pair(name):
        return lambda: site.put_pair(site.folder / name)

    def server(name, *args, **kwargs):
        return lambda: site.server(name, *args, **kwargs)
    yield "as it was made", True, lambda: None
    yield "as the program exports it", True, site.export_p12
    for name in ("ec:p384", "rsa:2048", "ed25519", "renewed", "of the next authority"):
        yield name, True, pair(name)
    for name in ("revoked", "expired", "not yet valid", "of another role", "of a foreign CA",
                 "self-made"):
        yield name, False, pair(name)
    yield "a server's, used as a client's", False, lambda: site.put_pair(
        site.folder / "server", "server.key", "server.crt")
    yield "trusting another root", False, lambda: shutil.copyfile(
        site.folder / "foreign/root.crt", site.kit / "root.crt")
    yield "server of another name", False, server("elsewhere", "db9.example.net")
    yield "server of a foreign CA", False, server("impostor", "localhost", ca="foreign")
    yield "server that has expired", False, server("old", "localhost")
    yield "a client's, used as a server's", False, lambda: client_as_server(site)


def client_as_server(site):
    for file, source in (("server.crt", "postgresql.crt"), ("server.key", "postgresql.key")):
        site.cluster.write(site.cluster.dir / file, (site.folder / "good" / source).read_bytes())
    site.cluster.reload()


@pytest.fixture(scope="module")
def site(make_shared, root, program, pgseal, shifted):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="logins-", dir=root))
    folder.chmod(0o755)         # pgbouncer reads there as another user
    site = Site(make_shared, folder, program, pgseal, shifted)
    prepare(site)
    return site


@pytest.mark.parametrize("driver", [
    pytest.param(name, marks=pytest.mark.takes(SECONDS.get(name, 6), together="logins")) for name in LOGINS])
def test_a_driver_gets_in_or_is_refused_as_it_must_be(site, driver, record_property):
    wrong, counts = [], {True: 0, False: 0}
    for name, want, put in cases_of(site):
        site.reset()
        put()
        done = LOGINS[driver](site.strings, site.folder)
        counts[want] += 1
        if (done.returncode == 0 and done.stdout.strip() == "app") != want:
            wrong.append(f"{name}: {done.stdout}{done.stderr[-500:]}")
        if name.startswith(("server", "a client's")):
            site.server("server", "localhost")
    record_property("says", f"{driver}: {counts[True]} logins and {counts[False]} refusals, "
                            f"{len(wrong)} otherwise than they must be")
    assert not wrong, "\n".join(wrong)
    assert counts[True] >= 6 and counts[False] >= 10
