/*
 * ca_steps.c - what the tests of crashes do with a CA, one step a line on standard output.
 *
 *   ca_steps create DIR     make it
 *   ca_steps cycle DIR      issue a certificate, revoke it, renew the CRLs
 *   ca_steps adopt DIR      say that its ledger belongs where it is now, and renew the CRLs
 *   ca_steps roll DIR       a new client CA at once, then a new root and a server CA under it
 *   ca_steps check DIR      "absent", or "whole" once it opens, issues, and both sides get their files
 *
 * A line is written when the step is done and not before: the ledger must know it then.
 */
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/store.h"

static void say(const char *what, const struct ca_leaf *leaf)
{
    const char *serial = leaf ? cert_info(leaf->chain.at[0])->serial_hex : "";

    dprintf(STDOUT_FILENO, "%s %s\n", what, serial);
}

static bool create(const char *dir, struct ps_err *err)
{
    const struct ca_spec spec = { .key_type = KEY_EC_P256 };
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!ca_create(dir, &spec, &ca, err))
        return false;
    say("created", NULL);
    return true;
}

static bool issue(struct ca *ca, struct ca_leaf *out, struct ps_err *err)
{
    const struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = "app" };

    return ca_issue(ca, &spec, out, err);
}

static bool cycle(const char *dir, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!ca_open(dir, NULL, NULL, &ca, err) || !issue(ca, &leaf, err))
        return false;
    say("issued", &leaf);
    if (!ca_revoke(ca, leaf.chain.at[0], 1, err))
        return false;
    say("revoked", &leaf);
    if (!ca_refresh_crls(ca, false, err))
        return false;
    say("published", &leaf);
    return true;
}

static bool adopt(const char *dir, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, "ledger.db");
    PS_AUTO(store_freep) struct store *store = NULL;
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!store_open(path, &store, err) || !store_adopt(store, err))
        return false;
    store_freep(&store);
    return ca_open(dir, NULL, NULL, &ca, err) && ca_refresh_crls(ca, false, err);
}

static bool roll_one(struct ca *ca, enum ca_who who, struct ps_err *err)
{
    const struct ca_rollover_spec spec = { .who = who, .at_once = true };
    PS_AUTO(ps_freep) char *name = NULL;

    if (!ca_rollover(ca, &spec, &name, err))
        return false;
    dprintf(STDOUT_FILENO, "rolled %s\n", name);
    return true;
}

static bool roll(const char *dir, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    return ca_open(dir, NULL, NULL, &ca, err) && roll_one(ca, CA_CLIENT, err)
        && roll_one(ca, CA_ROOT, err) && roll_one(ca, CA_SERVER, err);
}

static bool check(const char *dir, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    if (!ca_exists(dir)) {
        say("absent", NULL);
        return true;
    }
    if (!ca_open(dir, NULL, NULL, &ca, err) || !issue(ca, &leaf, err)
        || !ca_crl_pem(ca, CERT_USE_SERVER, &pem, err)
        || !ca_crl_pem(ca, CERT_USE_CLIENT, &pem, err)
        || !ca_trust_pem(ca, CERT_USE_SERVER, &pem, err)
        || !ca_trust_pem(ca, CERT_USE_CLIENT, &pem, err)
        || !ca_refresh_crls(ca, true, err))
        return false;
    say("whole", NULL);
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(const char *dir, struct ps_err *err);
    } steps[] = { { "create", create }, { "cycle", cycle }, { "adopt", adopt }, { "roll", roll },
                { "check", check } };
    struct ps_err err = { 0 };

    tls_start();
    for (size_t i = 0; argc == 3 && i < PS_COUNT(steps); i++) {
        if (strcmp(argv[1], steps[i].name) != 0)
            continue;
        if (steps[i].run(argv[2], &err))
            return PS_EXIT_OK;
        fprintf(stderr, "%s | %s\n", err.message, err.detail);
        return ps_code_exit(err.code);
    }
    return PS_EXIT_USAGE;
}
