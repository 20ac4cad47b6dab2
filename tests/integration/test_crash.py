"""A crash at any point of secure or rollback: the server starts, the administrator gets in, and
rollback gives the bytes from before.

killat counts every call that changes something on disk, and every signal.  Each test runs once to
count, then once for each call, on a few servers at the same time, and says how many steps it covered.
"""
import concurrent.futures
import contextlib
import hashlib
import os
import queue
import re
import shutil
import signal
import urllib.parse

import pytest

import pg

SECURE_STATES = {"none", "prepared", "applied", "reloaded", "verified"}
ROLLBACK_STATES = {"verified", "undoing", "undone"}
WORKERS = os.cpu_count()


class Bench:
    """A server with its CA, and the bytes it began with."""

    def __init__(self, server, folder, number):
        self.server = server
        self.server.role("app", password="secret")
        self.server.role("web", password="secret")
        self.ca = folder / f"ca-{number}"
        self.kits = folder / f"kits-{number}"
        self.log = folder / f"calls-{number}"
        self.state = self.server.data.with_name("data.pgseal")
        self.before = self.server.files()
        self.sound = False          # everything was found as before, and nothing was done since

    @property
    def secure(self):
        return ["secure", "-D", self.server.data, "--ca", self.ca, "--host", "localhost", "--host",
                "127.0.0.1", "--policy", "encrypt", "--policy", "app=cert", "--client", "app",
                "--client-dir", self.kits, "--no-proof", "--yes"]

    @property
    def rollback(self):
        return ["rollback", "-D", self.server.data]

    @property
    def under(self):
        return [self.server.data, self.state, self.kits]

    def journal(self):
        """The state of the newest transaction, and the digests that each changed file may have."""
        found = sorted(self.state.glob("txn-*/journal"))
        if not found:
            return "none", {}
        text = found[-1].read_text()
        changes = re.findall(r"^change (\S+) (\S+) (\S+)$", text, re.M)
        return (re.search(r"^state (\S+)$", text, re.M)[1],
                {urllib.parse.unquote(path): (old, new) for old, new, path in changes})

    def calls(self):
        return [line.split("\t") for line in self.log.read_text().splitlines()]

    # -- what must hold

    def torn(self):
        """Files that are neither what they were nor what they were to become."""
        wrong = []
        _, changes = self.journal()
        for path in sorted(set(self.before) | set(changes)):
            old, new = changes.get(path, (None, None))
            if path in self.before:
                old = hashlib.sha256(self.before[path]).hexdigest()
            now = "-"
            with contextlib.suppress(FileNotFoundError):
                now = hashlib.sha256(open(path, "rb").read()).hexdigest()
            if now not in (old, new):
                wrong.append(f"{path} is neither old nor new")
        return wrong

    def unreachable(self):
        """Who should get in, and does not."""
        wrong = []
        admin = self.server.admin("select 1")
        if admin.returncode != 0:
            wrong.append(f"the administrator is locked out: {admin.stderr}")
        web = self.server.psql(self.server.dsn(user="web", password="secret"))
        if web.returncode != 0:
            wrong.append(f"web is locked out: {web.stderr}")
        return wrong

    def not_as_before(self):
        wrong = []
        now = self.server.files()
        for path in sorted(set(self.before) | set(now)):
            if self.before.get(path) != now.get(path):
                wrong.append(f"{path} is not as before")
        if self.server.pid and self.server.sql("show ssl") != "off":
            wrong.append("ssl is on")
        wrong += self.unreachable()
        self.sound = not wrong
        return wrong

    def restart(self):
        try:
            self.server.restart()
        except AssertionError as error:
            return [f"the server does not start: {error}"]
        return []

    def reset(self):
        """Back to the beginning for the next step, also when this one went wrong."""
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.kits, ignore_errors=True)
        if (not self.sound and self.not_as_before()) or not self.server.pid:
            for path in set(self.server.files()) - set(self.before):
                os.unlink(path)
            for path, content in self.before.items():
                self.server.write(pg.pathlib.Path(path), content)
            self.server.restart()
        self.log.unlink(missing_ok=True)


@pytest.fixture
def benches(make, folder, pgseal):
    """As many as there are cores, each with a CA made once."""
    all_of_them = [Bench(make.plain(), folder, number) for number in range(WORKERS)]
    for bench in all_of_them:
        pgseal(*bench.secure, ok=True)
        pgseal(*bench.rollback, ok=True)
        bench.reset()
    return all_of_them


def spread(benches, steps, run):
    """run(bench, step) for every step, a bench doing one at a time; everything that went wrong."""
    free = queue.SimpleQueue()
    for bench in benches:
        free.put(bench)

    def one(step):
        bench = free.get()
        bench.sound = False
        try:
            return [f"{step}: {what}" for what in run(bench, step)]
        finally:
            bench.reset()
            free.put(bench)

    with concurrent.futures.ThreadPoolExecutor(len(benches)) as pool:
        return [what for wrong in pool.map(one, steps) for what in wrong]


@pytest.mark.takes(40)
def test_killed_at_every_step_of_secure(benches, killat, pgseal, record_property):
    """Before each call the server goes down too, as in a power cut; after each it goes on."""
    assert killat(benches[0].secure, benches[0].under, log=benches[0].log).status == 0
    calls = benches[0].calls()
    states = {}

    def run(bench, step):
        n, call, after = step
        died = killat(bench.secure, bench.under, at=n, after=after)
        if died.status != -signal.SIGKILL:
            return [f"was not killed: {died}"]
        state, _ = bench.journal()
        states[state] = states.get(state, 0) + 1
        wrong = bench.torn()
        if not after:
            wrong += bench.restart()
        wrong += bench.unreachable()
        back = pgseal(*bench.rollback)
        if back.status != 0 and state != "none":
            wrong.append(f"rollback: {back}")
        wrong += bench.not_as_before()
        return [f"journal {state}: {what}" for what in wrong]

    pgseal(*benches[0].rollback, ok=True)
    benches[0].reset()
    steps = [(int(n), call, after) for n, call, *_ in calls for after in (0, 1)]
    wrong = spread(benches, steps, run)
    record_property("says", f"secure killed {len(steps)} times, before and after each of {len(calls)} calls; "
           f"journal states {states}")
    assert not wrong, "\n".join(wrong)
    assert set(states) >= SECURE_STATES


@pytest.mark.takes(20)
def test_killed_at_every_step_of_rollback(benches, killat, pgseal, record_property):
    """A second rollback finishes what the first one began."""
    pgseal(*benches[0].secure, ok=True)
    assert killat(benches[0].rollback, benches[0].under, log=benches[0].log).status == 0
    calls = benches[0].calls()
    states = {}

    def run(bench, step):
        n, call, after = step
        pgseal(*bench.secure, ok=True)
        died = killat(bench.rollback, bench.under, at=n, after=after)
        if died.status != -signal.SIGKILL:
            return [f"was not killed: {died}"]
        state, _ = bench.journal()
        states[state] = states.get(state, 0) + 1
        wrong = bench.torn()
        if not after:
            wrong += bench.restart()
        wrong += bench.unreachable()
        back = pgseal(*bench.rollback)
        if back.status != 0 and state != "undone":
            wrong.append(f"rollback: {back}")
        wrong += bench.not_as_before()
        return [f"journal {state}: {what}" for what in wrong]

    benches[0].reset()
    steps = [(int(n), call, after) for n, call, *_ in calls for after in (0, 1)]
    wrong = spread(benches, steps, run)
    record_property("says", f"rollback killed {len(steps)} times, before and after each of {len(calls)} calls; "
           f"journal states {states}")
    assert not wrong, "\n".join(wrong)
    assert set(states) >= ROLLBACK_STATES


def whole(bench, done, ok):
    """What is wrong after a run that met a fault: it must be refused, taken back, or be done."""
    state, _ = bench.journal()
    if state == "verified" and (done.status == 0 or "the server is secured" in done.err):
        return bench.torn() + bench.unreachable()   # it did without, or only a client's files are missing
    if done.status in ok:
        return bench.not_as_before()
    return [f"journal {state}: {done}"]


@pytest.mark.takes(25)
@pytest.mark.parametrize("fault", ["ENOSPC", "EACCES"])
def test_a_call_that_fails_is_refused_or_taken_back(benches, killat, pgseal, record_property, fault):
    """Every call in turn fails once: exit status 3 or 5, and the bytes as before."""
    assert killat(benches[0].secure, benches[0].under, log=benches[0].log).status == 0
    calls = benches[0].calls()
    seen = {}

    def run(bench, step):
        n, _ = step
        done = killat(bench.secure, bench.under, log=bench.log, fail=f"{n}:{fault}")
        if not any(line[-1] == "failed" for line in bench.calls()):
            return []               # a call that cannot fail so
        seen[done.status] = seen.get(done.status, 0) + 1
        return whole(bench, done, ok=(3, 5))

    pgseal(*benches[0].rollback, ok=True)
    benches[0].reset()
    wrong = spread(benches, [(int(n), call) for n, call, *_ in calls], run)
    record_property("says", f"{fault} at {sum(seen.values())} of {len(calls)} calls of secure; "
                    f"exit statuses {seen}")
    assert not wrong, "\n".join(wrong)
    assert seen.get(3, 0) > 0 and seen.get(5, 0) > 0


@pytest.mark.takes(15)
@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS"])
def test_a_disk_that_stays_full_locks_nobody_out(benches, killat, pgseal, record_property, fault):
    """From one call on nothing can be written any more, the way back included: the server runs and
    would start, and when there is room again rollback gives the bytes from before."""
    assert killat(benches[0].secure, benches[0].under, log=benches[0].log).status == 0
    calls = benches[0].calls()
    seen = {}

    def run(bench, step):
        n, _ = step
        done = killat(bench.secure, bench.under, fail=f"{n}+:{fault}")
        seen[done.status] = seen.get(done.status, 0) + 1
        wrong = whole(bench, done, ok=(3, 5)) if done.status != 4 else (
            bench.torn() + bench.restart() + bench.unreachable())
        if done.status == 4 and "pgseal rollback" not in done.err:
            wrong.append(f"does not say what to do: {done}")
        back = pgseal(*bench.rollback)
        if back.status != 0 and bench.journal()[0] != "none":
            wrong.append(f"rollback: {back}")
        return wrong + bench.not_as_before()

    pgseal(*benches[0].rollback, ok=True)
    benches[0].reset()
    wrong = spread(benches, [(int(n), call) for n, call, *_ in calls[::2]], run)
    record_property("says", f"{fault} from each of {len(calls[::2])} calls of secure on; "
                    f"exit statuses {seen}")
    assert not wrong, "\n".join(wrong)


def test_no_private_key_is_ever_open_to_others(benches, killat, folder):
    """Watched from the first call on: keys are made 0600 and stay so, outside the data directory."""
    bench = benches[0]
    fresh = folder / "fresh-ca"
    command = [fresh if part == bench.ca else part for part in bench.secure]
    assert killat(command, [folder, bench.server.dir], log=bench.log).status == 0

    keys = {path for tree in (folder, bench.server.dir) for path in tree.rglob("*")
            if path.is_file() and b"PRIVATE KEY" in path.read_bytes()}
    assert len(keys) >= 4, "root, intermediate, server and client have a key each"
    for key in keys:
        assert key.stat().st_mode & 0o077 == 0, key
        assert bench.server.data not in key.parents, key

    # Every name a key ever had: those found, and those that were renamed to them.
    names = {str(key) for key in keys}
    calls = bench.calls()
    for _, call, path, *more in reversed(calls):
        if call.startswith("rename") and more[0] in names:
            names.add(path)
    opened = [line for line in calls if line[2] in names and len(line) > 3
              and re.fullmatch("[0-7]{4}", line[3])]
    assert opened
    for _, call, path, mode in opened:
        assert int(mode, 8) & 0o077 == 0, f"{call}({path}, {mode})"
