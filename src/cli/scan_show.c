/* scan_show.c - see scan_show.h. */
#include "cli/scan_show.h"

#include "cli/scan_compare.h"
#include "cli/scan_doc.h"
#include "cli/scan_metrics.h"
#include "cli/scan_row.h"

static enum doc_mark mark_of(const struct judged *judged)
{
    const struct grade *grade = &judged->report.grade;

    return grade->graded ? grade_letter_mark(grade->letter) : DOC_UNKNOWN;
}

struct page {
    struct doc_node *rows, *cards, *changes;    /* NULL: not shown */
    bool flat;                                  /* all of the one server, for people */
    size_t in_plaintext;
};

static void begin(const struct scan *scan, struct page *page)
{
    const struct cli_run *run = scan->run;
    struct doc_node *root = doc_root(run->doc);
    const bool one = scan->targets.len == 1 && scan->seen[0];

    page->flat = one && (run->format == DOC_TEXT || run->format == DOC_HTML);
    if (run->format == DOC_CSV || (!one && run->format != DOC_JSON))
        page->rows = doc_sortable(doc_table(root, "servers", _("Servers"), _("no server was looked at")));
    if (run->format == DOC_JSON || (run->format == DOC_HTML && !one))
        page->cards = doc_cards(root, "targets", run->format == DOC_JSON ? NULL : _("Details"), NULL);
    if (scan->compares && run->format != DOC_CSV)
        page->changes = doc_table(root, "changes", _("Changes since the earlier scan"),
                                  _("nothing changed since the earlier scan"));
}

static void show_row(const struct scan *scan, size_t i, const struct report *report, const struct page *page)
{
    const bool sheet = scan->run->format == DOC_CSV;
    struct doc_node *row = doc_row(page->rows);

    scan_row(scan->seen[i], report, page->cards ? i + 1 : 0, row);
    if (sheet || scan->run->verbose)
        scan_row_more(scan->seen[i], report, row);
    if (sheet && scan->compares)
        doc_str(row, "changes", _("Changes"), scan_compare_text(&scan->before, scan->seen[i], report));
}

static void show_server(struct scan *scan, size_t i, struct page *page)
{
    PS_AUTO(judged_free) struct judged judged = { 0 };
    const struct seen *seen = scan->seen[i];

    scan_judge(scan, seen, &judged);
    page->in_plaintext += strcmp(scan_plaintext_word(seen), "yes") == 0;
    if (page->changes)
        scan_compare(&scan->before, seen, &judged.report, page->changes);
    if (page->rows)
        show_row(scan, i, &judged.report, page);
    if (page->cards)
        scan_describe(seen, &judged.report,
                      doc_anchor(doc_card(page->cards, mark_of(&judged), judged.posture->name), i + 1));
    if (page->flat)
        scan_describe(seen, &judged.report, doc_root(scan->run->doc));
}

static void show_totals(const struct scan *scan, const struct page *page)
{
    struct doc_node *root = doc_root(scan->run->doc);

    doc_int(root, "looked_at", _("Looked at"), (int64_t)scan->done);
    doc_int(root, "reached", _("Answered as PostgreSQL"), (int64_t)scan->reached);
    if (!scan->opts->certificate_only)
        doc_mark(doc_int(root, "in_plaintext", _("In plaintext"), (int64_t)page->in_plaintext),
                 page->in_plaintext ? DOC_BAD : DOC_PLAIN);
}

void scan_show(struct scan *scan)
{
    struct page page = { 0 };

    begin(scan, &page);
    for (size_t i = 0; i < scan->targets.len; i++)
        if (scan->seen[i])
            show_server(scan, i, &page);
    if (scan->targets.len > 1)
        show_totals(scan, &page);
    if (scan->stopped)
        doc_para(doc_root(scan->run->doc), DOC_WARN,
                 _("The scan was interrupted: %zu of %zu servers were looked at."), scan->done,
                 scan->targets.len);
}

void scan_show_metrics(struct scan *scan)
{
    PS_AUTO(ps_freep) struct scan_metric *list = ps_calloc(scan->targets.len, sizeof(*list));
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    size_t len = 0;

    for (size_t i = 0; i < scan->targets.len; i++) {
        PS_AUTO(judged_free) struct judged judged = { 0 };

        if (!scan->seen[i])
            continue;
        scan_judge(scan, scan->seen[i], &judged);
        list[len++] = scan_metric_of(scan->seen[i], &judged.report);
    }
    scan_metrics(list, len, &text);
    scan->run->text = buf_take(&text);
}

static const char *connections_each(const struct scan_opts *opts)
{
    if (opts->certificate_only)
        return "1";
    return opts->all_ciphers ? _("about 60, at most 4 at once") : _("6 to 25, at most 4 at once");
}

static void show_limits(const struct scan_opts *opts, struct doc_node *root)
{
    doc_str(root, "connections_each", _("Connections to each"), connections_each(opts));
    if (opts->connections_max)
        doc_int(root, "connections_max", _("Never more than"), opts->connections_max);
    doc_ms(root, "timeout_ms", _("Time limit of each"), opts->timeout_ms);
    doc_int(root, "retries", _("Retries"), opts->retries);
    if (opts->rate)
        doc_int(root, "rate", _("Connections a second"), opts->rate);
    doc_int(root, "concurrency", _("Servers at once"), opts->at_once);
    if (opts->at_once_net)
        doc_int(root, "per_network", _("In one network at once"), opts->at_once_net);
}

void scan_show_plan(const struct scan *scan)
{
    struct doc_node *root = doc_root(scan->run->doc);
    struct doc_node *table = doc_table(root, "targets", _("Targets"), NULL);

    doc_int(root, "servers", _("Servers"), (int64_t)scan->targets.len);
    show_limits(scan->opts, root);
    if (scan->opts->certificate_only)
        doc_para(root, DOC_PLAIN, _("Asked of each: one TLS handshake, for the certificate. No login is begun."));
    else
        doc_para(root, DOC_PLAIN, _("Asked of each: one TLS handshake; logins that are begun and never ended, in "
                                    "plaintext and over TLS, for a role that does not exist; hellos with old "
                                    "versions and weak suites; TLS at once; a startup glued to the request "
                                    "for TLS. No password is sent. PostgreSQL's log gets about as many lines "
                                    "as there are connections."));
    for (size_t i = 0; i < scan->targets.len; i++) {
        struct doc_node *row = doc_row(table);
        doc_str(row, "host", _("Host"), scan->targets.at[i].host);
        doc_int(row, "port", _("Port"), scan->targets.at[i].port);
    }
}
