/* cmd_capture.c - pgseal capture: what the packets say, of each connection. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "capture/run.h"
#include "capture/totals.h"
#include "cli/capture_conn.h"
#include "cli/capture_doc.h"
#include "rules/rule.h"

static struct {
    char **read, **port;
    char *interface, *duration, *count, *write, *lines, *fail_on;
    int show_exposed;
} opts;

static const struct poptOption options[] = {
    { "read", 'r', POPT_ARG_ARGV, &opts.read, 0,
      N_("read this capture (pcap or pcapng); repeatable; - is standard input"), N_("FILE") },
    { "interface", 'i', POPT_ARG_STRING, &opts.interface, 0,
      N_("capture on this interface, any for all"), N_("IF") },
    { "port", 'p', POPT_ARG_ARGV, &opts.port, 0,
      N_("only connections of this port; repeatable; default all"), N_("PORT") },
    { "duration", 0, POPT_ARG_STRING, &opts.duration, 0,
      N_("stop after this time: 90, 30s, 10m, 2h"), N_("TIME") },
    { "count", 0, POPT_ARG_STRING, &opts.count, 0, N_("stop after so many packets"), N_("N") },
    { "show-exposed", 0, POPT_ARG_NONE, &opts.show_exposed, 0,
      N_("show statements that could be read, without the values in them"), NULL },
    { "write", 'w', POPT_ARG_STRING, &opts.write, 0,
      N_("keep the packets of suspicious connections in this file (pcap)"), N_("FILE") },
    { "lines", 0, POPT_ARG_STRING, &opts.lines, 0,
      N_("write each connection as it ends, as one line of JSON; - is standard output"), N_("FILE") },
    { "fail-on", 0, POPT_ARG_STRING, &opts.fail_on, 0,
      N_("least severity that makes the exit status 1: info, low, medium, high, critical or none; "
         "default high"), N_("SEVERITY") },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal capture --read monday.pcap --read tuesday.pcapng",
    "pgseal capture --interface any --port 5432 --duration 10m --format html --output wire.html",
    "pgseal capture --interface eth0 --lines - --output wire.json --format json --write suspicious.pcap",
    NULL
};

enum { PORTS_MAX = 64 };

struct job {
    struct capture_spec spec;
    struct ps_err unread;
    const char **files;         /* of --read, and what follows them: a shell's pattern gives several */
    size_t files_len, files_cap;
    struct capture_view view;
    struct spool *spool;
    struct totals totals;
    struct findings findings;
    uint16_t ports[PORTS_MAX];
    int lines_fd;
};

static void job_free(struct job *job)
{
    free(job->files);
    findings_free(&job->findings);
    totals_free(&job->totals);
    spool_freep(&job->spool);
    if (job->lines_fd > STDOUT_FILENO)
        close(job->lines_fd);
}

/* ---- usage ---- */

static bool parse_ports(struct job *job, struct ps_err *err)
{
    for (char **port = opts.port; port && *port; port++) {
        long value;

        if (!num_parse(*port, 1, 65535, &value))
            return ps_fail(err, PS_E_USAGE, _("\"%s\" is not a port"), *port);
        if (job->spec.ports_count == PORTS_MAX)
            return ps_fail(err, PS_E_USAGE, _("at most %d ports can be given"), PORTS_MAX);
        job->ports[job->spec.ports_count++] = (uint16_t)value;
    }
    job->spec.ports = job->ports;
    return true;
}

static bool parse_duration(struct job *job, struct ps_err *err)
{
    static const struct { const char *unit; long seconds; } units[] = {
        { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 60 * 60 }, { "d", 24 * 60 * 60 },
    };
    size_t digits;
    long value;

    if (!opts.duration)
        return true;
    digits = strspn(opts.duration, "0123456789");
    for (size_t i = 0; i < PS_COUNT(units); i++)
        if (strcmp(opts.duration + digits, units[i].unit) == 0
            && num_parse_n(opts.duration, digits, 1, 1000000, &value)) {
            job->spec.duration_ms = (int64_t)value * units[i].seconds * 1000;
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("\"%s\" is not a time"), opts.duration);
    return ps_hint(err, _("Write a number and s, m, h or d, such as 10m."));
}

static bool parse_count(struct job *job, struct ps_err *err)
{
    long value;

    if (!opts.count)
        return true;
    if (!num_parse(opts.count, 1, LONG_MAX, &value))
        return ps_fail(err, PS_E_USAGE, _("\"%s\" is not a number of packets"), opts.count);
    job->spec.count = value;
    return true;
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    if (!opts.read && !cli_no_args(run, err))
        return false;
    if ((opts.read != NULL) == (opts.interface != NULL)) {
        ps_fail(err, PS_E_USAGE, _("either --read or --interface is needed"));
        return ps_hint(err, _("--read takes what tcpdump -w wrote; --interface looks now."));
    }
    if (opts.lines && strcmp(opts.lines, "-") == 0 && !run->output) {
        ps_fail(err, PS_E_USAGE, _("--lines - needs --output: both would go to standard output"));
        return ps_hint(err, _("Give the report a file of its own with --output."));
    }
    return true;
}

/* ---- lines while it runs ---- */

static bool to_fd(void *of, const char *bytes, size_t len)
{
    const struct job *job = of;

    while (len > 0) {
        ssize_t n = write(job->lines_fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;       /* nobody listens any more; the report has it all */
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void put_line(void *of, const struct conn *conn)
{
    static const struct doc_style style = { .one_line = true };
    struct job *job = of;
    PS_AUTO(doc_freep) struct doc *doc = doc_new("capture_connection", NULL);
    PS_AUTO(buf_free) struct buf line = { .max = BUF_TEXT_MAX, .drain = to_fd, .drain_of = job };

    capture_conn_doc(conn, NULL, opts.show_exposed, doc_root(doc));
    doc_render(doc, DOC_JSON, &style, &line);
    (void)buf_drain(&line);
}

static bool open_lines(struct job *job, struct ps_err *err)
{
    job->lines_fd = -1;
    if (!opts.lines)
        return true;
    job->spec.ended = put_line;
    job->spec.of = job;
    if (strcmp(opts.lines, "-") == 0) {
        job->lines_fd = STDOUT_FILENO;
        return true;
    }
    job->lines_fd = open(opts.lines, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return job->lines_fd >= 0 || ps_fail(err, PS_E_IO, _("could not open \"%s\": %m"), opts.lines);
}

/* ---- the verb ---- */

static void judge(struct job *job)
{
    const struct capture_counts *counts = &job->totals.counts;
    const struct posture posture = {
        .arena = job->totals.arena, .source = POSTURE_PACKETS, .name = "", .now = clock_now(),
        .traffic = job->totals.traffic, .traffic_len = job->totals.traffic_len,
        .packets_lost = counts->dropped_kernel + counts->dropped_interface + counts->flows.evicted
                        + counts->flows.parts_refused + job->totals.traffic_refused,
    };

    job->findings.arena = job->totals.arena;
    rules_run(&posture, RULE_CAPTURE, NULL, &job->findings);
}

static void list_files(struct job *job, const char *const *more)
{
    for (char **file = opts.read; file && *file; file++)
        PS_PUSH(job->files, job->files_len, job->files_cap) = *file;
    for (; more && *more; more++)
        PS_PUSH(job->files, job->files_len, job->files_cap) = *more;
    PS_PUSH(job->files, job->files_len, job->files_cap) = NULL;
    job->spec.files = job->files;
}

static bool look(struct job *job, const struct cli_run *run, struct ps_err *err)
{
    list_files(job, run->args);
    job->spec.interface = opts.interface;
    job->spec.want_samples = opts.show_exposed;
    job->spec.write_path = opts.write;
    job->spec.unread = &job->unread;
    if (!parse_ports(job, err) || !parse_duration(job, err) || !parse_count(job, err)
        || !open_lines(job, err) || !spool_new(&job->spool, err)
        || !capture_run(&job->spec, job->spool, err))
        return false;
    totals_make(job->spool, job->spec.ports, job->spec.ports_count, &job->totals);
    return job->totals.complete
        || ps_fail(err, PS_E_BUG, _("the temporary file of the capture is not whole"));
}

static bool capture_verb(struct cli_run *run, struct ps_err *err)
{
    static struct job job;      /* the rows are made while the document is shown, after we return */
    enum severity least = SEV_HIGH;

    if (!check_usage(run, err) || !severity_parse(opts.fail_on, SEV_HIGH, &least, err))
        return false;
    if (!look(&job, run, err)) {
        job_free(&job);
        return false;
    }
    judge(&job);
    job.view = (struct capture_view){
        .spool = job.spool, .totals = &job.totals, .findings = &job.findings, .unread = &job.unread,
        .with_sample = opts.show_exposed,
        .all = run->format == DOC_JSON || run->format == DOC_CSV,
        .owners = run->format == DOC_TEXT ? CAPTURE_OWNERS_TEXT : CAPTURE_OWNERS,
    };
    run->doc = doc_new("capture", _("What was on the wire"));
    capture_describe(&job.view, doc_root(run->doc));
    if (findings_worst(&job.findings) >= least)
        run->status = PS_EXIT_FINDINGS;
    else if (job.unread.code != PS_E_NONE)
        run->status = PS_EXIT_NOT_EXAMINED;
    return true;
}

const struct cli_cmd cmd_capture = {
    .name = "capture",
    .summary = N_("prove from the packets which connections are encrypted"),
    .usage = N_("--read FILE... | --interface IF [options]"),
    .about = N_("Reads packets from files or from an interface and gives each connection a verdict, such as "
                "tls (with version and cipher), plaintext (with what was exposed), downgraded, refused, "
                "failed (and by whom), or unknown, for what cannot be seen is never called encrypted. "
                "PostgreSQL is recognised by its start-up on any port. Passwords are never stored or shown. "
                "The process that reads packets gives up every right before the first one. SIGINT and "
                "SIGTERM end it, and the report is written. Of what is readable only numbers are shown, "
                "unless --show-exposed asks for statements, without the values in them."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = capture_verb,
};
