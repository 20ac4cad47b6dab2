/* check_diff.c - see check_diff.h. */
#include "cli/check_diff.h"

#include "inspect/inspect.h"
#include "pg/hba_diff.h"

static bool load(const char *path, unsigned major, struct hba **out, struct ps_err *err)
{
    PS_AUTO(hba_freep) struct hba *hba = NULL;

    if (!hba_load(&inspect_files, path, major, &hba, err))
        return false;
    if (hba_problems(hba) > 0) {
        const struct hba_problem *problem = hba_problem(hba, 0);

        ps_fail(err, PS_E_SYNTAX, _("PostgreSQL %u refuses the file \"%s\""), major, path);
        ps_detail(err, "%s", problem->what);
        ps_hint(err, "%s", problem->hint ? problem->hint : "");
        return ps_at(err, problem->file, problem->line, problem->column);
    }
    *out = PS_TAKE(hba);
    return true;
}

static enum doc_mark mark_of(enum diff_change change)
{
    static const enum doc_mark marks[] = {
        [DIFF_GAINS] = DOC_WARN, [DIFF_LOSES] = DOC_PLAIN, [DIFF_TO_PLAIN] = DOC_BAD,
        [DIFF_TO_TLS] = DOC_GOOD, [DIFF_WEAKER] = DOC_BAD, [DIFF_STRONGER] = DOC_GOOD,
        [DIFF_OTHER] = DOC_PLAIN,
    };

    return marks[change];
}

static bool is_easier(enum diff_change change)
{
    return change == DIFF_GAINS || change == DIFF_TO_PLAIN || change == DIFF_WEAKER;
}

static void put_line(struct doc_node *row, const char *line_key, const char *method_key,
                     const char *label, const struct hba_rule *rule)
{
    doc_fmt(row, method_key, label, "%s", rule ? rule->method : _("no line"));
    if (rule)
        doc_aside(doc_int(row, line_key, _("Line"), rule->line));
    else
        doc_aside(doc_str(row, line_key, _("Line"), NULL));
}

static void describe_row(struct doc_node *table, const struct diff_row *row)
{
    static const char *const words[] = { [REACH_LOCAL] = "local", [REACH_PLAIN] = "plaintext",
                                         [REACH_TLS] = "tls", [REACH_GSS] = "gss" };
    static const char *const texts[] = { [REACH_LOCAL] = N_("Unix socket"),
                                         [REACH_PLAIN] = N_("plaintext"), [REACH_TLS] = "TLS",
                                         [REACH_GSS] = "GSS" };
    struct doc_node *node = doc_row(table);

    doc_verdict(node, "change", _("Change"), mark_of(row->change), diff_change_word(row->change),
                diff_change_text(row->change));
    doc_str(node, "role", _("Role"), row->roles);
    doc_str(node, "database", _("Database"), row->databases);
    doc_str(node, "from", _("From"), row->nets[0] ? row->nets : NULL);
    doc_verdict(node, "connection", _("By"), DOC_PLAIN, words[row->kind], _(texts[row->kind]));
    doc_str(node, "given", _("If"), row->given);
    put_line(node, "before_line", "before_method", _("Before"), row->before);
    put_line(node, "after_line", "after_method", _("After"), row->after);
}

static void describe(const struct diff *diff, struct doc_node *root)
{
    struct doc_node *table;

    if (!diff->sure)
        doc_verdict(root, "verdict", _("Result"), DOC_WARN, "uncertain",
                    _("there may be more than is shown: too much of it depends on what is not known"));
    else if (diff->len == 0)
        doc_verdict(root, "verdict", _("Result"), DOC_GOOD, "same",
                    _("no difference in access, whoever connects from wherever"));
    else
        doc_verdict(root, "verdict", _("Result"), DOC_WARN, "different", _("access differs"));
    table = doc_table(root, "changes", _("Who gets in otherwise than before"), NULL);
    for (size_t i = 0; i < diff->len; i++)
        describe_row(table, &diff->rows[i]);
}

bool check_diff(const char *before, const char *after, unsigned major, struct cli_run *run,
                struct ps_err *err)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(hba_freep) struct hba *one = NULL;
    PS_AUTO(hba_freep) struct hba *other = NULL;
    struct diff diff;

    if (!load(before, major, &one, err) || !load(after, major, &other, err))
        return false;
    hba_diff(one, other, NULL, arena, &diff);

    run->doc = doc_new("check", _("Two pg_hba.conf compared as access"));
    doc_str(doc_root(run->doc), "before", _("Before"), before);
    doc_str(doc_root(run->doc), "after", _("After"), after);
    describe(&diff, doc_root(run->doc));
    for (size_t i = 0; i < diff.len; i++)
        if (is_easier(diff.rows[i].change))
            run->status = PS_EXIT_FINDINGS;
    return true;
}
