/* crl_skim.c - see crl_skim.h. */
#include "tls/crl_skim.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/der.h"
#include "tls/digest.h"
#include "tls/internal.h"

enum { UTC_TIME = 0x17, GENERALIZED_TIME = 0x18, SERIAL_MAX = 21 };     /* a sign in front of 20 bytes */

/* ---- DER, read ---- */

/* One value with its head: `whole` is all of it, `value` what is inside; the shortest form of length. */
static bool next_value(struct rd *rd, uint8_t tag, struct span *whole, struct span *value)
{
    const size_t begin = rd->pos;
    uint8_t got, len8;
    size_t len;

    if (!rd_u8(rd, &got) || got != tag || !rd_u8(rd, &len8))
        return false;
    len = len8;
    if (len8 >= 0x80) {
        size_t bytes = len8 & 0x7f;

        len = 0;
        if (bytes == 0 || bytes > 4)
            return false;
        for (uint8_t byte; bytes > 0 && rd_u8(rd, &byte); bytes--)
            len = len << 8 | byte;
    }
    if (!rd_bytes(rd, len, value))
        return false;
    *whole = (struct span){ rd->p + begin, rd->pos - begin };
    return whole->len == der_size(len);
}

static bool is_next(const struct rd *rd, uint8_t tag)
{
    return rd_left(rd) > 0 && rd->p[rd->pos] == tag;
}

static bool is_time(struct rd *rd)
{
    struct span whole, value;
    uint8_t tag = is_next(rd, UTC_TIME) ? UTC_TIME : GENERALIZED_TIME;
    size_t len = tag == UTC_TIME ? 13 : 15;

    if (!next_value(rd, tag, &whole, &value) || value.len != len || value.p[len - 1] != 'Z')
        return false;
    for (size_t i = 0; i + 1 < len; i++)
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
    return true;
}

/* ---- entries ---- */

/* crlEntryExtensions with nothing but a reasonCode: RFC 5280 5.3.1. */
static bool is_reason(struct rd *rd)
{
    static const uint8_t head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d,
                                    0x15, 0x04, 0x03, 0x0a, 0x01 };
    struct span found;
    uint8_t reason;

    return rd_bytes(rd, sizeof(head), &found) && memcmp(found.p, head, sizeof(head)) == 0
        && rd_u8(rd, &reason) && reason <= 10 && reason != CRL_REASON_REMOVE_FROM_CRL;
}

static bool is_serial(const struct span *serial)
{
    return serial->len > 0 && serial->len <= SERIAL_MAX && serial->p[0] < 0x80
        && (serial->p[0] != 0 || (serial->len > 1 && serial->p[1] >= 0x80));
}

static bool comes_later(const struct span *serial, const struct span *before)
{
    return serial->len != before->len ? serial->len > before->len
                                      : memcmp(serial->p, before->p, serial->len) > 0;
}

static bool count_entries(const struct span *list, size_t *out)
{
    struct rd rd = rd_over(list->p, list->len);
    struct span last = { NULL, 0 };

    for (*out = 0; rd_left(&rd) > 0; ++*out) {
        struct span whole, entry, serial;

        if (!next_value(&rd, DER_SEQUENCE, &whole, &entry))
            return false;
        struct rd in = rd_over(entry.p, entry.len);
        if (!next_value(&in, DER_INTEGER, &whole, &serial) || !is_serial(&serial)
            || !comes_later(&serial, &last) || !is_time(&in)
            || (rd_left(&in) > 0 && !is_reason(&in)) || rd_left(&in) > 0)
            return false;
        last = serial;
    }
    return *out > 0;        /* an empty list is left out: RFC 5280 5.1.2.6 */
}

/* ---- the whole: RFC 5280 5.1 ---- */

static bool skim_body(const struct span *body, struct crl_skim *out)
{
    struct rd rd = rd_over(body->p, body->len);
    struct span whole, value, list;

    if (!next_value(&rd, DER_INTEGER, &whole, &value) || value.len != 1 || value.p[0] != 1
        || !next_value(&rd, DER_SEQUENCE, &whole, &value)
        || whole.len != out->algorithm.len
        || memcmp(whole.p, out->algorithm.p, whole.len) != 0
        || !next_value(&rd, DER_SEQUENCE, &whole, &value) || !is_time(&rd) || !is_time(&rd))
        return false;
    out->front = (struct span){ body->p, rd.pos };
    if (!next_value(&rd, DER_SEQUENCE, &whole, &list) || !count_entries(&list, &out->entries))
        return false;
    out->tail = (struct span){ body->p + rd.pos, rd_left(&rd) };
    return next_value(&rd, DER_CONTEXT_0, &whole, &value) && rd_left(&rd) == 0;
}

bool crl_skim_der(const void *der, size_t len, struct crl_skim *out)
{
    struct rd rd = rd_over(der, len);
    struct span whole, list, body;

    *out = (struct crl_skim){ 0 };
    if (!next_value(&rd, DER_SEQUENCE, &whole, &list) || rd_left(&rd) > 0)
        return false;
    struct rd in = rd_over(list.p, list.len);
    if (!next_value(&in, DER_SEQUENCE, &out->body, &body)
        || !next_value(&in, DER_SEQUENCE, &out->algorithm, &whole)
        || !next_value(&in, DER_BIT_STRING, &whole, &out->signature) || rd_left(&in) > 0
        || out->signature.len < 2 || out->signature.p[0] != 0)      /* no unused bits */
        return false;
    out->signature.p++;
    out->signature.len--;
    return skim_body(&body, out);
}

/* ---- an object of it ---- */

/* The same list without its entries, for OpenSSL to read the rest; its signature fits no more. */
static X509_CRL *without_entries(const struct crl_skim *skim)
{
    PS_AUTO(buf_free) struct buf der = BUF(1 << 20);
    const size_t body = skim->front.len + skim->tail.len;

    der_head(&der, DER_SEQUENCE,
             der_size(body) + skim->algorithm.len + der_size(1 + skim->signature.len));
    der_head(&der, DER_SEQUENCE, body);
    buf_put(&der, skim->front.p, skim->front.len);
    buf_put(&der, skim->tail.p, skim->tail.len);
    buf_put(&der, skim->algorithm.p, skim->algorithm.len);
    der_head(&der, DER_BIT_STRING, 1 + skim->signature.len);
    buf_putc(&der, '\0');
    buf_put(&der, skim->signature.p, skim->signature.len);

    const unsigned char *p = (const unsigned char *)der.p;
    return der.over ? NULL : d2i_X509_CRL(NULL, &p, (long)der.len);
}

/* Keeps the hash that was signed, in place of the bytes.  False for a signature that has none. */
static bool keep_hash(const struct crl_skim *skim, struct crl *crl)
{
    int digest = NID_undef;

    if (!OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl->x509_crl), &digest, NULL))
        return false;
    crl->skimmed = EVP_get_digestbynid(digest);
    if (!crl->skimmed || skim->signature.len > sizeof(crl->signature))
        return false;
    memcpy(crl->signature, skim->signature.p, skim->signature.len);
    crl->signature_len = skim->signature.len;
    return EVP_Digest(skim->body.p, skim->body.len, crl->hash, NULL, crl->skimmed, NULL) == 1;
}

static bool skim_one(const struct buf *der, struct crl_list *out)
{
    char digest[DIGEST_HEX];
    struct crl_skim skim;

    if (der->over || !crl_skim_der(buf_text(der), der->len, &skim))
        return false;
    X509_CRL *x509_crl = without_entries(&skim);
    if (!x509_crl)
        return false;
    PS_AUTO(crl_freep) struct crl *crl = crl_wrap(x509_crl);
    if (!keep_hash(&skim, crl))
        return false;
    crl->info.revoked_len = skim.entries;
    crl->info.digest = arena_strdup(crl->arena,
                                    digest_sha256_hex(der->p, der->len, digest));
    crl_list_add(out, PS_TAKE(crl));
    return true;
}

bool tls_skimmed_by(const struct crl *crl, EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) == 1
             && EVP_PKEY_CTX_set_signature_md(ctx, crl->skimmed) == 1
             && EVP_PKEY_verify(ctx, crl->signature, crl->signature_len, crl->hash,
                                (size_t)EVP_MD_get_size(crl->skimmed)) == 1;

    EVP_PKEY_CTX_free(ctx);
    return good;
}

/* ---- files ---- */

struct lines {
    FILE *file;
    char *text;
    size_t size;
    struct buf der;
    EVP_ENCODE_CTX *decoder;
};

static void lines_free(struct lines *lines)
{
    if (lines->file)
        fclose(lines->file);
    free(lines->text);
    buf_free(&lines->der);
    EVP_ENCODE_CTX_free(lines->decoder);
}

static bool next_line(struct lines *lines, ssize_t *len)
{
    *len = getline(&lines->text, &lines->size, lines->file);
    return *len > 0;
}

/* The lines of a block up to its end, decoded. */
static bool read_block(struct lines *lines)
{
    unsigned char bytes[64];
    int got = 0;
    ssize_t len;

    buf_clear(&lines->der);
    EVP_DecodeInit(lines->decoder);
    while (next_line(lines, &len) && lines->text[0] != '-') {
        if (len > 65 || EVP_DecodeUpdate(lines->decoder, bytes, &got,
                                         (const unsigned char *)lines->text, (int)len) < 0
            || !buf_put(&lines->der, bytes, (size_t)got))
            return false;
    }
    return strcmp(lines->text, "-----END X509 CRL-----\n") == 0
        && EVP_DecodeFinal(lines->decoder, bytes, &got) == 1
        && buf_put(&lines->der, bytes, (size_t)got);
}

static FILE *stream_of(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy >= 0 && lseek(copy, 0, SEEK_SET) == 0 ? fdopen(copy, "r") : NULL;

    if (!file && copy >= 0)
        close(copy);
    return file;
}

/* False for whatever our own files do not have. */
static bool skim_lines(int fd, struct crl_list *out)
{
    PS_AUTO(lines_free) struct lines lines = {
        .file = stream_of(fd), .der = BUF(BUF_TEXT_MAX), .decoder = EVP_ENCODE_CTX_new(),
    };
    ssize_t len;

    if (!lines.file || !lines.decoder)
        return false;
    while (next_line(&lines, &len))
        if (strcmp(lines.text, "-----BEGIN X509 CRL-----\n") != 0 || out->len == CERT_LIST_MAX
            || !read_block(&lines) || !skim_one(&lines.der, out))
            return false;
    return feof(lines.file) && out->len > 0;
}

static bool is_long(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size >= CRL_SKIM_MIN_BYTES;
}

static bool read_whole(int fd, const char *name, struct buf *out, struct ps_err *err)
{
    PS_AUTO(lines_free) struct lines lines = { .file = stream_of(fd) };
    char block[1 << 16];
    size_t got;

    while (lines.file && (got = fread(block, 1, sizeof(block), lines.file)) > 0)
        if (!buf_put(out, block, got))
            return ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is too big"), name);
    if (!lines.file || ferror(lines.file)) {
        ps_fail(err, PS_E_IO, _("could not read file \"%s\": %m"), name);
        return ps_at(err, name, 0, 0);
    }
    return true;
}

bool crl_list_from_fd(int fd, const char *name, bool skim, struct crl_list *out,
                      struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    bool skimmed = skim && is_long(fd) && skim_lines(fd, &list);
    ERR_clear_error();
    for (size_t i = 0; skimmed && i < list.len; i++)
        crl_list_add(out, crl_ref(list.at[i]));
    return skimmed
        || (read_whole(fd, name, &pem, err)
            && crl_list_from_pem(buf_text(&pem), pem.len, name, out, err));
}
