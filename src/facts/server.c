/* server.c - see server.h. */
#include "facts/server.h"

#include <strings.h>

#include "pg/settings.h"

void server_free(struct server *server)
{
    hba_freep(&server->hba);
    conf_freep(&server->conf);
    arena_free(server->arena);
    free(server);
}

const char *server_arg(const struct server *server, const char *name)
{
    /* the last one wins, as in the server */
    for (size_t i = server->args_len; i-- > 0; )
        if (strcasecmp(server->args[i].name, name) == 0)
            return server->args[i].value;
    return NULL;
}

const char *server_setting(const struct server *server, const char *name)
{
    const char *arg = server_arg(server, name);
    const struct conf_setting *set = server->conf ? conf_winner(server->conf, name) : NULL;

    if (arg)
        return arg;
    return set ? set->value : pg_setting_default(name, server->major);
}

bool server_tls_on(const struct server *server)
{
    const char *value = server_setting(server, "ssl");
    bool on = false;

    return value && conf_bool(value, &on) && on;
}

/* ---- what it can do ---- */

/* OpenSSL's version as a number that compares: 1.1.1 is 10101, 3.0.19 is 30019. */
static long openssl_number(const char *text)
{
    unsigned major = 0, minor = 0, patch = 0;

    if (!text || sscanf(text, "OpenSSL %u.%u.%u", &major, &minor, &patch) < 2)
        return 0;
    return (long)major * 10000 + (long)minor * 100 + (long)patch;
}

/* Since when the two of them speak a version of TLS; 0: always. */
static const struct {
    const char *name;
    long openssl;
    const char *note;
} protocols[] = {
    { "TLSv1",   0,     N_("obsolete (RFC 8996); OpenSSL 3 refuses it unless its security level is 0") },
    { "TLSv1.1", 0,     N_("obsolete (RFC 8996); OpenSSL 3 refuses it unless its security level is 0") },
    { "TLSv1.2", 10001, NULL },
    { "TLSv1.3", 10101, NULL },
};

static void describe_protocols(const struct server *server, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "protocols", _("Protocols it can speak"), NULL);
    long openssl = openssl_number(server->openssl_version);

    for (size_t i = 0; i < PS_COUNT(protocols); i++) {
        struct doc_node *row = doc_row(table);
        bool can = openssl >= protocols[i].openssl;

        doc_str(row, "protocol", _("Protocol"), protocols[i].name);
        if (!openssl)
            doc_verdict(row, "supported", _("Supported"), DOC_UNKNOWN, "unknown", _("not known"));
        else
            doc_verdict(row, "supported", _("Supported"), DOC_PLAIN, can ? "yes" : "no",
                        can ? _("yes") : _("no"));
        doc_str(row, "note", _("Note"), protocols[i].note ? _(protocols[i].note) : "");
    }
}

static void describe_settings(const struct server *server, struct doc_node *section)
{
    struct doc_node *table = doc_aside(doc_table(section, "settings",
                                                 _("TLS settings of this version"), NULL));

    for (size_t i = 0; i < pg_settings_count(); i++) {
        const struct pg_setting *setting = pg_setting_at(i);

        if (strncmp(setting->name, "ssl", 3) != 0)
            continue;
        struct doc_node *row = doc_row(table);
        bool known = pg_setting_known(setting->name, server->major);
        const struct conf_setting *set = known && server->conf
            ? conf_winner(server->conf, setting->name) : NULL;

        doc_str(row, "name", _("Setting"), setting->name);
        doc_verdict(row, "exists", _("Exists"), DOC_PLAIN, known ? "yes" : "no",
                    known ? _("yes") : _("no"));
        doc_str(row, "value", _("Value"), known ? server_setting(server, setting->name) : NULL);
        if (set)
            doc_fmt(row, "source", _("From"), "%s:%u", set->at.file, set->at.line);
        else
            doc_str(row, "source", _("From"),
                    known && server_arg(server, setting->name) ? "command line" : NULL);
    }
}

static void doc_fact(struct doc_node *node, const char *key, const char *label, enum fact_bool fact)
{
    static const struct {
        const char *word, *text;
        enum doc_mark mark;
    } facts[] = {
        [FACT_UNKNOWN] = { "unknown", N_("not known"), DOC_UNKNOWN },
        [FACT_NO]      = { "no",      N_("no"),        DOC_PLAIN },
        [FACT_YES]     = { "yes",     N_("yes"),       DOC_PLAIN },
    };

    doc_verdict(node, key, label, facts[fact].mark, facts[fact].word, _(facts[fact].text));
}

void server_describe(const struct server *server, struct doc_node *section)
{
    doc_str(section, "data_dir", _("Data directory"), server->data_dir);
    doc_str(section, "owner", _("Owner"), server->owner.name);
    doc_str(section, "version", _("PostgreSQL"), server->version);
    doc_aside(doc_int(section, "major", _("Major version"), server->major));
    doc_verdict(section, "running", _("Running"), DOC_PLAIN, server->running ? "yes" : "no",
                server->running ? _("yes") : _("no, it is stopped"));
    if (server->running)
        doc_aside(doc_int(section, "pid", _("Process"), server->pid));
    doc_int(section, "port", _("Port"), server->port);
    doc_str(section, "socket_dir", _("Socket folder"), server->socket_dir);
    doc_str(section, "listen_addresses", _("Listens on"), server->listen);
    doc_str(section, "config_file", _("Configuration"), server->config_file);
    doc_str(section, "hba_file", _("Access rules"), server->hba_file);
    doc_str(section, "openssl", _("TLS library"),
            server->openssl_version ? server->openssl_version : server->ssl_library);
    doc_str(section, "openssl_dir", "OPENSSLDIR", server->openssl_dir);
    doc_fact(section, "sslinfo", _("Extension sslinfo"), server->sslinfo);
    doc_fact(section, "standby", _("Standby"), server->standby);
    if (server->major)
        describe_settings(server, section);
    describe_protocols(server, section);
}
