/* hba_lines.c - rules about lines of pg_hba.conf that are not what they look like (see tests.h). */
#include <sys/socket.h>

#include "pg/hba_match.h"
#include "pg/hba_words.h"
#include "rules/hba_facts.h"
#include "rules/tests.h"

struct saying {                 /* what the callbacks of reach need */
    const struct rule *rule;
    const struct posture *posture;
    const struct hba *hba;      /* as it is meant: also lines that are refused for a word of an option */
    struct findings *out;
};

/* ---- lines that cannot be reached ---- */

static struct finding shadowed(const struct posture *posture, const struct hba *hba,
                               const struct hba_rule *line, const struct reach_rule *state)
{
    struct finding finding = hba_finding_at(posture, line, line->type_begin, line->method_end);
    const char *by = hba_lines_text(posture, hba, line, state->by, state->by_len, state->by_more);

    finding.severity = state->same ? SEV_LOW : SEV_NOTHING;
    if (state->same)
        finding.message = arena_printf(posture->arena,
                                       _("the line is superfluous: what it says is said by line %s"),
                                       by);
    else if (state->by_len == 1 && !state->by_more)
        finding.message = arena_printf(posture->arena,
                                       _("no connection reaches this line: line %s takes all of them"),
                                       by);
    else
        finding.message = arena_printf(posture->arena,
                                       _("no connection reaches this line: lines %s together take all "
                                         "of them"), by);
    finding.fix_kind = FIX_LINE;
    finding.fix = "";
    if (!state->same) {
        finding.fix_kind = FIX_ADVICE;
        finding.fix = _("Move the line above those that take its connections, or take it out.");
    }
    return finding;
}

static bool is_never_of_names(const struct reach_rule *state)
{
    return state->state == REACH_NEVER
           && (state->never == REACH_NEVER_DATABASE || state->never == REACH_NEVER_ROLE);
}

void rule_hba_shadowed(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!hba_seen(rule, posture, out))
        return;

    PS_AUTO(hba_freep) struct hba *hba = hba_meant(posture->hba);
    PS_AUTO(reach_freep) struct reach *reach = hba_reach_of(posture, hba);
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *line = hba_rule(hba, i);
        const struct reach_rule *state = reach_rule(reach, i);

        if (state->state == REACH_COVERED) {
            rule_found(rule, out, shadowed(posture, hba, line, state));
        } else if (is_never_of_names(state)) {
            struct finding finding = hba_finding_at(posture, line, line->databases.begin,
                                                    line->users.end);

            finding.message = reach_never_text(state->never);
            rule_found(rule, out, finding);
        } else if (state->state == REACH_UNSURE) {
            rule_unseen(rule, out, _("the file is too intricate to judge every line of it"));
        }
    }
}

/* ---- weaker lines above ---- */

static void say_weaker(const struct reach_weaker *weaker, void *arg)
{
    const struct saying *saying = arg;
    const struct hba_rule *line = hba_rule(saying->hba, weaker->strict);
    struct finding finding = hba_finding_method(saying->posture, line);

    if (weaker->wholly)
        return;                 /* then it is shadowed */
    finding.severity = weaker->named ? SEV_LOW : SEV_NOTHING;
    finding.message = arena_printf(
        saying->posture->arena,
        _("part of what this line is for is let in by line %s, which asks for less: %s"),
        hba_lines_text(saying->posture, saying->hba, line, &weaker->weak, 1, false),
        hba_rule(saying->hba, weaker->weak)->method);
    rule_found(saying->rule, saying->out, finding);
}

static void say_never_asked(const struct reach_weaker *weaker, void *arg)
{
    const struct saying *saying = arg;
    const struct hba_rule *line = hba_rule(saying->hba, weaker->strict);
    struct finding finding = hba_finding_method(saying->posture, line);

    if (!weaker->wholly || !weaker->cert)
        return;
    finding.message = arena_printf(
        saying->posture->arena,
        _("the client certificate of this line is never asked for: line %s lets everybody in before, "
          "by %s"), hba_lines_text(saying->posture, saying->hba, line, &weaker->weak, 1, false),
        hba_rule(saying->hba, weaker->weak)->method);
    finding.fix_kind = FIX_ADVICE;
    finding.fix = _("Put the certificate line first for the roles that must have one, or write "
                    "scram-sha-256 clientcert=verify-full to ask for both.");
    rule_found(saying->rule, saying->out, finding);
}

static void look_for_weaker(const struct rule *rule, const struct posture *posture,
                            struct findings *out,
                            void (*say)(const struct reach_weaker *weaker, void *arg))
{
    if (!hba_seen(rule, posture, out))
        return;

    PS_AUTO(hba_freep) struct hba *hba = hba_meant(posture->hba);
    PS_AUTO(reach_freep) struct reach *reach = hba_reach_of(posture, hba);
    struct saying saying = { rule, posture, hba, out };
    if (!reach_weaker(reach, say, &saying))
        rule_unseen(rule, out, _("the file is too intricate to judge every line of it"));
}

void rule_hba_weaker_first(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    look_for_weaker(rule, posture, out, say_weaker);
}

void rule_client_cert_never_asked(const struct rule *rule, const struct posture *posture,
                                  struct findings *out)
{
    look_for_weaker(rule, posture, out, say_never_asked);
}

/* ---- IPv6 ---- */

static void say_ipv6(const struct reach_family_gap *gap, void *arg)
{
    const struct saying *saying = arg;
    const struct hba_rule *line = hba_rule(saying->hba, gap->open);
    struct finding finding = hba_finding_at(saying->posture, line, line->addr.begin,
                                            line->addr.end);

    finding.message = arena_printf(
        saying->posture->arena,
        _("over IPv6 this line lets in without TLS whom line %s keeps out over IPv4"),
        hba_lines_text(saying->posture, saying->hba, line, &gap->closed, 1, false));
    rule_found(saying->rule, saying->out, finding);
}

void rule_hba_ipv6_open(const struct rule *rule, const struct posture *posture,
                        struct findings *out)
{
    struct saying saying = { rule, posture, posture->hba, out };

    if (!hba_seen(rule, posture, out))
        return;

    PS_AUTO(reach_freep) struct reach *reach = hba_reach_of(posture, posture->hba);
    reach_ipv6_open(reach, say_ipv6, &saying);
}

/* ---- hostssl without ssl ---- */

void rule_hba_hostssl_dead(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    enum fact_bool ssl = posture_on(posture, "ssl");

    if (!hba_seen(rule, posture, out))
        return;
    if (ssl == FACT_UNKNOWN)
        rule_unseen(rule, out, _("the setting ssl is not known"));
    for (size_t i = 0; ssl == FACT_NO && i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);
        struct finding finding = hba_finding_type(posture, line);

        finding.message = _("the line can match nobody: it is for TLS, and ssl is off");
        if (line->type == HBA_HOSTSSL)
            rule_found(rule, out, finding);
    }
}

/* ---- lines that cannot be read ---- */

void rule_hba_syntax(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!hba_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_problems(posture->hba) && i < FINDINGS_MAX + 1; i++)
        rule_found(rule, out, hba_finding_problem(posture, hba_problem(posture->hba, i)));
}

/* ---- what words do in this version ---- */

static bool same_word(const char *value, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(value, *words) == 0)
            return true;
    return false;
}

/* Loaded, but the word is not what it seems. */
static void judge_loaded_word(const struct rule *rule, const struct posture *posture,
                              const struct hba_rule *line, struct findings *out)
{
    static const char *const gone[] = { "1", "0", "no-verify", NULL };
    const char *word = hba_option(line, "clientcert");
    struct finding finding = hba_finding_method(posture, line);

    if (!word || posture->major >= 14)
        return;
    finding.object = word;
    finding.evidence = arena_printf(posture->arena, "clientcert=%s", word);
    for (size_t i = 0; i < line->options_len; i++)
        if (strcmp(line->options[i].name, "clientcert") == 0)
            finding.place = posture_hba_place(posture, line, line->options[i].begin,
                                              line->options[i].end);
    if (same_word(word, gone)) {
        finding.severity = SEV_MEDIUM;
        finding.message = arena_printf(posture->arena,
            _("clientcert=%s still works in this version; PostgreSQL 14 refuses the whole file"),
            word);
    } else if (posture->major <= 11 && strcmp(line->method, "cert") != 0) {
        finding.message = arena_printf(posture->arena,
            _("clientcert=%s silently means off in this version: no certificate is asked for"), word);
    } else {
        return;
    }
    rule_found(rule, out, finding);
}

/* Refused: the server says so too, but not what to write instead. */
static void judge_refused_word(const struct rule *rule, const struct posture *posture,
                               const struct hba_problem *problem, struct findings *out)
{
    static const char *const words[] = { "1", "0", "no-verify" };
    struct finding finding = hba_finding_problem(posture, problem);
    const char *at = finding.place.text ? strstr(finding.place.text, "clientcert=") : NULL;

    for (size_t i = 0; at && i < PS_COUNT(words); i++) {
        size_t len = strlen(words[i]);

        if (strncmp(at + 11, words[i], len) != 0 || !strchr(" \t,#\"", at[11 + len]))
            continue;
        finding.place.column = (unsigned)(at - finding.place.text) + 1;
        finding.place.end_column = finding.place.column + 11 + (unsigned)len;
        finding.object = words[i];
        finding.message = arena_printf(posture->arena,
            _("clientcert=%s is refused since PostgreSQL 14, and the whole file with it"), words[i]);
        finding.fix = _("Write clientcert=verify-full, or verify-ca when the name does not have to "
                        "match the role; take the word out where it said off.");
        rule_found(rule, out, finding);
        return;
    }
}

void rule_hba_clientcert_word(const struct rule *rule, const struct posture *posture,
                              struct findings *out)
{
    if (!hba_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_rules(posture->hba); i++)
        judge_loaded_word(rule, posture, hba_rule(posture->hba, i), out);
    for (size_t i = 0; posture->major >= 14 && i < hba_problems(posture->hba); i++)
        judge_refused_word(rule, posture, hba_problem(posture->hba, i), out);
}

/* ---- names that mean something else ---- */

static void judge_regexes(const struct rule *rule, const struct posture *posture,
                          const struct hba_rule *line, const struct hba_field *field,
                          struct findings *out)
{
    for (size_t i = 0; i < field->len; i++) {
        const struct hba_token *token = &field->at[i];
        struct finding finding = hba_finding_at(posture, line, field->begin, field->end);

        if (token->text[0] != '/' || (token->regex && !token->quoted))
            continue;
        finding.object = token->text;
        finding.evidence = token->text;
        if (token->regex) {
            finding.message = _("quoted or not, a name that begins with \"/\" is a regular expression");
        } else {
            finding.severity = SEV_LOW;
            finding.message = _("from PostgreSQL 16 this name will be a regular expression");
        }
        rule_found(rule, out, finding);
    }
}

void rule_hba_quoted_regex(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    if (!hba_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);

        judge_regexes(rule, posture, line, &line->databases, out);
        judge_regexes(rule, posture, line, &line->users, out);
    }
}

static bool role_exists(const struct posture *posture, const char *name)
{
    for (size_t i = 0; i < posture->roles_len; i++)
        if (strcmp(posture->roles[i].name, name) == 0)
            return true;
    return false;
}

static bool database_exists(const struct posture *posture, const char *name)
{
    for (const char *const *database = posture->databases; database && *database; database++)
        if (strcmp(*database, name) == 0)
            return true;
    return false;
}

/* A keyword in other letters than small ones: then it is a name. */
static void judge_case(const struct rule *rule, const struct posture *posture,
                       const struct hba_rule *line, bool databases, struct findings *out)
{
    static const char *const keywords[] = { "all", "sameuser", "samerole", "samegroup",
                                            "replication" };
    const struct hba_field *field = databases ? &line->databases : &line->users;

    for (size_t i = 0; i < field->len; i++)
        for (size_t k = 0; k < (databases ? PS_COUNT(keywords) : 1); k++) {
            const char *text = field->at[i].text;
            struct finding finding = hba_finding_at(posture, line, field->begin, field->end);

            if (field->at[i].quoted || strcasecmp(text, keywords[k]) != 0
                || strcmp(text, keywords[k]) == 0
                || (databases ? database_exists(posture, text) : role_exists(posture, text)))
                continue;
            finding.object = text;
            finding.evidence = text;
            finding.message = arena_printf(
                posture->arena, databases ? _("\"%s\" is the name of a database here: the word is %s")
                                          : _("\"%s\" is the name of a role here: the word is %s"),
                text, keywords[k]);
            rule_found(rule, out, finding);
        }
}

void rule_hba_name_case(const struct rule *rule, const struct posture *posture,
                        struct findings *out)
{
    if (!hba_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);
        struct finding finding = hba_finding_at(posture, line, line->addr.begin, line->addr.end);

        judge_case(rule, posture, line, true, out);
        judge_case(rule, posture, line, false, out);
        if (!hba_addr_is_nobody(&line->addr))
            continue;
        finding.evidence = line->addr.name;
        finding.message = _("the address is read as a host name that no client has: the line matches "
                            "nobody");
        finding.fix_kind = FIX_ADVICE;
        finding.fix = _("Write all, samehost or samenet in small letters and without quotes.");
        rule_found(rule, out, finding);
    }
}

/* ---- samenet ---- */

#define WIDE_V4 16              /* more addresses than a /16: nobody knows all of them */
#define WIDE_V6 48

static const struct interface_fact *wide_interface(const struct posture *posture, unsigned *bits)
{
    for (size_t i = 0; i < posture->interfaces_len; i++) {
        const struct interface_fact *interface = &posture->interfaces[i];
        bool v4 = interface->family == AF_INET;

        *bits = 0;
        while (*bits < 128 && interface->mask[*bits / 8] & 0x80 >> *bits % 8)
            ++*bits;
        if (!(v4 && interface->addr[0] == 127) && *bits < (v4 ? WIDE_V4 : WIDE_V6))
            return interface;
    }
    return NULL;
}

void rule_hba_samenet_wide(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    unsigned bits = 0;
    const struct interface_fact *wide = wide_interface(posture, &bits);

    if (!hba_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);
        struct finding finding = hba_finding_at(posture, line, line->addr.begin, line->addr.end);

        if (line->addr.kind != HBA_ADDR_SAMENET || strcmp(line->method, "reject") == 0)
            continue;
        if (!posture->interfaces) {
            rule_unseen(rule, out, _("the network interfaces of the server are not known"));
            return;
        }
        if (!wide)
            return;
        finding.message = arena_printf(posture->arena,
                                       _("samenet stands for a whole /%u here: interface %s"), bits,
                                       wide->name);
        rule_found(rule, out, finding);
    }
}
