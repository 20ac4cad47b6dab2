/* apply.c - do the plan, and take it back (see job.h). */
#include "secure/job.h"

#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "inspect/inspect.h"

static bool set_state(struct job *job, enum txn_state state, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(&job->server->owner, &guard, err) && txn_set_state(job->txn, state, err);
}

static bool begin(struct job *job, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(&job->server->owner, &guard, err)
        && txn_begin(job->state_dir, job->server->data_dir, server_tls_on(job->server), &job->plan,
                     &job->txn, err);
}

static bool write_files(struct job *job, struct ps_err *err)
{
    for (size_t i = 0; i < job->plan.len; i++) {
        log_progress(job->plan.changes[i].path, i + 1, job->plan.len);
        if (!change_do(&job->plan.changes[i], err))
            return false;
        job->txn->reached = i + 1;
    }
    log_progress_end();
    return set_state(job, TXN_APPLIED, err);
}

static bool reload_and_verify(struct job *job, struct ps_err *err)
{
    const struct wanted wanted = job_wanted(job);

    return reload_server(job->server, &job->admin, &job->reload, err)
        && set_state(job, TXN_RELOADED, err)
        && verify_server(job->server, &job->admin, &wanted,
                         doc_section(job->root, "verification", _("Verification")), err);
}

static bool finish(struct job *job, struct ps_err *err)
{
    if (job->admin.sql && !reload_and_verify(job, err))
        return false;
    if (!job->admin.sql && !job_check_stopped(job, err))
        return false;
    if (!job->admin.sql && job->start && !job_start(job, err))
        return false;
    return set_state(job, TXN_VERIFIED, err);
}

/*
 * From the first file to the verdict a signal has to wait: Ctrl-C must not leave a server half
 * changed.  A kill -9 can; then `rollback` finishes the story.
 */
static void hold_signals(sigset_t *old)
{
    static const int ours[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU };
    sigset_t held;

    /* also those of a user or a limit, such as SIGXFSZ: then write() fails and is undone */
    sigfillset(&held);
    for (size_t i = 0; i < PS_COUNT(ours); i++)
        sigdelset(&held, ours[i]);
    sigprocmask(SIG_BLOCK, &held, old);
}

static void release_signals(sigset_t *old)
{
    sigprocmask(SIG_SETMASK, old, NULL);
}

bool job_apply(struct job *job, struct ps_err *err)
{
    PS_AUTO(release_signals) sigset_t old;

    hold_signals(&old);
    if (!begin(job, err))
        return false;
    job->changed = true;
    if (write_files(job, err) && finish(job, err))
        return true;

    log_progress_end();
    log_warn(_("%s; taking everything back"), err->message);
    struct ps_err undo = { 0 };
    if (!job_undo(job, doc_section(job->root, "rollback", _("Taken back")), &undo)) {
        ps_fail(err, PS_E_UNSAFE, _("could not take everything back: %s"), undo.message);
        ps_detail(err, "%s", undo.detail);
        return ps_hint(err, _("Run pgseal rollback -D \"%s\" until it succeeds."),
                       job->server->data_dir);
    }
    err->code = PS_E_ROLLED_BACK;
    return ps_while(err, "%s", job->failed);
}

/* ---- a server that is stopped ---- */

/* What the server's own program makes of the files: it refuses what it cannot parse. */
bool job_check_stopped(struct job *job, struct ps_err *err)
{
    const struct server *server = job->server;
    PS_AUTO(ps_freep) char *program = path_join(server->bin_dir, "postgres");
    PS_AUTO(ps_freep) char *config = ps_asprintf("config_file=%s", server->config_file);
    const char *argv[] = { program, "-D", server->data_dir, "-c", config, "-C", "ssl", NULL };
    const struct proc_spec spec = { .argv = argv, .as = &server->owner, .dir = server->data_dir };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };

    if (!proc_run_ok(&spec, &result, err))
        return ps_while(err, _("the server would not start with these files"));
    if (strcmp(buf_text(&result.out), "on\n") == 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the server would start without TLS"));
    return ps_detail(err, _("\"postgres -C ssl\" says: %s"), buf_text(&result.out));
}

static void put_for_shell(struct buf *out, const char *text)
{
    buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(out, "'\\'");
        buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

static void put_setting(struct buf *out, const char *name, const char *value)
{
    PS_AUTO(ps_freep) char *assignment = ps_asprintf("%s=%s", name, value);

    buf_puts(out, " -c ");
    put_for_shell(out, assignment);
}

/* As it was started the last time, or it might be another port or another socket.  pg_ctl gives
 * them to a shell. */
static void put_start_options(const struct server *server, struct buf *out)
{
    for (size_t i = 0; i < server->args_len; i++)
        put_setting(out, server->args[i].name, server->args[i].value);
    put_setting(out, "config_file", server->config_file);
}

static bool run_pg_ctl(const struct job *job, const char *const *more, struct ps_err *err)
{
    const struct server *server = job->server;
    PS_AUTO(ps_freep) char *program = path_join(server->bin_dir, "pg_ctl");
    PS_AUTO(ps_freep) char *log = path_join(job->state_dir, "start.log");
    PS_AUTO(buf_free) struct buf options = BUF(BUF_TEXT_MAX);
    const char *argv[16] = { program, "-D", server->data_dir, "-w", "-l", log };
    size_t len = 6;
    const struct proc_spec spec = { .argv = argv, .as = &server->owner, .dir = server->data_dir,
                                    .timeout_ms = 120000 };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };

    for (; *more; more++)
        argv[len++] = *more;
    if (strcmp(argv[len - 1], "start") == 0) {
        argv[len++] = "-o";
        put_start_options(server, &options);
        argv[len++] = buf_text(&options);
    }
    if (proc_run_ok(&spec, &result, err))
        return true;
    return ps_hint(err, _("The server's words are in \"%s\"."), log);
}

bool job_start(struct job *job, struct ps_err *err)
{
    static const char *const start[] = { "start", NULL };
    struct server *fresh = NULL;
    const struct inspect_options options = { .bin_dir = job->server->bin_dir };

    if (!run_pg_ctl(job, start, err))
        return false;
    job->started = true;
    if (!inspect_server(job->server->data_dir, &options, &fresh, err))
        return false;
    job->found = job->server;
    job->server = fresh;
    return admin_connect(job->server, job->target, &job->admin, err)
        && reload_and_verify(job, err);
}

/* A server that was started for the check goes down with the change that it was started for. */
static bool stop_again(struct job *job, struct ps_err *err)
{
    static const char *const stop[] = { "-m", "fast", "stop", NULL };

    if (!job->started)
        return true;
    admin_free(&job->admin);
    if (!run_pg_ctl(job, stop, err))
        return false;
    job->started = false;
    job->server->running = false;
    return true;
}

/* ---- the way back ---- */

static bool tls_is_as_before(struct job *job, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(job->admin.sql, "SELECT current_setting('ssl')::bool AS tls", NULL, &rows, err))
        return false;
    if (rows_bool(rows, 0, "tls") == job->txn->tls_was_on)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the files are as before, but the server is not"));
    ps_detail(err, _("ssl was %s before."), job->txn->tls_was_on ? "on" : "off");
    return ps_hint(err, _("Look into the server's log, then reload it: pg_ctl reload -D \"%s\"."),
                   job->server->data_dir);
}

static bool reload_old(struct job *job, struct ps_err *err)
{
    if (!job->server->running)
        return true;
    if (!job->admin.sql)
        return reload_server(job->server, NULL, &job->reload, err);
    return reload_server(job->server, &job->admin, &job->reload, err) && tls_is_as_before(job, err);
}

bool job_undo(struct job *job, struct doc_node *section, struct ps_err *err)
{
    const struct user *owner = &job->server->owner;
    struct doc_node *table = doc_table(section, "files", _("Files"), NULL);

    if (!stop_again(job, err) || !set_state(job, TXN_UNDOING, err)
        || !txn_undo(job->txn, owner, false, err) || !reload_old(job, err)
        || !txn_undo(job->txn, owner, true, err) || !set_state(job, TXN_UNDONE, err))
        return false;
    for (size_t i = 0; i < job->txn->len; i++) {
        struct doc_node *row = doc_row(table);

        doc_str(row, "path", _("File"), job->txn->changes[i].path);
        doc_str(row, "now", _("Now"), job->txn->changes[i].existed ? _("as before") : _("removed"));
    }
    return true;
}
