/*
 * pg.c - the engine PostgreSQL, through libpq; see engine.h.
 *
 * Writers take turns by a lock on the head of the audit log, which the transaction holds to its
 * end; so READ COMMITTED is enough, and no statement has to be tried again.  Numbers, text and
 * bytes travel in binary, hence every integer column is a bigint.
 */
#include "store/engine.h"

#include <endian.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pg/libpq.h"
#include "store/store.h"

enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25 };  /* pg_type.dat */

enum { PIPE_ROWS = 128 };       /* answers that fit into socket buffers while we only send */

enum { AGAIN_TRIES = 20, AGAIN_WAIT_MS = 500 };

struct pg {
    PGconn *conn;
    char *where;
    bool holds;         /* the advisory lock of pg_hold(), which a new connection has to take again */
};

static const char *const migrations[] = {
    NULL,       /* version 1 was a file */

    "CREATE TABLE ledger (key text PRIMARY KEY, value text NOT NULL);"
    "CREATE TABLE audit ("
    "  id bigint PRIMARY KEY, at bigint NOT NULL, who text NOT NULL, host text NOT NULL,"
    "  pid bigint NOT NULL, act text NOT NULL, object text NOT NULL, detail text NOT NULL,"
    "  part text, part_rows bigint NOT NULL, covers text NOT NULL, hash text NOT NULL);"
    "CREATE TABLE audit_head (id bigint NOT NULL, hash text NOT NULL);"
    "INSERT INTO audit_head VALUES (0, '');"
    "CREATE TABLE cert ("
    "  id bigint PRIMARY KEY, issuer text COLLATE \"C\" NOT NULL,"
    "  serial text COLLATE \"C\" NOT NULL, subject text NOT NULL, kind text NOT NULL,"
    "  fingerprint text COLLATE \"C\" NOT NULL, not_before bigint NOT NULL,"
    "  not_after bigint NOT NULL, recorded_at bigint NOT NULL, common_name text COLLATE \"C\","
    "  hosts text COLLATE \"C\", shard bigint NOT NULL, der bytea NOT NULL,"
    "  UNIQUE (serial, issuer));"
    "CREATE INDEX cert_by_end ON cert (not_after, id);"
    "CREATE INDEX cert_by_name ON cert (common_name, id);"
    "CREATE INDEX cert_by_fingerprint ON cert (substr(fingerprint, 1, 8));"
    "CREATE INDEX cert_with_hosts ON cert (id) WHERE hosts IS NOT NULL;"
    "CREATE TABLE revocation ("
    "  id bigint PRIMARY KEY, cert bigint NOT NULL UNIQUE REFERENCES cert (id),"
    "  issuer text COLLATE \"C\" NOT NULL, shard bigint NOT NULL,"
    "  serial text COLLATE \"C\" NOT NULL, not_after bigint NOT NULL, revoked_at bigint NOT NULL,"
    "  reason bigint NOT NULL);"
    "CREATE INDEX revocation_in_order ON revocation (issuer, shard, length(serial), serial);"
    "CREATE TABLE crl_number ("
    "  id bigint PRIMARY KEY, issuer text COLLATE \"C\" NOT NULL, shard bigint NOT NULL,"
    "  number bigint NOT NULL, UNIQUE (issuer, shard, number));"
    "CREATE TABLE crl ("
    "  id bigint PRIMARY KEY, issuer text COLLATE \"C\" NOT NULL, shard bigint NOT NULL,"
    "  number bigint NOT NULL, entries bigint NOT NULL, this_update bigint NOT NULL,"
    "  next_update bigint NOT NULL, digest text NOT NULL, der bytea,"
    "  UNIQUE (issuer, shard, number));"
    "CREATE TABLE request ("
    "  id bigint PRIMARY KEY, kind text NOT NULL, subject text NOT NULL, digest text NOT NULL,"
    "  der bytea NOT NULL, recorded_at bigint NOT NULL);"
    "CREATE TABLE authority ("
    "  id bigint PRIMARY KEY, name text COLLATE \"C\" NOT NULL, generation bigint NOT NULL,"
    "  state bigint NOT NULL, key text NOT NULL, der bytea NOT NULL, recorded_at bigint NOT NULL);"
    "CREATE INDEX authority_by_name ON authority (name, generation);"
    "CREATE TABLE setting (id bigint PRIMARY KEY, key text NOT NULL, value text NOT NULL);"
    "CREATE INDEX setting_by_key ON setting (key);",

    /* as in sqlite.c */
    "ALTER TABLE revocation DROP CONSTRAINT revocation_cert_key;"
    "CREATE INDEX revocation_by_cert ON revocation (cert);"
    "CREATE TABLE hold_end ("
    "  id bigint PRIMARY KEY, revocation bigint NOT NULL UNIQUE REFERENCES revocation (id),"
    "  issuer text COLLATE \"C\" NOT NULL, shard bigint NOT NULL, ended_at bigint NOT NULL);"
    "CREATE INDEX hold_end_of ON hold_end (issuer, shard);"
    "CREATE TABLE crl_out ("
    "  id bigint PRIMARY KEY, issuer text COLLATE \"C\" NOT NULL, shard bigint NOT NULL,"
    "  number bigint NOT NULL, UNIQUE (issuer, shard, number));"
    "DROP TABLE authority;"
    "CREATE TABLE authority ("
    "  id bigint PRIMARY KEY, name text COLLATE \"C\" NOT NULL, state bigint NOT NULL,"
    "  parent text NOT NULL, key text NOT NULL, revoked bigint NOT NULL,"
    "  subject text COLLATE \"C\" NOT NULL, der bytea, recorded_at bigint NOT NULL);"
    "CREATE INDEX authority_by_name ON authority (name);"
    "CREATE INDEX authority_by_subject ON authority (subject);",
};

/* ---- libpq with our errors ---- */

static void result_freep(PGresult **result)
{
    pq.clear(*result);
}

/* One line of what libpq says, without its full stop or line end. */
static void first_line(const char *text, char *out, size_t size)
{
    size_t len = strcspn(text, "\n");

    while (len > 0 && text[len - 1] == '.')
        len--;
    snprintf(out, size, "%.*s", (int)len, text);
}

static bool fail_text(const struct pg *me, const char *text, struct ps_err *err)
{
    char line[400];

    first_line(text, line, sizeof(line));
    ps_fail(err, PS_E_STORE, _("could not use the ledger \"%s\""), me->where);
    return ps_detail(err, _("PostgreSQL says: %s."), line);
}

static bool fail_result(const struct pg *me, const PGresult *result, struct ps_err *err)
{
    const char *state = pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (state && strcmp(state, "23505") == 0)       /* unique_violation */
        return ps_fail(err, PS_E_EXISTS, _("it is in the ledger \"%s\" already"), me->where);
    if (state && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0)) {
        /* lock_not_available, deadlock_detected */
        ps_fail(err, PS_E_BUSY, _("the ledger \"%s\" is in use by another pgseal"), me->where);
        return ps_hint(err, _("Run the command again."));
    }
    return fail_text(me, text ? text : pq.errorMessage(me->conn), err);
}

static bool is_good(const PGresult *result)
{
    const ExecStatusType status = pq.resultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
        || status == PGRES_SINGLE_TUPLE || status == PGRES_PIPELINE_SYNC;
}

static bool pg_script(void *db, const char *sql, struct ps_err *err)
{
    struct pg *me = db;
    PS_AUTO(result_freep) PGresult *result = pq.exec(me->conn, sql);

    return is_good(result) || fail_result(me, result, err);
}

/* ---- values ---- */

struct params {
    Oid types[ENGINE_COLUMNS_MAX];
    const char *values[ENGINE_COLUMNS_MAX];
    int lengths[ENGINE_COLUMNS_MAX], formats[ENGINE_COLUMNS_MAX];
    uint64_t numbers[ENGINE_COLUMNS_MAX];
};

static void param(struct params *params, int i, const struct value *value)
{
    static const Oid types[] = { [VALUE_NULL] = 0, [VALUE_INT] = OID_INT8, [VALUE_TEXT] = OID_TEXT,
                                 [VALUE_BLOB] = OID_BYTEA };

    params->types[i] = types[value->type];
    params->formats[i] = 1;
    params->values[i] = value->bytes;       /* NULL for null */
    params->lengths[i] = (int)value->len;
    if (value->type != VALUE_INT)
        return;
    params->numbers[i] = htobe64((uint64_t)value->number);
    params->values[i] = (const char *)&params->numbers[i];
    params->lengths[i] = sizeof(params->numbers[i]);
}

static void params_of(struct params *params, const struct value *values, int len)
{
    for (int i = 0; i < len; i++)
        param(params, i, &values[i]);
}

static struct value column(const PGresult *result, int row, int at)
{
    const void *bytes = pq.getvalue(result, row, at);
    const size_t len = (size_t)pq.getlength(result, row, at);
    uint64_t wide;
    uint32_t narrow;

    if (pq.getisnull(result, row, at))
        return (struct value){ .type = VALUE_NULL };
    switch (pq.ftype(result, at)) {
    case OID_INT8:
        memcpy(&wide, bytes, sizeof(wide));
        return value_int((int64_t)be64toh(wide));
    case OID_INT4:
        memcpy(&narrow, bytes, sizeof(narrow));
        return value_int((int32_t)be32toh(narrow));
    case OID_BYTEA:
        return value_blob(bytes, len);
    default:
        return (struct value){ .type = VALUE_TEXT, .bytes = bytes, .len = len };
    }
}

/* ---- one statement ---- */

static bool give_rows(const PGresult *result, row_fn fn, void *arg, struct ps_err *err)
{
    struct value columns[ENGINE_COLUMNS_MAX];
    const int len = pq.nfields(result);

    for (int row = 0; fn && row < pq.ntuples(result); row++) {
        for (int i = 0; i < len; i++)
            columns[i] = column(result, row, i);
        if (!fn(arg, columns, err))
            return false;
    }
    return true;
}

/* To the end even when something fails: what is left unread would be taken for the next answer. */
static bool read_answer(struct pg *me, row_fn fn, void *arg, struct ps_err *err)
{
    bool good = true;

    for (;;) {
        PS_AUTO(result_freep) PGresult *result = pq.getResult(me->conn);

        if (!result)
            return good;
        if (good)
            good = is_good(result) ? give_rows(result, fn, arg, err)
                                   : fail_result(me, result, err);
    }
}

static bool pg_run(void *db, const char *sql, const struct value *values, int len, row_fn fn,
                   void *arg, struct ps_err *err)
{
    struct pg *me = db;
    struct params params;

    params_of(&params, values, len);
    if (!pq.sendQueryParams(me->conn, sql, len, params.types, params.values, params.lengths,
                           params.formats, 1))
        return fail_text(me, pq.errorMessage(me->conn), err);
    pq.setSingleRowMode(me->conn);
    return read_answer(me, fn, arg, err);
}

/* ---- one statement for many rows: sent together, answered together ---- */

static const char statement[] = "pgseal_row";

static bool prepare(struct pg *me, const char *sql, const struct value *values, int len,
                    size_t rows, struct ps_err *err)
{
    Oid types[ENGINE_COLUMNS_MAX] = { 0 };

    for (size_t i = 0; i < rows * (size_t)len; i++)
        if (values[i].type != VALUE_NULL) {
            struct params one;

            param(&one, 0, &values[i]);
            types[i % (size_t)len] = one.types[0];
        }

    PS_AUTO(result_freep) PGresult *result = pq.prepare(me->conn, statement, sql, len, types);
    return is_good(result) || fail_result(me, result, err);
}

static bool send_rows(struct pg *me, const struct value *values, int len, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        struct params params;

        params_of(&params, values + i * (size_t)len, len);
        if (!pq.sendQueryPrepared(me->conn, statement, len, params.values, params.lengths,
                                 params.formats, 1))
            return false;
    }
    return pq.pipelineSync(me->conn);
}

/* Each row has an answer and a NULL behind it, the sync at the end has only an answer. */
static bool read_pipe(struct pg *me, struct ps_err *err)
{
    bool good = true;

    for (;;) {
        PS_AUTO(result_freep) PGresult *result = pq.getResult(me->conn);

        if (!result && pq.status(me->conn) == CONNECTION_OK)
            continue;
        if (!result)
            return good && fail_text(me, pq.errorMessage(me->conn), err);
        if (pq.resultStatus(result) == PGRES_PIPELINE_SYNC)
            return good;
        if (good && !is_good(result))
            good = fail_result(me, result, err);
    }
}

static bool pipe_rows(struct pg *me, const struct value *values, int len, size_t rows,
                      struct ps_err *err)
{
    for (size_t done = 0; done < rows; done += PIPE_ROWS) {
        const size_t now = rows - done < PIPE_ROWS ? rows - done : PIPE_ROWS;

        if (!send_rows(me, values + done * (size_t)len, len, now))
            return fail_text(me, pq.errorMessage(me->conn), err);
        if (!read_pipe(me, err))
            return false;
    }
    return true;
}

static bool pg_run_many(void *db, const char *sql, const struct value *values, int len, size_t rows,
                        struct ps_err *err)
{
    struct pg *me = db;

    if (rows == 1)
        return pg_run(db, sql, values, len, NULL, NULL, err);
    if (!prepare(me, sql, values, len, rows, err))
        return false;
    if (!pq.enterPipelineMode(me->conn))
        return fail_text(me, pq.errorMessage(me->conn), err);
    bool piped = pipe_rows(me, values, len, rows, err);
    pq.exitPipelineMode(me->conn);
    return piped && pg_script(me, "DEALLOCATE pgseal_row", err);
}

/* ---- open ---- */

static void pg_close(void *db)
{
    struct pg *me = db;

    pq.finish(me->conn);
    free(me->where);
    free(me);
}

static void close_freep(struct pg **me)
{
    if (*me)
        pg_close(*me);
}

static bool take_first(void *arg, const struct value *columns, struct ps_err *err)
{
    (void)err;
    if (columns[0].type == VALUE_INT)
        *(int64_t *)arg = columns[0].number;
    return true;
}

/* Whatever the database or role has for defaults; a stronger synchronous_commit is left. */
static bool set_up(struct pg *me, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *wait = ps_asprintf("SET lock_timeout = %d", STORE_WAIT_MS);

    return pg_script(me, "SET search_path = pgseal, pg_catalog; SET client_encoding = 'UTF8';"
                         " SET client_min_messages = warning; SET statement_timeout = 0;"
                         " SET idle_in_transaction_session_timeout = 0;"
                         " SET standard_conforming_strings = on", err)
        && pg_script(me, wait, err)
        && pg_script(me, "SELECT set_config('synchronous_commit', 'on', false)"
                         " WHERE current_setting('synchronous_commit') IN ('off', 'local')", err);
}

/* What libpq says of one that it cannot read has the whole of it, with its password. */
static bool is_understood(const char *where)
{
    char *said = NULL;
    PQconninfoOption *options = pq.conninfoParse(where, &said);

    pq.freemem(said);
    pq.conninfoFree(options);
    return options != NULL;
}

static bool pg_open(const char *where, void **db, struct ps_err *err)
{
    PS_AUTO(close_freep) struct pg *me = NULL;

    if (!pq_load(err))
        return false;
    if (!is_understood(where))
        return ps_fail(err, PS_E_VALUE, _("the connection string of the ledger cannot be understood"));
    me = ps_calloc(1, sizeof(*me));
    me->conn = pq.connectdb(where);
    me->where = ps_asprintf("postgresql://%s:%s/%s", pq.host(me->conn) ? pq.host(me->conn) : "",
                            pq.port(me->conn) ? pq.port(me->conn) : "",
                            pq.db(me->conn) ? pq.db(me->conn) : "");
    if (pq.status(me->conn) != CONNECTION_OK)
        return fail_text(me, pq.errorMessage(me->conn), err);
    if (!set_up(me, err))
        return false;
    *db = PS_TAKE(me);
    return true;
}

static char *pg_where(void *db)
{
    return ps_strdup(((struct pg *)db)->where);
}

static bool pg_version(void *db, int64_t *out, struct ps_err *err)
{
    int64_t found = 0;

    *out = 0;
    if (!pg_run(db, "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    " WHERE n.nspname = 'pgseal' AND c.relname = 'ledger'", NULL, 0, take_first,
                &found, err))
        return false;
    return !found || pg_run(db, "SELECT value::bigint FROM ledger WHERE key = 'version'", NULL, 0,
                            take_first, out, err);
}

static bool pg_set_version(void *db, int64_t version, struct ps_err *err)
{
    const struct value value = value_int(version);

    return pg_run(db, "INSERT INTO ledger (key, value) VALUES ('version', $1::bigint::text)"
                      " ON CONFLICT (key) DO UPDATE SET value = excluded.value", &value, 1, NULL,
                  NULL, err);
}

/* ---- the place ---- */

static bool take_place(void *arg, const struct value *columns, struct ps_err *err)
{
    (void)err;
    *(char **)arg = ps_strdup(value_str(&columns[0]));
    return true;
}

/* A standby that was promoted has both from its primary; what was dumped and restored has not. */
static bool pg_place(void *db, char **out, struct ps_err *err)
{
    return pg_run(db, "SELECT format('cluster %s, database %s', system_identifier,"
                      " (SELECT oid FROM pg_database WHERE datname = current_database()))"
                      " FROM pg_control_system()", NULL, 0, take_place, out, err);
}

/* ---- transactions ---- */

static void pg_rollback(void *db)
{
    pq.clear(pq.exec(((struct pg *)db)->conn, "ROLLBACK"));
}

static bool begin_with(void *db, const char *begin, const char *lock, struct ps_err *err)
{
    if (!pg_script(db, begin, err))
        return false;
    if (pg_script(db, lock, err))
        return true;
    pg_rollback(db);
    return false;
}

static bool pg_begin(void *db, bool writer, struct ps_err *err)
{
    if (!writer)
        return pg_script(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    return begin_with(db, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
                      "LOCK TABLE audit_head IN EXCLUSIVE MODE", err);
}

/* CREATE SCHEMA IF NOT EXISTS asks for the right to make one even when it is there. */
static bool need_schema(struct pg *me, struct ps_err *err)
{
    int64_t found = 0;

    if (!pg_run(me, "SELECT 1 FROM pg_namespace WHERE nspname = 'pgseal'", NULL, 0, take_first,
                &found, err))
        return false;
    return found || pg_script(me, "CREATE SCHEMA IF NOT EXISTS pgseal", err);
}

static bool pg_begin_migration(void *db, struct ps_err *err)
{
    if (!begin_with(db, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
                    "SELECT pg_advisory_xact_lock(7017245, 1)", err))    /* any number of ours */
        return false;
    if (need_schema(db, err))
        return true;
    pg_rollback(db);
    return false;
}

/* Without an answer of the server nobody knows; a warning instead of COMMIT is a rollback. */
static bool pg_commit(void *db, bool *unknown, struct ps_err *err)
{
    struct pg *me = db;
    PS_AUTO(result_freep) PGresult *result = pq.exec(me->conn, "COMMIT");

    *unknown = pq.status(me->conn) != CONNECTION_OK;
    if (!is_good(result))
        return fail_result(me, result, err);
    return strcmp(pq.cmdStatus(result), "COMMIT") == 0
        || fail_text(me, "the transaction was rolled back", err);
}

/* For as long as the connection lives: one that was killed holds nobody up. */
static bool pg_hold(void *db, bool take, struct ps_err *err)
{
    struct pg *me = db;

    me->holds = take && pg_script(me, "SELECT pg_advisory_lock(7017245, 2)", err);
    return take ? me->holds : pg_script(me, "SELECT pg_advisory_unlock(7017245, 2)", err);
}

static bool pg_again(void *db, struct ps_err *err)
{
    struct pg *me = db;

    for (int i = 0; i < AGAIN_TRIES && pq.status(me->conn) != CONNECTION_OK; i++) {
        if (i > 0)
            clock_sleep_ms(AGAIN_WAIT_MS);
        pq.reset(me->conn);
    }
    if (pq.status(me->conn) != CONNECTION_OK)
        return fail_text(me, pq.errorMessage(me->conn), err);
    return set_up(me, err) && (!me->holds || pg_hold(me, true, err));
}

const struct store_engine engine_postgresql = {
    .name = "postgresql",
    .migrations = migrations,
    .migrations_len = PS_COUNT(migrations),
    .open = pg_open,
    .close = pg_close,
    .version = pg_version,
    .set_version = pg_set_version,
    .where = pg_where,
    .place = pg_place,
    .begin = pg_begin,
    .begin_migration = pg_begin_migration,
    .script = pg_script,
    .commit = pg_commit,
    .again = pg_again,
    .rollback = pg_rollback,
    .hold = pg_hold,
    .run = pg_run,
    .run_many = pg_run_many,
};
