"""What a finding shows to be written or run, done literally: the server takes it, and the finding is gone."""
import csv
import io
import shlex

import pytest

import pg
from pki import DH_1024, Pki
from test_scan import TLS_HBA, at, certificate, ids, scan, tls_server
from test_scan_kinds import pgbouncer, pgpool
from wire import Capture

ALL_SUITES = "ALL:eNULL:@SECLEVEL=0"
EMBEDDED = [major for major in pg.MAJORS if major in pg.SERVERS and major != 15]     # their OpenSSL has old suites


def hba(*lines):
    return "\n".join(["local all all trust", *lines, ""])


def filled(form, words):
    """The form's words, those in <> with what stands in the line; None: the line is not of this form."""
    pairs = list(zip(form, words))
    if any(mine != theirs and not (mine.startswith("<") or (mine == "host" and theirs == "hostnossl"))
           for mine, theirs in pairs):
        return None
    return dict(pairs)


def mended(text, finding):
    """pg_hba.conf with each line of the one form become one of the other."""
    out = []
    for line in text.splitlines():
        known = filled(finding["fix_replaces"].split(), line.split())
        if line.startswith(("host", "<")) and known:
            line = " ".join(known.get(word, word) for word in finding["fix"].split())
        out.append(line)
    return "\n".join(out) + "\n"


def apply(cluster, finding):
    """Literally what is shown."""
    if finding["fix_file"] == "postgresql.conf":
        assert finding["fix_kind"] == "line" and finding["fix_replaces"] is None
        with open(cluster.conf, "a") as conf:
            conf.write(finding["fix"] + "\n")
    else:
        assert finding["fix_file"] == "pg_hba.conf" and finding["fix_kind"] == "form"
        before = cluster.hba.read_text()
        cluster.write_hba(mended(before, finding))
        assert cluster.hba.read_text() != before


FAULTS = {
    "plaintext-accepted": (None, hba("host all all 127.0.0.1/32 scram-sha-256"), {}),
    "plaintext-accepted, by a line of its own": (
        None, hba("hostssl all all 127.0.0.1/32 scram-sha-256", "hostnossl all all 127.0.0.1/32 scram-sha-256"), {}),
    "plaintext-accepted, several lines": (
        None, hba("host postgres all 127.0.0.1/32 scram-sha-256", "host all all samehost md5",
                  "host all all all scram-sha-256"), {}),
    "replication-plaintext": (None, hba("hostssl all all 127.0.0.1/32 scram-sha-256",
                                        "host replication all 127.0.0.1/32 scram-sha-256"), {}),
    "password-plaintext": (None, hba("host all all 127.0.0.1/32 password"), {}),
    "password-plaintext, of replication": (None, hba("hostssl all all 127.0.0.1/32 scram-sha-256",
                                                     "host replication all 127.0.0.1/32 password"), {}),
    "trust-auth": (None, hba("host all all 127.0.0.1/32 trust"), {}),
    "trust-auth, over TLS": (None, hba("hostssl all all 127.0.0.1/32 trust"), {}),
    "trust-auth, of replication": (None, hba("hostssl all all 127.0.0.1/32 scram-sha-256",
                                             "host replication all 127.0.0.1/32 trust"), {}),
    "trust-auth, without TLS": (None, hba("host all all 127.0.0.1/32 trust"), {"ssl": "off"}),
    "auth-md5": (None, hba("hostssl all all 127.0.0.1/32 md5"), {"password_encryption": "md5"}),
    "no-tls13": (None, TLS_HBA, {"ssl_max_protocol_version": "TLSv1.2"}),
    "no-tls13, for want of a group": (None, TLS_HBA, {"ssl_ecdh_curve": "brainpoolP256r1"}),
    "tls-legacy-version": (EMBEDDED, TLS_HBA, {"ssl_min_protocol_version": "TLSv1", "ssl_ciphers": ALL_SUITES}),
    "tls-legacy-version, and nothing else": (EMBEDDED, TLS_HBA, {
        "ssl_min_protocol_version": "TLSv1", "ssl_max_protocol_version": "TLSv1.1", "ssl_ciphers": ALL_SUITES}),
    "cipher-null-anon": (EMBEDDED, TLS_HBA, {"ssl_ciphers": ALL_SUITES}),
    "cipher-no-fs": (None, TLS_HBA, {}),
    "cipher-cbc": (None, TLS_HBA, {}),
    "cipher-cbc, in old versions alone": (EMBEDDED, TLS_HBA, {
        "ssl_min_protocol_version": "TLSv1", "ssl_max_protocol_version": "TLSv1.1", "ssl_ciphers": ALL_SUITES}),
    "group-weak": (EMBEDDED, TLS_HBA, {"ssl_ecdh_curve": "secp224r1", "ssl_ciphers": ALL_SUITES}),
    "dh-weak": (EMBEDDED, TLS_HBA, {"ssl_dh_params_file": "dh.pem", "ssl_ciphers": ALL_SUITES}),
}


def majors_of(which):
    """The oldest and the newest of those that can have the fault."""
    here = sorted(which if which is not None else pg.SERVERS)
    return sorted({here[0], here[-1]}) if here else []


CASES = [(name, major) for name, (which, _, _) in FAULTS.items() for major in majors_of(which)]


@pytest.mark.parametrize("name,major", CASES, ids=[f"{name} ({major})" for name, major in CASES])
def test_what_is_shown_cures_what_is_found(pgseal, make, folder, name, major):
    _, lines, settings = FAULTS[name]
    rule = name.partition(",")[0]
    cluster = tls_server(make, folder, major, hba=lines, more={"dh.pem": DH_1024}, **settings)
    _, (target,) = scan(pgseal, at(cluster))
    finding, = (one for one in target["findings"] if one["id"] == rule)
    apply(cluster, finding)
    cluster.restart()
    _, (after,) = scan(pgseal, at(cluster))
    assert rule not in ids(after) | {one["id"] for one in after["not_examined"]}, finding
    assert after["reach"] == "postgres" and (after["tls"]["offered"] or settings.get("ssl") == "off")
    worse = ids(after) - ids(target)
    assert not worse, worse


# ---- a new certificate ----------------------------------------------------------------------------

CERTIFICATES = {
    "cert-self-signed": {},
    "name-mismatch": {"subject": "/CN=db9", "names": "DNS:db9,DNS:db10"},
    "cert-no-san": {"names": None},
    "cert-expired": {"start": -9, "end": -1},
    "cert-not-yet-valid": {"start": 5},
    "cert-expiring": {"start": -80, "end": 4},
    "cert-lifetime-long": {"end": 3000},
    "key-weak": {"key": "rsa:1024"},
    "eku-no-server-auth": {"uses": "clientAuth"},
    "sig-weak": {"digest": "sha1", "signer": True},
}
OLD_OPENSSL = {"key-weak", "sig-weak"}          # where a server starts with it


def run_shown(pgseal, cluster, ca, finding, **kwargs):
    """The command, with what stands in capitals filled in."""
    known = {"pgseal": [], "CADIR": [ca], "DATADIR": [cluster.data]}
    words = [part for word in shlex.split(finding["fix"]) for part in known.get(word, [word])]
    return pgseal(*words, "--yes", **kwargs)


@pytest.mark.parametrize("rule", CERTIFICATES)
def test_the_command_that_is_shown_makes_a_good_certificate(pgseal, make, folder, rule):
    pki = Pki(folder / "pki")
    how = dict(CERTIFICATES[rule])
    if rule in OLD_OPENSSL and not EMBEDDED:
        pytest.skip("no server here has an OpenSSL that takes it")
    if how.pop("signer", False):
        how["signer"] = pki.cert("/CN=ca", ca=True)
    made = pki.cert(how.pop("subject", "/CN=127.0.0.1"), key=pki.key(how.pop("key", "ec")), **how)
    major = EMBEDDED[-1] if rule in OLD_OPENSSL else 15
    cluster = tls_server(make, folder, major, hba=TLS_HBA, files=(made.cert, made.key))
    _, (target,) = scan(pgseal, at(cluster))
    finding, = (one for one in target["findings"] if one["id"] == rule)
    done = run_shown(pgseal, cluster, folder / "ca", finding)
    assert done.status == 0, done
    _, (after,) = scan(pgseal, at(cluster), args=["--trust", folder / "ca/root.crt"])
    assert not set(CERTIFICATES) & ids(after), after["findings"]
    assert set(target["certificate"]["names"]) | {"127.0.0.1"} == set(after["certificate"]["names"])


def test_the_command_that_is_shown_renews_what_secure_has_made(pgseal, make, folder, shifted):
    cluster = make.plain()
    pgseal("secure", "-D", cluster.data, "--ca", folder / "ca", "--host", "127.0.0.1", "--yes", ok=True)
    before, later = cluster.hba.read_text(), shifted(400)
    pgseal("rotate", "-D", cluster.data, "--ca", folder / "ca", "--crl-only", env=later, ok=True)
    _, (target,) = scan(lambda *args, **kwargs: pgseal(*args, env=later, **kwargs), at(cluster))
    finding, = (one for one in target["findings"] if one["id"] == "cert-expired")
    done = run_shown(pgseal, cluster, folder / "ca", finding, env=later)
    # (the server's own clock is not that late: what is revoked is refused for another reason)
    assert done.status in (0, 1) and cluster.hba.read_text() == before, done
    _, (after,) = scan(lambda *args, **kwargs: pgseal(*args, env=later, **kwargs), at(cluster))
    assert "cert-expired" not in ids(after) and after["certificate"]["names"] == target["certificate"]["names"]


def test_the_command_that_is_shown_brings_tls(pgseal, make, folder):
    cluster = make.plain(hba=hba("host all all 127.0.0.1/32 scram-sha-256"))
    _, (target,) = scan(pgseal, at(cluster))
    shown = {one["id"]: one for one in target["findings"]}
    assert shown["plaintext-accepted"]["fix"] is None and "TLS on first" in shown["plaintext-accepted"]["cure"]
    done = run_shown(pgseal, cluster, folder / "ca", shown["tls-off"])
    assert done.status == 0, done
    _, (after,) = scan(pgseal, at(cluster), args=["--trust", folder / "ca/root.crt"])
    assert after["plaintext"] == "no" and not {"tls-off", "name-mismatch"} & ids(after)


# ---- what cannot be pasted wrongly ----------------------------------------------------------------

@pytest.mark.parametrize("rule,lines", [
    ("plaintext-accepted", "host all all 127.0.0.1/32 scram-sha-256"),
    ("replication-plaintext", "host replication all 127.0.0.1/32 scram-sha-256"),
    ("trust-auth", "host all all 127.0.0.1/32 trust"),
])
def test_a_form_that_is_pasted_as_it_is_changes_nothing(pgseal, make, folder, every_major, rule, lines):
    cluster = tls_server(make, folder, every_major, hba=hba(lines))
    _, (target,) = scan(pgseal, at(cluster))
    finding, = (one for one in target["findings"] if one["id"] == rule)
    for form in (finding["fix"], finding["fix_replaces"]):
        cluster.write_hba(hba(form, lines))
        cluster.reload()
        assert "pg_hba.conf was not reloaded" in cluster.log()
        assert cluster.sql("select count(*) from pg_hba_file_rules where error is not null") == "1"


# ---- poolers --------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule,settings", [
    ("plaintext-accepted", {"client_tls_sslmode": "allow", "auth_type": "scram-sha-256"}),
    ("auth-md5", {"client_tls_sslmode": "require", "auth_type": "md5"}),
    ("cipher-cbc", {"client_tls_sslmode": "require", "auth_type": "scram-sha-256", "client_tls_ciphers": "normal"}),
    ("no-tls13", {"client_tls_sslmode": "require", "auth_type": "scram-sha-256", "client_tls_protocols": "tlsv1.2"}),
    ("cert-self-signed", {"client_tls_sslmode": "require", "auth_type": "scram-sha-256"}),
])
def test_pgbouncer_is_cured_in_its_own_file(pgseal, folder, rule, settings):
    with pgbouncer(folder, **settings) as bouncer:
        _, (target,) = scan(pgseal, bouncer, args=["--role", "app"])
    finding, = (one for one in target["findings"] if one["id"] == rule)
    assert "PgBouncer" in finding["cure"] and "pg_hba" not in finding["cure"]
    if rule == "cert-self-signed":
        assert finding["fix"] is None and "client_tls_cert_file" in finding["cure"]
        return
    assert finding["fix_file"] == "pgbouncer.ini" and finding["fix_replaces"] is None
    cured = dict(line.split(" = ") for line in finding["fix"].splitlines())
    with pgbouncer(folder, **{**settings, **cured}) as bouncer:
        _, (after,) = scan(pgseal, bouncer, args=["--role", "app"])
    assert rule not in ids(after) | {one["id"] for one in after["not_examined"]}


def test_pgbouncer_without_tls_gets_all_that_it_needs(pgseal, folder):
    with pgbouncer(folder, client_tls_sslmode="disable", auth_type="scram-sha-256") as bouncer:
        _, (target,) = scan(pgseal, bouncer)
    shown = {one["id"]: one for one in target["findings"]}
    assert shown["tls-off"]["fix_kind"] == "form" and shown["plaintext-accepted"]["fix"] is None
    names = [line.split(" = ")[0] for line in shown["tls-off"]["fix"].splitlines()]
    assert names == ["client_tls_cert_file", "client_tls_key_file", "client_tls_sslmode"]


def test_pgpool_is_cured_in_its_own_file(pgseal, make, folder):
    backend = make.plain(hba=hba("host all all 127.0.0.1/32 scram-sha-256"))
    with pgpool(folder, backend, ssl="on", enable_pool_hba="off") as pool:
        _, (target,) = scan(pgseal, pool)
    finding, = (one for one in target["findings"] if one["id"] == "plaintext-accepted")
    assert finding["fix_file"] == "pool_hba.conf" and "enable_pool_hba = on" in finding["cure"]


# ---- what packets show ----------------------------------------------------------------------------

def test_what_a_capture_shows_closes_what_it_found(pgseal, make, folder):
    cluster = tls_server(make, folder, hba=hba("host all all 127.0.0.1/32 scram-sha-256"))
    cluster.role("=1+1", "secret")                  # who opens the CSV does not want it calculated

    def found():
        capture = Capture(folder, cluster.port, pgseal)
        for sslmode in ("require", "disable"):
            cluster.psql(cluster.dsn(user="=1+1", password="secret", sslmode=sslmode))
        return capture, {one["id"]: one for one in capture.read()["findings"]}

    capture, before = found()
    assert before["wire-plaintext"]["object"] == at(cluster)
    cells = [cell for row in csv.reader(io.StringIO(pgseal("capture", "--read", capture.file, "--format", "csv").out)) for cell in row]
    assert "'=1+1" in cells and not [cell for cell in cells if cell.startswith("=")]
    apply(cluster, before["wire-plaintext"])
    cluster.reload()
    _, after = found()
    assert after["wire-plaintext"]["severity"] == "low" and "select" not in str(after)     # refused, nothing was told
    text = pgseal("capture", "--read", capture.file).out
    assert f"  Server:   {at(cluster)}\n" in text and "    + hostssl <database>" in text
