#!/usr/bin/python3
"""Every verb and long option that `pgseal VERB --help` shows stands in each manual page, and no page
is in another's language: the program found its catalogs.

    test_man.py PGSEAL PAGE...
"""
import os
import pathlib
import re
import subprocess
import sys

program, *pages = sys.argv[1:]
environment = {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0"}
errors = []


def help_of(*argv):
    return subprocess.run([program, *argv], capture_output=True, text=True, check=True,
                          env=environment).stdout


def verbs_of(*group):
    """Every verb that the help lists, those of groups as "ca issue" behind "ca"."""
    found = []
    for part in help_of(*group, "--help").split("\nVerbs:\n")[1:]:
        for verb in re.findall(r"^  ([\w-]+)", part.split("\n\n")[0], re.M):
            found += [" ".join([*group, verb]), *verbs_of(*group, verb)]
    return found


verbs = verbs_of()
if not verbs or not pages:
    errors.append("no verb or no page to compare")
for page in pages:
    text = pathlib.Path(page).read_text()
    sections = dict(re.findall(r"^## pgseal ([\w -]+)\n(.*?)(?=^#)", text, re.M | re.S))
    common = re.search(r"^# (?:COMMON OPTIONS|OPCIONES COMUNES)\n(.*?)(?=^# )", text, re.M | re.S)[1]
    for verb in verbs:
        if verb not in sections:
            errors.append(f"{page}: nothing about the verb {verb}")
            continue
        for option in re.findall(r"^  (?:-\w, |    )(--[\w-]+)", help_of(*verb.split(), "--help"),
                                 re.M):
            if f"*{option}*" not in sections[verb] + common:
                errors.append(f"{page}: nothing about {verb} {option}")

descriptions = [re.search(r"\*--help\*\n\t(.*)", pathlib.Path(page).read_text())[1] for page in pages]
if len(set(descriptions)) != len(pages):
    errors.append(f"the pages are in one language: {descriptions[0]}")

print("\n".join(errors) or f"{len(verbs)} verbs stand in {len(pages)} pages with their options")
sys.exit(1 if errors else 0)
