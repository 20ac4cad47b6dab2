"""What `pgseal scan` says of versions, suites, their order, groups and chains is the truth.

It is known twice: by the settings of each server, and by tls_oracle.py, which asks OpenSSL's client one suite, one
group, one version at a time, and sslscan.  Where they differ, the test says who is right.
"""
import contextlib
import hashlib
import itertools
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

import pg
import tls_oracle
from pki import Pki
from test_scan import OPEN_HBA, TLS_HBA, at, certificate, ids, peer, pump, scan

EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
P256, P384 = [["ec", "-pkeyopt", f"ec_paramgen_curve:{curve}"] for curve in ("P-256", "P-384")]

# Between them the rows have each version first and last, each kind of key and of suite, both orders, groups of
# both kinds, plaintext open and closed; OpenSSL 1.1.1 inside of 13, 14, 16, 17 and 18 has what 3.0 has not.
SERVERS = {
    "defaults": dict(major=15, also=["sslscan"]),
    "all that 1.1.1 has": dict(major=13, also=["sslscan"], ssl_min_protocol_version="TLSv1",
                               ssl_max_protocol_version="TLSv1.1", ssl_ciphers=EVERYTHING,
                               ssl_prefer_server_ciphers="off"),
    "NULL first, EC": dict(major=14, key=P256, ssl_ciphers="NULL-SHA256:ECDHE-ECDSA-NULL-SHA:ECDHE-ECDSA-AES128-SHA:"
                           "ECDHE-ECDSA-AES256-GCM-SHA384:AECDH-NULL-SHA:@SECLEVEL=0",
                           ssl_max_protocol_version="TLSv1.2"),
    "TLS 1.0 alone": dict(major=16, ssl_min_protocol_version="TLSv1", ssl_max_protocol_version="TLSv1",
                          ssl_ciphers="AES128-SHA:DHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-SHA:@SECLEVEL=0"),
    "TLS 1.3 alone, in an order": dict(major=18, hba=TLS_HBA, ssl_min_protocol_version="TLSv1.3", groups=True,
                                       ssl_tls13_ciphers="TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
                                       ssl_groups="secp521r1:X25519:prime256v1"),
    "one suite of TLS 1.3, the client's order": dict(major=18, ssl_tls13_ciphers="TLS_AES_256_GCM_SHA384",
                                                     ssl_prefer_server_ciphers="off", ssl_ciphers="ECDHE+AESGCM"),
    "groups before TLS 1.3, EC": dict(major=18, key=P384, groups=True, ssl_max_protocol_version="TLSv1.2",
                                      ssl_prefer_server_ciphers="off", ssl_groups="X448:secp384r1:prime256v1:secp256k1"),
    "one suite": dict(major=15, ssl_max_protocol_version="TLSv1.2", ssl_ciphers="AES256-GCM-SHA384", groups=True),
    "Ed25519": dict(major=15, key=["ed25519"], ssl_ecdh_curve="secp384r1", ssl_ciphers="ECDHE+AESGCM:ECDHE+CHACHA20",
                    groups=True, hba=TLS_HBA),
    "RSA-PSS": dict(major=17, key=["rsa-pss", "-pkeyopt", "rsa_keygen_bits:3072"], ssl_ciphers="HIGH:!AESCCM:!ARIA",
                    ssl_ecdh_curve="secp224r1", groups=True, group="secp224r1"),
    "EC, the client's order": dict(major=15, key=P256, ssl_prefer_server_ciphers="off", ssl_ciphers="ECDHE:!AESCCM:!ARIA"),
}


def start(make, folder, major=15, key=("rsa:2048",), hba=OPEN_HBA, pem=None, **settings):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    crt, keyfile = (None, pem[1]) if pem else certificate(folder, key=key)
    cluster = make.plain(major, start=False, hba=hba, ssl="on", **settings)
    cluster.write(cluster.data / "server.crt", pem[0] if pem else crt.read_bytes())
    cluster.write(cluster.data / "server.key", keyfile.read_bytes(), 0o600)
    return cluster.start()


def key_curve(key):
    return key[2].split(":")[1] if key[0] == "ec" else None


def check_suites(target, seen, group=None):
    """What OpenSSL's client finds, each suite asked for alone; the order too, where it is the server's."""
    tls = seen["tls"]
    assert tls["suites_complete"]
    assert set(tls["suites"]) == set(tls["versions"])
    counts = [len(accepted) for accepted in tls["suites"].values()]
    for version, accepted in tls["suites"].items():
        assert len(set(accepted)) == len(accepted)
        theirs = tls_oracle.suites(target, version, group)
        # pgseal is right about the rest: OpenSSL 3.0 of Debian has no SEED to offer, 1.1.1 in the servers has
        rest = set(accepted) - theirs
        assert theirs <= set(accepted) and all("SEED" in suite for suite in rest), version
        if tls["server_preference"] == "yes":
            assert [suite for suite in accepted if suite not in rest] == tls_oracle.order(target, version, group), version
    highest = max(tls["suites"].items(), key=lambda row: (row[0] != "TLSv1.3", row[0]))
    prefers = tls_oracle.prefers(target, *highest, group)
    assert tls["server_preference"] == {None: "unknown", True: "yes", False: "no"}[prefers], counts


@pytest.mark.parametrize("name", SERVERS)
def test_versions_suites_and_groups_of_real_servers(pgseal, make, folder, name):
    row = dict(SERVERS[name])
    also, groups, key = row.pop("also", []), row.pop("groups", False), row.get("key", ["rsa:2048"])
    group = row.pop("group", None)          # the client must be told, or it does not offer it
    cluster = start(make, folder, **row)
    _, (seen,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    tls = seen["tls"]
    _, (short,) = scan(pgseal, at(cluster))
    for said in ("versions", "server_preference", "dh_bits"):
        assert short["tls"].get(said) in (tls.get(said), "unknown"), f"{said} with fewer questions"
    assert ids(short) == ids(seen)
    assert set(tls["versions"]) == tls_oracle.versions(at(cluster), group)
    if "ssl_max_protocol_version" in row:
        assert tls["versions"][0] == row["ssl_max_protocol_version"]
    if "ssl_min_protocol_version" in row:
        assert tls["versions"][-1] == row["ssl_min_protocol_version"]
    check_suites(at(cluster), seen, group)
    if "ssl_prefer_server_ciphers" in row or tls["server_preference"] != "unknown":
        assert tls["server_preference"] == ("no" if row.get("ssl_prefer_server_ciphers") == "off" else "yes")
    assert tls["groups_complete"]
    if groups:
        theirs = tls_oracle.groups12(at(cluster), key_curve(key))
        if "TLSv1.3" in tls["versions"]:
            theirs |= tls_oracle.groups13(at(cluster))
        assert set(tls["groups"]) == theirs
    assert seen["plaintext"] == ("no" if row.get("hba") == TLS_HBA else "yes") == plaintext(cluster)
    if "sslscan" in also:
        check_sslscan(at(cluster), seen)


THEIR_NAMES = {"TLSv1": "TLSv1.0"}


def plaintext(cluster):
    """What libpq is told without TLS."""
    said = cluster.psql(cluster.dsn(user="nobody", sslmode="disable")).stderr
    return "no" if "no pg_hba.conf entry" in said else "yes" if "no password supplied" in said else said


def check_sslscan(target, seen):
    """sslscan has hellos of its own for what OpenSSL no longer offers: nothing may be left over.  On a busy machine
    it misses some, and is asked again."""
    if not shutil.which("sslscan"):
        return
    tls = seen["tls"]
    ours = {"versions": {THEIR_NAMES.get(version, version) for version in tls["versions"]},
            "suites": {THEIR_NAMES.get(version, version): tls_oracle.numbers(accepted)
                       for version, accepted in tls["suites"].items()}}
    for _ in range(3):
        theirs = tls_oracle.sslscan(target)
        groups = {tls_oracle.GROUP_NAMES[group] for known in theirs.pop("groups").values() for group in known}
        if theirs == ours and groups == set(tls["groups"]):
            break
    assert theirs == ours and groups == set(tls["groups"])


def test_openssl_s_client_itself_agrees(pgseal, make, folder):
    """The rows above ask OpenSSL's library; this is the command, each suite of TLS 1.2 alone."""
    cluster = start(make, folder, ssl_ciphers="ECDHE+AES:AES256-SHA:!AESCCM")
    _, (seen,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    found = tls_oracle.each(lambda suite: tls_oracle.s_client(at(cluster), "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0"),
                            tls_oracle.known_to_openssl())
    assert {one["suite"] for one in found} - {None} == set(seen["tls"]["suites"]["TLSv1.2"])


# ---- chains -----------------------------------------------------------------------------------------

def der(pem):
    return ssl.PEM_cert_to_DER_cert(pem)


def print_of(pem):
    return hashlib.sha256(der(pem)).hexdigest()


@pytest.fixture
def authority(folder):
    pki = Pki(folder / "pki")
    root = pki.cert("/CN=Root", ca=True)
    between = pki.cert("/CN=Between", root, ca=True)
    return pki, root, between


CHAINS = {
    # what is sent, of leaf, intermediate, root -> findings that must be there
    "whole": ("LI", set()),
    "with the root": ("LIR", set()),
    "without the intermediate": ("L", {"cert-untrusted"}),
    "in the wrong order": ("LRI", set()),
    "expired": ("XI", {"cert-expired", "cert-untrusted"}),
    "not yet valid": ("NI", {"cert-not-yet-valid", "cert-untrusted"}),
    "by itself": ("S", {"cert-self-signed", "cert-untrusted"}),
    "under an expired intermediate": ("EO", {"chain-ca-expired", "cert-untrusted"}),
}
SCANNED = {"chain-incomplete", "cert-untrusted", "cert-expired", "cert-not-yet-valid", "cert-self-signed", "chain-ca-expired"}


def test_chains_are_seen_as_they_are_sent_and_judged_as_openssl_does(pgseal, make, folder, authority):
    pki, root, between = authority
    key = pki.key("rsa:2048")
    gone = pki.cert("/CN=Gone", root, ca=True, start=-30, end=-1)
    certs = {"L": pki.cert("/CN=127.0.0.1", between, key), "I": between, "R": root, "O": gone,
             "X": pki.cert("/CN=127.0.0.1", between, key, start=-30, end=-1),
             "N": pki.cert("/CN=127.0.0.1", between, key, start=10, end=30),
             "E": pki.cert("/CN=127.0.0.1", gone, key), "S": pki.cert("/CN=127.0.0.1", key=key)}
    cluster = start(make, folder, pem=(certs["L"].pem, key))
    for name, (sent, wanted) in CHAINS.items():
        cluster.write(cluster.data / "server.crt", "".join(certs[one].pem for one in sent))
        cluster.reload()
        _, (seen,) = scan(pgseal, at(cluster), args=["--trust", root.cert])
        theirs = tls_oracle.s_client(at(cluster), "-CAfile", str(root.cert), "-verify_ip", "127.0.0.1")
        prints = [one["fingerprint"] for one in seen["certificate"]["chain"]]
        assert prints == [print_of(certs[one].pem) for one in sent] == [print_of(pem) for pem in theirs["chain"]], name
        assert seen["certificate"]["sent"] == len(sent)
        assert ids(seen) & SCANNED == wanted, name
        assert bool(wanted) == (theirs["verify"] != 0), name
    # what is missing is named when it is at hand; without, nobody can tell an intermediate from a root
    both = folder / "both.crt"
    both.write_text(root.pem + between.pem)
    cluster.write(cluster.data / "server.crt", certs["L"].pem)
    cluster.reload()
    _, (seen,) = scan(pgseal, at(cluster), args=["--trust", both])
    assert ids(seen) & SCANNED == {"chain-incomplete"}


def test_names_of_client_authorities_are_those_that_openssl_shows(pgseal, make, folder, authority):
    _, root, between = authority
    cluster = start(make, folder)
    cluster.write(cluster.data / "root.crt", root.pem + between.pem)
    cluster.set(ssl_ca_file="root.crt")
    cluster.reload()
    _, (seen,) = scan(pgseal, at(cluster))
    theirs = tls_oracle.s_client(at(cluster), "-nameopt", "RFC2253")["authorities"]
    assert sorted(seen["tls"]["client_authorities"]) == sorted(theirs) == ["CN=Between", "CN=Root"]


def test_a_key_is_shared_when_the_key_is_whatever_certificates_call_it(pgseal, make, folder):
    """Two certificates of one key with different key identifiers, and two keys with the same."""
    def server(name, key, key_id):
        crt = folder / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-key", key, "-subj", f"/CN={name}", "-days", "30", "-out", crt,
                        "-addext", f"subjectKeyIdentifier={key_id}"], check=True, capture_output=True)
        return start(make, folder, pem=(crt.read_text(), key))
    _, first = certificate(folder, "first")
    _, second = certificate(folder, "second")
    one, two, three = server("one", first, "01:02"), server("two", first, "03:04"), server("three", second, "01:02")
    _, targets = scan(pgseal, at(one), at(two), at(three))
    shared = [[f["evidence"] for f in target["findings"] if f["id"] == "key-shared"] for target in targets]
    assert shared == [[at(two)], [at(one)], []]


# ---- peers that are not PostgreSQL ----------------------------------------------------------------------

def error(text):
    body = b"SFATAL\0VFATAL\0C28000\0M" + text + b"\0\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


def before_tls(link):
    """PostgreSQL's start: N to GSS, S to SSL, an error to everything else.  True: TLS comes now."""
    while head := link.recv(8, socket.MSG_WAITALL):
        if head[4:] == b"\x04\xd2\x16\x30":
            link.sendall(b"N")
        elif head[4:] == b"\x04\xd2\x16\x2f":
            link.sendall(b"S")
            return True
        else:
            link.recv(65536)
            link.sendall(error(b"no pg_hba.conf entry"))
            return False
    return False


def forward(link, port):
    with socket.create_connection(("127.0.0.1", port)) as inner:
        back = threading.Thread(target=pump, args=(inner, link), daemon=True)
        back.start()
        pump(link, inner)
        back.join(5)


def front(port):
    """PostgreSQL's start before a TLS server on this port of loopback."""
    def talk(link):
        if before_tls(link):
            forward(link, port)
    return talk


def library_peer(folder, prepare, key=("rsa:2048",)):
    """OpenSSL 3.0 as a server, with everything that `prepare` makes of its context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder, key=key))
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    prepare(context)

    def talk(link):
        if before_tls(link):
            with context.wrap_socket(link, server_side=True) as inner:
                inner.recv(4096)
                inner.sendall(error(b"no pg_hba.conf entry"))
    return talk


def ciphers_of(text):
    return lambda context: context.set_ciphers(f"{text}:@SECLEVEL=0")


def small_group(folder, bits):
    def prepare(context):
        path = folder / "dh.pem"
        subprocess.run(["openssl", "dhparam", "-dsaparam", "-out", path, str(bits)], check=True, capture_output=True)
        context.set_ciphers("DHE:AES256-SHA:@SECLEVEL=0")
        context.load_dh_params(path)
    return prepare


def curve(name):
    def prepare(context):
        context.set_ecdh_curve(name)
        context.set_ciphers("ECDHE+AES:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return prepare


PEERS = {
    "anonymous and NULL": (lambda folder: ciphers_of("aNULL:eNULL"), None, {"cipher-null-anon"}),
    "a DH group of 1024 bits": (lambda folder: small_group(folder, 1024), None, {"dh-weak"}),
    # OpenSSL's client does not offer these two unless it is told to: pgseal always does
    "a curve of 192 bits": (lambda folder: curve("prime192v1"), "prime192v1", {"group-weak"}),
    "a curve of 571 bits": (lambda folder: curve("sect571r1"), "sect571r1", set()),
}


@pytest.mark.parametrize("name", PEERS)
def test_what_openssl_offers_and_postgresql_does_not(pgseal, folder, name):
    prepare, group, wanted = PEERS[name]
    with peer(library_peer(folder, prepare(folder))) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
        assert set(seen["tls"]["versions"]) == tls_oracle.versions(target, group)
        for version, accepted in seen["tls"]["suites"].items():
            assert set(accepted) == tls_oracle.suites(target, version, group), version
    assert wanted <= ids(seen) and not {"cipher-null-anon", "dh-weak", "group-weak"} & ids(seen) - wanted
    assert seen["tls"]["suites_complete"] and seen["tls"]["groups_complete"]


def listens(port):
    with socket.create_connection(("127.0.0.1", port)):
        return True


def shakes_hands(port):
    """NSS listens long before it has made its DH parameters."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link, context.wrap_socket(link):
        return True


@contextlib.contextmanager
def running(argv, port, ready=listens, **kwargs):
    """A server of somebody else's, gone afterwards."""
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)
    try:
        until = time.monotonic() + pg.PATIENCE
        while time.monotonic() < until:
            assert child.poll() is None, f"{argv} ended with {child.returncode}"
            with contextlib.suppress(OSError):
                if ready(port):
                    break
            time.sleep(0.02)
        yield
    finally:
        child.kill()
        child.wait()


def on_loopback(program):
    """For servers that know no other address than all of them."""
    return {"LD_PRELOAD": str(program.parent / "libloopback.so"), "PATH": "/usr/sbin:/usr/bin:/bin"}


def wanted_program(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/bin")
    if not path:
        pytest.skip(f"{name} is not installed (tools/install-deps check)")
    return path


# NSS takes numbers of suites; SSL 3.0, RC4 and 3DES are in it to this day, and DH parameters of its own making.
NSS_SUITES = [0x0001, 0x0002, 0x0004, 0x0005, 0x000A, 0x002F, 0x0033, 0x0016, 0xC013, 0xC011, 0x009E]
OLD_ENOUGH = {"SSLv3": lambda code: code not in (0x009E,) and code < 0xC000, "TLSv1": lambda code: code != 0x009E,
              "TLSv1.1": lambda code: code != 0x009E, "TLSv1.2": lambda code: True}


@contextlib.contextmanager
def nss_server(program, folder, *args):
    selfserv = wanted_program("selfserv")
    crt, key = certificate(folder)
    bundle = folder / "server.p12"
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", key, "-in", crt, "-name", "server", "-passout", "pass:",
                    "-out", bundle], check=True)
    for argv in (["certutil", "-N", "--empty-password"], ["pk12util", "-i", bundle, "-W", ""]):
        subprocess.run([*argv, "-d", f"sql:{folder}"], check=True, stdout=subprocess.DEVNULL)
    port = pg.free_port()
    argv = [selfserv, "-n", "server", "-p", str(port), "-d", f"sql:{folder}", *args]
    with running(argv, port, shakes_hands, env=on_loopback(program)), peer(front(port)) as target:
        yield target


def test_dhe_that_insists_on_named_groups(pgseal, program, folder):
    """RFC 7919: without one of its groups in the hello, such a server looks as if it had no DHE."""
    with nss_server(program, folder, "-V", "tls1.2:tls1.2", "-H", "2", "-c", ":009E:C02F") as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
    assert set(seen["tls"]["suites"]["TLSv1.2"]) == {"ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"}
    assert seen["tls"]["dh_bits"] == 2048


def test_ssl3_rc4_and_3des_of_nss(pgseal, program, folder):
    """No OpenSSL of today has SSL 3.0, no PostgreSQL since 9.4: NSS has, and knows what it was told to offer."""
    with nss_server(program, folder, "-V", "ssl3:tls1.2", "-H", "1", "-W", "1", "-c",
                    "".join(f":{code:04X}" for code in NSS_SUITES)) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
        if shutil.which("sslscan"):
            # sslscan finds SSL 3.0, and no suite of it: it asks OpenSSL, which has none.  pgseal is right.
            theirs = tls_oracle.sslscan(target, "--no-groups")      # these take it 100 seconds with NSS
            assert theirs["versions"] <= {"SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"} and "SSLv3" not in theirs["suites"]
            for version, found in theirs["suites"].items():
                assert found <= {code for code in NSS_SUITES if OLD_ENOUGH[version.replace("1.0", "1")](code)}
    assert seen["tls"]["versions"] == ["TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3"]
    for version, accepted in seen["tls"]["suites"].items():
        assert tls_oracle.numbers(accepted) == {code for code in NSS_SUITES if OLD_ENOUGH[version](code)}, version
    assert seen["tls"]["suites_complete"] and seen["tls"]["dh_bits"] == 1024
    assert {"tls-legacy-version", "cipher-null-anon", "cipher-weak", "dh-weak", "no-tls13"} <= ids(seen)


GNUTLS = ("NONE:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+AES-128-GCM:+AES-256-CBC:+ARCFOUR-128:+3DES-CBC:"
          "+NULL:+AEAD:+SHA1:+MD5:+RSA:+ECDHE-RSA:+DHE-RSA:+ANON-DH:+ANON-ECDH:+COMP-NULL:+SIGN-ALL:+CTYPE-X509:"
          "+GROUP-SECP256R1:+GROUP-SECP224R1:+GROUP-X25519:+GROUP-FFDHE2048:%SERVER_PRECEDENCE")


def test_anonymous_rc4_and_3des_of_gnutls(pgseal, program, folder):
    """GnuTLS tells which suites a list of priorities means.  sslscan is of no use here: gnutls-serv serves one at a
    time, and waits for what sslscan leaves half open."""
    server = wanted_program("gnutls-serv")
    said = subprocess.run(["gnutls-cli", "--list", "--priority", GNUTLS], capture_output=True, text=True, check=True).stdout
    wanted = {(int(high, 16) << 8 | int(low, 16)): version for high, low, version in
              re.findall(r"^TLS_\w+\s+0x(\w\w), 0x(\w\w)\s+(\S+)$", said, re.M)}
    assert len(wanted) > 20, said
    crt, key = certificate(folder)
    port = pg.free_port()
    argv = [server, "-q", "--echo", "-a", "-p", str(port), "--x509certfile", crt, "--x509keyfile", key, "--priority", GNUTLS]
    with running(argv, port, shakes_hands, env=on_loopback(program)), peer(front(port)) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
    assert seen["tls"]["versions"] == ["TLSv1.2", "TLSv1.1", "TLSv1"]
    for version, accepted in seen["tls"]["suites"].items():
        since = {"TLSv1": ("TLS1.0",), "TLSv1.1": ("TLS1.0", "TLS1.1"), "TLSv1.2": ("TLS1.0", "TLS1.1", "TLS1.2")}[version]
        assert tls_oracle.numbers(accepted) == {code for code, first in wanted.items() if first in since}, version
    assert set(seen["tls"]["groups"]) == {"secp256r1", "secp224r1", "x25519"} and seen["tls"]["groups_complete"]
    assert seen["tls"]["server_preference"] == "yes"
    assert {"cipher-null-anon", "cipher-weak", "group-weak"} <= ids(seen)


def test_stunnel(pgseal, make, folder):
    """stunnel with protocol=pgsql; it takes the order of the client, pgseal says so, and lists in its own."""
    stunnel = wanted_program("stunnel4")
    backend = make.plain(hba=OPEN_HBA)
    crt, key = certificate(folder)
    port, conf = pg.free_port(), folder / "stunnel.conf"
    conf.write_text(f"foreground = yes\npid =\nsyslog = no\n[pg]\naccept = 127.0.0.1:{port}\nconnect = {at(backend)}\n"
                    f"protocol = pgsql\ncert = {crt}\nkey = {key}\n")
    with running([stunnel, conf], port):
        judge_middle(pgseal, f"127.0.0.1:{port}")


def test_pgbouncer(pgseal, make, folder):
    pgbouncer = wanted_program("pgbouncer")
    backend = make.plain(hba=OPEN_HBA)
    crt, key = certificate(folder)
    port, conf = pg.free_port(), folder / "pgbouncer.ini"
    conf.write_text(f"[databases]\n* = host=127.0.0.1 port={backend.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                    f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\nlogfile = {folder}/pgbouncer.log\n"
                    f"client_tls_sslmode = allow\nclient_tls_cert_file = {crt}\nclient_tls_key_file = {key}\n")
    for path in (folder, crt, key, conf):
        pg.give(path)
    who = {"user": pg.OWNER.pw_uid, "group": pg.OWNER.pw_gid, "extra_groups": []} if pg.AS_ROOT else {}
    with running([pgbouncer, "-q", conf], port, **who):
        judge_middle(pgseal, f"127.0.0.1:{port}")


def judge_middle(pgseal, target):
    _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
    assert set(seen["tls"]["versions"]) == tls_oracle.versions(target)
    check_suites(target, seen)
    check_sslscan(target, seen)
    assert len(seen["tls"]["suites"]["TLSv1.2"]) > 10
    theirs = tls_oracle.s_client(target)
    assert [one["fingerprint"] for one in seen["certificate"]["chain"]] == [print_of(pem) for pem in theirs["chain"]]


# ---- hybrids with a post-quantum part ---------------------------------------------------------------------

def vector(width, body):
    return len(body).to_bytes(width, "big") + body


def client_groups(hello):
    """supported_groups of a ClientHello in its record."""
    at_suites = 5 + 4 + 2 + 32
    at_suites += 1 + hello[at_suites]
    at_compression = at_suites + 2 + int.from_bytes(hello[at_suites:at_suites + 2], "big")
    place = at_compression + 1 + hello[at_compression] + 2
    while place < len(hello):
        kind, size = int.from_bytes(hello[place:place + 2], "big"), int.from_bytes(hello[place + 2:place + 4], "big")
        if kind == 10:
            codes = hello[place + 6:place + 4 + size]
            return [int.from_bytes(codes[i:i + 2], "big") for i in range(0, len(codes), 2)]
        place += 4 + size
    return []


def hybrid_server(groups):
    """TLS 1.3 that asks for the first of its groups that is offered, and refuses who offers none of them."""
    random = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")   # RFC 8446 4.1.3

    def talk(link):
        if not before_tls(link):
            return
        head = link.recv(5, socket.MSG_WAITALL)
        if head[:1] != b"\x16":                     # bytes of plaintext before the handshake
            return
        hello = head + link.recv(int.from_bytes(head[3:5], "big"), socket.MSG_WAITALL)
        offered = client_groups(hello)
        chosen = next((group for group in groups if group in offered), None)
        if chosen is None or b"\x00\x2b" not in hello or b"\x03\x04" not in hello:
            link.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
            return
        extensions = b"\x00\x2b" + vector(2, b"\x03\x04") + b"\x00\x33" + vector(2, chosen.to_bytes(2, "big"))
        body = b"\x03\x03" + random + vector(1, hello[44:44 + hello[43]]) + b"\x13\x02\x00" + vector(2, extensions)
        link.sendall(b"\x16\x03\x03" + vector(2, b"\x02" + vector(3, body)))
    return talk


X25519MLKEM768, P256MLKEM768, P384MLKEM1024 = 0x11EC, 0x11EB, 0x11ED


@pytest.mark.parametrize("groups,names", [
    ([X25519MLKEM768], ["X25519MLKEM768"]),
    ([P384MLKEM1024, P256MLKEM768], ["SecP384r1MLKEM1024", "SecP256r1MLKEM768"]),
    ([X25519MLKEM768, 0x1D, 0x17], ["X25519MLKEM768", "x25519", "secp256r1"]),
    ([0x1D], ["x25519"]),
], ids=["one alone", "two alone", "with others", "none"])
def test_hybrids_are_found_though_our_library_has_none(pgseal, folder, groups, names):
    with peer(hybrid_server(groups)) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
    assert seen["tls"]["versions"] == ["TLSv1.3"]
    assert seen["tls"]["groups"] == names
    assert ("no-pq-group" in ids(seen)) == (groups == [0x1D])


NODE_SERVER = """
const [port, crt, key, groups] = process.argv.slice(1);
require('tls').createServer({ cert: require('fs').readFileSync(crt), key: require('fs').readFileSync(key),
    ecdhCurve: groups }, () => {}).on('tlsClientError', () => {}).listen(Number(port), '127.0.0.1');
"""


def test_hybrids_of_openssl_3_5_in_node(pgseal, folder):
    node = shutil.which("node")
    version = node and subprocess.run([node, "-p", "process.versions.openssl"], capture_output=True, text=True).stdout
    if not node or tuple(map(int, re.findall(r"\d+", version)[:2])) < (3, 5):
        pytest.skip(f"needs a node with OpenSSL 3.5; here is {(version or 'none').strip()}")
    crt, key = certificate(folder)
    port = pg.free_port()
    argv = [node, "-e", NODE_SERVER, str(port), crt, key, "X25519MLKEM768:SecP256r1MLKEM768:X25519"]
    with running(argv, port), peer(front(port)) as target:
        _, (seen,) = scan(pgseal, target, args=["--all-ciphers"])
    assert set(seen["tls"]["groups"]) == {"X25519MLKEM768", "SecP256r1MLKEM768", "x25519"}
    assert "no-pq-group" not in ids(seen)


# ---- a server that goes away ------------------------------------------------------------------------------

def cut_once(port, which):
    """A server's port, where one connection ends behind the S as it does when a backend is told to stop."""
    numbers = itertools.count(1)

    def talk(link):
        if next(numbers) != which:
            forward(link, port)
        elif link.recv(8, socket.MSG_WAITALL) == b"\0\0\0\x08\x04\xd2\x16\x2f":
            link.sendall(b"S")
            link.recv(65536)
    return talk


def test_a_connection_that_is_cut_is_no_refusal(pgseal, make, folder):
    """What is there is found all the same, or said not to have been examined: never passed over."""
    backend = start(make, folder)
    with peer(cut_once(backend.port, 0)) as target:
        _, (whole,) = scan(pgseal, target)
    wanted = ids(whole) - {"version-disclosed"}         # for that, no question is asked
    for which in range(2, whole["connections"] + 1):
        with peer(cut_once(backend.port, which)) as target:
            _, (seen,) = scan(pgseal, target)
        assert wanted <= ids(seen) | {one["id"] for one in seen["not_examined"]}, which
        assert set(seen["tls"]["versions"]) == set(whole["tls"]["versions"]), which


# ---- how many connections ---------------------------------------------------------------------------------

def test_the_number_of_connections_is_the_one_in_the_servers_log(pgseal, make, folder):
    cluster = start(make, folder, log_connections="on")
    limits = {(): 25, ("--all-ciphers",): 75, ("--certificate-only",): 1, ("--max-connections", "7"): 7}
    for args, most in limits.items():
        before = cluster.log().count("connection received")
        _, (seen,) = scan(pgseal, at(cluster), args=args)
        until = time.monotonic() + pg.PATIENCE      # each process of the server writes its line in its time
        while cluster.log().count("connection received") - before < seen["connections"] and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.2)                         # for one too many
        assert cluster.log().count("connection received") - before == seen["connections"], args
        assert seen["connections"] <= most


@pytest.mark.takes(6)
@pytest.mark.parametrize("major", sorted({12, 15, *pg.MAJORS}))
def test_every_suite_and_group_takes_at_most_75_connections(pgseal, make, folder, major):
    """With defaults, and with all that the library takes: in old versions the suites follow from the new ones."""
    cluster = start(make, folder, major)
    _, (seen,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    assert seen["tls"]["suites_complete"] and seen["tls"]["groups_complete"]
    assert seen["connections"] <= 75
    groups = {"ssl_groups": "X25519:prime256v1:secp384r1:secp521r1:X448"} if major >= 18 else {}
    cluster.set(ssl_min_protocol_version="TLSv1", ssl_ciphers="ALL", **groups)
    cluster.reload()
    _, (seen,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    assert set(seen["tls"]["versions"]) == tls_oracle.versions(at(cluster))
    if major in (12, 15, 18):               # the libraries that there are
        check_suites(at(cluster), seen)
    assert len(seen["tls"]["groups"]) == (5 if groups else 1) and seen["tls"]["groups_complete"]
    assert seen["connections"] <= 75
