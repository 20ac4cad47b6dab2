"""pgseal check --ask and --diff: questions to pg_hba.conf that have one answer."""
import pytest


@pytest.fixture
def files(folder):
    folder.chmod(0o755)
    (folder / "postgresql.conf").write_text("ssl = on\n")
    (folder / "pg_hba.conf").write_text("local all postgres peer\n"
                                        "hostssl shop +web 10.0.0.0/8 scram-sha-256\n"
                                        "host all all db.example.net md5\n"
                                        "host replication rep 10.0.0.0/8 md5\n"
                                        "host all all 10.1.0.0/16 reject\n")
    return folder


def ask(pgseal, files, question, version=16):
    return pgseal("check", "--files", files, "--server-version", version, "--ask", question,
                  "--format", "json")


def test_the_line_that_decides_and_the_reasons_of_the_others(pgseal, files):
    result = ask(pgseal, files, "role=app db=shop from=10.1.0.5 tls=yes member=web")
    assert result.status == 0, result
    assert result.json["schema"] == "pgseal.check/1"
    assert result.json["answer"]["verdict"] == "admitted"
    assert result.json["answer"]["line"] == 2
    assert result.json["answer"]["method"] == "scram-sha-256"
    assert [(s["line"], s["match"], s["why"]) for s in result.json["steps"]] == [
        (1, "no", "for_sockets"), (2, "yes", "matches")]


def test_what_is_not_known_is_said(pgseal, files):
    result = ask(pgseal, files, "role=app db=shop from=10.1.0.5 tls=no")
    assert result.json["answer"]["verdict"] == "uncertain"
    assert result.json["answer"]["line"] == 5
    assert [(s["line"], s["match"], s["why"]) for s in result.json["steps"]] == [
        (1, "no", "for_sockets"), (2, "no", "wants_tls"), (3, "perhaps", "host_unknown"),
        (4, "no", "for_replication"), (5, "yes", "matches")]
    result = ask(pgseal, files, "role=app db=shop from=10.1.0.5 tls=yes")
    assert result.json["steps"][1]["why"] == "member_unknown"


def test_nobody_is_told_apart_from_refused_by_a_line(pgseal, files):
    result = ask(pgseal, files, "role=app db=shop from=local")
    assert result.json["answer"]["verdict"] == "refused"
    assert result.json["answer"]["method"] is None


@pytest.mark.parametrize("question, column", [
    ("role=app from=everywhere", 10), ("role=app from=::1 tls=maybe", 19), ("rolle=app", 1)])
def test_a_question_that_cannot_be_read_is_wrong_use_with_its_place(pgseal, files, question, column):
    result = ask(pgseal, files, question)
    assert result.status == 2
    assert result.json["error"]["at"]["column"] == column


def test_the_members_of_a_role_come_from_the_server(pgseal, make):
    cluster = make.plain()
    cluster.sql("create role web; create role app login in role web")
    dsn = f"host={cluster.sockets} port={cluster.port} user={cluster.user} dbname=postgres"
    cluster.write_hba(f"local all {cluster.user} trust\nhost all +web 10.0.0.0/8 scram-sha-256\n")
    cluster.reload()
    result = pgseal("check", "--target", dsn, "--ask", "role=app db=postgres from=10.0.0.1",
                    "--format", "json")
    assert result.status == 0, result
    assert result.json["answer"]["verdict"] == "admitted", result
    assert "web" in result.json["question"]["member_of"]


# ---- --diff ------------------------------------------------------------------------------------

def diff(pgseal, folder, before, after, version=16):
    (folder / "old").write_text(before)
    (folder / "new").write_text(after)
    return pgseal("check", "--diff", folder / "old", folder / "new", "--server-version", version,
                  "--format", "json")


def test_the_same_access_in_other_words_is_no_difference(pgseal, folder):
    result = diff(pgseal, folder, "# one\nhost a,b c 10.0.0.0/8 md5\nlocal all all peer\n",
                  "local all all peer\nhost b c 10.0.0.0/9 md5\nhost b c 10.128.0.0 255.128.0.0 md5\n"
                  "host a c 10.0.0.0/8 md5\n")
    assert result.status == 0, result
    assert result.json["verdict"] == "same"
    assert result.json["changes"] == []


def test_who_no_longer_needs_tls_is_named(pgseal, folder):
    result = diff(pgseal, folder, "hostssl shop app 10.0.0.0/8 scram-sha-256\n",
                  "host shop app 10.0.0.0/8 scram-sha-256\n")
    assert result.status == 1
    plain = [c for c in result.json["changes"] if c["connection"] == "plaintext"]
    assert [(c["change"], c["role"], c["database"], c["from"]) for c in plain] == [
        ("to_plain", "app", "shop", "10.0.0.0/8")]


def test_what_only_becomes_stricter_is_no_finding(pgseal, folder):
    result = diff(pgseal, folder, "hostssl shop app 10.0.0.0/8 md5\n",
                  "hostssl shop app 10.0.0.0/8 scram-sha-256\n")
    assert result.status == 0
    assert [c["change"] for c in result.json["changes"]] == ["stronger"]


def test_a_file_that_the_server_refuses_is_an_error_with_its_place(pgseal, folder):
    result = diff(pgseal, folder, "local all all peer\n", "local all all peer\nhots all all all md5\n")
    assert result.status == 3
    assert result.json["error"]["at"]["line"] == 2


def test_one_question_goes_with_no_report(pgseal, folder):
    for extra in (["--fix"], ["--format", "sarif"], ["--baseline", "x"]):
        assert pgseal("check", "-D", folder, "--ask", "role=a from=local", *extra).status == 2
    assert pgseal("check", "--diff", folder, "--server-version", "16").status == 2
    assert pgseal("check", "--diff", folder, folder).status == 2
