/* pass.c - see pass.h. */
#include "cli/pass.h"

#include "base/mem.h"

void cli_pass_free(struct cli_pass *pass)
{
    secret_free(&pass->secret);
}

bool cli_pass_get(void *arg, const char *key_path, struct secret *out, struct ps_err *err)
{
    struct cli_pass *pass = arg;

    if (pass->fd < 0) {
        PS_AUTO(ps_freep) char *question = ps_asprintf(_("Passphrase of \"%s\": "), key_path);

        return secret_prompt(question, false, out, err);
    }
    if (!pass->secret.p && !secret_read_fd(pass->fd, &pass->secret, err))
        return false;
    secret_set(out, pass->secret.p, pass->secret.len);
    return true;
}
