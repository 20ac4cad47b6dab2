/*
 * record.h - one direction of a TLS connection, in pieces of any size: records and what is in them.
 *
 * Bytes are fed as they come; an event is reported for each record, and for each handshake message that
 * is readable.  A message is kept until it is whole, at most TLS_MESSAGE_MAX bytes: a longer one is
 * reported without its body.  Nothing is kept of records that are encrypted.  Source: RFC 8446 5.1 and 6,
 * RFC 5246 6.2.1 and 7.4.
 */
#ifndef TLS_RECORD_H
#define TLS_RECORD_H

#include "base/buf.h"
#include "base/rd.h"

enum tls_content { TLS_CT_CHANGE_CIPHER = 20, TLS_CT_ALERT = 21, TLS_CT_HANDSHAKE = 22,
                   TLS_CT_DATA = 23 };

enum { TLS_RECORD_HEAD = 5, TLS_RECORD_MAX = (1 << 14) + 2048, TLS_MESSAGE_MAX = 64 * 1024 };

struct tls_reader {
    uint8_t head[TLS_RECORD_HEAD];
    uint8_t head_len;
    bool bad;                   /* what came is no TLS: everything behind it is ignored */
    bool encrypted;             /* set by the owner, when handshake messages can no longer be read */
    bool lost;                  /* bytes are missing: a record was sought where the next piece began */
    uint16_t left;              /* bytes of the record that are still to come */
    uint8_t skip_kind;          /* of a message that is too long, and how much of it is left */
    uint32_t skip_left;
    struct buf message;         /* what there is of a handshake message */
    uint8_t alert[2], alert_len;        /* and of an alert, which may stand between its pieces */
};

struct tls_event {
    enum { TLS_EV_RECORD, TLS_EV_MESSAGE, TLS_EV_ALERT } kind;
    uint8_t content;            /* of a record; the first byte of its body is not there yet */
    uint16_t version;           /* of a record */
    uint16_t len;               /* of a record */
    uint8_t type;               /* of a message */
    bool whole;                 /* of a message: `body` is there */
    struct span body;
    uint8_t level, description; /* of an alert that is readable */
};

typedef void (*tls_event_fn)(void *of, const struct tls_event *event);

void tls_reader_free(struct tls_reader *reader);    /* ready for use again */

/*
 * Feed bytes.  The function may set reader->encrypted: what it says counts from the next record on.  How many
 * were taken: all, or where it turns `bad` those up to and with the head that is none, which stands in
 * reader->head.
 */
size_t tls_reader_feed(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                     void *of);

/*
 * So many bytes are missing.  Inside one encrypted record that is no loss; otherwise `lost` is set, a
 * message that was begun is dropped, and the next piece is taken if it begins like a record.
 */
void tls_reader_gap(struct tls_reader *reader, uint64_t len);

/* Do these bytes look like the beginning of a record?  At least one byte must be there. */
bool tls_looks_like_record(const uint8_t *p, size_t len);

#endif
