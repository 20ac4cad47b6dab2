"""What is needed to provoke errors: certificates of every kind, a server with TLS whose files can be
broken one at a time, clients in several languages, and servers that are none.
"""
import contextlib
import datetime
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import textwrap
import threading
import time

import pg

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
STARTUP = b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00nobody\x00\x00\x00"
SPANISH = {"LC_ALL": "C.UTF-8", "LANGUAGE": "es"}


# ---- certificates -----------------------------------------------------------------------------

CONFIG = """\
[ca]
default_ca = c
[c]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
default_md = sha256
policy = p
unique_subject = no
email_in_dn = no
[p]
commonName = optional
organizationName = optional
"""


class Pki:
    """A root, an intermediate for clients below it, and whatever a test asks for; all by openssl(1)."""

    def __init__(self, folder):
        self.dir = folder
        (folder / "ca.cnf").write_text(CONFIG)
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("01\n")
        for name in ("root", "sub", "other"):
            (folder / f"index-{name}.txt").write_text("")
        ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        self.issue("root", "/CN=Root", None, ca)
        self.issue("other", "/CN=Other Root", None, ca)
        self.issue("sub", "/CN=Sub CA", "root", ca)

    def openssl(self, *argv):
        pg.must(subprocess.run(["openssl", *map(str, argv)], cwd=self.dir, capture_output=True, text=True,
                               stdin=subprocess.DEVNULL))

    def __getitem__(self, name):
        return self.dir / name

    def issue(self, name, subject, issuer="root", extensions="", days=(-1, 365), key="ec", md="sha256"):
        """NAME.crt and NAME.key; issuer None: self-signed; days from today."""
        kinds = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                 "rsa1024": ["-newkey", "rsa:1024"], "rsa2048": ["-newkey", "rsa:2048"]}
        self.openssl("req", *kinds[key], "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", subject)
        (self.dir / f"{name}.ext").write_text(extensions)
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = ((now + datetime.timedelta(d)).strftime("%Y%m%d%H%M%SZ") for d in days)
        signer = ["-selfsign", "-keyfile", f"{name}.key"] if issuer is None else \
            ["-cert", f"{issuer}.crt", "-keyfile", f"{issuer}.key"]
        shutil.copy(self.dir / f"index-{issuer or 'root'}.txt", self.dir / "index.txt")
        self.openssl("ca", "-batch", "-config", "ca.cnf", *signer, "-in", f"{name}.csr", "-notext", "-out",
                     f"{name}.crt", "-startdate", begin, "-enddate", end, "-md", md, "-extfile",
                     f"{name}.ext")
        shutil.copy(self.dir / "index.txt", self.dir / f"index-{issuer or 'root'}.txt")
        (self.dir / f"{name}.key").chmod(0o600)
        return self.dir / f"{name}.crt"

    def server(self, name="server", subject="/CN=localhost", names="DNS:localhost,IP:127.0.0.1",
               use="serverAuth", **kwargs):
        san = f"subjectAltName={names}\n" if names else ""
        return self.issue(name, subject, kwargs.pop("issuer", "root"), f"{san}extendedKeyUsage={use}\n",
                          **kwargs)

    def client(self, name, subject=None, use="clientAuth", issuer="sub", **kwargs):
        """The chain, as a client sends it."""
        path = self.issue(name, subject or f"/CN={name}", issuer, f"extendedKeyUsage={use}\n", **kwargs)
        if issuer == "sub":
            path.write_text(path.read_text() + (self.dir / "sub.crt").read_text())
        return path

    def crl(self, name, issuer, revoked=(), days=(-1, 30)):
        """The CRL of one CA."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = ((now + datetime.timedelta(d)).strftime("%Y%m%d%H%M%SZ") for d in days)
        ca = ["-config", "ca.cnf", "-cert", f"{issuer}.crt", "-keyfile", f"{issuer}.key"]
        shutil.copy(self.dir / f"index-{issuer}.txt", self.dir / "index.txt")
        for leaf in revoked:
            self.openssl("ca", *ca, "-revoke", f"{leaf}.crt")
        self.openssl("ca", *ca, "-gencrl", "-crl_lastupdate", begin, "-crl_nextupdate", end, "-out",
                     f"{name}.crl")
        return self.dir / f"{name}.crl"


def make_pki(root):
    """One for all test processes: everything that several tests use."""
    path = root / "provoke-pki"
    with open(root / "provoke-pki.lock", "w") as lock:
        pg.fcntl.flock(lock, pg.fcntl.LOCK_EX)
        if not path.exists():
            part = root / "provoke-pki.part"
            part.mkdir(mode=0o755)
            fill(Pki(part))
            for file in part.iterdir():
                pg.give(file)
            pg.give(part)
            part.rename(path)
    pki = object.__new__(Pki)
    pki.dir = path
    return pki


def fill(pki):
    pki.server()
    pki.server("expired", days=(-30, -1))
    pki.server("early", days=(1, 30))
    pki.server("wrong-name", "/CN=elsewhere.test", "DNS:elsewhere.test")
    pki.server("cn-only", "/CN=localhost", "")
    pki.server("nameless", "/O=Nobody", "")
    pki.server("not-server", use="clientAuth")
    pki.server("weak", key="rsa1024")
    pki.server("proxy")
    pki.client("app")
    pki.client("gone")
    pki.client("old", "/CN=app", days=(-30, -1))
    pki.client("young", "/CN=app", days=(1, 30))
    pki.client("foreign", "/CN=app", issuer="other")
    pki.issue("lonely", "/CN=app", None)
    pki.client("not-client", "/CN=app", use="serverAuth")
    pki.client("anonymous", "/O=Nobody")
    pki.client("weak-client", "/CN=app", key="rsa1024")
    root = pki.crl("root", "root").read_text()
    pki["all.crl"].write_text(root + pki.crl("sub", "sub", ["gone"]).read_text())
    pki["late.crl"].write_text(root + pki.crl("late-sub", "sub", days=(-30, -1)).read_text())
    pki["sub-only.crl"].write_text(pki["sub.crl"].read_text())
    pki["server-gone.crl"].write_text(pki.crl("gone-root", "root", ["server"]).read_text())
    pki["garbage.pem"].write_text("this is no PEM\n")
    pki.openssl("x509", "-in", "app.crt", "-outform", "DER", "-out", "app.der")
    pki.openssl("x509", "-in", "server.crt", "-outform", "DER", "-out", "server.der")
    pki.openssl("ec", "-in", "app.key", "-aes128", "-passout", "pass:right", "-out", "locked-app.key")
    pki.openssl("ec", "-in", "server.key", "-aes128", "-passout", "pass:right", "-out", "locked.key")
    pki["locked-app.key"].chmod(0o600)
    shutil.copy(pki["app.key"], pki["open.key"])
    pki["open.key"].chmod(0o644)
    pki.openssl("dhparam", "-dsaparam", "-out", "dh1024.pem", "1024")


# ---- a server whose files can be broken --------------------------------------------------------

HBA = """\
local    all  {owner}  peer
hostssl  all  app      127.0.0.1/32  cert
hostssl  all  gone     127.0.0.1/32  cert
hostssl  all  mapped   127.0.0.1/32  cert map=staff
hostssl  all  named    127.0.0.1/32  trust clientcert=verify-full
hostssl  all  scram    127.0.0.1/32  scram-sha-256
hostssl  all  nobody   127.0.0.1/32  trust
hostssl  all  ghost    127.0.0.1/32  trust
host     all  refused  127.0.0.1/32  reject
hostssl  all  hashed   127.0.0.1/32  md5
"""


class Lab:
    """A cluster with TLS; language "es" lets server and client speak Spanish."""

    def __init__(self, make, pki, folder, major, language):
        self.pki, self.folder, self.major, self.language = pki, folder, major, language
        self.cluster = make.plain(major, hba=HBA.format(owner=pg.OWNER.pw_name), start=False)
        if language == "es":
            self.speak_spanish()
        for source, target in (("server.crt", "server.crt"), ("server.key", "server.key"),
                               ("root.crt", "root.crt")):
            self.put(target, pki[source].read_bytes())
        self.cluster.set(ssl="on", ssl_ca_file="root.crt")
        self.conf = self.cluster.conf.read_text()

    def speak_spanish(self):
        """Debian's C.UTF-8 and LANGUAGE are enough for gettext; the server's own environment has none."""
        bindir = self.cluster.dir / "bin"
        bindir.mkdir(mode=0o755)
        script = bindir / "postgres"
        script.write_text(f'#!/bin/sh\nLC_CTYPE=C.UTF-8 LANGUAGE=es exec {self.cluster.bindir}/postgres "$@"\n')
        script.chmod(0o755)
        self.cluster.bindir = bindir
        self.cluster.set(lc_messages="C.UTF-8")

    # -- files and settings

    def put(self, name, content, mode=0o600):
        self.cluster.write(self.cluster.data / name, content, mode)
        return name

    def use_server(self, name):
        """Serve another certificate of the PKI."""
        self.put("server.crt", self.pki[f"{name}.crt"].read_bytes())
        self.put("server.key", self.pki[f"{name}.key"].read_bytes())

    def settings(self, **settings):
        """These on top of the usual ones; None leaves one of them out."""
        lines = [line for line in self.conf.splitlines()
                 if line.split(" ")[0] not in settings]
        lines += [f"{name} = '{value}'" for name, value in settings.items() if value is not None]
        self.cluster.write(self.cluster.conf, "\n".join(lines) + "\n")

    # -- life; each gives what the log says from then on

    def start(self):
        self.cluster.start()
        for role in ("app", "gone", "mapped", "named", "nobody", "refused", "other"):
            self.cluster.role(role)
        self.cluster.role("scram", "secret")
        self.cluster.sql("set password_encryption = md5; create role hashed login password 'secret'")
        return self

    def reset(self):
        """Whole again, whatever the last case broke."""
        self.settings()
        self.use_server("server")
        self.put("root.crt", self.pki["root.crt"].read_bytes())
        self.cluster.write_hba(HBA.format(owner=pg.OWNER.pw_name))
        self.cluster.write(self.cluster.data / "pg_ident.conf", "staff boss mapped\n")
        self.reload()

    def fail_to_start(self):
        with contextlib.suppress(AssertionError):
            self.cluster.start()
            raise RuntimeError("it started")
        return self.cluster.log()

    def reload(self):
        before = len(self.cluster.log())
        os.kill(self.cluster.pid, pg.signal.SIGHUP)
        return self.log_since(before)

    def log_since(self, before):
        """What the log has got since then, when nobody is left who could add to it."""
        self.cluster.settle()
        return self.cluster.log()[before:]

    # -- clients; each gives (what the client said, what the server's log said)

    def both(self, run, server_says=True):
        before = len(self.cluster.log())
        said = run()
        return said, self.log_since(before) if server_says else None

    def psql_text(self, libpq=None, env=None, **params):
        params = {"user": "nobody", "sslmode": "verify-full", "sslrootcert": self.pki["root.crt"], **params}
        env = {**(SPANISH if self.language == "es" else {}), **(env or {})}
        if libpq:
            library = pg.SERVERS[libpq].parent / "lib"
            env["LD_LIBRARY_PATH"] = str(library)
        result = self.cluster.psql(self.cluster.dsn(**params), **env)
        assert result.returncode != 0, "it connected"
        return result.stderr

    def psql(self, server_says=True, **kwargs):
        return self.both(lambda: self.psql_text(**kwargs), server_says)

    def as_client(self, name, **params):
        """With a certificate of the PKI."""
        return self.psql(sslcert=self.pki[f"{name}.crt"], sslkey=self.pki[f"{name}.key"], **params)


# ---- clients in other languages ------------------------------------------------------------------

def run(argv, env=None, text=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    done = subprocess.run([str(a) for a in argv], input=text or "", capture_output=True, text=True,
                          env={**clean, "LC_ALL": "C.UTF-8", **(env or {})}, timeout=3 * pg.PATIENCE)
    assert done.returncode != 0, f"it connected: {done.stdout}"
    return done.stdout + done.stderr


def jdbc(folder, url):
    jar = "/usr/share/java/postgresql.jar"
    if not os.path.exists(jar) or not shutil.which("java"):
        return None
    source = folder / "Ask.java"
    source.write_text(textwrap.dedent("""\
        class Ask {
            public static void main(String[] a) throws Exception {
                try { java.sql.DriverManager.getConnection(a[0]).close(); }
                catch (Exception e) { e.printStackTrace(); System.exit(2); }
            }
        }
        """))
    return run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar, source, url])


GO_PROGRAM = """\
package main

import (
\t"database/sql"
\t"fmt"
\t"os"

\t_ "github.com/lib/pq"
)

func main() {
\tdb, err := sql.Open("postgres", os.Args[1])
\tif err == nil {
\t\terr = db.Ping()
\t}
\tif err != nil {
\t\tfmt.Fprintln(os.Stderr, err)
\t\tos.Exit(2)
\t}
}
"""


def lib_pq(root, conninfo):
    """lib/pq; its program is built once."""
    if not shutil.which("go") or not pathlib.Path("/usr/share/gocode/src/github.com/lib/pq").exists():
        return None
    program = root / "ask-go"
    with open(root / "ask-go.lock", "w") as lock:
        pg.fcntl.flock(lock, pg.fcntl.LOCK_EX)
        if not program.exists():
            source = root / "ask.go"
            source.write_text(GO_PROGRAM)
            env = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": "/tmp/pgseal-gocache",
                   "GOFLAGS": "-p=2"}
            pg.must(subprocess.run(["go", "build", "-o", program, source], capture_output=True, text=True,
                                   env={**os.environ, **env}, timeout=5 * pg.PATIENCE))
    return run([program, conninfo])


def node(modules, config):
    """node-postgres with this configuration, as JavaScript."""
    if not modules or not shutil.which("node"):
        return None
    code = textwrap.dedent(f"""\
        const fs = require('fs'); const {{ Client }} = require('pg');
        const client = new Client({config});
        client.connect().then(() => process.exit(0),
                              (e) => {{ console.error(e); process.exit(2); }});
        """)
    return run(["node", "-e", code], env={"NODE_PATH": modules})


def asyncpg(code):
    """asyncpg.connect(...) with these arguments."""
    program = ("import asyncio, ssl, sys\ntry:\n    import asyncpg\nexcept ImportError:\n    sys.exit(77)\n"
               f"async def main():\n    await asyncpg.connect({code})\nasyncio.run(main())\n")
    said = run(["/usr/bin/python3", "-c", program])
    return said or None


# ---- servers that are none -----------------------------------------------------------------------

@contextlib.contextmanager
def fake_server(serve):
    """Each connection is given to serve(socket); gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(pg.PATIENCE)
                    serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(pg.PATIENCE)


def answers(reply, hold=0.2):
    """A server that says this to the first packet."""
    def serve(connection):
        connection.recv(8)
        connection.sendall(reply)
        time.sleep(hold)
    return serve


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.close()


def terminating_proxy(pki, port):
    """Ends TLS with a certificate of its own, and goes on with TLS to the server."""
    def serve(connection):
        connection.recv(8)
        connection.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki["proxy.crt"], pki["proxy.key"])
        to_server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        to_server.check_hostname, to_server.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(connection, server_side=True) as client, \
                socket.create_connection(("127.0.0.1", port), pg.PATIENCE) as plain:
            plain.sendall(SSL_REQUEST)
            plain.recv(1)
            with to_server.wrap_socket(plain) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join(pg.PATIENCE)
    return serve


def tls_to(port, ask=True, first=b"", inside=b"", alpn=None):
    """Python's own TLS to a server: `first` in plaintext behind the request, `inside` after the handshake.
    Gives the text of the error, if there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    try:
        with socket.create_connection(("127.0.0.1", port), pg.PATIENCE) as plain:
            if ask:
                plain.sendall(SSL_REQUEST + first)
                plain.recv(1)
            with context.wrap_socket(plain) as tls:
                tls.sendall(inside or STARTUP)
                return tls.recv(4096).decode(errors="replace")
    except OSError as error:
        return str(error)
