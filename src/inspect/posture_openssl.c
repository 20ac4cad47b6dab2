/* posture_openssl.c - OpenSSL's own configuration as facts (see maker.h). */
#include "inspect/maker.h"
#include "inspect/openssl_conf.h"

void maker_openssl(struct maker *maker, const char *path)
{
    const struct pg_source source = view_source(maker->view);
    struct posture *posture = maker->posture;
    struct openssl_command *commands;
    struct openssl_fact *facts;
    size_t len;
    struct ps_err err;

    if (!openssl_conf_read(&source, path, maker->arena, &commands, &len, &err)) {
        if (err.code != PS_E_NOT_FOUND)         /* without the file OpenSSL's own defaults hold */
            posture->openssl_conf_why = arena_strdup(maker->arena, err.message);
        return;
    }
    facts = arena_alloc(maker->arena, (len + 1) * sizeof(*facts));
    for (size_t i = 0; i < len; i++)
        facts[i] = (struct openssl_fact){
            commands[i].name, commands[i].value,
            view_place(maker->view, commands[i].file, commands[i].line, 0, 0) };
    posture->openssl_conf = facts;
    posture->openssl_conf_len = len;
}
