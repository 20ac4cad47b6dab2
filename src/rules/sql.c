/* sql.c - rules about connections that the server makes, and what it keeps of passwords (see tests.h). */
#include <strings.h>

#include "pg/conninfo.h"
#include "rules/common.h"
#include "rules/tests.h"

/* ---- connections of the server ---- */

/* A keyword of either form of connection string. */
static const char *word_of(struct findings *out, const char *conninfo, const char *keyword)
{
    PS_AUTO(buf_free) struct buf value = BUF(BUF_TEXT_MAX);
    size_t len = strlen(keyword);

    if (strstr(conninfo, "://")) {
        for (const char *p = strchr(conninfo, '?'); p; p = strchr(p, '&'))
            if (strncmp(++p, keyword, len) == 0 && p[len] == '=')
                return arena_strndup(out->arena, p + len + 1, strcspn(p + len + 1, "&"));
        return NULL;
    }
    return conninfo_get(conninfo, keyword, &value) ? arena_strdup(out->arena, buf_text(&value)) : NULL;
}

/* Through a socket nothing crosses a network. */
static bool is_local(struct findings *out, const char *conninfo)
{
    const char *host = word_of(out, conninfo, "host"), *address = word_of(out, conninfo, "hostaddr");

    if (strstr(conninfo, "://"))
        return false;
    return (!address || !*address) && (!host || !*host || *host == '/' || *host == '@');
}

static enum severity severity_of(const char *sslmode)
{
    return strcmp(sslmode, "verify-ca") == 0 ? SEV_LOW : SEV_NOTHING;
}

static const char *upstream_name(const struct upstream_fact *upstream, struct findings *out)
{
    return *upstream->name ? arena_printf(out->arena, "%s %s", upstream->kind, upstream->name)
                           : upstream->kind;
}

static void judge_upstream(const struct rule *rule, const struct upstream_fact *upstream,
                           struct findings *out)
{
    const char *sslmode = word_of(out, upstream->conninfo, "sslmode");
    const char *root = word_of(out, upstream->conninfo, "sslrootcert");

    if (!sslmode)               /* libpq's default; with sslrootcert=system it is another */
        sslmode = root && strcmp(root, "system") == 0 ? "verify-full" : "prefer";
    if (strcmp(sslmode, "verify-full") == 0 || is_local(out, upstream->conninfo))
        return;
    rule_found(rule, out, (struct finding){
        .severity = severity_of(sslmode), .place = upstream->place,
        .object = upstream_name(upstream, out),
        .message = arena_printf(out->arena, _("%s connects with sslmode=%s: it does not make sure to whom"),
                                upstream_name(upstream, out), sslmode),
        .evidence = upstream->conninfo, .fix_kind = FIX_ADVICE,
        .fix = _("Add sslmode=verify-full and sslrootcert=FILE to its connection string.") });
}

void rule_upstream_sslmode_weak(const struct rule *rule, const struct posture *posture,
                                struct findings *out)
{
    for (size_t i = 0; i < posture->upstreams_len; i++)
        judge_upstream(rule, &posture->upstreams[i], out);
    if (posture->upstreams_why)
        rule_unseen(rule, out, posture->upstreams_why);
    if (!posture->settings_len)
        rule_unseen(rule, out, posture->conf_why ? posture->conf_why : _("the files were not seen"));
}

/* ---- passwords ---- */

static bool secrets_shown(const struct posture *posture)
{
    for (size_t i = 0; i < posture->roles_len; i++)
        if (posture->roles[i].secret)
            return true;
    return false;
}

void rule_role_secret_weak(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    if (!posture->roles || !secrets_shown(posture)) {
        rule_unseen(rule, out, posture->roles_why ? posture->roles_why
                                                  : _("this role may not see how passwords are stored"));
        return;
    }
    for (size_t i = 0; i < posture->roles_len; i++) {
        const struct role_fact *role = &posture->roles[i];
        bool plain = role->secret && strcmp(role->secret, "plaintext") == 0;

        if (!role->login || !role->secret || (strcmp(role->secret, "md5") != 0 && !plain))
            continue;
        rule_found(rule, out, (struct finding){
            .severity = plain ? SEV_CRITICAL : role->superuser ? SEV_HIGH : SEV_NOTHING,
            .object = role->name,
            .message = arena_printf(out->arena, _("the password of role \"%s\" is stored as %s"), role->name,
                                    role->secret),
            .evidence = role->secret, .fix_kind = FIX_ADVICE,
            .fix = _("Let the role set its password anew (\\password in psql) under password_encryption = "
                     "'scram-sha-256'.") });
    }
}
