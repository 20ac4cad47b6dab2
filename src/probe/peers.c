/* peers.c - see peers.h. */
#include "probe/peers.h"

/*
 * What they say: the first row fits whose parts are all found in the error.  The end is what it means for
 * others who come the same way; STARTUP_ERROR: nothing.
 */
static const struct saying {
    enum seen_kind kind;
    const char *message, *also, *detail, *file;     /* parts; NULL: anything */
    enum startup_end end;
} sayings[] = {
    { KIND_ODYSSEY, "odyssey: ", "SSL is required", NULL, NULL, STARTUP_TLS_DEMANDED },
    { KIND_ODYSSEY, "odyssey: ", "route for '", NULL, NULL, STARTUP_HEARD },
    { KIND_ODYSSEY, "odyssey: ", "host based authentication rejected", NULL, NULL, STARTUP_REFUSED },
    { KIND_ODYSSEY, "odyssey: ", NULL, NULL, NULL, STARTUP_ERROR },

    { KIND_PGPOOL, NULL, NULL, "no pool_hba.conf entry", NULL, STARTUP_REFUSED },
    { KIND_PGPOOL, NULL, NULL, "pool_passwd file does not contain", "pool_", STARTUP_HEARD },
    { KIND_PGPOOL, "failed to authenticate with backend", NULL, NULL, "pool_", STARTUP_HEARD },
    { KIND_PGPOOL, NULL, NULL, NULL, "pool_", STARTUP_ERROR },
    { KIND_PGPOOL, NULL, NULL, NULL, "child.c", STARTUP_ERROR },
    /* what its server says, passed on: PostgreSQL itself is not asked for version 2 */
    { KIND_PGPOOL, "unsupported frontend protocol 2.0:", NULL, NULL, NULL, STARTUP_ERROR },

    { KIND_RDS_PROXY, "RDS Proxy requires TLS", NULL, NULL, NULL, STARTUP_TLS_DEMANDED },
    { KIND_RDS_PROXY, "RDS proxy has no credentials", NULL, NULL, NULL, STARTUP_HEARD },
    { KIND_RDS_PROXY, "RDS Proxy ", NULL, NULL, NULL, STARTUP_ERROR },
    { KIND_RDS_PROXY, "RDS proxy ", NULL, NULL, NULL, STARTUP_ERROR },

    { KIND_AZURE_GATEWAY, "SSL connection is required. Please specify SSL options", NULL, NULL, NULL,
      STARTUP_TLS_DEMANDED },

    { KIND_NEON_PROXY, "connection is insecure (try using `sslmode=require`)", NULL, NULL, NULL,
      STARTUP_TLS_DEMANDED },
    { KIND_NEON_PROXY, "Endpoint ID is not specified", NULL, NULL, NULL, STARTUP_ERROR },

    /* its tenants have rules of their own: what one of them is told says nothing of others */
    { KIND_SUPAVISOR, "(ESSLREQUIRED)", NULL, NULL, NULL, STARTUP_ERROR },
    { KIND_SUPAVISOR, "(ENOTFOUND) tenant/user", NULL, NULL, NULL, STARTUP_ERROR },
    { KIND_SUPAVISOR, "(ENOIDENTIFIER)", NULL, NULL, NULL, STARTUP_ERROR },
    { KIND_SUPAVISOR, "Tenant or user not found", NULL, NULL, NULL, STARTUP_ERROR },

    { KIND_OTHER, "secure mode, SSL connection required", NULL, NULL, NULL, STARTUP_TLS_DEMANDED },
};

/* PgBouncer's are short and have neither F nor R: the whole text has to be right, or its beginning. */
static const struct {
    const char *message;
    bool whole;
    enum startup_end end;
} bouncer[] = {
    { "SSL required", true, STARTUP_TLS_DEMANDED },
    { "no such user", false, STARTUP_HEARD },
    { "no such database: ", false, STARTUP_HEARD },
    { "\"trust\" authentication failed", true, STARTUP_HEARD },
    { "password authentication failed", true, STARTUP_HEARD },
    { "SASL authentication failed", true, STARTUP_HEARD },
    { "bouncer config error", true, STARTUP_HEARD },
    { "login rejected", true, STARTUP_REFUSED },
    { "unsupported startup parameter: ", false, STARTUP_REFUSED },
    { "old V2 protocol not supported", true, STARTUP_ERROR },
    { "bad packet header: '", false, STARTUP_ERROR },
    { "no more connections allowed (max_client_conn)", true, STARTUP_ERROR },
    { "pgbouncer cannot connect to server", true, STARTUP_ERROR },
    { "client_login_timeout", false, STARTUP_ERROR },
    { "client sent partial pkt in startup phase", true, STARTUP_ERROR },
};

static bool has(const char *text, const char *part)
{
    return !part || strstr(text, part);
}

static bool read_saying(const struct wire_error *error, struct startup_seen *out)
{
    for (size_t i = 0; i < PS_COUNT(sayings); i++) {
        const struct saying *row = &sayings[i];

        if (!has(error->message, row->message) || !has(error->message, row->also)
            || !has(error->detail, row->detail)
            || (row->file && strncmp(error->file, row->file, strlen(row->file)) != 0))
            continue;
        out->kind = row->kind;
        out->end = row->end;
        return true;
    }
    return false;
}

static bool read_bouncer(const struct wire_error *error, struct startup_seen *out)
{
    if (*error->file || *error->routine || !*error->sqlstate)
        return false;
    for (size_t i = 0; i < PS_COUNT(bouncer); i++) {
        const char *text = bouncer[i].message;

        if (bouncer[i].whole ? strcmp(error->message, text) != 0
                             : strncmp(error->message, text, strlen(text)) != 0)
            continue;
        out->kind = KIND_PGBOUNCER;
        out->end = bouncer[i].end;
        return true;
    }
    return false;
}

static bool is_postgres(const struct wire_error *error)
{
    size_t len = strlen(error->file);

    return len > 2 && strcmp(error->file + len - 2, ".c") == 0 && *error->line && *error->routine
        && *error->sqlstate;
}

/*
 * A line of pg_hba.conf that rejects, or none, speaks from ClientAuthentication; a method that does not
 * believe, such as ident, from auth_failed, with the same SQLSTATE (auth.c).
 */
static enum startup_end refusal(const struct wire_error *error)
{
    if (is_postgres(error) && strncmp(error->sqlstate, "28", 2) == 0
        && strcmp(error->routine, "auth_failed") == 0)
        return STARTUP_FAILED;
    /* invalid_authorization_specification, and what clientcert and old servers say instead */
    return strcmp(error->sqlstate, "28000") == 0 ? STARTUP_REFUSED : STARTUP_ERROR;
}

void peers_read_error(const struct wire_error *error, struct startup_seen *out)
{
    if (read_saying(error, out) || read_bouncer(error, out))
        return;
    out->end = refusal(error);
    /* an error of old style has no fields at all, whoever says it */
    out->kind = is_postgres(error) ? KIND_POSTGRES : *error->sqlstate ? KIND_OTHER : KIND_UNKNOWN;
}

/* ---- the whole ---- */

/* By the end of a name in the leaf, and a part of it; or by a part of its issuer. */
static const struct host_name {
    const char *end, *part, *issuer, *provider;
    enum seen_kind kind;        /* UNKNOWN: PostgreSQL itself may answer under such names */
} host_names[] = {
    { ".rds.amazonaws.com", ".proxy-", NULL, "Amazon RDS", KIND_RDS_PROXY },
    { ".rds.amazonaws.com", NULL, NULL, "Amazon RDS", KIND_UNKNOWN },
    { ".postgres.database.azure.com", NULL, NULL, "Azure", KIND_UNKNOWN },
    { ".neon.tech", NULL, NULL, "Neon", KIND_NEON_PROXY },
    { ".pooler.supabase.com", NULL, NULL, "Supabase", KIND_SUPAVISOR },
    { ".supabase.co", NULL, NULL, "Supabase", KIND_UNKNOWN },
    { NULL, NULL, "Google Cloud SQL", "Google Cloud SQL", KIND_UNKNOWN },
};

static bool ends_like(const char *name, const struct host_name *row)
{
    size_t len = strlen(name), end = strlen(row->end);

    return len > end && strcmp(name + len - end, row->end) == 0 && has(name, row->part);
}

static bool names_fit(const struct cert_info *info, const struct host_name *row)
{
    if (row->issuer)
        return strstr(info->issuer, row->issuer) != NULL;
    for (const char *const *name = info->dns; *name; name++)
        if (ends_like(*name, row))
            return true;
    return !*info->dns && info->common_name && ends_like(info->common_name, row);
}

static const struct host_name *find_host_name(const struct cert_list *chain)
{
    for (size_t i = 0; chain->len && i < PS_COUNT(host_names); i++)
        if (names_fit(cert_info(chain->at[0]), &host_names[i]))
            return &host_names[i];
    return NULL;
}

const char *peers_provider(const struct cert_list *chain)
{
    const struct host_name *row = find_host_name(chain);

    return row ? row->provider : NULL;
}

/* A pooler may pass on what PostgreSQL says, never the other way round. */
enum seen_kind peers_kind(const struct seen *seen)
{
    const struct startup_seen *const heard[] = {
        &seen->plain, &seen->plain_replication, &seen->over_tls, &seen->negotiation, &seen->stuffed,
        &seen->direct, &seen->binding,
    };
    const struct host_name *row = find_host_name(&seen->chain);
    bool postgres = seen->gss == FACT_YES, other = false, answered = postgres;

    for (size_t i = 0; i < PS_COUNT(heard); i++) {
        if (heard[i]->kind != KIND_UNKNOWN && heard[i]->kind != KIND_POSTGRES
            && heard[i]->kind != KIND_OTHER)
            return heard[i]->kind;
        postgres |= heard[i]->kind == KIND_POSTGRES;
        other |= heard[i]->kind == KIND_OTHER;
        answered |= startup_is_answered(heard[i]);
    }
    if (row && row->kind != KIND_UNKNOWN)
        return row->kind;
    return postgres ? KIND_POSTGRES : other || !answered ? KIND_OTHER : KIND_UNKNOWN;
}
