/* What tls/secret.h promises about memory: of a key that was freed, nothing is left in the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/key.h"

enum { NEEDLE = 24, MASK = 0x5a };

#ifdef __SANITIZE_ADDRESS__
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* A piece of a key, masked, so that the needle itself is not found. */
struct needle {
    unsigned char masked[NEEDLE];
};

static void keep(struct needle *needle, const char *bytes)
{
    for (int i = 0; i < NEEDLE; i++)
        needle->masked[i] = (unsigned char)(bytes[i] ^ MASK);
}

static bool is_at(const struct needle *needle, const volatile unsigned char *p)
{
    for (int i = 0; i < NEEDLE; i++)
        if ((p[i] ^ MASK) != needle->masked[i])
            return false;
    return true;
}

static int found_between(const struct needle *needle, uintptr_t from, uintptr_t to)
{
    int found = 0;

    for (uintptr_t at = from; at + NEEDLE <= to; at++)
        found += is_at(needle, (const volatile unsigned char *)at);
    return found;
}

/* Everywhere that we can write: heaps, stacks, data. */
static int found_in_process(const struct needle *needle)
{
    PS_AUTO(buf_free) struct buf maps = BUF(1 << 20);
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];
    int found = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file))     /* first all lines: reading makes memory of its own */
        buf_puts(&maps, line);
    fclose(file);
    for (char *rest = maps.p, *one; (one = strsep(&rest, "\n"));) {
        uintptr_t from, to;
        char mode[8];

        if (sscanf(one, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, mode) == 3
            && strncmp(mode, "rw", 2) == 0 && !strstr(one, "[vvar"))
            found += found_between(needle, from, to);
    }
    return found;
}

/* The private number in PKCS#8, RFC 5958 and RFC 5915: OCTET STRING of 32 bytes after version 1. */
static const char *scalar(const struct secret *der)
{
    static const char before[] = { 0x02, 0x01, 0x01, 0x04, 0x20 };
    const char *at = memmem(der->p, der->len, before, sizeof(before));

    assert_non_null(at);
    return at + sizeof(before);
}

/* In a function of its own, not inlined, so that its stack is given back. */
static __attribute__((noinline)) void use_key(struct needle *number, struct needle *text)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *again = NULL;
    PS_AUTO(key_freep) struct key *third = NULL;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(secret_free) struct secret der = { 0 };
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret locked = { 0 };
    struct ps_err err = { 0 };

    secret_set(&pass, "x", 1);
    assert_true(key_generate(KEY_EC_P256, &key, &err));
    assert_true(key_to_pkcs8_der(key, &der, &err));
    assert_true(key_to_pem(key, NULL, &pem, &err));
    assert_true(key_to_pem(key, &pass, &locked, &err));
    assert_true(key_from_pem(pem.p, pem.len, "k", NULL, &again, &err));
    assert_true(key_from_pem(locked.p, locked.len, "k", &pass, &third, &err));
    keep(number, scalar(&der));
    keep(text, strchr(pem.p, '\n') + 1 + 64 - NEEDLE);     /* past the part that all keys share */
    assert_true(found_in_process(number) > 0);      /* the search finds what is there */
    assert_true(found_in_process(text) > 0);
}

static void nothing_of_a_freed_key_is_left(void **state)
{
    struct needle number, text;

    (void)state;
    use_key(&number, &text);
    assert_int_equal(found_in_process(&number), 0);
    assert_int_equal(found_in_process(&text), 0);
}

static __attribute__((noinline)) void use_file(const char *dir, struct needle *number)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, "k");
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *again = NULL;
    PS_AUTO(secret_free) struct secret pem = { 0 };
    PS_AUTO(secret_free) struct secret read = { 0 };
    PS_AUTO(secret_free) struct secret der = { 0 };
    struct ps_err err = { 0 };

    assert_true(key_generate(KEY_EC_P256, &key, &err) && key_to_pem(key, NULL, &pem, &err));
    assert_true(file_write(path, pem.p, pem.len, 0600, &err));
    assert_true(secret_read_file(path, &read, &err));
    assert_true(key_from_pem(read.p, read.len, path, NULL, &again, &err));
    assert_true(key_to_pkcs8_der(again, &der, &err));
    keep(number, scalar(&der));
}

static void nor_of_one_that_went_through_a_file(void **state)
{
    PS_AUTO(ps_freep) char *dir = NULL;
    struct needle number;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(dir_temp(&dir, &err));
    use_file(dir, &number);
    dir_remove_all(dir);
    assert_int_equal(found_in_process(&number), 0);
}

int main(void)
{
    if (sanitized) {
        puts("1..0 # SKIP the sanitizer maps terabytes, which cannot be searched");
        return 0;
    }
    tls_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_freed_key_is_left),
        cmocka_unit_test(nor_of_one_that_went_through_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
