/* binding.c - see binding.h. */
#include "probe/binding.h"

#include "base/base64.h"
#include "pg/wire.h"

#define HEADER "p=tls-server-end-point,,"       /* gs2-header of RFC 5802 7 */
#define NONCE "r=pgsealpgsealpgsealpgseal"      /* it protects a proof, and there is none */

void binding_put_first(struct buf *out)
{
    static const char first[] = HEADER "n=," NONCE;

    wire_put_sasl_initial(out, "SCRAM-SHA-256-PLUS", first, sizeof(first) - 1);
}

bool binding_put_last(const struct cert *leaf, struct buf *out)
{
    enum { HEADER_LEN = sizeof(HEADER) - 1, WHOLE_MAX = HEADER_LEN + CERT_END_POINT_MAX };
    unsigned char input[WHOLE_MAX] = HEADER;
    size_t len = HEADER_LEN + cert_end_point(leaf, input + HEADER_LEN);
    char text[BASE64_SIZE(WHOLE_MAX)];
    PS_AUTO(buf_free) struct buf last = BUF(512);

    if (len == HEADER_LEN)
        return false;
    buf_puts(&last, "c=");
    buf_put(&last, text, base64_encode(input, len, text));
    buf_puts(&last, "," NONCE);
    wire_put_sasl(out, last.p, last.len);
    return true;
}

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

/* By who says it and its SQLSTATE: the text is in the server's language. */
enum fact_bool binding_read(const struct startup_seen *answer)
{
    if (answer->kind != KIND_POSTGRES || !is(answer->file, "auth-scram.c"))
        return FACT_UNKNOWN;
    if (is(answer->sqlstate, "28000") && is(answer->routine, "read_client_final_message"))
        return FACT_NO;
    /* behind the binding it read our nonce, and then missed the proof */
    return is(answer->sqlstate, "08P01") && is(answer->routine, "read_any_attr") ? FACT_YES : FACT_UNKNOWN;
}
