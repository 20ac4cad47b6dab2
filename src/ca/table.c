/*
 * table.c - the authorities of a CA, as its ledger has them.
 *
 * Several hosts may share a ledger: which authorities there are, their certificates, and which of them
 * sign is read from it alone.  A folder has what is only its host's, the keys, and copies of the
 * certificates for people.
 */
#include "ca/internal.h"

#include "base/log.h"

_Static_assert((int)STORE_WAITING == (int)CA_WAITING && (int)STORE_NEXT == (int)CA_NEXT
               && (int)STORE_ACTIVE == (int)CA_ACTIVE && (int)STORE_OLD == (int)CA_OLD
               && (int)STORE_RETIRED == (int)CA_RETIRED, "the ledger has the states of the CA");

/* What all hosts of one ledger must have the same: certificates name their partition of the CRL. */
#define KEY_SHARDS "crl_shards"
#define KEY_URL "crl_url"

/* ---- a table that is being read ---- */

struct table {
    const struct ca *ca;
    struct ca_conf conf;            /* only rows */
    struct authority *at;
    size_t cap;
};

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->conf.len; i++) {
        cert_freep(&table->at[i].cert);
        key_freep(&table->at[i].key);
    }
    free(table->at);
    ca_conf_free(&table->conf);
}

static struct ca_conf_row *add(struct table *table, const char *name, struct ps_err *err)
{
    struct ca_conf_row *row =
        table->conf.len < CA_CONF_MAX_ROWS ? ca_conf_add(&table->conf, name) : NULL;

    if (!row) {
        ps_fail(err, PS_E_STORE, _("the CA has an authority \"%s\" that is unknown here"), name);
        return NULL;
    }
    table->at = ps_grow(table->at, table->conf.len, &table->cap, sizeof(*table->at));
    table->at[table->conf.len - 1] = (struct authority){ 0 };
    return row;
}

static void set_text(char **to, const char *value)
{
    free(*to);
    *to = ps_strdup(value);
}

/* What ca.conf says of the key on this host goes before what the ledger says. */
static bool set_key(const struct ca *ca, struct ca_conf_row *row, const char *ledger_says,
                    struct ps_err *err)
{
    for (size_t i = 0; i < ca->here.len; i++) {
        const struct ca_conf_row *here = &ca->here.rows[i];

        if (!here->has_key || strcmp(here->name, row->name) != 0)
            continue;
        row->key_kind = here->key_kind;
        row->key_uri = here->key_uri ? ps_strdup(here->key_uri) : NULL;
        return true;
    }
    return ca_conf_key_read(row, ledger_says)
        || ps_fail(err, PS_E_STORE, _("the CA has a key \"%s\" that is unknown here"), ledger_says);
}

static bool take_authority(void *arg, const struct store_authority *authority, struct ps_err *err)
{
    struct table *table = arg;
    struct ca_conf_row *row = add(table, authority->name, err);

    if (!row || !set_key(table->ca, row, authority->key, err))
        return false;
    set_text(&row->key_said, authority->key);
    row->state = (enum ca_state)authority->state;
    row->revoked = authority->revoked;
    set_text(&row->parent, authority->parent);
    set_text(&row->host, authority->host);
    return !authority->der
        || cert_from_der(authority->der, authority->der_len,
                         &table->at[table->conf.len - 1].cert, err);
}

/* A key that was read stays with its certificate: its passphrase is not asked for again. */
static void keep_keys(struct ca *ca, struct table *table)
{
    for (size_t i = 0; i < table->conf.len; i++) {
        struct authority *before = ca_by_name(ca, table->conf.rows[i].name);
        const struct cert *cert = table->at[i].cert;

        if (before && before->key && cert && before->cert && cert_same(before->cert, cert))
            table->at[i].key = PS_TAKE(before->key);
    }
}

static void take_over(struct ca *ca, struct table *table)
{
    struct table before = { .conf = { .rows = ca->conf.rows, .len = ca->conf.len }, .at = ca->at };

    keep_keys(ca, table);
    ca->conf.rows = table->conf.rows;
    ca->conf.len = table->conf.len;
    ca->conf.cap = table->conf.cap;
    ca->at = PS_TAKE(table->at);
    table->conf = (struct ca_conf){ 0 };
    for (size_t i = 0; i < ca->conf.len; i++)
        ca->at[i].row = &ca->conf.rows[i];
    table_free(&before);
}

static bool fits_parents(const struct ca *ca, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++) {
        const struct authority *parent = ca_parent(ca, &ca->at[i]);

        if (ca->at[i].cert
            && !(parent && parent->cert && cert_issued_by(ca->at[i].cert, parent->cert)))
            return ps_fail(err, PS_E_CERT, _("\"%s\" of the CA was not issued by its root"),
                           ca->conf.rows[i].name);
    }
    return true;
}

static bool load(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(table_free) struct table table = { .ca = ca };
    int64_t version = 0;

    /* the version first: what comes after it is read again the next time */
    if (!store_authorities_version(ca->store, &version, err)
        || !store_each_authority(ca->store, take_authority, &table, err))
        return false;
    take_over(ca, &table);
    ca->version = version;
    return fits_parents(ca, err);
}

bool ca_sync(struct ca *ca, struct ps_err *err)
{
    int64_t version = 0;

    if (ca->version == 0)       /* being made, or a copy that was not adopted */
        return true;
    return store_authorities_version(ca->store, &version, err)
        && (version == ca->version || load(ca, err));
}

/* What cannot be read leaves a CA without authorities, which does nothing. */
void ca_forget(struct ca *ca)
{
    PS_AUTO(table_free) struct table none = { .ca = ca };
    struct ps_err err = { 0 };

    if (ca->version == 0 || load(ca, &err))
        return;
    log_warn("%s", err.message);
    take_over(ca, &none);
}

/* ---- moved from the folder ---- */

static bool read_cert(const struct ca *ca, const char *row, struct cert **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *name = ps_asprintf("%s.crt", row);
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };

    if (!ca_read_chain(ca, name, &list, err))
        return false;
    *out = cert_ref(list.at[0]);
    return true;
}

/* The rows of ca.conf with the certificates beside it. */
static bool load_folder(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(table_free) struct table table = { .ca = ca };

    for (size_t i = 0; i < ca->here.len; i++) {
        const struct ca_conf_row *from = &ca->here.rows[i];
        struct ca_conf_row *row = from->has_state ? add(&table, from->name, err) : NULL;

        if (!from->has_state)
            continue;
        if (!row || !set_key(ca, row, "file", err))
            return false;
        row->state = from->state;
        row->revoked = from->revoked;
        set_text(&row->parent, from->parent);
        if (row->state != CA_WAITING
            && !read_cert(ca, row->name, &table.at[table.conf.len - 1].cert, err))
            return false;
    }
    take_over(ca, &table);
    return fits_parents(ca, err);
}

/* A ledger of another CA, or a new one, would be taken for one that has issued nothing. */
static bool is_recorded(struct ca *ca, const struct cert *cert, struct ps_err *err)
{
    const struct store_filter filter = { .fingerprint = cert_info(cert)->fingerprint };
    int64_t found = 0;

    if (!store_count(ca->store, &filter, &found, err))
        return false;
    if (found > 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the ledger \"%s\" is not the one of this CA"),
            store_info(ca->store)->where);
    ps_detail(err, _("It does not know the certificate of \"%s\"."), cert_info(cert)->subject);
    return ps_hint(err, _("Bring back the ledger that belongs to \"%s\"."), ca->dir);
}

static bool put_row(struct ca *ca, size_t i, struct ps_err *err)
{
    const struct ca_conf_row *row = &ca->conf.rows[i];
    const struct cert *cert = ca->at[i].cert;
    PS_AUTO(ps_freep) char *key = ca_conf_key_text(row);
    PS_AUTO(buf_free) struct buf der = BUF(FILE_CONF_MAX);

    if (cert && !cert_to_der(cert, &der, err))
        return false;
    const struct store_authority authority = {
        .name = row->name, .state = (enum store_authority_state)row->state, .parent = row->parent,
        .key = row->key_said ? row->key_said : key, .revoked = row->revoked, .subject = cert ? cert_info(cert)->subject : "",
        .der = der.p, .der_len = der.len,
    };
    return store_put_authority(ca->store, &authority, err);
}

static bool put_all(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *shards = ps_asprintf("%u", ca->conf.crl_shards);

    for (size_t i = 0; i < ca->conf.len; i++)
        if ((ca->at[i].cert && !is_recorded(ca, ca->at[i].cert, err)) || !put_row(ca, i, err))
            return false;
    return store_set(ca->store, KEY_SHARDS, shards, err)
        && store_set(ca->store, KEY_URL, ca->conf.crl_url, err);
}

/* All of them at once; unless another process was here first. */
static bool move_rows(struct ca *ca, struct ps_err *err)
{
    int64_t version = 0;

    if (!store_begin(ca->store, err))
        return false;
    if (store_authorities_version(ca->store, &version, err)
        && (version > 0 || (load_folder(ca, err) && put_all(ca, err)))
        && store_commit(ca->store, err))
        return true;
    store_cancel(ca->store);
    return false;
}

static bool is_of_this_ca(const struct ca *ca, const struct ca_conf_row *row, struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    const struct authority *known = ca_by_name(ca, row->name);
    struct ps_err absent = { 0 };

    if (row->state == CA_WAITING || !read_cert(ca, row->name, &cert, &absent)
        || (known && known->cert && cert_same(known->cert, cert)))
        return true;
    ps_fail(err, PS_E_EXISTS, _("the ledger \"%s\" belongs to another CA"),
            store_info(ca->store)->where);
    ps_detail(err, _("Its \"%s\" is not the one of \"%s\"."), row->name, ca->dir);
    return ps_hint(err, _("Give each CA a ledger of its own: in PostgreSQL, a database."));
}

static bool is_key_of_ledger(const struct ca *ca, const struct ca_conf_row *row)
{
    const struct authority *known = ca_by_name(ca, row->name);
    PS_AUTO(ps_freep) char *here = ca_conf_key_text(row);

    return known && known->row->key_said && strcmp(known->row->key_said, here) == 0;
}

/* From now on the ledger says it; where a key is elsewhere than it says, ca.conf goes on to say so. */
static bool settle(struct ca *ca, struct ps_err *err)
{
    for (size_t i = 0; i < ca->here.len; i++) {
        struct ca_conf_row *row = &ca->here.rows[i];

        if (row->has_state && !is_of_this_ca(ca, row, err))
            return false;
        row->has_state = false;
        row->has_key &= !is_key_of_ledger(ca, row);
    }
    return ca_save(ca, &ca->here, err);
}

static bool has_states(const struct ca *ca)
{
    for (size_t i = 0; i < ca->here.len; i++)
        if (ca->here.rows[i].has_state)
            return true;
    return false;
}

static bool check_setting(struct ca *ca, const char *key, const char *here, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *ledger = NULL;

    if (!store_get(ca->store, key, &ledger, err))
        return false;
    if (!ledger || strcmp(ledger, here) == 0)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("ca.conf and the ledger of the CA do not agree"));
    ps_detail(err, _("%s is \"%s\" here and \"%s\" in the ledger; certificates that were issued name "
                     "their revocation list by it."), key, here, ledger);
    return ps_hint(err, _("Write into \"%s/ca.conf\" what the ledger says."), ca->dir);
}

static bool hosts_agree(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *shards = ps_asprintf("%u", ca->conf.crl_shards);

    return check_setting(ca, KEY_SHARDS, shards, err)
        && check_setting(ca, KEY_URL, ca->conf.crl_url, err);
}

static bool fail_empty(const struct ca *ca, struct ps_err *err)
{
    ps_fail(err, PS_E_UNSAFE, _("the ledger \"%s\" is not the one of this CA"),
            store_info(ca->store)->where);
    ps_detail(err, _("It knows no authority."));
    return ps_hint(err, _("Bring back the ledger that belongs to \"%s\"."), ca->dir);
}

bool ca_read_authorities(struct ca *ca, struct ps_err *err)
{
    const bool moves = !store_info(ca->store)->copied;
    int64_t version = 0;

    ca->here = (struct ca_conf){ .rows = ca->conf.rows, .len = ca->conf.len, .cap = ca->conf.cap };
    ca->conf.rows = NULL;
    ca->conf.len = ca->conf.cap = 0;
    if (!store_authorities_version(ca->store, &version, err))
        return false;
    if (version == 0 && !has_states(ca))
        return fail_empty(ca, err);
    if (version == 0 && !moves)     /* a copy of an old one, to be adopted first */
        return load_folder(ca, err);
    return (version > 0 || move_rows(ca, err)) && load(ca, err) && hosts_agree(ca, err)
        && (!has_states(ca) || !moves || settle(ca, err));
}

bool ca_is_free(struct store *store, struct ps_err *err)
{
    int64_t version = 0;

    if (!store_authorities_version(store, &version, err))
        return false;
    if (version == 0)
        return true;
    ps_fail(err, PS_E_EXISTS, _("the ledger \"%s\" belongs to another CA"), store_info(store)->where);
    return ps_hint(err, _("Give each CA a ledger of its own: in PostgreSQL, a database."));
}

static bool put_new(struct ca *ca, struct ps_err *err)
{
    if (!store_begin(ca->store, err))
        return false;
    if (ca_is_free(ca->store, err) && put_all(ca, err) && store_commit(ca->store, err))
        return true;
    store_cancel(ca->store);
    return false;
}

bool ca_move_new(struct ca *ca, struct ps_err *err)
{
    return put_new(ca, err) && load(ca, err) && ca_save(ca, &ca->here, err);
}

/* ---- changes ---- */

struct said {
    const struct ca *ca;
    bool *same;                     /* for each row of ca->conf */
};

static bool is_said(const struct ca *ca, size_t i, const struct store_authority *said)
{
    const struct ca_conf_row *row = &ca->conf.rows[i];

    /* keys stay where they are, and a certificate that came stays too */
    return row->state == (enum ca_state)said->state && row->revoked == said->revoked
        && strcmp(row->parent, said->parent) == 0 && (ca->at[i].cert != NULL) == (said->der != NULL);
}

static bool compare(void *arg, const struct store_authority *authority, struct ps_err *err)
{
    const struct said *said = arg;

    (void)err;
    for (size_t i = 0; i < said->ca->conf.len; i++)
        if (strcmp(said->ca->conf.rows[i].name, authority->name) == 0)
            said->same[i] = is_said(said->ca, i, authority);
    return true;
}

static bool put_changed(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(ps_freep) bool *same = ps_calloc(ca->conf.len + 1, sizeof(*same));
    struct said said = { ca, same };

    if (!store_each_authority(ca->store, compare, &said, err))
        return false;
    for (size_t i = 0; i < ca->conf.len; i++)
        if (!same[i] && !put_row(ca, i, err))
            return false;
    return true;
}

void ca_change_free(struct ca_change *change)
{
    if (!change->ca)
        return;
    store_cancel(change->ca->store);
    ca_forget(change->ca);
}

bool ca_change_begin(struct ca *ca, struct ca_change *out, struct ps_err *err)
{
    if (!store_begin(ca->store, err))
        return false;
    out->ca = ca;
    return true;
}

bool ca_change_commit(struct ca_change *change, struct ps_err *err)
{
    struct ca *ca = change->ca;
    int64_t version = 0;

    if (!put_changed(ca, err) || !store_authorities_version(ca->store, &version, err)
        || !store_commit(ca->store, err))
        return false;
    ca->version = version;
    change->ca = NULL;
    return true;
}
