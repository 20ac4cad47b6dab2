/* server.c - rules about settings of the server (see tests.h). */
#include <strings.h>

#include "pg/settings.h"
#include "rules/common.h"
#include "rules/cure.h"
#include "rules/tests.h"

void rule_tls_off(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct setting_fact *ssl = posture_setting(posture, "ssl");
    bool refused = !ssl && posture->wire && posture->wire->tls == FACT_NO;
    struct finding finding = {
        .object = "ssl", .evidence = "SSLRequest: N",
        .message = _("TLS is switched off: every connection over the network is in plaintext") };

    if (!rule_tls_on(rule, posture, out) && (refused || posture_on(posture, "ssl") == FACT_NO)) {
        if (ssl) {
            finding.place = ssl->place;
            finding.evidence = rule_says(out, ssl);
        }
        if (cure_is_for_pooler(posture))
            cure_put(posture, CURE_TLS_ON, &finding);
        else
            rule_cure_tls(posture, out, &finding);
        rule_found(rule, out, finding);
    }
}

/* ---- protocol versions ---- */

static const struct openssl_fact *openssl_command(const struct posture *posture, const char *name)
{
    const struct openssl_fact *found = NULL;

    for (size_t i = 0; i < posture->openssl_conf_len; i++)
        if (strcasecmp(posture->openssl_conf[i].name, name) == 0)
            found = &posture->openssl_conf[i];
    return found;
}

/* Before 12 only OpenSSL's configuration can say it: PostgreSQL excludes no more than SSL 2 and 3. */
static void legacy_before_12(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    const struct openssl_fact *min = openssl_command(posture, "MinProtocol");

    if (posture->openssl_conf_why) {
        rule_unseen(rule, out, posture->openssl_conf_why);
        return;
    }
    if (min && rule_protocol(min->value) >= 12)
        return;
    rule_found(rule, out, (struct finding){
        .place = min ? min->place : (struct place){ 0 }, .object = "MinProtocol",
        .message = _("this version has no setting for the oldest protocol, and OpenSSL's configuration "
                     "does not exclude TLS 1.0 and 1.1"),
        .evidence = min ? arena_printf(out->arena, "MinProtocol = %s", min->value) : NULL,
        .fix_kind = FIX_ADVICE,
        .fix = _("Write MinProtocol = TLSv1.2 into the system_default section of openssl.cnf and restart the "
                 "server.") });
}

void rule_tls_legacy_version(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    const struct setting_fact *min;

    if (!rule_tls_on(rule, posture, out))
        return;
    if (posture->major && posture->major < 12) {
        legacy_before_12(rule, posture, out);
        return;
    }
    min = rule_setting(rule, posture, "ssl_min_protocol_version", out);
    if (!min || rule_protocol(min->value) >= 12)
        return;
    struct finding finding = { .place = min->place, .object = min->name, .evidence = rule_says(out, min),
                               .message = _("versions of TLS before 1.2 are allowed") };
    rule_cure_setting(posture, min, "TLSv1.2", out, &finding);
    rule_found(rule, out, finding);
}

/* RFC 8446 4.2.7: of the curves that a setting can name, these exist in TLS 1.3. */
static bool is_group_of_13(const char *name)
{
    static const char *const names[] = { "prime256v1", "secp256r1", "P-256", "secp384r1", "P-384",
                                         "secp521r1", "P-521", "X25519", "X448", "ffdhe2048",
                                         "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192" };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strcasestr(name, "MLKEM") != NULL;
}

static bool any_group_of_13(const char *groups)
{
    PS_AUTO(ps_freep) char *copy = ps_strdup(groups);
    char *rest = copy, *name;

    while ((name = strsep(&rest, ":")))
        if (is_group_of_13(name))
            return true;
    return false;
}

static void found_no_tls13(const struct rule *rule, const struct posture *posture,
                           const struct setting_fact *fact, const char *message, const char *value,
                           struct findings *out)
{
    struct finding finding = { .place = fact->place, .object = fact->name, .message = message,
                               .evidence = rule_says(out, fact) };

    rule_cure_setting(posture, fact, value, out, &finding);
    rule_found(rule, out, finding);
}

/* "OpenSSL 1.1.0l": 1.1.1 brought TLS 1.3.  0: not known. */
static int openssl_number(const char *text)
{
    unsigned major = 0, minor = 0, patch = 0;

    if (!text || sscanf(text, "OpenSSL %u.%u.%u", &major, &minor, &patch) < 2 || major > 100)
        return 0;
    return (int)(major * 10000 + minor * 100 + (patch < 100 ? patch : 99));
}

/* PostgreSQL sets nothing, or cannot: what OpenSSL brings with it decides. */
static void no_tls13_of_openssl(const struct rule *rule, const struct posture *posture,
                                struct findings *out)
{
    const struct openssl_fact *max = openssl_command(posture, "MaxProtocol");
    int openssl = openssl_number(posture->openssl);

    if (max && rule_protocol(max->value) && rule_protocol(max->value) < 13) {
        rule_found(rule, out, (struct finding){
            .place = max->place, .object = max->name,
            .message = _("OpenSSL's configuration excludes TLS 1.3"),
            .evidence = arena_printf(out->arena, "%s = %s", max->name, max->value),
            .fix_kind = FIX_LINE, .fix = "" });
    } else if (openssl && openssl < 10101) {
        rule_found(rule, out, (struct finding){
            .object = "OpenSSL", .message = _("the server's OpenSSL is older than TLS 1.3"),
            .evidence = posture->openssl, .fix_kind = FIX_ADVICE,
            .fix = _("Move to a server that is built with OpenSSL 1.1.1 or newer.") });
    } else if (!openssl && !(posture->wire && posture->wire->version
                             && rule_protocol(posture->wire->version) >= 13)) {
        rule_unseen(rule, out, _("the settings allow TLS 1.3; whether the server's OpenSSL can do it is not "
                                 "known"));
    }
}

void rule_no_tls13(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct setting_fact *max, *groups;

    if (!rule_tls_on(rule, posture, out))
        return;
    max = posture_setting(posture, "ssl_max_protocol_version");
    groups = posture_setting(posture, "ssl_ecdh_curve");
    if (max && *max->value && rule_protocol(max->value) < 13)
        found_no_tls13(rule, posture, max, _("the newest version of TLS is not allowed"), "", out);
    else if (groups && !any_group_of_13(groups->value))
        found_no_tls13(rule, posture, groups, _("no group for exchanging keys is one of TLS 1.3"),
                       posture->major >= 18 ? "X25519:prime256v1" : "prime256v1", out);
    else
        no_tls13_of_openssl(rule, posture, out);
}

/* ---- passwords ---- */

void rule_password_encryption_md5(const struct rule *rule, const struct posture *posture,
                                  struct findings *out)
{
    const struct setting_fact *fact = rule_setting(rule, posture, "password_encryption", out);
    bool is_bool;

    /* until 9.6 it was a switch; 10 to 13 take "on" for md5 */
    if (!fact || (strcasecmp(fact->value, "md5") != 0
                  && (posture->major >= 14 || !conf_bool(fact->value, &is_bool))))
        return;
    struct finding finding = { .place = fact->place, .object = fact->name,
                               .evidence = rule_says(out, fact),
                               .message = _("new passwords are stored as MD5 hashes") };
    if (posture->major >= 10) {
        rule_cure_setting(posture, fact, "scram-sha-256", out, &finding);
    } else {
        finding.fix_kind = FIX_ADVICE;
        finding.fix = _("Move to PostgreSQL 10 or newer: 9.6 and before have no SCRAM.");
    }
    rule_found(rule, out, finding);
}

/* ---- what counts, and what does not ---- */

/* Settings whose silent loss is a question of security. */
static bool matters(const char *name)
{
    static const char *const names[] = { "hba_file", "ident_file", "hosts_file", "password_encryption",
                                         "listen_addresses" };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncasecmp(name, "ssl", 3) == 0;
}

static const char *where(struct findings *out, const struct setting_fact *fact)
{
    if (!fact->place.file)
        return strcmp(fact->origin, "command line") == 0 ? _("the command line") : fact->origin;
    return arena_printf(out->arena, "%s:%u", fact->place.file, fact->place.line);
}

/* The command may have the passphrase in it. */
static bool is_secret(const char *name)
{
    return strcasecmp(name, "ssl_passphrase_command") == 0;
}

static void found_overridden(const struct rule *rule, const struct setting_fact *winner,
                             const struct setting_fact *loser, struct findings *out)
{
    rule_found(rule, out, (struct finding){
        .place = loser->place, .object = loser->name,
        .message = arena_printf(out->arena, _("this assignment of %s does not count: %s wins"),
                                loser->name, where(out, winner)),
        .evidence = is_secret(loser->name) ? NULL
            : arena_printf(out->arena, "'%s', not '%s'", winner->value, loser->value),
        .fix_kind = loser->place.file ? FIX_LINE : FIX_NONE, .fix = loser->place.file ? "" : NULL });
}

void rule_setting_overridden(const struct rule *rule, const struct posture *posture,
                             struct findings *out)
{
    if (!posture->conf) {
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
        return;
    }
    for (size_t i = 0, found = 0; i < posture->settings_len; i++) {
        const struct setting_fact *winner = &posture->settings[i];

        if (!matters(winner->name))
            continue;
        for (const struct setting_fact *loser = winner->loser; loser && found <= FINDINGS_MAX;
             loser = loser->loser)
            if (strcasecmp(loser->value, winner->value) != 0) {
                found_overridden(rule, winner, loser, out);
                found++;
            }
    }
}

/* ---- what waits for a reload or a restart ---- */

static bool same_value(const char *a, const char *b)
{
    bool left, right;

    if (strcmp(a, b) == 0)
        return true;
    return conf_bool(a, &left) && conf_bool(b, &right) ? left == right : strcasecmp(a, b) == 0;
}

/* What the files would give; NULL: they say nothing, and the default holds. */
static const struct conf_setting *in_files(const struct posture *posture, const char *name)
{
    for (size_t i = conf_settings(posture->conf); i-- > 0; ) {
        const struct conf_setting *set = conf_setting(posture->conf, i);

        if (strcasecmp(pg_setting_name(set->name, posture->major), name) == 0)
            return set;
    }
    return NULL;
}

static void found_pending(const struct rule *rule, const struct posture *posture,
                          const struct setting_fact *fact, const struct conf_setting *set,
                          struct findings *out)
{
    bool reload = !fact->pending_restart && pg_setting_reloads(fact->name, posture->major);

    rule_found(rule, out, (struct finding){
        .place = set ? posture_conf_place(posture, set) : (struct place){ 0 }, .object = fact->name,
        .message = arena_printf(out->arena, reload ? _("%s waits for a reload")
                                                   : _("%s waits for a restart"), fact->name),
        .evidence = is_secret(fact->name) ? NULL : arena_printf(out->arena, _("in force: '%s'; in the files: '%s'"), fact->value,
                                 set ? set->value : pg_setting_default(fact->name, posture->major)),
        .fix_kind = reload ? FIX_SQL : FIX_ADVICE,
        .fix = reload ? "SELECT pg_reload_conf();" : _("Restart the server.") });
}

static void pending_by_sql(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    for (size_t i = 0; i < posture->settings_len; i++) {
        const struct setting_fact *fact = &posture->settings[i];
        bool from_files = strcmp(fact->origin, "configuration file") == 0
            || strcmp(fact->origin, "default") == 0;
        const struct conf_setting *set;

        if (!matters(fact->name) || !pg_setting_known(fact->name, posture->major) || !from_files)
            continue;
        set = in_files(posture, fact->name);
        const char *wanted = set ? set->value : pg_setting_default(fact->name, posture->major);
        if (fact->pending_restart || (wanted && *wanted && !same_value(wanted, fact->value))
            || (set && !*set->value && *fact->value))
            found_pending(rule, posture, fact, set, out);
    }
}

void rule_pending_reload(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->source == POSTURE_SQL && posture->conf)
        pending_by_sql(rule, posture, out);
    else if (posture->source == POSTURE_SQL)
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
    else if (posture->source == POSTURE_FILES)
        rule_unseen(rule, out, _("copies of files do not tell what the server has in force"));
    else if (posture->server && posture->server->running
             && !(posture->started && posture->changed && posture->changed < posture->started))
        rule_unseen(rule, out, _("files were changed after the server's start; what it has in force is seen by "
                                 "SQL: give --target"));
}

/* ---- what this version does not take ---- */

void rule_conf_syntax(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!posture->conf) {
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
        return;
    }
    for (size_t i = 0; i < conf_problems(posture->conf); i++) {
        const struct conf_problem *problem = conf_problem(posture->conf, i);

        rule_found(rule, out, (struct finding){
            .place = posture->conf_problem_places ? posture->conf_problem_places[i]
                : (struct place){ .file = problem->at.file, .line = problem->at.line },
            .object = problem->what, .message = problem->what });
    }
}

/* A name with a dot is an extension's, and any is taken. */
static bool is_unknown(const char *name, unsigned major)
{
    const struct pg_setting *setting = pg_setting_find(name);

    if (setting)
        return !pg_setting_known(name, major) && pg_setting_name(name, major) == name;
    return strncasecmp(name, "ssl", 3) == 0 && !strchr(name, '.');
}

static const char *unknown_message(const struct posture *posture, const char *name,
                                   struct findings *out)
{
    const struct pg_setting *setting = pg_setting_find(name);

    if (!setting)
        return arena_printf(out->arena, _("there is no setting %s: the server does not start with it"), name);
    if (posture->major < setting->since)
        return arena_printf(out->arena, _("%s exists from PostgreSQL %u: this server does not start with it"),
                            name, setting->since);
    return arena_printf(out->arena, _("%s is gone after PostgreSQL %u: this server does not start with it"),
                        name, setting->until);
}

/* Not the value is wrong, but the name. */
static struct place name_place(const struct posture *posture, const struct conf_setting *set)
{
    struct place place = posture_conf_place(posture, set);
    const char *at = place.text ? strcasestr(place.text, set->name) : NULL;

    if (at) {
        place.column = (unsigned)(at - place.text) + 1;
        place.end_column = place.column + (unsigned)strlen(set->name);
    }
    return place;
}

void rule_setting_unknown(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!posture->conf || !posture->major) {
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
        return;
    }
    for (size_t i = 0, found = 0; i < conf_settings(posture->conf) && found <= FINDINGS_MAX; i++) {
        const struct conf_setting *set = conf_setting(posture->conf, i);

        if (is_unknown(set->name, posture->major) && ++found)
            rule_found(rule, out, (struct finding){
                .place = name_place(posture, set), .object = set->name,
                .message = unknown_message(posture, set->name, out), .fix_kind = FIX_LINE, .fix = "" });
    }
}

/* ---- values ---- */

static const char *bad_bool(const char *value)
{
    bool on;

    return conf_bool(value, &on) ? NULL : _("it is neither on nor off");
}

static const char *bad_protocol(const char *value)
{
    /* OpenSSL's configuration knows TLSv1.0 too */
    return rule_protocol(value) >= 10 && strcasecmp(value, "TLSv1.0") != 0 ? NULL : _("it is no version of TLS that PostgreSQL knows");
}

static const char *bad_encryption(const char *value)
{
    return strcasecmp(value, "md5") == 0 || strcasecmp(value, "scram-sha-256") == 0
        ? NULL : _("it is neither md5 nor scram-sha-256");
}

static const char *bad_max_protocol(const char *value)
{
    return *value ? bad_protocol(value) : NULL;
}

static const struct {
    const char *name;
    unsigned since;             /* before it other words were taken, too */
    const char *(*bad)(const char *value);
} value_tests[] = {
    { "ssl", 0, bad_bool }, { "ssl_prefer_server_ciphers", 0, bad_bool }, { "ssl_sni", 0, bad_bool },
    { "ssl_passphrase_command_supports_reload", 0, bad_bool },
    { "ssl_min_protocol_version", 0, bad_protocol }, { "ssl_max_protocol_version", 0, bad_max_protocol },
    { "password_encryption", 14, bad_encryption },
};

static void found_bad_value(const struct rule *rule, const struct setting_fact *fact, const char *what,
                            struct findings *out)
{
    rule_found(rule, out, (struct finding){
        .place = fact->place, .object = fact->name, .evidence = rule_says(out, fact),
        .message = arena_printf(out->arena, _("the server does not take the value of %s: %s"), fact->name,
                                what) });
}

void rule_setting_invalid(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct setting_fact *min = posture_setting(posture, "ssl_min_protocol_version");
    const struct setting_fact *max = posture_setting(posture, "ssl_max_protocol_version");

    if (!posture->settings_len) {
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
        return;
    }
    for (size_t i = 0; i < PS_COUNT(value_tests); i++) {
        const struct setting_fact *fact = posture_setting(posture, value_tests[i].name);
        const char *what = fact && posture->major >= value_tests[i].since
            ? value_tests[i].bad(fact->value) : NULL;

        if (what)
            found_bad_value(rule, fact, what, out);
    }
    /* 12 starts with such a range (and then no handshake succeeds) */
    if (min && max && rule_protocol(max->value) >= 10
        && rule_protocol(min->value) > rule_protocol(max->value))
        found_bad_value(rule, max, _("it is older than ssl_min_protocol_version"), out);
}

void rule_hosts_syntax(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->hosts_why)
        rule_unseen(rule, out, posture->hosts_why);
    for (size_t i = 0; posture->hosts && i < hosts_problems(posture->hosts); i++) {
        const struct hba_problem *problem = hosts_problem(posture->hosts, i);

        rule_found(rule, out, (struct finding){
            .place = { .file = problem->file, .line = problem->line, .column = problem->column },
            .object = problem->what, .message = problem->what, .fix_kind = FIX_ADVICE,
            .fix = problem->hint });
    }
}
