#!/usr/bin/python3
"""pgseal-rules(7) has a section for each rule, with all that the rule says, and each page is in its language.

    test_rules_page.py PGSEAL PAGE...
"""
import json
import os
import pathlib
import re
import subprocess
import sys

program, *pages = sys.argv[1:]
environment = {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0"}
done = subprocess.run([program, "explain", "--rules", "--format", "json"], capture_output=True, text=True,
                      check=True, env=environment)
rules = json.loads(done.stdout)["rules"]
errors = [] if rules and pages else ["no rule or no page to compare"]
shortest = []
for page in pages:
    text = pathlib.Path(page).read_text()
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^#)", text, re.M | re.S))
    for rule in rules:
        section = sections.get(rule["id"], "")
        if len([part for part in section.split("\n\n") if part.strip()]) != 4:
            errors.append(f"{page}: {rule['id']} has no whole section")
    if set(sections) != {rule["id"] for rule in rules}:
        errors.append(f"{page}: sections of no rule: {set(sections) - {rule['id'] for rule in rules}}")
    shortest.append(sections.get("tls-off"))
if len(set(shortest)) != len(pages):
    errors.append("the pages are in one language")

print("\n".join(errors) or f"{len(rules)} rules stand in {len(pages)} pages")
sys.exit(1 if errors else 0)
