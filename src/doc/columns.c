/* columns.c - the columns of a table; see renderers.h. */
#include "doc/renderers.h"

#include "base/mem.h"

bool doc_is_field(enum doc_kind kind)
{
    return kind >= DOC_STR && kind <= DOC_VERDICT;
}

int real_digits(double value)
{
    return value >= 1e6 || value <= -1e6 ? 16 : 9;
}

bool doc_is_array(const struct doc_node *node)
{
    const struct doc_node *first = doc_first(node);
    struct doc_view view;

    doc_look(node, &view);
    return view.kind == DOC_TABLE && !view.label && (first ? !doc_is_row(first) : !view.text);
}

bool doc_is_row(const struct doc_node *node)
{
    struct doc_view view;

    doc_look(node, &view);
    return view.kind == DOC_ROW;
}

const struct doc_node *row_field(const struct doc_node *row, const char *key)
{
    return doc_find(row, key);
}

static struct column *column_for(struct columns *columns, const struct doc_view *view)
{
    for (size_t i = 0; i < columns->len; i++)
        if (strcmp(columns->at[i].key, view->key) == 0)
            return &columns->at[i];
    if (!columns->arena)            /* rows of a doc_feed() do not stay */
        columns->arena = arena_new();
    PS_PUSH(columns->at, columns->len, columns->cap) = (struct column){
        .key = arena_strdup(columns->arena, view->key),
        .label = arena_strdup(columns->arena, view->label ? view->label : view->key),
        .kind = view->kind, .aside = true, .empty = true };
    return &columns->at[columns->len - 1];
}

void columns_of_table(const struct doc_node *table, struct columns *out)
{
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        for (const struct doc_node *field = doc_first(row); field; field = doc_next(field)) {
            struct doc_view view;

            doc_look(field, &view);
            if (!doc_is_field(view.kind) || !view.key)
                continue;

            struct column *column = column_for(out, &view);
            column->aside &= view.aside;
            column->empty &= view.is_null;
            if (!view.is_null)
                column->kind = view.kind;
        }
}

void columns_free(struct columns *columns)
{
    free(columns->at);
    arena_free(columns->arena);
    *columns = (struct columns){ 0 };
}
