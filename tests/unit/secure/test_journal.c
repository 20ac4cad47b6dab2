/* test_journal.c - the way back is written, read and followed; see secure/journal.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "secure/journal.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD "pgseal journal 1\n"
#define GOOD HEAD "state applied\ndata_dir /var/lib/pg%20data\nbegan 1700000000\ntls_was off\n" \
    "change - " SHA_B " /var/lib/pg%20data.pgseal/tls/server-1.key\n"                            \
    "change " SHA_A " " SHA_B " /etc/%25/%0A.conf\n"

static void a_journal_is_read_as_it_was_written(void **state)
{
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    PS_AUTO(buf_free) struct buf text = BUF(JOURNAL_MAX_BYTES);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(txn_parse(GOOD, strlen(GOOD), "j", &txn, &err));
    assert_int_equal(txn->state, TXN_APPLIED);
    assert_string_equal(txn->data_dir, "/var/lib/pg data");
    assert_int_equal(txn->len, 2);
    assert_false(txn->changes[0].existed);
    assert_true(txn->changes[1].existed);
    assert_string_equal(txn->changes[1].path, "/etc/%/\n.conf");
    txn_write_text(txn, &text);
    assert_string_equal(buf_text(&text), GOOD);
}

static void a_damaged_journal_is_refused(void **state)
{
    static const char *const cases[] = {
        "", "\n", "pgseal journal 2\nstate applied\ndata_dir /d\n",
        HEAD, HEAD "state applied\n",                       /* no data_dir */
        HEAD "data_dir /d",                                 /* cut short */
        HEAD "data_dir /d\nstate\n", HEAD "data_dir /d\nstate gone\n",
        HEAD "data_dir /d\nstate applied now\n", HEAD "data_dir /d%\n", HEAD "data_dir /d%0\n",
        HEAD "data_dir /d%00\n", HEAD "data_dir /d%zz\n", HEAD "data_dir /d\nbegan soon\n",
        HEAD "data_dir /d\ntls_was maybe\n", HEAD "data_dir /d\nchange - abc /x\n",
        HEAD "data_dir /d\nchange " SHA_A " " SHA_B "\n", HEAD "data_dir /d\nother 1\n",
        HEAD "data_dir /d\n\n",
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct txn *txn = NULL;
        struct ps_err err = { 0 };

        if (txn_parse(cases[i], strlen(cases[i]), "j", &txn, &err))
            fail_msg("taken: %s", cases[i]);
        assert_int_equal(err.code, PS_E_SYNTAX);
    }
}

static void every_truncation_is_refused_or_says_less(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(GOOD); len++) {
        PS_AUTO(txn_freep) struct txn *txn = NULL;
        struct ps_err err = { 0 };

        if (txn_parse(GOOD, len, "j", &txn, &err))
            assert_true(GOOD[len - 1] == '\n' && txn->len < 2);
    }
}

/* ---- on disk ---- */

struct place {
    char *dir, *state, *old, *made;
    struct user me;
    struct plan plan;
};

static int place_setup(void **state)
{
    struct place *place = ps_calloc(1, sizeof(*place));
    struct ps_err err = { 0 };

    assert_true(dir_temp(&place->dir, &err));
    place->state = path_join(place->dir, "data.pgseal");
    place->old = path_join(place->dir, "old.conf");
    place->made = path_join(place->dir, "made.conf");
    user_current(&place->me);
    assert_true(file_write(place->old, "old\n", 4, 0640, &err));
    assert_true(state_dir_ensure(place->state, &place->me, &err));
    assert_true(plan_want(&place->plan, &place->me, place->made, "m", "made\n", 5, 0600, false, &err));
    assert_true(plan_want(&place->plan, &place->me, place->old, "o", "new\n", 4, 0600, false, &err));
    *state = place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;

    plan_free(&place->plan);
    dir_remove_all(place->dir);
    free(place->dir);
    free(place->state);
    free(place->old);
    free(place->made);
    free(place);
    return 0;
}

static void assert_file(const char *path, const char *text)
{
    PS_AUTO(buf_free) struct buf buf = BUF(1000);
    struct ps_err err = { 0 };

    assert_true(file_read(path, 1000, &buf, &err));
    assert_string_equal(buf_text(&buf), text);
}

static void apply(struct place *place, size_t steps, struct txn **txn)
{
    struct ps_err err = { 0 };

    assert_true(txn_begin(place->state, "/data", false, &place->plan, txn, &err));
    for (size_t i = 0; i < steps; i++)
        assert_true(change_do(&place->plan.changes[i], &err));
    (*txn)->reached = steps;
}

static void undoing_after_any_step_gives_the_old_bytes_and_mode(void **state)
{
    struct place *place = *state;

    for (size_t steps = 0; steps <= 2; steps++) {
        PS_AUTO(txn_freep) struct txn *txn = NULL, *found = NULL;
        struct ps_err err = { 0 };
        struct stat st;

        apply(place, steps, &txn);
        assert_true(txn_latest(place->state, &found, &err));
        assert_non_null(found);
        for (int again = 0; again < 2; again++) {       /* undoing twice is undoing once */
            assert_true(txn_may_undo(found, &place->me, &err));
            assert_true(txn_undo(found, &place->me, false, &err));
            assert_true(txn_undo(found, &place->me, true, &err));
            assert_file(place->old, "old\n");
            assert_false(file_exists(place->made));
        }
        assert_int_equal(stat(place->old, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_true(txn_set_state(found, TXN_UNDONE, &err));
    }
}

static void what_somebody_else_changed_is_not_lost(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    struct ps_err err = { 0 };

    apply(place, 2, &txn);
    assert_true(file_write(place->old, "theirs\n", 7, 0600, &err));
    assert_false(txn_may_undo(txn, &place->me, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    assert_file(place->old, "theirs\n");

    assert_true(txn_undo(txn, &place->me, false, &err));
    assert_file(place->old, "old\n");
    PS_AUTO(ps_freep) char *copy = path_join(txn->dir, "theirs-1");
    assert_file(copy, "theirs\n");
}

static void what_somebody_else_changed_before_our_turn_stays(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    struct ps_err err = { 0 };

    apply(place, 1, &txn);
    assert_true(file_write(place->old, "theirs\n", 7, 0600, &err));
    assert_false(change_do(&place->plan.changes[1], &err));
    assert_int_equal(err.code, PS_E_BUSY);
    assert_true(txn_undo(txn, &place->me, false, &err));
    assert_file(place->old, "theirs\n");
    assert_false(file_exists(place->made));
}

static void a_damaged_copy_is_never_put_back(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    struct ps_err err = { 0 };

    apply(place, 2, &txn);
    PS_AUTO(ps_freep) char *copy = path_join(txn->dir, "before-1");
    assert_true(file_write(copy, "rot\n", 4, 0600, &err));
    assert_false(txn_undo(txn, &place->me, false, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    assert_file(place->old, "new\n");
}

static void what_a_crash_left_beside_is_swept(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *txn = NULL;
    PS_AUTO(ps_freep) char *left = path_join(place->dir, ".old.conf.pgseal-AbCdEf");
    PS_AUTO(ps_freep) char *other = path_join(place->dir, ".old.conf.pgseal-not-ours");
    struct ps_err err = { 0 };

    apply(place, 0, &txn);
    assert_true(file_write(left, "half", 4, 0600, &err) && file_write(other, "x", 1, 0600, &err));
    assert_true(txn_undo(txn, &place->me, false, &err));
    assert_false(file_exists(left));
    assert_true(file_exists(other));
}

static void the_latest_that_is_not_undone_comes_first(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *first = NULL, *second = NULL, *found = NULL, *then = NULL;
    struct ps_err err = { 0 };

    apply(place, 0, &first);
    apply(place, 0, &second);
    assert_true(txn_latest(place->state, &found, &err));
    assert_int_equal(found->number, 2);
    assert_true(txn_set_state(found, TXN_UNDONE, &err));
    assert_true(txn_latest(place->state, &then, &err));
    assert_int_equal(then->number, 1);
}

static void a_transaction_that_died_before_its_journal_is_nothing(void **state)
{
    struct place *place = *state;
    PS_AUTO(txn_freep) struct txn *found = NULL;
    PS_AUTO(ps_freep) char *dir = path_join(place->state, "txn-0007");
    struct ps_err err = { 0 };

    assert_true(dir_ensure(dir, 0700, NULL, &err));
    assert_true(txn_latest(place->state, &found, &err));
    assert_null(found);
}

static void a_state_folder_that_others_may_open_is_refused(void **state)
{
    struct place *place = *state;
    struct ps_err err = { 0 };

    assert_int_equal(chmod(place->state, 0755), 0);
    assert_false(state_dir_ensure(place->state, &place->me, &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
}

static void what_is_there_already_is_no_change(void **state)
{
    struct place *place = *state;
    PS_AUTO(plan_free) struct plan plan = { 0 };
    struct ps_err err = { 0 };

    assert_true(plan_want(&plan, &place->me, place->old, "o", "old\n", 4, 0600, false, &err));
    assert_int_equal(plan.len, 0);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_is_read_as_it_was_written),
        cmocka_unit_test(a_damaged_journal_is_refused),
        cmocka_unit_test(every_truncation_is_refused_or_says_less),
        ON_DISK(undoing_after_any_step_gives_the_old_bytes_and_mode),
        ON_DISK(what_somebody_else_changed_is_not_lost),
        ON_DISK(what_somebody_else_changed_before_our_turn_stays),
        ON_DISK(a_damaged_copy_is_never_put_back),
        ON_DISK(what_a_crash_left_beside_is_swept),
        ON_DISK(the_latest_that_is_not_undone_comes_first),
        ON_DISK(a_transaction_that_died_before_its_journal_is_nothing),
        ON_DISK(a_state_folder_that_others_may_open_is_refused),
        ON_DISK(what_is_there_already_is_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
