/* posture_strays.c - private keys that lie about (see maker.h). */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "inspect/maker.h"

enum { FILES_MAX = 2000, DEPTH_MAX = 2, KEY_BYTES_MAX = 64 * 1024 };

struct search {
    struct maker *maker;
    unsigned looked;
    struct stray_key *found;
    size_t len, cap;
};

static const char *ca_of(const struct search *search, const struct key *key)
{
    const struct posture *posture = search->maker->posture;

    for (size_t i = 0; i < posture->files_len; i++)
        for (size_t k = 0; k < posture->files[i].certs.len; k++) {
            const struct cert *cert = posture->files[i].certs.at[k];

            if (cert_info(cert)->is_ca && cert_matches_key(cert, key))
                return cert_info(cert)->subject;
        }
    return NULL;
}

static bool of_server(const struct search *search, const struct key *key)
{
    const struct posture *posture = search->maker->posture;

    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_CERT && posture->files[i].certs.len > 0
            && cert_matches_key(posture->files[i].certs.at[0], key))
            return true;
    return false;
}

/* The key that a setting names is where it should be. */
static bool is_in_use(const struct search *search, const struct stat *st)
{
    const struct posture *posture = search->maker->posture;
    struct stat used;

    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_KEY && stat(posture->files[i].path, &used) == 0
            && used.st_dev == st->st_dev && used.st_ino == st->st_ino)
            return true;
    return false;
}

/* Many small files are no keys: nothing is parsed that does not say it is one. */
static void look_at_file(struct search *search, const char *path, const struct stat *st)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err ignored;

    if (st->st_size == 0 || st->st_size > KEY_BYTES_MAX || search->looked++ >= FILES_MAX
        || is_in_use(search, st)
        || !secret_read_file(path, &pem, &ignored)
        || !memmem(pem.p, pem.len, "PRIVATE KEY-----", 16)
        || !key_from_pem(pem.p, pem.len, path, NULL, &key, &ignored))
        return;
    PS_PUSH(search->found, search->len, search->cap) = (struct stray_key){
        .path = arena_strdup(search->maker->arena, path), .mode = st->st_mode & 07777,
        .uid = st->st_uid, .of_server = of_server(search, key), .ca = ca_of(search, key) };
}

/* PostgreSQL's own folders hold thousands of files and never a key. */
static bool is_data(const char *name)
{
    static const char *const names[] = {
        "base", "global", "pg_clog", "pg_commit_ts", "pg_dynshmem", "pg_logical", "pg_multixact",
        "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp", "pg_subtrans",
        "pg_tblspc", "pg_twophase", "pg_wal", "pg_xact", "pg_xlog",
    };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static void look_in(struct search *search, const char *path, unsigned depth)
{
    PS_AUTO(close_dir) DIR *dir = opendir(path);

    for (struct dirent *entry; dir && search->looked < FILES_MAX && (entry = readdir(dir)); ) {
        PS_AUTO(ps_freep) char *inner = path_join(path, entry->d_name);
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || is_data(entry->d_name) || lstat(inner, &st) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            look_at_file(search, inner, &st);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            look_in(search, inner, depth + 1);
    }
}

static bool is_inside(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]);
}

/* An earlier key lies in the same folder. */
static bool was_looked_in(const struct posture *posture, size_t before, const char *dir)
{
    for (size_t i = 0; i < before; i++) {
        PS_AUTO(ps_freep) char *other = posture->files[i].role == FILE_KEY
            ? path_dir(posture->files[i].path) : NULL;

        if (other && strcmp(other, dir) == 0)
            return true;
    }
    return false;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct stray_key *)a)->path, ((const struct stray_key *)b)->path);
}

void maker_strays(struct maker *maker, const char *data_dir)
{
    struct posture *posture = maker->posture;
    struct search search = { .maker = maker };

    look_in(&search, data_dir, 0);
    for (size_t i = 0; i < posture->files_len; i++) {
        PS_AUTO(ps_freep) char *dir = posture->files[i].role == FILE_KEY
            ? path_dir(posture->files[i].path) : NULL;

        if (dir && !is_inside(dir, data_dir) && !was_looked_in(posture, i, dir))
            look_in(&search, dir, DEPTH_MAX);
    }
    if (search.len) {
        struct stray_key *facts = arena_alloc(maker->arena, search.len * sizeof(*facts));

        qsort(search.found, search.len, sizeof(*search.found), by_path);
        memcpy(facts, search.found, search.len * sizeof(*facts));
        posture->strays = facts;
        posture->strays_len = search.len;
    }
    if (search.looked >= FILES_MAX)
        posture->strays_why = _("there are too many files to look into all of them");
    free(search.found);
}
