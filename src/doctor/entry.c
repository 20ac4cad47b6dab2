/* entry.c - see entry.h. */
#include "doctor/entry.h"

static const struct {
    const char *word, *name;
} speakers[] = {
    [SAYS_SERVER] = { "server", N_("PostgreSQL server") },
    [SAYS_LIBPQ] = { "libpq", N_("libpq (psql, psycopg)") },
    [SAYS_OPENSSL] = { "openssl", N_("OpenSSL") },
    [SAYS_JDBC] = { "jdbc", N_("JDBC, Java") },
    [SAYS_DOTNET] = { "dotnet", N_("Npgsql, .NET") },
    [SAYS_GO] = { "go", N_("Go (pgx, lib/pq)") },
    [SAYS_NODE] = { "node", N_("node-postgres, Node") },
    [SAYS_PYTHON] = { "python", N_("Python (asyncpg)") },
    [SAYS_RUST] = { "rust", N_("Rust (rustls)") },
    [SAYS_PGBOUNCER] = { "pgbouncer", N_("PgBouncer") },
};

static const struct doctor_entry *const parts[] = {
    doctor_trust_entries, doctor_client_entries, doctor_talk_entries, doctor_files_entries,
    doctor_hba_entries, doctor_server_entries, doctor_reload_entries,
};

const struct doctor_pattern doctor_context[] = {
    { "connection to server at \"{host}\" ({address}), port {port} failed: ", SAYS_LIBPQ, 14, 0, NULL },
    { "connection to server at \"{host}\", port {port} failed: ", SAYS_LIBPQ, 14, 0, NULL },
    { "falló la conexión al servidor en «{host}» ({address}), puerto {port}: ", SAYS_LIBPQ, 14, 0, "es" },
    { "falló la conexión al servidor en «{host}», puerto {port}: ", SAYS_LIBPQ, 14, 0, "es" },
    { "Failed certificate data (unverified): subject \"{subject}\", serial number {serial}, "
      "issuer \"{issuer}\"", SAYS_SERVER, 16, 0, NULL },
    { "Client certificate verification failed at depth {depth}: {reason}.", SAYS_SERVER, 16, 0, NULL },
    { "Connection matched pg_hba.conf line {line}: ", SAYS_SERVER, 0, 15, NULL },
    { "Connection matched file \"{file}\" line {line}: ", SAYS_SERVER, 16, 0, NULL },
    { "La conexión coincidió con la línea {line} de pg_hba.conf: ", SAYS_SERVER, 0, 15, "es" },
    { "line {line} of configuration file \"{file}\"", SAYS_SERVER, 0, 0, NULL },
    { "línea {line} del archivo de configuración «{file}»", SAYS_SERVER, 0, 0, "es" },
    { "provided user name ({role}) and authenticated user name ({identity}) do not match", SAYS_SERVER, 0,
      0, NULL },
    { "el nombre de usuario entregado ({role}) y el nombre de usuario autentificado ({identity}) no coinciden",
      SAYS_SERVER, 0, 0, "es" },
    /* the minor versions of 1; libpq and the server add this to other errors too, so that it tells no cause */
    { "does not support any SSL protocol version between TLSv1.{low} and TLSv1.{high}.", SAYS_LIBPQ, 13, 0, NULL },
    { "no soporta ninguna versión del protocolo SSL entre TLSv1.{low} y TLSv1.{high}.", SAYS_LIBPQ, 13, 0, "es" },
    { NULL, SAYS_SERVER, 0, 0, NULL }
};

const char *doctor_speaker_word(enum doctor_speaker by)
{
    return speakers[by].word;
}

const char *doctor_speaker_name(enum doctor_speaker by)
{
    return _(speakers[by].name);
}

size_t doctor_entries(void)
{
    size_t count = 0;

    for (size_t i = 0; i < PS_COUNT(parts); i++)
        for (const struct doctor_entry *entry = parts[i]; entry->id; entry++)
            count++;
    return count;
}

const struct doctor_entry *doctor_entry(size_t i)
{
    const struct doctor_entry *entry = NULL;

    for (size_t part = 0; part < PS_COUNT(parts); part++)
        for (entry = parts[part]; entry->id; entry++)
            if (i-- == 0)
                return entry;
    return NULL;
}

const struct doctor_entry *doctor_entry_find(const char *id)
{
    for (size_t part = 0; part < PS_COUNT(parts); part++)
        for (const struct doctor_entry *entry = parts[part]; entry->id; entry++)
            if (strcmp(entry->id, id) == 0)
                return entry;
    return NULL;
}
