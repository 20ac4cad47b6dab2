/* ident.c - see ident.h. */
#include "pg/ident.h"

#include "pg/hba_tree.h"
#include "pg/hba_words.h"

struct ident {
    struct tree *tree;          /* NULL: there is no file */
    unsigned major;
    struct ident_line *lines;
    size_t lines_len, lines_cap;
};

void ident_free(struct ident *ident)
{
    if (ident->tree)
        tree_free(ident->tree);
    free(ident->lines);
    free(ident);
}

/* ---- reading ---- */

/* Exactly one word in each of the first three fields; the server does not look at more. */
static bool check_fields(struct tree *tree, const struct tree_line *line)
{
    for (size_t i = 0; i < 3; i++) {
        if (i == line->len)
            return tree_problem(tree, line->file, line->fields[i - 1].end,
                                _("missing entry at end of line"),
                                _("Write the map, the name at the system and the role."));
        if (line->fields[i].len > 1)
            return tree_problem(tree, line->file, line->fields[i].begin,
                                _("multiple values in ident field"),
                                _("Write one line for each; a name with a comma needs quotes."));
    }
    return true;
}

static bool check_regex(struct tree *tree, const struct tree_line *line, size_t field)
{
    const struct lex_word *word = &line->fields[field].at[0];

    if (word->text[0] != '/' || hba_regex_judge(word->text + 1) != HBA_REGEX_BROKEN)
        return true;
    return tree_problem(tree, line->file, word->begin,
                        arena_printf(tree->arena, _("invalid regular expression \"%s\""),
                                     word->text + 1),
                        _("Correct the expression behind \"/\"."));
}

static void read_line(struct ident *ident, const struct tree_line *line)
{
    struct tree *tree = ident->tree;

    if (!check_fields(tree, line) || !check_regex(tree, line, 1)
        || (ident->major >= 16 && !check_regex(tree, line, 2)))
        return;
    PS_PUSH(ident->lines, ident->lines_len, ident->lines_cap) = (struct ident_line){
        .file = tree->files[line->file].name,
        .line = line->line,
        .map = line->fields[0].at[0].text,
        .system_user = line->fields[1].at[0].text,
        .role = line->fields[2].at[0].text,
        .system_regex = line->fields[1].at[0].text[0] == '/',
        .role_quoted = line->fields[2].at[0].quoted,
    };
}

bool ident_load(const struct pg_source *source, const char *path, unsigned major,
                struct ident **out, struct ps_err *err)
{
    PS_AUTO(ident_freep) struct ident *ident = ps_calloc(1, sizeof(*ident));

    ident->major = major;
    if (!tree_load(source, path, major, &ident->tree, err)) {
        if (err->code != PS_E_NOT_FOUND)
            return false;
        ps_err_clear(err);
    }
    for (size_t i = 0; ident->tree && i < ident->tree->lines_len; i++)
        read_line(ident, &ident->tree->lines[i]);
    *out = PS_TAKE(ident);
    return true;
}

size_t ident_lines(const struct ident *ident)
{
    return ident->lines_len;
}

const struct ident_line *ident_line(const struct ident *ident, size_t i)
{
    return &ident->lines[i];
}

size_t ident_problems(const struct ident *ident)
{
    return ident->tree ? ident->tree->problems_len : 0;
}

const struct hba_problem *ident_problem(const struct ident *ident, size_t i)
{
    return &ident->tree->problems[i];
}

void ident_write(const struct ident *ident, struct buf *out)
{
    if (ident->tree)
        buf_put(out, buf_text(&ident->tree->files[0].text), ident->tree->files[0].text.len);
}

/* ---- questions: check_ident_usermap() ---- */

static enum hba_match equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0 ? HBA_YES : HBA_NO;
}

/* The role field as it stands; before 16 it is a name and nothing else. */
static enum hba_match role_matches(const struct ident *ident, const struct ident_line *line,
                                   const char *role)
{
    if (ident->major < 16)
        return equal(line->role, role);
    if (!line->role_quoted && line->role[0] == '+')
        return strcmp(line->role + 1, role) == 0 ? HBA_YES : HBA_MAYBE;
    if (!line->role_quoted && strcmp(line->role, "all") == 0)
        return HBA_YES;
    if (line->role[0] == '/')
        return hba_regex_match(line->role + 1, role, NULL);
    return equal(line->role, role);
}

/* \1 in the role field is what the first group of the expression found. */
static bool wants_group(const struct ident *ident, const struct ident_line *line)
{
    bool special = ident->major >= 16
                   && (line->role[0] == '/' || (line->role[0] == '+' && !line->role_quoted));

    return !special && strstr(line->role, "\\1") != NULL;
}

static enum hba_match group_matches(const struct ident_line *line, const char *system_user,
                                    const struct hba_span *group, const char *role)
{
    const char *mark = strstr(line->role, "\\1");

    if (group->begin < 0)
        return HBA_NO;          /* the server logs an error and refuses */

    PS_AUTO(ps_freep) char *wanted =
        ps_asprintf("%.*s%.*s%s", (int)(mark - line->role), line->role,
                    (int)(group->end - group->begin), system_user + group->begin, mark + 2);
    return equal(wanted, role);
}

static enum hba_match line_allows(const struct ident *ident, const struct ident_line *line,
                                  const char *system_user, const char *role)
{
    struct hba_span group;

    if (!line->system_regex)
        return strcmp(line->system_user, system_user) == 0 ? role_matches(ident, line, role)
                                                           : HBA_NO;

    enum hba_match found = hba_regex_match(line->system_user + 1, system_user, &group);
    if (found == HBA_NO)
        return HBA_NO;
    if (wants_group(ident, line))
        return found == HBA_YES ? group_matches(line, system_user, &group, role) : HBA_MAYBE;

    enum hba_match role_match = role_matches(ident, line, role);
    return found == HBA_MAYBE && role_match == HBA_YES ? HBA_MAYBE : role_match;
}

enum hba_match ident_allows(const struct ident *ident, const char *map, const char *system_user,
                            const char *role)
{
    enum hba_match best = HBA_NO;

    if (!map || map[0] == '\0')
        return equal(system_user, role);
    for (size_t i = 0; i < ident->lines_len; i++) {
        const struct ident_line *line = &ident->lines[i];
        enum hba_match match = strcmp(line->map, map) == 0
                                   ? line_allows(ident, line, system_user, role) : HBA_NO;

        if (match == HBA_YES)
            return HBA_YES;
        if (match == HBA_MAYBE)
            best = HBA_MAYBE;
    }
    return best;
}
