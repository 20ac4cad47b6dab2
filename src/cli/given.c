/* given.c - see given.h. */
#include "cli/given.h"

#include "base/file.h"
#include "tls/roots.h"

static bool read_trust(const char *file, struct cert_list *trust, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(FILE_CONF_MAX);

    if (strcmp(file, "system") == 0)
        file = roots_of_system();
    if (!file) {
        ps_fail(err, PS_E_NOT_FOUND, _("this system has no file of roots that it trusts"));
        return ps_hint(err, _("Install the package ca-certificates, or give the roots with --trust FILE."));
    }
    return file_read(file, FILE_CONF_MAX, &text, err)
        && cert_list_from_pem(buf_text(&text), text.len, file, trust, err);
}

static bool read_given(const char *trust_file, const char *crl_file, struct cert_list *trust,
                       struct crl_list *crls, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(FILE_CONF_MAX);

    if (trust_file && !read_trust(trust_file, trust, err))
        return false;
    return !crl_file || (file_read(crl_file, FILE_CONF_MAX, &text, err)
                         && crl_list_from_pem(buf_text(&text), text.len, crl_file, crls, err));
}

bool given_read(const char *trust_file, const char *crl_file, struct cert_list *trust,
                struct crl_list *crls, struct ps_err *err)
{
    if (read_given(trust_file, crl_file, trust, crls, err))
        return true;
    if (err->code == PS_E_CERT)         /* nothing is refused: there was nothing to look with */
        err->code = PS_E_SYNTAX;
    return false;
}
