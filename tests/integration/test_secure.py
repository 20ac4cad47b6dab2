"""pgseal secure and rollback on real servers: the promises of the main job."""
import contextlib
import json
import os
import pathlib
import pty
import re
import shlex
import signal
import stat
import struct
import subprocess

import pytest

import pg


# ---- helpers ----------------------------------------------------------------------------------

class Site:
    """A cluster, a CA and client folders, and the commands of a DBA."""

    def __init__(self, cluster, folder, run):
        self.cluster, self.folder, self.run = cluster, folder, run
        pg.give(folder)
        self.ca = folder / "ca"
        self.clients = folder / "clients"

    def secure(self, *args, policies=("encrypt",), clients=(), ok=True, **kwargs):
        argv = ["secure", "-D", self.cluster.data, "--ca", self.ca, "--host", "localhost",
                "--host", "127.0.0.1", "--yes", "--format", "json"]
        for policy in policies:
            argv += ["--policy", policy]
        for client in clients:
            argv += ["--client", client]
        if clients:
            argv += ["--client-dir", self.clients]
        return self.run(*argv, *args, ok=ok, **kwargs)

    def rollback(self, *args, ok=True):
        return self.run("rollback", "-D", self.cluster.data, "--format", "json", *args, ok=ok)

    def client(self, role, **params):
        """Connection string with a role's kit, verify-full."""
        kit = self.clients / role
        return self.cluster.dsn(**{
            "host": "localhost", "hostaddr": "127.0.0.1", "user": role, "sslmode": "verify-full",
            "sslcert": kit / "postgresql.crt", "sslkey": kit / "postgresql.key",
            "sslrootcert": kit / "root.crt", "sslcrl": kit / "root.crl", **params})


@pytest.fixture
def site(cluster, folder, pgseal):
    cluster.role("app", password="secret")
    return Site(cluster, folder, pgseal)


def changes(result):
    return [c["path"] for c in result.json["plan"]["changes"]]


def assert_locked_down(cluster):
    """Plaintext is refused in PostgreSQL's own words, and TLS gets as far as the password."""
    plain = cluster.psql(cluster.dsn(user="app", sslmode="disable", password="secret"))
    assert "no pg_hba.conf entry" in plain.stderr, plain
    tls = cluster.psql(cluster.dsn(user="app", sslmode="require", password="secret"))
    assert tls.returncode == 0, tls.stderr


# ---- the main job -----------------------------------------------------------------------------

def test_the_example_of_the_manual_on_every_major(every_major, make, folder, pgseal):
    cluster = make.plain(every_major)
    for role in ("app", "other"):
        cluster.role(role, password="secret")
    site = Site(cluster, folder, pgseal)
    result = site.secure(policies=("encrypt", "app=cert"), clients=("app",))
    assert result.json["schema"] == "pgseal.secure/1"
    assert result.json["result"] == "changed"

    for name, mode in {"postgresql.crt": 0o644, "postgresql.key": 0o600, "root.crt": 0o644,
                       "root.crl": 0o644}.items():
        path = site.clients / "app" / name
        assert stat.S_IMODE(path.stat().st_mode) == mode, name

    inside = cluster.psql(site.client("app"), "select ssl, client_dn from pg_stat_ssl "
                                              "where pid = pg_backend_pid()")
    assert inside.stdout.strip() == "t|/CN=app", inside.stderr
    without = cluster.psql(site.client("app", sslcert="/none", sslkey="/none", password="secret"))
    assert "connection requires a valid client certificate" in without.stderr
    other = cluster.psql(cluster.dsn(user="other", sslmode="require", password="secret"))
    assert other.returncode == 0, other.stderr
    for role in ("app", "other"):
        plain = cluster.psql(cluster.dsn(user=role, sslmode="disable", password="secret"))
        assert "pg_hba.conf" in plain.stderr and plain.returncode != 0


def test_secure_as_root_and_as_owner(cluster, folder, pgseal_both):
    cluster.role("app", password="secret")
    site = Site(cluster, folder, pgseal_both)
    site.secure()
    assert_locked_down(cluster)
    state = pathlib.Path(f"{cluster.data}.pgseal")
    for path in [state, *state.rglob("*")]:
        assert path.stat().st_uid == pg.OWNER.pw_uid, path
    site.rollback()


# ---- what the wire shows of the proof ---------------------------------------------------------

def test_the_proof_says_what_the_wire_showed(site):
    page = site.folder / "evidence.html"
    proof = site.secure("--report", page).json["proof"]
    wire = proof["wire"]
    if wire["verdict"] == "not_examined" and "connections" not in wire:
        pytest.skip("capturing needs CAP_NET_RAW, which is not to be had here")
    assert (wire["verdict"], wire["interface"], wire["plaintext"], wire["unseen"]) == ("no_plaintext", "lo", 0, 0)
    assert wire["connections"] >= wire["encrypted"] + wire["plaintext_refused"] > 15
    assert {r["wire"] for r in proof["sslmodes"] if r["way"] == "disable"} == {"plaintext"}     # and refused
    assert {r["wire"] for r in proof["sslmodes"] if r["way"] == "verify-full"} == {"tls"}
    assert "and the server went on with none in plaintext." in page.read_text()
    text = " ".join(site.run("secure", "-D", site.cluster.data, "--ca", site.ca, "--yes", ok=True).out.split())
    assert re.search(r"On the wire: \d+ connections, and the server went on with none in plaintext\.", text), text
    assert "wire" not in site.secure("--no-wire").json["proof"]
    offered = site.secure("--no-enforce").json["proof"]
    assert offered["wire"]["verdict"] == "no_plaintext"     # the rules are still those of the first run


def test_who_may_not_look_at_the_wire_is_secured_all_the_same(cluster, folder, pgseal_as_owner):
    if pg.OWNER.pw_uid == 0:
        pytest.skip("the owner of the servers is root")
    site = Site(cluster, folder, pgseal_as_owner)
    proof = site.secure(ok=True).json["proof"]
    assert (proof["verdict"], proof["wire"]["verdict"]) == ("pass", "not_examined")
    text = site.run("secure", "-D", cluster.data, "--ca", site.ca, "--yes", ok=True).out
    assert 'On the wire: not examined (could not capture on "lo": no permission).' in " ".join(text.split())


def reader_of(process):
    """The pid of the process that reads packets, once it is nobody."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                if "Uid:\t65534\t65534\t65534" in pathlib.Path(f"/proc/{child}/status").read_text():
                    return int(child)
    pytest.fail(f"no process read packets: {process.communicate()}")


def waiting_for_a_phrase(site, program):
    """secure, with a proof, that goes no further than to a passphrase, and where this is waited for."""
    read, write = os.pipe()
    process = subprocess.Popen([program, "secure", "-D", site.cluster.data, "--ca", site.ca, "--host", "localhost",
                                "--root-passphrase", "--passphrase-fd", str(read), "--yes", "--format", "json"],
                               pass_fds=[read], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(read)
    return process, write


def go_on(process, phrase):
    os.write(phrase, b"a passphrase of the root\n")
    os.close(phrase)
    return process.communicate(timeout=120)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_a_reader_of_packets_that_fails_endangers_nothing(site, program, number):
    if not pg.AS_ROOT:
        pytest.skip("capturing needs root here")
    process, phrase = waiting_for_a_phrase(site, program)
    reader = reader_of(process)
    os.kill(reader, number)
    out, err = go_on(process, phrase)
    assert process.returncode == 0, err
    result = json.loads(out)
    assert (result["result"], result["proof"]["wire"]["verdict"]) == ("changed", "not_examined")
    assert_locked_down(site.cluster)
    assert not pathlib.Path(f"/proc/{reader}").exists()


def test_the_reader_of_packets_has_none_of_the_secrets(site, program):
    """It is made before the first of them is read, whatever is asked for."""
    if not pg.AS_ROOT:
        pytest.skip("capturing needs root here")
    process, phrase = waiting_for_a_phrase(site, program)
    reader_of(process)                  # is there already
    _, err = go_on(process, phrase)
    assert process.returncode == 0, err
    assert any("ENCRYPTED" in key.read_text() for key in site.ca.rglob("*.key"))


# ---- again ------------------------------------------------------------------------------------

def test_a_second_run_changes_nothing_and_says_so(site):
    site.secure(policies=("encrypt", "app=cert"), clients=("app",))
    before = site.cluster.files()
    again = site.secure(policies=("encrypt", "app=cert"), clients=("app",))
    assert again.json["result"] == "unchanged"
    assert changes(again) == []
    assert site.cluster.files() == before
    assert again.json["clients"][0]["outcome"] == "kept"


def test_dry_run_shows_the_plan_and_touches_nothing(site):
    before = site.cluster.files()
    result = site.secure("--dry-run")
    assert result.json["result"] == "planned"
    assert str(site.cluster.hba) in changes(result)
    assert site.cluster.files() == before
    assert not site.ca.exists() and not pathlib.Path(f"{site.cluster.data}.pgseal").exists()
    text = site.run("secure", "-D", site.cluster.data, "--ca", site.ca, "--dry-run", ok=True)
    assert "+hostssl" in text.out and "-host " in text.out


def test_without_yes_and_without_terminal_nothing_is_done(site):
    before = site.cluster.files()
    result = site.run("secure", "-D", site.cluster.data, "--ca", site.ca)
    assert result.status == 2 and "--yes" in result.err
    assert site.cluster.files() == before


def test_the_text_tells_what_was_done_and_the_rest_when_asked(site):
    argv = ["secure", "-D", site.cluster.data, "--ca", site.ca, "--yes"]
    text = site.run(*argv, "--no-enforce", ok=True).out
    assert "Changes" in text and "After the reload" in text and "the server is secured" in text
    assert "TLS library" not in text and "+ssl = " not in text
    text = site.run(*argv, "--verbose", ok=True).out
    assert "TLS library" in text and "+hostssl" in text


def test_who_is_asked_reads_the_plan_once(site, program):
    argv = [program, "secure", "-D", site.cluster.data, "--ca", site.ca, "--no-proof"]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(argv[0], [str(arg) for arg in argv])
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"y\n")
    with contextlib.suppress(OSError):      # the end of a terminal whose program has gone
        while True:
            seen += os.read(terminal, 4096)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert seen.count(b"+hostssl all ") == seen.split(b"[y/N]")[0].count(b"+hostssl all ") > 0
    assert seen.count(b"TLS library") == 1
    assert b"the server is secured" in seen


def test_a_place_for_the_result_is_looked_for_first(site):
    before = site.cluster.files()
    for option in ("--report", "--output"):
        result = site.secure(option, site.clients / "nowhere/page.html", ok=None)
        assert result.status == 3 and "could not write in folder" in result.err
    assert site.cluster.files() == before and not site.ca.exists()


def test_client_files_that_fail_leave_the_server_and_a_hint(site):
    site.clients.write_text("a file where a folder should be")
    result = site.secure(clients=("app",), ok=None)
    assert result.status == 3
    assert "the server is secured, but" in result.err
    hint = [line for line in result.err.splitlines() if "run: pgseal client" in line][0]
    site.clients.unlink()
    command = shlex.split(hint.split("run: pgseal ")[1])
    assert site.run(*command, ok=True).status == 0
    assert (site.clients / "app/postgresql.key").exists()
    assert_locked_down(site.cluster)


def test_rollback_returns_to_the_bytes_from_before(site):
    before = site.cluster.files()
    site.secure(policies=("encrypt", "app=cert"))
    assert site.cluster.sql("show ssl") == "on"
    result = site.rollback()
    assert result.json["result"] == "rolled_back"
    assert site.cluster.files() == before
    assert site.cluster.sql("show ssl") == "off"
    assert site.rollback().json["result"] == "nothing"


def test_each_rollback_takes_one_change_back(site):
    before = site.cluster.files()
    site.secure()
    middle = site.cluster.files()
    site.secure(policies=("encrypt", "app=verify-full"))
    assert site.cluster.files() != middle
    site.rollback()
    assert site.cluster.files() == middle
    site.rollback()
    assert site.cluster.files() == before


def test_rollback_keeps_what_somebody_wrote_meanwhile(site):
    before = site.cluster.files()
    site.secure()
    with open(site.cluster.hba, "a") as hba:
        hba.write("# mine\n")
    refused = site.rollback(ok=None)
    assert refused.status == 4 and "was changed after" in refused.err
    assert site.cluster.hba.read_text().endswith("# mine\n")
    site.rollback("--force")
    assert site.cluster.files() == before
    kept = list(pathlib.Path(f"{site.cluster.data}.pgseal").glob("txn-*/theirs-*"))
    assert [k.read_text().endswith("# mine\n") for k in kept] == [True]


def test_rollback_works_when_the_server_cannot_start(site):
    before = site.cluster.files()
    site.secure()
    site.cluster.stop()
    keys = list(pathlib.Path(f"{site.cluster.data}.pgseal/tls").glob("*.key"))
    keys[0].unlink()                                # now it cannot
    with pytest.raises(AssertionError):
        site.cluster.start()
    site.rollback("--force")
    assert site.cluster.files() == before
    site.cluster.start()


# ---- layouts ----------------------------------------------------------------------------------

def test_debian_layout(make, folder, pgseal):
    cluster = make.debian()
    cluster.role("app", password="secret")
    site = Site(cluster, folder, pgseal)
    before = cluster.files()
    site.secure()
    assert (cluster.conf_dir / "pgseal.conf").exists()
    assert_locked_down(cluster)
    site.rollback()
    assert cluster.files() == before


def test_years_of_hands_are_kept(make, folder, pgseal):
    cluster = make.crowded(16 if 16 in pg.SERVERS else 15)
    cluster.role("app", password="secret")
    site = Site(cluster, folder, pgseal)
    before = cluster.files()
    site.secure(policies=("encrypt", "app=verify-ca"))
    after = cluster.files()
    old, new = before[str(cluster.hba)], after[str(cluster.hba)]
    for line in old.split(b"\n"):
        if line.startswith(b"#") or line.startswith(b"local"):
            assert line in new
    untouched = [p for p in before if p not in (str(cluster.hba), str(cluster.conf))]
    assert [p for p in untouched if before[p] != after[p]] == []
    assert after[str(cluster.conf)].startswith(before[str(cluster.conf)])
    plain = cluster.psql(cluster.dsn(user="app", sslmode="disable", password="secret"))
    assert plain.returncode != 0 and "pg_hba.conf" in plain.stderr
    assert cluster.sql("select count(*) from pg_hba_file_rules where error is not null") == "0"
    site.rollback()
    assert cluster.files() == before


def test_relocated_hba_file(make, folder, pgseal):
    cluster = make.plain(start=False)
    moved = cluster.dir / "rules" / "access.hba"
    moved.parent.mkdir(mode=0o755)
    pg.give(moved.parent)
    cluster.write(moved, cluster.hba.read_bytes())
    cluster.hba.unlink()
    cluster.set(hba_file=str(moved))
    cluster.start()
    cluster.role("app", password="secret")
    Site(cluster, folder, pgseal).secure()
    assert "hostssl" in moved.read_text()
    assert_locked_down(cluster)


def test_a_configuration_behind_a_link(make, folder, pgseal):
    cluster = make.plain(start=False)
    etc = cluster.dir / "etc"
    etc.mkdir(mode=0o755)
    pg.give(etc)
    for name in ("postgresql.conf", "pg_hba.conf"):
        os.rename(cluster.data / name, etc / name)
        os.symlink(etc / name, cluster.data / name)
    cluster.start()
    cluster.role("app", password="secret")
    site = Site(cluster, folder, pgseal)
    before = cluster.files()
    site.secure()
    assert (cluster.data / "postgresql.conf").is_symlink() and (cluster.data / "pg_hba.conf").is_symlink()
    assert_locked_down(cluster)
    site.rollback()
    assert cluster.files() == before


def test_a_data_directory_that_is_a_volume_is_warned_of(make, folder, pgseal):
    cluster = make.plain(start=False)
    aside = cluster.dir / "aside"
    os.rename(cluster.data, aside)
    cluster.data.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", cluster.data],
                      capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        pg.give(cluster.data)
        cluster.data.chmod(0o700)
        pg.must(pg.as_owner(["cp", "-a", f"{aside}/.", cluster.data]))
        result = pgseal("secure", "-D", cluster.data, "--ca", folder / "ca", "--dry-run")
        assert result.status == 0 and "file system of its own" in result.out
    finally:
        subprocess.run(["umount", "-l", cluster.data], check=True)


def test_a_server_that_is_stopped_is_checked_with_its_own_program(make, folder, pgseal):
    cluster = make.plain(start=False)
    site = Site(cluster, folder, pgseal)
    result = site.secure()
    assert cluster.pid is None
    assert result.json["result"] == "changed"
    cluster.start()
    assert cluster.sql("show ssl") == "on"


def test_a_stopped_server_is_started_only_when_asked(make, folder, pgseal):
    cluster = make.plain(start=False)
    site = Site(cluster, folder, pgseal)
    site.secure("--start")
    assert cluster.pid is not None
    assert cluster.sql("show ssl") == "on"


@pytest.mark.parametrize("running", [True, False])
def test_without_libpq_nothing_is_begun_that_needs_a_connection(make, folder, pgseal, running):
    cluster = make.plain(start=running)
    (folder / "libpq.so.5").write_text("not a library")
    before = cluster.files()
    result = pgseal("secure", "-D", cluster.data, "--ca", folder / "ca", "--yes", *[] if running else ["--start"],
                    env={"LD_LIBRARY_PATH": str(folder)})
    assert result.status == 3 and "error: could not load libpq" in result.err, result
    assert "libpq5" in result.err and "--target" not in result.err
    assert cluster.files() == before and (cluster.pid is not None) == running


def test_a_standby(make, folder, pgseal):
    primary = make.plain()
    standby = make.standby(primary)
    result = Site(standby, folder, pgseal).secure()
    assert result.json["server"]["standby"] == "yes"
    assert standby.sql("show ssl") == "on"
    assert standby.sql("select pg_is_in_recovery()") == "t"


def test_what_standbys_must_write_is_said(site):
    result = site.secure(policies=("encrypt", "app=cert"))
    standbys = result.json["access"]["standbys"]
    assert standbys and "sslmode=verify-full" in standbys[0]["primary_conninfo"]
    assert [s for s in standbys if s["role"] == "app"] == []        # it may not replicate
    written = [c["path"] for c in result.json["plan"]["changes"]]
    assert all(pathlib.Path(path).exists() for path in written)     # names as they became


# ---- refusals ---------------------------------------------------------------------------------

def test_settings_in_auto_conf_are_found_before_anything_is_touched(site):
    site.cluster.sql("alter system set ssl = off")
    before = site.cluster.files()
    result = site.secure(ok=None)
    assert result.status == 4
    assert "postgresql.auto.conf" in result.json["error"]["detail"]
    assert "ALTER SYSTEM RESET ssl" in result.json["error"]["detail"]
    assert site.cluster.files() == before


def test_settings_on_the_command_line_are_found(make, folder, pgseal):
    cluster = make.plain(start=False)
    cluster.options = ["-c", "ssl=off"]
    cluster.start()
    result = Site(cluster, folder, pgseal).secure(ok=None)
    assert result.status == 4 and "command line" in result.json["error"]["detail"]


def test_patroni_is_left_alone_and_told_how(site):
    site.cluster.write(site.cluster.data / "patroni.dynamic.json", "{}")
    result = site.secure(ok=None)
    assert result.status == 4
    assert "patronictl" in result.json["server"]["patroni"]


def test_a_policy_for_a_role_that_exists_nowhere_is_refused(site):
    result = site.secure(policies=("encrypt", "ghost=cert"), ok=None)
    assert result.status == 3 and "ghost" in result.json["error"]["message"]


def test_a_client_that_exists_nowhere_gets_files_and_a_warning(site):
    result = site.run("secure", "-D", site.cluster.data, "--ca", site.ca, "--host", "localhost",
                      "--client", "ghost", "--client-dir", site.clients, "--yes")
    assert (site.clients / "ghost/postgresql.crt").exists()
    assert "ghost" in result.out and "does not exist" in result.out


def test_errors_that_were_there_before_are_shown_with_their_place(site):
    with open(site.cluster.hba, "a") as hba:
        hba.write("host all all nonsense\n")
    result = site.secure(ok=None)
    at = result.json["error"]["at"]
    assert result.status != 0 and at["file"] == str(site.cluster.hba) and at["line"] > 0


def test_keys_are_never_inside_the_data_directory(site):
    inside = site.run("secure", "-D", site.cluster.data, "--ca", site.cluster.data / "ca", "--yes")
    assert inside.status == 4 and "inside the data directory" in inside.err
    site.secure(clients=("app",))
    for path in site.cluster.data.rglob("*"):
        if path.is_file() and path.stat().st_size < 100000:
            assert b"PRIVATE KEY" not in path.read_bytes(), path


# ---- servers as they are found -----------------------------------------------------------------

@pytest.mark.parametrize("started, waiting", [
    ({}, {"shared_buffers": "16MB"}), ({}, {"port": "1"}), ({}, {"listen_addresses": ""}),
    ({"listen_addresses": ""}, {"listen_addresses": "*"}),
], ids=["memory", "port", "no-tcp-later", "tcp-later"])
def test_what_waits_for_a_restart_is_no_failure(make, folder, pgseal, started, waiting):
    cluster = make.plain(**started)
    cluster.set(**waiting)
    site = Site(cluster, folder, pgseal)
    assert site.secure("--no-proof").json["result"] == "changed"
    assert cluster.sql("show ssl") == "on"


def test_a_setting_that_was_taken_out_and_waits_for_a_restart(site):
    text = site.cluster.conf.read_text()
    site.cluster.write(site.cluster.conf, text.replace("max_connections = 30\n", ""))
    assert site.secure("--no-proof").json["result"] == "changed"


def test_a_server_without_tcp(make, folder, pgseal):
    site = Site(make.plain(listen_addresses=""), folder, pgseal)
    result = site.secure()
    assert result.json["result"] == "changed"
    verdicts = {c["check"]: c["verdict"] for c in result.json["verification"]["checks"]}
    assert verdicts["served"] == verdicts["plaintext"] == "not_examined"
    assert verdicts["settings"] == verdicts["rules"] == "pass"


def test_plaintext_that_an_ident_server_would_judge(make, folder, pgseal):
    hba = pg.DEBIAN_HBA.replace("127.0.0.1/32            scram-sha-256", "127.0.0.1/32 ident")
    site = Site(make.plain(hba=hba), folder, pgseal)
    assert site.secure("--no-enforce", "--no-proof").json["result"] == "changed"


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root can give files to root")
@pytest.mark.parametrize("layout", ["plain", "debian"])
def test_configuration_that_root_owns_stays_roots(make, folder, pgseal, layout):
    cluster = getattr(make, layout)()
    paths = [cluster.conf, cluster.hba]
    if layout == "debian":
        paths += [cluster.conf_dir, cluster.conf_dir / "conf.d"]
    for path in paths:
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = cluster.files()
    site = Site(cluster, folder, pgseal)
    site.secure("--no-proof")
    assert cluster.sql("show ssl") == "on"
    assert {p.stat().st_uid for p in paths} == {0}
    site.rollback()
    assert cluster.files() == before
    assert {p.stat().st_uid for p in paths} == {0}


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root can give files to root")
def test_an_access_control_list_is_kept(site):
    """It is all by which the server reads the file: without it the server could not start."""
    none = 0xffffffff       # acl_ea_header and acl_ea_entry of linux/posix_acl_xattr.h
    entries = [(1, 6, none), (2, 4, pg.OWNER.pw_uid), (4, 0, none), (16, 4, none), (32, 0, none)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
    name = "system.posix_acl_access"
    os.chown(site.cluster.hba, 0, 0)
    try:
        os.setxattr(site.cluster.hba, name, acl)
    except OSError as error:
        pytest.skip(f"no access control lists here: {error}")
    site.secure("--no-proof")
    assert os.getxattr(site.cluster.hba, name) == acl
    site.rollback()
    assert os.getxattr(site.cluster.hba, name) == acl
    site.cluster.restart()


def test_the_ca_of_somebody_else_is_not_taken_for_none(make, folder, pgseal_as_owner):
    site = Site(make.plain(), folder, pgseal_as_owner)
    site.ca.mkdir(mode=0o000)
    result = site.secure("--dry-run", ok=None)
    assert result.status == 3 and "could not open the CA" in result.json["error"]["message"]


def test_keys_do_not_get_into_the_data_directory_through_a_link(site):
    link = site.folder / "link"
    link.symlink_to(site.cluster.data)
    site.ca = link / "not" / "made" / "yet"
    result = site.secure(ok=None)
    assert result.status == 4 and "inside the data directory" in result.json["error"]["message"]
    assert not (site.cluster.data / "not").exists()


@pytest.mark.skipif(not pg.AS_ROOT, reason="only root acts as somebody else")
def test_root_connects_as_the_owner_with_the_owners_home(site, folder):
    """libpq looks into HOME for certificates: those of root are not the owner's to read."""
    home = folder / "home"
    (home / ".postgresql").mkdir(parents=True)
    home.chmod(0o700)
    os.chown(home, 0, 0)
    (home / ".postgresql" / "postgresql.crt").write_text("root's")
    site.cluster.role("boss", password="x", options="login superuser")
    site.secure("--no-proof", "--target", site.cluster.dsn(user="boss", password="x"),
                env={"HOME": str(home)})
    assert_locked_down(site.cluster)


def test_a_log_that_cannot_be_judged_is_not_examined(make, folder, pgseal):
    site = Site(make.plain(log_destination="syslog"), folder, pgseal)
    checks = site.secure("--no-proof").json["verification"]["checks"]
    assert {c["check"]: c["verdict"] for c in checks}["log"] == "not_examined"


def test_rollback_when_the_include_was_there_before(site):
    with open(site.cluster.conf, "a") as conf:
        conf.write("include_if_exists = 'pgseal.conf'\n")
    before = site.cluster.files()
    site.secure("--no-proof")
    site.rollback()
    assert site.cluster.files() == before
    assert site.cluster.sql("show ssl") == "off"


def test_passwords_in_the_rules_are_in_no_report(site):
    secret = 'ldapbindpasswd="hush hush"'
    site.cluster.write_hba(pg.DEBIAN_HBA + f"host all all 10.0.0.0/8 ldap ldapserver=l ldapbasedn=x {secret}\n")
    page = site.folder / "report.html"
    result = site.secure("--no-proof", "--dry-run", policies=("app=encrypt",))
    assert result.json["access"]["plaintext_rules"] and "hush" not in result.out
    site.secure("--no-proof", "--report", page)
    assert "ldapbindpasswd" in page.read_text() and "hush" not in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert secret in site.cluster.hba.read_text()


def test_the_folder_of_another_server_is_refused(site, make):
    site.secure("--no-proof")
    other = Site(make.plain(), site.folder, site.run)
    result = other.secure("--no-proof", "--state-dir", f"{site.cluster.data}.pgseal", ok=None)
    assert result.status == 4 and "another server" in result.json["error"]["message"]
    site.rollback()


def test_clients_of_the_ca_that_goes_are_named(site):
    site.secure("--no-proof", policies=("encrypt", "app=cert"), clients=("app",))
    psql = subprocess.Popen([pg.client_program("psql"), "-XAtqw", site.client("app")],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    psql.stdin.write("select 'in';\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "in\n"

    def fates():
        sessions = site.secure("--dry-run").json["access"]["sessions"]
        return [s["then"] for s in sessions if s["role"] == "app"]
    assert fates() == ["admitted"]
    site.ca = site.folder / "another"
    assert fates() == ["needs_new_certificate"]
    psql.communicate("")


def test_a_stopped_server_starts_as_it_was_started_before(make, folder, pgseal):
    cluster = make.plain(start=False)
    sockets = cluster.dir / "it's"
    sockets.mkdir(mode=0o700)
    pg.give(sockets)
    cluster.options = ["-k", str(sockets)]
    cluster.start()
    cluster.stop()
    Site(cluster, folder, pgseal).secure("--start", "--no-proof")
    assert cluster.pid and (sockets / f".s.PGSQL.{cluster.port}").exists()


# ---- going back by itself ---------------------------------------------------------------------

def test_a_failure_after_the_reload_takes_everything_back(site, make):
    """The server's copy of the key is unreadable to it: the reload keeps the old context."""
    site.secure()
    before = site.cluster.files()
    site.cluster.sql("alter system set ssl_ciphers to default")
    # an administrator whose only way in is plaintext over TCP is locked out by the new rules
    site.cluster.role("boss", password="x", options="login superuser")
    site.rollback()
    old = site.cluster.files()
    dsn = site.cluster.dsn(user="boss", password="x", sslmode="disable")
    result = site.secure("--target", dsn, ok=None)
    assert result.status == 5, result
    assert result.json["error"]["code"] == "rolled_back"
    assert {k: v for k, v in site.cluster.files().items() if "auto" not in k} == \
        {k: v for k, v in old.items() if "auto" not in k}
    assert site.cluster.sql("show ssl") == "off"
    assert before != old


def test_read_only_folder(make, folder, pgseal_as_owner):
    cluster = make.plain()
    site = Site(cluster, folder, pgseal_as_owner)
    before = cluster.files()
    os.chmod(cluster.dir, 0o555)
    if pg.AS_ROOT:
        os.chown(cluster.dir, 0, 0)
    try:
        result = site.secure(ok=None)
    finally:
        os.chmod(cluster.dir, 0o755)
    assert result.status == 3
    assert "--state-dir" in result.json["error"]["hint"]
    assert cluster.files() == before


def test_an_unfinished_change_must_be_taken_back_first(site):
    site.secure()
    journal = next(pathlib.Path(f"{site.cluster.data}.pgseal").glob("txn-*/journal"))
    journal.write_text(journal.read_text().replace("state verified", "state applied"))
    result = site.secure(ok=None)
    assert result.status == 4 and "rollback" in result.json["error"]["hint"]
    site.rollback()


def test_two_at_once_do_not_mix(site):
    site.secure()
    state = pathlib.Path(f"{site.cluster.data}.pgseal")
    with open(state / "lock") as lock:
        pg.fcntl.flock(lock, pg.fcntl.LOCK_EX)
        result = site.rollback(ok=None)
    assert result.status == 3 and result.json["error"]["code"] == "busy"


# ---- steps of a site --------------------------------------------------------------------------

def test_no_enforce_offers_tls_and_leaves_the_rules(site):
    before = site.cluster.hba.read_bytes()
    site.secure("--no-enforce")
    assert site.cluster.hba.read_bytes() == before
    tls = site.cluster.psql(site.cluster.dsn(user="app", sslmode="require", password="secret"))
    plain = site.cluster.psql(site.cluster.dsn(user="app", sslmode="disable", password="secret"))
    assert tls.returncode == 0 and plain.returncode == 0
    site.secure()
    assert_locked_down(site.cluster)


def test_who_would_be_cut_off_is_shown_first(site):
    argv = ["setpriv", f"--reuid={pg.OWNER.pw_uid}"] if pg.AS_ROOT else []
    dsn = site.cluster.dsn(user="app", sslmode="disable", password="secret",
                           application_name="old-batch")
    session = subprocess.Popen([*argv, pg.client_program("psql"), "-XAtq", dsn],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        session.stdin.write("select 1;\n")
        session.stdin.flush()
        assert session.stdout.readline() == "1\n"
        sessions = site.secure("--dry-run").json["access"]["sessions"]
        assert [(s["role"], s["application"], s["now"], s["then"]) for s in sessions] == \
            [("app", "old-batch", "plaintext", "refused")]
    finally:
        session.stdin.close()
        session.wait()


def test_rules_that_still_admit_plaintext_are_named(site):
    result = site.secure(policies=("app=cert",))
    rules = result.json["access"]["plaintext_rules"]
    assert rules and all("host" in r["rule"] for r in rules)


# ---- rules ------------------------------------------------------------------------------------

RULES = [
    ("the rule that must match stands above the one that would shadow it",
     "host all all 127.0.0.1/32 scram-sha-256\nhostssl all app 127.0.0.1/32 cert\n",
     ("encrypt", "app=cert"),
     ["hostssl all app 127.0.0.1/32 cert", "hostssl all all 127.0.0.1/32 scram-sha-256",
      "hostssl all app 127.0.0.1/32 cert"]),
    ("one role alone: its plaintext is refused, the others are left alone",
     "host all all 127.0.0.1/32 md5\n", ("app=cert",),
     ["hostssl all app 127.0.0.1/32 cert", "hostnossl all app 127.0.0.1/32 reject",
      "host all all 127.0.0.1/32 md5"]),
    ("a list that names the role", "host shop app,bob 10.0.0.0/8 md5\n", ("encrypt", "app=verify-full"),
     ["hostssl shop app 10.0.0.0/8 md5 clientcert=verify-full", "hostssl shop app,bob 10.0.0.0/8 md5"]),
    ("a rule of the role alone is edited in place", "host    shop  app  10.0.0.0/8  md5 # x\n",
     ("app=verify-ca",), ["hostssl shop  app  10.0.0.0/8  md5 clientcert=verify-ca # x"]),
    ("rejections and plaintext rules", "host all bad 10.0.0.0/8 reject\nhostnossl all all 10.0.0.0/8 md5\n",
     ("encrypt",), ["host all bad 10.0.0.0/8 reject", "hostnossl all all 10.0.0.0/8 reject"]),
    ("a group that the role is in", "host all +staff 10.0.0.0/8 md5\n", ("encrypt", "app=cert"),
     ["hostssl all app 10.0.0.0/8 cert", "hostssl all +staff 10.0.0.0/8 md5"]),
    ("a group that it is not in", "host all +others 10.0.0.0/8 md5\n", ("encrypt", "app=cert"),
     ["hostssl all +others 10.0.0.0/8 md5"]),
    ("cert for everybody", "host all all 0.0.0.0/0 scram-sha-256\n", ("cert",),
     ["hostssl all all 0.0.0.0/0 cert"]),
]


@pytest.fixture(scope="module")
def ruled(make_shared):
    cluster = make_shared.plain()
    cluster.sql("create role staff; create role others; create role bob; "
                "create role app login password 'secret' in role staff")
    return cluster


@pytest.mark.parametrize("name, rules, policies, wanted", RULES, ids=[r[0] for r in RULES])
def test_rules(ruled, folder, pgseal, name, rules, policies, wanted):
    head = f"local all {ruled.user} peer\n"
    ruled.write_hba(head + rules)
    site = Site(ruled, folder, pgseal)
    site.secure("--no-proof", policies=policies)
    lines = [l for l in ruled.hba.read_text().splitlines() if not l.startswith("local")]
    assert [" ".join(l.split()) for l in lines] == [" ".join(w.split()) for w in wanted]
    again = site.secure("--no-proof", policies=policies)
    assert again.json["result"] == "unchanged"
    site.rollback()
    assert ruled.hba.read_text() == head + rules


def test_columns_stay_where_they_were(site):
    site.secure("--no-proof", policies=("encrypt", "app=cert"))
    rules = site.cluster.hba.read_text()
    assert "hostssl all             app             127.0.0.1/32            cert\n" in rules
    assert "hostssl all             all             127.0.0.1/32            scram-sha-256\n" in rules


# ---- the user's own files ---------------------------------------------------------------------

def openssl(cwd, *args):
    subprocess.run(["openssl", *map(str, args)], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def outside(folder):
    """A CA of somebody else, and a server certificate of it with the name localhost."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Outside", "-days", "3650")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "db.key", "-out", "db.csr", "-subj", "/CN=localhost")
    (folder / "ext").write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n"
                                "basicConstraints=critical,CA:FALSE\n")
    openssl(folder, "x509", "-req", "-in", "db.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "3000", "-extfile", "ext", "-out", "db.crt")
    return folder


def own(site, outside, *args, **kwargs):
    return site.run("secure", "-D", site.cluster.data, "--cert", outside / "db.crt", "--key",
                    outside / "db.key", "--trust", outside / "ca.crt", "--yes", "--format", "json",
                    *args, **kwargs)


def test_the_users_own_certificate(site, outside):
    result = own(site, outside, "--host", "localhost", ok=True)
    assert result.json["result"] == "changed"
    good = site.cluster.psql(site.cluster.dsn(
        host="localhost", hostaddr="127.0.0.1", user="app", password="secret",
        sslmode="verify-full", sslrootcert=outside / "ca.crt"))
    assert good.returncode == 0, good.stderr
    assert own(site, outside, "--host", "localhost", ok=True).json["result"] == "unchanged"


def test_a_key_that_does_not_fit_is_refused(site, outside):
    openssl(outside, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "db.key")
    result = own(site, outside, "--host", "localhost")
    assert result.status == 4 and "does not fit" in result.json["error"]["message"]


def test_a_certificate_without_the_name_is_refused(site, outside):
    result = own(site, outside, "--host", "db.example.net")
    assert result.status == 4 and "db.example.net" in result.json["error"]["message"]


# ---- profiles, keys, names --------------------------------------------------------------------

def test_a_certificate_that_is_too_weak_to_start_with_is_refused(make, folder, outside, pgseal):
    openssl(outside, "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-out",
            "weak.crt", "-days", "30", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost")
    cluster = make.plain(start=False)
    result = pgseal("secure", "-D", cluster.data, "--cert", outside / "weak.crt", "--key",
                    outside / "weak.key", "--trust", outside / "weak.crt", "--host", "localhost",
                    "--yes", "--format", "json", ok=None)
    assert result.status != 0 and "too weak" in result.json["error"]["message"]
    cluster.start()


def test_profile_critical_serves_only_aead_with_forward_secrecy(site):
    site.secure("--profile", "critical")
    for cipher, welcome in (("ECDHE-ECDSA-AES128-GCM-SHA256", True),
                            ("ECDHE-ECDSA-AES128-SHA", False), ("AES128-GCM-SHA256", False)):
        done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect",
                               f"127.0.0.1:{site.cluster.port}", "-tls1_2", "-cipher", cipher],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert ("Cipher is " + cipher in done.stdout) == welcome, (cipher, done.stdout)


@pytest.mark.parametrize("key_type, text", [("rsa:2048", "2048 bit"), ("ec:p384", "secp384r1")])
def test_key_types_and_names_of_the_ca(site, key_type, text):
    site.secure("--key-type", key_type, "--dn-c", "ES", "--dn-o", "Banco de Prueba", "--no-proof")
    show = subprocess.run(["openssl", "x509", "-in", site.ca / "root.crt", "-noout", "-text",
                           "-nameopt", "RFC2253"], capture_output=True, text=True, check=True).stdout
    assert "O=Banco de Prueba" in show and "C=ES" in show and text in show


def test_the_root_key_behind_a_passphrase(site, program):
    read, write = os.pipe()
    os.write(write, b"a long phrase\n")
    os.close(write)
    result = subprocess.run(
        [program, "secure", "-D", site.cluster.data, "--ca", site.ca, "--root-passphrase",
         "--passphrase-fd", str(read), "--yes", "--no-proof"], pass_fds=[read],
        capture_output=True, text=True)
    os.close(read)
    assert result.returncode == 0, result.stderr
    assert "ENCRYPTED" in (site.ca / "root.key").read_text()
    assert "a long phrase" not in result.stdout + result.stderr


def test_the_report_is_one_page_without_outside_resources(site):
    report = site.folder / "report.html"
    site.secure("--report", report)
    page = report.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"<script|https?://[^<\"]*\.(js|css)|<link", page)
    assert "PRIVATE KEY" not in page
