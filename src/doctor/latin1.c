/* latin1.c - see latin1.h. */
#include "doctor/latin1.h"

static bool is_ascii(const char *text, size_t len)
{
    unsigned char any = 0;

    for (size_t i = 0; i < len; i++)
        any |= (unsigned char)text[i];
    return any < 0x80;
}

/* By its form alone (RFC 3629): a letter of LATIN1 between others never has it. */
static bool is_utf8(const char *text, size_t len)
{
    size_t more = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (more > 0 && (c & 0xc0) != 0x80)
            return false;
        else if (more > 0)
            more--;
        else if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
            return false;
        else
            more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0x80 ? 1 : 0;
    }
    return true;        /* one that was cut short is UTF-8 all the same */
}

bool latin1_to_utf8(const char *text, size_t len, struct buf *out)
{
    buf_clear(out);
    if (is_ascii(text, len) || is_utf8(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        const char two[] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };

        if (c < 0x80)
            buf_putc(out, (char)c);
        else
            buf_put(out, two, sizeof(two));
    }
    return true;
}
