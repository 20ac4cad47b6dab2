/* cmd_client.c - pgseal client: what a role needs to connect. */
#include "base/mem.h"
#include "ca/ca.h"
#include "cli/cli.h"
#include "cli/pass.h"
#include "kit/kit.h"

static struct {
    char *ca, *dir, *host, *database, *key_type;
    int port, renew, pass_fd;
} opts = { .port = 5432, .pass_fd = -1 };

static const struct poptOption client_options[] = {
    { "ca", 0, POPT_ARG_STRING, &opts.ca, 0, N_("folder of the CA that signs the certificates"),
      N_("DIR") },
    { "client-dir", 0, POPT_ARG_STRING, &opts.dir, 0,
      N_("folder that holds the kits: DIR/ROLE is made in it"), N_("DIR") },
    { "host", 0, POPT_ARG_STRING, &opts.host, 0,
      N_("the server, by a name or address that its certificate has"), N_("HOST") },
    { "port", 'p', POPT_ARG_INT, &opts.port, 0, N_("port of the server; default 5432"), N_("PORT") },
    { "database", 'd', POPT_ARG_STRING, &opts.database, 0,
      N_("database of the strings; default the role's name"), N_("NAME") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072 or rsa:4096; default ec:p256"),
      N_("TYPE") },
    { "renew", 0, POPT_ARG_NONE, &opts.renew, 0,
      N_("make a new key and certificate, even if the old one is still good; who connects in the "
         "moment between the two meets a pair that does not fit"), NULL },
    { "passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the CA's keys from this descriptor"), N_("FD") },
    POPT_TABLEEND
};

static bool check_usage(const struct cli_run *run, enum key_type *key_type, struct ps_err *err)
{
    if (!run->args || !run->args[0]) {
        ps_fail(err, PS_E_USAGE, _("no role was given"));
        return ps_hint(err, _("Try \"pgseal %s --help\"."), "client");
    }
    if (opts.port < 1 || opts.port > 65535)
        return ps_fail(err, PS_E_USAGE, _("there is no port %d"), opts.port);
    return cli_need(opts.ca, "--ca", _("The certificate is signed by the CA that \"pgseal secure\" was "
                                       "given."), err)
        && cli_need(opts.dir, "--client-dir",
                    _("The files of each role go into a folder of its name there."), err)
        && cli_need(opts.host, "--host",
                    _("Clients check that the server's certificate has this name."), err)
        && key_type_parse(opts.key_type ? opts.key_type : "ec:p256", key_type, err);
}

struct result {
    struct doc_node *table, *kits;
};

static bool make_kit(const struct kit_spec *spec, const struct result *result, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = NULL;
    enum kit_outcome outcome;

    if (!kit_write(spec, &outcome, &path, err))
        return ps_while(err, _("could not make the kit of role \"%s\""), spec->role);

    struct doc_node *row = doc_row(result->table);
    doc_str(row, "role", _("Role"), spec->role);
    doc_verdict(row, "outcome", _("Kit"), outcome == KIT_KEPT ? DOC_PLAIN : DOC_GOOD,
                kit_outcome_word(outcome), kit_outcome_text(outcome));
    doc_str(row, "path", _("Folder"), path);
    doc_time(row, "not_after", _("Certificate valid until"), kit_not_after(path));

    kit_describe(spec, path, doc_section(result->kits, spec->role, spec->role));
    return true;
}

static bool client_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = opts.pass_fd };
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct kit_spec spec = {
        .dir = opts.dir, .host = opts.host, .port = opts.port, .database = opts.database,
        .renew = opts.renew,
    };

    if (!check_usage(run, &spec.key_type, err)
        || !ca_open(opts.ca, cli_pass_get, &pass, &ca, err))
        return false;
    spec.ca = ca;

    run->doc = doc_new("client", _("What these roles need to connect"));
    struct doc_node *root = doc_root(run->doc);
    const struct result result = {
        .table = doc_table(root, "clients", _("Kits"), NULL),
        .kits = doc_section(root, "kits", _("For each role")),
    };
    for (const char *const *role = run->args; *role; role++) {
        spec.role = *role;
        if (!make_kit(&spec, &result, err))
            return false;
    }
    return true;
}

static const char *const client_examples[] = {
    "pgseal client app --ca /etc/pgseal/ca --client-dir /etc/pgseal/clients --host db1.example.net",
    "pgseal client app --renew --ca /etc/pgseal/ca --client-dir /etc/pgseal/clients "
    "--host db1.example.net",
    NULL
};

const struct cli_cmd cmd_client = {
    .name = "client",
    .summary = N_("make what a role needs to connect: files and connection strings"),
    .usage = N_("ROLE... --ca DIR --client-dir DIR --host HOST [options]"),
    .about = N_("For each role a folder with its certificate, its key, what it trusts and the "
                "revocation lists, and a page with the connection string for psql, JDBC, Npgsql, "
                "psycopg, asyncpg, node-postgres, pgx and PgBouncer.  A kit that is still good is "
                "kept, and what is due is renewed for the same key, which no connection notices: the "
                "verb can run every day."),
    .examples = client_examples,
    .options = client_options,
    .csv = true,
    .run = client_run,
};
