#!/usr/bin/python3
"""Fill the manual page of the errors with what `pgseal explain --list` says, in the page's language.

    fill-errors.py PGSEAL LANGUAGE TEMPLATE OUTPUT
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
words = {
    "en": {"check": "To be sure", "cure": "Cure", "source": "Source", "since": "from {0} on",
           "until": "up to {0}", "both": "{0} to {1}", "provoked": "Provoked for real by the tests.",
           "by_source": "Known by source only."},
    "es": {"check": "Para estar seguro", "cure": "Remedio", "source": "Fuente", "since": "desde {0}",
           "until": "hasta {0}", "both": "{0} a {1}", "provoked": "Provocado de verdad por las pruebas.",
           "by_source": "Conocido solo por el código fuente."},
}[language]


def escape(text):
    return re.sub(r"([\\_*#|~<>\[\]])", r"\\\1", text)


def versions(wording):
    since, until = wording.get("since_major"), wording.get("until_major")
    if not since and not until:
        return ""
    word = words["both"] if since and until else words["since"] if since else words["until"]
    return ", " + (word.format(since, until) if since else word.format(until))


def wording(one):
    return f"- {escape(one['text'])} ({one['by']}{versions(one)})"


def cause(one):
    lines = [escape(one["cause"])]
    if one["check"]:
        lines.append(f"_{words['check']}_: *{escape(one['check'])}*")
    lines.append(f"_{words['cure']}_: {escape(one['cure'])}")
    return ". " + "++\n  ".join(lines)


def sentence(title):
    """With a capital letter, unless it begins with a name that has none."""
    name = re.match(r"(ssl|hostssl|clientcert|verify|channel_|pg_|postgresql)", title)
    return escape(title if name else title[0].upper() + title[1:]) + "."


def section(error):
    shown = [w for w in error["wordings"] if w["language"] in ("en", language)]
    known = words["provoked" if error["known_how"] == "provoked" else "by_source"]
    return "\n\n".join([f"## {error['id']}",
                        sentence(error["title"]),
                        "\n".join(map(wording, shown)), "\n".join(map(cause, error["causes"])),
                        f"_{words['source']}_: {escape(error['source'])}. {known}"])


done = subprocess.run([program, "explain", "--list", "--format", "json"], capture_output=True,
                      text=True, check=True, env=environment)
errors = json.loads(done.stdout)["answers"].values()
text = pathlib.Path(template).read_text()
pathlib.Path(output).write_text(text.replace("@errors@", "\n\n".join(map(section, errors))))
