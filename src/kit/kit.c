/* kit.c - see kit.h. */
#include "kit/kit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/user.h"
#include "kit/name.h"
#include "kit/page.h"
#include "tls/verify.h"

enum { PAGE_MAX_BYTES = 1 << 20 };

static const struct {
    const char *word, *text;
} outcomes[] = {
    [KIT_MADE] = { "made", N_("made") },
    [KIT_RENEWED] = { "renewed", N_("renewed") },
    [KIT_KEPT] = { "kept", N_("kept") },
    [KIT_REFRESHED] = { "refreshed", N_("refreshed") },
};

const char *kit_outcome_word(enum kit_outcome outcome)
{
    return outcomes[outcome].word;
}

const char *kit_outcome_text(enum kit_outcome outcome)
{
    return _(outcomes[outcome].text);
}

/* One run of kit_write(). */
struct kit {
    const struct kit_spec *spec;
    char *path;                 /* DIR/ROLE, absolute */
    struct user owner;          /* of that folder */
    bool fresh;                 /* the folder was made now */
    bool changed;               /* a file was written */
    struct buf trust, crl;      /* root.crt, root.crl */
    struct buf server_trust, server_crl;    /* by which a server judges the role's certificate */
    struct file_lock *lock;
};

static void kit_done(struct kit *kit)
{
    free(kit->path);
    buf_free(&kit->trust);
    buf_free(&kit->crl);
    buf_free(&kit->server_trust);
    buf_free(&kit->server_crl);
    lock_freep(&kit->lock);
}

/* ---- files ---- */

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* A file that is replaced keeps its mode: one that is too wide for a key is narrowed before. */
static bool narrow(const char *file, struct ps_err *err)
{
    struct ps_err reason = { 0 };

    if (!file_exists(file) || key_file_mode_ok(file, geteuid(), &reason))
        return true;
    if (chmod(file, 0600) != 0)
        return ps_fail(err, PS_E_IO, _("could not set the mode of file \"%s\": %m"), file);
    return true;
}

/* Begin a file of the kit, all written but not yet in its place. */
static bool stage(const struct kit *kit, const char *name, const void *bytes, size_t len,
                  mode_t mode, struct file_edit **out, struct ps_err *err)
{
    const struct file_attr fresh = { mode, (uid_t)-1, (gid_t)-1 };
    PS_AUTO(ps_freep) char *file = path_join(kit->path, name);
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    if ((mode == 0600 && !narrow(file, err))
        || !file_edit_begin(file, &fresh, &edit, err)
        || !file_edit_put(edit, bytes, len, err))
        return false;
    *out = PS_TAKE(edit);
    return true;
}

/* Make a file hold these bytes; one that does already is not touched. */
static bool put(struct kit *kit, const char *name, const void *bytes, size_t len, mode_t mode,
                struct ps_err *err)
{
    PS_AUTO(ps_freep) char *file = path_join(kit->path, name);
    PS_AUTO(buf_wipe) struct buf now = { 0 };
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    struct ps_err reason = { 0 };

    if (file_read(file, FILE_CONF_MAX, &now, &reason) && now.len == len
        && memcmp(buf_text(&now), bytes, len) == 0
        && (mode != 0600 || key_file_mode_ok(file, geteuid(), &reason)))
        return true;

    if (!stage(kit, name, bytes, len, mode, &edit, err) || !file_edit_commit(&edit, err))
        return false;
    kit->changed = true;
    return true;
}

static bool put_buf(struct kit *kit, const char *name, const struct buf *buf, struct ps_err *err)
{
    return put(kit, name, buf_text(buf), buf->len, 0644, err);
}

/* What a run that was killed left beside its files (base/file.h), keys among them. */
static void sweep(const struct kit *kit)
{
    PS_AUTO(close_dir) DIR *dir = opendir(kit->path);

    for (struct dirent *entry; dir && (entry = readdir(dir)); ) {
        const char *mark = strstr(entry->d_name, ".pgseal-");
        bool beside = entry->d_name[0] == '.' && mark && strlen(mark) == strlen(".pgseal-XXXXXX");

        if (beside && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            log_warn(_("could not remove file \"%s/%s\": %m"), kit->path, entry->d_name);
    }
}

/* ---- the pair that is there ---- */

static bool read_chain(const char *path, struct cert_list *out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *file = path_join(path, "postgresql.crt");
    PS_AUTO(buf_free) struct buf pem = { 0 };

    return file_read(file, FILE_CONF_MAX, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, file, out, err);
}

static bool read_key(const char *path, struct key **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *file = path_join(path, "postgresql.key");
    PS_AUTO(buf_wipe) struct buf pem = { 0 };

    return key_file_mode_ok(file, geteuid(), err)
        && file_read(file, FILE_CONF_MAX, &pem, err)
        && key_from_pem(buf_text(&pem), pem.len, file, NULL, out, err);
}

/* As a server will judge it that was given what this CA has for servers. */
static bool chain_is_accepted(const struct kit *kit, const struct cert_list *chain,
                              struct ps_err *err)
{
    const struct buf *trust = &kit->server_trust, *crl = &kit->server_crl;
    const char *name = ca_dir(kit->spec->ca);
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };

    return cert_list_from_pem(buf_text(trust), trust->len, name, &anchors, err)
        && crl_list_from_pem(buf_text(crl), crl->len, name, &crls, err)
        && verify_chain(chain, &anchors, &crls, CERT_USE_CLIENT, 0, err);
}

static bool pair_fits(const struct kit_spec *spec, const struct cert *leaf, const struct key *key,
                      struct ps_err *err)
{
    const struct cert_info *info = cert_info(leaf);

    if (strcmp(info->common_name, spec->role) != 0)
        return ps_fail(err, PS_E_CERT, _("the certificate is for another role, \"%s\""),
                       info->common_name);
    return cert_matches_key(leaf, key)
        || ps_fail(err, PS_E_CERT, _("the certificate and the private key do not fit"));
}

/* The key when it may stay; `why` says why not. */
static bool key_is_good(const struct kit *kit, struct cert_list *chain, struct key **key,
                        struct ps_err *why)
{
    PS_AUTO(key_freep) struct key *found = NULL;

    if (!read_chain(kit->path, chain, why) || !read_key(kit->path, &found, why)
        || !pair_fits(kit->spec, chain->at[0], found, why)
        || !chain_is_accepted(kit, chain, why))
        return false;
    *key = PS_TAKE(found);
    return true;
}

/* May the certificate of a good key stay, too? */
static bool leaf_is_good(const struct kit_spec *spec, const struct cert *leaf, struct ps_err *why)
{
    const struct cert_info *info = cert_info(leaf);
    const struct cert *active = ca_intermediate(spec->ca, CERT_USE_CLIENT);
    time_t third = (info->not_after - info->not_before) / 3;

    if (!active || !cert_issued_by(leaf, active))
        return ps_fail(why, PS_E_CERT, _("the certificate is of another CA"));
    return info->not_after - clock_now() > third
        || ps_fail(why, PS_E_CERT, _("the certificate has less than a third of its life left"));
}

/* ---- a new pair ---- */

static bool chain_pem(const struct cert_list *chain, struct buf *out, struct ps_err *err)
{
    for (size_t i = 0; i < chain->len; i++)
        if (!cert_to_pem(chain->at[i], out, err))
            return false;
    return true;
}

/*
 * Everything is on disk under other names before the first rename; the key goes first, as libpq reads
 * the certificate first.
 */
static bool replace_pair(struct kit *kit, const struct ca_leaf *leaf, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf crt = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret der = { 0 };
    PS_AUTO(file_edit_freep) struct file_edit *crt_edit = NULL;
    PS_AUTO(file_edit_freep) struct file_edit *pem_edit = NULL;
    PS_AUTO(file_edit_freep) struct file_edit *der_edit = NULL;

    kit->changed = true;
    return chain_pem(&leaf->chain, &crt, err)
        && key_to_pem(leaf->key, NULL, &pem, err)
        && key_to_pkcs8_der(leaf->key, &der, err)
        && stage(kit, "postgresql.crt", buf_text(&crt), crt.len, 0644, &crt_edit, err)
        && stage(kit, "postgresql.key", pem.p, pem.len, 0600, &pem_edit, err)
        && stage(kit, "postgresql.pk8", der.p, der.len, 0600, &der_edit, err)
        && file_edit_commit(&pem_edit, err)
        && file_edit_commit(&crt_edit, err)
        && file_edit_commit(&der_edit, err);
}

/* `key` stays, or is NULL: then one is made. */
static bool issue(const struct kit_spec *spec, const struct key *key, struct ca_leaf *out,
                  struct ps_err *err)
{
    const struct ca_leaf_spec leaf = {
        .use = CERT_USE_CLIENT,
        .common_name = spec->role,
        .key_type = spec->key_type,
        .public_of = key,
    };

    return ca_issue(spec->ca, &leaf, out, err);
}

static bool replace_chain(struct kit *kit, const struct cert_list *chain, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf crt = BUF(FILE_CONF_MAX);

    return chain_pem(chain, &crt, err) && put_buf(kit, "postgresql.crt", &crt, err);
}

/* The .pk8 of a key that stays: it may be missing, or be left from before a crash. */
static bool keep_key(struct kit *kit, const struct key *key, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret der = { 0 };

    return key_to_pkcs8_der(key, &der, err)
        && put(kit, "postgresql.pk8", der.p, der.len, 0600, err);
}

/* ---- the whole ---- */

/* What is asked of the CA before we act as the folder's owner, who may not be able to read it. */
static bool collect_trust(struct kit *kit, struct ps_err *err)
{
    const struct kit_spec *spec = kit->spec;

    if (!spec->ca)
        return buf_puts(&kit->trust, spec->trust_pem)
            || ps_fail(err, PS_E_TOO_BIG, _("the trusted certificates are too many"));
    return ca_refresh_crls(spec->ca, false, err)
        && ca_trust_pem(spec->ca, CERT_USE_CLIENT, &kit->trust, err)
        && ca_crl_pem(spec->ca, CERT_USE_CLIENT, &kit->crl, err)
        && ca_trust_pem(spec->ca, CERT_USE_SERVER, &kit->server_trust, err)
        && ca_crl_pem(spec->ca, CERT_USE_SERVER, &kit->server_crl, err);
}

static bool open_folder(struct kit *kit, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = kit_folder_name(kit->spec->role);
    PS_AUTO(ps_freep) char *dir = NULL;
    struct file_attr attr;

    if (!path_absolute(kit->spec->dir, &dir, err))
        return false;
    kit->path = path_join(dir, name);
    if (!kit_text_ok(kit->path) || strchr(kit->path, ':'))
        return ps_fail(err, PS_E_VALUE, _("cannot keep kits in folder \"%s\""), kit->spec->dir);
    if (!dir_ensure(kit->path, 0700, &kit->fresh, err)
        || !file_attr_read(kit->path, &attr, err))
        return false;
    user_by_uid(attr.uid, attr.gid, &kit->owner);
    return true;
}

static bool write_texts(struct kit *kit, struct ps_err *err)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(buf_free) struct buf service = BUF(PAGE_MAX_BYTES);
    PS_AUTO(buf_free) struct buf text = BUF(PAGE_MAX_BYTES);
    PS_AUTO(buf_free) struct buf html = BUF(PAGE_MAX_BYTES);
    time_t not_after = kit->spec->ca ? kit_not_after(kit->path) : 0;
    struct kit_link link;

    kit_link_fill(kit->spec, kit->path, arena, &link);
    kit_service_entry(&link, &service);
    kit_page(kit->spec, kit->path, not_after, DOC_TEXT, &text);
    kit_page(kit->spec, kit->path, not_after, DOC_HTML, &html);
    return put_buf(kit, "root.crt", &kit->trust, err)
        && (!kit->spec->ca || put_buf(kit, "root.crl", &kit->crl, err))
        && put_buf(kit, "pg_service.conf", &service, err)
        && put_buf(kit, "README.txt", &text, err)
        && put_buf(kit, "README.html", &html, err);
}

/* May this kit's key stay?  *due: with a new certificate. */
static void judge_pair(struct kit *kit, struct key **key, bool *due)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct ps_err why = { 0 };

    *due = !key_is_good(kit, &chain, key, &why) || !leaf_is_good(kit->spec, chain.at[0], &why);
    if (*due && !kit->fresh)
        log_detail(_("role \"%s\" gets a new certificate: %s"), kit->spec->role, why.message);
}

/* What is there, as the folder's owner sees it: *key stays NULL when a new pair is needed. */
static bool examine(struct kit *kit, struct key **key, bool *due, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    PS_AUTO(ps_freep) char *lock = path_join(kit->path, ".lock");

    if (!user_become(&kit->owner, &guard, err) || !lock_take(lock, &kit->lock, err))
        return false;
    sweep(kit);
    *due = kit->spec->ca != NULL;
    if (kit->spec->ca && !kit->spec->renew)
        judge_pair(kit, key, due);
    return true;
}

/* `leaf` is what is new, `key` what stays; without a CA there is neither. */
static bool write_all(struct kit *kit, const struct ca_leaf *leaf, const struct key *key,
                      struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    if (!user_become(&kit->owner, &guard, err))
        return false;
    if (leaf->key && !replace_pair(kit, leaf, err))
        return false;
    if (key && leaf->chain.len > 0 && !replace_chain(kit, &leaf->chain, err))
        return false;
    if (key && !keep_key(kit, key, err))
        return false;
    return write_texts(kit, err);
}

bool kit_write(const struct kit_spec *spec, enum kit_outcome *outcome, char **path,
               struct ps_err *err)
{
    PS_AUTO(kit_done) struct kit kit = {
        .spec = spec,
        .trust = BUF(FILE_CONF_MAX), .crl = BUF(FILE_CONF_MAX),
        .server_trust = BUF(FILE_CONF_MAX), .server_crl = BUF(FILE_CONF_MAX),
    };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    bool due = false;

    if (!kit_spec_check(spec, err)
        || !collect_trust(&kit, err)
        || !open_folder(&kit, err)
        || !examine(&kit, &key, &due, err)
        || (due && !issue(spec, key, &leaf, err))
        || !write_all(&kit, &leaf, key, err))
        return false;

    bool made = leaf.key || kit.fresh;
    *outcome = made ? KIT_MADE : due ? KIT_RENEWED : kit.changed ? KIT_REFRESHED : KIT_KEPT;
    *path = PS_TAKE(kit.path);
    return true;
}

time_t kit_not_after(const char *path)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct ps_err err = { 0 };

    return read_chain(path, &chain, &err) ? cert_info(chain.at[0])->not_after : 0;
}
