/* ca.c - a CA opened, its authorities and files; see ca.h. */
#include "ca/ca.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/internal.h"

const struct ca_profile ca_profiles[CA_WHO_LEN] = {
    [CA_ROOT] = { "root", "pgseal root CA", CERT_USE_ANY, -1 },
    [CA_SERVER] = { "server-ca", "pgseal server CA", CERT_USE_SERVER, 0 },
    [CA_CLIENT] = { "client-ca", "pgseal client CA", CERT_USE_CLIENT, 0 },
};

/* ---- what it has ---- */

const char *ca_dir(const struct ca *ca)
{
    return ca->dir;
}

struct store *ca_store(const struct ca *ca)
{
    return ca->store;
}

const struct ca_days *ca_days(const struct ca *ca)
{
    return &ca->conf.days;
}

unsigned ca_crl_shards(const struct ca *ca)
{
    return ca->conf.crl_shards;
}

struct authority *ca_active(const struct ca *ca, enum ca_who who)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == who && ca->conf.rows[i].state == CA_ACTIVE)
            return &ca->at[i];
    return NULL;
}

struct authority *ca_by_name(const struct ca *ca, const char *name)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (strcmp(ca->conf.rows[i].name, name) == 0)
            return &ca->at[i];
    return NULL;
}

struct authority *ca_parent(const struct ca *ca, const struct authority *of)
{
    return ca_by_name(ca, of->row->who == CA_ROOT ? of->row->name : of->row->parent);
}

const struct cert *ca_root(const struct ca *ca)
{
    const struct authority *root = ca_active(ca, CA_ROOT);

    return root ? root->cert : NULL;
}

const struct cert *ca_intermediate(const struct ca *ca, enum cert_use use)
{
    const struct authority *authority = ca_active(ca, ca_issuer_of(use));

    return authority ? authority->cert : NULL;
}

bool ca_in_use(const struct authority *authority)
{
    return authority->cert && authority->row->state != CA_RETIRED
        && cert_info(authority->cert)->not_after > clock_now();
}

bool ca_is_offline(const struct ca *ca, const struct authority *authority)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".key");

    return authority->row->key_kind == CA_KEY_OFFLINE
        || (authority->row->key_kind == CA_KEY_FILE && !file_exists(path));
}

void ca_anchors(const struct ca *ca, struct cert_list *out)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == CA_ROOT && ca_in_use(&ca->at[i]))
            cert_list_add(out, ca->at[i].cert);
}

size_t ca_authorities_len(const struct ca *ca)
{
    return ca->conf.len;
}

struct ca_authority ca_authority_at(const struct ca *ca, size_t i)
{
    const struct ca_conf_row *row = &ca->conf.rows[i];

    return (struct ca_authority){
        .name = row->name, .who = row->who, .generation = row->generation, .state = row->state,
        .cert = ca->at[i].cert, .parent = row->parent, .key_kind = row->key_kind,
        .key_uri = row->key_uri, .revoked = row->revoked, .host = row->host,
        .key_here = !ca_is_offline(ca, &ca->at[i]),
    };
}

bool ca_authority_find(const struct ca *ca, const char *name, struct ca_authority *out,
                       struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf names = BUF(512);

    for (size_t i = 0; i < ca->conf.len; i++) {
        if (strcmp(ca->conf.rows[i].name, name) == 0) {
            *out = ca_authority_at(ca, i);
            return true;
        }
        buf_printf(&names, "%s%s", i ? ", " : "", ca->conf.rows[i].name);
    }
    ps_fail(err, PS_E_NOT_FOUND, _("the CA has no authority \"%s\""), name);
    return ps_hint(err, _("It has: %s."), buf_text(&names));
}

/* ---- files ---- */

char *ca_path(const struct ca *ca, const char *name)
{
    return path_join(ca->dir, name);
}

char *ca_file_of(const struct ca *ca, const char *name, const char *suffix)
{
    return ps_asprintf("%s/%s%s", ca->dir, name, suffix);
}

const char *ca_ledger(const struct ca *ca, char **own)
{
    *own = ca->conf.store ? NULL : ca_path(ca, CA_LEDGER);
    return ca->conf.store ? ca->conf.store : *own;
}

static bool all_exist(const char *dir, const char *const *names)
{
    for (; *names; names++) {
        PS_AUTO(ps_freep) char *path = path_join(dir, *names);

        if (!file_exists(path))
            return false;
    }
    return true;
}

bool ca_exists(const char *dir)
{
    static const char *const now[] = { CA_CONF, NULL };
    static const char *const before_conf[] = { "root.crt", "server-ca.crt", "client-ca.crt",
                                               CA_LEDGER, NULL };

    return all_exist(dir, now) || all_exist(dir, before_conf);
}

static bool check_link(const char *path, struct ps_err *err)
{
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("\"%s\" is a symbolic link in a folder of another user"), path);
    return ps_hint(err, _("Run the command as the owner of the CA."));
}

bool ca_file_begin(const struct ca *ca, const char *path, mode_t mode, struct file_edit **out,
                   struct ps_err *err)
{
    struct file_attr fresh = { mode, (uid_t)-1, (gid_t)-1 }, folder;

    if (!file_attr_read(ca->dir, &folder, err))
        return false;
    if (geteuid() == 0 && folder.uid != 0) {
        fresh.uid = folder.uid;
        fresh.gid = folder.gid;
        if (!check_link(path, err))
            return false;
    }
    return file_edit_begin(path, &fresh, out, err);
}

bool ca_file_write(const struct ca *ca, const char *path, const void *bytes, size_t len,
                   mode_t mode, struct ps_err *err)
{
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    return ca_file_begin(ca, path, mode, &edit, err) && file_edit_put(edit, bytes, len, err)
        && file_edit_commit(&edit, err);
}

bool ca_write_chain(const struct ca *ca, const char *name, const struct cert_list *chain,
                    struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    for (size_t i = 0; i < chain->len; i++)
        if (!cert_to_pem(chain->at[i], &pem, err))
            return false;
    return ca_file_write(ca, path, pem.p, pem.len, 0644, err);
}

bool ca_read_chain(const struct ca *ca, const char *name, struct cert_list *out,
                   struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, name);
    PS_AUTO(buf_free) struct buf pem = BUF(0);

    return file_read(path, FILE_CONF_MAX, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, path, out, err);
}

bool ca_record(struct ca *ca, const struct cert *cert, const char *kind, const char *const *hosts,
               struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);
    PS_AUTO(buf_free) struct buf der = BUF(FILE_CONF_MAX);

    if (!cert_to_der(cert, &der, err))
        return false;
    const struct store_cert row = {
        .serial_hex = info->serial_hex, .issuer = info->issuer, .subject = info->subject,
        .kind = kind, .fingerprint = info->fingerprint, .not_before = info->not_before,
        .not_after = info->not_after, .der = der.p, .der_len = der.len,
        .common_name = *info->common_name ? info->common_name : NULL, .hosts = hosts,
        .shard = info->is_ca ? 0 : (int)shard_of(info->serial_hex, ca->conf.crl_shards),
    };
    return store_put_cert(ca->store, &row, err);
}

/* ---- opening ---- */

void ca_free(struct ca *ca)
{
    for (size_t i = 0; ca->at && i < ca->conf.len; i++) {
        cert_freep(&ca->at[i].cert);
        key_freep(&ca->at[i].key);
    }
    free(ca->at);
    ca_conf_free(&ca->conf);
    ca_conf_free(&ca->here);
    store_freep(&ca->store);
    free(ca->dir);
    free(ca);
}

void ca_leaf_free(struct ca_leaf *leaf)
{
    cert_list_free(&leaf->chain);
    key_freep(&leaf->key);
}

/* A CA of before there was a ca.conf: the three, active, with keys in files. */
static void three(struct ca_conf *out)
{
    ca_conf_default(out);
    for (int who = 0; who < CA_WHO_LEN; who++) {
        struct ca_conf_row *row = ca_conf_add(out, ca_profiles[who].name);

        row->has_state = true;
        if (who != CA_ROOT) {
            free(row->parent);
            row->parent = ps_strdup(ca_profiles[CA_ROOT].name);
        }
    }
}

static bool read_conf(const char *dir, struct ca_conf *out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, CA_CONF);
    PS_AUTO(buf_free) struct buf text = BUF(0);

    if (!file_exists(path)) {
        three(out);
        return true;
    }
    return file_read(path, CA_CONF_MAX_BYTES, &text, err)
        && ca_conf_parse(buf_text(&text), text.len, path, out, err);
}

/* One that is not there would be made, and the CA would have forgotten all that it issued. */
static bool check_ledger(const struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = NULL;

    if (ca->conf.store || file_exists(ca_ledger(ca, &path)))
        return true;
    ps_fail(err, PS_E_NOT_FOUND, _("the ledger \"%s\" of the CA is not there"), path);
    return ps_hint(err, _("Bring it back, or the whole CA: pgseal ca restore."));
}

bool ca_open(const char *dir, ca_pass_fn pass, void *arg, struct ca **out, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = ps_calloc(1, sizeof(*ca));
    PS_AUTO(ps_freep) char *ledger = NULL;

    if (!ca_exists(dir)) {
        ps_fail(err, PS_E_NOT_FOUND, _("no certificate authority in \"%s\""), dir);
        return ps_at(err, dir, 0, 0);
    }
    ca->pass = pass;
    ca->pass_arg = arg;
    if (!path_absolute(dir, &ca->dir, err) || !read_conf(ca->dir, &ca->conf, err)
        || !check_ledger(ca, err)
        || !store_open(ca_ledger(ca, &ledger), &ca->store, err) || !ca_read_authorities(ca, err))
        return false;
    *out = PS_TAKE(ca);
    return true;
}

/* ---- one at a time ---- */

enum { LOCK_WAIT_MS = 10000, LOCK_LOOK_MS = 50 };

void ca_turn_free(struct ca_turn *turn)
{
    if (turn->held)
        store_unhold(turn->held);
    lock_freep(&turn->lock);
}

/* The lock, when root was the first to take it; its owner could not take it any more. */
static void give_to_owner(const struct ca *ca, const char *path)
{
    struct file_attr folder;
    struct ps_err err = { 0 };

    if (geteuid() == 0 && file_attr_read(ca->dir, &folder, &err) && folder.uid != 0
        && lchown(path, folder.uid, folder.gid) != 0)
        log_warn(_("could not give \"%s\" to the owner of the CA: %m"), path);
}

static bool wait_for_lock(const struct ca *ca, struct file_lock **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, CA_LOCK);
    int64_t deadline_ms = clock_mono_ms() + LOCK_WAIT_MS;

    while (!lock_take(path, out, err)) {
        if (err->code != PS_E_BUSY || clock_mono_ms() > deadline_ms)
            return false;
        clock_sleep_ms(LOCK_LOOK_MS);
    }
    ps_err_clear(err);
    give_to_owner(ca, path);
    return true;
}

/* What people take from the folder by hand is what the ledger has. */
static bool lay_out_certs(const struct ca *ca, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        PS_AUTO(ps_freep) char *name = ps_asprintf("%s.crt", ca->conf.rows[i].name);
        PS_AUTO(cert_list_free) struct cert_list found = { 0 };
        PS_AUTO(cert_list_free) struct cert_list alone = { 0 };
        struct ps_err unreadable = { 0 };

        if (!ca->at[i].cert)
            continue;
        bool read = ca_read_chain(ca, name, &found, &unreadable);
        if (read && cert_same(found.at[0], ca->at[i].cert))
            continue;
        if (read)
            log_warn(_("\"%s\" in the folder of the CA was not the one of its ledger, and was "
                       "replaced"), name);
        cert_list_add(&alone, ca->at[i].cert);
        if (!ca_write_chain(ca, name, &alone, err))
            return false;
    }
    return true;
}

bool ca_lock(struct ca *ca, struct ca_turn *out, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };

    if (!wait_for_lock(ca, &turn.lock, err) || !store_hold(ca->store, err))
        return false;
    turn.held = ca->store;
    if (!ca_sync(ca, err) || !lay_out_certs(ca, err))
        return false;
    *out = turn;
    turn = (struct ca_turn){ 0 };
    return true;
}

bool ca_save(const struct ca *ca, const struct ca_conf *rows, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, CA_CONF);
    PS_AUTO(buf_free) struct buf text = BUF(CA_CONF_MAX_BYTES);
    struct ca_conf whole = ca->conf;

    whole.rows = rows->rows;
    whole.len = rows->len;
    return ca_conf_write(&whole, &text, err) && ca_file_write(ca, path, text.p, text.len, 0600, err);
}
