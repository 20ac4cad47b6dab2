/*
 * job.h - one run of secure or rollback while it is at work; shared by the files of this folder.
 */
#ifndef PS_JOB_H
#define PS_JOB_H

#include "inspect/inspect.h"
#include "secure/journal.h"
#include "secure/people.h"
#include "secure/reload.h"
#include "secure/secure.h"

enum { JOB_PHASES = 16 };

struct job {
    const struct secure_spec *spec;     /* NULL in a rollback */
    struct server *server;
    char *state_dir;
    struct file_lock *lock;
    struct admin admin;                 /* admin.sql NULL: the server is stopped */
    struct creds_spec creds_spec;
    struct creds creds;
    struct tls_settings settings;
    struct plan plan;
    struct hba *then;                   /* the rules as they will be */
    struct txn *txn;                    /* NULL: nothing was begun */
    struct reload reload;
    size_t cut_off;                     /* sessions that would not get in again */
    char agreed[DIGEST_HEX];            /* plan_base() of the plan that was shown */
    bool changed, passed;
    bool started;                       /* by us; it was stopped */
    struct doc *doc;
    struct doc_node *root;              /* of doc */
    int64_t phase_us[JOB_PHASES];       /* how long each phase took; 0: it did not run */
};
void job_free(struct job *job);         /* for PS_AUTO */

/* Inspect the server (see inspect.h for the options), find the state folder. */
PS_MUST bool job_open(struct job *job, const char *data_dir, const char *state_dir,
                      const struct inspect_options *options, struct ps_err *err);

/* Take the lock on the state folder. */
PS_MUST bool job_lock(struct job *job, struct ps_err *err);

/*
 * Take job->txn back, wherever it stands, reload a running server and prove that it is as before.  An
 * error means that the old state could not be proven: the transaction stays open for another try.
 */
PS_MUST bool job_undo(struct job *job, struct doc_node *section, struct ps_err *err);

/* The phases of secure that change something; see apply.c. */
PS_MUST bool job_apply(struct job *job, struct ps_err *err);
PS_MUST bool job_check_stopped(struct job *job, struct ps_err *err);
PS_MUST bool job_start(struct job *job, struct ps_err *err);

#endif
