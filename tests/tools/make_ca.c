/*
 * make_ca.c - a CA and the files of a server, for tests that are not about making them.
 *
 *   make_ca new DIR HOST...     DIR/ca, and what a server is given: DIR/server.crt, server.key,
 *                               clients.crt (ssl_ca_file), clients.crl (ssl_crl_file)
 *   make_ca revoke DIR FILE     revoke the first certificate of FILE and write DIR/clients.crl again
 */
#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"

static bool write_in(const char *dir, const char *name, const char *bytes, size_t len, mode_t mode,
                     struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);

    return file_write(path, bytes, len, mode, err);
}

static bool write_crl(struct ca *ca, const char *dir, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf crl = BUF(FILE_CONF_MAX);

    return ca_refresh_crls(ca, false, err)
        && ca_crl_pem(ca, CERT_USE_SERVER, &crl, err)
        && write_in(dir, "clients.crl", buf_text(&crl), crl.len, 0644, err);
}

static bool write_server(struct ca *ca, const char *dir, const char *const *hosts,
                         struct ps_err *err)
{
    const struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    PS_AUTO(buf_free) struct buf chain = BUF(FILE_CONF_MAX);
    PS_AUTO(buf_free) struct buf trust = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret key = { 0 };

    if (!ca_issue(ca, &spec, &leaf, err) || !key_to_pem(leaf.key, NULL, &key, err)
        || !ca_trust_pem(ca, CERT_USE_SERVER, &trust, err))
        return false;
    for (size_t i = 0; i < leaf.chain.len; i++)
        if (!cert_to_pem(leaf.chain.at[i], &chain, err))
            return false;
    return write_in(dir, "server.crt", buf_text(&chain), chain.len, 0644, err)
        && write_in(dir, "server.key", key.p, key.len, 0600, err)
        && write_in(dir, "clients.crt", buf_text(&trust), trust.len, 0644, err);
}

static bool make_new(const char *dir, char *const *hosts, struct ps_err *err)
{
    const struct ca_spec spec = { .key_type = KEY_EC_P256 };
    PS_AUTO(ps_freep) char *path = path_join(dir, "ca");
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    return ca_create(path, &spec, &ca, err)
        && write_server(ca, dir, (const char *const *)hosts, err)
        && write_crl(ca, dir, err);
}

static bool revoke(const char *dir, const char *file, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, "ca");
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(buf_free) struct buf pem = { 0 };
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

    return file_read(file, FILE_CONF_MAX, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, file, &chain, err)
        && ca_open(path, NULL, NULL, &ca, err)
        && ca_revoke(ca, chain.at[0], 0, err)
        && write_crl(ca, dir, err);
}

int main(int argc, char **argv)
{
    struct ps_err err = { 0 };
    bool done = false;

    tls_start();
    if (argc > 3 && strcmp(argv[1], "new") == 0)
        done = make_new(argv[2], argv + 3, &err);
    else if (argc == 4 && strcmp(argv[1], "revoke") == 0)
        done = revoke(argv[2], argv[3], &err);
    else
        ps_fail(&err, PS_E_USAGE, "usage: make_ca new DIR HOST... | make_ca revoke DIR FILE");
    if (!done)
        fprintf(stderr, "make_ca: %s\n%s\n", err.message, err.detail);
    return done ? 0 : 1;
}
