/* roots.c - see roots.h. */
#include "tls/roots.h"

#include <stdlib.h>
#include <unistd.h>

#include <openssl/x509.h>

static const char *const usual[] = {
    "/etc/ssl/certs/ca-certificates.crt",               /* Debian, Ubuntu, Arch */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Red Hat, Fedora */
    "/etc/ssl/ca-bundle.pem",                           /* SUSE */
    "/etc/ssl/cert.pem",                                /* Alpine, BSD */
};

const char *roots_of_system(void)
{
    const char *named = secure_getenv(X509_get_default_cert_file_env());

    if (named && *named)
        return named;
    if (access(X509_get_default_cert_file(), R_OK) == 0)
        return X509_get_default_cert_file();
    for (size_t i = 0; i < PS_COUNT(usual); i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    return NULL;
}
