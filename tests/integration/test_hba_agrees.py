"""Our reading of pg_hba.conf and pg_ident.conf is the server's: the same fields, and an error where it has one.

pg_hba_file_rules reads the file as it lies there and judges every line on its own, so one file holds
all the lines of a test.  For a bad value of clientcert or clientname it shows a row of nothing, without
an error, though the server refuses the file: here that counts as an error.
"""
import itertools
import json
import os
import pathlib
import random
import subprocess

import pytest

import pg

DUMP = (pathlib.Path(os.environ.get("PGSEAL", pathlib.Path(__file__).resolve().parents[2]
                                    / "build/pgseal")).parent / "tests/tools/hba_dump")

# Said beside the fields of a line that is taken; without fields something else is wrong with it.
WARNING = "cannot match because"
# Said about the build or the settings of that server, not about the line.
OF_THE_BUILD = ("not supported by this build", "not supported on this platform",
                "oauth_validator_libraries")

TYPES = ["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc", '"host"', "HOST",
         "hots", "host,local", "hostsslx", "@type"]
DATABASES = ["all", "replication", "sameuser,samerole", '"all"', "a,b,c", "a,", "a ,b", '"my db"',
             '"a""b"', "/^db[0-9]+$", '"/^x"', "/(", "/a(b", "/a**", "@names", "@none", "@empty", "+x",
             'x"y z"w', "/[z", "/a{2,1}", "/^*", "/\\\\d+"]
USERS = ["all", "+dba", '"+dba"', "ana", "ana,luis", '""', "@names,x", "/.*", "a#b", '"a#b"', "/*",
         "/)", "@@", "@", "/"]
ADDRESSES = ["127.0.0.1/32", "::1/128", "all", '"all"', "ALL", "samehost", "samenet", "0.0.0.0/0",
             "10.0.0.0 255.0.0.0", "::/0", "10.0.0.0/33", "::1/129", "10.0.0.0/x", "10.0.0.0/",
             "10.0.0.0", "host.example.com", ".example.com", "host.example.com/8", "10.0.0.0 ::",
             "10.0.0.0 x", "10.1/8", "0x7f.1/8", "1.2.3.4/+8", '"1.2.3.4/ 8"', "1.2.3.4/-1", "10",
             "::ffff:1.2.3.4/128", "1.2.3.4,5.6.7.8", "256.1.1.1/8", "fe80::1 ffff::", '"" ""',
             '1.2.3.4 ""', "1.2.3.4/08", "10.0.0.0 255.0.0.0,255.0.0.1"]
METHODS = ["trust", "reject", "md5", "password", "scram-sha-256", "cert", "peer", "ident", "gss", "sspi",
           "pam", "bsd", "ldap", "radius", "oauth", "MD5", '"md5"', "scram", "md5,trust", "krb5"]
OPTIONS = ["", "", "", "map=m", "clientcert=verify-ca", "clientcert=verify-full", "clientcert=1",
           "clientcert=0", "clientcert=no-verify", "clientcert=bad", "clientname=CN",
           "clientname=DN", "clientname=XN", "nothing", "x=y", "map=a,clientcert=verify-full",
           'map="a b"', "include_realm=0", "krb_realm=R", "pamservice=x", "pam_use_hostname=1",
           "ldapserver=s ldapprefix=p", "ldapbasedn=b", "ldapserver=s ldapbasedn=b ldapsuffix=s",
           "ldapport=x ldapbasedn=b", "ldapport=389 ldapbasedn=b", "ldapscheme=ldaps ldapbasedn=b",
           "ldapscheme=bad ldapbasedn=b", "ldapsearchfilter=f ldapsearchattribute=a ldapbasedn=b",
           "ldapurl=ldap://h/dc=x", "ldapurl=http://h", "ldapprefix=a ldapurl=ldap://h/dc=x",
           "ldapurl=ldap://h", "ldaptls=1 ldapsuffix=x", "ldapserver=s", "compat_realm=1",
           "radiusservers=127.0.0.1 radiussecrets=s", "radiusservers=127.0.0.1",
           "radiusservers=127.0.0.1 radiussecrets=s radiusports=x",
           'radiusservers="127.0.0.1,127.0.0.2" radiussecrets="a,b,c"',
           'radiusservers="127.0.0.1" radiussecrets="a" radiusports="1,2"',
           "radiusservers= radiussecrets=a", "issuer=i scope=s", "issuer=i",
           "issuer=i scope=s map=m delegate_ident_mapping=1", "=x", "map=", "clientcert=",
           "# comment", "map=x # comment", "map = x"]
ODD_LINES = ["# a comment", "   ", "host", "host all", "host all all", "local all all",
             "host all all 127.0.0.1/32", "host all all 10.0.0.0 255.0.0.0", ",host,all all",
             'host "all all 127.0.0.1/32 md5', "local all all trust,", "local,all all trust",
             ",,local all ,all trust", "local all all trust map", '"local" "all" "all" "trust"',
             "local @none all trust", "local all all @method", "local all all @method map=x",
             "local all all \"trust\"x", 'lo"cal" all all tr"ust"',
             "local all all trust # \\", "local a" + "b" * 254 + " all trust", "include", "include x y",
             "local all all tru\tst", "local\tall\tall\ttrust", "local all all trust\r",
             "local all all trust;", "local all all 'trust'", "\\", "local all al\\l trust"]


SOUND = [TYPES[:6], ["all", "a,b", '"my db"', "sameuser,replication", "@names", "/^db[0-9]+$"],
         ["all", "+dba", "ana,luis", '"ana maria"', '""', "/.*"], ADDRESSES[:10],
         ["trust", "reject", "md5", "scram-sha-256", "password"], ["", "", "# comment"]]


def lines():
    """Every word of every field at least once in good company, then mixtures of all of them."""
    def line(kind, database, user, address, method, option):
        parts = [kind, database, user, *([] if kind == "local" else [address]), method, option]
        return " ".join(p for p in parts if p)

    usual = ["hostssl", "all", "all", "127.0.0.1/32", "md5", ""]
    fields = [TYPES, DATABASES, USERS, ADDRESSES, METHODS, OPTIONS]
    found = list(ODD_LINES)
    for i, words in enumerate(fields):
        found += [line(*usual[:i], word, *usual[i + 1:]) for word in words]
    found += [line("hostssl", "all", "all", "all", m, o)
              for m, o in itertools.product(METHODS, OPTIONS)]
    found += [line(t, "all", "all", "all", m, o) for t, m, o in itertools.product(
        TYPES[:6], METHODS[:16], ["", "map=m", "clientcert=verify-ca", "clientcert=verify-full"])]
    dice = random.Random(20)
    for _ in range(1000):       # sound words, and now and then one of the others
        found.append(line(*(dice.choice(words if dice.random() < 0.12 else good)
                            for words, good in zip(fields, SOUND))))
    return found


def option(row, name):
    for text in row["options"] or []:
        if text.startswith(name + "="):
            return text[len(name) + 1:]
    return None


def server_reading(cluster):
    """line number -> fields, or the error as text; file_name since 16."""
    text = cluster.sql("select coalesce(json_agg(r), '[]') from pg_hba_file_rules r")
    found = {}
    for row in json.loads(text):
        error = row["error"]
        where = (row.get("file_name") or str(cluster.hba), row["line_number"])
        if row["type"] is None and any(part in (error or "") for part in OF_THE_BUILD):
            found.setdefault(where, []).append({"unknown": error})
        elif row["type"] is None or (error and WARNING not in error):
            found.setdefault(where, []).append({"error": error})
        else:
            fields = {key: row[key] for key in ("type", "database", "user_name", "address", "netmask",
                                                "auth_method")}
            found.setdefault(where, []).append(
                {**fields, "map": option(row, "map"), "clientcert": option(row, "clientcert")})
    return found


def our_reading(cluster, path, kind="hba"):
    done = subprocess.run([DUMP, kind, str(cluster.major), str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {}
    for text in done.stdout.splitlines():
        row = json.loads(text)
        where = (os.path.normpath(row.pop("file_name")), row.pop("line_number"))
        found.setdefault(where, []).append(row)
    return found


def same(theirs, ours):
    if any("unknown" in row for row in theirs):
        return True
    if len(theirs) != len(ours):
        return False
    return all("error" in b if "error" in a else a == b for a, b in zip(theirs, ours))


def disagreements(cluster, texts):
    theirs, ours = server_reading(cluster), our_reading(cluster, cluster.hba)
    return [f"{where}: {texts.get(where, '')!r}\n  server: {theirs.get(where)}\n  we:     {ours.get(where)}"
            for where in sorted(set(theirs) | set(ours))
            if not same(theirs.get(where, []), ours.get(where, []))]


@pytest.fixture(scope="module", params=sorted(pg.SERVERS), ids=lambda major: f"pg{major}")
def server(request, make_shared):
    cluster = make_shared.plain(request.param)
    words = {"names": "x, \"all\"\n# no\ny,z\n", "empty": "# nothing\n", "method": "md5\n",
             "type": "host\n", "loop": "@loop2", "loop2": "@loop"}
    for name, text in words.items():
        cluster.write(cluster.data / name, text)
    return cluster


def test_every_line_is_read_as_the_server_reads_it(server):
    texts = lines()
    server.write_hba("".join(f"{text}\n" for text in texts))
    wrong = disagreements(server, {(str(server.hba), i): text for i, text in enumerate(texts, 1)})
    read = [row for rows in server_reading(server).values() for row in rows]
    print(f"PostgreSQL {server.major}: {len(texts)} lines, {sum('type' in row for row in read)} taken, "
          f"{sum('error' in row for row in read)} refused, "
          f"{sum('unknown' in row for row in read)} not to be had in this build, "
          f"{len(wrong)} disagreements")
    assert not wrong, "\n".join(wrong)


# Files as they lie, "pg_hba.conf" first; what they mean depends on the version.
TREES = {
    "continued": {"pg_hba.conf": "local all \\\n all \\\n  trust\n# a comment \\\nlocal a a trust\n"
                                 "local b b trust \\\n\nlocal c \"c\\\nc\" trust\\"},
    "two backslashes": {"pg_hba.conf": "local a a tru\\\\\nst\nlocal b b trust\\\n\\\nlocal c c trust\n"},
    "crlf": {"pg_hba.conf": "local all all trust\r\nhost all all all reject\\\r\n\r\nlocal x x md5\r"},
    "no newline": {"pg_hba.conf": "# one\n\n\tlocal all all trust"},
    "words": {"pg_hba.conf": "local @one,b @two trust\nlocal @empty all all trust\n",
              "one": "a @two\n'c' \"d e\" # f\n", "two": "x,\ty\n", "empty": "\n#\n"},
    "includes": {"pg_hba.conf": "local a a trust\ninclude sub/a.conf\n\"include_if_exists\" nowhere\n"
                                "include_dir sub\nlocal z z trust\n",
                 "sub/a.conf": "local b b @names\nhots x\n", "sub/names": "trust",
                 "sub/b.conf": "include 'c.conf'\ninclude ../d", "sub/.x.conf": "local x",
                 "sub/c.txt": "x", "d": "local d d md5"},
    "missing": {"pg_hba.conf": "include nowhere\ninclude_dir nowhere\ninclude_dir \" \"\nlocal @x x trust\n"
                               "include a b\ninclude\n"},
}


@pytest.mark.parametrize("name", TREES)
def test_files_are_put_together_as_the_server_does(server, name):
    for path, text in TREES[name].items():
        target = server.data / path
        if not target.parent.exists():
            target.parent.mkdir()
            pg.give(target.parent)
        server.write(target, text)
    wrong = disagreements(server, {})
    assert not wrong, "\n".join(wrong)


def test_a_file_that_includes_itself_has_an_end(server):
    if server.major < 16:
        pytest.skip("servers before 16 go on until they run out of files or stack")
    server.write_hba("local a a trust\ninclude pg_hba.conf\n")
    wrong = disagreements(server, {})
    assert not wrong, "\n".join(wrong)


def ident_lines():
    maps = ["m", '"m n"', "m,n", "@map"]
    system_users = ["ana", '"CN=a,OU=b"', "/^(.*)@x$", "/(", '"/a)"', "a,b", "@names"]
    roles = ["app", "all", "+dba", "/^a", "/(", '"/("', "\\1", "a,b", '""', "app more words", "# no"]
    return ["m", "m ana", "# nothing", "m ana app \\", *(" ".join(words) for words in
            itertools.product(maps, system_users, roles))]


def test_every_map_is_read_as_the_server_reads_it(server):
    if server.major < 15:
        pytest.skip("pg_ident_file_mappings is there from 15")
    texts = ident_lines()
    path = server.data / "pg_ident.conf"
    server.write(server.data / "map", "m\n")
    server.write(path, "".join(f"{text}\n" for text in texts))
    theirs = {}
    for row in json.loads(server.sql("select json_agg(r) from pg_ident_file_mappings r")):
        fields = {key: row[key] for key in ("map_name", "sys_name", "pg_username")}
        theirs[(str(path), row["line_number"])] = [{"error": row["error"]} if row["error"] else fields]
    ours = our_reading(server, path, "ident")
    wrong = [f"{where}: server {theirs.get(where)}, we {ours.get(where)}"
             for where in sorted(set(theirs) | set(ours))
             if not same(theirs.get(where, []), ours.get(where, []))]
    print(f"PostgreSQL {server.major}: {len(texts)} lines of pg_ident.conf, {len(wrong)} disagreements")
    assert not wrong, "\n".join(wrong)


def patterns():
    """Short regular expressions of pieces that mean something, quoted as a database."""
    dice = random.Random(16)
    pieces = ["a", "b", "ab", "(", ")", "[", "]", "^", "$", ".", "*", "+", "?", "|", "{", "}", "{2}",
              "{1,2}", "{,2}", "{2,1}", "{300}", "-", ",", "\\", "\\.", "\\d", "[ab]", "[^]a]", "[b-a]", "[[:alpha:]]",
              "(?:", "(a|b)", "()", "|", "1"]
    return ["".join(dice.choice(pieces) for _ in range(dice.randint(1, 6))) for _ in range(3000)]


def test_an_expression_called_broken_is_refused_by_the_server(server):
    if server.major < 16:
        pytest.skip("before 16 there are no expressions in pg_hba.conf")
    texts = patterns()
    server.write_hba("".join(f'local "/{text}" all trust\n' for text in texts))
    theirs, ours = server_reading(server), our_reading(server, server.hba)
    broken = {where for where, rows in ours.items() if "error" in rows[0]}
    wrong = [texts[where[1] - 1] for where in sorted(broken) if "error" not in theirs[where][0]]
    refused = sum("error" in rows[0] for rows in theirs.values())
    print(f"PostgreSQL {server.major}: {len(texts)} expressions, {refused} refused by the server, "
          f"{len(broken)} of them known to us, {len(wrong)} wrongly refused by us")
    assert not wrong
    assert len(broken) > refused / 2
