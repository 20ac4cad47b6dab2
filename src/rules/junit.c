/* junit.c - a look at a server as JUnit XML (see report.h), in the form that Jenkins and GitLab read. */
#include "rules/report.h"

#include "doc/text.h"

/* XML 1.0 knows no control characters, not even as references: text_visible() has them as escapes. */
static void put(const char *text, struct buf *out)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\n', "&#10;" },
    };
    PS_AUTO(buf_free) struct buf clean = BUF(BUF_TEXT_MAX);

    text_visible(text, &clean);
    for (const char *p = buf_text(&clean); *p; p++) {
        const char *entity = NULL;

        for (size_t i = 0; i < PS_COUNT(entities); i++)
            if (entities[i].c == *p)
                entity = entities[i].entity;
        if (entity)
            buf_puts(out, entity);
        else
            buf_putc(out, *p);
    }
}

enum outcome { PASSED, FAILED, SKIPPED };

struct testcase {
    const struct rule *rule;
    enum outcome outcome;
    const struct finding *worst;        /* findings are sorted: the first one */
    const char *unseen;                 /* why it was not examined */
};

static struct testcase look(const struct report *report, const struct rule *rule,
                            enum severity fail_on)
{
    const struct findings *findings = &report->findings;
    struct testcase test = { .rule = rule };

    for (size_t i = 0; i < findings->len && !test.worst; i++)
        if (strcmp(findings->at[i].id, rule->id) == 0)
            test.worst = &findings->at[i];
    for (size_t i = 0; i < findings->unexamined_len && !test.unseen; i++)
        if (strcmp(findings->unexamined[i].id, rule->id) == 0)
            test.unseen = findings->unexamined[i].reason;
    if (test.worst && test.worst->severity >= fail_on)
        test.outcome = FAILED;
    else if (!test.worst && test.unseen)
        test.outcome = SKIPPED;
    return test;
}

static void put_findings(const struct report *report, const struct rule *rule, struct buf *out)
{
    for (size_t i = 0; i < report->findings.len; i++) {
        const struct finding *finding = &report->findings.at[i];

        if (strcmp(finding->id, rule->id) != 0)
            continue;
        put(severity_word(finding->severity), out);
        buf_puts(out, ": ");
        put(finding->message, out);
        if (finding->place.file) {
            buf_puts(out, " (");
            put(finding->place.file, out);
            buf_printf(out, ":%u)", finding->place.line);
        }
        buf_putc(out, '\n');
    }
}

static void put_case(const struct report *report, const struct testcase *test, struct buf *out)
{
    buf_puts(out, "    <testcase classname=\"pgseal.check\" name=\"");
    put(test->rule->id, out);
    buf_puts(out, "\" time=\"0\">");
    if (test->outcome == SKIPPED) {
        buf_puts(out, "<skipped message=\"");
        put(test->unseen, out);
        buf_puts(out, "\"/>");
    } else if (test->outcome == FAILED) {
        buf_puts(out, "<failure message=\"");
        put(test->worst->message, out);
        buf_printf(out, "\" type=\"%s\">", severity_word(test->worst->severity));
        put_findings(report, test->rule, out);
        buf_puts(out, "</failure>");
    } else if (test->worst) {
        buf_puts(out, "<system-out>");
        put_findings(report, test->rule, out);
        buf_puts(out, "</system-out>");
    }
    buf_puts(out, "</testcase>\n");
}

/* Rules without a mode are the verb's own: they count when there is a finding of them. */
static bool was_run(const struct report *report, const struct testcase *test)
{
    return (test->rule->modes & report->modes && rule_chosen(report->choice, test->rule->id))
        || test->worst;
}

void report_junit(const struct report *report, enum severity fail_on, struct buf *out)
{
    PS_AUTO(buf_free) struct buf cases = BUF(BUF_TEXT_MAX);
    size_t tests = 0, counts[SKIPPED + 1] = { 0 };

    for (size_t i = 0; i < rules_count(); i++) {
        struct testcase test = look(report, rule_at(i), fail_on);

        if (!was_run(report, &test))
            continue;
        tests++;
        counts[test.outcome]++;
        put_case(report, &test, &cases);
    }
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
    put(report->posture->name, out);
    buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\">\n",
               tests, counts[FAILED], counts[SKIPPED]);
    buf_put(out, buf_text(&cases), cases.len);
    buf_puts(out, "  </testsuite>\n</testsuites>\n");
}
