/* batch.c - see batch.h. */
#include "ca/batch.h"

#include "ca/internal.h"
#include "ca/press.h"

/* What was verified last in a partition. */
struct sort {
    bool verified;
    enum key_type key_type;
    time_t lifetime;
};

struct batch {
    struct ca *ca;
    const struct authority *issuer;
    const struct ca_batch_io *io;
    struct press *press;
    struct sort *sorts;                 /* one for each partition */
    struct buf chain_pem;               /* what is sent after each leaf */
    bool fed_all, cut;
    struct store_cert rows[CA_BATCH_GROUP];
    struct ca_batch_leaf leaves[CA_BATCH_GROUP];
};

static void batch_free(struct batch *batch)
{
    press_freep(&batch->press);
    buf_free(&batch->chain_pem);
    free(batch->sorts);
    free(batch);
}
PS_DEFINE_FREEP(struct batch, batch_free)

/* ---- in ---- */

static bool feed_one(struct batch *batch, const struct ca_batch_wish *wish, struct ps_err *err)
{
    const struct ca_leaf_spec leaf = { .use = CERT_USE_CLIENT, .common_name = wish->role,
                                       .days = wish->days };
    struct cert_spec what;

    if (!ca_plan_leaf(batch->ca, batch->issuer, &leaf, &what, err))
        return false;
    return press_feed(batch->press, &(struct press_wish){ wish->role, wish->key_type,
                                                          what.not_before, what.not_after }, err);
}

/* A wish that cannot be is the end of what is fed; what came before it is finished first. */
static void feed(struct batch *batch, bool *good, struct ps_err *err)
{
    struct ca_batch_wish wish;

    while (!batch->fed_all && press_room(batch->press) > 0) {
        bool more = false;

        *good = batch->io->next(batch->io->arg, &wish, &more, err)
             && (!more || feed_one(batch, &wish, err));
        batch->fed_all = !*good || !more;
    }
}

/* ---- out ---- */

/* The first of all also tells what is sent after each of them. */
static bool verify(struct batch *batch, const struct cert_filled *made, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!cert_from_der(made->der.p, made->der.len, &cert, err))
        return false;
    cert_list_add(&chain, cert);
    if (!ca_chain_of(batch->ca, cert, &chain, err)
        || !ca_would_be_accepted(batch->ca, &chain, CERT_USE_CLIENT, err))
        return false;
    buf_clear(&batch->chain_pem);
    for (size_t i = 1; i < chain.len; i++)
        if (!cert_to_pem(chain.at[i], &batch->chain_pem, err))
            return false;
    return true;
}

static bool verify_new_sorts(struct batch *batch, size_t len, struct ps_err *err)
{
    for (size_t i = 0; i < len; i++) {
        const struct press_work *work = press_at(batch->press, i);
        struct sort *known = &batch->sorts[work->shard];
        const struct sort sort = { true, work->key_type, work->not_after - work->not_before };

        if (known->verified && known->key_type == sort.key_type && known->lifetime == sort.lifetime)
            continue;
        if (!verify(batch, &work->cert, err))
            return false;
        *known = sort;
    }
    return true;
}

static bool record(struct batch *batch, size_t len, struct ps_err *err)
{
    for (size_t i = 0; i < len; i++) {
        const struct press_work *work = press_at(batch->press, i);
        const struct cert_filled *cert = &work->cert;

        batch->rows[i] = (struct store_cert){
            .serial_hex = cert->serial_hex, .issuer = cert_info(batch->issuer->cert)->subject,
            .subject = cert->subject, .kind = "client", .fingerprint = cert->fingerprint,
            .not_before = cert->not_before, .not_after = cert->not_after, .der = cert->der.p,
            .der_len = cert->der.len, .common_name = work->common_name, .shard = (int)work->shard,
        };
    }
    return store_put_certs(batch->ca->store, batch->rows, len, err);
}

static bool hand_out(struct batch *batch, size_t len, struct ps_err *err)
{
    for (size_t i = 0; i < len; i++) {
        struct press_work *work = press_at(batch->press, i);

        if (!batch->io->drop_keys)
            buf_put(&work->cert_pem, batch->chain_pem.p, batch->chain_pem.len);
        if (work->cert.not_after < work->not_after && !batch->cut)
            ca_say_cut(work->cert.not_after);
        batch->cut |= work->cert.not_after < work->not_after;
        batch->leaves[i] = (struct ca_batch_leaf){
            .role = work->common_name, .chain_pem = work->cert_pem.p,
            .chain_len = work->cert_pem.len, .key_pem = &work->key_pem,
        };
    }
    return batch->io->out(batch->io->arg, batch->leaves, len, err);
}

/* Work goes on in the press while a group is committed. */
static bool finish_groups(struct batch *batch, struct ps_err *err)
{
    struct ps_err refused = { 0 };
    bool good = true;
    size_t ready;

    do {
        feed(batch, &good, &refused);
        if (!press_wait(batch->press, CA_BATCH_GROUP, CA_BATCH_WAIT_MS, &ready, err))
            return false;
        if (ready > CA_BATCH_GROUP)
            ready = CA_BATCH_GROUP;
        if (ready > 0 && (!verify_new_sorts(batch, ready, err) || !record(batch, ready, err)
                          || !hand_out(batch, ready, err)))
            return false;
        press_drop(batch->press, ready);
    } while (ready > 0);
    if (!good)
        *err = refused;
    return good;
}

bool ca_issue_batch(struct ca *ca, const struct ca_batch_io *io, struct ps_err *err)
{
    /* a sample: each wish has its own lifetime, and is measured by that against the issuer's end */
    const struct ca_leaf_spec any = { .use = CERT_USE_CLIENT, .common_name = "role", .days = 1 };
    PS_AUTO(batch_freep) struct batch *batch = ps_calloc(1, sizeof(*batch));
    struct authority *issuer = NULL;
    struct cert_spec what;

    if (!ca_signer(ca, CA_CLIENT, &issuer, err) || !ca_plan_leaf(ca, issuer, &any, &what, err))
        return false;
    *batch = (struct batch){
        .ca = ca, .issuer = issuer, .io = io, .chain_pem = BUF(FILE_CONF_MAX),
        .sorts = ps_calloc(ca->conf.crl_shards, sizeof(struct sort)),
    };

    const struct press_spec work = {
        .what = &what, .issuer = issuer->cert, .issuer_key = issuer->key,
        .crl_url = ca->conf.crl_shards > 1 ? ca->conf.crl_url : NULL,
        .shards = ca->conf.crl_shards, .drop_keys = io->drop_keys,
        /* a session with a token is not for two threads */
        .threads = issuer->row->key_kind == CA_KEY_URI ? 1 : io->threads,
    };
    return press_new(&work, &batch->press, err) && finish_groups(batch, err);
}
