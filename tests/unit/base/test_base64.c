/* The promises of base/base64.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"

static void the_vectors_of_rfc_4648_hold(void **state)
{
    (void)state;
    static const struct { const char *bytes, *text; } cases[] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xfe", "+//+" },
    };

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char out[16];
        size_t len = base64_encode(cases[i].bytes, strlen(cases[i].bytes), out);

        assert_int_equal(len, strlen(cases[i].text));
        assert_int_equal(len, BASE64_SIZE(strlen(cases[i].bytes)));
        assert_memory_equal(out, cases[i].text, len);
    }
}

static void lines_have_64_characters_and_never_an_empty_one(void **state)
{
    (void)state;
    static const unsigned char zeros[200];

    for (size_t len = 0; len <= sizeof(zeros); len++) {
        PS_AUTO(ps_freep) char *out = ps_malloc(BASE64_LINES_SIZE(len) + 1);
        size_t got = base64_lines(zeros, len, out);

        assert_int_equal(got, BASE64_LINES_SIZE(len));
        out[got] = '\0';
        for (const char *line = out; *line; line = strchr(line, '\n') + 1) {
            size_t chars = strcspn(line, "\n");

            assert_in_range(chars, 1, 64);
            if (line[chars + 1])
                assert_int_equal(chars, 64);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_hold),
        cmocka_unit_test(lines_have_64_characters_and_never_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
