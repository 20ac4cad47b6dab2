"""pgseal scan tells PostgreSQL from what ends TLS before it: a gateway's own settings are found, whatever PostgreSQL
behind it could be trusted to have."""
import contextlib
import select
import socket
import ssl
import struct
import threading
import time

import pytest

import pg
from fake_tls import Fake, Hello, SSL_REQUEST, read_exact
from test_scan import TLS_HBA, at, certificate, ids, peer, pump, scan, tls_server, unseen

CERT_HBA = "local all all trust\nhostssl all all 127.0.0.1/32 cert\n"
ALLOW_CLIENT_RENEGOTIATION = 1 << 8
GATEWAY = struct.pack("!I", 8) + SSL_REQUEST


def relay(ours, theirs):
    """Both ways, of sockets that may be TLS's, by one thread."""
    ends = {ours: theirs, theirs: ours}
    with contextlib.suppress(OSError):
        while True:
            ready = [one for one in ends if one.pending()] or select.select(list(ends), [], [], 20)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                ends[one].sendall(data)


def behind(port):
    """The gateway's own connection to PostgreSQL: encrypted, and nothing verified."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(GATEWAY)
    assert link.recv(1) == b"S"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(link)


def gateway(port, context, fake=None, direct=False, keeps=False):
    """Ends TLS and begins it again; what comes in plaintext is passed on as it is.  `fake` answers hellos of TLS 1.2
    and before, `direct` takes TLS at once, `keeps` passes on what was glued to SSLRequest."""
    def talk(link):
        first = link.recv(8, socket.MSG_PEEK)
        if first[4:] == SSL_REQUEST:
            early = link.recv(4096)[8:]
            link.sendall(b"S")
            if fake:
                head = link.recv(4096, socket.MSG_PEEK)
                if not Hello(head[9:]).tls13:
                    read_exact(link, len(head))
                    link.sendall(fake.flight(Hello(head[9:])))
                    link.recv(4096)
                    return
        elif direct and first[:1] == b"\x16":
            early = b""
        else:
            with socket.create_connection(("127.0.0.1", port)) as inner:
                back = threading.Thread(target=pump, args=(inner, link), daemon=True)
                back.start()
                pump(link, inner)
                back.join(5)
            return
        with context.wrap_socket(link, server_side=True) as ours, behind(port) as theirs:
            if keeps and early:
                theirs.sendall(early)
            relay(ours, theirs)
    return talk


def tls_context(files, ciphers="ECDHE+AESGCM", lowest=ssl.TLSVersion.TLSv1_2, options=0):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if lowest != ssl.TLSVersion.TLSv1_2:
        with pytest.warns(DeprecationWarning):
            context.minimum_version = lowest
    # what gives a gateway away by itself is not what this is about
    context.options |= ssl.OP_NO_TICKET | options
    context.num_tickets = 0
    return context


FAULTS = {
    # what the gateway has -> the finding that must be there, and is not there without
    "TLS 1.0": (dict(lowest=ssl.TLSVersion.TLSv1, ciphers="ALL"), {}, "tls-legacy-version"),
    "CBC suites": (dict(ciphers="ECDHE+AES"), {}, "cipher-cbc"),
    "static RSA": (dict(ciphers="ECDHE+AESGCM:AES256-GCM-SHA384"), {}, "cipher-no-fs"),
    "renegotiation": (dict(options=ALLOW_CLIENT_RENEGOTIATION), {}, "compression-or-renegotiation"),
    "compression": ({}, dict(compression=True), "compression-or-renegotiation"),
    "direct TLS": ({}, dict(direct=True), "direct-tls-no-alpn"),
    "early bytes": ({}, dict(keeps=True), "stuffing-vulnerable"),
}


@pytest.mark.takes(8)
@pytest.mark.parametrize("method,major,same", [("scram", 15, False), ("scram", 18, True), ("cert", 18, False)])
def test_what_a_gateway_has_is_found_though_postgresql_behind_it_has_not(pgseal, make, folder, method, major, same):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    files = certificate(folder, "backend")
    cluster = tls_server(make, folder, major, files=files, hba=TLS_HBA if method == "scram" else CERT_HBA,
                         ssl_ca_file="server.crt" if method == "cert" else "", ssl_min_protocol_version="TLSv1.2",
                         ssl_ciphers="ECDHE+AESGCM")
    _, (alone,) = scan(pgseal, at(cluster))
    assert alone["tls"]["ends_at_postgresql"] == ("yes" if method == "scram" else "assumed")
    mine = files if same else certificate(folder, "gateway")
    for name, (settings, traits, finding) in FAULTS.items():
        assert finding not in ids(alone) | unseen(alone), name
        if traits.get("compression"):
            traits = dict(fake=Fake(mine[0], suites=(0xc02f, 0x1302), highest=0x0304, compression=True,
                                    session_id=True))
        with peer(gateway(cluster.port, tls_context(mine, **settings), **traits)) as target:
            _, (seen,) = scan(pgseal, target)
        assert seen["kind"] == "postgresql", name
        assert finding in ids(seen), (name, seen["tls"])
        # with the same certificate it is given away by its sessions
        assert seen["tls"]["ends_at_postgresql"] == ("no" if method == "scram" and not same else "unknown"), name


def test_a_gateway_of_tls13_alone_is_given_away_by_its_tickets(pgseal, make, folder):
    """It has the certificate of the server behind it, and takes TLS at once, which that server never did."""
    files = certificate(folder)
    cluster = tls_server(make, folder, 15, files=files, hba=TLS_HBA)
    context = tls_context(files)
    context.minimum_version, context.num_tickets = ssl.TLSVersion.TLSv1_3, 2
    context.options &= ~ssl.OP_NO_TICKET        # with it they are numbers, as old minor releases of PostgreSQL send
    with peer(gateway(cluster.port, context, direct=True)) as target:
        _, (seen,) = scan(pgseal, target)
    assert seen["tls"]["ends_at_postgresql"] == "unknown"
    assert "direct-tls-no-alpn" in ids(seen)


# ---- answers to the question who ends TLS that nobody should believe -----------------------------------------

OFFERS_BOTH = b"R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
LETS_IN = b"R\0\0\0\x08\0\0\0\0"


def goes_on(said=b"r=x,s=YWJj,i=4096"):
    return b"R" + struct.pack("!I", len(said) + 8) + b"\0\0\0\x0b" + said


def error(sqlstate, file, line, routine):
    fields = f"SFATAL\0VFATAL\0C{sqlstate}\0Mno pg_hba.conf entry\0F{file}\0L{line}\0R{routine}\0\0".encode()
    return b"E" + struct.pack("!I", len(fields) + 4) + fields


STRANGE = {
    # answers inside of TLS, one for each thing that we say behind the offer -> findings, who ends TLS
    "lets in without a proof": ([LETS_IN], {"trust-auth"}, "unknown"),
    "lets in without a proof, later": ([goes_on(), LETS_IN], {"trust-auth"}, "unknown"),
    "another certificate": ([goes_on(), error("28000", "auth-scram.c", 1, "read_client_final_message")], set(), "no"),
    "a proof that is none": ([goes_on(), error("08P01", "auth.c", 825, "read_any_attr")], set(), "unknown"),
    "a salt without an end": ([goes_on(b"r=x,s=" + b"A" * 20000), b""], set(), "unknown"),
    "silence": ([], set(), "unknown"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_answer_to_the_proof_proves_nothing(pgseal, folder, name):
    answers, findings, ends = STRANGE[name]
    context = tls_context(certificate(folder))

    def talk(link):
        request = link.recv(4096)[4:8]
        if request != SSL_REQUEST:
            link.sendall(b"N" if request == b"\x04\xd2\x16\x30" else error("28000", "auth.c", 1, "ClientAuthentication"))
            return
        link.sendall(b"S")
        with context.wrap_socket(link, server_side=True) as inner:
            for answer in [OFFERS_BOTH, *answers]:
                if not inner.recv(4096):
                    return
                inner.sendall(answer)
            while inner.recv(4096):
                pass

    began = time.monotonic()
    with peer(talk) as target:
        _, (seen,) = scan(pgseal, target, args=["--timeout", "1000"])
    assert {"trust-auth"} & ids(seen) == findings
    assert seen["tls"]["ends_at_postgresql"] == ends
    assert time.monotonic() - began < 30
