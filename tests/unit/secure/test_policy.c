/*
 * test_policy.c - policies never widen access; see secure/policy.h.
 *
 * The named cases are rows.  Behind them stands a checker: for random rules and policies the same
 * questions are asked before and after, and what policy.h promises is compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "../pg/hba_memory.h"
#include "base/mem.h"
#include "secure/policy.h"

static const char *const app_roles[] = { "app", "staff", NULL };
static const char *const bob_roles[] = { "bob", NULL };
static const char *const slash_roles[] = { "/odd", NULL };
static const struct { const char *name; const char *const *roles; } people[] = {
    { "app", app_roles }, { "bob", bob_roles }, { "/odd", slash_roles },
};

/* "encrypt app=cert" into a set. */
static void read_policies(const char *words, struct policy_set *set)
{
    PS_AUTO(ps_freep) char *copy = ps_strdup(words);
    struct ps_err err = { 0 };
    char *rest = copy, *word;

    while ((word = strsep(&rest, " ")))
        assert_true(!*word || policy_add(set, word, &err));
    for (size_t r = 0; r < set->len; r++)
        for (size_t p = 0; p < PS_COUNT(people); p++)
            if (strcmp(set->roles[r].role, people[p].name) == 0)
                set->roles[r].member_of = people[p].roles;
}

/* The file as the policies leave it. */
static void edited(const struct policy_set *set, const char *rules, unsigned major, struct buf *out)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba(rules, major);
    struct ps_err err = { 0 };

    assert_int_equal(hba_problems(hba), 0);
    if (!policy_apply(set, hba, &err))
        fail_msg("%s\n%s", err.message, rules);
    hba_file_text(hba, 0, out);
}

/* ---- named cases ---- */

static const struct {
    const char *name, *policies, *was, *now;
} cases[] = {
    { "all of them are encrypted, rejections and local rules stay", "encrypt",
      "local all all peer\nhost all bad all reject\nhost all all all md5\n",
      "local all all peer\nhost all bad all reject\nhostssl all all all md5\n" },
    { "what was for plaintext alone does not become a way in under TLS", "encrypt",
      "hostnossl all all all trust\nhostssl all all all cert\n",
      "hostnossl all all all reject\nhostssl all all all cert\n" },
    { "a rule for GSS that stood in the shadow stays there", "encrypt",
      "host all all all md5\nhostgssenc all all all trust\n",
      "hostgssenc all all all reject\nhostssl all all all md5\nhostgssenc all all all trust\n" },
    { "a role's own rule does not let GSS through to another either", "app=encrypt",
      "host all app all md5\nhostgssenc all all all trust\n",
      "hostgssenc all app all reject\nhostssl all app all md5\nhostgssenc all all all trust\n" },
    { "a role under cert does not come in by GSS", "encrypt app=cert",
      "hostgssenc all all all gss\nhostssl all all all md5\n",
      "hostnossl  all app all reject\nhostgssenc all all all gss\n"
      "hostssl all app all cert\nhostssl all all all md5\n" },
    { "a role's copy keeps the method that it had", "cert app=encrypt", "host all all all md5\n",
      "hostssl all app all md5\nhostssl all all all cert\n" },
    { "what the role's own rule takes already is not said again", "app=cert",
      "host all app all md5\nhost all all all md5\n",
      "hostssl all app all cert\nhostnossl all app all reject\nhost all all all md5\n" },
    { "a name that must be written as an expression", "/odd=cert", "hostssl all all all md5\n",
      "hostssl all \"/^/odd$\" all cert\nhostssl all all all md5\n" },
};

static void policies_edit_as_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(policy_set_free) struct policy_set set = { 0 };
        PS_AUTO(buf_free) struct buf now = BUF(BUF_TEXT_MAX), again = BUF(BUF_TEXT_MAX);

        read_policies(cases[i].policies, &set);
        edited(&set, cases[i].was, 17, &now);
        if (strcmp(buf_text(&now), cases[i].now) != 0)
            fail_msg("%s:\n%s", cases[i].name, buf_text(&now));
        edited(&set, buf_text(&now), 17, &again);
        assert_string_equal(buf_text(&again), cases[i].now);
    }
}

/* ---- random ones ---- */

static uint32_t seed;

static size_t pick(size_t count)
{
    seed = seed * 1664525u + 1013904223u;       /* Numerical Recipes; the same cases every time */
    return (size_t)(seed >> 8) % count;
}

#define PICK(list) ((list)[pick(PS_COUNT(list))])

static const char *const types[] = { "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc",
                                     "local", "host" };
static const char *const databases[] = { "all", "shop", "shop,app", "sameuser", "samerole",
                                         "replication", "\"all\"" };
static const char *const users[] = { "all", "app", "bob", "+staff", "app,bob", "\"app\"",
                                     "\"/^(app|/odd)$\"", "\"all\"" };
static const char *const addresses[] = { "all", "10.0.0.0/8", "10.1.0.0/16",
                                         "10.0.0.0 255.0.0.0", "::/0" };
static const char *const methods[] = { "trust", "reject", "scram-sha-256", "md5", "ldap x" };
static const char *const tls_methods[] = { "cert", "md5 clientcert=verify-ca",
                                           "scram-sha-256 clientcert=verify-full", "cert map=m" };
static const char *const words[] = { "encrypt", "verify-ca", "verify-full", "cert" };

static void random_rule(struct buf *out)
{
    const char *type = PICK(types);
    bool local = strcmp(type, "local") == 0;
    const char *method = strcmp(type, "hostssl") == 0 && pick(2) ? PICK(tls_methods) : PICK(methods);

    buf_printf(out, "%s %s %s %s ", type, PICK(databases), PICK(users), local ? "" : PICK(addresses));
    if (strcmp(method, "ldap x") == 0)
        method = "ldap ldapserver=l \"ldapprefix=a b\"";
    buf_printf(out, "%s\n", method);
}

static void random_policies(struct buf *out)
{
    if (pick(3))
        buf_puts(out, PICK(words));
    for (size_t p = 0; p < PS_COUNT(people); p++)
        if (pick(2))
            buf_printf(out, " %s=%s", people[p].name, PICK(words));
}

static enum policy policy_of(const struct policy_set *set, const char *role)
{
    for (size_t i = 0; i < set->len; i++)
        if (strcmp(set->roles[i].role, role) == 0)
            return set->roles[i].policy;
    return set->all;
}

/* How somebody who asks gets in: the method's name and what is demanded of his certificate. */
struct answer {
    const char *method;     /* NULL: he does not */
    enum hba_clientcert cert;
};

static struct answer answer_of(const struct hba *hba, const struct hba_question *question)
{
    bool sure;
    const struct hba_rule *rule = hba_ask(hba, question, &sure);

    assert_true(sure);
    if (!rule || strcmp(rule->method, "reject") == 0)
        return (struct answer){ 0 };
    if (strcmp(rule->method, "cert") == 0)
        return (struct answer){ rule->method, HBA_CERT_FULL };
    return (struct answer){ rule->method, hba_clientcert(hba, rule) };
}

/* NULL: the promises hold for this question. */
static const char *broken_promise(const struct hba_question *question, enum policy policy,
                                  struct answer was, struct answer now)
{
    static const enum hba_clientcert demands[] = {
        [POLICY_VERIFY_CA] = HBA_CERT_CA, [POLICY_VERIFY_FULL] = HBA_CERT_FULL,
        [POLICY_CERT] = HBA_CERT_FULL,
    };
    bool same = was.method == now.method
        || (was.method && now.method && strcmp(was.method, now.method) == 0);

    if (question->local || policy == POLICY_NONE)
        return same && was.cert == now.cert ? NULL : "what no policy is about has changed";
    if (!now.method)
        return question->tls && was.method ? "a way in under TLS was lost" : NULL;
    if (!was.method)
        return "somebody gets in where he could not before";
    if (!question->tls && !question->gss)
        return "plaintext gets in";
    if (question->gss)
        return policy > POLICY_ENCRYPT ? "no certificate is asked for under GSS"
                                       : same ? NULL : "another way in under GSS";
    if (now.cert < was.cert)
        return "less is demanded of the certificate";
    if (policy > POLICY_ENCRYPT && now.cert < demands[policy])
        return "not enough is demanded of the certificate";
    if (strcmp(now.method, "cert") != 0 && !same)
        return "another method under TLS";
    return NULL;
}

static void compare(const struct policy_set *set, const char *was_text, const char *now_text,
                    unsigned major)
{
    static const char *const from[] = { "10.1.2.3", "10.9.9.9", "192.0.2.1" };
    static const char *const to[] = { "shop", "app", "all" };
    PS_AUTO(hba_freep) struct hba *was = memory_hba(was_text, major);
    PS_AUTO(hba_freep) struct hba *now = memory_hba(now_text, major);

    for (size_t n = 0; n < PS_COUNT(people) * PS_COUNT(from) * PS_COUNT(to) * 8; n++) {
        size_t rest = n / 8, way = n % 4;
        const char *user = people[rest % PS_COUNT(people)].name;
        struct hba_question question = {
            .local = way == 0, .tls = way == 1, .gss = way == 2, .replication = n % 8 >= 4,
            .user = user, .roles = people[rest % PS_COUNT(people)].roles,
            .database = to[rest / PS_COUNT(people) % PS_COUNT(to)],
        };
        struct sockaddr_in *address = (struct sockaddr_in *)&question.addr;

        address->sin_family = AF_INET;
        inet_pton(AF_INET, from[rest / PS_COUNT(people) / PS_COUNT(to)], &address->sin_addr);
        const char *broken = broken_promise(&question, policy_of(set, user),
                                            answer_of(was, &question), answer_of(now, &question));
        if (broken)
            fail_msg("%s: %s to %s, way %zu\nfrom\n%sto\n%s", broken, user, question.database, way,
                     was_text, now_text);
    }
}

static void policies_never_widen_access(void **state)
{
    enum { CASES = 4000 };

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        PS_AUTO(policy_set_free) struct policy_set set = { 0 };
        PS_AUTO(buf_free) struct buf was = BUF(BUF_TEXT_MAX), policies = BUF(1000);
        PS_AUTO(buf_free) struct buf now = BUF(BUF_TEXT_MAX), again = BUF(BUF_TEXT_MAX);
        unsigned major = i % 2 ? 13 : 17;

        seed = (uint32_t)i * 2654435761u;
        for (size_t lines = 1 + pick(6); lines > 0; lines--)
            random_rule(&was);
        random_policies(&policies);
        read_policies(buf_text(&policies), &set);
        edited(&set, buf_text(&was), major, &now);
        compare(&set, buf_text(&was), buf_text(&now), major);
        edited(&set, buf_text(&now), major, &again);
        if (strcmp(buf_text(&again), buf_text(&now)) != 0)
            fail_msg("a second run changes\n%sto\n%s", buf_text(&now), buf_text(&again));
    }
}

/* ---- the words ---- */

static void policies_are_read_or_refused(void **state)
{
    static const char *const bad[] = { "", "plain", "app=plain", "=cert", "app=", "none" };
    struct ps_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PS_AUTO(policy_set_free) struct policy_set set = { 0 };

        if (policy_add(&set, bad[i], &err))
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, PS_E_USAGE);
    }

    PS_AUTO(policy_set_free) struct policy_set set = { 0 };
    assert_true(policy_add(&set, "cert", &err) && policy_add(&set, "a=b=encrypt", &err));
    assert_string_equal(set.roles[0].role, "a=b");
    assert_false(policy_add(&set, "encrypt", &err) || policy_add(&set, "a=b=cert", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_edit_as_told),
        cmocka_unit_test(policies_never_widen_access),
        cmocka_unit_test(policies_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
