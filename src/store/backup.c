/* backup.c - a whole ledger carried into another one, from engine to engine; see store.h. */
#include "store/internal.h"

#include <unistd.h>

#include "base/file.h"

enum { CARRY_ROWS = 256 };

/* What is carried besides the parts: these say nothing of the place. */
static const struct part_info logs[] = {
    {
        .name = "audit", .len = 12,
        .columns = "id, at, who, host, pid, act, object, detail, part, part_rows, covers, hash",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    },
    {
        .name = "audit_head", .len = 2, .columns = "id, hash", .insert = "VALUES ($1, $2)",
    },
};

/* Rows on their way; copies, for what an engine gives is gone with its next row. */
struct carriage {
    struct store *to;
    const struct part_info *table;
    char *insert;
    struct value *rows;
    size_t len;
};

static void unload(struct carriage *carriage)
{
    for (size_t i = 0; i < carriage->len * (size_t)carriage->table->len; i++)
        free((void *)carriage->rows[i].bytes);
    carriage->len = 0;
}

static void carriage_free(struct carriage *carriage)
{
    unload(carriage);
    free(carriage->rows);
    free(carriage->insert);
}

static bool deliver(struct carriage *carriage, struct ps_err *err)
{
    bool put = carriage->len == 0
        || carriage->to->engine->run_many(carriage->to->db, carriage->insert, carriage->rows,
                                          carriage->table->len, carriage->len, err);

    unload(carriage);
    return put;
}

static struct value value_copy(const struct value *value)
{
    struct value copy = *value;

    if (value->bytes) {
        char *bytes = ps_malloc(value->len + 1);

        memcpy(bytes, value->bytes, value->len);
        bytes[value->len] = '\0';
        copy.bytes = bytes;
    }
    return copy;
}

static bool load_row(void *arg, const struct value *columns, struct ps_err *err)
{
    struct carriage *carriage = arg;
    const int len = carriage->table->len;

    for (int i = 0; i < len; i++)
        carriage->rows[carriage->len * (size_t)len + (size_t)i] = value_copy(&columns[i]);
    return ++carriage->len < CARRY_ROWS || deliver(carriage, err);
}

static bool carry_table(struct store *from, struct store *to, const struct part_info *table,
                        struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sql = ps_asprintf("SELECT %s FROM %s ORDER BY id", table->columns,
                                              table->name);
    PS_AUTO(ps_freep) char *empty = ps_asprintf("DELETE FROM %s", table->name);
    PS_AUTO(carriage_free) struct carriage carriage = {
        .to = to, .table = table,
        .insert = ps_asprintf("INSERT INTO %s (%s) %s", table->name, table->columns,
                              table->insert),
        .rows = ps_calloc(CARRY_ROWS, (size_t)table->len * sizeof(struct value)),
    };

    return to->engine->script(to->db, empty, err)
        && store_run(from, sql, NULL, 0, load_row, &carriage, err) && deliver(&carriage, err);
}

static bool carry_identity(const struct store *from, struct store *to, struct ps_err *err)
{
    return RUN(to, err, NULL, NULL, "UPDATE ledger SET value = $1 WHERE key = 'id'",
               value_text(from->id))
        && RUN(to, err, NULL, NULL, "UPDATE ledger SET value = $1 WHERE key = 'home'",
               value_text(from->home));
}

static bool carry_tables(struct store *from, struct store *to, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(logs); i++)
        if (!carry_table(from, to, &logs[i], err))
            return false;
    for (int part = PART_NONE + 1; part < PART_LEN; part++)
        if (!carry_table(from, to, &parts[part], err))
            return false;
    return carry_identity(from, to, err);
}

/*
 * One moment of `from`, in one transaction of `to`.  With `adopts` it belongs there from that very
 * moment: a ledger in between could be used with the numbers of the backup.
 */
static bool carry(struct store *from, struct store *to, bool adopts, struct ps_err *err)
{
    bool unknown;

    if (!from->engine->begin(from->db, false, err))
        return false;
    bool carried = to->engine->begin(to->db, true, err);
    if (carried) {
        carried = carry_tables(from, to, err)
            && (!adopts || store_adopt_inside(to, from->home, err))
            && to->engine->commit(to->db, &unknown, err);
        if (!carried)
            to->engine->rollback(to->db);
    }
    from->engine->rollback(from->db);
    return carried;
}

static void remove_ledger(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm" };

    for (size_t i = 0; i < PS_COUNT(ends); i++) {
        PS_AUTO(ps_freep) char *name = ps_asprintf("%s%s", path, ends[i]);

        unlink(name);
    }
}

static bool write_backup(struct store *store, const char *path, struct ps_err *err)
{
    PS_AUTO(store_freep) struct store *copy = NULL;

    return store_open(path, &copy, err) && carry(store, copy, false, err);
}

bool store_backup(struct store *store, const char *path, struct ps_err *err)
{
    if (store_is_remote(path) || file_exists(path)) {
        ps_fail(err, PS_E_EXISTS, _("cannot write a backup to \"%s\""), path);
        return ps_hint(err, _("Name a file that does not exist yet."));
    }
    if (write_backup(store, path, err))
        return true;
    remove_ledger(path);
    return false;
}

/* ---- restore ---- */

static bool is_new(struct store *store, struct ps_err *err)
{
    int64_t acts = 0;

    if (!store_run(store, "SELECT count(*) FROM audit", NULL, 0, take_int, &acts, err))
        return false;
    if (acts == 1)      /* its creation */
        return true;
    ps_fail(err, PS_E_EXISTS, _("the ledger \"%s\" is in use"), store->where);
    return ps_hint(err, _("Restore into a new one, and take its place when it is right."));
}

static bool check_backup(struct store *backup, struct ps_err *err)
{
    struct store_verdict verdict;

    if (!store_verify(backup, &verdict, err))
        return false;
    if (verdict.sound)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the backup \"%s\" was changed"), backup->where);
    return ps_detail(err, _("Act %lld of its audit log: %s."), (long long)verdict.bad_act,
                     verdict.what);
}

bool store_restore(const char *path, const char *where, struct ps_err *err)
{
    PS_AUTO(store_freep) struct store *backup = NULL;
    PS_AUTO(store_freep) struct store *store = NULL;

    if (!file_exists(path)) {
        ps_fail(err, PS_E_NOT_FOUND, _("backup \"%s\" does not exist"), path);
        return ps_at(err, path, 0, 0);
    }
    return store_open(path, &backup, err) && check_backup(backup, err)
        && store_open(where, &store, err) && is_new(store, err) && carry(backup, store, true, err);
}
