/* logs.c - lines into messages; see logs.h. */
#include "doctor/logs_internal.h"

#include <ctype.h>

#include "base/mem.h"

enum { HEAD_WITHIN = 512 };     /* a prefix is shorter: NAMEDATALEN and an address or two */

struct logs {
    char *prefix;
    logs_fn found;
    void *arg;
    struct logs_count count;
    struct buf line;            /* the beginning of a line that has not ended yet */
    bool cutting;               /* the rest of this line is not looked at */
    struct buf message;         /* of stderr: prefix and texts */
    size_t severity, severity_len, text;    /* places in it */
    bool pending, skipping;     /* there is one; what comes is its statement */
    bool headed;                /* a line with a severity was seen: other lines are strangers */
    struct buf record;          /* of csvlog: a record with line ends in it */
    bool open;                  /* in a quoted field of it */
    struct buf room;
};

static const struct {
    const char *word;
    enum logs_part part;
} words[] = {
    { "LOG", PART_MESSAGE }, { "FATAL", PART_MESSAGE }, { "ERROR", PART_MESSAGE },
    { "WARNING", PART_MESSAGE }, { "PANIC", PART_MESSAGE }, { "INFO", PART_MESSAGE },
    { "NOTICE", PART_MESSAGE }, { "DEBUG", PART_MESSAGE }, { "DEBUG1", PART_MESSAGE },
    { "DEBUG2", PART_MESSAGE }, { "DEBUG3", PART_MESSAGE }, { "DEBUG4", PART_MESSAGE },
    { "DEBUG5", PART_MESSAGE }, { "ADVERTENCIA", PART_MESSAGE }, { "AVISO", PART_MESSAGE },
    { "DETAIL", PART_MORE }, { "HINT", PART_MORE }, { "CONTEXT", PART_MORE },
    { "DETALLE", PART_MORE }, { "SUGERENCIA", PART_MORE }, { "CONTEXTO", PART_MORE },
    { "STATEMENT", PART_STATEMENT }, { "QUERY", PART_STATEMENT }, { "SENTENCIA", PART_STATEMENT },
    { "CONSULTA", PART_STATEMENT }, { "LOCATION", PART_STATEMENT }, { "BACKTRACE", PART_STATEMENT },
    { "UBICACIÓN", PART_STATEMENT },
};

static enum logs_part part_of(const char *word, size_t len)
{
    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0)
            return words[i].part;
    return PART_NONE;
}

bool logs_is_severity(const char *word, size_t len)
{
    return part_of(word, len) == PART_MESSAGE;
}

bool logs_head(const char *line, size_t len, struct logs_head *out)
{
    size_t within = len < HEAD_WITHIN ? len : HEAD_WITHIN;
    const char *end = line + within, *colon = line;

    while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
        const char *word = colon;

        if (end - colon < 3 || colon[1] != ' ' || colon[2] != ' ') {
            colon++;
            continue;
        }
        while (word > line && (isalnum((unsigned char)word[-1]) || (unsigned char)word[-1] >= 0x80))
            word--;
        out->part = part_of(word, (size_t)(colon - word));
        if (out->part != PART_NONE) {
            out->word = (size_t)(word - line);
            out->word_len = (size_t)(colon - word);
            out->text = (size_t)(colon - line) + 3;
            return true;
        }
        colon++;
    }
    return false;
}

struct logs *logs_new(const char *prefix, logs_fn found, void *arg)
{
    struct logs *logs = ps_calloc(1, sizeof(*logs));

    logs->prefix = prefix ? ps_strdup(prefix) : NULL;
    logs->found = found;
    logs->arg = arg;
    logs->line = logs->message = logs->record = BUF(LOGS_MESSAGE_MAX);
    logs->room = BUF(2 * LOGS_MESSAGE_MAX);
    return logs;
}

void logs_free(struct logs *logs)
{
    buf_free(&logs->line);
    buf_free(&logs->message);
    buf_free(&logs->record);
    buf_free(&logs->room);
    free(logs->prefix);
    free(logs);
}

const struct logs_count *logs_count(const struct logs *logs)
{
    return &logs->count;
}

static void tell(struct logs *logs, const struct logs_message *message)
{
    logs->count.messages++;
    logs->found(logs->arg, message);
}

/* What fits under the bound; the rest of a message is no loss, its beginning says what it is. */
static void put(struct buf *buf, const char *bytes, size_t len)
{
    size_t room = buf->max - 1 - buf->len;

    buf_put(buf, bytes, len < room ? len : room);
}

/* ---- stderr ---- */

static void flush(struct logs *logs)
{
    const char *p = buf_text(&logs->message);
    struct logs_message message = {
        .prefix = { p, logs->severity },
        .severity = { p + logs->severity, logs->severity_len },
        .text = { p + logs->text, logs->message.len - logs->text },
    };

    if (!logs->pending)
        return;
    logs->pending = false;
    if (logs->severity_len == 0)
        message.severity.p = NULL;
    tell(logs, &message);
}

static void begin(struct logs *logs, const char *line, size_t len, const struct logs_head *head)
{
    flush(logs);
    buf_clear(&logs->message);
    put(&logs->message, line, len);
    logs->severity = head->word;
    logs->severity_len = head->word_len;
    logs->text = head->text;
    logs->pending = true;
    logs->skipping = false;
}

/* A line of no server: a Java stack trace, what ssl_passphrase_command said. */
static void take_stranger(struct logs *logs, const char *line, size_t len)
{
    static const struct logs_head none = { .part = PART_NONE };

    begin(logs, line, len, &none);
    flush(logs);
}

static void take_stderr(struct logs *logs, const char *line, size_t len)
{
    struct logs_head head;

    if (len > 0 && line[0] == '\t' && logs->pending) {
        if (!logs->skipping) {
            put(&logs->message, " ", 1);
            put(&logs->message, line + 1, len - 1);
        }
    } else if (!logs_head(line, len, &head)) {
        if (len > 0)
            take_stranger(logs, line, len);
    } else if (head.part == PART_MESSAGE || !logs->pending) {
        begin(logs, line, len, &head);
    } else if (head.part == PART_MORE) {
        logs->skipping = false;
        put(&logs->message, "\n", 1);
        put(&logs->message, line + head.text, len - head.text);
    } else {
        logs->skipping = true;
    }
}

/* ---- records ---- */

static bool take_record(struct logs *logs, const char *record, size_t len,
                        bool (*parse)(const char *, size_t, struct buf *, struct logs_message *))
{
    struct logs_message message = { .severity = { NULL, 0 } };

    if (!parse(record, len, &logs->room, &message))
        return false;
    flush(logs);
    tell(logs, &message);
    return true;
}

static void end_record(struct logs *logs)
{
    if (logs->record.len > 0)
        take_record(logs, logs->record.p, logs->record.len, csv_parse);
    buf_clear(&logs->record);
    logs->open = false;
}

/* A quote that was lost would leave all that follows inside of it: a line that begins a record ends it. */
static bool take_csv(struct logs *logs, const char *line, size_t len)
{
    if (logs->open && csv_begins(line, len))
        end_record(logs);
    if (!logs->open && !csv_begins(line, len))
        return false;
    if (!logs->open && !csv_is_open(line, len, false))
        return take_record(logs, line, len, csv_parse);
    logs->open = csv_is_open(line, len, logs->open);
    put(&logs->record, line, len);
    put(&logs->record, "\n", 1);
    if (!logs->open)
        end_record(logs);
    return true;
}

/* ---- lines ---- */

static void take_line(struct logs *logs, const char *line, size_t len)
{
    logs->count.lines++;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (take_csv(logs, line, len)
        || (json_begins(line, len) && take_record(logs, line, len, json_parse)))
        return;
    take_stderr(logs, line, len);
}

/* The part of a line that came without its end, or came after one that did. */
static void keep_part(struct logs *logs, const char *bytes, size_t len)
{
    size_t room = logs->line.max - 1 - logs->line.len;

    if (logs->cutting)
        return;
    put(&logs->line, bytes, len);
    if (len > room) {
        logs->cutting = true;
        logs->count.cut++;
    }
}

static void end_line(struct logs *logs)
{
    take_line(logs, buf_text(&logs->line), logs->line.len);
    buf_clear(&logs->line);
    logs->cutting = false;
}

void logs_feed(struct logs *logs, const char *bytes, size_t len)
{
    const char *end = bytes + len;

    logs->count.bytes += len;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = (size_t)((newline ? newline : end) - bytes);

        if (newline && logs->line.len == 0 && part < LOGS_MESSAGE_MAX) {
            take_line(logs, bytes, part);
        } else {
            keep_part(logs, bytes, part);
            if (newline)
                end_line(logs);
        }
        bytes += part + 1;
    }
}

void logs_end(struct logs *logs)
{
    if (logs->line.len > 0)
        end_line(logs);
    end_record(logs);
    flush(logs);
}

void logs_who(const struct logs *logs, struct logs_message *message)
{
    if (!message->prefix.p)
        return;
    if (logs->prefix)
        prefix_by_format(logs->prefix, message);
    else
        prefix_by_guess(message);
}

/* ---- is it one? ---- */

struct tally {
    unsigned messages;
};

static void count_dated(void *arg, const struct logs_message *message)
{
    struct tally *tally = arg;
    struct logs_message copy = *message;

    if (message->prefix.p)
        prefix_by_guess(&copy);
    if (copy.severity.p && copy.time.p)
        tally->messages++;
}

bool logs_is_log(const char *text, size_t len)
{
    struct tally tally = { 0 };
    PS_AUTO(logs_freep) struct logs *logs = logs_new(NULL, count_dated, &tally);

    logs_feed(logs, text, len);
    logs_end(logs);
    return tally.messages > 1;
}
