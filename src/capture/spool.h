/*
 * spool.h - what a capture came to, in a temporary file: memory does not grow with it, and the process
 * that reads packets need not be the one that writes the report.
 *
 * The file is made in $TMPDIR or /tmp and has no name.  It is written once, then read as often as is
 * wanted.  What is read was written by a process that has seen hostile packets: it is bounded and checked.
 */
#ifndef CAPTURE_SPOOL_H
#define CAPTURE_SPOOL_H

#include "base/err.h"
#include "base/rd.h"
#include "capture/flow.h"

struct capture_counts {         /* at the end of the spool */
    struct flow_counts flows;
    uint64_t dropped_kernel, dropped_interface;
    uint64_t certs_refused;     /* certificates that found no room */
    bool live;
    bool cut_short;             /* a file ended in the middle of a packet */
    bool unread;                /* a file could not be read to its end */
    int64_t first_us, last_us;  /* of packets */
};

struct spool;
PS_MUST bool spool_new(struct spool **out, struct ps_err *err);
void spool_free(struct spool *spool);
PS_DEFINE_FREEP(struct spool, spool_free)

/* These remember a failure; spool_finish() tells of it. */
void spool_put_conn(struct spool *spool, const struct conn *conn);
void spool_put_cert(struct spool *spool, uint32_t number, const void *der, size_t len);
void spool_put_counts(struct spool *spool, const struct capture_counts *counts);
PS_MUST bool spool_finish(struct spool *spool, struct ps_err *err);

enum spool_kind { SPOOL_END, SPOOL_CONN, SPOOL_CERT, SPOOL_COUNTS };
struct spool_item {             /* until the next call */
    enum spool_kind kind;
    struct conn conn;
    uint32_t cert;
    struct span der;
    struct capture_counts counts;
};
void spool_rewind(struct spool *spool);
/* SPOOL_END also where the file is not what it should be. */
enum spool_kind spool_next(struct spool *spool, struct spool_item *out);

#endif
