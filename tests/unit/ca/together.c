/* Several processes on one CA: everything is recorded, every serial is new, CRLs only grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/store.h"

enum { PROCESSES = 4, EACH = 25 };

static char *top;

static struct ca *open_ca(const char *dir)
{
    struct ca *ca = NULL;
    struct ps_err err = { 0 };

    return ca_open(dir, NULL, NULL, &ca, &err) ? ca : NULL;
}

/* Each serial goes into the pipe only when it has been given out. */
static void issue_many(const char *dir, int out)
{
    const struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };
    struct ca *ca = open_ca(dir);
    bool good = ca != NULL;

    for (int i = 0; good && i < EACH; i++) {
        PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
        struct ps_err err = { 0 };

        good = ca_issue(ca, &spec, &leaf, &err)
            && write(out, cert_info(leaf.chain.at[0])->serial_hex, 32) == 32;
        if (good && i % 5 == 0)
            good = ca_revoke(ca, leaf.chain.at[0], 1, &err) && ca_refresh_crls(ca, false, &err);
    }
    _exit(good ? 0 : 1);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void read_serials(int in, char serials[][33], size_t count)
{
    PS_AUTO(buf_free) struct buf all = BUF(1 << 20);
    char block[512];
    ssize_t got;

    while ((got = read(in, block, sizeof(block))) > 0)
        buf_put(&all, block, (size_t)got);
    assert_int_equal(all.len, count * 32);
    for (size_t i = 0; i < count; i++)
        snprintf(serials[i], sizeof(serials[i]), "%.32s", all.p + 32 * i);
    qsort(serials, count, sizeof(serials[0]), by_text);
}

static void all_of_them_are_recorded_and_none_twice(void **state)
{
    const struct ca_spec plan = { .key_type = KEY_EC_P256 };
    PS_AUTO(ps_freep) char *dir = path_join(top, "ca");
    PS_AUTO(ps_freep) char *ledger = path_join(dir, "ledger.db");
    static char serials[PROCESSES * EACH][33];
    struct ca *ca = NULL;
    struct ps_err err = { 0 };
    int ends[2], status;

    (void)state;
    assert_true(ca_create(dir, &plan, &ca, &err));
    ca_freep(&ca);
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0)
            issue_many(dir, ends[1]);
    close(ends[1]);
    read_serials(ends[0], serials, PS_COUNT(serials));
    close(ends[0]);
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (size_t i = 1; i < PS_COUNT(serials); i++)
        assert_string_not_equal(serials[i - 1], serials[i]);

    PS_AUTO(store_freep) struct store *store = NULL;
    int64_t count;
    assert_true(store_open(ledger, &store, &err));
    assert_true(store_count(store, &(struct store_filter){ .kind = "client" }, &count,
                            &err));
    assert_int_equal(count, PS_COUNT(serials));
}

static void the_last_crl_has_every_revocation(void **state)
{
    PS_AUTO(ps_freep) char *dir = path_join(top, "ca");
    PS_AUTO(ps_freep) char *path = path_join(dir, "client-ca.crl");
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    assert_true(file_read(path, 1 << 20, &pem, &err));
    assert_true(crl_list_from_pem(pem.p, pem.len, path, &list, &err));
    assert_int_equal(crl_info(list.at[0])->revoked_len, PROCESSES * EACH / 5 + 1);
}

static int make_top(void **state)
{
    struct ps_err err = { 0 };

    (void)state;
    tls_start();
    return dir_temp(&top, &err) ? 0 : -1;
}

static int drop_top(void **state)
{
    (void)state;
    dir_remove_all(top);
    ps_freep(&top);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them_are_recorded_and_none_twice),
        cmocka_unit_test(the_last_crl_has_every_revocation),
    };
    return cmocka_run_group_tests(tests, make_top, drop_top);
}
