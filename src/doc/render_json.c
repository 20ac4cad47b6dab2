/* render_json.c - a document as JSON; see render.h. */
#include "doc/renderers.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doc/text.h"

static json_t *value_of(const struct doc_node *node);

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

/* A section without a key is for people's eyes: what it holds belongs to the section around it. */
static void put_children(const struct doc_node *parent, json_t *object)
{
    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (view.key)
            json_object_set_new(object, view.key, value_of(node));
        else if (view.kind == DOC_SECTION)
            put_children(node, object);
    }
}

static json_t *object_of(const struct doc_node *node)
{
    json_t *object = json_object();

    put_children(node, object);
    return object;
}

static json_t *array_of(const struct doc_node *table)
{
    json_t *array = json_array();

    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        json_array_append_new(array, value_of(row));
    return array;
}

static json_t *value_of(const struct doc_node *node)
{
    struct doc_view view;

    doc_look(node, &view);
    if (view.is_null)
        return json_null();
    switch (view.kind) {
    case DOC_SECTION:
    case DOC_ROW:
        return object_of(node);
    case DOC_TABLE:
        return array_of(node);
    case DOC_INT:
        return json_integer(view.integer);
    case DOC_BOOL:
        return json_boolean(view.integer);
    case DOC_REAL:
        return json_real(view.real);
    case DOC_TIME:
        return time_of((time_t)view.integer);
    case DOC_VERDICT:
        return string_of(view.word);
    case DOC_STR:
    case DOC_PARA:
    case DOC_BLOCK:
    case DOC_SPOT:
        break;
    }
    return string_of(view.text);
}

static int into_buf(const char *bytes, size_t len, void *out)
{
    return buf_put(out, bytes, len) ? 0 : -1;
}

void render_json(const struct doc *doc, const struct doc_style *style, struct buf *out)
{
    json_t *root = json_object();

    (void)style;
    if (doc_verb(doc)) {
        PS_AUTO(ps_freep) char *schema = ps_asprintf("pgseal.%s/1", doc_verb(doc));

        json_object_set_new(root, "schema", json_string(schema));
    }
    put_children(doc_top(doc), root);
    /* Six digits behind a number of milliseconds say more than any clock knows. */
    json_dump_callback(root, into_buf, out,
                       JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    buf_putc(out, '\n');
    json_decref(root);
}
