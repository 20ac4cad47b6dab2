/* offline.c - a root that is kept elsewhere: requests out, certificates and CRLs in. */
#include "ca/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/csr.h"
#include "tls/verify.h"

static bool read_request(const struct ca *ca, const struct authority *authority, struct csr **out,
                         struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".csr");
    PS_AUTO(buf_free) struct buf pem = BUF(0);

    return file_read(path, CSR_MAX, &pem, err)
        && csr_read(buf_text(&pem), pem.len, path, out, err);
}

/* ---- requests ---- */

bool ca_request_out(const struct ca *ca, const char *name, struct buf *out, struct ps_err *err)
{
    const struct authority *authority = ca_by_name(ca, name);
    PS_AUTO(csr_freep) struct csr *csr = NULL;

    if (!authority || authority->row->state != CA_WAITING)
        return ps_fail(err, PS_E_NOT_FOUND, _("no request of \"%s\" waits for a certificate"),
                       name);
    return read_request(ca, authority, &csr, err)
        && store_note(ca->store, "request-out", name, "", err) && csr_to_pem(csr, out, err);
}

static struct cert_spec plan(const struct ca *ca, enum ca_who who, const struct csr *csr)
{
    time_t now = clock_now();
    const bool server = who == CA_SERVER;

    return (struct cert_spec){
        .subject = csr_info(csr)->dn, .is_ca = true, .path_len = ca_profiles[who].path_len,
        .uses = ca_profiles[who].uses, .not_before = now - CA_BACKDATE_SECONDS,
        .not_after = now + (time_t)ca->conf.days.intermediate * CA_DAY_SECONDS,
        .permit_dns = server ? (const char *const *)ca->conf.permit_dns : NULL,
        .permit_ip = server ? (const char *const *)ca->conf.permit_ip : NULL,
    };
}

/* An authority of the wrong side would let servers in as roles, or roles pass for servers. */
static bool check_side(enum ca_who who, const struct csr *csr, const char *name, struct ps_err *err)
{
    const unsigned uses = csr_info(csr)->uses & (CERT_USE_SERVER | CERT_USE_CLIENT);
    const enum ca_who other = who == CA_SERVER ? CA_CLIENT : CA_SERVER;

    if (!uses || uses & ca_profiles[who].uses)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the request \"%s\" is for a %s, not for a %s"), name, ca_profiles[other].name,
            ca_profiles[who].name);
    return ps_hint(err, _("Its extended key usage says so; sign it with --kind %s."), ca_profiles[other].name);
}

bool ca_sign_request(struct ca *ca, enum ca_who who, const char *pem, size_t len,
                     const char *name, struct cert_list *out, struct ps_err *err)
{
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct authority *root = NULL;

    if (who == CA_ROOT)
        return ps_fail(err, PS_E_VALUE, _("a root signs itself"));
    if (!csr_read(pem, len, name, &csr, err) || !csr_key(csr, &key, err))
        return false;
    const struct cert_spec spec = plan(ca, who, csr);
    if (!*csr_info(csr)->dn.cn)
        return ps_fail(err, PS_E_VALUE, _("the request \"%s\" names nobody"), name);
    if (!check_side(who, csr, name, err))
        return false;
    PS_AUTO(ps_freep) char *kind = ps_asprintf("signed-%s", ca_profiles[who].name);
    if (!ca_signer(ca, CA_ROOT, &root, err)
        || !cert_make(&spec, key, root->cert, root->key, &cert, err)
        || !ca_record(ca, cert, kind, NULL, err))
        return false;
    cert_list_add(out, cert);
    cert_list_add(out, root->cert);
    return true;
}

/* ---- certificates ---- */

static struct cert *match_request(const struct ca *ca, const struct authority *authority,
                                  const struct cert_list *list)
{
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err = { 0 };      /* without its request nothing can match it */

    if (authority->row->state != CA_WAITING || !read_request(ca, authority, &csr, &err)
        || !csr_key(csr, &key, &err))
        return NULL;
    for (size_t i = 0; i < list->len; i++)
        if (cert_matches_key(list->at[i], key))
            return list->at[i];
    return NULL;
}

static struct cert *find_root(const struct ca *ca, const struct cert_list *list,
                              const struct cert *of)
{
    for (size_t i = 0; i < list->len; i++)
        if (cert_issued_by(list->at[i], list->at[i]) && cert_issued_by(of, list->at[i]))
            return list->at[i];
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == CA_ROOT && ca_in_use(&ca->at[i])
            && cert_issued_by(of, ca->at[i].cert))
            return ca->at[i].cert;
    return NULL;
}

static bool fail_in(const char *name, const char *why, const char *hint, struct ps_err *err)
{
    ps_fail(err, PS_E_CERT, _("the certificate for \"%s\" cannot be used: %s"), name, why);
    return ps_hint(err, "%s", hint);
}

static bool has_powers(const struct cert_info *info)
{
    return info->is_ca && info->signs_certs && info->signs_crls;
}

/* Names decide who issued what, in the ledger and in PostgreSQL. */
static bool name_is_free(const struct ca *ca, const struct cert *cert)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->at[i].cert && !cert_same(ca->at[i].cert, cert)
            && strcmp(cert_info(ca->at[i].cert)->subject, cert_info(cert)->subject) == 0)
            return false;
    return *cert_info(cert)->subject != '\0';
}

static bool verifies(const struct cert *cert, const struct cert *root, const char *name,
                     struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };

    cert_list_add(&chain, (struct cert *)cert);
    cert_list_add(&anchors, (struct cert *)root);
    return verify_chain(&chain, &anchors, NULL, CERT_USE_ANY, 0, err)
        || ps_while(err, _("the certificate for \"%s\" cannot be used"), name);
}

static bool check_in(const struct ca *ca, const struct authority *authority,
                     const struct cert *cert, const struct cert *root, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);
    const char *name = authority->row->name;

    if (!has_powers(info))
        return fail_in(name, _("it is not one of a CA that signs certificates and CRLs"),
                       _("Have it signed with CA:TRUE, keyCertSign and cRLSign."), err);
    if (info->uses != ca_profiles[authority->row->who].uses)
        return fail_in(name, _("its extended key usage is not the one that keeps servers and "
                               "clients apart"),
                       authority->row->who == CA_SERVER
                           ? _("Have it signed with serverAuth alone.")
                           : _("Have it signed with clientAuth alone."), err);
    if (!root)
        return fail_in(name, _("the root that issued it is not there"),
                       _("Bring the root's own certificate along; the root must sign directly."),
                       err);
    if (!has_powers(cert_info(root)) || cert_info(root)->path_len == 0)
        return fail_in(name, _("its root may have no intermediates"),
                       _("Use a root without a path length, or with one of at least 1."), err);
    if (!name_is_free(ca, cert) || !name_is_free(ca, root))
        return fail_in(name, _("its name, or that of its root, is one that the CA has already"),
                       _("Have it signed with the name of the request."), err);
    return verifies(cert, root, name, err);
}

static bool keep_cert(struct ca *ca, size_t at, struct cert *cert, struct ps_err *err)
{
    struct authority *authority = &ca->at[at];
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s.crt", authority->row->name);
    PS_AUTO(cert_list_free) struct cert_list alone = { 0 };

    cert_list_add(&alone, cert);
    if (!ca_record(ca, cert, ca_profiles[authority->row->who].name, NULL, err)
        && err->code != PS_E_EXISTS)        /* the same one was brought before */
        return false;
    ps_err_clear(err);
    authority->cert = cert_ref(cert);
    return ca_write_chain(ca, name, &alone, err);
}

/* The row of a root that is kept elsewhere: the one we have, or a new one. */
static bool keep_root(struct ca *ca, struct cert *root, const char **name, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        if (ca->at[i].cert && cert_same(ca->at[i].cert, root)) {
            *name = ca->conf.rows[i].name;
            return true;
        }
    }
    if (!ca_add_row(ca, CA_ROOT, ca_active(ca, CA_ROOT) ? CA_NEXT : CA_ACTIVE, err))
        return false;
    ca->conf.rows[ca->conf.len - 1].key_kind = CA_KEY_OFFLINE;
    *name = ca->conf.rows[ca->conf.len - 1].name;
    return keep_cert(ca, ca->conf.len - 1, root, err);
}

static bool take_in(struct ca *ca, size_t at, struct cert *cert, struct cert *root,
                    struct ps_err *err)
{
    enum ca_who who = ca->conf.rows[at].who;
    const char *parent = NULL;

    if (!keep_root(ca, root, &parent, err) || !keep_cert(ca, at, cert, err))
        return false;
    struct ca_conf_row *row = &ca->conf.rows[at];
    free(row->parent);
    row->parent = ps_strdup(parent);
    row->state = ca_active(ca, who) ? CA_NEXT : CA_ACTIVE;
    return (who != CA_CLIENT || ca_make_proof(ca, &ca->at[at], KEY_EC_P256, err))
        && ca_write_crl(ca, &ca->at[at], err);
}

/* All are checked before the first is kept. */
static bool check_all(const struct ca *ca, const struct cert_list *list, size_t *found,
                      struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        const struct cert *cert = match_request(ca, &ca->at[i], list);

        if (!cert)
            continue;
        if (!check_in(ca, &ca->at[i], cert, find_root(ca, list, cert), err))
            return false;
        ++*found;
    }
    return true;
}

static bool take_all(struct ca *ca, const struct cert_list *list, struct ps_err *err)
{
    const size_t len = ca->conf.len;        /* roots are added behind */

    for (size_t i = 0; i < len; i++) {
        struct cert *cert = match_request(ca, &ca->at[i], list);

        if (cert && !take_in(ca, i, cert, find_root(ca, list, cert), err))
            return false;
    }
    return true;
}

bool ca_certificate_in(struct ca *ca, const char *pem, size_t len, const char *name,
                       struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };
    size_t found = 0;

    if (!cert_list_from_pem(pem, len, name, &list, err) || !ca_lock(ca, &turn, err)
        || !check_all(ca, &list, &found, err))
        return false;
    if (found == 0) {
        ps_fail(err, PS_E_CERT, _("no certificate in \"%s\" is for a request that waits"), name);
        return ps_hint(err, _("The key in it must be the one of the request."));
    }
    if (!take_all(ca, &list, err) || !ca_change_begin(ca, &change, err)) {
        ca_forget(ca);
        return false;
    }
    return store_note(ca->store, "certificate-in", name, "", err) && ca_change_commit(&change, err);
}

/* ---- CRLs ---- */

static struct authority *issuer_of(const struct ca *ca, const struct crl *crl)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == CA_ROOT && ca_in_use(&ca->at[i])
            && ca_is_offline(ca, &ca->at[i]) && crl_issued_by(crl, ca->at[i].cert))
            return &ca->at[i];
    return NULL;
}

static bool is_older(const struct crl_info *now, const struct crl_info *before)
{
    return now->number >= 0 && before->number >= 0 ? now->number < before->number
                                                   : now->this_update < before->this_update;
}

static bool check_crl(const struct ca *ca, const struct authority *authority,
                      const struct crl *crl, const char *name, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    PS_AUTO(crl_list_free) struct crl_list before = { 0 };
    struct ps_err absent = { 0 };

    if (info->next_update <= clock_now() || info->this_update > clock_now())
        return ps_fail(err, PS_E_CERT, _("a revocation list in \"%s\" is not in force today"),
                       name);
    if (*info->uri)
        return ps_fail(err, PS_E_CERT, _("a revocation list in \"%s\" covers a part of its issuer "
                                         "alone"), name);
    if (ca_read_crl(ca, authority, &before, &absent)
        && crl_issued_by(before.at[0], authority->cert) && is_older(info, crl_info(before.at[0]))) {
        ps_fail(err, PS_E_CERT, _("a revocation list in \"%s\" is older than the one that the CA "
                                  "has"), name);
        return ps_hint(err, _("A revocation that was known would be forgotten."));
    }
    return true;
}

/* What the root has revoked never signs again. */
static void obey(struct ca *ca, const struct authority *root, const struct crl *crl)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        struct ca_conf_row *row = &ca->conf.rows[i];

        if (row->revoked || !ca->at[i].cert || strcmp(row->parent, root->row->name) != 0
            || !crl_has_serial(crl, cert_info(ca->at[i].cert)->serial_hex))
            continue;
        log_warn(_("the root has revoked \"%s\" of the CA: it signs no more"), row->name);
        row->revoked = true;
        row->state = CA_RETIRED;
    }
}

/* One that the ledger has already, perhaps by another host, is only put into the folder. */
static bool record_crl(struct ca *ca, const struct crl *crl, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    PS_AUTO(buf_free) struct buf der = BUF(BUF_TEXT_MAX);
    struct store_crl_look look = { 0 };

    if (info->number < 0)       /* of a CA that does not number its lists: noted, and no more */
        return true;
    if (!store_look_at_crl(ca->store, info->issuer, 0, info->number, info->digest, &look, err)
        || !crl_to_der(crl, &der, err))
        return false;
    const struct store_crl row = {
        .issuer = info->issuer, .number = info->number, .entries = (int64_t)info->revoked_len,
        .this_update = info->this_update, .next_update = info->next_update,
        .digest = info->digest, .der = der.p, .der_len = der.len,
    };
    return look.recorded || store_put_crl(ca->store, &row, err);
}

static bool keep_crl(struct ca *ca, const struct authority *root, const struct crl *crl,
                     struct ps_err *err)
{
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };

    if (!ca_change_begin(ca, &change, err)
        || !store_note(ca->store, "crl-in", root->row->name, crl_info(crl)->digest, err)
        || !record_crl(ca, crl, err))
        return false;
    obey(ca, root, crl);
    return ca_change_commit(&change, err);
}

static bool take_crl(struct ca *ca, const struct crl *crl, const char *name, struct ps_err *err)
{
    const struct authority *root = issuer_of(ca, crl);
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    if (!root) {
        ps_fail(err, PS_E_CERT, _("a revocation list in \"%s\" is of no root that is kept "
                                  "elsewhere"), name);
        return ps_detail(err, _("Its issuer is \"%s\"."), crl_info(crl)->issuer);
    }
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, root->row->name, ".crl");
    return check_crl(ca, root, crl, name, err) && crl_to_pem(crl, &pem, err)
        && keep_crl(ca, root, crl, err) && ca_file_write(ca, path, pem.p, pem.len, 0644, err);
}

bool ca_crl_in(struct ca *ca, const char *pem, size_t len, const char *name, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };

    if (!crl_list_from_pem(pem, len, name, &list, err) || !ca_lock(ca, &turn, err))
        return false;
    for (size_t i = 0; i < list.len; i++)
        if (!take_crl(ca, list.at[i], name, err))
            return false;
    return true;
}
