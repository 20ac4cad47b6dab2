/* crl_stream.c - see crl_stream.h. */
#include "tls/crl_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"
#include "tls/der.h"
#include "tls/internal.h"

enum {
    FIXED_MAX = 1 << 16, SERIAL_MAX = 20,               /* RFC 5280 4.1.2.2 */
    CHUNK = BASE64_LINE_BYTES * 2048, CHUNK_MARGIN = 128,   /* more than the longest entry */
    SIGNATURE_MAX = 1024
};

struct crl_stream {
    EVP_PKEY *signer;
    struct buf algorithm, front, tail;  /* front: all before the entries but the lengths */
    int scratch;                        /* the entries */
    uint64_t entries_len;
    size_t entries;
    struct buf chunk;                   /* of entries, not written yet */
    unsigned char last[SERIAL_MAX];
    size_t last_len;
};

static void close_scratch(int fd)
{
    if (fd >= 0)
        close(fd);
}

void crl_stream_free(struct crl_stream *stream)
{
    EVP_PKEY_free(stream->signer);
    buf_free(&stream->algorithm);
    buf_free(&stream->front);
    buf_free(&stream->tail);
    buf_free(&stream->chunk);
    close_scratch(stream->scratch);
    free(stream);
}

static bool fail_make(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not make a revocation list"));
}

/* ---- what does not depend on the entries, from an empty list of crl_build() ---- */

static bool take_algorithm(const X509_CRL *sample, struct buf *out)
{
    const X509_ALGOR *algorithm;
    unsigned char *der = NULL;

    X509_CRL_get0_signature(sample, NULL, &algorithm);
    int len = i2d_X509_ALGOR(algorithm, &der);
    return tls_take_der(len, der, out);
}

static bool take_front(const X509_CRL *sample, const struct crl_spec *spec,
                       struct crl_stream *stream)
{
    static const unsigned char version_2[] = { DER_INTEGER, 1, 1 };
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_CRL_get_issuer(sample), &der);

    buf_put(&stream->front, version_2, sizeof(version_2));
    buf_put(&stream->front, stream->algorithm.p, stream->algorithm.len);
    if (!tls_take_der(len, der, &stream->front))
        return false;
    der_time(&stream->front, spec->this_update);
    der_time(&stream->front, spec->next_update);
    return !stream->front.over;
}

static bool take_tail(const X509_CRL *sample, struct buf *out)
{
    PS_AUTO(buf_free) struct buf list = BUF(FIXED_MAX);

    for (int i = 0; i < X509_CRL_get_ext_count(sample); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509_EXTENSION(X509_CRL_get_ext(sample, i), &der);

        if (!tls_take_der(len, der, &list))
            return false;
    }
    der_head(out, DER_CONTEXT_0, der_size(list.len));
    der_value(out, DER_SEQUENCE, list.p, list.len);
    return !out->over;
}

static bool take_sample(struct crl_stream *stream, const struct cert *issuer,
                        const struct key *issuer_key, const struct crl_spec *spec,
                        struct ps_err *err)
{
    PS_AUTO(crl_freep) struct crl *sample = NULL;
    struct crl_spec empty = *spec;

    empty.entries = NULL;
    empty.len = 0;
    if (!crl_build(issuer, issuer_key, &empty, &sample, err))
        return false;
    return (take_algorithm(sample->x509_crl, &stream->algorithm)
            && take_front(sample->x509_crl, spec, stream)
            && take_tail(sample->x509_crl, &stream->tail))
        || fail_make(err);
}

/* ---- the scratch file ---- */

static int open_scratch(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s/.crl.pgseal-XXXXXX", dir);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

bool crl_stream_new(const struct cert *issuer, const struct key *issuer_key,
                    const struct crl_spec *spec, const char *dir, struct crl_stream **out,
                    struct ps_err *err)
{
    PS_AUTO(crl_stream_freep) struct crl_stream *stream = ps_calloc(1, sizeof(*stream));

    stream->algorithm = stream->front = stream->tail = BUF(FIXED_MAX);
    stream->chunk = BUF(CHUNK);
    stream->scratch = -1;
    if (!take_sample(stream, issuer, issuer_key, spec, err))
        return false;
    stream->scratch = open_scratch(dir);
    if (stream->scratch < 0)
        return ps_fail(err, PS_E_IO, _("could not make a file in \"%s\": %m"), dir);
    if (!EVP_PKEY_up_ref(issuer_key->pkey))
        return fail_make(err);
    stream->signer = issuer_key->pkey;
    *out = PS_TAKE(stream);
    return true;
}

static bool fail_scratch(struct ps_err *err)
{
    return ps_fail(err, PS_E_IO, _("could not write a revocation list: %m"));
}

static bool flush_entries(struct crl_stream *stream, struct ps_err *err)
{
    const char *p = stream->chunk.p;

    for (size_t left = stream->chunk.len; left > 0;) {
        ssize_t put = pwrite(stream->scratch, p, left, (off_t)stream->entries_len);

        if (put <= 0)
            return fail_scratch(err);
        p += put;
        left -= (size_t)put;
        stream->entries_len += (uint64_t)put;
    }
    buf_clear(&stream->chunk);
    return true;
}

/* ---- entries ---- */

static bool comes_later(const struct crl_stream *stream, const void *serial, size_t len)
{
    if (len != stream->last_len)
        return len > stream->last_len;
    return memcmp(serial, stream->last, len) > 0;
}

/* crlEntryExtensions with a reasonCode: RFC 5280 5.3.1. */
static const unsigned char reason_head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d,
                                             0x15, 0x04, 0x03, 0x0a, 0x01 };

static void put_entry(struct buf *out, const void *serial, size_t len, time_t when, int reason)
{
    size_t reason_len = reason ? sizeof(reason_head) + 1 : 0;   /* unspecified is left out */

    der_head(out, DER_SEQUENCE, der_positive_size(serial, len) + der_time_size(when) + reason_len);
    der_positive(out, serial, len);
    der_time(out, when);
    if (reason) {
        buf_put(out, reason_head, sizeof(reason_head));
        buf_putc(out, (char)reason);
    }
}

bool crl_stream_add(struct crl_stream *stream, const void *serial, size_t serial_len,
                    time_t revoked_at, int reason, struct ps_err *err)
{
    if (serial_len == 0 || serial_len > SERIAL_MAX || !comes_later(stream, serial, serial_len))
        return ps_fail(err, PS_E_BUG, _("the entries of a revocation list are not in order"));
    memcpy(stream->last, serial, serial_len);
    stream->last_len = serial_len;
    if (stream->chunk.len > CHUNK - CHUNK_MARGIN && !flush_entries(stream, err))
        return false;
    put_entry(&stream->chunk, serial, serial_len, revoked_at, reason);
    stream->entries++;
    return true;
}

/* ---- reading it back, head and tail included ---- */

typedef bool (*piece_fn)(void *arg, const void *bytes, size_t len, struct ps_err *err);

static bool each_piece(const struct crl_stream *stream, const struct buf *head, piece_fn fn,
                       void *arg, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *chunk = ps_malloc(CHUNK);

    if (!fn(arg, head->p, head->len, err))
        return false;
    for (uint64_t at = 0; at < stream->entries_len;) {
        ssize_t got = pread(stream->scratch, chunk, CHUNK, (off_t)at);

        if (got <= 0)
            return ps_fail(err, PS_E_IO, _("could not read a revocation list again: %m"));
        if (!fn(arg, chunk, (size_t)got, err))
            return false;
        at += (uint64_t)got;
    }
    return fn(arg, stream->tail.p, stream->tail.len, err);
}

static size_t body_len(const struct crl_stream *stream)
{
    size_t entries = stream->entries ? der_size(stream->entries_len) : 0;

    return stream->front.len + entries + stream->tail.len;
}

/* All that stands before the entries inside the signed part, its own head included. */
static void put_body_head(const struct crl_stream *stream, struct buf *out)
{
    der_head(out, DER_SEQUENCE, body_len(stream));
    buf_put(out, stream->front.p, stream->front.len);
    if (stream->entries)        /* the list is absent when it is empty: RFC 5280 5.1.2.6 */
        der_head(out, DER_SEQUENCE, stream->entries_len);
}

/* ---- signing ---- */

struct signature {
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
};

static bool sign_piece(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    return EVP_DigestSignUpdate(arg, bytes, len) || fail_make(err);
}

static bool collect_piece(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    return buf_put(arg, bytes, len)
        || ps_fail(err, PS_E_TOO_BIG, _("too many entries for this type of key"));
}

/* Ed25519 reads what it signs twice, so it cannot come in pieces (RFC 8032 5.1.6). */
static bool sign_whole(const struct crl_stream *stream, const struct buf *head, EVP_MD_CTX *ctx,
                       struct signature *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf body = BUF(BUF_TEXT_MAX);

    return each_piece(stream, head, collect_piece, &body, err)
        && (EVP_DigestSign(ctx, out->bytes, &out->len, (const unsigned char *)body.p, body.len)
            || fail_make(err));
}

static bool sign(const struct crl_stream *stream, const struct buf *head, struct signature *out,
                 struct ps_err *err)
{
    PS_AUTO(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *digest = tls_signature_digest(stream->signer);

    out->len = sizeof(out->bytes);
    ERR_clear_error();
    if (!ctx || !EVP_DigestSignInit(ctx, NULL, digest, NULL, stream->signer))
        return fail_make(err);
    if (!digest)
        return sign_whole(stream, head, ctx, out, err);
    return each_piece(stream, head, sign_piece, ctx, err)
        && (EVP_DigestSignFinal(ctx, out->bytes, &out->len) || fail_make(err));
}

/* ---- PEM ---- */

struct pem_out {
    crl_write_fn write;
    void *arg;
    EVP_MD_CTX *digest;
    size_t der_len;
    unsigned char bytes[CHUNK];     /* not encoded yet: lines are whole */
    size_t len;
    char text[BASE64_LINES_SIZE(CHUNK)];
};

static void pem_out_free(struct pem_out *out)
{
    EVP_MD_CTX_free(out->digest);
    free(out);
}
PS_DEFINE_FREEP(struct pem_out, pem_out_free)

static bool flush_pem(struct pem_out *out, struct ps_err *err)
{
    size_t len = base64_lines(out->bytes, out->len, out->text);

    out->len = 0;
    return out->write(out->arg, out->text, len, err);
}

static bool pem_piece(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    struct pem_out *out = arg;
    const char *p = bytes;

    if (!EVP_DigestUpdate(out->digest, bytes, len))
        return fail_make(err);
    out->der_len += len;
    while (len > 0) {
        size_t some = CHUNK - out->len < len ? CHUNK - out->len : len;

        memcpy(out->bytes + out->len, p, some);
        out->len += some;
        p += some;
        len -= some;
        if (out->len == CHUNK && !flush_pem(out, err))
            return false;
    }
    return true;
}

static bool write_pem(const struct crl_stream *stream, const struct buf *head,
                      const struct buf *foot, struct pem_out *out, struct ps_err *err)
{
    static const char begin[] = "-----BEGIN X509 CRL-----\n", end[] = "-----END X509 CRL-----\n";

    return out->write(out->arg, begin, sizeof(begin) - 1, err)
        && each_piece(stream, head, pem_piece, out, err)
        && pem_piece(out, foot->p, foot->len, err) && flush_pem(out, err)
        && out->write(out->arg, end, sizeof(end) - 1, err);
}

/* What follows the signed part: RFC 5280 5.1.1. */
static void put_foot(const struct crl_stream *stream, const struct signature *signature,
                     struct buf *out)
{
    buf_put(out, stream->algorithm.p, stream->algorithm.len);
    der_head(out, DER_BIT_STRING, 1 + signature->len);
    buf_putc(out, '\0');        /* no unused bits */
    buf_put(out, signature->bytes, signature->len);
}

bool crl_stream_finish(struct crl_stream *stream, crl_write_fn write, void *arg,
                       struct crl_sum *sum, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf body_head = BUF(FIXED_MAX);
    PS_AUTO(buf_free) struct buf head = BUF(FIXED_MAX);
    PS_AUTO(buf_free) struct buf foot = BUF(FIXED_MAX);
    PS_AUTO(pem_out_freep) struct pem_out *out = ps_calloc(1, sizeof(*out));
    struct signature signature;
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (!flush_entries(stream, err))
        return false;
    put_body_head(stream, &body_head);
    if (!sign(stream, &body_head, &signature, err))
        return false;
    put_foot(stream, &signature, &foot);
    der_head(&head, DER_SEQUENCE, der_size(body_len(stream)) + foot.len);
    buf_put(&head, body_head.p, body_head.len);

    out->write = write;
    out->arg = arg;
    out->digest = EVP_MD_CTX_new();
    if (!out->digest || !EVP_DigestInit_ex(out->digest, EVP_sha256(), NULL))
        return fail_make(err);
    if (!write_pem(stream, &head, &foot, out, err))
        return false;
    if (!EVP_DigestFinal_ex(out->digest, digest, NULL))
        return fail_make(err);
    sum->entries = stream->entries;
    sum->der_len = out->der_len;
    hex_of(digest, 32, sum->digest);
    return true;
}
