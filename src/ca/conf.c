/* conf.c - see conf.h. */
#include "ca/conf.h"

#include "base/mem.h"
#include "base/num.h"
#include "ca/shard.h"

enum { DAYS_MAX = 36500, GENERATION_MAX = 9999 };

static const char *const who_names[CA_WHO_LEN] = { "root", "server-ca", "client-ca" };

static const char *const state_names[CA_STATE_LEN] = {
    [CA_WAITING] = "waiting", [CA_NEXT] = "next", [CA_ACTIVE] = "active",
    [CA_OLD] = "old", [CA_RETIRED] = "retired",
};

const char *ca_state_name(enum ca_state state)
{
    return state_names[state];
}

/* ---- ownership ---- */

static void row_free(struct ca_conf_row *row)
{
    free(row->name);
    free(row->parent);
    free(row->key_uri);
    free(row->host);
    free(row->key_said);
}

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

void ca_conf_free(struct ca_conf *conf)
{
    for (size_t i = 0; i < conf->len; i++)
        row_free(&conf->rows[i]);
    free(conf->rows);
    free(conf->crl_url);
    free(conf->pass_command);
    free(conf->store);
    list_free(conf->permit_dns);
    list_free(conf->permit_ip);
    *conf = (struct ca_conf){ 0 };
}

void ca_conf_default(struct ca_conf *out)
{
    *out = (struct ca_conf){
        .days = { CA_DAYS_ROOT, CA_DAYS_INTERMEDIATE, CA_DAYS_SERVER, CA_DAYS_CLIENT,
                  CA_DAYS_ROOT_CRL, CA_DAYS_CRL },
        .crl_shards = 1,
        .crl_url = ps_strdup(SHARD_URL),
    };
}

void ca_conf_permit(char ***list, size_t *len, size_t *cap, const char *value)
{
    *list = ps_grow(*list, *len + 2, cap, sizeof(**list));
    (*list)[(*len)++] = ps_strdup(value);
    (*list)[*len] = NULL;
}

/* ---- names ---- */

/* "server-ca" is the first generation, "server-ca-2" the second. */
static bool read_name(const char *name, enum ca_who *who, unsigned *generation)
{
    for (int i = 0; i < CA_WHO_LEN; i++) {
        size_t len = strlen(who_names[i]);
        long number = 1;

        if (strncmp(name, who_names[i], len) != 0)
            continue;
        if (name[len] != '\0'
            && (name[len] != '-' || name[len + 1] == '0'
                || !num_parse(name + len + 1, 2, GENERATION_MAX, &number)))
            continue;
        *who = (enum ca_who)i;
        *generation = (unsigned)number;
        return true;
    }
    return false;
}

struct ca_conf_row *ca_conf_add(struct ca_conf *conf, const char *name)
{
    struct ca_conf_row row = { .state = CA_ACTIVE };

    if (!read_name(name, &row.who, &row.generation))
        return NULL;
    row.name = ps_strdup(name);
    row.parent = ps_strdup("");
    PS_PUSH(conf->rows, conf->len, conf->cap) = row;
    return &conf->rows[conf->len - 1];
}

/* ---- reading ---- */

struct reader {
    struct ca_conf *conf;
    struct ca_conf_row *row;    /* NULL before the first section */
    const char *name;
    unsigned line;
    bool format_seen;
};

static bool fail_line(const struct reader *reader, const char *what, struct ps_err *err)
{
    ps_fail(err, PS_E_SYNTAX, _("cannot understand \"%s\" in the configuration of the CA"), what);
    return ps_at(err, reader->name, reader->line, 0);
}

static void replace(char **to, const char *value)
{
    free(*to);
    *to = value ? ps_strdup(value) : NULL;
}

static bool read_count(const char *value, long max, long *out)
{
    return num_parse(value, 1, max, out);
}

static bool read_format(struct reader *reader, const char *value, struct ps_err *err)
{
    long format;

    if (!num_parse(value, 1, 1000000, &format))
        return fail_line(reader, value, err);
    if (format > CA_CONF_FORMAT) {
        ps_fail(err, PS_E_UNSUPPORTED, _("the CA was made by a newer pgseal"));
        ps_at(err, reader->name, reader->line, 0);
        return ps_hint(err, _("Use that pgseal, or a newer one."));
    }
    reader->format_seen = true;
    return true;
}

static long *days_field(struct ca_conf *conf, const char *key)
{
    const struct { const char *key; long *at; } fields[] = {
        { "days_root", &conf->days.root }, { "days_intermediate", &conf->days.intermediate },
        { "days_server", &conf->days.server }, { "days_client", &conf->days.client },
        { "days_root_crl", &conf->days.root_crl }, { "days_crl", &conf->days.crl },
    };

    for (size_t i = 0; i < PS_COUNT(fields); i++)
        if (strcmp(key, fields[i].key) == 0)
            return fields[i].at;
    return NULL;
}

static char **text_field(struct ca_conf *conf, const char *key)
{
    return strcmp(key, "crl_url") == 0 ? &conf->crl_url
         : strcmp(key, "passphrase_command") == 0 ? &conf->pass_command
         : strcmp(key, "store") == 0 ? &conf->store : NULL;
}

static bool read_general(struct reader *reader, const char *key, const char *value,
                         struct ps_err *err)
{
    struct ca_conf *conf = reader->conf;
    long *days = days_field(conf, key), shards;
    char **text = text_field(conf, key);

    if (strcmp(key, "format") == 0)
        return read_format(reader, value, err);
    if (days)
        return read_count(value, DAYS_MAX, days) || fail_line(reader, value, err);
    if (text) {
        replace(text, value);
        return true;
    }
    if (strcmp(key, "permit_dns") == 0) {
        ca_conf_permit(&conf->permit_dns, &conf->dns_len, &conf->dns_cap, value);
        return true;
    }
    if (strcmp(key, "permit_ip") == 0) {
        ca_conf_permit(&conf->permit_ip, &conf->ip_len, &conf->ip_cap, value);
        return true;
    }
    if (strcmp(key, "crl_shards") != 0 || !read_count(value, SHARD_MAX, &shards))
        return fail_line(reader, key, err);
    conf->crl_shards = (unsigned)shards;
    return true;
}

bool ca_conf_key_read(struct ca_conf_row *row, const char *value)
{
    static const char uri[] = "uri ";

    replace(&row->key_uri, NULL);
    if (strncmp(value, uri, sizeof(uri) - 1) == 0 && value[sizeof(uri) - 1]) {
        row->key_kind = CA_KEY_URI;
        replace(&row->key_uri, value + sizeof(uri) - 1);
        return true;
    }
    row->key_kind = strcmp(value, "offline") == 0 ? CA_KEY_OFFLINE : CA_KEY_FILE;
    return row->key_kind == CA_KEY_OFFLINE || strcmp(value, "file") == 0;
}

static bool read_state(struct ca_conf_row *row, const char *value)
{
    for (int i = 0; i < CA_STATE_LEN; i++) {
        if (strcmp(value, state_names[i]) == 0) {
            row->state = (enum ca_state)i;
            return true;
        }
    }
    return false;
}

static bool read_parent(struct ca_conf_row *row, const char *value)
{
    enum ca_who who;
    unsigned generation;

    replace(&row->parent, value);
    return read_name(value, &who, &generation) && who == CA_ROOT;
}

static bool read_of_row(struct reader *reader, const char *key, const char *value,
                        struct ps_err *err)
{
    struct ca_conf_row *row = reader->row;

    row->revoked |= strcmp(key, "revoked") == 0;
    row->has_key |= strcmp(key, "key") == 0;
    row->has_state |= strcmp(key, "state") == 0;
    bool good = strcmp(key, "state") == 0   ? read_state(row, value)
              : strcmp(key, "key") == 0     ? ca_conf_key_read(row, value)
              : strcmp(key, "parent") == 0  ? read_parent(row, value)
              : strcmp(key, "revoked") == 0 && strcmp(value, "yes") == 0;
    return good || fail_line(reader, key, err);
}

static bool read_section(struct reader *reader, char *line, size_t len, struct ps_err *err)
{
    if (line[len - 1] != ']' || reader->conf->len == CA_CONF_MAX_ROWS)
        return fail_line(reader, line, err);
    line[len - 1] = '\0';
    for (size_t i = 0; i < reader->conf->len; i++)
        if (strcmp(reader->conf->rows[i].name, line + 1) == 0)
            return fail_line(reader, line + 1, err);
    reader->row = ca_conf_add(reader->conf, line + 1);
    return reader->row || fail_line(reader, line + 1, err);
}

static char *trim(char *text)
{
    size_t len;

    text += strspn(text, " \t");
    len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
    return text;
}

static bool read_line(struct reader *reader, char *line, struct ps_err *err)
{
    char *text = trim(line), *equals = strchr(text, '=');

    if (*text == '\0' || *text == '#')
        return true;
    if (*text == '[')
        return read_section(reader, text, strlen(text), err);
    if (!equals || strchr(text, '\r'))
        return fail_line(reader, text, err);
    *equals = '\0';

    const char *key = trim(text), *value = trim(equals + 1);
    if (!*value)
        return fail_line(reader, key, err);
    return reader->row ? read_of_row(reader, key, value, err)
                       : read_general(reader, key, value, err);
}

/* An intermediate hangs on a root that is there. */
static bool check_parents(struct reader *reader, struct ps_err *err)
{
    const struct ca_conf *conf = reader->conf;

    for (size_t i = 0; i < conf->len; i++) {
        bool found = conf->rows[i].who == CA_ROOT || !*conf->rows[i].parent;

        for (size_t j = 0; j < conf->len && !found; j++)
            found = strcmp(conf->rows[j].name, conf->rows[i].parent) == 0;
        if (!found)
            return fail_line(reader, conf->rows[i].parent, err);
    }
    return reader->format_seen || fail_line(reader, "format", err);
}

bool ca_conf_parse(const char *text, size_t len, const char *name, struct ca_conf *out,
                   struct ps_err *err)
{
    PS_AUTO(ca_conf_free) struct ca_conf conf = { 0 };
    PS_AUTO(ps_freep) char *copy = ps_strndup(text, len < CA_CONF_MAX_BYTES ? len : 0);
    struct reader reader = { .conf = &conf, .name = name };
    char *rest = copy, *line;

    if (len >= CA_CONF_MAX_BYTES || memchr(text, '\0', len)) {
        ps_fail(err, PS_E_SYNTAX, _("the configuration of the CA is no text, or too long"));
        return ps_at(err, name, 0, 0);
    }
    ca_conf_default(&conf);
    while ((line = strsep(&rest, "\n"))) {
        reader.line++;
        if (!read_line(&reader, line, err))
            return false;
    }
    if (!check_parents(&reader, err))
        return false;
    *out = conf;
    conf = (struct ca_conf){ 0 };
    return true;
}

/* ---- writing ---- */

static bool put(struct buf *out, const char *key, const char *value, struct ps_err *err)
{
    size_t len = strlen(value);

    if (len == 0 || strpbrk(value, "\n\r") || strchr(" \t", value[0])
        || strchr(" \t", value[len - 1]))
        return ps_fail(err, PS_E_VALUE, _("\"%s\" cannot be kept in the configuration of the CA"),
                       value);
    buf_printf(out, "%s = ", key);
    buf_puts(out, value);       /* of any length */
    buf_putc(out, '\n');
    return true;
}

static bool put_list(struct buf *out, const char *key, char *const *list, struct ps_err *err)
{
    for (; list && *list; list++)
        if (!put(out, key, *list, err))
            return false;
    return true;
}

static void put_days(struct buf *out, const struct ca_days *days)
{
    buf_printf(out, "days_root = %ld\ndays_intermediate = %ld\ndays_server = %ld\n"
                    "days_client = %ld\ndays_root_crl = %ld\ndays_crl = %ld\n",
               days->root, days->intermediate, days->server, days->client, days->root_crl,
               days->crl);
}

char *ca_conf_key_text(const struct ca_conf_row *row)
{
    return row->key_kind == CA_KEY_URI ? ps_asprintf("uri %s", row->key_uri)
         : ps_strdup(row->key_kind == CA_KEY_OFFLINE ? "offline" : "file");
}

static bool put_state(struct buf *out, const struct ca_conf_row *row, struct ps_err *err)
{
    return put(out, "state", state_names[row->state], err)
        && (!*row->parent || put(out, "parent", row->parent, err))
        && (!row->revoked || put(out, "revoked", "yes", err));
}

static bool put_row(struct buf *out, const struct ca_conf_row *row, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *key = ca_conf_key_text(row);

    if (!row->has_state && !row->has_key)
        return true;
    buf_printf(out, "\n[%s]\n", row->name);
    return (!row->has_state || put_state(out, row, err))
        && (!row->has_key || put(out, "key", key, err));
}

bool ca_conf_write(const struct ca_conf *conf, struct buf *out, struct ps_err *err)
{
    buf_printf(out, "# what this certificate authority is made of; pgseal writes it\nformat = %d\n",
               CA_CONF_FORMAT);
    put_days(out, &conf->days);
    buf_printf(out, "crl_shards = %u\n", conf->crl_shards);
    if (!put(out, "crl_url", conf->crl_url, err)
        || (conf->pass_command && !put(out, "passphrase_command", conf->pass_command, err))
        || (conf->store && !put(out, "store", conf->store, err))
        || !put_list(out, "permit_dns", conf->permit_dns, err)
        || !put_list(out, "permit_ip", conf->permit_ip, err))
        return false;
    for (size_t i = 0; i < conf->len; i++)
        if (!put_row(out, &conf->rows[i], err))
            return false;
    return true;
}
