/* secret.c - see secret.h. */
#include "tls/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"

enum { PASS_MAX_BYTES = 1024, HEAP_BYTES = 2 << 20, HEAP_MIN_BLOCK = 32 };

/* ---- the memory ---- */

static char *secure_alloc(size_t size)
{
    char *p = CRYPTO_secure_malloc_initialized() ? OPENSSL_secure_zalloc(size) : NULL;

    return p ? p : ps_calloc(1, size);      /* no heap, or it is full: ordinary, and still wiped */
}

void secret_alloc(struct secret *secret, size_t len)
{
    secret_free(secret);
    *secret = (struct secret){ secure_alloc(len + 1), len };
}

void secret_set(struct secret *secret, const void *bytes, size_t len)
{
    char *p = secure_alloc(len + 1);

    if (len)
        memcpy(p, bytes, len);
    secret_free(secret);
    *secret = (struct secret){ p, len };
}

void secret_free(struct secret *secret)
{
    if (secret->p && CRYPTO_secure_allocated(secret->p)) {
        OPENSSL_secure_clear_free(secret->p, secret->len + 1);
    } else if (secret->p) {
        explicit_bzero(secret->p, secret->len + 1);
        free(secret->p);
    }
    *secret = (struct secret){ 0 };
}

/* ---- reading ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static ssize_t read_once(int fd, void *p, size_t size)
{
    ssize_t got;

    do
        got = read(fd, p, size);
    while (got < 0 && errno == EINTR);
    return got;
}

bool secret_read_fd(int fd, struct secret *out, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret line = { secure_alloc(PASS_MAX_BYTES + 1), PASS_MAX_BYTES };
    size_t len = 0;
    char c = '\0';

    /* byte by byte: what follows the line belongs to somebody else */
    for (;;) {
        ssize_t got = read_once(fd, &c, 1);

        if (got < 0)
            return ps_fail(err, PS_E_IO, _("could not read the passphrase from descriptor %d: %m"),
                           fd);
        if (got == 0 || c == '\n')
            break;
        if (len == PASS_MAX_BYTES)
            return ps_fail(err, PS_E_TOO_BIG, _("the passphrase is longer than %d bytes"),
                           PASS_MAX_BYTES);
        line.p[len++] = c;
    }
    if (len > 0 && line.p[len - 1] == '\r')
        len--;
    secret_set(out, line.p, len);
    explicit_bzero(&c, sizeof(c));
    return true;
}

bool secret_read_file(const char *path, struct secret *out, struct ps_err *err)
{
    PS_AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                _("could not open file \"%s\": %m"), path);
        return ps_at(err, path, 0, 0);
    }
    if (!S_ISREG(st.st_mode))
        return ps_fail(err, PS_E_IO, _("\"%s\" is not a regular file"), path);
    if (st.st_size > SECRET_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("file \"%s\" is too big"), path);

    size_t size = (size_t)st.st_size, len = 0;
    PS_AUTO(secret_free) struct secret bytes = { secure_alloc(size + 1), size };
    while (len < size) {
        ssize_t got = read_once(fd, bytes.p + len, size - len);

        if (got < 0)
            return ps_fail(err, PS_E_IO, _("could not read file \"%s\": %m"), path);
        if (got == 0)
            break;
        len += (size_t)got;
    }
    secret_set(out, bytes.p, len);
    return true;
}

/* ---- asking ---- */

struct quiet_tty {
    int fd;
    struct termios was;
};

static void tty_restore(struct quiet_tty *tty)
{
    if (tty->fd < 0)
        return;
    tcsetattr(tty->fd, TCSAFLUSH, &tty->was);
    close(tty->fd);
}

/* No echo, and no signals from keys: a ^C must not leave the terminal without echo. */
static bool tty_open(struct quiet_tty *tty, struct ps_err *err)
{
    struct termios quiet;

    tty->fd = -1;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &tty->was) != 0) {
        close_fd(&fd);
        ps_fail(err, PS_E_PASSPHRASE,
                _("a passphrase is needed, and there is no terminal to ask at"));
        return ps_hint(err, _("Give it with --passphrase-fd."));
    }
    tty->fd = fd;
    quiet = tty->was;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
        return ps_fail(err, PS_E_IO, _("could not turn the terminal's echo off: %m"));
    return true;
}

static bool tty_line(int fd, struct secret *out, struct ps_err *err)
{
    enum { CTRL_C = 3, CTRL_D = 4, CTRL_U = 21, BACKSPACE = 8, DELETE = 127 };
    PS_AUTO(secret_free) struct secret line = { secure_alloc(PASS_MAX_BYTES + 1), PASS_MAX_BYTES };
    size_t len = 0;
    char c = '\0';

    for (;;) {
        ssize_t got = read_once(fd, &c, 1);

        if (got < 0 || c == CTRL_C)
            return ps_fail(err, PS_E_DECLINED, _("no passphrase was given"));
        if (got == 0 || c == '\n' || c == '\r' || c == CTRL_D)
            break;
        if (c == CTRL_U)
            len = 0;
        else if (c == BACKSPACE || c == DELETE)
            len -= len > 0;
        else if (len < PASS_MAX_BYTES)
            line.p[len++] = c;
    }
    secret_set(out, line.p, len);
    explicit_bzero(&c, sizeof(c));
    return true;
}

static bool tty_ask(int fd, const char *question, struct secret *out, struct ps_err *err)
{
    dprintf(fd, "%s: ", question);
    bool given = tty_line(fd, out, err);
    dprintf(fd, "\n");
    return given;
}

bool secret_prompt(const char *question, bool again, struct secret *out, struct ps_err *err)
{
    PS_AUTO(tty_restore) struct quiet_tty tty = { .fd = -1 };
    PS_AUTO(secret_free) struct secret first = { 0 };
    PS_AUTO(secret_free) struct secret second = { 0 };

    if (!tty_open(&tty, err) || !tty_ask(tty.fd, question, &first, err))
        return false;
    if (again && !tty_ask(tty.fd, _("The same once more"), &second, err))
        return false;
    if (again && (first.len != second.len || memcmp(first.p, second.p, first.len) != 0))
        return ps_fail(err, PS_E_PASSPHRASE, _("the two passphrases are not the same"));
    secret_set(out, first.p, first.len);
    return true;
}

/* ---- start ---- */

/*
 * OpenSSL's decoders free plain key bytes without wiping them (pem2der_decode of 3.0 does), so
 * every block that it gives back is wiped, whatever was in it.
 */
static void *lib_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void lib_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void *lib_realloc(void *p, size_t size, const char *file, int line)
{
    if (!p)
        return malloc(size);
    if (size == 0) {
        lib_free(p, file, line);
        return NULL;
    }

    size_t had = malloc_usable_size(p);
    if (size <= had && size > had / 2)
        return p;
    void *bigger = malloc(size);
    if (bigger) {
        memcpy(bigger, p, had < size ? had : size);
        lib_free(p, file, line);
    }
    return bigger;
}

void tls_start(void)
{
    struct rlimit core;

    /* both are refused when OpenSSL is in use already: then its own memory serves */
    CRYPTO_set_mem_functions(lib_malloc, lib_realloc, lib_free);
    CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_MIN_BLOCK);

    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &core);
    }
#ifndef __SANITIZE_ADDRESS__    /* its leak check attaches to us as a debugger does */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}
