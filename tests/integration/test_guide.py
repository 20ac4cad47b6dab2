"""The guide: its commands run, in their order, and print what the guide shows.

A chapter of docs/guide/LANGUAGE is Markdown.  In a block ```console a line that begins with "$ " is a
command (a backslash at its end: the next line belongs to it), the lines below are what it prints.  "..."
on a line of its own stands for lines that are not shown; ```console status=1 is a command that ends
with that status.  Compared are the words: how lines are folded, numbers, times and identifiers may
differ.  Every chapter begins with the same server: Debian's files, the roles app and reports.

PGSEAL_GUIDE_WRITE=1 writes into the guide what the commands printed where it is not as shown, with the
same parts left out.  Only then the thousands of a chapter are as many as it says.
"""
import itertools
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess

import pytest

import pg

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GUIDE = SOURCE / "docs/guide"
PROGRAM = pathlib.Path(os.environ.get("PGSEAL", SOURCE / "build/pgseal")).resolve()
CHAPTERS = sorted(GUIDE.glob("*/*.md"))
BLOCK = re.compile(r"```console(?: status=(\d+))?\n(.*?)```\n", re.S)
MAJOR = 15
FEWER = {} if os.environ.get("PGSEAL_GUIDE_WRITE") else {"generate_series(1, 10000)":
                                                         "generate_series(1, 300)"}

# For people a second is enough until a capture has begun; here it is waited for.
BEGUN = """until grep -qs '^Seccomp:.*2' $(printf '/proc/%s/status ' $(cat /proc/$!/task/$!/children)); do
    kill -0 $! || break; sleep 0.02; done;"""
STATES = {"& sleep 1;": f"& {BEGUN}"}

pytestmark = [
    pytest.mark.skipif(not pg.AS_ROOT, reason="the guide is for root: it uses runuser"),
    pytest.mark.skipif(MAJOR not in pg.SERVERS, reason=f"the guide needs PostgreSQL {MAJOR}")]


# ---- what a chapter says ----------------------------------------------------------------------

def steps(block):
    """[command, what it prints] of a block."""
    found, more = [], False
    for line in block.splitlines():
        if line.startswith("$ ") and not more:
            found.append([line[2:], ""])
            more = line.endswith("\\")
        elif more:
            found[-1][0] += "\n" + line
            more = line.endswith("\\")
        else:
            found[-1][1] += line + "\n"
    return found


def plain(text):
    """The words, without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?( UTC|Z)?", "DATE", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?", "N", text)
    text = re.sub(r"\b(?=[0-9a-f:]*\d)[0-9a-f][0-9a-f:]{6,}[0-9a-f]\b", "HEX", text)
    text = re.sub(r"(?<![\w.])\d+(\.\d+)? (ms|s)\b", "TIME", text)
    text = re.sub(r"(?<![\w.])\d+([.,:]\d+)*", "N", text)
    text = re.sub(r"[-─━═]{3,}", "", text)
    return text.split()


def is_as_shown(shown, printed):
    pattern = r"\s+".join(r".*?" if word == "..." else re.escape(word) for word in plain(shown))
    # what is left out may be nothing
    pattern = pattern.replace(r"\s+.*?", r"(?:\s+.*?)?").replace(r".*?\s+", r"(?:.*?\s+)?")
    return re.fullmatch(pattern, " ".join(plain(printed)), re.S) is not None


def with_the_same_parts(shown, printed):
    """What was printed, without the paragraphs that the guide left out: those whose first line begins
    as none that it showed."""
    paragraphs = printed.rstrip("\n").split("\n\n")
    if "..." not in shown.splitlines():
        return printed
    begins = [plain(part)[:2] for part in shown.split("\n\n") if part.strip() != "..."]
    kept = []
    for part in paragraphs:
        if plain(part)[:2] in begins:
            kept.append(part)
        elif kept[-1:] != ["..."]:
            kept.append("...")
    return "\n\n".join(kept) + "\n"


# ---- where it runs ----------------------------------------------------------------------------

class Place:
    """A server and folders whose names are as long as those in the guide: tables look the same."""

    def __init__(self, root, language):
        self.home = pathlib.Path(f"/tmp/{secrets.token_hex(3)}")
        self.home.mkdir(mode=0o755)
        self.cluster = cluster = pg.Cluster(self.home, MAJOR, "postgresql")
        cluster.data = cluster.conf_dir = cluster.dir / "main"
        pg.copy_tree(pg.template(root, MAJOR), cluster.data)
        with open(cluster.conf, "a") as conf:
            conf.write(cluster.base_settings() + "log_line_prefix = '%m [%p] %q%u@%d '\n")
        cluster.write_hba(pg.DEBIAN_HBA)
        cluster.start()
        for role in ("app", "reports"):
            cluster.role(role, "secret")
        self.names = {"/var/lib/postgresql/15/main": str(cluster.data),
                      "/var/log/postgresql/postgresql-15-main.log": str(cluster.log_file),
                      "/run/postgresql": str(cluster.sockets), "/etc/pgseal": str(self.home),
                      "5432": str(cluster.port)}
        self.env = {"LC_ALL": "C.UTF-8", "LANGUAGE": language, "HOME": "/nonexistent",
                    "PATH": f"{PROGRAM.parent}:{cluster.bindir}:/usr/bin:/bin:/usr/sbin:/sbin",
                    "PGHOST": str(cluster.sockets), "PGPORT": str(cluster.port)}

    def run(self, command):
        for name, real in {**self.names, **FEWER, **STATES}.items():
            command = command.replace(name, real)
        done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, timeout=5 * pg.PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=self.home, env=self.env)
        printed = done.stdout
        for name, real in self.names.items():
            printed = printed.replace(real, name)
        return done.returncode, printed

    def remove(self):
        self.cluster.remove()
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture
def place(root, request):
    place = Place(root, request.node.callspec.params["chapter"].parent.name)
    yield place
    place.remove()


# ---- the tests --------------------------------------------------------------------------------

def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        return False
    return True


def name_of(chapter):
    return f"{chapter.parent.name}-{chapter.stem}"


@pytest.mark.takes(5)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_the_commands_of_a_chapter_print_what_it_shows(chapter, place):
    text, differences = chapter.read_text(), []
    if "--interface" in text and not may_capture():
        pytest.skip("the chapter captures packets, and CAP_NET_RAW is not to be had here")

    def play(block):
        wanted, parts = int(block[1] or 0), []
        for command, shown in steps(block[2]):
            status, printed = place.run(command)
            if status != wanted or not is_as_shown(shown, printed):
                differences.append(f"$ {command}\nstatus {status}\n{printed}--- shown\n{shown}")
                shown = with_the_same_parts(shown, printed)
            parts.append(f"$ {command}\n{shown}")
        return f"```console{f' status={wanted}' if wanted else ''}\n{''.join(parts)}```\n"

    played = BLOCK.sub(play, text)
    if os.environ.get("PGSEAL_GUIDE_WRITE"):
        chapter.write_text(played)
    assert not differences, "\n\n".join(differences)


def test_both_languages_have_the_same_commands():
    def commands(language):
        return [[command for block in BLOCK.finditer(chapter.read_text())
                 for command, _ in steps(block[2])] for chapter in sorted(GUIDE.glob(f"{language}/*.md"))]
    for english, spanish in itertools.zip_longest(commands("en"), commands("es")):
        assert english == spanish
