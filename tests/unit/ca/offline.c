/* A root on another machine: requests go there, certificates and CRLs come back. */
#include "place.h"

#include "base/clock.h"

static const struct ca_spec root_spec = { .key_type = KEY_EC_P384, .shape = CA_SHAPE_ROOT,
                                          .dn = { .o = "Root" } };

/* Two CAs in one place: the root alone, and the one that waits for it. */
struct both {
    struct place *place;
    struct ca *root;
};

static void both_free(struct both *both)
{
    ca_freep(&both->root);
}

static struct both make_both(struct place *place)
{
    PS_AUTO(ps_freep) char *dir = path_join(place->top, "root");
    struct both both = { .place = place };
    struct ca_spec spec = plain;
    struct ps_err err = { 0 };

    spec.shape = CA_SHAPE_OFFLINE_ROOT;
    check(ca_create(dir, &root_spec, &both.root, &err), &err);
    check(ca_create(place->dir, &spec, &place->ca, &err), &err);
    return both;
}

static void put_pem(const struct cert_list *list, struct buf *out)
{
    struct ps_err err = { 0 };

    for (size_t i = 0; i < list->len; i++)
        check(cert_to_pem(list->at[i], out, &err), &err);
}

static void sign(struct both *both, const char *name, enum ca_who who, struct buf *out)
{
    PS_AUTO(buf_free) struct buf request = BUF(1 << 20);
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct ps_err err = { 0 };

    check(ca_request_out(both->place->ca, name, &request, &err), &err);
    check(ca_sign_request(both->root, who, request.p, request.len, name, &chain, &err), &err);
    put_pem(&chain, out);
}

static bool bring(struct both *both, const struct buf *pem, struct ps_err *err)
{
    return ca_certificate_in(both->place->ca, pem->p, pem->len, "back.pem", err);
}

static bool bring_crl(struct both *both, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf crl = BUF(1 << 20);
    struct ps_err own = { 0 };

    check(ca_crl_pem(both->root, CERT_USE_SERVER, &crl, &own), &own);
    return ca_crl_in(both->place->ca, crl.p, crl.len, "root.crl", err);
}

static void bring_all(struct both *both)
{
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    struct ps_err err = { 0 };

    sign(both, "server-ca", CA_SERVER, &pem);
    sign(both, "client-ca", CA_CLIENT, &pem);
    check(bring(both, &pem, &err), &err);
    check(bring_crl(both, &err), &err);
}

static void requests_certificates_and_a_crl_make_a_whole_ca(void **state)
{
    struct place *place = *state;
    PS_AUTO(both_free) struct both both = make_both(place);
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca_leaf none = { 0 };
    struct ps_err err = { 0 };

    assert_true(ca_exists(place->dir));
    assert_null(ca_root(place->ca));
    assert_false(ca_issue(place->ca, &spec, &none, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_non_null(strstr(err.hint, "client-ca.csr"));

    bring_all(&both);
    ca_freep(&place->ca);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    assert_int_equal(cert_info(ca_intermediate(place->ca, CERT_USE_SERVER))->path_len, 0);
    assert_int_equal(cert_info(ca_intermediate(place->ca, CERT_USE_SERVER))->uses, CERT_USE_SERVER);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    check(ca_refresh_crls(place->ca, true, &err), &err);
    check(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf proof = { 0 };
    check(ca_revoked_proof(place->ca, &proof, &err), &err);
    assert_false(accepted(place->ca, &proof.chain, CERT_USE_CLIENT, &err));
}

static void they_may_come_one_by_one(void **state)
{
    PS_AUTO(both_free) struct both both = make_both(*state);
    PS_AUTO(buf_free) struct buf server = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf client = BUF(1 << 20);
    struct ps_err err = { 0 };

    sign(&both, "server-ca", CA_SERVER, &server);
    sign(&both, "client-ca", CA_CLIENT, &client);
    check(bring(&both, &server, &err), &err);
    assert_null(ca_intermediate(both.place->ca, CERT_USE_CLIENT));
    check(bring(&both, &client, &err), &err);
    assert_int_equal(ca_authorities_len(both.place->ca), 3);
    assert_false(bring(&both, &client, &err));          /* nothing waits for it any more */
    assert_int_equal(err.code, PS_E_CERT);
}

/* What somebody who signs by hand may get wrong. */
static void what_comes_back_wrong_is_refused_and_nothing_is_kept(void **state)
{
    enum { DAY = 24 * 3600 };
    static const struct { const char *what; int root_path, path; unsigned uses; bool no_root, is_leaf;
                          long from_days, until_days; } rows[] = {
        { "uses of both", -1, 0, CERT_USE_SERVER | CERT_USE_CLIENT, false, false, -1, 9 },
        { "any use", -1, 0, CERT_USE_ANY, false, false, -1, 9 },
        { "the other use", -1, 0, CERT_USE_CLIENT, false, false, -1, 9 },
        { "no CA", -1, 0, CERT_USE_SERVER, false, true, -1, 9 },
        { "no root", -1, 0, CERT_USE_SERVER, true, false, -1, 9 },
        { "no room under the root", 0, 0, CERT_USE_SERVER, false, false, -1, 9 },
        { "expired", -1, 0, CERT_USE_SERVER, false, false, -9, -1 },
        { "not yet", -1, 0, CERT_USE_SERVER, false, false, 1, 9 },
    };
    PS_AUTO(both_free) struct both both = make_both(*state);
    PS_AUTO(ps_freep) char *path = path_join(both.place->dir, "server-ca.key");
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err = { 0 };

    check(secret_read_file(path, &pem, &err)
          && key_from_pem(pem.p, pem.len, path, NULL, &key, &err), &err);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        time_t now = clock_now();
        const struct cert_spec root_wants = {
            .subject = { .cn = "by hand" }, .is_ca = true, .path_len = rows[i].root_path,
            .not_before = now - 20 * DAY, .not_after = now + 20 * DAY };
        const struct cert_spec wants = {
            .subject = { .cn = "servers" }, .is_ca = !rows[i].is_leaf, .path_len = rows[i].path,
            .uses = rows[i].uses, .not_before = now + rows[i].from_days * DAY,
            .not_after = now + rows[i].until_days * DAY };
        PS_AUTO(key_freep) struct key *root_key = NULL;
        PS_AUTO(cert_freep) struct cert *root = NULL;
        PS_AUTO(cert_freep) struct cert *cert = NULL;
        PS_AUTO(buf_free) struct buf back = BUF(1 << 20);

        check(key_generate(KEY_EC_P256, &root_key, &err)
              && cert_make(&root_wants, root_key, NULL, root_key, &root, &err)
              && cert_make(&wants, key, root, root_key, &cert, &err)
              && cert_to_pem(cert, &back, &err)
              && (rows[i].no_root || cert_to_pem(root, &back, &err)), &err);
        if (bring(&both, &back, &err))
            fail_msg("taken: %s", rows[i].what);
        assert_int_equal(err.code, PS_E_CERT);
        assert_int_equal(ca_authorities_len(both.place->ca), 2);
        assert_null(ca_root(both.place->ca));
    }
}

static void a_certificate_of_another_key_is_refused(void **state)
{
    PS_AUTO(both_free) struct both both = make_both(*state);
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    struct ps_err err = { 0 };

    check(ca_trust_pem(both.root, CERT_USE_CLIENT, &pem, &err), &err);
    assert_false(bring(&both, &pem, &err));
    assert_int_equal(err.code, PS_E_CERT);
}

static void a_crl_that_would_harm_is_refused(void **state)
{
    struct place *place = *state;
    PS_AUTO(both_free) struct both both = make_both(place);
    PS_AUTO(buf_free) struct buf old = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf foreign = BUF(1 << 20);
    PS_AUTO(ps_freep) char *dir = path_join(place->top, "other");
    PS_AUTO(ca_freep) struct ca *other = NULL;
    struct ps_err err = { 0 };

    bring_all(&both);
    check(ca_crl_pem(both.root, CERT_USE_SERVER, &old, &err), &err);
    check(ca_refresh_crls(both.root, true, &err), &err);
    check(bring_crl(&both, &err), &err);
    assert_false(ca_crl_in(place->ca, old.p, old.len, "old.crl", &err));        /* going back */
    assert_int_equal(err.code, PS_E_CERT);
    assert_non_null(strstr(err.message, "older"));

    check(ca_create(dir, &root_spec, &other, &err), &err);
    check(ca_crl_pem(other, CERT_USE_SERVER, &foreign, &err), &err);
    assert_false(ca_crl_in(place->ca, foreign.p, foreign.len, "foreign.crl", &err));
    assert_int_equal(err.code, PS_E_CERT);
}

static void what_the_root_revokes_signs_no_more(void **state)
{
    struct place *place = *state;
    PS_AUTO(both_free) struct both both = make_both(place);
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca_authority found;
    struct ca_leaf none = { 0 };
    struct ps_err err = { 0 };

    bring_all(&both);
    check(ca_revoke(both.root, ca_intermediate(place->ca, CERT_USE_CLIENT), 2, &err), &err);
    check(ca_refresh_crls(both.root, false, &err), &err);
    check(bring_crl(&both, &err), &err);
    check(ca_authority_find(place->ca, "client-ca", &found, &err), &err);
    assert_true(found.revoked);
    assert_false(ca_issue(place->ca, &spec, &none, &err));
    check(ca_refresh_crls(place->ca, false, &err), &err);
}

static void an_intermediate_is_replaced_through_a_request(void **state)
{
    struct place *place = *state;
    PS_AUTO(both_free) struct both both = make_both(place);
    const struct ca_rollover_spec spec = { .who = CA_SERVER };
    const struct ca_rollover_spec root = { .who = CA_ROOT };
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    PS_AUTO(ps_freep) char *name = NULL;
    struct ps_err err = { 0 };
    char *none = NULL;

    bring_all(&both);
    assert_false(ca_rollover(place->ca, &root, &none, &err));
    assert_int_equal(err.code, PS_E_UNSUPPORTED);
    check(ca_rollover(place->ca, &spec, &name, &err), &err);
    assert_string_equal(name, "server-ca-2");
    sign(&both, name, CA_SERVER, &pem);
    check(bring(&both, &pem, &err), &err);
    check(ca_activate(place->ca, name, &err), &err);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        IN_PLACE(requests_certificates_and_a_crl_make_a_whole_ca),
        IN_PLACE(they_may_come_one_by_one),
        IN_PLACE(what_comes_back_wrong_is_refused_and_nothing_is_kept),
        IN_PLACE(a_certificate_of_another_key_is_refused),
        IN_PLACE(a_crl_that_would_harm_is_refused),
        IN_PLACE(what_the_root_revokes_signs_no_more),
        IN_PLACE(an_intermediate_is_replaced_through_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
