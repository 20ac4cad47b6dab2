/* hba_match.c - would a connection match?  See hba.h.  Source: hba.c, check_hba() and below. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "pg/hba_match.h"
#include "pg/hba_state.h"
#include "pg/hba_words.h"

bool hba_token_is(const struct hba_token *token, const char *keyword)
{
    return !token->quoted && strcmp(token->text, keyword) == 0;
}

static enum hba_match exactly(bool yes)
{
    return yes ? HBA_YES : HBA_NO;
}

/* A list matches when one of it does; maybe, when none surely does and one might. */
static enum hba_match either(enum hba_match so_far, enum hba_match next)
{
    if (so_far == HBA_YES || next == HBA_YES)
        return HBA_YES;
    return so_far == HBA_MAYBE || next == HBA_MAYBE ? HBA_MAYBE : HBA_NO;
}

static enum hba_match both(enum hba_match a, enum hba_match b)
{
    if (a == HBA_NO || b == HBA_NO)
        return HBA_NO;
    return a == HBA_MAYBE || b == HBA_MAYBE ? HBA_MAYBE : HBA_YES;
}

/* Membership counts without the superuser's implicit one: is_member_of_role_nosuper(). */
static enum hba_match is_member(const struct hba_question *question, const char *role)
{
    if (strcmp(question->user, role) == 0)
        return HBA_YES;
    if (!question->roles)
        return HBA_MAYBE;
    for (const char *const *member = question->roles; *member; member++)
        if (strcmp(*member, role) == 0)
            return HBA_YES;
    return HBA_NO;
}

static enum hba_match name_matches(const struct hba_token *token, const char *name)
{
    if (token->regex)
        return hba_regex_match(token->text + 1, name, NULL);
    return exactly(strcmp(token->text, name) == 0);
}

static enum hba_match user_token_matches(const struct hba_token *token,
                                         const struct hba_question *question)
{
    if (!token->quoted && token->text[0] == '+')
        return is_member(question, token->text + 1);
    if (hba_token_is(token, "all"))
        return HBA_YES;
    return name_matches(token, question->user);
}

static enum hba_match database_token_matches(const struct hba_token *token,
                                             const struct hba_question *question)
{
    if (question->replication)
        return exactly(hba_token_is(token, "replication"));
    if (hba_token_is(token, "all"))
        return HBA_YES;
    if (hba_token_is(token, "sameuser"))
        return exactly(strcmp(question->database, question->user) == 0);
    if (hba_token_is(token, "samerole") || hba_token_is(token, "samegroup"))
        return is_member(question, question->database);
    if (hba_token_is(token, "replication"))
        return HBA_NO;
    return name_matches(token, question->database);
}

static enum hba_match field_matches(const struct hba_field *field,
                                    const struct hba_question *question,
                                    enum hba_match (*matches)(const struct hba_token *,
                                                              const struct hba_question *))
{
    enum hba_match match = HBA_NO;

    for (size_t i = 0; i < field->len; i++)
        match = either(match, matches(&field->at[i], question));
    return match;
}

bool hba_type_takes(enum hba_type type, const struct hba_question *question)
{
    static const struct { bool plain, tls, gss; } takes[] = {
        [HBA_LOCAL] = { false, false, false },
        [HBA_HOST] = { true, true, true },
        [HBA_HOSTSSL] = { false, true, false },
        [HBA_HOSTNOSSL] = { true, false, true },
        [HBA_HOSTGSSENC] = { false, false, true },
        [HBA_HOSTNOGSSENC] = { true, true, false },
    };

    if (question->local)
        return type == HBA_LOCAL;
    return question->tls ? takes[type].tls : question->gss ? takes[type].gss : takes[type].plain;
}

/* The address of the question as bytes; NULL for a family without. */
static const unsigned char *bytes_of(const struct sockaddr_storage *addr, size_t *len)
{
    if (addr->ss_family == AF_INET) {
        *len = 4;
        return (const unsigned char *)&((const struct sockaddr_in *)addr)->sin_addr;
    }
    if (addr->ss_family == AF_INET6) {
        *len = 16;
        return (const unsigned char *)&((const struct sockaddr_in6 *)addr)->sin6_addr;
    }
    return NULL;
}

/* IPv4 and IPv6 never match each other, also not ::ffff:192.0.2.1: check_ip(). */
static enum hba_match net_matches(const struct hba_addr *addr,
                                  const struct sockaddr_storage *client)
{
    size_t len = 0;
    const unsigned char *bytes = bytes_of(client, &len);

    if (addr->family != client->ss_family || !bytes)
        return HBA_NO;
    for (size_t i = 0; i < len; i++)
        if ((bytes[i] ^ addr->net[i]) & addr->mask[i])
            return HBA_NO;
    return HBA_YES;
}

/* What the server's interfaces are we do not know, but it has the loopback ones. */
static enum hba_match loopback_matches(const struct sockaddr_storage *client, bool whole_net)
{
    static const unsigned char one[16] = { [15] = 1 };
    size_t len = 0;
    const unsigned char *bytes = bytes_of(client, &len);

    if (len == 16)
        return memcmp(bytes, one, sizeof(one)) == 0 ? HBA_YES : HBA_MAYBE;
    if (len != 4 || bytes[0] != 127)
        return HBA_MAYBE;
    return whole_net || (bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 1) ? HBA_YES : HBA_MAYBE;
}

bool hba_addr_is_nobody(const struct hba_addr *addr)
{
    static const char *const nobody[] = { "", "all", "samehost", "samenet" };

    for (size_t i = 0; addr->kind == HBA_ADDR_NAME && i < PS_COUNT(nobody); i++)
        if (strcasecmp(addr->name, nobody[i]) == 0)
            return true;
    return false;
}

enum hba_match hba_addr_matches(const struct hba_addr *addr, const struct sockaddr_storage *client)
{
    if (addr->kind == HBA_ADDR_NONE || addr->kind == HBA_ADDR_ALL)
        return HBA_YES;
    if (hba_addr_is_nobody(addr))
        return HBA_NO;
    if (client->ss_family == AF_UNSPEC || addr->kind == HBA_ADDR_NAME)
        return HBA_MAYBE;
    if (addr->kind == HBA_ADDR_NET)
        return net_matches(addr, client);
    return loopback_matches(client, addr->kind == HBA_ADDR_SAMENET);
}

enum hba_match hba_database_matches(const struct hba_rule *rule,
                                    const struct hba_question *question)
{
    return field_matches(&rule->databases, question, database_token_matches);
}

enum hba_match hba_user_matches(const struct hba_rule *rule, const struct hba_question *question)
{
    return field_matches(&rule->users, question, user_token_matches);
}

enum hba_match hba_rule_matches(const struct hba_rule *rule, const struct hba_question *question)
{
    if (!hba_type_takes(rule->type, question))
        return HBA_NO;
    return both(both(hba_addr_matches(&rule->addr, &question->addr),
                     hba_database_matches(rule, question)),
                hba_user_matches(rule, question));
}

const struct hba_rule *hba_ask(const struct hba *hba, const struct hba_question *question,
                               bool *sure)
{
    *sure = true;
    for (size_t i = 0; i < hba->rules_len; i++) {
        enum hba_match match = hba_rule_matches(&hba->rules[i], question);

        if (match == HBA_YES)
            return &hba->rules[i];
        if (match == HBA_MAYBE)
            *sure = false;
    }
    return NULL;
}

bool hba_admits_plaintext(const struct hba_rule *rule)
{
    bool plain = rule->type == HBA_HOST || rule->type == HBA_HOSTNOSSL
                 || rule->type == HBA_HOSTNOGSSENC;

    return plain && strcmp(rule->method, hba_method_name(HBA_REJECT)) != 0;
}
