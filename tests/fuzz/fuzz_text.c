/*
 * Promise of doc/text.h: whatever the bytes, what is shown is valid UTF-8 without control characters,
 * and wrapping neither loses a character that is not a blank nor passes the width.
 */
#include "base/mem.h"
#include "doc/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool promise)
{
    if (!promise)
        abort();
}

static size_t count_solid(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] != ' ' && text[i] != '\n';
    return count;
}

static void check_wrap(const char *text, size_t len, int width)
{
    PS_AUTO(text_lines_free) struct text_lines lines = { 0 };
    size_t solid = 0;

    text_wrap(text, width, &lines);
    must(lines.len > 0);
    for (size_t i = 0; i < lines.len; i++) {
        solid += count_solid(lines.at[i].p, lines.at[i].len);
        must(width == 0 || lines.at[i].columns <= width || width < 2);
    }
    must(solid == count_solid(text, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    PS_AUTO(ps_freep) char *text = ps_strndup((const char *)bytes, len);
    PS_AUTO(buf_free) struct buf visible = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf utf8 = BUF(BUF_TEXT_MAX);

    text_visible(text, &visible);
    for (const char *p = buf_text(&visible); *p; ) {
        int32_t c = text_next(&p);
        must(c == '\n' || (c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0)));
    }
    text_utf8(text, &utf8);
    for (const char *p = buf_text(&utf8); *p; )
        must(text_next(&p) >= 0);
    for (int width = 0; width < 30; width += 7)
        check_wrap(buf_text(&visible), visible.len, width);
    return 0;
}
