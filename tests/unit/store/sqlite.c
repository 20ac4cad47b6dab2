/* What only a ledger in a file promises: its mode, and what older versions left in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"
#include "tls/cert.h"

struct place {
    char *dir, *path;
};

static int make_place(void **state)
{
    struct place *place = ps_calloc(1, sizeof(*place));
    struct ps_err err = { 0 };

    if (!dir_temp(&place->dir, &err))
        return -1;
    place->path = path_join(place->dir, "ledger.db");
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;

    dir_remove_all(place->dir);
    free(place->dir);
    free(place->path);
    free(place);
    return 0;
}

static struct store *open_at(const char *path)
{
    struct store *store = NULL;
    struct ps_err err = { 0 };

    if (!store_open(path, &store, &err))
        fail_msg("%s %s", err.message, err.detail);
    return store;
}

static void the_file_is_private_and_keeps_what_it_was_told(void **state)
{
    struct place *place = *state;
    struct ps_err err = { 0 };
    struct stat st;
    int64_t count;

    umask(0);
    for (int round = 1; round <= 2; round++) {      /* the second open finds the first's rows */
        PS_AUTO(store_freep) struct store *store = open_at(place->path);
        char serial[3] = { '0', (char)('0' + round), '\0' };
        const struct store_cert cert = {
            .serial_hex = serial, .issuer = "CN=a", .subject = "CN=x", .kind = "server",
            .fingerprint = "ab", .not_before = 1, .not_after = 2, .der = "der", .der_len = 3,
        };

        assert_true(store_put_cert(store, &cert, &err));
        assert_true(store_count(store, &(struct store_filter){ 0 }, &count, &err));
        assert_int_equal(count, round);
    }
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_is_no_database_is_refused(void **state)
{
    struct place *place = *state;
    struct store *store = NULL;
    struct ps_err err = { 0 };
    static const char text[] = "this is certainly no database, however long one looks at it ......"
                               "..............................................................";

    assert_true(file_write(place->path, text, sizeof(text), 0600, &err));
    assert_false(store_open(place->path, &store, &err));
    assert_int_equal(err.code, PS_E_STORE);
    assert_true(file_remove(place->path, &err));
    assert_false(store_open("/nowhere/at/all/ledger.db", &store, &err));
    assert_int_equal(err.code, PS_E_IO);
}

static void a_file_that_was_copied_is_noticed(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *other = path_join(place->dir, "other.db");
    PS_AUTO(ps_freep) char *moved = path_join(place->dir, "moved.db");
    PS_AUTO(buf_free) struct buf bytes = BUF(0);
    struct store *store = open_at(place->path);
    struct ps_err err = { 0 };

    store_freep(&store);
    assert_true(file_read(place->path, FILE_CONF_MAX, &bytes, &err));
    assert_true(file_write(other, bytes.p, bytes.len, 0600, &err));
    store = open_at(other);
    assert_true(store_info(store)->copied);
    store_freep(&store);
    assert_int_equal(rename(place->path, moved), 0);    /* the same file under another name */
    store = open_at(moved);
    assert_false(store_info(store)->copied);
    store_free(store);
}

static void what_is_a_connection_string_and_what_a_path(void **state)
{
    static const struct {
        const char *where;
        bool remote;
    } cases[] = {
        { "postgresql://ca@db1/pki", true }, { "postgres:///pki", true },
        { "host=db1 dbname=pki", true }, { "dbname = pki", true },
        { "ledger.db", false }, { "/var/lib/ca/ledger.db", false }, { "./host=db1", false },
        { "/srv/a=b/ledger.db", false }, { "", false }, { "=", false },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++)
        assert_int_equal(store_is_remote(cases[i].where), cases[i].remote);
}

/* ---- version 1 ---- */

static const char version_1[] =
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
    "  issuer TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;"
    "INSERT INTO crl_number VALUES ('CN=ca', 17), ('CN=other', 3);"
    "PRAGMA user_version = 1;";

static void make_old(const char *path, const struct buf *der)
{
    sqlite3_stmt *stmt;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, version_1, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO cert VALUES (?1, 'CN=ca', '0' || ?1, 'CN=x',"
                                            " 'server', 'ab', 1, 2, 3, ?2)", -1, &stmt, NULL),
                     SQLITE_OK);
    for (int id = 1; id <= 3; id++) {
        sqlite3_bind_int(stmt, 1, id);
        sqlite3_bind_blob(stmt, 2, der->p, (int)der->len, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO revocation VALUES (2, 100, 4)", NULL, NULL,
                                  NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void make_der(struct buf *out)
{
    static const char *const hosts[] = { "db1.example.net", "10.0.0.1", NULL };
    const struct cert_spec spec = { .subject = { .cn = "db1" }, .hosts = hosts,
                                    .uses = CERT_USE_SERVER, .not_before = 1, .not_after = 2 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct ps_err err = { 0 };

    if (!key_generate(KEY_EC_P256, &key, &err)
        || !cert_make(&spec, key, NULL, NULL, &cert, &err) || !cert_to_der(cert, out, &err))
        fail_msg("%s", err.message);
}

static bool see_revoked(void *arg, const struct store_revoked *entry, struct ps_err *err)
{
    (void)err;
    assert_int_equal(entry->serial_len, 1);
    assert_int_equal(entry->serial[0], 2);
    assert_int_equal(entry->when, 100);
    assert_int_equal(entry->reason, 4);
    ++*(int *)arg;
    return true;
}

static void a_ledger_of_version_1_goes_on(void **state)
{
    struct place *place = *state;
    PS_AUTO(buf_free) struct buf der = BUF(FILE_CONF_MAX);
    struct store_verdict verdict;
    struct ps_err err = { 0 };
    int64_t found = 0, number = 0;
    int revoked = 0;

    make_der(&der);
    make_old(place->path, &der);
    for (int round = 0; round < 2; round++) {
        PS_AUTO(store_freep) struct store *store = open_at(place->path);

        assert_false(store_info(store)->copied);
        assert_true(store_count(store, &(struct store_filter){ .common_name = "db1" }, &found,
                                &err));
        assert_int_equal(found, 3);
        assert_true(store_count(store, &(struct store_filter){ .host = "10.0.0.1" }, &found, &err));
        assert_int_equal(found, 3);
        assert_true(store_each_revoked(store, "CN=ca", 0, see_revoked, &revoked, &err));
        assert_int_equal(revoked, round + 1);
        assert_true(store_next_crl_number(store, "CN=ca", 0, &number, &err));
        assert_int_equal(number, 18 + round);
        assert_true(store_verify(store, &verdict, &err));
        assert_true(verdict.sound);
    }
}

/* ---- version 2 ---- */

/* As version 2 had them: what a ledger has today, with the tables of then. */
static const char back_to_version_2[] =
    "DROP TABLE hold_end; DROP TABLE crl_out; DROP TABLE authority;"
    "CREATE TABLE authority ("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, key TEXT NOT NULL, der BLOB NOT NULL,"
    "  recorded_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX authority_by_name ON authority (name, generation);"
    "ALTER TABLE revocation RENAME TO newer; DROP INDEX revocation_in_order;"
    "CREATE TABLE revocation ("
    "  id INTEGER PRIMARY KEY, cert INTEGER NOT NULL UNIQUE REFERENCES cert (id),"
    "  issuer TEXT NOT NULL, shard INTEGER NOT NULL, serial TEXT NOT NULL,"
    "  not_after INTEGER NOT NULL, revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL) STRICT;"
    "INSERT INTO revocation SELECT * FROM newer; DROP TABLE newer;"
    "CREATE INDEX revocation_in_order ON revocation (issuer, shard, length(serial), serial,"
    "  revoked_at, not_after, reason);"
    "PRAGMA user_version = 2;";

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void make_version_2(const char *path)
{
    PS_AUTO(store_freep) struct store *store = open_at(path);
    const struct store_cert cert = {
        .serial_hex = "02", .issuer = "CN=ca", .subject = "CN=x", .kind = "server",
        .fingerprint = "ab", .not_before = 1, .not_after = 2, .der = "der", .der_len = 3,
    };
    struct ps_err err = { 0 };
    int64_t number;

    assert_true(store_put_cert(store, &cert, &err) && store_revoke(store, "CN=ca", "02", 100, 4, &err)
                && store_next_crl_number(store, "CN=ca", 0, &number, &err));
    store_freep(&store);
    run_sql(path, back_to_version_2);
}

static bool see_act(void *arg, const struct store_act *act, struct ps_err *err)
{
    (void)err;
    snprintf(arg, 32, "%s", act->act);
    return true;
}

static void a_ledger_of_version_2_goes_on(void **state)
{
    struct place *place = *state;
    struct store_verdict verdict;
    struct store_crl_look look;
    struct ps_err err = { 0 };
    int64_t number = 0;
    char last[32] = "", id[STORE_ID_HEX] = "";

    make_version_2(place->path);
    for (int round = 0; round < 2; round++) {
        PS_AUTO(store_freep) struct store *store = open_at(place->path);
        int revoked = 0;

        assert_true(round == 0 || strcmp(id, store_info(store)->id) == 0);
        snprintf(id, sizeof(id), "%s", store_info(store)->id);
        assert_false(store_info(store)->copied);
        assert_true(store_each_revoked(store, "CN=ca", 0, see_revoked, &revoked, &err));
        assert_int_equal(revoked, 1);
        assert_true(store_look_at_crl(store, "CN=ca", 0, 1, "of then", &look, &err));
        assert_true(look.recorded && !look.outdated);
        if (round == 0)
            assert_true(store_each_act(store, 0, see_act, last, &err));
        assert_true(store_next_crl_number(store, "CN=ca", 0, &number, &err));
        assert_int_equal(number, 2 + round);
        assert_true(store_verify(store, &verdict, &err));
        assert_true(verdict.sound);
    }
    assert_string_equal(last, "migrate");
}

/* What brings it up to date must not make it the ledger of this place. */
static void a_copy_of_an_old_ledger_stays_a_copy(void **state)
{
    struct place *place = *state;
    struct ps_err err = { 0 };

    make_version_2(place->path);
    run_sql(place->path, "UPDATE ledger SET value = 'elsewhere' WHERE key = 'home'");
    PS_AUTO(store_freep) struct store *store = open_at(place->path);
    assert_true(store_info(store)->copied);
    assert_false(store_revoke(store, "CN=ca", "02", 100, 4, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(the_file_is_private_and_keeps_what_it_was_told),
        FILE_TEST(what_is_no_database_is_refused),
        FILE_TEST(a_file_that_was_copied_is_noticed),
        FILE_TEST(what_is_a_connection_string_and_what_a_path),
        FILE_TEST(a_ledger_of_version_1_goes_on),
        FILE_TEST(a_ledger_of_version_2_goes_on),
        FILE_TEST(a_copy_of_an_old_ledger_stays_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
