/* hba_question.c - a question about a connection, from text; see hba_why.h. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "pg/hba_why.h"

struct word {
    const char *name;           /* in the arena */
    const char *value;          /* NULL: no "=" */
    size_t at;                  /* place in the text */
};

struct reading {
    const char *text, *p;
    struct arena *arena;
    struct hba_question question;
    unsigned seen;              /* bits of the table of words */
    struct ps_err *err;
};

static bool complain(struct reading *reading, size_t at, const char *hint)
{
    ps_at(reading->err, "question", 1, (unsigned)at + 1);
    return ps_hint(reading->err, "%s", hint);
}

static bool bad_value(struct reading *reading, const struct word *word, const char *hint)
{
    ps_fail(reading->err, PS_E_VALUE, _("invalid value for \"%s\" in the question: \"%s\""),
            word->name, word->value ? word->value : "");
    return complain(reading, word->at, hint);
}

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From p to a blank outside of quotes; the quotes are gone from what is copied. */
static bool copy_value(struct reading *reading, const char **out)
{
    const char *begin = reading->p;
    char *text = arena_alloc(reading->arena, strlen(begin) + 1);
    size_t len = 0;
    bool in_quotes = false;

    for (; *reading->p && (in_quotes || !is_blank(*reading->p)); reading->p++) {
        if (*reading->p == '"')
            in_quotes = !in_quotes;
        else
            text[len++] = *reading->p;
    }
    *out = text;
    if (!in_quotes)
        return true;
    ps_fail(reading->err, PS_E_VALUE, _("a quote is not closed in the question"));
    return complain(reading, (size_t)(begin - reading->text),
                    _("Add the closing quote, or remove the first one."));
}

static bool next_word(struct reading *reading, struct word *word)
{
    size_t len = strcspn(reading->p, "= \t\r\n\"");

    word->at = (size_t)(reading->p - reading->text);
    word->name = arena_strndup(reading->arena, reading->p, len);
    word->value = NULL;
    reading->p += len;
    if (*reading->p != '=')
        return true;
    reading->p++;
    return copy_value(reading, &word->value);
}

/* ---- what the words mean ---- */

static bool take_yes_no(struct reading *reading, const struct word *word, bool *out)
{
    static const char *const yes[] = { "yes", "on", "true", "1" }, *const no[] = { "no", "off",
                                                                                "false", "0" };

    for (size_t i = 0; word->value && i < PS_COUNT(yes); i++) {
        if (strcmp(word->value, yes[i]) == 0 || strcmp(word->value, no[i]) == 0) {
            *out = strcmp(word->value, yes[i]) == 0;
            return true;
        }
    }
    return bad_value(reading, word, _("Write yes or no."));
}

static bool take_name(struct reading *reading, const struct word *word, const char **out)
{
    if (!word->value || !word->value[0])
        return bad_value(reading, word, _("Write a name behind \"=\"."));
    *out = word->value;
    return true;
}

static bool take_role(struct reading *reading, const struct word *word)
{
    return take_name(reading, word, &reading->question.user);
}

static bool take_db(struct reading *reading, const struct word *word)
{
    return take_name(reading, word, &reading->question.database);
}

static bool take_from(struct reading *reading, const struct word *word)
{
    struct sockaddr_storage *addr = &reading->question.addr;
    const char *value = word->value ? word->value : "";

    if (strcmp(value, "local") == 0)
        reading->question.local = true;
    else if (inet_pton(AF_INET, value, &((struct sockaddr_in *)addr)->sin_addr) == 1)
        addr->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, value, &((struct sockaddr_in6 *)addr)->sin6_addr) == 1)
        addr->ss_family = AF_INET6;
    else
        return bad_value(reading, word, _("Write an address such as 192.0.2.7 or 2001:db8::7, or "
                                          "local for the Unix socket."));
    return true;
}

static bool take_tls(struct reading *reading, const struct word *word)
{
    return take_yes_no(reading, word, &reading->question.tls);
}

static bool take_gss(struct reading *reading, const struct word *word)
{
    return take_yes_no(reading, word, &reading->question.gss);
}

static bool take_replication(struct reading *reading, const struct word *word)
{
    reading->question.replication = true;
    return !word->value || take_yes_no(reading, word, &reading->question.replication);
}

/* The names between commas; the role itself is added when all words are read. */
static bool take_members(struct reading *reading, const struct word *word)
{
    const char *p = word->value ? word->value : "";
    const char **roles = arena_alloc(reading->arena, (strlen(p) + 3) * sizeof(*roles));
    size_t count = 1;

    while (*p) {
        size_t len = strcspn(p, ",");

        if (len > 0)
            roles[count++] = arena_strndup(reading->arena, p, len);
        p += len + (p[len] == ',');
    }
    reading->question.roles = roles;
    return true;
}

static const struct {
    const char *name;
    bool (*take)(struct reading *reading, const struct word *word);
} words[] = {
    { "role", take_role },
    { "user", take_role },
    { "db", take_db },
    { "database", take_db },
    { "from", take_from },
    { "tls", take_tls },
    { "gss", take_gss },
    { "replication", take_replication },
    { "member", take_members },
};

static bool take_word(struct reading *reading, const struct word *word)
{
    for (unsigned i = 0; i < PS_COUNT(words); i++) {
        if (strcmp(word->name, words[i].name) != 0)
            continue;
        if (reading->seen & 1u << i) {
            ps_fail(reading->err, PS_E_VALUE, _("\"%s\" stands twice in the question"), word->name);
            return complain(reading, word->at, _("Ask one question at a time."));
        }
        reading->seen |= 1u << i;
        return words[i].take(reading, word);
    }
    ps_fail(reading->err, PS_E_VALUE, _("unknown word \"%s\" in the question"), word->name);
    return complain(reading, word->at, _("The words are role, db, from, tls, gss, replication and "
                                         "member, such as: role=app db=shop from=10.0.0.5 "
                                         "tls=no"));
}

/* ---- the whole ---- */

static bool missing(struct ps_err *err, const char *name)
{
    ps_fail(err, PS_E_VALUE, _("the question does not say \"%s\""), name);
    return ps_hint(err, _("Write, for example: %s"), "role=app db=shop from=10.0.0.5 tls=no");
}

static bool complete(struct reading *reading)
{
    struct hba_question *question = &reading->question;

    if (!question->user)
        return missing(reading->err, "role");
    if (!question->local && question->addr.ss_family == AF_UNSPEC)
        return missing(reading->err, "from");
    if (question->tls && question->gss)
        return ps_fail(reading->err, PS_E_VALUE,
                       _("a connection has TLS or GSS encryption, not both"));
    if (question->local && (question->tls || question->gss))
        return ps_fail(reading->err, PS_E_VALUE,
                       _("the Unix socket has neither TLS nor GSS encryption"));
    if (!question->database)
        question->database = question->user;
    if (question->roles)
        ((const char **)question->roles)[0] = question->user;
    return true;
}

bool hba_question_parse(const char *text, struct arena *arena, struct hba_question *out,
                        struct ps_err *err)
{
    struct reading reading = { .text = text, .p = text, .arena = arena, .err = err };
    struct word word;

    if (strlen(text) > HBA_QUESTION_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("the question is longer than %u bytes"),
                       (unsigned)HBA_QUESTION_MAX);
    while (*(reading.p += strspn(reading.p, " \t\r\n")))
        if (!next_word(&reading, &word) || !take_word(&reading, &word))
            return false;
    if (!complete(&reading))
        return false;
    *out = reading.question;
    return true;
}
