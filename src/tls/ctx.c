/* ctx.c - see ctx.h. */
#include "tls/ctx.h"

#include "tls/internal.h"

static const unsigned char alpn[] = "\x0apostgresql";   /* RFC 7301 3.1: length and name */
enum { ALPN_LEN = sizeof(alpn) - 1 };

void tls_ctx_free(struct tls_ctx *ctx)
{
    SSL_CTX_free(ctx->ssl_ctx);
    free(ctx);
}

struct ssl_ctx_st *tls_ctx_raw(struct tls_ctx *ctx)
{
    return ctx->ssl_ctx;
}

static bool fail_ctx(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not prepare TLS"));
}

static struct tls_ctx *wrap(SSL_CTX *ssl_ctx)
{
    struct tls_ctx *ctx = ps_calloc(1, sizeof(*ctx));

    ctx->ssl_ctx = ssl_ctx;
    return ctx;
}

static bool use_own(SSL_CTX *ctx, const struct cert_list *chain, const struct key *key,
                    struct ps_err *err)
{
    if (!chain || chain->len == 0)
        return true;
    if (!key || !cert_matches_key(chain->at[0], key))
        return ps_fail(err, PS_E_CERT, _("the private key does not belong to the certificate"));
    if (!SSL_CTX_use_certificate(ctx, chain->at[0]->x509)
        || !SSL_CTX_use_PrivateKey(ctx, key->pkey))
        return fail_ctx(err);
    for (size_t i = 1; i < chain->len; i++)
        if (!SSL_CTX_add1_chain_cert(ctx, chain->at[i]->x509))
            return fail_ctx(err);
    return true;
}

static bool is_old(enum tls_version version)
{
    return version != TLS_ANY && version < TLS_1_2;
}

/* A prober must see what is there: weak keys, SHA-1, TLS 1.0.  OpenSSL 3 has these at level 0. */
static bool allow_weak(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
    return SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0");
}

/* From the last to the first; OpenSSL has two lists, one for TLS 1.3 and one for all before. */
static bool reverse_suites(SSL_CTX *ctx, bool tls13)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    PS_AUTO(buf_free) struct buf list = BUF(BUF_TEXT_MAX);

    for (int i = sk_SSL_CIPHER_num(all) - 1; i >= 0; i--) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(all, i);

        if (tls13 == (strcmp(SSL_CIPHER_get_version(suite), "TLSv1.3") == 0))
            buf_printf(&list, "%s%s", list.len ? ":" : "", SSL_CIPHER_get_name(suite));
    }
    if (tls13)
        return SSL_CTX_set_ciphersuites(ctx, buf_text(&list));
    buf_puts(&list, ":@SECLEVEL=0");
    return SSL_CTX_set_cipher_list(ctx, buf_text(&list));
}

static bool verify_peer(SSL_CTX *ctx, const struct tls_client_spec *spec, struct ps_err *err)
{
    if (!spec->anchors) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return true;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return tls_trust(SSL_CTX_get_cert_store(ctx), spec->anchors, spec->crls, err);
}

bool tls_ctx_client(const struct tls_client_spec *spec, struct tls_ctx **out, struct ps_err *err)
{
    PS_AUTO(SSL_CTX_freep) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    ERR_clear_error();
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, (int)spec->min)
        || !SSL_CTX_set_max_proto_version(ctx, (int)spec->max))
        return fail_ctx(err);
    if ((!spec->anchors || is_old(spec->min) || is_old(spec->max)) && !allow_weak(ctx))
        return fail_ctx(err);
    if (spec->reversed && !reverse_suites(ctx, spec->reversed == TLS_1_3))
        return fail_ctx(err);
    if (spec->alpn_postgresql && SSL_CTX_set_alpn_protos(ctx, alpn, ALPN_LEN) != 0)
        return fail_ctx(err);       /* 0 is success here */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (!verify_peer(ctx, spec, err) || !use_own(ctx, spec->chain, spec->key, err))
        return false;

    *out = wrap(PS_TAKE(ctx));
    return true;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, alpn, ALPN_LEN, in, in_len)
        != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;      /* as be-secure-openssl.c of 17 */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

bool tls_ctx_server(const struct tls_server_spec *spec, struct tls_ctx **out, struct ps_err *err)
{
    PS_AUTO(SSL_CTX_freep) SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    ERR_clear_error();
    if (!ctx)
        return fail_ctx(err);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (spec->alpn_postgresql)
        SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    if (!use_own(ctx, spec->chain, spec->key, err))
        return false;

    *out = wrap(PS_TAKE(ctx));
    return true;
}
