/*
 * reload.h - make the running server read its files again, and see whether it really did.
 *
 * A reload never fails loudly: the server keeps what it had and writes a line into its log.  So every
 * layer is looked at from outside afterwards: settings by pg_settings and pg_file_settings, rules by
 * pg_hba_file_rules and by knocking without TLS, the certificate by a handshake, the administrator by a
 * new connection.
 */
#ifndef PS_RELOAD_H
#define PS_RELOAD_H

#include "secure/people.h"
#include "secure/settings.h"
#include "tls/cert.h"

struct reload {
    char *log_path;             /* the server's log; NULL: not found */
    long long log_offset;       /* its size before the reload */
    struct buf log;             /* what the server wrote since, the lines about files and TLS */
    bool log_complains;         /* it says that something was not reloaded */
};
#define RELOAD_INIT { .log = BUF(1u << 20) }
void reload_free(struct reload *reload);    /* for PS_AUTO */

/*
 * Signal the postmaster and wait until a new connection sees the new load time; the administrator's
 * connection is made anew on the way.  `admin` NULL: there is no connection to ask, only the signal is
 * sent and a second waited.  PS_E_TIMEOUT after 10 s.
 */
PS_MUST bool reload_server(const struct server *server, struct admin *admin,
                           struct reload *reload, struct ps_err *err);

struct wanted {                         /* what must hold after a reload */
    const struct setting_pair *pairs;   /* settings and their values */
    size_t pairs_len;
    const struct hba *hba;              /* as read back from the new files */
    const struct cert *cert;            /* that must be served */
    const struct reload *reload;
};

/*
 * Look at every layer; fills a table with a row for each check.  PS_E_UNSAFE with the first failure's
 * facts; a check that cannot be made is shown as not examined.
 */
PS_MUST bool verify_server(const struct server *server, struct admin *admin,
                           const struct wanted *wanted, struct doc_node *section,
                           struct ps_err *err);

#endif
