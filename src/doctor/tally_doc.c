/* tally_doc.c - the summary of a log as a document; see tally.h. */
#include "doctor/tally_internal.h"

#include "doctor/describe.h"

enum { SHOWN_ANSWERS = 3 };     /* in full on a terminal; the others are in JSON and with --verbose */

static int by_cause_count(const void *a, const void *b)
{
    const struct cause_count *const *x = a, *const *y = b;

    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    return *x < *y ? -1 : 1;        /* as in the table */
}

static int by_key_count(const void *a, const void *b)
{
    const struct key *const *x = a, *const *y = b;

    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    return *x < *y ? -1 : 1;        /* as they came */
}

static int by_unknown_count(const void *a, const void *b)
{
    const struct unknown *const *x = a, *const *y = b;

    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    return *x < *y ? -1 : 1;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void describe_when(const struct span_of_time *when, struct doc_node *row)
{
    doc_str(row, "first", _("First"), or_null(when->first));
    doc_str(row, "last", _("Last"), or_null(when->last));
}

/* What passed a bound is always in JSON, and shown to people when there is any. */
static void describe_bounds(const struct tally *tally, const struct logs_count *count,
                            struct doc_node *log)
{
    struct doc_node *cut = doc_int(log, "lines_cut", _("Lines of which not all was looked at"),
                                   (int64_t)count->cut);
    struct doc_node *merged = doc_int(log, "not_kept_apart",
                                      _("Errors by more roles and addresses than are kept apart"),
                                      (int64_t)tally->not_kept_apart);

    if (count->cut == 0)
        doc_aside(cut);
    if (tally->not_kept_apart == 0)
        doc_aside(merged);
}

static void describe_counts(const struct tally *tally, const struct logs_count *count,
                            struct doc_node *root)
{
    struct doc_node *log = doc_section(root, "log", NULL);

    doc_int(log, "messages", _("Messages"), (int64_t)count->messages);
    doc_int(log, "known_errors", _("Errors that are known"), (int64_t)tally->known_count);
    doc_int(log, "unknown_errors", _("Errors that are not known"), (int64_t)tally->unknown_count);
    describe_when(&tally->when, log);
    doc_aside(doc_int(log, "bytes", _("Bytes"), (int64_t)count->bytes));
    doc_aside(doc_int(log, "lines", _("Lines"), (int64_t)count->lines));
    describe_bounds(tally, count, log);
}

/* The causes that were counted, the most frequent first. */
static size_t sort_causes(const struct tally *tally, const struct cause_count **out)
{
    size_t len = 0;

    for (size_t i = 0; i < doctor_entries(); i++)
        if (tally->causes[i].count > 0)
            out[len++] = &tally->causes[i];
    qsort(out, len, sizeof(const struct cause_count *), by_cause_count);
    return len;
}

static void describe_causes(const struct cause_count *const *causes, size_t len, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "errors", _("Errors"), _("No error that is known."));

    for (size_t i = 0; i < len; i++) {
        struct doc_node *row = doc_row(table);

        doc_int(row, "count", _("Count"), (int64_t)causes[i]->count);
        doc_str(row, "id", _("Error"), causes[i]->entry->id);
        doc_aside(doc_str(row, "title", _("What it is"), _(causes[i]->entry->title)));
        describe_when(&causes[i]->when, row);
    }
}

static void describe_key(const struct tally *tally, const struct key *key, struct doc_node *table)
{
    struct doc_node *row = doc_row(table);

    doc_int(row, "count", _("Count"), (int64_t)key->count);
    doc_str(row, "id", _("Error"), tally->causes[key->cause].entry->id);
    if (key->address[0]) {
        doc_str(row, "address", _("Address"), key->address);
    } else {
        doc_str(row, "role", _("Role"), or_null(key->role));
        doc_str(row, "database", _("Database"), or_null(key->database));
    }
    describe_when(&key->when, row);
}

/* The keys that have an address, or those that have a role. */
static void describe_keys(const struct tally *tally, bool addresses, size_t top, struct doc_node *table,
                          struct doc_node *root)
{
    PS_AUTO(ps_freep) const struct key **keys = ps_calloc(tally->keys_len + 1, sizeof(const struct key *));
    size_t len = 0;

    for (size_t i = 0; i < tally->keys_len; i++)
        if ((tally->keys[i].address[0] != '\0') == addresses)
            keys[len++] = &tally->keys[i];
    qsort(keys, len, sizeof(*keys), by_key_count);
    for (size_t i = 0; i < len && i < top; i++)
        describe_key(tally, keys[i], table);
    if (len > top)
        doc_para(root, DOC_PLAIN, ngettext("There is %zu more; --top shows it.",
                                           "There are %zu more; --top shows them.", len - top), len - top);
}

static void describe_who(const struct tally *tally, size_t top, struct doc_node *root)
{
    describe_keys(tally, false, top, doc_table(root, "roles", _("By role"), NULL), root);
    describe_keys(tally, true, top, doc_table(root, "addresses", _("By address"), NULL), root);
}

static void describe_unknown(const struct tally *tally, size_t top, struct doc_node *root)
{
    PS_AUTO(ps_freep) const struct unknown **list =
        ps_calloc(tally->unknown_len + 1, sizeof(const struct unknown *));
    struct doc_node *table = doc_table(root, "unknown", _("Not known, with the nearest entry, which is no "
                                                          "answer"), NULL);

    for (size_t i = 0; i < tally->unknown_len; i++)
        list[i] = &tally->unknown[i];
    qsort(list, tally->unknown_len, sizeof(*list), by_unknown_count);
    for (size_t i = 0; i < tally->unknown_len && i < top; i++) {
        struct nearest nearest[NEAREST_MAX];
        struct doc_node *row = doc_row(table);

        doc_int(row, "count", _("Count"), (int64_t)list[i]->count);
        doc_str(row, "text", _("Message"), list[i]->text);
        doc_str(row, "nearest", _("Nearest"),
                doctor_nearest(list[i]->text, strlen(list[i]->text), nearest) ? nearest[0].entry->id : NULL);
    }
}

size_t tally_describe(const struct tally *tally, const struct logs_count *count, size_t top,
                      const struct posture *posture, struct doc_node *root)
{
    PS_AUTO(ps_freep) const struct cause_count **causes =
        ps_calloc(doctor_entries(), sizeof(const struct cause_count *));
    size_t len = sort_causes(tally, causes), confirmed = 0;
    struct doc_node *answers;

    describe_counts(tally, count, root);
    describe_causes(causes, len, root);
    describe_who(tally, top, root);
    describe_unknown(tally, top, root);
    answers = doc_section(root, "answers", NULL);
    for (size_t i = 0; i < len; i++) {
        struct doc_node *answer = doc_section(answers, causes[i]->entry->id, causes[i]->entry->id);

        confirmed += doctor_describe_entry(causes[i]->entry, NULL, posture, answer);
        if (i >= SHOWN_ANSWERS)
            doc_aside(answer);
    }
    return confirmed;
}
