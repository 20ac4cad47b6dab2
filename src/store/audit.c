/* audit.c - the audit log read, and held against everything the acts wrote; see store.h. */
#include "store/internal.h"

#define ACT_COLUMNS "id, at, who, host, pid, act, object, detail, part, part_rows, covers, hash"

enum { A_ID, A_AT, A_WHO, A_HOST, A_PID, A_ACT, A_OBJECT, A_DETAIL, A_PART, A_ROWS, A_COVERS,
       A_HASH };

struct act_walk {
    store_act_fn fn;
    void *arg;
};

static bool give_act(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct act_walk *walk = arg;
    const struct store_act act = {
        .id = columns[A_ID].number, .at = columns[A_AT].number, .who = value_str(&columns[A_WHO]),
        .host = value_str(&columns[A_HOST]), .pid = columns[A_PID].number,
        .act = value_str(&columns[A_ACT]), .object = value_str(&columns[A_OBJECT]),
        .detail = value_str(&columns[A_DETAIL]), .hash = value_str(&columns[A_HASH]),
    };

    return walk->fn(walk->arg, &act, err);
}

bool store_each_act(struct store *store, int64_t after, store_act_fn fn, void *arg,
                    struct ps_err *err)
{
    struct act_walk walk = { fn, arg };

    return RUN(store, err, give_act, &walk,
               "SELECT " ACT_COLUMNS " FROM audit WHERE id > $1 ORDER BY id", value_int(after));
}

/* ---- what an act has in a table ---- */

struct digest_walk {
    struct chain chain;
    int64_t rows;
    int len;
};

static bool add_to_digest(void *arg, const struct value *columns, struct ps_err *err)
{
    struct digest_walk *walk = arg;

    (void)err;
    chain_add(&walk->chain, columns, walk->len);
    walk->rows++;
    return true;
}

bool act_digest(struct store *store, enum part part, int64_t id, struct chain *out, int64_t *rows,
                struct ps_err *err)
{
    struct digest_walk walk = { .len = parts[part].len };
    PS_AUTO(ps_freep) char *sql =
        ps_asprintf("SELECT %s FROM %s WHERE id >= $1 AND id < $2 ORDER BY id",
                    parts[part].columns, parts[part].name);

    if (!RUN(store, err, add_to_digest, &walk, sql, value_int(id * ROWS_OF_ACT),
             value_int((id + 1) * ROWS_OF_ACT)))
        return false;
    *out = walk.chain;
    *rows = walk.rows;
    return true;
}

/* ---- verify: the log itself ---- */

static void blame(struct store_verdict *verdict, int64_t act, const char *what)
{
    if (!verdict->sound && verdict->bad_act <= act)
        return;
    verdict->sound = false;
    verdict->bad_act = act;
    snprintf(verdict->what, sizeof(verdict->what), "%s", what);
}

struct log_walk {
    struct store_verdict *verdict;
    int64_t last;
};

static bool check_act(void *arg, const struct value *columns, struct ps_err *err)
{
    struct log_walk *walk = arg;
    struct chain hash = { "" };
    const int64_t id = columns[A_ID].number;

    (void)err;
    memcpy(hash.hex, walk->verdict->head, sizeof(hash.hex));
    chain_add(&hash, columns, A_HASH);
    if (id != walk->last + 1)
        blame(walk->verdict, walk->last + 1, _("it was removed from the audit log"));
    else if (strcmp(hash.hex, value_str(&columns[A_HASH])) != 0)
        blame(walk->verdict, id, _("its row in the audit log was changed"));
    walk->last = id;
    walk->verdict->acts++;
    snprintf(walk->verdict->head, sizeof(walk->verdict->head), "%s",
             value_str(&columns[A_HASH]));
    return true;
}

struct head {
    int64_t id;
    char hash[STORE_HASH_HEX];
};

static bool take_head_row(void *arg, const struct value *columns, struct ps_err *err)
{
    struct head *head = arg;

    (void)err;
    head->id = columns[0].number;
    snprintf(head->hash, sizeof(head->hash), "%s", value_str(&columns[1]));
    return true;
}

static bool check_log(struct store *store, struct store_verdict *out, struct ps_err *err)
{
    struct log_walk walk = { out, 0 };
    struct head head = { 0 };

    if (!store_run(store, "SELECT " ACT_COLUMNS " FROM audit ORDER BY id", NULL, 0, check_act,
                   &walk, err)
        || !store_run(store, "SELECT id, hash FROM audit_head", NULL, 0, take_head_row, &head,
                      err))
        return false;
    if (head.id > walk.last)
        blame(out, walk.last + 1, _("it was removed from the end of the audit log"));
    else if (head.id < walk.last || strcmp(head.hash, out->head) != 0)
        blame(out, head.id + 1, _("it was put in behind the end of the audit log"));
    return true;
}

/* ---- verify: what the acts wrote ---- */

struct part_walk {
    struct store_verdict *verdict;
    int64_t act, rows, rows_said;       /* act 0: none yet */
    struct chain chain;
    char said[STORE_HASH_HEX];
    int len;
};

static void judge_act(struct part_walk *walk)
{
    if (walk->act == 0)
        return;
    if (walk->rows < walk->rows_said)
        blame(walk->verdict, walk->act, _("something that it recorded was removed"));
    else if (walk->rows > walk->rows_said)
        blame(walk->verdict, walk->act, _("something was put in that it did not record"));
    else if (strcmp(walk->chain.hex, walk->said) != 0)
        blame(walk->verdict, walk->act, _("something that it recorded was changed"));
}

/* act, rows, covers, and then the columns of the part; those are null when the act has no row */
static bool check_row(void *arg, const struct value *columns, struct ps_err *err)
{
    struct part_walk *walk = arg;

    (void)err;
    if (columns[0].number != walk->act) {
        judge_act(walk);
        walk->act = columns[0].number;
        walk->rows = 0;
        walk->rows_said = columns[1].number;
        walk->chain = (struct chain){ "" };
        snprintf(walk->said, sizeof(walk->said), "%s", value_str(&columns[2]));
    }
    if (columns[3].type == VALUE_INT) {
        chain_add(&walk->chain, columns + 3, walk->len);
        walk->rows++;
    }
    return true;
}

/* "t.id, t.issuer, ..." */
static char *with_table(const char *columns)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    buf_puts(&text, "t.");
    for (const char *p = columns; *p; p++) {
        buf_putc(&text, *p);
        if (*p == ' ')
            buf_puts(&text, "t.");
    }
    return buf_take(&text);
}

/* Rows of acts that are not in the log, or wrote into another table. */
static bool check_strays(struct store *store, enum part part, struct store_verdict *out,
                         struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sql = ps_asprintf(
        "SELECT min(t.id / %d) FROM %s t WHERE NOT EXISTS"
        " (SELECT 1 FROM audit a WHERE a.id = t.id / %d AND a.part = $1)",
        ROWS_OF_ACT, parts[part].name, ROWS_OF_ACT);
    int64_t stray = -1;

    if (!RUN(store, err, take_int, &stray, sql, value_text(parts[part].name)))
        return false;
    if (stray >= 0)
        blame(out, stray, _("something was put in that it did not record"));
    return true;
}

static bool check_part(struct store *store, enum part part, struct store_verdict *out,
                       struct ps_err *err)
{
    struct part_walk walk = { .verdict = out, .len = parts[part].len };
    PS_AUTO(ps_freep) char *columns = with_table(parts[part].columns);
    PS_AUTO(ps_freep) char *sql = ps_asprintf(
        "SELECT a.id, a.part_rows, a.covers, %s FROM audit a LEFT JOIN %s t"
        " ON t.id >= a.id * %d AND t.id < (a.id + 1) * %d WHERE a.part = $1 ORDER BY a.id, t.id",
        columns, parts[part].name, ROWS_OF_ACT, ROWS_OF_ACT);

    if (!RUN(store, err, check_row, &walk, sql, value_text(parts[part].name)))
        return false;
    judge_act(&walk);
    return check_strays(store, part, out, err);
}

bool store_verify(struct store *store, struct store_verdict *out, struct ps_err *err)
{
    struct store_verdict verdict = { .sound = true };

    if (store->grouped)
        return ps_fail(err, PS_E_BUG, "a group is open");
    if (!store->engine->begin(store->db, false, err))
        return false;
    bool looked = check_log(store, &verdict, err);
    for (int part = PART_NONE + 1; looked && part < PART_LEN; part++)
        looked = check_part(store, (enum part)part, &verdict, err);
    store->engine->rollback(store->db);
    if (looked)
        *out = verdict;
    return looked;
}
