/* conf_lex.c - see conf_lex.h. */
#include "pg/conf_lex.h"

#include <strings.h>

/* ---- the scanner ---- */

enum token { TOKEN_END, TOKEN_ID, TOKEN_QUALIFIED_ID, TOKEN_STRING, TOKEN_UNQUOTED, TOKEN_INTEGER,
             TOKEN_REAL, TOKEN_EQUALS, TOKEN_ERROR };

struct scan {
    const char *p, *end;        /* what is left of the line */
    const char *begin;          /* the token read last */
    size_t len;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool begins_id(char c)
{
    return is_letter(c) || c == '_' || (unsigned char)c >= 0200;
}

static bool in_id(char c)
{
    return begins_id(c) || is_digit(c);
}

static bool in_unquoted(char c)
{
    return in_id(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '/';
}

static const char *skip(const char *p, const char *end, bool (*takes)(char c))
{
    while (p < end && takes(*p))
        p++;
    return p;
}

/* Each of these gives the length of the longest match at p, 0 for none. */

static size_t match_id(const char *p, const char *end)
{
    return p < end && begins_id(*p) ? (size_t)(skip(p, end, in_id) - p) : 0;
}

static size_t match_qualified_id(const char *p, const char *end)
{
    size_t first = match_id(p, end);

    if (!first || p + first == end || p[first] != '.')
        return 0;
    size_t second = match_id(p + first + 1, end);
    return second ? first + 1 + second : 0;
}

static size_t match_string(const char *p, const char *end)
{
    if (p == end || *p != '\'')
        return 0;
    for (const char *q = p + 1; q < end; q++) {
        if (*q == '\\')
            q++;
        else if (*q == '\'' && q + 1 < end && q[1] == '\'')
            q++;
        else if (*q == '\'')
            return (size_t)(q + 1 - p);
    }
    return 0;
}

static size_t match_unquoted(const char *p, const char *end)
{
    return p < end && begins_id(*p) ? (size_t)(skip(p, end, in_unquoted) - p) : 0;
}

static const char *skip_sign(const char *p, const char *end)
{
    return p < end && (*p == '-' || *p == '+') ? p + 1 : p;
}

static size_t match_integer(const char *p, const char *end)
{
    const char *digits = skip_sign(p, end);
    const char *last = skip(digits, end, is_digit);

    if (last == digits)
        return 0;
    if (last == digits + 1 && *digits == '0' && last + 1 < end && *last == 'x'
        && is_hex_digit(last[1]))
        last = skip(last + 1, end, is_hex_digit);
    return (size_t)(skip(last, end, is_letter) - p);
}

static size_t match_real(const char *p, const char *end)
{
    const char *point = skip(skip_sign(p, end), end, is_digit);

    if (point == end || *point != '.')
        return 0;
    const char *last = skip(point + 1, end, is_digit);
    if (last < end && (*last == 'e' || *last == 'E')) {
        const char *exponent = skip_sign(last + 1, end);
        const char *behind = skip(exponent, end, is_digit);

        if (behind > exponent)
            last = behind;
    }
    return (size_t)(last - p);
}

/* In the order of guc-file.l: of equally long matches the first one counts. */
static const struct {
    enum token token;
    size_t (*match)(const char *p, const char *end);
} rules[] = {
    { TOKEN_ID,           match_id },
    { TOKEN_QUALIFIED_ID, match_qualified_id },
    { TOKEN_STRING,       match_string },
    { TOKEN_UNQUOTED,     match_unquoted },
    { TOKEN_INTEGER,      match_integer },
    { TOKEN_REAL,         match_real },
};

static enum token scan_next(struct scan *scan)
{
    enum token token = TOKEN_ERROR;

    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\t' || *scan->p == '\r'))
        scan->p++;
    scan->begin = scan->p;
    scan->len = 0;
    if (scan->p == scan->end || *scan->p == '#')
        return TOKEN_END;

    for (size_t i = 0; i < PS_COUNT(rules); i++) {
        size_t len = rules[i].match(scan->p, scan->end);

        if (len > scan->len) {
            scan->len = len;
            token = rules[i].token;
        }
    }
    if (token == TOKEN_ERROR) {
        scan->len = 1;
        if (*scan->p == '=')
            token = TOKEN_EQUALS;
    }
    scan->p += scan->len;
    return token;
}

/* ---- values ---- */

/* The character of an escape at *p (behind the backslash), which moves behind it. */
static char unescape(const char **p)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *known = memchr(from, **p, sizeof(from) - 1);
    unsigned octal = 0;
    int digits = 0;

    if (known) {
        ++*p;
        return to[known - from];
    }
    for (; digits < 3 && **p >= '0' && **p <= '7'; digits++)
        octal = octal * 8 + (unsigned)(*(*p)++ - '0');
    return digits ? (char)(octal & 0xFF) : *(*p)++;
}

/* `text` has its quotes around it.  As in the server, an escape for a zero byte ends the value. */
static const char *unquote(const char *text, size_t len, struct arena *arena)
{
    const char *end = text + len - 1;
    char *value = arena_alloc(arena, len);
    size_t at = 0;

    for (const char *p = text + 1; p < end; ) {
        if (*p == '\\') {
            p++;
            value[at++] = unescape(&p);
            continue;
        }
        if (*p == '\'')
            p++;
        value[at++] = *p++;
    }
    value[at] = '\0';
    return value;
}

/* ---- what is wrong ---- */

enum { SHOWN_MAX = 120 };       /* bytes of a user's text in a message of ours */

/* What stands from p to a comment or the end of the line, without blanks at its end. */
static size_t rest_len(const char *p, const char *end)
{
    const char *comment = memchr(p, '#', (size_t)(end - p));
    const char *last = comment ? comment : end;

    while (last > p && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
        last--;
    return (size_t)(last - p);
}

/* ASCII alone: the file may be in any encoding, a message may not. */
static bool can_be_shown(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] < ' ' || p[i] > '~')
            return false;
    return len > 0 && len <= SHOWN_MAX;
}

static const char *why_no_name(const struct scan *scan, enum token token, struct arena *arena)
{
    if (token == TOKEN_UNQUOTED && can_be_shown(scan->begin, scan->len))
        return arena_printf(arena, _("\"%.*s\" is not the name of a setting: a name has letters, "
                                     "digits, \"_\" and at most one dot"),
                            (int)scan->len, scan->begin);
    return _("a line begins with the name of a setting; a comment begins with \"#\"");
}

/* The way to write it: what stands there, in quotes. */
static const char *why_quote_it(const char *name, const char *p, const char *end,
                                struct arena *arena)
{
    size_t len = rest_len(p, end);

    if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
        p++;
        len -= 2;
    }
    if (!can_be_shown(p, len))
        return arena_printf(arena, _("the value of \"%s\" must be in single quotes"), name);
    PS_AUTO(buf_free) struct buf quoted = BUF(4 * SHOWN_MAX);
    PS_AUTO(ps_freep) char *text = ps_strndup(p, len);
    conf_quote(text, &quoted);
    return arena_printf(arena, _("the value of \"%s\" must be in single quotes; write: %s = %s"),
                        name, name, buf_text(&quoted));
}

static const char *why_no_value(const char *name, const struct scan *scan, enum token token,
                                struct arena *arena)
{
    if (token == TOKEN_END)
        return arena_printf(arena, _("\"%s\" has no value; an empty one is written ''"), name);
    if (*scan->begin == '\'')
        return _("the quote is not closed on this line; a quote inside a value is written ''");
    if (token == TOKEN_EQUALS)
        return _("there is one \"=\" too many before the value");
    return why_quote_it(name, scan->begin, scan->end, arena);
}

static const char *why_more(const char *name, const char *value, enum token kind,
                            const struct scan *more, struct arena *arena)
{
    if (kind == TOKEN_STRING && *more->begin == '\'')
        return _("text stands behind the closing quote; a quote inside a value is written ''");
    if (kind == TOKEN_STRING)
        return _("text stands behind the value; a line has one setting, and a comment begins with "
                 "\"#\"");
    return why_quote_it(name, value, more->end, arena);
}

/* ---- a line ---- */

static const struct {
    const char *name;
    enum conf_kind kind;
} directives[] = {
    { "include",           CONF_INCLUDE },
    { "include_if_exists", CONF_INCLUDE_IF_EXISTS },
    { "include_dir",       CONF_INCLUDE_DIR },
};

static enum conf_kind kind_of(const char *name)
{
    for (size_t i = 0; i < PS_COUNT(directives); i++)
        if (strcasecmp(name, directives[i].name) == 0)
            return directives[i].kind;
    return CONF_SETTING;
}

static void bad(struct conf_line *out, const char *why)
{
    out->kind = CONF_BAD;
    out->name = out->value = NULL;
    out->value_column = 0;
    out->why = why;
}

void conf_lex_line(const char *text, size_t len, struct arena *arena, struct conf_line *out)
{
    struct scan scan = { .p = text, .end = text + len };
    enum token token = scan_next(&scan);

    out->kind = CONF_BLANK;
    if (token == TOKEN_END)
        return;
    if (token != TOKEN_ID && token != TOKEN_QUALIFIED_ID) {
        bad(out, why_no_name(&scan, token, arena));
        return;
    }
    const char *name = arena_strndup(arena, scan.begin, scan.len);
    const char *shown = can_be_shown(name, scan.len) ? name : "?";

    token = scan_next(&scan);
    if (token == TOKEN_EQUALS)
        token = scan_next(&scan);
    if (token == TOKEN_END || token == TOKEN_QUALIFIED_ID || token == TOKEN_EQUALS
        || token == TOKEN_ERROR) {
        bad(out, why_no_value(shown, &scan, token, arena));
        return;
    }
    const char *value = scan.begin;
    size_t value_len = scan.len;

    if (memchr(value, '\0', value_len)) {       /* the server would cut it, and one byte more */
        bad(out, _("there is a zero byte in the value"));
        return;
    }
    if (scan_next(&scan) != TOKEN_END) {
        bad(out, why_more(shown, value, token, &scan, arena));
        return;
    }
    out->kind = kind_of(name);
    out->name = name;
    out->value = token == TOKEN_STRING ? unquote(value, value_len, arena)
                                       : arena_strndup(arena, value, value_len);
    out->value_column = (unsigned)(value - text) + 1;
}
