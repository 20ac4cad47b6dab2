/*
 * verdict.h - what a connection came to, in words that are stable (see the manual, "pgseal capture").
 */
#ifndef CAPTURE_VERDICT_H
#define CAPTURE_VERDICT_H

#include "base/defs.h"

enum verdict {
    V_TLS,              /* both hellos were seen, and the handshake was finished as far as is visible */
    V_PLAINTEXT,
    V_DOWNGRADED,       /* plaintext after TLS was asked for: refused, or stripped on the way */
    V_REFUSED,          /* the client gave up after the refusal */
    V_GSS, V_GSS_FAILED,
    V_CANCEL,           /* a CancelRequest in plaintext: it has no password and no data in it */
    V_TLS_FAILED,
    V_TLS_NOT_STARTED,  /* the server said S, and the client never began */
    V_INJECTED,         /* bytes before the handshake that do not belong there (CVE-2021-23214, -23222) */
    V_NO_DATA, V_NOT_POSTGRES,
    V_UNKNOWN,
    VERDICTS
};

/* Why a verdict is V_UNKNOWN, or what is to be said about another one. */
enum reason {
    R_NONE,
    R_BEGAN_BEFORE,     /* the connection is older than the capture */
    R_LOST,             /* packets that would tell are missing */
    R_CUT,              /* packets were cut when they were captured (snaplen) */
    R_ONE_DIRECTION,    /* only one side's packets are there */
    R_ENDED,            /* the capture ended in the middle of the handshake */
    R_NO_ANSWER,        /* the server never answered the request for TLS or GSS */
    R_SUITE,            /* the cipher suite has no name: nobody knows what it does */
    R_NULL_SUITE,       /* TLS with a cipher suite that encrypts nothing */
    R_NO_ALPN,          /* TLS from the first byte, but not for PostgreSQL */
    R_NO_TLS,           /* what followed the S is no TLS */
    R_HIDDEN_ALERT,     /* the side that broke off said why, encrypted */
    R_CLOSED,           /* it was closed without a word */
    R_OVER_BOUND,       /* a bound of ours was reached */
    R_BEHIND,           /* messages that are readable stood behind a finished handshake */
    R_NO_FRAMES,        /* so did something that is no part of it */
    R_OVERLAP,          /* fragments of its packets contradict each other */
    R_STRANGE,          /* segments have numbers that are not of this connection */
    R_COPIES,           /* so do segments that were sent again */
    REASONS
};

const char *verdict_word(enum verdict verdict);         /* "tls-failed" */
const char *verdict_text(enum verdict verdict);         /* translated, for people */
const char *reason_word(enum reason reason);            /* "began-before"; NULL for R_NONE */
const char *reason_text(enum reason reason);            /* translated; NULL for R_NONE */

/* What passes can be read by whoever sees the packets. */
bool verdict_is_readable(enum verdict verdict);
bool verdict_is_encrypted(enum verdict verdict);
/* Worth keeping the packets of (--write). */
bool verdict_is_suspicious(enum verdict verdict);

#endif
