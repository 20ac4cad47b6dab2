/* run.c - see run.h. */
#include "capture/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "capture/dump.h"
#include "capture/sandbox.h"
#include "capture/shelf.h"
#include "capture/source.h"

/* Beside other work, who ends it waits for it: packets come sooner, at the cost of more wake-ups. */
enum { BATCH = 4096, LIVE_WAIT_MS = 100, BESIDE_WAIT_MS = 4, RESTS = 3, REST_LIMIT_MS = 1000,
       PROGRESS_MS = 250, READER_NICE = -10 };

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t reader;    /* the child's number, in the parent */

struct run {
    const struct capture_spec *spec;
    struct live_spec live;
    struct source **sources;
    size_t sources_len, sources_cap;
    struct dump *dump;
    struct spool *spool;
    struct cert_shelf *shelf;
    struct flows *flows;
    struct capture_counts counts;
    int64_t begun_ms, shown_ms;
};

static void run_free(struct run *run)
{
    for (size_t i = 0; i < run->sources_len; i++)
        source_close(run->sources[i]);
    free(run->sources);
    if (run->dump)
        dump_close(run->dump);
    if (run->flows)
        flows_free(run->flows);
    if (run->shelf)
        cert_shelf_free(run->shelf);
}

/* ---- the child ---- */

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void connection_ended(void *of, const struct conn *conn)
{
    struct run *run = of;

    spool_put_conn(run->spool, conn);
    if (run->spec->ended)
        run->spec->ended(run->spec->of, conn);
}

static void write_packet(void *of, int link_type, const struct frame *frame)
{
    struct run *run = of;

    dump_packet(run->dump, link_type, frame);
}

static void take_frame(void *of, int link_type, const struct frame *frame)
{
    struct run *run = of;

    if (!run->counts.first_us)
        run->counts.first_us = frame->when_us;
    run->counts.last_us = frame->when_us;
    flows_packet(run->flows, link_type, frame);
}

static bool is_over(const struct run *run)
{
    const struct capture_spec *spec = run->spec;

    return stopped
        || (spec->count && flows_counts(run->flows)->packets >= (uint64_t)spec->count)
        || (spec->duration_ms && clock_mono_ms() - run->begun_ms >= spec->duration_ms);
}

static int batch(const struct run *run)
{
    uint64_t seen = flows_counts(run->flows)->packets;
    uint64_t left = run->spec->count ? (uint64_t)run->spec->count - seen : BATCH;

    return left < BATCH ? (int)left : BATCH;
}

static void show_progress(struct run *run)
{
    const struct flow_counts *counts = flows_counts(run->flows);
    const uint64_t *verdicts = flows_verdicts(run->flows);
    uint64_t kernel, interface;
    char line[200];

    if (run->spec->quiet || clock_mono_ms() - run->shown_ms < PROGRESS_MS)
        return;
    run->shown_ms = clock_mono_ms();
    source_drops(run->sources[0], &kernel, &interface);
    snprintf(line, sizeof(line),
             _("%llu packets, %zu connections open, %llu encrypted, %llu plaintext, %llu dropped"),
             (unsigned long long)counts->packets, flows_open(run->flows),
             (unsigned long long)(verdicts[V_TLS] + verdicts[V_GSS]),
             (unsigned long long)(verdicts[V_PLAINTEXT] + verdicts[V_DOWNGRADED]),
             (unsigned long long)(kernel + interface));
    log_progress(line, 0, 0);
}

static bool read_file(struct run *run, struct source *source, struct ps_err *err)
{
    int n = 1;

    while (n > 0 && !is_over(run)) {
        n = source_read(source, batch(run), take_frame, run, &run->counts.cut_short, err);
        show_progress(run);
    }
    return n >= 0;
}

static int read_some(struct run *run, struct source *source, struct ps_err *err)
{
    struct pollfd ready = { .fd = source_fd(source), .events = POLLIN };

    (void)poll(&ready, 1, run->live.wait_ms);
    return source_read(source, batch(run), take_frame, run, &run->counts.cut_short, err);
}

/*
 * The kernel hands packets over some time after they came: those before the signal belong to the capture.  What
 * ends it is waiting in vain, for a clock goes on also while others have the processor.
 */
static int read_rest(struct run *run, struct source *source, struct ps_err *err)
{
    int64_t limit = clock_mono_ms() + REST_LIMIT_MS;
    int n = 0;

    for (int vain = 0; n >= 0 && vain < RESTS && batch(run) > 0 && clock_mono_ms() < limit; vain += n == 0)
        n = read_some(run, source, err);
    return n;
}

static bool read_live(struct run *run, struct source *source, struct ps_err *err)
{
    int n = 0;

    while (n >= 0 && !is_over(run)) {
        n = read_some(run, source, err);
        show_progress(run);
    }
    if (n >= 0 && stopped)
        n = read_rest(run, source, err);
    source_drops(source, &run->counts.dropped_kernel, &run->counts.dropped_interface);
    return n >= 0;
}

/* A file that is broken takes nothing away from the others, nor from what stands before the fault. */
static void read_files(struct run *run, struct ps_err *unread)
{
    for (size_t i = 0; i < run->sources_len; i++) {
        struct ps_err err = { 0 };

        if (read_file(run, run->sources[i], &err))
            continue;
        if (!run->counts.unread)
            *unread = err;
        run->counts.unread = true;
    }
}

static bool read_all(struct run *run, struct ps_err *unread, struct ps_err *err)
{
    run->begun_ms = clock_mono_ms();
    if (run->spec->interface)
        return read_live(run, run->sources[0], err);
    read_files(run, unread);
    return true;
}

static bool finish(struct run *run, struct ps_err *err)
{
    flows_end(run->flows);
    log_progress_end();
    for (size_t i = 0; i < cert_shelf_len(run->shelf); i++) {
        struct span der = cert_shelf_at(run->shelf, i);

        spool_put_cert(run->spool, (uint32_t)i + 1, der.p, der.len);
    }
    run->counts.flows = *flows_counts(run->flows);
    run->counts.live = run->spec->interface != NULL;
    run->counts.certs_refused = cert_shelf_refused(run->shelf);
    spool_put_counts(run->spool, &run->counts);
    return spool_finish(run->spool, err) && (!run->dump || dump_finish(run->dump, err));
}

/* What the child has to say. */
struct last_words {
    struct ps_err failed, unread;
};

static bool work(struct run *run, struct last_words *words)
{
    struct ps_err *err = &words->failed;
    const struct flows_spec flows = {
        .ports = run->spec->ports, .ports_count = run->spec->ports_count,
        .want_samples = run->spec->want_samples, .shelf = run->shelf = cert_shelf_new(),
        .done = connection_ended, .write = run->dump ? write_packet : NULL, .of = run,
    };

    /* who waits for the processor loses packets; without the right to it, it is as it was */
    if (run->spec->interface)
        (void)setpriority(PRIO_PROCESS, 0, READER_NICE);
    if (!sandbox_enter(err))
        return false;
    run->flows = flows_new(&flows);
    return read_all(run, &words->unread, err) && finish(run, err);
}

/* ---- the parent ---- */

static void pass_on(int number)
{
    if (reader > 0)
        kill(reader, number);
}

struct handlers {
    struct sigaction interrupt, terminate;
};

/* From the terminal both processes get SIGINT; the reader ends, and the report is written. */
static void set_handlers(struct handlers *old)
{
    struct sigaction pass = { .sa_handler = pass_on };

    sigaction(SIGINT, &pass, &old->interrupt);
    sigaction(SIGTERM, &pass, &old->terminate);
}

static void restore_handlers(struct handlers *old)
{
    sigaction(SIGINT, &old->interrupt, NULL);
    sigaction(SIGTERM, &old->terminate, NULL);
}

static _Noreturn void child(struct run *run, const sigset_t *mask, struct last_words *shared)
{
    struct sigaction ending = { .sa_handler = stop };
    bool done;

    sigaction(SIGINT, &ending, NULL);
    sigaction(SIGTERM, &ending, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    done = work(run, shared);
    _exit(done ? 0 : 1);
}

static bool judge_end(int status, const struct ps_err *shared, struct ps_err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && shared->code != PS_E_NONE) {
        *err = *shared;
        return false;
    }
    ps_fail(err, PS_E_BUG, _("the process that reads packets ended unexpectedly"));
    return WIFSIGNALED(status)
        ? ps_detail(err, _("It was ended by signal %d."), WTERMSIG(status))
        : ps_detail(err, _("Its exit status was %d."), WEXITSTATUS(status));
}

/* What is started, and until it is waited for. */
struct capture_reader {
    struct run run;
    struct last_words *shared;
    pid_t pid;                      /* 0: none */
};

/* A signal waits until the child can take it and the parent knows whom to pass it on to (if `pass`). */
static bool start_child(struct capture_reader *job, bool pass, struct ps_err *err)
{
    sigset_t ends, before;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &before);
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0)
        child(&job->run, &before, job->shared);
    reader = pass && job->pid > 0 ? job->pid : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (job->pid > 0)
        return true;
    job->pid = 0;
    return ps_fail(err, PS_E_PROCESS, _("could not start a process: %m"));
}

/* False when it does not end in time. */
static bool child_ends(pid_t pid, int timeout_ms)
{
    struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
    int64_t until = clock_mono_ms() + timeout_ms;
    int n;

    if (ended.fd < 0)
        return true;            /* an old kernel: there is only waiting */
    do {
        int64_t left = until - clock_mono_ms();

        n = poll(&ended, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    close(ended.fd);
    return n != 0;
}

static bool wait_for_child(struct capture_reader *job, struct ps_err *err)
{
    pid_t pid = job->pid;
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return ps_fail(err, PS_E_PROCESS, _("could not wait for a process: %m"));
    job->pid = 0;
    if (job->run.spec->unread)
        *job->run.spec->unread = job->shared->unread;
    return judge_end(status, &job->shared->failed, err);
}

static bool open_files(struct run *run, struct ps_err *err)
{
    for (const char *const *file = run->spec->files; file && *file; file++) {
        struct source *source;

        if (!source_open_file(*file, &source, err))
            return false;
        PS_PUSH(run->sources, run->sources_len, run->sources_cap) = source;
    }
    return true;
}

static bool open_live(struct run *run, struct ps_err *err)
{
    const struct capture_spec *spec = run->spec;
    struct source *source;

    if (!spec->interface)
        return true;
    run->live.interface = spec->interface;
    run->live.ports = spec->ports;
    run->live.ports_count = spec->ports_count;
    if (!source_open_live(&run->live, &source, err))
        return false;
    PS_PUSH(run->sources, run->sources_len, run->sources_cap) = source;
    return true;
}

static bool open_dump(struct run *run, struct ps_err *err)
{
    if (!run->spec->write_path || run->sources_len == 0)
        return true;
    return dump_open(run->spec->write_path, source_link_type(run->sources[0]), &run->dump, err);
}

void capture_reader_free(struct capture_reader *job)
{
    if (job->pid) {
        kill(job->pid, SIGKILL);
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (job->shared != MAP_FAILED)
        munmap(job->shared, sizeof(*job->shared));
    run_free(&job->run);
    free(job);
}

static bool prepare(const struct capture_spec *spec, bool beside, struct spool *spool,
                    struct capture_reader **out, struct ps_err *err)
{
    PS_AUTO(capture_reader_freep) struct capture_reader *job = ps_calloc(1, sizeof(*job));

    job->run = (struct run){
        .spec = spec, .spool = spool,
        .live = { .held = beside, .wait_ms = beside ? BESIDE_WAIT_MS : LIVE_WAIT_MS },
    };
    /* cppcheck-suppress invalidFunctionArg */
    job->shared = mmap(NULL, sizeof(*job->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
    if (job->shared == MAP_FAILED)
        return ps_fail(err, PS_E_IO, _("could not get shared memory: %m"));
    if (!open_files(&job->run, err) || !open_live(&job->run, err) || !open_dump(&job->run, err))
        return false;
    *out = PS_TAKE(job);
    return true;
}

bool capture_begin(const struct capture_spec *spec, struct spool *spool, struct capture_reader **out,
                   struct ps_err *err)
{
    PS_AUTO(capture_reader_freep) struct capture_reader *job = NULL;

    if (!prepare(spec, true, spool, &job, err) || !start_child(job, false, err))
        return false;
    *out = PS_TAKE(job);
    return true;
}

bool capture_go(struct capture_reader *job, struct ps_err *err)
{
    return source_go(job->run.sources[0], &job->run.live, err);
}

bool capture_end(struct capture_reader *job, struct ps_err *err)
{
    kill(job->pid, SIGTERM);
    if (!child_ends(job->pid, CAPTURE_END_MS))
        kill(job->pid, SIGKILL);
    if (!wait_for_child(job, err))
        return false;
    spool_rewind(job->run.spool);
    return true;
}

bool capture_run(const struct capture_spec *spec, struct spool *spool, struct ps_err *err)
{
    PS_AUTO(capture_reader_freep) struct capture_reader *job = NULL;

    if (!prepare(spec, false, spool, &job, err))
        return false;

    PS_AUTO(restore_handlers) struct handlers old;
    set_handlers(&old);
    if (!start_child(job, true, err))
        return false;
    bool done = wait_for_child(job, err);
    reader = 0;
    if (done)
        spool_rewind(spool);
    return done;
}
