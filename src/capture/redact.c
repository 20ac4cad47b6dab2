/* redact.c - see redact.h. */
#include "capture/redact.h"

struct text {
    const char *p, *end;
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
        || c == '$' || (c & 0x80);
}

/*
 * Behind the closing quote.  Whether a backslash takes the next quote with it depends on a setting: then
 * nothing that follows is certain, and all of it goes.
 */
static const char *end_of_quote(struct text text, char quote)
{
    for (const char *p = text.p + 1; p < text.end; p++) {
        if (quote == '\'' && *p == '\\')
            return text.end;
        if (*p == quote && (p + 1 >= text.end || p[1] != quote))
            return p + 1;
        else if (*p == quote)
            p++;
    }
    return text.end;
}

/* $tag$ ... $tag$; NULL: none begins here. */
static const char *end_of_dollar(struct text text)
{
    const char *tag = text.p + 1;

    while (tag < text.end && is_name(*tag) && *tag != '$')
        tag++;
    if (tag >= text.end || *tag != '$')
        return NULL;

    size_t len = (size_t)(tag + 1 - text.p);
    const char *found = memmem(tag + 1, (size_t)(text.end - tag - 1), text.p, len);
    return found ? found + len : text.end;
}

static const char *end_of_comment(struct text text)
{
    const char *found = text.p[0] == '-'
        ? memchr(text.p, '\n', (size_t)(text.end - text.p))
        : memmem(text.p + 2, (size_t)(text.end - text.p) - 2, "*/", 2);

    return !found ? text.end : found + (text.p[0] == '-' ? 1 : 2);
}

/* A value, or a comment, that begins here: where it ends; NULL: it is neither. */
static const char *end_of_value(struct text text, char before)
{
    char c = text.p[0], next = text.p + 1 < text.end ? text.p[1] : '\0';

    if (c == '\'')
        return end_of_quote(text, c);
    if ((c == '-' && next == '-') || (c == '/' && next == '*'))
        return end_of_comment(text);
    if (c == '$' && !is_name(before))
        return end_of_dollar(text);
    if (c >= '0' && c <= '9' && !is_name(before)) {
        const char *p = text.p;

        while (p < text.end && (is_name(*p) || *p == '.'))
            p++;
        return p;
    }
    return NULL;
}

void redact_sql(const char *sql, size_t len, struct buf *out)
{
    struct text text = { sql, sql + len };
    char before = ' ';
    size_t room = REDACT_MAX;

    while (text.p < text.end && room > 0) {
        const char *end = end_of_value(text, before);

        if (end) {
            buf_putc(out, '?');
            text.p = end;
            before = '?';
            room--;
        } else if (*text.p == '"') {        /* a name; its end ends it, whatever is in it */
            end = end_of_quote(text, '"');
            size_t n = (size_t)(end - text.p) < room ? (size_t)(end - text.p) : room;
            buf_put(out, text.p, n);
            room -= n;
            text.p = end;
            before = '"';
        } else {
            before = *text.p == '\n' || *text.p == '\t' ? ' ' : *text.p;
            buf_putc(out, before);
            text.p++;
            room--;
        }
    }
    if (text.p < text.end)
        buf_puts(out, "...");
}
