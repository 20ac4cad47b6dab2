/* ca.c - a CA opened, its files and keys; see ca.h. */
#include "ca/ca.h"

#include "ca/internal.h"

const struct ca_profile ca_profiles[CA_WHO_LEN] = {
    [CA_ROOT] = {
        .crt = "root.crt", .key = "root.key", .crl = "root.crl",
        .kind = "root", .title = "pgseal root CA", .uses = CERT_USE_ANY, .path_len = -1,
        .days = CA_DAYS_ROOT, .crl_days = CA_DAYS_ROOT_CRL,
    },
    [CA_SERVER] = {
        .crt = "server-ca.crt", .key = "server-ca.key", .crl = "server-ca.crl",
        .kind = "server-ca", .title = "pgseal server CA", .uses = CERT_USE_SERVER, .path_len = 0,
        .days = CA_DAYS_INTERMEDIATE, .crl_days = CA_DAYS_CRL,
    },
    [CA_CLIENT] = {
        .crt = "client-ca.crt", .key = "client-ca.key", .crl = "client-ca.crl",
        .kind = "client-ca", .title = "pgseal client CA", .uses = CERT_USE_CLIENT, .path_len = 0,
        .days = CA_DAYS_INTERMEDIATE, .crl_days = CA_DAYS_CRL,
    },
};

char *ca_path(const struct ca *ca, const char *name)
{
    return path_join(ca->dir, name);
}

const char *ca_dir(const struct ca *ca)
{
    return ca->dir;
}

const struct cert *ca_root(const struct ca *ca)
{
    return ca->cert[CA_ROOT];
}

const struct cert *ca_intermediate(const struct ca *ca, enum cert_use use)
{
    return ca->cert[ca_issuer_of(use)];
}

void ca_free(struct ca *ca)
{
    for (int who = 0; who < CA_WHO_LEN; who++) {
        cert_freep(&ca->cert[who]);
        key_freep(&ca->key[who]);
    }
    store_freep(&ca->store);
    free(ca->dir);
    free(ca);
}

void ca_leaf_free(struct ca_leaf *leaf)
{
    cert_list_free(&leaf->chain);
    key_freep(&leaf->key);
}

/* ---- files ---- */

bool ca_exists(const char *dir)
{
    static const char *const names[] = { "root.crt", "server-ca.crt", "client-ca.crt", CA_LEDGER };

    for (size_t i = 0; i < PS_COUNT(names); i++) {
        PS_AUTO(ps_freep) char *path = path_join(dir, names[i]);

        if (!file_exists(path))
            return false;
    }
    return true;
}

bool ca_write_chain(const struct ca *ca, const char *name, const struct cert_list *chain,
                    struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    for (size_t i = 0; i < chain->len; i++)
        if (!cert_to_pem(chain->at[i], &pem, err))
            return false;
    return file_write(path, pem.p, pem.len, 0644, err);
}

bool ca_write_key(const struct ca *ca, const char *name, const struct key *key,
                  const struct secret *pass, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(secret_free) struct secret pem = { 0 };

    return key_to_pem(key, pass, &pem, err) && file_write(path, pem.p, pem.len, 0600, err);
}

static bool read_chain(const struct ca *ca, const char *name, struct cert_list *out,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(buf_free) struct buf pem = BUF(0);

    return file_read(path, FILE_CONF_MAX, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, path, out, err);
}

static bool ask_passphrase(struct ca *ca, const char *path, struct secret *out, struct ps_err *err)
{
    if (ca->pass)
        return ca->pass(ca->pass_arg, path, out, err);
    return ps_fail(err, PS_E_PASSPHRASE, _("private key \"%s\" is encrypted"), path);
}

static bool read_key(struct ca *ca, const char *name, struct key **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret pass = { 0 };
    struct file_attr folder;    /* root may use a CA that is somebody else's */
    bool encrypted;

    if (!file_attr_read(ca->dir, &folder, err) || !key_file_mode_ok(path, folder.uid, err)
        || !secret_read_file(path, &pem, err))
        return false;
    encrypted = key_pem_is_encrypted(pem.p, pem.len);
    if (encrypted && !ask_passphrase(ca, path, &pass, err))
        return false;
    return key_from_pem(pem.p, pem.len, path, encrypted ? &pass : NULL, out, err);
}

bool ca_need_key(struct ca *ca, enum ca_who who, struct ps_err *err)
{
    const char *name = ca_profiles[who].key;
    PS_AUTO(key_freep) struct key *key = NULL;

    if (ca->key[who])
        return true;
    if (!read_key(ca, name, &key, err)) {
        if (who == CA_ROOT && err->code == PS_E_NOT_FOUND)
            ps_hint(err, _("If it is kept offline, bring it back for this one command."));
        return false;
    }
    if (!cert_matches_key(ca->cert[who], key))
        return ps_fail(err, PS_E_CERT, _("the key \"%s\" does not belong to \"%s\" of the CA"),
                       name, ca_profiles[who].crt);
    ca->key[who] = PS_TAKE(key);
    return true;
}

/* ---- open ---- */

static bool read_authority(struct ca *ca, enum ca_who who, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };

    if (!read_chain(ca, ca_profiles[who].crt, &list, err))
        return false;
    if (!cert_issued_by(list.at[0], who == CA_ROOT ? list.at[0] : ca->cert[CA_ROOT])) {
        ps_fail(err, PS_E_CERT, _("\"%s\" of the CA was not issued by its root"),
                ca_profiles[who].crt);
        return ps_hint(err, _("Put back the files of one and the same CA in \"%s\"."), ca->dir);
    }
    ca->cert[who] = cert_ref(list.at[0]);
    return true;
}

bool ca_open(const char *dir, ca_pass_fn pass, void *arg, struct ca **out, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = ps_calloc(1, sizeof(*ca));

    if (!ca_exists(dir)) {
        ps_fail(err, PS_E_NOT_FOUND, _("no certificate authority in \"%s\""), dir);
        return ps_at(err, dir, 0, 0);
    }
    if (!path_absolute(dir, &ca->dir, err))
        return false;
    ca->pass = pass;
    ca->pass_arg = arg;
    for (int who = 0; who < CA_WHO_LEN; who++)
        if (!read_authority(ca, (enum ca_who)who, err))
            return false;

    PS_AUTO(ps_freep) char *ledger = ca_path(ca, CA_LEDGER);
    if (!store_open(ledger, &ca->store, err))
        return false;
    *out = PS_TAKE(ca);
    return true;
}

bool ca_revoked_proof(struct ca *ca, struct ca_leaf *out, struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!read_chain(ca, CA_PROOF_CRT, &leaf.chain, err)
        || !read_key(ca, CA_PROOF_KEY, &leaf.key, err))
        return false;
    *out = leaf;
    leaf = (struct ca_leaf){ 0 };
    return true;
}
