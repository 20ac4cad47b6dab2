/* page.c - see page.h and kit.h (kit_describe). */
#include "kit/page.h"

#include "base/file.h"
#include "tls/name.h"

void kit_link_fill(const struct kit_spec *spec, const char *path, struct arena *arena,
                   struct kit_link *out)
{
    const char *own = spec->ca ? path : NULL;       /* where our certificate is, if we have one */

    *out = (struct kit_link){
        .role = spec->role,
        .database = spec->database ? spec->database : spec->role,
        .host = spec->host,
        .port = spec->port ? spec->port : 5432,
        .service = arena_strdup(arena, path_base(path)),
        .service_file = arena_printf(arena, "%s/pg_service.conf", path),
        .root = arena_printf(arena, "%s/root.crt", path),
        .crt = own ? arena_printf(arena, "%s/postgresql.crt", own) : NULL,
        .key = own ? arena_printf(arena, "%s/postgresql.key", own) : NULL,
        .pk8 = own ? arena_printf(arena, "%s/postgresql.pk8", own) : NULL,
        .crl = own ? arena_printf(arena, "%s/root.crl", own) : NULL,
    };
}

static const struct {
    const char *name, *mode, *what;
    bool needs_ca;
} kit_files[] = {
    { "postgresql.crt", "0644", N_("certificate of the role, and of the CA that signed it"), true },
    { "postgresql.key", "0600", N_("its private key (PKCS#8 PEM)"), true },
    { "postgresql.pk8", "0600", N_("the same key for pgjdbc (PKCS#8 DER)"), true },
    { "root.crt", "0644", N_("what the client trusts (sslrootcert)"), false },
    { "root.crl", "0644", N_("revoked certificates of the CA (sslcrl)"), true },
    { "pg_service.conf", "0644", N_("an entry for libpq's service file"), false },
    { "README.txt", "0644", N_("the strings below, as text"), false },
    { "README.html", "0644", N_("the same, for a browser"), false },
};

static void describe_files(const struct kit_spec *spec, struct doc_node *section)
{
    struct doc_node *table = doc_table(section, "files", _("Files"), NULL);

    for (size_t i = 0; i < PS_COUNT(kit_files); i++) {
        if (kit_files[i].needs_ca && !spec->ca)
            continue;
        struct doc_node *row = doc_row(table);
        doc_str(row, "name", _("File"), kit_files[i].name);
        doc_str(row, "mode", _("Mode"), kit_files[i].mode);
        doc_str(row, "what", _("What it is"), _(kit_files[i].what));
    }
}

static void describe_strings(const struct kit_link *link, struct doc_node *section)
{
    struct doc_node *strings = doc_section(section, "strings", _("Connection strings"));

    for (size_t i = 0; i < kit_drivers_len; i++) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

        kit_drivers[i].write(link, &text);
        doc_block(strings, kit_drivers[i].id, kit_drivers[i].name, buf_text(&text));
        if (kit_drivers[i].note)
            doc_para(strings, DOC_PLAIN, "%s", _(kit_drivers[i].note));
    }
}

static void describe_notes(const struct kit_spec *spec, struct doc_node *section)
{
    doc_para(section, DOC_PLAIN, "%s",
             _("The paths are those of this folder: after a copy to another machine write the new "
               "ones.  Under ~/.postgresql libpq finds the files without sslrootcert, sslcert, "
               "sslkey and sslcrl."));
    if (spec->ca)
        doc_para(section, DOC_PLAIN, "%s",
                 _("Whoever has the private key is this role.  Keep its files at 0600; if they may "
                   "have been read by others, have the certificate revoked.  An application of "
                   "another user gets the folder by chown -R; pgseal then renews it as that user."));
    if (name_is_address(spec->host))
        doc_para(section, DOC_PLAIN, "%s",
                 _("The host is an address.  libpq before 15 does not compare it with the addresses "
                   "in a certificate, only with its names: give such clients a host name."));
    if (spec->server_major >= 17)
        doc_para(section, DOC_PLAIN, "%s",
                 _("Clients with libpq 17 or later may add sslnegotiation=direct, which saves a "
                   "round trip; older ones refuse the word."));
}

void kit_describe(const struct kit_spec *spec, const char *path, struct doc_node *section)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct kit_link link;

    kit_link_fill(spec, path, arena, &link);
    describe_files(spec, section);
    describe_strings(&link, section);
    describe_notes(spec, section);
}

void kit_page(const struct kit_spec *spec, const char *path, time_t not_after,
              enum doc_format format, struct buf *out)
{
    static const struct doc_style style = { .width = 100 };
    PS_AUTO(ps_freep) char *title =
        ps_asprintf(_("How role \"%s\" connects to %s"), spec->role, spec->host);
    PS_AUTO(doc_freep) struct doc *doc = doc_new("client", title);
    struct doc_node *root = doc_root(doc);

    doc_str(root, "path", _("Folder"), path);
    if (not_after)
        doc_time(root, "not_after", _("Certificate valid until"), not_after);
    kit_describe(spec, path, root);
    doc_render(doc, format, &style, out);
}
