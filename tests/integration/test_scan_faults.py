"""pgseal scan finds each fault of behaviour on a peer that has it, and is silent on one that has not."""
import contextlib
import itertools
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from fake_tls import (EMS, ETM, GSSENC_REQUEST, RENEGOTIATION, SSL3, SSL_REQUEST, TICKET, TLS10, TLS11, TLS12, TLS13,
                      Fake, Hello, read_exact, record)
from test_scan import TLS_HBA, at, certificate, ids, openssl_peer, peer, pump, scan, tls_server, unseen

ASKS = b"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0"
FAULTS = {"stuffing-vulnerable", "direct-tls-no-alpn", "negotiation-endless", "handshake-broken", "cipher-weak",
          "cipher-null-anon", "dh-weak", "group-weak", "compression-or-renegotiation", "trust-auth",
          "password-plaintext", "tls-legacy-version"}


def messages(target, slug):
    return [one["message"] for one in target["findings"] if one["id"] == slug]


@contextlib.contextmanager
def faking(pgseal, folder, **traits):
    crt, _ = certificate(folder)
    with peer(Fake(crt, **traits)) as target:
        _, (seen,) = scan(pgseal, target)
    yield seen


def test_a_good_server_has_none_of_them(pgseal, make, folder, every_major):
    cluster = tls_server(make, folder, every_major, hba=TLS_HBA, ssl_min_protocol_version="TLSv1.2",
                         ssl_ciphers="ECDHE+AESGCM")
    _, (target,) = scan(pgseal, at(cluster))
    assert not FAULTS & ids(target)
    assert not (FAULTS - {"direct-tls-no-alpn", "negotiation-endless"}) & unseen(target)
    extensions = target["tls"]["extensions"]
    assert extensions["compression"] == "no" and extensions["client_renegotiation"] == "no"
    assert extensions["secure_renegotiation"] == "yes" and extensions["extended_master_secret"] == "yes"
    assert extensions["downgrade_sentinel"] == "yes"
    assert extensions["tickets"] == "no" and extensions["session_ids"] == "no"
    assert extensions["alpn"] == ("yes" if every_major >= 17 else "unknown")


# ---- bytes before the handshake -------------------------------------------------------------------------

def naive(files, forgets):
    """Reads what comes with SSLRequest, and takes it for the first words inside, or forgets it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    def talk(link):
        data = link.recv(4096)
        if data[4:8] != SSL_REQUEST:
            link.sendall(b"N" if data[4:8] == GSSENC_REQUEST else ASKS)
            return
        kept = b"" if forgets else data[8:]
        link.sendall(b"S")
        with context.wrap_socket(link, server_side=True) as inner:
            if kept or inner.recv(4096):
                inner.sendall(ASKS)
                inner.recv(1)
    return talk


@pytest.mark.parametrize("forgets", [False, True], ids=["used", "forgotten"])
def test_bytes_before_the_handshake_that_are_used_inside(pgseal, folder, forgets):
    with peer(naive(certificate(folder), forgets)) as target:
        _, (seen,) = scan(pgseal, target)
    assert ("stuffing-vulnerable" in ids(seen)) == (not forgets)


# ---- direct TLS -----------------------------------------------------------------------------------------

def direct(files, insists):
    """Takes TLS at once; who insists hangs up on those who did not agree on the protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_alpn_protocols(["postgresql"])

    def talk(link):
        if link.recv(1, 2) != b"\x16":                  # MSG_PEEK
            data = link.recv(4096)
            link.sendall({SSL_REQUEST: b"S", GSSENC_REQUEST: b"N"}.get(data[4:8], ASKS))
            if data[4:8] != SSL_REQUEST:
                return
        with context.wrap_socket(link, server_side=True) as inner:
            if insists and not inner.selected_alpn_protocol():
                return
            inner.recv(4096)
            inner.sendall(ASKS)
            inner.recv(1)
    return talk


@pytest.mark.parametrize("insists", [False, True])
def test_direct_tls_without_a_protocol_agreed_on(pgseal, folder, insists):
    with peer(direct(certificate(folder), insists)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["direct"] == "yes" and seen["tls"]["extensions"]["alpn"] == "yes"
    assert ("direct-tls-no-alpn" in ids(seen)) == (not insists)


# ---- handshakes -----------------------------------------------------------------------------------------

def test_tls_that_is_offered_and_never_given(pgseal):
    with peer(lambda link: (link.recv(8), link.sendall(b"S"), link.recv(4096), link.sendall(b"\x15\3\3\0\2\2\x28"))
              ) as target:
        _, (seen,) = scan(pgseal, target)
    assert "handshake-broken" in ids(seen) and seen["tls"]["versions"] == []


@pytest.mark.parametrize("suite,slug,name", [
    (0x0003, "cipher-weak", "EXP-RC4-MD5"), (0x0004, "cipher-weak", "RC4-MD5"),
    (0x0005, "cipher-weak", "RC4-SHA"), (0x0009, "cipher-weak", "DES-CBC-SHA"),
    (0x000a, "cipher-weak", "DES-CBC3-SHA"), (0x0008, "cipher-weak", "EXP-DES-CBC-SHA"),
    (0x0001, "cipher-null-anon", "NULL-MD5"), (0x0034, "cipher-null-anon", "ADH-AES128-SHA"),
    (0x002f, "cipher-no-fs", "AES128-SHA"), (0x009c, "cipher-no-fs", "AES128-GCM-SHA256"),
    (0x0033, "cipher-cbc", "DHE-RSA-AES128-SHA"),
])
@pytest.mark.parametrize("version", [TLS12, TLS10], ids=["TLS1.2", "TLS1.0"])
def test_suites_that_nobody_should_take(pgseal, folder, suite, slug, name, version):
    if version == TLS10 and suite == 0x009c:
        pytest.skip("GCM is of TLS 1.2")
    with faking(pgseal, folder, suites=(suite,), lowest=version, highest=version) as seen:
        assert slug in ids(seen)
        evidence = " ".join(one.get("evidence") or "" for one in seen["findings"] if one["id"] == slug)
        assert name in evidence or re.search(r"TLS_\w+", evidence), evidence
        assert ("tls-legacy-version" in ids(seen)) == (version == TLS10)


def test_ssl3_is_found_alone(pgseal, folder):
    with faking(pgseal, folder, lowest=SSL3, highest=SSL3, extensions=()) as seen:
        assert seen["tls"]["versions"] == ["SSLv3"]
        assert "tls-legacy-version" in ids(seen) and "no-tls13" in ids(seen)


@pytest.mark.parametrize("bits,found", [(1024, True), (2048, False)])
def test_a_diffie_hellman_group_that_is_too_small(pgseal, folder, bits, found):
    with faking(pgseal, folder, suites=(0x009e,), dh_bits=bits) as seen:
        assert seen["tls"]["dh_bits"] == bits and ("dh-weak" in ids(seen)) == found


# ---- extensions -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("traits,fact,value,finding", [
    ({"compression": True}, "compression", "yes", "compression"),
    ({"extensions": (EMS,)}, "secure_renegotiation", "no", "secure renegotiation is missing"),
    ({"extensions": (RENEGOTIATION,)}, "extended_master_secret", "no", "extended master secret is missing"),
    ({"extensions": (RENEGOTIATION, EMS, ETM)}, "encrypt_then_mac", "yes", None),
    ({"extensions": (RENEGOTIATION, EMS)}, "encrypt_then_mac", "no", None),
    ({"extensions": (RENEGOTIATION, EMS, TICKET)}, "tickets", "yes", None),
    ({"session_id": True}, "session_ids", "yes", None),
    ({}, "compression", "no", None),
], ids=lambda value: value if isinstance(value, str) else None)
def test_what_a_hello_says_of_extensions(pgseal, folder, traits, fact, value, finding):
    with faking(pgseal, folder, **traits) as seen:
        assert seen["tls"]["extensions"][fact] == value
        found = messages(seen, "compression-or-renegotiation")
        assert (len(found) == 1 and finding in found[0]) if finding else not found


@pytest.mark.parametrize("sentinel", [True, False])
def test_the_sentinel_against_downgrades(pgseal, folder, sentinel):
    with faking(pgseal, folder, suites=(0x1301, 0x002f), highest=TLS13, sentinel=sentinel) as seen:
        assert seen["tls"]["versions"] == ["TLSv1.3", "TLSv1.2"]
        assert seen["tls"]["extensions"]["downgrade_sentinel"] == ("yes" if sentinel else "no")


def test_a_real_library_without_ems_and_etm_is_seen_so(pgseal, folder, monkeypatch):
    conf = folder / "openssl.cnf"
    conf.write_text("openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n"
                    "[all]\nOptions = -ExtendedMasterSecret,-EncryptThenMac\n")
    certificate(folder)
    with monkeypatch.context() as patch:
        patch.setenv("OPENSSL_CONF", str(conf))
        with peer(openssl_peer(folder, ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:@SECLEVEL=0"])) as target:
            _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["extensions"]["extended_master_secret"] == "no"
    assert seen["tls"]["extensions"]["encrypt_then_mac"] == "no"


@pytest.mark.parametrize("options,value", [(["-client_renegotiation"], "yes"), ([], "no")], ids=["allowed", "refused"])
def test_renegotiation_by_clients(pgseal, folder, options, value):
    certificate(folder)
    with peer(openssl_peer(folder, ["-tls1_2", *options])) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["extensions"]["client_renegotiation"] == value
    found = [one for one in messages(seen, "compression-or-renegotiation") if "renegotiate" in one]
    assert bool(found) == (value == "yes")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("offered", [True, False])
def test_resumption_is_seen_where_it_is_offered(pgseal, folder, version, offered):
    def change(context):
        if not offered:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0

    with peer(asking(certificate(folder), version, ssl.CERT_NONE, None, change)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["extensions"]["tickets"] == ("yes" if offered else "no")


# ---- certificates of clients ------------------------------------------------------------------------------

def asking(files, version, verify, roots, change=lambda context: None):
    """Answers a startup inside, so that it is seen to go on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = verify
    change(context)
    if verify:
        context.load_verify_locations(roots)

    def talk(link):
        data = link.recv(4096)
        link.sendall({SSL_REQUEST: b"S", GSSENC_REQUEST: b"N"}.get(data[4:8], ASKS))
        if data[4:8] == SSL_REQUEST:
            with context.wrap_socket(link, server_side=True) as inner:
                inner.recv(4096)
                inner.sendall(ASKS)
                inner.recv(1)
    return talk


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("verify,asked,demanded", [
    (ssl.CERT_NONE, "no", "no"), (ssl.CERT_OPTIONAL, "yes", "no"), (ssl.CERT_REQUIRED, "yes", "yes")])
def test_a_client_certificate_asked_for_and_one_demanded(pgseal, folder, version, verify, asked, demanded):
    roots, _ = certificate(folder, "client-ca", "the CA of clients")
    with peer(asking(certificate(folder), version, verify, roots)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["client_certificate_asked"] == asked
    assert seen["tls"]["client_certificate_demanded"] == demanded


# ---- signatures -----------------------------------------------------------------------------------------

OPENSSL_NAMES = {
    "rsa_pss_rsae_sha256": "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384": "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512": "rsa_pss_rsae_sha512", "rsa_pkcs1_sha256": "RSA+SHA256", "rsa_pkcs1_sha384": "RSA+SHA384",
    "rsa_pkcs1_sha512": "RSA+SHA512", "rsa_pkcs1_sha224": "RSA+SHA224", "rsa_pkcs1_sha1": "RSA+SHA1",
    "ecdsa_secp256r1_sha256": "ECDSA+SHA256", "ecdsa_secp384r1_sha384": "ECDSA+SHA384",
    "ecdsa_secp521r1_sha512": "ECDSA+SHA512", "ecdsa_sha224": "ECDSA+SHA224", "ecdsa_sha1": "ECDSA+SHA1",
    "ed25519": "ed25519",
}


def openssl_takes(where, version, scheme):
    """Does OpenSSL's client come to terms with this scheme alone?"""
    done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", where, version, "-sigalgs",
                           OPENSSL_NAMES[scheme], "-cipher", "ALL:@SECLEVEL=0"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    return "Peer signing digest" in done.stdout or "Peer signature type" in done.stdout


@pytest.mark.parametrize("key", [("rsa:2048",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                                 ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), ("ed25519",)],
                         ids=["RSA", "P-256", "P-384", "Ed25519"])
def test_the_schemes_of_signatures_are_those_that_openssl_finds(pgseal, make, folder, key):
    cluster = tls_server(make, folder, hba=TLS_HBA, files=certificate(folder, key=key))
    _, (target,) = scan(pgseal, at(cluster), args=["--all-ciphers"])
    found = target["tls"]["signature_schemes"]
    assert target["tls"]["signature_schemes_complete"] and target["connections"] <= 75
    for version, option in (("TLSv1.3", "-tls1_3"), ("TLSv1.2", "-tls1_2")):
        truth = {one for one in OPENSSL_NAMES if openssl_takes(at(cluster), option, one)}
        assert set(found[version]) == truth, version
    _, (short,) = scan(pgseal, at(cluster))
    assert not short["tls"]["signature_schemes_complete"]
    assert set(short["tls"]["signature_schemes"]["TLSv1.3"]) <= set(found["TLSv1.3"])


class Intolerant(Fake):
    """Refuses a hello for its version where it should have gone down, and takes the next one."""
    refuses = (TLS11,)

    def flight(self, hello):
        if hello.version in self.refuses:
            return record(21, b"\x02\x46")                              # protocol_version
        return super().flight(hello)


@pytest.mark.parametrize("refuses,found", [((TLS11,), "TLSv1"), ((TLS11, TLS10), "SSLv3")])
def test_a_version_below_a_refused_one_is_found(pgseal, folder, refuses, found):
    fake = Intolerant(certificate(folder)[0], suites=(0x002f, 0xc02f), lowest=SSL3)
    fake.refuses = refuses
    with peer(fake) as target:
        _, (seen,) = scan(pgseal, target)
    assert found in seen["tls"]["versions"]
    assert "tls-legacy-version" in ids(seen)


def cut_off_after(count, port):
    """Something on the way that lets so many connections through, and resets all others behind the S."""
    numbers = itertools.count()

    def talk(link):
        if next(numbers) >= count:
            if link.recv(8)[4:] == SSL_REQUEST:
                link.sendall(b"S")
                link.recv(16)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        with socket.create_connection(("127.0.0.1", port)) as inner:
            back = threading.Thread(target=pump, args=(inner, link), daemon=True)
            back.start()
            pump(link, inner)
            back.join(5)
    return talk


@pytest.mark.parametrize("count", [4, 6, 8])
def test_a_limit_that_cuts_everybody_off_is_no_refusal(pgseal, make, folder, count):
    cluster = tls_server(make, folder, hba=TLS_HBA)
    with peer(cut_off_after(count, cluster.port)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["grade"] == "not_graded"
    assert {"cipher-cbc", "tls-legacy-version"} <= unseen(seen) | ids(seen)
    assert seen["connections"] <= 25


def reads_short_hellos(target):
    """What stands before `target` refuses a hello of more than 128 suites, as some are known to."""
    host, port = target.split(":")

    def talk(link):
        if read_exact(link, 8)[4:] != SSL_REQUEST:
            return
        with socket.create_connection((host, int(port))) as inner:
            inner.sendall(struct.pack("!I", 8) + SSL_REQUEST)
            link.sendall(read_exact(inner, 1))
            head = read_exact(link, 5)
            body = read_exact(link, struct.unpack(">H", head[3:])[0])
            if len(Hello(body[4:]).suites) > 128:
                link.sendall(record(21, b"\x02\x28"))
                return
            inner.sendall(head + body)
            threading.Thread(target=pump, args=(inner, link), daemon=True).start()
            pump(link, inner)
    return talk


@pytest.mark.parametrize("newest", ["TLSv1.2", "TLSv1.3"])
def test_who_cannot_read_a_long_hello_is_asked_part_by_part(pgseal, folder, newest):
    certificate(folder)
    options = ["-cipher", "ALL:@SECLEVEL=0", *(["-no_tls1_3"] if newest == "TLSv1.2" else [])]
    with peer(openssl_peer(folder, options)) as server, peer(reads_short_hellos(server)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["versions"] == ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"][newest == "TLSv1.2":]
    assert {"tls-legacy-version", "cipher-null-anon", "cipher-no-fs", "cipher-cbc"} <= ids(seen)
