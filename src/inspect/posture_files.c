/*
 * posture_files.c - the files that settings name, judged as the server would judge them.
 *
 * Source: be-secure-openssl.c (be_tls_init) and be-secure-common.c (check_ssl_key_file_permissions).
 */
#include "base/file.h"
#include "inspect/maker.h"
#include "tls/hash.h"

static struct tls_file *add_file(struct maker *maker, enum tls_file_role role, const char *setting,
                                 struct place named, const struct view_file *seen)
{
    struct tls_file *file = &PS_PUSH(maker->files, maker->files_len, maker->files_cap);

    *file = (struct tls_file){
        .role = role, .setting = setting, .named = named, .path = seen->path,
        .why = seen->end == VIEW_UNSEEN ? seen->why : NULL,
        .missing = seen->end == VIEW_MISSING,
        .fault = seen->end == VIEW_BROKEN ? seen->why : NULL,
        .stat_known = seen->stat_known,
        .mode = seen->mode, .uid = seen->uid, .gid = seen->gid, .modified = seen->modified,
    };
    return file;
}

static void put_fault(struct maker *maker, struct tls_file *file, const struct ps_err *err)
{
    if (!file->fault)
        file->fault = arena_strdup(maker->arena, err->message);
}

/* ---- each kind ---- */

static void read_certs(struct maker *maker, struct tls_file *file, const struct view_file *seen)
{
    struct ps_err err;

    if (!cert_list_from_pem(seen->text, seen->len, seen->path, &file->certs, &err))
        put_fault(maker, file, &err);
}

static void read_crls(struct maker *maker, struct tls_file *file, const struct view_file *seen)
{
    struct ps_err err;

    if (!crl_list_from_pem_mixed(seen->text, seen->len, seen->path, &file->crls, &file->certs, &err))
        put_fault(maker, file, &err);
}

/* The server takes any parameters that OpenSSL can parse: see rule dh-weak for the rest. */
static void read_dh(struct maker *maker, struct tls_file *file, const struct view_file *seen)
{
    struct ps_err err;

    if (!key_dh_bits(seen->text, seen->len, seen->path, &file->key_bits, &err))
        put_fault(maker, file, &err);
}

static void add_plain(struct maker *maker, enum tls_file_role role, const struct setting_fact *set)
{
    static void (*const readers[FILE_ROLES])(struct maker *, struct tls_file *,
                                             const struct view_file *) = {
        [FILE_CERT] = read_certs, [FILE_CA] = read_certs, [FILE_CRL] = read_crls, [FILE_DH] = read_dh,
    };
    const struct view_file *seen = view_read(maker->view, set->value);
    struct tls_file *file = add_file(maker, role, tls_file_settings[role], set->place, seen);

    if (seen->end == VIEW_READ || seen->len > 0)
        readers[role](maker, file, seen);
}

static const struct tls_file *leaf_of(const struct maker *maker)
{
    for (size_t i = 0; i < maker->files_len; i++)
        if (maker->files[i].role == FILE_CERT && maker->files[i].certs.len > 0)
            return &maker->files[i];
    return NULL;
}

static void add_key(struct maker *maker, enum tls_file_role role, const struct setting_fact *set)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct view_file seen = view_key(maker->view, set->value, &pem);
    struct tls_file *file = add_file(maker, role, tls_file_settings[role], set->place, &seen);
    const struct tls_file *cert = leaf_of(maker);
    char text[64];
    struct ps_err err;

    if (!pem.p)
        return;
    file->encrypted = key_pem_is_encrypted(pem.p, pem.len);
    if (file->encrypted)
        return;
    if (!key_from_pem(pem.p, pem.len, seen.path, NULL, &key, &err)) {
        put_fault(maker, file, &err);
        return;
    }
    file->key_text = arena_strdup(maker->arena, key_describe(key, text, sizeof(text)));
    file->key_bits = key_bits(key);
    if (cert)
        file->fits = cert_matches_key(cert->certs.at[0], key) ? FACT_YES : FACT_NO;
}

/* The folder itself is one fact, with the lists in it; a file in it that is broken another. */
static void add_crl_dir(struct maker *maker, enum tls_file_role role, const struct setting_fact *set)
{
    const char **names;
    size_t len, folder = maker->files_len;
    const struct view_file seen = view_list(maker->view, set->value, &names, &len);

    add_file(maker, role, tls_file_settings[role], set->place, &seen);
    for (size_t i = 0; i < len; i++) {
        PS_AUTO(ps_freep) char *path = path_join(seen.path, names[i]);
        struct tls_file *file;

        if (!hash_name_is_crl(names[i]))
            continue;
        const struct view_file *entry = view_read(maker->view, path);
        file = add_file(maker, FILE_CRL, tls_file_settings[role], set->place, entry);
        if (entry->end == VIEW_READ)
            read_crls(maker, file, entry);
        /* what the whole folder says of revocation is asked of the folder */
        for (size_t k = 0; k < file->crls.len; k++)
            crl_list_add(&maker->files[folder].crls, crl_ref(file->crls.at[k]));
    }
}

void maker_files(struct maker *maker)
{
    static void (*const adders[FILE_ROLES])(struct maker *, enum tls_file_role,
                                            const struct setting_fact *) = {
        [FILE_CERT] = add_plain, [FILE_KEY] = add_key, [FILE_CA] = add_plain,
        [FILE_CRL] = add_plain, [FILE_CRL_DIR] = add_crl_dir, [FILE_DH] = add_plain,
    };
    bool on = posture_on(maker->posture, "ssl") != FACT_NO;

    for (int role = 0; role < FILE_ROLES; role++) {
        const struct setting_fact *set = posture_setting(maker->posture, tls_file_settings[role]);

        /* server.crt need not be there while nobody asks for it */
        if (set && *set->value && (on || strcmp(set->origin, "default") != 0))
            adders[role](maker, (enum tls_file_role)role, set);
    }
    maker->posture->files = maker->files;
    maker->posture->files_len = maker->files_len;
}
