/* exceptions.c - see exceptions.h. */
#include "rules/exceptions.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/num.h"

enum { DAY = 24 * 60 * 60 };

void exceptions_free(struct exceptions *exceptions)
{
    free(exceptions->at);
    exceptions->at = NULL;
    exceptions->len = exceptions->cap = 0;
}

/* ---- parsing ---- */

struct line {
    struct exceptions *all;
    const char *start, *p;      /* the pen */
    unsigned number;
    struct ps_err *err;
};

static bool fail_at(struct line *line, const char *at, enum ps_code code, const char *message)
{
    ps_fail(line->err, code, "%s", message);
    ps_hint(line->err, _("A line is: RULE [WHERE] until YYYY-MM-DD because REASON"));
    return ps_at(line->err, line->all->name, line->number, (unsigned)(at - line->start) + 1);
}

static void skip_blanks(struct line *line)
{
    line->p += strspn(line->p, " \t");
}

/* The next word, without its quotes; NULL at the end of the line. */
static const char *next_word(struct line *line)
{
    bool quoted;
    size_t len;

    skip_blanks(line);
    if (!*line->p)
        return NULL;
    quoted = *line->p == '"';
    line->p += quoted;
    len = strcspn(line->p, quoted ? "\"" : " \t");
    const char *word = arena_strndup(line->all->arena, line->p, len);
    line->p += len + (quoted && line->p[len] == '"');
    return word;
}

static bool expect_word(struct line *line, const char *want, const char *message)
{
    skip_blanks(line);
    const char *at = line->p, *word = next_word(line);

    return (word && strcmp(word, want) == 0) || fail_at(line, at, PS_E_SYNTAX, message);
}

static bool parse_rule(struct line *line, struct exception *out)
{
    const char *at = line->p, *id = next_word(line);

    out->rule = rule_find(id);
    if (out->rule)
        return true;
    fail_at(line, at, PS_E_VALUE, _("there is no rule of this name"));
    return ps_hint(line->err, _("\"pgseal explain --rules\" lists them all."));
}

/* A pattern that has the word until for its name is written in quotes. */
static bool parse_where(struct line *line, struct exception *out)
{
    skip_blanks(line);
    const char *at = line->p, *word = next_word(line);

    if (word && strcmp(word, "until") == 0 && *at != '"') {
        line->p = at;
        return true;
    }
    if (!word || !*word)
        return fail_at(line, at, PS_E_SYNTAX, _("an exception needs the day until which it holds"));
    out->where = word;
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar (H. Hinnant, "days_from_civil"). */
static long days_of(long year, long month, long day)
{
    long y = month <= 2 ? year - 1 : year;
    long era = y / 400, of_era = y - era * 400;
    long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date_parse(const char *text, time_t *out)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    long year, month, day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-'
        || !num_parse_n(text, 4, 1970, 9999, &year) || !num_parse_n(text + 5, 2, 1, 12, &month)
        || !num_parse_n(text + 8, 2, 1, 31, &day))
        return false;
    bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > lengths[month - 1] + leap)
        return false;
    *out = (time_t)(days_of(year, month, day) * DAY);
    return true;
}

static bool parse_until(struct line *line, struct exception *out)
{
    if (!expect_word(line, "until", _("the word until is missing")))
        return false;
    skip_blanks(line);
    const char *at = line->p;

    out->until_text = next_word(line);
    if (!out->until_text || !date_parse(out->until_text, &out->until))
        return fail_at(line, at, PS_E_VALUE, _("this is not a day, such as 2027-03-31"));
    out->until += DAY;
    return true;
}

static bool parse_reason(struct line *line, struct exception *out)
{
    if (!expect_word(line, "because", _("the word because, and a reason, are missing")))
        return false;
    skip_blanks(line);
    if (!*line->p)
        return fail_at(line, line->p, PS_E_SYNTAX, _("an exception needs a reason"));
    out->reason = line->p;
    return true;
}

static bool parse_line(struct line *line)
{
    struct exception one = { .text = line->start, .line = line->number };

    skip_blanks(line);
    if (!*line->p || *line->p == '#')
        return true;
    if (line->all->len == EXCEPTIONS_MAX)
        return fail_at(line, line->p, PS_E_TOO_BIG, _("there are too many exceptions"));
    if (!parse_rule(line, &one) || !parse_where(line, &one) || !parse_until(line, &one)
        || !parse_reason(line, &one))
        return false;
    PS_PUSH(line->all->at, line->all->len, line->all->cap) = one;
    return true;
}

bool exceptions_parse(const char *text, size_t len, const char *name, struct exceptions *out,
                      struct ps_err *err)
{
    struct line line = { .all = out, .err = err };
    const char *p = text, *end = text + len;

    out->name = name;
    if (len > EXCEPTIONS_BYTES_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is too large for a list of exceptions"), name);
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((stop ? stop : end) - p);

        line.number++;
        if (memchr(p, '\0', n)) {
            ps_fail(err, PS_E_SYNTAX, _("there is a zero byte in the line"));
            return ps_at(err, name, line.number, 0);
        }
        line.start = line.p = arena_strndup(out->arena, p, n && p[n - 1] == '\r' ? n - 1 : n);
        if (!parse_line(&line))
            return false;
        p += n + 1;
    }
    return true;
}

/* ---- using them ---- */

static bool covers(const struct exception *exception, const struct finding *finding)
{
    const char *where = exception->where, *file = finding->place.file;

    if (strcmp(exception->rule->id, finding->id) != 0)
        return false;
    return !where || fnmatch(where, finding->object, 0) == 0
        || (file && (fnmatch(where, file, 0) == 0 || fnmatch(where, path_base(file), 0) == 0));
}

static struct exception *find(const struct exceptions *exceptions, const struct finding *finding,
                              time_t now)
{
    for (size_t i = 0; i < exceptions->len; i++)
        if (now < exceptions->at[i].until && covers(&exceptions->at[i], finding))
            return &exceptions->at[i];
    return NULL;
}

static bool was_examined(const struct report *report, const char *id)
{
    const struct findings *findings = &report->findings;

    for (size_t i = 0; i < findings->unexamined_len; i++)
        if (strcmp(findings->unexamined[i].id, id) == 0)
            return false;
    return true;
}

static void say(const struct exceptions *exceptions, const struct exception *exception,
                const char *id, const char *message, struct report *report)
{
    rule_found(rule_find(id), &report->findings, (struct finding){
        .place = { .file = exceptions->name, .line = exception->line, .text = exception->text },
        .object = exception->rule->id, .message = message,
        .fix_kind = FIX_LINE, .fix = "" });
}

void exceptions_apply(struct exceptions *exceptions, const struct rule_choice *choice,
                      struct report *report)
{
    time_t now = report->posture->now;

    for (size_t i = 0; i < report->findings.len; ) {
        struct exception *exception = find(exceptions, &report->findings.at[i], now);

        if (exception) {
            exception->used = true;
            report_accept(report, i, exception->reason, exception->until_text);
        } else {
            i++;
        }
    }
    for (size_t i = 0; i < exceptions->len; i++) {
        const struct exception *one = &exceptions->at[i];

        if (now >= one->until)
            say(exceptions, one, "exception-expired",
                arena_printf(exceptions->arena, _("this exception for %s ran out on %s"),
                             one->rule->id, one->until_text), report);
        else if (!one->used && rule_chosen(choice, one->rule->id)
                 && was_examined(report, one->rule->id))
            say(exceptions, one, "exception-unused",
                arena_printf(exceptions->arena, _("no finding of %s needs this exception"),
                             one->rule->id), report);
    }
    findings_sort(&report->findings);
}
