/* Many words at once: what is found is what a search for each word alone finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "doctor/needles.h"

enum { WORDS = 8 };

static const char *const words[WORDS] = { "a", "aa", "aba", "bab", "b", "abab", "aa", "\xff\x00z" };
static const size_t lens[WORDS] = { 1, 2, 3, 3, 1, 4, 2, 3 };

struct found {
    unsigned count[WORDS];
    const char *text;
};

static void note(void *arg, size_t word, size_t end)
{
    struct found *found = arg;

    found->count[word]++;
    assert_memory_equal(found->text + end - lens[word], words[word], lens[word]);
}

static void check(const struct needles *needles, const char *text, size_t len)
{
    struct found found = { .text = text };

    needles_find(needles, text, len, note, &found);
    for (size_t i = 0; i < WORDS; i++) {
        unsigned want = 0;

        for (size_t at = 0; at + lens[i] <= len; at++)
            want += memcmp(text + at, words[i], lens[i]) == 0;
        assert_int_equal(found.count[i], want);
    }
}

static void every_text_of_ten_letters_gives_what_single_searches_give(void **state)
{
    PS_AUTO(needles_freep) struct needles *needles = needles_new(words, lens, WORDS);

    (void)state;
    for (unsigned bits = 0; bits < 1u << 10; bits++) {
        char text[10];

        for (unsigned i = 0; i < 10; i++)
            text[i] = bits >> i & 1 ? 'a' : 'b';
        check(needles, text, sizeof(text));
    }
}

static void any_byte_may_stand_in_words_and_texts(void **state)
{
    PS_AUTO(needles_freep) struct needles *needles = needles_new(words, lens, WORDS);

    (void)state;
    check(needles, "x\xff\x00z\x00" "ab\xff\xff\x00z", 11);
    check(needles, "", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_ten_letters_gives_what_single_searches_give),
        cmocka_unit_test(any_byte_may_stand_in_words_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
