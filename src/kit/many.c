/* many.c - see many.h. */
#include "kit/many.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "kit/kit.h"

struct folder {
    char *part, *name;          /* inside of DIR: filled as, and renamed to */
};

struct many {
    char *dir;
    int fd;                     /* of dir */
    struct buf trust, crl;
    struct folder *folders;     /* of the group that is not committed */
    size_t len, cap;
};

static void forget_group(struct many *many)
{
    for (size_t i = 0; i < many->len; i++) {
        free(many->folders[i].part);
        free(many->folders[i].name);
    }
    many->len = 0;
}

void many_free(struct many *many)
{
    for (size_t i = 0; i < many->len; i++) {
        PS_AUTO(ps_freep) char *path = path_join(many->dir, many->folders[i].part);

        dir_remove_all(path);
    }
    forget_group(many);
    free(many->folders);
    buf_free(&many->trust);
    buf_free(&many->crl);
    if (many->fd >= 0)
        close(many->fd);
    free(many->dir);
    free(many);
}

bool many_open(const char *dir, const struct buf *trust, const struct buf *crl, struct many **out,
               struct ps_err *err)
{
    PS_AUTO(many_freep) struct many *many = ps_calloc(1, sizeof(*many));
    bool made;

    many->fd = -1;
    many->trust = BUF(FILE_CONF_MAX);
    many->crl = BUF(BUF_TEXT_MAX);
    buf_put(&many->trust, buf_text(trust), trust->len);
    buf_put(&many->crl, buf_text(crl), crl->len);
    if (!path_absolute(dir, &many->dir, err) || !dir_ensure(many->dir, 0700, &made, err))
        return false;
    many->fd = open(many->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (many->fd < 0)
        return ps_fail(err, PS_E_IO, _("could not open folder \"%s\": %m"), many->dir);
    *out = PS_TAKE(many);
    return true;
}

bool many_has(const struct many *many, const char *role)
{
    PS_AUTO(ps_freep) char *name = kit_folder_name(role);
    struct stat st;

    return fstatat(many->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- one folder ---- */

static bool fail_io(const struct many *many, const char *part, const char *name,
                    struct ps_err *err)
{
    return ps_fail(err, PS_E_IO, _("could not write file \"%s/%s/%s\": %m"), many->dir, part, name);
}

static bool write_fd(int fd, const char *bytes, size_t len)
{
    for (size_t done = 0; done < len; ) {
        ssize_t n = write(fd, bytes + done, len - done);

        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool put_file(const struct many *many, const char *part, const char *name,
                     const char *bytes, size_t len, mode_t mode, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/%s", part, name);
    int fd = openat(many->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    bool good = fd >= 0 && (mode == 0600 || fchmod(fd, mode) == 0) && write_fd(fd, bytes, len);

    if (fd >= 0 && close(fd) != 0)
        good = false;
    return good || fail_io(many, part, name, err);
}

/* What a run that was killed left under this name goes first. */
static bool new_part(struct many *many, const char *part, struct ps_err *err)
{
    if (mkdirat(many->fd, part, 0700) == 0)
        return true;
    if (errno == EEXIST) {
        PS_AUTO(ps_freep) char *path = path_join(many->dir, part);

        dir_remove_all(path);
        if (mkdirat(many->fd, part, 0700) == 0)
            return true;
    }
    return ps_fail(err, PS_E_IO, _("could not make folder \"%s/%s\": %m"), many->dir, part);
}

bool many_put(struct many *many, const char *role, const char *chain_pem, size_t chain_len,
              const struct secret *key_pem, struct ps_err *err)
{
    char *name = kit_folder_name(role), *part = ps_asprintf(".%s.pgseal-part", name);

    PS_PUSH(many->folders, many->len, many->cap) = (struct folder){ part, name };
    return new_part(many, part, err)
        && put_file(many, part, "postgresql.key", key_pem->p, key_pem->len, 0600, err)
        && put_file(many, part, "postgresql.crt", chain_pem, chain_len, 0644, err)
        && put_file(many, part, "root.crt", buf_text(&many->trust), many->trust.len, 0644, err)
        && put_file(many, part, "root.crl", buf_text(&many->crl), many->crl.len, 0644, err);
}

/* ---- the group ---- */

static bool fail_sync(const struct many *many, struct ps_err *err)
{
    return ps_fail(err, PS_E_IO, _("could not write out folder \"%s\": %m"), many->dir);
}

bool many_commit(struct many *many, struct ps_err *err)
{
    if (many->len == 0)
        return true;
    if (syncfs(many->fd) != 0)
        return fail_sync(many, err);
    for (size_t i = 0; i < many->len; i++)
        if (renameat2(many->fd, many->folders[i].part, many->fd, many->folders[i].name,
                      RENAME_NOREPLACE) != 0)
            return ps_fail(err, PS_E_IO, _("could not rename folder \"%s/%s\": %m"), many->dir,
                           many->folders[i].part);
    forget_group(many);
    return fsync(many->fd) == 0 || fail_sync(many, err);
}
