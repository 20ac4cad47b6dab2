/*
 * fuzz_hba_regex.c - a pattern, a zero byte, a text.  Promises: only what both languages share gets a
 * certain answer, and the first group lies inside the text.
 */
#include "base/mem.h"
#include "pg/hba_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 300)         /* regexec() of the C library takes long for long nested groups */
        return 0;

    /* exactly as long as they are, so that a sanitizer sees a read behind the end */
    size_t len = strnlen((const char *)data, size);
    PS_AUTO(ps_freep) char *pattern = ps_strndup((const char *)data, len);
    PS_AUTO(ps_freep) char *text =
        len < size ? ps_strndup((const char *)data + len + 1, size - len - 1) : ps_strdup("");
    struct hba_span group = { -1, -1 };
    enum hba_regex kind = hba_regex_judge(pattern);
    enum hba_match match = hba_regex_match(pattern, text, &group);

    if (kind != HBA_REGEX_SHARED && match != HBA_MAYBE)
        abort();
    if (group.begin > group.end || group.end > (long)strlen(text))
        abort();
    return 0;
}
