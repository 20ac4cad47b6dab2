/* How the answer to a startup is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "probe/startup.h"

struct row {
    const char *sqlstate, *message;
    enum startup_end end;
};

static const struct row rows[] = {
    { "28000", "no pg_hba.conf entry for host \"127.0.0.1\", user \"x\", database \"y\", no encryption",
      STARTUP_REFUSED },
    { "28000", "pg_hba.conf rejects connection for host \"127.0.0.1\"", STARTUP_REFUSED },
    { "28000", "connection requires a valid client certificate", STARTUP_CERTIFICATE },
    { "28000", "la conexión requiere un certificado de cliente válido", STARTUP_CERTIFICATE },
    { "28000", "la conexi\xf3n requiere un certificado de cliente v\xe1lido", STARTUP_CERTIFICATE },
    { "28000", "Verbindung erfordert ein gültiges Client-Zertifikat", STARTUP_CERTIFICATE },
    { "28000", "接続には有効なクライアント証明が必要です", STARTUP_CERTIFICATE },
    { "53300", "sorry, too many clients already", STARTUP_ERROR },
    { "XX000", "connection requires a valid client certificate", STARTUP_ERROR },
};

static void test_a_missed_certificate_is_told_from_a_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct arena *arena = arena_new();
        struct startup_seen seen;
        char bytes[256] = "E";
        size_t len = 5;

        len += (size_t)snprintf(bytes + len, 200, "C%s", rows[i].sqlstate) + 1;
        len += (size_t)snprintf(bytes + len, 200, "M%s", rows[i].message) + 1;
        bytes[len++] = 0;
        bytes[4] = (char)(len - 1);
        startup_read(bytes, len, arena, &seen);
        assert_int_equal(seen.end, rows[i].end);
        assert_string_equal(seen.sqlstate, rows[i].sqlstate);
        assert_int_equal(startup_is_open(&seen), rows[i].end == STARTUP_CERTIFICATE);
        arena_free(arena);
    }
}

/* server-first-message of RFC 5802 7; what is none, is cut short or has bytes of its own gives what there is of it */
static void test_the_salt_is_read(void **state)
{
    static const struct { const char *said; size_t len; const char *salt; } salts[] = {
        { "r=abc,s=YWJj,i=4096", 19, "YWJj" }, { "r=abc,s=YWJj", 12, "YWJj" }, { "r=abc,s=,i=1", 12, "" },
        { "r=abc,s=YW\0j,i=1", 17, "YW" }, { "r=abc", 5, NULL }, { "s=YWJj", 6, NULL }, { "", 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(salts); i++) {
        struct arena *arena = arena_new();
        struct startup_seen seen;
        char bytes[64] = { 'R', 0, 0, 0, (char)(salts[i].len + 8), 0, 0, 0, 11 };

        memcpy(bytes + 9, salts[i].said, salts[i].len);
        startup_read(bytes, 9 + salts[i].len, arena, &seen);
        assert_int_equal(seen.auth, 11);
        if (salts[i].salt)
            assert_string_equal(seen.salt, salts[i].salt);
        else
            assert_null(seen.salt);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_missed_certificate_is_told_from_a_refusal),
        cmocka_unit_test(test_the_salt_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
