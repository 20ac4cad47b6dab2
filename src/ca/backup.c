/* backup.c - see backup.h. */
#include "ca/backup.h"

#include <dirent.h>

#include "ca/internal.h"

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* The ledger is carried by the store, and what begins with a dot is half of something. */
static bool is_carried(const char *name)
{
    return name[0] != '.' && strncmp(name, CA_LEDGER, strlen(CA_LEDGER)) != 0
        && strcmp(name, CA_LOCK) != 0;
}

static bool copy_key(const char *from, const char *to, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret key = { 0 };

    return secret_read_file(from, &key, err) && file_write(to, key.p, key.len, 0600, err);
}

static bool copy_file(const char *from, const char *to, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf bytes = BUF(0);
    struct file_attr attr;

    return file_attr_read(from, &attr, err) && file_read(from, BUF_TEXT_MAX, &bytes, err)
        && file_write(to, bytes.p ? bytes.p : "", bytes.len, attr.mode, err);
}

static bool copy_one(const char *from, const char *to, const char *name, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *source = path_join(from, name);
    PS_AUTO(ps_freep) char *target = path_join(to, name);

    if (file_is_dir(source))
        return true;
    return ends_with(name, ".key") ? copy_key(source, target, err)
                                   : copy_file(source, target, err);
}

static bool copy_files(const char *from, const char *to, struct ps_err *err)
{
    PS_AUTO(close_dir) DIR *dir = opendir(from);
    const struct dirent *entry;

    if (!dir)
        return ps_fail(err, PS_E_IO, _("could not open folder \"%s\": %m"), from);
    while ((entry = readdir(dir)))
        if (is_carried(entry->d_name) && !copy_one(from, to, entry->d_name, err))
            return false;
    return true;
}

/*
 * Files before the ledger: a certificate that is in a file is then surely in the ledger too.  No
 * authority comes between them, whose key would not be among the files; issuing goes on.
 */
bool ca_backup(struct ca *ca, const char *dir, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };
    PS_AUTO(ps_freep) char *place = NULL;
    PS_AUTO(ca_remove_dir) char *beside = NULL;

    if (!ca_place_of(dir, &place, err) || !ca_check_place(place, err)
        || !ca_make_beside(place, &beside, err) || !ca_lock(ca, &turn, err))
        return false;
    PS_AUTO(ps_freep) char *ledger = path_join(beside, CA_LEDGER);
    return copy_files(ca->dir, beside, err) && store_backup(ca->store, ledger, err)
        && ca_move_in(&beside, place, err);
}

static bool read_store(const char *backup, struct ca_conf *conf, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(backup, CA_CONF);
    PS_AUTO(buf_free) struct buf text = BUF(0);

    if (!file_exists(path))     /* made before there was one */
        return true;
    return file_read(path, CA_CONF_MAX_BYTES, &text, err)
        && ca_conf_parse(buf_text(&text), text.len, path, conf, err);
}

bool ca_restore(const char *backup, const char *dir, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *place = NULL;
    PS_AUTO(ca_remove_dir) char *beside = NULL;
    PS_AUTO(ca_conf_free) struct ca_conf conf = { 0 };
    PS_AUTO(ps_freep) char *kept = path_join(backup, CA_LEDGER);

    if (!read_store(backup, &conf, err) || !ca_place_of(dir, &place, err)
        || !ca_check_place(place, err) || !ca_make_beside(place, &beside, err))
        return false;
    PS_AUTO(ps_freep) char *ledger = path_join(beside, CA_LEDGER);
    return copy_files(backup, beside, err)
        && store_restore(kept, conf.store ? conf.store : ledger, err)
        && ca_move_in(&beside, place, err);
}
