/* posture.c - see posture.h. */
#include "facts/posture.h"

#include <stdlib.h>
#include <strings.h>

#include "pg/settings.h"

const char *const tls_file_settings[FILE_ROLES] = {
    [FILE_CERT] = "ssl_cert_file", [FILE_KEY] = "ssl_key_file", [FILE_CA] = "ssl_ca_file",
    [FILE_CRL] = "ssl_crl_file", [FILE_CRL_DIR] = "ssl_crl_dir", [FILE_DH] = "ssl_dh_params_file",
};

void posture_free(struct posture *posture)
{
    if (posture->release)
        posture->release(posture);
    server_freep(&posture->server);
    arena_free(posture->arena);
    free(posture);
}

const struct setting_fact *posture_setting(const struct posture *posture, const char *name)
{
    const char *called = pg_setting_name(name, posture->major);

    for (size_t i = 0; i < posture->settings_len; i++)
        if (strcasecmp(posture->settings[i].name, called) == 0)
            return &posture->settings[i];
    return NULL;
}

const char *posture_value(const struct posture *posture, const char *name)
{
    const struct setting_fact *fact = posture_setting(posture, name);

    return fact ? fact->value : NULL;
}

enum fact_bool posture_on(const struct posture *posture, const char *name)
{
    const char *value = posture_value(posture, name);
    bool on;

    if (!value || !conf_bool(value, &on))
        return FACT_UNKNOWN;
    return on ? FACT_YES : FACT_NO;
}

const struct tls_file *posture_file(const struct posture *posture, enum tls_file_role role)
{
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == role
            && strcmp(posture->files[i].setting, tls_file_settings[role]) == 0)
            return &posture->files[i];
    return NULL;
}

struct place posture_conf_place(const struct posture *posture, const struct conf_setting *set)
{
    for (size_t i = 0; i < posture->settings_len; i++)
        for (const struct setting_fact *at = &posture->settings[i]; at; at = at->loser)
            if (at->place.line == set->at.line && at->place.file
                && strcmp(at->place.file, set->at.file) == 0)
                return at->place;
    return (struct place){ .file = set->at.file, .line = set->at.line };
}

struct place posture_hba_place(const struct posture *posture, const struct hba_rule *rule,
                               size_t begin, size_t end)
{
    PS_AUTO(buf_free) struct buf text = BUF(HBA_MAX_BYTES);
    struct place place = { .file = rule->file, .line = rule->line };
    size_t line = 0;            /* where the physical line of `begin` starts */

    hba_rule_text(posture->hba, rule, &text);
    begin = begin > rule->begin ? begin - rule->begin : 0;
    end = end > rule->begin ? end - rule->begin : 0;
    for (const char *all = buf_text(&text), *p = all; (p = strchr(p, '\n')); ) {
        if ((size_t)(++p - all) > begin)
            break;
        line = (size_t)(p - all);
        place.line++;
    }

    const char *start = buf_text(&text) + line;
    size_t len = strcspn(start, "\r\n");
    place.text = arena_strndup(posture->arena, start, len);
    place.column = (unsigned)(begin - line) + 1;
    place.end_column = end > begin && end - line <= len ? (unsigned)(end - line) + 1 : 0;
    return place;
}
