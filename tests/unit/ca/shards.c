/* The promises of ca/shard.h, and that both sides find the partition of each certificate. */
#include "place.h"

#include "ca/shard.h"

static void a_serial_has_one_partition_and_order_is_kept(void **state)
{
    static const struct { const char *serial; unsigned shards, want; } rows[] = {
        { "40000000000000000000000000000000", 64, 0 },
        { "7fffffffffffffffffffffffffffffff", 64, 63 },
        { "60000000000000000000000000000000", 64, 32 },
        { "5FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 64, 31 },
        { "7fffffffffffffffffffffffffffffff", 3, 2 },
        { "7fffffffffffffffffffffffffffffff", 1, 0 },
        { "01", 64, 0 }, { "", 64, 0 },                         /* foreign: in some partition */
        { "010203047fffffffffffffffffffffffffffffff", 64, 63 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        assert_int_equal(shard_of(rows[i].serial, rows[i].shards), rows[i].want);
    unsigned before = 0;
    for (unsigned byte = 0x40; byte <= 0x7f; byte++) {
        char serial[33];

        snprintf(serial, sizeof(serial), "%02x%030d", byte, 0);
        assert_true(shard_of(serial, 10) >= before);
        before = shard_of(serial, 10);
    }
    assert_int_equal(before, 9);
}

static void all_partitions_are_given_out_and_a_revoked_one_is_found_in_its_own(void **state)
{
    enum { SHARDS = 8, LEAVES = 24 };
    struct place *place = *state;
    struct ca_spec spec = plain;
    PS_AUTO(cert_list_free) struct cert_list revoked = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    struct ps_err err = { 0 };

    spec.crl_shards = SHARDS;
    check(ca_create(place->dir, &spec, &place->ca, &err), &err);
    assert_int_equal(ca_crl_shards(place->ca), SHARDS);
    for (int i = 0; i < LEAVES; i++) {
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");

        check(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
        check(ca_revoke(place->ca, leaf.chain.at[0], 1, &err), &err);
        cert_list_add(&revoked, leaf.chain.at[0]);
    }
    check(ca_refresh_crls(place->ca, false, &err), &err);
    check(ca_crl_pem(place->ca, CERT_USE_SERVER, &pem, &err), &err);
    check(crl_list_from_pem(pem.p, pem.len, "crls", &crls, &err), &err);
    assert_int_equal(crls.len, 1 + SHARDS);
    for (int i = 0; i < LEAVES; i++) {
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
        unsigned shard = shard_of(cert_info(revoked.at[i])->serial_hex, SHARDS);

        cert_list_add(&chain, revoked.at[i]);
        assert_true(crl_has_serial(crls.at[1 + shard], cert_info(revoked.at[i])->serial_hex));
        assert_false(accepted(place->ca, &chain, CERT_USE_CLIENT, &err));
        assert_non_null(strstr(err.message, "revoked"));
    }
}

static void a_set_without_one_partition_is_not_given_out(void **state)
{
    struct place *place = *state;
    struct ca_spec spec = plain;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "client-ca.crl");
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    PS_AUTO(buf_free) struct buf out = BUF(1 << 20);
    static const char end[] = "-----END X509 CRL-----\n";
    struct ps_err err = { 0 };

    spec.crl_shards = 2;
    check(ca_create(place->dir, &spec, &place->ca, &err), &err);
    check(file_read(path, 1 << 20, &pem, &err), &err);
    const char *first_ends = strstr(pem.p, end) + strlen(end);
    check(file_write(path, pem.p, (size_t)(first_ends - pem.p), 0644, &err), &err);
    assert_false(ca_crl_pem(place->ca, CERT_USE_SERVER, &out, &err));
    assert_int_equal(err.code, PS_E_CERT);

    check(ca_refresh_crls(place->ca, false, &err), &err);       /* and this heals it */
    check(ca_crl_pem(place->ca, CERT_USE_SERVER, &out, &err), &err);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_has_one_partition_and_order_is_kept),
        IN_PLACE(all_partitions_are_given_out_and_a_revoked_one_is_found_in_its_own),
        IN_PLACE(a_set_without_one_partition_is_not_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
