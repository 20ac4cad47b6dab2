/* plan.c - see plan.h. */
#include "secure/plan.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "secure/hide.h"

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->len; i++) {
        free(plan->changes[i].path);
        buf_free(&plan->changes[i].before);
        secret_free(&plan->changes[i].after);
    }
    free(plan->changes);
    *plan = (struct plan){ 0 };
}

void plan_actor(const struct user *owner, const char *dir, struct user *out)
{
    user_current(out);
    if (out->uid != 0 || owner->uid == 0)
        return;
    if (!file_exists(dir)) {        /* it will be made for the owner (state_dir_ensure) */
        *out = *owner;
        return;
    }

    PS_AUTO(user_return) struct user_guard guard = { 0 };
    struct ps_err ignored = { 0 };
    if (user_become(owner, &guard, &ignored) && faccessat(AT_FDCWD, dir, W_OK, AT_EACCESS) == 0)
        *out = *owner;
}

static bool read_before(struct change *change, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(&change->actor, &guard, err))
        return false;
    change->existed = file_read(change->path, FILE_CONF_MAX, &change->before, err);
    if (!change->existed && err->code != PS_E_NOT_FOUND)
        return false;
    ps_err_clear(err);
    return true;
}

static void change_free(struct change *change)
{
    free(change->path);
    buf_free(&change->before);
    secret_free(&change->after);
}

bool plan_want(struct plan *plan, const struct user *owner, const char *path, const char *what,
               const void *bytes, size_t len, mode_t mode, bool is_key, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = path_dir(path);
    struct change change = {
        .path = ps_strdup(path), .what = what, .mode = mode, .is_key = is_key,
        .before = BUF(FILE_CONF_MAX),
    };

    plan_actor(owner, dir, &change.actor);
    if (!read_before(&change, err)) {
        change_free(&change);
        return false;
    }
    if (change.existed && change.before.len == len
        && memcmp(buf_text(&change.before), bytes, len) == 0) {
        change_free(&change);
        return true;
    }

    secret_set(&change.after, bytes, len);
    if (change.existed)
        digest_sha256_hex(buf_text(&change.before), change.before.len, change.before_sha);
    digest_sha256_hex(bytes, len, change.after_sha);
    PS_PUSH(plan->changes, plan->len, plan->cap) = change;
    return true;
}

/* The plan was made from these bytes: what somebody wrote since must not be lost. */
static bool is_as_planned(const struct change *change, struct ps_err *err)
{
    PS_AUTO(buf_wipe) struct buf now = BUF(FILE_CONF_MAX);      /* it may be a key */
    char sha[DIGEST_HEX] = "";

    if (file_read(change->path, FILE_CONF_MAX, &now, err))
        digest_sha256_hex(buf_text(&now), now.len, sha);
    else if (err->code != PS_E_NOT_FOUND)
        return false;
    ps_err_clear(err);
    if (strcmp(sha, change->before_sha) == 0)
        return true;
    ps_fail(err, PS_E_BUSY, _("file \"%s\" was changed by somebody else meanwhile"), change->path);
    return ps_hint(err, _("Run the command again."));
}

bool change_do(const struct change *change, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(&change->actor, &guard, err) && is_as_planned(change, err)
        && file_write(change->path, change->after.p, change->after.len, change->mode, err);
}

void plan_base(const struct plan *plan, char out[DIGEST_HEX])
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < plan->len; i++)
        if (plan->changes[i].existed)
            buf_printf(&text, "%s %s\n", plan->changes[i].before_sha, plan->changes[i].path);
    digest_sha256_hex(buf_text(&text), text.len, out);
}

/* ---- for people ---- */

/* diff(1) is on every system that has PostgreSQL; without it the table alone must do. */
static void describe_difference(const struct change *change, struct doc_node *section)
{
    PS_AUTO(ps_freep) char *old_label = ps_asprintf("--label=%s", change->path);
    PS_AUTO(ps_freep) char *new_label = ps_asprintf("--label=%s (new)", change->path);
    const char *argv[] = { "diff", "-u", old_label, new_label,
                           change->existed ? change->path : "/dev/null", "-", NULL };
    const struct proc_spec spec = { .argv = argv, .as = &change->actor,
                                    .input = change->after.p };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    PS_AUTO(buf_free) struct buf shown = BUF(BUF_TEXT_MAX);
    struct ps_err ignored = { 0 };

    if (!proc_run(&spec, &result, &ignored) || result.status != 1)
        return;
    hide_passwords(buf_text(&result.out), &shown);
    doc_block(section, NULL, NULL, buf_text(&shown));
}

static bool is_text_of_ours(const struct change *change)
{
    size_t len = strlen(change->path);

    return !change->is_key && len > 5 && strcmp(change->path + len - 5, ".conf") == 0;
}

void plan_describe(const struct plan *plan, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "changes", _("Changes"), _("nothing to change"));

    for (size_t i = 0; i < plan->len; i++) {
        const struct change *change = &plan->changes[i];
        struct doc_node *row = doc_row(table);

        doc_verdict(row, "action", _("Action"), DOC_PLAIN, change->existed ? "replace" : "create",
                    change->existed ? _("replace") : _("create"));
        doc_str(row, "what", _("What"), change->what);
        doc_str(row, "path", _("File"), change->path);
        doc_fmt(row, "mode", _("Mode"), "%04o", (unsigned)change->mode);
        doc_str(row, "by", _("By"), change->actor.name);
    }
    for (size_t i = 0; i < plan->len; i++)
        if (is_text_of_ours(&plan->changes[i]))
            describe_difference(&plan->changes[i], section);
}
