/* cmd_ca_ledger.c - pgseal ca verify, log, backup, restore: the ledger and what it is worth. */
#include "base/mem.h"
#include "ca/audit.h"
#include "ca/backup.h"
#include "cli/ca_verb.h"
#include "store/store.h"

static struct {
    char *head;
    int after;
    char *out, *from;
    int adopt;
} opts;

/* ---- verify ---- */

static const struct poptOption verify_options[] = {
    CA_VERB_OPTIONS,
    { "head", 0, POPT_ARG_STRING, &opts.head, 0,
      N_("a head of the log that was noted before: it must still be part of it"), N_("HASH") },
    POPT_TABLEEND
};

struct search {
    const char *head;
    bool found;
};

static bool look_for_head(void *arg, const struct store_act *act, struct ps_err *err)
{
    struct search *search = arg;

    (void)err;
    search->found |= strcmp(act->hash, search->head) == 0;
    return true;
}

static void describe_verdict(const struct store_verdict *verdict, struct doc_node *root)
{
    doc_int(root, "acts", _("Acts"), verdict->acts);
    doc_str(root, "head", _("Head of the log"), verdict->head);
    doc_mark(doc_bool(root, "sound", _("Sound"), verdict->sound),
             verdict->sound ? DOC_GOOD : DOC_BAD);
    if (verdict->sound)
        return;
    doc_int(root, "bad_act", _("First act that is wrong"), verdict->bad_act);
    doc_str(root, "what", _("What is wrong"), verdict->what);
}

static const struct {
    const char *text;
    enum doc_mark mark;
} crl_texts[] = {
    [CA_CRL_GOOD] = { N_("as recorded"), DOC_GOOD },
    [CA_CRL_OUTDATED] = { N_("outdated: something was revoked or released since"), DOC_WARN },
    [CA_CRL_EXPIRED] = { N_("expired"), DOC_BAD },
    [CA_CRL_OLDER] = { N_("older than one that was here"), DOC_BAD },
    [CA_CRL_MISSING] = { N_("missing"), DOC_BAD },
    [CA_CRL_UNRECORDED] = { N_("not in the ledger, though signed by the CA"), DOC_BAD },
    [CA_CRL_FOREIGN] = { N_("not signed by the CA"), DOC_BAD },
};

struct crl_rows {
    struct doc_node *table;
    bool good;
};

static bool add_crl(void *arg, const struct ca_crl_report *report, struct ps_err *err)
{
    struct crl_rows *rows = arg;
    struct doc_node *row = doc_row(rows->table);
    const bool there = report->number >= 0;

    (void)err;
    doc_str(row, "authority", _("Authority"), report->authority);
    doc_int(row, "shard", _("Partition"), report->shard);
    (void)(there ? doc_int(row, "number", _("Number"), report->number)
                 : doc_str(row, "number", _("Number"), NULL));
    (void)(report->next_update ? doc_time(row, "next_update", _("Next update"), report->next_update)
                               : doc_str(row, "next_update", _("Next update"), NULL));
    doc_verdict(row, "verdict", _("Verdict"), crl_texts[report->verdict].mark,
                ca_crl_word(report->verdict), _(crl_texts[report->verdict].text));
    rows->good &= report->verdict == CA_CRL_GOOD;
    return true;
}

/* A copy is only looked at: its lists are those of the original. */
static bool verify_crls(struct ca *ca, struct doc_node *root, bool *good, struct ps_err *err)
{
    struct crl_rows rows = { doc_table(root, "crls", _("Revocation lists in the folder"), NULL), true };

    if (!ca_audit_crls(ca, add_crl, &rows, err))
        return false;
    *good = rows.good;
    return true;
}

static bool verify_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct search search = { opts.head, opts.head == NULL };
    struct store_verdict verdict;
    bool crls = false;

    if (!cli_no_args(run, err) || !ca_verb_open(&ca, err)
        || !store_verify(ca_store(ca), &verdict, err)
        || (opts.head && !store_each_act(ca_store(ca), 0, look_for_head, &search, err)))
        return false;
    run->doc = doc_new("ca_verify", _("Audit of the ledger"));
    describe_verdict(&verdict, doc_root(run->doc));
    if (opts.head)
        doc_mark(doc_bool(doc_root(run->doc), "head_found", _("Noted head found"), search.found),
                 search.found ? DOC_GOOD : DOC_BAD);
    if (!verify_crls(ca, doc_root(run->doc), &crls, err))
        return false;
    run->status = verdict.sound && search.found && crls ? PS_EXIT_OK : PS_EXIT_FINDINGS;
    return true;
}

static const char *const verify_examples[] = {
    "pgseal ca verify --ca /etc/pgseal/ca",
    "pgseal ca verify --ca /etc/pgseal/ca --head \"$(cat /mnt/safe/ca.head)\"",
    NULL
};

const struct cli_cmd cmd_ca_verify = {
    .name = "ca verify",
    .summary = N_("find out whether the ledger was tampered with"),
    .usage = N_("--ca DIR [--head HASH]"),
    .about = N_("Every act of the CA has a row in its audit log; each row's hash covers the row before "
                "it and everything that the act wrote.  So a row that was changed, removed or put in is "
                "found and named.  Who can write to the ledger could forge a whole log: note its head "
                "elsewhere now and then, and give it with --head.  The revocation lists in the CA's "
                "folder are held against the ledger too.  Exit status 1 when something is wrong."),
    .examples = verify_examples,
    .options = verify_options,
    .run = verify_run,
};

/* ---- log ---- */

static const struct poptOption log_options[] = {
    CA_VERB_OPTIONS,
    { "after", 0, POPT_ARG_INT, &opts.after, 0, N_("only the acts after this number"),
      N_("NUMBER") },
    POPT_TABLEEND
};

static bool add_act(void *arg, const struct store_act *act, struct ps_err *err)
{
    struct doc_node *row = doc_row(arg);

    (void)err;
    doc_int(row, "id", _("Act"), act->id);
    doc_time(row, "at", _("When"), act->at);
    doc_str(row, "who", _("Who"), act->who);
    doc_str(row, "host", _("Host"), act->host);
    doc_str(row, "act", _("What"), act->act);
    doc_str(row, "object", _("Object"), act->object);
    doc_str(row, "detail", _("Details"), act->detail);
    return true;
}

static bool log_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!cli_no_args(run, err) || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_log", _("Audit log"));
    struct doc_node *table = doc_table(doc_root(run->doc), "acts", _("Acts"), NULL);
    return store_each_act(ca_store(ca), opts.after, add_act, table, err);
}

static const char *const log_examples[] = {
    "pgseal ca log --ca /etc/pgseal/ca --after 1000 --format csv",
    NULL
};

const struct cli_cmd cmd_ca_log = {
    .name = "ca log",
    .summary = N_("show who did what with the CA"),
    .usage = N_("--ca DIR [--after NUMBER]"),
    .about = N_("The audit log, oldest first: each certificate, revocation, list and setting, with the "
                "user of the operating system and the host.  \"pgseal ca verify\" says whether it is "
                "as it was written."),
    .examples = log_examples,
    .options = log_options,
    .csv = true,
    .run = log_run,
};

/* ---- backup ---- */

static const struct poptOption backup_options[] = {
    CA_VERB_OPTIONS,
    { "out", 0, POPT_ARG_STRING, &opts.out, 0, N_("a new folder for the backup"), N_("DIR") },
    POPT_TABLEEND
};

static bool backup_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!cli_no_args(run, err) || !ca_verb_need(opts.out, "--out", err) || !ca_verb_open(&ca, err)
        || !ca_backup(ca, opts.out, err))
        return false;
    run->doc = doc_new("ca_backup", _("Backup of the CA"));
    doc_str(doc_root(run->doc), "dir", _("Folder"), opts.out);
    doc_str(doc_root(run->doc), "ledger", _("Ledger"), store_info(ca_store(ca))->where);
    return true;
}

static const char *const backup_examples[] = {
    "pgseal ca backup --ca /etc/pgseal/ca --out /mnt/safe/ca-2026-11-21",
    NULL
};

const struct cli_cmd cmd_ca_backup = {
    .name = "ca backup",
    .summary = N_("copy the CA and its ledger into a new folder"),
    .usage = N_("--ca DIR --out DIR"),
    .about = N_("The ledger is copied as it is at one moment, also from PostgreSQL, while others go on "
                "working.  The backup has the private keys of the CA that are files: keep it as "
                "carefully as the CA.  A CA that runs from a copy refuses to issue."),
    .examples = backup_examples,
    .options = backup_options,
    .run = backup_run,
};

/* ---- restore ---- */

static const struct poptOption restore_options[] = {
    CA_VERB_OPTIONS,
    { "from", 0, POPT_ARG_STRING, &opts.from, 0, N_("the folder of the backup"), N_("DIR") },
    { "adopt", 0, POPT_ARG_NONE, &opts.adopt, 0,
      N_("the CA was moved or restored by other means: let it issue where it is now"), NULL },
    POPT_TABLEEND
};

static bool adopt(struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!ca_verb_open(&ca, err) || !store_adopt(ca_store(ca), err))
        return false;
    doc_str(root, "place", _("Place of the ledger"), store_info(ca_store(ca))->place);
    return true;
}

/* Lists of the backup would bring back what was revoked since: the CA does not hand them out any more. */
static void renew_lists(struct doc_node *root)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct ps_err err = { 0 };
    bool renewed = ca_verb_open(&ca, &err) && ca_refresh_crls(ca, false, &err);

    doc_mark(doc_bool(root, "crls_renewed", _("Revocation lists renewed"), renewed),
             renewed ? DOC_GOOD : DOC_WARN);
    if (!renewed)
        doc_para(root, DOC_WARN, _("The revocation lists could not be renewed: %s.  Those of the backup "
                                   "are not handed out; run \"pgseal ca crl\" where the keys are."),
                 err.message);
    doc_para(root, DOC_PLAIN, _("What was issued or revoked after the backup is not known any more: "
                                "revoke again what has to be, and bring the newest list of a root that "
                                "is kept elsewhere."));
}

static bool restore_run(struct cli_run *run, struct ps_err *err)
{
    const char *dir;

    if (!cli_no_args(run, err) || !ca_verb_dir(&dir, err))
        return false;
    if (!opts.adopt == !opts.from)
        return ps_fail(err, PS_E_USAGE, _("give either --from or --adopt"));
    if (opts.from && !ca_restore(opts.from, dir, err))
        return false;
    run->doc = doc_new("ca_restore", _("The CA is restored"));
    doc_str(doc_root(run->doc), "dir", _("Folder"), dir);
    if (opts.adopt && !adopt(doc_root(run->doc), err))
        return false;
    renew_lists(doc_root(run->doc));
    return true;
}

static const char *const restore_examples[] = {
    "pgseal ca restore --ca /etc/pgseal/ca --from /mnt/safe/ca-2026-11-21",
    "pgseal ca restore --ca /etc/pgseal/ca --adopt",
    NULL
};

const struct cli_cmd cmd_ca_restore = {
    .name = "ca restore",
    .summary = N_("bring a CA back from a backup, or adopt one that was moved"),
    .usage = N_("--ca DIR (--from DIR | --adopt)"),
    .about = N_("With --from, the CA appears in the new folder of --ca; a ledger that was in PostgreSQL "
                "goes back there, and must be gone from there.  With --adopt, the CA of --ca may issue "
                "where it is: do this only when no other copy of it will issue any more, for they would "
                "not know what the other revokes.  The numbers of revocation lists jump ahead of all "
                "that may have been published meanwhile, and new lists are made."),
    .examples = restore_examples,
    .options = restore_options,
    .run = restore_run,
};
