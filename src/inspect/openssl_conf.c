/* openssl_conf.c - see openssl_conf.h. */
#include "inspect/openssl_conf.h"

#include <ctype.h>
#include <strings.h>

#include "base/file.h"

enum { DEPTH_MAX = 10, PAIRS_MAX = 10000 };

struct pair {
    const char *section, *name, *value, *file;
    unsigned line;
};

struct load {
    const struct pg_source *source;
    struct arena *arena;
    struct pair *pairs;
    size_t len, cap;
    size_t bytes;
    const char *section;        /* where the next pair belongs */
};

static void load_file(struct load *load, const char *path, unsigned depth);

/* ---- lines ---- */

/* One logical line into `out`: a backslash at the end joins, '#' outside quotes begins a comment. */
static bool next_line(const char **at, unsigned *line, struct buf *out)
{
    const char *p = *at;
    char quote = '\0';
    bool comment = false;

    if (!*p)
        return false;
    buf_clear(out);
    for (++*line; *p && *p != '\n'; p++) {
        if (p[0] == '\\' && (p[1] == '\n' || (p[1] == '\r' && p[2] == '\n'))) {
            p += p[1] == '\r' ? 2 : 1;
            ++*line;
            continue;
        }
        if (!comment && (*p == '"' || *p == '\'') && (!quote || quote == *p))
            quote = quote ? '\0' : *p;
        comment = comment || (*p == '#' && !quote);
        if (!comment && *p != '\r')
            buf_putc(out, *p);
    }
    *at = *p ? p + 1 : p;
    return true;
}

/* Without the blanks around it, and without quotes. */
static char *trimmed(struct arena *arena, const char *text, size_t len)
{
    while (len && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len && isspace((unsigned char)text[len - 1]))
        len--;

    char *copy = arena_alloc(arena, len + 1), *to = copy;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '"' && text[i] != '\'')
            *to++ = text[i];
    return copy;
}

static void include(struct load *load, const char *path, unsigned depth)
{
    char **names = NULL;
    size_t len = 0;
    struct ps_err ignored;

    if (strchr(path, '$'))
        return;
    if (!load->source->list(load->source->arg, path, &names, &len, &ignored)) {
        load_file(load, path, depth + 1);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        load_file(load, names[i], depth + 1);
        free(names[i]);
    }
    free(names);
}

/* "name = value" or "section::name = value". */
static void take_pair(struct load *load, const char *text, const char *file, unsigned line)
{
    const char *equals = strchr(text, '=');
    const char *section = load->section;

    if (!equals || load->len >= PAIRS_MAX)
        return;
    const char *name = trimmed(load->arena, text, (size_t)(equals - text));
    const char *value = trimmed(load->arena, equals + 1, strlen(equals + 1));
    const char *colons = strstr(name, "::");

    if (colons) {
        section = arena_strndup(load->arena, name, (size_t)(colons - name));
        name = colons + 2;
    }
    PS_PUSH(load->pairs, load->len, load->cap) = (struct pair){ section, name, value, file, line };
}

static void take_line(struct load *load, const char *text, const char *file, unsigned line,
                      unsigned depth)
{
    static const char directive[] = ".include";
    const char *p = text + strspn(text, " \t");

    if (*p == '[') {
        load->section = trimmed(load->arena, p + 1, strcspn(p + 1, "]"));
    } else if (strncmp(p, directive, sizeof(directive) - 1) == 0) {
        p += sizeof(directive) - 1;
        p += strspn(p, " \t=");
        include(load, trimmed(load->arena, p, strlen(p)), depth);
    } else if (*p != '.') {     /* .pragma */
        take_pair(load, p, file, line);
    }
}

static void take_text(struct load *load, const char *text, const char *file, unsigned depth)
{
    PS_AUTO(buf_free) struct buf logical = BUF(OPENSSL_CONF_MAX_BYTES);
    unsigned line = 0;

    while (next_line(&text, &line, &logical))
        take_line(load, buf_text(&logical), file, line, depth);
}

static void load_file(struct load *load, const char *path, unsigned depth)
{
    PS_AUTO(buf_free) struct buf text = BUF(OPENSSL_CONF_MAX_BYTES);
    struct ps_err ignored;

    if (depth > DEPTH_MAX || load->bytes >= OPENSSL_CONF_MAX_BYTES
        || !load->source->read(load->source->arg, path, &text, &ignored))
        return;
    load->bytes += text.len + 1;
    take_text(load, buf_text(&text), arena_strdup(load->arena, path), depth);
}

/* ---- the way to the commands ---- */

/* The last one counts. */
static const char *value_of(const struct load *load, const char *section, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; section && i < load->len; i++)
        if (strcmp(load->pairs[i].section, section) == 0 && strcmp(load->pairs[i].name, name) == 0)
            value = load->pairs[i].value;
    return value && !strchr(value, '$') ? value : NULL;
}

/* "1.CipherString" lets a command be written twice. */
static const char *command_name(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && dot[1] ? dot + 1 : name;
}

static size_t commands_of(const struct load *load, const char *section, struct arena *arena,
                          struct openssl_command **out)
{
    size_t len = 0;

    *out = arena_alloc(arena, (load->len + 1) * sizeof(**out));
    for (size_t i = 0; section && i < load->len; i++) {
        const struct pair *pair = &load->pairs[i];

        if (strcmp(pair->section, section) == 0 && !strchr(pair->value, '$'))
            (*out)[len++] = (struct openssl_command){ command_name(pair->name), pair->value,
                                                      pair->file, pair->line };
    }
    return len;
}

bool openssl_conf_read(const struct pg_source *source, const char *path, struct arena *arena,
                       struct openssl_command **out, size_t *len, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(OPENSSL_CONF_MAX_BYTES);
    struct load load = { .source = source, .arena = arena, .section = "default" };

    if (!source->read(source->arg, path, &text, err))
        return false;
    load.bytes = text.len;
    take_text(&load, buf_text(&text), arena_strdup(arena, path), 0);
    const char *main_section = value_of(&load, "default", "openssl_conf");
    const char *ssl_section = value_of(&load, main_section, "ssl_conf");
    *len = commands_of(&load, value_of(&load, ssl_section, "system_default"), arena, out);
    free(load.pairs);
    return true;
}
