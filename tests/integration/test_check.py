"""pgseal check as a whole: the configuration that so many copy, a hardened server, every format, what is
accepted, what is known, and --fix.  Each rule by itself is in test_rules.py."""
import csv
import datetime
import io
import json
import os
import re
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree

import pytest

import pg

HOME = 15 if 15 in pg.SERVERS else max(pg.SERVERS)
SOON = (datetime.date.today() + datetime.timedelta(days=90)).isoformat()
GONE = (datetime.date.today() - datetime.timedelta(days=2)).isoformat()     # wherever on Earth that is

# As in a hundred guides: the password above the certificate, and a word that was renamed since.
GUIDE_HBA = f"""\
local   all   {pg.OWNER.pw_name}                 peer
host    all   all   127.0.0.1/32   scram-sha-256
host    all   all   0.0.0.0/0      scram-sha-256
hostssl all   all   0.0.0.0/0      cert clientcert=1
"""
GUIDE_CIPHERS = "HIGH:!aNULL:!eNULL:!LOW:!EXP:!MD5:!ADH:@STRENGTH"


def major_or_skip(major):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    return major


def make_guide(make, major):
    """The server of the guide, stopped: from 14 on it would not even start."""
    cluster = make.plain(major, hba=GUIDE_HBA, start=False, ssl="on", ssl_ciphers=GUIDE_CIPHERS)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                    "/CN=10.0.0.5", "-keyout", cluster.dir / "k", "-out", cluster.dir / "c",
                    "-config", "/dev/stdin"], input="[req]\ndistinguished_name=dn\n[dn]\n", text=True,
                   check=True, capture_output=True)
    cluster.write(cluster.data / "server.key", (cluster.dir / "k").read_bytes())
    cluster.write(cluster.data / "server.crt", (cluster.dir / "c").read_bytes())
    return cluster


def harden(make, pgseal, major=HOME):
    cluster = make.plain(major)
    pgseal("secure", "-D", cluster.data, "--ca", cluster.dir / "ca", "--host", "localhost", "--host",
           "127.0.0.1", "--state-dir", cluster.dir / "data.pgseal", "--yes", "--no-proof", ok=True)
    return cluster


@pytest.fixture(scope="module")
def hardened(make_shared, pgseal):
    return harden(make_shared, pgseal)


@pytest.fixture(scope="module")
def guide(make_shared):
    return make_guide(make_shared, HOME)


def ids(result):
    return {finding["id"] for finding in result["findings"]}


def by_id(result, wanted):
    return next(finding for finding in result["findings"] if finding["id"] == wanted)


# ---- what it is for ---------------------------------------------------------------------------

EVERYWHERE = {"hba-plaintext", "client-cert-never-asked", "client-ca-missing", "cert-no-san",
              "cert-self-signed", "cipher-no-fs", "cipher-cbc", "cert-lifetime-long", "hba-wide-open"}


@pytest.mark.parametrize("major, more", [(13, set()), (15, {"hba-syntax", "hba-clientcert-word"})])
def test_the_configuration_of_the_guides_gives_each_fault_by_name_with_its_cure(make, pgseal, major, more):
    cluster = make_guide(make, major_or_skip(major))
    seen = pgseal("check", "-D", cluster.data, "--format", "json")
    assert seen.status == 1, seen
    result = seen.json
    assert result["schema"] == "pgseal.check/1"
    assert (EVERYWHERE | more) - ids(result) == set(), ids(result)
    for finding in result["findings"]:
        assert finding["message"] and finding["why"] and finding["cure"] and finding["sources"], finding
        if finding["line"]:
            line = open(finding["file"]).read().split("\n")[finding["line"] - 1]
            assert finding["column"] is None or finding["column"] <= len(line) + 1
        if finding["id"] == "client-ca-missing":        # also where the version refuses the line
            assert line[finding["column"] - 1:finding["end_column"] - 1] == "cert", finding
    assert result["grade"] not in ("A+", "A", "B")


@pytest.mark.parametrize("major", [13, 15, 17])
def test_a_hardened_server_has_nothing_wrong(make, pgseal, major):
    cluster = harden(make, pgseal, major_or_skip(major))
    for way in (["-D", cluster.data], ["--target", cluster.dsn(host=cluster.sockets, user=cluster.user)]):
        if way[0] == "--target" and pg.AS_ROOT:
            continue                            # peer: the owner's connection, tested below
        seen = pgseal("check", *way, "--trust", cluster.dir / "ca/root.crt", "--fail-on", "low", "--format",
                      "json")
        assert seen.status == 0, seen
        assert [f for f in seen.json["findings"] if f["severity"] != "info"] == []
        assert seen.json["grade"] == "A+", seen


def test_through_sql_a_hardened_server_has_nothing_wrong_either(hardened, pgseal_as_owner):
    seen = pgseal_as_owner("check", "--target", f"host={hardened.sockets} port={hardened.port} "
                           "dbname=postgres", "--format", "json", "--fail-on", "low")
    assert seen.status == 0, seen
    assert seen.json["server"]["source"] == "sql"


def test_copies_of_the_files_say_the_same_as_the_files(guide, pgseal, folder):
    copies = folder / "copies"
    copies.mkdir()
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "server.crt"):
        shutil.copy(guide.data / name, copies)
    whole = pgseal("check", "-D", guide.data, "--format", "json").json
    copied = pgseal("check", "--files", copies, "--server-version", HOME, "--format", "json").json
    hba = {"hba-plaintext", "client-cert-never-asked", "hba-wide-open", "cert-no-san", "cipher-no-fs"}
    assert hba <= ids(whole) & ids(copied)
    assert {u["id"] for u in whole["not_examined"]} <= {u["id"] for u in copied["not_examined"]}


def break_key(cluster):
    cluster.data.joinpath("server.key").chmod(0o644)


def break_hba(cluster):
    cluster.write_hba(GUIDE_HBA.replace("clientcert=1", "clientcert=maybe"))


def break_conf(cluster):
    cluster.set(ssl_ciphers="it's")


def break_setting(cluster):
    cluster.set(ssl_groups="X25519")         # of 18


def nothing(cluster):
    cluster.write_hba(GUIDE_HBA.replace(" clientcert=1", ""))


@pytest.mark.parametrize("spoil", [nothing, break_key, break_hba, break_conf, break_setting])
@pytest.mark.parametrize("major", [13, 15])
def test_the_forecast_of_the_next_restart_is_what_the_server_does(make, pgseal, major, spoil):
    cluster = make_guide(make, major_or_skip(major))
    nothing(cluster)
    spoil(cluster)
    said = pgseal("check", "-D", cluster.data, "--format", "json").json["forecast"]["restart"]
    try:
        cluster.start()
        did = "unhindered"
    except AssertionError:
        did = "fails"
    assert said == did, cluster.log()[-500:]


# ---- how it is shown --------------------------------------------------------------------------

def test_text_shows_the_line_with_the_spot_marked(guide, pgseal):
    text = pgseal("check", "-D", guide.data, env={"LC_ALL": "C.UTF-8"}).out
    assert re.search(r"^high\[hba-plaintext\]: .*\n +--> \S*pg_hba\.conf:3:1\n +\|\n +3 \| host .*\n +\| \^~~~$",
                     text, re.M), text
    assert "- host    all   all   0.0.0.0/0      scram-sha-256\n" in text
    assert re.search(r"^Found: +\d+ (critical|high)", text, re.M)
    assert "\033" not in text


def test_csv_has_one_row_for_each_finding(guide, pgseal):
    found = pgseal("check", "-D", guide.data, "--format", "json").json["findings"]
    rows = list(csv.DictReader(io.StringIO(pgseal("check", "-D", guide.data, "--format", "csv").out)))
    assert [r["id"] for r in rows if r["table"] == "findings"] == [f["id"] for f in found]


def test_html_is_one_page_without_scripts_or_links_outside(guide, pgseal):
    page = pgseal("check", "-D", guide.data, "--format", "html").out
    assert page.count("<details") == len(pgseal("check", "-D", guide.data, "--format", "json").json["findings"])
    assert "<script" not in page and "http://" not in page and "src=" not in page
    assert "<mark" in page and "hba-plaintext" in page


# OASIS SARIF 2.1.0, "required" and the enumerations of what we write.
LEVELS = {"none", "note", "warning", "error"}


def check_message(message):
    assert set(message) == {"text"} and message["text"]


def check_region(region):
    assert region["startLine"] >= 1
    assert region.get("startColumn", 1) >= 1
    if "endColumn" in region:
        assert region["endColumn"] > region["startColumn"]


def check_location(location):
    if "physicalLocation" in location:
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert urllib.parse.urlparse(uri).scheme in ("", "file") and " " not in uri
        if "region" in location["physicalLocation"]:
            check_region(location["physicalLocation"]["region"])


def check_sarif(log):
    assert set(log) == {"$schema", "version", "runs"} and log["version"] == "2.1.0"
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"] == "pgseal" and driver["version"]
        assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
        for rule in driver["rules"]:
            for key in ("shortDescription", "fullDescription", "help"):
                check_message(rule[key])
            assert rule["defaultConfiguration"]["level"] in LEVELS
            assert 0 <= float(rule["properties"]["security-severity"]) <= 10
            assert all(isinstance(tag, str) for tag in rule["properties"]["tags"])
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
            for notification in invocation["toolExecutionNotifications"]:
                check_message(notification["message"])
                assert notification["level"] in LEVELS
        for result in run["results"]:
            check_message(result["message"])
            assert result["level"] in LEVELS
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            assert all(isinstance(v, str) for v in result["partialFingerprints"].values())
            assert result["locations"]
            for location in result["locations"]:
                check_location(location)
            for suppression in result.get("suppressions", []):
                assert suppression["kind"] in ("inSource", "external")
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    return log["runs"][0]


def test_sarif_is_what_the_standard_wants(guide, pgseal):
    seen = pgseal("check", "-D", guide.data, "--format", "sarif")
    assert seen.status == 1, seen
    run = check_sarif(json.loads(seen.out))
    assert EVERYWHERE <= {result["ruleId"] for result in run["results"]}
    assert run["invocations"][0]["toolExecutionNotifications"]


def test_junit_fails_and_skips_what_it_should(guide, pgseal):
    root = xml.etree.ElementTree.fromstring(pgseal("check", "-D", guide.data, "--format", "junit").out)
    suite = root.find("testsuite")
    cases = suite.findall("testcase")
    failed = {c.get("name") for c in cases if c.find("failure") is not None}
    assert int(suite.get("tests")) == len(cases) and int(suite.get("failures")) == len(failed)
    assert {"hba-plaintext", "client-ca-missing"} <= failed
    assert "cipher-cbc" not in failed           # low, below --fail-on
    assert any(c.find("skipped") is not None for c in cases)


# ---- what counts ------------------------------------------------------------------------------

def test_fail_on_decides_the_exit_status(guide, pgseal):
    assert pgseal("check", "-D", guide.data, "--only", "cipher-cbc").status == 0
    assert pgseal("check", "-D", guide.data, "--only", "cipher-cbc", "--fail-on", "low").status == 1
    assert pgseal("check", "-D", guide.data, "--fail-on", "none").status == 0


def test_nothing_found_is_no_good_news_when_the_access_rules_could_not_be_read(make, pgseal, folder):
    cluster = harden(make, pgseal)
    cluster.stop()
    cluster.hba.unlink()
    with open(cluster.hba, "wb") as big:
        big.truncate(300 << 20)                 # over the bound, and nothing on disk
    seen = pgseal("check", "-D", cluster.data, "--format", "json")
    assert seen.status == 3 and "what counts most was not examined" in seen.err, seen
    assert seen.json["grade"] == "not_graded" and not ids(seen.json) & {"hba-plaintext", "hba-trust"}
    # Who leaves it out knows it, and what is found counts first.
    assert pgseal("check", "-D", cluster.data, "--skip", "hba-plaintext", "--skip", "hba-trust").status == 0
    cluster.set(ssl_min_protocol_version="TLSv1")
    assert pgseal("check", "-D", cluster.data).status == 1
    # Of copies only those count that somebody made.
    copies = folder / "copies"
    copies.mkdir()
    some = ("check", "--files", copies, "--server-version", cluster.major, "--only", "hba-plaintext")
    shutil.copy(cluster.conf, copies)
    assert pgseal(*some).status == 0
    os.link(cluster.hba, copies / "pg_hba.conf")
    assert pgseal(*some).status == 3


def test_only_and_skip_choose_the_rules(guide, pgseal):
    one = pgseal("check", "-D", guide.data, "--only", "cert-no-san", "--format", "json").json
    assert ids(one) == {"cert-no-san"} and one["grade"] == "not_graded"
    less = pgseal("check", "-D", guide.data, "--skip", "cert-no-san", "--format", "json").json
    assert "cert-no-san" not in ids(less)
    assert "cert-no-san" in {u["id"] for u in less["not_examined"]}


def test_an_exception_holds_until_its_day_and_then_counts_again(guide, pgseal, folder):
    accepted = folder / "accepted"
    accepted.write_text(f"# decided in the meeting\ncert-no-san until {SOON} because the test machine goes\n"
                        f"cert-self-signed server.crt until {GONE} because of the move\n"
                        f"hba-md5 until {SOON} because nobody uses it\n")
    seen = pgseal("check", "-D", guide.data, "--exceptions", accepted, "--format", "json").json
    assert "cert-no-san" not in ids(seen)
    assert {"id": "cert-no-san", "reason": "the test machine goes", "until": SOON}.items() <= \
        seen["accepted"][0].items()
    assert {"cert-self-signed", "exception-expired", "exception-unused"} <= ids(seen)
    assert by_id(seen, "exception-expired")["line"] == 3
    run = check_sarif(json.loads(pgseal("check", "-D", guide.data, "--exceptions", accepted, "--format",
                                        "sarif").out))
    assert [r["ruleId"] for r in run["results"] if r.get("suppressions")] == ["cert-no-san"]


def test_a_bad_exception_is_named_with_line_and_column(guide, pgseal, folder):
    accepted = folder / "accepted"
    accepted.write_text("\ntls-off until yesterday because x\n")
    seen = pgseal("check", "-D", guide.data, "--exceptions", accepted, "--format", "json")
    assert seen.status == 3 or seen.status == 2, seen
    assert seen.json["error"]["at"]["line"] == 2 and seen.json["error"]["at"]["column"] == 15


def test_with_a_baseline_only_what_is_new_counts(make, pgseal, folder):
    cluster = make_guide(make, HOME)
    known = folder / "known"
    pgseal("check", "-D", cluster.data, "--write-baseline", known)
    same = pgseal("check", "-D", cluster.data, "--baseline", known, "--format", "json", "--fail-on", "info")
    assert same.status == 0 and same.json["findings"] == [], same
    cluster.write_hba("# one line more\n" + GUIDE_HBA + "host all all 192.0.2.0/24 trust\n")
    new = pgseal("check", "-D", cluster.data, "--baseline", known, "--format", "json").json
    assert {f["line"] for f in new["findings"] if f["file"] == str(cluster.hba)} == {6}, new["findings"]


# ---- wrong use --------------------------------------------------------------------------------

@pytest.mark.parametrize("args, status", [
    ([], 2),
    (["-D", "/tmp", "--target", "x"], 2),
    (["--files", "/tmp"], 2),
    (["--files", "/tmp", "--server-version", "8.4"], 2),
    (["-D", "/tmp", "--server-version", "16"], 2),
    (["--target", "x", "--fix"], 2),
    (["-D", "/tmp", "--only", "no-such-rule"], 2),
    (["-D", "/tmp", "--fail-on", "much"], 2),
    (["-D", "/tmp", "--profile", "odd"], 2),
    (["-D", "/nonexistent"], 3),
])
def test_wrong_use_is_refused(pgseal, args, status):
    seen = pgseal("check", *args)
    assert seen.status == status and seen.err, seen


def test_no_cure_names_a_file_that_is_not_there(make, pgseal):
    """With a name that does not exist in ssl_ca_file the next restart would fail."""
    cluster = make_guide(make, HOME)
    found = pgseal("check", "-D", cluster.data, "--format", "json").json["findings"]
    missing = [finding for finding in found if finding["id"] == "client-ca-missing"]
    assert missing and all(finding["fix_kind"] == "none" for finding in missing), missing


# ---- --fix ------------------------------------------------------------------------------------

BROKEN = "host    all   all   10.0.0.0/8   scram-sha-256\n"


def broken(make, pgseal):
    cluster = harden(make, pgseal)
    cluster.write_hba(cluster.hba.read_text() + BROKEN)
    cluster.set(ssl_min_protocol_version="TLSv1")
    cluster.reload()
    return cluster


def run_fix(cluster, pgseal, *more):
    return pgseal("check", "-D", cluster.data, "--fix", *more, "--format", "json")


def test_fix_cures_and_looks_again(make, pgseal):
    cluster = broken(make, pgseal)
    state = ["--state-dir", cluster.dir / "data.pgseal"]
    assert {"hba-plaintext", "tls-legacy-version"} <= ids(pgseal("check", "-D", cluster.data, "--format",
                                                                 "json").json)
    before = cluster.files()
    dry = run_fix(cluster, pgseal, "--dry-run")
    assert cluster.files() == before and len(dry.json["mending"]["changes"]) == 2, dry

    seen = run_fix(cluster, pgseal, "--yes")
    assert seen.status == 0, seen
    assert seen.json["mending"]["mended"] == 2 and seen.json["mending"]["still_there"] == 0
    assert not {"hba-plaintext", "tls-legacy-version"} & ids(seen.json)
    assert cluster.sql("show ssl_min_protocol_version") == "TLSv1.2"
    assert "hostssl" in cluster.hba.read_text().strip().split("\n")[-1]
    again = run_fix(cluster, pgseal, "--yes")
    assert again.json["mending"]["changes"] == [], again

    pgseal("rollback", "-D", cluster.data, *state, ok=True)
    assert cluster.files() == before


def test_fix_counts_as_mended_only_what_is_not_found_again(make, pgseal):
    cluster = harden(make, pgseal)
    # CBC suites at the end do no harm where the server's order counts, and only there
    cluster.set(ssl_prefer_server_ciphers="off", ssl_ciphers="ECDHE+AES")
    cluster.reload()
    first = pgseal("check", "-D", cluster.data, "--format", "json").json
    assert "cipher-cbc" in ids(first)
    seen = run_fix(cluster, pgseal, "--yes", "--only", "cipher-cbc").json
    assert "cipher-cbc" not in ids(seen), seen["mending"]
    assert (seen["mending"]["mended"], seen["mending"]["still_there"]) == (1, 0)


# once the first line wants TLS, plaintext falls to the others; the second asks for nothing
HIDDEN = """host    all   all   10.0.0.0/8     scram-sha-256
host    all   app   10.1.0.0/16    trust
"""


def test_fix_opens_nothing_that_the_mended_line_had_hidden(make, pgseal):
    cluster = harden(make, pgseal)
    cluster.write_hba(cluster.hba.read_text() + HIDDEN)
    cluster.reload()
    seen = run_fix(cluster, pgseal, "--yes")
    lines = cluster.hba.read_text().strip().split("\n")[-2:]
    assert [line.split()[0] for line in lines] == ["hostssl", "hostssl"], seen
    assert not {"hba-plaintext", "hba-trust"} & {finding["id"] for finding in seen.json["findings"]
                                                 if finding["severity"] in ("high", "critical")}, seen


def test_what_a_line_hides_is_said_before_it_is_changed(make, pgseal):
    cluster = harden(make, pgseal)
    cluster.write_hba(cluster.hba.read_text() + HIDDEN)
    plain = by_id(pgseal("check", "-D", cluster.data, "--format", "json").json, "hba-plaintext")
    cluster.write_hba(cluster.hba.read_text().replace("host    all   all", "hostssl all all", 1))
    next_one = by_id(pgseal("check", "-D", cluster.data, "--format", "json").json, "hba-plaintext")
    assert next_one["line"] == plain["line"] + 1
    assert "falls to the lines below" in plain["cure"] and "--fix" in plain["cure"]


def test_fix_stops_where_less_would_be_asked_for(make, pgseal):
    cluster = harden(make, pgseal)
    # the second line was reached before, from elsewhere: it is accepted, and stays
    cluster.write_hba(cluster.hba.read_text() + "host    all   all   10.1.0.0/16    scram-sha-256\n"
                                                "host    all   all   10.0.0.0/8     trust\n")
    cluster.reload()
    before = cluster.files()
    accepted = cluster.dir / "accepted"
    accepted.write_text(f'hba-plaintext "host all all 10.0.0.0/8 trust" until {SOON} because it is tested\n')
    seen = run_fix(cluster, pgseal, "--yes", "--exceptions", accepted)
    assert seen.status == 4 and cluster.files() == before, seen


def test_the_commands_of_cures_are_ours(make, pgseal):
    cluster = make_guide(make, HOME)
    fixes = [finding["fix"] for finding in pgseal("check", "-D", cluster.data, "--format", "json").json["findings"]
             if finding["fix_kind"] == "command" and finding["fix"].startswith("pgseal ")]
    assert fixes
    for fix in fixes:
        words = fix.split()
        known = pgseal(words[1], "--help").out
        assert all(word in known for word in words if word.startswith("-")), fix
        assert "--ca" in words, fix


def test_fix_wants_tls_first(make, pgseal):
    cluster = make.plain(HOME)
    before = cluster.files()
    seen = run_fix(cluster, pgseal, "--yes")
    assert seen.status == 4 and cluster.files() == before, seen


# ---- explain ----------------------------------------------------------------------------------

def test_every_finding_can_be_explained(guide, pgseal):
    for rule in ids(pgseal("check", "-D", guide.data, "--format", "json").json):
        page = pgseal("explain", rule, "--format", "json", ok=True).json
        assert page["id"] == rule and page["why"] and page["sources"]
