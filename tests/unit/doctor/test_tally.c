/* A log summed up: counts, times, roles, addresses, and the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "doctor/tally.h"

struct summing {
    struct tally *tally;
    struct logs *logs;
};

static void take(void *arg, const struct logs_message *message)
{
    struct summing *summing = arg;

    tally_take(summing->tally, summing->logs, message);
}

static int64_t number_at(const struct doc *doc, const char *path)
{
    struct doc_view view;
    const struct doc_node *node = doc_find(doc_top(doc), path);

    assert_non_null(node);
    doc_look(node, &view);
    return view.integer;
}

static void text_at(const struct doc *doc, const char *path, const char *want)
{
    struct doc_view view;
    const struct doc_node *node = doc_find(doc_top(doc), path);

    assert_non_null(node);
    doc_look(node, &view);
    assert_string_equal(view.text, want);
}

static void feed(struct summing *summing, const char *text)
{
    logs_feed(summing->logs, text, strlen(text));
}

static void start(struct summing *summing, const struct doctor *doctor)
{
    summing->tally = tally_new(doctor);
    summing->logs = logs_new(NULL, take, summing);
}

static void stop(struct summing *summing)
{
    logs_free(summing->logs);
    tally_free(summing->tally);
}

#define NO_ENTRY "FATAL:  no pg_hba.conf entry for host \"10.0.0.5\", user \"app\", database \"shop\", " \
                 "no encryption\n"

static void errors_are_counted_by_role_and_address(void **state)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("explain", "");
    struct summing summing;

    (void)state;
    start(&summing, doctor);
    feed(&summing, "2026-11-21 05:00:02 UTC [1] x@y " NO_ENTRY "2026-11-21 05:00:01 UTC [1] " NO_ENTRY);
    feed(&summing, "2026-11-21 05:00:03 UTC [1] LOG:  statement: select 'no pg_hba.conf entry for host'\n");
    feed(&summing, "2026-11-21 05:00:03 UTC [1] FATAL:  the server is on fire, process 17\n");
    feed(&summing, "2026-11-21 05:00:04 UTC [1] FATAL:  the server is on fire, process 23\n");
    logs_end(summing.logs);
    tally_describe(summing.tally, logs_count(summing.logs), 10, NULL, doc_root(doc));
    assert_int_equal(number_at(doc, "log.messages"), 5);
    assert_int_equal(number_at(doc, "log.known_errors"), 2);
    assert_int_equal(number_at(doc, "log.unknown_errors"), 2);
    assert_int_equal(number_at(doc, "errors.0.count"), 2);
    text_at(doc, "errors.0.id", "hba-no-entry-plaintext");
    text_at(doc, "errors.0.first", "2026-11-21 05:00:01 UTC");
    text_at(doc, "errors.0.last", "2026-11-21 05:00:02 UTC");
    text_at(doc, "roles.0.role", "app");        /* what the message says, not what the prefix says */
    text_at(doc, "roles.0.database", "shop");
    text_at(doc, "addresses.0.address", "10.0.0.5");
    assert_int_equal(number_at(doc, "unknown.0.count"), 2);
    text_at(doc, "unknown.0.text", "the server is on fire, process 0");
    stop(&summing);
}

/* One log has both when the databases of a server differ; the word "falló" ends in one byte or in two. */
static void spanish_in_latin1_is_the_same_as_in_utf8(void **state)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("explain", "");
    struct summing summing;

    (void)state;
    start(&summing, doctor);
    feed(&summing, "2026-11-21 05:00:01 UTC [1] jos\xe9@tienda FATAL:  la autentificaci\xf3n password fall\xf3 para el "
                   "usuario \xabjos\xe9\xbb\n");
    feed(&summing, "2026-11-21 05:00:02 UTC [1] josé@tienda FATAL:  la autentificación password falló para el "
                   "usuario «josé»\n");
    logs_end(summing.logs);
    tally_describe(summing.tally, logs_count(summing.logs), 10, NULL, doc_root(doc));
    assert_int_equal(number_at(doc, "log.known_errors"), 2);
    assert_int_equal(number_at(doc, "roles.0.count"), 2);
    text_at(doc, "roles.0.role", "josé");
    stop(&summing);
}

static void more_roles_than_are_kept_apart_are_counted(void **state)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    struct summing summing;

    (void)state;
    start(&summing, doctor);
    for (int i = 0; i < TALLY_KEYS_MAX + 50; i++) {
        char line[100];

        snprintf(line, sizeof(line), "FATAL:  password authentication failed for user \"u%d\"\n", i);
        feed(&summing, line);
    }
    logs_end(summing.logs);
    assert_int_equal(tally_count(summing.tally, doctor_entry_find("password-failed")), TALLY_KEYS_MAX + 50);
    assert_int_equal(tally_not_kept_apart(summing.tally), 50);
    stop(&summing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_counted_by_role_and_address),
        cmocka_unit_test(spanish_in_latin1_is_the_same_as_in_utf8),
        cmocka_unit_test(more_roles_than_are_kept_apart_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
