/* cert.c - rules about the server's certificate and its chain (see tests.h). */
#include <strings.h>

#include "base/clock.h"
#include "rules/common.h"
#include "rules/tests.h"
#include "tls/name.h"
#include "tls/verify.h"

#define DAY (24 * 60 * 60)

/* One chain at a time, for all the rules below. */
struct look {
    const struct rule *rule;
    const struct posture *posture;
    struct findings *out;
    const struct rule_chain *chain;
    const struct cert *leaf;
    const struct cert_info *info;       /* of the leaf */
};

typedef void judge_chain(const struct look *look);

static void each_chain(const struct rule *rule, const struct posture *posture, struct findings *out,
                       judge_chain *judge)
{
    struct rule_chain chains[RULE_CHAINS_MAX];
    size_t len = rule_tls_on(rule, posture, out) ? rule_chains(rule, posture, out, chains) : 0;

    for (size_t i = 0; i < len; i++) {
        const struct cert *leaf = chains[i].certs->at[0];
        const struct look look = { rule, posture, out, &chains[i], leaf, cert_info(leaf) };

        judge(&look);
    }
}

/* A finding about one certificate of the chain; the cure is a new one. */
static void found(const struct look *look, const struct cert *about, enum severity severity,
                  const char *message, const char *evidence)
{
    struct finding finding = { .severity = severity, .place = look->chain->place,
                               .object = cert_info(about)->subject, .message = message,
                               .evidence = evidence };

    rule_cure_certificate(look->posture, look->leaf, look->out, &finding);
    rule_found(look->rule, look->out, finding);
}

#define TELL(look, ...) arena_printf((look)->out->arena, __VA_ARGS__)

/* ---- dates ---- */

static void judge_expired(const struct look *look)
{
    if (look->info->not_after < look->posture->now)
        found(look, look->leaf, SEV_NOTHING, _("the server's certificate has expired"),
              TELL(look, "notAfter = %s", rule_date(look->out, look->info->not_after)));
}

void rule_cert_expired(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_expired);
}

static void judge_early(const struct look *look)
{
    if (look->info->not_before > look->posture->now)
        found(look, look->leaf, SEV_NOTHING, _("the server's certificate is not valid yet"),
              TELL(look, "notBefore = %s", rule_date(look->out, look->info->not_before)));
}

void rule_cert_not_yet_valid(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    each_chain(rule, posture, out, judge_early);
}

/* 30 days before the end, of a short-lived one when two thirds are over; the last week is worse. */
static void judge_expiring(const struct look *look)
{
    time_t left = look->info->not_after - look->posture->now;
    time_t third = (look->info->not_after - look->info->not_before) / 3;
    time_t warn = third < 30 * DAY ? third : 30 * DAY;
    long days = (long)(left / DAY);

    if (left < 0 || left > warn)
        return;
    found(look, look->leaf, left <= 7 * DAY && left <= warn / 2 ? SEV_HIGH : SEV_NOTHING,
          TELL(look, ngettext("the server's certificate expires in %ld day",
                              "the server's certificate expires in %ld days", (unsigned long)days), days),
          TELL(look, "notAfter = %s", rule_date(look->out, look->info->not_after)));
}

void rule_cert_expiring(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_expiring);
}

/* What public CAs may still issue is less (CA/B SC-081v3), but whose root is public cannot be told here. */
enum { LIFETIME_DAYS_MAX = 398 };

static void judge_lifetime(const struct look *look)
{
    long days = (long)((look->info->not_after - look->info->not_before) / DAY);

    if (days > LIFETIME_DAYS_MAX)
        found(look, look->leaf, SEV_NOTHING,
              TELL(look, _("the server's certificate is made for %ld days, more than %d"), days,
                   LIFETIME_DAYS_MAX),
              TELL(look, "%s .. %s", rule_date(look->out, look->info->not_before),
                   rule_date(look->out, look->info->not_after)));
}

void rule_cert_lifetime_long(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    each_chain(rule, posture, out, judge_lifetime);
}

/* ---- names and uses ---- */

static void judge_self_signed(const struct look *look)
{
    if (rule_signs_itself(look->leaf))
        found(look, look->leaf, SEV_NOTHING, _("the server's certificate is signed by itself"),
              TELL(look, "issuer = subject = %s", look->info->subject));
}

void rule_cert_self_signed(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    each_chain(rule, posture, out, judge_self_signed);
}

static void judge_san(const struct look *look)
{
    const char *cn = look->info->common_name;

    if (*look->info->dns || *look->info->ip)
        return;
    found(look, look->leaf, SEV_NOTHING,
          name_is_address(cn)
              ? _("the server's certificate has an address as its common name and no subject alternative name")
              : _("the server's certificate has no subject alternative name"),
          TELL(look, "subject = %s", look->info->subject));
}

void rule_cert_no_san(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_san);
}

static void judge_eku(const struct look *look)
{
    if (look->info->uses != CERT_USE_ANY && !(look->info->uses & CERT_USE_SERVER))
        found(look, look->leaf, SEV_NOTHING,
              _("the extended key usage of the server's certificate lacks serverAuth"),
              look->info->uses & CERT_USE_CLIENT ? "extendedKeyUsage = clientAuth" : "extendedKeyUsage");
}

void rule_eku_no_server_auth(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    each_chain(rule, posture, out, judge_eku);
}

/* ---- strength ---- */

static bool is_short(const struct cert_info *info)
{
    if (strncmp(info->key_text, "EC", 2) == 0)
        return info->key_bits < 256;
    return (strncmp(info->key_text, "RSA", 3) == 0 || strncmp(info->key_text, "DSA", 3) == 0)
        && info->key_bits < 2048;
}

static void judge_keys(const struct look *look)
{
    for (size_t i = 0; i < look->chain->certs->len; i++) {
        const struct cert *cert = look->chain->certs->at[i];

        if (is_short(cert_info(cert)))
            found(look, cert, SEV_NOTHING,
                  TELL(look, _("the key of \"%s\" is too short"), cert_info(cert)->subject),
                  cert_info(cert)->key_text);
    }
}

void rule_key_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_keys);
}

/* What a root says of itself nobody verifies. */
static void judge_signatures(const struct look *look)
{
    for (size_t i = 0; i < look->chain->certs->len; i++) {
        const struct cert *cert = look->chain->certs->at[i];
        const char *text = cert_info(cert)->signature_text;

        if (!cert_info(cert)->self_issued
            && (strcasestr(text, "sha1") || strcasestr(text, "md5") || strcasestr(text, "md2")
                || strcasestr(text, "md4")))
            found(look, cert, SEV_NOTHING,
                  TELL(look, _("\"%s\" is signed with a broken hash"), cert_info(cert)->subject), text);
    }
}

void rule_sig_weak(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_signatures);
}

/* ---- the way up ---- */

static struct cert *issuer_in(const struct cert_list *list, const struct cert *cert)
{
    for (size_t i = 0; list && i < list->len; i++)
        if (list->at[i] != cert && cert_issued_by(cert, list->at[i]))
            return list->at[i];
    return NULL;
}

/*
 * Not sent, but at hand: the anchors that were given, what other servers of the scan sent, and those that the
 * server has for its clients.
 */
static struct cert *issuer_at_hand(const struct posture *posture, const struct cert *cert)
{
    const struct tls_file *ca = posture_file(posture, FILE_CA);
    struct cert *issuer = issuer_in(posture->trust, cert);

    if (!issuer)
        issuer = issuer_in(posture->around, cert);
    return issuer || !ca ? issuer : issuer_in(&ca->certs, cert);
}

/* The certificates from the leaf up, as far as they were sent; the last one's issuer is not. */
enum { WAY_MAX = 20 };

static size_t way_up(const struct look *look, const struct cert *way[WAY_MAX])
{
    size_t len = 0;

    for (const struct cert *at = look->leaf; at && len < WAY_MAX;
         at = cert_info(at)->self_issued ? NULL : issuer_in(look->chain->certs, at))
        way[len++] = at;
    return len;
}

static void judge_complete(const struct look *look)
{
    const struct cert *way[WAY_MAX];
    const struct cert *top = way[way_up(look, way) - 1];
    const struct cert *issuer;

    if (cert_info(top)->self_issued)
        return;
    issuer = issuer_at_hand(look->posture, top);
    if (!issuer) {
        rule_unseen(look->rule, look->out,
                    TELL(look, _("whether \"%s\" is a root is not known: give it with --trust"),
                         cert_info(top)->issuer));
        return;
    }
    if (cert_info(issuer)->self_issued)
        return;
    struct finding finding = {
        .place = look->chain->place, .object = cert_info(issuer)->subject,
        .message = TELL(look, _("the intermediate \"%s\" is not sent"), cert_info(issuer)->subject),
        .evidence = TELL(look, ngettext("%zu certificate is in the file", "%zu certificates are in the file",
                                        look->chain->certs->len), look->chain->certs->len),
        .fix_kind = FIX_ADVICE,
        .fix = TELL(look, _("Put the certificate of \"%s\" behind that of the server in \"%s\", and reload."),
                    cert_info(issuer)->subject, look->chain->where) };
    rule_found(look->rule, look->out, finding);
}

void rule_chain_incomplete(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    each_chain(rule, posture, out, judge_complete);
}

/* The leaf, what is sent above it, and one more that is only at hand. */
static size_t whole_way(const struct look *look, const struct cert *way[WAY_MAX + 1])
{
    size_t len = way_up(look, way);
    const struct cert *top = way[len - 1];
    const struct cert *issuer = cert_info(top)->self_issued ? NULL
                                                            : issuer_at_hand(look->posture, top);

    if (issuer)
        way[len++] = issuer;
    return len;
}

static void judge_cas(const struct look *look)
{
    const struct cert *way[WAY_MAX + 1];
    size_t len = whole_way(look, way);

    for (size_t i = 1; i < len; i++)
        if (cert_info(way[i])->not_after < look->posture->now)
            found(look, way[i], SEV_NOTHING,
                  TELL(look, _("the CA \"%s\" has expired"), cert_info(way[i])->subject),
                  TELL(look, "notAfter = %s", rule_date(look->out, cert_info(way[i])->not_after)));
}

void rule_chain_ca_expired(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    each_chain(rule, posture, out, judge_cas);
}

static void judge_outlived(const struct look *look)
{
    const struct cert *way[WAY_MAX + 1];
    size_t len = whole_way(look, way);

    for (size_t i = 1; i < len; i++) {
        const struct cert_info *below = cert_info(way[i - 1]), *above = cert_info(way[i]);

        if (below->not_after > above->not_after)
            found(look, way[i - 1], SEV_NOTHING,
                  TELL(look, _("\"%s\" outlives its issuer \"%s\""), below->subject, above->subject),
                  TELL(look, "%s > %s", rule_date(look->out, below->not_after),
                       rule_date(look->out, above->not_after)));
    }
}

void rule_chain_outlived(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_outlived);
}

static void judge_trusted(const struct look *look)
{
    struct ps_err err;

    if (verify_chain(look->chain->certs, look->posture->trust, NULL, CERT_USE_SERVER, look->posture->now,
                     &err))
        return;
    found(look, look->leaf, SEV_NOTHING, TELL(look, "%s", err.message), TELL(look, "%s", err.detail));
}

void rule_cert_untrusted(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!posture->trust)
        rule_unseen(rule, out, _("no roots to compare with: give --trust"));
    else
        each_chain(rule, posture, out, judge_trusted);
}

/* ---- revocation ---- */

/* The lists that were given, and those that the server has for its clients. */
static size_t lists_of(const struct posture *posture, const struct crl_list *lists[], size_t max)
{
    size_t len = 0;

    if (posture->crls)
        lists[len++] = posture->crls;
    for (size_t i = 0; i < posture->files_len && len < max; i++)
        if (posture->files[i].role == FILE_CRL && posture->files[i].crls.len > 0)
            lists[len++] = &posture->files[i].crls;
    return len;
}

static bool is_from(const struct crl *crl, const struct cert *issuer, const struct cert *cert)
{
    return issuer ? crl_issued_by(crl, issuer)
                  : strcmp(crl_info(crl)->issuer, cert_info(cert)->issuer) == 0;
}

static void judge_revoked(const struct look *look)
{
    const struct crl_list *lists[1000];
    size_t len = lists_of(look->posture, lists, PS_COUNT(lists));
    const struct cert *way[WAY_MAX + 1];
    size_t way_len = whole_way(look, way);
    bool any = false;

    for (size_t i = 0; i < way_len; i++)
        for (size_t k = 0; k < len; k++)
            for (size_t n = 0; n < lists[k]->len; n++) {
                const struct crl *crl = lists[k]->at[n];

                if (!is_from(crl, i + 1 < way_len ? way[i + 1] : NULL, way[i]))
                    continue;
                any = true;
                if (crl_has_serial(crl, cert_info(way[i])->serial_hex))
                    found(look, way[i], SEV_NOTHING,
                          TELL(look, _("\"%s\" is revoked"), cert_info(way[i])->subject),
                          TELL(look, "serial %s, CRL of %s", cert_info(way[i])->serial_hex,
                               crl_info(crl)->issuer));
            }
    if (!any && !rule_signs_itself(look->leaf))
        rule_unseen(look->rule, look->out, _("no revocation list of its CA is at hand: give --crl"));
}

void rule_cert_revoked(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_chain(rule, posture, out, judge_revoked);
}

/* ---- on the wire ---- */

static bool is_in_files(const struct posture *posture, const struct cert *served, bool *seen)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->role != FILE_CERT || file->certs.len == 0)
            continue;
        *seen = true;
        if (cert_same(file->certs.at[0], served))
            return true;
    }
    return false;
}

static void found_differs(const struct rule *rule, const struct posture *posture,
                          const char *message, const char *evidence, struct findings *out)
{
    const struct tls_file *file = posture_file(posture, FILE_CERT);

    rule_found(rule, out, (struct finding){
        .place = file ? rule_file_place(file) : (struct place){ 0 },
        .object = arena_printf(out->arena, "%s:%d", posture->wire->host ? posture->wire->host : "",
                               posture->wire->port),
        .message = message, .evidence = evidence,
        .fix_kind = FIX_SQL, .fix = "SELECT pg_reload_conf();" });
}

void rule_served_cert_differs(const struct rule *rule, const struct posture *posture,
                              struct findings *out)
{
    const struct wire_fact *wire = posture->wire;
    bool seen = false;

    if (!rule_tls_on(rule, posture, out))
        return;
    if (!wire || (wire->tls == FACT_YES && wire->served.len == 0) || wire->tls == FACT_UNKNOWN) {
        rule_unseen(rule, out, posture->wire_why ? posture->wire_why
                                                 : _("the server's port was not looked at"));
        return;
    }
    if (wire->tls == FACT_NO) {
        found_differs(rule, posture, _("the running server refuses TLS, though its files switch it on"),
                      "SSLRequest: N", out);
        return;
    }
    if (is_in_files(posture, wire->served.at[0], &seen))
        return;
    if (!seen) {
        rule_unseen(rule, out, _("the certificate file was not seen"));
        return;
    }
    found_differs(rule, posture, _("the running server shows another certificate than the file holds"),
                  arena_printf(out->arena, _("served: serial %s, until %s"),
                               cert_info(wire->served.at[0])->serial_hex,
                               rule_date(out, cert_info(wire->served.at[0])->not_after)), out);
}
