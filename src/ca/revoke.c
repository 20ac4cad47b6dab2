/* revoke.c - certificates taken back: one, those of a role, a whole intermediate. */
#include "ca/internal.h"

#include "base/clock.h"

bool ca_revoke(struct ca *ca, const struct cert *cert, int reason, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);

    return store_revoke(ca->store, info->issuer, info->serial_hex, clock_now(), reason, err);
}

bool ca_revoke_role(struct ca *ca, const char *role, int reason, size_t *count,
                    struct ps_err *err)
{
    const struct store_filter filter = { .kind = "client", .common_name = role,
                                         .state = STORE_VALID };
    int64_t revoked = 0;

    if (!store_revoke_all(ca->store, &filter, clock_now(), reason, &revoked, err))
        return false;
    *count = (size_t)revoked;
    return true;
}

/* The ledger first: from then on it is revoked, whatever ca.conf says, and a second call goes on. */
bool ca_revoke_authority(struct ca *ca, const char *name, int reason, struct ps_err *err)
{
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;
    struct ca_authority found;

    if (!ca_lock(ca, &lock, err) || !ca_authority_find(ca, name, &found, err))
        return false;
    if (found.who == CA_ROOT) {
        ps_fail(err, PS_E_VALUE, _("a root cannot be revoked"));
        return ps_hint(err, _("Take it out of every trusted file: pgseal ca rollover, then pgseal "
                              "ca retire."));
    }
    if (!found.cert)
        return ps_fail(err, PS_E_NOT_FOUND, _("\"%s\" of the CA waits for its certificate"), name);
    if (!ca_revoke(ca, found.cert, reason, err))
        return false;

    struct ca_conf_row *row = &ca->conf.rows[ca_by_name(ca, name) - ca->at];
    row->revoked = true;
    row->state = CA_RETIRED;
    return ca_commit(ca, err);
}
