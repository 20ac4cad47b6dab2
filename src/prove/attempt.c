/* attempt.c - see attempt.h. */
#include "prove/attempt.h"

#include <locale.h>
#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/io.h"
#include "pg/libpq.h"

enum { WORDS_MAX = 4096, SQLSTATE_LEN = 5 };  /* the words may be a stranger's */

void attempt_result_free(struct attempt_result *result)
{
    buf_free(&result->words);
}

void attempt_port_add(struct attempt_ports *ports, int port)
{
    for (size_t i = 0; i < ports->len; i++)
        if (ports->at[i] == port)
            return;
    if (port > 0 && ports->len < ATTEMPT_PORTS_MAX)
        ports->at[ports->len++] = (uint16_t)port;
}

static void quiet(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static void finish_connection(PGconn **conn)
{
    pq.finish(*conn);
}

static void clear_result(PGresult **result)
{
    pq.clear(*result);
}

static void put_words(struct buf *words, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    buf_put(words, text, len < WORDS_MAX ? len : WORDS_MAX);
}

/* "FATAL:  28000: no entry": where the code begins after this colon; NULL: no code is here. */
static const char *code_after(const char *colon)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (strncmp(colon, ":  ", 3) != 0 || strspn(colon + 3, letters) != SQLSTATE_LEN
        || strncmp(colon + 3 + SQLSTATE_LEN, ": ", 2) != 0)
        return NULL;
    return colon + 3;
}

/* What a verbose libpq adds: the SQLSTATE, which is wanted for itself, and a place in the server. */
static bool take_codes(const char *text, struct buf *words)
{
    bool trouble = false;

    for (const char *at = text; *at; at++) {
        const char *code = code_after(at);

        if (code) {
            char sqlstate[SQLSTATE_LEN + 1];
            snprintf(sqlstate, sizeof(sqlstate), "%s", code);
            trouble = trouble || attempt_is_trouble(sqlstate);
            buf_puts(words, ":  ");
            at = code + SQLSTATE_LEN + 1;
        } else if (strncmp(at, "\nLOCATION:  ", 12) == 0) {
            at += strcspn(at + 1, "\n");
        } else {
            buf_putc(words, *at);
        }
    }
    return trouble;
}

bool attempt_is_trouble(const char *sqlstate)
{
    static const char *const classes[] = { "53", "57P", "58", "XX" };

    for (size_t i = 0; i < PS_COUNT(classes); i++)
        if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
            return true;
    return false;
}

static const char *cell(const PGresult *result, const char *column)
{
    int number = pq.fnumber(result, column);

    return number < 0 || pq.getisnull(result, 0, number) ? "" : pq.getvalue(result, 0, number);
}

/* In: the server itself says how.  client_dn is clientdn up to version 11. */
static enum way_end look_around(PGconn *conn, struct buf *words)
{
    PS_AUTO(clear_result) PGresult *result = pq.exec(conn,
        "select * from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()");

    if (pq.resultStatus(result) != PGRES_TUPLES_OK || pq.ntuples(result) != 1) {
        put_words(words, pq.errorMessage(conn));
        return pq.sslInUse(conn) ? WAY_IN_TLS : WAY_IN_PLAIN;
    }
    if (cell(result, "ssl")[0] != 't') {
        buf_puts(words, "pg_stat_ssl: ssl=f");
        return WAY_IN_PLAIN;
    }
    const char *dn = cell(result, "client_dn");
    buf_printf(words, "pg_stat_ssl: %s %s %s", cell(result, "version"), cell(result, "cipher"),
               *dn ? dn : cell(result, "clientdn"));
    return WAY_IN_TLS;
}

static bool is_connected(PGconn *conn)
{
    ConnStatusType status = pq.status(conn);

    return status != CONNECTION_BAD && status != CONNECTION_STARTED && status != CONNECTION_NEEDED;
}

/*
 * Drive the connection to its end; false when the time is over.  *reached: there was somebody there to
 * refuse it.  libpq may close a socket and open another: prefer and allow do.
 */
static bool connect_within(PGconn *conn, int timeout_ms, bool *reached, struct attempt_ports *ports)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    if (pq.status(conn) == CONNECTION_BAD)
        return true;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        struct pollfd one = { .fd = pq.socket(conn),
                              .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT };
        int64_t left = deadline - clock_mono_ms();

        attempt_port_add(ports, socket_local_port(one.fd));
        if (left <= 0 || poll(&one, 1, (int)left) == 0)
            return false;
        state = pq.connectPoll(conn);
        *reached = *reached || is_connected(conn);
    }
    return true;
}

static enum way_end judge(PGconn *conn, int timeout_ms, struct attempt_result *out)
{
    struct buf *words = &out->words;
    PS_AUTO(buf_free) struct buf said = BUF(2 * WORDS_MAX);
    bool reached = false;

    if (!connect_within(conn, timeout_ms, &reached, &out->ports)) {
        buf_printf(words, _("no answer within %d ms"), timeout_ms);
        return WAY_UNKNOWN;
    }
    if (pq.status(conn) == CONNECTION_OK)
        return look_around(conn, words);
    bool trouble = take_codes(pq.errorMessage(conn), &said);
    put_words(words, buf_text(&said));
    if (pq.connectionNeedsPassword(conn))
        return pq.sslInUse(conn) ? WAY_PASSWORD_TLS : WAY_PASSWORD_PLAIN;
    return reached && !trouble ? WAY_REFUSED : WAY_UNKNOWN;
}

void attempt_set(struct attempt *attempt, const char *name, const char *value)
{
    size_t i = 0;

    while (i < attempt->len && strcmp(attempt->names[i], name) != 0)
        i++;
    if (i == ATTEMPT_PARAMS_MAX)
        return;                     /* cannot be: no libpq knows so many */
    attempt->names[i] = name;
    attempt->values[i] = value;
    attempt->len = i < attempt->len ? attempt->len : i + 1;
}

void attempt_run(const struct attempt *attempt, struct attempt_result *out)
{
    int64_t begin = clock_mono_us();

    *out = (struct attempt_result){ .words = BUF(WORDS_MAX + 256) };
    locale_t english = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(english);
    /* the hook answers from sslpassword; without it OpenSSL would ask on the terminal */
    pq.setSSLKeyPassHook_OpenSSL(pq.defaultSSLKeyPassHook_OpenSSL);
    PS_AUTO(finish_connection) PGconn *conn =
        pq.connectStartParams(attempt->names, attempt->values, 0);
    pq.setNoticeReceiver(conn, quiet, NULL);
    pq.setErrorVerbosity(conn, PQERRORS_VERBOSE);    /* the only way to the SQLSTATE of a refusal */
    out->end = judge(conn, attempt->timeout_ms, out);
    out->tls = pq.sslInUse(conn) != 0;
    uselocale(before);
    freelocale(english);
    out->ms = (double)(clock_mono_us() - begin) / 1000;
}

/* ---- environment ---- */

static void hide(struct attempt_env *env, const char *name)
{
    const char *value = getenv(name);

    if (!value)
        return;
    PS_PUSH(env->at, env->len, env->cap) =
        (struct attempt_var){ ps_strdup(name), ps_strdup(value) };
    unsetenv(name);
}

void attempt_env_hide(struct attempt_env *env)
{
    /* what libpq reads without naming it in its table of options */
    static const char *const others[] = { "PGSERVICEFILE", "PGSYSCONFDIR", "PGREQUIRESSL",
                                          "PGTZ", "PGDATESTYLE", "PGGEQO" };
    PQconninfoOption *options = pq.conndefaults();

    for (const PQconninfoOption *one = options; one && one->keyword; one++)
        if (one->envvar)
            hide(env, one->envvar);
    pq.conninfoFree(options);
    for (size_t i = 0; i < PS_COUNT(others); i++)
        hide(env, others[i]);
}

void attempt_env_show(struct attempt_env *env)
{
    for (size_t i = 0; i < env->len; i++) {
        setenv(env->at[i].name, env->at[i].value, 1);
        free(env->at[i].name);
        free(env->at[i].value);
    }
    free(env->at);
    *env = (struct attempt_env){ 0 };
}
