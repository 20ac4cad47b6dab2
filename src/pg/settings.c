/* settings.c - the table; see settings.h. */
#include "pg/settings.h"

#include <strings.h>

#define SAME(value) { { 0, value } }    /* one default in all majors */

static const struct pg_setting settings[] = {
    /* name, since, until, reload since, defaults, became, what */
    { "ssl", 9, 0, 10, SAME("off"), NULL, N_("whether the server offers TLS") },
    { "ssl_cert_file", 9, 0, 10, SAME("server.crt"), NULL,
      N_("the server's certificate, then its intermediate CAs") },
    { "ssl_key_file", 9, 0, 10, SAME("server.key"), NULL, N_("the server's private key") },
    { "ssl_ca_file", 9, 0, 10, SAME(""), NULL,
      N_("the CAs by which certificates of clients are checked") },
    { "ssl_crl_file", 9, 0, 10, SAME(""), NULL,
      N_("revocation lists of all these CAs in one file") },
    { "ssl_crl_dir", 14, 0, 14, SAME(""), NULL,
      N_("revocation lists in a folder, taken without a reload") },
    { "ssl_min_protocol_version", 12, 0, 12, { { 12, "TLSv1" }, { 13, "TLSv1.2" } }, NULL,
      N_("the oldest version of TLS") },
    { "ssl_max_protocol_version", 12, 0, 12, SAME(""), NULL,
      N_("the newest version of TLS; empty for any") },
    { "ssl_ciphers", 9, 0, 10, SAME("HIGH:MEDIUM:+3DES:!aNULL"), NULL,
      N_("cipher suites of TLS 1.2 and before") },
    { "ssl_tls13_ciphers", 18, 0, 18, SAME(""), NULL,
      N_("cipher suites of TLS 1.3; empty for those of OpenSSL") },
    { "ssl_prefer_server_ciphers", 9, 0, 10, SAME("on"), NULL,
      N_("whether the server's order of cipher suites counts, and not the client's") },
    { "ssl_ecdh_curve", 9, 17, 10, SAME("prime256v1"), "ssl_groups",
      N_("the curve for exchanging keys") },
    { "ssl_groups", 18, 0, 18, SAME("X25519:prime256v1"), NULL,
      N_("the groups for exchanging keys") },
    { "ssl_dh_params_file", 10, 0, 10, SAME(""), NULL,
      N_("parameters for DHE suites; empty for the built-in ones") },
    { "ssl_passphrase_command", 11, 0, 11, SAME(""), NULL,
      N_("the command that gives the passphrase of the private key") },
    { "ssl_passphrase_command_supports_reload", 11, 0, 11, SAME("off"), NULL,
      N_("whether that command may run at a reload; if not, no reload takes new TLS files") },
    { "ssl_renegotiation_limit", 9, 0, 9, SAME("0"), NULL,
      N_("no longer has a meaning; nothing but 0 is taken") },
    { "ssl_library", 12, 0, 0, SAME("OpenSSL"), NULL,
      N_("the TLS library that the server was built with; cannot be set") },
    { "ssl_sni", 19, 0, 19, SAME("off"), NULL,
      N_("whether certificates are chosen by the name that the client asks for") },
    { "hosts_file", 19, 0, 0, SAME(""), NULL,
      N_("certificates by name; empty for pg_hosts.conf in the data directory") },

    { "config_file", 9, 0, 0, SAME(""), NULL,
      N_("the main configuration file; empty for postgresql.conf in the data directory") },
    { "data_directory", 9, 0, 0, SAME(""), NULL, N_("the data directory") },
    { "hba_file", 9, 0, 0, SAME(""), NULL,
      N_("who may connect; empty for pg_hba.conf in the data directory") },
    { "ident_file", 9, 0, 0, SAME(""), NULL,
      N_("maps of user names; empty for pg_ident.conf in the data directory") },
    { "listen_addresses", 9, 0, 0, SAME("localhost"), NULL,
      N_("the addresses on which the server listens") },
    { "port", 9, 0, 0, SAME("5432"), NULL, N_("the port on which the server listens") },
    { "unix_socket_directories", 9, 0, 0, SAME("/tmp"), NULL,
      N_("the folders of its Unix-domain sockets") },
    { "max_connections", 9, 0, 0, SAME("100"), NULL, N_("how many connections it takes") },
    { "authentication_timeout", 9, 0, 9, SAME("60"), NULL,
      N_("seconds for the TLS handshake and authentication together") },
    { "password_encryption", 9, 0, 9, { { 9, "on" }, { 10, "md5" }, { 14, "scram-sha-256" } }, NULL,
      N_("how new passwords are stored; channel binding needs scram-sha-256") },
    { "md5_password_warnings", 18, 0, 18, SAME("on"), NULL,
      N_("whether the server warns of MD5 passwords") },
    { "log_connections", 9, 0, 9, { { 9, "off" }, { 18, "" } }, NULL,
      N_("whether connections are logged, with their TLS version and cipher") },
    { "log_disconnections", 9, 0, 9, SAME("off"), NULL, N_("whether ends of sessions are logged") },
    { "log_hostname", 9, 0, 9, SAME("off"), NULL,
      N_("whether host names are looked up for the log") },
    { "log_line_prefix", 9, 0, 9, { { 9, "" }, { 10, "%m [%p] " } }, NULL,
      N_("what each line of the log begins with") },
    { "log_destination", 9, 0, 9, SAME("stderr"), NULL, N_("where the log goes") },
    { "logging_collector", 9, 0, 0, SAME("off"), NULL,
      N_("whether the server keeps its log in files of its own") },
    { "log_directory", 9, 0, 9, { { 9, "pg_log" }, { 10, "log" } }, NULL,
      N_("the folder of these files") },
    { "log_filename", 9, 0, 9, SAME("postgresql-%Y-%m-%d_%H%M%S.log"), NULL,
      N_("the names of these files") },
    { "trace_connection_negotiation", 17, 0, 0, SAME("off"), NULL,
      N_("whether requests for TLS and their answers are logged") },
};

size_t pg_settings_count(void)
{
    return PS_COUNT(settings);
}

const struct pg_setting *pg_setting_at(size_t i)
{
    return &settings[i];
}

const struct pg_setting *pg_setting_find(const char *name)
{
    for (size_t i = 0; i < PS_COUNT(settings); i++)
        if (strcasecmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

static const struct pg_setting *find_in(const char *name, unsigned major)
{
    const struct pg_setting *found = pg_setting_find(name);

    return found && found->since <= major && (!found->until || major <= found->until) ? found : NULL;
}

bool pg_setting_known(const char *name, unsigned major)
{
    return find_in(name, major) != NULL;
}

bool pg_setting_reloads(const char *name, unsigned major)
{
    const struct pg_setting *found = find_in(name, major);

    return found && found->reload_since && found->reload_since <= major;
}

const char *pg_setting_default(const char *name, unsigned major)
{
    const struct pg_setting *found = find_in(name, major);
    const char *value = NULL;

    if (!found)
        return NULL;
    for (size_t i = 0; i < PS_COUNT(found->defaults); i++)
        if (found->defaults[i].value && found->defaults[i].since <= major)
            value = found->defaults[i].value;
    return value;
}

const char *pg_setting_name(const char *name, unsigned major)
{
    const struct pg_setting *found = pg_setting_find(name);

    return found && found->became && major > found->until ? found->became : name;
}

const char *pg_clientcert_word(unsigned major, bool full)
{
    if (major >= 12)
        return full ? "verify-full" : "verify-ca";
    return full ? NULL : "1";
}
