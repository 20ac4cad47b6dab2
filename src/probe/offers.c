/* offers.c - see offers.h. */
#include "probe/offers.h"

#include <strings.h>

#include "tls/offer.h"

enum group_set { GROUPS_NONE, GROUPS_ALL, GROUPS_WEAK, GROUPS_HYBRID, GROUPS_FFDHE, GROUPS_TLS13 };

static const struct row {
    uint16_t version;
    unsigned want, avoid;       /* traits: one of these (0: any), none of those */
    enum group_set groups;
    bool shares, reversed, bare;
} rows[QUESTIONS] = {
    [ASK_TLS13] = { TLS_1_3, TRAIT_TLS13, 0, GROUPS_TLS13, .shares = true },
    [ASK_TLS12] = { TLS_1_2, 0, TRAIT_TLS13, GROUPS_ALL },
    [ASK_OLD] = { TLS_1_1, 0, TRAIT_TLS13, GROUPS_ALL },
    [ASK_TLS10] = { TLS_1_0, 0, TRAIT_TLS13, GROUPS_ALL },
    [ASK_SSL3] = { TLS_SSL3, 0, TRAIT_TLS13, GROUPS_NONE, .bare = true },
    [ASK_DUBIOUS] = { TLS_1_2, TRAIT_BROKEN | TRAIT_WEAK | TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_DHE,
                      TRAIT_TLS13, GROUPS_ALL },
    [ASK_OBSOLETE] = { TLS_1_2, TRAIT_BROKEN | TRAIT_WEAK, TRAIT_TLS13, GROUPS_ALL },
    [ASK_BROKEN] = { TLS_1_2, TRAIT_BROKEN, TRAIT_TLS13, GROUPS_ALL },
    [ASK_WEAK] = { TLS_1_2, TRAIT_WEAK, TRAIT_TLS13 | TRAIT_BROKEN, GROUPS_ALL },
    [ASK_NO_FS] = { TLS_1_2, TRAIT_NO_FS, TRAIT_TLS13 | TRAIT_BROKEN | TRAIT_WEAK, GROUPS_NONE },
    [ASK_NO_AEAD] = { TLS_1_2, TRAIT_NO_AEAD,
                      TRAIT_TLS13 | TRAIT_BROKEN | TRAIT_WEAK | TRAIT_NO_FS, GROUPS_ALL },
    [ASK_DHE] = { TLS_1_2, TRAIT_DHE, TRAIT_TLS13 | TRAIT_BROKEN | TRAIT_WEAK, GROUPS_NONE },
    [ASK_DHE_NAMED] = { TLS_1_2, TRAIT_DHE, TRAIT_TLS13, GROUPS_FFDHE },
    [ASK_WEAK_GROUPS] = { TLS_1_2, TRAIT_ECDHE, TRAIT_TLS13 | TRAIT_BROKEN, GROUPS_WEAK },
    [ASK_REVERSED] = { TLS_1_2, 0, TRAIT_TLS13, GROUPS_ALL, .reversed = true },
    [ASK_REVERSED13] = { TLS_1_3, TRAIT_TLS13, 0, GROUPS_TLS13, .reversed = true },
    [ASK_HYBRID] = { TLS_1_3, TRAIT_TLS13, 0, GROUPS_HYBRID },
    [ASK_GROUPS13] = { TLS_1_3, TRAIT_TLS13, 0, GROUPS_TLS13 },
    [ASK_SIGNED] = { TLS_1_2, TRAIT_ECDHE | TRAIT_DHE, TRAIT_TLS13 | TRAIT_BROKEN, GROUPS_ALL },
    [ASK_GROUPS12] = { TLS_1_2, TRAIT_ECDHE, TRAIT_TLS13, GROUPS_ALL },
};

/* The best first; what is weak stands behind all others, so that no server looks dead for want of it. */
static const uint16_t all_groups[] = {
    GROUP_X25519, GROUP_P256, GROUP_P384, GROUP_P521, GROUP_X448, 26, 27, 28, 22, 9, 10, 11, 12, 13, 14,
    6, 7, 8, 20, 21, 18, 19, 4, 5, 15, 16, 17, 1, 2, 3,
};
static const uint16_t weak_groups[] = { 6, 7, 8, 20, 21, 18, 19, 4, 5, 15, 16, 17, 1, 2, 3 };
static const uint16_t hybrid_groups[] = {
    GROUP_X25519_MLKEM768, GROUP_P256_MLKEM768, GROUP_P384_MLKEM1024,
};
static const uint16_t ffdhe_groups[] = { GROUP_FFDHE2048, 0x0101, 0x0102, 0x0103, 0x0104 };
/* Hybrids with the draft that browsers had, and ML-KEM alone, behind: some servers have nothing else. */
static const uint16_t tls13_groups[] = {
    GROUP_X25519, GROUP_P256, GROUP_P384, GROUP_P521, GROUP_X448, 31, 32, 33,
    GROUP_FFDHE2048, 0x0101, 0x0102, 0x0103, 0x0104,
    GROUP_X25519_MLKEM768, GROUP_P256_MLKEM768, GROUP_P384_MLKEM1024, 0x6399, 0x0200, 0x0201, 0x0202,
};

static const struct { const uint16_t *at; size_t len; } group_sets[] = {
    [GROUPS_NONE] = { NULL, 0 },
    [GROUPS_ALL] = { all_groups, PS_COUNT(all_groups) },
    [GROUPS_WEAK] = { weak_groups, PS_COUNT(weak_groups) },
    [GROUPS_HYBRID] = { hybrid_groups, PS_COUNT(hybrid_groups) },
    [GROUPS_FFDHE] = { ffdhe_groups, PS_COUNT(ffdhe_groups) },
    [GROUPS_TLS13] = { tls13_groups, PS_COUNT(tls13_groups) },
};

static const uint16_t share_groups[] = { GROUP_X25519, GROUP_P256 };

/* ECDSA, EdDSA, RSA-PSS, PKCS#1, Brainpool, ML-DSA; DSA and SHA-1 last. */
static const uint16_t signatures[] = {
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b,
    0x0401, 0x0501, 0x0601, 0x081a, 0x081b, 0x081c, 0x0904, 0x0905, 0x0906, 0x0402, 0x0301, 0x0303, 0x0203, 0x0201, 0x0202, 0x0101,
};

static bool suite_left(uint16_t suite, uint16_t version, const struct offer_known *known)
{
    for (size_t i = 0; i < known->suites_len; i++)
        if (known->suites[i].suite == suite && known->suites[i].version == version)
            return false;
    return true;
}

static bool group_left(uint16_t group, const struct offer_known *known)
{
    for (size_t i = 0; i < known->groups_len; i++)
        if (known->groups[i] == group)
            return false;
    return true;
}

static size_t pick_groups(const struct row *row, const struct offer_known *known,
                          uint16_t out[SEEN_GROUPS_MAX])
{
    const bool needs_key_group = known->key_group && row->version < TLS_1_3;
    size_t len = 0;

    for (size_t i = 0; i < group_sets[row->groups].len; i++) {
        uint16_t group = group_sets[row->groups].at[i];

        if (group_left(group, known) && !(needs_key_group && group == known->key_group))
            out[len++] = group;
    }
    if (needs_key_group && row->groups != GROUPS_NONE)
        out[len++] = known->key_group;
    return len;
}

/* The lower the better: forward secrecy and AEAD first, what nobody should take last. */
static int badness(unsigned traits)
{
    if (traits & TRAIT_BROKEN)
        return 4;
    if (traits & TRAIT_WEAK)
        return 3;
    if (traits & TRAIT_NO_FS)
        return 2;
    return (traits & TRAIT_NO_AEAD) != 0;
}

static size_t take_part(const struct offer_known *known, uint16_t *suites, size_t len)
{
    const size_t left = len > known->suites_skip ? len - known->suites_skip : 0;
    const size_t part = left < known->suites_max ? left : known->suites_max;

    memmove(suites, suites + known->suites_skip, part * sizeof(*suites));
    return part;
}

static size_t pick_suites(const struct row *row, const struct offer_known *known,
                          uint16_t out[SEEN_SUITES_MAX * 2])
{
    size_t len = 0;

    for (; len < known->only_len && len < SEEN_SUITES_MAX * 2; len++)
        out[len] = known->only[len];
    for (int level = 0; level < 5 && !known->only_len; level++)
        for (size_t i = 0; i < tls_suites_count && len < SEEN_SUITES_MAX * 2; i++) {
            unsigned traits = suite_traits(&tls_suites[i]);

            if (badness(traits) == level && !(traits & (TRAIT_PSK | TRAIT_MARK | row->avoid))
                && (!row->want || (traits & row->want))
                && suite_left(tls_suites[i].code, row->version, known))
                out[len++] = tls_suites[i].code;
        }
    for (size_t i = 0; row->reversed && i < len / 2; i++) {
        uint16_t kept = out[i];
        out[i] = out[len - 1 - i];
        out[len - 1 - i] = kept;
    }
    return known->suites_max ? take_part(known, out, len) : len;
}

uint16_t offers_group(const char *name)
{
    for (size_t i = 0; i < PS_COUNT(tls13_groups); i++) {
        const char *known = tls_group_name(tls13_groups[i]);

        if (known && strcasecmp(known, name) == 0)
            return tls13_groups[i];
    }
    return 0;
}

uint16_t offers_version(enum question question)
{
    return rows[question].version;
}

uint16_t offers_key_group(const char *key_text)
{
    static const struct { const char *key; uint16_t group; } curves[] = {
        { "EC P-256", GROUP_P256 }, { "EC P-384", GROUP_P384 }, { "EC P-521", GROUP_P521 },
        { "EC P-224", 21 }, { "EC P-192", 19 }, { "EC secp256k1", 22 }, { "EC brainpoolP256r1", 26 },
        { "EC brainpoolP384r1", 27 }, { "EC brainpoolP512r1", 28 },
    };

    for (size_t i = 0; i < PS_COUNT(curves); i++)
        if (strcmp(curves[i].key, key_text) == 0)
            return curves[i].group;
    return 0;
}

bool offers_put(enum question question, const struct offer_known *known, struct buf *out)
{
    const struct row *row = &rows[question];
    const bool tls13 = row->version == TLS_1_3;
    static const uint16_t version13 = TLS_1_3;
    uint16_t suites[SEEN_SUITES_MAX * 2], groups[SEEN_GROUPS_MAX];
    struct offer offer = {
        .version = tls13 ? TLS_1_2 : row->version,
        .host = known->host,
        .suites = { suites, pick_suites(row, known, suites) },
        .groups = { groups, pick_groups(row, known, groups) },
        .signatures = { known->schemes_len ? known->schemes : signatures,
                        known->schemes_len ? known->schemes_len : PS_COUNT(signatures) },
        .compression = !tls13,
        .extended_master_secret = true, .encrypt_then_mac = true, .ticket = true,
        .bare = row->bare,
    };

    if (tls13)
        offer.versions = (struct offer_list){ &version13, 1 };
    if (row->shares)
        offer.shares = (struct offer_list){ share_groups, PS_COUNT(share_groups) };
    if (!offer.suites.len || (row->groups != GROUPS_NONE && !offer.groups.len))
        return false;
    return offer_put(&offer, out);
}
