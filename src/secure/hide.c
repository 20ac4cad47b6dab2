/* hide.c - see hide.h. */
#include "secure/hide.h"

#include "base/defs.h"

/* The length of "name =" at p, blanks around the sign included; 0: no such name is there. */
static size_t name_at(const char *p)
{
    static const char *const names[] = { "ldapbindpasswd", "radiussecrets", "password" };

    for (size_t i = 0; i < PS_COUNT(names); i++) {
        size_t len = strlen(names[i]);

        if (strncasecmp(p, names[i], len) != 0)
            continue;
        len += strspn(p + len, " \t");
        if (p[len] == '=')
            return len + 1 + strspn(p + len + 1, " \t");
    }
    return 0;
}

/* A value in quotes, or an option that is in quotes as a whole, has blanks: hide all that follows. */
static size_t value_len(const char *value, bool option_is_quoted)
{
    return strcspn(value, option_is_quoted || strchr("\"'\\", *value) ? "\n" : " \t\n\"'#");
}

void hide_passwords(const char *text, struct buf *out)
{
    for (const char *p = text; *p; ) {
        size_t name = name_at(p);

        if (!name) {
            buf_putc(out, *p++);
            continue;
        }
        bool quoted = p > text && p[-1] == '"';
        buf_put(out, p, name);
        buf_puts(out, "***");
        p += name + value_len(p + name, quoted);
    }
}
