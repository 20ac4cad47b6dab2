/* nearest.c - see nearest.h. */
#include "doctor/nearest.h"

#include <ctype.h>

#include "base/mem.h"

enum { TEXT_MAX = 16 << 10, WORD_MIN = 3, WORD_MAX = 40 };

struct word {
    char text[WORD_MAX];
    unsigned seen;              /* in how many wordings */
};

struct words {
    struct word *at;
    size_t len, cap;
};

static void words_free(struct words *words)
{
    free(words->at);
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_';
}

/* The next word of at least WORD_MIN letters, in small letters; false at the end. */
static bool next_word(const char **p, const char *end, struct word *out)
{
    while (*p < end) {
        size_t len = 0;

        while (*p < end && !is_letter(**p))
            (*p)++;
        for (; *p < end && is_letter(**p); (*p)++)
            if (len < WORD_MAX - 1)
                out->text[len++] = (char)tolower((unsigned char)**p);
        out->text[len] = '\0';
        out->seen = 1;
        if (len >= WORD_MIN)
            return true;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static void add_words(struct words *words, const char *text, size_t len)
{
    const char *end = text + len;
    struct word word;

    while (next_word(&text, end, &word))
        PS_PUSH(words->at, words->len, words->cap) = word;
}

static void sort_unique(struct words *words)
{
    size_t kept = 0;

    if (words->len == 0)
        return;
    qsort(words->at, words->len, sizeof(*words->at), by_text);
    for (size_t i = 1; i < words->len; i++) {
        if (strcmp(words->at[kept].text, words->at[i].text) == 0)
            words->at[kept].seen += words->at[i].seen;
        else
            words->at[++kept] = words->at[i];
    }
    words->len = kept + 1;
}

static const struct word *find(const struct words *words, const struct word *word)
{
    return words->len ? bsearch(word, words->at, words->len, sizeof(*word), by_text) : NULL;
}

/* The words of a wording without the names of its captures. */
static void pattern_words(const struct doctor_pattern *pattern, struct words *out)
{
    const char *p = pattern->text;

    while (*p) {
        size_t fixed = strcspn(p, "{");

        add_words(out, p, fixed);
        p += fixed;
        if (*p)
            p = strchr(p, '}') + 1;
    }
}

/* A word in half of the wordings says one bit, in a quarter two, and so on. */
static double weight_of(const struct word *word, size_t wordings)
{
    double bits = 0.1;

    for (size_t left = wordings / (word ? word->seen : 1); left > 1; left /= 2)
        bits++;
    return bits;
}

/* How much of a wording is in the text; the constant keeps short wordings from winning by one word. */
static double likeness(const struct doctor_pattern *pattern, const struct words *text,
                       const struct words *all, size_t wordings)
{
    PS_AUTO(words_free) struct words own = { 0 };
    double common = 0, total = 6;

    pattern_words(pattern, &own);
    sort_unique(&own);
    for (size_t i = 0; i < own.len; i++) {
        double weight = weight_of(find(all, &own.at[i]), wordings);

        total += weight;
        if (find(text, &own.at[i]))
            common += weight;
    }
    return common / total;
}

static bool says_state(const struct words *text, const char *sqlstate)
{
    struct word word = { .seen = 0 };

    if (!sqlstate)
        return false;
    for (size_t i = 0; sqlstate[i]; i++)
        word.text[i] = (char)tolower((unsigned char)sqlstate[i]);
    return find(text, &word) != NULL;
}

static void keep(struct nearest out[NEAREST_MAX], size_t *len, const struct nearest *one)
{
    size_t at = *len;

    if (one->likeness < NEAREST_LEAST)
        return;
    for (; at > 0 && out[at - 1].likeness < one->likeness; at--)
        if (at < NEAREST_MAX)
            out[at] = out[at - 1];
    if (at == NEAREST_MAX)
        return;
    out[at] = *one;
    if (*len < NEAREST_MAX)
        (*len)++;
}

static void judge_entry(const struct doctor_entry *entry, const struct words *text,
                        const struct words *all, size_t wordings, struct nearest *best)
{
    *best = (struct nearest){ .entry = entry, .pattern = entry->patterns };
    for (const struct doctor_pattern *pattern = entry->patterns; pattern->text; pattern++) {
        double alike = likeness(pattern, text, all, wordings);

        if (alike > best->likeness) {
            best->likeness = alike;
            best->pattern = pattern;
        }
    }
    if (says_state(text, entry->sqlstate))
        best->likeness += (1 - best->likeness) / 2;
}

size_t doctor_nearest(const char *text, size_t len, struct nearest out[NEAREST_MAX])
{
    PS_AUTO(words_free) struct words all = { 0 };
    PS_AUTO(words_free) struct words said = { 0 };
    size_t count = 0, wordings = 0, entries = doctor_entries();

    add_words(&said, text, len < TEXT_MAX ? len : TEXT_MAX);
    sort_unique(&said);
    for (size_t i = 0; i < entries; i++)
        for (const struct doctor_pattern *p = doctor_entry(i)->patterns; p->text; p++, wordings++)
            pattern_words(p, &all);
    sort_unique(&all);
    for (size_t i = 0; i < entries; i++) {
        struct nearest best;

        judge_entry(doctor_entry(i), &said, &all, wordings, &best);
        keep(out, &count, &best);
    }
    return count;
}
