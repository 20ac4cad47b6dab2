/* hba_edit.c - edits of the bytes of the files; see hba.h. */
#include "pg/hba_state.h"
#include "pg/hba_words.h"

#define TAB 8       /* columns, as editors show them */

void hba_edits_free(struct hba *hba)
{
    for (size_t i = 0; i < hba->edits_len; i++) {
        free(hba->edits[i].options);
        free(hba->edits[i].above);
    }
    free(hba->edits);
}

/* ---- what is asked for ---- */

static bool is_before(const struct hba_edit *edit, const struct hba_rule *rule)
{
    return edit->file != rule->file_index ? edit->file < rule->file_index
                                          : edit->begin < rule->begin;
}

/* The edit of a rule, made in its place if there is none. */
static struct hba_edit *edit_of(struct hba *hba, const struct hba_rule *rule)
{
    size_t low = 0, high = hba->edits_len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (is_before(&hba->edits[mid], rule))
            low = mid + 1;
        else
            high = mid;
    }
    if (low < hba->edits_len && hba->edits[low].file == rule->file_index
        && hba->edits[low].begin == rule->begin)
        return &hba->edits[low];

    PS_PUSH(hba->edits, hba->edits_len, hba->edits_cap) = (struct hba_edit){ 0 };
    memmove(&hba->edits[low + 1], &hba->edits[low],
            (hba->edits_len - 1 - low) * sizeof(*hba->edits));
    hba->edits[low] = (struct hba_edit){ .file = rule->file_index, .begin = rule->begin,
                                         .rule = rule };
    return &hba->edits[low];
}

void hba_set_type(struct hba *hba, const struct hba_rule *rule, enum hba_type type)
{
    struct hba_edit *edit = edit_of(hba, rule);

    edit->new_type = true;
    edit->type = type;
}

void hba_set_method(struct hba *hba, const struct hba_rule *rule, const char *method)
{
    struct hba_edit *edit = edit_of(hba, rule);

    edit->method = arena_strdup(hba->tree->arena, method);
    edit->options_len = 0;
}

void hba_set_option(struct hba *hba, const struct hba_rule *rule, const char *name,
                    const char *value)
{
    struct hba_edit *edit = edit_of(hba, rule);
    struct hba_new_option option = { .value = arena_strdup(hba->tree->arena, value) };

    for (size_t i = 0; i < edit->options_len; i++)
        if (strcmp(edit->options[i].name, name) == 0) {
            edit->options[i].value = option.value;
            return;
        }
    option.name = arena_strdup(hba->tree->arena, name);
    PS_PUSH(edit->options, edit->options_len, edit->options_cap) = option;
}

void hba_insert_before(struct hba *hba, const struct hba_rule *rule, const char *line)
{
    struct hba_edit *edit = edit_of(hba, rule);

    PS_PUSH(edit->above, edit->above_len, edit->above_cap) = arena_strdup(hba->tree->arena, line);
}

/* ---- quoting ---- */

static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static bool is_name_keyword(const char *name)
{
    static const char *const keywords[] = { "all", "sameuser", "samerole", "samegroup",
                                            "replication" };

    for (size_t i = 0; i < PS_COUNT(keywords); i++)
        if (strcmp(name, keywords[i]) == 0)
            return true;
    return false;
}

/* /^name$, with everything escaped that may mean something. */
static void put_regex_of(struct buf *out, const char *name)
{
    static const char special[] = "\\^$.[]{}()*+?|";
    PS_AUTO(buf_free) struct buf pattern = BUF(out->max);

    buf_puts(&pattern, "/^");
    for (; *name; name++) {
        if (strchr(special, *name))
            buf_putc(&pattern, '\\');
        buf_putc(&pattern, *name);
    }
    buf_putc(&pattern, '$');
    put_quoted(out, buf_text(&pattern));
}

bool hba_quote_name(const char *name, unsigned major, struct buf *out)
{
    if (strpbrk(name, "\n\r"))
        return false;
    if (major >= 16 && name[0] == '/')
        put_regex_of(out, name);
    else if (is_name_keyword(name) || lex_needs_quotes(name))
        put_quoted(out, name);
    else
        buf_puts(out, name);
    return true;
}

static void put_option(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=", name);
    if (value[0] != '\0' && lex_needs_quotes(value))
        put_quoted(out, value);
    else
        buf_puts(out, value);
}

/* ---- writing ---- */

struct writer {
    const char *text;       /* of the file as it was */
    size_t pos;             /* what is written so far */
    const char *line_end;
    struct buf *out;
};

static void copy_to(struct writer *writer, size_t pos)
{
    buf_put(writer->out, writer->text + writer->pos, pos - writer->pos);
    writer->pos = pos;
}

static size_t column_after(size_t column, char c)
{
    return c == '\t' ? (column / TAB + 1) * TAB : column + 1;
}

static bool is_all(const char *text, size_t len, char c)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != c)
            return false;
    return len > 0;
}

/*
 * The blanks behind a word that changed its width, so that what follows keeps its column.  One blank
 * shows no wish for columns and stays one; a mixture of tabs and blanks stays as it is.
 */
static void put_blanks(struct writer *writer, size_t was_column, size_t now_column, size_t len)
{
    const char *blanks = writer->text + writer->pos;
    size_t goal = was_column, count = 0;

    for (size_t i = 0; i < len; i++)
        goal = column_after(goal, blanks[i]);
    if (is_all(blanks, len, ' ') && len > 1)
        count = goal > now_column + 1 ? goal - now_column : 1;
    else if (is_all(blanks, len, '\t'))
        count = goal > now_column ? goal / TAB - now_column / TAB : 1;
    if (count == 0) {
        copy_to(writer, writer->pos + len);
        return;
    }
    for (size_t i = 0; i < count; i++)
        buf_putc(writer->out, blanks[0]);
    writer->pos += len;
}

static void write_type(struct writer *writer, const struct hba_edit *edit)
{
    const struct hba_rule *rule = edit->rule;
    const char *name = hba_type_name(edit->type);
    size_t column = 0;

    for (size_t i = rule->begin; i < rule->type_begin; i++)
        column = column_after(column, writer->text[i]);
    copy_to(writer, rule->type_begin);
    buf_puts(writer->out, name);
    writer->pos = rule->type_end;

    size_t blanks = strspn(writer->text + writer->pos, " \t");
    put_blanks(writer, column + (rule->type_end - rule->type_begin), column + strlen(name), blanks);
}

static const struct hba_new_option *new_option(const struct hba_edit *edit, const char *name)
{
    for (size_t i = 0; i < edit->options_len; i++)
        if (strcmp(edit->options[i].name, name) == 0)
            return &edit->options[i];
    return NULL;
}

/* The options at [first, last) stand in one place: one, or all that an @file brings. */
static void write_place(struct writer *writer, const struct hba_edit *edit, size_t first,
                        size_t last)
{
    const struct hba_option *options = edit->rule->options;
    bool changed = false;

    for (size_t i = first; i < last; i++)
        changed |= new_option(edit, options[i].name) != NULL;
    if (!changed)
        return;
    copy_to(writer, options[first].begin);
    for (size_t i = first; i < last; i++) {
        const struct hba_new_option *option = new_option(edit, options[i].name);

        if (i > first)
            buf_putc(writer->out, ' ');
        put_option(writer->out, options[i].name, option ? option->value : options[i].value);
    }
    writer->pos = options[first].end;
}

static size_t options_end(const struct hba_rule *rule)
{
    return rule->options_len ? rule->options[rule->options_len - 1].end : rule->method_end;
}

static void write_options(struct writer *writer, const struct hba_edit *edit)
{
    const struct hba_rule *rule = edit->rule;

    for (size_t first = 0, last; first < rule->options_len; first = last) {
        last = first + 1;
        while (last < rule->options_len && rule->options[last].begin == rule->options[first].begin)
            last++;
        write_place(writer, edit, first, last);
    }
    copy_to(writer, options_end(rule));
}

static void write_edit(struct writer *writer, const struct hba_edit *edit)
{
    const struct hba_rule *rule = edit->rule;

    copy_to(writer, edit->begin);
    for (size_t i = 0; i < edit->above_len; i++)
        buf_printf(writer->out, "%s%s", edit->above[i], writer->line_end);
    if (edit->new_type)
        write_type(writer, edit);
    if (edit->method) {
        copy_to(writer, rule->method_begin);
        buf_puts(writer->out, edit->method);
        writer->pos = options_end(rule);
    } else {
        write_options(writer, edit);
    }
    for (size_t i = 0; i < edit->options_len; i++)
        if (edit->method || !hba_option(rule, edit->options[i].name)) {
            buf_putc(writer->out, ' ');
            put_option(writer->out, edit->options[i].name, edit->options[i].value);
        }
}

/* CRLF when the last complete line has one. */
static const char *line_end_of(const struct buf *text)
{
    const char *newline = text->len ? memrchr(text->p, '\n', text->len) : NULL;

    return newline && newline > text->p && newline[-1] == '\r' ? "\r\n" : "\n";
}

/* ---- files ---- */

size_t hba_files(const struct hba *hba)
{
    return hba->files_len;
}

const char *hba_file_name(const struct hba *hba, size_t i)
{
    return hba->tree->files[hba->files[i]].name;
}

bool hba_file_edited(const struct hba *hba, size_t i)
{
    PS_AUTO(buf_free) struct buf now = BUF(2 * BUF_TEXT_MAX);
    const struct buf *was = hba_bytes(hba, i);

    hba_file_text(hba, i, &now);
    return now.len != was->len || (now.len && memcmp(now.p, was->p, now.len) != 0);
}

void hba_file_text(const struct hba *hba, size_t i, struct buf *out)
{
    const struct buf *text = hba_bytes(hba, i);
    struct writer writer = { .text = buf_text(text),
                             .line_end = line_end_of(text), .out = out };

    for (size_t e = 0; e < hba->edits_len; e++)
        if (hba->edits[e].file == i)
            write_edit(&writer, &hba->edits[e]);
    copy_to(&writer, text->len);
}
