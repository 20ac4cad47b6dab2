/*
 * conf.h - ca.conf: what a CA is made of.
 *
 *     format = 1
 *     days_server = 90                 days_root, days_intermediate, days_client, days_root_crl, days_crl
 *     crl_shards = 64
 *     crl_url = http://crl.example.net
 *     permit_dns = example.net
 *     permit_ip = 10.0.0.0/8
 *     passphrase_command = /usr/local/bin/ask %p
 *     store = postgresql://ledger.example.net/ca
 *
 *     [server-ca-2]
 *     key = uri pkcs11:...             or "file", or "offline": on this host, if not as the ledger says
 *
 * What authorities there are and which of them sign stands in the ledger, which several hosts may
 * share.  Only a CA that was just made, or comes from a pgseal that kept it here, has it in this file,
 * "state = next", "parent = root" and "revoked = yes" in each section: ca_open() moves it.
 *
 * pgseal writes the file whole, and renames it into place.  A line is a key, "=" and the rest of it
 * without blanks around; "#" begins a comment line.  permit_* may come several times.  Nothing here
 * opens a file.
 */
#ifndef PS_CA_CONF_H
#define PS_CA_CONF_H

#include "base/buf.h"
#include "ca/ca.h"

enum { CA_CONF_FORMAT = 1, CA_CONF_MAX_BYTES = 1 << 20, CA_CONF_MAX_ROWS = 1000 };

struct ca_conf_row {                /* an authority */
    char *name, *parent, *key_uri;  /* parent: "" for a root; key_uri: NULL unless CA_KEY_URI */
    enum ca_who who;
    unsigned generation;
    enum ca_state state;
    enum ca_key_kind key_kind;
    bool revoked;
    bool has_state;                 /* the file says it, and has to be believed until the ledger knows */
    bool has_key;                   /* the file says where the key is on this host */
    char *host, *key_said;          /* where it was made, and its key as the ledger has it; or NULL */
};

struct ca_conf {
    struct ca_days days;            /* none 0 */
    unsigned crl_shards;            /* at least 1 */
    char *crl_url, *pass_command, *store;       /* the last two may be NULL */
    char **permit_dns, **permit_ip; /* NULL at the end, or NULL */
    size_t dns_len, dns_cap, ip_len, ip_cap;
    struct ca_conf_row *rows;
    size_t len, cap;
};

void ca_conf_free(struct ca_conf *conf);        /* for PS_AUTO; ready for ca_conf_default() */

/* All defaults, and no authorities. */
void ca_conf_default(struct ca_conf *out);
/* A copy of a name, parsed: "root", "server-ca-2"; NULL when it is not the name of an authority. */
struct ca_conf_row *ca_conf_add(struct ca_conf *conf, const char *name);

/* `name` is for messages.  PS_E_SYNTAX with the line, PS_E_UNSUPPORTED for a format of the future. */
PS_MUST bool ca_conf_parse(const char *text, size_t len, const char *name, struct ca_conf *out,
                           struct ps_err *err);
/* PS_E_VALUE for a value that a line cannot hold: with a line end, or blanks around it. */
PS_MUST bool ca_conf_write(const struct ca_conf *conf, struct buf *out, struct ps_err *err);

/* Where a key is, in words: "file", "offline", "uri ..."; and back, false for what is none of them. */
char *ca_conf_key_text(const struct ca_conf_row *row);      /* the caller's to free */
bool ca_conf_key_read(struct ca_conf_row *row, const char *text);

/* Add a name constraint. */
void ca_conf_permit(char ***list, size_t *len, size_t *cap, const char *value);

#endif
