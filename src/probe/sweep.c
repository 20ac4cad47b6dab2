/* sweep.c - see sweep.h. */
#include "probe/sweep.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"

enum {
    WINDOW = 4096,              /* of targets, in which one is searched whose network has a place */
    STACK_BYTES = 512 * 1024,
    SLOW_MS = 500,              /* who is waited for that long gives its place to others meanwhile */
    TICK_MS = 20
};

struct net {                    /* what a target counts for: the first 64 bits at most */
    unsigned char bytes[8];
    bool known;                 /* a name has none before it is looked up */
};

struct turn {                   /* one target in its thread */
    struct state *state;
    bool used;
    size_t target;
    struct net net;
    bool placed;                /* it counts against the limits */
    int64_t asked_ms;           /* when its last question went; 0: it is at the gate */
    int64_t slot_us;            /* when the rate lets its next connection go; 0: not asked yet */
    int64_t spent_ms;           /* waiting for answers */
    bool cut;                   /* by the stop: what was seen is not all */
};

struct state {
    struct sweep *sweep;
    pthread_mutex_t lock;
    pthread_cond_t freed;       /* for who hands out turns: a place, a thread */
    pthread_cond_t work;        /* for threads: a turn, or the end */
    bool *taken;                /* by target */
    size_t first;               /* all before it are taken */
    struct net *nets;           /* by target */
    struct turn *turns;         /* SWEEP_THREADS_MAX of them */
    int placed;
    struct turn *handed;        /* that no thread has taken yet */
    bool over;
    size_t threads, idle;
    int64_t next_us;            /* when the rate lets the next connection go */
};

static struct net net_of(const char *host)
{
    struct net net = { .known = true };
    unsigned char addr[16];

    if (inet_pton(AF_INET, host, addr) == 1)
        memcpy(net.bytes, addr, 3);
    else if (inet_pton(AF_INET6, host, addr) == 1)
        memcpy(net.bytes, addr, 8);
    else
        net.known = false;
    return net;
}

static bool stopped(const struct state *state)
{
    return state->sweep->stop && *state->sweep->stop;
}

/* ---- places; all of these hold the lock ---- */

static bool net_is_full(const struct state *state, const struct net *net)
{
    int n = 0;

    if (!net->known || !state->sweep->at_once_net)
        return false;
    for (size_t i = 0; i < state->threads && n < state->sweep->at_once_net; i++)
        n += state->turns[i].used && state->turns[i].placed
             && memcmp(&state->turns[i].net, net, sizeof(*net)) == 0;
    return n >= state->sweep->at_once_net;
}

static bool place_free(const struct state *state, const struct net *net)
{
    return state->placed < state->sweep->at_once && !net_is_full(state, net);
}

static void give_place(struct state *state, struct turn *turn)
{
    state->placed -= turn->placed;
    turn->placed = false;
}

static void take_place(struct state *state, struct turn *turn)
{
    turn->placed = true;
    state->placed++;
}

/* A target that does not answer costs the others nothing. */
static void pass_over_slow(struct state *state)
{
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < state->threads; i++) {
        struct turn *turn = &state->turns[i];

        if (turn->used && turn->placed && turn->asked_ms && now - turn->asked_ms >= SLOW_MS)
            give_place(state, turn);
    }
}

/* ---- what a survey asks of us ---- */

/* Connections go at even distances: no bursts, whatever was idle before. */
static int64_t wait_for_rate(struct state *state, struct turn *turn, int64_t now_us)
{
    if (!state->sweep->rate)
        return 0;
    if (!turn->slot_us) {
        turn->slot_us = state->next_us > now_us ? state->next_us : now_us;
        state->next_us = turn->slot_us + 1000000 / state->sweep->rate;
    }
    return turn->slot_us - now_us;
}

static int pass(struct state *state, struct turn *turn)
{
    int64_t now_us = clock_mono_us();

    if (turn->asked_ms)
        turn->spent_ms += now_us / 1000 - turn->asked_ms;
    turn->asked_ms = 0;
    turn->cut |= stopped(state);
    if (turn->cut || turn->spent_ms > SWEEP_TARGET_MS)
        return -1;
    if (!turn->placed) {
        pass_over_slow(state);
        if (!place_free(state, &turn->net))
            return TICK_MS;
        take_place(state, turn);
    }
    int64_t wait_us = wait_for_rate(state, turn, now_us);
    if (wait_us > 0)
        return wait_us < TICK_MS * 1000 ? (int)(wait_us + 999) / 1000 : TICK_MS;
    turn->slot_us = 0;
    turn->asked_ms = now_us / 1000;
    return 0;
}

static int gate(void *arg)
{
    struct turn *turn = arg;

    pthread_mutex_lock(&turn->state->lock);
    int wait_ms = pass(turn->state, turn);
    pthread_mutex_unlock(&turn->state->lock);
    return wait_ms;
}

/* A name counts for the network in which it was found. */
static void located(void *arg, const char *address)
{
    struct turn *turn = arg;
    struct state *state = turn->state;
    struct net net = net_of(address);

    pthread_mutex_lock(&state->lock);
    if (memcmp(&net, &turn->net, sizeof(net)) != 0) {
        give_place(state, turn);
        turn->net = net;
    }
    pthread_mutex_unlock(&state->lock);
}

/* ---- threads ---- */

static void look(struct state *state, struct turn *turn)
{
    struct sweep *sweep = state->sweep;
    struct survey_plan plan = sweep->survey;
    const struct target *target = &sweep->targets->at[turn->target];

    plan.gate = gate;
    plan.located = located;
    plan.gate_arg = turn;
    struct seen *seen = survey_run(&plan, target->host, target->port);
    pthread_mutex_lock(&state->lock);
    give_place(state, turn);
    turn->used = false;
    if (turn->cut)
        seen_free(seen);
    else
        sweep->done(sweep->arg, turn->target, seen);
    pthread_cond_signal(&state->freed);
    pthread_mutex_unlock(&state->lock);
}

static void *work(void *arg)
{
    struct state *state = arg;

    for (;;) {
        pthread_mutex_lock(&state->lock);
        state->idle++;
        while (!state->handed && !state->over)
            pthread_cond_wait(&state->work, &state->lock);
        state->idle--;
        struct turn *turn = state->handed;
        state->handed = NULL;
        pthread_cond_signal(&state->freed);
        pthread_mutex_unlock(&state->lock);
        if (!turn)
            return NULL;
        look(state, turn);
    }
}

/* ---- handing out turns ---- */

enum pick { PICK_ONE, PICK_LATER, PICK_NONE };

/* The next target whose network has a place. */
static enum pick pick(struct state *state, size_t *out)
{
    const size_t len = state->sweep->targets->len;

    while (state->first < len && state->taken[state->first])
        state->first++;
    if (state->first == len || stopped(state))
        return PICK_NONE;
    if (state->placed >= state->sweep->at_once)
        return PICK_LATER;
    for (size_t i = state->first; i < len && i < state->first + WINDOW; i++)
        if (!state->taken[i] && place_free(state, &state->nets[i])) {
            *out = i;
            return PICK_ONE;
        }
    return PICK_LATER;
}

static void hand_out(struct state *state, size_t target)
{
    struct turn *turn = state->turns;

    while (turn->used)          /* there are as many as threads, and one of these is idle */
        turn++;
    *turn = (struct turn){ .state = state, .used = true, .target = target,
                           .net = state->nets[target], .asked_ms = clock_mono_ms() };
    state->taken[target] = true;
    take_place(state, turn);
    state->handed = turn;
    pthread_cond_signal(&state->work);
}

/* Threads are started when they are needed: their number is that of the targets that are waited for. */
static bool have_thread(struct state *state, pthread_t *threads, size_t most, const pthread_attr_t *attr)
{
    if (state->idle)
        return true;
    if (state->threads == most)
        return false;

    sigset_t all, before;
    sigfillset(&all);           /* signals are for the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&threads[state->threads], attr, work, state) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    state->threads += ok;
    return ok;
}

static void wait_tick(struct state *state)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&state->freed, &state->lock, &until);
}

/* Until every target has its turn; false: no thread could be started. */
static bool hand_out_all(struct state *state, pthread_t *threads, size_t most,
                         const pthread_attr_t *attr)
{
    enum pick picked;
    size_t target = 0;
    bool ok = true;

    pthread_mutex_lock(&state->lock);
    while (ok && (picked = pick(state, &target)) != PICK_NONE) {
        if (picked == PICK_ONE && !state->handed && have_thread(state, threads, most, attr)) {
            hand_out(state, target);
            continue;
        }
        ok = state->threads > 0;
        wait_tick(state);
        pass_over_slow(state);
    }
    while (state->handed)
        wait_tick(state);
    state->over = true;
    pthread_cond_broadcast(&state->work);
    pthread_mutex_unlock(&state->lock);
    return ok;
}

/* ---- the whole ---- */

static size_t threads_for(const struct sweep *sweep)
{
    size_t most = (size_t)sweep->at_once * 8;

    most = most < SWEEP_THREADS_MAX ? most : SWEEP_THREADS_MAX;
    return sweep->targets->len < most ? sweep->targets->len : most;
}

static bool run_threads(struct state *state, size_t most, struct ps_err *err)
{
    PS_AUTO(ps_freep) pthread_t *threads = ps_calloc(most + 1, sizeof(*threads));
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    bool ok = hand_out_all(state, threads, most, &attr);
    pthread_attr_destroy(&attr);
    for (size_t i = 0; i < state->threads; i++)
        pthread_join(threads[i], NULL);
    return ok || ps_fail(err, PS_E_PROCESS, _("could not start a thread: %m"));
}

bool sweep_run(struct sweep *sweep, struct ps_err *err)
{
    const struct targets *targets = sweep->targets;
    PS_AUTO(ps_freep) bool *taken = ps_calloc(targets->len + 1, sizeof(*taken));
    PS_AUTO(ps_freep) struct net *nets = ps_calloc(targets->len + 1, sizeof(*nets));
    PS_AUTO(ps_freep) struct turn *turns = ps_calloc(SWEEP_THREADS_MAX, sizeof(*turns));
    struct state state = { .sweep = sweep, .taken = taken, .nets = nets, .turns = turns,
                           .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&state.freed, &monotonic);
    for (size_t i = 0; i < targets->len; i++) {
        taken[i] = sweep->skip && sweep->skip[i];
        nets[i] = net_of(targets->at[i].host);
    }
    return run_threads(&state, threads_for(sweep), err);
}
