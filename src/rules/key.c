/* key.c - rules about private keys, and files that are not as the server needs them (see tests.h). */
#include "pg/settings.h"
#include "rules/common.h"
#include "rules/tests.h"

/* ---- files ---- */

static const char *missing_message(const struct tls_file *file, struct findings *out)
{
    if (file->role == FILE_CRL_DIR)
        return arena_printf(out->arena, _("folder \"%s\" of ssl_crl_dir does not exist: every client certificate "
                                          "is refused"), file->path);
    return arena_printf(out->arena, _("file \"%s\" of %s does not exist"), file->path, file->setting);
}

static const char *fault_message(const struct tls_file *file, struct findings *out)
{
    return arena_printf(out->arena, _("the server cannot use \"%s\" of %s"), file->path, file->setting);
}

void rule_file_missing(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!rule_tls_on(rule, posture, out))
        return;
    if (posture->hosts_why)
        rule_unseen(rule, out, posture->hosts_why);
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->why)
            rule_unseen(rule, out, file->why);
        else if (file->missing || file->fault)
            rule_found(rule, out, (struct finding){
                .place = file->named, .object = file->path,
                .message = file->missing ? missing_message(file, out) : fault_message(file, out),
                .evidence = file->missing ? file->path : file->fault });
    }
}

/* ---- the server's own key ---- */

typedef void judge_key(const struct rule *rule, const struct posture *posture,
                       const struct tls_file *key, struct findings *out);

static void each_key(const struct rule *rule, const struct posture *posture, struct findings *out,
                     judge_key *judge)
{
    bool any = false;

    if (!rule_tls_on(rule, posture, out))
        return;
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_KEY) {
            judge(rule, posture, &posture->files[i], out);
            any = true;
        }
    if (!any)
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the private key was not seen"));
}

/* The certificate that is named together with the key. */
static const struct tls_file *cert_of(const struct posture *posture, const struct tls_file *key)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->role != FILE_CERT || strcmp(file->setting, "hosts_file") != 0
            || strcmp(key->setting, "hosts_file") != 0)
            continue;
        if (file->named.line == key->named.line && strcmp(file->named.file, key->named.file) == 0)
            return file;
    }
    return posture_file(posture, FILE_CERT);
}

static void judge_fit(const struct rule *rule, const struct posture *posture, const struct tls_file *key,
                      struct findings *out)
{
    const struct tls_file *cert = cert_of(posture, key);
    struct finding finding = {
        .place = key->named, .object = key->path,
        .message = arena_printf(out->arena, _("the key \"%s\" does not fit the first certificate of \"%s\""),
                                key->path, cert ? cert->path : "") };

    if (key->fits == FACT_YES)
        return;
    if (key->fits == FACT_UNKNOWN) {
        rule_unseen(rule, out, key->why ? key->why
                               : key->encrypted ? _("the key is encrypted")
                               : _("key or certificate could not be read"));
        return;
    }
    finding.evidence = arena_printf(out->arena, "%s; %s", key->key_text ? key->key_text : "?",
                                    cert && cert->certs.len
                                        ? cert_info(cert->certs.at[0])->key_text : "?");
    rule_cure_pgseal(posture, "rotate --ca CADIR", out, &finding);
    rule_found(rule, out, finding);
}

void rule_key_mismatch(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_key(rule, posture, out, judge_fit);
}

/* ---- owner and mode ---- */

/* check_ssl_key_file_permissions(): the server's 0600 or narrower, root's 0640. */
static const char *mode_fault(const struct tls_file *key, uid_t server, struct findings *out)
{
    if (key->uid != server && key->uid != 0)
        return arena_printf(out->arena, _("private key file \"%s\" belongs neither to the server's user nor to "
                                          "root"), key->path);
    if (key->mode & (key->uid == server ? 0077 : 0037))
        return arena_printf(out->arena, _("private key file \"%s\" is open to other users"), key->path);
    return NULL;
}

static void judge_mode(const struct rule *rule, const struct posture *posture, const struct tls_file *key,
                       struct findings *out)
{
    const char *fault;

    if (key->missing)
        return;                 /* of file-missing */
    if (!key->stat_known || !posture->server) {
        rule_unseen(rule, out, key->why ? key->why : _("owner and mode of the key were not seen"));
        return;
    }
    fault = mode_fault(key, posture->server->owner.uid, out);
    if (!fault)
        return;
    const char *path = rule_shell_word(out, key->path);
    rule_found(rule, out, (struct finding){
        .place = rule_file_place(key), .object = key->path, .message = fault,
        .evidence = arena_printf(out->arena, "uid %lu, %04o", (unsigned long)key->uid,
                                 (unsigned)key->mode),
        .fix_kind = FIX_COMMAND,
        .fix = key->uid == posture->server->owner.uid || key->uid == 0
            ? arena_printf(out->arena, "chmod %s %s", key->uid == 0 ? "0640" : "0600", path)
            : arena_printf(out->arena, "chown %lu %s && chmod 0600 %s",
                           (unsigned long)posture->server->owner.uid, path, path) });
}

static void judge_copies(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->strays_why)
        rule_unseen(rule, out, posture->strays_why);
    for (size_t i = 0; i < posture->strays_len; i++) {
        const struct stray_key *stray = &posture->strays[i];

        if (!stray->of_server)
            continue;
        rule_found(rule, out, (struct finding){
            .severity = stray->mode & 0077 ? SEV_CRITICAL : SEV_MEDIUM,
            .place = { .file = stray->path }, .object = stray->path,
            .message = arena_printf(out->arena, _("a copy of the server's private key lies at \"%s\""),
                                    stray->path),
            .evidence = arena_printf(out->arena, "uid %lu, %04o", (unsigned long)stray->uid,
                                     (unsigned)stray->mode),
            .fix_kind = FIX_COMMAND,
            .fix = arena_printf(out->arena, "shred -u %s", rule_shell_word(out, stray->path)) });
    }
}

void rule_key_perms(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_key(rule, posture, out, judge_mode);
    if (posture_on(posture, "ssl") == FACT_YES)
        judge_copies(rule, posture, out);
}

/* ---- passphrases ---- */

static bool has_command(const struct posture *posture)
{
    const char *command = posture_value(posture, "ssl_passphrase_command");

    return command && *command;
}

static void judge_passphrase(const struct rule *rule, const struct posture *posture,
                             const struct tls_file *key, struct findings *out)
{
    if (key->why) {
        rule_unseen(rule, out, key->why);
        return;
    }
    if (!key->encrypted || has_command(posture))
        return;
    rule_found(rule, out, (struct finding){
        .place = key->named, .object = key->path,
        .message = arena_printf(out->arena, _("the key \"%s\" is encrypted, and nothing gives the server its "
                                              "passphrase"), key->path),
        .evidence = "ENCRYPTED PRIVATE KEY", .fix_kind = FIX_ADVICE,
        .fix = posture->major >= 11
            ? _("Set ssl_passphrase_command and ssl_passphrase_command_supports_reload = on.")
            : _("This version has no ssl_passphrase_command: store the key without a passphrase, mode 0600.")
    });
}

void rule_key_encrypted_no_command(const struct rule *rule, const struct posture *posture,
                                   struct findings *out)
{
    each_key(rule, posture, out, judge_passphrase);
}

static void judge_reload(const struct rule *rule, const struct posture *posture,
                         const struct tls_file *key, struct findings *out)
{
    const char *name = "ssl_passphrase_command_supports_reload";
    const struct setting_fact *reload;

    if (key->why) {
        if (has_command(posture))
            rule_unseen(rule, out, key->why);
        return;
    }
    if (!key->encrypted || !has_command(posture))
        return;
    reload = rule_setting(rule, posture, name, out);
    if (!reload || posture_on(posture, name) != FACT_NO)
        return;
    const struct setting_fact *command = posture_setting(posture, "ssl_passphrase_command");
    struct finding finding = {
        .place = reload->place.file ? reload->place : command->place, .object = reload->name,
        .message = _("with this encrypted key no reload takes new certificates or revocation lists"),
        .evidence = rule_says(out, reload) };
    rule_cure_setting(posture, reload, "on", out, &finding);
    if (!reload->place.file && finding.fix_kind == FIX_LINE)
        finding.fix_kind = FIX_ADVICE;
    rule_found(rule, out, finding);
}

void rule_passphrase_no_reload(const struct rule *rule, const struct posture *posture,
                               struct findings *out)
{
    each_key(rule, posture, out, judge_reload);
}

/* ---- a CA's key ---- */

void rule_ca_key_on_server(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->strays_why)
        rule_unseen(rule, out, posture->strays_why);
    for (size_t i = 0; i < posture->strays_len; i++) {
        const struct stray_key *stray = &posture->strays[i];

        if (!stray->ca)
            continue;
        rule_found(rule, out, (struct finding){
            .place = { .file = stray->path }, .object = stray->ca,
            .message = arena_printf(out->arena, _("the private key of the CA \"%s\" lies on the server"),
                                    stray->ca),
            .evidence = arena_printf(out->arena, "%s, %04o", stray->path, (unsigned)stray->mode),
            .fix_kind = FIX_ADVICE,
            .fix = _("Move the key to where certificates are issued; remove it here and from the backups.") });
    }
}
