/* cli.c - from the command line to a rendered result; see cli.h. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/tty.h"
#include "config.h"

enum { HELP_WIDTH = 90 };

const struct cli_cmd *const cli_cmds[] = {
    &cmd_secure,
    &cmd_prove,
    &cmd_status,
    &cmd_client,
    &cmd_ca,
    &cmd_rotate,
    &cmd_check,
    &cmd_scan,
    &cmd_capture,
    &cmd_rollback,
    &cmd_explain,
    NULL
};

static struct {
    char *format, *output;
    int quiet, verbose, help;
} common;

const struct poptOption cli_common_options[] = {
    { "format", 0, POPT_ARG_STRING, &common.format, 0,
      N_("how to show the result: %s; default text"), N_("FORMAT") },     /* help.c fills it in */
    { "output", 'o', POPT_ARG_STRING, &common.output, 0,
      N_("write the result to this file, not to standard output"), N_("FILE") },
    { "quiet", 'q', POPT_ARG_NONE, &common.quiet, 0,
      N_("besides the result, show warnings only"), NULL },
    { "verbose", 'v', POPT_ARG_NONE, &common.verbose, 0,
      N_("show more detail"), NULL },
    { "help", 'h', POPT_ARG_NONE, &common.help, 0, N_("show this help, then exit"), NULL },
    POPT_TABLEEND
};

size_t cli_count(char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

bool cli_no_args(const struct cli_run *run, struct ps_err *err)
{
    if (!run->args || !run->args[0])
        return true;
    ps_fail(err, PS_E_USAGE, _("unexpected argument \"%s\""), run->args[0]);
    return ps_hint(err, _("Put quotes around a value that has spaces in it."));
}

bool cli_need(const char *value, const char *option, const char *hint, struct ps_err *err)
{
    if (value)
        return true;
    ps_fail(err, PS_E_USAGE, _("option %s is missing"), option);
    return ps_hint(err, "%s", hint);
}

/* ---- writing ---- */

/* Where a result goes while it is made: to a descriptor, or into a file that takes the old one's place. */
struct sink {
    int fd;
    const char *name;           /* of what the descriptor writes to; NULL: standard output */
    struct file_edit *edit;     /* NULL: the descriptor */
    struct ps_err *err;
};

/* A reader that has seen enough, such as head(1), is no error. */
static bool write_bytes(int fd, const char *name, const char *bytes, size_t len, struct ps_err *err)
{
    for (size_t done = 0; done < len; ) {
        ssize_t n = write(fd, bytes + done, len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EPIPE)
            return true;
        else if (errno != EINTR)
            return name ? ps_fail(err, PS_E_IO, _("could not write file \"%s\": %m"), name)
                        : ps_fail(err, PS_E_IO, _("could not write to standard output: %m"));
    }
    return true;
}

static bool write_all(int fd, const struct buf *text, struct ps_err *err)
{
    return write_bytes(fd, NULL, buf_text(text), text->len, err);
}

static bool into_sink(void *of, const char *bytes, size_t len)
{
    struct sink *sink = of;

    return sink->edit ? file_edit_put(sink->edit, bytes, len, sink->err)
                      : write_bytes(sink->fd, sink->name, bytes, len, sink->err);
}

static void close_stream(int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
}

/* A file is replaced when the result is whole; what is no file gets it as it is made. */
static bool open_output(const char *path, int *stream, struct file_edit **edit, struct ps_err *err)
{
    static const struct file_attr fresh = { .mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1 };

    if (!file_is_stream(path))
        return file_edit_begin(path, &fresh, edit, err);
    *stream = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_APPEND);
    return *stream >= 0 || ps_fail(err, PS_E_IO, _("could not write file \"%s\": %m"), path);
}

static bool show_result(const struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    PS_AUTO(close_stream) int stream = STDOUT_FILENO;
    bool to_file = run->output && strcmp(run->output, "-") != 0;
    struct doc_style style = tty_style(STDOUT_FILENO, run->verbose);

    if (to_file) {
        style = (struct doc_style){ .verbose = run->verbose };
        if (!open_output(run->output, &stream, &edit, err))
            return false;
    }

    struct sink sink = { stream, to_file ? run->output : NULL, edit, err };
    PS_AUTO(buf_free) struct buf text = { .max = BUF_TEXT_MAX, .drain = into_sink, .drain_of = &sink };
    if (run->text)
        buf_puts(&text, run->text);
    else
        doc_render(run->doc, run->format, &style, &text);
    if (!buf_drain(&text))
        return err->code != PS_E_NONE
            ? false : ps_fail(err, PS_E_TOO_BIG, _("the result is too large to be shown"));
    return !edit || file_edit_commit(&edit, err);
}

static void describe_error(struct doc *doc, const struct ps_err *err)
{
    struct doc_node *error = doc_section(doc_root(doc), "error", NULL);

    doc_str(error, "code", NULL, ps_code_name(err->code));
    doc_str(error, "message", NULL, err->message);
    doc_str(error, "detail", NULL, err->detail[0] ? err->detail : NULL);
    doc_str(error, "hint", NULL, err->hint[0] ? err->hint : NULL);
    if (!err->at.file[0]) {
        doc_str(error, "at", NULL, NULL);
        return;
    }

    struct doc_node *at = doc_section(error, "at", NULL);
    doc_str(at, "file", NULL, err->at.file);
    doc_int(at, "line", NULL, err->at.line);
    doc_int(at, "column", NULL, err->at.column);
}

/* How far it came is worth reading when something was done and taken back, or is to be done by hand. */
static bool is_worth_showing(const struct cli_run *run, const struct ps_err *err)
{
    return run->verbose || err->code == PS_E_ROLLED_BACK || err->code == PS_E_UNSUPPORTED;
}

/* "ca issue" is "ca_issue" in the schema. */
static struct doc *new_doc(const char *verb)
{
    PS_AUTO(ps_freep) char *word = ps_strdup(verb);

    for (char *p = word; *p; p++)
        if (*p == ' ')
            *p = '_';
    return doc_new(word, NULL);
}

/*
 * Programs that asked for JSON get the error in it, behind what was found until then; people get it
 * from main().
 */
static void show_failure(struct cli_run *run, const char *verb, const struct ps_err *err)
{
    struct ps_err again;

    if (run->format == DOC_JSON) {
        if (!run->doc)
            run->doc = new_doc(verb);
        describe_error(run->doc, err);
    } else if (!run->doc || !is_worth_showing(run, err)) {
        return;
    }
    /* where nothing can be written any more, that was the error, and main() says it */
    if (!show_result(run, &again) && strcmp(again.message, err->message) != 0)
        log_warn("%s", again.message);
}

/* ---- parsing ---- */

static const char *own_format(const struct cli_cmd *cmd, const char *word)
{
    for (const char *const *own = cmd->formats; own && *own; own++)
        if (word && strcmp(*own, word) == 0)
            return *own;
    return NULL;
}

void cli_formats(const struct cli_cmd *cmd, struct buf *out)
{
    buf_puts(out, !cmd || cmd->csv ? "text, json, html, csv" : "text, json, html");
    for (const char *const *own = cmd ? cmd->formats : NULL; own && *own; own++)
        buf_printf(out, ", %s", *own);
}

static bool hint_formats(const struct cli_cmd *cmd, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf words = BUF(256);

    cli_formats(cmd, &words);
    return ps_hint(err, _("The formats are %s."), buf_text(&words));
}

static bool parse_format(const struct cli_cmd *cmd, struct cli_run *run, struct ps_err *err)
{
    run->own_format = own_format(cmd, common.format);
    if (run->own_format)
        return true;
    if (!doc_format_parse(common.format ? common.format : "text", &run->format, err))
        return hint_formats(cmd, err);
    if (run->format != DOC_CSV || cmd->csv)
        return true;
    ps_fail(err, PS_E_USAGE, _("the result of \"pgseal %s\" cannot be shown as csv"), cmd->name);
    return hint_formats(cmd, err);
}

static void set_log_level(const struct cli_run *run)
{
    log_set_level(run->quiet ? LOG_WARN : run->verbose ? LOG_DETAIL : LOG_INFO);
}

static bool print_help(const struct cli_cmd *cmd, int fd, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    int width = tty_style(fd, false).width;

    width = width == 0 || width > HELP_WIDTH ? HELP_WIDTH : width;
    if (!cmd)
        help_program(&text, width);
    else if (cmd->verbs)
        help_group(cmd, &text, width);
    else
        help_verb(cmd, &text, width);
    return write_all(fd, &text, err);
}

static bool run_cmd(const struct cli_cmd *cmd, poptContext context, bool parsed, struct cli_run *run,
                    struct ps_err *err)
{
    run->quiet = common.quiet;
    run->verbose = common.verbose;
    run->output = common.output;
    set_log_level(run);
    if (!parsed) {
        if (common.format && strcmp(common.format, "json") == 0)
            run->format = DOC_JSON;
        return false;
    }
    if (common.help)
        return print_help(cmd, STDOUT_FILENO, err);
    if (!parse_format(cmd, run, err)
        || (run->output && strcmp(run->output, "-") != 0 && !file_check_place(run->output, err)))
        return false;

    run->args = (const char *const *)poptGetArgs(context);
    return cmd->run(run, err) && ((!run->doc && !run->text) || show_result(run, err));
}

static void free_context(poptContext *context)
{
    poptFreeContext(*context);
}

static enum ps_exit dispatch(const struct cli_cmd *cmd, int argc, char **argv, struct ps_err *err)
{
    static const char none[] = "";
    struct poptOption options[] = {
        { none, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)cmd->options, 0, NULL, NULL },
        { none, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)cli_common_options, 0, NULL, NULL },
        POPT_TABLEEND
    };
    PS_AUTO(free_context) poptContext context =
        poptGetContext("pgseal", argc, (const char **)argv, options, POPT_CONTEXT_NO_EXEC);
    struct cli_run run = { .status = PS_EXIT_OK };
    bool parsed = options_parse(cmd, options, argv, context, err);
    bool done = run_cmd(cmd, context, parsed, &run, err);

    log_progress_end();
    if (!done)
        show_failure(&run, cmd->name, err);
    doc_free(run.doc);
    free(run.text);
    return done ? run.status : ps_code_exit(err->code);
}

/* ---- the program ---- */

const char *cli_own_name(const struct cli_cmd *cmd)
{
    const char *blank = strrchr(cmd->name, ' ');

    return blank ? blank + 1 : cmd->name;
}

static const struct cli_cmd *const *verbs_of(const struct cli_cmd *group)
{
    return group ? group->verbs : cli_cmds;
}

static const struct cli_cmd *find_cmd(const struct cli_cmd *group, const char *word)
{
    for (const struct cli_cmd *const *cmd = verbs_of(group); *cmd; cmd++)
        if (strcmp(cli_own_name(*cmd), word) == 0)
            return *cmd;
    return NULL;
}

static bool hint_help(const struct cli_cmd *group, struct ps_err *err)
{
    if (group)
        return ps_hint(err, _("Try \"pgseal %s --help\"."), group->name);
    return ps_hint(err, _("Try \"pgseal --help\"."));
}

static bool fail_unknown(const struct cli_cmd *group, const char *word, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *full =
        group ? ps_asprintf("%s %s", group->name, word) : ps_strdup(word);
    const struct cli_cmd *near = help_nearest(verbs_of(group), full);

    if (word[0] == '-')
        ps_fail(err, PS_E_USAGE, _("unknown option %s"), word);
    else
        ps_fail(err, PS_E_USAGE, _("unknown verb \"%s\""), full);
    if (near && word[0] != '-')
        return ps_hint(err, _("Did you mean \"pgseal %s\"?"), near->name);
    return hint_help(group, err);
}

static bool is_word(const char *arg, const char *brief, const char *full)
{
    return strcmp(arg, brief) == 0 || strcmp(arg, full) == 0;
}

/* help, help VERB, help GROUP VERB */
static bool help_on(const struct cli_cmd *cmd, char *const *words, struct ps_err *err)
{
    if (!*words || (cmd && !cmd->verbs))
        return print_help(cmd, STDOUT_FILENO, err);

    const struct cli_cmd *next = find_cmd(cmd, *words);
    return next ? help_on(next, words + 1, err) : fail_unknown(cmd, *words, err);
}

static bool print_version(struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(1024);

    buf_printf(&text, "pgseal %s\n", PGSEAL_VERSION);
    return write_all(STDOUT_FILENO, &text, err);
}

static enum ps_exit status_of(bool done, const struct ps_err *err)
{
    return done ? PS_EXIT_OK : ps_code_exit(err->code);
}

/* argv[0] is the program or the group; behind it stands the verb. */
static enum ps_exit choose(const struct cli_cmd *group, int argc, char **argv, struct ps_err *err)
{
    if (argc < 2) {
        ps_fail(err, PS_E_USAGE, _("no verb was given"));
        hint_help(group, err);
        return PS_EXIT_USAGE;
    }
    if (is_word(argv[1], "-h", "--help"))
        return status_of(print_help(group, STDOUT_FILENO, err), err);

    const struct cli_cmd *cmd = find_cmd(group, argv[1]);
    if (!cmd)
        return status_of(fail_unknown(group, argv[1], err), err);
    return cmd->verbs ? choose(cmd, argc - 1, argv + 1, err)
                      : dispatch(cmd, argc - 1, argv + 1, err);
}

enum ps_exit cli_main(int argc, char **argv, struct ps_err *err)
{
    signal(SIGPIPE, SIG_IGN);       /* write_all() sees EPIPE */
    if (argc > 1 && is_word(argv[1], "-V", "--version"))
        return status_of(print_version(err), err);
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        return status_of(help_on(NULL, argv + 2, err), err);
    return choose(NULL, argc, argv, err);
}
