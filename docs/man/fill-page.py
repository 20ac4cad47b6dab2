#!/usr/bin/python3
"""Fill a manual page's template with what `pgseal VERB --help` says, in the page's language.

    fill-page.py PGSEAL LANGUAGE TEMPLATE OUTPUT

Options are described once, in the tables of the program; the page takes them from its help.
"""
import pathlib
import re
import sys

from helptext import help_of, is_options, is_statuses, items, verbs_in

program, language, template, output = sys.argv[1:]


def escape(text):
    return re.sub(r"([\\_*#|~<>\[\]])", r"\\\1", text)


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
    blocks = help_of(program, language, *name.split())
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


general = help_of(program, language)
verbs = verbs_in(general)
common = next(b for b in general if is_options(b))
text = pathlib.Path(template).read_text()
text = text.replace("@verbs@", "\n\n".join(verb_section(*verb) for verb in verbs))
text = text.replace("@common@", options(common))
text = text.replace("@statuses@", statuses(next(b for b in general if is_statuses(b))))
pathlib.Path(output).write_text(text)
