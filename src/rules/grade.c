/* grade.c - see grade.h. */
#include "rules/grade.h"

#include <stdlib.h>

static const struct {
    const char *word, *text;
} areas[GRADE_AREAS] = {
    [AREA_TRANSPORT]      = { "transport",      N_("transport") },
    [AREA_PROTOCOL]       = { "protocol",       N_("protocol") },
    [AREA_CIPHER]         = { "cipher",         N_("ciphers and key exchange") },
    [AREA_CERTIFICATE]    = { "certificate",    N_("certificate") },
    [AREA_AUTHENTICATION] = { "authentication", N_("authentication") },
};

static const char *const letters[] = {
    [GRADE_A_PLUS] = "A+", [GRADE_A] = "A", [GRADE_B] = "B", [GRADE_C] = "C", [GRADE_M] = "M",
    [GRADE_T] = "T", [GRADE_F] = "F",
};

/* What each finding caps; where its severity says that it is about less, it caps less. */
static const struct {
    const char *id;
    enum grade_area area;
    enum grade_letter letter;
    enum severity from;         /* only from this severity on */
} caps[] = {
    { "tls-off",                   AREA_TRANSPORT,      GRADE_F, SEV_CRITICAL },
    { "stuffing-vulnerable",       AREA_TRANSPORT,      GRADE_F, SEV_HIGH },
    { "plaintext-accepted",        AREA_TRANSPORT,      GRADE_C, SEV_MEDIUM },
    { "replication-plaintext",     AREA_TRANSPORT,      GRADE_C, SEV_MEDIUM },
    { "hba-plaintext",             AREA_TRANSPORT,      GRADE_C, SEV_MEDIUM },
    { "hba-replication-plaintext", AREA_TRANSPORT,      GRADE_C, SEV_MEDIUM },
    { "tls-legacy-version",        AREA_PROTOCOL,       GRADE_C, SEV_MEDIUM },
    { "compression-or-renegotiation", AREA_PROTOCOL,    GRADE_C, SEV_MEDIUM },
    { "no-tls13",                  AREA_PROTOCOL,       GRADE_B, SEV_LOW },
    { "cipher-null-anon",          AREA_CIPHER,         GRADE_F, SEV_HIGH },
    { "cipher-weak",               AREA_CIPHER,         GRADE_C, SEV_MEDIUM },
    { "dh-weak",                   AREA_CIPHER,         GRADE_B, SEV_LOW },
    { "group-weak",                AREA_CIPHER,         GRADE_B, SEV_LOW },
    { "cipher-no-fs",              AREA_CIPHER,         GRADE_B, SEV_LOW },
    { "cipher-cbc",                AREA_CIPHER,         GRADE_A, SEV_LOW },
    { "key-perms",                 AREA_CERTIFICATE,    GRADE_F, SEV_CRITICAL },
    { "cert-expired",              AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "cert-not-yet-valid",        AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "cert-self-signed",          AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "cert-untrusted",            AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "cert-revoked",              AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "chain-incomplete",          AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "chain-ca-expired",          AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "sig-weak",                  AREA_CERTIFICATE,    GRADE_T, SEV_LOW },
    { "name-mismatch",             AREA_CERTIFICATE,    GRADE_M, SEV_LOW },
    { "ca-key-on-server",          AREA_CERTIFICATE,    GRADE_C, SEV_LOW },
    { "key-weak",                  AREA_CERTIFICATE,    GRADE_B, SEV_LOW },
    { "cert-no-san",               AREA_CERTIFICATE,    GRADE_B, SEV_LOW },
    { "eku-no-server-auth",        AREA_CERTIFICATE,    GRADE_B, SEV_LOW },
    { "cert-expiring",             AREA_CERTIFICATE,    GRADE_A, SEV_LOW },
    { "cert-lifetime-long",        AREA_CERTIFICATE,    GRADE_A, SEV_LOW },
    { "trust-auth",                AREA_AUTHENTICATION, GRADE_F, SEV_HIGH },
    { "password-plaintext",        AREA_AUTHENTICATION, GRADE_F, SEV_HIGH },
    { "hba-trust",                 AREA_AUTHENTICATION, GRADE_F, SEV_HIGH },
    { "hba-trust",                 AREA_AUTHENTICATION, GRADE_C, SEV_MEDIUM },    /* whoever is on this machine */
    { "hba-password-plaintext",    AREA_AUTHENTICATION, GRADE_F, SEV_HIGH },
    { "ident-map-wide",            AREA_AUTHENTICATION, GRADE_F, SEV_HIGH },
    { "hba-ident",                 AREA_AUTHENTICATION, GRADE_C, SEV_MEDIUM },
    { "ident-map-unanchored",      AREA_AUTHENTICATION, GRADE_C, SEV_MEDIUM },
    { "client-ca-wide",            AREA_AUTHENTICATION, GRADE_C, SEV_MEDIUM },
    { "auth-md5",                  AREA_AUTHENTICATION, GRADE_B, SEV_LOW },
    { "hba-md5",                   AREA_AUTHENTICATION, GRADE_B, SEV_LOW },
};

/* Without these an area is unknown; without those of an A+, it is no more than an A. */
static const struct {
    const char *id;
    enum grade_area area;
    bool only_best;
} needs[] = {
    { "tls-off",            AREA_TRANSPORT,      false },
    { "hba-plaintext",      AREA_TRANSPORT,      false },
    { "plaintext-accepted", AREA_TRANSPORT,      false },
    { "tls-legacy-version", AREA_PROTOCOL,       false },
    { "no-tls13",           AREA_PROTOCOL,       true },
    { "cipher-weak",        AREA_CIPHER,         false },
    { "cipher-null-anon",   AREA_CIPHER,         false },
    { "cert-expired",       AREA_CERTIFICATE,    false },
    { "cert-untrusted",     AREA_CERTIFICATE,    true },
    { "hba-trust",          AREA_AUTHENTICATION, false },
    { "trust-auth",         AREA_AUTHENTICATION, false },
};

const char *grade_area_word(enum grade_area area)
{
    return areas[area].word;
}

const char *grade_area_text(enum grade_area area)
{
    return _(areas[area].text);
}

const char *grade_letter_word(enum grade_letter letter)
{
    return letters[letter];
}

enum doc_mark grade_letter_mark(enum grade_letter letter)
{
    return letter <= GRADE_A ? DOC_GOOD : letter <= GRADE_C ? DOC_WARN : DOC_BAD;
}

void grade_free(struct grade *grade)
{
    free(grade->reasons);
    *grade = (struct grade){ 0 };
}

static void add(struct grade *grade, struct grade_reason reason)
{
    PS_PUSH(grade->reasons, grade->len, grade->cap) = reason;
}

static bool has(const struct grade *grade, const char *id)
{
    for (size_t i = 0; i < grade->len; i++)
        if (strcmp(grade->reasons[i].id, id) == 0)
            return true;
    return false;
}

static void add_caps(const struct findings *findings, struct grade *out)
{
    for (size_t i = 0; i < findings->len; i++)
        for (size_t k = 0; k < PS_COUNT(caps); k++) {
            const struct finding *finding = &findings->at[i];

            if (strcmp(caps[k].id, finding->id) == 0 && finding->severity >= caps[k].from
                && !has(out, finding->id))
                add(out, (struct grade_reason){ caps[k].area, false, caps[k].letter, caps[k].id,
                                                finding->message });
        }
}

static void add_unseen(const struct findings *findings, struct grade *out)
{
    for (size_t i = 0; i < findings->unexamined_len; i++)
        for (size_t k = 0; k < PS_COUNT(needs); k++) {
            const struct unexamined *unseen = &findings->unexamined[i];

            if (strcmp(needs[k].id, unseen->id) == 0 && !has(out, unseen->id))
                add(out, (struct grade_reason){ needs[k].area, !needs[k].only_best, GRADE_A,
                                                needs[k].id, unseen->reason });
        }
}

static int compare(const void *left, const void *right)
{
    const struct grade_reason *a = left, *b = right;

    if (a->unseen != b->unseen)
        return a->unseen ? 1 : -1;
    if (a->letter != b->letter)
        return a->letter < b->letter ? 1 : -1;
    if (a->area != b->area)
        return a->area < b->area ? -1 : 1;
    return strcmp(a->id, b->id);
}

void grade_of(const struct findings *findings, bool partial, struct grade *out)
{
    bool blind = partial;

    add_caps(findings, out);
    add_unseen(findings, out);
    if (out->len)
        qsort(out->reasons, out->len, sizeof(*out->reasons), compare);
    out->letter = GRADE_A_PLUS;
    for (size_t i = 0; i < out->len; i++) {
        blind |= out->reasons[i].unseen;
        if (!out->reasons[i].unseen && out->reasons[i].letter > out->letter)
            out->letter = out->reasons[i].letter;
    }
    out->graded = !blind || out->letter == GRADE_F;
}
