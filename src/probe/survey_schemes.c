/* survey_schemes.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/*
 * With which schemes can a key of this kind sign?  TLS 1.3 has no PKCS#1 for handshakes, and binds each curve
 * to one scheme (RFC 8446 4.2.3).
 */
static const struct family {
    const char *key;                /* the beginning of cert_info's key_text */
    uint16_t schemes13[4], schemes12[10];   /* 0 behind the last */
} families[] = {
    { "RSA-PSS", { 0x0809, 0x080a, 0x080b }, { 0x0809, 0x080a, 0x080b } },
    { "RSA", { 0x0804, 0x0805, 0x0806 },
      { 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0301, 0x0201 } },
    { "EC P-256", { 0x0403 }, { 0x0403, 0x0503, 0x0603, 0x0303, 0x0203 } },
    { "EC P-384", { 0x0503 }, { 0x0403, 0x0503, 0x0603, 0x0303, 0x0203 } },
    { "EC P-521", { 0x0603 }, { 0x0403, 0x0503, 0x0603, 0x0303, 0x0203 } },
    { "ED25519", { 0x0807 }, { 0x0807 } },
    { "ED448", { 0x0808 }, { 0x0808 } },
};

static const struct family *family_of(const struct seen *seen)
{
    const char *key = seen->chain.len ? cert_info(seen->chain.at[0])->key_text : "";

    for (size_t i = 0; i < PS_COUNT(families); i++)
        if (strncmp(key, families[i].key, strlen(families[i].key)) == 0)
            return &families[i];
    return NULL;
}

static bool is_in(const uint16_t *list, size_t len, uint16_t scheme)
{
    for (size_t i = 0; i < len; i++)
        if (list[i] == scheme)
            return true;
    return false;
}

/*
 * Those of the key that are not known yet, for the next hello.  Of TLS 1.3 one at a time, for there the server
 * does not show which one it takes; before, all, and the answer names one.  False: all are known.
 */
static bool offer_unknown(struct survey *survey, uint16_t version)
{
    const struct family *family = family_of(survey->seen);
    const bool tls13 = version == TLS_1_3;
    const uint16_t *from = !family ? NULL : tls13 ? family->schemes13 : family->schemes12;

    survey->schemes_len = 0;
    if (!from || version < TLS_1_2 || (!tls13 && survey->schemes12_known))
        return false;
    for (; *from; from++)
        if (!seen_has_scheme(survey->seen, version, *from)
            && !(tls13 && is_in(survey->refused13, survey->refused13_len, *from))) {
            survey->schemes[survey->schemes_len++] = *from;
            if (tls13)
                break;
        }
    return survey->schemes_len > 0;
}

/* What the answer to such a hello says; the next ones offer all again.  False: it was not accepted. */
static bool take_answer(struct survey *survey, uint16_t version, const struct asked *asked)
{
    const bool accepted = asked_accepted(asked);

    if (version == TLS_1_3 && accepted)
        seen_add_scheme(survey->seen, TLS_1_3, survey->schemes[0]);
    else if (version == TLS_1_3)
        survey->refused13[survey->refused13_len++] = survey->schemes[0];
    else if (!accepted || !asked->answer.scheme)
        survey->schemes12_known = !accepted;
    survey->schemes_len = 0;
    return accepted;
}

/*
 * A server with a single key takes the same suites, in the same order, for whatever scheme of this key: so
 * the questions for suites serve both.
 */
static bool has_one_key(const struct seen *seen)
{
    return seen->kind == KIND_POSTGRES || seen->kind == KIND_PGBOUNCER || seen->kind == KIND_PGPOOL;
}

void survey_ask_both(struct survey *survey, struct asked *one)
{
    const uint16_t version = offers_version(one->question);
    const bool both = has_one_key(survey->seen) && offer_unknown(survey, version);

    survey_ask(survey, one, 1, OFFER_NEW_SUITES);
    if (!both || take_answer(survey, version, one) || one->nothing_left)
        return;
    /* was it for the schemes, or are there no more suites? */
    enum question question = one->question;
    asked_free(one, 1);
    *one = (struct asked){ .question = question };
    survey_ask(survey, one, 1, OFFER_NEW_SUITES);
}

/* What the questions for suites have left open; false: a question was not answered. */
static bool ask_rest(struct survey *survey, uint16_t version)
{
    bool answered = true;

    while (answered && offer_unknown(survey, version)) {
        struct asked one = { .question = version == TLS_1_3 ? ASK_TLS13 : ASK_SIGNED };

        survey_ask(survey, &one, 1, OFFER_ALL);
        answered = asked_accepted(&one) || asked_refused(&one);
        if (answered)
            take_answer(survey, version, &one);
        asked_free(&one, 1);
    }
    survey->schemes_len = 0;
    return answered;
}

void survey_schemes(struct survey *survey)
{
    struct seen *seen = survey->seen;

    seen->all_schemes = family_of(seen) != NULL;
    if (survey_speaks(seen, TLS_1_3) && !ask_rest(survey, TLS_1_3))
        seen->all_schemes = false;
    if (survey_speaks(seen, TLS_1_2) && seen_has_trait(seen, TRAIT_ECDHE | TRAIT_DHE)
        && !ask_rest(survey, TLS_1_2))
        seen->all_schemes = false;
}
