/* posture_settings.c - settings by what the files, the environment and the command line say. */
#include <strings.h>

#include "inspect/maker.h"
#include "pg/settings.h"

/* ---- places ---- */

struct conf_text {
    const char *file;
    struct conf_file *parsed;   /* NULL: not at hand */
    const struct view_file *seen;
    struct conf_text *next;
};

struct conf_texts {
    struct conf_text *first;
};

struct conf_texts *conf_texts_new(struct arena *arena)
{
    return arena_alloc(arena, sizeof(struct conf_texts));
}

void conf_texts_free(struct conf_texts *texts)
{
    for (struct conf_text *text = texts->first; text; text = text->next)
        conf_file_freep(&text->parsed);
}

static const struct conf_text *text_of(struct maker *maker, const char *file)
{
    struct ps_err ignored;

    for (struct conf_text *text = maker->texts->first; text; text = text->next)
        if (strcmp(text->file, file) == 0)
            return text;

    struct conf_text *text = arena_alloc(maker->arena, sizeof(*text));
    text->file = arena_strdup(maker->arena, file);
    text->seen = view_read(maker->view, file);
    if (text->seen->end != VIEW_READ
        || !conf_file_parse(text->seen->text, text->seen->len, file, &text->parsed, &ignored))
        text->parsed = NULL;
    text->next = maker->texts->first;
    maker->texts->first = text;
    return text;
}

/* Where the value that begins at `column` ends, in columns from 1. */
static unsigned value_end(const char *line, unsigned column)
{
    const char *p = line + column - 1;

    if (*p != '\'')
        return column + (unsigned)strcspn(p, " \t#");
    for (p++; *p && (*p != '\'' || p[1] == '\''); p++)
        if ((*p == '\\' || *p == '\'') && p[1])
            p++;
    return (unsigned)(p - line) + (*p ? 2 : 1);
}

/* Values that may hold a password: their lines are not shown. */
static bool is_private(const char *name)
{
    static const char *const names[] = { "primary_conninfo", "ssl_passphrase_command" };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

struct place maker_conf_place(struct maker *maker, const char *file, unsigned line, const char *name)
{
    const struct conf_text *text = text_of(maker, file);
    struct place place = { .file = arena_strdup(maker->arena, file), .line = line };

    if (!text->parsed || line == 0 || line > conf_file_lines(text->parsed))
        return place;

    const struct conf_line *at = conf_file_line(text->parsed, line - 1);
    const char *start = text->seen->text + at->begin;
    place.file = text->seen->path;
    place.text = arena_strndup(maker->arena, start, strcspn(start, "\r\n"));
    if (at->kind == CONF_SETTING && strcasecmp(at->name, name) == 0
        && at->value_column <= strlen(place.text)) {
        place.column = at->value_column;
        place.end_column = value_end(place.text, at->value_column);
    }
    if (at->kind == CONF_SETTING && is_private(at->name))
        place.text = NULL;
    return place;
}

/* ---- who wins ---- */

struct assignment {
    const char *name;           /* as this major calls it */
    size_t order;               /* a later one wins */
    const char *value, *origin, *written;
    struct conf_origin at;      /* file NULL: from no file */
};

struct assignments {
    struct assignment *at;
    size_t len, cap;
};

static void assign(struct maker *maker, struct assignments *all, const struct assignment *from)
{
    struct assignment mine = *from;
    const struct pg_setting *known = pg_setting_find(from->name);

    mine.written = from->name;
    mine.name = pg_setting_name(known ? known->name : from->name, maker->posture->major);
    mine.order = all->len;
    PS_PUSH(all->at, all->len, all->cap) = mine;
}

static void assign_list(struct maker *maker, struct assignments *all, const struct server_arg *list,
                        size_t len, const char *origin)
{
    for (size_t i = 0; i < len; i++)
        assign(maker, all, &(struct assignment){ .name = list[i].name, .value = list[i].value,
                                                 .origin = origin });
}

/* In the order of guc.c's sources: default, environment, files, command line. */
static void collect(struct maker *maker, struct assignments *all)
{
    for (size_t i = 0; i < pg_settings_count(); i++) {
        const char *name = pg_setting_at(i)->name;
        const char *value = pg_setting_default(name, maker->posture->major);

        if (value)
            assign(maker, all, &(struct assignment){ .name = name, .value = value,
                                                     .origin = "default" });
    }
    assign_list(maker, all, maker->env, maker->env_len, "environment variable");
    for (size_t i = 0; maker->conf && i < conf_settings(maker->conf); i++) {
        const struct conf_setting *set = conf_setting(maker->conf, i);

        assign(maker, all, &(struct assignment){ .name = set->name, .value = set->value,
                                                 .origin = "configuration file", .at = set->at });
    }
    assign_list(maker, all, maker->args, maker->args_len, "command line");
}

static int by_name(const void *left, const void *right)
{
    const struct assignment *a = left, *b = right;
    int diff = strcasecmp(a->name, b->name);

    return diff ? diff : (a->order > b->order) - (a->order < b->order);
}

static struct setting_fact fact_of(struct maker *maker, const struct assignment *from)
{
    struct setting_fact fact = {
        .name = arena_strdup(maker->arena, from->name),
        .value = arena_strdup(maker->arena, from->value),
        .origin = from->origin,
    };

    if (from->at.file)
        fact.place = maker_conf_place(maker, from->at.file, from->at.line, from->written);
    return fact;
}

/* One fact for each name, the last assignment, with those it beats behind it. */
static size_t settle(struct maker *maker, const struct assignments *all, struct setting_fact *out)
{
    size_t len = 0;

    for (size_t i = 0; i < all->len; i++) {
        bool same = len > 0 && i > 0 && strcasecmp(all->at[i].name, all->at[i - 1].name) == 0;
        bool beats_default = same && strcmp(out[len - 1].origin, "default") == 0;

        if (!same) {
            out[len++] = fact_of(maker, &all->at[i]);
            continue;
        }
        struct setting_fact *loser = NULL;
        if (!beats_default) {
            loser = arena_alloc(maker->arena, sizeof(*loser));
            *loser = out[len - 1];
        }
        out[len - 1] = fact_of(maker, &all->at[i]);
        out[len - 1].loser = loser;
    }
    return len;
}

static void put_problem_places(struct maker *maker)
{
    size_t len = conf_problems(maker->conf);
    struct place *places = arena_alloc(maker->arena, (len + 1) * sizeof(*places));

    for (size_t i = 0; i < len; i++) {
        const struct conf_problem *problem = conf_problem(maker->conf, i);

        places[i] = maker_conf_place(maker, problem->at.file, problem->at.line, "");
    }
    maker->posture->conf_problem_places = places;
}

void maker_settings(struct maker *maker)
{
    struct assignments all = { 0 };
    struct setting_fact *facts;

    if (!maker->conf)
        return;                 /* without the file no default is known to hold */
    put_problem_places(maker);
    collect(maker, &all);
    qsort(all.at, all.len, sizeof(*all.at), by_name);
    facts = arena_alloc(maker->arena, (all.len + 1) * sizeof(*facts));
    maker->posture->settings_len = settle(maker, &all, facts);
    maker->posture->settings = facts;
    free(all.at);
}
