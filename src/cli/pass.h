/*
 * pass.h - the passphrase of a CA's keys: from a descriptor that the user names, or asked for.
 */
#ifndef PS_CLI_PASS_H
#define PS_CLI_PASS_H

#include "tls/secret.h"

struct cli_pass {
    int fd;                     /* --passphrase-fd; -1: ask on the terminal */
    struct secret secret;       /* what the descriptor gave: it serves every key */
};

void cli_pass_free(struct cli_pass *pass);      /* for PS_AUTO; wipes */

/* A ca_pass_fn; `arg` is a struct cli_pass. */
PS_MUST bool cli_pass_get(void *arg, const char *key_path, struct secret *out,
                          struct ps_err *err);

#endif
