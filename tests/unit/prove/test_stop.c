/* Signals wait until what was begun is tidied, and then do what they would have done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "prove/stop.h"

/* The child's status after it caught `number` between catch and release. */
static int end_of_child(int number)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct stop stop;
        struct ps_err err;

        stop_catch(&stop);
        raise(number);
        if (stop_none(&err) || err.code != PS_E_DECLINED)
            _exit(9);
        stop_release(&stop);
        _exit(8);       /* not reached: the signal is raised again */
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_signal_ends_the_program_after_the_tidying(void **state)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(numbers); i++) {
        int status = end_of_child(numbers[i]);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
    }
}

static void an_ignored_signal_stays_ignored(void **state)
{
    struct stop stop;
    struct ps_err err;

    (void)state;
    signal(SIGHUP, SIG_IGN);
    stop_catch(&stop);
    raise(SIGHUP);
    assert_true(stop_none(&err));
    stop_release(&stop);
    raise(SIGHUP);      /* would end us */
    signal(SIGHUP, SIG_DFL);
}

static void without_a_signal_nothing_happens(void **state)
{
    struct stop stop;
    struct ps_err err;

    (void)state;
    stop_catch(&stop);
    assert_true(stop_none(&err));
    stop_release(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_ends_the_program_after_the_tidying),
        cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(without_a_signal_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
