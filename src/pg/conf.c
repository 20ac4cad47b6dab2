/* conf.c - the tree of files that make the settings of a server; see conf.h. */
#include "pg/conf.h"

#include <strings.h>

#include "base/mem.h"

struct conf {
    struct arena *arena;        /* every string of the tree */
    struct conf_setting *settings;
    size_t settings_len, settings_cap;
    struct conf_problem *problems;
    size_t problems_len, problems_cap;
    const char **files;
    size_t files_len, files_cap;
};

struct load {                   /* one conf_load */
    const struct pg_source *source;
    struct conf *conf;
    size_t bytes;               /* read so far */
    bool automatic;             /* in postgresql.auto.conf */
};

struct including {              /* why a file is read */
    struct conf_origin at;      /* the line that includes it; line 0: the server does it by itself */
    unsigned depth;             /* of the file that is included */
    bool must_exist;
};

void conf_free(struct conf *conf)
{
    arena_free(conf->arena);
    free(conf->settings);
    free(conf->problems);
    free(conf->files);
    free(conf);
}

static void problem(struct load *load, struct conf_origin at, const char *what)
{
    struct conf *conf = load->conf;

    if (conf->problems_len < CONF_MAX_PROBLEMS)
        PS_PUSH(conf->problems, conf->problems_len, conf->problems_cap) =
            (struct conf_problem){ at, arena_strdup(conf->arena, what) };
}

static void problem_with(struct load *load, struct conf_origin at, const char *fmt,
                         const char *path)
{
    PS_AUTO(ps_freep) char *what = ps_asprintf(fmt, path);

    problem(load, at, what);
}

static void load_file(struct load *load, const char *path, const struct including *by);

static void load_dir(struct load *load, const char *path, const struct including *by)
{
    char **names = NULL;
    size_t len = 0;
    struct ps_err err;

    if (!load->source->list(load->source->arg, path, &names, &len, &err)) {
        problem(load, by->at, err.message);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        load_file(load, names[i], by);
        free(names[i]);
    }
    free(names);
}

static void follow(struct load *load, const struct conf_line *line, struct conf_origin at,
                   unsigned depth)
{
    const struct including by = { at, depth + 1, line->kind != CONF_INCLUDE_IF_EXISTS };

    if (pg_include_name_blank(line->value)) {
        problem(load, at, _("the name of the included file or folder is empty"));
        return;
    }
    PS_AUTO(ps_freep) char *path = pg_include_path(line->value, at.file);
    if (line->kind == CONF_INCLUDE_DIR)
        load_dir(load, path, &by);
    else
        load_file(load, path, &by);
}

static void take_line(struct load *load, const char *file, const struct conf_line *line,
                      unsigned depth)
{
    struct conf *conf = load->conf;
    const struct conf_origin at = { file, line->line };

    switch (line->kind) {
    case CONF_BLANK:
        break;
    case CONF_BAD:
        problem(load, at, line->why);
        break;
    case CONF_SETTING:
        PS_PUSH(conf->settings, conf->settings_len, conf->settings_cap) = (struct conf_setting){
            .name = arena_strdup(conf->arena, line->name),
            .value = arena_strdup(conf->arena, line->value),
            .at = at,
            .automatic = load->automatic,
        };
        break;
    default:
        follow(load, line, at, depth);
    }
}

/* The lines of one file, and at its includes the lines of those. */
static bool take_text(struct load *load, const char *path, const struct buf *text, unsigned depth,
                      struct ps_err *err)
{
    PS_AUTO(conf_file_freep) struct conf_file *file = NULL;
    struct conf *conf = load->conf;
    const char *name = arena_strdup(conf->arena, path);

    if (!conf_file_parse(buf_text(text), text->len, path, &file, err))
        return false;
    load->bytes += text->len;
    PS_PUSH(conf->files, conf->files_len, conf->files_cap) = name;
    for (size_t i = 0; i < conf_file_lines(file); i++)
        take_line(load, name, conf_file_line(file, i), depth);
    return true;
}

/* What the server looks at before it opens an included file (ParseConfigFile). */
static bool may_include(struct load *load, const char *path, const struct including *by)
{
    const char *fmt = NULL;

    if (by->depth > PG_INCLUDE_DEPTH_MAX)
        fmt = _("includes are nested too deep at \"%s\": at most 10 levels are read");
    else if (by->at.line && strcmp(path, by->at.file) == 0)
        fmt = _("file \"%s\" includes itself");
    else if (load->conf->files_len >= PG_FILES_MAX || load->bytes > CONF_TREE_MAX_BYTES)
        fmt = _("too many files, or too big ones, are included: \"%s\" was not read");
    if (fmt)
        problem_with(load, by->at, fmt, path);
    return !fmt;
}

static void load_file(struct load *load, const char *path, const struct including *by)
{
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES);
    struct ps_err err = { 0 };

    if (!may_include(load, path, by))
        return;
    if (load->source->read(load->source->arg, path, &text, &err)) {
        if (!take_text(load, path, &text, by->depth, &err))
            problem(load, by->at, err.message);
    } else if (by->must_exist || err.code != PS_E_NOT_FOUND) {
        problem(load, by->at, err.message);
    }
}

bool conf_load(const struct pg_source *source, const char *path, const char *auto_path,
               struct conf **out, struct ps_err *err)
{
    PS_AUTO(conf_freep) struct conf *conf = ps_calloc(1, sizeof(*conf));
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES);
    struct load load = { .source = source, .conf = conf };

    conf->arena = arena_new();
    if (!source->read(source->arg, path, &text, err)
        || !take_text(&load, path, &text, 0, err))
        return false;
    if (auto_path) {
        /* included by nobody: problems with it are told of the file itself */
        const struct including by = { .at = { arena_strdup(conf->arena, auto_path), 0 } };

        load.automatic = true;
        load_file(&load, auto_path, &by);
    }
    *out = PS_TAKE(conf);
    return true;
}

size_t conf_settings(const struct conf *conf)
{
    return conf->settings_len;
}

const struct conf_setting *conf_setting(const struct conf *conf, size_t i)
{
    return &conf->settings[i];
}

size_t conf_problems(const struct conf *conf)
{
    return conf->problems_len;
}

const struct conf_problem *conf_problem(const struct conf *conf, size_t i)
{
    return &conf->problems[i];
}

size_t conf_files(const struct conf *conf)
{
    return conf->files_len;
}

const char *conf_file_name(const struct conf *conf, size_t i)
{
    return conf->files[i];
}

const struct conf_setting *conf_winner(const struct conf *conf, const char *name)
{
    for (size_t i = conf->settings_len; i-- > 0; )
        if (strcasecmp(conf->settings[i].name, name) == 0)
            return &conf->settings[i];
    return NULL;
}

bool conf_bool(const char *value, bool *out)
{
    static const struct {
        const char *word;
        size_t least;           /* letters that tell it from the others */
        bool means;
    } words[] = {
        { "true", 1, true }, { "false", 1, false }, { "yes", 1, true }, { "no", 1, false },
        { "on", 2, true }, { "off", 2, false }, { "1", 1, true }, { "0", 1, false },
    };
    size_t len = strlen(value);

    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (len >= words[i].least && strncasecmp(value, words[i].word, len) == 0) {
            *out = words[i].means;
            return true;
        }
    return false;
}
