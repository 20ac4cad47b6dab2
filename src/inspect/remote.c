/* remote.c - see remote.h. */
#include "inspect/remote.h"

#include <dirent.h>
#include <errno.h>

#include "base/file.h"

static bool read_by_sql(const struct remote *remote, const char *path, struct buf *out,
                        struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    const char *params[] = { path, NULL };

    /* One byte more than we take shows that there is more. */
    if (!sql_query(remote->sql, "SELECT pg_read_file($1, 0, 16777217) AS text", params, &rows, err))
        return false;

    const char *text = rows_text(rows, 0, "text");
    buf_puts(out, text ? text : "");
    return !out->over
        || ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is larger than %u bytes"), path, FILE_CONF_MAX);
}

/* A relative name is one of the server's; without its data directory it means nothing here. */
static char *path_here(const struct remote *remote, const char *path)
{
    if (!remote->on_this_machine || (path[0] != '/' && !remote->data_dir))
        return NULL;
    return path[0] == '/' ? ps_strdup(path) : path_join(remote->data_dir, path);
}

bool remote_read(const struct remote *remote, const char *path, struct buf *out,
                 enum remote_origin *origin, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *here = path_here(remote, path);
    struct ps_err second;

    *out = BUF(FILE_CONF_MAX);
    *origin = REMOTE_SQL;
    if (read_by_sql(remote, path, out, err))
        return true;
    if (err->code != PS_E_SQL || !here || !file_read(here, FILE_CONF_MAX, out, &second)) {
        *origin = REMOTE_NONE;
        return false;
    }
    ps_err_clear(err);
    *origin = REMOTE_DISK;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
    const char **at;
    size_t len, cap;
};

static bool add_name(struct names *names, struct arena *arena, const char *name, const char *path,
                     struct ps_err *err)
{
    if (names->len == REMOTE_NAMES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("folder \"%s\" holds more than %d files"), path,
                       REMOTE_NAMES_MAX);
    PS_PUSH(names->at, names->len, names->cap) = arena_strdup(arena, name);
    return true;
}

static bool list_by_sql(const struct remote *remote, const char *path, struct arena *arena,
                        struct names *names, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    const char *params[] = { path, NULL };

    if (!sql_query(remote->sql, "SELECT f AS name FROM pg_ls_dir($1) AS f LIMIT 1001", params, &rows,
                   err))
        return false;
    for (size_t i = 0; i < rows_len(rows); i++)
        if (!add_name(names, arena, rows_text(rows, i, "name"), path, err))
            return false;
    return true;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool list_by_disk(const char *path, struct arena *arena, struct names *names,
                         struct ps_err *err)
{
    PS_AUTO(close_dir) DIR *dir = opendir(path);

    if (!dir)
        return ps_fail(err, PS_E_IO, _("could not open folder \"%s\": %m"), path);
    for (struct dirent *entry; (entry = readdir(dir)); )
        if (entry->d_name[0] != '.' && !add_name(names, arena, entry->d_name, path, err))
            return false;
    return true;
}

bool remote_list(const struct remote *remote, const char *path, struct arena *arena,
                 const char ***out, size_t *len, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *here = path_here(remote, path);
    struct names names = { 0 };
    struct ps_err second;

    bool done = list_by_sql(remote, path, arena, &names, err);
    if (!done && err->code == PS_E_SQL && here && list_by_disk(here, arena, &names, &second)) {
        ps_err_clear(err);
        done = true;
    }
    if (done) {
        *out = arena_alloc(arena, (names.len + 1) * sizeof(**out));
        if (names.len > 0) {        /* with none, names.at is NULL */
            qsort(names.at, names.len, sizeof(*names.at), by_name);
            memcpy(*out, names.at, names.len * sizeof(**out));
        }
        *len = names.len;
    }
    free(names.at);
    return done;
}
