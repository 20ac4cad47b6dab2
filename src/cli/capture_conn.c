/* capture_conn.c - see capture_conn.h. */
#include "cli/capture_conn.h"

#include "pg/wire.h"
#include "tls/names.h"

static const struct { enum doc_mark mark; } marks[VERDICTS] = {
    [V_TLS] = { DOC_GOOD },          [V_GSS] = { DOC_GOOD },
    [V_PLAINTEXT] = { DOC_BAD },     [V_DOWNGRADED] = { DOC_BAD },
    [V_INJECTED] = { DOC_BAD },      [V_REFUSED] = { DOC_WARN },
    [V_GSS_FAILED] = { DOC_WARN },   [V_TLS_FAILED] = { DOC_WARN },
    [V_TLS_NOT_STARTED] = { DOC_WARN }, [V_UNKNOWN] = { DOC_UNKNOWN },
};

enum doc_mark capture_mark(enum verdict verdict)
{
    return marks[verdict].mark;
}

static void opt_int(struct doc_node *row, const char *key, const char *label, bool seen, uint64_t value)
{
    if (seen)
        doc_int(row, key, label, (int64_t)value);
    else
        doc_str(row, key, label, NULL);
}

static void opt_ms(struct doc_node *row, const char *key, const char *label, double ms)
{
    if (ms >= 0)
        doc_ms(row, key, label, ms);
    else
        doc_str(row, key, label, NULL);
}

static void opt_bool(struct doc_node *row, const char *key, const char *label, bool seen, bool value)
{
    if (seen)
        doc_bool(row, key, label, value);
    else
        doc_str(row, key, label, NULL);
}

static void who_doc(const struct conn *conn, struct doc_node *row)
{
    char text[CONN_ADDRESS];

    doc_str(row, "client", _("Client"), conn_address(conn, SIDE_CLIENT, text));
    doc_int(row, "client_port", _("Port"), conn->port[SIDE_CLIENT]);
    doc_str(row, "server", _("Server"), conn_address(conn, SIDE_SERVER, text));
    doc_int(row, "server_port", _("Port"), conn->port[SIDE_SERVER]);
    doc_moment(row, "first", _("First packet"), conn->first_us);
    doc_ms(row, "duration_ms", _("Duration"), (double)(conn->last_us - conn->first_us) / 1000);
    doc_verdict(row, "verdict", _("Verdict"), marks[conn->verdict].mark, verdict_word(conn->verdict),
                verdict_text(conn->verdict));
    if (conn->reason)
        doc_verdict(row, "reason", _("Because"), DOC_PLAIN, reason_word(conn->reason),
                    reason_text(conn->reason));
    else
        doc_str(row, "reason", _("Because"), NULL);
}

static void answer_doc(struct doc_node *row, const char *key, const char *label, char answer)
{
    const char text[] = { answer, '\0' };

    doc_str(row, key, label, answer && answer != '?' ? text : NULL);
}

static void cert_doc(const struct conn *conn, const struct totals *totals, enum talk_side side,
                     struct doc_node *row)
{
    uint32_t number = side == SIDE_CLIENT ? conn->facts.client_cert : conn->facts.server_cert;
    const struct cert_info *info = totals ? totals_cert(totals, number) : NULL;
    const char *key = side == SIDE_CLIENT ? "client_cert" : "server_cert";
    const char *label = side == SIDE_CLIENT ? _("Client certificate") : _("Server certificate");

    doc_aside(doc_str(row, key, label, info ? info->subject : NULL));
}

static void tls_doc(const struct conn *conn, struct doc_node *row)
{
    const struct talk_facts *facts = &conn->facts;
    bool hello = facts->server_hello;
    const struct tls_suite *suite = hello ? tls_suite_find(facts->cipher) : NULL;

    doc_str(row, "tls_version", _("TLS"), hello ? tls_version_name(facts->tls_version) : NULL);
    doc_str(row, "cipher", _("Cipher"), !suite ? NULL : suite->openssl ? suite->openssl : suite->name);
    doc_aside(doc_str(row, "suite", _("Suite"), suite ? suite->name : NULL));
    doc_str(row, "group", _("Group"), hello && facts->group ? tls_group_name(facts->group) : NULL);
    opt_bool(row, "resumed", _("Resumed"), hello, facts->resumed);
    opt_bool(row, "followed", _("Followed to its end"), verdict_is_encrypted(conn->verdict), !facts->unfollowed);
    doc_str(row, "sni", _("SNI"), conn->text[TEXT_SNI]);
    doc_str(row, "alpn", _("ALPN"), conn->text[TEXT_ALPN]);
    doc_str(row, "alert", _("Alert"), facts->alert_seen && !facts->alert_hidden
                                          ? tls_alert_name(facts->alert) : NULL);
    doc_str(row, "alert_from", _("Alert from"),
            !facts->alert_seen ? NULL : facts->alert_by == SIDE_CLIENT ? "client" : "server");
}

static const char *auth_text(const struct conn *conn)
{
    if (!conn->facts.auth)
        return conn->facts.authenticated ? "trust" : NULL;
    return conn->facts.auth == WIRE_AUTH_SASL + 1 && conn->text[TEXT_AUTH]
        ? conn->text[TEXT_AUTH] : wire_auth_name(conn->facts.auth - 1);
}

static void startup_doc(const struct conn *conn, struct doc_node *row)
{
    const struct talk_facts *facts = &conn->facts;
    bool seen = facts->protocol != 0;

    doc_str(row, "user", _("Role"), conn->text[TEXT_USER]);
    doc_str(row, "database", _("Database"), conn->text[TEXT_DATABASE]);
    doc_str(row, "application_name", _("Application"), conn->text[TEXT_APPLICATION]);
    doc_str(row, "replication", _("Replication"), !facts->replication ? NULL
            : facts->replication == 1 ? "physical" : "logical");
    doc_str(row, "auth", _("Method asked for"), auth_text(conn));
    doc_str(row, "password_sent", _("Password sent as"), talk_password_word(facts->password));
    doc_mark(doc_bool(row, "password_exposed", _("Password exposed"), conn_password_exposed(conn)),
             conn_password_exposed(conn) ? DOC_BAD : DOC_PLAIN);
    opt_bool(row, "authenticated", _("Let in"), seen, facts->authenticated);
    doc_str(row, "sqlstate", _("Error"), facts->sqlstate[0] ? facts->sqlstate : NULL);
}

static void counts_doc(const struct conn *conn, struct doc_node *row)
{
    const struct talk_facts *facts = &conn->facts;
    bool seen = facts->protocol || facts->behind == BEHIND_MESSAGES;
    const struct { const char *key, *label; uint64_t value; } counts[] = {
        { "queries", _("Queries"), facts->queries },
        { "query_bytes", _("Bytes of queries"), facts->query_bytes },
        { "rows", _("Rows"), facts->rows },
        { "row_bytes", _("Bytes of rows"), facts->row_bytes },
        { "copy_in_bytes", _("COPY to the server"), facts->copy_in_bytes },
        { "copy_out_bytes", _("COPY from the server"), facts->copy_out_bytes },
    };

    for (size_t i = 0; i < PS_COUNT(counts); i++)
        opt_int(row, counts[i].key, counts[i].label, seen, counts[i].value);
    opt_bool(row, "counts_complete", _("Counts complete"), seen, !facts->incomplete);
    doc_aside(doc_int(row, "client_bytes", _("Bytes of the client"), (int64_t)conn->bytes[SIDE_CLIENT]));
    doc_aside(doc_int(row, "server_bytes", _("Bytes of the server"), (int64_t)conn->bytes[SIDE_SERVER]));
    doc_aside(doc_int(row, "lost_bytes", _("Bytes lost"),
                      (int64_t)(conn->lost[SIDE_CLIENT] + conn->lost[SIDE_SERVER])));
    doc_aside(doc_int(row, "packets", _("Packets"), (int64_t)conn->packets));
}

void capture_conn_doc(const struct conn *conn, const struct totals *totals, bool with_sample,
                      struct doc_node *row)
{
    who_doc(conn, row);
    doc_str(row, "start", _("Began with"), talk_start_word(conn->facts.start));
    answer_doc(row, "ssl_answer", _("Answer"), conn->facts.ssl_answer);
    answer_doc(row, "gss_answer", _("GSS answer"), conn->facts.gss_answer);
    tls_doc(conn, row);
    opt_ms(row, "handshake_ms", _("Handshake"), conn_handshake_ms(conn));
    opt_ms(row, "setup_ms", _("Set-up"), conn_setup_ms(conn));
    cert_doc(conn, totals, SIDE_SERVER, row);
    cert_doc(conn, totals, SIDE_CLIENT, row);
    startup_doc(conn, row);
    counts_doc(conn, row);
    if (with_sample)
        doc_str(row, "sample", _("What could be read"), conn->text[TEXT_SAMPLE]);
}
