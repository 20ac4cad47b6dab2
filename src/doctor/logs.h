/*
 * logs.h - a server's log, byte by byte, into messages: stderr, csvlog and jsonlog, also mixed, and the
 * log of an application, where each line is a message.
 *
 * DETAIL, HINT and CONTEXT belong to their message; statements are left out, for they hold anything.
 * Memory is bounded: of a line, and of a message, LOGS_MESSAGE_MAX bytes are kept and the rest is
 * counted.  What is cut short, binary or in the middle of a record is taken as far as it goes.
 * Source: src/backend/utils/error/elog.c, csvlog.c, jsonlog.c; manual, "What to Log".
 */
#ifndef DOCTOR_LOGS_H
#define DOCTOR_LOGS_H

#include "doctor/match.h"

enum { LOGS_MESSAGE_MAX = 64 << 10 };

struct logs_message {
    struct doctor_text severity;    /* "FATAL", as it is written; p NULL: a line without one */
    struct doctor_text text;        /* message, DETAIL, HINT and CONTEXT, each on its line */
    struct doctor_text prefix;      /* of stderr: what stands in front of the severity */
    struct doctor_text time, role, database, address, sqlstate;     /* of csvlog and jsonlog; see
                                                                       logs_who() for stderr */
};

struct logs_count {
    uint64_t bytes, lines, messages;
    uint64_t cut;                   /* lines of which not all was looked at */
};

/* The message and its texts are the reader's, and gone after the call. */
typedef void (*logs_fn)(void *arg, const struct logs_message *message);

struct logs;
/* `prefix` is the server's log_line_prefix; NULL: guess. */
struct logs *logs_new(const char *prefix, logs_fn found, void *arg);
void logs_free(struct logs *logs);
PS_DEFINE_FREEP(struct logs, logs_free)
void logs_feed(struct logs *logs, const char *bytes, size_t len);
void logs_end(struct logs *logs);               /* a last line without an end, a last message */
const struct logs_count *logs_count(const struct logs *logs);

/*
 * Fill in time, role, database and address from the prefix of a stderr message: by log_line_prefix when it
 * was given, else what has an unmistakable form (a date, user@database, user=, db=, client=, an
 * address).  What is not sure stays NULL.
 */
void logs_who(const struct logs *logs, struct logs_message *message);

/* Does a text look like part of a server's log, with two messages or more? */
bool logs_is_log(const char *text, size_t len);

#endif
