#!/usr/bin/python3
"""Every message of the source is translated: po/POTFILES and each language of po/LINGUAS are what
tools/po-update.sh would make of them, with nothing missing, fuzzy or with wrong formats.

    test_po.py SOURCE_ROOT
"""
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1])
errors = []


def run(*argv):
    done = subprocess.run([str(a) for a in argv], cwd=root, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "LANGUAGE": ""})
    if done.returncode != 0:
        errors.append(f"{argv[0]}: {done.stderr.strip()}")
    return done


def messages(po, *selection):
    """First lines of the messages of a catalog that are selected."""
    text = run("msgattrib", "--no-wrap", *selection, po).stdout
    return [m for m in re.findall(r'^msgid (".*(?:\n".*")*)', text, re.M) if m != '""']


with tempfile.TemporaryDirectory() as folder:
    pot = pathlib.Path(folder) / "pgseal.pot"
    run("tools/po-update.sh", "--pot", pot)
    listed = (root / "po/POTFILES").read_text().split()
    wanted = run("tools/po-update.sh", "--files").stdout.split()
    for name in sorted(set(listed) ^ set(wanted)):
        errors.append(f"po/POTFILES: {name} is {'missing' if name in wanted else 'too much'}")
    count = len(messages(pot))
    if count < 100:
        errors.append(f"only {count} messages were found in the source")

    for language in (root / "po/LINGUAS").read_text().split():
        po = root / f"po/{language}.po"
        merged = pathlib.Path(folder) / f"{language}.po"
        run("msgmerge", "--quiet", "--no-fuzzy-matching", "--output-file", merged, po, pot)
        run("msgfmt", "--check", "--output-file=/dev/null", po)
        for what, option in (("not translated", "--untranslated"), ("fuzzy", "--only-fuzzy")):
            found = messages(merged, option, "--no-obsolete")
            errors += [f"{po.name}: {what}: {message}" for message in found[:20]]
            if len(found) > 20:
                errors.append(f"{po.name}: {what}: and {len(found) - 20} more")

if errors:
    errors.append("run tools/po-update.sh, translate, and run it again")
print("\n".join(errors) or f"{count} messages, all translated")
sys.exit(1 if errors else 0)
