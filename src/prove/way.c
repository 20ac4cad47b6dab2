/* way.c - see way.h. */
#include "prove/way.h"

#include "tls/ctx.h"

static const struct { const char *word, *text; } ends[WAY_END_COUNT] = {
    [WAY_UNKNOWN] = { "not_known", N_("not known") },
    [WAY_IN_TLS] = { "in_tls", N_("in, encrypted") },
    [WAY_IN_PLAIN] = { "in_plaintext", N_("in, on plaintext") },
    [WAY_PASSWORD_TLS] = { "password_asked", N_("password asked") },
    [WAY_PASSWORD_PLAIN] = { "password_asked_plaintext", N_("password asked, on plaintext") },
    [WAY_REFUSED] = { "refused", N_("refused") },
    [WAY_ACCEPTED] = { "accepted", N_("accepted") },
};

const char *way_end_word(enum way_end end)
{
    return ends[end].word;
}

const char *way_end_text(enum way_end end)
{
    return _(ends[end].text);
}

bool way_end_is_plain(enum way_end end)
{
    return end == WAY_IN_PLAIN || end == WAY_PASSWORD_PLAIN;
}

static const struct { const char *word, *text; } cards[CARD_COUNT] = {
    [CARD_NONE] = { "none", N_("no certificate") },
    [CARD_GOOD] = { "good", N_("the role's own") },
    [CARD_OTHER] = { "other_role", N_("of another role") },
    [CARD_REVOKED] = { "revoked", N_("revoked") },
    [CARD_EXPIRED] = { "expired", N_("expired") },
    [CARD_FOREIGN] = { "foreign_ca", N_("of a foreign CA with the same names") },
    [CARD_SERVER] = { "server_as_client", N_("a server's, used as a client's") },
};

const char *way_cert_word(enum way_cert cert)
{
    return cards[cert].word;
}

const char *way_cert_text(enum way_cert cert)
{
    return _(cards[cert].text);
}

const char *const sslmodes[SSLMODE_COUNT] = {
    "disable", "allow", "prefer", "require", "verify-ca", "verify-full",
};

#define LADDER(mode)                                                                        \
    { WAYS_SSLMODES, mode, "sslmode=" mode, mode, CARD_NONE, HOST_RIGHT, NULL },            \
    { WAYS_SSLMODES, mode "+certificate", "sslmode=" mode, mode, CARD_GOOD, HOST_RIGHT, NULL }

#define CARD(key, label, cert, words) \
    { WAYS_CERTIFICATES, key, label, "verify-full", cert, HOST_RIGHT, words }

const struct way ways[] = {
    LADDER("disable"),
    LADDER("allow"),
    LADDER("prefer"),
    LADDER("require"),
    LADDER("verify-ca"),
    LADDER("verify-full"),

    CARD("none", N_("no certificate"), CARD_NONE, NULL),
    CARD("good", N_("the role's own"), CARD_GOOD, NULL),
    CARD("other_role", N_("of another role"), CARD_OTHER, NULL),
    CARD("revoked", N_("revoked"), CARD_REVOKED, "revoked"),
    CARD("expired", N_("expired"), CARD_EXPIRED, "expired"),
    CARD("foreign_ca", N_("of a foreign CA with the same names"), CARD_FOREIGN, "alert"),
    CARD("server_as_client", N_("a server's, used as a client's"), CARD_SERVER, "alert"),

    { WAYS_NAMES, "right", N_("right name"), "verify-full", CARD_GOOD, HOST_RIGHT, NULL },
    { WAYS_NAMES, "wrong", N_("wrong name"), "verify-full", CARD_GOOD, HOST_WRONG,
      WAY_WRONG_NAME },
};
const size_t ways_len = PS_COUNT(ways);

const struct protocol_way protocol_ways[] = {
    { .key = "plaintext", .label = N_("no TLS at all"), .plain = true },
    { .key = "tls_1_0", .label = N_("TLS 1.0 only"), .version = TLS_1_0 },
    { .key = "tls_1_1", .label = N_("TLS 1.1 only"), .version = TLS_1_1 },
    { .key = "tls_1_2", .label = N_("TLS 1.2 only"), .version = TLS_1_2 },
    { .key = "tls_1_3", .label = N_("TLS 1.3 only"), .version = TLS_1_3 },
    { .key = "direct", .label = N_("direct TLS"), .direct = true, .alpn = true },
    { .key = "direct_no_alpn", .label = N_("direct TLS without ALPN"), .direct = true },
    { .key = "stuffed", .label = N_("plaintext stuffed in before the handshake"),
      .stuffed = true },
};
const size_t protocol_ways_len = PS_COUNT(protocol_ways);

const struct attack_kind attack_kinds[ATTACK_COUNT] = {
    [ATTACK_STRIP] = { "strip", N_("TLS stripped") },
    [ATTACK_SELF_SIGNED] = { "self_signed", N_("self-signed certificate") },
    [ATTACK_WRONG_NAME] = { "wrong_name", N_("right CA, wrong name") },
};

bool attack_withstood(enum attack attack, const char *sslmode, bool root)
{
    bool full = strcmp(sslmode, "verify-full") == 0;
    bool required = strcmp(sslmode, "require") == 0;
    bool ca = full || strcmp(sslmode, "verify-ca") == 0 || (required && root);

    switch (attack) {
    case ATTACK_STRIP:
        return ca || required;
    case ATTACK_SELF_SIGNED:
        return ca;
    default:
        return full;
    }
}
