/* conninfo.c - see conninfo.h. */
#include "pg/conninfo.h"

/* fe-connect.c, conninfo_parse(): a bare value ends at isspace(); ' begins a quoted one, \ escapes */
static const char special[] = " \t\n\v\f\r'\\";

void conninfo_add(struct buf *conninfo, const char *keyword, const char *value)
{
    if (conninfo->len > 0)
        buf_putc(conninfo, ' ');
    buf_printf(conninfo, "%s=", keyword);
    if (*value && !strpbrk(value, special)) {
        buf_puts(conninfo, value);
        return;
    }

    buf_putc(conninfo, '\'');
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            buf_putc(conninfo, '\\');
        buf_putc(conninfo, *value);
    }
    buf_putc(conninfo, '\'');
}

void conninfo_uri_encode(const char *text, struct buf *out)
{
    /* RFC 3986 2.3: unreserved characters; everything else may mean something somewhere */
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_putc(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
    }
}
