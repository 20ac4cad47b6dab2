/* sarif.c - a look at a server as SARIF 2.1.0 (see report.h); numbers are paragraphs of the standard. */
#include "rules/report.h"

#include <ctype.h>
#include <stdio.h>

#include "config.h"
#include "doc/text.h"
#include "rules/page.h"

static const struct {
    const char *level;          /* 3.27.10 */
    const char *score;          /* GitHub's "security-severity": above 9 is critical, 7 high, 4 medium */
} levels[] = {
    [SEV_INFO] = { "note", "0.5" },      [SEV_LOW] = { "note", "3.0" },
    [SEV_MEDIUM] = { "warning", "5.5" }, [SEV_HIGH] = { "error", "8.0" },
    [SEV_CRITICAL] = { "error", "9.5" },
};

/* A message object (3.11) under this key. */
static void put_message(struct doc_node *node, const char *key, const char *text)
{
    doc_str(doc_section(node, key, NULL), "text", NULL, text);
}

/* ---- the rules ---- */

static void put_rule(const struct rule *rule, struct doc_node *table)
{
    struct doc_node *row = doc_row(table);
    PS_AUTO(buf_free) struct buf sources = BUF(BUF_TEXT_MAX);

    rule_sources(rule, &sources);
    PS_AUTO(ps_freep) char *help = ps_asprintf("%s\n\n%s\n\n%s", _(rule->why), _(rule->cure),
                                               buf_text(&sources));
    doc_str(row, "id", NULL, rule->id);
    put_message(row, "shortDescription", _(rule->title));
    put_message(row, "fullDescription", _(rule->why));
    put_message(row, "help", help);
    doc_str(doc_section(row, "defaultConfiguration", NULL), "level", NULL,
            levels[rule->severity].level);

    struct doc_node *properties = doc_section(row, "properties", NULL);
    doc_str(properties, "security-severity", NULL, levels[rule->severity].score);
    struct doc_node *tags = doc_table(properties, "tags", NULL, NULL);
    doc_str(tags, NULL, NULL, "security");
    doc_str(tags, NULL, NULL, "postgresql");
}

static int64_t index_of(const char *id)
{
    for (size_t i = 0; i < rules_count(); i++)
        if (strcmp(rule_at(i)->id, id) == 0)
            return (int64_t)i;
    return -1;
}

static void put_tool(struct doc_node *run)
{
    struct doc_node *driver = doc_section(doc_section(run, "tool", NULL), "driver", NULL);

    doc_str(driver, "name", NULL, "pgseal");
    doc_str(driver, "version", NULL, PGSEAL_VERSION);
    struct doc_node *table = doc_table(driver, "rules", NULL, NULL);
    for (size_t i = 0; i < rules_count(); i++)
        put_rule(rule_at(i), table);
}

/* ---- places ---- */

/* A path as a URI reference (RFC 3986): what is not unreserved is written as %XX. */
static void put_uri(struct doc_node *node, const char *path)
{
    PS_AUTO(buf_free) struct buf uri = BUF(BUF_TEXT_MAX);

    if (*path == '/')
        buf_puts(&uri, "file://");
    for (const char *p = path; *p; p++) {
        if (isalnum((unsigned char)*p) || strchr("-._~/", *p))
            buf_putc(&uri, *p);
        else
            buf_printf(&uri, "%%%02X", (unsigned char)*p);
    }
    doc_str(doc_section(node, "artifactLocation", NULL), "uri", NULL, buf_text(&uri));
}

/* A column in characters for one in bytes. */
static int64_t column_of(const char *line, unsigned column)
{
    const char *p = line, *stop = line + (column - 1 < strlen(line) ? column - 1 : strlen(line));
    int64_t at = 1;

    for (; p < stop; at++)
        text_next(&p);
    return at;
}

static void put_region(const struct place *place, struct doc_node *node)
{
    struct doc_node *region = doc_section(node, "region", NULL);

    doc_int(region, "startLine", NULL, place->line);
    if (!place->text)
        return;
    if (place->column)
        doc_int(region, "startColumn", NULL, column_of(place->text, place->column));
    if (place->column && place->end_column > place->column)
        doc_int(region, "endColumn", NULL, column_of(place->text, place->end_column));
    put_message(region, "snippet", place->text);
}

static void put_location(const struct report *report, const struct finding *finding,
                         struct doc_node *result)
{
    struct doc_node *row = doc_row(doc_table(result, "locations", NULL, NULL));
    struct doc_node *logical;

    if (finding->place.file) {
        struct doc_node *physical = doc_section(row, "physicalLocation", NULL);

        put_uri(physical, finding->place.file);
        if (finding->place.line)
            put_region(&finding->place, physical);
    }
    logical = doc_row(doc_table(row, "logicalLocations", NULL, NULL));
    doc_str(logical, "name", NULL, *finding->object ? finding->object : report->posture->name);
    doc_str(logical, "fullyQualifiedName", NULL, report->posture->name);
}

/* 3.55: the whole line is replaced. */
static void put_fix(const struct finding *finding, struct doc_node *result)
{
    const struct place *place = &finding->place;

    if (finding->fix_kind != FIX_LINE || !finding->fix || !place->file || !place->line
        || !place->text)
        return;
    struct doc_node *fix = doc_row(doc_table(result, "fixes", NULL, NULL));
    struct doc_node *change = doc_row(doc_table(fix, "artifactChanges", NULL, NULL));
    put_uri(change, place->file);
    struct doc_node *replacement = doc_row(doc_table(change, "replacements", NULL, NULL));
    struct doc_node *deleted = doc_section(replacement, "deletedRegion", NULL);
    doc_int(deleted, "startLine", NULL, place->line);
    doc_int(deleted, "startColumn", NULL, 1);
    doc_int(deleted, "endColumn", NULL, column_of(place->text, (unsigned)strlen(place->text) + 1));
    put_message(replacement, "insertedContent", finding->fix);
}

/* ---- results ---- */

static struct doc_node *put_result(const struct report *report, const struct finding *finding,
                                   struct doc_node *table)
{
    struct doc_node *row = doc_row(table);
    char print[FINDING_PRINT_HEX];
    int64_t index = index_of(finding->id);

    finding_print(finding, print);
    doc_str(row, "ruleId", NULL, finding->id);
    if (index >= 0)
        doc_int(row, "ruleIndex", NULL, index);
    doc_str(row, "level", NULL, levels[finding->severity].level);
    PS_AUTO(ps_freep) char *text =
        finding->evidence ? ps_asprintf("%s (%s)", finding->message, finding->evidence)
                          : ps_strdup(finding->message);
    put_message(row, "message", text);
    put_location(report, finding, row);
    doc_str(doc_section(row, "partialFingerprints", NULL), "pgseal/v1", NULL, print);
    put_fix(finding, row);
    return row;
}

static void put_results(const struct report *report, struct doc_node *run)
{
    struct doc_node *table = doc_table(run, "results", NULL, NULL);

    for (size_t i = 0; i < report->findings.len; i++)
        put_result(report, &report->findings.at[i], table);
    for (size_t i = 0; i < report->accepted_len; i++) {
        const struct accepted *one = &report->accepted[i];
        struct doc_node *row = put_result(report, &one->finding, table);
        struct doc_node *suppression = doc_row(doc_table(row, "suppressions", NULL, NULL));

        doc_str(suppression, "kind", NULL, "external");
        doc_str(suppression, "justification", NULL,
                one->reason ? one->reason : _("known from the baseline"));
    }
}

/* 3.20.21: what the tool could not do. */
static void put_invocation(const struct report *report, struct doc_node *run)
{
    const struct findings *findings = &report->findings;
    struct doc_node *row = doc_row(doc_table(run, "invocations", NULL, NULL));

    doc_bool(row, "executionSuccessful", NULL, true);
    struct doc_node *table = doc_table(row, "toolExecutionNotifications", NULL, NULL);
    for (size_t i = 0; i < findings->unexamined_len; i++) {
        struct doc_node *one = doc_row(table);

        doc_str(one, "level", NULL, "note");
        PS_AUTO(ps_freep) char *text = ps_asprintf(_("not examined: %s"),
                                                   findings->unexamined[i].reason);
        put_message(one, "message", text);
        doc_str(doc_section(one, "associatedRule", NULL), "id", NULL, findings->unexamined[i].id);
    }
}

struct doc *report_sarif(const struct report *report)
{
    struct doc *doc = doc_new(NULL, NULL);
    struct doc_node *root = doc_root(doc), *run;

    doc_str(root, "$schema", NULL, "https://json.schemastore.org/sarif-2.1.0.json");
    doc_str(root, "version", NULL, "2.1.0");
    run = doc_row(doc_table(root, "runs", NULL, NULL));
    put_tool(run);
    put_invocation(report, run);
    put_results(report, run);
    doc_str(run, "columnKind", NULL, "unicodeCodePoints");
    return doc;
}
