/* render_text.c - a document for a person at a terminal; see render.h. */
#include "doc/renderers.h"

#include <langinfo.h>

#include "base/mem.h"
#include "doc/spot.h"
#include "doc/table_text.h"
#include "doc/text.h"

enum { INDENT = 2, LABEL_MAX = 32 };

static const struct {
    const char *sign, *ascii, *color;
} marks[] = {
    [DOC_PLAIN]   = { "",      "",         "" },
    [DOC_GOOD]    = { "\xe2\x9c\x93 ", "[ok] ",  "\033[32m" },    /* check mark */
    [DOC_BAD]     = { "\xe2\x9c\x97 ", "[bad] ", "\033[1;31m" },  /* ballot x */
    [DOC_WARN]    = { "! ",    "[!] ",     "\033[33m" },
    [DOC_UNKNOWN] = { "? ",    "[?] ",     "\033[36m" },
};

char *paper_text(const struct paper *paper, const struct doc_view *view)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    buf_puts(&text, paper->utf8 ? marks[view->mark].sign : marks[view->mark].ascii);
    text_visible(view->text ? view->text : "", &text);
    return buf_take(&text);
}

void paper_color(const struct paper *paper, enum doc_mark mark, bool on)
{
    if (paper->style->color && mark != DOC_PLAIN)
        buf_puts(paper->out, on ? marks[mark].color : "\033[0m");
}

void paper_bold(const struct paper *paper, bool on)
{
    if (paper->style->color)
        buf_puts(paper->out, on ? "\033[1m" : "\033[0m");
}

/* Text from the column where the pen stands; further lines begin in the same column. */
static void put_flowed(const struct paper *paper, int column, enum doc_mark mark, const char *text)
{
    PS_AUTO(text_lines_free) struct text_lines lines = { 0 };
    int room = paper->width - column;

    text_wrap(text, room < 20 ? 20 : room, &lines);
    for (size_t i = 0; i < lines.len; i++) {
        if (i > 0)
            text_pad(paper->out, column);
        paper_color(paper, mark, true);
        buf_put(paper->out, lines.at[i].p, lines.at[i].len);
        paper_color(paper, mark, false);
        buf_putc(paper->out, '\n');
    }
}

static int label_columns(const char *label)
{
    return text_columns(label, strlen(label));
}

void paper_field(const struct paper *paper, int indent, int label_width,
                 const struct doc_view *view)
{
    PS_AUTO(ps_freep) char *text = paper_text(paper, view);
    const char *label = view->label ? view->label : view->key;
    int taken = label_columns(label) + 1;

    text_pad(paper->out, indent);
    paper_bold(paper, true);
    buf_puts(paper->out, label);
    buf_putc(paper->out, ':');
    paper_bold(paper, false);
    text_pad(paper->out, taken < label_width + 2 ? label_width + 2 - taken : 1);
    put_flowed(paper, indent + (taken < label_width + 2 ? label_width + 2 : taken + 1), view->mark,
               text);
}

int paper_label_width(int widest, const char *label)
{
    int columns = label_columns(label);

    return columns > widest && columns <= LABEL_MAX ? columns : widest;
}

/* In a card, what has no label is for programs. */
static bool is_shown(const struct paper *paper, const struct doc_view *view, bool in_card)
{
    return (!view->aside || paper->style->verbose)
        && !(in_card && doc_is_field(view->kind) && !view->label);
}

/* Values that stand below one another begin in the same column. */
static int widest_label(const struct paper *paper, const struct doc_node *parent)
{
    bool in_card = doc_is_row(parent);
    int widest = 0;

    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (doc_is_field(view.kind) && is_shown(paper, &view, in_card))
            widest = paper_label_width(widest, view.label ? view.label : view.key);
    }
    return widest;
}

static bool ends_with_blank_line(const struct buf *out)
{
    return out->len == 0
        || (out->len >= 2 && out->p[out->len - 1] == '\n' && out->p[out->len - 2] == '\n');
}

static void put_heading(const struct paper *paper, int indent, const char *label)
{
    if (!ends_with_blank_line(paper->out))
        buf_putc(paper->out, '\n');
    if (!label)
        return;
    text_pad(paper->out, indent);
    paper_bold(paper, true);
    text_visible(label, paper->out);
    paper_bold(paper, false);
    buf_putc(paper->out, '\n');
}

static enum doc_mark diff_mark(char first)
{
    return first == '-' ? DOC_BAD : first == '+' ? DOC_GOOD : DOC_PLAIN;
}

/* A block may be copied from the terminal: nothing is wrapped in it. */
static void put_block(const struct paper *paper, int indent, const struct doc_view *view)
{
    PS_AUTO(text_lines_free) struct text_lines lines = { 0 };
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    text_visible(view->text ? view->text : "", &text);
    put_heading(paper, indent, view->label);
    text_wrap(buf_text(&text), 0, &lines);
    for (size_t i = 0; i < lines.len; i++) {
        enum doc_mark mark = view->diff ? diff_mark(*lines.at[i].p) : DOC_PLAIN;

        if (lines.at[i].len)
            text_pad(paper->out, indent + INDENT);
        paper_color(paper, mark, true);
        buf_put(paper->out, lines.at[i].p, lines.at[i].len);
        paper_color(paper, mark, false);
        buf_putc(paper->out, '\n');
    }
}

/* "   --> FILE:LINE:COLUMN", then the line and below it what is meant, as compilers do. */
static void put_spot(const struct paper *paper, const struct doc_view *view)
{
    const struct doc_spot *spot = view->spot;
    PS_AUTO(ps_freep) char *number = ps_asprintf("%u", spot->line);
    int gutter = (int)strlen(number) + 1;
    PS_AUTO(spot_free) struct spot parts = { 0 };

    text_pad(paper->out, gutter);
    buf_puts(paper->out, "--> ");
    spot_put_place(spot, paper->out);
    buf_putc(paper->out, '\n');
    if (!spot->text || !spot->line)
        return;

    spot_split(spot, &parts);
    spot_fit(&parts, paper->width - gutter - 3);
    text_pad(paper->out, gutter);
    buf_printf(paper->out, " |\n %s | %s%s%s\n", number, parts.lead, parts.marked, parts.tail);
    text_pad(paper->out, gutter);
    buf_puts(paper->out, " | ");
    text_pad(paper->out, text_columns(parts.lead, strlen(parts.lead)));
    paper_color(paper, view->mark, true);
    buf_putc(paper->out, '^');
    for (int i = text_columns(parts.marked, strlen(parts.marked)); i > 1; i--)
        buf_putc(paper->out, '~');
    paper_color(paper, view->mark, false);
    buf_putc(paper->out, '\n');
}

static void put_para(const struct paper *paper, int indent, const struct doc_view *view)
{
    PS_AUTO(ps_freep) char *text = paper_text(paper, view);

    text_pad(paper->out, indent);
    put_flowed(paper, indent, view->mark, text);
}

static void put_children(const struct paper *paper, int indent, const struct doc_node *parent);

static void put_cards(const struct paper *paper, int indent, const struct doc_node *table)
{
    for (const struct doc_node *card = doc_first(table); card; card = doc_next(card)) {
        PS_AUTO(buf_free) struct buf heading = BUF(BUF_TEXT_MAX);
        struct doc_view view;

        doc_look(card, &view);
        text_visible(view.label, &heading);
        if (card != doc_first(table))
            buf_putc(paper->out, '\n');
        text_pad(paper->out, indent);
        put_flowed(paper, indent, view.mark, buf_text(&heading));
        put_children(paper, indent + INDENT, card);
    }
}

static void put_table(const struct paper *paper, int indent, const struct doc_node *table,
                      const struct doc_view *view)
{
    struct doc_view nothing = { .text = view->text };

    if (!doc_first(table) && !view->text)
        return;
    put_heading(paper, indent, view->label);
    if (doc_first(table) && view->cards)
        put_cards(paper, indent, table);
    else if (doc_first(table))
        table_text(paper, view->label ? indent + INDENT : indent, table);
    else
        put_para(paper, view->label ? indent + INDENT : indent, &nothing);
}

static void put_children(const struct paper *paper, int indent, const struct doc_node *parent)
{
    int labels = widest_label(paper, parent);
    bool in_card = doc_is_row(parent);
    bool after_table = false;

    for (const struct doc_node *node = doc_first(parent); node; node = doc_next(node)) {
        struct doc_view view;

        doc_look(node, &view);
        if (!is_shown(paper, &view, in_card) || doc_is_array(node))
            continue;
        if (doc_is_field(view.kind) && after_table && !ends_with_blank_line(paper->out))
            buf_putc(paper->out, '\n');
        after_table = view.kind == DOC_TABLE;
        if (doc_is_field(view.kind))
            paper_field(paper, indent, labels, &view);
        else if (view.kind == DOC_PARA)
            put_para(paper, indent, &view);
        else if (view.kind == DOC_BLOCK)
            put_block(paper, indent, &view);
        else if (view.kind == DOC_SPOT)
            put_spot(paper, &view);
        else if (view.kind == DOC_TABLE)
            put_table(paper, indent, node, &view);
        else if (view.kind == DOC_SECTION && doc_first(node)) {
            put_heading(paper, indent, view.label);
            put_children(paper, view.label ? indent + INDENT : indent, node);
        }
    }
}

void render_text(const struct doc *doc, const struct doc_style *style, struct buf *out)
{
    struct paper paper = {
        .style = style,
        .width = style->width > 0 ? style->width : 100,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .out = out,
    };

    if (doc_title(doc)) {
        paper_bold(&paper, true);
        text_visible(doc_title(doc), out);
        paper_bold(&paper, false);
        buf_puts(out, "\n\n");
    }
    put_children(&paper, 0, doc_top(doc));
}
