/* tally.c - counting; see tally.h and tally_doc.c. */
#include "doctor/tally_internal.h"

#include <ctype.h>

struct tally *tally_new(const struct doctor *doctor)
{
    struct tally *tally = ps_calloc(1, sizeof(*tally));

    tally->doctor = doctor;
    tally->causes = ps_calloc(doctor_entries(), sizeof(*tally->causes));
    for (size_t i = 0; i < doctor_entries(); i++)
        tally->causes[i].entry = doctor_entry(i);
    tally->slots = ps_calloc(SLOTS, sizeof(*tally->slots));
    for (size_t i = 0; i < PS_COUNT(tally->utf8); i++)
        tally->utf8[i] = BUF(2 * LOGS_MESSAGE_MAX + 1);
    return tally;
}

void tally_free(struct tally *tally)
{
    free(tally->causes);
    free(tally->slots);
    free(tally->keys);
    free(tally->unknown);
    for (size_t i = 0; i < PS_COUNT(tally->utf8); i++)
        buf_free(&tally->utf8[i]);
    free(tally);
}

/* ---- times ---- */

/* Times of one server sort as text; the earliest and the latest, in whatever order the files come. */
static void note_time(struct span_of_time *span, const struct doctor_text *time)
{
    char text[TALLY_TIME_MAX];

    if (!time->p)
        return;
    snprintf(text, sizeof(text), "%.*s", (int)(time->len < sizeof(text) ? time->len : sizeof(text) - 1),
             time->p);
    if (!span->first[0] || strcmp(text, span->first) < 0)
        memcpy(span->first, text, sizeof(text));
    if (strcmp(text, span->last) > 0)
        memcpy(span->last, text, sizeof(text));
}

/* ---- keys ---- */

static void put_name(char out[TALLY_NAME_MAX], const struct doctor_text *a, const struct doctor_text *b)
{
    const struct doctor_text *from = a->p ? a : b;
    size_t len = from->len < TALLY_NAME_MAX ? from->len : TALLY_NAME_MAX - 1;

    if (from->p)
        memcpy(out, from->p, len);
    out[from->p ? len : 0] = '\0';
}

/* FNV-1a; a log that was made to collide costs time within TALLY_KEYS_MAX, not memory. */
static size_t hash_of(const struct key *key)
{
    uint64_t hash = 14695981039346656037u ^ key->cause;
    const char *const names[] = { key->role, key->database, key->address };

    for (size_t i = 0; i < PS_COUNT(names); i++) {
        for (const char *p = names[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211u;
        hash = (hash ^ 0xff) * 1099511628211u;
    }
    return (size_t)(hash ^ hash >> 32);
}

static bool is_same(const struct key *a, const struct key *b)
{
    return a->cause == b->cause && strcmp(a->role, b->role) == 0
           && strcmp(a->database, b->database) == 0 && strcmp(a->address, b->address) == 0;
}

/* The key that is kept, a new one, or NULL when there are too many. */
static struct key *find_key(struct tally *tally, const struct key *key)
{
    for (size_t at = hash_of(key) % SLOTS;; at = (at + 1) % SLOTS) {
        if (tally->slots[at] == 0) {
            if (tally->keys_len == TALLY_KEYS_MAX)
                return NULL;
            PS_PUSH(tally->keys, tally->keys_len, tally->keys_cap) = *key;
            tally->slots[at] = (uint32_t)tally->keys_len;
            return &tally->keys[tally->keys_len - 1];
        }
        if (is_same(&tally->keys[tally->slots[at] - 1], key))
            return &tally->keys[tally->slots[at] - 1];
    }
}

static void count_key(struct tally *tally, const struct key *key, const struct doctor_text *time)
{
    struct key *kept;

    if (!key->role[0] && !key->database[0] && !key->address[0])
        return;
    kept = find_key(tally, key);
    if (!kept) {
        tally->not_kept_apart++;
        return;
    }
    kept->count++;
    note_time(&kept->when, time);
}

static void count_who(struct tally *tally, size_t cause, const struct doctor_match *match,
                      const struct logs_message *message)
{
    struct key who = { .cause = (uint32_t)cause }, from = { .cause = (uint32_t)cause };

    put_name(who.role, &match->got[WHAT_ROLE], &message->role);
    put_name(who.database, &match->got[WHAT_DATABASE], &message->database);
    put_name(from.address, &match->got[WHAT_ADDRESS], &message->address);
    count_key(tally, &who, &message->time);
    count_key(tally, &from, &message->time);
}

static size_t cause_of(const struct tally *tally, const struct doctor_entry *entry)
{
    size_t i = 0;

    while (tally->causes[i].entry != entry)
        i++;
    return i;
}

/* ---- unknown messages ---- */

static bool begins(const struct doctor_text *text, const char *with)
{
    return text->len >= strlen(with) && memcmp(text->p, with, strlen(with)) == 0;
}

static bool has_word(const struct doctor_text *text, const char *word)
{
    return memmem(text->p, text->len, word, strlen(word)) != NULL;
}

/* What should be known and is not: fatal messages of a server, failed handshakes, TLS in other logs. */
static bool should_be_known(const struct logs_message *message)
{
    const struct doctor_text *text = &message->text;

    if (!message->severity.p)
        return has_word(text, "SSL") || has_word(text, "TLS") || has_word(text, "x509")
               || has_word(text, "pg_hba");
    return begins(&message->severity, "FATAL") || begins(&message->severity, "PANIC")
           || begins(text, "could not accept SSL connection") || begins(text, "no se pudo aceptar una "
                                                                                "conexión SSL");
}

/* Numbers in a message make no other message of it. */
static void put_unknown(char out[UNKNOWN_TEXT_MAX], const struct doctor_text *text)
{
    size_t len = 0;

    for (size_t i = 0; i < text->len && len < UNKNOWN_TEXT_MAX - 1 && text->p[i] != '\n'; i++) {
        bool digit = isdigit((unsigned char)text->p[i]);

        if (digit && len > 0 && out[len - 1] == '0')
            continue;
        out[len++] = digit ? '0' : text->p[i] ? text->p[i] : ' ';
    }
    out[len] = '\0';
}

static void count_unknown(struct tally *tally, const struct logs_message *message)
{
    struct unknown unknown = { .count = 1 };
    size_t i = 0;

    if (!should_be_known(message))
        return;
    tally->unknown_count++;
    put_unknown(unknown.text, &message->text);
    while (i < tally->unknown_len && strcmp(tally->unknown[i].text, unknown.text) != 0)
        i++;
    if (i < tally->unknown_len)
        tally->unknown[i].count++;
    else if (i < TALLY_UNKNOWN_MAX)
        PS_PUSH(tally->unknown, tally->unknown_len, tally->unknown_cap) = unknown;
    else
        tally->unknown_not_kept++;
}

/* ---- one message ---- */

/* Statements that are logged hold what people wrote; errors in them were not said by the server. */
static bool is_statement(const struct logs_message *message)
{
    static const char *const words[] = { "statement: ", "duration: ", "execute ", "sentencia: ",
                                         "duración: ", "AUDIT: " };

    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (begins(&message->text, words[i]))
            return true;
    return false;
}

/* Good until the next message. */
static struct logs_message as_utf8(struct tally *tally, const struct logs_message *message)
{
    struct logs_message out = *message;
    struct doctor_text *const texts[] = { &out.text, &out.prefix, &out.role, &out.database };

    for (size_t i = 0; i < PS_COUNT(texts); i++)
        if (texts[i]->p && latin1_to_utf8(texts[i]->p, texts[i]->len, &tally->utf8[i]))
            *texts[i] = (struct doctor_text){ buf_text(&tally->utf8[i]), tally->utf8[i].len };
    return out;
}

void tally_take(struct tally *tally, const struct logs *logs, const struct logs_message *message)
{
    struct doctor_match match;
    struct logs_message who = as_utf8(tally, message);
    size_t cause;

    if (is_statement(&who))
        return;
    doctor_match(tally->doctor, who.text.p, who.text.len, &match);
    if (match.len == 0) {
        count_unknown(tally, &who);
        return;
    }
    logs_who(logs, &who);
    cause = cause_of(tally, match.hits[0].entry);
    tally->known_count++;
    tally->causes[cause].count++;
    note_time(&tally->causes[cause].when, &who.time);
    note_time(&tally->when, &who.time);
    count_who(tally, cause, &match, &who);
}

uint64_t tally_count(const struct tally *tally, const struct doctor_entry *entry)
{
    return tally->causes[cause_of(tally, entry)].count;
}

uint64_t tally_not_kept_apart(const struct tally *tally)
{
    return tally->not_kept_apart;
}
