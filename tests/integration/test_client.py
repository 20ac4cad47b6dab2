"""pgseal client: what the kit says really connects, driver by driver, over verify-full with the role's
certificate and no password; and each driver notices, or not, what the kit says about it.

The server is configured by hand here: these tests are about the kit.
"""
import concurrent.futures
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import textwrap
import time

import pytest

import drivers
import pg

TOOLS = pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).resolve().parents[2]
                                    / "build/pgseal")).resolve().parent / "tests/tools"
# "App" and its like are roles that need quotes somewhere; the folder has a blank, too.
ROLES = ["app", "App User", "o'brien", 'say "hi"', "josé", "back\\slash", "per%cent", "a/b", ".dot",
         "semi;colon=1", "$HOME `id`"]
ASK = "select current_user, ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()"


def make_ca(*args):
    pg.must(subprocess.run([TOOLS / "make_ca", *map(str, args)], capture_output=True, text=True))


class Site:
    """A CA, a server that takes only certificates over TCP, and a folder of kits."""

    def __init__(self, folder, cluster, pgseal, hosts):
        self.folder, self.cluster, self.pgseal = folder, cluster, pgseal
        self.host = hosts[0]
        self.kits = folder / "my kits"
        make_ca("new", folder, *hosts)
        self.give_server()
        cluster.set(ssl="on", ssl_cert_file=cluster.dir / "server.crt",
                    ssl_key_file=cluster.dir / "server.key",
                    ssl_ca_file=cluster.dir / "clients.crt",
                    ssl_crl_file=cluster.dir / "clients.crl")
        cluster.write_hba("local all all peer\nhostssl all all 127.0.0.1/32 cert\n")
        cluster.reload()

    def give_server(self):
        for name in ("server.crt", "server.key", "clients.crt", "clients.crl"):
            self.cluster.write(self.cluster.dir / name, (self.folder / name).read_bytes())

    def client(self, *roles, **kwargs):
        kwargs.setdefault("ok", True)
        return self.pgseal("client", *roles, "--ca", self.folder / "ca", "--client-dir", self.kits,
                           "--host", self.host, "--port", self.cluster.port, "--database",
                           "postgres", "--format", "json", **kwargs)

    def strings(self, role):
        return self.client(role).json["kits"][role]["strings"]

    def revoke_server(self):
        """The server goes on with a certificate that is revoked."""
        make_ca("revoke", self.folder, self.folder / "server.crt")


def new_site(make, folder, pgseal, hosts, roles=("app",)):
    site = Site(folder, make.plain(), pgseal, hosts)
    for role in roles:
        site.cluster.sql('create role "{}" login'.format(role.replace('"', '""')))
    return site


@pytest.fixture
def site(make, folder, pgseal):
    return new_site(make, folder, pgseal, ["localhost"])


def run(argv, text=None, **kwargs):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    env.update(HOME="/nonexistent", LC_ALL="C.UTF-8", PGCONNECT_TIMEOUT=str(pg.PATIENCE),
               **kwargs.pop("env", {}))
    return subprocess.run([str(a) for a in argv], input=text or "", capture_output=True, text=True,
                          env=env, timeout=5 * pg.PATIENCE, **kwargs)


# ---- the kit ----------------------------------------------------------------------------------

def test_the_kit_has_the_names_libpq_looks_for(site):
    row, = site.client("app").json["clients"]
    kit = pathlib.Path(row["path"])
    assert kit == site.kits / "app" and row["role"] == "app" and row["outcome"] == "made"
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in kit.iterdir() if p.name[0] != "."}
    assert modes == {"postgresql.crt": 0o644, "postgresql.key": 0o600, "postgresql.pk8": 0o600,
                     "root.crt": 0o644, "root.crl": 0o644, "pg_service.conf": 0o644,
                     "README.txt": 0o644, "README.html": 0o644}
    assert stat.S_IMODE(kit.stat().st_mode) == 0o700


def test_a_second_run_keeps_it_and_renew_does_not(site):
    def serial():
        out = run(["openssl", "x509", "-noout", "-serial", "-in", site.kits / "app/postgresql.crt"])
        return out.stdout
    site.client("app")
    first = serial()
    assert site.client("app").json["clients"][0]["outcome"] == "kept"
    assert serial() == first != ""
    assert site.client("app", "--renew").json["clients"][0]["outcome"] == "made"
    assert serial() != first


def test_the_page_has_every_string(site):
    strings = site.strings("app")
    text = (site.kits / "app/README.txt").read_text()
    html = (site.kits / "app/README.html").read_text()
    for driver, string in strings.items():
        for line in filter(None, string.splitlines()):
            assert line in text, driver
    assert "<script" not in html and "verify-full" in html


def test_the_right_words_for_wrong_use(site):
    assert site.client(ok=False).status == 2
    assert site.client("a\nb", ok=False).status != 0
    assert site.client("x" * 64, ok=False).status != 0
    assert site.pgseal("client", "app", "--ca", site.folder / "nothing", "--client-dir", site.kits,
                       "--host", "localhost").status == 3


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root can give a folder to another user")
def test_a_kit_that_was_given_to_another_user_is_renewed_as_that_user(site):
    site.client("app")
    site.folder.chmod(0o755)
    kit = site.kits / "app"
    for path in [kit, *kit.iterdir()]:
        pg.give(path)
    assert site.client("app").json["clients"][0]["outcome"] == "kept"
    assert site.client("app", "--renew").json["clients"][0]["outcome"] == "made"
    assert {p.stat().st_uid for p in [kit, *kit.iterdir()]} == {pg.OWNER.pw_uid}
    assert same_key(kit)


def same_key(kit):
    """Does the certificate fit the key, and is the .pk8 the same key?"""
    commands = [["x509", "-noout", "-pubkey", "-in", kit / "postgresql.crt"],
                ["pkey", "-pubout", "-in", kit / "postgresql.key"],
                ["pkey", "-pubout", "-inform", "DER", "-in", kit / "postgresql.pk8"]]
    keys = {run(["openssl", *command]).stdout for command in commands}
    return len(keys) == 1 and "BEGIN PUBLIC KEY" in keys.pop()


def calls_of_a_renewal(site):
    log = site.folder / "calls"
    site.client("app", "--renew", env=killat(site.kits, KILLAT_LOG=log))
    return len(log.read_text().splitlines())


def killat(under, **how):
    return {"LD_PRELOAD": str(TOOLS / "libkillat.so"), "KILLAT_UNDER": str(under),
            **{name: str(value) for name, value in how.items()}}


def assert_mended(site, what):
    """One more run makes the kit whole, with nothing left of the one that was killed."""
    kit = site.kits / "app"
    for path in [p for p in kit.iterdir() if "key" in p.name or "pk8" in p.name]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, (what, path)
    strings = site.strings("app")
    assert same_key(kit), what
    assert not [p.name for p in kit.iterdir() if ".pgseal-" in p.name], what
    result = run([pg.client_program("psql"), "-XAtwc", "select 1", strings["libpq"]])
    assert result.stdout == "1\n", (what, result.stderr)


def test_a_renewal_that_is_killed_at_any_point_is_mended_by_the_next_run(site):
    site.client("app")
    calls = calls_of_a_renewal(site)
    assert calls > 10
    for number in range(1, calls + 1):
        for after in (0, 1):
            env = killat(site.kits, KILLAT_AT=number, KILLAT_AFTER=after)
            assert site.client("app", "--renew", ok=False, env=env).status == -signal.SIGKILL
            assert_mended(site, (number, after))
    print(f"{2 * calls} points covered")


def test_a_renewal_on_a_full_disk_says_so_and_is_mended_by_the_next_run(site):
    site.client("app")
    calls = calls_of_a_renewal(site)
    failed = 0
    for number in range(1, calls + 1):
        env = killat(site.kits, KILLAT_FAIL=f"{number}+:ENOSPC")
        result = site.client("app", "--renew", ok=False, env=env)
        assert result.status in (0, 3), result
        failed += result.status == 3
        assert_mended(site, number)
    assert failed > 5


# ---- libpq ------------------------------------------------------------------------------------

def test_what_is_printed_for_libpq_connects_for_every_kind_of_name(make, folder, pgseal):
    site = new_site(make, folder, pgseal, ["localhost"], ROLES)
    for role in ROLES:
        strings = site.strings(role)
        ask = ["-XAtw", "-c", ASK]
        results = {
            "libpq": run([pg.client_program("psql"), *ask, strings["libpq"]]),
            "uri": run([pg.client_program("psql"), *ask, strings["uri"]]),
            "psql": run(["sh", "-c", f"{strings['psql']} -XAtwc \"$0\"", ASK]),
            "service": run(["sh", "-c", f"{strings['service']} -XAtwc \"$0\"", ASK]),
        }
        for name, result in results.items():
            assert result.returncode == 0, (role, name, strings[name], result.stderr)
            assert result.stdout.startswith(f"{role}|t|"), (role, name)


def test_libpq_of_every_major_knows_every_word(site, every_major):
    """An older libpq refuses a parameter that it does not know; psql runs on each library."""
    library = pg.SERVERS[every_major].parent / "lib"
    if not list(library.glob("libpq.so.5*")):
        pytest.skip(f"PostgreSQL {every_major} is here without a libpq of its own")
    env = {"LD_LIBRARY_PATH": str(library)}
    if run([pg.client_program("psql"), "--version"], env=env).returncode != 0:
        pytest.skip(f"psql does not run on libpq {every_major}")
    strings = site.strings("app")
    for name in ("libpq", "uri"):
        result = run([pg.client_program("psql"), "-XAtwc", ASK, strings[name]], env=env)
        assert result.stdout.startswith("app|t|"), result.stderr


def test_psycopg_connects_as_printed(site):
    pytest.importorskip("psycopg")
    code = site.strings("app")["psycopg"] + f"\nprint(conn.execute({ASK!r}).fetchone()[:2])\n"
    result = run(["/usr/bin/python3", "-c", code])
    assert result.stdout == "('app', True)\n", result.stderr


def test_psycopg2_connects_as_the_note_says(site):
    pytest.importorskip("psycopg2")
    code = (site.strings("app")["psycopg"].replace("psycopg", "psycopg2")
            + f"\ncur = conn.cursor()\ncur.execute({ASK!r})\nprint(cur.fetchone()[:2])\n")
    result = run(["/usr/bin/python3", "-c", code])
    assert result.stdout == "('app', True)\n", result.stderr


def test_another_role_cannot_use_the_kit(site):
    site.cluster.role("other")
    stolen = site.strings("app")["libpq"].replace("user=app", "user=other")
    result = run([pg.client_program("psql"), "-Xwc", "select 1", stolen])
    assert result.returncode == 2
    assert "certificate authentication failed" in result.stderr


# ---- the other drivers: each is a function that gives what the server answered -----------------

ODD = 'o\'b "r" é;%'


def by_asyncpg(strings, folder):
    pytest.importorskip("asyncpg", reason="python3-asyncpg is not installed")
    code = strings["asyncpg"] + textwrap.dedent(f"""

        import asyncio

        async def main():
            conn = await connect()
            print((await conn.fetchrow({ASK!r}))[0])
            await conn.close()

        asyncio.run(main())
        """)
    return run(["/usr/bin/python3", "-c", code])


def by_jdbc(strings, folder):
    jar = "/usr/share/java/postgresql.jar"
    if not os.path.exists(jar) or not shutil.which("javac"):
        pytest.skip("libpostgresql-jdbc-java or a JDK is not installed")
    classes = drivers.java_class("Ask", textwrap.dedent(f"""\
        import java.sql.*;
        class Ask {{
            public static void main(String[] a) throws Exception {{
                String url = new String(System.in.readAllBytes(), "UTF-8");
                try (Connection c = DriverManager.getConnection(url);
                     ResultSet r = c.createStatement().executeQuery("{ASK}")) {{
                    r.next();
                    new java.io.PrintStream(System.out, true, "UTF-8").println(r.getString(1));
                }}
            }}
        }}
        """))
    return run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{jar}:{classes}", "Ask"],
               strings["jdbc"])


def by_node(strings, folder):
    modules = shutil.which("node") and drivers.node_modules()
    if not modules:
        pytest.skip("node is not here, or npm could not bring node-postgres")
    code = strings["node_postgres"] + textwrap.dedent(f"""

        client.connect()
          .then(() => client.query("{ASK}"))
          .then((r) => {{ console.log(r.rows[0].current_user); return client.end(); }})
          .catch((e) => {{ console.error(e.message); process.exit(2); }});
        """)
    return run(["node", "-e", code], env={"NODE_PATH": modules})


def by_pgx(strings, folder):
    if not shutil.which("go") or not glob.glob("/usr/share/gocode/src/github.com/jackc/pgx/v4"):
        pytest.skip("golang-go or golang-github-jackc-pgx-v4-dev is not installed")
    source = folder / "ask.go"
    source.write_text(textwrap.dedent("""\
        package main

        import (
        \t"context"
        \t"fmt"
        \t"os"

        \t"github.com/jackc/pgx/v4"
        )

        func main() {
        \t%s
        \tif err == nil {
        \t\tvar user string
        \t\terr = conn.QueryRow(context.Background(), "select current_user").Scan(&user)
        \t\tfmt.Println(user)
        \t}
        \tif err != nil {
        \t\tfmt.Fprintln(os.Stderr, err)
        \t\tos.Exit(2)
        \t}
        }
        """) % strings["pgx"])
    env = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": "/tmp/pgseal-gocache",
           "GOFLAGS": "-p=2"}
    done = subprocess.run(["go", "build", "-o", folder / "ask", source], capture_output=True,
                          text=True, env={**os.environ, **env}, timeout=5 * pg.PATIENCE)
    assert done.returncode == 0, done.stderr
    return run([folder / "ask"])


def by_pgbouncer(strings, folder):
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("pgbouncer is not installed")
    port = pg.free_port()
    conf = folder / "pgbouncer.ini"
    # the printed lines as they are; only what makes it run in a test is added
    conf.write_text(strings["pgbouncer"] + textwrap.dedent(f"""
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        server_login_retry = 1
        query_wait_timeout = {pg.PATIENCE}
        """))
    # pgbouncer does not run as root, and must read the kit: both belong to it here
    who = {}
    if pg.AS_ROOT:
        who = {"user": pg.OWNER.pw_uid, "group": pg.OWNER.pw_gid, "extra_groups": []}
        for path in [folder, *folder.rglob("*")]:
            pg.give(path)
    log = folder / "pgbouncer.log"
    with log.open("w") as out:
        process = subprocess.Popen([program, conf], stdout=out, stderr=out, **who)
    ask = [pg.client_program("psql"), "-XAtwc", "select current_user",
           f"host=127.0.0.1 port={port} dbname=postgres user=whoever sslmode=disable"]
    try:
        pg.wait_for_listener(port, process)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(run, ask)
            # it would try again and again: when its first connection to the server has ended, that is the answer
            pg.wait_until(lambda: answer.done() or re.search(r" S-0x\w+: .* closing because: ", log.read_text()),
                          "pgbouncer answers", process=process)
            process.kill()
            return answer.result()
    finally:
        process.kill()
        process.wait()


DRIVERS = {"asyncpg": by_asyncpg, "jdbc": by_jdbc, "node-postgres": by_node, "pgx": by_pgx,
           "pgbouncer": by_pgbouncer}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("role", ["app", ODD], ids=["plain", "odd"])
def test_what_is_printed_for_a_driver_connects(make, folder, pgseal, driver, role):
    site = new_site(make, folder, pgseal, ["localhost"])
    if role != "app":
        site.cluster.sql('create role "{}" login'.format(role.replace('"', '""')))
    result = DRIVERS[driver](site.strings(role), folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == role


@pytest.mark.parametrize("driver", ["libpq", *DRIVERS])
def test_a_driver_connects_with_a_key_of_every_type(site, folder, driver):
    for key_type in ("ec:p384", "rsa:2048", "rsa:3072", "ed25519"):
        shutil.rmtree(site.kits, ignore_errors=True)
        site.client("app", "--key-type", key_type)
        strings = site.strings("app")
        if driver == "libpq":
            result = run([pg.client_program("psql"), "-XAtwc", "select current_user",
                          strings["libpq"]])
        else:
            result = DRIVERS[driver](strings, folder)
        assert result.stdout.strip() == "app", (key_type, result.stderr)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_refuses_a_server_of_another_name(make, folder, pgseal, driver):
    """The certificate is for another host only; the address answers all the same."""
    site = new_site(make, folder, pgseal, ["db1.example.net"])
    site.host = "localhost"
    result = DRIVERS[driver](site.strings("app"), folder)
    assert result.returncode != 0, result.stdout


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_connects_to_an_address_that_the_certificate_has(make, folder, pgseal, driver):
    site = new_site(make, folder, pgseal, ["127.0.0.1"])
    result = DRIVERS[driver](site.strings("app"), folder)
    assert result.returncode == 0, result.stderr


# What the kit says of each: does it notice that the server's certificate was revoked?
NOTICES = {"libpq": True, "asyncpg": True, "node-postgres": True, "jdbc": False, "pgx": False,
           "pgbouncer": False}


@pytest.mark.parametrize("driver", NOTICES)
def test_a_driver_notices_a_revoked_server_exactly_if_the_kit_says_so(site, folder, driver):
    site.client("app")
    site.revoke_server()
    strings = site.strings("app")           # brings the new root.crl
    if driver == "libpq":
        result = run([pg.client_program("psql"), "-XAtwc", ASK, strings["libpq"]])
    else:
        result = DRIVERS[driver](strings, folder)
    assert (result.returncode != 0) == NOTICES[driver], result.stdout + result.stderr
    if NOTICES[driver]:     # libpq 15 gives no more of the reason
        assert re.search("revoked|certificate verify failed", result.stderr)


def test_a_revoked_kit_is_refused_by_the_server_and_replaced_by_the_next_run(site):
    old = site.strings("app")["libpq"]
    make_ca("revoke", site.folder, site.kits / "app/postgresql.crt")
    site.give_server()
    site.cluster.reload()
    result = run([pg.client_program("psql"), "-Xwc", "select 1", old])
    assert result.returncode == 2 and "revoked" in result.stderr
    assert site.client("app").json["clients"][0]["outcome"] == "made"
    assert run([pg.client_program("psql"), "-Xwc", "select 1", old]).returncode == 0


def test_the_files_alone_serve_a_program_that_trusts_nothing_else(site):
    """Without any PostgreSQL library: Python's own TLS after an SSLRequest."""
    site.client("app")
    kit = site.kits / "app"
    context = ssl.create_default_context(cafile=kit / "root.crt")
    context.load_cert_chain(kit / "postgresql.crt", kit / "postgresql.key")
    with socket.create_connection(("127.0.0.1", site.cluster.port), pg.PATIENCE) as plain:
        plain.sendall(bytes.fromhex("0000000804d2162f"))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            assert re.match(r"TLSv1\.[23]$", tls.version())
