/* logs_record.c - csvlog and jsonlog: one record into one message; see logs.h. */
#include "doctor/logs_internal.h"

#include <ctype.h>

/* Columns of csvlog: csvlog.c, write_csvlog; the same since 9.0, later ones are appended. */
enum { COLUMN_TIME = 0, COLUMN_ROLE = 1, COLUMN_DATABASE = 2, COLUMN_FROM = 4, COLUMN_SEVERITY = 11,
       COLUMN_STATE = 12, COLUMN_MESSAGE = 13, COLUMN_DETAIL = 14, COLUMN_HINT = 15,
       COLUMN_CONTEXT = 18, COLUMNS = 19 };

static bool is_digits(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isdigit((unsigned char)p[i]))
            return false;
    return true;
}

size_t logs_time(const char *p, size_t len)
{
    size_t at = 19;

    if (len < at || !is_digits(p, 4) || p[4] != '-' || !is_digits(p + 5, 2) || p[7] != '-'
        || !is_digits(p + 8, 2) || p[10] != ' ' || !is_digits(p + 11, 2) || p[13] != ':'
        || !is_digits(p + 14, 2) || p[16] != ':' || !is_digits(p + 17, 2))
        return 0;
    if (at < len && p[at] == '.')
        for (at++; at < len && isdigit((unsigned char)p[at]); )
            at++;
    if (at + 1 < len && p[at] == ' ' && (isupper((unsigned char)p[at + 1]) || p[at + 1] == '+'
                                         || p[at + 1] == '-'))
        for (at++; at < len && (isupper((unsigned char)p[at]) || isdigit((unsigned char)p[at])
                                || p[at] == '+' || p[at] == '-'); )
            at++;
    return at;
}

/* ---- csvlog ---- */

/* Takes one field; `quoted` ones keep their quotes doubled.  False behind the last one. */
static bool next_field(const char **p, const char *end, struct doctor_text *out)
{
    const char *at = *p;

    if (at > end)
        return false;
    if (at < end && *at == '"') {
        for (at++; at < end; at++) {
            if (*at != '"')
                continue;
            if (at + 1 < end && at[1] == '"')
                at++;
            else
                break;
        }
        *out = (struct doctor_text){ *p + 1, (size_t)(at - *p) - 1 };
        at = at < end ? at + 1 : end;
    } else {
        const char *comma = memchr(at, ',', (size_t)(end - at));

        at = comma ? comma : end;
        *out = (struct doctor_text){ *p, (size_t)(at - *p) };
    }
    *p = at + 1;        /* behind the comma, or one behind the end */
    return true;
}

bool csv_begins(const char *line, size_t len)
{
    size_t time = len > 0 && isdigit((unsigned char)line[0]) ? logs_time(line, len) : 0;
    const char *p = line, *end = line + len;
    struct doctor_text field;

    if (time == 0 || time >= len || line[time] != ',')
        return false;
    for (int i = 0; i <= COLUMN_SEVERITY; i++)
        if (!next_field(&p, end, &field))
            return false;
    return logs_is_severity(field.p, field.len);
}

bool csv_is_open(const char *bytes, size_t len, bool open)
{
    const char *end = bytes + len;

    while ((bytes = memchr(bytes, '"', (size_t)(end - bytes)))) {
        open = !open;
        bytes++;
    }
    return open;
}

/* The field with its doubled quotes single again. */
static void put_field(struct buf *room, const struct doctor_text *field)
{
    const char *p = field->p, *end = field->len ? p + field->len : p;

    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *stop = quote ? quote + 1 : end;

        buf_put(room, p, (size_t)(stop - p));
        p = quote && stop < end && *stop == '"' ? stop + 1 : stop;
    }
}

static struct doctor_text or_null(struct doctor_text field)
{
    return field.len > 0 ? field : (struct doctor_text){ NULL, 0 };
}

/* "10.0.0.5:41234" or "[local]": without the port. */
static struct doctor_text host_of(struct doctor_text from)
{
    const char *colon = from.len > 0 ? memrchr(from.p, ':', from.len) : NULL;

    if (colon && is_digits(colon + 1, from.len - (size_t)(colon - from.p) - 1))
        from.len = (size_t)(colon - from.p);
    return or_null(from);
}

bool csv_parse(const char *record, size_t len, struct buf *room, struct logs_message *out)
{
    static const int texts[] = { COLUMN_MESSAGE, COLUMN_DETAIL, COLUMN_HINT, COLUMN_CONTEXT };
    struct doctor_text fields[COLUMNS] = { { NULL, 0 } };
    const char *p = record;
    int count = 0;

    while (count < COLUMNS && next_field(&p, record + len, &fields[count]))
        count++;
    if (count <= COLUMN_MESSAGE)
        return false;
    buf_clear(room);
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        if (i > 0 && fields[texts[i]].len > 0)
            buf_putc(room, '\n');
        put_field(room, &fields[texts[i]]);
    }
    *out = (struct logs_message){
        .severity = fields[COLUMN_SEVERITY], .sqlstate = or_null(fields[COLUMN_STATE]),
        .text = { buf_text(room), room->len }, .time = or_null(fields[COLUMN_TIME]),
        .role = or_null(fields[COLUMN_ROLE]), .database = or_null(fields[COLUMN_DATABASE]),
        .address = host_of(fields[COLUMN_FROM]),
    };
    return true;
}

/* ---- jsonlog ---- */

struct json {
    const char *p, *end;
    struct buf *room;
};

bool json_begins(const char *line, size_t len)
{
    return len > 2 && line[0] == '{' && line[1] == '"';
}

static void put_code_point(struct buf *room, unsigned code)
{
    if (code < 0x80) {
        buf_putc(room, (char)code);
    } else if (code < 0x800) {
        buf_putc(room, (char)(0xc0 | code >> 6));
        buf_putc(room, (char)(0x80 | (code & 0x3f)));
    } else {
        buf_putc(room, (char)(0xe0 | code >> 12));
        buf_putc(room, (char)(0x80 | (code >> 6 & 0x3f)));
        buf_putc(room, (char)(0x80 | (code & 0x3f)));
    }
}

/* The server writes \u only for control characters (escape_json); others are taken one by one. */
static void put_escape(struct json *json)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = *json->p++;
    const char *simple = c ? strchr(from, c) : NULL;
    unsigned code = 0;

    if (simple) {
        buf_putc(json->room, to[simple - from]);
    } else if (c == 'u' && json->end - json->p >= 4) {
        for (int i = 0; i < 4; i++, json->p++)
            code = code * 16 + (isdigit((unsigned char)*json->p) ? (unsigned)(*json->p - '0')
                                : (unsigned)(tolower((unsigned char)*json->p) - 'a' + 10) & 15);
        put_code_point(json->room, code);
    } else {
        buf_putc(json->room, c);
    }
}

/* A string into the room, as offsets: the room may move.  A line cut short ends it. */
static bool take_string(struct json *json, size_t *begin, size_t *len)
{
    if (json->p >= json->end || *json->p != '"')
        return false;
    *begin = json->room->len;
    for (json->p++; json->p < json->end && *json->p != '"'; ) {
        const char *run = json->p;

        while (json->p < json->end && *json->p != '"' && *json->p != '\\')
            json->p++;
        buf_put(json->room, run, (size_t)(json->p - run));
        if (json->p + 1 < json->end && *json->p == '\\') {
            json->p++;
            put_escape(json);
        } else if (json->p < json->end && *json->p == '\\') {
            json->p++;
        }
    }
    json->p += json->p < json->end;
    *len = json->room->len - *begin;
    return true;
}

static void skip_blanks(struct json *json)
{
    while (json->p < json->end && isspace((unsigned char)*json->p))
        json->p++;
}

static bool take_char(struct json *json, char c)
{
    skip_blanks(json);
    if (json->p >= json->end || *json->p != c)
        return false;
    json->p++;
    skip_blanks(json);
    return true;
}

enum key { KEY_TIME, KEY_ROLE, KEY_DATABASE, KEY_HOST, KEY_SEVERITY, KEY_STATE, KEY_MESSAGE, KEY_DETAIL,
           KEY_HINT, KEY_CONTEXT, KEYS };

static int key_of(const char *name, size_t len)
{
    static const char *const keys[KEYS] = { "timestamp", "user", "dbname", "remote_host",
                                            "error_severity", "state_code", "message", "detail", "hint",
                                            "context" };

    for (int i = 0; i < KEYS; i++)
        if (strlen(keys[i]) == len && memcmp(keys[i], name, len) == 0)
            return i;
    return -1;
}

struct place_of {
    size_t begin, len;
};

/* One "key": value; numbers and what else the server has are passed over. */
static bool take_pair(struct json *json, struct place_of places[KEYS])
{
    struct place_of name, value;
    int key;

    if (!take_string(json, &name.begin, &name.len) || !take_char(json, ':'))
        return false;
    key = key_of(json->room->p + name.begin, name.len);
    json->room->len = name.begin;
    if (take_string(json, &value.begin, &value.len)) {
        if (key >= 0)
            places[key] = value;
        else
            json->room->len = value.begin;
    } else {
        while (json->p < json->end && *json->p != ',' && *json->p != '}')
            json->p++;
    }
    return true;
}

static struct doctor_text text_at(const struct buf *room, const struct place_of *place)
{
    if (place->len == 0)
        return (struct doctor_text){ NULL, 0 };
    return (struct doctor_text){ room->p + place->begin, place->len };
}

/* A part of the room at its end once more: the room may move, so the bytes go by way of the stack. */
static void put_again(struct buf *room, const struct place_of *place)
{
    char part[512];

    for (size_t at = 0; at < place->len; at += sizeof(part)) {
        size_t len = place->len - at < sizeof(part) ? place->len - at : sizeof(part);

        memcpy(part, room->p + place->begin + at, len);
        buf_put(room, part, len);
    }
}

/* The texts one after the other behind everything else, for they came in between. */
static struct place_of join_texts(struct buf *room, const struct place_of places[KEYS])
{
    struct place_of all = { room->len, 0 };

    for (int key = KEY_MESSAGE; key <= KEY_CONTEXT; key++) {
        if (places[key].len == 0)
            continue;
        if (room->len > all.begin)
            buf_putc(room, '\n');
        put_again(room, &places[key]);
    }
    all.len = room->len - all.begin;
    return all;
}

bool json_parse(const char *line, size_t len, struct buf *room, struct logs_message *out)
{
    struct json json = { line + 1, line + len, room };
    struct place_of places[KEYS] = { { 0, 0 } }, all;

    buf_clear(room);
    buf_putc(room, ' ');        /* so that no text begins at 0, and p is never NULL */
    do
        skip_blanks(&json);
    while (take_pair(&json, places) && take_char(&json, ','));
    if (places[KEY_SEVERITY].len == 0
        || !logs_is_severity(room->p + places[KEY_SEVERITY].begin, places[KEY_SEVERITY].len))
        return false;
    all = join_texts(room, places);
    *out = (struct logs_message){
        .severity = text_at(room, &places[KEY_SEVERITY]), .sqlstate = text_at(room, &places[KEY_STATE]),
        .text = { room->p + all.begin, all.len }, .time = text_at(room, &places[KEY_TIME]),
        .role = text_at(room, &places[KEY_ROLE]), .database = text_at(room, &places[KEY_DATABASE]),
        .address = text_at(room, &places[KEY_HOST]),
    };
    return true;
}
