/* proc.c - see proc.h. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { OUTPUT_MAX = 1 << 20, DEFAULT_TIMEOUT_MS = 30000 };

struct pipes {
    int in[2], out[2], err[2], failed[2];   /* failed: the child's errno when exec did not work */
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *p)
{
    for (int end = 0; end < 2; end++) {
        close_end(&p->in[end]);
        close_end(&p->out[end]);
        close_end(&p->err[end]);
        close_end(&p->failed[end]);
    }
}

static bool pipes_open(struct pipes *p, struct ps_err *err)
{
    *p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    if (pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->out, O_CLOEXEC) == 0
        && pipe2(p->err, O_CLOEXEC) == 0 && pipe2(p->failed, O_CLOEXEC) == 0)
        return true;
    ps_fail(err, PS_E_PROCESS, _("could not make a pipe: %m"));
    pipes_close(p);
    return false;
}

static bool become_for_good(const struct user *user)
{
    if (getuid() == user->uid && geteuid() == user->uid)
        return true;
    /* we may be acting as the user already (user.h): take root back to give up all three ids */
    if (geteuid() != 0 && seteuid(0) != 0)
        return geteuid() == user->uid;
    bool named = user->name[0] != '#';
    return (named ? initgroups(user->name, user->gid) : setgroups(1, &user->gid)) == 0
        && setgid(user->gid) == 0 && setuid(user->uid) == 0;
}

static _Noreturn void child(const struct proc_spec *spec, struct pipes *p)
{
    int out = p->out[1], err = p->err[1];
    sigset_t none;

    if (spec->output_to)
        out = err = open(spec->output_to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    bool ready = (!spec->as || become_for_good(spec->as))
        && (!spec->dir || chdir(spec->dir) == 0)
        && out >= 0 && dup2(p->in[0], STDIN_FILENO) >= 0
        && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0;

    if (ready) {
        setenv("LC_ALL", "C", 1);
        unsetenv("LANGUAGE");
        for (size_t i = 0; spec->env && spec->env[i]; i++)
            putenv(ps_strdup(spec->env[i]));
        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);      /* we may be holding signals back */
        execvp(spec->argv[0], (char *const *)spec->argv);
    }

    int why = errno;
    ssize_t ignored = write(p->failed[1], &why, sizeof(why));
    (void)ignored;
    _exit(127);
}

/* Drain one pipe; false at its end. */
static bool drain(int fd, struct buf *to)
{
    char block[8192];
    ssize_t got = read(fd, block, sizeof(block));

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    size_t room = to->max - to->len;
    buf_put(to, block, (size_t)got < room ? (size_t)got : room);
    return got > 0;
}

/* Feed it and keep what it says until it closes its pipes; false when `end` comes first. */
static bool collect(const struct proc_spec *spec, struct pipes *p, int64_t end,
                    struct proc_result *result)
{
    const char *input = spec->input ? spec->input : "";
    size_t input_left = strlen(input);

    if (!input_left || fcntl(p->in[1], F_SETFL, O_NONBLOCK) != 0)
        close_end(&p->in[1]);       /* (a write that blocks could wait for a reader who waits for us) */
    while (p->out[0] >= 0 || p->err[0] >= 0) {
        struct pollfd fds[] = { { p->out[0], POLLIN, 0 }, { p->err[0], POLLIN, 0 },
                                { p->in[1], POLLOUT, 0 } };
        int64_t left = end - clock_mono_ms();

        if (left <= 0)
            return false;
        if (poll(fds, PS_COUNT(fds), (int)left) < 0 && errno != EINTR)
            return false;
        if (fds[0].revents && !drain(p->out[0], &result->out))
            close_end(&p->out[0]);
        if (fds[1].revents && !drain(p->err[0], &result->err))
            close_end(&p->err[0]);
        if (fds[2].revents) {
            ssize_t put = write(p->in[1], input, input_left);
            if (put > 0) {
                input += put;
                input_left -= (size_t)put;
            }
            if ((put < 0 && errno != EAGAIN && errno != EINTR) || !input_left)
                close_end(&p->in[1]);
        }
    }
    return true;
}

/*
 * The pipes have closed, which need not be its end (output_to); false when it had to be killed because
 * `end` has come.
 */
static bool reap(pid_t pid, int64_t end, int *status)
{
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);

        if (ended == pid)
            return true;
        if (ended < 0 && errno != EINTR)
            return false;
        if (clock_mono_ms() >= end)
            break;
        clock_sleep_ms(1);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

void proc_result_free(struct proc_result *result)
{
    buf_free(&result->out);
    buf_free(&result->err);
}

static bool fail_start(const struct proc_spec *spec, int why, struct ps_err *err)
{
    errno = why;
    return ps_fail(err, why == ENOENT ? PS_E_NOT_FOUND : PS_E_PROCESS,
                   _("could not run program \"%s\": %m"), spec->argv[0]);
}

bool proc_run(const struct proc_spec *spec, struct proc_result *out, struct ps_err *err)
{
    struct pipes p;
    int status = 0, why = 0;

    if (!pipes_open(&p, err))
        return false;
    out->out = BUF(OUTPUT_MAX);
    out->err = BUF(OUTPUT_MAX);

    pid_t pid = fork();
    if (pid < 0) {
        ps_fail(err, PS_E_PROCESS, _("could not fork: %m"));
        pipes_close(&p);
        return false;
    }
    if (pid == 0)
        child(spec, &p);

    close_end(&p.in[0]);
    close_end(&p.out[1]);
    close_end(&p.err[1]);
    close_end(&p.failed[1]);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    int64_t end = clock_mono_ms() + (spec->timeout_ms ? spec->timeout_ms : DEFAULT_TIMEOUT_MS);
    bool not_started = read(p.failed[0], &why, sizeof(why)) == sizeof(why);
    bool in_time = collect(spec, &p, end, out);
    in_time = reap(pid, in_time ? end : 0, &status) && in_time;
    signal(SIGPIPE, old);
    pipes_close(&p);

    if (not_started)
        return fail_start(spec, why, err);
    if (!in_time)
        return ps_fail(err, PS_E_TIMEOUT, _("program \"%s\" did not end in time"), spec->argv[0]);
    out->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

bool proc_run_ok(const struct proc_spec *spec, struct proc_result *out, struct ps_err *err)
{
    if (!proc_run(spec, out, err))
        return false;
    if (out->status == 0)
        return true;
    ps_fail(err, PS_E_PROCESS, _("program \"%s\" failed with status %d"), spec->argv[0],
            out->status);
    return ps_detail(err, "%s", buf_text(&out->err));
}
