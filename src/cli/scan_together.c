/* scan_together.c - see scan_together.h. */
#include "cli/scan_together.h"

#include <stdlib.h>

#include "base/buf.h"

/* ---- keys ---- */

struct owner {
    struct seen *seen;
    bool v6;                    /* by its address */
    char key[CERT_FINGERPRINT_HEX];
};

static int by_key(const void *left, const void *right)
{
    const struct owner *a = left, *b = right;

    return strcmp(a->key, b->key);
}

/*
 * One server by two names has one key, and that is as it should be.  So has one with an address of each family:
 * it has one certificate, and its cluster one salt for a role that is not there.  (A standby has them too; that
 * one of the two listens on IPv4 alone, on the same port, and the other on IPv6 is not what standbys are like.)
 */
static enum fact_bool is_same_server(const struct owner *one, const struct owner *other)
{
    const struct seen *a = one->seen, *b = other->seen;

    if (a->port != b->port)
        return FACT_NO;
    if (one->v6 == other->v6)
        return strcmp(a->address, b->address) == 0 ? FACT_YES : FACT_NO;
    if (!cert_same(a->chain.at[0], b->chain.at[0]))
        return FACT_NO;
    if (!a->binding.salt || !b->binding.salt)
        return FACT_UNKNOWN;
    return strcmp(a->binding.salt, b->binding.salt) == 0 ? FACT_YES : FACT_NO;
}

/*
 * The names of all owners that are `same` as one, or not, as far as they fit; NULL: there are none.  Ten thousand may
 * have one key, and each is compared with the others: those that cannot be meant must cost next to nothing.
 */
static const char *others(const struct owner *owners, size_t len, size_t but, enum fact_bool same)
{
    PS_AUTO(buf_free) struct buf text = BUF(4096);

    for (size_t i = 0; i < len && !text.over; i++) {
        if (i == but || (same == FACT_UNKNOWN && owners[i].v6 == owners[but].v6))
            continue;
        if (is_same_server(&owners[i], &owners[but]) == same)
            buf_printf(&text, "%s%s:%d", text.len ? ", " : "", owners[i].seen->host, owners[i].seen->port);
    }
    return text.len ? arena_strdup(owners[but].seen->arena, buf_text(&text)) : NULL;
}

void scan_find_shared_keys(struct seen *const *seen, size_t seen_len)
{
    PS_AUTO(ps_freep) struct owner *owners = ps_calloc(seen_len + 1, sizeof(*owners));
    size_t len = 0;

    for (size_t i = 0; i < seen_len; i++) {
        if (!seen[i] || !seen[i]->chain.len || !*cert_key_sha256(seen[i]->chain.at[0], owners[len].key))
            continue;
        owners[len].seen = seen[i];
        owners[len++].v6 = strchr(seen[i]->address, ':') != NULL;
    }
    qsort(owners, len, sizeof(*owners), by_key);
    for (size_t i = 0, n; i < len; i += n) {
        for (n = 1; i + n < len && strcmp(owners[i].key, owners[i + n].key) == 0; )
            n++;
        for (size_t k = 0; n > 1 && k < n; k++) {
            owners[i + k].seen->shares_key_with = others(&owners[i], n, k, FACT_NO);
            owners[i + k].seen->may_be = others(&owners[i], n, k, FACT_UNKNOWN);
        }
    }
}

/* ---- CAs ---- */

static bool has_cert(const struct cert_list *list, const struct cert *cert)
{
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(cert_info(list->at[i])->fingerprint, cert_info(cert)->fingerprint) == 0)
            return true;
    return false;
}

/* A bound, for they come from strangers; a company has few. */
enum { AROUND_MAX = 64 };

void scan_collect_cas(struct seen *const *seen, size_t len, struct cert_list *out)
{
    for (size_t i = 0; i < len; i++)
        for (size_t k = 1; seen[i] && k < seen[i]->chain.len; k++) {
            struct cert *cert = seen[i]->chain.at[k];

            if (cert_info(cert)->is_ca && out->len < AROUND_MAX && !has_cert(out, cert))
                cert_list_add(out, cert);
        }
}
