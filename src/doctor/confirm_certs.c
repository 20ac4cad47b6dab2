/* confirm_certs.c - the server's own certificate and key; see confirm.h. */
#include "doctor/confirm_internal.h"

#include "base/clock.h"
#include "tls/name.h"

static const struct tls_file *own_cert(struct doctor_look *look)
{
    const struct tls_file *file = look_file(look, FILE_CERT);

    return file && file->certs.len > 0 ? file : NULL;
}

void look_cert_file(struct doctor_look *look)
{
    if (own_cert(look))
        look_say(look, LOOK_RULED_OUT, _("\"%s\" can be read and holds a certificate now."),
                 posture_file(look->posture, FILE_CERT)->path);
}

static void format_day(time_t when, char out[16])
{
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

void look_cert_dates(struct doctor_look *look)
{
    const struct tls_file *file = own_cert(look);
    char day[16];

    if (!file)
        return;
    for (size_t i = 0; i < file->certs.len; i++) {
        const struct cert_info *info = cert_info(file->certs.at[i]);

        if (info->not_after < look->posture->now) {
            format_day(info->not_after, day);
            look_say(look, LOOK_CONFIRMED, _("\"%s\" in \"%s\" expired on %s."), info->subject, file->path,
                     day);
            return;
        }
        if (info->not_before > look->posture->now) {
            format_day(info->not_before, day);
            look_say(look, LOOK_CONFIRMED, _("\"%s\" in \"%s\" is valid from %s on."), info->subject,
                     file->path, day);
            return;
        }
    }
    format_day(cert_info(file->certs.at[0])->not_after, day);
    look_say(look, LOOK_RULED_OUT, _("What is in \"%s\" is valid, until %s."), file->path, day);
}

static bool is_weak(const struct cert_info *info)
{
    return strncmp(info->key_text, "RSA", 3) == 0 ? info->key_bits < 2048
           : strcasestr(info->signature_text, "sha1") || strcasestr(info->signature_text, "md5");
}

void look_cert_weak(struct doctor_look *look)
{
    const struct tls_file *file = own_cert(look);

    if (!file)
        return;
    for (size_t i = 0; i < file->certs.len; i++) {
        const struct cert_info *info = cert_info(file->certs.at[i]);

        if (is_weak(info) || info->not_before > look->posture->now
            || (i == 0 && info->uses && !(info->uses & CERT_USE_SERVER))) {
            look_say(look, LOOK_CONFIRMED, _("\"%s\" in \"%s\": %s, %s."), info->subject, file->path,
                     info->key_text, info->signature_text);
            return;
        }
    }
    look_say(look, LOOK_RULED_OUT, _("The certificate in \"%s\" has a key %s and the signature %s."),
             file->path, cert_info(file->certs.at[0])->key_text,
             cert_info(file->certs.at[0])->signature_text);
}

void look_cert_use(struct doctor_look *look)
{
    const struct tls_file *file = own_cert(look);
    const struct cert_info *info;

    if (!file)
        return;
    info = cert_info(file->certs.at[0]);
    if (info->uses && !(info->uses & CERT_USE_SERVER))
        look_say(look, LOOK_CONFIRMED, _("\"%s\" in \"%s\" has no serverAuth."), info->subject, file->path);
    else
        look_say(look, LOOK_RULED_OUT, _("\"%s\" in \"%s\" is for servers."), info->subject, file->path);
}

/* The last certificate of the chain that the file sends. */
static const struct cert *chain_top(const struct cert_list *list)
{
    size_t i = 0;

    while (i + 1 < list->len && cert_issued_by(list->at[i], list->at[i + 1]))
        i++;
    return list->at[i];
}

static const struct cert_info *issuer_in(const struct tls_file *file, const struct cert *cert)
{
    for (size_t i = 0; file && i < file->certs.len; i++)
        if (cert_issued_by(cert, file->certs.at[i]))
            return cert_info(file->certs.at[i]);
    return NULL;
}

void look_chain(struct doctor_look *look)
{
    const struct tls_file *file = own_cert(look);
    const struct cert *top = file ? chain_top(&file->certs) : NULL;
    const struct cert_info *info = top ? cert_info(top) : NULL, *issuer;

    if (!info)
        return;
    if (info->self_issued) {
        look_say(look, LOOK_RULED_OUT, _("The chain in \"%s\" is complete, up to \"%s\"."), file->path,
                 info->subject);
        return;
    }
    issuer = issuer_in(posture_file(look->posture, FILE_CA), top);
    if (issuer && issuer->self_issued)
        look_say(look, LOOK_RULED_OUT, _("The chain in \"%s\" ends at the root \"%s\", which the client must "
                                         "have."), file->path, issuer->subject);
    else if (issuer)
        look_say(look, LOOK_CONFIRMED, _("\"%s\" was issued by \"%s\", an intermediate that is not in "
                                         "\"%s\"."), info->subject, issuer->subject, file->path);
    else
        look_say(look, LOOK_UNDECIDED, _("The chain in \"%s\" ends in a certificate that \"%s\" issued: the "
                                         "client must have just that one as a root."), file->path,
                 info->issuer);
}

static void put_names(const struct cert_info *info, char *out, size_t size)
{
    size_t len = 0;
    const char *const *const lists[] = { info->dns, info->ip };

    out[0] = '\0';
    for (size_t i = 0; i < PS_COUNT(lists); i++)
        for (const char *const *name = lists[i]; name && *name && len < size; name++)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", *name);
}

void look_names(struct doctor_look *look)
{
    const struct tls_file *file = own_cert(look);
    char host[256], names[512];

    if (!file)
        return;
    put_names(cert_info(file->certs.at[0]), names, sizeof(names));
    if (!names[0])
        look_say(look, LOOK_CONFIRMED, _("The certificate in \"%s\" has no SAN; its CN is \"%s\"."),
                 file->path, cert_info(file->certs.at[0])->common_name);
    else if (!look_said(look, WHAT_HOST, host, sizeof(host)))
        look_say(look, LOOK_UNDECIDED, _("The certificate in \"%s\" is for: %s."), file->path, names);
    else if (cert_speaks_for(file->certs.at[0], host))
        look_say(look, LOOK_RULED_OUT, _("The certificate in \"%s\" is for \"%s\", too: %s. Was the server "
                                         "reloaded, or does another one answer?"), file->path, host, names);
    else
        look_say(look, LOOK_CONFIRMED, _("The certificate in \"%s\" is for: %s. The client asked for "
                                         "\"%s\"."), file->path, names, host);
}

/* ---- the key ---- */

void look_key_file(struct doctor_look *look)
{
    const struct tls_file *file = look_file(look, FILE_KEY);

    if (file && file->key_text)
        look_say(look, LOOK_RULED_OUT, _("\"%s\" can be read and holds a key, %s, now."), file->path,
                 file->key_text);
}

void look_pair(struct doctor_look *look)
{
    const struct tls_file *key = look_file(look, FILE_KEY);
    const struct tls_file *cert = posture_file(look->posture, FILE_CERT);

    if (!key || !cert)
        return;
    if (key->fits == FACT_NO)
        look_say(look, LOOK_CONFIRMED, _("The key in \"%s\" is not that of the first certificate in \"%s\"."),
                 key->path, cert->path);
    else if (key->fits == FACT_YES)
        look_say(look, LOOK_RULED_OUT, _("The key in \"%s\" is that of the first certificate in \"%s\"."),
                 key->path, cert->path);
}

void look_key_mode(struct doctor_look *look)
{
    const struct tls_file *file = posture_file(look->posture, FILE_KEY);
    const struct server *server = look->posture->server;
    mode_t open;

    if (!file || !file->stat_known || !server)
        return;
    open = file->uid == 0 ? 0037 : 0077;        /* be-secure-common.c */
    if (file->uid != 0 && file->uid != server->owner.uid)
        look_say(look, LOOK_CONFIRMED, _("\"%s\" belongs to user number %u; the server runs as %s."),
                 file->path, (unsigned)file->uid, server->owner.name);
    else if (file->mode & open)
        look_say(look, LOOK_CONFIRMED, _("\"%s\" has mode %04o."), file->path,
                 (unsigned)(file->mode & 07777));
    else
        look_say(look, LOOK_RULED_OUT, _("Owner and mode (%04o) of \"%s\" are right now."),
                 (unsigned)(file->mode & 07777), file->path);
}

void look_key_encrypted(struct doctor_look *look)
{
    const struct tls_file *file = look_file(look, FILE_KEY);
    const char *command = posture_value(look->posture, "ssl_passphrase_command");

    if (!file)
        return;
    if (!file->encrypted)
        look_say(look, LOOK_RULED_OUT, _("The key in \"%s\" is not encrypted."), file->path);
    else if (command && !*command)
        look_say(look, LOOK_CONFIRMED, _("The key in \"%s\" is encrypted, and ssl_passphrase_command is "
                                         "empty."), file->path);
    else if (posture_on(look->posture, "ssl_passphrase_command_supports_reload") == FACT_NO)
        look_say(look, LOOK_CONFIRMED, _("The key in \"%s\" is encrypted, and "
                                         "ssl_passphrase_command_supports_reload is off."), file->path);
    else
        look_say(look, LOOK_UNDECIDED, _("The key in \"%s\" is encrypted; the command is: %s"), file->path,
                 command ? command : "?");
}
