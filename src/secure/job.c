/* job.c - see job.h. */
#include "secure/job.h"

#include "base/file.h"
#include "base/mem.h"

void job_free(struct job *job)
{
    admin_free(&job->admin);
    creds_free(&job->creds);
    plan_free(&job->plan);
    hba_freep(&job->then);
    txn_freep(&job->txn);
    reload_free(&job->reload);
    lock_freep(&job->lock);
    free(job->state_dir);
    server_freep(&job->server);
    server_freep(&job->found);
}

bool job_open(struct job *job, const char *data_dir, const char *state_dir,
              const struct inspect_options *options, struct ps_err *err)
{
    if (!inspect_server(data_dir, options, &job->server, err))
        return false;
    job->state_dir = state_dir ? NULL : state_dir_for(job->server->data_dir);
    return !state_dir || path_absolute(state_dir, &job->state_dir, err);
}

bool job_lock(struct job *job, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(job->state_dir, "lock");
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(&job->server->owner, &guard, err) && lock_take(path, &job->lock, err);
}

/* A change that is not unfinished, but on its way: somebody holds the lock. */
static bool is_at_work(const struct job *job, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(job->state_dir, "lock");
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;

    return !lock_take(path, &lock, err) && err->code == PS_E_BUSY;
}

bool job_check_finished(const struct job *job, struct ps_err *err)
{
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(&job->server->owner, &guard, err)
        || !txn_latest(job->state_dir, &txn, err))
        return false;
    if (txn && strcmp(txn->data_dir, job->server->data_dir) != 0) {
        ps_fail(err, PS_E_UNSAFE, _("the journal in \"%s\" is about another server"), job->state_dir);
        ps_detail(err, _("It is about the data directory \"%s\"."), txn->data_dir);
        return ps_hint(err, _("Each server needs a folder of its own: give another with "
                              "--state-dir DIR."));
    }
    if (!txn || txn->state == TXN_VERIFIED)
        return true;
    if (!job->lock && is_at_work(job, err))
        return false;
    ps_fail(err, PS_E_UNSAFE, _("an earlier change of this server was not finished"));
    ps_detail(err, _("Its journal \"%s\" says: %s."), txn->dir, txn_state_name(txn->state));
    return ps_hint(err, _("Run pgseal rollback -D \"%s\", then this command again."),
                   job->server->data_dir);
}

/* ---- the server at the other end ---- */

static bool check_same_server(struct job *job, struct ps_err *err)
{
    const struct {
        const char *setting, *ours;
    } files[] = {
        { "data_directory", job->server->data_dir }, { "config_file", job->server->config_file },
        { "hba_file", job->server->hba_file },
    };

    for (size_t i = 0; i < PS_COUNT(files); i++) {
        const char *const params[] = { files[i].setting, NULL };
        PS_AUTO(rows_freep) struct rows *rows = NULL;

        if (!sql_query(job->admin.sql, "SELECT current_setting($1) AS path", params, &rows, err))
            return false;
        const char *theirs = rows_text(rows, 0, "path");
        PS_AUTO(ps_freep) char *real_ours = realpath(files[i].ours, NULL);
        PS_AUTO(ps_freep) char *real_theirs = realpath(theirs, NULL);
        if (real_ours && real_theirs && strcmp(real_ours, real_theirs) == 0)
            continue;
        ps_fail(err, PS_E_UNSAFE, _("the server that answers is not the one of \"%s\""),
                job->server->data_dir);
        ps_detail(err, _("Its %s is \"%s\", not \"%s\"."), files[i].setting, theirs, files[i].ours);
        return ps_hint(err, _("Look at -D and --target; a server that was given other files at its "
                              "start must be restarted with those of postmaster.opts."));
    }
    return true;
}

bool job_connect(struct job *job, struct ps_err *err)
{
    if (!job->server->running)
        return true;
    return admin_connect(job->server, job->target, &job->admin, err) && check_same_server(job, err);
}

bool job_check_passphrase(const struct job *job, struct ps_err *err)
{
    const char *command = server_setting(job->server, "ssl_passphrase_command");
    const char *reload = server_setting(job->server, "ssl_passphrase_command_supports_reload");
    bool on = false;

    if (!job->creds.key_encrypted
        || (command && *command && reload && conf_bool(reload, &on) && on))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the server could not read the encrypted key \"%s\""),
            job->creds_spec.key_path);
    ps_detail(err, _("Without ssl_passphrase_command and ssl_passphrase_command_supports_reload = on "
                     "every reload keeps the old certificates and CRLs, and says so only in the log."));
    return ps_hint(err, _("Set both, or give a key without a passphrase, mode 0600."));
}

/* A file that a setting of the server names, read as the server would. */
static bool read_named(const struct server *server, const char *setting, struct buf *out,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(server->data_dir, server_setting(server, setting));
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(&server->owner, &guard, err) && file_read(path, FILE_CONF_MAX, out, err);
}

bool job_read_certs(const struct server *server, const char *setting, struct cert_list *out,
                       struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    return read_named(server, setting, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, server_setting(server, setting), out, err);
}

struct wanted job_wanted(const struct job *job)
{
    return (struct wanted){
        .pairs = job->pairs, .pairs_len = job->pairs_len,
        .hba = job->then ? job->then : job->server->hba, .cert = job->creds.chain.at[0],
        .reload = &job->reload,
    };
}
