/* flow_end.c - how a connection ends: what it came to is reported, and its place is free; see flow_part.h. */
#include "capture/flow_part.h"

enum { EVICT_PROBES = 64 };

/* ---- what it came to ---- */

static void fill_end(const struct flow *flow, enum talk_side side, struct conn *conn)
{
    int dir = side == SIDE_CLIENT ? flow->client : !flow->client;
    const uint64_t *address = flow->key.address[dir ^ flow->swapped];

    conn->port[side] = flow_key_port(&flow->key, dir ^ flow->swapped);
    if (flow->key.ports & FLOW_V6)
        memcpy(conn->address[side], address, 16);
    else
        memcpy(conn->address[side], &(uint32_t){ (uint32_t)address[1] }, 4);
    conn->bytes[side] = flow->stream[dir].bytes;
    conn->lost[side] = flow->stream[dir].lost;
}

static void fill_conn(const struct flow *flow, struct conn *conn)
{
    *conn = (struct conn){
        .v6 = flow->key.ports & FLOW_V6, .from_start = flow->from_start, .reset = flow->reset,
        .closed = flow->closed || flow->stream[0].fin || flow->stream[1].fin,
        .one_direction = !flow->seen[0] || !flow->seen[1],
        .first_us = flow->first_us, .last_us = flow->last_us, .packets = flow->packets,
        .facts = flow->talk.facts,
    };
    fill_end(flow, SIDE_CLIENT, conn);
    fill_end(flow, SIDE_SERVER, conn);
    for (int i = 0; i < TALK_TEXTS; i++)
        conn->text[i] = flow->talk.text[i];
}

/* Why nobody can say what the receiver took. */
static enum reason doubt_of(const struct flow *flow)
{
    if (flow->doubted)
        return (enum reason)flow->doubted;
    if (flow->stream[0].differs || flow->stream[1].differs)
        return R_COPIES;
    return flow->stream[0].strange || flow->stream[1].strange ? R_STRANGE : R_NONE;
}

static void judge(const struct flow *flow, struct conn *conn)
{
    enum reason doubted = doubt_of(flow);
    enum reason reason;
    enum verdict verdict = talk_verdict(&flow->talk, conn->closed, &reason);

    if (verdict == V_UNKNOWN && reason != R_BEGAN_BEFORE && reason != R_OVER_BOUND
        && conn->one_direction)
        reason = R_ONE_DIRECTION;
    if (reason == R_LOST && flow->cut)
        reason = R_CUT;
    if (doubted && !verdict_is_readable(verdict) && verdict != V_INJECTED) {
        verdict = V_UNKNOWN;
        reason = doubted;
    }
    conn->verdict = (uint8_t)verdict;
    conn->reason = (uint8_t)reason;
    conn->recognised = !conn->facts.not_postgres && conn->facts.start != START_UNKNOWN;
}

static void report(struct flows *flows, struct flow *flow)
{
    struct conn conn;

    for (int dir = 0; dir < 2; dir++) {
        struct delivery to = { flows, flow, dir };

        stream_end(&flow->stream[dir], &flows->pool,
                   talk_is_deaf(&flow->talk) ? NULL : flow_deliver, &to);
    }
    talk_end(&flow->talk);
    fill_conn(flow, &conn);
    judge(flow, &conn);
    flows->verdicts[conn.verdict]++;
    if (flows->spec.write)
        flow_keep_end(flows, flow, (enum verdict)conn.verdict);
    flows->spec.done(flows->spec.of, &conn);
}

void flow_end(struct flows *flows, uint32_t i)
{
    struct flow *flow = flow_at(flows, i);

    report(flows, flow);
    flows->parts_bytes -= flow->part_bytes;
    stream_free(&flow->stream[0], &flows->pool);
    stream_free(&flow->stream[1], &flows->pool);
    talk_free(&flow->talk);
    flow_table_remove(&flows->table, i);
}

/* ---- those that are over stand in a list, for what comes late ---- */

/* Its time is kept beside, for every packet asks. */
static void set_first(struct flows *flows, uint32_t i)
{
    flows->linger_first = i;
    if (i == NO_FLOW) {
        flows->linger_last = NO_FLOW;
        return;
    }
    flows->linger_us = flow_at(flows, i)->closed_us;
    flow_at(flows, i)->lingers_before = NO_FLOW;
}

void flow_linger(struct flows *flows, uint32_t i)
{
    struct flow *flow = flow_at(flows, i);

    if (flow->closed)
        return;
    flow->closed = true;
    flow->closed_us = flows->now_us;
    flow->lingers = NO_FLOW;
    flow->lingers_before = flows->linger_last;
    if (flows->linger_last == NO_FLOW)
        set_first(flows, i);
    else
        flow_at(flows, flows->linger_last)->lingers = i;
    flows->linger_last = i;
}

static void end_first_lingering(struct flows *flows)
{
    uint32_t i = flows->linger_first;

    set_first(flows, flow_at(flows, i)->lingers);
    flow_end(flows, i);
}

void flow_end_lingering(struct flows *flows)
{
    while (flows->linger_first != NO_FLOW) {
        int64_t passed = flows->now_us - flows->linger_us;

        /* a clock that was set back must not make them stay for ever */
        if (passed <= FLOW_LINGER_US && passed >= -FLOW_LINGER_US)
            return;
        end_first_lingering(flows);
    }
}

/* Ports that are used again take one out of the middle, and there may be hundreds of thousands. */
static void leave_lingering(struct flows *flows, const struct flow *flow)
{
    uint32_t before = flow->lingers_before, next = flow->lingers;

    if (next == NO_FLOW)
        flows->linger_last = before;
    else
        flow_at(flows, next)->lingers_before = before;
    if (before == NO_FLOW)
        set_first(flows, next);
    else
        flow_at(flows, before)->lingers = next;
}

void flow_end_now(struct flows *flows, uint32_t i)
{
    if (flow_at(flows, i)->closed)
        leave_lingering(flows, flow_at(flows, i));
    flow_end(flows, i);
}

/* One that is over, or the quietest of a few. */
void flow_evict(struct flows *flows)
{
    uint32_t quietest = NO_FLOW, all = flow_table_all(&flows->table);

    flows->counts.evicted++;
    if (flows->linger_first != NO_FLOW) {
        end_first_lingering(flows);
        return;
    }
    for (int probes = 0; probes < EVICT_PROBES; flows->hand = (flows->hand + 1) % all) {
        const struct flow *flow = flow_at(flows, flows->hand);

        if (!flow->used)
            continue;
        probes++;
        if (quietest == NO_FLOW || flow->last_us < flow_at(flows, quietest)->last_us)
            quietest = flows->hand;
    }
    talk_give_up(&flow_at(flows, quietest)->talk, R_OVER_BOUND);
    flow_end(flows, quietest);
}
