/* undo.c - put the files of a transaction back (see journal.h). */
#include <dirent.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "secure/journal.h"

enum found { FOUND_OLD, FOUND_NEW, FOUND_OTHER };

/* What a file holds now, told by its digest. */
static bool look(const struct txn_change *change, struct buf *now, enum found *found,
                 struct ps_err *err)
{
    char sha[DIGEST_HEX];

    if (!file_read(change->path, FILE_CONF_MAX, now, err)) {
        if (err->code != PS_E_NOT_FOUND)
            return false;
        ps_err_clear(err);
        *found = change->existed ? FOUND_OTHER : FOUND_OLD;
        return true;
    }
    digest_sha256_hex(buf_text(now), now->len, sha);
    if (change->existed && strcmp(sha, change->before_sha) == 0)
        *found = FOUND_OLD;
    else
        *found = strcmp(sha, change->after_sha) == 0 ? FOUND_NEW : FOUND_OTHER;
    return true;
}

static bool fail_theirs(const struct txn *txn, size_t i, struct ps_err *err)
{
    ps_fail(err, PS_E_UNSAFE, _("file \"%s\" was changed after pgseal had written it"),
            txn->changes[i].path);
    ps_detail(err, _("Taking it back would lose that change. The bytes from before pgseal are in "
                     "\"%s/before-%zu\". Nothing was touched."), txn->dir, i);
    return ps_hint(err, _("Look at both, then run pgseal rollback --force: it keeps a copy of the "
                          "changed file in the same folder as theirs-%zu."), i);
}

/* Somebody changed the file after us: his work is not to be lost in silence. */
static bool keep_theirs(const struct txn *txn, size_t i, const struct user *owner,
                        const struct buf *now, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *copy = ps_asprintf("%s/theirs-%zu", txn->dir, i);
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(owner, &guard, err)
        || !file_write(copy, buf_text(now), now->len, 0600, err))
        return false;
    log_warn(_("\"%s\" was changed by somebody else; that version is kept in \"%s\""),
             txn->changes[i].path, copy);
    return true;
}

/* A crash may have left the new bytes under their name beside (see file.h). */
static void sweep_beside(const char *path)
{
    PS_AUTO(ps_freep) char *dir_name = path_dir(path);
    PS_AUTO(ps_freep) char *prefix = ps_asprintf(".%s.pgseal-", path_base(path));
    DIR *dir = opendir(dir_name);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0
            || strlen(entry->d_name) != strlen(prefix) + 6)
            continue;
        PS_AUTO(ps_freep) char *left = path_join(dir_name, entry->d_name);
        unlink(left);
    }
    if (dir)
        closedir(dir);
}

/* What the file of a change holds now, seen by whoever may change it. */
static bool look_as_actor(const struct txn_change *change, const struct user *actor,
                          struct buf *now, enum found *found, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(actor, &guard, err) && look(change, now, found, err);
}

static bool read_saved(const struct txn *txn, size_t i, const struct user *owner,
                       struct buf *saved, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/before-%zu", txn->dir, i);
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    char sha[DIGEST_HEX];

    if (!user_become(owner, &guard, err) || !file_read(path, FILE_CONF_MAX, saved, err))
        return false;
    digest_sha256_hex(buf_text(saved), saved->len, sha);
    if (strcmp(sha, txn->changes[i].before_sha) == 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the saved copy \"%s\" is damaged"), path);
    return ps_hint(err, _("Restore \"%s\" from a backup."), txn->changes[i].path);
}

/* A file that somebody removed is made again as the server's own, or it could not read it. */
static bool write_back(const char *path, const struct buf *bytes, const struct user *owner,
                       struct ps_err *err)
{
    const struct file_attr fresh = { 0600, owner->uid, owner->gid };
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    return file_edit_begin(path, &fresh, &edit, err)
        && file_edit_put(edit, buf_text(bytes), bytes->len, err)
        && file_edit_commit(&edit, err);
}

static bool put_back(const struct txn *txn, size_t i, const struct user *owner,
                     const struct user *actor, struct ps_err *err)
{
    const struct txn_change *change = &txn->changes[i];
    PS_AUTO(buf_free) struct buf saved = BUF(FILE_CONF_MAX);

    if (change->existed && !read_saved(txn, i, owner, &saved, err))
        return false;

    PS_AUTO(user_return) struct user_guard guard = { 0 };
    if (!user_become(actor, &guard, err))
        return false;
    sweep_beside(change->path);
    return change->existed ? write_back(change->path, &saved, owner, err)
                           : file_remove(change->path, err);
}

static bool undo_one(const struct txn *txn, size_t i, const struct user *owner, struct ps_err *err)
{
    const struct txn_change *change = &txn->changes[i];
    PS_AUTO(ps_freep) char *dir = path_dir(change->path);
    PS_AUTO(buf_free) struct buf now = BUF(FILE_CONF_MAX);
    struct user actor;
    enum found found;

    plan_actor(owner, dir, &actor);
    if (!look_as_actor(change, &actor, &now, &found, err))
        return false;
    if (found == FOUND_OTHER && i >= txn->reached)
        return true;        /* it was changed before our turn came: that is why we go back */
    if (found == FOUND_OTHER && !keep_theirs(txn, i, owner, &now, err))
        return false;
    if (found == FOUND_OLD) {
        PS_AUTO(user_return) struct user_guard guard = { 0 };
        if (!user_become(&actor, &guard, err))
            return false;
        sweep_beside(change->path);
        return true;
    }
    return put_back(txn, i, owner, &actor, err);
}

bool txn_may_undo(const struct txn *txn, const struct user *owner, struct ps_err *err)
{
    for (size_t i = 0; i < txn->len; i++) {
        const struct txn_change *change = &txn->changes[i];
        PS_AUTO(ps_freep) char *dir = path_dir(change->path);
        PS_AUTO(buf_free) struct buf now = BUF(FILE_CONF_MAX);
        struct user actor;
        enum found found;

        plan_actor(owner, dir, &actor);
        if (!look_as_actor(change, &actor, &now, &found, err))
            return false;
        if (found == FOUND_OTHER)
            return fail_theirs(txn, i, err);
    }
    return true;
}

static bool is_tls_file(const struct txn *txn, size_t i)
{
    PS_AUTO(ps_freep) char *state_dir = path_dir(txn->dir);
    PS_AUTO(ps_freep) char *tls = path_join(state_dir, "tls/");

    return !txn->changes[i].existed && strncmp(txn->changes[i].path, tls, strlen(tls)) == 0;
}

bool txn_undo(const struct txn *txn, const struct user *owner, bool tls, struct ps_err *err)
{
    for (size_t i = txn->len; i-- > 0; )
        if (is_tls_file(txn, i) == tls && !undo_one(txn, i, owner, err))
            return false;
    return true;
}
