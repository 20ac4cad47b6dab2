/* render_json.c - a document as JSON; see render.h. */
#include "doc/renderers.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doc/text.h"

struct writer {
    struct buf *out;
    bool one_line;
    int depth;
};

static int into_buf(const char *bytes, size_t len, void *out)
{
    return buf_put(out, bytes, len) ? 0 : -1;
}

static void put_scalar(const struct writer *writer, json_t *value)
{
    size_t digits = json_is_real(value) ? (size_t)real_digits(json_real_value(value)) : 0;

    json_dump_callback(value, into_buf, writer->out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    json_decref(value);
}

static json_t *string_of(const char *text)
{
    PS_AUTO(buf_free) struct buf utf8 = BUF(BUF_TEXT_MAX);

    text_utf8(text, &utf8);
    return json_stringn(buf_text(&utf8), utf8.len);
}

static json_t *time_of(time_t when)
{
    char text[CLOCK_TEXT];

    return json_string(clock_rfc3339(when, text));
}

static json_t *scalar_of(const struct doc_view *view)
{
    if (view->is_null)
        return json_null();
    switch (view->kind) {
    case DOC_INT:
        return json_integer(view->integer);
    case DOC_BOOL:
        return json_boolean(view->integer);
    case DOC_REAL:
        return json_real(view->real);
    case DOC_TIME:
        return time_of((time_t)view->integer);
    case DOC_VERDICT:
        return string_of(view->word);
    default:
        return string_of(view->text);
    }
}

static void new_line(const struct writer *writer)
{
    if (writer->one_line)
        return;
    buf_putc(writer->out, '\n');
    for (int i = 0; i < 2 * writer->depth; i++)
        buf_putc(writer->out, ' ');
}

static void begin_item(const struct writer *writer, bool *any)
{
    if (*any)
        buf_putc(writer->out, ',');
    *any = true;
    new_line(writer);
}

static void put_key(const struct writer *writer, const char *key, bool *any)
{
    begin_item(writer, any);
    put_scalar(writer, json_string(key));
    buf_puts(writer->out, writer->one_line ? ":" : ": ");
}

static void put_value(struct writer *writer, const struct doc_node *node,
                      const struct doc_view *view);

/* A section without a key is for people's eyes: what it holds belongs to the section around it. */
static void put_children(struct writer *writer, const struct doc_node *parent, bool *any)
{
    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (view.key) {
            put_key(writer, view.key, any);
            put_value(writer, node, &view);
        } else if (view.kind == DOC_SECTION) {
            put_children(writer, node, any);
        }
    }
}

static void close(struct writer *writer, bool any, char bracket)
{
    writer->depth--;
    if (any)
        new_line(writer);
    buf_putc(writer->out, bracket);
}

static void put_object(struct writer *writer, const struct doc_node *node)
{
    bool any = false;

    buf_putc(writer->out, '{');
    writer->depth++;
    put_children(writer, node, &any);
    close(writer, any, '}');
}

static void put_array(struct writer *writer, const struct doc_node *table)
{
    bool any = false;

    buf_putc(writer->out, '[');
    writer->depth++;
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row)) {
        struct doc_view view;

        doc_look(row, &view);
        begin_item(writer, &any);
        put_value(writer, row, &view);
    }
    close(writer, any, ']');
}

static void put_value(struct writer *writer, const struct doc_node *node,
                      const struct doc_view *view)
{
    if (view->kind == DOC_TABLE)
        put_array(writer, node);
    else if (view->kind == DOC_SECTION || view->kind == DOC_ROW)
        put_object(writer, node);
    else
        put_scalar(writer, scalar_of(view));
}

void render_json(const struct doc *doc, const struct doc_style *style, struct buf *out)
{
    struct writer writer = { .out = out, .one_line = style && style->one_line };
    bool any = false;

    buf_putc(out, '{');
    writer.depth++;
    if (doc_verb(doc)) {
        PS_AUTO(ps_freep) char *schema = ps_asprintf("pgseal.%s/1", doc_verb(doc));

        put_key(&writer, "schema", &any);
        put_scalar(&writer, json_string(schema));
    }
    put_children(&writer, doc_top(doc), &any);
    close(&writer, any, '}');
    buf_putc(out, '\n');
}
