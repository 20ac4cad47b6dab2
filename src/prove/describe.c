/* describe.c - a proof as a document. */
#include "prove/result.h"

static const struct { const char *word, *text; enum doc_mark mark; } verdicts[] = {
    [PROVE_PASS] = { "pass", N_("pass"), DOC_GOOD },
    [PROVE_FAIL] = { "fail", N_("FAIL"), DOC_BAD },
    [PROVE_NOT_EXAMINED] = { "not_examined", N_("not examined"), DOC_UNKNOWN },
};

static const struct { const char *key, *label; } groups[WAYS_GROUPS] = {
    [WAYS_SSLMODES] = { "sslmodes", N_("Modes of libpq") },
    [WAYS_CERTIFICATES] = { "certificates", N_("Client certificates, with sslmode=verify-full") },
    [WAYS_NAMES] = { "names", N_("Host names, with sslmode=verify-full") },
    [WAYS_PROTOCOLS] = { "protocols", N_("Protocols, with our own wire code") },
};

static void put_verdict(struct doc_node *row, const char *label, enum prove_verdict verdict)
{
    doc_verdict(row, "verdict", label, verdicts[verdict].mark, verdicts[verdict].word,
                _(verdicts[verdict].text));
}

static void put_row(struct doc_node *table, const struct prove_row *row, bool wire)
{
    struct doc_node *to = doc_row(table);

    doc_verdict(to, "way", _("Way in"), DOC_PLAIN, row->key, _(row->label));
    if (row->group == WAYS_NAMES)
        doc_str(to, "host", _("Host"), row->host);
    if (row->sslmode) {
        struct doc_node *field = doc_verdict(to, "certificate", _("Certificate"), DOC_PLAIN,
                                             way_cert_word(row->cert), way_cert_text(row->cert));
        if (row->group != WAYS_SSLMODES)
            doc_aside(field);       /* there it is the way itself */
    }
    doc_verdict(to, "expected", _("Expected"), DOC_PLAIN, way_end_word(row->expected),
                way_end_text(row->expected));
    doc_verdict(to, "seen", _("Seen"), DOC_PLAIN, way_end_word(row->seen), way_end_text(row->seen));
    if (wire)
        doc_str(to, "wire", _("On the wire"), row->wire);
    put_verdict(to, _("Verdict"), row->verdict);
    doc_ms(to, "ms", _("Time"), row->ms);
    if (row->sslmode)
        doc_aside(doc_str(to, "sslmode", "sslmode", row->sslmode));
    doc_aside(doc_str(to, "why", _("Explanation"), row->why));
    doc_aside(doc_str(to, "evidence", _("In their own words"), row->evidence));
}

static void put_group(const struct prove_result *result, enum way_group group,
                      struct doc_node *section)
{
    struct doc_node *table = doc_table(section, groups[group].key, _(groups[group].label), NULL);

    for (size_t i = 0; i < result->rows_len; i++)
        if (result->rows[i].group == group)
            put_row(table, &result->rows[i], result->wire.looked && !result->wire.why_not);
}

/* ---- attacks ---- */

static void put_stand_verdict(struct doc_node *row, const char *key, const char *label,
                              const struct prove_stand *stand)
{
    bool examined = stand->verdict != PROVE_NOT_EXAMINED;

    doc_verdict(row, key, label,
                !examined ? DOC_UNKNOWN : stand->withstood ? DOC_GOOD : DOC_BAD,
                !examined ? "not_examined" : stand->withstood ? "withstood" : "fell",
                !examined ? _("not examined") : stand->withstood ? _("withstood") : _("fell"));
}

static enum prove_verdict worst(const struct prove_siege *siege)
{
    enum prove_verdict verdict = PROVE_PASS;

    for (size_t i = 0; i < ATTACK_COUNT; i++) {
        if (siege->against[i].verdict == PROVE_FAIL)
            return PROVE_FAIL;
        if (siege->against[i].verdict == PROVE_NOT_EXAMINED)
            verdict = PROVE_NOT_EXAMINED;
    }
    return verdict;
}

static void put_siege(struct doc_node *table, const struct prove_siege *siege)
{
    struct doc_node *row = doc_row(table);
    double ms = 0;

    doc_str(row, "way", "sslmode", siege->sslmode);
    for (size_t i = 0; i < ATTACK_COUNT; i++) {
        put_stand_verdict(row, attack_kinds[i].key, _(attack_kinds[i].label), &siege->against[i]);
        ms += siege->against[i].ms;
    }
    put_verdict(row, _("As documented"), worst(siege));
    doc_ms(row, "ms", _("Time"), ms);
    for (size_t i = 0; i < ATTACK_COUNT; i++) {
        const struct prove_stand *stand = &siege->against[i];
        char key[64];

        snprintf(key, sizeof(key), "%s_evidence", attack_kinds[i].key);
        doc_aside(doc_str(row, key, _(attack_kinds[i].label),
                          stand->evidence ? stand->evidence : stand->why));
    }
}

static void put_sieges(const struct prove_result *result, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "attacks",
                                       _("An attacker in the middle: which sslmode withstands"),
                                       NULL);
    struct doc_node *root = doc_table(section, "attacks_root_crt",
                                      _("The same, when the client has a root.crt"), NULL);

    for (size_t i = 0; i < result->sieges_len; i++) {
        const struct prove_siege *siege = &result->sieges[i];
        bool extra = siege->root && strncmp(siege->sslmode, "verify-", 7) != 0;

        put_siege(extra ? root : table, siege);
    }
}

/* ---- a connection string ---- */

static void put_target(const struct prove_result *result, struct doc_node *section)
{
    const struct prove_siege *siege = &result->sieges[0];
    struct doc_node *table;

    doc_str(section, "sslmode", "sslmode", siege->sslmode);
    doc_str(section, "sslmode_from", _("Said by"), result->sslmode_from);
    table = doc_table(section, "attacks", _("An attacker in the middle"), NULL);
    for (size_t i = 0; i < ATTACK_COUNT; i++) {
        const struct prove_stand *stand = &siege->against[i];
        struct doc_node *row = doc_row(table);

        doc_verdict(row, "way", _("Attack"), DOC_PLAIN, attack_kinds[i].key,
                    _(attack_kinds[i].label));
        doc_verdict(row, "expected", _("Wanted"), DOC_PLAIN, "withstood", _("withstood"));
        put_stand_verdict(row, "seen", _("Seen"), stand);
        put_verdict(row, _("Verdict"), stand->verdict);
        doc_ms(row, "ms", _("Time"), stand->ms);
        doc_str(row, "evidence", _("In libpq's words"),
                stand->evidence ? stand->evidence : stand->why);
    }
    if (result->write_instead)
        doc_block(section, "write_instead", _("Write instead"), result->write_instead);
}

/* ---- all ---- */

static void put_summary(const struct prove_result *result, struct doc_node *section)
{
    struct prove_counts counts;
    bool passed = prove_passed(result);

    prove_count(result, &counts);
    doc_verdict(section, "verdict", _("Verdict"),
                passed ? DOC_GOOD : counts.failed ? DOC_BAD : DOC_UNKNOWN,
                passed ? "pass" : counts.failed ? "fail" : "not_examined",
                passed ? _("pass") : counts.failed ? _("FAIL") : _("not examined"));
    doc_int(section, "passed", _("Passed"), (int64_t)counts.passed);
    doc_int(section, "failed", _("Failed"), (int64_t)counts.failed);
    doc_int(section, "not_examined", _("Not examined"), (int64_t)counts.not_examined);
    doc_str(section, "role", _("Role"), result->role);
    doc_str(section, "database", _("Database"), result->database);
    doc_str(section, "host", _("Host name"), result->host);
    if (result->address) {
        doc_str(section, "address", _("Address"), result->address);
        doc_int(section, "port", _("Port"), result->port);
    }
    doc_ms(section, "elapsed_ms", _("Time"), result->ms);
    if (result->note)
        doc_para(section, DOC_WARN, "%s", result->note);
}

static void put_wire_answer(const struct prove_wire *wire, struct doc_node *section)
{
    if (wire->why_not)
        doc_para(section, DOC_UNKNOWN, _("On the wire: not examined (%s)."), wire->why_not);
    else if (wire->open_ways)
        doc_para(section, DOC_BAD,
                 _("On the wire: %zu connections, and the server went on with these in plaintext: %s."),
                 wire->connections, wire->open_ways);
    else
        doc_para(section, wire->unseen ? DOC_UNKNOWN : DOC_GOOD,
                 _("On the wire: %zu connections, and the server went on with none in plaintext."),
                 wire->connections);
    if (wire->unseen)
        doc_para(section, DOC_UNKNOWN,
                 _("Of %zu connections the packets were not seen, or do not tell."), wire->unseen);
}

static void put_wire(const struct prove_wire *wire, struct doc_node *section)
{
    struct doc_node *to = doc_section(section, "wire", _("On the wire"));
    bool unknown = wire->why_not || (wire->unseen && !wire->open);

    doc_verdict(to, "verdict", _("Verdict"), unknown ? DOC_UNKNOWN : wire->open ? DOC_BAD : DOC_GOOD,
                unknown ? "not_examined" : wire->open ? "plaintext" : "no_plaintext",
                unknown ? _("not examined") : wire->open ? _("plaintext") : _("no plaintext"));
    doc_str(to, "interface", _("Interface"), wire->interface);
    if (!wire->why_not) {
        doc_int(to, "connections", _("Connections"), (int64_t)wire->connections);
        doc_int(to, "encrypted", _("Encrypted"), (int64_t)wire->encrypted);
        doc_int(to, "plaintext_refused", _("Plaintext, refused"), (int64_t)wire->refused);
        doc_int(to, "plaintext", _("Plaintext, and the server went on"), (int64_t)wire->open);
        doc_int(to, "unseen", _("Not seen, or not known"), (int64_t)wire->unseen);
    }
    put_wire_answer(wire, to);
}

/* What failed or was not tried, in sentences: a table has no room for them. */
static void put_reasons(const struct prove_result *result, struct doc_node *section)
{
    const char *before = NULL;

    for (size_t i = 0; i < result->rows_len; i++) {
        const struct prove_row *row = &result->rows[i];
        bool again = before && row->why && strcmp(before, row->why) == 0;

        if (!row->why || again)
            continue;
        doc_para(section, row->verdict == PROVE_FAIL ? DOC_BAD
                          : row->verdict == PROVE_PASS ? DOC_WARN : DOC_UNKNOWN,
                 "%s: %s", _(row->label), row->why);
        before = row->why;
    }
}

void prove_describe(const struct prove_result *result, struct doc_node *section)
{
    put_summary(result, section);
    if (result->is_target) {
        put_target(result, section);
        return;
    }
    for (enum way_group group = 0; group < WAYS_GROUPS; group++)
        put_group(result, group, section);
    put_sieges(result, section);
    if (result->wire.looked)
        put_wire(&result->wire, section);
    put_reasons(result, section);
}
