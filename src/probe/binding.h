/*
 * binding.h - does TLS end at the very PostgreSQL that would ask for the password?
 *
 * What stands before it may pass on the offer of SCRAM-SHA-256-PLUS; but PostgreSQL compares the certificate that
 * the client saw with its own before it looks at anything else of the client's last message.  Ours ends where
 * the proof of a password would stand: none is tried, and what counts failed logins hears of none.  The server
 * writes one line into its log, and ends the connection.
 * Source: RFC 5802 7, RFC 5929 4.1; auth-scram.c (read_client_first_message, read_client_final_message); manual,
 * "SASL Authentication".
 */
#ifndef PS_BINDING_H
#define PS_BINDING_H

#include "base/buf.h"
#include "facts/seen.h"

/* SASLInitialResponse for SCRAM-SHA-256-PLUS; to be sent once the server has offered it. */
void binding_put_first(struct buf *out);

/*
 * SASLResponse with the hash of the certificate that was seen, to be sent when the server goes on.  False: its
 * signature has no hash to bind by (Ed25519), and nothing was put.
 */
bool binding_put_last(const struct cert *leaf, struct buf *out);

/* YES: the server's own certificate is that one; NO: it is another; UNKNOWN: the answer is neither's. */
enum fact_bool binding_read(const struct startup_seen *answer);

#endif
