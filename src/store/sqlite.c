/* sqlite.c - the engine SQLite; see engine.h. */
#include "store/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

/*
 * A log of up to 256 MB between checkpoints: index pages, which random serials touch all over, are
 * then written once for many commits.  The last one to close the ledger folds the log in.  For the same
 * reason whoever writes many rows at once gets a large cache; others walk, or come for one row.
 */
enum { CHECKPOINT_PAGES = 65536, CACHE_KIB = 65536, CACHE_ROWS = 64 };

enum { TURN_LOOK_MS = 5 };

struct sqlite {
    sqlite3 *db;
    char *path;
    bool large_cache;
};

static const char *const migrations[] = {
    "CREATE TABLE cert ("
    "  id INTEGER PRIMARY KEY,"
    "  issuer TEXT NOT NULL, serial TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL,"
    "  fingerprint TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    "  recorded_at INTEGER NOT NULL, der BLOB NOT NULL,"
    "  UNIQUE (issuer, serial)) STRICT;"
    "CREATE INDEX cert_by_end ON cert (not_after);"
    "CREATE INDEX cert_by_kind ON cert (kind);"
    "CREATE TABLE revocation ("
    "  cert INTEGER PRIMARY KEY REFERENCES cert (id),"
    "  revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL) STRICT;"
    "CREATE TABLE crl_number ("
    "  issuer TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;",

    /* Tables that are only added to, and the acts that wrote them (internal.h has the numbers). */
    "DROP INDEX cert_by_end;"
    "DROP INDEX cert_by_kind;"
    "ALTER TABLE revocation RENAME TO revocation_1;"
    "ALTER TABLE crl_number RENAME TO crl_number_1;"
    "ALTER TABLE cert RENAME TO cert_1;"
    "CREATE TABLE ledger (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit ("
    "  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL,"
    "  pid INTEGER NOT NULL, act TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL,"
    "  part TEXT, part_rows INTEGER NOT NULL, covers TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit_head (id INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;"
    "INSERT INTO audit_head VALUES (0, '');"
    "CREATE TABLE cert ("
    "  id INTEGER PRIMARY KEY,"
    "  issuer TEXT NOT NULL, serial TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL,"
    "  fingerprint TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    "  recorded_at INTEGER NOT NULL, common_name TEXT, hosts TEXT, shard INTEGER NOT NULL,"
    "  der BLOB NOT NULL,"
    "  UNIQUE (serial, issuer)) STRICT;"
    "CREATE INDEX cert_by_end ON cert (not_after);"
    "CREATE INDEX cert_by_name ON cert (common_name);"
    "CREATE INDEX cert_by_fingerprint ON cert (substr(fingerprint, 1, 8));"
    "CREATE INDEX cert_with_hosts ON cert (id) WHERE hosts IS NOT NULL;"
    "INSERT INTO cert SELECT 1048576 + row_number() OVER (ORDER BY id) - 1, issuer, serial, subject,"
    "  kind, fingerprint, not_before, not_after, recorded_at, NULL, NULL, 0, der FROM cert_1;"
    "CREATE TABLE revocation ("
    "  id INTEGER PRIMARY KEY, cert INTEGER NOT NULL UNIQUE REFERENCES cert (id),"
    "  issuer TEXT NOT NULL, shard INTEGER NOT NULL, serial TEXT NOT NULL,"
    "  not_after INTEGER NOT NULL, revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL) STRICT;"
    "CREATE INDEX revocation_in_order ON revocation (issuer, shard, length(serial), serial,"
    "  revoked_at, not_after, reason);"
    "INSERT INTO revocation SELECT 2 * 1048576 + row_number() OVER (ORDER BY r.cert) - 1, c.id,"
    "  c.issuer, 0, c.serial, c.not_after, r.revoked_at, r.reason FROM revocation_1 r"
    "  JOIN cert_1 o ON o.id = r.cert JOIN cert c ON c.issuer = o.issuer AND c.serial = o.serial;"
    "CREATE TABLE crl_number ("
    "  id INTEGER PRIMARY KEY, issuer TEXT NOT NULL, shard INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, UNIQUE (issuer, shard, number)) STRICT;"
    "INSERT INTO crl_number SELECT 3 * 1048576 + row_number() OVER (ORDER BY issuer) - 1, issuer, 0,"
    "  number FROM crl_number_1;"
    "CREATE TABLE crl ("
    "  id INTEGER PRIMARY KEY, issuer TEXT NOT NULL, shard INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, entries INTEGER NOT NULL, this_update INTEGER NOT NULL,"
    "  next_update INTEGER NOT NULL, digest TEXT NOT NULL, der BLOB,"
    "  UNIQUE (issuer, shard, number)) STRICT;"
    "CREATE TABLE request ("
    "  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL,"
    "  der BLOB NOT NULL, recorded_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE authority ("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, key TEXT NOT NULL, der BLOB NOT NULL,"
    "  recorded_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX authority_by_name ON authority (name, generation);"
    "CREATE TABLE setting ("
    "  id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE INDEX setting_by_key ON setting (key);"
    "DROP TABLE revocation_1; DROP TABLE crl_number_1; DROP TABLE cert_1;",

    /*
     * A certificate can be revoked again when its hold was ended; which lists got out; and what the
     * authorities are.  No pgseal ever wrote into the authority of version 2.
     */
    "DROP INDEX revocation_in_order;"
    "ALTER TABLE revocation RENAME TO revocation_2;"
    "CREATE TABLE revocation ("
    "  id INTEGER PRIMARY KEY, cert INTEGER NOT NULL REFERENCES cert (id),"
    "  issuer TEXT NOT NULL, shard INTEGER NOT NULL, serial TEXT NOT NULL,"
    "  not_after INTEGER NOT NULL, revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL) STRICT;"
    "INSERT INTO revocation SELECT id, cert, issuer, shard, serial, not_after, revoked_at, reason"
    "  FROM revocation_2;"
    "DROP TABLE revocation_2;"
    "CREATE INDEX revocation_by_cert ON revocation (cert);"
    "CREATE INDEX revocation_in_order ON revocation (issuer, shard, length(serial), serial,"
    "  revoked_at, not_after, reason);"
    "CREATE TABLE hold_end ("
    "  id INTEGER PRIMARY KEY, revocation INTEGER NOT NULL UNIQUE REFERENCES revocation (id),"
    "  issuer TEXT NOT NULL, shard INTEGER NOT NULL, ended_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX hold_end_of ON hold_end (issuer, shard);"
    "CREATE TABLE crl_out ("
    "  id INTEGER PRIMARY KEY, issuer TEXT NOT NULL, shard INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, UNIQUE (issuer, shard, number)) STRICT;"
    "DROP TABLE authority;"
    "CREATE TABLE authority ("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL, state INTEGER NOT NULL, parent TEXT NOT NULL,"
    "  key TEXT NOT NULL, revoked INTEGER NOT NULL, subject TEXT NOT NULL, der BLOB,"
    "  recorded_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX authority_by_name ON authority (name);"
    "CREATE INDEX authority_by_subject ON authority (subject);",
};

/* ---- SQLite with our errors ---- */

static void stmt_freep(sqlite3_stmt **stmt)
{
    sqlite3_finalize(*stmt);
}

static bool fail_busy(const struct sqlite *me, struct ps_err *err)
{
    ps_fail(err, PS_E_BUSY, _("the ledger \"%s\" is in use by another pgseal"), me->path);
    return ps_hint(err, _("Run the command again."));
}

/* SQLite calls much of what a disk does an I/O error. */
static void hint_of_disk(const char *path, struct ps_err *err)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0)
        return;
    if (fs.f_flag & ST_RDONLY)
        ps_hint(err, _("The file system is mounted read-only."));
    else if (fs.f_bavail == 0)
        ps_hint(err, _("No space is left on the file system."));
}

static bool fail_db(const struct sqlite *me, struct ps_err *err)
{
    switch (sqlite3_extended_errcode(me->db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        ps_fail(err, PS_E_EXISTS, _("it is in the ledger \"%s\" already"), me->path);
        return false;
    }
    if (sqlite3_errcode(me->db) == SQLITE_BUSY || sqlite3_errcode(me->db) == SQLITE_LOCKED)
        return fail_busy(me, err);
    ps_fail(err, PS_E_STORE, _("could not use the ledger \"%s\""), me->path);
    ps_detail(err, _("SQLite says: %s."), sqlite3_errmsg(me->db));
    hint_of_disk(me->path, err);
    return ps_at(err, me->path, 0, 0);
}

static bool sqlite_script(void *db, const char *sql, struct ps_err *err)
{
    struct sqlite *me = db;

    return sqlite3_exec(me->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_db(me, err);
}

static bool bind_all(sqlite3_stmt *stmt, const struct value *values, int len)
{
    for (int i = 0; i < len; i++) {
        const struct value *value = &values[i];
        int code = SQLITE_OK;

        switch (value->type) {
        case VALUE_NULL: code = sqlite3_bind_null(stmt, i + 1); break;
        case VALUE_INT: code = sqlite3_bind_int64(stmt, i + 1, value->number); break;
        case VALUE_TEXT:
            code = sqlite3_bind_text64(stmt, i + 1, value->bytes, value->len, SQLITE_STATIC,
                                       SQLITE_UTF8);
            break;
        case VALUE_BLOB:
            code = sqlite3_bind_blob64(stmt, i + 1, value->bytes, value->len, SQLITE_STATIC);
            break;
        }
        if (code != SQLITE_OK)
            return false;
    }
    return true;
}

static struct value column(sqlite3_stmt *stmt, int at)
{
    struct value value = { .type = VALUE_NULL };

    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_INTEGER:
        return value_int(sqlite3_column_int64(stmt, at));
    case SQLITE_TEXT:
        value.type = VALUE_TEXT;
        value.bytes = sqlite3_column_text(stmt, at);
        break;
    case SQLITE_BLOB:
        value.type = VALUE_BLOB;
        value.bytes = sqlite3_column_blob(stmt, at);
        break;
    default:
        return value;
    }
    value.len = (size_t)sqlite3_column_bytes(stmt, at);
    return value;
}

static bool give_rows(struct sqlite *me, sqlite3_stmt *stmt, row_fn fn, void *arg,
                      struct ps_err *err)
{
    struct value columns[ENGINE_COLUMNS_MAX];
    const int len = sqlite3_column_count(stmt);
    int step;

    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < len; i++)
            columns[i] = column(stmt, i);
        if (fn && !fn(arg, columns, err))
            return false;
    }
    return step == SQLITE_DONE || fail_db(me, err);
}

static bool sqlite_run(void *db, const char *sql, const struct value *values, int len, row_fn fn,
                       void *arg, struct ps_err *err)
{
    struct sqlite *me = db;
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(me->db, sql, -1, &stmt, NULL) != SQLITE_OK
        || !bind_all(stmt, values, len))
        return fail_db(me, err);
    return give_rows(me, stmt, fn, arg, err);
}

static bool need_cache(struct sqlite *me, size_t rows, struct ps_err *err)
{
    if (me->large_cache || rows < CACHE_ROWS)
        return true;
    PS_AUTO(ps_freep) char *sql = ps_asprintf("PRAGMA cache_size = -%d", CACHE_KIB);

    me->large_cache = sqlite_script(me, sql, err);
    return me->large_cache;
}

static bool sqlite_run_many(void *db, const char *sql, const struct value *values, int len,
                            size_t rows, struct ps_err *err)
{
    struct sqlite *me = db;
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (!need_cache(me, rows, err))
        return false;
    if (sqlite3_prepare_v2(me->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return fail_db(me, err);
    for (size_t i = 0; i < rows; i++) {
        if (!bind_all(stmt, values + i * (size_t)len, len)
            || sqlite3_step(stmt) != SQLITE_DONE || sqlite3_reset(stmt) != SQLITE_OK)
            return fail_db(me, err);
    }
    return true;
}

/* ---- open ---- */

/*
 * SQLite would make it 0644; its companions -wal and -shm take the mode of the file.  One that
 * exists is not opened here: closing it would drop the locks that SQLite holds on it in this
 * process.
 */
static bool make_private(const char *path, struct ps_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno != EEXIST) {
        ps_fail(err, PS_E_IO, _("could not open the ledger \"%s\": %m"), path);
        return ps_at(err, path, 0, 0);
    }
    if (fd >= 0)
        close(fd);

    PS_AUTO(ps_freep) char *dir = path_dir(path);
    return dir_sync(dir, err);
}

/*
 * SQLite's own locks do not cover the first switch to WAL while another process closes the file as
 * its last user and removes the log: one of them then sees an I/O error.  So opening and closing
 * take turns, by a lock on the folder (a lock on the file would drop SQLite's when its descriptor
 * closes).
 */
struct turn {
    int fd;             /* -1: there is no such folder */
    bool busy;          /* waited as long as one may */
};

static struct turn turn_take(const char *path)
{
    PS_AUTO(ps_freep) char *dir = path_dir(path);
    struct turn turn = { .fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
    const int64_t deadline_ms = clock_mono_ms() + STORE_WAIT_MS;

    while (turn.fd >= 0 && !turn.busy && flock(turn.fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR && errno != EWOULDBLOCK)
            break;      /* a file system without locks: SQLite will say so */
        turn.busy = clock_mono_ms() > deadline_ms;
        clock_sleep_ms(TURN_LOOK_MS);
    }
    return turn;
}

static void turn_give(struct turn *turn)
{
    if (turn->fd >= 0)
        close(turn->fd);
}

static void release(struct sqlite *me)
{
    sqlite3_close(me->db);
    free(me->path);
    free(me);
}
PS_DEFINE_FREEP(struct sqlite, release)

static void sqlite_close(void *db)
{
    struct sqlite *me = db;
    PS_AUTO(turn_give) __attribute__((unused)) struct turn turn = turn_take(me->path);

    release(me);
}

static bool set_up(struct sqlite *me, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sizes = ps_asprintf("PRAGMA wal_autocheckpoint = %d", CHECKPOINT_PAGES);

    sqlite3_busy_timeout(me->db, STORE_WAIT_MS);
    return sqlite_script(me, "PRAGMA journal_mode = WAL", err)
        && sqlite_script(me, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", err)
        && sqlite_script(me, sizes, err);
}

static bool sqlite_open(const char *where, void **db, struct ps_err *err)
{
    PS_AUTO(turn_give) struct turn turn = turn_take(where);
    PS_AUTO(releasep) struct sqlite *me = ps_calloc(1, sizeof(*me));

    me->path = ps_strdup(where);
    if (turn.busy)
        return fail_busy(me, err);
    if (!make_private(where, err))
        return false;
    /* no mutex: a store is not for two threads */
    if (sqlite3_open_v2(where, &me->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, NULL)
        != SQLITE_OK)
        return fail_db(me, err);
    if (!set_up(me, err))
        return false;
    *db = PS_TAKE(me);
    return true;
}

static bool take_version(void *arg, const struct value *columns, struct ps_err *err)
{
    (void)err;
    *(int64_t *)arg = columns[0].number;
    return true;
}

static bool sqlite_version(void *db, int64_t *out, struct ps_err *err)
{
    return sqlite_run(db, "PRAGMA user_version", NULL, 0, take_version, out, err);
}

static bool sqlite_set_version(void *db, int64_t version, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sql = ps_asprintf("PRAGMA user_version = %" PRId64, version);

    return sqlite_script(db, sql, err);
}

static char *sqlite_where(void *db)
{
    return ps_strdup(((struct sqlite *)db)->path);
}

/* ---- the place ---- */

/* Written once, when the system is installed: machine-id(5). */
static char *machine_id(void)
{
    PS_AUTO(buf_free) struct buf id = BUF(0);
    struct ps_err ignored;

    if (!file_read("/etc/machine-id", 64, &id, &ignored))
        return ps_strdup("?");
    return ps_strndup(buf_text(&id), strcspn(buf_text(&id), "\n"));
}

/*
 * A copy has another inode, or was born at another time.  Not the device: its number may change
 * when the machine starts again.
 */
static bool sqlite_place(void *db, char **out, struct ps_err *err)
{
    const struct sqlite *me = db;
    PS_AUTO(ps_freep) char *machine = machine_id();
    struct statx st;

    if (statx(AT_FDCWD, me->path, 0, STATX_INO | STATX_BTIME, &st) != 0) {
        ps_fail(err, PS_E_IO, _("could not look at \"%s\": %m"), me->path);
        return ps_at(err, me->path, 0, 0);
    }
    *out = ps_asprintf("machine %s, inode %llu, born %lld.%09u", machine,
                       (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec,
                       st.stx_btime.tv_nsec);
    return true;
}

/* ---- transactions ---- */

static bool sqlite_begin(void *db, bool writer, struct ps_err *err)
{
    return sqlite_script(db, writer ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static bool sqlite_begin_migration(void *db, struct ps_err *err)
{
    return sqlite_script(db, "BEGIN IMMEDIATE", err);
}

static bool sqlite_commit(void *db, bool *unknown, struct ps_err *err)
{
    *unknown = false;       /* a commit that fails has not happened */
    return sqlite_script(db, "COMMIT", err);
}

static bool sqlite_again(void *db, struct ps_err *err)
{
    (void)db;
    return ps_fail(err, PS_E_BUG, "there is no connection that could break");
}

/* One folder, one file, one host: its lock is the folder's. */
static bool sqlite_hold(void *db, bool take, struct ps_err *err)
{
    (void)db;
    (void)take;
    (void)err;
    return true;
}

static void sqlite_rollback(void *db)
{
    sqlite3_exec(((struct sqlite *)db)->db, "ROLLBACK", NULL, NULL, NULL);
}

const struct store_engine engine_sqlite = {
    .name = "sqlite",
    .migrations = migrations,
    .migrations_len = PS_COUNT(migrations),
    .open = sqlite_open,
    .close = sqlite_close,
    .version = sqlite_version,
    .set_version = sqlite_set_version,
    .where = sqlite_where,
    .place = sqlite_place,
    .begin = sqlite_begin,
    .begin_migration = sqlite_begin_migration,
    .script = sqlite_script,
    .commit = sqlite_commit,
    .again = sqlite_again,
    .rollback = sqlite_rollback,
    .hold = sqlite_hold,
    .run = sqlite_run,
    .run_many = sqlite_run_many,
};
