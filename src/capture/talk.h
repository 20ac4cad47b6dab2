/*
 * talk.h - one PostgreSQL conversation, from the bytes of its two sides: how it began, what protects it,
 * and what could be read.
 *
 * A state machine without I/O: it is fed in-order bytes and holes, and says at any time what it knows.
 * Nothing is kept of passwords; of queries only when samples are wanted, and those are redacted at once.
 * Behind a finished handshake the heads of records or packets are followed, for both sides could go on in
 * plaintext; a hole is passed if it lies within one frame, otherwise the next head is sought, and only what
 * two heads agree on is trusted.
 * Bounds: TALK_PENDING_MAX bytes of each side while it is not clear what they are, one TLS message
 * (tls/record.h) of each side during a handshake, TALK_GATHER_MAX bytes of a message of interest.
 * Sources: manual, "Message Flow" and "Message Formats"; backend_startup.c; RFC 8446; be-gssapi.
 */
#ifndef CAPTURE_TALK_H
#define CAPTURE_TALK_H

#include "base/buf.h"
#include "capture/verdict.h"

enum { TALK_PENDING_MAX = 32 * 1024, TALK_GATHER_MAX = 1024, TALK_SAMPLE_MAX = 1024,
       TALK_NAME_MAX = 128, TALK_STORE = 64, TALK_ROUNDS_MAX = 8,
       TALK_FIRST_MAX = 96 };       /* as much as the S, and the hello of a server up to its cipher suite */

enum talk_side { SIDE_CLIENT, SIDE_SERVER, SIDES };

enum talk_start { START_UNKNOWN, START_SSL_REQUEST, START_GSSENC_REQUEST, START_DIRECT_TLS,
                  START_PLAINTEXT, START_CANCEL, STARTS };
const char *talk_start_word(enum talk_start start);

enum talk_password { PASSWORD_NONE, PASSWORD_CLEARTEXT, PASSWORD_MD5, PASSWORD_TOKEN, PASSWORD_SCRAM,
                     PASSWORD_GSS, PASSWORD_OTHER, PASSWORDS };
const char *talk_password_word(enum talk_password password);

enum talk_text { TEXT_USER, TEXT_DATABASE, TEXT_APPLICATION, TEXT_SNI, TEXT_ALPN, TEXT_AUTH,
                 TEXT_SAMPLE, TALK_TEXTS };

/* Where certificates that were seen are kept, each once; gives a number from 1, 0 when it is full. */
struct cert_shelf;
uint32_t cert_shelf_put(struct cert_shelf *shelf, const void *der, size_t len);

/* What stood behind a finished handshake where a record of TLS or a packet of GSS had to stand; the last is worst. */
enum talk_behind { BEHIND_NOTHING, BEHIND_OTHER, BEHIND_MESSAGES };

/* What is known; plain values, so that it can be written away as it is. */
struct talk_facts {
    uint8_t start;                  /* enum talk_start: the first request */
    bool asked_tls, asked_gss;
    char ssl_answer, gss_answer;    /* 'S', 'N', 'G', 'E'; '?': not seen; 0: none */
    uint32_t protocol;              /* of a plaintext startup; 0: none was seen */
    bool injected;
    uint8_t injected_by;            /* enum talk_side */
    bool not_postgres, cancel;
    uint8_t reason;                 /* enum reason: of what is unknown or failed */

    bool client_hello, server_hello, tls_done, tls_sure, retry, resumed;
    uint16_t tls_version, cipher, group, offered_version;
    bool alert_seen, alert_hidden, failed;
    uint8_t alert, alert_by;        /* enum talk_side */
    uint32_t server_cert, client_cert;  /* of the shelf */
    bool client_cert_asked;

    uint8_t auth;                   /* the last method that the server asked for, plus one; 0: none */
    bool scram_plus, authenticated, ready;
    uint8_t password;               /* enum talk_password: what the client sent in plaintext */
    uint8_t replication;            /* 1: physical, 2: logical */
    char sqlstate[6];               /* of the first FATAL error */
    bool incomplete;                /* holes in the plaintext: the counts are at least so much */
    uint64_t queries, query_bytes, rows, row_bytes, copy_in_bytes, copy_out_bytes;

    uint8_t behind;                 /* enum talk_behind */
    bool unfollowed;                /* not every frame behind the handshake could be found */

    int64_t tls_begun_us, tls_done_us, ready_us;    /* 0: not seen */
};

struct talk_part;               /* what is needed until the verdict is clear */

struct talk_walk {              /* through the messages of one side */
    uint32_t left;              /* of the message's body */
    uint8_t head[5];
    uint8_t head_len;
    bool lost;                  /* out of step: the next piece is looked at */
    bool doubted;               /* in step by one head alone, which may be chance */
    uint32_t run;               /* bytes without a hole while no head is sure */
    bool gather;                /* of a message its body; of a frame its first bytes are looked at */
    struct buf body;
};

struct talk {
    struct talk_facts facts;
    uint8_t phase[SIDES];
    bool from_start;            /* the first byte of both sides is known to be the first */
    bool want_samples;
    uint8_t rounds;             /* of negotiation */
    uint8_t samples;
    uint64_t offset[SIDES];     /* bytes delivered, holes counted */
    uint32_t gss_packets[SIDES];
    struct talk_walk walk[SIDES];
    struct talk_part *part;
    struct cert_shelf *shelf;
    char *text[TALK_TEXTS];     /* in `store`, or where that is full, of their own */
    char store[TALK_STORE];
    uint8_t stored;
};

void talk_begin(struct talk *talk, bool from_start, bool want_samples, struct cert_shelf *shelf);
void talk_free(struct talk *talk);

/*
 * Bytes of one side, in order.  `acked`: how many bytes of the other side their sender had received, from
 * its first; -1: not known.
 */
void talk_data(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
               int64_t now_us);
void talk_gap(struct talk *talk, enum talk_side side, uint64_t len);

/*
 * The same bytes once more, from that offset on: do they differ from what was taken the first time, as far as that
 * is remembered (TALK_FIRST_MAX bytes of each side, until it is settled)?  Or can they be read, where what was
 * taken is encrypted?
 */
bool talk_contradicts(const struct talk *talk, enum talk_side side, uint64_t at, const uint8_t *p,
                      size_t len);

/* No packet will follow: what can still be concluded is. */
void talk_end(struct talk *talk);

void talk_drop_part(struct talk *talk);      /* after giving up: free what was needed to go on */

/* Memory that it takes beside the struct, while it is not settled. */
size_t talk_part_bytes(const struct talk *talk);

/* Give up on it: it stays what it is, or unknown for this reason. */
void talk_give_up(struct talk *talk, enum reason reason);

/* Would these bytes be the beginning of a PostgreSQL conversation?  For whoever sees no SYN. */
bool talk_looks_like_start(const uint8_t *p, size_t len);

/*
 * The verdict is clear.  Nothing changes it any more but a breach: something else behind a finished handshake.
 * What is encrypted is therefore followed by the heads of its frames to its end (talk_frames.c).
 */
bool talk_is_settled(const struct talk *talk);

/* Nothing that comes will change the verdict or a count: bytes need not be delivered any more. */
bool talk_is_deaf(const struct talk *talk);
bool talk_is_deaf_to(const struct talk *talk, enum talk_side side);

/* Of a talk that is settled: the next `len` bytes of that side are inside one frame, and passed. */
static inline bool talk_pass(struct talk *talk, enum talk_side side, uint32_t len)
{
    struct talk_walk *walk = &talk->walk[side];

    if (len > walk->left || walk->gather)
        return false;
    walk->left -= len;
    talk->offset[side] += len;
    return true;
}

/* The verdict as it is now; `closed`: the connection is over, no packet will follow. */
enum verdict talk_verdict(const struct talk *talk, bool closed, enum reason *reason);

#endif
