/* baseline.c - see baseline.h. */
#include "rules/baseline.h"

#include <stdlib.h>

void baseline_free(struct baseline *baseline)
{
    free(baseline->prints);
    *baseline = (struct baseline){ 0 };
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_print(const char *line, size_t len)
{
    size_t hex = strspn(line, "0123456789abcdef");

    return hex == FINDING_PRINT_HEX - 1 && (len == hex || line[hex] == ' ');
}

static bool parse_line(const char *line, size_t len, struct baseline *out)
{
    if (len == 0 || *line == '#')
        return true;
    if (!is_print(line, len))
        return false;
    PS_AUTO(ps_freep) char *print = ps_strndup(line, FINDING_PRINT_HEX - 1);
    memcpy(PS_PUSH(out->prints, out->len, out->cap), print, FINDING_PRINT_HEX);
    return true;
}

bool baseline_parse(const char *text, size_t len, const char *name, struct baseline *out,
                    struct ps_err *err)
{
    unsigned number = 0;

    if (len > BASELINE_BYTES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is too large for a baseline"), name);
    for (const char *p = text, *end = text + len; p < end; ) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        PS_AUTO(ps_freep) char *line = ps_strndup(p, (size_t)((stop ? stop : end) - p));

        number++;
        line[strcspn(line, "\r")] = '\0';
        if (!parse_line(line, strlen(line), out)) {
            ps_fail(err, PS_E_SYNTAX, _("a line of the baseline does not begin with a fingerprint"));
            ps_hint(err, _("Write the file with: pgseal check --write-baseline FILE"));
            return ps_at(err, name, number, 1);
        }
        if (!stop)
            break;
        p = stop + 1;
    }
    if (out->len)
        qsort(out->prints, out->len, sizeof(*out->prints), compare);
    return true;
}

bool baseline_has(const struct baseline *baseline, const char *print)
{
    return baseline->len
        && bsearch(print, baseline->prints, baseline->len, sizeof(*baseline->prints), compare);
}

void baseline_apply(const struct baseline *baseline, struct report *report)
{
    for (size_t i = 0; i < report->findings.len; ) {
        char print[FINDING_PRINT_HEX];

        finding_print(&report->findings.at[i], print);
        if (baseline_has(baseline, print))
            report_accept(report, i, NULL, NULL);
        else
            i++;
    }
}

static void put_word(const char *text, struct buf *out)
{
    for (; text && *text; text++)
        buf_putc(out, (unsigned char)*text < ' ' ? ' ' : *text);
}

static void put_line(const struct finding *finding, struct buf *out)
{
    char print[FINDING_PRINT_HEX];

    finding_print(finding, print);
    buf_printf(out, "%s %s ", print, finding->id);
    put_word(finding->place.file ? finding->place.file : finding->object, out);
    buf_putc(out, '\n');
}

void baseline_write(const struct report *report, struct buf *out)
{
    buf_puts(out, "# pgseal baseline: findings that are known\n");
    for (size_t i = 0; i < report->findings.len; i++)
        put_line(&report->findings.at[i], out);
    for (size_t i = 0; i < report->accepted_len; i++)
        if (!report->accepted[i].reason)
            put_line(&report->accepted[i].finding, out);
}
