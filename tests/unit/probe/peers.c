/* Who says what, and what it means for the way in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/startup.h"

/* An ErrorResponse with these fields; NULL: without. */
static void put_error(struct buf *out, const char *sqlstate, const char *message, const char *detail,
                      const char *file, const char *routine)
{
    PS_AUTO(buf_free) struct buf body = BUF(4096);
    const struct { char letter; const char *text; } fields[] = {
        { 'S', "FATAL" }, { 'C', sqlstate }, { 'M', message }, { 'D', detail }, { 'F', file },
        { 'L', routine ? "100" : NULL }, { 'R', routine },
    };

    for (size_t i = 0; i < PS_COUNT(fields); i++)
        if (fields[i].text) {
            buf_putc(&body, fields[i].letter);
            buf_put(&body, fields[i].text, strlen(fields[i].text) + 1);
        }
    buf_putc(&body, '\0');
    buf_putc(out, 'E');
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_putc(out, (char)((body.len + 4) >> shift));
    buf_put(out, body.p, body.len);
}

static void errors_betray_who_speaks(void **state)
{
    static const struct {
        const char *sqlstate, *message, *detail, *file, *routine;
        enum seen_kind kind;
        enum startup_end end;
    } rows[] = {
        { "28000", "no pg_hba.conf entry for host", NULL, "auth.c", "ClientAuthentication", KIND_POSTGRES,
          STARTUP_REFUSED },
        { "53300", "sorry, too many clients already", NULL, "proc.c", "InitProcess", KIND_POSTGRES,
          STARTUP_ERROR },
        /* the same words from PostgreSQL are PostgreSQL's */
        { "28P01", "password authentication failed", NULL, "auth.c", "auth_failed", KIND_POSTGRES,
          STARTUP_FAILED },
        /* the SQLSTATE of a refusal by pg_hba.conf, from a method that pg_hba.conf chose */
        { "28000", "Ident authentication failed for user \"x\"", NULL, "auth.c", "auth_failed", KIND_POSTGRES,
          STARTUP_FAILED },
        { "28000", "Ident authentication failed for user \"x\"", NULL, "go.go", "auth_failed", KIND_OTHER,
          STARTUP_REFUSED },
        { "08P01", "SSL required", NULL, NULL, NULL, KIND_PGBOUNCER, STARTUP_TLS_DEMANDED },
        { "08P01", "no such user", NULL, NULL, NULL, KIND_PGBOUNCER, STARTUP_HEARD },
        { "08P01", "no such database: x", NULL, NULL, NULL, KIND_PGBOUNCER, STARTUP_HEARD },
        { "08P01", "unsupported startup parameter: replication", NULL, NULL, NULL, KIND_PGBOUNCER,
          STARTUP_REFUSED },
        { "XX000", "client authentication failed", "no pool_hba.conf entry for host", "pool_hba.c", NULL,
          KIND_PGPOOL, STARTUP_REFUSED },
        { "XX000", "failed to authenticate with backend using SCRAM", "valid password not found",
          "pool_auth.c", NULL, KIND_PGPOOL, STARTUP_HEARD },
        { "XX000", "unable to read data", NULL, "pool_stream.c", NULL, KIND_PGPOOL, STARTUP_ERROR },
        { "08P01", "odyssey: c1: SSL is required", NULL, NULL, NULL, KIND_ODYSSEY, STARTUP_TLS_DEMANDED },
        { "28000", "This RDS Proxy requires TLS connections", NULL, NULL, NULL, KIND_RDS_PROXY,
          STARTUP_TLS_DEMANDED },
        { "XX000", "(ENOTFOUND) tenant/user a.b not found", NULL, NULL, NULL, KIND_SUPAVISOR,
          STARTUP_ERROR },
        { "08P01", "something else", NULL, NULL, NULL, KIND_OTHER, STARTUP_ERROR },
        { "28000", "go away", NULL, NULL, NULL, KIND_OTHER, STARTUP_REFUSED },
        { "28000", "a file that is no C", NULL, "conn.go", "serve", KIND_OTHER, STARTUP_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(buf_free) struct buf bytes = BUF(8192);
        struct startup_seen out;

        put_error(&bytes, rows[i].sqlstate, rows[i].message, rows[i].detail, rows[i].file,
                  rows[i].routine);
        startup_read(bytes.p, bytes.len, arena, &out);
        assert_int_equal(out.kind, rows[i].kind);
        assert_int_equal(out.end, rows[i].end);

        /* cut short it says nothing */
        startup_read(bytes.p, bytes.len - 1, arena, &out);
        assert_int_equal(out.kind, KIND_UNKNOWN);
        assert_int_equal(out.end, STARTUP_UNKNOWN);
    }
}

static void an_older_protocol_is_noted_and_never_taken_from_rubbish(void **state)
{
    static const struct { const char *bytes; size_t len; int minor; } rows[] = {
        { "v\0\0\0\x0c\0\3\0\0\0\0\0\0R\0\0\0\x08\0\0\0\0", 22, 0 },
        { "v\0\0\0\x0c\0\3\0\2\0\0\0\0R\0\0\0\x08\0\0\0\0", 22, 2 },
        { "R\0\0\0\x08\0\0\0\0", 9, -1 },
        { "v\0\0\0\x0c\0\7\0\0\0\0\0\0R\0\0\0\x08\0\0\0\0", 22, -1 },      /* no version 3 */
        { "v\0\0\0\x04R\0\0\0\x08\0\0\0\0", 14, -1 },                       /* empty */
        { "v\0\0\0\x06\0\3R\0\0\0\x08\0\0\0\0", 16, -1 },                   /* half a number */
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        struct startup_seen out;

        startup_read(rows[i].bytes, rows[i].len, arena, &out);
        assert_int_equal(out.end, STARTUP_IN);
        assert_int_equal(out.newest_minor, rows[i].minor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_betray_who_speaks),
        cmocka_unit_test(an_older_protocol_is_noted_and_never_taken_from_rubbish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
