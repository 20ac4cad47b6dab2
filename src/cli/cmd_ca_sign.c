/* cmd_ca_sign.c - pgseal ca sign: a certificate for a request that somebody else made. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_verb.h"
#include "tls/csr.h"

static struct {
    char *kind, *role, *out;
    char **hosts;
    long days;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "kind", 0, POPT_ARG_STRING, &opts.kind, 0,
      N_("what it is to be: client, server, or, by a root, server-ca or client-ca"), N_("KIND") },
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("write the certificate and its chain into this file"), N_("FILE") },
    { "role", 0, POPT_ARG_STRING, &opts.role, 0,
      N_("of a client: the role that it must be for; refused if the request has another"),
      N_("ROLE") },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("of a server: these names, whatever the request asks for; repeatable"), N_("NAME") },
    { "days", 0, POPT_ARG_LONG, &opts.days, 0,
      N_("how long it is valid; never longer than its issuer; default 365"), N_("DAYS") },
    POPT_TABLEEND
};

enum { HOSTS_MAX = 100 };

static const struct kind {
    const char *word;
    bool authority;
    enum cert_use use;          /* of a leaf */
    enum ca_who who;            /* of an authority */
} kinds[] = {
    { "client", false, CERT_USE_CLIENT, CA_CLIENT },
    { "server", false, CERT_USE_SERVER, CA_SERVER },
    { "client-ca", true, CERT_USE_CLIENT, CA_CLIENT },
    { "server-ca", true, CERT_USE_SERVER, CA_SERVER },
};

static bool read_usage(const struct cli_run *run, const struct kind **kind, struct ps_err *err)
{
    if (!run->args || !run->args[0] || run->args[1])
        return ps_fail(err, PS_E_USAGE, _("one request is wanted, as a file"));
    if (!ca_verb_need(opts.kind, "--kind", err) || !ca_verb_need(opts.out, "--out", err))
        return false;
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        if (strcmp(opts.kind, kinds[i].word) == 0) {
            *kind = &kinds[i];
            return true;
        }
    }
    ps_fail(err, PS_E_USAGE, _("unknown kind \"%s\""), opts.kind);
    return ps_hint(err, _("Known are: %s."), "client, server, client-ca, server-ca");
}

/* ---- what of the request is taken ---- */

static bool check_key(const struct csr_info *info, struct ps_err *err)
{
    bool rsa = strncmp(info->key_text, "RSA", 3) == 0;

    if (info->key_bits >= (rsa ? 2048 : 256) || strstr(info->key_text, "25519"))
        return true;
    ps_fail(err, PS_E_VALUE, _("the key of the request is too weak: %s"), info->key_text);
    return ps_hint(err, _("Take RSA of at least 2048 bits, or a curve of at least 256."));
}

static bool take_role(const struct csr_info *info, struct ca_leaf_spec *spec, struct ps_err *err)
{
    spec->common_name = info->dn.cn;
    if (!opts.role || strcmp(opts.role, info->dn.cn) == 0)
        return true;
    ps_fail(err, PS_E_VALUE, _("the request is for another role, \"%s\""), info->dn.cn);
    return ps_hint(err, _("Whoever holds its key would log in as that role."));
}

/* The names of the SAN, or the CN when there is no SAN, as old programs ask. */
static bool take_hosts(const struct csr_info *info, const char *hosts[HOSTS_MAX + 1],
                       struct ps_err *err)
{
    const char *const *const lists[] = { info->dns, info->ip };
    size_t len = 0;

    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        for (const char *const *name = lists[i]; *name; name++) {
            if (len == HOSTS_MAX)
                return ps_fail(err, PS_E_TOO_BIG, _("the request asks for more than %d names"),
                               HOSTS_MAX);
            hosts[len++] = *name;
        }
    }
    if (len == 0 && *info->dn.cn)
        hosts[len++] = info->dn.cn;
    hosts[len] = NULL;
    return true;
}

static void describe_ignored(const struct csr_info *info, bool server, struct doc_node *root)
{
    const struct { bool is_so; const char *text; } rows[] = {
        { info->wants_ca, N_("that it be a CA") },
        { info->other_names > 0, N_("names that are neither host names nor addresses") },
        { !server && (info->dns[0] || info->ip[0]), N_("host names in a client certificate") },
        { server && opts.hosts, N_("its host names: --host names others") },
        { *info->dn.o || *info->dn.ou || *info->dn.c || *info->dn.st || *info->dn.l,
          N_("the other fields of its subject: they are the CA's") },
    };
    struct doc_node *table = doc_table(root, "ignored", _("What the request asked for in vain"),
                                       NULL);

    for (size_t i = 0; i < PS_COUNT(rows); i++)
        if (rows[i].is_so)
            doc_str(doc_row(table), "wish", _("Wish"), _(rows[i].text));
}

/* ---- signing ---- */

static bool write_chain(const struct cert_list *chain, struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    if (!export_chain_pem(chain, &pem, err)
        || !file_write(opts.out, buf_text(&pem), pem.len, 0644, err))
        return false;
    doc_str(root, "file", _("File"), opts.out);
    return true;
}

static bool sign_leaf(struct ca *ca, const struct kind *kind, const struct csr *csr,
                      struct doc_node *root, struct ps_err *err)
{
    const struct csr_info *info = csr_info(csr);
    const bool server = kind->use == CERT_USE_SERVER;
    const char *hosts[HOSTS_MAX + 1] = { NULL };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    struct ca_leaf_spec spec = { .use = kind->use, .days = opts.days };

    if (!check_key(info, err) || !csr_key(csr, &key, err)
        || !(server ? take_hosts(info, hosts, err) : take_role(info, &spec, err)))
        return false;
    spec.public_of = key;
    if (server)
        spec.hosts = opts.hosts ? (const char *const *)opts.hosts : hosts;
    if (!ca_issue(ca, &spec, &leaf, err) || !write_chain(&leaf.chain, root, err))
        return false;
    ca_verb_describe_leaf(&leaf, root);
    describe_ignored(info, server, root);
    return true;
}

static bool sign_authority(struct ca *ca, const struct kind *kind, const struct buf *request,
                           const char *path, struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

    if (!ca_sign_request(ca, kind->who, buf_text(request), request->len, path, &chain, err)
        || !write_chain(&chain, root, err))
        return false;
    ca_verb_describe(chain.at[0], root);
    return true;
}

static bool sign_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(buf_free) struct buf request = BUF(0);
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    const struct kind *kind = NULL;

    if (!read_usage(run, &kind, err) || !file_read(run->args[0], CSR_MAX, &request, err)
        || !csr_read(buf_text(&request), request.len, run->args[0], &csr, err)
        || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_sign", _("A request was signed"));
    return kind->authority
        ? sign_authority(ca, kind, &request, run->args[0], doc_root(run->doc), err)
        : sign_leaf(ca, kind, csr, doc_root(run->doc), err);
}

static const char *const examples[] = {
    "pgseal ca sign app.csr --kind client --role app --ca /etc/pgseal/ca --out app.crt",
    "pgseal ca sign db1.req --kind server --host db1.example.net --ca /etc/pgseal/ca --out db1.crt",
    "pgseal ca sign server-ca.csr --kind server-ca --ca /mnt/usb/root-ca --out server-ca.crt",
    NULL
};

const struct cli_cmd cmd_ca_sign = {
    .name = "ca sign",
    .summary = N_("sign a request (PKCS#10) that was made elsewhere"),
    .usage = N_("REQUEST --kind KIND --ca DIR --out FILE [options]"),
    .about = N_("The request's own signature must be right.  Of what it asks for, only the key and the "
                "names are taken: the CN of a client as its role, the names and addresses of a server. "
                " Everything else is as for a certificate that the CA makes by itself."),
    .examples = examples,
    .options = options,
    .run = sign_run,
};
