/* The promises of store/store.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

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

static bool put(struct store *store, const char *issuer, const char *serial, const char *kind,
                struct ps_err *err)
{
    struct store_cert cert = { .serial_hex = serial, .issuer = issuer, .subject = "CN=x",
                               .kind = kind, .fingerprint = "ab", .not_before = 1, .not_after = 2,
                               .der = "der", .der_len = 3 };
    return store_put_cert(store, &cert, err);
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

        assert_true(put(store, "CN=a", serial, "server", &err));
        assert_true(store_count(store, &(struct store_filter){ 0 }, &count, &err));
        assert_int_equal(count, round);
    }
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_serial_is_given_once_for_each_issuer(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->path);
    struct ps_err err = { 0 };
    int64_t count;

    assert_true(put(store, "CN=a", "01", "server", &err));
    assert_true(put(store, "CN=b", "01", "client", &err));
    assert_false(put(store, "CN=a", "01", "client", &err));
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_true(store_count(store, &(struct store_filter){ .kind = "client" }, &count,
                            &err));
    assert_int_equal(count, 1);
    assert_true(store_count(store, &(struct store_filter){ 0 }, &count, &err));
    assert_int_equal(count, 2);
}

struct seen {
    struct store_revoked at[4];
    size_t len;
};

static bool see(void *arg, const struct store_revoked *entry, struct ps_err *err)
{
    struct seen *seen = arg;

    (void)err;
    assert_true(seen->len < PS_COUNT(seen->at));
    seen->at[seen->len] = *entry;
    seen->at[seen->len++].serial = ps_memdup(entry->serial, entry->serial_len);
    return true;
}

static void forget(struct seen *seen)
{
    for (size_t i = 0; i < seen->len; i++)
        free((void *)seen->at[i].serial);
}

static void revocations_are_sorted_and_the_first_one_stays(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->path);
    PS_AUTO(forget) struct seen seen = { 0 };
    struct ps_err err = { 0 };

    assert_true(put(store, "CN=a", "50aa", "client", &err));
    assert_true(put(store, "CN=a", "4fff", "client", &err));
    assert_true(put(store, "CN=a", "0a", "client", &err));
    assert_true(put(store, "CN=b", "01", "client", &err));
    assert_true(store_revoke(store, "CN=a", "50aa", 100, 1, &err));
    assert_true(store_revoke(store, "CN=a", "50aa", 200, 5, &err));
    assert_true(store_revoke(store, "CN=a", "0a", 150, 0, &err));
    assert_true(store_revoke(store, "CN=b", "01", 150, 0, &err));

    assert_true(store_each_revoked(store, "CN=a", 0, see, &seen, &err));
    assert_int_equal(seen.len, 2);
    assert_int_equal(seen.at[0].serial_len, 1);
    assert_memory_equal(seen.at[0].serial, "\x0a", 1);
    assert_memory_equal(seen.at[1].serial, "\x50\xaa", 2);
    assert_int_equal(seen.at[1].when, 100);
    assert_int_equal(seen.at[1].reason, 1);

    assert_false(store_revoke(store, "CN=a", "77", 1, 0, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(store_revoke(store, "CN=c", "0a", 1, 0, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
}

static void a_ledger_of_a_newer_pgseal_is_refused_untouched(void **state)
{
    struct place *place = *state;
    struct store *store = open_at(place->path);
    struct ps_err err = { 0 };
    sqlite3 *db;

    store_freep(&store);
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_false(store_open(place->path, &store, &err));
    assert_int_equal(err.code, PS_E_UNSUPPORTED);
    assert_null(store);
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

enum { PROCESSES = 4, EACH = 25 };

/* Opens the file like a stranger, takes numbers, and dies without a word if one does not grow. */
static void take_numbers(const char *path, int me)
{
    struct store *store = open_at(path);
    struct ps_err err = { 0 };
    int64_t number, before = 0;

    for (int i = 0; i < EACH; i++) {
        char serial[16];

        snprintf(serial, sizeof(serial), "%02x%02x", me, i);
        if (!store_next_crl_number(store, "CN=a", 0, &number, &err) || number <= before
            || !put(store, "CN=a", serial, "client", &err))
            _exit(1);
        before = number;
    }
    store_free(store);
    _exit(0);
}

static void crl_numbers_grow_across_processes_from_the_first_open(void **state)
{
    struct place *place = *state;
    struct ps_err err = { 0 };
    int64_t number, count;

    for (int me = 0; me < PROCESSES; me++)      /* all of them find no file yet */
        if (fork() == 0)
            take_numbers(place->path, me);
    for (int me = 0; me < PROCESSES; me++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }

    PS_AUTO(store_freep) struct store *store = open_at(place->path);
    assert_true(store_next_crl_number(store, "CN=a", 0, &number, &err));
    assert_int_equal(number, PROCESSES * EACH + 1);
    assert_true(store_next_crl_number(store, "CN=b", 0, &number, &err));
    assert_int_equal(number, 1);
    assert_true(store_count(store, &(struct store_filter){ .kind = "client" }, &count,
                            &err));
    assert_int_equal(count, PROCESSES * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_is_private_and_keeps_what_it_was_told, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(a_serial_is_given_once_for_each_issuer, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(revocations_are_sorted_and_the_first_one_stays, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(a_ledger_of_a_newer_pgseal_is_refused_untouched, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, make_place, drop_place),
        cmocka_unit_test_setup_teardown(crl_numbers_grow_across_processes_from_the_first_open,
                                        make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
