/*
 * mend.h - cure findings whose cure is sure, as one transaction like secure's.
 *
 * Two kinds are cured: settings of TLS get the value that `secure` gives them, in pgseal.conf; lines of
 * pg_hba.conf are replaced by the line of the finding, where that takes nobody's way in but over
 * plaintext; what then falls to lines that nobody reached before is closed there too, and where less would
 * be asked for nothing is done (PS_E_UNSAFE).  Everything else is left to the person, and said.  The plan is shown and agreed to; any failure
 * takes everything back (PS_E_ROLLED_BACK), and the administrator's way in is tried like the others.
 */
#ifndef PS_SECURE_MEND_H
#define PS_SECURE_MEND_H

#include "facts/finding.h"
#include "secure/secure.h"

struct mend_spec {
    const char *data_dir;
    const char *bin_dir;            /* NULL: found */
    const char *target;             /* administrator's connection string; NULL: over the socket */
    enum profile profile;
    const struct findings *findings;
    bool dry_run;
    secure_ask_fn ask;              /* NULL: go on without asking */
    void *ask_arg;
};

/*
 * Do it.  Fills the section "mending" of `doc`: the plan, who would be cut off, what is left.  *changed: whether
 * anything was.  PS_E_UNSAFE when TLS is off (that is secure's), or when the administrator would be locked out.
 */
PS_MUST bool mend_run(const struct mend_spec *spec, struct doc *doc, bool *changed, struct ps_err *err);

/* How many of the findings that are cured are no longer there: rule by rule, for a mended line reads otherwise. */
size_t mend_gone(const struct findings *before, const struct findings *after);

/* Is the finding one of those that are cured?  For tests, and to say what is left. */
bool mend_can(const struct finding *finding);

#endif
