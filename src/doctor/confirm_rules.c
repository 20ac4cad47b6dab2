/* confirm_rules.c - settings and pg_hba.conf; see confirm.h. */
#include "doctor/confirm_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "pg/hba_why.h"
#include "pg/settings.h"

void look_ssl_off(struct doctor_look *look)
{
    const struct setting_fact *ssl = posture_setting(look->posture, "ssl");

    if (posture_on(look->posture, "ssl") == FACT_NO && ssl && ssl->place.file)
        look_say(look, LOOK_CONFIRMED, _("ssl is off: %s, line %u."), ssl->place.file, ssl->place.line);
    else if (posture_on(look->posture, "ssl") == FACT_NO)
        look_say(look, LOOK_CONFIRMED, _("ssl is off, which is its default."));
    else if (posture_on(look->posture, "ssl") == FACT_YES)
        look_say(look, LOOK_RULED_OUT, _("ssl is on by the files. Was the server reloaded since?"));
}

void look_protocols(struct doctor_look *look)
{
    const char *least = posture_value(look->posture, "ssl_min_protocol_version");
    const char *most = posture_value(look->posture, "ssl_max_protocol_version");
    char minor[8], high[16] = "";

    if (!least || !most)
        return;
    if (look_said(look, WHAT_HIGH, minor, sizeof(minor)))
        snprintf(high, sizeof(high), "TLSv1.%s", minor);
    /* TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 sort as text */
    if (*most && strcasecmp(least, most) > 0)
        look_say(look, LOOK_CONFIRMED, _("ssl_min_protocol_version is %s and ssl_max_protocol_version "
                                         "is %s."), least, most);
    else if (high[0] && strcasecmp(least, high) > 0)
        look_say(look, LOOK_CONFIRMED, _("The server wants at least %s, the client can do %s at most."),
                 least, high);
    else
        look_say(look, LOOK_UNDECIDED, _("The server takes %s to %s."), least,
                 *most ? most : _("the latest"));
}

void look_setting_known(struct doctor_look *look)
{
    char name[128];
    const struct pg_setting *setting;

    if (!look_said(look, WHAT_SETTING, name, sizeof(name)) || look->posture->major == 0)
        return;
    setting = pg_setting_find(name);
    if (!setting)
        look_say(look, LOOK_UNDECIDED, _("\"%s\" is no setting of TLS in any version that pgseal knows."),
                 name);
    else if (!pg_setting_known(name, look->posture->major))
        look_say(look, LOOK_CONFIRMED, _("\"%s\" is there from PostgreSQL %u on; this server is %u."), name,
                 setting->since, look->posture->major);
    else
        look_say(look, LOOK_RULED_OUT, _("PostgreSQL %u knows \"%s\"."), look->posture->major, name);
}

void look_hba_file(struct doctor_look *look)
{
    const struct hba *hba = look->posture->hba;
    const struct hba_problem *problem;

    if (!hba)
        return;
    if (hba_problems(hba) == 0) {
        look_say(look, LOOK_RULED_OUT, _("The server can read all %zu lines as they are now."),
                 hba_rules(hba));
        return;
    }
    problem = hba_problem(hba, 0);
    look_say(look, LOOK_CONFIRMED, _("%s, line %u: %s."), problem->file, problem->line, problem->what);
}

/* ---- which line decides ---- */

static bool parse_address(const char *text, struct hba_question *question)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&question->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&question->addr;

    question->local = strcmp(text, "[local]") == 0;
    if (question->local)
        return true;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
    else
        return false;
    return true;
}

/* Does the wording that was met say so?  What it leaves open is meant for TLS, which everything else here needs. */
static bool says_one_of(const struct doctor_look *look, const char *const *words)
{
    const char *text = look->match->len ? look->match->hits[0].pattern->text : "";

    for (; *words; words++)
        if (strstr(text, *words))
            return true;
    return false;
}

static bool is_about_tls(const struct doctor_look *look)
{
    static const char *const words[] = { "no encryption", "SSL off", "sin cifrado", "SSL inactivo", NULL };

    return !says_one_of(look, words);
}

static bool is_about_replication(const struct doctor_look *look)
{
    static const char *const words[] = { "replication connection", "conexión de replicación", NULL };

    return says_one_of(look, words);
}

static const char *const *roles_of(const struct posture *posture, const char *name)
{
    for (size_t i = 0; i < posture->roles_len; i++)
        if (strcmp(posture->roles[i].name, name) == 0)
            return posture->roles[i].member_of;
    return NULL;
}

static bool make_question(const struct doctor_look *look, struct hba_question *out, char names[3][256])
{
    if (!look->match || !look_said(look, WHAT_ROLE, names[0], 256)
        || !look_said(look, WHAT_ADDRESS, names[1], 256) || !parse_address(names[1], out))
        return false;
    out->user = names[0];
    out->replication = is_about_replication(look);
    if (!look_said(look, WHAT_DATABASE, names[2], 256) && !out->replication)
        return false;           /* another database, another line */
    out->database = out->replication ? names[0] : names[2];
    out->tls = is_about_tls(look);
    out->roles = roles_of(look->posture, names[0]);
    return true;
}

/* Is there a line for them with TLS, so that only the plaintext is the fault? */
static void look_with_tls(struct doctor_look *look, enum doctor_verdict found, enum doctor_verdict none)
{
    struct hba_question question = { .local = false };
    struct hba_verdict verdict;
    char names[3][256];
    struct place place;

    if (!look->posture->hba || !make_question(look, &question, names))
        return;
    question.tls = true;
    hba_judge(look->posture->hba, &question, look->posture->arena, &verdict);
    if (!verdict.rule) {
        look_say(look, none, _("No line matches role \"%s\" from %s with TLS."), names[0], names[1]);
        return;
    }
    place = posture_hba_place(look->posture, verdict.rule, verdict.rule->begin, verdict.rule->end);
    look_say(look, found, _("With TLS, %s, line %u decides: %s"), place.file, place.line,
             place.text ? place.text : "?");
}

void look_hba_wants_tls(struct doctor_look *look)
{
    look_with_tls(look, LOOK_CONFIRMED, LOOK_RULED_OUT);
}

void look_hba_nowhere(struct doctor_look *look)
{
    look_with_tls(look, LOOK_RULED_OUT, LOOK_CONFIRMED);
}

/* "No line" is what the message says; that a line decides today means that the file is another now. */
void look_hba_line(struct doctor_look *look)
{
    struct hba_question question = { .local = false };
    struct hba_verdict verdict;
    char names[3][256];
    struct place place;

    if (!look->posture->hba || !make_question(look, &question, names))
        return;
    hba_judge(look->posture->hba, &question, look->posture->arena, &verdict);
    if (!verdict.rule) {
        look_say(look, LOOK_CONFIRMED, question.tls ? _("No line matches role \"%s\" from %s with TLS.")
                 : _("No line matches role \"%s\" from %s without TLS."), names[0], names[1]);
        return;
    }
    place = posture_hba_place(look->posture, verdict.rule, verdict.rule->begin, verdict.rule->end);
    look_say(look, strcmp(verdict.rule->method, "reject") == 0 ? LOOK_CONFIRMED : LOOK_UNDECIDED,
             _("Now %s, line %u decides: %s"), place.file, place.line, place.text ? place.text : "?");
}
