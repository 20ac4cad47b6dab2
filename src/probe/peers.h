/*
 * peers.h - which program answers: PostgreSQL itself, a pooler, or a provider's proxy.
 *
 * PostgreSQL's errors name their place in its source (fields F, L and R) and GSSAPI encryption is offered by
 * nobody else; the others have texts of their own.  Source: the sources of PgBouncer, Pgpool-II, Odyssey,
 * Supavisor and Neon's proxy; for RDS Proxy and Azure the texts that their users report.
 */
#ifndef PS_PEERS_H
#define PS_PEERS_H

#include "facts/seen.h"
#include "pg/wire.h"

/* Whose error is it, and what does it mean for the way in?  Fills kind and end of `out`. */
void peers_read_error(const struct wire_error *error, struct startup_seen *out);

/* From all that was answered so far. */
enum seen_kind peers_kind(const struct seen *seen);

/* By the names in the certificate, which anybody may write into his own; NULL: nobody we know. */
const char *peers_provider(const struct cert_list *chain);

#endif
