/* revoke.c - certificates taken back, for good or on hold: one, those of a role, an intermediate. */
#include "ca/internal.h"

#include "base/clock.h"
#include "base/log.h"

static bool signed_here(const struct ca *ca, const struct cert *cert)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who != CA_ROOT && ca->at[i].cert
            && cert_issued_by(cert, ca->at[i].cert))
            return true;
    return false;
}

bool ca_record_lost(struct ca *ca, const struct cert *cert, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);
    const struct store_filter filter = { .issuer = info->issuer, .serial_hex = info->serial_hex };
    int64_t known = 0;

    if (!store_count(ca->store, &filter, &known, err))
        return false;
    if (known > 0)
        return true;
    if (info->is_ca || !signed_here(ca, cert)) {
        ps_fail(err, PS_E_NOT_FOUND, _("certificate %s was not issued by this CA"), info->serial_hex);
        return ps_detail(err, _("Its issuer is \"%s\"."), info->issuer);
    }
    log_warn(_("certificate %s is signed by the CA and was not in its ledger; it is recorded now"),
             info->serial_hex);
    return ca_record(ca, cert, info->uses & CERT_USE_SERVER ? "server" : "client", info->dns, err)
        && store_note(ca->store, "found", info->issuer, info->serial_hex, err);
}

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

bool ca_release(struct ca *ca, const struct cert *cert, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);
    const struct store_filter filter = { .issuer = info->issuer, .serial_hex = info->serial_hex };
    int64_t released = 0;

    if (!store_release_all(ca->store, &filter, clock_now(), &released, err))
        return false;
    if (released > 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("certificate %s is not on hold"), info->serial_hex);
    return ps_hint(err, _("Only a revocation with the reason certificateHold can be taken back."));
}

bool ca_release_role(struct ca *ca, const char *role, size_t *count, struct ps_err *err)
{
    const struct store_filter filter = { .kind = "client", .common_name = role };
    int64_t released = 0;

    if (!store_release_all(ca->store, &filter, clock_now(), &released, err))
        return false;
    *count = (size_t)released;
    return true;
}

bool ca_revoke_authority(struct ca *ca, const char *name, int reason, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ca_change_free) struct ca_change change = { 0 };
    struct ca_authority found;

    if (!ca_lock(ca, &turn, err) || !ca_authority_find(ca, name, &found, err))
        return false;
    if (found.who == CA_ROOT) {
        ps_fail(err, PS_E_VALUE, _("a root cannot be revoked"));
        return ps_hint(err, _("Take it out of every trusted file: pgseal ca rollover, then pgseal "
                              "ca retire."));
    }
    if (reason == STORE_HOLD)
        return ps_fail(err, PS_E_VALUE, _("an authority cannot be put on hold"));
    if (!found.cert)
        return ps_fail(err, PS_E_NOT_FOUND, _("\"%s\" of the CA waits for its certificate"), name);
    if (!ca_change_begin(ca, &change, err) || !ca_revoke(ca, found.cert, reason, err))
        return false;

    struct ca_conf_row *row = ca_by_name(ca, name)->row;
    row->revoked = true;
    row->state = CA_RETIRED;
    return ca_change_commit(&change, err);
}

bool ca_is_revoked(struct ca *ca, const struct cert *cert, bool *out, struct ps_err *err)
{
    static const enum store_state states[] = { STORE_REVOKED, STORE_HELD };
    struct store_filter filter = { .issuer = cert_info(cert)->issuer,
                                   .serial_hex = cert_info(cert)->serial_hex };
    int64_t found = 0;

    for (size_t i = 0; i < PS_COUNT(states) && found == 0; i++) {
        filter.state = states[i];
        if (!store_count(ca->store, &filter, &found, err))
            return false;
    }
    *out = found > 0;
    return true;
}
