/*
 * ledger.c - how fast the ledger is, apart from making keys and certificates.
 *
 *   ledger_bench WHERE [CERTIFICATES]       a new ledger there; default 100,000
 *
 * Beside it, the ceiling of the same minute: bytes of the same length, appended and synced in groups.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

enum { GROUP = 1024, DER_BYTES = 620, ONE_BY_ONE = 200, DAY = 24 * 60 * 60 };

static struct store_cert certs[GROUP];
static char serials[GROUP][33], fingerprints[GROUP][65], names[GROUP][24];
static unsigned char der[GROUP][DER_BYTES];

static void must(bool done, const struct ps_err *err)
{
    if (done)
        return;
    fprintf(stderr, "%s | %s\n", err->message, err->detail);
    exit(1);
}

static void hex(const unsigned char *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* New random serials and hashes, the part of a certificate that an index feels. */
static void fill(long from, size_t len)
{
    const time_t now = clock_now();

    for (size_t i = 0; i < len; i++) {
        unsigned char random[48];

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
            exit(1);
        random[0] = (unsigned char)(0x40 | (random[0] & 0x3f));
        hex(random, 16, serials[i]);
        hex(random + 16, 32, fingerprints[i]);
        memcpy(der[i], random, sizeof(random));
        snprintf(names[i], sizeof(names[i]), "role_%ld", from + (long)i);
        certs[i] = (struct store_cert){
            .serial_hex = serials[i], .issuer = "CN=pgseal client CA 1a2b3c4d,O=Example",
            .subject = names[i], .kind = "client", .fingerprint = fingerprints[i],
            .not_before = now, .not_after = now + DAY + (from + (long)i) % (365 * DAY),
            .der = der[i], .der_len = DER_BYTES, .common_name = names[i],
        };
    }
}

static void say(const char *what, double value, const char *unit)
{
    printf("%-44s %12.1f %s\n", what, value, unit);
}

static double seconds_since(int64_t start)
{
    return (double)(clock_mono_us() - start) / 1e6;
}

static void put_all(struct store *store, long total)
{
    struct ps_err err = { 0 };
    int64_t busy = 0, last = 0;

    for (long done = 0; done < total; done += GROUP) {
        size_t len = total - done < GROUP ? (size_t)(total - done) : GROUP;

        fill(done, len);
        int64_t start = clock_mono_us();
        must(store_put_certs(store, certs, len, &err), &err);
        last = clock_mono_us() - start;
        busy += last;
    }
    say("put, 1,024 in a commit", (double)total / ((double)busy / 1e6), "certificates/s");

    int64_t start = clock_mono_us();
    for (int i = 0; i < ONE_BY_ONE; i++) {
        fill(total + i, 1);
        must(store_put_cert(store, certs, &err), &err);
    }
    say("put, one by one", ONE_BY_ONE / seconds_since(start), "certificates/s");
}

/* What the disk takes when nothing is kept in order. */
static void ceiling(const char *where)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s.ceiling", store_is_remote(where) ? "bench" : where);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    enum { GROUPS = 50 };

    if (fd < 0)
        return;
    int64_t start = clock_mono_us();
    for (int i = 0; i < GROUPS; i++)
        if (write(fd, der, sizeof(der)) != sizeof(der) || fdatasync(fd) != 0)
            exit(1);
    say("bytes appended and synced, as many", GROUPS * GROUP / seconds_since(start),
        "certificates/s");
    close(fd);
    unlink(path);
}

static bool count_entry(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    (void)entry;
    (void)err;
    ++*(long *)arg;
    return true;
}

static bool count_revoked(void *arg, const struct store_revoked *entry, struct ps_err *err)
{
    (void)err;
    *(long *)arg += (long)entry->serial_len;
    return true;
}

static bool count_act(void *arg, const struct store_act *act, struct ps_err *err)
{
    (void)act;
    (void)err;
    ++*(long *)arg;
    return true;
}

static void ask(struct store *store, const char *what, const struct store_filter *filter)
{
    struct ps_err err = { 0 };
    double best = 1e9;

    for (int round = 0; round < 3; round++) {
        long rows = 0;
        int64_t start = clock_mono_us();

        must(store_list(store, filter, count_entry, &rows, &err), &err);
        if (seconds_since(start) < best)
            best = seconds_since(start);
    }
    say(what, best * 1e3, "ms");
}

static void ask_all(struct store *store)
{
    ask(store, "the first 50 that expire",
        &(struct store_filter){ .state = STORE_VALID, .sort = STORE_BY_END, .limit = 50 });
    ask(store, "all that expire within 30 days",
        &(struct store_filter){ .state = STORE_VALID, .sort = STORE_BY_END, .within_days = 30 });
    ask(store, "one serial", &(struct store_filter){ .serial_hex = serials[0] });
    ask(store, "one fingerprint", &(struct store_filter){ .fingerprint = fingerprints[0] });
    ask(store, "one role", &(struct store_filter){ .common_name = "role_77" });
    ask(store, "one host", &(struct store_filter){ .host = "db1.example.net" });
}

static void revoke_all(struct store *store)
{
    struct ps_err err = { 0 };
    int64_t revoked = 0, start = clock_mono_us();
    long bytes = 0;

    must(store_revoke_all(store, &(struct store_filter){ .kind = "client" }, clock_now(), 1,
                          &revoked, &err), &err);
    say("revoke all of them", (double)revoked / seconds_since(start), "certificates/s");
    start = clock_mono_us();
    must(store_each_revoked(store, certs[0].issuer, 0, count_revoked, &bytes, &err), &err);
    say("stream of the revoked, in order", seconds_since(start), "s");
    ask(store, "the first 50 that expire, all revoked but few",
        &(struct store_filter){ .state = STORE_REVOKED, .sort = STORE_BY_END, .limit = 50 });
}

static void verify(struct store *store)
{
    struct store_verdict verdict;
    struct ps_err err = { 0 };
    long acts = 0;
    int64_t start = clock_mono_us();

    must(store_verify(store, &verdict, &err), &err);
    must(store_each_act(store, 0, count_act, &acts, &err), &err);
    say(verdict.sound ? "verify all (sound)" : "verify all (NOT SOUND)", seconds_since(start), "s");
}

int main(int argc, char **argv)
{
    struct store *store = NULL;
    struct ps_err err = { 0 };

    if (argc < 2)
        return 2;
    must(store_open(argv[1], &store, &err), &err);
    put_all(store, argc > 2 ? strtol(argv[2], NULL, 10) : 100000);
    ceiling(argv[1]);
    ask_all(store);
    verify(store);
    revoke_all(store);
    store_free(store);

    int64_t start = clock_mono_us();
    must(store_open(argv[1], &store, &err), &err);
    say("open", seconds_since(start) * 1e3, "ms");
    store_free(store);
    return 0;
}
