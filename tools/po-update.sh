#!/bin/sh
# Bring po/ up to what the source says: POTFILES, and every language of LINGUAS.
#
#   tools/po-update.sh             refresh po/POTFILES and po/*.po; then translate what is empty
#   tools/po-update.sh --pot FILE  only write the template, for the test that compares
#   tools/po-update.sh --files     only print what POTFILES should hold
set -eu
cd "$(dirname "$0")/.."

potfiles() {
    grep -rlE '\b(_|N_|ngettext)\("|\b_\($|ngettext\($' --include='*.c' --include='*.h' src | LC_ALL=C sort
}

template() {
    set --
    while IFS= read -r arg; do set -- "$@" "$arg"; done < po/xgettext.args
    potfiles | xgettext "$@" --files-from=- --output="$OUT"
    sed -i '/^"POT-Creation-Date:/d; s/charset=CHARSET/charset=UTF-8/' "$OUT"
}

if [ "${1:-}" = --files ]; then
    potfiles
    exit 0
fi
if [ "${1:-}" = --pot ]; then
    OUT=$2
    template
    exit 0
fi

potfiles > po/POTFILES
OUT=$(mktemp)
template
while IFS= read -r language; do
    msgmerge --quiet --update --backup=none --no-fuzzy-matching --no-wrap --add-location=file \
        "po/$language.po" "$OUT"
    msgattrib --no-obsolete --no-wrap --add-location=file --output-file="po/$language.po" "po/$language.po"
    printf '%s: ' "$language"
    msgfmt --check --statistics --output-file=/dev/null "po/$language.po"
done < po/LINGUAS
rm -f "$OUT"
