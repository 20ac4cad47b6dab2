/* tty.c - what the terminal can show, and asking the person at it; see tty.h and cli.h. */
#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "cli/cli.h"

enum { NARROWEST = 40, WIDEST = 1000 };

static int width_of(int fd)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long width;

    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROWEST)
        return size.ws_col < WIDEST ? size.ws_col : WIDEST;
    if (columns && num_parse(columns, NARROWEST, WIDEST, &width))
        return (int)width;
    return 0;
}

static bool colors_wanted(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

struct doc_style tty_style(int fd, bool verbose)
{
    return (struct doc_style){ .color = colors_wanted(fd), .verbose = verbose,
                               .width = width_of(fd) };
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* "y" everywhere, and what the language of the user says for yes. */
static bool says_yes(char *answer)
{
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0
        || strcasecmp(answer, _("y")) == 0 || strcasecmp(answer, _("yes")) == 0;
}

bool cli_confirm(const char *question, struct ps_err *err)
{
    PS_AUTO(close_file) FILE *tty = NULL;
    char answer[64];
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        ps_fail(err, PS_E_USAGE, _("there is no terminal to ask on"));
        return ps_hint(err, _("Give --yes to go ahead without being asked."));
    }
    tty = fdopen(fd, "r+");
    if (!tty) {
        close(fd);
        return ps_fail(err, PS_E_IO, _("could not open the terminal: %m"));
    }
    log_progress_end();
    fprintf(tty, "%s %s ", question, _("[y/N]"));
    fflush(tty);
    if (!fgets(answer, sizeof(answer), tty) || !says_yes(answer))
        return ps_fail(err, PS_E_DECLINED, _("nothing was done, as you wished"));
    return true;
}

void cli_show(const struct cli_run *run, const struct doc *doc)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    struct doc_style style = tty_style(STDERR_FILENO, run->verbose);

    doc_render(doc, DOC_TEXT, &style, &text);
    log_progress_end();
    fputs(buf_text(&text), stderr);
}
