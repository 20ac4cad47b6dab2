/* job.c - see job.h. */
#include "secure/job.h"

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
