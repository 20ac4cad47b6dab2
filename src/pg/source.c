/* source.c - see source.h. */
#include "pg/source.h"

#include "base/file.h"
#include "base/mem.h"

/* As canonicalize_path() of every version: no "//", no "/./", no "/" at the end; ".." stays. */
static void tidy(char *path)
{
    char *to = path;

    for (const char *from = path; *from; ) {
        if (from[0] == '/' && (from[1] == '/' || from[1] == '\0')) {
            from++;
        } else if (from[0] == '/' && from[1] == '.' && (from[2] == '/' || from[2] == '\0')) {
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

char *pg_include_path(const char *named, const char *from)
{
    PS_AUTO(ps_freep) char *dir = path_dir(from);
    char *path = path_join(dir, named);

    tidy(path);
    return path;
}

bool pg_include_name_blank(const char *named)
{
    return named[strspn(named, " \t\r\n")] == '\0';
}
