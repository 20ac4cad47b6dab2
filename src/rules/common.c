/* common.c - see common.h. */
#include "rules/common.h"

#include <strings.h>

#include "base/clock.h"
#include "pg/settings.h"
#include "rules/cure.h"
#include "tls/name.h"

bool rule_tls_on(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    enum fact_bool on = posture_on(posture, "ssl");

    if (on == FACT_UNKNOWN && posture->wire)    /* all that a stranger sees */
        on = posture->wire->tls;
    if (on == FACT_UNKNOWN)
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why
                                                 : _("whether TLS is on is not known"));
    return on == FACT_YES;
}

const struct setting_fact *rule_setting(const struct rule *rule, const struct posture *posture,
                                        const char *name, struct findings *out)
{
    const struct setting_fact *fact = posture_setting(posture, name);

    if (!fact && posture->source == POSTURE_SQL)
        rule_unseen(rule, out, arena_printf(out->arena, _("the setting %s is not shown to this role"), name));
    else if (!fact && posture->conf_why)
        rule_unseen(rule, out, posture->conf_why);
    else if (!fact)
        rule_unseen(rule, out, arena_printf(out->arena, _("the setting %s is not known"), name));
    return fact;
}

const char *rule_says(struct findings *out, const struct setting_fact *fact)
{
    return arena_printf(out->arena, "%s = '%s'", fact->name, fact->value);
}

/* ---- cures ---- */

static bool is_automatic(const struct place *place)
{
    static const char name[] = "postgresql.auto.conf";
    size_t len = strlen(place->file), name_len = sizeof(name) - 1;

    return len >= name_len && strcmp(place->file + len - name_len, name) == 0;
}

static const char *quoted(struct findings *out, const char *value)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    conf_quote(value, &text);
    return arena_strdup(out->arena, buf_text(&text));
}

void rule_cure_setting(const struct posture *posture, const struct setting_fact *fact, const char *value,
                       struct findings *out, struct finding *finding)
{
    const char *new_value = quoted(out, value);
    bool reload = pg_setting_reloads(fact->name, posture->major);

    if (strcmp(fact->origin, "command line") == 0) {
        finding->fix_kind = FIX_ADVICE;
        finding->fix = arena_printf(out->arena, _("Start the server without %s on its command line, or with "
                                                  "\"-c %s=%s\"."), fact->name, fact->name, value);
    } else if (fact->place.file && !is_automatic(&fact->place)) {
        finding->fix_kind = FIX_LINE;
        finding->fix = arena_printf(out->arena, "%s = %s", fact->name, new_value);
    } else {
        finding->fix_kind = FIX_SQL;
        finding->fix = arena_printf(out->arena, "ALTER SYSTEM SET %s = %s;%s", fact->name, new_value,
                                    reload ? " SELECT pg_reload_conf();" : "");
    }
}

const char *rule_data_dir(const struct posture *posture)
{
    const char *shown = posture->source == POSTURE_SQL ? posture_value(posture, "data_directory") : NULL;

    if (posture->source == POSTURE_DATA_DIR && posture->server)
        return posture->server->data_dir;
    return shown && *shown ? shown : "DATADIR";
}

const char *rule_shell_word(struct findings *out, const char *path)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@%";

    if (*path && strspn(path, plain) == strlen(path))
        return path;
    buf_putc(&text, '\'');
    for (; *path; path++)
        if (*path == '\'')
            buf_puts(&text, "'\\''");
        else
            buf_putc(&text, *path);
    buf_putc(&text, '\'');
    return arena_strdup(out->arena, buf_text(&text));
}

void rule_cure_pgseal(const struct posture *posture, const char *command, struct findings *out,
                      struct finding *finding)
{
    finding->fix_kind = FIX_COMMAND;
    finding->fix = arena_printf(out->arena, "pgseal %s -D %s", command,
                                rule_shell_word(out, rule_data_dir(posture)));
}

bool rule_signs_itself(const struct cert *cert)
{
    return cert_info(cert)->self_issued && cert_issued_by(cert, cert);
}

/* A stranger chose the names: what is no host name is not for anybody's shell. */
static void put_hosts(struct buf *out, const char *const *names)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";

    for (; *names; names++)
        if (**names && **names != '-' && strspn(*names, plain) == strlen(*names))
            buf_printf(out, " --host %s", *names);
}

/* From outside: the names that it has, and the one by which it was asked for; --host names them all. */
static void put_names(const struct posture *posture, const struct cert *leaf, struct buf *out)
{
    const struct cert_info *info = cert_info(leaf);

    if (posture->source != POSTURE_NETWORK || !posture->wire) {
        buf_puts(out, " --host NAME");
        return;
    }
    put_hosts(out, info->dns);
    put_hosts(out, info->ip);
    if (!cert_speaks_for(leaf, posture->wire->host) || (!*info->dns && !*info->ip))
        put_hosts(out, (const char *const[]){ posture->wire->host, NULL });
}

void rule_cure_tls(const struct posture *posture, struct findings *out, struct finding *finding)
{
    PS_AUTO(buf_free) struct buf command = BUF(BUF_TEXT_MAX);

    buf_puts(&command, "secure --ca CADIR");
    if (posture->source == POSTURE_NETWORK && posture->wire)
        put_hosts(&command, (const char *const[]){ posture->wire->host, NULL });
    rule_cure_pgseal(posture, buf_text(&command), out, finding);
}

void rule_cure_certificate(const struct posture *posture, const struct cert *leaf, struct findings *out,
                           struct finding *finding)
{
    PS_AUTO(buf_free) struct buf command = BUF(BUF_TEXT_MAX);

    if (cure_is_for_pooler(posture)) {
        cure_put(posture, CURE_CERTIFICATE, finding);
        return;
    }
    /* rotate renews what secure has made, which nobody can see from outside; who logs in is another matter */
    buf_puts(&command, posture->source == POSTURE_NETWORK ? "secure --no-enforce --ca CADIR"
                       : rule_signs_itself(leaf) ? "secure --ca CADIR" : "rotate --ca CADIR");
    put_names(posture, leaf, &command);
    rule_cure_pgseal(posture, buf_text(&command), out, finding);
}

const char *rule_date(struct findings *out, time_t when)
{
    char text[CLOCK_TEXT];

    return arena_strdup(out->arena, clock_rfc3339(when, text));
}

struct place rule_file_place(const struct tls_file *file)
{
    return (struct place){ .file = file->path };
}

/* ---- certificates ---- */

static const char *why_no_chain(const struct posture *posture, struct findings *out)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->role == FILE_CERT && (file->why || file->fault))
            return file->why ? file->why : file->fault;
        if (file->role == FILE_CERT && file->missing)
            return arena_printf(out->arena, _("the certificate file \"%s\" does not exist"), file->path);
    }
    return posture->conf_why ? posture->conf_why : _("the server's certificate was not seen");
}

size_t rule_chains(const struct rule *rule, const struct posture *posture, struct findings *out,
                   struct rule_chain chains[RULE_CHAINS_MAX])
{
    const struct wire_fact *wire = posture->wire;
    size_t len = 0;

    if (posture->hosts_why)
        rule_unseen(rule, out, posture->hosts_why);

    for (size_t i = 0; i < posture->files_len && len < RULE_CHAINS_MAX; i++)
        if (posture->files[i].role == FILE_CERT && posture->files[i].certs.len > 0)
            chains[len++] = (struct rule_chain){ &posture->files[i].certs,
                                                 rule_file_place(&posture->files[i]),
                                                 posture->files[i].path };
    if (len == 0 && wire && wire->served.len > 0)
        chains[len++] = (struct rule_chain){
            .certs = &wire->served,
            .where = arena_printf(out->arena, "%s:%d", wire->host ? wire->host : "", wire->port) };
    if (len == 0)
        rule_unseen(rule, out, why_no_chain(posture, out));
    return len;
}

enum fact_bool rule_wants_client_certs(const struct posture *posture)
{
    if (!posture->hba)
        return FACT_UNKNOWN;
    for (size_t i = 0; i < hba_rules(posture->hba); i++)
        if (hba_clientcert(posture->hba, hba_rule(posture->hba, i)) != HBA_CERT_NONE)
            return FACT_YES;
    return FACT_NO;
}

int rule_protocol(const char *name)
{
    static const char *const names[] = { "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3" };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return 10 + (int)i;
    return strcasecmp(name, "TLSv1.0") == 0 ? 10 : strncasecmp(name, "SSL", 3) == 0 ? 1 : 0;
}
