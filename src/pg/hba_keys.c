/* hba_keys.c - see hba_keys.h. */
#include "pg/hba_keys.h"

#include "pg/hba_match.h"
#include "pg/hba_words.h"

#define REGEX_COST 32       /* steps that one expression on one name stands for */

struct key {
    enum key_kind kind;
    const char *text;               /* of the token, or in the arena */
    struct hba_program *program;    /* of an expression that can be judged */
    struct key_list above;          /* len 0: not asked yet */
};

struct keys {
    bool databases;
    struct arena *arena;
    struct key *at;
    size_t len, cap;
    uint32_t *slots;                /* hash table of key numbers + 1 */
    size_t slots_len;               /* a power of two */
    uint32_t *regexes;              /* the keys that are expressions */
    size_t regexes_len, regexes_cap;
};

/* ---- from text to number ---- */

static size_t slot_of(const struct keys *keys, enum key_kind kind, const char *text)
{
    uint64_t hash = 14695981039346656037u + kind;       /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32) & (keys->slots_len - 1);
}

/* The slot that has the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct keys *keys, enum key_kind kind, const char *text)
{
    size_t i = slot_of(keys, kind, text);

    for (; keys->slots[i]; i = (i + 1) & (keys->slots_len - 1)) {
        const struct key *key = &keys->at[keys->slots[i] - 1];

        if (key->kind == kind && strcmp(key->text, text) == 0)
            break;
    }
    return &keys->slots[i];
}

static void grow_slots(struct keys *keys)
{
    free(keys->slots);
    keys->slots_len = keys->slots_len ? 2 * keys->slots_len : 64;
    keys->slots = ps_calloc(keys->slots_len, sizeof(*keys->slots));
    for (size_t i = 0; i < keys->len; i++)
        *find_slot(keys, keys->at[i].kind, keys->at[i].text) = (uint32_t)i + 1;
}

static uint32_t add(struct keys *keys, enum key_kind kind, const char *text)
{
    if (2 * (keys->len + 1) > keys->slots_len)
        grow_slots(keys);

    uint32_t *slot = find_slot(keys, kind, text);
    if (*slot)
        return *slot - 1;
    PS_PUSH(keys->at, keys->len, keys->cap) = (struct key){ .kind = kind, .text = text };
    *slot = (uint32_t)keys->len;
    if (kind == KEY_IS_REGEX) {
        keys->at[keys->len - 1].program = hba_program_new(text);
        PS_PUSH(keys->regexes, keys->regexes_len, keys->regexes_cap) = (uint32_t)keys->len - 1;
    }
    return (uint32_t)keys->len - 1;
}

struct keys *keys_new(bool databases)
{
    struct keys *keys = ps_calloc(1, sizeof(*keys));

    keys->databases = databases;
    keys->arena = arena_new();
    (void)add(keys, KEY_IS_ALL, "");
    return keys;
}

void keys_free(struct keys *keys)
{
    for (size_t i = 0; i < keys->len; i++)
        hba_program_freep(&keys->at[i].program);
    arena_free(keys->arena);
    free(keys->at);
    free(keys->slots);
    free(keys->regexes);
    free(keys);
}

/* ---- what a word means ---- */

static bool is_everything(const char *pattern)
{
    static const char *const all[] = { "", "^", "$", ".", "^.", ".$", ".*", "^.*", ".*$", "^.*$",
                                       ".+", "^.+", ".+$", "^.+$" };

    for (size_t i = 0; i < PS_COUNT(all); i++)
        if (strcmp(pattern, all[i]) == 0)
            return true;
    return false;
}

/* "^name$", of characters that mean themselves. */
static bool is_one_name(const char *pattern)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = pattern[0] == '^' ? strspn(pattern + 1, plain) : 0;

    return len > 0 && strcmp(pattern + 1 + len, "$") == 0;
}

uint32_t keys_add_name(struct keys *keys, const char *name)
{
    size_t len = strlen(name);

    return len == 0 || len > HBA_NAME_MAX ? add(keys, KEY_IS_NOBODY, "")
                                          : add(keys, KEY_IS_NAME, name);
}

uint32_t keys_add_text(struct keys *keys, const char *text)
{
    return add(keys, KEY_IS_NAME, text);
}

static uint32_t add_regex(struct keys *keys, const char *pattern)
{
    if (is_everything(pattern))
        return KEY_ALL;
    if (is_one_name(pattern))
        return keys_add_name(keys, arena_strndup(keys->arena, pattern + 1, strlen(pattern) - 2));
    return add(keys, KEY_IS_REGEX, pattern);
}

static uint32_t add_group(struct keys *keys, const char *name)
{
    size_t len = strlen(name);

    return len == 0 || len > HBA_NAME_MAX ? add(keys, KEY_IS_NOBODY, "")
                                          : add(keys, KEY_IS_GROUP, name);
}

uint32_t keys_add(struct keys *keys, const struct hba_token *token)
{
    static const struct { const char *word; enum key_kind kind; } keywords[] = {
        { "sameuser", KEY_IS_SAMEUSER }, { "samerole", KEY_IS_SAMEROLE },
        { "samegroup", KEY_IS_SAMEROLE }, { "replication", KEY_IS_REPLICATION },
    };

    if (hba_token_is(token, "all"))
        return KEY_ALL;
    for (size_t i = 0; keys->databases && i < PS_COUNT(keywords); i++)
        if (hba_token_is(token, keywords[i].word))
            return add(keys, keywords[i].kind, "");
    if (!keys->databases && !token->quoted && token->text[0] == '+')
        return add_group(keys, token->text + 1);
    return token->regex ? add_regex(keys, token->text + 1) : keys_add_name(keys, token->text);
}

uint32_t keys_twin(const struct keys *keys, enum key_kind kind, const char *text)
{
    uint32_t *slot = find_slot(keys, kind, text);

    return *slot ? *slot - 1 : KEY_NONE;
}

size_t keys_count(const struct keys *keys)
{
    return keys->len;
}

enum key_kind keys_kind(const struct keys *keys, uint32_t key)
{
    return keys->at[key].kind;
}

const char *keys_text(const struct keys *keys, uint32_t key)
{
    return keys->at[key].text;
}

/* ---- which contains which ---- */

static enum hba_match regex_has(const struct key *regex, const struct key *name)
{
    return regex->program ? hba_program_match(regex->program, name->text, NULL) : HBA_MAYBE;
}

enum hba_match keys_regex_has(const struct keys *keys, uint32_t regex, const char *name)
{
    const struct key key = { .text = name };

    return regex_has(&keys->at[regex], &key);
}

struct key_list keys_above(struct keys *keys, uint32_t number, uint64_t *work)
{
    struct key *key = &keys->at[number];
    size_t most = key->kind == KEY_IS_NAME ? 3 + keys->regexes_len : 2;
    bool in_all = key->kind != KEY_IS_REPLICATION && number != KEY_ALL;

    if (key->above.len > 0)
        return key->above;

    PS_AUTO(ps_freep) uint32_t *found = ps_malloc(most * sizeof(*found));
    size_t len = 0;

    found[len++] = number;
    if (in_all)
        found[len++] = KEY_ALL;
    if (key->kind == KEY_IS_NAME) {
        uint32_t group = keys_twin(keys, KEY_IS_GROUP, key->text);

        if (group != KEY_NONE)
            found[len++] = group;
        for (size_t i = 0; i < keys->regexes_len; i++)
            if (regex_has(&keys->at[keys->regexes[i]], key) == HBA_YES)
                found[len++] = keys->regexes[i];
        *work += keys->regexes_len * REGEX_COST;
    }

    uint32_t *kept = arena_alloc(keys->arena, len * sizeof(*kept));
    memcpy(kept, found, len * sizeof(*kept));
    key->above = (struct key_list){ kept, len };
    return key->above;
}

/* Names meet their equals and what contains them; of what has no names here only some is known. */
enum hba_match keys_meet(struct keys *keys, uint32_t a, uint32_t b)
{
    const struct key *one = &keys->at[a], *other = &keys->at[b];

    if (one->kind == KEY_IS_NOBODY || other->kind == KEY_IS_NOBODY)
        return HBA_NO;
    if (a == b)
        return HBA_YES;
    if (one->kind == KEY_IS_REPLICATION || other->kind == KEY_IS_REPLICATION)
        return HBA_NO;
    if (a == KEY_ALL || b == KEY_ALL)
        return HBA_YES;
    if (one->kind == KEY_IS_NAME && other->kind == KEY_IS_NAME)
        return HBA_NO;
    if (one->kind == KEY_IS_REGEX && other->kind == KEY_IS_NAME)
        return regex_has(one, other);
    if (one->kind == KEY_IS_NAME && other->kind == KEY_IS_REGEX)
        return regex_has(other, one);
    if (one->kind != KEY_IS_REGEX && other->kind != KEY_IS_REGEX
        && strcmp(one->text, other->text) == 0)
        return HBA_YES;         /* +ana and ana; sameuser and samerole */
    return HBA_MAYBE;
}
