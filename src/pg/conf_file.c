/* conf_file.c - one file of settings: see conf.h; what a line means: conf_lex.c. */
#include "pg/conf.h"
#include "pg/conf_lex.h"

struct conf_file {
    struct arena *arena;        /* names, values and reasons of the lines */
    struct buf text;
    struct conf_line *lines;
    size_t len, cap;
};

static const char byte_order_mark[] = "\xEF\xBB\xBF";

void conf_file_free(struct conf_file *file)
{
    arena_free(file->arena);
    buf_free(&file->text);
    free(file->lines);
    free(file);
}

static struct conf_line read_line(const struct conf_file *file, size_t begin)
{
    const char *text = file->text.p + begin;
    size_t left = file->text.len - begin;
    const char *newline = memchr(text, '\n', left);
    struct conf_line line = {
        .line = (unsigned)file->len + 1,
        .begin = begin,
        .end = newline ? begin + (size_t)(newline - text) + 1 : file->text.len,
    };

    if (begin == 0 && left >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        line.kind = CONF_BAD;   /* the server takes the mark for the beginning of a name */
        line.why = _("the file begins with a byte order mark; save it as UTF-8 without one");
        return line;
    }
    conf_lex_line(text, newline ? (size_t)(newline - text) : left, file->arena, &line);
    return line;
}

/* Read the lines of file->text anew; false: there are more than max. */
static bool read_lines(struct conf_file *file, size_t max)
{
    arena_free(file->arena);
    file->arena = arena_new();
    file->len = 0;
    for (size_t at = 0; at < file->text.len; at = file->lines[file->len - 1].end) {
        if (file->len == max)
            return false;
        struct conf_line line = read_line(file, at);
        PS_PUSH(file->lines, file->len, file->cap) = line;
    }
    return true;
}

bool conf_file_parse(const char *text, size_t len, const char *name, struct conf_file **out,
                     struct ps_err *err)
{
    PS_AUTO(conf_file_freep) struct conf_file *file = ps_calloc(1, sizeof(*file));

    file->text.max = CONF_MAX_BYTES;
    if (!buf_put(&file->text, text, len) || !read_lines(file, CONF_MAX_LINES)) {
        ps_fail(err, PS_E_TOO_BIG, _("configuration file \"%s\" is too big"), name);
        ps_detail(err, _("At most %u bytes and %u lines are read."), CONF_MAX_BYTES,
                  CONF_MAX_LINES);
        return ps_at(err, name, 0, 0);
    }
    *out = PS_TAKE(file);
    return true;
}

size_t conf_file_lines(const struct conf_file *file)
{
    return file->len;
}

const struct conf_line *conf_file_line(const struct conf_file *file, size_t i)
{
    return &file->lines[i];
}

void conf_file_write(const struct conf_file *file, struct buf *out)
{
    buf_put(out, file->text.p, file->text.len);
}

/* ---- edits ---- */

static const char *line_end(const struct conf_file *file)
{
    const char *text = buf_text(&file->text);
    const char *newline = file->text.len ? memrchr(text, '\n', file->text.len) : NULL;

    return newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
}

/* What an edit adds is ours: the bounds are for what strangers wrote. */
static void set_text(struct conf_file *file, struct buf *text)
{
    buf_free(&file->text);
    file->text = *text;
    read_lines(file, SIZE_MAX);
}

void conf_file_append(struct conf_file *file, const char *line)
{
    const char *end = line_end(file);
    size_t len = file->text.len;
    struct buf text = BUF(SIZE_MAX);

    buf_put(&text, file->text.p, len);
    if (len && text.p[len - 1] != '\n')
        buf_puts(&text, end);
    buf_puts(&text, line);
    buf_puts(&text, end);
    set_text(file, &text);
}

void conf_file_remove(struct conf_file *file, size_t i)
{
    const struct conf_line line = file->lines[i];
    struct buf text = BUF(SIZE_MAX);

    buf_put(&text, file->text.p, line.begin);
    buf_put(&text, file->text.p + line.end, file->text.len - line.end);
    set_text(file, &text);
}

void conf_quote(const char *text, struct buf *out)
{
    buf_putc(out, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            buf_puts(out, "\\n");       /* a string ends at a newline */
            continue;
        }
        if (*p == '\'' || *p == '\\')
            buf_putc(out, *p);
        buf_putc(out, *p);
    }
    buf_putc(out, '\'');
}
