"""Drivers that are on this machine, each as a function: connect, ask, and give the one row that came.

ask(cluster, role, password, sslmode, query) skips, with the reason, what is not here.
"""
import asyncio
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import ssl
import subprocess

import pytest

import pg


def by_psql(cluster, user, password, sslmode, query):
    done = pg.must(cluster.psql(cluster.dsn(user=user, password=password, sslmode=sslmode), query))
    return done.stdout.strip()


def by_psycopg(cluster, user, password, sslmode, query):
    psycopg = pytest.importorskip("psycopg", reason="python3-psycopg is not installed")
    with psycopg.connect(cluster.dsn(user=user, password=password, sslmode=sslmode)) as link:
        return link.execute(query).fetchone()[0]


def by_psycopg2(cluster, user, password, sslmode, query):
    psycopg2 = pytest.importorskip("psycopg2", reason="python3-psycopg2 is not installed")
    with contextlib.closing(psycopg2.connect(cluster.dsn(user=user, password=password, sslmode=sslmode))) as link:
        with link.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]


def by_asyncpg(cluster, user, password, sslmode, query):
    asyncpg = pytest.importorskip("asyncpg", reason="python3-asyncpg is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def ask():
        link = await asyncpg.connect(host="127.0.0.1", port=cluster.port, user=user, password=password,
                                     database="postgres", ssl=context if sslmode == "require" else False)
        try:
            return await link.fetchval(query)
        finally:
            await link.close()
    return asyncio.run(ask())


def node_modules():
    """A node-postgres that is on this machine, or brought into a cache, or None."""
    here = os.environ.get("PGSEAL_NODE_MODULES")
    if here:
        return here
    cache = pathlib.Path(os.environ.get("HOME", "/root")) / ".cache/pgseal-node"
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / "lock", "w") as lock:     # test processes come here at the same time
            fcntl.flock(lock, fcntl.LOCK_EX)
            tried = pathlib.Path(os.environ["PGSEAL_TEST_ROOT"]) / "npm"       # once is enough
            if not (cache / "node_modules/pg").exists() and shutil.which("npm") and not tried.exists():
                tried.touch()
                subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=0",
                                "--prefix", cache, "pg@8"], capture_output=True, timeout=pg.PATIENCE)
    return str(cache / "node_modules") if (cache / "node_modules/pg").exists() else None


def by_node(cluster, user, password, sslmode, query):
    modules = shutil.which("node") and node_modules()
    if not modules:
        pytest.skip("node is not here, or npm could not bring node-postgres")
    config = {"host": "127.0.0.1", "port": cluster.port, "user": user, "password": password, "database": "postgres",
              "ssl": {"rejectUnauthorized": False} if sslmode == "require" else False}
    script = f"""
        const client = new (require('pg').Client)({json.dumps(config)});
        (async () => {{
          await client.connect();
          const found = await client.query({{ text: {json.dumps(query)}, rowMode: 'array' }});
          console.log(found.rows[0][0]);
          await client.end();
        }})();"""
    return pg.must(subprocess.run(["node", "-e", script], env={**os.environ, "NODE_PATH": modules},
                                  capture_output=True, text=True)).stdout.strip()


def java_class(name, source):
    """The folder of a class, compiled once for all test processes: the compiler takes longer than what it made."""
    folder = pathlib.Path(os.environ["PGSEAL_TEST_ROOT"]) / f"java-{name}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            part.mkdir()
            (part / f"{name}.java").write_text(source)
            pg.must(subprocess.run(["javac", "-d", part, part / f"{name}.java"], capture_output=True, text=True))
            part.rename(folder)
    return folder


def by_jdbc(cluster, user, password, sslmode, query):
    jar = "/usr/share/java/postgresql.jar"
    if not os.path.exists(jar) or not shutil.which("javac"):
        pytest.skip("libpostgresql-jdbc-java or a JDK is not installed")
    classes = java_class("AskAll", """
        import java.sql.*;
        class AskAll { public static void main(String[] a) throws Exception {
            try (Connection c = DriverManager.getConnection(a[0]); PreparedStatement s = c.prepareStatement(a[1]);
                ResultSet r = s.executeQuery()) { r.next(); System.out.println(r.getString(1)); } } }""")
    url = f"jdbc:postgresql://127.0.0.1:{cluster.port}/postgres?user={user}&password={password}&sslmode={sslmode}"
    return pg.must(subprocess.run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{jar}:{classes}",
                                   "AskAll", url, query],
                                  capture_output=True, text=True)).stdout.strip()


ALL = {"psql": by_psql, "psycopg": by_psycopg, "psycopg2": by_psycopg2, "asyncpg": by_asyncpg,
       "node-postgres": by_node, "jdbc": by_jdbc}
