/* text.c - see text.h. */
#include "doc/text.h"

#include <wchar.h>

#include "base/mem.h"

static const struct {
    int32_t first, last;
} hidden[] = {
    { 0x00, 0x1f },     { 0x7f, 0x9f },     /* C0, DEL, C1 */
    { 0xad, 0xad },                         /* soft hyphen */
    { 0x61c, 0x61c },                       /* Arabic letter mark */
    { 0x200b, 0x200f },                     /* zero width, left-to-right and right-to-left marks */
    { 0x2028, 0x202e },                     /* line and paragraph separators, embeddings, overrides */
    { 0x2060, 0x206f },                     /* word joiner, isolates, deprecated formats */
    { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, /* byte order mark, interlinear annotation */
    { 0xe0000, 0xe007f },                   /* tags */
};

static bool is_hidden(int32_t c)
{
    for (size_t i = 0; i < PS_COUNT(hidden); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

int32_t text_next(const char **p)
{
    static const int32_t least[] = { 0, 0x80, 0x800, 0x10000 };    /* shorter is overlong */
    const unsigned char *s = (const unsigned char *)*p;
    int more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : -1;

    (*p)++;
    if (more <= 0)
        return more == 0 ? s[0] : -1;
    if (s[0] > 0xf4)
        return -1;

    int32_t c = s[0] & (0x3f >> more);
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)      /* the NUL stops it too */
            return -1;
        c = (c << 6) | (s[i] & 0x3f);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return -1;
    *p += more;
    return c;
}

void text_utf8(const char *text, struct buf *out)
{
    for (const char *p = text; *p; ) {
        const char *start = p;

        if (text_next(&p) < 0)
            buf_puts(out, "\xef\xbf\xbd");
        else
            buf_put(out, start, (size_t)(p - start));
    }
}

void text_visible(const char *text, struct buf *out)
{
    for (const char *p = text; *p; ) {
        const char *start = p;
        int32_t c = text_next(&p);

        if (c == '\t')
            buf_putc(out, ' ');
        else if (c == '\r' && *p == '\n')
            continue;
        else if (c < 0)
            buf_printf(out, "\\x%02x", (unsigned char)*start);
        else if (c == '\n' || !is_hidden(c))
            buf_put(out, start, (size_t)(p - start));
        else
            buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
    }
}

/* wcwidth() knows nothing in the C locale: one column then. */
static int columns_of(int32_t c)
{
    int columns = c < 0 ? 1 : wcwidth((wchar_t)c);

    return columns < 0 ? 1 : columns;
}

int text_columns(const char *text, size_t len)
{
    int columns = 0;

    for (const char *p = text; p < text + len; )
        columns += columns_of(text_next(&p));
    return columns;
}

static bool breaks_after(char c)
{
    return c != '\0' && strchr("/_:,-", c);
}

static void add_line(struct text_lines *out, const char *from, const char *to)
{
    while (to > from && to[-1] == ' ')
        to--;
    PS_PUSH(out->at, out->len, out->cap) = (struct text_line){
        .p = from, .len = (size_t)(to - from), .columns = text_columns(from, (size_t)(to - from)) };
}

/* Where the line that begins at `start` ends, and in *next where the following one begins. */
static const char *line_end(const char *start, int width, const char **next)
{
    const char *blank = NULL, *soft = NULL;     /* the last places to break at */
    int columns = 0;

    for (const char *p = start; *p; ) {
        const char *here = p;

        if (*p == '\n') {
            *next = p + 1;
            return p;
        }
        columns += columns_of(text_next(&p));
        if (*here == ' ') {
            blank = here;
        } else if (width > 0 && columns > width && here > start) {
            *next = blank ? blank + 1 : soft ? soft : here;
            return blank ? blank : *next;
        } else if (breaks_after(*here)) {
            soft = p;
        }
    }
    *next = NULL;
    return start + strlen(start);
}

void text_wrap(const char *text, int width, struct text_lines *out)
{
    out->len = 0;
    for (const char *start = text; start; ) {
        const char *next;
        const char *end = line_end(start, width, &next);

        add_line(out, start, end);
        start = next;
    }
    while (out->len > 1 && out->at[out->len - 1].len == 0)     /* newlines at the end say nothing */
        out->len--;
}

int text_longest_part(const char *text)
{
    int longest = 0, columns = 0;

    for (const char *p = text; *p; ) {
        char first = *p;

        columns += columns_of(text_next(&p));
        if (first == ' ' || first == '\n')
            columns = 0;
        if (columns > longest)
            longest = columns;
        if (breaks_after(first))
            columns = 0;
    }
    return longest;
}

void text_lines_free(struct text_lines *lines)
{
    free(lines->at);
    *lines = (struct text_lines){ 0 };
}

void text_pad(struct buf *out, int count)
{
    for (int i = 0; i < count; i++)
        buf_putc(out, ' ');
}
