/*
 * expect.h - what should become of each way, worked out from the server's own files.
 *
 * A server that is to be proven speaks TLS and can judge certificates: where its settings say otherwise,
 * the ways that then fail are the finding.
 *
 * Sources: server, hba.c check_hba and auth.c ClientAuthentication of PostgreSQL 10 to 18: the first
 * rule that matches decides; be-secure-openssl.c: with ssl_ca_file set, a certificate that does not
 * verify ends the handshake under any rule, trust too; without it none is asked for.  Client side,
 * fe-connect.c: allow begins on plaintext and goes to TLS when the server answers with an error, prefer
 * the other way round; a question for a password ends both.
 */
#ifndef PS_EXPECT_H
#define PS_EXPECT_H

#include "facts/server.h"
#include "pg/ident.h"
#include "prove/way.h"

/* What SQL told of the role and the database; unknown when nobody could be asked. */
struct expect_role {
    enum fact_bool can_login;       /* exists and may log in */
    enum fact_bool database_open;   /* exists, takes connections, and the role may connect */
    const char *const *roles;       /* memberships, itself included, NULL at the end; NULL: unknown */
};

struct expect_spec {
    const struct server *server;
    const char *role, *database;
    struct sockaddr_storage addr;   /* of the client, as the server sees it */
    struct expect_role known;
    bool plaintext_allowed;
};

struct expect {
    struct expect_spec spec;
    struct ident *ident;            /* NULL: cannot be read */
    bool tls;                       /* the server speaks TLS */
    bool asks_certificate;          /* ssl_ca_file is set */
    const struct hba_rule *tls_rule, *plain_rule;   /* that decide; NULL: implicit reject */
    bool tls_sure, plain_sure;
    const struct hba_rule *shadowed;    /* asks for a certificate, but tls_rule stands above it */
};

void expect_prepare(const struct expect_spec *spec, struct expect *out);
void expect_free(struct expect *expect);    /* for PS_AUTO */

/* Where libpq should end with this sslmode and certificate, at a right host name. */
enum way_end expect_way(const struct expect *expect, const char *sslmode, enum way_cert cert);

/* Where a StartupMessage without TLS should end. */
enum way_end expect_plain(const struct expect *expect);

/* Should the handshake with this TLS version alone succeed?  Below TLS 1.2 it never should. */
enum way_end expect_version(const struct expect *expect, int version);

/* Direct TLS came with 17; ALPN is its price (backend_startup.c, ProcessSSLStartup). */
enum way_end expect_direct(const struct expect *expect, bool alpn);

/*
 * What explains that a way ended so: a plaintext rule that should not be, a shadowed rule, a rule that
 * asks for nothing, a setting that is missing; "" when there is nothing to say.
 */
void expect_explain(const struct expect *expect, enum way_end end, enum way_cert cert,
                    struct buf *out);

#endif
