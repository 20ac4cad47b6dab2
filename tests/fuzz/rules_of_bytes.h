/*
 * rules_of_bytes.h - a pg_hba.conf and questions about it from the bytes of a fuzzer: words from small
 * tables, chosen so that rules meet, contain and complete each other often.
 */
#ifndef FUZZ_RULES_OF_BYTES_H
#define FUZZ_RULES_OF_BYTES_H

#include <arpa/inet.h>

#include "base/mem.h"
#include "pg/hba.h"

struct bytes {
    const uint8_t *at;
    size_t len;
    uint32_t dice;              /* goes on when the bytes are used up */
};

static inline unsigned next_below(struct bytes *bytes, unsigned count)
{
    bytes->dice = bytes->dice * 1664525u + 1013904223u;
    if (bytes->len == 0)
        return (bytes->dice >> 16) % count;
    bytes->len--;
    return *bytes->at++ % count;
}

static const char *const fuzz_types[] = { "host", "host", "host", "hostssl", "hostnossl", "local",
                                          "hostgssenc", "hostnogssenc" };
static const char *const fuzz_databases[] = {
    "all", "all", "a", "b", "a,b", "sameuser", "samerole", "replication", "all,replication", "\"all\"",
    "/^a", "/^a$", "/.*", "/b", "\"replication\"", "a,sameuser", "g", "/\\w", "\"\"", "b,samerole",
};
static const char *const fuzz_users[] = {
    "all", "all", "a", "b", "a,b", "+a", "+g", "\"+g\"", "/^a", "/b$", "/^b$", "\"\"", "a,+g", "/\\w", "/.", "g",
};
static const char *const fuzz_addresses[] = {
    "all", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.0.0/9",
    "10.128.0.0/9", "10.1.0.0 255.0.255.0", "10.0.1.0 255.255.1.0", "127.0.0.0/8", "::1/128", "samehost",
    "samenet", "h.example.com", ".example.com", "H.Example.com", ".com", "ALL", "8000::/1", "::/1",
    "127.0.0.1/32", "10.0.0.1 85.85.85.255", "::ffff:10.0.0.0/104", "10.0.0.5/32",
};
static const char *const fuzz_methods[] = { "trust", "reject", "md5", "scram-sha-256", "password" };

#define PICK(bytes, table) (table)[next_below(bytes, PS_COUNT(table))]

/* `count` lines; the text is the caller's. */
static inline char *rules_text(struct bytes *bytes, unsigned count)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    for (unsigned i = 0; i < count; i++) {
        const char *type = PICK(bytes, fuzz_types);

        buf_printf(&text, "%s %s %s ", type, PICK(bytes, fuzz_databases), PICK(bytes, fuzz_users));
        if (strcmp(type, "local") != 0)
            buf_printf(&text, "%s ", PICK(bytes, fuzz_addresses));
        buf_printf(&text, "%s\n", PICK(bytes, fuzz_methods));
    }
    return buf_take(&text);
}

static inline void next_question(struct bytes *bytes, struct hba_question *out)
{
    static const char *const names[] = { "a", "b", "g", "ab", "all", "replication", "other", "+g" };
    static const char *const groups[][4] = { { NULL }, { "g", NULL }, { "a", "g", NULL },
                                             { "a", "b", "g", NULL } };
    static const char *const clients[] = { "10.0.0.5", "10.200.0.1", "10.1.0.9", "200.0.0.1", "127.0.0.1",
                                           "127.0.0.2", "::1", "::ffff:10.0.0.5", "fe80::1", "10.0.1.1",
                                           "0.0.0.0", "255.255.255.255" };
    static const char *roles[8];
    const char *client = PICK(bytes, clients);
    unsigned kind = next_below(bytes, 8), known = next_below(bytes, 5);
    size_t len = 0;

    *out = (struct hba_question){ .local = kind == 0, .tls = kind == 1 || kind == 2, .gss = kind == 3,
                                  .replication = next_below(bytes, 6) == 0,
                                  .database = PICK(bytes, names), .user = PICK(bytes, names) };
    if (inet_pton(AF_INET, client, &((struct sockaddr_in *)&out->addr)->sin_addr) == 1)
        out->addr.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, client, &((struct sockaddr_in6 *)&out->addr)->sin6_addr) == 1)
        out->addr.ss_family = AF_INET6;
    if (known == PS_COUNT(groups))
        return;                 /* what it is a member of is not known */
    roles[len++] = out->user;
    for (const char *const *group = groups[known]; *group; group++)
        roles[len++] = *group;
    roles[len] = NULL;
    out->roles = roles;
}

static inline bool rules_read(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    (void)path;
    (void)err;
    return buf_puts(out, arg);
}

static inline struct hba *rules_load(char *text, unsigned major)
{
    struct pg_source source = { text, rules_read, NULL };
    struct ps_err err = { 0 };
    struct hba *hba = NULL;

    if (!hba_load(&source, "/m/pg_hba.conf", major, &hba, &err))
        abort();
    return hba;
}

#endif
