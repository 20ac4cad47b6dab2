/* What a server says to the certificate that was seen, and what must not be taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/binding.h"

static void an_answer_is_believed_from_its_place_alone(void **state)
{
    static const struct { enum seen_kind kind; const char *sqlstate, *file, *routine; enum fact_bool bound; } rows[] = {
        { KIND_POSTGRES, "08P01", "auth-scram.c", "read_any_attr", FACT_YES },
        { KIND_POSTGRES, "28000", "auth-scram.c", "read_client_final_message", FACT_NO },
        /* before the binding is looked at, or no channel binding at all */
        { KIND_POSTGRES, "08P01", "auth-scram.c", "read_attr_value", FACT_UNKNOWN },
        { KIND_POSTGRES, "08P01", "auth-scram.c", "read_client_first_message", FACT_UNKNOWN },
        { KIND_POSTGRES, "08P01", "auth-scram.c", "read_client_final_message", FACT_UNKNOWN },
        { KIND_POSTGRES, "28P01", "auth.c", "auth_failed", FACT_UNKNOWN },
        { KIND_POSTGRES, "28000", "auth.c", "read_client_final_message", FACT_UNKNOWN },
        { KIND_POSTGRES, "XX000", "auth-scram.c", "read_any_attr", FACT_UNKNOWN },
        { KIND_PGPOOL, "08P01", "auth-scram.c", "read_any_attr", FACT_UNKNOWN },
        { KIND_OTHER, "08P01", NULL, NULL, FACT_UNKNOWN },
        { KIND_UNKNOWN, NULL, NULL, NULL, FACT_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const struct startup_seen said = { .end = STARTUP_ERROR, .kind = rows[i].kind, .sqlstate = rows[i].sqlstate,
                                           .file = rows[i].file, .routine = rows[i].routine };

        assert_int_equal(binding_read(&said), rows[i].bound);
    }
}

/* Byte for byte, as in the manual: message, length, mechanism, length, RFC 5802's client-first-message. */
static void the_first_message_names_the_mechanism(void **state)
{
    static const char wanted[] = "p\0\0\0\x4e" "SCRAM-SHA-256-PLUS\0" "\0\0\0\x33"
                                 "p=tls-server-end-point,,n=,r=pgsealpgsealpgsealpgseal";
    PS_AUTO(buf_free) struct buf out = BUF(512);

    (void)state;
    binding_put_first(&out);
    assert_int_equal(out.len, 1 + (unsigned char)buf_text(&out)[4]);
    assert_int_equal(buf_text(&out)[0], 'p');
    assert_memory_equal(buf_text(&out) + 5, wanted + 5, 19);
    assert_memory_equal(buf_text(&out) + 28, wanted + 28, out.len - 28);
    assert_int_equal((unsigned char)buf_text(&out)[27], out.len - 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_believed_from_its_place_alone),
        cmocka_unit_test(the_first_message_names_the_mechanism),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
