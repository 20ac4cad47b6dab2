/* hba_diff_rows.c - see hba_diff_rows.h. */
#include "pg/hba_diff_rows.h"

#define LATEST_ROWS 64          /* a new row is put together with one of these, if it fits */
#define NAMES_TEXT_MAX 2000     /* of a row; then "..." */
#define NAMES_WORK_MAX (16u << 20)      /* steps to find out who is all; then it stays "all others" */

static void row_names_free(struct row_names *names)
{
    free(names->databases.at);
    free(names->roles.at);
}

void diff_rows_free(struct diff_rows *rows)
{
    for (size_t i = 0; i < rows->len; i++)
        row_names_free(&rows->names[i]);
    free(rows->names);
    free(rows->at);
}

/* ---- names ---- */

static const struct keys *keys_of(const struct diff_rows *rows, bool databases)
{
    return databases ? rows->sets->databases : rows->sets->roles;
}

static const char *name_text(const struct diff_rows *rows, bool database, uint32_t name)
{
    if (name == CASE_OTHER)
        return _("all others");
    if (name == CASE_REPLICATION)
        return _("(replication)");
    return keys_text(keys_of(rows, database), name);
}

static const char *with_name(struct arena *arena, const char *list, const char *name)
{
    size_t len = strlen(list);

    if (len > NAMES_TEXT_MAX)
        return strcmp(list + len - 3, "...") == 0 ? list : arena_printf(arena, "%s, ...", list);
    return len == 0 ? name : arena_printf(arena, "%s, %s", list, name);
}

static bool has_key(const struct row_keys *keys, uint32_t key)
{
    for (size_t i = 0; i < keys->len; i++)
        if (keys->at[i] == key)
            return true;
    return false;
}

/* ---- joining ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void add_keys(struct row_keys *keys, const struct row_keys *more)
{
    for (size_t i = 0; i < more->len; i++)
        PS_PUSH(keys->at, keys->len, keys->cap) = more->at[i];
}

/* Rows that differ in one of nets, roles and databases are one. */
static bool join_row(struct diff_rows *rows, size_t at, const struct diff_row *row,
                     const struct row_names *more)
{
    struct diff_row *old = &rows->at[at];
    struct row_names *names = &rows->names[at];
    bool nets = same_text(old->nets, row->nets), roles = same_text(old->roles, row->roles);
    bool databases = same_text(old->databases, row->databases);

    if (old->change != row->change || old->kind != row->kind || old->before != row->before
        || old->after != row->after || !same_text(old->given, row->given)
        || nets + roles + databases < 2)
        return false;
    if (!nets)
        old->nets = with_name(rows->arena, old->nets, row->nets);
    if (!roles) {
        old->roles = with_name(rows->arena, old->roles, row->roles);
        add_keys(&names->roles, &more->roles);
    }
    if (!databases) {
        old->databases = with_name(rows->arena, old->databases, row->databases);
        add_keys(&names->databases, &more->databases);
    }
    return true;
}

/* With one of the latest; false: with none of them. */
static bool join_latest(struct diff_rows *rows, const struct diff_row *row, const struct row_names *names)
{
    size_t first = rows->len > LATEST_ROWS ? rows->len - LATEST_ROWS : 0;

    for (size_t i = rows->len; i-- > first;)
        if (join_row(rows, i, row, names))
            return true;
    return false;
}

void diff_rows_add(struct diff_rows *rows, const struct hba_case *which, const struct diff_row *row)
{
    uint32_t database = which->database, role = which->role;
    const struct row_names one = { { &database, 1, 1 }, { &role, 1, 1 } };
    struct diff_row whole = *row;

    whole.databases = name_text(rows, true, database);
    whole.roles = name_text(rows, false, role);
    if (join_latest(rows, &whole, &one))
        return;
    if (rows->len == DIFF_ROWS_MAX) {
        rows->full = true;
        return;
    }

    struct row_names *names = &PS_PUSH(rows->names, rows->names_len, rows->names_cap);
    *names = (struct row_names){ 0 };
    add_keys(&names->databases, &one.databases);
    add_keys(&names->roles, &one.roles);
    PS_PUSH(rows->at, rows->len, rows->cap) = whole;
}

/* ---- who is all ---- */

static bool was_compared(const struct diff_rows *rows, bool databases, uint32_t name, uint32_t beside)
{
    return pairs_find(rows->done, databases ? name : beside, databases ? beside : name) != PAIR_NONE;
}

/* Nobody is left out: each other name is as the rest, for it was compared with nobody of the other column. */
static bool is_everybody(const struct diff_rows *rows, const struct row_names *names, bool databases,
                         uint64_t *work)
{
    const struct row_keys *mine = databases ? &names->databases : &names->roles;
    const struct row_keys *beside = databases ? &names->roles : &names->databases;
    const struct keys *keys = keys_of(rows, databases);

    if (!has_key(mine, CASE_OTHER))
        return false;
    for (uint32_t name = 0; name < keys_count(keys); name++) {
        *work += mine->len + beside->len;
        if (*work > NAMES_WORK_MAX)
            return false;
        if (keys_kind(keys, name) != KEY_IS_NAME || has_key(mine, name))
            continue;
        for (size_t i = 0; i < beside->len; i++)
            if (was_compared(rows, databases, name, beside->at[i]))
                return false;
    }
    return true;
}

static const char *all_text(const struct diff_rows *rows, const struct row_keys *keys)
{
    return has_key(keys, CASE_REPLICATION) ? arena_printf(rows->arena, "all, %s", _("(replication)"))
                                           : "all";
}

static void name_everybody(struct diff_rows *rows, uint64_t *work)
{
    for (size_t i = 0; i < rows->len; i++) {
        const struct row_names *names = &rows->names[i];

        if (is_everybody(rows, names, true, work))
            rows->at[i].databases = all_text(rows, &names->databases);
        if (is_everybody(rows, names, false, work))
            rows->at[i].roles = all_text(rows, &names->roles);
    }
}

/* Rows that have become alike since they were added. */
static void join_again(struct diff_rows *rows)
{
    size_t len = rows->len;

    rows->len = 0;
    for (size_t i = 0; i < len; i++) {
        struct row_names names = rows->names[i];

        if (join_latest(rows, &rows->at[i], &names)) {
            row_names_free(&names);
            continue;
        }
        rows->at[rows->len] = rows->at[i];
        rows->names[rows->len++] = names;
    }
}

void diff_rows_finish(struct diff_rows *rows, struct diff *out)
{
    uint64_t work = 0;

    name_everybody(rows, &work);
    join_again(rows);
    name_everybody(rows, &work);
    out->rows = arena_alloc(rows->arena, rows->len * sizeof(*out->rows));
    if (rows->len)
        memcpy(out->rows, rows->at, rows->len * sizeof(*out->rows));
    out->len = rows->len;
    out->sure &= !rows->full;
}
