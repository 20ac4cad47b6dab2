/* cure.c - see cure.h. */
#include "rules/cure.h"

#include "facts/seen.h"

#define CONF "postgresql.conf"
#define HBA  "pg_hba.conf"
#define LINE "<database> <role> <address/bits>"
#define REPLICATION_LINE "replication <role> <address/bits>"
#define SUITES "'ECDHE+AESGCM:ECDHE+CHACHA20'"
#define OLDEST "ssl_min_protocol_version = 'TLSv1.2'"
#define NEWEST "ssl_max_protocol_version = ''"

#define POOL_HBA_CURE N_("Write hostssl in place of host in pool_hba.conf, and set enable_pool_hba = on in " \
                         "pgpool.conf: without it the file is not read.")

/*
 * The first row that fits counts; the newer setting of the same use comes first.
 *
 * Source: PostgreSQL manual, "The pg_hba.conf File", "Connections and Authentication" (ssl_min_protocol_version
 * since 12, ssl_groups since 18; ssl_ecdh_curve goes on as its other name); pgbouncer.ini(5), "TLS settings";
 * Pgpool-II, "SSL settings".
 */
static const struct cure_row {
    enum seen_kind kind;
    enum cure what;
    unsigned since;             /* servers that are known to be older do not start with it; 0: all know it */
    bool newer_only;            /* the server must be known to be that new */
    const char *file, *replaces, *fix;
    const char *cure;           /* in place of the rule's, which speaks of PostgreSQL; NULL: the rule's */
} rows[] = {
    { KIND_POSTGRES, CURE_DEMAND_TLS, .file = HBA,
      .replaces = "host    " LINE " <method>", .fix = "hostssl " LINE " <method>" },
    { KIND_POSTGRES, CURE_DEMAND_TLS_REPLICATION, .file = HBA,
      .replaces = "host    " REPLICATION_LINE " <method>", .fix = "hostssl " REPLICATION_LINE " <method>" },
    { KIND_POSTGRES, CURE_PROOF, .file = HBA,
      .replaces = "<type>  " LINE " trust", .fix = "hostssl " LINE " scram-sha-256" },
    { KIND_POSTGRES, CURE_PROOF_REPLICATION, .file = HBA,
      .replaces = "<type>  " REPLICATION_LINE " trust", .fix = "hostssl " REPLICATION_LINE " scram-sha-256" },
    { KIND_POSTGRES, CURE_PROOF_NO_TLS, .file = HBA,
      .replaces = "host    " LINE " trust", .fix = "host    " LINE " scram-sha-256" },
    { KIND_POSTGRES, CURE_SCRAM, .since = 10, .file = CONF, .fix = "password_encryption = 'scram-sha-256'" },
    { KIND_POSTGRES, CURE_OLDEST_VERSION, .since = 12, .file = CONF, .fix = OLDEST },
    { KIND_POSTGRES, CURE_NEWEST_VERSION, .since = 12, .file = CONF, .fix = NEWEST },
    { KIND_POSTGRES, CURE_VERSIONS, .since = 12, .file = CONF, .fix = OLDEST "\n" NEWEST },
    { KIND_POSTGRES, CURE_SUITES, .file = CONF, .fix = "ssl_ciphers = " SUITES },
    { KIND_POSTGRES, CURE_SUITES_AND_VERSIONS, .since = 12, .file = CONF,
      .fix = "ssl_ciphers = " SUITES "\n" OLDEST "\n" NEWEST },
    { KIND_POSTGRES, CURE_GROUP, .since = 18, .newer_only = true, .file = CONF,
      .fix = "ssl_groups = 'X25519:prime256v1'" },
    { KIND_POSTGRES, CURE_GROUP, .file = CONF, .fix = "ssl_ecdh_curve = 'prime256v1'" },
    { KIND_POSTGRES, CURE_GROUP_AND_NEWEST_VERSION, .since = 18, .newer_only = true, .file = CONF,
      .fix = "ssl_groups = 'X25519:prime256v1'\n" NEWEST },
    { KIND_POSTGRES, CURE_GROUP_AND_NEWEST_VERSION, .since = 12, .file = CONF,
      .fix = "ssl_ecdh_curve = 'prime256v1'\n" NEWEST },
    { KIND_POSTGRES, CURE_DH, .since = 10, .file = CONF, .fix = "ssl_dh_params_file = ''" },

    { KIND_PGBOUNCER, CURE_TLS_ON, .file = "pgbouncer.ini",
      .fix = "client_tls_cert_file = <file>\nclient_tls_key_file = <file>\nclient_tls_sslmode = require",
      .cure = N_("Give PgBouncer a certificate and its key, and let it demand TLS; it does not start with the "
                 "last line alone.") },
    { KIND_PGBOUNCER, CURE_DEMAND_TLS, .file = "pgbouncer.ini", .fix = "client_tls_sslmode = require",
      .cure = N_("Let PgBouncer demand TLS, then reload it; clients need sslmode=verify-full.") },
    { KIND_PGBOUNCER, CURE_DEMAND_TLS_REPLICATION, .file = "pgbouncer.ini",
      .fix = "client_tls_sslmode = require",
      .cure = N_("Let PgBouncer demand TLS, then reload it; clients need sslmode=verify-full.") },
    { KIND_PGBOUNCER, CURE_PROOF, .file = "pgbouncer.ini", .fix = "auth_type = scram-sha-256",
      .cure = N_("Let PgBouncer ask for passwords, then reload it; auth_file or auth_query must have them.") },
    { KIND_PGBOUNCER, CURE_PROOF_REPLICATION, .file = "pgbouncer.ini", .fix = "auth_type = scram-sha-256",
      .cure = N_("Let PgBouncer ask for passwords, then reload it; auth_file or auth_query must have them.") },
    { KIND_PGBOUNCER, CURE_PROOF_NO_TLS, .file = "pgbouncer.ini", .fix = "auth_type = scram-sha-256",
      .cure = N_("Let PgBouncer ask for passwords, then reload it; auth_file or auth_query must have them.") },
    { KIND_PGBOUNCER, CURE_SCRAM, .file = "pgbouncer.ini", .fix = "auth_type = scram-sha-256",
      .cure = N_("Store SCRAM secrets or the passwords in auth_file, or let auth_query fetch them; then let "
                 "PgBouncer ask for SCRAM, and reload it.") },
    { KIND_PGBOUNCER, CURE_OLDEST_VERSION, .file = "pgbouncer.ini", .fix = "client_tls_protocols = secure",
      .cure = N_("Let PgBouncer speak TLS 1.2 and 1.3 only, then reload it.") },
    { KIND_PGBOUNCER, CURE_NEWEST_VERSION, .file = "pgbouncer.ini", .fix = "client_tls_protocols = secure",
      .cure = N_("Let PgBouncer speak TLS 1.2 and 1.3 only, then reload it.") },
    { KIND_PGBOUNCER, CURE_VERSIONS, .file = "pgbouncer.ini", .fix = "client_tls_protocols = secure",
      .cure = N_("Let PgBouncer speak TLS 1.2 and 1.3 only, then reload it.") },
    { KIND_PGBOUNCER, CURE_SUITES, .file = "pgbouncer.ini",
      .fix = "client_tls_ciphers = ECDHE+AESGCM:ECDHE+CHACHA20",
      .cure = N_("Let PgBouncer take these suites only, then reload it; TLS 1.3 is not touched by it.") },
    { KIND_PGBOUNCER, CURE_SUITES_AND_VERSIONS, .file = "pgbouncer.ini",
      .fix = "client_tls_ciphers = ECDHE+AESGCM:ECDHE+CHACHA20\nclient_tls_protocols = secure",
      .cure = N_("Let PgBouncer take these suites only, then reload it; TLS 1.3 is not touched by it.") },
    { KIND_PGBOUNCER, CURE_GROUP, .file = "pgbouncer.ini", .fix = "client_tls_ecdhcurve = prime256v1",
      .cure = N_("Let PgBouncer use P-256, then reload it.") },
    { KIND_PGBOUNCER, CURE_GROUP_AND_NEWEST_VERSION, .file = "pgbouncer.ini",
      .fix = "client_tls_ecdhcurve = prime256v1\nclient_tls_protocols = secure",
      .cure = N_("Let PgBouncer use P-256, then reload it.") },
    { KIND_PGBOUNCER, CURE_DH, .file = "pgbouncer.ini", .fix = "client_tls_dheparams = auto",
      .cure = N_("Let PgBouncer choose the group by its key, then reload it.") },
    { KIND_PGBOUNCER, CURE_CERTIFICATE,
      .cure = N_("The certificate is PgBouncer's, not PostgreSQL's: put a good one into client_tls_cert_file and "
                 "client_tls_key_file of pgbouncer.ini, then reload it.") },

    { KIND_PGPOOL, CURE_DEMAND_TLS, .file = "pool_hba.conf",
      .replaces = "host    " LINE " <method>", .fix = "hostssl " LINE " <method>", .cure = POOL_HBA_CURE },
    { KIND_PGPOOL, CURE_PROOF, .file = "pool_hba.conf",
      .replaces = "<type>  " LINE " trust", .fix = "hostssl " LINE " scram-sha-256", .cure = POOL_HBA_CURE },
    { KIND_PGPOOL, CURE_SUITES, .file = "pgpool.conf", .fix = "ssl_ciphers = " SUITES },
    { KIND_PGPOOL, CURE_GROUP, .file = "pgpool.conf", .fix = "ssl_ecdh_curve = 'prime256v1'" },
    { KIND_PGPOOL, CURE_DH, .file = "pgpool.conf", .fix = "ssl_dh_params_file = ''" },
    { KIND_PGPOOL, CURE_TLS_ON, .file = "pgpool.conf",
      .fix = "ssl = on\nssl_cert = '<file>'\nssl_key = '<file>'",
      .cure = N_("Give Pgpool-II a certificate and its key, switch TLS on, and restart it.") },
    { KIND_PGPOOL, CURE_CERTIFICATE,
      .cure = N_("The certificate is Pgpool-II's, not PostgreSQL's: put a good one into ssl_cert and ssl_key of "
                 "pgpool.conf, then restart it.") },
};

static enum seen_kind who(const struct posture *posture)
{
    return posture->seen && posture->seen->kind != KIND_UNKNOWN ? posture->seen->kind : KIND_POSTGRES;
}

bool cure_is_for_pooler(const struct posture *posture)
{
    return who(posture) != KIND_POSTGRES;
}

static bool is_known_by(const struct cure_row *row, const struct posture *posture)
{
    const struct seen *seen = posture->seen;
    int from = seen ? seen->major_from : (int)posture->major, to = seen ? seen->major_to : (int)posture->major;

    return row->newer_only ? from >= (int)row->since : !to || to >= (int)row->since;
}

static const struct cure_row *find(const struct posture *posture, enum cure what)
{
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        if (rows[i].kind == who(posture) && rows[i].what == what && is_known_by(&rows[i], posture))
            return &rows[i];
    return NULL;
}

void cure_put(const struct posture *posture, enum cure what, struct finding *finding)
{
    const struct cure_row *row = find(posture, what);

    if (!row) {
        finding->cure = cure_is_for_pooler(posture)
            ? _("What answers there is not PostgreSQL: its own manual says how it is set.") : NULL;
        return;
    }
    finding->cure = row->cure ? _(row->cure) : NULL;
    if (!row->fix)
        return;
    finding->fix_kind = strchr(row->fix, '<') ? FIX_FORM : FIX_LINE;
    finding->fix_file = row->file;
    finding->fix_replaces = row->replaces;
    finding->fix = row->fix;
}
