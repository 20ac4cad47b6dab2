/* A report in all its forms: as a document, as SARIF, as JUnit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "doc/render.h"
#include "rules/report.h"

static const char hostile[] = "host all <all> \"x\" & \033[2J\342\200\256 tr\303\255st";

static void fill(struct report *report, struct posture *posture, struct arena *arena)
{
    *posture = (struct posture){ .arena = arena, .name = "/srv/p&g", .major = 15 };
    *report = (struct report){ .posture = posture, .modes = RULE_CHECK,
                               .findings = { .arena = arena } };
    findings_add(&report->findings, &(struct finding){
        .id = "hba-trust", .severity = SEV_CRITICAL, .object = "all", .message = "m <1>",
        .evidence = "e", .fix_kind = FIX_LINE, .fix = "hostssl all all all scram-sha-256",
        .place = { "/etc/p g/pg_hba.conf", 7, 29, 34, hostile } });
    findings_add(&report->findings, &(struct finding){
        .id = "cipher-cbc", .severity = SEV_LOW, .object = "ssl_ciphers", .message = "low" });
    findings_add(&report->findings, &(struct finding){
        .id = "hba-md5", .severity = SEV_MEDIUM, .message = "accepted one" });
    findings_unexamined(&report->findings, "cert-revoked", "no list was given");
    findings_sort(&report->findings);
    report_judge(report);
    report_accept(report, 1, "the old ERP", "2027-03-31");
}

#define LOOK_UP(doc, path, view) \
    do { \
        const struct doc_node *node_ = doc_find(doc_top(doc), path); \
        assert_non_null(node_); \
        doc_look(node_, &(view)); \
    } while (0)

static void the_document_has_the_keys_that_programs_rely_on(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture;
    PS_AUTO(report_free) struct report report;
    PS_AUTO(doc_freep) struct doc *doc = doc_new("check", NULL);
    struct doc_view view;

    (void)state;
    fill(&report, &posture, arena);
    report_describe(&report, doc_root(doc));
    LOOK_UP(doc, "findings.0.id", view);
    assert_string_equal(view.text, "hba-trust");
    LOOK_UP(doc, "findings.0.line", view);
    assert_int_equal(view.integer, 7);
    LOOK_UP(doc, "findings.0.fix", view);
    assert_string_equal(view.text, "hostssl all all all scram-sha-256");
    LOOK_UP(doc, "findings.0.severity", view);
    assert_string_equal(view.word, "critical");
    LOOK_UP(doc, "findings.1.file", view);
    assert_true(view.is_null);
    LOOK_UP(doc, "accepted.0.reason", view);
    assert_string_equal(view.text, "the old ERP");
    LOOK_UP(doc, "not_examined.0.id", view);
    assert_string_equal(view.text, "cert-revoked");
    LOOK_UP(doc, "grade", view);
    assert_string_equal(view.word, "F");
    assert_null(doc_find(doc_top(doc), "findings.2"));
}

static void text_shows_the_line_and_what_to_write_in_its_place(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture;
    PS_AUTO(report_free) struct report report;
    PS_AUTO(doc_freep) struct doc *doc = doc_new("check", NULL);
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    fill(&report, &posture, arena);
    report_describe(&report, doc_root(doc));
    doc_render(doc, DOC_TEXT, &(struct doc_style){ 0 }, &out);
    assert_non_null(strstr(buf_text(&out), "critical[hba-trust]: m <1>\n"));
    assert_non_null(strstr(buf_text(&out), "--> /etc/p g/pg_hba.conf:7:29\n"));
    assert_non_null(strstr(buf_text(&out), "^~"));
    assert_non_null(strstr(buf_text(&out), "+ hostssl all all all scram-sha-256\n"));
    assert_null(strchr(buf_text(&out), '\033'));
}

static void sarif_has_what_the_standard_requires(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture;
    PS_AUTO(report_free) struct report report;
    struct doc_view view;

    (void)state;
    fill(&report, &posture, arena);
    PS_AUTO(doc_freep) struct doc *doc = report_sarif(&report);
    LOOK_UP(doc, "version", view);
    assert_string_equal(view.text, "2.1.0");
    LOOK_UP(doc, "runs.0.tool.driver.name", view);
    LOOK_UP(doc, "runs.0.results.0.level", view);
    assert_string_equal(view.text, "error");
    LOOK_UP(doc, "runs.0.results.0.locations.0.physicalLocation.artifactLocation.uri", view);
    assert_string_equal(view.text, "file:///etc/p%20g/pg_hba.conf");
    LOOK_UP(doc, "runs.0.results.0.locations.0.physicalLocation.region.startColumn", view);
    assert_int_equal(view.integer, 27);         /* characters, not bytes */
    LOOK_UP(doc, "runs.0.results.0.fixes.0.artifactChanges.0.replacements.0.insertedContent.text",
            view);
    LOOK_UP(doc, "runs.0.results.2.suppressions.0.justification", view);
    assert_string_equal(view.text, "the old ERP");
    LOOK_UP(doc, "runs.0.invocations.0.toolExecutionNotifications.0.associatedRule.id", view);
    assert_string_equal(view.text, "cert-revoked");
    assert_null(doc_find(doc_top(doc), "runs.0.results.1.locations.0.physicalLocation"));
}

static void junit_fails_what_is_bad_enough_and_skips_what_was_not_seen(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture;
    PS_AUTO(report_free) struct report report;
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    fill(&report, &posture, arena);
    report_junit(&report, SEV_HIGH, &out);
    assert_non_null(strstr(buf_text(&out), "failures=\"1\" errors=\"0\" skipped=\"1\""));
    assert_non_null(strstr(buf_text(&out), "name=\"/srv/p&amp;g\""));
    assert_non_null(strstr(buf_text(&out), "<failure message=\"m &lt;1&gt;\" type=\"critical\">"));
    assert_non_null(strstr(buf_text(&out), "<skipped message=\"no list was given\"/>"));
    assert_non_null(strstr(buf_text(&out), "<system-out>low: low\n</system-out>"));
    assert_null(strchr(buf_text(&out), '\033'));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_has_the_keys_that_programs_rely_on),
        cmocka_unit_test(text_shows_the_line_and_what_to_write_in_its_place),
        cmocka_unit_test(sarif_has_what_the_standard_requires),
        cmocka_unit_test(junit_fails_what_is_bad_enough_and_skips_what_was_not_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
