/*
 * fuzz_hba_lex.c - the first byte chooses the version.  Promises: logical lines cover the file without
 * a gap; the words of a line stand in it in order, and their text is no longer than what was read.
 */
#include "pg/hba_lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(struct lex_line *line)
{
    struct lex_word word;
    size_t last = line->begin;

    while (lex_word(line, &word)) {
        if (word.begin < last || word.end <= word.begin || word.end > line->end
            || strlen(word.text) > word.end - word.begin)
            abort();
        last = word.end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct lex lex = lex_over((const char *)data + 1, size - 1, 10 + data[0] % 10, arena);
    struct lex_line line;
    size_t at = 0;
    unsigned number = 0;

    while (lex_line(&lex, &line)) {
        if (line.begin != at || line.end <= at || line.line <= number)
            abort();
        at = line.end;
        number = line.line;
        check_words(&line);
    }
    if (at != size - 1)
        abort();
    return 0;
}
