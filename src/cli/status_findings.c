/* status_findings.c - see status_findings.h. */
#include "cli/status_findings.h"

struct found {
    const char *id;
    enum severity severity;
    const char *object;         /* a file, a setting; NULL: the server */
    const char *text;           /* translated */
};

struct list {
    struct arena *arena;
    struct found *at;
    size_t len, cap;
};

static void add(struct list *list, const char *id, enum severity severity, const char *object,
                const char *text)
{
    PS_PUSH(list->at, list->len, list->cap) = (struct found){ id, severity, object, text };
}

static void find_tls_off(const struct status *status, struct list *out)
{
    const char *ssl = inforce_value(&status->settings, "ssl");

    if (ssl && strcmp(ssl, "on") != 0)
        add(out, "tls-off", SEV_HIGH, "ssl", _("TLS is switched off: nobody can use it"));
}

static void find_plaintext(const struct status *status, struct list *out)
{
    size_t remote = status->sessions.count[LINK_PLAIN];
    size_t loopback = status->sessions.count[LINK_LOOPBACK];

    if (remote)
        add(out, "plaintext-session", SEV_HIGH, NULL,
            arena_printf(out->arena,
                         ngettext("%zu session crosses the network in plaintext",
                                  "%zu sessions cross the network in plaintext", remote), remote));
    if (loopback)
        add(out, "plaintext-loopback", SEV_LOW, NULL,
            arena_printf(out->arena,
                         ngettext("%zu session is in plaintext inside the server's machine",
                                  "%zu sessions are in plaintext inside the server's machine",
                                  loopback), loopback));
}

static const struct {
    const char *id, *cert_text, *crl_text;
    enum severity severity;
} validities[] = {
    [VALID] = { NULL, NULL, NULL, SEV_NOTHING },
    [VALID_NOT_YET] = { "not-yet-valid", N_("a certificate is not valid yet"),
                        N_("a CRL is not valid yet: it refuses every client certificate"), SEV_HIGH },
    [VALID_SOON_OVER] = { "expires-soon", N_("a certificate is about to expire"),
                          N_("a CRL is about to expire, and will then refuse every client certificate"),
                          SEV_MEDIUM },
    [VALID_OVER] = { "expired", N_("a certificate has expired"),
                     N_("a CRL has expired: it refuses every client certificate"), SEV_HIGH },
};

static void find_validity(const struct status *status, struct list *out)
{
    for (size_t i = 0; i < status->files.len; i++) {
        const struct tls_item *item = &status->files.at[i];
        enum validity validity =
            validity_at(item->kind, status->now, item->from, item->until, status->warn_days);

        if (!item->why && validity != VALID)
            add(out, validities[validity].id, validities[validity].severity, item->path,
                item->kind == ITEM_CERT ? _(validities[validity].cert_text)
                                        : _(validities[validity].crl_text));
    }
}

/* The first certificate of ssl_cert_file, or NULL when the file was not examined. */
static const struct tls_item *leaf_in_file(const struct status *status)
{
    for (size_t i = 0; i < status->files.len; i++)
        if (strcmp(status->files.at[i].setting, "ssl_cert_file") == 0)
            return status->files.at[i].why ? NULL : &status->files.at[i];
    return NULL;
}

/* With ssl_sni the host name chooses the certificate, so another one may be right. */
static void find_not_served(const struct status *status, struct list *out)
{
    const struct tls_item *leaf = leaf_in_file(status);
    const char *sni = inforce_value(&status->settings, "ssl_sni");

    if (!leaf || !status->served || (sni && strcmp(sni, "on") == 0)
        || strcmp(leaf->fingerprint, cert_info(status->served)->fingerprint) == 0)
        return;
    add(out, "cert-not-served", SEV_MEDIUM, leaf->path,
        _("the server still shows another certificate than the one in this file: reload it"));
}

static void find_served_validity(const struct status *status, struct list *out)
{
    if (!status->served || leaf_in_file(status))
        return;

    const struct cert_info *info = cert_info(status->served);
    enum validity validity =
        validity_at(ITEM_CERT, status->now, info->not_before, info->not_after, status->warn_days);
    if (validity != VALID)
        add(out, validities[validity].id, validities[validity].severity, info->subject,
            _(validities[validity].cert_text));
}

static void find_pending(const struct status *status, struct list *out)
{
    for (size_t i = 0; i < status->settings.len; i++)
        if (status->settings.at[i].pending_restart)
            add(out, "restart-pending", SEV_MEDIUM, status->settings.at[i].name,
                _("the setting was changed in a file, but only a restart makes it count"));
}

/* A silent pass is the worst answer: what could not be seen is said. */
static void find_unseen(const struct status *status, struct list *out)
{
    size_t hidden = status->sessions.count[LINK_UNKNOWN];

    if (hidden)
        add(out, "sessions-not-examined", SEV_INFO, NULL,
            arena_printf(out->arena,
                         ngettext("%zu session was not examined: grant pg_read_all_stats or pg_monitor",
                                  "%zu sessions were not examined: grant pg_read_all_stats or pg_monitor",
                                  hidden), hidden));
    if (!status->settings.all_shown)
        add(out, "settings-not-examined", SEV_INFO, NULL,
            _("files of settings are not shown to this role: grant pg_read_all_settings or pg_monitor"));
    for (size_t i = 0; i < status->files.len; i++)
        if (status->files.at[i].why)
            add(out, "file-not-examined", SEV_INFO, status->files.at[i].path,
                status->files.at[i].why);
}

static void (*const finders[])(const struct status *status, struct list *out) = {
    find_tls_off, find_plaintext, find_validity, find_served_validity, find_not_served,
    find_pending, find_unseen,
};

enum severity status_findings(const struct status *status, struct doc_node *root)
{
    struct doc_node *table =
        doc_table(root, "findings", _("Findings"), _("nothing is wrong in what was examined"));
    struct list list = { .arena = status->arena };
    enum severity worst = SEV_NOTHING;

    for (size_t i = 0; i < PS_COUNT(finders); i++)
        finders[i](status, &list);
    for (enum severity severity = SEV_CRITICAL; severity > SEV_NOTHING; severity--)
        for (size_t i = 0; i < list.len; i++) {
            if (list.at[i].severity != severity)
                continue;

            struct doc_node *row = doc_row(table);
            severity_field(row, severity);
            doc_str(row, "id", _("Finding"), list.at[i].id);
            doc_str(row, "object", _("Where"), list.at[i].object);
            doc_str(row, "text", _("What"), list.at[i].text);
            worst = severity > worst ? severity : worst;
        }
    free(list.at);
    return worst;
}
