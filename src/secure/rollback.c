/* rollback.c - pgseal rollback (see secure.h). */
#include "base/log.h"
#include "base/mem.h"
#include "secure/job.h"

static bool find(struct job *job, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(&job->server->owner, &guard, err)
        || !txn_latest(job->state_dir, &job->txn, err))
        return false;
    if (!job->txn || strcmp(job->txn->data_dir, job->server->data_dir) == 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the journal in \"%s\" is about another server"), job->state_dir);
    return ps_detail(err, _("It is about the data directory \"%s\"."), job->txn->data_dir);
}

/* The server may not let us in, or be down: its files are put back all the same. */
static void connect_if_possible(struct job *job, const char *target)
{
    struct ps_err why = { 0 };

    if (job->server->running && !admin_connect(job->server, target, &job->admin, &why))
        log_warn(_("%s; going on without asking the server"), why.message);
}

/* Older revocation lists are in force again, of a server that goes on with TLS. */
static bool took_lists_back(const struct txn *txn)
{
    for (size_t i = 0; i < txn->len; i++)
        if (txn->tls_was_on && !txn->changes[i].existed
            && strncmp(path_base(txn->changes[i].path), "revoked-", strlen("revoked-")) == 0)
            return true;
    return false;
}

bool rollback_run(const struct rollback_spec *spec, struct doc *doc, struct ps_err *err)
{
    PS_AUTO(job_free) struct job job = { .creds = CREDS_INIT, .reload = RELOAD_INIT };
    const struct inspect_options options = { .bare = true };

    job.root = doc_root(doc);
    if (!job_open(&job, spec->data_dir, spec->state_dir, &options, err))
        return false;
    doc_str(job.root, "data_dir", _("Data directory"), job.server->data_dir);
    if (file_is_dir(job.state_dir) && (!job_lock(&job, err) || !find(&job, err)))
        return false;
    doc_str(job.root, "state_dir", _("Folder of the way back"), job.state_dir);
    if (!job.txn) {
        doc_verdict(job.root, "result", _("Result"), DOC_PLAIN, "nothing",
                    _("nothing to take back"));
        return true;
    }

    doc_str(job.root, "transaction", _("Transaction"), job.txn->dir);
    doc_str(job.root, "was", _("It was"), txn_state_name(job.txn->state));
    if (!spec->force && !txn_may_undo(job.txn, &job.server->owner, err))
        return false;
    connect_if_possible(&job, spec->target);
    if (!job_undo(&job, job.root, err))
        return false;
    doc_verdict(job.root, "result", _("Result"), DOC_GOOD, "rolled_back",
                _("everything is as it was before"));
    if (took_lists_back(job.txn))
        doc_para(job.root, DOC_WARN, _("Revocation lists were taken back, too: who was revoked since "
                                       "gets in again, until \"pgseal rotate --crl-only\"."));
    if (job.server->running && !job.admin.sql)
        doc_para(job.root, DOC_WARN, _("The server was told to reload, but could not be asked whether "
                                       "it did."));
    return true;
}
