/* creds.c - see creds.h. */
#include "secure/creds.h"

#include <errno.h>
#include <netdb.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tls/name.h"
#include "tls/verify.h"

void creds_free(struct creds *creds)
{
    ca_freep(&creds->ca);
    cert_list_free(&creds->chain);
    buf_free(&creds->cert_pem);
    secret_free(&creds->key_pem);
    buf_free(&creds->client_ca_pem);
    buf_free(&creds->client_crl_pem);
    buf_free(&creds->trust_pem);
}

/* ---- names ---- */

static void add_host(struct server *mutable_arena, const char **list, size_t *len, size_t max,
                     const char *host, size_t host_len)
{
    for (size_t i = 0; i < *len; i++)
        if (strlen(list[i]) == host_len && strncasecmp(list[i], host, host_len) == 0)
            return;
    if (host_len && *len + 1 < max)
        list[(*len)++] = arena_strndup(mutable_arena->arena, host, host_len);
}

/* The name that DNS or /etc/hosts gives to our host name, such as db1.example.net. */
static char *full_name(const char *host)
{
    const struct addrinfo want = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char *name = NULL;

    if (getaddrinfo(host, NULL, &want, &found) == 0) {
        if (found->ai_canonname && strchr(found->ai_canonname, '.'))
            name = ps_strdup(found->ai_canonname);
        freeaddrinfo(found);
    }
    return name;
}

const char *const *creds_default_hosts(const struct server *server)
{
    enum { MAX = 64 };
    struct server *writable = (struct server *)server;     /* its arena only */
    const char **list = arena_alloc(server->arena, MAX * sizeof(*list));
    char host[256] = "";
    size_t len = 0;

    if (gethostname(host, sizeof(host) - 1) == 0 && *host) {
        PS_AUTO(ps_freep) char *full = full_name(host);
        if (full)
            add_host(writable, list, &len, MAX, full, strlen(full));
        add_host(writable, list, &len, MAX, host, strlen(host));
    }
    add_host(writable, list, &len, MAX, "localhost", strlen("localhost"));
    for (const char *p = server->listen; p && *p; ) {
        size_t skip = strspn(p, ", "), word = strcspn(p + skip, ", ");
        PS_AUTO(ps_freep) char *address = ps_strndup(p + skip, word);

        if (strcmp(address, "*") == 0 || strcmp(address, "0.0.0.0") == 0
            || strcmp(address, "::") == 0)
            add_host(writable, list, &len, MAX, "127.0.0.1", strlen("127.0.0.1"));
        else
            add_host(writable, list, &len, MAX, address, word);
        p += skip + word;
    }
    return list;
}

/* ---- the user's own files ---- */

static bool read_pem(const char *path, struct buf *out, struct ps_err *err)
{
    return file_read(path, FILE_CONF_MAX, out, err);
}

static bool check_own_pair(const struct creds_spec *spec, struct creds *m, struct ps_err *err)
{
    PS_AUTO(key_freep) struct key *key = NULL;

    m->key_encrypted = key_pem_is_encrypted(m->key_pem.p, m->key_pem.len);
    if (m->key_encrypted)
        return true;        /* only the server has the passphrase: the reload is the test */
    if (!key_from_pem(m->key_pem.p, m->key_pem.len, spec->key_path, NULL, &key, err))
        return false;
    if (cert_matches_key(m->chain.at[0], key))
        return true;
    ps_fail(err, PS_E_CERT, _("private key \"%s\" does not fit certificate \"%s\""), spec->key_path,
            spec->cert_path);
    return ps_hint(err, _("The server's own certificate must be the first in the file; its "
                          "intermediates follow."));
}

static bool check_own_hosts(const struct creds_spec *spec, const struct creds *m,
                            struct ps_err *err)
{
    for (size_t i = 0; spec->hosts && spec->hosts[i]; i++)
        if (!cert_speaks_for(m->chain.at[0], spec->hosts[i])) {
            ps_fail(err, PS_E_CERT, _("certificate \"%s\" does not speak for host \"%s\""),
                    spec->cert_path, spec->hosts[i]);
            return ps_hint(err, _("Ask your CA for one that has it as a subject alternative name, or "
                                  "name with --host only what clients use."));
        }
    return true;
}

/*
 * OpenSSL's security level 2, the usual one of distributions, refuses such a certificate when the
 * server starts (SSL_CTX_set_security_level(3)), and level 1 is not long for this world.
 */
static bool check_own_strength(const struct creds_spec *spec, const struct creds *m,
                               struct ps_err *err)
{
    for (size_t i = 0; i < m->chain.len; i++) {
        const struct cert_info *info = cert_info(m->chain.at[i]);
        bool rsa = strncmp(info->key_text, "RSA", 3) == 0;
        bool weak_key = rsa ? info->key_bits < 2048 : info->key_bits < 224;
        bool weak_digest = !info->self_issued && (strcasestr(info->signature_text, "sha1")
                                                  || strcasestr(info->signature_text, "md5"));

        if (!weak_key && !weak_digest)
            continue;
        ps_fail(err, PS_E_CERT, _("certificate \"%s\" is too weak"), spec->cert_path);
        ps_detail(err, _("\"%s\" has key %s and signature %s: the server would not start with it."),
                  info->subject, info->key_text, info->signature_text);
        return ps_hint(err, _("Ask your CA for one with RSA 2048 or EC P-256 at least, signed with "
                              "SHA-256."));
    }
    return true;
}

bool creds_take_pair(const struct creds_spec *spec, struct creds *m, struct ps_err *err)
{
    PS_AUTO(buf_wipe) struct buf key = BUF(FILE_CONF_MAX);
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };

    if (!read_pem(spec->cert_path, &m->cert_pem, err) || !read_pem(spec->key_path, &key, err))
        return false;
    secret_set(&m->key_pem, buf_text(&key), key.len);
    if (!cert_list_from_pem(m->cert_pem.p, m->cert_pem.len, spec->cert_path, &m->chain, err)
        || !check_own_pair(spec, m, err) || !check_own_hosts(spec, m, err)
        || !check_own_strength(spec, m, err)
        || !read_pem(spec->trust_path, &m->trust_pem, err)
        || !cert_list_from_pem(buf_text(&m->trust_pem), m->trust_pem.len, spec->trust_path,
                               &anchors, err))
        return false;
    return verify_chain(&m->chain, &anchors, NULL, CERT_USE_SERVER, 0, err)
        || ps_while(err, _("clients that trust \"%s\" would not accept certificate \"%s\""),
                    spec->trust_path, spec->cert_path);
}

/* One CRL that is missing or has expired, and no client certificate is accepted any more. */
static bool check_own_crls(const struct creds_spec *spec, const struct creds *m,
                           const struct crl_list *crls, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };

    if (!cert_list_from_pem(buf_text(&m->trust_pem), m->trust_pem.len, spec->trust_path, &anchors,
                            err))
        return false;
    for (size_t i = 0; i < crls->len; i++) {
        const struct crl_info *info = crl_info(crls->at[i]);

        if (!info->next_update || info->next_update > clock_now())
            continue;
        ps_fail(err, PS_E_CERT, _("a revocation list in \"%s\" has expired"), spec->crl_path);
        ps_detail(err, _("It is the one of \"%s\"; with it no client certificate is accepted."),
                  info->issuer);
        return ps_hint(err, _("Get the present one from that CA."));
    }
    for (size_t i = 0; i < anchors.len; i++) {
        bool found = false;

        for (size_t k = 0; k < crls->len; k++)
            found = found || crl_issued_by(crls->at[k], anchors.at[i]);
        if (found)
            continue;
        ps_fail(err, PS_E_CERT, _("\"%s\" has no revocation list of \"%s\""), spec->crl_path,
                cert_info(anchors.at[i])->subject);
        ps_detail(err, _("PostgreSQL wants one of every CA of a chain; without it no client "
                         "certificate is accepted."));
        return ps_hint(err, _("Put the lists of all CAs into one file."));
    }
    return true;
}

/* Who signs the servers also signs the clients. */
static bool take_own_client_ca(const struct creds_spec *spec, struct creds *m,
                               struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };

    buf_put(&m->client_ca_pem, buf_text(&m->trust_pem), m->trust_pem.len);
    if (!spec->crl_path)
        return true;
    return read_pem(spec->crl_path, &m->client_crl_pem, err)
        && crl_list_from_pem(buf_text(&m->client_crl_pem), m->client_crl_pem.len, spec->crl_path,
                             &crls, err)
        && check_own_crls(spec, m, &crls, err);
}

/* ---- the CA's ---- */

static bool fill_from_ca(struct creds *m, struct ps_err *err)
{
    return ca_trust_pem(m->ca, CERT_USE_SERVER, &m->client_ca_pem, err)
        && ca_crl_pem(m->ca, CERT_USE_SERVER, &m->client_crl_pem, err);
}

bool creds_cert_due(const struct cert *cert)
{
    const struct cert_info *info = cert_info(cert);

    return clock_now() >= info->not_after - (info->not_after - info->not_before) / 3;
}

static const char *why_not_kept(const struct creds_spec *spec, const struct creds *m,
                                const struct cert_list *chain, const struct key *key)
{
    const struct cert *active = ca_intermediate(m->ca, CERT_USE_SERVER);

    if (chain->len < 2 || !active || !cert_same(chain->at[1], active))
        return _("the present certificate is not of this CA");
    if (!cert_matches_key(chain->at[0], key))
        return _("the present key does not fit its certificate");
    if (creds_cert_due(chain->at[0]))
        return _("less than a third of its life is left to the present certificate");
    for (size_t i = 0; spec->hosts && spec->hosts[i]; i++)
        if (!cert_speaks_for(chain->at[0], spec->hosts[i]))
            return _("the present certificate does not have all the names");
    return NULL;
}

/* The pair that the server's files name now, when it is one that we can read. */
static bool read_present(const struct server *server, struct buf *cert, struct buf *key)
{
    const char *cert_file = server_setting(server, "ssl_cert_file");
    const char *key_file = server_setting(server, "ssl_key_file");
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    struct ps_err ignored = { 0 };

    if (!cert_file || !key_file || !user_become(&server->owner, &guard, &ignored))
        return false;
    PS_AUTO(ps_freep) char *cert_path = path_join(server->data_dir, cert_file);
    PS_AUTO(ps_freep) char *key_path = path_join(server->data_dir, key_file);
    return file_read(cert_path, FILE_CONF_MAX, cert, &ignored)
        && file_read(key_path, FILE_CONF_MAX, key, &ignored);
}

static void keep_present(const struct creds_spec *spec, const struct server *server,
                         struct creds *m)
{
    PS_AUTO(buf_free) struct buf cert = BUF(FILE_CONF_MAX);
    PS_AUTO(buf_wipe) struct buf key_pem = BUF(FILE_CONF_MAX);
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err ignored = { 0 };

    m->will_make_cert = true;
    if (!server_tls_on(server)) {
        m->why_new = _("the server has none in use");
        return;
    }
    m->why_new = _("the present one cannot be read");
    if (!read_present(server, &cert, &key_pem)
        || !cert_list_from_pem(buf_text(&cert), cert.len, "", &chain, &ignored)
        || !key_from_pem(buf_text(&key_pem), key_pem.len, "", NULL, &key, &ignored))
        return;
    m->why_new = why_not_kept(spec, m, &chain, key);
    if (!m->why_new) {
        m->will_make_cert = false;
        buf_put(&m->cert_pem, cert.p, cert.len);
        secret_set(&m->key_pem, key_pem.p, key_pem.len);
        m->chain = chain;
        chain = (struct cert_list){ 0 };
    }
}

bool creds_find(const struct creds_spec *spec, const struct server *server,
                   struct creds *out, struct ps_err *err)
{
    if (spec->cert_path)
        return creds_take_pair(spec, out, err) && take_own_client_ca(spec, out, err);
    if (access(spec->ca_dir, R_OK | X_OK) != 0 && errno == EACCES) {
        ps_fail(err, PS_E_IO, _("could not open the CA in \"%s\": %m"), spec->ca_dir);
        return ps_hint(err, _("Run pgseal as root or as the owner of that folder."));
    }
    if (!ca_exists(spec->ca_dir)) {
        out->will_make_ca = true;
        out->will_make_cert = true;
        out->why_new = _("there is no CA yet");
        return true;
    }
    if (!ca_open(spec->ca_dir, spec->pass, spec->pass_arg, &out->ca, err))
        return false;
    keep_present(spec, server, out);
    return fill_from_ca(out, err);
}

bool creds_issue(const struct creds_spec *spec, struct creds *m, struct ps_err *err)
{
    const struct ca_leaf_spec leaf_spec = {
        .use = CERT_USE_SERVER, .hosts = spec->hosts, .key_type = spec->key_type,
    };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!ca_issue(m->ca, &leaf_spec, &leaf, err) || !key_to_pem(leaf.key, NULL, &m->key_pem, err))
        return false;
    for (size_t i = 0; i < leaf.chain.len; i++) {
        cert_list_add(&m->chain, leaf.chain.at[i]);
        if (!cert_to_pem(leaf.chain.at[i], &m->cert_pem, err))
            return false;
    }
    return true;
}

bool creds_refresh(struct creds *m, struct ps_err *err)
{
    buf_clear(&m->client_ca_pem);
    buf_clear(&m->client_crl_pem);
    return ca_refresh_crls(m->ca, false, err) && fill_from_ca(m, err);
}

bool creds_make(const struct creds_spec *spec, struct creds *m, struct ps_err *err)
{
    if (spec->cert_path)
        return true;
    if (m->will_make_ca && !ca_create(spec->ca_dir, &spec->ca, &m->ca, err))
        return false;
    m->will_make_ca = false;
    return (!m->will_make_cert || creds_issue(spec, m, err)) && creds_refresh(m, err);
}

/* ---- for people ---- */

static void describe_names(const struct cert_info *info, struct doc_node *section)
{
    PS_AUTO(buf_free) struct buf names = BUF(BUF_TEXT_MAX);
    const char *const *const lists[] = { info->dns, info->ip };

    for (size_t k = 0; k < PS_COUNT(lists); k++)
        for (size_t i = 0; lists[k] && lists[k][i]; i++)
            buf_printf(&names, "%s%s", names.len ? ", " : "", lists[k][i]);
    doc_str(section, "names", _("Names"), buf_text(&names));
}

void creds_describe(const struct creds *m, struct doc_node *section)
{
    if (m->ca)
        doc_str(section, "ca", _("CA"), ca_dir(m->ca));
    if (m->will_make_ca)
        doc_para(section, DOC_PLAIN, _("A CA will be made: a root, one intermediate that signs "
                                       "servers and one that signs clients."));
    if (m->why_new)
        doc_str(section, "why_new", _("New certificate"), m->why_new);
    if (m->chain.len == 0)
        return;
    const struct cert_info *info = cert_info(m->chain.at[0]);
    doc_str(section, "subject", _("Subject"), info->subject);
    doc_str(section, "issuer", _("Issuer"), info->issuer);
    describe_names(info, section);
    doc_str(section, "key", _("Key"), info->key_text);
    doc_str(section, "serial", _("Serial"), info->serial_hex);
    doc_time(section, "not_after", _("Valid until"), info->not_after);
    doc_str(section, "fingerprint_sha256", "SHA-256", info->fingerprint);
}
