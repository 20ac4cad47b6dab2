/* A kit is made, kept, mended or replaced; each test begins with a good one and breaks one thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "kit/kit.h"

static char *place;             /* of everything this program makes */
static struct ca *ca;
static unsigned count;

/* ---- help ---- */

#define MUST(call) do { if (!(call)) fail_msg("%s: %s", err.message, err.detail); } while (0)

static struct ca *new_ca(const char *name)
{
    PS_AUTO(ps_freep) char *dir = path_join(place, name);
    const struct ca_spec spec = { .key_type = KEY_EC_P256 };
    struct ps_err err = { 0 };
    struct ca *made = NULL;

    MUST(ca_create(dir, &spec, &made, &err));
    return made;
}

static int start(void **state)
{
    struct ps_err err = { 0 };

    (void)state;
    tls_start();
    if (!dir_temp(&place, &err))
        return -1;
    ca = new_ca("ca");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ca_free(ca);
    dir_remove_all(place);
    free(place);
    return 0;
}

struct fixture {
    struct kit_spec spec;
    char *dir, *path;
    enum kit_outcome outcome;
};

static void run(struct fixture *f)
{
    struct ps_err err = { 0 };

    free(f->path);
    MUST(kit_write(&f->spec, &f->outcome, &f->path, &err));
}

static int setup(void **state)
{
    struct fixture *f = ps_calloc(1, sizeof(*f));

    f->dir = ps_asprintf("%s/kits-%u", place, count++);
    f->spec = (struct kit_spec){ .ca = ca, .role = "app", .dir = f->dir, .host = "localhost" };
    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->dir);
    free(f->path);
    free(f);
    return 0;
}

static char *name(const struct fixture *f, const char *file)
{
    return path_join(f->path, file);
}

static void read_file(const struct fixture *f, const char *file, struct buf *out)
{
    PS_AUTO(ps_freep) char *path = name(f, file);
    struct ps_err err = { 0 };

    MUST(file_read(path, FILE_CONF_MAX, out, &err));
}

static mode_t mode_of(const struct fixture *f, const char *file)
{
    PS_AUTO(ps_freep) char *path = name(f, file);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void read_pair(const struct fixture *f, struct cert_list *chain, struct key **key)
{
    PS_AUTO(buf_free) struct buf crt = { 0 };
    PS_AUTO(buf_free) struct buf pem = { 0 };
    struct ps_err err = { 0 };

    read_file(f, "postgresql.crt", &crt);
    read_file(f, "postgresql.key", &pem);
    MUST(cert_list_from_pem(crt.p, crt.len, "crt", chain, &err));
    MUST(key_from_pem(pem.p, pem.len, "key", NULL, key, &err));
}

static char *serial(const struct fixture *f)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;

    read_pair(f, &chain, &key);
    return ps_strdup(cert_info(chain.at[0])->serial_hex);
}

/* The pair is whole: it fits, is the role's, and the .pk8 is the same key. */
static void assert_pair(const struct fixture *f)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(secret_free) struct secret der = { 0 };
    PS_AUTO(buf_free) struct buf pk8 = { 0 };
    struct ps_err err = { 0 };

    read_pair(f, &chain, &key);
    assert_int_equal(chain.len, 2);
    assert_true(cert_matches_key(chain.at[0], key));
    assert_true(cert_same(chain.at[1], ca_intermediate(ca, CERT_USE_CLIENT)));
    assert_string_equal(cert_info(chain.at[0])->common_name, f->spec.role);
    assert_int_equal(cert_info(chain.at[0])->uses, CERT_USE_CLIENT);

    read_file(f, "postgresql.pk8", &pk8);
    MUST(key_to_pkcs8_der(key, &der, &err));
    assert_int_equal(pk8.len, der.len);
    assert_memory_equal(pk8.p, der.p, der.len);
    assert_int_equal(mode_of(f, "postgresql.key"), 0600);
    assert_int_equal(mode_of(f, "postgresql.pk8"), 0600);
}

static void put_leaf(const struct fixture *f, const struct ca_leaf *leaf)
{
    PS_AUTO(ps_freep) char *crt = name(f, "postgresql.crt");
    PS_AUTO(ps_freep) char *key = name(f, "postgresql.key");
    PS_AUTO(buf_free) struct buf chain = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret pem = { 0 };
    struct ps_err err = { 0 };

    for (size_t i = 0; i < leaf->chain.len; i++)
        MUST(cert_to_pem(leaf->chain.at[i], &chain, &err));
    MUST(key_to_pem(leaf->key, NULL, &pem, &err));
    MUST(file_write(crt, chain.p, chain.len, 0644, &err));
    MUST(file_write(key, pem.p, pem.len, 0600, &err));
}

static void put_issued(const struct fixture *f, struct ca *by, const struct ca_leaf_spec *spec)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    MUST(ca_issue(by, spec, &leaf, &err));
    put_leaf(f, &leaf);
}

/* The next run makes a new pair, and the one after keeps it. */
static void assert_replaced(struct fixture *f)
{
    PS_AUTO(ps_freep) char *before = serial(f);

    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    assert_pair(f);

    PS_AUTO(ps_freep) char *after = serial(f);
    assert_string_not_equal(before, after);
    run(f);
    assert_int_equal(f->outcome, KIT_KEPT);
}

/* ---- tests ---- */

static void a_new_kit_has_every_file_with_its_mode(void **state)
{
    static const struct { const char *file; mode_t mode; } want[] = {
        { ".", 0700 }, { "postgresql.crt", 0644 }, { "postgresql.key", 0600 },
        { "postgresql.pk8", 0600 }, { "root.crt", 0644 }, { "root.crl", 0644 },
        { "pg_service.conf", 0644 }, { "README.txt", 0644 }, { "README.html", 0644 },
    };
    struct fixture *f = *state;

    assert_pair(f);
    for (size_t i = 0; i < PS_COUNT(want); i++)
        assert_int_equal(mode_of(f, want[i].file), want[i].mode);
}

static void the_kit_trusts_the_root_and_checks_both_levels(void **state)
{
    PS_AUTO(buf_free) struct buf pem = { 0 };
    PS_AUTO(buf_free) struct buf crl = { 0 };
    PS_AUTO(cert_list_free) struct cert_list certs = { 0 };
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    struct ps_err err = { 0 };

    read_file(*state, "root.crt", &pem);
    read_file(*state, "root.crl", &crl);
    MUST(cert_list_from_pem(pem.p, pem.len, "root.crt", &certs, &err));
    MUST(crl_list_from_pem(crl.p, crl.len, "root.crl", &crls, &err));
    assert_true(cert_same(certs.at[0], ca_root(ca)));
    assert_int_equal(crls.len, 2);
}

static void a_second_run_touches_nothing(void **state)
{
    static const char *const files[] = { "postgresql.crt", "postgresql.key", "postgresql.pk8",
                                         "root.crt", "root.crl", "README.txt", "README.html",
                                         "pg_service.conf" };
    struct fixture *f = *state;
    struct stat before[PS_COUNT(files)], after;

    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = name(f, files[i]);
        assert_int_equal(stat(path, &before[i]), 0);
    }
    run(f);
    assert_int_equal(f->outcome, KIT_KEPT);
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = name(f, files[i]);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_ino, before[i].st_ino);
        assert_int_equal(after.st_mtim.tv_nsec, before[i].st_mtim.tv_nsec);
    }
}

static void renew_replaces_a_pair_that_is_good(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *before = serial(f);

    f->spec.renew = true;
    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    assert_pair(f);

    PS_AUTO(ps_freep) char *after = serial(f);
    assert_string_not_equal(before, after);
}

static void another_host_is_a_refresh_and_keeps_the_pair(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *before = serial(f);
    PS_AUTO(buf_free) struct buf service = { 0 };

    f->spec.host = "db2.example.net";
    run(f);
    assert_int_equal(f->outcome, KIT_REFRESHED);
    read_file(f, "pg_service.conf", &service);
    assert_non_null(strstr(service.p, "host=db2.example.net\n"));

    PS_AUTO(ps_freep) char *after = serial(f);
    assert_string_equal(before, after);
}

static void each_file_of_ours_that_is_gone_or_damaged_comes_back(void **state)
{
    static const char *const files[] = { "postgresql.pk8", "root.crt", "root.crl",
                                         "pg_service.conf", "README.txt", "README.html" };
    struct fixture *f = *state;
    struct ps_err err = { 0 };

    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = name(f, files[i]);

        MUST(file_remove(path, &err));
        run(f);
        assert_int_equal(f->outcome, KIT_REFRESHED);
        MUST(file_write(path, "damaged", 7, 0644, &err));
        run(f);
        assert_int_equal(f->outcome, KIT_REFRESHED);
        run(f);
        assert_int_equal(f->outcome, KIT_KEPT);
    }
    assert_pair(f);
}

/* What a crash between the two renames leaves. */
static void a_key_that_does_not_fit_is_noticed_and_the_pair_replaced(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *path = name(f, "postgresql.key");
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(secret_free) struct secret pem = { 0 };
    struct ps_err err = { 0 };

    MUST(key_generate(KEY_EC_P256, &key, &err));
    MUST(key_to_pem(key, NULL, &pem, &err));
    MUST(file_write(path, pem.p, pem.len, 0600, &err));
    assert_replaced(f);
}

static void a_key_that_others_could_read_is_replaced(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *path = name(f, "postgresql.key");

    assert_int_equal(chmod(path, 0644), 0);
    assert_replaced(f);
}

static void a_pair_that_is_gone_or_cannot_be_read_is_replaced(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *crt = name(f, "postgresql.crt");
    PS_AUTO(ps_freep) char *key = name(f, "postgresql.key");
    struct ps_err err = { 0 };

    MUST(file_remove(crt, &err));
    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    MUST(file_write(key, "-----BEGIN PRIVATE KEY-----\n", 28, 0600, &err));
    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    assert_pair(f);
}

static void a_revoked_certificate_is_replaced(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err = { 0 };

    read_pair(f, &chain, &key);
    MUST(ca_revoke(ca, chain.at[0], 1, &err));
    assert_replaced(f);
}

static void a_certificate_in_its_last_third_is_renewed_for_the_same_key(void **state)
{
    static const struct { long before_days, after_days; enum kit_outcome want; } lives[] = {
        { 10, 10, KIT_REFRESHED },          /* the .pk8 and the page are of another */
        { 19, 11, KIT_REFRESHED },
        { 21, 9, KIT_RENEWED },
        { 30, -1, KIT_MADE },               /* it serves nobody any more */
    };
    struct fixture *f = *state;
    const time_t day = 24 * 3600, now = clock_now();

    for (size_t i = 0; i < PS_COUNT(lives); i++) {
        PS_AUTO(buf_free) struct buf before = { 0 };
        PS_AUTO(buf_free) struct buf after = { 0 };
        const struct ca_leaf_spec leaf = {
            .use = CERT_USE_CLIENT, .common_name = "app",
            .not_before = now - lives[i].before_days * day,
            .not_after = now + lives[i].after_days * day,
        };
        put_issued(f, ca, &leaf);
        read_file(f, "postgresql.key", &before);
        run(f);
        assert_int_equal(f->outcome, lives[i].want);
        assert_pair(f);
        read_file(f, "postgresql.key", &after);
        assert_int_equal(strcmp(before.p, after.p) == 0, lives[i].want != KIT_MADE);
        run(f);
        assert_int_equal(f->outcome, KIT_KEPT);
    }
}

static void the_certificate_of_another_role_is_replaced(void **state)
{
    const struct ca_leaf_spec other = { .use = CERT_USE_CLIENT, .common_name = "postgres" };

    put_issued(*state, ca, &other);
    assert_replaced(*state);
}

static void a_server_certificate_is_replaced(void **state)
{
    const char *const hosts[] = { "app", NULL };
    const struct ca_leaf_spec server = { .use = CERT_USE_SERVER, .hosts = hosts };

    put_issued(*state, ca, &server);
    assert_replaced(*state);
}

static void the_certificate_of_another_ca_is_replaced(void **state)
{
    PS_AUTO(ca_freep) struct ca *foreign = new_ca("foreign");
    const struct ca_leaf_spec leaf = { .use = CERT_USE_CLIENT, .common_name = "app" };

    put_issued(*state, foreign, &leaf);
    assert_replaced(*state);
}

static void without_a_ca_there_is_trust_and_no_certificate(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(buf_free) struct buf root = { 0 };

    f->spec = (struct kit_spec){ .trust_pem = "PEM\n", .role = "other", .dir = f->dir,
                                 .host = "localhost" };
    run(f);
    assert_int_equal(f->outcome, KIT_MADE);
    run(f);
    assert_int_equal(f->outcome, KIT_KEPT);

    read_file(f, "root.crt", &root);
    assert_string_equal(root.p, "PEM\n");
    PS_AUTO(ps_freep) char *crt = name(f, "postgresql.crt");
    PS_AUTO(ps_freep) char *key = name(f, "postgresql.key");
    PS_AUTO(ps_freep) char *crl = name(f, "root.crl");
    assert_false(file_exists(crt) || file_exists(key) || file_exists(crl));
}

static void two_runs_at_once_are_refused(void **state)
{
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *path = name(f, ".lock");
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;
    PS_AUTO(ps_freep) char *made = NULL;
    struct ps_err err = { 0 };

    MUST(lock_take(path, &lock, &err));
    assert_false(kit_write(&f->spec, &f->outcome, &made, &err));
    assert_int_equal(err.code, PS_E_BUSY);
}

/* The user of an application owns its kit; root renews it. */
static void a_link_in_a_folder_of_somebody_else_leads_nowhere_for_root(void **state)
{
    enum { NOBODY = 65534 };
    struct fixture *f = *state;
    PS_AUTO(ps_freep) char *target = path_join(place, "target");
    PS_AUTO(ps_freep) char *key = name(f, "postgresql.key");
    PS_AUTO(ps_freep) char *lock = name(f, ".lock");
    PS_AUTO(ps_freep) char *made = NULL;
    PS_AUTO(buf_free) struct buf still = { 0 };
    struct ps_err err = { 0 };

    if (geteuid() != 0) {
        print_message("only root can give a folder away\n");
        skip();
    }
    MUST(file_write(target, "root's", 6, 0600, &err));
    assert_int_equal(unlink(key), 0);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(symlink(target, key), 0);
    assert_int_equal(chown(f->path, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(place, 0755), 0);

    assert_false(kit_write(&f->spec, &f->outcome, &made, &err));
    assert_int_equal(geteuid(), 0);
    MUST(file_read(target, 100, &still, &err));
    assert_string_equal(still.p, "root's");
}

/* In a child: look at the folder again and again; exit 1 once a key was open to others. */
static void watch(const char *path)
{
    for (;;) {
        DIR *dir = opendir(path);

        for (struct dirent *entry; dir && (entry = readdir(dir)); ) {
            struct stat st;
            bool private = strstr(entry->d_name, "postgresql.key")
                        || strstr(entry->d_name, "postgresql.pk8");

            if (private && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && (st.st_mode & 077))
                _exit(1);
        }
        if (dir)
            closedir(dir);
    }
}

static void no_key_is_open_to_others_for_an_instant(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(0);
    pid_t watcher = fork();
    int status;

    if (watcher == 0)
        watch(f->path);
    f->spec.renew = true;
    for (int i = 0; i < 25; i++)
        run(f);
    umask(before);
    kill(watcher, SIGTERM);
    assert_int_equal(waitpid(watcher, &status, 0), watcher);
    assert_true(WIFSIGNALED(status));           /* not by its own exit(1) */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_kit_has_every_file_with_its_mode),
        TEST(the_kit_trusts_the_root_and_checks_both_levels),
        TEST(a_second_run_touches_nothing),
        TEST(renew_replaces_a_pair_that_is_good),
        TEST(another_host_is_a_refresh_and_keeps_the_pair),
        TEST(each_file_of_ours_that_is_gone_or_damaged_comes_back),
        TEST(a_key_that_does_not_fit_is_noticed_and_the_pair_replaced),
        TEST(a_key_that_others_could_read_is_replaced),
        TEST(a_pair_that_is_gone_or_cannot_be_read_is_replaced),
        TEST(a_revoked_certificate_is_replaced),
        TEST(a_certificate_in_its_last_third_is_renewed_for_the_same_key),
        TEST(the_certificate_of_another_role_is_replaced),
        TEST(a_server_certificate_is_replaced),
        TEST(the_certificate_of_another_ca_is_replaced),
        TEST(without_a_ca_there_is_trust_and_no_certificate),
        TEST(two_runs_at_once_are_refused),
        TEST(a_link_in_a_folder_of_somebody_else_leads_nowhere_for_root),
        TEST(no_key_is_open_to_others_for_an_instant),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
