/* test_proc.c - programs that end, fail, hang, talk too much, or are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

static bool run(struct proc_spec spec, const char *script, struct proc_result *out,
                struct ps_err *err)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    spec.argv = argv;
    return proc_run(&spec, out, err);
}

static void status_and_output_are_kept(void **state)
{
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err;

    (void)state;
    assert_true(run((struct proc_spec){ 0 }, "echo out; echo err >&2; exit 7", &result, &err));
    assert_int_equal(result.status, 7);
    assert_string_equal(buf_text(&result.out), "out\n");
    assert_string_equal(buf_text(&result.err), "err\n");
}

static void a_signal_is_a_status(void **state)
{
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err;

    (void)state;
    assert_true(run((struct proc_spec){ 0 }, "kill -TERM $$", &result, &err));
    assert_int_equal(result.status, 128 + 15);
}

static void folder_environment_and_input_reach_it(void **state)
{
    static const char *const env[] = { "PS_TEST=here", NULL };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    const struct proc_spec spec = { .dir = "/", .input = "typed\n", .env = env };
    struct ps_err err;

    (void)state;
    assert_true(run(spec, "pwd; cat; echo $PS_TEST $LC_ALL", &result, &err));
    assert_string_equal(buf_text(&result.out), "/\ntyped\nhere C\n");
}

static void much_input_and_much_output_do_not_wait_for_each_other(void **state)
{
    enum { MUCH = 3 << 20 };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    PS_AUTO(ps_freep) char *input = ps_malloc(MUCH + 1);
    const struct proc_spec spec = { .input = input, .timeout_ms = 20000 };
    struct ps_err err;

    (void)state;
    memset(input, 'x', MUCH);
    input[MUCH] = '\0';
    assert_true(run(spec, "cat; echo end >&2", &result, &err));
    assert_int_equal(result.status, 0);
    assert_int_equal(result.out.len, 1 << 20);
    assert_string_equal(buf_text(&result.err), "end\n");
}

static void a_program_that_does_not_read_is_no_error(void **state)
{
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    PS_AUTO(ps_freep) char *input = ps_calloc(1, 1 << 20);
    const struct proc_spec spec = { .input = input };
    struct ps_err err;

    (void)state;
    memset(input, 'x', (1 << 20) - 1);
    assert_true(run(spec, "exit 3", &result, &err));
    assert_int_equal(result.status, 3);
}

static const struct {
    const char *script;
    bool to_file;
} hanging[] = {
    { "exec sleep 60", false },
    { "exec sleep 60", true },                      /* its pipes are closed, and still it hangs */
    { "exec >&- 2>&-; exec sleep 60", false },
};

static void a_program_that_hangs_is_killed_in_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(hanging); i++) {
        PS_AUTO(proc_result_free) struct proc_result result = { 0 };
        const struct proc_spec spec = { .timeout_ms = 200,
                                        .output_to = hanging[i].to_file ? "/dev/null" : NULL };
        struct ps_err err;
        int64_t begin = clock_mono_ms();

        assert_false(run(spec, hanging[i].script, &result, &err));
        assert_int_equal(err.code, PS_E_TIMEOUT);
        assert_in_range(clock_mono_ms() - begin, 200, 20000);
    }
}

static void a_program_that_is_not_there_is_told_from_one_that_fails(void **state)
{
    static const char *const missing[] = { "pgseal-no-such-program", NULL };
    static const char *const folder[] = { "/", NULL };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    PS_AUTO(proc_result_free) struct proc_result other = { 0 };
    struct ps_err err;

    (void)state;
    assert_false(proc_run(&(struct proc_spec){ .argv = missing }, &result, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(proc_run(&(struct proc_spec){ .argv = folder }, &other, &err));
    assert_int_equal(err.code, PS_E_PROCESS);
}

static void a_failure_has_its_words_as_the_detail(void **state)
{
    static const char *const argv[] = { "sh", "-c", "echo why >&2; exit 2", NULL };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err;

    (void)state;
    assert_false(proc_run_ok(&(struct proc_spec){ .argv = argv }, &result, &err));
    assert_int_equal(err.code, PS_E_PROCESS);
    assert_string_equal(err.detail, "why\n");
}

static void output_can_go_to_a_private_file(void **state)
{
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    PS_AUTO(buf_free) struct buf text = { 0 };
    PS_AUTO(ps_freep) char *dir = NULL;
    struct ps_err err;
    struct stat st;

    (void)state;
    assert_true(dir_temp(&dir, &err));
    PS_AUTO(ps_freep) char *path = path_join(dir, "log");
    const struct proc_spec spec = { .output_to = path };
    assert_true(run(spec, "echo one; echo two >&2", &result, &err));
    assert_true(file_read(path, 100, &text, &err));
    assert_string_equal(buf_text(&text), "one\ntwo\n");
    assert_int_equal(result.out.len, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    dir_remove_all(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_output_are_kept),
        cmocka_unit_test(a_signal_is_a_status),
        cmocka_unit_test(folder_environment_and_input_reach_it),
        cmocka_unit_test(much_input_and_much_output_do_not_wait_for_each_other),
        cmocka_unit_test(a_program_that_does_not_read_is_no_error),
        cmocka_unit_test(a_program_that_hangs_is_killed_in_time),
        cmocka_unit_test(a_program_that_is_not_there_is_told_from_one_that_fails),
        cmocka_unit_test(a_failure_has_its_words_as_the_detail),
        cmocka_unit_test(output_can_go_to_a_private_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
