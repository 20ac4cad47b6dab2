/* drivers.c - see drivers.h. */
#include "kit/drivers.h"

#include <ctype.h>

#include "base/mem.h"
#include "kit/quote.h"
#include "pg/conninfo.h"
#include "tls/name.h"

enum { STRING_MAX = 64 * 1024 };    /* far beyond any path and name */

static void put_quoted(struct buf *out, const char *before, const char *text, const char *after)
{
    buf_puts(out, before);
    quote_string(text, out);
    buf_puts(out, after);
}

/* ---- libpq ---- */

struct keyword {
    const char *name, *value;       /* a NULL value: not written */
};

enum { LIBPQ_KEYWORDS = 9 };

static void libpq_keywords(const struct kit_link *link, char port[static 16],
                           struct keyword out[static LIBPQ_KEYWORDS])
{
    const struct keyword words[LIBPQ_KEYWORDS] = {
        { "host", link->host },
        { "port", port },
        { "dbname", link->database },
        { "user", link->role },
        { "sslmode", "verify-full" },
        { "sslrootcert", link->root },
        { "sslcert", link->crt },
        { "sslkey", link->key },
        { "sslcrl", link->crl },
    };

    snprintf(port, 16, "%d", link->port);
    memcpy(out, words, sizeof(words));
}

static void write_libpq(const struct kit_link *link, struct buf *out)
{
    char port[16];
    struct keyword words[LIBPQ_KEYWORDS];

    libpq_keywords(link, port, words);
    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (words[i].value)
            conninfo_add(out, words[i].name, words[i].value);
}

static void write_psql(const struct kit_link *link, struct buf *out)
{
    PS_AUTO(buf_free) struct buf conninfo = BUF(STRING_MAX);

    write_libpq(link, &conninfo);
    buf_puts(out, "psql ");
    quote_shell(buf_text(&conninfo), out);
}

static void uri_host(const struct kit_link *link, struct buf *out)
{
    bool bracket = strchr(link->host, ':') != NULL;     /* RFC 3986 3.2.2: IP-literal */

    buf_printf(out, bracket ? "[%s]:%d" : "%s:%d", link->host, link->port);
}

/* A slash may stand in a query as it is (RFC 3986 3.4): paths stay readable. */
static void uri_path(struct buf *out, const char *name, const char *path)
{
    if (!path)
        return;
    buf_printf(out, "&%s=", name);
    while (*path) {
        size_t len = strcspn(path, "/");
        PS_AUTO(ps_freep) char *part = ps_strndup(path, len);

        conninfo_uri_encode(part, out);
        path += len;
        for (; *path == '/'; path++)
            buf_putc(out, '/');
    }
}

static void uri_start(const struct kit_link *link, struct buf *out)
{
    buf_puts(out, "postgresql://");
    conninfo_uri_encode(link->role, out);
    buf_putc(out, '@');
    uri_host(link, out);
    buf_putc(out, '/');
    conninfo_uri_encode(link->database, out);
    buf_puts(out, "?sslmode=verify-full");
    uri_path(out, "sslrootcert", link->root);
    uri_path(out, "sslcert", link->crt);
    uri_path(out, "sslkey", link->key);
}

static void write_uri(const struct kit_link *link, struct buf *out)
{
    uri_start(link, out);
    uri_path(out, "sslcrl", link->crl);
}

/* parseServiceFileInfo() drops blanks at the end of a line */
static bool service_holds(const char *value)
{
    size_t len = strlen(value);

    return len > 0 && !isspace((unsigned char)value[len - 1]);
}

void kit_service_entry(const struct kit_link *link, struct buf *out)
{
    char port[16];
    struct keyword words[LIBPQ_KEYWORDS];

    libpq_keywords(link, port, words);
    buf_printf(out, "[%s]\n", link->service);
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        if (!words[i].value)
            continue;
        if (service_holds(words[i].value))
            buf_printf(out, "%s=%s\n", words[i].name, words[i].value);
        else
            buf_printf(out, "# %s ends in a blank, which this file cannot hold: "
                       "give it in the connection string\n", words[i].name);
    }
}

static void write_service(const struct kit_link *link, struct buf *out)
{
    PS_AUTO(buf_free) struct buf conninfo = BUF(STRING_MAX);

    conninfo_add(&conninfo, "service", link->service);
    buf_puts(out, "PGSERVICEFILE=");
    quote_shell(link->service_file, out);
    buf_puts(out, " psql ");
    quote_shell(buf_text(&conninfo), out);
}

/* ---- Python ---- */

static void write_psycopg(const struct kit_link *link, struct buf *out)
{
    char port[16];
    struct keyword words[LIBPQ_KEYWORDS];

    libpq_keywords(link, port, words);
    buf_puts(out, "import psycopg\n\nconn = psycopg.connect(\n");
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        if (!words[i].value)
            continue;
        buf_printf(out, "    %s=", words[i].name);
        put_quoted(out, "", words[i].value, ",\n");
    }
    buf_puts(out, ")");
}

static void write_asyncpg(const struct kit_link *link, struct buf *out)
{
    buf_puts(out, "import ssl\n\nimport asyncpg\n\n");
    put_quoted(out, "tls = ssl.create_default_context(cafile=", link->root,
               ")   # chain and host name\n");
    if (link->crt) {
        put_quoted(out, "tls.load_cert_chain(", link->crt, ",\n");
        put_quoted(out, "                    ", link->key, ")\n");
    }
    if (link->crl) {
        put_quoted(out, "tls.load_verify_locations(", link->crl, ")\n");
        buf_puts(out, "tls.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN\n");
    }
    buf_puts(out, "\n\nasync def connect():\n    return await asyncpg.connect(\n");
    put_quoted(out, "        host=", link->host, ",\n");
    buf_printf(out, "        port=%d,\n", link->port);
    put_quoted(out, "        database=", link->database, ",\n");
    put_quoted(out, "        user=", link->role, ",\n");
    buf_puts(out, "        ssl=tls,\n    )");
}

/* ---- Java, .NET ---- */

static void write_jdbc(const struct kit_link *link, struct buf *out)
{
    buf_puts(out, "jdbc:postgresql://");
    uri_host(link, out);
    buf_putc(out, '/');
    conninfo_uri_encode(link->database, out);
    buf_puts(out, "?user=");
    conninfo_uri_encode(link->role, out);
    buf_puts(out, "&sslmode=verify-full");
    uri_path(out, "sslrootcert", link->root);
    uri_path(out, "sslcert", link->crt);
    uri_path(out, "sslkey", link->pk8);
}

static void npgsql_parameter(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, ";%s=", name);
    quote_npgsql(value, out);
}

static void write_npgsql(const struct kit_link *link, struct buf *out)
{
    buf_printf(out, "Host=%s;Port=%d", link->host, link->port);
    npgsql_parameter(out, "Database", link->database);
    npgsql_parameter(out, "Username", link->role);
    npgsql_parameter(out, "SSL Mode", "VerifyFull");
    npgsql_parameter(out, "Root Certificate", link->root);
    npgsql_parameter(out, "SSL Certificate", link->crt);
    npgsql_parameter(out, "SSL Key", link->key);
}

/* ---- Node.js, Go ---- */

static void node_file(struct buf *out, const char *name, const char *path)
{
    if (!path)
        return;
    buf_printf(out, "    %s: fs.readFileSync(", name);
    put_quoted(out, "", path, "),\n");
}

static void write_node(const struct kit_link *link, struct buf *out)
{
    buf_puts(out, "const fs = require(\"node:fs\");\nconst { Client } = require(\"pg\");\n\n"
             "const client = new Client({\n");
    put_quoted(out, "  host: ", link->host, ",\n");
    buf_printf(out, "  port: %d,\n", link->port);
    put_quoted(out, "  database: ", link->database, ",\n");
    put_quoted(out, "  user: ", link->role, ",\n");
    buf_puts(out, "  ssl: {\n");
    /* without it an address is not what the certificate is compared with, but "localhost" */
    if (name_is_address(link->host))
        put_quoted(out, "    host: ", link->host, ",\n");
    node_file(out, "ca", link->root);
    node_file(out, "cert", link->crt);
    node_file(out, "key", link->key);
    if (link->crl) {    /* Node takes one list from each string */
        put_quoted(out, "    crl: fs.readFileSync(", link->crl, ", \"utf8\")\n");
        buf_puts(out, "      .match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g),\n");
    }
    buf_puts(out, "  },\n});");
}

static void write_pgx(const struct kit_link *link, struct buf *out)
{
    PS_AUTO(buf_free) struct buf uri = BUF(STRING_MAX);

    uri_start(link, &uri);
    put_quoted(out, "conn, err := pgx.Connect(context.Background(),\n    ", buf_text(&uri), ")");
}

/* ---- PgBouncer ---- */

/* The name for PgBouncer's own clients; 1.18 takes no quotes here, whatever its manual says. */
static void pgbouncer_alias(const char *database, struct buf *out)
{
    for (; *database; database++) {
        bool plain = isalnum((unsigned char)*database) || strchr("_.-", *database);

        buf_putc(out, plain ? *database : '_');
    }
}

static void write_pgbouncer(const struct kit_link *link, struct buf *out)
{
    buf_puts(out, "[databases]\n");
    pgbouncer_alias(link->database, out);
    buf_printf(out, " = host=%s port=%d dbname=", link->host, link->port);
    quote_single(link->database, out);
    buf_puts(out, " user=");
    quote_single(link->role, out);
    buf_puts(out, "\n\n[pgbouncer]\nserver_tls_sslmode = verify-full\n");
    buf_printf(out, "server_tls_ca_file = %s\n", link->root);
    if (link->crt)
        buf_printf(out, "server_tls_cert_file = %s\nserver_tls_key_file = %s\n", link->crt,
                   link->key);
}

const struct kit_driver kit_drivers[] = {
    { "psql", "psql", write_psql,
      N_("If root.crl cannot be read, libpq says nothing and checks no revocation.") },
    { "libpq", "libpq", write_libpq,
      N_("Where there is a Kerberos ticket libpq tries GSS encryption before TLS: add "
         "gssencmode=disable, which libpq knows from 12 on.") },
    { "uri", "libpq (URI)", write_uri, NULL },
    { "service", "pg_service.conf", write_service,
      N_("Or append the kit's pg_service.conf to ~/.pg_service.conf.") },
    { "psycopg", "psycopg", write_psycopg,
      N_("psycopg2 takes the same: write psycopg2 in both places.") },
    { "asyncpg", "asyncpg", write_asyncpg, NULL },
    { "jdbc", "JDBC (pgjdbc)", write_jdbc,
      N_("pgjdbc has no support for CRLs: it accepts a revoked server certificate.  It reads the "
         "key from the .pk8 file.") },
    { "npgsql", "Npgsql", write_npgsql,
      N_("Npgsql does not read CRL files: it accepts a revoked server certificate.  Leave \"Check "
         "Certificate Revocation\" off, for these certificates name no CRL address.") },
    { "node_postgres", "node-postgres", write_node,
      N_("Give no sslmode in a connection string beside it: the string would replace the whole ssl "
         "object.") },
    { "pgx", "Go (pgx)", write_pgx,
      N_("pgx and lib/pq have no support for CRLs: they accept a revoked server certificate, and the "
         "server refuses the connection if sslcrl is in the string.") },
    { "pgbouncer", "PgBouncer", write_pgbouncer,
      N_("PgBouncer has no option for CRLs towards the server: it accepts a revoked server "
         "certificate.  The server_tls lines hold for all its databases.") },
};
const size_t kit_drivers_len = PS_COUNT(kit_drivers);
