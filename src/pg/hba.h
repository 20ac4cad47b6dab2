/*
 * hba.h - pg_hba.conf: read without losing a byte, question, edit.
 *
 * Writing what was not edited gives the bytes that were read.  Nothing here opens a file or a socket.
 * Source: PostgreSQL 17, src/backend/libpq/hba.c; manual, "The pg_hba.conf File".
 */
#ifndef PS_HBA_H
#define PS_HBA_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "pg/source.h"

#define HBA_MAX_BYTES (256u << 20)      /* of one file, */
#define HBA_MAX_WORDS 5000000u          /* and words of all lines with their @files: about 1.5 GB here */
#define HBA_PROBLEM_TEXT_MAX 4096

enum hba_type { HBA_LOCAL, HBA_HOST, HBA_HOSTSSL, HBA_HOSTNOSSL, HBA_HOSTGSSENC, HBA_HOSTNOGSSENC };
const char *hba_type_name(enum hba_type type);

struct hba_token {          /* one element of a field's list */
    const char *text;       /* quotes resolved */
    bool quoted;            /* began with a quote: no keyword, no +role, no @file */
    bool regex;             /* begins with '/' and this major takes it as a regular expression */
};

struct hba_field {
    const struct hba_token *at;
    size_t len;
    size_t begin, end;      /* span in the file's text */
};

enum hba_addr_kind { HBA_ADDR_NONE /* local */, HBA_ADDR_ALL, HBA_ADDR_NET, HBA_ADDR_SAMEHOST,
                     HBA_ADDR_SAMENET, HBA_ADDR_NAME };

struct hba_addr {
    enum hba_addr_kind kind;
    int family;                 /* of a net: AF_INET or AF_INET6 */
    unsigned char net[16], mask[16];
    const char *name;           /* of HBA_ADDR_NAME; ".suffix" too */
    size_t begin, end;          /* span in the text, a separate mask included */
};

struct hba_option {
    const char *name, *value;
    size_t begin, end;
};

struct hba_rule {
    const char *file;           /* as given to the source */
    unsigned line;              /* first physical line, from 1 */
    size_t file_index;          /* of hba_files() */
    size_t begin, end;          /* the whole (joined) line in that file, its line end included */
    size_t type_begin, type_end, method_begin, method_end;
    enum hba_type type;
    struct hba_field databases, users;  /* with @files expanded; spans are of what is written */
    struct hba_addr addr;
    const char *method;         /* as it acts: ident on a local line is "peer" */
    const struct hba_option *options;
    size_t options_len;
};

struct hba_problem {
    const char *file;           /* where the fault stands; for one in an @file the server names the
                                   line that mentions it */
    unsigned line, column;      /* where the user's editor has it, also in a continued line */
    const char *what;           /* translated */
    const char *hint;           /* translated: what to write instead */
    const char *text;           /* the physical line as it stands there, without its end: text_len bytes, */
    size_t text_len;            /* at most HBA_PROBLEM_TEXT_MAX */
};

struct hba;     /* made by hba_load(), freed by hba_free(); not for two threads at once */
void hba_free(struct hba *hba);
PS_DEFINE_FREEP(struct hba, hba_free)

/*
 * Read `path` with its includes (16+) and @files as a server of `major` does.  Errors in lines are
 * problems: one of them and the server keeps the old rules at reload, or does not start.  Clientcert
 * words are judged too, for pg_hba_file_rules cannot be trusted to.  False only when `path` itself
 * cannot be read (PS_E_NOT_FOUND, PS_E_IO, PS_E_TOO_BIG).
 */
PS_MUST bool hba_load(const struct pg_source *source, const char *path, unsigned major,
                      struct hba **out, struct ps_err *err);

/*
 * The same file with the lines, too, that are refused for an option only, so that what they were meant
 * for can be judged; it has no problems and no edits.  Borrows from `hba`, which must outlive it.
 */
struct hba *hba_meant(const struct hba *hba);

size_t hba_rules(const struct hba *hba);        /* in the order of the server */
const struct hba_rule *hba_rule(const struct hba *hba, size_t i);
size_t hba_problems(const struct hba *hba);
const struct hba_problem *hba_problem(const struct hba *hba, size_t i);
unsigned hba_major(const struct hba *hba);

const char *hba_option(const struct hba_rule *rule, const char *name);      /* NULL: not there */
/* The text of a rule's line, without its line end. */
void hba_rule_text(const struct hba *hba, const struct hba_rule *rule, struct buf *out);
/* The text between two offsets of the file that holds the rule, such as a field as it is written. */
void hba_span(const struct hba *hba, const struct hba_rule *rule, size_t begin, size_t end,
              struct buf *out);

/* ---- questions ---- */

enum hba_match { HBA_NO, HBA_YES, HBA_MAYBE };     /* maybe: host names, regular expressions that
                                                      POSIX cannot judge, unknown memberships */

struct hba_question {
    bool local;                         /* Unix-domain socket */
    bool tls, gss;                      /* how the connection is protected */
    const char *database, *user;
    bool replication;                   /* physical walsender: database is not looked at */
    const char *const *roles;           /* what `user` is a member of, itself included, NULL at the
                                           end; NULL: unknown, +role gives HBA_MAYBE unless it is
                                           the user itself */
    struct sockaddr_storage addr;       /* of the client; family 0: unknown, gives HBA_MAYBE */
};

/* Does the rule match the whole question? */
enum hba_match hba_rule_matches(const struct hba_rule *rule, const struct hba_question *question);
/* Only its user field: would it match this role? */
enum hba_match hba_user_matches(const struct hba_rule *rule, const struct hba_question *question);

/*
 * The first rule that matches; NULL: implicit reject.  *sure is false when an earlier one might
 * match: then the answer is the first certain one.
 */
const struct hba_rule *hba_ask(const struct hba *hba, const struct hba_question *question,
                               bool *sure);

/* Does the rule let a connection in without encryption, if it matches? */
bool hba_admits_plaintext(const struct hba_rule *rule);
/* What the rule demands of a client certificate, after this major's meaning of its words. */
enum hba_clientcert { HBA_CERT_NONE, HBA_CERT_CA, HBA_CERT_FULL };
enum hba_clientcert hba_clientcert(const struct hba *hba, const struct hba_rule *rule);

/*
 * ---- edits: of the bytes of the files, seen in hba_file_text(); rules stay as they were read ----
 *
 * A file that is included twice is one file: an edit of a rule from it shows in both places.  Setting
 * again what was set before replaces the earlier edit.
 */

size_t hba_files(const struct hba *hba);        /* with lines; not what only @file words name */
const char *hba_file_name(const struct hba *hba, size_t i);
bool hba_file_edited(const struct hba *hba, size_t i);
void hba_file_text(const struct hba *hba, size_t i, struct buf *out);    /* with all edits */

/* Replace the type word; when blanks follow for alignment, columns behind stay where they were. */
void hba_set_type(struct hba *hba, const struct hba_rule *rule, enum hba_type type);
/* Replace the method and drop all options. */
void hba_set_method(struct hba *hba, const struct hba_rule *rule, const char *method);
/*
 * Set an option: replaced where it is written (every time, if several), otherwise added behind the
 * last one.  `value` is quoted where it must be; it has no line end.
 */
void hba_set_option(struct hba *hba, const struct hba_rule *rule, const char *name,
                    const char *value);
/*
 * Put a line above the rule; several keep their order of calling.  `line` has no line end and does
 * not end in a backslash, which would join it with the rule.
 */
void hba_insert_before(struct hba *hba, const struct hba_rule *rule, const char *line);

/*
 * A name as it must be written in a user or database field so that it means just that name.  From 16 a
 * leading "/" is a regular expression even in quotes; then an anchored one is written.  False, and
 * nothing written, when that major cannot say it (a line end in the name).
 */
PS_MUST bool hba_quote_name(const char *name, unsigned major, struct buf *out);

#endif
