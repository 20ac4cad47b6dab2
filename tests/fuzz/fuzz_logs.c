/*
 * fuzz_logs.c - any bytes as a server's log.  The input up to the first zero byte is the log_line_prefix
 * (none when empty); the rest is the log.
 *
 * Promises: the same messages come out whether it is fed at once or in pieces; a message is bounded; who
 * and when lie inside of what was read.
 */
#include "base/mem.h"
#include "doctor/logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct got {
    const struct logs *logs;
    uint64_t hash;
    size_t messages;
};

static void mix(struct got *got, const struct doctor_text *text)
{
    for (size_t i = 0; text->p && i < text->len; i++)
        got->hash = (got->hash ^ (unsigned char)text->p[i]) * 1099511628211u;
    got->hash = (got->hash ^ (text->p ? 0x100 : 0x200)) * 1099511628211u;
}

static void take(void *arg, const struct logs_message *message)
{
    struct got *got = arg;
    struct logs_message who = *message;

    if (message->text.len >= 2 * LOGS_MESSAGE_MAX)
        abort();
    logs_who(got->logs, &who);
    if (message->prefix.p && who.role.p
        && (who.role.p < who.prefix.p || who.role.p + who.role.len > who.prefix.p + who.prefix.len))
        abort();
    got->messages++;
    mix(got, &who.severity);
    mix(got, &who.time);
    mix(got, &who.role);
    mix(got, &who.database);
    mix(got, &who.address);
    mix(got, &who.text);
}

static struct got read_log(const char *prefix, const char *log, size_t len, size_t step)
{
    struct got got = { .hash = 14695981039346656037u };
    PS_AUTO(logs_freep) struct logs *logs = logs_new(prefix, take, &got);

    got.logs = logs;
    for (size_t at = 0; at < len; at += step)
        logs_feed(logs, log + at, len - at < step ? len - at : step);
    logs_end(logs);
    if (logs_count(logs)->messages != got.messages || logs_count(logs)->bytes != len)
        abort();
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size > 0 ? memchr(data, '\0', size) : NULL;
    const uint8_t *log = zero ? zero + 1 : data;
    size_t len = zero ? size - (size_t)(log - data) : size;
    PS_AUTO(ps_freep) char *prefix = zero && zero > data ? ps_strdup((const char *)data) : NULL;
    struct got whole = read_log(prefix, (const char *)log, len, len ? len : 1);

    for (size_t step = 1; step <= 64; step *= 4) {
        struct got parts = read_log(prefix, (const char *)log, len, step);

        if (parts.hash != whole.hash || parts.messages != whole.messages)
            abort();
    }
    (void)logs_is_log((const char *)log, len);
    return 0;
}
