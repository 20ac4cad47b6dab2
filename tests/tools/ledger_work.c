/*
 * ledger_work.c - works with a ledger until it is killed, and says what the ledger said it had done.
 *
 *   ledger_work WHERE work [ROUNDS]     issue one, issue many, revoke, number a CRL, publish it;
 *                                       SIGTERM ends it after the round that it is at
 *   ledger_work WHERE check             hold what work said (on standard input) against the ledger
 *
 * A line is written when the ledger has returned, and not before; so nothing that stands there may
 * ever be missing.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/store.h"

#define ISSUER "CN=ledger_work"

enum { MANY = 20, SERIAL_HEX = 33, LINE_MAX_BYTES = 128, DAY = 24 * 60 * 60 };

/* ---- work ---- */

static struct store_cert cert_of(char serial[SERIAL_HEX])
{
    unsigned char random[16];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort();
    random[0] = 0x40;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(serial + 2 * i, 3, "%02x", random[i]);
    return (struct store_cert){
        .serial_hex = serial, .issuer = ISSUER, .subject = "CN=app", .kind = "client",
        .fingerprint = serial, .not_before = clock_now(), .not_after = clock_now() + DAY,
        .der = serial, .der_len = SERIAL_HEX, .common_name = "app",
    };
}

static bool issue_one(struct store *store, char serial[SERIAL_HEX], struct ps_err *err)
{
    const struct store_cert cert = cert_of(serial);

    if (!store_put_cert(store, &cert, err))
        return false;
    dprintf(STDOUT_FILENO, "issued %s\n", serial);
    return true;
}

static bool issue_many(struct store *store, struct ps_err *err)
{
    char serials[MANY][SERIAL_HEX];
    struct store_cert certs[MANY];

    for (int i = 0; i < MANY; i++)
        certs[i] = cert_of(serials[i]);
    if (!store_put_certs(store, certs, MANY, err))
        return false;
    dprintf(STDOUT_FILENO, "issued %s\nissued %s\n", serials[0], serials[MANY - 1]);
    return true;
}

static bool publish(struct store *store, struct ps_err *err)
{
    struct store_crl crl = { .issuer = ISSUER, .this_update = clock_now(),
                             .next_update = clock_now() + DAY, .digest = "00" };

    /* one group: another process may publish the next number before this one */
    if (!store_begin(store, err)
        || !store_next_crl_number(store, ISSUER, 0, &crl.number, err)
        || !store_put_crl(store, &crl, err) || !store_commit(store, err))
        return false;
    dprintf(STDOUT_FILENO, "number %" PRId64 "\n", crl.number);
    return true;
}

static volatile sig_atomic_t enough;

static void end_soon(int signal)
{
    (void)signal;
    enough = 1;
}

static bool work(struct store *store, long rounds, struct ps_err *err)
{
    for (long i = 0; !enough && (rounds == 0 || i < rounds); i++) {
        char serial[SERIAL_HEX];

        if (!issue_one(store, serial, err) || !issue_many(store, err)
            || !store_revoke(store, ISSUER, serial, clock_now(), 1, err))
            return false;
        dprintf(STDOUT_FILENO, "revoked %s\n", serial);
        if (!publish(store, err))
            return false;
    }
    return true;
}

/* ---- check ---- */

static bool expect(struct store *store, const char *what, const struct store_filter *filter,
                   struct ps_err *err)
{
    int64_t found = 0;

    if (!store_count(store, filter, &found, err))
        return false;
    return found == 1 || ps_fail(err, PS_E_VALUE, "%s %s: %d times", what, filter->serial_hex,
                                 (int)found);
}

static bool check_line(struct store *store, const char *word, const char *value, int64_t *number,
                       struct ps_err *err)
{
    const struct store_filter filter = {
        .serial_hex = value, .issuer = ISSUER,
        .state = strcmp(word, "revoked") == 0 ? STORE_REVOKED : STORE_ANY,
    };

    if (strcmp(word, "number") != 0)
        return expect(store, word, &filter, err);

    int64_t said = strtoll(value, NULL, 10);
    *number = said > *number ? said : *number;
    return true;
}

static bool check_lines(struct store *store, int64_t *number, struct ps_err *err)
{
    char line[LINE_MAX_BYTES];

    while (fgets(line, sizeof(line), stdin)) {
        char *value = strchr(line, ' ');

        if (!value || !strchr(line, '\n'))
            continue;           /* killed in the middle of a line */
        *value++ = '\0';
        value[strcspn(value, "\n")] = '\0';
        if (!check_line(store, line, value, number, err))
            return false;
    }
    return true;
}

static bool check(struct store *store, long rounds, struct ps_err *err)
{
    struct store_verdict verdict;
    int64_t said = 0, next = 0, certs = 0;

    (void)rounds;
    if (!check_lines(store, &said, err) || !store_verify(store, &verdict, err)
        || !store_next_crl_number(store, ISSUER, 0, &next, err)
        || !store_count(store, &(struct store_filter){ 0 }, &certs, err))
        return false;
    if (!verdict.sound)
        return ps_fail(err, PS_E_VALUE, "act %" PRId64 ": %s", verdict.bad_act, verdict.what);
    if (next <= said)
        return ps_fail(err, PS_E_VALUE, "CRL number %" PRId64 " after %" PRId64, next, said);
    printf("%" PRId64 " certificates, %" PRId64 " acts\n", certs, verdict.acts);
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(struct store *store, long rounds, struct ps_err *err);
    } jobs[] = { { "work", work }, { "check", check } };
    const struct sigaction soon = { .sa_handler = end_soon, .sa_flags = SA_RESTART };
    PS_AUTO(store_freep) struct store *store = NULL;
    struct ps_err err = { 0 };

    sigaction(SIGTERM, &soon, NULL);    /* before anybody can see that we are at work */
    for (size_t i = 0; argc >= 3 && i < PS_COUNT(jobs); i++) {
        if (strcmp(argv[2], jobs[i].name) != 0)
            continue;
        if (store_open(argv[1], &store, &err)
            && jobs[i].run(store, argc > 3 ? strtol(argv[3], NULL, 10) : 0, &err))
            return PS_EXIT_OK;
        fprintf(stderr, "%s | %s\n", err.message, err.detail);
        return ps_code_exit(err.code);
    }
    return PS_EXIT_USAGE;
}
