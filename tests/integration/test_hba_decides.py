"""The line that we say decides is the one by which the server decides.

Rules from a table of words, questions from another; each question is a connection: a role, a database, an
address of the client (127.0.0.0/8, ::1, the socket), with or without TLS, physical replication or not.
Nearly every rule says `password`; the password that we send is wrong, and the server's log then names
the line that it used, in every version.  `reject` names none, so there only the kind of refusal is compared.

Where we are not certain (host names, interfaces, expressions of PostgreSQL's own), the server's
line must be one that we called possible.  A line that we call dead must never be the server's.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest

import pg

ASK = (pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).resolve().parents[2]
                                   / "build/pgseal")).parent / "tests/tools/hba_ask")

QUESTIONS = int(os.environ.get("PGSEAL_HBA_QUESTIONS", 3000))     # for each major
IN_ONE_FILE = 60
FIRST = "local postgres {user} trust\n"        # the test's own way in; line 1 of every file

TYPES = ["host", "host", "host", "hostssl", "hostssl", "hostnossl", "local", "hostgssenc", "hostnogssenc"]
DATABASES = ["all", "all", "all", "a", "b", "a,b", "sameuser", "samerole", "replication", "all,replication",
             '"all"', "/^a", "/^a$", "/.*", '"/b"', '"replication"', "a,sameuser", "g", "/\\w+", '""',
             "b, samegroup", "@names", "a#comment", '"a"b', "ALL", "x\"y z\"", "LONGNAME", "/^(a|b)$"]
USERS = ["all", "all", "all", "a", "b", "a,b", "+a", "+g", '"+g"', "/^a", "/b$", "/^b$", '""', "a,+g",
         "/\\w", "/.", "g", "@names", "+h", '"a",b', "LONGNAME", "+ghost", "A", "/^[ab]$"]
ADDRESSES = ["all", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "127.0.0.0/8", "127.0.0.0/9",
             "127.128.0.0/9", "127.1.0.0 255.255.0.0", "127.0.0.1 255.0.255.255", "127.0.0.1/32",
             "::1/128", "samehost", "samenet", "localhost", ".example.com", "ALL", '"all"', "10.0.0.0/8",
             "::ffff:127.0.0.0/104", "127.1/16", "127.200.3.4/30", "127.0.0.1 85.85.85.255", "fe80::/10",
             "127.0.0.9/8", "::1 ffff:ffff:ffff:ffff::"]
METHODS = ["password"] * 9 + ["reject"] * 2
LONG = "n" * 63
ROLES = ["a", "b", "g", "h", "ab", "all", "other", "+g", "A", LONG]
MEMBER_OF = {"a": ["g"], "b": ["g", "h"], "ab": ["a"], "g": ["h"]}
DATABASE_NAMES = ["a", "b", "g", "ab", "all", "replication", "other", "xy z", "ab", LONG, "A"]
CLIENTS = ["127.0.0.1"] * 3 + ["127.0.0.9", "127.1.0.5", "127.200.3.5", "127.128.0.1", "127.85.1.1", "::1",
                               "::1", "local", "local"]


def all_roles_of(role):
    """Itself and what it is a member of, at all levels."""
    found, todo = [], [role]
    while todo:
        name = todo.pop()
        if name not in found:
            found.append(name)
            todo += MEMBER_OF.get(name, [])
    return found


class Question:
    """One connection."""

    def __init__(self, dice, major):
        self.role, self.database = dice.choice(ROLES), dice.choice(DATABASE_NAMES)
        self.client = dice.choice(CLIENTS)
        self.tls = self.client != "local" and dice.random() < 0.3
        self.replication = dice.random() < 0.12
        self.sent_role, self.sent_database = self.role, self.database
        if self.role == LONG:               # what is too long is cut before the rules are read
            self.sent_role += dice.choice(["", "n", "nnn"])
        if self.database == LONG:
            self.sent_database += dice.choice(["", "n"])

    def __str__(self):
        words = [f'role="{self.role}"', f'db="{self.database}"', f"from={self.client}",
                 f"tls={'yes' if self.tls else 'no'}", f'member="{",".join(all_roles_of(self.role))}"']
        return " ".join(words + ["replication"] * self.replication)


def rules_text(dice, major):
    """One file; the line of each rule is its own."""
    lines = []
    for _ in range(dice.randint(2, 12)):
        database, user = dice.choice(DATABASES), dice.choice(USERS)
        if database.endswith("#comment"):   # ends the line before it has a method: refused by all
            database = "a"
        kind = dice.choice(TYPES)
        where = "" if kind == "local" else dice.choice(ADDRESSES) + " "
        gap = " \\\n\t" if major >= 14 and dice.random() < 0.1 else " "
        text = f"{kind} {database}{gap}{user} {where}{dice.choice(METHODS)}"
        lines.append(text.replace("LONGNAME", dice.choice([LONG, LONG + "n"])) + dice.choice(["", " # note", "\t"]))
        if dice.random() < 0.15:
            lines.append(dice.choice(["", "# all of them", "   "]))
    return "\n".join(lines) + "\n"


# ---- a client that only wants to be refused -----------------------------------------------------

def exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def message(sock):
    kind, length = struct.unpack("!cI", exactly(sock, 5))
    return kind, exactly(sock, length - 4)


def startup(**params):
    body = b"".join(f"{k}\0{v}\0".encode() for k, v in params.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 196608) + body


TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


def connect(cluster, client):
    if client == "local":
        sock = socket.socket(socket.AF_UNIX)
        target = f"{cluster.sockets}/.s.PGSQL.{cluster.port}"
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in client else socket.AF_INET)
        sock.bind((client, 0))
        target = ("::1" if ":" in client else "127.0.0.1", cluster.port)
    sock.settimeout(pg.PATIENCE)
    sock.connect(target)
    return sock


def ask_server(cluster, question):
    """(mark of the connection in the log, what the server said)"""
    sock = connect(cluster, question.client)
    mark = "" if question.client == "local" else f"{question.client}({sock.getsockname()[1]})"
    with contextlib.closing(sock):
        if question.tls:
            sock.sendall(struct.pack("!II", 8, 80877103))
            assert exactly(sock, 1) == b"S"
            sock = TLS.wrap_socket(sock)
        params = {"user": question.sent_role, "database": question.sent_database}
        if question.replication:
            params["replication"] = "true"
        sock.sendall(startup(**params))
        kind, body = message(sock)
        if kind == b"R":
            assert struct.unpack("!I", body[:4])[0] == 3, body
            sock.sendall(struct.pack("!cI", b"p", 10) + b"wrong\0")
            message(sock)
            sock.close()
            return mark, "password"
        fields = dict((part[:1], part[1:].decode()) for part in body.split(b"\0") if part)
        sock.close()
        assert fields[b"C"] == "28000", fields
        return mark, "reject" if "rejects" in fields[b"M"] else "none"


MATCHED = re.compile(r'Connection matched (?:pg_hba\.conf|file ".*?") line (\d+)')


def lines_in_log(cluster, begin, count):
    """mark -> lines that the server matched, in order: a port may serve twice; waits for `count` of them."""
    until = time.monotonic() + pg.PATIENCE
    while True:
        found, mark = {}, None
        with open(cluster.log_file, errors="replace") as log:
            log.seek(begin)
            for text in log:
                head = re.match(r"^@(?:\[local\]|([0-9a-f.:]+\(\d+\)))@", text)
                if head:
                    mark = head[1] or ""
                line = MATCHED.search(text)
                if line:
                    found.setdefault(mark, []).append(int(line[1]))
        if sum(map(len, found.values())) >= count or time.monotonic() > until:
            return found
        time.sleep(0.01)


class Admin:
    """A session of the administrator, to reload cheaply."""

    def __init__(self, cluster):
        self.sock = connect(cluster, "local")
        self.sock.sendall(startup(user=cluster.user, database="postgres"))
        self.until_ready()

    def until_ready(self):
        rows = []
        while True:
            kind, body = message(self.sock)
            assert kind != b"E", body
            if kind == b"D":
                rows.append(body[6:].decode())
            if kind == b"Z":
                return rows

    def ask(self, query):
        body = query.encode() + b"\0"
        self.sock.sendall(struct.pack("!cI", b"Q", len(body) + 4) + body)
        return self.until_ready()

    def reload(self):
        before = self.ask("select pg_conf_load_time()")
        self.ask("select pg_reload_conf()")
        while self.ask("select pg_conf_load_time()") == before:
            time.sleep(0.001)


@pytest.fixture(params=sorted(pg.SERVERS), ids=lambda major: f"pg{major}")
def server(request, make):
    cluster = make.plain(request.param, start=False, hba=FIRST.format(user=pg.OWNER.pw_name))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", cluster.data / "server.key", "-out", cluster.data / "server.crt",
                    "-subj", "/CN=localhost"], check=True, capture_output=True)
    for name in ("server.key", "server.crt"):
        os.chmod(cluster.data / name, 0o600)
        pg.give(cluster.data / name)
    cluster.write(cluster.data / "names", "a\n# none\nb other\n")
    cluster.set(ssl="on", listen_addresses="127.0.0.1,::1", log_line_prefix="@%r@", max_connections=100,
                max_wal_senders=40)
    cluster.start()
    admin = Admin(cluster)
    for role in ROLES:
        admin.ask(f'create role "{role}" login' + (" replication" if role in "ab" else ""))
    for member, groups in MEMBER_OF.items():
        for group in groups:
            admin.ask(f'grant "{group}" to "{member}"')
    cluster.admin_session = admin
    return cluster


def our_answers(cluster, questions):
    done = subprocess.run([ASK, str(cluster.major), str(cluster.hba)], capture_output=True, text=True,
                          input="".join(f"{question}\n" for question in questions))
    assert done.returncode == 0, f"{done.stderr}\n{cluster.hba.read_text()}"
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    return rows[:-len(questions)], rows[-len(questions):]


def disagreement(question, ours, said, line, dead):
    """What is wrong, or None."""
    if said == "password":
        if line is None:
            return "the server's log names no line"
        if line in dead:
            return f"the server decides by line {line}, which we call {dead[line]}"
        if ours["sure"] and ours["line"] != line:
            return f"the server decides by line {line}, we by {ours['line']}"
        if not ours["sure"] and line not in ours["perhaps"] + [ours["line"]]:
            return f"the server decides by line {line}, we by {ours['line']} or {ours['perhaps']}"
    elif ours["sure"] and ours["method"] != {"reject": "reject", "none": ""}[said]:
        return f"the server says {said}, we line {ours['line']} {ours['method']}"
    return None


def round_of(cluster, dice, pool):
    """One file and its questions: (disagreements, certain ones, dead lines)"""
    cluster.write_hba(FIRST.format(user=cluster.user) + rules_text(dice, cluster.major))
    questions = [Question(dice, cluster.major) for _ in range(IN_ONE_FILE)]
    states, ours = our_answers(cluster, questions)
    dead = {row["line"]: row["state"] for row in states if row["state"] in ("covered", "never")}
    begin = cluster.log_file.stat().st_size
    cluster.admin_session.reload()
    by_net = {q: pool.submit(ask_server, cluster, q) for q in questions if q.client != "local"}
    said = {q: ask_server(cluster, q) for q in questions if q.client == "local"}   # in the order of the log
    said.update((q, future.result()) for q, future in by_net.items())
    lines = lines_in_log(cluster, begin, sum(word == "password" for _, word in said.values()))
    wrong = []
    for question, answer in zip(questions, ours):
        mark, word = said[question]
        line = lines[mark].pop(0) if word == "password" and lines.get(mark) else None
        what = disagreement(question, answer, word, line, dead)
        if what:
            wrong.append(f"{question}\n  {what}\n{cluster.hba.read_text()}")
    return wrong, sum(answer["sure"] for answer in ours), len(dead)


@pytest.mark.takes(20)
def test_the_server_decides_by_the_line_that_we_say(server, record_property):
    dice = random.Random(server.major * 1000 + int(os.environ.get("PGSEAL_HBA_SEED", 1)))
    rounds, sure, dead, wrong, begin = 0, 0, 0, [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        while rounds * IN_ONE_FILE < QUESTIONS and len(wrong) < 5:
            found = round_of(server, dice, pool)
            wrong += found[0]
            sure, dead, rounds = sure + found[1], dead + found[2], rounds + 1
    assert "was not reloaded" not in server.log(), server.log()[-2000:]
    asked = rounds * IN_ONE_FILE
    record_property("says", f"PostgreSQL {server.major}: {asked} questions to {rounds} files in "
                    f"{time.monotonic() - begin:.1f} s, {sure} answered with certainty, {dead} dead lines, "
                    f"{len(wrong)} disagreements")
    assert not wrong, "\n".join(wrong)
    assert sure > asked / 2
