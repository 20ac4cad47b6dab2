/*
 * make_pki.c - one CA and many leaves of it, for the tests in which other programs judge them.
 *
 *   make_pki DIR KEY-TYPE SHARDS <PLAN      DIR/ca; DIR/root.crt; what a server and a client are given
 *                                           as CRLs: DIR/server.crls, DIR/client.crls; and DIR/NAME.crt
 *                                           (the chain) and DIR/NAME.key for each line of the plan
 *
 * A line of the plan has seven fields and tabs between them:
 *   NAME  server|client|batch  KEY-TYPE  CN  HOST,HOST,...  FROM  TO
 * FROM and TO are seconds since 1970, both 0 for the CA's own idea; "batch" is a client whose certificate
 * comes out of ca_issue_batch(), and has only that idea.  A NAME that begins with "revoked"
 * is revoked before the CRLs are written.  A line "revoke server" or "revoke client" is about that
 * intermediate; then DIR/ca/NAME.crl are all the CRLs there are, as a set with it is not given out.  A
 * line "replace root", "replace server" or "replace client" makes its successor, which signs from then on.
 */
#include <limits.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "ca/batch.h"

enum { FIELDS = 7, HOSTS = 20 };

static bool write_in(const char *dir, const char *name, const char *ending, const void *bytes,
                     size_t len, mode_t mode, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *file = ps_asprintf("%s.%s", name, ending);
    PS_AUTO(ps_freep) char *path = path_join(dir, file);

    return file_write(path, bytes, len, mode, err);
}

/* Cut `text` at each `mark`, in place; false when there are more than `max` parts. */
static bool cut(char *text, char mark, char **parts, size_t max, size_t *len)
{
    *len = 0;
    for (char *at = text; at; ) {
        char *end = strchr(at, mark);

        if (*len == max)
            return false;
        parts[(*len)++] = at;
        if (end)
            *end++ = '\0';
        at = end;
    }
    return true;
}

static bool write_leaf(const struct ca *ca, const char *dir, const char *name,
                       const struct ca_leaf *leaf, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list above = { 0 };
    PS_AUTO(buf_free) struct buf chain = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret key = { 0 };

    if (!ca_chain_of(ca, leaf->chain.at[0], &above, err)
        || !cert_to_pem(leaf->chain.at[0], &chain, err))
        return false;
    for (size_t i = 0; i < above.len; i++)
        if (!cert_to_pem(above.at[i], &chain, err))
            return false;
    return key_to_pem(leaf->key, NULL, &key, err)
        && write_in(dir, name, "crt", buf_text(&chain), chain.len, 0644, err)
        && write_in(dir, name, "key", key.p, key.len, 0600, err);
}

struct batch {
    const char *dir, *name;
    struct ca_batch_wish wish;
    bool given;
    struct cert_list chain;
};

static void batch_free(struct batch *batch)
{
    cert_list_free(&batch->chain);
}

static bool next_wish(void *arg, struct ca_batch_wish *wish, bool *more, struct ps_err *err)
{
    struct batch *batch = arg;

    (void)err;
    *wish = batch->wish;
    *more = !batch->given;
    batch->given = true;
    return true;
}

static bool take_leaf(void *arg, const struct ca_batch_leaf *leaf, size_t len, struct ps_err *err)
{
    struct batch *batch = arg;

    return (len == 1 || ps_fail(err, PS_E_BUG, "one leaf is wanted"))
        && cert_list_from_pem(leaf->chain_pem, leaf->chain_len, batch->name, &batch->chain, err)
        && write_in(batch->dir, batch->name, "crt", leaf->chain_pem, leaf->chain_len, 0644, err)
        && write_in(batch->dir, batch->name, "key", leaf->key_pem->p, leaf->key_pem->len, 0600, err);
}

static bool is_revoked(const char *name)
{
    return strncmp(name, "revoked", 7) == 0;
}

static bool make_by_batch(struct ca *ca, const char *dir, const char *name, enum key_type key_type,
                          const char *role, struct ps_err *err)
{
    PS_AUTO(batch_free) struct batch batch = { dir, name, { role, key_type, 0 }, false, { 0 } };
    const struct ca_batch_io io = { .next = next_wish, .out = take_leaf, .arg = &batch };

    return ca_issue_batch(ca, &io, err)
        && (!is_revoked(name) || ca_revoke(ca, batch.chain.at[0], 0, err));
}

static bool make_leaf(struct ca *ca, const char *dir, char **field, struct ps_err *err)
{
    char *hosts[HOSTS + 1] = { NULL };
    size_t hosts_len = 0;
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = field[3] };
    long from, to;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!key_type_parse(field[2], &spec.key_type, err))
        return false;
    if (!num_parse(field[5], 0, LONG_MAX, &from) || !num_parse(field[6], 0, LONG_MAX, &to)
        || !cut(field[4], ',', hosts, HOSTS, &hosts_len))
        return ps_fail(err, PS_E_USAGE, "cannot read the line of \"%s\"", field[0]);
    if (strcmp(field[1], "batch") == 0)
        return make_by_batch(ca, dir, field[0], spec.key_type, field[3], err);
    if (strcmp(field[1], "server") == 0) {
        spec.use = CERT_USE_SERVER;
        spec.common_name = NULL;
        spec.hosts = (const char *const *)hosts;
    }
    spec.not_before = from;
    spec.not_after = to;
    return ca_issue(ca, &spec, &leaf, err)
        && write_leaf(ca, dir, field[0], &leaf, err)
        && (!is_revoked(field[0]) || ca_revoke(ca, leaf.chain.at[0], 0, err));
}

static bool replace(struct ca *ca, enum ca_who who, struct ps_err *err)
{
    const struct ca_rollover_spec spec = { .who = who, .key_type = KEY_EC_P256 };
    PS_AUTO(ps_freep) char *name = NULL;

    return ca_rollover(ca, &spec, &name, err) && ca_activate(ca, name, err);
}

static bool do_line(struct ca *ca, const char *dir, char *line, struct ps_err *err)
{
    char *field[FIELDS];
    size_t len;

    if (strcmp(line, "revoke server") == 0)
        return ca_revoke(ca, ca_intermediate(ca, CERT_USE_SERVER), 0, err);
    if (strcmp(line, "revoke client") == 0)
        return ca_revoke(ca, ca_intermediate(ca, CERT_USE_CLIENT), 0, err);
    if (strcmp(line, "replace root") == 0)
        return replace(ca, CA_ROOT, err);
    if (strcmp(line, "replace server") == 0)
        return replace(ca, CA_SERVER, err);
    if (strcmp(line, "replace client") == 0)
        return replace(ca, CA_CLIENT, err);
    if (!cut(line, '\t', field, FIELDS, &len) || len != FIELDS)
        return ps_fail(err, PS_E_USAGE, "a line of the plan has seven fields");
    return make_leaf(ca, dir, field, err);
}

static bool do_plan(struct ca *ca, const char *dir, bool *whole, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (strncmp(line, "revoke ", 7) == 0)
            *whole = false;
        if (!do_line(ca, dir, line, err))
            return false;
    }
    return true;
}

static bool write_root(struct ca *ca, const char *dir, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf root = BUF(FILE_CONF_MAX);

    return ca_trust_pem(ca, CERT_USE_CLIENT, &root, err)
        && write_in(dir, "root", "crt", buf_text(&root), root.len, 0644, err);
}

static bool write_crls(struct ca *ca, const char *dir, enum cert_use side, const char *name,
                       struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf crls = BUF(FILE_CONF_MAX);

    return ca_crl_pem(ca, side, &crls, err)
        && write_in(dir, name, "crls", buf_text(&crls), crls.len, 0644, err);
}

static bool make_pki(const char *dir, const char *key_type, const char *shards, struct ps_err *err)
{
    struct ca_spec spec = { 0 };
    PS_AUTO(ps_freep) char *path = path_join(dir, "ca");
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    bool whole = true;
    long wanted;

    if (!num_parse(shards, 0, 64, &wanted))
        return ps_fail(err, PS_E_USAGE, "\"%s\" is no number of shards", shards);
    spec.crl_shards = (unsigned)wanted;
    return key_type_parse(key_type, &spec.key_type, err)
        && ca_create(path, &spec, &ca, err)
        && do_plan(ca, dir, &whole, err)
        && ca_refresh_crls(ca, false, err)
        && write_root(ca, dir, err)
        && (!whole || (write_crls(ca, dir, CERT_USE_SERVER, "server", err)
                       && write_crls(ca, dir, CERT_USE_CLIENT, "client", err)));
}

int main(int argc, char **argv)
{
    struct ps_err err = { 0 };
    bool done = false;

    tls_start();
    if (argc == 4)
        done = make_pki(argv[1], argv[2], argv[3], &err);
    else
        ps_fail(&err, PS_E_USAGE, "usage: make_pki DIR KEY-TYPE SHARDS <PLAN");
    if (!done)
        fprintf(stderr, "make_pki: %s\n%s\n", err.message, err.detail);
    return done ? 0 : 1;
}
