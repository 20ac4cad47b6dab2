"""The rules about pg_hba.conf and pg_ident.conf on real servers: the guide that so many copy gives each of
its faults by name, a hardened server gives none, and the forecast comes true.  Each rule with its fault
and its silent twin: tests/unit/rules/test_hba_rules.c.
"""
import pytest

import pg

GUIDE = """\
local   all   {user}   peer
hostssl all   all   127.0.0.1/32   scram-sha-256
hostssl all   all   127.0.0.1/32   cert clientcert=1
host    all   all   0.0.0.0/0      md5
"""


def found(pgseal, cluster, *more):
    result = pgseal("check", "-D", cluster.data, "--format", "json", *more)
    assert result.status in (0, 1), result
    return result.json


def mine(json):
    return sorted((f["id"], f["line"]) for f in json["findings"]
                  if f["id"].startswith(("hba-", "ident-", "client-cert-never")))


@pytest.mark.parametrize("major", [13, 15])
def test_the_guide_gives_each_of_its_faults_by_name(pgseal, make, major):
    if major not in pg.SERVERS:
        pytest.skip(pg.why_missing(major))
    cluster = make.plain(major, start=False, hba=GUIDE.format(user=pg.OWNER.pw_name))
    faults = mine(found(pgseal, cluster))
    assert ("hba-shadowed", 3) in faults
    assert ("client-cert-never-asked", 3) in faults
    assert ("hba-clientcert-word", 3) in faults
    assert ("hba-plaintext", 4) in faults
    assert ("hba-md5", 4) in faults
    assert (("hba-syntax", 3) in faults) == (major >= 14)


def test_a_secured_server_gives_none(pgseal, make):
    cluster = make.plain(15 if 15 in pg.SERVERS else max(pg.SERVERS))
    cluster.role("app", password="secret")
    ok = pgseal("secure", "-D", cluster.data, "--ca", cluster.dir / "ca", "--state-dir", cluster.dir / "st",
                "--host", "localhost", "--policy", "encrypt", "--policy", "app=cert", "--client", "app",
                "--client-dir", cluster.dir / "clients", "--yes", "--no-proof")
    assert ok.status == 0, ok
    json = found(pgseal, cluster)
    severe = [f for f in json["findings"] if f["id"].startswith(("hba-", "ident-", "client-cert-never"))
              and f["severity"] in ("medium", "high", "critical")]
    assert not severe, severe
    assert not [n for n in json["not_examined"] if n["id"].startswith(("hba-", "ident-"))]


def starts(cluster):
    try:
        cluster.start()
    except AssertionError:
        return False
    cluster.stop()
    return True


BROKEN = {
    "right": ("local all all peer\n", "whole", "unhindered"),
    "an unknown type": ("local all all peer\nhots all all all md5\n", "part", "fails"),
    "no line at all": ("# nothing\n", "part", "fails"),
    "a mask that is none": ("local all all peer\nhost all all 10.0.0.0/33 md5\n", "part", "fails"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_forecast_of_the_restart_comes_true(pgseal, make, name):
    text, reload, restart = BROKEN[name]
    for major in sorted(pg.SERVERS):
        cluster = make.plain(major, start=False, hba=text)
        forecast = found(pgseal, cluster)["forecast"]
        assert (forecast["reload"], forecast["restart"]) == (reload, restart), major
        assert starts(cluster) == (restart == "unhindered"), major


def test_the_forecast_of_the_reload_comes_true(pgseal, make):
    for major in sorted(pg.SERVERS):
        cluster = make.plain(major)
        for text, answer in (("local all all trust\n", "whole"), ("local all all trust\nlocal all\n", "part")):
            cluster.write_hba(text)
            assert found(pgseal, cluster)["forecast"]["reload"] == answer, major
            begin = len(cluster.log())
            cluster.reload()
            cluster.sql("select 1")         # taken when all was read: what there is to be said of it stands in the log
            assert ("was not reloaded" in cluster.log()[begin:]) == (answer == "part"), major
