#!/usr/bin/python3
"""A ledger survives a kill before and after each call that changes its files, and a disk that is full
or broken from each of them on: what it said it did is there, its chain is sound, it goes on."""
import os
import shutil
import signal
import subprocess
import sys

import points

library, tool = sys.argv[1:3]
failures = []


def run(where, *args, said="", **settings):
    env = {"PATH": "/usr/bin:/bin"}
    if settings:
        env |= {"LD_PRELOAD": library, "KILLAT_NAME": "ledger_work",
                "KILLAT_UNDER": os.path.dirname(where),
                **{f"KILLAT_{key}": str(value) for key, value in settings.items()}}
    return subprocess.run([tool, where, *args], env=env, capture_output=True, text=True, input=said)


def expect(what, good, detail=""):
    if not good:
        failures.append(f"{what}: {detail}")


def sound(where, said, when):
    done = run(where, "check", said=said)
    expect(when, done.returncode == 0, done.stderr.strip())


with points.folder() as top:
    log = f"{top}/log"
    os.mkdir(f"{top}/logged")
    done = run(f"{top}/logged/l.db", "work", "2", LOG=log)
    expect("work", done.returncode == 0, done.stderr)
    sound(f"{top}/logged/l.db", done.stdout, "work")
    calls = [line.split("\t")[1] for line in open(log).read().splitlines()]

    def broken(n):
        for after in (0, 1):
            os.mkdir(f"{top}/k{n}.{after}")
            where = f"{top}/k{n}.{after}/l.db"
            done = run(where, "work", "2", AT=n, AFTER=after)
            when = f"killed {'after' if after else 'before'} call {n} ({calls[n - 1]})"
            expect(when, done.returncode == -signal.SIGKILL, done.returncode)
            sound(where, done.stdout, when)
            shutil.rmtree(os.path.dirname(where))
        for fault in ("ENOSPC", "EIO"):
            os.mkdir(f"{top}/f{n}.{fault}")
            where = f"{top}/f{n}.{fault}/l.db"
            done = run(where, "work", "2", FAIL=f"{n}+:{fault}")
            when = f"{fault} from call {n} ({calls[n - 1]}) on"
            expect(when, done.returncode in (0, 3), f"{done.returncode} {done.stderr}")
            sound(where, done.stdout, when)
            shutil.rmtree(os.path.dirname(where))
    points.each(broken, range(1, len(calls) + 1))

print("\n".join(failures[:20]) or f"killed twice and failed twice at each of {len(calls)} calls")
sys.exit(1 if failures else 0)
