/* The strings of every driver, compared with tests/data/kit/CASE.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "kit/drivers.h"

static const struct { const char *name; struct kit_link link; } cases[] = {
    { "plain", {
        .role = "app", .database = "shop", .host = "db1.example.net", .port = 5432,
        .service = "app", .service_file = "/kits/app/pg_service.conf",
        .root = "/kits/app/root.crt", .crt = "/kits/app/postgresql.crt",
        .key = "/kits/app/postgresql.key", .pk8 = "/kits/app/postgresql.pk8",
        .crl = "/kits/app/root.crl" } },
    { "odd", {
        .role = "o'b \"r\" ñ\\;", .database = "my db ", .host = "::1", .port = 6432,
        .service = "o'b \"r\" ñ%5C;", .service_file = "/my kits/o'b \"r\" ñ%5C;/pg_service.conf",
        .root = "/my kits/o'b \"r\" ñ%5C;/root.crt",
        .crt = "/my kits/o'b \"r\" ñ%5C;/postgresql.crt",
        .key = "/my kits/o'b \"r\" ñ%5C;/postgresql.key",
        .pk8 = "/my kits/o'b \"r\" ñ%5C;/postgresql.pk8",
        .crl = "/my kits/o'b \"r\" ñ%5C;/root.crl" } },
    { "no-certificate", {
        .role = "app", .database = "app", .host = "192.0.2.1", .port = 5432,
        .service = "app", .service_file = "/kits/app/pg_service.conf",
        .root = "/kits/app/root.crt" } },
};

static void write_all(const struct kit_link *link, struct buf *out)
{
    for (size_t i = 0; i < kit_drivers_len; i++) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

        kit_drivers[i].write(link, &text);
        buf_printf(out, "== %s\n%s\n\n", kit_drivers[i].id, buf_text(&text));
    }
    buf_puts(out, "== pg_service.conf itself\n");
    kit_service_entry(link, out);
}

static void every_driver_gets_the_string_of_the_golden_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(ps_freep) char *path = ps_asprintf("%s/kit/%s.txt", TEST_DATA, cases[i].name);
        PS_AUTO(buf_free) struct buf want = { 0 };
        PS_AUTO(buf_free) struct buf got = BUF(BUF_TEXT_MAX);
        struct ps_err err = { 0 };

        assert_true(file_read(path, FILE_CONF_MAX, &want, &err));
        write_all(&cases[i].link, &got);
        assert_string_equal(buf_text(&got), buf_text(&want));
    }
}

static void ids_are_words_for_programs_and_stand_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < kit_drivers_len; i++) {
        const char *id = kit_drivers[i].id;

        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz_"), strlen(id));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(id, kit_drivers[j].id);
    }
}

static void a_revocation_list_is_named_only_where_it_is_read(void **state)
{
    static const char *const readers[] = { "psql", "libpq", "uri", "psycopg", "asyncpg",
                                           "node_postgres" };
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < kit_drivers_len; i++) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
        bool reads = false;

        for (size_t k = 0; k < PS_COUNT(readers); k++)
            reads = reads || strcmp(readers[k], kit_drivers[i].id) == 0;
        kit_drivers[i].write(&cases[0].link, &text);
        assert_int_equal(strstr(buf_text(&text), "root.crl") != NULL, reads);
        seen += reads;
    }
    assert_int_equal(seen, PS_COUNT(readers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_driver_gets_the_string_of_the_golden_file),
        cmocka_unit_test(ids_are_words_for_programs_and_stand_once),
        cmocka_unit_test(a_revocation_list_is_named_only_where_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
