/* scan_metrics.c - see scan_metrics.h. */
#include "cli/scan_metrics.h"

#include "base/clock.h"

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

static void put_versions(const char *name, const struct scan_metric *one, struct buf *out)
{
    for (int i = 0; i < SEEN_VERSIONS; i++)
        if (one->seen->versions[i] != FACT_UNKNOWN)
            put_metric(out, one->seen, name, "version", tls_version_name(seen_versions[i]),
                       one->seen->versions[i] == FACT_YES);
}

static void put_connections(const char *name, const struct scan_metric *one, struct buf *out)
{
    put_metric(out, one->seen, name, NULL, NULL, one->seen->connections);
}

static void put_duration(const char *name, const struct scan_metric *one, struct buf *out)
{
    buf_printf(out, "%s{host=\"%s\",port=\"%d\"} %lld.%06lld\n", name, one->seen->host, one->seen->port,
               (long long)(one->seen->took_us / 1000000), (long long)(one->seen->took_us % 1000000));
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
    { "pgseal_scan_tls_version", "1 if this version of TLS is accepted, 0 if refused, absent if not known.",
      put_versions },
    { "pgseal_scan_certificate_not_after_timestamp_seconds", "End of the certificate.", put_not_after },
    { "pgseal_scan_grade", "1, with the grade as a label.", put_grade },
    { "pgseal_scan_findings", "Findings by severity.", put_findings },
    { "pgseal_scan_connections", "Connections that the scan opened.", put_connections },
    { "pgseal_scan_duration_seconds", "Time that the scan of this server took.", put_duration },
};

static const char ended[] = "pgseal_scan_end_timestamp_seconds";

/* All lines of a metric stand together: the format demands it. */
void scan_metrics(const struct scan_metric *list, size_t len, struct buf *out)
{
    for (size_t m = 0; m < PS_COUNT(metrics); m++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[m].name, metrics[m].help,
                   metrics[m].name);
        for (size_t i = 0; i < len; i++)
            metrics[m].put(metrics[m].name, &list[i], out);
    }
    buf_printf(out, "# HELP %s When the scan ended.\n# TYPE %s gauge\n%s %lld\n", ended, ended, ended,
               (long long)clock_now());
}
