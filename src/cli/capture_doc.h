/*
 * capture_doc.h - what a capture came to, as a document: one page for people, every connection for programs.
 *
 * JSON: "answer", "connections" (capture_conn.h), "split" (verdict, connections, share), "readable" (server, user,
 * database, network, ...), "tls" (version, cipher, group), "totals" (connections, encrypted, readable, undecided,
 * passwords_exposed, others, by_role, by_database, by_application, by_network), "times", "certificates",
 * "capture" (packets, dropped, ..., unread: why a file is not here to its end), "findings" and "not_examined"
 * (rules/report.h; the object of a finding is the server).
 */
#ifndef CLI_CAPTURE_DOC_H
#define CLI_CAPTURE_DOC_H

#include "capture/totals.h"
#include "cli/cli.h"

struct capture_view {           /* outlives the document */
    struct spool *spool;
    struct totals *totals;
    struct findings *findings;
    const struct ps_err *unread;        /* a file could not be read to its end */
    bool with_sample;
    bool all;                   /* also connections that do not concern PostgreSQL; without a limit */
    size_t owners;              /* at most so many lines of who was in plaintext */
    size_t shown;
};

enum { CAPTURE_PAGE_ROWS = 5000, CAPTURE_OWNERS = 500, CAPTURE_OWNERS_TEXT = 20 };

void capture_describe(struct capture_view *view, struct doc_node *root);

#endif
