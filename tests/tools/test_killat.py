#!/usr/bin/python3
"""killat counts what changes state, kills at exactly that point, fails what it is told to fail."""
import os
import signal
import subprocess
import sys
import tempfile

library, probe = sys.argv[1:3]
# The calls of the probe that count, each with the file that is there once it has happened.
CALLS = [("open", "file"), ("write", "file"), ("fsync", "file"), ("fchmod", "file"),
         ("rename", "other"), ("mkdir", "other"), ("rmdir", "other"), ("kill", "other"),
         ("unlink", None)]


def run(**settings):
    """The finished probe, the lines of the log, the file that is left."""
    with tempfile.TemporaryDirectory() as folder:
        under, log = f"{folder}/under", f"{folder}/log"
        os.mkdir(under)
        env = {"PATH": "/usr/bin:/bin", "LD_PRELOAD": library, "KILLAT_NAME": "killat_probe",
               "KILLAT_UNDER": f"/nowhere:{under}", "KILLAT_LOG": log,
               **{f"KILLAT_{key}": str(value) for key, value in settings.items()}}
        done = subprocess.run([probe, under], env=env, capture_output=True, text=True)
        lines = open(log).read().splitlines() if os.path.exists(log) else []
        left = [name for name in os.listdir(under) if name != "folder"]
        return done, [line.split("\t") for line in lines], left[0] if left else None


failures = []


def expect(what, got, want):
    if got != want:
        failures.append(f"{what}: {got!r}, not {want!r}")


done, lines, left = run()
expect("calls counted", [line[1].replace("64", "") for line in lines], [call for call, _ in CALLS])
expect("numbers", [line[0] for line in lines], [str(n + 1) for n in range(len(CALLS))])
expect("mode of open", lines[0][3], "0600")
expect("new name of rename", os.path.basename(lines[4][3]), "other")
expect("signal", lines[7][2:], ["process", f"signal {signal.SIGUSR1.value}"])
expect("what children see", done.stdout.splitlines()[-1], "not preloaded")

for n, (call, _) in enumerate(CALLS, 1):
    for after in (0, 1):
        done, lines, left = run(AT=n, AFTER=after)
        happened = n - 1 + after
        when = f"killed {'after' if after else 'before'} {call}"
        expect(f"status, {when}", done.returncode, -signal.SIGKILL)
        expect(f"file left, {when}", left, CALLS[happened - 1][1] if happened else None)


def failed(fault, text):
    return [line.split(":")[0] for line in run(FAIL=fault)[0].stdout.splitlines() if text in line]


expect("full disk once", failed("2:ENOSPC", "No space left"), ["write"])
expect("full disk from then on", failed("3+:ENOSPC", "No space left"), ["fsync", "rename", "mkdir"])
expect("a call that cannot fail so", failed("9:ENOSPC", "No space left"), [])
expect("a read-only folder", failed("9:EACCES", "Permission denied"), ["unlink"])
done, lines, left = run(NAME="somebody")
expect("another program", (lines, done.returncode), ([], 0))

print("\n".join(failures) or "killat does what it says")
sys.exit(1 if failures else 0)
