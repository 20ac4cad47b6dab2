/* status_doc.c - see status_doc.h. */
#include "cli/status_doc.h"

#include "base/num.h"
#include "cli/status_findings.h"

static const struct {
    const char *word, *text, *label;
    enum doc_mark mark;
} links[LINK_KINDS] = {
    [LINK_TLS]      = { "tls",       "TLS",                N_("TLS"), DOC_GOOD },
    [LINK_GSS]      = { "gss",       "GSS",                N_("GSS encryption"), DOC_GOOD },
    [LINK_PLAIN]    = { "plaintext", N_("plaintext"),      N_("Plaintext over a network"), DOC_BAD },
    [LINK_LOOPBACK] = { "plaintext_loopback", N_("plaintext, loopback"),
                        N_("Plaintext over loopback"), DOC_WARN },
    [LINK_LOCAL]    = { "local",     N_("local socket"),   N_("Local socket"), DOC_PLAIN },
    [LINK_UNKNOWN]  = { "unknown",   N_("not examined"),   N_("Not examined"), DOC_UNKNOWN },
};

static const char *host_list(struct arena *arena, const struct cert_info *info)
{
    const char *all = "";

    for (size_t i = 0; info->dns && info->dns[i]; i++)
        all = arena_printf(arena, "%s%s%s", all, *all ? ", " : "", info->dns[i]);
    for (size_t i = 0; info->ip && info->ip[i]; i++)
        all = arena_printf(arena, "%s%s%s", all, *all ? ", " : "", info->ip[i]);
    return *all ? all : NULL;
}

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} validities[] = {
    [VALID]           = { "valid",         N_("valid"),           DOC_GOOD },
    [VALID_NOT_YET]   = { "not_yet_valid", N_("not valid yet"),   DOC_BAD },
    [VALID_SOON_OVER] = { "expires_soon",  N_("about to expire"), DOC_WARN },
    [VALID_OVER]      = { "expired",       N_("expired"),         DOC_BAD },
};

static long days_left(const struct status *status, time_t until)
{
    const long day = 24 * 60 * 60;
    long left = (long)(until - status->now);

    return left >= 0 ? left / day : -((-left + day - 1) / day);
}

static void describe_validity(const struct status *status, struct doc_node *node,
                              enum tls_item_kind kind, time_t from, time_t until)
{
    enum validity validity = validity_at(kind, status->now, from, until, status->warn_days);

    doc_verdict(node, "state", _("State"), validities[validity].mark, validities[validity].word,
                _(validities[validity].text));
    doc_aside(doc_time(node, "valid_from", _("Valid from"), from));
    if (!until)
        return;
    doc_time(node, "valid_until", _("Valid until"), until);
    doc_int(node, "days_left", _("Days left"), days_left(status, until));
}

static void describe_served(const struct status *status, struct doc_node *parent)
{
    struct doc_node *section = doc_section(parent, "served_certificate", _("Certificate served"));
    const struct cert_info *info = cert_info(status->served);

    doc_str(section, "subject", _("Subject"), info->subject);
    doc_str(section, "issuer", _("Issuer"), info->issuer);
    doc_str(section, "hosts", _("Host names"), host_list(status->arena, info));
    doc_str(section, "key", _("Key"), info->key_text);
    doc_aside(doc_str(section, "serial", _("Serial"), info->serial_hex));
    doc_aside(doc_str(section, "sha256", _("SHA-256"), info->fingerprint));
    describe_validity(status, section, ITEM_CERT, info->not_before, info->not_after);
}

/* libpq gives numbers as text. */
static void describe_number(struct doc_node *node, const char *key, const char *label,
                            const char *text)
{
    long number;

    if (text && num_parse(text, 0, INT32_MAX, &number))
        doc_int(node, key, label, number);
    else
        doc_str(node, key, label, text);
}

static void describe_link(const struct status *status, struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "connection", _("This connection"));
    const struct sql_link *link = &status->link;

    doc_str(section, "host", _("Host"), link->host);
    describe_number(section, "port", _("Port"), link->port);
    doc_str(section, "database", _("Database"), link->database);
    doc_str(section, "role", _("Role"), link->role);
    doc_str(section, "server_version", _("PostgreSQL"), status->server_version);
    if (!link->tls) {
        doc_verdict(section, "link", _("Link"), DOC_PLAIN, "no_tls", _("without TLS"));
        return;
    }
    doc_verdict(section, "link", _("Link"), DOC_GOOD, "tls", "TLS");
    doc_str(section, "version", _("TLS version"), link->version);
    doc_str(section, "cipher", _("Cipher"), link->cipher);
    describe_number(section, "bits", _("Bits"), link->bits);
    describe_served(status, section);
}

static void describe_counts(const struct status *status, struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "totals", _("Sessions by protection"));

    doc_int(section, "sessions", _("All sessions"), (int64_t)status->sessions.len);
    for (size_t i = 0; i < LINK_KINDS; i++) {
        size_t count = status->sessions.count[i];

        doc_mark(doc_int(section, links[i].word, _(links[i].label), (int64_t)count),
                 count ? links[i].mark : DOC_PLAIN);
    }
}

/* ---- totals by role and by application ---- */

struct total {
    const char *name;
    size_t count[LINK_KINDS];
};

struct totals {
    struct total *at;
    size_t len, cap;
};

static const char *role_of(const struct session *session)
{
    return session->role;
}

static const char *application_of(const struct session *session)
{
    return session->application;
}

static bool same_name(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct total *total_for(struct totals *totals, const char *name)
{
    for (size_t i = 0; i < totals->len; i++)
        if (same_name(totals->at[i].name, name))
            return &totals->at[i];
    PS_PUSH(totals->at, totals->len, totals->cap) = (struct total){ .name = name };
    return &totals->at[totals->len - 1];
}

static void describe_totals(const struct status *status, struct doc_node *root, const char *key,
                            const char *label, const char *column, const char *column_label,
                            const char *(*name_of)(const struct session *session))
{
    struct doc_node *table = doc_table(root, key, label, NULL);
    struct totals totals = { 0 };

    for (size_t i = 0; i < status->sessions.len; i++)
        total_for(&totals, name_of(&status->sessions.at[i]))->count[status->sessions.at[i].link]++;
    for (size_t i = 0; i < totals.len; i++) {
        struct doc_node *row = doc_row(table);

        doc_str(row, column, column_label, totals.at[i].name);
        for (size_t kind = 0; kind < LINK_KINDS; kind++) {
            struct doc_node *count = doc_int(row, links[kind].word, _(links[kind].text),
                                             (int64_t)totals.at[i].count[kind]);
            if (!status->sessions.count[kind])
                doc_aside(count);
        }
    }
    free(totals.at);
}

/* ---- tables ---- */

static void describe_sessions(const struct status *status, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "sessions", _("Sessions"), _("no session is open"));

    for (size_t i = 0; i < status->sessions.len; i++) {
        const struct session *session = &status->sessions.at[i];
        struct doc_node *row = doc_row(table);

        doc_int(row, "pid", _("PID"), session->pid);
        doc_str(row, "role", _("Role"), session->role);
        doc_str(row, "database", _("Database"),
                session->database || !session->replication ? session->database : _("(replication)"));
        doc_str(row, "address", _("Address"), session->address);
        doc_str(row, "application", _("Application"), session->application);
        doc_verdict(row, "link", _("Link"), links[session->link].mark, links[session->link].word,
                    _(links[session->link].text));
        doc_str(row, "version", _("Version"), session->version);
        doc_str(row, "cipher", _("Cipher"), session->cipher);
        if (session->link == LINK_TLS)
            doc_aside(doc_int(row, "bits", _("Bits"), session->bits));
        else
            doc_aside(doc_str(row, "bits", _("Bits"), NULL));
        doc_str(row, "client_dn", _("Client certificate"), session->client_dn);
        doc_aside(doc_str(row, "client_serial", _("Serial"), session->client_serial));
        doc_aside(doc_str(row, "issuer_dn", _("Issuer"), session->issuer_dn));
        doc_aside(doc_bool(row, "replication", _("Replication"), session->replication));
        doc_aside(doc_bool(row, "this_session", _("This session"), session->own));
    }
}

static void describe_settings(const struct status *status, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "settings", _("Settings in force"), NULL);

    for (size_t i = 0; i < status->settings.len; i++) {
        const struct inforce_setting *setting = &status->settings.at[i];
        struct doc_node *row = doc_row(table);

        doc_str(row, "name", _("Setting"), setting->name);
        doc_str(row, "value", _("Value"), setting->value);
        doc_str(row, "source", _("Source"), setting->source);
        doc_str(row, "file", _("File"), setting->file);
        if (setting->file)
            doc_int(row, "line", _("Line"), setting->line);
        else
            doc_str(row, "line", _("Line"), NULL);

        struct doc_node *pending =
            doc_bool(row, "pending_restart", _("Restart pending"), setting->pending_restart);
        if (setting->pending_restart)
            doc_mark(pending, DOC_WARN);
        else
            doc_aside(pending);
    }
    if (!status->settings.all_shown)
        doc_para(root, DOC_UNKNOWN, "%s",
                 _("This role is not shown the files of settings, nor those that only superusers see. "
                   "Grant it pg_monitor or pg_read_all_settings."));
}

static const char *const origins[] = {
    [REMOTE_NONE] = NULL, [REMOTE_SQL] = "sql", [REMOTE_DISK] = "disk",
};

static void describe_item(const struct status *status, const struct tls_item *item,
                          struct doc_node *row)
{
    doc_str(row, "setting", _("Setting"), item->setting);
    doc_str(row, "path", _("File"), item->path);
    if (item->why) {
        doc_verdict(row, "state", _("State"), DOC_UNKNOWN, "not_examined", _("not examined"));
        doc_str(row, "reason", _("Why"), item->why);
        return;
    }
    doc_str(row, "subject", _("Subject"), item->subject);
    doc_aside(doc_str(row, "issuer", _("Issuer"), item->issuer));
    describe_validity(status, row, item->kind, item->from, item->until);
    doc_aside(doc_str(row, "serial", _("Serial"), item->serial));
    doc_aside(doc_str(row, "sha256", _("SHA-256"), item->fingerprint));
    doc_aside(doc_str(row, "read_by", _("Read by"), origins[item->origin]));
}

static void describe_files(const struct status *status, struct doc_node *root)
{
    struct doc_node *table =
        doc_table(root, "files", _("Certificates and CRLs"), _("no setting names a file"));

    for (size_t i = 0; i < status->files.len; i++)
        describe_item(status, &status->files.at[i], doc_row(table));
}

static const struct {
    const char *word, *text;
} sslinfo_states[] = {
    [SSLINFO_UNKNOWN]   = { "unknown",   N_("not examined") },
    [SSLINFO_MISSING]   = { "missing",   N_("not on this server") },
    [SSLINFO_AVAILABLE] = { "available", N_("available, not installed in this database") },
    [SSLINFO_INSTALLED] = { "installed", N_("installed") },
};

static void describe_sslinfo(const struct status *status, struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "sslinfo", _("Extension sslinfo"));
    const struct sslinfo *info = &status->sslinfo;

    doc_verdict(section, "state", _("State"), info->state == SSLINFO_UNKNOWN ? DOC_UNKNOWN : DOC_PLAIN,
                sslinfo_states[info->state].word, _(sslinfo_states[info->state].text));
    if (info->state != SSLINFO_INSTALLED)
        return;
    doc_str(section, "version", "ssl_version()", info->version);
    doc_str(section, "cipher", "ssl_cipher()", info->cipher);
    doc_str(section, "client_serial", "ssl_client_serial()", info->client_serial);
    doc_str(section, "client_dn", "ssl_client_dn()", info->client_dn);
    doc_str(section, "issuer_dn", "ssl_issuer_dn()", info->issuer_dn);
}

enum severity status_describe(const struct status *status, struct doc_node *root)
{
    enum severity worst = status_findings(status, root);

    describe_link(status, root);
    describe_counts(status, root);
    describe_totals(status, root, "by_role", _("Sessions by role"), "role", _("Role"), role_of);
    describe_totals(status, root, "by_application", _("Sessions by application"), "application",
                    _("Application"), application_of);
    describe_sessions(status, root);
    describe_settings(status, root);
    describe_files(status, root);
    describe_sslinfo(status, root);
    return worst;
}
