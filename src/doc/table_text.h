/*
 * table_text.h - tables on a terminal, and the pen and paper that render_text.c shares with them.
 */
#ifndef DOC_TABLE_TEXT_H
#define DOC_TABLE_TEXT_H

#include "doc/renderers.h"

struct paper {
    const struct doc_style *style;
    int width;          /* columns */
    bool utf8;          /* signs beyond ASCII can be shown */
    struct buf *out;
};

/* What people read in a field: the sign of its mark and its text made visible; the caller's. */
char *paper_text(const struct paper *paper, const struct doc_view *view);
void paper_color(const struct paper *paper, enum doc_mark mark, bool on);
void paper_bold(const struct paper *paper, bool on);
/* "Label:  value", the value flowed. */
void paper_field(const struct paper *paper, int indent, int label_width,
                 const struct doc_view *view);
/* The greater of `widest` and the columns of a label; a very long label does not count. */
int paper_label_width(int widest, const char *label);

/*
 * A table with its header.  Columns too wide for the paper are narrowed and their cells wrapped; when
 * even that does not fit, each row becomes a record of "Label: value" lines, as psql's \x auto does.
 */
void table_text(const struct paper *paper, int indent, const struct doc_node *table);

#endif
