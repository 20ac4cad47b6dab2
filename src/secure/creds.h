/*
 * creds.h - the certificates, keys and CRLs of one server: found, taken from the user, or made.
 *
 * From a CA of ours (made when it is absent), or from the user's own files.  Everything is checked as
 * PostgreSQL and libpq would check it before it is used: key fits certificate, chain leads to the
 * root, CRLs are complete and not expired.
 */
#ifndef PS_CREDS_H
#define PS_CREDS_H

#include "ca/ca.h"
#include "doc/doc.h"
#include "facts/server.h"

struct creds_spec {
    const char *ca_dir;             /* our CA; either this or cert_path */
    struct ca_spec ca;              /* for one that is to be made */
    ca_pass_fn pass;                /* for encrypted keys of the CA; may be NULL */
    void *pass_arg;
    const char *cert_path, *key_path, *trust_path, *crl_path;   /* the user's own; NULL: none */
    const char *const *hosts;       /* names and addresses that the certificate must have */
    enum key_type key_type;
};

struct creds {
    struct ca *ca;                  /* NULL: there is none, or it is not made yet */
    struct cert_list chain;         /* of the server; empty: not made yet */
    struct buf cert_pem;
    struct secret key_pem;
    bool key_encrypted;
    struct buf client_ca_pem;       /* ssl_ca_file; empty: none, or not made yet */
    struct buf client_crl_pem;      /* ssl_crl_file; empty: none */
    struct buf trust_pem;           /* root.crt of the clients; empty when it comes from `ca` */
    bool will_make_ca, will_make_cert;
    const char *why_new;            /* translated: why the present certificate is not kept */
};
#define CREDS_INIT { .cert_pem = BUF(FILE_CONF_MAX), .client_ca_pem = BUF(FILE_CONF_MAX), \
                        .client_crl_pem = BUF(FILE_CONF_MAX), .trust_pem = BUF(FILE_CONF_MAX) }
void creds_free(struct creds *creds);      /* for PS_AUTO; wipes */

/* What is there already; makes nothing.  Says in will_make_* what creds_make() will do. */
PS_MUST bool creds_find(const struct creds_spec *spec, const struct server *server,
                           struct creds *out, struct ps_err *err);

/* Make what is missing: the CA, the certificate; refresh CRLs that are stale. */
PS_MUST bool creds_make(const struct creds_spec *spec, struct creds *creds,
                           struct ps_err *err);

/* ---- the same in parts, for a server that has a certificate already ---- */

/* Is less than a third of its life left? */
bool creds_cert_due(const struct cert *cert);

/* The user's own pair: read, and checked against each other, the root, the names and the clock. */
PS_MUST bool creds_take_pair(const struct creds_spec *spec, struct creds *creds,
                             struct ps_err *err);

/* A new pair from creds->ca; adds to creds->chain, which should be empty. */
PS_MUST bool creds_issue(const struct creds_spec *spec, struct creds *creds, struct ps_err *err);

/* Renew the CA's CRLs that are stale, and take what the server trusts and checks from creds->ca. */
PS_MUST bool creds_refresh(struct creds *creds, struct ps_err *err);

/*
 * The names a server is likely to be reached by: host name, full name, the addresses it listens on,
 * localhost.  A list with NULL at the end in the server's arena.
 */
const char *const *creds_default_hosts(const struct server *server);

void creds_describe(const struct creds *creds, struct doc_node *section);

#endif
