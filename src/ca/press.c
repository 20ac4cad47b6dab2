/* press.c - see press.h. */
#include "ca/press.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "tls/der.h"

enum { THREADS_MAX = 256, PEM_MAX_BYTES = 1 << 20 };

enum state { WAITS, MADE, FAILED };

struct slot {
    struct press_work work;
    enum state state;
};

struct press {
    const struct press_spec *spec;
    struct cert_template **forms;       /* one for each shard */
    pthread_t *threads;
    unsigned threads_len;
    struct slot *slots;                 /* a ring: the numbers below count up, modulo PRESS_ROOM */
    pthread_mutex_t lock;
    pthread_cond_t fed_more, finished_more;
    size_t dropped, finished, claimed, fed;     /* dropped <= finished <= claimed <= fed */
    size_t wanted;                      /* the caller sleeps until `finished` reaches it */
    size_t failed_at;                   /* the first number that failed, and why */
    struct ps_err failure;
    bool stop;
};

static struct slot *slot_at(const struct press *press, size_t number)
{
    return &press->slots[number % PRESS_ROOM];
}

/* ---- one work ---- */

static bool make_cert(const struct press *press, const struct key *key, struct press_work *work,
                      struct ps_err *err)
{
    unsigned char serial[CERT_SERIAL_BYTES];
    char hex[HEX_SIZE(CERT_SERIAL_BYTES)];

    if (!cert_new_serial(serial, err))
        return false;
    work->shard = shard_of(hex_of(serial, sizeof(serial), hex), press->spec->shards);

    const struct cert_blank blank = { work->common_name, work->not_before, work->not_after, serial };
    return cert_template_fill(press->forms[work->shard], &blank, key, &work->cert, err);
}

static bool make(const struct press *press, struct press_work *work, struct ps_err *err)
{
    PS_AUTO(key_freep) struct key *key = NULL;

    if (!key_generate(work->key_type, &key, err) || !make_cert(press, key, work, err))
        return false;
    if (press->spec->drop_keys)
        return true;
    work->cert_pem = BUF(PEM_MAX_BYTES);
    der_to_pem(&work->cert_pem, "CERTIFICATE", work->cert.der.p, work->cert.der.len);
    return key_to_pem(key, NULL, &work->key_pem, err);
}

static void work_free(struct press_work *work)
{
    secret_free(&work->key_pem);
    cert_filled_free(&work->cert);
    buf_free(&work->cert_pem);
}

/* ---- the threads ---- */

/* A number to work on; false when it is over. */
static bool claim(struct press *press, size_t *out)
{
    pthread_mutex_lock(&press->lock);
    while (!press->stop && press->claimed == press->fed)
        pthread_cond_wait(&press->fed_more, &press->lock);
    bool go = !press->stop;
    if (go)
        *out = press->claimed++;
    pthread_mutex_unlock(&press->lock);
    return go;
}

static void finish(struct press *press, size_t number, const struct ps_err *failure)
{
    pthread_mutex_lock(&press->lock);
    slot_at(press, number)->state = failure ? FAILED : MADE;
    if (failure && number < press->failed_at) {
        press->failed_at = number;
        press->failure = *failure;
    }
    while (press->finished < press->claimed && slot_at(press, press->finished)->state == MADE)
        press->finished++;
    if (press->finished >= press->wanted || press->finished == press->failed_at)
        pthread_cond_signal(&press->finished_more);
    pthread_mutex_unlock(&press->lock);
}

static void *run(void *arg)
{
    struct press *press = arg;
    struct ps_err err = { 0 };
    size_t number;

    while (claim(press, &number)) {
        bool made = make(press, &slot_at(press, number)->work, &err);

        finish(press, number, made ? NULL : &err);
    }
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static bool start_threads(struct press *press, struct ps_err *err)
{
    unsigned want = press->spec->threads ? press->spec->threads : processors();
    sigset_t all, before;

    press->threads = ps_calloc(want, sizeof(*press->threads));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int code = 0; code == 0 && press->threads_len < want;) {
        code = pthread_create(&press->threads[press->threads_len], NULL, run, press);
        press->threads_len += code == 0;
        errno = code;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return press->threads_len > 0       /* fewer than we want are enough */
        || ps_fail(err, PS_E_PROCESS, _("could not start a thread: %m"));
}

static bool make_forms(struct press *press, struct ps_err *err)
{
    const struct press_spec *spec = press->spec;

    press->forms = ps_calloc(spec->shards, sizeof(struct cert_template *));
    for (unsigned i = 0; i < spec->shards; i++) {
        struct cert_spec what = *spec->what;
        char uri[SHARD_URI];

        what.crl_uri = spec->crl_url ? shard_uri(spec->crl_url, spec->issuer, i, uri) : NULL;
        if (!cert_template_new(&what, spec->issuer, spec->issuer_key, &press->forms[i], err))
            return false;
    }
    return true;
}

bool press_new(const struct press_spec *spec, struct press **out, struct ps_err *err)
{
    PS_AUTO(press_freep) struct press *press = ps_calloc(1, sizeof(*press));

    press->spec = spec;
    press->wanted = press->failed_at = SIZE_MAX;
    press->slots = ps_calloc(PRESS_ROOM, sizeof(*press->slots));
    pthread_mutex_init(&press->lock, NULL);
    pthread_cond_init(&press->fed_more, NULL);
    pthread_cond_init(&press->finished_more, NULL);
    if (!make_forms(press, err) || !start_threads(press, err))
        return false;
    *out = PS_TAKE(press);
    return true;
}

static void stop_threads(struct press *press)
{
    pthread_mutex_lock(&press->lock);
    press->stop = true;
    pthread_cond_broadcast(&press->fed_more);
    pthread_mutex_unlock(&press->lock);
    for (unsigned i = 0; i < press->threads_len; i++)
        pthread_join(press->threads[i], NULL);
}

void press_free(struct press *press)
{
    stop_threads(press);
    for (size_t i = 0; i < PRESS_ROOM; i++)
        work_free(&press->slots[i].work);
    for (unsigned i = 0; press->forms && i < press->spec->shards; i++)
        cert_template_freep(&press->forms[i]);
    pthread_cond_destroy(&press->fed_more);
    pthread_cond_destroy(&press->finished_more);
    pthread_mutex_destroy(&press->lock);
    free(press->forms);
    free(press->threads);
    free(press->slots);
    free(press);
}

/* ---- in and out ---- */

/* Only the caller's thread changes `fed` and `dropped`: it needs no lock to read them. */
size_t press_room(const struct press *press)
{
    return PRESS_ROOM - (press->fed - press->dropped);
}

bool press_feed(struct press *press, const struct press_wish *wish, struct ps_err *err)
{
    struct press_work *work = &slot_at(press, press->fed)->work;

    if (strlen(wish->common_name) > PRESS_NAME_MAX)
        return ps_fail(err, PS_E_VALUE, _("role name \"%s\" is too long"), wish->common_name);
    *work = (struct press_work){ .key_type = wish->key_type, .not_before = wish->not_before,
                                 .not_after = wish->not_after };
    snprintf(work->common_name, sizeof(work->common_name), "%s", wish->common_name);
    pthread_mutex_lock(&press->lock);
    press->fed++;
    pthread_cond_signal(&press->fed_more);
    pthread_mutex_unlock(&press->lock);
    return true;
}

static struct timespec until(int wait_ms)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);     /* the clock of pthread_cond_timedwait */
    at.tv_nsec += (long)wait_ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* With the lock: sleep until so many are finished, one has failed, or the time has come. */
static void wait_for(struct press *press, size_t wanted, const struct timespec *deadline)
{
    int code = 0;

    press->wanted = wanted;
    while (press->finished < wanted && press->finished != press->failed_at && code != ETIMEDOUT)
        code = deadline ? pthread_cond_timedwait(&press->finished_more, &press->lock, deadline)
                        : pthread_cond_wait(&press->finished_more, &press->lock);
    press->wanted = SIZE_MAX;
}

bool press_wait(struct press *press, size_t want, int wait_ms, size_t *ready, struct ps_err *err)
{
    const struct timespec deadline = until(wait_ms);

    pthread_mutex_lock(&press->lock);
    wait_for(press, press->fed - press->dropped < want ? press->fed : press->dropped + want,
             &deadline);
    if (press->finished == press->dropped && press->fed > press->dropped)
        wait_for(press, press->dropped + 1, NULL);
    size_t finished = press->finished - press->dropped;
    bool failed = finished == 0 && press->finished == press->failed_at;
    if (failed)
        *err = press->failure;
    pthread_mutex_unlock(&press->lock);

    if (failed)
        return false;
    *ready = finished;
    return true;
}

struct press_work *press_at(const struct press *press, size_t i)
{
    return &slot_at(press, press->dropped + i)->work;
}

void press_drop(struct press *press, size_t n)
{
    for (; n > 0; n--) {
        struct slot *slot = slot_at(press, press->dropped);

        work_free(&slot->work);
        slot->state = WAITS;
        press->dropped++;
    }
}
