/* policy.c - see policy.h. */
#include "secure/policy.h"

#include "base/mem.h"
#include "pg/settings.h"
#include "secure/hide.h"

static const char *const names[] = {
    [POLICY_NONE] = "none",           [POLICY_ENCRYPT] = "encrypt",
    [POLICY_VERIFY_CA] = "verify-ca", [POLICY_VERIFY_FULL] = "verify-full",
    [POLICY_CERT] = "cert",
};

void policy_set_free(struct policy_set *set)
{
    for (size_t i = 0; i < set->len; i++)
        free(set->roles[i].role);
    free(set->roles);
    *set = (struct policy_set){ 0 };
}

static bool parse_word(const char *word, enum policy *out, struct ps_err *err)
{
    for (enum policy p = POLICY_ENCRYPT; p <= POLICY_CERT; p++)
        if (strcmp(word, names[p]) == 0) {
            *out = p;
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("unknown policy \"%s\""), word);
    return ps_hint(err, _("Policies are encrypt, verify-ca, verify-full and cert; for one role "
                          "write --policy ROLE=POLICY."));
}

bool policy_add(struct policy_set *set, const char *text, struct ps_err *err)
{
    const char *equals = strrchr(text, '=');
    enum policy policy = POLICY_NONE;

    if (!parse_word(equals ? equals + 1 : text, &policy, err))
        return false;
    if (!equals) {
        if (set->all != POLICY_NONE)
            return ps_fail(err, PS_E_USAGE, _("more than one policy for all roles"));
        set->all = policy;
        return true;
    }

    PS_AUTO(ps_freep) char *role = ps_strndup(text, (size_t)(equals - text));
    if (!*role)
        return ps_fail(err, PS_E_USAGE, _("policy \"%s\" names no role"), text);
    for (size_t i = 0; i < set->len; i++)
        if (strcmp(set->roles[i].role, role) == 0)
            return ps_fail(err, PS_E_USAGE, _("more than one policy for role \"%s\""), role);
    PS_PUSH(set->roles, set->len, set->cap) =
        (struct policy_role){ .role = PS_TAKE(role), .policy = policy };
    return true;
}

/* ---- what a rule is ---- */

static bool is_reject(const struct hba_rule *rule)
{
    return strcmp(rule->method, "reject") == 0;
}

/* A rule that a connection under TLS may match. */
static bool covers_tls(const struct hba_rule *rule)
{
    return rule->type == HBA_HOST || rule->type == HBA_HOSTSSL || rule->type == HBA_HOSTNOGSSENC;
}

/* One token for this role; where its name must be written as an expression, as we write it. */
static bool is_only_role(const struct hba *hba, const struct hba_rule *rule, const char *role)
{
    const struct hba_token *token = rule->users.at;

    if (rule->users.len != 1)
        return false;
    if (!token->regex)
        return strcmp(token->text, role) == 0
            && (token->quoted || (token->text[0] != '+' && strcmp(token->text, "all") != 0));

    PS_AUTO(buf_free) struct buf written = BUF(64 * 1024), ours = BUF(64 * 1024);
    hba_span(hba, rule, rule->users.begin, rule->users.end, &written);
    return hba_quote_name(role, hba_major(hba), &ours)
        && strcmp(buf_text(&written), buf_text(&ours)) == 0;
}

static bool same_fields(const struct hba_field *a, const struct hba_field *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (a->at[i].quoted != b->at[i].quoted || strcmp(a->at[i].text, b->at[i].text) != 0)
            return false;
    return true;
}

static bool same_address(const struct hba_addr *a, const struct hba_addr *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == HBA_ADDR_NAME)
        return strcmp(a->name, b->name) == 0;
    return a->kind != HBA_ADDR_NET
        || (a->family == b->family && memcmp(a->net, b->net, sizeof(a->net)) == 0
            && memcmp(a->mask, b->mask, sizeof(a->mask)) == 0);
}

/* ---- what a policy demands ---- */

static bool has_cert_demand(const struct hba *hba, const struct hba_rule *rule, enum policy policy)
{
    bool cert = strcmp(rule->method, "cert") == 0;

    switch (policy) {
    case POLICY_CERT:        return cert;
    case POLICY_VERIFY_FULL: return cert || hba_clientcert(hba, rule) == HBA_CERT_FULL;
    case POLICY_VERIFY_CA:   return cert || hba_clientcert(hba, rule) != HBA_CERT_NONE;
    default:                 return true;
    }
}

static bool clientcert_word(const struct hba *hba, enum policy policy, const char **out,
                            struct ps_err *err)
{
    *out = pg_clientcert_word(hba_major(hba), policy == POLICY_VERIFY_FULL);
    if (*out)
        return true;
    ps_fail(err, PS_E_UNSUPPORTED, _("PostgreSQL %u has no clientcert=verify-full"), hba_major(hba));
    ps_detail(err, _("It came with PostgreSQL 12; older servers take the word and silently ask for no "
                     "certificate at all."));
    return ps_hint(err, _("Use --policy cert, which compares the name with the role."));
}

/* Give a rule that covers TLS what the policy demands of client certificates. */
static bool demand_cert(struct hba *hba, const struct hba_rule *rule, enum policy policy,
                        struct ps_err *err)
{
    const char *word;

    if (has_cert_demand(hba, rule, policy))
        return true;
    if (policy == POLICY_CERT) {
        hba_set_method(hba, rule, "cert");
        return true;
    }
    if (!clientcert_word(hba, policy, &word, err))
        return false;
    hba_set_option(hba, rule, "clientcert", word);
    return true;
}

/* ---- one role above the rule that would shadow it ---- */

/*
 * Has an earlier rule of the role alone taken what this one would, under TLS or without it?  Such a
 * rule obeys the policy, or is made to in this very run.
 */
static bool taken_before(const struct hba *hba, size_t i, const struct policy_role *role, bool tls)
{
    const struct hba_rule *rule = hba_rule(hba, i);

    for (size_t e = 0; e < i; e++) {
        const struct hba_rule *earlier = hba_rule(hba, e);
        bool takes = tls ? covers_tls(earlier) : earlier->type == HBA_HOSTNOSSL;

        if (takes && is_only_role(hba, earlier, role->role)
            && same_fields(&earlier->databases, &rule->databases)
            && same_address(&earlier->addr, &rule->addr))
            return true;
    }
    return false;
}

static void put_method(const struct hba *hba, const struct hba_rule *rule, enum policy policy,
                       const char *word, struct buf *line)
{
    if (policy == POLICY_CERT && strcmp(rule->method, "cert") != 0) {
        buf_puts(line, "cert");
        return;
    }
    hba_span(hba, rule, rule->method_begin, rule->method_end, line);
    for (size_t i = 0; i < rule->options_len; i++) {
        bool in_same_file = i && rule->options[i].begin == rule->options[i - 1].begin;

        if (in_same_file || (word && strcmp(rule->options[i].name, "clientcert") == 0))
            continue;
        buf_putc(line, ' ');
        hba_span(hba, rule, rule->options[i].begin, rule->options[i].end, line);
    }
    if (word)
        buf_printf(line, " clientcert=%s", word);
}

/* At least a blank; more, to begin in the column in which the rule below has the same field. */
static void put_blanks(const struct hba_rule *rule, size_t field_begin, struct buf *line)
{
    do
        buf_putc(line, ' ');
    while (!line->over && line->len < field_begin - rule->type_begin);
}

/* All of a line like the rule's, up to its method; `role` NULL: for the same users. */
static bool put_head(const struct hba *hba, const struct hba_rule *rule, enum hba_type type,
                     const char *role, struct buf *line, struct ps_err *err)
{
    buf_puts(line, hba_type_name(type));
    put_blanks(rule, rule->databases.begin, line);
    hba_span(hba, rule, rule->databases.begin, rule->databases.end, line);
    put_blanks(rule, rule->users.begin, line);
    if (!role)
        hba_span(hba, rule, rule->users.begin, rule->users.end, line);
    else if (!hba_quote_name(role, hba_major(hba), line))
        return ps_fail(err, PS_E_UNSUPPORTED, _("role \"%s\" cannot be written in pg_hba.conf"), role);
    put_blanks(rule, rule->addr.begin, line);
    hba_span(hba, rule, rule->addr.begin, rule->addr.end, line);
    put_blanks(rule, rule->method_begin, line);
    return true;
}

static bool insert_line(struct hba *hba, const struct hba_rule *rule, const struct buf *line,
                        struct ps_err *err)
{
    if (line->over)
        return ps_fail(err, PS_E_TOO_BIG, _("access rule in \"%s\" line %u is too long"),
                       rule->file, rule->line);
    hba_insert_before(hba, rule, line->p);
    return true;
}

static bool insert_reject(struct hba *hba, const struct hba_rule *rule, enum hba_type type,
                          const char *role, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf line = BUF(64 * 1024);

    if (!put_head(hba, rule, type, role, &line, err))
        return false;
    buf_puts(&line, "reject");
    return insert_line(hba, rule, &line, err);
}

/* The way in under TLS as the role's policy wants it. */
static bool insert_for_role(struct hba *hba, const struct hba_rule *rule,
                            const struct policy_role *role, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf line = BUF(64 * 1024);
    const char *word = NULL;

    if (!put_head(hba, rule, HBA_HOSTSSL, role->role, &line, err))
        return false;
    if (!has_cert_demand(hba, rule, role->policy) && role->policy != POLICY_CERT
        && !clientcert_word(hba, role->policy, &word, err))
        return false;
    put_method(hba, rule, role->policy, word, &line);
    return insert_line(hba, rule, &line, err);
}

/* ---- a rule obeys ---- */

/*
 * A "host" rule also takes connections under GSS.  Once it is "hostssl" they would go on to the
 * rules behind it, where a "hostgssenc" rule might ask for less.
 */
static bool stop_gss(struct hba *hba, size_t i, struct ps_err *err)
{
    if (hba_rule(hba, i)->type != HBA_HOST)
        return true;
    for (size_t later = i + 1; later < hba_rules(hba); later++)
        if (hba_rule(hba, later)->type == HBA_HOSTGSSENC && !is_reject(hba_rule(hba, later)))
            return insert_reject(hba, hba_rule(hba, i), HBA_HOSTGSSENC, NULL, err);
    return true;
}

/*
 * Make one rule obey: under TLS what the policy demands, without TLS nothing.  A rule that was for
 * plaintext alone must not become one for TLS, where it might stand above a stricter one: it
 * rejects.
 */
static bool obey(struct hba *hba, size_t i, enum policy policy, struct ps_err *err)
{
    const struct hba_rule *rule = hba_rule(hba, i);

    if (rule->type == HBA_HOSTNOSSL) {
        hba_set_method(hba, rule, "reject");
        return true;
    }
    if (rule->type == HBA_HOSTGSSENC) {
        /* encrypted, but a certificate cannot be asked for there */
        if (policy > POLICY_ENCRYPT)
            hba_set_method(hba, rule, "reject");
        return true;
    }
    if (rule->type != HBA_HOSTSSL)
        hba_set_type(hba, rule, HBA_HOSTSSL);
    return stop_gss(hba, i, err) && demand_cert(hba, rule, policy, err);
}

/* ---- all of them ---- */

/* Will this rule, after the policy for all, still let the role in without TLS? */
static bool leaves_gap(const struct hba_rule *rule, const struct policy_role *role, enum policy all)
{
    if (rule->type == HBA_HOSTGSSENC)
        return role->policy > POLICY_ENCRYPT && all <= POLICY_ENCRYPT;
    return all == POLICY_NONE && rule->type != HBA_HOSTSSL;
}

static bool fail_maybe(const struct hba_rule *rule, const struct policy_role *role,
                       struct ps_err *err)
{
    ps_fail(err, PS_E_UNSAFE, _("cannot tell whether an access rule means role \"%s\""), role->role);
    ps_detail(err, _("Its user field names a group or a regular expression."));
    ps_hint(err, _("Start the server, so that memberships can be read; or write the role's own rule "
                   "above that line by hand."));
    return ps_at(err, rule->file, rule->line, 0);
}

static bool apply_role(const struct policy_set *set, const struct policy_role *role,
                       struct hba *hba, size_t i, bool *own, struct ps_err *err)
{
    const struct hba_rule *rule = hba_rule(hba, i);
    const struct hba_question question = { .user = role->role, .roles = role->member_of };
    enum hba_match match = hba_user_matches(rule, &question);

    if (match == HBA_NO)
        return true;
    if (match == HBA_MAYBE)
        return fail_maybe(rule, role, err);
    if (is_only_role(hba, rule, role->role)) {
        *own = true;
        return obey(hba, i, role->policy, err);
    }

    /* not strict enough as it stands, or about to be stricter than the role's own policy */
    bool differs = !has_cert_demand(hba, rule, role->policy) || set->all > role->policy;
    if (covers_tls(rule) && differs && !taken_before(hba, i, role, true)
        && !insert_for_role(hba, rule, role, err))
        return false;
    return !leaves_gap(rule, role, set->all) || taken_before(hba, i, role, false)
        || insert_reject(hba, rule, HBA_HOSTNOSSL, role->role, err);
}

/* A file that is included twice gives each rule twice, but its lines are edited once. */
static bool is_again(const struct hba *hba, size_t i)
{
    for (size_t e = 0; e < i; e++)
        if (hba_rule(hba, e)->file_index == hba_rule(hba, i)->file_index
            && hba_rule(hba, e)->begin == hba_rule(hba, i)->begin)
            return true;
    return false;
}

bool policy_apply(const struct policy_set *set, struct hba *hba, struct ps_err *err)
{
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *rule = hba_rule(hba, i);
        bool own = false;       /* the rule is one role's alone, and his policy holds */

        if (rule->type == HBA_LOCAL || is_reject(rule) || is_again(hba, i))
            continue;
        for (size_t r = 0; r < set->len; r++)
            if (!apply_role(set, &set->roles[r], hba, i, &own, err))
                return false;
        if (!own && set->all != POLICY_NONE && !obey(hba, i, set->all, err))
            return false;
    }
    return true;
}

/* ---- what is left open ---- */

size_t policy_describe_plaintext(const struct hba *hba, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "plaintext_rules",
                                       _("Rules that still admit plaintext"),
                                       _("no rule admits plaintext over the network"));
    size_t found = 0;

    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *rule = hba_rule(hba, i);
        PS_AUTO(buf_free) struct buf text = BUF(64 * 1024), shown = BUF(64 * 1024);

        if (rule->type == HBA_LOCAL || !hba_admits_plaintext(rule))
            continue;
        hba_rule_text(hba, rule, &text);
        hide_passwords(buf_text(&text), &shown);
        struct doc_node *row = doc_row(table);
        doc_fmt(row, "place", _("Place"), "%s:%u", rule->file, rule->line);
        doc_mark(doc_str(row, "rule", _("Rule"), buf_text(&shown)), DOC_BAD);
        found++;
    }
    return found;
}
