/* A private folder with a CA in it, for the tests of ca/. */
#ifndef TEST_CA_PLACE_H
#define TEST_CA_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "tls/verify.h"

struct place {
    char *top, *dir;        /* a private folder; the CA in it */
    struct ca *ca;
};

static const struct ca_spec plain = { .key_type = KEY_EC_P256, .dn = { .c = "ES", .o = "Café" } };

static inline void check(bool done, const struct ps_err *err)
{
    if (!done)
        fail_msg("%s | %s | %s", err->message, err->detail, err->hint);
}

static inline int make_place(void **state)
{
    struct place *place = ps_calloc(1, sizeof(*place));
    struct ps_err err = { 0 };

    if (!dir_temp(&place->top, &err))
        return -1;
    place->dir = path_join(place->top, "ca");
    *state = place;
    return 0;
}

static inline int make_ca(void **state)
{
    struct ps_err err = { 0 };

    if (make_place(state) != 0)
        return -1;
    struct place *place = *state;
    return ca_create(place->dir, &plain, &place->ca, &err) ? 0 : -1;
}

static inline int drop_place(void **state)
{
    struct place *place = *state;

    ca_freep(&place->ca);
    dir_remove_all(place->top);
    free(place->top);
    free(place->dir);
    free(place);
    return 0;
}

static inline struct ca_leaf issue_client(struct ca *ca, const char *role)
{
    struct ca_leaf_spec spec = { .use = CERT_USE_CLIENT, .common_name = role };
    struct ca_leaf leaf = { 0 };
    struct ps_err err = { 0 };

    check(ca_issue(ca, &spec, &leaf, &err), &err);
    return leaf;
}

/* What the side that checks would say: it has only what ca_trust_pem and ca_crl_pem gave it. */
static inline bool accepted(struct ca *ca, const struct cert_list *chain, enum cert_use use,
                            struct ps_err *err)
{
    enum cert_use side = use == CERT_USE_CLIENT ? CERT_USE_SERVER : CERT_USE_CLIENT;
    PS_AUTO(buf_free) struct buf trust = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf lists = BUF(1 << 20);
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    struct ps_err own = { 0 };

    check(ca_trust_pem(ca, side, &trust, &own), &own);
    check(ca_crl_pem(ca, side, &lists, &own), &own);
    check(cert_list_from_pem(trust.p, trust.len, "trust", &anchors, &own), &own);
    check(crl_list_from_pem(lists.p, lists.len, "crls", &crls, &own), &own);
    return verify_chain(chain, &anchors, &crls, use, 0, err);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)
#define IN_CA(test) cmocka_unit_test_setup_teardown(test, make_ca, drop_place)

#endif
