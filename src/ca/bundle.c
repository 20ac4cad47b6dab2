/* bundle.c - what each side of a connection must trust, check and send. */
#include "ca/internal.h"

#include <unistd.h>

#include "base/clock.h"
#include "tls/verify.h"

/* The kind of CA that signs the other side's leaves. */
static enum ca_who checked_by(enum cert_use side)
{
    return side == CERT_USE_SERVER ? CA_CLIENT : CA_SERVER;
}

static bool concerns(const struct authority *authority, enum ca_who leaf_ca)
{
    return ca_in_use(authority)
        && (authority->row->who == CA_ROOT || authority->row->who == leaf_ca);
}

bool ca_is_checked_by(const struct authority *authority, enum cert_use side)
{
    return concerns(authority, checked_by(side));
}

struct files {
    int *fds;
    size_t len, cap;
};

static void files_free(struct files *files)
{
    for (size_t i = 0; i < files->len; i++)
        if (files->fds[i] >= 0)
            close(files->fds[i]);
    free(files->fds);
}

static bool read_all(const struct ca *ca, enum ca_who leaf_ca, struct files *files,
                     struct crl_list *out, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (concerns(&ca->at[i], leaf_ca)
            && !ca_open_crl(ca, &ca->at[i], &PS_PUSH(files->fds, files->len, files->cap), out, err))
            return false;
    return true;
}

/* ---- tried before it is given out ---- */

static bool fail_list(const struct authority *authority, struct ps_err *err)
{
    ps_fail(err, PS_E_CERT, _("revocation list \"%s.crl\" has expired, or is of another CA"),
            authority->row->name);
    return ps_hint(err, _("Make a new one: with this one nobody gets in."));
}

static const struct crl *find_part(const struct ca *ca, const struct authority *authority,
                                   unsigned shard, const struct crl_list *crls)
{
    char uri[SHARD_URI] = "";

    if (ca_shards_of(ca, authority) > 1)
        shard_uri(ca->conf.crl_url, authority->cert, shard, uri);
    for (size_t i = 0; i < crls->len; i++) {
        const struct crl_info *info = crl_info(crls->at[i]);

        if (strcmp(info->uri, uri) == 0 && info->next_update > clock_now()
            && crl_issued_by(crls->at[i], authority->cert))
            return crls->at[i];
    }
    return NULL;
}

/* A signature is not enough: an old list, put back, would make good again what was revoked since. */
static bool check_known(const struct ca *ca, const struct authority *authority, unsigned shard,
                        const struct crl *crl, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    const bool elsewhere = authority->row->key_kind == CA_KEY_OFFLINE;
    struct store_crl_look look;

    if (!store_look_at_crl(ca->store, cert_info(authority->cert)->subject, (int)shard, info->number,
                           info->digest, &look, err))
        return false;
    if ((look.recorded || elsewhere) && !look.restored && (!look.newer || ca->conf.store))
        return true;
    ps_fail(err, PS_E_CERT, _("revocation list \"%s.crl\" is not the last one of the CA"),
            authority->row->name);
    return ps_hint(err, _("Make a new one: pgseal ca crl."));
}

/*
 * An intermediate passes with PostgreSQL's flags only if its root's CRL is there and good; the leaves
 * then need one of the intermediate, which is looked at by hand: making a leaf to try would put a
 * certificate into the world that nobody asked for.
 */
static bool try_one(const struct ca *ca, const struct authority *authority,
                    const struct crl_list *crls, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };

    cert_list_add(&chain, authority->cert);
    ca_anchors(ca, &anchors);
    if (!verify_chain(&chain, &anchors, crls, CERT_USE_ANY, 0, err))
        return false;
    for (unsigned i = 0; crls && i < ca_shards_of(ca, authority); i++) {
        const struct crl *part = find_part(ca, authority, i, crls);

        if (!part)
            return fail_list(authority, err);
        if (!check_known(ca, authority, i, part, err))
            return false;
    }
    return true;
}

static bool try_all(const struct ca *ca, enum ca_who leaf_ca, const struct crl_list *crls,
                    struct ps_err *err)
{
    size_t tried = 0;

    for (size_t i = 0; i < ca->conf.len; i++) {
        if (!concerns(&ca->at[i], leaf_ca))
            continue;
        if (!try_one(ca, &ca->at[i], crls, err))
            return false;
        tried++;
    }
    return tried > 0
        || ps_fail(err, PS_E_CERT, _("the CA \"%s\" has no certificate that is in force"), ca->dir);
}

/* ---- given out ---- */

bool ca_trust_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err)
{
    enum ca_who leaf_ca = checked_by(side);

    if (!try_all(ca, leaf_ca, NULL, err))
        return false;
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == CA_ROOT && concerns(&ca->at[i], leaf_ca)
            && !cert_to_pem(ca->at[i].cert, out, err))
            return false;
    /* a server then knows the chain of a client that sends its leaf alone */
    for (size_t i = 0; i < ca->conf.len && side == CERT_USE_SERVER; i++)
        if (ca->conf.rows[i].who != CA_ROOT && concerns(&ca->at[i], leaf_ca)
            && !cert_to_pem(ca->at[i].cert, out, err))
            return false;
    return true;
}

static bool copy_file(const struct ca *ca, int fd, ca_write_fn write, void *arg,
                      struct ps_err *err)
{
    char block[1 << 16];
    ssize_t got;

    for (off_t at = 0; (got = pread(fd, block, sizeof(block), at)) > 0; at += got)
        if (!write(arg, block, (size_t)got, err))
            return false;
    return got == 0 || ps_fail(err, PS_E_IO, _("could not read the files of the CA \"%s\": %m"),
                               ca->dir);
}

/* What was tried is what is copied: the files stay open, whoever puts new ones in their place. */
bool ca_crls(struct ca *ca, enum cert_use side, struct crl_list *out, ca_write_fn write, void *arg,
             struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    PS_AUTO(files_free) struct files files = { 0 };
    enum ca_who leaf_ca = checked_by(side);

    if (!read_all(ca, leaf_ca, &files, &crls, err) || !try_all(ca, leaf_ca, &crls, err))
        return ps_while(err, _("cannot use the revocation lists of the CA \"%s\""), ca->dir);
    for (size_t i = 0; write && i < files.len; i++)
        if (!copy_file(ca, files.fds[i], write, arg, err))
            return false;
    for (size_t i = 0; i < crls.len; i++)
        crl_list_add(out, crl_ref(crls.at[i]));
    return true;
}

static bool put_text(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    return buf_put(arg, bytes, len)
        || ps_fail(err, PS_E_TOO_BIG, _("the revocation lists are longer than %u bytes"),
                   BUF_TEXT_MAX);
}

bool ca_crl_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };

    return ca_crls(ca, side, &crls, put_text, out, err);
}

/* ---- sent after a leaf ---- */

struct crosses {
    const char *subject;
    struct cert_list *out;
};

static bool take_cross(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    const struct crosses *crosses = arg;
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (strcmp(entry->cert.subject, crosses->subject) != 0)
        return true;
    if (!cert_from_der(entry->cert.der, entry->cert.der_len, &cert, err))
        return false;
    cert_list_add(crosses->out, cert);
    return true;
}

/*
 * A root that is not the oldest in use is not yet known to everybody: its certificate by the one
 * before leads those peers on.
 */
static bool add_cross(const struct ca *ca, const struct authority *root, struct cert_list *out,
                      struct ps_err *err)
{
    struct crosses crosses = { cert_info(root->cert)->subject, out };

    for (size_t i = 0; i < ca->conf.len; i++) {
        const struct authority *older = &ca->at[i];

        if (older->row->who != CA_ROOT || !ca_in_use(older)
            || older->row->generation >= root->row->generation)
            continue;
        const struct store_filter filter = {
            .kind = "cross", .issuer = cert_info(older->cert)->subject, .state = STORE_VALID,
            .with_der = true,
        };
        if (!store_list(ca->store, &filter, take_cross, &crosses, err))
            return false;
    }
    return true;
}

bool ca_chain_of(const struct ca *ca, const struct cert *leaf, struct cert_list *out,
                 struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        const struct authority *issuer = &ca->at[i];
        const struct authority *root = ca_parent(ca, issuer);

        if (issuer->row->who == CA_ROOT || !issuer->cert || !cert_issued_by(leaf, issuer->cert))
            continue;
        cert_list_add(out, issuer->cert);
        return !root || add_cross(ca, root, out, err);
    }
    ps_fail(err, PS_E_NOT_FOUND, _("certificate %s was not issued by this CA"),
            cert_info(leaf)->serial_hex);
    return ps_detail(err, _("Its issuer is \"%s\"."), cert_info(leaf)->issuer);
}
