/* finding.c - see finding.h. */
#include "facts/finding.h"

#include <stdlib.h>

#include "base/file.h"
#include "tls/digest.h"

void findings_free(struct findings *findings)
{
    free(findings->at);
    free(findings->unexamined);
    findings->at = NULL;
    findings->unexamined = NULL;
    findings->len = findings->cap = findings->unexamined_len = findings->unexamined_cap = 0;
}

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static size_t count_of(const struct findings *findings, const char *id)
{
    size_t n = 0;

    for (size_t i = 0; i < findings->len; i++)
        n += strcmp(findings->at[i].id, id) == 0;
    return n;
}

void findings_add(struct findings *findings, const struct finding *finding)
{
    struct arena *arena = findings->arena;
    struct finding mine = *finding;
    size_t before = findings->len >= FINDINGS_MAX ? count_of(findings, finding->id) : 0;

    if (before > FINDINGS_MAX)
        return;
    mine.id = copy(arena, finding->id);
    mine.place.file = copy(arena, finding->place.file);
    mine.place.text = copy(arena, finding->place.text);
    mine.object = arena_strdup(arena, finding->object ? finding->object : "");
    mine.message = copy(arena, finding->message);
    mine.evidence = copy(arena, finding->evidence);
    mine.cure = copy(arena, finding->cure);
    mine.fix = copy(arena, finding->fix);
    mine.fix_file = copy(arena, finding->fix_file);
    mine.fix_replaces = copy(arena, finding->fix_replaces);
    if (before == FINDINGS_MAX)
        mine = (struct finding){ .id = mine.id, .severity = finding->severity, .object = "",
                                 .message = _("there are more findings of this rule, which are not shown") };
    PS_PUSH(findings->at, findings->len, findings->cap) = mine;
}

void findings_unexamined(struct findings *findings, const char *id, const char *reason)
{
    for (size_t i = 0; i < findings->unexamined_len; i++)
        if (strcmp(findings->unexamined[i].id, id) == 0
            && strcmp(findings->unexamined[i].reason, reason) == 0)
            return;
    PS_PUSH(findings->unexamined, findings->unexamined_len, findings->unexamined_cap) =
        (struct unexamined){ copy(findings->arena, id), copy(findings->arena, reason) };
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    int diff = (int)b->severity - (int)a->severity;

    if (!diff)
        diff = compare_text(a->place.file, b->place.file);
    if (!diff)
        diff = (a->place.line > b->place.line) - (a->place.line < b->place.line);
    if (!diff)
        diff = strcmp(a->id, b->id);
    if (!diff)
        diff = strcmp(a->object, b->object);
    return diff ? diff : compare_text(a->message, b->message);
}

void findings_sort(struct findings *findings)
{
    if (findings->len)
        qsort(findings->at, findings->len, sizeof(*findings->at), compare);
}

enum severity findings_worst(const struct findings *findings)
{
    enum severity worst = SEV_NOTHING;

    for (size_t i = 0; i < findings->len; i++)
        worst = findings->at[i].severity > worst ? findings->at[i].severity : worst;
    return worst;
}

/* Blanks at the ends go, others become one: realigned columns are the same line. */
static void put_squeezed(struct buf *out, const char *text)
{
    bool blank = false, any = false;

    for (; text && *text; text++) {
        if (strchr(" \t\r\n", *text)) {
            blank = true;
            continue;
        }
        if (blank && any)
            buf_putc(out, ' ');
        buf_putc(out, *text);
        blank = false;
        any = true;
    }
}

void finding_print(const struct finding *finding, char out[FINDING_PRINT_HEX])
{
    PS_AUTO(buf_free) struct buf text = BUF(1u << 20);

    buf_put(&text, finding->id, strlen(finding->id) + 1);
    if (finding->place.file)
        buf_puts(&text, path_base(finding->place.file));
    buf_putc(&text, '\0');
    buf_put(&text, finding->object, strlen(finding->object) + 1);
    put_squeezed(&text, finding->place.text);
    digest_sha256_hex(buf_text(&text), text.len, out);
}
