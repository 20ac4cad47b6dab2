/* hba_option.c - types, methods and options by major; see hba_words.h. */
#include "pg/hba_words.h"

#define ALWAYS 99       /* until: still there */

/* ---- types and methods ---- */

static const struct { const char *name; unsigned since; } types[] = {
    [HBA_LOCAL] = { "local", 0 },
    [HBA_HOST] = { "host", 0 },
    [HBA_HOSTSSL] = { "hostssl", 0 },
    [HBA_HOSTNOSSL] = { "hostnossl", 0 },
    [HBA_HOSTGSSENC] = { "hostgssenc", 12 },
    [HBA_HOSTNOGSSENC] = { "hostnogssenc", 12 },
};

static const struct { const char *name; unsigned since, until; } methods[] = {
    [HBA_TRUST] = { "trust", 0, ALWAYS },
    [HBA_REJECT] = { "reject", 0, ALWAYS },
    [HBA_SCRAM] = { "scram-sha-256", 10, ALWAYS },
    [HBA_MD5] = { "md5", 0, ALWAYS },
    [HBA_PASSWORD] = { "password", 0, ALWAYS },
    [HBA_GSS] = { "gss", 0, ALWAYS },
    [HBA_SSPI] = { "sspi", 0, ALWAYS },
    [HBA_IDENT] = { "ident", 0, ALWAYS },
    [HBA_PEER] = { "peer", 0, ALWAYS },
    [HBA_LDAP] = { "ldap", 0, ALWAYS },
    [HBA_RADIUS] = { "radius", 0, 18 },
    [HBA_CERT] = { "cert", 0, ALWAYS },
    [HBA_PAM] = { "pam", 0, ALWAYS },
    [HBA_BSD] = { "bsd", 0, ALWAYS },
    [HBA_OAUTH] = { "oauth", 18, ALWAYS },
};

const char *hba_type_name(enum hba_type type)
{
    return types[type].name;
}

bool hba_type_parse(const char *word, unsigned major, enum hba_type *out)
{
    for (size_t i = 0; i < PS_COUNT(types); i++)
        if (strcmp(word, types[i].name) == 0 && major >= types[i].since) {
            *out = (enum hba_type)i;
            return true;
        }
    return false;
}

const char *hba_method_name(enum hba_method method)
{
    return methods[method].name;
}

bool hba_method_parse(const char *word, unsigned major, enum hba_method *out)
{
    for (size_t i = 0; i < PS_COUNT(methods); i++)
        if (strcmp(word, methods[i].name) == 0 && major >= methods[i].since
            && major <= methods[i].until) {
            *out = (enum hba_method)i;
            return true;
        }
    return false;
}

/* ---- clientcert ---- */

enum word_effect { EFFECT_ERROR, EFFECT_OFF, EFFECT_CA, EFFECT_FULL };

static enum word_effect clientcert_effect(unsigned major, const char *word)
{
    static const struct { const char *word; enum word_effect to_11, to_13, later; } words[] = {
        { "1", EFFECT_CA, EFFECT_CA, EFFECT_ERROR },
        { "0", EFFECT_OFF, EFFECT_OFF, EFFECT_ERROR },
        { "no-verify", EFFECT_OFF, EFFECT_OFF, EFFECT_ERROR },
        { "verify-ca", EFFECT_OFF, EFFECT_CA, EFFECT_CA },
        { "verify-full", EFFECT_OFF, EFFECT_FULL, EFFECT_FULL },
    };

    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (strcmp(word, words[i].word) == 0)
            return major <= 11 ? words[i].to_11 : major <= 13 ? words[i].to_13 : words[i].later;
    return major <= 11 ? EFFECT_OFF : EFFECT_ERROR;
}

enum hba_clientcert hba_clientcert_word(unsigned major, const char *word)
{
    static const enum hba_clientcert means[] = { [EFFECT_ERROR] = HBA_CERT_NONE,
                                                 [EFFECT_OFF] = HBA_CERT_NONE,
                                                 [EFFECT_CA] = HBA_CERT_CA,
                                                 [EFFECT_FULL] = HBA_CERT_FULL };

    return means[clientcert_effect(major, word)];
}

static const struct hba_complaint fine = { NULL, NULL, false };

static struct hba_complaint judge_clientcert(const struct hba_setting_context *context,
                                             const char *value)
{
    enum word_effect effect = clientcert_effect(context->major, value);

    if (effect == EFFECT_ERROR)
        return (struct hba_complaint){ N_("invalid value for clientcert: \"%s\""),
                                       context->method == HBA_CERT
                                           ? N_("Remove clientcert: cert implies the check.")
                                           : N_("Write clientcert=verify-ca or clientcert=verify-full."),
                                       true };
    if (context->method == HBA_CERT && effect == EFFECT_OFF)
        return (struct hba_complaint){
            N_("clientcert cannot be \"%s\" when using \"cert\" authentication"),
            N_("Remove clientcert: cert implies the check."), true };
    if (context->method == HBA_CERT && effect == EFFECT_CA && context->major >= 14)
        return (struct hba_complaint){
            N_("clientcert only accepts \"verify-full\" when using \"cert\" authentication"),
            N_("Remove clientcert: cert implies verify-full.") };
    return fine;
}

/* ---- other values ---- */

static struct hba_complaint judge_clientname(const struct hba_setting_context *context,
                                             const char *value)
{
    (void)context;
    if (strcmp(value, "CN") == 0 || strcmp(value, "DN") == 0)
        return fine;
    return (struct hba_complaint){ N_("invalid value for clientname: \"%s\""),
                                   N_("Write clientname=CN or clientname=DN."), true };
}

/* As atoi() does: what is no number is 0. */
static bool is_zero_port(const char *value)
{
    return strtol(value, NULL, 10) == 0;
}

static struct hba_complaint judge_ldapport(const struct hba_setting_context *context,
                                           const char *value)
{
    (void)context;
    if (!is_zero_port(value))
        return fine;
    return (struct hba_complaint){ N_("invalid LDAP port number: \"%s\""),
                                   N_("Write a number such as 389 or 636."), true };
}

static struct hba_complaint judge_radiusports(const struct hba_setting_context *context,
                                              const char *value)
{
    (void)context;
    for (; value; value = strchr(value, ',')) {
        value += *value == ',';
        if (is_zero_port(value))
            return (struct hba_complaint){ N_("invalid RADIUS port number in \"%s\""),
                                           N_("Write a number such as 1812."), true };
    }
    return fine;
}

static struct hba_complaint judge_ldapurl(const struct hba_setting_context *context,
                                          const char *value)
{
    (void)context;
    if (strncasecmp(value, "ldap://", 7) == 0 || strncasecmp(value, "ldaps://", 8) == 0)
        return fine;
    return (struct hba_complaint){ N_("could not parse LDAP URL \"%s\""),
                                   N_("Write ldap://host/basedn or ldaps://host/basedn."), true };
}

/* ---- options ---- */

#define WITH(method) (1u << (method))
#define WITH_ANY (~0u)
#define WITH_MAP (WITH(HBA_IDENT) | WITH(HBA_PEER) | WITH(HBA_GSS) | WITH(HBA_SSPI)  \
                  | WITH(HBA_CERT) | WITH(HBA_OAUTH))
#define WITH_REALM (WITH(HBA_GSS) | WITH(HBA_SSPI))

static const struct option {
    const char *name;
    unsigned since, until;
    unsigned methods;
    bool hostssl;           /* only there */
    struct hba_complaint (*judge)(const struct hba_setting_context *context, const char *value);
    const char *with;       /* for the hint */
} options[] = {
    { "map", 0, ALWAYS, WITH_MAP, .with = N_("Use it with ident, peer, gss, sspi, cert or, from 18, oauth.") },
    { "clientcert", 0, ALWAYS, WITH_ANY, .hostssl = true, .judge = judge_clientcert },
    { "clientname", 14, ALWAYS, WITH_ANY, .hostssl = true, .judge = judge_clientname },
    { "pamservice", 0, ALWAYS, WITH(HBA_PAM), .with = N_("Use it with pam.") },
    { "pam_use_hostname", 0, ALWAYS, WITH(HBA_PAM), .with = N_("Use it with pam.") },
    { "ldapurl", 0, ALWAYS, WITH(HBA_LDAP), .judge = judge_ldapurl, .with = N_("Use it with ldap.") },
    { "ldaptls", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapscheme", 11, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapserver", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapport", 0, ALWAYS, WITH(HBA_LDAP), .judge = judge_ldapport, .with = N_("Use it with ldap.") },
    { "ldapbinddn", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapbindpasswd", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapsearchattribute", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapsearchfilter", 11, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapbasedn", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapprefix", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "ldapsuffix", 0, ALWAYS, WITH(HBA_LDAP), .with = N_("Use it with ldap.") },
    { "krb_realm", 0, ALWAYS, WITH_REALM, .with = N_("Use it with gss or sspi.") },
    { "include_realm", 0, ALWAYS, WITH_REALM, .with = N_("Use it with gss or sspi.") },
    { "compat_realm", 0, ALWAYS, WITH(HBA_SSPI), .with = N_("Use it with sspi.") },
    { "upn_username", 0, ALWAYS, WITH(HBA_SSPI), .with = N_("Use it with sspi.") },
    { "radiusservers", 0, 18, WITH(HBA_RADIUS), .with = N_("Use it with radius.") },
    { "radiusports", 0, 18, WITH(HBA_RADIUS), .judge = judge_radiusports, .with = N_("Use it with radius.") },
    { "radiussecrets", 0, 18, WITH(HBA_RADIUS), .with = N_("Use it with radius.") },
    { "radiusidentifiers", 0, 18, WITH(HBA_RADIUS), .with = N_("Use it with radius.") },
    { "issuer", 18, ALWAYS, WITH(HBA_OAUTH), .with = N_("Use it with oauth.") },
    { "scope", 18, ALWAYS, WITH(HBA_OAUTH), .with = N_("Use it with oauth.") },
    { "validator", 18, ALWAYS, WITH(HBA_OAUTH), .with = N_("Use it with oauth.") },
    { "delegate_ident_mapping", 18, ALWAYS, WITH(HBA_OAUTH), .with = N_("Use it with oauth.") },
};

static const struct option *find_option(const char *name, unsigned major)
{
    for (size_t i = 0; i < PS_COUNT(options); i++)
        if (strcmp(name, options[i].name) == 0 && major >= options[i].since
            && major <= options[i].until)
            return &options[i];
    return NULL;
}

struct hba_complaint hba_option_judge(const struct hba_setting_context *context, const char *name,
                                      const char *value)
{
    const struct option *option = find_option(name, context->major);

    if (!option)
        return (struct hba_complaint){
            N_("unrecognized authentication option name: \"%s\""),
            N_("Correct the name; this version of PostgreSQL has no such option.") };
    if (!(option->methods & WITH(context->method)))
        return (struct hba_complaint){
            N_("authentication option \"%s\" is not valid for this authentication method"),
            option->with };
    if (option->hostssl && context->type != HBA_HOSTSSL)
        return (struct hba_complaint){ N_("%s can only be configured for \"hostssl\" rows"),
                                       N_("Write hostssl in place of the type.") };
    return option->judge ? option->judge(context, value) : fine;
}

const char *hba_options_find(const struct hba_option *list, size_t len, const char *name)
{
    for (size_t i = len; i > 0; i--)
        if (strcmp(list[i - 1].name, name) == 0)
            return list[i - 1].value;
    return NULL;
}

/* ---- options of one method together ---- */

struct chosen {
    const struct hba_option *list;
    size_t len;
};

static bool has(const struct chosen *chosen, const char *name)
{
    return hba_options_find(chosen->list, chosen->len, name) != NULL;
}

static bool has_any(const struct chosen *chosen, const char *const *names)
{
    for (; *names; names++)
        if (has(chosen, *names))
            return true;
    return false;
}

/* The base distinguished name may be in the URL: ldap://host:port/basedn?attribute?scope?filter */
static bool url_has_base(const struct chosen *chosen)
{
    const char *url = hba_options_find(chosen->list, chosen->len, "ldapurl");
    const char *host = url ? strstr(url, "://") : NULL;
    const char *slash = host ? strchr(host + 3, '/') : NULL;

    return slash && slash[1] != '\0' && slash[1] != '?';
}

static struct hba_complaint judge_ldap(const struct chosen *chosen)
{
    static const char *const simple[] = { "ldapprefix", "ldapsuffix", NULL };
    static const char *const search[] = { "ldapbasedn", "ldapbinddn", "ldapbindpasswd",
                                          "ldapsearchattribute", "ldapsearchfilter", NULL };
    bool base = has(chosen, "ldapbasedn") || url_has_base(chosen);

    if (has_any(chosen, simple) && (base || has_any(chosen, search)))
        return (struct hba_complaint){
            N_("cannot mix options for simple bind and search+bind modes"),
            N_("Keep ldapprefix and ldapsuffix, or ldapbasedn with the search options.") };
    if (!has_any(chosen, simple) && !base)
        return (struct hba_complaint){
            N_("authentication method \"ldap\" requires argument \"ldapbasedn\", \"ldapprefix\", "
               "or \"ldapsuffix\" to be set"),
            N_("Add one of the three.") };
    if (has(chosen, "ldapsearchattribute") && has(chosen, "ldapsearchfilter"))
        return (struct hba_complaint){
            N_("cannot use ldapsearchattribute together with ldapsearchfilter"),
            N_("Keep one of the two.") };
    return fine;
}

/* Elements between commas; 0 when there is nothing. */
static size_t elements(const struct chosen *chosen, const char *name)
{
    const char *value = hba_options_find(chosen->list, chosen->len, name);
    size_t count = 1;

    if (!value || value[strspn(value, " \t")] == '\0')
        return 0;
    for (; *value; value++)
        count += *value == ',';
    return count;
}

static struct hba_complaint judge_radius(const struct chosen *chosen)
{
    static const char *const lists[] = { "radiussecrets", "radiusports", "radiusidentifiers" };
    size_t servers = elements(chosen, "radiusservers");

    if (servers == 0 || elements(chosen, "radiussecrets") == 0)
        return (struct hba_complaint){
            N_("authentication method \"radius\" requires arguments \"radiusservers\" and "
               "\"radiussecrets\" to be set"),
            N_("Add them.") };
    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        size_t count = elements(chosen, lists[i]);

        if (count > 1 && count != servers)
            return (struct hba_complaint){
                N_("the number of RADIUS secrets, ports and identifiers must be 1 or the same as "
                   "the number of RADIUS servers"),
                N_("Write one for all servers, or one for each.") };
    }
    return fine;
}

static struct hba_complaint judge_oauth(const struct chosen *chosen)
{
    const char *delegate = hba_options_find(chosen->list, chosen->len, "delegate_ident_mapping");

    if (!has(chosen, "issuer") || !has(chosen, "scope"))
        return (struct hba_complaint){
            N_("authentication method \"oauth\" requires arguments \"issuer\" and \"scope\" to be "
               "set"),
            N_("Add them.") };
    if (delegate && strcmp(delegate, "1") == 0 && has(chosen, "map"))
        return (struct hba_complaint){
            N_("map cannot be used in combination with delegate_ident_mapping"),
            N_("Keep one of the two.") };
    return fine;
}

struct hba_complaint hba_options_judge(const struct hba_setting_context *context,
                                       const struct hba_option *list, size_t len)
{
    static struct hba_complaint (*const judges[])(const struct chosen *) = {
        [HBA_LDAP] = judge_ldap, [HBA_RADIUS] = judge_radius, [HBA_OAUTH] = judge_oauth,
    };
    struct chosen chosen = { list, len };

    if (context->method < PS_COUNT(judges) && judges[context->method])
        return judges[context->method](&chosen);
    return fine;
}
