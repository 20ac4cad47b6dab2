/* num.c - see num.h. */
#include "base/num.h"

#include <errno.h>

bool num_parse_n(const char *text, size_t len, long min, long max, long *out)
{
    char copy[24];
    char *end;

    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (copy[0] != '-' && (copy[0] < '0' || copy[0] > '9'))
        return false;       /* strtol would skip blanks and take a plus */

    errno = 0;
    long value = strtol(copy, &end, 10);
    if (errno || *end || end != copy + len || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool num_parse(const char *text, long min, long max, long *out)
{
    return num_parse_n(text, strlen(text), min, max, out);
}
