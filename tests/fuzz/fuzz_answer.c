/*
 * fuzz_answer.c - a server's first flight.  Promises: certificates and names lie within the kept bytes;
 * cut short, a whole answer was not whole before its last byte that mattered, and nothing is read past
 * the end.
 */
#include "base/mem.h"
#include "tls/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(const struct answer *answer, struct span span)
{
    if (span.len
        && (span.p < (const uint8_t *)answer->bytes.p
            || span.p + span.len > (const uint8_t *)answer->bytes.p + answer->bytes.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(ps_freep) uint8_t *copy = ps_malloc(size ? size : 1);
    PS_AUTO(answer_free) struct answer answer = { 0 };

    memcpy(copy, data, size);
    enum answer_state state = answer_read(copy, size, &answer);
    if (answer.certs_len > ANSWER_CERTS_MAX || (answer.complete && state != ANSWER_ALL)
        || (state == ANSWER_BAD && answer.kind != ANSWER_NONE && answer.complete))
        abort();
    for (size_t i = 0; i < answer.certs_len; i++)
        check_span(&answer, answer.certs[i]);
    check_span(&answer, answer.authorities);
    if (state == ANSWER_MORE && size > 1) {
        PS_AUTO(answer_free) struct answer before = { 0 };
        /* what is not whole now was not whole one byte ago */
        if (answer_read(copy, size - 1, &before) == ANSWER_ALL)
            abort();
    }
    return 0;
}
