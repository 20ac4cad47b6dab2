/* talk_part.h - what the files of talk.h share; nobody else includes it. */
#ifndef CAPTURE_TALK_PART_H
#define CAPTURE_TALK_PART_H

#include "capture/talk.h"
#include "pg/wire.h"
#include "tls/hello.h"
#include "tls/record.h"

enum phase {
    PH_FIRST,       /* the client: a first packet is expected.  The server: it has to wait */
    PH_WAIT_SSL, PH_WAIT_GSS,       /* the client waits for one byte; the server: that byte */
    PH_TLS, PH_GSS, PH_MESSAGES,
    PH_ERROR,       /* the server: a message of error in place of an answer */
    PH_FRAMES,      /* behind a finished handshake: records of TLS, or packets of GSS */
    PH_SKIP         /* nobody looks */
};

struct talk_part {
    struct span pending[SIDES];         /* bytes whose meaning is not decided: in `held`, or just coming */
    struct buf held[SIDES];
    uint8_t first[SIDES][TALK_FIRST_MAX];       /* for comparing with copies */
    uint8_t first_len[SIDES];
    int64_t pending_acked[SIDES];       /* what their sender had received; -1: not known */
    struct tls_reader reader[SIDES];
    uint8_t session_id[32], session_len;
    bool begun[SIDES];                  /* the first byte of TLS of that side was looked at */
    bool ciphers_changed[SIDES];
    uint32_t data_records[SIDES];       /* encrypted ones: TLS 1.3 hides what they are */
    uint32_t finished_records[SIDES];   /* TLS 1.2 and before: after the change of ciphers */
    uint32_t server_after;              /* encrypted records of the server after the client's first */
    bool client_closing;
    bool client_plain;                  /* its first encrypted record is Finished: no certificate was asked for */
    size_t client_last;                 /* length of its last encrypted record */
    uint64_t tls_at[SIDES];             /* offset where TLS begins */
};

static inline enum talk_side other_side(enum talk_side side)
{
    return side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

void talk_set_text(struct talk *talk, enum talk_text which, const void *p, size_t len);

/* By the phase of that side. */
void talk_route(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
                int64_t now_us);
bool talk_is_waiting(const struct talk *talk, enum talk_side side);

/* talk_start.c: while a side is waiting */
void talk_need_part(struct talk *talk);
void talk_wait(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
               int64_t now_us);
void talk_wait_gap(struct talk *talk, enum talk_side side, uint64_t len);

/* talk_tls.c: bytes behind the S, or from the first byte on */
void talk_tls_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                   int64_t acked, int64_t now_us);

/* talk_plain.c */
void talk_walk_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                    int64_t now_us);
void talk_walk_gap(struct talk *talk, enum talk_side side, uint64_t len);
void talk_gss_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len);
/*
 * These bytes begin a message of that side.  Or, of bytes that should be encrypted: they are messages, the last of
 * which may be cut off, and so many or so plain that it cannot be chance (one in 10^10).
 */
bool talk_is_message(enum talk_side side, const uint8_t *p, size_t len);
bool talk_seem_messages(enum talk_side side, const uint8_t *p, size_t len);

/* talk_start.c: who it is, from a startup; not `whole`: some of it is missing */
void talk_take_names(struct talk *talk, const struct wire_first *first, bool whole);

/* talk_frames.c: both handshakes are over, and walk[] is in step or lost */
void talk_frames_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                      int64_t now_us);
void talk_frames_gap(struct talk *talk, enum talk_side side, uint64_t len);
/* A startup of the client stands here, and is so long; 0: none does. */
size_t talk_startup_len(enum talk_side side, const uint8_t *p, size_t len, struct wire_first *first);
/* What stands here is no frame: note it, and go on with messages if it is some. */
void talk_frames_breach(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                        int64_t now_us);

#endif
