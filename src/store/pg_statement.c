/* pg_statement.c - see pg_statement.h. */
#include "store/pg_statement.h"

#include <endian.h>
#include <inttypes.h>

#include "base/mem.h"

enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25 };  /* pg_type.dat */

enum { PIPE_ROWS = 128 };       /* answers that fit into socket buffers while we only send */

/* ---- libpq with our errors ---- */

void pg_result_freep(PGresult **result)
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

bool pg_fail_text(const struct pg *me, const char *text, struct ps_err *err)
{
    char line[400];

    first_line(text, line, sizeof(line));
    ps_fail(err, PS_E_STORE, _("could not use the ledger \"%s\""), me->where);
    return ps_detail(err, _("PostgreSQL says: %s."), line);
}

bool pg_fail_result(const struct pg *me, const PGresult *result, struct ps_err *err)
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
    return pg_fail_text(me, text ? text : pq.errorMessage(me->conn), err);
}

bool pg_is_good(const PGresult *result)
{
    const ExecStatusType status = pq.resultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
        || status == PGRES_SINGLE_TUPLE || status == PGRES_PIPELINE_SYNC;
}

bool pg_script(void *db, const char *sql, struct ps_err *err)
{
    struct pg *me = db;
    PS_AUTO(pg_result_freep) PGresult *result = pq.exec(me->conn, sql);

    return pg_is_good(result) || pg_fail_result(me, result, err);
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
        PS_AUTO(pg_result_freep) PGresult *result = pq.getResult(me->conn);

        if (!result)
            return good;
        if (good)
            good = pg_is_good(result) ? give_rows(result, fn, arg, err)
                                   : pg_fail_result(me, result, err);
    }
}

bool pg_run(void *db, const char *sql, const struct value *values, int len, row_fn fn,
                   void *arg, struct ps_err *err)
{
    struct pg *me = db;
    struct params params;

    params_of(&params, values, len);
    if (!pq.sendQueryParams(me->conn, sql, len, params.types, params.values, params.lengths,
                           params.formats, 1))
        return pg_fail_text(me, pq.errorMessage(me->conn), err);
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

    PS_AUTO(pg_result_freep) PGresult *result = pq.prepare(me->conn, statement, sql, len, types);
    return pg_is_good(result) || pg_fail_result(me, result, err);
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
        PS_AUTO(pg_result_freep) PGresult *result = pq.getResult(me->conn);

        if (!result && pq.status(me->conn) == CONNECTION_OK)
            continue;
        if (!result)
            return good && pg_fail_text(me, pq.errorMessage(me->conn), err);
        if (pq.resultStatus(result) == PGRES_PIPELINE_SYNC)
            return good;
        if (good && !pg_is_good(result))
            good = pg_fail_result(me, result, err);
    }
}

static bool pipe_rows(struct pg *me, const struct value *values, int len, size_t rows,
                      struct ps_err *err)
{
    for (size_t done = 0; done < rows; done += PIPE_ROWS) {
        const size_t now = rows - done < PIPE_ROWS ? rows - done : PIPE_ROWS;

        if (!send_rows(me, values + done * (size_t)len, len, now))
            return pg_fail_text(me, pq.errorMessage(me->conn), err);
        if (!read_pipe(me, err))
            return false;
    }
    return true;
}

bool pg_run_many(void *db, const char *sql, const struct value *values, int len, size_t rows,
                        struct ps_err *err)
{
    struct pg *me = db;

    if (rows == 1)
        return pg_run(db, sql, values, len, NULL, NULL, err);
    if (!prepare(me, sql, values, len, rows, err))
        return false;
    if (!pq.enterPipelineMode(me->conn))
        return pg_fail_text(me, pq.errorMessage(me->conn), err);
    bool piped = pipe_rows(me, values, len, rows, err);
    pq.exitPipelineMode(me->conn);
    return piped && pg_script(me, "DEALLOCATE pgseal_row", err);
}
