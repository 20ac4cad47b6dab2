/* forecast.c - see forecast.h. */
#include "rules/forecast.h"

static const struct {
    const char *id;
    enum forecast_reload reload;
    enum forecast_restart restart;
    bool loaded_only;           /* only about a file that the server loads: not a copy, not a folder */
} effects[] = {
    { "conf-syntax",              RELOAD_NOTHING, RESTART_FAILS,    false },
    { "setting-unknown",          RELOAD_NOTHING, RESTART_FAILS,    false },
    { "setting-invalid",          RELOAD_PART,    RESTART_FAILS,    false },
    { "hba-syntax",               RELOAD_PART,    RESTART_FAILS,    false },
    { "ident-syntax",             RELOAD_PART,    RESTART_UNHINDERED, false },
    { "hosts-syntax",             RELOAD_PART,    RESTART_FAILS,    false },
    { "cipher-list-invalid",      RELOAD_PART,    RESTART_FAILS,    false },
    { "key-mismatch",             RELOAD_PART,    RESTART_FAILS,    true },
    { "key-perms",                RELOAD_PART,    RESTART_FAILS,    true },
    { "file-missing",             RELOAD_PART,    RESTART_FAILS,    true },
    { "key-encrypted-no-command", RELOAD_PART,    RESTART_FAILS,    true },
    { "passphrase-no-reload",     RELOAD_PART,    RESTART_UNHINDERED, false },
};

static const char *const deciding[] = { "conf-syntax", "hba-syntax", "file-missing", "key-mismatch",
                                        "key-perms" };

/* A folder ssl_crl_dir is not looked at before a client comes with a certificate. */
static bool is_loaded(const struct posture *posture, const char *path)
{
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].path && strcmp(posture->files[i].path, path) == 0
            && posture->files[i].role != FILE_CRL_DIR)
            return true;
    return false;
}

static void weigh(const struct posture *posture, const struct finding *finding,
                  struct forecast *out)
{
    for (size_t i = 0; i < PS_COUNT(effects); i++) {
        if (strcmp(effects[i].id, finding->id) != 0
            || (effects[i].loaded_only && !is_loaded(posture, finding->object)))
            continue;
        if (effects[i].reload > out->reload) {
            out->reload = effects[i].reload;
            out->reload_by = effects[i].id;
        }
        if (effects[i].restart > out->restart) {
            out->restart = effects[i].restart;
            out->restart_by = effects[i].id;
        }
    }
}

/* TLS files count only with TLS on. */
static bool saw_all(const struct posture *posture, const struct findings *findings)
{
    bool tls = posture_on(posture, "ssl") != FACT_NO;

    for (size_t i = 0; i < findings->unexamined_len; i++)
        for (size_t k = 0; k < PS_COUNT(deciding); k++)
            if (strcmp(findings->unexamined[i].id, deciding[k]) == 0 && (tls || k < 2))
                return false;
    return true;
}

void forecast_of(const struct posture *posture, const struct findings *findings,
                 struct forecast *out)
{
    *out = (struct forecast){ 0 };
    for (size_t i = 0; i < findings->len; i++)
        weigh(posture, &findings->at[i], out);
    if (saw_all(posture, findings))
        return;
    if (out->reload == RELOAD_WHOLE)
        out->reload = RELOAD_UNKNOWN;
    if (out->restart == RESTART_UNHINDERED)
        out->restart = RESTART_UNKNOWN;
}
