/* prove_wire.c - see prove_wire.h. */
#include "cli/prove_wire.h"

#include "base/mem.h"

void prove_watch_free(struct prove_watch *watch)
{
    capture_reader_freep(&watch->reader);
    spool_freep(&watch->spool);
}

void prove_watch_begin(struct prove_watch *watch, const char *interface, int port)
{
    watch->interface = interface;
    watch->port = (uint16_t)port;
    watch->spec = (struct capture_spec){ .interface = interface, .ports = &watch->port,
                                         .ports_count = 1, .quiet = true };
    if (!spool_new(&watch->spool, &watch->why_not)
        || !capture_begin(&watch->spec, watch->spool, &watch->reader, &watch->why_not))
        watch->reader = NULL;
}

void prove_watch_go(struct prove_watch *watch)
{
    if (watch->reader && !capture_go(watch->reader, &watch->why_not))
        capture_reader_freep(&watch->reader);
}

static void take(const struct conn *conn, struct prove_packets *out)
{
    enum verdict verdict = conn->verdict;
    bool readable = verdict_is_readable(verdict);

    *out = (struct prove_packets){
        .client_port = conn->port[SIDE_CLIENT], .word = verdict_word(verdict),
        .encrypted = verdict_is_encrypted(verdict), .readable = readable,
        .unknown = verdict == V_UNKNOWN,
        .went_on = readable && (conn->facts.auth || conn->facts.authenticated),
    };
}

void prove_watch_end(struct prove_watch *watch, struct prove_result *result)
{
    PS_AUTO(ps_freep) struct prove_packets *packets = NULL;
    size_t len = 0, cap = 0;
    struct spool_item item;

    if (!watch->reader || !capture_end(watch->reader, &watch->why_not)) {
        prove_no_wire(result, watch->interface, watch->why_not.message);
        return;
    }
    while (spool_next(watch->spool, &item) != SPOOL_END)
        if (item.kind == SPOOL_CONN && item.conn.port[SIDE_SERVER] == watch->port)
            take(&item.conn, &PS_PUSH(packets, len, cap));
    prove_add_wire(result, watch->interface, packets, len);
}
