/* hba_tree.c - see hba_tree.h. */
#include "pg/hba_tree.h"

/* Lines of their own, or words for the field that has the @file. */
enum reading { READ_LINES, READ_WORDS };

struct reader {
    const struct pg_source *source;
    struct tree *tree;
    struct lex_word *words;             /* of the fields that are being read; a stack */
    size_t words_len, words_cap;
    struct tree_field *fields;          /* `at` is not set yet, `len` counts words; a stack too */
    size_t fields_len, fields_cap;
    size_t readings, bytes;
};

static void reader_free(struct reader *reader)
{
    free(reader->words);
    free(reader->fields);
}

void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->files_len; i++)
        buf_free(&tree->files[i].text);
    free(tree->files);
    free(tree->lines);
    free(tree->problems);
    arena_free(tree->arena);
    free(tree);
}

static void locate(struct tree_file *file, size_t at, unsigned *line, unsigned *column)
{
    const char *p = buf_text(&file->text), *newline;

    if (at < file->line_at || file->line == 0) {
        file->line_at = 0;
        file->line = 1;
    }
    while (file->line_at < at
           && (newline = memchr(p + file->line_at, '\n', at - file->line_at))) {
        file->line_at = (size_t)(newline - p) + 1;
        file->line++;
    }
    *line = file->line;
    *column = (unsigned)(at - file->line_at) + 1;
}

static void set_text(const struct tree_file *file, struct hba_problem *problem)
{
    size_t left = file->text.len - file->line_at;
    const char *end;

    problem->text = buf_text(&file->text) + file->line_at;
    problem->text_len = left < HBA_PROBLEM_TEXT_MAX ? left : HBA_PROBLEM_TEXT_MAX;
    end = memchr(problem->text, '\n', problem->text_len);
    if (end)
        problem->text_len = (size_t)(end - problem->text);
    if (problem->text_len > 0 && problem->text[problem->text_len - 1] == '\r')
        problem->text_len--;
}

bool tree_problem(struct tree *tree, size_t file, size_t at, const char *what, const char *hint)
{
    struct hba_problem problem = { .file = tree->files[file].name, .what = what, .hint = hint };

    if (tree->problems_len >= TREE_PROBLEMS_MAX)
        return false;
    locate(&tree->files[file], at, &problem.line, &problem.column);
    set_text(&tree->files[file], &problem);
    PS_PUSH(tree->problems, tree->problems_len, tree->problems_cap) = problem;
    return false;
}

static bool lex_problem(struct tree *tree, size_t file, const struct lex_line *line)
{
    static const struct { const char *what, *hint; } texts[] = {
        [LEX_NUL] = { N_("the line has a zero byte"), N_("Remove the zero byte.") },
        [LEX_LINE_LONG] = { N_("authentication file line too long"),
                            N_("Write several lines, or a file of names as @file.") },
        [LEX_WORD_LONG] = { N_("authentication file token too long"),
                            N_("Shorten the word, or write several lines.") },
    };

    return tree_problem(tree, file, line->trouble_at, _(texts[line->trouble].what),
                        _(texts[line->trouble].hint));
}

/* ---- files ---- */

static bool find_file(const struct tree *tree, const char *path, size_t *out)
{
    for (size_t i = 0; i < tree->files_len; i++)
        if (strcmp(tree->files[i].name, path) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* The file's index, read if it is not known yet. */
static bool open_file(struct reader *reader, const char *path, size_t *out, struct ps_err *err)
{
    struct tree *tree = reader->tree;

    if (!find_file(tree, path, out)) {
        PS_AUTO(buf_free) struct buf text = BUF(HBA_MAX_BYTES);

        if (!reader->source->read(reader->source->arg, path, &text, err))
            return false;
        if (text.over)
            return ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is larger than %u bytes"), path,
                           HBA_MAX_BYTES);
        *out = tree->files_len;
        PS_PUSH(tree->files, tree->files_len, tree->files_cap) =
            (struct tree_file){ .name = arena_strdup(tree->arena, path), .text = text };
        text = BUF(0);
    }
    reader->readings++;
    reader->bytes += tree->files[*out].text.len;
    if (reader->readings > PG_FILES_MAX || reader->bytes > TREE_MAX_BYTES)
        return ps_fail(err, PS_E_TOO_BIG, _("too many or too large files are included"));
    return true;
}

/* ---- lines ---- */

static bool read_file(struct reader *reader, size_t file, unsigned depth, enum reading how);

/* Where a word stands that names another file. */
struct mention {
    size_t file;            /* that mentions it */
    const struct lex_word *word;
    unsigned depth;         /* of the file that mentions it */
};

static unsigned depth_max(const struct tree *tree)
{
    return tree->major >= 16 ? PG_INCLUDE_DEPTH_MAX : TREE_DEPTH_BEFORE_16;
}

/* Read the file at `path`; what keeps us from opening it is a problem where it is mentioned. */
static bool follow(struct reader *reader, const struct mention *from, const char *path,
                   enum reading how, bool may_miss)
{
    struct tree *tree = reader->tree;
    struct ps_err err = { 0 };
    size_t file;

    if (from->depth + 1 > depth_max(tree))
        return tree_problem(tree, from->file, from->word->begin,
                            arena_printf(tree->arena, _("could not open file \"%s\": maximum "
                                                        "nesting depth exceeded"), path),
                            _("Include fewer files from one another; one that includes itself has "
                              "no end."));
    if (!open_file(reader, path, &file, &err)) {
        if (may_miss && err.code == PS_E_NOT_FOUND)
            return true;
        return tree_problem(tree, from->file, from->word->begin,
                            arena_strdup(tree->arena, err.message),
                            _("Correct the name, or make the file readable for the server."));
    }
    tree->files[file].lines |= how == READ_LINES;
    return read_file(reader, file, from->depth + 1, how);
}

static bool include_one(struct reader *reader, const struct mention *from, enum reading how,
                        bool may_miss)
{
    PS_AUTO(ps_freep) char *path =
        pg_include_path(from->word->text, reader->tree->files[from->file].name);

    return follow(reader, from, path, how, may_miss);
}

static bool include_dir(struct reader *reader, const struct mention *from, enum reading how)
{
    struct tree *tree = reader->tree;
    PS_AUTO(ps_freep) char *dir = pg_include_path(from->word->text, tree->files[from->file].name);
    struct ps_err err = { 0 };
    char **names = NULL;
    size_t len = 0;
    bool good = true;

    if (pg_include_name_blank(from->word->text))
        return tree_problem(tree, from->file, from->word->begin,
                            _("empty configuration directory name"),
                            _("Name a directory, or remove the line."));
    if (!reader->source->list(reader->source->arg, dir, &names, &len, &err))
        return tree_problem(tree, from->file, from->word->begin,
                            arena_strdup(tree->arena, err.message),
                            _("Correct the name, or make the directory readable for the server."));
    for (size_t i = 0; i < len; i++) {
        good &= follow(reader, from, names[i], how, false);
        free(names[i]);
    }
    free(names);
    return good;
}

enum directive { NO_DIRECTIVE, INCLUDE, INCLUDE_IF_EXISTS, INCLUDE_DIR };

static enum directive directive_of(const struct reader *reader, size_t first_field,
                                   size_t first_word)
{
    static const char *const names[] = { [INCLUDE] = "include",
                                         [INCLUDE_IF_EXISTS] = "include_if_exists",
                                         [INCLUDE_DIR] = "include_dir" };

    if (reader->tree->major < 16 || reader->fields_len - first_field != 2)
        return NO_DIRECTIVE;
    for (size_t i = INCLUDE; i < PS_COUNT(names); i++)
        if (strcmp(reader->words[first_word].text, names[i]) == 0)
            return (enum directive)i;
    return NO_DIRECTIVE;
}

/* Those that are kept, and those of the line at hand. */
static bool too_many_words(const struct reader *reader)
{
    return reader->tree->words + reader->words_len > HBA_MAX_WORDS;
}

/* One word: itself, or what its @file has. */
static bool read_word(struct reader *reader, size_t file, unsigned depth,
                      const struct lex_word *word)
{
    if (word->quoted || word->text[0] != '@' || word->text[1] == '\0') {
        PS_PUSH(reader->words, reader->words_len, reader->words_cap) = *word;
        return true;
    }

    struct lex_word name = *word;
    struct mention from = { file, &name, depth };
    size_t first = reader->words_len;

    name.text++;
    if (!include_one(reader, &from, READ_WORDS, false))
        return false;
    for (size_t i = first; i < reader->words_len; i++) {
        reader->words[i].begin = word->begin;
        reader->words[i].end = word->end;
    }
    return true;
}

/* One field; false when the line is in error.  At the end of the line nothing is added. */
static bool read_field(struct reader *reader, size_t file, unsigned depth, struct lex_line *line)
{
    struct lex_word word = { .comma = true };
    struct tree_field field = { .begin = SIZE_MAX };
    size_t first = reader->words_len;

    while (word.comma && !too_many_words(reader) && lex_word(line, &word)) {
        if (!read_word(reader, file, depth, &word))
            return false;
        if (field.begin == SIZE_MAX)
            field.begin = word.begin;
        field.end = word.end;
    }
    if (line->trouble != LEX_FINE)
        return lex_problem(reader->tree, file, line);
    field.len = reader->words_len - first;
    if (field.len > 0)
        PS_PUSH(reader->fields, reader->fields_len, reader->fields_cap) = field;
    return true;
}

/* Move the fields from the stacks into the arena. */
static void keep_line(struct reader *reader, size_t file, const struct lex_line *line,
                      size_t first_field, size_t first_word)
{
    struct tree *tree = reader->tree;
    struct tree_line kept = { .file = file, .line = line->line, .begin = line->begin,
                              .end = line->end, .len = reader->fields_len - first_field };
    size_t words_size = (reader->words_len - first_word) * sizeof(*reader->words);
    struct lex_word *words = arena_alloc(tree->arena, words_size);

    tree->words += reader->words_len - first_word;
    memcpy(words, reader->words + first_word, words_size);
    kept.fields = arena_alloc(tree->arena, kept.len * sizeof(*kept.fields));
    for (size_t i = 0; i < kept.len; i++) {
        kept.fields[i] = reader->fields[first_field + i];
        kept.fields[i].at = words;
        words += kept.fields[i].len;
    }
    PS_PUSH(tree->lines, tree->lines_len, tree->lines_cap) = kept;
}

static bool run_directive(struct reader *reader, enum directive directive,
                          const struct mention *from, enum reading how)
{
    if (directive == INCLUDE_DIR)
        return include_dir(reader, from, how);
    return include_one(reader, from, how, directive == INCLUDE_IF_EXISTS);
}

static bool read_line(struct reader *reader, size_t file, unsigned depth, enum reading how,
                      struct lex_line *line)
{
    size_t first_field = reader->fields_len, first_word = reader->words_len;
    bool good = line->trouble == LEX_FINE || lex_problem(reader->tree, file, line);

    while (good && line->pos < line->len && !too_many_words(reader))
        good = read_field(reader, file, depth, line);

    enum directive directive = good ? directive_of(reader, first_field, first_word) : NO_DIRECTIVE;
    if (directive != NO_DIRECTIVE) {
        struct lex_word name = reader->words[first_word + reader->fields[first_field].len];
        struct mention from = { file, &name, depth };

        reader->words_len = first_word;
        reader->fields_len = first_field;
        return run_directive(reader, directive, &from, how);
    }
    if (good && how == READ_LINES && reader->fields_len > first_field)
        keep_line(reader, file, line, first_field, first_word);
    reader->fields_len = first_field;
    if (how == READ_LINES || !good)
        reader->words_len = first_word;
    return good;
}

/* False when a line is in error: for the words of an @file that ends the line that wants them. */
static bool read_file(struct reader *reader, size_t file, unsigned depth, enum reading how)
{
    struct tree *tree = reader->tree;
    struct lex lex = lex_over(buf_text(&tree->files[file].text), tree->files[file].text.len,
                              tree->major, tree->arena);
    struct lex_line line;

    while (!too_many_words(reader) && lex_line(&lex, &line))
        if (!read_line(reader, file, depth, how, &line) && how == READ_WORDS)
            return false;
    return true;
}

bool tree_load(const struct pg_source *source, const char *path, unsigned major,
               struct tree **out, struct ps_err *err)
{
    PS_AUTO(tree_freep) struct tree *tree = ps_calloc(1, sizeof(*tree));
    PS_AUTO(reader_free) struct reader reader = { .source = source, .tree = tree };
    size_t file = 0;

    tree->arena = arena_new();
    tree->major = major;
    if (!open_file(&reader, path, &file, err))
        return false;
    tree->files[file].lines = true;
    (void)read_file(&reader, file, 0, READ_LINES);
    if (too_many_words(&reader)) {
        ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" has more than %u words"), path, HBA_MAX_WORDS);
        return ps_hint(err, _("Name roles by groups (+role) and networks by their masks."));
    }
    *out = PS_TAKE(tree);
    return true;
}
