/*
 * survey_all.c - every suite and group (see survey_parts.h).
 *
 * Take away what was chosen and ask again: each connection tells one, and no way is shorter to see each of them
 * accepted.  What the server's settings make follow from that is looked at, not asked one by one.
 */
#include "probe/survey_parts.h"

static size_t known(const struct seen *seen, enum leave_out what)
{
    return what == OFFER_NEW_GROUPS ? seen->groups_len : seen->suites_len;
}

/*
 * Take away what was chosen, and ask again, until nothing is chosen any more.  The curve of the server's key
 * is never taken away: a server that falls back on it has no other.
 */
static bool exhaust(struct survey *survey, enum question question, enum leave_out what)
{
    struct seen *seen = survey->seen;
    bool more = true, over = false;

    while (more) {
        struct asked one = { .question = question };
        size_t before = known(seen, what);

        if (what == OFFER_NEW_SUITES)
            survey_ask_both(survey, &one);
        else
            survey_ask(survey, &one, 1, what);
        if (question == ASK_TLS12 && !survey->first_choice)
            survey_note_tls12(survey, &one);
        const bool lower = asked_accepted(&one) && one.answer.version < offers_version(question);
        more = known(seen, what) > before && !lower;
        over = asked_refused(&one) || one.nothing_left || lower
            || (what == OFFER_NEW_GROUPS && asked_accepted(&one) && one.answer.group);
        asked_free(&one, 1);
    }
    return over;
}

/* ---- TLS 1.2 and 1.3 ---- */

struct step {
    uint16_t version;
    enum question question;
};

/* Those before come back behind: from the first on they are to stand in the server's order. */
static bool all_suites(struct survey *survey, const struct step *steps, size_t len,
                       bool (*follows)(struct survey *, const struct step *))
{
    struct seen *seen = survey->seen;
    struct seen_suite before[SEEN_SUITES_MAX];
    const size_t before_len = seen->suites_len;
    bool all = true;

    memcpy(before, seen->suites, sizeof(before));
    seen->suites_len = 0;
    for (size_t i = 0; i < before_len; i++)
        if (before[i].version > steps[0].version)
            seen_add_suite(seen, before[i].version, before[i].suite);
    for (size_t i = 0; i < len; i++)
        if (seen->versions[seen_version_index(steps[i].version)] != FACT_NO && !(follows && follows(survey, &steps[i]))
            && !exhaust(survey, steps[i].question, OFFER_NEW_SUITES))
            all = false;
    for (size_t i = 0; i < before_len; i++)
        seen_add_suite(seen, before[i].version, before[i].suite);
    return all;
}

static bool all_groups(struct survey *survey)
{
    struct seen *seen = survey->seen;
    bool all = true;

    if (survey_has_one_curve(seen))
        return true;
    if (survey_speaks(seen, TLS_1_3) && !exhaust(survey, ASK_GROUPS13, OFFER_NEW_GROUPS))
        all = false;
    if (seen_has_trait(seen, TRAIT_ECDHE) && !exhaust(survey, ASK_GROUPS12, OFFER_NEW_GROUPS))
        all = false;
    seen->asked_hybrid = seen->asked_hybrid || all;
    return all;
}

void survey_all_new(struct survey *survey)
{
    static const struct step steps[] = { { TLS_1_3, ASK_TLS13 }, { TLS_1_2, ASK_TLS12 }, { TLS_1_2, ASK_DHE_NAMED } };
    struct seen *seen = survey->seen;
    /* OpenSSL takes DHE whatever groups are named; some others do not */
    const size_t len = PS_COUNT(steps) - survey_has_one_list(seen);

    seen->all_suites = all_suites(survey, steps, len, NULL);
    if (survey_speaks(seen, TLS_1_2))
        survey->all_new = seen->all_groups = all_groups(survey) && seen->all_suites;
}

/* ---- before ---- */

enum { CLASSES_MAX = 7 };

/* The suites of one key exchange and kind of key, in their order. */
struct class {
    uint16_t suites[SEEN_SUITES_MAX];
    size_t len;
};

/* RFC 5246 1.2, 7.4.1.4.1: with another hash than SHA-1 or MD5 they begin with TLS 1.2. */
static bool is_of_old(uint16_t code)
{
    const struct tls_suite *suite = tls_suite_find(code);
    const char *hash = suite ? strrchr(suite->name, '_') : NULL;

    return hash && (strcmp(hash, "_SHA") == 0 || strcmp(hash, "_MD5") == 0);
}

static bool is_of_class(uint16_t code, const struct class *class)
{
    const char *name = tls_suite_find(code)->name, *other = tls_suite_find(class->suites[0])->name;
    const char *end = strstr(name, "_WITH_");

    return end && strncmp(name, other, (size_t)(end - name) + sizeof("_WITH_") - 1) == 0;
}

static bool add_to_class(struct class *classes, size_t *len, uint16_t code)
{
    size_t i = 0;

    while (i < *len && !is_of_class(code, &classes[i]))
        i++;
    if (i == CLASSES_MAX)
        return false;
    *len += i == *len;
    classes[i].suites[classes[i].len++] = code;
    return true;
}

static bool chose(const struct asked *asked, uint16_t version, uint16_t suite)
{
    return asked_accepted(asked) && asked->answer.version == version && asked->answer.suite == suite;
}

/* All are offered, and the first is taken; of each class too; and of all others none. */
static bool looks_right(struct survey *survey, const struct step *step, const struct class *classes, size_t len)
{
    struct asked list[CLASSES_MAX + 1] = { { .question = step->question } };
    struct asked others = { .question = step->question };
    bool right = true;

    for (size_t i = 1; i < len; i++)        /* the first class has the first of all */
        list[i] = (struct asked){ .question = step->question, .only = classes[i].suites,
                                  .only_len = classes[i].len };
    survey_ask(survey, list, len, OFFER_ALL);
    for (size_t i = 0; i < len; i++)
        right = right && chose(&list[i], step->version, classes[i].suites[0]);
    if (right) {
        survey_ask(survey, &others, 1, OFFER_NEW_SUITES);
        right = asked_refused(&others) || others.nothing_left;
        asked_free(&others, 1);
    }
    asked_free(list, len);
    return right;
}

/*
 * One list of suites holds for this version and for the one above: what is known of that must be here, in the
 * same order.  False: it is not, or nothing is known; then each is asked for.
 */
static bool follows_from_above(struct survey *survey, const struct step *step)
{
    struct seen *seen = survey->seen;
    const uint16_t above = seen_versions[seen_version_index(step->version) + 1];
    const size_t before = seen->suites_len;
    PS_AUTO(ps_freep) struct class *classes = ps_calloc(CLASSES_MAX, sizeof(*classes));
    size_t len = 0;

    if (step->version < TLS_1_0 || !survey_has_one_list(seen))
        return false;
    for (size_t i = 0; i < before; i++) {
        if (seen->suites[i].version != above || !is_of_old(seen->suites[i].suite))
            continue;
        if (!add_to_class(classes, &len, seen->suites[i].suite))
            return false;
        seen_add_suite(seen, step->version, seen->suites[i].suite);
    }
    if (len && looks_right(survey, step, classes, len))
        return true;
    seen->suites_len = before;
    return false;
}

/* For who speaks nothing older; the suites of TLS 1.3 stand first. */
static void order_of_tls13(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked reversed = { .question = ASK_REVERSED13 };

    if (survey_suites_of(seen, true) < 2)
        return;
    survey_ask(survey, &reversed, 1, OFFER_ALL);
    if (asked_accepted(&reversed))
        seen->server_order = reversed.answer.suite == seen->suites[0].suite ? FACT_YES : FACT_NO;
    asked_free(&reversed, 1);
}

void survey_all_old(struct survey *survey)
{
    static const struct step steps[] = { { TLS_1_1, ASK_OLD }, { TLS_1_0, ASK_TLS10 }, { TLS_SSL3, ASK_SSL3 } };
    struct seen *seen = survey->seen;

    if (!all_suites(survey, steps, PS_COUNT(steps), follows_from_above))
        seen->all_suites = false;
    if (!survey_speaks(seen, TLS_1_2))
        seen->all_groups = all_groups(survey) && seen->all_suites;
    if (!survey_speaks_before(seen, TLS_1_3))
        order_of_tls13(survey);
    survey_schemes(survey);
}
