/* forecast.c - see forecast.h. */
#include "rules/forecast.h"

/* Source: what servers of 10 to 18 did; hba.c (load_hba, load_ident), guc-file.l, be_tls_init(). */
static const struct cause {
    const char *id;
    const char *effect[FORECAST_EVENTS];        /* N_(); NULL: none */
} causes[] = {
    { "conf-syntax", { N_("nothing of postgresql.conf is taken"), N_("the server does not start") } },
    { "setting-unknown", { N_("nothing of postgresql.conf is taken"),
                           N_("the server does not start") } },
    { "setting-invalid", { N_("this setting keeps its value"), N_("the server does not start") } },
    { "hba-syntax", { N_("the old rules of pg_hba.conf stay in force"),
                      N_("the server does not start") } },
    { "ident-syntax", { N_("the old maps of pg_ident.conf stay in force"),
                        N_("the server starts without any map") } },
    { "file-missing", { N_("TLS stays as it was loaded"), N_("the server does not start") } },
    { "key-mismatch", { N_("TLS stays as it was loaded"), N_("the server does not start") } },
    { "key-perms", { N_("TLS stays as it was loaded"), N_("the server does not start") } },
    { "cipher-list-invalid", { N_("TLS stays as it was loaded"), N_("the server does not start") } },
    { "key-encrypted-no-command", { N_("TLS stays as it was loaded"),
                                    N_("the server waits for a passphrase that nobody gives") } },
    { "passphrase-no-reload", { N_("TLS stays as it was loaded"), NULL } },
};

static const char *const event_words[] = { [FORECAST_RELOAD] = "reload",
                                           [FORECAST_RESTART] = "restart" };
static const char *const event_texts[] = { [FORECAST_RELOAD] = N_("Next reload"),
                                           [FORECAST_RESTART] = N_("Next restart") };

/* A folder of revocation lists that is not there keeps clients out, but no server from starting. */
static bool is_crl_dir(const struct posture *posture, const char *path)
{
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_CRL_DIR && posture->files[i].path
            && strcmp(posture->files[i].path, path) == 0)
            return true;
    return false;
}

/* Not everything that such a rule says is in the way. */
static bool stops(const struct report *report, const struct cause *cause,
                  const struct finding *finding)
{
    return strcmp(finding->id, cause->id) == 0 && finding->severity >= SEV_HIGH
           && !is_crl_dir(report->posture, finding->object);
}

static bool was_found(const struct report *report, const struct cause *cause)
{
    for (size_t i = 0; i < report->findings.len; i++)
        if (stops(report, cause, &report->findings.at[i]))
            return true;
    for (size_t i = 0; i < report->accepted_len; i++)
        if (stops(report, cause, &report->accepted[i].finding))
            return true;
    return false;
}

static bool was_not_examined(const struct report *report, const struct cause *cause)
{
    for (size_t i = 0; i < report->findings.unexamined_len; i++)
        if (strcmp(report->findings.unexamined[i].id, cause->id) == 0)
            return true;
    return false;
}

enum forecast_answer forecast_of(const struct report *report, enum forecast_event event)
{
    enum forecast_answer answer = FORECAST_GOOD;

    for (size_t i = 0; i < PS_COUNT(causes); i++) {
        if (!causes[i].effect[event])
            continue;
        if (was_found(report, &causes[i]))
            return FORECAST_BAD;
        if (was_not_examined(report, &causes[i]))
            answer = FORECAST_UNKNOWN;
    }
    return answer;
}

static void describe_reasons(const struct report *report, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "forecast_reasons",
                                       _("What stands in the way of a reload or restart"), NULL);

    for (unsigned event = 0; event < FORECAST_EVENTS; event++)
        for (size_t i = 0; i < PS_COUNT(causes); i++) {
            bool bad = forecast_of(report, (enum forecast_event)event) == FORECAST_BAD;
            bool found = was_found(report, &causes[i]);

            if (!causes[i].effect[event]
                || (!found && (bad || !was_not_examined(report, &causes[i]))))
                continue;

            struct doc_node *row = doc_row(table);
            doc_verdict(row, "event", _("Event"), DOC_PLAIN, event_words[event],
                        _(event_texts[event]));
            doc_str(row, "id", _("Rule"), causes[i].id);
            doc_str(row, "effect", _("Effect"),
                    found ? _(causes[i].effect[event]) : _("not examined"));
        }
}

void forecast_describe(const struct report *report, struct doc_node *root)
{
    static const enum doc_mark marks[] = { [FORECAST_GOOD] = DOC_GOOD, [FORECAST_BAD] = DOC_BAD,
                                           [FORECAST_UNKNOWN] = DOC_UNKNOWN };
    static const char *const words[] = { [FORECAST_GOOD] = "good", [FORECAST_BAD] = "bad",
                                         [FORECAST_UNKNOWN] = "unknown" };
    static const char *const texts[FORECAST_EVENTS][3] = {
        { [FORECAST_GOOD] = N_("takes everything that is written"),
          [FORECAST_BAD] = N_("does not take everything that is written"),
          [FORECAST_UNKNOWN] = N_("not known: not everything was examined") },
        { [FORECAST_GOOD] = N_("succeeds"), [FORECAST_BAD] = N_("fails, or leaves something behind"),
          [FORECAST_UNKNOWN] = N_("not known: not everything was examined") },
    };
    struct doc_node *section = doc_section(root, "forecast", _("Forecast"));

    for (unsigned event = 0; event < FORECAST_EVENTS; event++) {
        enum forecast_answer answer = forecast_of(report, (enum forecast_event)event);

        doc_verdict(section, event_words[event], _(event_texts[event]), marks[answer],
                    words[answer], _(texts[event][answer]));
    }
    describe_reasons(report, root);
}
