/* scan_doc.c - see scan_doc.h. */
#include "cli/scan_doc.h"

#include "base/clock.h"
#include "pg/wire.h"

/* ---- words ---- */

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} facts[] = {
    [FACT_UNKNOWN] = { "unknown", N_("unknown"), DOC_UNKNOWN },
    [FACT_NO]      = { "no",      N_("no"),      DOC_PLAIN },
    [FACT_YES]     = { "yes",     N_("yes"),     DOC_PLAIN },
};

static void put_fact(struct doc_node *node, const char *key, const char *label, enum fact_bool fact)
{
    doc_verdict(node, key, label, facts[fact].mark, facts[fact].word, _(facts[fact].text));
}

static const struct {
    const char *word, *text;
} reaches[] = {
    [REACH_NO_NAME]       = { "no_name",       N_("the name has no address") },
    [REACH_NO_CONNECTION] = { "no_connection", N_("no connection") },
    [REACH_SILENT]        = { "silent",        N_("no answer in time") },
    [REACH_CLOSED]        = { "closed",        N_("closed without an answer") },
    [REACH_NOT_POSTGRES]  = { "not_postgres",  N_("not PostgreSQL") },
    [REACH_YES]           = { "postgres",      N_("PostgreSQL answers") },
};

static const char *const kinds[KINDS] = {
    [KIND_UNKNOWN] = "unknown", [KIND_POSTGRES] = "postgresql", [KIND_PGBOUNCER] = "pgbouncer",
    [KIND_PGPOOL] = "pgpool", [KIND_ODYSSEY] = "odyssey", [KIND_SUPAVISOR] = "supavisor",
    [KIND_NEON_PROXY] = "neon_proxy", [KIND_RDS_PROXY] = "rds_proxy",
    [KIND_AZURE_GATEWAY] = "azure_gateway", [KIND_OTHER] = "other",
};

const char *scan_plaintext_word(const struct seen *seen)
{
    return facts[seen_plaintext(seen)].word;
}

const char *scan_reach_word(const struct seen *seen)
{
    return reaches[seen->reach].word;
}

const char *scan_reach_text(const struct seen *seen)
{
    return _(reaches[seen->reach].text);
}

const char *scan_word_text(const char *word)
{
    for (size_t i = 0; i < PS_COUNT(facts); i++)
        if (strcmp(facts[i].word, word) == 0)
            return _(facts[i].text);
    for (size_t i = 0; i < PS_COUNT(reaches); i++)
        if (strcmp(reaches[i].word, word) == 0)
            return _(reaches[i].text);
    return word;
}

const char *scan_kind_word(const struct seen *seen)
{
    return seen->reach == REACH_YES ? kinds[seen->kind] : NULL;
}

void scan_put_plaintext(struct doc_node *node, const struct seen *seen)
{
    static const enum doc_mark marks[] = { DOC_UNKNOWN, DOC_GOOD, DOC_BAD };
    enum fact_bool fact = seen_plaintext(seen);

    doc_verdict(node, "plaintext", _("Plaintext"), marks[fact], facts[fact].word,
                _(facts[fact].text));
}

static const char *code_name(const char *name, uint16_t code, char out[8])
{
    if (name)
        return name;
    snprintf(out, 8, "0x%04x", code);
    return out;
}

static const char *suite_name(uint16_t code, char out[8])
{
    const struct tls_suite *suite = tls_suite_find(code);

    return code_name(suite && suite->openssl ? suite->openssl : suite ? suite->name : NULL, code, out);
}

/* ---- TLS ---- */

/* A list is an array for programs and one field for people. */
static void put_list(struct doc_node *node, const char *key, const char *label,
                     const char *const *items, size_t len)
{
    struct doc_node *list = doc_table(node, key, NULL, NULL);
    PS_AUTO(buf_free) struct buf text = BUF(65536);

    for (size_t i = 0; i < len; i++) {
        doc_str(list, NULL, NULL, items[i]);
        buf_printf(&text, "%s%s", i ? ", " : "", items[i]);
    }
    if (label)
        doc_str(node, NULL, label, text.len ? buf_text(&text) : "-");
}

static void put_versions(struct doc_node *tls, const struct seen *seen)
{
    const char *names[SEEN_VERSIONS];
    size_t len = 0;

    for (int i = SEEN_VERSIONS - 1; i >= 0; i--)
        if (seen->versions[i] == FACT_YES)
            names[len++] = tls_version_name(seen_versions[i]);
    put_list(tls, "versions", _("Versions"), names, len);
}

static void put_suites(struct doc_node *tls, const struct seen *seen)
{
    struct doc_node *suites = doc_section(tls, "suites", _("Cipher suites"));

    for (int i = SEEN_VERSIONS - 1; i >= 0; i--) {
        const char *names[SEEN_SUITES_MAX];
        char numbers[SEEN_SUITES_MAX][8];
        size_t len = 0;

        for (size_t k = 0; k < seen->suites_len; k++)
            if (seen->suites[k].version == seen_versions[i]) {
                names[len] = suite_name(seen->suites[k].suite, numbers[len]);
                len++;
            }
        if (len)
            put_list(suites, tls_version_name(seen_versions[i]), tls_version_name(seen_versions[i]),
                     names, len);
    }
    doc_bool(tls, "suites_complete", _("All suites are listed"), seen->all_suites);
}

static void put_groups(struct doc_node *tls, const struct seen *seen)
{
    const char *names[SEEN_GROUPS_MAX];
    char numbers[SEEN_GROUPS_MAX][8];

    for (size_t i = 0; i < seen->groups_len; i++)
        names[i] = code_name(tls_group_name(seen->groups[i]), seen->groups[i], numbers[i]);
    put_list(tls, "groups", _("Groups"), names, seen->groups_len);
    doc_bool(tls, "groups_complete", _("All groups are listed"), seen->all_groups);
    if (seen->dh_bits)
        doc_int(tls, "dh_bits", _("Diffie-Hellman bits"), seen->dh_bits);
}

/* By version, as suites are. */
static void put_schemes(struct doc_node *tls, const struct seen *seen)
{
    struct doc_node *section = doc_section(tls, "signature_schemes", _("Signature schemes"));

    for (int i = SEEN_VERSIONS - 1; i >= 0; i--) {
        const char *names[SEEN_SCHEMES_MAX];
        char numbers[SEEN_SCHEMES_MAX][8];
        size_t len = 0;

        for (size_t k = 0; k < seen->schemes_len; k++)
            if (seen->schemes[k].version == seen_versions[i]) {
                uint16_t scheme = seen->schemes[k].scheme;
                names[len] = code_name(tls_scheme_name(scheme), scheme, numbers[len]);
                len++;
            }
        if (len)
            put_list(section, tls_version_name(seen_versions[i]), tls_version_name(seen_versions[i]),
                     names, len);
    }
    struct doc_node *complete = doc_bool(tls, "signature_schemes_complete",
                                         _("All signature schemes are listed"), seen->all_schemes);
    if (!seen->all_schemes) {
        doc_aside(section);
        doc_aside(complete);
    }
}

/* It is worth a line when it is not so, or was taken on trust. */
static void put_end(struct doc_node *tls, const struct seen *seen)
{
    const char *const key = "ends_at_postgresql", *const label = _("PostgreSQL itself ends TLS");

    if (seen->kind != KIND_POSTGRES)
        return;
    if (seen->bound == FACT_NO)
        doc_verdict(tls, key, label, DOC_WARN, "no", _("no: it has another certificate than the one that was seen"));
    else if (seen->assumed)
        doc_verdict(tls, key, label, DOC_UNKNOWN, "assumed",
                    _("assumed: what its settings rule out was not asked for"));
    else
        doc_aside(doc_verdict(tls, key, label, facts[seen->bound].mark, facts[seen->bound].word,
                              _(facts[seen->bound].text)));
}

static void put_tls(struct doc_node *node, const struct seen *seen)
{
    struct doc_node *tls = doc_section(node, "tls", "TLS");
    size_t len = 0;

    doc_bool(tls, "offered", _("Offered"), seen->letter == 'S');
    if (seen->letter != 'S')
        return;
    put_versions(tls, seen);
    doc_aside(doc_str(tls, "lowest_version", _("Lowest TLS"), scan_lowest_version(seen)));
    put_suites(tls, seen);
    put_groups(tls, seen);
    put_schemes(tls, seen);
    put_fact(tls, "server_preference", _("The server's order counts"), seen->server_order);
    put_end(tls, seen);
    put_fact(tls, "direct", _("Direct TLS"), seen->direct_tls);
    put_fact(tls, "client_certificate_asked", _("Client certificate asked for"), seen->asks_certificate);
    put_fact(tls, "client_certificate_demanded", _("Client certificate demanded"),
             seen->demands_certificate);
    while (seen->authorities && seen->authorities[len])
        len++;
    if (len)
        put_list(tls, "client_authorities", _("CAs of clients"), seen->authorities, len);

    struct doc_node *aside = doc_aside(doc_section(tls, "extensions", _("Extensions")));
    put_fact(aside, "compression", _("Compression"), seen->compression);
    put_fact(aside, "secure_renegotiation", _("Secure renegotiation"), seen->secure_renegotiation);
    put_fact(aside, "client_renegotiation", _("Clients may renegotiate"), seen->client_renegotiation);
    put_fact(aside, "extended_master_secret", _("Extended master secret"),
             seen->extended_master_secret);
    put_fact(aside, "encrypt_then_mac", _("Encrypt-then-MAC"), seen->encrypt_then_mac);
    put_fact(aside, "tickets", _("Session tickets"), seen->tickets);
    put_fact(aside, "session_ids", _("Session identifiers"), seen->session_ids);
    put_fact(aside, "downgrade_sentinel", _("Downgrade sentinel"), seen->sentinel);
    put_fact(aside, "alpn", "ALPN", seen->alpn);
}

/* ---- certificate ---- */

static void put_names(struct doc_node *node, const struct cert_info *info)
{
    const char *names[256];
    size_t len = 0;

    for (const char *const *dns = info->dns; *dns && len < PS_COUNT(names); dns++)
        names[len++] = *dns;
    for (const char *const *ip = info->ip; *ip && len < PS_COUNT(names); ip++)
        names[len++] = *ip;
    put_list(node, "names", _("Names"), names, len);
}

/* As it was sent, the server's own first. */
static void put_chain(struct doc_node *node, const struct cert_list *chain)
{
    struct doc_node *table = doc_aside(doc_table(node, "chain", _("Chain as sent"), NULL));

    for (size_t i = 0; i < chain->len; i++) {
        const struct cert_info *info = cert_info(chain->at[i]);
        struct doc_node *row = doc_row(table);

        doc_str(row, "subject", _("Subject"), info->subject);
        doc_str(row, "issuer", _("Issuer"), info->issuer);
        doc_time(row, "not_after", _("Not after"), info->not_after);
        doc_str(row, "fingerprint", "SHA-256", info->fingerprint);
    }
}

static void put_certificate(struct doc_node *node, const struct seen *seen)
{
    struct doc_node *section;

    if (!seen->chain.len)
        return;
    const struct cert_info *info = cert_info(seen->chain.at[0]);
    section = doc_section(node, "certificate", _("Certificate"));
    doc_str(section, "subject", _("Subject"), info->subject);
    doc_str(section, "issuer", _("Issuer"), info->issuer);
    put_names(section, info);
    doc_str(section, "key", _("Key"), info->key_text);
    doc_str(section, "signature", _("Signature"), info->signature_text);
    doc_str(section, "serial", _("Serial number"), info->serial_hex);
    doc_time(section, "not_before", _("Not before"), info->not_before);
    doc_time(section, "not_after", _("Not after"), info->not_after);
    doc_int(section, "days_left", _("Days left"), clock_days_until(info->not_after));
    doc_int(section, "sent", _("Certificates sent"), (int64_t)seen->chain.len);
    doc_str(section, "fingerprint", "SHA-256", info->fingerprint);
    put_chain(section, &seen->chain);
}

/* ---- the whole ---- */

static const struct {
    const char *word, *text;
} startups[] = {
    [STARTUP_UNKNOWN]      = { "unknown",      N_("unknown") },
    [STARTUP_ASKED]        = { "asked",        N_("asked for a proof") },
    [STARTUP_IN]           = { "let_in",       N_("let in without any proof") },
    [STARTUP_CERTIFICATE]  = { "certificate",  N_("a client certificate is missing") },
    [STARTUP_HEARD]        = { "no_such_role", N_("no such role") },
    [STARTUP_FAILED]       = { "failed",       N_("authentication failed") },
    [STARTUP_REFUSED]      = { "refused",      N_("refused") },
    [STARTUP_TLS_DEMANDED] = { "tls_demanded", N_("TLS is demanded") },
    [STARTUP_ERROR]        = { "error",        N_("another error") },
};

/* The method that was asked for has one name in all languages. */
static struct doc_node *put_startup(struct doc_node *node, const char *key, const char *label,
                                    const struct startup_seen *startup)
{
    const char *method = startup->end == STARTUP_ASKED ? wire_auth_name(startup->auth) : NULL;

    return doc_verdict(node, key, label, DOC_PLAIN, method ? method : startups[startup->end].word,
                       method ? method : _(startups[startup->end].text));
}

static void put_logins(struct doc_node *node, const struct seen *seen)
{
    struct doc_node *logins = doc_section(node, "logins", _("What a startup is answered")), *over_tls;

    put_startup(logins, "plaintext", _("In plaintext"), &seen->plain);
    put_startup(logins, "plaintext_replication", _("Replication in plaintext"), &seen->plain_replication);
    over_tls = put_startup(logins, "tls", _("Over TLS"), &seen->over_tls);
    struct doc_node *bound = doc_bool(logins, "channel_binding", _("Channel binding offered"),
                                      seen->over_tls.scram_plus);
    if (seen->letter != 'S') {          /* without TLS there is nothing to be said of it */
        doc_aside(over_tls);
        doc_aside(bound);
    }
    put_fact(logins, "gss_encryption", _("GSSAPI encryption offered"), seen->gss);
}

/* "14 to 16" for people; the bounds for programs, null where there is none. */
static void put_major(struct doc_node *node, const struct seen *seen)
{
    PS_AUTO(buf_free) struct buf text = BUF(64);
    struct doc_node *version;

    if (!seen->major_from && !seen->major_to)
        return;
    if (seen->major_from == seen->major_to)
        buf_printf(&text, "%d", seen->major_from);
    else if (!seen->major_to)
        buf_printf(&text, _("%d or later"), seen->major_from);
    else if (!seen->major_from)
        buf_printf(&text, _("%d or earlier"), seen->major_to);
    else
        buf_printf(&text, _("%d to %d"), seen->major_from, seen->major_to);
    doc_str(node, NULL, _("Version"), buf_text(&text));
    version = doc_aside(doc_section(node, "major_version", _("Major version")));
    if (seen->major_from)
        doc_int(version, "at_least", _("At least"), seen->major_from);
    if (seen->major_to)
        doc_int(version, "at_most", _("At most"), seen->major_to);
}

void scan_describe(const struct seen *seen, const struct report *report, struct doc_node *node)
{
    doc_str(node, "host", _("Host"), seen->host);
    doc_int(node, "port", _("Port"), seen->port);
    doc_str(node, "address", _("Address"), seen->address);
    doc_verdict(node, "reach", _("Reached"), seen->reach == REACH_YES ? DOC_PLAIN : DOC_UNKNOWN,
                scan_reach_word(seen), scan_reach_text(seen));
    doc_int(node, "connections", _("Connections"), seen->connections);
    doc_ms(node, "took_ms", _("Time"), (double)seen->took_us / 1000);
    doc_aside(doc_ms(node, "cpu_ms", _("Our processor time"), (double)seen->cpu_us / 1000));
    if (seen->reach == REACH_YES) {
        doc_str(node, "kind", _("Kind"), scan_kind_word(seen));
        put_major(node, seen);
        if (seen->hosted_by)
            doc_str(node, "hosted_by", _("Hosted by"), seen->hosted_by);
        scan_put_plaintext(node, seen);
        put_tls(node, seen);
        put_certificate(node, seen);
        put_logins(node, seen);
    } else {
        scan_put_plaintext(node, seen);
        doc_str(node, "reason", _("Reason"), seen->reach_text);
    }
    report_describe(report, node);
}

const char *scan_lowest_version(const struct seen *seen)
{
    bool unknown = false;

    for (int i = 0; i < SEEN_VERSIONS; i++) {
        unknown |= seen->versions[i] == FACT_UNKNOWN;
        /* an old one is bad enough; that a good one is the lowest is to be known */
        if (seen->versions[i] == FACT_YES)
            return unknown && seen_versions[i] >= TLS_1_2 ? NULL : tls_version_name(seen_versions[i]);
    }
    return NULL;
}
