/* sweep.c - see sweep.h. */
#include "probe/sweep.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"

enum { WINDOW = 4096, STACK_BYTES = 512 * 1024 };

struct net {                    /* what a target counts for: the first 64 bits at most */
    unsigned char bytes[8];
    bool known;                 /* names have none before they are looked up */
};

struct state {
    struct sweep *sweep;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    bool *taken;                /* by target */
    size_t first;               /* all before it are taken */
    struct net *nets;           /* by target */
    size_t *active;             /* targets that have a place now */
    size_t active_len;
    int64_t next_us;            /* when the rate lets the next connection go */
};

struct turn {                   /* one target in its thread */
    struct state *state;
    size_t target;
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

static bool net_is_full(const struct state *state, size_t target)
{
    const struct net *net = &state->nets[target];
    int n = 0;

    if (!net->known || !state->sweep->at_once_net)
        return false;
    for (size_t i = 0; i < state->active_len; i++)
        n += memcmp(&state->nets[state->active[i]], net, sizeof(*net)) == 0;
    return n >= state->sweep->at_once_net;
}

static bool stopped(const struct state *state)
{
    return state->sweep->stop && *state->sweep->stop;
}

/* ---- places; all of these hold the lock ---- */

static bool place_free(const struct state *state, size_t target)
{
    return state->active_len < (size_t)state->sweep->at_once && !net_is_full(state, target);
}

static void take_place(struct state *state, size_t target)
{
    state->active[state->active_len++] = target;
}

static void give_place(struct state *state, size_t target)
{
    for (size_t i = 0; i < state->active_len; i++)
        if (state->active[i] == target) {
            state->active[i] = state->active[--state->active_len];
            break;
        }
    pthread_cond_broadcast(&state->freed);
}

/* The next target that has a place; false: there is none left.  Waits while all networks are full. */
static bool next_target(struct state *state, size_t *out)
{
    const size_t len = state->sweep->targets->len;

    for (;;) {
        while (state->first < len && state->taken[state->first])
            state->first++;
        if (state->first == len || stopped(state))
            return false;
        for (size_t i = state->first; i < len && i < state->first + WINDOW; i++)
            if (!state->taken[i] && place_free(state, i)) {
                state->taken[i] = true;
                take_place(state, i);
                *out = i;
                return true;
            }
        pthread_cond_wait(&state->freed, &state->lock);
    }
}

/* ---- what a survey asks of us ---- */

/* Connections go at even distances: no bursts, whatever was idle before. */
static bool gate(void *arg)
{
    const struct turn *turn = arg;
    struct state *state = turn->state;
    int64_t wait = 0;

    if (stopped(state))
        return false;
    if (state->sweep->rate) {
        pthread_mutex_lock(&state->lock);
        int64_t now = clock_mono_us();
        state->next_us = state->next_us > now ? state->next_us : now;
        wait = state->next_us - now;
        state->next_us += 1000000 / state->sweep->rate;
        pthread_mutex_unlock(&state->lock);
    }
    if (wait > 0)
        clock_sleep_ms((int)((wait + 999) / 1000));
    return !stopped(state);
}

/* Somebody who is slow to connect is waited for outside: others get the place. */
static void patience(void *arg, bool waits)
{
    const struct turn *turn = arg;
    struct state *state = turn->state;

    pthread_mutex_lock(&state->lock);
    if (waits) {
        give_place(state, turn->target);
    } else {
        while (!place_free(state, turn->target) && !stopped(state))
            pthread_cond_wait(&state->freed, &state->lock);
        take_place(state, turn->target);
    }
    pthread_mutex_unlock(&state->lock);
}

static void *work(void *arg)
{
    struct state *state = arg;
    struct sweep *sweep = state->sweep;

    pthread_mutex_lock(&state->lock);
    for (size_t i; next_target(state, &i); ) {
        struct turn turn = { state, i };
        struct survey_plan plan = sweep->survey;

        pthread_mutex_unlock(&state->lock);
        plan.gate = gate;
        plan.patience = patience;
        plan.gate_arg = &turn;
        struct seen *seen = survey_run(&plan, sweep->targets->at[i].host, sweep->targets->at[i].port);
        pthread_mutex_lock(&state->lock);
        give_place(state, i);
        sweep->done(sweep->arg, i, seen);
    }
    pthread_mutex_unlock(&state->lock);
    return NULL;
}

/* ---- the whole ---- */

static size_t threads_for(const struct sweep *sweep)
{
    size_t most = (size_t)sweep->at_once * 8;

    most = most < SWEEP_THREADS_MAX ? most : SWEEP_THREADS_MAX;
    return sweep->targets->len < most ? sweep->targets->len : most;
}

static bool run_threads(struct state *state, size_t want, struct ps_err *err)
{
    PS_AUTO(ps_freep) pthread_t *threads = ps_calloc(want, sizeof(*threads));
    pthread_attr_t attr;
    sigset_t all, before;
    size_t len = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (len < want && pthread_create(&threads[len], &attr, work, state) == 0)
        len++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    for (size_t i = 0; i < len; i++)
        pthread_join(threads[i], NULL);
    return len > 0 || want == 0
        || ps_fail(err, PS_E_PROCESS, _("could not start a thread: %m"));
}

bool sweep_run(struct sweep *sweep, struct ps_err *err)
{
    const struct targets *targets = sweep->targets;
    PS_AUTO(ps_freep) bool *taken = ps_calloc(targets->len + 1, sizeof(*taken));
    PS_AUTO(ps_freep) struct net *nets = ps_calloc(targets->len + 1, sizeof(*nets));
    PS_AUTO(ps_freep) size_t *active = ps_calloc(SWEEP_THREADS_MAX + 1, sizeof(*active));
    struct state state = { .sweep = sweep, .taken = taken, .nets = nets, .active = active,
                           .lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER };

    for (size_t i = 0; i < targets->len; i++) {
        taken[i] = sweep->skip && sweep->skip[i];
        nets[i] = net_of(targets->at[i].host);
    }
    return run_threads(&state, threads_for(sweep), err);
}
