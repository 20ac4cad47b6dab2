/* name.c - see name.h and kit.h (kit_folder_name). */
#include "kit/name.h"

/* ---- text ---- */

static const struct {
    unsigned char mask, lead;
    int more;
    uint32_t least;         /* a smaller number has a shorter form */
} utf8_forms[] = {
    { 0x80, 0x00, 0, 0 },
    { 0xe0, 0xc0, 1, 0x80 },
    { 0xf0, 0xe0, 2, 0x800 },
    { 0xf8, 0xf0, 3, 0x10000 },
};

/* One character of `text`; its length in bytes, 0 when it is not UTF-8. */
static int utf8_char(const unsigned char *text, uint32_t *out)
{
    for (size_t i = 0; i < PS_COUNT(utf8_forms); i++) {
        if ((text[0] & utf8_forms[i].mask) != utf8_forms[i].lead)
            continue;

        uint32_t c = text[0] & (unsigned char)~utf8_forms[i].mask;
        for (int k = 1; k <= utf8_forms[i].more; k++) {
            if ((text[k] & 0xc0) != 0x80)       /* stops at the NUL too */
                return 0;
            c = c << 6 | (text[k] & 0x3f);
        }
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        *out = c;
        return c < utf8_forms[i].least || c > 0x10ffff || surrogate ? 0 : utf8_forms[i].more + 1;
    }
    return 0;
}

bool kit_text_ok(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p) {
        uint32_t c;
        int len = utf8_char(p, &c);

        if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
            return false;
        p += len;
    }
    return true;
}

/* ---- what a kit can be made for ---- */

static bool check_role(const char *role, struct ps_err *err)
{
    size_t len = role ? strlen(role) : 0;

    if (len == 0)
        return ps_fail(err, PS_E_VALUE, _("the role has no name"));
    if (!kit_text_ok(role)) {
        ps_fail(err, PS_E_VALUE, _("cannot make a kit for this role name"));
        return ps_detail(err, _("It is not UTF-8, or has control characters."));
    }
    if (len > KIT_ROLE_MAX) {
        ps_fail(err, PS_E_VALUE, _("role name \"%s\" is too long"), role);
        return ps_detail(err, _("It has %zu bytes; PostgreSQL keeps %d."), len, KIT_ROLE_MAX);
    }
    return true;
}

static bool check_host(const char *host, struct ps_err *err)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";

    if (host && *host && host[strspn(host, plain)] == '\0')
        return true;

    ps_fail(err, PS_E_VALUE, _("cannot use \"%s\" as the host of a connection string"),
            host && kit_text_ok(host) ? host : "");
    ps_detail(err, _("TLS is verified for one host name or address; a socket's folder or a list "
                     "cannot be."));
    return ps_hint(err, _("Give the name that clients use and the server certificate has; an "
                          "international name in its xn-- form."));
}

/* A colon in sslkey makes libpq look for an OpenSSL engine (fe-secure-openssl.c). */
static bool check_dir(const char *dir, struct ps_err *err)
{
    if (!dir || !*dir || !kit_text_ok(dir) || strchr(dir, ':')) {
        ps_fail(err, PS_E_VALUE, _("cannot keep kits in folder \"%s\""),
                dir && kit_text_ok(dir) ? dir : "");
        return ps_detail(err, _("Its name must be UTF-8 without colons and control characters: it "
                                "stands in connection strings, and libpq takes a key's path with a "
                                "colon for an OpenSSL engine."));
    }
    return true;
}

bool kit_spec_check(const struct kit_spec *spec, struct ps_err *err)
{
    if (!check_role(spec->role, err) || !check_host(spec->host, err)
        || !check_dir(spec->dir, err))
        return false;
    if (spec->port < 0 || spec->port > 65535)
        return ps_fail(err, PS_E_VALUE, _("there is no port %d"), spec->port);
    if (spec->database && (!*spec->database || !kit_text_ok(spec->database)))
        return ps_fail(err, PS_E_VALUE, _("cannot use this database name in a connection string"));
    if (!spec->ca && !spec->trust_pem)
        return ps_fail(err, PS_E_VALUE, _("there is nothing that the clients could trust"));
    return true;
}

char *kit_folder_name(const char *role)
{
    PS_AUTO(buf_free) struct buf name = BUF(3 * KIT_ROLE_MAX + 1);

    for (const char *p = role; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == 0x7f || strchr("/\\:%", c) || (c == '.' && p == role))
            buf_printf(&name, "%%%02X", c);
        else
            buf_putc(&name, *p);
    }
    return buf_take(&name);
}
