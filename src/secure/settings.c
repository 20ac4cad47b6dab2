/* settings.c - see settings.h. */
#include "secure/settings.h"

#include <strings.h>

#include "base/mem.h"
#include "pg/settings.h"

/*
 * TLS 1.2 suites: AEAD with forward secrecy, for every driver that knows TLS 1.2 has one of them.  Normal:
 * finite-field DHE too, for what has no ECDHE with the server's kind of key.  TLS 1.3 has only good ones.
 */
static const struct {
    const char *name, *ciphers, *tls13_ciphers, *groups;
} profiles[] = {
    [PROFILE_NORMAL] = {
        "normal",
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!eNULL:!PSK:!SRP",
        "", "X25519:prime256v1:secp384r1",
    },
    [PROFILE_CRITICAL] = {
        "critical",
        "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!PSK:!SRP",
        "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
        "X25519:prime256v1:secp384r1",
    },
};

bool profile_parse(const char *word, enum profile *out, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(profiles); i++)
        if (strcmp(word, profiles[i].name) == 0) {
            *out = (enum profile)i;
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("unknown profile \"%s\""), word);
    return ps_hint(err, _("Profiles are critical and normal."));
}

const char *profile_name(enum profile profile)
{
    return profiles[profile].name;
}

bool tls_protocol_parse(const char *word, const char **out, struct ps_err *err)
{
    static const char *const known[] = { "TLSv1.2", "TLSv1.3" };

    for (size_t i = 0; i < PS_COUNT(known); i++)
        if (strcasecmp(word, known[i]) == 0 || strcmp(word, known[i] + strlen("TLSv")) == 0) {
            *out = known[i];
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("cannot use protocol \"%s\""), word);
    return ps_hint(err, _("Protocols are 1.2 and 1.3; older ones are broken (RFC 8996)."));
}

/* An include is looked up beside the name of the file that has it, even when that name is a link. */
char *settings_file(const struct server *server)
{
    PS_AUTO(ps_freep) char *dir = path_dir(server->config_file);

    return path_join(dir, "pgseal.conf");
}

/* ---- what it sets ---- */

size_t settings_list(const struct tls_settings *settings, unsigned major,
                     struct setting_pair out[SETTINGS_MAX])
{
    const struct setting_pair all[] = {
        { "ssl", "on", N_("TLS on, with certificate, key and chain") },
        { "ssl_cert_file", settings->cert_file, NULL },
        { "ssl_key_file", settings->key_file, NULL },
        { "ssl_min_protocol_version", settings->min_protocol, N_("protocol versions") },
        { "ssl_max_protocol_version", settings->max_protocol ? settings->max_protocol : "", NULL },
        { "ssl_ciphers", profiles[settings->profile].ciphers,
          N_("cipher suites of TLS 1.2, and key exchange") },
        { "ssl_prefer_server_ciphers", "on", NULL },
        { "ssl_tls13_ciphers", profiles[settings->profile].tls13_ciphers, NULL },
        { "ssl_groups", profiles[settings->profile].groups, NULL },
        { "ssl_ca_file", settings->ca_file, N_("the CA of the client certificates") },
        { "ssl_crl_file", settings->crl_file, N_("revoked client certificates") },
    };
    size_t len = 0;

    for (size_t i = 0; i < PS_COUNT(all); i++)
        if (all[i].value && pg_setting_known(all[i].name, major))
            out[len++] = all[i];
    return len;
}

static void put_header(struct buf *out)
{
    buf_puts(out, "# TLS settings of this server, written by pgseal; included by postgresql.conf.\n"
                  "# \"pgseal secure\" writes this file anew; \"pgseal rollback\" takes it back.\n");
}

void settings_write(const struct tls_settings *settings, const struct server *server,
                    struct buf *out)
{
    struct setting_pair pairs[SETTINGS_MAX];
    size_t len = settings_list(settings, server->major, pairs);

    put_header(out);
    for (size_t i = 0; i < len; i++) {
        if (pairs[i].why)
            buf_printf(out, "\n# %s\n", pairs[i].why);
        buf_printf(out, "%s = ", pairs[i].name);
        conf_quote(pairs[i].value, out);
        buf_putc(out, '\n');
    }
}

/* ---- the include line ---- */

static const char include_line[] = "include_if_exists = 'pgseal.conf'";

static bool is_our_include(const struct conf_line *line)
{
    return (line->kind == CONF_INCLUDE || line->kind == CONF_INCLUDE_IF_EXISTS)
        && strcmp(line->value, "pgseal.conf") == 0;
}

/* Settings and includes behind ours could win over it. */
static bool is_last(const struct conf_file *file, size_t i)
{
    for (size_t k = i + 1; k < conf_file_lines(file); k++)
        if (conf_file_line(file, k)->kind != CONF_BLANK)
            return false;
    return true;
}

/* Exactly one include, as the last line that says anything. */
static void place_include(struct conf_file *file)
{
    bool placed = false;

    for (size_t i = conf_file_lines(file); i-- > 0; ) {
        if (!is_our_include(conf_file_line(file, i)))
            continue;
        if (!placed && is_last(file, i))
            placed = true;
        else
            conf_file_remove(file, i);
    }
    if (!placed)
        conf_file_append(file, include_line);
}

static bool plan_include(const struct server *server, struct plan *plan, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES), edited = BUF(CONF_MAX_BYTES);
    PS_AUTO(conf_file_freep) struct conf_file *file = NULL;

    if (!file_read(server->config_file, CONF_MAX_BYTES, &text, err)
        || !conf_file_parse(buf_text(&text), text.len, server->config_file, &file, err))
        return false;
    place_include(file);
    conf_file_write(file, &edited);
    return plan_want(plan, &server->owner, server->config_file, _("configuration"),
                     buf_text(&edited), edited.len, 0600, false, err);
}

bool settings_plan(const struct tls_settings *settings, const struct server *server,
                   struct plan *plan, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = settings_file(server);
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES);

    settings_write(settings, server, &text);
    /* 0644: where only root may write, root makes it, and the server has to read it */
    return plan_want(plan, &server->owner, path, _("TLS settings"), text.p, text.len, 0644, false,
                     err)
        && plan_include(server, plan, err);
}

/* ---- values changed, all else kept ---- */

static void put_setting(const struct setting_pair *pair, struct buf *out)
{
    buf_printf(out, "%s = ", pair->name);
    conf_quote(pair->value, out);
    buf_putc(out, '\n');
}

static const struct setting_pair *pair_named(const struct setting_pair *pairs, size_t len,
                                             const char *name)
{
    for (size_t i = 0; i < len; i++)
        if (strcasecmp(pairs[i].name, name) == 0)
            return &pairs[i];
    return NULL;
}

static bool has_setting(const struct conf_file *file, const char *name)
{
    for (size_t i = 0; i < conf_file_lines(file); i++)
        if (conf_file_line(file, i)->kind == CONF_SETTING
            && strcasecmp(conf_file_line(file, i)->name, name) == 0)
            return true;
    return false;
}

static void switch_values(const struct setting_pair *pairs, size_t len,
                          const struct conf_file *file, const char *text, struct buf *out)
{
    for (size_t i = 0; i < conf_file_lines(file); i++) {
        const struct conf_line *line = conf_file_line(file, i);
        const struct setting_pair *pair =
            line->kind == CONF_SETTING ? pair_named(pairs, len, line->name) : NULL;

        if (pair)
            put_setting(pair, out);
        else
            buf_put(out, text + line->begin, line->end - line->begin);
    }
    if (out->len && out->p[out->len - 1] != '\n')
        buf_putc(out, '\n');
    for (size_t i = 0; i < len; i++)
        if (!has_setting(file, pairs[i].name))
            put_setting(&pairs[i], out);
}

static bool plan_switched(const struct setting_pair *pairs, size_t len, const struct server *server,
                          const struct buf *text, mode_t mode, struct plan *plan,
                          struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = settings_file(server);
    PS_AUTO(buf_free) struct buf edited = BUF(CONF_MAX_BYTES);
    PS_AUTO(conf_file_freep) struct conf_file *file = NULL;

    if (!conf_file_parse(buf_text(text), text->len, path, &file, err))
        return false;
    switch_values(pairs, len, file, buf_text(text), &edited);
    return plan_want(plan, &server->owner, path, _("TLS settings"), buf_text(&edited), edited.len,
                     mode, false, err);
}

bool settings_switch_plan(const struct setting_pair *pairs, size_t len,
                          const struct server *server, struct plan *plan, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = settings_file(server);
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES);

    return file_read(path, CONF_MAX_BYTES, &text, err)
        && plan_switched(pairs, len, server, &text, 0600, plan, err);
}

bool settings_mend_plan(const struct setting_pair *pairs, size_t len, const struct server *server,
                        struct plan *plan, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = settings_file(server);
    PS_AUTO(buf_free) struct buf text = BUF(CONF_MAX_BYTES);

    if (len == 0)
        return true;
    if (!file_read(path, CONF_MAX_BYTES, &text, err)) {
        if (err->code != PS_E_NOT_FOUND)
            return false;
        ps_err_clear(err);
        put_header(&text);
    }
    return plan_switched(pairs, len, server, &text, 0644, plan, err)
        && plan_include(server, plan, err);
}

const char *settings_ours(const struct server *server, const char *name)
{
    PS_AUTO(ps_freep) char *path = settings_file(server);
    const struct conf_setting *set = conf_winner(server->conf, name);

    return set && strcmp(set->at.file, path) == 0 && !server_arg(server, name) ? set->value : NULL;
}

/* ---- what beats us ---- */

/* An old name may still set a setting: ssl_ecdh_curve became ssl_groups in 18. */
static bool names_same(const char *name, const char *ours, unsigned major)
{
    return strcasecmp(pg_setting_name(name, major), ours) == 0;
}

static bool values_same(const char *a, const char *b)
{
    bool x, y;

    return strcmp(a, b) == 0 || (conf_bool(a, &x) && conf_bool(b, &y) && x == y);
}

static void check_args(const struct server *server, const struct setting_pair *pair,
                       struct buf *found)
{
    for (size_t i = 0; i < server->args_len; i++)
        if (names_same(server->args[i].name, pair->name, server->major)
            && !values_same(server->args[i].value, pair->value))
            buf_printf(found, _("%s = \"%s\" on the server's command line: take it out there and "
                                "restart.\n"), server->args[i].name, server->args[i].value);
}

static void check_auto(const struct server *server, const struct setting_pair *pair,
                       struct buf *found)
{
    for (size_t i = 0; i < conf_settings(server->conf); i++) {
        const struct conf_setting *set = conf_setting(server->conf, i);

        if (set->automatic && names_same(set->name, pair->name, server->major)
            && !values_same(set->value, pair->value))
            buf_printf(found, _("%s = \"%s\" in %s:%u: run ALTER SYSTEM RESET %s;\n"), set->name,
                       set->value, set->at.file, set->at.line, set->name);
    }
}

bool settings_check_overrides(const struct setting_pair *pairs, size_t len,
                              const struct server *server, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf found = BUF(sizeof(err->detail));

    for (size_t i = 0; i < len; i++) {
        check_args(server, &pairs[i], &found);
        check_auto(server, &pairs[i], &found);
    }
    if (found.len == 0)
        return true;
    if (found.p[found.len - 1] == '\n')
        found.p[found.len - 1] = '\0';
    ps_fail(err, PS_E_UNSAFE, _("settings elsewhere would override those of pgseal"));
    ps_detail(err, "%s", buf_text(&found));
    return ps_hint(err, _("Remove them as said, then run the command again."));
}

/* ---- in plain words ---- */

void settings_describe(const struct tls_settings *settings, const struct server *server,
                       struct doc_node *section)
{
    doc_str(section, "profile", _("Profile"), profile_name(settings->profile));
    doc_str(section, "min_protocol", _("Lowest protocol"), settings->min_protocol);
    doc_str(section, "max_protocol", _("Highest protocol"),
            settings->max_protocol ? settings->max_protocol : _("no bound"));
    if (pg_setting_known("ssl_tls13_ciphers", server->major))
        doc_para(section, DOC_PLAIN,
                 _("The cipher suites of TLS 1.3 are set by ssl_tls13_ciphers (PostgreSQL 18 and "
                   "later)."));
    else
        doc_para(section, DOC_PLAIN,
                 _("ssl_ciphers governs TLS 1.2 only: PostgreSQL %u has no setting for the suites of "
                   "TLS 1.3 (18 and later have). OpenSSL's own list holds, all of it AEAD with "
                   "forward secrecy."), server->major);
    if (!pg_setting_known("ssl_min_protocol_version", server->major))
        doc_para(section, DOC_WARN,
                 _("PostgreSQL %u cannot bound the protocol versions (12 and later can): it speaks "
                   "whatever its OpenSSL allows."), server->major);
}
