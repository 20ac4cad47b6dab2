/* What the next reload and restart come to is told by what was found, and not known by what was not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/forecast.h"

struct wrong {
    const char *id, *object;
    bool unseen;
};

static const struct {
    struct wrong wrong[3];
    enum forecast_reload reload;
    enum forecast_restart restart;
    const char *restart_by;
} rows[] = {
    { { { 0 } }, RELOAD_WHOLE, RESTART_UNHINDERED, NULL },
    { { { "hba-trust", "all", false } }, RELOAD_WHOLE, RESTART_UNHINDERED, NULL },
    { { { "hba-syntax", "", false } }, RELOAD_PART, RESTART_FAILS, "hba-syntax" },
    { { { "hosts-syntax", "", false } }, RELOAD_PART, RESTART_FAILS, "hosts-syntax" },
    { { { "ident-syntax", "", false } }, RELOAD_PART, RESTART_UNHINDERED, NULL },
    { { { "hba-syntax", "", false }, { "conf-syntax", "", false } }, RELOAD_NOTHING, RESTART_FAILS,
      "hba-syntax" },
    { { { "key-perms", "/pg/server.key", false } }, RELOAD_PART, RESTART_FAILS, "key-perms" },
    { { { "key-perms", "/pg/backup.key", false } }, RELOAD_WHOLE, RESTART_UNHINDERED, NULL },
    { { { "file-missing", "/pg/crls", false } }, RELOAD_WHOLE, RESTART_UNHINDERED, NULL },
    { { { "hba-syntax", "", true } }, RELOAD_UNKNOWN, RESTART_UNKNOWN, NULL },
    { { { "hba-syntax", "", true }, { "conf-syntax", "", false } }, RELOAD_NOTHING, RESTART_FAILS,
      "conf-syntax" },
    { { { "cert-untrusted", "", true } }, RELOAD_WHOLE, RESTART_UNHINDERED, NULL },
};

static void findings_decide_and_what_was_not_seen_is_not_known(void **state)
{
    static const struct tls_file files[] = {
        { .role = FILE_KEY, .path = "/pg/server.key" }, { .role = FILE_CRL_DIR, .path = "/pg/crls" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(findings_free) struct findings findings = { .arena = arena };
        struct posture posture = { .arena = arena, .files = files, .files_len = PS_COUNT(files) };
        struct forecast got;

        for (const struct wrong *wrong = rows[i].wrong; wrong->id; wrong++)
            if (wrong->unseen)
                findings_unexamined(&findings, wrong->id, "why");
            else
                findings_add(&findings, &(struct finding){ .id = wrong->id, .object = wrong->object,
                                                           .severity = SEV_HIGH, .message = "m" });
        forecast_of(&posture, &findings, &got);
        if (got.reload != rows[i].reload || got.restart != rows[i].restart)
            fail_msg("row %zu: reload %d, restart %d", i, (int)got.reload, (int)got.restart);
        if (rows[i].restart_by)
            assert_string_equal(got.restart_by, rows[i].restart_by);
        else
            assert_null(got.restart_by);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_decide_and_what_was_not_seen_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
