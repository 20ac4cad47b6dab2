/* past.c - see past.h. */
#include "probe/past.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include <jansson.h>

void past_free(struct past *past)
{
    free(past->at);
    past->at = NULL;
    past->len = past->cap = 0;
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_at(struct past *past, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? arena_strdup(past->arena, text) : NULL;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char *const *finding_ids(struct past *past, const json_t *list)
{
    size_t len = json_array_size(list), kept = 0;
    const char **out = arena_alloc(past->arena, (len + 1) * sizeof(*out));

    for (size_t i = 0; i < len; i++) {
        const char *id = text_at(past, json_array_get(list, i), "id");
        if (id)
            out[kept++] = id;
    }
    qsort(out, kept, sizeof(*out), by_text);
    size_t once = 0;
    for (size_t i = 0; i < kept; i++)
        if (!once || strcmp(out[once - 1], out[i]) != 0)
            out[once++] = out[i];
    out[once] = NULL;
    return out;
}

static bool take(struct past *past, const json_t *line)
{
    const char *schema = json_string_value(json_object_get(line, "schema"));
    const json_t *cert = json_object_get(line, "certificate");
    const json_t *days = json_object_get(cert, "days_left");
    json_int_t port = json_integer_value(json_object_get(line, "port"));
    struct past_server server = {
        .host = text_at(past, line, "host"), .port = (int)port,
        .reach = text_at(past, line, "reach"), .grade = text_at(past, line, "grade"),
        .plaintext = text_at(past, line, "plaintext"),
        .lowest_version = text_at(past, json_object_get(line, "tls"), "lowest_version"),
        .fingerprint = text_at(past, cert, "fingerprint"),
        .days_left = json_is_integer(days) ? (long)json_integer_value(days) : LONG_MIN,
    };

    if (!schema || strcmp(schema, "pgseal.scan_server/1") != 0 || !server.host || port < 1
        || port > 65535)
        return false;
    server.known = server.reach && strcmp(server.reach, "postgres") == 0;
    server.findings = finding_ids(past, json_object_get(line, "findings"));
    PS_PUSH(past->at, past->len, past->cap) = server;
    return true;
}

static int by_server(const void *left, const void *right)
{
    const struct past_server *a = left, *b = right;
    int diff = strcasecmp(a->host, b->host);

    return diff ? diff : a->port - b->port;
}

/* The sort is stable only with the line number beside it; then the last of each stays. */
struct numbered {
    struct past_server server;
    size_t line;
};

static int by_server_and_line(const void *left, const void *right)
{
    const struct numbered *a = left, *b = right;
    int diff = by_server(&a->server, &b->server);

    return diff ? diff : (a->line > b->line) - (a->line < b->line);
}

static void keep_last(struct past *past)
{
    PS_AUTO(ps_freep) struct numbered *list = ps_calloc(past->len + 1, sizeof(*list));
    size_t kept = 0;

    for (size_t i = 0; i < past->len; i++)
        list[i] = (struct numbered){ past->at[i], i };
    qsort(list, past->len, sizeof(*list), by_server_and_line);
    for (size_t i = 0; i < past->len; i++)
        if (i + 1 == past->len || by_server(&list[i].server, &list[i + 1].server) != 0)
            past->at[kept++] = list[i].server;
    past->len = kept;
}

bool past_parse(const char *text, size_t len, const char *name, struct past *out,
                struct ps_err *err)
{
    const char *end = text + len;
    unsigned line = 0;

    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((stop ? stop : end) - text);
        json_error_t ignored;
        PS_AUTO(free_json) json_t *json =
            size <= PAST_LINE_MAX ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &ignored) : NULL;

        line++;
        if (size && !(json && take(out, json))) {
            if (!stop)
                break;              /* the scan that wrote it did not come to its end */
            ps_fail(err, PS_E_SYNTAX, _("this is not a server that an earlier scan saw"));
            ps_hint(err, _("Give a file that \"pgseal scan --lines\" wrote."));
            return ps_at(err, name, line, 1);
        }
        text += size + 1;
    }
    if (out->len)
        keep_last(out);
    return true;
}

void past_merge(struct past *past, const struct past *older)
{
    size_t len = past->len;

    for (size_t i = 0; i < older->len; i++) {
        struct past_server server = older->at[i];
        const struct past_server key = { .host = server.host, .port = server.port };
        struct past_server *now = len ? bsearch(&key, past->at, len, sizeof(key), by_server) : NULL;

        if (!now) {
            PS_PUSH(past->at, past->len, past->cap) = server;
        } else if (!now->known && server.known) {
            server.reach = now->reach;
            *now = server;
        }
    }
    if (past->len)
        keep_last(past);
}

const struct past_server *past_find(const struct past *past, const char *host, int port)
{
    const struct past_server key = { .host = host, .port = port };

    return past->len ? bsearch(&key, past->at, past->len, sizeof(key), by_server) : NULL;
}
