"""Every rule of `pgseal check` that is not about pg_hba.conf and pg_ident.conf: a right server with one
thing broken gives the finding, at its place, and the right server gives none though it was examined.

The right server is made by `pgseal secure`, once for each major.  A scenario breaks a copy of it; where
the server itself has something to say about that, it is asked: does it start?
"""
import os
import pathlib
import re
import shutil

import pytest

import pg
from pki import DH_1024, Pki, Signer, openssl

SOURCE = pathlib.Path(__file__).resolve().parents[2]
HOME = 15 if 15 in pg.SERVERS else max(pg.SERVERS)


# ---- the right server -------------------------------------------------------------------------

class Right:
    """A secured server that is stopped, with everything of it in one folder, and its CA."""

    def __init__(self, cluster, ca):
        self.cluster, self.ca = cluster, ca

    def signer(self, name):
        return Signer(self.ca / f"{name}.crt", self.ca / f"{name}.key")


def make_right(make, pgseal, root, major):
    cluster = make.plain(major)
    cluster.role("app", password="secret")
    ca = cluster.dir / "ca"
    ok = pgseal("secure", "-D", cluster.data, "--ca", ca, "--state-dir", cluster.dir / "st", "--host",
                "localhost", "--host", "127.0.0.1", "--policy", "encrypt", "--policy", "app=cert",
                "--client", "app", "--client-dir", cluster.dir / "clients", "--yes", "--no-proof")
    assert ok.status == 0, ok
    return Right(cluster, ca)


@pytest.fixture(scope="module")
def rights(make_shared, pgseal, root):
    """major -> Right, made when it is first asked for; the server stopped."""
    made = {}

    def right(major):
        if major not in pg.SERVERS:
            pytest.skip(pg.why_missing(major))
        if major not in made:
            made[major] = make_right(make_shared, pgseal, root, major)
            made[major].cluster.stop()
        return made[major]
    return right


# ---- a copy to be broken ----------------------------------------------------------------------

class Broken:
    """A copy of a right server."""

    def __init__(self, make, right, folder):
        self.right, self.major = right, right.cluster.major
        self.cluster = make._new(self.major)
        old, new = right.cluster.dir, self.cluster.dir
        for name in ("data", "st"):
            pg.copy_tree(old / name, new / name)
        self.conf, self.ours = new / "data/postgresql.conf", new / "data/pgseal.conf"
        for path in (self.conf, self.ours, new / "data/pg_hba.conf"):
            self.change(path, lambda text: text.replace(str(old), str(new)))
        self.change(self.conf, lambda text: re.sub(r"(?m)^port = .*", f"port = {self.cluster.port}", text))
        self.profile = "normal"
        self.pki = Pki(folder / "pki")
        self.trust = self.put("../trust.pem", (right.ca / "root.crt").read_text())
        self.lists = self.put("../lists.pem", "".join((right.ca / f"{name}.crl").read_text()
                                                      for name in ("root", "server-ca", "client-ca")))

    def change(self, path, how):
        self.cluster.write(path, how(path.read_text()))

    @property
    def options(self):
        """So that nothing of the certificate stays unexamined."""
        return "--trust", self.trust, "--crl", self.lists, "--profile", self.profile

    # -- settings

    def line(self, path, begin):
        """Number of the last line that begins so."""
        lines = path.read_text().split("\n")
        return max(n for n, text in enumerate(lines, 1) if text.startswith(begin))

    def get(self, name):
        return re.search(rf"(?m)^{name} = '(.*)'$", self.ours.read_text())[1]

    def set(self, name, value):
        """The line of pgseal.conf, or a new one; its place."""
        text = self.ours.read_text()
        line = f"{name} = '{value}'"
        text, count = re.subn(rf"(?m)^{name} = .*$", lambda _: line, text)
        self.cluster.write(self.ours, text if count else text + line + "\n", 0o644)
        return self.ours, self.line(self.ours, f"{name} =")

    def unset(self, name):
        self.change(self.ours, lambda text: re.sub(rf"(?m)^{name} = .*\n", "", text))

    # -- files

    def put(self, name, text, mode=0o600):
        """A file in the data directory."""
        path = self.cluster.data / name
        self.cluster.write(path, text, mode)
        return path

    def path(self, setting):
        return pathlib.Path(self.get(setting))

    def serve(self, leaf, *above):
        """This certificate, with those above it, and its key; the file of the certificate."""
        self.cluster.write(self.path("ssl_cert_file"), "".join(s.pem for s in (leaf, *above)), 0o644)
        self.cluster.write(self.path("ssl_key_file"), leaf.key.read_bytes())
        return self.path("ssl_cert_file"), None

    def issue(self, **kwargs):
        """A leaf of the right CA, with this about it that is wrong, and served."""
        signer = self.right.signer("server-ca")
        return self.serve(self.pki.cert("/CN=localhost", signer, **kwargs), signer)

    @property
    def cas(self):
        return self.path("ssl_ca_file")

    @property
    def crls(self):
        return self.path("ssl_crl_file")

    def crl_of(self, name, **kwargs):
        return self.pki.crl(self.right.signer(name), **kwargs)

    # -- life

    def start(self):
        self.cluster.start()


# ---- scenarios --------------------------------------------------------------------------------

SCENARIOS = []


def scenario(rule, majors=(HOME,), starts=None, severity=None, source="-D"):
    """starts: True: it does, and is looked at while it runs; False: it does not; None: not tried."""
    def keep(break_it):
        for major in majors:
            SCENARIOS.append(pytest.param(rule, break_it, starts, severity, source, major,
                                          id=f"{rule}-{break_it.__name__}-{major}"))
        return break_it
    return keep


EVERY = pg.MAJORS


@scenario("tls-off", majors=EVERY, starts=True)
def off(c):
    return c.set("ssl", "off")


@scenario("tls-off", starts=True)
def by_alter_system(c):
    path = c.cluster.data / "postgresql.auto.conf"
    c.change(path, lambda text: text + "ssl = off\n")
    return path, c.line(path, "ssl =")


@scenario("tls-off", starts=True)
def by_the_command_line(c):
    c.cluster.options = ["-c", "ssl=off"]
    return None, None


@scenario("tls-legacy-version", majors=EVERY)
def old_minimum(c):
    return c.set("ssl_min_protocol_version", "TLSv1.1")


@scenario("no-tls13", majors=EVERY, starts=True)
def no_newest(c):
    return c.set("ssl_max_protocol_version", "TLSv1.2")


@scenario("no-tls13")
def no_curve_of_13(c):
    return c.set("ssl_ecdh_curve", "brainpoolP256r1")


@scenario("cipher-null-anon", starts=True, severity="critical")
def at_level_0(c):
    return c.set("ssl_ciphers", "ECDHE+AESGCM:eNULL:@SECLEVEL=0")


@scenario("cipher-null-anon", starts=True, severity="medium")
def anonymous(c):
    return c.set("ssl_ciphers", "ECDHE+AESGCM:ADH")


@scenario("cipher-weak", severity="medium")
def rc4(c):
    return c.set("ssl_ciphers", "ECDHE+AESGCM:RC4-SHA")


@scenario("cipher-no-fs", majors=EVERY, starts=True)
def postgresql_own_list(c):
    return c.set("ssl_ciphers", "HIGH:MEDIUM:+3DES:!aNULL")


@scenario("cipher-cbc", starts=True)
def the_clients_choice(c):
    place = c.set("ssl_ciphers", "ECDHE+AES")
    c.set("ssl_prefer_server_ciphers", "off")
    return place


@scenario("cipher-list-invalid", starts=False)
def nonsense(c):
    return c.set("ssl_ciphers", "nonsense")


@scenario("dh-weak", starts=False)      # Debian's OpenSSL refuses them; upstream's takes them
def short_parameters(c):
    c.put("dh.pem", DH_1024)
    return c.set("ssl_dh_params_file", "dh.pem")


@scenario("group-weak", starts=True)
def short_curve(c):
    return c.set("ssl_ecdh_curve", "secp224r1")


@scenario("group-weak", majors=(18,))
def short_group(c):
    return c.set("ssl_groups", "X25519:secp192k1")


@scenario("no-pq-group", majors=(18,))
def classic_groups(c):
    c.profile = "critical"
    return c.set("ssl_groups", "X25519:prime256v1")


# -- the certificate

@scenario("cert-expired", starts=True)
def expired(c):
    return c.issue(start=-100, end=-1)


@scenario("cert-not-yet-valid", starts=True)
def of_tomorrow(c):
    return c.issue(start=1, end=50)


@scenario("cert-expiring", severity="medium")
def three_weeks_left(c):
    return c.issue(start=-80, end=21)


@scenario("cert-expiring", severity="high")
def two_days_left(c):
    return c.issue(start=-80, end=2)


@scenario("cert-self-signed", starts=True)
def by_itself(c):
    return c.serve(c.pki.cert("/CN=localhost"))


@scenario("cert-untrusted")
def another_ca(c):
    other = c.pki.cert("/CN=other", ca=True, end=900)
    return c.serve(c.pki.cert("/CN=localhost", other), other)


@scenario("chain-incomplete", starts=True)
def leaf_alone(c):
    c.trust = c.put("../trust.pem", c.right.signer("root").pem + c.right.signer("server-ca").pem)
    return c.serve(c.pki.cert("/CN=localhost", c.right.signer("server-ca")))


@scenario("chain-ca-expired", starts=True)
def old_intermediate(c):
    old = c.pki.cert("/CN=old", c.right.signer("root"), ca=True, start=-100, end=-1)
    return c.serve(c.pki.cert("/CN=localhost", old), old)


@scenario("chain-outlived")
def short_intermediate(c):
    short = c.pki.cert("/CN=short", c.right.signer("root"), ca=True, end=50)
    return c.serve(c.pki.cert("/CN=localhost", short, end=90), short)


@scenario("cert-no-san", starts=True)
def only_a_common_name(c):
    return c.issue(names=None)


@scenario("key-weak", starts=False)     # level 2 of Debian's OpenSSL
def short_key(c):
    return c.issue(key=c.pki.key("rsa:1024"))


@scenario("key-weak")
def short_curve_of_the_key(c):
    return c.issue(key=c.pki.key("p192"))


@scenario("sig-weak", starts=False)
def sha1(c):
    return c.issue(digest="sha1")


@scenario("eku-no-server-auth", starts=True)
def for_clients(c):
    return c.issue(uses="clientAuth")


@scenario("cert-lifetime-long")
def two_years(c):
    return c.issue(end=730)


@scenario("cert-revoked", starts=True)
def revoked(c):
    place = c.issue()
    c.lists = c.put("../lists.pem", c.crl_of("server-ca", revoked=[place[0]]))
    return place


@scenario("served-cert-differs", starts="then break")
def renewed_and_not_reloaded(c):
    return c.issue()


# -- keys and files

@scenario("key-mismatch", starts=False)
def another_key(c):
    c.cluster.write(c.path("ssl_key_file"), c.pki.key().read_bytes())
    return c.ours, c.line(c.ours, "ssl_key_file")


@scenario("key-perms", starts=False)
def open_to_all(c):
    c.path("ssl_key_file").chmod(0o644)
    return c.path("ssl_key_file"), None


@scenario("key-perms", starts=True, severity="medium")
def a_copy(c):
    return c.put("server.key.old", c.path("ssl_key_file").read_bytes()), None


@scenario("key-perms", starts=True, severity="critical")
def a_copy_for_all(c):
    (c.cluster.data / "old").mkdir(0o755)
    pg.give(c.cluster.data / "old")
    return c.put("old/key.pem", c.path("ssl_key_file").read_bytes(), 0o644), None


def encrypt_key(c):
    key = c.path("ssl_key_file")
    c.cluster.write(key, openssl("pkcs8", "-topk8", "-in", key, "-passout", "pass:secret").encode())


@scenario("key-encrypted-no-command", starts=False)
def encrypted(c):
    encrypt_key(c)
    return c.ours, c.line(c.ours, "ssl_key_file")


@scenario("passphrase-no-reload", starts=True)
def only_at_start(c):
    encrypt_key(c)
    return c.set("ssl_passphrase_command", "echo secret")


@scenario("passphrase-no-reload")
def said_so(c):
    only_at_start(c)
    return c.set("ssl_passphrase_command_supports_reload", "off")


@scenario("file-missing", starts=False)
def no_certificate(c):
    c.path("ssl_cert_file").unlink()
    return c.ours, c.line(c.ours, "ssl_cert_file")


@scenario("file-missing", starts=False)
def der_key(c):
    key = c.path("ssl_key_file")
    openssl("pkey", "-in", key, "-outform", "DER", "-out", c.pki.folder / "der")
    c.cluster.write(key, (c.pki.folder / "der").read_bytes())
    return c.ours, c.line(c.ours, "ssl_key_file")


@scenario("file-missing", majors=(14, 15, 16, 17, 18), starts=True)
def no_folder_of_lists(c):
    c.unset("ssl_crl_file")
    return c.set("ssl_crl_dir", c.cluster.dir / "nowhere")


def folder_of_lists(c, *texts):
    """ssl_crl_dir with these lists under the names that OpenSSL looks for; their files."""
    folder = c.cluster.data / "crls"
    folder.mkdir()
    pg.give(folder)
    names = []
    for text in texts:
        (c.pki.folder / "one.crl").write_text(text)
        digest = openssl("crl", "-in", c.pki.folder / "one.crl", "-noout", "-hash").strip()
        names.append(c.put(f"crls/{digest}.r0", text))
    c.set("ssl_crl_file", "")
    c.set("ssl_crl_dir", folder)
    return names


@scenario("file-missing", starts=True)
def list_that_is_never_found(c):
    folder_of_lists(c, c.crl_of("root"), c.crl_of("client-ca"))
    c.put("crls/new.crl", c.crl_of("client-ca"))
    return c.ours, c.line(c.ours, "ssl_crl_dir")


@scenario("file-missing")       # the server hangs at its start
def a_pipe(c):
    cas = c.cas
    cas.unlink()
    os.mkfifo(cas)
    pg.give(cas)
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("file-missing", starts=False)
def not_for_the_server(c):
    if not pg.AS_ROOT:
        pytest.skip("only root can make a file that its owner may not read")
    os.chown(c.cas, 0, 0)
    c.cas.chmod(0o600)
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("ca-key-on-server", starts=True)
def key_of_the_client_ca(c):
    return c.put("ca.key", c.right.signer("client-ca").key.read_text()), None


# -- clients and revocation

@scenario("client-ca-missing", majors=EVERY, starts=True)
def no_ca(c):
    c.set("ssl_ca_file", "")
    c.set("ssl_crl_file", "")
    hba = c.cluster.data / "pg_hba.conf"
    number = next(n for n, line in enumerate(hba.read_text().split("\n"), 1)
                  if re.match(r"hostssl.*\bapp\b.*\bcert\b", line))
    return hba, number


@scenario("client-ca-wide", starts=True)
def a_public_root(c):
    root = c.pki.cert("/O=DigiCert Inc/CN=DigiCert Global Root X", ca=True)
    c.change(c.cas, lambda text: text + root.pem)
    c.change(c.crls, lambda text: text + c.pki.crl(root))
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("crl-missing", starts=True, severity="medium")
def no_list(c):
    c.set("ssl_crl_file", "")
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("crl-missing", starts=True, severity="high")
def no_list_of_the_root(c):
    c.cluster.write(c.crls, c.crl_of("client-ca"), 0o644)
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("crl-missing", starts=True, severity="high")
def list_under_another_name(c):
    folder_of_lists(c, c.crl_of("root"))
    c.put("crls/client-ca.crl", c.crl_of("client-ca"))
    return c.ours, c.line(c.ours, "ssl_ca_file")


@scenario("crl-expired", starts=True)
def old_list(c):
    c.cluster.write(c.crls, c.crl_of("root") + c.crl_of("client-ca", start=-20, end=-1), 0o644)
    return c.crls, None


@scenario("crl-expired", majors=(HOME,), starts=True)
def old_list_in_a_folder(c):
    return folder_of_lists(c, c.crl_of("root"), c.crl_of("client-ca", start=-20, end=-1))[1], None


@scenario("crl-expiring", severity="medium")
def two_days_of_a_list(c):
    c.cluster.write(c.crls, c.crl_of("root") + c.crl_of("client-ca", start=-20, end=2), 0o644)
    return c.crls, None


@scenario("crl-issuer-mismatch", starts=True)
def list_of_a_stranger(c):
    other = c.pki.cert("/CN=stranger", ca=True)
    c.change(c.crls, lambda text: text + c.pki.crl(other))
    return c.crls, None


@scenario("crl-with-cert", starts=True)
def certificate_among_lists(c):
    other = c.pki.cert("/CN=stranger", ca=True)
    c.change(c.crls, lambda text: text + other.pem)
    return c.crls, None


# -- what else the files say

@scenario("password-encryption-md5", majors=EVERY, starts=True)
def md5(c):
    c.change(c.conf, lambda text: text + "password_encryption = md5\n")
    return c.conf, c.line(c.conf, "password_encryption = md5")


@scenario("upstream-sslmode-weak", starts=True)
def primary(c):
    c.change(c.conf, lambda text: text + "primary_conninfo = 'host=db1 password=hush sslmode=require'\n")
    return c.conf, c.line(c.conf, "primary_conninfo")


@scenario("upstream-sslmode-weak", starts=True)
def primary_as_uri(c):
    c.change(c.conf, lambda text: text + "primary_conninfo = "
             "'postgresql://rep:hush@db1/x?sslmode=verify-ca&password=hush'\n")
    return c.conf, c.line(c.conf, "primary_conninfo")


@scenario("setting-overridden", starts=True)
def the_same_twice(c):
    c.change(c.conf, lambda text: "ssl_min_protocol_version = 'TLSv1.3'\n" + text)
    return c.conf, 1


@scenario("conf-syntax", starts=False)
def no_value(c):
    c.change(c.conf, lambda text: text + "work_mem = 'open\n")
    return c.conf, c.line(c.conf, "work_mem")


@scenario("setting-unknown", majors=(13,), starts=False)
def of_a_newer_version(c):
    return c.set("ssl_crl_dir", "crls")


@scenario("setting-unknown", majors=(15, 17), starts=False)
def groups_before_18(c):
    return c.set("ssl_groups", "X25519")


@scenario("setting-unknown", starts=False)
def misspelled(c):
    return c.set("ssl_certfile", "server.crt")


@scenario("setting-invalid", majors=EVERY, starts=False)
def no_such_protocol(c):
    return c.set("ssl_min_protocol_version", "TLSv1.4")


@scenario("setting-invalid", majors=(13, 15, 18), starts=False)
def empty_range(c):
    c.set("ssl_min_protocol_version", "TLSv1.3")
    return c.set("ssl_max_protocol_version", "TLSv1.2")


# -- SQL

@scenario("pending-reload", starts=True, source="--target")
def written_and_not_loaded(c):
    return c.set("ssl_min_protocol_version", "TLSv1.3")


@scenario("role-secret-weak", starts=True, source="--target")
def md5_secret(c):
    c.cluster.sql("set password_encryption = md5; create role old login password 'x'")
    return None, None


@scenario("upstream-sslmode-weak", starts=True, source="--target")
def subscription(c):
    c.cluster.sql("create subscription s connection 'host=db1 dbname=x password=hush' publication p "
                  "with (connect = false)")
    return None, None


BREAKS_WHILE_IT_RUNS = {written_and_not_loaded, md5_secret, subscription, renewed_and_not_reloaded}


# ---- the tests --------------------------------------------------------------------------------

def look(pgseal, c, source):
    how = {"-D": ("-D", c.cluster.data),
           "--target": ("--target", f"host={c.cluster.sockets} port={c.cluster.port} "
                                    f"user={c.cluster.user} dbname=postgres"),
           "--files": ("--files", c.cluster.data, "--server-version", c.major)}[source]
    return pgseal("check", *how, *c.options, "--format", "json", "--fail-on", "none", ok=True)


def with_id(result, rule):
    return [f for f in result.json["findings"] if f["id"] == rule]


@pytest.mark.parametrize("rule, break_it, starts, severity, source, major", SCENARIOS)
def test_what_is_broken_is_found(rule, break_it, starts, severity, source, major, rights, make, folder,
                                 pgseal, pgseal_as_owner):
    c = Broken(make, rights(major), folder)
    if break_it in BREAKS_WHILE_IT_RUNS:
        c.start()
        file, line = break_it(c)
    else:
        file, line = break_it(c)
        if starts:
            c.start()
        elif starts is False and major == HOME:
            with pytest.raises(AssertionError, match="did not start"):
                c.start()
    result = look(pgseal_as_owner if source == "--target" else pgseal, c, source)
    found = [f for f in with_id(result, rule)
             if f["line"] == line and f["file"] == (str(file) if file else None)]

    assert found, result
    assert severity in (None, found[0]["severity"]), found
    assert "hush" not in result.out and "echo secret" not in result.out
    if line:
        assert found[0]["column"] or rule == "conf-syntax", found


def rules_of_check():
    """Slugs of the table that check may find, those about hba and ident left out: they have tests of
    their own."""
    table = (SOURCE / "src/rules/table.c").read_text()
    rows = re.findall(r'\.id = "([^"]+)".*?\.title', table, re.S)
    modes = dict(re.findall(r'\.id = "([^"]+)", .*?\.modes = ([A-Z_ |]+)', table, re.S))
    return [rule for rule in rows if "RULE_CHECK" in modes.get(rule, "")
            and not rule.startswith(("hba-", "ident-", "client-cert-", "exception-"))]


def test_every_rule_has_a_scenario():
    by_19 = {"hosts-syntax"}        # which has tests of its own, below
    assert set(rules_of_check()) == {param.values[0] for param in SCENARIOS} | by_19


@pytest.mark.parametrize("major", pg.MAJORS)
def test_the_right_server_is_examined_and_gives_no_finding(major, rights, make, folder, pgseal,
                                                           pgseal_as_owner):
    c = Broken(make, rights(major), folder)
    stopped = look(pgseal, c, "-D")
    c.start()
    by_files = look(pgseal, c, "-D")
    by_sql = look(pgseal_as_owner, c, "--target")
    rules = set(rules_of_check())

    unseen = [{u["id"] for u in result.json["not_examined"]} for result in (by_files, by_sql)]
    for result in (stopped, by_files, by_sql):
        assert not [f for f in result.json["findings"] if f["id"] in rules], result
    # what one source cannot see, the other does
    assert not unseen[0] & unseen[1] & rules, (by_files, by_sql)


def test_a_pipe_a_loop_and_a_flood_do_not_hold_it_up(rights, make, folder, pgseal):
    c = Broken(make, rights(HOME), folder)
    for name in ("loop.conf", "pipe.conf", "key.pem"):
        c.cluster.data.joinpath(name)
    os.symlink("loop.conf", c.cluster.data / "loop.conf")
    os.mkfifo(c.cluster.data / "pipe.conf")
    os.mkfifo(c.cluster.data / "key.pem")
    c.put("binary.conf", os.urandom(100000))
    flood = "".join(f"ssl_{n} = '{n}'\n" for n in range(200000))
    c.put("flood.conf", flood)
    c.change(c.conf, lambda text: text + "".join(
        f"include_if_exists '{name}.conf'\n" for name in ("loop", "pipe", "binary", "flood")))
    result = look(pgseal, c, "-D")
    assert {f["id"] for f in result.json["findings"]} >= {"conf-syntax", "setting-unknown"}


# ---- the configuration that so many copy ------------------------------------------------------

GUIDE_CONF = """\
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ciphers = 'HIGH:!aNULL:!MD5:!3DES:!RC4:!DES:!IDEA:!RC2'
ssl_prefer_server_ciphers = on
"""
GUIDE_HBA = """\
local   all all                 peer
hostssl all all 10.0.0.0/8      scram-sha-256
hostssl all all 10.0.0.0/8      cert clientcert=1
"""


@pytest.mark.parametrize("major", (13, 15))
@pytest.mark.parametrize("source", ("-D", "--files"))
def test_the_guide_that_so_many_copy_has_each_of_its_faults_named(major, source, make, folder, pgseal):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    cluster = make.plain(major, hba=GUIDE_HBA, start=False)
    own = Pki(folder / "pki").cert("/CN=192.168.1.10", names=None, end=3650)
    with open(cluster.conf, "a") as conf:
        conf.write(GUIDE_CONF)
    cluster.write(cluster.data / "server.crt", own.pem)
    cluster.write(cluster.data / "server.key", own.key.read_text())
    version = ("--server-version", major) if source == "--files" else ()
    result = pgseal("check", source, cluster.data, *version, "--format", "json")
    found = {f["id"]: f for f in result.json["findings"]}

    wanted = {"cipher-no-fs", "cipher-cbc", "cert-no-san", "cert-self-signed", "cert-lifetime-long",
              "client-ca-missing"}
    wanted |= {"hba-shadowed"} if major == 13 else {"hba-syntax"}
    assert result.status == 1 and wanted <= set(found), result
    assert found["client-ca-missing"]["line"] == 3
    assert "address" in found["cert-no-san"]["message"]
    assert all(found[rule]["fix"] or found[rule]["cure"] for rule in wanted)


# ---- versions that are not on this machine ----------------------------------------------------

def test_a_server_of_9_6_is_judged_by_what_9_6_knows(folder, pgseal):
    own = Pki(folder / "pki").cert("/CN=localhost")
    (folder / "postgresql.conf").write_text("ssl = on\nssl_min_protocol_version = 'TLSv1.2'\n")
    (folder / "pg_hba.conf").write_text("hostssl all all all md5\n")
    (folder / "server.crt").write_text(own.pem)
    result = pgseal("check", "--files", folder, "--server-version", "9.6", "--format", "json")
    found = {f["id"] for f in result.json["findings"]}
    unseen = {u["id"]: u["reason"] for u in result.json["not_examined"]}

    assert found >= {"setting-unknown", "dh-weak", "password-encryption-md5", "cipher-no-fs"}, result
    assert "OpenSSL" in unseen["tls-legacy-version"]


def sni_19(folder, hosts):
    """Copies of a server of 19, which this machine has not; the first certificate has expired."""
    pki = Pki(folder / "pki")
    own, other = pki.cert("/CN=a", names="DNS:a", start=-9, end=-1), pki.cert("/CN=b", names="DNS:b")
    (folder / "postgresql.conf").write_text("ssl = on\nssl_sni = on\n")
    (folder / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    for name, text in (("a.crt", own.pem), ("a.key", own.key.read_text()), ("b.crt", other.pem),
                       ("b.key", own.key.read_text())):
        (folder / name).write_text(text)
    if hosts:
        (folder / "pg_hosts.conf").write_text(hosts)


def test_certificates_by_name_of_19_are_examined_each(folder, pgseal):
    sni_19(folder, "# host\na a.crt a.key\nb,c b.crt b.key\n")
    result = pgseal("check", "--files", folder, "--server-version", "19", "--format", "json")
    found = {(f["id"], pathlib.Path(f["file"] or "").name, f["line"]) for f in result.json["findings"]}
    assert ("cert-expired", "a.crt", None) in found, result
    assert ("key-mismatch", "pg_hosts.conf", 3) in found, result
    assert not [f for f in found if f[0] == "cert-expired" and f[1] != "a.crt"]


def test_a_line_of_names_that_19_refuses_is_found(folder, pgseal):
    sni_19(folder, "a a.crt a.key\nb b.crt\n")
    result = pgseal("check", "--files", folder, "--server-version", "19", "--format", "json")
    assert [(f["line"]) for f in with_id(result, "hosts-syntax")] == [2], result


def test_certificates_by_name_that_were_not_copied_are_not_passed_over(folder, pgseal):
    sni_19(folder, None)
    result = pgseal("check", "--files", folder, "--server-version", "19", "--format", "json")
    unseen = {u["id"] for u in result.json["not_examined"] if "pg_hosts.conf" in u["reason"]}
    assert unseen >= {"cert-expired", "cert-no-san", "file-missing", "hosts-syntax"}


# ---- what a role may not see ------------------------------------------------------------------

def test_a_role_without_rights_learns_what_it_cannot_see(rights, make, folder, pgseal):
    c = Broken(make, rights(HOME), folder)
    c.start()
    c.cluster.sql("create role nobody login password 'x'")
    c.change(c.cluster.data / "pg_hba.conf", lambda text: "hostssl all nobody 127.0.0.1/32 trust\n" + text)
    c.cluster.reload()
    result = pgseal("check", "--target", c.cluster.dsn(user="nobody", sslmode="require"), "--format",
                    "json", "--fail-on", "none")
    unseen = {u["id"] for u in result.json["not_examined"]}

    assert result.status == 3 and "pg_hba.conf" in result.err, result      # nothing found is no good news
    assert unseen >= {"tls-legacy-version", "cipher-no-fs", "dh-weak", "key-mismatch", "setting-overridden",
                      "pending-reload", "role-secret-weak", "upstream-sslmode-weak"}, result
    # the certificate is on the wire, whatever the role may read
    assert not unseen & {"cert-expired", "cert-no-san", "key-weak", "tls-off"}, result


def test_copies_of_a_right_server_give_no_finding(rights, make, folder, pgseal):
    c = Broken(make, rights(HOME), folder)
    copies = folder / "copies"
    copies.mkdir()
    for name in ("postgresql.conf", "pgseal.conf", "pg_hba.conf", "pg_ident.conf"):
        shutil.copy(c.cluster.data / name, copies)
    shutil.copy(c.path("ssl_cert_file"), copies)
    result = pgseal("check", "--files", copies, "--server-version", HOME, *c.options, "--format", "json",
                    "--fail-on", "none", ok=True)
    rules = set(rules_of_check())
    assert not [f for f in result.json["findings"] if f["id"] in rules], result
    unseen = {u["id"]: u["reason"] for u in result.json["not_examined"]}
    assert "not among the copies" in unseen["key-mismatch"] and "cert-expired" not in unseen
