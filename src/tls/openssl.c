/* openssl.c - what every file of tls/ needs of OpenSSL; see internal.h. */
#include "tls/internal.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

bool tls_fail(struct ps_err *err, enum ps_code code, const char *fmt, ...)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long first = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);   /* the cause */
    const char *reason = ERR_reason_error_string(first);
    va_list args;

    va_start(args, fmt);
    PS_AUTO(ps_freep) char *message = ps_vasprintf(fmt, args);
    va_end(args);
    ps_fail(err, code, "%s", message);
    if (reason && data && *data && (flags & ERR_TXT_STRING))
        ps_detail(err, _("OpenSSL says: %s (%s)."), reason, data);
    else if (reason)
        ps_detail(err, _("OpenSSL says: %s."), reason);
    ERR_clear_error();
    return false;
}

bool tls_take_der(int len, unsigned char *der, struct buf *out)
{
    bool taken = len > 0 && buf_put(out, der, (size_t)len);

    OPENSSL_free(der);
    return taken;
}

const EVP_MD *tls_signature_digest(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "ED25519") || EVP_PKEY_is_a(pkey, "ED448"))
        return NULL;            /* these hash inside (RFC 8410) */
    return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_bits(pkey) > 256 ? EVP_sha384()
                                                                       : EVP_sha256();
}

const char *tls_pkey_describe(const EVP_PKEY *pkey, char *out, size_t size)
{
    char group[64] = "";
    const char *type = EVP_PKEY_get0_type_name(pkey);

    if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL)) {
        const char *nist = EC_curve_nid2nist(OBJ_txt2nid(group));
        snprintf(out, size, "EC %s", nist ? nist : group);
    } else if (EVP_PKEY_is_a(pkey, "RSA")) {
        snprintf(out, size, "RSA %d", EVP_PKEY_get_bits(pkey));
    } else {
        snprintf(out, size, "%s", type ? type : "?");
    }
    ERR_clear_error();
    return out;
}

char *tls_name_text(struct arena *arena, const X509_NAME *name)
{
    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    /* as X509_NAME_to_cstring of be-secure-openssl.c: UTF-8 stays readable */
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
        ERR_clear_error();
        return arena_strdup(arena, "?");
    }
    len = BIO_get_mem_data(bio, &text);
    return arena_strndup(arena, text ? text : "", len > 0 ? (size_t)len : 0);
}

time_t tls_time(const ASN1_TIME *time)
{
    struct tm tm;

    if (!time || !ASN1_TIME_to_tm(time, &tm)) {
        ERR_clear_error();
        return 0;
    }
    return timegm(&tm);
}

static char *serial_text(struct arena *arena, const ASN1_INTEGER *serial,
                         char *(*print)(const BIGNUM *))
{
    PS_AUTO(BN_freep) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = number ? print(number) : NULL;
    char *copy = arena_strdup(arena, text ? text : "?");

    OPENSSL_free(text);
    ERR_clear_error();
    return copy;
}

char *tls_serial_hex(struct arena *arena, const ASN1_INTEGER *serial)
{
    char *text = serial_text(arena, serial, BN_bn2hex);

    if (strcmp(text, "0") == 0)     /* the one odd count that BN_bn2hex has */
        return arena_strdup(arena, "00");
    for (char *p = text; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    return text;
}

char *tls_serial_dec(struct arena *arena, const ASN1_INTEGER *serial)
{
    return serial_text(arena, serial, BN_bn2dec);
}

/* ---- PEM ---- */

bool pem_walk_begin(struct pem_walk *walk, const char *text, size_t len, const char *name,
                    struct ps_err *err)
{
    *walk = (struct pem_walk){ .text = text, .name = name, .len = len };
    ERR_clear_error();
    if (len > PEM_MAX) {
        ps_fail(err, PS_E_TOO_BIG, _("\"%s\" is too big"), name);
        return ps_detail(err, _("It has more than %u bytes."), PEM_MAX);
    }
    walk->bio = BIO_new_mem_buf(len ? text : "", (int)len);
    return walk->bio || tls_fail(err, PS_E_CRYPTO, _("could not read \"%s\""), name);
}

static void forget_block(struct pem_walk *walk)
{
    OPENSSL_free(walk->type);
    OPENSSL_clear_free(walk->der, (size_t)walk->der_len);   /* it may have been a private key */
    walk->type = NULL;
    walk->der = NULL;
    walk->der_len = 0;
}

/* The line of the next BEGIN, 0 when there is none.  Each byte is counted once. */
static unsigned line_of_next_block(struct pem_walk *walk, size_t from)
{
    static const char begin[] = "-----BEGIN ";
    const char *at = memmem(walk->text + from, walk->len - from, begin, sizeof(begin) - 1);

    if (!at)
        return 0;
    for (const char *p = walk->text + walk->counted; p < at; p++)
        walk->lines += *p == '\n';
    walk->counted = (size_t)(at - walk->text);
    return walk->lines + 1;
}

bool pem_walk_broken(const struct pem_walk *walk, struct ps_err *err)
{
    tls_fail(err, PS_E_SYNTAX, _("broken PEM block in \"%s\""), walk->name);
    return ps_at(err, walk->name, walk->line, 0);
}

bool pem_walk_next(struct pem_walk *walk, bool *end, struct ps_err *err)
{
    size_t from = walk->len - BIO_ctrl_pending(walk->bio);
    char *header = NULL;

    forget_block(walk);
    walk->line = line_of_next_block(walk, from);
    *end = walk->line == 0;
    if (*end)
        return true;
    if (!PEM_read_bio(walk->bio, &walk->type, &header, &walk->der, &walk->der_len))
        return pem_walk_broken(walk, err);
    OPENSSL_free(header);
    return true;
}

void pem_walk_end(struct pem_walk *walk)
{
    forget_block(walk);
    BIO_free_all(walk->bio);
    walk->bio = NULL;
}
