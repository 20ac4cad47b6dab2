/* tlsplan.c - the files of tls/: certificate, key, CA of the clients, CRL (see job.h). */
#include "base/mem.h"
#include "secure/job.h"

enum kind { KIND_KEY, KIND_CERT, KIND_CLIENT_CA, KIND_CRL };
static const struct {
    const char *prefix, *suffix, *what;
    mode_t mode;
} kinds[] = {
    [KIND_KEY]       = { "server", "key", N_("server key"), 0600 },
    [KIND_CERT]      = { "server", "crt", N_("server certificate and chain"), 0644 },
    [KIND_CLIENT_CA] = { "client-ca", "crt", N_("CA of the clients"), 0644 },
    [KIND_CRL]       = { "revoked", "crl", N_("revoked client certificates"), 0644 },
};

/* `id` gives the name: a key is named after its certificate. */
static bool want(struct job *job, enum kind kind, const struct buf *id, const char *bytes,
                 size_t len, const char **path, struct ps_err *err)
{
    char sha[DIGEST_HEX] = "new";

    if (id->len) {
        digest_sha256_hex(id->p, id->len, sha);
        sha[8] = '\0';
    }
    *path = arena_printf(job->server->arena, "%s/tls/%s-%s.%s", job->state_dir, kinds[kind].prefix,
                         sha, kinds[kind].suffix);
    return plan_want(&job->plan, &job->server->owner, *path, _(kinds[kind].what), bytes, len,
                     kinds[kind].mode, kind == KIND_KEY, err);
}

bool job_plan_pair(struct job *job, struct ps_err *err)
{
    const struct buf *cert = &job->creds.cert_pem;
    const struct secret *key = &job->creds.key_pem;

    return want(job, KIND_KEY, cert, key->p, key->len, &job->settings.key_file, err)
        && want(job, KIND_CERT, cert, buf_text(cert), cert->len, &job->settings.cert_file, err);
}

bool job_plan_client_ca(struct job *job, struct ps_err *err)
{
    const struct buf *ca = &job->creds.client_ca_pem;

    return (!ca->len && !job->creds.will_make_ca)
        || want(job, KIND_CLIENT_CA, ca, buf_text(ca), ca->len, &job->settings.ca_file, err);
}

bool job_plan_crl(struct job *job, struct ps_err *err)
{
    const struct buf *crl = &job->creds.client_crl_pem;

    return (!crl->len && !job->creds.will_make_ca)
        || want(job, KIND_CRL, crl, buf_text(crl), crl->len, &job->settings.crl_file, err);
}
