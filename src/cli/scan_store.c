/* scan_store.c - see scan_store.h. */
#include "cli/scan_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const char lead[] = "scan-", ending[] = ".jsonl";

/* ---- reading ---- */

struct names {
    struct dirent **at;
    int len;
};

static void names_free(struct names *names)
{
    for (int i = 0; i < names->len; i++)
        free(names->at[i]);
    free(names->at);
}

static int is_ours(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return strncmp(entry->d_name, lead, sizeof(lead) - 1) == 0 && len > sizeof(lead) + sizeof(ending)
        && strcmp(entry->d_name + len - (sizeof(ending) - 1), ending) == 0;
}

static bool knows_all(const struct past *past, const struct targets *targets)
{
    for (size_t i = 0; i < targets->len; i++) {
        const struct past_server *one = past_find(past, targets->at[i].host, targets->at[i].port);

        if (!one || !one->known)
            return false;
    }
    return true;
}

static bool read_one(const char *folder, const char *name, struct past *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(PAST_BYTES_MAX);
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/%s", folder, name);
    PS_AUTO(past_free) struct past one = { .arena = out->arena };

    if (!file_read(path, PAST_BYTES_MAX, &text, err)
        || !past_parse(buf_text(&text), text.len, path, &one, err))
        return false;
    past_merge(out, &one);
    return true;
}

bool scan_store_read(const char *folder, const struct targets *targets, struct past *out,
                     struct ps_err *err)
{
    PS_AUTO(names_free) struct names names = { 0 };

    names.len = scandir(folder, &names.at, is_ours, alphasort);
    if (names.len < 0) {
        names.len = 0;
        if (errno == ENOENT)
            return true;
        return ps_fail(err, PS_E_IO, _("could not read folder \"%s\": %m"), folder);
    }
    for (int i = names.len; i-- > 0 && names.len - i <= SCAN_STORE_FILES_MAX && !knows_all(out, targets); )
        if (!read_one(folder, names.at[i]->d_name, out, err))
            return false;
    return true;
}

/* ---- adding ---- */

bool scan_store_add(const char *folder, int *fd, struct ps_err *err)
{
    time_t now = clock_now();
    struct tm utc;
    char when[32];

    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return ps_fail(err, PS_E_IO, _("could not make folder \"%s\": %m"), folder);
    gmtime_r(&now, &utc);
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc);
    /* a second scan in the same second comes behind the first */
    for (int i = 0; i < 100; i++) {
        PS_AUTO(ps_freep) char *path = i ? ps_asprintf("%s/%s%s_%02d%s", folder, lead, when, i, ending)
                                         : ps_asprintf("%s/%s%s%s", folder, lead, when, ending);

        *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (*fd >= 0)
            return true;
        if (errno != EEXIST)
            return ps_fail(err, PS_E_IO, _("could not create \"%s\": %m"), path);
    }
    return ps_fail(err, PS_E_BUSY, _("too many scans begin in one second in \"%s\""), folder);
}
