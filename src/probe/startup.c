/* startup.c - see startup.h. */
#include "probe/startup.h"

/*
 * The first message that decides; notices and NegotiateProtocolVersion stand before it.  Errors of old
 * style (no length) count as one.
 */
static enum wire_parse deciding(const char *bytes, size_t len, struct wire_message *out)
{
    size_t at = 0;

    for (;;) {
        enum wire_parse parse = wire_message_parse(bytes + at, len - at, out);

        if (parse != WIRE_DONE || (out->type != 'N' && out->type != 'v'))
            return parse;
        at += out->len;
    }
}

enum wire_parse startup_enough(const void *bytes, size_t len)
{
    struct wire_message message;

    return deciding(bytes, len, &message);
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
    /* invalid_authorization_specification, and what clientcert and old servers say instead */
    out->end = strcmp(error->sqlstate, "28000") != 0 ? STARTUP_ERROR
               : is_missed_certificate(error->message) ? STARTUP_CERTIFICATE : STARTUP_REFUSED;
    out->sqlstate = copy(arena, error->sqlstate);
    out->message = copy(arena, error->message);
    out->file = copy(arena, error->file);
    out->line = copy(arena, error->line);
    out->routine = copy(arena, error->routine);
}

void startup_read(const void *bytes, size_t len, struct arena *arena, struct startup_seen *out)
{
    struct wire_message message;

    *out = (struct startup_seen){ .end = STARTUP_UNKNOWN };
    if (deciding(bytes, len, &message) != WIRE_DONE)
        return;
    if (message.type == 'E') {
        read_error(&message.error, arena, out);
    } else if (message.type == 'R') {
        out->auth = message.auth;
        out->scram_plus = message.scram_plus;
        out->end = message.auth == WIRE_AUTH_OK ? STARTUP_IN : STARTUP_ASKED;
    }
}

/*
 * PostgreSQL's errors name their place in its source (fields F, L, R) since 7.4; PgBouncer's have none,
 * Pgpool's name its own files.
 */
enum seen_kind startup_kind(const struct startup_seen *startup)
{
    if (!startup->sqlstate)
        return KIND_POSTGRES;
    if (!startup->file && !startup->routine)
        return KIND_PGBOUNCER;
    if (startup->file && (strstr(startup->file, "pool_") || strcmp(startup->file, "child.c") == 0))
        return KIND_PGPOOL;
    return KIND_POSTGRES;
}
