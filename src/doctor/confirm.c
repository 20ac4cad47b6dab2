/* confirm.c - see confirm.h. */
#include "doctor/confirm_internal.h"

static void (*const tests[TEST_COUNT])(struct doctor_look *look) = {
    [TEST_SSL_OFF] = look_ssl_off,
    [TEST_SERVER_CERT_DATES] = look_cert_dates,
    [TEST_SERVER_CERT_WEAK] = look_cert_weak,
    [TEST_SERVER_CERT_USE] = look_cert_use,
    [TEST_SERVER_CHAIN] = look_chain,
    [TEST_SERVER_NAMES] = look_names,
    [TEST_SERVER_CERT_FILE] = look_cert_file,
    [TEST_SERVER_PAIR] = look_pair,
    [TEST_KEY_MODE] = look_key_mode,
    [TEST_KEY_FILE] = look_key_file,
    [TEST_KEY_ENCRYPTED] = look_key_encrypted,
    [TEST_CA_FILE] = look_ca_file,
    [TEST_CRL_DATES] = look_crl_dates,
    [TEST_CRL_COMPLETE] = look_crl_complete,
    [TEST_CRL_FILE] = look_crl_file,
    [TEST_HBA_LINE] = look_hba_line,
    [TEST_HBA_WANTS_TLS] = look_hba_wants_tls,
    [TEST_HBA_NOWHERE] = look_hba_nowhere,
    [TEST_HBA_FILE] = look_hba_file,
    [TEST_PROTOCOLS] = look_protocols,
    [TEST_SETTING_KNOWN] = look_setting_known,
};

void look_say(struct doctor_look *look, enum doctor_verdict verdict, const char *fmt, ...)
{
    va_list args;

    look->verdict = verdict;
    va_start(args, fmt);
    vsnprintf(look->evidence, sizeof(look->evidence), fmt, args);
    va_end(args);
}

bool look_said(const struct doctor_look *look, enum doctor_what what, char *out, size_t size)
{
    const struct doctor_text *text = look->match ? &look->match->got[what] : NULL;

    if (!text || !text->p || text->len >= size)
        return false;
    memcpy(out, text->p, text->len);
    out[text->len] = '\0';
    return true;
}

const struct tls_file *look_file(struct doctor_look *look, enum tls_file_role role)
{
    const struct tls_file *file = posture_file(look->posture, role);
    const char *name = tls_file_settings[role];

    if (!file) {
        const char *value = posture_value(look->posture, name);

        if (value && !*value)
            look_say(look, LOOK_CONFIRMED, _("%s is empty."), name);
        return NULL;
    }
    if (file->missing)
        look_say(look, LOOK_CONFIRMED, _("%s is \"%s\", which does not exist."), name, file->path);
    else if (file->why)
        look_say(look, LOOK_UNDECIDED, _("\"%s\" was not examined: %s."), file->path, file->why);
    else if (file->fault)
        look_say(look, LOOK_CONFIRMED, _("\"%s\" cannot be used: %s."), file->path, file->fault);
    else
        return file;
    return NULL;
}

void doctor_confirm(enum doctor_test test, struct doctor_look *look)
{
    look->verdict = LOOK_UNDECIDED;
    look->evidence[0] = '\0';
    if (tests[test])
        tests[test](look);
}
