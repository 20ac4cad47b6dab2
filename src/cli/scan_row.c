/* scan_row.c - see scan_row.h. */
#include "cli/scan_row.h"

#include "base/clock.h"
#include "cli/scan_doc.h"

enum { NEAR_DAYS = 30 };        /* a certificate that ends that soon is worth a look */

static void put_grade(struct doc_node *row, const struct grade *grade, bool reached)
{
    if (grade->graded && reached)
        doc_rank(doc_verdict(row, "grade", _("Grade"), grade_letter_mark(grade->letter),
                             grade_letter_word(grade->letter), NULL), (int)grade->letter + 1);
    else
        doc_verdict(row, "grade", _("Grade"), DOC_UNKNOWN, "not_graded", "-");
}

/* The worst findings by name: the whole is a scan of this server away. */
static void put_worst(struct doc_node *row, const struct findings *findings)
{
    PS_AUTO(buf_free) struct buf text = BUF(1024);
    size_t shown = 0;

    for (size_t i = 0; i < findings->len && shown < 3; i++) {
        bool again = i && strcmp(findings->at[i].id, findings->at[i - 1].id) == 0;
        if (again || findings->at[i].severity < SEV_MEDIUM)
            continue;
        buf_printf(&text, "%s%s", shown++ ? ", " : "", findings->at[i].id);
    }
    doc_str(row, "worst", _("Worst findings"), text.len ? buf_text(&text) : NULL);
}

static bool speaks_old(const struct seen *seen)
{
    for (int i = 0; i < seen_version_index(TLS_1_2); i++)
        if (seen->versions[i] == FACT_YES)
            return true;
    return false;
}

/* For people, who has no TLS, and who is not there, says so where the others have their versions. */
static void put_lowest(struct doc_node *row, const struct seen *seen)
{
    const char *version = seen->reach == REACH_YES ? scan_lowest_version(seen) : NULL;

    if (seen->reach != REACH_YES)
        doc_verdict(row, "lowest_version", _("Lowest TLS"), DOC_UNKNOWN, "",
                    scan_reach_text(seen));
    else if (seen->letter != 'S')
        doc_verdict(row, "lowest_version", _("Lowest TLS"), DOC_BAD, "none", _("no TLS"));
    else if (!version)
        doc_verdict(row, "lowest_version", _("Lowest TLS"), DOC_UNKNOWN, "", _("unknown"));
    else
        doc_mark(doc_str(row, "lowest_version", _("Lowest TLS"), version),
                 speaks_old(seen) ? DOC_BAD : DOC_PLAIN);
}

static void put_days_left(struct doc_node *row, const struct cert_info *info)
{
    if (!info) {
        doc_str(row, "days_left", _("Days left"), NULL);
        return;
    }
    long days = clock_days_until(info->not_after);
    doc_mark(doc_int(row, "days_left", _("Days left"), days),
             days < 0 ? DOC_BAD : days <= NEAR_DAYS ? DOC_WARN : DOC_PLAIN);
}

/* All of them, with blanks: a spreadsheet's filter finds one. */
static void put_findings(struct doc_node *row, const struct findings *findings)
{
    PS_AUTO(buf_free) struct buf text = BUF(8192);

    for (size_t i = 0; i < findings->len; i++)
        if (!i || strcmp(findings->at[i].id, findings->at[i - 1].id) != 0)
            buf_printf(&text, "%s%s", text.len ? " " : "", findings->at[i].id);
    doc_str(row, "findings", _("Findings"), text.len ? buf_text(&text) : NULL);
}

/* What is to be written or run for each of them, for a spreadsheet: "tls-off: pgseal secure ...; ...". */
static void put_cures(struct doc_node *row, const struct findings *findings)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < findings->len; i++) {
        PS_AUTO(buf_free) struct buf fix = BUF(BUF_TEXT_MAX);

        if (report_put_fix(&findings->at[i], &fix))
            buf_printf(&text, "%s%s: %s", text.len ? "; " : "", findings->at[i].id, buf_text(&fix));
    }
    doc_str(row, "cures", _("Cures"), text.len ? buf_text(&text) : NULL);
}

void scan_row(const struct seen *seen, const struct report *report, size_t number,
              struct doc_node *row)
{
    const struct cert_info *info = seen->chain.len ? cert_info(seen->chain.at[0]) : NULL;

    doc_link(doc_str(row, "host", _("Host"), seen->host), number);
    doc_int(row, "port", _("Port"), seen->port);
    put_grade(row, &report->grade, seen->reach == REACH_YES);
    scan_put_plaintext(row, seen);
    put_lowest(row, seen);
    put_days_left(row, info);
    put_worst(row, &report->findings);
}

void scan_row_more(const struct seen *seen, const struct report *report, struct doc_node *row)
{
    const struct cert_info *info = seen->chain.len ? cert_info(seen->chain.at[0]) : NULL;

    doc_str(row, "address", _("Address"), seen->address);
    doc_verdict(row, "reach", _("Reached"), DOC_PLAIN, scan_reach_word(seen),
                scan_reach_text(seen));
    doc_str(row, "kind", _("Kind"), scan_kind_word(seen));
    doc_str(row, "subject", _("Certificate"), info ? info->subject : NULL);
    doc_str(row, "issuer", _("Issuer"), info ? info->issuer : NULL);
    if (info)
        doc_time(row, "not_after", _("Not after"), info->not_after);
    put_findings(row, &report->findings);
    put_cures(row, &report->findings);
    doc_int(row, "connections", _("Connections"), seen->connections);
}
