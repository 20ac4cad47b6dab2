"""pgseal scan is polite, patient and hard to hold up: limits, tries again, hostile peers, black holes; and what it
writes for spreadsheets, Prometheus and the terminal."""
import contextlib
import csv
import io
import json
import os
import pty
import re
import select
import socket
import struct
import subprocess
import threading
import time

import pytest

import fleet
import pg
from test_scan import at, certificate, finished, ids, peer, scan, tls_server, unseen

S_REQUEST = b"\x04\xd2\x16\x2f"


class Counter:
    """A peer that counts: how many connections at once, how long each was held, how many in all."""

    def __init__(self, talk):
        self.talk, self.lock = talk, threading.Lock()
        self.now = self.most = self.all = 0
        self.held = []

    def __call__(self, link):
        with self.lock:
            self.now, self.all = self.now + 1, self.all + 1
            self.most = max(self.most, self.now)
        began = time.monotonic()
        try:
            with contextlib.suppress(OSError):
                self.talk(link)
            with contextlib.suppress(OSError):      # until it goes away
                link.settimeout(20)
                while link.recv(65536):
                    pass
        finally:
            with self.lock:
                self.now -= 1
                self.held.append(time.monotonic() - began)

    def wait_for_all(self, number):
        """Until so many came and went: on a busy machine a listener is behind."""
        until = time.monotonic() + pg.PATIENCE
        while len(self.held) < number and time.monotonic() < until:
            time.sleep(0.01)


def plain_postgres(link):
    """No TLS, and pg_hba.conf keeps everybody out."""
    if link.recv(8)[4:] == S_REQUEST:
        link.sendall(b"N")
        if not link.recv(1000):
            return
    fields = b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host\0Fauth.c\0L100\0RClientAuthentication\0\0"
    link.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)


def stuck_in_tls(link):
    if link.recv(8)[4:] == S_REQUEST:
        link.sendall(b"S")


# ---- manners ----------------------------------------------------------------------------------

def test_one_server_has_at_most_four_connections_and_none_stays_half_open(pgseal):
    counter = Counter(stuck_in_tls)
    with peer(counter) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers", "--timeout", "300"])
        counter.wait_for_all(seen["connections"])
    assert 1 < counter.most <= 4
    assert counter.all == seen["connections"] <= 12         # who stays silent is not asked for long
    assert max(counter.held) < 3, counter.held              # 0.3 s, and what a busy machine adds
    assert seen["took_ms"] < 15000


def test_the_stated_number_of_connections_is_kept(pgseal, make, folder):
    cluster = tls_server(make, folder)
    for most in (1, 3, 7):
        _, (seen,) = scan(pgseal, at(cluster), args=["--max-connections", most])
        assert seen["connections"] == most and "cipher-weak" in unseen(seen)


def test_a_rate_spreads_the_connections(pgseal):
    times = []
    with peer(lambda link: (times.append(time.monotonic()), link.recv(8), link.sendall(b"N"))) as target:
        began = time.monotonic()
        scan(pgseal, target, args=["--rate", "10"])
    assert len(times) >= 4
    # a gate that lets them through at even distances: none earlier than its place in the line
    assert all(moment - began > 0.1 * i - 0.01 for i, moment in enumerate(sorted(times))), (began, times)


def test_a_network_is_asked_at_few_servers_at_once_by_address_or_name(pgseal):
    asked, ports, three = [], set(), threading.Event()          # (port, from when, until when)

    def talk(link):
        came = time.monotonic()
        time.sleep(0.05)
        asked.append((link.getsockname()[1], came, time.monotonic()))       # what follows the answer is later
        plain_postgres(link)

    def together(link):
        ports.add(link.getsockname()[1])
        if len(ports) > 2:
            three.set()
        three.wait(2)
        talk(link)

    def at_once():
        """How many are owing an answer, as each of them is asked.  Who is waited for half a second gives its
        place to others; who owes it long is left out for that."""
        return [len({port for port, since, until in asked if since <= came < until and came < since + 0.3})
                for _, came, _ in asked]

    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(peer(talk)) for _ in range(8)]
        named = [target.replace("127.0.0.1", "localhost") for target in targets[4:]]
        _, seen = scan(pgseal, *targets[:4], *named, args=["--per-network", "2"])
        # on a busy machine a listener may be so much behind that others are asked meanwhile
        assert max(at_once()) >= 2 and sum(servers > 2 for servers in at_once()) <= len(asked) // 10
        assert {one["reach"] for one in seen} == {"postgres"}
        asked.clear()
        scan(pgseal, *[stack.enter_context(peer(together)) for _ in range(8)], args=["--per-network", "0"])
        assert max(at_once()) > 2


# ---- patience ---------------------------------------------------------------------------------

def reset(link):
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_who_resets_the_connection_is_tried_again(pgseal, retries):
    tried = []

    def talk(link):
        tried.append(1)
        if len(tried) <= 2:
            reset(link)
        else:
            plain_postgres(link)

    with peer(talk) as target:
        _, (seen,) = scan(pgseal, target, args=["--retries", retries])
    # the reset may come before we know that there was a connection
    assert seen["reach"] in (("postgres",) if retries == 2 else ("closed", "no_connection"))
    assert retries == 2 or len(tried) == retries + 1


def knocking(port):
    """Local ports of those whose first packet to this port of loopback was not answered (tcp(7): SYN_SENT)."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return {row[1] for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "02"}


@contextlib.contextmanager
def full_queue():
    """A listener whose queue is full: the next connection is neither taken nor refused.  Gives it, and those before."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while not knocking(listener.getsockname()[1]):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener, knocking(listener.getsockname()[1])


def take_all(listener):
    """From now on a server; those who filled the queue say nothing, and nobody waits for them."""
    def talk(link):
        with link, contextlib.suppress(OSError):
            plain_postgres(link)

    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=talk, args=listener.accept()[:1], daemon=True).start()


@pytest.mark.parametrize("retries", [0, 2])
def test_who_does_not_take_a_connection_in_time_is_tried_again(program, retries):
    """The queue is full until a second try has begun; without one it stays full."""
    with full_queue() as (listener, before):
        port = listener.getsockname()[1]
        child = subprocess.Popen([program, "scan", "--format", "json", "--timeout", "1000", "--retries", str(retries),
                                  f"127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
        tries = set()
        while child.poll() is None and len(tries) < 2:
            tries |= knocking(port) - before
            time.sleep(0.005)
        assert len(tries) == (2 if retries else 1)
        if retries:
            threading.Thread(target=take_all, args=(listener,), daemon=True).start()
        out, _ = child.communicate(timeout=60)
    seen, = json.loads(out)["targets"]
    assert seen["reach"] == ("postgres" if retries else "silent"), seen["reach"]
    # of the tries that nobody answered each counts
    assert seen["connections"] >= 2 if retries else seen["connections"] == 1


def test_an_answer_is_not_asked_for_twice(pgseal):
    tried = []
    with peer(lambda link: (tried.append(1), link.recv(8), link.sendall(b"HTTP/1.1 400\r\n"))) as target:
        scan(pgseal, target, args=["--retries", "3"])
        assert len(tried) == 1
    _, (refused,) = scan(pgseal, "127.0.0.1:1", args=["--retries", "3"])
    assert refused["reach"] == "no_connection" and refused["connections"] == 1


# ---- hostile ----------------------------------------------------------------------------------

def record(kind, content):
    return b"\x16\x03\x03" + struct.pack("!H", len(content) + 4) + bytes([kind]) + struct.pack("!I", len(content))[1:] \
        + content


HELLO = record(2, b"\x03\x03" + b"r" * 32 + b"\x00" + b"\xc0\x2f" + b"\x00" + b"\x00\x00")


def after_s(link, *parts):
    if link.recv(8)[4:] != S_REQUEST:
        return
    link.sendall(b"S")
    link.recv(4096)
    for part in parts:
        link.sendall(part)


def forever(link, part, pause=0.0):
    while True:
        link.sendall(part)
        time.sleep(pause)


def huge_certificates(link):
    one = b"\x30\x82\x3f\xfc" + b"\x00" * 16380
    after_s(link, HELLO)
    forever(link, b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff\xff\xff\xfc" + one[:16377])


HOSTILE = {
    "16 MB of S": lambda link: [link.sendall(b"S" * 65536) for _ in range(256)],
    "16 MB of N": lambda link: [link.sendall(b"N" * 65536) for _ in range(256)],
    "notices without end": lambda link: (link.recv(100), link.sendall(b"N"),
                                         forever(link, b"N\x00\x00\x00\x05\x00" * 1000)),
    "huge certificates": huge_certificates,
    "handshake messages without end": lambda link: (after_s(link, HELLO), forever(link, record(4, b"\x00" * 100))),
    "empty records without end": lambda link: (after_s(link), forever(link, b"\x16\x03\x03\x00\x00" * 1000)),
    "warnings without end": lambda link: (after_s(link), forever(link, b"\x15\x03\x03\x00\x02\x01\x5a" * 1000)),
    "hello again and again": lambda link: (after_s(link), forever(link, HELLO)),
    "a length of 2 GB": lambda link: (link.recv(100), link.sendall(b"N"), link.recv(100),
                                      link.sendall(b"R\x7f\xff\xff\xff"), forever(link, b"x" * 65536)),
    "a negative length": lambda link: (link.recv(100), link.sendall(b"N"), link.recv(100),
                                       link.sendall(b"R\xff\xff\xff\xff" + b"x" * 1000)),
    "a byte a second": lambda link: (after_s(link), [(link.sendall(bytes([byte])), time.sleep(1)) for byte in HELLO]),
    "s, then n": lambda link: link.sendall(b"S" if link.recv(8)[4:] == S_REQUEST else b"N"),
}


def test_hostile_servers_cost_bounded_time_and_memory(measured, record_property):
    """All of them at once, beside each other: what a single one may take, they take together."""
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(peer(talk)) for talk in HOSTILE.values()]
        began = time.monotonic()
        said, _, cpu, peak = measured("scan", "--format", "json", "--all-ciphers", "--timeout", "500", *targets)
    seen = {f"{one['host']}:{one['port']}": one for one in json.loads(said)["targets"]}
    record_property("says", f"{len(HOSTILE)} hostile servers: {time.monotonic() - began:.1f} s, {cpu:.1f} s of CPU, "
                            f"at most {(peak or 0) >> 10} MB")
    for name, target in zip(HOSTILE, targets):
        one = seen[target]
        assert one["took_ms"] < 30000, (name, one["took_ms"])
        assert one["connections"] <= 40, (name, one["connections"])
        assert one["plaintext"] in ("no", "unknown") and one["grade"] in ("not_graded", "F"), (name, one["grade"])
        assert "certificate" not in one or not one["certificate"], name
    assert peak is None or peak < 100 << 10, peak


def test_a_tarpit_delays_nobody(pgseal, folder):
    """One place for three that hold it, and then for somebody else: as he is asked, none of them has ended."""
    lines, before = folder / "lines", []

    def talk(link):
        before.append(len(finished(lines)))
        plain_postgres(link)

    with contextlib.ExitStack() as stack:
        stuck = Counter(stuck_in_tls)
        targets = [stack.enter_context(peer(one)) for one in (stuck, stuck, stuck, talk)]
        _, seen = scan(pgseal, *targets, args=["--concurrency", "1", "--timeout", "2000", "--lines", lines])
    assert before[0] < 3, "it waited for them"
    assert [one["reach"] for one in seen] == ["postgres"] * 4
    assert all(one["plaintext"] == "unknown" for one in seen[:3])


# ---- options ----------------------------------------------------------------------------------

def test_networks_lists_and_ports_are_targets(pgseal):
    def planned(*args, **kwargs):
        done = pgseal("scan", "--dry-run", "--format", "json", *args, **kwargs)
        assert done.status == 0, done
        return [(one["host"], one["port"]) for one in done.json["targets"]]

    assert planned("10.9.8.0/30", "--port", "5432,6432") == [
        ("10.9.8.1", 5432), ("10.9.8.1", 6432), ("10.9.8.2", 5432), ("10.9.8.2", 6432)]
    assert planned("2001:db8::/127", "[2001:db8::5]:6000") == [
        ("2001:db8::", 5432), ("2001:db8::1", 5432), ("2001:db8::5", 6000)]
    assert planned("--input", "-", input="# mine\n db1.example.net:6000 # old\n\ndb2\ndb1.example.net:6000\n") == [
        ("db1.example.net", 6000), ("db2", 5432)]
    wrong = pgseal("scan", "--input", "-", input="db1\ndb1:5432:postgres:app:Geheim\n")
    assert wrong.status == 2 and "line 2" in wrong.err and "Geheim" not in wrong.err


def test_a_dry_run_says_what_will_be_done(pgseal):
    done = pgseal("scan", "--dry-run", "--format", "json", "10.9.8.0/29", "--retries", "2", "--rate", "7",
                  "--concurrency", "3", "--per-network", "2", "--timeout", "900", "--max-connections", "9")
    plan = done.json
    assert (plan["servers"], plan["retries"], plan["rate"], plan["concurrency"], plan["per_network"],
            plan["timeout_ms"], plan["connections_max"]) == (6, 2, 7, 3, 2, 900, 9)
    assert "No password is sent" in pgseal("scan", "--dry-run", "db1").out
    assert "No login is begun" in pgseal("scan", "--dry-run", "--certificate-only", "db1").out


def test_ipv6_and_names_with_several_addresses(pgseal, folder):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback: {error}")
    with listener:
        port = listener.getsockname()[1]
        threading.Thread(target=answer_n, args=(listener,), daemon=True).start()
        _, (six,) = scan(pgseal, f"[::1]:{port}")
        assert six["reach"] == "postgres" and six["address"] == "::1"


def answer_n(listener):
    with contextlib.suppress(OSError):
        while True:
            link, _ = listener.accept()
            with link:
                plain_postgres(link)


def test_the_roots_of_the_system_are_taken(pgseal, make, folder):
    cluster = tls_server(make, folder)
    _, (alone,) = scan(pgseal, at(cluster))
    assert "cert-untrusted" in unseen(alone)                # nobody said whom to trust
    run = pgseal("scan", "--format", "json", "--trust", "system", at(cluster),
                 env={"SSL_CERT_FILE": str(folder / "server.crt")})
    assert "cert-untrusted" not in ids(run.json["targets"][0]) | unseen(run.json["targets"][0])
    certificate(folder, "other", "another root")
    run = pgseal("scan", "--format", "json", "--trust", "system", at(cluster),
                 env={"SSL_CERT_FILE": str(folder / "other.crt")})
    assert "cert-untrusted" in ids(run.json["targets"][0])


# ---- outputs ----------------------------------------------------------------------------------

def test_a_certificate_runs_no_formula_in_a_spreadsheet(pgseal, make, folder):
    cluster = tls_server(make, folder, files=certificate(folder, "sums", "a;=1"))
    text = pgseal("scan", "--format", "csv", at(cluster)).out
    row, = csv.DictReader(io.StringIO(text))
    assert not [cell for cell in row.values() if cell and cell[0] in "=+-@"]
    # where a semicolon separates, the cell is still one
    assert r'"CN=a\;=1"' in text


def samples(text):
    """A strict reader of Prometheus' text format (0.0.4): name -> [(labels, value)], and what each is for."""
    found, kinds, current, helped = {}, {}, None, set()
    assert text.endswith("\n") and "\r" not in text
    for line in text.splitlines():
        if about := re.fullmatch(r"# HELP ([a-z_]+) (\S.*)", line):
            assert about[1] not in helped, "each metric stands in one place"
            helped.add(about[1])
            current = about[1]
        elif kind := re.fullmatch(r"# TYPE ([a-z_]+) (gauge|counter)", line):
            assert kind[1] == current and kind[1] not in kinds
            kinds[kind[1]] = kind[2]
        else:
            sample = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,(?!\})|(?=\})))*)\})? '
                                  r"(-?\d+(?:\.\d+)?)", line)
            assert sample and sample[1] == current, line
            labels = tuple(re.findall(r'([a-z_]+)="([^"]*)"', sample[2] or ""))
            assert labels not in [one for one, _ in found.get(current, [])], f"twice: {line}"
            found.setdefault(current, []).append((labels, float(sample[3])))
    assert helped == kinds.keys()
    return found


def test_metrics_are_what_prometheus_and_its_linter_take(pgseal, make, folder):
    cluster = tls_server(make, folder)
    text = pgseal("scan", at(cluster), "127.0.0.1:1", "--format", "prometheus").out
    found = samples(text)
    where = (("host", "127.0.0.1"), ("port", str(cluster.port)))
    assert dict(found["pgseal_scan_reached"]) == {where: 1, (("host", "127.0.0.1"), ("port", "1")): 0}
    end = dict(found["pgseal_scan_certificate_not_after_timestamp_seconds"])[where]
    assert 290 < (end - time.time()) / 86400 < 301
    versions = {labels[2][1]: value for labels, value in found["pgseal_scan_tls_version"]}
    assert versions["TLSv1.3"] == versions["TLSv1.2"] == 1 and versions["TLSv1"] == 0
    assert abs(found["pgseal_scan_end_timestamp_seconds"][0][1] - time.time()) < 60
    assert 0 < dict(found["pgseal_scan_duration_seconds"])[where] < 60
    with contextlib.suppress(FileNotFoundError):
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert lint.returncode == 0 and not lint.stdout + lint.stderr, lint


def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not(program, pgseal):
    ours, theirs = pty.openpty()
    child = subprocess.Popen([program, "scan", "--rate", "50", *[f"127.0.0.1:{port}" for port in range(1, 30)]],
                             stdout=subprocess.DEVNULL, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):              # the end of a terminal is an error
        while select.select([ours], [], [], 30)[0] and (part := os.read(ours, 4096)):
            said += part
    child.wait(30)
    os.close(ours)
    assert b"[1/29]" in said and b"[29/29]" in said
    assert said.endswith(b"\r\x1b[K"), "the line is gone at the end"
    assert pgseal("scan", "127.0.0.1:1", "127.0.0.1:2").err == ""


# ---- black holes ------------------------------------------------------------------------------

WHY_NOT = fleet.why_not()


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_ten_black_holes_in_a_hundred_add_at_most_one_time_out(program, folder, record_property):
    net, lines, before = fleet.Net(), folder / "lines", []

    def talk(link):
        before.append(len(finished(lines)))
        plain_postgres(link)

    try:
        good = net.address(10)
        net.listen(good, talk=talk)
        there = [f"{good}:5432"] + [f"10.20.30.2:{port}" for port in range(6000, 6090)]
        holes = [net.black_hole(200 + i) for i in range(10)]

        def run(*targets):
            began = time.monotonic()
            done = subprocess.run([*net.looking(program), "scan", "--format", "json", "--concurrency", "8", "--timeout",
                                   "3000", "--lines", lines, *targets], capture_output=True, text=True, timeout=120)
            return time.monotonic() - began, {one["host"]: one["reach"] for one in json.loads(done.stdout)["targets"]}

        for _ in range(3):          # a busy machine may come late, not always
            lines.unlink(missing_ok=True)
            without, _ = run(*there)
            lines.unlink()
            before.clear()
            with_holes, reached = run(*holes, *there)
            if with_holes - without < 5.5 and before[0] < 3:
                break
    finally:
        net.remove()
    record_property("says", f"90 targets: {without:.2f} s, with 10 black holes {with_holes:.2f} s (time-out 3 s)")
    assert {reached[hole] for hole in holes} == {"silent"} and reached[good] == "postgres"
    # were eight of them in the eight places, two more would be asked before him
    assert before[0] < 3, "somebody else was asked when holes had been given up"
    # One time-out, and what a busy machine adds; one after the other they would take two.
    assert with_holes - without < 5.5
