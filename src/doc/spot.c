/* spot.c - see spot.h. */
#include "doc/spot.h"

#include "base/mem.h"
#include "doc/text.h"

#define GONE "..."
enum { GONE_COLUMNS = 3, NARROWEST = 20 };

void spot_free(struct spot *spot)
{
    free(spot->lead);
    free(spot->marked);
    free(spot->tail);
}

static char *visible(const char *from, const char *to)
{
    PS_AUTO(ps_freep) char *bytes = ps_strndup(from, (size_t)(to - from));
    struct buf text = BUF(BUF_TEXT_MAX);

    buf_puts(&text, "");
    text_visible(bytes, &text);
    return buf_take(&text);
}

static bool is_inside(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

void spot_split(const struct doc_spot *from, struct spot *out)
{
    const char *line = from->text, *end = line + strcspn(line, "\r\n");
    size_t len = (size_t)(end - line);
    const char *begin = line + strspn(line, " \t"), *stop = end;

    if (from->column)
        begin = line + (from->column - 1 < len ? from->column - 1 : len);
    while (begin > line && is_inside(*begin))
        begin--;
    while (stop > begin && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    if (from->column && from->end_column > from->column && from->end_column - 1 <= len)
        stop = line + from->end_column - 1;
    while (stop < end && is_inside(*stop))
        stop++;
    out->lead = visible(line, begin);
    out->marked = visible(begin, stop);
    out->tail = visible(stop, end);
}

static int columns(const char *text)
{
    return text_columns(text, strlen(text));
}

/* Keep the first `room` columns, the sign for what is gone among them. */
static void keep_head(char **text, int room)
{
    const char *p = *text;

    if (columns(*text) <= room)
        return;
    for (int taken = 0; *p; ) {
        const char *next = p;

        text_next(&next);
        taken += text_columns(p, (size_t)(next - p));
        if (taken > room - GONE_COLUMNS)
            break;
        p = next;
    }
    char *cut = ps_asprintf("%.*s%s", (int)(p - *text), *text, GONE);
    free(*text);
    *text = cut;
}

static void keep_end(char **text, int room)
{
    const char *p = *text;
    int left = columns(*text);

    if (left <= room)
        return;
    while (*p && left > room - GONE_COLUMNS) {
        const char *here = p;

        text_next(&p);
        left -= text_columns(here, (size_t)(p - here));
    }
    char *cut = ps_asprintf("%s%s", GONE, p);
    free(*text);
    *text = cut;
}

void spot_fit(struct spot *spot, int width)
{
    int room = width < NARROWEST ? NARROWEST : width;

    keep_head(&spot->marked, room - 2 * GONE_COLUMNS);
    room -= columns(spot->marked);

    int tail = columns(spot->tail), half = room / 2;
    keep_end(&spot->lead, tail < half ? room - tail : half);
    keep_head(&spot->tail, room - columns(spot->lead));
}

void spot_put_place(const struct doc_spot *spot, struct buf *out)
{
    text_visible(spot->file ? spot->file : "-", out);
    if (spot->line)
        buf_printf(out, ":%u", spot->line);
    if (spot->line && spot->column)
        buf_printf(out, ":%u", spot->column);
}
