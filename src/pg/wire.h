/*
 * wire.h - PostgreSQL's start-up protocol, both directions: bytes in, struct out, no sockets.
 *
 * Source: manual, "Message Formats" and "Message Flow"; src/include/libpq/pqcomm.h;
 * backend_startup.c (ProcessStartupPacket, ProcessSSLStartup).
 */
#ifndef PS_WIRE_H
#define PS_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rd.h"

#define WIRE_STARTUP_MAX 10004      /* MAX_STARTUP_PACKET_LENGTH + 4: total length of a first packet */
#define WIRE_MESSAGE_MAX 30000      /* bound of ours for one message before authentication */

enum {                              /* codes in the place of a protocol version */
    WIRE_CANCEL = 80877102, WIRE_SSL = 80877103, WIRE_GSSENC = 80877104,
    WIRE_PROTOCOL_3_0 = 3 << 16, WIRE_PROTOCOL_3_2 = (3 << 16) + 2
};

/* ---- what a client sends first ---- */

void wire_put_ssl_request(struct buf *out);
void wire_put_gssenc_request(struct buf *out);
/* pairs: name, value, name, value, ..., NULL */
void wire_put_startup(struct buf *out, uint32_t protocol, const char *const *pairs);

/* Answers to AuthenticationSASL and AuthenticationSASLContinue. */
void wire_put_sasl_initial(struct buf *out, const char *mechanism, const void *data, size_t len);
void wire_put_sasl(struct buf *out, const void *data, size_t len);

enum wire_first_kind { WIRE_FIRST_SSL, WIRE_FIRST_GSSENC, WIRE_FIRST_CANCEL, WIRE_FIRST_STARTUP,
                       WIRE_FIRST_TLS };    /* TLS: byte 0x16, direct negotiation (17+) */

struct wire_first {
    enum wire_first_kind kind;
    size_t len;                     /* bytes of the packet; 0 for TLS */
    uint32_t protocol;              /* of a startup */
    const char *user, *database, *application, *replication;    /* NULL: not given; into the bytes */
};

enum wire_parse { WIRE_MORE, WIRE_DONE, WIRE_BAD };     /* *out is to be used only when done */

/*
 * The head of a startup of protocol 3 that has `whole` bytes, of which only `len` are known: what of its pairs
 * is whole.  False: these bytes begin nothing else that is so long.
 */
bool wire_startup_head(const void *bytes, size_t len, uint64_t whole, struct wire_first *out);

/*
 * WIRE_MORE: at least one byte is missing; WIRE_BAD: the server would close the connection.  What
 * stands behind the packet is not looked at: who answers a request for TLS must see to it that nothing
 * does (CVE-2021-23214).  The parameters of a startup are read for protocol 3 alone, of any minor; of
 * a name that comes twice the last one counts, as in the server.
 */
enum wire_parse wire_first_parse(const void *bytes, size_t len, struct wire_first *out);

/* ---- what a server answers ---- */

enum wire_auth { WIRE_AUTH_OK = 0, WIRE_AUTH_KERBEROS = 2, WIRE_AUTH_CLEARTEXT = 3, WIRE_AUTH_MD5 = 5,
                 WIRE_AUTH_GSS = 7, WIRE_AUTH_GSS_CONTINUE = 8, WIRE_AUTH_SSPI = 9,
                 WIRE_AUTH_SASL = 10, WIRE_AUTH_SASL_CONTINUE = 11, WIRE_AUTH_SASL_FINAL = 12 };
const char *wire_auth_name(int code);       /* "SCRAM-SHA-256" for SASL; "unknown" */

struct wire_error {                 /* ErrorResponse; strings point into the bytes, "" when absent */
    const char *severity;           /* V, else S */
    const char *sqlstate, *message, *detail, *hint, *file, *line, *routine;
};

struct wire_message {
    char type;                      /* 'R', 'E', 'N', 'v', 'S', 'K', 'Z', ... */
    size_t len;                     /* whole, type byte included */
    int auth;                       /* of 'R': enum wire_auth or another number */
    bool scram_plus;                /* of 'R' SASL: SCRAM-SHA-256-PLUS is offered */
    struct span sasl;               /* of 'R' SASL continue and final: what the mechanism says */
    const char *name, *value;       /* of 'S': a parameter such as server_version */
    struct wire_error error;        /* of 'E' and 'N' */
};

/*
 * One message of a server before ReadyForQuery, of at most WIRE_MESSAGE_MAX bytes.  Types that have no
 * field here are measured, not judged.  An old-style error ('E', text, NUL, no length: what a
 * server says to a protocol it does not speak, or when it could not fork) is recognised as libpq does it,
 * by a length that cannot be: message only, with the newline that some of them end in.
 */
enum wire_parse wire_message_parse(const void *bytes, size_t len, struct wire_message *out);

/* For the attacker, who plays a server. */
void wire_put_auth(struct buf *out, enum wire_auth code);
void wire_put_error(struct buf *out, const char *sqlstate, const char *message);
/* A PasswordMessage ('p'): the password, NUL-terminated inside the bytes. */
enum wire_parse wire_password_parse(const void *bytes, size_t len, const char **password);

#endif
