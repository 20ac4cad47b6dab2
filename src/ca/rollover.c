/* rollover.c - a new authority beside the old one, until nothing depends on the old one any more. */
#include "ca/internal.h"

#include "base/clock.h"

/* ---- cross certificates ---- */

/* `subject`'s name and key, signed by `issuer`: the same CA under another root. */
static bool cross(struct ca *ca, const struct authority *subject, struct authority *issuer,
                  struct ps_err *err)
{
    const struct cert_info *info = cert_info(subject->cert);
    const struct cert_spec spec = {
        .subject = info->dn, .is_ca = true, .path_len = -1,
        .not_before = clock_now() - CA_BACKDATE_SECONDS, .not_after = info->not_after,
    };
    PS_AUTO(ps_freep) char *name =
        ps_asprintf("%s-by-%s.crt", subject->row->name, issuer->row->name);
    PS_AUTO(cert_list_free) struct cert_list alone = { 0 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!cert_make(&spec, subject->key, issuer->cert, issuer->key, &cert, err)
        || !ca_record(ca, cert, "cross", NULL, err))
        return false;
    cert_list_add(&alone, cert);
    return ca_write_chain(ca, name, &alone, err);
}

static bool cross_both(struct ca *ca, struct authority *old, struct authority *new,
                       struct ps_err *err)
{
    return cross(ca, new, old, err) && cross(ca, old, new, err);
}

/* ---- a new one ---- */

static bool is_free(const struct ca *ca, enum ca_who who, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        const struct ca_conf_row *row = &ca->conf.rows[i];

        if (row->who != who || (row->state != CA_NEXT && row->state != CA_WAITING))
            continue;
        ps_fail(err, PS_E_EXISTS, _("\"%s\" of the CA is on its way already"), row->name);
        return ps_hint(err, row->state == CA_NEXT ? _("Let it sign, or retire it.")
                                                  : _("Bring its certificate."));
    }
    return true;
}

static bool check_root(struct ca *ca, enum ca_who who, bool *waits, struct ps_err *err)
{
    struct authority *root = ca_active(ca, CA_ROOT);

    if (!root)
        return ps_fail(err, PS_E_NOT_FOUND, _("the CA has no \"%s\" that may sign"),
                       ca_profiles[CA_ROOT].name);
    *waits = root->row->key_kind == CA_KEY_OFFLINE;
    if (*waits && who == CA_ROOT) {
        ps_fail(err, PS_E_UNSUPPORTED, _("the root is kept elsewhere"));
        return ps_hint(err, _("Make the new root there, and bring an intermediate of it."));
    }
    return *waits || ca_may_sign(ca, root, err);
}

static bool make_next(struct ca *ca, const struct ca_rollover_spec *spec, const struct cert_dn *dn,
                      bool waits, struct ps_err *err)
{
    const struct ca_new what = { .key_type = spec->key_type, .pass = spec->pass,
                                 .key_uri = spec->key_uri, .dn = dn, .waits = waits };

    if (!ca_add_row(ca, spec->who, waits ? CA_WAITING : CA_NEXT, err))
        return false;
    size_t at = ca->conf.len - 1;
    if (!ca_make_authority(ca, ca->conf.rows[at].name, &what, err))
        return false;
    if (waits)
        return true;
    return (spec->who != CA_ROOT || cross_both(ca, ca_active(ca, CA_ROOT), &ca->at[at], err))
        && (spec->who != CA_CLIENT || ca_make_proof(ca, &ca->at[at], spec->key_type, err))
        && ca_write_crl(ca, &ca->at[at], err);
}

static void let_sign(struct ca *ca, size_t at)
{
    enum ca_who who = ca->conf.rows[at].who;

    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == who && ca->conf.rows[i].state == CA_ACTIVE)
            ca->conf.rows[i].state = CA_OLD;
    ca->conf.rows[at].state = CA_ACTIVE;
}

/* The names that every certificate of this CA has, taken from any of them. */
static struct cert_dn dn_of(const struct ca *ca)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->at[i].cert && !ca_is_offline(ca, &ca->at[i]))
            return cert_info(ca->at[i].cert)->dn;
    return cert_info(ca_root(ca))->dn;
}

static bool roll(struct ca *ca, const struct ca_rollover_spec *spec, bool waits,
                 struct ps_err *err)
{
    const struct cert_dn dn = dn_of(ca);

    if (!make_next(ca, spec, &dn, waits, err))
        return false;
    if (spec->at_once && !waits)
        let_sign(ca, ca->conf.len - 1);
    return true;
}

bool ca_rollover(struct ca *ca, const struct ca_rollover_spec *spec, char **name,
                 struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };
    bool waits = false;

    if (!ca_lock(ca, &turn, err) || !is_free(ca, spec->who, err)
        || !check_root(ca, spec->who, &waits, err))
        return false;
    if (!roll(ca, spec, waits, err)) {
        ca_forget(ca);
        return false;
    }
    const char *made = ca->conf.rows[ca->conf.len - 1].name;
    if (!ca_change_begin(ca, &change, err)) {
        ca_forget(ca);
        return false;
    }
    if (!store_note(ca->store, "rollover", made, spec->at_once ? "active at once" : "", err)
        || !ca_change_commit(&change, err))
        return false;
    *name = ps_strdup(ca->conf.rows[ca->conf.len - 1].name);
    return true;
}

/* ---- from state to state ---- */

static bool find(const struct ca *ca, const char *name, size_t *at, struct ps_err *err)
{
    struct ca_authority found;

    if (!ca_authority_find(ca, name, &found, err))
        return false;
    *at = (size_t)(ca_by_name(ca, name) - ca->at);
    return true;
}

bool ca_activate(struct ca *ca, const char *name, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };
    size_t at = 0;

    if (!ca_lock(ca, &turn, err) || !find(ca, name, &at, err))
        return false;
    if (ca->conf.rows[at].state != CA_NEXT) {
        ps_fail(err, PS_E_VALUE, _("\"%s\" of the CA is not one that comes next"), name);
        ps_detail(err, _("Its state is \"%s\"."), ca_state_name(ca->conf.rows[at].state));
        return ca->conf.rows[at].state == CA_WAITING ? ps_hint(err, _("Bring its certificate.")) : false;
    }
    if (!ca_may_sign(ca, &ca->at[at], err) && err->code != PS_E_NOT_FOUND)
        return false;       /* (the key of a root may be offline) */
    ps_err_clear(err);
    if (!ca_change_begin(ca, &change, err) || !store_note(ca->store, "activate", name, "", err))
        return false;
    let_sign(ca, at);
    return ca_change_commit(&change, err);
}

static bool count_valid(struct ca *ca, const char *issuer, const char *kind, int64_t *out,
                        struct ps_err *err)
{
    const struct store_filter filter = { .issuer = issuer, .kind = kind, .state = STORE_VALID };

    return store_count(ca->store, &filter, out, err);
}

/* Those that were made for proofs hang on nothing; those on hold may come back. */
static bool leaves_of(struct ca *ca, const char *issuer, int64_t *out, struct ps_err *err)
{
    const struct store_filter on_hold = { .issuer = issuer, .state = STORE_HELD };
    int64_t all = 0, proofs = 0, held = 0;

    if (!count_valid(ca, issuer, NULL, &all, err) || !count_valid(ca, issuer, "proof", &proofs, err)
        || !store_count(ca->store, &on_hold, &held, err))
        return false;
    *out = all - proofs + held;
    return true;
}

/* Its intermediates here, and those that it signed for others. */
static bool intermediates_of(struct ca *ca, const struct authority *root, int64_t *out,
                             struct ps_err *err)
{
    const char *issuer = cert_info(root->cert)->subject;
    int64_t servers = 0, clients = 0;

    if (!count_valid(ca, issuer, "signed-server-ca", &servers, err)
        || !count_valid(ca, issuer, "signed-client-ca", &clients, err))
        return false;
    *out = servers + clients;
    for (size_t i = 0; i < ca->conf.len; i++)
        *out += ca_in_use(&ca->at[i]) && strcmp(ca->conf.rows[i].parent, root->row->name) == 0;
    return true;
}

static bool count_dependents(struct ca *ca, const struct authority *authority, int64_t *out,
                             struct ps_err *err)
{
    *out = 0;
    if (!authority->cert || (authority->row->who != CA_ROOT && authority->row->state == CA_NEXT))
        return true;        /* it has never signed a leaf */
    return authority->row->who == CA_ROOT
        ? intermediates_of(ca, authority, out, err)
        : leaves_of(ca, cert_info(authority->cert)->subject, out, err);
}

bool ca_dependents(struct ca *ca, const char *name, int64_t *count, struct ps_err *err)
{
    size_t at = 0;

    return find(ca, name, &at, err) && count_dependents(ca, &ca->at[at], count, err);
}

static const char *const kinds[] = {        /* of what hangs on it, as an option */
    [CA_ROOT] = "", [CA_SERVER] = " --kind server", [CA_CLIENT] = " --kind client",
};

bool ca_retire(struct ca *ca, const char *name, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };
    int64_t count = 0;
    size_t at = 0;

    /* counted inside of the change: what is issued meanwhile is either counted or refused */
    if (!ca_lock(ca, &turn, err) || !find(ca, name, &at, err) || !ca_change_begin(ca, &change, err)
        || !count_dependents(ca, &ca->at[at], &count, err))
        return false;
    if (ca->conf.rows[at].state == CA_ACTIVE) {
        ps_fail(err, PS_E_UNSAFE, _("\"%s\" of the CA is the one that signs"), name);
        return ps_hint(err, _("Let its successor sign first."));
    }
    if (count > 0) {
        ps_fail(err, PS_E_UNSAFE, _("certificates still depend on \"%s\" of the CA"), name);
        ps_detail(err, ngettext("%lld is neither expired nor revoked.",
                                "%lld are neither expired nor revoked.", (unsigned long)count),
                  (long long)count);
        return ps_hint(err, _("Renew them under its successor, or revoke them; \"pgseal ca list "
                              "--authority %s%s --state valid\" names them."), name,
                       kinds[ca->conf.rows[at].who]);
    }
    if (!store_note(ca->store, "retire", name, "", err))
        return false;
    ca->conf.rows[at].state = CA_RETIRED;
    return ca_change_commit(&change, err);
}
