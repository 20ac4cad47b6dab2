/* io.c - see io.h. */
#include "net/io.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls/name.h"
#include "tls/peer.h"

struct io {
    int fd;
    SSL *ssl;                       /* NULL: plain */
    bool client_cert_requested;
    char alpn[32];
    bool mute;                      /* what OpenSSL has still to say is not sent */
    struct buf *flight;             /* see io_tls_keep_flight(); NULL: nobody wants it */
};

struct io *io_from_fd(int fd)
{
    struct io *io = ps_calloc(1, sizeof(*io));

    io->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return io;
}

int socket_local_port(int fd)
{
    struct sockaddr_storage addr = { 0 };
    socklen_t len = sizeof(addr);

    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    return addr.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&addr)->sin_port)
           : addr.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&addr)->sin6_port) : 0;
}

int io_local_port(const struct io *io)
{
    return socket_local_port(io->fd);
}

void io_free(struct io *io)
{
    SSL_free(io->ssl);
    close(io->fd);
    free(io);
}

static bool wait_for(struct io *io, short events, int64_t deadline_ms, struct ps_err *err)
{
    struct pollfd one = { .fd = io->fd, .events = events };

    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        if (left <= 0)
            return ps_fail(err, PS_E_TIMEOUT, _("the peer did not answer in time"));

        int n = poll(&one, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0)
            return true;            /* an error or hang-up too: the next read or write says which */
        if (n < 0 && errno != EINTR)
            return ps_fail(err, PS_E_NET, _("could not wait for the connection: %m"));
    }
}

/* ---- the socket ---- */

static bool plain_write(struct io *io, const char *p, size_t len, int64_t deadline_ms,
                        struct ps_err *err)
{
    while (len > 0) {
        ssize_t n = send(io->fd, p, len, MSG_NOSIGNAL);

        if (n >= 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (!wait_for(io, POLLOUT, deadline_ms, err))
                return false;
        } else if (errno != EINTR) {
            return ps_fail(err, PS_E_NET, _("could not send to the peer: %m"));
        }
    }
    return true;
}

static bool plain_read(struct io *io, void *bytes, size_t size, size_t *got, int64_t deadline_ms,
                       struct ps_err *err)
{
    for (;;) {
        ssize_t n = recv(io->fd, bytes, size, 0);

        if (n >= 0) {
            *got = (size_t)n;
            return true;
        }
        if (errno == EAGAIN) {
            if (!wait_for(io, POLLIN, deadline_ms, err))
                return false;
        } else if (errno != EINTR) {
            return ps_fail(err, PS_E_NET, _("could not receive from the peer: %m"));
        }
    }
}

bool io_wait(struct io *io, int64_t deadline_ms, struct ps_err *err)
{
    for (;;) {
        char byte;
        ssize_t n = recv(io->fd, &byte, 1, MSG_PEEK);

        if (n > 0)
            return true;
        if (n == 0)
            return ps_fail(err, PS_E_NET, _("the peer closed the connection"));
        if (errno != EAGAIN && errno != EINTR)
            return ps_fail(err, PS_E_NET, _("could not receive from the peer: %m"));
        if (!wait_for(io, POLLIN, deadline_ms, err))
            return false;
    }
}

/* ---- OpenSSL over the socket, without SIGPIPE ---- */

static int bio_write(BIO *bio, const char *p, int len)
{
    const struct io *io = BIO_get_data(bio);
    ssize_t n = io->mute ? len : send(io->fd, p, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int bio_read(BIO *bio, char *p, int size)
{
    const struct io *io = BIO_get_data(bio);
    ssize_t n = recv(io->fd, p, (size_t)size, 0);

    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;      /* one for the program's life */

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgseal io");
    BIO_meth_set_write(bio_method, bio_write);
    BIO_meth_set_read(bio_method, bio_read);
    BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

static BIO *bio_over(struct io *io)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_bio_method);
    BIO *bio = BIO_new(bio_method);
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    return bio;
}

/* The first error: later ones only say that it was met. */
static const char *ssl_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    return reason ? reason : _("the connection was closed");
}

/* Did OpenSSL only want to wait?  Then wait, and the caller tries again.  `failed` is the message. */
static bool ssl_retry(struct io *io, int result, const char *failed, int64_t deadline_ms,
                      bool *ended, struct ps_err *err)
{
    switch (SSL_get_error(io->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(io, POLLIN, deadline_ms, err);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(io, POLLOUT, deadline_ms, err);
    case SSL_ERROR_ZERO_RETURN:
        *ended = true;
        return true;
    default:
        break;
    }
    /* a peer that goes without close_notify has gone all the same */
    *ended = ERR_peek_error() == 0
             || ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (*ended)
        return true;
    ps_fail(err, PS_E_NET, "%s", failed);
    return ps_detail(err, "%s", ssl_reason());
}

static bool ssl_write(struct io *io, const char *p, size_t len, int64_t deadline_ms,
                      struct ps_err *err)
{
    while (len > 0) {
        bool ended = false;
        size_t n = 0;

        ERR_clear_error();
        int result = SSL_write_ex(io->ssl, p, len, &n);
        if (result != 1 && !ssl_retry(io, result, _("TLS failed"), deadline_ms, &ended, err))
            return false;
        if (ended)
            return ps_fail(err, PS_E_NET, _("the peer closed the connection"));
        p += n;
        len -= n;
    }
    return true;
}

static bool ssl_read(struct io *io, void *bytes, size_t size, size_t *got, int64_t deadline_ms,
                     struct ps_err *err)
{
    bool ended = false;

    while (!ended) {
        ERR_clear_error();
        int result = SSL_read_ex(io->ssl, bytes, size, got);
        if (result == 1)
            return true;
        if (!ssl_retry(io, result, _("TLS failed"), deadline_ms, &ended, err))
            return false;
    }
    *got = 0;
    return true;
}

/* ---- both ---- */

bool io_write(struct io *io, const void *bytes, size_t len, int64_t deadline_ms,
              struct ps_err *err)
{
    return io->ssl ? ssl_write(io, bytes, len, deadline_ms, err)
                   : plain_write(io, bytes, len, deadline_ms, err);
}

bool io_read(struct io *io, void *bytes, size_t size, size_t *got, int64_t deadline_ms,
             struct ps_err *err)
{
    return io->ssl ? ssl_read(io, bytes, size, got, deadline_ms, err)
                   : plain_read(io, bytes, size, got, deadline_ms, err);
}

bool io_read_exact(struct io *io, void *bytes, size_t len, int64_t deadline_ms,
                   struct ps_err *err)
{
    size_t have = 0;

    while (have < len) {
        size_t got;

        if (!io_read(io, (char *)bytes + have, len - have, &got, deadline_ms, err))
            return false;
        if (got == 0)
            return ps_fail(err, PS_E_NET,
                           _("the peer closed the connection after %zu of %zu bytes"), have, len);
        have += got;
    }
    return true;
}

/* ---- handshake ---- */

static bool handshake(struct io *io, int64_t deadline_ms, struct ps_err *err)
{
    for (;;) {
        bool ended = false;

        ERR_clear_error();
        int result = SSL_do_handshake(io->ssl);
        if (result == 1)
            return true;
        if (!ssl_retry(io, result, _("TLS handshake failed"), deadline_ms, &ended, err))
            return false;
        if (ended) {
            ps_fail(err, PS_E_NET, _("TLS handshake failed"));
            return ps_detail(err, "%s", _("The peer closed the connection."));
        }
    }
}

/* OpenSSL asks for a certificate only when the server did (tls_prepare_client_certificate). */
static int note_certificate_request(SSL *ssl, void *arg)
{
    struct io *io = arg;

    (void)ssl;
    io->client_cert_requested = true;
    return 1;
}

void io_tls_keep_flight(struct io *io, struct buf *out)
{
    io->flight = out;
}

/* RFC 8446 5.1: a record of plaintext for each message, as if it had come so. */
static void keep_message(int written, int version, int type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
    const struct io *io = arg;
    const unsigned char head[] = { SSL3_RT_HANDSHAKE, 3, 3, (unsigned char)(len >> 8), (unsigned char)len };

    (void)version;
    (void)ssl;
    if (written || type != SSL3_RT_HANDSHAKE || !io->flight || len > SSL3_RT_MAX_PLAIN_LENGTH)
        return;
    buf_put(io->flight, head, sizeof(head));
    buf_put(io->flight, bytes, len);
}

static bool begin_tls(struct io *io, struct tls_ctx *ctx, struct ps_err *err)
{
    io->ssl = SSL_new(tls_ctx_raw(ctx));
    if (!io->ssl) {
        ps_fail(err, PS_E_CRYPTO, _("could not begin TLS"));
        return ps_detail(err, "%s", ssl_reason());
    }
    BIO *bio = bio_over(io);
    SSL_set_bio(io->ssl, bio, bio);
    if (io->flight) {
        SSL_set_msg_callback(io->ssl, keep_message);
        SSL_set_msg_callback_arg(io->ssl, io);
    }
    return true;
}

bool io_tls_client(struct io *io, struct tls_ctx *ctx, const char *host, int64_t deadline_ms,
                   struct ps_err *err)
{
    if (!begin_tls(io, ctx, err))
        return false;
    /* RFC 6066 3: literal addresses are not permitted in a server name */
    if (host && *host && !name_is_address(host))
        SSL_set_tlsext_host_name(io->ssl, host);
    SSL_set_cert_cb(io->ssl, note_certificate_request, io);
    SSL_set_connect_state(io->ssl);
    return handshake(io, deadline_ms, err);
}

bool io_tls_server(struct io *io, struct tls_ctx *ctx, int64_t deadline_ms, struct ps_err *err)
{
    if (!begin_tls(io, ctx, err))
        return false;
    SSL_set_accept_state(io->ssl);
    return handshake(io, deadline_ms, err);
}

void io_tls_close_notify(struct io *io)
{
    if (io->ssl && SSL_is_init_finished(io->ssl))
        SSL_shutdown(io->ssl);
    ERR_clear_error();
}

/* ---- what was agreed ---- */

void io_tls_info(struct io *io, struct io_tls_info *out)
{
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;

    *out = (struct io_tls_info){ .client_cert_requested = io->client_cert_requested };
    if (!io->ssl)
        return;
    out->version = SSL_version(io->ssl);
    out->cipher = SSL_get_cipher_name(io->ssl);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(io->ssl);
    out->suite = cipher ? SSL_CIPHER_get_protocol_id(cipher) : 0;

    const SSL_SESSION *session = SSL_get0_session(io->ssl);
    if (session && SSL_SESSION_has_ticket(session))
        SSL_SESSION_get0_ticket(session, NULL, &out->ticket_len);
    out->scheme = peer_scheme(io->ssl);

    long group = SSL_get_negotiated_group(io->ssl);
    if (group > 0)
        out->group = SSL_group_to_name(io->ssl, (int)group);

    SSL_get0_alpn_selected(io->ssl, &alpn, &alpn_len);
    if (alpn_len > 0) {
        snprintf(io->alpn, sizeof(io->alpn), "%.*s", (int)alpn_len, (const char *)alpn);
        out->alpn = io->alpn;
    }
}

static void add_x509(struct cert_list *out, X509 *x509)
{
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct ps_err ignored;
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);

    if (len > 0 && cert_from_der(der, (size_t)len, &cert, &ignored))
        cert_list_add(out, cert);
    OPENSSL_free(der);
}

void io_tls_peer_chain(struct io *io, struct cert_list *out)
{
    if (!io->ssl)
        return;
    /* on the server's side OpenSSL leaves the leaf out of the chain */
    X509 *leaf = SSL_is_server(io->ssl) ? SSL_get0_peer_certificate(io->ssl) : NULL;
    if (leaf)
        add_x509(out, leaf);

    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(io->ssl);
    for (int i = 0; i < sk_X509_num(chain); i++)
        add_x509(out, sk_X509_value(chain, i));
}

const char *const *io_tls_authorities(struct io *io, struct arena *arena)
{
    return io->ssl ? peer_authorities(io->ssl, arena) : NULL;
}

/* OpenSSL answers a server that declines with a fatal alert, which would be one more line in its log. */
static void hush(const SSL *ssl, int where, int value)
{
    struct io *io = SSL_get_app_data(ssl);

    (void)value;
    io->mute |= where == SSL_CB_READ_ALERT;
}

bool io_tls_renegotiate(struct io *io, int64_t deadline_ms)
{
    struct ps_err ignored = { 0 };

    ERR_clear_error();
    if (SSL_version(io->ssl) >= TLS1_3_VERSION || SSL_renegotiate(io->ssl) != 1)
        return false;
    SSL_set_app_data(io->ssl, io);
    SSL_set_info_callback(io->ssl, hush);
    return handshake(io, deadline_ms, &ignored);
}
