/* render_csv.c - the tables of a document as CSV; see render.h and RFC 4180. */
#include "doc/renderers.h"

#include "base/clock.h"
#include "base/mem.h"
#include "doc/text.h"

/* All tables in one: RFC 4180 2.4 wants the same number of fields in each line. */
struct csv {
    struct columns columns;
    struct buf *out;
};

typedef void (*table_fn)(struct csv *csv, const char *path, const struct doc_node *table);

static void each_table(struct csv *csv, const char *path, const struct doc_node *parent,
                       table_fn visit)
{
    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        PS_AUTO(ps_freep) char *inner = NULL;
        struct doc_view view;

        doc_look(node, &view);
        if ((view.kind != DOC_SECTION && view.kind != DOC_TABLE) || doc_is_array(node))
            continue;
        inner = ps_asprintf("%s%s%s", path, *path && view.key ? "." : "", view.key ? view.key : "");
        if (view.kind == DOC_TABLE)
            visit(csv, inner, node);
        else
            each_table(csv, inner, node, visit);
    }
}

static void collect(struct csv *csv, const char *path, const struct doc_node *table)
{
    (void)path;
    columns_of_table(table, &csv->columns);
}

/*
 * A spreadsheet takes these first characters for a formula and runs it (OWASP, "CSV Injection");
 * an apostrophe makes it text.
 */
static void put_text(const char *text, struct buf *out)
{
    PS_AUTO(buf_free) struct buf clean = BUF(BUF_TEXT_MAX);

    if (*text && strchr("=+-@\t\r", *text))
        buf_putc(&clean, '\'');
    text_visible(text, &clean);
    /* where the comma is the decimal point, spreadsheets split at semicolons, and a formula may begin there */
    if (!strpbrk(buf_text(&clean), ",;\"\r\n\t")) {
        buf_put(out, buf_text(&clean), clean.len);
        return;
    }
    buf_putc(out, '"');
    for (const char *p = buf_text(&clean); *p; p++) {
        if (*p == '"')
            buf_putc(out, '"');
        buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

static void put_value(const struct doc_node *field, struct buf *out)
{
    struct doc_view view;
    char when[CLOCK_TEXT];

    doc_look(field, &view);
    if (view.is_null)
        return;
    switch (view.kind) {
    case DOC_INT:
        buf_printf(out, "%lld", (long long)view.integer);
        break;
    case DOC_REAL:
        buf_printf(out, "%.*g", real_digits(view.real), view.real);
        break;
    case DOC_BOOL:
        buf_puts(out, view.integer ? "true" : "false");
        break;
    case DOC_TIME:
        buf_puts(out, clock_rfc3339((time_t)view.integer, when));
        break;
    case DOC_VERDICT:
        put_text(view.word, out);
        break;
    default:
        put_text(view.text, out);
    }
}

static void put_rows(struct csv *csv, const char *path, const struct doc_node *table)
{
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row)) {
        put_text(path, csv->out);
        for (size_t i = 0; i < csv->columns.len; i++) {
            const struct doc_node *field = row_field(row, csv->columns.at[i].key);

            buf_putc(csv->out, ',');
            if (field)
                put_value(field, csv->out);
        }
        buf_puts(csv->out, "\r\n");
    }
}

void render_csv(const struct doc *doc, const struct doc_style *style, struct buf *out)
{
    struct csv csv = { .out = out };

    (void)style;
    each_table(&csv, "", doc_top(doc), collect);
    put_text("table", out);
    for (size_t i = 0; i < csv.columns.len; i++) {
        buf_putc(out, ',');
        put_text(csv.columns.at[i].key, out);
    }
    buf_puts(out, "\r\n");
    each_table(&csv, "", doc_top(doc), put_rows);
    columns_free(&csv.columns);
}
