/* files.c - the real files of this machine, as the parsers want them (pg/source.h). */
#include <dirent.h>
#include <errno.h>

#include "base/file.h"
#include "base/mem.h"
#include "inspect/inspect.h"

static bool read_one(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    (void)arg;
    return file_read(path, out->max, out, err);
}

/* What GetConfFilesInDir of conffiles.c takes. */
static int is_conf_name(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool list_dir(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_conf_name, by_bytes);
    size_t cap = 0;

    (void)arg;
    if (count < 0)
        return ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                       _("could not open folder \"%s\": %m"), dir);
    *names = NULL;
    *len = 0;
    for (int i = 0; i < count; i++) {
        char *path = path_join(dir, entries[i]->d_name);

        if (file_is_dir(path))
            free(path);
        else
            PS_PUSH(*names, *len, cap) = path;
        free(entries[i]);
    }
    free(entries);
    return true;
}

const struct pg_source inspect_files = { .read = read_one, .list = list_dir };
