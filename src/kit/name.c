/* name.c - see name.h and kit.h (kit_folder_name). */
#include "kit/name.h"

#include "doc/text.h"

bool kit_text_ok(const char *text)
{
    while (*text) {
        int32_t c = text_next(&text);

        if (c < 0x20 || (c >= 0x7f && c < 0xa0))    /* -1 is among them: not UTF-8 */
            return false;
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
