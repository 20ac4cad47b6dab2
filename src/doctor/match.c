/* match.c - see match.h. */
#include "doctor/match.h"

#include "base/mem.h"
#include "doctor/needles.h"

enum { PARTS_MAX = 8, ANCHOR_MAX = 16, RAW_MAX = 64 };

static const char *const names[WHAT_COUNT] = {
    [WHAT_HOST] = "host", [WHAT_ADDRESS] = "address", [WHAT_PORT] = "port", [WHAT_ROLE] = "role",
    [WHAT_DATABASE] = "database", [WHAT_FILE] = "file", [WHAT_LINE] = "line",
    [WHAT_SETTING] = "setting", [WHAT_VALUE] = "value", [WHAT_NAME] = "name",
    [WHAT_SUBJECT] = "subject", [WHAT_ISSUER] = "issuer", [WHAT_SERIAL] = "serial",
    [WHAT_DEPTH] = "depth", [WHAT_REASON] = "reason", [WHAT_MAP] = "map",
    [WHAT_IDENTITY] = "identity", [WHAT_LOW] = "low", [WHAT_HIGH] = "high",
    [WHAT_COMMAND] = "command",
};

struct part {               /* fixed text and the capture behind it */
    const char *fixed;
    size_t len;
    int what;               /* of enum doctor_what; -1: nothing behind, -2: not kept */
};

struct template {
    const struct doctor_entry *entry;
    const struct doctor_pattern *pattern;
    struct part parts[PARTS_MAX];
    size_t len, fixed;
};

struct doctor {
    struct template *templates;
    size_t len, cap;
    struct needles *anchors;
};

const char *doctor_what_name(enum doctor_what what)
{
    return names[what];
}

void doctor_free(struct doctor *doctor)
{
    if (doctor->anchors)
        needles_free(doctor->anchors);
    free(doctor->templates);
    free(doctor);
}

/* ---- compiling ---- */

static int what_of(const char *name, size_t len)
{
    for (int i = 0; i < WHAT_COUNT; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return i;
    return -2;
}

static void compile(struct template *template)
{
    const char *p = template->pattern->text;

    while (*p && template->len < PARTS_MAX) {
        struct part *part = &template->parts[template->len++];
        const char *brace = strchr(p, '{');

        part->fixed = p;
        part->len = brace ? (size_t)(brace - p) : strlen(p);
        part->what = -1;
        template->fixed += part->len;
        p += part->len;
        if (brace) {
            const char *close = strchr(brace, '}');

            part->what = what_of(brace + 1, (size_t)(close - brace) - 1);
            p = close + 1;
        }
    }
}

static void add_patterns(struct doctor *doctor, const struct doctor_entry *entry,
                         const struct doctor_pattern *pattern)
{
    for (; pattern->text; pattern++) {
        struct template *template = &PS_PUSH(doctor->templates, doctor->len, doctor->cap);

        *template = (struct template){ .entry = entry, .pattern = pattern };
        compile(template);
    }
}

static void add_anchors(struct doctor *doctor)
{
    PS_AUTO(ps_freep) const char **words = ps_calloc(doctor->len, sizeof(*words));
    PS_AUTO(ps_freep) size_t *lens = ps_calloc(doctor->len, sizeof(*lens));

    for (size_t i = 0; i < doctor->len; i++) {
        const struct part *first = &doctor->templates[i].parts[0];

        words[i] = first->fixed;
        lens[i] = first->len < ANCHOR_MAX ? first->len : ANCHOR_MAX;
    }
    doctor->anchors = needles_new(words, lens, doctor->len);
}

struct doctor *doctor_new(void)
{
    struct doctor *doctor = ps_calloc(1, sizeof(*doctor));

    for (size_t i = 0; i < doctor_entries(); i++)
        add_patterns(doctor, doctor_entry(i), doctor_entry(i)->patterns);
    add_patterns(doctor, NULL, doctor_context);
    add_anchors(doctor);
    return doctor;
}

/* ---- matching ---- */

struct raw {                /* a wording that was found, and what it captured */
    const struct template *template;
    size_t begin, end;
    struct doctor_text got[PARTS_MAX];
};

struct search {
    const struct doctor *doctor;
    const char *text;
    size_t len;
    struct raw raw[RAW_MAX];
    size_t raw_len;
};

/* Where the line that `at` stands in ends, or as far as a capture may go. */
static size_t capture_end(const char *text, size_t len, size_t at)
{
    size_t room = len - at < DOCTOR_CAPTURE_MAX ? len - at : DOCTOR_CAPTURE_MAX;
    const char *newline = memchr(text + at, '\n', room);

    return newline ? (size_t)(newline - text) : at + room;
}

/* What stands between here and the fixed text of `next`, or the rest of the line without one. */
static bool capture(const struct search *search, const struct part *next, size_t *at,
                    struct doctor_text *out)
{
    size_t end = capture_end(search->text, search->len, *at);
    const char *begin = search->text + *at;
    const char *stop = search->text + end;

    if (next) {
        size_t room = search->len - *at;
        size_t most = end - *at + next->len;

        stop = memmem(begin, room < most ? room : most, next->fixed, next->len);
        if (!stop || (size_t)(stop - search->text) > end)
            return false;
    }
    *out = (struct doctor_text){ begin, (size_t)(stop - begin) };
    *at += out->len;
    return true;
}

static bool match_template(const struct search *search, struct raw *raw)
{
    const struct template *template = raw->template;
    size_t at = raw->begin;

    for (size_t i = 0; i < template->len; i++) {
        const struct part *part = &template->parts[i];

        if (search->len - at < part->len || memcmp(search->text + at, part->fixed, part->len) != 0)
            return false;
        at += part->len;
        if (part->what != -1
            && !capture(search, i + 1 < template->len ? part + 1 : NULL, &at, &raw->got[i]))
            return false;
    }
    raw->end = at;
    return true;
}

static void try_template(void *arg, size_t word, size_t end)
{
    struct search *search = arg;
    const struct template *template = &search->doctor->templates[word];
    size_t anchor = template->parts[0].len < ANCHOR_MAX ? template->parts[0].len : ANCHOR_MAX;

    if (search->raw_len == RAW_MAX)
        return;

    struct raw *raw = &search->raw[search->raw_len];
    raw->template = template;
    raw->begin = end - anchor;
    if (match_template(search, raw))
        search->raw_len++;
}

/* A shorter wording inside of a longer one of an entry: "alert unknown ca" in the server's sentence. */
static bool is_covered(const struct search *search, const struct raw *raw)
{
    for (size_t i = 0; i < search->raw_len; i++) {
        const struct raw *other = &search->raw[i];

        if (other != raw && other->template->entry && raw->template->entry
            && other->begin <= raw->begin && raw->end <= other->end
            && other->template->fixed > raw->template->fixed)
            return true;
    }
    return false;
}

static bool is_better(const struct doctor_hit *a, const struct doctor_hit *b)
{
    if (a->entry->rank != b->entry->rank)
        return a->entry->rank > b->entry->rank;
    if (a->begin != b->begin)
        return a->begin < b->begin;
    return a->fixed > b->fixed;
}

static void keep_hit(struct doctor_match *out, const struct doctor_hit *hit)
{
    size_t at = out->len;

    for (size_t i = 0; i < out->len; i++)
        if (out->hits[i].entry == hit->entry) {
            if (!is_better(hit, &out->hits[i]))
                return;
            at = i;
        }
    if (at == DOCTOR_HITS_MAX)
        return;
    if (at == out->len)
        out->len++;
    for (; at > 0 && is_better(hit, &out->hits[at - 1]); at--)
        out->hits[at] = out->hits[at - 1];
    out->hits[at] = *hit;
}

static void keep_captures(struct doctor_match *out, const struct raw *raw)
{
    for (size_t i = 0; i < raw->template->len; i++) {
        int what = raw->template->parts[i].what;

        if (what >= 0 && !out->got[what].p)
            out->got[what] = raw->got[i];
    }
}

void doctor_match(const struct doctor *doctor, const char *text, size_t len,
                  struct doctor_match *out)
{
    struct search search;       /* its rows are written before they are read: clearing them costs more
                                   than a line's search */

    search.doctor = doctor;
    search.text = text;
    search.len = len;
    search.raw_len = 0;
    out->len = 0;
    memset(out->got, 0, sizeof(out->got));
    needles_find(doctor->anchors, text, len, try_template, &search);
    for (size_t i = 0; i < search.raw_len; i++) {
        const struct raw *raw = &search.raw[i];

        if (!raw->template->entry || is_covered(&search, raw))
            continue;
        keep_captures(out, raw);
        keep_hit(out, &(struct doctor_hit){ raw->template->entry, raw->template->pattern, raw->begin,
                                            raw->end, raw->template->fixed });
    }
    for (size_t i = 0; i < search.raw_len; i++)
        if (!search.raw[i].template->entry)
            keep_captures(out, &search.raw[i]);
}
