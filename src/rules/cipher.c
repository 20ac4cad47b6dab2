/* cipher.c - rules about cipher suites, curves and groups (see tests.h). */
#include <strings.h>

#include "rules/common.h"
#include "rules/tests.h"
#include "tls/cipher_list.h"

/* ---- suites ---- */

enum { NAMES_SHOWN = 4 };

/* "AES256-SHA, AES128-SHA and 14 others", for one flaw. */
static const char *suites_with(struct findings *out, const struct suites *suites, unsigned flaw,
                               size_t *count)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    *count = 0;
    for (size_t i = 0; i < suites->len; i++) {
        if (!(suites->at[i].flaws & flaw))
            continue;
        if (++*count <= NAMES_SHOWN)
            buf_printf(&text, "%s%s", *count > 1 ? ", " : "", suites->at[i].name);
    }
    if (*count <= NAMES_SHOWN)
        return arena_strdup(out->arena, buf_text(&text));
    return arena_printf(out->arena, ngettext("%s and %zu other suite of %zu", "%s and %zu other suites of %zu",
                                             *count - NAMES_SHOWN),
                        buf_text(&text), *count - NAMES_SHOWN, suites->len);
}

/* What OpenSSL's security level says: that of the list, then of its configuration; -1: built in. */
static int level_of(const struct posture *posture, const struct suites *suites)
{
    int level = suites->security_level;

    for (size_t i = 0; level < 0 && i < posture->openssl_conf_len; i++) {
        const char *mark = strcasestr(posture->openssl_conf[i].value, "@SECLEVEL=");

        if (strcasecmp(posture->openssl_conf[i].name, "CipherString") == 0 && mark && mark[10] >= '0'
            && mark[10] <= '5')
            level = mark[10] - '0';
    }
    return level;
}

/* Cap for suites that only the list has: OpenSSL keeps them off above level 0. */
static enum severity severity_of(const struct rule *rule, const struct posture *posture,
                                 const struct suites *suites, unsigned flaw)
{
    bool kept_off = (flaw & (SUITE_NULL | SUITE_ANON)) && level_of(posture, suites) != 0;

    return kept_off ? SEV_MEDIUM : rule->severity;
}

/* All AEAD suites stand before the others, and the server's order counts: no client of today gets one. */
static bool cbc_is_last(const struct posture *posture, const struct suites *suites)
{
    bool seen = false;

    if (posture_on(posture, "ssl_prefer_server_ciphers") != FACT_YES)
        return false;
    for (size_t i = 0; i < suites->len; i++) {
        bool cbc = suites->at[i].flaws & SUITE_CBC;

        if (seen && !cbc)
            return false;
        seen = seen || cbc;
    }
    return suites->len > 0 && !(suites->at[0].flaws & SUITE_CBC);
}

static const struct {
    const char *id;
    unsigned flaw;
    const char *message;
} flaws[] = {
    { "cipher-null-anon", SUITE_NULL | SUITE_ANON,
      N_("ssl_ciphers has suites without encryption or without a certificate") },
    { "cipher-weak", SUITE_WEAK, N_("ssl_ciphers has broken ciphers") },
    { "cipher-no-fs", SUITE_NO_FS, N_("ssl_ciphers has suites without forward secrecy") },
    { "cipher-cbc", SUITE_CBC, N_("ssl_ciphers has CBC suites") },
};

static const char good_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static struct finding list_finding(const struct posture *posture, const struct setting_fact *list,
                                   struct findings *out)
{
    struct finding finding = { .place = list->place, .object = list->name };

    rule_cure_setting(posture, list, good_ciphers, out, &finding);
    return finding;
}

/* The column of a word inside the value. */
static void point_at(struct finding *finding, const struct setting_fact *list, size_t begin, size_t len)
{
    const char *text = finding->place.text;
    const char *at = text && finding->place.column
        ? strstr(text + finding->place.column - 1, list->value) : NULL;

    if (!at)
        return;                 /* escapes in it: the whole value is meant */
    finding->place.column = (unsigned)(at - text + (ptrdiff_t)begin) + 1;
    finding->place.end_column = finding->place.column + (unsigned)len;
}

/* Words that this OpenSSL has no suites for, and the server's perhaps has. */
static void judge_words(const struct rule *rule, const struct posture *posture,
                        const struct setting_fact *list, unsigned wanted, struct findings *out)
{
    enum suite_flaw flaw;
    size_t begin, len;

    if (!suites_named_weak(list->value, &flaw, &begin, &len) || !(flaw & wanted))
        return;
    struct finding finding = list_finding(posture, list, out);
    point_at(&finding, list, begin, len);
    finding.severity = SEV_MEDIUM;
    finding.message = arena_printf(out->arena, _("ssl_ciphers asks for \"%.*s\", which only an OpenSSL that still "
                                                 "has such suites gives"), (int)len, list->value + begin);
    finding.evidence = rule_says(out, list);
    rule_found(rule, out, finding);
}

static void judge_suites(const struct rule *rule, const struct posture *posture,
                         const struct setting_fact *list, const struct suites *suites, size_t which,
                         struct findings *out)
{
    size_t count;
    const char *names = suites_with(out, suites, flaws[which].flaw, &count);

    if (count == 0) {
        judge_words(rule, posture, list, flaws[which].flaw, out);
        return;
    }
    if (flaws[which].flaw == SUITE_CBC && !posture->critical && cbc_is_last(posture, suites))
        return;
    struct finding finding = list_finding(posture, list, out);
    finding.severity = severity_of(rule, posture, suites, flaws[which].flaw);
    finding.message = _(flaws[which].message);
    finding.evidence = names;
    rule_found(rule, out, finding);
}

/* Only TLS 1.3 left: the list is of no effect. */
static bool only_tls13(const struct posture *posture)
{
    const char *min = posture_value(posture, "ssl_min_protocol_version");

    return min && rule_protocol(min) >= 13;
}

void rule_cipher(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    PS_AUTO(suites_free) struct suites suites = { 0 };
    const struct setting_fact *list;
    struct ps_err err;

    if (!rule_tls_on(rule, posture, out) || only_tls13(posture))
        return;
    list = rule_setting(rule, posture, "ssl_ciphers", out);
    if (!list)
        return;
    if (!suites_expand(list->value, &suites, &err)) {
        rule_unseen(rule, out, arena_strdup(out->arena, err.message));
        return;
    }
    for (size_t i = 0; i < PS_COUNT(flaws); i++)
        if (strcmp(flaws[i].id, rule->id) == 0)
            judge_suites(rule, posture, list, &suites, i, out);
}

void rule_cipher_invalid(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    PS_AUTO(suites_free) struct suites suites = { 0 };
    const struct setting_fact *list;
    struct ps_err err;

    if (!rule_tls_on(rule, posture, out))
        return;
    list = rule_setting(rule, posture, "ssl_ciphers", out);
    if (!list || suites_expand(list->value, &suites, &err) || err.code != PS_E_VALUE)
        return;
    struct finding finding = list_finding(posture, list, out);
    finding.message = _("OpenSSL finds no suite in ssl_ciphers: the server does not start");
    finding.evidence = rule_says(out, list);
    rule_found(rule, out, finding);
}

/* ---- Diffie-Hellman over numbers ---- */

static bool has_dhe(const struct posture *posture)
{
    PS_AUTO(suites_free) struct suites suites = { 0 };
    const char *list = posture_value(posture, "ssl_ciphers");
    struct ps_err ignored;

    if (only_tls13(posture))
        return false;
    if (!list || !suites_expand(list, &suites, &ignored))
        return true;
    for (size_t i = 0; i < suites.len; i++)
        if (strncmp(suites.at[i].name, "DHE-", 4) == 0)
            return true;
    return false;
}

static void built_in_dh(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->major >= 10)
        return;                 /* 2048 bits */
    rule_found(rule, out, (struct finding){
        .object = "DHE", .message = _("the Diffie-Hellman group built into this version has 1024 bits"),
        .evidence = posture->version, .fix_kind = FIX_SQL,
        .fix = "ALTER SYSTEM SET ssl_ciphers = 'ECDHE+AESGCM';" });
}

void rule_dh_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct tls_file *file = posture_file(posture, FILE_DH);

    if (!rule_tls_on(rule, posture, out) || !has_dhe(posture))
        return;
    if (posture->major >= 10 && !rule_setting(rule, posture, "ssl_dh_params_file", out))
        return;
    if (!file) {
        built_in_dh(rule, posture, out);
        return;
    }
    if (file->why) {
        rule_unseen(rule, out, file->why);
        return;
    }
    if (file->key_bits == 0 || file->key_bits >= 2048)
        return;                 /* what cannot be read is file-missing's */
    struct finding finding = {
        .place = file->named, .object = file->path,
        .message = arena_printf(out->arena, _("the Diffie-Hellman group of \"%s\" has %d bits"), file->path,
                                file->key_bits) };
    rule_cure_setting(posture, posture_setting(posture, "ssl_dh_params_file"), "", out, &finding);
    rule_found(rule, out, finding);
}

/* ---- groups ---- */

/* The smallest that is enough; X25519 has 253 bits by its order and 128 by its strength. */
enum { GROUP_BITS_MIN = 250 };

static void judge_group(const struct rule *rule, const struct posture *posture,
                        const struct setting_fact *groups, const char *name, struct findings *out)
{
    int bits = group_bits(name);

    if (bits == 0 && !group_is_hybrid(name)) {
        rule_unseen(rule, out, arena_printf(out->arena, _("group \"%s\" is not known to this OpenSSL"), name));
        return;
    }
    if (bits == 0 || bits >= GROUP_BITS_MIN)
        return;
    struct finding finding = {
        .place = groups->place, .object = arena_printf(out->arena, "%s %s", groups->name, name),
        .message = arena_printf(out->arena, _("curve \"%s\" has only %d bits"), name, bits),
        .evidence = rule_says(out, groups) };
    rule_cure_setting(posture, groups, posture->major >= 18 ? "X25519:prime256v1" : "prime256v1", out,
                      &finding);
    rule_found(rule, out, finding);
}

void rule_group_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct setting_fact *groups;

    if (!rule_tls_on(rule, posture, out))
        return;
    groups = rule_setting(rule, posture, "ssl_ecdh_curve", out);    /* ssl_groups from 18 */
    PS_AUTO(ps_freep) char *copy = ps_strdup(groups ? groups->value : "");
    char *rest = copy, *name;

    while ((name = strsep(&rest, ":")))
        if (*name)
            judge_group(rule, posture, groups, name, out);
}

/* 18 is the first that can name such a group, 3.5 the first OpenSSL that has one. */
static enum fact_bool can_have_hybrids(const struct posture *posture)
{
    unsigned major, minor;

    if (posture->major < 18)
        return FACT_NO;
    if (!posture->openssl || sscanf(posture->openssl, "OpenSSL %u.%u", &major, &minor) != 2)
        return FACT_UNKNOWN;
    return major > 3 || (major == 3 && minor >= 5) ? FACT_YES : FACT_NO;
}

void rule_no_pq_group(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    enum fact_bool possible = can_have_hybrids(posture);
    const struct setting_fact *groups;

    /* where only another server is a cure, only the strict want to hear of it */
    if (!rule_tls_on(rule, posture, out) || (possible == FACT_NO && !posture->critical))
        return;
    groups = rule_setting(rule, posture, "ssl_ecdh_curve", out);
    if (!groups || group_is_hybrid(groups->value))
        return;
    if (possible == FACT_UNKNOWN && !posture->critical) {
        rule_unseen(rule, out, _("the version of the server's OpenSSL is not known"));
        return;
    }
    struct finding finding = { .place = groups->place, .object = groups->name,
                               .evidence = rule_says(out, groups),
                               .message = _("no group withstands quantum computers") };
    if (posture->major >= 18) {
        rule_cure_setting(posture, groups, "X25519MLKEM768:X25519:prime256v1", out, &finding);
    } else {
        finding.fix_kind = FIX_ADVICE;
        finding.fix = _("Move to PostgreSQL 18 with OpenSSL 3.5.");
    }
    rule_found(rule, out, finding);
}
