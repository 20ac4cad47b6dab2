/* cmd_rollback.c - pgseal rollback: take back what secure did. */
#include "cli/cli.h"
#include "secure/secure.h"

static struct {
    char *data_dir, *state_dir, *target;
    int force;
} opts;

static const struct poptOption options[] = {
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0, N_("data directory of the server"),
      N_("DATADIR") },
    { "state-dir", 0, POPT_ARG_STRING, &opts.state_dir, 0,
      N_("folder for the server's keys and the way back; default DATADIR.pgseal"), N_("DIR") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("administrator's connection string; default: over the Unix-domain socket"), N_("DSN") },
    { "force", 0, POPT_ARG_NONE, &opts.force, 0,
      N_("also over files that somebody changed since; a copy of each is kept"), NULL },
    POPT_TABLEEND
};

static bool rollback_verb(struct cli_run *run, struct ps_err *err)
{
    const struct rollback_spec spec = {
        .data_dir = opts.data_dir, .state_dir = opts.state_dir, .target = opts.target,
        .force = opts.force,
    };

    if (!cli_no_args(run, err))
        return false;
    if (!cli_need(opts.data_dir, "-D",
                  _("-D is the folder that PostgreSQL's SHOW data_directory prints."), err))
        return false;
    run->doc = doc_new("rollback", _("Taking a change back"));
    return rollback_run(&spec, run->doc, err);
}

static const char *const examples[] = {
    "pgseal rollback -D /var/lib/postgresql/15/main",
    NULL
};

const struct cli_cmd cmd_rollback = {
    .name = "rollback",
    .summary = N_("take back what secure did"),
    .usage = N_("-D DATADIR [options]"),
    .about = N_("Puts the files back byte for byte, reloads a running server and looks whether it is as "
                "before.  Works after a crash in the middle of a change, and on a server that does not "
                "start.  Each run takes back one change, the latest first."),
    .examples = examples,
    .options = options,
    .csv = false,
    .run = rollback_verb,
};
