/* Names are data: exact or refused. And what a CA refuses before it signs anything. */
#include "place.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"
#include "tls/name.h"

static void odd_roles_are_exact(void **state)
{
    static const char *const roles[] = {
        "$(reboot)", "`id`", "a;b|c&d>e<f", "'; DROP ROLE x; --", "*", "*.example.net", "a\nb",
        "a\tb\r", "\xe2\x80\xaeroot", "../../etc", "%s%n", ("a\x01" "b"), "\\", "~", " ",
    };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(roles); i++) {
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, roles[i]);

        assert_string_equal(cert_info(leaf.chain.at[0])->common_name, roles[i]);
    }
}

static void odd_hosts_are_exact_or_refused(void **state)
{
    static const struct { const char *host; bool good; } rows[] = {
        { "db1.example.net", true }, { "*.example.net", true }, { "DB_1", true },
        { "10.0.0.1", true }, { "fd00::1", true },
        { "", false }, { "*", false }, { "*.", false }, { "a.*.net", false }, { "a..b", false },
        { "$(id)", false }, { "a\nb", false }, { "a b", false }, { "\xe2\x80\xaex", false },
        { "ñ.es", false }, { "db1:5432", false }, { "[::1]", false }, { "fe80::1%eth0", false },
        { "a/b", false },
    };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *const hosts[] = { rows[i].host, NULL };
        const struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
        struct ps_err err = { 0 };
        bool issued = ca_issue(place->ca, &spec, &leaf, &err);

        if (issued != rows[i].good)
            fail_msg("\"%s\": %s", rows[i].host, err.message);
        assert_true(issued || err.code == PS_E_VALUE);
        if (issued && rows[i].host[0] != '*')
            assert_true(cert_speaks_for(leaf.chain.at[0], rows[i].host));
    }
}

static void ten_thousand_characters_are_refused_everywhere(void **state)
{
    enum { MANY = 10000 };
    struct place *place = *state;
    PS_AUTO(ps_freep) char *big = ps_malloc(MANY + 1);
    const char *const hosts[] = { big, NULL };
    const char *const good[] = { "db1.example.net", NULL };
    const struct cert_dn dn = { .o = big };

    memset(big, 'a', MANY);
    big[MANY] = '\0';
    const struct ca_leaf_spec rows[] = {
        { .use = CERT_USE_CLIENT, .common_name = big },
        { .use = CERT_USE_SERVER, .hosts = hosts },
        { .use = CERT_USE_SERVER, .hosts = good, .common_name = big },
        { .use = CERT_USE_CLIENT, .common_name = "app", .dn = &dn },
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct ca_leaf leaf = { 0 };
        struct ps_err err = { 0 };

        assert_false(ca_issue(place->ca, &rows[i], &leaf, &err));
        assert_int_equal(err.code, PS_E_VALUE);
    }
}

static void a_client_may_have_a_dn_of_its_own(void **state)
{
    static const struct cert_dn dn = { .c = "PT", .o = "Banco, S.A.", .ou = "Pagos" };
    struct place *place = *state;
    const struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app", .dn = &dn };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &leaf, &err), &err);
    assert_string_equal(cert_info(leaf.chain.at[0])->subject,
                        "CN=app,OU=Pagos,O=Banco\\, S.A.,C=PT");
}

static void names_outside_the_constraints_are_not_issued(void **state)
{
    static const char *const dns[] = { "example.net", NULL };
    static const char *const ip[] = { "10.0.0.0/8", "fd00::/8", NULL };
    static const struct { const char *host; bool good; } rows[] = {
        { "db1.example.net", true }, { "example.net", true }, { "db1.example.org", false },
        { "10.1.2.3", true }, { "11.1.2.3", false }, { "fd00::1", true }, { "::1", false },
    };
    struct place *place = *state;
    struct ca_spec made = plain;
    struct ps_err err = { 0 };

    made.permit_dns = dns;
    made.permit_ip = ip;
    check(ca_create(place->dir, &made, &place->ca, &err), &err);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *const hosts[] = { rows[i].host, NULL };
        const struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

        if (ca_issue(place->ca, &spec, &leaf, &err) != rows[i].good)
            fail_msg("\"%s\": %s | %s", rows[i].host, err.message, err.detail);
    }
    PS_AUTO(ca_leaf_free) struct ca_leaf role = issue_client(place->ca, "app.prod");
    check(accepted(place->ca, &role.chain, CERT_USE_CLIENT, &err), &err);
}

static void constraints_that_are_none_make_no_ca(void **state)
{
    static const char *const rows[] = { "", "a b", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "a..b",
                                        "fd00::/129" };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *const list[] = { rows[i], NULL };
        struct ca_spec spec = plain;
        struct ps_err err = { 0 };

        spec.permit_ip = list;
        assert_false(ca_create(place->dir, &spec, &place->ca, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_false(file_exists(place->dir));
    }
}

static void lifetimes_are_those_of_the_ca_and_end_with_the_issuer(void **state)
{
    struct place *place = *state;
    struct ca_spec made = plain;
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ps_err err = { 0 };

    made.days = (struct ca_days){ .intermediate = 40, .client = 30, .server = 90 };
    check(ca_create(place->dir, &made, &place->ca, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf usual = { 0 };
    check(ca_issue(place->ca, &spec, &usual, &err), &err);
    assert_false(usual.cut);
    assert_in_range(clock_days_until(cert_info(usual.chain.at[0])->not_after), 29, 30);
    spec.days = 41;
    PS_AUTO(ca_leaf_free) struct ca_leaf cut = { 0 };
    check(ca_issue(place->ca, &spec, &cut, &err), &err);
    assert_true(cut.cut);
    assert_int_equal(cert_info(cut.chain.at[0])->not_after,
                     cert_info(ca_intermediate(place->ca, CERT_USE_CLIENT))->not_after);

    made.days.crl = -1;
    PS_AUTO(ps_freep) char *dir = path_join(place->top, "second");
    struct ca *none = NULL;
    assert_false(ca_create(dir, &made, &none, &err));
    assert_int_equal(err.code, PS_E_VALUE);
}

/* The intermediate's certificate of another time, by the same root and key. */
static void redate(struct place *place, time_t from, time_t until)
{
    PS_AUTO(ps_freep) char *root_path = path_join(place->dir, "root.key");
    PS_AUTO(ps_freep) char *key_path = path_join(place->dir, "client-ca.key");
    const struct cert_info *info = cert_info(ca_intermediate(place->ca, CERT_USE_CLIENT));
    const struct cert_spec spec = { .subject = info->dn, .is_ca = true, .uses = CERT_USE_CLIENT,
                                    .not_before = from, .not_after = until };
    PS_AUTO(secret_free) struct secret root_pem = { 0 };
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *root_key = NULL;
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    PS_AUTO(buf_free) struct buf out = BUF(1 << 20);
    struct ps_err err = { 0 };

    check(secret_read_file(root_path, &root_pem, &err) && secret_read_file(key_path, &pem, &err)
          && key_from_pem(root_pem.p, root_pem.len, "r", NULL, &root_key, &err)
          && key_from_pem(pem.p, pem.len, "k", NULL, &key, &err)
          && cert_make(&spec, key, ca_root(place->ca), root_key, &cert, &err)
          && cert_to_der(cert, &out, &err), &err);
    const struct store_authority row = {
        .name = "client-ca", .state = STORE_ACTIVE, .parent = "root", .key = "file",
        .subject = info->subject, .der = out.p, .der_len = out.len,
    };
    check(store_put_authority(ca_store(place->ca), &row, &err), &err);
    ca_freep(&place->ca);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
}

static void nothing_is_signed_at_a_wrong_time(void **state)
{
    enum { HOUR = 3600 };
    static const struct { long from, until; const char *says; } rows[] = {
        { HOUR, 2 * HOUR, "clock" }, { -2 * HOUR, -HOUR, "expired" },
    };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
        struct ca_leaf none = { 0 };
        struct ps_err err = { 0 };
        time_t now = clock_now();

        redate(place, now + rows[i].from, now + rows[i].until);
        assert_false(ca_issue(place->ca, &spec, &none, &err));
        assert_int_equal(err.code, PS_E_UNSAFE);
        assert_non_null(strstr(err.message, rows[i].says));
    }
}

static void a_key_that_does_not_fit_signs_nothing(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *from = path_join(place->dir, "server-ca.key");
    PS_AUTO(ps_freep) char *to = path_join(place->dir, "client-ca.key");
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca_leaf none = { 0 };
    struct ps_err err = { 0 };

    ca_freep(&place->ca);
    assert_int_equal(rename(from, to), 0);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    assert_false(ca_issue(place->ca, &spec, &none, &err));
    assert_int_equal(err.code, PS_E_CERT);
}

static void every_type_of_key_makes_a_ca_that_is_accepted(void **state)
{
    static const enum key_type types[] = { KEY_ED25519, KEY_EC_P384, KEY_RSA_2048, KEY_RSA_3072 };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(types); i++) {
        PS_AUTO(ps_freep) char *dir = ps_asprintf("%s-%zu", place->dir, i);
        struct ca_spec made = { .key_type = types[i] };
        struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app",
                                     .key_type = types[i] };
        PS_AUTO(ca_freep) struct ca *ca = NULL;
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
        struct ps_err err = { 0 };

        check(ca_create(dir, &made, &ca, &err) && ca_issue(ca, &spec, &leaf, &err), &err);
        check(accepted(ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
        /* whose signature has a digest, for SCRAM's channel binding */
        assert_string_not_equal(cert_info(ca_intermediate(ca, CERT_USE_SERVER))->key_text, "ED25519");
    }
}

static void the_keys_of_intermediates_may_be_encrypted_behind_a_command(void **state)
{
    struct place *place = *state;
    struct ca_spec made = plain;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    struct ps_err err = { 0 };

    secret_set(&pass, "correct horse", 13);
    made.pass = &pass;
    made.pass_command = "echo correct horse";
    check(ca_create(place->dir, &made, &place->ca, &err), &err);
    ca_freep(&place->ca);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    check(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        IN_CA(odd_roles_are_exact),
        IN_CA(odd_hosts_are_exact_or_refused),
        IN_CA(ten_thousand_characters_are_refused_everywhere),
        IN_CA(a_client_may_have_a_dn_of_its_own),
        IN_PLACE(names_outside_the_constraints_are_not_issued),
        IN_PLACE(constraints_that_are_none_make_no_ca),
        IN_PLACE(lifetimes_are_those_of_the_ca_and_end_with_the_issuer),
        IN_CA(nothing_is_signed_at_a_wrong_time),
        IN_CA(a_key_that_does_not_fit_signs_nothing),
        IN_PLACE(every_type_of_key_makes_a_ca_that_is_accepted),
        IN_PLACE(the_keys_of_intermediates_may_be_encrypted_behind_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
