/*
 * shot.h - one question to a server: a connection, a few bytes, the answer, and away.
 *
 * What is asked and what an answer means are pure functions elsewhere; here are the sockets.  Several
 * shots at one server fly at once, within a stated number, so that a survey takes the time of its
 * slowest answers and never holds more connections than that.
 */
#ifndef PS_SHOT_H
#define PS_SHOT_H

#include <sys/socket.h>

#include "base/buf.h"
#include "pg/wire.h"

enum {
    SHOT_BYTES_MAX = 65536,     /* of one answer: a chain of certificates and more; beyond: SHOT_TOO_MUCH */
    SHOT_AT_ONCE_MAX = 4,       /* connections to one server */
    SHOT_SILENT_MAX = 4,        /* connections in a row without any answer: after them nothing is asked */
    SHOT_PARTS_MAX = 5
};

enum shot_end {
    SHOT_ANSWERED,      /* `enough` was satisfied */
    SHOT_CLOSED,        /* the peer closed first; what it sent before is in `got` */
    SHOT_RESET,         /* likewise, but with RST */
    SHOT_NO_CONNECTION, /* refused, unreachable; errno in `error` */
    SHOT_TIMEOUT,       /* connected, and then silence: `connected` tells from a black hole */
    SHOT_TOO_MUCH,
    SHOT_NOT_POSTGRES,  /* the answer is none of what PostgreSQL says */
    SHOT_DECLINED,      /* a letter was another one: the next part was not sent */
    SHOT_NOT_SENT       /* no more connections were let through, or too many stayed silent */
};

struct shot {
    /* asked */
    const struct buf *parts[SHOT_PARTS_MAX];    /* sent one by one, NULL behind the last */
    char go_on;                 /* the letter that has to come between two of them */
    /* WIRE_DONE: nothing more is needed; WIRE_BAD: not PostgreSQL.  Must not read past len. */
    enum wire_parse (*enough)(const void *bytes, size_t len);

    /* answered */
    enum shot_end end;
    bool connected;
    char letter;                /* the last byte that came between two parts; 0: none came */
    size_t letters;             /* so many of these were `go_on` */
    struct buf got;             /* freed by shot_release() */
    int error;
    unsigned tries;             /* connections that were opened for it */
    int64_t connect_us, total_us;
};

void shot_release(struct shot *shot);

struct shot_target {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    int connect_ms, answer_ms;  /* time limits of one connection: to be open, to be done */
    int at_once;                /* 1 to SHOT_AT_ONCE_MAX */
    unsigned connections_max;   /* to this server; 0: no limit */
    unsigned retries;           /* more tries for a connection that nobody answered, not even with a refusal */
    /* Asked before each connection: 0: go; > 0: ask again after so many ms; < 0: no more.  NULL: always. */
    int (*gate)(void *arg);
    void *gate_arg;

    /* counted here */
    unsigned connections;       /* opened, or tried */
    unsigned silent;            /* of the last ones, in a row: without an answer in time */
};

/* Fire all; returns when each has its end.  A connection is never reused. */
void shots_fire(struct shot_target *target, struct shot *shots, size_t len);

/*
 * For a connection that is no shot: wait until the gate lets it through, and count it; false: no more.
 * Afterwards say whether it was answered in time.
 */
bool shot_target_pass(struct shot_target *target);
void shot_target_note(struct shot_target *target, bool answered);

const char *shot_end_text(enum shot_end end);   /* translated */

#endif
