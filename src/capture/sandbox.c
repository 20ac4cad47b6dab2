/* sandbox.c - see sandbox.h. */
#include "capture/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>
#include <seccomp.h>

enum { NOBODY = 65534 };        /* of every Linux distribution, and of the kernel's overflow ids */

static bool become_nobody(struct ps_err *err)
{
    if (geteuid() != 0)
        return true;
    if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0
        && setresuid(NOBODY, NOBODY, NOBODY) == 0)
        return true;
    return ps_fail(err, PS_E_UNSAFE, _("could not give up the rights of root: %m"));
}

static bool drop_capabilities(struct ps_err *err)
{
    capng_clear(CAPNG_SELECT_BOTH);
    /* The bounding set is only for whoever may change it; without_new_privs closes the same door. */
    if (capng_apply(CAPNG_SELECT_CAPS) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        return true;
    return ps_fail(err, PS_E_UNSAFE, _("could not give up capabilities: %m"));
}

static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek),
    SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(getsockopt), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(mmap),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(getpid),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static void release_filter(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

static bool filter_calls(struct ps_err *err)
{
    PS_AUTO(release_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool done = filter != NULL;

    for (size_t i = 0; done && i < PS_COUNT(allowed); i++)
        done = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    /* Asking whether it is a terminal is harmless; catalogs of messages are not found, that is all. */
    done = done
        && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_EQ, TCGETS)) == 0
        && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_NE, TCGETS)) == 0
        && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0) == 0;
    if (done && seccomp_load(filter) == 0)
        return true;
    return ps_fail(err, PS_E_UNSAFE, _("could not filter the system calls: %m"));
}

/* The sanitizers of test builds make system calls of their own. */
#ifdef __SANITIZE_ADDRESS__
static const bool watched = true;
#else
static const bool watched = false;
#endif

bool sandbox_enter(struct ps_err *err)
{
    if (!become_nobody(err) || !drop_capabilities(err))
        return false;
    prctl(PR_SET_PDEATHSIG, SIGTERM);   /* a change of user forgets it */
    return watched || filter_calls(err);
}
