/* given.c - see given.h. */
#include "cli/given.h"

#include "base/file.h"

bool given_read(const char *trust_file, const char *crl_file, struct cert_list *trust,
                struct crl_list *crls, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(FILE_CONF_MAX);

    if (trust_file
        && (!file_read(trust_file, FILE_CONF_MAX, &text, err)
            || !cert_list_from_pem(buf_text(&text), text.len, trust_file, trust, err)))
        return false;
    return !crl_file || (file_read(crl_file, FILE_CONF_MAX, &text, err)
                         && crl_list_from_pem(buf_text(&text), text.len, crl_file, crls, err));
}
