/* export.c - see export.h. */
#include "ca/export.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/hash.h"

const struct export_names *export_names(enum cert_use use)
{
    static const struct export_names server = {
        .crt = "server.crt", .key = "server.key", .trust = "root.crt", .crl = "root.crl",
    };
    static const struct export_names client = {
        .crt = "postgresql.crt", .key = "postgresql.key", .pk8 = "postgresql.pk8",
        .trust = "root.crt", .crl = "root.crl",
    };

    return use == CERT_USE_SERVER ? &server : &client;
}

bool export_dir_free(const char *dir, enum cert_use use, struct ps_err *err)
{
    const struct export_names *names = export_names(use);
    const char *const taken[] = { names->crt, names->key };

    for (size_t i = 0; i < PS_COUNT(taken); i++) {
        PS_AUTO(ps_freep) char *path = path_join(dir, taken[i]);

        if (file_exists(path)) {
            ps_fail(err, PS_E_EXISTS, _("file \"%s\" exists already"), path);
            return ps_hint(err, _("Give another folder, or use \"pgseal ca renew\" or "
                                  "\"pgseal ca rekey\" to replace it."));
        }
    }
    return true;
}

/* ---- files ---- */

bool export_key_file(const char *path, const struct secret *bytes, struct ps_err *err)
{
    /* a file that is replaced keeps its mode */
    if (file_exists(path) && chmod(path, 0600) != 0)
        return ps_fail(err, PS_E_IO, _("could not set the mode of file \"%s\": %m"), path);
    return file_write(path, bytes->p, bytes->len, 0600, err);
}

static bool put_buf(const char *dir, const char *name, const struct buf *buf, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);

    return file_write(path, buf_text(buf), buf->len, 0644, err);
}

static bool put_key(const char *dir, const char *name, const struct secret *bytes,
                    struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);

    return export_key_file(path, bytes, err);
}

bool export_chain_pem(const struct cert_list *chain, struct buf *out, struct ps_err *err)
{
    for (size_t i = 0; i < chain->len; i++)
        if (!cert_to_pem(chain->at[i], out, err))
            return false;
    return true;
}

static bool put_pk8(const struct ca_leaf *leaf, const char *dir, const char *name,
                    struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret der = { 0 };

    return key_to_pkcs8_der(leaf->key, &der, err) && put_key(dir, name, &der, err);
}

/* The key goes first: libpq and PostgreSQL read the certificate, then look for its key. */
static bool put_pair(const struct ca_leaf *leaf, const struct export_names *names, const char *dir,
                     const struct secret *pass, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(buf_free) struct buf chain = BUF(FILE_CONF_MAX);

    if (!key_to_pem(leaf->key, pass, &pem, err) || !export_chain_pem(&leaf->chain, &chain, err)
        || !put_key(dir, names->key, &pem, err) || !put_buf(dir, names->crt, &chain, err))
        return false;
    return pass || !names->pk8 || put_pk8(leaf, dir, names->pk8, err);
}

bool export_leaf(struct ca *ca, const struct ca_leaf *leaf, enum cert_use use, const char *dir,
                 const struct secret *pass, struct ps_err *err)
{
    const struct export_names *names = export_names(use);
    PS_AUTO(buf_free) struct buf trust = BUF(FILE_CONF_MAX);
    PS_AUTO(buf_free) struct buf crl = BUF(BUF_TEXT_MAX);
    bool made;

    return ca_trust_pem(ca, use, &trust, err) && ca_crl_pem(ca, use, &crl, err)
        && dir_ensure(dir, 0700, &made, err) && put_pair(leaf, names, dir, pass, err)
        && put_buf(dir, names->trust, &trust, err) && put_buf(dir, names->crl, &crl, err);
}

/* ---- the hashed directory ---- */

/* How many of the lists before this one have its issuer. */
static unsigned number_of(const struct crl_list *crls, size_t at)
{
    unsigned number = 0;

    for (size_t i = 0; i < at; i++)
        number += strcmp(crl_info(crls->at[i])->issuer, crl_info(crls->at[at])->issuer) == 0;
    return number;
}

static bool put_crl(const char *dir, const struct crl_list *crls, size_t at, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    char name[HASH_NAME];

    return crl_to_pem(crls->at[at], &pem, err)
        && put_buf(dir, hash_name_crl(crls->at[at], number_of(crls, at), name), &pem, err);
}

/* OpenSSL stops at the first number that is missing, so the rest of an issuer's goes from below. */
static bool remove_rest(const char *dir, const struct crl_list *crls, size_t last,
                        struct ps_err *err)
{
    for (unsigned number = number_of(crls, last) + 1; ; number++) {
        char name[HASH_NAME];
        PS_AUTO(ps_freep) char *path = path_join(dir, hash_name_crl(crls->at[last], number, name));

        if (!file_exists(path))
            return true;
        if (!file_remove(path, err))
            return false;
    }
}

static bool is_last_of_issuer(const struct crl_list *crls, size_t at)
{
    for (size_t i = at + 1; i < crls->len; i++)
        if (strcmp(crl_info(crls->at[i])->issuer, crl_info(crls->at[at])->issuer) == 0)
            return false;
    return true;
}

bool export_crl_dir(struct ca *ca, enum cert_use side, const char *dir, size_t *written,
                    struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    bool made;

    if (!ca_crl_pem(ca, side, &pem, err)
        || !crl_list_from_pem(buf_text(&pem), pem.len, ca_dir(ca), &crls, err)
        || !dir_ensure(dir, 0755, &made, err))
        return false;
    for (size_t i = 0; i < crls.len; i++)
        if (!put_crl(dir, &crls, i, err)
            || (is_last_of_issuer(&crls, i) && !remove_rest(dir, &crls, i, err)))
            return false;
    *written = crls.len;
    return true;
}
