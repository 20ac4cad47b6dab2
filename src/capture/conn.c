/* conn.c - see conn.h. */
#include "capture/conn.h"

#include <arpa/inet.h>

static double span_ms(int64_t from_us, int64_t until_us)
{
    return from_us && until_us >= from_us ? (double)(until_us - from_us) / 1000 : -1;
}

double conn_handshake_ms(const struct conn *conn)
{
    return conn->facts.tls_done ? span_ms(conn->facts.tls_begun_us, conn->facts.tls_done_us) : -1;
}

double conn_setup_ms(const struct conn *conn)
{
    if (!conn->from_start)
        return -1;
    if (conn->facts.tls_done)
        return span_ms(conn->first_us, conn->facts.tls_done_us);
    return conn->facts.ready ? span_ms(conn->first_us, conn->facts.ready_us) : -1;
}

const char *conn_address(const struct conn *conn, enum talk_side side, char out[CONN_ADDRESS])
{
    if (!inet_ntop(conn->v6 ? AF_INET6 : AF_INET, conn->address[side], out, CONN_ADDRESS))
        out[0] = '\0';
    return out;
}

bool conn_password_exposed(const struct conn *conn)
{
    return conn->facts.password == PASSWORD_CLEARTEXT || conn->facts.password == PASSWORD_MD5
        || conn->facts.password == PASSWORD_TOKEN;
}
