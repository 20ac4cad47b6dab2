/* secret_prompt on a terminal of our own: no echo, editing, ^C, two answers that must agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "tls/secret.h"

static const struct {
    const char *typed;
    bool again;
    enum ps_code code;
    const char *want;       /* of a success */
} rows[] = {
    { "secret\r", false, PS_E_NONE, "secret" },
    { "secret\n", false, PS_E_NONE, "secret" },
    { "two words\r", false, PS_E_NONE, "two words" },
    { "\r", false, PS_E_NONE, "" },
    { "wrong\x15" "right\r", false, PS_E_NONE, "right" },
    { "ab\x7f\x7f\x7f" "cd\x08" "e\r", false, PS_E_NONE, "ce" },
    { "secret\rsecret\r", true, PS_E_NONE, "secret" },
    { "secret\rsecreT\r", true, PS_E_PASSPHRASE, NULL },
    { "secret\rsecret2\r", true, PS_E_PASSPHRASE, NULL },
    { "sec\x03", false, PS_E_DECLINED, NULL },
};

/* On its own terminal; the exit status is the row's verdict. */
static void ask(size_t row)
{
    PS_AUTO(secret_free) struct secret pass = { 0 };
    struct ps_err err = { 0 };
    struct termios after;
    bool given = secret_prompt("Passphrase", rows[row].again, &pass, &err);
    bool right = given ? rows[row].want && strcmp(pass.p, rows[row].want) == 0
                       : !rows[row].want && err.code == rows[row].code && !pass.p;
    bool echo_is_back = tcgetattr(STDIN_FILENO, &after) == 0 && (after.c_lflag & ECHO);

    _exit(right && echo_is_back ? 0 : 1);
}

/* Types only when asked: the terminal throws away what was typed before echo went off. */
static void answer(int fd, const char *typed, struct buf *shown)
{
    char block[256];
    ssize_t got;

    while ((got = read(fd, block, sizeof(block))) > 0) {
        buf_put(shown, block, (size_t)got);
        if (shown->p[shown->len - 1] != ' ' || !*typed)
            continue;
        size_t len = strcspn(typed, "\r\n\x03");
        assert_int_equal(write(fd, typed, len + 1), len + 1);
        typed += len + 1;
    }
}

static void a_passphrase_is_asked_for_without_echo(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(buf_free) struct buf shown = BUF(1 << 16);
        int fd, status;
        pid_t pid = forkpty(&fd, NULL, NULL, NULL);

        assert_true(pid >= 0);
        if (pid == 0)
            ask(i);
        answer(fd, rows[i].typed, &shown);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(fd);
        if (status != 0)
            fail_msg("row %zu", i);
        assert_non_null(strstr(shown.p, "Passphrase: "));
        assert_null(strstr(shown.p, "sec"));
    }
}

static void without_a_terminal_it_says_what_to_do(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct secret pass = { 0 };
        struct ps_err err = { 0 };

        setsid();       /* no terminal any more */
        bool given = secret_prompt("Passphrase", false, &pass, &err);
        _exit(!given && err.code == PS_E_PASSPHRASE && err.hint[0] ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_passphrase_is_asked_for_without_echo),
        cmocka_unit_test(without_a_terminal_it_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
