#!/usr/bin/python3
"""Nobody includes upwards: every #include in src/ is allowed by src/layers.txt, and the layers
have no cycle.  Foreign headers stay in the homes that layers.txt names."""
import fnmatch
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1]) / "src"
allowed, homes = {}, {}
for line in (root / "layers.txt").read_text().splitlines():
    line = line.split("#")[0].strip()
    if not line:
        continue
    name, _, rest = line.partition(":")
    name = name.strip()
    if name.startswith("<"):
        homes[name.strip("<>")] = rest.split()
    else:
        allowed[name] = set(rest.split())

errors = []


def cycle(name, path):
    if name in path:
        errors.append("cycle: " + " -> ".join(path + [name]))
        return
    for below in sorted(allowed.get(name, ())):
        cycle(below, path + [name])


for name in allowed:
    cycle(name, [])

files = sorted(p for p in root.rglob("*") if p.suffix in (".c", ".h"))
if not files:
    errors.append("no source was found")
for path in files:
    rel = path.relative_to(root)
    folder = rel.parts[0] if len(rel.parts) > 1 else rel.stem
    if folder not in allowed:
        errors.append(f"{rel}: folder {folder} is not in layers.txt")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        ours = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        theirs = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        if ours and "/" in ours.group(1):
            layer = ours.group(1).split("/")[0]
            if layer != folder and layer not in allowed[folder]:
                errors.append(f"{rel}:{number}: {folder} may not include {ours.group(1)}")
        elif ours and ours.group(1) != "config.h":
            errors.append(f"{rel}:{number}: write \"{folder}/{ours.group(1)}\"")
        if ours or theirs:
            for pattern, where in homes.items():
                if fnmatch.fnmatch((ours or theirs).group(1), pattern) and not any(
                        fnmatch.fnmatch(str(rel), w) for w in where):
                    errors.append(f"{rel}:{number}: <{(ours or theirs).group(1)}> has its home in "
                                  + ", ".join(where))

print("\n".join(errors) or f"{len(files)} files keep the layers")
sys.exit(1 if errors else 0)
