/* rules.c - see rules.h. */
#include "secure/rules.h"

#include "inspect/inspect.h"

/* The files of this machine, but those that were edited as they will be. */
static bool read_edited(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct hba *edited = arg;

    for (size_t i = 0; i < hba_files(edited); i++) {
        if (strcmp(hba_file_name(edited, i), path) != 0 || !hba_file_edited(edited, i))
            continue;
        buf_free(out);
        out->max = HBA_MAX_BYTES;
        hba_file_text(edited, i, out);
        return true;
    }
    return inspect_files.read(inspect_files.arg, path, out, err);
}

static bool read_back(const struct server *server, struct hba *edited, struct hba **then,
                      struct ps_err *err)
{
    const struct pg_source source = { edited, read_edited, inspect_files.list };
    PS_AUTO(hba_freep) struct hba *hba = NULL;

    if (!hba_load(&source, server->hba_file, server->major, &hba, err))
        return false;
    if (hba_problems(hba)) {
        const struct hba_problem *problem = hba_problem(hba, 0);

        ps_fail(err, PS_E_BUG, _("the edited access rules would not be understood: %s"),
                problem->what);
        return ps_at(err, problem->file, problem->line, problem->column);
    }
    *then = PS_TAKE(hba);
    return true;
}

bool rules_plan(const struct server *server, const struct policy_set *set, struct plan *plan,
                struct hba **then, struct ps_err *err)
{
    PS_AUTO(hba_freep) struct hba *edited = NULL;

    if (!hba_load(&inspect_files, server->hba_file, server->major, &edited, err)
        || (set && !policy_apply(set, edited, err)))
        return false;
    for (size_t i = 0; i < hba_files(edited); i++) {
        PS_AUTO(buf_free) struct buf text = BUF(HBA_MAX_BYTES);

        if (!hba_file_edited(edited, i))
            continue;
        hba_file_text(edited, i, &text);
        if (!plan_want(plan, &server->owner, hba_file_name(edited, i), _("access rules"),
                       buf_text(&text), text.len, 0600, false, err))
            return false;
    }
    return read_back(server, edited, then, err);
}
