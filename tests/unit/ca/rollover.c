/* An authority is replaced without a moment in which somebody is refused. */
#include "place.h"

#include <unistd.h>

#include "base/clock.h"

static enum ca_state state_of(const struct ca *ca, const char *name)
{
    struct ca_authority found;
    struct ps_err err = { 0 };

    check(ca_authority_find(ca, name, &found, &err), &err);
    return found.state;
}

static char *roll(struct ca *ca, enum ca_who who, bool at_once)
{
    const struct ca_rollover_spec spec = { .who = who, .at_once = at_once };
    struct ps_err err = { 0 };
    char *name = NULL;

    check(ca_rollover(ca, &spec, &name, &err), &err);
    return name;
}

static struct ca_leaf issue_server(struct ca *ca)
{
    static const char *const hosts[] = { "db1.example.net", NULL };
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(ca, &spec, &leaf, &err), &err);
    return leaf;
}

/* With what a side was given at one time, at a later one. */
struct given {
    struct cert_list anchors;
    struct crl_list crls;
};

static struct given give(struct ca *ca, enum cert_use side)
{
    PS_AUTO(buf_free) struct buf trust = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf lists = BUF(1 << 20);
    struct given given = { 0 };
    struct ps_err err = { 0 };

    check(ca_trust_pem(ca, side, &trust, &err) && ca_crl_pem(ca, side, &lists, &err)
          && cert_list_from_pem(trust.p, trust.len, "trust", &given.anchors, &err)
          && crl_list_from_pem(lists.p, lists.len, "crls", &given.crls, &err), &err);
    return given;
}

static void given_free(struct given *given)
{
    cert_list_free(&given->anchors);
    crl_list_free(&given->crls);
}

static void an_intermediate_is_known_everywhere_before_it_signs(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf old = issue_client(place->ca, "app");
    PS_AUTO(ps_freep) char *name = roll(place->ca, CA_CLIENT, false);
    struct ps_err err = { 0 };

    assert_string_equal(name, "client-ca-2");
    assert_int_equal(state_of(place->ca, name), CA_NEXT);
    PS_AUTO(ca_leaf_free) struct ca_leaf still = issue_client(place->ca, "app");
    assert_true(cert_same(still.chain.at[1], old.chain.at[1]));

    PS_AUTO(given_free) struct given servers = give(place->ca, CERT_USE_SERVER);
    check(ca_activate(place->ca, name, &err), &err);
    assert_int_equal(state_of(place->ca, "client-ca"), CA_OLD);
    PS_AUTO(ca_leaf_free) struct ca_leaf new = issue_client(place->ca, "app");
    assert_false(cert_same(new.chain.at[1], old.chain.at[1]));
    check(verify_chain(&new.chain, &servers.anchors, &servers.crls, CERT_USE_CLIENT, 0, &err), &err);
    check(verify_chain(&old.chain, &servers.anchors, &servers.crls, CERT_USE_CLIENT, 0, &err), &err);

    PS_AUTO(ca_leaf_free) struct ca_leaf proof = { 0 };
    check(ca_revoked_proof(place->ca, &proof, &err), &err);
    assert_false(accepted(place->ca, &proof.chain, CERT_USE_CLIENT, &err));
    assert_non_null(strstr(err.message, "revoked"));
}

static void an_old_one_still_revokes(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf old = issue_client(place->ca, "app");
    struct ps_err err = { 0 };

    free(roll(place->ca, CA_CLIENT, true));
    check(accepted(place->ca, &old.chain, CERT_USE_CLIENT, &err), &err);
    check(ca_revoke(place->ca, old.chain.at[0], 1, &err), &err);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_false(accepted(place->ca, &old.chain, CERT_USE_CLIENT, &err));
    assert_non_null(strstr(err.message, "revoked"));
}

static void a_root_is_replaced_while_peers_know_one_or_both(void **state)
{
    struct place *place = *state;
    PS_AUTO(given_free) struct given clients_before = give(place->ca, CERT_USE_CLIENT);
    PS_AUTO(ca_leaf_free) struct ca_leaf old = issue_server(place->ca);
    PS_AUTO(ps_freep) char *root = roll(place->ca, CA_ROOT, true);
    PS_AUTO(ps_freep) char *server = roll(place->ca, CA_SERVER, true);
    PS_AUTO(ca_leaf_free) struct ca_leaf new = issue_server(place->ca);
    struct ps_err err = { 0 };

    assert_string_equal(root, "root-2");
    assert_string_equal(server, "server-ca-2");
    check(accepted(place->ca, &old.chain, CERT_USE_SERVER, &err), &err);
    check(accepted(place->ca, &new.chain, CERT_USE_SERVER, &err), &err);

    /* who has only the old root is led on by the cross certificate that comes with the chain */
    assert_int_equal(new.chain.len, 3);
    check(verify_chain(&new.chain, &clients_before.anchors, NULL, CERT_USE_SERVER, 0, &err), &err);

    /* and who has only the new one, by the other */
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "root-by-root-2.crt");
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    check(file_read(path, 1 << 20, &pem, &err)
          && cert_list_from_pem(pem.p, pem.len, path, &old.chain, &err), &err);
    cert_list_add(&anchors, (struct cert *)ca_root(place->ca));
    check(verify_chain(&old.chain, &anchors, NULL, CERT_USE_SERVER, 0, &err), &err);
}

static void one_at_a_time_and_in_order(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *name = roll(place->ca, CA_SERVER, false);
    const struct ca_rollover_spec again = { .who = CA_SERVER };
    struct ps_err err = { 0 };
    char *none = NULL;

    assert_false(ca_rollover(place->ca, &again, &none, &err));
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_false(ca_activate(place->ca, "server-ca", &err));
    assert_int_equal(err.code, PS_E_VALUE);
    assert_false(ca_activate(place->ca, "server-ca-9", &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(ca_retire(place->ca, "server-ca", &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    check(ca_retire(place->ca, name, &err), &err);      /* one that never signed may go */
    assert_int_equal(state_of(place->ca, name), CA_RETIRED);
}

static void an_old_root_goes_when_nothing_hangs_on_it(void **state)
{
    struct place *place = *state;
    struct ps_err err = { 0 };
    int64_t count = 0;

    free(roll(place->ca, CA_ROOT, true));
    check(ca_dependents(place->ca, "root", &count, &err), &err);
    assert_int_equal(count, 2);
    assert_false(ca_retire(place->ca, "root", &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    check(ca_revoke_authority(place->ca, "server-ca", 4, &err), &err);
    check(ca_revoke_authority(place->ca, "client-ca", 4, &err), &err);
    free(roll(place->ca, CA_SERVER, true));
    free(roll(place->ca, CA_CLIENT, true));
    check(ca_retire(place->ca, "root", &err), &err);

    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    assert_int_equal(leaf.chain.len, 2);        /* no cross certificate any more */
    check(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
}

static void a_revoked_intermediate_takes_its_leaves_along(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca_leaf none = { 0 };
    struct ps_err err = { 0 };

    check(ca_revoke_authority(place->ca, "client-ca", 2, &err), &err);
    assert_false(ca_issue(place->ca, &spec, &none, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    free(roll(place->ca, CA_CLIENT, true));
    assert_false(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err));
    PS_AUTO(ca_leaf_free) struct ca_leaf new = issue_client(place->ca, "app");
    check(accepted(place->ca, &new.chain, CERT_USE_CLIENT, &err), &err);
    assert_false(ca_revoke_authority(place->ca, "root", 2, &err));
    assert_int_equal(err.code, PS_E_VALUE);
}

static void an_old_one_goes_when_its_leaves_are_gone(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf one = issue_client(place->ca, "app");
    PS_AUTO(ca_leaf_free) struct ca_leaf other = issue_client(place->ca, "app");
    PS_AUTO(ca_leaf_free) struct ca_leaf apple = issue_client(place->ca, "apple");
    struct ps_err err = { 0 };
    int64_t depend = 0;
    size_t count = 0;

    free(roll(place->ca, CA_CLIENT, true));
    check(ca_dependents(place->ca, "client-ca", &depend, &err), &err);
    assert_int_equal(depend, 3);
    assert_false(ca_retire(place->ca, "client-ca", &err));
    assert_int_equal(err.code, PS_E_UNSAFE);
    check(ca_revoke_role(place->ca, "app", 4, &count, &err), &err);
    assert_int_equal(count, 2);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_false(accepted(place->ca, &one.chain, CERT_USE_CLIENT, &err));
    assert_false(accepted(place->ca, &other.chain, CERT_USE_CLIENT, &err));
    check(accepted(place->ca, &apple.chain, CERT_USE_CLIENT, &err), &err);
    check(ca_revoke_role(place->ca, "apple", 4, &count, &err), &err);
    check(ca_retire(place->ca, "client-ca", &err), &err);
    assert_int_equal(state_of(place->ca, "client-ca"), CA_RETIRED);
    assert_false(ca_revoke_role(place->ca, "nobody", 4, &count, &err) && count > 0);
}

static void a_second_process_sees_it(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_freep) struct ca *other = NULL;
    struct ps_err err = { 0 };

    check(ca_open(place->dir, NULL, NULL, &other, &err), &err);
    PS_AUTO(ps_freep) char *name = roll(place->ca, CA_SERVER, true);
    check(ca_refresh_crls(other, false, &err), &err);
    assert_int_equal(state_of(other, name), CA_ACTIVE);
    ca_freep(&other);
    check(ca_open(place->dir, NULL, NULL, &other, &err), &err);
    assert_true(cert_same(ca_intermediate(other, CERT_USE_SERVER),
                          ca_intermediate(place->ca, CERT_USE_SERVER)));
}

static void a_folder_of_before_ca_conf_goes_on(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *conf = path_join(place->dir, "ca.conf");
    struct ps_err err = { 0 };

    ca_freep(&place->ca);
    assert_int_equal(unlink(conf), 0);
    assert_true(ca_exists(place->dir));
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf old = issue_client(place->ca, "app");
    free(roll(place->ca, CA_CLIENT, true));
    assert_true(file_exists(conf));
    check(accepted(place->ca, &old.chain, CERT_USE_CLIENT, &err), &err);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        IN_CA(an_intermediate_is_known_everywhere_before_it_signs),
        IN_CA(an_old_one_still_revokes),
        IN_CA(a_root_is_replaced_while_peers_know_one_or_both),
        IN_CA(one_at_a_time_and_in_order),
        IN_CA(an_old_root_goes_when_nothing_hangs_on_it),
        IN_CA(a_revoked_intermediate_takes_its_leaves_along),
        IN_CA(an_old_one_goes_when_its_leaves_are_gone),
        IN_CA(a_second_process_sees_it),
        IN_CA(a_folder_of_before_ca_conf_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
