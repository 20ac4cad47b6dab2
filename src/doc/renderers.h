/*
 * renderers.h - the four renderers behind doc_render(); nobody else calls them.
 */
#ifndef DOC_RENDERERS_H
#define DOC_RENDERERS_H

#include "doc/render.h"

void render_text(const struct doc *doc, const struct doc_style *style, struct buf *out);
void render_json(const struct doc *doc, const struct doc_style *style, struct buf *out);
void render_html(const struct doc *doc, const struct doc_style *style, struct buf *out);
void render_csv(const struct doc *doc, const struct doc_style *style, struct buf *out);

/* ---- what they share ---- */

/* The columns of a table: its keys, in the order in which they first appear in its rows. */
struct columns {
    struct column {
        const char *key, *label;
        enum doc_kind kind;
        bool aside;         /* in every row */
        bool empty;         /* null in every row */
    } *at;
    size_t len, cap;
    struct arena *arena;        /* of the texts */
};

void columns_of_table(const struct doc_node *table, struct columns *out);
void columns_free(struct columns *columns);     /* for PS_AUTO */

/* The field of a row in that column, or NULL. */
const struct doc_node *row_field(const struct doc_node *row, const char *key);

/*
 * Significant digits of a number: six behind a number of milliseconds say more than any clock knows, but
 * a moment since 1970 has ten before its milliseconds.
 */
int real_digits(double value);

bool doc_is_field(enum doc_kind kind);      /* has a value of its own, behind a label */
bool doc_is_row(const struct doc_node *node);
bool doc_is_array(const struct doc_node *node);     /* of bare values, for programs only */

#endif
