/* check_ask.c - see check_ask.h. */
#include "cli/check_ask.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "pg/hba_why.h"

#define STEPS_SHOWN 60          /* more are in JSON, and with --verbose */

/* ---- the question ---- */

static const struct role_fact *find_role(const struct posture *posture, const char *name)
{
    for (size_t i = 0; i < posture->roles_len; i++)
        if (strcmp(posture->roles[i].name, name) == 0)
            return &posture->roles[i];
    return NULL;
}

static const char *from_text(const struct hba_question *question, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_storage *addr = &question->addr;

    if (question->local)
        return "local";
    if (addr->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr, out, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)addr)->sin6_addr, out,
                  INET6_ADDRSTRLEN);
    return out;
}

static const char *member_text(const struct posture *posture, const struct hba_question *question)
{
    const char *text = NULL;

    for (const char *const *role = question->roles; role && *role; role++)
        text = text ? arena_printf(posture->arena, "%s, %s", text, *role) : *role;
    return text;
}

static void describe_question(const struct posture *posture, const struct hba_question *question,
                              struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "question", _("Question"));
    char from[INET6_ADDRSTRLEN];

    doc_str(section, "role", _("Role"), question->user);
    doc_str(section, "database", _("Database"),
            question->replication ? _("(replication)") : question->database);
    doc_str(section, "from", _("From"), from_text(question, from));
    doc_bool(section, "tls", "TLS", question->tls);
    doc_bool(section, "gss", "GSS", question->gss);
    doc_aside(doc_bool(section, "replication", _("Replication"), question->replication));
    doc_str(section, "member_of", _("Member of"), member_text(posture, question));
}

/* ---- the answer ---- */

static bool refuses(const struct hba_rule *rule)
{
    return !rule || strcmp(rule->method, "reject") == 0;
}

static void put_verdict(struct doc_node *section, const struct hba_verdict *verdict)
{
    if (!verdict->sure)
        doc_verdict(section, "verdict", _("Answer"), DOC_WARN, "uncertain",
                    _("it depends on what is not known here"));
    else if (!verdict->rule)
        doc_verdict(section, "verdict", _("Answer"), DOC_BAD, "refused",
                    _("refused: no line matches"));
    else if (refuses(verdict->rule))
        doc_verdict(section, "verdict", _("Answer"), DOC_BAD, "refused", _("refused by a line"));
    else
        doc_verdict(section, "verdict", _("Answer"), DOC_GOOD, "admitted",
                    _("may log in, with what the line asks for"));
}

static const char *line_text(const struct posture *posture, const struct hba_rule *rule)
{
    return posture_hba_place(posture, rule, rule->type_begin, rule->method_end).text;
}

static void describe_answer(const struct posture *posture, const struct hba_verdict *verdict,
                            struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "answer", _("Answer"));
    const struct hba_rule *rule = verdict->rule;

    put_verdict(section, verdict);
    doc_str(section, "file", _("File"), rule ? rule->file : NULL);
    if (rule)
        doc_int(section, "line", _("Line"), rule->line);
    doc_str(section, "method", _("Method"), rule ? rule->method : NULL);
    doc_str(section, "text", _("Text"), rule ? line_text(posture, rule) : NULL);
    if (!verdict->sure)
        doc_para(section, DOC_WARN, _("One of the lines that say \"perhaps\" may decide before; if none "
                                      "of them does, the answer is as shown."));
    if (hba_problems(posture->hba) > 0)
        doc_para(section, DOC_WARN, _("The server refuses this file as it is: until it is mended, what was "
                                      "loaded before is in force."));
    if (posture->hba_why)
        doc_para(section, DOC_WARN, "%s", posture->hba_why);
}

static void describe_steps(const struct posture *posture, const struct hba_verdict *verdict,
                           struct doc_node *root)
{
    static const char *const words[] = { [HBA_NO] = "no", [HBA_YES] = "yes",
                                         [HBA_MAYBE] = "perhaps" };
    static const char *const texts[] = { [HBA_NO] = N_("no"), [HBA_YES] = N_("yes"),
                                         [HBA_MAYBE] = N_("perhaps") };
    struct doc_node *table = doc_table(root, "steps", _("Line by line"),
                                       _("the file has no lines"));

    for (size_t i = 0; i < verdict->len; i++) {
        const struct hba_step *step = &verdict->steps[i];
        struct doc_node *row = doc_row(table);

        doc_int(row, "line", _("Line"), step->rule->line);
        doc_aside(doc_str(row, "file", _("File"), step->rule->file));
        doc_verdict(row, "match", _("Matches"), step->match == HBA_NO ? DOC_PLAIN : DOC_GOOD,
                    words[step->match], _(texts[step->match]));
        doc_aside(doc_str(row, "why", _("Word"), hba_why_word(step->why)));
        doc_str(row, "reason", _("Because"), hba_why_text(step->why));
        doc_str(row, "text", _("Text"), line_text(posture, step->rule));
    }
    if (verdict->len > STEPS_SHOWN)
        doc_aside(table);
}

bool check_ask(const struct posture *posture, const char *text, struct cli_run *run,
               struct ps_err *err)
{
    struct hba_question question;
    struct hba_verdict verdict;
    const struct role_fact *role;

    if (!hba_question_parse(text, posture->arena, &question, err)) {
        err->code = PS_E_USAGE;
        return false;
    }
    if (!posture->hba)
        return ps_fail(err, PS_E_NOT_FOUND, "%s",
                       posture->hba_why ? posture->hba_why : _("pg_hba.conf was not seen"));
    role = find_role(posture, question.user);
    if (!question.roles && role)
        question.roles = role->member_of;
    hba_judge(posture->hba, &question, posture->arena, &verdict);

    run->doc = doc_new("check", _("Which line of pg_hba.conf decides"));
    describe_question(posture, &question, doc_root(run->doc));
    describe_answer(posture, &verdict, doc_root(run->doc));
    if (posture->roles && !role)
        doc_para(doc_root(run->doc), DOC_WARN, _("There is no role \"%s\": whatever the line asks for, "
                                                 "it cannot log in."), question.user);
    describe_steps(posture, &verdict, doc_root(run->doc));
    return true;
}
