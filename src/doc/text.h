/*
 * text.h - strings that a stranger wrote, made fit to be shown: UTF-8, visible, measured, wrapped.
 *
 * Everything that leaves a renderer is valid UTF-8.  A control character would move the cursor, change
 * the colour or reverse the reading direction of a terminal (Unicode TR 36, 3.6); it is shown as \xNN
 * or \uNNNN instead.  Widths are columns, by wcwidth(3), so they follow LC_CTYPE.
 */
#ifndef DOC_TEXT_H
#define DOC_TEXT_H

#include "base/buf.h"

/*
 * Take one character from *p, which is not at its NUL, and move behind it.  -1 for a byte that begins
 * no well-formed UTF-8 sequence (RFC 3629); then *p moves one byte.
 */
int32_t text_next(const char **p);

/* Append `text` as valid UTF-8: a byte that is none becomes U+FFFD; nothing else changes. */
void text_utf8(const char *text, struct buf *out);

/*
 * Append `text` with control, bidirectional and invisible characters, and bytes that are no UTF-8,
 * written as escapes.  A newline stays, a tab becomes a blank, a carriage return before a newline goes.
 */
void text_visible(const char *text, struct buf *out);

/* Columns that `len` bytes of visible text take. */
int text_columns(const char *text, size_t len);

struct text_line {
    const char *p;      /* into the text that was wrapped */
    size_t len;
    int columns;
};

struct text_lines {
    struct text_line *at;
    size_t len, cap;
};

/*
 * Break visible text into lines of at most `width` columns: at blanks where there is one, else after
 * one of / _ : , - where a name or path has one; and at each newline.  Width 0: at newlines only.
 * There is at least one line.
 */
void text_wrap(const char *text, int width, struct text_lines *out);
void text_lines_free(struct text_lines *lines);     /* for PS_AUTO */

/* Columns of the longest part that text_wrap() breaks only when it must: a word, a piece of a path. */
int text_longest_part(const char *text);

/* Append `count` blanks. */
void text_pad(struct buf *out, int count);

#endif
