#!/usr/bin/python3
"""Fill the manual page of the rules with what `pgseal explain --rules` says, in the page's language.

    fill-rules.py PGSEAL LANGUAGE TEMPLATE OUTPUT
"""
import json
import os
import pathlib
import re
import subprocess
import sys

program, language, template, output = sys.argv[1:]
environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": language,
               "ASAN_OPTIONS": "detect_leaks=0"}
words = {"en": ("Severity", "seen by", "Cure", "Source"),
         "es": ("Severidad", "la ve", "Cura", "Fuente")}[language]
severities = {"es": {"critical": "crítica", "high": "alta", "medium": "media", "low": "baja",
                     "info": "informativa"}}.get(language, {})


def escape(text):
    return re.sub(r"([\\_*#|~<>\[\]])", r"\\\1", text)


def section(rule):
    severity = severities.get(rule["severity"], rule["severity"])
    head = f"{words[0]}: *{severity}*; {words[1]}: {rule['modes']}"
    return "\n\n".join([f"## {rule['id']}", f"{escape(rule['title'])}. {head}.", escape(rule["why"]),
                        f"_{words[2]}_: {escape(rule['cure'])}",
                        f"_{words[3]}_: {escape(rule['sources'])}."])


done = subprocess.run([program, "explain", "--rules", "--format", "json"], capture_output=True,
                      text=True, check=True, env=environment)
rules = json.loads(done.stdout)["rules"]
text = pathlib.Path(template).read_text()
pathlib.Path(output).write_text(text.replace("@rules@", "\n\n".join(map(section, rules))))
