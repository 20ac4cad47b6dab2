/*
 * The promises of capture/talk.h: what was said decides the verdict, in pieces of any size, and nothing is
 * called encrypted that was not seen to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "capture/shelf.h"
#include "capture/talk.h"
#include "pg/wire.h"

enum who { C = SIDE_CLIENT, S = SIDE_SERVER };

/* One thing that is said: bytes, or "@file" of tests/data/tls, or a hole of so many bytes. */
struct say {
    enum who who;
    const char *bytes;
    size_t len;
    int64_t acked;          /* -1: everything that the other side has said until then */
    uint64_t hole;
};
#define SAY(who, text) { who, text, sizeof(text) - 1, -1, 0 }
#define SAY_BLIND(who, text, acked) { who, text, sizeof(text) - 1, acked, 0 }
#define HOLE(who, len) { who, NULL, 0, -1, len }

#define SSL_REQUEST "\0\0\0\x08\x04\xd2\x16\x2f"
#define GSS_REQUEST "\0\0\0\x08\x04\xd2\x16\x30"
#define CANCEL "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"
#define STARTUP "\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0"
#define ASK_PASSWORD "R\0\0\0\x08\0\0\0\3"
#define ASK_MD5 "R\0\0\0\x0c\0\0\0\5abcd"
#define PASSWORD "p\0\0\0\x0dPassw0rd\0"
#define AUTH_OK "R\0\0\0\x08\0\0\0\0"
#define READY "Z\0\0\0\5I"
#define QUERY "Q\0\0\0\x1bselect * from clientes\0"
#define ROW "D\0\0\0\x0b\0\1\0\0\0\1x"
#define ERROR_28000 "E\0\0\0\x24SFATAL\0VFATAL\0C28000\0Mno entry\0\0"

#define RECORD "\x17\3\3\0\3abc"
#define LONG_RECORD "\x17\3\3\1\x2c" "0123456789"
#define GSS_PACKET "\0\0\0\2ab"
#define GSS_DONE SAY(C, GSS_REQUEST), SAY(S, "G"), SAY(C, GSS_PACKET), SAY(S, GSS_PACKET GSS_PACKET), \
                 SAY(C, GSS_PACKET)

static const struct {
    const char *name;
    struct say says[12];
    const char *verdict, *reason;
    bool from_start, open;      /* open: it goes on when the capture ends */
} rows[] = {
    { "TLS 1.3", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13") }, "tls", NULL, true, false },
    { "TLS 1.2", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls12") }, "tls", NULL, true, false },
    { "TLS after GSS was refused",
      { SAY(C, GSS_REQUEST), SAY(S, "N"), SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13") },
      "tls", NULL, true, false },
    { "TLS with another hello", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13-retry") }, "tls", NULL,
      true, false },
    { "TLS with a client certificate",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls12-client-cert") }, "tls", NULL, true, false },
    { "direct TLS", { SAY(C, "@tls13") }, "tls", NULL, true, false },
    { "a certificate that is not trusted, 1.3",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13-untrusted") }, "tls-failed", NULL, true, false },
    { "a certificate that is not trusted, 1.2",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls12-untrusted") }, "tls-failed", NULL, true, false },
    { "a version that is refused",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@version-refused") }, "tls-failed", NULL, true, false },
    { "the hello of the server is lost",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "!tls13") }, "unknown", "lost", true, false },
    { "the capture ends behind the S", { SAY(C, SSL_REQUEST), SAY(S, "S") }, "tls-not-started", NULL,
      true, true },
    { "no hello follows", { SAY(C, SSL_REQUEST), SAY(S, "S") }, "tls-not-started", NULL, true, false },
    { "rubbish follows", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "GET / HTTP/1.0\r\n") },
      "tls-failed", "not-tls", true, false },
    { "plaintext", { SAY(C, STARTUP), SAY(S, ASK_PASSWORD), SAY(C, PASSWORD), SAY(S, AUTH_OK READY),
                     SAY(C, QUERY), SAY(S, ROW ROW) }, "plaintext", NULL, true, false },
    { "plaintext that is refused", { SAY(C, STARTUP), SAY(S, ERROR_28000) }, "plaintext", NULL, true,
      false },
    { "refused, and on it goes",
      { SAY(C, SSL_REQUEST), SAY(S, "N"), SAY(C, STARTUP), SAY(S, AUTH_OK READY) }, "downgraded", NULL,
      true, false },
    { "granted, and ignored", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, STARTUP) }, "downgraded", NULL,
      true, false },
    { "the answer is lost, the startup is not",
      { SAY(C, SSL_REQUEST), HOLE(S, 1), SAY(C, STARTUP) }, "downgraded", NULL, true, false },
    { "only the client's side, downgraded", { SAY(C, SSL_REQUEST), SAY_BLIND(C, STARTUP, 1) },
      "downgraded", NULL, true, false },
    { "refused", { SAY(C, SSL_REQUEST), SAY(S, "N") }, "refused", NULL, true, false },
    { "refused by an error", { SAY(C, SSL_REQUEST), SAY(S, ERROR_28000) }, "refused", NULL, true, false },
    { "never answered", { SAY(C, SSL_REQUEST) }, "unknown", "no-answer", true, false },
    { "GSS", { SAY(C, GSS_REQUEST), SAY(S, "G"), SAY(C, "\0\0\0\2ab"), SAY(S, "\0\0\0\2ab"),
               SAY(C, "\0\0\0\2ab"), SAY(S, "\0\0\0\2ab") }, "gss", NULL, true, false },
    { "GSS that ends too early", { SAY(C, GSS_REQUEST), SAY(S, "G"), SAY(C, "\0\0\0\2ab") },
      "gss-failed", "closed", true, false },
    { "GSS that the server ends", { SAY(C, GSS_REQUEST), SAY(S, "G"), SAY(C, "\0\0\0\2ab"),
                                    SAY(S, "Eno\0") }, "gss-failed", NULL, true, false },
    { "GSS, then a query", { GSS_DONE, SAY(C, QUERY) }, "plaintext", "behind-handshake", true, false },
    { "GSS, then rows", { GSS_DONE, SAY(S, "\0\0\0\2ab" ROW ROW) }, "plaintext", "behind-handshake", true, false },
    { "GSS that is signed and not sealed", { GSS_DONE, SAY(S, "\0\0\0\x12\5\4\1\xff" "xxxxxxxxxxxxxx") }, "plaintext",
      "behind-handshake", true, false },
    { "GSS that is sealed", { GSS_DONE, SAY(S, "\0\0\0\x12\5\4\3\xff" "xxxxxxxxxxxxxx") }, "gss", NULL, true, false },
    { "TLS 1.3 with messages in its records",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), SAY(C, "\x17\3\3\0\x1c" QUERY) }, "plaintext",
      "behind-handshake", true, false },
    { "GSS, then rubbish", { GSS_DONE, SAY(S, "\xff\xfe\xfd\xfc\xfb") }, "unknown", "not-framed", true, false },
    { "TLS 1.3, then a query", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), SAY(C, QUERY) },
      "plaintext", "behind-handshake", true, false },
    { "TLS 1.2, then rows behind a record",
      { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls12"), SAY(S, RECORD ROW ROW) }, "plaintext",
      "behind-handshake", true, false },
    { "TLS 1.3, then another startup", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), SAY(C, STARTUP) },
      "plaintext", "behind-handshake", true, false },
    { "TLS 1.3, then rubbish", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), SAY(S, "\x17\3\7\0\1x") },
      "unknown", "not-framed", true, false },
    { "TLS 1.3, a record too long", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"),
                                      SAY(S, "\x17\3\3\x48\1x") }, "unknown", "not-framed", true, false },
    { "TLS 1.3 with a hole in a record", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"),
      SAY(S, LONG_RECORD), HOLE(S, 290), SAY(S, RECORD) }, "tls", NULL, true, false },
    { "TLS 1.3 with a hole in a record, and rows behind it", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"),
      SAY(S, LONG_RECORD), HOLE(S, 290), SAY(S, ROW) }, "plaintext", "behind-handshake", true, false },
    { "TLS 1.3 with a hole, then records", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), HOLE(S, 1000),
      SAY(S, "xyz" RECORD RECORD) }, "tls", NULL, true, false },
    { "TLS 1.3 with a hole, then rows", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), HOLE(S, 1000),
      SAY(S, ROW ROW) }, "plaintext", "behind-handshake", true, false },
    { "TLS 1.3 with a hole, then a startup", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"), HOLE(C, 1000),
      SAY(C, STARTUP) }, "plaintext", "behind-handshake", true, false },
    { "TLS 1.3 with a hole, records, and then rows", { SAY(C, SSL_REQUEST), SAY(S, "S"), SAY(C, "@tls13"),
      HOLE(S, 1000), SAY(S, "xyz" RECORD RECORD), SAY(S, ROW "x") }, "plaintext", "behind-handshake", true, false },
    { "cancel", { SAY(C, CANCEL) }, "cancel", NULL, true, false },
    { "cancel after a refusal", { SAY(C, SSL_REQUEST), SAY(S, "N"), SAY(C, CANCEL) }, "cancel", NULL,
      true, false },
    { "bytes behind the request", { SAY(C, SSL_REQUEST STARTUP), SAY(S, "S"), SAY(C, "@tls13") },
      "injected", NULL, true, false },
    { "bytes behind the answer", { SAY(C, SSL_REQUEST), SAY(S, "S" AUTH_OK), SAY(C, "@tls13") },
      "injected", NULL, true, false },
    { "nothing", { HOLE(C, 0) }, "no-data", NULL, true, false },
    { "HTTP", { SAY(C, "GET / HTTP/1.0\r\n\r\n"), SAY(S, "HTTP/1.0 200 OK\r\n") }, "not-postgres", NULL,
      true, false },
    { "a server that speaks first", { SAY_BLIND(S, "SSH-2.0-OpenSSH\r\n", 0) }, "not-postgres", NULL,
      true, false },
    { "TLS for something else", { SAY(C, "\x16\3\1\0\x33\1\0\0\x2f\3\3" "0123456789abcdef0123456789abcdef"
                                         "\0\0\2\x13\1\1\0\0\4\0\x17\0\0") }, "not-postgres", NULL, true,
      false },
    { "plaintext that was cut short",
      { SAY(C, "\0\0\0\x20\0\3\0\0user\0app\0data"), HOLE(C, 11), SAY(S, AUTH_OK READY) }, "plaintext", NULL,
      true, false },
    { "a startup that would be longer",
      { SAY(C, "\0\0\0\x20\0\3\0\0user\0app\0data"), HOLE(C, 10), SAY(S, AUTH_OK READY) }, "unknown",
      "lost", true, false },
    { "its beginning is lost", { HOLE(C, 8), SAY(S, "S"), SAY(C, "@tls13") }, "unknown", "lost", true,
      false },
};

static struct talk talk;
static struct cert_shelf *shelf;

static void load(const char *name, const char *side, struct buf *out)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf(TEST_DATA "/tls/%s.%s", name, side);
    struct ps_err err = { 0 };

    if (!file_read(path, 1u << 20, out, &err))
        fail_msg("%s", err.message);
}

static void feed(enum who who, const char *bytes, size_t len, size_t piece, int64_t acked)
{
    static int64_t now = 1;

    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;

        talk_data(&talk, (enum talk_side)who, (const uint8_t *)bytes + at, n,
                  acked >= 0 ? acked : (int64_t)talk.offset[!who], now += 1000);
    }
}

static size_t record_len(const struct buf *bytes, size_t at)
{
    return 5 + ((size_t)(uint8_t)bytes->p[at + 3] << 8 | (uint8_t)bytes->p[at + 4]);
}

/* Both directions of a recorded handshake, in the order in which they were said: record by record. */
static void feed_recorded(const char *name, size_t piece, bool lose_server_hello)
{
    PS_AUTO(buf_free) struct buf client = BUF(1u << 20);
    PS_AUTO(buf_free) struct buf server = BUF(1u << 20);
    size_t hello, rest = 0;

    load(name, "client", &client);
    load(name, "server", &server);
    hello = record_len(&client, 0);
    feed(C, client.p, hello, piece, -1);
    if (strstr(name, "retry"))              /* the first answer, then the second hello */
        rest = record_len(&server, 0);
    feed(S, server.p, rest, piece, -1);
    if (rest) {
        size_t again = hello + record_len(&client, hello);   /* a change of ciphers that is none */

        again += record_len(&client, again);
        feed(C, client.p + hello, again - hello, piece, -1);
        feed(S, server.p + rest, server.len - rest - 120, piece, -1);
        feed(C, client.p + again, client.len - again, piece, -1);
        feed(S, server.p + server.len - 120, 120, piece, -1);
        return;
    }
    if (lose_server_hello)
        talk_gap(&talk, SIDE_SERVER, 127);
    size_t from = lose_server_hello ? 127 : 0;
    size_t flight = server.len - from > 200 ? server.len - from - 120 : server.len - from;
    feed(S, server.p + from, flight, piece, -1);
    feed(C, client.p + hello, client.len - hello, piece, -1);
    feed(S, server.p + from + flight, server.len - from - flight, piece, -1);
}

static void play(size_t row, size_t piece)
{
    talk_begin(&talk, rows[row].from_start, true, shelf);
    for (const struct say *say = rows[row].says; say->bytes || say->hole; say++) {
        if (say->hole)
            talk_gap(&talk, (enum talk_side)say->who, say->hole);
        else if (say->bytes[0] == '@' || say->bytes[0] == '!')
            feed_recorded(say->bytes + 1, piece, say->bytes[0] == '!');
        else
            feed(say->who, say->bytes, say->len, say->acked >= 0 || say->len > 8 ? say->len : piece,
                 say->acked);
    }
    talk_end(&talk);
}

static void what_was_said_decides(void **state)
{
    static const size_t pieces[] = { 1u << 20, 1, 7, 100 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        for (size_t j = 0; j < PS_COUNT(pieces); j++) {
            enum reason reason;
            enum verdict verdict;

            play(i, pieces[j]);
            verdict = talk_verdict(&talk, !rows[i].open, &reason);
            if (strcmp(verdict_word(verdict), rows[i].verdict) != 0
                || (rows[i].reason && (!reason || strcmp(reason_word(reason), rows[i].reason) != 0)))
                fail_msg("%s, in pieces of %zu: %s, %s", rows[i].name, pieces[j],
                         verdict_word(verdict), reason_word(reason) ? reason_word(reason) : "-");
            talk_free(&talk);
        }
}

/* Whatever is lost of a handshake, it is never called plaintext, and encrypted only with both hellos. */
static void holes_never_make_it_encrypted(void **state)
{
    PS_AUTO(buf_free) struct buf client = BUF(1u << 20);
    PS_AUTO(buf_free) struct buf server = BUF(1u << 20);

    (void)state;
    load("tls13", "client", &client);
    load("tls13", "server", &server);
    for (size_t at = 0; at < server.len; at += 13) {
        enum reason reason;
        size_t end = at + 50 < server.len ? at + 50 : server.len;

        talk_begin(&talk, true, false, shelf);
        feed(C, SSL_REQUEST, 8, 8, -1);
        feed(S, "S", 1, 1, -1);
        feed(C, client.p, client.len, client.len, -1);
        feed(S, server.p, at, 1000, -1);
        talk_gap(&talk, SIDE_SERVER, end - at);
        feed(S, server.p + end, server.len - end, 1000, -1);
        enum verdict verdict = talk_verdict(&talk, true, &reason);
        assert_true(verdict != V_PLAINTEXT && verdict != V_DOWNGRADED);
        assert_true(verdict != V_TLS || at >= 5 + 4 + 80);
        talk_free(&talk);
    }
}

/* TLS 1.3 behind the hellos: records of these sizes, first all of the client's, then the server's. */
static const struct {
    const char *name;
    size_t client[4], server[2];
    enum verdict verdict;
    enum reason reason;
} hidden_rows[] = {
    { "Finished, a start-up, an answer", { 53, 120 }, { 60 }, V_TLS, R_NONE },
    { "Finished, a request to cancel, close", { 53, 33 }, { 19 }, V_TLS, R_NONE },
    { "the same with a key of 32 bytes, SHA-384", { 69, 61 }, { 19 }, V_TLS, R_NONE },
    { "a certificate, Finished, a request to cancel, close", { 400, 53, 33 }, { 19 }, V_UNKNOWN, R_HIDDEN_ALERT },
    { "a certificate that is refused", { 400, 53, 120 }, { 19 }, V_TLS_FAILED, R_HIDDEN_ALERT },
    { "no certificate, and that is refused", { 25, 53, 120 }, { 19 }, V_TLS_FAILED, R_HIDDEN_ALERT },
    { "a certificate that is refused at once", { 400, 53 }, { 19 }, V_TLS_FAILED, R_HIDDEN_ALERT },
    { "the client refuses", { 19 }, { 0 }, V_TLS_FAILED, R_HIDDEN_ALERT },
    { "the client closes first", { 53, 120, 19 }, { 19 }, V_TLS, R_NONE },
    { "no more than the hellos", { 0 }, { 0 }, V_TLS_FAILED, R_CLOSED },
};

static void feed_hidden(enum who who, const size_t *sizes, size_t count)
{
    static char record[5 + 512] = "\x17\3\3";

    for (size_t i = 0; i < count && sizes[i]; i++) {
        record[3] = (char)(sizes[i] >> 8);
        record[4] = (char)sizes[i];
        feed(who, record, 5 + sizes[i], 1000, -1);
    }
}

static void what_is_hidden_is_told_by_its_size(void **state)
{
    PS_AUTO(buf_free) struct buf client = BUF(1u << 20);
    PS_AUTO(buf_free) struct buf server = BUF(1u << 20);
    size_t flight = 0;

    (void)state;
    load("tls13", "client", &client);
    load("tls13", "server", &server);
    for (int i = 0; i < 5; i++)         /* until the server's Finished */
        flight += record_len(&server, flight);
    for (size_t i = 0; i < PS_COUNT(hidden_rows); i++) {
        enum reason reason;
        enum verdict verdict;

        talk_begin(&talk, true, false, shelf);
        feed(C, SSL_REQUEST, 8, 8, -1);
        feed(S, "S", 1, 1, -1);
        feed(C, client.p, record_len(&client, 0), 1000, -1);
        feed(S, server.p, flight, 1000, -1);
        feed_hidden(C, hidden_rows[i].client, PS_COUNT(hidden_rows[i].client));
        feed_hidden(S, hidden_rows[i].server, PS_COUNT(hidden_rows[i].server));
        verdict = talk_verdict(&talk, true, &reason);
        if (verdict != hidden_rows[i].verdict || reason != hidden_rows[i].reason)
            fail_msg("%s: %s, %s", hidden_rows[i].name, verdict_word(verdict),
                     reason_word(reason) ? reason_word(reason) : "-");
        talk_free(&talk);
    }
}

/* The same handshake, with a suite that encrypts nothing, and with one that nobody knows. */
static void a_handshake_alone_does_not_encrypt(void **state)
{
    static const struct { const char *file; uint16_t cipher; enum verdict verdict; enum reason reason; } suites[] = {
        { "tls12", 0xC02C, V_TLS, R_NONE },      { "tls12", 0x003B, V_PLAINTEXT, R_NULL_SUITE },
        { "tls12", 0x0000, V_PLAINTEXT, R_NULL_SUITE }, { "tls12", 0xC015, V_PLAINTEXT, R_NULL_SUITE },
        { "tls12", 0x0034, V_TLS, R_NONE },      { "tls12", 0xEEEE, V_UNKNOWN, R_SUITE },
        { "tls13", 0x1301, V_TLS, R_NONE },      { "tls13", 0xC0B4, V_PLAINTEXT, R_NULL_SUITE },
        { "tls13", 0xC0B5, V_PLAINTEXT, R_NULL_SUITE }, { "tls13", 0xEEEE, V_UNKNOWN, R_SUITE },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(suites); i++) {
        PS_AUTO(buf_free) struct buf client = BUF(1u << 20);
        PS_AUTO(buf_free) struct buf server = BUF(1u << 20);
        enum reason reason;

        load(suites[i].file, "client", &client);
        load(suites[i].file, "server", &server);
        size_t at = 5 + 4 + 2 + 32;             /* the session of the hello, then its suite */
        at += 1 + (size_t)(uint8_t)server.p[at];
        server.p[at] = (char)(suites[i].cipher >> 8);
        server.p[at + 1] = (char)suites[i].cipher;
        talk_begin(&talk, true, false, shelf);
        feed(C, SSL_REQUEST, 8, 8, -1);
        feed(S, "S", 1, 1, -1);
        size_t hello = record_len(&client, 0), flight = server.len - 120;
        feed(C, client.p, hello, hello, -1);
        feed(S, server.p, flight, flight, -1);
        feed(C, client.p + hello, client.len - hello, client.len, -1);
        feed(S, server.p + flight, 120, 120, -1);
        for (int behind = 0; behind < 2; behind++) {
            assert_int_equal(talk_verdict(&talk, true, &reason), suites[i].verdict);
            assert_int_equal(reason, suites[i].reason);
            if (suites[i].verdict == V_PLAINTEXT)       /* readable inside of its records, as it is */
                feed(C, "\x17\3\3\0\x1c" QUERY, 5 + 28, 100, -1);
        }
        talk_free(&talk);
    }
}

static void what_was_exposed_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        if (strcmp(rows[i].name, "plaintext") == 0)
            play(i, 1);
    assert_int_equal(talk.facts.password, PASSWORD_CLEARTEXT);
    assert_int_equal(talk.facts.queries, 1);
    assert_int_equal(talk.facts.query_bytes, 23);
    assert_int_equal(talk.facts.rows, 2);
    assert_int_equal(talk.facts.row_bytes, 14);
    assert_true(talk.facts.authenticated && talk.facts.ready && !talk.facts.incomplete);
    assert_string_equal(talk.text[TEXT_USER], "app");
    assert_string_equal(talk.text[TEXT_DATABASE], "shop");
    assert_string_equal(talk.text[TEXT_SAMPLE], "select * from clientes");
    talk_free(&talk);
}

static void hashes_of_passwords_are_told_apart(void **state)
{
    (void)state;
    talk_begin(&talk, true, false, shelf);
    feed(C, STARTUP, sizeof(STARTUP) - 1, 100, -1);
    feed(S, ASK_MD5, sizeof(ASK_MD5) - 1, 100, -1);
    feed(C, "p\0\0\0\x28" "md50123456789abcdef0123456789abcdef", 5 + 36, 100, -1);
    assert_int_equal(talk.facts.password, PASSWORD_MD5);
    assert_null(talk.text[TEXT_SAMPLE]);
    talk_free(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_decides),
        cmocka_unit_test(holes_never_make_it_encrypted),
        cmocka_unit_test(what_is_hidden_is_told_by_its_size),
        cmocka_unit_test(a_handshake_alone_does_not_encrypt),
        cmocka_unit_test(what_was_exposed_is_counted),
        cmocka_unit_test(hashes_of_passwords_are_told_apart),
    };
    int failed;

    shelf = cert_shelf_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    cert_shelf_free(shelf);
    return failed;
}
