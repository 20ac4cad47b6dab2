/*
 * hba_lex.h - the words of pg_hba.conf and pg_ident.conf, with the place of each in the file.
 *
 * First logical lines (14 and later join lines that end in a backslash, before anything else is
 * looked at), then words: blanks are space, tab and CR; a comma joins the next word to the same field; '#'
 * outside quotes ends the line; a double quote may stand anywhere in a word, a doubled one is
 * itself, and one that is not closed takes the rest of the line.
 * Source: PostgreSQL 17, src/backend/libpq/hba.c (next_token, tokenize_auth_file); for 13 and before
 * the same file of those versions.
 */
#ifndef PS_HBA_LEX_H
#define PS_HBA_LEX_H

#include "base/defs.h"
#include "base/mem.h"

struct lex {                /* reads one file; the text stays the caller's and must outlive it */
    const char *text;
    size_t len, pos;
    unsigned line;          /* number of the physical line at pos, from 1 */
    unsigned major;
    struct arena *arena;    /* joined lines and words are made here */
};

enum lex_trouble {
    LEX_FINE,
    LEX_NUL,                /* a zero byte: what the server makes of the line is not to be relied on */
    LEX_LINE_LONG,          /* 13 and before: at most 8190 bytes, line end included */
    LEX_WORD_LONG           /* to 10: 255 bytes; 11 to 16 (minors since August 2023): 10239 */
};

struct lex_piece {          /* of a joined line */
    size_t at;              /* where it begins in the joined text */
    size_t from;            /* where it comes from in the file */
};

struct lex_line {
    const char *text;       /* joined, without line ends */
    size_t len, pos;
    unsigned line;          /* of its first physical line */
    size_t begin, end;      /* in the file, its last line end included */
    enum lex_trouble trouble;
    size_t trouble_at;      /* where in the file */
    size_t word_max;        /* in bytes; 0: no limit */
    const struct lex_piece *pieces;
    size_t pieces_len;
    char *room;             /* the rest of what holds the words of this line */
};

struct lex_word {
    const char *text;       /* quotes resolved */
    bool quoted;            /* a quote stood before its first character */
    bool comma;             /* the next word belongs to the same field */
    size_t begin, end;      /* in the file, quotes included */
};

struct lex lex_over(const char *text, size_t len, unsigned major, struct arena *arena);

/* The next logical line, also when there is nothing in it; false at the end of the file. */
bool lex_line(struct lex *lex, struct lex_line *out);

/* The next word; false at the end of the line, or with line->trouble set when it is too long. */
bool lex_word(struct lex_line *line, struct lex_word *out);

/* A word or name needs quotes to be read as one word that means itself. */
bool lex_needs_quotes(const char *text);

#endif
