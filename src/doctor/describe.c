/* describe.c - see describe.h. */
#include "doctor/describe.h"

#include "base/mem.h"

/* A wording for people: captures as "...". */
static void put_wording(const struct doctor_pattern *pattern, struct buf *out)
{
    for (const char *p = pattern->text; *p; ) {
        size_t fixed = strcspn(p, "{");

        buf_put(out, p, fixed);
        p += fixed;
        if (*p) {
            buf_puts(out, "...");
            p = strchr(p, '}') + 1;
        }
    }
}

static const struct doctor_text *captured(const struct doctor_match *match, const char *name,
                                          size_t len)
{
    for (int i = 0; match && i < WHAT_COUNT; i++)
        if (match->got[i].p && strlen(doctor_what_name(i)) == len
            && memcmp(doctor_what_name(i), name, len) == 0)
            return &match->got[i];
    return NULL;
}

/* What may stand in a command that people paste into a shell without changing its meaning. */
static bool is_harmless(const struct doctor_text *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:%@+=,", text->p[i])
            || text->p[i] == '\0')
            return false;
    return text->len > 0 && text->p[0] != '-';
}

/* A command with what was captured; what was not, or would be dangerous there, in capitals. */
static char *fill_in(const char *command, const struct doctor_match *match)
{
    struct buf out = BUF(BUF_TEXT_MAX);

    while (*command) {
        size_t fixed = strcspn(command, "{");
        const char *close = command[fixed] ? strchr(command + fixed, '}') : NULL;

        buf_put(&out, command, fixed);
        command += fixed;
        if (!close)
            break;

        size_t len = (size_t)(close - command) - 1;
        const struct doctor_text *value = captured(match, command + 1, len);
        if (value && is_harmless(value))
            buf_put(&out, value->p, value->len);
        else
            for (size_t i = 0; i < len; i++)
                buf_putc(&out, (char)(command[1 + i] - 'a' + 'A'));
        command = close + 1;
    }
    return buf_take(&out);
}

static const struct {
    const char *word, *label;
    enum doc_mark mark;
} verdicts[] = {
    [LOOK_UNDECIDED] = { "undecided", N_("Seen"), DOC_PLAIN },
    [LOOK_CONFIRMED] = { "confirmed", N_("Confirmed"), DOC_BAD },
    [LOOK_RULED_OUT] = { "ruled_out", N_("Ruled out"), DOC_GOOD },
};

static void describe_look(const struct doctor_look *look, struct doc_node *card)
{
    doc_str(card, "verdict", NULL, verdicts[look->verdict].word);
    doc_str(card, "evidence", look->evidence[0] ? _(verdicts[look->verdict].label) : NULL,
            look->evidence[0] ? look->evidence : NULL);
}

static void describe_cause(const struct doctor_cause *cause, int number, struct doctor_look *look,
                           struct doc_node *cards)
{
    PS_AUTO(ps_freep) char *check = cause->check ? fill_in(cause->check, look->match) : NULL;
    PS_AUTO(ps_freep) char *cure = fill_in(_(cause->cure), look->match);
    PS_AUTO(ps_freep) char *heading = ps_asprintf("%d. %s", number, _(cause->what));
    struct doc_node *card;

    if (look->posture)
        doctor_confirm(cause->test, look);
    card = doc_card(cards, verdicts[look->verdict].mark, heading);
    doc_int(card, "number", NULL, number);
    doc_str(card, "cause", NULL, _(cause->what));
    if (look->posture)
        describe_look(look, card);
    doc_str(card, "cure", _("Cure"), cure);
    doc_str(card, "check", NULL, check);
    if (check && look->verdict == LOOK_UNDECIDED)
        doc_block(card, NULL, _("To be sure"), check);
}

static const char *known_how(const struct doctor_entry *entry)
{
    return entry->provoked ? _("provoked for real by pgseal's tests") : _("by source only");
}

static void describe_wordings(const struct doctor_entry *entry, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "wordings", _("Wordings"), NULL);

    for (const struct doctor_pattern *pattern = entry->patterns; pattern->text; pattern++) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
        struct doc_node *row = doc_row(table);

        put_wording(pattern, &text);
        doc_str(row, "by", NULL, doctor_speaker_word(pattern->by));
        doc_str(row, "text", _("Wording"), buf_text(&text));
        doc_str(row, "language", NULL, pattern->language ? pattern->language : "en");
        if (pattern->since)
            doc_int(row, "since_major", NULL, pattern->since);
        if (pattern->until)
            doc_int(row, "until_major", NULL, pattern->until);
    }
    doc_aside(table);
}

size_t doctor_describe_entry(const struct doctor_entry *entry, const struct doctor_match *match,
                             const struct posture *posture, struct doc_node *section)
{
    struct doctor_look look = { .posture = posture, .match = match };
    struct doc_node *causes;
    size_t confirmed = 0;
    int number = 1;

    doc_str(section, "id", _("Error"), entry->id);
    doc_str(section, "title", _("What it is"), _(entry->title));
    doc_verdict(section, "known_how", _("Known"), DOC_PLAIN, entry->provoked ? "provoked" : "source",
                known_how(entry));
    doc_str(section, "source", _("Source"), entry->source);
    if (entry->sqlstate)
        doc_str(section, "sqlstate", _("SQLSTATE"), entry->sqlstate);
    describe_wordings(entry, section);
    causes = doc_cards(section, "causes", _("Causes, the likeliest first"), NULL);
    for (const struct doctor_cause *cause = entry->causes; cause->what; cause++) {
        describe_cause(cause, number++, &look, causes);
        confirmed += posture && look.verdict == LOOK_CONFIRMED;
    }
    return confirmed;
}

static const char *const labels[WHAT_COUNT] = {
    [WHAT_HOST] = N_("Host"), [WHAT_ADDRESS] = N_("Address"), [WHAT_PORT] = N_("Port"),
    [WHAT_ROLE] = N_("Role"), [WHAT_DATABASE] = N_("Database"), [WHAT_FILE] = N_("File"),
    [WHAT_LINE] = N_("Line"), [WHAT_SETTING] = N_("Setting"), [WHAT_VALUE] = N_("Value"),
    [WHAT_NAME] = N_("Name in the certificate"), [WHAT_SUBJECT] = N_("Subject"),
    [WHAT_ISSUER] = N_("Issuer"), [WHAT_SERIAL] = N_("Serial number"),
    [WHAT_DEPTH] = N_("Depth in the chain"), [WHAT_REASON] = N_("Reason"), [WHAT_MAP] = N_("Map"),
    [WHAT_IDENTITY] = N_("Name that was proven"), [WHAT_LOW] = N_("Least TLS 1."),
    [WHAT_HIGH] = N_("Latest TLS 1."), [WHAT_COMMAND] = N_("Command"),
};

static void describe_captures(const struct doctor_match *match, struct doc_node *root)
{
    struct doc_node *section = NULL;

    for (int i = 0; i < WHAT_COUNT; i++) {
        if (!match->got[i].p)
            continue;
        if (!section)
            section = doc_section(root, "said", _("What it says"));
        PS_AUTO(ps_freep) char *value = ps_strndup(match->got[i].p, match->got[i].len);
        doc_str(section, doctor_what_name(i), _(labels[i]), value);
    }
}

static void describe_versions(const struct doctor_pattern *pattern, struct doc_node *section)
{
    if (pattern->since && pattern->until)
        doc_fmt(section, "versions", _("Versions"), _("%u to %u"), pattern->since, pattern->until);
    else if (pattern->since)
        doc_fmt(section, "versions", _("Versions"), _("%u and later"), pattern->since);
    else if (pattern->until)
        doc_fmt(section, "versions", _("Versions"), _("up to %u"), pattern->until);
}

/* The second and further answers, or the entries that are nearest: by name and title. */
static struct doc_node *add_brief(struct doc_node *table, const struct doctor_entry *entry)
{
    struct doc_node *row = doc_row(table);

    doc_str(row, "id", _("Error"), entry->id);
    doc_str(row, "title", _("What it is"), _(entry->title));
    return row;
}

size_t doctor_describe_match(const struct doctor_match *match, const struct posture *posture,
                             struct doc_node *root)
{
    const struct doctor_hit *first = &match->hits[0];
    PS_AUTO(buf_free) struct buf wording = BUF(BUF_TEXT_MAX);
    struct doc_node *answer, *others;
    size_t confirmed;

    put_wording(first->pattern, &wording);
    doc_aside(doc_bool(root, "known", _("Known"), true));
    answer = doc_section(root, "answer", NULL);
    doc_str(answer, "said_by", _("Who says it"), doctor_speaker_name(first->pattern->by));
    doc_str(answer, "wording", _("Wording"), buf_text(&wording));
    describe_versions(first->pattern, answer);
    confirmed = doctor_describe_entry(first->entry, match, posture, answer);
    describe_captures(match, root);
    others = doc_table(root, "others", _("The text also says"), NULL);
    for (size_t i = 1; i < match->len; i++)
        add_brief(others, match->hits[i].entry);
    return confirmed;
}

void doctor_describe_unknown(const char *text, size_t len, struct doc_node *root)
{
    struct nearest nearest[NEAREST_MAX];
    size_t found = doctor_nearest(text, len, nearest);
    struct doc_node *table;

    doc_aside(doc_bool(root, "known", _("Known"), false));
    doc_para(root, DOC_UNKNOWN, "%s", _("Not known: no wording of the table is in this text."));
    table = doc_table(root, "nearest", _("Nearest entries, which are no answer"),
                      _("No entry comes near it."));
    for (size_t i = 0; i < found; i++) {
        struct doc_node *row = add_brief(table, nearest[i].entry);
        PS_AUTO(buf_free) struct buf wording = BUF(BUF_TEXT_MAX);

        put_wording(nearest[i].pattern, &wording);
        doc_str(row, "wording", _("Wording"), buf_text(&wording));
        doc_int(row, "likeness_percent", _("Likeness"), (int64_t)(nearest[i].likeness * 100));
    }
}

static void put_speakers(const struct doctor_entry *entry, struct buf *out)
{
    bool says[SAYS_COUNT] = { false };

    for (const struct doctor_pattern *pattern = entry->patterns; pattern->text; pattern++)
        says[pattern->by] = true;
    for (int by = 0; by < SAYS_COUNT; by++)
        if (says[by])
            buf_printf(out, "%s%s", out->len ? " " : "", doctor_speaker_word(by));
}

void doctor_describe_list(struct doc_node *root)
{
    struct doc_node *table, *answers;
    size_t provoked = 0, count = doctor_entries();

    for (size_t i = 0; i < count; i++)
        provoked += doctor_entry(i)->provoked;
    doc_int(root, "entries", _("Entries"), (int64_t)count);
    doc_int(root, "provoked", _("Provoked by pgseal's tests"), (int64_t)provoked);
    doc_int(root, "by_source", _("Known by source only"), (int64_t)(count - provoked));
    table = doc_table(root, "list", _("Errors"), NULL);
    for (size_t i = 0; i < count; i++) {
        const struct doctor_entry *entry = doctor_entry(i);
        PS_AUTO(buf_free) struct buf by = BUF(1024);
        struct doc_node *row = add_brief(table, entry);

        put_speakers(entry, &by);
        doc_str(row, "said_by", _("Who says it"), buf_text(&by));
        doc_verdict(row, "known_how", _("Known"), DOC_PLAIN, entry->provoked ? "provoked" : "source",
                    known_how(entry));
    }
    answers = doc_aside(doc_section(root, "answers", NULL));
    for (size_t i = 0; i < count; i++)
        doctor_describe_entry(doctor_entry(i), NULL, NULL,
                              doc_section(answers, doctor_entry(i)->id, doctor_entry(i)->id));
}
