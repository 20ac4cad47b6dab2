/* err.c - see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>

static const struct {
    const char *name;
    enum ps_exit exit;
} codes[] = {
    [PS_E_NONE]        = { "none",        PS_EXIT_OK },
    [PS_E_USAGE]       = { "usage",       PS_EXIT_USAGE },
    [PS_E_IO]          = { "io",          PS_EXIT_NOT_EXAMINED },
    [PS_E_NOT_FOUND]   = { "not_found",   PS_EXIT_NOT_EXAMINED },
    [PS_E_EXISTS]      = { "exists",      PS_EXIT_NOT_EXAMINED },
    [PS_E_TOO_BIG]     = { "too_big",     PS_EXIT_NOT_EXAMINED },
    [PS_E_SYNTAX]      = { "syntax",      PS_EXIT_NOT_EXAMINED },
    [PS_E_VALUE]       = { "value",       PS_EXIT_USAGE },
    [PS_E_KEY_MODE]    = { "key_mode",    PS_EXIT_UNSAFE },
    [PS_E_CRYPTO]      = { "crypto",      PS_EXIT_NOT_EXAMINED },
    [PS_E_PASSPHRASE]  = { "passphrase",  PS_EXIT_NOT_EXAMINED },
    [PS_E_CERT]        = { "cert",        PS_EXIT_UNSAFE },
    [PS_E_NET]         = { "net",         PS_EXIT_NOT_EXAMINED },
    [PS_E_TIMEOUT]     = { "timeout",     PS_EXIT_NOT_EXAMINED },
    [PS_E_PROTOCOL]    = { "protocol",    PS_EXIT_NOT_EXAMINED },
    [PS_E_SQL]         = { "sql",         PS_EXIT_NOT_EXAMINED },
    [PS_E_PROCESS]     = { "process",     PS_EXIT_NOT_EXAMINED },
    [PS_E_STORE]       = { "store",       PS_EXIT_NOT_EXAMINED },
    [PS_E_UNSUPPORTED] = { "unsupported", PS_EXIT_UNSAFE },
    [PS_E_UNSAFE]      = { "unsafe",      PS_EXIT_UNSAFE },
    [PS_E_DECLINED]    = { "declined",    PS_EXIT_UNSAFE },
    [PS_E_BUSY]        = { "busy",        PS_EXIT_NOT_EXAMINED },
    [PS_E_ROLLED_BACK] = { "rolled_back", PS_EXIT_ROLLED_BACK },
    [PS_E_BUG]         = { "bug",         PS_EXIT_BUG },
};

/* Cut inside a UTF-8 sequence?  Then drop the broken rest: a terminal must never see half a letter. */
static void trim_broken_utf8(char *text)
{
    size_t len = strlen(text);
    size_t tail = 0;

    while (tail < 3 && tail < len && ((unsigned char)text[len - 1 - tail] & 0xC0) == 0x80)
        tail++;
    if (tail == len)
        return;

    unsigned char lead = (unsigned char)text[len - 1 - tail];
    size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (want > tail)
        text[len - 1 - tail] = '\0';
}

static void put(char *to, size_t size, const char *fmt, va_list args)
{
    int written = vsnprintf(to, size, fmt, args);

    if (written < 0)
        to[0] = '\0';
    else if ((size_t)written >= size)
        trim_broken_utf8(to);
}

bool ps_fail(struct ps_err *err, enum ps_code code, const char *fmt, ...)
{
    int saved = errno;      /* for %m */
    va_list args;

    ps_err_clear(err);
    err->code = code;
    errno = saved;
    va_start(args, fmt);
    put(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    return false;
}

bool ps_detail(struct ps_err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put(err->detail, sizeof(err->detail), fmt, args);
    va_end(args);
    return false;
}

bool ps_hint(struct ps_err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
    return false;
}

bool ps_at(struct ps_err *err, const char *file, unsigned line, unsigned column)
{
    snprintf(err->at.file, sizeof(err->at.file), "%s", file ? file : "");
    err->at.line = line;
    err->at.column = column;
    return false;
}

bool ps_while(struct ps_err *err, const char *fmt, ...)
{
    struct ps_err old = *err;
    va_list args;

    va_start(args, fmt);
    put(err->message, sizeof(err->message), fmt, args);
    va_end(args);

    int written = snprintf(err->detail, sizeof(err->detail), "%s%s%s", old.message,
                           old.detail[0] ? "\n" : "", old.detail);
    if (written >= (int)sizeof(err->detail))
        trim_broken_utf8(err->detail);
    return false;
}

void ps_err_clear(struct ps_err *err)
{
    memset(err, 0, sizeof(*err));
}

enum ps_exit ps_code_exit(enum ps_code code)
{
    return (size_t)code < PS_COUNT(codes) ? codes[code].exit : PS_EXIT_BUG;
}

const char *ps_code_name(enum ps_code code)
{
    return (size_t)code < PS_COUNT(codes) ? codes[code].name : "bug";
}
