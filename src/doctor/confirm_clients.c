/* confirm_clients.c - what the server checks the certificates of clients with; see confirm.h. */
#include "doctor/confirm_internal.h"

enum { NAME_MAX_BYTES = 512 };

/*
 * The server's log has names as X509_NAME_to_cstring() of be-secure-openssl.c writes them, /O=x/CN=y,
 * and cuts long ones in front; ours are RFC 2253, the other way round: CN=y,O=x.
 */
static void slash_form(const char *rfc2253, char *out, size_t size)
{
    const char *end = rfc2253 + strlen(rfc2253);
    size_t len = 0;

    out[0] = '\0';
    while (end > rfc2253 && len < size) {
        const char *begin = end;

        while (begin > rfc2253 && !(begin[-1] == ',' && (begin - 1 == rfc2253 || begin[-2] != '\\')))
            begin--;
        len += (size_t)snprintf(out + len, size - len, "/%.*s", (int)(end - begin), begin);
        end = begin > rfc2253 ? begin - 1 : rfc2253;
    }
}

static bool is_name(const char *rfc2253, const char *logged)
{
    char ours[NAME_MAX_BYTES];
    size_t cut = strncmp(logged, "...", 3) == 0 ? 3 : 0, ours_len, logged_len;

    slash_form(rfc2253, ours, sizeof(ours));
    ours_len = strlen(ours);
    logged_len = strlen(logged + cut);
    if (!cut)
        return strcmp(ours, logged) == 0;
    return logged_len <= ours_len && strcmp(ours + ours_len - logged_len, logged + cut) == 0;
}

static void put_subjects(const struct cert_list *list, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->len && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s\"%s\"", i ? ", " : "",
                                cert_info(list->at[i])->subject);
}

static bool has_subject(const struct cert_list *list, const char *logged)
{
    for (size_t i = 0; i < list->len; i++)
        if (is_name(cert_info(list->at[i])->subject, logged))
            return true;
    return false;
}

void look_ca_file(struct doctor_look *look)
{
    const struct tls_file *file = look_file(look, FILE_CA);
    char issuer[NAME_MAX_BYTES], subjects[NAME_MAX_BYTES];

    if (!file)
        return;
    put_subjects(&file->certs, subjects, sizeof(subjects));
    if (!look_said(look, WHAT_ISSUER, issuer, sizeof(issuer)))
        look_say(look, LOOK_UNDECIDED, _("\"%s\" has: %s."), file->path, subjects);
    else if (has_subject(&file->certs, issuer))
        look_say(look, LOOK_RULED_OUT, _("\"%s\" has \"%s\" now. Was the server reloaded since?"), file->path,
                 issuer);
    else
        look_say(look, LOOK_CONFIRMED, _("\"%s\" is not in \"%s\", which has: %s."), issuer, file->path,
                 subjects);
}

/* ---- CRLs ---- */

/* The file or folder of CRLs that is set; NULL, with evidence, when there is none to look into. */
static const struct tls_file *crl_file(struct doctor_look *look)
{
    const struct tls_file *file = posture_file(look->posture, FILE_CRL);
    enum tls_file_role role = file ? FILE_CRL : FILE_CRL_DIR;

    if (!file && !posture_file(look->posture, FILE_CRL_DIR)) {
        look_say(look, LOOK_RULED_OUT, _("Neither ssl_crl_file nor ssl_crl_dir is set."));
        return NULL;
    }
    return look_file(look, role);
}

void look_crl_file(struct doctor_look *look)
{
    const struct tls_file *file = crl_file(look);

    if (!file)
        return;
    if (file->crls.len == 0)
        look_say(look, LOOK_CONFIRMED, _("\"%s\" holds no CRL that the server would find."), file->path);
    else
        look_say(look, LOOK_RULED_OUT, ngettext("\"%s\" can be read and holds %zu CRL now.",
                                                "\"%s\" can be read and holds %zu CRLs now.",
                                                file->crls.len), file->path, file->crls.len);
}

void look_crl_dates(struct doctor_look *look)
{
    const struct tls_file *file = crl_file(look);

    if (!file)
        return;
    for (size_t i = 0; i < file->crls.len; i++) {
        const struct crl_info *info = crl_info(file->crls.at[i]);

        if (info->next_update && info->next_update < look->posture->now) {
            look_say(look, LOOK_CONFIRMED, _("The CRL of \"%s\" in \"%s\" has expired."), info->issuer,
                     file->path);
            return;
        }
    }
    if (file->crls.len > 0)
        look_say(look, LOOK_RULED_OUT, _("No CRL in \"%s\" has expired."), file->path);
}

static bool has_crl(const struct crl_list *crls, const struct cert *ca)
{
    for (size_t i = 0; i < crls->len; i++)
        if (crl_issued_by(crls->at[i], ca))
            return true;
    return false;
}

static bool has_crl_named(const struct crl_list *crls, const char *logged)
{
    for (size_t i = 0; i < crls->len; i++)
        if (is_name(crl_info(crls->at[i])->issuer, logged))
            return true;
    return false;
}

/* The issuer that the log names, or every CA of ssl_ca_file: which of them has no CRL here? */
void look_crl_complete(struct doctor_look *look)
{
    const struct tls_file *file = crl_file(look), *anchors = posture_file(look->posture, FILE_CA);
    char issuer[NAME_MAX_BYTES];

    if (!file)
        return;
    if (look_said(look, WHAT_ISSUER, issuer, sizeof(issuer)) && !has_crl_named(&file->crls, issuer)) {
        look_say(look, LOOK_CONFIRMED, _("\"%s\" has no CRL of \"%s\"."), file->path, issuer);
        return;
    }
    for (size_t i = 0; anchors && i < anchors->certs.len; i++)
        if (!has_crl(&file->crls, anchors->certs.at[i])) {
            look_say(look, LOOK_CONFIRMED, _("\"%s\" has no CRL of \"%s\"."), file->path,
                     cert_info(anchors->certs.at[i])->subject);
            return;
        }
    look_say(look, LOOK_RULED_OUT, _("\"%s\" has a CRL of every CA in ssl_ca_file; an intermediate that "
                                     "clients send needs one too."), file->path);
}
