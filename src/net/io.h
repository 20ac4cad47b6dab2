/*
 * io.h - one connection, plain or TLS, with a time limit on everything.
 *
 * Blocking for the caller, non-blocking below (poll).  Every call has a deadline in
 * clock_mono_ms() terms; passing it is PS_E_TIMEOUT and the connection is of no further use.
 * Writing to a peer that has gone is PS_E_NET, never SIGPIPE.  One thread at a time for each io.
 */
#ifndef PS_IO_H
#define PS_IO_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tls/ctx.h"

struct io;
void io_free(struct io *io);            /* closes */
PS_DEFINE_FREEP(struct io, io_free)

struct io *io_from_fd(int fd);          /* a connected socket, now the io's; set non-blocking */
int io_local_port(const struct io *io);
int socket_local_port(int fd);          /* 0: it is no TCP socket, or not bound */

PS_MUST bool io_write(struct io *io, const void *bytes, size_t len, int64_t deadline_ms,
                      struct ps_err *err);
/* At least one byte; *got is 0 at the end of the stream, with a TLS close_notify or without. */
PS_MUST bool io_read(struct io *io, void *bytes, size_t size, size_t *got, int64_t deadline_ms,
                     struct ps_err *err);
/* Wait until there is a byte to be read on the plain connection; PS_E_NET when the stream ends before. */
PS_MUST bool io_wait(struct io *io, int64_t deadline_ms, struct ps_err *err);
/* Exactly len bytes; PS_E_NET when the stream ends before. */
PS_MUST bool io_read_exact(struct io *io, void *bytes, size_t len, int64_t deadline_ms,
                           struct ps_err *err);

/*
 * Handshake over the plain connection; `host` for SNI, NULL or an address: none.  A handshake that
 * fails is PS_E_NET, with OpenSSL's reason (which names the peer's alert) as the detail; a plain
 * connection that the peer closes meanwhile too.
 */
PS_MUST bool io_tls_client(struct io *io, struct tls_ctx *ctx, const char *host,
                           int64_t deadline_ms, struct ps_err *err);
PS_MUST bool io_tls_server(struct io *io, struct tls_ctx *ctx, int64_t deadline_ms,
                           struct ps_err *err);
/*
 * Keep what the server says in a handshake, up to the change to encryption, in `out`: records in the clear, for
 * answer_read().  To be called before the handshake.  NULL: keep no more.
 */
void io_tls_keep_flight(struct io *io, struct buf *out);
void io_tls_close_notify(struct io *io);    /* a clean end leaves no line in the server's log */

/* What was negotiated; after a successful handshake.  Strings live as long as the io. */
struct io_tls_info {
    int version;                        /* enum tls_version */
    const char *cipher;                 /* "TLS_AES_256_GCM_SHA384" */
    uint16_t suite;                     /* the same by IANA's number */
    uint16_t scheme;                    /* of the server's signature, by IANA's number; 0: none, not known */
    const char *group;                  /* "x25519", as OpenSSL spells it; NULL when not known */
    const char *alpn;                   /* NULL when none was chosen */
    bool client_cert_requested;         /* the server sent a CertificateRequest */
    size_t ticket_len;                  /* 0: it gave none; in TLS 1.3 with the first bytes that are read */
};
void io_tls_info(struct io *io, struct io_tls_info *out);
/* The chain as the peer sent it, leaf first; empty when it sent none. */
void io_tls_peer_chain(struct io *io, struct cert_list *out);
/* The CAs that the server named in its CertificateRequest, RFC 2253; NULL: none, or it asked for none. */
const char *const *io_tls_authorities(struct io *io, struct arena *arena);

/* Ask the server for another handshake inside this connection (TLS 1.2 and before): does it agree? */
bool io_tls_renegotiate(struct io *io, int64_t deadline_ms);

#endif
