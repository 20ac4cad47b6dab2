#!/usr/bin/python3
"""A CA survives a kill before each call that changes a file, and a full disk at each of them: it is
whole or absent, the ledger knows what was given out, and no private key was ever open to others."""
import base64
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import points

library, steps = sys.argv[1:3]
failures = []


def run(step, folder, under, **settings):
    env = {"PATH": "/usr/bin:/bin"}
    if settings:
        env |= {"LD_PRELOAD": library, "KILLAT_NAME": "ca_steps", "KILLAT_UNDER": under,
                **{f"KILLAT_{key}": str(value) for key, value in settings.items()}}
    return subprocess.run([steps, step, folder], env=env, capture_output=True, text=True)


def expect(what, good, detail=""):
    if not good:
        failures.append(f"{what}: {detail}")


def is_whole_or(answers, folder, when):
    done = run("check", folder, folder)
    expect(when, done.returncode == 0 and done.stdout.strip() in answers,
           f"{done.stdout.strip()} {done.stderr.strip()}")
    return done.stdout.strip()


def calls_of(step, folder, under, log):
    done = run(step, folder, under, LOG=log)
    expect(step, done.returncode == 0, done.stderr)
    return [line.split("\t") for line in open(log).read().splitlines()]


def no_key_was_open(calls):
    """The mode that a file of key bytes is made with, or is given later."""
    seen = 0
    for _, call, path, *more in calls:
        if ".key" not in path or not more or not more[0].startswith("0"):
            continue
        seen += 1
        expect(f"{call} {path}", int(more[0], 8) & 0o077 == 0, f"mode {more[0]}")
    expect("keys watched", seen >= 4, seen)


def copy(base, folder):
    """A CA that may sign in its new place: its ledger would refuse, for two must not share it."""
    shutil.copytree(base, folder)
    expect(f"adopt {folder}", run("adopt", folder, folder).returncode == 0)


def known_to_the_ledger(folder, output, when):
    with sqlite3.connect(f"{folder}/ledger.db") as ledger:
        known = {row[0] for row in ledger.execute("SELECT serial FROM cert")}
        revoked = {row[0] for row in ledger.execute(
            "SELECT serial FROM revocation")}
    ledger.close()
    for line in output.splitlines():
        word, _, serial = line.partition(" ")
        expect(f"{line}, {when}", serial in (known if word == "issued" else revoked), "forgotten")


def lists_are_recorded(folder, when):
    """No revocation list is in its place that the ledger does not know, byte for byte."""
    with sqlite3.connect(f"{folder}/ledger.db") as ledger:
        known = {row[0] for row in ledger.execute("SELECT digest FROM crl")}
    ledger.close()
    for name in sorted(os.listdir(folder)):
        if name.endswith(".crl") and not name.startswith("."):
            body = open(f"{folder}/{name}").read().split("-----")[2]
            digest = hashlib.sha256(base64.b64decode(body)).hexdigest()
            expect(f"{name}, {when}", digest in known, "not in the ledger")


def crl_number(folder):
    text = subprocess.run(["openssl", "crl", "-in", f"{folder}/client-ca.crl", "-noout",
                           "-crlnumber"], capture_output=True, text=True, check=True).stdout
    return int(text.strip().partition("=")[2], 16)


def creation(top):
    calls = calls_of("create", f"{top}/logged", top, f"{top}/log")
    no_key_was_open(calls)

    def killed(n):
        place = f"{top}/{n}"
        os.mkdir(place)
        done = run("create", f"{place}/ca", place, AT=n)
        when = f"create, killed before call {n} ({calls[n - 1][1]})"
        expect(when, done.returncode == -signal.SIGKILL, done.returncode)
        absent = is_whole_or(("absent", "whole"), f"{place}/ca", when) == "absent"
        if absent:
            again = run("create", f"{place}/ca", place)
            expect(f"{when}, then again", again.returncode == 0, again.stderr)
        shutil.rmtree(place)
        return absent
    absent = sum(points.each(killed, range(1, len(calls) + 1)))
    expect("kills before the CA was there", 0 < absent < len(calls), absent)
    return len(calls)


def full_disk(top, calls):
    def full(n):
        place = f"{top}/full{n}"
        os.mkdir(place)
        done = run("create", f"{place}/ca", place, FAIL=f"{n}+:ENOSPC")
        when = f"create, disk full from call {n} on"
        left = is_whole_or(("absent", "whole"), f"{place}/ca", when)
        if left == "absent":
            expect(when, done.returncode == 3, done.returncode)
            expect(f"{when}, left behind", os.listdir(place) == [], os.listdir(place))
        shutil.rmtree(place)
    points.each(full, range(1, calls + 1))


def life(top):
    base = f"{top}/base"
    expect("create", run("create", base, top).returncode == 0)
    copy(base, f"{top}/logged-life")
    calls = calls_of("cycle", f"{top}/logged-life", top, f"{top}/log-life")

    def killed(n):
        folder = f"{top}/life{n}"
        copy(base, folder)
        before = crl_number(folder)
        done = run("cycle", folder, top, AT=n)
        when = f"cycle, killed before call {n} ({calls[n - 1][1]})"
        expect(when, done.returncode == -signal.SIGKILL, done.returncode)
        known_to_the_ledger(folder, done.stdout, when)
        lists_are_recorded(folder, when)
        is_whole_or(("whole",), folder, when)       # this renews the CRLs too
        expect(f"CRL number, {when}", crl_number(folder) > before, crl_number(folder))
        shutil.rmtree(folder)
    points.each(killed, range(1, len(calls) + 1))
    return len(calls)


def issuing_on_a_broken_disk(top):
    """What cannot be recorded is not issued: nothing is said to be done, and the ledger stays good."""
    base = f"{top}/base-broken"
    expect("create", run("create", base, top).returncode == 0)
    for error in ("ENOSPC", "EROFS", "EIO"):
        folder = f"{top}/broken-{error}"
        copy(base, folder)
        done = run("cycle", folder, top, FAIL=f"1+:{error}")
        expect(f"cycle, {error}", done.returncode == 3, f"{done.returncode} {done.stderr}")
        expect(f"cycle, {error}", done.stdout == "", done.stdout)
        is_whole_or(("whole",), folder, f"cycle, {error}")


def names_in(folder):
    with sqlite3.connect(f"{folder}/ledger.db") as ledger:
        names = {row[0] for row in ledger.execute("SELECT name FROM authority")}
    ledger.close()
    return names


def rollover(top):
    base = f"{top}/base-roll"
    expect("create", run("create", base, top).returncode == 0)
    copy(base, f"{top}/logged-roll")
    calls = calls_of("roll", f"{top}/logged-roll", top, f"{top}/log-roll")
    no_key_was_open(calls)

    def killed(n):
        folder = f"{top}/roll{n}"
        copy(base, folder)
        done = run("roll", folder, top, AT=n)
        when = f"rollover, killed before call {n} ({calls[n - 1][1]})"
        expect(when, done.returncode == -signal.SIGKILL, done.returncode)
        said = {line.split()[1] for line in done.stdout.splitlines()}
        expect(f"{when}, done", said <= names_in(folder), f"{said} {names_in(folder)}")
        lists_are_recorded(folder, when)
        is_whole_or(("whole",), folder, when)
        if n % 10 == 0:
            again = run("roll", folder, folder)
            expect(f"{when}, then again", again.returncode == 0, again.stderr)
            is_whole_or(("whole",), folder, f"{when}, then again")
        shutil.rmtree(folder)
    points.each(killed, range(1, len(calls) + 1))
    return len(calls)


with points.folder() as folder:
    counts = creation(folder), life(folder), rollover(folder)
    full_disk(folder, counts[0])
    issuing_on_a_broken_disk(folder)

print("\n".join(failures[:20])
      or f"killed at {counts[0]} points of creation, {counts[1]} of issuing and revoking, "
         f"and {counts[2]} of rollover")
sys.exit(1 if failures else 0)
