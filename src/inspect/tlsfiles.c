/* tlsfiles.c - see tlsfiles.h. */
#include "inspect/tlsfiles.h"

#include "base/file.h"
#include "tls/crl.h"
#include "tls/hash.h"

void tls_items_free(struct tls_items *items)
{
    free(items->at);
    *items = (struct tls_items){ 0 };
}

static void add(struct tls_items *out, const struct tls_item *item)
{
    PS_PUSH(out->at, out->len, out->cap) = *item;
}

static void add_unexamined(struct tls_items *out, const struct tls_item *file,
                           struct arena *arena, const struct ps_err *err)
{
    struct tls_item item = *file;

    item.why = arena_strdup(arena, err->message);
    add(out, &item);
}

static void add_certs(const struct buf *text, const struct tls_item *file, struct arena *arena,
                      struct tls_items *out)
{
    PS_AUTO(cert_list_free) struct cert_list certs = { 0 };
    struct ps_err err = { 0 };

    if (!cert_list_from_pem(buf_text(text), text->len, file->path, &certs, &err)) {
        add_unexamined(out, file, arena, &err);
        return;
    }
    for (size_t i = 0; i < certs.len; i++) {
        const struct cert_info *info = cert_info(certs.at[i]);
        struct tls_item item = *file;

        item.subject = arena_strdup(arena, info->subject);
        item.issuer = arena_strdup(arena, info->issuer);
        item.serial = arena_strdup(arena, info->serial_hex);
        item.fingerprint = arena_strdup(arena, info->fingerprint);
        item.from = info->not_before;
        item.until = info->not_after;
        add(out, &item);
    }
}

static void add_crls(const struct buf *text, const struct tls_item *file, struct arena *arena,
                     struct tls_items *out)
{
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    struct ps_err err = { 0 };

    if (!crl_list_from_pem(buf_text(text), text->len, file->path, &crls, &err)) {
        add_unexamined(out, file, arena, &err);
        return;
    }
    for (size_t i = 0; i < crls.len; i++) {
        const struct crl_info *info = crl_info(crls.at[i]);
        struct tls_item item = *file;

        item.issuer = arena_strdup(arena, info->issuer);
        item.serial = info->number < 0 ? NULL
                                       : arena_printf(arena, "%llx", (long long)info->number);
        item.from = info->this_update;
        item.until = info->next_update;
        add(out, &item);
    }
}

static void add_file(const struct remote *remote, const struct tls_item *wanted,
                     struct arena *arena, struct tls_items *out)
{
    PS_AUTO(buf_free) struct buf text = BUF(FILE_CONF_MAX);
    struct tls_item file = *wanted;
    struct ps_err err = { 0 };

    if (!remote_read(remote, file.path, &text, &file.origin, &err))
        add_unexamined(out, &file, arena, &err);
    else if (file.kind == ITEM_CERT)
        add_certs(&text, &file, arena, out);
    else
        add_crls(&text, &file, arena, out);
}

static void add_dir(const struct remote *remote, const struct tls_item *wanted,
                    struct arena *arena, struct tls_items *out)
{
    struct tls_item file = *wanted;
    struct ps_err err = { 0 };
    const char **names;
    size_t len;

    if (!remote_list(remote, wanted->path, arena, &names, &len, &err)) {
        add_unexamined(out, wanted, arena, &err);
        return;
    }
    for (size_t i = 0; i < len; i++)
        if (hash_name_is_crl(names[i])) {
            file.path = arena_printf(arena, "%s/%s", wanted->path, names[i]);
            add_file(remote, &file, arena, out);
        }
}

static const struct {
    const char *setting;
    enum tls_item_kind kind;
    void (*add)(const struct remote *remote, const struct tls_item *wanted, struct arena *arena,
                struct tls_items *out);
} places[] = {
    { "ssl_cert_file", ITEM_CERT, add_file },
    { "ssl_ca_file", ITEM_CERT, add_file },
    { "ssl_crl_file", ITEM_CRL, add_file },
    { "ssl_crl_dir", ITEM_CRL, add_dir },
};

void tls_files_read(const struct remote *remote, const struct inforce *settings,
                    struct arena *arena, struct tls_items *out)
{
    for (size_t i = 0; i < PS_COUNT(places); i++) {
        const char *path = inforce_value(settings, places[i].setting);
        struct tls_item wanted = { .setting = places[i].setting, .kind = places[i].kind,
                                   .path = path };

        if (path && *path)
            places[i].add(remote, &wanted, arena, out);
    }
}

enum validity validity_at(enum tls_item_kind kind, time_t now, time_t from, time_t until,
                          long warn_days)
{
    const time_t day = 24 * 60 * 60;
    time_t warn = warn_days * day;

    if (until && now > until)
        return VALID_OVER;
    if (now < from)
        return VALID_NOT_YET;
    if (kind == ITEM_CRL && (until - from) / 3 < warn)
        warn = (until - from) / 3;
    return until && until - now < warn ? VALID_SOON_OVER : VALID;
}
