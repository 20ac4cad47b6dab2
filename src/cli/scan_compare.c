/* scan_compare.c - see scan_compare.h. */
#include "cli/scan_compare.h"

#include <limits.h>

#include "base/clock.h"

/* ---- changes ---- */

struct changes {
    const struct seen *seen;
    struct doc_node *table;
};

static void put(const struct changes *changes, enum doc_mark mark, const char *word, const char *text,
                const char *before, const char *now)
{
    struct doc_node *row = doc_row(changes->table);

    doc_str(row, "host", _("Host"), changes->seen->host);
    doc_int(row, "port", _("Port"), changes->seen->port);
    doc_verdict(row, "what", _("Change"), mark, word, text);
    doc_str(row, "before", _("Before"), before);
    doc_str(row, "now", _("Now"), now);
}

static bool differ(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool has(const char *const *list, const char *id)
{
    for (; *list; list++)
        if (strcmp(*list, id) == 0)
            return true;
    return false;
}

static bool found(const struct findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->len; i++)
        if (strcmp(findings->at[i].id, id) == 0)
            return true;
    return false;
}

static void compare_findings(const struct changes *changes, const struct past_server *was,
                             const struct findings *now)
{
    for (size_t i = 0; i < now->len; i++) {
        const struct finding *finding = &now->at[i];
        bool again = i && strcmp(finding->id, now->at[i - 1].id) == 0;

        if (!again && !has(was->findings, finding->id))
            put(changes, severity_mark(finding->severity), "new_finding", _("new finding"), NULL,
                finding->id);
    }
    for (const char *const *id = was->findings; *id; id++)
        if (!found(now, *id))
            put(changes, DOC_GOOD, "finding_gone", _("finding gone"), *id, NULL);
}

static void compare_certificate(const struct changes *changes, const struct past_server *was)
{
    const struct seen *seen = changes->seen;
    const struct cert_info *info = seen->chain.len ? cert_info(seen->chain.at[0]) : NULL;
    char before[32], now[32];

    if (differ(was->fingerprint, info ? info->fingerprint : NULL)) {
        put(changes, DOC_WARN, "certificate", _("another certificate"), was->fingerprint,
            info ? info->fingerprint : NULL);
        return;
    }
    /* the same one: of interest is only the month in which it ends */
    if (!info || was->days_left == LONG_MIN)
        return;
    long days = clock_days_until(info->not_after);
    if (days > 30 || was->days_left <= 30)
        return;
    snprintf(before, sizeof(before), "%ld", was->days_left);
    snprintf(now, sizeof(now), "%ld", days);
    put(changes, DOC_WARN, "expiry_near", _("days left"), before, now);
}

void scan_compare(const struct past *past, const struct seen *seen, const struct report *report,
                  struct doc_node *table)
{
    const struct changes changes = { seen, table };
    const struct past_server *was = past_find(past, seen->host, seen->port);
    const char *grade = report->grade.graded && seen->reach == REACH_YES
                        ? grade_letter_word(report->grade.letter) : "not_graded";

    if (!was) {
        put(&changes, DOC_UNKNOWN, "new_server", _("not in the earlier scan"), NULL,
            scan_reach_word(seen));
        return;
    }
    if (differ(was->reach, scan_reach_word(seen)))
        put(&changes, seen->reach == REACH_YES ? DOC_GOOD : DOC_WARN, "reach", _("reached"), was->reach,
            scan_reach_word(seen));
    if (seen->reach != REACH_YES || !was->reach || strcmp(was->reach, "postgres") != 0)
        return;
    if (differ(was->plaintext, scan_plaintext_word(seen)))
        put(&changes, strcmp(scan_plaintext_word(seen), "yes") == 0 ? DOC_BAD : DOC_GOOD, "plaintext",
            _("plaintext"), was->plaintext, scan_plaintext_word(seen));
    if (differ(was->lowest_version, scan_lowest_version(seen)))
        put(&changes, DOC_WARN, "lowest_version", _("lowest TLS"), was->lowest_version,
            scan_lowest_version(seen));
    if (differ(was->grade, grade))
        put(&changes, DOC_WARN, "grade", _("grade"), was->grade, grade);
    compare_certificate(&changes, was);
    compare_findings(&changes, was, &report->findings);
}

/* ---- metrics ---- */

struct scan_metric scan_metric_of(const struct seen *seen, const struct report *report)
{
    struct scan_metric metric = {
        .seen = seen, .grade = report->grade.graded ? grade_letter_word(report->grade.letter) : NULL,
    };

    for (size_t i = 0; i < report->findings.len; i++)
        metric.findings[report->findings.at[i].severity]++;
    return metric;
}

/* A host has neither quotes nor backslashes nor line ends (targets.h): nothing is to be escaped. */
static void put_metric(struct buf *out, const struct seen *seen, const char *name, const char *label,
                       const char *value, long long number)
{
    buf_printf(out, "%s{host=\"%s\",port=\"%d\"", name, seen->host, seen->port);
    if (label)
        buf_printf(out, ",%s=\"%s\"", label, value);
    buf_printf(out, "} %lld\n", number);
}

static void put_reached(const char *name, const struct scan_metric *one, struct buf *out)
{
    put_metric(out, one->seen, name, NULL, NULL, one->seen->reach == REACH_YES);
}

static void put_tls(const char *name, const struct scan_metric *one, struct buf *out)
{
    if (one->seen->reach == REACH_YES)
        put_metric(out, one->seen, name, NULL, NULL, one->seen->letter == 'S');
}

static void put_plaintext(const char *name, const struct scan_metric *one, struct buf *out)
{
    const char *word = scan_plaintext_word(one->seen);

    if (strcmp(word, "unknown") != 0)
        put_metric(out, one->seen, name, NULL, NULL, strcmp(word, "yes") == 0);
}

static void put_not_after(const char *name, const struct scan_metric *one, struct buf *out)
{
    if (one->seen->chain.len)
        put_metric(out, one->seen, name, NULL, NULL,
                   (long long)cert_info(one->seen->chain.at[0])->not_after);
}

static void put_grade(const char *name, const struct scan_metric *one, struct buf *out)
{
    if (one->grade && one->seen->reach == REACH_YES)
        put_metric(out, one->seen, name, "grade", one->grade, 1);
}

static void put_findings(const char *name, const struct scan_metric *one, struct buf *out)
{
    for (enum severity severity = SEV_INFO; severity <= SEV_CRITICAL; severity++)
        put_metric(out, one->seen, name, "severity", severity_word(severity),
                   (long long)one->findings[severity]);
}

static const struct {
    const char *name, *help;
    void (*put)(const char *name, const struct scan_metric *one, struct buf *out);
} metrics[] = {
    { "pgseal_scan_reached", "1 if PostgreSQL answered.", put_reached },
    { "pgseal_scan_tls", "1 if TLS is offered.", put_tls },
    { "pgseal_scan_plaintext", "1 if logins are taken in plaintext, absent if not known.", put_plaintext },
    { "pgseal_scan_certificate_not_after_seconds", "End of the certificate, seconds since 1970.",
      put_not_after },
    { "pgseal_scan_grade", "1, with the grade as a label.", put_grade },
    { "pgseal_scan_findings", "Findings by severity.", put_findings },
};

/* All lines of a metric stand together: the format demands it. */
void scan_metrics(const struct scan_metric *list, size_t len, struct buf *out)
{
    for (size_t m = 0; m < PS_COUNT(metrics); m++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[m].name, metrics[m].help,
                   metrics[m].name);
        for (size_t i = 0; i < len; i++)
            metrics[m].put(metrics[m].name, &list[i], out);
    }
}
