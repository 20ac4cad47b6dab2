#!/usr/bin/python3
"""pgseal-errors(7) has a section for each error, with its wordings, causes and source, and each page is in
its language.

    test_errors_page.py PGSEAL PAGE...
"""
import json
import os
import pathlib
import re
import subprocess
import sys

program, *pages = sys.argv[1:]
environment = {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0"}
done = subprocess.run([program, "explain", "--list", "--format", "json"], capture_output=True, text=True,
                      check=True, env=environment)
known = json.loads(done.stdout)["answers"]
errors = [] if known and pages else ["no error or no page to compare"]
samples = []
for page in pages:
    text = pathlib.Path(page).read_text()
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^#)", text, re.M | re.S))
    for name, error in known.items():
        section = sections.get(name, "")
        causes = len(re.findall(r"^\. ", section, re.M))
        if causes != len(error["causes"]) or not re.search(r"^- ", section, re.M):
            errors.append(f"{page}: {name} has no whole section")
    if set(sections) != set(known):
        errors.append(f"{page}: sections of no error: {set(sections) - set(known)}")
    samples.append(sections.get("server-ca-unknown"))
if len(set(samples)) != len(pages):
    errors.append("the pages are in one language")

print("\n".join(errors) or f"{len(known)} errors stand in {len(pages)} pages")
sys.exit(1 if errors else 0)
