/* The promises of tls/key.h and tls/secret.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "tls/key.h"

static void every_type_can_be_named_made_written_and_read(void **state)
{
    static const struct { const char *word, *text; } rows[] = {
        { "ec:p256", "EC P-256" },
        { "ec:p384", "EC P-384" },
        { "rsa:2048", "RSA 2048" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(key_freep) struct key *key = NULL;
        PS_AUTO(key_freep) struct key *again = NULL;
        PS_AUTO(secret_free) struct secret pem = { 0 };
        PS_AUTO(secret_free) struct secret der = { 0 };
        struct ps_err err = { 0 };
        enum key_type type;
        char text[64];

        assert_true(key_type_parse(rows[i].word, &type, &err));
        assert_string_equal(key_type_name(type), rows[i].word);
        assert_true(key_generate(type, &key, &err));
        assert_string_equal(key_describe(key, text, sizeof(text)), rows[i].text);
        assert_true(key_to_pem(key, NULL, &pem, &err));
        assert_false(key_pem_is_encrypted(pem.p, pem.len));
        assert_non_null(strstr(pem.p, "-----BEGIN PRIVATE KEY-----"));
        assert_true(key_from_pem(pem.p, pem.len, "k", NULL, &again, &err));
        assert_string_equal(key_describe(again, text, sizeof(text)), rows[i].text);
        assert_true(key_to_pkcs8_der(key, &der, &err));
        assert_int_equal(der.p[0], 0x30);       /* SEQUENCE */
    }
}

/* PKCS#8 DER is OpenSSL's own work; the PEM of an EC key is ours. */
static void a_plain_key_is_written_as_openssl_writes_it(void **state)
{
    (void)state;
    static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_RSA_2048, KEY_ED25519 };

    for (int i = 0; i < 120; i++) {     /* some scalars begin with zero bytes */
        PS_AUTO(key_freep) struct key *key = NULL;
        PS_AUTO(secret_free) struct secret pem = { 0 };
        PS_AUTO(secret_free) struct secret der = { 0 };
        struct ps_err err = { 0 };
        char lines[2048];

        assert_true(key_generate(i == 0 ? types[2] : types[i % 2], &key, &err));
        assert_true(key_to_pem(key, NULL, &pem, &err));
        assert_true(key_to_pkcs8_der(key, &der, &err));
        lines[base64_lines(der.p, der.len, lines)] = '\0';
        PS_AUTO(ps_freep) char *want = ps_asprintf("-----BEGIN PRIVATE KEY-----\n%s"
                                                   "-----END PRIVATE KEY-----\n", lines);
        assert_string_equal(pem.p, want);
        assert_int_equal(pem.len, strlen(want));
    }
}

static void an_unknown_type_is_refused_with_the_list(void **state)
{
    static const char *const words[] = { "", "rsa", "rsa:1024", "EC:P256", "ec:p256 ", "ed448" };
    enum key_type type;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        struct ps_err err = { 0 };

        assert_false(key_type_parse(words[i], &type, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_non_null(strstr(err.hint, "ec:p256"));
    }
}

static void an_encrypted_key_opens_with_its_passphrase_alone(void **state)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *again = NULL;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(secret_free) struct secret wrong = { 0 };
    PS_AUTO(secret_free) struct secret pem = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    secret_set(&pass, "contraseña segura", strlen("contraseña segura"));
    secret_set(&wrong, "otra", 4);
    assert_true(key_generate(KEY_EC_P256, &key, &err));
    assert_true(key_to_pem(key, &pass, &pem, &err));
    assert_true(key_pem_is_encrypted(pem.p, pem.len));

    assert_false(key_from_pem(pem.p, pem.len, "root.key", NULL, &again, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);
    assert_false(key_from_pem(pem.p, pem.len, "root.key", &wrong, &again, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);
    assert_null(again);
    assert_true(key_from_pem(pem.p, pem.len, "root.key", &pass, &again, &err));
}

static void what_is_no_key_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "hello", "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    };
    struct key *key = NULL;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        struct ps_err err = { 0 };

        assert_false(key_from_pem(texts[i], strlen(texts[i]), "k", NULL, &key, &err));
        assert_int_equal(err.code, PS_E_SYNTAX);
        assert_null(key);
    }
}

static void file_modes_are_judged_as_by_postgresql(void **state)
{
    static const struct { mode_t mode; bool own, root; } rows[] = {
        { 0600, true, true },  { 0400, true, true },   { 0640, false, true },
        { 0440, false, true }, { 0660, false, false }, { 0644, false, false },
        { 0604, false, false }, { 0700, true, true },
    };
    PS_AUTO(ps_freep) char *dir = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(dir_temp(&dir, &err));
    PS_AUTO(ps_freep) char *path = path_join(dir, "k");
    assert_true(file_write(path, "x", 1, 0600, &err));
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        if (geteuid() != 0)
            assert_int_equal(key_file_mode_ok(path, geteuid(), &err), rows[i].own);
        else            /* a file of root's, read by a server that runs as somebody else */
            assert_int_equal(key_file_mode_ok(path, 12345, &err), rows[i].root);
    }
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(key_file_mode_ok(path, geteuid(), &err));
    assert_int_equal(err.code, PS_E_KEY_MODE);
    assert_non_null(strstr(err.hint, "chmod 0600"));
    assert_false(key_file_mode_ok(dir, geteuid(), &err));
    assert_int_equal(err.code, PS_E_KEY_MODE);
    dir_remove_all(dir);
}

static void a_passphrase_is_the_first_line_of_its_descriptor(void **state)
{
    static const struct { const char *text, *want; } rows[] = {
        { "secret\nrest", "secret" }, { "secret", "secret" }, { "secret\r\n", "secret" },
        { "two words \n", "two words " }, { "\n", "" }, { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(secret_free) struct secret pass = { 0 };
        struct ps_err err = { 0 };
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
        close(ends[1]);
        assert_true(secret_read_fd(ends[0], &pass, &err));
        assert_string_equal(pass.p, rows[i].want);
        assert_int_equal(pass.len, strlen(rows[i].want));
        close(ends[0]);
    }
}

static void a_passphrase_without_end_is_refused(void **state)
{
    PS_AUTO(secret_free) struct secret pass = { 0 };
    struct ps_err err = { 0 };
    char text[1025];
    int ends[2];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof(text)), sizeof(text));
    close(ends[1]);
    assert_false(secret_read_fd(ends[0], &pass, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_null(pass.p);
    close(ends[0]);
}

int main(void)
{
    tls_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_can_be_named_made_written_and_read),
        cmocka_unit_test(a_plain_key_is_written_as_openssl_writes_it),
        cmocka_unit_test(an_unknown_type_is_refused_with_the_list),
        cmocka_unit_test(an_encrypted_key_opens_with_its_passphrase_alone),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(file_modes_are_judged_as_by_postgresql),
        cmocka_unit_test(a_passphrase_is_the_first_line_of_its_descriptor),
        cmocka_unit_test(a_passphrase_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
