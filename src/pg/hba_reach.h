/*
 * hba_reach.h - the rules of a pg_hba.conf as sets: what each line can still be reached by.
 *
 * The space has four dimensions: kind of connection, database, role, address.  A line takes what it
 * matches and no line above has taken.  Questions about one connection are hba_why.h; here they are
 * about all connections at once.
 *
 * Nothing is claimed that is not certain for every role that exists: a line counts as taking something
 * only where it surely matches.  Of host names, +roles, expressions and samehost only
 * the same words, and what surely contains them (all, 0.0.0.0/0 with ::/0), are known to cover each
 * other.  "Lives" means: not known to be dead.
 *
 * Memory and time are linear in the file for lines of a few words; what would take longer (lists times
 * lists, thousands of expressions) ends at REACH_WORK_MAX with REACH_UNSURE, never with a guess.
 */
#ifndef PS_HBA_REACH_H
#define PS_HBA_REACH_H

#include "pg/hba.h"

#define REACH_WORK_MAX (64u << 20)      /* steps for the whole file, about half a second */
#define REACH_RULE_WORK_MAX (1u << 20)  /* steps for one rule */
#define REACH_NAMED_MAX 16              /* covering lines that are named */

enum reach_kind { REACH_LOCAL, REACH_PLAIN, REACH_TLS, REACH_GSS, REACH_KINDS };
#define REACH_BIT(kind) (1u << (kind))

struct reach_net {              /* a prefix */
    int family;                 /* AF_INET, AF_INET6 */
    unsigned char addr[16];
    unsigned bits;
};

struct reach_world {            /* what is known of the server beside its file; zero: nothing */
    enum hba_match no_tls;      /* HBA_YES: it surely has ssl off, HBA_NO (0): it may have it on */
    enum hba_match no_gss;      /* HBA_YES: built without GSS */
    bool nets_known;            /* its interfaces are: what samehost and samenet stand for */
    const struct reach_net *nets;       /* address and prefix length of each interface */
    size_t nets_len;
};

/* ---- lines that cannot be reached ---- */

enum reach_state {
    REACH_LIVES,
    REACH_COVERED,              /* by lines above, wholly */
    REACH_NEVER,                /* could not match even if it stood alone */
    REACH_UNSURE                /* a bound was reached */
};

enum reach_never {
    REACH_NEVER_TLS,            /* hostssl, ssl is off */
    REACH_NEVER_GSS,            /* hostgssenc, the server has no GSS */
    REACH_NEVER_ADDRESS,        /* a host name that no client has: ALL, "all", "samenet" */
    REACH_NEVER_DATABASE,       /* no name that a database can have */
    REACH_NEVER_ROLE
};

struct reach_rule {
    enum reach_state state;
    enum reach_never never;     /* of REACH_NEVER */
    const size_t *by;           /* of REACH_COVERED: numbers of rules, ascending; one, or those that do it
                                   together and none of which could be left out */
    size_t by_len;              /* 0, with by_more, when a bound came first */
    bool by_more;               /* there are more than REACH_NAMED_MAX; then `by` is not the least */
    bool same;                  /* all of them do what the line itself would: it is only superfluous */
};

struct reach;                   /* refers to the hba, which must outlive it */
struct reach *reach_new(const struct hba *hba, const struct reach_world *world);
void reach_free(struct reach *reach);
PS_DEFINE_FREEP(struct reach, reach_free)

const struct reach_rule *reach_rule(const struct reach *reach, size_t rule);
const char *reach_never_text(enum reach_never never);      /* translated */

/*
 * Lines above `rule` that surely take a part of what it matches, for these kinds (REACH_BIT) of
 * connection; ascending, at most `max`.  *sure is false when others might.  Those that are
 * not effective there, because a line above them takes the same, are not left out.
 */
size_t reach_takers(const struct reach *reach, size_t rule, unsigned kinds, size_t *out, size_t max,
                    bool *sure);

/* ---- who comes in through what ---- */

struct reach_row {              /* what one line decides */
    size_t rule;
    enum reach_kind kind;
    const struct hba_token *databases, *roles;      /* as written: the whole field, or one of it */
    size_t databases_len, roles_len;
    const struct reach_net *nets;       /* what lines above leave of its addresses; empty for local */
    size_t nets_len;
    bool nets_more;             /* more than REACH_NETS_MAX: the last ones are not listed; or more than
                                   REACH_PAIRS_MAX: what lines above take is not cut out */
    bool by_name;               /* only clients whose host name is the rule's; nets are where from */
    bool same_net;              /* samehost or samenet, and the interfaces are not known */
    bool loopback, beyond;      /* some of the nets are 127.0.0.0/8 or ::1; some reach beyond */
};
#define REACH_NETS_MAX 256
#define REACH_PAIRS_MAX 4096    /* databases times roles of one line */

/*
 * Every part of the space, for one kind of connection, that is decided by a rule that `selects`, line by
 * line.  What lines above take of it for some roles or databases only is not cut out: reach_takers() names
 * them.  The row is valid during the call.
 */
void reach_regions(const struct reach *reach, enum reach_kind kind,
                   bool (*selects)(const struct hba_rule *rule, void *arg),
                   void (*row)(const struct reach_row *row, void *arg), void *arg);

/* Does the address lie in one of the nets? */
bool reach_nets_have(const struct reach_net *nets, size_t len, const struct sockaddr_storage *addr);
/* "10.0.0.0/8", "::1/128" */
#define REACH_NET_TEXT_MAX 64
void reach_net_text(const struct reach_net *net, char out[REACH_NET_TEXT_MAX]);

/* ---- weaker before stronger ---- */

/*
 * How much a rule asks for, so that two can be compared: trust 0, then what sends or leaks secrets, scram,
 * certificate.  Reject is more than all.
 */
enum hba_proof { HBA_PROOF_NONE, HBA_PROOF_SAID /* ident, radius on a plain line ... */,
                 HBA_PROOF_CLEAR /* password and what carries it */, HBA_PROOF_MD5,
                 HBA_PROOF_STRONG /* scram, gss, peer ... */, HBA_PROOF_CERT,
                 HBA_PROOF_BOTH /* certificate and a secret */, HBA_PROOF_REJECT };
enum hba_proof hba_proof(const struct hba *hba, const struct hba_rule *rule);

struct reach_weaker {
    size_t strict, weak;        /* rules; weak stands above */
    bool wholly;                /* nothing is left for the strict one */
    bool named;                 /* the weak one is for some of the roles or databases of the strict one
                                   only: perhaps an exception that is meant */
    bool cert;                  /* the strict one asks for a client certificate, the weak one does not */
};
/*
 * For each rule the first weaker line above that takes a part of it, local ones too; when something is
 * left of it, parts that are only loopback do not count.  False: a bound was reached, there may be more.
 */
bool reach_weaker(const struct reach *reach,
                  void (*found)(const struct reach_weaker *weaker, void *arg), void *arg);

/* ---- IPv4 closed, IPv6 open ---- */

struct reach_family_gap {
    size_t open;                /* rule that admits plaintext over IPv6 from beyond loopback */
    size_t closed;              /* rule that keeps the same roles and databases out over IPv4 */
};
void reach_ipv6_open(const struct reach *reach,
                     void (*found)(const struct reach_family_gap *gap, void *arg), void *arg);

#endif
