/*
 * pg.c - the engine PostgreSQL, through libpq; see engine.h.
 *
 * Writers take turns by a lock on the head of the audit log, which the transaction holds to its
 * end; so READ COMMITTED is enough, and no statement has to be tried again.
 */
#include "store/engine.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/pg_statement.h"
#include "store/store.h"

enum { AGAIN_TRIES = 20, AGAIN_WAIT_MS = 500 };

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
        return pg_fail_text(me, pq.errorMessage(me->conn), err);
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
    PS_AUTO(pg_result_freep) PGresult *result = pq.exec(me->conn, "COMMIT");

    *unknown = pq.status(me->conn) != CONNECTION_OK;
    if (!pg_is_good(result))
        return pg_fail_result(me, result, err);
    return strcmp(pq.cmdStatus(result), "COMMIT") == 0
        || pg_fail_text(me, "the transaction was rolled back", err);
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
        return pg_fail_text(me, pq.errorMessage(me->conn), err);
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
