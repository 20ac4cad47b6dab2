/* reload.c - the signal, the wait, and the log (see reload.h). */
#include "secure/reload.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { WAIT_MS = 10000, STEP_MS = 20, BLIND_WAIT_MS = 1000 };

void reload_free(struct reload *reload)
{
    free(reload->log_path);
    buf_free(&reload->log);
}

/* ---- the log ---- */

/*
 * The collector's current file, or whatever file the postmaster's standard error is; none when the
 * log goes elsewhere, or is in a language in which we do not know a complaint.
 */
static const char log_query[] =
    "SELECT pg_current_logfile() AS path,"
    "       current_setting('log_destination') ~* 'stderr|csvlog|jsonlog'"
    "       AND current_setting('lc_messages') ~* '^(C|POSIX|en)($|[._])' AS readable";

static char *find_log(const struct server *server, struct admin *admin)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct ps_err ignored = { 0 };
    char link[64], path[PATH_MAX];

    if (!sql_query(admin->sql, log_query, NULL, &rows, &ignored) || !rows_bool(rows, 0, "readable"))
        return NULL;
    if (rows_text(rows, 0, "path"))
        return path_join(server->data_dir, rows_text(rows, 0, "path"));

    snprintf(link, sizeof(link), "/proc/%ld/fd/2", (long)server->pid);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    /* not a terminal, a pipe or /dev/null */
    return path[0] == '/' && file_exists(path) && !file_is_stream(path) ? ps_strdup(path) : NULL;
}

static long long size_of(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

/* Lines that concern us; the words are file and setting names, which no language changes. */
static bool is_about_us(const char *line)
{
    static const char *const words[] = { "SSL", "ssl", "pg_hba", "pgseal", ".conf", "OpenSSL" };

    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (strstr(line, words[i]))
            return true;
    return false;
}

static void read_log(struct reload *reload)
{
    enum { MOST = 256 * 1024 };
    int fd = reload->log_path ? open(reload->log_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

    if (fd < 0)
        return;
    PS_AUTO(ps_freep) char *text = ps_calloc(1, MOST + 1);
    ssize_t got = pread(fd, text, MOST, (off_t)reload->log_offset);
    close(fd);

    char *rest = got > 0 ? text : NULL, *line;
    while ((line = strsep(&rest, "\n"))) {
        if (!is_about_us(line))
            continue;
        buf_printf(&reload->log, "%s\n", line);
        if (strstr(line, "not reloaded"))
            reload->log_complains = true;
    }
}

/* ---- the signal ---- */

static bool send_signal(const struct server *server, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(&server->owner, &guard, err))
        return false;
    if (kill(server->pid, SIGHUP) == 0)
        return true;
    return ps_fail(err, PS_E_PROCESS, _("could not signal the server (process %ld): %m"),
                   (long)server->pid);
}

static bool load_time(struct admin *admin, char out[64], struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(admin->sql, "SELECT extract(epoch FROM pg_conf_load_time())::text AS loaded", NULL,
                   &rows, err))
        return false;
    snprintf(out, 64, "%s", rows_text(rows, 0, "loaded"));
    return true;
}

static bool wait_for_load(struct admin *admin, const char *before, struct ps_err *err)
{
    int64_t end = clock_mono_ms() + WAIT_MS;
    char now[64];

    for (;;) {
        /* a new session each time: it gets what the postmaster has read */
        bool in = admin_reconnect(admin, err) && load_time(admin, now, err);

        if (in && strcmp(now, before) != 0)
            return true;
        if (clock_mono_ms() >= end) {
            if (in)
                ps_fail(err, PS_E_TIMEOUT, _("the server did not reload its configuration"));
            return false;
        }
        clock_sleep_ms(STEP_MS);
    }
}

bool reload_server(const struct server *server, struct admin *admin, struct reload *reload,
                   struct ps_err *err)
{
    char before[64] = "";

    if (!admin) {
        if (!send_signal(server, err))
            return false;
        clock_sleep_ms(BLIND_WAIT_MS);
        return true;
    }
    free(reload->log_path);
    reload->log_path = find_log(server, admin);
    reload->log_offset = size_of(reload->log_path);
    /* without the old time (the connection is lost) any later one will do: the signal must go out */
    struct ps_err lost = { 0 };
    if (!load_time(admin, before, &lost))
        before[0] = '\0';
    if (!send_signal(server, err) || !wait_for_load(admin, before, err))
        return false;
    read_log(reload);
    return true;
}
