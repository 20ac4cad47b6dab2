/*
 * conn.h - one connection as it is reported: who, what came of it, and how much.
 */
#ifndef CAPTURE_CONN_H
#define CAPTURE_CONN_H

#include "capture/talk.h"

enum { CONN_ADDRESS = 46 };     /* text of an address: INET6_ADDRSTRLEN */

struct conn {
    bool v6;
    uint8_t address[SIDES][16];         /* 4 bytes of IPv4 */
    uint16_t port[SIDES];
    uint8_t verdict;                    /* enum verdict */
    uint8_t reason;                     /* enum reason */
    bool recognised;                    /* it is PostgreSQL by its start-up */
    bool from_start, closed, reset;
    bool one_direction;
    int64_t first_us, last_us;          /* since 1970 */
    uint64_t packets, bytes[SIDES], lost[SIDES];
    struct talk_facts facts;
    const char *text[TALK_TEXTS];       /* NULL: not seen; whoever hands out the struct owns them */
};

/* Milliseconds; negative: not seen. */
double conn_handshake_ms(const struct conn *conn);      /* from ClientHello to the client's Finished */
double conn_setup_ms(const struct conn *conn);          /* from the first packet until it could be used */

const char *conn_address(const struct conn *conn, enum talk_side side, char out[CONN_ADDRESS]);

/* A password, or what serves as one, went over the wire readable. */
bool conn_password_exposed(const struct conn *conn);

#endif
