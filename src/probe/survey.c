/* survey.c - see survey.h. */
#include "probe/survey_parts.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"
#include "probe/major.h"
#include "probe/peers.h"
#include "tls/name.h"

static void survey_release(struct survey *survey)
{
    buf_free(&survey->ssl);
    buf_free(&survey->gss);
    buf_free(&survey->plain);
    buf_free(&survey->replication);
    buf_free(&survey->newest);
    buf_free(&survey->old);
}

/* Fields of fixed size: manual of PostgreSQL 13, "StartupMessage" of protocol 2 (pqcomm.h). */
static void put_old(const char *role, const char *database, struct buf *out)
{
    enum { WHOLE = 296, DATABASE = 64, USER = 32 };
    char bytes[WHOLE] = { 0, 0, WHOLE >> 8, WHOLE & 0xff, 0, 2 };

    memcpy(bytes + 8, database, strnlen(database, DATABASE - 1));
    memcpy(bytes + 8 + DATABASE, role, strnlen(role, USER - 1));
    buf_put(out, bytes, sizeof(bytes));
}

/* One name for all servers of a run: a role that is not there has one salt in one cluster (scram_mock_salt). */
static char nobody[48];

static void name_nobody(void)
{
    unsigned char random[8] = { 0 };
    char hex[HEX_SIZE(sizeof(random))];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        random[0] = 1;          /* nobody needs it to be secret */
    hex_of(random, sizeof(random), hex);
    snprintf(nobody, sizeof(nobody), "pgseal_%s", hex);
}

static void prepare(struct survey *survey)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct survey_plan *plan = survey->plan;

    pthread_once(&once, name_nobody);
    const char *role = plan->role ? plan->role : nobody;
    const char *database = plan->database ? plan->database : "postgres";
    const char *const pairs[] = { "user", role, "database", database, NULL };
    const char *const walsender[] = { "user", role, "replication", "true", NULL };
    survey->ssl = survey->gss = survey->plain = survey->replication = BUF(WIRE_STARTUP_MAX);
    survey->newest = survey->old = BUF(WIRE_STARTUP_MAX);
    wire_put_ssl_request(&survey->ssl);
    wire_put_gssenc_request(&survey->gss);
    wire_put_startup(&survey->plain, WIRE_PROTOCOL_3_0, pairs);
    wire_put_startup(&survey->replication, WIRE_PROTOCOL_3_0, walsender);
    wire_put_startup(&survey->newest, WIRE_PROTOCOL_3_2, pairs);
    put_old(role, database, &survey->old);
}

static int64_t cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Its first byte could have been PostgreSQL's, and nothing after it was. */
static bool is_stranger(const struct seen *seen)
{
    return seen->letter != 'S' && !startup_is_answered(&seen->plain)
        && !startup_is_answered(&seen->plain_replication) && !startup_is_answered(&seen->negotiation)
        && seen->gss != FACT_YES;
}

static void note_major(struct seen *seen)
{
    struct major_range range;

    if (!major_of(seen, &range))
        return;
    seen->major_from = range.from;
    seen->major_to = range.to == MAJOR_LAST ? 0 : range.to;
}

/* Which kinds of suites there are may say that nothing old is left to be asked for; seldom they come behind it. */
static void ask_versions_and_kinds(struct survey *survey)
{
    survey_new_versions(survey);
    if (survey->plan->all_ciphers)
        survey_all_new(survey);
    const bool below = survey_speaks_before(survey->seen, TLS_1_3);
    if (below)
        survey_kinds(survey);
    survey_old_versions(survey);
    if (!below && survey_speaks_before(survey->seen, TLS_1_3))
        survey_kinds(survey);
}

/* What was passed over is asked after all, if by now somebody else may end TLS. */
static void ask_what_is_left(struct survey *survey)
{
    struct seen *seen = survey->seen;

    /* who has the same certificate, and still is not PostgreSQL */
    if (seen->resumes && seen->bound == FACT_YES)
        seen->bound = FACT_UNKNOWN;
    survey_direct(survey);
    if (survey_has_no_direct_tls(seen))
        seen->direct_tls = FACT_NO;
    survey_stuffing(survey);
    if (survey_forgets_what_comes_early(seen))
        seen->stuffing_used = FACT_NO;
}

static void ask_about_tls(struct survey *survey)
{
    struct seen *seen = survey->seen;

    survey_demand(survey);
    survey_stuffing(survey);
    note_major(seen);
    ask_versions_and_kinds(survey);
    if (survey->plan->all_ciphers)
        survey_all_old(survey);
    ask_what_is_left(survey);
}

struct seen *survey_run(const struct survey_plan *plan, const char *host, int port)
{
    struct seen *seen = ps_calloc(1, sizeof(*seen));
    PS_AUTO(survey_release) struct survey survey = {
        .plan = plan, .seen = seen, .sni = name_is_address(host) ? NULL : host,
        .target = { .connect_ms = plan->connect_ms, .answer_ms = plan->answer_ms,
                    .at_once = plan->at_once, .retries = plan->retries,
                    .connections_max = plan->connections_max, .gate = plan->gate,
                    .gate_arg = plan->gate_arg },
    };
    int64_t began = clock_mono_us(), cpu = cpu_us();

    seen->arena = arena_new();
    seen->host = arena_strdup(seen->arena, host);
    seen->port = port;
    prepare(&survey);
    if (survey_reach(&survey) && !plan->certificate_only) {
        seen->kind = peers_kind(seen);
        note_major(seen);           /* some questions are answered by it */
        survey_plain(&survey);
        if (is_stranger(seen))
            survey_unreached(seen, REACH_NOT_POSTGRES, _("the answer is not PostgreSQL's"));
        note_major(seen);
        if (seen->reach == REACH_YES)
            survey_direct(&survey);
        if (seen->letter == 'S')
            ask_about_tls(&survey);
        survey_replication_again(&survey);
        seen->kind = peers_kind(seen);
        note_major(seen);
    }
    seen->hosted_by = peers_provider(&seen->chain);
    seen->connections = survey.target.connections;
    seen->took_us = clock_mono_us() - began;
    seen->cpu_us = cpu_us() - cpu;
    return seen;
}
