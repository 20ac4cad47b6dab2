/* material.c - see material.h. */
#include "prove/material.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum { DAY = 24 * 60 * 60 };

void material_free(struct material *material)
{
    if (material->dir)
        dir_remove_all(material->dir);
    for (size_t i = 0; i < CARD_COUNT; i++) {
        free(material->cards[i].cert);
        free(material->cards[i].key);
    }
    ca_freep(&material->stranger);
    free(material->dir);
    free(material->nothing);
    free(material->root);
    free(material->crl);
    free(material->stranger_root);
    *material = (struct material){ 0 };
}

static bool write_chain(const struct cert_list *chain, const char *path, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < chain->len; i++)
        if (!cert_to_pem(chain->at[i], &pem, err))
            return false;
    return file_write(path, pem.p, pem.len, 0644, err);
}

static bool write_key(const struct key *key, const char *path, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };

    return key_to_pem(key, NULL, &pem, err) && file_write(path, pem.p, pem.len, 0600, err);
}

static bool write_leaf(const struct material *material, const char *name, const struct ca_leaf *leaf,
                       struct material_card *card, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(material->dir, name);
    PS_AUTO(ps_freep) char *cert = ps_asprintf("%s.crt", path);
    PS_AUTO(ps_freep) char *key = ps_asprintf("%s.key", path);

    if (!write_chain(&leaf->chain, cert, err) || !write_key(leaf->key, key, err))
        return false;
    card->cert = PS_TAKE(cert);
    card->key = PS_TAKE(key);
    return true;
}

/* How each card is made: by which CA, for whom, living when. */
static const struct recipe {
    enum way_cert card;
    const char *name;
    enum cert_use use;
    bool stranger, other, expired;
} recipes[] = {
    { CARD_GOOD, "good", CERT_USE_CLIENT, false, false, false },
    { CARD_OTHER, "other", CERT_USE_CLIENT, false, true, false },
    { CARD_EXPIRED, "expired", CERT_USE_CLIENT, false, false, true },
    { CARD_FOREIGN, "foreign", CERT_USE_CLIENT, true, false, false },
    { CARD_SERVER, "server", CERT_USE_SERVER, false, false, false },
};

static bool cook(struct material *material, const struct recipe *recipe, const char *role,
                 struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    const char *const hosts[] = { WAY_WRONG_NAME, NULL };
    time_t now = clock_now();
    struct ca_leaf_spec spec = {
        .use = recipe->use,
        .common_name = recipe->other ? MATERIAL_OTHER_ROLE : role,
        .hosts = recipe->use == CERT_USE_SERVER ? hosts : NULL,
        .key_type = KEY_EC_P256,
        .not_before = recipe->expired ? now - 2 * DAY : now - CA_BACKDATE_SECONDS,
        .not_after = recipe->expired ? now - DAY : now + MATERIAL_SECONDS,
        .proof = true,
    };
    struct ca *ca = recipe->stranger ? material->stranger : material->ca;

    return ca_issue(ca, &spec, &leaf, err)
           && write_leaf(material, recipe->name, &leaf, &material->cards[recipe->card], err);
}

static void why_not(struct material *material, enum way_cert card, const struct ps_err *err)
{
    struct material_card *to = &material->cards[card];

    snprintf(to->why_not, sizeof(to->why_not), "%s", err->message);
}

static void cook_all(struct material *material, const char *role)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf revoked = { 0 };
    struct ps_err err = { 0 };

    for (size_t i = 0; i < PS_COUNT(recipes); i++)
        if (!cook(material, &recipes[i], role, &err))
            why_not(material, recipes[i].card, &err);
    if (!ca_revoked_proof(material->ca, &revoked, &err)
        || !write_leaf(material, "revoked", &revoked, &material->cards[CARD_REVOKED], &err))
        why_not(material, CARD_REVOKED, &err);
}

static bool write_trust(struct material *material, struct ca *ca, char **root, char **crl,
                        struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);
    PS_AUTO(ps_freep) char *path = path_join(material->dir, root == &material->root
                                                            ? "root.crt" : "stranger.crt");

    if (!ca_trust_pem(ca, CERT_USE_CLIENT, &pem, err)
        || !file_write(path, pem.p, pem.len, 0644, err))
        return false;
    *root = PS_TAKE(path);
    if (!crl)
        return true;

    buf_clear(&pem);
    path = path_join(material->dir, "root.crl");
    if (!ca_crl_pem(ca, CERT_USE_CLIENT, &pem, err)
        || !file_write(path, pem.p, pem.len, 0644, err))
        return false;
    *crl = PS_TAKE(path);
    return true;
}

/* Same names, other keys: who trusts by name alone is fooled. */
static bool make_stranger(struct material *material, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = path_join(material->dir, "stranger");
    struct ca_spec spec = { .key_type = KEY_EC_P256 };

    if (material->ca && ca_root(material->ca))
        spec.dn = cert_info(ca_root(material->ca))->dn;
    return ca_create(dir, &spec, &material->stranger, err)
           && write_trust(material, material->stranger, &material->stranger_root, NULL, err);
}

bool material_make(struct ca *ca, const char *role, struct material *out, struct ps_err *err)
{
    struct material material = { .ca = ca };

    if (!dir_temp(&material.dir, err))
        return false;
    material.nothing = path_join(material.dir, "nothing");
    if (!make_stranger(&material, err)
        || (ca && !write_trust(&material, ca, &material.root, &material.crl, err))) {
        material_free(&material);
        return false;
    }
    if (ca && role)
        cook_all(&material, role);
    *out = material;
    return true;
}

/* ---- what the attacker shows ---- */

static bool self_signed(const char *host, struct ca_leaf *out, struct ps_err *err)
{
    const char *const hosts[] = { host, NULL };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct cert_spec spec = {
        .subject.cn = strlen(host) <= 64 ? host : NULL,     /* ub-common-name, RFC 5280 */
        .hosts = hosts,
        .path_len = -1,
        .uses = CERT_USE_SERVER,
        .not_before = clock_now() - CA_BACKDATE_SECONDS,
        .not_after = clock_now() + MATERIAL_SECONDS,
    };

    if (!key_generate(KEY_EC_P256, &out->key, err)
        || !cert_make(&spec, out->key, NULL, out->key, &cert, err))
        return false;
    cert_list_add(&out->chain, cert);
    return true;
}

static bool wrong_name(struct ca *ca, struct ca_leaf *out, struct ps_err *err)
{
    const char *const hosts[] = { WAY_WRONG_NAME, NULL };
    struct ca_leaf_spec spec = {
        .use = CERT_USE_SERVER,
        .hosts = hosts,
        .key_type = KEY_EC_P256,
        .not_before = clock_now() - CA_BACKDATE_SECONDS,
        .not_after = clock_now() + MATERIAL_SECONDS,
        .proof = true,
    };

    return ca_issue(ca, &spec, out, err);
}

bool material_forge(struct material *material, enum attack attack, struct ca *ca, const char *host,
                    struct tls_ctx **out, struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (attack == ATTACK_SELF_SIGNED ? !self_signed(host, &leaf, err)
                                     : !wrong_name(ca ? ca : material->stranger, &leaf, err))
        return false;

    struct tls_server_spec spec = { .chain = &leaf.chain, .key = leaf.key };
    return tls_ctx_server(&spec, out, err);
}
