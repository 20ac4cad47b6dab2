/* What a version betrays of itself, and what it must not be taken to betray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/major.h"

#define SUPPORTS "unsupported frontend protocol 1234.5680: server supports "

static const struct startup_seen silence = { .newest_minor = -1 };

static struct startup_seen packet(const char *file, const char *line, const char *sqlstate,
                                  const char *message)
{
    return (struct startup_seen){ .end = STARTUP_ERROR, .kind = KIND_POSTGRES, .newest_minor = -1,
                                  .sqlstate = sqlstate, .message = message, .file = file,
                                  .line = line, .routine = "ProcessStartupPacket" };
}

static struct seen nothing(void)
{
    return (struct seen){ .kind = KIND_POSTGRES, .plain = silence, .plain_replication = silence,
                          .over_tls = silence, .negotiation = silence, .stuffed = silence,
                          .direct = silence };
}

static void check(const struct seen *seen, int from, int to)
{
    struct major_range range;

    if (!from && !to) {
        assert_false(major_of(seen, &range));
        return;
    }
    assert_true(major_of(seen, &range));
    assert_int_equal(range.from, from);
    assert_int_equal(range.to, to ? to : MAJOR_LAST);
}

/* What servers of these versions answered. */
static void a_request_too_many_is_refused_at_a_place_of_each_version(void **state)
{
    static const struct { const char *file, *line, *message; int from, to; } rows[] = {
        { "postmaster.c", "2126", SUPPORTS "2.0 to 3.0", 12, 13 },
        { "postmaster.c", "2060", SUPPORTS "2.0 to 3.0", 12, 12 },
        { "postmaster.c", "2147", SUPPORTS "2.0 to 3.0", 13, 13 },
        { "postmaster.c", "2171", SUPPORTS "3.0 to 3.0", 14, 16 },
        { "postmaster.c", "2110", SUPPORTS "3.0 to 3.0", 14, 14 },
        { "postmaster.c", "2222", SUPPORTS "3.0 to 3.0", 15, 15 },
        { "postmaster.c", "2175", SUPPORTS "3.0 to 3.0", 14, 16 },
        { "backend_startup.c", "704", SUPPORTS "3.0 to 3.0", 17, 17 },
        { "backend_startup.c", "732", SUPPORTS "3.0 to 3.2", 18, 0 },
        { "backend_startup.c", "9999", SUPPORTS "3.0 to 3.5", 18, 0 },
        /* other languages have the numbers too; without them the file is what is left */
        { "postmaster.c", "2171", "protocolo 1234.5680 no soportado: el servidor soporta 3.0 a 3.0", 14, 16 },
        { "postmaster.c", "2171", "nix", 12, 16 },
        { "postmaster.c", "99999999999999999999", SUPPORTS "3.0 to 3.0", 14, 16 },
        { "postmaster.c", "-5", SUPPORTS "3.0 to", 12, 16 },
        { "elsewhere.c", "1", "nix", 12, 0 },
        /* what cannot be both is neither */
        { "postmaster.c", "2171", SUPPORTS "3.0 to 3.2", 0, 0 },
        { "backend_startup.c", "700", SUPPORTS "2.0 to 3.0", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct seen seen = nothing();

        seen.gss = FACT_NO;
        seen.negotiation = packet(rows[i].file, rows[i].line, "0A000", rows[i].message);
        check(&seen, rows[i].from, rows[i].to);
        seen.kind = KIND_PGBOUNCER;
        check(&seen, 0, 0);
    }
}

static void glued_bytes_are_refused_at_another_place(void **state)
{
    struct seen seen = nothing();

    (void)state;
    seen.over_tls = (struct startup_seen){ .end = STARTUP_ASKED, .scram_plus = true, .newest_minor = -1 };
    check(&seen, 11, 0);
    seen.gss = FACT_YES;
    check(&seen, 12, 0);
    seen.stuffed = packet("postmaster.c", "2136", "08P01", "received unencrypted data after SSL request");
    check(&seen, 12, 16);
    seen.plain = (struct startup_seen){ .end = STARTUP_REFUSED, .kind = KIND_POSTGRES, .newest_minor = -1,
                                        .sqlstate = "28000", .file = "auth.c", .line = "544",
                                        .routine = "ClientAuthentication",
                                        .message = "no pg_hba.conf entry for host \"::1\", no encryption" };
    check(&seen, 15, 15);
    seen.plain.message = "no pg_hba.conf entry for host \"::1\", SSL off";
    check(&seen, 12, 13);
}

static void direct_tls_tells_17_from_what_came_after(void **state)
{
    struct seen seen = nothing();

    (void)state;
    seen.direct_tls = FACT_YES;
    check(&seen, 17, 0);
    seen.direct = (struct startup_seen){ .end = STARTUP_ASKED, .newest_minor = 0 };
    check(&seen, 17, 17);
    seen.direct.newest_minor = -1;
    check(&seen, 18, 0);
    seen.direct.newest_minor = 2;
    check(&seen, 18, 0);
    seen = nothing();
    check(&seen, 0, 0);
}

/* By binding.h: what servers of these versions answered, compiled by an old gcc and by a new one. */
static void a_proof_that_is_missed_tells_the_version_alone(void **state)
{
    static const struct { const char *line; int from, to; } rows[] = {
        { "797", 12, 12 }, { "793", 12, 12 }, { "807", 13, 13 }, { "804", 13, 13 }, { "815", 14, 14 }, { "812", 14, 14 },
        { "825", 15, 15 }, { "828", 15, 15 }, { "858", 16, 16 }, { "855", 16, 16 }, { "851", 17, 17 }, { "848", 17, 17 },
        { "865", 18, 0 }, { "862", 18, 0 }, { "863", 18, 0 }, { "1", 0, 0 }, { "820", 0, 0 }, { "9999", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct seen seen = nothing();

        seen.binding = (struct startup_seen){ .end = STARTUP_ERROR, .kind = KIND_POSTGRES, .newest_minor = -1,
                                              .sqlstate = "08P01", .message = "nix", .file = "auth-scram.c",
                                              .line = rows[i].line, .routine = "read_any_attr" };
        check(&seen, rows[i].from, rows[i].to);
        /* another sign weighs more */
        seen.direct_tls = FACT_YES;
        check(&seen, rows[i].from >= 17 ? rows[i].from : 17, rows[i].from >= 17 ? rows[i].to : 0);
        seen.direct_tls = FACT_UNKNOWN;
        seen.binding.routine = "read_attr_value";
        check(&seen, 0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_too_many_is_refused_at_a_place_of_each_version),
        cmocka_unit_test(glued_bytes_are_refused_at_another_place),
        cmocka_unit_test(a_proof_that_is_missed_tells_the_version_alone),
        cmocka_unit_test(direct_tls_tells_17_from_what_came_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
