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

/* ---- reading ---- */

static const char blanks[] = " \t\n\v\f\r";

/* A bare value; a backslash takes the next byte as it is. */
static const char *bare_value(const char *p, struct buf *value)
{
    for (; *p && !strchr(blanks, *p); p++)
        buf_putc(value, *p == '\\' && p[1] ? *++p : *p);
    return p;
}

/* NULL: the quote is not closed. */
static const char *quoted_value(const char *p, struct buf *value)
{
    for (p++; *p && *p != '\''; p++)
        buf_putc(value, *p == '\\' && p[1] ? *++p : *p);
    return *p ? p + 1 : NULL;
}

bool conninfo_next(const char **at, struct buf *keyword, struct buf *value)
{
    const char *p = *at + strspn(*at, blanks);
    size_t len = strcspn(p, "= \t\n\v\f\r");

    *at = p;
    buf_clear(keyword);
    buf_clear(value);
    buf_put(keyword, p, len);
    p += len;
    p += strspn(p, blanks);
    if (len == 0 || *p != '=')
        return false;
    p++;
    p += strspn(p, blanks);
    p = *p == '\'' ? quoted_value(p, value) : bare_value(p, value);
    if (!p)
        return false;
    *at = p;
    return true;
}

bool conninfo_get(const char *conninfo, const char *keyword, struct buf *out)
{
    PS_AUTO(buf_free) struct buf word = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf value = BUF(BUF_TEXT_MAX);
    bool found = false;

    while (conninfo_next(&conninfo, &word, &value))
        if (strcmp(buf_text(&word), keyword) == 0) {
            buf_clear(out);
            buf_puts(out, buf_text(&value));
            found = true;
        }
    return found;
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
