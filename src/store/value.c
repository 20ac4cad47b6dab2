/* value.c - values of SQL, and their hash; see engine.h. */
#include "store/internal.h"

#include <endian.h>

#include "tls/digest.h"

_Static_assert((int)DIGEST_HEX == (int)STORE_HASH_HEX, "a hash of the log is a SHA-256");

struct value value_int(int64_t number)
{
    return (struct value){ .type = VALUE_INT, .number = number };
}

struct value value_text(const char *text)
{
    return text ? (struct value){ .type = VALUE_TEXT, .bytes = text, .len = strlen(text) }
                : (struct value){ .type = VALUE_NULL };
}

struct value value_blob(const void *bytes, size_t len)
{
    return bytes ? (struct value){ .type = VALUE_BLOB, .bytes = bytes, .len = len }
                 : (struct value){ .type = VALUE_NULL };
}

const char *value_str(const struct value *value)
{
    return value->type == VALUE_TEXT ? value->bytes : "";
}

static void put_number(struct buf *buf, uint64_t number)
{
    const uint64_t wide = htobe64(number);

    buf_put(buf, &wide, sizeof(wide));
}

/* Each value says its type, and its number or length in 8 bytes: no two rows have the same bytes. */
static void put_value(struct buf *buf, const struct value *value)
{
    static const char letters[] = { [VALUE_NULL] = 'n', [VALUE_INT] = 'i', [VALUE_TEXT] = 't',
                                    [VALUE_BLOB] = 'b' };

    buf_putc(buf, letters[value->type]);
    if (value->type == VALUE_INT)
        put_number(buf, (uint64_t)value->number);
    else if (value->type != VALUE_NULL) {
        put_number(buf, value->len);
        buf_put(buf, value->bytes, value->len);
    }
}

void chain_add(struct chain *chain, const struct value *values, int len)
{
    PS_AUTO(buf_free) struct buf row = BUF(SIZE_MAX);

    buf_puts(&row, chain->hex);
    for (int i = 0; i < len; i++)
        put_value(&row, &values[i]);
    digest_sha256_hex(row.p, row.len, chain->hex);
}
