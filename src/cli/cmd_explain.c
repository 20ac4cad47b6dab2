/* cmd_explain.c - pgseal explain: an error text or a log: the cause, how to be sure, the cure. */
#include "cli/cli.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "doctor/describe.h"

enum { TEXT_MAX = 1 << 20 };

static struct {
    int list;
} opts;

static const struct poptOption options[] = {
    { "list", 0, POPT_ARG_NONE, &opts.list, 0, N_("list all errors that are known"), NULL },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal explain 'SSL error: tlsv1 alert unknown ca'",
    "psql ... 2>&1 | pgseal explain -",
    "pgseal explain server-ca-unknown",
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
    text->len = to;
}

static bool read_stdin(struct buf *out, struct ps_err *err)
{
    char part[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ps_fail(err, PS_E_IO, _("could not read standard input: %m"));
        if (!buf_put(out, part, (size_t)n))
            return ps_fail(err, PS_E_TOO_BIG, _("the text has more than %d bytes"), TEXT_MAX);
    }
    return true;
}

static bool explain_text(struct buf *text, struct cli_run *run)
{
    PS_AUTO(doctor_freep) struct doctor *doctor = doctor_new();
    struct doctor_match match;
    struct doc_node *root;

    squeeze(text);
    doctor_match(doctor, buf_text(text), text->len, &match);
    run->doc = doc_new("explain", _("What an error means"));
    root = doc_root(run->doc);
    if (match.len > 0) {
        doctor_describe_match(&match, root);
    } else {
        doctor_describe_unknown(buf_text(text), text->len, root);
        run->status = PS_EXIT_NOT_EXAMINED;
    }
    return true;
}

static bool explain_entry(const struct doctor_entry *entry, struct cli_run *run)
{
    run->doc = doc_new("explain", _("What an error means"));
    doctor_describe_entry(entry, NULL, doc_section(doc_root(run->doc), "answer", NULL));
    return true;
}

static bool explain_list(struct cli_run *run)
{
    run->doc = doc_new("explain", _("The errors that are known"));
    doctor_describe_list(doc_root(run->doc));
    return true;
}

static bool explain_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(TEXT_MAX);
    const char *first = run->args ? run->args[0] : NULL;

    if (opts.list)
        return cli_no_args(run, err) && explain_list(run);
    if (!first && isatty(STDIN_FILENO)) {
        ps_fail(err, PS_E_USAGE, _("there is nothing to explain"));
        return ps_hint(err, _("Give an error text, or \"-\" to read it from standard input."));
    }
    if (first && !run->args[1] && doctor_entry_find(first))
        return explain_entry(doctor_entry_find(first), run);
    if (!first || strcmp(first, "-") == 0) {
        if (!read_stdin(&text, err))
            return false;
    } else {
        join_args(run->args, &text);
    }
    return explain_text(&text, run);
}

const struct cli_cmd cmd_explain = {
    .name = "explain",
    .summary = N_("say what an error text means, how to be sure of the cause, and the cure"),
    .usage = N_("[TEXT | ENTRY | -] [options]"),
    .about = N_("Knows the errors around TLS and pg_hba.conf in the words of the server, libpq, JDBC, Npgsql, "
                "Go, Node, Python, Rust, PgBouncer and OpenSSL 1.1.1 to 3.6, in English and Spanish. A text that "
                "is not known is answered so, with the nearest entries, and the exit status 3."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = explain_run,
};
