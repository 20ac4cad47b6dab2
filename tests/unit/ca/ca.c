/* The promises of ca/ca.h: what is made, what is issued, what both sides make of it. */
#include "place.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "store/store.h"
#include "tls/name.h"

/* ---- making ---- */

static void a_new_ca_is_whole_private_and_opens_again(void **state)
{
    static const struct { const char *name; mode_t mode; } files[] = {
        { "root.crt", 0644 }, { "root.key", 0600 }, { "server-ca.crt", 0644 },
        { "server-ca.key", 0600 }, { "client-ca.crt", 0644 }, { "client-ca.key", 0600 },
        { "root.crl", 0644 }, { "server-ca.crl", 0644 }, { "client-ca.crl", 0644 },
        { "revoked-proof.crt", 0644 }, { "revoked-proof.key", 0600 }, { "ledger.db", 0600 },
    };
    struct place *place = *state;
    struct ps_err err = { 0 };
    struct stat st;

    mode_t before = umask(0);
    assert_false(ca_exists(place->dir));
    check(ca_create(place->dir, &plain, &place->ca, &err), &err);
    umask(before);
    assert_true(ca_exists(place->dir));
    assert_int_equal(stat(place->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = path_join(place->dir, files[i].name);

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, files[i].mode);
    }

    ca_freep(&place->ca);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    assert_string_equal(cert_info(ca_root(place->ca))->dn.o, "Café");
    assert_int_equal(cert_info(ca_intermediate(place->ca, CERT_USE_SERVER))->uses, CERT_USE_SERVER);
    assert_int_equal(cert_info(ca_intermediate(place->ca, CERT_USE_CLIENT))->uses, CERT_USE_CLIENT);
    assert_int_equal(cert_info(ca_root(place->ca))->uses, CERT_USE_ANY);
}

static void a_ca_takes_an_empty_folder_and_no_other(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *slash = ps_asprintf("%s/", place->dir);
    PS_AUTO(ps_freep) char *file = path_join(place->top, "file");
    struct ca *second = NULL;
    struct ps_err err = { 0 };

    assert_int_equal(mkdir(place->dir, 0755), 0);
    check(ca_create(slash, &plain, &place->ca, &err), &err);
    assert_false(ca_create(place->dir, &plain, &second, &err));
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_true(file_write(file, "x", 1, 0600, &err));
    assert_false(ca_create(file, &plain, &second, &err));
    assert_int_equal(err.code, PS_E_EXISTS);
    assert_null(second);
}

static void where_no_ca_is_none_opens(void **state)
{
    struct place *place = *state;
    struct ca *ca = NULL;
    struct ps_err err = { 0 };

    assert_false(ca_open(place->dir, NULL, NULL, &ca, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_null(ca);
}

/* ---- issuing ---- */

static void each_side_accepts_what_was_issued_for_the_other(void **state)
{
    static const char *const hosts[] = { "db1.example.net", "127.0.0.1", "::1", NULL };
    struct place *place = *state;
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    PS_AUTO(ca_leaf_free) struct ca_leaf client = issue_client(place->ca, "app");
    PS_AUTO(ca_leaf_free) struct ca_leaf server = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &server, &err), &err);
    check(accepted(place->ca, &client.chain, CERT_USE_CLIENT, &err), &err);
    check(accepted(place->ca, &server.chain, CERT_USE_SERVER, &err), &err);
    assert_int_equal(client.chain.len, 2);
    assert_true(cert_matches_key(client.chain.at[0], client.key));
    for (size_t i = 0; hosts[i]; i++)
        assert_true(cert_speaks_for(server.chain.at[0], hosts[i]));

    const struct cert_info *info = cert_info(server.chain.at[0]);
    assert_string_equal(info->subject, "CN=db1.example.net,O=Café,C=ES");
    assert_int_equal(info->uses, CERT_USE_SERVER);
    assert_true(info->not_before <= clock_now() - CA_BACKDATE_SECONDS);
    assert_in_range(clock_days_until(info->not_after), CA_DAYS_SERVER - 1, CA_DAYS_SERVER);
}

static void a_server_certificate_named_as_a_role_does_not_log_in(void **state)
{
    static const char *const hosts[] = { "app", NULL };
    struct place *place = *state;
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    PS_AUTO(ca_leaf_free) struct ca_leaf server = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &server, &err), &err);
    assert_string_equal(cert_info(server.chain.at[0])->common_name, "app");
    assert_false(accepted(place->ca, &server.chain, CERT_USE_CLIENT, &err));
    assert_int_equal(err.code, PS_E_CERT);
}

static void roles_are_kept_to_the_byte(void **state)
{
    static const char *const roles[] = {
        "app", "Señora \"X\", Jr.", " blanks ", "a=b+c,d/e\\f", "a;b<c>#d", "#x", "\xe6\x97\xa5",
        "123456789012345678901234567890123456789012345678901234567890123",
    };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(roles); i++) {
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, roles[i]);
        struct ps_err err = { 0 };

        assert_string_equal(cert_info(leaf.chain.at[0])->common_name, roles[i]);
        check(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err), &err);
    }
}

static void what_cannot_be_is_not_issued_and_not_recorded(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const odd[] = { "a b", NULL };
    static const char *const host[] = { "a", NULL };
    static const struct ca_leaf_spec rows[] = {
        { .use = CERT_USE_CLIENT },
        { .use = CERT_USE_CLIENT, .common_name = "" },
        { .use = CERT_USE_CLIENT, .common_name = "\xff" },
        { .use = CERT_USE_CLIENT,
          .common_name = "1234567890123456789012345678901234567890123456789012345678901234" },
        { .use = CERT_USE_SERVER },
        { .use = CERT_USE_SERVER, .hosts = none },
        { .use = CERT_USE_SERVER, .hosts = odd },
        { .use = CERT_USE_SERVER, .hosts = host, .days = -1 },
        { .use = CERT_USE_SERVER, .hosts = host, .days = 1000000 },
    };
    struct place *place = *state;

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct ca_leaf leaf = { 0 };
        struct ps_err err = { 0 };

        if (ca_issue(place->ca, &rows[i], &leaf, &err))
            fail_msg("row %zu was issued", i);
        assert_int_equal(err.code, PS_E_VALUE);
        assert_null(leaf.key);
    }
}

static void a_host_too_long_for_a_cn_stands_in_the_san_alone(void **state)
{
    static const char name[] =
        "a-host-with-a-name-that-is-longer.than-sixty-four-characters.example.net";
    static const char *const hosts[] = { name, NULL };
    struct place *place = *state;
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &leaf, &err), &err);
    assert_string_equal(cert_info(leaf.chain.at[0])->common_name, "");
    assert_true(cert_speaks_for(leaf.chain.at[0], name));
}

static void an_expired_one_can_be_made_for_a_proof(void **state)
{
    struct place *place = *state;
    time_t now = clock_now();
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app", .proof = true,
                                 .not_before = now - 500, .not_after = now - 100 };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &leaf, &err), &err);
    assert_false(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err));
    assert_non_null(strstr(err.message, "expired"));
}

/* ---- revoking ---- */

static struct crl_list read_crl(const struct place *place, const char *name)
{
    PS_AUTO(ps_freep) char *path = path_join(place->dir, name);
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    struct crl_list list = { 0 };
    struct ps_err err = { 0 };

    check(file_read(path, 1 << 20, &pem, &err), &err);
    check(crl_list_from_pem(pem.p, pem.len, path, &list, &err), &err);
    return list;
}

static int64_t crl_number(const struct place *place, const char *name)
{
    PS_AUTO(crl_list_free) struct crl_list list = read_crl(place, name);

    return crl_info(list.at[0])->number;
}

static void the_proof_was_revoked_at_birth(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf proof = { 0 };
    struct ps_err err = { 0 };

    check(ca_revoked_proof(place->ca, &proof, &err), &err);
    assert_string_equal(cert_info(proof.chain.at[0])->common_name, "pgseal-revoked-proof");
    assert_true(cert_matches_key(proof.chain.at[0], proof.key));
    assert_false(accepted(place->ca, &proof.chain, CERT_USE_CLIENT, &err));
    assert_non_null(strstr(err.message, "certificate revoked"));
}

static void a_revoked_one_is_refused_after_the_next_crl(void **state)
{
    struct place *place = *state;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    PS_AUTO(ca_leaf_free) struct ca_leaf other = issue_client(place->ca, "app");
    int64_t root = crl_number(place, "root.crl"), client = crl_number(place, "client-ca.crl");
    struct ps_err err = { 0 };

    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_int_equal(crl_number(place, "client-ca.crl"), client);       /* nothing was stale */

    check(ca_revoke(place->ca, leaf.chain.at[0], 1, &err), &err);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_int_equal(crl_number(place, "client-ca.crl"), client + 1);
    assert_int_equal(crl_number(place, "root.crl"), root);
    assert_false(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err));
    assert_non_null(strstr(err.message, "certificate revoked"));
    check(accepted(place->ca, &other.chain, CERT_USE_CLIENT, &err), &err);

    check(ca_refresh_crls(place->ca, true, &err), &err);
    assert_int_equal(crl_number(place, "root.crl"), root + 1);
}

static void a_foreign_certificate_cannot_be_revoked_here(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *dir = path_join(place->top, "other");
    PS_AUTO(ca_freep) struct ca *other = NULL;
    struct ps_err err = { 0 };

    check(ca_create(dir, &plain, &other, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(other, "app");
    assert_false(ca_revoke(place->ca, leaf.chain.at[0], 1, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(accepted(place->ca, &leaf.chain, CERT_USE_CLIENT, &err));
}

/* A list of the CA's own that was made at another time. */
static void put_crl(const struct place *place, bool root, time_t from, time_t until)
{
    PS_AUTO(ps_freep) char *path = path_join(place->dir, root ? "root.crl" : "client-ca.crl");
    PS_AUTO(ps_freep) char *key_path = path_join(place->dir, root ? "root.key" : "client-ca.key");
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(crl_freep) struct crl *crl = NULL;
    PS_AUTO(buf_free) struct buf out = BUF(1 << 20);
    struct ps_err err = { 0 };

    check(secret_read_file(key_path, &pem, &err), &err);
    check(key_from_pem(pem.p, pem.len, "k", NULL, &key, &err), &err);
    const struct cert *issuer = root ? ca_root(place->ca)
                                     : ca_intermediate(place->ca, CERT_USE_CLIENT);
    struct store_crl row = { .issuer = cert_info(issuer)->subject, .this_update = from,
                             .next_update = until };
    check(store_next_crl_number(ca_store(place->ca), row.issuer, 0, &row.number, &err), &err);
    check(crl_make(issuer, key, NULL, 0, row.number, from, until, &crl, &err), &err);
    row.digest = crl_info(crl)->digest;
    check(store_put_crl(ca_store(place->ca), &row, &err), &err);
    check(crl_to_pem(crl, &out, &err), &err);
    check(file_write(path, out.p, out.len, 0644, &err), &err);
}

static void lists_that_would_lock_everybody_out_are_not_given_out(void **state)
{
    struct place *place = *state;

    for (int root = 0; root <= 1; root++) {
        PS_AUTO(buf_free) struct buf out = BUF(1 << 20);
        struct ps_err err = { 0 };

        put_crl(place, root, clock_now() - 900, clock_now() - 300);
        assert_false(ca_crl_pem(place->ca, CERT_USE_SERVER, &out, &err));
        assert_int_equal(err.code, PS_E_CERT);
        assert_int_equal(out.len, 0);

        check(ca_refresh_crls(place->ca, false, &err), &err);   /* and this heals it */
        check(ca_crl_pem(place->ca, CERT_USE_SERVER, &out, &err), &err);
    }
}

static void a_root_list_past_half_of_its_life_waits_for_its_key(void **state)
{
    enum { HOUR = 3600 };
    struct place *place = *state;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "root.key");
    PS_AUTO(ps_freep) char *away = path_join(place->top, "root.key");
    struct ps_err err = { 0 };

    put_crl(place, true, clock_now() - 10 * HOUR, clock_now() + HOUR);
    ca_freep(&place->ca);
    assert_int_equal(rename(path, away), 0);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_int_equal(crl_number(place, "root.crl"), 2);

    assert_int_equal(rename(away, path), 0);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_int_equal(crl_number(place, "root.crl"), 3);
}

/* ---- the root's key ---- */

static bool give_pass(void *arg, const char *key_path, struct secret *out, struct ps_err *err)
{
    (void)err;
    assert_non_null(strstr(key_path, "root.key"));
    secret_set(out, arg, strlen(arg));
    return true;
}

static void an_encrypted_root_is_opened_only_when_it_is_needed(void **state)
{
    struct place *place = *state;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    struct ca_spec spec = plain;
    char good[] = "correct horse", wrong[] = "battery";
    struct ps_err err = { 0 };

    secret_set(&pass, good, strlen(good));
    spec.root_pass = &pass;
    check(ca_create(place->dir, &spec, &place->ca, &err), &err);

    ca_freep(&place->ca);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    check(ca_revoke(place->ca, leaf.chain.at[0], 0, &err), &err);
    check(ca_refresh_crls(place->ca, false, &err), &err);       /* the client CA's only */
    assert_false(ca_refresh_crls(place->ca, true, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);

    ca_freep(&place->ca);
    check(ca_open(place->dir, give_pass, wrong, &place->ca, &err), &err);
    assert_false(ca_refresh_crls(place->ca, true, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);

    ca_freep(&place->ca);
    check(ca_open(place->dir, give_pass, good, &place->ca, &err), &err);
    check(ca_refresh_crls(place->ca, true, &err), &err);
}

static void a_root_key_taken_away_is_missed_only_when_it_is_needed(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "root.key");
    struct ps_err err = { 0 };

    ca_freep(&place->ca);
    check(file_remove(path, &err), &err);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = issue_client(place->ca, "app");
    assert_non_null(leaf.key);
    check(ca_refresh_crls(place->ca, false, &err), &err);
    assert_false(ca_refresh_crls(place->ca, true, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_non_null(strstr(err.hint, "offline"));
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct place *place = *state;
    PS_AUTO(ps_freep) char *path = path_join(place->dir, "client-ca.key");
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    ca_freep(&place->ca);
    assert_int_equal(chmod(path, 0644), 0);
    check(ca_open(place->dir, NULL, NULL, &place->ca, &err), &err);
    assert_false(ca_issue(place->ca, &spec, &leaf, &err));
    assert_int_equal(err.code, PS_E_KEY_MODE);
}

/* ---- others agree ---- */

static void write_pem(const struct place *place, const char *name, const struct buf *pem)
{
    PS_AUTO(ps_freep) char *path = path_join(place->top, name);
    struct ps_err err = { 0 };

    check(file_write(path, pem->p, pem->len, 0600, &err), &err);
}

static void lay_out(struct place *place, enum cert_use side)
{
    PS_AUTO(buf_free) struct buf trust = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf crls = BUF(1 << 20);
    struct ps_err err = { 0 };

    check(ca_trust_pem(place->ca, side, &trust, &err), &err);
    check(ca_crl_pem(place->ca, side, &crls, &err), &err);
    write_pem(place, "trust.pem", &trust);
    write_pem(place, "crls.pem", &crls);
}

static void lay_out_chain(struct place *place, const struct cert_list *chain)
{
    PS_AUTO(buf_free) struct buf leaf = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf rest = BUF(1 << 20);
    struct ps_err err = { 0 };

    check(cert_to_pem(chain->at[0], &leaf, &err) && cert_to_pem(chain->at[1], &rest, &err), &err);
    write_pem(place, "leaf.pem", &leaf);
    write_pem(place, "rest.pem", &rest);
    buf_put(&leaf, rest.p, rest.len);
    write_pem(place, "chain.pem", &leaf);
}

static bool openssl_accepts(struct place *place, const char *purpose, const char *reason)
{
    const char *const argv[] = { "openssl", "verify", "-crl_check_all", "-x509_strict", "-purpose",
                                 purpose, "-CAfile", "trust.pem", "-CRLfile", "crls.pem",
                                 "-untrusted", "rest.pem", "leaf.pem", NULL };
    struct proc_spec spec = { .argv = argv, .dir = place->top };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err = { 0 };

    check(proc_run(&spec, &result, &err), &err);
    if (result.status != 0 && (!reason || !strstr(buf_text(&result.err), reason)))
        fail_msg("openssl: %s %s", buf_text(&result.out), buf_text(&result.err));
    return result.status == 0;
}

static void the_openssl_command_agrees(void **state)
{
    static const char *const hosts[] = { "db1.example.net", "127.0.0.1", "::1", NULL };
    struct place *place = *state;
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = hosts };
    PS_AUTO(ca_leaf_free) struct ca_leaf client = issue_client(place->ca, "Señora \"X\"");
    PS_AUTO(ca_leaf_free) struct ca_leaf server = { 0 };
    PS_AUTO(ca_leaf_free) struct ca_leaf proof = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(place->ca, &spec, &server, &err), &err);
    check(ca_revoked_proof(place->ca, &proof, &err), &err);

    lay_out(place, CERT_USE_SERVER);
    lay_out_chain(place, &client.chain);
    assert_true(openssl_accepts(place, "sslclient", NULL));
    assert_false(openssl_accepts(place, "sslserver", "unsuitable certificate purpose"));
    lay_out_chain(place, &proof.chain);
    assert_false(openssl_accepts(place, "sslclient", "certificate revoked"));

    lay_out(place, CERT_USE_CLIENT);
    lay_out_chain(place, &server.chain);
    assert_true(openssl_accepts(place, "sslserver", NULL));
    assert_false(openssl_accepts(place, "sslclient", "unsuitable certificate purpose"));
}

/* cmocka's own skip() is counted as a failure by TAP readers, so the reason stands in a comment. */
static bool have_certtool(void)
{
    const char *const argv[] = { "certtool", "--version", NULL };
    struct proc_spec spec = { .argv = argv };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err = { 0 };

    if (proc_run(&spec, &result, &err))
        return true;
    print_message("# skipped, for certtool (package gnutls-bin) is not here: %s\n", err.message);
    return false;
}

static bool certtool_accepts(struct place *place)
{
    const char *const argv[] = { "certtool", "--verify", "--verify-purpose=1.3.6.1.5.5.7.3.1",
                                 "--verify-hostname=db1.example.net", "--load-ca-certificate",
                                 "trust.pem", "--load-crl", "crls.pem", "--infile", "chain.pem",
                                 NULL };
    struct proc_spec spec = { .argv = argv, .dir = place->top };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err = { 0 };

    check(proc_run(&spec, &result, &err), &err);
    return result.status == 0;
}

static void gnutls_agrees(void **state)
{
    static const char *const good[] = { "db1.example.net", NULL };
    static const char *const other[] = { "db2.example.net", NULL };
    struct place *place = *state;
    struct ca_leaf_spec spec = { .use = CERT_USE_SERVER, .hosts = good };
    PS_AUTO(ca_leaf_free) struct ca_leaf server = { 0 };
    PS_AUTO(ca_leaf_free) struct ca_leaf wrong = { 0 };
    struct ps_err err = { 0 };

    if (!have_certtool())
        return;
    check(ca_issue(place->ca, &spec, &server, &err), &err);
    spec.hosts = other;
    check(ca_issue(place->ca, &spec, &wrong, &err), &err);
    lay_out(place, CERT_USE_CLIENT);
    lay_out_chain(place, &server.chain);
    assert_true(certtool_accepts(place));
    lay_out_chain(place, &wrong.chain);
    assert_false(certtool_accepts(place));
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_new_ca_is_whole_private_and_opens_again),
        IN_PLACE(a_ca_takes_an_empty_folder_and_no_other),
        IN_PLACE(where_no_ca_is_none_opens),
        IN_CA(each_side_accepts_what_was_issued_for_the_other),
        IN_CA(a_server_certificate_named_as_a_role_does_not_log_in),
        IN_CA(roles_are_kept_to_the_byte),
        IN_CA(what_cannot_be_is_not_issued_and_not_recorded),
        IN_CA(a_host_too_long_for_a_cn_stands_in_the_san_alone),
        IN_CA(an_expired_one_can_be_made_for_a_proof),
        IN_CA(the_proof_was_revoked_at_birth),
        IN_CA(a_revoked_one_is_refused_after_the_next_crl),
        IN_CA(a_foreign_certificate_cannot_be_revoked_here),
        IN_CA(lists_that_would_lock_everybody_out_are_not_given_out),
        IN_CA(a_root_list_past_half_of_its_life_waits_for_its_key),
        IN_PLACE(an_encrypted_root_is_opened_only_when_it_is_needed),
        IN_CA(a_root_key_taken_away_is_missed_only_when_it_is_needed),
        IN_CA(a_key_that_others_may_read_is_refused),
        IN_CA(the_openssl_command_agrees),
        IN_CA(gnutls_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
