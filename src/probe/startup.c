/* startup.c - see startup.h. */
#include "probe/startup.h"

#include "base/rd.h"
#include "probe/peers.h"

/* NegotiateProtocolVersion: the newest version that is spoken; the minor one of 3, or -1. */
static int read_newest(const char *message, size_t len)
{
    struct rd rd = rd_over(message, len);
    struct span head;
    uint32_t newest;

    return rd_bytes(&rd, 5, &head) && rd_u32(&rd, &newest) && newest >> 16 <= 3 ? (int)(newest & 0xffff)
                                                                              : -1;
}

/*
 * The first message that decides; notices and NegotiateProtocolVersion stand before it.  Errors of old
 * style (no length) count as one.
 */
static enum wire_parse deciding(const char *bytes, size_t len, struct wire_message *out,
                                int *newest_minor)
{
    size_t at = 0;

    for (;;) {
        enum wire_parse parse = wire_message_parse(bytes + at, len - at, out);

        if (parse != WIRE_DONE || (out->type != 'N' && out->type != 'v'))
            return parse;
        if (out->type == 'v')
            *newest_minor = read_newest(bytes + at, out->len);
        at += out->len;
    }
}

enum wire_parse startup_enough(const void *bytes, size_t len)
{
    struct wire_message message;
    int newest_minor;

    return deciding(bytes, len, &message, &newest_minor);
}

static const char *copy(struct arena *arena, const char *text)
{
    return text && *text ? arena_strdup(arena, text) : NULL;
}

/*
 * "connection requires a valid client certificate" (ClientAuthentication in auth.c), of which the language
 * is the server's: pieces that are the same in every encoding, or those of UTF-8.
 */
static bool is_missed_certificate(const char *message)
{
    static const char *const pieces[] = {
        "valid client certificate", "certificado de cliente v", "ltiges Client-Zertifikat",
        "certificat client valide", "certificato valido per il client", "giltigt klientcertifikat",
        "годный сертификат клиента", "クライアント証明", "클라이언트 인증서가", "客户端认证",
        "сертифікат клієнта",
    };

    for (size_t i = 0; message && i < PS_COUNT(pieces); i++)
        if (strstr(message, pieces[i]))
            return true;
    return false;
}

static void read_error(const struct wire_error *error, struct arena *arena, struct startup_seen *out)
{
    peers_read_error(error, out);
    if (out->end == STARTUP_REFUSED && is_missed_certificate(error->message))
        out->end = STARTUP_CERTIFICATE;
    out->sqlstate = copy(arena, error->sqlstate);
    out->message = copy(arena, error->message);
    out->file = copy(arena, error->file);
    out->line = copy(arena, error->line);
    out->routine = copy(arena, error->routine);
}

/* server-first-message of RFC 5802 7: r=NONCE,s=SALT,i=COUNT */
static const char *salt_of(struct span said, struct arena *arena)
{
    PS_AUTO(buf_free) struct buf text = BUF(1024);

    if (!buf_put(&text, said.p, said.len))
        return NULL;
    const char *salt = strstr(buf_text(&text), ",s=");
    return salt ? arena_printf(arena, "%.*s", (int)strcspn(salt + 3, ","), salt + 3) : NULL;
}

void startup_read(const void *bytes, size_t len, struct arena *arena, struct startup_seen *out)
{
    struct wire_message message;

    *out = (struct startup_seen){ .end = STARTUP_UNKNOWN, .newest_minor = -1 };
    if (deciding(bytes, len, &message, &out->newest_minor) != WIRE_DONE)
        return;
    if (message.type == 'E') {
        read_error(&message.error, arena, out);
    } else if (message.type == 'R') {
        out->auth = message.auth;
        out->scram_plus = message.scram_plus;
        out->salt = message.sasl.len ? salt_of(message.sasl, arena) : NULL;
        out->end = message.auth == WIRE_AUTH_OK ? STARTUP_IN : STARTUP_ASKED;
    }
}
