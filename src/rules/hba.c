/* hba.c - rules about who gets in by which line of pg_hba.conf (see tests.h). */
#include "rules/hba_facts.h"
#include "rules/tests.h"

#define NETWORK (REACH_BIT(REACH_PLAIN) | REACH_BIT(REACH_TLS) | REACH_BIT(REACH_GSS))
#define EVERY_KIND (NETWORK | REACH_BIT(REACH_LOCAL))

/* What a rule looks for in lines, and what it says of each. */
struct look {
    const struct posture *posture;
    const char *const *methods;         /* NULL at the end; NULL: all but reject */
    unsigned kinds;
    enum exposure_of of;
    void (*say)(const struct rule *rule, const struct look *look, const struct hba_rule *line,
                const struct exposure *exposure, struct findings *out);
};

static bool one_of(const char *method, const char *const *methods)
{
    for (; *methods; methods++)
        if (strcmp(method, *methods) == 0)
            return true;
    return false;
}

static bool looks_at(const struct hba_rule *line, void *arg)
{
    const struct look *look = arg;

    return look->methods ? one_of(line->method, look->methods)
                         : strcmp(line->method, "reject") != 0;
}

static void look_at_lines(const struct rule *rule, const struct look *look, struct findings *out)
{
    const struct hba *hba = look->posture->hba;

    if (!hba_seen(rule, look->posture, out))
        return;

    PS_AUTO(reach_freep) struct reach *reach = hba_reach_of(look->posture, hba);
    PS_AUTO(exposures_free) struct exposures exposures;

    exposures_find(reach, hba, look->kinds, look->of, looks_at, (void *)look, &exposures);
    for (size_t i = 0; i < exposures.len; i++)
        if (exposed(&exposures.of[i]))
            look->say(rule, look, hba_rule(hba, i), &exposures.of[i], out);
}

static const char *field_text(const struct posture *posture, const struct hba_rule *line,
                              const struct hba_field *field)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    hba_span(posture->hba, line, field->begin, field->end, &text);
    return arena_strdup(posture->arena, buf_text(&text));
}

/* From where: what is left of the line's addresses, or the word that stands for them. */
static const char *from_text(const struct posture *posture, const struct hba_rule *line,
                             const struct exposure *exposure)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    if (exposure->from.len == 0)
        hba_span(posture->hba, line, line->addr.begin, line->addr.end, &text);
    else
        buf_printf(&text, "%s%s", buf_text(&exposure->from),
                   exposure->from_len > 8 ? ", ..." : "");
    return arena_strdup(posture->arena, buf_text(&text));
}

static const char *who_text(const struct look *look, const struct hba_rule *line,
                            const struct exposure *exposure)
{
    return arena_printf(look->posture->arena, _("role %s, database %s, from %s"),
                        field_text(look->posture, line, &line->users),
                        field_text(look->posture, line, &line->databases),
                        from_text(look->posture, line, exposure));
}

static const char *hostssl_fix(const struct posture *posture, const struct hba_rule *line)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    buf_puts(&text, "hostssl");
    hba_span(posture->hba, line, line->type_end, line->end, &text);
    while (text.len > 0 && strchr("\r\n", text.p[text.len - 1]))
        text.p[--text.len] = '\0';
    return strchr(buf_text(&text), '\n') ? NULL
                                         : arena_strdup(posture->arena, buf_text(&text));
}

static void set_hostssl_fix(const struct posture *posture, const struct hba_rule *line,
                            struct finding *finding)
{
    finding->fix = hostssl_fix(posture, line);
    finding->fix_kind = finding->fix ? FIX_LINE : FIX_NONE;
}

/* ---- transport ---- */

static void say_plaintext(const struct rule *rule, const struct look *look,
                          const struct hba_rule *line, const struct exposure *exposure,
                          struct findings *out)
{
    struct finding finding = hba_finding_type(look->posture, line);

    if (!exposure->beyond)
        return;
    finding.message = look->of == EXPOSED_REPLICATION
                          ? _("replication gets in over the network without TLS")
                          : _("clients get in over the network without TLS");
    finding.evidence = who_text(look, line, exposure);
    set_hostssl_fix(look->posture, line, &finding);
    rule_found(rule, out, finding);
}

void rule_hba_plaintext(const struct rule *rule, const struct posture *posture,
                        struct findings *out)
{
    look_at_lines(rule, &(struct look){ posture, NULL, REACH_BIT(REACH_PLAIN), EXPOSED_DATABASES,
                                        say_plaintext }, out);
}

void rule_hba_replication_plaintext(const struct rule *rule, const struct posture *posture,
                                    struct findings *out)
{
    look_at_lines(rule, &(struct look){ posture, NULL, REACH_BIT(REACH_PLAIN),
                                        EXPOSED_REPLICATION, say_plaintext }, out);
}

/* The line's own words: what earlier lines take of them does not make it narrow. */
static bool names_every_address(const struct hba_rule *line)
{
    static const unsigned char nothing[sizeof(line->addr.mask)];

    return line->addr.kind == HBA_ADDR_ALL
           || (line->addr.kind == HBA_ADDR_NET
               && memcmp(line->addr.mask, nothing, sizeof(nothing)) == 0);
}

static void say_wide(const struct rule *rule, const struct look *look,
                     const struct hba_rule *line, const struct exposure *exposure,
                     struct findings *out)
{
    bool all_roles = false, all_databases = false;
    struct finding finding = hba_finding_at(look->posture, line, line->databases.begin,
                                            line->addr.end);

    for (size_t i = 0; i < line->users.len; i++)
        all_roles |= !line->users.at[i].quoted && strcmp(line->users.at[i].text, "all") == 0;
    for (size_t i = 0; i < line->databases.len; i++)
        all_databases |= !line->databases.at[i].quoted
                         && strcmp(line->databases.at[i].text, "all") == 0;
    if (!all_roles || !all_databases || !exposure->beyond || !names_every_address(line)
        || hba_clientcert(look->posture->hba, line) == HBA_CERT_FULL)
        return;
    finding.message = _("every role may come from every address to every database");
    finding.evidence = who_text(look, line, exposure);
    rule_found(rule, out, finding);
}

void rule_hba_wide_open(const struct rule *rule, const struct posture *posture,
                        struct findings *out)
{
    look_at_lines(rule, &(struct look){ posture, NULL, NETWORK, EXPOSED_DATABASES, say_wide }, out);
}

/* ---- methods ---- */

/* Severity by the farthest place from where the line can be used. */
static enum severity by_distance(const struct exposure *exposure, enum severity beyond,
                                 enum severity loopback, enum severity local)
{
    return exposure->beyond ? beyond : exposure->loopback ? loopback : local;
}

static void say_trust(const struct rule *rule, const struct look *look,
                      const struct hba_rule *line, const struct exposure *exposure,
                      struct findings *out)
{
    struct finding finding = hba_finding_method(look->posture, line);
    enum hba_clientcert cert = hba_clientcert(look->posture->hba, line);

    if (cert == HBA_CERT_FULL)
        return;                 /* the certificate is the proof */
    finding.severity = by_distance(exposure, SEV_CRITICAL, SEV_MEDIUM, SEV_LOW);
    finding.message = _("whoever comes by this line is believed to be any role it names");
    if (cert == HBA_CERT_CA) {
        finding.severity = SEV_HIGH;
        finding.message = _("any client certificate of the CA is any role that the line names");
    }
    if (line->type != HBA_LOCAL)
        finding.evidence = who_text(look, line, exposure);
    rule_found(rule, out, finding);
}

void rule_hba_trust(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    static const char *const methods[] = { "trust", NULL };

    look_at_lines(rule, &(struct look){ posture, methods, EVERY_KIND, EXPOSED_ANY, say_trust }, out);
}

static void say_password(const struct rule *rule, const struct look *look,
                         const struct hba_rule *line, const struct exposure *exposure,
                         struct findings *out)
{
    struct finding finding = hba_finding_method(look->posture, line);

    finding.severity = by_distance(exposure, SEV_CRITICAL, SEV_LOW, SEV_LOW);
    finding.message = exposure->beyond
                          ? _("the password itself crosses the network without TLS")
                          : _("the password itself is sent, if only within this machine");
    finding.evidence = who_text(look, line, exposure);
    set_hostssl_fix(look->posture, line, &finding);
    rule_found(rule, out, finding);
}

void rule_hba_password_plaintext(const struct rule *rule, const struct posture *posture,
                                 struct findings *out)
{
    static const char *const methods[] = { "password", "ldap", "pam", "radius", "bsd", NULL };

    look_at_lines(rule, &(struct look){ posture, methods, REACH_BIT(REACH_PLAIN), EXPOSED_ANY,
                                        say_password }, out);
}

/* With md5 in the line a role whose secret is SCRAM proves itself with SCRAM. */
static bool md5_secrets_possible(const struct posture *posture)
{
    bool known = posture->roles != NULL;

    for (size_t i = 0; i < posture->roles_len; i++) {
        known &= posture->roles[i].secret != NULL;
        if (posture->roles[i].secret && strcmp(posture->roles[i].secret, "md5") == 0)
            return true;
    }
    return !known;
}

static void say_md5(const struct rule *rule, const struct look *look, const struct hba_rule *line,
                    const struct exposure *exposure, struct findings *out)
{
    struct finding finding = hba_finding_method(look->posture, line);

    if (hba_clientcert(look->posture->hba, line) == HBA_CERT_FULL)
        finding.severity = SEV_LOW;
    else if (!exposure->beyond || !md5_secrets_possible(look->posture))
        finding.severity = SEV_LOW;
    finding.message = _("the line lets roles prove themselves with MD5");
    if (line->type != HBA_LOCAL)
        finding.evidence = who_text(look, line, exposure);
    rule_found(rule, out, finding);
}

void rule_hba_md5(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    static const char *const methods[] = { "md5", NULL };

    look_at_lines(rule, &(struct look){ posture, methods, EVERY_KIND, EXPOSED_ANY, say_md5 }, out);
}

static void say_ident(const struct rule *rule, const struct look *look,
                      const struct hba_rule *line, const struct exposure *exposure,
                      struct findings *out)
{
    struct finding finding = hba_finding_method(look->posture, line);

    finding.severity = by_distance(exposure, SEV_HIGH, SEV_MEDIUM, SEV_LOW);
    finding.message = _("the client's own machine is asked who the client is");
    finding.evidence = who_text(look, line, exposure);
    rule_found(rule, out, finding);
}

void rule_hba_ident(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    static const char *const methods[] = { "ident", NULL };

    look_at_lines(rule, &(struct look){ posture, methods, NETWORK, EXPOSED_ANY, say_ident }, out);
}

/* ---- names that only the DNS knows ---- */

static void say_dns(const struct rule *rule, const struct look *look, const struct hba_rule *line,
                    const struct exposure *exposure, struct findings *out)
{
    struct finding finding = hba_finding_at(look->posture, line, line->addr.begin,
                                            line->addr.end);

    (void)exposure;
    if (line->addr.kind != HBA_ADDR_NAME)
        return;
    finding.severity = strcmp(line->method, "trust") == 0 ? SEV_HIGH : SEV_NOTHING;
    finding.message = _("the DNS decides who may come by this line");
    rule_found(rule, out, finding);
}

void rule_hba_host_by_dns(const struct rule *rule, const struct posture *posture,
                          struct findings *out)
{
    look_at_lines(rule, &(struct look){ posture, NULL, NETWORK, EXPOSED_ANY, say_dns }, out);
}
