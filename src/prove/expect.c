/* expect.c - see expect.h. */
#include "prove/expect.h"

#include <strings.h>

#include "inspect/inspect.h"
#include "pg/settings.h"
#include "prove/material.h"
#include "tls/ctx.h"

static bool setting_on(const struct server *server, const char *name)
{
    const char *value = server_setting(server, name);
    bool on = false;

    return value && conf_bool(value, &on) && on;
}

static bool setting_given(const struct server *server, const char *name)
{
    const char *value = server_setting(server, name);

    return value && *value;
}

/* ---- a rule that comes too late ---- */

static bool asks_for_certificate(const struct hba *hba, const struct hba_rule *rule)
{
    return hba_clientcert(hba, rule) != HBA_CERT_NONE;
}

static bool is_all(const struct hba_field *field)
{
    for (size_t i = 0; i < field->len; i++)
        if (!field->at[i].quoted && strcmp(field->at[i].text, "all") == 0)
            return true;
    return false;
}

static unsigned mask_bits(const struct hba_addr *addr)
{
    unsigned bits = 0;

    if (addr->kind != HBA_ADDR_NET)
        return addr->kind == HBA_ADDR_ALL ? 0 : 128;
    for (size_t i = 0; i < sizeof(addr->mask); i++)
        for (unsigned char byte = addr->mask[i]; byte; byte = (unsigned char)(byte << 1))
            bits++;
    return bits;
}

/* An exception for one database, role or network above the general rule is meant as one. */
static bool is_exception(const struct hba_rule *above, const struct hba_rule *below)
{
    return (!is_all(&above->databases) && is_all(&below->databases))
           || (!is_all(&above->users) && is_all(&below->users))
           || mask_bits(&above->addr) > mask_bits(&below->addr);
}

static const struct hba_rule *find_shadowed(const struct hba *hba, const struct hba_rule *first,
                                            const struct hba_question *question)
{
    bool passed = false;

    if (!first || asks_for_certificate(hba, first) || strcmp(first->method, "reject") == 0)
        return NULL;
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *rule = hba_rule(hba, i);

        if (passed && asks_for_certificate(hba, rule)
            && hba_rule_matches(rule, question) == HBA_YES && !is_exception(first, rule))
            return rule;
        passed = passed || rule == first;
    }
    return NULL;
}

void expect_prepare(const struct expect_spec *spec, struct expect *out)
{
    const struct server *server = spec->server;
    struct hba_question question = { .database = spec->database, .user = spec->role,
                                     .roles = spec->known.roles, .addr = spec->addr };
    struct ps_err ignored;

    *out = (struct expect){ .spec = *spec };
    out->tls = setting_on(server, "ssl");
    out->asks_certificate = setting_given(server, "ssl_ca_file");
    if (!ident_load(&inspect_files, server->ident_file, server->major, &out->ident, &ignored))
        out->ident = NULL;
    out->plain_rule = hba_ask(server->hba, &question, &out->plain_sure);
    question.tls = true;
    out->tls_rule = hba_ask(server->hba, &question, &out->tls_sure);
    out->shadowed = find_shadowed(server->hba, out->tls_rule, &question);
}

void expect_free(struct expect *expect)
{
    ident_freep(&expect->ident);
}

/* ---- one connection ---- */

/* What a method does when TLS and certificate are as it wants; the rest is decided below. */
static const struct {
    const char *method;
    bool password;                  /* asks for one; otherwise it lets in or refuses */
} methods[] = {
    { "scram-sha-256", true }, { "md5", true }, { "password", true }, { "ldap", true },
    { "radius", true }, { "pam", true }, { "bsd", true }, { "trust", false }, { "cert", false },
};

static bool card_is_bad(enum way_cert cert)
{
    return cert == CARD_REVOKED || cert == CARD_EXPIRED || cert == CARD_FOREIGN
           || cert == CARD_SERVER;
}

/*
 * Past authentication: does the role get its session?  A role or database that does not exist is refused
 * whatever the rules are worth: that refusal would prove nothing.
 */
static enum way_end session(const struct expect *expect, bool tls)
{
    const struct expect_role *known = &expect->spec.known;

    if (known->can_login == FACT_NO || known->database_open == FACT_NO)
        return WAY_UNKNOWN;
    return tls ? WAY_IN_TLS : WAY_IN_PLAIN;
}

/* Is the name in the certificate, through the rule's map, the role? */
static enum hba_match name_allows(const struct expect *expect, const struct hba_rule *rule,
                                  enum way_cert cert)
{
    const char *role = expect->spec.role, *map = hba_option(rule, "map");
    const char *name = cert == CARD_OTHER ? MATERIAL_OTHER_ROLE : role;
    const char *which = hba_option(rule, "clientname");

    if (which && strcasecmp(which, "DN") == 0)
        return HBA_MAYBE;
    if (!map)
        return strcmp(name, role) == 0 ? HBA_YES : HBA_NO;
    return expect->ident ? ident_allows(expect->ident, map, name, role) : HBA_MAYBE;
}

static enum way_end by_method(const struct expect *expect, const struct hba_rule *rule, bool tls,
                              enum way_cert cert)
{
    bool full = hba_clientcert(expect->spec.server->hba, rule) == HBA_CERT_FULL;

    for (size_t i = 0; i < PS_COUNT(methods); i++) {
        if (strcmp(rule->method, methods[i].method) != 0)
            continue;
        if (methods[i].password)
            return tls ? WAY_PASSWORD_TLS : WAY_PASSWORD_PLAIN;
        if (!full)
            return session(expect, tls);
        enum hba_match allowed = name_allows(expect, rule, cert);
        return allowed == HBA_MAYBE ? WAY_UNKNOWN
               : allowed == HBA_NO ? WAY_REFUSED : session(expect, tls);
    }
    return WAY_UNKNOWN;             /* gss, sspi, ident, oauth: others decide */
}

static enum way_end by_rule(const struct expect *expect, const struct hba_rule *rule, bool sure,
                            bool tls, enum way_cert cert)
{
    if (!sure)
        return WAY_UNKNOWN;
    if (!rule || strcmp(rule->method, "reject") == 0)
        return WAY_REFUSED;
    if (asks_for_certificate(expect->spec.server->hba, rule) && cert == CARD_NONE)
        return WAY_REFUSED;
    return by_method(expect, rule, tls, cert);
}

/* As if the server spoke TLS and knew a client CA: where it does not, the difference is the finding. */
static enum way_end on_tls(const struct expect *expect, enum way_cert cert)
{
    if (card_is_bad(cert) && expect->asks_certificate)
        return WAY_REFUSED;
    /* the rule that was meant is the one that asks for more */
    const struct hba_rule *rule = expect->shadowed ? expect->shadowed : expect->tls_rule;
    return by_rule(expect, rule, expect->tls_sure, true, cert);
}

/* What pg_hba.conf says of plaintext, right or wrong. */
static enum way_end plain_by_files(const struct expect *expect)
{
    return by_rule(expect, expect->plain_rule, expect->plain_sure, false, CARD_NONE);
}

enum way_end expect_plain(const struct expect *expect)
{
    return expect->spec.plaintext_allowed ? plain_by_files(expect) : WAY_REFUSED;
}

enum way_end expect_way(const struct expect *expect, const char *sslmode, enum way_cert cert)
{
    enum way_end plain = expect_plain(expect), tls = on_tls(expect, cert);

    if (strcmp(sslmode, "disable") == 0)
        return plain;
    if (strcmp(sslmode, "allow") == 0)
        return plain == WAY_REFUSED ? tls : plain;
    if (strcmp(sslmode, "prefer") == 0)
        return tls == WAY_REFUSED ? plain : tls;
    return tls;
}

/* ---- protocols ---- */

static int version_setting(const struct expect *expect, const char *name)
{
    static const int versions[] = { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };
    const struct server *server = expect->spec.server;
    const char *value = server_setting(server, name);

    if (!value || !*value)
        value = pg_setting_default(name, server->major);
    for (size_t i = 0; value && i < PS_COUNT(versions); i++)
        if (strcasecmp(value, tls_version_name(versions[i])) == 0)
            return versions[i];
    return TLS_ANY;
}

enum way_end expect_version(const struct expect *expect, int version)
{
    int min = version_setting(expect, "ssl_min_protocol_version");
    int max = version_setting(expect, "ssl_max_protocol_version");

    if (version < TLS_1_2 || version < min || (max && version > max))
        return WAY_REFUSED;
    return WAY_ACCEPTED;
}

enum way_end expect_direct(const struct expect *expect, bool alpn)
{
    return alpn && expect->spec.server->major >= 17 ? WAY_ACCEPTED : WAY_REFUSED;
}

/* ---- in words ---- */

static void put_rule(const struct expect *expect, const struct hba_rule *rule, struct buf *out)
{
    buf_printf(out, "%s:%u: ", rule->file, rule->line);
    hba_rule_text(expect->spec.server->hba, rule, out);
}

static void put_shadow(const struct expect *expect, struct buf *out)
{
    buf_puts(out, _("The rule that asks for a certificate is never reached: "));
    put_rule(expect, expect->shadowed, out);
    buf_puts(out, _("; above it stands "));
    put_rule(expect, expect->tls_rule, out);
}

/* A refusal that was not expected, or not in this way. */
static void explain_refusal(const struct expect *expect, enum way_cert cert, struct buf *out)
{
    const struct server *server = expect->spec.server;

    if (!expect->tls)
        buf_puts(out, _("The server speaks no TLS: ssl is off."));
    else if (!expect->asks_certificate && expect->tls_rule
             && asks_for_certificate(server->hba, expect->tls_rule))
        buf_puts(out, _("pg_hba.conf asks for certificates, but ssl_ca_file is empty."));
    else if (cert == CARD_REVOKED && !setting_given(server, "ssl_crl_file")
             && !setting_given(server, "ssl_crl_dir"))
        buf_puts(out, _("No revocation list is set: ssl_crl_file and ssl_crl_dir are empty."));
}

void expect_explain(const struct expect *expect, enum way_end end, enum way_cert cert,
                    struct buf *out)
{
    if (end == WAY_REFUSED) {
        explain_refusal(expect, cert, out);
    } else if (way_end_is_plain(end) && expect->plain_rule) {
        buf_puts(out, _("Plaintext is admitted by "));
        put_rule(expect, expect->plain_rule, out);
    } else if (expect->shadowed && expect->tls_rule) {
        put_shadow(expect, out);
    } else if (card_is_bad(cert)) {
        buf_puts(out, _("The server took a certificate that it must refuse."));
    } else if (cert == CARD_NONE && end == WAY_IN_TLS && expect->tls_rule) {
        buf_puts(out, _("Neither a password nor a certificate is asked for by "));
        put_rule(expect, expect->tls_rule, out);
    }
}
