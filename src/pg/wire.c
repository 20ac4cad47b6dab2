/* wire.c - see wire.h. */
#include "pg/wire.h"

/* ---- building ---- */

static void put_u32(struct buf *out, uint32_t value)
{
    const unsigned char bytes[] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value };

    buf_put(out, bytes, sizeof(bytes));
}

static void put_cstr(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text) + 1);
}

/* Length words count themselves, so the body is made first. */
static void put_packet(struct buf *out, const struct buf *body)
{
    put_u32(out, (uint32_t)body->len + 4);
    buf_put(out, body->p, body->len);
}

void wire_put_ssl_request(struct buf *out)
{
    put_u32(out, 8);
    put_u32(out, WIRE_SSL);
}

void wire_put_gssenc_request(struct buf *out)
{
    put_u32(out, 8);
    put_u32(out, WIRE_GSSENC);
}

void wire_put_startup(struct buf *out, uint32_t protocol, const char *const *pairs)
{
    PS_AUTO(buf_free) struct buf body = BUF(WIRE_STARTUP_MAX);

    put_u32(&body, protocol);
    for (; *pairs; pairs++)
        put_cstr(&body, *pairs);
    buf_putc(&body, '\0');
    put_packet(out, &body);
}

void wire_put_sasl_initial(struct buf *out, const char *mechanism, const void *data, size_t len)
{
    PS_AUTO(buf_free) struct buf body = BUF(WIRE_MESSAGE_MAX);

    put_cstr(&body, mechanism);
    put_u32(&body, (uint32_t)len);
    buf_put(&body, data, len);
    buf_putc(out, 'p');
    put_packet(out, &body);
}

void wire_put_sasl(struct buf *out, const void *data, size_t len)
{
    buf_putc(out, 'p');
    put_u32(out, (uint32_t)len + 4);
    buf_put(out, data, len);
}

void wire_put_auth(struct buf *out, enum wire_auth code)
{
    buf_putc(out, 'R');
    put_u32(out, 8);
    put_u32(out, (uint32_t)code);
}

void wire_put_error(struct buf *out, const char *sqlstate, const char *message)
{
    const struct { char field; const char *text; } fields[] = {
        { 'S', "FATAL" }, { 'V', "FATAL" }, { 'C', sqlstate }, { 'M', message },
    };
    PS_AUTO(buf_free) struct buf body = BUF(WIRE_MESSAGE_MAX);

    for (size_t i = 0; i < PS_COUNT(fields); i++) {
        buf_putc(&body, fields[i].field);
        put_cstr(&body, fields[i].text);
    }
    buf_putc(&body, '\0');
    buf_putc(out, 'E');
    put_packet(out, &body);
}

/* ---- what a client sends first ---- */

static void take_pair(struct wire_first *first, const char *name, const char *value)
{
    const struct { const char *name; const char **to; } known[] = {
        { "user", &first->user }, { "database", &first->database },
        { "application_name", &first->application }, { "replication", &first->replication },
    };

    for (size_t i = 0; i < PS_COUNT(known); i++)
        if (strcmp(name, known[i].name) == 0)
            *known[i].to = value;
}

/* Pairs, then one zero byte that is the last of the packet (ProcessStartupPacket). */
static bool read_pairs(struct rd *body, struct wire_first *first)
{
    const char *name, *value;

    while (rd_cstr(body, &name) && *name) {
        if (!rd_cstr(body, &value))
            return false;
        take_pair(first, name, value);
    }
    return !body->bad && rd_left(body) == 0;
}

static bool read_first(struct rd *body, struct wire_first *first)
{
    uint32_t code = 0;

    if (!rd_u32(body, &code))
        return false;
    switch (code) {
    case WIRE_SSL:
        first->kind = WIRE_FIRST_SSL;
        return true;
    case WIRE_GSSENC:
        first->kind = WIRE_FIRST_GSSENC;
        return true;
    case WIRE_CANCEL:       /* process number, then a key of 4 bytes; 18 and later: of 1 to 256 */
        first->kind = WIRE_FIRST_CANCEL;
        return rd_left(body) > 4 && rd_left(body) <= 4 + 256;
    default:
        first->kind = WIRE_FIRST_STARTUP;
        first->protocol = code;
        return code >> 16 != 3 || read_pairs(body, first);
    }
}

bool wire_startup_head(const void *bytes, size_t len, uint64_t whole, struct wire_first *out)
{
    struct rd rd = rd_over(bytes, len);
    const char *name, *value;
    uint32_t size, code;

    *out = (struct wire_first){ .kind = WIRE_FIRST_STARTUP };
    if (!rd_u32(&rd, &size) || !rd_u32(&rd, &code) || size != whole || size > WIRE_STARTUP_MAX
        || code >> 16 != 3)
        return false;
    out->len = size;
    out->protocol = code;
    while (rd_cstr(&rd, &name) && *name && rd_cstr(&rd, &value))
        take_pair(out, name, value);
    return true;
}

enum wire_parse wire_first_parse(const void *bytes, size_t len, struct wire_first *out)
{
    const uint8_t *p = bytes;
    struct rd rd = rd_over(bytes, len);
    struct span span;
    uint32_t size;

    *out = (struct wire_first){ 0 };
    if (len && p[0] == 0x16) {      /* the type of a TLS handshake record: RFC 8446 5.1 */
        out->kind = WIRE_FIRST_TLS;
        return WIRE_DONE;
    }
    if (!rd_u32(&rd, &size))
        return WIRE_MORE;
    if (size < 8 || size > WIRE_STARTUP_MAX)
        return WIRE_BAD;
    if (!rd_bytes(&rd, size - 4, &span))
        return WIRE_MORE;

    struct rd body = rd_over(span.p, span.len);
    out->len = size;
    return read_first(&body, out) ? WIRE_DONE : WIRE_BAD;
}

/* ---- what a server answers ---- */

const char *wire_auth_name(int code)
{
    static const struct { int code; const char *name; } names[] = {
        { WIRE_AUTH_OK, "OK" }, { WIRE_AUTH_KERBEROS, "Kerberos V5" },
        { WIRE_AUTH_CLEARTEXT, "cleartext password" }, { WIRE_AUTH_MD5, "MD5 password" },
        { WIRE_AUTH_GSS, "GSSAPI" }, { WIRE_AUTH_GSS_CONTINUE, "GSSAPI" },
        { WIRE_AUTH_SSPI, "SSPI" }, { WIRE_AUTH_SASL, "SCRAM-SHA-256" },
        { WIRE_AUTH_SASL_CONTINUE, "SCRAM-SHA-256" }, { WIRE_AUTH_SASL_FINAL, "SCRAM-SHA-256" },
    };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "unknown";
}

static struct wire_error no_error(void)
{
    return (struct wire_error){ "", "", "", "", "", "", "", "" };
}

/* AuthenticationSASL: names of mechanisms, then an empty one. */
static bool read_mechanisms(struct rd *body, struct wire_message *out)
{
    const char *name;

    while (rd_cstr(body, &name) && *name)
        if (strcmp(name, "SCRAM-SHA-256-PLUS") == 0)
            out->scram_plus = true;
    return !body->bad && rd_left(body) == 0;
}

static bool read_auth(struct rd *body, struct wire_message *out)
{
    uint32_t code;

    if (!rd_u32(body, &code) || code > INT32_MAX)
        return false;
    out->auth = (int)code;
    switch (code) {
    case WIRE_AUTH_OK:
    case WIRE_AUTH_CLEARTEXT:
        return rd_left(body) == 0;
    case WIRE_AUTH_MD5:             /* its salt */
        return rd_left(body) == 4;
    case WIRE_AUTH_SASL:
        return read_mechanisms(body, out);
    case WIRE_AUTH_SASL_CONTINUE:
    case WIRE_AUTH_SASL_FINAL:
        return rd_bytes(body, rd_left(body), &out->sasl);
    default:
        return true;
    }
}

/* Fields (a letter and a string), then one zero byte: manual, "Error and Notice Message Fields". */
static bool read_error(struct rd *body, struct wire_message *out)
{
    struct wire_error *error = &out->error;
    const char *severity = "", *text;
    const struct { char field; const char **to; } known[] = {
        { 'S', &severity }, { 'V', &error->severity }, { 'C', &error->sqlstate },
        { 'M', &error->message }, { 'D', &error->detail }, { 'H', &error->hint },
        { 'F', &error->file }, { 'L', &error->line }, { 'R', &error->routine },
    };
    uint8_t field;

    while (rd_u8(body, &field) && field) {
        if (!rd_cstr(body, &text))
            return false;
        for (size_t i = 0; i < PS_COUNT(known); i++)
            if (known[i].field == field)
                *known[i].to = text;
    }
    if (!*error->severity)          /* 9.5 and before send no V */
        error->severity = severity;
    return !body->bad && rd_left(body) == 0;
}

static bool read_parameter(struct rd *body, struct wire_message *out)
{
    return rd_cstr(body, &out->name) && rd_cstr(body, &out->value) && rd_left(body) == 0;
}

/* ReadyForQuery: idle, in a transaction, in a failed one. */
static bool read_ready(struct rd *body, struct wire_message *out)
{
    uint8_t status;

    (void)out;
    return rd_u8(body, &status) && status && strchr("ITE", status) && rd_left(body) == 0;
}

static const struct {
    char type;
    bool (*read)(struct rd *body, struct wire_message *out);
} readers[] = {
    { 'R', read_auth }, { 'E', read_error }, { 'N', read_error }, { 'S', read_parameter },
    { 'Z', read_ready },
};

static bool read_body(struct rd *body, struct wire_message *out)
{
    for (size_t i = 0; i < PS_COUNT(readers); i++)
        if (readers[i].type == out->type)
            return readers[i].read(body, out);
    return true;
}

static enum wire_parse parse_old_error(struct rd *rd, struct wire_message *out)
{
    if (!rd_cstr(rd, &out->error.message))
        return rd->len < WIRE_MESSAGE_MAX ? WIRE_MORE : WIRE_BAD;
    out->len = rd->pos;
    return out->len <= WIRE_MESSAGE_MAX ? WIRE_DONE : WIRE_BAD;
}

enum wire_parse wire_message_parse(const void *bytes, size_t len, struct wire_message *out)
{
    struct rd rd = rd_over(bytes, len);
    struct span span;
    uint32_t size;
    uint8_t type;

    *out = (struct wire_message){ .error = no_error() };
    if (!rd_u8(&rd, &type))
        return WIRE_MORE;
    out->type = (char)type;
    if (type == 'E' && rd_left(&rd) && rd.p[rd.pos])    /* a length of 16 MB and more: it is text */
        return parse_old_error(&rd, out);
    if (!rd_u32(&rd, &size))
        return WIRE_MORE;
    if (size < 4 || size > WIRE_MESSAGE_MAX - 1)
        return WIRE_BAD;
    if (!rd_bytes(&rd, size - 4, &span))
        return WIRE_MORE;

    struct rd body = rd_over(span.p, span.len);
    out->len = 1 + size;
    return read_body(&body, out) ? WIRE_DONE : WIRE_BAD;
}

enum wire_parse wire_password_parse(const void *bytes, size_t len, const char **password)
{
    struct rd rd = rd_over(bytes, len);
    struct span span;
    uint32_t size;
    uint8_t type;

    if (!rd_u8(&rd, &type))
        return WIRE_MORE;
    if (type != 'p')
        return WIRE_BAD;
    if (!rd_u32(&rd, &size))
        return WIRE_MORE;
    if (size < 5 || size > WIRE_MESSAGE_MAX - 1)
        return WIRE_BAD;
    if (!rd_bytes(&rd, size - 4, &span))
        return WIRE_MORE;

    struct rd body = rd_over(span.p, span.len);
    return rd_cstr(&body, password) && rd_left(&body) == 0 ? WIRE_DONE : WIRE_BAD;
}
