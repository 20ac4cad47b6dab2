/* report.c - a look at a server as a document (see report.h). */
#include "rules/report.h"

#include <stdlib.h>

#include "facts/seen.h"
#include "rules/page.h"

void report_free(struct report *report)
{
    findings_free(&report->findings);
    grade_free(&report->grade);
    free(report->accepted);
}

void report_accept(struct report *report, size_t i, const char *reason, const char *until)
{
    struct findings *findings = &report->findings;

    PS_PUSH(report->accepted, report->accepted_len, report->accepted_cap) =
        (struct accepted){ findings->at[i], reason, until };
    findings->len--;
    memmove(&findings->at[i], &findings->at[i + 1], (findings->len - i) * sizeof(*findings->at));
}

void report_judge(struct report *report)
{
    grade_of(&report->findings, report->choice && report->choice->only, &report->grade);
    forecast_of(report->posture, &report->findings, &report->forecast);
}

/* A finding says already why there was nothing to look at. */
static bool is_told(const struct findings *findings, const char *unseen)
{
    static const struct {
        const char *unseen, *by;
    } told[] = {
        { "cert-expired",     "file-missing" },
        { "cipher-weak",      "cipher-list-invalid" },
        { "cipher-null-anon", "cipher-list-invalid" },
    };

    for (size_t i = 0; i < PS_COUNT(told); i++)
        for (size_t k = 0; k < findings->len; k++)
            if (strcmp(told[i].unseen, unseen) == 0 && strcmp(told[i].by, findings->at[k].id) == 0)
                return true;
    return false;
}

const char *report_blind(const struct report *report, const char **reason)
{
    const struct posture *posture = report->posture;

    for (size_t i = 0; i < report->grade.len; i++) {
        const struct grade_reason *unseen = &report->grade.reasons[i];

        if (!unseen->unseen || rule_skipped(report->choice, unseen->id)
            || is_told(&report->findings, unseen->id)
            || (posture->source == POSTURE_FILES
                && (!posture->refused || strcmp(unseen->text, posture->refused) != 0)))
            continue;
        *reason = unseen->text;
        return unseen->id;
    }
    return NULL;
}

/* ---- the server ---- */

static const struct {
    const char *word, *text;
} sources[] = {
    [POSTURE_DATA_DIR] = { "data_dir", N_("its data directory") },
    [POSTURE_FILES]    = { "files",    N_("copies of its files") },
    [POSTURE_SQL]      = { "sql",      N_("SQL") },
    [POSTURE_NETWORK]  = { "network",  N_("the network") },
};

static void describe_server(const struct posture *posture, struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "server", _("Server"));
    PS_AUTO(ps_freep) char *major = posture->major ? ps_asprintf("%u", posture->major) : NULL;

    doc_str(section, "name", _("Name"), posture->name);
    doc_verdict(section, "source", _("Examined"), DOC_PLAIN, sources[posture->source].word,
                _(sources[posture->source].text));
    doc_str(section, "version", "PostgreSQL", posture->version ? posture->version : major);
    doc_str(section, "openssl", "OpenSSL", posture->openssl);
    if (posture->source == POSTURE_NETWORK)     /* the page of a scan begins with all of this */
        doc_aside(section);
}

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} reloads[] = {
    [RELOAD_WHOLE]   = { "whole",   N_("takes everything"), DOC_GOOD },
    [RELOAD_PART]    = { "part",    N_("takes a part, the rest stays as it was"), DOC_WARN },
    [RELOAD_NOTHING] = { "nothing", N_("takes nothing"), DOC_BAD },
    [RELOAD_UNKNOWN] = { "unknown", N_("not known"), DOC_UNKNOWN },
}, restarts[] = {
    [RESTART_UNHINDERED] = { "unhindered", N_("nothing was found that stops it"), DOC_GOOD },
    [RESTART_FAILS]      = { "fails",      N_("fails"), DOC_BAD },
    [RESTART_UNKNOWN]    = { "unknown",    N_("not known"), DOC_UNKNOWN },
};

/* With some of the rules only, or without the files that a server reads, nothing can be foreseen. */
static void describe_forecast(const struct report *report, struct doc_node *root)
{
    const struct forecast *forecast = &report->forecast;

    if ((report->choice && report->choice->only) || report->posture->source == POSTURE_NETWORK)
        return;
    struct doc_node *section = doc_section(root, "forecast", _("Forecast"));
    doc_verdict(section, "reload", _("Next reload"), reloads[forecast->reload].mark,
                reloads[forecast->reload].word, _(reloads[forecast->reload].text));
    if (forecast->reload_by)
        doc_str(section, "reload_by", _("because of"), forecast->reload_by);
    doc_verdict(section, "restart", _("Next restart"), restarts[forecast->restart].mark,
                restarts[forecast->restart].word, _(restarts[forecast->restart].text));
    if (forecast->restart_by)
        doc_str(section, "restart_by", _("because of"), forecast->restart_by);
}

/* ---- findings ---- */

static const char *const fix_words[] = {
    [FIX_NONE] = "none", [FIX_COMMAND] = "command", [FIX_SQL] = "sql", [FIX_LINE] = "line",
    [FIX_FORM] = "form", [FIX_ADVICE] = "advice",
};

static void put_number(struct doc_node *row, const char *key, unsigned number)
{
    if (number)
        doc_int(row, key, NULL, number);
    else
        doc_str(row, key, NULL, NULL);
}

static void describe_place(const struct place *place, enum doc_mark mark, struct doc_node *card)
{
    const struct doc_spot spot = { place->file, place->line, place->column, place->end_column,
                                   place->text };

    if (place->file)
        doc_spot(card, mark, &spot);
    doc_str(card, "file", NULL, place->file);
    put_number(card, "line", place->line);
    put_number(card, "column", place->column);
    put_number(card, "end_column", place->end_column);
}

static bool is_about_lines(const struct finding *finding)
{
    return finding->fix_kind == FIX_LINE || finding->fix_kind == FIX_FORM;
}

/* The line, or the form of it, that is to go. */
static const char *replaced(const struct finding *finding)
{
    return !is_about_lines(finding) ? NULL
        : finding->fix_replaces ? finding->fix_replaces : finding->place.text;
}

static const char *file_of_fix(const struct finding *finding)
{
    return !is_about_lines(finding) ? NULL : finding->fix_file ? finding->fix_file : finding->place.file;
}

static void put_lines(struct buf *out, const char *sign, const char *lines, char end)
{
    while (lines && *lines) {
        int len = (int)strcspn(lines, "\n");

        buf_printf(out, "%s %.*s%c", sign, len, lines, end);
        lines += len + (lines[len] == '\n');
    }
}

bool report_put_fix(const struct finding *finding, struct buf *out)
{
    if (finding->fix_kind == FIX_NONE || finding->fix_kind == FIX_ADVICE || !finding->fix)
        return false;
    if (!is_about_lines(finding))
        return buf_puts(out, finding->fix);
    if (file_of_fix(finding))
        buf_printf(out, "%s: ", file_of_fix(finding));
    put_lines(out, "-", replaced(finding), ' ');
    put_lines(out, "+", finding->fix, ' ');
    out->len--;
    out->p[out->len] = '\0';
    return true;
}

/* Where no spot above it says which file is meant. */
static const char *heading_of_fix(const struct finding *finding, struct arena *arena)
{
    if (!finding->fix_file)
        return NULL;
    if (finding->fix_replaces)
        return arena_printf(arena, _("In %s, each line like this; what stands in <> stays as it is:"),
                            finding->fix_file);
    return arena_printf(arena, finding->fix_kind == FIX_FORM ? _("In %s, with your own files:") : _("In %s:"),
                        finding->fix_file);
}

/* What can be pasted stands last, as it is. */
static void describe_fix(const struct finding *finding, struct arena *arena, struct doc_node *card)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    if (finding->fix_kind == FIX_NONE || finding->fix_kind == FIX_ADVICE || !finding->fix)
        return;
    if (!is_about_lines(finding)) {
        doc_block(card, NULL, NULL, finding->fix);
        return;
    }
    put_lines(&text, "-", replaced(finding), '\n');
    put_lines(&text, "+", finding->fix, '\n');
    doc_diff(card, NULL, heading_of_fix(finding, arena), buf_text(&text));
}

/* What holds for every finding of a rule is read once; the other times it is for programs and pages. */
static struct doc_node *put_once(struct doc_node *field, bool again)
{
    return again ? doc_aside(field) : field;
}

static void describe_rule(const struct finding *finding, bool again, struct doc_node *card)
{
    const struct rule *rule = rule_find(finding->id);
    PS_AUTO(buf_free) struct buf sources_text = BUF(BUF_TEXT_MAX);

    if (!rule)
        return;
    rule_sources(rule, &sources_text);
    doc_str(card, "title", NULL, _(rule->title));
    const char *own = finding->fix_kind == FIX_ADVICE && finding->fix ? finding->fix : finding->cure;
    put_once(doc_str(card, "why", _("Why"), _(rule->why)), again);
    put_once(doc_str(card, "cure", _("Cure"), own ? own : _(rule->cure)), again && !own);
    put_once(doc_str(card, "sources", _("Source"), buf_text(&sources_text)), again);
}

static bool was_before(const struct findings *findings, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(findings->at[k].id, findings->at[i].id) == 0)
            return true;
    return false;
}

static void describe_finding(const struct findings *findings, size_t i, const char *object_label,
                             struct doc_node *table)
{
    const struct finding *finding = &findings->at[i];
    char print[FINDING_PRINT_HEX];
    enum doc_mark mark = severity_mark(finding->severity);
    PS_AUTO(ps_freep) char *heading = ps_asprintf("%s[%s]: %s", severity_text(finding->severity),
                                                  finding->id, finding->message);
    struct doc_node *card = doc_card(table, mark, heading);

    finding_print(finding, print);
    doc_str(card, "id", NULL, finding->id);
    doc_verdict(card, "severity", NULL, mark, severity_word(finding->severity),
                severity_text(finding->severity));
    doc_str(card, "message", NULL, finding->message);
    describe_place(&finding->place, mark, card);
    doc_str(card, "object", object_label, *finding->object ? finding->object : NULL);
    doc_str(card, "evidence", finding->evidence ? _("Evidence") : NULL, finding->evidence);
    describe_rule(finding, was_before(findings, i), card);
    doc_str(card, "fix_kind", NULL, fix_words[finding->fix_kind]);
    doc_str(card, "fix_file", NULL, file_of_fix(finding));
    doc_str(card, "fix_replaces", NULL, replaced(finding));
    doc_str(card, "fix", NULL, finding->fix);
    doc_str(card, "fingerprint", NULL, print);
    describe_fix(finding, findings->arena, card);
}

void report_put_findings(const struct findings *findings, const char *object_label, const char *empty,
                         struct doc_node *root)
{
    struct doc_node *table = doc_cards(root, "findings", _("Findings"), empty);

    for (size_t i = 0; i < findings->len; i++)
        describe_finding(findings, i, object_label, table);
}

static void describe_accepted(const struct report *report, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "accepted", _("Accepted"), NULL);

    for (size_t i = 0; i < report->accepted_len; i++) {
        const struct accepted *one = &report->accepted[i];
        struct doc_node *row = doc_row(table);

        doc_str(row, "id", _("Rule"), one->finding.id);
        doc_str(row, "message", _("Finding"), one->finding.message);
        doc_aside(doc_str(row, "file", _("File"), one->finding.place.file));
        doc_aside(doc_int(row, "line", _("Line"), one->finding.place.line));
        doc_str(row, "until", _("Until"), one->until);
        doc_verdict(row, "by", _("By"), DOC_PLAIN, one->reason ? "exception" : "baseline",
                    one->reason ? _("exception") : _("baseline"));
        doc_str(row, "reason", _("Reason"), one->reason);
    }
}

/* Nobody answered, which was said: that each rule saw nothing is for programs and pages. */
static bool is_out_of_reach(const struct posture *posture)
{
    return posture->seen && posture->seen->reach != REACH_YES;
}

struct doc_node *report_put_unexamined(const struct findings *findings, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "not_examined", _("Not examined"), NULL);

    for (size_t i = 0; i < findings->unexamined_len; i++) {
        struct doc_node *row = doc_row(table);

        doc_str(row, "id", _("Rule"), findings->unexamined[i].id);
        doc_str(row, "reason", _("Reason"), findings->unexamined[i].reason);
    }
    return table;
}

/* ---- what it comes to ---- */

static void describe_reasons(const struct report *report, struct doc_node *root)
{
    const struct grade *grade = &report->grade;
    struct doc_node *table = doc_table(root, "grade_reasons", _("What holds the grade down"), NULL);

    if (is_out_of_reach(report->posture))
        doc_aside(table);

    for (size_t i = 0; i < grade->len; i++) {
        const struct grade_reason *reason = &grade->reasons[i];
        struct doc_node *row = doc_row(table);

        doc_verdict(row, "cap", _("At most"), reason->unseen ? DOC_UNKNOWN : DOC_PLAIN,
                    reason->unseen ? "unknown" : grade_letter_word(reason->letter),
                    reason->unseen ? _("unknown") : NULL);
        doc_verdict(row, "area", _("Area"), DOC_PLAIN, grade_area_word(reason->area),
                    grade_area_text(reason->area));
        doc_str(row, "id", _("Rule"), reason->id);
        doc_aside(doc_str(row, "reason", _("Reason"), reason->text));
    }
}

/* What was seen is already a bound: `letter` is the worst of it. */
static void describe_no_grade(const struct report *report, struct doc_node *root)
{
    PS_AUTO(ps_freep) char *text = is_out_of_reach(report->posture)
        ? ps_strdup(_("not graded: nothing was seen"))
        : ps_asprintf(_("not graded: too little was examined; at most %s"),
                      grade_letter_word(report->grade.letter));

    doc_verdict(root, "grade", _("Grade"), DOC_UNKNOWN, "not_graded", text);
}

static void describe_grade(const struct report *report, struct doc_node *root)
{
    const struct grade *grade = &report->grade;

    if (grade->graded)
        doc_verdict(root, "grade", _("Grade"), grade_letter_mark(grade->letter), grade_letter_word(grade->letter),
                    NULL);
    else
        describe_no_grade(report, root);
}

static size_t count(const struct findings *findings, enum severity severity)
{
    size_t n = 0;

    for (size_t i = 0; i < findings->len; i++)
        n += findings->at[i].severity == severity;
    return n;
}

/* Rules that did not see all that they wanted; one may have several reasons. */
static size_t count_unseen(const struct findings *findings)
{
    size_t n = 0;

    for (size_t i = 0; i < findings->unexamined_len; i++) {
        bool before = false;

        for (size_t k = 0; k < i; k++)
            before |= strcmp(findings->unexamined[k].id, findings->unexamined[i].id) == 0;
        n += !before;
    }
    return n;
}

/* "2 critical, 1 high" */
static void put_counts(const struct findings *findings, struct buf *out)
{
    for (enum severity severity = SEV_CRITICAL; severity >= SEV_INFO; severity--) {
        size_t n = count(findings, severity);

        if (n)
            buf_printf(out, "%s%zu %s", out->len ? ", " : "", n,
                       severity_text_of(severity, n));
    }
    if (!out->len)
        buf_puts(out, _("nothing"));
}

static void describe_counts(const struct report *report, struct doc_node *root)
{
    struct doc_node *section = doc_aside(doc_section(root, "counts", _("Findings by severity")));

    for (enum severity severity = SEV_CRITICAL; severity >= SEV_INFO; severity--) {
        size_t n = count(&report->findings, severity);

        doc_mark(doc_int(section, severity_word(severity), severity_text(severity), (int64_t)n),
                 n ? severity_mark(severity) : DOC_PLAIN);
    }
    doc_int(section, "accepted", _("accepted"), (int64_t)report->accepted_len);
    doc_int(section, "not_examined", _("not examined"), (int64_t)count_unseen(&report->findings));
}

void report_describe(const struct report *report, struct doc_node *root)
{
    const struct findings *findings = &report->findings;
    PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX);

    describe_server(report->posture, root);
    describe_counts(report, root);
    report_put_findings(findings, NULL, _("nothing is wrong in what was examined"), root);
    describe_accepted(report, root);
    struct doc_node *unexamined = report_put_unexamined(findings, root);
    if (is_out_of_reach(report->posture))
        doc_aside(unexamined);
    describe_forecast(report, root);
    describe_reasons(report, root);

    put_counts(findings, &found);
    describe_grade(report, root);
    doc_str(root, "found", _("Found"), buf_text(&found));
    size_t unseen = count_unseen(findings);
    if (unseen)
        doc_mark(doc_fmt(root, "unseen", _("Not examined"), ngettext("%zu rule", "%zu rules", unseen),
                         unseen), DOC_UNKNOWN);
}
