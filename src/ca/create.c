/* create.c - a CA made whole: beside, synced, renamed. */
#include "ca/internal.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what it is made of ---- */

static void take_text(char **to, const char *value)
{
    if (value) {
        free(*to);
        *to = ps_strdup(value);
    }
}

static bool check_days(const struct ca_days *days, struct ps_err *err)
{
    enum { DAYS_MAX = 36500 };
    const long all[] = { days->root, days->intermediate, days->server, days->client,
                         days->root_crl, days->crl };

    for (size_t i = 0; i < PS_COUNT(all); i++)
        if (all[i] < 1 || all[i] > DAYS_MAX)
            return ps_fail(err, PS_E_VALUE, _("a certificate cannot be valid for %ld days"),
                           all[i]);
    return true;
}

static bool check_spec(const struct ca_spec *spec, struct ps_err *err)
{
    if (spec->crl_shards > SHARD_MAX)
        return ps_fail(err, PS_E_VALUE, _("a CRL can have at most %d partitions"), SHARD_MAX);
    if (spec->crl_url && strlen(spec->crl_url) > SHARD_URI - 64)
        return ps_fail(err, PS_E_VALUE, _("the URL of the CRLs is too long"));
    return true;
}

static long days_or(long given, long usual)
{
    return given ? given : usual;
}

static bool fill_conf(struct ca_conf *conf, const struct ca_spec *spec, struct ps_err *err)
{
    const struct ca_days *days = &spec->days;

    ca_conf_default(conf);
    conf->days = (struct ca_days){
        days_or(days->root, CA_DAYS_ROOT), days_or(days->intermediate, CA_DAYS_INTERMEDIATE),
        days_or(days->server, CA_DAYS_SERVER), days_or(days->client, CA_DAYS_CLIENT),
        days_or(days->root_crl, CA_DAYS_ROOT_CRL), days_or(days->crl, CA_DAYS_CRL),
    };
    conf->crl_shards = spec->crl_shards > 1 ? spec->crl_shards : 1;
    take_text(&conf->crl_url, spec->crl_url);
    take_text(&conf->pass_command, spec->pass_command);
    take_text(&conf->store, spec->store);
    for (const char *const *p = spec->permit_dns; p && *p; p++)
        ca_conf_permit(&conf->permit_dns, &conf->dns_len, &conf->dns_cap, *p);
    for (const char *const *p = spec->permit_ip; p && *p; p++)
        ca_conf_permit(&conf->permit_ip, &conf->ip_len, &conf->ip_cap, *p);
    return check_spec(spec, err) && check_days(&conf->days, err);
}

/* ---- its authorities ---- */

static bool wanted(enum ca_shape shape, enum ca_who who)
{
    return shape == CA_SHAPE_WHOLE || (who == CA_ROOT) == (shape == CA_SHAPE_ROOT);
}

static bool make_one(struct ca *ca, enum ca_who who, const struct ca_spec *spec,
                     struct ps_err *err)
{
    const bool waits = spec->shape == CA_SHAPE_OFFLINE_ROOT;
    const struct ca_new what = {
        .key_type = spec->key_type, .pass = who == CA_ROOT ? spec->root_pass : spec->pass,
        .key_uri = spec->key_uri[who], .dn = &spec->dn, .waits = waits,
    };

    return ca_add_row(ca, who, waits ? CA_WAITING : CA_ACTIVE, err)
        && ca_make_authority(ca, ca_profiles[who].name, &what, err);
}

static bool open_ledger(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *ledger = NULL;

    return store_open(ca_ledger(ca, &ledger), &ca->store, err);
}

static bool fill(struct ca *ca, const struct ca_spec *spec, struct ps_err *err)
{
    if (!fill_conf(&ca->conf, spec, err) || !open_ledger(ca, err) || !ca_is_free(ca->store, err))
        return false;
    for (int who = 0; who < CA_WHO_LEN; who++)
        if (wanted(spec->shape, (enum ca_who)who) && !make_one(ca, (enum ca_who)who, spec, err))
            return false;

    struct authority *client = ca_active(ca, CA_CLIENT);
    if (client && !ca_make_proof(ca, client, spec->key_type, err))
        return false;
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->at[i].cert && !ca_write_crl(ca, &ca->at[i], err))
            return false;
    /* were we killed once the folder is in its place, the next one to open it goes on from here */
    for (size_t i = 0; i < ca->conf.len; i++)
        ca->conf.rows[i].has_state = ca->conf.rows[i].has_key = true;
    if (!ca_save(ca, &ca->conf, err))
        return false;
    store_freep(&ca->store);    /* its file is about to move; closing folds the journal into it */
    return true;
}

/* ---- the folder ---- */

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool is_empty(const char *path)
{
    PS_AUTO(close_dir) DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return dir != NULL;
}

static bool fail_exists(const char *dir, struct ps_err *err)
{
    ps_fail(err, PS_E_EXISTS, _("folder \"%s\" is not empty"), dir);
    return ps_hint(err, _("Name a folder that does not exist yet."));
}

bool ca_check_place(const char *dir, struct ps_err *err)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return errno == ENOENT || ps_fail(err, PS_E_IO, _("could not look at \"%s\": %m"), dir);
    return (S_ISDIR(st.st_mode) && is_empty(dir)) || fail_exists(dir, err);
}

bool ca_place_of(const char *dir, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = ps_strdup(dir);
    size_t len = strlen(name);

    while (len > 1 && name[len - 1] == '/')     /* path_base wants a name at the end */
        name[--len] = '\0';
    return path_absolute(name, out, err);
}

void ca_remove_dir(char **path)
{
    if (*path)
        dir_remove_all(*path);
    ps_freep(path);
}

bool ca_make_beside(const char *dir, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *parent = path_dir(dir);
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s/.%s.pgseal-XXXXXX", parent, path_base(dir));

    if (!dir_ensure(parent, 0755, NULL, err))
        return false;
    if (!mkdtemp(name))     /* 0700 */
        return ps_fail(err, PS_E_IO, _("could not make a folder in \"%s\": %m"), parent);
    *out = PS_TAKE(name);
    return true;
}

/* rename(2) takes the place of an empty folder, and refuses any other. */
bool ca_move_in(char **beside, const char *dir, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *parent = path_dir(dir);

    if (!dir_sync(*beside, err))
        return false;
    if (rename(*beside, dir) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST)
            return fail_exists(dir, err);
        return ps_fail(err, PS_E_IO, _("could not rename \"%s\" to \"%s\": %m"), *beside, dir);
    }
    ps_freep(beside);
    return dir_sync(parent, err);
}

bool ca_create(const char *dir, const struct ca_spec *spec, struct ca **out, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = ps_calloc(1, sizeof(*ca));
    PS_AUTO(ps_freep) char *place = NULL;
    PS_AUTO(ca_remove_dir) char *beside = NULL;

    if (!ca_place_of(dir, &place, err) || !ca_check_place(place, err)
        || !ca_make_beside(place, &beside, err))
        return false;
    ca->dir = ps_strdup(beside);
    if (!fill(ca, spec, err) || !ca_move_in(&beside, place, err))
        return false;

    free(ca->dir);
    ca->dir = PS_TAKE(place);
    if (!open_ledger(ca, err) || !ca_move_new(ca, err))
        return false;
    *out = PS_TAKE(ca);
    return true;
}
