/*
 * main.c - locale, OpenSSL, dispatch; the only place that prints an error or ends the program.
 */
#include <locale.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "config.h"
#include "doc/text.h"
#include "tls/secret.h"

/* In a build tree the catalogs are in po/ beside the program. */
static char *find_catalogs(void)
{
    PS_AUTO(ps_freep) char *dir = NULL;
    PS_AUTO(ps_freep) char *built = NULL;
    PS_AUTO(ps_freep) char *mark = NULL;
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0)
        return ps_strdup(PGSEAL_LOCALEDIR);
    self[len] = '\0';
    dir = path_dir(self);
    built = path_join(dir, "po");
    mark = path_join(dir, "meson-info");
    return file_is_dir(mark) && file_is_dir(built) ? PS_TAKE(built) : ps_strdup(PGSEAL_LOCALEDIR);
}

static void start_language(void)
{
    PS_AUTO(ps_freep) char *catalogs = find_catalogs();

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");     /* numbers are read by programs too */
    bindtextdomain("pgseal", catalogs);
    bind_textdomain_codeset("pgseal", "UTF-8");
    textdomain("pgseal");
}

static void print_place(const struct ps_err *err)
{
    const struct ps_place *at = &err->at;

    if (at->line && at->column)
        fprintf(stderr, _("  at %s, line %u, column %u\n"), at->file, at->line, at->column);
    else if (at->line)
        fprintf(stderr, _("  at %s, line %u\n"), at->file, at->line);
    else if (at->file[0] && !strstr(err->message, at->file))
        fprintf(stderr, _("  at %s\n"), at->file);
}

/* In the manner of psql; what a server or a file said must not move the cursor. */
static void print_part(const char *label, const char *text)
{
    PS_AUTO(buf_free) struct buf visible = BUF(BUF_TEXT_MAX);

    if (!text[0])
        return;
    text_visible(text, &visible);
    fprintf(stderr, "%s%s\n", label, buf_text(&visible));
}

static void print_error(const struct ps_err *err)
{
    log_progress_end();
    print_part(_("pgseal: error: "), err->message);
    print_place(err);
    print_part(_("DETAIL:  "), err->detail);
    print_part(_("HINT:  "), err->hint);
}

int main(int argc, char **argv)
{
    static struct ps_err err;
    enum ps_exit status;

    start_language();
    tls_start();
    status = cli_main(argc, argv, &err);
    if (err.code != PS_E_NONE)
        print_error(&err);
    return (int)status;
}
