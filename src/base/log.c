/* log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

static enum log_level shown = LOG_INFO;
static bool line_open;      /* a progress line stands on the terminal */

void log_set_level(enum log_level most)
{
    shown = most;
}

static void say(enum log_level level, const char *prefix, const char *fmt, va_list args)
{
    if (level > shown)
        return;
    log_progress_end();
    fputs(prefix, stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void log_warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(LOG_WARN, _("warning: "), fmt, args);
    va_end(args);
}

void log_info(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(LOG_INFO, "", fmt, args);
    va_end(args);
}

void log_detail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(LOG_DETAIL, "", fmt, args);
    va_end(args);
}

void log_progress(const char *what, size_t done, size_t total)
{
    if (shown < LOG_INFO || !isatty(STDERR_FILENO))
        return;
    if (total)
        fprintf(stderr, "\r\033[K[%zu/%zu] %s", done, total, what);
    else
        fprintf(stderr, "\r\033[K%s", what);
    fflush(stderr);
    line_open = true;
}

void log_progress_end(void)
{
    if (!line_open)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    line_open = false;
}
