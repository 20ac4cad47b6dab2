/* severity.c - see severity.h. */
#include "facts/severity.h"

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} severities[] = {
    [SEV_NOTHING]  = { "nothing",  N_("nothing"),  DOC_PLAIN },
    [SEV_INFO]     = { "info",     N_("info"),     DOC_UNKNOWN },
    [SEV_LOW]      = { "low",      N_("low"),      DOC_WARN },
    [SEV_MEDIUM]   = { "medium",   N_("medium"),   DOC_WARN },
    [SEV_HIGH]     = { "high",     N_("high"),     DOC_BAD },
    [SEV_CRITICAL] = { "critical", N_("critical"), DOC_BAD },
    [SEV_NEVER]    = { "none",     N_("none"),     DOC_PLAIN },
};

bool severity_parse(const char *word, enum severity fallback, enum severity *out,
                    struct ps_err *err)
{
    if (!word) {
        *out = fallback;
        return true;
    }
    for (size_t i = SEV_INFO; i < PS_COUNT(severities); i++)
        if (strcmp(severities[i].word, word) == 0) {
            *out = (enum severity)i;
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("unknown severity \"%s\""), word);
    return ps_hint(err, _("The severities are info, low, medium, high and critical, or none."));
}

const char *severity_word(enum severity severity)
{
    return severities[severity].word;
}

const char *severity_text(enum severity severity)
{
    return _(severities[severity].text);
}

const char *severity_text_of(enum severity severity, size_t n)
{
    const char *const texts[] = {
        [SEV_INFO]     = ngettext("info", "info", n),
        [SEV_LOW]      = ngettext("low", "low", n),
        [SEV_MEDIUM]   = ngettext("medium", "medium", n),
        [SEV_HIGH]     = ngettext("high", "high", n),
        [SEV_CRITICAL] = ngettext("critical", "critical", n),
    };

    return texts[severity];
}

enum doc_mark severity_mark(enum severity severity)
{
    return severities[severity].mark;
}

void severity_field(struct doc_node *row, enum severity severity)
{
    doc_verdict(row, "severity", _("Severity"), severities[severity].mark, severities[severity].word,
                _(severities[severity].text));
}
