/* view.c - see view.h. */
#include "inspect/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "inspect/inspect.h"

struct ways {                   /* what the three sources do differently; `path` as resolved */
    const char *(*path)(struct view *view, const char *path);
    void (*look)(struct view *view, struct view_file *file);
    void (*read)(struct view *view, struct view_file *file, struct buf *out);
    bool (*list)(struct view *view, const char *path, const char ***names, size_t *len,
                 struct ps_err *err);
};

struct view {
    const struct ways *ways;
    struct arena *arena;
    const char *base;
    const struct user *server;  /* NULL: nobody of this machine */
    const struct remote *remote;
    const char *absent;         /* the first copy that a parser missed */
    struct view_file **files;   /* read so far */
    size_t len, cap;
};

void view_free(struct view *view)
{
    free(view->files);
    free(view);
}

static struct view_file unseen(struct view *view, const char *path, enum view_end end,
                               const struct ps_err *err)
{
    return (struct view_file){ .path = path, .end = end,
                               .why = arena_strdup(view->arena, err->message) };
}

static void fail(struct view *view, struct view_file *file, enum view_end end,
                 const struct ps_err *err)
{
    file->end = end;
    file->why = arena_strdup(view->arena, err->message);
}

/* ---- this machine's disk ---- */

static const char *joined(struct view *view, const char *dir, const char *name)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);

    return arena_strdup(view->arena, path);
}

static const char *disk_path(struct view *view, const char *path)
{
    return joined(view, view->base, path);
}

/* May the server's user read it?  We may be root, who may read everything. */
static bool server_may_read(const struct view *view, const char *path)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    struct ps_err ignored = { 0 };

    if (!view->server || !user_become(view->server, &guard, &ignored))
        return true;
    return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES;
}

static bool are_the_server(const struct view *view)
{
    return view->server && geteuid() == view->server->uid;
}

static void disk_look(struct view *view, struct view_file *file)
{
    struct stat st;
    struct ps_err err;

    if (stat(file->path, &st) != 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;

        ps_fail(&err, PS_E_IO, _("could not open file \"%s\": %m"), file->path);
        fail(view, file, missing ? VIEW_MISSING
                         : errno == EACCES && !are_the_server(view) ? VIEW_UNSEEN : VIEW_BROKEN, &err);
        return;
    }
    file->stat_known = view->server != NULL;
    file->mode = st.st_mode & 07777;
    file->uid = st.st_uid;
    file->gid = st.st_gid;
    file->modified = st.st_mtime;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        ps_fail(&err, PS_E_IO, _("\"%s\" is not a regular file"), file->path);
        fail(view, file, VIEW_BROKEN, &err);
    } else if (!server_may_read(view, file->path)) {
        ps_fail(&err, PS_E_IO, _("the server's user \"%s\" may not read file \"%s\""),
                view->server->name, file->path);
        fail(view, file, VIEW_BROKEN, &err);
    }
}

static enum view_end end_of_error(const struct view *view, const struct ps_err *err)
{
    if (err->code == PS_E_NOT_FOUND)
        return VIEW_MISSING;
    if (err->code == PS_E_TOO_BIG || (errno == EACCES && !are_the_server(view)))
        return VIEW_UNSEEN;
    return VIEW_BROKEN;
}

static void disk_read(struct view *view, struct view_file *file, struct buf *out)
{
    struct ps_err err;

    errno = 0;
    if (!file_read(file->path, out->max, out, &err))
        fail(view, file, end_of_error(view, &err), &err);
}

static int is_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool disk_list(struct view *view, const char *path, const char ***names, size_t *len,
                      struct ps_err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_name, by_bytes);

    if (count < 0)
        return ps_fail(err, errno == ENOENT || errno == ENOTDIR ? PS_E_NOT_FOUND : PS_E_IO,
                       _("could not open folder \"%s\": %m"), path);
    *len = count < VIEW_NAMES_MAX ? (size_t)count : VIEW_NAMES_MAX;
    *names = arena_alloc(view->arena, (*len + 1) * sizeof(**names));
    for (int i = 0; i < count; i++) {
        if (i < VIEW_NAMES_MAX)
            (*names)[i] = arena_strdup(view->arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (count > VIEW_NAMES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("folder \"%s\" holds more than %d files"), path,
                       VIEW_NAMES_MAX);
    return true;
}

static const struct ways on_disk = { disk_path, disk_look, disk_read, disk_list };

/* ---- a folder of copies ---- */

static const char *copy_path(struct view *view, const char *path)
{
    const char *tries[] = { path + strspn(path, "/"), path_base(path) };
    size_t dir_len = strlen(view->base);

    /* what an include in a copy names is beside that copy */
    if (strncmp(path, view->base, dir_len) == 0 && path[dir_len] == '/')
        tries[0] = path + dir_len + 1;
    for (size_t i = 0; i < PS_COUNT(tries); i++) {
        const char *found = joined(view, view->base, tries[i]);

        if (*tries[i] && file_exists(found))
            return found;
    }
    return NULL;
}

static const struct ways in_copies = { copy_path, disk_look, disk_read, disk_list };

/* ---- SQL ---- */

static const char *remote_path(struct view *view, const char *path)
{
    return view->remote->data_dir ? joined(view, view->remote->data_dir, path)
                                  : arena_strdup(view->arena, path);
}

static void remote_look(struct view *view, struct view_file *file)
{
    (void)view;
    (void)file;                 /* pg_stat_file() knows no owner and no mode */
}

/* undefined_file and what the message says of it in any language. */
static bool says_missing(const struct ps_err *err)
{
    return err->code == PS_E_NOT_FOUND || strstr(err->detail, "58P01");
}

static void remote_read_file(struct view *view, struct view_file *file, struct buf *out)
{
    enum remote_origin origin;
    struct ps_err err;

    if (!remote_read(view->remote, file->path, out, &origin, &err))
        fail(view, file, says_missing(&err) ? VIEW_MISSING : VIEW_UNSEEN, &err);
}

static bool remote_names(struct view *view, const char *path, const char ***names, size_t *len,
                         struct ps_err *err)
{
    if (remote_list(view->remote, path, view->arena, names, len, err))
        return true;
    if (says_missing(err))
        err->code = PS_E_NOT_FOUND;
    return false;
}

static const struct ways by_sql = { remote_path, remote_look, remote_read_file, remote_names };

/* ---- for all ---- */

static struct view *new_view(const struct ways *ways, struct arena *arena, const char *base)
{
    struct view *view = ps_calloc(1, sizeof(*view));

    view->ways = ways;
    view->arena = arena;
    view->base = base ? arena_strdup(arena, base) : NULL;
    return view;
}

struct view *view_of_disk(struct arena *arena, const char *base, const struct user *server)
{
    struct view *view = new_view(&on_disk, arena, base);

    view->server = server;
    return view;
}

struct view *view_of_copies(struct arena *arena, const char *dir)
{
    return new_view(&in_copies, arena, dir);
}

struct view *view_of_remote(struct arena *arena, const struct remote *remote)
{
    struct view *view = new_view(&by_sql, arena, NULL);

    view->remote = remote;
    return view;
}

const char *view_path(struct view *view, const char *path)
{
    return view->ways->path(view, path);
}

struct view_file view_look(struct view *view, const char *path)
{
    struct view_file file = { .path = view_path(view, path) };

    if (!file.path) {
        struct ps_err err;

        ps_fail(&err, PS_E_NOT_FOUND, _("file \"%s\" is not among the copies"), path);
        return unseen(view, arena_strdup(view->arena, path), VIEW_UNSEEN, &err);
    }
    view->ways->look(view, &file);
    return file;
}

static void read_into(struct view *view, struct view_file *file, struct buf *out)
{
    struct view_file seen = *file;

    if (file->end != VIEW_READ && file->end != VIEW_BROKEN)
        return;
    view->ways->read(view, &seen, out);
    if (file->end == VIEW_READ)
        *file = seen;
}

const struct view_file *view_read(struct view *view, const char *path)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    const char *found = view_path(view, path);

    for (size_t i = 0; found && i < view->len; i++)
        if (strcmp(view->files[i]->path, found) == 0)
            return view->files[i];

    struct view_file *file = arena_alloc(view->arena, sizeof(*file));
    *file = view_look(view, path);
    read_into(view, file, &text);
    file->text = arena_strndup(view->arena, buf_text(&text), text.len);
    file->len = text.len;
    PS_PUSH(view->files, view->len, view->cap) = file;
    return file;
}

struct view_file view_key(struct view *view, const char *path, struct secret *out)
{
    struct view_file file;
    struct ps_err err;

    if (view->ways == &by_sql) {
        ps_fail(&err, PS_E_UNSUPPORTED, _("private keys are not read through SQL"));
        return unseen(view, view_path(view, path), VIEW_UNSEEN, &err);
    }
    file = view_look(view, path);
    errno = 0;
    if (file.end == VIEW_READ && !secret_read_file(file.path, out, &err))
        fail(view, &file, end_of_error(view, &err), &err);
    return file;
}

struct view_file view_list(struct view *view, const char *path, const char ***names, size_t *len)
{
    struct view_file file = view_look(view, path);
    struct ps_err err;

    *names = NULL;
    *len = 0;
    if (file.end == VIEW_READ && !view->ways->list(view, file.path, names, len, &err))
        fail(view, &file, err.code == PS_E_NOT_FOUND ? VIEW_MISSING : VIEW_UNSEEN, &err);
    return file;
}

/* ---- for the parsers ---- */

/* What nobody copied is no fault of the server's: it reads as empty, and is remembered. */
static bool note_absent(struct view *view, const struct view_file *file)
{
    if (view->ways != &in_copies || file->end != VIEW_UNSEEN)
        return false;
    if (!view->absent)
        view->absent = file->why;
    return true;
}

const char *view_absent(struct view *view)
{
    return PS_TAKE(view->absent);
}

static bool source_read(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    struct view *view = arg;
    struct view_file file = view_look(view, path);

    if (file.end != VIEW_MISSING && file.end != VIEW_UNSEEN)
        read_into(view, &file, out);
    if (file.end == VIEW_READ || note_absent(view, &file))
        return true;
    ps_fail(err, file.end == VIEW_MISSING ? PS_E_NOT_FOUND : PS_E_IO, "%s", file.why);
    return ps_at(err, path, 0, 0);
}

/* What GetConfFilesInDir of conffiles.c takes. */
static bool is_conf(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static bool source_list(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    struct view *view = arg;
    const char **all;
    size_t count, cap = 0;
    struct view_file folder = view_list(view, dir, &all, &count);

    *names = NULL;
    *len = 0;
    if (note_absent(view, &folder))
        return true;
    if (folder.end != VIEW_READ)
        return ps_fail(err, folder.end == VIEW_MISSING ? PS_E_NOT_FOUND : PS_E_IO, "%s", folder.why);
    for (size_t i = 0; i < count; i++) {
        PS_AUTO(ps_freep) char *path = path_join(folder.path, all[i]);

        if (is_conf(all[i]) && !(view->ways != &by_sql && file_is_dir(path)))
            PS_PUSH(*names, *len, cap) = PS_TAKE(path);
    }
    return true;
}

struct pg_source view_source(struct view *view)
{
    return (struct pg_source){ .arg = view, .read = source_read, .list = source_list };
}

struct place view_place(struct view *view, const char *path, unsigned line, unsigned column,
                        unsigned end_column)
{
    struct place place = { .file = path, .line = line, .column = column, .end_column = end_column };
    const struct view_file *file = line ? view_read(view, path) : NULL;

    if (!file || file->end != VIEW_READ)
        return place;
    place.file = file->path;
    const char *p = file->text, *end = p + file->len;
    for (unsigned at = 1; at < line && p; at++)
        p = (p = memchr(p, '\n', (size_t)(end - p))) ? p + 1 : NULL;
    if (p && p < end)
        place.text = arena_strndup(view->arena, p, strcspn(p, "\r\n"));
    return place;
}
