/* logs_internal.h - the parts of the log reader; for logs*.c only. */
#ifndef DOCTOR_LOGS_INTERNAL_H
#define DOCTOR_LOGS_INTERNAL_H

#include "base/buf.h"
#include "doctor/logs.h"

/* What a line of stderr begins, by the word in front of its colon. */
enum logs_part { PART_NONE, PART_MESSAGE, PART_MORE /* DETAIL, HINT, CONTEXT */, PART_STATEMENT };

struct logs_head {
    enum logs_part part;
    size_t word, word_len;          /* "FATAL" */
    size_t text;                    /* where the message begins */
};
/* The first severity word in the line, in English or Spanish. */
bool logs_head(const char *line, size_t len, struct logs_head *out);
bool logs_is_severity(const char *word, size_t len);

/* "2026-11-21 05:30:35.123 UTC": its length, or 0. */
size_t logs_time(const char *p, size_t len);

/* ---- csvlog ---- */

/* Does a record begin here: a time, a comma, and eleven columns later a severity? */
bool csv_begins(const char *line, size_t len);
/* After so many quotes: is a quoted field still open? */
bool csv_is_open(const char *bytes, size_t len, bool open);
/* Takes a whole record apart; texts are put into `room`, which is cleared. */
bool csv_parse(const char *record, size_t len, struct buf *room, struct logs_message *out);

/* ---- jsonlog ---- */

bool json_begins(const char *line, size_t len);
bool json_parse(const char *line, size_t len, struct buf *room, struct logs_message *out);

/* ---- the prefix ---- */

void prefix_by_format(const char *format, struct logs_message *message);
void prefix_by_guess(struct logs_message *message);

#endif
