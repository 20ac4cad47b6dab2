/*
 * run.h - a capture from its beginning to its end, in a process of its own.
 *
 * The caller's process opens files and interfaces; a child gives up every right (sandbox.h), reads
 * packets, and fills the spool.  Should packets bring it down, nothing but the capture is lost.
 */
#ifndef CAPTURE_RUN_H
#define CAPTURE_RUN_H

#include "capture/spool.h"

struct capture_spec {
    const char *const *files;       /* NULL at the end; or NULL */
    const char *interface;          /* or NULL */
    const uint16_t *ports;          /* count 0: all */
    size_t ports_count;
    int64_t duration_ms;            /* 0: until a signal, or the end of the files */
    int64_t count;                  /* packets; 0: no limit */
    bool want_samples;
    const char *write_path;         /* packets of suspicious connections; NULL: none */
    bool quiet;                     /* no counters on the terminal */
    /* In the child, for each connection as it ends; NULL: nobody wants to know yet. */
    void (*ended)(void *of, const struct conn *conn);
    void *of;
    struct ps_err *unread;          /* why a file could not be read to its end; NULL: nobody wants to know */
};

/*
 * Ends at the end of the files, at a limit, or on SIGINT and SIGTERM, which are no error: the spool has what
 * was seen until then.  So it has of a file that is broken; the others are read all the same.
 */
PS_MUST bool capture_run(const struct capture_spec *spec, struct spool *spool, struct ps_err *err);

/*
 * The same beside other work, of an interface: every packet from capture_go until capture_end is seen.
 * `spec` and `spool` outlive it.  The reader is a copy of this process: begin before there is a secret in
 * it.  A reader that does not end in CAPTURE_END_MS is killed, which is an error of capture_end.
 */
enum { CAPTURE_END_MS = 5000 };
struct capture_reader;
PS_MUST bool capture_begin(const struct capture_spec *spec, struct spool *spool,
                           struct capture_reader **out, struct ps_err *err);
PS_MUST bool capture_go(struct capture_reader *reader, struct ps_err *err);
PS_MUST bool capture_end(struct capture_reader *reader, struct ps_err *err);
void capture_reader_free(struct capture_reader *reader);    /* without capture_end: it is ended */
PS_DEFINE_FREEP(struct capture_reader, capture_reader_free)

#endif
