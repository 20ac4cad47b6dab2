/* process.c - see process.h. */
#include "inspect/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

/* Lines of postmaster.pid, from 0 (pidfile.h counts from 1). */
enum { LINE_PID, LINE_DATA_DIR, LINE_START, LINE_PORT, LINE_SOCKET_DIR, LINE_LISTEN, LINES };

bool pidfile_parse(struct server *server, const char *text)
{
    const char *line[LINES] = { 0 };
    size_t len[LINES] = { 0 };
    long pid, port;

    for (size_t i = 0; i < LINES; i++) {
        len[i] = strcspn(text, "\n");
        line[i] = text;
        if (text[len[i]] != '\n') {
            if (i <= LINE_PORT)
                return false;
            break;
        }
        text += len[i] + 1;
    }
    if (!num_parse_n(line[LINE_PID], len[LINE_PID], -INT_MAX, INT_MAX, &pid) || pid < 1
        || !num_parse_n(line[LINE_PORT], len[LINE_PORT], 1, 65535, &port))
        return false;       /* a negative pid is a single-user backend */

    server->pid = (pid_t)pid;
    server->port = (int)port;
    if (len[LINE_SOCKET_DIR])
        server->socket_dir = arena_strndup(server->arena, line[LINE_SOCKET_DIR],
                                           len[LINE_SOCKET_DIR]);
    server->listen_first = line[LINE_LISTEN]
        ? arena_strndup(server->arena, line[LINE_LISTEN], len[LINE_LISTEN]) : "";
    server->listen = server->listen_first;
    return true;
}

/* ---- postmaster.opts ---- */

/* The letters of the postmaster's getopt string that take a value. */
static const char with_value[] = "BCcDdfhkNprStvW";

static const struct {
    char letter;
    const char *setting;
    const char *value;      /* NULL: the option's own */
} letters[] = {
    { 'B', "shared_buffers", NULL },
    { 'F', "fsync", "off" },
    { 'h', "listen_addresses", NULL },
    { 'i', "listen_addresses", "*" },
    { 'k', "unix_socket_directories", NULL },
    { 'l', "ssl", "on" },
    { 'N', "max_connections", NULL },
    { 'p', "port", NULL },
    { 'S', "work_mem", NULL },
};

struct args {
    struct server_arg *list;
    size_t len, cap;
};

static void add_arg(struct server *server, struct args *args, const char *name, size_t name_len,
                    const char *value)
{
    char *copy = arena_strndup(server->arena, name, name_len);

    for (char *c = copy; *c; c++)
        if (*c == '-')
            *c = '_';       /* ParseLongOption */
    PS_PUSH(args->list, args->len, args->cap) = (struct server_arg){ copy, value };
}

/* "name=value", the way of -c and of --name=value; without '=' it is "true" for --name. */
static void add_assignment(struct server *server, struct args *args, const char *text)
{
    size_t name_len = strcspn(text, "=");

    add_arg(server, args, text, name_len, text[name_len] ? text + name_len + 1 : "true");
}

static void add_letter(struct server *server, struct args *args, char letter, const char *value)
{
    if (letter == 'c') {
        add_assignment(server, args, value);
        return;
    }
    for (size_t i = 0; i < PS_COUNT(letters); i++)
        if (letters[i].letter == letter)
            add_arg(server, args, letters[i].setting, strlen(letters[i].setting),
                    letters[i].value ? letters[i].value : value);
}

/* CreateOptsFile writes: PROGRAM "arg" "arg"\n, without escapes inside the quotes. */
static const char *next_word(struct server *server, const char **text)
{
    const char *p = *text + strspn(*text, " \n");
    size_t len;

    if (!*p)
        return NULL;
    if (*p == '"') {
        /* an argument may hold quotes: it ends at one that stands before ' "' or the end */
        const char *end = ++p;
        while (*end && !(*end == '"' && (!end[1] || end[1] == '\n' || strncmp(end + 1, " \"", 2) == 0)))
            end++;
        len = (size_t)(end - p);
        *text = *end ? end + 1 : end;
    } else {
        len = strcspn(p, " \n");
        *text = p + len;
    }
    return arena_strndup(server->arena, p, len);
}

void optsfile_parse(struct server *server, const char *text, const char **program)
{
    struct args args = { 0 };
    const char *word;

    *program = next_word(server, &text);
    while ((word = next_word(server, &text))) {
        if (strncmp(word, "--", 2) == 0 && word[2]) {
            add_assignment(server, &args, word + 2);
            continue;
        }
        if (word[0] != '-')
            continue;
        for (const char *c = word + 1; *c; c++) {
            if (!strchr(with_value, *c)) {
                add_letter(server, &args, *c, "");
                continue;
            }
            const char *value = c[1] ? c + 1 : next_word(server, &text);
            if (value)
                add_letter(server, &args, *c, value);
            break;
        }
    }
    if (args.len) {
        struct server_arg *kept = arena_alloc(server->arena, args.len * sizeof(*kept));
        memcpy(kept, args.list, args.len * sizeof(*kept));
        server->args = kept;
        server->args_len = args.len;
    }
    free(args.list);
}

/* ---- /proc ---- */

static bool read_link(const struct server *server, const char *what, char out[PATH_MAX])
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%ld/%s", (long)server->pid, what);
    ssize_t len = readlink(path, out, PATH_MAX - 1);
    if (len < 0)
        return false;
    out[len] = '\0';
    return true;
}

/* (uid_t)-1: not known. */
static uid_t user_of(pid_t pid)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
    return stat(path, &st) == 0 ? st.st_uid : (uid_t)-1;
}

bool process_is_server(const struct server *server)
{
    char where[PATH_MAX];

    if (server->pid < 1 || (kill(server->pid, 0) != 0 && errno != EPERM))
        return false;
    /* the postmaster stands in its data directory; a recycled pid, or init, does not */
    if (read_link(server, "cwd", where))
        return strcmp(where, server->data_dir) == 0;
    return user_of(server->pid) == server->owner.uid;
}

const char *process_bin_dir(struct server *server)
{
    static const char deleted[] = " (deleted)";     /* upgraded under the running server */
    char exe[PATH_MAX];

    if (!read_link(server, "exe", exe))
        return NULL;
    size_t len = strlen(exe);
    if (len > sizeof(deleted) && strcmp(exe + len - sizeof(deleted) + 1, deleted) == 0)
        exe[len - sizeof(deleted) + 1] = '\0';

    PS_AUTO(ps_freep) char *dir = path_dir(exe);
    return arena_strdup(server->arena, dir);
}
