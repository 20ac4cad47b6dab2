/* flow_keep.c - packets of suspicious connections; see flow_part.h. */
#include "capture/flow_part.h"

struct kept {                   /* a packet that may be written later */
    struct kept *next;
    int link_type;
    struct frame frame;
    uint8_t bytes[];
};

static void let_go(struct flows *flows, struct flow *flow, bool write)
{
    while (flow->kept) {
        struct kept *first = flow->kept;

        flow->kept = first->next;
        if (write)
            flows->spec.write(flows->spec.of, first->link_type, &first->frame);
        flows->kept_bytes -= sizeof(*first) + first->frame.captured;
        free(first);
    }
    flow->kept_bytes = 0;
}

void flow_keep_drop(struct flows *flows, struct flow *flow)
{
    let_go(flows, flow, false);
}

static void hold(struct flows *flows, struct flow *flow, int link_type, const struct frame *frame)
{
    size_t bytes = sizeof(struct kept) + frame->captured;
    struct kept *mine;

    if (flow->kept_bytes + bytes > FLOW_KEPT_MAX || flows->kept_bytes + bytes > FLOWS_KEPT_MAX) {
        flows->counts.kept_refused++;
        return;
    }
    mine = ps_malloc(bytes);
    *mine = (struct kept){ .link_type = link_type, .frame = *frame };
    mine->frame.bytes = memcpy(mine->bytes, frame->bytes, frame->captured);
    if (!flow->kept)
        flow->kept_last = &flow->kept;
    *flow->kept_last = mine;
    flow->kept_last = &mine->next;
    flow->kept_bytes += (uint32_t)bytes;
    flows->kept_bytes += bytes;
}

static void decide(struct flows *flows, struct flow *flow, enum verdict verdict)
{
    flow->keep = verdict_is_suspicious(verdict) ? KEEP_WRITE : KEEP_DROP;
    let_go(flows, flow, flow->keep == KEEP_WRITE);
}

void flow_keep_packet(struct flows *flows, struct flow *flow, int link_type, const struct frame *frame)
{
    enum reason reason;

    if (flow->keep == KEEP_HOLD) {
        bool clear = flow->talk.facts.protocol || talk_is_settled(&flow->talk);

        hold(flows, flow, link_type, frame);
        if (clear)
            decide(flows, flow, talk_verdict(&flow->talk, false, &reason));
    } else if (flow->keep == KEEP_WRITE || flow->talk.facts.behind) {
        flows->spec.write(flows->spec.of, link_type, frame);
    }
}

void flow_keep_end(struct flows *flows, struct flow *flow, enum verdict verdict)
{
    if (flow->keep == KEEP_HOLD)
        decide(flows, flow, verdict);
}
