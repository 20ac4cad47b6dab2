/* The promises of tls/crl.h, tls/verify.h and tls/ctx.h, over one small hierarchy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "tls/ctx.h"
#include "tls/verify.h"

enum { DAY = 24 * 60 * 60 };
static const time_t T0 = 1760000000;        /* every question is asked at T0 or a named day after */

enum who { ROOT, SERVER_CA, CLIENT_CA, SERVER, CLIENT, FOREIGN_ROOT, FOREIGN, SELF, WHO_LEN };

static const struct {
    const char *cn;
    int issuer;             /* -1: itself */
    bool is_ca;
    unsigned uses;
    int days;
} plan[WHO_LEN] = {
    [ROOT]         = { "root",    -1,           true,  CERT_USE_ANY,    1000 },
    [SERVER_CA]    = { "servers", ROOT,         true,  CERT_USE_SERVER, 900 },
    [CLIENT_CA]    = { "clients", ROOT,         true,  CERT_USE_CLIENT, 900 },
    [SERVER]       = { "app",     SERVER_CA,    false, CERT_USE_SERVER, 90 },
    [CLIENT]       = { "app",     CLIENT_CA,    false, CERT_USE_CLIENT, 90 },
    [FOREIGN_ROOT] = { "root",    -1,           true,  CERT_USE_ANY,    1000 },
    [FOREIGN]      = { "app",     FOREIGN_ROOT, false, CERT_USE_CLIENT, 90 },
    [SELF]         = { "app",     -1,           false, CERT_USE_CLIENT, 90 },
};

static struct key *keys[WHO_LEN];
static struct cert *certs[WHO_LEN];

static int make_all(void **state)
{
    struct ps_err err = { 0 };

    (void)state;
    tls_start();
    for (int i = 0; i < WHO_LEN; i++) {
        int by = plan[i].issuer;
        struct cert_spec spec = {
            .subject.cn = plan[i].cn, .is_ca = plan[i].is_ca, .uses = plan[i].uses,
            .path_len = by < 0 ? -1 : 0, .not_before = T0 - 600,
            .not_after = T0 + (time_t)plan[i].days * DAY,
        };

        if (!key_generate(KEY_EC_P256, &keys[i], &err)
            || !cert_make(&spec, keys[i], by < 0 ? NULL : certs[by], by < 0 ? NULL : keys[by],
                          &certs[i], &err))
            return -1;
    }
    return 0;
}

static int drop_all(void **state)
{
    (void)state;
    for (int i = 0; i < WHO_LEN; i++) {
        key_freep(&keys[i]);
        cert_freep(&certs[i]);
    }
    return 0;
}

static struct crl *crl_of(enum who issuer, int revoked, int from_day, int until_day)
{
    struct crl_entry entry = { revoked < 0 ? "" : cert_info(certs[revoked])->serial_hex, T0, 1 };
    struct crl *crl = NULL;
    struct ps_err err = { 0 };

    if (!crl_make(certs[issuer], keys[issuer], &entry, revoked >= 0, 7, T0 + from_day * DAY - 600,
                  T0 + until_day * DAY, &crl, &err))
        fail_msg("%s %s", err.message, err.detail);
    return crl;
}

/* ---- verify ---- */

enum { NONE = -1, NO_CRL = -2 };

static const struct {
    const char *what;
    int leaf, intermediate;     /* NONE: only the leaf is sent */
    int anchor;
    enum cert_use use;
    int root_revokes, ca_revokes;   /* NONE: an empty list; NO_CRL: no list */
    int crl_days, day;
    const char *reason;         /* NULL: accepted */
    const char *detail;
} chains[] = {
    { "good client", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NONE, NONE, 30, 0, NULL, NULL },
    { "good server", SERVER, SERVER_CA, ROOT, CERT_USE_SERVER, NONE, NONE, 30, 0, NULL, NULL },
    { "no CRLs at all", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, 0, NULL,
      NULL },
    { "revoked leaf", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NONE, CLIENT, 30, 0,
      "certificate revoked", "depth 0, subject \"CN=app\"" },
    { "revoked intermediate", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, CLIENT_CA, NONE, 30, 0,
      "certificate revoked", "depth 1, subject \"CN=clients\"" },
    { "the root's CRL is missing", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NO_CRL, NONE, 30, 0,
      "unable to get certificate CRL", "depth 1" },
    { "the leaf's CRL is missing", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NONE, NO_CRL, 30, 0,
      "unable to get certificate CRL", "depth 0" },
    { "expired CRL", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NONE, NONE, 30, 31,
      "CRL has expired", "depth 0" },
    { "expired leaf", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, 91,
      "certificate has expired", "depth 0" },
    { "not yet valid", CLIENT, CLIENT_CA, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, -1,
      "certificate is not yet valid", "depth" },
    { "a server's as a client's", SERVER, SERVER_CA, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, 0,
      "unsuitable certificate purpose", "subject" },
    { "a client's as a server's", CLIENT, CLIENT_CA, ROOT, CERT_USE_SERVER, NO_CRL, NO_CRL, 30, 0,
      "unsuitable certificate purpose", "subject" },
    { "foreign, of a root with the same name", FOREIGN, NONE, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL,
      30, 0, "unable to get local issuer certificate", "depth 0" },
    { "self-signed", SELF, NONE, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, 0,
      "self-signed certificate", "depth 0" },
    { "intermediate left out", CLIENT, NONE, ROOT, CERT_USE_CLIENT, NO_CRL, NO_CRL, 30, 0,
      "unable to get local issuer certificate", "depth 0" },
    { "only the intermediate is trusted", CLIENT, NONE, CLIENT_CA, CERT_USE_CLIENT, NO_CRL, NO_CRL,
      30, 0, "unable to get issuer certificate", "depth 1" },
};

static void chains_are_judged_as_by_postgresql(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(chains); i++) {
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
        PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
        PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
        struct ps_err err = { 0 };

        cert_list_add(&chain, certs[chains[i].leaf]);
        if (chains[i].intermediate != NONE)
            cert_list_add(&chain, certs[chains[i].intermediate]);
        cert_list_add(&anchors, certs[chains[i].anchor]);
        if (chains[i].root_revokes != NO_CRL)
            crl_list_add(&crls, crl_of(ROOT, chains[i].root_revokes, 0, chains[i].crl_days));
        if (chains[i].ca_revokes != NO_CRL)
            crl_list_add(&crls, crl_of(plan[chains[i].leaf].issuer, chains[i].ca_revokes, 0,
                                       chains[i].crl_days));

        bool good = verify_chain(&chain, &anchors, &crls, chains[i].use,
                                 T0 + chains[i].day * DAY, &err);
        if (good != (chains[i].reason == NULL))
            fail_msg("%s: %s", chains[i].what, good ? "accepted" : err.message);
        if (!good && (!strstr(err.message, chains[i].reason)
                      || !strstr(err.detail, chains[i].detail)))
            fail_msg("%s: %s / %s", chains[i].what, err.message, err.detail);
        if (!good) {
            assert_int_equal(err.code, PS_E_CERT);
            if (!err.hint[0])
                fail_msg("%s: no hint", chains[i].what);
        }
    }
}

static void an_empty_chain_is_refused(void **state)
{
    struct cert_list none = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    assert_false(verify_chain(&none, &none, NULL, CERT_USE_ANY, T0, &err));
    assert_int_equal(err.code, PS_E_CERT);
}

/* ---- CRLs ---- */

static void a_crl_says_what_it_was_made_with(void **state)
{
    PS_AUTO(crl_freep) struct crl *crl = crl_of(CLIENT_CA, CLIENT, 0, 30);
    const struct crl_info *info = crl_info(crl);

    (void)state;
    assert_string_equal(info->issuer, "CN=clients");
    assert_int_equal(info->this_update, T0 - 600);
    assert_int_equal(info->next_update, T0 + 30 * DAY);
    assert_int_equal(info->number, 7);
    assert_int_equal(info->revoked_len, 1);
    assert_true(crl_has_serial(crl, cert_info(certs[CLIENT])->serial_hex));
    assert_false(crl_has_serial(crl, cert_info(certs[SERVER])->serial_hex));
    assert_true(crl_issued_by(crl, certs[CLIENT_CA]));
    assert_false(crl_issued_by(crl, certs[SERVER_CA]));
}

static void odd_serials_are_not_found_and_not_fatal(void **state)
{
    static const char *const serials[] = { "", "zz", "-1", "0", "00", " 40",
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000" };
    PS_AUTO(crl_freep) struct crl *crl = crl_of(CLIENT_CA, CLIENT, 0, 30);

    (void)state;
    for (size_t i = 0; i < PS_COUNT(serials); i++)
        assert_false(crl_has_serial(crl, serials[i]));
}

static void entries_are_sorted_and_a_bad_serial_is_refused(void **state)
{
    struct crl_entry entries[] = { { "50aa", T0, 0 }, { "4fff", T0, 1 }, { "01", T0, 5 } };
    struct crl_entry bad = { "no", T0, 0 };
    PS_AUTO(crl_freep) struct crl *crl = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(crl_make(certs[ROOT], keys[ROOT], entries, PS_COUNT(entries), 1, T0, T0 + DAY, &crl,
                         &err));
    for (size_t i = 0; i < PS_COUNT(entries); i++)
        assert_true(crl_has_serial(crl, entries[i].serial_hex));

    PS_AUTO(crl_freep) struct crl *none = NULL;
    assert_false(crl_make(certs[ROOT], keys[ROOT], &bad, 1, 1, T0, T0 + DAY, &none, &err));
    assert_int_equal(err.code, PS_E_VALUE);
}

static void a_pem_text_gives_back_its_crls(void **state)
{
    PS_AUTO(crl_freep) struct crl *a = crl_of(ROOT, NONE, 0, 30);
    PS_AUTO(crl_freep) struct crl *b = crl_of(CLIENT_CA, CLIENT, 0, 30);
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(crl_to_pem(a, &pem, &err) && crl_to_pem(b, &pem, &err));
    assert_true(crl_list_from_pem(pem.p, pem.len, "f", &list, &err));
    assert_int_equal(list.len, 2);
    assert_string_equal(crl_info(list.at[0])->issuer, "CN=root");
    assert_string_equal(crl_info(list.at[1])->issuer, "CN=clients");
}

static void a_certificate_among_crls_is_refused(void **state)
{
    PS_AUTO(crl_freep) struct crl *crl = crl_of(ROOT, NONE, 0, 30);
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(crl_to_pem(crl, &pem, &err) && cert_to_pem(certs[FOREIGN_ROOT], &pem, &err));
    assert_false(crl_list_from_pem(pem.p, pem.len, "f", &list, &err));
    assert_int_equal(err.code, PS_E_CERT);
    assert_true(err.at.line > 1);
    assert_int_equal(list.len, 0);
}

static void what_is_no_crl_is_refused(void **state)
{
    static const struct { const char *text; enum ps_code code; } rows[] = {
        { "", PS_E_CERT },
        { "hello\n", PS_E_CERT },
        { "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", PS_E_SYNTAX },
        { "-----BEGIN X509 CRL-----\n", PS_E_SYNTAX },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(crl_list_free) struct crl_list list = { 0 };
        struct ps_err err = { 0 };

        assert_false(crl_list_from_pem(rows[i].text, strlen(rows[i].text), "f", &list, &err));
        assert_int_equal(err.code, rows[i].code);
    }
}

/* ---- contexts ---- */

static void contexts_take_a_chain_with_its_own_key_only(void **state)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    PS_AUTO(tls_ctx_freep) struct tls_ctx *client = NULL;
    PS_AUTO(tls_ctx_freep) struct tls_ctx *server = NULL;
    struct ps_err err = { 0 };

    (void)state;
    cert_list_add(&chain, certs[CLIENT]);
    cert_list_add(&chain, certs[CLIENT_CA]);
    cert_list_add(&anchors, certs[ROOT]);
    struct tls_client_spec good = { .min = TLS_1_0, .max = TLS_1_3, .anchors = &anchors,
                                    .chain = &chain, .key = keys[CLIENT], .alpn_postgresql = true };
    assert_true(tls_ctx_client(&good, &client, &err));
    assert_non_null(tls_ctx_raw(client));

    struct tls_server_spec wrong = { .chain = &chain, .key = keys[SERVER] };
    assert_false(tls_ctx_server(&wrong, &server, &err));
    assert_int_equal(err.code, PS_E_CERT);
    assert_null(server);
}

static void versions_are_named_as_by_postgresql(void **state)
{
    (void)state;
    assert_string_equal(tls_version_name(TLS_1_0), "TLSv1");
    assert_string_equal(tls_version_name(TLS_1_2), "TLSv1.2");
    assert_string_equal(tls_version_name(TLS_1_3), "TLSv1.3");
    assert_null(tls_version_name(0x7f1c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_judged_as_by_postgresql),
        cmocka_unit_test(an_empty_chain_is_refused),
        cmocka_unit_test(a_crl_says_what_it_was_made_with),
        cmocka_unit_test(odd_serials_are_not_found_and_not_fatal),
        cmocka_unit_test(entries_are_sorted_and_a_bad_serial_is_refused),
        cmocka_unit_test(a_pem_text_gives_back_its_crls),
        cmocka_unit_test(a_certificate_among_crls_is_refused),
        cmocka_unit_test(what_is_no_crl_is_refused),
        cmocka_unit_test(contexts_take_a_chain_with_its_own_key_only),
        cmocka_unit_test(versions_are_named_as_by_postgresql),
    };
    return cmocka_run_group_tests(tests, make_all, drop_all);
}
