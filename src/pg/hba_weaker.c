/* hba_weaker.c - rules that take from stricter ones, and IPv6 left open; see hba_reach.h. */
#include <sys/socket.h>

#include "pg/hba_reach_state.h"

/* ---- what a rule asks for ---- */

enum hba_proof hba_proof(const struct hba *hba, const struct hba_rule *rule)
{
    static const struct { const char *method; enum hba_proof proof; } methods[] = {
        { "trust", HBA_PROOF_NONE }, { "reject", HBA_PROOF_REJECT }, { "ident", HBA_PROOF_SAID },
        { "password", HBA_PROOF_CLEAR }, { "ldap", HBA_PROOF_CLEAR }, { "pam", HBA_PROOF_CLEAR },
        { "bsd", HBA_PROOF_CLEAR }, { "radius", HBA_PROOF_CLEAR }, { "md5", HBA_PROOF_MD5 },
        { "scram-sha-256", HBA_PROOF_STRONG }, { "gss", HBA_PROOF_STRONG },
        { "sspi", HBA_PROOF_STRONG }, { "peer", HBA_PROOF_STRONG }, { "oauth", HBA_PROOF_STRONG },
        { "cert", HBA_PROOF_CERT },
    };
    enum hba_proof proof = HBA_PROOF_NONE;

    for (size_t i = 0; i < PS_COUNT(methods); i++)
        if (strcmp(rule->method, methods[i].method) == 0)
            proof = methods[i].proof;
    if (proof == HBA_PROOF_REJECT || hba_clientcert(hba, rule) == HBA_CERT_NONE)
        return proof;
    return proof > HBA_PROOF_NONE && proof < HBA_PROOF_CERT ? HBA_PROOF_BOTH : HBA_PROOF_CERT;
}

/* ---- weaker first ---- */

#define PROOFS (HBA_PROOF_REJECT + 1)

struct proofs {
    struct proof_list { size_t *at, len, cap; } rules[PROOFS];      /* above the one at hand, by proof */
    uint64_t work;
};

static void proofs_free(struct proofs *proofs)
{
    for (unsigned i = 0; i < PROOFS; i++)
        free(proofs->rules[i].at);
}

/* The part that the weaker one takes of the stricter, by the words and nets of both, is more than loopback. */
static bool beyond_loopback(const struct set_rule *a, const struct set_rule *b)
{
    for (size_t i = 0; i < a->needs_len; i++)
        for (size_t j = 0; j < b->needs_len; j++)
            if (nets_meet(&a->needs[i], &b->needs[j]) && !nets_is_loopback(&a->needs[i])
                && !nets_is_loopback(&b->needs[j]))
                return true;
    return false;
}

/* Does the weaker one name roles or databases of which the stricter has more? */
static bool narrower(struct sets *sets, const struct set_rule *weak, const struct set_rule *strict)
{
    struct point point;
    uint64_t work = 0;

    for (size_t d = 0; d < strict->databases.len; d++)
        for (size_t r = 0; r < strict->roles.len; r++) {
            sets_point(sets, strict->databases.at[d], strict->roles.at[r], &point, &work);
            if (sets_rule_has(weak, &point))
                return false;
        }
    return true;
}

static bool is_dead(const struct reach *reach, size_t rule)
{
    return reach->rules[rule].state == REACH_NEVER || reach->rules[rule].state == REACH_COVERED;
}

static bool takes_from(const struct reach *reach, size_t weak, size_t strict)
{
    const struct set_rule *one = &reach->sets->rules[weak], *other = &reach->sets->rules[strict];
    unsigned kinds = one->kinds & other->kinds;

    return !is_dead(reach, weak) && kinds
           && sets_words_meet(reach->sets, weak, strict) == HBA_YES
           && (kinds == REACH_BIT(REACH_LOCAL) || reach->rules[strict].state == REACH_COVERED
               || beyond_loopback(one, other))
           && sets_meet(reach->sets, weak, strict, kinds) == HBA_YES;
}

static void tell_weaker(const struct reach *reach, size_t weak, size_t strict,
                        void (*found)(const struct reach_weaker *weaker, void *arg), void *arg)
{
    const struct hba *hba = reach->sets->hba;
    struct reach_weaker weaker = {
        .strict = strict, .weak = weak, .wholly = reach->rules[strict].state == REACH_COVERED,
        .named = narrower(reach->sets, &reach->sets->rules[weak], &reach->sets->rules[strict]),
        .cert = hba_clientcert(hba, hba_rule(hba, strict)) != HBA_CERT_NONE
                && hba_clientcert(hba, hba_rule(hba, weak)) == HBA_CERT_NONE,
    };

    found(&weaker, arg);
}

/* The first one above; SIZE_MAX: none. */
static size_t first_weaker(const struct reach *reach, struct proofs *proofs, size_t strict,
                           enum hba_proof proof)
{
    size_t first = SIZE_MAX;

    for (unsigned level = 0; level < (unsigned)proof; level++) {
        const struct proof_list *list = &proofs->rules[level];

        for (size_t i = 0; i < list->len && list->at[i] < first; i++) {
            if ((proofs->work += 4) >= REACH_WORK_MAX)
                return first;
            if (takes_from(reach, list->at[i], strict)) {
                first = list->at[i];
                break;
            }
        }
    }
    return first;
}

bool reach_weaker(const struct reach *reach,
                  void (*found)(const struct reach_weaker *weaker, void *arg), void *arg)
{
    const struct sets *sets = reach->sets;
    PS_AUTO(proofs_free) struct proofs proofs = { .work = 0 };

    for (size_t i = 0; i < sets->len && proofs.work < REACH_WORK_MAX; i++) {
        enum hba_proof proof = hba_proof(sets->hba, hba_rule(sets->hba, i));
        struct proof_list *list = &proofs.rules[proof];
        size_t weak = proof != HBA_PROOF_REJECT && reach->rules[i].state != REACH_NEVER
                          ? first_weaker(reach, &proofs, i, proof) : SIZE_MAX;

        if (weak != SIZE_MAX)
            tell_weaker(reach, weak, i, found, arg);
        PS_PUSH(list->at, list->len, list->cap) = i;
    }
    return proofs.work < REACH_WORK_MAX;
}

/* ---- IPv4 closed, IPv6 open ---- */

struct family_rows {
    struct reach_family_row { size_t rule; bool v4, v6; } *at;
    size_t len, cap;
};

static bool admits_plaintext(const struct hba_rule *rule, void *arg)
{
    (void)arg;
    return hba_admits_plaintext(rule);
}

/* Which rules let plaintext in from beyond loopback, over which family. */
static void note_families(const struct reach_row *row, void *arg)
{
    struct family_rows *rows = arg;
    struct reach_family_row *last = rows->len ? &rows->at[rows->len - 1] : NULL;

    if (!last || last->rule != row->rule) {
        last = &PS_PUSH(rows->at, rows->len, rows->cap);
        *last = (struct reach_family_row){ .rule = row->rule };
    }
    for (size_t i = 0; i < row->nets_len && !row->by_name; i++)
        if (!nets_is_loopback(&row->nets[i])) {
            last->v4 |= row->nets[i].family == AF_INET;
            last->v6 |= row->nets[i].family == AF_INET6;
        }
}

/* Is a rule there that speaks of these roles and databases over IPv4, and keeps plaintext out? */
static bool closes_v4(const struct reach *reach, size_t number, size_t open)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    const struct hba_rule *from = hba_rule(reach->sets->hba, number);
    bool wide = false;

    for (size_t i = 0; i < rule->takes_len; i++)
        wide |= rule->takes[i].family == AF_INET && !nets_is_loopback(&rule->takes[i]);
    return wide && !is_dead(reach, number) && !hba_admits_plaintext(from)
           && sets_words_meet(reach->sets, number, open) == HBA_YES;
}

static bool any_open_v4(const struct reach *reach, const struct family_rows *rows, size_t open)
{
    for (size_t i = 0; i < rows->len; i++)
        if (rows->at[i].v4
            && sets_words_meet(reach->sets, rows->at[i].rule, open) != HBA_NO)
            return true;
    return false;
}

void reach_ipv6_open(const struct reach *reach,
                     void (*found)(const struct reach_family_gap *gap, void *arg), void *arg)
{
    struct family_rows rows = { .len = 0 };
    uint64_t work = 0;

    reach_regions(reach, REACH_PLAIN, admits_plaintext, note_families, &rows);
    for (size_t i = 0; i < rows.len && work < REACH_WORK_MAX; i++) {
        size_t open = rows.at[i].rule, closed = 0;

        work += rows.len + reach->sets->len;
        if (!rows.at[i].v6 || any_open_v4(reach, &rows, open))
            continue;
        while (closed < reach->sets->len && !closes_v4(reach, closed, open))
            closed++;
        if (closed < reach->sets->len)
            found(&(struct reach_family_gap){ .open = open, .closed = closed }, arg);
    }
    free(rows.at);
}
