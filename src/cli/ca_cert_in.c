/* ca_cert_in.c - see ca_cert_in.h. */
#include "cli/ca_cert_in.h"

#include "base/file.h"
#include "base/mem.h"
#include "tls/pkcs12.h"
#include "tls/pkcs7.h"

static bool read_p12(const char *path, const struct secret *bytes, cert_in_pass_fn pass, void *arg,
                     struct cert_list *certs, struct key **key, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret word = { 0 };

    /* some have an empty passphrase, which is none */
    if (pkcs12_read(bytes->p, bytes->len, path, NULL, certs, key, err))
        return true;
    if (err->code != PS_E_PASSPHRASE)
        return false;
    ps_err_clear(err);
    return pass(arg, path, &word, err)
        && pkcs12_read(bytes->p, bytes->len, path, &word, certs, key, err);
}

static bool read_der(const char *path, const struct secret *bytes, struct cert_list *certs,
                     struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!cert_from_der(bytes->p, bytes->len, &cert, err)) {
        ps_fail(err, PS_E_SYNTAX, _("no certificate in \"%s\""), path);
        return ps_hint(err, _("Known forms are PEM, DER (.cer, .der), PKCS#7 (.p7b) and PKCS#12 "
                              "(.p12, .pfx)."));
    }
    cert_list_add(certs, cert);
    return true;
}

bool cert_in_read(const char *path, cert_in_pass_fn pass, void *arg, struct cert_list *certs,
                  struct key **key, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret bytes = { 0 };   /* there may be a key in it */

    if (!secret_read_file(path, &bytes, err))
        return false;
    if (pkcs12_is(bytes.p, bytes.len))
        return read_p12(path, &bytes, pass, arg, certs, key, err);
    if (pkcs7_is(bytes.p, bytes.len))
        return pkcs7_certs(bytes.p, bytes.len, path, certs, err);
    if (memmem(bytes.p, bytes.len, "-----BEGIN ", 11))
        return cert_list_from_pem(bytes.p, bytes.len, path, certs, err);
    return read_der(path, &bytes, certs, err);
}

bool cert_in_key(const char *path, cert_in_pass_fn pass, void *arg, struct key **key,
                 struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret word = { 0 };
    bool encrypted;

    if (!secret_read_file(path, &pem, err))
        return false;
    encrypted = key_pem_is_encrypted(pem.p, pem.len);
    return (!encrypted || pass(arg, path, &word, err))
        && key_from_pem(pem.p, pem.len, path, encrypted ? &word : NULL, key, err);
}
