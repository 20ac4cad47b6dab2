"""pgseal ca: the private CA by hand, each verb as a user calls it, its files read by the openssl
command line and by PostgreSQL."""
import os
import pathlib
import pty
import re
import shutil
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

def test_a_client_logs_in_until_he_is_revoked(ca, folder, make, pgseal):
    """The whole life: server and client by hand, login, revocation, list, reload, refusal."""
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

    pgseal("ca", "revoke", "--ca", ca, "--cert", kit / "postgresql.crt", "--reason",
           "keyCompromise", ok=True)
    assert cluster.psql(dsn).returncode == 0, "the server has not seen the new list yet"
    pgseal("ca", "crl", "--ca", ca, "--out", folder / "new.crl", ok=True)
    cluster.write(cluster.dir / "root.crl", (folder / "new.crl").read_bytes())
    cluster.reload()
    refused = cluster.psql(dsn)
    assert refused.returncode != 0 and "revoked" in refused.stderr


@pytest.mark.parametrize("role", ROLES)
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


@pytest.mark.parametrize("host", ["", "a b", "$(id)", "a\nb", "*", "\u202eevil", "x" * 10000, "a..b"])
def test_a_host_that_cannot_be_is_refused(ca, folder, pgseal, host):
    result = pgseal("ca", "issue", "server", "--host", host, "--ca", ca, "--out", folder / "x")
    assert result.status != 0
    assert not (folder / "x/server.crt").exists()


def test_keys_are_closed_and_files_are_not_overwritten(ca, folder, pgseal):
    os.umask(0)
    try:
        pgseal("ca", "issue", "client", "app", "--ca", ca, "--out", folder / "app", ok=True)
    finally:
        os.umask(0o022)
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
