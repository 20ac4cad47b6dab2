/* cmd_ca_crl.c - pgseal ca crl: the revocation lists, fresh, as PostgreSQL and libpq want them. */
#include "base/clock.h"
#include "base/file.h"
#include "ca/export.h"
#include "cli/ca_verb.h"

static struct {
    char *out, *dir, *side;
    int force;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("write the lists into this file, for ssl_crl_file or sslcrl"), N_("FILE") },
    { "dir", 0, POPT_ARG_STRING, &opts.dir, 0,
      N_("write them into this folder, for ssl_crl_dir or sslcrldir"), N_("DIR") },
    { "side", 0, POPT_ARG_STRING, &opts.side, 0,
      N_("who is to check: server (client certificates) or client (server certificates); "
         "default server"), N_("SIDE") },
    { "force", 0, POPT_ARG_NONE, &opts.force, 0,
      N_("make new lists, even if the old ones are still good"), NULL },
    POPT_TABLEEND
};

static bool put_file(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    return file_edit_put(arg, bytes, len, err);
}

/* Read, tried, and written as they are read: a million entries have 47 MB. */
static bool write_file(struct ca *ca, enum cert_use side, struct crl_list *crls,
                       struct ps_err *err)
{
    const struct file_attr fresh = { 0644, (uid_t)-1, (gid_t)-1 };
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    if (!opts.out)
        return ca_crls(ca, side, crls, NULL, NULL, err);
    return file_edit_begin(opts.out, &fresh, &edit, err)
        && ca_crls(ca, side, crls, put_file, edit, err) && file_edit_commit(&edit, err);
}

static bool write_dir(struct ca *ca, enum cert_use side, struct ps_err *err)
{
    size_t written;

    return !opts.dir || export_crl_dir(ca, side, opts.dir, &written, err);
}

/* One that was not asked for is null in JSON, and nothing on a terminal. */
static void put_path(struct doc_node *root, const char *key, const char *label, const char *path)
{
    struct doc_node *field = doc_str(root, key, label, path);

    if (!path)
        doc_aside(field);
}

static void describe(const struct crl_list *crls, struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "crls", NULL, NULL);
    time_t now = clock_now();

    for (size_t i = 0; i < crls->len; i++) {
        const struct crl_info *info = crl_info(crls->at[i]);
        struct doc_node *row = doc_row(table);

        doc_str(row, "issuer", _("Issuer"), info->issuer);
        doc_int(row, "number", _("Number"), info->number);
        doc_int(row, "revoked", _("Revoked"), (int64_t)info->revoked_len);
        doc_time(row, "this_update", _("Made"), info->this_update);
        doc_mark(doc_time(row, "next_update", _("Next update"), info->next_update),
                 info->next_update <= now ? DOC_BAD : DOC_PLAIN);
    }
}

static bool crl_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    enum cert_use side;

    if (!cli_no_args(run, err) || !ca_verb_side(opts.side, &side, err) || !ca_verb_open(&ca, err)
        || !ca_refresh_crls(ca, opts.force, err) || !write_file(ca, side, &crls, err)
        || !write_dir(ca, side, err))
        return false;
    run->doc = doc_new("ca_crl", _("Revocation lists"));
    describe(&crls, doc_root(run->doc));
    put_path(doc_root(run->doc), "file", _("File"), opts.out);
    put_path(doc_root(run->doc), "dir", _("Folder"), opts.dir);
    return true;
}

static const char *const examples[] = {
    "pgseal ca crl --ca /etc/pgseal/ca --out /etc/postgresql/root.crl",
    "pgseal ca crl --ca /etc/pgseal/ca --dir /etc/postgresql/crl.d",
    "pgseal ca crl --ca /etc/pgseal/ca --side client --out root.crl",
    NULL
};

const struct cli_cmd cmd_ca_crl = {
    .name = "ca crl",
    .summary = N_("renew the revocation lists that are due, and write them out"),
    .usage = N_("--ca DIR [--out FILE] [--dir DIR] [options]"),
    .about = N_("A list of every CA up to the root, sorted, tried with PostgreSQL's own flags before it "
                "is written: with a list missing or expired, nobody gets in.  A file needs a reload of "
                "the server; a folder does not, but is read by every connection: better a file from "
                "about 10,000 revocations on."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = crl_run,
};
