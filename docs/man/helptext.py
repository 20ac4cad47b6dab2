"""What `pgseal help VERB` says, taken apart: its layout is known by form, not by words: blocks between blank lines,
descriptions in a column."""
import os
import re
import subprocess


def help_of(program, language, *verb):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": language, "COLUMNS": "90",
                   "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program, "help", *verb], capture_output=True, text=True, check=True,
                          env=environment)
    return [block.split("\n") for block in done.stdout.rstrip("\n").split("\n\n")]


def verbs_in(blocks):
    """The verbs that the help of the program or of a group lists."""
    lists = [b for b in blocks[2:] if b[0].endswith(":") and not is_options(b) and not is_statuses(b)
             and not b[1].startswith("  pgseal ")]
    return items(lists[0]) if lists else []


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
