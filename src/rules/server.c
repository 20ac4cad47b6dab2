/* server.c - rules about settings of the server (see tests.h). */
#include "rules/tests.h"

void rule_tls_off(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct setting_fact *ssl = posture_setting(posture, "ssl");

    switch (posture_on(posture, "ssl")) {
    case FACT_UNKNOWN:
        rule_unseen(rule, out, _("the setting ssl is not known"));
        return;
    case FACT_YES:
        return;
    case FACT_NO:
        rule_found(rule, out, (struct finding){
            .place = ssl->place, .object = "ssl", .evidence = ssl->value,
            .message = _("TLS is switched off: every connection over the network is in plaintext"),
            .fix_kind = FIX_COMMAND, .fix = "pgseal secure -D DATADIR" });
    }
}
