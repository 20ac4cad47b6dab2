/* sql.c - see sql.h. */
#include "inspect/sql.h"

#include <limits.h>

#include "base/mem.h"
#include "base/num.h"
#include "pg/libpq.h"

struct sql {
    PGconn *conn;
};

struct rows {
    PGresult *result;
};

void sql_free(struct sql *sql)
{
    if (!sql)
        return;
    pq.finish(sql->conn);
    free(sql);
}

void rows_free(struct rows *rows)
{
    if (!rows)
        return;
    pq.clear(rows->result);
    free(rows);
}

/* libpq ends its messages with a newline. */
static void fail_with(struct ps_err *err, const char *words)
{
    PS_AUTO(ps_freep) char *text = ps_strdup(words ? words : "");
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    ps_detail(err, "%s", text);
}

static bool is_uri(const char *conninfo)
{
    return strncmp(conninfo, "postgresql://", 13) == 0 || strncmp(conninfo, "postgres://", 11) == 0;
}

/* A single word is the name of a database, as it is for psql. */
static bool check_conninfo(const char *conninfo, struct ps_err *err)
{
    char *words = NULL;

    if (!is_uri(conninfo) && !strchr(conninfo, '='))
        return true;

    PQconninfoOption *options = pq.conninfoParse(conninfo, &words);
    if (options) {
        pq.conninfoFree(options);
        return true;
    }
    ps_fail(err, PS_E_USAGE, _("cannot parse the connection string"));
    fail_with(err, words);
    pq.freemem(words);
    return ps_hint(err, _("Write it as for psql: \"host=db1.example.net dbname=app user=dba\", a "
                          "postgresql:// URI, or \"service=NAME\"."));
}

/*
 * A key with a passphrase that is not in the connection string would make OpenSSL ask on the terminal;
 * this hook gives libpq's own answer from sslpassword, or none.
 */
static int no_prompt(char *buf, int size, PGconn *conn)
{
    return pq.defaultSSLKeyPassHook_OpenSSL(buf, size, conn);
}

static PGconn *open_connection(const char *conninfo)
{
    bool timeout_is_set = getenv("PGCONNECT_TIMEOUT") != NULL;
    /* A later entry beats an earlier one, so what the caller's string says beats ours. */
    const char *keywords[] = { "client_encoding", "fallback_application_name",
                               timeout_is_set ? "dbname" : "connect_timeout",
                               timeout_is_set ? NULL : "dbname", NULL };
    const char *values[] = { "UTF8", "pgseal", timeout_is_set ? conninfo : "10",
                             timeout_is_set ? NULL : conninfo, NULL };

    pq.setSSLKeyPassHook_OpenSSL(no_prompt);
    return pq.connectdbParams(keywords, values, 1);
}

static void drop_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

bool sql_ready(struct ps_err *err)
{
    return pq_load(err);
}

bool sql_connect(const char *conninfo, struct sql **out, struct ps_err *err)
{
    PS_AUTO(sql_freep) struct sql *sql = NULL;
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_ready(err) || !check_conninfo(conninfo, err))
        return false;

    sql = ps_calloc(1, sizeof(*sql));
    sql->conn = open_connection(conninfo);
    if (pq.status(sql->conn) != CONNECTION_OK) {
        ps_fail(err, PS_E_NET, _("could not connect to the server"));
        fail_with(err, pq.errorMessage(sql->conn));
        return false;
    }
    pq.setNoticeReceiver(sql->conn, drop_notice, NULL);

    /* CVE-2018-1058: nobody's function in the search path may answer for the system's. */
    if (!sql_query(sql, "SELECT pg_catalog.set_config('search_path', '', false)", NULL, &rows, err))
        return false;
    *out = PS_TAKE(sql);
    return true;
}

int sql_server_version(const struct sql *sql)
{
    return pq.serverVersion(sql->conn);
}

const char *sql_parameter(const struct sql *sql, const char *name)
{
    return pq.parameterStatus(sql->conn, name);
}

/* An abstract socket, a socket in the file system, or an address that loops back. */
static bool is_here(const PGconn *conn)
{
    const char *host = pq.host(conn);
    const char *address = pq.hostaddr(conn);

    return (host && (host[0] == '/' || host[0] == '@'))
        || (address && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0));
}

void sql_link(const struct sql *sql, struct sql_link *out)
{
    const PGconn *conn = sql->conn;
    PGconn *for_ssl = sql->conn;

    *out = (struct sql_link){
        .host = pq.host(conn),
        .port = pq.port(conn),
        .database = pq.db(conn),
        .role = pq.user(conn),
        .on_this_machine = is_here(conn),
        .tls = pq.sslInUse(for_ssl),
    };
    if (out->tls) {
        out->version = pq.sslAttribute(for_ssl, "protocol");
        out->cipher = pq.sslAttribute(for_ssl, "cipher");
        out->bits = pq.sslAttribute(for_ssl, "key_bits");
    }
}

void *sql_openssl(const struct sql *sql)
{
    return pq.sslInUse(sql->conn) ? pq.sslStruct(sql->conn, "OpenSSL") : NULL;
}

static int count_params(const char *const *params)
{
    int count = 0;

    while (params && params[count])
        count++;
    return count;
}

static bool fail_query(const PGresult *result, const PGconn *conn, struct ps_err *err)
{
    const char *state = pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (!primary) {
        ps_fail(err, PS_E_NET, _("lost the connection to the server"));
        fail_with(err, pq.errorMessage(conn));
        return false;
    }
    ps_fail(err, PS_E_SQL, "%s", primary);
    return ps_detail(err, _("The server refused a query with SQLSTATE %s."), state ? state : "?");
}

bool sql_query(struct sql *sql, const char *query, const char *const *params, struct rows **out,
               struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = ps_calloc(1, sizeof(*rows));

    rows->result = pq.execParams(sql->conn, query, count_params(params), NULL, params, NULL, NULL, 0);
    ExecStatusType status = pq.resultStatus(rows->result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        return fail_query(rows->result, sql->conn, err);
    *out = PS_TAKE(rows);
    return true;
}

size_t rows_len(const struct rows *rows)
{
    return (size_t)pq.ntuples(rows->result);
}

const char *rows_text(const struct rows *rows, size_t row, const char *column)
{
    int number = pq.fnumber(rows->result, column);

    if (number < 0 || row >= rows_len(rows) || pq.getisnull(rows->result, (int)row, number))
        return NULL;
    return pq.getvalue(rows->result, (int)row, number);
}

bool rows_bool(const struct rows *rows, size_t row, const char *column)
{
    const char *text = rows_text(rows, row, column);

    return text && text[0] == 't';
}

long rows_int(const struct rows *rows, size_t row, const char *column)
{
    const char *text = rows_text(rows, row, column);
    long value = 0;

    return text && num_parse(text, LONG_MIN, LONG_MAX, &value) ? value : 0;
}
