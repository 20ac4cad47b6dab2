/* quote.c - see quote.h. */
#include "kit/quote.h"

static void quote_doubling(const char *text, char mark, struct buf *out)
{
    buf_putc(out, mark);
    for (; *text; text++) {
        if (*text == mark)
            buf_putc(out, mark);
        buf_putc(out, *text);
    }
    buf_putc(out, mark);
}

void quote_string(const char *text, struct buf *out)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

void quote_shell(const char *text, struct buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@=,+%";

    if (*text && text[strspn(text, plain)] == '\0') {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

void quote_npgsql(const char *text, struct buf *out)
{
    /* DbConnectionStringBuilder: blanks at the ends are dropped, ; ends a value, quotes begin one */
    size_t len = strlen(text);
    bool blank_end = len == 0 || text[0] == ' ' || text[len - 1] == ' ';

    if (!blank_end && !strpbrk(text, ";='\""))
        buf_puts(out, text);
    else
        quote_doubling(text, '"', out);
}

void quote_single(const char *text, struct buf *out)
{
    quote_doubling(text, '\'', out);
}
