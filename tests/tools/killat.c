/*
 * killat.c - preloaded into pgseal by the tests: kill it, or make a call fail, at an exact point.
 *
 * Counts the calls that change the state of files below the folders of interest, and every signal
 * sent.  What somebody sees afterwards can differ only at these points, so killing before and after
 * each of them covers every crash there is.
 *
 *   KILLAT_UNDER=/a:/b     folders of interest
 *   KILLAT_LOG=file        append "number <tab> call <tab> path <tab> mode, other path or signal"
 *   KILLAT_AT=n            SIGKILL just before call n; with KILLAT_AFTER=1 just after it
 *   KILLAT_FAIL=n:ENOSPC   call n fails so; "n+:" it and all later ones that can fail that way
 *   KILLAT_NAME=name       of the program to act in (default: pgseal)
 *
 * Acts in that program only, not in its children: LD_PRELOAD leaves the environment at load, and a
 * child between fork and exec is left alone.
 */
#undef _FILE_OFFSET_BITS    /* open and open64 are two names here, each with its own wrapper */
#undef _FORTIFY_SOURCE      /* and nothing stands before them */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What glibc's fortified headers call in place of open(). */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

#define PATH_ROOM (2 * PATH_MAX)

enum { MAKES = 1, ALTERS = 2, SYNCS = 4, SIGNALS = 8 };     /* what a call does: see `faults` */

static const struct fault {
    const char *name;
    int number;
    int hits;       /* kinds of calls that can fail so */
} faults[] = {
    { "ENOSPC", ENOSPC, MAKES | SYNCS },
    { "EDQUOT", EDQUOT, MAKES | SYNCS },
    { "EACCES", EACCES, MAKES | ALTERS },
    { "EROFS", EROFS, MAKES | ALTERS },
    { "EIO", EIO, MAKES | ALTERS | SYNCS },
};

static pid_t target;            /* 0: this process is none of ours */
static int log_fd = -1;
static long count, kill_at, fail_at;
static bool kill_after, fail_on;
static const struct fault *fault;
static const char *under;

static long number(const char *text)
{
    return text ? strtol(text, NULL, 10) : 0;
}

static void read_fault(const char *text)
{
    const char *colon = text ? strchr(text, ':') : NULL;

    if (!colon || colon == text)
        return;
    fail_at = number(text);
    fail_on = colon[-1] == '+';
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (strcmp(faults[i].name, colon + 1) == 0)
            fault = &faults[i];
}

__attribute__((constructor)) static void load(void)
{
    const char *name = getenv("KILLAT_NAME"), *log = getenv("KILLAT_LOG");

    if (strcmp(program_invocation_short_name, name ? name : "pgseal") != 0)
        return;
    unsetenv("LD_PRELOAD");
    under = getenv("KILLAT_UNDER");
    kill_at = number(getenv("KILLAT_AT"));
    kill_after = number(getenv("KILLAT_AFTER")) != 0;
    read_fault(getenv("KILLAT_FAIL"));
    if (log)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log,
                              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    target = getpid();
}

static bool is_under(const char *path)
{
    for (const char *p = under; p && *p; p += strcspn(p, ":"), p += *p == ':') {
        size_t len = strcspn(p, ":");
        if (len > 0 && strncmp(path, p, len) == 0 && (path[len] == '/' || path[len] == '\0'))
            return true;
    }
    return false;
}

/* The path behind a descriptor; AT_FDCWD: the working folder. */
static void path_of_fd(int fd, char *out, size_t room)
{
    char link[64];

    if (fd == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, room - 1);
    out[len < 0 ? 0 : len] = '\0';
}

static void path_at(int dir, const char *path, char *out, size_t room)
{
    size_t len = 0;

    if (path[0] != '/') {
        path_of_fd(dir, out, room / 2);
        len = strlen(out);
        out[len++] = '/';
    }
    snprintf(out + len, room - len, "%s", path);
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
}

/*
 * A call that counts is about to happen.  Gives its number, 0 when it does not count, -1 when it
 * must fail, with errno set.
 */
static long enter(const char *call, int kind, const char *path, const char *more)
{
    if (target == 0 || getpid() != target
        || !(kind == SIGNALS || is_under(path) || (more[0] == '/' && is_under(more))))
        return 0;

    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    bool fails = fault && (fault->hits & kind) && (fail_on ? n >= fail_at : n == fail_at);
    if (log_fd >= 0)
        dprintf(log_fd, "%ld\t%s\t%s\t%s%s\n", n, call, path, more, fails ? "\tfailed" : "");
    if (n == kill_at && !kill_after)
        die();
    if (!fails)
        return n;
    errno = fault->number;
    return -1;
}

static void leave(long n)
{
    if (n > 0 && n == kill_at && kill_after)
        die();
}

static void *next(void **real, const char *name)
{
    if (!*real)
        *real = dlsym(RTLD_NEXT, name);
    return *real;
}

static const char *octal(char out[16], mode_t mode)
{
    snprintf(out, 16, "%04o", (unsigned)mode);
    return out;
}

/* Defines NAME: counts, unless the call must fail calls the real one, counts out. */
#define WRAP(type, name, params, args, failed, prepare, kind, path, more)                       \
    type name params                                                                            \
    {                                                                                           \
        static void *real;                                                                      \
        type(*call) params = (type(*) params)next(&real, #name);                                \
        prepare;                                                                                \
        long n = enter(#name, kind, path, more);                                                \
        if (n < 0)                                                                              \
            return failed;                                                                      \
        type result = call args;                                                                \
        leave(n);                                                                               \
        return result;                                                                          \
    }

#define AT(dir, path)                                                                           \
    char where[PATH_ROOM];                                                                      \
    path_at(dir, path, where, sizeof where)
#define AT_TWO(dir, path, dir2, path2)                                                          \
    AT(dir, path);                                                                              \
    char other[PATH_ROOM];                                                                      \
    path_at(dir2, path2, other, sizeof other)
#define OF_FD(fd)                                                                               \
    char where[PATH_ROOM];                                                                      \
    path_of_fd(fd, where, sizeof where)
#define MODE(mode)                                                                              \
    char bits[16];                                                                              \
    octal(bits, mode)

#define FD_CALL(type, name, params, args, kind)                                                 \
    WRAP(type, name, params, args, -1, OF_FD(fd), kind, where, "")
#define PATH_CALL(name, params, args, dir, kind)                                                \
    WRAP(int, name, params, args, -1, AT(dir, path), kind, where, "")
#define MODE_CALL(name, params, args, dir, kind)                                                \
    WRAP(int, name, params, args, -1, AT(dir, path); MODE(mode), kind, where, bits)
#define PAIR_CALL(name, params, args, dir, dir2)                                                \
    WRAP(int, name, params, args, -1, AT_TWO(dir, a, dir2, b), MAKES, where, other)
#define TEMP_CALL(name, params, args)                                                           \
    WRAP(int, name, params, args, -1, AT(AT_FDCWD, path), MAKES, where, "0600")

FD_CALL(ssize_t, write, (int fd, const void *p, size_t len), (fd, p, len), MAKES)
FD_CALL(ssize_t, writev, (int fd, const struct iovec *v, int len), (fd, v, len), MAKES)
FD_CALL(ssize_t, pwrite, (int fd, const void *p, size_t len, off_t at), (fd, p, len, at), MAKES)
FD_CALL(ssize_t, pwrite64, (int fd, const void *p, size_t len, off64_t at), (fd, p, len, at), MAKES)
FD_CALL(int, fsync, (int fd), (fd), SYNCS)
FD_CALL(int, fdatasync, (int fd), (fd), SYNCS)
FD_CALL(int, ftruncate, (int fd, off_t len), (fd, len), ALTERS)
FD_CALL(int, ftruncate64, (int fd, off64_t len), (fd, len), ALTERS)
FD_CALL(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), ALTERS)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, OF_FD(fd); MODE(mode), ALTERS, where, bits)

PAIR_CALL(rename, (const char *a, const char *b), (a, b), AT_FDCWD, AT_FDCWD)
PAIR_CALL(renameat, (int d, const char *a, int e, const char *b), (d, a, e, b), d, e)
PAIR_CALL(renameat2, (int d, const char *a, int e, const char *b, unsigned flags),
          (d, a, e, b, flags), d, e)
PAIR_CALL(link, (const char *a, const char *b), (a, b), AT_FDCWD, AT_FDCWD)
PAIR_CALL(linkat, (int d, const char *a, int e, const char *b, int flags), (d, a, e, b, flags),
          d, e)
WRAP(int, symlink, (const char *a, const char *b), (a, b), -1, AT(AT_FDCWD, b), MAKES, where, a)
WRAP(int, symlinkat, (const char *a, int d, const char *b), (a, d, b), -1, AT(d, b), MAKES, where,
     a)

PATH_CALL(unlink, (const char *path), (path), AT_FDCWD, ALTERS)
PATH_CALL(unlinkat, (int d, const char *path, int flags), (d, path, flags), d, ALTERS)
PATH_CALL(remove, (const char *path), (path), AT_FDCWD, ALTERS)
PATH_CALL(rmdir, (const char *path), (path), AT_FDCWD, ALTERS)
PATH_CALL(chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), AT_FDCWD, ALTERS)
PATH_CALL(lchown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), AT_FDCWD, ALTERS)
PATH_CALL(fchownat, (int d, const char *path, uid_t uid, gid_t gid, int flags),
          (d, path, uid, gid, flags), d, ALTERS)

MODE_CALL(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, MAKES)
MODE_CALL(mkdirat, (int d, const char *path, mode_t mode), (d, path, mode), d, MAKES)
MODE_CALL(chmod, (const char *path, mode_t mode), (path, mode), AT_FDCWD, ALTERS)
MODE_CALL(fchmodat, (int d, const char *path, mode_t mode, int flags), (d, path, mode, flags), d,
          ALTERS)

WRAP(char *, mkdtemp, (char *path), (path), NULL, AT(AT_FDCWD, path), MAKES, where, "0700")
TEMP_CALL(mkstemp, (char *path), (path))
TEMP_CALL(mkstemp64, (char *path), (path))
TEMP_CALL(mkostemp, (char *path, int flags), (path, flags))
TEMP_CALL(mkostemp64, (char *path, int flags), (path, flags))

int kill(pid_t pid, int sig)
{
    static void *real;
    int (*call)(pid_t, int) = (int (*)(pid_t, int))next(&real, "kill");
    char what[24];

    if (sig == 0)
        return call(pid, sig);      /* asks whether it lives: changes nothing */
    snprintf(what, sizeof what, "signal %d", sig);
    long n = enter("kill", SIGNALS, "process", what);
    int result = call(pid, sig);
    leave(n);
    return result;
}

/* open() counts when it can make or change a file. */
static int open_any(const char *name, int dir, const char *path, int flags, mode_t mode)
{
    static void *real;
    int (*call)(int, const char *, int, ...)
        = (int (*)(int, const char *, int, ...))next(&real, "openat");
    char where[PATH_ROOM], bits[16];
    long n = 0;

    if (flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC)) {
        path_at(dir, path, where, sizeof where);
        n = enter(name, flags & (O_CREAT | O_TRUNC) ? MAKES : ALTERS, where,
                  flags & O_CREAT ? octal(bits, mode) : "");
    }
    if (n < 0)
        return -1;
    int result = call(dir, path, flags, mode);
    leave(n);
    return result;
}

#define OPEN_CALL(name, params, dir, more_flags)                                                \
    int name params                                                                             \
    {                                                                                           \
        mode_t mode = 0;                                                                        \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                  \
            va_list list;                                                                       \
            va_start(list, flags);                                                              \
            mode = va_arg(list, mode_t);                                                        \
            va_end(list);                                                                       \
        }                                                                                       \
        return open_any(#name, dir, path, flags | (more_flags), mode);                          \
    }
#define OPEN_2_CALL(name, params, dir, more_flags)                                              \
    int name params                                                                             \
    {                                                                                           \
        return open_any(#name, dir, path, flags | (more_flags), 0);                             \
    }

OPEN_CALL(open, (const char *path, int flags, ...), AT_FDCWD, 0)
OPEN_CALL(open64, (const char *path, int flags, ...), AT_FDCWD, O_LARGEFILE)
OPEN_CALL(openat, (int dir, const char *path, int flags, ...), dir, 0)
OPEN_CALL(openat64, (int dir, const char *path, int flags, ...), dir, O_LARGEFILE)
OPEN_2_CALL(__open_2, (const char *path, int flags), AT_FDCWD, 0)
OPEN_2_CALL(__open64_2, (const char *path, int flags), AT_FDCWD, O_LARGEFILE)
OPEN_2_CALL(__openat_2, (int dir, const char *path, int flags), dir, 0)
OPEN_2_CALL(__openat64_2, (int dir, const char *path, int flags), dir, O_LARGEFILE)
