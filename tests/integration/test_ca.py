"""pgseal ca: the private CA by hand, each verb as a user calls it, its files read by the openssl
command line and by PostgreSQL."""
import os
import pathlib
import pty
import re
import shutil
import signal
import stat
import subprocess

import pytest

import pg

LONG = "ñ" * 31 + "x"                   # 63 bytes: the longest name that PostgreSQL keeps
ROLES = ["app", "App User", "o'brien", 'say "hi"', "josé", "$(reboot)", "`id`;rm -rf /", "*", "a/b",
         "../../etc", "-rf", "%s%n", "\u202eevil\u202c", "a\nb", "a\x01b", LONG]
BAD_ROLES = {"": "needs the name of a role", LONG + "y": "It has 64 bytes; PostgreSQL keeps 63",
             "x" * 10000: "It has 10000 bytes; PostgreSQL keeps 63"}


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **kwargs)


def serial_of(path):
    return openssl("x509", "-noout", "-serial", "-in", path).stdout.strip().split("=")[1].lower()


@pytest.fixture
def ca(folder, pgseal):
    path = folder / "ca"
    pgseal("ca", "init", "--ca", path, "--no-passphrase", ok=True)
    return path


# ---- init -------------------------------------------------------------------------------------

def test_init_without_a_terminal_asks_for_a_decision(folder, program):
    done = subprocess.run([program, "ca", "init", "--ca", folder / "ca"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, start_new_session=True)
    assert done.returncode == 2
    assert "there is no terminal" in done.stderr and "--no-passphrase" in done.stderr
    assert not (folder / "ca").exists()


def test_init_asks_on_a_terminal_and_encrypts_the_root_key(folder, program):
    """The passphrase is asked for twice on the terminal, and not echoed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program, [str(program), "ca", "init", "--ca", str(folder / "ca")])
    said = b""
    while b"ENCRYPTED" not in said:
        try:
            part = os.read(terminal, 1000)
        except OSError:
            break
        said += part
        if part.rstrip().endswith(b":"):
            os.write(terminal, b"correct horse\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, said
    assert b"correct horse" not in said
    key = (folder / "ca/root.key").read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in key
    good = openssl("pkey", "-noout", "-in", folder / "ca/root.key", "-passin", "pass:correct horse")
    assert good.returncode == 0, good.stderr


def test_init_takes_the_passphrase_from_a_descriptor(folder, program):
    read, write = os.pipe()
    os.write(write, b"s3cret\n")
    os.close(write)
    subprocess.run([program, "ca", "init", "--ca", folder / "ca", "--passphrase-fd", str(read)],
                   pass_fds=[read], check=True, capture_output=True)
    assert openssl("pkey", "-noout", "-in", folder / "ca/root.key", "-passin",
                   "pass:s3cret").returncode == 0


@pytest.mark.parametrize("key_type, text", [("ec:p256", "prime256v1"), ("ec:p384", "secp384r1"),
                                            ("rsa:2048", "2048 bit")])
def test_init_makes_keys_of_the_type_that_was_asked_for(folder, pgseal, key_type, text):
    pgseal("ca", "init", "--ca", folder / "ca", "--key-type", key_type, "--no-passphrase", ok=True)
    for name in ("root", "server-ca", "client-ca"):
        shown = openssl("x509", "-noout", "-text", "-in", folder / f"ca/{name}.crt").stdout
        assert text in shown


def test_init_leaves_what_is_there_alone(ca, pgseal):
    before = (ca / "root.key").read_bytes()
    again = pgseal("ca", "init", "--ca", ca, "--no-passphrase", "--format", "json")
    assert again.status == 3 and again.json["error"]["code"] == "exists"
    assert again.json["schema"] == "pgseal.ca_init/1"
    assert (ca / "root.key").read_bytes() == before


# ---- issue ------------------------------------------------------------------------------------

def test_a_client_logs_in_unless_he_is_revoked_or_on_hold(ca, folder, make, pgseal):
    """The whole life: server and client by hand, login, hold, release, revocation, list, reload."""
    cluster = make.plain()
    pgseal("ca", "issue", "server", "--host", "localhost", "--host", "127.0.0.1", "--ca", ca,
           "--out", folder / "server", ok=True)
    pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    cluster.role("app")
    for name in ("server.crt", "server.key", "root.crt", "root.crl"):
        cluster.write(cluster.dir / name, (folder / "server" / name).read_bytes())
    cluster.set(ssl="on", ssl_cert_file=cluster.dir / "server.crt",
                ssl_key_file=cluster.dir / "server.key", ssl_ca_file=cluster.dir / "root.crt",
                ssl_crl_file=cluster.dir / "root.crl")
    cluster.write_hba("local all all peer\nhostssl all all 127.0.0.1/32 cert\n")
    cluster.reload()

    kit = folder / "app"
    dsn = cluster.dsn(user="app", sslmode="verify-full", sslcert=kit / "postgresql.crt",
                      sslkey=kit / "postgresql.key", sslrootcert=kit / "root.crt",
                      sslcrl=kit / "root.crl")
    assert cluster.psql(dsn, "select current_user").stdout == "app\n"

    def bring():
        pgseal("ca", "crl", "--ca", ca, "--out", folder / "new.crl", ok=True)
        cluster.write(cluster.dir / "root.crl", (folder / "new.crl").read_bytes())
        cluster.reload()

    def revoke(reason, expected=0):
        done = pgseal("ca", "revoke", "--ca", ca, "--cert", kit / "postgresql.crt", "--reason", reason)
        assert done.status == expected, done
        return done

    revoke("certificateHold")
    assert cluster.psql(dsn).returncode == 0, "the server has not seen the new list yet"
    bring()
    refused = cluster.psql(dsn)
    assert refused.returncode != 0 and "revoked" in refused.stderr
    assert "Certificate Hold" in openssl("crl", "-in", ca / "client-ca.crl", "-noout", "-text").stdout
    held = pgseal("ca", "list", "--ca", ca, "--state", "held", "--format", "json", ok=True).json
    assert [(c["name"], c["state"], c["reason"]) for c in held["certificates"]] == [
        ("app", "revoked", "certificateHold")]
    assert "pgseal ca release" in revoke("removeFromCRL", expected=2).err

    released = pgseal("ca", "release", "--ca", ca, "--role", "app", "--format", "json", ok=True).json
    assert released["schema"] == "pgseal.ca_release/1" and released["released"] == 1
    bring()
    assert cluster.psql(dsn, "select current_user").stdout == "app\n"
    assert pgseal("ca", "release", "--ca", ca, "--role", "app").status == 3

    revoke("certificateHold")
    revoke("keyCompromise")         # a hold may become final, and nothing takes that back
    bring()
    refused = cluster.psql(dsn)
    assert refused.returncode != 0 and "revoked" in refused.stderr
    final = pgseal("ca", "release", "--ca", ca, "--cert", kit / "postgresql.crt")
    assert final.status == 4 and "not on hold" in final.err
    acts = pgseal("ca", "log", "--ca", ca, "--format", "json", ok=True).json["acts"]
    assert [a["act"] for a in acts if a["act"] in ("revoke", "release", "hold-end")][-5:] == [
        "revoke", "release", "revoke", "hold-end", "revoke"]
    assert pgseal("ca", "verify", "--ca", ca).status == 0


def test_an_authority_is_not_put_on_hold(ca, pgseal):
    done = pgseal("ca", "revoke", "--ca", ca, "--authority", "client-ca", "--reason", "certificateHold")
    assert done.status == 2 or done.status == 3, done
    assert "on hold" in done.err


@pytest.mark.parametrize("role", ROLES, ids=ascii)
def test_a_role_is_in_the_certificate_exactly(ca, folder, pgseal, role):
    out = pgseal("ca", "issue", "client", "--ca", ca, "--out", folder / "x", "--format", "json",
                 "--", role, ok=True).json
    assert out["common_name"] == role
    shown = openssl("x509", "-noout", "-subject", "-nameopt", "multiline,utf8,-esc_msb,-esc_ctrl",
                    "-in", folder / "x/postgresql.crt").stdout
    assert f"commonName                = {role}\n" in shown


@pytest.mark.parametrize("role", BAD_ROLES, ids=lambda role: ascii(role[:8]))
def test_a_role_that_cannot_be_is_refused_and_nothing_is_written(ca, folder, pgseal, role):
    result = pgseal("ca", "issue", "client", "--ca", ca, "--out", folder / "x", "--", role)
    assert result.status != 0 and BAD_ROLES[role] in result.err
    assert not (folder / "x/postgresql.crt").exists()


@pytest.mark.parametrize("host", ["", "a b", "$(id)", "a\nb", "*", "\u202eevil", "x" * 10000, "a..b"],
                         ids=lambda host: ascii(host[:8]))
def test_a_host_that_cannot_be_is_refused(ca, folder, pgseal, host):
    result = pgseal("ca", "issue", "server", "--host", host, "--ca", ca, "--out", folder / "x")
    assert result.status != 0
    assert not (folder / "x/server.crt").exists()


def test_keys_are_closed_and_files_are_not_overwritten(ca, folder, pgseal):
    usual = os.umask(0)
    try:
        pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    finally:
        os.umask(usual)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder / "app").iterdir()}
    assert modes["postgresql.key"] == modes["postgresql.pk8"] == 0o600
    assert stat.S_IMODE((folder / "app").stat().st_mode) == 0o700
    before = (folder / "app/postgresql.key").read_bytes()
    again = pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app")
    assert again.status == 3 and "exists already" in again.err
    assert (folder / "app/postgresql.key").read_bytes() == before


def test_a_key_can_be_encrypted(ca, folder, program):
    read, write = os.pipe()
    os.write(write, b"s3cret\n")
    os.close(write)
    subprocess.run([program, "ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app",
                    "--key-passphrase-fd", str(read)], pass_fds=[read], check=True,
                   capture_output=True)
    key = folder / "app/postgresql.key"
    assert "BEGIN ENCRYPTED PRIVATE KEY" in key.read_text()
    assert openssl("pkey", "-noout", "-in", key, "-passin", "pass:s3cret").returncode == 0
    assert not (folder / "app/postgresql.pk8").exists()


def test_days_end_with_the_issuer(ca, folder, pgseal):
    pgseal("ca", "issue", "client", "app", "--days", "20000", "--ca", ca, "--out", folder / "app",
           ok=True)
    end = openssl("x509", "-noout", "-enddate", "-in", folder / "app/postgresql.crt").stdout
    assert end == openssl("x509", "-noout", "-enddate", "-in", ca / "client-ca.crt").stdout


# ---- revocation lists and bundles -------------------------------------------------------------

def test_lists_are_complete_and_openssl_finds_them_in_the_folder(ca, folder, pgseal):
    pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    out = pgseal("ca", "crl", "--ca", ca, "--dir", folder / "crl.d", "--out", folder / "root.crl",
                 "--format", "json", ok=True).json
    assert out["schema"] == "pgseal.ca_crl/1" and len(out["crls"]) == 2
    names = sorted(p.name for p in (folder / "crl.d").iterdir())
    assert len(names) == 2 and all(re.fullmatch(r"[0-9a-f]{8}\.r0", name) for name in names)
    pgseal("ca", "export", "--ca", ca, "--ca-file", folder / "ca.crt", ok=True)
    shutil.copy(ca / "root.crt", folder / "crl.d" / (openssl(
        "x509", "-noout", "-hash", "-in", ca / "root.crt").stdout.strip() + ".0"))
    good = openssl("verify", "-crl_check_all", "-x509_strict", "-CApath", folder / "crl.d",
                   "-no-CAfile", "-untrusted", folder / "app/postgresql.crt", "-purpose", "sslclient",
                   folder / "app/postgresql.crt")
    assert good.returncode == 0, good.stderr
    pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "app/postgresql.crt", ok=True)
    pgseal("ca", "crl", "--ca", ca, "--dir", folder / "crl.d", ok=True)
    bad = openssl("verify", "-crl_check_all", "-CApath", folder / "crl.d", "-no-CAfile", "-untrusted",
                  folder / "app/postgresql.crt", folder / "app/postgresql.crt")
    assert "certificate revoked" in bad.stderr


def test_crl_numbers_grow(ca, folder, pgseal):
    def number():
        return {row["issuer"]: row["number"] for row in pgseal(
            "ca", "crl", "--ca", ca, "--force", "--format", "json", ok=True).json["crls"]}
    first, second = number(), number()
    assert first.keys() == second.keys() and all(second[name] > first[name] for name in first)


@pytest.mark.parametrize("reason, text", [("keyCompromise", "Key Compromise"),
                                          ("superseded", "Superseded"),
                                          ("cessationofoperation", "Cessation Of Operation")])
def test_the_reason_is_in_the_list(ca, folder, pgseal, reason, text):
    pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "app/postgresql.crt", "--reason", reason,
           ok=True)
    shown = openssl("crl", "-noout", "-text", "-in", ca / "client-ca.crl").stdout
    assert serial_of(folder / "app/postgresql.crt").upper() in shown and text in shown


# ---- the ledger asked ------------------------------------------------------------------------

@pytest.fixture
def site(ca, folder, pgseal):
    """Two roles, one of them with two certificates, and a server."""
    for role, name, days in (("app", "app", 300), ("app", "app2", 301), ("josé", "jose", 300)):
        pgseal("ca", "issue", "client", role, "--days", days, "--ca", ca, "--out", folder / name,
               ok=True)
    pgseal("ca", "issue", "server", "--host", "db1.example.net", "--host", "192.0.2.7", "--ca", ca,
           "--out", folder / "db1", ok=True)

    def listed(*args):
        out = pgseal("ca", "list", "--ca", ca, "--format", "json", *args, ok=True).json
        assert out["schema"] == "pgseal.ca_list/1"
        return out["certificates"]
    return listed


def test_list_has_all_and_filters(site, folder):
    everything = site()
    assert [c["kind"] for c in everything].count("client") == 3
    assert {c["serial"] for c in site("--role", "app")} == {
        serial_of(folder / f"{name}/postgresql.crt") for name in ("app", "app2")}
    assert [c["name"] for c in site("--kind", "client", "--newest", "--sort", "name",
                                    "--descending")] == ["josé", "app"]
    server, = site("--host", "DB1.example.net")
    assert server["hosts"] == "db1.example.net, 192.0.2.7" and server["state"] == "valid"
    assert site("--expires-within", "10") == [] and len(site("--limit", "2")) == 2
    assert [c["kind"] for c in site("--state", "revoked")] == ["proof"]
    assert [c["kind"] for c in site("--authority", "server-ca")] == ["server"]
    assert {c["kind"] for c in site("--authority", "root")} == {"root", "server-ca", "client-ca"}


def test_a_serial_number_stays_in_one_piece_for_people(site, ca, folder, pgseal):
    text = pgseal("ca", "list", "--ca", ca, ok=True).out
    assert serial_of(folder / "app/postgresql.crt") in text and "proof" in text


def test_list_as_csv_is_one_row_each(site, ca, pgseal):
    lines = pgseal("ca", "list", "--ca", ca, "--kind", "client", "--format", "csv",
                   ok=True).out.splitlines()
    assert lines[0].startswith("table,kind,name,") and len(lines) == 4


@pytest.mark.parametrize("which", ["serial", "cert", "host"])
def test_one_certificate_is_shown_and_revoked_by_any_of_its_names(site, ca, folder, pgseal, which):
    path = folder / ("db1/server.crt" if which == "host" else "app/postgresql.crt")
    serial = serial_of(path)
    names = {"serial": ":".join(serial.upper()[i:i + 2] for i in range(0, len(serial), 2)),
             "cert": path, "host": "192.0.2.7"}
    args = ["--ca", ca, f"--{which}", names[which], "--format", "json"]
    shown = pgseal("ca", "show", *args, ok=True).json
    assert (shown["serial"], shown["state"]) == (serial, "valid")
    assert shown["pem"].strip() in path.read_text()
    assert pgseal("ca", "revoke", *args, "--reason", "superseded", ok=True).json["revoked"] == 1
    again = pgseal("ca", "show", "--ca", ca, "--serial", serial, "--format", "json", ok=True).json
    assert (again["state"], again["reason"]) == ("revoked", "superseded")


def test_a_role_loses_all_its_certificates(site, ca, folder, pgseal):
    out = pgseal("ca", "revoke", "--ca", ca, "--role", "app", "--format", "json", ok=True).json
    assert out["revoked"] == 2
    shown = openssl("crl", "-noout", "-text", "-in", ca / "client-ca.crl").stdout.lower()
    assert all(serial_of(folder / f"{name}/postgresql.crt") in shown for name in ("app", "app2"))
    assert [c["name"] for c in site("--kind", "client", "--state", "valid")] == ["josé"]
    assert pgseal("ca", "revoke", "--ca", ca, "--role", "app").status == 3


@pytest.mark.parametrize("name", ["nobody", "", "app'; drop table cert; --", "x" * 10000, "APP"],
                         ids=lambda name: ascii(name[:8]))
def test_a_role_that_has_none_is_not_found(site, ca, pgseal, name):
    result = pgseal("ca", "show", "--ca", ca, "--role", name)
    assert result.status == 3 and "has issued no such certificate" in result.err
    assert len(site("--role", "app")) == 2


@pytest.mark.parametrize("serial", ["", "xyz", "12 34", "1" * 41, "-1"], ids=ascii)
def test_what_is_no_serial_number_is_refused(site, ca, pgseal, serial):
    result = pgseal("ca", "revoke", "--ca", ca, "--serial", serial)
    assert result.status == 2 and "is no serial number" in result.err


def test_an_authority_is_not_revoked_by_accident(ca, pgseal):
    result = pgseal("ca", "revoke", "--ca", ca, "--cert", ca / "client-ca.crt")
    assert result.status == 4 and "--authority" in result.err


def test_expiring_says_so_by_its_status(site, ca, pgseal):
    assert pgseal("ca", "expiring", "--ca", ca, "--days", "5").status == 0
    soon = pgseal("ca", "expiring", "--ca", ca, "--days", "400", "--format", "json")
    assert soon.status == 1
    assert [c["name"] for c in soon.json["certificates"]].count("app") == 1, "only the newest"


# ---- the next certificate ---------------------------------------------------------------------

def test_renew_keeps_the_key_and_rekey_does_not(site, ca, folder, pgseal):
    def public():
        return openssl("x509", "-noout", "-pubkey", "-in", folder / "db1/server.crt").stdout
    first, names = public(), "DNS:db1.example.net, IP Address:192.0.2.7"
    before = serial_of(folder / "db1/server.crt")
    pgseal("ca", "renew", "--ca", ca, "--host", "db1.example.net", "--out",
           folder / "db1/server.crt", ok=True)
    assert public() == first and serial_of(folder / "db1/server.crt") != before
    pgseal("ca", "rekey", "--ca", ca, "--host", "db1.example.net", "--out", folder / "db1",
           "--revoke", ok=True)
    assert public() != first
    assert public() == openssl("pkey", "-pubout", "-in", folder / "db1/server.key").stdout
    shown = openssl("x509", "-noout", "-text", "-in", folder / "db1/server.crt").stdout
    assert names in shown
    assert len(site("--host", "192.0.2.7", "--state", "revoked")) == 1


def test_a_revoked_certificate_is_not_renewed(site, ca, folder, pgseal):
    pgseal("ca", "revoke", "--ca", ca, "--cert", folder / "jose/postgresql.crt", ok=True)
    result = pgseal("ca", "renew", "--ca", ca, "--cert", folder / "jose/postgresql.crt", "--out",
                    folder / "x.crt")
    assert result.status == 4 and not (folder / "x.crt").exists()


# ---- requests of others -----------------------------------------------------------------------

def request(folder, subject, *extensions, key=("-newkey", "rsa:2048"), form="PEM"):
    path = folder / "some.csr"
    done = openssl("req", "-new", *key, "-nodes", "-keyout", folder / "some.key", "-utf8", "-subj",
                   subject, *(w for e in extensions for w in ("-addext", e)), "-out", path,
                   "-outform", form)
    assert done.returncode == 0, done.stderr
    return path


def test_only_what_the_profile_allows_is_taken_from_a_request(ca, folder, pgseal):
    path = request(folder, "/O=Evil/CN=app", "basicConstraints=critical,CA:TRUE",
                   "extendedKeyUsage=serverAuth", "subjectAltName=DNS:db1,email:a@example.net")
    out = pgseal("ca", "sign", path, "--kind", "client", "--role", "app", "--ca", ca, "--out",
                 folder / "app.crt", "--format", "json", ok=True).json
    assert len(out["ignored"]) == 4
    shown = openssl("x509", "-noout", "-text", "-in", folder / "app.crt").stdout
    assert "CA:FALSE" in shown and "TLS Web Client Authentication" in shown
    for word in ("CA:TRUE", "Evil", "db1", "example.net", "Server Authentication"):
        assert word not in shown


def test_a_request_for_another_role_is_refused(ca, folder, pgseal):
    path = request(folder, "/CN=postgres")
    result = pgseal("ca", "sign", path, "--kind", "client", "--role", "app", "--ca", ca, "--out",
                    folder / "app.crt")
    assert result.status == 2 and "another role" in result.err
    assert not (folder / "app.crt").exists()


@pytest.mark.parametrize("dress", ["pem", "der", "windows"])
def test_requests_come_in_every_dress(ca, folder, pgseal, dress):
    path = request(folder, "/CN=db1.example.net", "subjectAltName=DNS:db1.example.net,IP:192.0.2.7",
                   form="DER" if dress == "der" else "PEM")
    if dress == "windows":
        path.write_bytes(path.read_bytes().replace(b"CERTIFICATE REQ", b"NEW CERTIFICATE REQ")
                         .replace(b"\n", b"\r\n"))
    pgseal("ca", "sign", path, "--kind", "server", "--ca", ca, "--out", folder / "db1.crt", ok=True)
    good = openssl("verify", "-CAfile", ca / "root.crt", "-untrusted", folder / "db1.crt",
                   "-purpose", "sslserver", "-verify_hostname", "db1.example.net",
                   folder / "db1.crt")
    assert good.returncode == 0, good.stderr


def test_a_weak_or_damaged_request_is_refused(ca, folder, pgseal):
    path = request(folder, "/CN=app", key=("-newkey", "rsa:1024"))
    args = ["--kind", "client", "--ca", ca, "--out", folder / "app.crt"]
    assert "too weak" in pgseal("ca", "sign", path, *args).err
    path = request(folder, "/CN=app", form="DER")
    path.write_bytes(path.read_bytes().replace(b"app", b"apq"))
    assert "signature of the request" in pgseal("ca", "sign", path, *args).err
    assert not (folder / "app.crt").exists()


# ---- certificates of others -------------------------------------------------------------------

@pytest.fixture
def outside(folder, pgseal):
    """A request of ours, signed by somebody else's CA."""
    pgseal("ca", "csr", "--host", "db1.example.net", "--out", folder / "req", ok=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", folder / "o.key", "-out", folder / "o.crt", "-subj", "/CN=Outside", "-days",
            "3000")
    done = openssl("x509", "-req", "-in", folder / "req/server.csr", "-CA", folder / "o.crt",
                   "-CAkey", folder / "o.key", "-days", "90", "-copy_extensions", "copy", "-out",
                   folder / "leaf.crt")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_certificate_comes_back_in_every_form(outside, program):
    leaf, root, key = outside / "leaf.crt", outside / "o.crt", outside / "req/server.key"
    openssl("crl2pkcs7", "-nocrl", "-certfile", root, "-certfile", leaf, "-out", outside / "a.p7b")
    openssl("crl2pkcs7", "-nocrl", "-certfile", root, "-certfile", leaf, "-outform", "DER", "-out",
            outside / "b.p7b")
    openssl("x509", "-in", leaf, "-outform", "DER", "-out", outside / "c.cer")
    openssl("pkcs12", "-export", "-in", leaf, "-inkey", key, "-certfile", root, "-passout",
            "pass:s3cret", "-out", outside / "d.pfx")
    (outside / "e.pem").write_bytes(root.read_bytes() + leaf.read_bytes().replace(b"\n", b"\r\n"))
    for name, *args in (["a.p7b", "--key", key], ["b.p7b", "--key", key], ["d.pfx"],
                        ["c.cer", "--key", key, "--trust", root], ["e.pem", "--key", key]):
        read, write = os.pipe()
        os.write(write, b"s3cret\n")
        os.close(write)
        out = outside / f"out-{name}"
        done = subprocess.run([program, "ca", "import", outside / name, *args, "--host",
                               "db1.example.net", "--out", out, "--in-passphrase-fd", str(read)],
                              pass_fds=[read], capture_output=True, text=True)
        os.close(read)
        assert done.returncode == 0, (name, done.stderr)
        assert openssl("verify", "-CAfile", out / "root.crt", out / "server.crt").returncode == 0
        assert stat.S_IMODE((out / "server.key").stat().st_mode) == 0o600
        assert (openssl("pkey", "-pubout", "-in", out / "server.key").stdout
                == openssl("x509", "-noout", "-pubkey", "-in", leaf).stdout)


def test_what_does_not_fit_is_not_imported(outside, pgseal):
    leaf, root, key = outside / "leaf.crt", outside / "o.crt", outside / "req/server.key"
    out = ["--out", outside / "out"]
    for args, message in (
            ([leaf, "--key", key], "which root to trust"),
            ([leaf, root, "--key", outside / "o.key"], "no certificate fits"),
            ([leaf, root, "--key", key, "--host", "db2.example.net"], "does not speak for"),
            ([outside / "req/server.csr", "--key", key], "no certificate in"),
            ([key, "--key", key], "no certificate in")):
        result = pgseal("ca", "import", *args, *out)
        assert result.status != 0 and message in result.err, result
        assert not (outside / "out").exists()


def test_the_inf_for_windows_has_all_names(folder, pgseal):
    out = pgseal("ca", "csr", "--windows", "--host", "db1.example.net", "--host", "2001:db8::1",
                 "--dn-o", 'A "quoted", one', "--out", folder / "w", ok=True).out
    text = (folder / "w/server.inf").read_bytes()
    assert b"\r\n" in text and b"\n" not in text.replace(b"\r\n", b"")
    assert b'_continue_ = "dns=db1.example.net&"' in text
    assert b'_continue_ = "ipaddress=2001:db8::1"' in text
    assert not (folder / "w/server.key").exists()
    for command in ("certreq -new", "certreq -submit", "certreq -accept", "-exportPFX"):
        assert command in out


# ---- one authority after another ---------------------------------------------------------------

def test_an_intermediate_is_replaced_step_by_step(site, ca, folder, pgseal):
    def states():
        out = pgseal("ca", "dependents", "--ca", ca, "--format", "json", ok=True).json
        return {a["name"]: (a["state"], a["dependents"]) for a in out["authorities"]}
    pgseal("ca", "rollover", "client-ca", "--ca", ca, ok=True)
    assert states()["client-ca-2"] == ("next", 0) and states()["client-ca"] == ("active", 3)
    pgseal("ca", "activate", "client-ca-2", "--ca", ca, ok=True)
    pgseal("ca", "issue", "client", "new", "--ca", ca, "--out", folder / "new", ok=True)
    assert states()["client-ca-2"] == ("active", 1) and states()["client-ca"] == ("old", 3)
    refused = pgseal("ca", "retire", "client-ca", "--ca", ca)
    assert refused.status == 4 and "still depend" in refused.err
    pgseal("ca", "revoke", "--role", "app", "--ca", ca, ok=True)
    pgseal("ca", "revoke", "--role", "josé", "--ca", ca, ok=True)
    pgseal("ca", "retire", "client-ca", "--ca", ca, ok=True)
    assert states()["client-ca"][0] == "retired"
    pgseal("ca", "export", "--ca", ca, "--ca-file", folder / "ca.crt", ok=True)
    good = openssl("verify", "-CAfile", folder / "ca.crt", folder / "new/postgresql.crt")
    assert good.returncode == 0, good.stderr


def test_a_pair_is_exported_for_java_and_windows(ca, folder, program, pgseal):
    pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    read, write = os.pipe()
    os.write(write, b"s3cret\n")
    os.close(write)
    subprocess.run([program, "ca", "export", "--ca", ca, "--cert", folder / "app/postgresql.crt",
                    "--key", folder / "app/postgresql.key", "--p12", folder / "app.p12", "--pk8",
                    folder / "app.pk8", "--server-bundle", folder / "app.crt",
                    "--out-passphrase-fd", str(read)], pass_fds=[read], check=True)
    shown = openssl("pkcs12", "-in", folder / "app.p12", "-passin", "pass:s3cret", "-nokeys")
    assert shown.stdout.count("BEGIN CERTIFICATE") == 2, shown.stderr
    assert stat.S_IMODE((folder / "app.p12").stat().st_mode) == 0o600
    assert (folder / "app.pk8").read_bytes() == (folder / "app/postgresql.pk8").read_bytes()
    assert (folder / "app.crt").read_bytes() == (folder / "app/postgresql.crt").read_bytes()


# ---- batches ----------------------------------------------------------------------------------

def batch(ca, pgseal, path, *args):
    return pgseal("ca", "issue", "client", "--batch", path, "--ca", ca, "--format", "json", *args,
                  ok=True).json


def test_a_batch_gives_each_role_its_folder_once(ca, folder, pgseal):
    roles = ["app", "App User", "a/b", "josé", *(f"role{n}" for n in range(600))]
    (folder / "roles").write_text("\r\n".join(roles) + "\r\n\r\n")
    first = batch(ca, pgseal, folder / "roles", "--out", folder / "out")
    assert (first["issued"], first["skipped"]) == (604, 0)
    names = {p.name for p in (folder / "out").iterdir()}
    assert len(names) == 604 and {"app", "App User", "a%2Fb", "josé"} <= names
    kit = folder / "out/App User"
    assert {p.name for p in kit.iterdir()} == {"postgresql.crt", "postgresql.key", "root.crt",
                                               "root.crl"}
    assert stat.S_IMODE((kit / "postgresql.key").stat().st_mode) == 0o600
    good = openssl("verify", "-CAfile", ca / "root.crt", "-untrusted", kit / "postgresql.crt",
                   kit / "postgresql.crt")
    assert good.returncode == 0, good.stderr
    again = batch(ca, pgseal, folder / "roles", "--out", folder / "out")
    assert (again["issued"], again["skipped"]) == (0, 604)


def test_a_batch_that_was_killed_goes_on(ca, folder, killat, pgseal):
    """What has its name is whole and in the ledger; the rest is made by the same command."""
    (folder / "roles").write_text("".join(f"role{n}\n" for n in range(3000)))
    died = killat(["ca", "issue", "client", "--batch", folder / "roles", "--ca", ca, "--out", folder / "out"],
                  [folder / "out"], at=20000)       # of 39,000 calls
    assert died.status == -signal.SIGKILL, died
    done = [p for p in (folder / "out").iterdir() if p.name[0] != "."]
    assert 0 < len(done) < 3000
    recorded = {c["serial"] for c in pgseal("ca", "list", "--ca", ca, "--kind", "client",
                                            "--format", "json", ok=True).json["certificates"]}
    assert all(serial_of(p / "postgresql.crt") in recorded for p in done[::50])
    rest = batch(ca, pgseal, folder / "roles", "--out", folder / "out")
    assert rest["skipped"] == len(done) and rest["issued"] == 3000 - len(done)
    assert not list((folder / "out").glob(".*")), "nothing half is left"


def test_a_batch_without_files_is_in_the_ledger_alone(ca, folder, pgseal):
    (folder / "roles").write_text("a\nb\n")
    assert batch(ca, pgseal, folder / "roles", "--no-files")["issued"] == 2
    assert len(pgseal("ca", "list", "--ca", ca, "--kind", "client", "--format", "json",
                      ok=True).json["certificates"]) == 2
    # Who has one is left alone, also when the list has grown; a revoked one is none.
    (folder / "roles").write_text("a\nb\nc\n")
    again = batch(ca, pgseal, folder / "roles", "--no-files")
    assert (again["issued"], again["skipped"]) == (1, 2)
    assert batch(ca, pgseal, folder / "roles", "--no-files")["issued"] == 0
    pgseal("ca", "revoke", "--ca", ca, "--role", "b", ok=True)
    assert batch(ca, pgseal, folder / "roles", "--no-files")["issued"] == 1


def test_csv_has_options_for_each_role(ca, folder, pgseal):
    (folder / "roles.csv").write_text('role,days,key-type\n"a,""b""",10,rsa:2048\nplain,,\n')
    assert batch(ca, pgseal, folder / "roles.csv", "--out", folder / "out")["issued"] == 2
    text = openssl("x509", "-noout", "-text", "-in",
                   folder / 'out/a,"b"/postgresql.crt').stdout
    assert "2048 bit" in text


@pytest.mark.parametrize("text, message", [
    ("a\na\n", "is twice"), ("a\n" + "x" * 64 + "\n", "is too long"), ("a\0b\n", "NUL byte"),
    ('role,days\n"a,3\n', "broken CSV"), ("role,pony\na,b\n", "unknown column"),
    ("role,days\na,soon\n", "no number of days"), ("role,days\na,1,2\n", "broken CSV"),
    ("role,days\n,1\n", "without a name"),
], ids=ascii)
def test_a_batch_with_a_mistake_issues_nothing(ca, folder, pgseal, text, message):
    (folder / "roles").write_text(text)
    result = pgseal("ca", "issue", "client", "--batch", folder / "roles", "--ca", ca, "--out",
                    folder / "out")
    assert result.status != 0 and message in result.err
    assert pgseal("ca", "list", "--ca", ca, "--kind", "client", "--format", "json",
                  ok=True).json["certificates"] == []


# ---- shapes of a CA ---------------------------------------------------------------------------

def test_a_root_that_is_kept_offline_signs_by_files(folder, pgseal):
    root, site = folder / "root", folder / "site"
    pgseal("ca", "init", "--root-only", "--ca", root, "--no-passphrase", ok=True)
    pgseal("ca", "init", "--offline-root", "--ca", site, ok=True)
    assert pgseal("ca", "issue", "client", "app", "--ca", site, "--out", folder / "no").status == 3
    for kind in ("server-ca", "client-ca"):
        pgseal("ca", "csr", "--authority", kind, "--ca", site, "--out", folder / f"{kind}.csr",
               ok=True)
        other = {"server-ca": "client-ca", "client-ca": "server-ca"}[kind]
        crossed = pgseal("ca", "sign", folder / f"{kind}.csr", "--kind", other, "--ca", root, "--out",
                         folder / "no.crt")
        assert crossed.status == 4 and f"--kind {kind}" in crossed.err, crossed
        pgseal("ca", "sign", folder / f"{kind}.csr", "--kind", kind, "--ca", root, "--out",
               folder / f"{kind}.crt", ok=True)
        pgseal("ca", "import", folder / f"{kind}.crt", "--ca", site, ok=True)
    pgseal("ca", "import", root / "root.crl", "--ca", site, ok=True)
    pgseal("ca", "issue", "client", "app", "--ca", site, "--out", folder / "app", ok=True)
    good = openssl("verify", "-CAfile", root / "root.crt", "-untrusted",
                   folder / "app/postgresql.crt", folder / "app/postgresql.crt")
    assert good.returncode == 0, good.stderr
    assert not (site / "root.key").exists()


def test_shards_are_each_a_list_in_the_folder(folder, pgseal):
    pgseal("ca", "init", "--crl-shards", "4", "--ca", folder / "ca", "--no-passphrase", ok=True)
    pgseal("ca", "crl", "--ca", folder / "ca", "--dir", folder / "crl.d", ok=True)
    ends = sorted(p.suffix for p in (folder / "crl.d").iterdir())
    assert ends == [".r0", ".r0", ".r1", ".r2", ".r3"]


def test_names_outside_of_the_permitted_domain_are_refused(folder, pgseal):
    pgseal("ca", "init", "--permit-dns", "example.net", "--ca", folder / "ca", "--no-passphrase",
           ok=True)
    bad = pgseal("ca", "issue", "server", "--host", "db.example.org", "--ca", folder / "ca", "--out",
                 folder / "bad")
    assert bad.status != 0 and not (folder / "bad").exists()
    pgseal("ca", "issue", "server", "--host", "db.example.net", "--ca", folder / "ca", "--out",
           folder / "good", ok=True)


# ---- wrong use --------------------------------------------------------------------------------

@pytest.mark.parametrize("argv, message", [
    (["ca"], "no verb was given"),
    (["ca", "isue"], 'unknown verb "ca isue"'),
    (["ca", "--frob"], "unknown option --frob"),
    (["ca", "issue"], "it was not said what to issue"),
    (["ca", "issue", "robot"], 'cannot issue a certificate for "robot"'),
    (["ca", "issue", "client", "--out", "x"], "no role was given"),
    (["ca", "issue", "client", "a", "b", "--out", "x"], 'unexpected argument "b"'),
    (["ca", "issue", "server", "--out", "x"], "option --host is missing"),
    (["ca", "issue", "client", "a", "--out", "x"], "option --ca is missing"),
    (["ca", "revoke", "--ca", "x", "--cert", "y", "--reason", "bored"], 'unknown reason "bored"'),
    (["ca", "crl", "--ca", "x", "--side", "left"], 'unknown side "left"'),
    (["ca", "revoke", "--ca", "x"], "it was not said which certificate"),
    (["ca", "show", "--ca", "x", "--role", "a", "--serial", "1"], "more than one certificate is named"),
    (["ca", "list", "--ca", "x", "--state", "odd"], 'unknown word "odd"'),
    (["ca", "list", "--ca", "x", "--kind", "pony"], 'unknown word "pony"'),
    (["ca", "list", "--ca", "x", "--limit", "-1"],
     "a number of days or certificates cannot be negative"),
    (["ca", "sign", "--ca", "x"], "one request is wanted, as a file"),
    (["ca", "sign", "r", "--kind", "pony", "--out", "o", "--ca", "x"], 'unknown kind "pony"'),
    (["ca", "rollover", "pony", "--ca", "x"], 'unknown authority "pony"'),
    (["ca", "import", "--out", "x"], "no file was given"),
    (["ca", "export", "--ca", "x"], "it was not said what to export"),
    (["help", "ca", "isue"], 'unknown verb "ca isue"'),
])
def test_wrong_use_is_status_2(pgseal, argv, message):
    result = pgseal(*argv)
    assert result.status == 2 and result.out == "", result
    assert result.err.splitlines()[0] == f"pgseal: error: {message}"


def test_help_of_the_group_and_of_each_verb(pgseal):
    group = pgseal("ca", "--help", ok=True).out
    assert group == pgseal("help", "ca", ok=True).out
    verbs = re.findall(r"^  (\w+)", group.split("Verbs:")[1].split("\n\n")[0], re.M)
    assert {"init", "issue", "revoke", "crl", "export"} <= set(verbs)
    for verb in verbs:
        text = pgseal("ca", verb, "--help", ok=True).out
        assert pgseal("help", "ca", verb, ok=True).out == text
        for part in ("Usage:", "--ca=DIR", "Common options:", "Exit status:", f"pgseal ca {verb}"):
            assert part in text
