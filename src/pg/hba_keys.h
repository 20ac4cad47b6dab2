/*
 * hba_keys.h - the words of database and role fields as small numbers, and which word surely contains
 * which; for hba_reach.c and hba_diff.c.
 *
 * One set for databases, one for roles.  The same meaning has the same key: "/^ana$" is ana, "/.*" is
 * all, samegroup is samerole.  Roles are those that exist: each is a member of itself.
 */
#ifndef PS_HBA_KEYS_H
#define PS_HBA_KEYS_H

#include "base/mem.h"
#include "pg/hba.h"

#define HBA_NAME_MAX 63         /* NAMEDATALEN - 1: what a client asks for is cut to this */
#define KEY_ALL 0u              /* the key of "all", always there */
#define KEY_NONE UINT32_MAX

enum key_kind { KEY_IS_ALL, KEY_IS_NAME, KEY_IS_GROUP, KEY_IS_REGEX, KEY_IS_SAMEUSER,
                KEY_IS_SAMEROLE, KEY_IS_REPLICATION,
                KEY_IS_NOBODY   /* a name that nothing can have */ };

struct key_list {
    const uint32_t *at;
    size_t len;
};

struct keys;
struct keys *keys_new(bool databases);
void keys_free(struct keys *keys);
PS_DEFINE_FREEP(struct keys, keys_free)

uint32_t keys_add(struct keys *keys, const struct hba_token *token);
uint32_t keys_add_name(struct keys *keys, const char *name);    /* of a role or database */
uint32_t keys_add_text(struct keys *keys, const char *text);    /* of any length */
/* The key of that kind with the same text as another's, KEY_NONE: there is none. */
uint32_t keys_twin(const struct keys *keys, enum key_kind kind, const char *text);

size_t keys_count(const struct keys *keys);
enum key_kind keys_kind(const struct keys *keys, uint32_t key);
const char *keys_text(const struct keys *keys, uint32_t key);   /* without "/" and "+" */

/*
 * The keys that surely contain everything that `key` stands for, itself first; all keys must have been
 * added.  *work grows by what it cost; the answer is kept.
 */
struct key_list keys_above(struct keys *keys, uint32_t key, uint64_t *work);

/* Does the expression have the name? */
enum hba_match keys_regex_has(const struct keys *keys, uint32_t regex, const char *name);

/* Have the two anything in common?  Only within one set, for every role that exists. */
enum hba_match keys_meet(struct keys *keys, uint32_t a, uint32_t b);

#endif
