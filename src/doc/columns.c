/* columns.c - the columns of a table; see renderers.h. */
#include "doc/renderers.h"

#include "base/mem.h"

bool doc_is_field(enum doc_kind kind)
{
    return kind >= DOC_STR && kind <= DOC_VERDICT;
}

const struct doc_node *row_field(const struct doc_node *row, const char *key)
{
    return doc_find(row, key);
}

static bool has_column(const struct columns *columns, const char *key)
{
    for (size_t i = 0; i < columns->len; i++)
        if (strcmp(columns->at[i].key, key) == 0)
            return true;
    return false;
}

void columns_of_table(const struct doc_node *table, struct columns *out)
{
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        for (const struct doc_node *field = doc_first(row); field; field = doc_next(field)) {
            struct doc_view view;

            doc_look(field, &view);
            if (doc_is_field(view.kind) && view.key && !has_column(out, view.key))
                PS_PUSH(out->at, out->len, out->cap) = (struct column){
                    .key = view.key, .label = view.label ? view.label : view.key,
                    .kind = view.kind, .aside = view.aside };
        }
}

void columns_free(struct columns *columns)
{
    free(columns->at);
    *columns = (struct columns){ 0 };
}
