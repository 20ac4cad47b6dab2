/*
 * fuzz_conninfo.c - promises: reading moves on and ends; what was read, written anew, reads the same.
 */
#include "base/mem.h"
#include "pg/conninfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every pair of `text`, written anew; bounded by what can be in it. */
static void rewrite(const char *text, struct buf *out)
{
    PS_AUTO(buf_free) struct buf keyword = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf value = BUF(BUF_TEXT_MAX);
    size_t left = strlen(text) + 1;

    while (conninfo_next(&text, &keyword, &value)) {
        if (left-- == 0 || keyword.len == 0)
            abort();
        conninfo_add(out, buf_text(&keyword), buf_text(&value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(ps_freep) char *text = ps_strndup((const char *)data, size);
    PS_AUTO(buf_free) struct buf once = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf twice = BUF(BUF_TEXT_MAX);

    rewrite(text, &once);
    rewrite(buf_text(&once), &twice);
    if (strcmp(buf_text(&once), buf_text(&twice)) != 0)
        abort();
    return 0;
}
