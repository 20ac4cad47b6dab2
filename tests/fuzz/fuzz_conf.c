/*
 * fuzz_conf.c - promises: lines cover the file without a gap and writing gives the bytes back; a
 * value that is quoted anew reads the same; appending and removing a line leaves the rest.
 */
#include "base/mem.h"
#include "pg/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf_file *parse(const char *text, size_t len)
{
    struct conf_file *file = NULL;
    struct ps_err err;

    return conf_file_parse(text, len, "fuzz", &file, &err) ? file : NULL;
}

static void check_value(const struct conf_line *line)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    buf_printf(&text, " %s=", line->name);      /* a byte order mark is one only at the beginning */
    conf_quote(line->value, &text);
    PS_AUTO(conf_file_freep) struct conf_file *file = parse(text.p, text.len);
    if (!file || conf_file_lines(file) != 1)
        abort();
    const struct conf_line *again = conf_file_line(file, 0);
    if (again->kind != line->kind || strcmp(again->name, line->name) != 0
        || strcmp(again->value, line->value) != 0)
        abort();
}

static void check_lines(const struct conf_file *file, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < conf_file_lines(file); i++) {
        const struct conf_line *line = conf_file_line(file, i);

        if (line->begin != at || line->end <= at || line->line != i + 1)
            abort();
        at = line->end;
        if (line->kind == CONF_BAD ? !line->why || !*line->why : line->why != NULL)
            abort();
        if (line->kind != CONF_BAD && line->kind != CONF_BLANK)
            check_value(line);
    }
    if (at != size)
        abort();
}

static void check_text(const struct conf_file *file, const void *want, size_t len)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    conf_file_write(file, &text);
    if (text.len < len || memcmp(buf_text(&text), want, len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(conf_file_freep) struct conf_file *file = parse((const char *)data, size);

    if (!file)
        return 0;
    check_lines(file, size);
    check_text(file, data, size);

    size_t lines = conf_file_lines(file);
    conf_file_append(file, "ssl = on");
    if (conf_file_lines(file) != lines + 1)
        abort();
    conf_file_remove(file, lines);
    check_text(file, data, size);
    return 0;
}
