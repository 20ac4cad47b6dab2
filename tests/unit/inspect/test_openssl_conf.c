/* What OpenSSL's configuration says to every program: which lines count, and that none can hold us up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "inspect/openssl_conf.h"

#define WAY "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"

struct files {                  /* pairs of a path and its text, NULL at the end */
    const char *const *pairs;
};

static bool read_one(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    for (const char *const *pair = ((struct files *)arg)->pairs; *pair; pair += 2)
        if (strcmp(pair[0], path) == 0)
            return buf_puts(out, pair[1]);
    return ps_fail(err, PS_E_NOT_FOUND, "no %s", path);
}

static bool list_one(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    size_t cap = 0;

    (void)arg;
    if (strcmp(dir, "/folder") != 0)
        return ps_fail(err, PS_E_IO, "no folder");
    *names = NULL;
    *len = 0;
    PS_PUSH(*names, *len, cap) = ps_strdup("/folder/x.conf");
    return true;
}

static const struct {
    const char *promise, *text;
    const char *want;           /* "NAME=VALUE@LINE " for each command */
} cases[] = {
    { "nothing is no error", "", "" },
    { "the way is followed", WAY "MinProtocol = TLSv1.2\n", "MinProtocol=TLSv1.2@7 " },
    { "other sections do not count", "[c]\nMinProtocol = TLSv1\n", "" },
    { "a name in another section does not lead on", "[x]\nopenssl_conf = a\n[c]\nA = 1\n", "" },
    { "comments and blanks", WAY " # MinProtocol = TLSv1\n  CipherString=DEFAULT@SECLEVEL=2 # two\r\n",
      "CipherString=DEFAULT@SECLEVEL=2@8 " },
    { "quotes", WAY "CipherString = \"a # b\"\n", "CipherString=a # b@7 " },
    { "a line goes on", WAY "CipherString = AB\\\nCD\nMinProtocol = TLSv1\n",
      "CipherString=ABCD@8 MinProtocol=TLSv1@9 " },
    { "numbers before the name", WAY "1.Options = A\n2.Options = B\n", "Options=A@7 Options=B@8 " },
    { "the last section of a name wins", WAY "[b]\nsystem_default = d\n[d]\nMaxProtocol = TLSv1.2\n",
      "MaxProtocol=TLSv1.2@10 " },
    { "section in the name", WAY "[z]\nc::MinProtocol = TLSv1\n", "MinProtocol=TLSv1@8 " },
    { "variables are left out", WAY "MinProtocol = $x\n", "" },
    { "an include of a file", WAY ".include /more\n", "Groups=P-256@1 " },
    { "an include with an equals sign", WAY ".include = /more\n", "Groups=P-256@1 " },
    { "an include of a folder", WAY ".include /folder\n", "Curves=X448@1 " },
    { "an include of nothing", WAY ".include /nothing\nMinProtocol = TLSv1\n", "MinProtocol=TLSv1@8 " },
    { "a circle ends", WAY ".include /circle\n", "A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 A=1@1 " },
};

static const char *const others[] = {
    "/more", "Groups = P-256\n", "/folder/x.conf", "Curves = X448\n",
    "/circle", "A = 1\n.include /circle\n", NULL,
};

static void each_line_counts_as_openssl_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const char *pairs[PS_COUNT(others) + 2] = { "/main", cases[i].text };
        struct files files = { pairs };
        const struct pg_source source = { &files, read_one, list_one };
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(buf_free) struct buf seen = BUF(10000);
        struct openssl_command *commands = NULL;
        struct ps_err err = { 0 };
        size_t len = 0;

        memcpy(pairs + 2, others, sizeof(others));
        assert_true(openssl_conf_read(&source, "/main", arena, &commands, &len, &err));
        for (size_t k = 0; k < len; k++)
            buf_printf(&seen, "%s=%s@%u ", commands[k].name, commands[k].value, commands[k].line);
        if (strcmp(buf_text(&seen), cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].promise, buf_text(&seen));
    }
}

static void a_file_that_is_not_there_is_said(void **state)
{
    const char *pairs[] = { NULL };
    struct files files = { pairs };
    const struct pg_source source = { &files, read_one, list_one };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct openssl_command *commands;
    struct ps_err err = { 0 };
    size_t len;

    (void)state;
    assert_false(openssl_conf_read(&source, "/main", arena, &commands, &len, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_counts_as_openssl_has_it),
        cmocka_unit_test(a_file_that_is_not_there_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
