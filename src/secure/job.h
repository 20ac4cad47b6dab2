/*
 * job.h - one run of secure, rotate or rollback while it is at work; shared by the files of this folder.
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
    const struct secure_spec *spec;     /* of secure; NULL in the others */
    const char *target;                 /* administrator's connection string; NULL: over the socket */
    const char *failed;                 /* translated: what is said when all was taken back */
    bool start;                         /* a server that is stopped is started to verify it */
    struct server *server;
    struct server *found;               /* as it was before we started it, or NULL: the plan has its texts from it */
    char *state_dir;
    struct file_lock *lock;
    struct admin admin;                 /* admin.sql NULL: the server is stopped */
    struct creds_spec creds_spec;
    struct creds creds;
    struct tls_settings settings;
    struct setting_pair pairs[SETTINGS_MAX];    /* what must be in force after the reload */
    size_t pairs_len;
    struct plan plan;
    struct hba *then;                   /* the rules as they will be; NULL: they stay as they are */
    struct txn *txn;                    /* NULL: nothing was begun */
    struct reload reload;
    size_t cut_off;                     /* sessions that would not get in again */
    char agreed[DIGEST_HEX];            /* plan_base() of the plan that was shown */
    bool changed, passed;
    bool started;                       /* by us; it was stopped */
    struct doc *doc;
    struct doc_node *root;              /* of doc */
    struct doc_node *certs_section, *plan_section;
    int64_t phase_us[JOB_PHASES];       /* how long each phase took; 0: it did not run */
};
void job_free(struct job *job);         /* for PS_AUTO */

/* Inspect the server (see inspect.h for the options), find the state folder. */
PS_MUST bool job_open(struct job *job, const char *data_dir, const char *state_dir,
                      const struct inspect_options *options, struct ps_err *err);

/* Take the lock on the state folder. */
PS_MUST bool job_lock(struct job *job, struct ps_err *err);

/* PS_E_UNSAFE after an earlier run that died: its files are neither the old state nor the new one. */
PS_MUST bool job_check_finished(const struct job *job, struct ps_err *err);

/*
 * Connect as the administrator when the server runs, and see that the server at the other end reads
 * the files that we found (PS_E_UNSAFE).
 */
PS_MUST bool job_connect(struct job *job, struct ps_err *err);

/*
 * Plan files of tls/ from job->creds and name them in job->settings.  They are named by their content:
 * a new certificate is a new file, and the one rename of pgseal.conf changes certificate, key and CRL
 * together.  What is not made yet is called "new".
 */
PS_MUST bool job_plan_pair(struct job *job, struct ps_err *err);
PS_MUST bool job_plan_client_ca(struct job *job, struct ps_err *err);
PS_MUST bool job_plan_crl(struct job *job, struct ps_err *err);

/* The user's key is encrypted: without a command that also works on reload nothing would be taken. */
PS_MUST bool job_check_passphrase(const struct job *job, struct ps_err *err);

/* The certificates of the file that a setting of the server names, read as the server would. */
PS_MUST bool job_read_certs(const struct server *server, const char *setting, struct cert_list *out,
                            struct ps_err *err);

/* What must hold after the reload of this job. */
struct wanted job_wanted(const struct job *job);

/*
 * Take job->txn back, wherever it stands, reload a running server and prove that it is as before.  An
 * error means that the old state could not be proven: the transaction stays open for another try.
 */
PS_MUST bool job_undo(struct job *job, struct doc_node *section, struct ps_err *err);

/* What changes something; see apply.c. */
PS_MUST bool job_apply(struct job *job, struct ps_err *err);
PS_MUST bool job_check_stopped(struct job *job, struct ps_err *err);
PS_MUST bool job_start(struct job *job, struct ps_err *err);

#endif
