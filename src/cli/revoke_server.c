/* revoke_server.c - see revoke_server.h. */
#include "cli/revoke_server.h"

#include "base/file.h"
#include "base/mem.h"
#include "kit/name.h"
#include "secure/revoke.h"

static struct {
    char *data_dir, *state_dir, *target, *client_dir;
    int terminate;
} opts;

const struct poptOption revoke_server_options[] = {
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0,
      N_("bring the revocation into the server of this data directory, and prove it there"),
      N_("DATADIR") },
    { "terminate", 0, POPT_ARG_NONE, &opts.terminate, 0,
      N_("with -D: end the sessions that were opened with it"), NULL },
    { "client-dir", 0, POPT_ARG_STRING, &opts.client_dir, 0,
      N_("with -D: folder that holds the clients' files; the proof then knocks with the revoked "
         "certificate itself too"), N_("DIR") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("administrator's connection string; default: over the Unix-domain socket"), N_("DSN") },
    { "state-dir", 0, POPT_ARG_STRING, &opts.state_dir, 0,
      N_("folder for the server's keys and the way back; default DATADIR.pgseal"), N_("DIR") },
    POPT_TABLEEND
};

bool revoke_server_check(struct ps_err *err)
{
    if (opts.data_dir || (!opts.terminate && !opts.client_dir && !opts.target && !opts.state_dir))
        return true;
    return ps_fail(err, PS_E_USAGE, _("--terminate, --client-dir, --target and --state-dir need -D"));
}

bool revoke_server_given(void)
{
    return opts.data_dir != NULL;
}

static char *own_file(const struct cert_list *revoked, const char *name)
{
    if (!opts.client_dir || !revoked->len)
        return NULL;
    PS_AUTO(ps_freep) char *folder = kit_folder_name(cert_info(revoked->at[0])->common_name);
    PS_AUTO(ps_freep) char *kit = path_join(opts.client_dir, folder);

    return path_join(kit, name);
}

bool revoke_server(struct ca *ca, const struct cert_list *revoked, struct doc_node *root,
                   struct ps_err *err)
{
    PS_AUTO(ps_freep) char *cert = own_file(revoked, "postgresql.crt");
    PS_AUTO(ps_freep) char *key = own_file(revoked, "postgresql.key");
    const struct revoke_spec spec = {
        .data_dir = opts.data_dir, .state_dir = opts.state_dir, .target = opts.target, .ca = ca,
        .revoked = revoked, .cert_path = cert, .key_path = key, .terminate = opts.terminate,
    };

    if (!opts.data_dir) {
        doc_para(root, DOC_WARN, _("No server knows of it yet: run it with -D DATADIR, or pgseal rotate "
                                   "--crl-only -D DATADIR on each."));
        return true;
    }
    return secure_revoke_install(&spec, doc_section(root, "server", _("In the server")), err)
        || ps_while(err, _("the certificate is revoked, but the server does not refuse it yet"));
}
