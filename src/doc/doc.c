/* doc.c - see doc.h. */
#include "doc/doc.h"

#include <langinfo.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

struct feed {                   /* where the rows of a table come from */
    doc_feed_fn next;
    void *of;
    struct arena *arena;        /* of the row that is shown */
};

struct doc_node {
    struct doc_view view;
    struct arena *arena;
    struct doc_node *first, *last, *next;
    struct feed *feed;          /* of such a table, and of its rows */
};

struct doc {
    struct arena *arena;
    const char *verb, *title;
    struct doc_node *root;
};

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static struct doc_node *new_node(struct arena *arena, enum doc_kind kind, const char *key,
                                 const char *label)
{
    struct doc_node *node = arena_alloc(arena, sizeof(*node));

    node->arena = arena;
    node->view.kind = kind;
    node->view.key = copy(arena, key);
    node->view.label = copy(arena, label);
    return node;
}

static struct doc_node *add(struct doc_node *parent, enum doc_kind kind, const char *key,
                            const char *label)
{
    struct doc_node *node = new_node(parent->arena, kind, key, label);

    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct doc *doc_new(const char *verb, const char *title)
{
    struct arena *arena = arena_new();
    struct doc *doc = arena_alloc(arena, sizeof(*doc));

    doc->arena = arena;
    doc->verb = copy(arena, verb);
    doc->title = copy(arena, title);
    doc->root = new_node(arena, DOC_SECTION, NULL, title);
    return doc;
}

void doc_free(struct doc *doc)
{
    if (doc)
        arena_free(doc->arena);
}

struct doc_node *doc_root(struct doc *doc)
{
    return doc->root;
}

const struct doc_node *doc_top(const struct doc *doc)
{
    return doc->root;
}

const char *doc_verb(const struct doc *doc)
{
    return doc->verb;
}

const char *doc_title(const struct doc *doc)
{
    return doc->title;
}

struct doc_node *doc_section(struct doc_node *parent, const char *key, const char *label)
{
    return add(parent, DOC_SECTION, key, label);
}

struct doc_node *doc_table(struct doc_node *parent, const char *key, const char *label,
                           const char *empty)
{
    struct doc_node *table = add(parent, DOC_TABLE, key, label);

    table->view.text = copy(table->arena, empty);
    return table;
}

struct doc_node *doc_feed(struct doc_node *parent, const char *key, const char *label,
                          const char *empty, doc_feed_fn next, void *of)
{
    struct doc_node *table = doc_table(parent, key, label, empty);

    table->feed = arena_alloc(table->arena, sizeof(*table->feed));
    *table->feed = (struct feed){ .next = next, .of = of };
    return table;
}

static const struct doc_node *feed_row(struct feed *feed, bool restart)
{
    struct doc_node *row;

    arena_free(feed->arena);
    feed->arena = arena_new();
    row = new_node(feed->arena, DOC_ROW, NULL, NULL);
    row->feed = feed;
    if (feed->next(feed->of, restart, row))
        return row;
    arena_free(feed->arena);
    feed->arena = NULL;
    return NULL;
}

struct doc_node *doc_row(struct doc_node *table)
{
    return add(table, DOC_ROW, NULL, NULL);
}

struct doc_node *doc_cards(struct doc_node *parent, const char *key, const char *label,
                           const char *empty)
{
    struct doc_node *table = doc_table(parent, key, label, empty);

    table->view.cards = true;
    return table;
}

struct doc_node *doc_card(struct doc_node *table, enum doc_mark mark, const char *heading)
{
    struct doc_node *card = add(table, DOC_ROW, NULL, heading);

    card->view.mark = mark;
    return card;
}

struct doc_node *doc_str(struct doc_node *node, const char *key, const char *label,
                         const char *value)
{
    struct doc_node *field = add(node, DOC_STR, key, label);

    field->view.is_null = value == NULL;
    field->view.text = copy(field->arena, value ? value : "-");
    return field;
}

struct doc_node *doc_fmt(struct doc_node *node, const char *key, const char *label,
                         const char *fmt, ...)
{
    PS_AUTO(ps_freep) char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = ps_vasprintf(fmt, args);
    va_end(args);
    return doc_str(node, key, label, text);
}

struct doc_node *doc_int(struct doc_node *node, const char *key, const char *label, int64_t value)
{
    struct doc_node *field = add(node, DOC_INT, key, label);

    field->view.integer = value;
    field->view.text = arena_printf(field->arena, "%lld", (long long)value);
    return field;
}

struct doc_node *doc_bool(struct doc_node *node, const char *key, const char *label, bool value)
{
    struct doc_node *field = add(node, DOC_BOOL, key, label);

    field->view.integer = value;
    field->view.text = copy(field->arena, value ? _("yes") : _("no"));
    return field;
}

struct doc_node *doc_ms(struct doc_node *node, const char *key, const char *label, double value)
{
    struct doc_node *field = add(node, DOC_REAL, key, label);

    field->view.real = value;
    field->view.text = value < 1000 ? arena_printf(field->arena, "%.1f ms", value)
                                    : arena_printf(field->arena, "%.2f s", value / 1000);
    return field;
}

struct doc_node *doc_time(struct doc_node *node, const char *key, const char *label, time_t value)
{
    struct doc_node *field = add(node, DOC_TIME, key, label);
    char text[CLOCK_TEXT];
    struct tm tm;

    field->view.integer = value;
    if (!gmtime_r(&value, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm))
        clock_rfc3339(value, text);
    field->view.text = copy(field->arena, text);
    return field;
}

struct doc_node *doc_moment(struct doc_node *node, const char *key, const char *label,
                            int64_t value_us)
{
    struct doc_node *field = add(node, DOC_REAL, key, label);
    time_t seconds = (time_t)(value_us / 1000000);
    int ms = (int)(value_us / 1000 % 1000);
    struct tm tm = { 0 };
    char text[CLOCK_TEXT];

    field->view.real = (double)seconds + ms / 1000.0;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
        text[0] = '\0';
    field->view.text = arena_printf(field->arena, "%s.%03d", text, ms);
    return field;
}

struct doc_node *doc_share(struct doc_node *node, const char *key, const char *label, uint64_t part,
                           uint64_t whole, enum doc_mark tone)
{
    enum { FULL = 20, BLOCK_BYTES = 3 };
    static const char *const signs[2][2] = { { ".", "#" },
                                             { "\xe2\x96\x91", "\xe2\x96\x88" } };    /* U+2591, U+2588 */
    struct doc_node *field = add(node, DOC_REAL, key, label);
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;
    PS_AUTO(buf_free) struct buf bar = BUF(FULL * BLOCK_BYTES + 1);
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    int filled = (int)(percent * FULL / 100 + 0.5);

    for (int i = 0; i < FULL; i++)
        buf_puts(&bar, signs[utf8][i < filled || (part && i == 0)]);
    field->view.tone = tone;
    field->view.real = (double)(int64_t)(percent * 10 + 0.5) / 10;
    field->view.text = arena_printf(field->arena, "%s %5.1f %%", buf_text(&bar), percent);
    return field;
}

struct doc_node *doc_verdict(struct doc_node *node, const char *key, const char *label,
                             enum doc_mark mark, const char *word, const char *text)
{
    struct doc_node *field = add(node, DOC_VERDICT, key, label);

    field->view.mark = mark;
    field->view.word = copy(field->arena, word);
    field->view.text = copy(field->arena, text ? text : word);
    return field;
}

struct doc_node *doc_child(struct doc_node *parent, const char *key)
{
    struct doc_node *at = parent->first;

    while (at && (!at->view.key || strcmp(at->view.key, key) != 0))
        at = at->next;
    return at;
}

struct doc_node *doc_mark(struct doc_node *field, enum doc_mark mark)
{
    field->view.mark = mark;
    return field;
}

void doc_clear(struct doc_node *section)
{
    section->first = section->last = NULL;      /* the arena has their memory */
}

struct doc_node *doc_aside(struct doc_node *node)
{
    node->view.aside = true;
    return node;
}

struct doc_node *doc_sortable(struct doc_node *table)
{
    table->view.sortable = true;
    return table;
}

struct doc_node *doc_rank(struct doc_node *field, int rank)
{
    field->view.rank = rank;
    return field;
}

struct doc_node *doc_link(struct doc_node *field, size_t number)
{
    field->view.number = number;
    return field;
}

struct doc_node *doc_anchor(struct doc_node *card, size_t number)
{
    return doc_link(card, number);
}

void doc_aside_kind(struct doc_node *node, enum doc_kind kind)
{
    for (struct doc_node *at = node->first; at; at = at->next)
        at->view.aside = at->view.aside || at->view.kind == kind;
}

void doc_para(struct doc_node *node, enum doc_mark mark, const char *fmt, ...)
{
    PS_AUTO(ps_freep) char *text = NULL;
    struct doc_node *para = add(node, DOC_PARA, NULL, NULL);
    va_list args;

    va_start(args, fmt);
    text = ps_vasprintf(fmt, args);
    va_end(args);
    para->view.text = copy(para->arena, text);
    para->view.mark = mark;
}

void doc_block(struct doc_node *node, const char *key, const char *label, const char *text)
{
    struct doc_node *block = add(node, DOC_BLOCK, key, label);

    block->view.text = copy(block->arena, text);
}

void doc_diff(struct doc_node *node, const char *key, const char *label, const char *text)
{
    doc_block(node, key, label, text);
    node->last->view.diff = true;
}

void doc_spot(struct doc_node *node, enum doc_mark mark, const struct doc_spot *spot)
{
    struct doc_node *at = add(node, DOC_SPOT, NULL, NULL);
    struct doc_spot *mine = arena_alloc(at->arena, sizeof(*mine));

    *mine = *spot;
    mine->file = copy(at->arena, spot->file);
    mine->text = copy(at->arena, spot->text);
    at->view.spot = mine;
    at->view.mark = mark;
}

void doc_look(const struct doc_node *node, struct doc_view *out)
{
    *out = node->view;
}

const struct doc_node *doc_first(const struct doc_node *node)
{
    return node->feed && node->view.kind == DOC_TABLE ? feed_row(node->feed, true) : node->first;
}

const struct doc_node *doc_next(const struct doc_node *node)
{
    return node->feed && node->view.kind == DOC_ROW ? feed_row(node->feed, false) : node->next;
}

/* The child called by `len` bytes of a path: by its key, or by its number where it has none. */
static const struct doc_node *child(const struct doc_node *node, const char *name, size_t len)
{
    long number;

    if (node->view.kind == DOC_TABLE && num_parse_n(name, len, 0, INT32_MAX, &number)) {
        const struct doc_node *row = node->first;
        for (long i = 0; row && i < number; i++)
            row = row->next;
        return row;
    }
    for (const struct doc_node *at = node->first; at; at = at->next)
        if (at->view.key && strlen(at->view.key) == len && memcmp(at->view.key, name, len) == 0)
            return at;
    return NULL;
}

const struct doc_node *doc_find(const struct doc_node *node, const char *path)
{
    while (node && *path) {
        size_t len = strcspn(path, ".");

        node = child(node, path, len);
        path += len + (path[len] == '.');
    }
    return node;
}
