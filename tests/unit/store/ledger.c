/*
 * The promises of store/store.h, the same for both engines: in a file, or, with a connection string in
 * PGSEAL_TEST_LEDGER, in that database (whose schema "pgseal" is dropped before each test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pg/libpq.h"
#include "store/store.h"

enum { DAY = 24 * 60 * 60, NOW = 1800000000 };

struct place {
    char *dir;
    char *where;        /* of the ledger */
    bool remote;
};

/* SQL behind the back of the ledger. */
static void tamper(const struct place *place, const char *sql)
{
    if (place->remote) {
        struct ps_err err = { 0 };
        assert_true(pq_load(&err));
        PGconn *conn = pq.connectdb(place->where);
        PGresult *result = pq.exec(conn, sql);

        if (pq.resultStatus(result) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", sql, pq.errorMessage(conn));
        pq.clear(result);
        pq.finish(conn);
    } else {
        sqlite3 *db;

        assert_int_equal(sqlite3_open(place->where, &db), SQLITE_OK);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_close(db);
    }
}

static int make_place(void **state)
{
    const char *remote = getenv("PGSEAL_TEST_LEDGER");
    struct place *place = ps_calloc(1, sizeof(*place));
    struct ps_err err = { 0 };

    if (!dir_temp(&place->dir, &err))
        return -1;
    place->remote = remote != NULL;
    place->where = remote ? ps_strdup(remote) : path_join(place->dir, "ledger.db");
    if (remote)
        tamper(place, "SET client_min_messages = error; DROP SCHEMA IF EXISTS pgseal CASCADE");
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;

    dir_remove_all(place->dir);
    free(place->dir);
    free(place->where);
    free(place);
    return 0;
}

static void must(bool done, const struct ps_err *err)
{
    if (!done)
        fail_msg("%s | %s", err->message, err->detail);
}

static struct store *open_at(const char *where)
{
    struct store *store = NULL;
    struct ps_err err = { 0 };

    must(store_open(where, &store, &err), &err);
    return store;
}

/* A client certificate that ends so many days from NOW. */
static struct store_cert client(const char *serial, const char *name, int days)
{
    return (struct store_cert){
        .serial_hex = serial, .issuer = "CN=ca", .subject = "CN=x", .kind = "client",
        .fingerprint = "00112233445566778899", .common_name = name, .not_before = NOW - DAY,
        .not_after = NOW + days * DAY, .der = "d\0r", .der_len = 3,
    };
}

static void put(struct store *store, const char *serial, const char *name, int days)
{
    const struct store_cert cert = client(serial, name, days);
    struct ps_err err = { 0 };

    must(store_put_cert(store, &cert, &err), &err);
}

static int64_t count(struct store *store, const struct store_filter *filter)
{
    struct ps_err err = { 0 };
    int64_t found = -1;

    must(store_count(store, filter, &found, &err), &err);
    return found;
}

/* ---- what comes out, as text ---- */

static bool add_serial(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    (void)err;
    return buf_printf(arg, "%s ", entry->cert.serial_hex);
}

static void expect_list(struct store *store, const struct store_filter *filter, const char *want)
{
    PS_AUTO(buf_free) struct buf got = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };

    must(store_list(store, filter, add_serial, &got, &err), &err);
    assert_string_equal(buf_text(&got), want);
}

static bool add_revoked(void *arg, const struct store_revoked *entry, struct ps_err *err)
{
    (void)err;
    for (size_t i = 0; i < entry->serial_len; i++)
        buf_printf(arg, "%02x", entry->serial[i]);
    return buf_printf(arg, "/%d ", entry->reason);
}

static void expect_revoked(struct store *store, int shard, const char *want)
{
    PS_AUTO(buf_free) struct buf got = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };

    must(store_each_revoked(store, "CN=ca", shard, add_revoked, &got, &err), &err);
    assert_string_equal(buf_text(&got), want);
}

static void expect_sound(struct store *store)
{
    struct store_verdict verdict;
    struct ps_err err = { 0 };

    must(store_verify(store, &verdict, &err), &err);
    if (!verdict.sound)
        fail_msg("act %lld: %s", (long long)verdict.bad_act, verdict.what);
}

/* ---- certificates ---- */

static int words(const char *list)
{
    int len = 0;

    for (; (list = strchr(list, ' ')); list++)
        len++;
    return len;
}

static void what_is_asked_for_is_found(void **state)
{
    static const char *const hosts[] = { "DB1.example.net", "db_1.example.net", NULL };
    static const char *const addresses[] = { "::1", NULL };
    static const struct {
        struct store_filter filter;
        const char *want;
    } cases[] = {
        { { 0 }, "0a 50aa 4fff 77 " },
        { { .descending = true }, "77 4fff 50aa 0a " },
        { { .sort = STORE_BY_END }, "4fff 0a 77 50aa " },
        { { .sort = STORE_BY_END, .limit = 2 }, "4fff 0a " },
        { { .sort = STORE_BY_NAME, .descending = true, .limit = 1 }, "50aa " },
        { { .serial_hex = "50aa" }, "50aa " },
        { { .serial_hex = "50aa", .issuer = "CN=other" }, "" },
        { { .serial_hex = "50AA' OR 1=1 --" }, "" },
        { { .fingerprint = "aabbccddeeff" }, "77 " },
        { { .fingerprint = "aabbccdd" }, "" },
        { { .common_name = "ana" }, "0a 4fff " },
        { { .common_name = "an%" }, "" },
        { { .kind = "server" }, "77 " },
        { { .host = "db1.EXAMPLE.net" }, "77 " },
        { { .host = "::1" }, "77 " },
        { { .host = "db%" }, "" },
        { { .host = "dbx1.example.net" }, "" },
        { { .host = "db1" }, "" },
        { { .state = STORE_VALID }, "50aa 77 " },
        { { .state = STORE_EXPIRED }, "4fff " },
        { { .state = STORE_REVOKED }, "0a " },
        { { .within_days = 10 }, "0a " },
        { { .within_days = 30, .state = STORE_VALID }, "77 " },
    };
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };
    struct store_cert server = client("77", "db1.example.net", 20);

    server.kind = "server";
    server.fingerprint = "aabbccddeeff";
    server.hosts = hosts;
    server.addresses = addresses;
    put(store, "0a", "ana", 5);
    put(store, "50aa", "zoe \"O'Brien\" 'ñ' %", 90);
    put(store, "4fff", "ana", -1);
    must(store_put_cert(store, &server, &err), &err);
    must(store_revoke(store, "CN=ca", "0a", NOW, 1, &err), &err);

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct store_filter filter = cases[i].filter;

        filter.now = NOW;
        expect_list(store, &filter, cases[i].want);
        if (!filter.limit)
            assert_int_equal(count(store, &filter), words(cases[i].want));
    }
}

static void what_was_replaced_is_left_out_on_demand(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    const struct store_filter newest = { .newest = true };
    struct ps_err err = { 0 };

    put(store, "01", "a", 5);
    put(store, "02", "b", 6);
    put(store, "03", "a", 90);
    expect_list(store, &newest, "02 03 ");
    must(store_revoke(store, "CN=ca", "03", NOW, 1, &err), &err);
    expect_list(store, &newest, "01 02 03 ");       /* a revoked one replaces nothing */
}

static bool check_entry(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    (void)err;
    assert_int_equal(entry->cert.der_len, 3);
    assert_memory_equal(entry->cert.der, "d\0r", 3);
    assert_string_equal(entry->cert.common_name, "a b");
    assert_string_equal(entry->cert.hosts[0], "h1");
    assert_string_equal(entry->cert.hosts[1], "10.0.0.1");
    assert_null(entry->cert.hosts[2]);
    assert_int_equal(entry->cert.shard, 3);
    assert_int_equal(entry->state, STORE_REVOKED);
    assert_int_equal(entry->revoked_at, NOW - 5);
    assert_int_equal(entry->reason, 4);
    ++*(int *)arg;
    return true;
}

static void a_certificate_comes_back_as_it_was(void **state)
{
    static const char *const hosts[] = { "h1", NULL }, *const addresses[] = { "10.0.0.1", NULL };
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };
    struct store_cert cert = client("01", "a b", 1);
    int seen = 0;

    cert.hosts = hosts;
    cert.addresses = addresses;
    cert.shard = 3;
    must(store_put_cert(store, &cert, &err), &err);
    must(store_revoke(store, "CN=ca", "01", NOW - 5, 4, &err), &err);
    must(store_list(store, &(struct store_filter){ .with_der = true, .with_hosts = true },
                    check_entry, &seen, &err), &err);
    assert_int_equal(seen, 1);
}

static void many_are_put_together_or_not_at_all(void **state)
{
    enum { MANY = 1000 };
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    static struct store_cert certs[MANY];
    static char serials[MANY][8];
    struct ps_err err = { 0 };

    for (int i = 0; i < MANY; i++) {
        snprintf(serials[i], sizeof(serials[i]), "40%04x", i);
        certs[i] = client(serials[i], i % 2 ? "odd" : NULL, i);
    }
    must(store_put_certs(store, certs, MANY, &err), &err);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), MANY);
    assert_int_equal(count(store, &(struct store_filter){ .common_name = "odd" }), MANY / 2);

    for (int i = 0; i < MANY - 1; i++)
        serials[i][1] = '1';
    assert_false(store_put_certs(store, certs, MANY, &err));    /* the last is there already */
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), MANY);
    put(store, "01", "after the failure", 1);
    must(store_put_certs(store, certs, 0, &err), &err);
    expect_sound(store);
}

static void a_serial_is_given_once_for_each_issuer(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct store_cert other = client("01", "b", 1);
    struct ps_err err = { 0 };

    put(store, "01", "a", 1);
    assert_false(store_put_cert(store, &other, &err));
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_non_null(strstr(err.message, "01"));
    other.issuer = "CN=other";
    must(store_put_cert(store, &other, &err), &err);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), 2);
}

/* ---- revocation ---- */

static void revocations_are_sorted_and_the_first_one_stays(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };
    struct store_cert shard = client("33", "a", 1);
    int64_t revoked = -1;

    shard.shard = 2;
    must(store_put_cert(store, &shard, &err), &err);
    put(store, "50aa", "a", 1);
    put(store, "4fff", "a", 1);
    put(store, "0a", "b", 1);
    must(store_revoke(store, "CN=ca", "0a", 150, 5, &err), &err);
    must(store_revoke(store, "CN=ca", "0a", 200, 1, &err), &err);
    must(store_revoke_all(store, &(struct store_filter){ .common_name = "a" }, 100, 1, &revoked,
                          &err), &err);
    assert_int_equal(revoked, 3);
    must(store_revoke_all(store, &(struct store_filter){ .common_name = "a" }, 100, 1, &revoked,
                          &err), &err);
    assert_int_equal(revoked, 0);
    expect_revoked(store, 0, "0a/5 4fff/1 50aa/1 ");
    expect_revoked(store, 2, "33/1 ");
    expect_revoked(store, 1, "");

    assert_false(store_revoke(store, "CN=ca", "77", 1, 0, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(store_revoke(store, "CN=other", "0a", 1, 0, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    expect_sound(store);
}

static int64_t next_number(struct store *store, int shard)
{
    struct ps_err err = { 0 };
    int64_t number = -1;

    must(store_next_crl_number(store, "CN=ca", shard, &number, &err), &err);
    return number;
}

static void publish(struct store *store, int64_t number, time_t when)
{
    const struct store_crl crl = { .issuer = "CN=ca", .number = number, .this_update = when,
                                   .next_update = when + DAY, .digest = "ab", .entries = 7 };
    struct ps_err err = { 0 };

    must(store_put_crl(store, &crl, &err), &err);
    must(store_crl_is_out(store, "CN=ca", 0, number, &err), &err);
}

static void an_expired_one_stays_until_a_crl_after_its_end(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };

    put(store, "01", "a", 1);
    put(store, "02", "a", 100);
    put(store, "03", "a", 1);
    must(store_revoke(store, "CN=ca", "01", NOW, 1, &err), &err);
    must(store_revoke(store, "CN=ca", "02", NOW, 1, &err), &err);
    publish(store, next_number(store, 0), NOW);
    expect_revoked(store, 0, "01/1 02/1 ");

    int64_t number = next_number(store, 0);
    must(store_revoke(store, "CN=ca", "03", NOW + 2 * DAY, 1, &err), &err);  /* not on this one */
    publish(store, number, NOW + 2 * DAY);
    expect_revoked(store, 0, "02/1 03/1 ");
    publish(store, next_number(store, 0), NOW + 3 * DAY);
    expect_revoked(store, 0, "02/1 ");
}

static void a_crl_that_never_got_out_has_listed_nothing(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct store_crl crl = { .issuer = "CN=ca", .this_update = NOW + 2 * DAY,
                             .next_update = NOW + 9 * DAY, .digest = "ab" };
    struct ps_err err = { 0 };

    put(store, "01", "a", 1);
    must(store_revoke(store, "CN=ca", "01", NOW, 1, &err), &err);
    crl.number = next_number(store, 0);
    must(store_put_crl(store, &crl, &err), &err);           /* and here we were killed */
    expect_revoked(store, 0, "01/1 ");
    must(store_crl_is_out(store, "CN=ca", 0, crl.number, &err), &err);
    expect_revoked(store, 0, "");
    expect_sound(store);
}

static void a_hold_ends_or_becomes_final(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    const struct store_filter all = { .common_name = "a" }, held = { .state = STORE_HELD };
    struct ps_err err = { 0 };
    int64_t len = -1;

    put(store, "01", "a", 100);
    put(store, "02", "a", 100);
    put(store, "03", "b", 100);
    must(store_revoke_all(store, &all, NOW, STORE_HOLD, &len, &err), &err);
    assert_int_equal(len, 2);
    must(store_revoke(store, "CN=ca", "03", NOW, 1, &err), &err);
    must(store_revoke(store, "CN=ca", "03", NOW, STORE_HOLD, &err), &err);     /* stays for good */
    expect_revoked(store, 0, "01/6 02/6 03/1 ");
    expect_list(store, &held, "01 02 ");

    must(store_revoke(store, "CN=ca", "02", NOW, 4, &err), &err);
    expect_revoked(store, 0, "01/6 02/4 03/1 ");
    must(store_release_all(store, &(struct store_filter){ 0 }, NOW, &len, &err), &err);
    assert_int_equal(len, 1);
    expect_revoked(store, 0, "02/4 03/1 ");
    expect_list(store, &(struct store_filter){ .state = STORE_VALID }, "01 ");
    must(store_release_all(store, &(struct store_filter){ 0 }, NOW, &len, &err), &err);
    assert_int_equal(len, 0);

    must(store_revoke(store, "CN=ca", "01", NOW, 1, &err), &err);           /* once more */
    expect_revoked(store, 0, "01/1 02/4 03/1 ");
    assert_int_equal(count(store, &(struct store_filter){ .state = STORE_REVOKED }), 3);
    expect_sound(store);
}

static struct store_crl_look look_at(struct store *store, int64_t number, const char *digest)
{
    struct store_crl_look look;
    struct ps_err err = { 0 };

    must(store_look_at_crl(store, "CN=ca", 0, number, digest, &look, &err), &err);
    return look;
}

static void the_ledger_knows_a_crl_and_what_came_after_it(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };
    int64_t number = next_number(store, 0), len;

    put(store, "01", "a", 100);
    assert_true(look_at(store, number, "ab").recorded);     /* as they were before version 3 */
    publish(store, number, NOW);
    struct store_crl_look look = look_at(store, number, "ab");
    assert_true(look.recorded && !look.outdated && !look.newer);
    assert_false(look_at(store, number, "cd").recorded);
    assert_false(look_at(store, number + 1, "ab").recorded);

    must(store_revoke(store, "CN=ca", "01", NOW, STORE_HOLD, &err), &err);
    assert_true(look_at(store, number, "ab").outdated);
    publish(store, next_number(store, 0), NOW);
    assert_int_equal(look_at(store, number, "ab").newer, number + 1);
    assert_false(look_at(store, number + 1, "ab").outdated);
    must(store_release_all(store, &(struct store_filter){ 0 }, NOW, &len, &err), &err);
    assert_true(look_at(store, number + 1, "ab").outdated);
    assert_false(look_at(store, next_number(store, 0), "ab").recorded);     /* lists are recorded now */
}

/* Whatever was published in the time that a restore lost, its numbers are below. */
static void after_an_adoption_every_crl_is_outdated(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    int64_t number = next_number(store, 0), before = number, began = (int64_t)clock_now() * 1000;
    struct ps_err err = { 0 };

    publish(store, number, NOW);
    for (int i = 0; i < 2; i++) {       /* the clock hardly moves between them */
        must(store_adopt(store, &err), &err);
        assert_true(look_at(store, number, "ab").outdated);
        number = next_number(store, 0);
        assert_true(number > before);
        publish(store, number, NOW);
        assert_false(look_at(store, number, "ab").outdated);
        before = number;
    }
    assert_true(number > began);        /* it may be long ago on a busy machine */
    expect_sound(store);
}

static bool see_crl(void *arg, const struct store_crl *crl, struct ps_err *err)
{
    (void)err;
    return buf_printf(arg, "%d:%lld:%lld ", crl->shard, (long long)crl->number,
                      (long long)crl->der_len);
}

static void crl_numbers_grow_in_each_series(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    PS_AUTO(buf_free) struct buf seen = BUF(BUF_TEXT_MAX);
    struct store_crl brought = { .issuer = "CN=ca", .number = 40, .this_update = NOW,
                                 .next_update = NOW, .digest = "ab", .der = "x", .der_len = 1 };
    struct ps_err err = { 0 };

    assert_int_equal(next_number(store, 0), 1);
    assert_int_equal(next_number(store, 0), 2);
    assert_int_equal(next_number(store, 5), 1);
    must(store_put_crl(store, &brought, &err), &err);
    assert_int_equal(next_number(store, 0), 41);
    brought.number = 39;
    assert_false(store_put_crl(store, &brought, &err));
    assert_int_equal(err.code, PS_E_VALUE);
    brought.shard = 5;
    must(store_put_crl(store, &brought, &err), &err);
    must(store_each_crl(store, "CN=ca", see_crl, &seen, &err), &err);
    must(store_each_crl(store, "CN=nobody", see_crl, &seen, &err), &err);
    assert_string_equal(buf_text(&seen), "0:40:1 5:39:1 ");
}

/* ---- the rest of what is kept ---- */

static bool see_authority(void *arg, const struct store_authority *authority, struct ps_err *err)
{
    (void)err;
    return buf_printf(arg, "%s=%d,%s,%s,%d,%.*s ", authority->name, (int)authority->state,
                      authority->parent, authority->key, authority->revoked,
                      (int)authority->der_len, (const char *)authority->der);
}

static void authorities_are_as_was_said_last(void **state)
{
    static const struct store_authority steps[] = {
        { "root", STORE_ACTIVE, "", "file", false, "CN=ca", "one", 3, 0, NULL },
        { "client-ca", STORE_WAITING, "", "file", false, "", NULL, 0, 0, NULL },
        { "client-ca", STORE_ACTIVE, "root", "uri pkcs11:x", false, "CN=cli", "cli", 3, 0, NULL },
        { "root-2", STORE_NEXT, "", "offline", false, "CN=two", "two", 3, 0, NULL },
        { "root", STORE_RETIRED, "", "file", true, "CN=ca", "one", 3, 0, NULL },
    };
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    PS_AUTO(buf_free) struct buf seen = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };
    int64_t version = -1, before = 0;

    must(store_authorities_version(store, &version, &err), &err);
    assert_int_equal(version, 0);
    put(store, "01", "a", 1);
    for (size_t i = 0; i < PS_COUNT(steps); i++) {
        must(store_put_authority(store, &steps[i], &err), &err);
        must(store_authorities_version(store, &version, &err), &err);
        assert_true(version > before);
        before = version;
    }
    must(store_each_authority(store, see_authority, &seen, &err), &err);
    assert_string_equal(buf_text(&seen), "root=4,,file,1,one client-ca=2,root,uri pkcs11:x,0,cli "
                                         "root-2=1,,offline,0,two ");

    const struct store_cert late = client("02", "a", 1);    /* its issuer was retired meanwhile */
    assert_false(store_put_cert(store, &late, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    expect_list(store, &(struct store_filter){ 0 }, "01 ");
    expect_sound(store);
}

/* Two that want to change authorities or lists, on hosts of their own: the second one waits. */
static void those_who_hold_the_ledger_take_turns(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    struct ps_err err = { 0 };
    int pipes[2], status;
    char word[2] = "";

    if (!place->remote) {
        print_message("# skipped, for a file is held by the lock of its folder\n");
        return;
    }
    assert_int_equal(pipe(pipes), 0);
    must(store_hold(store, &err), &err);
    pid_t child = fork();
    if (child == 0) {
        struct store *other = open_at(place->where);

        if (!store_hold(other, &err) || write(pipes[1], "b", 1) != 1)
            _exit(1);
        _exit(0);               /* without a word: its connection ends, and with it what it held */
    }
    clock_sleep_ms(300);
    assert_int_equal(write(pipes[1], "a", 1), 1);
    store_unhold(store);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], word, 2), 2);
    assert_memory_equal(word, "ab", 2);
    must(store_hold(store, &err), &err);
    close(pipes[0]);
    close(pipes[1]);
}

static bool see_request(void *arg, const struct store_request *request, struct ps_err *err)
{
    (void)err;
    return buf_printf(arg, "%s:%s:%zu ", request->kind, request->subject, request->der_len);
}

static void settings_and_requests_are_kept(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    PS_AUTO(ps_freep) char *value = NULL;
    PS_AUTO(buf_free) struct buf seen = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };

    must(store_get(store, "crl-shards", &value, &err), &err);
    assert_null(value);
    must(store_set(store, "crl-shards", "1", &err), &err);
    must(store_set(store, "crl-shards", "64", &err), &err);
    must(store_get(store, "crl-shards", &value, &err), &err);
    assert_string_equal(value, "64");
    must(store_put_request(store, &(struct store_request){ .kind = "server", .subject = "CN=db1",
                           .digest = "ab", .der = "csr", .der_len = 3 }, &err), &err);
    must(store_each_request(store, see_request, &seen, &err), &err);
    assert_string_equal(buf_text(&seen), "server:CN=db1:3 ");
    expect_sound(store);
}

static void a_group_is_all_or_nothing(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    PS_AUTO(store_freep) struct store *dropped = open_at(place->where);
    struct ps_err err = { 0 };

    must(store_begin(store, &err), &err);
    put(store, "01", "a", 1);
    must(store_set(store, "k", "v", &err), &err);
    store_cancel(store);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), 0);

    must(store_begin(dropped, &err), &err);
    put(dropped, "02", "a", 1);
    store_freep(&dropped);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), 0);

    must(store_begin(store, &err), &err);
    put(store, "03", "a", 1);
    must(store_set(store, "k", "v", &err), &err);
    must(store_commit(store, &err), &err);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), 1);
    expect_sound(store);
}

/* ---- the audit log ---- */

static bool see_act(void *arg, const struct store_act *act, struct ps_err *err)
{
    (void)err;
    assert_int_equal(act->pid, getpid());
    assert_true(act->who[0] && act->host[0] && act->at > 0 && strlen(act->hash) == 64);
    return buf_printf(arg, "%lld:%s ", (long long)act->id, act->act);
}

/* create, issue x 3 (one of them several), revoke, crl-number, set, export: acts 1 to 8 */
static struct store *lived(const struct place *place)
{
    struct store *store = open_at(place->where);
    struct store_cert two[] = { client("21", "b", 1), client("22", "b", 1) };
    struct ps_err err = { 0 };

    put(store, "11", "a", 1);
    must(store_put_certs(store, two, PS_COUNT(two), &err), &err);
    put(store, "31", "c", 1);
    must(store_revoke(store, "CN=ca", "21", NOW, 1, &err), &err);
    assert_int_equal(next_number(store, 0), 1);
    must(store_set(store, "k", "v", &err), &err);
    must(store_note(store, "export", "client.p12", "for ana", &err), &err);
    return store;
}

static void each_act_is_in_the_log_and_the_head_moves(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = lived(place);
    PS_AUTO(buf_free) struct buf seen = BUF(BUF_TEXT_MAX);
    struct store_verdict before, after;
    struct ps_err err = { 0 };

    must(store_each_act(store, 0, see_act, &seen, &err), &err);
    assert_string_equal(buf_text(&seen), "1:create 2:issue 3:issue 4:issue 5:revoke 6:crl-number "
                                         "7:set 8:export ");
    must(store_verify(store, &before, &err), &err);
    must(store_note(store, "open", "", "", &err), &err);
    must(store_verify(store, &after, &err), &err);
    assert_true(before.sound && after.sound);
    assert_int_equal(after.acts, before.acts + 1);
    assert_string_not_equal(before.head, after.head);
}

static const struct {
    const char *sql;
    int64_t bad_act;
} tamperings[] = {
    { "UPDATE PGSEAL.audit SET who = 'mallory' WHERE id = 3", 3 },
    { "UPDATE PGSEAL.audit SET at = at + 1 WHERE id = 8", 8 },
    { "DELETE FROM PGSEAL.audit WHERE id = 4", 4 },
    { "DELETE FROM PGSEAL.audit WHERE id = 1", 1 },
    { "DELETE FROM PGSEAL.audit WHERE id = 8", 8 },
    { "DELETE FROM PGSEAL.audit WHERE id >= 7", 7 },
    { "DELETE FROM PGSEAL.audit", 1 },
    { "INSERT INTO PGSEAL.audit SELECT 9, at, who, host, pid, act, object, detail, part, part_rows,"
      " covers, hash FROM PGSEAL.audit WHERE id = 8", 9 },
    { "UPDATE PGSEAL.cert SET common_name = 'postgres' WHERE serial = '22'", 3 },
    { "UPDATE PGSEAL.cert SET not_after = not_after + 1 WHERE serial = '11'", 2 },
    { "DELETE FROM PGSEAL.cert WHERE serial = '22'", 3 },
    { "DELETE FROM PGSEAL.cert WHERE serial = '31'", 4 },
    { "DELETE FROM PGSEAL.revocation", 5 },
    { "UPDATE PGSEAL.revocation SET revoked_at = revoked_at + 1", 5 },
    { "UPDATE PGSEAL.crl_number SET number = 0", 6 },
    { "UPDATE PGSEAL.setting SET value = 'w'", 7 },
    { "INSERT INTO PGSEAL.setting VALUES (8 * 1048576, 'k', 'w')", 8 },
    { "INSERT INTO PGSEAL.setting VALUES (7 * 1048576 + 1, 'k', 'w')", 7 },
    { "INSERT INTO PGSEAL.setting VALUES (99 * 1048576, 'k', 'w')", 99 },
    { "INSERT INTO PGSEAL.cert SELECT 5 * 1048576, issuer, '99', subject, kind, fingerprint,"
      " not_before, not_after, recorded_at, common_name, hosts, shard, der FROM PGSEAL.cert"
      " WHERE serial = '11'", 5 },
};

/* "PGSEAL." is the schema in PostgreSQL, and nothing in SQLite. */
static char *for_engine(const struct place *place, const char *sql)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    for (const char *p = sql; *p; p++) {
        if (strncmp(p, "PGSEAL.", 7) == 0) {
            buf_puts(&text, place->remote ? "pgseal." : "");
            p += 7;
        }
        buf_putc(&text, *p);
    }
    return buf_take(&text);
}

static void whatever_was_tampered_with_is_named(void **state)
{
    for (size_t i = 0; i < PS_COUNT(tamperings); i++) {
        void *fresh;
        assert_int_equal(make_place(&fresh), 0);
        struct place *place = fresh;
        struct store *store = lived(place);
        PS_AUTO(ps_freep) char *sql = for_engine(place, tamperings[i].sql);
        struct store_verdict verdict;
        struct ps_err err = { 0 };

        expect_sound(store);
        store_freep(&store);
        tamper(place, sql);
        store = open_at(place->where);
        must(store_verify(store, &verdict, &err), &err);
        if (verdict.sound || verdict.bad_act != tamperings[i].bad_act)
            fail_msg("%s: act %lld %s", sql, (long long)verdict.bad_act, verdict.what);
        assert_true(verdict.what[0]);
        store_freep(&store);
        drop_place(&fresh);
    }
    (void)state;
}

/* ---- copies and backups ---- */

static void a_backup_is_the_same_ledger_and_may_not_issue(void **state)
{
    struct place *place = *state;
    PS_AUTO(store_freep) struct store *store = lived(place);
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "backup.db");
    PS_AUTO(ps_freep) char *again = path_join(place->dir, "again.db");
    struct store_verdict theirs, ours;
    struct ps_err err = { 0 };

    must(store_backup(store, path, &err), &err);
    assert_false(store_backup(store, path, &err));
    assert_int_equal(err.code, PS_E_EXISTS);

    PS_AUTO(store_freep) struct store *copy = open_at(path);
    const struct store_cert cert = client("77", "x", 1);
    assert_string_equal(store_info(copy)->id, store_info(store)->id);
    must(store_verify(store, &ours, &err), &err);
    must(store_verify(copy, &theirs, &err), &err);
    assert_true(theirs.sound);
    assert_string_equal(theirs.head, ours.head);
    expect_list(copy, &(struct store_filter){ 0 }, "11 21 22 31 ");
    assert_true(store_info(copy)->copied);
    assert_false(store_put_cert(copy, &cert, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);

    must(store_restore(path, again, &err), &err);
    PS_AUTO(store_freep) struct store *restored = open_at(again);
    assert_false(store_info(restored)->copied);
    assert_string_equal(store_info(restored)->id, store_info(store)->id);
    must(store_put_cert(restored, &cert, &err), &err);
    assert_true(next_number(restored, 0) > NOW - 100 * DAY);   /* none of the lost ones again */
    expect_sound(restored);
    assert_false(store_restore(path, again, &err));
    assert_int_equal(err.code, PS_E_EXISTS);
}

static void a_backup_goes_back_into_its_own_engine(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "backup.db");
    PS_AUTO(ps_freep) char *id = NULL;
    struct store *store = lived(place);
    struct ps_err err = { 0 };

    id = ps_strdup(store_info(store)->id);
    must(store_backup(store, path, &err), &err);
    store_freep(&store);
    if (place->remote)
        tamper(place, "SET client_min_messages = error; DROP SCHEMA pgseal CASCADE");
    else
        must(file_remove(place->where, &err), &err);
    must(store_restore(path, place->where, &err), &err);
    store = open_at(place->where);
    assert_string_equal(store_info(store)->id, id);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), 4);
    expect_revoked(store, 0, "21/1 ");
    put(store, "55", "x", 1);
    expect_sound(store);
    store_free(store);
}

static void a_backup_that_was_changed_is_not_restored(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "backup.db");
    PS_AUTO(ps_freep) char *again = path_join(place->dir, "again.db");
    struct store *store = lived(place);
    struct place backup = { .where = path };
    struct ps_err err = { 0 };

    must(store_backup(store, path, &err), &err);
    store_free(store);
    tamper(&backup, "DELETE FROM revocation");
    assert_false(store_restore(path, again, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    assert_false(file_exists(again));
    assert_false(store_restore(again, path, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
}

static void a_copied_ledger_issues_only_when_it_is_adopted(void **state)
{
    struct place *place = *state;
    struct store *store = lived(place);
    const struct store_cert cert = client("77", "x", 1);
    struct ps_err err = { 0 };
    int64_t number;

    store_freep(&store);
    PS_AUTO(ps_freep) char *sql = for_engine(place, "UPDATE PGSEAL.ledger SET value = 'elsewhere'"
                                                    " WHERE key = 'home'");
    tamper(place, sql);
    store = open_at(place->where);
    assert_true(store_info(store)->copied);
    assert_string_equal(store_info(store)->home, "elsewhere");
    assert_false(store_put_cert(store, &cert, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    assert_false(store_next_crl_number(store, "CN=ca", 0, &number, &err));
    assert_false(store_revoke(store, "CN=ca", "11", NOW, 0, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    must(store_adopt(store, &err), &err);
    assert_false(store_info(store)->copied);
    must(store_put_cert(store, &cert, &err), &err);
    expect_sound(store);
    store_free(store);
}

static void a_ledger_of_a_newer_pgseal_is_refused_untouched(void **state)
{
    struct place *place = *state;
    struct store *store = open_at(place->where);
    struct ps_err err = { 0 };

    assert_string_equal(store_info(store)->engine, place->remote ? "postgresql" : "sqlite");
    store_freep(&store);
    tamper(place, place->remote ? "UPDATE pgseal.ledger SET value = '99' WHERE key = 'version'"
                                : "PRAGMA user_version = 99");
    assert_false(store_open(place->where, &store, &err));
    assert_int_equal(err.code, PS_E_UNSUPPORTED);
    assert_null(store);
}

/* ---- several at once ---- */

enum { PROCESSES = 4, EACH = 25 };

/* Opens it like a stranger, takes numbers, and dies without a word if one does not grow. */
static void take_numbers(const char *where, int me)
{
    struct store *store = open_at(where);
    struct ps_err err = { 0 };
    int64_t number, before = 0;

    for (int i = 0; i < EACH; i++) {
        char serial[16];

        snprintf(serial, sizeof(serial), "%02x%02x", me, i);
        const struct store_cert cert = client(serial, "a", 1);
        if (!store_next_crl_number(store, "CN=ca", 0, &number, &err) || number <= before
            || !store_put_cert(store, &cert, &err))
            _exit(1);
        before = number;
    }
    store_free(store);
    _exit(0);
}

static void all_may_work_at_once_from_the_first_open(void **state)
{
    struct place *place = *state;

    for (int me = 0; me < PROCESSES; me++)      /* all of them find no ledger yet */
        if (fork() == 0)
            take_numbers(place->where, me);
    for (int me = 0; me < PROCESSES; me++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }

    PS_AUTO(store_freep) struct store *store = open_at(place->where);
    assert_int_equal(next_number(store, 0), PROCESSES * EACH + 1);
    assert_int_equal(next_number(store, 1), 1);
    assert_int_equal(count(store, &(struct store_filter){ 0 }), PROCESSES * EACH);
    expect_sound(store);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(what_is_asked_for_is_found),
        LEDGER_TEST(what_was_replaced_is_left_out_on_demand),
        LEDGER_TEST(a_certificate_comes_back_as_it_was),
        LEDGER_TEST(many_are_put_together_or_not_at_all),
        LEDGER_TEST(a_serial_is_given_once_for_each_issuer),
        LEDGER_TEST(revocations_are_sorted_and_the_first_one_stays),
        LEDGER_TEST(an_expired_one_stays_until_a_crl_after_its_end),
        LEDGER_TEST(a_crl_that_never_got_out_has_listed_nothing),
        LEDGER_TEST(a_hold_ends_or_becomes_final),
        LEDGER_TEST(the_ledger_knows_a_crl_and_what_came_after_it),
        LEDGER_TEST(after_an_adoption_every_crl_is_outdated),
        LEDGER_TEST(crl_numbers_grow_in_each_series),
        LEDGER_TEST(authorities_are_as_was_said_last),
        LEDGER_TEST(those_who_hold_the_ledger_take_turns),
        LEDGER_TEST(settings_and_requests_are_kept),
        LEDGER_TEST(a_group_is_all_or_nothing),
        LEDGER_TEST(each_act_is_in_the_log_and_the_head_moves),
        LEDGER_TEST(whatever_was_tampered_with_is_named),
        LEDGER_TEST(a_backup_is_the_same_ledger_and_may_not_issue),
        LEDGER_TEST(a_backup_goes_back_into_its_own_engine),
        LEDGER_TEST(a_backup_that_was_changed_is_not_restored),
        LEDGER_TEST(a_copied_ledger_issues_only_when_it_is_adopted),
        LEDGER_TEST(a_ledger_of_a_newer_pgseal_is_refused_untouched),
        LEDGER_TEST(all_may_work_at_once_from_the_first_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
