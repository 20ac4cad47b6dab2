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

/* A file that a setting or a line of pg_hosts.conf names. */
struct wanted {
    enum tls_file_role role;
    const char *setting, *path;
    struct place named;
};

static size_t add_plain(struct maker *maker, const struct wanted *wanted)
{
    static void (*const readers[FILE_ROLES])(struct maker *, struct tls_file *,
                                             const struct view_file *) = {
        [FILE_CERT] = read_certs, [FILE_CA] = read_certs, [FILE_CRL] = read_crls, [FILE_DH] = read_dh,
    };
    const struct view_file *seen = view_read(maker->view, wanted->path);
    struct tls_file *file = add_file(maker, wanted->role, wanted->setting, wanted->named, seen);

    if (seen->end == VIEW_READ || seen->len > 0)
        readers[wanted->role](maker, file, seen);
    return maker->files_len - 1;
}

/* `cert`: the index of the file whose first certificate it should fit; SIZE_MAX: there is none. */
static void add_key(struct maker *maker, const struct wanted *wanted, size_t cert)
{
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct view_file seen = view_key(maker->view, wanted->path, &pem);
    struct tls_file *file = add_file(maker, FILE_KEY, wanted->setting, wanted->named, &seen);
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
    if (cert < maker->files_len && maker->files[cert].certs.len > 0)
        file->fits = cert_matches_key(maker->files[cert].certs.at[0], key) ? FACT_YES : FACT_NO;
}

/* ---- a folder of revocation lists ---- */

/* Does OpenSSL find the list under this name?  It asks for the hash of the issuer. */
static bool has_name_of(const struct crl *crl, const char *name)
{
    char wanted[HASH_NAME];

    hash_name_crl(crl, 0, wanted);
    return strncmp(name, wanted, strcspn(wanted, ".") + 1) == 0;
}

/* What is never found says nothing of revocation. */
static void forget_lost(struct maker *maker, struct tls_file *file, const char *name)
{
    bool lost = false;

    for (size_t i = 0; i < file->crls.len; i++)
        lost = lost || !hash_name_is_crl(name) || !has_name_of(file->crls.at[i], name);
    if (!lost)
        return;
    crl_list_free(&file->crls);
    file->fault = arena_printf(maker->arena, _("OpenSSL never looks for a list by the name \"%s\": run \"openssl "
                                               "rehash\" on the folder"), name);
}

static bool holds_list(const struct view_file *file)
{
    static const char mark[] = "-----BEGIN X509 CRL-----";

    return file->end == VIEW_READ && memmem(file->text, file->len, mark, sizeof(mark) - 1);
}

static void add_list(struct maker *maker, const struct wanted *folder, const char *dir, const char *name,
                     size_t folder_at)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);
    const struct view_file *entry = view_read(maker->view, path);
    struct tls_file *file;

    if (!hash_name_is_crl(name) && !holds_list(entry))
        return;
    file = add_file(maker, FILE_CRL, folder->setting, folder->named, entry);
    if (entry->end == VIEW_READ)
        read_crls(maker, file, entry);
    forget_lost(maker, file, name);
    /* what the whole folder says of revocation is asked of the folder */
    for (size_t i = 0; i < file->crls.len; i++)
        crl_list_add(&maker->files[folder_at].crls, crl_ref(file->crls.at[i]));
}

enum { LISTS_MAX = 1000 };

/* The folder itself is one fact, with the lists in it; each file in it another. */
static void add_crl_dir(struct maker *maker, const struct wanted *wanted)
{
    const char **names;
    size_t len, folder = maker->files_len;
    const struct view_file seen = view_list(maker->view, wanted->path, &names, &len);

    add_file(maker, wanted->role, wanted->setting, wanted->named, &seen);
    for (size_t i = 0; i < len && maker->files_len < LISTS_MAX; i++)
        add_list(maker, wanted, seen.path, names[i], folder);
    if (len > 0 && maker->files_len >= LISTS_MAX)
        maker->files[folder].why = _("there are too many revocation lists to read all of them");
}

/* ---- pg_hosts.conf ---- */

static struct place hosts_place(struct maker *maker, const struct hosts_line *line)
{
    return view_place(maker->view, line->file, line->line, 0, 0);
}

static void add_host(struct maker *maker, const struct hosts_line *line)
{
    struct wanted wanted = { .setting = "hosts_file", .named = hosts_place(maker, line) };
    size_t cert;

    wanted.role = FILE_CERT;
    wanted.path = line->cert;
    cert = add_plain(maker, &wanted);
    wanted.role = FILE_KEY;
    wanted.path = line->key;
    add_key(maker, &wanted, cert);
    if (line->ca) {
        wanted.role = FILE_CA;
        wanted.path = line->ca;
        add_plain(maker, &wanted);
    }
}

/* True when its lines count, and not ssl_cert_file, ssl_key_file and ssl_ca_file. */
static bool add_hosts(struct maker *maker)
{
    struct posture *posture = maker->posture;
    const struct pg_source source = view_source(maker->view);
    const char *named = posture_value(posture, "hosts_file");
    struct ps_err err;

    if (posture->major < 19 || posture_on(posture, "ssl_sni") != FACT_YES)
        return false;
    struct view_file file = view_look(maker->view, named && *named ? named : "pg_hosts.conf");
    if (file.end == VIEW_UNSEEN) {
        posture->hosts_why = file.why;
        return false;
    }
    if (!hosts_load(&source, file.path, posture->major, &maker->hosts, &err)) {
        posture->hosts_why = arena_strdup(maker->arena, err.message);
        return false;
    }
    posture->hosts = maker->hosts;
    for (size_t i = 0; i < hosts_lines(maker->hosts); i++)
        add_host(maker, hosts_line(maker->hosts, i));
    return hosts_lines(maker->hosts) > 0;
}

/* ---- all of them ---- */

/* server.crt need not be there while nobody asks for it. */
static const struct setting_fact *setting_of(struct maker *maker, int role, bool by_hosts)
{
    const struct setting_fact *set = posture_setting(maker->posture, tls_file_settings[role]);
    bool on = posture_on(maker->posture, "ssl") != FACT_NO;

    if (by_hosts && (role == FILE_CERT || role == FILE_KEY || role == FILE_CA))
        return NULL;
    return set && *set->value && (on || strcmp(set->origin, "default") != 0) ? set : NULL;
}

void maker_files(struct maker *maker)
{
    bool by_hosts = add_hosts(maker);
    size_t cert = SIZE_MAX;

    for (int role = 0; role < FILE_ROLES; role++) {
        const struct setting_fact *set = setting_of(maker, role, by_hosts);
        struct wanted wanted = { .role = (enum tls_file_role)role, .setting = tls_file_settings[role] };

        if (!set)
            continue;
        wanted.path = set->value;
        wanted.named = set->place;
        if (role == FILE_CERT)
            cert = add_plain(maker, &wanted);
        else if (role == FILE_KEY)
            add_key(maker, &wanted, cert);
        else if (role == FILE_CRL_DIR)
            add_crl_dir(maker, &wanted);
        else
            add_plain(maker, &wanted);
    }
    maker->posture->files = maker->files;
    maker->posture->files_len = maker->files_len;
}
