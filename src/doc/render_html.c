/* render_html.c - a document as one self-contained page; see render.h. */
#include "doc/renderers.h"

#include <locale.h>

#include "base/mem.h"
#include "doc/html_script.h"
#include "doc/html_style.h"
#include "doc/spot.h"
#include "doc/text.h"

static const char *const chips[] = {
    [DOC_PLAIN] = "plain", [DOC_GOOD] = "good", [DOC_BAD] = "bad", [DOC_WARN] = "warn",
    [DOC_UNKNOWN] = "unknown",
};

static const char *const signs[] = {
    [DOC_PLAIN] = "", [DOC_GOOD] = "\xe2\x9c\x93 ", [DOC_BAD] = "\xe2\x9c\x97 ",
    [DOC_WARN] = "! ", [DOC_UNKNOWN] = "? ",
};

static const struct {
    char c;
    const char *entity;
} entities[] = {
    { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
};

static void put_escaped(const char *text, struct buf *out)
{
    PS_AUTO(buf_free) struct buf clean = BUF(BUF_TEXT_MAX);

    text_visible(text, &clean);
    for (const char *p = buf_text(&clean); *p; p++) {
        const char *entity = NULL;

        for (size_t i = 0; i < PS_COUNT(entities); i++)
            if (entities[i].c == *p)
                entity = entities[i].entity;
        if (entity)
            buf_puts(out, entity);
        else
            buf_putc(out, *p);
    }
}

/* ISO 639 code for <html lang>, from what gettext would translate into. */
static void put_language(struct buf *out)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);
    const char *list = getenv("LANGUAGE");
    bool translated = locale && strcmp(locale, "C") != 0 && strcmp(locale, "POSIX") != 0;
    const char *from = !translated ? "en" : list && *list ? list : locale;
    size_t len = strspn(from, "abcdefghijklmnopqrstuvwxyz");

    if (len == 2 || len == 3)
        buf_put(out, from, len);
    else
        buf_puts(out, "en");
}

static void put_value(const struct doc_view *view, struct buf *out)
{
    if (view->mark != DOC_PLAIN)
        buf_printf(out, "<span class=\"chip %s\">%s", chips[view->mark], signs[view->mark]);
    if (view->tone != DOC_PLAIN)
        buf_printf(out, "<span class=\"tone %s\">", chips[view->tone]);
    put_escaped(view->text ? view->text : "", out);
    if (view->mark != DOC_PLAIN || view->tone != DOC_PLAIN)
        buf_puts(out, "</span>");
}

static void put_heading(int level, const char *label, struct buf *out)
{
    if (!label)
        return;
    level = level > 6 ? 6 : level;
    buf_printf(out, "<h%d>", level);
    put_escaped(label, out);
    buf_printf(out, "</h%d>\n", level);
}

static const char *cell_class(enum doc_kind kind)
{
    return kind == DOC_INT || kind == DOC_REAL ? " class=\"num\"" : "";
}

static void put_table_head(const struct columns *columns, bool sortable, struct buf *out)
{
    buf_printf(out, "<div class=\"scroll\"><table%s>\n<thead><tr>", sortable ? " class=\"sortable\"" : "");
    for (size_t i = 0; i < columns->len; i++) {
        buf_printf(out, "<th scope=\"col\"%s>", cell_class(columns->at[i].kind));
        put_escaped(columns->at[i].label, out);
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead>\n<tbody>\n");
}

static void put_row(const struct columns *columns, const struct doc_node *row, struct buf *out)
{
    buf_puts(out, "<tr>");
    for (size_t i = 0; i < columns->len; i++) {
        const struct doc_node *field = row_field(row, columns->at[i].key);
        struct doc_view view = { 0 };

        if (field)
            doc_look(field, &view);
        buf_printf(out, "<td%s", cell_class(columns->at[i].kind));
        if (view.rank)
            buf_printf(out, " data-rank=\"%d\"", view.rank);
        buf_puts(out, ">");
        if (view.number)
            buf_printf(out, "<a href=\"#card-%zu\">", view.number);
        put_value(&view, out);
        buf_puts(out, view.number ? "</a></td>" : "</td>");
    }
    buf_puts(out, "</tr>\n");
}

static void put_children(int level, const struct doc_node *parent, struct buf *out);

static void put_cards(int level, const struct doc_node *table, struct buf *out)
{
    for (const struct doc_node *card = doc_first(table); card; card = doc_next(card)) {
        struct doc_view view;

        doc_look(card, &view);
        buf_printf(out, "<details class=\"card %s\"%s><summary>", chips[view.mark],
                   view.mark == DOC_BAD && !view.number ? " open" : "");    /* who has a number is led to */
        put_escaped(view.label, out);
        buf_puts(out, "</summary>\n");
        if (view.number)        /* inside, so that who goes there finds the card opened */
            buf_printf(out, "<span id=\"card-%zu\"></span>\n", view.number);
        put_children(level, card, out);
        buf_puts(out, "</details>\n");
    }
}

static void put_table(int level, const struct doc_node *table, const struct doc_view *view,
                      struct buf *out)
{
    PS_AUTO(columns_free) struct columns columns = { 0 };

    if (!doc_first(table) && !view->text)
        return;
    put_heading(level, view->label, out);
    if (!doc_first(table)) {
        buf_puts(out, "<p class=\"empty\">");
        put_escaped(view->text, out);
        buf_puts(out, "</p>\n");
        return;
    }
    if (view->cards) {
        put_cards(level + 1, table, out);
        return;
    }
    columns_of_table(table, &columns);
    put_table_head(&columns, view->sortable, out);
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        put_row(&columns, row, out);
    buf_puts(out, "</tbody></table></div>\n");
}

static void put_field(const struct doc_view *view, struct buf *out)
{
    buf_puts(out, "<dt>");
    put_escaped(view->label ? view->label : view->key, out);
    buf_puts(out, "</dt><dd>");
    put_value(view, out);
    buf_puts(out, "</dd>\n");
}

static void put_para(const struct doc_view *view, struct buf *out)
{
    buf_printf(out, "<p class=\"note %s\">%s", chips[view->mark], signs[view->mark]);
    put_escaped(view->text, out);
    buf_puts(out, "</p>\n");
}

/* The place, and the line with the spot in it. */
static void put_spot(const struct doc_view *view, struct buf *out)
{
    PS_AUTO(buf_free) struct buf place = BUF(BUF_TEXT_MAX);
    PS_AUTO(spot_free) struct spot parts = { 0 };

    spot_put_place(view->spot, &place);
    buf_puts(out, "<figure><figcaption>");
    put_escaped(buf_text(&place), out);
    buf_puts(out, "</figcaption>");
    if (view->spot->text) {
        spot_split(view->spot, &parts);
        buf_puts(out, "<pre>");
        put_escaped(parts.lead, out);
        buf_printf(out, "<mark class=\"%s\">", chips[view->mark]);
        put_escaped(parts.marked, out);
        buf_puts(out, "</mark>");
        put_escaped(parts.tail, out);
        buf_puts(out, "</pre>");
    }
    buf_puts(out, "</figure>\n");
}

static void put_diff(const char *text, struct buf *out)
{
    for (const char *line = text; *line; ) {
        size_t len = strcspn(line, "\n");
        PS_AUTO(ps_freep) char *one = ps_strndup(line, len);
        const char *tag = *line == '-' ? "del" : *line == '+' ? "ins" : "span";

        buf_printf(out, "<%s>", tag);
        put_escaped(one, out);
        buf_printf(out, "</%s>\n", tag);
        line += len + (line[len] == '\n');
    }
}

static void put_block(int level, const struct doc_view *view, struct buf *out)
{
    put_heading(level, view->label, out);
    buf_puts(out, "<pre>");
    if (view->diff)
        put_diff(view->text, out);
    else
        put_escaped(view->text ? view->text : "", out);
    buf_puts(out, "</pre>\n");
}

enum { TOP_LEVEL = 2 };     /* of headings: the title is <h1> */

static void put_section(int level, const struct doc_node *node, const struct doc_view *view,
                        struct buf *out)
{
    if (!doc_first(node))
        return;
    buf_puts(out, "<section>\n");
    put_heading(level, view->label, out);
    put_children(level + 1, node, out);
    buf_puts(out, "</section>\n");
}

static void put_children(int level, const struct doc_node *parent, struct buf *out)
{
    bool in_list = false, in_card = doc_is_row(parent);

    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (doc_is_field(view.kind) && level == TOP_LEVEL)
            continue;               /* put_summary() had it */
        if (doc_is_field(view.kind) && in_card && !view.label)
            continue;               /* for programs */
        if (doc_is_array(node))
            continue;
        if (doc_is_field(view.kind) != in_list) {
            in_list = !in_list;
            buf_puts(out, in_list ? "<dl>\n" : "</dl>\n");
        }
        if (in_list)
            put_field(&view, out);
        else if (view.kind == DOC_SECTION)
            put_section(level, node, &view, out);
        else if (view.kind == DOC_TABLE)
            put_table(level, node, &view, out);
        else if (view.kind == DOC_PARA)
            put_para(&view, out);
        else if (view.kind == DOC_BLOCK)
            put_block(level, &view, out);
        else if (view.kind == DOC_SPOT)
            put_spot(&view, out);
    }
    if (in_list)
        buf_puts(out, "</dl>\n");
}

/* What the whole page comes to stands at its head, wherever the verb has put it. */
static void put_summary(const struct doc_node *root, struct buf *out)
{
    bool any = false;

    for (const struct doc_node *node = doc_first(root); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (!doc_is_field(view.kind))
            continue;
        if (!any)
            buf_puts(out, "<section class=\"summary\">\n<dl>\n");
        any = true;
        put_field(&view, out);
    }
    if (any)
        buf_puts(out, "</dl>\n</section>\n");
}

static bool has_sortable(const struct doc_node *parent)
{
    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (view.sortable || (view.kind == DOC_SECTION && has_sortable(node)))
            return true;
    }
    return false;
}

/* The page may load nothing, and run nothing but the one script that is known by its digest, whatever stands in it. */
static void put_policy(bool script, struct buf *out)
{
    buf_puts(out, "<meta http-equiv=\"Content-Security-Policy\" "
                  "content=\"default-src 'none'; style-src 'unsafe-inline'");
    if (script)
        buf_printf(out, "; script-src 'sha256-%s'", html_script_sha256);
    buf_puts(out, "\">\n");
}

void render_html(const struct doc *doc, const struct doc_style *style, struct buf *out)
{
    const char *title = doc_title(doc) ? doc_title(doc) : doc_verb(doc);

    const bool script = has_sortable(doc_top(doc));

    (void)style;
    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"");
    put_language(out);
    buf_puts(out, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(script, out);
    buf_puts(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    put_escaped(title, out);
    buf_puts(out, "</title>\n<style>\n");
    buf_puts(out, html_style);
    buf_puts(out, "</style>\n</head>\n<body>\n<main>\n<header><p class=\"brand\">pgseal <b>");
    put_escaped(doc_verb(doc), out);
    buf_puts(out, "</b></p>\n");
    put_heading(1, title, out);
    buf_puts(out, "</header>\n");
    put_summary(doc_top(doc), out);
    put_children(TOP_LEVEL, doc_top(doc), out);
    buf_puts(out, "</main>\n");
    if (script)
        buf_printf(out, "<script>%s</script>\n", html_script);
    buf_puts(out, "</body>\n</html>\n");
}
