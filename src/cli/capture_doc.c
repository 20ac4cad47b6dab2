/* capture_doc.c - see capture_doc.h. */
#include "cli/capture_doc.h"

#include "capture/source.h"
#include "cli/capture_conn.h"
#include "rules/report.h"
#include "tls/names.h"

static bool next_conn(void *of, bool restart, struct doc_node *row)
{
    struct capture_view *view = of;
    struct spool_item item;

    if (restart) {
        spool_rewind(view->spool);
        view->shown = 0;
    }
    while ((view->all || view->shown < CAPTURE_PAGE_ROWS)
           && spool_next(view->spool, &item) != SPOOL_END)
        if (item.kind == SPOOL_CONN && (view->all || totals_concerns(view->totals, &item.conn))) {
            capture_conn_doc(&item.conn, view->totals, view->with_sample, row);
            view->shown++;
            return true;
        }
    return false;
}

/* Who reads "low" beside a password in plaintext is to know why. */
static void say_where(const struct totals *totals, struct doc_node *root)
{
    uint64_t inside = 0;

    for (size_t i = 0; i < totals->traffic_len; i++)
        if (totals->traffic[i].loopback && (strcmp(totals->traffic[i].verdict, "plaintext") == 0
                                            || strcmp(totals->traffic[i].verdict, "downgraded") == 0))
            inside += totals->traffic[i].connections;
    if (inside == totals->readable)
        doc_para(root, DOC_PLAIN, _("All of that stayed within this machine (loopback), where only its "
                                    "administrators can read it: therefore the findings are low."));
    else if (inside)
        doc_para(root, DOC_PLAIN, ngettext("Of these, %llu stayed within this machine (loopback).",
                                           "Of these, %llu stayed within this machine (loopback).", inside),
                 (unsigned long long)inside);
}

/* What was in order: the other half of the answer. */
static void say_encrypted(const struct totals *totals, struct doc_node *root)
{
    if (totals->encrypted)
        doc_para(root, DOC_GOOD,
                 ngettext("%llu of %llu connections was encrypted: who sees its packets reads no password, no "
                          "question and no answer in them.",
                          "%llu of %llu connections were encrypted: who sees their packets reads no password, no "
                          "question and no answer in them.", totals->encrypted),
                 (unsigned long long)totals->encrypted, (unsigned long long)totals->connections);
    if (totals->unfollowed)
        doc_para(root, DOC_PLAIN,
                 ngettext("In %llu of these packets are missing behind the handshake: there it is not proved "
                          "that it went on encrypted.",
                          "In %llu of these packets are missing behind the handshake: there it is not proved "
                          "that they went on encrypted.", totals->unfollowed),
                 (unsigned long long)totals->unfollowed);
}

/* A packet without whole headers may be of a connection that is nowhere else. */
static bool all_was_seen(const struct totals *totals)
{
    const struct capture_counts *counts = &totals->counts;

    return !totals->undecided && !counts->dropped_kernel && !counts->dropped_interface && !counts->unread
        && !counts->flows.kinds[LINK_CUT] && !counts->flows.kinds[LINK_UNKNOWN];
}

static void answer(const struct totals *totals, struct doc_node *root)
{
    if (totals->readable) {
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_BAD, "plaintext",
                    _("yes: connections were readable on the wire"));
        doc_para(root, DOC_BAD, ngettext("%llu of %llu connections was in plaintext: what it "
                                         "sent could be read and changed on the way.",
                                         "%llu of %llu connections were in plaintext: what "
                                         "they sent could be read and changed on the way.",
                                         totals->readable),
                 (unsigned long long)totals->readable, (unsigned long long)totals->connections);
    } else if (totals->verdicts[V_INJECTED])
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_BAD, "injected",
                    _("bytes were stuffed in before a handshake: look at those connections"));
    else if (!all_was_seen(totals))
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_UNKNOWN, "unknown",
                    _("not that was seen, but not everything could be seen"));
    else if (totals->encrypted)
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_GOOD, "encrypted",
                    _("no: every session was encrypted"));
    else if (totals->others_undecided)
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_UNKNOWN, "unknown",
                    _("no session of PostgreSQL was seen to begin; with --port its old ones are counted"));
    else
        doc_verdict(root, "answer", _("Is anything in plaintext?"), DOC_UNKNOWN, "nothing",
                    _("there was no session of PostgreSQL"));
    if (totals->passwords)
        doc_para(root, DOC_BAD,
                 ngettext("In %llu connection a password, or what serves as one, was readable: it has to be "
                          "changed.",
                          "In %llu connections a password, or what serves as one, was readable: they have to "
                          "be changed.", totals->passwords), (unsigned long long)totals->passwords);
    if (totals->readable)
        say_where(totals, root);
    say_encrypted(totals, root);
    if (totals->undecided)
        doc_para(root, DOC_UNKNOWN,
                 ngettext("Of %llu connection it is not known: it began before the capture, or "
                          "packets are missing.",
                          "Of %llu connections it is not known: they began before the capture, or "
                          "packets are missing.", totals->undecided),
                 (unsigned long long)totals->undecided);
}

/* What is not in the report, before the report. */
static void missing(const struct capture_view *view, struct doc_node *root)
{
    const struct ps_err *unread = view->unread;
    const struct flow_counts *flows = &view->totals->counts.flows;
    const char *link = source_link_name(flows->unknown_link);

    if (unread->code != PS_E_NONE)
        doc_para(root, DOC_BAD, _("Only a part was read: %s.  %s"), unread->message, unread->detail);
    if (view->totals->counts.cut_short)
        doc_para(root, DOC_WARN, _("A file ends in the middle of a packet: its rest is not here."));
    if (flows->kinds[LINK_UNKNOWN])
        doc_para(root, DOC_WARN,
                 ngettext("%llu packet is not here: its link type, %s, cannot be read.",
                          "%llu packets are not here: their link type, %s, cannot be read.",
                          flows->kinds[LINK_UNKNOWN]),
                 (unsigned long long)flows->kinds[LINK_UNKNOWN], link ? link : "?");
}

static void split(const struct totals *totals, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "split", _("How the connections were protected"),
                                       _("no connection was seen"));

    for (int i = 0; i < VERDICTS; i++) {
        struct doc_node *row;

        if (!totals->verdicts[i])
            continue;
        row = doc_row(table);
        doc_verdict(row, "verdict", _("Verdict"), capture_mark(i), verdict_word((enum verdict)i),
                    verdict_text((enum verdict)i));
        doc_int(row, "connections", _("Connections"), (int64_t)totals->verdicts[i]);
        doc_share(row, "share", _("Share"), totals->verdicts[i], totals->connections,
                  capture_mark(i));
    }
}

static void owners(const struct totals *totals, size_t most, struct doc_node *root)
{
    const struct total_table *owners = &totals->by[BY_OWNER];
    struct doc_node *table = doc_table(root, "readable", _("In plaintext, and whose"), NULL);

    for (size_t i = 0; i < owners->len && i < most; i++) {
        const struct total *owner = &owners->at[i];
        struct doc_node *row = doc_row(table);

        doc_str(row, "server", _("Server"), owner->key.part[0]);
        doc_str(row, "user", _("Role"), owner->key.part[1]);
        doc_str(row, "database", _("Database"), owner->key.part[2]);
        doc_str(row, "network", _("From"), owner->key.part[3]);
        doc_int(row, "connections", _("Connections"), (int64_t)owner->connections);
        doc_mark(doc_int(row, "passwords_exposed", _("Passwords"), (int64_t)owner->passwords),
                 owner->passwords ? DOC_BAD : DOC_PLAIN);
        doc_int(row, "queries", _("Queries"), (int64_t)owner->queries);
        doc_int(row, "rows", _("Rows"), (int64_t)owner->rows);
        doc_aside(doc_moment(row, "last", _("Last packet"), owner->last_us));
    }
    if (owners->len > most)
        doc_para(root, DOC_PLAIN, _("There are more of them; by role, database and network all are counted."));
}

static void tls_table(const struct totals *totals, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "tls", _("Encrypted with"), NULL);

    for (size_t i = 0; i < totals->by[BY_TLS].len; i++) {
        const struct total *tls = &totals->by[BY_TLS].at[i];
        struct doc_node *row = doc_row(table);

        doc_str(row, "tls_version", _("TLS"), tls->key.part[0]);
        doc_str(row, "cipher", _("Cipher"), tls->key.part[1]);
        doc_str(row, "group", _("Group"), tls->key.part[2]);
        doc_int(row, "connections", _("Connections"), (int64_t)tls->connections);
    }
}

static void total_table(const struct total_table *from, const char *key, const char *label,
                        const char *name, struct doc_node *section)
{
    struct doc_node *table = doc_aside(doc_table(section, key, label, NULL));

    for (size_t i = 0; i < from->len; i++) {
        const struct total *total = &from->at[i];
        struct doc_node *row = doc_row(table);

        if (total->rest)
            doc_str(row, "name", name, _("(all others)"));
        else if (!total->key.part[0])
            doc_verdict(row, "name", name, DOC_PLAIN, "", _("(not visible)"));
        else
            doc_str(row, "name", name, total->key.part[0]);
        doc_int(row, "connections", _("Connections"), (int64_t)total->connections);
        doc_int(row, "encrypted", _("Encrypted"), (int64_t)total->encrypted);
        doc_int(row, "readable", _("Plaintext"), (int64_t)total->readable);
        doc_int(row, "undecided", _("Unknown"), (int64_t)total->undecided);
        doc_int(row, "passwords_exposed", _("Passwords"), (int64_t)total->passwords);
        doc_int(row, "bytes", _("Bytes"), (int64_t)total->bytes);
    }
}

static void totals_doc(const struct totals *totals, struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "totals", _("Totals"));

    doc_int(section, "connections", _("Connections"), (int64_t)totals->connections);
    doc_int(section, "encrypted", _("Encrypted"), (int64_t)totals->encrypted);
    doc_int(section, "readable", _("Plaintext"), (int64_t)totals->readable);
    doc_int(section, "undecided", _("Unknown"), (int64_t)totals->undecided);
    doc_int(section, "passwords_exposed", _("Passwords exposed"), (int64_t)totals->passwords);
    doc_int(section, "others", _("Connections of other programs"), (int64_t)totals->others);
    total_table(&totals->by[BY_ROLE], "by_role", _("By role"), _("Role"), section);
    total_table(&totals->by[BY_DATABASE], "by_database", _("By database"), _("Database"), section);
    total_table(&totals->by[BY_APPLICATION], "by_application", _("By application"), _("Application"),
                section);
    total_table(&totals->by[BY_NETWORK], "by_network", _("By client network"), _("Network"), section);
}

static void times(const struct totals *totals, struct doc_node *root)
{
    const struct { const char *key, *label; const struct histogram *of; } rows[] = {
        { "handshake", _("TLS handshake"), &totals->handshake },
        { "setup", _("Set-up of a connection"), &totals->setup },
    };
    struct doc_node *table = doc_table(root, "times", _("Times"), NULL);

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct doc_node *row;

        if (!rows[i].of->count)
            continue;
        row = doc_row(table);
        doc_verdict(row, "what", _("What"), DOC_PLAIN, rows[i].key, rows[i].label);
        doc_int(row, "count", _("Count"), (int64_t)rows[i].of->count);
        doc_ms(row, "p50_ms", "50 %", histogram_percentile(rows[i].of, 50));
        doc_ms(row, "p90_ms", "90 %", histogram_percentile(rows[i].of, 90));
        doc_ms(row, "p99_ms", "99 %", histogram_percentile(rows[i].of, 99));
        doc_ms(row, "max_ms", _("Longest"), rows[i].of->most_ms);
    }
}

static void certificates(const struct totals *totals, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "certificates", _("Certificates seen"), NULL);

    for (uint32_t i = 1; i <= totals->certs.len; i++) {
        const struct cert_info *info = totals_cert(totals, i);
        struct doc_node *row;

        if (!info)
            continue;
        row = doc_row(table);
        doc_str(row, "subject", _("Subject"), info->subject);
        doc_str(row, "issuer", _("Issuer"), info->issuer);
        doc_time(row, "not_before", _("Valid from"), info->not_before);
        doc_time(row, "not_after", _("Valid until"), info->not_after);
        doc_str(row, "key", _("Key"), info->key_text);
        doc_str(row, "first_name", _("First name"), info->dns[0] ? info->dns[0] : info->ip[0]);
        doc_aside(doc_str(row, "fingerprint", _("Fingerprint"), info->fingerprint));
    }
}

static void counts(const struct capture_view *view, struct doc_node *root)
{
    const struct capture_counts *all = &view->totals->counts;
    const struct flow_counts *flows = &all->flows;
    struct doc_node *section = doc_section(root, "capture", _("The capture"));
    const struct { const char *key, *label; uint64_t value; bool bad; } rows[] = {
        { "packets", _("Packets"), flows->packets, false },
        { "tcp_bytes", _("Bytes of TCP"), flows->tcp_bytes, false },
        { "dropped_kernel", _("Dropped by the kernel"), all->dropped_kernel, true },
        { "dropped_interface", _("Dropped by the network card"), all->dropped_interface, true },
        { "fragments", _("Fragments"), flows->kinds[LINK_FRAGMENT], false },
        { "fragments_joined", _("Packets put together from fragments"), flows->frags.joined, false },
        { "fragments_incomplete", _("Packets of which a fragment is missing"), flows->frags.incomplete, true },
        { "fragments_overlapping", _("Packets whose fragments overlap"), flows->frags.overlapping, true },
        { "fragments_broken", _("Broken fragments"), flows->frags.broken, true },
        { "fragments_dropped", _("Packets in fragments dropped over the bound"), flows->frags.dropped, true },
        { "cut_packets", _("Packets cut when captured"), flows->cut_packets, true },
        { "short_packets", _("Packets without whole headers"), flows->kinds[LINK_CUT], true },
        { "broken_packets", _("Broken packets"), flows->kinds[LINK_BROKEN], true },
        { "unknown_packets", _("Packets of a link type that cannot be read"), flows->kinds[LINK_UNKNOWN], true },
        { "other_packets", _("Packets that are not TCP"), flows->kinds[LINK_OTHER], false },
        { "other_ports", _("Packets of other ports"), flows->other_ports, false },
        { "most_open", _("Connections at a time, at most"), flows->most_open, false },
        { "evicted", _("Connections dropped over the bound"), flows->evicted, true },
        { "beginnings_dropped", _("Beginnings dropped over the bound"), flows->parts_refused, true },
        { "early_dropped", _("Early segments dropped over the bound"), flows->early_refused, true },
        { "certificates_dropped", _("Certificates not kept over the bound"), all->certs_refused, true },
        { "unjudged", _("Connections not judged over the bound"), view->totals->traffic_refused, true },
        { "kept_dropped", _("Packets not written over the bound"), flows->kept_refused, true },
    };

    if (flows->packets) {
        doc_moment(section, "first", _("First packet"), all->first_us);
        doc_moment(section, "last", _("Last packet"), all->last_us);
    }
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct doc_node *field = doc_int(section, rows[i].key, rows[i].label, (int64_t)rows[i].value);

        if (rows[i].bad && rows[i].value)
            doc_mark(field, DOC_WARN);
        else if (!rows[i].value)
            doc_aside(field);
    }
    doc_aside(doc_bool(section, "file_cut_short", _("The file ends in the middle of a packet"),
                       all->cut_short));
    doc_aside(doc_str(section, "unread", _("Not read to its end"),
                      view->unread->code != PS_E_NONE ? view->unread->message : NULL));
}

void capture_describe(struct capture_view *view, struct doc_node *root)
{
    const struct totals *totals = view->totals;

    missing(view, root);
    answer(totals, root);
    split(totals, root);
    owners(totals, view->owners, root);
    tls_table(totals, root);
    times(totals, root);
    certificates(totals, root);
    report_put_findings(view->findings, _("Server"), _("nothing was found"), root);
    report_put_unexamined(view->findings, root);
    totals_doc(totals, root);
    counts(view, root);
    doc_aside(doc_feed(root, "connections", _("Connections"), NULL, next_conn, view));
    if (!view->all && totals->connections > CAPTURE_PAGE_ROWS)
        doc_para(root, DOC_WARN, _("Only the first connections are listed here; JSON and CSV have all."));
}
