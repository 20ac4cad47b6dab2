/*
 * One document with everything in it, strangers' bytes too, against the files in tests/data/doc/.
 * With PGSEAL_WRITE_GOLDEN=1 the files are written anew: then look at the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <locale.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "doc/html_script.h"
#include "doc/render.h"

static void add_ways(struct doc_node *root)
{
    struct doc_node *table = doc_table(root, "ways", "Ways in", "nobody tried");
    struct doc_node *row = doc_row(table);

    doc_str(row, "way", "Way in", "sslmode=disable");
    doc_verdict(row, "seen", "Seen", DOC_GOOD, "refused", NULL);
    doc_ms(row, "handshake_ms", "Handshake", 1.5);
    doc_str(row, "words", "Words", "FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", user "
            "\"app\", database \"postgres\", no encryption");
    doc_aside(doc_str(row, "evidence", "Evidence", "kept aside"));
    doc_str(row, "never", "Never", NULL);

    row = doc_row(table);
    doc_str(row, "way", "Way in", "verify-full");
    doc_verdict(row, "seen", "Seen", DOC_BAD, "admitted", "let in");
    doc_ms(row, "handshake_ms", "Handshake", 1234.5678);
    doc_str(row, "words", "Words", NULL);
}

static void add_hostile(struct doc_node *root)
{
    struct doc_node *section = doc_section(root, "hostile", "Strangers");
    struct doc_node *table = doc_table(section, "names", "Names", NULL);
    static const char *const names[] = {
        "\033[2J\033]0;owned\a", "</script><script>alert(1)</script>", "=cmd|'/c calc'!A0",
        "+1", "-1", "@SUM(A1)", "\t=1", "a,\"b\"\r\nc", "caf\xe9 \xff", "\xe2\x80\xaetxt.exe",
        "&lt; 'x' \"y\"", "Ana Mar\303\255a \xe6\xbc\xa2\xe5\xad\x97",
    };

    for (size_t i = 0; i < PS_COUNT(names); i++) {
        struct doc_node *row = doc_row(table);

        doc_int(row, "number", "No.", -(int64_t)i);
        doc_str(row, "name", "Name", names[i]);
    }
}

static void add_cards(struct doc_node *root)
{
    struct doc_node *table = doc_cards(root, "findings", "Findings", "nothing is wrong");
    struct doc_node *card = doc_card(table, DOC_BAD, "high[rule-one]: this is wrong \033[2J");

    doc_str(card, "id", NULL, "rule-one");
    doc_spot(card, DOC_BAD, &(struct doc_spot){ "/etc/<pg>/pg_hba.conf", 12, 6, 9,
                                                "host\tall\t\"all\" \303\261and\303\272 # \a" });
    doc_str(card, "why", "Why", "Because it is.");
    doc_diff(card, NULL, NULL, "- host all\n+ hostssl all\n");
    card = doc_card(table, DOC_WARN, "medium[rule-two]: about a whole file");
    doc_spot(card, DOC_WARN, &(struct doc_spot){ .file = "postgresql.conf" });
}

static struct doc *sample(void)
{
    struct doc *doc = doc_new("sample", "A sample with \"quotes\" & <angles>");
    struct doc_node *root = doc_root(doc);
    struct doc_node *server = doc_section(root, "server", "Server");

    doc_para(root, DOC_WARN, "One %s of two could not be examined, which is said here at some length "
             "so that the line must be broken.", "way");
    doc_str(server, "version", "Version", "15.18");
    doc_int(server, "port", "Port", 5432);
    doc_bool(server, "running", "Running", true);
    doc_time(server, "until", "Certificate until", 1700000000);
    doc_str(server, "nothing", "Nothing", NULL);
    doc_aside(doc_str(server, "detail", "Detail", "only with --verbose"));
    doc_mark(doc_str(server, "lines", "Lines", "first\nsecond"), DOC_UNKNOWN);
    add_ways(root);
    doc_table(root, "empty", "Sessions", "no session is in plaintext");
    doc_table(root, "silent", "Silent", NULL);
    add_hostile(root);
    add_cards(root);
    doc_block(root, "diff", "Difference", "-host all\n+hostssl all </pre>\n\n last");
    doc_verdict(root, "result", "Result", DOC_GOOD, "changed", "it is done");
    doc_block(root, NULL, "For people", "not in JSON");
    doc_str(doc_section(root, NULL, "Without a key"), "flat", "Flat", "in the object around it");
    return doc;
}

static void check_golden(const char *name, const struct buf *got)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/doc/%s", TEST_DATA, name);
    PS_AUTO(buf_free) struct buf want = BUF(0);
    struct ps_err err = { 0 };

    if (getenv("PGSEAL_WRITE_GOLDEN"))
        assert_true(file_write(path, buf_text(got), got->len, 0644, &err));
    if (!file_read(path, FILE_CONF_MAX, &want, &err))
        fail_msg("%s", err.message);
    assert_string_equal(buf_text(got), buf_text(&want));
}

static const struct {
    const char *file;
    enum doc_format format;
    struct doc_style style;
} goldens[] = {
    { "sample.txt", DOC_TEXT, { 0 } },
    { "sample-narrow.txt", DOC_TEXT, { .width = 40 } },
    { "sample-wide-verbose-color.txt", DOC_TEXT, { .width = 160, .verbose = true, .color = true } },
    { "sample.json", DOC_JSON, { 0 } },
    { "sample.html", DOC_HTML, { 0 } },
    { "sample.csv", DOC_CSV, { 0 } },
};

static void every_format_gives_the_bytes_on_file(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = sample();

    (void)state;
    for (size_t i = 0; i < PS_COUNT(goldens); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

        doc_render(doc, goldens[i].format, &goldens[i].style, &out);
        assert_false(out.over);
        check_golden(goldens[i].file, &out);
    }
}

static void render(enum doc_format format, struct buf *out)
{
    PS_AUTO(doc_freep) struct doc *doc = sample();

    doc_render(doc, format, &(struct doc_style){ 0 }, out);
}

/* Independent of the golden files: these must hold whatever they say. */
static void no_format_lets_a_stranger_through(void **state)
{
    (void)state;
    for (enum doc_format format = DOC_TEXT; format <= DOC_CSV; format++) {
        PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

        render(format, &out);
        assert_null(strchr(buf_text(&out), '\033'));
        assert_null(strchr(buf_text(&out), '\a'));
        assert_null(strchr(buf_text(&out), '\xff'));
        if (format != DOC_JSON)     /* there a string is data, escaped by its reader */
            assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
    }
}

static void html_has_one_style_no_script_and_nothing_from_outside(void **state)
{
    static const char *const never[] = { "<script", "</pre>\n\n last", "src=", "href=", "http:",
                                         "https:", "url(", "@import" };
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    render(DOC_HTML, &out);
    for (size_t i = 0; i < PS_COUNT(never); i++)
        assert_null(strstr(buf_text(&out), never[i]));
    assert_non_null(strstr(buf_text(&out), "&lt;/script&gt;"));
}

static void a_table_to_sort_brings_its_script_and_leads_to_its_cards(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("scan", "Servers");
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);
    struct doc_node *row = doc_row(doc_sortable(doc_table(doc_root(doc), "servers", "Servers", NULL)));
    struct doc_node *cards = doc_cards(doc_root(doc), "targets", "Details", NULL);

    (void)state;
    doc_link(doc_str(row, "host", "Host", "db<1>"), 7);
    doc_rank(doc_verdict(row, "grade", "Grade", DOC_GOOD, "A+", NULL), 1);
    doc_str(doc_anchor(doc_card(cards, DOC_PLAIN, "db<1>"), 7), "host", "Host", "db<1>");
    doc_render(doc, DOC_HTML, &(struct doc_style){ 0 }, &out);
    assert_non_null(strstr(buf_text(&out), "<table class=\"sortable\">"));
    assert_non_null(strstr(buf_text(&out), "<a href=\"#card-7\">db&lt;1&gt;</a>"));
    assert_non_null(strstr(buf_text(&out), "<span id=\"card-7\"></span>"));
    assert_non_null(strstr(buf_text(&out), "data-rank=\"1\""));
    assert_non_null(strstr(buf_text(&out), html_script));
    assert_non_null(strstr(buf_text(&out), html_script_sha256));
}

static void csv_runs_no_formula(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    render(DOC_CSV, &out);
    assert_null(strstr(buf_text(&out), ",=cmd"));
    assert_null(strstr(buf_text(&out), ",@SUM"));
    assert_null(strstr(buf_text(&out), ",+1"));
    assert_non_null(strstr(buf_text(&out), ",'=cmd"));
    assert_non_null(strstr(buf_text(&out), ",-5,"));       /* a number of ours stays one */
}

static void colors_are_only_in_colored_text(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = sample();
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    doc_render(doc, DOC_TEXT, &(struct doc_style){ .color = true }, &out);
    assert_non_null(strstr(buf_text(&out), "\033[1;31m"));
    assert_null(strstr(buf_text(&out), "\033]0;owned"));
}

static void without_utf8_signs_are_ascii(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    (void)state;
    setlocale(LC_ALL, "C");
    render(DOC_TEXT, &out);
    setlocale(LC_ALL, "C.UTF-8");
    assert_non_null(strstr(buf_text(&out), "[ok] refused"));
    assert_null(strstr(buf_text(&out), "\xe2\x9c\x93"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_the_bytes_on_file),
        cmocka_unit_test(no_format_lets_a_stranger_through),
        cmocka_unit_test(html_has_one_style_no_script_and_nothing_from_outside),
        cmocka_unit_test(a_table_to_sort_brings_its_script_and_leads_to_its_cards),
        cmocka_unit_test(csv_runs_no_formula),
        cmocka_unit_test(colors_are_only_in_colored_text),
        cmocka_unit_test(without_utf8_signs_are_ascii),
    };

    unsetenv("LANGUAGE");
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
