/* file.c - see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/user.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- reading ---- */

static bool fail_open(const char *path, struct ps_err *err)
{
    enum ps_code code = errno == ENOENT || errno == ENOTDIR ? PS_E_NOT_FOUND : PS_E_IO;

    ps_fail(err, code, _("could not open file \"%s\": %m"), path);
    return ps_at(err, path, 0, 0);
}

static bool read_all(int fd, const char *path, struct buf *out, struct ps_err *err)
{
    char block[32 * 1024];

    for (;;) {
        ssize_t got = read(fd, block, sizeof(block));

        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ps_fail(err, PS_E_IO, _("could not read file \"%s\": %m"), path);
        if (!buf_put(out, block, (size_t)got)) {
            ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is too big"), path);
            return ps_detail(err, _("It has more than %zu bytes."), out->max);
        }
    }
    explicit_bzero(block, sizeof(block));       /* it may have been a private key */
    return true;
}

bool file_read(const char *path, size_t max, struct buf *out, struct ps_err *err)
{
    /* O_NONBLOCK: a named pipe must not hang us before we can see that it is one */
    PS_AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return fail_open(path, err);
    if (fstat(fd, &st) != 0)
        return ps_fail(err, PS_E_IO, _("could not stat file \"%s\": %m"), path);
    if (!S_ISREG(st.st_mode)) {
        ps_fail(err, PS_E_IO, _("\"%s\" is not a regular file"), path);
        return ps_at(err, path, 0, 0);
    }

    buf_free(out);
    out->max = max;
    return read_all(fd, path, out, err);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_is_stream(const char *path)
{
    struct stat st, name;

    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return false;
    /* /dev/stdout is a link to whatever it is; a file in /dev/shm is a file */
    return !S_ISREG(st.st_mode)
        || (strncmp(path, "/dev/", 5) == 0 && lstat(path, &name) == 0 && S_ISLNK(name.st_mode));
}

bool file_attr_read(const char *path, struct file_attr *out, struct ps_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fail_open(path, err);
    *out = (struct file_attr){ .mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid };
    return true;
}

/* ---- the transaction on one file ---- */

struct file_edit {
    char *path;         /* the file itself, links resolved */
    char *beside;       /* the name it is written under */
    int fd;             /* of `beside` */
    bool existed;
    struct stat was;    /* the old file, to notice that somebody else changed it */
};

static const char label_xattr[] = "security.selinux";
static const char acl_xattr[] = "system.posix_acl_access";

static bool resolve_link(const char *path, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *real = realpath(path, NULL);
    struct stat st;

    if (!real && errno != ENOENT)
        return fail_open(path, err);
    if (!real && lstat(path, &st) == 0) {       /* a link: a file in its place is not what was meant */
        ps_fail(err, PS_E_NOT_FOUND, _("symbolic link \"%s\" points to nothing"), path);
        return ps_at(err, path, 0, 0);
    }
    *out = real ? PS_TAKE(real) : ps_strdup(path);
    return true;
}

static void copy_label(const char *from, int to)
{
    char label[256];
    ssize_t len = getxattr(from, label_xattr, label, sizeof(label));

    /* no SELinux here, or not ours to set: the folder's default label is then the right one */
    if (len > 0 && fsetxattr(to, label_xattr, label, (size_t)len, 0) != 0)
        errno = 0;
}

/* It may be the only thing by which the server can read the file: without it there is no new one. */
static bool copy_acl(const char *from, int to, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *acl = ps_malloc(XATTR_SIZE_MAX);
    ssize_t len = getxattr(from, acl_xattr, acl, XATTR_SIZE_MAX);

    if (len <= 0 || fsetxattr(to, acl_xattr, acl, (size_t)len, 0) == 0)
        return true;
    return ps_fail(err, PS_E_IO, _("could not keep the access control list of file \"%s\": %m"),
                   from);
}

static bool set_mode(int fd, const char *path, mode_t mode, struct ps_err *err)
{
    return fchmod(fd, mode) == 0
        || ps_fail(err, PS_E_IO, _("could not set the mode of file \"%s\": %m"), path);
}

static bool set_owner(int fd, const char *path, const struct file_attr *attr, struct ps_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return ps_fail(err, PS_E_IO, _("could not stat file \"%s\": %m"), path);

    bool other = (attr->uid != (uid_t)-1 && attr->uid != st.st_uid)
              || (attr->gid != (gid_t)-1 && attr->gid != st.st_gid);
    if (!other || user_give(fd, attr->uid, attr->gid))
        return true;
    ps_fail(err, PS_E_IO, _("could not keep the owner of file \"%s\": %m"), path);
    return ps_hint(err, _("Run pgseal as root, or as the owner of that file."));
}

bool file_edit_begin(const char *path, const struct file_attr *fresh, struct file_edit **out,
                     struct ps_err *err)
{
    PS_AUTO(file_edit_freep) struct file_edit *edit = ps_calloc(1, sizeof(*edit));

    edit->fd = -1;
    if (!resolve_link(path, &edit->path, err))
        return false;

    edit->existed = stat(edit->path, &edit->was) == 0;
    if (!edit->existed && (errno != ENOENT || !fresh))
        return fail_open(path, err);
    if (edit->existed && !S_ISREG(edit->was.st_mode))
        return ps_fail(err, PS_E_IO, _("\"%s\" is not a regular file"), path);

    PS_AUTO(ps_freep) char *dir = path_dir(edit->path);
    PS_AUTO(ps_freep) char *beside =
        ps_asprintf("%s/.%s.pgseal-XXXXXX", dir, path_base(edit->path));

    edit->fd = mkostemp(beside, O_CLOEXEC);     /* 0600 from its first instant */
    if (edit->fd < 0)
        return ps_fail(err, PS_E_IO, _("could not write in folder \"%s\": %m"), dir);
    edit->beside = PS_TAKE(beside);

    struct file_attr keep = { edit->was.st_mode & 07777, edit->was.st_uid, edit->was.st_gid };
    const struct file_attr *attr = edit->existed ? &keep : fresh;
    /* the owner last: he who gives a file away may not change it any more */
    if (edit->existed)
        copy_label(edit->path, edit->fd);
    if (!set_mode(edit->fd, edit->path, attr->mode, err)
        || (edit->existed && !copy_acl(edit->path, edit->fd, err))
        || !set_owner(edit->fd, edit->path, attr, err))
        return false;

    *out = PS_TAKE(edit);
    return true;
}

bool file_edit_put(struct file_edit *edit, const void *bytes, size_t len, struct ps_err *err)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t put = write(edit->fd, p, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ps_fail(err, PS_E_IO, _("could not write file \"%s\": %m"), edit->path);
        p += put;
        len -= (size_t)put;
    }
    return true;
}

static bool changed_since(const struct file_edit *edit)
{
    struct stat now;
    bool exists = stat(edit->path, &now) == 0;

    if (exists != edit->existed)
        return true;
    return exists && (now.st_ino != edit->was.st_ino || now.st_size != edit->was.st_size
                      || now.st_mtim.tv_sec != edit->was.st_mtim.tv_sec
                      || now.st_mtim.tv_nsec != edit->was.st_mtim.tv_nsec);
}

bool file_edit_commit(struct file_edit **pedit, struct ps_err *err)
{
    struct file_edit *edit = *pedit;

    if (fsync(edit->fd) != 0)
        return ps_fail(err, PS_E_IO, _("could not sync file \"%s\": %m"), edit->path);
    if (changed_since(edit)) {
        ps_fail(err, PS_E_BUSY, _("file \"%s\" was changed by somebody else meanwhile"),
                edit->path);
        return ps_hint(err, _("Nothing of it was touched; run the command again."));
    }
    if (rename(edit->beside, edit->path) != 0)
        return ps_fail(err, PS_E_IO, _("could not rename \"%s\" to \"%s\": %m"), edit->beside,
                       edit->path);
    ps_freep(&edit->beside);

    PS_AUTO(ps_freep) char *dir = path_dir(edit->path);
    bool synced = dir_sync(dir, err);
    file_edit_freep(pedit);
    return synced;
}

void file_edit_free(struct file_edit *edit)
{
    if (edit->beside)
        unlink(edit->beside);
    close_fd(&edit->fd);
    free(edit->beside);
    free(edit->path);
    free(edit);
}

bool file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct ps_err *err)
{
    const struct file_attr fresh = { mode, (uid_t)-1, (gid_t)-1 };
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    return file_edit_begin(path, &fresh, &edit, err)
        && file_edit_put(edit, bytes, len, err)
        && file_edit_commit(&edit, err);
}

bool file_check_place(const char *path, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = path_dir(path);

    if (file_is_dir(path))
        return ps_fail(err, PS_E_IO, _("\"%s\" is not a regular file"), path);
    if (file_is_stream(path))
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0
            || ps_fail(err, PS_E_IO, _("could not write file \"%s\": %m"), path);
    if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) != 0)
        return ps_fail(err, PS_E_IO, _("could not write in folder \"%s\": %m"), dir);
    return true;
}

bool file_remove(const char *path, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = path_dir(path);

    if (unlink(path) != 0 && errno != ENOENT)
        return ps_fail(err, PS_E_IO, _("could not remove file \"%s\": %m"), path);
    return !file_is_dir(dir) || dir_sync(dir, err);
}

/* ---- folders ---- */

bool dir_sync(const char *path, struct ps_err *err)
{
    PS_AUTO(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return ps_fail(err, PS_E_IO, _("could not sync folder \"%s\": %m"), path);
    return true;
}

bool dir_ensure(const char *path, mode_t mode, bool *made, struct ps_err *err)
{
    bool made_here = false;

    if (file_is_dir(path)) {
        if (made)
            *made = false;
        return true;
    }

    PS_AUTO(ps_freep) char *parent = path_dir(path);
    if (strcmp(parent, path) != 0 && !dir_ensure(parent, 0755, NULL, err))
        return false;

    if (mkdir(path, mode) == 0)
        made_here = true;
    else if (errno != EEXIST || !file_is_dir(path))
        return ps_fail(err, PS_E_IO, _("could not make folder \"%s\": %m"), path);
    /* the umask may have narrowed what others may do in a parent; never what the owner asked for */
    if (made_here && chmod(path, mode) != 0)
        return ps_fail(err, PS_E_IO, _("could not set the mode of folder \"%s\": %m"), path);
    if (made)
        *made = made_here;
    return dir_sync(parent, err);
}

bool dir_temp(char **path, struct ps_err *err)
{
    const char *base = getenv("TMPDIR");
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s/pgseal-XXXXXX", base && *base ? base : "/tmp");

    if (!mkdtemp(name))
        return ps_fail(err, PS_E_IO, _("could not make a temporary folder \"%s\": %m"), name);
    *path = PS_TAKE(name);
    return true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    if (remove(path) != 0)
        errno = 0;      /* what cannot be removed stays; the rest goes on */
    return 0;
}

void dir_remove_all(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- locks ---- */

struct file_lock {
    int fd;
};

static bool fail_busy(int fd, const char *path, struct ps_err *err)
{
    char holder[32] = "";
    ssize_t got = pread(fd, holder, sizeof(holder) - 1, 0);

    holder[got > 0 ? strcspn(holder, "\n") : 0] = '\0';
    ps_fail(err, PS_E_BUSY, _("another pgseal is at work here"));
    ps_detail(err, _("Process %s holds the lock \"%s\"."), holder[0] ? holder : "?", path);
    return ps_hint(err, _("Wait until it has ended, then run the command again."));
}

bool lock_take(const char *path, struct file_lock **out, struct ps_err *err)
{
    PS_AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return ps_fail(err, PS_E_IO, _("could not open lock file \"%s\": %m"), path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail_busy(fd, path, err);
        return ps_fail(err, PS_E_IO, _("could not lock file \"%s\": %m"), path);
    }

    char pid[32];
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        return ps_fail(err, PS_E_IO, _("could not write lock file \"%s\": %m"), path);

    struct file_lock *lock = ps_calloc(1, sizeof(*lock));
    lock->fd = fd;
    fd = -1;
    *out = lock;
    return true;
}

void lock_free(struct file_lock *lock)
{
    close(lock->fd);    /* the lock goes with the descriptor; the file stays, or two could hold it */
    free(lock);
}

/* ---- names ---- */

char *path_join(const char *dir, const char *name)
{
    if (name[0] == '/')
        return ps_strdup(name);
    size_t len = strlen(dir);
    return ps_asprintf("%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
}

char *path_dir(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len == 0)
        return ps_strdup(".");
    while (len > 1 && path[len - 1] == '/')
        len--;
    return ps_strndup(path, len);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool path_absolute(const char *path, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *real = realpath(path, NULL);

    if (real) {
        *out = PS_TAKE(real);
        return true;
    }

    /* it does not exist yet, but a part of its way may lead through links */
    PS_AUTO(ps_freep) char *name = ps_strdup(path);
    for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; )
        name[--len] = '\0';
    PS_AUTO(ps_freep) char *dir = path_dir(name);
    PS_AUTO(ps_freep) char *full = NULL;
    if (strcmp(dir, name) == 0)
        return ps_fail(err, PS_E_IO, _("could not tell the current folder: %m"));
    if (!path_absolute(dir, &full, err))
        return false;
    *out = path_join(full, path_base(name));
    return true;
}
