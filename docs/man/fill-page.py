#!/usr/bin/python3
"""Fill a manual page's template with what `pgseal VERB --help` says, in the page's language.

    fill-page.py PGSEAL LANGUAGE TEMPLATE OUTPUT

Options are described once, in the tables of the program; the page takes them from its help, whose
layout is known by form, not by words: blocks between blank lines, descriptions in a column.
"""
import os
import pathlib
import re
import subprocess
import sys

program, language, template, output = sys.argv[1:]
environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": language, "COLUMNS": "90",
               "ASAN_OPTIONS": "detect_leaks=0"}


def help_of(*verb):
    done = subprocess.run([program, "help", *verb], capture_output=True, text=True, check=True,
                          env=environment)
    return [block.split("\n") for block in done.stdout.rstrip("\n").split("\n\n")]


def verbs_in(blocks):
    """The verbs that the help of the program or of a group lists."""
    lists = [b for b in blocks[2:] if b[0].endswith(":") and not is_options(b) and not is_statuses(b)
             and not b[1].startswith("  pgseal ")]
    return items(lists[0]) if lists else []


def escape(text):
    return re.sub(r"([\\_*#|~<>\[\]])", r"\\\1", text)


def items(block):
    """(name, description) of a block's items, whose descriptions go on in a column."""
    found = []
    for line in block[1:]:
        name, text = re.match(r"\s*(.*?)(?:\s{2,}(\S.*))?$", line).groups()
        if re.match(r"  (\S| ?\d|    --)", line):
            found.append((name, [text] if text else []))
        else:
            found[-1][1].append(line.strip())
    return [(name, " ".join(text)) for name, text in found]


def is_options(block):
    return any(re.match(r"  (-\w|    --)", line) for line in block)


def is_statuses(block):
    return any(re.match(r"   0  ", line) for line in block)


def option_name(name):
    """-t, --target=DSN with its parts in bold and underlined."""
    name, _, value = name.partition("=")
    words = ", ".join(f"*{escape(word)}*" for word in name.split(", "))
    return words + (f"=_{escape(value)}_" if value else "")


def options(block):
    return "\n\n".join(f"{option_name(name)}\n\t{escape(text)}" for name, text in items(block))


def statuses(block):
    return "\n\n".join(f"*{name}*\n\t{escape(text)}" for name, text in items(block))


def verb_section(name, summary):
    blocks = help_of(*name.split())
    parts = [f"## pgseal {name}", f"*pgseal* {escape(blocks[1][1].strip()[len('pgseal '):])}"]
    about = [b for b in blocks[2:] if not b[0].startswith(" ") and not b[0].endswith(":")]
    summary = summary[0].upper() + summary[1:] + "."
    parts.append(escape(" ".join([summary] + [line for b in about for line in b])))
    own = [b for b in blocks if is_options(b)][:-1]         # the last are the common ones
    parts += [options(b) for b in own]
    examples = [line.strip() for b in blocks[2:] for line in b if line.startswith("  pgseal ")]
    if examples:
        parts.append("```\n" + "\n".join(examples) + "\n```")
    parts += [verb_section(f"{name} {verb}", text) for verb, text in verbs_in(blocks)]
    return "\n\n".join(parts)


general = help_of()
verbs = verbs_in(general)
common = next(b for b in general if is_options(b))
text = pathlib.Path(template).read_text()
text = text.replace("@verbs@", "\n\n".join(verb_section(*verb) for verb in verbs))
text = text.replace("@common@", options(common))
text = text.replace("@statuses@", statuses(next(b for b in general if is_statuses(b))))
pathlib.Path(output).write_text(text)
