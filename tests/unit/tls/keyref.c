/* The promises of tls/keyref.h: passphrases by command, keys by URI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "tls/cert.h"
#include "tls/keyref.h"

static void check(bool done, const struct ps_err *err)
{
    if (!done)
        fail_msg("%s | %s | %s", err->message, err->detail, err->hint);
}

static void a_command_gives_its_first_line_as_it_is(void **state)
{
    static const struct { const char *command, *prompt, *want; } rows[] = {
        { "echo secret", "k", "secret" },
        { "printf 'a b '", "k", "a b " },
        { "printf 'one\\ntwo\\n'", "k", "one" },
        { "echo '%p'", "/etc/ca/root.key", "/etc/ca/root.key" },
        { "echo 100%% %x", "k", "100% %x" },
        { "echo x | tr x y", "k", "y" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(secret_free) struct secret secret = { 0 };
        struct ps_err err = { 0 };

        check(secret_from_command(rows[i].command, rows[i].prompt, &secret, &err), &err);
        assert_string_equal(secret.p, rows[i].want);
    }
}

static void a_command_that_fails_gives_nothing_and_its_words_are_not_told(void **state)
{
    static const struct { const char *command, *prompt; enum ps_code code; } rows[] = {
        { "echo hunter2; exit 1", "k", PS_E_PASSPHRASE },
        { "true", "k", PS_E_PASSPHRASE },
        { "/nonexistent 2>/dev/null", "k", PS_E_PASSPHRASE },
        { "echo hunter2; kill -9 $$", "k", PS_E_PASSPHRASE },
        { "echo %p", "$(touch /tmp/x)", PS_E_VALUE },
        { "echo '%p'", "it's", PS_E_VALUE },
        { "head -c 5000 /dev/zero | tr '\\0' a", "k", PS_E_PASSPHRASE },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(secret_free) struct secret secret = { 0 };
        struct ps_err err = { 0 };

        assert_false(secret_from_command(rows[i].command, rows[i].prompt, &secret, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.detail, "hunter2"));
    }
}

static bool give_pin(void *arg, const char *what, struct secret *out, struct ps_err *err)
{
    (void)what;
    (void)err;
    secret_set(out, arg, strlen(arg));
    return true;
}

static void a_file_by_uri_is_a_key(void **state)
{
    PS_AUTO(ps_freep) char *dir = NULL;
    PS_AUTO(key_freep) struct key *made = NULL;
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret pass = { 0 };
    char good[] = "correct horse", wrong[] = "battery";
    struct ps_err err = { 0 };
    struct key *none = NULL;

    (void)state;
    secret_set(&pass, good, strlen(good));
    check(dir_temp(&dir, &err), &err);
    PS_AUTO(ps_freep) char *path = path_join(dir, "k.pem");
    PS_AUTO(ps_freep) char *uri = ps_asprintf("file:%s", path);
    check(key_generate(KEY_EC_P256, &made, &err) && key_to_pem(made, &pass, &pem, &err)
          && file_write(path, pem.p, pem.len, 0600, &err), &err);
    PS_AUTO(key_freep) struct key *key = NULL;
    check(key_from_uri(uri, give_pin, good, &key, &err), &err);
    assert_false(key_from_uri(uri, give_pin, wrong, &none, &err));
    assert_false(key_from_uri(uri, NULL, NULL, &none, &err));
    assert_false(key_from_uri("file:/nonexistent", NULL, NULL, &none, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    dir_remove_all(dir);
}

/* ---- a token ---- */

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define ENGINE_FILE "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so"

static bool run(const char *const *argv)
{
    const struct proc_spec spec = { .argv = argv };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err err = { 0 };

    return proc_run(&spec, &result, &err) && result.status == 0;
}

/* A token in a folder of its own, with one P-256 key. */
static bool make_token(const char *dir)
{
    static const char *const init[] = { "softhsm2-util", "--init-token", "--free", "--label", "ca",
                                        "--pin", "1234", "--so-pin", "5678", NULL };
    static const char *const keygen[] = { "pkcs11-tool", "--module", MODULE, "--login", "--pin",
                                          "1234", "--token-label", "ca", "--keypairgen",
                                          "--key-type", "EC:prime256v1", "--label", "root", NULL };
    PS_AUTO(ps_freep) char *path = path_join(dir, "softhsm2.conf");
    PS_AUTO(ps_freep) char *text = ps_asprintf("directories.tokendir = %s\n", dir);
    struct ps_err err = { 0 };

    if (!file_write(path, text, strlen(text), 0600, &err))
        return false;
    setenv("SOFTHSM2_CONF", path, 1);
    setenv("PKCS11_MODULE_PATH", MODULE, 1);
    return run(init) && run(keygen);
}

static void a_key_in_a_token_signs_and_never_leaves_it(void **state)
{
    PS_AUTO(ps_freep) char *dir = NULL;
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    PS_AUTO(secret_free) struct secret pem = { 0 };
    const struct cert_spec spec = { .subject = { .cn = "in a token" }, .is_ca = true,
                                    .path_len = -1, .not_before = 1, .not_after = 4000000000 };
    char pin[] = "1234";
    struct ps_err err = { 0 };

    (void)state;
    check(dir_temp(&dir, &err), &err);
    if (!file_exists(MODULE) || !file_exists(ENGINE_FILE) || !make_token(dir)) {
        print_message("# skipped, for a token needs softhsm2, opensc, libengine-pkcs11-openssl\n");
        dir_remove_all(dir);
        return;
    }
    check(key_from_uri("pkcs11:token=ca;object=root;type=private", give_pin, pin, &key, &err), &err);
    check(cert_make(&spec, key, NULL, key, &cert, &err), &err);
    assert_true(cert_matches_key(cert, key));
    assert_true(cert_issued_by(cert, cert));
    assert_false(key_to_pem(key, NULL, &pem, &err));
    assert_int_equal(err.code, PS_E_UNSUPPORTED);
    dir_remove_all(dir);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gives_its_first_line_as_it_is),
        cmocka_unit_test(a_command_that_fails_gives_nothing_and_its_words_are_not_told),
        cmocka_unit_test(a_file_by_uri_is_a_key),
        cmocka_unit_test(a_key_in_a_token_signs_and_never_leaves_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
