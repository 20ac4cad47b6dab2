"""pgseal status against real servers."""
import contextlib
import datetime
import subprocess
import time

import pytest

import pg

HBA = f"""\
local   all   {pg.OWNER.pw_name}                 peer
local   all   all                                trust
hostssl all   withcert  127.0.0.1/32             cert
host    all   all       127.0.0.1/32             trust
"""


def openssl(*argv, cwd):
    pg.must(subprocess.run(["openssl", *map(str, argv)], cwd=cwd, capture_output=True, text=True))


def make_ca(folder, days=365):
    """ca.crt, server.*, withcert.*; dates count from now."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test CA", "-days", "3650", cwd=folder)
    for name in ("server", "withcert"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=folder)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-set_serial", "4711" if name == "withcert" else "42", "-days", days, "-out",
                f"{name}.crt", cwd=folder)
        (folder / f"{name}.key").chmod(0o600)


def make_crl(folder, last, until):
    """ca.crl valid between two moments."""
    (folder / "index.txt").write_text("")
    (folder / "number").write_text("07\n")
    (folder / "ca.cnf").write_text("[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ncrlnumber=number\n"
                                   "default_md=sha256\n")
    stamp = "%Y%m%d%H%M%SZ"
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.crt",
            "-crl_lastupdate", last.strftime(stamp), "-crl_nextupdate", until.strftime(stamp),
            "-out", "ca.crl", cwd=folder)


def with_tls(make, folder, major, days=365, **settings):
    make_ca(folder, days)
    cluster = make.plain(major, hba=HBA, start=False)
    for name in ("server.crt", "server.key", "ca.crt"):
        cluster.write(cluster.data / name, (folder / name).read_bytes())
    cluster.set(ssl="on", ssl_ca_file="ca.crt", **settings)
    cluster.start()
    cluster.role("app")
    cluster.role("withcert")
    cluster.role("watcher", options="login in role pg_monitor")
    return cluster


@contextlib.contextmanager
def session(cluster, **params):
    """A client that stays connected."""
    client = subprocess.Popen([pg.client_program("psql"), "-XAtqw", cluster.dsn(**params)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"})
    client.stdin.write("select 'ready';\n")
    client.stdin.flush()
    assert client.stdout.readline() == "ready\n"
    try:
        yield client
    finally:
        client.stdin.close()
        client.wait(pg.PATIENCE)


def alone(client, sessions):
    """Until there are only so many sessions: one that has ended is gone when its process gets to it.  (Asked in a
    session that lasts, for who asks in a new one leaves one behind.)"""
    client.stdin.write("do $$ begin while (select count(*) from pg_stat_activity where datid is not null) > "
                       f"{sessions} loop perform pg_sleep(0.01), pg_stat_clear_snapshot(); end loop; end $$;\n"
                       "select 'alone';\n")
    client.stdin.flush()
    assert client.stdout.readline() == "alone\n"


def row(table, **wanted):
    """The only row of a table that has these values."""
    rows = [r for r in table if all(r.get(k) == v for k, v in wanted.items())]
    assert len(rows) == 1, f"{wanted} in {table}"
    return rows[0]


def findings(result):
    return {f["id"]: f for f in result.json["findings"]}


@pytest.fixture
def superuser(pgseal_as_owner):
    """status through the socket, as the owner."""
    def run(cluster, *more):
        return pgseal_as_owner("status", "--target",
                               f"host={cluster.sockets} port={cluster.port} user={cluster.user} "
                               "dbname=postgres", "--format", "json", *more)
    return run


def test_each_session_is_shown_with_its_protection(make, folder, every_major, superuser):
    cluster = with_tls(make, folder, every_major)
    with session(cluster, user="app", sslmode="disable", application_name="old-program"), \
         session(cluster, user="app", sslmode="require", application_name="new-program"), \
         session(cluster, user="withcert", sslmode="require", sslcert=folder / "withcert.crt",
                 sslkey=folder / "withcert.key") as last:
        alone(last, 3)
        result = superuser(cluster)
    assert result.status == 0, result
    assert result.json["schema"] == "pgseal.status/1"
    sessions = result.json["sessions"]

    plain = row(sessions, application="old-program")
    assert (plain["role"], plain["database"], plain["address"], plain["link"], plain["version"]) == \
        ("app", "postgres", "127.0.0.1", "plaintext_loopback", None)
    tls = row(sessions, application="new-program")
    assert (tls["link"], tls["client_dn"]) == ("tls", None)
    assert tls["version"] in ("TLSv1.2", "TLSv1.3") and tls["cipher"] and tls["bits"] >= 128
    cert = row(sessions, role="withcert")
    assert (cert["client_dn"], cert["client_serial"]) == ("/CN=withcert", "4711")
    assert cert["issuer_dn"] == "/CN=Test CA"
    assert row(sessions, this_session=True)["link"] == "local"
    assert len(sessions) == 4, "the server's own processes are left out"

    assert result.json["totals"] == {"sessions": 4, "tls": 2, "gss": 0, "plaintext": 0,
                                     "plaintext_loopback": 1, "local": 1, "unknown": 0}
    assert row(result.json["by_role"], role="app")["tls"] == 1
    assert row(result.json["by_role"], role="app")["plaintext_loopback"] == 1
    assert row(result.json["by_application"], application="old-program")["tls"] == 0
    assert findings(result)["plaintext-loopback"]["severity"] == "low"
    assert "sessions-not-examined" not in findings(result)


def test_settings_say_where_they_come_from(make, folder, cluster, superuser):
    cluster.sql("alter system set ssl_ciphers = 'HIGH'")
    cluster.set(max_connections="31", port=cluster.port)
    cluster.reload()
    settings = superuser(cluster).json["settings"]
    ciphers = row(settings, name="ssl_ciphers")
    assert (ciphers["value"], ciphers["source"]) == ("HIGH", "configuration file")
    assert ciphers["file"] == f"{cluster.data}/postgresql.auto.conf" and ciphers["line"] >= 1
    assert row(settings, name="ssl_ca_file")["source"] == "default"
    assert row(settings, name="hba_file")["value"] == str(cluster.hba)
    assert row(settings, name="password_encryption")["value"] == "scram-sha-256"


def test_tls_that_is_off_is_a_finding(cluster, superuser):
    result = superuser(cluster)
    assert result.status == 1
    assert findings(result)["tls-off"]["severity"] == "high"
    assert superuser(cluster, "--fail-on", "critical").status == 0
    assert superuser(cluster, "--fail-on", "none").status == 0


def test_a_change_that_waits_for_a_restart_is_a_finding(make, folder, superuser):
    cluster = with_tls(make, folder, 15)
    cluster.set(port="1")
    cluster.reload()
    result = superuser(cluster)
    assert findings(result)["restart-pending"]["object"] == "port"
    assert row(result.json["settings"], name="port")["pending_restart"] is True


def test_an_ordinary_role_sees_what_it_may_and_is_told_the_rest(make, folder, pgseal, superuser):
    cluster = with_tls(make, folder, 15)
    with session(cluster, user="withcert", sslmode="require", sslcert=folder / "withcert.crt",
                 sslkey=folder / "withcert.key") as only:
        alone(only, 1)
        result = pgseal("status", "--target", cluster.dsn(user="app", sslmode="require"),
                        "--format", "json")
    assert result.status == 0, result
    assert row(result.json["sessions"], role="withcert")["link"] == "unknown"
    own = row(result.json["sessions"], this_session=True)
    assert own["link"] == "tls"
    assert result.json["totals"]["unknown"] == 1
    found = findings(result)
    assert {"sessions-not-examined", "settings-not-examined", "file-not-examined"} <= set(found)
    assert all(s["file"] is None for s in result.json["settings"])
    assert not [s for s in result.json["settings"] if s["name"] == "hba_file"]
    cert = row(result.json["files"], setting="ssl_cert_file")
    assert cert["state"] == "not_examined" and "permission denied" in cert["reason"]


def test_a_monitoring_role_sees_all_sessions_and_settings(make, folder, pgseal):
    cluster = with_tls(make, folder, 15)
    with session(cluster, user="app", sslmode="disable"):
        result = pgseal("status", "--target", cluster.dsn(user="watcher", sslmode="require"),
                        "--format", "json")
    assert result.json["totals"]["unknown"] == 0
    assert row(result.json["settings"], name="hba_file")["value"] == str(cluster.hba)
    assert row(result.json["settings"], name="ssl")["file"] == str(cluster.conf)


def test_the_served_certificate_is_the_one_of_this_connection(make, folder, every_major, pgseal):
    cluster = with_tls(make, folder, every_major)
    result = pgseal("status", "--target", cluster.dsn(user="app", sslmode="require"),
                    "--format", "json", ok=True)
    link = result.json["connection"]
    assert link["link"] == "tls" and link["version"].startswith("TLSv1.")
    served = link["served_certificate"]
    assert (served["subject"], served["issuer"], served["serial"]) == ("CN=server", "CN=Test CA", "2a")
    assert served["state"] == "valid" and 363 <= served["days_left"] <= 365
    text = subprocess.run(["openssl", "x509", "-in", folder / "server.crt", "-noout", "-fingerprint",
                           "-sha256"], capture_output=True, text=True).stdout
    assert served["sha256"] == text.split("=")[1].strip().replace(":", "").lower()


def test_a_certificate_that_ends_soon_is_medium(make, folder, superuser):
    cluster = with_tls(make, folder, 15, days=10)
    result = superuser(cluster)
    assert result.status == 0
    item = row(result.json["files"], setting="ssl_cert_file")
    assert item["state"] == "expires_soon" and item["days_left"] in (9, 10) and item["read_by"] == "sql"
    assert findings(result)["expires-soon"] == {
        "severity": "medium", "id": "expires-soon", "object": "server.crt",
        "text": "a certificate is about to expire"}
    assert superuser(cluster, "--fail-on", "medium").status == 1
    assert "expires-soon" not in findings(superuser(cluster, "--warn-days", "5"))


def test_an_expired_crl_is_high(make, folder, superuser):
    cluster = with_tls(make, folder, 15)
    now = datetime.datetime.now(datetime.timezone.utc)
    make_crl(folder, now - datetime.timedelta(days=9), now - datetime.timedelta(hours=36))
    cluster.write(cluster.data / "ca.crl", (folder / "ca.crl").read_bytes())
    cluster.set(ssl_crl_file="ca.crl")
    cluster.reload()
    result = superuser(cluster)
    assert result.status == 1
    crl = row(result.json["files"], setting="ssl_crl_file")
    assert (crl["state"], crl["days_left"], crl["serial"]) == ("expired", -2, "7")
    assert findings(result)["expired"]["object"] == "ca.crl"


def test_a_renewed_file_that_is_not_served_yet_is_noticed(make, folder, pgseal_as_owner):
    cluster = with_tls(make, folder, 15)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial",
            "43", "-days", "300", "-out", "server.crt", cwd=folder)
    cluster.write(cluster.data / "server.crt", (folder / "server.crt").read_bytes())
    ask = ("status", "--target", cluster.dsn(user=cluster.user, sslmode="require"), "--format", "json")
    assert findings(pgseal_as_owner(*ask))["cert-not-served"]["severity"] == "medium"
    cluster.reload()
    until = time.monotonic() + pg.PATIENCE
    while time.monotonic() < until:             # the postmaster makes its new context after the settings are read
        found = findings(pgseal_as_owner(*ask))
        if "cert-not-served" not in found:
            break
        time.sleep(0.02)
    assert "cert-not-served" not in found


def test_files_are_read_from_disk_where_sql_may_not(make, folder, pgseal_as_owner):
    cluster = with_tls(make, folder, 15)
    result = pgseal_as_owner("status", "--target", cluster.dsn(user="watcher", sslmode="require"),
                             "--format", "json", ok=True)
    assert row(result.json["files"], setting="ssl_cert_file")["read_by"] == "disk"


def test_a_crl_folder_is_looked_into(make, folder, superuser):
    cluster = with_tls(make, folder, 15)
    now = datetime.datetime.now(datetime.timezone.utc)
    make_crl(folder, now - datetime.timedelta(days=1), now + datetime.timedelta(days=6))
    crls = cluster.data / "crls"
    crls.mkdir(mode=0o700)
    pg.give(crls)
    cluster.write(crls / "0a1b2c3d.r0", (folder / "ca.crl").read_bytes())
    cluster.write(crls / "README", b"no CRL")
    cluster.set(ssl_crl_dir="crls")
    cluster.reload()
    crl = row(superuser(cluster).json["files"], setting="ssl_crl_dir")
    assert (crl["path"], crl["state"]) == ("crls/0a1b2c3d.r0", "valid")


def test_sslinfo_is_asked_where_it_is_installed(make, folder, every_major, pgseal):
    cluster = with_tls(make, folder, every_major)
    ask = ("status", "--format", "json", "--target",
           cluster.dsn(user="withcert", sslmode="require", sslcert=folder / "withcert.crt",
                       sslkey=folder / "withcert.key"))
    state = pgseal(*ask, ok=True).json["sslinfo"]["state"]
    if state == "missing":
        pytest.skip(f"this PostgreSQL {every_major} came without contrib/sslinfo")
    assert state == "available"
    cluster.sql('create schema "odd \'one\'"; create extension sslinfo schema "odd \'one\'"; '
                'grant usage on schema "odd \'one\'" to withcert')
    info = pgseal(*ask, ok=True).json["sslinfo"]
    assert info["state"] == "installed" and info["version"].startswith("TLSv1.")
    assert (info["client_dn"], info["client_serial"]) == ("/CN=withcert", "4711")


def test_replication_is_shown_as_such(make, folder, superuser, pgseal):
    cluster = with_tls(make, folder, 15)
    cluster.write_hba(HBA + f"local replication {cluster.user} peer\n")
    cluster.reload()
    make.standby(cluster)
    until = time.monotonic() + pg.PATIENCE          # it is ready before it has come here
    while cluster.sql("select application_name from pg_stat_replication") != "walreceiver":
        assert time.monotonic() < until
        time.sleep(0.02)
    sender = row(superuser(cluster).json["sessions"], replication=True)
    assert (sender["link"], sender["application"]) == ("local", "walreceiver")

    stranger = pgseal("status", "--target", cluster.dsn(user="app"), "--format", "json").json
    assert row(stranger["sessions"], replication=True)["link"] == "unknown"


def test_a_hostile_function_does_not_answer_for_the_system(make, folder, superuser):
    """CVE-2018-1058: public.host(inet) must not be found before pg_catalog's."""
    cluster = with_tls(make, folder, 15)
    cluster.sql("create function public.host(inet) returns text language sql as $$select 'owned'$$; "
                "alter database postgres set search_path = public, pg_catalog")
    with session(cluster, user="app", sslmode="disable", application_name="x"):
        assert row(superuser(cluster).json["sessions"], application="x")["address"] == "127.0.0.1"


@pytest.mark.parametrize("fmt, mark", [("text", "Sessions"), ("html", "</html>"), ("csv", "table,")])
def test_every_format_shows_the_same_findings(cluster, superuser, fmt, mark):
    result = superuser(cluster, "--format", fmt)
    assert result.status == 1, result
    assert mark in result.out and "tls-off" in result.out
