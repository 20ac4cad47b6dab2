/* The promises of capture/spool.h and capture/totals.h: what goes in comes out, and is added up by who it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "capture/totals.h"

static struct conn made(uint8_t server, uint16_t port, bool recognised)
{
    return (struct conn){ .address = { { 10, 1, 2, 3 }, { 10, 0, 0, server } }, .port = { 40000, port },
                          .verdict = recognised ? V_PLAINTEXT : V_UNKNOWN, .recognised = recognised,
                          .first_us = 5, .last_us = 7, .packets = UINT64_MAX,
                          .facts = { .protocol = recognised ? 3 << 16 : 0 } };
}

static struct spool *spool_of(const struct conn *conns, size_t count)
{
    const struct capture_counts counts = { .first_us = 5, .last_us = 7 };
    struct spool *spool = NULL;
    struct ps_err err;

    assert_true(spool_new(&spool, &err));
    for (size_t i = 0; i < count; i++)
        spool_put_conn(spool, &conns[i]);
    spool_put_cert(spool, 9, "certificate", 11);
    spool_put_counts(spool, &counts);
    assert_true(spool_finish(spool, &err));
    spool_rewind(spool);
    return spool;
}

static void a_spool_gives_back_what_it_took(void **state)
{
    struct conn conn = made(1, 5432, true);

    (void)state;
    conn.text[TEXT_USER] = "app";
    conn.text[TEXT_SAMPLE] = "";

    PS_AUTO(spool_freep) struct spool *spool = spool_of(&conn, 1);
    for (int again = 0; again < 2; again++) {
        struct spool_item item;

        assert_int_equal(spool_next(spool, &item), SPOOL_CONN);
        assert_memory_equal(&item.conn, &conn, offsetof(struct conn, text));
        assert_string_equal(item.conn.text[TEXT_USER], "app");
        assert_string_equal(item.conn.text[TEXT_SAMPLE], "");
        assert_null(item.conn.text[TEXT_DATABASE]);
        assert_int_equal(spool_next(spool, &item), SPOOL_CERT);
        assert_int_equal(item.cert, 9);
        assert_memory_equal(item.der.p, "certificate", item.der.len);
        assert_int_equal(spool_next(spool, &item), SPOOL_COUNTS);
        assert_int_equal(item.counts.last_us, 7);
        assert_int_equal(spool_next(spool, &item), SPOOL_END);
        spool_rewind(spool);
    }
}

/* More than fits into any buffer; texts of all lengths put items across its edges. */
static void a_long_spool_is_whole(void **state)
{
    enum { MANY = 3000 };
    PS_AUTO(spool_freep) struct spool *spool = NULL;
    struct conn conn = made(1, 5432, true);
    struct spool_item item;
    struct ps_err err;
    char text[TALK_SAMPLE_MAX + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_true(spool_new(&spool, &err));
    for (int i = 0; i < MANY; i++) {
        text[i % TALK_SAMPLE_MAX] = '\0';
        conn.packets = (uint64_t)i;
        conn.text[TEXT_SAMPLE] = text;
        spool_put_conn(spool, &conn);
        text[i % TALK_SAMPLE_MAX] = 'x';
    }
    assert_true(spool_finish(spool, &err));
    spool_rewind(spool);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(spool_next(spool, &item), SPOOL_CONN);
        assert_int_equal(item.conn.packets, i);
        assert_int_equal(strlen(item.conn.text[TEXT_SAMPLE]), i % TALK_SAMPLE_MAX);
    }
    assert_int_equal(spool_next(spool, &item), SPOOL_END);
}

/* Port 7777 is nobody's until somebody speaks PostgreSQL there; then what came before counts too. */
static void who_talks_to_a_server_counts_whenever_it_was_recognised(void **state)
{
    const struct conn conns[] = { made(1, 7777, false), made(2, 7777, false), made(1, 7777, true),
                                  made(1, 7777, false), made(3, 5432, false) };
    PS_AUTO(spool_freep) struct spool *spool = spool_of(conns, PS_COUNT(conns));
    PS_AUTO(totals_free) struct totals totals;

    (void)state;
    totals_make(spool, NULL, 0, &totals);
    assert_true(totals.complete);
    assert_int_equal(totals.connections, 4);
    assert_int_equal(totals.readable, 1);
    assert_int_equal(totals.undecided, 3);
    assert_int_equal(totals.others, 1);
    assert_int_equal(totals.others_undecided, 1);
    assert_true(totals_concerns(&totals, &conns[0]));
    assert_false(totals_concerns(&totals, &conns[1]));
    assert_int_equal(totals.traffic_len, 3);
}

/* Those that are alike are counted together, whatever came between them; one thing that differs is another row. */
static void what_differs_in_one_thing_counts_in_another_row(void **state)
{
    struct conn conns[18];
    struct totals totals;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(conns); i++) {
        struct conn *conn = &conns[i];

        *conn = made(1, 5432, true);
        conn->text[TEXT_USER] = i % 6 == 1 ? "other" : "app";
        conn->text[TEXT_DATABASE] = i % 6 == 2 ? NULL : "shop";
        conn->text[TEXT_APPLICATION] = i % 6 == 3 ? "" : "psql";
        conn->port[SIDE_SERVER] = i % 6 == 4 ? 5433 : 5432;
        conn->verdict = i % 6 == 5 ? V_REFUSED : V_PLAINTEXT;
    }
    PS_AUTO(spool_freep) struct spool *spool = spool_of(conns, PS_COUNT(conns));
    totals_make(spool, NULL, 0, &totals);
    for (enum total_kind kind = BY_ROLE; kind <= BY_APPLICATION; kind++) {
        assert_int_equal(totals.by[kind].len, 2);
        assert_int_equal(totals.by[kind].at[0].connections, 15);
        assert_int_equal(totals.by[kind].at[1].connections, 3);
    }
    assert_int_equal(totals.by[BY_NETWORK].len, 1);
    assert_int_equal(totals.by[BY_OWNER].len, 4);       /* without the refused, and whatever the application */
    assert_int_equal(totals.traffic_len, 3);
    totals_free(&totals);
}

/* A startup in plaintext, and one behind a handshake of GSS, by the same role: only why it is readable differs. */
static void why_it_is_readable_tells_facts_apart(void **state)
{
    struct conn conns[4];
    PS_AUTO(totals_free) struct totals totals = { 0 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(conns); i++) {
        conns[i] = made(1, 5432, true);
        conns[i].text[TEXT_USER] = "app";
        conns[i].reason = i % 2 ? R_BEHIND : R_NONE;
    }
    PS_AUTO(spool_freep) struct spool *spool = spool_of(conns, PS_COUNT(conns));
    totals_make(spool, NULL, 0, &totals);
    assert_int_equal(totals.by[BY_ROLE].len, 1);
    assert_int_equal(totals.traffic_len, 2);
    assert_null(totals.traffic[0].reason);
    assert_string_equal(totals.traffic[1].reason, "behind-handshake");
    assert_int_equal(totals.traffic[0].connections, 2);
    assert_int_equal(totals.traffic[1].connections, 2);
}

/* The last row of a table has no name: nobody may be remembered as of that name. */
static void more_roles_than_rows_are_counted_in_the_last(void **state)
{
    enum { ROLES = TOTALS_MAX + 50 };
    PS_AUTO(spool_freep) struct spool *spool = NULL;
    PS_AUTO(totals_free) struct totals totals = { 0 };
    struct conn conn = made(1, 5432, true);
    struct capture_counts counts = { 0 };
    struct ps_err err;
    char name[20];

    (void)state;
    assert_true(spool_new(&spool, &err));
    for (int i = 0; i < 2 * ROLES; i++) {
        snprintf(name, sizeof(name), "role %d", i / 2);
        conn.text[TEXT_USER] = name;
        spool_put_conn(spool, &conn);
    }
    spool_put_counts(spool, &counts);
    assert_true(spool_finish(spool, &err));
    spool_rewind(spool);
    totals_make(spool, NULL, 0, &totals);
    assert_int_equal(totals.by[BY_ROLE].len, TOTALS_MAX);
    assert_true(totals.by[BY_ROLE].at[0].rest);
    assert_int_equal(totals.by[BY_ROLE].at[0].connections, 2 * 51);
    assert_int_equal(totals.by[BY_ROLE].at[1].connections, 2);
}

static void a_full_table_adds_up_what_does_not_fit(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(total_table_free) struct total_table table = { 0 };
    const struct conn conn = made(1, 5432, true);
    char name[20];

    (void)state;
    for (int i = 0; i < TOTALS_MAX + 50; i++) {
        snprintf(name, sizeof(name), "role %d", i);
        total_add(total_row(&table, arena, &(struct total_key){ { name } }), &conn);
    }
    total_add(total_row(&table, arena, &(struct total_key){ { "role 7" } }), &conn);
    assert_int_equal(table.len, TOTALS_MAX);
    assert_true(table.at[TOTALS_MAX - 1].rest);
    assert_int_equal(table.at[TOTALS_MAX - 1].connections, 51);
    assert_null(total_find(&table, &(struct total_key){ { name } }));
    assert_int_equal(total_find(&table, &(struct total_key){ { "role 7" } })->connections, 2);
    total_sort(&table);
    assert_true(table.at[0].rest);
    assert_string_equal(table.at[1].key.part[0], "role 7");
}

/* What is not visible, what is empty, and where a text stands make other rows. */
static void keys_are_told_apart(void **state)
{
    static const struct total_key keys[] = { { { NULL } }, { { "" } }, { { "a", "b" } }, { { "a", NULL, "b" } },
                                             { { "ab" } }, { { "a", "b", "" } } };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(total_table_free) struct total_table table = { 0 };

    (void)state;
    for (size_t i = 0; i < 2 * PS_COUNT(keys); i++)
        (void)total_row(&table, arena, &keys[i % PS_COUNT(keys)]);
    assert_int_equal(table.len, PS_COUNT(keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spool_gives_back_what_it_took),
        cmocka_unit_test(a_long_spool_is_whole),
        cmocka_unit_test(who_talks_to_a_server_counts_whenever_it_was_recognised),
        cmocka_unit_test(what_differs_in_one_thing_counts_in_another_row),
        cmocka_unit_test(why_it_is_readable_tells_facts_apart),
        cmocka_unit_test(more_roles_than_rows_are_counted_in_the_last),
        cmocka_unit_test(a_full_table_adds_up_what_does_not_fit),
        cmocka_unit_test(keys_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
