/* test_conf.c - a line of postgresql.conf, a file of them, and the tree with its includes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pg/conf.h"

/* ---- lines ---- */

/* All rows were put before servers of 12, 15 and 18, which said the same. */
static const struct {
    const char *line, *name, *value;    /* name NULL: refused */
} lines[] = {
    { "a.x = a-b", "a.x", "a-b" },
    { "a.x=+5", "a.x", "+5" },
    { "a.x+5", "a.x", "+5" },           /* the "=" may be left out, and so may the blank */
    { "a.x'v'", "a.x", "v" },
    { "A.X 'a'#c", "A.X", "a" },
    { "a.x 5#c", "a.x", "5" },
    { "\ta.x\t=\t5 \r", "a.x", "5" },
    { "a.x = 1.5e5", "a.x", "1.5e5" },
    { "a.x = .", "a.x", "." },
    { "a.x = -.", "a.x", "-." },
    { "a.x = .5", "a.x", ".5" },
    { "a.x = 0x1FGz", "a.x", "0x1FGz" },
    { "a.x = 64MB", "a.x", "64MB" },
    { "a.x = caf\xc3\xa9", "a.x", "caf\xc3\xa9" },
    { "caf\xc3\xa9.x = 1", "caf\xc3\xa9.x", "1" },
    { "a.x = s.crt.x", "a.x", "s.crt.x" },
    { "a.x = s:d", "a.x", "s:d" },
    { "a.x = 'a''b'", "a.x", "a'b" },
    { "a.x = 'it\\'s'", "a.x", "it's" },
    { "a.x = 'a\\101\\777\\8\\q\\\\'", "a.x", "aA\xff" "8q\\" },
    { "a.x = '\\b\\f\\n\\r\\t'", "a.x", "\b\f\n\r\t" },
    { "a.x = 'a\\0b'", "a.x", "a" },
    { "a.x = '# no comment'", "a.x", "# no comment" },
    { "a.x = ''", "a.x", "" },
    { "a.x = 'a\r'", "a.x", "a\r" },

    { "a.x = a.b", NULL, "write: a.x = 'a.b'" },
    { "ssl_cert_file = server.crt  # ours", NULL, "write: ssl_cert_file = 'server.crt'" },
    { "a.x = /etc/x", NULL, "write: a.x = '/etc/x'" },
    { "a.x = ./abc", NULL, "write: a.x = './abc'" },
    { "a.x = 1.5GB", NULL, "write: a.x = '1.5GB'" },
    { "a.x = 1e5", NULL, "write: a.x = '1e5'" },
    { "a.x = 12a3", NULL, "write: a.x = '12a3'" },
    { "a.x = 5.e", NULL, "write: a.x = '5.e'" },
    { "a.x = a, b", NULL, "write: a.x = 'a, b'" },
    { "a.x = *", NULL, "write: a.x = '*'" },
    { "a.x = 1:2", NULL, "write: a.x = '1:2'" },
    { "a.x = \"it's\"", NULL, "write: a.x = 'it''s'" },
    { "a.x = -", NULL, "write: a.x = '-'" },
    { "a.x = \v5", NULL, "must be in single quotes" },
    { "a.x = 1'v'", NULL, "write: a.x = '1''v'''" },
    { "a.x = 'a' 'b'", NULL, "behind the closing quote" },
    { "a.x = 'a' b", NULL, "behind the value" },
    { "a.x = 'a\\", NULL, "not closed" },
    { "a.x = 'a\\'", NULL, "not closed" },
    { "a.x = 'a''", NULL, "not closed" },
    { "a.x = = 5", NULL, "too many" },
    { "a.x", NULL, "has no value" },
    { "a.x = # none", NULL, "has no value" },
    { "= 5", NULL, "begins with the name" },
    { "5 = 5", NULL, "begins with the name" },
    { "'a' = 5", NULL, "begins with the name" },
    { "a.b.c = 1", NULL, "at most one dot" },
    { "a-b = c", NULL, "\"a-b\" is not the name" },
    { "a$.x = 1", NULL, "write: a = '$.x = 1'" },
    { "a.x = /caf\xe9", NULL, "must be in single quotes" },     /* a message is UTF-8 */
    { "\xe9.x", NULL, "\"?\" has no value" },
    { "\xef\xbb\xbf# x", NULL, "byte order mark" },
};

static struct conf_file *parse(const char *text, size_t len)
{
    struct conf_file *file = NULL;
    struct ps_err err;

    assert_true(conf_file_parse(text, len, "t.conf", &file, &err));
    return file;
}

static void lines_mean_what_the_server_makes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        PS_AUTO(conf_file_freep) struct conf_file *file =
            parse(lines[i].line, strlen(lines[i].line));
        const struct conf_line *line = conf_file_line(file, 0);

        assert_int_equal(conf_file_lines(file), 1);
        if (lines[i].name) {
            assert_int_equal(line->kind, CONF_SETTING);
            assert_string_equal(line->name, lines[i].name);
            assert_string_equal(line->value, lines[i].value);
        } else {
            assert_int_equal(line->kind, CONF_BAD);
            if (!strstr(line->why, lines[i].value))
                fail_msg("%s: %s", lines[i].line, line->why);
        }
    }
}

static const struct {
    const char *line;
    enum conf_kind kind;
} kinds[] = {
    { "", CONF_BLANK },
    { " \t\r", CONF_BLANK },
    { "#include 'x'", CONF_BLANK },
    { "include 'x'", CONF_INCLUDE },
    { "INCLUDE = x", CONF_INCLUDE },
    { "Include_If_Exists 'x'", CONF_INCLUDE_IF_EXISTS },
    { "include_DIR='x'", CONF_INCLUDE_DIR },
    { "included 'x'", CONF_SETTING },
    { "include x.conf", CONF_BAD },
};

static void directives_are_known_in_any_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        PS_AUTO(ps_freep) char *text = ps_asprintf("%s\n", kinds[i].line);
        PS_AUTO(conf_file_freep) struct conf_file *file = parse(text, strlen(text));

        assert_int_equal(conf_file_line(file, 0)->kind, kinds[i].kind);
    }
}

static void a_zero_byte_is_noticed_except_in_a_comment(void **state)
{
    static const char text[] = "a = 'b\0c'\na = b\0c\n# \0\na\0 = 1\na = 1";
    static const enum conf_kind want[] = { CONF_BAD, CONF_BAD, CONF_BLANK, CONF_BAD, CONF_SETTING };
    PS_AUTO(conf_file_freep) struct conf_file *file = parse(text, sizeof(text) - 1);

    (void)state;
    assert_int_equal(conf_file_lines(file), PS_COUNT(want));
    for (size_t i = 0; i < PS_COUNT(want); i++)
        assert_int_equal(conf_file_line(file, i)->kind, want[i]);
}

static void a_line_knows_its_place(void **state)
{
    static const char text[] = "# x\r\n  port = 5433\r\n\nssl on";
    PS_AUTO(conf_file_freep) struct conf_file *file = parse(text, sizeof(text) - 1);
    const struct conf_line *port = conf_file_line(file, 1), *ssl = conf_file_line(file, 3);

    (void)state;
    assert_int_equal(conf_file_lines(file), 4);
    assert_int_equal(port->line, 2);
    assert_int_equal(port->value_column, 10);
    assert_int_equal(port->begin, 5);
    assert_int_equal(port->end, 20);
    assert_int_equal(ssl->line, 4);
    assert_int_equal(ssl->value_column, 5);
    assert_int_equal(ssl->end, sizeof(text) - 1);
}

/* ---- files ---- */

static void check_text(const struct conf_file *file, const char *want)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    conf_file_write(file, &out);
    assert_string_equal(buf_text(&out), want);
}

static const struct {
    const char *before, *after;
} appended[] = {
    { "", "include 'p'\n" },
    { "a = 1\n", "a = 1\ninclude 'p'\n" },
    { "a = 1", "a = 1\ninclude 'p'\n" },
    { "a = 1\r\n", "a = 1\r\ninclude 'p'\r\n" },
    { "a = 1\r\nb = 2", "a = 1\r\nb = 2\r\ninclude 'p'\r\n" },
    { "a = 1\r\nb = 2\n", "a = 1\r\nb = 2\ninclude 'p'\n" },
    { "\n", "\ninclude 'p'\n" },
};

static void an_appended_line_ends_as_the_others_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(appended); i++) {
        PS_AUTO(conf_file_freep) struct conf_file *file =
            parse(appended[i].before, strlen(appended[i].before));

        conf_file_append(file, "include 'p'");
        check_text(file, appended[i].after);

        size_t last = conf_file_lines(file) - 1;
        assert_int_equal(conf_file_line(file, last)->kind, CONF_INCLUDE);
        conf_file_remove(file, last);
        if (appended[i].before[0] == '\0' || strchr(appended[i].before, '\0')[-1] == '\n')
            check_text(file, appended[i].before);
    }
}

static void removing_a_line_leaves_the_others(void **state)
{
    static const char text[] = "a = 1\r\nb = 2 # x\n\nc = 3";
    PS_AUTO(conf_file_freep) struct conf_file *file = parse(text, sizeof(text) - 1);

    (void)state;
    conf_file_remove(file, 1);
    check_text(file, "a = 1\r\n\nc = 3");
    assert_int_equal(conf_file_line(file, 2)->line, 3);
    conf_file_remove(file, 2);
    conf_file_remove(file, 1);
    conf_file_remove(file, 0);
    check_text(file, "");
    assert_int_equal(conf_file_lines(file), 0);
}

static void what_is_quoted_reads_as_it_was(void **state)
{
    static const char *const texts[] = { "", "it's", "a\\b", "''", "\\'", "a\nb", "#", "tab\t\r",
                                         "caf\xc3\xa9", "\\n" };
    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        PS_AUTO(buf_free) struct buf line = BUF(1000);

        buf_puts(&line, "a = ");
        conf_quote(texts[i], &line);
        PS_AUTO(conf_file_freep) struct conf_file *file = parse(line.p, line.len);
        assert_int_equal(conf_file_lines(file), 1);
        assert_string_equal(conf_file_line(file, 0)->value, texts[i]);
    }
}

static void a_file_over_the_bounds_is_refused(void **state)
{
    PS_AUTO(conf_file_freep) struct conf_file *file = NULL;
    PS_AUTO(ps_freep) char *text = ps_malloc(CONF_MAX_BYTES + 1);
    struct ps_err err;

    (void)state;
    memset(text, ' ', CONF_MAX_BYTES + 1);
    assert_false(conf_file_parse(text, CONF_MAX_BYTES + 1, "t.conf", &file, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_string_equal(err.at.file, "t.conf");
    memset(text, '\n', CONF_MAX_LINES + 1);
    assert_false(conf_file_parse(text, CONF_MAX_LINES + 1, "t.conf", &file, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_true(conf_file_parse(text, CONF_MAX_LINES, "t.conf", &file, &err));
    assert_int_equal(conf_file_lines(file), CONF_MAX_LINES);
}

/* ---- the tree ---- */

struct memory_file {
    const char *path, *text;        /* text NULL: cannot be read */
};

static bool memory_read(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    for (const struct memory_file *file = arg; file->path; file++)
        if (strcmp(file->path, path) == 0) {
            if (!file->text)
                return ps_fail(err, PS_E_IO, "could not read file \"%s\"", path);
            return buf_puts(out, file->text);
        }
    return ps_fail(err, PS_E_NOT_FOUND, "could not open file \"%s\"", path);
}

static bool memory_list(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    size_t cap = 0, dir_len = strlen(dir);
    char **list = NULL;

    *len = 0;
    for (const struct memory_file *file = arg; file->path; file++)
        if (strncmp(file->path, dir, dir_len) == 0 && file->path[dir_len] == '/')
            PS_PUSH(list, *len, cap) = ps_strdup(file->path);
    if (!list)
        return ps_fail(err, PS_E_NOT_FOUND, "could not open folder \"%s\"", dir);
    *names = list;
    return true;
}

static struct conf *load(const struct memory_file *files)
{
    const struct pg_source source = { (void *)(uintptr_t)files, memory_read, memory_list };
    struct conf *conf = NULL;
    struct ps_err err;

    assert_true(conf_load(&source, "/d/postgresql.conf", "/d/postgresql.auto.conf", &conf, &err));
    return conf;
}

static void settings_come_in_the_order_of_the_server(void **state)
{
    static const struct memory_file files[] = {
        { "/d/postgresql.conf", "a = 1\ninclude 'sub/one.conf'\na = 3\ninclude_dir './/conf.d/'\n" },
        { "/d/sub/one.conf", "a = 2\ninclude two.conf2 \ninclude 'two.conf'\n" },
        { "/d/sub/two.conf", "B = x" },
        { "/d/conf.d/1.conf", "a = 4\n" },
        { "/d/conf.d/2.conf", "a = 5\n" },
        { "/d/postgresql.auto.conf", "# Do not edit\nA = '6'\n" },
        { 0 }
    };
    static const char *const want[] = { "1", "2", "x", "3", "4", "5", "6" };
    PS_AUTO(conf_freep) struct conf *conf = load(files);

    (void)state;
    assert_int_equal(conf_settings(conf), PS_COUNT(want));
    for (size_t i = 0; i < PS_COUNT(want); i++)
        assert_string_equal(conf_setting(conf, i)->value, want[i]);
    assert_string_equal(conf_setting(conf, 4)->at.file, "/d/conf.d/1.conf");
    assert_int_equal(conf_files(conf), 6);
    assert_string_equal(conf_file_name(conf, 1), "/d/sub/one.conf");

    const struct conf_setting *winner = conf_winner(conf, "a");
    assert_string_equal(winner->value, "6");
    assert_true(winner->automatic);
    assert_int_equal(winner->at.line, 2);
    assert_false(conf_setting(conf, 5)->automatic);
    assert_null(conf_winner(conf, "c"));

    assert_int_equal(conf_problems(conf), 1);       /* two.conf2 is a qualified name */
    assert_string_equal(conf_problem(conf, 0)->at.file, "/d/sub/one.conf");
    assert_int_equal(conf_problem(conf, 0)->at.line, 2);
}

static const struct {
    struct memory_file files[5];
    const char *what;           /* NULL: nothing is wrong */
    const char *file;
    unsigned line;
} trees[] = {
    { { { "/d/postgresql.conf", "\ninclude 'no.conf'" } }, "/d/no.conf", "/d/postgresql.conf", 2 },
    { { { "/d/postgresql.conf", "include_if_exists 'no.conf'" } }, NULL, NULL, 0 },
    { { { "/d/postgresql.conf", "include_if_exists 'no.conf'" }, { "/d/no.conf", NULL } },
      "could not read", "/d/postgresql.conf", 1 },
    { { { "/d/postgresql.conf", "include_dir 'no'" } }, "/d/no", "/d/postgresql.conf", 1 },
    { { { "/d/postgresql.conf", "include ' '" } }, "empty", "/d/postgresql.conf", 1 },
    { { { "/d/postgresql.conf", "include_if_exists ''" } }, "empty", "/d/postgresql.conf", 1 },
    { { { "/d/postgresql.conf", "include './/./postgresql.conf'" } }, "includes itself",
      "/d/postgresql.conf", 1 },
    { { { "/d/postgresql.conf", "include 'a.conf'" }, { "/d/a.conf", "\ninclude '/d/b.conf'" },
        { "/d/b.conf", "include 'a.conf'" } }, "too deep", "/d/b.conf", 1 },
    { { { "/d/postgresql.conf", "a = 1" }, { "/d/postgresql.auto.conf", "a" } }, "no value",
      "/d/postgresql.auto.conf", 1 },
    { { { "/d/postgresql.conf", "a = 1" }, { "/d/postgresql.auto.conf", NULL } }, "could not read",
      "/d/postgresql.auto.conf", 0 },
};

static void what_the_server_would_refuse_is_a_problem_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(trees); i++) {
        PS_AUTO(conf_freep) struct conf *conf = load(trees[i].files);

        assert_int_equal(conf_problems(conf), trees[i].what ? 1 : 0);
        if (!trees[i].what)
            continue;
        assert_non_null(strstr(conf_problem(conf, 0)->what, trees[i].what));
        assert_string_equal(conf_problem(conf, 0)->at.file, trees[i].file);
        assert_int_equal(conf_problem(conf, 0)->at.line, trees[i].line);
    }
}

static void ten_levels_of_includes_are_read_and_no_more(void **state)
{
    struct memory_file files[14] = { { 0 } };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();

    (void)state;
    files[0] = (struct memory_file){ "/d/postgresql.conf", "include '1'" };
    for (int i = 1; i <= 12; i++)
        files[i] = (struct memory_file){ arena_printf(arena, "/d/%d", i),
                                         arena_printf(arena, "a = %d\ninclude '%d'", i, i + 1) };
    PS_AUTO(conf_freep) struct conf *conf = load(files);
    assert_string_equal(conf_winner(conf, "a")->value, "10");
    assert_int_equal(conf_problems(conf), 1);
    assert_string_equal(conf_problem(conf, 0)->at.file, "/d/10");
}

static void a_file_that_includes_without_end_is_given_up(void **state)
{
    static const struct memory_file files[] = {
        { "/d/postgresql.conf", "include a\ninclude a\ninclude a\ninclude a\n" },
        { "/d/a", "include b\ninclude b\ninclude b\ninclude b\n" },
        { "/d/b", "include a\ninclude a\ninclude a\ninclude a\n" },
        { 0 }
    };
    PS_AUTO(conf_freep) struct conf *conf = load(files);

    (void)state;
    assert_int_equal(conf_files(conf), PG_FILES_MAX);
    assert_int_equal(conf_problems(conf), CONF_MAX_PROBLEMS);
}

static void a_tree_without_its_first_file_is_an_error(void **state)
{
    static const struct memory_file none[] = { { 0 } };
    const struct pg_source source = { (void *)(uintptr_t)none, memory_read, memory_list };
    struct conf *conf = NULL;
    struct ps_err err;

    (void)state;
    assert_false(conf_load(&source, "/d/postgresql.conf", NULL, &conf, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_null(conf);
}

/* ---- booleans ---- */

static const struct {
    const char *value;
    int want;           /* -1: not a boolean */
} bools[] = {
    { "on", 1 }, { "ON", 1 }, { "t", 1 }, { "TRUE", 1 }, { "tr", 1 }, { "y", 1 }, { "yes", 1 },
    { "1", 1 }, { "off", 0 }, { "of", 0 }, { "f", 0 }, { "False", 0 }, { "n", 0 }, { "no", 0 },
    { "0", 0 }, { "o", -1 }, { "", -1 }, { "truex", -1 }, { "ons", -1 }, { "2", -1 }, { "10", -1 },
    { " on", -1 }, { "enable", -1 },
};

static void booleans_are_those_of_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(bools); i++) {
        bool value = false;

        assert_int_equal(conf_bool(bools[i].value, &value), bools[i].want >= 0);
        if (bools[i].want >= 0)
            assert_int_equal(value, bools[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_mean_what_the_server_makes_of_them),
        cmocka_unit_test(directives_are_known_in_any_case),
        cmocka_unit_test(a_zero_byte_is_noticed_except_in_a_comment),
        cmocka_unit_test(a_line_knows_its_place),
        cmocka_unit_test(an_appended_line_ends_as_the_others_do),
        cmocka_unit_test(removing_a_line_leaves_the_others),
        cmocka_unit_test(what_is_quoted_reads_as_it_was),
        cmocka_unit_test(a_file_over_the_bounds_is_refused),
        cmocka_unit_test(settings_come_in_the_order_of_the_server),
        cmocka_unit_test(what_the_server_would_refuse_is_a_problem_with_a_place),
        cmocka_unit_test(ten_levels_of_includes_are_read_and_no_more),
        cmocka_unit_test(a_file_that_includes_without_end_is_given_up),
        cmocka_unit_test(a_tree_without_its_first_file_is_an_error),
        cmocka_unit_test(booleans_are_those_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
