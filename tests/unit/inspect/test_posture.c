/* Postures made of folders of copies: what counts, where it stands, what is not there, what is hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "inspect/posture.h"

struct site {
    char *dir;
    struct posture *posture;
};

static void put(const struct site *site, const char *name, const char *text)
{
    PS_AUTO(ps_freep) char *path = path_join(site->dir, name);
    struct ps_err err = { 0 };

    assert_true(file_write(path, text, strlen(text), 0600, &err));
}

static struct posture *look(struct site *site, unsigned major)
{
    struct ps_err err = { 0 };

    if (!posture_of_files(site->dir, major, &site->posture, &err))
        fail_msg("%s", err.message);
    return site->posture;
}

static int setup(void **state)
{
    struct site *site = ps_calloc(1, sizeof(*site));
    struct ps_err err;

    *state = site;
    return dir_temp(&site->dir, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    struct site *site = *state;

    posture_freep(&site->posture);
    dir_remove_all(site->dir);
    free(site->dir);
    free(site);
    return 0;
}

static void the_last_assignment_wins_and_says_where_it_stands(void **state)
{
    struct site *site = *state;

    put(site, "postgresql.conf", "# one\nssl = off\ninclude 'more.conf'\n  SSL  'it''s'  # three\n");
    put(site, "more.conf", "ssl yes\n");
    put(site, "postgresql.auto.conf", "ssl = 'on'\n");

    const struct setting_fact *ssl = posture_setting(look(site, 15), "ssl");
    assert_string_equal(ssl->value, "on");
    assert_string_equal(path_base(ssl->place.file), "postgresql.auto.conf");
    assert_int_equal(ssl->place.column, 7);
    assert_int_equal(ssl->place.end_column, 11);

    ssl = ssl->loser;
    assert_string_equal(ssl->value, "it's");
    assert_string_equal(path_base(ssl->place.file), "postgresql.conf");
    assert_int_equal(ssl->place.line, 4);
    assert_string_equal(ssl->place.text, "  SSL  'it''s'  # three");
    assert_int_equal(ssl->place.column, 8);
    assert_int_equal(ssl->place.end_column, 15);

    assert_string_equal(path_base(ssl->loser->place.file), "more.conf");
    assert_string_equal(ssl->loser->loser->value, "off");
    assert_null(ssl->loser->loser->loser);
}

static void an_old_name_sets_what_it_became(void **state)
{
    struct site *site = *state;

    put(site, "postgresql.conf", "ssl_ecdh_curve = 'P-384'\n");
    const struct posture *posture = look(site, 18);
    assert_string_equal(posture_value(posture, "ssl_groups"), "P-384");
    assert_string_equal(posture_setting(posture, "ssl_ecdh_curve")->name, "ssl_groups");
}

static void without_the_file_no_default_is_taken_for_what_is(void **state)
{
    struct site *site = *state;

    put(site, "pg_hba.conf", "host all all all trust\n");
    const struct posture *posture = look(site, 15);
    assert_null(posture->conf);
    assert_non_null(strstr(posture->conf_why, "not among the copies"));
    assert_null(posture_setting(posture, "ssl"));
    assert_int_equal(posture_on(posture, "ssl"), FACT_UNKNOWN);
    assert_int_equal(hba_rules(posture->hba), 1);
}

static void absolute_names_are_looked_for_as_in_a_root_and_by_base_name(void **state)
{
    struct site *site = *state;
    struct ps_err err;
    bool made;
    PS_AUTO(ps_freep) char *deep = path_join(site->dir, "etc/pg");

    put(site, "postgresql.conf", "include '/etc/pg/deep.conf'\ninclude '/srv/flat.conf'\n"
                                 "include '/srv/gone.conf'\n");
    assert_true(dir_ensure(deep, 0700, &made, &err));
    put(site, "etc/pg/deep.conf", "ssl = on\n");
    put(site, "flat.conf", "port = 7\n");

    const struct posture *posture = look(site, 15);
    assert_string_equal(posture_value(posture, "ssl"), "on");
    assert_string_equal(posture_value(posture, "port"), "7");
    assert_int_equal(conf_problems(posture->conf), 0);      /* nobody knows that the server misses it */
    assert_string_equal(posture->conf_why, "file \"/srv/gone.conf\" is not among the copies");
}

static void passwords_are_nowhere(void **state)
{
    struct site *site = *state;

    put(site, "postgresql.conf",
        "primary_conninfo = 'host=a password=hush sslmode=require'\n");
    const struct posture *posture = look(site, 16);
    assert_int_equal(posture->upstreams_len, 1);
    assert_string_equal(posture->upstreams[0].conninfo, "host=a sslmode=require");
    assert_int_equal(posture->upstreams[0].place.line, 1);
    assert_null(posture->upstreams[0].place.text);
    assert_null(posture_setting(posture, "primary_conninfo")->place.text);
}

static const struct { const char *conninfo, *want; } uris[] = {
    { "postgresql://u:hush@h/d", "postgresql://u@h/d" },
    { "postgresql://u@h/d?sslmode=require&password=hush&port=1", "postgresql://u@h/d?sslmode=require&port=1" },
    { "postgres://h?password=hush", "postgres://h" },
    { "postgresql://u:hu:sh@x@h,h2:1/d", "postgresql://u@h,h2:1/d" },
    { "postgresql://:hush@", "postgresql://@" },
    { "postgresql://", "postgresql://" },
    { "host=a password=''hush", "host=a" },
    { "password=hush", "" },
};

static void passwords_are_in_no_uri(void **state)
{
    struct site *site = *state;

    for (size_t i = 0; i < PS_COUNT(uris); i++) {
        PS_AUTO(buf_free) struct buf text = BUF(1024);

        buf_puts(&text, "primary_conninfo = ");
        conf_quote(uris[i].conninfo, &text);
        put(site, "postgresql.conf", buf_text(&text));
        const struct posture *posture = look(site, 16);
        assert_string_equal(posture->upstreams[0].conninfo, uris[i].want);
        posture_freep(&site->posture);
    }
}

static void pipes_folders_and_loops_end_in_an_answer(void **state)
{
    struct site *site = *state;
    PS_AUTO(ps_freep) char *pipe_path = path_join(site->dir, "ca.crt");
    PS_AUTO(ps_freep) char *loop = path_join(site->dir, "server.crt");
    PS_AUTO(ps_freep) char *folder = path_join(site->dir, "server.key");
    PS_AUTO(ps_freep) char *hba = path_join(site->dir, "pg_hba.conf");

    put(site, "postgresql.conf", "ssl = on\nssl_ca_file = 'ca.crt'\nssl_crl_file = 'x.crl'\n");
    put(site, "x.crl", "-----BEGIN X509 CRL-----\nnonsense\n-----END X509 CRL-----\n");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(mkfifo(hba, 0600), 0);
    assert_int_equal(symlink("server.crt", loop), 0);
    assert_int_equal(mkdir(folder, 0700), 0);

    const struct posture *posture = look(site, 15);
    assert_non_null(posture->hba_why);
    assert_non_null(posture_file(posture, FILE_CA)->fault);
    assert_non_null(posture_file(posture, FILE_CRL)->fault);
    assert_non_null(posture_file(posture, FILE_KEY)->fault);
    assert_non_null(posture_file(posture, FILE_CERT)->why);     /* a link to itself is no copy */
}

static void what_is_no_folder_of_copies_is_an_error(void **state)
{
    struct site *site = *state;
    PS_AUTO(ps_freep) char *gone = path_join(site->dir, "gone");
    struct ps_err err = { 0 };

    assert_false(posture_of_files(gone, 15, &site->posture, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_false(posture_of_files(site->dir, 15, &site->posture, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_last_assignment_wins_and_says_where_it_stands),
        T(an_old_name_sets_what_it_became),
        T(without_the_file_no_default_is_taken_for_what_is),
        T(absolute_names_are_looked_for_as_in_a_root_and_by_base_name),
        T(passwords_are_nowhere),
        T(passwords_are_in_no_uri),
        T(pipes_folders_and_loops_end_in_an_answer),
        T(what_is_no_folder_of_copies_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
