/*
 * doc.h - the result of a command as a tree, shown as text, JSON, HTML or CSV by render.h.
 *
 * Commands never print: they fill in a document.  Keys are for programs (snake_case, with the unit in
 * the name: `handshake_ms`), stable, never translated.  Labels are for people, already translated by
 * the caller.  Strings are copied.  Values may hold any bytes a stranger wrote: the renderers escape
 * (JSON, HTML, CSV formulas) and make control characters visible (text).
 *
 * The tree: a document has a root section; a section has fields, sections, tables, paragraphs and
 * blocks; a table has rows; a row has fields.  In JSON a section is an object under its key, a
 * table an array of objects; paragraphs, spots, and blocks with a NULL key, are for people only.  A field
 * straight in a table, whose key is NULL, is a bare value of the array, in JSON only.
 */
#ifndef PS_DOC_H
#define PS_DOC_H

#include "base/buf.h"
#include "base/defs.h"

struct doc;
struct doc_node;        /* lives as long as its document */

enum doc_kind { DOC_SECTION, DOC_TABLE, DOC_ROW, DOC_STR, DOC_INT, DOC_BOOL, DOC_REAL, DOC_TIME,
                DOC_VERDICT, DOC_PARA, DOC_BLOCK, DOC_SPOT };

/* How a value is to be seen: colour on a terminal and in HTML, and a word beside it. */
enum doc_mark { DOC_PLAIN, DOC_GOOD, DOC_BAD, DOC_WARN, DOC_UNKNOWN };

/*
 * `verb` makes the schema: "prove" gives "schema": "pgseal.prove/1".  NULL: JSON has no such key, for it is
 * in somebody else's format.
 */
struct doc *doc_new(const char *verb, const char *title);
void doc_free(struct doc *doc);
PS_DEFINE_FREEP(struct doc, doc_free)

struct doc_node *doc_root(struct doc *doc);
const struct doc_node *doc_top(const struct doc *doc);      /* the same, to look only */
const char *doc_verb(const struct doc *doc);
const char *doc_title(const struct doc *doc);

struct doc_node *doc_section(struct doc_node *parent, const char *key, const char *label);
struct doc_node *doc_child(struct doc_node *parent, const char *key);   /* that exists, or NULL */

/*
 * A table shows the columns in the order in which fields first appear in its rows.  `empty` is what
 * people read when there is no row, such as _("no session is on plaintext"); NULL: nothing is shown.
 */
struct doc_node *doc_table(struct doc_node *parent, const char *key, const char *label,
                           const char *empty);
struct doc_node *doc_row(struct doc_node *table);

/*
 * A table whose rows are made one at a time while it is shown, for results that memory is not to hold.  The
 * function fills in the next row, or returns false at the end; with `restart` it begins with the first again.
 * It is asked more than once; `of` outlives the rendering.
 */
typedef bool (*doc_feed_fn)(void *of, bool restart, struct doc_node *row);
struct doc_node *doc_feed(struct doc_node *parent, const char *key, const char *label,
                          const char *empty, doc_feed_fn next, void *of);

/* Fields of a section or of a row.  A NULL string is null in JSON and "-" for people. */
struct doc_node *doc_str(struct doc_node *node, const char *key, const char *label,
                         const char *value);
struct doc_node *doc_fmt(struct doc_node *node, const char *key, const char *label,
                         const char *fmt, ...) PS_PRINTF(4, 5);
struct doc_node *doc_int(struct doc_node *node, const char *key, const char *label, int64_t value);
struct doc_node *doc_bool(struct doc_node *node, const char *key, const char *label, bool value);
struct doc_node *doc_ms(struct doc_node *node, const char *key, const char *label, double value);
struct doc_node *doc_time(struct doc_node *node, const char *key, const char *label, time_t value);

/* A moment in seconds since 1970, to the millisecond; programs get the number, people the UTC time. */
struct doc_node *doc_moment(struct doc_node *node, const char *key, const char *label,
                            int64_t value_us);
/* A share in percent, of a whole; people see a bar, on a page in the colour of `tone`. */
struct doc_node *doc_share(struct doc_node *node, const char *key, const char *label, uint64_t part,
                           uint64_t whole, enum doc_mark tone);

/*
 * A table whose rows people see as cards, one below the other: a heading, then what is in the row.  Fields
 * without a label are for programs only.
 */
struct doc_node *doc_cards(struct doc_node *parent, const char *key, const char *label,
                           const char *empty);
struct doc_node *doc_card(struct doc_node *table, enum doc_mark mark, const char *heading);

/*
 * For pages: people may sort such a table by any column, with or without a mouse; `rank` puts a field before
 * those of a higher one, where neither numbers nor the alphabet tell (0: they do).
 */
struct doc_node *doc_sortable(struct doc_node *table);
struct doc_node *doc_rank(struct doc_node *field, int rank);
/* For pages: a field leads to the card with the same number, from 1. */
struct doc_node *doc_link(struct doc_node *field, size_t number);
struct doc_node *doc_anchor(struct doc_node *card, size_t number);

/*
 * A verdict: `word` is for programs ("refused"), `text` for people; with a NULL text the word serves
 * both.
 */
struct doc_node *doc_verdict(struct doc_node *node, const char *key, const char *label,
                             enum doc_mark mark, const char *word, const char *text);

/* Colour a field that exists; returns it. */
struct doc_node *doc_mark(struct doc_node *field, enum doc_mark mark);

/*
 * Keep a field, or a whole section or table, out of what a terminal shows (long evidence): it is in JSON,
 * CSV and HTML, and in text with --verbose.  Returns the node.
 */
struct doc_node *doc_aside(struct doc_node *node);
/* The same for every child of this kind that a node has by now. */
void doc_aside_kind(struct doc_node *node, enum doc_kind kind);

/* Take everything out of a section, which keeps its place: what was foreseen has happened since. */
void doc_clear(struct doc_node *section);

/* A sentence for people, flowed to the width of the terminal. */
void doc_para(struct doc_node *node, enum doc_mark mark, const char *fmt, ...) PS_PRINTF(3, 4);

/* Text to be shown as it is, in a fixed-width font: a diff, a command, a file. */
void doc_block(struct doc_node *node, const char *key, const char *label, const char *text);

/* The same for lines that begin with "-" and "+", which are seen as taken out and put in. */
void doc_diff(struct doc_node *node, const char *key, const char *label, const char *text);

/* A place in somebody's file, shown with its line and the spot in it marked.  Strings are copied. */
struct doc_spot {
    const char *file;
    unsigned line;              /* from 1; 0: the whole file */
    unsigned column;            /* from 1, in bytes; 0: the whole line */
    unsigned end_column;        /* behind the last byte that is meant; 0: to the end of the line */
    const char *text;           /* the line without its end; NULL: only the place is shown */
};
void doc_spot(struct doc_node *node, enum doc_mark mark, const struct doc_spot *spot);

/* ---- reading, for renderers and tests ---- */

struct doc_view {
    enum doc_kind kind;
    const char *key, *label;
    const char *text;           /* for people; of a table: what is shown when it is empty */
    const char *word;           /* of a verdict */
    int64_t integer;            /* DOC_INT, DOC_BOOL, DOC_TIME */
    double real;
    enum doc_mark mark;
    enum doc_mark tone;         /* of a share */
    bool aside, is_null;
    bool cards, sortable;       /* of a table */
    int rank;                   /* of a field; 0: none */
    size_t number;              /* of a card; of a field: where it leads; 0: none */
    bool diff;                  /* of a block */
    const struct doc_spot *spot;
};

void doc_look(const struct doc_node *node, struct doc_view *out);
/* The rows of a doc_feed() live until the next one is asked for. */
const struct doc_node *doc_first(const struct doc_node *node);
const struct doc_node *doc_next(const struct doc_node *node);
/* The node at "section.table.0.key", or NULL. */
const struct doc_node *doc_find(const struct doc_node *node, const char *path);

#endif
