/* view.c - see view.h. */
#include "probe/view.h"

#include "base/clock.h"

static void release(struct posture *posture)
{
    cert_list_free(&((struct wire_fact *)posture->owned)->served);
}

/* The answer to SSLRequest is all that is seen of the settings. */
static void see_ssl(struct posture *posture, const struct seen *seen)
{
    struct setting_fact *ssl;

    if (seen->reach != REACH_YES || !strchr("SN", seen->letter))
        return;
    ssl = arena_alloc(posture->arena, sizeof(*ssl));
    *ssl = (struct setting_fact){ .name = "ssl", .value = seen->letter == 'S' ? "on" : "off",
                                  .origin = "network" };
    posture->settings = ssl;
    posture->settings_len = 1;
}

struct posture *view_posture(const struct seen *seen, const struct cert_list *trust,
                             const struct crl_list *crls)
{
    struct posture *posture = ps_calloc(1, sizeof(*posture));
    struct wire_fact *wire;

    posture->arena = arena_new();
    posture->source = POSTURE_NETWORK;
    posture->name = arena_printf(posture->arena, strchr(seen->host, ':') ? "[%s]:%d" : "%s:%d",
                                 seen->host, seen->port);
    posture->now = clock_now();
    posture->seen = seen;
    posture->trust = trust;
    posture->crls = crls;
    see_ssl(posture, seen);

    wire = arena_alloc(posture->arena, sizeof(*wire));
    *wire = (struct wire_fact){ .host = seen->host, .port = seen->port,
                                .tls = seen->letter == 'S' ? FACT_YES
                                     : seen->letter == 'N' ? FACT_NO : FACT_UNKNOWN };
    for (size_t i = 0; i < seen->chain.len; i++)
        cert_list_add(&wire->served, seen->chain.at[i]);
    posture->wire = wire;
    posture->owned = wire;
    posture->release = release;
    return posture;
}
