/* cmd_explain.c - pgseal explain: an error text or a log: the cause, how to be sure, the cure. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/explain_rule.h"
#include "doctor/describe.h"
#include "doctor/latin1.h"
#include "doctor/tally.h"
#include "inspect/posture.h"

enum { TEXT_MAX = 64 << 10, READ_MAX = 256 << 10 };

static struct {
    char **logs;
    char *prefix, *data_dir, *target;
    int top, list, rules;
} opts = { .top = 10 };

static const struct poptOption options[] = {
    { "log", 0, POPT_ARG_ARGV, &opts.logs, 0,
      N_("sum up this log of a server, or of an application: stderr, csvlog or jsonlog; repeatable, - is "
         "standard input"), N_("FILE") },
    { "log-line-prefix", 0, POPT_ARG_STRING, &opts.prefix, 0,
      N_("the server's log_line_prefix; default: guessed"), N_("PREFIX") },
    { "top", 0, POPT_ARG_INT, &opts.top, 0,
      N_("rows of each table of a log's summary at most; default 10"), N_("N") },
    { "rules", 0, POPT_ARG_NONE, &opts.rules, 0, N_("list all rules of pgseal check"), NULL },
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0,
      N_("data directory of the server that it is about: look there which cause it is"), N_("DATADIR") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("the same through SQL: connection string, URI or database name"), N_("DSN") },
    { "list", 0, POPT_ARG_NONE, &opts.list, 0, N_("list all errors that are known"), NULL },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal explain 'SSL error: tlsv1 alert unknown ca'",
    "psql ... 2>&1 | pgseal explain -",
    "pgseal explain -D /var/lib/postgresql/15/main 'could not accept SSL connection: certificate verify failed'",
    "pgseal explain --log /var/log/postgresql/postgresql-15-main.log",
    "pgseal explain server-ca-unknown",
    "pgseal explain hba-shadowed",
    "pgseal explain --list",
    NULL
};

/* The arguments with blanks between, as a shell would give an unquoted text. */
static void join_args(const char *const *args, struct buf *out)
{
    for (size_t i = 0; args[i]; i++)
        buf_printf(out, "%s%s", i ? " " : "", args[i]);
}

/* Runs of blanks and line ends are one blank: terminals and mail programs break lines. */
static void squeeze(struct buf *text)
{
    size_t to = 0;

    for (size_t i = 0; i < text->len; i++) {
        bool blank = text->p[i] == ' ' || (text->p[i] >= '\t' && text->p[i] <= '\r');

        if (blank && to > 0 && text->p[to - 1] == ' ')
            continue;
        text->p[to++] = blank ? ' ' : text->p[i];
    }
    if (text->p)
        text->p[to] = '\0';
    text->len = to;
}

/* ---- a log ---- */

struct summing {
    struct tally *tally;
    struct logs *logs;
};

static void take_message(void *arg, const struct logs_message *message)
{
    struct summing *summing = arg;

    tally_take(summing->tally, summing->logs, message);
}

/* Up to `max` bytes; fewer only at the end of the file. */
static bool read_some(int fd, const char *name, size_t max, struct buf *out, struct ps_err *err)
{
    char part[16384];

    buf_clear(out);
    while (out->len < max) {
        size_t room = max - out->len;
        ssize_t n = read(fd, part, room < sizeof(part) ? room : sizeof(part));

        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ps_fail(err, PS_E_IO, _("could not read \"%s\": %m"), name);
        buf_put(out, part, (size_t)n);
    }
    return true;
}

static bool feed_fd(int fd, const char *name, struct logs *logs, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf part = BUF(READ_MAX + 1);

    do {
        if (!read_some(fd, name, READ_MAX, &part, err))
            return false;
        logs_feed(logs, buf_text(&part), part.len);
    } while (part.len == READ_MAX);
    logs_end(logs);
    return true;
}

static void close_fd(int *fd)
{
    if (*fd > STDIN_FILENO)
        close(*fd);
}

static bool feed_file(const char *path, struct logs *logs, struct ps_err *err)
{
    PS_AUTO(close_fd) int fd = STDIN_FILENO;

    if (strcmp(path, "-") != 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                       _("could not open log file \"%s\": %m"), path);
    return feed_fd(fd, path, logs, err);
}

/* What was given, else what the server's files say; NULL: guess. */
static const char *line_prefix(const struct posture *posture)
{
    const struct conf_setting *setting =
        posture && posture->conf ? conf_winner(posture->conf, "log_line_prefix") : NULL;

    return opts.prefix ? opts.prefix : setting ? setting->value : NULL;
}

/* `begin`, what was already read from standard input, may be NULL; then the files. */
static bool explain_log(const struct buf *begin, char *const *files, const struct posture *posture,
                        struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    PS_AUTO(tally_freep) struct tally *tally = tally_new(doctor);
    struct summing summing = { .tally = tally };
    PS_AUTO(logs_freep) struct logs *logs = logs_new(line_prefix(posture), take_message, &summing);

    summing.logs = logs;
    if (begin) {
        logs_feed(logs, buf_text(begin), begin->len);
        if (!feed_fd(STDIN_FILENO, "-", logs, err))
            return false;
    }
    for (; files && *files; files++)
        if (!feed_file(*files, logs, err))
            return false;
    run->doc = doc_new("explain", _("What a log means"));
    if (tally_describe(tally, logs_count(logs), (size_t)opts.top, posture, doc_root(run->doc)) > 0)
        run->status = PS_EXIT_FINDINGS;
    return true;
}

/* ---- a text ---- */

struct record {
    struct buf text;
    size_t messages, records;
};

static void take_record(void *arg, const struct logs_message *message)
{
    struct record *record = arg;

    record->messages++;
    if (message->prefix.p)
        return;                 /* of stderr, or no server's */
    record->records++;
    buf_clear(&record->text);
    buf_put(&record->text, message->text.p, message->text.len);
}

static void replace(struct buf *text, const struct buf *by)
{
    buf_free(text);
    *text = BUF(2 * TEXT_MAX + 1);
    buf_put(text, buf_text(by), by->len);
}

/* One record of csvlog or jsonlog is its message, without the quotes that these formats put in. */
static void unwrap(struct buf *text)
{
    PS_AUTO(buf_free) struct buf utf8 = BUF(2 * TEXT_MAX + 1);
    struct record record = { .text = BUF(TEXT_MAX + 1) };
    PS_AUTO(logs_freep) struct logs *logs = logs_new(NULL, take_record, &record);

    logs_feed(logs, buf_text(text), text->len);
    logs_end(logs);
    if (record.messages == 1 && record.records == 1)
        replace(text, &record.text);
    if (latin1_to_utf8(buf_text(text), text->len, &utf8))
        replace(text, &utf8);
    buf_free(&record.text);
}

static bool explain_text(struct buf *text, const struct posture *posture, struct cli_run *run)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    struct doctor_match match;
    struct doc_node *root;

    unwrap(text);
    squeeze(text);
    doctor_match(doctor, buf_text(text), text->len, &match);
    run->doc = doc_new("explain", _("What an error means"));
    root = doc_root(run->doc);
    if (match.len > 0) {
        if (doctor_describe_match(&match, posture, root) > 0)
            run->status = PS_EXIT_FINDINGS;
    } else {
        doctor_describe_unknown(buf_text(text), text->len, root);
        run->status = PS_EXIT_NOT_EXAMINED;
    }
    return true;
}

static bool explain_entry(const struct doctor_entry *entry, const struct posture *posture,
                          struct cli_run *run)
{
    run->doc = doc_new("explain", _("What an error means"));
    if (doctor_describe_entry(entry, NULL, posture, doc_section(doc_root(run->doc), "answer", NULL)) > 0)
        run->status = PS_EXIT_FINDINGS;
    return true;
}

static bool explain_list(struct cli_run *run)
{
    run->doc = doc_new("explain", _("The errors that are known"));
    doctor_describe_list(doc_root(run->doc));
    return true;
}

/* What is long, or has several messages of a server, is a log. */
static bool explain_stdin(const struct posture *posture, struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(TEXT_MAX + 1);

    if (!read_some(STDIN_FILENO, "-", TEXT_MAX, &text, err))
        return false;
    if (text.len == TEXT_MAX || logs_is_log(buf_text(&text), text.len))
        return explain_log(&text, NULL, posture, run, err);
    return explain_text(&text, posture, run);
}

static bool explain_args(const struct posture *posture, struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(TEXT_MAX);
    const char *first = run->args ? run->args[0] : NULL;

    if (!first && isatty(STDIN_FILENO)) {
        ps_fail(err, PS_E_USAGE, _("there is nothing to explain"));
        return ps_hint(err, _("Give an error text, or \"-\" to read it from standard input."));
    }
    if (!first || strcmp(first, "-") == 0)
        return explain_stdin(posture, run, err);
    if (!run->args[1] && doctor_entry_find(first))
        return explain_entry(doctor_entry_find(first), posture, run);
    join_args(run->args, &text);
    return explain_text(&text, posture, run);
}

static bool make_posture(struct posture **out, struct ps_err *err)
{
    const struct posture_options from = { .wire_ms = 0 };

    if (opts.data_dir && opts.target)
        return ps_fail(err, PS_E_USAGE, _("-D and --target cannot be given together"));
    if (opts.data_dir)
        return posture_of_data_dir(opts.data_dir, &from, out, err);
    return !opts.target || posture_by_sql(opts.target, out, err);
}

static bool explain_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(posture_freep) struct posture *posture = NULL;

    if (opts.top < 1)
        return ps_fail(err, PS_E_USAGE, _("--top must be at least 1"));
    if (opts.rules || explain_is_rule(run->args))
        return explain_rules(run, opts.rules, err);
    if (opts.list)
        return cli_no_args(run, err) && explain_list(run);
    if (!make_posture(&posture, err))
        return false;
    if (opts.logs)
        return cli_no_args(run, err) && explain_log(NULL, opts.logs, posture, run, err);
    return explain_args(posture, run, err);
}

const struct cli_cmd cmd_explain = {
    .name = "explain",
    .summary = N_("say what an error text means, how to be sure of the cause, and the cure"),
    .usage = N_("[TEXT | ENTRY | RULE | - | --log FILE...] [-D DATADIR | --target DSN] [options]"),
    .about = N_("Knows the errors around TLS and pg_hba.conf in the words of the server, libpq, JDBC, Npgsql, "
                "Go, Node, Python, Rust, PgBouncer and OpenSSL 1.1.1 to 3.6, in English and Spanish. A text that "
                "is not known is answered so, with the nearest entries, and the exit status 3. A log, of any length, is "
                "summed up in one pass: which error how often, from when to when, by which role and address. With -D or "
                "--target the causes are held against the server's files, and the exit status is 1 when one of "
                "them is confirmed. The id of a rule of pgseal check gives the page of that rule."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = explain_run,
};
