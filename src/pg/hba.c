/* hba.c - lines become rules or problems; see hba.h.  Order and wording follow parse_hba_line(). */
#include "pg/hba_state.h"
#include "pg/hba_words.h"

/* ---- one line ---- */

struct parse {
    struct hba *hba;
    const struct tree_line *line;
    size_t next;                    /* field */
    struct hba_rule rule;
    enum hba_method method;
};

static bool complain(struct parse *parse, size_t at, const char *hint, const char *fmt, ...)
    PS_PRINTF(4, 5);

static bool complain(struct parse *parse, size_t at, const char *hint, const char *fmt, ...)
{
    va_list args;

    if (parse->hba->meant)
        return false;
    va_start(args, fmt);
    PS_AUTO(ps_freep) char *what = ps_vasprintf(fmt, args);
    va_end(args);
    return tree_problem(parse->hba->tree, parse->line->file, at,
                        arena_strdup(parse->hba->tree->arena, what), hint);
}

static bool complain_of_word(struct parse *parse, size_t at, const struct hba_complaint *complaint,
                             const char *word)
{
    return complain(parse, at, _(complaint->hint), _(complaint->what), word);
}

/* The next field; what is missing or too much is said with the name of the field. */
struct expected {
    const char *missing, *missing_hint;
    const char *many, *many_hint;       /* NULL: a list is fine */
};

/* NULL: it is not there, or has too much; that is said. */
static const struct tree_field *next_field(struct parse *parse, const struct expected *expected)
{
    if (parse->next == parse->line->len) {
        complain(parse, parse->line->fields[parse->next - 1].end, _(expected->missing_hint), "%s",
                 _(expected->missing));
        return NULL;
    }

    const struct tree_field *field = &parse->line->fields[parse->next++];
    if (expected->many && field->len > 1) {
        complain(parse, field->begin, _(expected->many_hint), "%s", _(expected->many));
        return NULL;
    }
    return field;
}

static bool parse_type(struct parse *parse)
{
    static const struct expected expected = {
        .many = N_("multiple values specified for connection type"),
        .many_hint = N_("Specify exactly one connection type per line."),
    };
    const struct tree_field *field = next_field(parse, &expected);

    if (!field)
        return false;
    parse->rule.type_begin = field->begin;
    parse->rule.type_end = field->end;
    if (hba_type_parse(field->at[0].text, parse->hba->tree->major, &parse->rule.type))
        return true;
    return complain(parse, field->begin,
                    parse->hba->tree->major >= 12
                        ? _("Write local, host, hostssl, hostnossl, hostgssenc or hostnogssenc, in "
                            "small letters.")
                        : _("Write local, host, hostssl or hostnossl, in small letters."),
                    _("invalid connection type \"%s\""), field->at[0].text);
}

static bool is_regex(const struct parse *parse, const char *text)
{
    return parse->hba->tree->major >= 16 && text[0] == '/';
}

/* The field of databases or of roles. */
static bool parse_names(struct parse *parse, const struct expected *expected,
                        struct hba_field *out)
{
    const struct tree_field *field = next_field(parse, expected);

    if (!field)
        return false;

    struct hba_token *tokens = arena_alloc(parse->hba->tree->arena, field->len * sizeof(*tokens));
    for (size_t i = 0; i < field->len; i++) {
        const struct lex_word *word = &field->at[i];

        tokens[i] = (struct hba_token){ word->text, word->quoted, is_regex(parse, word->text) };
        if (tokens[i].regex && hba_regex_judge(word->text + 1) == HBA_REGEX_BROKEN)
            return complain(parse, word->begin,
                            _("Correct it; from PostgreSQL 16 a name that begins with \"/\" is a "
                              "regular expression, also in quotes."),
                            _("invalid regular expression \"%s\""), word->text + 1);
    }
    *out = (struct hba_field){ tokens, field->len, field->begin, field->end };
    return true;
}

static bool parse_mask(struct parse *parse, struct hba_addr *addr)
{
    static const struct expected expected = {
        .missing = N_("end-of-line before netmask specification"),
        .missing_hint = N_("Specify an address range in CIDR notation, or provide a separate "
                           "netmask."),
        .many = N_("multiple values specified for netmask"),
        .many_hint = N_("Specify one netmask."),
    };
    const struct tree_field *field = next_field(parse, &expected);
    int family;

    if (!field)
        return false;

    const char *word = field->at[0].text;
    if (!hba_mask_parse(word, &family, addr->mask))
        return complain(parse, field->begin,
                        _("Write the mask behind the address, such as 255.255.255.0, or the "
                          "address as 192.0.2.0/24."),
                        _("invalid IP mask \"%s\""), word);
    if (family != addr->family)
        return complain(parse, field->begin, _("Write both as IPv4 or both as IPv6."),
                        _("IP address and mask do not match"));
    addr->end = field->end;
    return true;
}

static bool parse_address(struct parse *parse)
{
    static const struct expected expected = {
        .missing = N_("end-of-line before IP address specification"),
        .missing_hint = N_("Add the address, such as 192.0.2.0/24 or all, and the method."),
        .many = N_("multiple values specified for host address"),
        .many_hint = N_("Specify one address range per line."),
    };
    struct hba_addr *addr = &parse->rule.addr;
    bool wants_mask;

    if (parse->rule.type == HBA_LOCAL)
        return true;

    const struct tree_field *field = next_field(parse, &expected);
    if (!field)
        return false;
    addr->begin = field->begin;
    addr->end = field->end;

    const struct lex_word *word = &field->at[0];
    switch (hba_addr_parse(word->text, word->quoted, addr, &wants_mask)) {
    case HBA_ADDR_NAME_AND_MASK:
        return complain(parse, field->begin,
                        _("Write a host name without \"/\", or a numeric address with it."),
                        _("specifying both host name and CIDR mask is invalid: \"%s\""),
                        word->text);
    case HBA_ADDR_BAD_CIDR:
        return complain(parse, field->begin,
                        _("Write 0 to 32 behind the \"/\" of an IPv4 address, 0 to 128 for IPv6."),
                        _("invalid CIDR mask in address \"%s\""), word->text);
    case HBA_ADDR_FINE:
        break;
    }
    return !wants_mask || parse_mask(parse, addr);
}

/* Methods that go with some types only. */
static bool check_method(struct parse *parse, size_t at)
{
    enum hba_type type = parse->rule.type;

    if (type == HBA_LOCAL && parse->method == HBA_IDENT)
        parse->method = HBA_PEER;
    parse->rule.method = hba_method_name(parse->method);
    if (type == HBA_LOCAL && parse->method == HBA_GSS)
        return complain(parse, at, _("Write peer or scram-sha-256."),
                        _("gssapi authentication is not supported on local sockets"));
    if (type != HBA_LOCAL && parse->method == HBA_PEER)
        return complain(parse, at, _("Write scram-sha-256, or cert on a hostssl line."),
                        _("peer authentication is only supported on local sockets"));
    if (type != HBA_HOSTSSL && parse->method == HBA_CERT)
        return complain(parse, at, _("Write hostssl in place of the type."),
                        _("cert authentication is only supported on hostssl connections"));
    return true;
}

static bool parse_method(struct parse *parse)
{
    static const struct expected expected = {
        .missing = N_("end-of-line before authentication method"),
        .missing_hint = N_("Add the method, such as scram-sha-256."),
        .many = N_("multiple values specified for authentication type"),
        .many_hint = N_("Specify exactly one authentication type per line."),
    };
    const struct tree_field *field = next_field(parse, &expected);

    if (!field)
        return false;
    parse->rule.method_begin = field->begin;
    parse->rule.method_end = field->end;
    if (!hba_method_parse(field->at[0].text, parse->hba->tree->major, &parse->method))
        return complain(parse, field->begin,
                        _("Write a method of this version, such as scram-sha-256, cert or reject, "
                          "in small letters; options stand behind it."),
                        _("invalid authentication method \"%s\""), field->at[0].text);
    return check_method(parse, field->begin);
}

static bool parse_option(struct parse *parse, const struct lex_word *word, struct hba_option *out)
{
    const struct hba_setting_context context = { parse->hba->tree->major, parse->rule.type,
                                                 parse->method };
    const char *equals = strchr(word->text, '=');

    if (!equals)
        return complain(parse, word->begin, _("Write name=value, without blanks around \"=\"."),
                        _("authentication option not in name=value format: %s"), word->text);
    *out = (struct hba_option){
        .name = arena_strndup(parse->hba->tree->arena, word->text, (size_t)(equals - word->text)),
        .value = equals + 1, .begin = word->begin, .end = word->end,
    };

    struct hba_complaint complaint = hba_option_judge(&context, out->name, out->value);
    if (complaint.what)
        return complain_of_word(parse, word->begin, &complaint,
                                complaint.of_value ? out->value : out->name);
    return true;
}

static bool parse_options(struct parse *parse)
{
    const struct hba_setting_context context = { parse->hba->tree->major, parse->rule.type,
                                                 parse->method };
    size_t count = 0;

    for (size_t i = parse->next; i < parse->line->len; i++)
        count += parse->line->fields[i].len;

    struct hba_option *options = arena_alloc(parse->hba->tree->arena, count * sizeof(*options));
    parse->rule.options = options;
    for (; parse->next < parse->line->len; parse->next++) {
        const struct tree_field *field = &parse->line->fields[parse->next];

        for (size_t i = 0; i < field->len; i++)
            if (!parse_option(parse, &field->at[i], &options[parse->rule.options_len++]))
                return false;
    }

    struct hba_complaint complaint = hba_options_judge(&context, options, count);
    return !complaint.what || complain_of_word(parse, parse->rule.method_begin, &complaint, "");
}

static size_t file_index(const struct hba *hba, size_t in_tree)
{
    size_t i = 0;

    while (hba->files[i] != in_tree)
        i++;
    return i;
}

static void parse_line(struct hba *hba, const struct tree_line *line)
{
    static const struct expected databases = {
        .missing = N_("end-of-line before database specification"),
        .missing_hint = N_("Add the databases, roles, address and method."),
    };
    static const struct expected roles = {
        .missing = N_("end-of-line before role specification"),
        .missing_hint = N_("Add the roles, the address (not on local) and the method."),
    };
    struct parse parse = { .hba = hba, .line = line };

    parse.rule.file = hba->tree->files[line->file].name;
    parse.rule.file_index = file_index(hba, line->file);
    parse.rule.line = line->line;
    parse.rule.begin = line->begin;
    parse.rule.end = line->end;
    if (parse_type(&parse) && parse_names(&parse, &databases, &parse.rule.databases)
        && parse_names(&parse, &roles, &parse.rule.users) && parse_address(&parse)
        && parse_method(&parse) && (parse_options(&parse) || hba->meant))
        PS_PUSH(hba->rules, hba->rules_len, hba->rules_cap) = parse.rule;
}

/* ---- the whole ---- */

void hba_free(struct hba *hba)
{
    hba_edits_free(hba);
    free(hba->rules);
    free(hba->files);
    if (hba->tree && !hba->meant)
        tree_free(hba->tree);
    free(hba);
}

static void parse_lines(struct hba *hba)
{
    for (size_t i = 0; i < hba->tree->files_len; i++)
        if (hba->tree->files[i].lines)
            PS_PUSH(hba->files, hba->files_len, hba->files_cap) = i;
    for (size_t i = 0; i < hba->tree->lines_len; i++)
        parse_line(hba, &hba->tree->lines[i]);
}

bool hba_load(const struct pg_source *source, const char *path, unsigned major,
              struct hba **out, struct ps_err *err)
{
    PS_AUTO(hba_freep) struct hba *hba = ps_calloc(1, sizeof(*hba));

    if (!tree_load(source, path, major, &hba->tree, err))
        return false;
    parse_lines(hba);
    if (hba->rules_len == 0 && hba->tree->problems_len == 0)
        tree_problem(hba->tree, 0, 0, _("the file contains no entries"),
                     _("Add a rule; without one the server does not take the file."));
    *out = PS_TAKE(hba);
    return true;
}

struct hba *hba_meant(const struct hba *hba)
{
    struct hba *meant = ps_calloc(1, sizeof(*meant));

    meant->tree = hba->tree;
    meant->meant = true;
    parse_lines(meant);
    return meant;
}

size_t hba_rules(const struct hba *hba)
{
    return hba->rules_len;
}

const struct hba_rule *hba_rule(const struct hba *hba, size_t i)
{
    return &hba->rules[i];
}

size_t hba_problems(const struct hba *hba)
{
    return hba->meant ? 0 : hba->tree->problems_len;
}

const struct hba_problem *hba_problem(const struct hba *hba, size_t i)
{
    return &hba->tree->problems[i];
}

unsigned hba_major(const struct hba *hba)
{
    return hba->tree->major;
}

const char *hba_option(const struct hba_rule *rule, const char *name)
{
    return hba_options_find(rule->options, rule->options_len, name);
}

const struct buf *hba_bytes(const struct hba *hba, size_t file)
{
    return &hba->tree->files[hba->files[file]].text;
}

void hba_span(const struct hba *hba, const struct hba_rule *rule, size_t begin, size_t end,
              struct buf *out)
{
    buf_put(out, buf_text(hba_bytes(hba, rule->file_index)) + begin, end - begin);
}

void hba_rule_text(const struct hba *hba, const struct hba_rule *rule, struct buf *out)
{
    const char *text = buf_text(hba_bytes(hba, rule->file_index));
    size_t end = rule->end;

    while (end > rule->begin && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    hba_span(hba, rule, rule->begin, end, out);
}

enum hba_clientcert hba_clientcert(const struct hba *hba, const struct hba_rule *rule)
{
    const char *word = hba_option(rule, "clientcert");

    if (strcmp(rule->method, hba_method_name(HBA_CERT)) == 0)
        return HBA_CERT_FULL;
    return word && rule->type == HBA_HOSTSSL ? hba_clientcert_word(hba->tree->major, word)
                                             : HBA_CERT_NONE;
}
