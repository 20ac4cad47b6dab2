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
    const struct tls_file *cert, *key, *ca;     /* NULL where not known */
    struct stat in_use;         /* of the key in use */
    bool in_use_known;
    unsigned looked;
    struct stray_key *found;
    size_t len, cap;
};

static const char *ca_of(const struct search *search, const struct key *key)
{
    for (size_t i = 0; search->ca && i < search->ca->certs.len; i++)
        if (cert_matches_key(search->ca->certs.at[i], key))
            return cert_info(search->ca->certs.at[i])->subject;
    return NULL;
}

static bool of_server(const struct search *search, const struct key *key)
{
    return search->cert && search->cert->certs.len > 0
        && cert_matches_key(search->cert->certs.at[0], key);
}

/* Many small files are no keys: nothing is parsed that does not say it is one. */
static void look_at_file(struct search *search, const char *path, const struct stat *st)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err ignored;

    if (st->st_size == 0 || st->st_size > KEY_BYTES_MAX || search->looked++ >= FILES_MAX
        || (search->in_use_known && st->st_dev == search->in_use.st_dev
            && st->st_ino == search->in_use.st_ino)
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

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct stray_key *)a)->path, ((const struct stray_key *)b)->path);
}

void maker_strays(struct maker *maker, const char *data_dir)
{
    struct posture *posture = maker->posture;
    struct search search = { .maker = maker, .cert = posture_file(posture, FILE_CERT),
                             .key = posture_file(posture, FILE_KEY),
                             .ca = posture_file(posture, FILE_CA) };

    search.in_use_known = search.key && stat(search.key->path, &search.in_use) == 0;
    look_in(&search, data_dir, 0);
    if (search.key) {
        PS_AUTO(ps_freep) char *dir = path_dir(search.key->path);

        if (!is_inside(dir, data_dir))
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
