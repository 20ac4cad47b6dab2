/* hba_facts.c - see hba_facts.h. */
#include "rules/hba_facts.h"

#include <sys/socket.h>

#include "pg/hba_match.h"

#define FROM_SHOWN 8
#define FROM_TEXT_MAX 4096

bool hba_seen(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (posture->hba)
        return true;
    rule_unseen(rule, out, posture->hba_why ? posture->hba_why : _("pg_hba.conf was not seen"));
    return false;
}

static unsigned bits_of(const unsigned char mask[16])
{
    unsigned bits = 0;

    while (bits < 128 && mask[bits / 8] & 0x80 >> bits % 8)
        bits++;
    return bits;
}

struct reach *hba_reach_of(const struct posture *posture, const struct hba *hba)
{
    struct reach_world world = { .nets_known = posture->interfaces != NULL,
                                 .nets_len = posture->interfaces_len };
    struct reach_net *nets = arena_alloc(posture->arena, (world.nets_len + 1) * sizeof(*nets));

    for (size_t i = 0; i < world.nets_len; i++) {
        const struct interface_fact *interface = &posture->interfaces[i];

        nets[i] = (struct reach_net){ .family = interface->family,
                                      .bits = bits_of(interface->mask) };
        memcpy(nets[i].addr, interface->addr, sizeof(nets[i].addr));
    }
    world.nets = nets;
    return reach_new(hba, &world);
}

/* ---- exposure ---- */

struct finding_exposures {
    struct exposures *out;
    enum exposure_of of;
    bool (*selects)(const struct hba_rule *rule, void *arg);
    void *arg;
};

static bool ask_selects(const struct hba_rule *rule, void *arg)
{
    const struct finding_exposures *finding = arg;

    return finding->selects(rule, finding->arg);
}

/* Does the row speak of databases, or of replication? */
static bool speaks_of(const struct reach_row *row, enum exposure_of of)
{
    for (size_t i = 0; i < row->databases_len; i++)
        if (of == EXPOSED_ANY
            || hba_token_is(&row->databases[i], "replication") == (of == EXPOSED_REPLICATION))
            return true;
    return false;
}

static void note_net(struct exposure *exposure, const struct reach_net *net)
{
    char text[REACH_NET_TEXT_MAX];

    if (exposure->from_len++ >= FROM_SHOWN)
        return;
    reach_net_text(net, text);
    if (!strstr(buf_text(&exposure->from), text))
        buf_printf(&exposure->from, "%s%s", exposure->from.len ? ", " : "", text);
}

static void note_row(const struct reach_row *row, void *arg)
{
    const struct finding_exposures *finding = arg;
    struct exposure *exposure = &finding->out->of[row->rule];

    if (!speaks_of(row, finding->of))
        return;
    if (exposure->from.max == 0)
        exposure->from = BUF(FROM_TEXT_MAX);
    exposure->local |= row->kind == REACH_LOCAL;
    exposure->plain |= row->kind == REACH_PLAIN;
    exposure->loopback |= row->loopback;
    exposure->beyond |= row->beyond;
    for (size_t i = 0; i < row->nets_len && !row->by_name && !row->same_net; i++)
        note_net(exposure, &row->nets[i]);
}

void exposures_find(const struct reach *reach, const struct hba *hba, unsigned kinds,
                    enum exposure_of of, bool (*selects)(const struct hba_rule *rule, void *arg),
                    void *arg, struct exposures *out)
{
    struct finding_exposures finding = { out, of, selects, arg };

    *out = (struct exposures){ .len = hba_rules(hba) };
    out->of = ps_calloc(out->len, sizeof(*out->of));
    for (unsigned kind = 0; kind < REACH_KINDS; kind++)
        if (kinds & REACH_BIT(kind))
            reach_regions(reach, (enum reach_kind)kind, ask_selects, note_row, &finding);
}

void exposures_free(struct exposures *exposures)
{
    for (size_t i = 0; i < exposures->len; i++)
        buf_free(&exposures->of[i].from);
    free(exposures->of);
}

bool exposed(const struct exposure *exposure)
{
    return exposure->local || exposure->loopback || exposure->beyond;
}

/* ---- places ---- */

static const char *squeezed(const struct posture *posture, const struct hba_rule *rule)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    char *out, *to;
    bool blank = false;

    hba_span(posture->hba, rule, rule->type_begin, rule->method_end, &text);
    out = to = arena_alloc(posture->arena, text.len + 1);
    for (const char *p = buf_text(&text); *p; p++) {
        bool is_blank = strchr(" \t\r\n\\", *p) != NULL;

        if (!is_blank && blank && to != out)
            *to++ = ' ';
        if (!is_blank)
            *to++ = *p;
        blank = is_blank;
    }
    return out;
}

struct finding hba_finding_at(const struct posture *posture, const struct hba_rule *rule,
                              size_t begin, size_t end)
{
    return (struct finding){ .place = posture_hba_place(posture, rule, begin, end),
                             .object = squeezed(posture, rule) };
}

struct finding hba_finding_type(const struct posture *posture, const struct hba_rule *rule)
{
    return hba_finding_at(posture, rule, rule->type_begin, rule->type_end);
}

struct finding hba_finding_method(const struct posture *posture, const struct hba_rule *rule)
{
    return hba_finding_at(posture, rule, rule->method_begin, rule->method_end);
}

static void put_line(const struct hba_rule *beside, const struct hba_rule *rule, struct buf *out)
{
    if (strcmp(beside->file, rule->file) == 0)
        buf_printf(out, "%u", rule->line);
    else
        buf_printf(out, "%s:%u", rule->file, rule->line);
}

const char *hba_lines_text(const struct posture *posture, const struct hba *hba,
                           const struct hba_rule *beside, const size_t *rules, size_t len, bool more)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < len; i++) {
        buf_puts(&text, i > 0 ? ", " : "");
        put_line(beside, hba_rule(hba, rules[i]), &text);
    }
    if (more)
        buf_puts(&text, len ? ", ..." : "...");
    return arena_strdup(posture->arena, buf_text(&text));
}

struct finding hba_finding_problem(const struct posture *posture, const struct hba_problem *problem)
{
    return (struct finding){
        .place = { .file = problem->file, .line = problem->line, .column = problem->column,
                   .text = arena_strndup(posture->arena, problem->text, problem->text_len) },
        .message = problem->what, .fix_kind = problem->hint ? FIX_ADVICE : FIX_NONE,
        .fix = problem->hint, .object = problem->what,
    };
}
