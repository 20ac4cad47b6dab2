/* pooler.c - see pooler.h. */
#include "rules/pooler.h"

#include "facts/seen.h"

/*
 * By the beginning of PostgreSQL's line; NULL: the pooler takes the same (Pgpool-II has a pool_hba.conf, and
 * settings of the same names).  Source: pgbouncer.ini(5), "TLS settings"; Pgpool-II, "SSL settings".
 */
static const struct {
    enum seen_kind kind;
    const char *postgres, *own;
} lines[] = {
    { KIND_PGBOUNCER, "hostssl ", "client_tls_sslmode = require" },
    { KIND_PGBOUNCER, "ssl_min_protocol_version ", "client_tls_protocols = secure" },
    { KIND_PGBOUNCER, "ssl_max_protocol_version ", "client_tls_protocols = secure" },
    { KIND_PGBOUNCER, "ssl_ciphers ", "client_tls_ciphers = ECDHE+AESGCM:ECDHE+CHACHA20" },
    { KIND_PGBOUNCER, "ssl_ecdh_curve ", "client_tls_ecdhcurve = prime256v1" },
    { KIND_PGBOUNCER, "ssl_dh_params_file ", "client_tls_dheparams = auto" },
    { KIND_PGBOUNCER, "password_encryption ", "auth_type = scram-sha-256" },
    { KIND_PGPOOL, "hostssl ", NULL },
    { KIND_PGPOOL, "ssl_ciphers ", NULL },
    { KIND_PGPOOL, "ssl_ecdh_curve ", NULL },
    { KIND_PGPOOL, "ssl_dh_params_file ", NULL },
};

bool pooler_answers(const struct posture *posture)
{
    return posture->seen && posture->seen->kind != KIND_POSTGRES && posture->seen->kind != KIND_UNKNOWN;
}

const char *pooler_line(const struct posture *posture, const char *line)
{
    if (!line || !pooler_answers(posture))
        return line;
    for (size_t i = 0; i < PS_COUNT(lines); i++)
        if (lines[i].kind == posture->seen->kind
            && strncmp(line, lines[i].postgres, strlen(lines[i].postgres)) == 0)
            return lines[i].own ? lines[i].own : line;
    return NULL;
}
