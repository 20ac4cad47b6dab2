/* hba_lex.c - see hba_lex.h. */
#include "pg/hba_lex.h"

#define LINE_MAX_BEFORE_14 8191     /* MAX_LINE - 1: fgets() could not take more */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';      /* pg_isblank() */
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static size_t word_max(unsigned major)
{
    return major >= 17 ? 0 : major >= 11 ? 10239 : 255;
}

struct lex lex_over(const char *text, size_t len, unsigned major, struct arena *arena)
{
    return (struct lex){ .text = text, .len = len, .line = 1, .major = major, .arena = arena };
}

/* Where the physical line at `pos` ends, its newline included. */
static size_t physical_end(const struct lex *lex, size_t pos)
{
    const char *newline = memchr(lex->text + pos, '\n', lex->len - pos);

    return newline ? (size_t)(newline - lex->text) + 1 : lex->len;
}

static void note_trouble(const struct lex *lex, size_t begin, size_t end, struct lex_line *line)
{
    const char *zero = memchr(lex->text + begin, '\0', end - begin);

    if (zero && line->trouble == LEX_FINE) {
        line->trouble = LEX_NUL;
        line->trouble_at = (size_t)(zero - lex->text);
    } else if (lex->major < 14 && end - begin >= LINE_MAX_BEFORE_14) {
        line->trouble = LEX_LINE_LONG;
        line->trouble_at = begin;
    }
}

/* What is joined while one logical line is read. */
struct join {
    char *text;
    size_t len, cap, backslash_at;
    struct lex_piece *pieces;
    size_t pieces_len, pieces_cap;
};

static void join_free(struct join *join)
{
    free(join->text);
    free(join->pieces);
}

/* Add one physical line; true when a backslash says that the next one belongs to it. */
static bool join_add(struct lex *lex, struct join *join, struct lex_line *line)
{
    size_t begin = lex->pos, end = physical_end(lex, begin);

    note_trouble(lex, begin, end, line);
    PS_PUSH(join->pieces, join->pieces_len, join->pieces_cap) =
        (struct lex_piece){ .at = join->len, .from = begin };
    join->text = ps_grow(join->text, join->len + (end - begin) + 1, &join->cap, 1);
    memcpy(join->text + join->len, lex->text + begin, end - begin);
    join->len += end - begin;
    while (join->len > 0 && is_line_end(join->text[join->len - 1]))
        join->len--;
    lex->pos = end;
    lex->line++;

    /* A backslash at the place of the last one was there before: it does not count twice. */
    if (lex->major < 14 || join->len <= join->backslash_at || join->text[join->len - 1] != '\\')
        return false;
    join->backslash_at = --join->len;
    return true;
}

bool lex_line(struct lex *lex, struct lex_line *out)
{
    PS_AUTO(join_free) struct join join = { 0 };

    if (lex->pos >= lex->len)
        return false;
    *out = (struct lex_line){ .line = lex->line, .begin = lex->pos,
                              .word_max = word_max(lex->major) };
    while (join_add(lex, &join, out) && lex->pos < lex->len)
        ;
    out->end = lex->pos;
    out->text = arena_strndup(lex->arena, join.text, join.len);
    out->len = join.len;
    out->room = arena_alloc(lex->arena, join.len + 1);
    out->pieces_len = join.pieces_len;

    struct lex_piece *pieces = arena_alloc(lex->arena, join.pieces_len * sizeof(*pieces));
    memcpy(pieces, join.pieces, join.pieces_len * sizeof(*pieces));
    out->pieces = pieces;
    return true;
}

/* The place in the file of a byte of the joined text. */
static size_t in_file(const struct lex_line *line, size_t at)
{
    size_t i = line->pieces_len - 1;

    while (i > 0 && line->pieces[i].at > at)
        i--;
    return line->pieces[i].from + (at - line->pieces[i].at);
}

static bool word_too_long(struct lex_line *line, size_t at)
{
    line->trouble = LEX_WORD_LONG;
    line->trouble_at = in_file(line, at);
    line->pos = line->len;
    return false;
}

/*
 * All words of a line fit into `room`, as long as the line and one byte: each is followed by at least
 * one byte that is not of it, or by the end.
 */
bool lex_word(struct lex_line *line, struct lex_word *out)
{
    size_t i = line->pos, len = 0;
    bool in_quote = false, was_quote = false, saw_quote = false;
    char *text = line->room;

    while (i < line->len && (is_blank(line->text[i]) || line->text[i] == ','))
        i++;
    *out = (struct lex_word){ .text = text };

    size_t start = i;
    for (; i < line->len && (in_quote || !is_blank(line->text[i])); i++) {
        char c = line->text[i];

        if (!in_quote && c == '#')
            break;
        if (line->word_max && len >= line->word_max)
            return word_too_long(line, start);
        if (!in_quote && c == ',') {
            out->comma = true;
            break;
        }
        if (c != '"' || was_quote)
            text[len++] = c;
        was_quote = in_quote && c == '"' && !was_quote;
        if (c == '"') {
            in_quote = !in_quote;
            saw_quote = true;
            out->quoted |= len == 0;
        }
    }
    line->pos = i < line->len && !in_quote && line->text[i] == '#' ? line->len : i;
    if (!saw_quote && len == 0)
        return false;
    text[len] = '\0';
    line->room += len + 1;
    out->begin = in_file(line, start);
    out->end = in_file(line, i - 1) + 1;
    return true;
}

bool lex_needs_quotes(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$";

    if (text[0] == '\0')
        return true;
    for (const char *p = text; *p; p++)
        if (!strchr(plain, *p) && (unsigned char)*p < 0x80)
            return true;
    return false;
}
