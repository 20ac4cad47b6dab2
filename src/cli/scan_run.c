/* scan_run.c - see scan_run.h. */
#include "cli/scan_run.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/scan_lines.h"
#include "cli/scan_store.h"
#include "cli/scan_together.h"
#include "probe/sweep.h"
#include "probe/view.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

void scan_free(struct scan *scan)
{
    for (size_t i = 0; scan->seen && i < scan->targets.len; i++)
        if (scan->seen[i])
            seen_free(scan->seen[i]);
    free(scan->seen);
    free(scan->findings);
    free(scan->skip);
    past_free(&scan->known);
    past_free(&scan->before);
    if (scan->lines_fd > STDOUT_FILENO)
        close(scan->lines_fd);
    if (scan->store_fd >= 0)
        close(scan->store_fd);
    targets_free(&scan->targets);
    arena_free(scan->targets.arena);
    cert_list_free(&scan->around);
    cert_list_free(&scan->trust);
    crl_list_free(&scan->crls);
}

/* ---- judging ---- */

void judged_free(struct judged *judged)
{
    report_free(&judged->report);
    posture_freep(&judged->posture);
}

void scan_judge(struct scan *scan, const struct seen *seen, struct judged *out)
{
    const struct scan_opts *opts = scan->opts;
    struct report *report = &out->report;

    out->posture = view_posture(seen, opts->trust ? &scan->trust : NULL,
                                opts->crl ? &scan->crls : NULL);
    out->posture->around = &scan->around;
    out->posture->critical = scan->profile == PROFILE_CRITICAL;
    *report = (struct report){ .posture = out->posture, .choice = &scan->choice, .modes = RULE_SCAN,
                               .findings = { .arena = out->posture->arena } };
    rules_run(out->posture, RULE_SCAN, &scan->choice, &report->findings);
    grade_of(&report->findings, scan->choice.only != NULL || seen->reach != REACH_YES
             || opts->certificate_only, &report->grade);
    enum severity worst = findings_worst(&report->findings);
    scan->worst = worst > scan->worst ? worst : scan->worst;
}

/*
 * A line that cannot be written ends the scan: whoever resumes it relies on them.  With `again` only what
 * differs by now is written: the last line of a server counts.
 */
static void put_line(struct scan *scan, size_t target, bool again)
{
    PS_AUTO(judged_free) struct judged judged = { 0 };

    if ((scan->lines_fd < 0 && scan->store_fd < 0) || scan->lines_err.code != PS_E_NONE)
        return;
    scan_judge(scan, scan->seen[target], &judged);
    if (again && judged.report.findings.len == scan->findings[target])
        return;
    scan->findings[target] = judged.report.findings.len;
    const struct { int fd; const char *name; } files[] = { { scan->lines_fd, scan->opts->lines },
                                                           { scan->store_fd, scan->opts->store } };
    for (size_t i = 0; i < PS_COUNT(files); i++)
        if (files[i].fd >= 0
            && !scan_lines_put(files[i].fd, files[i].name, scan->seen[target], &judged.report,
                               &scan->lines_err)) {
            stop = 1;
            return;
        }
}

static void take(void *arg, size_t target, struct seen *seen)
{
    struct scan *scan = arg;

    seen->role = scan->opts->role;
    seen->database = scan->opts->database;
    scan->seen[target] = seen;
    scan->reached += seen->reach == REACH_YES;
    put_line(scan, target, false);
    log_progress(_("servers"), ++scan->done, scan->targets.len);
}

static bool look(struct scan *scan, struct ps_err *err)
{
    const struct scan_opts *opts = scan->opts;
    PS_AUTO(tls_ctx_freep) struct tls_ctx *any = NULL, *tls12 = NULL, *alpn = NULL;
    struct sigaction action = { .sa_handler = on_signal }, before[2];
    struct sweep sweep = {
        .survey = { .role = opts->role, .database = opts->database, .connect_ms = opts->timeout_ms,
                    .answer_ms = opts->timeout_ms, .at_once = SHOT_AT_ONCE_MAX,
                    .retries = (unsigned)opts->retries,
                    .connections_max = (unsigned)opts->connections_max,
                    .certificate_only = opts->certificate_only, .all_ciphers = opts->all_ciphers },
        .targets = &scan->targets, .at_once = opts->at_once, .at_once_net = opts->at_once_net,
        .rate = opts->rate, .skip = scan->skip, .done = take, .arg = scan, .stop = &stop,
    };

    if (!tls_ctx_client(&(struct tls_client_spec){ .reversed = TLS_1_3 }, &any, err)
        || !tls_ctx_client(&(struct tls_client_spec){ .max = TLS_1_2, .reversed = TLS_1_2 },
                           &tls12, err)
        || !tls_ctx_client(&(struct tls_client_spec){ .alpn_postgresql = true }, &alpn, err))
        return false;
    sweep.survey.ctx = any;
    sweep.survey.ctx12 = tls12;
    sweep.survey.ctx_alpn = alpn;
    scan->seen = ps_calloc(scan->targets.len, sizeof(struct seen *));
    scan->findings = ps_calloc(scan->targets.len, sizeof(*scan->findings));
    /* what was seen until then is shown */
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    bool ok = sweep_run(&sweep, err);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    log_progress_end();
    return ok;
}

/* ---- what only all servers together tell ---- */

static bool settle(struct scan *scan, struct ps_err *err)
{
    scan_find_shared_keys(scan->seen, scan->targets.len);
    scan_collect_cas(scan->seen, scan->targets.len, &scan->around);
    for (size_t i = 0; i < scan->targets.len; i++)
        if (scan->seen[i])
            put_line(scan, i, true);
    if (scan->lines_err.code != PS_E_NONE)
        *err = scan->lines_err;
    return scan->lines_err.code == PS_E_NONE;
}

/* ---- earlier scans ---- */

static bool read_past(const char *path, struct scan *scan, struct past *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(PAST_BYTES_MAX);

    out->arena = scan->targets.arena;
    return file_read(path, PAST_BYTES_MAX, &text, err)
        && past_parse(buf_text(&text), text.len, path, out, err);
}

/* With what this scan is to be compared: before its own file is among those of the store. */
static bool read_before(struct scan *scan, struct ps_err *err)
{
    const struct scan_opts *opts = scan->opts;
    const char *where = opts->compare ? opts->compare : opts->store;
    bool folder = !opts->compare || file_is_dir(where);

    if (!where)
        return true;
    scan->before.arena = scan->targets.arena;
    if (folder ? !scan_store_read(where, &scan->targets, &scan->before, err)
               : !read_past(where, scan, &scan->before, err))
        return false;
    scan->compares = opts->compare || scan->before.len;
    return true;
}

static bool prepare_lines(struct scan *scan, struct ps_err *err)
{
    const struct scan_opts *opts = scan->opts;
    if (!read_before(scan, err))
        return false;
    scan->skip = ps_calloc(scan->targets.len, sizeof(*scan->skip));
    if (opts->resume && file_exists(opts->lines)) {
        if (!read_past(opts->lines, scan, &scan->known, err))
            return false;
        for (size_t i = 0; i < scan->targets.len; i++)
            scan->skip[i] = past_find(&scan->known, scan->targets.at[i].host,
                                      scan->targets.at[i].port) != NULL;
    }
    return (!opts->lines || scan_lines_open(opts->lines, &scan->lines_fd, err))
        && (!opts->store || scan_store_add(opts->store, &scan->store_fd, err));
}

bool scan_look(struct scan *scan, struct ps_err *err)
{
    bool ok = prepare_lines(scan, err) && look(scan, err) && settle(scan, err);

    scan->stopped = stop;
    return ok;
}
