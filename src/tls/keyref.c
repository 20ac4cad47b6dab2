/* keyref.c - see keyref.h. */
#define OPENSSL_SUPPRESS_DEPRECATED     /* engines: the only way to PKCS#11 without a provider */
#include "tls/keyref.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/engine.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "tls/internal.h"

/* ---- a command ---- */

static bool is_plain(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                " /._-+,:=@";

    return strspn(text, plain) == strlen(text);
}

static bool expand(const char *command, const char *prompt, struct buf *out, struct ps_err *err)
{
    for (const char *p = command; *p; p++) {
        if (p[0] != '%' || (p[1] != 'p' && p[1] != '%')) {
            buf_putc(out, *p);
            continue;
        }
        p++;
        if (*p == '%') {
            buf_putc(out, '%');
            continue;
        }
        if (!is_plain(prompt))
            return ps_fail(err, PS_E_VALUE, _("\"%s\" cannot stand in a command for %%p"), prompt);
        buf_puts(out, prompt);
    }
    return !out->over || ps_fail(err, PS_E_TOO_BIG, _("the passphrase command is too long"));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static _Noreturn void run_shell(const char *command, int out)
{
    if (dup2(out, STDOUT_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool ended_well(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool read_output(const char *command, struct secret *out, struct ps_err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return ps_fail(err, PS_E_PROCESS, _("could not run the passphrase command: %m"));

    PS_AUTO(close_fd) int from = ends[0], to = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return ps_fail(err, PS_E_PROCESS, _("could not run the passphrase command: %m"));
    if (pid == 0)
        run_shell(command, to);
    close_fd(&to);
    bool read = secret_read_fd(from, out, err);
    close_fd(&from);        /* one that says more must not wait for us for ever */
    return (ended_well(pid) && read)
        || ps_fail(err, PS_E_PASSPHRASE, _("the passphrase command failed"));
}

bool secret_from_command(const char *command, const char *prompt, struct secret *out,
                         struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(1 << 16);
    PS_AUTO(secret_free) struct secret line = { 0 };

    if (!expand(command, prompt, &text, err) || !read_output(buf_text(&text), &line, err))
        return false;
    if (line.len == 0)
        return ps_fail(err, PS_E_PASSPHRASE, _("the passphrase command gave nothing"));
    secret_set(out, line.p, line.len);
    return true;
}

/* ---- a URI ---- */

struct asked {
    key_pin_fn pin;
    void *arg;
    const char *uri;
    struct secret answer;
    struct ps_err err;
};

static int give_pin(char *buf, int size, int writing, void *arg)
{
    struct asked *asked = arg;

    (void)writing;
    if (!asked->pin)
        return -1;
    if (!asked->answer.p && !asked->pin(asked->arg, asked->uri, &asked->answer, &asked->err)) {
        asked->pin = NULL;
        return -1;
    }
    if (asked->answer.len > (size_t)size)
        return -1;
    memcpy(buf, asked->answer.p, asked->answer.len);
    return (int)asked->answer.len;
}

static void asked_free(struct asked *asked)
{
    secret_free(&asked->answer);
}

static void store_freep(OSSL_STORE_CTX **store)
{
    OSSL_STORE_close(*store);
}

static EVP_PKEY *from_store(const char *uri, const UI_METHOD *ui, struct asked *asked)
{
    PS_AUTO(store_freep) OSSL_STORE_CTX *store = OSSL_STORE_open(uri, ui, asked, NULL, NULL);
    EVP_PKEY *pkey = NULL;

    if (store)
        OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (store && !pkey && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
        if (!info && OSSL_STORE_error(store))
            break;
    }
    return pkey;
}

/* The engine stays loaded: the key works through it. */
static EVP_PKEY *from_engine(const char *uri, UI_METHOD *ui, struct asked *asked)
{
    ENGINE *engine = ENGINE_by_id("pkcs11");
    EVP_PKEY *pkey = NULL;

    if (engine && ENGINE_init(engine)) {
        pkey = ENGINE_load_private_key(engine, uri, ui, asked);
        ENGINE_finish(engine);      /* (a key holds a reference of its own) */
    }
    ENGINE_free(engine);
    return pkey;
}

static void ui_freep(UI_METHOD **ui)
{
    UI_destroy_method(*ui);
}

bool key_from_uri(const char *uri, key_pin_fn pin, void *arg, struct key **out, struct ps_err *err)
{
    PS_AUTO(asked_free) struct asked asked = { .pin = pin, .arg = arg, .uri = uri };
    PS_AUTO(ui_freep) UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    const bool token = strncmp(uri, "pkcs11:", 7) == 0;

    ERR_clear_error();
    if (!ui)
        return tls_fail(err, PS_E_CRYPTO, _("could not open the key \"%s\""), uri);
    PS_AUTO(EVP_PKEY_freep) EVP_PKEY *pkey = from_store(uri, ui, &asked);
    if (!pkey && token && asked.err.code == PS_E_NONE)
        pkey = from_engine(uri, ui, &asked);
    if (!pkey && asked.err.code != PS_E_NONE) {
        ERR_clear_error();
        *err = asked.err;
        return false;
    }
    if (!pkey) {
        tls_fail(err, PS_E_NOT_FOUND, _("could not open the key \"%s\""), uri);
        return token ? ps_hint(err, _("OpenSSL needs a provider or an engine for PKCS#11, and the "
                                      "right PIN: look at openssl.cnf and at the token.")) : false;
    }
    ERR_clear_error();
    *out = key_wrap(PS_TAKE(pkey));
    (*out)->in_token = token;
    return true;
}
