/* hosts.c - see hosts.h. */
#include "pg/hosts.h"

#include "pg/hba_keys.h"
#include "pg/hba_tree.h"

#define HOST_DEFAULT "*"
#define HOST_NONE "/no_sni/"

struct hosts {
    struct tree *tree;          /* NULL: there is no file */
    struct keys *names;         /* of all lines in small letters, for duplicates and questions */
    struct hosts_line *lines;
    size_t lines_len, lines_cap;
    size_t *line_of;            /* name to line */
    size_t line_of_len, line_of_cap;
};

void hosts_free(struct hosts *hosts)
{
    if (hosts->tree)
        tree_free(hosts->tree);
    keys_freep(&hosts->names);
    free(hosts->lines);
    free(hosts->line_of);
    free(hosts);
}

/* ---- reading ---- */

struct parse {
    struct hosts *hosts;
    const struct tree_line *from;
    struct hosts_line line;
};

static bool complain(struct parse *parse, size_t at, const char *what, const char *hint)
{
    return tree_problem(parse->hosts->tree, parse->from->file, at, what, hint);
}

static bool is_special(const char *name)
{
    return strcmp(name, HOST_DEFAULT) == 0 || strcmp(name, HOST_NONE) == 0;
}

static bool take_names(struct parse *parse)
{
    const struct tree_field *field = &parse->from->fields[0];
    struct hba_token *tokens = arena_alloc(parse->hosts->tree->arena,
                                           field->len * sizeof(*tokens));

    for (size_t i = 0; i < field->len; i++) {
        tokens[i] = (struct hba_token){ .text = field->at[i].text, .quoted = field->at[i].quoted };
        if (field->len > 1 && is_special(tokens[i].text))
            return complain(parse, field->at[i].begin,
                            _("default and non-SNI entries cannot be mixed with other entries"),
                            _("Write a line of its own for * and for /no_sni/."));
    }
    parse->line.names = (struct hba_field){ tokens, field->len, field->begin, field->end };
    return true;
}

/* Which field has what; the first two behind the names are needed. */
static const struct {
    const char *many;
    size_t offset;
} words[] = {
    { N_("multiple values specified for SSL certificate"), offsetof(struct hosts_line, cert) },
    { N_("multiple values specified for SSL key"), offsetof(struct hosts_line, key) },
    { N_("multiple values specified for SSL CA"), offsetof(struct hosts_line, ca) },
    { N_("multiple values specified for SSL passphrase command"),
      offsetof(struct hosts_line, command) },
};
enum { WORDS_NEEDED = 2, FIELDS_MAX = 1 + PS_COUNT(words) + 1 };

static bool take_words(struct parse *parse)
{
    const struct tree_line *from = parse->from;

    for (size_t i = 0; i < PS_COUNT(words); i++) {
        const struct tree_field *field = i + 1 < from->len ? &from->fields[i + 1] : NULL;

        if (!field && i < WORDS_NEEDED)
            return complain(parse, from->fields[from->len - 1].end,
                            _("missing entry at end of line"),
                            _("Write the host names, the certificate and the key."));
        if (!field)
            return true;
        if (field->len > 1)
            return complain(parse, field->begin, _(words[i].many),
                            _("Write one; a value with a comma needs quotes."));
        *(const char **)((char *)&parse->line + words[i].offset) = field->at[0].text;
    }
    return true;
}

/* parse_bool() of bool.c: any beginning of these that is not of both on and off. */
static bool parse_bool(const char *word, bool *out)
{
    static const struct { const char *word; size_t least; bool value; } forms[] = {
        { "true", 1, true }, { "false", 1, false }, { "yes", 1, true }, { "no", 1, false },
        { "on", 2, true }, { "off", 2, false }, { "1", 1, true }, { "0", 1, false },
    };
    size_t len = strlen(word);

    for (size_t i = 0; i < PS_COUNT(forms); i++)
        if (len >= forms[i].least && len <= strlen(forms[i].word)
            && strncasecmp(word, forms[i].word, len) == 0) {
            *out = forms[i].value;
            return true;
        }
    return false;
}

static bool take_reload(struct parse *parse)
{
    const struct tree_line *from = parse->from;
    const struct tree_field *field = from->len >= FIELDS_MAX ? &from->fields[FIELDS_MAX - 1] : NULL;

    if (!field)
        return true;
    if (field->len > 1)
        return complain(parse, field->begin,
                        _("multiple values specified for SSL passphrase reload"),
                        _("Write on or off."));
    if (!parse_bool(field->at[0].text, &parse->line.reload))
        return complain(parse, field->begin,
                        _("incorrect syntax for boolean value of SSL passphrase reload"),
                        _("Write on or off."));
    return from->len == FIELDS_MAX
           || complain(parse, from->fields[FIELDS_MAX].begin, _("extra fields at end of line"),
                       _("A path or a command with blanks needs quotes."));
}

static const char *in_small_letters(struct arena *arena, const char *name)
{
    char *small = arena_strdup(arena, name);

    for (char *p = small; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return small;
}

/* Case does not count; the server compares every name with every other. */
static bool add_names(struct parse *parse)
{
    struct hosts *hosts = parse->hosts;
    size_t first = hosts->line_of_len;

    for (size_t i = 0; i < parse->line.names.len; i++) {
        const char *name = in_small_letters(hosts->tree->arena, parse->line.names.at[i].text);

        if (keys_twin(hosts->names, KEY_IS_NAME, name) != KEY_NONE) {
            while (first < hosts->line_of_len)
                hosts->line_of[first++] = SIZE_MAX;     /* the line is not taken */
            return complain(parse, parse->from->fields[0].at[i].begin,
                            arena_printf(hosts->tree->arena,
                                         _("multiple entries for host \"%s\" specified"), name),
                            _("Keep one line for each host name; case does not count."));
        }
        (void)keys_add_text(hosts->names, name);
        PS_PUSH(hosts->line_of, hosts->line_of_len, hosts->line_of_cap) = hosts->lines_len;
    }
    return true;
}

static void read_line(struct hosts *hosts, const struct tree_line *from)
{
    struct parse parse = { .hosts = hosts, .from = from };

    parse.line.file = hosts->tree->files[from->file].name;
    parse.line.line = from->line;
    parse.line.begin = from->begin;
    parse.line.end = from->end;
    if (take_names(&parse) && take_words(&parse) && take_reload(&parse) && add_names(&parse))
        PS_PUSH(hosts->lines, hosts->lines_len, hosts->lines_cap) = parse.line;
}

bool hosts_load(const struct pg_source *source, const char *path, unsigned major,
                struct hosts **out, struct ps_err *err)
{
    PS_AUTO(hosts_freep) struct hosts *hosts = ps_calloc(1, sizeof(*hosts));

    hosts->names = keys_new(true);
    if (!tree_load(source, path, major, &hosts->tree, err)) {
        if (err->code != PS_E_NOT_FOUND)
            return false;
        ps_err_clear(err);
    }
    for (size_t i = 0; hosts->tree && i < hosts->tree->lines_len; i++)
        read_line(hosts, &hosts->tree->lines[i]);
    *out = PS_TAKE(hosts);
    return true;
}

size_t hosts_lines(const struct hosts *hosts)
{
    return hosts->lines_len;
}

const struct hosts_line *hosts_line(const struct hosts *hosts, size_t i)
{
    return &hosts->lines[i];
}

size_t hosts_problems(const struct hosts *hosts)
{
    return hosts->tree ? hosts->tree->problems_len : 0;
}

const struct hba_problem *hosts_problem(const struct hosts *hosts, size_t i)
{
    return &hosts->tree->problems[i];
}

/* ---- questions ---- */

/* Key 0 is "all" of every set: names begin behind it, in the order in which they came. */
static const struct hosts_line *line_named(const struct hosts *hosts, const char *name)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    uint32_t key = keys_twin(hosts->names, KEY_IS_NAME, in_small_letters(arena, name));
    size_t line = key == KEY_NONE ? SIZE_MAX : hosts->line_of[key - 1];

    return line == SIZE_MAX ? NULL : &hosts->lines[line];
}

const struct hosts_line *hosts_find(const struct hosts *hosts, const char *name)
{
    const struct hosts_line *line = NULL;

    if (!name || !is_special(name))
        line = line_named(hosts, name ? name : HOST_NONE);
    return line ? line : line_named(hosts, HOST_DEFAULT);
}

void hosts_write(const struct hosts *hosts, struct buf *out)
{
    if (hosts->tree)
        buf_put(out, buf_text(&hosts->tree->files[0].text), hosts->tree->files[0].text.len);
}
