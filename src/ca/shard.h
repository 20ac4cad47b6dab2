/*
 * shard.h - partitions of one issuer's CRL, and which certificate belongs to which.
 *
 * PostgreSQL hashes and sorts a CRL whole at every connection: a million entries cost 190 to 1,000 ms,
 * in 64 partitions 19.  A certificate names its partition in CRLDistributionPoints, and the CRL of the
 * partition says the same name in a critical IssuingDistributionPoint; OpenSSL then looks only at that
 * one (RFC 5280 4.2.1.13, 5.2.5, 6.3.3).  The names are compared, never fetched.
 *
 * A partition is a range of serial numbers, by the first 30 random bits: an ordered walk over an
 * issuer's revocations meets partition 0 first, then 1, and so on.
 */
#ifndef PS_SHARD_H
#define PS_SHARD_H

#include "base/defs.h"
#include "tls/cert.h"

enum { SHARD_MAX = 1024, SHARD_URI = 512 };
#define SHARD_URL "http://crl.invalid"      /* RFC 2606: nobody's */

/* The partition of a serial in hex, as in cert_info; 0 to shards - 1. */
unsigned shard_of(const char *serial_hex, unsigned shards);

/*
 * "URL/KEY-ID/N.crl" into out, which it returns: `issuer`'s key identifier in hex, so that two CAs
 * with one URL do not meet.  `url` has at most SHARD_URI - 64 bytes.
 */
const char *shard_uri(const char *url, const struct cert *issuer, unsigned shard,
                      char out[SHARD_URI]);

#endif
