#!/usr/bin/python3
"""Completion for bash, made from what `pgseal help` says of each verb: make-bash.py PGSEAL OUTPUT"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "man"))
from helptext import help_of, is_options, items, verbs_in       # noqa: E402

program, output = sys.argv[1:]
FILES, FOLDERS = {"FILE"}, {"DIR", "DATADIR", "FOLDER"}
CHOICES = {"PROFILE": "critical normal", "SEVERITY": "info low medium high critical none", "VERSION": "1.2 1.3"}
rows = []           # (verb, words, options that take a value: how it is completed)


def value_of(placeholder, description):
    if placeholder == "FORMAT":
        return " ".join(re.search(r": ([a-z, ]+);", description)[1].replace(",", " ").split())
    return "@files" if placeholder in FILES else "@folders" if placeholder in FOLDERS else CHOICES.get(placeholder, "@none")


def read(verb):
    blocks = help_of(program, "en", *verb)
    words, values = [name for name, _ in verbs_in(blocks)], {}
    for name, text in [item for block in blocks if is_options(block) for item in items(block)]:
        names, _, placeholder = name.partition("=")
        words += names.split(", ")
        if placeholder:
            values.update(dict.fromkeys(names.split(", "), value_of(placeholder, text)))
    rows.append((" ".join(verb), " ".join(words), values))
    for name, _ in verbs_in(blocks):
        read((*verb, name))


def case_of(verb, words, values):
    by_value = {}
    for option, how in values.items():
        by_value.setdefault(how, []).append(option)
    lines = [f"    '{verb}')", f"        words='{words}'", "        case $option in"]
    lines += [f"        {'|'.join(options)}) values='{how}' ;;" for how, options in by_value.items()]
    return "\n".join([*lines, "        esac", "        ;;"])


read(())
groups = " ".join(sorted({verb.split()[0] for verb, _, _ in rows if " " in verb}))
cases = "\n".join(case_of(*row) for row in rows)
pathlib.Path(output).write_text(f"""\
# Completion of pgseal(1) for bash; made from the help of the program.
_pgseal()
{{
    local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD-1]}} verb= words= values= word

    # "=" is a word of its own
    [ "$current" = "=" ] && current=
    [ "$option" = "=" ] && option=${{COMP_WORDS[COMP_CWORD-2]}}
    [ "${{COMP_WORDS[COMP_CWORD]}}" = "=" ] && option=${{COMP_WORDS[COMP_CWORD-1]}}
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case " {groups} " in
        *" $verb "*) [ -n "$verb" ] && case $word in -*) break ;; *) verb="$verb $word"; break ;; esac ;;
        esac
        [ -n "$verb" ] && break
        case $word in
        help) ;;
        -*) break ;;
        *) verb=$word ;;
        esac
    done
    case $verb in
{cases}
    esac
    case $values in
    @files) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    @folders) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    @none) COMPREPLY=() ;;
    '')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        [ ${{#COMPREPLY[@]}} -gt 0 ] || {{ compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }}
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current") ;;
    esac
}}
complete -F _pgseal pgseal
""")
