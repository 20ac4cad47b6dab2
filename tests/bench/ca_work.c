/*
 * ca_work.c - what the bench of the CA needs beside pgseal: ceilings, and a million revocations.
 *
 *   ca_work ceiling ec|rsa SECONDS         keys made and signatures given (rsa: keys), all processors
 *   ca_work revoke DIR                     every client certificate of the CA in DIR
 *
 *   ca_work verify DIR                     every chain, and the ledger
 *
 * The first prints how many in a second, the others how many.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "ca/ca.h"
#include "store/store.h"
#include "tls/verify.h"

static int fail(const struct ps_err *err)
{
    fprintf(stderr, "ca_work: %s | %s | %s\n", err->message, err->detail, err->hint);
    return 1;
}

/* ---- ceilings ---- */

struct miner {
    pthread_t thread;
    bool rsa;
    EVP_PKEY *issuer;
    int64_t until_ms;
    size_t done;
};

static bool sign_once(EVP_PKEY *issuer)
{
    static const unsigned char body[500];       /* as long as what is signed of a certificate */
    unsigned char signature[512];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, issuer)
             && EVP_DigestSign(ctx, signature, &len, body, sizeof(body));

    EVP_MD_CTX_free(ctx);
    return done;
}

static void *mine(void *arg)
{
    struct miner *miner = arg;

    while (clock_mono_ms() < miner->until_ms) {
        EVP_PKEY *key = miner->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

        if (!key || (!miner->rsa && !sign_once(miner->issuer)))
            abort();
        EVP_PKEY_free(key);
        miner->done++;
    }
    return NULL;
}

static int ceiling(bool rsa, long seconds)
{
    cpu_set_t set;
    size_t len = sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    struct miner *miners = ps_calloc(len, sizeof(*miners));
    EVP_PKEY *issuer = EVP_EC_gen("P-256");
    int64_t begin_ms = clock_mono_ms();
    size_t done = 0;

    for (size_t i = 0; i < len; i++) {
        miners[i] = (struct miner){ .rsa = rsa, .issuer = issuer,
                                    .until_ms = begin_ms + seconds * 1000 };
        if (pthread_create(&miners[i].thread, NULL, mine, &miners[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < len; i++) {
        pthread_join(miners[i].thread, NULL);
        done += miners[i].done;
    }
    printf("%.1f\n", (double)done * 1000 / (double)(clock_mono_ms() - begin_ms));
    EVP_PKEY_free(issuer);
    free(miners);
    return 0;
}

/* ---- revocations ---- */

/* All clients, as if their intermediate had been lost; how many. */
static int revoke(const char *dir)
{
    const struct store_filter clients = { .kind = "client" };
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct ps_err err = { 0 };
    int64_t count = 0;

    if (!ca_open(dir, NULL, NULL, &ca, &err)
        || !store_revoke_all(ca_store(ca), &clients, clock_now(), 0, &count, &err))
        return fail(&err);
    printf("%lld\n", (long long)count);
    return 0;
}

/* ---- a look at all of them ---- */

struct look {
    const struct ca *ca;
    struct cert_list anchors;
    size_t verified;
};

static bool look_at(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    struct look *look = arg;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

    if (!cert_from_der(entry->cert.der, entry->cert.der_len, &cert, err))
        return false;
    cert_list_add(&chain, cert);
    if (!ca_chain_of(look->ca, cert, &chain, err)
        || !verify_chain(&chain, &look->anchors, NULL, CERT_USE_CLIENT, 0, err))
        return false;
    look->verified++;
    return true;
}

/* No serial is there twice: the ledger would not have it, and is verified as well. */
static int verify(const char *dir)
{
    const struct store_filter clients = { .kind = "client", .with_der = true };
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(buf_free) struct buf roots = BUF(BUF_TEXT_MAX);
    struct store_verdict verdict;
    struct look look = { 0 };
    struct ps_err err = { 0 };

    if (!ca_open(dir, NULL, NULL, &ca, &err) || !ca_trust_pem(ca, CERT_USE_CLIENT, &roots, &err)
        || !cert_list_from_pem(roots.p, roots.len, dir, &look.anchors, &err))
        return fail(&err);
    look.ca = ca;
    if (!store_list(ca_store(ca), &clients, look_at, &look, &err)
        || !store_verify(ca_store(ca), &verdict, &err))
        return fail(&err);
    printf("%zu\n", look.verified);
    cert_list_free(&look.anchors);
    return verdict.sound ? 0 : 1;
}

int main(int argc, char **argv)
{
    long seconds = 2;

    tls_start();
    if (argc == 4 && strcmp(argv[1], "ceiling") == 0 && num_parse(argv[3], 1, 600, &seconds))
        return ceiling(strcmp(argv[2], "rsa") == 0, seconds);
    if (argc == 3 && strcmp(argv[1], "revoke") == 0)
        return revoke(argv[2]);
    if (argc == 3 && strcmp(argv[1], "verify") == 0)
        return verify(argv[2]);
    fprintf(stderr, "ca_work: see its head for how to use it\n");
    return 2;
}
