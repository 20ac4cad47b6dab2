/* Logs of every kind, whole and broken, into messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/logs.h"

struct collector {
    const struct logs *logs;
    struct buf out;
};

static void put(struct buf *out, const struct doctor_text *text)
{
    buf_put(out, text->p ? text->p : "-", text->p ? text->len : 1);
}

/* "severity|time|role|database|address|state|text;" of each message. */
static void collect(void *arg, const struct logs_message *message)
{
    struct collector *collector = arg;
    struct logs_message who = *message;

    logs_who(collector->logs, &who);
    const struct doctor_text *const parts[] = { &who.severity, &who.time, &who.role, &who.database,
                                                &who.address, &who.sqlstate, &who.text };
    for (size_t i = 0; i < PS_COUNT(parts); i++) {
        put(&collector->out, parts[i]);
        buf_putc(&collector->out, i + 1 < PS_COUNT(parts) ? '|' : ';');
    }
}

static void read_log(const char *prefix, const char *log, size_t len, size_t step,
                     struct collector *collector)
{
    PS_AUTO(logs_freep) struct logs *logs = logs_new(prefix, collect, collector);

    collector->logs = logs;
    for (size_t at = 0; at < len; at += step)
        logs_feed(logs, log + at, len - at < step ? len - at : step);
    logs_end(logs);
}

#define T "2026-11-21 05:30:35.123 UTC"

static const struct { const char *prefix, *log, *want; } logs[] = {
    /* the default prefix, Debian's, and what pgBadger recommends: guessed */
    { NULL, T " [42] LOG:  a\n" T " [43] FATAL:  b\n", "LOG|" T "|-|-|-|-|a;FATAL|" T "|-|-|-|-|b;" },
    { NULL, T " [42] app@shop FATAL:  no\n", "FATAL|" T "|app|shop|-|-|no;" },
    { NULL, T " [42] [unknown]@[unknown] LOG:  x\n", "LOG|" T "|-|-|-|-|x;" },
    { NULL, "2026-11-21 05:30:35 CET [42]: user=app,db=shop,app=psql,client=10.0.0.5 FATAL:  no\n",
      "FATAL|2026-11-21 05:30:35 CET|app|shop|10.0.0.5|-|no;" },
    /* RDS: %t:%r:%u@%d:[%p]: */
    { NULL, "2026-11-21 05:30:35 UTC:10.0.0.5(41234):app@shop:[42]:FATAL:  no\n",
      "FATAL|2026-11-21 05:30:35 UTC|app|shop|10.0.0.5|-|no;" },
    { NULL, T " [42] fe80::1 LOG:  x\n", "LOG|" T "|-|-|fe80::1|-|x;" },
    { NULL, "db_1  | " T " [42] LOG:  x\n", "LOG|" T "|-|-|-|-|x;" },
    /* by the format */
    { "%m [%p] %q%u@%d ", T " [42] a@b@shop LOG:  x\n" T " [42] LOG:  y\n",
      "LOG|" T "|a|b@shop|-|-|x;LOG|" T "|-|-|-|-|y;" },
    { "%t %u %d %h ", "2026-11-21 05:30:35 UTC app shop 10.0.0.5 LOG:  x\n",
      "LOG|2026-11-21 05:30:35 UTC|app|shop|10.0.0.5|-|x;" },
    { "%t <%-8u> %e ", "2026-11-21 05:30:35 UTC <app     > 28000 LOG:  x\n",
      "LOG|2026-11-21 05:30:35 UTC|app|-|-|28000|x;" },
    { "%r|%u: ", "10.0.0.5(4)|app: LOG:  x\n", "LOG|-|app|-|10.0.0.5|-|x;" },
    /* DETAIL, HINT, CONTEXT and further lines belong to it, statements do not */
    { NULL, T " LOG:  a\n" T " DETAIL:  b\n\tc\n" T " STATEMENT:  select\n\t1\n" T " HINT:  d\n",
      "LOG|" T "|-|-|-|-|a\nb c\nd;" },
    { NULL, T " ERROR:  falló\n" T " DETALLE:  b\n" T " SENTENCIA:  c\n", "ERROR|" T "|-|-|-|-|falló\nb;" },
    /* psql's own, an application's, and a DETAIL that lost its message */
    { NULL, "FATAL:  no\nDETAIL:  b\n", "FATAL|-|-|-|-|-|no\nb;" },
    { NULL, "Caused by: x\n\tat y\n", "-|-|-|-|-|-|Caused by: x;-|-|-|-|-|-|\tat y;" },
    { NULL, "DETAIL:  b\nLOG:  a\n", "DETAIL|-|-|-|-|-|b;LOG|-|-|-|-|-|a;" },
    { NULL, T " LOG:  a\nsh: 1: x: not found\n" T " LOG:  b\n",
      "LOG|" T "|-|-|-|-|a;-|-|-|-|-|-|sh: 1: x: not found;LOG|" T "|-|-|-|-|b;" },
    /* csvlog */
    { NULL, T ",\"app\",\"shop\",42,\"10.0.0.5:41234\",6560.2a,1,\"authentication\"," T ",3/1,0,FATAL,28000,"
      "\"no \"\"x\"\"\",\"d\ne\",\"h\",,,\"c\",,,,\"\"\n",
      "FATAL|" T "|app|shop|10.0.0.5|28000|no \"x\"\nd\ne\nh\nc;" },
    { NULL, T ",,,42,,6560.2a,1,,2026-11-21 05:30:35 UTC,,0,LOG,00000,\"a\"\n",
      "LOG|" T "|-|-|-|00000|a;" },
    /* a lost quote does not swallow what follows */
    { NULL, T ",,,42,,6,1,," T ",,0,LOG,00000,\"a,,,\n" T ",,,42,,6,1,," T ",,0,LOG,00000,\"b\"\n",
      "LOG|" T "|-|-|-|00000|a,,,\n;LOG|" T "|-|-|-|00000|b;" },
    /* jsonlog */
    { NULL, "{\"timestamp\":\"" T "\",\"user\":\"app\",\"dbname\":\"shop\",\"pid\":42,\"remote_host\":"
      "\"::1\",\"remote_port\":5,\"error_severity\":\"FATAL\",\"state_code\":\"28000\",\"message\":\"n\\\"o\","
      "\"detail\":\"d\\n\\u00e9\",\"backend_type\":\"client backend\"}\n",
      "FATAL|" T "|app|shop|::1|28000|n\"o\nd\né;" },
    { NULL, "{\"timestamp\":\"" T "\",\"error_severity\":\"LOG\",\"message\":\"cut sho",
      "LOG|" T "|-|-|-|-|cut sho;" },
    /* verbose, CRLF, no end, nothing */
    { NULL, T " [1] LOG:  28000: x\r\n", "LOG|" T "|-|-|-|-|28000: x;" },
    { NULL, T " [1] LOG:  x", "LOG|" T "|-|-|-|-|x;" },
    { NULL, "", "" },
    { NULL, "\n\n\n", "" },
};

static void messages_come_out_whole_however_they_are_fed(void **state)
{
    static const size_t steps[] = { 100000, 1, 2, 3, 7, 64 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(logs); i++)
        for (size_t j = 0; j < PS_COUNT(steps); j++) {
            struct collector got = { .out = BUF(BUF_TEXT_MAX) };

            read_log(logs[i].prefix, logs[i].log, strlen(logs[i].log), steps[j], &got);
            if (strcmp(buf_text(&got.out), logs[i].want) != 0)
                fail_msg("%s by %zu: %s", logs[i].log, steps[j], buf_text(&got.out));
            buf_free(&got.out);
        }
}

struct measure {
    size_t longest;
    unsigned messages;
};

static void measure(void *arg, const struct logs_message *message)
{
    struct measure *got = arg;

    got->messages++;
    if (message->text.len > got->longest)
        got->longest = message->text.len;
}

/* 64 MiB without a line end, of each kind: what is kept is bounded, and the next line is read. */
static void a_line_without_end_is_cut_and_counted(void **state)
{
    static const char *const begins[] = { T " LOG:  ", T ",,,42,,6,1,," T ",,0,LOG,00000,\"",
                                          "{\"error_severity\":\"LOG\",\"message\":\"", "", "\t" };
    PS_AUTO(ps_freep) char *mega = ps_malloc(1 << 20);

    (void)state;
    memset(mega, 'x', 1 << 20);
    for (size_t i = 0; i < PS_COUNT(begins); i++) {
        struct measure got = { 0 };
        PS_AUTO(logs_freep) struct logs *reader = logs_new(NULL, measure, &got);

        logs_feed(reader, begins[i], strlen(begins[i]));
        for (int j = 0; j < 64; j++)
            logs_feed(reader, mega, 1 << 20);
        logs_feed(reader, "\n", 1);
        logs_feed(reader, T " FATAL:  y\n", strlen(T " FATAL:  y\n"));
        logs_end(reader);
        assert_true(got.messages >= 1 && got.longest < LOGS_MESSAGE_MAX);
        assert_int_equal(logs_count(reader)->cut, 1);
        assert_int_equal(logs_count(reader)->lines, 2);
    }
}

static const struct { const char *text; bool want; } kinds[] = {
    { T " [1] LOG:  a\n" T " [1] LOG:  b\n", true },
    { T " [1] LOG:  could not accept SSL connection: x\n" T " [1] DETAIL:  y\n", false },
    { "psql: error: connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  no\nconnection to server "
      "at \"127.0.0.1\", port 5432 failed: FATAL:  no\n", false },
    { T ",,,42,,6,1,," T ",,0,LOG,00000,\"a\"\n" T ",,,42,,6,1,," T ",,0,LOG,00000,\"b\"\n", true },
    { "", false },
};

static void a_log_is_told_from_an_error_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(kinds); i++)
        assert_int_equal(logs_is_log(kinds[i].text, strlen(kinds[i].text)), kinds[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_whole_however_they_are_fed),
        cmocka_unit_test(a_line_without_end_is_cut_and_counted),
        cmocka_unit_test(a_log_is_told_from_an_error_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
