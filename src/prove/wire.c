/* wire.c - a proof beside what its packets showed. */
#include "base/buf.h"
#include "prove/result.h"

enum { WAYS_TEXT = 1024 };

static bool is_of(const struct prove_row *row, const struct prove_packets *packets)
{
    for (size_t i = 0; i < row->ports.len; i++)
        if (row->ports.at[i] == packets->client_port)
            return true;
    return false;
}

static void count(const struct prove_packets *packets, struct prove_wire *wire)
{
    wire->connections++;
    wire->encrypted += packets->encrypted;
    wire->open += packets->went_on;
    wire->refused += packets->readable && !packets->went_on;
    wire->unseen += packets->unknown;
}

/* What a row says of itself must not be better than what its packets say. */
static void compare(struct prove_row *row, bool encrypted, bool unknown)
{
    bool claims = row->seen == WAY_IN_TLS || row->seen == WAY_PASSWORD_TLS;

    if (!claims || encrypted || unknown || row->verdict == PROVE_NOT_EXAMINED)
        return;
    row->verdict = PROVE_FAIL;
    row->why = _("It seemed to be encrypted, but its packets show no connection that was.");
}

/* An sslmode has two ways, without a certificate and with one, of the same name. */
static bool ends_with(const struct buf *list, const char *label)
{
    size_t len = strlen(label);

    return list->len >= len && memcmp(list->p + list->len - len, label, len) == 0;
}

static void add_row(struct prove_result *result, struct prove_row *row,
                    const struct prove_packets *packets, size_t len, struct buf *open_ways)
{
    PS_AUTO(buf_free) struct buf words = BUF(WAYS_TEXT);
    bool encrypted = false, unknown = false, open = false;
    size_t found = 0;

    for (size_t i = 0; i < len; i++) {
        if (!is_of(row, &packets[i]))
            continue;
        buf_printf(&words, "%s%s", found++ ? ", " : "", packets[i].word);
        count(&packets[i], &result->wire);
        encrypted = encrypted || packets[i].encrypted;
        unknown = unknown || packets[i].unknown;
        open = open || packets[i].went_on;
    }
    if (found < row->ports.len)
        result->wire.unseen += row->ports.len - found;
    if (row->ports.len)
        row->wire = found ? arena_strdup(result->arena, buf_text(&words)) : "unknown";
    if (open && !ends_with(open_ways, _(row->label)))
        buf_printf(open_ways, "%s%s", open_ways->len ? ", " : "", _(row->label));
    compare(row, encrypted, unknown || found < row->ports.len);
}

void prove_add_wire(struct prove_result *result, const char *interface,
                    const struct prove_packets *packets, size_t len)
{
    PS_AUTO(buf_free) struct buf open_ways = BUF(WAYS_TEXT);

    result->wire = (struct prove_wire){ .looked = true,
                                        .interface = arena_strdup(result->arena, interface) };
    for (size_t i = 0; i < result->rows_len; i++)
        add_row(result, &result->rows[i], packets, len, &open_ways);
    if (open_ways.len)
        result->wire.open_ways = arena_strdup(result->arena, buf_text(&open_ways));
}

void prove_no_wire(struct prove_result *result, const char *interface, const char *why)
{
    result->wire = (struct prove_wire){ .looked = true,
                                        .interface = arena_strdup(result->arena, interface),
                                        .why_not = arena_strdup(result->arena, why) };
}
