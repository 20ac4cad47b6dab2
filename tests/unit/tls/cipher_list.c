/* What lists of cipher suites and groups let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tls/cipher_list.h"

static const struct {
    const char *list;
    unsigned flaws;             /* of all its suites together */
    int level;
} lists[] = {
    { "ECDHE+AESGCM:ECDHE+CHACHA20", 0, -1 },
    { "ECDHE+AES", SUITE_CBC, -1 },
    { "AES256-GCM-SHA384", SUITE_NO_FS, -1 },
    { "HIGH:!aNULL", SUITE_CBC | SUITE_NO_FS, -1 },
    { "HIGH:MEDIUM:+3DES:!aNULL", SUITE_CBC | SUITE_NO_FS, -1 },
    { "ECDHE+AESGCM:ADH+AESGCM", SUITE_ANON, -1 },
    { "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", SUITE_NULL | SUITE_CBC, 0 },
    { "ECDHE+AESGCM:@SECLEVEL=2", 0, 2 },
    { "PSK+AESGCM:ECDHE+AESGCM", 0, -1 },       /* nobody has a key for these */
};

static void lists_are_expanded_and_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        PS_AUTO(suites_free) struct suites suites = { 0 };
        struct ps_err err = { 0 };
        unsigned flaws = 0;

        assert_true(suites_expand(lists[i].list, &suites, &err));
        assert_true(suites.len > 0);
        for (size_t k = 0; k < suites.len; k++)
            flaws |= suites.at[k].flaws;
        if (flaws != lists[i].flaws || suites.security_level != lists[i].level)
            fail_msg("%s: %x, level %d", lists[i].list, flaws, suites.security_level);
    }
}

static void a_list_without_a_suite_is_refused(void **state)
{
    static const char *const nothing[] = { "", "nonsense", "!ALL", "ALL:!ALL" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(nothing); i++) {
        PS_AUTO(suites_free) struct suites suites = { 0 };
        struct ps_err err = { 0 };

        assert_false(suites_expand(nothing[i], &suites, &err));
        assert_int_equal(err.code, PS_E_VALUE);
    }
}

static const struct {
    const char *list;
    const char *word;           /* NULL: none */
    enum suite_flaw flaw;
} words[] = {
    { "HIGH:MEDIUM:+3DES:!aNULL", NULL, 0 },
    { "HIGH:!aNULL:!MD5:!3DES:!RC4:!DES:!IDEA:!RC2", NULL, 0 },
    { "HIGH:RC4", "RC4", SUITE_WEAK },
    { "HIGH:RC4:!RC4", NULL, 0 },
    { "HIGH:RC4-SHA:!RC4", NULL, 0 },
    { "HIGH, kRSA+3DES", "kRSA+3DES", SUITE_WEAK },
    { "ALL", "ALL", SUITE_ANON },
    { "ALL:!aNULL", NULL, 0 },
    { "ALL:!ADH:!LOW:!EXP", NULL, 0 },
    { "HIGH:-RC4", NULL, 0 },
    { "HIGH eNULL", "eNULL", SUITE_NULL },
    { ":::;;,,", NULL, 0 },
};

static void words_for_what_is_broken_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        enum suite_flaw flaw = 0;
        size_t begin = 0, len = 0;
        bool found = suites_named_weak(words[i].list, &flaw, &begin, &len);

        if (found != (words[i].word != NULL))
            fail_msg("%s: %d", words[i].list, found);
        if (!found)
            continue;
        assert_int_equal(flaw, words[i].flaw);
        assert_int_equal(len, strlen(words[i].word));
        assert_memory_equal(words[i].list + begin, words[i].word, len);
    }
}

static const struct { const char *name; int bits; } groups[] = {
    { "prime256v1", 256 }, { "P-256", 256 }, { "secp384r1", 384 }, { "X25519", 253 }, { "secp192k1", 192 },
    { "secp224r1", 224 }, { "X25519MLKEM768", 0 }, { "nonsense", 0 }, { "", 0 }, { "sha256", 0 },
};

static void groups_have_their_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(groups); i++)
        assert_int_equal(group_bits(groups[i].name), groups[i].bits);
    assert_true(group_is_hybrid("X25519MLKEM768"));
    assert_false(group_is_hybrid("X25519"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_expanded_and_judged),
        cmocka_unit_test(a_list_without_a_suite_is_refused),
        cmocka_unit_test(words_for_what_is_broken_are_found),
        cmocka_unit_test(groups_have_their_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
