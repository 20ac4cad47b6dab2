/* hba_regex.c - regular expressions of rules and maps; see hba_words.h. */
#include <ctype.h>
#include <regex.h>

#include "base/mem.h"
#include "base/num.h"
#include "pg/hba_words.h"

#define BOUND_MAX 255       /* DUPMAX of regguts.h */
#define GROUPS_MAX 100      /* bounds of ours, against regcomp()'s hunger: groups, */
#define COPIES_MAX 4096     /* and {255} of {255} of {255} */

/* A walk over the pattern; `state` is SHARED as long as everything seen is of both languages. */
struct walk {
    const char *p;
    unsigned open;          /* groups not closed yet */
    unsigned groups;
    unsigned long copies;   /* that regcomp() makes of what is repeated, at most */
    bool operand;           /* something stands before that can be repeated */
    enum hba_regex state;
};

static void leave(struct walk *walk, enum hba_regex state)
{
    walk->state = state;
}

/* [...]: classes, ranges' names and backslashes differ, so only the plain form is shared. */
static void walk_bracket(struct walk *walk)
{
    const char *p = walk->p + 1;

    if (*p == '^')
        p++;
    if (*p == ']')
        p++;
    for (; *p && *p != ']'; p++)
        if (*p == '\\' || (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '='))) {
            leave(walk, HBA_REGEX_OTHER);
            return;
        }
    if (*p == '\0') {
        leave(walk, HBA_REGEX_BROKEN);
        return;
    }
    walk->p = p + 1;
    walk->operand = true;
}

static void walk_escape(struct walk *walk)
{
    unsigned char next = (unsigned char)walk->p[1];

    if (next == '\0') {
        leave(walk, HBA_REGEX_BROKEN);
        return;
    }
    if (isalnum(next) || next >= 0x80)
        leave(walk, HBA_REGEX_OTHER);       /* \d, \m, \1: PostgreSQL's own */
    walk->p += 2;
    walk->operand = true;
}

/* {m}, {m,}, {m,n} */
static bool walk_bound(struct walk *walk)
{
    size_t len = strspn(walk->p + 1, "0123456789,");
    const char *from = walk->p + 1, *comma = memchr(from, ',', len);
    size_t first = comma ? (size_t)(comma - from) : len;
    long low, high = 0;

    if (from[len] != '}' || !num_parse_n(from, first, 0, BOUND_MAX, &low))
        return false;
    if (comma && first + 1 < len
        && !num_parse_n(comma + 1, len - first - 1, low, BOUND_MAX, &high))
        return false;
    walk->p += len + 2;
    walk->copies *= (unsigned long)(comma && first + 1 < len ? high : low) + 1;
    if (walk->copies > COPIES_MAX)
        leave(walk, HBA_REGEX_OTHER);
    return true;
}

static void walk_quantifier(struct walk *walk)
{
    bool brace = *walk->p == '{';

    if (brace && !isdigit((unsigned char)walk->p[1])) {
        leave(walk, HBA_REGEX_OTHER);       /* itself in one language only */
        return;
    }
    if (!walk->operand || (brace && !walk_bound(walk))) {
        leave(walk, HBA_REGEX_BROKEN);
        return;
    }
    if (!brace)
        walk->p++;
    if (*walk->p == '?')
        leave(walk, HBA_REGEX_OTHER);       /* not greedy */
    walk->operand = false;
}

static void walk_group(struct walk *walk)
{
    if (walk->p[1] == '?' || ++walk->groups > GROUPS_MAX)
        leave(walk, HBA_REGEX_OTHER);
    walk->open++;
    walk->operand = false;
    walk->p++;
}

static void walk_close(struct walk *walk)
{
    if (walk->open == 0) {
        leave(walk, HBA_REGEX_BROKEN);
        return;
    }
    walk->open--;
    walk->operand = true;
    walk->p++;
}

static void walk_char(struct walk *walk)
{
    /* bytes beyond ASCII are parts of characters for one and characters for the other */
    if ((unsigned char)*walk->p >= 0x80)
        leave(walk, HBA_REGEX_OTHER);
    walk->operand = !strchr("|^$", *walk->p);
    walk->p++;
}

enum hba_regex hba_regex_judge(const char *pattern)
{
    struct walk walk = { .p = pattern, .copies = 1, .state = HBA_REGEX_SHARED };

    if (strncmp(pattern, "***", 3) == 0)
        return HBA_REGEX_OTHER;             /* a director: which language follows */
    while (walk.state == HBA_REGEX_SHARED && *walk.p)
        switch (*walk.p) {
        case '[': walk_bracket(&walk); break;
        case '\\': walk_escape(&walk); break;
        case '(': walk_group(&walk); break;
        case ')': walk_close(&walk); break;
        case '*': case '+': case '?': case '{': walk_quantifier(&walk); break;
        default: walk_char(&walk);
        }
    if (walk.state == HBA_REGEX_SHARED && walk.open > 0)
        return HBA_REGEX_BROKEN;
    return walk.state;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

struct hba_program {
    regex_t regex;
};

struct hba_program *hba_program_new(const char *pattern)
{
    PS_AUTO(ps_freep) struct hba_program *program = NULL;

    if (hba_regex_judge(pattern) != HBA_REGEX_SHARED)
        return NULL;
    program = ps_calloc(1, sizeof(*program));
    if (regcomp(&program->regex, pattern, REG_EXTENDED) != 0)
        return NULL;
    return PS_TAKE(program);
}

void hba_program_free(struct hba_program *program)
{
    regfree(&program->regex);
    free(program);
}

enum hba_match hba_program_match(const struct hba_program *program, const char *text,
                                 struct hba_span *group)
{
    regmatch_t found[2] = { { -1, -1 }, { -1, -1 } };

    if (!is_ascii(text))
        return HBA_MAYBE;

    int result = regexec(&program->regex, text, PS_COUNT(found), found, 0);
    if (result != 0)
        return result == REG_NOMATCH ? HBA_NO : HBA_MAYBE;
    if (group)
        *group = (struct hba_span){ found[1].rm_so, found[1].rm_eo };
    return HBA_YES;
}

enum hba_match hba_regex_match(const char *pattern, const char *text, struct hba_span *group)
{
    PS_AUTO(hba_program_freep) struct hba_program *program = hba_program_new(pattern);

    return program ? hba_program_match(program, text, group) : HBA_MAYBE;
}
