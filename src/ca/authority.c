/* authority.c - one authority made: its row, key, certificate, and entry in the ledger. */
#include "ca/internal.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "tls/csr.h"

/* Two CAs made with the same DN must not be mistaken for each other, nor two generations. */
static bool name_digits(char out[9], struct ps_err *err)
{
    uint32_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return ps_fail(err, PS_E_CRYPTO, _("could not get random bytes: %m"));
    snprintf(out, 9, "%08x", number);
    return true;
}

bool ca_add_row(struct ca *ca, enum ca_who who, enum ca_state state, struct ps_err *err)
{
    const struct authority *root = ca_active(ca, CA_ROOT);
    PS_AUTO(ps_freep) char *parent =
        who == CA_ROOT ? ps_strdup("") : root ? ps_strdup(root->row->name) : NULL;
    unsigned generation = 1;

    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca->conf.rows[i].who == who && ca->conf.rows[i].generation >= generation)
            generation = ca->conf.rows[i].generation + 1;

    PS_AUTO(ps_freep) char *name = generation == 1
        ? ps_strdup(ca_profiles[who].name)
        : ps_asprintf("%s-%u", ca_profiles[who].name, generation);
    struct ca_conf_row *row = ca->conf.len < CA_CONF_MAX_ROWS ? ca_conf_add(&ca->conf, name) : NULL;
    if (!row)
        return ps_fail(err, PS_E_TOO_BIG, _("the CA has too many authorities"));
    row->state = state;
    free(row->parent);
    row->parent = parent ? PS_TAKE(parent) : ps_strdup("");

    size_t cap = ca->conf.len - 1;
    ca->at = ps_grow(ca->at, ca->conf.len, &cap, sizeof(*ca->at));
    ca->at[ca->conf.len - 1] = (struct authority){ 0 };
    for (size_t i = 0; i < ca->conf.len; i++)
        ca->at[i].row = &ca->conf.rows[i];      /* they may have moved */
    return true;
}

/* ---- the key ---- */

/* Without a digest in the server certificate's signature nobody could log in by SCRAM: see ca.h. */
static enum key_type type_for(enum ca_who who, enum key_type wanted)
{
    if (who != CA_SERVER || wanted != KEY_ED25519)
        return wanted;
    log_info(_("the key of \"%s\" is of type %s: password logins with channel binding do not work "
               "under %s"), ca_profiles[who].name, key_type_name(KEY_EC_P256),
             key_type_name(wanted));
    return KEY_EC_P256;
}

static bool make_key(struct ca *ca, struct authority *authority, const struct ca_new *what,
                     struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s.key", authority->row->name);

    if (what->key_uri)
        return ca_need_key(ca, authority, err);
    return key_generate(type_for(authority->row->who, what->key_type), &authority->key, err)
        && ca_write_key(ca, name, authority->key, what->pass, err);
}

static void set_key_kind(struct ca_conf_row *row, const struct ca_new *what)
{
    row->key_kind = what->key_uri ? CA_KEY_URI : CA_KEY_FILE;
    free(row->key_uri);
    row->key_uri = what->key_uri ? ps_strdup(what->key_uri) : NULL;
}

/* ---- the certificate ---- */

static struct cert_spec plan(const struct ca *ca, enum ca_who who, const struct ca_new *what)
{
    const struct ca_profile *profile = &ca_profiles[who];
    long days = who == CA_ROOT ? ca->conf.days.root : ca->conf.days.intermediate;
    time_t now = clock_now();

    return (struct cert_spec){
        .subject = *what->dn, .is_ca = true, .path_len = profile->path_len, .uses = profile->uses,
        .not_before = now - CA_BACKDATE_SECONDS,
        .not_after = now + (time_t)days * CA_DAY_SECONDS,
        .permit_dns = who == CA_SERVER ? (const char *const *)ca->conf.permit_dns : NULL,
        .permit_ip = who == CA_SERVER ? (const char *const *)ca->conf.permit_ip : NULL,
    };
}

static bool write_cert(const struct ca *ca, const struct authority *authority, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s.crt", authority->row->name);
    PS_AUTO(cert_list_free) struct cert_list alone = { 0 };

    cert_list_add(&alone, authority->cert);
    return ca_write_chain(ca, name, &alone, err);
}

static bool sign(struct ca *ca, struct authority *authority, const struct cert_spec *spec,
                 struct ps_err *err)
{
    const bool is_root = authority->row->who == CA_ROOT;
    struct authority *root = is_root ? NULL : ca_parent(ca, authority);

    return (is_root || ca_may_sign(ca, root, err))
        && cert_make(spec, authority->key, is_root ? NULL : root->cert, is_root ? NULL : root->key,
                     &authority->cert, err)
        && ca_record(ca, authority->cert, ca_profiles[authority->row->who].name, NULL, err)
        && write_cert(ca, authority, err);
}

static bool request(struct ca *ca, const struct authority *authority, const struct cert_spec *spec,
                    struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".csr");
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    return csr_make(spec, authority->key, &csr, err) && csr_to_pem(csr, &pem, err)
        && ca_file_write(ca, path, pem.p, pem.len, 0644, err);
}

bool ca_make_authority(struct ca *ca, const char *name, const struct ca_new *what,
                       struct ps_err *err)
{
    struct authority *authority = ca_by_name(ca, name);
    struct ca_conf_row *row = &ca->conf.rows[authority - ca->at];
    struct cert_spec spec = plan(ca, row->who, what);
    char digits[9];

    if (!name_digits(digits, err))
        return false;
    PS_AUTO(ps_freep) char *cn = ps_asprintf("%s %s", ca_profiles[row->who].title, digits);
    spec.subject.cn = cn;
    set_key_kind(row, what);
    if (!make_key(ca, authority, what, err))
        return false;
    return what->waits ? request(ca, authority, &spec, err) : sign(ca, authority, &spec, err);
}
