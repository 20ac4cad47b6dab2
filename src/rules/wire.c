/* wire.c - rules about connections as packets show them (see tests.h). */
#include "rules/cure.h"
#include "rules/tests.h"
#include "tls/strength.h"

typedef bool (*traffic_fn)(const struct rule *rule, const struct traffic_fact *fact,
                           struct finding *finding);

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_readable(const struct traffic_fact *fact)
{
    return is(fact->verdict, "plaintext") || is(fact->verdict, "downgraded");
}

/* The same was said of this server already, for connections with another verdict: one finding names both. */
static bool join(struct findings *out, size_t begin, const struct finding *more)
{
    enum { EVIDENCE_MAX = 400 };

    for (size_t i = begin; i < out->len; i++) {
        struct finding *at = &out->at[i];

        if (!is(at->object, more->object) || !is(at->message, more->message))
            continue;
        if (at->severity < more->severity)
            at->severity = more->severity;
        if (!at->evidence)
            at->evidence = more->evidence;
        else if (more->evidence && !strstr(at->evidence, more->evidence)
                 && strlen(at->evidence) < EVIDENCE_MAX)
            at->evidence = arena_printf(out->arena, "%s, %s", at->evidence, more->evidence);
        return true;
    }
    return false;
}

/* What can be written on the server; `demands` TLS only where it was seen to speak it, or all are locked out. */
static const struct {
    const char *id;
    enum cure cure;
    bool demands;
} cures[] = {
    { "wire-password",    CURE_DEMAND_TLS,             true },
    { "wire-plaintext",   CURE_DEMAND_TLS,             true },
    { "wire-replication", CURE_DEMAND_TLS_REPLICATION, true },
    { "wire-md5",         CURE_SCRAM,                  false },
    { "wire-old-version", CURE_OLDEST_VERSION,         false },
    { "wire-weak-suite",  CURE_SUITES,                 false },
};

static bool was_seen_with_tls(const struct posture *posture, const char *server)
{
    for (size_t i = 0; i < posture->traffic_len; i++)
        if (is(posture->traffic[i].verdict, "tls") && is(posture->traffic[i].server, server))
            return true;
    return false;
}

static void put_cure(const struct rule *rule, const struct posture *posture, const char *server,
                     struct finding *finding)
{
    for (size_t i = 0; i < PS_COUNT(cures); i++)
        if (is(cures[i].id, rule->id) && (!cures[i].demands || was_seen_with_tls(posture, server)))
            cure_put(posture, cures[i].cure, finding);
}

/* The object tells findings apart: one for each server, by the rule's own question. */
static void each(const struct rule *rule, const struct posture *posture, struct findings *out,
                 traffic_fn judge)
{
    size_t begin = out->len;

    for (size_t i = 0; i < posture->traffic_len; i++) {
        const struct traffic_fact *fact = &posture->traffic[i];
        struct finding finding = { .severity = rule->severity, .object = fact->server,
                                   .evidence = fact->who };

        if (!judge(rule, fact, &finding) || join(out, begin, &finding))
            continue;
        put_cure(rule, posture, fact->server, &finding);
        rule_found(rule, out, finding);
    }
}

/* What never left the machine can be read by its administrator alone. */
static enum severity weighed(const struct rule *rule, const struct traffic_fact *fact)
{
    return fact->loopback ? SEV_LOW : rule->severity;
}

static bool judge_readable(const struct rule *rule, const struct traffic_fact *fact,
                           struct finding *finding)
{
    bool replication = is(rule->id, "wire-replication");
    bool downgraded = is(rule->id, "wire-downgraded");

    if (!is_readable(fact) || (replication && !fact->replication)
        || (!replication && downgraded != is(fact->verdict, "downgraded")))
        return false;
    finding->severity = weighed(rule, fact);
    if (!replication && fact->refused == fact->connections)
        finding->severity = SEV_LOW;    /* only names were told: the server let nobody in */
    finding->message = replication ? _("replication to this server ran in plaintext")
        : downgraded ? _("clients of this server asked for TLS and went on in plaintext")
        : !fact->reason ? _("connections to this server were in plaintext")
        : is(fact->reason, "null-suite") ? _("connections to this server used TLS that encrypts nothing")
        : _("connections to this server went on in plaintext behind a finished handshake");
    return true;
}

void rule_wire_readable(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_readable);
}

static bool judge_password(const struct rule *rule, const struct traffic_fact *fact,
                           struct finding *finding)
{
    bool md5 = is(rule->id, "wire-md5");

    if (md5 ? !fact->md5 : !(fact->passwords || fact->tokens))
        return false;
    finding->severity = weighed(rule, fact);
    finding->message = md5 ? _("MD5 proofs of passwords were sent to this server in plaintext")
        : fact->passwords ? _("passwords were sent to this server in plaintext")
                          : _("OAuth tokens were sent to this server in plaintext");
    return true;
}

void rule_wire_password(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_password);
}

static bool judge_injected(const struct rule *rule, const struct traffic_fact *fact,
                           struct finding *finding)
{
    (void)rule;
    finding->message = _("bytes were stuffed into connections to this server before the handshake");
    return is(fact->verdict, "injected");
}

void rule_wire_injected(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_injected);
}

static bool judge_version(const struct rule *rule, const struct traffic_fact *fact,
                          struct finding *finding)
{
    (void)rule;
    finding->message = _("connections to this server use a version of TLS that is withdrawn");
    return is(fact->verdict, "tls") && fact->version
        && (is(fact->version, "TLSv1") || is(fact->version, "TLSv1.1") || is(fact->version, "SSLv3"));
}

void rule_wire_version(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_version);
}

static bool judge_suite(const struct rule *rule, const struct traffic_fact *fact,
                        struct finding *finding)
{
    (void)rule;
    finding->message = _("connections to this server use a cipher suite that protects little");
    finding->evidence = fact->suite;
    return fact->suite && suite_traits_of(fact->cipher) & (TRAIT_BROKEN | TRAIT_WEAK);
}

void rule_wire_suite(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_suite);
}

static bool judge_failed(const struct rule *rule, const struct traffic_fact *fact,
                         struct finding *finding)
{
    (void)rule;
    finding->message = is(fact->verdict, "refused")
        ? _("this server refused TLS, and clients gave up")
        : _("handshakes with this server failed");
    return is(fact->verdict, "tls-failed") || is(fact->verdict, "gss-failed")
        || is(fact->verdict, "refused");
}

void rule_wire_failed(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_failed);
}

static bool judge_unknown(const struct rule *rule, const struct traffic_fact *fact,
                          struct finding *finding)
{
    (void)rule;
    finding->message = _("it is not known how connections to this server are protected");
    return is(fact->verdict, "unknown");
}

void rule_wire_unknown(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each(rule, posture, out, judge_unknown);
    if (posture->packets_lost)
        rule_unseen(rule, out, _("packets were lost before they could be read: there may be more "
                                 "connections than are shown"));
}
