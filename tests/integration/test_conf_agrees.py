"""What pgseal makes of postgresql.conf, and what it knows of settings, is what the servers say."""
import os
import pathlib
import random
import re
import subprocess

import pytest

import pg

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(os.environ.get("PGSEAL", SOURCE / "build/pgseal")).parent / "tests/tools"

LINES = 480
PER_FILE = 80           # server and pgseal give up after 100 errors

NAMES = ["t.x", "T.Y", "t._1", "café.ñ", "work_mem", "t.x1", "t.x ", "\tt.x"]
BAD_NAMES = ["a.b.c", "5x", "t-x", "'t.x'", "t..x", ".x", "t.", "=", "t$.x", "\ufefft.x", "*"]
VALUES = ["on", "5432", "64MB", "1.5", "-1", "+.5", "0x1F", "1e5", "1.5e-3", "5.", ".", "-.", "a-b",
          "a:b/c", "s.crt.pem", "_x", "ñandú", "5432 # port", "'a b'", "''", "'it''s'", "'it\\'s'",
          "'a\\\\b'", "'\\101\\60'", "'\\n\\t\\x'", "'# no comment'", "'a'#b", "0xZ", "12kB", "'é'",
          "a.b", "/tmp", "./x", "1.5GB", "12a3", "-", "a, b", "*", "\"a\"", "'open", "'a\\", "'a' 'b'",
          "1'v'", "$x", "a b", "= 1", "", "%", "1:2", "\v1", "a@b", "TLSv1.2", "server.crt"]
PIECES = list("abx_59.-+:/=#'\\ \t\r,$é") + ["''", "\\'", "\\7", "0x", "e5", "MB"]


def generated_lines():
    """The same lines in every run: well-formed ones, ones with something wrong, and noise."""
    rnd = random.Random(20261121)
    lines = [f"t.x = {value}" for value in VALUES] + [f"{name} = 1" for name in BAD_NAMES]
    while len(lines) < LINES:
        name = rnd.choice(NAMES if rnd.random() < 0.9 else BAD_NAMES)
        noise = "".join(rnd.choices(PIECES, k=rnd.randint(0, 8)))
        value = rnd.choice([rnd.choice(VALUES), noise, f"'{noise}'", f"x{noise}", f"5{noise}"])
        lines.append(name + rnd.choice([" = ", "=", " ", "", "\t=\t"]) + value
                     + rnd.choice(["", "", " ", "\r", " # x"]))
    return lines


def conf_dump(*paths):
    """(assignments as (file, line, name, value), problems as (file, line))"""
    out = pg.must(subprocess.run([TOOLS / "conf_dump", *paths], capture_output=True, text=True))
    settings, problems = [], []
    for line in out.stdout.splitlines():
        kind, file, number, *rest = line.split("\t")
        if kind == "S":
            settings.append((file, int(number), *(bytes.fromhex(x).decode() for x in rest)))
        else:
            problems.append((file, int(number)))
    return settings, problems


def refused_lines(cluster):
    """The lines that the server of a stopped cluster calls syntax errors."""
    out = pg.as_owner([cluster.bindir / "postgres", "-D", cluster.data, "-C", "port"])
    assert "too many syntax errors" not in out.stderr
    found = re.findall(r'syntax error in file "([^"]+)" line (\d+)', out.stderr)
    return [(file, int(line)) for file, line in found]


def file_settings(cluster):
    """pg_file_settings, in the order in which the server read them."""
    rows = cluster.sql("select sourcefile, sourceline, encode(convert_to(name, 'UTF8'), 'hex'),"
                       " encode(convert_to(setting, 'UTF8'), 'hex')"
                       " from pg_file_settings where name is not null order by seqno")
    fields = [row.split("|") for row in rows.splitlines()]
    return [(file, int(line), bytes.fromhex(name).decode(), bytes.fromhex(value).decode())
            for file, line, name, value in fields]


def test_the_same_lines_are_refused(make, every_major):
    cluster = make.plain(every_major, start=False)
    lines = generated_lines()
    refused = 0
    for at in range(0, len(lines), PER_FILE):
        cluster.write(cluster.conf, "\n".join(lines[at:at + PER_FILE]))
        theirs, ours = refused_lines(cluster), conf_dump(cluster.conf)[1]
        assert ours == theirs, [lines[at + n - 1] for _, n in set(ours) ^ set(theirs)]
        refused += len(theirs)
    assert LINES / 5 < refused < LINES * 4 / 5      # both kinds are among them


def test_the_others_have_the_same_values(make, every_major):
    cluster = make.plain(every_major)
    lines = generated_lines()
    good = []
    for at in range(0, len(lines), PER_FILE):
        chunk = lines[at:at + PER_FILE]
        cluster.write(cluster.conf, "\n".join(chunk))
        bad = {line for _, line in conf_dump(cluster.conf)[1]}
        good += [line for n, line in enumerate(chunk, 1) if n not in bad]
    cluster.write(cluster.conf, "\n".join(good))
    ours = conf_dump(cluster.conf)[0]
    assert len(ours) > LINES / 5
    assert ours == file_settings(cluster)


def test_trees_are_read_in_the_same_order(make, every_major):
    cluster = make.plain(every_major)
    sub = cluster.data / "sub"
    sub.mkdir()
    pg.give(sub)
    cluster.write(cluster.conf, cluster.base_settings() + "t.a = 1\n"
                  "INCLUDE 'sub/one.conf'\r\nt.a = 2\ninclude_if_exists = 'no.conf'\n"
                  "include_dir './/sub/./'\nt.b = last")
    cluster.write(sub / "one.conf", "t.a = 'one'\ninclude 'two.inc'\n\nt.c = 'more'")
    cluster.write(sub / "two.inc", "t.a = 'two'\n")
    for name in ("b.conf", "a.conf", "B.conf", "10.conf", "9.conf", ".hidden.conf", "x.conf.bak"):
        cluster.write(sub / name, f"t.a = '{name}'\n")
    cluster.write(cluster.data / "postgresql.auto.conf", "# Do not edit\nT.A = 'auto'\n")
    ours, problems = conf_dump(cluster.conf, cluster.data / "postgresql.auto.conf")
    assert problems == []
    assert ours == file_settings(cluster)
    assert "10.conf" in {value for *_, value in ours}
    assert ".hidden.conf" not in {value for *_, value in ours}


def test_a_crowded_configuration_is_the_same(make, every_major):
    cluster = make.crowded(every_major)
    ours, problems = conf_dump(cluster.conf, cluster.data / "postgresql.auto.conf")
    assert problems == []
    assert ours == file_settings(cluster)


def test_trees_that_the_server_refuses_are_problems(make, every_major):
    cluster = make.plain(every_major, start=False)
    trees = {
        "a file that is not there": {"postgresql.conf": "include 'no.conf'"},
        "a folder that is not there": {"postgresql.conf": "include_dir 'no.d'"},
        "itself": {"postgresql.conf": "include './postgresql.conf'"},
        "each other": {"postgresql.conf": "include 'a.inc'", "a.inc": "include 'b.inc'",
                       "b.inc": "include 'a.inc'"},
        "an empty name": {"postgresql.conf": "include_if_exists ' '"},
        "an error in auto.conf": {"postgresql.conf": "", "postgresql.auto.conf": "x = /"},
    }
    good = {f"{n}.inc": f"include '{n + 1}.inc'" for n in range(1, 10)}
    good |= {"postgresql.conf": "include '1.inc'", "10.inc": "t.x = 1"}
    trees["eleven levels"] = good | {"10.inc": "include '11.inc'", "11.inc": ""}
    for what, files in {"ten levels": good, **trees}.items():
        for name, text in files.items():
            cluster.write(cluster.data / name, text)
        out = pg.as_owner([cluster.bindir / "postgres", "-D", cluster.data, "-C", "port"])
        problems = conf_dump(cluster.conf, cluster.data / "postgresql.auto.conf")[1]
        assert bool(problems) == (out.returncode != 0) == (what != "ten levels"), (what, out)
        if "postgresql.auto.conf" in files:
            cluster.write(cluster.data / "postgresql.auto.conf", "")


# Packagers choose these, and boot_val of the others is null.
CHOSEN = {"unix_socket_directories"}
IN_DATA_DIRECTORY = {"config_file", "hba_file", "ident_file", "data_directory", "hosts_file"}


def settings_table(major):
    out = pg.must(subprocess.run([TOOLS / "settings_dump", str(major)], capture_output=True,
                                 text=True))
    return {name: (known == "1", reloads == "1", default) for name, known, reloads, default
            in (line.split("\t") for line in out.stdout.splitlines())}


def test_settings_are_those_of_the_server(make, every_major):
    cluster = make.plain(every_major)
    table = settings_table(every_major)
    rows = cluster.sql("select name, context, boot_val from pg_settings").splitlines()
    server = {name: (context, value) for name, context, value in (row.split("|") for row in rows)}
    hidden = {"ssl_renegotiation_limit"}
    assert {name for name in server if name.startswith("ssl")} <= table.keys()
    for name, (known, reloads, default) in table.items():
        if name in hidden:
            assert known and cluster.sql(f"show {name}") == "0"
            continue
        assert known == (name in server), name
        if not known:
            continue
        context, value = server[name]
        assert reloads == (context not in ("postmaster", "internal")), (name, context)
        if name not in CHOSEN | IN_DATA_DIRECTORY:
            assert default == value, name


def test_an_old_name_overrides_the_new_one(make):
    if 18 not in pg.SERVERS:
        pytest.skip(pg.why_missing(18))
    cluster = make.plain(18, ssl_groups="X25519", ssl_ecdh_curve="prime256v1")
    assert cluster.sql("show ssl_groups") == "prime256v1"
