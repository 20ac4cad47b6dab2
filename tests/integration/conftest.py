"""Fixtures of the integration tests.  See pg.py for the servers.

PGSEAL            the program (default: build/pgseal)
PGSEAL_SERVERS    where tools/get-servers has put more majors
"""
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import pg

ST_NOEXEC = 8       # statvfs(3); os has no name for it everywhere
SOURCE = pathlib.Path(__file__).resolve().parents[2]


# ---- one root for the whole run ---------------------------------------------------------------

def place_for_root():
    """Memory, where there is enough of it: no test cuts the power, and a disk makes them wait for what kill -9
    does not undo anyway.  (Programs run from the root: it must not be mounted noexec.)"""
    memory = "/dev/shm"
    with contextlib.suppress(OSError, ValueError):
        at = os.statvfs(memory)
        available = int(re.search(r"^MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M)[1])
        available <<= 10
        if (min(at.f_bavail * at.f_frsize, available) >= 6 << 30 and not at.f_flag & ST_NOEXEC
                and os.path.ismount(memory)):
            return memory
    return "/tmp"


def pytest_configure(config):
    """The first process makes the root; the others, its children, find it in the environment."""
    config.addinivalue_line("markers", "takes(seconds, together=NAME): a long test, about so long alone; these "
                            "come first, and those with the same name run in one process")
    if os.environ.get("PGSEAL_TEST_ROOT"):
        return
    place = place_for_root()            # (names as long in both: how texts are folded is looked at)
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgseal-" if place == "/tmp" else "pg-", dir=place))
    root.chmod(0o755)
    pg.give(root)
    config.pgseal_root = os.environ["PGSEAL_TEST_ROOT"] = str(root)


def pytest_unconfigure(config):
    if getattr(config, "pgseal_root", None):
        shutil.rmtree(config.pgseal_root, ignore_errors=True)
        del os.environ["PGSEAL_TEST_ROOT"]


# ---- long tests first --------------------------------------------------------------------------

def dealt(units, hands):
    """Units (seconds, items), the longest first, each to the hand that has least."""
    out = [[0, []] for _ in range(hands)]
    for seconds, items in sorted(units, key=lambda unit: -unit[0]):
        least = min(out, key=lambda hand: hand[0])
        least[0] += seconds
        least[1] += items
    return [items for _, items in out]


def units_of(items):
    """What is marked: each test by itself, or those that belong together."""
    units = {}
    for item in items:
        mark = item.get_closest_marker("takes")
        if mark:
            name = mark.kwargs.get("together", item.nodeid)
            seconds, members = units.get(name, (0, []))
            units[name] = (seconds + mark.args[0], [*members, item])
    return list(units.values())


def pytest_collection_modifyitems(config, items):
    """No worker is to begin a long test when the others have nothing left.  pytest-xdist gives each worker a
    quarter of its share of the list to begin with, one piece behind the other: the long tests are dealt to
    these pieces, and the rest follows in its order."""
    workers = getattr(config, "workerinput", {}).get("workercount", 0)
    if workers < 2:
        return
    hands = dealt(units_of(items), workers)
    long_ones = {item for hand in hands for item in hand}
    rest = iter([item for item in items if item not in long_ones])
    piece = max(len(items) // workers // 4, 2)
    order = []
    for hand in hands:
        order += hand + list(itertools.islice(rest, max(piece - len(hand), 0)))
    items[:] = order + list(rest)


def pytest_terminal_summary(terminalreporter):
    """What tests had to say about how much they covered: record_property("says", ...)."""
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, value in report.user_properties:
            if name == "says" and report.when == "call":
                terminalreporter.write_line(value)


@pytest.fixture(scope="session")
def root():
    return pathlib.Path(os.environ["PGSEAL_TEST_ROOT"])


# ---- servers ----------------------------------------------------------------------------------

@pytest.fixture
def make(root):
    """Makes clusters (make.plain(), make.debian(), ...) that are gone when the test ends."""
    maker = pg.Maker(root)
    yield maker
    maker.remove_all()


@pytest.fixture(scope="module")
def make_shared(root):
    """The same, for clusters that a whole module looks at and does not change."""
    maker = pg.Maker(root)
    yield maker
    maker.remove_all()


@pytest.fixture(params=pg.MAJORS, ids=lambda major: f"pg{major}")
def every_major(request):
    """Each major that pgseal is tested with; skipped, with the reason, where it is not here."""
    if request.param not in pg.SERVERS:
        pytest.skip(pg.why_missing(request.param))
    return request.param


@pytest.fixture
def cluster(make):
    """A running server of Debian's version, or of the oldest one there is."""
    return make.plain(15 if 15 in pg.SERVERS else min(pg.SERVERS))


@pytest.fixture
def database(make):
    """Makes a server for a ledger, and a connection string: a role that may do nothing but own its database."""
    def new(major=15):
        server = make.plain(major)
        server.role("ledger", password="secret")
        server.sql("create database ledger owner ledger")
        return server, server.dsn(user="ledger", password="secret", dbname="ledger")
    return new


@pytest.fixture
def folder(root, request):
    """A private folder of the user who runs the tests; for CAs and client files."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="f-", dir=root))
    yield path
    shutil.rmtree(path, ignore_errors=True)


# ---- the program ------------------------------------------------------------------------------

class Result:
    """What a run of pgseal gave."""

    def __init__(self, argv, done):
        self.argv, self.status = argv, done.returncode
        self.out, self.err = done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{' '.join(self.argv)}\nstatus {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@pytest.fixture(scope="session")
def program(root):
    """The program under test, and killat beside it, copied to where the owner of the servers can use
    them too."""
    source = pathlib.Path(os.environ.get("PGSEAL", SOURCE / "build/pgseal"))
    if not source.exists():
        pytest.fail(f"{source} is not there; run make", pytrace=False)
    target = root / "bin"
    with open(root / "bin.lock", "w") as lock:
        pg.fcntl.flock(lock, pg.fcntl.LOCK_EX)
        if not target.exists():
            part = root / "bin.part"
            part.mkdir(mode=0o755)
            shutil.copy2(source, part)
            for library in ("libkillat.so", "libshift.so", "libloopback.so"):
                shutil.copy2(source.parent / "tests/tools" / library, part)
            part.rename(target)
    return target / source.name


def _runner(program, owner):
    def run(*args, ok=None, timeout=5 * pg.PATIENCE, input=None, env=None):
        """Run pgseal; with ok=True a status other than 0 fails the test, showing everything."""
        argv = [str(program), *(str(a) for a in args)]
        base = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
        who = {}
        if owner and pg.AS_ROOT:
            who = {"user": pg.OWNER.pw_uid, "group": pg.OWNER.pw_gid, "extra_groups": []}
            base["HOME"] = pg.OWNER.pw_dir
        stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        result = Result(argv, subprocess.run(argv, capture_output=True, text=True, cwd="/",
                                             timeout=timeout, env={**base, **(env or {})},
                                             **stdin, **who))
        if ok:
            assert result.status == 0, result
        return result
    return run


@pytest.fixture(scope="session")
def pgseal(program):
    """pgseal("secure", "-D", ...) as the user who runs the tests."""
    return _runner(program, owner=False)


@pytest.fixture(scope="session")
def pgseal_as_owner(program):
    """The same as the owner of the servers."""
    return _runner(program, owner=True)


@pytest.fixture(scope="session", params=["as-root", "as-owner"] if pg.AS_ROOT else ["as-owner"])
def pgseal_both(request, program):
    """Both of them, one after the other, when the tests run as root."""
    return _runner(program, owner=request.param == "as-owner")


# Who is started begins with the size of who starts it (the peak outlives exec), and RUSAGE_CHILDREN is the
# largest of all children so far: hence a small process of its own in between.
MEASURE = """import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss]), file=sys.stderr)"""


@pytest.fixture(scope="session")
def measured(program):
    """measured("scan", ...) is what pgseal says, its exit status, the seconds of CPU it took, and its peak in KB:
    None under a sanitizer, which has memory of its own."""
    shadowed = b"__asan_init" in program.read_bytes()

    def run(*args):
        done = pg.must(subprocess.run(["/usr/bin/python3", "-c", MEASURE, program, *args], capture_output=True,
                                      text=True, timeout=300))
        status, cpu, peak = json.loads(done.stderr)
        return done.stdout, status, cpu, None if shadowed else peak
    return run


@pytest.fixture(scope="session")
def killat(program, pgseal):
    """Run pgseal with killat in it (see tests/tools/killat.c).

    killat(args, under=[...], log=file, at=n, after=1, fail="n:ENOSPC")
    """
    def run(args, under, **settings):
        env = {"LD_PRELOAD": str(program.parent / "libkillat.so"),
               "KILLAT_UNDER": ":".join(str(path) for path in under),
               **{f"KILLAT_{name.upper()}": str(value) for name, value in settings.items()}}
        return pgseal(*args, env=env)
    return run


@pytest.fixture(scope="session")
def shifted(program):
    """Environment in which pgseal believes that it is so many days later (see tests/tools/shift.c)."""
    return lambda days: {"LD_PRELOAD": str(program.parent / "libshift.so"), "SHIFT_DAYS": str(days)}
