#!/usr/bin/python3
"""Completion for bash does what bash shows: a terminal, a line, a tab.  Argument: the completion."""
import os
import pty
import re
import select
import shutil
import sys
import tempfile
import time

PATIENCE = 20       # seconds

# what is typed, and what the line has become behind a tab
LINES = [
    ("pgseal sca", "pgseal scan "),
    ("pgseal scan --form", "pgseal scan --format "),
    ("pgseal scan --format prom", "pgseal scan --format prometheus "),
    ("pgseal scan --format=prom", "pgseal scan --format=prometheus "),
    ("pgseal check --format sar", "pgseal check --format sarif "),
    ("pgseal ca iss", "pgseal ca issue "),
    ("pgseal help rot", "pgseal help rotate "),
    ("pgseal scan --fail-on crit", "pgseal scan --fail-on critical "),
    ("pgseal scan --input fle", "pgseal scan --input fleet.txt "),
    ("pgseal scan --store sca", "pgseal scan --store scans/"),
]


def read(fd, seconds):
    """What has come by now, or comes first."""
    return os.read(fd, 65536).decode(errors="replace") if select.select([fd], [], [], seconds)[0] else ""


def shell(completion, folder):
    """A terminal with bash, which has read the completion."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="dumb", PS1="> ", INPUTRC="/dev/null", COLUMNS="200")
        os.execvp("bash", ["bash", "--noprofile", "--norc", "-i"])
    os.write(fd, f"bind 'set bell-style none'; source {completion}; echo READY$((1+1))\n".encode())
    text, until = "", time.monotonic() + PATIENCE
    while "READY2" not in text and time.monotonic() < until:
        text += read(fd, 1)
    return fd


def completed(completion, folder, typed, want):
    """The line behind the tab: as soon as it is what it should be, or as it stays."""
    fd = shell(completion, folder)
    os.write(fd, typed.encode() + b"\t")
    text, line, until = "", "", time.monotonic() + PATIENCE
    while line != want and time.monotonic() < until:
        text += read(fd, 1)
        line = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x07\r]", "", text).split("> ")[-1]
    os.close(fd)                    # bash is hung up
    os.wait()
    return line


if not shutil.which("bash"):
    print("skipped: bash is not on this machine")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "fleet.txt"), "w").close()
    os.mkdir(os.path.join(folder, "scans"))
    wrong = [(typed, want, got) for typed, want in LINES
             if (got := completed(os.path.abspath(sys.argv[1]), folder, typed, want)) != want]
for typed, want, got in wrong:
    print(f"{typed!r} became {got!r}, not {want!r}")
sys.exit(bool(wrong))
