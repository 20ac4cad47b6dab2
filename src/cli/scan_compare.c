/* scan_compare.c - see scan_compare.h. */
#include "cli/scan_compare.h"

#include <limits.h>

#include "base/clock.h"

/* ---- changes ---- */

struct changes {
    const struct seen *seen;
    struct doc_node *table;         /* NULL: they go into the text */
    struct buf *text;
};

/* The words of a scan are read in the reader's language, and nothing else has them. */
static void put_value(struct doc_node *row, const char *key, const char *label, const char *value)
{
    if (value)
        doc_verdict(row, key, label, DOC_PLAIN, value, scan_word_text(value));
    else
        doc_str(row, key, label, NULL);
}

static void put(const struct changes *changes, enum doc_mark mark, const char *word, const char *text,
                const char *before, const char *now)
{
    if (!changes->table) {
        buf_printf(changes->text, "%s%s: %s%s%s", changes->text->len ? "; " : "", word,
                   before ? before : "", before && now ? " > " : "", now ? now : "");
        return;
    }
    struct doc_node *row = doc_row(changes->table);

    doc_str(row, "host", _("Host"), changes->seen->host);
    doc_int(row, "port", _("Port"), changes->seen->port);
    doc_verdict(row, "what", _("Change"), mark, word, text);
    put_value(row, "before", _("Before"), before);
    put_value(row, "now", _("Now"), now);
}

static bool differ(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") != 0;
}

/* ---- findings ---- */

static bool has(const char *const *list, const char *id)
{
    for (; *list; list++)
        if (strcmp(*list, id) == 0)
            return true;
    return false;
}

static bool found(const struct findings *findings, size_t len, const char *id)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(findings->at[i].id, id) == 0)
            return true;
    return false;
}

static bool unexamined(const struct findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->unexamined_len; i++)
        if (strcmp(findings->unexamined[i].id, id) == 0)
            return true;
    return false;
}

static void compare_findings(const struct changes *changes, const struct past_server *was,
                             const struct findings *now)
{
    for (size_t i = 0; i < now->len; i++) {
        const struct finding *finding = &now->at[i];

        if (!found(now, i, finding->id) && !has(was->findings, finding->id))
            put(changes, severity_mark(finding->severity), "new_finding", _("New finding"), NULL,
                finding->id);
    }
    for (const char *const *id = was->findings; *id; id++)
        if (!found(now, now->len, *id) && !unexamined(now, *id))
            put(changes, DOC_GOOD, "finding_gone", _("Finding gone"), *id, NULL);
}

/* ---- the certificate ---- */

/* The same one: of interest is when another of these is passed. */
static void compare_end(const struct changes *changes, long days, long days_before)
{
    static const long steps[] = { 0, 7, 14, 30, 60 };
    char before[32], now[32];

    for (size_t i = 0; i < PS_COUNT(steps); i++)
        if (days < steps[i] && days_before >= steps[i]) {
            snprintf(before, sizeof(before), "%ld", days_before);
            snprintf(now, sizeof(now), "%ld", days);
            put(changes, days < 0 ? DOC_BAD : DOC_WARN, "expiry_near", _("Days left"), before, now);
            return;
        }
}

static void compare_certificate(const struct changes *changes, const struct past_server *was)
{
    const struct seen *seen = changes->seen;
    const struct cert_info *info = seen->chain.len ? cert_info(seen->chain.at[0]) : NULL;

    /* offered, but not seen this time: who knows whether it is another one */
    if (!info && seen->letter == 'S')
        return;
    if (differ(was->fingerprint, info ? info->fingerprint : NULL))
        put(changes, DOC_WARN, "certificate", _("Another certificate"), was->fingerprint,
            info ? info->fingerprint : NULL);
    else if (info && was->days_left != LONG_MIN)
        compare_end(changes, clock_days_until(info->not_after), was->days_left);
}

/* ---- the server ---- */

static void compare_words(const struct changes *changes, const struct past_server *was,
                          const struct report *report)
{
    const struct seen *seen = changes->seen;
    const char *plaintext = scan_plaintext_word(seen), *version = scan_lowest_version(seen);
    const char *grade = report->grade.graded ? grade_letter_word(report->grade.letter) : NULL;

    if (differ(was->plaintext, plaintext) && strcmp(plaintext, "unknown") != 0)
        put(changes, strcmp(plaintext, "yes") == 0 ? DOC_BAD : DOC_GOOD, "plaintext", _("Plaintext"),
            was->plaintext, plaintext);
    if (differ(was->lowest_version, version) && (version || seen->letter != 'S'))
        put(changes, DOC_WARN, "lowest_version", _("Lowest TLS"), was->lowest_version, version);
    if (grade && differ(was->grade, grade))
        put(changes, DOC_WARN, "grade", _("Grade"), was->grade, grade);
}

static void compare(const struct changes *changes, const struct past *past,
                    const struct report *report)
{
    const struct seen *seen = changes->seen;
    const struct past_server *was = past_find(past, seen->host, seen->port);

    if (!was) {
        put(changes, DOC_UNKNOWN, "new_server", _("Not in the earlier scan"), NULL,
            scan_reach_word(seen));
        return;
    }
    if (differ(was->reach, scan_reach_word(seen)))
        put(changes, seen->reach == REACH_YES ? DOC_GOOD : DOC_WARN, "reach", _("Reached"), was->reach,
            scan_reach_word(seen));
    if (seen->reach != REACH_YES || !was->known)
        return;
    compare_words(changes, was, report);
    compare_certificate(changes, was);
    compare_findings(changes, was, &report->findings);
}

void scan_compare(const struct past *past, const struct seen *seen, const struct report *report,
                  struct doc_node *table)
{
    compare(&(struct changes){ .seen = seen, .table = table }, past, report);
}

const char *scan_compare_text(const struct past *past, const struct seen *seen,
                              const struct report *report)
{
    PS_AUTO(buf_free) struct buf text = BUF(8192);

    compare(&(struct changes){ .seen = seen, .text = &text }, past, report);
    return text.len ? arena_strdup(seen->arena, buf_text(&text)) : NULL;
}
