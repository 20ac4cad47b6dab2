/* mend.c - see mend.h. */
#include "secure/mend.h"

#include "base/mem.h"
#include "inspect/inspect.h"
#include "pg/hba_diff.h"
#include "secure/job.h"
#include "secure/preflight.h"

/* ---- what can be cured ---- */

enum cure { CURE_SETTING, CURE_LINE };

/* Not hba-trust or hba-md5: a role may have no secret that the better method could ask for. */
static const struct {
    const char *id;
    enum cure cure;
} cures[] = {
    { "tls-legacy-version",        CURE_SETTING },
    { "no-tls13",                  CURE_SETTING },
    { "cipher-null-anon",          CURE_SETTING },
    { "cipher-weak",               CURE_SETTING },
    { "cipher-no-fs",              CURE_SETTING },
    { "cipher-cbc",                CURE_SETTING },
    { "group-weak",                CURE_SETTING },
    { "hba-plaintext",             CURE_LINE },
    { "hba-replication-plaintext", CURE_LINE },
    { "hba-password-plaintext",    CURE_LINE },
    { "hba-shadowed",              CURE_LINE },
};

static bool can_cure(const struct finding *finding, enum cure cure)
{
    for (size_t i = 0; i < PS_COUNT(cures); i++)
        if (cures[i].cure == cure && strcmp(cures[i].id, finding->id) == 0)
            return cure == CURE_SETTING
                || (finding->fix_kind == FIX_LINE && finding->place.file && finding->place.line
                    && finding->place.text);
    return false;
}

bool mend_can(const struct finding *finding)
{
    return can_cure(finding, CURE_SETTING) || can_cure(finding, CURE_LINE);
}

static size_t count_of(const struct findings *findings, const char *id, size_t end)
{
    size_t count = 0;

    for (size_t i = 0; i < end; i++)
        count += strcmp(findings->at[i].id, id) == 0 && mend_can(&findings->at[i]);
    return count;
}

size_t mend_gone(const struct findings *before, const struct findings *after)
{
    size_t gone = 0;

    for (size_t i = 0; i < before->len; i++)
        gone += mend_can(&before->at[i])
                && count_of(before, before->at[i].id, i) >= count_of(after, before->at[i].id, after->len);
    return gone;
}

struct edited {
    const char *name;
    struct buf text;
};

struct mending {
    const struct mend_spec *spec;
    struct job job;
    struct doc_node *section;
    struct edited *files;       /* of pg_hba.conf, as they will be */
    size_t files_len;
};

/* ---- settings ---- */

static const char *object_setting(const struct finding *finding)
{
    return strncmp(finding->object, "ssl_", 4) == 0 ? finding->object : "";
}

/* The list of suites alone does not cure CBC: the server's order must count, or a client takes them first. */
static bool is_needed(const struct mending *m, const char *name, bool cbc)
{
    bool on = true;
    const char *value = server_setting(m->job.server, name);

    return cbc && strcmp(name, "ssl_prefer_server_ciphers") == 0 && value && conf_bool(value, &on) && !on;
}

static bool is_about(const struct mending *m, const char *name)
{
    bool cbc = false;

    for (size_t i = 0; i < m->spec->findings->len; i++) {
        const struct finding *finding = &m->spec->findings->at[i];

        if (can_cure(finding, CURE_SETTING) && strcmp(object_setting(finding), name) == 0)
            return true;
        cbc |= strcmp(finding->id, "cipher-cbc") == 0;
    }
    return is_needed(m, name, cbc);
}

/* What `secure` would write for the settings that findings are about. */
static bool plan_settings(struct mending *m, struct ps_err *err)
{
    const struct server *server = m->job.server;
    const struct tls_settings wish = { .profile = m->spec->profile, .min_protocol = "TLSv1.2" };
    struct setting_pair all[SETTINGS_MAX];
    size_t len = settings_list(&wish, server->major, all);

    for (size_t k = 0; k < len; k++)
        if (is_about(m, all[k].name))
            m->job.pairs[m->job.pairs_len++] = all[k];
    return settings_check_overrides(m->job.pairs, m->job.pairs_len, server, err)
        && settings_mend_plan(m->job.pairs, m->job.pairs_len, server, &m->job.plan, err);
}

/* ---- lines ---- */

/* The finding whose line is this one of this file; several about one line: the worst comes first. */
static const struct finding *cure_of(const struct findings *findings, const char *file,
                                     unsigned line)
{
    for (size_t i = 0; i < findings->len; i++) {
        const struct finding *finding = &findings->at[i];

        if (can_cure(finding, CURE_LINE) && finding->place.line == line
            && strcmp(finding->place.file, file) == 0)
            return finding;
    }
    return NULL;
}

static bool fail_moved(const char *file, unsigned line, struct ps_err *err)
{
    ps_fail(err, PS_E_BUSY, _("file \"%s\" was changed by somebody else meanwhile"), file);
    ps_hint(err, _("Run the command again."));
    return ps_at(err, file, line, 0);
}

static bool edit_lines(const struct mending *m, const char *file, const char *text, struct buf *out,
                       size_t *cured, struct ps_err *err)
{
    unsigned number = 1;

    for (const char *p = text; *p; number++) {
        size_t len = strcspn(p, "\n"), end = len + (p[len] == '\n');
        const struct finding *finding = cure_of(m->spec->findings, file, number);
        size_t bare = len && p[len - 1] == '\r' ? len - 1 : len;

        if (!finding) {
            buf_put(out, p, end);
        } else if (strlen(finding->place.text) != bare
                   || memcmp(finding->place.text, p, bare) != 0) {
            return fail_moved(file, number, err);
        } else {
            if (*finding->fix) {
                buf_puts(out, finding->fix);
                buf_put(out, p + bare, end - bare);
            }
            ++*cured;
        }
        p += end;
    }
    return true;
}

/* The files as they will be, for the parser that reads them back. */
static bool read_edited(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct mending *m = arg;

    for (size_t i = 0; i < m->files_len; i++) {
        if (strcmp(m->files[i].name, path) != 0)
            continue;
        buf_free(out);
        out->max = HBA_MAX_BYTES;
        buf_put(out, buf_text(&m->files[i].text), m->files[i].text.len);
        return true;
    }
    return inspect_files.read(inspect_files.arg, path, out, err);
}

static bool read_back(struct mending *m, struct ps_err *err)
{
    const struct pg_source source = { m, read_edited, inspect_files.list };
    struct job *job = &m->job;

    hba_freep(&job->then);
    if (!hba_load(&source, job->server->hba_file, job->server->major, &job->then, err))
        return false;
    if (hba_problems(job->then) <= hba_problems(job->server->hba))
        return true;
    ps_fail(err, PS_E_BUG, _("the edited access rules would not be understood: %s"),
            hba_problem(job->then, 0)->what);
    return ps_at(err, hba_problem(job->then, 0)->file, hba_problem(job->then, 0)->line, 0);
}

static void edited_free(struct mending *m)
{
    for (size_t i = 0; i < m->files_len; i++)
        buf_free(&m->files[i].text);
    free(m->files);
    m->files = NULL;
    m->files_len = 0;
}

static bool edit_files(struct mending *m, size_t *cured, struct ps_err *err)
{
    const struct hba *hba = m->job.server->hba;

    edited_free(m);
    m->files = ps_calloc(hba_files(hba), sizeof(*m->files));
    *cured = 0;
    for (size_t i = 0; i < hba_files(hba); i++) {
        PS_AUTO(buf_free) struct buf text = BUF(HBA_MAX_BYTES);
        struct edited *file = &m->files[m->files_len++];

        *file = (struct edited){ hba_file_name(hba, i), BUF(HBA_MAX_BYTES) };
        hba_file_text(hba, i, &text);
        if (!edit_lines(m, file->name, buf_text(&text), &file->text, cured, err))
            return false;
    }
    return read_back(m, err);
}

/* ---- what lies behind the lines ---- */

static bool admits(const struct hba_rule *rule, void *arg)
{
    (void)arg;
    return strcmp(rule->method, "reject") != 0;
}

static void mark(const struct reach_row *row, void *arg)
{
    bool *marks = arg;

    marks[row->rule] = true;
}

/* Which lines somebody without TLS gets to; the caller's. */
static bool *plain_lines(const struct hba *hba)
{
    static const struct reach_world unknown;
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, &unknown);
    bool *marks = ps_calloc(hba_rules(hba) + 1, sizeof(*marks));

    reach_regions(reach, REACH_PLAIN, admits, mark, marks);
    return marks;
}

static bool is_taken_out(const struct mending *m, const struct hba_rule *rule)
{
    const struct finding *finding = cure_of(m->spec->findings, rule->file, rule->line);

    return finding && !*finding->fix;
}

/*
 * A line that no longer takes plaintext lets it fall to the lines below, and one that nobody reached
 * may ask for less.  Those become hostssl too; true when there were any.
 */
static bool close_gaps(const struct mending *m)
{
    struct hba *now = m->job.server->hba;
    PS_AUTO(ps_freep) bool *before = plain_lines(now), *after = plain_lines(m->job.then);
    bool found = false;

    for (size_t i = 0, k = 0; i < hba_rules(now); i++) {
        if (is_taken_out(m, hba_rule(now, i)))
            continue;
        if (after[k++] && !before[i]) {
            hba_set_type(now, hba_rule(now, i), HBA_HOSTSSL);
            found = true;
        }
    }
    return found;
}

/* The last word: whatever was edited, nobody gets in without TLS who did not, or with less. */
static bool check_not_easier(const struct mending *m, struct ps_err *err)
{
    struct arena *arena = m->job.server->arena;
    struct diff diff;

    hba_diff(m->job.server->hba, m->job.then, NULL, arena, &diff);
    for (size_t i = 0; i < diff.len; i++) {
        const struct diff_row *row = &diff.rows[i];

        if (row->kind != REACH_PLAIN || (row->change != DIFF_GAINS && row->change != DIFF_WEAKER))
            continue;
        ps_fail(err, PS_E_UNSAFE, _("without TLS, more would get in by a line below those that are mended"));
        ps_hint(err, _("Let that line begin with hostssl, or take it out, then run the command again."));
        return ps_at(err, row->after->file, row->after->line, 0);
    }
    return true;
}

static bool plan_lines(struct mending *m, struct ps_err *err)
{
    const struct server *server = m->job.server;
    size_t cured;

    do
        if (!edit_files(m, &cured, err))
            return false;
    while (cured > 0 && close_gaps(m));
    if (cured > 0 && !check_not_easier(m, err))
        return false;

    for (size_t i = 0; i < m->files_len; i++)
        if (!plan_want(&m->job.plan, &server->owner, m->files[i].name, _("access rules"),
                       buf_text(&m->files[i].text), m->files[i].text.len, 0600, false, err))
            return false;
    return true;
}

/* ---- all of it ---- */

static bool check_secured(const struct server *server, struct ps_err *err)
{
    if (server_tls_on(server))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("TLS is off: there is nothing to mend yet"));
    return ps_hint(err, _("Switch it on first: pgseal secure -D \"%s\""), server->data_dir);
}

static bool prepare(struct mending *m, struct ps_err *err)
{
    const struct inspect_options options = { .bin_dir = m->spec->bin_dir };
    struct job *job = &m->job;

    return job_open(job, m->spec->data_dir, NULL, &options, err)
        && check_secured(job->server, err) && preflight_check(job->server, m->section, err)
        && job_check_finished(job, err) && job_connect(job, err)
        && job_read_certs(job->server, "ssl_cert_file", &job->creds.chain, err)
        && plan_settings(m, err) && plan_lines(m, err);
}

static void describe_left(const struct mend_spec *spec, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "left", _("Left to you"), NULL);

    for (size_t i = 0; i < spec->findings->len; i++) {
        const struct finding *finding = &spec->findings->at[i];

        if (mend_can(finding))
            continue;
        struct doc_node *row = doc_row(table);
        severity_field(row, finding->severity);
        doc_str(row, "id", _("Rule"), finding->id);
        doc_str(row, "message", _("Finding"), finding->message);
    }
}

static bool describe(struct mending *m, struct ps_err *err)
{
    struct job *job = &m->job;

    plan_describe(&job->plan, m->section);
    describe_left(m->spec, m->section);
    return !job->admin.sql
        || (admin_survives(&job->admin, job->then, err)
            && sessions_describe(job->admin.sql, job->then, false, job->server->arena, m->section,
                                 &job->cut_off, err));
}

static bool apply(struct mending *m, const struct doc *doc, struct ps_err *err)
{
    struct job *job = &m->job;

    return (!m->spec->ask || m->spec->ask(m->spec->ask_arg, doc, err))
        && state_dir_ensure(job->state_dir, &job->server->owner, err) && job_lock(job, err)
        && job_check_finished(job, err) && job_apply(job, err);
}

static void mending_free(struct mending *m)
{
    edited_free(m);
    job_free(&m->job);
}

bool mend_run(const struct mend_spec *spec, struct doc *doc, bool *changed, struct ps_err *err)
{
    PS_AUTO(mending_free) struct mending m = {
        .spec = spec, .section = doc_section(doc_root(doc), "mending", _("Mending")),
        .job = { .target = spec->target, .creds = CREDS_INIT, .reload = RELOAD_INIT, .doc = doc,
                 .failed = _("the findings could not be cured, and everything is as it was") },
    };

    m.job.root = m.section;
    if (!prepare(&m, err) || !describe(&m, err)
        || (!spec->dry_run && m.job.plan.len && !apply(&m, doc, err)))
        return false;
    *changed = m.job.changed;
    return true;
}
