/*
 * hba_why.h - which line of pg_hba.conf decides about a connection, and why each line above it does not.
 *
 * The order of the comparison is the server's (hba.c, check_hba): kind of connection, TLS, GSS,
 * address, database, role; the first that fails is the reason.  What cannot be known from here (host
 * names, expressions that POSIX cannot judge, memberships that the question does not tell) is said, and
 * never guessed.
 */
#ifndef PS_HBA_WHY_H
#define PS_HBA_WHY_H

#include "base/mem.h"
#include "pg/hba.h"

enum hba_why {
    HBA_WHY_MATCHES,
    HBA_WHY_FOR_SOCKETS,        /* a local line, and the connection comes by network */
    HBA_WHY_FOR_NETWORK,        /* a host line, and the connection comes by socket */
    HBA_WHY_WANTS_TLS,          /* hostssl, without TLS */
    HBA_WHY_WANTS_NO_TLS,       /* hostnossl, with TLS */
    HBA_WHY_WANTS_GSS,
    HBA_WHY_WANTS_NO_GSS,
    HBA_WHY_FAMILY,             /* IPv4 against IPv6, also when the one is mapped into the other */
    HBA_WHY_ADDRESS,
    HBA_WHY_ADDRESS_NOBODY,     /* a host name that no client has, such as ALL */
    HBA_WHY_DATABASE,
    HBA_WHY_ALL_NO_REPLICATION, /* "all" does not stand for replication */
    HBA_WHY_FOR_REPLICATION,    /* only replication, and this is none */
    HBA_WHY_ROLE,
    HBA_WHY_NO_MEMBER,          /* only +roles, and it is a member of none of them */
    HBA_WHY_HOST_UNKNOWN,       /* from here on: perhaps.  The host name of the client */
    HBA_WHY_NETS_UNKNOWN,       /* samehost or samenet */
    HBA_WHY_ADDRESS_UNKNOWN,    /* the question has no address */
    HBA_WHY_MEMBER_UNKNOWN,
    HBA_WHY_REGEX_UNKNOWN,
    HBA_WHY_COUNT
};

const char *hba_why_word(enum hba_why why);     /* "wants_tls": for programs, never translated */
const char *hba_why_text(enum hba_why why);     /* translated, a sentence without full stop */

struct hba_step {               /* one line that was looked at */
    const struct hba_rule *rule;
    enum hba_match match;       /* HBA_NO, HBA_MAYBE; of the last one HBA_YES */
    enum hba_why why;
    size_t begin, end;          /* the field that is the reason, in the rule's file */
};

/* What one rule says to the question. */
struct hba_step hba_why(const struct hba_rule *rule, const struct hba_question *question);

struct hba_verdict {
    const struct hba_rule *rule;    /* that decides; NULL: no line, implicit reject */
    bool sure;                      /* false: a line above, of those with HBA_MAYBE, might decide */
    struct hba_step *steps;         /* every line down to the one that decides, in order */
    size_t len;
};

void hba_judge(const struct hba *hba, const struct hba_question *question, struct arena *arena,
               struct hba_verdict *out);

/*
 * A question as text: words of the form name=value, between blanks.
 *
 *     role=app db=shop from=10.0.0.5 tls=no
 *
 * role=NAME and from=ADDRESS are needed: an IPv4 or IPv6 address, or `local` for the Unix socket.
 * db=NAME: without it the role's name, as for the server; tls=yes|no and gss=yes|no: without them no;
 * replication: a physical walsender; member=a,b: all the roles it is a member of (without it: not
 * known; `member=`: of none but itself).  A value with blanks stands in double quotes.  Fails with
 * PS_E_VALUE; err->at.column is the place in the text, if it is about one.  All lives in the arena.
 */
#define HBA_QUESTION_MAX 4096
PS_MUST bool hba_question_parse(const char *text, struct arena *arena, struct hba_question *out,
                                struct ps_err *err);

#endif
