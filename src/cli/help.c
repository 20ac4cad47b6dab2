/* help.c - see help.h. */
#include "cli/help.h"

#include "doc/text.h"

enum { OPTIONS_COLUMN = 30, VERBS_COLUMN = 14 };

static const struct {
    enum ps_exit status;
    const char *meaning;
} statuses[] = {
    { PS_EXIT_OK, N_("done; nothing was found that counts") },
    { PS_EXIT_FINDINGS, N_("done, and something was found") },
    { PS_EXIT_USAGE, N_("wrong use of the command line") },
    { PS_EXIT_NOT_EXAMINED, N_("could not look, or could not do it") },
    { PS_EXIT_UNSAFE, N_("refused: it would do harm") },
    { PS_EXIT_ROLLED_BACK, N_("tried, failed, and everything is as it was") },
    { PS_EXIT_BUG, N_("a mistake of pgseal's own") },
};

/* The empty text must not reach gettext: it would give the header of the catalog. */
static const char *translated(const char *text)
{
    return text && *text ? _(text) : "";
}

/* Text that begins at `column` and goes on there on the next lines; the pen stands at `at`. */
static void put_flowed(struct buf *out, int at, int column, int width, const char *text)
{
    PS_AUTO(text_lines_free) struct text_lines lines = { 0 };

    text_wrap(text, width - column < 30 ? 30 : width - column, &lines);
    if (at > 0 && at + 2 > column) {     /* two blanks between */
        buf_putc(out, '\n');
        at = 0;
    }
    for (size_t i = 0; i < lines.len; i++) {
        text_pad(out, i == 0 ? column - at : column);
        buf_put(out, lines.at[i].p, lines.at[i].len);
        buf_putc(out, '\n');
    }
}

static void put_item(struct buf *out, int column, int width, const char *name, const char *text)
{
    buf_printf(out, "  %s", name);
    put_flowed(out, 2 + text_columns(name, strlen(name)), column, width, text);
}

/* What --format takes is for each verb to say. */
static void put_description(const struct poptOption *option, const struct cli_cmd *cmd, struct buf *out)
{
    PS_AUTO(buf_free) struct buf words = BUF(256);
    const char *text = translated(option->descrip), *blank = strstr(text, "%s");

    if (!blank) {
        buf_puts(out, text);
        return;
    }
    cli_formats(cmd, &words);
    buf_put(out, text, (size_t)(blank - text));
    buf_puts(out, buf_text(&words));
    buf_puts(out, blank + 2);
}

static void put_option(const struct poptOption *option, const struct cli_cmd *cmd, struct buf *out, int width)
{
    PS_AUTO(buf_free) struct buf name = BUF(1024), text = BUF(4096);
    const char *value = translated(option->argDescrip);

    if (option->shortName)
        buf_printf(&name, "-%c%s", option->shortName, option->longName ? ", " : "");
    else
        buf_puts(&name, "    ");
    if (option->longName)
        buf_printf(&name, "--%s", option->longName);
    if (*value)
        buf_printf(&name, "%s%s", option->longName ? "=" : " ", value);
    put_description(option, cmd, &text);
    put_item(out, OPTIONS_COLUMN, width, buf_text(&name), buf_text(&text));
}

static bool is_end(const struct poptOption *option)
{
    return !option->longName && !option->shortName && !option->arg;
}

static void put_options(const struct poptOption *option, const struct cli_cmd *cmd, struct buf *out, int width)
{
    for (; !is_end(option); option++) {
        if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE)
            put_options(option->arg, cmd, out, width);
        else if (!(option->argInfo & POPT_ARGFLAG_DOC_HIDDEN))
            put_option(option, cmd, out, width);
    }
}

static void put_statuses(struct buf *out, int width)
{
    buf_printf(out, "\n%s\n", _("Exit status:"));
    for (size_t i = 0; i < PS_COUNT(statuses); i++) {
        char number[8];

        snprintf(number, sizeof(number), "%2d", (int)statuses[i].status);
        put_item(out, 6, width, number, _(statuses[i].meaning));
    }
}

void help_verb(const struct cli_cmd *cmd, struct buf *out, int width)
{
    buf_printf(out, "pgseal %s: %s\n", cmd->name, translated(cmd->summary));
    buf_printf(out, "\n%s\n  pgseal %s %s\n", _("Usage:"), cmd->name, translated(cmd->usage));
    if (cmd->about) {
        buf_putc(out, '\n');
        put_flowed(out, 0, 0, width, translated(cmd->about));
    }
    if (cmd->options && !is_end(cmd->options)) {
        buf_printf(out, "\n%s\n", _("Options:"));
        put_options(cmd->options, cmd, out, width);
    }
    buf_printf(out, "\n%s\n", _("Common options:"));
    put_options(cli_common_options, cmd, out, width);
    if (cmd->examples && cmd->examples[0])
        buf_printf(out, "\n%s\n", _("Examples:"));
    for (const char *const *example = cmd->examples; example && *example; example++)
        buf_printf(out, "  %s\n", *example);
    put_statuses(out, width);
}

static void put_verbs(const struct cli_cmd *const *verbs, struct buf *out, int width)
{
    buf_printf(out, "\n%s\n", _("Verbs:"));
    for (; *verbs; verbs++)
        put_item(out, VERBS_COLUMN, width, cli_own_name(*verbs), translated((*verbs)->summary));
}

void help_group(const struct cli_cmd *group, struct buf *out, int width)
{
    buf_printf(out, "pgseal %s: %s\n", group->name, translated(group->summary));
    buf_printf(out, "\n%s\n  pgseal %s %s\n  pgseal help %s %s\n", _("Usage:"), group->name,
               translated(group->usage), group->name, _("VERB"));
    buf_putc(out, '\n');
    put_flowed(out, 0, 0, width, translated(group->about));
    put_verbs(group->verbs, out, width);
    buf_printf(out, "\n%s\n", _("Common options:"));
    put_options(cli_common_options, NULL, out, width);
    put_statuses(out, width);
}

void help_program(struct buf *out, int width)
{
    put_flowed(out, 0, 0, width,
               _("pgseal takes a PostgreSQL server to TLS that is verified on both sides, proves it "
                 "from the outside, and can go back."));
    buf_printf(out, "\n%s\n  pgseal %s\n  pgseal help %s\n", _("Usage:"), _("VERB [options]"), _("VERB"));
    put_verbs(cli_cmds, out, width);
    buf_printf(out, "\n%s\n", _("Common options:"));
    put_options(cli_common_options, NULL, out, width);
    put_item(out, OPTIONS_COLUMN, width, "-V, --version", _("show the version, then exit"));
    put_statuses(out, width);
}

/* Levenshtein distance of two short words; longer ones are as good as unlike. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t row[MOST + 1], len = strlen(b);

    if (len > MOST || strlen(a) > MOST)
        return MOST;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
        }
    }
    return row[len];
}

const struct cli_cmd *help_nearest(const struct cli_cmd *const *verbs, const char *name)
{
    const struct cli_cmd *nearest = NULL;
    size_t least = 3;       /* more than two slips of the finger is another word */

    for (const struct cli_cmd *const *cmd = verbs; *cmd; cmd++) {
        size_t away = distance(name, (*cmd)->name);

        if (away < least) {
            least = away;
            nearest = *cmd;
        }
    }
    return nearest;
}
