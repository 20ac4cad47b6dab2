/* sqlite.c - the ledger in SQLite; see store.h. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

struct store {
    sqlite3 *db;
    char *path;
};

/* Numbered from 1; what has been published is never changed, only added to. */
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
};

/* ---- SQLite with our errors ---- */

static void stmt_freep(sqlite3_stmt **stmt)
{
    sqlite3_finalize(*stmt);
}

static bool fail_db(const struct store *store, struct ps_err *err)
{
    int code = sqlite3_errcode(store->db);

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        ps_fail(err, PS_E_BUSY, _("the ledger \"%s\" is in use by another pgseal"), store->path);
        return ps_hint(err, _("Run the command again."));
    }
    ps_fail(err, PS_E_STORE, _("could not use the ledger \"%s\""), store->path);
    ps_detail(err, _("SQLite says: %s."), sqlite3_errmsg(store->db));
    return ps_at(err, store->path, 0, 0);
}

/* The bytes of a serial in hex: SQLite has unhex() from 3.41 on only. */
static void unhex_serial(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    const char *hex = (const char *)sqlite3_value_text(argv[0]);
    unsigned char bytes[STORE_SERIAL_MAX];
    unsigned byte;
    int len = 0;

    (void)argc;
    while (len < STORE_SERIAL_MAX && sscanf(hex + 2 * len, "%2x", &byte) == 1)
        bytes[len++] = (unsigned char)byte;
    sqlite3_result_blob(to, bytes, len, SQLITE_TRANSIENT);
}

static bool exec(struct store *store, const char *sql, struct ps_err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_db(store, err);
}

static bool prepare(struct store *store, const char *sql, sqlite3_stmt **out, struct ps_err *err)
{
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK || fail_db(store, err);
}

static bool bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    return sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_int(sqlite3_stmt *stmt, int at, int64_t value)
{
    return sqlite3_bind_int64(stmt, at, value) == SQLITE_OK;
}

/* The one number that a statement gives; it is committed when this returns true. */
static bool one_number(struct store *store, sqlite3_stmt *stmt, int64_t *out, struct ps_err *err)
{
    if (sqlite3_step(stmt) != SQLITE_ROW)
        return fail_db(store, err);
    int64_t value = sqlite3_column_int64(stmt, 0);
    if (sqlite3_step(stmt) != SQLITE_DONE)
        return fail_db(store, err);
    *out = value;
    return true;
}

/* ---- open ---- */

static bool read_version(struct store *store, int64_t *out, struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    return prepare(store, "PRAGMA user_version", &stmt, err) && one_number(store, stmt, out, err);
}

static bool migrate_from(struct store *store, int64_t version, struct ps_err *err)
{
    const int64_t newest = PS_COUNT(migrations);

    if (version > newest) {
        ps_fail(err, PS_E_UNSUPPORTED, _("the ledger \"%s\" was written by a newer pgseal"),
                store->path);
        ps_detail(err, _("Its format is %lld; this pgseal knows %lld."), (long long)version,
                  (long long)newest);
        return ps_hint(err, _("Use that pgseal, or a newer one."));
    }
    for (int64_t i = version; i < newest; i++) {
        PS_AUTO(ps_freep) char *note = ps_asprintf("PRAGMA user_version = %lld", (long long)i + 1);

        if (!exec(store, migrations[i], err) || !exec(store, note, err))
            return false;
    }
    return true;
}

/* Two may open a new file at once: the version is read again inside the transaction. */
static bool migrate(struct store *store, struct ps_err *err)
{
    int64_t version;

    if (!read_version(store, &version, err))
        return false;
    if (version == (int64_t)PS_COUNT(migrations))
        return true;
    if (!exec(store, "BEGIN IMMEDIATE", err))
        return false;
    if (read_version(store, &version, err) && migrate_from(store, version, err)
        && exec(store, "COMMIT", err))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* SQLite would make it 0644; its companions -wal and -shm take the mode of the file. */
static bool make_private(const char *path, struct ps_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        ps_fail(err, PS_E_IO, _("could not open the ledger \"%s\": %m"), path);
        return ps_at(err, path, 0, 0);
    }
    close(fd);

    PS_AUTO(ps_freep) char *dir = path_dir(path);
    return dir_sync(dir, err);
}

/*
 * SQLite's own locks do not cover the first switch to WAL while another process closes the file as its
 * last user and removes the log: one of them then sees an I/O error.  So opening and closing take
 * turns, by a lock on the folder (a lock on the file would drop SQLite's when its descriptor closes).
 */
static int turn_take(const char *path)
{
    PS_AUTO(ps_freep) char *dir = path_dir(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    return fd;
}

static void turn_give(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void release(struct store *store)
{
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}
PS_DEFINE_FREEP(struct store, release)

bool store_open(const char *path, struct store **out, struct ps_err *err)
{
    PS_AUTO(turn_give) __attribute__((unused)) int turn = turn_take(path);
    PS_AUTO(releasep) struct store *store = ps_calloc(1, sizeof(*store));

    store->path = ps_strdup(path);
    if (!make_private(path, err))
        return false;
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL)
        != SQLITE_OK)
        return fail_db(store, err);
    sqlite3_busy_timeout(store->db, STORE_WAIT_MS);
    if (sqlite3_create_function(store->db, "unhex_serial", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                NULL, unhex_serial, NULL, NULL) != SQLITE_OK)
        return fail_db(store, err);
    if (!exec(store, "PRAGMA journal_mode = WAL", err)
        || !exec(store, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", err)
        || !migrate(store, err))
        return false;

    *out = PS_TAKE(store);
    return true;
}

void store_free(struct store *store)
{
    PS_AUTO(turn_give) __attribute__((unused)) int turn = turn_take(store->path);

    release(store);
}

/* ---- the ledger ---- */

static bool fail_twice(const struct store *store, const struct store_cert *cert,
                       struct ps_err *err)
{
    if (sqlite3_extended_errcode(store->db) != SQLITE_CONSTRAINT_UNIQUE)
        return fail_db(store, err);
    ps_fail(err, PS_E_EXISTS, _("certificate %s is in the ledger already"), cert->serial_hex);
    return ps_detail(err, _("Its issuer is \"%s\"."), cert->issuer);
}

bool store_put_cert(struct store *store, const struct store_cert *cert, struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (!prepare(store, "INSERT INTO cert (issuer, serial, subject, kind, fingerprint, not_before,"
                        " not_after, recorded_at, der) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                 &stmt, err))
        return false;
    if (!bind_text(stmt, 1, cert->issuer) || !bind_text(stmt, 2, cert->serial_hex)
        || !bind_text(stmt, 3, cert->subject) || !bind_text(stmt, 4, cert->kind)
        || !bind_text(stmt, 5, cert->fingerprint) || !bind_int(stmt, 6, cert->not_before)
        || !bind_int(stmt, 7, cert->not_after) || !bind_int(stmt, 8, clock_now())
        || sqlite3_bind_blob64(stmt, 9, cert->der, cert->der_len, SQLITE_STATIC) != SQLITE_OK)
        return fail_db(store, err);
    return sqlite3_step(stmt) == SQLITE_DONE || fail_twice(store, cert, err);
}

static bool find_cert(struct store *store, const char *issuer, const char *serial_hex, int64_t *id,
                      struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (!prepare(store, "SELECT id FROM cert WHERE issuer = ?1 AND serial = ?2", &stmt, err))
        return false;
    if (!bind_text(stmt, 1, issuer) || !bind_text(stmt, 2, serial_hex))
        return fail_db(store, err);

    int step = sqlite3_step(stmt);
    if (step == SQLITE_DONE) {
        ps_fail(err, PS_E_NOT_FOUND, _("certificate %s is not in the ledger"), serial_hex);
        return ps_detail(err, _("\"%s\" has not issued it here."), issuer);
    }
    if (step != SQLITE_ROW)
        return fail_db(store, err);
    *id = sqlite3_column_int64(stmt, 0);
    return true;
}

bool store_revoke(struct store *store, const char *issuer, const char *serial_hex, time_t when,
                  int reason, struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;
    int64_t id = 0;

    /* two statements are enough: a certificate is never taken out of the ledger */
    if (!find_cert(store, issuer, serial_hex, &id, err)
        || !prepare(store, "INSERT INTO revocation (cert, revoked_at, reason) VALUES (?1, ?2, ?3)"
                           " ON CONFLICT DO NOTHING", &stmt, err))
        return false;
    if (!bind_int(stmt, 1, id) || !bind_int(stmt, 2, when) || !bind_int(stmt, 3, reason)
        || sqlite3_step(stmt) != SQLITE_DONE)
        return fail_db(store, err);
    return true;
}

bool store_each_revoked(struct store *store, const char *issuer, int shard, store_revoked_fn fn,
                        void *arg, struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;
    int step;

    (void)shard;
    if (!prepare(store, "SELECT unhex_serial(serial), revoked_at, reason, not_after"
                        " FROM revocation JOIN cert ON cert.id = revocation.cert"
                        " WHERE issuer = ?1 ORDER BY length(serial), serial", &stmt, err))
        return false;
    if (!bind_text(stmt, 1, issuer))
        return fail_db(store, err);
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct store_revoked entry = {
            .serial = sqlite3_column_blob(stmt, 0),
            .serial_len = (size_t)sqlite3_column_bytes(stmt, 0),
            .when = sqlite3_column_int64(stmt, 1), .reason = sqlite3_column_int(stmt, 2),
            .not_after = sqlite3_column_int64(stmt, 3),
        };
        if (!fn(arg, &entry, err))
            return false;
    }
    return step == SQLITE_DONE || fail_db(store, err);
}

bool store_next_crl_number(struct store *store, const char *issuer, int shard, int64_t *out,
                           struct ps_err *err)
{
    (void)shard;
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (!prepare(store, "INSERT INTO crl_number (issuer, number) VALUES (?1, 1)"
                        " ON CONFLICT (issuer) DO UPDATE SET number = number + 1 RETURNING number",
                 &stmt, err))
        return false;
    if (!bind_text(stmt, 1, issuer))
        return fail_db(store, err);
    return one_number(store, stmt, out, err);
}

bool store_count(struct store *store, const struct store_filter *filter, int64_t *out,
                 struct ps_err *err)
{
    PS_AUTO(stmt_freep) sqlite3_stmt *stmt = NULL;

    if (!prepare(store, "SELECT count(*) FROM cert WHERE ?1 IS NULL OR kind = ?1", &stmt, err))
        return false;
    if (!bind_text(stmt, 1, filter->kind))
        return fail_db(store, err);
    return one_number(store, stmt, out, err);
}
