/*
 * render.h - a document as text, JSON, HTML or CSV.
 *
 * The same document gives the same bytes; only text depends on the terminal (width, colour).
 */
#ifndef PS_RENDER_H
#define PS_RENDER_H

#include "base/buf.h"
#include "base/err.h"
#include "doc/doc.h"

enum doc_format { DOC_TEXT, DOC_JSON, DOC_HTML, DOC_CSV };

PS_MUST bool doc_format_parse(const char *word, enum doc_format *out, struct ps_err *err);

struct doc_style {
    bool color;         /* ANSI colours in text */
    bool verbose;       /* text shows the fields that stand aside */
    bool one_line;      /* JSON without line ends but the last */
    int width;          /* columns for text; 0: 100 */
};

/*
 * Text: fields as "Label: value", tables with aligned columns (width by wcwidth), wrapped to the
 * width; good, bad, warning and unknown also as a word or sign, never by colour alone.
 * JSON: {"schema": "pgseal.VERB/1", ...}, indented by two, keys in document order.
 * HTML: one self-contained file, no outside resource, prints on A4, light and dark, language attribute by the
 * current locale; no script but the one that sorts tables (html_script.h), and only where there are such.
 * CSV (RFC 4180): the document's tables, the first column saying which; values that a spreadsheet
 * would take for a formula are prefixed with an apostrophe.
 */
void doc_render(const struct doc *doc, enum doc_format format, const struct doc_style *style,
                struct buf *out);

#endif
