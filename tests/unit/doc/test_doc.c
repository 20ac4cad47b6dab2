/* The tree that commands fill in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/err.h"
#include "doc/doc.h"
#include "doc/render.h"

static struct doc_view look(const struct doc_node *node)
{
    struct doc_view view = { 0 };

    assert_non_null(node);
    doc_look(node, &view);
    return view;
}

static void a_path_leads_to_every_node(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("prove", "Proof");
    struct doc_node *section = doc_section(doc_root(doc), "server", "Server");
    struct doc_node *table = doc_table(section, "ways", "Ways", "none");

    (void)state;
    doc_str(doc_row(table), "way", "Way", "disable");
    doc_str(doc_row(table), "way", "Way", "require");
    assert_string_equal(look(doc_find(doc_top(doc), "server.ways.1.way")).text, "require");
    assert_ptr_equal(doc_find(doc_top(doc), "server.ways"), table);
    assert_ptr_equal(doc_find(doc_top(doc), ""), doc_top(doc));
    assert_null(doc_find(doc_top(doc), "server.ways.2.way"));
    assert_null(doc_find(doc_top(doc), "serve"));
    assert_null(doc_find(doc_top(doc), "server.ways.x"));
}

static void strings_are_copied(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("prove", "Proof");
    char value[] = "before";

    (void)state;
    const struct doc_node *field = doc_str(doc_root(doc), "key", "Label", value);
    value[0] = 'X';
    assert_string_equal(look(field).text, "before");
}

static void values_have_a_text_for_people(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("prove", "Proof");
    struct doc_node *root = doc_root(doc);

    (void)state;
    assert_string_equal(look(doc_int(root, "a", NULL, -7)).text, "-7");
    assert_string_equal(look(doc_bool(root, "b", NULL, true)).text, "yes");
    assert_string_equal(look(doc_ms(root, "c", NULL, 12.34)).text, "12.3 ms");
    assert_string_equal(look(doc_ms(root, "d", NULL, 1234)).text, "1.23 s");
    assert_string_equal(look(doc_time(root, "e", NULL, 1700000000)).text, "2023-11-14 22:13 UTC");
    assert_string_equal(look(doc_fmt(root, "f", NULL, "%d of %d", 1, 2)).text, "1 of 2");
    assert_string_equal(look(doc_verdict(root, "g", NULL, DOC_BAD, "refused", NULL)).text, "refused");
    assert_string_equal(look(doc_str(root, "h", NULL, NULL)).text, "-");
    assert_true(look(doc_find(root, "h")).is_null);
}

static void marks_and_asides_stay_on_their_field(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("prove", NULL);
    struct doc_node *field = doc_str(doc_root(doc), "a", NULL, "x");

    (void)state;
    assert_ptr_equal(doc_aside(doc_mark(field, DOC_WARN)), field);
    assert_int_equal(look(field).mark, DOC_WARN);
    assert_true(look(field).aside);
}

static void what_was_shown_can_be_put_aside(void **state)
{
    PS_AUTO(doc_freep) struct doc *doc = doc_new("secure", NULL);
    struct doc_node *root = doc_root(doc), *plan = doc_section(root, "plan", "Plan");

    (void)state;
    doc_block(plan, "diff", NULL, "-a\n+b");
    doc_str(plan, "first", NULL, "x");
    doc_str(root, "result", NULL, "done");
    doc_aside_kind(plan, DOC_BLOCK);
    assert_true(look(doc_find(plan, "diff")).aside);
    assert_false(look(doc_find(plan, "first")).aside);
    doc_aside_kind(root, DOC_SECTION);
    doc_section(root, "proof", "Proof");
    assert_ptr_equal(doc_child(root, "plan"), plan);
    assert_true(look(plan).aside);
    assert_false(look(doc_find(root, "result")).aside);
    assert_false(look(doc_find(root, "proof")).aside);
    assert_null(doc_child(root, "first"));
}

static void formats_have_their_words_and_no_others(void **state)
{
    static const char *const words[] = { "text", "json", "html", "csv" };
    static const char *const others[] = { "", "JSON", "xml", "text " };
    struct ps_err err = { 0 };
    enum doc_format format;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        assert_true(doc_format_parse(words[i], &format, &err));
        assert_int_equal(format, i);
    }
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        assert_false(doc_format_parse(others[i], &format, &err));
        assert_int_equal(err.code, PS_E_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_every_node),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(values_have_a_text_for_people),
        cmocka_unit_test(marks_and_asides_stay_on_their_field),
        cmocka_unit_test(what_was_shown_can_be_put_aside),
        cmocka_unit_test(formats_have_their_words_and_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
