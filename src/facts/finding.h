/*
 * finding.h - what is wrong in what was seen, and what could not be seen.
 *
 * A finding is data, never an error.  A rule that lacks its facts leaves a "not examined" with the
 * reason: a silent pass is the worst answer a tool like this can give.
 */
#ifndef PS_FINDING_H
#define PS_FINDING_H

#include "base/mem.h"
#include "facts/severity.h"

struct place {                  /* in a file of the user's */
    const char *file;           /* NULL: not in a file */
    unsigned line;              /* from 1; 0: the whole file */
    unsigned column;            /* from 1, in bytes; 0: the whole line */
    unsigned end_column;        /* behind the last byte meant; 0: to the end of the line */
    const char *text;           /* the physical line as it stands there, without its end; NULL: not at hand */
};

enum fix_kind {
    FIX_NONE,
    FIX_COMMAND,        /* for a shell on the server */
    FIX_SQL,            /* for psql */
    FIX_LINE,           /* what the line at the place should be; "" takes it out; without a place a line, or
                           several, to be put into fix_file */
    FIX_FORM,           /* the same, but for words in <>: what they stand for is not known, and stays as it is */
    FIX_ADVICE          /* a sentence, translated: nothing can be pasted */
};

struct finding {
    const char *id;             /* the slug of the rule */
    enum severity severity;
    struct place place;
    const char *object;         /* a setting, a file, "CN=app", a host:port: with the id what tells this
                                   finding from others of its rule, whatever line it stands in; never
                                   NULL in findings_add()'s copy */
    const char *message;        /* translated: what is wrong here, one sentence without full stop */
    const char *evidence;       /* what was read, as it was read; NULL: the place says it */
    const char *cure;           /* translated sentences for this case, in place of the rule's; NULL: the rule's */
    enum fix_kind fix_kind;
    const char *fix;
    const char *fix_file;       /* whose line that is, such as "pg_hba.conf"; NULL: the place's */
    const char *fix_replaces;   /* what the line that goes looks like; NULL: it is the place's, or none goes */
};

struct unexamined {
    const char *id;             /* of the rule */
    const char *reason;         /* translated */
};

struct findings {               /* texts live in the arena, which is the caller's */
    struct arena *arena;
    struct finding *at;
    size_t len, cap;
    struct unexamined *unexamined;
    size_t unexamined_len, unexamined_cap;
};
void findings_free(struct findings *findings);      /* for PS_AUTO; not the arena */

/* Copies the texts.  At most FINDINGS_MAX of one id are kept; a last one says how many more there were. */
#define FINDINGS_MAX 1000
void findings_add(struct findings *findings, const struct finding *finding);

/* The same rule and reason only once. */
void findings_unexamined(struct findings *findings, const char *id, const char *reason);

/* Worst first; then by file, line, id, object: the same facts give the same bytes. */
void findings_sort(struct findings *findings);
enum severity findings_worst(const struct findings *findings);  /* SEV_NOTHING when there is none */

/*
 * What stays when lines move: SHA-256 over id, file's base name, object and the text of the line with its
 * blanks squeezed, as hex.  For baselines and SARIF's partialFingerprints.
 */
enum { FINDING_PRINT_HEX = 2 * 32 + 1 };
void finding_print(const struct finding *finding, char out[FINDING_PRINT_HEX]);

#endif
