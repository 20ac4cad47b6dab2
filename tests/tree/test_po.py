#!/usr/bin/python3
"""Every message of the source is translated: po/POTFILES and each language of po/LINGUAS are what
tools/po-update.sh would make of them, with nothing missing, fuzzy or with wrong formats.  In Spanish a cure
begins with an infinitive: who reads it is not ordered about.

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


def joined(block):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', block))


def spanish_of(catalog):
    text = run("msgattrib", "--no-wrap", catalog).stdout
    return {joined(m[1]): joined(m[2]) for m in re.finditer(
        r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n)+)', text, re.M)}


cures = [joined(block) for block in re.findall(r'\.cure = N_\(((?:\s*"(?:[^"\\]|\\.)*")+)\)',
                                               (root / "src/rules/table.c").read_text())]
if len(cures) < 50:
    errors.append(f"only {len(cures)} cures were found in src/rules/table.c")
translated = spanish_of(root / "po/es.po")
for spanish in (translated.get(cure, "") for cure in cures):
    first = re.split("[ :,]", spanish)[0]
    if spanish and not re.fullmatch(r"\w+[aeií]r(lo|la|los|las|se|le|les)?|Con|«.*", first):
        errors.append(f"es.po: no infinitive: {spanish}")

if errors:
    errors.append("run tools/po-update.sh, translate, and run it again")
print("\n".join(errors) or f"{count} messages, all translated")
sys.exit(1 if errors else 0)
