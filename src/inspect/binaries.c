/* binaries.c - see binaries.h. */
#include "inspect/binaries.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "inspect/process.h"

/* Where packages put the programs; %u is the major version. */
static const char *const usual_dirs[] = {
    "/usr/lib/postgresql/%u/bin",       /* Debian, Ubuntu */
    "/usr/pgsql-%u/bin",                /* PGDG on Red Hat */
    "/usr/lib/postgresql%u/bin",        /* SUSE */
    "/opt/postgresql/%u/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/usr/bin",
};

/* "postgres (PostgreSQL) 15.18 (Debian ...)": 15, and "15.18" into the arena. */
static bool read_version(struct server *server, const char *dir, unsigned *major,
                         const char **version)
{
    PS_AUTO(ps_freep) char *program = path_join(dir, "postgres");
    const char *argv[] = { program, "--version", NULL };
    const struct proc_spec spec = { .argv = argv, .as = &server->owner };
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };
    struct ps_err ignored = { 0 };
    char text[32];

    if (access(program, X_OK) != 0 || !proc_run_ok(&spec, &result, &ignored)
        || sscanf(buf_text(&result.out), "postgres (PostgreSQL) %31s", text) != 1
        || sscanf(text, "%u", major) != 1)
        return false;
    *version = arena_strdup(server->arena, text);
    return true;
}

static bool try_dir(struct server *server, const char *dir)
{
    unsigned major;
    const char *version;

    if (!dir || !read_version(server, dir, &major, &version) || major != server->major)
        return false;
    server->bin_dir = arena_strdup(server->arena, dir);
    server->version = version;
    return true;
}

static bool try_path(struct server *server)
{
    PS_AUTO(ps_freep) char *path = ps_strdup(getenv("PATH") ? getenv("PATH") : "");
    char *rest = path, *dir;

    while ((dir = strsep(&rest, ":")))
        if (*dir == '/' && try_dir(server, dir))
            return true;
    return false;
}

bool binaries_find(struct server *server, const char *given, const char *program,
                   struct ps_err *err)
{
    if (given) {
        if (try_dir(server, given))
            return true;
        ps_fail(err, PS_E_NOT_FOUND, _("there is no PostgreSQL %u in \"%s\""), server->major, given);
        return ps_hint(err, _("--bindir is the folder that holds this server's postgres."));
    }
    if (server->running && try_dir(server, process_bin_dir(server)))
        return true;

    PS_AUTO(ps_freep) char *from_opts = program ? path_dir(program) : NULL;
    if (try_dir(server, from_opts))
        return true;
    for (size_t i = 0; i < PS_COUNT(usual_dirs); i++) {
        PS_AUTO(ps_freep) char *dir = ps_asprintf(usual_dirs[i], server->major);
        if (try_dir(server, dir))
            return true;
    }
    if (try_path(server))
        return true;

    ps_fail(err, PS_E_NOT_FOUND, _("could not find the programs of PostgreSQL %u"), server->major);
    return ps_hint(err, _("Give their folder with --bindir DIR."));
}

/* ---- OpenSSL, as the server runs with it ---- */

/* The path behind "libssl.so.3 => /lib/.../libssl.so.3 (0x...)" in the output of ldd. */
static char *library_path(const char *ldd, const char *name)
{
    const char *line = strstr(ldd, name);
    const char *arrow = line ? strstr(line, "=> /") : NULL;
    const char *end_of_line = line ? strchr(line, '\n') : NULL;

    if (!arrow || (end_of_line && arrow > end_of_line))
        return NULL;
    return ps_strndup(arrow + 3, strcspn(arrow + 3, " \n"));
}

/* "OpenSSL 3.0.19 27 Jan 2026": the letters that libcrypto carries for OpenSSL_version(). */
static const char *find_version(struct server *server, const char *bytes, size_t len)
{
    static const char mark[] = "OpenSSL ";
    const char *p = bytes, *end = bytes + len;

    while ((p = memmem(p, (size_t)(end - p), mark, sizeof(mark) - 1))) {
        const char *digit = p + sizeof(mark) - 1;
        size_t room = (size_t)(end - p), text = strnlen(p, room < 64 ? room : 64);

        /* the version string has a date: another string may say "OpenSSL 1.1 method" */
        if (digit < end && isdigit((unsigned char)*digit) && text < 64
            && isdigit((unsigned char)p[text - 1]) && memchr(p, '.', text)
            && memchr(digit, ' ', text - sizeof(mark)))
            return arena_strndup(server->arena, p, text);
        p = digit;
    }
    return NULL;
}

static const char *find_dir(struct server *server, const char *bytes, size_t len)
{
    static const char mark[] = "OPENSSLDIR: \"";
    const char *p = memmem(bytes, len, mark, sizeof(mark) - 1);

    if (!p)
        return NULL;
    p += sizeof(mark) - 1;
    size_t room = len - (size_t)(p - bytes);
    const char *quote = memchr(p, '"', room < 4096 ? room : 4096);
    return quote ? arena_strndup(server->arena, p, (size_t)(quote - p)) : NULL;
}

static void look_into_libcrypto(struct server *server, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        size_t len = (size_t)st.st_size;
        void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

        if (bytes != MAP_FAILED) {
            server->openssl_version = find_version(server, bytes, len);
            server->openssl_dir = find_dir(server, bytes, len);
            munmap(bytes, len);
        }
    }
    close(fd);
}

/*
 * What ldd(1) does, a shell script that starts five programs: the loader of the GNU C library lists the libraries in
 * place of running the program.  Another loader runs it, harmlessly; then ldd is asked.
 */
static bool list_libraries(const struct server *server, struct proc_result *out)
{
    static const char *const trace[] = { "LD_TRACE_LOADED_OBJECTS=1", NULL };
    PS_AUTO(ps_freep) char *program = path_join(server->bin_dir, "postgres");
    const char *direct[] = { program, "--version", NULL }, *ldd[] = { "ldd", program, NULL };
    const struct proc_spec fast = { .argv = direct, .as = &server->owner, .env = trace };
    const struct proc_spec slow = { .argv = ldd, .as = &server->owner };
    struct ps_err ignored = { 0 };

    if (proc_run_ok(&fast, out, &ignored) && strstr(buf_text(&out->out), "=> "))
        return true;
    proc_result_free(out);
    *out = (struct proc_result){ 0 };
    return proc_run_ok(&slow, out, &ignored);
}

static void look_at_openssl(struct server *server)
{
    PS_AUTO(proc_result_free) struct proc_result result = { 0 };

    if (!list_libraries(server, &result))
        return;
    PS_AUTO(ps_freep) char *ssl = library_path(buf_text(&result.out), "libssl");
    PS_AUTO(ps_freep) char *crypto = library_path(buf_text(&result.out), "libcrypto");

    server->ssl_library = ssl ? "OpenSSL" : "";
    if (ssl && crypto)
        look_into_libcrypto(server, crypto);
}

/* ---- sslinfo ---- */

/* Where the extensions lie, seen from the folder of the programs; %u is the major version. */
static const char *const extension_dirs[] = {
    "../share/postgresql/extension",
    "../share/extension",
    "../../../../share/postgresql/%u/extension",    /* Debian */
};

static void look_for_sslinfo(struct server *server)
{
    bool any_dir = false;

    server->sslinfo = FACT_UNKNOWN;
    for (size_t i = 0; i < PS_COUNT(extension_dirs); i++) {
        PS_AUTO(ps_freep) char *rel = ps_asprintf(extension_dirs[i], server->major);
        PS_AUTO(ps_freep) char *dir = path_join(server->bin_dir, rel);
        PS_AUTO(ps_freep) char *control = path_join(dir, "sslinfo.control");

        any_dir = any_dir || file_is_dir(dir);
        if (file_exists(control)) {
            server->sslinfo = FACT_YES;
            return;
        }
    }
    if (any_dir)
        server->sslinfo = FACT_NO;
}

void binaries_look(struct server *server)
{
    look_at_openssl(server);
    look_for_sslinfo(server);
}
