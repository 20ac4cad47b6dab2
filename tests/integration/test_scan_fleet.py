"""pgseal scan of a mixed fleet on a network of its own: who is good, who is not and why, who is not there, and
who is something else; and what a second run says after one of them got worse."""
import csv
import html.parser
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest

import fleet
import pg
import pki

WHY_NOT = fleet.why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

ANY = "0.0.0.0/0"
TLS_HBA = (f"local all all trust\nhostssl all all {ANY} scram-sha-256\nhostssl all all ::0/0 scram-sha-256\n"
           f"hostssl replication all {ANY} scram-sha-256\nhostssl replication all ::0/0 scram-sha-256\n")
OPEN_HBA = f"local all all trust\nhost all all {ANY} scram-sha-256\n"


# ---- who lives there --------------------------------------------------------------------------

def drop(link):
    """MySQL 5.7: who comes is greeted at once, and this greeting of 78 bytes begins with an N."""
    version = b"5.7.42-log"
    link.sendall(b"\x4e\x00\x00\x00\x0a" + version + b"\x00" + bytes(78 - len(version) - 2))
    link.recv(100)


EXPIRED = {"start": -400, "end": -3}
OTHERS = {
    "web": lambda link: (link.recv(100), link.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n")),
    "ssh": lambda link: (link.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), link.recv(100)),
    "mysql": drop,
    "memcached": lambda link: (link.recv(100), link.sendall(b"ERROR\r\n")),
    "dead-balancer": lambda link: None,
}


class Fleet:
    """Everything, once for all tests of this file; each server is found by its name."""

    def __init__(self, make, program, folder):
        self.net = fleet.Net()
        self.make, self.folder = make, folder
        self.looking = self.net.looking(program)
        self.numbers = iter(range(10, 200))
        self.clusters, self.targets = {}, {}
        self.pki = pki.Pki(folder)
        self.root = self.pki.cert("/CN=Company Root", ca=True, end=3000)
        self.issuing = self.pki.cert("/CN=Company Issuing CA", self.root, ca=True, end=2000)

    def build(self):
        self.postgres("good", ssl_min_protocol_version="TLSv1.3", v6=True)
        self.postgres("no-tls", hba=OPEN_HBA, ssl="off")
        self.postgres("open", hba=OPEN_HBA)
        self.postgres("expired", **EXPIRED)
        self.postgres("renamed", names="DNS:before.fleet")
        self.postgres("old", ssl_min_protocol_version="TLSv1", ssl_ciphers="DEFAULT:@SECLEVEL=0")
        self.postgres("incomplete", chain=False)
        self.pooler("pooler", "require")
        self.pooler("open-pooler", "disable")
        self.net.listen(self.new("silent"))
        self.targets["hole"] = self.net.black_hole(next(self.numbers), "hole.fleet")
        self.new("refused")
        for name, talk in OTHERS.items():
            self.net.listen(self.new(name), talk=talk)
        # one name, two addresses: at the first nobody listens
        self.net.name(self.targets["refused"], "twins.fleet")
        self.net.name(self.targets["good"], "twins.fleet")
        return self

    def new(self, name):
        self.targets[name] = self.net.address(next(self.numbers), f"{name}.fleet")
        return self.targets[name]

    def certificate(self, name, chain=True, **kwargs):
        """PEM of a server's certificate and of its key; twins.fleet is the good one too."""
        names = kwargs.pop("names", f"DNS:{name}.fleet,DNS:twins.fleet,IP:{self.targets[name]}")
        leaf = self.pki.cert(f"/CN={name}.fleet", self.issuing, names=names, **{"end": 300, **kwargs})
        return leaf.pem + (self.issuing.pem if chain else ""), leaf.key.read_bytes()

    def postgres(self, name, hba=TLS_HBA, v6=False, start=-1, end=300, chain=True, names=None, **settings):
        address = self.new(name)
        more = {"names": names} if names else {}
        cluster = self.make.plain(start=False, hba=hba, **{"ssl": "on", **settings})
        self.give(cluster, self.certificate(name, chain, start=start, end=end, **more))
        if v6:
            address += "," + self.net.address6(16, f"{name}6.fleet")
        self.clusters[name] = self.net.place(cluster, address).start()

    def give(self, cluster, files):
        cluster.write(cluster.data / "server.crt", files[0])
        cluster.write(cluster.data / "server.key", files[1])

    def pooler(self, name, tls):
        """PgBouncer, as Debian has it, before the good server."""
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            return
        address = self.new(name)
        place = self.clusters["good"].dir
        crt, key = self.certificate(name)
        for ending, content in (("crt", crt), ("key", key), ("users", '"app" "secret"\n')):
            self.clusters["good"].write(place / f"{name}.{ending}", content)
        self.clusters["good"].write(place / f"{name}.ini", f"""\
[databases]
* = host={self.targets['good']} port=5432
[pgbouncer]
listen_addr = {address}
listen_port = 5432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {place}/{name}.users
client_tls_sslmode = {tls}
client_tls_cert_file = {place}/{name}.crt
client_tls_key_file = {place}/{name}.key
logfile = {place}/{name}.log
""")
        self.net.program(program, place / f"{name}.ini")
        self.wait(address)

    def wait(self, address):
        until = time.monotonic() + pg.PATIENCE
        while time.monotonic() < until:
            if subprocess.run([*self.net.inside(self.net.looker), "bash", "-c", f"true </dev/tcp/{address}/5432"],
                              capture_output=True).returncode == 0:
                return
            time.sleep(0.01)
        raise AssertionError(f"nobody listens at {address}")

    @property
    def everybody(self):
        return [*self.targets, "twins", "good6"]

    @property
    def answering(self):
        """Without those for whose answer every run waits in vain."""
        return [name for name in self.everybody if name not in ("silent", "hole")]

    def scan(self, *args, form="json", names=None, env=None):
        """One run over everybody, or over these names.  Time-outs as long as can be: who answers is to be heard on a
        busy machine too."""
        base = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
        hosts = [f"{name}.fleet" for name in names or self.everybody]
        argv = [*self.looking, "scan", "--format", form, "--timeout", "3000", "--trust", self.root.cert, *args, *hosts]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, cwd="/", timeout=200,
                              stdin=subprocess.DEVNULL, env={**base, **(env or {})})


@pytest.fixture(scope="module")
def company(make_shared, program, root):
    place = root / tempfile.mkdtemp(prefix="fleet-", dir=root)
    place.chmod(0o755)
    here = Fleet(make_shared, program, place)
    try:
        yield here.build()
    finally:
        here.net.remove()
        shutil.rmtree(place, ignore_errors=True)


# ---- what is to be seen -----------------------------------------------------------------------

# name: reached, plaintext, grade, lowest version, findings that must be there, findings that must not
ALARMS = {"tls-off", "plaintext-accepted", "replication-plaintext", "tls-legacy-version", "cert-expired",
          "name-mismatch", "cert-untrusted", "chain-incomplete", "cert-self-signed", "cipher-weak",
          "cipher-null-anon", "trust-auth", "password-plaintext", "handshake-broken", "stuffing-vulnerable",
          "no-answer", "not-postgres", "key-shared"}
VERDICTS = {
    "good":          ("postgres", "no", "A+", "TLSv1.3", set()),              # good6 is this one, and no other server with its key
    "no-tls":        ("postgres", "yes", "F", None, {"tls-off", "plaintext-accepted"}),
    "open":          ("postgres", "yes", "C", "TLSv1.2", {"plaintext-accepted"}),
    "expired":       ("postgres", "no", "T", "TLSv1.2", {"cert-expired", "cert-untrusted"}),
    "renamed":       ("postgres", "no", "M", "TLSv1.2", {"name-mismatch"}),
    "old":           ("postgres", "no", "C", "TLSv1", {"tls-legacy-version"}),
    "incomplete":    ("postgres", "no", "T", "TLSv1.2", {"chain-incomplete", "cert-untrusted"}),
    "pooler":        ("postgres", "no", None, "TLSv1.2", set()),
    "open-pooler":   ("postgres", "yes", "F", None, {"tls-off", "plaintext-accepted"}),
    "silent":        ("silent", "unknown", "not_graded", None, {"no-answer"}),
    "hole":          ("silent", "unknown", "not_graded", None, {"no-answer"}),
    "refused":       ("no_connection", "unknown", "not_graded", None, {"no-answer"}),
    "dead-balancer": ("closed", "unknown", "not_graded", None, {"no-answer"}),
    "web":           ("not_postgres", "unknown", "not_graded", None, {"not-postgres"}),
    "ssh":           ("not_postgres", "unknown", "not_graded", None, {"not-postgres"}),
    "mysql":         ("not_postgres", "unknown", "not_graded", None, {"not-postgres"}),
    "memcached":     ("not_postgres", "unknown", "not_graded", None, {"not-postgres"}),
    "twins":         ("postgres", "no", "A+", "TLSv1.3", set()),
    "good6":         ("postgres", "no", "M", "TLSv1.3", {"name-mismatch"}),
}


def wanted(company):
    return {name: verdict for name, verdict in VERDICTS.items()
            if name in company.targets or name in ("twins", "good6")}


def name_of(host):
    return host.partition(".")[0]


def check(company, seen, unknown="not_graded"):
    """`seen`: name -> (plaintext, grade, lowest version, findings as text), from any format."""
    assert seen.keys() == wanted(company).keys()
    for name, (reach, plaintext, grade, lowest, must) in wanted(company).items():
        said = seen[name]
        assert plaintext in (None, said[0]), (name, said)
        assert grade in (None, "not_graded" if said[1] == unknown else said[1]), (name, said)
        assert lowest is None or said[2] == lowest, (name, said)
        assert not must - set(re.findall(r"[a-z0-9-]+", said[3])) - {"no-answer", "not-postgres"}, (name, said)


def test_every_verdict_on_a_mixed_fleet_is_right(company, record_property):
    began = time.monotonic()
    done = company.scan()
    record_property("says", f"{len(wanted(company))} kinds of servers in {time.monotonic() - began:.1f} s")
    if "pooler" not in company.targets:
        record_property("says", "the fleet has no poolers: pgbouncer is not on this machine")
    seen = {name_of(one["host"]): one for one in json.loads(done.stdout)["targets"]}
    assert seen.keys() == wanted(company).keys()
    for name, (reach, plaintext, grade, lowest, must) in wanted(company).items():
        one = seen[name]
        found = {finding["id"] for finding in one["findings"]}
        assert one["reach"] == reach, (name, one["reach"], one.get("reason"))
        assert plaintext in (None, one["plaintext"]), (name, one["logins"])
        assert one.get("tls", {}).get("lowest_version") == lowest, name
        assert found & ALARMS == must, (name, found)
        assert grade in (None, one["grade"]), (name, one["grade"], one.get("grade_reasons"))
    assert seen["twins"]["address"] == seen["good"]["address"] == company.targets["good"]
    assert seen["good6"]["address"].startswith("fd00:20::")
    missing, = [one for one in seen["incomplete"]["findings"] if one["id"] == "chain-incomplete"]
    assert "Company Issuing CA" in missing["message"]       # known from what the others send
    assert done.returncode == 1


def test_the_text_says_the_same(company):
    text = company.scan(form="text", env={"LC_ALL": "C.UTF-8"}).stdout
    seen = {}
    for line in text.splitlines():
        if re.match(r"  \S+\.fleet ", line):
            cells = re.split(r"\s{2,}", line.strip())
            name = name_of(cells[0])
            seen[name] = [cells[3][2:], cells[2][2:], re.sub(r"^. ", "", cells[4]), cells[6]]
        elif seen and line.startswith(" " * 40):            # a cell that goes on
            seen[name][3] += " " + line.strip()
        elif seen:
            break
    check(company, seen, unknown="-")
    assert [seen[name][2] for name in ("no-tls", "web", "silent", "refused")] == [
        "no TLS", "not PostgreSQL", "no answer in time", "no connection"]
    assert re.search(rf"Looked at: +{len(seen)}\n", text) and re.search(r"In plaintext: +. [23]\n", text)


def test_the_spreadsheet_has_a_row_for_each(company):
    rows = list(csv.DictReader(io.StringIO(company.scan(form="csv").stdout)))
    assert {row["table"] for row in rows} == {"servers"}
    check(company, {name_of(row["host"]): (row["plaintext"], row["grade"], row["lowest_version"], row["findings"])
                    for row in rows})
    reach = {name_of(row["host"]): row["reach"] for row in rows}
    assert reach == {name: verdict[0] for name, verdict in wanted(company).items()}
    assert int(rows[3]["days_left"]) < 0 and rows[3]["not_after"].endswith("Z")


class Page(html.parser.HTMLParser):
    """The cells of the first table, where its links lead, and the text of each card."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.cards, self.ids, self.scripts = [], [], {}, 0
        self.cell = self.card = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "tr" and not self.cards:
            self.rows.append([])
        elif tag in ("td", "th") and not self.cards:
            self.cell = []
            self.rows[-1].append(self.cell)
        elif tag == "details":
            self.cards.append("")
        elif tag == "a" and self.cell is not None:
            self.rows[-1].insert(0, attrs["href"])
        elif tag == "span" and "id" in attrs:
            self.ids["#" + attrs["id"]] = len(self.cards) - 1
        self.scripts += tag == "script"

    def handle_data(self, data):
        if self.cards:
            self.cards[-1] += data
        elif self.cell is not None:
            self.cell.append(data)


def test_the_page_has_a_table_to_sort_and_a_card_for_each(company):
    done = company.scan(form="html")
    page = Page(done.stdout)
    assert ["".join(cell) for cell in page.rows[0]][:3] == ["Host", "Port", "Grade"]
    seen = {}
    for link, *cells in page.rows[1:]:
        host, _, grade, plaintext, lowest, _, worst = ["".join(cell) for cell in cells]
        seen[name_of(host)] = (plaintext[2:], grade[2:], lowest[2:] if " TLSv" in lowest else lowest, worst)
        card = page.cards[page.ids[link]]
        assert card.startswith(f"{host}:5432")
    check(company, seen, unknown="-")
    assert 'table class="sortable"' in done.stdout and page.scripts == 1


def test_certificates_alone_say_nothing_about_versions_and_plaintext(company):
    done = company.scan("--certificate-only", form="csv", names=["good", "old", "expired", "web", "memcached"])
    rows = {name_of(row["host"]): row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert {row["lowest_version"] for row in rows.values()} == {""}
    assert {row["plaintext"] for row in rows.values()} == {"unknown"}
    assert int(rows["expired"]["days_left"]) < 0 and "cert-expired" in rows["expired"]["findings"]
    assert rows["old"]["connections"] == "1"
    assert rows["web"]["reach"] == rows["memcached"]["reach"] == "not_postgres"


# ---- the second run ---------------------------------------------------------------------------

def changes(done):
    return {(name_of(one["host"]), one["what"], one["before"], one["now"]) for one in json.loads(done.stdout)["changes"]}


def test_a_second_run_says_which_one_got_worse_and_nothing_else(company, shifted):
    kept, cluster, old = company.folder / "kept", company.clusters["good"], company.clusters["expired"]
    first = company.scan("--store", kept)
    assert "changes" not in json.loads(first.stdout)            # there was nothing to compare with
    assert changes(company.scan("--compare", kept)) == set()

    def again(*args, **kwargs):
        return company.scan(*args, kept, names=company.answering, **kwargs)

    try:
        cluster.write_hba(f"{TLS_HBA}host all all {ANY} scram-sha-256\n")
        cluster.reload()
        worse = changes(again("--store"))
        assert worse == {(name, *change) for name in ("good", "twins") for change in (
            ("plaintext", "no", "yes"), ("grade", "A+", "C"), ("new_finding", None, "plaintext-accepted"))}, worse
        told = list(csv.DictReader(io.StringIO(again("--compare", form="csv").stdout)))
        assert not any(row["changes"] for row in told)          # that was the last time
        cluster.write_hba(TLS_HBA)
        cluster.reload()

        company.give(old, company.certificate("expired", end=45))
        old.reload()
        renewed = changes(again("--store"))
        assert {change[:2] for change in renewed if change[0] == "expired"} == {
            ("expired", "certificate"), ("expired", "grade"), ("expired", "finding_gone")}
        assert {change[0] for change in renewed} == {"expired", "good", "twins"}

        later = changes(again("--compare", env=shifted(20)))
        assert later == {("expired", "expiry_near", "44", "24")}
    finally:                                                    # as they were, for the other tests
        cluster.write_hba(TLS_HBA)
        cluster.reload()
        company.give(old, company.certificate("expired", **EXPIRED))
        old.reload()
    assert len(list(kept.iterdir())) == 3 and all(one.stat().st_mode & 0o777 == 0o600 for one in kept.iterdir())


def test_who_is_not_there_once_is_compared_with_the_time_before(company):
    kept, cluster = company.folder / "gone", company.clusters["open"]
    company.scan("--store", kept, names=["open"])
    cluster.stop()
    assert changes(company.scan("--store", kept, names=["open"])) == {("open", "reach", "postgres", "no_connection")}
    company.give(cluster, company.certificate("open"))
    cluster.start()
    back = changes(company.scan("--store", kept, names=["open"]))
    assert {change[1] for change in back} == {"reach", "certificate"}, back
