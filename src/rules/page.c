/* page.c - see page.h. */
#include "rules/page.h"

/* An RFC, a CVE and what comes from experience say by themselves what they are. */
static bool names_itself(enum standard standard)
{
    return standard == STD_RFC || standard == STD_CVE || standard == STD_OPS;
}

static void put_source(const struct rule_source *source, struct buf *out)
{
    if (names_itself(source->standard))
        buf_puts(out, source->where);
    else
        buf_printf(out, source->standard == STD_PG ? "%s, \"%s\"" : "%s %s",
                   standard_name(source->standard), source->where);
}

void rule_sources(const struct rule *rule, struct buf *out)
{
    for (size_t i = 0; i < RULE_SOURCES_MAX && rule->sources[i].where; i++) {
        if (i)
            buf_puts(out, "; ");
        put_source(&rule->sources[i], out);
    }
}

void rule_modes(const struct rule *rule, struct buf *out)
{
    static const struct {
        unsigned mode;
        const char *verb;
    } modes[] = {
        { RULE_CHECK, "check" }, { RULE_SCAN, "scan" }, { RULE_WATCH, "watch" },
        { RULE_CAPTURE, "capture" },
    };

    for (size_t i = 0; i < PS_COUNT(modes); i++)
        if (rule->modes & modes[i].mode)
            buf_printf(out, "%s%s", out->len ? ", " : "", modes[i].verb);
}

static void describe_sources(const struct rule *rule, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "sources", _("Who says so"), NULL);

    for (size_t i = 0; i < RULE_SOURCES_MAX && rule->sources[i].where; i++) {
        struct doc_node *row = doc_row(table);

        doc_str(row, "standard", _("Source"), standard_name(rule->sources[i].standard));
        doc_str(row, "where", _("Where"), rule->sources[i].where);
    }
}

void rule_page(const struct rule *rule, struct doc_node *root)
{
    PS_AUTO(buf_free) struct buf modes = BUF(BUF_TEXT_MAX);
    PS_AUTO(ps_freep) char *exception = ps_asprintf("%s until 2027-03-31 because ...", rule->id);

    rule_modes(rule, &modes);
    doc_str(root, "id", _("Rule"), rule->id);
    doc_str(root, "title", _("What"), _(rule->title));
    doc_verdict(root, "severity", _("Severity"), severity_mark(rule->severity),
                severity_word(rule->severity), severity_text(rule->severity));
    doc_str(root, "why", _("Why"), _(rule->why));
    doc_str(root, "cure", _("Cure"), _(rule->cure));
    doc_str(root, "modes", _("Seen by"), modes.len ? modes.p : "check");
    describe_sources(rule, root);
    doc_block(root, "exception", _("To accept it, a line in the file of --exceptions"), exception);
}

void rules_list(struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "rules", NULL, NULL);

    for (size_t i = 0; i < rules_count(); i++) {
        const struct rule *rule = rule_at(i);
        struct doc_node *row = doc_row(table);
        PS_AUTO(buf_free) struct buf modes = BUF(BUF_TEXT_MAX);
        PS_AUTO(buf_free) struct buf sources = BUF(BUF_TEXT_MAX);

        rule_modes(rule, &modes);
        rule_sources(rule, &sources);
        doc_str(row, "id", _("Rule"), rule->id);
        doc_verdict(row, "severity", _("Severity"), severity_mark(rule->severity),
                    severity_word(rule->severity), severity_text(rule->severity));
        doc_str(row, "title", _("What"), _(rule->title));
        doc_aside(doc_str(row, "modes", _("Seen by"), modes.len ? modes.p : "check"));
        doc_aside(doc_str(row, "why", _("Why"), _(rule->why)));
        doc_aside(doc_str(row, "cure", _("Cure"), _(rule->cure)));
        doc_aside(doc_str(row, "sources", _("Source"), buf_text(&sources)));
    }
}
