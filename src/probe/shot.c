/* shot.c - see shot.h. */
#include "probe/shot.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum stage { STAGE_CONNECTING, STAGE_SENDING, STAGE_LETTER, STAGE_ANSWER };

/* A shot on its way. */
struct flight {
    struct shot *shot;
    int fd;
    enum stage stage;
    size_t part, sent;          /* which one, and so much of it */
    int64_t started_us, deadline_ms;
};

void shot_release(struct shot *shot)
{
    buf_free(&shot->got);
}

static void land(struct flight *flight, enum shot_end end)
{
    flight->shot->end = end;
    flight->shot->total_us = clock_mono_us() - flight->started_us;
    if (flight->fd >= 0)
        close(flight->fd);
    flight->fd = -1;
}

/* ---- the stages ---- */

static void lost(struct flight *flight, int error)
{
    flight->shot->error = error;
    land(flight, flight->stage == STAGE_CONNECTING ? SHOT_NO_CONNECTION
                 : error == ECONNRESET || error == EPIPE ? SHOT_RESET : SHOT_CLOSED);
}

static const struct buf *next_part(const struct flight *flight)
{
    return flight->part + 1 < SHOT_PARTS_MAX ? flight->shot->parts[flight->part + 1] : NULL;
}

static void send_more(struct flight *flight)
{
    const struct buf *what = flight->shot->parts[flight->part];

    while (flight->sent < what->len) {
        ssize_t n = send(flight->fd, what->p + flight->sent, what->len - flight->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        /* who answers before he has read all is heard: the reading meets the end of the stream */
        if (n < 0)
            break;
        flight->sent += (size_t)n;
    }
    flight->stage = next_part(flight) ? STAGE_LETTER : STAGE_ANSWER;
}

static void start_sending(struct flight *flight, size_t part)
{
    flight->part = part;
    flight->sent = 0;
    flight->stage = STAGE_SENDING;
    send_more(flight);
}

static void connected(struct flight *flight, int answer_ms)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(flight->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error) {
        lost(flight, error);
        return;
    }
    flight->shot->connected = true;
    flight->shot->connect_us = clock_mono_us() - flight->started_us;
    flight->deadline_ms = clock_mono_ms() + answer_ms;
    start_sending(flight, 0);
}

/* After the letter exactly one byte is taken: what else came with it belongs to the answer. */
static void take_letter(struct flight *flight)
{
    struct shot *shot = flight->shot;
    ssize_t n = recv(flight->fd, &shot->letter, 1, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        shot->letter = 0;
        lost(flight, n < 0 ? errno : 0);
    } else if (shot->letter == shot->go_on) {
        shot->letters++;
        start_sending(flight, flight->part + 1);
    } else if (shot->letter == 'E') {
        buf_putc(&shot->got, 'E');
        flight->stage = STAGE_ANSWER;
    } else {
        land(flight, SHOT_DECLINED);
    }
}

static void take_answer(struct flight *flight)
{
    struct shot *shot = flight->shot;
    char bytes[16384];
    ssize_t n = recv(flight->fd, bytes, sizeof(bytes), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lost(flight, n < 0 ? errno : 0);
        return;
    }
    if (!buf_put(&shot->got, bytes, (size_t)n)) {
        land(flight, SHOT_TOO_MUCH);
        return;
    }
    if (shot->letter == 'E')        /* an error instead of a letter: the reader takes what came */
        return;
    switch (shot->enough(buf_text(&shot->got), shot->got.len)) {
    case WIRE_MORE: return;
    case WIRE_DONE: land(flight, SHOT_ANSWERED); return;
    case WIRE_BAD:  land(flight, SHOT_NOT_POSTGRES); return;
    }
}

static void move(struct flight *flight, int answer_ms)
{
    switch (flight->stage) {
    case STAGE_CONNECTING: connected(flight, answer_ms); return;
    case STAGE_SENDING:    send_more(flight);            return;
    case STAGE_LETTER:     take_letter(flight);          return;
    case STAGE_ANSWER:     take_answer(flight);          return;
    }
}

static void take_off(struct shot_target *target, struct shot *shot, struct flight *flight)
{
    int on = 1;

    *flight = (struct flight){ .shot = shot, .fd = -1, .started_us = clock_mono_us(),
                               .deadline_ms = clock_mono_ms() + target->connect_ms };
    target->connections++;
    shot->tries++;
    flight->fd = socket(target->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (flight->fd < 0) {
        lost(flight, errno);
        return;
    }
    setsockopt(flight->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(flight->fd, (const struct sockaddr *)&target->addr, target->addr_len) == 0)
        connected(flight, target->answer_ms);
    else if (errno != EINPROGRESS)
        lost(flight, errno);
}

/* ---- several at once ---- */

static bool writes(const struct flight *flight)
{
    return flight->stage == STAGE_CONNECTING || flight->stage == STAGE_SENDING;
}

/* Wait for the first of them, `most_ms` at most; those whose time is over end here. */
static void wait_and_move(struct shot_target *target, struct flight *flights, size_t len, int most_ms)
{
    struct pollfd fds[SHOT_AT_ONCE_MAX];
    int64_t now = clock_mono_ms(), first = now + most_ms;

    for (size_t i = 0; i < len; i++) {
        fds[i] = (struct pollfd){ .fd = flights[i].fd,
                                  .events = writes(&flights[i]) ? POLLOUT : POLLIN };
        first = flights[i].deadline_ms < first ? flights[i].deadline_ms : first;
    }
    int n = poll(fds, (nfds_t)len, first > now ? (int)(first - now) : 0);
    now = clock_mono_ms();
    for (size_t i = 0; i < len; i++) {
        if (n > 0 && fds[i].revents)
            move(&flights[i], target->answer_ms);
        if (flights[i].fd >= 0 && now >= flights[i].deadline_ms) {
            flights[i].shot->error = ETIMEDOUT;
            land(&flights[i], SHOT_TIMEOUT);
        }
    }
}

/* ---- through the gate ---- */

static int ask_gate(struct shot_target *target)
{
    if (target->silent >= SHOT_SILENT_MAX
        || (target->connections_max && target->connections >= target->connections_max))
        return -1;
    return target->gate ? target->gate(target->gate_arg) : 0;
}

bool shot_target_pass(struct shot_target *target)
{
    int wait_ms;

    while ((wait_ms = ask_gate(target)) > 0)
        clock_sleep_ms(wait_ms);
    if (wait_ms < 0)
        return false;
    target->connections++;
    return true;
}

void shot_target_note(struct shot_target *target, bool answered)
{
    target->silent = answered ? 0 : target->silent + 1;
}

/* Lost on the way: a refusal is an answer, and so is whatever came over an open connection. */
static bool is_lost(const struct shot *shot)
{
    return !shot->connected
        && (shot->end == SHOT_TIMEOUT
            || (shot->end == SHOT_NO_CONNECTION
                && (shot->error == ECONNRESET || shot->error == EHOSTUNREACH)));
}

/* ---- all of them ---- */

/* The shots that are still to be fired, in a ring: each is in it at most once. */
struct waiting {
    struct shot **at;
    size_t size, first, len;
};

static void wait_again(struct waiting *waiting, struct shot *shot)
{
    waiting->at[(waiting->first + waiting->len++) % waiting->size] = shot;
}

static struct shot *next_waiting(struct waiting *waiting)
{
    struct shot *shot = waiting->at[waiting->first];

    waiting->first = (waiting->first + 1) % waiting->size;
    waiting->len--;
    return shot;
}

/* Take those out that have landed; returns how many still fly. */
static size_t clear(struct shot_target *target, struct flight *flights, size_t flying,
                    struct waiting *waiting)
{
    for (size_t i = flying; i-- > 0; ) {
        struct shot *shot = flights[i].shot;

        if (flights[i].fd >= 0)
            continue;
        shot_target_note(target, shot->end != SHOT_TIMEOUT);
        if (is_lost(shot) && shot->tries <= target->retries)
            wait_again(waiting, shot);
        flights[i] = flights[--flying];
    }
    return flying;
}

void shots_fire(struct shot_target *target, struct shot *shots, size_t len)
{
    enum { POLL_MS = 60000 };
    PS_AUTO(ps_freep) struct shot **at = ps_calloc(len + 1, sizeof(*at));
    struct waiting waiting = { .at = at, .size = len + 1 };
    struct flight flights[SHOT_AT_ONCE_MAX];
    size_t flying = 0;
    size_t at_once = target->at_once < 1 ? 1
                   : target->at_once > SHOT_AT_ONCE_MAX ? SHOT_AT_ONCE_MAX : (size_t)target->at_once;

    for (size_t i = 0; i < len; i++) {
        shots[i].got = BUF(SHOT_BYTES_MAX);
        shots[i].end = SHOT_NOT_SENT;
        wait_again(&waiting, &shots[i]);
    }
    while (flying || waiting.len) {
        int wait_ms = 0;

        /* who waits for the gate goes on hearing those that fly */
        while (flying < at_once && waiting.len && (wait_ms = ask_gate(target)) == 0)
            take_off(target, next_waiting(&waiting), &flights[flying++]);
        if (wait_ms < 0)
            waiting.len = 0;
        flying = clear(target, flights, flying, &waiting);
        if (flying)
            wait_and_move(target, flights, flying, wait_ms > 0 ? wait_ms : POLL_MS);
        else if (wait_ms > 0)
            clock_sleep_ms(wait_ms);
    }
}

static const char *const texts[] = {
    [SHOT_ANSWERED] = N_("answered"),
    [SHOT_CLOSED] = N_("the server closed the connection"),
    [SHOT_RESET] = N_("the server reset the connection"),
    [SHOT_NO_CONNECTION] = N_("no connection"),
    [SHOT_TIMEOUT] = N_("no answer in time"),
    [SHOT_TOO_MUCH] = N_("the answer is longer than any server's"),
    [SHOT_NOT_POSTGRES] = N_("the answer is not PostgreSQL's"),
    [SHOT_DECLINED] = N_("the server does not offer TLS"),
    [SHOT_NOT_SENT] = N_("not asked: the limit of connections was reached"),
};

const char *shot_end_text(enum shot_end end)
{
    return _(texts[end]);
}
