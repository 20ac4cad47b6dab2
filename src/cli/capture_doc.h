/*
 * capture_doc.h - what a capture came to, as a document: one page for people, every connection for programs.
 *
 * JSON: "answer", "connections" (below), "split" (verdict, connections, share), "readable" (server, user, database,
 * network, ...), "tls" (version, cipher, group), "totals" (connections, encrypted, readable, undecided,
 * passwords_exposed, others, by_role, by_database, by_application, by_network), "times", "certificates",
 * "capture" (packets, dropped, ..., unread: why a file is not here to its end), "findings" (id, severity, object, message, evidence, why, cure),
 * "not_examined".
 *
 * A connection: client, client_port, server, server_port, first, duration_ms, verdict, reason, start,
 * ssl_answer, gss_answer, tls_version, cipher, suite, group, resumed, followed, sni, alpn, alert, alert_from,
 * handshake_ms, setup_ms, server_cert, client_cert, user, database, application_name, replication, auth,
 * password_sent, password_exposed, authenticated, sqlstate, queries, query_bytes, rows, row_bytes,
 * copy_in_bytes, copy_out_bytes, counts_complete, client_bytes, server_bytes, lost_bytes, packets, sample.
 */
#ifndef CLI_CAPTURE_DOC_H
#define CLI_CAPTURE_DOC_H

#include "capture/totals.h"
#include "cli/cli.h"

/* The fields of one connection into a row, or into a section.  `totals` may be NULL: no certificates. */
void capture_conn_doc(const struct conn *conn, const struct totals *totals, bool with_sample,
                      struct doc_node *row);

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
