/* roles.c - see roles.h. */
#include "kit/roles.h"

#include "base/buf.h"
#include "base/num.h"
#include "kit/kit.h"

enum { COLUMNS_MAX = 8, DAYS_MAX = 36500 };

void roles_free(struct roles *roles)
{
    free(roles->at);
    arena_free(roles->arena);
    *roles = (struct roles){ 0 };
}

/* ---- fields ---- */

struct reader {
    const char *p, *end, *name;
    unsigned line;              /* of the record that is read */
    unsigned next_line;
    bool csv;
    struct arena *arena;
};

static bool fail_at(const struct reader *in, struct ps_err *err)
{
    return ps_at(err, in->name, in->line, 0);
}

static bool fail_csv(const struct reader *in, struct ps_err *err)
{
    ps_fail(err, PS_E_SYNTAX, _("broken CSV in \"%s\""), in->name);
    return fail_at(in, err);
}

/* Past a line end, which may have a CR before it; true when there was one, or nothing is left. */
static bool end_of_record(struct reader *in)
{
    const char *p = in->p;

    if (p < in->end && *p == '\r' && p + 1 < in->end && p[1] == '\n')
        p++;
    if (p < in->end && *p != '\n')
        return false;
    in->next_line++;
    in->p = p < in->end ? p + 1 : p;
    return true;
}

static bool quoted_field(struct reader *in, const char **out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(ROLES_BYTES_MAX);

    for (in->p++; in->p < in->end; in->p++) {
        if (*in->p == '"' && (in->p + 1 == in->end || in->p[1] != '"')) {
            in->p++;
            *out = arena_strdup(in->arena, buf_text(&text));
            return true;
        }
        in->p += *in->p == '"';         /* two stand for one */
        in->next_line += *in->p == '\n';
        buf_putc(&text, *in->p);
    }
    return fail_csv(in, err);
}

/* A field that is not quoted: to the comma (of CSV) or the end of the line. */
static const char *bare_field(struct reader *in)
{
    const char *begin = in->p;

    while (in->p < in->end && *in->p != '\n' && !(in->csv && *in->p == ',')
           && !(*in->p == '\r' && in->p + 1 < in->end && in->p[1] == '\n'))
        in->p++;
    return arena_strndup(in->arena, begin, (size_t)(in->p - begin));
}

static bool record(struct reader *in, const char *fields[COLUMNS_MAX], size_t *len,
                   struct ps_err *err)
{
    *len = 0;
    in->line = in->next_line;
    for (;;) {
        if (*len == COLUMNS_MAX)
            return fail_csv(in, err);
        if (!in->csv || in->p == in->end || *in->p != '"')
            fields[(*len)++] = bare_field(in);
        else if (!quoted_field(in, &fields[(*len)++], err))
            return false;
        if (end_of_record(in))
            return true;
        if (!in->csv || *in->p != ',')
            return fail_csv(in, err);
        in->p++;
    }
}

/* ---- columns ---- */

enum column { COLUMN_ROLE, COLUMN_DAYS, COLUMN_KEY_TYPE, COLUMN_LEN };

struct columns {
    enum column at[COLUMNS_MAX];
    size_t len;
};

static bool read_header(struct reader *in, struct columns *columns, struct ps_err *err)
{
    static const char *const names[COLUMN_LEN] = { "role", "days", "key-type" };
    const char *fields[COLUMNS_MAX];

    if (!record(in, fields, &columns->len, err))
        return false;
    for (size_t i = 0; i < columns->len; i++) {
        size_t column = 0;

        while (column < COLUMN_LEN && strcmp(fields[i], names[column]) != 0)
            column++;
        if (column == COLUMN_LEN) {
            ps_fail(err, PS_E_VALUE, _("unknown column \"%s\""), fields[i]);
            ps_hint(err, _("Known are: %s."), "role, days, key-type");
            return fail_at(in, err);
        }
        columns->at[i] = (enum column)column;
    }
    return true;
}

static bool check_role(const struct reader *in, const char *role, struct ps_err *err)
{
    if (*role && strlen(role) <= KIT_ROLE_MAX)
        return true;
    if (!*role)
        ps_fail(err, PS_E_VALUE, _("a role without a name in \"%s\""), in->name);
    else
        ps_fail(err, PS_E_VALUE, _("role name \"%.100s\" is too long"), role);
    ps_detail(err, _("It has %zu bytes; PostgreSQL keeps %d."), strlen(role), KIT_ROLE_MAX);
    return fail_at(in, err);
}

static bool put_field(const struct reader *in, enum column column, const char *text,
                      struct role_wish *wish, struct ps_err *err)
{
    if (column == COLUMN_ROLE) {
        wish->role = text;
        return check_role(in, text, err);
    }
    if (!*text)
        return true;
    if (column == COLUMN_KEY_TYPE)
        return key_type_parse(text, &wish->key_type, err) || fail_at(in, err);
    if (num_parse(text, 1, DAYS_MAX, &wish->days))
        return true;
    ps_fail(err, PS_E_VALUE, _("\"%s\" is no number of days"), text);
    return fail_at(in, err);
}

static bool read_wish(struct reader *in, const struct columns *columns, struct roles *out,
                      enum key_type key_type, struct ps_err *err)
{
    struct role_wish wish = { .key_type = key_type };
    const char *fields[COLUMNS_MAX];
    size_t len;

    if (!record(in, fields, &len, err))
        return false;
    wish.line = in->line;
    if (len == 1 && !*fields[0])
        return true;            /* an empty line */
    if (len > columns->len)
        return fail_csv(in, err);
    if (out->len == ROLES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("more than %d roles in \"%s\""), ROLES_MAX, in->name);
    for (size_t i = 0; i < len; i++)
        if (!put_field(in, columns->at[i], fields[i], &wish, err))
            return false;
    if (!wish.role)
        return fail_csv(in, err);
    PS_PUSH(out->at, out->len, out->cap) = wish;
    return true;
}

/* ---- the whole ---- */

static int by_role(const void *a, const void *b)
{
    const struct role_wish *const *x = a, *const *y = b;

    return strcmp((*x)->role, (*y)->role);
}

static bool fail_twice(const struct role_wish *a, const struct role_wish *b, const char *name,
                       struct ps_err *err)
{
    ps_fail(err, PS_E_VALUE, _("role \"%s\" is twice in \"%s\""), a->role, name);
    return ps_at(err, name, a->line > b->line ? a->line : b->line, 0);
}

static bool check_twice(const struct roles *roles, const char *name, struct ps_err *err)
{
    PS_AUTO(ps_freep) const struct role_wish **sorted = ps_calloc(roles->len + 1, sizeof(*sorted));

    for (size_t i = 0; i < roles->len; i++)
        sorted[i] = &roles->at[i];
    if (roles->len > 1)
        qsort(sorted, roles->len, sizeof(*sorted), by_role);
    for (size_t i = 1; i < roles->len; i++)
        if (strcmp(sorted[i - 1]->role, sorted[i]->role) == 0)
            return fail_twice(sorted[i - 1], sorted[i], name, err);
    return true;
}

static bool has_header(const char *text, size_t len)
{
    return len >= 4 && memcmp(text, "role", 4) == 0
        && (len == 4 || text[4] == ',' || text[4] == '\n' || text[4] == '\r');
}

bool roles_parse(const char *text, size_t len, const char *name, enum key_type key_type,
                 struct roles *out, struct ps_err *err)
{
    PS_AUTO(roles_free) struct roles roles = { .arena = arena_new() };
    struct columns columns = { .len = 1 };
    struct reader in = { .p = text, .end = text + len, .name = name, .next_line = 1,
                         .csv = has_header(text, len), .arena = roles.arena };

    if (len > ROLES_BYTES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("\"%s\" is too big"), name);
    if (len && memchr(text, 0, len))
        return ps_fail(err, PS_E_SYNTAX, _("\"%s\" has a NUL byte"), name);
    if (in.csv && !read_header(&in, &columns, err))
        return false;
    while (in.p < in.end)
        if (!read_wish(&in, &columns, &roles, key_type, err))
            return false;
    if (!check_twice(&roles, name, err))
        return false;
    *out = roles;
    roles = (struct roles){ 0 };
    return true;
}
