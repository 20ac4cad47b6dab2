/*
 * hba_words.h - what the words of a rule are worth in each major: types, methods, options, addresses,
 * regular expressions.
 *
 * Tables and pure functions; hba.c puts them together.  Source: PostgreSQL 10 to 18,
 * src/backend/libpq/hba.c (parse_hba_line, parse_hba_auth_opt); manual, "The pg_hba.conf File".
 */
#ifndef PS_HBA_WORDS_H
#define PS_HBA_WORDS_H

#include "pg/hba.h"

/* ---- types and methods ---- */

/* Case matters, as for the server.  False: that major has no such type. */
bool hba_type_parse(const char *word, unsigned major, enum hba_type *out);

enum hba_method {
    HBA_TRUST, HBA_REJECT, HBA_SCRAM, HBA_MD5, HBA_PASSWORD, HBA_GSS, HBA_SSPI, HBA_IDENT, HBA_PEER,
    HBA_LDAP, HBA_RADIUS, HBA_CERT, HBA_PAM, HBA_BSD, HBA_OAUTH
};
bool hba_method_parse(const char *word, unsigned major, enum hba_method *out);
const char *hba_method_name(enum hba_method method);

/* ---- addresses ---- */

enum hba_addr_trouble { HBA_ADDR_FINE, HBA_ADDR_NAME_AND_MASK, HBA_ADDR_BAD_CIDR };

/*
 * The address word, with or without /bits.  A net without /bits has the mask in the next word:
 * *wants_mask.  addr->name points into `word`.
 */
enum hba_addr_trouble hba_addr_parse(const char *word, bool quoted, struct hba_addr *addr,
                                     bool *wants_mask);
/* A separate mask: *family is AF_INET or AF_INET6. */
bool hba_mask_parse(const char *word, int *family, unsigned char mask[16]);

/* ---- options ---- */

struct hba_setting_context {        /* the rule that has the option */
    unsigned major;
    enum hba_type type;
    enum hba_method method;
};

struct hba_complaint {              /* why a word is refused; NULL what: it is not */
    const char *what, *hint;        /* N_(); `what` may have one %s */
    bool of_value;                  /* which is the value; else the name */
};

/* One option: known in this major, allowed with this method and type, a value that is taken. */
struct hba_complaint hba_option_judge(const struct hba_setting_context *context, const char *name,
                                      const char *value);
/* All options together: what the method cannot do without, or what excludes what. */
struct hba_complaint hba_options_judge(const struct hba_setting_context *context,
                                       const struct hba_option *options, size_t len);
/* The last value of that name, NULL: not there. */
const char *hba_options_find(const struct hba_option *options, size_t len, const char *name);

/* What clientcert=`word` makes this major do; NONE also where it refuses the word. */
enum hba_clientcert hba_clientcert_word(unsigned major, const char *word);

/* ---- regular expressions ---- */

/*
 * PostgreSQL has its own ("advanced") ones.  SHARED: written in what POSIX extended ones have too, with
 * the same meaning; BROKEN: PostgreSQL refuses it for certain; OTHER: cannot be judged here.
 */
enum hba_regex { HBA_REGEX_SHARED, HBA_REGEX_BROKEN, HBA_REGEX_OTHER };
enum hba_regex hba_regex_judge(const char *pattern);
/*
 * Does it match anywhere in `text`?  With `group` not NULL, the span of the first group; begin is -1
 * when it has none.
 */
struct hba_span { long begin, end; };
enum hba_match hba_regex_match(const char *pattern, const char *text, struct hba_span *group);

struct hba_program;     /* an expression made ready for many texts */
struct hba_program *hba_program_new(const char *pattern);      /* NULL: cannot be judged here */
void hba_program_free(struct hba_program *program);
PS_DEFINE_FREEP(struct hba_program, hba_program_free)
enum hba_match hba_program_match(const struct hba_program *program, const char *text,
                                 struct hba_span *group);

#endif
