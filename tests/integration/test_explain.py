"""pgseal explain: every error of its table that can be provoked here is provoked, and named.

A case breaks one thing and gives what the client said and what the server's log said; `pgseal explain`
must name the right entry first for each of them.  The entries that the cases name are exactly those that the
table marks as provoked; the others are known by source only.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import pg
import provoke
from drivers import node_modules

CASES = []
BOTH = ("en", "es")


def case(client=None, server=None, majors=(15,), languages=BOTH, stopped=False):
    """The entries that must stand first for the client's text and for the server's."""
    def add(function):
        for major in majors:
            for language in languages if major == 15 else ("en",):      # the packaged server has Spanish
                name = f"{function.__name__}-pg{major}-{language}"
                CASES.append(pytest.param(function, major, language, client, server, stopped, id=name))
        return function
    return add


# ---- the client does not accept the server -----------------------------------------------------

EVERY = (12, 13, 14, 15, 16, 17, 18)


@case("server-cert-not-verified", "server-ca-unknown", majors=EVERY)
def a_root_that_the_client_does_not_have(lab):
    return lab.psql(sslrootcert=lab.pki["other.crt"])


@case("server-cert-not-verified", "server-cert-expired")
def an_expired_server(lab):
    lab.use_server("expired")
    lab.reload()
    return lab.psql()


@case("server-cert-not-verified", "server-cert-bad")
def a_server_certificate_of_tomorrow(lab):
    lab.use_server("early")
    lab.reload()
    return lab.psql()


@case("server-cert-not-verified", "server-cert-revoked")
def a_revoked_server(lab):
    return lab.psql(sslcrl=lab.pki["server-gone.crl"])


@case("server-cert-not-verified", "server-cert-not-for-servers")
def a_client_certificate_as_the_server_s(lab):
    lab.use_server("not-server")
    lab.reload()
    return lab.psql()


@case("server-name-mismatch")
def a_server_of_another_name(lab):
    lab.use_server("wrong-name")
    lab.reload()
    return lab.psql(server_says=False)


@case("server-cert-no-name")
def a_server_without_any_name(lab):
    lab.use_server("nameless")
    lab.reload()
    return lab.psql(server_says=False)


def url(lab, extra, host="localhost"):
    return f"jdbc:postgresql://{host}:{lab.cluster.port}/postgres?user=nobody&{extra}"


@case("server-ca-unknown", "server-cert-refused-by-java", languages=("en",))
def java_without_the_root(lab):
    other = lab.pki["other.crt"]
    return lab.both(lambda: provoke.jdbc(lab.folder, url(lab, f"sslmode=verify-full&sslrootcert={other}")))


@case("server-name-mismatch", languages=("en",))
def java_and_a_server_of_another_name(lab):
    lab.use_server("wrong-name")
    lab.reload()
    root = lab.pki["root.crt"]
    return provoke.jdbc(lab.folder, url(lab, f"sslmode=verify-full&sslrootcert={root}")), None


@case("server-cert-expired", languages=("en",))
def java_and_an_expired_server(lab):
    lab.use_server("expired")
    lab.reload()
    root = lab.pki["root.crt"]
    return provoke.jdbc(lab.folder, url(lab, f"sslmode=verify-full&sslrootcert={root}")), None


def js(lab, ssl):
    return provoke.node(node_modules(), f"{{host: 'localhost', port: {lab.cluster.port}, user: 'nobody', "
                                        f"database: 'postgres', ssl: {ssl}}}")


def ca_of(lab, name="root"):
    return f"ca: fs.readFileSync('{lab.pki[name + '.crt']}')"


@case("server-ca-unknown", languages=("en",))
def node_without_the_root(lab):
    return js(lab, "true"), None


@case("server-name-mismatch", languages=("en",))
def node_and_a_server_of_another_name(lab):
    lab.use_server("wrong-name")
    lab.reload()
    return js(lab, f"{{{ca_of(lab)}}}"), None


@case("server-cert-expired", languages=("en",))
def node_and_an_expired_server(lab):
    lab.use_server("expired")
    lab.reload()
    return js(lab, f"{{{ca_of(lab)}}}"), None


def go(lab, **params):
    params = {"user": "nobody", "sslmode": "verify-full", "sslrootcert": lab.pki["root.crt"],
              "host": "localhost", "gssencmode": None, **params}
    return provoke.lib_pq(lab.folder.parent, lab.cluster.dsn(**params))


@case("server-ca-unknown", "server-cert-bad", languages=("en",))
def go_without_the_root(lab):
    return lab.both(lambda: go(lab, sslrootcert=lab.pki["other.crt"]))


@case("server-name-mismatch", languages=("en",))
def go_and_a_server_of_another_name(lab):
    lab.use_server("wrong-name")
    lab.reload()
    return go(lab), None


@case("server-cert-cn-only", languages=("en",))
def go_and_a_server_with_a_common_name_only(lab):
    lab.use_server("cn-only")
    lab.reload()
    return go(lab), None


@case("server-cert-expired", languages=("en",))
def go_and_an_expired_server(lab):
    lab.use_server("expired")
    lab.reload()
    return go(lab), None


def python(lab, ssl):
    said = provoke.asyncpg(f"host='localhost', port={lab.cluster.port}, user='nobody', database='postgres', "
                           f"ssl={ssl}")
    return said


@case("server-ca-unknown", languages=("en",))
def asyncpg_without_the_root(lab):
    return python(lab, "ssl.create_default_context()"), None


@case("server-name-mismatch", languages=("en",))
def asyncpg_and_a_server_of_another_name(lab):
    lab.use_server("wrong-name")
    lab.reload()
    return python(lab, f"ssl.create_default_context(cafile='{lab.pki['root.crt']}')"), None


# ---- the server does not accept the client's certificate ---------------------------------------

@case("client-cert-revoked", "client-cert-revoked", majors=(16, 18), languages=("en",))
def a_revoked_client(lab):
    lab.put("all.crl", lab.pki["all.crl"].read_bytes())
    lab.settings(ssl_crl_file="all.crl")
    lab.reload()
    return lab.as_client("gone", user="gone")


@case("client-cert-revoked", "client-cert-not-verified")
def a_revoked_client_before_16(lab):
    return a_revoked_client(lab)


@case("client-cert-expired", "client-cert-expired", majors=(16, 18), languages=("en",))
def an_expired_client(lab):
    return lab.as_client("old", user="app")


@case("client-cert-expired", "server-crl-expired", majors=(16, 18), languages=("en",))
def an_expired_crl(lab):
    lab.put("late.crl", lab.pki["late.crl"].read_bytes())
    lab.settings(ssl_crl_file="late.crl")
    lab.reload()
    return lab.as_client("app", user="app")


@case("client-ca-unknown", "server-crl-missing", majors=(16, 18), languages=("en",))
def the_crl_of_the_root_is_missing(lab):
    lab.put("sub.crl", lab.pki["sub-only.crl"].read_bytes())
    lab.settings(ssl_crl_file="sub.crl")
    lab.reload()
    return lab.as_client("app", user="app")


@case("client-ca-unknown", "server-crl-missing", majors=(18,), languages=("en",))
def the_folder_of_crls_does_not_exist(lab):
    lab.settings(ssl_crl_dir="nowhere")
    lab.reload()
    return lab.as_client("app", user="app")


@case("client-ca-unknown", "client-ca-unknown", majors=(16, 18), languages=("en",))
def a_client_of_another_ca(lab):
    return lab.as_client("foreign", user="app")


@case("client-ca-unknown", "client-cert-self-signed", majors=(16, 18), languages=("en",))
def a_self_signed_client(lab):
    return lab.as_client("lonely", user="app")


@case("client-cert-not-for-clients", "client-cert-not-for-clients", majors=(16, 18), languages=("en",))
def a_server_certificate_as_the_client_s(lab):
    return lab.as_client("not-client", user="app")


@case("client-cert-weak", "client-cert-weak", majors=(16, 18), languages=("en",))
def a_client_certificate_of_tomorrow(lab):
    return lab.as_client("young", user="app")


@case("client-cert-revoked", languages=("en",))
def go_with_a_revoked_certificate(lab):
    lab.put("all.crl", lab.pki["all.crl"].read_bytes())
    # over 1.3 the client may be writing when the refusal comes, and see a reset alone
    lab.settings(ssl_crl_file="all.crl", ssl_max_protocol_version="TLSv1.2")
    lab.reload()
    return go(lab, user="gone", sslcert=lab.pki["gone.crt"], sslkey=lab.pki["gone.key"]), None


@case("client-ca-unknown", languages=("en",))
def node_with_a_certificate_of_another_ca(lab):
    files = (f"cert: fs.readFileSync('{lab.pki['foreign.crt']}'), "
             f"key: fs.readFileSync('{lab.pki['foreign.key']}'), maxVersion: 'TLSv1.2'")
    return js(lab, f"{{{ca_of(lab)}, {files}}}"), None


@case("client-cert-not-sent", "client-cert-not-sent", majors=EVERY)
def a_client_without_a_certificate(lab):
    return lab.psql(user="app")


@case("client-cert-role-mismatch", "client-cert-role-mismatch", majors=(15, 13, 18))
def a_certificate_of_another_role(lab):
    return lab.as_client("gone", user="app")


@case("client-cert-role-mismatch", "client-cert-no-name")
def a_certificate_without_a_name(lab):
    return lab.as_client("anonymous", user="app")


@case("authentication-failed", "clientcert-name-mismatch")
def verify_full_with_a_certificate_of_another_role(lab):
    return lab.as_client("app", user="named")


@case("client-cert-role-mismatch", "no-map-entry")
def a_map_without_the_name(lab):
    return lab.as_client("app", user="mapped")


@case("no-client-ca", "no-client-ca")
def certificates_wanted_without_a_ca(lab):
    lab.settings(ssl_ca_file=None)
    lab.reload()
    return lab.as_client("app", user="app")


# ---- before and during the handshake -----------------------------------------------------------

def without_tls(lab):
    lab.settings(ssl="off")
    lab.reload()


@case("server-without-tls")
def a_server_without_tls(lab):
    without_tls(lab)
    return lab.psql(server_says=False)


@case("server-without-tls", languages=("en",))
def java_and_a_server_without_tls(lab):
    without_tls(lab)
    return provoke.jdbc(lab.folder, url(lab, "sslmode=require")), None


@case("server-without-tls", languages=("en",))
def node_and_a_server_without_tls(lab):
    without_tls(lab)
    return js(lab, "true"), None


@case("server-without-tls", languages=("en",))
def go_and_a_server_without_tls(lab):
    without_tls(lab)
    return go(lab), None


@case("server-without-tls", languages=("en",))
def asyncpg_and_a_server_without_tls(lab):
    without_tls(lab)
    return python(lab, "'require'"), None


def ask_fake(lab, serve, **params):
    with provoke.fake_server(serve) as port:
        return lab.psql_text(port=port, **{"sslmode": "require", "sslrootcert": None, **params}), None


@case("not-postgresql")
def a_web_server(lab):
    return ask_fake(lab, provoke.answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"))


@case("error-before-tls")
def an_error_before_tls(lab):
    return ask_fake(lab, provoke.answers(b"ENo\n\0"))


@case(None, "unencrypted-data-injected", majors=(15, 18))
def bytes_behind_the_client_s_request(lab):
    return lab.both(lambda: provoke.tls_to(lab.cluster.port, first=provoke.STARTUP) and None)


@case("plaintext-in-handshake")
def plaintext_in_the_handshake(lab):
    return ask_fake(lab, two_steps(b"S", b"this is no TLS at all\n"))


def two_steps(first, second):
    def serve(connection):
        connection.recv(8)
        connection.sendall(first)
        connection.recv(4096)
        connection.sendall(second)
        time.sleep(0.2)
    return serve


@case("connection-lost")
def a_server_that_hangs_up(lab):
    def serve(connection):
        connection.recv(4096)
    return ask_fake(lab, serve, sslmode="disable")


@case("cannot-connect")
def nobody_listens(lab):
    return lab.psql_text(port=pg.free_port()), None


@case(None, "startup-packet-invalid")
def http_to_the_server(lab):
    def ask():
        with provoke.socket.create_connection(("127.0.0.1", lab.cluster.port), pg.PATIENCE) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            plain.recv(100)
    return lab.both(ask)


@case("handshake-cut", "startup-packet-invalid", languages=("en",))
def direct_tls_to_an_old_server(lab):
    return lab.psql(libpq=18, sslnegotiation="direct")


@case(None, "alpn-missing", majors=(17, 18), languages=("en",))
def direct_tls_without_alpn(lab):
    return lab.both(lambda: provoke.tls_to(lab.cluster.port, ask=False) and None)


@case("alpn-wrong", "alpn-wrong", majors=(17, 18), languages=("en",))
def direct_tls_with_another_protocol(lab):
    return lab.both(lambda: provoke.tls_to(lab.cluster.port, ask=False, alpn="http/1.1"))


@case("weak-sslmode", languages=("en",))
def a_weak_sslmode(lab):
    return lab.psql_text(libpq=18, sslrootcert="system", sslmode="require"), None


@case("weak-sslmode", languages=("en",))
def a_weak_sslmode_for_direct_tls(lab):
    return lab.psql_text(libpq=18, sslnegotiation="direct", sslmode="prefer"), None


@case("handshake-failure", "no-shared-cipher")
def suites_for_another_kind_of_key(lab):
    lab.settings(ssl_ciphers="ECDHE-RSA-AES256-GCM-SHA384", ssl_max_protocol_version="TLSv1.2")
    lab.reload()
    return lab.psql()


@case("handshake-failure", "no-shared-group")
def groups_that_the_client_does_not_have(lab):
    lab.settings(ssl_ecdh_curve="secp521r1")
    lab.reload()

    def ask():
        done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-groups", "X25519", "-tls1_3",
                               "-connect", f"127.0.0.1:{lab.cluster.port}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return done.stderr
    return lab.both(ask)


@case("protocol-version", "protocol-version")
def versions_that_do_not_meet(lab):
    lab.settings(ssl_min_protocol_version="TLSv1.3")
    lab.reload()
    return lab.psql(ssl_max_protocol_version="TLSv1.2")


@case("protocol-version", languages=("en",))
def node_with_versions_that_do_not_meet(lab):
    lab.settings(ssl_min_protocol_version="TLSv1.3")
    lab.reload()
    return js(lab, f"{{{ca_of(lab)}, maxVersion: 'TLSv1.2'}}"), None


@case("no-protocols-available")
def openssl_without_the_versions(lab):
    conf = lab.folder / "openssl.cnf"
    conf.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                    "MaxProtocol = TLSv1.1\n")
    return lab.psql_text(env={"OPENSSL_CONF": str(conf)}), None


@case("client-protocol-setting")
def a_client_with_an_empty_range(lab):
    return lab.psql_text(ssl_min_protocol_version="TLSv1.3", ssl_max_protocol_version="TLSv1.2"), None


@case("client-protocol-setting")
def a_client_with_a_version_that_is_none(lab):
    return lab.psql_text(ssl_min_protocol_version="TLSv9"), None


@case(None, "dh-key-too-small", stopped=True)
def small_dh_parameters(lab):
    lab.put("dh.pem", lab.pki["dh1024.pem"].read_bytes())
    lab.settings(ssl_dh_params_file="dh.pem")
    return None, lab.fail_to_start()


@case(None, "protocol-unknown", languages=("en",))
def a_request_for_tls_inside_of_tls(lab):
    return lab.both(lambda: provoke.tls_to(lab.cluster.port, inside=provoke.SSL_REQUEST) and None)


def only(log, *words):
    """The lines of a log that have one of these."""
    return "".join(line for line in log.splitlines(True) if any(word in line for word in words))


# ---- PgBouncer ---------------------------------------------------------------------------------

@contextlib.contextmanager
def pgbouncer(lab, **settings):
    """Its port and its log."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("pgbouncer is not installed")
    port, log = pg.free_port(), lab.folder / "pgbouncer.log"
    base = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any",
            "logfile": log, "server_login_retry": 1, "query_wait_timeout": 3,
            "client_tls_cert_file": lab.pki["server.crt"], "client_tls_key_file": lab.pki["server.key"],
            "client_tls_ca_file": lab.pki["root.crt"]}
    ini = lab.folder / "pgbouncer.ini"
    lines = "\n".join(f"{name} = {value}" for name, value in {**base, **settings}.items())
    ini.write_text(f"[databases]\n* = host=127.0.0.1 port={lab.cluster.port} user=nobody\n[pgbouncer]\n{lines}\n")
    who = {}
    if pg.AS_ROOT:
        who = {"user": pg.OWNER.pw_uid, "group": pg.OWNER.pw_gid, "extra_groups": []}
        for path in [lab.folder, ini]:
            pg.give(path)
    process = subprocess.Popen([program, ini], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
    try:
        pg.wait_for_listener(port, process)
        yield port, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(pg.PATIENCE)


@case("pooler-wants-tls", languages=("en",))
def pgbouncer_without_tls(lab):
    with pgbouncer(lab, client_tls_sslmode="require") as (port, _):
        return lab.psql_text(port=port, sslmode="disable"), None


@case("client-cert-demanded", languages=("en",))
def pgbouncer_without_a_client_certificate(lab):
    with pgbouncer(lab, client_tls_sslmode="verify-full") as (port, _):
        return lab.psql_text(port=port), None


@case(None, "pooler-tls-handshake", languages=("en",))
def pgbouncer_and_a_server_of_another_ca(lab):
    with pgbouncer(lab, server_tls_sslmode="verify-ca", server_tls_ca_file=lab.pki["other.crt"]) as (port, log):
        lab.psql_text(port=port, sslmode="disable")
        return None, pg.wait_until(lambda: only(log.read_text(), "TLS"), "the log has the error")


# ---- the client's own files and settings --------------------------------------------------------

@case("client-root-missing", "client-went-away")
def no_root(lab):
    return lab.psql(sslrootcert="/nowhere/root.crt")


@case("client-root-missing", languages=("en",))
def system_roots_with_libpq_15(lab):
    return lab.psql_text(sslrootcert="system"), None


@case("client-root-missing", languages=("en",))
def java_without_a_root_file(lab):
    return provoke.jdbc(lab.folder, url(lab, "sslmode=verify-full&sslrootcert=/nowhere/root.crt")), None


@case("client-root-not-pem")
def a_root_that_is_no_pem(lab):
    return lab.psql_text(sslrootcert=lab.pki["garbage.pem"]), None


@case("client-root-not-pem", languages=("en",))
def go_with_a_root_that_is_no_pem(lab):
    return go(lab, sslrootcert=lab.pki["garbage.pem"]), None


def with_pair(lab, cert, key, **params):
    return lab.psql_text(user="app", sslcert=lab.pki[cert], sslkey=lab.pki[key], **params), None


@case("client-cert-not-pem")
def a_client_certificate_in_der(lab):
    return with_pair(lab, "app.der", "app.key")


@case("client-own-cert-weak")
def a_client_certificate_of_1024_bits(lab):
    return with_pair(lab, "weak-client.crt", "weak-client.key")


@case("client-key-missing")
def a_certificate_without_its_key(lab):
    return with_pair(lab, "app.crt", "nowhere.key")


@case("client-key-mode")
def a_key_that_others_may_read(lab):
    return with_pair(lab, "app.crt", "open.key")


@case("client-key-mode", languages=("en",))
def go_with_a_key_that_others_may_read(lab):
    return go(lab, user="app", sslcert=lab.pki["app.crt"], sslkey=lab.pki["open.key"]), None


@case("key-not-file")
def a_key_that_is_a_folder(lab):
    return lab.psql_text(user="app", sslcert=lab.pki["app.crt"], sslkey=lab.folder), None


@case("key-of-another-certificate")
def the_key_of_another_certificate(lab):
    return with_pair(lab, "app.crt", "gone.key")


@case("key-of-another-certificate", languages=("en",))
def go_with_the_key_of_another_certificate(lab):
    return go(lab, user="app", sslcert=lab.pki["app.crt"], sslkey=lab.pki["gone.key"]), None


@case("key-passphrase-wrong")
def a_wrong_passphrase(lab):
    return with_pair(lab, "app.crt", "locked-app.key", sslpassword="wrong")


@case("key-unreadable")
def a_key_that_is_no_key(lab):
    (lab.folder / "garbage.key").write_text("no key\n")
    (lab.folder / "garbage.key").chmod(0o600)
    return lab.psql_text(user="app", sslcert=lab.pki["app.crt"], sslkey=lab.folder / "garbage.key"), None


@case("verified-host-missing")
def an_address_only(lab):
    return lab.psql_text(host=None, hostaddr="127.0.0.1"), None


@case("client-cert-not-asked", languages=("en",))
def a_certificate_that_nobody_asks_for(lab):
    lab.settings(ssl_ca_file=None)
    lab.reload()
    return lab.psql_text(libpq=18, sslcertmode="require", sslcert=lab.pki["app.crt"],
                         sslkey=lab.pki["app.key"]), None


@case("channel-binding-impossible", majors=(15, 18))
def binding_without_scram(lab):
    return lab.psql_text(channel_binding="require"), None


@case("channel-binding-impossible")
def binding_with_md5(lab):
    return lab.psql_text(user="hashed", password="secret", channel_binding="require"), None


@case("channel-binding-failed", "channel-binding-failed")
def a_gateway_with_a_certificate_of_its_own(lab):
    with provoke.fake_server(provoke.terminating_proxy(lab.pki, lab.cluster.port)) as port:
        return lab.psql(port=port, user="scram", password="secret")


@case("connection-option-unknown")
def a_word_that_libpq_15_does_not_know(lab):
    return lab.psql_text(sslnegotiation="direct"), None


@case("sslmode-invalid")
def a_word_of_node_s(lab):
    return lab.psql_text(sslmode="no-verify"), None


@case("sslmode-invalid", languages=("en",))
def java_with_a_word_of_node_s(lab):
    return provoke.jdbc(lab.folder, url(lab, "sslmode=no-verify")), None


@case("sslmode-invalid", languages=("en",))
def go_with_a_word_of_libpq_s(lab):
    return go(lab, sslmode="prefer"), None


@case("password-not-given")
def no_password(lab):
    return lab.psql_text(user="scram"), None


@case("password-not-given", languages=("en",))
def java_without_a_password(lab):
    return provoke.jdbc(lab.folder, f"jdbc:postgresql://localhost:{lab.cluster.port}/postgres?user=scram"
                                    "&sslmode=require"), None


# ---- pg_hba.conf decides ------------------------------------------------------------------------

@case("hba-no-entry-plaintext", "hba-no-entry-plaintext", majors=EVERY)
def plaintext_where_tls_is_wanted(lab):
    return lab.psql(sslmode="disable")


@case("hba-no-entry-tls", "hba-no-entry-tls", majors=EVERY)
def a_role_without_a_line(lab):
    return lab.psql(user="other")


@case("hba-no-entry-plaintext", "hba-no-entry-plaintext", majors=(15, 13), languages=("en",))
def replication_in_plaintext(lab):
    return lab.psql(sslmode="disable", replication="true")


@case("hba-rejects", "hba-rejects", majors=(15, 13))
def a_line_that_rejects(lab):
    return lab.psql(user="refused")


@case("password-failed", "password-failed")
def a_wrong_password(lab):
    return lab.psql(user="scram", password="wrong")


@case("role-missing", "role-missing")
def a_role_that_does_not_exist(lab):
    return lab.psql(user="ghost")


def hba_fault(lab, line):
    lab.cluster.write_hba(provoke.HBA.format(owner=pg.OWNER.pw_name) + line + "\n")
    return lab.reload()


@case(None, "hostssl-without-ssl")
def hostssl_while_ssl_is_off(lab):
    lab.settings(ssl="off")
    return None, lab.reload()


@case(None, "clientcert-invalid", majors=(15, 18))
def clientcert_of_old_guides(lab):
    return None, hba_fault(lab, "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=1")


@case(None, "hba-cert-needs-hostssl", majors=(15, 13))
def clientcert_on_a_host_line(lab):
    return None, hba_fault(lab, "host all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca")


@case(None, "hba-cert-needs-hostssl")
def cert_on_a_host_line(lab):
    return None, hba_fault(lab, "host all all 127.0.0.1/32 cert")


@case(None, "hba-line-invalid")
def a_method_that_does_not_exist(lab):
    return None, hba_fault(lab, "hostssl all all 127.0.0.1/32 sha256")


@case(None, "hba-line-invalid", majors=(15, 13))
def a_type_that_does_not_exist(lab):
    return None, hba_fault(lab, "hosttls all all 127.0.0.1/32 cert")


@case(None, "hba-not-loaded", majors=(15, 18))
def a_file_of_rules_that_was_not_taken(lab):
    return None, only(hba_fault(lab, "hosttls all all 127.0.0.1/32 cert"), "reloaded", "vuelto a cargar")


# ---- the server does not start ------------------------------------------------------------------

def broken(lab, **settings):
    lab.settings(**settings)
    return None, lab.fail_to_start()


@case(None, "server-cert-missing", stopped=True, majors=EVERY)
def no_certificate(lab):
    return broken(lab, ssl_cert_file="nowhere.crt")


@case(None, "server-cert-not-pem", stopped=True, majors=(15, 13, 18))
def a_certificate_in_der(lab):
    lab.put("server.crt", lab.pki["server.der"].read_bytes())
    return broken(lab)


@case(None, "server-own-cert-weak", stopped=True)
def a_certificate_of_1024_bits(lab):
    lab.use_server("weak")
    return broken(lab)


@case(None, "server-key-mode", stopped=True, majors=(15, 13, 18))
def a_server_key_that_others_may_read(lab):
    (lab.cluster.data / "server.key").chmod(0o644)
    return broken(lab)


@case(None, "server-key-owner", stopped=True)
def a_server_key_of_somebody_else(lab):
    if not pg.AS_ROOT:
        pytest.skip("only root can give a file away")
    os.chown(lab.cluster.data / "server.key", 1, 1)
    return broken(lab)


@case(None, "server-key-missing", stopped=True, majors=(15, 18))
def no_key(lab):
    return broken(lab, ssl_key_file="nowhere.key")


@case(None, "key-not-file", stopped=True)
def a_server_key_that_is_a_folder(lab):
    return broken(lab, ssl_key_file="base")


@case(None, "key-of-another-certificate", stopped=True, majors=EVERY)
def a_server_key_of_another_certificate(lab):
    lab.put("server.key", lab.pki["proxy.key"].read_bytes())
    return broken(lab)


@case(None, "key-unreadable", stopped=True)
def a_server_key_that_is_no_key(lab):
    lab.put("server.key", b"no key\n")
    return broken(lab)


@case(None, "key-passphrase-wrong", stopped=True, majors=(15, 18))
def a_wrong_passphrase_of_the_server_s_key(lab):
    lab.put("server.key", lab.pki["locked.key"].read_bytes())
    return broken(lab, ssl_passphrase_command="echo wrong")


@case(None, "key-passphrase-missing", stopped=True)
def no_passphrase_of_the_server_s_key(lab):
    lab.put("server.key", lab.pki["locked.key"].read_bytes())
    return broken(lab)


@case(None, "passphrase-command-failed", stopped=True)
def a_passphrase_command_that_fails(lab):
    lab.put("server.key", lab.pki["locked.key"].read_bytes())
    status, log = broken(lab, ssl_passphrase_command="false")
    return status, only(log, "command", "orden")


@case(None, "passphrase-blocks-reload", stopped=True, majors=(15, 18))
def a_passphrase_and_a_reload(lab):
    lab.put("server.key", lab.pki["locked.key"].read_bytes())
    lab.settings(ssl_passphrase_command="echo right")
    lab.start()
    return None, lab.reload()


@case(None, "ca-file-unusable", stopped=True, majors=(15, 13, 18))
def no_ca_file(lab):
    return broken(lab, ssl_ca_file="nowhere.crt")


@case(None, "crl-file-unusable", stopped=True, majors=(15, 13, 18))
def no_crl_file(lab):
    return broken(lab, ssl_crl_file="nowhere.crl")


@case(None, "ciphers-not-known", stopped=True)
def a_list_of_no_suites(lab):
    return broken(lab, ssl_ciphers="NO-SUCH-SUITE")


@case(None, "group-invalid", stopped=True, majors=(15, 13, 18))
def a_curve_that_does_not_exist(lab):
    return broken(lab, **{"ssl_groups" if lab.major >= 18 else "ssl_ecdh_curve": "prime17v1"})


@case(None, "protocol-range-invalid", stopped=True, majors=(15, 18))
def a_minimum_above_the_maximum(lab):
    return broken(lab, ssl_min_protocol_version="TLSv1.3", ssl_max_protocol_version="TLSv1.2")


@case(None, "dh-file-unusable", stopped=True)
def dh_parameters_that_are_none(lab):
    lab.put("dh.pem", b"none\n")
    return broken(lab, ssl_dh_params_file="dh.pem")


@case(None, "setting-not-known", stopped=True, majors=(15, 13))
def a_setting_of_18(lab):
    return broken(lab, ssl_groups="X25519")


@case(None, "setting-value-refused", stopped=True)
def a_version_that_does_not_exist(lab):
    return broken(lab, ssl_min_protocol_version="TLSv1.4")


@case(None, "setting-needs-restart")
def a_port_that_only_a_restart_takes(lab):
    lab.settings(port=pg.free_port())
    return None, lab.reload()


@case(None, "tls-not-reloaded", majors=(15, 18))
def a_reload_that_did_not_take_the_files(lab):
    lab.put("server.key", b"no key\n")
    return None, only(lab.reload(), "not reloaded", "no fue vuelta a cargar")


@case(None, "conf-not-taken")
def a_file_of_settings_with_errors(lab):
    lab.settings(ssl_min_protocol_version="TLSv1.4")
    return None, only(lab.reload(), "contains errors", "contiene errores")


# ---- the tests ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pki(root):
    return provoke.make_pki(root)


@pytest.fixture(scope="module")
def labs(make_shared, pki, root):
    """One running server for each major and language."""
    made = {}

    def get(major, language, folder):
        key = (major, language)
        if key not in made:
            made[key] = provoke.Lab(make_shared, pki, folder, major, language).start()
        lab = made[key]
        lab.folder = folder
        lab.reset()
        return lab
    return get


# ---- what pgseal confirms itself ------------------------------------------------------------------

CONFIRMED = {      # case: major, does the client say it?, what the evidence of a confirmed cause has
    the_crl_of_the_root_is_missing: (16, False, 'has no CRL of "/CN=Root"'),
    an_expired_crl: (16, False, "has expired"),
    a_client_of_another_ca: (16, False, '"/CN=Other Root" is not in'),
    a_server_of_another_name: (15, True, 'is for: elsewhere.test. The client asked for "127.0.0.1"'),
    an_expired_server: (15, False, "expired on"),
    a_client_certificate_as_the_server_s: (15, False, "has no serverAuth"),
    a_server_without_tls: (15, True, "ssl is off"),
    certificates_wanted_without_a_ca: (15, True, "ssl_ca_file is empty"),
    versions_that_do_not_meet: (15, True, "wants at least TLSv1.3, the client can do TLSv1.2"),
    plaintext_where_tls_is_wanted: (15, True, 'decides: hostssl  all  nobody'),
    a_role_without_a_line: (15, True, 'No line matches role "other" from 127.0.0.1 with TLS'),
    a_line_that_rejects: (15, True, "host     all  refused"),
    clientcert_of_old_guides: (15, False, "pg_hba.conf, line 11"),
    a_method_that_does_not_exist: (15, False, "pg_hba.conf, line 11"),
    hostssl_while_ssl_is_off: (15, False, "ssl is off"),
    no_certificate: (15, False, "does not exist"),
    a_server_key_that_others_may_read: (15, False, "has mode 0644"),
    a_server_key_of_somebody_else: (15, False, "belongs to user number 1"),
    a_server_key_of_another_certificate: (15, False, "is not that of the first certificate"),
    no_passphrase_of_the_server_s_key: (15, False, "ssl_passphrase_command is empty"),
    a_passphrase_and_a_reload: (15, False, "supports_reload is off"),
    a_setting_of_18: (15, False, "is there from PostgreSQL 18 on; this server is 15"),
    no_crl_file: (15, False, "does not exist"),
    a_minimum_above_the_maximum: (15, False, "ssl_min_protocol_version is TLSv1.3"),
}
STOPPED = {param.values[0] for param in CASES if param.values[5]}


def looked_at(pgseal, *where, text):
    result = pgseal("explain", "--format", "json", *where, "--", text)
    causes = result.json["answer"]["causes"]
    confirmed = [cause["evidence"] for cause in causes if cause["verdict"] == "confirmed"]
    assert result.status == (1 if confirmed else 0), result
    return causes, confirmed


@pytest.mark.parametrize("function", CONFIRMED, ids=lambda function: function.__name__)
def test_the_cause_is_confirmed_from_the_server_s_files_and_no_longer_when_it_is_cured(
        function, make, labs, pki, folder, pgseal):
    major, by_client, evidence = CONFIRMED[function]
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    stopped = function in STOPPED
    lab = provoke.Lab(make, pki, folder, major, "en") if stopped else labs(major, "en", folder)
    text = function(lab)[0 if by_client else 1]
    causes, confirmed = looked_at(pgseal, "-D", lab.cluster.data, text=text)
    assert any(evidence in one for one in confirmed), causes
    if not stopped:
        lab.reset()
        causes, confirmed = looked_at(pgseal, "-D", lab.cluster.data, text=text)
        if function not in (plaintext_where_tls_is_wanted, a_role_without_a_line, a_line_that_rejects,
                            a_client_of_another_ca):     # there the server is right
            assert not confirmed, causes


def test_plaintext_is_not_blamed_on_a_missing_line_where_tls_has_one(labs, folder, pgseal):
    lab = labs(15, "en", folder)
    causes, confirmed = looked_at(pgseal, "-D", lab.cluster.data, text=plaintext_where_tls_is_wanted(lab)[0])
    assert [cause["verdict"] for cause in causes[:2]] == ["confirmed", "ruled_out"], causes
    assert "With TLS" in confirmed[0]


def test_the_line_that_is_shown_is_the_one_that_decided(labs, folder, pgseal):
    """Who was refused for plaintext is not told of a line for TLS, and without a database of no line at all."""
    lab = labs(15, "en", folder)
    lab.cluster.write_hba("local all all peer\nhostnossl all nobody 127.0.0.1/32 reject\n"
                          "hostssl all nobody 127.0.0.1/32 cert\nhost all scram 127.0.0.1/32 scram-sha-256\n"
                          "host replication all 127.0.0.1/32 trust\n")
    lab.cluster.reload()
    said = lab.psql(user="nobody", sslmode="disable")[0]
    assert "no encryption" in said
    causes, confirmed = looked_at(pgseal, "-D", lab.cluster.data, text=said)
    assert len(confirmed) == 1 and "line 2 decides" in confirmed[0], causes
    said = lab.psql(user="scram", password="wrong")[0]
    causes, _ = looked_at(pgseal, "-D", lab.cluster.data, text=said)
    assert not any("decides" in (cause["evidence"] or "") for cause in causes), causes


def test_one_record_of_a_csvlog_or_jsonlog_is_read_as_its_message(pgseal):
    text = 'no pg_hba.conf entry for host "10.0.0.5", user "app", database "shop", no encryption'
    csv = ('2026-11-21 08:29:37.792 UTC,"app","shop",23681,"10.0.0.5:41234",6740a1b2.5c81,1,"authentication",'
           '2026-11-21 08:29:37 UTC,3/5,0,FATAL,28000,"{}",,,,,,,,,"","client backend",,0')
    for record in (csv.format(text.replace('"', '""')),
                   json.dumps({"timestamp": "2026-11-21 08:29:37.792 UTC", "user": "app", "error_severity": "FATAL",
                               "state_code": "28000", "message": text})):
        for given in (["--", record], ["-"]):
            answer = pgseal("explain", "--format", "json", *given, input=record).json["answer"]
            assert answer["id"] == "hba-no-entry-plaintext", (record, answer)


def test_causes_are_confirmed_by_sql(labs, folder, pgseal_as_owner):
    lab = labs(15, "en", folder)
    said, _ = a_server_of_another_name(lab)
    target = f"host={lab.cluster.sockets} port={lab.cluster.port} user={pg.OWNER.pw_name} dbname=postgres"
    causes, confirmed = looked_at(pgseal_as_owner, "--target", target, text=said)
    assert any("elsewhere.test" in one for one in confirmed), causes


# ---- logs -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("prefix", ["%m [%p] ", "%t:%r:%u@%d:[%p]:", "%m [%p]: user=%u,db=%d,client=%h ",
                                    "<%e> %u %d %h | %m "])
def test_a_log_with_any_prefix_is_summed_up(make, pki, folder, pgseal, prefix):
    lab = provoke.Lab(make, pki, folder, 15, "en")
    lab.settings(log_line_prefix=prefix)
    lab.start()
    check_summary(lab, pgseal, lab.cluster.log_file)


@pytest.mark.parametrize("kind", ["csvlog", "jsonlog"])
def test_a_log_in_records_is_summed_up(make, pki, folder, pgseal, kind):
    lab = provoke.Lab(make, pki, folder, 15, "en")
    lab.settings(logging_collector="on", log_destination=kind)
    lab.start()
    ending = kind[:-3]
    check_summary(lab, pgseal, lambda: next((lab.cluster.data / "log").glob(f"*.{ending}")))


def check_summary(lab, pgseal, log):
    for _ in range(3):
        lab.psql_text(user="other")
    lab.psql_text(sslmode="disable")
    lab.psql_text(sslrootcert=lab.pki["other.crt"])
    lab.cluster.settle()

    def summary():
        found = pgseal("explain", "--log", log() if callable(log) else log, "-D", lab.cluster.data, "--format",
                       "json").json
        return found if sum(row["count"] for row in found["errors"]) >= 5 else None
    found = pg.wait_until(summary, "the collector of the log has written all", 0.1)
    counts = {row["id"]: row["count"] for row in found["errors"]}
    assert counts == {"hba-no-entry-tls": 3, "hba-no-entry-plaintext": 1, "server-ca-unknown": 1}
    assert found["errors"][0]["first"] and found["errors"][0]["last"] >= found["errors"][0]["first"]
    first = found["roles"][0]
    assert (first["count"], first["role"], first["database"]) == (3, "other", "postgres")
    assert {"127.0.0.1"} == {row["address"] for row in found["addresses"]}
    assert set(found["answers"]) == set(counts)


# ---- the first answer -----------------------------------------------------------------------------

def first_answer(pgseal, text):
    result = pgseal("explain", "--format", "json", "--", text)
    return result.json["answer"]["id"] if result.json.get("known") else f"not known: {text}"


@pytest.mark.parametrize("function, major, language, client, server, stopped", CASES)
def test_what_is_provoked_is_named_first(function, major, language, client, server, stopped, make, labs, pki,
                                         folder, pgseal):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    if language == "es" and not pathlib.Path("/usr/share/locale/es/LC_MESSAGES/postgres-15.mo").exists():
        pytest.skip("the server's Spanish messages are not installed")
    lab = provoke.Lab(make, pki, folder, major, language) if stopped else labs(major, language, folder)
    client_said, server_said = function(lab)
    if client and client_said is None:
        pytest.skip("the driver is not on this machine")
    for expected, said in ((client, client_said), (server, server_said)):
        if expected:
            assert first_answer(pgseal, said) == expected, said


def table(pgseal):
    return {row["id"]: row for row in pgseal("explain", "--list", "--format", "json", ok=True).json["list"]}


def test_what_the_table_marks_as_provoked_is_what_is_provoked_here(pgseal, record_property):
    marked = {name for name, row in table(pgseal).items() if row["known_how"] == "provoked"}
    provoked = {entry for param in CASES for entry in param.values[3:5] if entry}
    record_property("says", f"{len(table(pgseal))} errors are known: {len(marked)} provoked in {len(CASES)} "
                            f"cases, {len(table(pgseal)) - len(marked)} by source only")
    assert marked == provoked
