/* The promises of ca/batch.h. */
#include "place.h"

#include "ca/batch.h"
#include "ca/shard.h"
#include "store/store.h"

enum { MANY = 2 * CA_BATCH_GROUP + 500 };

struct run {
    struct ca *ca;
    struct store *other;        /* what somebody else sees in the ledger meanwhile */
    const struct ca_batch_wish *wishes;
    size_t wishes_len, next, given;
    size_t stop_at;             /* out() fails then; 0: never */
    struct cert_list leaves;
};

static bool next_wish(void *arg, struct ca_batch_wish *wish, bool *more, struct ps_err *err)
{
    struct run *run = arg;

    (void)err;
    *more = run->next < run->wishes_len;
    if (*more)
        *wish = run->wishes[run->next++];
    return true;
}

static bool next_number(void *arg, struct ca_batch_wish *wish, bool *more, struct ps_err *err)
{
    static char name[32];
    struct run *run = arg;

    (void)err;
    snprintf(name, sizeof(name), "role%zu", run->next);
    *wish = (struct ca_batch_wish){ .role = name, .key_type = KEY_EC_P256 };
    *more = run->next++ < MANY;
    return true;
}

static int64_t recorded(struct run *run)
{
    const struct store_filter clients = { .kind = "client" };
    struct ps_err err = { 0 };
    int64_t count = 0;

    check(store_count(run->other, &clients, &count, &err), &err);
    return count;
}

static bool take(void *arg, const struct ca_batch_leaf *leaves, size_t len, struct ps_err *err)
{
    struct run *run = arg;

    assert_true(len <= CA_BATCH_GROUP);
    for (size_t i = 0; i < len; i++) {
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

        check(cert_list_from_pem(leaves[i].chain_pem, leaves[i].chain_len, "leaf", &chain, err),
              err);
        assert_int_equal(chain.len, 2);
        assert_string_equal(cert_info(chain.at[0])->common_name, leaves[i].role);
        cert_list_add(&run->leaves, chain.at[0]);
    }
    run->given += len;
    assert_true((size_t)recorded(run) >= run->given);
    return !run->stop_at || run->given < run->stop_at
        || ps_fail(err, PS_E_IO, "no room for files");
}

static struct run open_run(struct place *place, const struct ca_batch_wish *wishes, size_t len)
{
    PS_AUTO(ps_freep) char *ledger = path_join(place->dir, "ledger.db");
    struct run run = { .ca = place->ca, .wishes = wishes, .wishes_len = len };
    struct ps_err err = { 0 };

    check(store_open(ledger, &run.other, &err), &err);
    return run;
}

static void close_run(struct run *run)
{
    cert_list_free(&run->leaves);
    store_freep(&run->other);
}

static bool go(struct run *run, unsigned threads, struct ps_err *err)
{
    const struct ca_batch_io io = { .next = run->wishes ? next_wish : next_number, .out = take,
                                    .arg = run, .threads = threads };

    return ca_issue_batch(run->ca, &io, err);
}

/* ---- what is given out ---- */

static void thousands_are_recorded_before_they_are_given_out_in_order(void **state)
{
    struct place *place = *state;
    PS_AUTO(close_run) struct run run = open_run(place, NULL, 0);
    struct store_verdict verdict;
    struct ps_err err = { 0 };

    check(go(&run, 8, &err), &err);
    assert_int_equal(run.given, MANY);
    assert_int_equal(recorded(&run), MANY);
    for (size_t i = 0; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof(name), "role%zu", i);
        assert_string_equal(cert_info(run.leaves.at[i])->common_name, name);
    }
    check(store_verify(ca_store(place->ca), &verdict, &err), &err);
    assert_true(verdict.sound);
}

static void each_has_its_own_key_type_and_days(void **state)
{
    static const struct ca_batch_wish wishes[] = {
        { "app", KEY_EC_P256, 0 }, { "o'brien \"x\"", KEY_RSA_2048, 10 },
        { "josé", KEY_EC_P384, 20 }, { "a,b+c=d", KEY_ED25519, 10 }, { "app2", KEY_EC_P256, 5 },
    };
    struct place *place = *state;
    PS_AUTO(close_run) struct run run = open_run(place, wishes, PS_COUNT(wishes));
    struct ps_err err = { 0 };

    check(go(&run, 0, &err), &err);
    assert_int_equal(run.given, PS_COUNT(wishes));
    for (size_t i = 0; i < PS_COUNT(wishes); i++) {
        const struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = wishes[i].role,
                                           .key_type = wishes[i].key_type, .days = wishes[i].days };
        const struct cert_info *made = cert_info(run.leaves.at[i]);
        PS_AUTO(ca_leaf_free) struct ca_leaf usual = { 0 };
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

        check(ca_issue(place->ca, &spec, &usual, &err), &err);
        const struct cert_info *want = cert_info(usual.chain.at[0]);
        assert_string_equal(made->subject, want->subject);
        assert_string_equal(made->issuer, want->issuer);
        assert_string_equal(made->key_text, want->key_text);
        assert_in_range(want->not_after - made->not_after, 0, 60);
        cert_list_add(&chain, run.leaves.at[i]);
        cert_list_add(&chain, usual.chain.at[1]);
        check(accepted(place->ca, &chain, CERT_USE_CLIENT, &err), &err);
    }
}

static void a_revoked_one_is_found_in_its_partition(void **state)
{
    enum { SHARDS = 8, LEAVES = 30 };
    struct ca_batch_wish wishes[LEAVES];
    struct place *place = *state;
    struct ca_spec spec = plain;
    struct ps_err err = { 0 };

    for (size_t i = 0; i < LEAVES; i++)
        wishes[i] = (struct ca_batch_wish){ .role = "app", .key_type = KEY_EC_P256 };
    spec.crl_shards = SHARDS;
    check(ca_create(place->dir, &spec, &place->ca, &err), &err);
    PS_AUTO(close_run) struct run run = open_run(place, wishes, LEAVES);
    check(go(&run, 3, &err), &err);
    for (size_t i = 0; i < LEAVES; i++)
        if (i % 2)
            check(ca_revoke(place->ca, run.leaves.at[i], 1, &err), &err);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    for (size_t i = 0; i < LEAVES; i++) {
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

        cert_list_add(&chain, run.leaves.at[i]);
        check(ca_chain_of(place->ca, run.leaves.at[i], &chain, &err), &err);
        assert_int_equal(accepted(place->ca, &chain, CERT_USE_CLIENT, &err), i % 2 == 0);
    }
}

/* ---- when it cannot go on ---- */

static void what_came_before_a_wish_that_cannot_be_is_given_out(void **state)
{
    static const struct ca_batch_wish bad[] = {
        { "", KEY_EC_P256, 0 }, { "\xff", KEY_EC_P256, 0 }, { "app", KEY_EC_P256, -1 },
        { "app", KEY_EC_P256, 40000 },
        { "a23456789b23456789c23456789d23456789e23456789f23456789g234567896", KEY_EC_P256, 0 },
    };
    struct place *place = *state;
    int64_t before = 0;

    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        const struct ca_batch_wish wishes[] = { { "one", KEY_EC_P256, 0 }, { "two", KEY_EC_P256, 0 },
                                                bad[i], { "three", KEY_EC_P256, 0 } };
        PS_AUTO(close_run) struct run run = open_run(place, wishes, PS_COUNT(wishes));
        struct ps_err err = { 0 };

        assert_false(go(&run, 0, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_int_equal(run.given, 2);
        assert_int_equal(recorded(&run), before + 2);
        before += 2;
    }
}

static void it_ends_when_what_it_gives_cannot_be_taken(void **state)
{
    struct place *place = *state;
    PS_AUTO(close_run) struct run run = open_run(place, NULL, 0);
    struct ps_err err = { 0 };

    run.stop_at = 1;
    assert_false(go(&run, 0, &err));
    assert_int_equal(err.code, PS_E_IO);
    assert_string_equal(err.message, "no room for files");
    assert_int_equal(recorded(&run), run.given);
}

static void none_at_all_is_no_error(void **state)
{
    static const struct ca_batch_wish none[1];
    struct place *place = *state;
    PS_AUTO(close_run) struct run run = open_run(place, none, 0);
    struct ps_err err = { 0 };

    check(go(&run, 0, &err), &err);
    assert_int_equal(run.given, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CA(thousands_are_recorded_before_they_are_given_out_in_order),
        IN_CA(each_has_its_own_key_type_and_days),
        IN_PLACE(a_revoked_one_is_found_in_its_partition),
        IN_CA(what_came_before_a_wish_that_cannot_be_is_given_out),
        IN_CA(it_ends_when_what_it_gives_cannot_be_taken),
        IN_CA(none_at_all_is_no_error),
    };

    tls_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
