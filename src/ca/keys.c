/* keys.c - the keys of a CA, and whether they may sign today. */
#include "ca/internal.h"

#include "base/clock.h"
#include "tls/keyref.h"

/* ---- passphrases ---- */

bool ca_passphrase(struct ca *ca, const char *what, struct secret *out, struct ps_err *err)
{
    if (ca->conf.pass_command)
        return secret_from_command(ca->conf.pass_command, what, out, err);
    if (ca->pass)
        return ca->pass(ca->pass_arg, what, out, err);
    return ps_fail(err, PS_E_PASSPHRASE, _("private key \"%s\" is encrypted"), what);
}

/* ---- files ---- */

bool ca_read_key(struct ca *ca, const char *name, struct key **out, struct ps_err *err)
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
    if (encrypted && !ca_passphrase(ca, path, &pass, err))
        return false;
    return key_from_pem(pem.p, pem.len, path, encrypted ? &pass : NULL, out, err);
}

bool ca_write_key(const struct ca *ca, const char *name, const struct key *key,
                  const struct secret *pass, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(secret_free) struct secret pem = { 0 };

    return key_to_pem(key, pass, &pem, err) && ca_file_write(ca, path, pem.p, pem.len, 0600, err);
}

/* ---- of an authority ---- */

static bool fail_offline(const struct authority *authority, struct ps_err *err)
{
    ps_fail(err, PS_E_NOT_FOUND, _("the key of \"%s\" is kept offline"), authority->row->name);
    return ps_hint(err, _("Do it where the key is, and bring here what comes out."));
}

/* Of a root it is the rule, of others it is on the host where the authority was made. */
static bool fail_absent(const struct ca *ca, const struct authority *authority, struct ps_err *err)
{
    const struct ca_conf_row *row = authority->row;

    ps_fail(err, PS_E_NOT_FOUND, _("the key of \"%s\" is not in \"%s\" on this host"), row->name,
            ca->dir);
    if (row->host)
        ps_detail(err, _("The authority was made on host \"%s\"."), row->host);
    if (row->who == CA_ROOT)
        return ps_hint(err, _("If it is kept offline, bring it back for this one command."));
    return ps_hint(err, _("Copy \"%s.key\" from there, or run the command there."), row->name);
}

static bool give_pin(void *arg, const char *what, struct secret *out, struct ps_err *err)
{
    return ca_passphrase(arg, what, out, err);
}

static bool read_by_kind(struct ca *ca, const struct authority *authority, struct key **out,
                         struct ps_err *err)
{
    const struct ca_conf_row *row = authority->row;
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s.key", row->name);

    if (row->key_kind == CA_KEY_OFFLINE)
        return fail_offline(authority, err);
    if (row->key_kind == CA_KEY_URI)
        return key_from_uri(row->key_uri, give_pin, ca, out, err);
    return ca_is_offline(ca, authority) ? fail_absent(ca, authority, err)
                                        : ca_read_key(ca, name, out, err);
}

bool ca_need_key(struct ca *ca, struct authority *authority, struct ps_err *err)
{
    PS_AUTO(key_freep) struct key *key = NULL;

    if (authority->key)
        return true;
    if (!read_by_kind(ca, authority, &key, err))
        return false;
    if (authority->cert && !cert_matches_key(authority->cert, key)) {
        ps_fail(err, PS_E_CERT, _("the key of \"%s\" does not belong to its certificate"),
                authority->row->name);
        if (authority->row->host)
            ps_detail(err, _("The authority was made on host \"%s\"."), authority->row->host);
        return false;
    }
    authority->key = PS_TAKE(key);
    return true;
}

/* ---- may it sign? ---- */

bool ca_check_dates(const struct authority *authority, struct ps_err *err)
{
    const struct cert_info *info = cert_info(authority->cert);
    const char *name = authority->row->name;
    time_t now = clock_now();
    char text[CLOCK_TEXT], other[CLOCK_TEXT];

    if (now < info->not_before) {
        ps_fail(err, PS_E_UNSAFE, _("the clock is wrong: \"%s\" of the CA begins in the future"),
                name);
        ps_detail(err, _("It is %s by this clock; the certificate begins at %s."),
                  clock_rfc3339(now, text), clock_rfc3339(info->not_before, other));
        return ps_hint(err, _("Set the clock; nothing was signed."));
    }
    if (now >= info->not_after) {
        ps_fail(err, PS_E_UNSAFE, _("\"%s\" of the CA has expired"), name);
        ps_detail(err, _("It ended at %s."), clock_rfc3339(info->not_after, text));
        return ps_hint(err, _("Make its successor: pgseal ca rollover."));
    }
    return true;
}

bool ca_may_sign(struct ca *ca, struct authority *authority, struct ps_err *err)
{
    const struct authority *parent = ca_parent(ca, authority);

    return ca_check_dates(authority, err)
        && (!parent || parent == authority || ca_check_dates(parent, err))
        && ca_need_key(ca, authority, err);
}

static bool fail_none(const struct ca *ca, enum ca_who who, struct ps_err *err)
{
    const char *name = ca_profiles[who].name;

    for (size_t i = 0; i < ca->conf.len; i++) {
        if (ca->conf.rows[i].who != who || ca->conf.rows[i].state != CA_WAITING)
            continue;
        ps_fail(err, PS_E_NOT_FOUND, _("\"%s\" of the CA waits for its certificate"),
                ca->conf.rows[i].name);
        return ps_hint(err, _("Let the root sign \"%s/%s.csr\", and bring the certificate back."),
                       ca->dir, ca->conf.rows[i].name);
    }
    ps_fail(err, PS_E_NOT_FOUND, _("the CA has no \"%s\" that may sign"), name);
    return ps_hint(err, _("Make one: pgseal ca rollover."));
}

bool ca_signer(struct ca *ca, enum ca_who who, struct authority **out, struct ps_err *err)
{
    if (!ca_sync(ca, err))
        return false;

    struct authority *active = ca_active(ca, who);

    if (!active)
        return fail_none(ca, who, err);
    if (!ca_may_sign(ca, active, err))
        return false;
    *out = active;
    return true;
}
