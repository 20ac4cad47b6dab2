/* create.c - a CA made whole: beside, synced, renamed. */
#include "ca/internal.h"

#include <dirent.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- the three ---- */

static bool make_authority(struct ca *ca, enum ca_who who, const struct ca_spec *spec,
                           const char *digits, struct ps_err *err)
{
    const struct ca_profile *profile = &ca_profiles[who];
    const bool is_root = who == CA_ROOT;
    PS_AUTO(ps_freep) char *cn = ps_asprintf("%s %s", profile->title, digits);
    time_t now = clock_now();
    struct cert_spec what = {
        .subject = spec->dn, .is_ca = true, .path_len = profile->path_len, .uses = profile->uses,
        .not_before = now - CA_BACKDATE_SECONDS,
        .not_after = now + (time_t)profile->days * CA_DAY_SECONDS,
    };

    what.subject.cn = cn;
    if (!key_generate(spec->key_type, &ca->key[who], err)
        || !cert_make(&what, ca->key[who], is_root ? NULL : ca->cert[CA_ROOT],
                      is_root ? NULL : ca->key[CA_ROOT], &ca->cert[who], err)
        || !ca_record(ca, ca->cert[who], profile->kind, err))
        return false;

    PS_AUTO(cert_list_free) struct cert_list alone = { 0 };
    cert_list_add(&alone, ca->cert[who]);
    return ca_write_key(ca, profile->key, ca->key[who], is_root ? spec->root_pass : NULL, err)
        && ca_write_chain(ca, profile->crt, &alone, err);
}

/* Two CAs made with the same DN must not be mistaken for each other. */
static bool name_digits(char out[9], struct ps_err *err)
{
    uint32_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return ps_fail(err, PS_E_CRYPTO, _("could not get random bytes: %m"));
    snprintf(out, 9, "%08x", number);
    return true;
}

static bool make_proof(struct ca *ca, const struct ca_spec *spec, struct ps_err *err)
{
    const struct ca_leaf_spec what = {
        .use = CERT_USE_CLIENT, .common_name = CA_PROOF_CN, .key_type = spec->key_type,
        .days = CA_DAYS_INTERMEDIATE, .proof = true,
    };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    enum { CESSATION_OF_OPERATION = 5 };    /* RFC 5280 5.3.1: it was never lost, only given up */

    return ca_issue(ca, &what, &leaf, err)
        && ca_write_key(ca, CA_PROOF_KEY, leaf.key, NULL, err)
        && ca_write_chain(ca, CA_PROOF_CRT, &leaf.chain, err)
        && ca_revoke(ca, leaf.chain.at[0], CESSATION_OF_OPERATION, err);
}

static bool open_ledger(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *ledger = ca_path(ca, CA_LEDGER);

    return store_open(ledger, &ca->store, err);
}

static bool fill(struct ca *ca, const struct ca_spec *spec, struct ps_err *err)
{
    char digits[9];

    if (!name_digits(digits, err) || !open_ledger(ca, err))
        return false;
    for (int who = 0; who < CA_WHO_LEN; who++)
        if (!make_authority(ca, (enum ca_who)who, spec, digits, err))
            return false;
    if (!make_proof(ca, spec, err))
        return false;
    for (int who = 0; who < CA_WHO_LEN; who++)
        if (!ca_write_crl(ca, (enum ca_who)who, err))
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
    return ps_hint(err, _("Name a folder that does not exist yet for the new CA."));
}

static bool check_place(const char *dir, struct ps_err *err)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return errno == ENOENT || ps_fail(err, PS_E_IO, _("could not look at \"%s\": %m"), dir);
    return (S_ISDIR(st.st_mode) && is_empty(dir)) || fail_exists(dir, err);
}

static bool place_of(const char *dir, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = ps_strdup(dir);
    size_t len = strlen(name);

    while (len > 1 && name[len - 1] == '/')     /* path_base wants a name at the end */
        name[--len] = '\0';
    return path_absolute(name, out, err);
}

static void remove_dir(char **path)
{
    if (*path)
        dir_remove_all(*path);
    ps_freep(path);
}

static bool make_beside(const char *dir, char **out, struct ps_err *err)
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
static bool move_in(char **beside, const char *dir, struct ps_err *err)
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
    PS_AUTO(remove_dir) char *beside = NULL;

    if (!place_of(dir, &place, err) || !check_place(place, err)
        || !make_beside(place, &beside, err))
        return false;
    ca->dir = ps_strdup(beside);
    if (!fill(ca, spec, err) || !move_in(&beside, place, err))
        return false;

    free(ca->dir);
    ca->dir = PS_TAKE(place);
    if (!open_ledger(ca, err))
        return false;
    *out = PS_TAKE(ca);
    return true;
}
