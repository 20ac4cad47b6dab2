/* seen.c - rules about what a stranger sees from outside (see tests.h). */
#include "facts/seen.h"
#include "pg/wire.h"
#include "rules/common.h"
#include "rules/cure.h"
#include "rules/tests.h"
#include "tls/name.h"

#define TELL(out, ...) arena_printf((out)->arena, __VA_ARGS__)

/* What was seen of a server that answered; NULL leaves a "not examined". */
static const struct seen *reached(const struct rule *rule, const struct posture *posture,
                                  struct findings *out)
{
    const struct seen *seen = posture->seen;

    if (seen && seen->reach == REACH_YES)
        return seen;
    rule_unseen(rule, out, seen ? _("the server was not reached") : _("the server was not asked"));
    return NULL;
}

/* The same, where TLS is offered; without it tls-off has said so, and there is nothing to judge. */
static const struct seen *with_tls(const struct rule *rule, const struct posture *posture,
                                   struct findings *out)
{
    const struct seen *seen = reached(rule, posture, out);

    return seen && seen->letter == 'S' ? seen : NULL;
}

/* Without a line to be written anywhere: the rule's own words must do. */
static void found(const struct rule *rule, const struct posture *posture, struct findings *out,
                  const char *message, const char *evidence)
{
    rule_found(rule, out, (struct finding){
        .object = posture->name, .message = message, .evidence = evidence });
}

static void found_cured(const struct rule *rule, const struct posture *posture, struct findings *out,
                        const char *message, const char *evidence, enum cure cure)
{
    struct finding finding = { .object = posture->name, .message = message, .evidence = evidence };

    cure_put(posture, cure, &finding);
    rule_found(rule, out, finding);
}

/* ---- somebody there? ---- */

void rule_no_answer(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = posture->seen;

    if (!seen)
        rule_unseen(rule, out, _("the server was not asked"));
    else if (seen->reach != REACH_YES && seen->reach != REACH_NOT_POSTGRES)
        found(rule, posture, out, _("nobody answers there"), seen->reach_text);
}

void rule_not_postgres(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = posture->seen;

    if (!seen)
        rule_unseen(rule, out, _("the server was not asked"));
    else if (seen->reach == REACH_NOT_POSTGRES)
        found(rule, posture, out, _("what answers there does not speak PostgreSQL's protocol"),
              seen->reach_text);
}

/* ---- the way in ---- */

static const char *how(struct findings *out, const struct seen *seen,
                       const struct startup_seen *startup)
{
    const char *answer = startup->end == STARTUP_IN ? "AuthenticationOk"
                         : startup->message ? startup->message : wire_auth_name(startup->auth);
    const char *database = startup == &seen->plain_replication ? "replication"
                           : seen->database ? seen->database : "postgres";

    if (seen->role)
        return TELL(out, _("asked from here at %s for role \"%s\" and database \"%s\": %s"), seen->address,
                    seen->role, database, answer);
    return TELL(out, _("asked from here at %s for a role that nobody has and database \"%s\": %s"),
                seen->address, database, answer);
}

/* Where TLS is off a hostssl line matches nobody: to write one first would lock everybody out. */
static void found_plain(const struct rule *rule, const struct posture *posture, const struct startup_seen *plain,
                        const char *message, struct findings *out)
{
    struct finding finding = { .object = posture->name, .message = message,
                               .evidence = how(out, posture->seen, plain) };

    if (posture->seen->letter == 'S')
        cure_put(posture, plain == &posture->seen->plain ? CURE_DEMAND_TLS : CURE_DEMAND_TLS_REPLICATION,
                 &finding);
    else
        finding.cure = _("Switch TLS on first, then look again: a server without TLS cannot demand it.");
    rule_found(rule, out, finding);
}

/* Refused both ways, this role and database say nothing about others. */
static void judge_plain(const struct rule *rule, const struct posture *posture,
                        const struct startup_seen *plain, const char *message, struct findings *out)
{
    const struct seen *seen = posture->seen;

    if (startup_is_open(plain))
        found_plain(rule, posture, plain, message, out);
    else if (plain->end != STARTUP_REFUSED && plain->end != STARTUP_TLS_DEMANDED)
        rule_unseen(rule, out, plain->message ? plain->message : _("a startup was not answered"));
    else if (plain->end == STARTUP_REFUSED && seen->letter == 'S' && plain == &seen->plain
             && !startup_is_open(&seen->over_tls))
        rule_unseen(rule, out, _("this role and database are refused with TLS and without: others may be "
                                 "let in"));
}

void rule_plaintext_accepted(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    if (reached(rule, posture, out))
        judge_plain(rule, posture, &posture->seen->plain,
                    _("the server takes logins in plaintext"), out);
}

void rule_replication_plaintext(const struct rule *rule, const struct posture *posture,
                                struct findings *out)
{
    if (reached(rule, posture, out))
        judge_plain(rule, posture, &posture->seen->plain_replication,
                    _("the server takes replication in plaintext"), out);
}

static bool asks_for_password(const struct startup_seen *startup)
{
    return startup->end == STARTUP_ASKED && startup->auth == WIRE_AUTH_CLEARTEXT;
}

void rule_password_plaintext(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    const struct seen *seen = reached(rule, posture, out);

    if (seen && asks_for_password(&seen->plain))
        found_plain(rule, posture, &seen->plain, _("the server asks for the password itself, in plaintext"), out);
    else if (seen && asks_for_password(&seen->plain_replication))
        found_plain(rule, posture, &seen->plain_replication,
                    _("the server asks for the password itself, in plaintext"), out);
}

static enum cure cure_of_trust(const struct seen *seen, const struct startup_seen *way)
{
    if (seen->letter != 'S')
        return CURE_PROOF_NO_TLS;
    return way == &seen->plain_replication ? CURE_PROOF_REPLICATION : CURE_PROOF;
}

void rule_trust_auth(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = reached(rule, posture, out);

    if (!seen)
        return;
    const struct startup_seen *const ways[] = { &seen->plain, &seen->over_tls, &seen->plain_replication };
    /* a role that does not exist is let in as far as the error that it does not exist (28000 or 28P01) */
    for (size_t i = 0; i < PS_COUNT(ways); i++)
        if (ways[i]->end == STARTUP_IN) {
            found_cured(rule, posture, out, _("the server lets a role in without any proof"),
                        how(out, seen, ways[i]), cure_of_trust(seen, ways[i]));
            return;
        }
    if (!startup_is_open(&seen->plain) && !startup_is_open(&seen->over_tls))
        rule_unseen(rule, out, _("no authentication was asked for"));
}

void rule_auth_md5(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = reached(rule, posture, out);

    if (!seen)
        return;
    const struct startup_seen *startup = startup_is_open(&seen->over_tls) ? &seen->over_tls : &seen->plain;
    if (startup->end == STARTUP_ASKED && startup->auth == WIRE_AUTH_MD5)
        found_cured(rule, posture, out, _("the server asks for passwords with MD5"),
                    how(out, seen, startup), CURE_SCRAM);
    else if (!startup_is_open(startup))
        rule_unseen(rule, out, _("no authentication was asked for"));
}

void rule_scram_plus_missing(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen)
        return;
    if (!startup_is_open(&seen->over_tls))
        rule_unseen(rule, out, _("no authentication was asked for"));
    else if (seen->over_tls.auth == WIRE_AUTH_SASL && !seen->over_tls.scram_plus)
        found(rule, posture, out, _("SCRAM is offered over TLS without channel binding"),
              "SCRAM-SHA-256");
}

/* ---- faults of the start ---- */

static void judge_fact(const struct rule *rule, const struct posture *posture, enum fact_bool fact,
                       const char *message, const char *evidence, struct findings *out)
{
    if (fact == FACT_UNKNOWN)
        rule_unseen(rule, out, _("the question was not answered"));
    else if (fact == FACT_YES)
        found(rule, posture, out, message, evidence);
}

void rule_stuffing_vulnerable(const struct rule *rule, const struct posture *posture,
                              struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (seen)
        judge_fact(rule, posture, seen->stuffing_used,
                   _("bytes sent before the handshake were used inside of it"),
                   _("a StartupMessage behind the SSLRequest was answered inside TLS"), out);
}

void rule_direct_tls_no_alpn(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen || seen->direct_tls == FACT_NO)
        return;
    judge_fact(rule, posture, seen->direct_tls_without_alpn,
               _("direct TLS goes on without the protocol \"postgresql\" agreed on"),
               _("a startup was answered on a direct connection without ALPN"), out);
}

void rule_negotiation_endless(const struct rule *rule, const struct posture *posture,
                              struct findings *out)
{
    const struct seen *seen = reached(rule, posture, out);

    /* poolers loop, and do not recurse; who answers G or S has declined nothing */
    if (!seen || seen->negotiates_again != FACT_YES)
        return;
    if (seen->kind == KIND_POSTGRES)
        found(rule, posture, out, _("requests for encryption are declined again and again"), "N, N, N");
    else if (seen->kind == KIND_UNKNOWN)
        rule_unseen(rule, out, _("requests for encryption are declined again and again, and it is not known by "
                                 "which program"));
}

void rule_handshake_broken(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);
    bool any = false;

    if (!seen)
        return;
    for (int i = 0; i < SEEN_VERSIONS; i++)
        any |= seen->versions[i] == FACT_YES;
    if (!any)
        found(rule, posture, out, _("the server offers TLS, and no handshake comes to its end"),
              seen->handshake_why);
}

/* ---- protocols, suites, groups ---- */

static enum fact_bool speaks(const struct seen *seen, uint16_t version)
{
    return seen->versions[seen_version_index(version)];
}

/* A server that does not cannot be told to leave the bad ones only: it would have no range, and not start. */
static bool speaks_good(const struct seen *seen)
{
    return speaks(seen, TLS_1_2) == FACT_YES || speaks(seen, TLS_1_3) == FACT_YES;
}

void seen_legacy_version(const struct rule *rule, const struct posture *posture,
                         struct findings *out)
{
    static const uint16_t old[] = { TLS_SSL3, TLS_1_0, TLS_1_1 };
    const struct seen *seen = with_tls(rule, posture, out);
    PS_AUTO(buf_free) struct buf names = BUF(256);
    bool unknown = false;

    if (!seen)
        return;
    for (size_t i = 0; i < PS_COUNT(old); i++) {
        unknown |= speaks(seen, old[i]) == FACT_UNKNOWN;
        if (speaks(seen, old[i]) == FACT_YES)
            buf_printf(&names, "%s%s", names.len ? ", " : "", tls_version_name(old[i]));
    }
    if (names.len)
        found_cured(rule, posture, out, _("the server accepts versions of TLS that are broken"),
                    buf_text(&names), speaks_good(seen) ? CURE_OLDEST_VERSION : CURE_VERSIONS);
    else if (unknown)
        rule_unseen(rule, out, _("the question was not answered"));
}

void seen_no_tls13(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);
    bool group = seen && !seen->groups_len;

    for (size_t i = 0; seen && i < seen->groups_len; i++)
        group |= tls_group_is_of_13(seen->groups[i]);
    if (seen && speaks(seen, TLS_1_3) == FACT_NO)
        found_cured(rule, posture, out, _("the server does not speak TLS 1.3"),
                    seen->version ? tls_version_name(seen->version) : NULL,
                    group ? CURE_NEWEST_VERSION : CURE_GROUP_AND_NEWEST_VERSION);
    else if (seen && speaks(seen, TLS_1_3) == FACT_UNKNOWN)
        rule_unseen(rule, out, _("the question was not answered"));
}

static bool named_before(const struct seen *seen, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (seen->suites[i].suite == seen->suites[at].suite)
            return true;
    return false;
}

/* The accepted suites of some kind in any version, by OpenSSL's names, which ssl_ciphers takes. */
static const char *accepted(const struct seen *seen, unsigned traits, unsigned but,
                            struct findings *out)
{
    PS_AUTO(buf_free) struct buf names = BUF(4096);

    for (size_t i = 0; i < seen->suites_len; i++) {
        const struct tls_suite *suite = tls_suite_find(seen->suites[i].suite);

        if (suite && (suite_traits(suite) & traits) && !(suite_traits(suite) & but)
            && !named_before(seen, i))
            buf_printf(&names, "%s%s", names.len ? ", " : "",
                       suite->openssl ? suite->openssl : suite->name);
    }
    return names.len ? arena_strdup(out->arena, buf_text(&names)) : NULL;
}

/* One row for each kind: it is there, or was asked for and refused, or there is no TLS 1.2 to have it. */
static void judge_suites(const struct rule *rule, const struct posture *posture, unsigned traits,
                         unsigned but, bool asked, const char *message, struct findings *out)
{
    const struct seen *seen = posture->seen;
    const char *names = accepted(seen, traits, but, out);
    bool any_old = false, unknown = false;

    for (int i = 0; i < seen_version_index(TLS_1_3); i++) {
        any_old |= seen->versions[i] == FACT_YES;
        unknown |= seen->versions[i] == FACT_UNKNOWN;
    }
    if (names)
        found_cured(rule, posture, out, message, names,
                    speaks_good(seen) ? CURE_SUITES : CURE_SUITES_AND_VERSIONS);
    else if (unknown || (any_old && !asked && !seen->all_suites))
        rule_unseen(rule, out, _("the question was not answered"));
}

void seen_cipher(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen)
        return;
    if (strcmp(rule->id, "cipher-null-anon") == 0)
        judge_suites(rule, posture, TRAIT_BROKEN, 0, seen->asked_broken,
                     _("cipher suites without encryption, or without a certificate, are accepted"), out);
    else if (strcmp(rule->id, "cipher-weak") == 0)
        judge_suites(rule, posture, TRAIT_WEAK, TRAIT_BROKEN, seen->asked_weak,
                     _("broken cipher suites are accepted"), out);
    else if (strcmp(rule->id, "cipher-no-fs") == 0)
        judge_suites(rule, posture, TRAIT_NO_FS, TRAIT_BROKEN | TRAIT_WEAK, seen->asked_no_fs,
                     _("cipher suites without forward secrecy are accepted"), out);
    else
        judge_suites(rule, posture, TRAIT_NO_AEAD, TRAIT_BROKEN | TRAIT_WEAK, seen->asked_no_aead,
                     _("cipher suites without authenticated encryption are accepted"), out);
}

void seen_dh_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (seen && seen->dh_bits && seen->dh_bits < 2048)
        found_cured(rule, posture, out, _("the Diffie-Hellman group is too small"),
                    TELL(out, "%u bits", seen->dh_bits), CURE_DH);
}

void seen_group_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen)
        return;
    for (size_t i = 0; i < seen->groups_len; i++)
        if (tls_group_is_weak(seen->groups[i])) {
            found_cured(rule, posture, out, _("an elliptic curve below 255 bits is accepted"),
                        tls_group_name(seen->groups[i]), CURE_GROUP);
            return;
        }
    if (!seen->asked_weak_groups && speaks(seen, TLS_1_2) != FACT_NO)
        rule_unseen(rule, out, _("the question was not answered"));
}

void seen_no_pq_group(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen)
        return;
    for (size_t i = 0; i < seen->groups_len; i++)
        if (tls_group_is_hybrid(seen->groups[i]))
            return;
    /* no line: what its OpenSSL knows cannot be seen, and with a group that it does not know it does not start */
    if (seen->asked_hybrid || speaks(seen, TLS_1_3) == FACT_NO)
        found(rule, posture, out, _("no key exchange that withstands quantum computers"), NULL);
    else
        rule_unseen(rule, out, _("the question was not answered"));
}

void rule_compression_or_renegotiation(const struct rule *rule, const struct posture *posture,
                                       struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (!seen || speaks(seen, TLS_1_2) == FACT_NO)
        return;
    const struct { enum fact_bool fact, bad; const char *message; } rows[] = {
        { seen->compression, FACT_YES, _("TLS compression is accepted") },
        { seen->client_renegotiation, FACT_YES, _("clients may renegotiate inside a connection") },
        { seen->secure_renegotiation, FACT_NO, _("secure renegotiation is missing") },
        { seen->extended_master_secret, FACT_NO, _("the extended master secret is missing") },
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        if (rows[i].fact == rows[i].bad)
            found(rule, posture, out, rows[i].message, NULL);
        else if (rows[i].fact == FACT_UNKNOWN)
            rule_unseen(rule, out, _("the question was not answered"));
}

/* ---- the certificate, where it takes the name that was asked for ---- */

void rule_name_mismatch(const struct rule *rule, const struct posture *posture,
                        struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);
    PS_AUTO(buf_free) struct buf names = BUF(8192);

    if (!seen)
        return;
    if (!seen->chain.len) {
        rule_unseen(rule, out, _("no certificate was seen"));
        return;
    }
    if (cert_speaks_for(seen->chain.at[0], seen->host))
        return;
    const struct cert_info *info = cert_info(seen->chain.at[0]);
    for (const char *const *name = info->dns; *name; name++)
        buf_printf(&names, "%s%s", names.len ? ", " : "", *name);
    for (const char *const *name = info->ip; *name; name++)
        buf_printf(&names, "%s%s", names.len ? ", " : "", *name);
    if (!names.len)
        buf_printf(&names, "CN=%s", info->common_name);
    struct finding finding = {
        .object = posture->name, .evidence = buf_text(&names),
        .message = TELL(out, _("the certificate does not speak for \"%s\""), seen->host) };
    rule_cure_certificate(posture, seen->chain.at[0], out, &finding);
    rule_found(rule, out, finding);
}

/* The same key behind several names: who has one of these machines has all. */
void rule_key_shared(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct seen *seen = with_tls(rule, posture, out);

    if (seen && seen->shares_key_with)
        found(rule, posture, out, _("another server has the same private key"), seen->shares_key_with);
    else if (seen && seen->may_be)
        rule_unseen(rule, out, TELL(out, _("the same certificate is at %s: it may be this server, by its other address"),
                                    seen->may_be));
    else if (seen && !seen->chain.len)
        rule_unseen(rule, out, _("no certificate was seen"));
}

/* A list of names that has public CAs among them lets their customers in, as far as their names match. */
void seen_client_ca_wide(const struct rule *rule, const struct posture *posture,
                         struct findings *out)
{
    enum { PRIVATE_MAX = 20 };
    const struct seen *seen = with_tls(rule, posture, out);
    size_t len = 0;

    while (seen && seen->authorities && seen->authorities[len])
        len++;
    if (len > PRIVATE_MAX)
        found(rule, posture, out, _("certificates of very many CAs are accepted from clients"),
              TELL(out, _("%zu CAs are named, \"%s\" among them"), len, seen->authorities[0]));
}
