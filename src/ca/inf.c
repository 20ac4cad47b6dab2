/* inf.c - see inf.h. */
#include "ca/inf.h"

#include "tls/name.h"

static const struct {
    const char *algorithm;
    int bits;
} keys[] = {
    [KEY_EC_P256] = { "ECDSA_P256", 256 },
    [KEY_EC_P384] = { "ECDSA_P384", 384 },
    [KEY_RSA_2048] = { "RSA", 2048 },
    [KEY_RSA_3072] = { "RSA", 3072 },
    [KEY_RSA_4096] = { "RSA", 4096 },
};

static bool check_text(const char *text, struct ps_err *err)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
            return ps_fail(err, PS_E_VALUE, _("\"%s\" cannot stand in a request for Windows"), text);
    return true;
}

/* A value of the name in quotes of its own, so that commas and the like are part of it: X.500 text as
 * CertStrToName() reads it, inside of an INF value, where each quote is doubled once more. */
static bool put_field(struct buf *out, const char *label, const char *value, bool *first,
                      struct ps_err *err)
{
    if (!value || !*value)
        return true;
    if (!check_text(value, err))
        return false;
    buf_printf(out, "%s%s=\"\"", *first ? "" : ",", label);
    for (const char *p = value; *p; p++)
        buf_puts(out, *p == '"' ? "\"\"\"\"" : (char[]){ *p, '\0' });
    *first = false;
    return buf_puts(out, "\"\"");
}

static bool put_subject(struct buf *out, const struct cert_dn *dn, struct ps_err *err)
{
    const struct { const char *label, *value; } fields[] = {
        { "CN", dn->cn }, { "OU", dn->ou }, { "O", dn->o }, { "L", dn->l }, { "S", dn->st },
        { "C", dn->c },
    };
    bool first = true;

    buf_puts(out, "Subject = \"");
    for (size_t i = 0; i < PS_COUNT(fields); i++)
        if (!put_field(out, fields[i].label, fields[i].value, &first, err))
            return false;
    return buf_puts(out, "\"\r\n");
}

static void put_hosts(struct buf *out, const char *const *hosts)
{
    buf_puts(out, "[Extensions]\r\n2.5.29.17 = \"{text}\"\r\n");
    for (; *hosts; hosts++)
        buf_printf(out, "_continue_ = \"%s=%s%s\"\r\n", name_is_address(*hosts) ? "ipaddress" : "dns",
                   *hosts, hosts[1] ? "&" : "");
}

bool inf_write(const struct cert_spec *spec, enum key_type type, struct buf *out,
               struct ps_err *err)
{
    if ((size_t)type >= PS_COUNT(keys))
        return ps_fail(err, PS_E_UNSUPPORTED, _("Windows makes no keys of type %s"),
                       key_type_name(type));
    for (const char *const *host = spec->hosts; *host; host++)
        if (!check_text(*host, err))
            return false;
    buf_puts(out, "[Version]\r\nSignature = \"$Windows NT$\"\r\n\r\n[NewRequest]\r\n");
    if (!put_subject(out, &spec->subject, err))
        return false;
    buf_printf(out, "KeyAlgorithm = %s\r\nKeyLength = %d\r\n", keys[type].algorithm, keys[type].bits);
    buf_puts(out, "ProviderName = \"Microsoft Software Key Storage Provider\"\r\n"
                  "HashAlgorithm = SHA256\r\nKeyUsage = 0x80\r\nMachineKeySet = TRUE\r\n"
                  "Exportable = TRUE\r\nRequestType = PKCS10\r\n\r\n"
                  "[EnhancedKeyUsageExtension]\r\nOID = 1.3.6.1.5.5.7.3.1\r\n\r\n");
    put_hosts(out, spec->hosts);
    return !out->over || ps_fail(err, PS_E_TOO_BIG, _("the request is too big"));
}
