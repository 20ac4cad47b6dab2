/*
 * fuzz_hba.c - a whole pg_hba.conf; the first byte chooses the version.
 *
 * The input is the file itself; what it includes is the input behind the first zero byte.  Promises:
 * without edits the bytes come back; every rule's places lie in its line; a type that is set is
 * the type that is read again, and nothing else of the rule changes; no edit hurts its neighbours.
 */
#include "pg/hba.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *main, *other;
    size_t main_len, other_len;
};

static bool read_input(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct input *input = arg;
    bool is_main = strcmp(path, "/m/pg_hba.conf") == 0;

    if (strlen(path) > 40)
        return ps_fail(err, PS_E_NOT_FOUND, "no such file");
    buf_put(out, is_main ? input->main : input->other,
            is_main ? input->main_len : input->other_len);
    return true;
}

static bool list_input(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    (void)arg;
    (void)dir;
    (void)names;
    (void)len;
    return ps_fail(err, PS_E_NOT_FOUND, "no such folder");
}

static struct hba *load(const struct input *input, unsigned major)
{
    struct pg_source source = { (void *)input, read_input, list_input };
    struct ps_err err = { 0 };
    struct hba *hba = NULL;

    if (!hba_load(&source, "/m/pg_hba.conf", major, &hba, &err))
        abort();
    return hba;
}

static void check_unchanged(const struct hba *hba, const struct input *input)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    hba_file_text(hba, 0, &text);
    if (text.len != input->main_len || memcmp(buf_text(&text), input->main, text.len) != 0)
        abort();
    buf_free(&text);
}

static void check_places(const struct hba_rule *rule)
{
    if (rule->begin > rule->type_begin || rule->type_begin >= rule->type_end
        || rule->type_end > rule->databases.begin || rule->databases.end > rule->users.begin
        || rule->users.end > rule->method_begin || rule->method_end > rule->end)
        abort();
    for (size_t i = 0; i < rule->options_len; i++)
        if (rule->options[i].begin < rule->method_end || rule->options[i].end > rule->end)
            abort();
}

static void check_same(const struct hba_rule *was, const struct hba_rule *now)
{
    if (was->databases.len != now->databases.len || was->users.len != now->users.len
        || was->addr.kind != now->addr.kind || strcmp(was->method, now->method) != 0
        || was->options_len != now->options_len)
        abort();
}

/* Every rule that may become another type does; what is read again must have it. */
static void check_types(struct hba *hba, const struct input *input, unsigned major)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < hba_rules(hba); i++)
        if (hba_rule(hba, i)->type == HBA_HOST)
            hba_set_type(hba, hba_rule(hba, i), HBA_HOSTSSL);
    hba_file_text(hba, 0, &text);

    struct input edited = { buf_text(&text), input->other, text.len, input->other_len };
    struct hba *again = load(&edited, major);
    if (hba_rules(again) != hba_rules(hba))
        abort();
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *was = hba_rule(hba, i), *now = hba_rule(again, i);

        if (was->type == HBA_HOST && was->file_index == 0 && now->type != HBA_HOSTSSL)
            abort();
        check_same(was, now);
    }
    hba_free(again);
    buf_free(&text);
}

static void check_edits(struct hba *hba)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct hba_rule *rule = hba_rule(hba, i);

        if (i % 3 == 0)
            hba_set_method(hba, rule, "scram-sha-256");
        hba_set_option(hba, rule, "clientcert", "verify-full");
        hba_set_option(hba, rule, "map", "a \"b\"");
        hba_insert_before(hba, rule, "hostssl all app 0.0.0.0/0 cert");
    }
    for (size_t i = 0; i < hba_files(hba); i++)
        hba_file_text(hba, i, &text);
    buf_free(&text);
}

static void ask(const struct hba *hba)
{
    struct hba_question question = { .tls = true, .database = "app", .user = "app" };
    bool sure;

    question.addr.ss_family = AF_INET;
    (void)hba_ask(hba, &question, &sure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;

    const char *text = (const char *)data + 1;
    const char *zero = memchr(text, '\0', size - 1);
    struct input input = { .main = text, .main_len = zero ? (size_t)(zero - text) : size - 1 };
    unsigned major = 10 + data[0] % 10;

    input.other = zero ? zero + 1 : text + size - 1;
    input.other_len = (size_t)(text + size - 1 - input.other);

    struct hba *hba = load(&input, major);
    check_unchanged(hba, &input);
    for (size_t i = 0; i < hba_rules(hba); i++)
        check_places(hba_rule(hba, i));
    ask(hba);
    check_types(hba, &input, major);
    check_edits(hba);
    hba_free(hba);
    return 0;
}
