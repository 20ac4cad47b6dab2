/* The table of known errors keeps its own rules, and every wording leads to its entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "doctor/match.h"

static bool is_slug(const char *id)
{
    return id[0] && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

static void ids_are_slugs_and_unique(void **state)
{
    (void)state;
    assert_true(doctor_entries() > 80);
    for (size_t i = 0; i < doctor_entries(); i++) {
        const struct doctor_entry *entry = doctor_entry(i);

        if (!is_slug(entry->id) || doctor_entry_find(entry->id) != entry)
            fail_msg("%s", entry->id);
    }
    assert_null(doctor_entry(doctor_entries()));
    assert_null(doctor_entry_find("no-such-entry"));
}

static void entries_say_what_it_is_why_and_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < doctor_entries(); i++) {
        const struct doctor_entry *entry = doctor_entry(i);

        if (!entry->title || !entry->source || !entry->patterns[0].text || !entry->causes[0].what
            || entry->causes[DOCTOR_CAUSES_MAX - 1].what)
            fail_msg("%s is not complete", entry->id);
        for (const struct doctor_cause *cause = entry->causes; cause->what; cause++)
            if (!cause->cure || cause->test >= TEST_COUNT)
                fail_msg("%s has a cause without a cure", entry->id);
    }
}

/* Fixed text of five bytes and more in front, braces in pairs, names that are known or none. */
static void check_wording(const struct doctor_pattern *pattern)
{
    const char *brace = pattern->text;

    if (strcspn(pattern->text, "{") < 5)
        fail_msg("%s: too little fixed text", pattern->text);
    while ((brace = strchr(brace, '{'))) {
        size_t len = strcspn(++brace, "}");
        bool known = len == 0;

        for (int i = 0; i < WHAT_COUNT; i++)
            known = known || (strlen(doctor_what_name(i)) == len
                              && strncmp(doctor_what_name(i), brace, len) == 0);
        if (!known || brace[len] != '}')
            fail_msg("%s: {%.*s}", pattern->text, (int)len, brace);
    }
}

static void wordings_are_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < doctor_entries(); i++)
        for (const struct doctor_pattern *p = doctor_entry(i)->patterns; p->text; p++)
            check_wording(p);
    for (const struct doctor_pattern *p = doctor_context; p->text; p++)
        check_wording(p);
}

static void fill_in(const char *text, struct buf *out)
{
    while (*text) {
        size_t fixed = strcspn(text, "{");

        buf_put(out, text, fixed);
        text += fixed;
        if (*text) {
            buf_puts(out, "it");
            text = strchr(text, '}') + 1;
        }
    }
}

static void every_wording_is_answered_by_its_own_entry_first(void **state)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    size_t wordings = 0;

    (void)state;
    for (size_t i = 0; i < doctor_entries(); i++)
        for (const struct doctor_pattern *p = doctor_entry(i)->patterns; p->text; p++, wordings++) {
            PS_AUTO(buf_free) struct buf text = BUF(4096);
            struct doctor_match match;

            fill_in(p->text, &text);
            doctor_match(doctor, buf_text(&text), text.len, &match);
            if (match.len == 0 || match.hits[0].entry != doctor_entry(i))
                fail_msg("\"%s\" of %s is answered by %s", buf_text(&text), doctor_entry(i)->id,
                         match.len ? match.hits[0].entry->id : "nothing");
        }
    assert_true(wordings > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_slugs_and_unique),
        cmocka_unit_test(entries_say_what_it_is_why_and_what_to_do),
        cmocka_unit_test(wordings_are_well_formed),
        cmocka_unit_test(every_wording_is_answered_by_its_own_entry_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
