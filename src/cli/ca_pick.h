/*
 * ca_pick.h - which certificate of the ledger is meant: --serial, --role, --host or --cert.
 */
#ifndef CLI_CA_PICK_H
#define CLI_CA_PICK_H

#include "ca/ca.h"
#include "cli/cli.h"
#include "store/store.h"

extern const struct poptOption ca_pick_options[];   /* to be included in the table of a verb */
#define CA_PICK_OPTIONS \
    { NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)ca_pick_options, 0, NULL, NULL }

struct ca_picked {
    struct cert *cert;
    char *kind;                     /* "client", "server", "root", ... */
    enum store_state state;
    time_t revoked_at;
    int reason;
};
void ca_picked_free(struct ca_picked *picked);      /* for PS_AUTO */

/* PS_E_USAGE unless exactly one of the options is given. */
PS_MUST bool ca_pick_check(struct ps_err *err);
const char *ca_pick_role(void);     /* of --role, or NULL */
const char *ca_pick_cert(void);     /* of --cert, likewise */

/*
 * The certificate; of a role or host the one that was issued last among those that are good, or
 * among all when none is.  PS_E_NOT_FOUND; PS_E_VALUE for a serial number that is none.
 */
PS_MUST bool ca_pick(struct ca *ca, struct ca_picked *out, struct ps_err *err);

/* The same, but one that is on hold goes before those that are good. */
PS_MUST bool ca_pick_held(struct ca *ca, struct ca_picked *out, struct ps_err *err);

/* For --cert: the first certificate of that file. */
PS_MUST bool ca_pick_read_file(const char *path, struct cert **out, struct ps_err *err);

const char *ca_state_word(enum store_state state);  /* "valid", for programs */
/* The verdict of a state as a field; people are told when it is a hold. */
void ca_state_field(struct doc_node *node, enum store_state state, int reason);
/* "keyCompromise", as RFC 5280 5.3.1 spells it; and back, PS_E_USAGE with the list. */
const char *ca_reason_word(int reason);
PS_MUST bool ca_reason_parse(const char *word, int *reason, struct ps_err *err);

#endif
