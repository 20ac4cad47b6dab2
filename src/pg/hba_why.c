/* hba_why.c - the reasons; see hba_why.h.  hba_question.c reads the question. */
#include "pg/hba_why.h"

#include "pg/hba_match.h"
#include "pg/hba_words.h"

static const struct { const char *word, *text; } whys[HBA_WHY_COUNT] = {
    [HBA_WHY_MATCHES] = { "matches", N_("it matches") },
    [HBA_WHY_FOR_SOCKETS] = { "for_sockets",
        N_("it is for the Unix socket, and the connection comes by network") },
    [HBA_WHY_FOR_NETWORK] = { "for_network",
        N_("it is for the network, and the connection comes by the Unix socket") },
    [HBA_WHY_WANTS_TLS] = { "wants_tls", N_("it is for connections with TLS") },
    [HBA_WHY_WANTS_NO_TLS] = { "wants_no_tls", N_("it is for connections without TLS") },
    [HBA_WHY_WANTS_GSS] = { "wants_gss", N_("it is for connections with GSS encryption") },
    [HBA_WHY_WANTS_NO_GSS] = { "wants_no_gss", N_("it is for connections without GSS encryption") },
    [HBA_WHY_FAMILY] = { "family", N_("IPv4 and IPv6 never match each other") },
    [HBA_WHY_ADDRESS] = { "address", N_("the address is not in its range") },
    [HBA_WHY_ADDRESS_NOBODY] = { "address_nobody",
        N_("its address is read as a host name that no client has") },
    [HBA_WHY_DATABASE] = { "database", N_("it is for other databases") },
    [HBA_WHY_ALL_NO_REPLICATION] = { "all_no_replication",
        N_("\"all\" does not stand for replication") },
    [HBA_WHY_FOR_REPLICATION] = { "for_replication", N_("it is for replication only") },
    [HBA_WHY_ROLE] = { "role", N_("it is for other roles") },
    [HBA_WHY_NO_MEMBER] = { "no_member", N_("the role is not a member") },
    [HBA_WHY_HOST_UNKNOWN] = { "host_unknown",
        N_("perhaps: the server asks the DNS for the name of the client") },
    [HBA_WHY_NETS_UNKNOWN] = { "nets_unknown",
        N_("perhaps: it depends on the network interfaces of the server") },
    [HBA_WHY_ADDRESS_UNKNOWN] = { "address_unknown", N_("perhaps: the address is not known") },
    [HBA_WHY_MEMBER_UNKNOWN] = { "member_unknown",
        N_("perhaps: what the role is a member of is not known") },
    [HBA_WHY_REGEX_UNKNOWN] = { "regex_unknown",
        N_("perhaps: only the server can judge this regular expression") },
};

const char *hba_why_word(enum hba_why why)
{
    return whys[why].word;
}

const char *hba_why_text(enum hba_why why)
{
    return _(whys[why].text);
}

/* ---- one line ---- */

static enum hba_why why_not_type(enum hba_type type, const struct hba_question *question)
{
    if (question->local)
        return HBA_WHY_FOR_NETWORK;
    switch (type) {
    case HBA_LOCAL: return HBA_WHY_FOR_SOCKETS;
    case HBA_HOSTSSL: return HBA_WHY_WANTS_TLS;
    case HBA_HOSTNOSSL: return HBA_WHY_WANTS_NO_TLS;
    case HBA_HOSTGSSENC: return HBA_WHY_WANTS_GSS;
    case HBA_HOSTNOGSSENC: return HBA_WHY_WANTS_NO_GSS;
    case HBA_HOST: break;
    }
    return HBA_WHY_MATCHES;
}

static enum hba_why why_not_address(const struct hba_addr *addr,
                                    const struct hba_question *question)
{
    if (addr->kind == HBA_ADDR_NET && addr->family != question->addr.ss_family)
        return HBA_WHY_FAMILY;
    return addr->kind == HBA_ADDR_NAME ? HBA_WHY_ADDRESS_NOBODY : HBA_WHY_ADDRESS;
}

static enum hba_why why_maybe_address(const struct hba_addr *addr)
{
    if (addr->kind == HBA_ADDR_NAME)
        return HBA_WHY_HOST_UNKNOWN;
    return addr->kind == HBA_ADDR_NET ? HBA_WHY_ADDRESS_UNKNOWN : HBA_WHY_NETS_UNKNOWN;
}

static bool has_keyword(const struct hba_field *field, const char *keyword)
{
    for (size_t i = 0; i < field->len; i++)
        if (hba_token_is(&field->at[i], keyword))
            return true;
    return false;
}

static bool all_are_groups(const struct hba_field *field)
{
    for (size_t i = 0; i < field->len; i++)
        if (field->at[i].quoted || field->at[i].text[0] != '+')
            return false;
    return true;
}

static enum hba_why why_not_database(const struct hba_field *field,
                                     const struct hba_question *question)
{
    if (question->replication && has_keyword(field, "all"))
        return HBA_WHY_ALL_NO_REPLICATION;
    if (!question->replication && field->len == 1 && has_keyword(field, "replication"))
        return HBA_WHY_FOR_REPLICATION;
    return HBA_WHY_DATABASE;
}

/* Of a field that matches perhaps: is it for an expression? */
static enum hba_why why_maybe_name(const struct hba_field *field, const char *name)
{
    for (size_t i = 0; i < field->len; i++)
        if (field->at[i].regex
            && hba_regex_match(field->at[i].text + 1, name, NULL) == HBA_MAYBE)
            return HBA_WHY_REGEX_UNKNOWN;
    return HBA_WHY_MEMBER_UNKNOWN;
}

/* The parts of a rule in the order in which the server compares them. */
enum part { PART_TYPE, PART_ADDRESS, PART_DATABASE, PART_ROLE, PARTS };

static enum hba_why reason(const struct hba_rule *rule, const struct hba_question *question,
                           enum part part, enum hba_match match)
{
    bool no = match == HBA_NO;

    switch (part) {
    case PART_TYPE:
        return why_not_type(rule->type, question);
    case PART_ADDRESS:
        return no ? why_not_address(&rule->addr, question) : why_maybe_address(&rule->addr);
    case PART_DATABASE:
        return no ? why_not_database(&rule->databases, question)
                  : why_maybe_name(&rule->databases, question->database);
    case PART_ROLE:
        if (no)
            return all_are_groups(&rule->users) ? HBA_WHY_NO_MEMBER : HBA_WHY_ROLE;
        return why_maybe_name(&rule->users, question->user);
    case PARTS:
        break;
    }
    return HBA_WHY_MATCHES;
}

/* The first part that surely does not match, else the first that might not. */
static enum part decisive(const enum hba_match matches[PARTS])
{
    for (unsigned i = 0; i < PARTS; i++)
        if (matches[i] == HBA_NO)
            return (enum part)i;
    for (unsigned i = 0; i < PARTS; i++)
        if (matches[i] == HBA_MAYBE)
            return (enum part)i;
    return PARTS;
}

struct hba_step hba_why(const struct hba_rule *rule, const struct hba_question *question)
{
    const struct { size_t begin, end; } spans[PARTS] = {
        [PART_TYPE] = { rule->type_begin, rule->type_end },
        [PART_ADDRESS] = { rule->addr.begin, rule->addr.end },
        [PART_DATABASE] = { rule->databases.begin, rule->databases.end },
        [PART_ROLE] = { rule->users.begin, rule->users.end },
    };
    const enum hba_match matches[PARTS] = {
        [PART_TYPE] = hba_type_takes(rule->type, question) ? HBA_YES : HBA_NO,
        [PART_ADDRESS] = hba_addr_matches(&rule->addr, &question->addr),
        [PART_DATABASE] = hba_database_matches(rule, question),
        [PART_ROLE] = hba_user_matches(rule, question),
    };
    enum part part = decisive(matches);

    if (part == PARTS)
        return (struct hba_step){ rule, HBA_YES, HBA_WHY_MATCHES, rule->type_begin,
                                  rule->method_end };
    return (struct hba_step){ rule, matches[part], reason(rule, question, part, matches[part]),
                              spans[part].begin, spans[part].end };
}

/* ---- all lines ---- */

void hba_judge(const struct hba *hba, const struct hba_question *question, struct arena *arena,
               struct hba_verdict *out)
{
    *out = (struct hba_verdict){ .sure = true };
    out->steps = arena_alloc(arena, hba_rules(hba) * sizeof(*out->steps));
    for (size_t i = 0; i < hba_rules(hba) && !out->rule; i++) {
        struct hba_step *step = &out->steps[out->len++];

        *step = hba_why(hba_rule(hba, i), question);
        if (step->match == HBA_YES)
            out->rule = step->rule;
        out->sure &= step->match != HBA_MAYBE;
    }
}
