/*
 * crl_stream.h - a revocation list of any length, in memory of one size.
 *
 * crl_build() holds every entry as an object: 215 MB and four seconds for a million.  Here entries
 * pass as DER into a scratch file, are signed as they are read back, and go out as PEM: the bytes,
 * up to the signature, are those of crl_build().
 */
#ifndef PS_CRL_STREAM_H
#define PS_CRL_STREAM_H

#include "tls/crl.h"
#include "tls/digest.h"

struct crl_stream;
void crl_stream_free(struct crl_stream *stream);
PS_DEFINE_FREEP(struct crl_stream, crl_stream_free)

/*
 * `spec` as for crl_build(), without entries.  `dir` is where a scratch file may be: it has no name
 * (O_TMPFILE, or unlinked at once), and 35 to 50 bytes for each entry.  PS_E_IO.
 */
PS_MUST bool crl_stream_new(const struct cert *issuer, const struct key *issuer_key,
                            const struct crl_spec *spec, const char *dir, struct crl_stream **out,
                            struct ps_err *err);

/* Entries come sorted by serial, each once (PS_E_BUG): PostgreSQL pays for unsorted lists. */
PS_MUST bool crl_stream_add(struct crl_stream *stream, const void *serial, size_t serial_len,
                            time_t revoked_at, int reason, struct ps_err *err);

typedef bool (*crl_write_fn)(void *arg, const void *bytes, size_t len, struct ps_err *err);
struct crl_sum {
    size_t entries;
    size_t der_len;
    char digest[DIGEST_HEX];        /* SHA-256 of the DER */
};
/* Sign, and give the PEM out in pieces; once.  PS_E_CRYPTO, PS_E_IO, and what `write` says. */
PS_MUST bool crl_stream_finish(struct crl_stream *stream, crl_write_fn write, void *arg,
                               struct crl_sum *out, struct ps_err *err);

#endif
