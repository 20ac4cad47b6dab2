/* logs_prefix.c - who and when, from what stands in front of a message of stderr; see logs.h. */
#include "doctor/logs_internal.h"

#include <ctype.h>

static struct doctor_text text_of(const char *begin, const char *end)
{
    return end > begin ? (struct doctor_text){ begin, (size_t)(end - begin) }
                       : (struct doctor_text){ NULL, 0 };
}

static bool is_unknown(const struct doctor_text *text)
{
    return text->len == 9 && memcmp(text->p, "[unknown]", 9) == 0;
}

static void set(struct doctor_text *out, struct doctor_text value)
{
    if (value.p && !is_unknown(&value))
        *out = value;
}

/* "10.0.0.5(41234)" without the port. */
static struct doctor_text without_port(struct doctor_text from)
{
    const char *brace = from.p ? memchr(from.p, '(', from.len) : NULL;

    return brace ? text_of(from.p, brace) : from;
}

/* ---- by log_line_prefix ---- */

static bool is_time(char escape)
{
    return escape == 't' || escape == 'm' || escape == 's';
}

/* "%u", "%-10u": the letter behind the padding, *format behind it. */
static char take_escape(const char **format)
{
    const char *p = *format + 1;
    char letter;

    while (*p == '-' || isdigit((unsigned char)*p))
        p++;
    letter = *p;
    *format = letter ? p + 1 : p;
    return letter;
}

/* Fixed text up to the next escape that gives something; "%%" is a percent sign, "%q" nothing. */
static size_t take_fixed(const char **format, char fixed[64])
{
    size_t len = 0;

    while (**format && len < 63) {
        const char *next = *format;

        if (*next != '%') {
            fixed[len++] = *next;
            (*format)++;
            continue;
        }
        char letter = take_escape(&next);
        if (letter == '%')
            fixed[len++] = '%';
        else if (letter != 'q')
            break;
        *format = next;
    }
    return len;
}

/* Where the value of an escape ends: before the fixed text behind it. */
static const char *value_end(char escape, const char *p, const char *end, const char *fixed, size_t len)
{
    size_t time = is_time(escape) ? logs_time(p, (size_t)(end - p)) : 0;
    const char *found;

    if (time > 0)
        return p + time;
    if (len > 0) {
        found = memmem(p, (size_t)(end - p), fixed, len);
        return found ? found : end;
    }
    while (p < end && !isspace((unsigned char)*p))
        p++;
    return p;
}

static void take_value(char escape, struct doctor_text value, struct logs_message *message)
{
    while (value.len > 0 && value.p[value.len - 1] == ' ')
        value.len--;
    if (value.len == 0)
        return;
    if (escape == 't' || escape == 'm')
        set(&message->time, value);
    else if (escape == 'u')
        set(&message->role, value);
    else if (escape == 'd')
        set(&message->database, value);
    else if (escape == 'h' || escape == 'r')
        set(&message->address, without_port(value));
    else if (escape == 'e')
        set(&message->sqlstate, value);
}

void prefix_by_format(const char *format, struct logs_message *message)
{
    const char *p = message->prefix.p, *end = p + message->prefix.len;
    char fixed[64];
    size_t len = take_fixed(&format, fixed);

    if (len > (size_t)(end - p) || memcmp(p, fixed, len) != 0)
        return;
    p += len;
    while (*format && p < end) {
        char escape = take_escape(&format);
        const char *begin = p, *stop;

        len = take_fixed(&format, fixed);
        while (p < end && *p == ' ')
            p++;                /* padding on the left */
        begin = p < end ? p : begin;
        stop = value_end(escape, begin, end, fixed, len);
        take_value(escape, text_of(begin, stop), message);
        p = stop;
        while (p < end && len > 0 && *p == ' ' && fixed[0] != ' ')
            p++;                /* and on the right */
        if (len > 0 && (size_t)(end - p) >= len && memcmp(p, fixed, len) == 0)
            p += len;
    }
}

/* ---- by guess ---- */

/* "user=app": the value up to a comma or a blank. */
static struct doctor_text labelled(const struct doctor_text *prefix, const char *label)
{
    const char *end = prefix->p + prefix->len;
    const char *p = memmem(prefix->p, prefix->len, label, strlen(label));
    const char *stop;

    if (!p || (p > prefix->p && isalnum((unsigned char)p[-1])))
        return (struct doctor_text){ NULL, 0 };
    p += strlen(label);
    for (stop = p; stop < end && *stop != ',' && *stop != ' ' && *stop != ';' && *stop != ']'; )
        stop++;
    return text_of(p, stop);
}

static bool ends_name(char c)
{
    return isspace((unsigned char)c) || strchr(",:;[]()|\"'", c);
}

/* "app@shop" between blanks or colons. */
static void guess_pair(struct logs_message *message)
{
    const char *begin = message->prefix.p, *end = begin + message->prefix.len;
    const char *at = memchr(begin, '@', message->prefix.len);
    const char *left = at, *right = at;

    if (!at)
        return;
    while (left > begin && !ends_name(left[-1]))
        left--;
    for (right++; right < end && !ends_name(*right); )
        right++;
    set(&message->role, text_of(left, at));
    set(&message->database, text_of(at + 1, right));
}

/* Digits and dots, or hexadecimal digits and at least two colons: no time of day has the like. */
static bool is_address(const struct doctor_text *word)
{
    size_t dots = 0, colons = 0;

    for (size_t i = 0; i < word->len; i++) {
        dots += word->p[i] == '.';
        colons += word->p[i] == ':';
        if (!isxdigit((unsigned char)word->p[i]) && word->p[i] != '.' && word->p[i] != ':')
            return false;
    }
    return (dots == 3 && colons == 0) || (colons >= 2 && word->len > 2 && memmem(word->p, word->len, "::", 2))
           || colons == 7;
}

/* "UTC:10.0.0.5" of a prefix such as "%t:%r": the C would be a hexadecimal digit. */
static struct doctor_text behind_colon(struct doctor_text word)
{
    const char *colon = word.p ? memrchr(word.p, ':', word.len) : NULL;

    if (!colon || memmem(word.p, word.len, "::", 2) || !memchr(word.p, '.', word.len))
        return word;
    return text_of(colon + 1, word.p + word.len);
}

static void guess_address(struct logs_message *message)
{
    const char *p = message->prefix.p, *end = p + message->prefix.len;

    while (p < end) {
        const char *stop = p;
        struct doctor_text word;

        while (stop < end && (isxdigit((unsigned char)*stop) || *stop == '.' || *stop == ':'))
            stop++;
        word = behind_colon(text_of(p, stop));
        while (word.len > 0 && word.p[word.len - 1] == ':' && (word.len < 2 || word.p[word.len - 2] != ':'))
            word.len--;
        if (word.len > 0 && is_address(&word)) {
            message->address = word;
            return;
        }
        p = stop < end ? stop + 1 : end;
    }
    if (memmem(message->prefix.p, message->prefix.len, "[local]", 7))
        message->address = (struct doctor_text){ "[local]", 7 };
}

void prefix_by_guess(struct logs_message *message)
{
    const char *p = message->prefix.p;

    for (size_t i = 0; i + 19 <= message->prefix.len && !message->time.p; i++)
        if (isdigit((unsigned char)p[i])) {
            size_t len = logs_time(p + i, message->prefix.len - i);

            message->time = len ? (struct doctor_text){ p + i, len } : message->time;
        }
    if (memmem(p, message->prefix.len, "user=", 5)) {
        set(&message->role, labelled(&message->prefix, "user="));
        set(&message->database, labelled(&message->prefix, "db="));
        set(&message->address, without_port(labelled(&message->prefix, "client=")));
        if (!message->address.p)
            set(&message->address, without_port(labelled(&message->prefix, "host=")));
    } else {
        guess_pair(message);
    }
    if (!message->address.p)
        guess_address(message);
}
