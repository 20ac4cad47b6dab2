/*
 * capture_conn.h - one connection of a capture, as a document.
 *
 * Fields: client, client_port, server, server_port, first, duration_ms, verdict, reason, start,
 * ssl_answer, gss_answer, tls_version, cipher, suite, group, resumed, followed, sni, alpn, alert, alert_from,
 * handshake_ms, setup_ms, server_cert, client_cert, user, database, application_name, replication, auth,
 * password_sent, password_exposed, authenticated, sqlstate, queries, query_bytes, rows, row_bytes,
 * copy_in_bytes, copy_out_bytes, counts_complete, client_bytes, server_bytes, lost_bytes, packets, sample.
 */
#ifndef CLI_CAPTURE_CONN_H
#define CLI_CAPTURE_CONN_H

#include "capture/totals.h"
#include "doc/doc.h"

/* The fields of one connection into a row, or into a section.  `totals` may be NULL: no certificates. */
void capture_conn_doc(const struct conn *conn, const struct totals *totals, bool with_sample,
                      struct doc_node *row);

/* How a verdict is to be seen. */
enum doc_mark capture_mark(enum verdict verdict);

#endif
