/*
 * ca_verb.h - what the verbs of `pgseal ca` share: their options, the CA they work on, and how a
 * certificate is shown.
 */
#ifndef CLI_CA_VERB_H
#define CLI_CA_VERB_H

#include "ca/ca.h"
#include "cli/cli.h"
#include "cli/pass.h"

extern const struct cli_cmd cmd_ca_init, cmd_ca_issue, cmd_ca_sign, cmd_ca_csr, cmd_ca_renew,
                            cmd_ca_rekey, cmd_ca_revoke, cmd_ca_release, cmd_ca_crl, cmd_ca_list, cmd_ca_show, cmd_ca_expiring,
                            cmd_ca_export, cmd_ca_import, cmd_ca_rollover, cmd_ca_activate,
                            cmd_ca_dependents, cmd_ca_retire;

extern const struct cli_cmd cmd_ca_verify, cmd_ca_log, cmd_ca_backup, cmd_ca_restore;

/* --ca and --passphrase-fd; to be included in the table of each verb. */
extern const struct poptOption ca_verb_options[];
#define CA_VERB_OPTIONS \
    { NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)ca_verb_options, 0, NULL, NULL }

/* The folder of --ca; PS_E_USAGE without it. */
PS_MUST bool ca_verb_dir(const char **dir, struct ps_err *err);
bool ca_verb_given(void);           /* is there a --ca? */
/* Open it; passphrases come from --passphrase-fd or the terminal. */
PS_MUST bool ca_verb_open(struct ca **out, struct ps_err *err);
/* The passphrase of a key that is to be made: from --passphrase-fd, or asked for twice. */
PS_MUST bool ca_verb_new_pass(const char *question, struct secret *out, struct ps_err *err);
bool ca_verb_has_pass_fd(void);

/* PS_E_USAGE naming the option when `value` is NULL. */
PS_MUST bool ca_verb_need(const char *value, const char *option, struct ps_err *err);
/* The type of a new key; NULL is ec:p256. */
PS_MUST bool ca_verb_key_type(const char *word, enum key_type *out, struct ps_err *err);

/* "server" or "client": who is to check; NULL is the server. */
PS_MUST bool ca_verb_side(const char *word, enum cert_use *out, struct ps_err *err);

/* The fields of a certificate into a section: subject, names, serial number, dates, fingerprint. */
void ca_verb_describe(const struct cert *cert, struct doc_node *section);
/* The same of a leaf that was just issued; its end is marked when its issuer cut it short. */
void ca_verb_describe_leaf(const struct ca_leaf *leaf, struct doc_node *section);

#endif
